//! A server with one number of a shader changed: its self-test refuses the device, its cross-check
//! finds it out, and where neither looks its bodies are others.

use triforium::render::gpu::{GpuMode, Open, open, open_changed};
use triforium::service::Config;

use super::device::wanted;
use super::http::{engine, masters};
use super::inside::Inside;
use super::support::Answer;

/// What stands in a shader, and the slip: luma of red.
const RIGHT: &str = "19595 * colour.x";
const WRONG: &str = "19395 * colour.x";

/// Gray answers of either kind.
const PATHS: &[&str] = &[
    "/iiif/3/cat-progressive.jpg/0,0,400,300/200,/0/gray.jpg",
    "/iiif/3/cat-progressive.jpg/full/150,/90/gray.png",
    "/iiif/3/iiif-test-image.png/full/200,/12.5/gray.png",
];

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
fn changed(watched: Watched) -> Inside {
    let change = |text: &str| text.replace(RIGHT, WRONG);
    let open: Open = Box::new(move || open_changed(&wanted(), change));
    in_process(watched, GpuMode::On, open)
}

fn in_process(watched: Watched, mode: GpuMode, open: Open) -> Inside {
    let mut config = Config::default();
    config.cache.levels.disk_bytes = 0;
    config.gpu.mode = mode;
    config.gpu.self_test = watched.self_test;
    config.gpu.check_one_in = watched.check_one_in;
    Inside::new(&masters(), &config, open)
}

fn answers(server: &Inside) -> Vec<Answer> {
    PATHS.iter().map(|path| server.get(path)).collect()
}

fn right() -> Vec<Answer> {
    let open: Open = Box::new(|| open(&wanted()));
    answers(&in_process(UNWATCHED, GpuMode::Off, open))
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
    let answers = answers(&server);
    assert_eq!(assert_right(&answers), ["cpu"; 3]);
}

#[test]
fn over_http_a_slip_is_found_by_the_cross_check() {
    let server = changed(Watched {
        check_one_in: 1,
        ..UNWATCHED
    });
    assert_eq!(server.device()["state"], "up");
    let answers = answers(&server);
    assert_eq!(assert_right(&answers), ["cpu"; 3]);
    assert_eq!(server.device()["state"], "off");
}

#[test]
fn over_http_a_slip_that_nobody_looks_for_changes_bodies() {
    let server = changed(UNWATCHED);
    let answers = answers(&server);
    for ((mine, right), path) in answers.iter().zip(right()).zip(PATHS) {
        assert_eq!(engine(mine), "gpu", "{path}");
        assert!(mine.body != right.body, "{path} is the same");
    }
}
