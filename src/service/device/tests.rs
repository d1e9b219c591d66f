//! A device that fails in every way it can, and answers that are the same bytes each time.

use std::path::Path;
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use crate::codec;
use crate::iiif::{ImageRequest, Version};
use crate::render::gpu::fake::Fake;
use crate::render::gpu::{Fault, Gpu, GpuMode, State};
use crate::service::{Answer, Ask, Config, Resources, Service};
use crate::source::{self, FileSource};

/// Passes of every kind, files and pixels, tiles and a region of an odd size.
const REQUESTS: &[&str] = &[
    "0,0,256,256/128,/0/default.jpg",
    "10,20,301,203/150,/0/default.jpg",
    "0,0,256,256/256,/90/gray.jpg",
    "full/,90/0/default.png",
    "full/90,/33.5/default.jpg",
    "full/90,/!12/default.png",
    "square/77,/270/bitonal.png",
    "full/120,/!0/default.webp",
    "pct:5,5,80,80/100,/0/default.tif",
    "full/100,/0/color.gif",
    "0,0,100,100/64,/0/gray.png",
    "0,0,200,200/max/0/default.jpg",
];

fn config(check_one_in: u64) -> Config {
    let mut config = Config::default();
    config.cache.levels.disk_bytes = 0;
    config.gpu.mode = GpuMode::On;
    config.gpu.check_one_in = check_one_in;
    // One thread decodes: what waits for the device has to give its place back.
    config.limits.render_threads = 1;
    config
}

fn service(config: &Config, gpu: Gpu) -> Service {
    let images = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/images");
    service_of(&images, config, gpu)
}

fn service_of(folder: &Path, config: &Config, gpu: Gpu) -> Service {
    let source = source::Config {
        root: folder.to_path_buf(),
        ..source::Config::default()
    };
    let source = FileSource::new(&source).expect("valid");
    let resources = Resources {
        threads: 2,
        memory_bytes: 4 << 30,
    };
    Service::with_gpu(config, source, Duration::from_secs(9), resources, gpu).expect("threads")
}

/// A service before a device, which is up.
fn with_device(check_one_in: u64) -> (Service, Fake) {
    let images = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/images");
    before_device(&images, &config(check_one_in))
}

fn before_device(folder: &Path, config: &Config) -> (Service, Fake) {
    let fake = Fake::encoding(codec::jpeg::file);
    let gpu = Gpu::of_fake(&config.gpu, super::encoder(), &fake);
    assert_eq!(gpu.settled().state, State::Up, "{:?}", gpu.report());
    (service_of(folder, config, gpu), fake)
}

/// What the CPU alone answers.
async fn right() -> Vec<Vec<u8>> {
    let mut config = config(0);
    config.gpu.mode = GpuMode::Off;
    let gpu = Gpu::start(&config.gpu, None);
    let service = service(&config, gpu);
    let mut bodies = Vec::new();
    for request in REQUESTS {
        let (engine, body) = ask(&service, request).await;
        assert_eq!(engine, "cpu", "{request}");
        bodies.push(body);
    }
    bodies
}

fn parsed(request: &str) -> ImageRequest {
    let path = format!("cat-progressive.jpg/{request}");
    let segments: Vec<_> = path.split('/').collect();
    ImageRequest::parse(Version::V3, &segments, None).expect("valid")
}

async fn ask(service: &Service, request: &str) -> (&'static str, Vec<u8>) {
    let ask = Ask {
        unchanged: &|_| false,
        head: false,
        accept: None,
    };
    let answer = service.image(&parsed(request), ask).await.expect(request);
    let Answer::Whole(head, body) = answer else {
        panic!("not whole: {answer:?}");
    };
    (head.engine, body.to_vec())
}

/// All requests at one time.
fn ask_all(service: &Service) -> Vec<JoinHandle<(&'static str, Vec<u8>)>> {
    let each = REQUESTS.iter().map(|request| {
        let service = service.clone();
        tokio::spawn(async move { ask(&service, request).await })
    });
    each.collect()
}

