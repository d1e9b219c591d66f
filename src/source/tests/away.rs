//! Roots that are absent, replaced or emptied: 503 and red, never 404.

use super::*;

fn health(source: &FileSource) -> (bool, String) {
    let [root] = &source.health()[..] else {
        panic!("one root");
    };
    (root.ok, root.words.clone())
}

#[test]
fn an_absent_root_is_upstream_until_it_comes() {
    let tree = Tree::new();
    std::fs::remove_dir(tree.root()).expect("removed");
    let source = tree.source();
    assert_eq!(kind_of(&source, "a"), ErrorKind::Upstream);
    assert_eq!(health(&source), (false, "is not there".to_owned()));
    tree.file("a.tif", b"a");
    assert_eq!(bytes_of(&source, "a").expect("there"), b"a");
    assert_eq!(kind_of(&source, "b"), ErrorKind::NotFound);
    wait_for("a green root", || {
        health(&source) == (true, "answers".to_owned())
    });
}

#[test]
fn a_root_that_goes_is_upstream_and_what_is_open_goes_on() {
    let tree = Tree::new();
    tree.file("a.tif", b"a");
    let source = FileSource::new(&Config {
        check_seconds: 3600.0,
        ..tree.config()
    })
    .expect("valid");
    let opened = source.open("a").expect("there");
    std::fs::rename(tree.root(), tree.0.path().join("elsewhere")).expect("moved");
    assert_eq!(kind_of(&source, "never-there"), ErrorKind::Upstream);
    assert_eq!(kind_of(&source, "a"), ErrorKind::Upstream);
    assert_eq!(
        source.validate(&opened.located).expect_err("away").kind(),
        ErrorKind::Upstream
    );
    assert_eq!(opened.reader.read_vec(0, 1).expect("open"), b"a");
    wait_for("a red root", || !health(&source).0);
}

#[test]
fn a_root_that_is_replaced_is_the_new_one() {
    let tree = Tree::new();
    tree.file("a.tif", b"old");
    tree.file("gone.tif", b"old");
    let source = tree.source();
    assert_eq!(bytes_of(&source, "a").expect("there"), b"old");
    std::fs::rename(tree.root(), tree.0.path().join("elsewhere")).expect("moved");
    tree.file("a.tif", b"new");
    assert_eq!(bytes_of(&source, "a").expect("there"), b"new");
    assert_eq!(kind_of(&source, "gone"), ErrorKind::NotFound);
}

#[test]
fn a_404_is_certain_even_while_the_folder_is_still_believed() {
    let tree = Tree::new();
    tree.file("a.tif", b"old");
    let source = FileSource::new(&Config {
        check_seconds: 3600.0,
        ..tree.config()
    })
    .expect("valid");
    assert_eq!(bytes_of(&source, "a").expect("there"), b"old");
    std::fs::rename(tree.root(), tree.0.path().join("elsewhere")).expect("moved");
    tree.file("new.tif", b"new");
    assert_eq!(bytes_of(&source, "new").expect("there"), b"new");
}

#[test]
fn an_empty_folder_in_place_of_a_full_one_is_a_mount_that_is_away() {
    let tree = Tree::new();
    tree.file("a.tif", b"a");
    let source = tree.source();
    assert_eq!(bytes_of(&source, "a").expect("there"), b"a");
    let elsewhere = tree.0.path().join("elsewhere");
    std::fs::rename(tree.root(), &elsewhere).expect("moved");
    std::fs::create_dir(tree.root()).expect("a bare mount point");
    assert_eq!(kind_of(&source, "a"), ErrorKind::Upstream);
    wait_for("a red root", || {
        health(&source).1.contains("is its mount away?")
    });
    std::fs::remove_dir(tree.root()).expect("removed");
    std::fs::rename(&elsewhere, tree.root()).expect("moved");
    assert_eq!(bytes_of(&source, "a").expect("there"), b"a");
}

#[test]
fn an_empty_root_is_in_order_when_it_never_held_files() {
    let tree = Tree::new();
    let source = tree.source();
    assert_eq!(kind_of(&source, "a"), ErrorKind::NotFound);
    assert!(health(&source).0);
}

