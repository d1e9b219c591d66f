//! The dimensions of a picture from the first bytes of its file, as a viewer would find them.
//!
//! JPEG, PNG, WebP and GIF. Nothing is decoded; bytes that are none of these have no dimensions.

use crate::geometry::Dimensions;

/// Bytes of an answer in which its dimensions stand, profiles and comments before them included.
pub(super) const ENOUGH_BYTES: usize = 1 << 17;

/// Width and height of the picture that begins with `head`.
pub(super) fn dimensions(head: &[u8]) -> Option<Dimensions> {
    if head.starts_with(&[0xFF, 0xD8]) {
        jpeg(head)
    } else if head.starts_with(b"\x89PNG\r\n\x1a\n") {
        Dimensions::new(big(head, 16, 4)?, big(head, 20, 4)?)
    } else if head.starts_with(b"RIFF") && head.get(8..12)? == b"WEBP" {
        webp(head)
    } else if head.starts_with(b"GIF8") {
        Dimensions::new(little(head, 6, 2)?, little(head, 8, 2)?)
    } else {
        None
    }
}

/// The frame header's dimensions. Source: ITU-T T.81, B.2.2.
fn jpeg(head: &[u8]) -> Option<Dimensions> {
    let mut at = 2;
    loop {
        let (mark, kind) = (*head.get(at)?, *head.get(at + 1)?);
        if mark != 0xFF {
            return None;
        }
        match kind {
            // Fill bytes, and marks without a length.
            0xFF => at += 1,
            0x01 | 0xD0..=0xD8 => at += 2,
            0xC4 | 0xC8 | 0xCC => at += 2 + usize::try_from(big(head, at + 2, 2)?).ok()?,
            0xC0..=0xCF => return Dimensions::new(big(head, at + 7, 2)?, big(head, at + 5, 2)?),
            _ => at += 2 + usize::try_from(big(head, at + 2, 2)?).ok()?,
        }
    }
}

/// The dimensions of a lossy, lossless or extended file. Source: RFC 9649 and RFC 6386 section 9.1.
fn webp(head: &[u8]) -> Option<Dimensions> {
    match head.get(12..16)? {
        b"VP8 " => Dimensions::new(little(head, 26, 2)? & 0x3FFF, little(head, 28, 2)? & 0x3FFF),
        b"VP8L" => {
            let bits = little(head, 21, 4)?;
            Dimensions::new((bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1)
        }
        b"VP8X" => Dimensions::new(little(head, 24, 3)? + 1, little(head, 27, 3)? + 1),
        _ => None,
    }
}

fn big(bytes: &[u8], at: usize, length: usize) -> Option<u32> {
    let bytes = bytes.get(at..at + length)?;
    Some(
        bytes
            .iter()
            .fold(0, |sum, byte| sum << 8 | u32::from(*byte)),
    )
}

fn little(bytes: &[u8], at: usize, length: usize) -> Option<u32> {
    let bytes = bytes.get(at..at + length)?;
    Some(
        bytes
            .iter()
            .rev()
            .fold(0, |sum, byte| sum << 8 | u32::from(*byte)),
    )
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn dimensions_stand_in_the_first_bytes() {
        let images = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/images");
        for (name, width, height) in [
            ("cat-progressive.jpg", 320, 240),
            ("iiif-test-image.png", 1000, 1000),
            ("orange-lossless.webp", 300, 300),
            ("label-printer.webp", 265, 199),
            ("bricks.gif", 64, 56),
        ] {
            let bytes = fs::read(images.join(name)).expect("the fixture is there");
            let head = bytes.get(..ENOUGH_BYTES).unwrap_or(&bytes);
            assert_eq!(dimensions(head), Dimensions::new(width, height), "{name}");
            assert_eq!(
                dimensions(bytes.get(..7).expect("a head")),
                None,
                "{name}, cut"
            );
        }
    }

    #[test]
    fn other_bytes_have_no_dimensions() {
        for bytes in [
            &b""[..],
            b"{}",
            b"<html>",
            b"\xFF\xD8\x00\x00",
            b"\xFF\xD8\xFF\xE0\x00\x00",
        ] {
            assert_eq!(dimensions(bytes), None, "{bytes:?}");
        }
    }
}
