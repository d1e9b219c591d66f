//! libdeflate: the whole stream at once.

use libdeflater::{CompressionLvl, Compressor};

use crate::error::{Error, Result};

/// Compresses `bytes`.
pub(in crate::codec::ptif) fn zlib(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut compressor = Compressor::new(CompressionLvl::default());
    let mut stream = vec![0; compressor.zlib_compress_bound(bytes.len())];
    let length = compressor
        .zlib_compress(bytes, &mut stream)
        .map_err(|cause| Error::internal("deflating a tile").with_source(cause.to_string()))?;
    stream.truncate(length);
    Ok(stream)
}
