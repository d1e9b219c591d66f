//! A folder of files: whole or not there, bounded, and careful with what is not its own.

use super::*;
use crate::cache::KeyBuilder;
use crate::cache::disk::checksum;

const TENANT: Tenant = Tenant {
    name: "levels",
    magic: *b"TESTING1",
    bytes: 1000,
};

fn key(number: u64) -> Key {
    KeyBuilder::default().number(number).finish()
}

/// A file of `length` bytes, head included.
fn put(folder: &Folder, number: u64, length: usize) -> io::Result<()> {
    let body = vec![7; length - HEAD_BYTES];
    let head = Head {
        magic: TENANT.magic,
        key: key(number),
        length: body.len() as u64,
        mark: 0,
        checksum: checksum(&body),
    };
    let mut stage = folder.stage(key(number))?;
    stage.append(&head.to_bytes())?;
    stage.append(&body)?;
    folder.publish(stage)
}

fn has(folder: &Folder, number: u64) -> bool {
    folder.get(&key(number)).expect("readable").is_some()
}

fn open(directory: &tempfile::TempDir) -> Folder {
    Folder::open(directory.path(), TENANT).expect("writable")
}

/// All files below the folder.
fn files(folder: &Folder) -> Vec<PathBuf> {
    let mut all: Vec<_> = paths(&folder.root)
        .flat_map(|group| paths(&group))
        .filter(|path| path.is_file())
        .collect();
    all.sort();
    all
}

#[test]
fn a_file_is_there_once_it_is_published_and_not_before() {
    let directory = tempfile::tempdir().expect("a folder");
    let folder = open(&directory);
    let mut stage = folder.stage(key(1)).expect("writable");
    stage.append(b"TEST").expect("written");
    assert!(!has(&folder, 1));
    drop(stage);
    assert_eq!(files(&folder), Vec::<PathBuf>::new(), "nothing is left");
    put(&folder, 1, 100).expect("written");
    assert!(has(&folder, 1));
    assert_eq!(files(&folder).len(), 1);
    folder.remove(&key(1));
    assert!(!has(&folder, 1));
    assert_eq!((files(&folder).len(), folder.bytes()), (0, 0));
}

#[test]
fn the_bound_holds_and_what_was_used_longest_ago_leaves() {
    let directory = tempfile::tempdir().expect("a folder");
    let folder = open(&directory);
    for number in 0..20 {
        put(&folder, number, 300).expect("written");
        assert!(folder.bytes() <= TENANT.bytes);
        // The first is used all the time.
        assert!(has(&folder, 0));
    }
    assert_eq!(files(&folder).len(), 3);
    assert!(has(&folder, 19) && !has(&folder, 10));
    let error = put(&folder, 30, 1001).expect_err("larger than all");
    assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
    assert_eq!(files(&folder).len(), 3, "nothing left for it");
}

#[test]
fn a_scan_finds_what_is_there_in_the_order_of_its_use() {
    let directory = tempfile::tempdir().expect("a folder");
    let before = open(&directory);
    for number in 0..3 {
        put(&before, number, 300).expect("written");
        let file = before.get(&key(number)).expect("readable").expect("there");
        let age = std::time::Duration::from_secs(1000 - 100 * number);
        file.set_modified(SystemTime::now() - age).expect("set");
    }
    let after = open(&directory);
    assert_eq!(after.bytes(), 0);
    after.scan();
    assert_eq!(after.bytes(), 900);
    put(&after, 3, 300).expect("written");
    assert!(!has(&after, 0), "the oldest has left");
    let smaller = Tenant {
        bytes: 650,
        ..TENANT
    };
    let smaller = Folder::open(directory.path(), smaller).expect("writable");
    smaller.scan();
    assert_eq!(smaller.bytes(), 600);
    assert!(has(&smaller, 2) && has(&smaller, 3));
}

#[test]
fn what_killed_writers_have_left_goes_and_what_lives_stays() {
    let directory = tempfile::tempdir().expect("a folder");
    let folder = open(&directory);
    let mut alive = folder.stage(key(1)).expect("writable");
    alive.append(b"TESTING1 and more").expect("written");
    let left = |number: u64, text: &str| {
        let path = folder.path(&key(number));
        let path = path.with_extension("00112233445566ff.part");
        fs::create_dir_all(path.parent().expect("a group")).expect("made");
        fs::write(&path, text).expect("written");
        path
    };
    let dead = [left(2, ""), left(3, "TEST"), left(4, "TESTING1 and more")];
    let foreign = left(5, "notes of somebody");
    folder.scan();
    assert!(dead.iter().all(|path| !path.exists()));
    assert!(foreign.exists());
    folder.publish(alive).expect("still there");
    assert!(has(&folder, 1));
}

#[test]
fn foreign_files_are_neither_counted_nor_deleted() {
    let directory = tempfile::tempdir().expect("a folder");
    let folder = open(&directory);
    put(&folder, 1, 100).expect("written");
    let group = files(&folder)[0].parent().expect("a group").to_owned();
    let names = ["notes.txt", "x.cached", "y.part", "thesis.cached.part"];
    let mut foreign: Vec<_> = names.iter().map(|name| group.join(name)).collect();
    foreign.push(folder.root.join("README"));
    // A file of ours under another's name is none of ours either.
    foreign.push(folder.path(&key(2)));
    for path in &foreign {
        fs::create_dir_all(path.parent().expect("a group")).expect("made");
        fs::copy(&files(&folder)[0], path).expect("written");
    }
    let tight = Tenant {
        bytes: 64,
        ..TENANT
    };
    let tight = Folder::open(directory.path(), tight).expect("writable");
    tight.scan();
    assert_eq!(tight.bytes(), 0, "the one of ours has left");
    assert!(foreign.iter().all(|path| path.exists()));
}

#[test]
fn a_folder_that_cannot_be_written_is_refused() {
    let directory = tempfile::tempdir().expect("a folder");
    let file = directory.path().join("file");
    fs::write(&file, "").expect("written");
    assert!(Folder::open(&file, TENANT).is_err());
    assert!(Folder::open(Path::new("/proc/nothing"), TENANT).is_err());
}
