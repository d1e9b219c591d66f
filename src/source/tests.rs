//! The source against a tree full of traps.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::*;
use crate::error::ErrorKind;
use crate::reader::RangeReader as _;

const CANARY: &[u8] = b"canary: nobody may read this";

fn source(root: &Path) -> FileSource {
    with(root, Symlinks::Inside)
}

fn with(root: &Path, symlinks: Symlinks) -> FileSource {
    let config = Config {
        root: root.to_owned(),
        symlinks,
        ..Config::default()
    };
    FileSource::new(&config).expect("valid")
}

fn content(source: &FileSource, identifier: &str) -> Vec<u8> {
    let opened = source.open(identifier).expect("it is there");
    opened
        .reader
        .read_vec(0, opened.reader.length())
        .expect("it reads")
}

fn refusal(source: &FileSource, identifier: &str) -> ErrorKind {
    match source.open(identifier) {
        Ok(opened) => {
            let bytes = opened
                .reader
                .read_vec(0, opened.reader.length())
                .unwrap_or_default();
            panic!("{identifier:?} gave {:?}", String::from_utf8_lossy(&bytes));
        }
        Err(error) => error.kind(),
    }
}

/// `root/` with files, beside it a canary.
fn tree() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().join("root");
    fs::create_dir_all(root.join("deep/er")).expect("made");
    fs::write(folder.path().join("canary.tif"), CANARY).expect("written");
    fs::create_dir(folder.path().join("root-sibling")).expect("made");
    fs::write(folder.path().join("root-sibling/canary.tif"), CANARY).expect("written");
    fs::write(root.join("a.tif"), "a").expect("written");
    fs::write(root.join("deep/er/b.jp2"), "b").expect("written");
    fs::write(root.join(".hidden.tif"), CANARY).expect("written");
    folder
}

#[test]
fn names_in_every_script_and_form_are_found() {
    let folder = tree();
    let root = folder.path().join("root");
    let names = [
        "caf\u{e9}.tif",
        "cafe\u{301}s.tif",
        "地図.tif",
        "خريطة.tif",
        "with space.tif",
        "plus+.tif",
        "per%cent%20.tif",
        "a;b,c'd.tif",
        "back\\slash.tif",
        "emoji🗺.tif",
    ];
    for name in names {
        fs::write(root.join(name), name).expect("written");
    }
    let source = source(&root);
    for name in names {
        assert_eq!(content(&source, name), name.as_bytes());
    }
    assert_eq!(
        content(&source, "cafe\u{301}.tif"),
        "caf\u{e9}.tif".as_bytes()
    );
    assert_eq!(
        content(&source, "caf\u{e9}s.tif"),
        "cafe\u{301}s.tif".as_bytes()
    );
    assert_eq!(content(&source, "a"), b"a");
    assert_eq!(content(&source, "deep/er/b"), b"b");
    assert_eq!(content(&source, "deep/er/b.jp2"), b"b");
}

#[test]
fn nothing_outside_the_root_is_read() {
    let folder = tree();
    let source = source(&folder.path().join("root"));
    let outside = folder.path().join("canary.tif");
    let absolute = outside.to_str().expect("text");
    let mut identifiers: Vec<String> = [
        "",
        ".",
        "..",
        "/",
        "//",
        "./a.tif",
        "a.tif/",
        "a.tif/.",
        "/a.tif",
        "../canary.tif",
        "../canary",
        "deep/../../canary.tif",
        "deep/er/../../../canary.tif",
        "deep/../a.tif",
        "..\\canary.tif",
        "../root-sibling/canary.tif",
        "-sibling/canary.tif",
        "....//canary.tif",
        "..;/canary.tif",
        "%2e%2e/canary.tif",
        "..%2fcanary.tif",
        "a.tif\0",
        "a.tif\0.png",
        "../canary.tif\0a.tif",
        ".hidden.tif",
        "deep/.hidden.tif",
        "deep",
        "deep/er",
        "~",
        "~/canary.tif",
        "file:///etc/passwd",
        "C:\\canary.tif",
        "\\\\host\\share",
        "/proc/self/environ",
        "/dev/zero",
        "proc/self/environ",
        "\u{2025}/canary.tif",
        "\u{ff0e}\u{ff0e}/canary.tif",
        "..\u{2215}canary.tif",
    ]
    .map(str::to_owned)
    .to_vec();
    identifiers.push(absolute.to_owned());
    identifiers.push(absolute.trim_start_matches('/').to_owned());
    identifiers.extend((1..20).map(|depth| format!("{}canary.tif", "../".repeat(depth))));
    identifiers.extend((1..20).map(|depth| format!("{}etc/passwd", "../".repeat(depth))));
    identifiers.push("x".repeat(10_000));
    identifiers.push("x/".repeat(10_000));
    assert!(identifiers.len() >= 60);
    for identifier in identifiers {
        assert_eq!(
            refusal(&source, &identifier),
            ErrorKind::NotFound,
            "{identifier:?}"
        );
    }
}

