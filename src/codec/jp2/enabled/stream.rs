//! A tile's pieces → one stream of bytes that can be read from any place.
//!
//! Errors of the reader and a withdrawn request are kept for whoever started the decode; towards the
//! decoder the stream then just ends.

use crate::cancel::Cancel;
use crate::error::{Error, Result};
use crate::reader::RangeReader;

use super::super::codestream::Piece;

/// The bytes of `pieces`, one after the other.
pub(super) struct TileStream<'a> {
    reader: &'a dyn RangeReader,
    cancel: &'a Cancel,
    pieces: &'a [Piece],
    position: u64,
    failure: Option<Error>,
}

impl<'a> TileStream<'a> {
    pub(super) fn new(
        reader: &'a dyn RangeReader,
        pieces: &'a [Piece],
        cancel: &'a Cancel,
    ) -> Self {
        Self {
            reader,
            cancel,
            pieces,
            position: 0,
            failure: None,
        }
    }

    pub(super) fn length(&self) -> u64 {
        self.pieces.iter().map(Piece::length).sum()
    }

    pub(super) const fn position(&self) -> u64 {
        self.position
    }

    /// Moves to `position`, at most to the end; gives where it is now.
    pub(super) fn seek(&mut self, position: u64) -> u64 {
        self.position = position.min(self.length());
        self.position
    }

    /// Why the stream ended too early, if it did.
    pub(super) const fn take_failure(&mut self) -> Option<Error> {
        self.failure.take()
    }

    /// Fills `buffer` as far as the stream goes; 0 at its end and after a failure.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> usize {
        if self.failure.is_some() {
            return 0;
        }
        match self.try_read(buffer) {
            Ok(count) => count,
            Err(error) => {
                self.failure = Some(error);
                0
            }
        }
    }

    fn try_read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let (mut start, mut filled) = (0, 0);
        for piece in self.pieces {
            let end = start + piece.length();
            let rest = buffer.get_mut(filled..).unwrap_or_default();
            if rest.is_empty() {
                break;
            }
            if self.position < end {
                self.cancel.check()?;
                let count = rest.len().min(to_usize(end - self.position));
                let part = rest.get_mut(..count).unwrap_or_default();
                read_piece(self.reader, piece, self.position - start, part)?;
                self.position += count as u64;
                filled += count;
            }
            start = end;
        }
        Ok(filled)
    }
}

fn read_piece(
    reader: &dyn RangeReader,
    piece: &Piece,
    offset: u64,
    buffer: &mut [u8],
) -> Result<()> {
    match piece {
        Piece::Stored(extent) => reader.read(extent.offset + offset, buffer),
        Piece::Made(bytes) => {
            let part = bytes.get(to_usize(offset)..).unwrap_or_default();
            for (target, byte) in buffer.iter_mut().zip(part) {
                *target = *byte;
            }
            Ok(())
        }
    }
}

/// Saturates where a length is compared with buffers only.
fn to_usize(length: u64) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::super::boxes::Extent;
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn pieces_read_as_one_stream_from_any_place() {
        let file: Vec<u8> = (0..20).collect();
        let pieces = [
            Piece::Made(vec![100, 101, 102]),
            Piece::Stored(Extent {
                offset: 5,
                length: 4,
            }),
            Piece::Made(vec![200]),
        ];
        let whole = [100, 101, 102, 5, 6, 7, 8, 200];
        let cancel = Cancel::new();
        for start in 0..=whole.len() {
            for length in 1..10 {
                let mut stream = TileStream::new(&file, &pieces, &cancel);
                assert_eq!(stream.seek(start as u64), start as u64);
                let mut buffer = vec![0; length];
                let count = stream.read(&mut buffer);
                let end = (start + length).min(whole.len());
                assert_eq!(buffer[..count], whole[start..end]);
            }
        }
    }

    #[test]
    fn a_withdrawn_request_ends_the_stream_and_is_kept() {
        let cancel = Cancel::new();
        cancel.cancel();
        let (file, pieces) = (Vec::new(), [Piece::Made(vec![1])]);
        let mut stream = TileStream::new(&file, &pieces, &cancel);
        assert_eq!(stream.read(&mut [0]), 0);
        let failure = stream.take_failure().expect("kept");
        assert_eq!(failure.kind(), ErrorKind::Cancelled);
    }
}
