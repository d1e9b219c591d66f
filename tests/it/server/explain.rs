//! What `/explain` and `triforium explain` foresee, against what the server then does.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::counter;
use super::tiles::Chance;
use crate::library::{draw, jpeg, library, plain, save, scratch};
use crate::painted::{self, Store};
use crate::pixels::Pixels;
use crate::support::{Answer, Server, fixtures, request};

/// A path as it stands in a query.
fn encoded(path: &str) -> String {
    let bytes: Vec<_> = path.bytes().map(|byte| format!("%{byte:02X}")).collect();
    bytes.concat()
}

fn explain(server: &Server, path: &str) -> Answer {
    let target = format!("/explain?path={}", encoded(path));
    request(&server.admin, "GET", &target, &[])
}

/// What `Server-Timing` says under a name.
pub(super) fn described<'a>(answer: &'a Answer, name: &str) -> &'a str {
    let timing = answer.header("server-timing");
    let (_, rest) = timing.split_once(&format!("{name};desc=\"")).unwrap();
    rest.split_once('"').unwrap().0
}

/// Masters of several kinds: tiles that can be passed, tiles that are decoded, none, whole files.
pub(super) fn masters(name: &str) -> (PathBuf, Vec<&'static str>) {
    let folder = scratch(name);
    painted::save(&folder.join("painted.tif"), Store::Abbreviated);
    painted::save(&folder.join("rgb.tif"), Store::Rgb);
    painted::save(&folder.join("webp.tif"), Store::Webp);
    let picture = draw(901, 703, plain);
    save(&folder.join("plain.png"), &picture);
    for orientation in [1, 6] {
        let name = format!("turned-{orientation}.jpg");
        fs::write(folder.join(name), jpeg(&picture, orientation)).unwrap();
    }
    fs::write(folder.join("page.webp"), webp(&picture)).unwrap();
    for (from, to) in [
        ("tiff/rgb-tiles-zip.tif", "zip.tif"),
        ("jp2/jp2-6res-rgb-64x56x8-multitiled-lossy.jp2", "tiled.jp2"),
    ] {
        fs::copy(fixtures().join(from), folder.join(to)).unwrap();
    }
    let names = [
        "painted.tif",
        "rgb.tif",
        "webp.tif",
        "page.webp",
        "plain.png",
        "turned-1.jpg",
        "turned-6.jpg",
        "zip.tif",
        "tiled.jp2",
    ];
    (folder, names.to_vec())
}

/// A WebP without loss.
fn webp(picture: &Pixels) -> Vec<u8> {
    let mut bytes = Vec::new();
    let (width, height) = (picture.width as u32, picture.height as u32);
    image_webp::WebPEncoder::new(&mut bytes)
        .encode(&picture.data, width, height, image_webp::ColorType::Rgb8)
        .unwrap();
    bytes
}

pub(super) fn size(server: &Server, name: &str) -> (u64, u64) {
    let document = server.get(&format!("/iiif/3/{name}/info.json")).json();
    let side = |name: &str| document[name].as_u64().unwrap();
    (side("width"), side("height"))
}

/// What was foreseen and did not come true, and the rungs that were seen.
#[derive(Default)]
struct Record {
    wrong: Vec<String>,
    rungs: BTreeMap<String, usize>,
    good: usize,
}

impl Record {
    /// Asks what the server would do, and then has it do that.
    fn compare(&mut self, server: &Server, path: &str) {
        let explained = explain(server, path);
        let answer = server.get(path);
        assert_eq!(explained.status, answer.status, "{path}");
        if answer.status != 200 {
            assert_eq!(explained.header("content-type"), "application/problem+json");
            return;
        }
        let explained = explained.json();
        assert_eq!(explained["from"], "server");
        let canonical = explained["canonical"].as_str().unwrap();
        assert!(answer.header("link").contains(canonical), "{path}");
        let (rung, engine) = (described(&answer, "rung"), described(&answer, "engine"));
        if explained["rung"] != rung || explained["engine"] != engine {
            self.wrong
                .push(format!("{path}: {rung}, {engine} and not {explained}"));
        }
        *self.rungs.entry(rung.to_owned()).or_default() += 1;
        self.good += 1;
    }
}

