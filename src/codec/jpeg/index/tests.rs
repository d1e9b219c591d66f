//! Windows through the index against whole decodes from the top; damage; bounds.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::super::ffi::Feed as _;
use super::super::file;
use super::super::scanlines::{self, DIVISORS, Part, Source};
use super::super::testing::Seeded;
use super::*;
use crate::codec::DecodeLimits;
use crate::encoding::{JpegSettings, Subsampling};
use crate::error::ErrorKind;
use crate::geometry::{ScaleFactor, Window};
use crate::raster::{Channels, Raster, Samples, gather};

fn fixture(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    std::fs::read(path.join(name)).unwrap()
}

impl Seeded {
    fn window(&mut self, within: Dimensions) -> Window {
        let (x, y) = (self.below(within.width), self.below(within.height));
        Window {
            x,
            y,
            width: 1 + self.below((within.width - x).min(90)),
            height: 1 + self.below((within.height - y).min(90)),
        }
    }
}

/// A file of noise and edges.
fn made(width: u32, height: u32, channels: Channels, subsampling: Subsampling) -> Vec<u8> {
    let mut seeded = Seeded(u64::from(width * height));
    let count = width * height * u32::try_from(channels.count()).unwrap();
    let level = |at: u32| ((at / 37) % 5) * 40 + seeded.below(48);
    let samples = (0..count).map(level).map(|v| v.to_le_bytes()[0]).collect();
    let dimensions = Dimensions::new(width, height).unwrap();
    let raster = Raster::from_u8(dimensions, channels, samples).unwrap();
    let settings = JpegSettings {
        quality: 88,
        subsampling,
        progressive: false,
    };
    file(raster, settings).unwrap()
}

/// An opened file.
struct Opened {
    header: Header,
    source: Source,
    cancel: Cancel,
}

impl Opened {
    fn new(bytes: Vec<u8>) -> Self {
        Self::of(Arc::new(bytes))
    }

    fn of(reader: Arc<dyn RangeReader>) -> Self {
        Self {
            header: Header::parse(reader.as_ref(), &DecodeLimits::default()).unwrap(),
            source: Source {
                reader,
                index: Arc::new(Index::new(1 << 20)),
            },
            cancel: Cancel::new(),
        }
    }

    fn dimensions(&self, divisor: u32) -> Dimensions {
        self.header
            .dimensions
            .reduced(ScaleFactor::new(divisor).unwrap())
    }

    fn part(&self, divisor: u32, window: Window) -> Part {
        Part::new(&self.header, divisor, window)
    }

    /// As the server decodes it.
    fn decode(&self, part: Part) -> Result<Vec<u8>> {
        let limits = DecodeLimits::default();
        let mut rows = scanlines::rows(&self.header, part, &self.source, &limits, &self.cancel);
        gather(rows.as_mut(), &self.cancel).map(samples)
    }

    /// Through the index, whether it pays or not; `None` where it does not cover the window.
    fn indexed(&self, part: Part) -> Option<Result<Vec<u8>>> {
        let rectangle = Rectangle::around(&self.header, &part)?;
        let Source { reader, index } = &self.source;
        let full = self.header.dimensions;
        let covered = index.covers(&rectangle, full, reader.as_ref(), &self.cancel);
        if !covered.unwrap() {
            return None;
        }
        let splice = Splice::new(Arc::clone(index), Arc::clone(reader), rectangle);
        Some(scanlines::decode_made(splice, rectangle.part()).map(samples))
    }
}

fn samples(raster: Raster) -> Vec<u8> {
    let Samples::U8(samples) = raster.into_samples() else {
        panic!("16 bits from a JPEG");
    };
    samples
}

fn cut(whole: &[u8], of: Dimensions, window: Window) -> Vec<u8> {
    let channels = whole.len() / (of.width * of.height) as usize;
    let left = window.x as usize * channels;
    let rows = whole.chunks_exact(of.width as usize * channels);
    let rows = rows.skip(window.y as usize).take(window.height as usize);
    rows.flat_map(|row| &row[left..left + window.width as usize * channels])
        .copied()
        .collect()
}

/// Every sampling, with restart markers inside rows and at their ends, tables that lack categories.
const FILES: [&str; 15] = [
    "jpeg/made-420.jpg",
    "jpeg/made-422.jpg",
    "jpeg/made-444.jpg",
    "jpeg/made-440.jpg",
    "jpeg/made-411.jpg",
    "jpeg/made-gray.jpg",
    "jpeg/made-gray-2x2.jpg",
    "jpeg/made-rgb.jpg",
    "jpeg/made-restart-420.jpg",
    "jpeg/made-restart-444.jpg",
    "jpeg/orientation-270.jpg",
    "jpeg/iptc.jpg",
    "jpeg/landscape-2.jpg",
    "jpeg/paris-5.jpg",
    "images/orientation/waterfall-6-turned.jpg",
];

