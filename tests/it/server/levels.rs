//! Levels of masters on disk: the same bytes with and without them, when they are built and when not,
//! and what happens to files that are half written, damaged, or in the way.

use std::env;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use triforium::cache::levels::{Grid, LevelStore};
use triforium::cache::{Key, KeyBuilder};

use super::counter;
use crate::library::{draw, jpeg, plain, save, scratch};
use crate::support::{Server, fixtures, request};

/// Requests for pixels at many factors: tiles, thumbnails, regions, turns.
const REQUESTS: &[&str] = &[
    "0,0,256,256/max/0/default.png",
    "256,256,512,512/256,/0/default.jpg",
    "256,0,1024,1024/256,/0/default.png",
    "full/120,/0/default.jpg",
    "full/!33,33/0/default.png",
    "101,57,400,300/222,/0/default.png",
    "300,200,300,400/max/!90/gray.png",
    "full/pct:50/22.5/default.png",
    "full/1,/0/default.png",
];

/// Answers and decoded tiles are kept nowhere else; a busy machine's masters are not looked at again.
const NOTHING_ELSE: [(&str, &str); 3] = [
    ("SOURCE__FILE__CHECK_SECONDS", "600"),
    ("CACHE__DERIVATIVE__MEMORY_BYTES", "0"),
    ("CACHE__TILES__MEMORY_BYTES", "0"),
];

fn server(folder: &Path, settings: &[(&str, &str)]) -> Server {
    let all: Vec<_> = NOTHING_ELSE.iter().chain(settings).copied().collect();
    Server::with(folder, &all)
}

fn with_levels(folder: &Path, cache: &Path) -> Server {
    server(folder, &[("CACHE__DIRECTORY", cache.to_str().unwrap())])
}

fn builds(server: &Server, result: &str) -> u64 {
    counter(
        server,
        "level_builds_total",
        &format!("result=\"{result}\""),
    )
}

fn hits(server: &Server) -> u64 {
    let labels = "tier=\"levels\",result=\"hit\"";
    counter(server, "cache_requests_total", labels)
}

/// All bodies of one master, by the order of [`REQUESTS`].
fn bodies(server: &Server, name: &str) -> Vec<Vec<u8>> {
    let ask = |wanted: &&str| {
        let answer = server.get(&format!("/iiif/3/{name}/{wanted}"));
        assert_eq!(
            answer.status,
            200,
            "{name}/{wanted}: {}",
            answer.text_lossy()
        );
        answer.body
    };
    REQUESTS.iter().map(ask).collect()
}

/// Asks for everything of `names` until so many builds are done.
fn ask_until_built(server: &Server, names: &[String], wanted: u64) {
    let start = Instant::now();
    while builds(server, "built") < wanted {
        for name in names {
            bodies(server, name);
        }
        assert!(
            start.elapsed() < Duration::from_mins(3),
            "{} of {wanted} are built: {}",
            builds(server, "built"),
            server.log()
        );
    }
}

/// Every file below `folder`.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            all.extend(files(&path));
        } else {
            all.push(path);
        }
    }
    all
}

fn bytes(folder: &Path) -> u64 {
    files(folder).iter().map(|path| length(path)).sum()
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |facts| facts.len())
}

/// A folder with a master of every kind that has no levels of its own.
fn masters(name: &str) -> (PathBuf, Vec<String>) {
    let folder = scratch(name);
    let picture = draw(901, 703, plain);
    save(&folder.join("plain.png"), &picture);
    fs::write(folder.join("turned.jpg"), jpeg(&picture, 6)).unwrap();
    fs::write(folder.join("progressive.jpg"), progressive(&picture.data)).unwrap();
    fs::write(folder.join("deep.png"), deep()).unwrap();
    // What the server itself writes without levels: strips, whole pictures.
    let settings = [("ENCODE__WEBP__LOSSLESS", "true")];
    let writer = Server::with(&folder, &settings);
    for format in ["gif", "tif", "webp"] {
        let answer = writer.get(&format!("/iiif/3/plain.png/full/max/0/default.{format}"));
        assert_eq!(answer.status, 200);
        fs::write(folder.join(format!("page.{format}")), answer.body).unwrap();
    }
    for name in ["iiif-test-image.jp2", "palace-12-bit.j2k"] {
        fs::copy(fixtures().join("images").join(name), folder.join(name)).unwrap();
    }
    let mut names: Vec<_> = files(&folder)
        .iter()
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    (folder, names)
}

fn progressive(data: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, 90);
    encoder.set_progressive(true);
    encoder
        .encode(data, 901, 703, jpeg_encoder::ColorType::Rgb)
        .unwrap();
    bytes
}

