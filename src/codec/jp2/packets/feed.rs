//! The bytes of a tile's parts, joined → the bits of packet headers.
//!
//! Reads forward in pieces that grow while they follow each other, and steps over what is not asked
//! for. Positions count from the tile's first byte of packets.
//!
//! Source: ISO/IEC 15444-1 B.10.1 (stuffed bits).

use crate::error::{Error, Result};
use crate::reader::RangeReader;

use super::super::boxes::Extent;

/// Bytes of the first read after a step; each further one is twice as long.
const FIRST_READ: u64 = 4 << 10;

/// Longest read.
const LONGEST_READ: u64 = 256 << 10;

/// Bytes before the next one that stay: as many as the bits in hand can come from.
const KEPT: usize = 16;

/// Bytes that are one after the other for whoever asks, wherever they lie in the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Joined {
    /// Each part, and how many bytes are before it.
    parts: Vec<(u64, Extent)>,
    length: u64,
}

impl Joined {
    pub(super) fn new(extents: &[Extent]) -> Self {
        let mut joined = Self::default();
        for extent in extents.iter().filter(|extent| extent.length > 0) {
            joined.parts.push((joined.length, *extent));
            joined.length += extent.length;
        }
        joined.parts.shrink_to_fit();
        joined
    }

    pub(super) const fn length(&self) -> u64 {
        self.length
    }

    /// Bytes of memory.
    pub(super) const fn bytes(&self) -> u64 {
        (self.parts.capacity() * size_of::<(u64, Extent)>()) as u64
    }

    /// Where `length` bytes from `position` on begin in the file, as far as they are together there.
    pub(super) fn find(&self, position: u64, length: u64) -> Option<Extent> {
        let after = self
            .parts
            .partition_point(|(before, _)| *before <= position);
        let (before, extent) = self.parts.get(after.checked_sub(1)?)?;
        let skipped = position - before;
        let left = extent
            .length
            .checked_sub(skipped)
            .filter(|left| *left > 0)?;
        Some(Extent {
            offset: extent.offset + skipped,
            length: length.min(left),
        })
    }
}

/// A reader of bits and bytes over [`Joined`] bytes, or over bytes in memory.
#[derive(Debug)]
pub(super) struct Feed<'a> {
    source: Option<(&'a dyn RangeReader, &'a Joined)>,
    buffer: Vec<u8>,
    /// The position of the buffer's first byte.
    base: u64,
    /// The next byte in the buffer.
    at: usize,
    length: u64,
    next_read: u64,
    /// Bits in hand, from the highest on.
    bits: u64,
    count: u32,
    /// Where in the buffer the header began that bits are read from.
    start: usize,
}

impl<'a> Feed<'a> {
    pub(super) fn of_file(reader: &'a dyn RangeReader, joined: &'a Joined) -> Self {
        Self {
            source: Some((reader, joined)),
            ..Self::of_bytes(Vec::new(), joined.length())
        }
    }

    pub(super) fn of_memory(bytes: Vec<u8>) -> Self {
        let length = bytes.len() as u64;
        Self::of_bytes(bytes, length)
    }

    fn of_bytes(buffer: Vec<u8>, length: u64) -> Self {
        Self {
            source: None,
            buffer,
            base: 0,
            at: 0,
            length,
            next_read: FIRST_READ,
            bits: 0,
            count: 0,
            start: 0,
        }
    }

    /// The position of the next byte. Between headers only.
    pub(super) const fn position(&self) -> u64 {
        self.base + self.at as u64
    }

    pub(super) const fn length(&self) -> u64 {
        self.length
    }

    pub(super) const fn is_at_end(&self) -> bool {
        self.position() >= self.length
    }

    /// Steps over `count` bytes; gives whether there were as many.
    pub(super) fn skip(&mut self, count: u64) -> bool {
        self.seek(self.position().saturating_add(count))
    }

    /// Goes to `position`; gives whether it is not behind the end.
    pub(super) fn seek(&mut self, position: u64) -> bool {
        if position > self.length {
            return false;
        }
        let inside = position.checked_sub(self.base);
        let inside = inside.and_then(|inside| usize::try_from(inside).ok());
        if let Some(at) = inside.filter(|at| *at <= self.buffer.len()) {
            self.at = at;
        } else {
            self.buffer.clear();
            self.base = position;
            self.at = 0;
            self.next_read = FIRST_READ;
        }
        true
    }

    /// The next two bytes, which stay; `None` where fewer are left.
    pub(super) fn peek_marker(&mut self) -> Result<Option<u16>> {
        while self.buffer.len() < self.at + 2 {
            if !self.read_more()? {
                return Ok(None);
            }
        }
        let pair = self
            .buffer
            .get(self.at..)
            .and_then(|rest| rest.first_chunk());
        Ok(pair.map(|pair| u16::from_be_bytes(*pair)))
    }

    /// Reads the next bytes behind those in hand; gives whether there were any.
    fn read_more(&mut self) -> Result<bool> {
        let Some((reader, joined)) = self.source else {
            return Ok(false);
        };
        let position = self.base + self.buffer.len() as u64;
        let Some(extent) = joined.find(position, self.next_read) else {
            return Ok(false);
        };
        let gone = self.at.saturating_sub(KEPT);
        self.buffer.drain(..gone);
        self.base += gone as u64;
        self.at -= gone;
        self.start = self.start.saturating_sub(gone);
        let old = self.buffer.len();
        let length = usize::try_from(extent.length).unwrap_or(usize::MAX);
        self.buffer.resize(old + length, 0);
        if let Some(free) = self.buffer.get_mut(old..) {
            reader.read(extent.offset, free)?;
        }
        self.next_read = (self.next_read * 2).min(LONGEST_READ);
        Ok(true)
    }

