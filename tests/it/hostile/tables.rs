//! TIFFs whose directories and tables cost far more than the file: shared, overlapping, endless.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use super::{assert_alive, resident_bytes, server};
use crate::library::scratch;

/// An entry of a directory: tag, type, count, value or place.
type Entry = (u16, u16, u64, u64);

const SHORT: u16 = 3;
const LONG: u16 = 4;
const BYTE: u16 = 1;
const LONG8: u16 = 16;

/// A classic directory.
fn directory(entries: &[Entry], next: u32) -> Vec<u8> {
    let mut entries = entries.to_vec();
    entries.sort_unstable();
    let mut bytes = (entries.len() as u16).to_le_bytes().to_vec();
    for (tag, kind, count, value) in entries {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(kind.to_le_bytes());
        bytes.extend((count as u32).to_le_bytes());
        bytes.extend((value as u32).to_le_bytes());
    }
    bytes.extend(next.to_le_bytes());
    bytes
}

/// A gray picture of `side`² in one strip at `place`.
fn gray(side: u64, place: u64) -> Vec<Entry> {
    vec![
        (256, LONG, 1, side),
        (257, LONG, 1, side),
        (258, SHORT, 1, 8),
        (259, SHORT, 1, 1),
        (262, SHORT, 1, 1),
        (273, LONG, 1, place),
        (278, LONG, 1, side),
        (279, LONG, 1, side * side),
    ]
}

/// 16,384 directories of 4096 entries each in 150 KB: the counts are cells of six bytes, and so are the
/// places of the next ones, which stand where other directories' entries do.
fn overlapping() -> Vec<u8> {
    const DIRECTORIES: usize = 16_384;
    const ENTRIES: usize = 4096;
    let mut bytes = b"II*\0\x08\0\0\0".to_vec();
    bytes.resize(8 + 6 * DIRECTORIES + 12 * ENTRIES + 64, 0);
    let cells = (bytes.len() - 8) / 6;
    for cell in 0..cells {
        let at = 8 + 6 * cell;
        bytes[at..at + 2].copy_from_slice(&(ENTRIES as u16).to_le_bytes());
    }
    for directory in 0..DIRECTORIES - 1 {
        let next = 8 + 6 * (directory as u32 + 1);
        let at = 8 + 6 * directory + 2 + 12 * ENTRIES;
        bytes[at..at + 4].copy_from_slice(&next.to_le_bytes());
    }
    bytes
}

/// A picture of 4000² with as many levels as there are `sides`, each in tiles of one pixel, whose tables are
/// the same four million bytes.
fn levels(sides: &[u64]) -> Vec<u8> {
    const TABLE: u64 = 2000 * 2000;
    let mut bytes = b"II*\0".to_vec();
    let first = 8 + TABLE as u32;
    bytes.extend(first.to_le_bytes());
    bytes.resize(first as usize, 1);
    let mut at = first;
    let full = gray(4000, 8);
    let mut append = |entries: &[Entry], is_last| {
        let length = directory(entries, 0).len() as u32;
        at += length;
        bytes.extend(directory(entries, if is_last { 0 } else { at }));
    };
    append(&full, sides.is_empty());
    for (number, side) in sides.iter().enumerate() {
        let tiles = side * side;
        let level = [
            (254, LONG, 1, 1),
            (256, LONG, 1, *side),
            (257, LONG, 1, *side),
            (258, SHORT, 1, 8),
            (259, SHORT, 1, 5),
            (262, SHORT, 1, 1),
            (322, LONG, 1, 1),
            (323, LONG, 1, 1),
            (324, BYTE, tiles, 8),
            (325, BYTE, tiles, 8),
        ];
        append(&level, number + 1 == sides.len());
    }
    bytes
}

/// 65,535 samples a pixel, each in a plane of its own of 15,625 tiles: a thousand million places, in a file
/// of that length that is a hole.
fn planes(file: &Path) {
    let tiles = 125 * 125 * 65_535;
    let entries = [
        (256, LONG, 1, 2000),
        (257, LONG, 1, 2000),
        (258, SHORT, 1, 8),
        (259, SHORT, 1, 5),
        (262, SHORT, 1, 1),
        (277, SHORT, 1, 65_535),
        (284, SHORT, 1, 2),
        (322, LONG, 1, 16),
        (323, LONG, 1, 16),
        (324, BYTE, tiles, 400),
        (325, BYTE, tiles, 400),
    ];
    let bytes = [b"II*\0\x08\0\0\0".to_vec(), directory(&entries, 0)].concat();
    fs::write(file, bytes).unwrap();
    let file = fs::File::options().write(true).open(file).unwrap();
    file.set_len(400 + tiles).unwrap();
}

