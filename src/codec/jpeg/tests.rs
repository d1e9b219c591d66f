//! Pixels and files against libjpeg-turbo's own tools (`tests/tools/make_jpeg_expectations.py`),
//! windows against whole decodes, damaged and hostile streams.

use std::path::PathBuf;
use std::sync::Arc;

use super::testing::Seeded;
use super::*;
use crate::encoding::Subsampling;
use crate::error::ErrorKind;
use crate::geometry::{Dimensions, Orientation, Window};
use crate::raster::{OneStrip, PixelFormat, Raster, Samples, gather};

fn fixture(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/jpeg");
    std::fs::read(path.join(name)).unwrap()
}

fn lines(name: &str, floor: usize) -> Vec<String> {
    let text = String::from_utf8(fixture(name)).unwrap();
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    assert!(lines.len() >= floor, "{name} has {} lines", lines.len());
    lines
}

fn open_bytes(bytes: Vec<u8>) -> Result<Arc<dyn Picture>> {
    open(Arc::new(bytes), &DecodeLimits::default())
}

fn decode(picture: &dyn Picture, level: usize, window: Window) -> Result<Raster> {
    let cancel = Cancel::new();
    let mut rows = picture.decode(level, window, &cancel)?;
    gather(rows.as_mut(), &cancel)
}

fn decode_level(picture: &dyn Picture, level: usize) -> Result<Raster> {
    let dimensions = picture.facts().pyramid.levels()[level].dimensions;
    decode(picture, level, dimensions.window())
}

fn decode_all(bytes: Vec<u8>) -> Result<Raster> {
    decode_level(open_bytes(bytes)?.as_ref(), 0)
}

fn bytes_of(raster: &Raster) -> &[u8] {
    match raster.samples() {
        Samples::U8(samples) => samples,
        Samples::U16(_) => panic!("16 bits from a JPEG"),
    }
}

fn cut(raster: &Raster, window: Window) -> Vec<u8> {
    let channels = raster.format().channels.count();
    let left = window.x as usize * channels;
    let width = window.width as usize * channels;
    bytes_of(raster)
        .chunks_exact(raster.row_len())
        .skip(window.y as usize)
        .take(window.height as usize)
        .flat_map(|row| row[left..left + width].to_vec())
        .collect()
}

/// Slopes, edges and a little noise, as the script makes them.
fn pattern(channels: u32, width: u32, height: u32) -> Vec<u8> {
    let mut state = 1_u64;
    let mut samples = Vec::new();
    for y in 0..height {
        for x in 0..width {
            for channel in 0..channels {
                state = (state * 1_103_515_245 + 12_345) & 0x7fff_ffff;
                let noise = u32::try_from((state >> 16) & 15).unwrap();
                let edge = u32::from((x / 13 + y / 9 + channel) % 3 == 0) * 60;
                let value = x * (channel + 1) / 2 + y / (channel + 1) + edge + noise;
                samples.push(value.to_le_bytes()[0]);
            }
        }
    }
    samples
}

fn picture(channels: u32, width: u32, height: u32) -> Raster {
    let format = if channels == 1 {
        Channels::Gray
    } else {
        Channels::Rgb
    };
    let dimensions = Dimensions::new(width, height).unwrap();
    Raster::from_u8(dimensions, format, pattern(channels, width, height)).unwrap()
}

/// A raster as strips of uneven heights.
struct Strips {
    raster: Raster,
    done: u32,
}

impl Rows for Strips {
    fn shape(&self) -> crate::raster::Shape {
        OneStrip::from(self.raster.clone()).shape()
    }

    fn next_strip(&mut self) -> Result<Option<Raster>> {
        let whole = self.raster.dimensions();
        let height = (self.done % 7 * 5 + 3).min(whole.height - self.done);
        let Some(dimensions) = Dimensions::new(whole.width, height) else {
            return Ok(None);
        };
        let window = Window {
            x: 0,
            y: self.done,
            width: whole.width,
            height,
        };
        self.done += height;
        let samples = cut(&self.raster, window);
        Raster::from_u8(dimensions, self.raster.format().channels, samples).map(Some)
    }
}

fn encode_picture(raster: Raster, settings: JpegSettings) -> Result<Vec<u8>> {
    let mut file = Vec::new();
    let mut rows = Strips { raster, done: 0 };
    encode(&mut rows, &settings, &Cancel::new(), &mut file)?;
    Ok(file)
}

fn largest_difference(a: &Raster, b: &Raster) -> u8 {
    assert_eq!(a.dimensions(), b.dimensions());
    let pairs = bytes_of(a).iter().zip(bytes_of(b));
    pairs.map(|(a, b)| a.abs_diff(*b)).max().unwrap()
}

fn mean_difference(a: &Raster, b: &Raster) -> f64 {
    assert_eq!(a.dimensions(), b.dimensions());
    let pairs = bytes_of(a).iter().zip(bytes_of(b));
    let sum: u64 = pairs.map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    sum as f64 / bytes_of(a).len() as f64
}

