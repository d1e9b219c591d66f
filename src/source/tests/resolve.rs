//! Which file an identifier names.

use super::*;

#[test]
fn a_name_with_and_without_its_ending_finds_its_file() {
    let tree = Tree::new();
    tree.file("book/page 1.tif", b"tif");
    tree.file("photo.jpg", b"jpg");
    tree.file("bare", b"bare");
    let source = tree.source();
    for (identifier, bytes, rule) in [
        ("book/page 1.tif", "tif", "default: by name"),
        ("book/page 1", "tif", "default: by name, with .tif added"),
        ("photo", "jpg", "default: by name, with .jpg added"),
        ("bare", "bare", "default: by name"),
    ] {
        let opened = source.open(identifier).expect(identifier);
        assert_eq!(
            opened
                .reader
                .read_vec(0, opened.version.length)
                .expect("bytes"),
            bytes.as_bytes()
        );
        assert_eq!(opened.located.rule(), rule);
        assert_eq!(opened.located.to_string(), rule);
        assert_eq!(
            (opened.located.identifier(), opened.located.root()),
            (identifier, "default")
        );
    }
    assert_eq!(kind_of(&source, "page 1"), ErrorKind::NotFound);
    assert_eq!(kind_of(&source, "photo.tif"), ErrorKind::NotFound);
}

#[test]
fn endings_are_tried_in_their_order() {
    let tree = Tree::new();
    tree.file("a.jp2", b"jp2");
    tree.file("a.tif", b"tif");
    let source =
        tree.source_with(|root| root.extensions = vec!["jp2".to_owned(), "tif".to_owned()]);
    assert_eq!(bytes_of(&source, "a").expect("there"), b"jp2");
    assert_eq!(bytes_of(&source, "a.tif").expect("there"), b"tif");
    tree.file("a", b"bare");
    assert_eq!(bytes_of(&source, "a").expect("there"), b"bare");
    let bare = tree.source_with(|root| root.extensions.clear());
    assert_eq!(bytes_of(&bare, "a.jp2").expect("there"), b"jp2");
    std::fs::remove_file(tree.root().join("a")).expect("removed");
    assert_eq!(kind_of(&bare, "a"), ErrorKind::NotFound);
}

#[test]
fn a_folder_of_the_same_name_hides_no_file() {
    let tree = Tree::new();
    tree.file("book/1.tif", b"page");
    tree.file("book.tif", b"cover");
    assert_eq!(bytes_of(&tree.source(), "book").expect("there"), b"cover");
}

#[test]
fn the_first_root_that_has_the_file_answers() {
    let (first, second) = (Tree::new(), Tree::new());
    first.file("both.tif", b"first");
    second.file("both.tif", b"second");
    second.file("late.tif", b"late");
    second.file("x.tif", b"prefixed");
    let mut prefixed = root_config("prefixed", &second.root());
    prefixed.prefix = "maps:".to_owned();
    let config = Config {
        roots: vec![
            prefixed,
            root_config("a", &first.root()),
            root_config("b", &second.root()),
        ],
        ..Config::default()
    };
    let source = FileSource::new(&config).expect("valid");
    assert_eq!(bytes_of(&source, "both").expect("there"), b"first");
    assert_eq!(bytes_of(&source, "late").expect("there"), b"late");
    assert_eq!(source.open("late").expect("there").located.root(), "b");
    assert_eq!(bytes_of(&source, "maps:x").expect("there"), b"prefixed");
    assert_eq!(kind_of(&source, "maps:nothing"), ErrorKind::NotFound);
}

#[test]
fn an_ark_finds_its_file_in_a_pairtree() {
    let tree = Tree::new();
    let folder = "pairtree/ar/k+/=1/21/48/=b/tv/1b/84/49/69/1v";
    tree.file(format!("{folder}/btv1b8449691v.jp2"), b"ark");
    let source = tree.source_with(|root| {
        root.pattern = "ark:/[0-9]+/(?P<name>[a-z0-9]+)".to_owned();
        root.template = "pairtree/{pairtree(identifier)}/{name}".to_owned();
    });
    assert_eq!(
        bytes_of(&source, "ark:/12148/btv1b8449691v").expect("there"),
        b"ark"
    );
    let rule = source.open("ark:/12148/btv1b8449691v").expect("there");
    assert_eq!(rule.located.rule(), "r: by template, with .jp2 added");
    assert_eq!(kind_of(&source, "ark:/12148/other"), ErrorKind::NotFound);
    assert_eq!(
        kind_of(&source, format!("{folder}/btv1b8449691v.jp2").as_str()),
        ErrorKind::NotFound
    );
}

#[test]
fn a_catalogue_number_finds_its_file_by_pattern_and_by_hash() {
    let tree = Tree::new();
    tree.file("1923/ms/0042_master.tif", b"pattern");
    let source = tree.source_with(|root| {
        root.pattern = "MS[. ](?P<year>[0-9]{4})[. ](?P<number>[0-9]+)".to_owned();
        root.template = "{year}/ms/{number}".to_owned();
        root.suffix = "_master".to_owned();
    });
    assert_eq!(
        bytes_of(&source, "MS.1923.0042").expect("there"),
        b"pattern"
    );
    assert_eq!(
        kind_of(&source, "1923/ms/0042_master.tif"),
        ErrorKind::NotFound
    );

    // printf abc | sha256sum: ba7816bf…
    tree.file("ba/78/abc.png", b"hash");
    let source =
        tree.source_with(|root| root.template = "{hash(identifier,2,2)}/{identifier}".to_owned());
    assert_eq!(bytes_of(&source, "abc").expect("there"), b"hash");
}

