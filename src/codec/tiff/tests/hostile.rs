//! Damage, lies and what is not read: typed errors, no panic, nothing reserved beyond the limits.

use std::collections::HashSet;
use std::sync::Arc;

use super::super::tags;
use super::made::{Field, changed, elsewhere, gray, longs, shorts, single, tiled_gray};
use super::{fixture, named, picture, whole, window};
use crate::cancel::Cancel;
use crate::codec::{DecodeLimits, tiff};
use crate::error::{Error, ErrorKind, Result};
use crate::reader::RangeReader;

/// Kinds that a damaged file may be answered with.
const TYPED: [ErrorKind; 4] = [
    ErrorKind::Corrupt,
    ErrorKind::NotImplemented,
    ErrorKind::TooLarge,
    ErrorKind::NotFound,
];

/// A file whose reader answers with an untyped error when more is asked for than a decode may hold.
#[derive(Debug)]
struct Bounded {
    bytes: Vec<u8>,
    most: u64,
}

impl RangeReader for Bounded {
    fn length(&self) -> u64 {
        self.bytes.length()
    }

    fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        if buffer.len() as u64 > self.most {
            return Err(Error::internal(format!("a read of {}", buffer.len())));
        }
        self.bytes.read(offset, buffer)
    }
}

fn small_limits() -> DecodeLimits {
    DecodeLimits {
        max_area_px: 1 << 20,
        max_bytes: 8 << 20,
        max_tiles: 10_000,
        ..DecodeLimits::default()
    }
}

/// Opens and decodes all levels.
#[expect(
    clippy::panic_in_result_fn,
    reason = "what is held beyond the limits fails the test; damage is a result"
)]
fn exercise(bytes: Vec<u8>) -> Result<()> {
    let limits = small_limits();
    let most = limits.max_bytes;
    let picture = tiff::open(Arc::new(Bounded { bytes, most }), 1, &limits)?;
    for (at, level) in picture.facts().pyramid.levels().iter().enumerate() {
        let window = level.dimensions.window();
        assert!(window.dimensions().area() <= limits.max_area_px);
        let mut rows = picture.decode(at, window, &Cancel::new())?;
        assert!(picture.price(at, window).bytes <= limits.max_bytes);
        let mut height = 0;
        while let Some(strip) = rows.next_strip()? {
            assert_eq!(strip.dimensions().width, window.width);
            height += strip.dimensions().height;
        }
        assert_eq!(height, window.height);
    }
    Ok(())
}

fn assert_typed(result: Result<()>, what: &str) {
    if let Err(error) = result {
        assert!(TYPED.contains(&error.kind()), "{what}: {error:?}");
    }
}

fn fixtures() -> Vec<String> {
    let lists = ["expected.txt", "kinds/expected.txt"].map(fixture).concat();
    let list = String::from_utf8(lists).unwrap();
    let names = list.lines().filter_map(|line| line.split(' ').next());
    let mut names: Vec<String> = names.map(str::to_owned).collect();
    names.sort();
    names.dedup();
    // What its state takes is beyond the limits of these tests.
    names.retain(|name| !name.contains("lzma"));
    assert!(names.len() >= 105, "{} fixtures", names.len());
    names
}

#[test]
fn a_truncated_file_is_a_typed_error() {
    for name in fixtures() {
        let bytes = fixture(&name);
        for length in (0..bytes.len()).step_by(97) {
            let result = exercise(bytes[..length].to_vec());
            assert_typed(result, &format!("{name} to {length}"));
        }
        // Every fixture has its last directory at its end, or its last tile.
        let error = exercise(bytes[..bytes.len() / 2].to_vec()).expect_err(&name);
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{name}");
    }
}

#[test]
fn a_file_with_flipped_bytes_is_decoded_or_a_typed_error() {
    let mut random = fastrand::Rng::with_seed(5000);
    let names = fixtures();
    let files: Vec<Vec<u8>> = names.iter().map(|name| fixture(name)).collect();
    let directories: Vec<Vec<usize>> = files.iter().map(|bytes| directory_bytes(bytes)).collect();
    for round in 0..5000 {
        let at = round % files.len();
        let mut bytes = files[at].clone();
        for _ in 0..random.usize(1..4) {
            let place = directories[at][random.usize(0..directories[at].len())];
            bytes[place] = match random.u8(0..3) {
                0 => random.u8(..),
                1 => bytes[place] ^ 1 << random.u8(0..8),
                _ => 0xff,
            };
        }
        assert_typed(exercise(bytes), &format!("{} in round {round}", names[at]));
    }
}

/// Where the header and the entries of all directories of the main chain stand.
fn directory_bytes(bytes: &[u8]) -> Vec<usize> {
    let little = bytes[0] == b'I';
    let number = |at: usize, size: usize| -> usize {
        let push = |value: usize, byte: &u8| value << 8 | usize::from(*byte);
        let part = &bytes[at..at + size];
        if little {
            part.iter().rev().fold(0, push)
        } else {
            part.iter().fold(0, push)
        }
    };
    let (first, count_size, entry, size) = match number(2, 2) {
        43 => (8, 8, 20, 8),
        _ => (4, 2, 12, 4),
    };
    let mut places: Vec<usize> = (0..first + size).collect();
    let mut offset = number(first, size);
    while offset != 0 {
        let end = offset + count_size + number(offset, count_size) * entry;
        places.extend(offset..end + size);
        offset = number(end, size);
    }
    places
}

