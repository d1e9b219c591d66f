//! Whole pictures as answers: what is kept of a file, and which are left to a decoder.

use std::sync::Arc;

use super::passage::Parts;
use super::strip;
use crate::cancel::Cancel;
use crate::codec::{Attached, DecodeLimits, open};
use crate::encoding::WebpSettings;
use crate::geometry::{Dimensions, Window};
use crate::iiif::Format;
use crate::raster::{Channels, OneStrip, Raster, Samples};

fn fixture(name: &str) -> Vec<u8> {
    let path = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/webp");
    std::fs::read(path.join(name)).unwrap()
}

fn parts(file: &Vec<u8>) -> Option<Parts> {
    Parts::of(file).unwrap()
}

/// The chunks of a file: name and payload.
fn chunks(file: &[u8]) -> Vec<([u8; 4], Vec<u8>)> {
    let mut rest = &file[12..];
    let mut all = Vec::new();
    while let Some((name, after)) = rest.split_first_chunk::<4>() {
        let (length, after) = after.split_first_chunk::<4>().unwrap();
        let length = usize::try_from(u32::from_le_bytes(*length)).unwrap();
        all.push((*name, after[..length].to_vec()));
        rest = &after[length.next_multiple_of(2)..];
    }
    all
}

fn file(chunks: &[([u8; 4], Vec<u8>)]) -> Vec<u8> {
    let mut body = b"WEBP".to_vec();
    for (name, payload) in chunks {
        body.extend(name);
        body.extend(u32::try_from(payload.len()).unwrap().to_le_bytes());
        body.extend(payload);
        body.resize(body.len().next_multiple_of(2), 0);
    }
    let size = u32::try_from(body.len()).unwrap().to_le_bytes();
    [b"RIFF", &size[..], &body].concat()
}

#[test]
fn a_file_without_metadata_is_kept_whole() {
    for name in [
        "lossless_images_simple.webp",
        "lossy_images_simple-rgb.webp",
        "extended_images_lossy_alpha.webp",
        "webp-rgb.webp",
    ] {
        let whole = fixture(name);
        let found = parts(&whole).unwrap();
        let mut stripped = whole.clone();
        assert!(strip(&mut stripped, found.dimensions, found.alpha));
        let again = parts(&stripped).unwrap();
        assert_eq!(
            (again.dimensions, again.alpha),
            (found.dimensions, found.alpha)
        );
        assert!(stripped.len() <= whole.len(), "{name}");
    }
}

#[test]
fn metadata_stay_behind_and_the_picture_stays_as_it_is() {
    let whole = fixture("made-exif-profile.webp");
    let before = chunks(&whole);
    assert!(before.iter().any(|(name, _)| name == b"EXIF"));
    let found = parts(&whole).unwrap();
    let mut stripped = whole;
    assert!(strip(&mut stripped, found.dimensions, found.alpha));
    let after = chunks(&stripped);
    let is_picture = |name: &[u8; 4]| matches!(name, b"VP8 " | b"VP8L" | b"ALPH");
    assert!(
        after
            .iter()
            .all(|(name, _)| is_picture(name) || name == b"VP8X")
    );
    let picture = |all: &[([u8; 4], Vec<u8>)]| {
        let all = all.iter().filter(|(name, _)| is_picture(name));
        all.cloned().collect::<Vec<_>>()
    };
    assert_eq!(picture(&before), picture(&after));
}

#[test]
fn an_animation_is_no_answer() {
    assert_eq!(parts(&fixture("extended_images_anim.webp")), None);
}

#[test]
fn what_readers_may_take_differently_is_no_answer() {
    let good = chunks(&fixture("extended_images_lossy_alpha.webp"));
    assert_eq!(good[0].0, *b"VP8X");
    assert!(parts(&file(&good)).is_some());
    let mut denied = good.clone();
    denied[0].1[0] &= !0x10;
    let mut larger = good.clone();
    larger[0].1[4] += 1;
    let mut between = good.clone();
    let at = good.iter().position(|(name, _)| name == b"VP8 ").unwrap();
    between.insert(at, (*b"abcd", vec![1, 2]));
    let mut twice = good.clone();
    twice.push(good[at].clone());
    let mut moving = good.clone();
    moving[0].1[0] |= 2;
    let mut scaled = good.clone();
    scaled[at].1[7] |= 0x40;
    for bad in [
        denied,
        larger,
        between,
        twice,
        moving,
        scaled,
        good[..at].to_vec(),
    ] {
        assert_eq!(parts(&file(&bad)), None);
    }
    let whole = file(&good);
    for end in 0..whole.len() {
        assert_eq!(parts(&whole[..end].to_vec()), None, "cut at {end}");
    }
}

