//! Overlays on pictures whose every pixel is known: where they lie, at every level and orientation.

use std::sync::Arc;

use bytes::Bytes;

use super::cover::Cover;
use super::paint::{Painted, Painter};
use super::{MarkImage, Overlay, overlaid};
use crate::cancel::Cancel;
use crate::codec::stored::Proof;
use crate::codec::tests::fixture;
use crate::codec::{ColourMode, Components, Crew, DecodeLimits};
use crate::codec::{Facts, MasterFormat, Picture, Price, Stored, open};
use crate::error::{ErrorKind, Result};
use crate::geometry::{Dimensions, Level, Orientation, Pyramid, Region, ScaleFactor, Window};
use crate::iiif::Format;
use crate::raster::{Channels, Depth, OneStrip, PixelFormat, Raster, Rows, Samples, Shape, gather};

const FULL: Dimensions = Dimensions {
    width: 400,
    height: 300,
};

/// Every sample has one value; rows come in strips of three. All bytes may pass.
#[derive(Debug)]
struct Plain {
    facts: Facts,
    value: u16,
}

fn level(divisor: u32) -> Level {
    let factor = ScaleFactor::new(divisor).expect("not 0");
    Level {
        factor,
        dimensions: FULL.reduced(factor),
        tile: None,
    }
}

fn plain(format: MasterFormat, tag: u16, pixel: PixelFormat, value: u16) -> Arc<dyn Picture> {
    Arc::new(Plain {
        facts: Facts {
            description: String::new(),
            format,
            pyramid: Pyramid::new(level(1), vec![level(2), level(4), level(8)]),
            orientation: Orientation::from_tag(tag),
            pixel,
            bits: 8,
            colour: String::new(),
            pages: 1,
        },
        value,
    })
}

struct Strips {
    shape: Shape,
    value: u16,
    left: u32,
}

impl Rows for Strips {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn next_strip(&mut self) -> Result<Option<Raster>> {
        let Some(dimensions) = Dimensions::new(self.shape.dimensions.width, self.left.min(3))
        else {
            return Ok(None);
        };
        self.left -= dimensions.height;
        let channels = self.shape.format.channels;
        let pixels = dimensions.width as usize * dimensions.height as usize;
        let count = pixels * channels.count();
        let samples = match self.shape.format.depth {
            Depth::Eight => Samples::U8(vec![u8::try_from(self.value).expect("8 bits"); count]),
            Depth::Sixteen => Samples::U16(vec![self.value; count]),
        };
        Raster::new(dimensions, channels, samples).map(Some)
    }
}

impl Picture for Plain {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn price(&self, _: usize, _: Window) -> Price {
        Price::default()
    }

    fn decode(&self, _: usize, window: Window, _: &Cancel) -> Result<Box<dyn Rows>> {
        Ok(Box::new(Strips {
            shape: Shape {
                dimensions: window.dimensions(),
                format: self.facts.pixel,
            },
            value: self.value,
            left: window.height,
        }))
    }

    fn stored(&self, _: usize, _: Window, _: Format) -> Option<Stored> {
        Some(Stored {
            head: Bytes::new(),
            offset: 0,
            length: 1,
            replaced: &[],
            proof: Proof::Given,
        })
    }
}

fn region(x: u32, y: u32, width: u32, height: u32) -> Region {
    Region {
        x,
        y,
        width,
        height,
    }
}

fn rgb() -> PixelFormat {
    PixelFormat::eight(Channels::Rgb)
}

fn covered(region: Region) -> Overlay {
    Overlay {
        covers: vec![(region, [10, 20, 30])],
        marks: Vec::new(),
    }
}

fn marked(image: MarkImage, region: Region, opacity: u16) -> Overlay {
    Overlay {
        covers: Vec::new(),
        marks: vec![(Arc::new(image), region, opacity)],
    }
}

/// The window's samples of 8 bits, and how many a pixel has.
fn decoded(picture: &dyn Picture, level: usize, window: Window) -> (Vec<u8>, usize) {
    let cancel = Cancel::new();
    let mut rows = picture.decode(level, window, &cancel).expect("decodes");
    let raster = gather(rows.as_mut(), &cancel).expect("whole");
    let count = raster.format().channels.count();
    let Samples::U8(samples) = raster.into_samples() else {
        panic!("not 8 bits");
    };
    (samples, count)
}

