//! What each format's decoder alone has to get right.

use std::sync::Arc;

use super::{decode, decode_all, fixture, picture, rgba};
use crate::codec::{DecodeLimits, open};
use crate::error::ErrorKind;
use crate::geometry::{Orientation, Window};
use crate::raster::{Channels, PixelFormat};

/// File, pixel format, stored bits and description.
const FACTS: &[(&str, PixelFormat, u8, &str)] = {
    use Channels::{Gray, GrayAlpha, Rgb, Rgba};
    const fn eight(channels: Channels) -> PixelFormat {
        PixelFormat::eight(channels)
    }
    &[
        ("png/made-gray-1.png", eight(Gray), 1, "PNG, 1 bit gray"),
        ("png/made-gray-2.png", eight(Gray), 2, "PNG, 2 bit gray"),
        ("png/made-gray-4.png", eight(Gray), 4, "PNG, 4 bit gray"),
        (
            "png/made-gray-alpha-8.png",
            eight(GrayAlpha),
            8,
            "PNG, 8 bit gray with alpha",
        ),
        (
            "png/made-gray-alpha-16.png",
            PixelFormat::sixteen(GrayAlpha),
            16,
            "PNG, 16 bit gray with alpha",
        ),
        (
            "png/16bpc_basi0g16.png",
            PixelFormat::sixteen(Gray),
            16,
            "PNG, 16 bit gray, interlaced",
        ),
        (
            "png/16bpc_basn2c16.png",
            PixelFormat::sixteen(Rgb),
            16,
            "PNG, 16 bit RGB",
        ),
        (
            "png/made-palette-2.png",
            eight(Rgb),
            2,
            "PNG, 2 bit palette",
        ),
        (
            "png/transparency_tbbn0g04.png",
            eight(GrayAlpha),
            4,
            "PNG, 4 bit gray",
        ),
        (
            "png/transparency_tbbn3p08.png",
            eight(Rgba),
            8,
            "PNG, 8 bit palette",
        ),
        (
            "png/transparency_tbrn2c08.png",
            eight(Rgba),
            8,
            "PNG, 8 bit RGB",
        ),
        (
            "png/interlaced_basi2c08.png",
            eight(Rgb),
            8,
            "PNG, 8 bit RGB, interlaced",
        ),
        (
            "png/apng_rgba16.png",
            PixelFormat::sixteen(Rgba),
            16,
            "PNG, 16 bit RGBA, animated",
        ),
        (
            "webp/lossy_images_simple-rgb.webp",
            eight(Rgb),
            8,
            "WebP, lossy",
        ),
        (
            "webp/made-rgba.webp",
            eight(Rgba),
            8,
            "WebP, lossless, with alpha",
        ),
        (
            "webp/extended_images_anim.webp",
            eight(Rgba),
            8,
            "WebP, lossy, with alpha, animated",
        ),
        (
            "gif/gif-rgb-64x56x8.gif",
            eight(Rgb),
            8,
            "GIF, 8 bit palette",
        ),
        (
            "gif/simple_alpha_gif_a.gif",
            eight(Rgba),
            8,
            "GIF, 8 bit palette",
        ),
        (
            "gif/anim_interlaced.gif",
            eight(Rgb),
            8,
            "GIF, 8 bit palette, interlaced",
        ),
        (
            "bmp/images_Info_1_Bit.bmp",
            eight(Rgb),
            8,
            "BMP, 1 bit a pixel",
        ),
        (
            "bmp/images_pal8os2sp.bmp",
            eight(Rgb),
            8,
            "BMP, 8 bit a pixel",
        ),
        (
            "bmp/images_pal8rle.bmp",
            eight(Rgb),
            8,
            "BMP, 8 bit a pixel, run lengths",
        ),
        (
            "bmp/images_V4_A8_R8_G8_B8.bmp",
            eight(Rgba),
            8,
            "BMP, 32 bit a pixel",
        ),
    ]
};