/// 16 bits, four channels.
fn deep() -> Vec<u8> {
    let (width, height) = (800_u32, 610_u32);
    let mut data = Vec::new();
    for y in 0..height {
        for x in 0..width {
            for value in [x * 80, y * 100 + x, x * y, 65_535 - x * 7] {
                data.extend_from_slice(&value.to_be_bytes()[2..]);
            }
        }
    }
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_depth(png::BitDepth::Sixteen);
    encoder.set_color(png::ColorType::Rgba);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&data).unwrap();
    writer.finish().unwrap();
    bytes
}

#[test]
fn bytes_are_the_same_without_levels_with_them_and_after_a_restart() {
    let (folder, names) = masters("levels-same");
    let cache = tempfile::tempdir().unwrap();
    let off = server(&folder, &[("CACHE__LEVELS__DISK_BYTES", "0")]);
    let known: Vec<_> = names.iter().map(|name| bodies(&off, name)).collect();
    assert_eq!(hits(&off), 0);
    let same = |server: &Server, when: &str| {
        for (name, known) in names.iter().zip(&known) {
            for (wanted, (body, known)) in
                REQUESTS.iter().zip(bodies(server, name).iter().zip(known))
            {
                assert!(body == known, "{name}/{wanted} {when}");
            }
        }
    };
    let on = with_levels(&folder, cache.path());
    same(&on, "while they are built");
    ask_until_built(&on, &names, names.len() as u64);
    let before = hits(&on);
    same(&on, "once they are built");
    assert!(hits(&on) - before >= (names.len() * REQUESTS.len()) as u64);
    drop(on);
    let restarted = with_levels(&folder, cache.path());
    same(&restarted, "after a restart");
    assert!(hits(&restarted) >= (names.len() * REQUESTS.len()) as u64);
    for result in ["built", "failed", "changed"] {
        assert_eq!(builds(&restarted, result), 0);
    }
    // In every file some bits are wrong; then every file ends too early.
    drop(restarted);
    let stored = files(cache.path());
    assert_eq!(stored.len(), names.len());
    let whole: Vec<_> = stored.iter().map(|path| fs::read(path).unwrap()).collect();
    for damage in [flip, truncate] {
        for (at, (path, whole)) in stored.iter().zip(&whole).enumerate() {
            fs::write(path, damage(whole.clone(), at)).unwrap();
        }
        let damaged = with_levels(&folder, cache.path());
        same(&damaged, "with damaged files");
    }
}

/// Wrong bits all over a file, other ones for each.
fn flip(mut content: Vec<u8>, at: usize) -> Vec<u8> {
    for byte in (at * 7..content.len()).step_by(content.len() / 50) {
        content[byte] ^= 1 << (byte % 8);
    }
    content
}

/// A shorter file; the more of them were damaged, the longer.
fn truncate(mut content: Vec<u8>, at: usize) -> Vec<u8> {
    content.truncate(content.len() * (at + 1) / (at + 2));
    content
}

#[test]
fn a_crawl_builds_nothing_and_writes_nothing() {
    let folder = scratch("levels-crawl");
    let picture = draw(640, 480, plain);
    save(&folder.join("0.png"), &picture);
    fs::write(folder.join("1.jpg"), jpeg(&picture, 1)).unwrap();
    for number in 2..60 {
        let (from, ending) = if number % 2 == 0 {
            ("0.png", "png")
        } else {
            ("1.jpg", "jpg")
        };
        fs::copy(folder.join(from), folder.join(format!("{number}.{ending}"))).unwrap();
    }
    let cache = tempfile::tempdir().unwrap();
    let server = with_levels(&folder, cache.path());
    for number in 0..60 {
        let ending = if number % 2 == 0 { "png" } else { "jpg" };
        let thumbnail = server.get(&format!(
            "/iiif/3/{number}.{ending}/full/!200,200/0/default.jpg"
        ));
        assert_eq!(thumbnail.status, 200);
    }
    thread::sleep(Duration::from_millis(300));
    assert_eq!(builds(&server, "built") + builds(&server, "failed"), 0);
    assert_eq!(bytes(cache.path()), 0);
    // One of them is looked at closely.
    ask_until_built(&server, &["0.png".to_owned()], 1);
    assert_eq!(builds(&server, "built"), 1);
    assert_eq!(files(cache.path()).len(), 1);
}

