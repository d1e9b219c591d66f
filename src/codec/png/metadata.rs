//! The chunks of a PNG before its pixels → the metadata that they hold.
//!
//! Source: PNG, W3C Recommendation, third edition, iCCP and eXIf; Adobe's XMP, part 3, 1.1.5. IPTC records
//! are where `ImageMagick` and others have them.

use std::sync::Arc;

use png::{DecodeOptions, Decoder, Limits, PixelDimensions, Unit};

use super::super::metadata::Blocks;
use super::super::stream::stream;
use super::super::{DecodeLimits, Density};
use super::decode::failed;
use super::raw_profile::{self, IPTC_KEYWORD};
use crate::error::Result;
use crate::reader::RangeReader;

/// The keyword of the text that is an XMP packet.
pub(super) const XMP_KEYWORD: &str = "XML:com.adobe.xmp";

/// Pixels of a metre; `None` where the chunk says a ratio alone.
fn density(said: PixelDimensions) -> Option<Density> {
    match said.unit {
        Unit::Meter => Density::new(f64::from(said.xppu), f64::from(said.yppu)),
        Unit::Unspecified => None,
    }
}

/// Reads what stands before the pixels.
///
/// # Errors
///
/// As those of opening the file.
pub(in crate::codec) fn metadata(
    reader: &Arc<dyn RangeReader>,
    limits: &DecodeLimits,
) -> Result<Blocks> {
    let mut options = DecodeOptions::default();
    options.set_ignore_text_chunk(false);
    let mut decoder = Decoder::new_with_options(stream(reader), options);
    // The row that the library reserves at this point counts too.
    let bytes = limits.max_metadata_bytes + 8 * u64::from(limits.max_side_px);
    decoder.set_limits(Limits {
        bytes: usize::try_from(bytes).unwrap_or(usize::MAX),
    });
    let parsed = decoder.read_info().map_err(failed)?;
    let info = parsed.info();
    let most = usize::try_from(limits.max_metadata_bytes).unwrap_or(usize::MAX);
    let mut texts = info.utf8_text.iter();
    let packet = texts.find(|text| text.keyword == XMP_KEYWORD);
    let packet = packet.and_then(|text| {
        // A few bytes of it may stand for any number of them.
        let mut text = text.clone();
        text.decompress_text_with_limit(most).ok()?;
        text.get_text().ok()
    });
    let plain = info.uncompressed_latin1_text.iter();
    let plain = plain.filter(|text| text.keyword == IPTC_KEYWORD);
    let zipped = info.compressed_latin1_text.iter();
    let mut zipped = zipped.filter(|text| text.keyword == IPTC_KEYWORD);
    let text = plain.map(|text| text.text.clone()).next();
    let text = text.or_else(|| {
        let mut zipped = zipped.next()?.clone();
        zipped.decompress_text_with_limit(most).ok()?;
        zipped.get_text().ok()
    });
    let records = text.and_then(|text| raw_profile::read(&text));
    // Some write Photoshop's resources under that name.
    let (iptc, photoshop) = match records {
        Some(records) if records.starts_with(b"8BIM") => (None, Some(records)),
        records => (records, None),
    };
    Ok(Blocks {
        icc: info.icc_profile.as_deref().map(<[u8]>::to_vec),
        exif: info.exif_metadata.as_deref().map(<[u8]>::to_vec),
        xmp: packet.map(String::into_bytes),
        iptc,
        photoshop,
        density: info.pixel_dims.and_then(density),
    })
}