#[test]
fn facts_say_what_is_stored_and_what_will_flow() {
    for (name, pixel, bits, description) in FACTS {
        let picture = picture(fixture(name)).unwrap();
        let facts = picture.facts();
        assert_eq!(facts.pixel, *pixel, "{name}");
        assert_eq!(facts.bits, *bits, "{name}");
        assert_eq!(facts.description, *description, "{name}");
        assert_eq!(facts.pages, 1);
        assert_eq!(facts.pyramid.levels().len(), 1);
    }
}

#[test]
fn orientation_and_profile_are_found_in_png_and_webp() {
    for (name, tag) in [
        ("png/made-exif-profile.png", 6),
        ("webp/made-exif-profile.webp", 8),
    ] {
        let picture = picture(fixture(name)).unwrap();
        let facts = picture.facts();
        assert_eq!(facts.orientation, Orientation::from_tag(tag));
        assert_eq!(facts.colour, "Display P3");
        let dimensions = facts.pyramid.dimensions();
        assert_eq!(
            (dimensions.width, dimensions.height),
            (40, 30),
            "stored orientation"
        );
    }
}

/// The largest difference between our pixels of a file and those in the PNG beside it.
fn worst(name: &str) -> u8 {
    let expected = name.rsplit_once('.').unwrap().0.to_owned() + ".expected.png";
    let ours = rgba(&decode_all(fixture(name)).unwrap());
    let theirs = rgba(&decode_all(fixture(&expected)).unwrap());
    assert_eq!(ours.len(), theirs.len(), "{name}");
    let pairs = ours.chunks_exact(4).zip(theirs.chunks_exact(4));
    // What is fully transparent has no colour that could differ.
    pairs
        .filter(|(a, b)| a[3] != 0 || b[3] != 0)
        .flat_map(|(a, b)| a.iter().zip(b))
        .map(|(a, b)| a.abs_diff(*b))
        .max()
        .unwrap()
}

#[test]
fn an_embedded_profile_is_applied_as_littlecms_does() {
    for (name, tolerance) in [
        ("png/made-exif-profile.png", 2),
        ("webp/made-exif-profile.webp", 3),
        ("bmp/images_rgb24prof.bmp", 2),
    ] {
        assert!(worst(name) <= tolerance, "{name}: {}", worst(name));
    }
}

#[test]
fn an_embedded_profile_of_a_bmp_is_named() {
    let picture = picture(fixture("bmp/images_rgb24prof.bmp")).unwrap();
    assert_ne!(picture.facts().colour, "untagged");
    assert_ne!(picture.facts().colour, "untagged (unusable profile)");
}

#[test]
fn lossy_webp_pixels_are_those_of_libwebp() {
    for name in [
        "webp/lossy_images_simple-gray.webp",
        "webp/lossy_images_simple-rgb.webp",
        "webp/webp-rgb.webp",
        "webp/extended_images_lossy_alpha.webp",
    ] {
        assert_eq!(worst(name), 0, "{name}");
    }
    // The frame is laid over a clear canvas, where the two round differently.
    assert!(worst("webp/extended_images_anim.webp") <= 1);
}

/// Where a chunk's data start.
fn chunk(file: &[u8], name: &[u8]) -> usize {
    file.windows(4).position(|part| part == name).unwrap() + 4
}

#[test]
fn a_png_with_a_wrong_checksum_is_corrupt() {
    let whole = fixture("png/made-gray-alpha-8.png");
    decode_all(whole.clone()).unwrap();
    let data = chunk(&whole, b"IDAT");
    let length = u32::from_be_bytes(whole[data - 8..data - 4].try_into().unwrap()) as usize;
    // The chunk's CRC, then (with the chunk's CRC made right) the Adler-32 of all rows.
    let mut crc = whole.clone();
    crc[data + length] ^= 1;
    assert_eq!(decode_all(crc).unwrap_err().kind(), ErrorKind::Corrupt);
    let mut adler = whole.clone();
    adler[data + length - 1] ^= 1;
    let sum = crc32(&adler[data - 4..data + length]);
    adler[data + length..data + length + 4].copy_from_slice(&sum.to_be_bytes());
    assert_eq!(decode_all(adler).unwrap_err().kind(), ErrorKind::Corrupt);
}