#[test]
fn links_are_followed_inside_the_root_alone_and_only_if_told() {
    let folder = tree();
    let root = folder.path().join("root");
    symlink("a.tif", root.join("inside.tif")).expect("linked");
    symlink("deep/er", root.join("shortcut")).expect("linked");
    symlink("../canary.tif", root.join("outside.tif")).expect("linked");
    symlink(folder.path().join("canary.tif"), root.join("absolute.tif")).expect("linked");
    symlink("/", root.join("rootdir")).expect("linked");
    symlink("loop.tif", root.join("loop.tif")).expect("linked");
    symlink("/proc/self/environ", root.join("environ.tif")).expect("linked");
    let inside = source(&root);
    assert_eq!(content(&inside, "inside.tif"), b"a");
    assert_eq!(content(&inside, "shortcut/b.jp2"), b"b");
    let never = with(&root, Symlinks::Never);
    assert_eq!(refusal(&never, "inside.tif"), ErrorKind::NotFound);
    assert_eq!(refusal(&never, "shortcut/b.jp2"), ErrorKind::NotFound);
    for out in [
        "outside.tif",
        "absolute.tif",
        "rootdir/etc/passwd",
        "loop.tif",
        "environ.tif",
    ] {
        assert_eq!(refusal(&inside, out), ErrorKind::NotFound, "{out}");
        assert_eq!(refusal(&never, out), ErrorKind::NotFound, "{out}");
    }
}

#[test]
fn what_is_no_regular_file_is_not_opened() {
    let folder = tree();
    let root = folder.path().join("root");
    let made = Command::new("mkfifo")
        .arg(root.join("fifo.tif"))
        .status()
        .expect("mkfifo runs");
    assert!(made.success());
    let _socket = std::os::unix::net::UnixListener::bind(root.join("socket.tif")).expect("bound");
    let source = source(&root);
    let start = Instant::now();
    for name in ["fifo.tif", "socket.tif", "deep"] {
        assert_eq!(refusal(&source, name), ErrorKind::NotFound, "{name}");
    }
    assert!(
        start.elapsed() < Duration::from_secs(1),
        "opening waited for a writer"
    );
}

#[test]
fn an_exchange_of_folder_and_link_never_leads_out() {
    let folder = tree();
    let root = folder.path().join("root");
    fs::create_dir(root.join("real")).expect("made");
    fs::write(root.join("real/canary.tif"), "tame").expect("written");
    symlink("..", root.join("wild")).expect("linked");
    let (real, wild, current) = (root.join("real"), root.join("wild"), root.join("current"));
    let stop = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&stop);
    let exchange = std::thread::spawn(move || {
        while !told.load(Ordering::Relaxed) {
            for place in [&real, &wild] {
                if fs::rename(place, &current).is_ok() {
                    let _ = fs::rename(&current, place);
                }
            }
        }
    });
    let source = source(&root);
    let end = Instant::now() + Duration::from_millis(1500);
    let mut tame = 0;
    while Instant::now() < end {
        if let Ok(opened) = source.open("current/canary.tif") {
            let bytes = opened
                .reader
                .read_vec(0, opened.reader.length())
                .expect("it reads");
            assert_eq!(bytes, b"tame");
            tame += 1;
        }
    }
    stop.store(true, Ordering::Relaxed);
    exchange.join().expect("no panic");
    assert!(tame > 0, "the exchange was never seen");
}

