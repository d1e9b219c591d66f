//! The real binary with and without the device: the same bodies, whatever is asked, however many ask.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::device::wanted;
use super::support::{Answer, Server, fixtures, request};

/// Masters of every kind of access, colour and opacity.
const MASTERS: &[&str] = &[
    "cat-progressive.jpg",
    "iiif-test-image.png",
    "lighthouse-gray.jp2",
    "solids-jpeg.tif",
    "orange-lossless.webp",
    "bricks.gif",
];

/// Connections that ask at one time.
const CONNECTIONS: usize = 64;

/// How many requests are compared, where this variable says nothing.
const REQUESTS: usize = 512;
const REQUESTS_VARIABLE: &str = "GPU_TESTS_REQUESTS";

pub(crate) fn masters() -> PathBuf {
    fixtures().join("images")
}

/// A server whose caches give nothing away.
pub(crate) fn server(folder: &Path, gpu: &str, settings: &[(&str, &str)]) -> Server {
    let adapter = wanted().adapter;
    let mut all = vec![
        ("GPU__ADAPTER", adapter.as_str()),
        ("CACHE__LEVELS__DISK_BYTES", "0"),
    ];
    all.extend_from_slice(settings);
    Server::launch(folder, &all, &["--gpu", gpu])
}

/// Numbers that look random, the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn one_of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len() as u64) as usize]
    }
}

/// A master and its sides.
struct Master {
    name: &'static str,
    width: u64,
    height: u64,
}

fn measured(server: &Server) -> Vec<Master> {
    let one = |name: &&'static str| {
        let info = server.get(&format!("/iiif/3/{name}/info.json")).json();
        let side = |name: &str| info[name].as_u64().unwrap();
        Master {
            name,
            width: side("width"),
            height: side("height"),
        }
    };
    MASTERS.iter().map(one).collect()
}

/// A random request that has to be answered with 200.
fn path(numbers: &mut Numbers, masters: &[Master]) -> String {
    let master = &masters[numbers.below(masters.len() as u64) as usize];
    let region = match numbers.below(4) {
        0 => "full".to_owned(),
        1 => "square".to_owned(),
        _ => {
            let x = numbers.below(master.width / 2);
            let y = numbers.below(master.height / 2);
            let width = 20 + numbers.below(400);
            let height = 20 + numbers.below(400);
            format!("{x},{y},{width},{height}")
        }
    };
    let length = 8 + numbers.below(180);
    let other = 8 + numbers.below(180);
    let size = match numbers.below(4) {
        0 => format!("^{length},"),
        1 => format!("^,{length}"),
        2 => format!("^{length},{other}"),
        _ => format!("^!{length},{other}"),
    };
    let angle = match numbers.below(4) {
        0 => format!("{}", 90 * numbers.below(4)),
        1 => format!("{}.{}", numbers.below(359), 1 + numbers.below(8)),
        _ => "0".to_owned(),
    };
    let mirror = numbers.one_of(&["", "!"]);
    let quality = numbers.one_of(&["default", "color", "gray", "bitonal"]);
    let format = numbers.one_of(&["jpg", "jpg", "png"]);
    let name = master.name;
    format!("/iiif/3/{name}/{region}/{size}/{mirror}{angle}/{quality}.{format}")
}

/// What `server` answers to `paths`, asked on many connections at one time.
fn answers(server: &Server, paths: &[String]) -> Vec<Answer> {
    let next = AtomicUsize::new(0);
    let ask = || {
        let mut mine = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(path) = paths.get(index) else {
                return mine;
            };
            mine.push((index, request(&server.public, "GET", path, &[])));
        }
    };
    let mut all: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(ask)).collect();
        let joined = threads.into_iter().map(|thread| thread.join().unwrap());
        joined.flatten().collect()
    });
    all.sort_by_key(|(index, _)| *index);
    all.into_iter().map(|(_, answer)| answer).collect()
}

pub(crate) fn engine(answer: &Answer) -> &str {
    let timing = answer.header("server-timing");
    timing
        .split("engine;desc=\"")
        .nth(1)
        .unwrap_or_default()
        .trim_end_matches('"')
}

