//! The boxes of a JP2 → the metadata that they hold.
//!
//! Source: ISO/IEC 15444-1 I.7.2 for the UUID box; Adobe's XMP, part 3, 1.1.4; the identifiers of EXIF
//! and IPTC by convention.

use crate::codec::DecodeLimits;
use crate::codec::metadata::Blocks;
use crate::error::Result;
use crate::reader::RangeReader;

use super::boxes::{Container, EXIF, SIGNATURE, Walk, XMP};

/// The identifier of a box that holds IPTC records.
const IPTC: &[u8] = b"\x33\xc7\xa4\xd2\xb8\x1d\x47\x23\xa0\xba\xf1\xa3\xe0\x97\xad\x38";
/// Bytes of an identifier.
const ID_BYTES: u64 = 16;

/// Reads profile, EXIF, XMP and IPTC; a bare code stream has none.
///
/// # Errors
///
/// As those of opening the file.
pub(in crate::codec) fn metadata(
    reader: &dyn RangeReader,
    limits: &DecodeLimits,
) -> Result<Blocks> {
    let mut blocks = Blocks::default();
    let head = reader.read_vec(0, reader.length().min(SIGNATURE.len() as u64))?;
    if head != SIGNATURE {
        return Ok(blocks);
    }
    let container = Container::read(reader, limits)?;
    blocks.icc = container.colour.profile().map(<[u8]>::to_vec);
    let mut walk = Walk::new(reader, limits.damaged);
    while let Some((kind, extent)) = walk.next_box()? {
        let length = extent.length.saturating_sub(ID_BYTES);
        if kind != *b"uuid" || length == 0 || length > limits.max_metadata_bytes {
            continue;
        }
        let id = reader.read_vec(extent.offset, ID_BYTES)?;
        let content = match id.as_slice() {
            XMP => &mut blocks.xmp,
            IPTC => &mut blocks.iptc,
            EXIF => &mut blocks.exif,
            _ => continue,
        };
        *content = Some(reader.read_vec(extent.offset + ID_BYTES, length)?);
    }
    Ok(blocks)
}
