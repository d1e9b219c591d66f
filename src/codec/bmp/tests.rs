//! Files made by hand after the documents that say what a BMP is.

use crate::codec::DecodeLimits;
use crate::codec::tests::{decode_all, fixture};
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
    let picture = crate::codec::open(std::sync::Arc::new(bytes), 1, &DecodeLimits::default());
    let picture = picture.unwrap();
    let window = crate::geometry::Window {
        x: 3,
        y: 9,
        width: 4,
        height: 2,
    };
    assert_eq!(picture.price(0, window).pixels, 8);
}
