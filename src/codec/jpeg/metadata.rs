//! The application segments of a JPEG → the metadata that they hold.
//!
//! Source: JFIF 1.02; EXIF 2.32, 4.7.2; Adobe's XMP, part 3, 1.1.3 (extended packets are not read);
//! ICC.1:2022 B.4; Photoshop's resources in APP13, which hold IPTC records.

use crate::codec::DecodeLimits;
use crate::codec::metadata::{Blocks, of_jfif};
use crate::error::Result;
use crate::reader::RangeReader;

use super::header::{EXIF_PREFIX, IccPieces, XMP_PREFIX};
use super::markers::{Markers, SOS};

const PHOTOSHOP_PREFIX: &[u8] = b"Photoshop 3.0\0";

/// Reads the segments before the first scan.
///
/// # Errors
///
/// As those of opening the file.
pub(in crate::codec) fn metadata(
    reader: &dyn RangeReader,
    limits: &DecodeLimits,
) -> Result<Blocks> {
    let mut markers = Markers::new(reader, limits.max_metadata_bytes)?;
    let mut blocks = Blocks::default();
    let mut icc = IccPieces::default();
    loop {
        let (marker, length) = markers.next_segment()?;
        match marker {
            SOS => break,
            0xe0 => {
                let said = of_jfif(markers.payload(length)?);
                blocks.density = blocks.density.or(said);
            }
            0xe1 => application_1(markers.payload(length)?, &mut blocks),
            0xe2 => icc.take(markers.payload(length)?),
            0xed => {
                if let Some(part) = markers.payload(length)?.strip_prefix(PHOTOSHOP_PREFIX) {
                    blocks.photoshop.get_or_insert_default().extend(part);
                }
            }
            _ => {}
        }
        markers.skip(length);
    }
    blocks.icc = icc.into_profile();
    Ok(blocks)
}

fn application_1(payload: &[u8], blocks: &mut Blocks) {
    if payload.starts_with(EXIF_PREFIX) {
        blocks.exif.get_or_insert_with(|| payload.to_vec());
    } else if let Some(packet) = payload.strip_prefix(XMP_PREFIX) {
        blocks.xmp.get_or_insert_with(|| packet.to_vec());
    }
}
