//! Whole levels against digests of a foreign decoder; windows against whole levels.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::cancel::Cancel;
use crate::codec::Crew;
use crate::geometry::{Dimensions, Orientation, Window};
use crate::raster::{Raster, Samples, gather};

/// Decodes `window` of a level.
fn decoded(picture: &dyn Picture, level: usize, window: Window) -> Raster {
    let cancel = Cancel::new();
    let mut rows = picture
        .decode(level, window, &cancel)
        .expect("the window is inside");
    gather(rows.as_mut(), &cancel).expect("the file is good")
}

fn whole(picture: &dyn Picture, level: usize) -> Raster {
    let dimensions = picture.facts().pyramid.levels()[level].dimensions;
    decoded(picture, level, dimensions.window())
}

fn wide(raster: &Raster) -> Vec<u16> {
    match raster.samples() {
        Samples::U8(samples) => samples.iter().map(|v| u16::from(*v)).collect(),
        Samples::U16(samples) => samples.clone(),
    }
}

fn digest(raster: &Raster) -> String {
    let bytes: Vec<u8> = wide(raster)
        .into_iter()
        .flat_map(u16::to_le_bytes)
        .collect();
    let mut crc = flate2::Crc::new();
    crc.update(&bytes);
    format!("{:08x}", crc.sum())
}

/// `file divisor width height channels bits crc32`, made by `tests/tools/make-jp2-expectations.sh`.
struct Expected {
    file: String,
    divisor: u32,
    dimensions: Dimensions,
    channels: usize,
    bits: u8,
    digest: String,
}

fn expectations() -> Vec<Expected> {
    let table = String::from_utf8(fixture("expected.txt")).expect("text");
    let lines = table.lines().filter(|line| !line.starts_with('#'));
    let parsed: Vec<_> = lines
        .map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            let number = |at: usize| words[at].parse::<u32>().expect("a number");
            Expected {
                file: words[0].to_owned(),
                divisor: number(1),
                dimensions: Dimensions::new(number(2), number(3)).expect("not empty"),
                channels: number(4) as usize,
                bits: u8::try_from(number(5)).expect("small"),
                digest: words[6].to_owned(),
            }
        })
        .collect();
    assert!(parsed.len() > 100, "the table of digests is incomplete");
    parsed
}

#[test]
fn every_reduction_by_the_5_3_filter_equals_openjpegs_own_decoding() {
    let mut compared = 0;
    for expected in expectations() {
        let name = format!("{} / {}", expected.file, expected.divisor);
        let picture = open_bytes(fixture(&expected.file)).expect(&name);
        let levels = picture.facts().pyramid.levels();
        let Some(level) = levels
            .iter()
            .position(|l| l.factor.get() == expected.divisor)
        else {
            // Offsets on the grid made it something else than floor or ceil of side / divisor.
            let full = levels[0].dimensions;
            let fits = |side: u32, reduced: u32| {
                reduced == (side / expected.divisor).max(1)
                    || reduced == side.div_ceil(expected.divisor)
            };
            assert!(
                !fits(full.width, expected.dimensions.width)
                    || !fits(full.height, expected.dimensions.height),
                "{name}: the level is missing"
            );
            continue;
        };
        assert_eq!(levels[level].dimensions, expected.dimensions, "{name}");
        assert_eq!(picture.facts().bits, expected.bits, "{name}");
        let raster = whole(picture.as_ref(), level);
        assert_eq!(
            raster.format().channels.count(),
            expected.channels,
            "{name}"
        );
        // Numbers differ by one at most, which tests of components hold.
        if picture.facts().description.contains("5/3") {
            assert_eq!(digest(&raster), expected.digest, "{name}");
            compared += 1;
        }
    }
    assert!(compared > 50, "only {compared} levels were compared");
}

/// The part of `whole` that `window` shows; what lies outside repeats the last column and row.
fn part(whole: &Raster, window: Window) -> Vec<u16> {
    let (samples, full) = (wide(whole), whole.dimensions());
    let channels = whole.format().channels.count();
    let mut part = Vec::new();
    for y in window.y..window.bottom() {
        for x in window.x..window.right() {
            let (x, y) = (x.min(full.width - 1), y.min(full.height - 1));
            let start = (y as usize * full.width as usize + x as usize) * channels;
            part.extend_from_slice(&samples[start..start + channels]);
        }
    }
    part
}

