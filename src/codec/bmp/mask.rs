//! A mask over the bits of a pixel → a sample of 8 bits.

use crate::error::{Error, Result};

/// The bits of a pixel that are one sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mask {
    bits: u32,
    shift: u32,
}

impl Mask {
    const fn of(bits: u32) -> Self {
        Self {
            bits,
            shift: bits.trailing_zeros() % 32,
        }
    }

    /// Red, green and blue of 5 bits, which 16 bits hold that no masks are given for.
    pub(super) const FIVES: [Self; 4] = [
        Self::of(0x7c00),
        Self::of(0x03e0),
        Self::of(0x001f),
        Self::of(0),
    ];

    /// Red, green and blue of 8 bits, which 32 bits hold that no masks are given for.
    pub(super) const EIGHTS: [Self; 4] = [
        Self::of(0x00ff_0000),
        Self::of(0x0000_ff00),
        Self::of(0x0000_00ff),
        Self::of(0),
    ];

    /// The sample under `bits`.
    pub(super) fn new(bits: u32) -> Result<Self> {
        let mask = Self::of(bits);
        let most = bits >> mask.shift;
        if most & most.wrapping_add(1) == 0 {
            return Ok(mask);
        }
        Err(Error::corrupt("the mask of a colour has holes"))
    }

    /// Whether there is no such sample.
    pub(super) const fn is_empty(self) -> bool {
        self.bits == 0
    }

    /// The sample of `pixel`, from its range to 0..=255, rounded half up; 0 where there is none.
    pub(super) fn sample(self, pixel: u32) -> u8 {
        let most = u64::from(self.bits >> self.shift);
        let value = u64::from((pixel & self.bits) >> self.shift);
        if most == 255 {
            return u8::try_from(value).unwrap_or(u8::MAX);
        }
        let level = (value * 255 + most / 2).checked_div(most).unwrap_or(0);
        u8::try_from(level).unwrap_or(u8::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_of_any_width_reach_from_black_to_white() {
        for width in 1..=32 {
            let most = u32::MAX >> (32 - width);
            for shift in 0..=32 - width {
                let mask = Mask::new(most << shift).unwrap();
                assert_eq!(mask.sample(0), 0);
                assert_eq!(mask.sample(u32::MAX), 255, "{width} {shift}");
            }
        }
        assert_eq!(Mask::FIVES[2].sample(3), 25);
        assert_eq!(Mask::new(0).unwrap().sample(u32::MAX), 0);
    }

    #[test]
    fn a_mask_with_holes_is_refused() {
        for bits in [0b101, 0xf00f, 0x8000_0001] {
            assert!(Mask::new(bits).is_err(), "{bits:x}");
        }
    }
}