/// The answers, which have to be the CPU's bytes; the engines that made them.
async fn engines(asked: Vec<JoinHandle<(&'static str, Vec<u8>)>>) -> Vec<&'static str> {
    let right = right().await;
    let mut engines = Vec::new();
    for ((asked, right), request) in asked.into_iter().zip(right).zip(REQUESTS) {
        let (engine, body) = asked.await.expect("no panic");
        assert!(body == right, "{request} differs, made by {engine}");
        engines.push(engine);
    }
    engines
}

async fn until(what: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_mins(2);
    while !what() {
        assert!(Instant::now() < end, "it does not happen");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Batches and jobs so far.
fn seen(fake: &Fake) -> (usize, usize) {
    (fake.batches().len(), fake.jobs_seen())
}

/// Waits until as many batches of all requests are under way as may be, or, where a busy machine made
/// fewer of them, all jobs.
async fn until_away(fake: &Fake, (batches, jobs): (usize, usize)) {
    until(|| {
        let (now, all) = seen(fake);
        now - batches == 3 || all - jobs == REQUESTS.len()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_device_answers_with_the_bytes_of_the_cpu() {
    let (service, fake) = with_device(1);
    let before = fake.jobs_seen();
    let engines = engines(ask_all(&service)).await;
    assert!(engines.iter().all(|engine| *engine == "gpu"), "{engines:?}");
    assert_eq!(fake.jobs_seen() - before, REQUESTS.len());
    assert_eq!(service.gpu().state, State::Up, "each was compared");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_waits_for_the_device_gives_its_place_back() {
    let (service, fake) = with_device(0);
    let before = seen(&fake);
    fake.hold(true);
    let asked = ask_all(&service);
    until_away(&fake, before).await;
    fake.hold(false);
    engines(asked).await;
    let batches = fake.batches().split_off(before.0);
    assert!(batches.iter().any(|jobs| *jobs > 1), "{batches:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_ends_in_the_cpus_answer() {
    for fault in [
        Fault::Lost,
        Fault::Hung,
        Fault::OutOfMemory,
        Fault::Unfit,
        Fault::Overflow,
    ] {
        let (service, fake) = with_device(0);
        let before = seen(&fake);
        fake.hold(true);
        let asked = ask_all(&service);
        until_away(&fake, before).await;
        fake.fail_with(Some(fault));
        let engines = engines(asked).await;
        assert!(engines.iter().all(|engine| *engine == "cpu"), "{engines:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_pixels_are_found_turn_the_device_off_and_are_not_kept() {
    let (service, fake) = with_device(1);
    fake.spoil(true);
    let engines_of = engines(ask_all(&service)).await;
    assert!(engines_of.contains(&"cpu"), "{engines_of:?}");
    let report = service.gpu();
    assert_eq!(report.state, State::Off);
    assert!(report.reason.contains("not the CPU's"), "{report:?}");
    fake.spoil(false);
    let again = engines(ask_all(&service)).await;
    assert!(again.iter().all(|engine| *engine == "cpu"), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_comparing_wrong_pixels_would_leave() {
    let (service, fake) = with_device(0);
    fake.spoil(true);
    let right = right().await;
    // A format without losses shows one wrong bit.
    let (engine, body) = ask(&service, REQUESTS[3]).await;
    assert_eq!(engine, "gpu");
    assert!(body != right[3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_foreseen_is_what_happens() {
    let (service, _fake) = with_device(0);
    for request in REQUESTS {
        let foreseen = service.explain(&parsed(request)).await.expect(request);
        let choice = foreseen.choice.expect("it is rendered");
        assert!(choice.on_device && choice.gpu.is_some(), "{choice:?}");
        let (engine, _) = ask(&service, request).await;
        assert_eq!(engine, foreseen.engine, "{request}");
        let known = service.explain(&parsed(request)).await.expect(request);
        assert!(known.choice.is_none(), "it is in the cache");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_leaves_takes_its_job_back() {
    let (service, fake) = with_device(0);
    let before = seen(&fake);
    fake.hold(true);
    let asked = ask_all(&service);
    until_away(&fake, before).await;
    for asked in &asked {
        asked.abort();
    }
    for asked in asked {
        assert!(asked.await.is_err(), "it left");
    }
    let under_way = fake.jobs_seen();
    fake.hold(false);
    // Nobody waits for those that had not left yet.
    let (engine, _) = ask(&service, "0,0,64,64/33,/0/default.jpg").await;
    assert_eq!(engine, "gpu");
    assert_eq!(fake.jobs_seen(), under_way + 1);
}

/// Answers of several bands, and answers that one job makes.
const LONG: &[&str] = &[
    "large.png/full/max/0/default.jpg",
    "large.png/full/max/!0/gray.jpg",
    "large.png/full/pct:60/90/default.jpg",
    "large.png/full/pct:60/7.5/default.jpg",
];

/// A folder with a master of five bands.
fn folder() -> tempfile::TempDir {
    let dimensions = crate::geometry::Dimensions::new(403, 651).expect("not empty");
    let pixel = |at: u64| {
        let (x, y) = (at % 403, at / 403);
        [x / 7 + y / 5, x * y / 977, (x ^ y) % 200].map(|v| v.to_le_bytes()[0])
    };
    let samples = (0..dimensions.area()).flat_map(pixel).collect();
    let raster = crate::raster::Raster::from_u8(dimensions, crate::raster::Channels::Rgb, samples);
    let mut rows = crate::raster::OneStrip::from(raster.expect("it fits"));
    let mut file = Vec::new();
    let settings = Config::default().encode.settings();
    let format = crate::iiif::Format::Png;
    let cancel = crate::cancel::Cancel::new();
    let encoding = codec::Encoding {
        format,
        settings: &settings,
        attached: &codec::Attached::default(),
    };
    codec::encode(encoding, &mut rows, &cancel, &mut file).expect("it is written");
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("large.png"), file).expect("it is written");
    folder
}

fn parsed_long(request: &str) -> ImageRequest {
    let segments: Vec<_> = request.split('/').collect();
    ImageRequest::parse(Version::V3, &segments, None).expect("valid")
}

/// The same, where answers of some length are streamed.
fn of_long_answers(check_one_in: u64) -> Config {
    let mut config = config(check_one_in);
    config.limits.stream_above_bytes = 10_000;
    config
}

async fn ask_long(service: &Service, request: &str) -> (&'static str, Vec<u8>) {
    let ask = Ask {
        unchanged: &|_| false,
        head: false,
        accept: None,
    };
    let answer = service
        .image(&parsed_long(request), ask)
        .await
        .expect(request);
    let Answer::Stream(head, mut pieces) = answer else {
        panic!("not streamed: {answer:?}");
    };
    let mut body = Vec::new();
    while let Some(piece) = pieces.next().await {
        body.extend_from_slice(&piece.expect(request));
    }
    (head.engine, body)
}

/// What the CPU alone streams.
async fn right_long(folder: &Path) -> Vec<Vec<u8>> {
    let mut config = of_long_answers(0);
    config.gpu.mode = GpuMode::Off;
    let service = service_of(folder, &config, Gpu::start(&config.gpu, None));
    let mut bodies = Vec::new();
    for request in LONG {
        let (engine, body) = ask_long(&service, request).await;
        assert_eq!(engine, "cpu", "{request}");
        bodies.push(body);
    }
    bodies
}

#[tokio::test(flavor = "multi_thread")]
async fn long_answers_are_made_on_the_device_whole_or_in_bands() {
    let folder = folder();
    let right = right_long(folder.path()).await;
    for check_one_in in [0, 1] {
        let (service, fake) = before_device(folder.path(), &of_long_answers(check_one_in));
        for (request, right) in LONG.iter().zip(&right) {
            let before = fake.jobs_seen();
            let foreseen = service.explain(&parsed_long(request)).await.expect(request);
            let (engine, body) = ask_long(&service, request).await;
            assert_eq!((engine, foreseen.engine), ("gpu", "gpu"), "{request}");
            assert!(body == *right, "{request} differs");
            let jobs = fake.jobs_seen() - before;
            let is_whole = request.contains("pct");
            assert_eq!(jobs, if is_whole { 1 } else { 5 }, "{request}");
        }
        assert_eq!(service.gpu().state, State::Up);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_amid_a_long_answer_ends_in_the_cpus_bytes() {
    let folder = folder();
    let right = right_long(folder.path()).await;
    for fault in [
        Fault::Lost,
        Fault::Hung,
        Fault::OutOfMemory,
        Fault::Overflow,
    ] {
        for (request, right) in LONG.iter().zip(&right) {
            let (service, fake) = before_device(folder.path(), &of_long_answers(0));
            let before = fake.jobs_seen();
            fake.hold(true);
            let asking = {
                let service = service.clone();
                tokio::spawn(async move { ask_long(&service, request).await })
            };
            until(|| fake.jobs_seen() > before).await;
            fake.fail_with(Some(fault));
            let (_, body) = asking.await.expect("no panic");
            assert!(body == *right, "{request} after {fault:?}");
        }
    }
}

/// Answers in parts where the device has little room: files and pixels, streamed and whole, upright and
/// turned.
const LARGE: &[&str] = &[
    "large.png/full/pct:60/0/default.jpg",
    "large.png/full/pct:60/!90/default.jpg",
    "large.png/full/pct:70/180/gray.jpg",
    "large.png/full/max/270/default.jpg",
    "large.png/full/^pct:120/0/default.png",
    "large.png/full/pct:60/!90/default.png",
];

/// The same as whole files.
const LARGE_WHOLE: &[&str] = &[
    "large.png/full/pct:60/0/default.webp",
    "large.png/full/pct:60/270/default.tif",
];

/// So few bytes that the master's picture does not fit.
const NARROW: u64 = 300_000;

async fn ask_large(service: &Service, request: &str) -> (&'static str, Vec<u8>) {
    let ask = Ask {
        unchanged: &|_| false,
        head: false,
        accept: None,
    };
    match service.image(&parsed_long(request), ask).await {
        Ok(Answer::Whole(head, body)) => (head.engine, body.to_vec()),
        Ok(Answer::Stream(head, mut pieces)) => {
            let mut body = Vec::new();
            while let Some(piece) = pieces.next().await {
                body.extend_from_slice(&piece.expect(request));
            }
            (head.engine, body)
        }
        other => panic!("{request}: {other:?}"),
    }
}

async fn right_large(folder: &Path) -> Vec<(&'static str, Vec<u8>)> {
    let mut config = of_long_answers(0);
    config.gpu.mode = GpuMode::Off;
    let service = service_of(folder, &config, Gpu::start(&config.gpu, None));
    let mut bodies = Vec::new();
    for request in LARGE.iter().chain(LARGE_WHOLE) {
        let (engine, body) = ask_large(&service, request).await;
        assert_eq!(engine, "cpu", "{request}");
        bodies.push((*request, body));
    }
    bodies
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_buffer_holds_is_made_in_parts() {
    let folder = folder();
    let right = right_large(folder.path()).await;
    for check_one_in in [0, 1] {
        let (service, fake) = before_device(folder.path(), &of_long_answers(check_one_in));
        fake.narrow(NARROW);
        for (request, right) in &right {
            let before = fake.jobs_seen();
            let foreseen = service.explain(&parsed_long(request)).await.expect(request);
            let bands = foreseen.choice.expect("it is weighed").weight.bands;
            assert!(bands > 1, "{request}: {:?}", foreseen.choice);
            let (engine, body) = ask_large(&service, request).await;
            assert_eq!((engine, foreseen.engine), ("gpu", "gpu"), "{request}");
            assert!(body == *right, "{request} differs");
            assert_eq!(fake.jobs_seen() - before, bands as usize, "{request}");
        }
        assert_eq!(service.gpu().state, State::Up);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_amid_parts_ends_in_the_cpus_bytes() {
    let folder = folder();
    let right = right_large(folder.path()).await;
    for (index, (request, right)) in right.iter().enumerate() {
        let fault = [
            Fault::Lost,
            Fault::Hung,
            Fault::OutOfMemory,
            Fault::Overflow,
        ][index % 4];
        let (service, fake) = before_device(folder.path(), &of_long_answers(0));
        fake.narrow(NARROW);
        let before = fake.jobs_seen();
        fake.hold(true);
        let asking = {
            let (service, request) = (service.clone(), *request);
            tokio::spawn(async move { ask_large(&service, request).await })
        };
        until(|| fake.jobs_seen() > before).await;
        fake.fail_with(Some(fault));
        let (_, body) = asking.await.expect("no panic");
        assert!(body == *right, "{request} after {fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_parts_are_found_and_turn_the_device_off() {
    let folder = folder();
    for (request, right) in right_large(folder.path()).await {
        let (service, fake) = before_device(folder.path(), &of_long_answers(1));
        fake.narrow(NARROW);
        fake.spoil(true);
        let (_, body) = ask_large(&service, request).await;
        assert!(body == right, "{request}");
        // One sample that is one off may leave a lossy file as it is.
        if request.ends_with("png") || request.ends_with("tif") {
            assert_eq!(service.gpu().state, State::Off, "{request}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_bands_are_found_and_turn_the_device_off() {
    let folder = folder();
    let right = right_long(folder.path()).await;
    let (service, fake) = before_device(folder.path(), &of_long_answers(1));
    fake.spoil(true);
    for (request, right) in LONG.iter().zip(&right) {
        let (_, body) = ask_long(&service, request).await;
        assert!(body == *right, "{request}");
    }
}