#[test]
fn orientations_are_those_of_the_exif_tag() {
    for line in lines("oriented.txt", 8) {
        let (name, tag) = line.split_once(' ').unwrap();
        if name.starts_with("no-")
            || (name.contains("arithmetic") && !scanlines::decodes_arithmetic())
        {
            continue;
        }
        let picture = open_bytes(fixture(name)).unwrap();
        let expected = Orientation::from_tag(tag.parse().unwrap());
        assert_eq!(picture.facts().orientation, expected, "{name}");
    }
}

/// Largest difference from djpeg: none by the same library, rounding and upsampling by another.
const TOLERANCE: u8 = if scanlines::DIVISORS.is_empty() { 4 } else { 0 };

#[test]
fn pixels_are_those_of_djpeg() {
    for name in ["landscape-1", "iptc"] {
        let ours = decode_all(fixture(&format!("{name}.jpg"))).unwrap();
        let foreign = fixture(&format!("{name}.ppm"));
        let length = bytes_of(&ours).len();
        let samples = foreign[foreign.len() - length..].to_vec();
        let foreign = Raster::from_u8(ours.dimensions(), Channels::Rgb, samples).unwrap();
        let largest = largest_difference(&ours, &foreign);
        assert!(
            (0..=TOLERANCE).contains(&largest),
            "{name} differs by {largest}"
        );
    }
}

#[test]
fn facts_say_what_is_stored() {
    let picture = open_bytes(fixture("made-progressive-420.jpg")).unwrap();
    let facts = picture.facts();
    assert_eq!(facts.description, "JPEG, progressive");
    assert_eq!(
        facts.pyramid.dimensions(),
        Dimensions::new(203, 157).unwrap()
    );
    assert_eq!(facts.pixel.channels, Channels::Rgb);
    assert_eq!((facts.bits, facts.pages), (8, 1));
    let gray = open_bytes(fixture("made-gray.jpg")).unwrap();
    assert_eq!(gray.facts().pixel.channels, Channels::Gray);
    assert_eq!(gray.facts().description, "JPEG, sequential");
}

#[test]
fn strips_add_up_to_the_window_and_nothing_follows() {
    let picture = open_bytes(fixture("made-420.jpg")).unwrap();
    let window = Window {
        x: 10,
        y: 20,
        width: 100,
        height: 130,
    };
    let mut rows = picture.decode(0, window, &Cancel::new()).unwrap();
    assert_eq!(rows.shape().dimensions, window.dimensions());
    let mut height = 0;
    while let Some(strip) = rows.next_strip().unwrap() {
        assert_eq!(strip.dimensions().width, 100);
        height += strip.dimensions().height;
    }
    assert_eq!(height, 130);
    assert!(rows.next_strip().unwrap().is_none());
}

#[test]
fn a_window_outside_its_level_is_a_fault_of_the_caller() {
    let picture = open_bytes(fixture("made-420.jpg")).unwrap();
    let window = Window {
        x: 200,
        y: 0,
        width: 4,
        height: 1,
    };
    let error = picture.decode(0, window, &Cancel::new()).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Internal);
    let window = Window {
        x: 0,
        y: 0,
        width: 1,
        height: 1,
    };
    assert!(picture.decode(9, window, &Cancel::new()).is_err());
}

#[test]
fn every_kind_of_colour_and_depth_has_its_pixels() {
    let list = String::from_utf8(fixture("kinds/expected.txt")).unwrap();
    assert!(list.lines().count() >= 5);
    for line in list.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let [name, _, _, width, height, channels, bits, tolerance, digest] = words[..] else {
            panic!("{line}");
        };
        let opened = open_bytes(fixture(name));
        let native = cfg!(any(feature = "turbojpeg", feature = "mozjpeg"));
        let lossless = name.contains("lossless");
        if bits == "16" && !lossless && !decodes_twelve_bits() {
            let refused = opened.and_then(|picture| whole_of(&*picture, 0));
            assert_eq!(refused.err().unwrap().kind(), ErrorKind::NotImplemented);
            continue;
        }
        let picture = opened.unwrap();
        let raster = whole_of(&*picture, 0).unwrap();
        let dimensions = raster.dimensions();
        assert_eq!(
            dimensions.to_string(),
            format!("{width}×{height}"),
            "{name}"
        );
        assert_eq!(raster.format(), picture.facts().pixel, "{name}");
        assert_eq!(
            raster.format().channels.count().to_string(),
            channels,
            "{name}"
        );
        let theirs = fixture(&format!("kinds/raw/{digest}.raw"));
        let tolerance: u16 = tolerance.parse().unwrap();
        let worst = match raster.samples() {
            Samples::U8(ours) => {
                let pairs = ours.iter().zip(&theirs);
                pairs.map(|(a, b)| u16::from(a.abs_diff(*b))).max()
            }
            Samples::U16(ours) => {
                let pairs = ours.iter().zip(theirs.as_chunks::<2>().0);
                pairs.map(|(a, b)| a.abs_diff(u16::from_le_bytes(*b))).max()
            }
        };
        // Other libraries turn frequencies into samples by other roundings.
        let tolerance = if native || lossless {
            tolerance
        } else {
            tolerance.max(8)
        };
        assert!(worst.unwrap() <= tolerance, "{name}: {worst:?}");
        for level in 1..picture.facts().pyramid.levels().len() {
            let reduced = whole_of(&*picture, level).unwrap();
            assert_eq!(reduced.format(), raster.format(), "{name}");
        }
    }
}

