//! The folder of masters that the tests serve, written anew by every run of the tests.
//!
//! Pictures are drawn here from formulas, so that tests know every pixel; the validator's picture
//! comes from `fixtures/validator`.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use super::pixels::Pixels;
use super::support::fixtures;

/// The identifier of the official validator's test picture.
pub(crate) const SQUARES: &str = "67352ccc-d1b0-11e1-89ae-279075081939.png";

/// File names that have to survive the way into an identifier and back: name, then the segment that
/// names it in canonical form.
pub(crate) const NAMES: &[(&str, &str)] = &[
    ("a b.png", "a%20b.png"),
    ("a+b.png", "a+b.png"),
    ("100%.png", "100%25.png"),
    ("%2F.png", "%252F.png"),
    ("%3C69.png", "%253C69.png"),
    ("画像.png", "%E7%94%BB%E5%83%8F.png"),
    ("صورة.png", "%D8%B5%D9%88%D8%B1%D8%A9.png"),
    ("folder/inner.png", "folder%2Finner.png"),
    (
        "folder/deep er/ünder.png",
        "folder%2Fdeep%20er%2F%C3%BCnder.png",
    ),
    ("what?#.png", "what%3F%23.png"),
    ("[frob]@.png", "%5Bfrob%5D%40.png"),
    ("urn:foo:a123,456.png", "urn:foo:a123,456.png"),
    ("it's.png", "it's.png"),
    ("semi;colon.png", "semi;colon.png"),
    ("page;2", "page;2"),
];

static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = scratch("library");
    fill(&folder);
    folder
});

/// The folder of masters.
pub(crate) fn library() -> &'static Path {
    &FOLDER
}

/// A fresh empty folder of this name below Cargo's folder for tests.
pub(crate) fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn fill(folder: &Path) {
    fs::copy(
        fixtures().join("validator").join(SQUARES),
        folder.join(SQUARES),
    )
    .unwrap();
    for (name, picture) in [
        ("plain.png", draw(300, 200, plain)),
        ("square.png", draw(200, 200, plain)),
        ("uneven.png", draw(1025, 513, plain)),
        ("odd.png", draw(2501, 1667, flat)),
        ("huge.png", draw(6000, 4000, flat)),
        ("line.png", draw(10_000, 1, flat)),
        ("gray.png", draw_gray(300, 200)),
        ("alpha.png", draw_alpha(64, 48)),
    ] {
        save(&folder.join(name), &picture);
    }
    let small = draw(7, 5, plain);
    for (name, _) in NAMES {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        save(&path, &small);
    }
}

/// The colour of a pixel of `plain.png`: no two neighbours are alike, and every channel has a gradient.
pub(crate) fn plain(x: usize, y: usize) -> [u8; 3] {
    let low = |value: usize| u8::try_from(value % 256).unwrap();
    [low(x), low(y * 2 + x / 2), low(x * 3 + y * 5)]
}

fn flat(x: usize, y: usize) -> [u8; 3] {
    let low = |value: usize| u8::try_from(value % 256).unwrap();
    [low(x / 64 * 32), low(y / 64 * 32), 90]
}

/// A picture of `color` at every place.
pub(crate) fn draw(width: usize, height: usize, color: impl Fn(usize, usize) -> [u8; 3]) -> Pixels {
    let mut data = Vec::with_capacity(width * height * 3);
    for y in 0..height {
        for x in 0..width {
            data.extend_from_slice(&color(x, y));
        }
    }
    Pixels {
        width,
        height,
        channels: 3,
        data,
    }
}

fn draw_gray(width: usize, height: usize) -> Pixels {
    let data = (0..width * height)
        .map(|at| u8::try_from((at % width + at / width) % 256).unwrap())
        .collect();
    Pixels {
        width,
        height,
        channels: 1,
        data,
    }
}

/// Left half opaque red, right half blue with an opacity of 0.
fn draw_alpha(width: usize, height: usize) -> Pixels {
    let data = (0..width * height)
        .flat_map(|at| {
            if at % width < width / 2 {
                [200, 10, 10, 255]
            } else {
                [10, 10, 200, 0]
            }
        })
        .collect();
    Pixels {
        width,
        height,
        channels: 4,
        data,
    }
}

/// Writes a picture as PNG.
pub(crate) fn save(path: &Path, picture: &Pixels) {
    fs::write(path, png(picture)).unwrap();
}

/// A picture as PNG.
pub(crate) fn png(picture: &Pixels) -> Vec<u8> {
    let mut bytes = Vec::new();
    let (width, height) = (picture.width as u32, picture.height as u32);
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    encoder.set_color(match picture.channels {
        1 => png::ColorType::Grayscale,
        2 => png::ColorType::GrayscaleAlpha,
        3 => png::ColorType::Rgb,
        _ => png::ColorType::Rgba,
    });
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&picture.data).unwrap();
    writer.finish().unwrap();
    bytes
}

/// A picture as JPEG of quality 100 without subsampling, with an EXIF orientation.
pub(crate) fn jpeg(picture: &Pixels, orientation: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, 100);
    encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::F_1_1);
    // One IFD with one entry: tag 0x0112, type SHORT, one value.
    let exif = [
        &b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0"[..],
        &[orientation],
        &[0; 6],
    ]
    .concat();
    encoder.add_app_segment(1, exif).unwrap();
    let (width, height) = (picture.width as u16, picture.height as u16);
    encoder
        .encode(&picture.data, width, height, jpeg_encoder::ColorType::Rgb)
        .unwrap();
    bytes
}
