//! The reference library.

use crate::error::{Error, Result};

/// Effort. Measured on a page of 40 megapixels in tiles of 256²: level 1 takes two thirds of the time for 15 %
/// more bytes, level 9 three times as long for 6 % fewer.
const LEVEL: i32 = 3;

/// Compresses `bytes`.
pub(in crate::codec::ptif) fn compress(bytes: &[u8]) -> Result<Vec<u8>> {
    zstd::bulk::compress(bytes, LEVEL)
        .map_err(|cause| Error::internal("compressing a tile").with_source(cause))
}
