//! Masters that change on disk.

use std::fs::OpenOptions;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};

use super::*;

/// Longer than the coarsest tick of file times.
fn tick() {
    std::thread::sleep(Duration::from_millis(20));
}

#[test]
fn a_version_is_what_stat_says() {
    let tree = Tree::new();
    let facts = std::fs::metadata(tree.file("a.tif", b"abc")).expect("there");
    let version = tree.source().open("a").expect("there").version;
    assert_eq!(
        (version.device, version.inode, version.length),
        (facts.dev(), facts.ino(), 3)
    );
    assert_eq!(version.last_modified(), facts.modified().expect("a time"));
}

#[test]
fn a_replaced_master_is_another_version_and_the_open_one_stays_whole() {
    let tree = Tree::new();
    let path = tree.file("a.tif", b"old");
    let source = tree.source();
    let opened = source.open("a").expect("there");
    assert_eq!(
        source.validate(&opened.located).expect("there"),
        opened.version
    );

    std::fs::rename(tree.file("new.tmp", b"new"), &path).expect("replaced");
    assert_ne!(
        source.validate(&opened.located).expect("there"),
        opened.version
    );
    assert_eq!(
        opened.reader.version_now().expect("open").inode,
        opened.version.inode
    );
    assert_eq!(opened.reader.read_vec(0, 3).expect("open"), b"old");
    assert_eq!(bytes_of(&source, "a").expect("there"), b"new");
}

#[test]
fn a_master_written_in_place_is_noticed_through_its_descriptor() {
    let tree = Tree::new();
    let path = tree.file("a.tif", b"old");
    let source = tree.source();
    let opened = source.open("a").expect("there");
    assert_eq!(opened.reader.version_now().expect("open"), opened.version);
    tick();
    let file = OpenOptions::new()
        .write(true)
        .open(&path)
        .expect("writable");
    file.write_all_at(b"new", 0).expect("written");
    assert_ne!(opened.reader.version_now().expect("open"), opened.version);
    assert_ne!(
        source.validate(&opened.located).expect("there"),
        opened.version
    );
}

#[test]
fn a_master_that_shrank_gives_an_error_and_no_bytes() {
    let tree = Tree::new();
    let path = tree.file("a.tif", &vec![7; 100_000]);
    let opened = tree.source().open("a").expect("there");
    OpenOptions::new()
        .write(true)
        .open(&path)
        .expect("writable")
        .set_len(1000)
        .expect("shorter");
    assert_eq!(
        opened.reader.read_vec(0, 1000).expect("still there"),
        [7; 1000]
    );
    for (offset, length) in [(0, 100_000), (999, 2), (50_000, 10)] {
        let error = opened.reader.read_vec(offset, length).expect_err("gone");
        assert_eq!(error.kind(), ErrorKind::Upstream);
    }
    assert_ne!(opened.reader.version_now().expect("open"), opened.version);
}

#[test]
fn a_read_past_the_end_is_corrupt() {
    let tree = Tree::new();
    tree.file("a.tif", b"abc");
    let reader = tree.source().open("a").expect("there").reader;
    assert_eq!(reader.length(), 3);
    assert_eq!(reader.read_vec(3, 0).expect("empty"), b"");
    for (offset, length) in [(0, 4), (3, 1), (4, 0), (u64::MAX, 1), (1, u64::MAX)] {
        let error = reader.read_vec(offset, length).expect_err("past the end");
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{offset} {length}");
    }
    assert_eq!(
        reader
            .read(2, &mut [0; 2])
            .expect_err("past the end")
            .kind(),
        ErrorKind::Corrupt
    );
}

#[test]
fn a_master_that_is_gone_is_not_found_and_one_that_comes_first_is_noticed() {
    let tree = Tree::new();
    let path = tree.file("a.tif", b"tif");
    let source = tree.source();
    let opened = source.open("a").expect("there");
    tree.file("a", b"the bare name comes first");
    assert_ne!(
        source.validate(&opened.located).expect("there"),
        opened.version
    );
    std::fs::remove_file(tree.root().join("a")).expect("removed");
    assert_eq!(
        source.validate(&opened.located).expect("there"),
        opened.version
    );
    std::fs::remove_file(path).expect("removed");
    assert_eq!(
        source.validate(&opened.located).expect_err("gone").kind(),
        ErrorKind::NotFound
    );
}

#[test]
fn masters_are_not_touched() {
    let tree = Tree::new();
    let path = tree.file("a.tif", b"abc");
    let before = std::fs::metadata(&path).expect("there");
    let opened = tree.source().open("a").expect("there");
    opened.reader.read_vec(0, 3).expect("bytes");
    // No writer is kept out: no lock is held and no lease is taken.
    let other = OpenOptions::new()
        .write(true)
        .open(&path)
        .expect("writable");
    other.try_lock().expect("nobody holds a lock");
    let after = std::fs::metadata(&path).expect("there");
    assert_eq!(
        (before.mtime_nsec(), before.ctime_nsec()),
        (after.mtime_nsec(), after.ctime_nsec())
    );
}