/// The sum of a metric over its labels.
pub(crate) fn total(server: &Server, name: &str) -> f64 {
    let text = request(&server.admin, "GET", "/metrics", &[]).text();
    let values = text.lines().filter(|line| line.starts_with(name));
    values
        .filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok())
        .sum()
}

#[test]
fn sixty_four_connections_get_the_bodies_of_the_cpu() {
    let count = std::env::var(REQUESTS_VARIABLE).map_or(REQUESTS, |text| text.parse().unwrap());
    let (on, off) = (
        server(&masters(), "on", &[]),
        server(&masters(), "off", &[]),
    );
    let known = measured(&off);
    let mut numbers = Numbers(64);
    let paths: Vec<_> = (0..count).map(|_| path(&mut numbers, &known)).collect();
    let start = Instant::now();
    let (mine, reference) = (answers(&on, &paths), answers(&off, &paths));
    println!(
        "{count} requests on both servers took {:?}",
        start.elapsed()
    );
    let mut on_device = 0;
    for ((mine, reference), path) in mine.iter().zip(&reference).zip(&paths) {
        assert_eq!(reference.status, 200, "{path}: {}", reference.text_lossy());
        assert_eq!(mine.status, 200, "{path}: {}", mine.text_lossy());
        assert!(mine.body == reference.body, "{path} by {}", engine(mine));
        assert_ne!(engine(reference), "gpu", "{path}");
        on_device += usize::from(engine(mine) == "gpu");
    }
    let jobs = total(&on, "triforium_gpu_jobs_total{");
    let fallbacks = total(&on, "triforium_gpu_fallback_total{");
    let batches = on.metric("triforium_gpu_batch_size_count");
    let mean = on.metric("triforium_gpu_batch_size_sum") / batches;
    println!("{on_device} by the device, {fallbacks} fell back, {mean:.1} in a batch");
    assert!(on_device * 10 > count * 8, "{on_device} of {count}");
    assert!(
        jobs > 0.0 && jobs <= on_device as f64,
        "{jobs} of {on_device}"
    );
    assert!(mean > 4.0, "{mean} requests in a batch");
    let resident = on.metric("triforium_gpu_resident_bytes");
    assert!(
        resident > 1e5,
        "{resident} bytes of tiles stay on the device"
    );
    assert!(total(&off, "triforium_gpu_jobs_total{") < 0.5);
}

/// Formats, but for those that take seconds in a build without optimisation.
const FORMATS: [&str; 7] = ["png", "jpg", "webp", "tif", "jxl", "jp2", "pdf"];

/// Redacts the left upper part of every master.
const RULE: &str = "[[overlay.redactions]]\npattern = \".*\"\nrectangles = [[0, 0, 200, 150]]\n";

#[test]
fn tiles_that_stay_on_the_device_do_not_outlive_a_rule() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    std::fs::write(&file, "").unwrap();
    let config = file.to_string_lossy().into_owned();
    let adapter = wanted().adapter;
    let settings = [
        ("GPU__ADAPTER", adapter.as_str()),
        ("CACHE__DERIVATIVE__MEMORY_BYTES", "0"),
        ("LIMITS__QUEUE_SECONDS", "100"),
        ("LIMITS__RENDER_SECONDS", "100"),
        ("CACHE__LEVELS__DISK_BYTES", "0"),
    ];
    let arguments = ["--gpu", "on", "--config", &config];
    let on = Server::launch(&masters(), &settings, &arguments);
    let path = |width: usize| {
        let name = MASTERS[width % MASTERS.len()];
        // The device's pixels go into every format, and its own files are JPEG.
        let format = FORMATS[width / MASTERS.len() % FORMATS.len()];
        format!("/iiif/3/{name}/0,0,400,300/^{width},/0/default.{format}")
    };
    let paths: Vec<_> = (100..220).map(path).collect();
    let before = answers(&on, &paths);
    answers(&on, &paths);
    assert!(on.metric("triforium_gpu_resident_bytes") > 1e5);

    std::fs::write(&file, RULE).unwrap();
    on.signal("HUP");
    let end = Instant::now() + Duration::from_mins(1);
    while !on.log().contains("configuration is reloaded") {
        assert!(Instant::now() < end, "{}", on.log());
        std::thread::sleep(Duration::from_millis(20));
    }
    let off = Server::launch(
        &masters(),
        &settings,
        &["--gpu", "off", "--config", &config],
    );
    let mut on_device = 0;
    for _ in 0..2 {
        let (mine, reference) = (answers(&on, &paths), answers(&off, &paths));
        for (index, path) in paths.iter().enumerate() {
            assert_eq!(
                mine[index].status,
                200,
                "{path}: {}",
                mine[index].text_lossy()
            );
            assert_eq!(reference[index].status, 200, "{path}");
            assert!(mine[index].body == reference[index].body, "{path}");
            assert!(mine[index].body != before[index].body, "{path}");
            on_device += usize::from(engine(&mine[index]) == "gpu");
        }
    }
    assert!(on_device > paths.len(), "{on_device}");
}

