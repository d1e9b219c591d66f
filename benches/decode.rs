//! Headers and pixels of one master of each format.

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use triforium::cancel::Cancel;
use triforium::codec::{DecodeLimits, Picture, encode, open};
use triforium::encoding::{EncodeSettings, TifCompression};
use triforium::geometry::Window;
use triforium::iiif::Format;
use triforium::raster::gather;
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

/// LZW as `encode.tif.compression` writes it, of a photograph: strips that fit a block.
fn lzw(criterion: &mut Criterion) {
    let cancel = Cancel::new();
    let photograph = picture("images/orientation/waterfall-1-upright.jpg");
    let dimensions = photograph.facts().pyramid.dimensions();
    let whole = dimensions.window();
    let mut rows = photograph.decode(0, whole, &cancel).expect("rows");
    let mut settings = EncodeSettings::default();
    settings.tif.compression = TifCompression::Lzw;
    let mut file = Vec::new();
    encode(Format::Tif, rows.as_mut(), &settings, &cancel, &mut file).expect("a TIFF");
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

criterion_group!(benches, headers, pixels, lzw);
criterion_main!(benches);
