//! Free words of a slab: pieces in granules, neighbours joined.

use std::collections::BTreeMap;

/// Words of a granule: 16 KiB, a twelfth of a tile of 256 × 256, so that tiles of one grid fit where
/// others of it were.
const GRANULE_WORDS: u32 = 4096;

/// Free pieces by their first word.
#[derive(Debug, Default)]
pub(super) struct Room(BTreeMap<u32, u32>);

impl Room {
    /// All of `words`, in whole granules.
    pub(super) fn new(words: u32) -> Self {
        let whole = words - words % GRANULE_WORDS;
        Self((whole > 0).then_some((0, whole)).into_iter().collect())
    }

    /// The first word of the first piece that is large enough.
    pub(super) fn take(&mut self, words: u32) -> Option<u32> {
        let words = granules(words)?;
        let fits = self.0.iter().find(|(_, length)| **length >= words);
        let (offset, length) = fits.map(|(offset, length)| (*offset, *length))?;
        self.0.remove(&offset);
        if length > words {
            self.0.insert(offset + words, length - words);
        }
        Some(offset)
    }

    /// Takes back what [`Room::take`] gave.
    pub(super) fn give_back(&mut self, mut offset: u32, words: u32) {
        let Some(mut length) = granules(words) else {
            return;
        };
        if let Some(behind) = self.0.remove(&(offset + length)) {
            length += behind;
        }
        let before = self.0.range(..offset).next_back();
        if let Some((start, before)) = before.map(|(start, length)| (*start, *length))
            && start + before == offset
        {
            offset = start;
            length += before;
        }
        self.0.insert(offset, length);
    }
}

fn granules(words: u32) -> Option<u32> {
    words.max(1).checked_next_multiple_of(GRANULE_WORDS)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn pieces_never_overlap_and_all_come_back(
            steps in prop::collection::vec((1_u32..90_000, any::<prop::sample::Index>()), 1..80),
        ) {
            let words = 100 * GRANULE_WORDS;
            let mut room = Room::new(words + 5);
            let mut taken: Vec<(u32, u32)> = Vec::new();
            for (size, which) in steps {
                if let Some(offset) = room.take(size) {
                    prop_assert!(offset + size <= words);
                    for (other, length) in &taken {
                        prop_assert!(offset + size <= *other || other + length <= offset);
                    }
                    taken.push((offset, size));
                } else {
                    let (offset, size) = taken.remove(which.index(taken.len()));
                    room.give_back(offset, size);
                }
            }
            for (offset, size) in taken {
                room.give_back(offset, size);
            }
            prop_assert_eq!(room.0, BTreeMap::from([(0, words)]));
        }
    }
}
