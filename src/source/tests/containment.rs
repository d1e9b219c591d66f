//! Nothing outside a root is ever read, and nothing but regular files is ever opened.

use std::fs::File;
use std::os::unix::fs::{FileExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rustix::fs::{CWD, FileType, Mode, OFlags, RenameFlags, makedev, mknodat, open, renameat_with};

use super::*;
use crate::source::Symlinks;
use crate::source::beneath::{Lookup, open_to_read};
use crate::source::failure::Failure;
use crate::source::place::Place;

/// Every way in which files are looked up.
const LOOKUPS: [Lookup; 3] = [
    Lookup::Kernel(Symlinks::Inside),
    Lookup::Kernel(Symlinks::Never),
    Lookup::NameByName,
];

/// What a look-up finds, read to its end.
fn read(place: &Place, base: &str) -> Result<Vec<u8>, Failure> {
    let found = place.find(base, &[String::new(), ".tif".to_owned()])?;
    let file = open_to_read(&found.handle)?;
    let length = usize::try_from(found.version.length).expect("small");
    let mut bytes = vec![0; length];
    let count = file.read_at(&mut bytes, 0).expect("readable");
    bytes.truncate(count);
    Ok(bytes)
}

fn place(tree: &Tree, lookup: Lookup) -> Place {
    Place::new(&tree.root(), lookup, Duration::ZERO)
}

/// Spellings of `../secret.tif`, of absolute paths, and of all that has ever slipped through a filter.
/// What a URL would encode is given decoded once, and also as it stands.
const HOSTILE: &[&str] = &[
    "../secret.tif",
    "../secret",
    "..",
    ".",
    "/",
    "",
    "//",
    "../",
    "./",
    "./../secret.tif",
    ".././secret.tif",
    "sub/../../secret.tif",
    "sub/../../secret",
    "sub/./../../secret.tif",
    "sub//../../secret.tif",
    "sub/..",
    "sub/../inside.tif",
    "sub/.",
    "sub/",
    "./inside.tif",
    "/inside.tif",
    "inside.tif/",
    "inside.tif/.",
    "inside.tif/..",
    "inside.tif/../../secret.tif",
    "//inside.tif",
    "sub//deep.tif",
    "../masters/inside.tif",
    "../masters-beside/secret.tif",
    "-beside/secret.tif",
    "../../../../../../../../etc/passwd",
    "/etc/passwd",
    "//etc/passwd",
    "/proc/self/environ",
    "/proc/self/root/etc/passwd",
    "/dev/null",
    "/dev/zero",
    "..\\secret.tif",
    "..\\..\\secret.tif",
    "sub\\..\\..\\secret.tif",
    "\\..\\secret.tif",
    "\\\\host\\share\\secret.tif",
    "C:\\secret.tif",
    "C:/secret.tif",
    "C:../secret.tif",
    "file:///etc/passwd",
    "file://../secret.tif",
    "%2e%2e/secret.tif",
    "%2e%2e%2fsecret.tif",
    "..%2fsecret.tif",
    "..%252fsecret.tif",
    "..%5csecret.tif",
    "..%c0%afsecret.tif",
    "..%00/secret.tif",
    "..\u{2215}secret.tif",
    "..\u{ff0f}secret.tif",
    "\u{ff0e}\u{ff0e}/secret.tif",
    "\u{2025}/secret.tif",
    ".\u{200b}./secret.tif",
    "....//secret.tif",
    "..../secret.tif",
    ".../secret.tif",
    "..;/secret.tif",
    ". ./secret.tif",
    ".. /secret.tif",
    " ../secret.tif",
    "..\t/secret.tif",
    "../secret.tif\0",
    "../secret.tif\0.jpg",
    "inside.tif\0",
    "\0",
    "inside.tif\n",
    "\n../secret.tif",
    "~/secret.tif",
    "~root/secret.tif",
    "$HOME/secret.tif",
    "${HOME}/secret.tif",
    "`pwd`/../secret.tif",
    ".hidden.tif",
    ".hidden",
    ".git/config.tif",
    "sub/.hidden.tif",
    "*",
    "*.tif",
    "insid?.tif",
    "[i]nside.tif",
    "INSIDE.TIF",
    "sub",
    "masters",
    "masters/inside.tif",
    "fd/0",
    "\u{202e}fit.edisni",
];

#[test]
fn hostile_identifiers_find_nothing() {
    let tree = Tree::new();
    tree.outside("secret.tif", CANARY);
    tree.outside("masters-beside/secret.tif", CANARY);
    tree.file("inside.tif", b"inside");
    tree.file("sub/deep.tif", b"deep");
    tree.file(".hidden.tif", CANARY);
    tree.file("sub/.hidden.tif", CANARY);
    tree.file(".git/config.tif", CANARY);
    assert!(HOSTILE.len() >= 60);
    let source = tree.source();
    for identifier in HOSTILE {
        let error = bytes_of(&source, identifier).expect_err(identifier);
        assert_eq!(error.kind(), ErrorKind::NotFound, "{identifier:?}");
    }
    for lookup in LOOKUPS {
        let place = place(&tree, lookup);
        assert_eq!(read(&place, "inside").expect("there"), b"inside");
        assert_eq!(read(&place, "sub/deep").expect("there"), b"deep");
        for identifier in HOSTILE {
            assert_eq!(
                read(&place, identifier),
                Err(Failure::Absent),
                "{lookup:?} {identifier:?}"
            );
        }
    }
}

#[test]
fn the_lookup_itself_never_climbs() {
    let tree = Tree::new();
    tree.outside("secret.tif", CANARY);
    tree.file("sub/deep.tif", b"deep");
    let root = File::open(tree.root()).expect("a folder");
    let secret = tree.0.path().join("secret.tif");
    let paths = [
        "..",
        "../secret.tif",
        "sub/../../secret.tif",
        secret.to_str().expect("text"),
        "/etc/passwd",
    ];
    for lookup in LOOKUPS {
        for path in paths {
            let found = lookup.look(&root, path).map(drop);
            assert_eq!(found, Err(Failure::Absent), "{lookup:?} {path}");
        }
        assert!(lookup.look(&root, "sub/deep.tif").is_ok());
    }
}

#[test]
fn overlong_names_are_absent() {
    let tree = Tree::new();
    let source = tree.source();
    for identifier in [
        "a".repeat(256),
        "a".repeat(4096),
        "a/".repeat(2047) + "a",
        "é".repeat(3000),
    ] {
        assert_eq!(kind_of(&source, &identifier), ErrorKind::NotFound);
    }
}

#[test]
fn links_are_followed_as_set_and_never_out_of_the_root() {
    let tree = Tree::new();
    let secret = tree.outside("secret.tif", CANARY);
    tree.outside("beside/secret.tif", CANARY);
    let inside = tree.file("sub/inside.tif", b"inside");
    let link = |target: &Path, name: &str| symlink(target, tree.root().join(name)).expect("a link");
    for (name, target) in [
        ("file.tif", "sub/inside.tif"),
        ("folder", "sub"),
        ("chain.tif", "file.tif"),
        ("winding.tif", "sub/../sub/inside.tif"),
        ("sub/up.tif", "../sub/inside.tif"),
        ("out.tif", "../secret.tif"),
        ("outer", "../beside"),
        ("sneaky.tif", "sub/../../secret.tif"),
        ("back.tif", "../masters/sub/inside.tif"),
        ("loop.tif", "loop.tif"),
        ("dangling.tif", "nowhere.tif"),
        ("proc.tif", "/proc/self/environ"),
        ("magic", "/proc/self/root"),
        ("device.tif", "/dev/null"),
    ] {
        link(Path::new(target), name);
    }
    link(&secret, "absolute.tif");
    link(&inside, "absolute-inside.tif");

    let followed = [
        "file.tif",
        "folder/inside.tif",
        "chain.tif",
        "winding.tif",
        "sub/up.tif",
    ];
    let refused = [
        "out.tif",
        "outer/secret.tif",
        "sneaky.tif",
        "back.tif",
        "loop.tif",
        "dangling.tif",
        "proc.tif",
        "magic/etc/passwd",
        "device.tif",
        "absolute.tif",
        "absolute-inside.tif",
    ];
    for lookup in LOOKUPS {
        let place = place(&tree, lookup);
        for identifier in refused {
            assert_eq!(
                read(&place, identifier),
                Err(Failure::Absent),
                "{lookup:?} {identifier}"
            );
        }
        for identifier in followed {
            let expected = match lookup {
                Lookup::Kernel(Symlinks::Inside) => Ok(b"inside".to_vec()),
                Lookup::Kernel(Symlinks::Never) | Lookup::NameByName => Err(Failure::Absent),
            };
            assert_eq!(
                read(&place, identifier),
                expected,
                "{lookup:?} {identifier}"
            );
        }
    }
}

#[test]
fn the_setting_for_links_is_obeyed() {
    let tree = Tree::new();
    tree.file("real.tif", b"real");
    symlink("real.tif", tree.root().join("link.tif")).expect("a link");
    let never = Config {
        symlinks: Symlinks::Never,
        ..tree.config()
    };
    let never = FileSource::new(&never).expect("valid");
    assert_eq!(bytes_of(&tree.source(), "link").expect("followed"), b"real");
    assert_eq!(kind_of(&never, "link"), ErrorKind::NotFound);
    assert_eq!(bytes_of(&never, "real").expect("there"), b"real");
}

#[test]
fn a_root_may_itself_be_a_link() {
    let tree = Tree::new();
    tree.file("a.tif", b"a");
    let link = tree.0.path().join("link");
    symlink(tree.root(), &link).expect("a link");
    let config = Config {
        root: link,
        symlinks: Symlinks::Never,
        ..Config::default()
    };
    assert_eq!(
        bytes_of(&FileSource::new(&config).expect("valid"), "a").expect("there"),
        b"a"
    );
}

#[test]
fn only_regular_files_are_opened() {
    let tree = Tree::new();
    let at = |name: &str| tree.root().join(name);
    let make = |name: &str, kind: FileType| {
        mknodat(CWD, at(name), kind, Mode::RUSR | Mode::WUSR, makedev(1, 3))
    };
    make("fifo.tif", FileType::Fifo).expect("a FIFO");
    let _socket = UnixListener::bind(at("socket.tif")).expect("a socket");
    std::fs::create_dir(at("folder.tif")).expect("a folder");
    // Only root may make a device; for others /dev/null below a root at /dev stands in.
    let device = make("null.tif", FileType::CharacterDevice);
    let source = tree.source();
    for identifier in ["fifo.tif", "fifo", "socket.tif", "folder.tif", "folder"] {
        assert_eq!(
            kind_of(&source, identifier),
            ErrorKind::NotFound,
            "{identifier}"
        );
    }
    if device.is_ok() {
        assert_eq!(kind_of(&source, "null.tif"), ErrorKind::NotFound);
    }
    let devices = Config {
        root: PathBuf::from("/dev"),
        ..Config::default()
    };
    let devices = FileSource::new(&devices).expect("valid");
    for identifier in ["null", "zero", "full", "stdin", "fd/0", "tty"] {
        assert_eq!(
            kind_of(&devices, identifier),
            ErrorKind::NotFound,
            "{identifier}"
        );
    }
}

#[test]
fn views_of_the_system_are_no_masters() {
    let everything = Config {
        root: PathBuf::from("/"),
        ..Config::default()
    };
    let everything = FileSource::new(&everything).expect("valid");
    for identifier in [
        "proc/version",
        "proc/self/environ",
        "proc/1/maps",
        "proc/kcore",
        "sys/kernel/uevent_seqnum",
    ] {
        assert_eq!(
            kind_of(&everything, identifier),
            ErrorKind::NotFound,
            "{identifier}"
        );
    }
    for path in ["/proc", "/proc/self", "/sys"] {
        let config = Config {
            root: PathBuf::from(path),
            ..Config::default()
        };
        let source = FileSource::new(&config).expect("valid");
        assert!(!source.health().iter().any(|root| root.ok), "{path}");
        assert_eq!(kind_of(&source, "version"), ErrorKind::Upstream, "{path}");
    }
}

/// Runs `work` for two seconds while another thread exchanges two paths as fast as it can.
fn while_exchanging(a: &Path, b: &Path, mut work: impl FnMut()) {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let swapper = scope.spawn(|| {
            let mut swaps = 0_u32;
            while !over.load(Ordering::Relaxed) {
                renameat_with(CWD, a, CWD, b, RenameFlags::EXCHANGE).expect("exchanged");
                swaps += 1;
            }
            swaps
        });
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(2) {
            work();
        }
        over.store(true, Ordering::Relaxed);
        assert!(
            swapper.join().expect("no panic") > 100,
            "too few exchanges to prove anything"
        );
    });
}

