//! The reference library.

use crate::error::{Error, Result};

/// Effort: level 9 takes half as long again and saves little on tiles of photographs.
const LEVEL: i32 = 3;

/// Compresses `bytes`.
pub(in crate::codec::ptif) fn compress(bytes: &[u8]) -> Result<Vec<u8>> {
    zstd::bulk::compress(bytes, LEVEL)
        .map_err(|cause| Error::internal("compressing a tile").with_source(cause))
}
