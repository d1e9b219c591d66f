//! Resolved requests to plans, for masters with and without levels.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use triforium::geometry::{Dimensions, Level, Orientation, Pyramid, ScaleFactor};
use triforium::iiif::{ImageRequest, ImageTraits, Resolved, SizeRules, Version};
use triforium::plan::{Plan, Reduction, Settings, Subject};
use triforium::raster::{Channels, Depth, PixelFormat};

const MASTER: Dimensions = Dimensions {
    width: 12_240,
    height: 8192,
};

/// The master's levels: each half of the one before.
fn pyramid(levels: u32) -> Pyramid {
    let level = |index: u32| Level {
        factor: ScaleFactor::new(1 << index).expect("a power of two"),
        dimensions: Dimensions {
            width: MASTER.width.div_ceil(1 << index),
            height: MASTER.height.div_ceil(1 << index),
        },
        tile: Some(Dimensions {
            width: 256,
            height: 256,
        }),
    };
    Pyramid::new(level(0), (1..levels).map(level).collect())
}

fn resolved(segments: [&str; 4]) -> Resolved {
    let [region, size, rotation, last] = segments;
    let path = ["x", region, size, rotation, last];
    let request = ImageRequest::parse(Version::V3, &path, None).expect("a correct path");
    let image = ImageTraits {
        dimensions: MASTER,
        is_gray: false,
        has_alpha: false,
    };
    let rules = SizeRules {
        max_width_px: None,
        max_height_px: None,
        max_area_px: Some(1 << 27),
        upscaling: true,
        strict_validator: false,
    };
    request
        .resolve(&image, &rules)
        .expect("a size within the limits")
}

fn plan(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("plan");
    let settings = Settings::default();
    for (name, levels, segments) in [
        (
            "tile",
            7,
            ["2048,1024,1024,1024", "512,512", "0", "default.jpg"],
        ),
        (
            "thumbnail without levels",
            1,
            ["full", "!200,200", "0", "default.jpg"],
        ),
        (
            "everything",
            7,
            ["101,99,4001,3001", "777,", "!22.5", "bitonal.png"],
        ),
    ] {
        let pyramid = pyramid(levels);
        let request = resolved(segments);
        let subject = Subject {
            pyramid: &pyramid,
            orientation: Orientation {
                mirror: true,
                turns: 2,
            },
            pixel: PixelFormat {
                channels: Channels::Rgb,
                depth: Depth::Eight,
            },
            reduction: Reduction::NONE,
        };
        group.bench_function(name, |bencher| {
            bencher.iter(|| Plan::new(black_box(&request), subject, &settings));
        });
    }
    group.finish();
}

criterion_group!(benches, plan);
criterion_main!(benches);
