//! The chunks of a WebP → the metadata that they hold.
//!
//! Source: RFC 9649, 2.7.1.

use std::sync::Arc;

use image_webp::WebPDecoder;

use super::super::DecodeLimits;
use super::super::metadata::Blocks;
use super::super::stream::stream;
use super::decode::{failed, readable};
use crate::error::Result;
use crate::reader::RangeReader;

/// Reads profile, EXIF and XMP.
///
/// # Errors
///
/// As those of opening the file.
pub(in crate::codec) fn metadata(
    reader: &Arc<dyn RangeReader>,
    limits: &DecodeLimits,
) -> Result<Blocks> {
    let mut decoder = WebPDecoder::new(stream(reader)).map_err(failed)?;
    decoder.set_memory_limit(usize::try_from(limits.max_metadata_bytes).unwrap_or(usize::MAX));
    Ok(Blocks {
        icc: readable(decoder.icc_profile())?,
        exif: readable(decoder.exif_metadata())?,
        xmp: readable(decoder.xmp_metadata())?,
        ..Blocks::default()
    })
}
