//! Whole requests through the service: a tile of a pyramid made anew, and the same from memory.

use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use tokio::runtime::Runtime;
use triforium::iiif::{ImageRequest, Version};
use triforium::render::gpu::GpuMode;
use triforium::service::{Answer, Ask, Config, Resources, Service};
use triforium::source::{self, FileSource};

/// A service for the small pyramids, with this much memory for finished derivatives.
fn service(memory_bytes: u64) -> Service {
    let files = source::Config {
        root: Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/tiff"),
        ..source::Config::default()
    };
    let mut config = Config::default();
    config.cache.derivative.memory_bytes = memory_bytes;
    config.cache.levels.disk_bytes = 0;
    // The end of the process must not meet a driver that is being opened.
    config.gpu.mode = GpuMode::Off;
    let source = FileSource::new(&files).expect("the folder is there");
    let resources = Resources {
        threads: 2,
        memory_bytes: 1 << 30,
    };
    Service::new(&config, source, Duration::from_secs(1), resources).expect("threads")
}

fn tile() -> ImageRequest {
    let path = [
        "pyramid-pages.tif",
        "0,0,64,64",
        "32,32",
        "0",
        "default.jpg",
    ];
    ImageRequest::parse(Version::V3, &path, None).expect("a correct path")
}

async fn ask(service: &Service, request: &ImageRequest) -> usize {
    let ask = Ask {
        unchanged: &|_| false,
        head: false,
        accept: None,
    };
    let answer = service.image(request, ask).await.expect("an image");
    let Answer::Whole(_, body) = answer else {
        panic!("a tile is sent whole");
    };
    body.len()
}

fn tiles(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let request = tile();
    let mut group = criterion.benchmark_group("request");
    for (name, memory_bytes) in [("tile, made anew", 0), ("tile, from memory", 1 << 20)] {
        let service = runtime.block_on(async { service(memory_bytes) });
        group.bench_function(name, |bencher| {
            bencher.iter(|| black_box(runtime.block_on(ask(&service, &request))));
        });
    }
    group.finish();
}

criterion_group!(benches, tiles);
criterion_main!(benches);