#[test]
fn a_request_on_the_device_is_told_from_one_on_the_cpu() {
    let on = server(&masters(), "on", &[]);
    let stages = |stage: &str| {
        on.metric(&format!(
            "triforium_stage_duration_seconds_count{{stage=\"{stage}\"}}"
        ))
    };
    let path = "/iiif/3/cat-progressive.jpg/0,0,300,200/150,/0/default.jpg";
    let explained = request(&on.admin, "GET", &format!("/explain?path={path}"), &[]).json();
    assert_eq!(explained["engine"], "gpu", "{explained}");
    assert_eq!(explained["gpu"]["choice"], "gpu");
    assert!(explained["gpu"]["cpu_ms"].as_f64().unwrap() > 0.0);
    assert!(explained["gpu"]["gpu_ms"].as_f64().unwrap() > 0.0);
    let answer = on.get(path);
    assert_eq!(engine(&answer), "gpu", "{}", answer.header("server-timing"));
    assert!(stages("decode") > 0.5 && stages("process") + stages("encode") < 0.5);
    assert!(on.metric("triforium_gpu_state") > 1.5, "it is up");
    let device = request(&on.admin, "GET", "/gpu", &[]).json();
    assert_eq!(device["state"], "up");
    assert!(device["adapter"]["name"].is_string(), "{device}");
    assert!(device["measured"]["device_submission_ns"].as_f64().unwrap() > 0.0);
}

#[test]
fn a_device_that_is_not_there_stops_on_and_leaves_auto_to_the_cpu() {
    let absent = ("GPU__ADAPTER", "no such adapter");
    let start = Command::new(env!("CARGO_BIN_EXE_triforium"))
        .args(["serve", "--gpu", "on", "--listen", "127.0.0.1:0"])
        .arg(masters())
        .env("TRIFORIUM_GPU__ADAPTER", absent.1)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(start.status.code(), Some(2));
    let said = String::from_utf8_lossy(&start.stderr).into_owned();
    assert!(said.contains("gpu.mode"), "{said}");
    let auto = server(&masters(), "auto", &[absent]);
    let answer = auto.get("/iiif/3/cat-progressive.jpg/full/150,/0/default.jpg");
    assert_eq!((answer.status, engine(&answer)), (200, "cpu"));
    // The device is looked for in the background.
    let start = Instant::now();
    while !auto.log().contains("GPU") && start.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(20));
    }
    let log = auto.log();
    let lines: Vec<_> = log.lines().filter(|line| line.contains("GPU")).collect();
    assert_eq!(lines.len(), 1, "{log}");
}

#[test]
fn the_command_says_what_the_device_is() {
    let told = Command::new(env!("CARGO_BIN_EXE_triforium"))
        .args(["info", "--gpu", "--json"])
        .env("TRIFORIUM_GPU__ADAPTER", wanted().adapter)
        .output()
        .unwrap();
    assert!(told.status.success());
    let told: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!(told["state"], "up");
    for name in ["device_submission_ns", "cpu_resample_weight_ns"] {
        assert!(told["measured"][name].as_f64().unwrap() > 0.0, "{told}");
    }
    assert!(
        told["adapter"]["limits"]["max_buffer_bytes"]
            .as_u64()
            .unwrap()
            > 0
    );
}
