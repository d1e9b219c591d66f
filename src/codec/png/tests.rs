//! What chunks say of colours, and which of them counts.

use std::sync::Arc;

use super::raw_profile::{IPTC_KEYWORD, written};
use crate::codec::metadata::Blocks;
use crate::codec::{DecodeLimits, Density, Picture, open};
use crate::iiif::Format;
use crate::reader::RangeReader;

/// A chunk with its checksum.
fn chunk(kind: [u8; 4], content: &[u8]) -> Vec<u8> {
    let covered = [&kind[..], content].concat();
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [
        &length[..],
        &covered,
        &crc32fast::hash(&covered).to_be_bytes(),
    ]
    .concat()
}

/// What a picture of one gray pixel says with these texts and chunks.
fn blocks(plain: Option<&[u8]>, zipped: Option<&[u8]>, chunks: &[Vec<u8>]) -> Blocks {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, 1, 1);
    encoder.set_color(png::ColorType::Grayscale);
    if let Some(bytes) = plain {
        let text = (IPTC_KEYWORD.to_owned(), written(bytes));
        encoder.add_text_chunk(text.0, text.1).unwrap();
    }
    if let Some(bytes) = zipped {
        let text = (IPTC_KEYWORD.to_owned(), written(bytes));
        encoder.add_ztxt_chunk(text.0, text.1).unwrap();
    }
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&[9]).unwrap();
    writer.finish().unwrap();
    file.splice(33..33, chunks.concat());
    let reader: Arc<dyn RangeReader> = Arc::new(file);
    super::metadata(&reader, &DecodeLimits::default()).unwrap()
}

#[test]
fn records_are_found_in_texts_of_both_kinds_and_resources_are_told_apart() {
    let (records, resources) = (
        b"\x1c\x02\x05\0\x01A".as_slice(),
        b"8BIM\x04\x04".as_slice(),
    );
    for (plain, zipped) in [(Some(records), None), (None, Some(records))] {
        let found = blocks(plain, zipped, &[]);
        assert_eq!(found.iptc.as_deref(), Some(records));
        assert_eq!(found.photoshop, None);
    }
    for (plain, zipped) in [(Some(resources), None), (None, Some(resources))] {
        let found = blocks(plain, zipped, &[]);
        assert_eq!(found.photoshop.as_deref(), Some(resources));
        assert_eq!(found.iptc, None);
    }
    assert!(blocks(None, None, &[]).iptc.is_none());
}

#[test]
fn a_ratio_of_sides_is_no_density() {
    let density = |unit: u8| {
        let sides = [11_811_u32, 5906].map(u32::to_be_bytes).concat();
        let chunk = chunk(*b"pHYs", &[&sides[..], &[unit]].concat());
        blocks(None, None, &[chunk]).density
    };
    assert_eq!(density(1), Density::new(11_811.0, 5906.0));
    assert_eq!(density(0), None);
    assert_eq!(blocks(None, None, &[]).density, None);
}

/// A picture of one pixel with these chunks between its header and the rest.
fn picture(colour: png::ColorType, profile: bool, chunks: &[Vec<u8>]) -> Arc<dyn Picture> {
    let mut info = png::Info::with_size(1, 1);
    if profile {
        let p3 = include_bytes!("../../../fixtures/icc/p3.icc");
        info.icc_profile = Some(p3.as_slice().into());
    }
    let mut file = Vec::new();
    let mut encoder = png::Encoder::with_info(&mut file, info).unwrap();
    encoder.set_color(colour);
    let mut writer = encoder.write_header().unwrap();
    writer
        .write_image_data(&[9; 3][..colour.samples()])
        .unwrap();
    writer.finish().unwrap();
    // The signature takes 8 bytes, the header 25.
    file.splice(33..33, chunks.concat());
    open(Arc::new(file), 1, &DecodeLimits::default()).unwrap()
}

fn colour(profile: bool, chunks: &[Vec<u8>]) -> String {
    let picture = picture(png::ColorType::Rgb, profile, chunks);
    picture.facts().colour.clone()
}

fn points(primaries: u8, curve: u8) -> Vec<u8> {
    chunk(*b"cICP", &[primaries, curve, 0, 1])
}

/// In 100000ths.
fn numbers(kind: [u8; 4], numbers: &[u32]) -> Vec<u8> {
    let content: Vec<u8> = numbers.iter().flat_map(|n| n.to_be_bytes()).collect();
    chunk(kind, &content)
}

/// White, red, green and blue of Display P3.
fn primaries() -> Vec<u8> {
    numbers(
        *b"cHRM",
        &[
            31_270, 32_900, 68_000, 32_000, 26_500, 69_000, 15_000, 6_000,
        ],
    )
}

fn gamma() -> Vec<u8> {
    numbers(*b"gAMA", &[45_455])
}

#[test]
fn code_points_stand_before_a_profile_and_a_profile_before_primaries() {
    let srgb = || chunk(*b"sRGB", &[0]);
    assert_eq!(colour(false, &[]), "untagged");
    assert_eq!(colour(true, &[]), "Display P3");
    assert_eq!(colour(true, &[points(12, 13)]), "RGB by code points");
    assert_eq!(colour(true, &[points(1, 13)]), "sRGB");
    assert_eq!(
        colour(false, &[primaries(), gamma()]),
        "RGB by its primaries"
    );
    assert_eq!(colour(true, &[primaries(), gamma()]), "Display P3");
    assert_eq!(colour(false, &[srgb(), primaries(), gamma()]), "untagged");
    // Light beyond white is not known here.
    assert_eq!(colour(true, &[points(9, 16)]), "Display P3");
    // Neither says enough by itself.
    assert_eq!(colour(false, &[gamma()]), "untagged");
    assert_eq!(colour(false, &[primaries()]), "untagged");
}

#[test]
fn gray_has_no_primaries() {
    for chunks in [vec![points(12, 13)], vec![primaries(), gamma()]] {
        let picture = picture(png::ColorType::Grayscale, false, &chunks);
        assert_eq!(picture.facts().colour, "untagged");
    }
}

#[test]
fn a_file_is_an_answer_where_its_colours_stay_what_they_are() {
    let passes = |profile, chunks: &[Vec<u8>]| {
        let picture = picture(png::ColorType::Rgb, profile, chunks);
        let whole = picture.facts().pyramid.dimensions().window();
        picture.stored(0, whole, Format::Png).is_some()
    };
    assert!(passes(false, &[]) && passes(false, &[points(1, 13)]));
    assert!(!passes(true, &[]));
    assert!(!passes(false, &[points(12, 13)]));
    assert!(!passes(false, &[primaries(), gamma()]));
}
