//! The sequence header of an AV1 stream → dimensions, depth and colours, before anything is decoded.
//!
//! Source: AV1 Bitstream & Decoding Process Specification, 5.3 to 5.5 and 6.4.

use crate::error::{Error, Result};

use super::planes::Chroma;
use super::property::Points;
use super::rgb::Site;

/// The kind of unit that a sequence header is.
const SEQUENCE_HEADER: u8 = 1;

/// What a sequence header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SequenceHeader {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) bits: u8,
    pub(super) chroma: Chroma,
    pub(super) points: Points,
    pub(super) site: Site,
}

impl SequenceHeader {
    /// The first sequence header among `units`; `None` where there is none.
    ///
    /// # Errors
    ///
    /// [`crate::error::ErrorKind::Corrupt`] where it is cut.
    pub(super) fn find(mut units: &[u8]) -> Result<Option<Self>> {
        while let Some((head, rest)) = units.split_first() {
            let (has_extension, has_size) = (head & 4 != 0, head & 2 != 0);
            let rest = if has_extension {
                rest.get(1..)
            } else {
                Some(rest)
            };
            let rest = rest.ok_or_else(cut)?;
            let (size, rest) = if has_size {
                size(rest).ok_or_else(cut)?
            } else {
                (rest.len(), rest)
            };
            let kind = head >> 3 & 15;
            let unit = rest.get(..size);
            if kind == SEQUENCE_HEADER {
                return Self::parse(&mut Bits::new(unit.ok_or_else(cut)?)).map(Some);
            }
            match rest.get(size..) {
                Some(rest) => units = rest,
                None => return Ok(None),
            }
        }
        Ok(None)
    }

    fn parse(bits: &mut Bits<'_>) -> Result<Self> {
        let profile = bits.number(3)?;
        bits.number(1)?;
        let reduced = bits.flag()?;
        if reduced {
            bits.number(5)?;
        } else {
            operating_points(bits)?;
        }
        let (width_bits, height_bits) = (bits.number(4)? + 1, bits.number(4)? + 1);
        let (width, height) = (bits.number(width_bits)? + 1, bits.number(height_bits)? + 1);
        if !reduced && bits.flag()? {
            bits.number(4)?;
            bits.number(3)?;
        }
        bits.number(3)?;
        if !reduced {
            tools(bits)?;
        }
        bits.number(3)?;
        let (depth, chroma, points, site) = colours(bits, profile)?;
        Ok(Self {
            width,
            height,
            bits: depth,
            chroma,
            points,
            site,
        })
    }
}

fn operating_points(bits: &mut Bits<'_>) -> Result<()> {
    let mut decoder_model = None;
    if bits.flag()? {
        bits.number(32)?;
        bits.number(32)?;
        if bits.flag()? {
            bits.variable()?;
        }
        if bits.flag()? {
            decoder_model = Some(bits.number(5)? + 1);
            bits.number(32)?;
            bits.number(10)?;
        }
    }
    let initial_delay = bits.flag()?;
    for _ in 0..=bits.number(5)? {
        bits.number(12)?;
        if bits.number(5)? > 7 {
            bits.number(1)?;
        }
        if let Some(length) = decoder_model
            && bits.flag()?
        {
            bits.number(length)?;
            bits.number(length)?;
            bits.number(1)?;
        }
        if initial_delay && bits.flag()? {
            bits.number(4)?;
        }
    }
    Ok(())
}

fn tools(bits: &mut Bits<'_>) -> Result<()> {
    bits.number(4)?;
    let order_hint = bits.flag()?;
    if order_hint {
        bits.number(2)?;
    }
    let screen_content = bits.flag()? || bits.flag()?;
    if screen_content && !bits.flag()? {
        bits.number(1)?;
    }
    if order_hint {
        bits.number(3)?;
    }
    Ok(())
}

fn colours(bits: &mut Bits<'_>, profile: u32) -> Result<(u8, Chroma, Points, Site)> {
    let high = bits.flag()?;
    let depth = match (profile, high) {
        (2, true) => {
            if bits.flag()? {
                12
            } else {
                10
            }
        }
        (_, true) => 10,
        (_, false) => 8,
    };
    let gray = profile != 1 && bits.flag()?;
    let mut points = Points {
        primaries: 2,
        curve: 2,
        matrix: 2,
        full: false,
    };
    if bits.flag()? {
        points.primaries = bits.byte()?;
        points.curve = bits.byte()?;
        points.matrix = bits.byte()?;
    }
    if gray {
        points.full = bits.flag()?;
        return Ok((depth, Chroma::None, points, Site::Centre));
    }
    if (points.primaries, points.curve, points.matrix) == (1, 13, 0) {
        points.full = true;
        return Ok((depth, Chroma::Full, points, Site::Centre));
    }
    points.full = bits.flag()?;
    let chroma = match (profile, depth) {
        (0, _) => Chroma::Quarter,
        (1, _) => Chroma::Full,
        (_, 12) if !bits.flag()? => Chroma::Full,
        (_, 12) if bits.flag()? => Chroma::Quarter,
        _ => Chroma::Half,
    };
    let site = if chroma == Chroma::Quarter {
        bits.number(2)?
    } else {
        0
    };
    let site = match site {
        1 => Site::Left,
        2 => Site::Corner,
        _ => Site::Centre,
    };
    Ok((depth, chroma, points, site))
}

/// A number of seven bits a byte, low ones first, and what follows it.
fn size(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0_u64;
    for (index, byte) in bytes.iter().enumerate().take(8) {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((usize::try_from(value).ok()?, bytes.get(index + 1..)?));
        }
    }
    None
}

/// Bits of a unit, high ones first.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Bits<'a> {
    const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    fn flag(&mut self) -> Result<bool> {
        let byte = self.bytes.get(self.at / 8).ok_or_else(cut)?;
        let bit = byte >> (7 - self.at % 8) & 1;
        self.at += 1;
        Ok(bit == 1)
    }

    /// A number of at most 32 bits.
    fn number(&mut self, count: u32) -> Result<u32> {
        let mut value = 0;
        for _ in 0..count {
            value = value << 1 | u32::from(self.flag()?);
        }
        Ok(value)
    }

    fn byte(&mut self) -> Result<u8> {
        self.number(8)
            .map(|value| u8::try_from(value).unwrap_or(u8::MAX))
    }

    /// A number with its length before it as zeroes.
    fn variable(&mut self) -> Result<()> {
        let mut zeroes = 0;
        while !self.flag()? {
            zeroes += 1;
        }
        if zeroes < 32 {
            self.number(zeroes)?;
        }
        Ok(())
    }
}

fn cut() -> Error {
    Error::corrupt("its sequence header is cut")
}
