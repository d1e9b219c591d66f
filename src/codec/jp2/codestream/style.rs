//! The parameters of COD and COC segments → how a component is coded.
//!
//! Source: ISO/IEC 15444-1 A.6.1 and A.6.2; ISO/IEC 15444-15 for the high-throughput block coder.

use crate::error::{Error, Result};

use super::super::bytes::Bytes;

/// Most wavelet decompositions (Table A.15).
pub(super) const MAX_DECOMPOSITIONS: u8 = 32;

/// The bit of a code-block style that selects the high-throughput coder (ISO/IEC 15444-15).
const HIGH_THROUGHPUT: u8 = 1 << 6;

/// The bit beside it: both coders in one tile-component (ISO/IEC 15444-15).
const MIXED: u8 = 1 << 7;

/// In which order packets follow each other (Table A.16).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Progression {
    Lrcp,
    Rlcp,
    Rpcl,
    Pcrl,
    Cprl,
}

impl Progression {
    pub(super) fn parse(byte: u8) -> Result<Self> {
        Ok(match byte {
            0 => Self::Lrcp,
            1 => Self::Rlcp,
            2 => Self::Rpcl,
            3 => Self::Pcrl,
            4 => Self::Cprl,
            _ => return Err(Error::corrupt("its progression order is not known")),
        })
    }

    pub(in super::super) const fn name(self) -> &'static str {
        match self {
            Self::Lrcp => "LRCP",
            Self::Rlcp => "RLCP",
            Self::Rpcl => "RPCL",
            Self::Pcrl => "PCRL",
            Self::Cprl => "CPRL",
        }
    }
}

/// How one component is coded: the SP parameters (Table A.15).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Style {
    /// 0 to 32.
    pub(in super::super) decompositions: u8,
    /// Exponents of a code-block's sides, 2 to 10 each, 12 together.
    pub(in super::super) block: (u8, u8),
    /// The code-block style (Table A.19).
    pub(in super::super) flags: u8,
    /// 5/3 integers, or 9/7 numbers.
    pub(in super::super) reversible: bool,
    /// Exponents of the precincts' sides by resolution; without any they are 15.
    precincts: Vec<(u8, u8)>,
}

impl Style {
    /// What stands for a style where none is.
    pub(super) const PLAIN: Self = Self {
        decompositions: 0,
        block: (6, 6),
        flags: 0,
        reversible: true,
        precincts: Vec::new(),
    };

    pub(super) fn parse(content: &mut Bytes<'_>, has_precincts: bool) -> Result<Self> {
        let decompositions = content.u8()?;
        if decompositions > MAX_DECOMPOSITIONS {
            return Err(Error::corrupt("it has more than 32 decompositions"));
        }
        let block = (content.u8()?, content.u8()?);
        // Each exponent is stored less 2; together they may not pass 12 (Table A.18).
        if block.0 > 8 || block.1 > 8 || block.0 + block.1 > 8 {
            return Err(Error::corrupt("its code-blocks are too large"));
        }
        let flags = content.u8()?;
        if flags & MIXED != 0 {
            return Err(Error::unsupported("it mixes two coders of blocks"));
        }
        let reversible = match content.u8()? {
            0 => false,
            1 => true,
            _ => return Err(Error::corrupt("its wavelet is not known")),
        };
        let precincts = if has_precincts {
            precincts(content, decompositions)?
        } else {
            Vec::new()
        };
        if !content.is_empty() {
            return Err(Error::corrupt("its coding style has the wrong length"));
        }
        Ok(Self {
            decompositions,
            block: (block.0 + 2, block.1 + 2),
            flags,
            reversible,
            precincts,
        })
    }

    /// Exponents of the sides of a precinct at `resolution`, 0 being the smallest.
    pub(in super::super) fn precinct(&self, resolution: u8) -> (u8, u8) {
        self.precincts
            .get(usize::from(resolution))
            .copied()
            .unwrap_or((15, 15))
    }

    /// Whether blocks are coded by ISO/IEC 15444-15.
    pub(in super::super) const fn is_high_throughput(&self) -> bool {
        self.flags & HIGH_THROUGHPUT != 0
    }
}

/// One byte for each resolution; side 1 is for the smallest alone (Table A.21).
fn precincts(content: &mut Bytes<'_>, decompositions: u8) -> Result<Vec<(u8, u8)>> {
    (0..=decompositions)
        .map(|resolution| {
            let byte = content.u8()?;
            let sides = (byte & 0x0F, byte >> 4);
            if resolution > 0 && (sides.0 == 0 || sides.1 == 0) {
                return Err(Error::corrupt("its precincts are too small"));
            }
            Ok(sides)
        })
        .collect()
}
