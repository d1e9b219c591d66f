//! Decoders of this room against foreign ones, and what all of them promise.

mod derivatives;
mod encoders;
mod formats;
mod jpeg_xl;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::{DecodeLimits, Picture, open};
use crate::cancel::Cancel;
use crate::error::{Error, ErrorKind, Result};
use crate::geometry::Window;
use crate::raster::{Channels, Raster, Samples, gather};
use crate::reader::RangeReader;

/// A fixture by its path below `fixtures/`.
pub(super) fn fixture(path: &str) -> Vec<u8> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/");
    std::fs::read(format!("{root}{path}")).unwrap_or_else(|cause| panic!("{path}: {cause}"))
}

/// Every file of a fixture folder with this ending, in order.
pub(super) fn fixtures(format: &str) -> Vec<String> {
    let folder = format!("{}/fixtures/{format}", env!("CARGO_MANIFEST_DIR"));
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(&format!(".{format}")))
        .map(|name| format!("{format}/{name}"))
        .collect();
    names.sort();
    assert!(names.len() >= 8, "{names:?}");
    names
}

pub(super) fn picture(bytes: Vec<u8>) -> Result<Arc<dyn Picture>> {
    open(Arc::new(bytes), 1, &DecodeLimits::default())
}

#[expect(
    clippy::panic_in_result_fn,
    reason = "a broken promise of the trait fails the test; damage is a result"
)]
pub(super) fn decode(picture: &dyn Picture, window: Window) -> Result<Raster> {
    let cancel = Cancel::new();
    let mut rows = picture.decode(0, window, &cancel)?;
    let shape = rows.shape();
    assert_eq!(shape.dimensions, window.dimensions());
    assert_eq!(shape.format, picture.facts().pixel);
    let raster = gather(rows.as_mut(), &cancel)?;
    assert!(rows.next_strip()?.is_none(), "rows go on after the last");
    assert_eq!(raster.format(), shape.format);
    Ok(raster)
}

pub(super) fn decode_all(bytes: Vec<u8>) -> Result<Raster> {
    let picture = picture(bytes)?;
    let window = picture.facts().pyramid.dimensions().window();
    decode(picture.as_ref(), window)
}

/// The samples as red, green, blue, opacity; 16 bits as little-endian.
pub(super) fn rgba(raster: &Raster) -> Vec<u8> {
    let channels = raster.format().channels;
    match raster.samples() {
        Samples::U8(all) => all
            .chunks_exact(channels.count())
            .flat_map(|pixel| spread(pixel, channels, u8::MAX))
            .collect(),
        Samples::U16(all) => all
            .chunks_exact(channels.count())
            .flat_map(|pixel| spread(pixel, channels, u16::MAX))
            .flat_map(u16::to_le_bytes)
            .collect(),
    }
}

fn spread<T: Copy>(pixel: &[T], channels: Channels, opaque: T) -> [T; 4] {
    match channels {
        Channels::Gray => [pixel[0], pixel[0], pixel[0], opaque],
        Channels::GrayAlpha => [pixel[0], pixel[0], pixel[0], pixel[1]],
        Channels::Rgb => [pixel[0], pixel[1], pixel[2], opaque],
        Channels::Rgba => [pixel[0], pixel[1], pixel[2], pixel[3]],
    }
}

