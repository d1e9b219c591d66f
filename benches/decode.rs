//! Headers and pixels of one master of each format, a window of a large one, and JPEG 2000 beside OpenJPEG.

#[path = "../tests/oracle/openjpeg.rs"]
mod openjpeg;

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use triforium::cancel::Cancel;
use triforium::codec::{Attached, DecodeLimits, Encoding, Picture, encode, open};
use triforium::encoding::{EncodeSettings, TifCompression};
use triforium::geometry::{Dimensions, Window};
use triforium::iiif::Format;
use triforium::raster::{Channels, OneStrip, Raster, gather};
use triforium::reader::RangeReader;

/// A name, and a file below `fixtures`.
const MASTERS: [(&str, &str); 8] = [
    ("jpeg", "images/orientation/waterfall-1-upright.jpg"),
    ("progressive jpeg", "images/cat-progressive.jpg"),
    ("png", "images/iiif-test-image.png"),
    ("tiff pyramid", "tiff/pyramid-pages.tif"),
    ("jpeg 2000", "images/college-palette.jp2"),
    ("tiled jpeg 2000", "images/palace-12-bit.j2k"),
    ("webp", "images/orange-lossless.webp"),
    ("gif", "images/bricks.gif"),
];

fn reader(file: &str) -> Arc<dyn RangeReader> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(file);
    Arc::new(fs::read(path).expect("the fixture is there"))
}

fn picture(file: &str) -> Arc<dyn Picture> {
    open(reader(file), 1, &DecodeLimits::default()).expect("the fixture is in order")
}

fn headers(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("open");
    for (name, file) in MASTERS {
        let reader = reader(file);
        group.bench_function(name, |bencher| {
            bencher.iter(|| open(Arc::clone(black_box(&reader)), 1, &DecodeLimits::default()));
        });
    }
    group.finish();
}

fn pixels(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decode");
    group.sample_size(10);
    let cancel = Cancel::new();
    for (name, file) in MASTERS {
        let picture = picture(file);
        let dimensions = picture.facts().pyramid.dimensions();
        let whole = Window {
            x: 0,
            y: 0,
            width: dimensions.width,
            height: dimensions.height,
        };
        group.throughput(Throughput::Elements(dimensions.area()));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let mut rows = picture.decode(0, whole, &cancel).expect("rows");
                black_box(gather(rows.as_mut(), &cancel).expect("pixels"))
            });
        });
    }
    group.finish();
}

fn as_stored<'a>(
    format: Format,
    settings: &'a EncodeSettings,
    attached: &'a Attached,
) -> Encoding<'a> {
    Encoding {
        format,
        settings,
        attached,
    }
}

/// LZW as `encode.tif.compression` writes it, of a photograph: strips that fit a block.
fn lzw(criterion: &mut Criterion) {
    let (cancel, attached) = (Cancel::new(), Attached::default());
    let photograph = picture("images/orientation/waterfall-1-upright.jpg");
    let dimensions = photograph.facts().pyramid.dimensions();
    let whole = dimensions.window();
    let mut rows = photograph.decode(0, whole, &cancel).expect("rows");
    let mut settings = EncodeSettings::default();
    settings.tif.compression = TifCompression::Lzw;
    let mut file = Vec::new();
    let encoding = as_stored(Format::Tif, &settings, &attached);
    encode(encoding, rows.as_mut(), &cancel, &mut file).expect("a TIFF");
    let picture = open(Arc::new(file), 1, &DecodeLimits::default()).expect("a TIFF");
    let mut group = criterion.benchmark_group("decode");
    group.throughput(Throughput::Elements(dimensions.area()));
    group.bench_function("tiff lzw", |bencher| {
        bencher.iter(|| {
            let mut rows = picture.decode(0, whole, &cancel).expect("rows");
            black_box(gather(rows.as_mut(), &cancel).expect("pixels"))
        });
    });
    group.finish();
}

