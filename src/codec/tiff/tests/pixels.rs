//! Pixels: every fixture against libvips, windows against the whole, and samples from first principles.

use std::sync::Arc;

use super::super::tags;
use super::made::{Field, changed, gray, longs, shorts, single, tiled_gray};
use super::{Watched, bytes, decode, fixture, named, picture, whole, window};
use crate::cancel::Cancel;
use crate::codec::{DecodeLimits, Picture, jpeg, tiff};
use crate::error::ErrorKind;
use crate::geometry::{Dimensions, Orientation, Window};
use crate::raster::{Channels, Depth, Raster};
use crate::reader::RangeReader;

/// One line of `expected.txt`.
struct Expected {
    file: String,
    page: u32,
    level: usize,
    dimensions: Dimensions,
    channels: usize,
    depth: Depth,
    tolerance: u16,
    pixels: Vec<u8>,
}

fn expected() -> Vec<Expected> {
    let mut all = listed("");
    assert!(all.len() >= 70, "{} levels are expected", all.len());
    let kinds = listed("kinds/");
    assert!(kinds.len() >= 45, "{} kinds are expected", kinds.len());
    all.extend(kinds);
    all
}

/// What `expected.txt` of `folder` lists.
fn listed(folder: &str) -> Vec<Expected> {
    let list = String::from_utf8(fixture(&format!("{folder}expected.txt"))).unwrap();
    let parse = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let number = |at: usize| words[at].parse::<u32>().unwrap();
        Expected {
            file: words[0].into(),
            page: number(1),
            level: words[2].parse().unwrap(),
            dimensions: Dimensions::new(number(3), number(4)).unwrap(),
            channels: words[5].parse().unwrap(),
            depth: if number(6) == 16 {
                Depth::Sixteen
            } else {
                Depth::Eight
            },
            tolerance: tolerance(words[7]),
            pixels: fixture(&format!("{folder}raw/{}.raw", words[8])),
        }
    };
    // What one build alone reads is not expected of the others.
    let readable =
        |line: &&str| jpeg::decodes_twelve_bits() || !line.contains("12-bit.tif 1 0 45 37 1 16");
    list.lines().filter(readable).map(parse).collect()
}

/// By how much a sample may differ: JPEG not at all where libjpeg decodes it, as libvips does.
fn tolerance(word: &str) -> u16 {
    let libjpeg = cfg!(any(feature = "turbojpeg", feature = "mozjpeg"));
    match word {
        "jpeg" if libjpeg => 0,
        "jpeg" => 4,
        number => number.parse().unwrap(),
    }
}

fn open_page(expected: &Expected) -> Arc<dyn Picture> {
    let reader = Arc::new(fixture(&expected.file));
    tiff::open(reader, expected.page, &DecodeLimits::default())
        .unwrap_or_else(|error| panic!("{}: {error:?}", expected.file))
}

/// The largest difference between samples.
fn difference(depth: Depth, one: &[u8], other: &[u8]) -> u16 {
    assert_eq!(one.len(), other.len());
    let both = one.chunks_exact(2).zip(other.chunks_exact(2));
    let largest = match depth {
        Depth::Eight => one
            .iter()
            .zip(other)
            .map(|(a, b)| u16::from(a.abs_diff(*b)))
            .max(),
        Depth::Sixteen => both
            .map(|(a, b)| {
                let number = |pair: &[u8]| u16::from_le_bytes([pair[0], pair[1]]);
                number(a).abs_diff(number(b))
            })
            .max(),
    };
    largest.unwrap()
}

#[test]
fn pixels_are_those_that_libvips_reads() {
    for case in expected() {
        let picture = open_page(&case);
        let level = picture.facts().pyramid.levels()[case.level];
        assert_eq!(level.dimensions, case.dimensions, "{}", case.file);
        let raster = whole(picture.as_ref(), case.level)
            .unwrap_or_else(|error| panic!("{}: {error:?}", case.file));
        assert_eq!(raster.format().depth, case.depth, "{}", case.file);
        assert_eq!(
            raster.format().channels.count(),
            case.channels,
            "{}",
            case.file
        );
        let difference = difference(case.depth, &bytes(&raster), &case.pixels);
        assert!(
            difference <= case.tolerance,
            "{} level {}: {difference}",
            case.file,
            case.level
        );
    }
}

/// The pixels of `window` in `whole`, its last column and row repeated.
fn cut(whole: &Raster, window: Window) -> Vec<u8> {
    let size = whole.format().bytes_per_pixel();
    let Dimensions { width, height } = whole.dimensions();
    let all = bytes(whole);
    let mut part = Vec::new();
    for y in window.y..window.bottom() {
        for x in window.x..window.right() {
            let at = (y.min(height - 1) * width + x.min(width - 1)) as usize * size;
            part.extend_from_slice(&all[at..at + size]);
        }
    }
    part
}