/// FNV-1a of 64 bits (Fowler, Noll, Vo).
fn digest(bytes: &[u8]) -> String {
    let fold =
        |value: u64, byte: &u8| (value ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    format!("{:016x}", bytes.iter().fold(0xcbf2_9ce4_8422_2325, fold))
}

/// What `tests/tools/make_decode_expectations.py` got from foreign decoders.
fn compare_with_foreign_decoders(format: &str) {
    let expected = String::from_utf8(fixture(&format!("{format}/expected.txt"))).unwrap();
    let mut wrong = Vec::new();
    for line in expected.lines() {
        let name = line.split(' ').next().unwrap();
        let ours = match decode_all(fixture(&format!("{format}/{name}"))) {
            Err(error) => error.chain(),
            Ok(raster) => {
                let bits = raster.format().bytes_per_pixel() / raster.format().channels.count() * 8;
                let (width, height) = (raster.dimensions().width, raster.dimensions().height);
                format!("{name} {width} {height} {bits} {}", digest(&rgba(&raster)))
            }
        };
        if ours != line {
            wrong.push(format!("\nwant {line}\n got {ours}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.concat());
    assert!(expected.lines().count() >= 2);
}

#[test]
fn png_pixels_are_those_of_libvips() {
    compare_with_foreign_decoders("png");
}

#[test]
fn lossless_webp_pixels_are_those_of_libwebp() {
    compare_with_foreign_decoders("webp");
}

#[test]
fn gif_pixels_are_those_of_pillow() {
    compare_with_foreign_decoders("gif");
}

#[test]
fn bmp_pixels_are_those_of_imagemagick() {
    compare_with_foreign_decoders("bmp");
}

#[test]
fn a_window_is_the_crop_of_the_whole() {
    let names = ["png", "webp", "gif", "bmp"].map(fixtures).concat();
    for name in names {
        let picture = picture(fixture(&name)).unwrap();
        let dimensions = picture.facts().pyramid.dimensions();
        let whole = decode(picture.as_ref(), dimensions.window()).unwrap();
        let (w, h) = (dimensions.width, dimensions.height);
        for window in [
            Window {
                x: 0,
                y: 0,
                width: 1,
                height: 1,
            },
            Window {
                x: w - 1,
                y: h - 1,
                width: 1,
                height: 1,
            },
            Window {
                x: w / 3,
                y: h / 2,
                width: (w / 2).max(1),
                height: h - h / 2,
            },
            Window {
                x: w / 2,
                y: 0,
                width: w - w / 2,
                height: (h / 3).max(1),
            },
            Window {
                x: 0,
                y: h / 4,
                width: w,
                height: (h / 2).max(1),
            },
        ] {
            let part = decode(picture.as_ref(), window).unwrap();
            assert_eq!(rgba(&part), crop(&whole, window), "{name} {window:?}");
        }
    }
}

fn crop(whole: &Raster, window: Window) -> Vec<u8> {
    let pixels = rgba(whole);
    let pixel = pixels.len() / usize::try_from(whole.dimensions().area()).unwrap();
    let row = whole.dimensions().width as usize * pixel;
    let (left, right) = (window.x as usize * pixel, window.right() as usize * pixel);
    (window.y as usize..window.bottom() as usize)
        .flat_map(|y| pixels[y * row + left..y * row + right].to_vec())
        .collect()
}

#[test]
fn a_window_outside_the_level_is_refused() {
    for name in ["png/png-rgb-64x56x8.png", "bmp/bmp-rgb-64x56x8.bmp"] {
        let picture = picture(fixture(name)).unwrap();
        let window = Window {
            x: 60,
            y: 0,
            width: 5,
            height: 1,
        };
        let cancel = Cancel::new();
        let refused = picture.decode(0, window, &cancel).err().unwrap();
        assert_eq!(refused.kind(), ErrorKind::Internal);
        let window = Window { x: 0, ..window };
        assert!(picture.decode(1, window, &cancel).is_err());
    }
}

#[test]
fn a_cancelled_decode_stops() {
    for name in [
        "png/made-tall.png",
        "png/interlaced_basi2c08.png",
        "gif/simple_sample_1.gif",
    ] {
        let picture = picture(fixture(name)).unwrap();
        let cancel = Cancel::new();
        let window = picture.facts().pyramid.dimensions().window();
        let mut rows = picture.decode(0, window, &cancel).unwrap();
        cancel.cancel();
        assert_eq!(rows.next_strip().unwrap_err().kind(), ErrorKind::Cancelled);
        assert!(rows.next_strip().unwrap().is_none());
    }
}

/// A master whose source goes away after some reads.
#[derive(Debug)]
struct Leaving {
    bytes: Vec<u8>,
    reads_left: AtomicU32,
}

impl RangeReader for Leaving {
    fn length(&self) -> u64 {
        self.bytes.length()
    }

    fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        let left = self.reads_left.load(Ordering::Relaxed);
        if left == 0 {
            return Err(Error::new(ErrorKind::Upstream, "the source is away"));
        }
        self.reads_left.store(left - 1, Ordering::Relaxed);
        self.bytes.read(offset, buffer)
    }
}

#[test]
fn a_source_that_goes_away_is_no_damage() {
    for name in ["png", "webp", "gif", "bmp"].map(fixtures).concat() {
        let mut failures = 0;
        for reads in 0..8 {
            let reader = Leaving {
                bytes: fixture(&name),
                reads_left: AtomicU32::new(reads),
            };
            let opened = open(Arc::new(reader), 1, &DecodeLimits::default());
            let result = opened.and_then(|picture| {
                let window = picture.facts().pyramid.dimensions().window();
                decode(picture.as_ref(), window)
            });
            if let Err(error) = result {
                assert_eq!(
                    error.kind(),
                    ErrorKind::Upstream,
                    "{name} {reads}: {error:?}"
                );
                failures += 1;
            }
        }
        assert!(failures >= 3, "{name}");
    }
}

#[test]
fn truncated_files_never_panic() {
    for name in ["png", "webp", "gif", "bmp"].map(fixtures).concat() {
        let bytes = fixture(&name);
        for length in (0..bytes.len()).step_by(61) {
            if let Err(error) = decode_all(bytes[..length].to_vec()) {
                assert!(
                    expected_of_damage(error.kind()),
                    "{name} {length}: {error:?}"
                );
            }
        }
    }
}

#[test]
fn damaged_files_never_panic() {
    let mut random = fastrand::Rng::with_seed(2026);
    for name in ["png", "webp", "gif", "bmp"].map(fixtures).concat() {
        let bytes = fixture(&name);
        for _ in 0..40 {
            let mut damaged = bytes.clone();
            for _ in 0..random.usize(1..6) {
                let reach = if random.bool() {
                    damaged.len().min(100)
                } else {
                    damaged.len()
                };
                damaged[random.usize(..reach)] = random.u8(..);
            }
            let limits = DecodeLimits {
                max_bytes: 16 << 20,
                ..DecodeLimits::default()
            };
            let opened = open(Arc::new(damaged), 1, &limits);
            let result = opened.and_then(|picture| {
                let window = picture.facts().pyramid.dimensions().window();
                decode(picture.as_ref(), window)
            });
            if let Err(error) = result {
                assert!(expected_of_damage(error.kind()), "{name}: {error:?}");
            }
        }
    }
}

fn expected_of_damage(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Corrupt | ErrorKind::NotImplemented | ErrorKind::TooLarge
    )
}

#[test]
fn the_format_is_told_by_the_first_bytes_alone() {
    use super::MasterFormat as M;
    for (name, format) in [
        ("png/png-rgb-1x1x8.png", M::Png),
        ("webp/made-rgba.webp", M::Webp),
        ("gif/simple_sample_1.gif", M::Gif),
        ("bmp/images_pal8os2sp.bmp", M::Bmp),
    ] {
        assert_eq!(picture(fixture(name)).unwrap().facts().format, format);
    }
    let kind = |bytes: &[u8]| picture(bytes.to_vec()).unwrap_err().kind();
    assert_eq!(kind(b""), ErrorKind::Corrupt);
    assert_eq!(kind(b"%!PS-Adobe-3.0"), ErrorKind::NotImplemented);
    assert_eq!(kind(b"BMX"), ErrorKind::NotImplemented);
    assert_eq!(kind(b"RIFF0000WAVE"), ErrorKind::NotImplemented);
    assert_eq!(kind(b"GIF90a"), ErrorKind::NotImplemented);
}

#[test]
fn only_the_first_page_is_there() {
    for page in [0, 2] {
        let reader: Arc<dyn RangeReader> = Arc::new(fixture("png/png-rgb-1x1x8.png"));
        let error = open(reader, page, &DecodeLimits::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }
}

#[test]
fn limits_hold_exactly() {
    let try_with = |name: &str, limits: &DecodeLimits| {
        open(Arc::new(fixture(name)), 1, limits).map(|picture| picture.facts().clone())
    };
    for name in [
        "png/png-rgb-64x56x8.png",
        "gif/gif-rgb-64x56x8.gif",
        "bmp/bmp-rgb-64x56x8.bmp",
        "webp/webp-rgb.webp",
    ] {
        let free = DecodeLimits::default();
        let dimensions = try_with(name, &free).unwrap().pyramid.dimensions();
        let exact = DecodeLimits {
            max_side_px: dimensions.width,
            max_area_px: dimensions.area(),
            ..free
        };
        try_with(name, &exact).unwrap();
        let side = DecodeLimits {
            max_side_px: dimensions.width - 1,
            ..exact.clone()
        };
        let area = DecodeLimits {
            max_area_px: dimensions.area() - 1,
            ..exact
        };
        for limits in [side, area] {
            let error = try_with(name, &limits).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TooLarge);
        }
    }
    let few_bytes = DecodeLimits {
        max_bytes: 1000,
        ..DecodeLimits::default()
    };
    for name in [
        "png/interlaced_basi2c08.png",
        "gif/gif-rgb-64x56x8.gif",
        "bmp/images_pal8rle.bmp",
        "webp/webp-rgb.webp",
    ] {
        let error = try_with(name, &few_bytes).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge, "{name}");
    }
}

#[test]
fn the_price_covers_rows_above_the_window_and_whole_decodes() {
    let window = Window {
        x: 10,
        y: 100,
        width: 20,
        height: 30,
    };
    let tall = picture(fixture("png/made-tall.png")).unwrap();
    assert_eq!(tall.price(0, window).pixels, 900 * 130);
    assert!(tall.price(0, window).bytes < 900 * 700 * 3);
    let window = Window {
        x: 1,
        y: 1,
        width: 2,
        height: 2,
    };
    for (name, area, channels) in [
        ("png/interlaced_basi2c08.png", 32 * 32, 3),
        ("bmp/images_pal8rle.bmp", 127 * 64, 3),
        ("webp/made-rgba.webp", 33 * 21, 4),
        ("gif/gif-rgb-64x56x8.gif", 64 * 56, 3),
    ] {
        let price = picture(fixture(name)).unwrap().price(0, window);
        assert_eq!(price.pixels, area, "{name}");
        assert!(price.bytes >= area * channels, "{name}");
    }
}