#[test]
fn the_server_does_what_it_explains_cold_and_warm() {
    let (folder, names) = masters("explained");
    let server = Server::start(&folder);
    let sizes: Vec<_> = names.iter().map(|name| size(&server, name)).collect();
    let mut chance = Chance(9);
    let mut paths = BTreeSet::new();
    let mut cold = Record::default();
    for round in 0..90 {
        for (name, &(width, height)) in names.iter().zip(&sizes) {
            let wanted = match round % 5 {
                // Tiles as a viewer asks for them, some of which are stored.
                0 => {
                    let side = painted::TILE as u64;
                    let (x, y) = (
                        chance.below(width / side + 1),
                        chance.below(height / side + 1),
                    );
                    let (x, y) = (x * side % width, y * side % height);
                    let format = if *name == "webp.tif" { "webp" } else { "jpg" };
                    format!("{x},{y},{side},{side}/max/0/default.{format}")
                }
                1 => "full/max/0/default.jpg".to_owned(),
                _ => chance.request(width, height),
            };
            let path = format!("/iiif/3/{name}/{wanted}");
            if paths.insert(path.clone()) {
                cold.compare(&server, &path);
            }
        }
    }
    assert!(cold.good >= 500, "{}", cold.good);
    let mut warm = Record::default();
    for path in &paths {
        warm.compare(&server, path);
    }
    // Levels that get finished between explanation and request change what comes, once for a master.
    let wrong = cold.wrong.len();
    let start = Instant::now();
    let built = || counter(&server, "level_builds_total", "result=\"built\"") as usize;
    while built() < wrong && start.elapsed() < Duration::from_secs(3) {
        thread::sleep(Duration::from_millis(50));
    }
    assert!(wrong <= built(), "{:#?}", cold.wrong);
    assert!(warm.wrong.is_empty(), "{:#?}", warm.wrong);
    for rung in ["pass_through", "compressed", "resident", "partial", "full"] {
        assert!(cold.rungs.contains_key(rung), "{rung}: {:?}", cold.rungs);
    }
    let kept = warm.rungs["derivative"] + warm.rungs["pass_through"];
    assert_eq!(kept, warm.good, "{:?}", warm.rungs);
}

#[test]
fn levels_on_disk_are_foreseen() {
    let folder = scratch("explained-levels");
    save(&folder.join("a.png"), &draw(901, 703, plain));
    let server = Server::with(&folder, &[("CACHE__TILES__MEMORY_BYTES", "0")]);
    let start = Instant::now();
    let mut number = 0;
    while counter(&server, "level_builds_total", "result=\"built\"") == 0 {
        number += 1;
        server.get(&format!(
            "/iiif/3/a.png/{number},0,500,400/100,/0/default.png"
        ));
        assert!(start.elapsed() < Duration::from_mins(1), "{}", server.log());
    }
    let mut record = Record::default();
    for number in 0..20 {
        let region = format!("{number},{number},800,600");
        record.compare(
            &server,
            &format!("/iiif/3/a.png/{region}/200,/0/default.png"),
        );
    }
    assert!(record.wrong.is_empty(), "{:#?}", record.wrong);
    assert_eq!(record.rungs["levels"], 20, "{:?}", record.rungs);
}

#[test]
fn answers_on_disk_are_foreseen() {
    let caches = tempfile::tempdir().unwrap();
    let settings = [
        ("CACHE__DIRECTORY", caches.path().to_str().unwrap()),
        ("CACHE__DERIVATIVE__DISK_BYTES", "50000000"),
    ];
    let path = "/iiif/3/plain.png/full/111,/0/default.jpg";
    let first = Server::with(library(), &settings);
    assert_ne!(explain(&first, path).json()["rung"], "derivative");
    first.get(path);
    let stored = || {
        let groups = fs::read_dir(caches.path().join("derivative_disk"));
        let groups = groups.into_iter().flatten().flatten();
        let files = groups.filter_map(|group| fs::read_dir(group.path()).ok());
        let mut files = files.flatten().flatten().map(|file| file.path());
        files.any(|file| file.extension().is_some_and(|end| end == "cached"))
    };
    let start = Instant::now();
    while !stored() {
        assert!(
            start.elapsed() < Duration::from_secs(30),
            "it is not stored"
        );
        thread::sleep(Duration::from_millis(10));
    }
    drop(first);
    let mut record = Record::default();
    record.compare(&Server::with(library(), &settings), path);
    assert!(record.wrong.is_empty(), "{:#?}", record.wrong);
    assert_eq!(record.rungs["derivative"], 1);
}