#[test]
fn the_bound_holds_and_zero_is_off() {
    let (folder, names) = masters("levels-bound");
    let cache = tempfile::tempdir().unwrap();
    let directory = ("CACHE__DIRECTORY", cache.path().to_str().unwrap());
    let bound = 4_000_000;
    let text = bound.to_string();
    let tight = server(&folder, &[directory, ("CACHE__LEVELS__DISK_BYTES", &text)]);
    ask_until_built(&tight, &names, names.len() as u64);
    // A file that is being written has no place yet: room is made for it when it gets one.
    let kept = files(cache.path())
        .into_iter()
        .filter(|path| !is_part(path));
    let kept: u64 = kept.map(|path| length(&path)).sum();
    assert!(kept <= bound, "{kept}");
    let evicted = counter(&tight, "cache_evictions_total", "tier=\"levels\"");
    assert!(evicted > 0, "not all of them fit");
    drop(tight);
    let cache = tempfile::tempdir().unwrap();
    let directory = ("CACHE__DIRECTORY", cache.path().to_str().unwrap());
    for off in [
        "CACHE__LEVELS__DISK_BYTES",
        "CACHE__LEVELS__BUILD_MIB_PER_SECOND",
    ] {
        let server = server(&folder, &[directory, (off, "0")]);
        for _ in 0..6 {
            bodies(&server, "plain.png");
        }
        thread::sleep(Duration::from_millis(100));
        assert_eq!(
            (bytes(cache.path()), builds(&server, "built")),
            (0, 0),
            "{off}"
        );
    }
}

#[test]
fn a_master_that_is_replaced_has_other_levels() {
    let folder = scratch("levels-replaced");
    let cache = tempfile::tempdir().unwrap();
    let name = ["a.png".to_owned()];
    save(&folder.join("a.png"), &draw(700, 600, plain));
    let directory = ("CACHE__DIRECTORY", cache.path().to_str().unwrap());
    let server = server(&folder, &[directory, ("SOURCE__FILE__CHECK_SECONDS", "0")]);
    ask_until_built(&server, &name, 1);
    let old = bodies(&server, "a.png");
    save(&folder.join("b"), &draw(700, 600, |x, y| plain(y, x)));
    fs::rename(folder.join("b"), folder.join("a.png")).unwrap();
    let new = bodies(&server, "a.png");
    assert!(new.iter().zip(&old).all(|(new, old)| new != old));
    ask_until_built(&server, &name, 2);
    assert_eq!(bodies(&server, "a.png"), new);
}

#[test]
fn a_cache_that_cannot_be_written_is_told_once_and_does_no_harm() {
    let folder = scratch("levels-refused");
    save(&folder.join("a.png"), &draw(700, 600, plain));
    let file = folder.parent().unwrap().join("levels-in-the-way");
    fs::write(&file, "a file").unwrap();
    for place in [file.to_str().unwrap(), "/proc/triforium"] {
        let server = server(&folder, &[("CACHE__DIRECTORY", place)]);
        for _ in 0..4 {
            bodies(&server, "a.png");
        }
        let told = server.log().matches("no levels are kept on disk").count();
        assert_eq!(told, 1, "{}", server.log());
        assert_eq!(builds(&server, "built"), 0);
    }
    // One that goes away while the server runs: builds fail, requests do not.
    let cache = scratch("levels-vanishing");
    let server = with_levels(&folder, &cache);
    fs::remove_dir_all(&cache).unwrap();
    fs::write(&cache, "a file").unwrap();
    let known = bodies(&server, "a.png");
    let end = Instant::now() + Duration::from_mins(1);
    while builds(&server, "failed") == 0 && Instant::now() < end {
        assert_eq!(bodies(&server, "a.png"), known);
    }
    assert!(builds(&server, "failed") > 0);
    assert_eq!(bodies(&server, "a.png"), known);
    fs::remove_file(&cache).unwrap();
}

#[test]
fn a_cache_among_the_masters_stops_the_start() {
    let folder = scratch("levels-among");
    let inside = folder.join("cache");
    for place in [inside.as_path(), folder.parent().unwrap()] {
        let output = Command::new(env!("CARGO_BIN_EXE_triforium"))
            .arg("serve")
            .arg(&folder)
            .args(["--listen", "127.0.0.1:0", "--admin-listen", ""])
            .env("TRIFORIUM_CACHE__DIRECTORY", place)
            .output()
            .unwrap();
        assert!(!output.status.success());
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(words.contains("cache.directory"), "{words}");
    }
    assert!(!inside.exists());
}

/// The files below `cache` that are being written, or were when their writer was killed.
fn parts(cache: &Path) -> impl Iterator<Item = PathBuf> {
    files(cache).into_iter().filter(|path| is_part(path))
}

fn is_part(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "part")
}

