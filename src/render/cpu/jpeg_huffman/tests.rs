//! What the shaders are held to is held to the library in the build.

use super::super::jpeg_fdct::blocks;
use super::super::testing::{Noise, dimensions, painted, picture};
use super::*;
use crate::cancel::Cancel;
use crate::codec;
use crate::encoding::{EncodeSettings, JpegSettings};
use crate::iiif::Format;
use crate::raster::{Channels, OneStrip, PixelFormat, Raster};
use crate::render::jpeg::{Head, file};

const QUALITIES: [u8; 8] = [1, 10, 50, 75, 80, 85, 92, 100];

fn own(raster: &Raster, quality: u8) -> Vec<u8> {
    let head = Head {
        dimensions: raster.dimensions(),
        gray: raster.format().channels == Channels::Gray,
        quality,
    };
    let stream = stream(&blocks(raster, quality), head.gray);
    file(head, &stream.words, stream.bits)
}

fn library(raster: &Raster, quality: u8) -> Vec<u8> {
    let settings = EncodeSettings {
        jpeg: JpegSettings {
            quality,
            ..JpegSettings::default()
        },
        ..EncodeSettings::default()
    };
    let mut rows = OneStrip::from(raster.clone());
    let mut file = Vec::new();
    let encoding = codec::Encoding {
        format: Format::Jpg,
        settings: &settings,
        attached: &codec::Attached::default(),
    };
    codec::encode(encoding, &mut rows, &Cancel::new(), &mut file).unwrap();
    file
}

/// Noise, one colour, a slope, waves with an edge.
fn drawn(width: u32, height: u32, channels: Channels, kind: u32) -> Raster {
    let (size, format) = (dimensions(width, height), PixelFormat::eight(channels));
    let clamp = |value: u32| u8::try_from(value & 255).unwrap();
    match kind % 4 {
        0 => picture(size, format, u64::from(width * 64 + height)),
        1 => painted(size, format, |_, _, c| [200, 13, 90][usize::from(c)]),
        2 => painted(size, format, |x, y, c| {
            clamp(3 * x + 2 * y + 40 * u32::from(c))
        }),
        _ => painted(size, format, |x, y, c| {
            let wave = 60.0 * (f64::from(x) / 5.0).sin() * (f64::from(y) / 7.0).cos();
            let edge = if x > y { 70.0 } else { 0.0 };
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "it lies in 0 to 255"
            )]
            let level = (100.0 + wave + edge + f64::from(c) * 9.0) as u8;
            level
        }),
    }
}

fn same(raster: &Raster, quality: u8) {
    let own = own(raster, quality);
    if codec::jpeg::is_standard() {
        let library = library(raster, quality);
        assert!(own == library, "{} at {quality}", raster.dimensions());
    }
}

#[test]
fn files_are_the_librarys_at_every_size_up_to_two_units() {
    for height in 1..=33 {
        for width in 1..=33 {
            let quality = QUALITIES[((width + height) % 8) as usize];
            same(&drawn(width, height, Channels::Rgb, width), quality);
            same(&drawn(width, height, Channels::Gray, height), quality);
        }
    }
}

#[test]
fn files_are_the_librarys_at_every_quality_for_every_kind_of_picture() {
    let mut noise = Noise::new(77);
    for quality in 1..=100 {
        for kind in 0..4 {
            let (width, height) = (1 + noise.below(64), 1 + noise.below(64));
            same(&drawn(width, height, Channels::Rgb, kind), quality);
            same(&drawn(width, height, Channels::Gray, kind), quality);
        }
    }
}

#[test]
fn blocks_of_the_strongest_contrast_have_codes() {
    for kind in 0..8_u32 {
        let checks = painted(
            dimensions(24, 24),
            PixelFormat::eight(Channels::Rgb),
            |x, y, _| {
                if ((x >> (kind & 3)) + (y >> (kind >> 2))) & 1 == 0 {
                    0
                } else {
                    255
                }
            },
        );
        same(&checks, 100);
    }
}
