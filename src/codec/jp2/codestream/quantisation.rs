//! The QCD and QCC segments → exponents and step sizes of every band.
//!
//! Source: ISO/IEC 15444-1 A.6.4, A.6.5 and E.1.

use crate::error::{Error, Result};

use super::super::bytes::Bytes;

/// Bits of a mantissa (Table A.30).
const MANTISSA_BITS: u8 = 11;

/// How one component is quantised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Quantisation {
    /// Guard bits, 0 to 7.
    guard: u8,
    /// Whether the steps of all bands follow from the first one (E-5).
    is_derived: bool,
    /// Exponent and mantissa in one word, by band from the smallest on (Table A.30).
    steps: Vec<u16>,
}

/// What quantisation says of one band.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Step {
    /// εb.
    pub(in super::super) exponent: u8,
    /// μb, of 2^11.
    pub(in super::super) mantissa: u16,
    /// Mb: magnitude bit-planes (E-2).
    pub(in super::super) planes: u8,
}

impl Quantisation {
    /// Parses `Sqcd` and `SPqcd` (or those of QCC).
    pub(super) fn parse(content: &mut Bytes<'_>) -> Result<Self> {
        let style = content.u8()?;
        let rest = content.rest();
        let steps: Vec<u16> = match style & 0x1F {
            0 => rest
                .iter()
                .map(|byte| u16::from(byte >> 3) << MANTISSA_BITS)
                .collect(),
            1 | 2 => {
                let (pairs, []) = rest.as_chunks::<2>() else {
                    return Err(wrong_length());
                };
                pairs.iter().map(|pair| u16::from_be_bytes(*pair)).collect()
            }
            _ => return Err(Error::corrupt("its quantisation is not known")),
        };
        if steps.is_empty() {
            return Err(wrong_length());
        }
        Ok(Self {
            guard: style >> 5,
            is_derived: style & 0x1F == 1,
            steps,
        })
    }

    /// Of the band with this place among a component's bands, which comes from `level` decompositions
    /// where the component has `decompositions` (E-5).
    pub(in super::super) fn step(
        &self,
        band: usize,
        level: u8,
        decompositions: u8,
    ) -> Result<Step> {
        let place = if self.is_derived { 0 } else { band };
        let word = self.steps.get(place).copied();
        let word = word.ok_or_else(|| Error::corrupt("its quantisation misses a band"))?;
        let mut exponent = i16::try_from(word >> MANTISSA_BITS).unwrap_or(0);
        if self.is_derived {
            exponent += i16::from(level) - i16::from(decompositions);
        }
        let exponent = u8::try_from(exponent).map_err(|cause| {
            Error::corrupt("its quantisation steps are too large").with_source(cause)
        })?;
        Ok(Step {
            exponent,
            mantissa: word & ((1 << MANTISSA_BITS) - 1),
            planes: (self.guard + exponent).saturating_sub(1),
        })
    }
}

fn wrong_length() -> Error {
    Error::corrupt("its quantisation has the wrong length")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_stored_three_ways() {
        let parse = |bytes: &[u8]| Quantisation::parse(&mut Bytes::new(bytes));
        let plain = parse(&[0x40, 0x48, 0x50]).expect("whole");
        let step = plain.step(1, 1, 1).expect("there");
        assert_eq!((step.exponent, step.mantissa, step.planes), (10, 0, 11));
        assert!(plain.step(2, 1, 1).is_err());
        let derived = parse(&[0x21, 0x68, 0x03]).expect("whole");
        let step = derived.step(5, 2, 5).expect("there");
        assert_eq!((step.exponent, step.mantissa, step.planes), (10, 3, 10));
        assert!(
            parse(&[0x21, 0x08, 0x03])
                .expect("whole")
                .step(5, 2, 5)
                .is_err()
        );
        let each = parse(&[0x42, 0x68, 0x03, 0x70, 0x05]).expect("whole");
        assert_eq!(each.step(1, 1, 1).expect("there").mantissa, 5);
        assert!(parse(&[0x42, 0x68]).is_err());
        assert!(parse(&[0x43, 0x68, 0]).is_err());
    }
}
