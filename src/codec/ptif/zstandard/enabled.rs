//! The reference library.

use crate::error::{Error, Result};

/// Effort: on tiles of photographs more gains little and costs much.
const LEVEL: i32 = 9;

/// Compresses `bytes`.
pub(in crate::codec::ptif) fn compress(bytes: &[u8]) -> Result<Vec<u8>> {
    zstd::bulk::compress(bytes, LEVEL)
        .map_err(|cause| Error::internal("compressing a tile").with_source(cause))
}
