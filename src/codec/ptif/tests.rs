//! Pyramids read back by this crate's own reader, level by level, against plain definitions.

use std::io::Cursor;
use std::sync::Arc;

use super::{
    Carried, PyramidSettings, TileCompression, may_need_big, pyramid_levels, write_pyramid,
};
use crate::cancel::Cancel;
use crate::codec::metadata::Field;
use crate::codec::{DecodeLimits, Metadata, Picture, metadata, open};
use crate::encoding::Subsampling;
use crate::error::{Error, ErrorKind, Result};
use crate::geometry::Dimensions;
use crate::raster::{Channels, PixelFormat, Raster, Rows, Samples, Shape, gather};
use crate::reader::RangeReader;

const JPEG: TileCompression = TileCompression::Jpeg {
    quality: 90,
    subsampling: Subsampling::S444,
};

fn settings(compression: TileCompression) -> PyramidSettings {
    PyramidSettings {
        compression,
        tile_px: 64,
        big: false,
        sub_ifds: false,
        threads: 3,
    }
}

/// A picture without a pattern that a wrong place would repeat: slopes, and noise where it is asked for.
fn picture(width: u32, height: u32, format: PixelFormat, noise: u32) -> Raster {
    let dimensions = Dimensions::new(width, height).unwrap();
    let mut state = 12345_u32;
    let mut values = Vec::new();
    for y in 0..height {
        for x in 0..width {
            for channel in 0..u32::try_from(format.channels.count()).unwrap() {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let slope = x * (100 + 20 * channel) / width + y * (150 - 30 * channel) / height;
                values.push((slope + (state >> 24) % (noise + 1)).min(255));
            }
        }
    }
    let samples = match format.depth {
        crate::raster::Depth::Eight => {
            Samples::U8(values.iter().map(|v| u8::try_from(*v).unwrap()).collect())
        }
        crate::raster::Depth::Sixteen => Samples::U16(
            values
                .iter()
                .map(|v| u16::try_from(v * 257 + v % 7).unwrap_or(u16::MAX))
                .collect(),
        ),
    };
    Raster::new(dimensions, format.channels, samples).unwrap()
}

/// A picture in strips of changing heights.
struct Strips {
    raster: Raster,
    next: u32,
    turn: u32,
}

impl Rows for Strips {
    fn shape(&self) -> Shape {
        Shape {
            dimensions: self.raster.dimensions(),
            format: self.raster.format(),
        }
    }

    fn next_strip(&mut self) -> Result<Option<Raster>> {
        let Dimensions { width, height } = self.raster.dimensions();
        self.turn += 1;
        let rows = [1, 7, 64, 100, 3][self.turn as usize % 5].min(height - self.next);
        let Some(dimensions) = Dimensions::new(width, rows) else {
            return Ok(None);
        };
        let row = self.raster.row_len();
        let part = self.next as usize * row..(self.next + rows) as usize * row;
        self.next += rows;
        let samples = match self.raster.samples() {
            Samples::U8(all) => Samples::U8(all[part].to_vec()),
            Samples::U16(all) => Samples::U16(all[part].to_vec()),
        };
        Raster::new(dimensions, self.raster.format().channels, samples).map(Some)
    }
}

fn written(raster: &Raster, settings: &PyramidSettings, carried: Carried) -> Vec<u8> {
    let mut rows = Strips {
        raster: raster.clone(),
        next: 0,
        turn: 0,
    };
    let mut file = Cursor::new(Vec::new());
    let mut seen = Vec::new();
    let pyramid = write_pyramid(
        &mut rows,
        carried,
        settings,
        &mut file,
        &mut |rows| seen.push(rows),
        &Cancel::new(),
    )
    .unwrap();
    assert_eq!(pyramid.bytes, file.get_ref().len() as u64);
    assert_eq!(seen.last(), Some(&raster.dimensions().height));
    file.into_inner()
}

fn opened(file: Vec<u8>) -> Arc<dyn Picture> {
    open(Arc::new(file), 1, &DecodeLimits::default()).unwrap()
}

fn level(picture: &dyn Picture, number: usize) -> Raster {
    let window = picture.facts().pyramid.levels()[number].dimensions.window();
    let cancel = Cancel::new();
    let mut rows = picture.decode(number, window, &cancel).unwrap();
    gather(rows.as_mut(), &cancel).unwrap()
}

fn values(raster: &Raster) -> Vec<u32> {
    match raster.samples() {
        Samples::U8(all) => all.iter().map(|v| u32::from(*v)).collect(),
        Samples::U16(all) => all.iter().map(|v| u32::from(*v)).collect(),
    }
}

