//! Paths to requests, requests to exact numbers.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use triforium::geometry::Dimensions;
use triforium::iiif::{ImageRequest, ImageTraits, SizeRules, Version};

/// Paths as viewers and scripts ask for them, with the version that they speak.
const PATHS: [(&str, Version, [&str; 5]); 4] = [
    (
        "tile",
        Version::V3,
        [
            "shelf%2Fbook%2F0001.tif",
            "2048,1024,1024,1024",
            "512,512",
            "0",
            "default.jpg",
        ],
    ),
    (
        "tile of 2.1",
        Version::V2,
        [
            "shelf%2Fbook%2F0001.tif",
            "2048,1024,1024,1024",
            "512,",
            "0",
            "default.jpg",
        ],
    ),
    (
        "thumbnail",
        Version::V3,
        ["0001", "full", "!200,200", "0", "default.jpg"],
    ),
    (
        "everything",
        Version::V3,
        [
            "%C3%A9t%C3%A9",
            "pct:12.5,3.25,50,33.3",
            "^pct:150.5",
            "!22.5",
            "bitonal.png",
        ],
    ),
];

fn parse(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("parse");
    for (name, version, segments) in PATHS {
        group.bench_function(name, |bencher| {
            bencher.iter(|| ImageRequest::parse(version, black_box(&segments), None));
        });
    }
    group.finish();
}

fn resolve(criterion: &mut Criterion) {
    let image = ImageTraits {
        dimensions: Dimensions {
            width: 12_240,
            height: 8192,
        },
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
    let mut group = criterion.benchmark_group("resolve");
    for (name, version, segments) in PATHS {
        let request = ImageRequest::parse(version, &segments, None).expect("a correct path");
        group.bench_function(name, |bencher| {
            bencher.iter(|| black_box(&request).resolve(&image, &rules));
        });
    }
    group.finish();
}

criterion_group!(benches, parse, resolve);
criterion_main!(benches);
