//! Finished answers on disk: they outlive the program, and are never taken for what they are not.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::counter;
use crate::support::{Server, fixtures};

const URLS: [&str; 4] = [
    "/iiif/3/a.png/full/200,/0/default.jpg",
    "/iiif/3/a.png/0,0,100,100/max/0/default.png",
    "/iiif/3/a.png/full/90,/90/gray.jpg",
    "/iiif/3/a.png/10,20,300,200/150,/0/default.webp",
];

fn masters() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let from = fixtures().join("images/iiif-test-image.png");
    fs::copy(from, folder.path().join("a.png")).unwrap();
    folder
}

fn serve(masters: &Path, caches: &Path) -> Server {
    let caches = caches.to_str().unwrap();
    let settings = [
        ("CACHE__DIRECTORY", caches),
        ("CACHE__DERIVATIVE__DISK_BYTES", "50000000"),
        ("SOURCE__FILE__CHECK_SECONDS", "0"),
    ];
    Server::with(masters, &settings)
}

fn bodies(server: &Server) -> Vec<Vec<u8>> {
    let body = |url: &&str| {
        let answer = server.get(url);
        assert_eq!(answer.status, 200, "{url}");
        answer.body
    };
    URLS.iter().map(body).collect()
}

fn files(caches: &Path) -> Vec<PathBuf> {
    let groups = fs::read_dir(caches.join("derivative_disk")).into_iter();
    let groups = groups.flatten().flatten().map(|entry| entry.path());
    let files = groups
        .filter_map(|group| fs::read_dir(group).ok())
        .flatten();
    let files = files.flatten().map(|entry| entry.path());
    files
        .filter(|path| path.extension().is_some_and(|e| e == "cached"))
        .collect()
}

pub(super) fn wait_for_files(caches: &Path, count: usize) {
    let until = Instant::now() + Duration::from_secs(30);
    while files(caches).len() < count {
        assert!(Instant::now() < until, "answers are not stored");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn hits(server: &Server) -> u64 {
    let labels = "tier=\"derivative_disk\",result=\"hit\"";
    counter(server, "cache_requests_total", labels)
}

#[test]
fn answers_survive_a_restart_byte_for_byte() {
    let (masters, caches) = (masters(), tempfile::tempdir().unwrap());
    let first = serve(masters.path(), caches.path());
    let made = bodies(&first);
    wait_for_files(caches.path(), URLS.len());
    assert_eq!(hits(&first), 0);
    let tag = first.get(URLS[0]).header("etag").to_owned();
    drop(first);

    let second = serve(masters.path(), caches.path());
    let head = second.request("HEAD", URLS[1], &[]);
    assert_eq!(head.header("content-length"), made[1].len().to_string());
    assert!(bodies(&second) == made);
    assert_eq!(hits(&second), URLS.len() as u64);
    let derivative = counter(&second, "ladder_total", "rung=\"derivative\"");
    assert_eq!(derivative, URLS.len() as u64 + 1);
    // Once found they are in memory.
    assert!(bodies(&second) == made);
    assert_eq!(hits(&second), URLS.len() as u64);
    assert_eq!(second.get(URLS[0]).header("etag"), tag);
}

#[test]
fn a_damaged_file_is_never_an_answer() {
    let (masters, caches) = (masters(), tempfile::tempdir().unwrap());
    let made = bodies(&serve(masters.path(), caches.path()));
    for damage in 0..6 {
        let server = serve(masters.path(), caches.path());
        assert!(bodies(&server) == made);
        drop(server);
        let stored = files(caches.path());
        for path in &stored {
            let mut bytes = fs::read(path).unwrap();
            let at = [3, 20, 44, 62, 64, bytes.len() - 1][damage];
            bytes[at] ^= 0x10;
            if damage == 5 {
                bytes.truncate(at);
            }
            fs::write(path, bytes).unwrap();
        }
        let server = serve(masters.path(), caches.path());
        assert!(bodies(&server) == made, "damage {damage}");
        assert_eq!(hits(&server), 0, "damage {damage}");
        wait_for_files(caches.path(), URLS.len());
    }
}

#[test]
fn a_server_that_is_killed_or_crashes_leaves_nothing_that_is_wrong() {
    let (masters, caches) = (masters(), tempfile::tempdir().unwrap());
    let url = |width: usize| format!("/iiif/3/a.png/full/{width},/0/default.png");
    for (round, signal) in ["KILL", "SEGV", "ABRT", "SEGV"].into_iter().enumerate() {
        let mut server = serve(masters.path(), caches.path());
        for width in 50..60 + round {
            assert_eq!(server.get(&url(width)).status, 200);
        }
        // Rust's own handler of SEGV passes the first on to the instruction at fault, and here is none.
        server.signal(signal);
        server.signal(signal);
        assert_eq!(server.wait(), None, "it ends by {signal}");
    }
    let apart = tempfile::tempdir().unwrap();
    let (after, fresh) = (
        serve(masters.path(), caches.path()),
        serve(masters.path(), apart.path()),
    );
    for width in 50..64 {
        assert!(after.get(&url(width)).body == fresh.get(&url(width)).body);
    }
    assert!(hits(&after) > 0);
}

#[test]
fn a_master_that_was_replaced_has_other_answers_and_foreign_files_stay() {
    let (masters, caches) = (masters(), tempfile::tempdir().unwrap());
    let foreign = caches.path().join("derivative_disk/notes.cached");
    fs::create_dir_all(foreign.parent().unwrap()).unwrap();
    fs::write(&foreign, b"somebody's").unwrap();
    let server = serve(masters.path(), caches.path());
    let before = bodies(&server);
    wait_for_files(caches.path(), URLS.len());
    drop(server);
    let other = fixtures().join("images/orientation/waterfall-1-upright.jpg");
    fs::copy(other, masters.path().join("a.png")).unwrap();
    let server = serve(masters.path(), caches.path());
    for (url, before) in URLS.iter().zip(&before).take(2) {
        let after = server.get(url);
        assert!(after.status == 200 && after.body != *before, "{url}");
    }
    assert_eq!(hits(&server), 0);
    assert_eq!(fs::read(&foreign).unwrap(), b"somebody's");
}

#[test]
fn a_place_that_cannot_be_written_does_not_stop_the_server() {
    let (masters, caches) = (masters(), tempfile::tempdir().unwrap());
    let file = caches.path().join("file");
    fs::write(&file, b"").unwrap();
    let server = serve(masters.path(), &file);
    assert_eq!(server.get("/health/ready").status, 200);
    assert_eq!(bodies(&server).len(), URLS.len());
    assert!(server.log().contains("no derivatives are kept on disk"));
}
