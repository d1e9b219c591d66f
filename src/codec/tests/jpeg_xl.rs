//! JPEG XL masters: facts, windows, and what is refused.

use super::{decode, decode_all, fixture, picture};
use crate::codec::MasterFormat;
use crate::error::ErrorKind;
use crate::geometry::Window;
use crate::raster::{Channels, PixelFormat, Raster, Samples};

const NAMES: [&str; 6] = [
    "jxl/grayscale.jxl",
    "jxl/grayscale_jpeg.jxl",
    "jxl/alpha_premultiplied.jxl",
    "jxl/animation_spline.jxl",
    "jxl/upsampling.jxl",
    "jxl/patches_lossless.jxl",
];

#[test]
fn facts_are_those_of_the_header() {
    for (name, pixel, bits, description) in [
        (
            "jxl/grayscale.jxl",
            PixelFormat::eight(Channels::Gray),
            8,
            "JPEG XL, lossy",
        ),
        (
            "jxl/alpha_premultiplied.jxl",
            PixelFormat::sixteen(Channels::Rgba),
            12,
            "JPEG XL, lossy",
        ),
        (
            "jxl/patches_lossless.jxl",
            PixelFormat::eight(Channels::Rgba),
            8,
            "JPEG XL, as stored",
        ),
        (
            "jxl/animation_spline.jxl",
            PixelFormat::eight(Channels::Rgb),
            8,
            "JPEG XL, lossy, animated",
        ),
    ] {
        let picture = picture(fixture(name)).unwrap();
        let facts = picture.facts();
        assert_eq!(facts.format, MasterFormat::JpegXl);
        let found = (facts.pixel, facts.bits, facts.description.as_str());
        assert_eq!(found, (pixel, bits, description), "{name}");
    }
}

/// The samples of `window` in `whole`.
fn cut(whole: &Raster, window: Window) -> Vec<u32> {
    let all: Vec<u32> = match whole.samples() {
        Samples::U8(all) => all.iter().map(|value| u32::from(*value)).collect(),
        Samples::U16(all) => all.iter().map(|value| u32::from(*value)).collect(),
    };
    let channels = whole.format().channels.count();
    let rows = all.chunks_exact(whole.row_len());
    let rows = rows.skip(window.y as usize).take(window.height as usize);
    let left = window.x as usize * channels;
    let width = window.width as usize * channels;
    rows.flat_map(|row| row[left..left + width].to_vec())
        .collect()
}

#[test]
fn a_window_is_its_part_of_the_whole() {
    for name in NAMES {
        let picture = picture(fixture(name)).unwrap();
        let side = picture.facts().pyramid.dimensions();
        let whole = decode(picture.as_ref(), side.window()).unwrap();
        for (x, y, width, height) in [
            (0, 0, 1, 1),
            (
                side.width / 3,
                side.height / 4,
                side.width / 2,
                side.height / 3,
            ),
            (side.width - 7, side.height - 5, 7, 5),
            (0, side.height / 2, side.width, 3),
        ] {
            let window = Window {
                x,
                y,
                width,
                height,
            };
            let part = decode(picture.as_ref(), window).unwrap();
            let most = cut(&part, part.dimensions().window())
                .iter()
                .zip(cut(&whole, window))
                .map(|(a, b)| a.abs_diff(b))
                .max();
            assert_eq!(most, Some(0), "{name} {window:?}");
        }
    }
}

#[test]
fn a_file_that_is_cut_is_damaged() {
    let file = fixture("jxl/grayscale.jxl");
    for length in [3, 20, file.len() / 2, file.len() - 8] {
        let error = decode_all(file[..length].to_vec()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{length}: {error:?}");
    }
}

#[test]
fn colours_that_are_multiplied_by_opacity_come_out_straight() {
    let picture = picture(fixture("jxl/alpha_premultiplied.jxl")).unwrap();
    // Samples that libvips 8.14 gets of libjxl, colours multiplied.
    for (x, y, stored) in [
        (500, 500, [31246, 15648, 15692, 32007]),
        (300, 700, [26220, 13114, 13307, 44810]),
        (900, 900, [57582, 50594, 50646, 57613]),
    ] {
        let window = Window {
            x,
            y,
            width: 1,
            height: 1,
        };
        let pixel = decode(picture.as_ref(), window).unwrap();
        let found = cut(&pixel, pixel.dimensions().window());
        let [colours @ .., opacity] = stored;
        assert_eq!(found[3], opacity);
        for (found, colour) in found.iter().zip(colours) {
            let straight: u32 = (colour * 65535 + opacity / 2) / opacity;
            assert!(
                found.abs_diff(straight) <= 32,
                "{x} {y}: {found} {straight}"
            );
        }
    }
}