fn error_of(fields: &[Field], data: &[u8]) -> Error {
    picture(single(fields, data))
        .and_then(|picture| whole(picture.as_ref(), 0).map(|_| ()))
        .expect_err("refused")
}

#[test]
fn what_is_not_read_is_refused_at_once_with_its_reason() {
    let refused = [
        (shorts(tags::COMPRESSION, &[4]), "more than one bit a pixel"),
        (shorts(tags::COMPRESSION, &[34887]), "LERC"),
        (
            shorts(tags::COMPRESSION, &[50001]),
            "WebP tiles of anything but",
        ),
        (shorts(tags::COMPRESSION, &[34677]), "LogLuv of 24 bits"),
        (shorts(tags::COMPRESSION, &[9999]), "9999"),
        (shorts(tags::BITS_PER_SAMPLE, &[33]), "33 bits"),
        (shorts(tags::BITS_PER_SAMPLE, &[128]), "128 bits"),
        (shorts(tags::SAMPLE_FORMAT, &[3]), "8 bits and kind 3"),
        (shorts(tags::SAMPLE_FORMAT, &[6]), "complex"),
        (shorts(tags::PHOTOMETRIC, &[4]), "mask"),
        (shorts(tags::PHOTOMETRIC, &[32844]), "SGILog"),
        (shorts(tags::PHOTOMETRIC, &[32803]), "sensor"),
    ];
    let mut reasons = HashSet::new();
    for (field, reason) in refused {
        let error = picture(single(&changed(gray(4, 4), &[field]), &[0; 16])).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotImplemented, "{reason}");
        assert!(error.public().contains(reason), "{}", error.public());
        reasons.insert(error.public().to_owned());
    }
    assert!(reasons.len() >= 12);
}

#[test]
fn combinations_that_are_not_read_are_refused_at_once() {
    for fields in [
        // YCbCr of 16 bits, and under a predictor.
        vec![
            shorts(tags::PHOTOMETRIC, &[6]),
            shorts(tags::SAMPLES_PER_PIXEL, &[3]),
            shorts(tags::BITS_PER_SAMPLE, &[16, 16, 16]),
        ],
        vec![
            shorts(tags::PHOTOMETRIC, &[6]),
            shorts(tags::SAMPLES_PER_PIXEL, &[3]),
            shorts(tags::BITS_PER_SAMPLE, &[8, 8, 8]),
            shorts(tags::COMPRESSION, &[5]),
            shorts(tags::PREDICTOR, &[2]),
        ],
        // Inks that are not cyan, magenta, yellow and black; L*a*b* of 12 bits.
        vec![
            shorts(tags::PHOTOMETRIC, &[5]),
            shorts(tags::SAMPLES_PER_PIXEL, &[4]),
            shorts(tags::BITS_PER_SAMPLE, &[8, 8, 8, 8]),
            shorts(tags::INK_SET, &[2]),
        ],
        vec![
            shorts(tags::PHOTOMETRIC, &[8]),
            shorts(tags::SAMPLES_PER_PIXEL, &[3]),
            shorts(tags::BITS_PER_SAMPLE, &[12, 12, 12]),
        ],
        // Whole and floating-point numbers in one pixel.
        vec![
            shorts(tags::SAMPLES_PER_PIXEL, &[2]),
            shorts(tags::BITS_PER_SAMPLE, &[32, 32]),
            shorts(tags::SAMPLE_FORMAT, &[1, 3]),
        ],
        // Samples of two depths.
        vec![
            shorts(tags::SAMPLES_PER_PIXEL, &[2]),
            shorts(tags::BITS_PER_SAMPLE, &[8, 16]),
        ],
        // The predictor of floating point on whole numbers.
        vec![
            shorts(tags::COMPRESSION, &[5]),
            shorts(tags::PREDICTOR, &[3]),
        ],
        // JPEG of 10 bits; JPEG 2000 of floating-point numbers; logarithms of light by LZW.
        vec![
            shorts(tags::COMPRESSION, &[7]),
            shorts(tags::BITS_PER_SAMPLE, &[10]),
        ],
        vec![
            shorts(tags::COMPRESSION, &[34712]),
            shorts(tags::BITS_PER_SAMPLE, &[32]),
            shorts(tags::SAMPLE_FORMAT, &[3]),
        ],
        vec![
            shorts(tags::COMPRESSION, &[5]),
            shorts(tags::PHOTOMETRIC, &[32844]),
        ],
    ] {
        let error = picture(single(&changed(gray(4, 4), &fields), &[0; 64])).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotImplemented, "{fields:?}");
    }
}

