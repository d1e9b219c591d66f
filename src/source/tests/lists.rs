//! The list of images.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::sync::Arc;

use super::*;
use crate::source::{Listing, Symlinks};

fn built(source: &FileSource) -> Arc<Listing> {
    wait_for("the list", || !source.listing().building);
    source.listing()
}

fn names(source: &FileSource) -> Vec<String> {
    built(source).page("", 0, usize::MAX).0
}

#[test]
fn masters_are_listed_in_natural_order_and_nothing_else_is() {
    let tree = Tree::new();
    let masters = [
        "2.tif",
        "10.tif",
        "book/page 2.JP2",
        "book/page 10.jp2",
        "book.png",
        "Zoo.jpeg",
    ];
    for path in masters {
        tree.file(path, b"");
    }
    for path in [
        ".hidden.tif",
        ".git/a.tif",
        "book/.x.tif",
        "notes.txt",
        "noext",
        "a.tif.tmp",
        "line\nbreak.tif",
    ] {
        tree.file(path, b"");
    }
    tree.file(OsStr::from_bytes(b"latin\xe9.tif"), b"");
    std::fs::create_dir(tree.root().join("folder.tif")).expect("a folder");
    let source = tree.source();
    assert_eq!(names(&source), masters);
    let listing = built(&source);
    assert!(listing.complete && !listing.truncated && listing.unlisted.is_empty());
    assert_eq!(listing.len(), masters.len());
    assert_eq!(
        listing.page("PAGE", 1, 5),
        (vec!["book/page 10.jp2".to_owned()], 2)
    );
    for name in masters {
        source.open(name).expect(name);
    }
}

#[test]
fn the_list_is_made_when_it_is_first_asked_for_and_never_waited_for() {
    let tree = Tree::new();
    tree.file("a.tif", b"");
    let source = tree.source();
    let first = source.listing();
    assert!(first.building && first.is_empty() && !first.complete);
    assert_eq!(names(&source), ["a.tif"]);
}

#[test]
fn prefix_and_suffix_are_turned_back() {
    let tree = Tree::new();
    for path in [
        "b_master.tif",
        "a/10_master.jp2",
        "a/2_master.jp2",
        "a/2_master.tif",
        "plain.tif",
        "_master.tif",
    ] {
        tree.file(path, b"");
    }
    let source = tree.source_with(|root| {
        root.prefix = "maps:".to_owned();
        root.suffix = "_master".to_owned();
    });
    let listed = names(&source);
    assert_eq!(listed, ["maps:a/2", "maps:a/10", "maps:b"]);
    for name in listed {
        source.open(&name).expect(&name);
    }
}

#[test]
fn the_lists_of_several_roots_are_one() {
    let (first, second) = (Tree::new(), Tree::new());
    for (tree, path) in [
        (&first, "a.tif"),
        (&first, "c.tif"),
        (&second, "b.tif"),
        (&second, "c.tif"),
    ] {
        tree.file(path, b"");
    }
    let mut by_template = root_config("template", &first.root());
    by_template.template = "x/{identifier}".to_owned();
    let absent = root_config("absent", &first.0.path().join("absent"));
    let config = Config {
        roots: vec![
            root_config("1", &first.root()),
            root_config("2", &second.root()),
            by_template,
            absent,
        ],
        ..Config::default()
    };
    let source = FileSource::new(&config).expect("valid");
    assert_eq!(names(&source), ["a.tif", "b.tif", "c.tif"]);
    let listing = built(&source);
    assert_eq!(listing.unlisted, ["template"]);
    assert!(!listing.complete, "a root is away");
}

#[test]
fn links_are_listed_as_set_and_circles_end() {
    let tree = Tree::new();
    tree.outside("beside/secret.tif", CANARY);
    tree.file("real/a.tif", b"");
    let link = |target: &str, name: &str| symlink(target, tree.root().join(name)).expect("a link");
    link("real/a.tif", "b.tif");
    link("..", "real/circle");
    link("real", "real/self");
    link("../beside", "out");
    link("../beside/secret.tif", "out.tif");
    link("nowhere", "dangling.tif");
    assert_eq!(names(&tree.source()), ["b.tif", "real/a.tif"]);
    let never = Config {
        symlinks: Symlinks::Never,
        ..tree.config()
    };
    assert_eq!(
        names(&FileSource::new(&never).expect("valid")),
        ["real/a.tif"]
    );
}

#[test]
fn a_list_ends_at_its_limit_and_says_so() {
    let tree = Tree::new();
    for number in 0..10 {
        tree.file(format!("a/{number}.tif"), b"");
        tree.file(format!("b/{number}.tif"), b"");
    }
    for (limit, listed, truncated) in [
        (0, 0, true),
        (12, 12, true),
        (19, 19, true),
        (20, 20, false),
        (21, 20, false),
    ] {
        let config = Config {
            max_listed: limit,
            ..tree.config()
        };
        let listing = built(&FileSource::new(&config).expect("valid"));
        assert_eq!(
            (listing.len(), listing.truncated),
            (listed, truncated),
            "{limit}"
        );
        assert_eq!(listing.complete, !truncated);
    }
}