fn assert_equal(name: &str, opened: &Opened, seeded: &mut Seeded, windows: u32) {
    for divisor in DIVISORS.iter().copied().chain([1]) {
        let all = opened.dimensions(divisor);
        let whole = opened.decode(opened.part(divisor, all.window())).unwrap();
        let corner = Window {
            x: all.width - 1,
            y: all.height - 1,
            width: 1,
            height: 1,
        };
        let random = (0..windows).map(|_| seeded.window(all));
        for window in random
            .collect::<Vec<_>>()
            .into_iter()
            .chain([corner, all.window()])
        {
            let part = opened.part(divisor, window);
            let found = opened.indexed(part).expect("it is covered").unwrap();
            assert!(
                found == cut(&whole, all, window),
                "{name} at 1/{divisor}, {window:?}"
            );
        }
    }
}

#[test]
fn windows_through_the_index_equal_whole_decodes() {
    let mut seeded = Seeded(23);
    for name in FILES {
        assert_equal(name, &Opened::new(fixture(name)), &mut seeded, 40);
    }
}

#[test]
fn windows_of_wide_and_tall_pictures_are_equal() {
    let mut seeded = Seeded(29);
    for (width, height, channels, subsampling) in [
        (2100, 70, Channels::Rgb, Subsampling::S420),
        (1601, 33, Channels::Rgb, Subsampling::S422),
        (1000, 49, Channels::Rgb, Subsampling::S444),
        (1111, 41, Channels::Gray, Subsampling::S420),
        (35, 900, Channels::Rgb, Subsampling::S420),
        (1, 1, Channels::Rgb, Subsampling::S420),
        (17, 1, Channels::Rgb, Subsampling::S422),
    ] {
        let opened = Opened::new(made(width, height, channels, subsampling));
        let name = format!("{width} × {height}");
        assert_equal(&name, &opened, &mut seeded, 25);
    }
}

/// The stream of a rectangle is a JPEG file: one whose restart intervals are whole rows.
#[test]
fn a_stream_of_a_rectangle_is_a_file_that_can_be_indexed_in_turn() {
    let opened = Opened::new(made(1300, 120, Channels::Rgb, Subsampling::S420));
    let window = Window {
        x: 500,
        y: 40,
        width: 700,
        height: 50,
    };
    let part = opened.part(1, window);
    let pixels = opened.indexed(part).unwrap().unwrap();
    let rectangle = Rectangle::around(&opened.header, &part).unwrap();
    let Source { reader, index } = &opened.source;
    let mut splice = Splice::new(Arc::clone(index), Arc::clone(reader), rectangle);
    let (mut file, mut piece) = (Vec::new(), [0; 777]);
    loop {
        let count = splice.fill(&mut piece).unwrap();
        file.extend(&piece[..count]);
        if count == 0 {
            break;
        }
    }
    let inner = Opened::new(file);
    assert_equal("a stream", &inner, &mut Seeded(31), 20);
    let all = inner.dimensions(1);
    let whole = inner.decode(inner.part(1, all.window())).unwrap();
    assert_eq!(pixels, cut(&whole, all, rectangle.part().window));
}

/// A source that counts what is read.
#[derive(Debug)]
struct Counting(Vec<u8>, AtomicU64);

impl RangeReader for Counting {
    fn length(&self) -> u64 {
        self.0.len() as u64
    }

    fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        self.1.fetch_add(buffer.len() as u64, Ordering::Relaxed);
        self.0.read(offset, buffer)
    }
}

#[test]
fn a_window_is_read_and_priced_alone_once_its_rows_are_indexed() {
    let file = made(1500, 1500, Channels::Rgb, Subsampling::S420);
    let length = file.len() as u64;
    let reader = Arc::new(Counting(file, AtomicU64::new(0)));
    let opened = Opened::of(Arc::clone(&reader) as Arc<dyn RangeReader>);
    let window = |x| Window {
        x,
        y: 1300,
        width: 60,
        height: 60,
    };
    let price = |x| {
        scanlines::price(
            &opened.header,
            &opened.part(1, window(x)),
            &opened.source.index,
        )
    };
    let before = price(700);
    assert!(
        (500_000..1500 * 1500).contains(&before.pixels),
        "{before:?}"
    );
    opened.decode(opened.part(1, window(700))).unwrap();
    let walked = reader.1.swap(0, Ordering::Relaxed);
    assert!(walked > length * 4 / 5, "{walked} of {length}");
    let after = price(30);
    assert!(after.pixels <= 112 * 112 && after.bytes < before.bytes);
    opened.decode(opened.part(1, window(30))).unwrap();
    let read = reader.1.swap(0, Ordering::Relaxed);
    assert!(read < length / 8, "{read} of {length}");
    let top = Window {
        y: 0,
        ..window(700)
    };
    opened.decode(opened.part(1, top)).unwrap();
    assert!(reader.1.load(Ordering::Relaxed) < length / 8);
}

