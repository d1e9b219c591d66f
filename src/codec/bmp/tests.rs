//! Files made by hand after the documents that say what a BMP is.

use std::sync::Arc;

use crate::codec::tests::{decode_all, fixture};
use crate::codec::{DecodeLimits, Density};
use crate::error::{ErrorKind, Result};
use crate::raster::{Channels, Raster, Samples};

/// A BMP of these header fields behind the file header, and what follows.
fn file(header: &[u8], rest: &[u8]) -> Vec<u8> {
    let length = u32::try_from(header.len() + 4).unwrap();
    let start = 14 + length;
    [
        b"BM\0\0\0\0\0\0\0\0",
        start.to_le_bytes().as_slice(),
        &length.to_le_bytes(),
        header,
        rest,
    ]
    .concat()
}

/// A header of OS/2's second kind, 64 bytes long.
fn os2(width: u32, height: u32, bits: u16, compression: u32) -> Vec<u8> {
    let mut header = [
        width.to_le_bytes().as_slice(),
        &height.to_le_bytes(),
        &1_u16.to_le_bytes(),
        &bits.to_le_bytes(),
        &compression.to_le_bytes(),
    ]
    .concat();
    header.resize(60, 0);
    header
}

/// A header of Windows' first kind, 40 bytes long, with pixels of a metre.
fn windows(width: u32, height: u32, bits: u16, compression: u32, density: [i32; 2]) -> Vec<u8> {
    let [across, down] = density.map(i32::to_le_bytes);
    let mut header = os2(width, height, bits, compression);
    header.truncate(36);
    header[20..24].copy_from_slice(&across);
    header[24..28].copy_from_slice(&down);
    header
}

/// A file with something between its header and its pixels.
fn apart(header: &[u8], between: &[u8], rest: &[u8]) -> Vec<u8> {
    let mut bytes = file(header, &[between, rest].concat());
    bytes[10] += u8::try_from(between.len()).unwrap();
    bytes
}

fn pixels(raster: &Raster) -> &[u8] {
    assert_eq!(raster.format().channels, Channels::Rgb);
    match raster.samples() {
        Samples::U8(all) => all,
        Samples::U16(_) => panic!("16 bits"),
    }
}

fn decoded(file: Vec<u8>) -> Result<Vec<u8>> {
    decode_all(file).map(|raster| pixels(&raster).to_vec())
}

#[test]
fn runs_of_24_bits_are_those_of_os2() {
    // Two equal pixels and one as it is below; above, a step over one pixel.
    let codes = [
        &[2, 1, 2, 3, 0, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0][..],
        &[0, 0, 0, 2, 1, 0, 1, 30, 20, 10, 0, 1],
    ]
    .concat();
    let row = [3, 2, 1, 3, 2, 1, 6, 5, 4, 9, 8, 7, 12, 11, 10];
    let above = [0, 0, 0, 10, 20, 30, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let found = decoded(file(&os2(5, 2, 24, 4), &codes)).unwrap();
    assert_eq!(found, [above, row].concat());
}

#[test]
fn a_run_ends_with_its_row_and_codes_below_the_last_row_are_damage() {
    let header = os2(2, 1, 24, 4);
    let found = decoded(file(&header, &[9, 1, 2, 3, 0, 1])).unwrap();
    assert_eq!(found, [3, 2, 1, 3, 2, 1]);
    let beyond = decoded(file(&header, &[0, 0, 1, 1, 2, 3, 0, 1]));
    assert_eq!(beyond.unwrap_err().kind(), ErrorKind::Corrupt);
}

#[test]
fn codes_that_end_before_the_last_pixel_are_damage() {
    let header = os2(2, 2, 24, 4);
    let early = decoded(file(&header, &[2, 1, 2, 3, 0, 0, 1, 1, 2, 3]));
    assert_eq!(early.unwrap_err().kind(), ErrorKind::Corrupt);
    // The last pixel is there, only the code for the end is not.
    let whole = decoded(file(&header, &[2, 1, 2, 3, 0, 0, 2, 1, 2, 3]));
    assert_eq!(whole.unwrap().len(), 12);
    // The end may be said at any time: what follows is the ground.
    let said = decoded(file(&header, &[1, 1, 2, 3, 0, 1]));
    assert_eq!(said.unwrap(), [0, 0, 0, 0, 0, 0, 3, 2, 1, 0, 0, 0]);
}

#[test]
fn what_runs_step_over_has_the_palettes_first_colour() {
    let mut header = os2(3, 1, 8, 1);
    header.truncate(36);
    let palette = [3, 2, 1, 0, 6, 5, 4, 0];
    let mut bytes = file(&header, &[&palette[..], &[0, 2, 1, 0, 1, 1, 0, 1]].concat());
    bytes[10] += 8;
    assert_eq!(decoded(bytes).unwrap(), [1, 2, 3, 4, 5, 6, 1, 2, 3]);
}

#[test]
fn a_short_header_of_os2_has_defaults() {
    // 16 bytes: dimensions, planes, bits.
    let header = [2, 0, 0, 0, 1, 0, 0, 0, 1, 0, 24, 0];
    let found = decoded(file(&header, &[3, 2, 1, 6, 5, 4, 0, 0])).unwrap();
    assert_eq!(found, [1, 2, 3, 4, 5, 6]);
}

#[test]
fn what_is_not_read_says_why() {
    for (header, words) in [
        (os2(8, 1, 1, 3), "Huffman"),
        (os2(8, 1, 64, 0), "64 bits a pixel"),
        (os2(8, 1, 8, 2), "8 bits a pixel and compression 2"),
    ] {
        let error = decoded(file(&header, &[0; 64])).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotImplemented);
        assert!(error.chain().contains(words), "{}", error.chain());
    }
}

