//! A rule is for a file by whatever identifier it is asked for.

use std::fs;
use std::os::unix::fs::symlink;

use super::{folder, serve};
use crate::library::{draw, save};
use crate::pixels::decode;

const RULE: &str = "[[overlay.redactions]]\npattern = \"PATTERN\"\nrectangles = [[0, 0, 99, 99]]\n";

#[test]
fn every_name_of_a_file_is_covered() {
    let masters = folder();
    let picture = draw(40, 30, |_, _| [200, 100, 50]);
    fs::create_dir(masters.path().join("deep")).unwrap();
    for name in ["a.png", "other.png", "deep/é.png"] {
        save(&masters.path().join(name), &picture);
    }
    symlink("a.png", masters.path().join("link.png")).unwrap();
    symlink("deep", masters.path().join("way")).unwrap();
    let house = serve(masters.path(), "", &[], folder());
    let is_hidden = |identifier: &str| {
        let answer = house.get(&format!("/iiif/3/{identifier}/full/max/0/default.png"));
        let pixels = decode(&answer);
        let pixel = pixels.rgb(pixels.width / 2, pixels.height / 2);
        assert!(pixel == [200, 100, 50] || pixel == [0, 0, 0], "{pixel:?}");
        pixel == [0, 0, 0]
    };
    let names = [
        "a",
        "a.png",
        "a;1",
        "a.png;1",
        "a;1:2",
        "a.png;1;1:2",
        "link",
        "link.png;1:2",
    ];
    for pattern in ["a", "A", r"a\\.png", "a;1", r"a\\.png;1"] {
        house.reload(&RULE.replace("PATTERN", pattern));
        for name in names {
            assert!(is_hidden(name), "{pattern}: {name}");
        }
        assert!(
            !is_hidden("other") && !is_hidden("other.png;1"),
            "{pattern}"
        );
    }
    house.reload(&RULE.replace("PATTERN", "deep/é"));
    for name in [
        "deep%2F%C3%A9",
        "deep%2Fe%CC%81.png",
        "way%2F%C3%A9.png",
        "way%2Fe%CC%81;1:2",
    ] {
        assert!(is_hidden(name), "{name}");
    }
    assert!(!is_hidden("a"));
}

#[test]
fn what_applies_is_explained() {
    let masters = folder();
    save(
        &masters.path().join("a.png"),
        &draw(40, 30, |_, _| [1, 2, 3]),
    );
    let house = serve(masters.path(), &RULE.replace("PATTERN", "a"), &[], folder());
    let path = "/explain?path=/iiif/3/a/full/max/0/default.png";
    let told = crate::support::request(&house.server.admin, "GET", path, &[]).json();
    assert_eq!(
        told["overlays"],
        serde_json::json!(["redactions[0]: 1 rectangle"])
    );
    assert_ne!(told["rung"], "pass_through");
    let run = std::process::Command::new(env!("CARGO_BIN_EXE_triforium"))
        .args(["info", "--json", "a", "--config"])
        .arg(super::file(&house.place))
        .env("TRIFORIUM_SOURCE__FILE__ROOT", masters.path())
        .output()
        .unwrap();
    assert!(
        run.status.success(),
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
    let told: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(
        told["overlays"],
        serde_json::json!(["redactions[0]: 1 rectangle"])
    );
}