/// The next level by the words of the definition, one sample at a time.
fn halved(values: &[u32], sides: (usize, usize), channels: Channels) -> Vec<u32> {
    let (width, height) = sides;
    let count = channels.count();
    let at = |x: usize, y: usize, c: usize| {
        u64::from(values[(y.min(height - 1) * width + x.min(width - 1)) * count + c])
    };
    let mut out = Vec::new();
    for y in 0..height.div_ceil(2) {
        for x in 0..width.div_ceil(2) {
            let corners = [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(i, j)| (2 * x + i, 2 * y + j));
            let opacity: u64 = corners.iter().map(|(x, y)| at(*x, *y, count - 1)).sum();
            for c in 0..count {
                let plain: u64 = corners.iter().map(|(x, y)| at(*x, *y, c)).sum();
                let mean = if channels.has_alpha() && c + 1 < count {
                    let weighted: u64 = corners
                        .iter()
                        .map(|(x, y)| at(*x, *y, c) * at(*x, *y, count - 1))
                        .sum();
                    (weighted + opacity / 2).checked_div(opacity).unwrap_or(0)
                } else {
                    (plain + 2) / 4
                };
                out.push(u32::try_from(mean).unwrap());
            }
        }
    }
    out
}

fn check_levels(file: Vec<u8>, raster: &Raster, tolerance: u32) {
    let picture = opened(file);
    let pyramid = &picture.facts().pyramid;
    let wanted = pyramid_levels(raster.dimensions(), 64);
    let sides: Vec<_> = pyramid
        .levels()
        .iter()
        .map(|level| level.dimensions)
        .collect();
    assert_eq!(sides, wanted);
    assert_eq!(picture.facts().pixel, raster.format());
    let mut expected = values(raster);
    for (number, sides) in sides.iter().enumerate() {
        assert_eq!(pyramid.levels()[number].tile, Dimensions::new(64, 64));
        let got = values(&level(picture.as_ref(), number));
        assert_eq!(got.len(), expected.len());
        let worst = got.iter().zip(&expected).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(
            worst <= Some(tolerance),
            "level {number}: {worst:?} from {tolerance}"
        );
        let sides = (sides.width as usize, sides.height as usize);
        expected = halved(&expected, sides, raster.format().channels);
    }
}

#[test]
fn exact_kinds_give_every_level_by_boxes_in_every_format() {
    let formats = [
        Channels::Gray,
        Channels::GrayAlpha,
        Channels::Rgb,
        Channels::Rgba,
    ];
    let mut kinds = vec![TileCompression::Deflate];
    if super::WRITES_ZSTD {
        kinds.push(TileCompression::Zstd);
    }
    for kind in kinds {
        for channels in formats {
            for format in [PixelFormat::eight(channels), PixelFormat::sixteen(channels)] {
                let raster = picture(301, 203, format, 90);
                check_levels(
                    written(&raster, &settings(kind), Carried::default()),
                    &raster,
                    0,
                );
            }
        }
    }
}

#[test]
fn sides_that_leave_one_column_row_or_pixel_are_whole() {
    for (width, height) in [(1, 1), (64, 64), (65, 1), (1, 300), (129, 257), (63, 65)] {
        let raster = picture(width, height, PixelFormat::eight(Channels::Rgb), 90);
        let file = written(
            &raster,
            &settings(TileCompression::Deflate),
            Carried::default(),
        );
        check_levels(file, &raster, 0);
    }
}

#[test]
fn jpeg_tiles_are_near_in_gray_and_colour() {
    for channels in [Channels::Gray, Channels::Rgb] {
        let raster = picture(301, 203, PixelFormat::eight(channels), 0);
        check_levels(
            written(&raster, &settings(JPEG), Carried::default()),
            &raster,
            9,
        );
    }
}

#[test]
fn exact_webp_tiles_are_exact_with_and_without_opacity() {
    for channels in [Channels::Rgb, Channels::Rgba] {
        let raster = picture(150, 203, PixelFormat::eight(channels), 0);
        let kind = TileCompression::Webp { quality: None };
        let file = written(&raster, &settings(kind), Carried::default());
        let zero_opacity_colours_may_go = 0;
        check_levels(file, &raster, zero_opacity_colours_may_go);
    }
}

#[test]
fn big_files_and_sub_directories_hold_the_same() {
    let raster = picture(301, 203, PixelFormat::eight(Channels::Rgb), 90);
    for (big, sub_ifds) in [(true, false), (false, true), (true, true)] {
        let settings = PyramidSettings {
            big,
            sub_ifds,
            ..settings(TileCompression::Deflate)
        };
        let file = written(&raster, &settings, Carried::default());
        assert_eq!(file[2], if big { 43 } else { 42 });
        check_levels(file, &raster, 0);
    }
}

#[test]
fn the_bytes_do_not_depend_on_threads() {
    let raster = picture(301, 203, PixelFormat::eight(Channels::Rgb), 90);
    let with = |threads| {
        let settings = PyramidSettings {
            threads,
            ..settings(JPEG)
        };
        written(&raster, &settings, Carried::default())
    };
    assert!(with(1) == with(8));
}