/// All of one level.
fn whole_of(picture: &dyn Picture, level: usize) -> Result<Raster> {
    let window = picture.facts().pyramid.levels()[level].dimensions.window();
    let cancel = Cancel::new();
    gather(picture.decode(level, window, &cancel)?.as_mut(), &cancel)
}

#[test]
fn any_window_of_inks_and_of_12_bits_equals_the_same_pixels_of_the_whole() {
    let mut random = fastrand::Rng::with_seed(12);
    for name in ["kinds/ycck-profile.jpg", "kinds/rgb-12-bit-420.jpg"] {
        let Ok(picture) = open_bytes(fixture(name)) else {
            assert!(!decodes_twelve_bits(), "{name} is refused");
            continue;
        };
        let all = whole_of(&*picture, 0).unwrap();
        let Dimensions { width, height } = all.dimensions();
        let level = |samples: &Samples, at: usize| match samples {
            Samples::U8(all) => u16::from(all[at]),
            Samples::U16(all) => all[at],
        };
        for _ in 0..30 {
            let (x, y) = (random.u32(0..width), random.u32(0..height));
            let window = Window {
                x,
                y,
                width: random.u32(1..=width - x),
                height: random.u32(1..=height - y),
            };
            let cancel = Cancel::new();
            let mut rows = picture.decode(0, window, &cancel).unwrap();
            let part = gather(rows.as_mut(), &cancel).unwrap();
            for row in 0..window.height {
                for sample in 0..3 * window.width {
                    let ours = level(part.samples(), (row * 3 * window.width + sample) as usize);
                    let at = (y + row) * 3 * width + 3 * x + sample;
                    assert_eq!(ours, level(all.samples(), at as usize), "{name} {window:?}");
                }
            }
        }
    }
}

#[test]
fn inks_without_a_profile_are_those_of_a_press() {
    let picture = open_bytes(fixture("kinds/cmyk.jpg")).unwrap();
    assert_eq!(picture.facts().colour, "CMYK, untagged");
    assert_eq!(picture.facts().pixel, PixelFormat::eight(Channels::Rgb));
    let whole = picture.facts().pyramid.dimensions().window();
    assert!(picture.stored(0, whole, crate::iiif::Format::Jpg).is_none());
    let profiled = open_bytes(fixture("kinds/cmyk-profile.jpg")).unwrap();
    assert_eq!(profiled.facts().colour, "Press with dot gain");
}

/// Where the two bytes of the frame's height stand.
fn height_at(bytes: &[u8]) -> usize {
    let frame = bytes
        .windows(2)
        .position(|w| matches!(w, [0xff, 0xc0 | 0xc2]));
    frame.unwrap() + 5
}

#[test]
fn codings_and_depths_that_are_not_read_are_said_so() {
    let plain = fixture("made-420.jpg");
    let marker = height_at(&plain) - 4;
    for code in [0xc3, 0xc5, 0xc6, 0xc7, 0xcb, 0xcd, 0xce, 0xcf, 0xf7] {
        let mut bytes = plain.clone();
        bytes[marker] = code;
        let error = open_bytes(bytes).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::NotImplemented, "{code:x}");
    }
    let mut deep = plain;
    deep[marker + 3] = 16;
    assert_eq!(
        open_bytes(deep).err().unwrap().kind(),
        ErrorKind::NotImplemented
    );
}

#[test]
fn every_truncation_is_an_error() {
    for name in [
        "made-420.jpg",
        "made-progressive-420.jpg",
        "made-scans-420.jpg",
    ] {
        let whole = fixture(name);
        // The end marker is two bytes; a whole scan before it is told from the rest by codes alone.
        let ends = [whole.len() - 40, whole.len() - 3];
        for length in (0..whole.len() - 2).step_by(113).chain(ends) {
            let error = decode_all(whole[..length].to_vec()).err();
            let kind = error.unwrap_or_else(|| panic!("{name} at {length}")).kind();
            assert_eq!(kind, ErrorKind::Corrupt, "{name} at {length}");
        }
    }
}

fn assert_corrupt(bytes: Vec<u8>, what: &str) {
    let error = decode_all(bytes)
        .err()
        .unwrap_or_else(|| panic!("{what} was accepted"));
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{what}");
}

#[test]
fn codes_that_no_table_has_are_an_error() {
    for name in ["made-420.jpg", "made-progressive-420.jpg"] {
        let mut bytes = fixture(name);
        // In sequential scans the native library looks at codes closely near the end alone.
        let at = bytes.len() - 300;
        for pair in bytes[at..at + 40].chunks_mut(2) {
            pair.copy_from_slice(&[0xff, 0x00]);
        }
        assert_corrupt(bytes, name);
    }
}