#[test]
fn other_dimensions_and_opacity_that_has_no_room_are_refused() {
    let whole = fixture("extended_images_lossy_alpha.webp");
    let found = parts(&whole).unwrap();
    assert!(!strip(&mut whole.clone(), found.dimensions, false));
    let other = Dimensions {
        width: found.dimensions.width + 1,
        ..found.dimensions
    };
    assert!(!strip(&mut whole.clone(), other, true));
    assert!(strip(&mut whole.clone(), found.dimensions, true));
}

/// A file of exact pixels, two in a row and two rows of them.
fn exact(channels: Channels, samples: &[u8], attached: &Attached) -> Vec<u8> {
    let dimensions = Dimensions::new(2, 2).unwrap();
    let raster = Raster::from_u8(dimensions, channels, samples.to_vec()).unwrap();
    let settings = WebpSettings {
        lossless: true,
        ..WebpSettings::default()
    };
    let (mut rows, mut file) = (OneStrip::from(raster), Vec::new());
    super::encode(&mut rows, settings, attached, &Cancel::new(), &mut file).unwrap();
    file
}

const COLOURS: [u8; 12] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
const WITH_OPACITY: [u8; 16] = [1, 2, 3, 99, 4, 5, 6, 98, 7, 8, 9, 97, 10, 11, 12, 96];

#[test]
fn a_tile_has_opacity_where_the_file_around_it_has() {
    let plain = exact(Channels::Rgb, &COLOURS, &Attached::default());
    let clear = exact(Channels::Rgba, &WITH_OPACITY, &Attached::default());
    let tile = |file: &[u8], channels| {
        let (expected, limits) = (Dimensions::new(2, 2).unwrap(), DecodeLimits::default());
        let raster = super::decode_tile(file, expected, channels, &limits).unwrap();
        assert_eq!(raster.format().channels, channels);
        match raster.into_samples() {
            Samples::U8(samples) => samples,
            Samples::U16(_) => panic!("16 bits"),
        }
    };
    assert_eq!(tile(&plain, Channels::Rgb), COLOURS);
    assert_eq!(tile(&clear, Channels::Rgba), WITH_OPACITY);
    assert_eq!(tile(&clear, Channels::Rgb), COLOURS);
    let full = COLOURS.as_chunks::<3>().0.iter();
    let full: Vec<u8> = full.flat_map(|[r, g, b]| [*r, *g, *b, 255]).collect();
    assert_eq!(tile(&plain, Channels::Rgba), full);
    let other = Dimensions::new(2, 1).unwrap();
    let limits = DecodeLimits::default();
    assert!(super::decode_tile(&plain, other, Channels::Rgb, &limits).is_err());
}

#[test]
fn a_file_is_its_own_answer_as_a_whole_in_its_format_and_without_a_profile() {
    let profile = include_bytes!("../../../fixtures/icc/p3.icc");
    let with = Attached {
        icc: Some(profile.to_vec()),
        ..Attached::default()
    };
    let all = Window {
        x: 0,
        y: 0,
        width: 2,
        height: 2,
    };
    let part = Window { height: 1, ..all };
    let passes = |attached: &Attached, window, format| {
        let file = exact(Channels::Rgb, &COLOURS, attached);
        let picture = open(Arc::new(file), 1, &DecodeLimits::default()).unwrap();
        picture.stored(0, window, format).is_some()
    };
    let plain = Attached::default();
    assert!(passes(&plain, all, Format::Webp));
    assert!(!passes(&plain, part, Format::Webp));
    assert!(!passes(&plain, all, Format::Png));
    assert!(!passes(&with, all, Format::Webp));
}
