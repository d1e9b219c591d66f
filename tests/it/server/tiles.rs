//! Decoded tiles in memory: the same bytes with and without them, their bound, what may push them out.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use super::counter;
use crate::corpus::files;
use crate::library::{draw, jpeg, library, plain, save, scratch};
use crate::pixels::decode;
use crate::support::{Server, fixtures, request};

/// No finished answers are kept, so that every answer is made.
const NO_ANSWERS: (&str, &str) = ("CACHE__DERIVATIVE__MEMORY_BYTES", "0");

fn server(folder: &Path, tiles: &str) -> Server {
    let settings = [NO_ANSWERS, ("CACHE__TILES__MEMORY_BYTES", tiles)];
    let mut server = Server::with(folder, &settings);
    // Among the fixtures are files that are refused.
    server.log_may_be_dirty = true;
    server
}

fn held(server: &Server) -> f64 {
    server.metric("triforium_cache_bytes{tier=\"tiles\"}")
}

fn ladder(server: &Server, rung: &str) -> u64 {
    counter(server, "ladder_total", &format!("rung=\"{rung}\""))
}

/// Reads of masters.
fn reads(server: &Server) -> u64 {
    let text = request(&server.admin, "GET", "/metrics", &[]).text();
    let counts = text.lines().filter_map(|line| {
        let rest = line.strip_prefix("triforium_source_reads_total{")?;
        rest.rsplit_once(' ')?.1.parse::<u64>().ok()
    });
    counts.sum()
}

/// A short sequence that looks like chance.
pub(super) struct Chance(pub(super) u64);

impl Chance {
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.0 = (self.0)
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound.max(1)
    }

    /// A request for an image of these dimensions: a viewer's tile, a thumbnail, a region, a turn.
    pub(super) fn request(&mut self, width: u64, height: u64) -> String {
        let quality = ["default", "default", "gray", "color"][self.below(4) as usize];
        let turn = ["0", "0", "0", "90", "!180", "!0"][self.below(6) as usize];
        let format = ["png", "png", "jpg"][self.below(3) as usize];
        let last = format!("{turn}/{quality}.{format}");
        match self.below(4) {
            0 => {
                let size = [64, 256, 512][self.below(3) as usize];
                let step = size << self.below(4);
                let x = self.below(width.div_ceil(step)) * step;
                let y = self.below(height.div_ceil(step)) * step;
                let (w, h) = (step.min(width - x), step.min(height - y));
                let scale = step / size;
                let (ow, oh) = (w.div_ceil(scale), h.div_ceil(scale));
                format!("{x},{y},{w},{h}/{ow},{oh}/{last}")
            }
            1 => format!("full/!{},200/{last}", 1 + self.below(300)),
            2 => format!("full/max/{last}"),
            _ => {
                let (x, y) = (self.below(width), self.below(height));
                let (w, h) = (1 + self.below(width - x), 1 + self.below(height - y));
                let side = 1 + self.below(w.min(700));
                format!("{x},{y},{w},{h}/{side},/{last}")
            }
        }
    }
}

/// The same requests to a server without tiles, and twice to one with them.
fn compare(folder: &Path, identifiers: &[String], requests: usize) -> u64 {
    let (without, with) = (server(folder, "0"), server(folder, "536870912"));
    let mut chance = Chance(1);
    let mut good = 0;
    for identifier in identifiers {
        let document = with.get(&format!("/iiif/3/{identifier}/info.json"));
        if document.status != 200 {
            continue;
        }
        let document = document.json();
        let (width, height) = (&document["width"], &document["height"]);
        let (width, height) = (width.as_u64().unwrap(), height.as_u64().unwrap());
        let paths: Vec<_> = (0..requests)
            .map(|_| format!("/iiif/3/{identifier}/{}", chance.request(width, height)))
            .collect();
        let expected: Vec<_> = paths.iter().map(|path| without.get(path)).collect();
        for pass in ["cold", "warm"] {
            for (path, expected) in paths.iter().zip(&expected) {
                let answer = with.get(path);
                assert_eq!(answer.status, expected.status, "{path}, {pass}");
                if answer.status == 200 {
                    assert!(answer.body == expected.body, "{path}, {pass}: other bytes");
                    assert_eq!(answer.header("etag"), expected.header("etag"), "{path}");
                    good += 1;
                }
            }
        }
    }
    assert_eq!(ladder(&without, "resident"), 0);
    assert!(ladder(&with, "resident") > good / 8, "tiles were used");
    good
}