#[test]
fn damaged_files_never_panic_or_hang() {
    let mut seeded = Seeded(7);
    let settings = JpegSettings {
        progressive: true,
        ..JpegSettings::default()
    };
    let files = [
        fixture("iptc.jpg"),
        fixture("landscape-2.jpg"),
        encode_picture(picture(3, 50, 41), settings).unwrap(),
    ];
    for round in 0..3000 {
        let mut bytes = files[round % files.len()].clone();
        for _ in 0..=seeded.below(4) {
            let at = seeded.below(u32::try_from(bytes.len()).unwrap()) as usize;
            bytes[at] = seeded.below(256).to_le_bytes()[0];
        }
        let limits = DecodeLimits {
            max_area_px: 1 << 16,
            max_scans: 50,
            ..DecodeLimits::default()
        };
        let Ok(picture) = open(Arc::new(bytes), &limits) else {
            continue;
        };
        let level = picture.facts().pyramid.levels().len() - 1;
        if let Ok(raster) = decode_level(picture.as_ref(), level) {
            assert_eq!(
                raster.dimensions(),
                picture.facts().pyramid.levels()[level].dimensions
            );
        }
        if let Ok(raster) = decode_level(picture.as_ref(), 0) {
            assert_eq!(raster.dimensions(), picture.facts().pyramid.dimensions());
        }
    }
}

#[test]
fn dimensions_that_the_bytes_cannot_hold_are_refused_at_open() {
    for name in ["made-420.jpg", "made-progressive-420.jpg"] {
        let mut bytes = fixture(name);
        let at = height_at(&bytes);
        bytes[at..at + 4].copy_from_slice(&[0xff, 0xdc, 0xff, 0xdc]);
        let error = open_bytes(bytes).err().unwrap();
        assert!(
            matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::TooLarge),
            "{name}: {error:?}"
        );
    }
}

#[test]
fn limits_are_met_exactly() {
    let open_within = |limits: DecodeLimits| {
        open(Arc::new(fixture("made-420.jpg")), &limits).map_err(|error| error.kind())
    };
    let base = DecodeLimits::default;
    assert!(
        open_within(DecodeLimits {
            max_side_px: 203,
            ..base()
        })
        .is_ok()
    );
    let error = open_within(DecodeLimits {
        max_side_px: 202,
        ..base()
    });
    assert_eq!(error.err(), Some(ErrorKind::TooLarge));
    assert!(
        open_within(DecodeLimits {
            max_area_px: 203 * 157,
            ..base()
        })
        .is_ok()
    );
    let error = open_within(DecodeLimits {
        max_area_px: 203 * 157 - 1,
        ..base()
    });
    assert_eq!(error.err(), Some(ErrorKind::TooLarge));
    let error = open_within(DecodeLimits {
        max_metadata_bytes: 100,
        ..base()
    });
    assert_eq!(error.err(), Some(ErrorKind::TooLarge));
}

#[test]
fn a_cancelled_decode_stops() {
    let picture = open_bytes(fixture("made-420.jpg")).unwrap();
    let cancel = Cancel::new();
    let window = picture.facts().pyramid.dimensions().window();
    let mut rows = picture.decode(0, window, &cancel).unwrap();
    cancel.cancel();
    assert_eq!(rows.next_strip().unwrap_err().kind(), ErrorKind::Cancelled);
    assert!(rows.next_strip().unwrap().is_none());
}

/// A source that can go away.
#[derive(Debug)]
struct Leaving(Vec<u8>, std::sync::atomic::AtomicBool);

impl RangeReader for Leaving {
    fn length(&self) -> u64 {
        self.0.len() as u64
    }

    fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        if self.1.load(std::sync::atomic::Ordering::Relaxed) {
            return Err(Error::new(ErrorKind::Upstream, "the source is away"));
        }
        self.0.read(offset, buffer)
    }
}

#[test]
fn the_error_of_a_source_comes_through_as_it_was() {
    let leaving = Arc::new(Leaving(fixture("made-420.jpg"), false.into()));
    let reader = Arc::clone(&leaving) as Arc<dyn RangeReader>;
    let picture = open(reader, &DecodeLimits::default()).unwrap();
    leaving.1.store(true, std::sync::atomic::Ordering::Relaxed);
    let error = decode_level(picture.as_ref(), 0).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Upstream);
}

