//! No library: [`super::AVAILABLE`] says so before a tile comes here.

use crate::error::{Error, Result};

/// Compresses nothing.
pub(in crate::codec::ptif) fn compress(_: &[u8]) -> Result<Vec<u8>> {
    Err(Error::internal("compressing a tile without Zstandard"))
}
