//! The POC segment → changes of the progression order.
//!
//! Source: ISO/IEC 15444-1 A.6.6 and B.12.2.

use crate::error::{Error, Result};

use super::super::bytes::Bytes;
use super::marker;
use super::style::Progression;

/// Most changes of one tile, whose headers may each add some.
const MAX_CHANGES: usize = 4096;

/// A part of a tile's packets, in an order of its own (Table A.32).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Change {
    pub(in super::super) progression: Progression,
    /// First resolution, and the one after the last.
    pub(in super::super) resolutions: (u8, u8),
    /// First component, and the one after the last.
    pub(in super::super) components: (u16, u16),
    /// The layer after the last; the first is the next of each precinct.
    pub(in super::super) layers: u16,
}

impl Change {
    /// Appends the changes of a segment's contents.
    pub(super) fn parse(content: &[u8], components: usize, changes: &mut Vec<Self>) -> Result<()> {
        let mut content = Bytes::new(content);
        while !content.is_empty() {
            let first_resolution = content.u8()?;
            let first_component = marker::number(&mut content, components)?;
            let layers = content.u16()?;
            let last_resolution = content.u8()?;
            let last_component = match marker::number(&mut content, components)? {
                // 0 stands for as many as there can be.
                0 => u16::MAX,
                some => some,
            };
            let change = Self {
                progression: Progression::parse(content.u8()?)?,
                resolutions: (first_resolution, last_resolution),
                components: (first_component, last_component),
                layers,
            };
            if changes.len() >= MAX_CHANGES {
                return Err(Error::unsupported("its progression changes too often"));
            }
            changes.push(change);
        }
        Ok(())
    }
}