#[test]
fn answers_are_the_same_bytes_with_and_without_tiles_in_memory() {
    let mut identifiers = Vec::new();
    for folder in ["tiff", "jp2", "jpeg", "png", "webp", "gif", "bmp", "images"] {
        for path in files(&fixtures().join(folder)) {
            let name = path.strip_prefix(fixtures()).unwrap().to_str().unwrap();
            identifiers.push(name.replace('/', "%2F"));
        }
    }
    let good = compare(&fixtures(), &identifiers, 6);
    assert!(good > 1000, "only {good} answers were compared");
}

#[test]
fn answers_of_many_cells_are_the_same_bytes_too() {
    let folder = scratch("tiles-many");
    let names = ["uneven.png", "odd.png"].map(str::to_owned);
    for name in &names {
        fs::copy(library().join(name), folder.join(name)).unwrap();
    }
    for orientation in [1, 6, 7] {
        let picture = draw(1031, 777, plain);
        let name = format!("turned-{orientation}.jpg");
        fs::write(folder.join(name), jpeg(&picture, orientation)).unwrap();
    }
    let turned = [1, 6, 7].map(|orientation| format!("turned-{orientation}.jpg"));
    let identifiers: Vec<_> = names.into_iter().chain(turned).collect();
    assert_eq!(compare(&folder, &identifiers, 40), 400);
}

#[test]
fn a_tile_comes_from_memory_when_it_is_asked_for_again() {
    let server = server(library(), "67108864");
    let path = "/iiif/3/uneven.png/512,0,256,256/256,256/0/default.png";
    let first = server.get(path);
    assert!(first.header("server-timing").contains("partial"));
    assert_eq!(ladder(&server, "resident"), 0);
    let again = server.get(path);
    let timing = again.header("server-timing");
    assert!(timing.contains("resident"), "{timing}");
    assert_eq!(again.body, first.body);
    assert_eq!(ladder(&server, "resident"), 1);
    let hits = "triforium_cache_requests_total{tier=\"tiles\",result=\"hit\"}";
    assert!(server.metric(hits) > 0.0);
    // Its half, from the same cell, is another (virtual) level.
    let half = server.get("/iiif/3/uneven.png/512,0,256,256/128,128/0/default.png");
    assert_eq!(decode(&half).size(), (128, 128));
    assert_eq!(ladder(&server, "resident"), 1);
}

#[test]
fn where_memory_is_scarce_no_more_is_decoded_than_a_region_shows() {
    let folder = fixtures().join("jp2");
    let [ample, scarce] = ["536870912", "4194304"].map(|tiles| server(&folder, tiles));
    let rung = |server: &Server, region: &str| {
        let path = format!("/iiif/3/offsets-53.j2k/{region}/max/0/default.png");
        let timing = server.get(&path).header("server-timing").to_owned();
        ["resident", "partial"].map(|rung| timing.contains(rung))
    };
    let (resident, partial) = ([true, false], [false, true]);
    // Four cells of 288², each of them only in part: together they would not stay.
    for _ in 0..2 {
        assert_eq!(rung(&scarce, "20,20,300,300"), partial);
    }
    assert_eq!(rung(&ample, "20,20,300,300"), partial);
    assert_eq!(rung(&ample, "20,20,300,300"), resident);
    // One cell stays, and so do those that are shown whole.
    assert_eq!(rung(&scarce, "300,300,40,40"), partial);
    assert_eq!(rung(&scarce, "400,400,90,90"), resident);
    assert_eq!(rung(&scarce, "0,0,400,400"), partial);
    assert_eq!(rung(&scarce, "7,5,200,200"), resident);
    let mut chance = Chance(3);
    for name in ["offsets-53.j2k", "offsets-97.j2k", "high-throughput.j2c"] {
        for _ in 0..40 {
            let (width, height) = if name.ends_with('c') {
                (200, 160)
            } else {
                (613, 577)
            };
            let path = format!("/iiif/3/{name}/{}", chance.request(width, height));
            let [expected, answer] = [&ample, &scarce].map(|server| server.get(&path));
            assert_eq!((answer.status, expected.status), (200, 200), "{path}");
            assert!(answer.body == expected.body, "{path}: other bytes");
        }
    }
}

#[test]
fn tiles_stay_within_their_bound() {
    let server = server(library(), "3000000");
    for y in 0..6 {
        for x in 0..9 {
            let (w, h) = (256.min(2501 - x * 256), 256.min(1667 - y * 256));
            let region = format!("{},{},{w},{h}", x * 256, y * 256);
            let path = format!("/iiif/3/odd.png/{region}/max/0/default.jpg");
            assert_eq!(server.get(&path).status, 200);
            assert!(held(&server) <= 3_000_000.0);
        }
    }
    assert!(held(&server) > 1_000_000.0);
    assert!(server.metric("triforium_cache_evictions_total{tier=\"tiles\"}") > 0.0);
}