#[test]
fn the_index_grows_no_further_than_it_is_asked_to() {
    let opened = Opened::new(made(64, 1600, Channels::Rgb, Subsampling::S420));
    let window = |y| Window {
        x: 0,
        y,
        width: 8,
        height: 8,
    };
    opened.decode(opened.part(1, window(160))).unwrap();
    assert_eq!(opened.source.index.rows(), 12);
    opened.decode(opened.part(1, window(32))).unwrap();
    assert_eq!(opened.source.index.rows(), 12);
    opened.decode(opened.part(1, window(1592))).unwrap();
    assert_eq!(opened.source.index.rows(), 100);
}

#[test]
fn entries_are_bounded_and_at_least_one_for_each_row() {
    assert_eq!(interval((766, 512)), 32);
    for units in [
        (8188_u32, 8188_u32),
        (8188, 4094),
        (1, 8188),
        (8188, 1),
        (100, 5000),
    ] {
        let per_row = units.0.div_ceil(interval(units));
        assert!(
            per_row >= 1 && per_row * units.1 <= MAX_ENTRIES,
            "{units:?}"
        );
    }
    assert_eq!(size_of::<Entry>(), 16);
}

#[test]
fn a_cancelled_walk_goes_on_where_it_stood() {
    let mut opened = Opened::new(made(64, 800, Channels::Rgb, Subsampling::S420));
    let part = opened.part(
        1,
        Window {
            x: 3,
            y: 700,
            width: 30,
            height: 30,
        },
    );
    opened.cancel.cancel();
    assert_eq!(
        opened.decode(part).unwrap_err().kind(),
        ErrorKind::Cancelled
    );
    opened.cancel = Cancel::new();
    let all = opened.dimensions(1);
    let whole = opened.decode(opened.part(1, all.window())).unwrap();
    assert!(opened.decode(part).unwrap() == cut(&whole, all, part.window));
}

#[test]
fn what_cannot_be_walked_is_decoded_from_the_top() {
    for name in [
        "jpeg/made-progressive-420.jpg",
        "jpeg/made-scans-420.jpg",
        "jpeg/made-arithmetic-420.jpg",
    ] {
        if name.contains("arithmetic") && !scanlines::decodes_arithmetic() {
            continue;
        }
        let opened = Opened::new(fixture(name));
        let part = opened.part(
            1,
            Window {
                x: 100,
                y: 120,
                width: 20,
                height: 20,
            },
        );
        assert!(opened.indexed(part).is_none(), "{name}");
        assert_eq!(opened.decode(part).unwrap().len(), 20 * 20 * 3);
    }
}

/// Damage never panics and never ends in other pixels than from the top: where the index is used, a
/// decode from the top gives the same or stumbles over the same.
#[test]
fn damaged_scans_give_what_they_give_from_the_top() {
    let mut seeded = Seeded(37);
    let files = [
        fixture("jpeg/made-restart-420.jpg"),
        fixture("jpeg/paris-5.jpg"),
        made(400, 300, Channels::Rgb, Subsampling::S420),
    ];
    let (mut equal, mut stopped) = (0, 0);
    for round in 0..1200 {
        let mut bytes = files[round % files.len()].clone();
        let scan = bytes.windows(2).position(|w| w == [0xff, 0xda]).unwrap();
        for _ in 0..=seeded.below(2) {
            let coded = u32::try_from(bytes.len() - scan).unwrap();
            let at = scan + seeded.below(coded) as usize;
            bytes[at] ^= 1 << seeded.below(8);
        }
        let limits = DecodeLimits::default();
        if Header::parse(&bytes, &limits).is_err() {
            continue;
        }
        let opened = Opened::new(bytes);
        let all = opened.dimensions(1);
        let part = opened.part(1, seeded.window(all));
        let from_top = || {
            let window = Window {
                x: 0,
                y: 0,
                width: all.width,
                height: part.window.bottom(),
            };
            opened.decode(opened.part(1, window))
        };
        match opened.indexed(part) {
            Some(Ok(found)) => {
                let upper = Window {
                    y: 0,
                    ..part.window
                };
                let whole =
                    from_top().unwrap_or_else(|error| panic!("{round} {upper:?}: {error:?}"));
                assert!(
                    found
                        == cut(
                            &whole,
                            Dimensions::new(all.width, part.window.bottom()).unwrap(),
                            part.window
                        ),
                    "{round}"
                );
                equal += 1;
            }
            Some(Err(error)) => panic!("{round}: {error:?}"),
            None => {
                let error = opened.decode(part).err().map(|error| error.kind());
                assert!(
                    matches!(error, None | Some(ErrorKind::Corrupt)),
                    "{error:?}"
                );
                stopped += 1;
            }
        }
    }
    assert!(equal > 300 && stopped > 100, "{equal} {stopped}");
}
