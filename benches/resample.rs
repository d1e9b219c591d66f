//! Passes of the CPU engine on pictures of the sizes that viewers ask for.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use triforium::cancel::Cancel;
use triforium::geometry::{Dimensions, Orientation};
use triforium::plan::{Crop, Filter, Pass, Turn, canvas};
use triforium::raster::{Channels, OneStrip, Raster, gather};
use triforium::render::{CpuEngine, Engine as _, Output, Target};

fn sides(width: u32, height: u32) -> Dimensions {
    Dimensions::new(width, height).expect("not empty")
}

/// Waves with a grain, in RGB.
fn picture(dimensions: Dimensions) -> Raster {
    let mut state = 1_u32;
    let samples = (0..dimensions.area() * 3).map(|index| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let [.., grain] = state.to_le_bytes();
        let [_, wave, ..] = (index * 37).to_le_bytes();
        wave / 2 + grain / 2
    });
    Raster::from_u8(dimensions, Channels::Rgb, samples.collect())
        .expect("as many samples as pixels")
}

/// Times `pass` on an RGB picture; throughput is counted in pixels of the larger side of the pass.
fn bench(criterion: &mut Criterion, name: &str, dimensions: Dimensions, pass: Pass) {
    let source = picture(dimensions);
    let cancel = Cancel::new();
    let mut group = criterion.benchmark_group("resample");
    group.sample_size(20);
    group.throughput(Throughput::Elements(dimensions.area()));
    group.bench_function(name, |bencher| {
        bencher.iter_batched(
            || Box::new(OneStrip::from(source.clone())),
            |rows| {
                let output = CpuEngine::default().run(rows, &[pass], Target::Rows, &cancel);
                let Ok(Output::Rows(mut rows)) = output else {
                    panic!("the engine gives rows");
                };
                black_box(gather(rows.as_mut(), &cancel).expect("a result"))
            },
            criterion::BatchSize::LargeInput,
        );
    });
    group.finish();
}

fn resample(from: Dimensions, target: Dimensions) -> Pass {
    let crop = Crop {
        x: 0.0,
        y: 0.0,
        width: f64::from(from.width),
        height: f64::from(from.height),
    };
    let filter = Filter::Lanczos3;
    Pass::Resample {
        crop,
        target,
        filter,
    }
}

fn passes(criterion: &mut Criterion) {
    let tile = sides(512, 512);
    bench(
        criterion,
        "512 to 256",
        tile,
        resample(tile, sides(256, 256)),
    );
    let photo = sides(2000, 1500);
    bench(
        criterion,
        "2000x1500 to 800",
        photo,
        resample(photo, sides(800, 600)),
    );
    let master = sides(2048, 2048);
    bench(criterion, "shrink by 8", master, Pass::Shrink { times: 3 });
    let orientation = Orientation {
        mirror: false,
        turns: 1,
    };
    bench(criterion, "quarter turn", master, Pass::Orient(orientation));
    let picture = sides(1600, 1200);
    let turn = Turn {
        degrees: 22.5,
        canvas: canvas(picture, 22.5),
        background: Some([255; 3]),
    };
    bench(criterion, "turn by 22.5", picture, Pass::Rotate(turn));
    let derivative = sides(800, 600);
    bench(criterion, "gray", derivative, Pass::Gray);
    bench(criterion, "bitonal", derivative, Pass::Bitonal);
}

criterion_group!(benches, passes);
criterion_main!(benches);