    /// Begins a header at the next byte.
    pub(super) fn begin(&mut self) {
        self.bits = 0;
        self.count = 0;
        self.start = self.at;
    }

    /// Ends a header: the rest of its last byte is padding, and a byte after 0xFF belongs to it.
    pub(super) fn end(&mut self) -> Result<()> {
        while self.at > self.start {
            let width = self.width(self.at - 1);
            if self.count < width {
                break;
            }
            self.count -= width;
            self.at -= 1;
        }
        self.bits = 0;
        self.count = 0;
        if self.at > self.start && self.byte(self.at - 1) == Some(0xFF) {
            if self.byte(self.at).is_none() && !self.read_more()? {
                return Err(too_short());
            }
            self.at += 1;
        }
        Ok(())
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.buffer.get(at).copied()
    }

    /// How many bits the byte at this place holds: 7 after 0xFF.
    fn width(&self, at: usize) -> u32 {
        let before = (at > self.start).then(|| self.byte(at - 1)).flatten();
        if before == Some(0xFF) { 7 } else { 8 }
    }

    /// Takes bytes in hand, so that at least `wanted` bits are; up to 32 can be wanted.
    #[cold]
    fn fill(&mut self, wanted: u32) -> Result<()> {
        while self.count <= 56 {
            if self.count <= 32 && self.fill_word() {
                continue;
            }
            let Some(byte) = self.byte(self.at) else {
                if self.count >= wanted {
                    return Ok(());
                }
                if self.read_more()? {
                    continue;
                }
                return Err(too_short());
            };
            let width = self.width(self.at);
            let mask = (1_u64 << width) - 1;
            self.bits |= (u64::from(byte) & mask) << (64 - self.count - width);
            self.count += width;
            self.at += 1;
        }
        Ok(())
    }

    /// Takes four bytes at once, if there are as many and no bit is stuffed into them.
    fn fill_word(&mut self) -> bool {
        if self.width(self.at) == 7 {
            return false;
        }
        let Some(bytes) = self
            .buffer
            .get(self.at..)
            .and_then(|rest| rest.first_chunk())
        else {
            return false;
        };
        let word = u32::from_be_bytes(*bytes);
        let holds_ff = (!word).wrapping_sub(0x0101_0101) & word & 0x8080_8080 != 0;
        // Only a last byte of 0xFF would be harmless; it is left to the slow way.
        if holds_ff {
            return false;
        }
        self.bits |= u64::from(word) << (32 - self.count);
        self.count += 32;
        self.at += 4;
        true
    }

    /// The next bit.
    #[inline]
    pub(super) fn bit(&mut self) -> Result<bool> {
        if self.count == 0 {
            self.fill(1)?;
        }
        let bit = self.bits >> 63 == 1;
        self.bits <<= 1;
        self.count -= 1;
        Ok(bit)
    }

    /// The next `count` bits, 1 to 32, as a number.
    #[inline]
    pub(super) fn number(&mut self, count: u32) -> Result<u32> {
        if self.count < count {
            self.fill(count)?;
        }
        let number = self.bits >> (64 - count);
        self.bits <<= count;
        self.count -= count;
        Ok(u32::try_from(number).unwrap_or(u32::MAX))
    }

    /// Takes the ones up to a zero, and that too; gives how many there were. More than 32 are damage.
    #[inline]
    pub(super) fn ones(&mut self) -> Result<u32> {
        let mut ones = 0;
        while self.bit()? {
            ones += 1;
            if ones > 32 {
                return Err(Error::corrupt("a code-block is longer than can be"));
            }
        }
        Ok(ones)
    }
}

fn too_short() -> Error {
    Error::corrupt("a tile ends in a packet's header")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bit_is_stuffed_after_ff_and_a_header_never_ends_there() {
        let mut feed = Feed::of_memory(vec![0xFF, 0x7F, 0x80, 0xFF, 0x00, 0x12]);
        feed.begin();
        assert_eq!(feed.number(15).expect("there"), 0x7FFF);
        feed.end().expect("whole");
        assert_eq!(feed.position(), 2);
        feed.begin();
        assert_eq!(feed.number(16).expect("there"), 0x80FF);
        feed.end().expect("whole");
        assert_eq!(feed.position(), 5);
        feed.begin();
        assert_eq!(feed.number(8).expect("there"), 0x12);
        assert!(feed.bit().is_err());
    }

    #[test]
    fn parts_far_apart_read_as_one() {
        let file: Vec<u8> = (0..=255).collect();
        let extent = |offset, length| Extent { offset, length };
        let joined = Joined::new(&[extent(3, 2), extent(9, 0), extent(20, 200)]);
        let mut feed = Feed::of_file(&file, &joined);
        feed.begin();
        assert_eq!(feed.number(32).expect("there"), 0x0304_1415);
        feed.end().expect("whole");
        assert!(feed.skip(100));
        assert_eq!(feed.peek_marker().expect("there"), Some(0x7A7B));
        assert!(feed.skip(98) && feed.is_at_end() && !feed.skip(1));
        assert_eq!(joined.find(1, 9), Some(extent(4, 1)));
        assert_eq!(joined.find(202, 1), None);
    }
}
