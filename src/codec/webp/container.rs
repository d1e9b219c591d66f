//! A WebP file → the same picture in the extended form, with profile, EXIF and XMP.
//!
//! Source: RFC 9649, 2.7.

use super::super::Attached;
use crate::geometry::Dimensions;

/// Flags of the extended header.
const ICC: u8 = 1 << 5;
const ALPHA: u8 = 1 << 4;
const EXIF: u8 = 1 << 3;
const XMP: u8 = 1 << 2;

/// Chunks that hold the picture.
const PICTURE: [&[u8]; 3] = [b"ALPH", b"VP8 ", b"VP8L"];

/// Whether there is anything that only the extended form holds.
pub(super) const fn is_needed(attached: &Attached) -> bool {
    attached.icc.is_some() || attached.exif.is_some() || attached.xmp.is_some()
}

/// `file` with what is `attached`; `None` for what is no WebP.
pub(super) fn with(
    file: &[u8],
    (canvas, has_alpha): (Dimensions, bool),
    attached: &Attached,
) -> Option<Vec<u8>> {
    let mut chunks = file.get(12..)?;
    let mut body = b"WEBP".to_vec();
    let flag = |bit, there| if there { bit } else { 0 };
    let flags = flag(ICC, attached.icc.is_some())
        | flag(ALPHA, has_alpha)
        | flag(EXIF, attached.exif.is_some())
        | flag(XMP, attached.xmp.is_some());
    let mut header = vec![flags, 0, 0, 0];
    for side in [canvas.width, canvas.height] {
        header.extend(side.checked_sub(1)?.to_le_bytes().get(..3)?);
    }
    append(&mut body, *b"VP8X", &header)?;
    if let Some(icc) = &attached.icc {
        append(&mut body, *b"ICCP", icc)?;
    }
    while let Some((kind, rest)) = chunks.split_first_chunk::<4>() {
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        if PICTURE.contains(&kind.as_slice()) {
            append(&mut body, *kind, rest.get(..length)?)?;
        }
        chunks = rest.get(length.next_multiple_of(2)..).unwrap_or_default();
    }
    for (kind, content) in [(b"EXIF", &attached.exif), (b"XMP ", &attached.xmp)] {
        if let Some(content) = content {
            append(&mut body, *kind, content)?;
        }
    }
    let mut file = b"RIFF".to_vec();
    file.extend(u32::try_from(body.len()).ok()?.to_le_bytes());
    file.extend(body);
    Some(file)
}

/// Appends a chunk, padded to an even number of bytes.
fn append(body: &mut Vec<u8>, kind: [u8; 4], content: &[u8]) -> Option<()> {
    body.extend(kind);
    body.extend(u32::try_from(content.len()).ok()?.to_le_bytes());
    body.extend(content);
    if !content.len().is_multiple_of(2) {
        body.push(0);
    }
    Some(())
}