#[test]
fn any_window_equals_the_same_pixels_of_the_whole() {
    let mut random = fastrand::Rng::with_seed(6);
    for case in expected() {
        let picture = open_page(&case);
        let all = whole(picture.as_ref(), case.level).unwrap();
        let Dimensions { width, height } = case.dimensions;
        for _ in 0..12 {
            let (x, y) = (random.u32(0..width), random.u32(0..height));
            let window = window(x, y, random.u32(1..=width - x), random.u32(1..=height - y));
            let part = decode(picture.as_ref(), case.level, window).unwrap();
            assert!(
                bytes(&part) == cut(&all, window),
                "{} {window:?}",
                case.file
            );
        }
    }
}

#[test]
fn a_window_past_the_levels_last_column_and_row_repeats_them() {
    for name in ["pyramid-pages.tif", "pyramid-subifds.tif"] {
        let picture = named(name);
        // 65×48 of 131×97: ⌈131 / 2⌉ is 66 and ⌈97 / 2⌉ is 49.
        let all = whole(picture.as_ref(), 1).unwrap();
        for window in [
            window(0, 0, 66, 49),
            window(40, 7, 26, 20),
            window(3, 48, 5, 1),
            window(65, 0, 1, 49),
            window(65, 48, 1, 1),
        ] {
            let part = decode(picture.as_ref(), 1, window).unwrap();
            assert!(bytes(&part) == cut(&all, window), "{name} {window:?}");
        }
        for beyond in [
            window(0, 0, 67, 49),
            window(60, 0, 6, 50),
            window(66, 0, 1, 1),
        ] {
            let error = picture.decode(1, beyond, &Cancel::new()).err().unwrap();
            assert_eq!(error.kind(), ErrorKind::Internal, "{beyond:?}");
        }
    }
}

#[test]
fn the_orientation_tag_is_a_fact_and_changes_no_stored_pixel() {
    for tag in 2..=8 {
        let picture = named(&format!("orientation-{tag}.tif"));
        assert_eq!(picture.facts().orientation, Orientation::from_tag(tag));
    }
    assert_eq!(
        named("gray16.tif").facts().orientation,
        Orientation::IDENTITY
    );
}

#[test]
fn facts_describe_container_cells_and_compression() {
    for (name, description, bits) in [
        ("rgb-strips-lzw2.tif", "TIFF, strips of 7 rows, LZW", 8),
        ("rgb16-strip-zip2.tif", "TIFF, one strip, Deflate", 16),
        ("big-tiles-zip2.tif", "BigTIFF, tiled 32×32, Deflate", 8),
        ("jpeg-tiles-rgb.tif", "TIFF, tiled 32×32, JPEG", 8),
        ("rgb-tiles-none.tif", "TIFF, tiled 32×16, uncompressed", 8),
        ("gray-2-bits.tif", "TIFF, one strip, Deflate", 2),
        (
            "separate-strips-lzw2.tif",
            "TIFF, strips of 9 rows, LZW, separate planes",
            8,
        ),
    ] {
        let picture = named(name);
        assert_eq!(picture.facts().description, description);
        assert_eq!(picture.facts().bits, bits, "{name}");
        assert_eq!(picture.facts().pages, 1, "{name}");
    }
}

#[test]
fn a_profile_is_a_fact() {
    let plain = named("alpha-straight.tif");
    assert_ne!(named("profile.tif").facts().colour, plain.facts().colour);
    assert_eq!(plain.facts().pixel.channels, Channels::Rgba);
}

/// Columns and rows of the 5×4 tiles of 32×32 in `pyramid-subifds.tif`.
fn watched() -> (Arc<Watched>, Arc<dyn Picture>) {
    let file = Watched::new(fixture("pyramid-subifds.tif"));
    let reader: Arc<dyn RangeReader> = Arc::<Watched>::clone(&file);
    let picture = tiff::open(reader, 1, &DecodeLimits::default()).unwrap();
    file.take();
    (file, picture)
}

#[test]
fn a_window_reads_the_tiles_that_it_touches_and_no_other() {
    let (file, picture) = watched();
    decode(picture.as_ref(), 0, window(33, 33, 20, 30)).unwrap();
    let one = file.take();
    assert_eq!(one.len(), 1, "{one:?}");
    decode(picture.as_ref(), 0, window(64, 33, 1, 1)).unwrap();
    let right = file.take();
    assert_eq!(right.len(), 1, "{right:?}");
    // libvips stores the tiles of a row one behind the other: both come with one read.
    decode(picture.as_ref(), 0, window(63, 40, 2, 2)).unwrap();
    let both = file.take();
    assert_eq!(both, [(one[0].0, one[0].1 + right[0].1)]);
    let whole = decode(picture.as_ref(), 0, window(0, 0, 131, 97)).unwrap();
    let read: usize = file.take().iter().map(|(_, length)| length).sum();
    assert!(read < file.bytes.len());
    assert_eq!(whole.dimensions().area(), 131 * 97);
}

