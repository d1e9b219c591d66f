//! The sides of the pictures that a sequence parameter set stands for, before anything is reserved for them.
//!
//! Source: ITU-T H.265 (2021), 7.3.2.2.1, 7.3.3 and 7.3.1.1 for bytes against start codes.

use crate::error::{Error, Result};

/// The kind of unit that a sequence parameter set is.
const SEQUENCE_SET: u8 = 33;

/// Bits of a general profile and level; of a layer's profile, and of its level.
const GENERAL_BITS: u32 = 96;
const LAYER_PROFILE_BITS: u32 = 88;
const LAYER_LEVEL_BITS: u32 = 8;

/// Longest set that is looked at: dimensions stand near its beginning.
const MAX_BYTES: usize = 256;

/// Width and height that are coded, more than what is shown of them; `None` for other units.
pub(super) fn coded(unit: &[u8]) -> Result<Option<(u32, u32)>> {
    let Some((head, rest)) = unit.split_first_chunk::<2>() else {
        return Ok(None);
    };
    let [head, _] = *head;
    if head >> 1 & 0x3f != SEQUENCE_SET {
        return Ok(None);
    }
    let mut bits = Bits::new(rest);
    bits.skip(4)?;
    let layers = bits.number(3)?;
    bits.skip(1 + GENERAL_BITS)?;
    let mut said = Vec::new();
    for _ in 0..layers {
        said.push((bits.number(1)? == 1, bits.number(1)? == 1));
    }
    if layers > 0 {
        bits.skip(2 * (8 - layers))?;
    }
    for (profile, level) in said {
        bits.skip(if profile { LAYER_PROFILE_BITS } else { 0 })?;
        bits.skip(if level { LAYER_LEVEL_BITS } else { 0 })?;
    }
    bits.exponential()?;
    if bits.exponential()? == 3 {
        bits.skip(1)?;
    }
    Ok(Some((bits.exponential()?, bits.exponential()?)))
}

/// Bits of a unit, high ones first, without the bytes that keep start codes away.
struct Bits {
    bytes: Vec<u8>,
    at: usize,
}

impl Bits {
    fn new(unit: &[u8]) -> Self {
        let mut bytes = Vec::new();
        let mut zeroes = 0;
        for byte in unit.iter().take(MAX_BYTES) {
            if zeroes >= 2 && *byte == 3 {
                zeroes = 0;
                continue;
            }
            zeroes = if *byte == 0 { zeroes + 1 } else { 0 };
            bytes.push(*byte);
        }
        Self { bytes, at: 0 }
    }

    fn number(&mut self, count: u32) -> Result<u32> {
        let mut value = 0;
        for _ in 0..count {
            let cut = || Error::corrupt("its parameter set is cut");
            let byte = self.bytes.get(self.at / 8).ok_or_else(cut)?;
            value = value << 1 | u32::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Ok(value)
    }

    fn skip(&mut self, count: u32) -> Result<()> {
        for _ in 0..count {
            self.number(1)?;
        }
        Ok(())
    }

    /// A number with its length before it as zeroes.
    fn exponential(&mut self) -> Result<u32> {
        let mut zeroes = 0;
        while self.number(1)? == 0 {
            zeroes += 1;
            if zeroes > 31 {
                return Err(Error::corrupt(
                    "a number in its parameter set is beyond all sizes",
                ));
            }
        }
        Ok((1 << zeroes) - 1 + self.number(zeroes)?)
    }
}