#[test]
fn a_tile_takes_its_colour_from_the_format_around_it() {
    let (limits, cancel) = (DecodeLimits::default(), Cancel::new());
    let expected = Dimensions::new(203, 157).unwrap();
    let tile = |name: &str, colour| decode_tile(&fixture(name), colour, expected, &limits, &cancel);
    let whole = decode_all(fixture("made-444.jpg")).unwrap();
    assert_eq!(tile("made-444.jpg", TileColour::YCbCr).unwrap(), whole);
    let raw = tile("made-444.jpg", TileColour::Rgb).unwrap();
    assert_ne!(raw, whole);
    // The components as they are: luma is what converting the picture to gray gives, within rounding.
    for (stored, shown) in bytes_of(&raw).chunks(3).zip(bytes_of(&whole).chunks(3)) {
        let [r, g, b] = [shown[0], shown[1], shown[2]].map(f64::from);
        if [r, g, b].iter().all(|v| (1.0..255.0).contains(v)) {
            assert!((0.299 * r + 0.587 * g + 0.114 * b - f64::from(stored[0])).abs() < 2.0);
        }
    }
    let gray = tile("made-gray.jpg", TileColour::Gray).unwrap();
    assert_eq!(gray, decode_all(fixture("made-gray.jpg")).unwrap());
    let error = tile("made-gray.jpg", TileColour::YCbCr).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}

#[test]
fn a_tile_has_the_expected_width_and_at_least_the_height() {
    let (limits, cancel) = (DecodeLimits::default(), Cancel::new());
    let bytes = fixture("made-420.jpg");
    let whole = decode_all(bytes.clone()).unwrap();
    let tile = |width, height| {
        let expected = Dimensions::new(width, height).unwrap();
        decode_tile(&bytes, TileColour::YCbCr, expected, &limits, &cancel)
    };
    let upper = tile(203, 100).unwrap();
    assert_eq!(bytes_of(&upper), &bytes_of(&whole)[..203 * 3 * 100]);
    for (width, height) in [(203, 158), (202, 157), (204, 157)] {
        assert_eq!(tile(width, height).unwrap_err().kind(), ErrorKind::Corrupt);
    }
}

#[test]
fn a_tile_without_its_tables_never_uses_those_of_another() {
    let (limits, cancel) = (DecodeLimits::default(), Cancel::new());
    let expected = Dimensions::new(203, 157).unwrap();
    let whole = fixture("made-444.jpg");
    let decode = |bytes: &[u8]| decode_tile(bytes, TileColour::YCbCr, expected, &limits, &cancel);
    let mut bare = whole.clone();
    while let Some(at) = bare.windows(2).position(|w| w == [0xff, 0xdb]) {
        let length = usize::from(u16::from_be_bytes([bare[at + 2], bare[at + 3]]));
        bare.drain(at..at + 2 + length);
    }
    decode(&whole).unwrap();
    assert_eq!(decode(&bare).unwrap_err().kind(), ErrorKind::Corrupt);
}

#[test]
fn rows_that_are_no_gray_or_rgb_of_8_bits_are_refused() {
    let dimensions = Dimensions::new(2, 1).unwrap();
    let alpha = Raster::from_u8(dimensions, Channels::GrayAlpha, vec![0; 4]).unwrap();
    let deep = Raster::from_u16(dimensions, Channels::Gray, vec![0; 2]).unwrap();
    for raster in [alpha, deep] {
        let mut rows = OneStrip::from(raster);
        let settings = JpegSettings::default();
        let error = encode(&mut rows, &settings, &Cancel::new(), &mut Vec::new());
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Internal);
    }
}

struct Full;

impl io::Write for Full {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_sink_that_refuses_bytes_ends_the_encoding() {
    for progressive in [false, true] {
        let settings = JpegSettings {
            progressive,
            ..JpegSettings::default()
        };
        let mut rows = OneStrip::from(picture(3, 300, 300));
        let error = encode(&mut rows, &settings, &Cancel::new(), &mut Full).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled);
        // The next file on this thread does not notice.
        assert!(encode_picture(picture(3, 20, 20), settings).is_ok());
    }
}

#[test]
fn a_picture_beyond_65500_a_side_is_refused_before_a_row_is_pulled() {
    let dimensions = Dimensions::new(65_501, 1).unwrap();
    let raster = Raster::from_u8(dimensions, Channels::Gray, vec![0; 65_501]).unwrap();
    let error = encode_picture(raster, JpegSettings::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadRequest);
    let dimensions = Dimensions::new(1, 65_500).unwrap();
    let raster = Raster::from_u8(dimensions, Channels::Gray, vec![0; 65_500]).unwrap();
    assert!(encode_picture(raster, JpegSettings::default()).is_ok());
}

#[test]
fn what_is_encoded_decodes_to_nearly_the_same() {
    for (channels, progressive) in [(1, false), (1, true), (3, false), (3, true)] {
        let original = picture(channels, 203, 157);
        let settings = JpegSettings {
            quality: 95,
            subsampling: Subsampling::S444,
            progressive,
        };
        let file = encode_picture(original.clone(), settings).unwrap();
        assert!(matches(&file));
        let opened = open_bytes(file.clone()).unwrap();
        assert_eq!(
            opened.facts().description.contains("progressive"),
            progressive
        );
        let back = decode_all(file).unwrap();
        let mean = mean_difference(&back, &original);
        // What cjpeg and djpeg lose on this noise is 1.51 in gray and 3.04 in colour.
        assert!(mean < 3.3, "{channels} {progressive}: {mean}");
        assert!(largest_difference(&back, &original) < 60);
    }
}

