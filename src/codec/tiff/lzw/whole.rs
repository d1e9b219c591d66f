//! A whole LZW stream at once, into memory that holds all of its bytes.
//!
//! Every string of the table has been written before, together with the byte that was added to it: the
//! table says where, and nothing is put together from links.

use super::{CLEAR, CODES, END, Growth};

/// Most bytes that can be filled: a place has 20 bits.
const MOST_BYTES: usize = 1 << 20;
/// Bits of an entry that hold the string's length: it grows by one a code, so that 12 are enough.
const LENGTH_BITS: u32 = 12;
const LENGTH_MASK: u32 = (1 << LENGTH_BITS) - 1;
/// Bytes that may be written behind a string, where more follow.
const SLACK: usize = 16;

/// Decompresses whole streams; kept from tile to tile.
pub(in crate::codec::tiff) struct Whole {
    /// For each code the place of its string in the output, and its length in the lower bits; one more
    /// for what comes behind a full table.
    table: Box<[u32; CODES + 1]>,
}

impl Whole {
    /// A decompressor.
    pub(in crate::codec::tiff) fn new() -> Self {
        Self {
            table: super::table(1),
        }
    }

    /// Fills `out` with the first bytes of the stream and says whether it holds as many; otherwise
    /// what `out` holds means nothing.
    pub(in crate::codec::tiff) fn fill(&mut self, bytes: &[u8], out: &mut [u8]) -> bool {
        if out.len() > MOST_BYTES {
            return false;
        }
        let table = &mut *self.table;
        let mut bits = super::bits::Bits::default();
        let mut growth = Growth::START;
        let (mut at, mut done, mut last) = (0, 0, 0);
        while done < out.len() {
            let Some(code) = bits.code(growth.width, bytes, &mut at) else {
                return false;
            };
            if code == CLEAR {
                growth = Growth::START;
                continue;
            }
            if code == END || code > growth.next {
                return false;
            }
            // The string before and the byte that comes now.
            table[growth.next] = last + 1;
            let entry = table[code];
            let length = (entry & LENGTH_MASK) as usize;
            let from = (entry >> LENGTH_BITS) as usize;
            last = place(done) | (entry & LENGTH_MASK);
            if done + length + SLACK <= out.len() {
                copy(out, code, from, done, length);
                if code == growth.next {
                    out[done + length - 1] = out[from];
                }
                done += length;
            } else {
                done = copy_last(out, code, from, done, length);
            }
            growth.advance();
        }
        true
    }
}

/// A place as the upper bits of an entry.
#[inline]
fn place(at: usize) -> u32 {
    u32::try_from(at << LENGTH_BITS).unwrap_or(u32::MAX)
}

/// Copies a string in words, which may write [`SLACK`] bytes more; a literal's word is the code itself.
#[inline]
fn copy(out: &mut [u8], code: usize, from: usize, to: usize, length: usize) {
    let word = word(out, from);
    // Which it is cannot be foreseen.
    let word = std::hint::select_unpredictable(code < CLEAR, code as u64, word);
    set_word(out, to, word);
    let mut copied = 8;
    while copied < length {
        let word = self::word(out, from + copied);
        set_word(out, to + copied, word);
        copied += 8;
    }
}

#[inline]
fn word(bytes: &[u8], at: usize) -> u64 {
    let word = bytes[at..at + 8].first_chunk().expect("8 bytes");
    u64::from_le_bytes(*word)
}

#[inline]
fn set_word(bytes: &mut [u8], at: usize, word: u64) {
    bytes[at..at + 8].copy_from_slice(&word.to_le_bytes());
}

/// Copies what fits of a string near the end of `out`; the place behind it.
#[cold]
fn copy_last(out: &mut [u8], code: usize, from: usize, to: usize, length: usize) -> usize {
    if let Ok(byte) = u8::try_from(code) {
        out[to] = byte;
        return to + 1;
    }
    let end = out.len().min(to + length);
    for (from, to) in (from..).zip(to..end) {
        out[to] = out[from];
    }
    end
}