#[test]
fn a_folder_that_turns_into_a_link_leads_nowhere_else() {
    for lookup in LOOKUPS {
        let tree = Tree::new();
        tree.outside("cage/a.tif", CANARY);
        tree.file("folder/a.tif", b"inside");
        let link = tree.root().join("link");
        symlink(tree.0.path().join("cage"), &link).expect("a link");
        symlink("../cage", tree.root().join("relative")).expect("a link");
        let place = place(&tree, lookup);
        let (mut inside, mut absent) = (0, 0);
        while_exchanging(&tree.root().join("folder"), &link, || {
            for identifier in ["folder/a.tif", "link/a", "relative/a"] {
                match read(&place, identifier) {
                    Ok(bytes) => {
                        assert_eq!(bytes, b"inside", "{lookup:?}");
                        inside += 1;
                    }
                    Err(Failure::Absent) => absent += 1,
                    Err(failure) => panic!("{lookup:?}: {failure:?}"),
                }
            }
        });
        assert!(
            inside > 0 && absent > 0,
            "both sides were met: {inside} {absent}"
        );
    }
}

#[test]
fn a_file_that_turns_into_a_fifo_is_never_opened_as_one() {
    let tree = Tree::new();
    let (file, fifo) = (tree.file("a.tif", b"inside"), tree.root().join("b.tif"));
    let watched = tree.0.path().join("fifo");
    mknodat(CWD, &watched, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a FIFO");
    std::fs::hard_link(&watched, &fifo).expect("a second name");
    let place = place(&tree, Lookup::Kernel(Symlinks::Inside));
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        // A FIFO lets a writer in only while someone has it open for reading.
        let writer = scope.spawn(|| {
            let mut readers = 0;
            while !over.load(Ordering::Relaxed) {
                let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
                readers += u32::from(open(&watched, flags, Mode::empty()).is_ok());
            }
            readers
        });
        let mut inside = 0;
        while_exchanging(&file, &fifo, || {
            if let Ok(bytes) = read(&place, "a.tif") {
                assert_eq!(bytes, b"inside");
                inside += 1;
            }
        });
        over.store(true, Ordering::Relaxed);
        assert!(inside > 0);
        assert_eq!(writer.join().expect("no panic"), 0, "the FIFO was opened");
    });
}