#[test]
fn a_server_that_is_killed_while_it_builds_leaves_no_wrong_byte() {
    let folder = scratch("levels-killed");
    save(&folder.join("a.png"), &draw(1801, 1403, plain));
    let cache = tempfile::tempdir().unwrap();
    let directory = ("CACHE__DIRECTORY", cache.path().to_str().unwrap());
    let slow = ("CACHE__LEVELS__BUILD_MIB_PER_SECOND", "1");
    let off = server(&folder, &[("CACHE__LEVELS__DISK_BYTES", "0")]);
    let known = bodies(&off, "a.png");
    let (mut killed, end) = (0, Instant::now() + Duration::from_mins(10));
    while killed < 3 {
        // What the last one left goes while the next one starts.
        let left: Vec<_> = parts(cache.path()).collect();
        let mut server = server(&folder, &[directory, slow]);
        let half = loop {
            let mut begun = parts(cache.path()).filter(|path| !left.contains(path));
            if let Some(half) = begun.find(|path| length(path) > 100_000) {
                break half;
            }
            assert_eq!(bodies(&server, "a.png"), known);
            assert!(Instant::now() < end, "nothing is being built");
        };
        server.signal("KILL");
        server.wait();
        if half.exists() {
            killed += 1;
        } else {
            // It was whole before the signal came: the next one builds it anew.
            for whole in files(cache.path()) {
                fs::remove_file(whole).unwrap();
            }
        }
    }
    let server = with_levels(&folder, cache.path());
    assert_eq!(bodies(&server, "a.png"), known);
    ask_until_built(&server, &["a.png".to_owned()], 1);
    assert_eq!(bodies(&server, "a.png"), known);
    assert_eq!(files(cache.path()).len(), 1, "what was left is gone");
    assert!(request(&server.admin, "GET", "/metrics", &[]).status == 200);
}

/// The environment in which [`writes_until_it_is_killed`] is one.
const WRITES_IN: &str = "TRIFORIUM_TEST_WRITES_LEVELS_IN";

fn key(number: u64) -> Key {
    KeyBuilder::default().number(number).finish()
}

fn tile(number: u64, column: u32) -> Vec<u8> {
    let text = format!("{number} {column} ");
    text.repeat(500).into_bytes()
}

const GRID: Grid = Grid {
    factor: 1,
    columns: 40,
    rows: 1,
};

#[test]
fn writes_until_it_is_killed() {
    let Some(directory) = env::var_os(WRITES_IN) else {
        return;
    };
    let store = LevelStore::open(Path::new(&directory), 1 << 30).unwrap();
    let mut out = std::io::stdout();
    for number in u64::from(std::process::id()) << 16.. {
        writeln!(out, "writes {number}").unwrap();
        out.flush().unwrap();
        let mut writer = store.begin(key(number), Vec::new(), vec![GRID]).unwrap();
        for column in 0..GRID.columns {
            writer.add(1, column, 0, &tile(number, column)).unwrap();
            thread::sleep(Duration::from_micros(200));
        }
        writer.finish().unwrap();
    }
}

#[test]
fn a_hundred_killed_writers_leave_whole_files_or_none() {
    let cache = tempfile::tempdir().unwrap();
    let mut begun = Vec::new();
    let (mut half, mut whole) = (0, 0);
    for kill in 0..100_u64 {
        let mut child = Command::new(env::current_exe().unwrap())
            .args([
                "--exact",
                "server::levels::writes_until_it_is_killed",
                "--nocapture",
            ])
            .env(WRITES_IN, cache.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut numbers = lines.map_while(Result::ok).filter_map(|line| {
            let (_, number) = line.split_once("writes ")?;
            number.parse::<u64>().ok()
        });
        begun.push(numbers.next().unwrap());
        thread::sleep(Duration::from_millis(kill % 25));
        child.kill().unwrap();
        child.wait().unwrap();
        begun.extend(numbers);
        let parts = files(cache.path());
        half += parts
            .iter()
            .filter(|path| path.extension().unwrap() == "part")
            .count();
        // Whoever comes next cleans up, and finds what is whole.
        let store = LevelStore::open(cache.path(), 1 << 30).unwrap();
        store.scan();
        let left = files(cache.path());
        assert!(
            left.iter()
                .all(|path| path.extension().unwrap() == "cached")
        );
    }
    let store = LevelStore::open(cache.path(), 1 << 30).unwrap();
    for number in begun {
        let Some(levels) = store.find(&key(number)) else {
            continue;
        };
        whole += 1;
        for column in 0..GRID.columns {
            assert_eq!(levels.tile(1, column, 0), Some(tile(number, column)));
        }
    }
    assert!(half >= 30, "{half} were half written");
    assert!(whole >= 10, "{whole} were whole");
}