#[test]
fn rows_below_the_window_of_a_png_are_not_touched() {
    let whole = fixture("png/png-rgb-64x56x8.png");
    let cut = picture(whole[..whole.len() * 6 / 10].to_vec()).unwrap();
    let upper = Window {
        x: 0,
        y: 2,
        width: 64,
        height: 3,
    };
    decode(cut.as_ref(), upper).unwrap();
    let lower = Window { y: 53, ..upper };
    let error = decode(cut.as_ref(), lower).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}

/// CRC-32 of ISO 3309, as PNG's annex D writes it.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |c, _| {
            if c & 1 == 1 {
                0xedb8_8320 ^ (c >> 1)
            } else {
                c >> 1
            }
        })
    })
}

#[test]
fn metadata_beyond_their_limit_are_not_read() {
    let with_limit = |name, max_metadata_bytes| {
        let limits = DecodeLimits {
            max_metadata_bytes,
            ..DecodeLimits::default()
        };
        open(Arc::new(fixture(name)), 1, &limits).map(|picture| picture.facts().colour.clone())
    };
    for name in ["webp/made-exif-profile.webp", "bmp/images_rgb24prof.bmp"] {
        assert_eq!(with_limit(name, 400).unwrap(), "untagged", "{name}");
    }
    // A PNG's profile is packed: what it will grow to is known late.
    for bytes in (0..=200).step_by(20) {
        match with_limit("png/made-exif-profile.png", bytes) {
            Ok(colour) => assert_eq!(colour, "untagged", "{bytes}"),
            Err(error) => assert_eq!(error.kind(), ErrorKind::TooLarge),
        }
    }
}

#[test]
fn gif_pixels_that_the_frame_leaves_free_are_clear() {
    // A 2 × 2 frame at (1, 1) of a 4 × 3 screen, made by hand after GIF89a: two colours, no
    // transparent one, four codes of 3 bits (clear, 0, 1, 1, 0, end).
    let file = [
        &b"GIF89a\x04\0\x03\0\x80\0\0"[..],
        b"\x0a\x14\x1e\xc8\xd2\xdc",
        b",\x01\0\x01\0\x02\0\x02\0\0",
        // Codes 4 0 1 1 0 5 with least significant bits first; the code length stays 3.
        b"\x02\x03\x44\x02\x05\0",
        b";",
    ]
    .concat();
    let raster = decode_all(file).unwrap();
    let (a, b, clear) = ([10, 20, 30, 255], [200, 210, 220, 255], [0; 4]);
    let wanted = [
        clear, clear, clear, clear, clear, a, b, clear, clear, b, a, clear,
    ];
    assert_eq!(rgba(&raster), wanted.concat());
}

#[test]
fn a_gif_is_turned_by_its_xmp() {
    let screen = b"GIF89a\x02\0\x01\0\x80\0\0\x0a\x14\x1e\xc8\xd2\xdc";
    let packet = b"<tiff:Orientation>6</tiff:Orientation>";
    let mut file = [&screen[..], b"!\xff\x0bXMP DataXMP", packet, b"\x01"].concat();
    // The trailer takes any reader of blocks of lengths to the end.
    file.extend((0..=0xff).rev());
    file.push(0);
    file.extend(b",\0\0\0\0\x02\0\x01\0\0\x02\x02\x44\x0a\0;");
    let picture = picture(file).unwrap();
    assert_eq!(picture.facts().orientation, Orientation::from_tag(6));
}

#[test]
fn a_gifs_screen_grows_to_hold_its_first_frame() {
    let picture = picture(fixture("gif/anim_oob.gif")).unwrap();
    let dimensions = picture.facts().pyramid.dimensions();
    assert_eq!((dimensions.width, dimensions.height), (40, 40));
}