fn whole(picture: &dyn Picture, level: usize) -> Window {
    picture.facts().pyramid.levels()[level].dimensions.window()
}

/// The pixel of the upright full image at a place.
fn upright(picture: &dyn Picture, x: u32, y: u32) -> Vec<u8> {
    let facts = picture.facts();
    let sides = facts.orientation.apply(FULL);
    let at = (facts.orientation.inverse()).apply_region(region(x, y, 1, 1), sides);
    let window = Window {
        x: at.x,
        y: at.y,
        width: 1,
        height: 1,
    };
    decoded(picture, 0, window).0
}

#[test]
fn a_cover_fills_its_rectangle_and_nothing_else_in_every_orientation() {
    for tag in 1..=8 {
        let picture = plain(MasterFormat::Png, tag, rgb(), 200);
        let sides = Orientation::from_tag(tag).apply(FULL);
        let over = overlaid(picture, &covered(region(100, 30, 60, 20)));
        let mut covered = 0;
        for y in 0..sides.height {
            for x in (0..sides.width).step_by(if y % 10 == 9 { 1 } else { 61 }) {
                let inside = (100..160).contains(&x) && (30..50).contains(&y);
                let expected = if inside { [10, 20, 30] } else { [200; 3] };
                assert_eq!(upright(over.as_ref(), x, y), expected, "{tag}: {x},{y}");
                covered += usize::from(inside);
            }
        }
        assert!(covered > 100, "{tag}");
    }
}

#[test]
fn a_cover_of_a_lossy_master_takes_whole_blocks_with_it() {
    let picture = plain(MasterFormat::Jpeg, 1, rgb(), 200);
    let over = overlaid(picture, &covered(region(100, 40, 60, 20)));
    let (samples, _) = decoded(over.as_ref(), 0, whole(over.as_ref(), 0));
    let is_covered = |x: usize, y: usize| samples[(y * 400 + x) * 3] == 10;
    // Blocks 96..160 × 32..64, and two pixels more.
    for (x, y, expected) in [
        (94, 40, true),
        (93, 40, false),
        (161, 40, true),
        (162, 40, false),
        (120, 30, true),
        (120, 29, false),
        (120, 65, true),
        (120, 66, false),
    ] {
        assert_eq!(is_covered(x, y), expected, "{x},{y}");
    }
}

#[test]
fn any_window_of_any_level_has_the_pixels_of_the_whole() {
    let image = checkers();
    let overlay = Overlay {
        covers: vec![(region(37, 41, 111, 73), [1, 2, 3])],
        marks: vec![(Arc::new(image), region(120, 90, 150, 150), 40_000)],
    };
    for tag in [1, 4, 6, 7] {
        let over = overlaid(plain(MasterFormat::Png, tag, rgb(), 99), &overlay);
        for level in 0..4 {
            let all = whole(over.as_ref(), level);
            let (samples, count) = decoded(over.as_ref(), level, all);
            assert!(samples.iter().any(|sample| *sample != 99));
            for (x, y, width, height) in [(3, 5, 20, 17), (11, 0, 33, 38), (0, 17, 50, 20)] {
                let window = Window {
                    x,
                    y,
                    width: width.min(all.width - x),
                    height: height.min(all.height - y),
                };
                let (part, _) = decoded(over.as_ref(), level, window);
                let row = window.width as usize * count;
                for (at, row) in part.chunks_exact(row).enumerate() {
                    let from = ((y as usize + at) * all.width as usize + x as usize) * count;
                    assert_eq!(row, &samples[from..from + row.len()], "{tag}, {level}");
                }
            }
        }
    }
}

