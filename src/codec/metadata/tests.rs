//! What is found in each format, and that damage costs metadata, never the image.

use std::sync::Arc;

use super::{Field, Metadata, metadata};
use crate::codec::DecodeLimits;
use crate::error::Result;
use crate::reader::RangeReader;

const XMP: u16 = 700;
const PHOTOSHOP: u16 = 34377;
const PROFILE: u16 = 34675;

fn read(bytes: Vec<u8>) -> Result<Metadata> {
    let reader: Arc<dyn RangeReader> = Arc::new(bytes);
    metadata(&reader, 1, &DecodeLimits::default())
}

fn bytes(name: &str) -> Vec<u8> {
    let path = format!("{}/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|cause| panic!("{path}: {cause}"))
}

fn fixture(name: &str) -> Metadata {
    read(bytes(name)).unwrap_or_else(|error| panic!("{name}: {error:?}"))
}

/// A JPEG of nothing but an application segment and the start of a scan.
fn jpeg(marker: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len() + 2).unwrap().to_be_bytes();
    let mut file = b"\xff\xd8\xff".to_vec();
    file.push(marker);
    file.extend(length);
    file.extend(payload);
    file.extend(b"\xff\xda\0\x03\0");
    file
}

/// An EXIF block of either order: a maker, and a directory of exposure with one fraction.
fn exif(big: bool) -> Vec<u8> {
    let two = |value: u16| {
        if big {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    };
    let four = |value: u32| {
        if big {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    };
    let mut block = if big { b"MM".to_vec() } else { b"II".to_vec() };
    block.extend(two(42));
    block.extend(four(8));
    block.extend(two(2));
    for (tag, kind, count, value) in [(271, 2, 3, None), (34665, 4, 1, Some(38))] {
        block.extend(two(tag));
        block.extend(two(kind));
        block.extend(four(count));
        block.extend(value.map_or(*b"ab\0\0", four));
    }
    block.extend(four(0));
    block.extend(two(1));
    block.extend(two(33434));
    block.extend(two(5));
    block.extend(four(1));
    block.extend(four(56));
    block.extend(four(0));
    block.extend(four(1));
    block.extend(four(250));
    block
}

#[test]
fn profiles_are_those_of_the_file() {
    let length = |name: &str| fixture(name).field(PROFILE).map(|field| field.bytes.len());
    assert_eq!(length("tiff/profile.tif"), Some(488));
    assert!(length("png/made-exif-profile.png").is_some());
    assert_eq!(
        length("png/made-exif-profile.png"),
        length("webp/made-exif-profile.webp")
    );
    assert!(length("bmp/images_rgb24prof.bmp").is_some());
    assert_eq!(length("tiff/gray16.tif"), None);
}

#[test]
fn a_photograph_keeps_xmp_exif_and_photoshops_resources() {
    let photograph = fixture("jpeg/orientation-270.jpg");
    let packet = photograph.field(XMP).expect("the fixture has a packet");
    assert!(packet.bytes.windows(9).any(|part| part == b"<x:xmpmet"));
    assert!(photograph.field(PHOTOSHOP).is_some());
    assert!(!photograph.exif.is_empty());
    // How its pixels were stored is not carried: orientation is the new file's own tag.
    for tag in [256, 257, 259, 274, 513] {
        assert_eq!(photograph.field(tag), None);
    }
}

#[test]
fn exif_of_either_order_is_little_endian_afterwards() {
    for big in [false, true] {
        let block = [&b"Exif\0\0"[..], &exif(big)].concat();
        let found = read(jpeg(0xe1, &block)).unwrap();
        assert_eq!(found.picture, [Field::text(271, "ab")], "{big}");
        assert_eq!(found.exif, [Field::rationals(33434, &[(1, 250)])], "{big}");
    }
}

#[test]
fn damaged_exif_is_left_out_as_far_as_it_is_damaged() {
    let whole = [&b"Exif\0\0"[..], &exif(true)].concat();
    for length in 0..whole.len() {
        let found = read(jpeg(0xe1, &whole[..length])).unwrap();
        assert!(found.exif.is_empty(), "{length}");
    }
    // A directory that points to itself is read once.
    let mut circle = exif(false);
    circle[30..34].copy_from_slice(&8_u32.to_le_bytes());
    let found = read(jpeg(0xe1, &[&b"Exif\0\0"[..], &circle].concat())).unwrap();
    assert_eq!(found.picture.len(), 1);
}

#[test]
fn a_field_that_claims_more_than_the_limit_is_left_out() {
    let mut block = exif(false);
    // The maker's name: its count, then where it would stand.
    block[14..18].copy_from_slice(&0x7fff_ffff_u32.to_le_bytes());
    let found = read(jpeg(0xe1, &[&b"Exif\0\0"[..], &block].concat())).unwrap();
    assert_eq!(found.picture, []);
    assert_eq!(found.exif.len(), 1);
}

#[test]
fn no_truncation_of_a_file_with_metadata_stops_more_than_its_reading() {
    for name in [
        "jpeg/orientation-270.jpg",
        "png/made-exif-profile.png",
        "webp/made-exif-profile.webp",
        "tiff/profile.tif",
        "gif/anim_interlaced.gif",
    ] {
        let whole = bytes(name);
        for length in (0..whole.len()).step_by(whole.len() / 200 + 1) {
            // Whatever the result is, it is one.
            let _ = read(whole[..length].to_vec());
        }
    }
}

#[test]
fn a_profile_of_inks_does_not_stay_with_pixels_of_other_colours() {
    use crate::raster::Channels;
    let with = |space: &[u8]| {
        let mut profile = vec![0; 128];
        profile[16..20].copy_from_slice(space);
        Metadata {
            picture: vec![Field::opaque(PROFILE, 7, profile)],
            ..Metadata::default()
        }
    };
    let stays = |space: &[u8], channels| with(space).fitted(channels).field(PROFILE).is_some();
    assert!(stays(b"RGB ", Channels::Rgba) && stays(b"GRAY", Channels::Gray));
    assert!(!stays(b"CMYK", Channels::Rgb) && !stays(b"Lab ", Channels::Rgb));
    assert!(!stays(b"RGB ", Channels::GrayAlpha));
}
