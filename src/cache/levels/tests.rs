//! Tiles come back as they were, or not at all.

use std::fs;
use std::path::PathBuf;

use super::*;
use crate::cache::KeyBuilder;

fn key(number: u64) -> Key {
    KeyBuilder::default().number(number).finish()
}

fn grids() -> Vec<Grid> {
    let grid = |factor, columns, rows| Grid {
        factor,
        columns,
        rows,
    };
    vec![grid(1, 3, 2), grid(2, 2, 1), grid(4, 1, 1)]
}

fn cells() -> impl Iterator<Item = (u32, u32, u32)> {
    grids().into_iter().flat_map(|grid| {
        let rows = move |column| (0..grid.rows).map(move |row| (grid.factor, column, row));
        (0..grid.columns).flat_map(rows)
    })
}

/// A tile that tells its cell.
fn tile(number: u64, (factor, column, row): (u32, u32, u32)) -> Vec<u8> {
    let text = format!("{number}: {factor} {column} {row} ");
    text.repeat(3).into_bytes()
}

fn store() -> (tempfile::TempDir, LevelStore) {
    let directory = tempfile::tempdir().expect("a folder");
    let store = LevelStore::open(directory.path(), 1 << 20).expect("writable");
    (directory, store)
}

fn put(store: &LevelStore, number: u64) -> io::Result<()> {
    let mut writer = store.begin(key(number), b"about".to_vec(), grids())?;
    for cell @ (factor, column, row) in cells() {
        writer.add(factor, column, row, &tile(number, cell))?;
    }
    writer.finish()
}

/// The only file of the store.
fn path(directory: &tempfile::TempDir) -> PathBuf {
    let groups = fs::read_dir(directory.path().join(TIER)).expect("there");
    let files = groups.flat_map(|group| fs::read_dir(group.expect("readable").path()));
    let mut files = files.flatten().map(|file| file.expect("readable").path());
    files.next().expect("a file")
}

#[test]
fn tiles_come_back_and_what_is_not_there_does_not() {
    let (_directory, store) = store();
    assert!(store.find(&key(1)).is_none());
    put(&store, 1).expect("written");
    let levels = store.find(&key(1)).expect("there");
    assert_eq!(
        (levels.about(), levels.grids()),
        (&b"about"[..], &grids()[..])
    );
    for cell @ (factor, column, row) in cells() {
        assert_eq!(levels.tile(factor, column, row), Some(tile(1, cell)));
    }
    for (factor, column, row) in [(1, 3, 0), (1, 0, 2), (3, 0, 0), (4, 0, 1), (0, 0, 0)] {
        assert_eq!(levels.tile(factor, column, row), None);
    }
    assert!(store.find(&key(2)).is_none());
}

#[test]
fn a_file_with_cells_missing_or_met_twice_is_not_finished() {
    let (_directory, store) = store();
    let begin = || store.begin(key(1), Vec::new(), grids()).expect("writable");
    assert!(begin().finish().is_err());
    let mut writer = begin();
    writer.add(1, 0, 0, b"x").expect("written");
    assert!(writer.add(1, 0, 0, b"y").is_err());
    assert!(writer.add(1, 3, 0, b"y").is_err());
    assert!(writer.add(2, 0, 0, b"").is_err());
    drop(writer);
    assert!(store.find(&key(1)).is_none());
}

#[test]
fn no_flipped_bit_gives_a_wrong_byte() {
    let (directory, store) = store();
    put(&store, 1).expect("written");
    let whole = fs::read(path(&directory)).expect("readable");
    // One bit of every byte, each of the eight in turn.
    for byte in 0..whole.len() {
        let bit = byte * 5 % 8;
        let mut damaged = whole.clone();
        damaged[byte] ^= 1 << bit;
        fs::write(path_of(&directory, &store), &damaged).expect("written");
        let refused = read_all(&store, 1);
        assert!(refused > 0, "bit {bit} of byte {byte} is met by nobody");
        assert!(
            store.find(&key(1)).is_none(),
            "byte {byte}: the file is dropped"
        );
    }
}

#[test]
fn no_truncation_and_no_more_bytes_give_a_wrong_byte() {
    let (directory, store) = store();
    put(&store, 1).expect("written");
    let whole = fs::read(path(&directory)).expect("readable");
    for length in 0..whole.len() {
        fs::write(path_of(&directory, &store), &whole[..length]).expect("written");
        assert!(read_all(&store, 1) > 0, "{length} bytes");
        assert!(store.find(&key(1)).is_none(), "{length} bytes: dropped");
    }
    let longer = [whole.as_slice(), b"more"].concat();
    fs::write(path_of(&directory, &store), longer).expect("written");
    assert!(store.find(&key(1)).is_none());
}

/// Where the file of key 1 belongs, whether it is there or not.
fn path_of(directory: &tempfile::TempDir, store: &LevelStore) -> PathBuf {
    put(store, 1).expect("written");
    path(directory)
}

/// Reads every cell: each is right or refused. Gives how many were refused; all of them, where there is
/// no file.
fn read_all(store: &LevelStore, number: u64) -> usize {
    let Some(levels) = store.find(&key(number)) else {
        return cells().count();
    };
    let refused = cells().filter(|cell @ (factor, column, row)| {
        let read = levels.tile(*factor, *column, *row);
        assert!(
            read.is_none() || read == Some(tile(number, *cell)),
            "a wrong byte"
        );
        read.is_none()
    });
    refused.count()
}

#[test]
fn a_file_under_another_key_is_not_taken_for_it() {
    let (directory, store) = store();
    put(&store, 1).expect("written");
    let one = path(&directory);
    put(&store, 2).expect("written");
    let name = key(2).to_hex();
    let two = directory
        .path()
        .join(TIER)
        .join(name.get(..2).expect("digits"));
    fs::copy(one, two.join(format!("{name}.cached"))).expect("copied");
    assert!(store.find(&key(2)).is_none());
    assert!(store.find(&key(1)).is_some());
}

#[test]
fn an_evicted_file_is_closed_and_gives_no_more() {
    let directory = tempfile::tempdir().expect("a folder");
    let store = LevelStore::open(directory.path(), 1500).expect("writable");
    put(&store, 1).expect("written");
    let first = store.find(&key(1)).expect("there");
    assert!(first.tile(4, 0, 0).is_some());
    for number in 2..6 {
        put(&store, number).expect("written");
        assert!(store.bytes() <= 1500);
    }
    assert!(first.tile(4, 0, 0).is_none());
    assert!(!first.is_open());
    assert!(store.find(&key(5)).is_some());
}

#[test]
fn a_store_that_became_read_only_or_vanished_gives_errors() {
    let (directory, store) = store();
    put(&store, 1).expect("written");
    let levels = store.find(&key(1)).expect("there");
    fs::remove_dir_all(directory.path().join(TIER)).expect("removed");
    fs::write(directory.path().join(TIER), "a file").expect("written");
    assert!(put(&store, 2).is_err());
    assert!(store.find(&key(2)).is_none());
    // What is open can still be read.
    assert_eq!(levels.tile(4, 0, 0), Some(tile(1, (4, 0, 0))));
}
