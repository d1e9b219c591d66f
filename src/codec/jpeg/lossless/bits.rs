//! Coded bytes → Huffman's codes and the differences that they stand for.
//!
//! Source: ITU-T T.81, F.2.2 and annexes C and H.

use crate::error::{Error, Result};

/// Longest code, in bits.
const LONGEST: usize = 16;

/// A table of codes.
#[derive(Debug, Clone)]
pub(super) struct Codes {
    /// For each length the first 16 bits that are beyond its codes.
    limits: [u32; LONGEST + 1],
    /// For each length its first code, and the place of that code's value.
    first: [(u32, usize); LONGEST + 1],
    values: Vec<u8>,
}

impl Codes {
    /// The table of a segment: how many codes each length has, then their values. Also its length.
    pub(super) fn parse(segment: &[u8]) -> Result<(Self, usize)> {
        let damaged = || Error::corrupt("a table of its codes is damaged");
        let counts = segment.get(..LONGEST).ok_or_else(damaged)?;
        let (mut limits, mut first) = ([0; LONGEST + 1], [(0, 0); LONGEST + 1]);
        let (mut code, mut place) = (0_u32, 0);
        for (count, length) in counts.iter().zip(1..=LONGEST) {
            first[length] = (code, place);
            code += u32::from(*count);
            place += usize::from(*count);
            if code > 1 << length {
                return Err(damaged());
            }
            limits[length] = code << (LONGEST - length);
            code <<= 1;
        }
        let values = segment.get(LONGEST..LONGEST + place).ok_or_else(damaged)?;
        let table = Self {
            limits,
            first,
            values: values.to_vec(),
        };
        Ok((table, LONGEST + place))
    }
}

/// The bits of a scan, up to its next marker.
#[derive(Debug)]
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    held: u64,
    count: u32,
    /// Of the bits that are held, those that stand for none.
    filling: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self {
            bytes,
            at,
            held: 0,
            count: 0,
            filling: 0,
        }
    }

    /// Holds at least 32 bits, the last of which may stand for none.
    fn fill(&mut self) {
        while self.count <= 56 {
            let byte = match self.bytes.get(self.at..) {
                Some([0xff, 0, ..]) => {
                    self.at += 2;
                    0xff
                }
                Some([byte, ..]) if *byte != 0xff => {
                    self.at += 1;
                    *byte
                }
                _ => {
                    self.filling += 8;
                    0
                }
            };
            self.held = self.held << 8 | u64::from(byte);
            self.count += 8;
        }
    }

    /// The next `length` bits, at most 16, which are held.
    fn peek(&self, length: u32) -> u32 {
        let bits = self.held >> (self.count - length) & ((1 << length) - 1);
        u32::try_from(bits).unwrap_or(0)
    }

    /// The next difference.
    pub(super) fn difference(&mut self, codes: &Codes) -> Result<i32> {
        if self.count < 32 {
            self.fill();
        }
        let next = self.peek(16);
        let length = (1..=LONGEST).find(|length| next < codes.limits[*length]);
        let length = length.ok_or_else(|| Error::corrupt("a code is in no table"))?;
        let (code, place) = codes.first[length];
        let offset = (next >> (LONGEST - length)) - code;
        let value = codes.values.get(place + offset as usize);
        self.count -= u32::try_from(length).unwrap_or(16);
        let size = u32::from(value.copied().unwrap_or(0));
        match size {
            0 => Ok(0),
            1..=15 => {
                let bits = self.peek(size).cast_signed();
                self.count -= size;
                // Those that begin with 0 are negative.
                let negative = bits < 1 << (size - 1);
                Ok(if negative {
                    bits - (1 << size) + 1
                } else {
                    bits
                })
            }
            16 => Ok(32768),
            _ => Err(Error::corrupt("a difference has more than 16 bits")),
        }
    }

    /// Refuses to have gone past the last bit.
    pub(super) fn check(&self) -> Result<()> {
        if self.count < self.filling {
            return Err(Error::corrupt("its coded data end before its pixels"));
        }
        Ok(())
    }

    /// Goes behind the next restart marker.
    pub(super) fn restart(&mut self) -> Result<()> {
        let Some([0xff, 0xd0..=0xd7, ..]) = self.bytes.get(self.end()..) else {
            return Err(Error::corrupt("a restart marker is not where it has to be"));
        };
        *self = Self::new(self.bytes, self.end() + 2);
        Ok(())
    }

    /// Where the next marker begins.
    pub(super) fn end(&self) -> usize {
        let left = self.bytes.get(self.at..).unwrap_or_default();
        let marker = left
            .windows(2)
            .position(|pair| pair[0] == 0xff && !matches!(pair[1], 0 | 0xff));
        self.at + marker.unwrap_or(left.len())
    }
}