#[test]
fn a_root_that_is_a_file_stops_the_start() {
    let tree = Tree::new();
    let file = tree.file("a.tif", b"a");
    let config = Config {
        root: file,
        ..Config::default()
    };
    let error = FileSource::new(&config).expect_err("a file");
    assert_eq!(error.key, "source.file.root");
}

#[test]
fn a_root_that_is_away_is_not_passed_over() {
    let tree = Tree::new();
    tree.file("a.tif", b"the second root's");
    let mut elsewhere = root_config("free", &tree.root());
    elsewhere.prefix = "free/".to_owned();
    let absent = root_config("absent", &tree.0.path().join("absent"));
    let config = Config {
        roots: vec![elsewhere, absent, root_config("second", &tree.root())],
        ..Config::default()
    };
    let source = FileSource::new(&config).expect("valid");
    assert_eq!(
        kind_of(&source, "a"),
        ErrorKind::Upstream,
        "the first root could have it"
    );
    assert_eq!(
        bytes_of(&source, "free/a").expect("there"),
        b"the second root's"
    );
    let states: Vec<_> = source
        .health()
        .into_iter()
        .map(|root| (root.name, root.ok))
        .collect();
    assert_eq!(
        states,
        [
            ("free".to_owned(), true),
            ("absent".to_owned(), false),
            ("second".to_owned(), true)
        ]
    );
}

#[test]
fn a_root_that_is_away_hides_no_file_of_a_root_that_is_meant_by_name() {
    let tree = Tree::new();
    tree.file("a.tif", b"named");
    let mut named = root_config("named", &tree.root());
    named.prefix = "x:".to_owned();
    let mut away = root_config("away", &tree.0.path().join("away"));
    let roots = |away: &RootConfig| Config {
        roots: vec![away.clone(), named.clone()],
        ..Config::default()
    };
    let source = FileSource::new(&roots(&away)).expect("valid");
    assert_eq!(bytes_of(&source, "x:a").expect("meant"), b"named");
    for identifier in ["x:nowhere", "a"] {
        assert_eq!(kind_of(&source, identifier), ErrorKind::Upstream);
    }

    away.prefix = "x".to_owned();
    let source = FileSource::new(&roots(&away)).expect("valid");
    assert_eq!(
        kind_of(&source, "x:a"),
        ErrorKind::Upstream,
        "both roots are meant"
    );
    assert_eq!(kind_of(&source, "a"), ErrorKind::NotFound);
}

#[test]
fn a_root_that_goes_casts_no_doubt_on_a_file_that_another_had() {
    let (first, second) = (Tree::new(), Tree::new());
    first.file("a.tif", b"first");
    second.file("b.tif", b"second");
    let config = Config {
        roots: vec![
            root_config("first", &first.root()),
            root_config("second", &second.root()),
        ],
        check_seconds: 0.0,
        ..Config::default()
    };
    let source = FileSource::new(&config).expect("valid");
    let (a, b) = (
        source.open("a").expect("there"),
        source.open("b").expect("there"),
    );
    second.file("a.tif", b"another");
    std::fs::rename(first.root(), first.0.path().join("elsewhere")).expect("moved");
    assert_eq!(source.validate(&b.located).expect("there"), b.version);
    let doubt = source.validate(&a.located).expect_err("away");
    assert_eq!(doubt.kind(), ErrorKind::Upstream, "not the second root's");
    assert_eq!(kind_of(&source, "b"), ErrorKind::Upstream);
}

#[test]
fn no_words_name_a_path() {
    let tree = Tree::new();
    let folder = tree.0.path().to_str().expect("text").to_owned();
    tree.file("a.tif", b"a");
    let source = tree.source();
    let opened = source.open("a").expect("there");
    let mut words = vec![
        opened.located.to_string(),
        format!("{:?}", opened.located),
        format!("{:?}", opened.reader),
    ];
    words.push(bytes_of(&source, "absent").expect_err("absent").to_string());
    std::fs::rename(tree.root(), tree.0.path().join("elsewhere")).expect("moved");
    words.push(bytes_of(&source, "a").expect_err("away").to_string());
    wait_for("a red root", || !health(&source).0);
    words.push(health(&source).1);
    for text in words {
        assert!(!text.contains(&folder), "{text}");
    }
}
