//! A master's bytes → the compressed bytes of one tile after the other, in few large reads.
//!
//! A read takes the whole tile, the tiles right behind it that will be wanted too, or one block of a
//! tile that is larger than a block. What the bytes mean is left to `unpack` and `lane`.

use std::sync::Arc;

use crate::error::Result;
use crate::reader::{RangeReader, past_the_end};

use super::layout::TileBytes;

/// Most bytes of one read, and what an [`Input`] holds.
pub(super) const READ_BYTES: u64 = 512 * 1024;

/// A window of a file that moves along its tiles.
#[derive(Debug)]
pub(super) struct Input {
    reader: Arc<dyn RangeReader>,
    /// Bits of every byte are stored in reverse (`FillOrder` 2).
    reversed: bool,
    buffer: Vec<u8>,
    /// File offset of the buffer's first byte.
    start: u64,
    /// File offset of the next byte.
    position: u64,
    /// End of the open tile.
    end: u64,
    /// End of what may be read along with it.
    ahead: u64,
}

impl Input {
    /// An input that is not at any tile yet.
    pub(super) fn new(reader: Arc<dyn RangeReader>, reversed: bool) -> Self {
        Self {
            reader,
            reversed,
            buffer: Vec::new(),
            start: 0,
            position: 0,
            end: 0,
            ahead: 0,
        }
    }

    /// Whether the whole tile has been read.
    pub(super) fn holds(&self, tile: TileBytes) -> bool {
        let end = tile.offset.checked_add(tile.length);
        tile.offset >= self.start && end.is_some_and(|end| end <= self.buffered())
    }

    /// Goes to `tile`; bytes up to `ahead` may be read with it.
    pub(super) fn open(&mut self, tile: TileBytes, ahead: u64) -> Result<()> {
        let end = tile
            .offset
            .checked_add(tile.length)
            .filter(|end| *end <= self.reader.length())
            .ok_or_else(past_the_end)?;
        if !self.holds(tile) {
            self.buffer.clear();
            self.start = tile.offset;
        }
        self.position = tile.offset;
        self.end = end;
        self.ahead = ahead.clamp(end, self.reader.length());
        Ok(())
    }

    /// The next bytes of the tile; none at its end.
    pub(super) fn available(&mut self) -> Result<&[u8]> {
        if self.position < self.end && self.position >= self.buffered() {
            self.refill()?;
        }
        let end = self.end.min(self.buffered());
        let from = usize::try_from(self.position - self.start).unwrap_or(usize::MAX);
        let to = usize::try_from(end.saturating_sub(self.start)).unwrap_or(usize::MAX);
        Ok(self.buffer.get(from..to).unwrap_or_default())
    }

    /// Passes over `count` bytes, which need not have been read.
    pub(super) fn consume(&mut self, count: u64) {
        self.position = self.position.saturating_add(count).min(self.end);
    }

    /// How many bytes of the tile are left.
    pub(super) fn left(&self) -> u64 {
        self.end - self.position
    }

    /// All bytes of the tile that are left, in one piece.
    pub(super) fn rest(&mut self) -> Result<Vec<u8>> {
        let mut all = Vec::new();
        loop {
            let more = self.available()?;
            if more.is_empty() {
                return Ok(all);
            }
            all.extend_from_slice(more);
            let count = more.len() as u64;
            self.consume(count);
        }
    }

    /// File offset behind the buffer's last byte.
    fn buffered(&self) -> u64 {
        self.start + self.buffer.len() as u64
    }

    fn refill(&mut self) -> Result<()> {
        // A tile that fits a read is not split to reach further ahead.
        let length = (self.ahead - self.position).min(READ_BYTES);
        self.start = self.position;
        let length = usize::try_from(length).expect("at most a block");
        self.buffer.clear();
        self.buffer.resize(length, 0);
        if let Err(error) = self.reader.read(self.start, &mut self.buffer) {
            self.buffer.clear();
            return Err(error);
        }
        if self.reversed {
            for byte in &mut self.buffer {
                *byte = byte.reverse_bits();
            }
        }
        Ok(())
    }
}