#[test]
fn strips_above_and_below_a_window_stay_unread() {
    let strips = fixture("rgb-strips-none.tif");
    let file = Watched::new(strips);
    let reader: Arc<dyn RangeReader> = Arc::<Watched>::clone(&file);
    let picture = tiff::open(reader, 1, &DecodeLimits::default()).unwrap();
    file.take();
    decode(picture.as_ref(), 0, window(10, 14, 3, 7)).unwrap();
    let reads = file.take();
    // The third strip: 7 rows of 83 pixels.
    assert_eq!(reads, [(8 + 2 * 7 * 83 * 3, 7 * 83 * 3)]);
}

#[test]
fn prices_count_touched_tiles_and_the_strip_above_the_window() {
    let tiles = named("rgb-tiles-zip2.tif");
    assert_eq!(tiles.price(0, window(31, 15, 2, 2)).pixels, 4 * 32 * 16);
    assert_eq!(tiles.price(0, window(0, 0, 1, 1)).pixels, 32 * 16);
    let strips = named("rgb-strips-zip2.tif");
    assert_eq!(strips.price(0, window(9, 20, 2, 3)).pixels, 83 * (23 - 14));
    let one = named("rgb16-strip-zip2.tif");
    assert_eq!(one.price(0, window(9, 50, 2, 3)).pixels, 83 * 53);
    // What is not compressed is passed over.
    let stored = named("rgb-strips-none.tif");
    assert_eq!(stored.price(0, window(9, 20, 2, 3)).pixels, 83 * 3);
}

#[test]
fn one_huge_strip_flows_through_bounded_memory() {
    // 20,000 rows of 500 pixels of PackBits: runs of 128 times the row's number.
    let mut data = Vec::new();
    for row in 0..20_000_u32 {
        let value = row.to_le_bytes()[0];
        data.extend([129, value, 129, value, 129, value, 141, value]);
    }
    let fields = changed(
        gray(500, 20_000),
        &[
            shorts(tags::COMPRESSION, &[32773]),
            longs(
                tags::STRIP_BYTE_COUNTS,
                &[u32::try_from(data.len()).unwrap()],
            ),
        ],
    );
    let limits = DecodeLimits {
        max_bytes: 3 << 20,
        ..DecodeLimits::default()
    };
    let picture = tiff::open(Arc::new(single(&fields, &data)), 1, &limits).unwrap();
    let all = picture.facts().pyramid.dimensions().window();
    assert!(picture.price(0, all).bytes <= limits.max_bytes);
    let mut rows = picture.decode(0, all, &Cancel::new()).unwrap();
    let mut y = 0;
    while let Some(strip) = rows.next_strip().unwrap() {
        assert!(strip.dimensions().height < 2_000);
        for row in bytes(&strip).chunks_exact(500) {
            assert!(
                row.iter().all(|sample| *sample == u32::to_le_bytes(y)[0]),
                "{y}"
            );
            y += 1;
        }
    }
    assert_eq!(y, 20_000);
}

#[test]
fn a_tile_that_was_never_written_is_zero_before_it_gets_its_meaning() {
    let data: Vec<u8> = (0..=255).collect();
    let fields = changed(
        tiled_gray(20, 10),
        &[
            longs(tags::TILE_OFFSETS, &[8, 0]),
            longs(tags::TILE_BYTE_COUNTS, &[256, 0]),
        ],
    );
    for (photometric, absent) in [(1, 0), (0, 255)] {
        let fields = changed(fields.clone(), &[shorts(tags::PHOTOMETRIC, &[photometric])]);
        let picture = picture(single(&fields, &data)).unwrap();
        let raster = decode(picture.as_ref(), 0, window(14, 1, 4, 1)).unwrap();
        let stored = [30, 31].map(|value: u8| if photometric == 0 { !value } else { value });
        assert_eq!(bytes(&raster), [stored[0], stored[1], absent, absent]);
    }
}

#[test]
fn multiplied_opacity_is_divided_out_and_rounded() {
    let fields = changed(
        gray(4, 1),
        &[
            shorts(tags::SAMPLES_PER_PIXEL, &[2]),
            shorts(tags::BITS_PER_SAMPLE, &[8, 8]),
            shorts(tags::EXTRA_SAMPLES, &[1]),
            longs(tags::STRIP_BYTE_COUNTS, &[8]),
        ],
    );
    // 50 · 255 / 200 = 63.75; 3 · 255 / 2 is above the range; nothing is left of opacity 0.
    let data = [50, 200, 3, 2, 7, 0, 9, 255];
    let picture = picture(single(&fields, &data)).unwrap();
    let raster = whole(picture.as_ref(), 0).unwrap();
    assert_eq!(raster.format().channels, Channels::GrayAlpha);
    assert_eq!(bytes(&raster), [64, 200, 255, 2, 0, 0, 9, 255]);
}

