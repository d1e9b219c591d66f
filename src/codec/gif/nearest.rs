//! A colour → the nearest of a palette.
//!
//! Colours are looked up in steps of four levels and each answer is remembered.

use super::palette::byte;

/// Bits of a colour's coordinate that are looked at.
const BITS: usize = 6;

/// No answer yet.
const UNKNOWN: u16 = u16::MAX;

/// A palette and what was found in it.
pub(super) struct Nearest<'a> {
    colours: &'a [[u8; 3]],
    known: Vec<u16>,
}

impl<'a> Nearest<'a> {
    /// Looks in `colours`, at most 256 of them.
    pub(super) fn new(colours: &'a [[u8; 3]]) -> Self {
        Self {
            colours,
            known: vec![UNKNOWN; 1 << (3 * BITS)],
        }
    }

    /// The index of the nearest colour.
    pub(super) fn index(&mut self, colour: [u8; 3]) -> u8 {
        let slot = colour.iter().fold(0, |slot, level| {
            slot << BITS | usize::from(*level) >> (8 - BITS)
        });
        match self.known.get(slot) {
            Some(&known) if known != UNKNOWN => u8::try_from(known).unwrap_or(u8::MAX),
            _ => {
                // The middle of all colours that this answer is for.
                let found = self.search(colour.map(|level| level & !3 | 2));
                if let Some(known) = self.known.get_mut(slot) {
                    *known = found.into();
                }
                found
            }
        }
    }

    /// The colour of an index.
    pub(super) fn colour(&self, index: u8) -> [u8; 3] {
        let colour = self.colours.get(usize::from(index));
        colour.copied().unwrap_or_default()
    }

    fn search(&self, colour: [u8; 3]) -> u8 {
        let distance = |other: &[u8; 3]| {
            let pairs = colour.iter().zip(other);
            pairs
                .map(|(a, b)| u32::from(a.abs_diff(*b)).pow(2))
                .sum::<u32>()
        };
        let nearest = (self.colours.iter().enumerate()).min_by_key(|(_, other)| distance(other));
        nearest.map_or(0, |(index, _)| byte(index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_levels_have_the_answer_of_their_middle() {
        let colours = [[0; 3], [3; 3], [250; 3]];
        let mut nearest = Nearest::new(&colours);
        for level in 0..4 {
            assert_eq!(nearest.index([level; 3]), 1, "{level}");
        }
        assert_eq!([127, 124].map(|level| nearest.index([level; 3])), [1, 1]);
        assert_eq!([128, 255].map(|level| nearest.index([level; 3])), [2, 2]);
        assert_eq!(nearest.colour(2), [250; 3]);
    }
}