#[test]
fn no_level_shows_what_a_cover_hides_or_what_is_near_it() {
    let over = overlaid(
        plain(MasterFormat::Tiff, 1, rgb(), 200),
        &covered(region(161, 83, 40, 40)),
    );
    for (level, factor) in [(1, 2_usize), (2, 4), (3, 8)] {
        let all = whole(over.as_ref(), level);
        let (samples, _) = decoded(over.as_ref(), level, all);
        let reach = 8 * factor;
        for y in 0..all.height as usize {
            for x in 0..all.width as usize {
                let (left, top) = (x * factor, y * factor);
                let near = left + factor + reach > 161
                    && left < 201 + reach
                    && top + factor + reach > 83
                    && top < 123 + reach;
                let hidden = samples[(y * all.width as usize + x) * 3] == 10;
                assert_eq!(hidden, near, "{level}: {x},{y}");
            }
        }
    }
}

#[test]
fn stored_bytes_pass_only_away_from_overlays() {
    let covers = covered(region(100, 40, 60, 20));
    let marks = marked(checkers(), region(100, 40, 60, 20), 30_000);
    for overlay in [covers, marks] {
        let over = overlaid(plain(MasterFormat::Jpeg, 1, rgb(), 200), &overlay);
        let passes = |level, x, y, width, height| {
            let window = Window {
                x,
                y,
                width,
                height,
            };
            let stored = over.stored(level, window, Format::Jpg);
            stored.is_some()
        };
        assert!(!passes(0, 0, 0, 400, 300));
        assert!(!passes(0, 128, 48, 1, 1));
        assert!(passes(0, 256, 0, 128, 128));
        assert!(!passes(2, 0, 0, 100, 75));
        // In one unit with the overlay, though not in it.
        assert!(!passes(1, 81, 0, 2, 2));
        assert!(!passes(9, 256, 0, 128, 128));
    }
}

/// Nobody helps.
#[derive(Debug)]
struct Alone;

impl Crew for Alone {
    fn share(&self, _: usize, work: &(dyn Fn() + Sync)) {
        work();
    }
}

#[test]
fn whoever_decodes_and_however_rows_come_the_overlay_is_on_them() {
    let hidden = region(100, 30, 60, 20);
    let over = overlaid(plain(MasterFormat::Png, 1, rgb(), 200), &covered(hidden));
    let window = Window {
        x: 98,
        y: 29,
        width: 4,
        height: 2,
    };
    let (light, dark) = ([200; 3], [10, 20, 30]);
    let rows = [[light; 4], [light, light, dark, dark]];
    let wanted = Samples::U8(rows.as_flattened().as_flattened().to_vec());
    let (cancel, crew) = (Cancel::new(), Arc::new(Alone) as Arc<dyn Crew>);
    let mut shared = over
        .decode_shared(0, window, &cancel, &crew)
        .expect("decodes");
    let shared = gather(shared.as_mut(), &cancel).expect("whole");
    assert_eq!(*shared.samples(), wanted);
    // Rows that are there at once are not pulled in strips.
    let bare = Raster::from_u8(window.dimensions(), Channels::Rgb, vec![200; 24]);
    let bare = OneStrip::from(bare.expect("as many samples"));
    let one = Dimensions {
        width: 1,
        height: 1,
    };
    let cover = Cover::new(hidden, dark, one);
    let painter = Painter::new(&[cover], &[], ScaleFactor::ONE, window);
    let mut rows = Painted::new(Box::new(bare), painter);
    let whole = rows.at_once().expect("painted").expect("at once");
    assert_eq!(*whole.samples(), wanted);
}

#[test]
fn stored_tiles_are_put_together_only_away_from_overlays() {
    let file = fixture("tiff/jpeg-tiles-ycbcr-420.tif");
    let picture = open(Arc::new(file), 1, &DecodeLimits::default()).expect("a fixture");
    let all = picture.facts().pyramid.dimensions().window();
    let corner = Window {
        width: 32,
        height: 32,
        ..all
    };
    let passes =
        |picture: &Arc<dyn Picture>, window| picture.mosaic(0, window, Components::All).is_some();
    assert!(passes(&picture, all) && passes(&picture, corner));
    let hidden = region(all.width - 3, all.height - 3, 2, 2);
    for overlay in [covered(hidden), marked(checkers(), hidden, 30_000)] {
        let over = overlaid(Arc::clone(&picture), &overlay);
        assert!(!passes(&over, all) && passes(&over, corner));
    }
}

