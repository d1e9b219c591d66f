//! The device is destroyed while many requests are on it: every one of them is answered all the same.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use triforium::iiif::{ImageRequest, Version};
use triforium::render::gpu::{Executor, Gpu, GpuMode, Open, State, open};
use triforium::service::{Answer, Ask, Config, Resources, Service};
use triforium::source::{self, FileSource};
use triforium::{codec, metrics};

use super::device::wanted;

/// Requests that are under way at one time.
const AT_ONCE: usize = 64;
/// Requests in all.
const REQUESTS: usize = 320;
/// The device goes whenever so many have been answered: once only, since three losses are enough.
const ANSWERED: usize = 80;

fn config(mode: GpuMode) -> Config {
    let mut config = Config::default();
    config.cache.derivative.memory_bytes = 0;
    config.cache.levels.disk_bytes = 0;
    config.gpu.mode = mode;
    config.gpu.check_one_in = 0;
    config
}

fn service(config: &Config, gpu: Gpu) -> Service {
    let source = source::Config {
        root: Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/images"),
        ..source::Config::default()
    };
    let resources = Resources {
        threads: 2,
        memory_bytes: 4 << 30,
    };
    let source = FileSource::new(&source).unwrap();
    Service::with_gpu(config, source, Duration::from_secs(9), resources, gpu).unwrap()
}

/// The engine and the body of a request that no other is equal to.
async fn ask(service: &Service, number: usize) -> (&'static str, Vec<u8>) {
    let (width, angle) = (
        60 + number % 80,
        if number.is_multiple_of(3) { "17" } else { "0" },
    );
    let (x, y) = (number % 100, number / 100);
    let format = if number.is_multiple_of(2) {
        "jpg"
    } else {
        "png"
    };
    let path = format!("cat-progressive.jpg/{x},{y},220,180/{width},/{angle}/default.{format}");
    let segments: Vec<_> = path.split('/').collect();
    let request = ImageRequest::parse(Version::V3, &segments, None).unwrap();
    let ask = Ask {
        unchanged: &|_| false,
        head: false,
        accept: None,
    };
    let answer = service.image(&request, ask).await;
    let Answer::Whole(head, body) = answer.unwrap_or_else(|error| panic!("{path}: {error:?}"))
    else {
        panic!("{path} is not whole");
    };
    (head.engine, body.to_vec())
}

/// The value of a metric with its labels.
fn metric(name: &str) -> f64 {
    let text = metrics::render();
    let value = |line: &str| line.strip_prefix(name)?.trim().parse().ok();
    text.lines().find_map(value).unwrap_or(0.0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_that_is_destroyed_under_load_costs_nobody_an_answer() {
    metrics::install().unwrap();
    let devices = Arc::new(Mutex::new(Vec::<Arc<dyn Executor>>::new()));
    let opened = Arc::clone(&devices);
    let by: Open = Box::new(move || {
        let device = open(&wanted())?;
        opened.lock().unwrap().push(Arc::clone(&device.executor));
        Ok(device)
    });
    let on = config(GpuMode::On);
    let standard = codec::jpeg::is_standard();
    let gpu = Gpu::opened_by(&on.gpu, standard.then_some(codec::jpeg::file), by);
    assert_eq!(gpu.settled().state, State::Up, "{:?}", gpu.report());
    let on = service(&on, gpu.clone());
    let off = config(GpuMode::Off);
    let off = service(&off, Gpu::start(&off.gpu, None));

    let (next, answered) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let clients: Vec<_> = (0..AT_ONCE)
        .map(|_| {
            let (on, devices) = (on.clone(), Arc::clone(&devices));
            let (next, answered) = (Arc::clone(&next), Arc::clone(&answered));
            tokio::spawn(async move {
                let mut mine = Vec::new();
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    if number >= REQUESTS {
                        return mine;
                    }
                    mine.push((number, ask(&on, number).await));
                    if answered.fetch_add(1, Ordering::SeqCst) == ANSWERED {
                        let device = devices.lock().unwrap().last().cloned().unwrap();
                        tokio::task::spawn_blocking(move || device.end())
                            .await
                            .unwrap();
                    }
                }
            })
        })
        .collect();
    let mut by_device = 0;
    for client in clients {
        for (number, (engine, body)) in client.await.unwrap() {
            let (_, right) = ask(&off, number).await;
            assert!(body == right, "request {number} by {engine}");
            by_device += usize::from(engine == "gpu");
        }
    }
    let lost = metric("triforium_gpu_fallback_total{reason=\"lost\"}");
    println!("{by_device} of {REQUESTS} by the device, {lost} lost with it");
    assert!(by_device > 0);
    assert!(lost >= 8.0, "{lost}");

    let end = Instant::now() + Duration::from_mins(1);
    while gpu.report().state != State::Up {
        assert!(Instant::now() < end, "{:?}", gpu.report());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(devices.lock().unwrap().len(), 2, "another device");
    assert_eq!(ask(&on, REQUESTS).await.0, "gpu");
}