fn windows(full: Dimensions, random: &mut fastrand::Rng) -> Vec<Window> {
    let mut windows = vec![
        Window {
            x: 0,
            y: 0,
            width: full.width + 1,
            height: full.height + 1,
        },
        Window {
            x: full.width - 1,
            y: full.height - 1,
            width: 2,
            height: 2,
        },
    ];
    for _ in 0..8 {
        let (x, y) = (random.u32(0..full.width), random.u32(0..full.height));
        windows.push(Window {
            x,
            y,
            width: random.u32(1..=(full.width - x).min(200)),
            height: random.u32(1..=(full.height - y).min(200)),
        });
    }
    windows
}

#[test]
fn a_window_equals_the_same_pixels_of_its_whole_level_bit_for_bit() {
    let mut random = fastrand::Rng::with_seed(7);
    let files: BTreeSet<String> = expectations().into_iter().map(|e| e.file).collect();
    for name in files.iter().map(String::as_str).chain(["file3.jp2"]) {
        let picture = open_bytes(fixture(name)).expect(name);
        let levels = picture.facts().pyramid.levels().len();
        for level in 0..levels {
            let all = whole(picture.as_ref(), level);
            for window in windows(all.dimensions(), &mut random) {
                let seen = decoded(picture.as_ref(), level, window);
                assert!(
                    wide(&seen) == part(&all, window),
                    "{name}, level {level}, {window:?}"
                );
            }
        }
    }
}

#[test]
fn strips_follow_the_rows_of_tiles() {
    let picture = open_bytes(fixture("offsets-97.j2k")).expect("good");
    let cancel = Cancel::new();
    let full = picture.facts().pyramid.dimensions();
    let mut rows = picture.decode(0, full.window(), &cancel).expect("inside");
    let mut heights = Vec::new();
    while let Some(strip) = rows.next_strip().expect("good") {
        heights.push(strip.dimensions().height);
    }
    // Tiles of 150 rows from row 7 of the grid; the image has rows 21 to 597.
    assert_eq!(heights, [136, 150, 150, 141]);
    assert!(rows.next_strip().expect("none follows").is_none());
}

#[test]
fn a_request_that_is_withdrawn_stops_at_the_next_tile() {
    let picture = open_bytes(fixture("offsets-97.j2k")).expect("good");
    let cancel = Cancel::new();
    let full = picture.facts().pyramid.dimensions();
    let mut rows = picture.decode(0, full.window(), &cancel).expect("inside");
    rows.next_strip().expect("wanted so far").expect("a strip");
    cancel.cancel();
    assert_eq!(rows.next_strip().unwrap_err().kind(), ErrorKind::Cancelled);
    assert!(rows.next_strip().expect("after an error").is_none());
}

#[test]
fn a_window_outside_the_level_is_refused() {
    let picture = open_bytes(fixture("p0_01.j2k")).expect("good");
    let full = picture.facts().pyramid.dimensions();
    let cancel = Cancel::new();
    for (level, x) in [(0, full.width), (99, 0)] {
        let window = Window {
            x,
            y: 0,
            width: 1,
            height: 1,
        };
        let refused = picture
            .decode(level, window, &cancel)
            .err()
            .expect("refused");
        assert_eq!(refused.kind(), ErrorKind::Internal);
        assert_eq!(picture.price(level, window), crate::codec::Price::default());
    }
}

#[test]
fn a_price_grows_with_the_window_and_covers_its_pixels() {
    let picture = open_bytes(fixture("untiled-97.j2k")).expect("good");
    let full = picture.facts().pyramid.dimensions();
    let all = picture.price(0, full.window());
    let corner_window = Window {
        x: 0,
        y: 0,
        width: 64,
        height: 64,
    };
    let corner = picture.price(0, corner_window);
    assert!(all.pixels >= full.area() && all.pixels < full.area() * 11 / 10);
    assert!(corner.pixels >= 64 * 64 && corner.pixels < all.pixels);
    // A strip, twice, and the rows of blocks that it comes from.
    assert!(all.bytes >= full.area() * 2 && corner.bytes < all.bytes);
    // Once it is known where blocks lie, no code is walked through for it.
    decoded(picture.as_ref(), 0, corner_window);
    assert!(picture.price(0, corner_window).pixels < corner.pixels);
    let tiled = open_bytes(fixture("offsets-97.j2k")).expect("good");
    let full = tiled.facts().pyramid.dimensions();
    let whole = tiled.price(0, full.window());
    assert!(whole.pixels >= full.area() && whole.pixels < full.area() * 11 / 10);
}

