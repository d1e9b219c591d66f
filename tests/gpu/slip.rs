//! A server with one number of a shader changed: its self-test refuses the device, its cross-check
//! finds it out, and where neither looks its bodies are others.

use std::future::pending;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::sync::watch;
use triforium::render::gpu::{Encode, Gpu, GpuMode, Open, open, open_changed};
use triforium::service::{Config, Resources, Service};
use triforium::source::{self, FileSource};
use triforium::{codec, http};

use super::device::wanted;
use super::http::engine;
use super::support::{Answer, request};

/// What stands in a shader, and the slip: luma of red.
const RIGHT: &str = "19595 * colour.x";
const WRONG: &str = "19395 * colour.x";

/// Gray answers of either kind.
const PATHS: &[&str] = &[
    "/iiif/3/cat-progressive.jpg/0,0,400,300/200,/0/gray.jpg",
    "/iiif/3/cat-progressive.jpg/full/150,/90/gray.png",
    "/iiif/3/iiif-test-image.png/full/200,/12.5/gray.png",
];

/// A server in this process.
struct InProcess {
    public: String,
    admin: String,
    _settings: watch::Sender<Arc<http::Settings>>,
    _runtime: Runtime,
}

/// How the device is watched.
#[derive(Clone, Copy)]
struct Watched {
    self_test: bool,
    check_one_in: u64,
}

const UNWATCHED: Watched = Watched {
    self_test: false,
    check_one_in: 0,
};

/// A server on the device whose shaders are changed.
fn changed(watched: Watched) -> InProcess {
    let change = |text: &str| text.replace(RIGHT, WRONG);
    let open: Open = Box::new(move || open_changed(&wanted(), change));
    in_process(watched, GpuMode::On, open)
}

fn in_process(watched: Watched, mode: GpuMode, open: Open) -> InProcess {
    let mut config = Config::default();
    config.cache.levels.disk_bytes = 0;
    config.gpu.mode = mode;
    config.gpu.self_test = watched.self_test;
    config.gpu.check_one_in = watched.check_one_in;
    let standard = codec::jpeg::is_standard();
    let encode: Option<Encode> = standard.then_some(codec::jpeg::file);
    let gpu = Gpu::opened_by(&config.gpu, encode, open);
    gpu.settled();
    let source = source::Config {
        root: Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/images"),
        ..source::Config::default()
    };
    let resources = Resources {
        threads: 2,
        memory_bytes: 4 << 30,
    };
    let source = FileSource::new(&source).unwrap();
    let runtime = Runtime::new().unwrap();
    let service = {
        let _inside = runtime.enter();
        Service::with_gpu(&config, source, Duration::from_secs(9), resources, gpu).unwrap()
    };
    let mut front = http::Config::default();
    "127.0.0.1:0".clone_into(&mut front.server.listen);
    "127.0.0.1:0".clone_into(&mut front.admin.listen);
    let settings = Arc::new(http::Settings::new(front).unwrap());
    let (sender, current) = watch::channel(settings);
    let server = runtime
        .block_on(http::Server::bind(service, current))
        .unwrap();
    let public = server.address().to_string();
    let admin = server.admin_address().unwrap().to_string();
    runtime.spawn(server.run(pending(), pending()));
    InProcess {
        public,
        admin,
        _settings: sender,
        _runtime: runtime,
    }
}

impl InProcess {
    fn answers(&self) -> Vec<Answer> {
        let one = |path: &&str| {
            let answer = request(&self.public, "GET", path, &[]);
            assert_eq!(answer.status, 200, "{path}: {}", answer.text_lossy());
            answer
        };
        PATHS.iter().map(one).collect()
    }

    /// What the admin listener tells of the device.
    fn device(&self) -> serde_json::Value {
        request(&self.admin, "GET", "/gpu", &[]).json()
    }
}

fn right() -> Vec<Answer> {
    let open: Open = Box::new(|| open(&wanted()));
    in_process(UNWATCHED, GpuMode::Off, open).answers()
}

/// The bodies are the CPU's; the engines that made them.
fn assert_right(answers: &[Answer]) -> Vec<&str> {
    for ((mine, right), path) in answers.iter().zip(right()).zip(PATHS) {
        assert!(mine.body == right.body, "{path} by {}", engine(mine));
    }
    answers.iter().map(engine).collect()
}

#[test]
fn over_http_a_slip_is_refused_by_the_self_test() {
    let server = changed(Watched {
        self_test: true,
        ..UNWATCHED
    });
    let device = server.device();
    assert_eq!(device["state"], "off", "{device}");
    let reason = device["reason"].as_str().unwrap();
    assert!(reason.contains("self-test"), "{device}");
    let answers = server.answers();
    assert_eq!(assert_right(&answers), ["cpu"; 3]);
}

#[test]
fn over_http_a_slip_is_found_by_the_cross_check() {
    let server = changed(Watched {
        check_one_in: 1,
        ..UNWATCHED
    });
    assert_eq!(server.device()["state"], "up");
    let answers = server.answers();
    assert_eq!(assert_right(&answers), ["cpu"; 3]);
    assert_eq!(server.device()["state"], "off");
}

#[test]
fn over_http_a_slip_that_nobody_looks_for_changes_bodies() {
    let server = changed(UNWATCHED);
    let answers = server.answers();
    for ((mine, right), path) in answers.iter().zip(right()).zip(PATHS) {
        assert_eq!(engine(mine), "gpu", "{path}");
        assert!(mine.body != right.body, "{path} is the same");
    }
}