#[test]
fn a_root_that_is_away_is_no_missing_image() {
    let folder = tree();
    let root = folder.path().join("later");
    let source = source(&root);
    assert_eq!(refusal(&source, "a.tif"), ErrorKind::Upstream);
    let healthy = |wanted: bool| {
        let end = Instant::now() + Duration::from_secs(4);
        while Instant::now() < end {
            if source.health().iter().all(|root| root.ok == wanted) {
                return true;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    };
    assert!(healthy(false));
    fs::create_dir(&root).expect("made");
    fs::write(root.join("a.tif"), "a").expect("written");
    assert_eq!(content(&source, "a.tif"), b"a");
    assert_eq!(refusal(&source, "b.tif"), ErrorKind::NotFound);
    assert!(healthy(true));
}

#[test]
fn a_file_that_may_not_be_read_is_forbidden() {
    let folder = tree();
    let root = folder.path().join("root");
    fs::set_permissions(root.join("a.tif"), fs::Permissions::from_mode(0o000)).expect("set");
    if fs::read(root.join("a.tif")).is_ok() {
        // The superuser reads everything; then there is nothing to forbid.
        assert_eq!(content(&source(&root), "a.tif"), b"a");
        return;
    }
    assert_eq!(refusal(&source(&root), "a.tif"), ErrorKind::Forbidden);
}

#[test]
fn a_replaced_file_has_another_version() {
    let folder = tree();
    let root = folder.path().join("root");
    let source = source(&root);
    let opened = source.open("a.tif").expect("there");
    assert_eq!(
        source.validate(&opened.located).expect("there"),
        opened.version
    );
    fs::write(root.join("new"), "b").expect("written");
    fs::rename(root.join("new"), root.join("a.tif")).expect("renamed");
    assert_ne!(
        source.validate(&opened.located).expect("there"),
        opened.version
    );
    assert_eq!(opened.reader.read_vec(0, 1).expect("still open"), b"a");
    fs::remove_file(root.join("a.tif")).expect("removed");
    let gone = source.validate(&opened.located).expect_err("gone");
    assert_eq!(gone.kind(), ErrorKind::NotFound);
}

#[test]
fn a_change_in_place_is_noticed_and_a_shorter_file_is_an_error() {
    let folder = tree();
    let root = folder.path().join("root");
    fs::write(root.join("long.tif"), vec![7; 100_000]).expect("written");
    let source = source(&root);
    let opened = source.open("long.tif").expect("there");
    assert_eq!(opened.reader.version_now().expect("there"), opened.version);
    fs::write(root.join("long.tif"), vec![8; 50]).expect("written");
    assert_ne!(opened.reader.version_now().expect("there"), opened.version);
    let error = opened.reader.read_vec(0, 100_000).expect_err("shorter");
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}

#[test]
fn roots_are_tried_in_order_and_a_root_away_does_not_hide_another() {
    let folder = tree();
    let one = RootConfig {
        name: "one".to_owned(),
        path: folder.path().join("root"),
        prefix: "x:".to_owned(),
        ..RootConfig::default()
    };
    let two = RootConfig {
        name: "two".to_owned(),
        path: folder.path().join("root-sibling"),
        ..RootConfig::default()
    };
    let away = RootConfig {
        name: "away".to_owned(),
        path: folder.path().join("away"),
        ..RootConfig::default()
    };
    let config = Config {
        roots: vec![away, one, two],
        ..Config::default()
    };
    let source = FileSource::new(&config).expect("valid");
    assert_eq!(content(&source, "x:a"), b"a");
    assert_eq!(content(&source, "canary"), CANARY);
    assert_eq!(refusal(&source, "nowhere"), ErrorKind::Upstream);
    let opened = source.open("x:a").expect("there");
    assert_eq!(opened.located.rule(), "one: prefix x:, extension tif");
}

#[test]
fn the_list_is_made_in_the_background() {
    let folder = tree();
    let root = folder.path().join("root");
    fs::write(root.join("notes.txt"), "no master").expect("written");
    let source = source(&root);
    let end = Instant::now() + Duration::from_secs(5);
    while source.listing().building && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(5));
    }
    let (names, total) = source.listing().page("", 0, 10);
    assert_eq!(names, ["a.tif", "deep/er/b.jp2"]);
    assert_eq!(total, 2);
}