#[test]
fn a_space_that_is_kept_is_kept_under_an_overlay() {
    let limits = DecodeLimits {
        colour: ColourMode::Keep,
        ..DecodeLimits::default()
    };
    let file = fixture("png/made-exif-profile.png");
    let picture = open(Arc::new(file), 1, &limits).expect("a fixture");
    let profile = picture.kept().expect("a space").profile().to_vec();
    let over = overlaid(picture, &covered(region(0, 0, 1, 1)));
    assert_eq!(over.kept().expect("the same").profile(), profile);
}

/// Red and green over blue and half a white, two pixels each way.
fn checkers() -> MarkImage {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, 2, 2);
    encoder.set_color(png::ColorType::Rgba);
    let mut writer = encoder.write_header().expect("in memory");
    let pixels = [
        [255, 0, 0, 255],
        [0, 255, 0, 255],
        [0, 0, 255, 255],
        [255, 255, 255, 128],
    ];
    writer.write_image_data(&pixels.concat()).expect("whole");
    writer.finish().expect("in memory");
    MarkImage::decode(file).expect("a picture")
}

#[test]
fn a_mark_is_upright_in_every_orientation() {
    for tag in 1..=8 {
        let picture = plain(MasterFormat::Png, tag, rgb(), 0);
        let overlay = marked(checkers(), region(10, 20, 100, 100), u16::MAX);
        let over = overlaid(picture, &overlay);
        for (x, y, expected) in [
            (9, 30, [0, 0, 0]),
            (10, 20, [255, 0, 0]),
            (30, 40, [255, 0, 0]),
            (90, 40, [0, 255, 0]),
            (109, 20, [0, 255, 0]),
            (30, 100, [0, 0, 255]),
            (90, 100, [128, 128, 128]),
            (109, 119, [128, 128, 128]),
            (110, 119, [0, 0, 0]),
            (90, 120, [0, 0, 0]),
        ] {
            assert_eq!(upright(over.as_ref(), x, y), expected, "{tag}: {x},{y}");
        }
    }
}

#[test]
fn a_mark_in_its_own_size_is_its_own_pixels() {
    let picture = plain(MasterFormat::Png, 1, rgb(), 100);
    let over = overlaid(picture, &marked(checkers(), region(7, 9, 2, 2), u16::MAX));
    let window = Window {
        x: 6,
        y: 9,
        width: 4,
        height: 2,
    };
    let (samples, _) = decoded(over.as_ref(), 0, window);
    let rows = [
        [[100; 3], [255, 0, 0], [0, 255, 0], [100; 3]].concat(),
        // 255 · 128/255 + 100 · 127/255.
        [[100; 3], [0, 0, 255], [178, 178, 178], [100; 3]].concat(),
    ];
    assert_eq!(samples, rows.concat());
}

#[test]
fn opacity_weighs_the_mark_in_every_kind_of_sample() {
    let sample = |pixel: PixelFormat, value: u16, opacity: u16| {
        let picture = plain(MasterFormat::Png, 1, pixel, value);
        let overlay = marked(checkers(), region(0, 0, 400, 300), opacity);
        let over = overlaid(picture, &overlay);
        let window = Window {
            x: 20,
            y: 20,
            width: 1,
            height: 1,
        };
        let cancel = Cancel::new();
        let mut rows = over.decode(0, window, &cancel).expect("decodes");
        gather(rows.as_mut(), &cancel)
            .expect("whole")
            .into_samples()
    };
    let eight = PixelFormat::eight;
    let half = 32_768;
    assert_eq!(
        sample(eight(Channels::Rgb), 100, half),
        Samples::U8(vec![178, 50, 50])
    );
    // The luma of red is 76.
    assert_eq!(
        sample(eight(Channels::Gray), 100, half),
        Samples::U8(vec![88])
    );
    assert_eq!(
        sample(PixelFormat::sixteen(Channels::Rgb), 10_000, half),
        Samples::U16(vec![37_768, 5_000, 5_000])
    );
    // Over a pixel that is 100/255 opaque: a = 0.5 + 0.5 · 0.392 = 0.696.
    assert_eq!(
        sample(eight(Channels::Rgba), 100, half),
        Samples::U8(vec![211, 28, 28, 178])
    );
    assert_eq!(
        sample(eight(Channels::Rgba), 0, u16::MAX),
        Samples::U8(vec![255, 0, 0, 255])
    );
    assert_eq!(
        sample(eight(Channels::GrayAlpha), 0, half),
        Samples::U8(vec![76, 128])
    );
}