/// An old-style JPEG of 20,000 strips of a megabyte each, all the same, and a last one whose length makes
/// the sum 0 in 64 bits.
fn endless_strips() -> Vec<u8> {
    const STRIPS: u64 = 20_000;
    const STRIP: u64 = 1 << 20;
    let (places, lengths) = (1000, 1000 + 8 * STRIPS);
    let data = lengths + 8 * STRIPS;
    let entries: [Entry; 11] = [
        (256, LONG, 1, 8),
        (257, LONG, 1, STRIPS),
        (258, SHORT, 3, 0x0008_0008_0008),
        (259, SHORT, 1, 6),
        (262, SHORT, 1, 6),
        (273, LONG8, STRIPS, places),
        (277, SHORT, 1, 3),
        (278, LONG, 1, 1),
        (279, LONG8, STRIPS, lengths),
        (513, LONG, 1, 900),
        (514, LONG, 1, 50),
    ];
    let mut bytes = b"II+\0\x08\0\0\0".to_vec();
    bytes.extend(16_u64.to_le_bytes());
    bytes.extend((entries.len() as u64).to_le_bytes());
    for (tag, kind, count, value) in entries {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(kind.to_le_bytes());
        bytes.extend(count.to_le_bytes());
        bytes.extend(value.to_le_bytes());
    }
    bytes.resize(places as usize, 0);
    bytes.extend((0..STRIPS).flat_map(|_| data.to_le_bytes()));
    let last = ((STRIPS - 1) * STRIP).wrapping_neg();
    let all = (1..STRIPS).map(|_| STRIP).chain([last]);
    bytes.extend(all.flat_map(u64::to_le_bytes));
    bytes.resize((data + STRIP) as usize, 0);
    bytes
}

/// Directories that lead back to themselves, and out of the file.
fn loops() -> Vec<(&'static str, Vec<u8>)> {
    let file = |entries: &[Entry], next| {
        let mut bytes = b"II*\0\x08\0\0\0".to_vec();
        bytes.extend(directory(entries, next));
        bytes.resize(400, 0);
        bytes
    };
    let with = |changes: &[Entry]| {
        let mut entries = gray(4, 300);
        entries.retain(|entry| changes.iter().all(|change| change.0 != entry.0));
        entries.extend(changes);
        entries
    };
    vec![
        ("next.tif", file(&gray(4, 300), 8)),
        ("child.tif", file(&with(&[(330, LONG, 1, 8)]), 0)),
        ("outside.tif", file(&gray(4, 300), 0xFFFF_FFF0)),
        ("beyond.tif", file(&gray(4, 0xFFFF_FFF0), 0)),
        (
            "long.tif",
            file(&with(&[(279, LONG, 1, u64::from(u32::MAX))]), 0),
        ),
        (
            "counted.tif",
            file(&with(&[(273, LONG, u64::from(u32::MAX), 8)]), 0),
        ),
    ]
}

#[test]
fn tables_that_are_shared_or_overlap_cost_no_more_than_the_limits() {
    let folder = scratch("tables");
    let numbers = |name: &str, bytes: Vec<u8>| fs::write(folder.join(name), bytes).unwrap();
    numbers("overlapping.tif", overlapping());
    numbers("same-level.tif", levels(&[2000; 60]));
    numbers("many-levels.tif", levels(&[2000, 1000, 800, 500, 400]));
    numbers("endless.tif", endless_strips());
    planes(&folder.join("planes.tif"));
    let mut cases = vec![
        ("overlapping.tif", [413, 413]),
        // One level of the sixty is taken, and none of its tiles is a stream.
        ("same-level.tif", [200, 500]),
        ("many-levels.tif", [413, 413]),
        ("planes.tif", [413, 413]),
        ("endless.tif", [500, 500]),
    ];
    for (name, bytes) in loops() {
        numbers(name, bytes);
        let opens = ["beyond.tif", "long.tif", "counted.tif"].contains(&name);
        cases.push((name, if opens { [200, 500] } else { [500, 500] }));
    }
    let server = server(&folder, &[]);
    for (name, wanted) in cases {
        let requests = ["info.json", "full/!3,3/0/default.jpg"];
        for (request, wanted) in requests.into_iter().zip(wanted) {
            let start = Instant::now();
            let answer = server.get(&format!("/iiif/3/{name}/{request}"));
            let took = start.elapsed();
            assert_eq!(
                answer.status,
                wanted,
                "{name} {request}: {}",
                answer.text_lossy()
            );
            assert!(took < Duration::from_secs(10), "{name} {request}: {took:?}");
        }
        let resident = resident_bytes(&server);
        assert!(resident < 300 << 20, "{name}: {} MiB", resident >> 20);
    }
    assert_alive(&server);
}