#[test]
fn a_profile_in_pieces_is_put_together_in_their_order() {
    let profile =
        std::fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/icc/p3.icc"))
            .unwrap();
    let plain = fixture("made-444.jpg");
    let with = |order: &[(u8, &[u8])]| {
        let mut bytes = plain[..2].to_vec();
        for (number, piece) in order {
            let length = u16::try_from(piece.len() + 16).unwrap();
            bytes.extend([0xff, 0xe2]);
            bytes.extend(length.to_be_bytes());
            bytes.extend(b"ICC_PROFILE\0");
            bytes.extend([*number, 3]);
            bytes.extend(*piece);
        }
        bytes.extend(&plain[2..]);
        bytes
    };
    let (a, rest) = profile.split_at(100);
    let (b, c) = rest.split_at(77);
    let colour = |bytes| open_bytes(bytes).unwrap().facts().colour.clone();
    let tagged = colour(with(&[(3, c), (1, a), (2, b)]));
    assert_eq!(tagged, colour(with(&[(1, a), (2, b), (3, c)])));
    assert!(tagged.contains("P3"), "{tagged}");
    let untagged = colour(plain.clone());
    assert_eq!(colour(with(&[(1, a), (2, b)])), untagged);
    assert_eq!(colour(with(&[(1, a), (2, b), (2, b), (3, c)])), untagged);
    let converted = decode_all(with(&[(1, a), (2, b), (3, c)])).unwrap();
    assert_ne!(converted, decode_all(plain.clone()).unwrap());
}

#[cfg(any(feature = "turbojpeg", feature = "mozjpeg"))]
mod native {
    use super::*;

    /// Files with one component sampling, coding or scan structure each.
    const MADE: [&str; 15] = [
        "made-420.jpg",
        "made-422.jpg",
        "made-444.jpg",
        "made-440.jpg",
        "made-411.jpg",
        "made-gray.jpg",
        "made-gray-2x2.jpg",
        "made-rgb.jpg",
        "made-progressive-420.jpg",
        "made-progressive-422.jpg",
        "made-progressive-440.jpg",
        "made-progressive-gray.jpg",
        "made-restart-420.jpg",
        "made-restart-444.jpg",
        "made-scans-420.jpg",
    ];