/// A JPEG of 24 megapixels: slopes with noise in the low bits.
fn large_jpeg() -> Vec<u8> {
    let dimensions = Dimensions::new(6000, 4000).expect("sides above 0");
    let mut state = 1_u32;
    let mut samples = Vec::with_capacity(6000 * 4000 * 3);
    for at in 0..6000 * 4000_u32 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let level = (at % 6000 / 50 + at / 6000 / 30).to_le_bytes()[0];
        let noise = state.to_be_bytes()[0] >> 4;
        samples.extend([level ^ noise, level, level / 2]);
    }
    let raster = Raster::from_u8(dimensions, Channels::Rgb, samples).expect("as many samples");
    let (mut rows, mut file) = (OneStrip::from(raster), Vec::new());
    let settings = EncodeSettings::default();
    let attached = Attached::default();
    let encoding = as_stored(Format::Jpg, &settings, &attached);
    encode(encoding, &mut rows, &Cancel::new(), &mut file).expect("a JPEG");
    file
}

/// A tile far down in a large JPEG: at the first request, and when its rows are indexed.
fn windows(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("window of a large jpeg");
    group.sample_size(10);
    let cancel = Cancel::new();
    let reader: Arc<dyn RangeReader> = Arc::new(large_jpeg());
    let opened = || open(Arc::clone(&reader), 1, &DecodeLimits::default()).expect("a JPEG");
    let window = Window {
        x: 3072,
        y: 3072,
        width: 512,
        height: 512,
    };
    let decode = |picture: &dyn Picture| {
        let mut rows = picture.decode(0, window, &cancel).expect("rows");
        gather(rows.as_mut(), &cancel).expect("pixels")
    };
    group.throughput(Throughput::Elements(window.dimensions().area()));
    group.bench_function("first", |bencher| {
        bencher.iter(|| black_box(decode(opened().as_ref())));
    });
    let picture = opened();
    group.bench_function("indexed", |bencher| {
        bencher.iter(|| black_box(decode(picture.as_ref())));
    });
    group.bench_function("whole", |bencher| {
        let whole = picture.facts().pyramid.dimensions().window();
        bencher.iter(|| {
            let mut rows = picture.decode(0, whole, &cancel).expect("rows");
            while let Some(strip) = rows.next_strip().expect("pixels") {
                black_box(strip);
            }
        });
    });
    group.finish();
}

/// Masters in JPEG 2000, whose windows are measured beside OpenJPEG's: a name, and a file below
/// `fixtures`. Their grids begin at 0.
const JPEG_2000: [(&str, &str); 4] = [
    ("tiled, 9/7", "images/palace-12-bit.j2k"),
    ("one tile, 9/7", "images/iiif-test-image.jp2"),
    ("one tile, 5/3", "images/lighthouse-gray.jp2"),
    ("high throughput", "jp2/high-throughput.j2c"),
];

/// The variable that names further files, separated by colons: `JPEG_2000=large.jp2 cargo bench …`.
const FURTHER: &str = "JPEG_2000";

/// One master for both decoders.
struct Jpeg2000 {
    name: String,
    reader: Arc<dyn RangeReader>,
    bytes: Vec<u8>,
}

impl Jpeg2000 {
    fn all() -> Vec<Self> {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
        let own = JPEG_2000.map(|(name, file)| (name.to_owned(), fixtures.join(file)));
        let further = std::env::var(FURTHER).unwrap_or_default();
        let further = further.split(':').filter(|path| !path.is_empty());
        let further = further.map(|path| (path.rsplit('/').take(1).collect(), path.into()));
        let master = |(name, path)| {
            let bytes = fs::read(path).expect("the master is there");
            Self {
                name,
                reader: Arc::new(bytes.clone()),
                bytes,
            }
        };
        own.into_iter().chain(further).map(master).collect()
    }

    fn open(&self) -> Arc<dyn Picture> {
        let reader = Arc::clone(&self.reader);
        open(reader, 1, &DecodeLimits::default()).expect("the master is in order")
    }

