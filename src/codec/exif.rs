//! Metadata → the orientation that they ask for: EXIF's, and where EXIF says nothing XMP's.
//!
//! The only file that knows the EXIF library. Damaged metadata never fail an image: what cannot be
//! read counts as upright.

use super::xmp;
use crate::geometry::Orientation;

/// What an EXIF block is preceded by in JPEG and, by habit, elsewhere.
const PREFIX: &[u8] = b"Exif\0\0";

/// What has to be done to the stored pixels, as the orientation tag of the EXIF block says, else the
/// XMP packet.
pub(super) fn orientation(block: Option<&[u8]>, packet: Option<&[u8]>) -> Orientation {
    let said = block.and_then(stated);
    said.or_else(|| packet.and_then(xmp::orientation))
        .unwrap_or(Orientation::IDENTITY)
}

/// What the orientation tag of `block` says, if it has one: a TIFF structure, with or without the
/// prefix of JPEG's APP1 segment.
///
/// Source: EXIF 2.32 tag 0x0112 of the first image directory.
pub(super) fn stated(block: &[u8]) -> Option<Orientation> {
    let block = block.strip_prefix(PREFIX).unwrap_or(block);
    tag_of(block).map(Orientation::from_tag)
}

fn tag_of(block: &[u8]) -> Option<u16> {
    let parsed = exif::Reader::new().read_raw(block.to_vec()).ok()?;
    let field = parsed.get_field(exif::Tag::Orientation, exif::In::PRIMARY)?;
    u16::try_from(field.value.get_uint(0)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory of one tag: little- or big-endian, laid out by hand after TIFF 6.0.
    fn block(tag: u16, value: u16, big: bool) -> Vec<u8> {
        let two = |v: u16| {
            if big {
                v.to_be_bytes()
            } else {
                v.to_le_bytes()
            }
        };
        let four = |v: u32| {
            if big {
                v.to_be_bytes()
            } else {
                v.to_le_bytes()
            }
        };
        let mut bytes = if big { b"MM".to_vec() } else { b"II".to_vec() };
        bytes.extend(two(42));
        bytes.extend(four(8));
        bytes.extend(two(1));
        bytes.extend(two(tag));
        bytes.extend(two(3));
        bytes.extend(four(1));
        bytes.extend(two(value));
        bytes.extend([0; 6]);
        bytes
    }

    #[test]
    fn the_tag_is_read_in_both_byte_orders_with_and_without_prefix() {
        for big in [false, true] {
            for value in 1..=8 {
                let plain = block(0x0112, value, big);
                let prefixed = [PREFIX, &plain].concat();
                assert_eq!(stated(&plain), Some(Orientation::from_tag(value)));
                assert_eq!(stated(&prefixed), Some(Orientation::from_tag(value)));
            }
        }
    }

    #[test]
    fn blocks_without_a_usable_tag_are_upright() {
        let turned = block(0x0112, 6, true);
        let upright = |block: &[u8]| orientation(Some(block), None) == Orientation::IDENTITY;
        assert!(upright(&[]));
        assert!(upright(&block(0x0113, 6, true)));
        assert!(upright(&block(0x0112, 9, true)));
        for length in 0..turned.len() - 4 {
            assert!(upright(&turned[..length.min(18)]));
        }
    }

    #[test]
    fn a_packet_counts_where_the_block_says_nothing() {
        let packet = Some(br#"tiff:Orientation="3""#.as_slice());
        let tag = Orientation::from_tag;
        assert_eq!(orientation(None, packet), tag(3));
        assert_eq!(orientation(Some(&block(0x0113, 6, true)), packet), tag(3));
        assert_eq!(orientation(Some(&block(0x0112, 6, true)), packet), tag(6));
        assert_eq!(orientation(Some(&block(0x0112, 1, true)), packet), tag(1));
        assert_eq!(orientation(None, None), Orientation::IDENTITY);
    }
}
