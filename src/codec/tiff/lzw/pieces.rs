//! An LZW stream of any length, as much of it at a time as is asked for.
//!
//! What was handed out may be gone, so that strings are put together from links, last word first.

use crate::error::{Error, Result};

use super::bits::Bits;
use super::{CLEAR, CODES, END, Growth};

/// Bytes of a string that one link holds.
const WORD: usize = 8;

/// A code's string: in words from its start, the last of which is here.
#[derive(Debug, Clone, Copy, Default)]
struct Link {
    /// The last word's bytes, the first lowest; 0 behind the string's end.
    word: u64,
    /// The code of what comes before it.
    before: u16,
    /// Of the whole string.
    length: u16,
    first: u8,
}

impl Link {
    /// The string that follows `code`, which has this one, with one byte more.
    #[inline]
    fn and(self, code: usize, byte: u8) -> Self {
        let length = self.length + 1;
        let in_word = usize::from(self.length) % WORD;
        let (word, before) = if in_word == 0 {
            (0, u16::try_from(code).unwrap_or_default())
        } else {
            (self.word, self.before)
        };
        Self {
            word: word | u64::from(byte) << (8 * in_word),
            before,
            length,
            first: self.first,
        }
    }
}

/// One stream's decompression under way.
pub(in crate::codec::tiff) struct Pieces {
    /// One more than there are codes, for what comes behind a full table.
    table: Box<[Link; CODES + 1]>,
    bits: Bits,
    growth: Growth,
    /// The code before.
    last: usize,
    ended: bool,
    /// A string for which there was no room, from its first byte that was not handed out.
    rest: Vec<u8>,
    rest_from: usize,
}

impl Pieces {
    /// Before a stream's first byte.
    pub(in crate::codec::tiff) fn new() -> Self {
        let mut table = super::table(Link::default());
        for (byte, link) in (0..=u8::MAX).zip(table.iter_mut()) {
            *link = Link {
                word: byte.into(),
                before: 0,
                length: 1,
                first: byte,
            };
        }
        Self {
            table,
            bits: Bits::default(),
            growth: Growth::START,
            last: 0,
            ended: false,
            rest: Vec::new(),
            rest_from: 0,
        }
    }

    /// Gets ready for another stream.
    pub(in crate::codec::tiff) fn reset(&mut self) {
        self.bits = Bits::default();
        self.growth = Growth::START;
        self.last = 0;
        self.ended = false;
        self.rest.clear();
        self.rest_from = 0;
    }

    /// Turns some of `bytes` into some of `out`: how many of each. All of `out` is filled unless the
    /// bytes or the stream end.
    ///
    /// # Errors
    ///
    /// [`crate::error::ErrorKind::Corrupt`] for a code that has no string yet.
    pub(in crate::codec::tiff) fn step(
        &mut self,
        bytes: &[u8],
        out: &mut [u8],
    ) -> Result<(usize, usize)> {
        let (mut at, mut made) = (0, self.give_rest(out));
        // What changes with every code is kept in registers.
        let (mut bits, mut growth, mut last) = (self.bits, self.growth, self.last);
        while made < out.len() && !self.ended {
            let Some(code) = bits.code(growth.width, bytes, &mut at) else {
                break;
            };
            if code == CLEAR {
                growth = Growth::START;
            } else if code == END {
                self.ended = true;
            } else {
                self.add(growth.next, last, code)?;
                growth.advance();
                last = code;
                made += self.put(code, &mut out[made..]);
            }
        }
        (self.bits, self.growth, self.last) = (bits, growth, last);
        Ok((at, made))
    }

    /// The string `next` that `code`, which comes now, makes of that of `last`.
    #[inline]
    fn add(&mut self, next: usize, last: usize, code: usize) -> Result<()> {
        if code > next {
            return Err(Error::corrupt("an LZW tile is damaged"));
        }
        let before = self.table[last];
        // A string may be its own beginning's next one.
        let byte = if code == next {
            before.first
        } else {
            self.table[code].first
        };
        self.table[next] = before.and(last, byte);
        Ok(())
    }

    /// Writes the string of `code` to `out`, which is not empty; what has no room is kept. How many
    /// bytes were written.
    #[inline]
    fn put(&mut self, code: usize, out: &mut [u8]) -> usize {
        let length = usize::from(self.table[code].length);
        let in_words = length.next_multiple_of(WORD);
        if let Some(out) = out.get_mut(..in_words) {
            put_together(&self.table, code, out);
            return length;
        }
        self.rest.resize(in_words, 0);
        put_together(&self.table, code, &mut self.rest);
        self.rest.truncate(length);
        self.rest_from = 0;
        self.give_rest(out)
    }

    fn give_rest(&mut self, out: &mut [u8]) -> usize {
        let rest = &self.rest[self.rest_from..];
        let count = rest.len().min(out.len());
        out[..count].copy_from_slice(&rest[..count]);
        self.rest_from += count;
        count
    }
}

/// Writes the string of `code` to `out`, which has the length of its words.
#[inline]
fn put_together(table: &[Link; CODES + 1], mut code: usize, out: &mut [u8]) {
    for word in out.rchunks_exact_mut(WORD) {
        let link = table[code];
        word.copy_from_slice(&link.word.to_le_bytes());
        code = usize::from(link.before);
    }
}
