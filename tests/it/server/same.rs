//! The same requests have the same bytes, whatever is cached: nothing, tiles, answers, levels; cold, warm
//! and after a restart.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

use super::explain::{described, masters, size};
use super::tiles::Chance;
use super::{counter, stored::wait_for_files};
use crate::support::Server;

/// Requests that are compared.
const URLS: usize = 500;

/// Masters for which levels are remembered.
const WITHOUT_LEVELS: [&str; 4] = ["plain.png", "turned-1.jpg", "turned-6.jpg", "page.webp"];

/// Tiles as viewers ask for them, whole pictures, regions, turns.
fn urls(folder: &Path, names: &[&str]) -> Vec<String> {
    let server = Server::start(folder);
    let sizes: Vec<_> = names.iter().map(|name| size(&server, name)).collect();
    let mut chance = Chance(77);
    let mut urls = BTreeSet::new();
    for round in 0.. {
        for (name, (width, height)) in names.iter().zip(&sizes) {
            let wanted = match round {
                0 => "full/max/0/default.jpg".to_owned(),
                1 => "full/max/0/default.webp".to_owned(),
                2 => "full/max/0/default.png".to_owned(),
                _ if round % 3 == 0 => {
                    let side = [256, 512][round / 3 % 2];
                    let x = chance.below(width.div_ceil(side)) * side;
                    let y = chance.below(height.div_ceil(side)) * side;
                    let format = ["jpg", "jpg", "webp"][round % 4 % 3];
                    let (w, h) = (side.min(width - x), side.min(height - y));
                    format!("{x},{y},{w},{h}/max/0/default.{format}")
                }
                _ => chance.request(*width, *height),
            };
            let url = format!("/iiif/3/{name}/{wanted}");
            // A box can be too small for a picture's aspect: no answer to compare.
            let head = server.request("HEAD", &url, &[]);
            if head.status == 200 {
                urls.insert(url);
            }
            if urls.len() == URLS {
                return urls.into_iter().collect();
            }
        }
    }
    unreachable!("there are requests enough");
}

/// A digest of every body, and the rungs that answered.
#[derive(Debug, Default)]
struct Seen {
    digests: BTreeMap<String, [u8; 32]>,
    rungs: BTreeMap<String, usize>,
}

fn ask(server: &Server, urls: &[String]) -> Seen {
    let seen = Mutex::new(Seen::default());
    thread::scope(|scope| {
        for part in urls.chunks(urls.len().div_ceil(3)) {
            let seen = &seen;
            scope.spawn(move || {
                for url in part {
                    let answer = server.get(url);
                    assert_eq!(answer.status, 200, "{url}: {}", answer.text_lossy());
                    let digest = Sha256::digest(&answer.body).into();
                    let mut seen = seen.lock().unwrap();
                    seen.digests.insert(url.clone(), digest);
                    let rung = described(&answer, "rung").to_owned();
                    *seen.rungs.entry(rung).or_default() += 1;
                }
            });
        }
    });
    seen.into_inner().unwrap()
}

/// Asks for what needs levels until each of the masters that lack them has got them.
fn build_levels(server: &Server) {
    let built = || counter(server, "level_builds_total", "result=\"built\"");
    let start = Instant::now();
    let mut turn = 0;
    while built() < WITHOUT_LEVELS.len() as u64 {
        turn += 1;
        for name in WITHOUT_LEVELS {
            server.get(&format!(
                "/iiif/3/{name}/{},7,500,400/100,/0/default.png",
                turn % 97
            ));
        }
        assert!(start.elapsed() < Duration::from_mins(2), "{}", server.log());
    }
}

#[test]
fn five_hundred_requests_have_the_same_bytes_in_every_state_of_the_caches() {
    let (folder, names) = masters("same-bytes");
    let urls = urls(&folder, &names);
    assert_eq!(urls.len(), URLS);
    let serve = |settings: &[(&str, &str)]| Server::with(&folder, settings);
    let mut rungs = BTreeSet::new();
    let known = ask(
        &serve(&[
            ("CACHE__DERIVATIVE__MEMORY_BYTES", "0"),
            ("CACHE__TILES__MEMORY_BYTES", "0"),
            ("CACHE__LEVELS__DISK_BYTES", "0"),
        ]),
        &urls,
    );
    let mut same = |server: &Server, when: &str| {
        let seen = ask(server, &urls);
        for (url, digest) in &known.digests {
            assert!(seen.digests[url] == *digest, "{url} {when}");
        }
        rungs.extend(seen.rungs.keys().cloned());
        seen.rungs
    };

    let caches = tempfile::tempdir().unwrap();
    let caches_path = caches.path().to_str().unwrap();
    let everything = [
        ("CACHE__DIRECTORY", caches_path),
        ("CACHE__DERIVATIVE__DISK_BYTES", "100000000"),
    ];
    let server = serve(&everything);
    same(&server, "cold");
    let warm = same(&server, "warm");
    assert_eq!(warm["derivative"] + warm["pass_through"], URLS, "{warm:?}");
    // Several spellings are one answer, and one that finds no room in the queue is not stored.
    let stored = warm["derivative"] / 2;
    wait_for_files(caches.path(), stored);
    drop(server);
    let server = serve(&everything);
    let restarted = same(&server, "after a restart");
    assert!(restarted["derivative"] >= stored, "{restarted:?}");
    drop(server);

    let levels = tempfile::tempdir().unwrap();
    let levels_path = levels.path().to_str().unwrap();
    let no_answers = [
        ("CACHE__DIRECTORY", levels_path),
        ("CACHE__DERIVATIVE__MEMORY_BYTES", "0"),
    ];
    let no_tiles = [&no_answers[..], &[("CACHE__TILES__MEMORY_BYTES", "0")]].concat();
    let server = serve(&no_tiles);
    build_levels(&server);
    let built = same(&server, "with levels and no tiles");
    assert!(built["levels"] > 100, "{built:?}");
    drop(server);
    let server = serve(&no_answers);
    same(&server, "with levels, after a restart");
    let resident = same(&server, "with tiles in memory");
    assert!(resident["resident"] > 100, "{resident:?}");

    rungs.extend(known.rungs.keys().cloned());
    let all = [
        "derivative",
        "pass_through",
        "compressed",
        "resident",
        "levels",
        "partial",
        "full",
    ];
    for rung in all {
        assert!(rungs.contains(rung), "{rung}: {rungs:?}");
    }
}