    /// What OpenJPEG makes of a window.
    fn foreign(&self, level: usize, window: Window) -> Vec<openjpeg::Plane> {
        let stream = openjpeg::codestream(&self.bytes).expect("a code stream");
        let grid = |pixels: u32| i32::try_from(pixels << level).expect("on the grid");
        let area = [window.x, window.y, window.right(), window.bottom()].map(grid);
        let reduction = u32::try_from(level).expect("small");
        openjpeg::decode(stream, reduction, Some(area)).expect("pixels")
    }
}

/// Whole windows of a level in an order without order, each once before any comes again.
fn shuffled(full: Dimensions, side: u32) -> Vec<Window> {
    let places = (0..full.height / side).flat_map(|y| (0..full.width / side).map(move |x| (x, y)));
    let mut windows: Vec<Window> = places
        .map(|(x, y)| Window {
            x: x * side,
            y: y * side,
            width: side,
            height: side,
        })
        .collect();
    fastrand::Rng::with_seed(2000).shuffle(&mut windows);
    windows
}

/// Windows of JPEG 2000 at three reductions: with the master open, at its first request, by OpenJPEG.
fn jpeg_2000_windows(criterion: &mut Criterion) {
    let cancel = Cancel::new();
    let decode = |picture: &dyn Picture, level: usize, window: Window| {
        let mut rows = picture.decode(level, window, &cancel).expect("rows");
        black_box(gather(rows.as_mut(), &cancel).expect("pixels"));
    };
    for master in Jpeg2000::all() {
        let mut group = criterion.benchmark_group(format!("window of jpeg 2000, {}", master.name));
        group.sample_size(10);
        let picture = master.open();
        for (level, side) in [(0, 256), (0, 512), (1, 256), (1, 512), (3, 256), (3, 512)] {
            let full = picture.facts().pyramid.levels().get(level);
            let windows = full.map_or_else(Vec::new, |full| shuffled(full.dimensions, side));
            if windows.is_empty() {
                continue;
            }
            let name = format!("{side}² at 1/{}", 1 << level);
            let mut next = windows.iter().cycle().copied();
            let mut next = || next.next().expect("a cycle has no end");
            group.throughput(Throughput::Elements(u64::from(side) * u64::from(side)));
            group.bench_function(format!("{name}, open"), |bencher| {
                bencher.iter(|| decode(picture.as_ref(), level, next()));
            });
            group.bench_function(format!("{name}, cold"), |bencher| {
                bencher.iter(|| decode(master.open().as_ref(), level, next()));
            });
            group.bench_function(format!("{name}, OpenJPEG"), |bencher| {
                bencher.iter(|| black_box(master.foreign(level, next())));
            });
        }
        group.finish();
    }
}

/// Whole pictures in JPEG 2000, ours and OpenJPEG's.
fn jpeg_2000_wholes(criterion: &mut Criterion) {
    let cancel = Cancel::new();
    for master in Jpeg2000::all() {
        let mut group = criterion.benchmark_group(format!("whole jpeg 2000, {}", master.name));
        group.sample_size(10);
        let picture = master.open();
        let whole = picture.facts().pyramid.dimensions().window();
        group.throughput(Throughput::Elements(whole.dimensions().area()));
        group.bench_function("ours", |bencher| {
            bencher.iter(|| {
                let mut rows = picture.decode(0, whole, &cancel).expect("rows");
                while let Some(strip) = rows.next_strip().expect("pixels") {
                    black_box(strip);
                }
            });
        });
        group.bench_function("OpenJPEG", |bencher| {
            bencher.iter(|| black_box(master.foreign(0, whole)));
        });
        group.finish();
    }
}

criterion_group!(
    benches,
    headers,
    pixels,
    lzw,
    windows,
    jpeg_2000_windows,
    jpeg_2000_wholes
);
criterion_main!(benches);