#[test]
fn whole_pages_leave_no_tiles_and_push_out_none() {
    let server = server(library(), "4194304");
    let tile = "/iiif/3/uneven.png/0,0,512,512/512,512/0/default.png";
    assert_eq!(server.get(tile).status, 200);
    let before = held(&server);
    assert!(before > 0.0);
    for format in ["tif", "jpg"] {
        let page = format!("/iiif/3/odd.png/full/max/0/default.{format}");
        assert_eq!(server.get(&page).status, 200);
    }
    assert!((held(&server) - before).abs() < 0.5, "pages leave nothing");
    server.get(tile);
    assert_eq!(ladder(&server, "resident"), 1);
}

#[test]
fn another_master_under_the_same_name_has_its_own_tiles() {
    let folder = scratch("tiles-replaced");
    let file = folder.join("a.png");
    save(&file, &draw(300, 300, plain));
    let settings = [NO_ANSWERS, ("SOURCE__FILE__CHECK_SECONDS", "0")];
    let server = Server::with(&folder, &settings);
    let path = "/iiif/3/a.png/0,0,300,256/max/0/default.png";
    let first = decode(&server.get(path));
    assert_eq!(decode(&server.get(path)), first);
    assert_eq!(ladder(&server, "resident"), 1);
    thread::sleep(Duration::from_millis(20));
    let other = draw(300, 300, |x, y| plain(x + 7, y));
    save(&folder.join("b.png"), &other);
    fs::rename(folder.join("b.png"), &file).unwrap();
    let other = other.crop(0, 0, 300, 256);
    let second = decode(&server.get(path));
    assert_eq!(second, other);
    assert_ne!(second, first);
    assert_eq!(decode(&server.get(path)), other);
    assert_eq!(ladder(&server, "resident"), 2);
}

#[test]
fn a_damaged_tile_is_an_error_each_time_and_its_neighbours_are_not() {
    let folder = scratch("tiles-damaged");
    let mut bytes = fs::read(fixtures().join("tiff/rgb-tiles-zip.tif")).unwrap();
    let good = server(&fixtures(), "67108864");
    // The first compressed tile begins with the two bytes of a zlib header.
    let start = bytes
        .windows(2)
        .position(|two| two == [0x78, 0xDA] || two == [0x78, 0x9C]);
    let start = start.unwrap();
    bytes[start..start + 24].fill(0xFF);
    fs::write(folder.join("bad.tif"), bytes).unwrap();
    let server = server(&folder, "67108864");
    let paths: Vec<_> = (0..4)
        .flat_map(|y| (0..4).map(move |x| format!("{},{},1,1", x * 16, y * 16)))
        .collect();
    let mut damaged = 0;
    for region in &paths {
        let [first, again] =
            [(); 2].map(|()| server.get(&format!("/iiif/3/bad.tif/{region}/max/0/default.png")));
        assert_eq!(first.status, again.status, "{region}");
        if first.status == 200 {
            let path = format!("/iiif/3/tiff%2Frgb-tiles-zip.tif/{region}/max/0/default.png");
            assert_eq!(again.body, good.get(&path).body, "{region}");
        } else {
            assert_eq!(first.status, 500, "{region}");
            assert_eq!(first.header("content-type"), "application/problem+json");
            damaged += 1;
        }
    }
    assert!((1..paths.len()).contains(&damaged), "{damaged} are damaged");
}

#[test]
fn one_tile_that_many_ask_for_is_decoded_once() {
    let image = "/iiif/3/jp2-6res-rgb-64x56x8-multitiled-lossy.jp2";
    let [one, many] = [(); 2].map(|()| server(&fixtures().join("jp2"), "67108864"));
    let expected = one
        .get(&format!("{image}/3,0,8,8/max/0/default.png"))
        .status;
    let threads: Vec<_> = (0..16)
        .map(|number| {
            let address = many.public.clone();
            thread::spawn(move || {
                let path = format!("{image}/{number},0,8,8/max/0/default.png");
                request(&address, "GET", &path, &[]).status
            })
        })
        .collect();
    for thread in threads {
        assert_eq!(thread.join().unwrap(), expected);
    }
    assert_eq!(reads(&many), reads(&one));
}
