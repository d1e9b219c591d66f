//! Bodies come back whole or not at all, whatever has been done to their files.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::*;
use crate::cache::KeyBuilder;

fn key(number: u64) -> Key {
    KeyBuilder::default().number(number).finish()
}

fn body(number: u64, length: usize) -> Vec<u8> {
    let start = number.to_le_bytes()[0];
    (0..length)
        .map(|at| start.wrapping_add((at * 7 % 251).to_le_bytes()[0]))
        .collect()
}

fn folder(directory: &Path, bytes: u64) -> Folder {
    let tenant = Tenant {
        name: TIER,
        magic: MAGIC,
        bytes,
    };
    Folder::open(directory, tenant).expect("a folder")
}

/// All stored files, with what they hold.
fn files(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let read = |path: &Path| fs::read_dir(path).expect("a folder").flatten();
    let mut files = Vec::new();
    for group in read(&directory.join(TIER)).filter(|entry| entry.path().is_dir()) {
        for file in read(&group.path()) {
            files.push((file.path(), fs::read(file.path()).expect("a file")));
        }
    }
    files
}

/// The body, once the thread has written it.
fn wait_for(derivatives: &Derivatives, key: &Key) -> Bytes {
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(body) = derivatives.get(key) {
            return body;
        }
        assert!(Instant::now() < until, "nothing was written");
        thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn what_was_inserted_is_there_after_a_restart_and_under_no_other_key() {
    let directory = tempfile::tempdir().expect("a folder");
    let first = Derivatives::open(directory.path(), 1 << 20).expect("opened");
    for number in 0..20 {
        first.insert(key(number), body(number, 5000).into());
    }
    for number in 0..20 {
        assert_eq!(wait_for(&first, &key(number)), body(number, 5000));
    }
    drop(first);
    let second = Derivatives::open(directory.path(), 1 << 20).expect("opened");
    for number in 0..20 {
        assert_eq!(second.get(&key(number)).expect("there"), body(number, 5000));
    }
    assert_eq!(second.get(&key(99)), None);
    assert!(second.is_on() && !Derivatives::off().is_on());
}

#[test]
fn a_file_with_any_bit_flipped_or_any_end_missing_gives_nothing_and_is_dropped() {
    let directory = tempfile::tempdir().expect("a folder");
    let folder = folder(directory.path(), 1 << 20);
    store(&folder, key(1), &body(1, 300)).expect("stored");
    let (path, whole) = files(directory.path()).pop().expect("one file");
    let mut damaged = Vec::new();
    for bit in 0..8 * whole.len() {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        damaged.push(bytes);
    }
    damaged.extend((0..whole.len()).map(|length| whole[..length].to_vec()));
    damaged.push([&whole[..], b"more"].concat());
    for bytes in damaged {
        fs::write(&path, &bytes).expect("written");
        assert_eq!(look_up(&folder, &key(1)), None);
        assert!(!path.exists(), "a damaged file stays");
    }
    fs::write(&path, &whole).expect("written");
    assert_eq!(look_up(&folder, &key(1)).expect("whole"), body(1, 300));
}

#[test]
fn a_file_under_anothers_name_gives_nothing() {
    let directory = tempfile::tempdir().expect("a folder");
    let folder = folder(directory.path(), 1 << 20);
    store(&folder, key(1), &body(1, 300)).expect("stored");
    let (_, first) = files(directory.path()).pop().expect("one file");
    store(&folder, key(2), &body(2, 300)).expect("stored");
    for (path, _) in files(directory.path()) {
        fs::write(&path, &first).expect("written");
    }
    assert_eq!(look_up(&folder, &key(2)), None);
    assert_eq!(look_up(&folder, &key(1)).expect("whole"), body(1, 300));
}

#[test]
fn the_bound_is_kept_over_restarts_and_foreign_files_stay() {
    let directory = tempfile::tempdir().expect("a folder");
    let total = || -> usize {
        let all = files(directory.path());
        all.iter().map(|(_, content)| content.len()).sum()
    };
    let large = folder(directory.path(), 1 << 20);
    for number in 0..200 {
        store(&large, key(number), &body(number, 5000)).expect("stored");
        assert!(total() <= 1 << 20);
    }
    let (ours, _) = files(directory.path()).pop().expect("some");
    let foreign = [
        ours.with_file_name("notes.txt"),
        ours.with_file_name("a.cached"),
        ours.with_file_name("b.part"),
    ];
    for path in &foreign {
        fs::write(path, b"somebody's").expect("written");
    }
    let small = folder(directory.path(), 100_000);
    small.scan();
    assert!(small.bytes() <= 100_000 && small.bytes() > 80_000);
    for path in &foreign {
        assert_eq!(fs::read(path).expect("it stays"), b"somebody's");
        fs::remove_file(path).expect("removed");
    }
    assert_eq!(total() as u64, small.bytes());
}

#[test]
fn what_is_too_large_or_too_much_at_once_is_not_kept() {
    let directory = tempfile::tempdir().expect("a folder");
    let derivatives = Derivatives::open(directory.path(), 80_000).expect("opened");
    derivatives.insert(key(1), body(1, 10_001).into());
    derivatives.insert(key(2), body(2, 9000).into());
    assert_eq!(wait_for(&derivatives, &key(2)).len(), 9000);
    assert_eq!(derivatives.get(&key(1)), None);
}

#[test]
fn a_place_that_cannot_be_written_is_told_and_one_that_goes_away_is_survived() {
    let directory = tempfile::tempdir().expect("a folder");
    let file = directory.path().join("file");
    fs::write(&file, b"").expect("written");
    assert!(Derivatives::open(&file, 1 << 20).is_err());

    let place = directory.path().join("place");
    let derivatives = Derivatives::open(&place, 1 << 20).expect("opened");
    fs::remove_dir_all(&place).expect("removed");
    fs::write(&place, b"in the way").expect("written");
    derivatives.insert(key(1), body(1, 300).into());
    assert_eq!(derivatives.get(&key(1)), None);
    fs::remove_file(&place).expect("removed");
    derivatives.insert(key(2), body(2, 300).into());
    assert_eq!(wait_for(&derivatives, &key(2)), body(2, 300));
}