#[test]
fn what_a_template_makes_of_an_identifier_stays_below_the_root() {
    let tree = Tree::new();
    tree.outside("secret.tif", CANARY);
    let source = tree.source_with(|root| {
        root.pattern = "(?P<a>[^!]*)!(?P<b>.*)".to_owned();
        root.template = "{a}/{replace(b,_,.)}".to_owned();
    });
    for identifier in [
        "..!secret",
        "!secret",
        "x/..!../secret",
        "__!__/secret",
        "..!..",
        "a!__/__/secret_tif",
    ] {
        assert_eq!(
            kind_of(&source, identifier),
            ErrorKind::NotFound,
            "{identifier}"
        );
    }
}

/// Names that archives have: composed and decomposed, right to left, wide, and with all that URLs mind.
const NAMES: &[&str] = &[
    "caf\u{e9}",
    "cafe\u{301}-nfd",
    "\u{5716}\u{66f8}\u{9928}/\u{5730}\u{56f3} 1",
    "\u{d55c}\u{ad6d}",
    "\u{1112}\u{1161}\u{11ab}-jamo",
    "\u{645}\u{62e}\u{637}\u{648}\u{637}\u{629}",
    "\u{5db}\u{5ea}\u{5d1} \u{5d9}\u{5d3}",
    "a b  c",
    " leading and trailing ",
    "1+1=2",
    "100%",
    "%2F%25%00",
    "a%20b",
    "a&b;c=d?e#f[g]@h!$'()*,",
    "back\\slash",
    "quote\"'`<>|^{}",
    "ark:/12148/x:y",
    "\u{1f5ff}\u{200d}\u{fe0f}",
    "-rf",
    "~",
    "tail.",
];

#[test]
fn names_of_all_scripts_round_trip() {
    let tree = Tree::new();
    for name in NAMES {
        tree.file(format!("{name}.tif"), name.as_bytes());
    }
    let source = tree.source();
    wait_for("the list", || source.listing().complete);
    let (listed, total) = source.listing().page("", 0, 1000);
    assert_eq!(total, NAMES.len());
    for name in NAMES {
        assert_eq!(bytes_of(&source, name).expect(name), name.as_bytes());
        assert!(
            listed.contains(&format!("{name}.tif")),
            "{name} is listed as it is"
        );
    }
    for identifier in listed {
        let bytes = bytes_of(&source, &identifier).expect(&identifier);
        assert_eq!(
            format!("{}.tif", String::from_utf8(bytes).expect("text")),
            identifier
        );
    }
}

#[test]
fn each_normal_form_finds_the_other() {
    let tree = Tree::new();
    tree.file("caf\u{e9}/e\u{301}t\u{e9}.tif", b"mixed inside a name");
    tree.file("nfc/\u{e9}.tif", b"composed");
    tree.file("nfd/e\u{301}.tif", b"decomposed");
    tree.file("a\u{300}/\u{e9}.tif", b"mixed by folder");
    let source = tree.source();
    for (identifier, bytes) in [
        ("nfc/e\u{301}", &b"composed"[..]),
        ("nfc/e\u{301}.tif", b"composed"),
        ("nfd/\u{e9}", b"decomposed"),
        ("\u{e0}/\u{e9}.tif", b"mixed by folder"),
        ("a\u{300}/e\u{301}", b"mixed by folder"),
        ("\u{e0}/e\u{301}", b"mixed by folder"),
        ("caf\u{e9}/e\u{301}t\u{e9}.tif", b"mixed inside a name"),
        ("cafe\u{301}/e\u{301}t\u{e9}.tif", b"mixed inside a name"),
    ] {
        assert_eq!(
            bytes_of(&source, identifier).expect(identifier),
            bytes,
            "{identifier}"
        );
    }
}

#[test]
fn the_exact_name_comes_before_another_form() {
    let tree = Tree::new();
    tree.file("\u{e9}.tif", b"composed");
    tree.file("e\u{301}.tif", b"decomposed");
    let source = tree.source();
    assert_eq!(bytes_of(&source, "\u{e9}.tif").expect("there"), b"composed");
    assert_eq!(
        bytes_of(&source, "e\u{301}.tif").expect("there"),
        b"decomposed"
    );
}

#[test]
fn masters_are_found_without_any_list() {
    let tree = Tree::new();
    tree.file("a.tif", b"a");
    let source = tree.source();
    assert_eq!(bytes_of(&source, "a").expect("there"), b"a");
    tree.file("later.tif", b"later");
    assert_eq!(bytes_of(&source, "later").expect("there"), b"later");
}

#[test]
fn a_source_without_roots_does_not_start() {
    let error = FileSource::new(&Config::default()).expect_err("no root");
    assert_eq!(error.key, "source.file.root");
    assert!(error.rule.contains("triforium serve DIR"));
}