    /// FNV-1a, 64 bits.
    fn digest(bytes: &[u8]) -> String {
        let value = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |value, byte| {
            (value ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
        format!("{value:016x}")
    }

    /// Where the first scan's coded data begin.
    fn coded_at(bytes: &[u8]) -> usize {
        let scan = bytes.windows(2).position(|w| w == [0xff, 0xda]).unwrap();
        scan + 2 + usize::from(bytes[scan + 3])
    }

    #[test]
    fn pixels_at_every_scale_are_those_of_djpeg() {
        let mut wrong = Vec::new();
        for line in lines("decoded.txt", 100) {
            let words: Vec<&str> = line.split(' ').collect();
            let (name, divisor) = (words[0], words[1].parse::<u32>().unwrap());
            if name.contains("arithmetic") && !scanlines::decodes_arithmetic() {
                continue;
            }
            let level = divisor.trailing_zeros() as usize;
            let picture = open_bytes(fixture(name)).unwrap();
            let raster = decode_level(picture.as_ref(), level).unwrap();
            let Dimensions { width, height } = raster.dimensions();
            let channels = raster.format().channels.count();
            let digest = digest(bytes_of(&raster));
            let ours = format!("{name} {divisor} {width} {height} {channels} {digest}");
            if ours != line {
                wrong.push(format!("\nwant {line}\n got {ours}"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.concat());
    }

    #[test]
    fn baseline_files_are_those_of_cjpeg_byte_for_byte() {
        for line in lines("encoded.txt", 9) {
            let words: Vec<&str> = line.split(' ').collect();
            let [channels, width, height] = [0, 1, 2].map(|i: usize| words[i].parse().unwrap());
            let settings = JpegSettings {
                subsampling: match words[3] {
                    "420" => Subsampling::S420,
                    "422" => Subsampling::S422,
                    _ => Subsampling::S444,
                },
                quality: words[4].parse().unwrap(),
                progressive: false,
            };
            let file = encode_picture(picture(channels, width, height), settings).unwrap();
            assert_eq!(
                format!("{} {}", file.len(), digest(&file)),
                words[5..].join(" "),
                "{line}"
            );
        }
    }

    #[test]
    fn a_baseline_file_does_not_depend_on_what_was_encoded_before() {
        let make = |progressive| {
            let settings = JpegSettings {
                progressive,
                ..JpegSettings::default()
            };
            encode_picture(picture(3, 120, 90), settings).unwrap()
        };
        let first = make(false);
        let progressive = make(true);
        assert_eq!(make(false), first);
        assert_eq!(make(true), progressive);
        assert_ne!(first, progressive);
    }

    #[test]
    fn levels_are_the_divisions_of_the_inverse_dct() {
        let picture = open_bytes(fixture("made-420.jpg")).unwrap();
        let levels = picture.facts().pyramid.levels();
        let sides =
            |l: &crate::geometry::Level| (l.factor.get(), l.dimensions.width, l.dimensions.height);
        let found: Vec<_> = levels.iter().map(sides).collect();
        assert_eq!(
            found,
            [(1, 203, 157), (2, 102, 79), (4, 51, 40), (8, 26, 20)]
        );
    }

    #[test]
    fn a_windows_pixels_equal_the_same_pixels_of_a_whole_decode() {
        let mut seeded = Seeded(11);
        for name in MADE {
            let picture = open_bytes(fixture(name)).unwrap();
            for (index, level) in picture.facts().pyramid.levels().iter().enumerate() {
                let whole = decode_level(picture.as_ref(), index).unwrap();
                for _ in 0..60 {
                    let Dimensions { width, height } = level.dimensions;
                    let (x, y) = (seeded.below(width), seeded.below(height));
                    let window = Window {
                        x,
                        y,
                        width: 1 + seeded.below(width - x),
                        height: 1 + seeded.below(height - y),
                    };
                    let part = decode(picture.as_ref(), index, window).unwrap();
                    assert_eq!(part.dimensions(), window.dimensions());
                    assert!(
                        bytes_of(&part) == cut(&whole, window),
                        "{name} at 1/{}, {window:?}",
                        level.factor.get()
                    );
                }
            }
        }
    }

    #[test]
    fn windows_far_down_a_tall_picture_are_equal_too() {
        let tall = picture(3, 70, 1500);
        for (subsampling, progressive) in [
            (Subsampling::S420, false),
            (Subsampling::S422, false),
            (Subsampling::S420, true),
        ] {
            let settings = JpegSettings {
                quality: 70,
                subsampling,
                progressive,
            };
            let picture = open_bytes(encode_picture(tall.clone(), settings).unwrap()).unwrap();
            let whole = decode_level(picture.as_ref(), 0).unwrap();
            for y in [255, 256, 257, 271, 272, 273, 511, 512, 513, 1000, 1499] {
                let window = Window {
                    x: 33,
                    y,
                    width: 20,
                    height: (1500 - y).min(90),
                };
                let part = decode(picture.as_ref(), 0, window).unwrap();
                assert!(
                    bytes_of(&part) == cut(&whole, window),
                    "{subsampling:?} {window:?}"
                );
            }
        }
    }

    #[test]
    fn only_the_end_marker_of_a_whole_scan_may_be_missing() {
        let corner = |picture: &dyn Picture| {
            let window = Window {
                x: 200,
                y: 150,
                width: 3,
                height: 7,
            };
            decode(picture, 0, window)
        };
        for name in ["made-420.jpg", "made-gray.jpg", "made-restart-444.jpg"] {
            let whole = fixture(name);
            let expected = decode_all(whole.clone()).unwrap();
            for missing in 1..=2 {
                let picture = open_bytes(whole[..whole.len() - missing].to_vec()).unwrap();
                assert_eq!(
                    decode_level(picture.as_ref(), 0).unwrap(),
                    expected,
                    "{name}"
                );
                assert!(corner(picture.as_ref()).is_ok());
            }
            for missing in 3..40 {
                let picture = open_bytes(whole[..whole.len() - missing].to_vec()).unwrap();
                for outcome in [decode_level(picture.as_ref(), 0), corner(picture.as_ref())] {
                    assert_eq!(
                        outcome.unwrap_err().kind(),
                        ErrorKind::Corrupt,
                        "{name} {missing}"
                    );
                }
            }
        }
        // Scans may be missing, or bits that nothing would tell of.
        for name in [
            "made-progressive-420.jpg",
            "made-scans-420.jpg",
            "made-arithmetic-420.jpg",
        ] {
            if name.contains("arithmetic") && !scanlines::decodes_arithmetic() {
                continue;
            }
            let whole = fixture(name);
            assert_corrupt(whole[..whole.len() - 2].to_vec(), name);
        }
    }

    #[test]
    fn damage_below_the_window_does_not_matter_to_it() {
        let whole = fixture("made-420.jpg");
        let picture = open_bytes(whole[..whole.len() / 2].to_vec()).unwrap();
        let window = Window {
            x: 0,
            y: 0,
            width: 203,
            height: 16,
        };
        let part = decode(picture.as_ref(), 0, window).unwrap();
        assert_eq!(bytes_of(&part), cut(&decode_all(whole).unwrap(), window));
        assert!(decode_level(picture.as_ref(), 0).is_err());
    }

    #[test]
    fn scans_and_memory_have_limits() {
        let decode_within = |limits: DecodeLimits| {
            let picture = open(Arc::new(fixture("made-progressive-420.jpg")), &limits);
            let outcome = picture.and_then(|picture| decode_level(picture.as_ref(), 0));
            outcome.map(|_| ()).map_err(|error| error.kind())
        };
        let base = DecodeLimits::default;
        // The standard script of progressive colour files has ten scans.
        assert_eq!(
            decode_within(DecodeLimits {
                max_scans: 10,
                ..base()
            }),
            Ok(())
        );
        let over = decode_within(DecodeLimits {
            max_scans: 9,
            ..base()
        });
        assert_eq!(over, Err(ErrorKind::TooLarge));
        // 13 × 10 units of 16 × 16 pixels, six blocks each, 128 bytes a block.
        let over = decode_within(DecodeLimits {
            max_bytes: 13 * 10 * 6 * 128 - 1,
            ..base()
        });
        assert_eq!(over, Err(ErrorKind::TooLarge));
        let picture = open_bytes(fixture("made-progressive-420.jpg")).unwrap();
        let price = picture.price(
            0,
            Window {
                x: 0,
                y: 0,
                width: 1,
                height: 1,
            },
        );
        assert!(price.bytes >= 13 * 10 * 6 * 128);
        assert_eq!(price.pixels, 203 * 157);
        assert_eq!(
            decode_within(DecodeLimits {
                max_bytes: 1 << 20,
                ..base()
            }),
            Ok(())
        );
    }

    #[test]
    fn a_price_grows_with_the_rows_above_and_falls_with_division() {
        let picture = open_bytes(fixture("made-420.jpg")).unwrap();
        let window = |y| Window {
            x: 0,
            y,
            width: 10,
            height: 10,
        };
        assert_eq!(picture.price(0, window(0)).pixels, 203 * 10);
        let far = picture.price(0, window(100)).pixels;
        // Eight rows of units are to be walked, thirteen units each; 2 × 3 are decoded.
        assert_eq!(far, 2 * 3 * 256 + (8 * 13 * 256_u64).div_ceil(3));
        assert!(far < 203 * 110);
        assert_eq!(picture.price(1, window(0)).pixels, 203 * 10);
        assert!(picture.price(0, window(0)).bytes < 200_000);
    }

    #[test]
    fn a_scan_that_ends_before_its_picture_is_an_error() {
        for name in ["made-420.jpg", "made-progressive-420.jpg", "made-gray.jpg"] {
            let mut bytes = fixture(name);
            let from = coded_at(&bytes);
            let scan = bytes[from..]
                .windows(2)
                .position(|w| w[0] == 0xff && w[1] != 0)
                .unwrap();
            bytes.drain(from + scan / 2..from + scan);
            assert_corrupt(bytes, name);
        }
    }

    #[test]
    fn a_lost_restart_interval_is_an_error() {
        let mut bytes = fixture("made-restart-444.jpg");
        let restarts = |bytes: &[u8]| -> Vec<usize> {
            let pairs = bytes.windows(2).enumerate().skip(coded_at(bytes));
            let found = pairs.filter(|(_, w)| w[0] == 0xff && (0xd0..=0xd7).contains(&w[1]));
            found.map(|(at, _)| at).collect()
        };
        let found = restarts(&bytes);
        bytes.drain(found[1]..found[2]);
        assert_corrupt(bytes, "an interval less");
    }

    /// A source during whose reads a request is withdrawn.
    #[derive(Debug)]
    struct Withdrawing(Vec<u8>, Cancel);

    impl RangeReader for Withdrawing {
        fn length(&self) -> u64 {
            self.0.len() as u64
        }

        fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
            self.1.cancel();
            self.0.read(offset, buffer)
        }
    }

    #[test]
    fn gathering_scans_stops_when_the_request_is_withdrawn() {
        for (name, stops) in [
            ("made-progressive-420.jpg", true),
            ("made-scans-420.jpg", true),
            ("made-420.jpg", false),
        ] {
            let opening = Cancel::new();
            let reader = Arc::new(Withdrawing(fixture(name), opening.clone()));
            let header = header::Header::parse(reader.as_ref(), &DecodeLimits::default()).unwrap();
            let part = scanlines::Part::new(&header, 1, header.dimensions.window());
            let cancel = Cancel::new();
            let source = scanlines::Source {
                reader: Arc::new(Withdrawing(fixture(name), cancel.clone())),
                index: Arc::new(scanlines::Index::new(1 << 20)),
            };
            let limits = DecodeLimits::default();
            let mut rows = scanlines::rows(&header, part, &source, &limits, &cancel);
            let first = rows.next_strip().map_err(|error| error.kind());
            assert_eq!(first.err(), stops.then_some(ErrorKind::Cancelled), "{name}");
            let next = rows.next_strip().map_err(|error| error.kind());
            assert_eq!(
                next.err(),
                (!stops).then_some(ErrorKind::Cancelled),
                "{name}"
            );
        }
    }
}

#[cfg(not(any(feature = "turbojpeg", feature = "mozjpeg")))]
mod pure {
    use super::*;

    #[test]
    fn there_is_one_level_and_windows_are_parts_of_it() {
        let picture = open_bytes(fixture("made-444.jpg")).unwrap();
        assert_eq!(picture.facts().pyramid.levels().len(), 1);
        let whole = decode_level(picture.as_ref(), 0).unwrap();
        let window = Window {
            x: 13,
            y: 70,
            width: 100,
            height: 80,
        };
        let part = decode(picture.as_ref(), 0, window).unwrap();
        assert_eq!(bytes_of(&part), cut(&whole, window));
    }
}