#[test]
fn facts_say_how_the_master_is_stored() {
    let facts = |name: &str| open_bytes(fixture(name)).expect(name).facts().clone();
    let tiled = facts("offsets-97.j2k");
    assert_eq!(
        tiled.description,
        "JPEG 2000 (code stream), tiles 200×150, 4 reductions, 9/7, RPCL, 1 layer"
    );
    assert_eq!(tiled.pyramid.full().tile, Dimensions::new(200, 150));
    assert_eq!(tiled.pyramid.levels()[1].tile, Dimensions::new(100, 75));
    let untiled = facts("untiled-53.jp2");
    assert_eq!(
        untiled.description,
        "JPEG 2000 (JP2), one tile, 5 reductions, 5/3, LRCP, 1 layer"
    );
    assert_eq!(
        (untiled.pyramid.full().tile, untiled.colour.as_str()),
        (None, "sRGB")
    );
    assert!(
        facts("high-throughput.j2c")
            .description
            .ends_with(", high throughput")
    );
}

#[test]
fn orientation_comes_from_an_exif_box() {
    let picture = open_bytes(fixture("jp2-orientation-90.jp2")).expect("good");
    assert_eq!(picture.facts().orientation, Orientation::from_tag(6));
    let mut with_exif = fixture("untiled-53.jp2");
    let tiff = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x05\0\0\0\0\0\0\0";
    let block = [b"JpgTiffExif->JP2".as_slice(), tiff].concat();
    with_exif.extend(made::boxed(*b"uuid", &block));
    let picture = open_bytes(with_exif).expect("good");
    assert_eq!(picture.facts().orientation, Orientation::from_tag(5));
}

/// Two more threads, whoever needs them; counts how often they were asked.
#[derive(Debug, Default)]
struct Two(AtomicUsize);

impl Crew for Two {
    fn share(&self, most: usize, work: &(dyn Fn() + Sync)) {
        self.0.fetch_add(most.min(2), Ordering::Relaxed);
        std::thread::scope(|scope| {
            for _ in 0..most.min(2) {
                scope.spawn(work);
            }
            work();
        });
    }
}

#[test]
fn a_crew_decodes_what_one_thread_does() {
    let two = Arc::new(Two::default());
    let crew: Arc<dyn Crew> = Arc::clone(&two) as _;
    for name in ["untiled-97.j2k", "untiled-53.jp2", "offsets-97.j2k"] {
        let picture = open_bytes(fixture(name)).expect(name);
        let full = picture.facts().pyramid.dimensions().window();
        let cancel = Cancel::new();
        let rows = picture.decode_shared(0, full, &cancel, &crew);
        let shared = gather(rows.expect("inside").as_mut(), &cancel).expect("good");
        assert!(wide(&shared) == wide(&whole(picture.as_ref(), 0)), "{name}");
        assert!(
            two.0.swap(0, Ordering::Relaxed) > 2,
            "{name}: nobody was asked"
        );
    }
}

#[test]
fn a_crew_stops_when_nobody_waits() {
    let crew: Arc<dyn Crew> = Arc::new(Two::default());
    let picture = open_bytes(fixture("untiled-97.j2k")).expect("good");
    let full = picture.facts().pyramid.dimensions().window();
    let cancel = Cancel::new();
    let rows = picture.decode_shared(0, full, &cancel, &crew);
    let mut rows = rows.expect("inside");
    cancel.cancel();
    assert_eq!(rows.next_strip().unwrap_err().kind(), ErrorKind::Cancelled);
    assert!(rows.next_strip().expect("after an error").is_none());
}
