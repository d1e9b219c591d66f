//! A tile and a page in every derivative format.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use triforium::cancel::Cancel;
use triforium::codec::{Attached, Encoding, encode};
use triforium::encoding::EncodeSettings;
use triforium::geometry::Dimensions;
use triforium::iiif::Format;
use triforium::raster::{Channels, OneStrip, Raster};

/// Waves with a little grain, as photographs have.
fn picture(width: u32, height: u32) -> Raster {
    let mut state = 1_u32;
    let samples = (0..u64::from(width) * u64::from(height) * 3).map(|index| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let [.., grain] = state.to_le_bytes();
        let [_, wave, ..] = (index * 7).to_le_bytes();
        wave / 2 + grain / 8
    });
    let dimensions = Dimensions { width, height };
    Raster::from_u8(dimensions, Channels::Rgb, samples.collect())
        .expect("as many samples as pixels")
}

fn formats(criterion: &mut Criterion) {
    let settings = EncodeSettings::default();
    let (cancel, attached) = (Cancel::new(), Attached::default());
    let mut group = criterion.benchmark_group("encode");
    group.sample_size(10);
    for (size, picture) in [("tile", picture(512, 512)), ("page", picture(1600, 1200))] {
        group.throughput(Throughput::Elements(picture.dimensions().area()));
        for format in [
            Format::Jpg,
            Format::Png,
            Format::Webp,
            Format::Gif,
            Format::Tif,
            Format::Avif,
            Format::Jxl,
            Format::Jp2,
            Format::Pdf,
        ] {
            group.bench_function(format!("{size} {}", format.token()), |bencher| {
                bencher.iter_batched(
                    || OneStrip::from(picture.clone()),
                    |mut rows| {
                        let mut file = Vec::new();
                        let encoding = Encoding {
                            format,
                            settings: &settings,
                            attached: &attached,
                        };
                        encode(encoding, &mut rows, &cancel, &mut file).expect("a file");
                        black_box(file)
                    },
                    BatchSize::LargeInput,
                );
            });
        }
    }
    group.finish();
}

criterion_group!(benches, formats);
criterion_main!(benches);