#[test]
fn a_file_that_ends_within_its_last_row_is_damaged_but_its_filling_may_lack() {
    let whole = file(&os2(1, 2, 24, 0), &[3, 2, 1, 0, 6, 5, 4, 0]);
    let rows = [4, 5, 6, 1, 2, 3];
    assert_eq!(decoded(whole.clone()).unwrap(), rows);
    assert_eq!(decoded(whole[..whole.len() - 1].to_vec()).unwrap(), rows);
    let short = decoded(whole[..whole.len() - 2].to_vec());
    assert_eq!(short.unwrap_err().kind(), ErrorKind::Corrupt);
}

#[test]
fn nothing_but_a_windows_rows_is_priced() {
    let bytes = fixture("bmp/bmp-rgb-64x56x8.bmp");
    let picture = crate::codec::open(Arc::new(bytes), 1, &DecodeLimits::default());
    let picture = picture.unwrap();
    let window = crate::geometry::Window {
        x: 3,
        y: 9,
        width: 4,
        height: 2,
    };
    assert_eq!(picture.price(0, window).pixels, 8);
}

/// Blue, green, red and nothing of four colours, as palettes hold them.
const FOUR: [u8; 16] = [3, 2, 1, 0, 6, 5, 4, 0, 9, 8, 7, 0, 12, 11, 10, 0];

#[test]
fn two_bits_are_a_place_in_a_palette_of_four() {
    let header = windows(5, 1, 2, 0, [0; 2]);
    let found = decoded(apart(&header, &FOUR, &[0b11_00_01_10, 0b01_00_00_00, 0, 0])).unwrap();
    assert_eq!(found, [10, 11, 12, 1, 2, 3, 4, 5, 6, 7, 8, 9, 4, 5, 6]);
}

#[test]
fn runs_and_literals_of_four_bits_begin_with_the_upper_half() {
    let header = windows(6, 1, 4, 2, [0; 2]);
    // Three of 1 and 2 in turn, then 3, 0, 2 as they are.
    let codes = [3, 0x12, 0, 3, 0x30, 0x20, 0, 1];
    let found = decoded(apart(&header, &FOUR, &codes)).unwrap();
    let [first, second, third, last] = [[1, 2, 3], [4, 5, 6], [7, 8, 9], [10, 11, 12]];
    assert_eq!(found, [second, third, second, last, first, third].concat());
}

#[test]
fn masks_behind_a_short_header_may_take_opacity() {
    // Red, green and blue of four bits above opacity.
    let masks: Vec<u8> = [0xf000_u32, 0x0f00, 0x00f0, 0x000f]
        .iter()
        .flat_map(|mask| mask.to_le_bytes())
        .collect();
    let stored = [0x48, 0xf0, 0xff, 0x00];
    let all = decode_all(apart(&windows(2, 1, 16, 6, [0; 2]), &masks, &stored)).unwrap();
    assert_eq!(all.format().channels, Channels::Rgba);
    assert_eq!(
        *all.samples(),
        Samples::U8(vec![255, 0, 68, 136, 0, 0, 255, 255])
    );
    // Without opacity there are three of them.
    let found = decoded(apart(&windows(2, 1, 16, 3, [0; 2]), &masks[..12], &stored));
    assert_eq!(found.unwrap(), [255, 0, 68, 0, 0, 255]);
}

#[test]
fn density_is_that_of_headers_that_have_one() {
    let density = |bytes: Vec<u8>| {
        let reader: Arc<dyn crate::reader::RangeReader> = Arc::new(bytes);
        super::density(reader.as_ref()).unwrap()
    };
    let windows = |across, down| density(file(&windows(1, 1, 24, 0, [across, down]), &[0; 4]));
    assert_eq!(windows(11_811, 5906), Density::new(11_811.0, 5906.0));
    assert_eq!(windows(0, 5906), None);
    assert_eq!(windows(11_811, -1), None);
    // What stands behind a shorter header is pixels.
    let short = [1, 0, 1, 0, 1, 0, 24, 0];
    assert_eq!(density(file(&short, &[1; 40])), None);
}

#[test]
fn a_profile_counts_where_the_header_says_that_it_is_in_the_file() {
    let profile = include_bytes!("../../../fixtures/icc/p3.icc");
    let colour = |kind: [u8; 4], start: u32, length: u32| {
        let mut header = windows(1, 1, 24, 0, [0; 2]);
        header.resize(120, 0);
        header[52..56].copy_from_slice(&kind);
        header[108..112].copy_from_slice(&start.to_le_bytes());
        header[112..116].copy_from_slice(&length.to_le_bytes());
        let bytes = file(&header, &[&[0; 4], profile.as_slice()].concat());
        let picture = crate::codec::open(Arc::new(bytes), 1, &DecodeLimits::default());
        picture.unwrap().facts().colour.clone()
    };
    let length = u32::try_from(profile.len()).unwrap();
    assert_eq!(colour(*b"DEBM", 128, length), "Display P3");
    // sRGB by name, a profile elsewhere, and one that would reach past the end.
    for (kind, start, length) in [
        (*b"BGRs", 128, length),
        (*b"KNIL", 128, length),
        (*b"DEBM", 129, length),
        (*b"DEBM", 128, length + 1),
    ] {
        assert_eq!(colour(kind, start, length), "untagged");
    }
}