#[test]
fn lzw_that_ends_early_is_corrupt_in_both_styles() {
    let lzw = |data: &[u8]| {
        let length = u32::try_from(data.len()).unwrap();
        let fields = [
            shorts(tags::COMPRESSION, &[5]),
            longs(tags::STRIP_BYTE_COUNTS, &[length]),
        ];
        error_of(&changed(gray(4, 4), &fields), data).kind()
    };
    // The clear code, 256 in 9 bits, least bit first, and little behind it.
    assert_eq!(lzw(&[0x00, 0x01, 0x04, 0x00]), ErrorKind::Corrupt);
    // The clear code and the end of a stream: nothing in it.
    assert_eq!(lzw(&[0x80, 0x40, 0x40, 0x00]), ErrorKind::Corrupt);
}

#[test]
fn tiles_that_are_short_or_beyond_the_file_are_corrupt() {
    for (changes, why) in [
        (vec![longs(tags::STRIP_BYTE_COUNTS, &[15])], "short"),
        (vec![longs(tags::STRIP_BYTE_COUNTS, &[0])], "empty"),
        (vec![longs(tags::STRIP_OFFSETS, &[u32::MAX])], "beyond"),
        (
            vec![longs(tags::STRIP_BYTE_COUNTS, &[u32::MAX])],
            "too long",
        ),
        (vec![longs(tags::ROWS_PER_STRIP, &[1])], "too few"),
        (vec![longs(tags::ROWS_PER_STRIP, &[0])], "no rows"),
        (vec![longs(tags::IMAGE_WIDTH, &[0])], "no width"),
        (vec![shorts(tags::COMPRESSION, &[8])], "no zlib stream"),
        (vec![shorts(tags::COMPRESSION, &[7])], "no JPEG"),
        (vec![shorts(tags::SAMPLES_PER_PIXEL, &[0])], "no samples"),
        (vec![shorts(tags::PHOTOMETRIC, &[3])], "no palette"),
        (vec![shorts(tags::PHOTOMETRIC, &[2])], "one sample of RGB"),
    ] {
        let error = error_of(&changed(gray(4, 4), &changes), &[0; 16]);
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{why}");
    }
    let error = error_of(
        &changed(tiled_gray(16, 16), &[shorts(tags::TILE_WIDTH, &[0])]),
        &[0; 256],
    );
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}

#[test]
fn after_an_error_no_strip_follows() {
    let fields = changed(gray(4, 4), &[longs(tags::STRIP_BYTE_COUNTS, &[15])]);
    let picture = picture(single(&fields, &[0; 16])).unwrap();
    let mut rows = picture
        .decode(0, window(0, 0, 4, 4), &Cancel::new())
        .unwrap();
    assert!(rows.next_strip().is_err());
    assert!(rows.next_strip().unwrap().is_none());
}

#[test]
fn counts_that_the_file_cannot_hold_reserve_nothing() {
    let huge = elsewhere(tags::STRIP_OFFSETS, 4, u32::MAX, 8);
    let tall = [
        longs(tags::IMAGE_LENGTH, &[900_000]),
        longs(tags::ROWS_PER_STRIP, &[1]),
        huge,
    ];
    let error = picture(single(&changed(gray(4, 4), &tall), &[0; 16])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    let palette = [
        shorts(tags::PHOTOMETRIC, &[3]),
        elsewhere(tags::COLOUR_MAP, 3, u32::MAX, 8),
    ];
    let error = picture(single(&changed(gray(4, 4), &palette), &[0; 16])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    let profile = elsewhere(tags::ICC_PROFILE, 7, u32::MAX, 8);
    let error = picture(single(&changed(gray(4, 4), &[profile]), &[0; 16])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
}

#[test]
fn a_picture_above_the_limits_is_too_large_and_one_at_them_is_not() {
    let limits = |side, area, tiles| DecodeLimits {
        max_side_px: side,
        max_area_px: area,
        max_tiles: tiles,
        ..DecodeLimits::default()
    };
    let bytes = single(&tiled_gray(40, 20), &[0; 256]);
    let kind = |limits: DecodeLimits| {
        let opened = tiff::open(Arc::new(bytes.clone()), 1, &limits);
        opened.err().map(|error| error.kind())
    };
    assert_eq!(kind(limits(40, 800, 6)), None);
    assert_eq!(kind(limits(39, 800, 6)), Some(ErrorKind::TooLarge));
    assert_eq!(kind(limits(40, 799, 6)), Some(ErrorKind::TooLarge));
    assert_eq!(kind(limits(40, 800, 5)), Some(ErrorKind::TooLarge));
}

#[test]
fn a_decode_that_needs_more_bytes_than_allowed_is_too_large() {
    let bytes = fixture("rgb-tiles-zip2.tif");
    let whole = window(0, 0, 83, 61);
    let price = named("rgb-tiles-zip2.tif").price(0, whole).bytes;
    for (max_bytes, refused) in [(price, false), (price - 1, true)] {
        let limits = DecodeLimits {
            max_bytes,
            ..DecodeLimits::default()
        };
        let picture = tiff::open(Arc::new(bytes.clone()), 1, &limits).unwrap();
        let error = picture.decode(0, whole, &Cancel::new()).err();
        assert_eq!(
            error.map(|error| error.kind()),
            refused.then_some(ErrorKind::TooLarge)
        );
    }
}