#[test]
fn an_explanation_is_the_operators_and_leaves_nothing() {
    let server = Server::start(library());
    let path = "/iiif/3/uneven.png/0,0,256,256/max/0/default.png";
    for _ in 0..2 {
        assert_eq!(explain(&server, path).json()["rung"], "partial");
    }
    server.get(path);
    let counted = || request(&server.admin, "GET", "/metrics", &[]).text();
    let lookups = |text: &str| -> BTreeSet<String> {
        let lines = text.lines();
        let wanted = lines.filter(|line| line.starts_with("triforium_cache_requests_total"));
        wanted.map(str::to_owned).collect()
    };
    let before = lookups(&counted());
    assert_eq!(explain(&server, path).json()["rung"], "derivative");
    assert_eq!(
        explain(&server, &path.replace("png/0", "png/1")).status,
        200
    );
    assert_eq!(lookups(&counted()), before);
    let public = server.get(&format!("/explain?path={}", encoded(path)));
    assert_eq!(public.status, 404);
}

#[test]
fn errors_are_explained_with_the_requests_status() {
    let server = Server::start(library());
    for (path, status) in [
        ("/iiif/3/uneven.png/full/0,/0/default.jpg", 400),
        ("/iiif/3/uneven.png/full/max/0/default.xyz", 400),
        ("/iiif/1.1/uneven.png/full/full/0/native.xyz", 415),
        ("/iiif/3/nobody/full/max/0/default.jpg", 404),
        ("/nowhere", 404),
    ] {
        let explained = explain(&server, path);
        assert_eq!(explained.status, server.get(path).status, "{path}");
        assert_eq!(explained.status, status, "{path}");
        assert_eq!(explained.header("content-type"), "application/problem+json");
    }
    let bare = request(&server.admin, "GET", "/explain", &[]);
    assert_eq!(bare.status, 400);
}

/// The command, with this admin listener configured.
fn command(admin: &str, arguments: &[&str]) -> (Option<i32>, Value) {
    let output = Command::new(env!("CARGO_BIN_EXE_triforium"))
        .args(["explain", "--json"])
        .args(arguments)
        .current_dir(env!("CARGO_TARGET_TMPDIR"))
        .env("TRIFORIUM_ADMIN__LISTEN", admin)
        .env("TRIFORIUM_SOURCE__FILE__ROOT", library())
        .output()
        .unwrap();
    let report = serde_json::from_slice(&output.stdout).unwrap_or_default();
    (output.status.code(), report)
}

#[test]
fn the_command_asks_the_running_server_and_else_plans_on_its_own() {
    let server = Server::start(library());
    let path = "/iiif/3/folder%2Finner.png/full/max/0/default.png";
    let root = library() as &Path;
    server.get(path);
    let (code, live) = command(&server.admin, &[path]);
    assert_eq!(code, Some(0));
    assert_eq!(live, explain(&server, path).json());
    assert_eq!(live["from"], "server");
    let rung = live["rung"].as_str().unwrap();
    assert_eq!(rung, described(&server.get(path), "rung"));
    let (code, _) = command(&server.admin, &["/iiif/3/nobody/full/max/0/default.png"]);
    assert_eq!(code, Some(1));
    // A port on which nothing listens: bound and given back.
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let free = free.local_addr().unwrap().to_string();
    let own = [
        command(&free, &[path]),
        command("", &[path]),
        command(&server.admin, &["--root", root.to_str().unwrap(), path]),
    ];
    for (code, report) in own {
        assert_eq!(code, Some(0));
        assert_eq!(report["from"], "offline");
        assert_eq!(report["canonical"], live["canonical"]);
    }
}