#[test]
fn a_mark_keeps_its_mean_where_it_is_reduced() {
    // Columns of black and white, 256 of them.
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, 256, 256);
    encoder.set_color(png::ColorType::Grayscale);
    let mut writer = encoder.write_header().expect("in memory");
    let pixels: Vec<_> = (0..256 * 256).map(|at| [0, 255][at % 2]).collect();
    writer.write_image_data(&pixels).expect("whole");
    writer.finish().expect("in memory");
    let overlay = |side| {
        let mark = MarkImage::decode(file.clone()).expect("a picture");
        marked(mark, region(0, 0, side, side), u16::MAX)
    };
    for (side, level) in [(128, 0), (64, 1), (256, 2), (16, 0)] {
        let over = overlaid(plain(MasterFormat::Png, 1, rgb(), 0), &overlay(side));
        let window = Window {
            x: 2,
            y: 2,
            width: 4,
            height: 4,
        };
        let (samples, _) = decoded(over.as_ref(), level, window);
        assert!(
            samples.iter().all(|value| (127..=128).contains(value)),
            "{side}"
        );
    }
}

fn font() -> Vec<u8> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/overlay/blocks.ttf");
    std::fs::read(path).expect("made by tests/tools/make_blocks_font.py")
}

#[test]
fn a_text_is_cut_to_what_its_letters_cover() {
    let text = |text: &str| MarkImage::of_text(text, font(), [9, 8, 7]);
    let sides = |mark: MarkImage| (mark.dimensions().width, mark.dimensions().height);
    assert_eq!(sides(text("A").expect("a letter")), (256, 256));
    // A square, half an em of nothing, half a square.
    assert_eq!(sides(text("A B").expect("letters")), (512, 256));
    let mark = text("BA").expect("letters");
    let over = overlaid(
        plain(MasterFormat::Png, 1, rgb(), 200),
        &marked(mark, region(0, 0, 400, 200), u16::MAX),
    );
    // A left half, then a full square of the same width as both halves.
    assert_eq!(upright(over.as_ref(), 50, 100), [9, 8, 7]);
    assert_eq!(upright(over.as_ref(), 150, 100), [200, 200, 200]);
    assert_eq!(upright(over.as_ref(), 300, 100), [9, 8, 7]);
    let long = text(&"A".repeat(200)).expect("letters");
    assert!(long.dimensions().area() <= super::mark::MOST_PX);
    for wrong in ["C", "A\u{e9}", " "] {
        let error = text(wrong).expect_err(wrong);
        assert_eq!(error.kind(), ErrorKind::NotImplemented, "{wrong}");
    }
    let error = MarkImage::of_text("A", b"no font".to_vec(), [0; 3]).expect_err("no font");
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}

#[test]
fn a_picture_that_is_damaged_or_too_large_is_no_mark() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/fixtures/images/iiif-test-image.png"
    );
    let file = std::fs::read(path).expect("a fixture");
    assert!(MarkImage::decode(file.clone()).is_ok());
    for length in [0, 20, 200, file.len() / 2, file.len() - 20] {
        let cut = file[..length].to_vec();
        assert!(MarkImage::decode(cut).is_err(), "{length} bytes");
    }
    let mut large = Vec::new();
    let mut encoder = png::Encoder::new(&mut large, 4096, 1025);
    encoder.set_color(png::ColorType::Grayscale);
    let mut writer = encoder.write_header().expect("in memory");
    writer
        .write_image_data(&vec![0; 4096 * 1025])
        .expect("whole");
    writer.finish().expect("in memory");
    let error = MarkImage::decode(large).expect_err("too large");
    assert_eq!(error.kind(), ErrorKind::TooLarge);
}