#[test]
fn what_a_compression_cannot_hold_is_refused_before_a_row_is_pulled() {
    for (kind, format) in [
        (JPEG, PixelFormat::sixteen(Channels::Rgb)),
        (JPEG, PixelFormat::eight(Channels::Rgba)),
        (
            TileCompression::Webp { quality: None },
            PixelFormat::eight(Channels::Gray),
        ),
        (
            TileCompression::Webp { quality: None },
            PixelFormat::sixteen(Channels::Rgb),
        ),
    ] {
        let mut rows = Strips {
            raster: picture(9, 9, format, 0),
            next: 0,
            turn: 0,
        };
        let (mut file, cancel) = (Cursor::new(Vec::new()), Cancel::new());
        let refused = write_pyramid(
            &mut rows,
            Carried::default(),
            &settings(kind),
            &mut file,
            &mut |_| {},
            &cancel,
        );
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::BadRequest);
        assert_eq!((rows.next, file.get_ref().len()), (0, 0));
    }
}

#[test]
fn metadata_and_orientation_are_what_was_given() {
    let given = Metadata {
        picture: vec![
            Field::text(271, "a maker"),
            Field::rationals(282, &[(600, 1)]),
            Field::opaque(700, 1, b"<x:xmpmeta/>".to_vec()),
            Field::opaque(34675, 7, vec![7; 999]),
        ],
        exif: vec![
            Field::rationals(33434, &[(1, 250)]),
            Field::opaque(37500, 7, vec![1; 50]),
        ],
        interoperability: vec![Field::text(1, "R98")],
        gps: vec![Field::text(1, "N")],
    };
    let raster = picture(100, 80, PixelFormat::eight(Channels::Rgb), 0);
    for big in [false, true] {
        let carried = Carried {
            metadata: given.clone(),
            orientation: 6,
            software: "a test".to_owned(),
        };
        let settings = PyramidSettings {
            big,
            ..settings(TileCompression::Deflate)
        };
        let file = written(&raster, &settings, carried);
        let reader: Arc<dyn RangeReader> = Arc::new(file.clone());
        let mut read = metadata(&reader, 1, &DecodeLimits::default()).unwrap();
        assert_eq!(read.software(), Some("a test"));
        read.picture.retain(|field| field.tag != 305);
        assert_eq!(read, given);
        let picture = opened(file);
        assert_eq!(
            picture.facts().orientation,
            crate::geometry::Orientation::from_tag(6)
        );
    }
}

#[test]
fn four_gibibytes_are_seen_coming() {
    let shape = |width, height| Shape {
        dimensions: Dimensions::new(width, height).unwrap(),
        format: PixelFormat::eight(Channels::Rgb),
    };
    let settings = settings(TileCompression::Deflate);
    assert!(!may_need_big(shape(20_000, 20_000), &settings, 0));
    assert!(may_need_big(shape(40_000, 40_000), &settings, 0));
    assert!(may_need_big(shape(10, 10), &settings, 1 << 31));
}

#[test]
fn the_worst_pixels_do_not_pass_the_bound() {
    let mut kinds = vec![
        TileCompression::Deflate,
        TileCompression::Webp { quality: None },
        TileCompression::Webp { quality: Some(100) },
    ];
    for subsampling in [Subsampling::S420, Subsampling::S422, Subsampling::S444] {
        kinds.push(TileCompression::Jpeg {
            quality: 100,
            subsampling,
        });
    }
    if super::WRITES_ZSTD {
        kinds.push(TileCompression::Zstd);
    }
    // Noise that neither neighbours nor blocks foretell, once of all values and once of two.
    let dimensions = Dimensions::new(64, 64).unwrap();
    let mut state = 1_u64;
    let mut noise = |two: bool| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let value = u8::try_from(state >> 56).unwrap();
        if two { value / 128 * 255 } else { value }
    };
    for two in [false, true] {
        let samples = (0..64 * 64 * 3).map(|_| noise(two)).collect();
        let raster = Raster::from_u8(dimensions, Channels::Rgb, samples).unwrap();
        for kind in &kinds {
            let settings = settings(*kind);
            let file = written(&raster, &settings, Carried::default());
            let most = super::tile::most_bytes(raster.format(), &settings);
            assert!(
                (file.len() as u64) < most + 1024,
                "{kind:?}: {} of {most}",
                file.len()
            );
        }
    }
}

/// Rows that fail after the first strip.
struct Failing(Strips);

impl Rows for Failing {
    fn shape(&self) -> Shape {
        self.0.shape()
    }

    fn next_strip(&mut self) -> Result<Option<Raster>> {
        if self.0.next > 0 {
            return Err(Error::corrupt("a test"));
        }
        self.0.next_strip()
    }
}

#[test]
fn an_error_of_the_rows_or_a_withdrawal_ends_it() {
    let strips = || Strips {
        raster: picture(301, 203, PixelFormat::eight(Channels::Rgb), 90),
        next: 0,
        turn: 1,
    };
    let run = |rows: &mut dyn Rows, cancel: &Cancel| {
        let mut file = Cursor::new(Vec::new());
        let (carried, settings) = (Carried::default(), settings(JPEG));
        write_pyramid(rows, carried, &settings, &mut file, &mut |_| {}, cancel)
            .unwrap_err()
            .kind()
    };
    assert_eq!(
        run(&mut Failing(strips()), &Cancel::new()),
        ErrorKind::Corrupt
    );
    let cancel = Cancel::new();
    cancel.cancel();
    assert_eq!(run(&mut strips(), &cancel), ErrorKind::Cancelled);
}
