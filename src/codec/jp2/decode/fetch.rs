//! Code-blocks → their bytes, in few reads.

use crate::error::{Error, Result};
use crate::reader::RangeReader;

use super::super::block::Segment;
use super::super::packets::{BlockRef, Piece};

/// Bytes between two pieces that are rather read than skipped.
pub(super) const MAX_GAP: u64 = 4 << 10;

/// Most bytes that are fetched at a time, gaps included, but for those of one block.
pub(super) const FETCHED_BYTES: u64 = 2 << 20;

/// Cuts `blocks` into portions that can be fetched at a time.
pub(super) fn portions<'s, 'b>(
    blocks: &'s [BlockRef<'b>],
) -> impl Iterator<Item = &'s [BlockRef<'b>]> {
    let cost = |block: &BlockRef<'_>| {
        let pieces = block.pieces.iter();
        pieces
            .map(|piece| u64::from(piece.length) + MAX_GAP)
            .sum::<u64>()
    };
    let mut total = 0;
    blocks.chunk_by(move |before, after| {
        total += cost(before);
        let fits = total + cost(after) <= FETCHED_BYTES;
        if !fits {
            total = 0;
        }
        fits
    })
}

/// The bytes of some code-blocks. Its memory is used again.
#[derive(Debug, Default)]
pub(super) struct Fetched {
    bytes: Vec<u8>,
    /// Stretches of the file, in order, and where they begin in `bytes`.
    runs: Vec<Run>,
}

/// A stretch of the file that was read.
#[derive(Debug, Clone, Copy)]
struct Run {
    offset: u64,
    length: u64,
    at: usize,
}

/// Where a segment lies.
#[derive(Debug, Clone, Copy)]
struct Place {
    start: usize,
    length: usize,
    passes: u8,
}

impl Fetched {
    /// Reads the bytes of `pieces`.
    ///
    /// # Errors
    ///
    /// Those of `reader`.
    pub(super) fn read<'p>(
        &mut self,
        reader: &dyn RangeReader,
        pieces: impl Iterator<Item = &'p Piece>,
    ) -> Result<()> {
        self.runs.clear();
        self.runs
            .extend(pieces.filter(|piece| piece.length > 0).map(|piece| Run {
                offset: piece.offset,
                length: u64::from(piece.length),
                at: 0,
            }));
        self.runs.sort_unstable_by_key(|run| run.offset);
        self.runs.dedup_by(|next, run| {
            let joins = next.offset <= run.offset + run.length + MAX_GAP;
            if joins {
                let end = (next.offset + next.length).max(run.offset + run.length);
                run.length = end - run.offset;
            }
            joins
        });
        let mut total = 0;
        for run in &mut self.runs {
            run.at = total;
            let length = usize::try_from(run.length);
            total += length.map_err(|cause| Error::internal("sizing a read").with_source(cause))?;
        }
        self.bytes.resize(total, 0);
        let mut rest = self.bytes.as_mut_slice();
        for run in &self.runs {
            let length = usize::try_from(run.length).unwrap_or(usize::MAX);
            let (part, behind) = rest.split_at_mut(length.min(rest.len()));
            reader.read(run.offset, part)?;
            rest = behind;
        }
        Ok(())
    }

    /// The segments of the block with these `pieces`, each in one slice; scattered ones are put together
    /// in `joined`.
    pub(super) fn segments<'f>(
        &'f self,
        pieces: &[Piece],
        joined: &'f mut Vec<u8>,
    ) -> Vec<Segment<'f>> {
        let mut places: Vec<Place> = Vec::with_capacity(pieces.len());
        joined.clear();
        let is_whole = pieces.iter().all(|piece| piece.starts);
        for piece in pieces {
            let length = piece.length as usize;
            let found = self.find(piece.offset);
            let start = if is_whole {
                found
            } else {
                let start = joined.len();
                let bytes = self.bytes.get(found..found + length);
                joined.extend_from_slice(bytes.unwrap_or_default());
                start
            };
            match places.last_mut().filter(|_| !piece.starts) {
                Some(place) => {
                    place.length += length;
                    place.passes = place.passes.saturating_add(piece.passes);
                }
                None => places.push(Place {
                    start,
                    length,
                    passes: piece.passes,
                }),
            }
        }
        let all = if is_whole { &self.bytes } else { joined };
        let segment = |place: &Place| Segment {
            bytes: all
                .get(place.start..place.start + place.length)
                .unwrap_or_default(),
            passes: place.passes,
        };
        places.iter().map(segment).collect()
    }

    /// Where the byte at `offset` of the file is.
    fn find(&self, offset: u64) -> usize {
        let after = self.runs.partition_point(|run| run.offset <= offset);
        let run = after.checked_sub(1).and_then(|index| self.runs.get(index));
        run.map_or(0, |run| {
            let within = usize::try_from(offset - run.offset).unwrap_or(usize::MAX);
            run.at.saturating_add(within)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn piece(offset: u64, length: u32, passes: u8, starts: bool) -> Piece {
        Piece {
            offset,
            length,
            passes,
            starts,
        }
    }

    #[test]
    fn segments_are_joined_from_pieces_that_lie_anywhere() {
        let file: Vec<u8> = (0..=255).cycle().take(100_000).collect();
        let first = [
            piece(90_000, 3, 4, true),
            piece(10, 2, 1, false),
            piece(50_000, 1, 2, true),
            piece(7, 0, 1, true),
        ];
        let second = [piece(12, 4, 9, true), piece(60_000, 2, 3, true)];
        let mut fetched = Fetched::default();
        let mut joined = Vec::new();
        let all = first.iter().chain(&second);
        fetched.read(&file, all).expect("inside");
        let at = |offset: usize, length: usize| &file[offset..offset + length];
        let seen: Vec<(Vec<u8>, u8)> = fetched
            .segments(&first, &mut joined)
            .iter()
            .map(|s| (s.bytes.to_vec(), s.passes))
            .collect();
        let whole = [at(90_000, 3), at(10, 2)].concat();
        assert_eq!(
            seen,
            [(whole, 5), (at(50_000, 1).to_vec(), 2), (Vec::new(), 1)]
        );
        let seen: Vec<(&[u8], u8)> = fetched
            .segments(&second, &mut joined)
            .iter()
            .map(|s| (s.bytes, s.passes))
            .collect();
        assert_eq!(seen, [(at(12, 4), 9), (at(60_000, 2), 3)]);
    }

    #[test]
    fn what_lies_past_the_end_of_the_file_is_an_error() {
        let pieces = [piece(5, 10, 1, true)];
        let mut fetched = Fetched::default();
        assert!(fetched.read(&vec![0; 14], pieces.iter()).is_err());
    }
}
