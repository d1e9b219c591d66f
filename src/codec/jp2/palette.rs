//! The palette box → samples for each index and column.
//!
//! Source: ISO/IEC 15444-1 I.5.3.4.

use crate::error::{Error, Result};

use super::boxes::Precision;
use super::bytes::Bytes;

/// Most entries of a palette (I.5.3.4).
const MAX_PALETTE: u16 = 1024;

/// Entries × columns of samples (I.5.3.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Palette {
    pub(super) columns: Vec<Precision>,
    /// In row order, as stored (two's complement where signed).
    pub(super) values: Vec<i32>,
}

impl Palette {
    /// From the box's contents.
    pub(super) fn parse(mut content: Bytes<'_>) -> Result<Self> {
        let entries = content.u16()?;
        if !(1..=MAX_PALETTE).contains(&entries) {
            return Err(Error::corrupt("its palette has no entry or too many"));
        }
        let columns = content.u8()?;
        if !(1..=4).contains(&columns) {
            return Err(Error::unsupported("its palette has more than four columns"));
        }
        let columns = (0..columns)
            .map(|_| content.u8().map(Precision::from_byte))
            .collect::<Result<Vec<_>>>()?;
        if columns.iter().any(|column| column.bits > 16) {
            return Err(Error::unsupported("its palette has more than 16 bits"));
        }
        let mut values = Vec::with_capacity(usize::from(entries) * columns.len());
        for _ in 0..entries {
            for column in &columns {
                values.push(palette_value(&mut content, *column)?);
            }
        }
        Ok(Self { columns, values })
    }
}

fn palette_value(content: &mut Bytes<'_>, column: Precision) -> Result<i32> {
    let raw = if column.bits <= 8 {
        i32::from(content.u8()?)
    } else {
        i32::from(content.u16()?)
    };
    let unused = 32 - u32::from(column.bits);
    // Moves the sample's highest bit to the word's and back, with or without its sign.
    Ok(if column.signed {
        (raw << unused) >> unused
    } else {
        raw & ((1 << column.bits) - 1)
    })
}