#[test]
fn opacity_is_found_behind_samples_of_no_meaning() {
    let fields = changed(
        gray(2, 1),
        &[
            shorts(tags::SAMPLES_PER_PIXEL, &[3]),
            shorts(tags::BITS_PER_SAMPLE, &[8, 8, 8]),
            shorts(tags::EXTRA_SAMPLES, &[0, 2]),
            longs(tags::STRIP_BYTE_COUNTS, &[6]),
        ],
    );
    let picture = picture(single(&fields, &[1, 2, 3, 4, 5, 6])).unwrap();
    assert_eq!(bytes(&whole(picture.as_ref(), 0).unwrap()), [1, 3, 4, 6]);
}

#[test]
fn a_fourth_sample_beside_red_green_and_blue_is_opacity_unless_it_is_said_to_be_none() {
    let rgb = |extras: &[Field]| {
        let four = [
            shorts(tags::SAMPLES_PER_PIXEL, &[4]),
            shorts(tags::BITS_PER_SAMPLE, &[8, 8, 8, 8]),
            shorts(tags::PHOTOMETRIC, &[2]),
            longs(tags::STRIP_BYTE_COUNTS, &[4]),
        ];
        let fields = changed(changed(gray(1, 1), &four), extras);
        let picture = picture(single(&fields, &[1, 2, 3, 4])).unwrap();
        bytes(&whole(picture.as_ref(), 0).unwrap())
    };
    assert_eq!(rgb(&[]), [1, 2, 3, 4]);
    assert_eq!(rgb(&[shorts(tags::EXTRA_SAMPLES, &[0])]), [1, 2, 3]);
}

#[test]
fn strips_without_lengths_end_where_others_begin() {
    let mut fields = changed(
        gray(2, 3),
        &[
            longs(tags::ROWS_PER_STRIP, &[1]),
            // The second was never written, the third comes first.
            longs(tags::STRIP_OFFSETS, &[10, 0, 8]),
        ],
    );
    fields.retain(|field| field.tag() != tags::STRIP_BYTE_COUNTS);
    let picture = picture(single(&fields, &[1, 2, 3, 4])).unwrap();
    assert_eq!(
        bytes(&whole(picture.as_ref(), 0).unwrap()),
        [3, 4, 0, 0, 1, 2]
    );
    let beyond = changed(fields, &[longs(tags::STRIP_OFFSETS, &[8, 0, 1 << 30])]);
    let error = super::picture(single(&beyond, &[1, 2, 3, 4]))
        .and_then(|picture| whole(picture.as_ref(), 0).map(|_| ()))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}

#[test]
fn a_palette_of_bytes_is_taken_as_it_is() {
    let map: Vec<u16> = (0..12).map(|value| value * 20).collect();
    let fields = changed(
        gray(4, 1),
        &[
            shorts(tags::PHOTOMETRIC, &[3]),
            shorts(tags::BITS_PER_SAMPLE, &[2]),
            shorts(tags::COLOUR_MAP, &map),
        ],
    );
    let picture = picture(single(&fields, &[0b00_11_01_10, 0, 0, 0])).unwrap();
    let pixels = [[0, 80, 160], [60, 140, 220], [20, 100, 180], [40, 120, 200]];
    assert_eq!(bytes(&whole(picture.as_ref(), 0).unwrap()), pixels.concat());
}

#[test]
fn work_that_nobody_wants_stops_between_tiles() {
    let cancel = Cancel::new();
    let picture = named("rgb-tiles-zip2.tif");
    let mut rows = picture.decode(0, window(0, 0, 83, 61), &cancel).unwrap();
    assert!(rows.next_strip().unwrap().is_some());
    cancel.cancel();
    assert_eq!(rows.next_strip().unwrap_err().kind(), ErrorKind::Cancelled);
    assert!(rows.next_strip().unwrap().is_none());
}

#[test]
fn work_that_nobody_wants_does_not_begin_a_tile_that_was_never_written() {
    let cancel = Cancel::new();
    cancel.cancel();
    let absent = [
        longs(tags::TILE_OFFSETS, &[0]),
        longs(tags::TILE_BYTE_COUNTS, &[0]),
    ];
    let picture = picture(single(&changed(tiled_gray(16, 16), &absent), &[])).unwrap();
    let mut rows = picture.decode(0, window(0, 0, 16, 16), &cancel).unwrap();
    assert_eq!(rows.next_strip().unwrap_err().kind(), ErrorKind::Cancelled);
}
