//! Where an overlay cannot be applied, no image leaves, and readiness says so; wrong rules stop the start.

use std::fs;
use std::process::Command;

use super::{file, folder, serve, until};
use crate::library::{draw, save};
use crate::support::fixtures;

fn masters() -> tempfile::TempDir {
    let masters = folder();
    for name in ["a.png", "free.png"] {
        save(
            &masters.path().join(name),
            &draw(400, 300, |_, _| [9, 200, 9]),
        );
    }
    masters
}

const PATHS: [&str; 7] = [
    "/iiif/3/ID/full/max/0/default.png",
    "/iiif/3/ID/full/max/0/default.jpg",
    "/iiif/2/ID/full/!90,90/0/default.jpg",
    "/iiif/1.1/ID/0,0,10,10/full/0/native.jpg",
    "/iiif/3/ID;1/full/max/0/default.png",
    "/iiif/3/ID;1:2/full/max/0/default.png",
    "/iiif/3/ID/info.json",
];

#[test]
fn a_mark_that_goes_away_closes_its_images_until_it_is_back() {
    let (masters, place) = (masters(), folder());
    let mark = place.path().join("mark.png");
    let good = draw(20, 10, |_, _| [1, 2, 3]);
    save(&mark, &good);
    let rules = format!(
        "[[overlay.watermarks]]\npattern = \"a\"\nimage = \"{}\"\n",
        mark.display()
    );
    let mut house = serve(masters.path(), &rules, &[], place);
    house.server.log_may_be_dirty = true;
    let path = |path: &str, identifier: &str| path.replace("ID", identifier);
    let tags: Vec<_> = PATHS
        .iter()
        .map(|wanted| {
            let answer = house.get(&path(wanted, "a"));
            assert_eq!(answer.status, 200, "{wanted}: {}", answer.text_lossy());
            answer.header("etag").to_owned()
        })
        .collect();
    assert!(house.faults().is_empty());
    let damages: [&dyn Fn(); 4] = [
        &|| fs::remove_file(&mark).unwrap(),
        &|| fs::write(&mark, b"no picture").unwrap(),
        &|| {
            fs::write(
                &mark,
                &fs::read(fixtures().join("images/iiif-test-image.png")).unwrap()[..9000],
            )
            .unwrap();
        },
        &|| {
            fs::remove_file(&mark).unwrap();
            fs::create_dir(&mark).unwrap();
        },
    ];
    for damage in damages {
        damage();
        until(|| !house.faults().is_empty(), "it is not noticed");
        assert_eq!(house.faults(), ["overlay.watermarks[0]"]);
        assert_eq!(house.get("/health/ready").status, 503);
        for (wanted, tag) in PATHS.iter().zip(&tags) {
            let headers = [("If-None-Match", tag.as_str())];
            for sent in [&headers[..], &[("If-None-Match", "*")], &[]] {
                let answer = house.server.request("GET", &path(wanted, "a"), sent);
                assert_eq!(answer.status, 500, "{wanted}");
                assert_eq!(answer.header("cache-control"), "no-store");
                let text = answer.text_lossy();
                assert!(text.contains("watermark"), "{text}");
                assert!(!text.contains("mark.png"), "{text}");
            }
            assert_eq!(house.get(&path(wanted, "free")).status, 200);
        }
        if mark.is_dir() {
            fs::remove_dir(&mark).unwrap();
        }
        save(&mark, &good);
        until(|| house.faults().is_empty(), "it is not back");
        for wanted in PATHS {
            assert_eq!(house.get(&path(wanted, "a")).status, 200, "{wanted}");
        }
    }
}

#[test]
fn a_redaction_outside_of_its_image_closes_it() {
    let rules = "[[overlay.redactions]]\npattern = \"a\"\nrectangles = [[400, 0, 10, 10]]\n";
    let masters = masters();
    let mut house = serve(masters.path(), rules, &[], folder());
    house.server.log_may_be_dirty = true;
    for wanted in PATHS {
        let answer = house.get(&wanted.replace("ID", "a"));
        assert_eq!(answer.status, 500, "{wanted}");
        assert!(answer.text_lossy().contains("redaction"));
        assert_eq!(house.get(&wanted.replace("ID", "free")).status, 200);
    }
}

#[test]
fn a_rule_that_breaks_its_rule_stops_the_start_by_its_key() {
    let masters = masters();
    let place = folder();
    let font = fixtures().join("overlay/blocks.ttf");
    let font = font.display();
    let redact = "[[overlay.redactions]]\n";
    let mark = "[[overlay.watermarks]]\npattern = \"a\"\n";
    for (rules, key) in [
        (
            format!("{redact}rectangles = [[0, 0, 1, 1]]\n"),
            "overlay.redactions[0].pattern",
        ),
        (
            format!("{redact}pattern = \"(\"\nrectangles = [[0, 0, 1, 1]]\n"),
            "overlay.redactions[0].pattern",
        ),
        (
            format!("{redact}pattern = \"a\"\n"),
            "overlay.redactions[0].rectangles",
        ),
        (
            format!("{redact}pattern = \"a\"\nrectangles = [[0, 0, 0, 1]]\n"),
            "overlay.redactions[0].rectangles",
        ),
        (
            format!("{redact}pattern = \"a\"\nrectangles = [[0, 0, -1, 1]]\n"),
            "overlay.redactions[0].rectangles",
        ),
        (
            format!("{redact}pattern = \"a\"\nrectangles = [[0, 0, 1]]\n"),
            "overlay.redactions[0].rectangles",
        ),
        (format!("{redact}patern = \"a\"\n"), "overlay.redactions[0]"),
        (
            format!("{mark}image = \"/nowhere/mark.png\"\n"),
            "overlay.watermarks[0].image",
        ),
        (
            format!("{mark}image = \"{font}\"\n"),
            "overlay.watermarks[0].image",
        ),
        (
            format!("{mark}text = \"A\"\n"),
            "overlay.watermarks[0].font",
        ),
        (
            format!("{mark}text = \"A\"\nfont = \"/nowhere.ttf\"\n"),
            "overlay.watermarks[0].font",
        ),
        (
            format!("{mark}text = \"Z\"\nfont = \"{font}\"\n"),
            "overlay.watermarks[0].font",
        ),
        (
            format!("{mark}text = \"A\"\nfont = \"{font}\"\nopacity = 0.0\n"),
            "overlay.watermarks[0].opacity",
        ),
        (
            format!("{mark}text = \"A\"\nfont = \"{font}\"\nposition = \"up\"\n"),
            "overlay.watermarks[0].position",
        ),
    ] {
        fs::write(file(&place), &rules).unwrap();
        for command in [&["serve"][..], &["config", "check"]] {
            let run = Command::new(env!("CARGO_BIN_EXE_triforium"))
                .args(command)
                .arg("--config")
                .arg(file(&place))
                .env("TRIFORIUM_SOURCE__FILE__ROOT", masters.path())
                .env("TRIFORIUM_SERVER__LISTEN", "127.0.0.1:0")
                .env("TRIFORIUM_ADMIN__LISTEN", "")
                .output()
                .unwrap();
            let error = String::from_utf8_lossy(&run.stderr);
            assert_eq!(run.status.code(), Some(2), "{command:?} {rules}: {error}");
            assert!(error.contains(key), "{rules}: {error}");
            assert!(error.contains("line 1"), "{rules}: {error}");
        }
    }
}

#[test]
fn rules_that_a_reload_refuses_leave_the_old_ones_in_force_and_the_server_unready() {
    let masters = masters();
    let rules = "[[overlay.redactions]]\npattern = \"a\"\nrectangles = [[0, 0, 400, 300]]\n";
    let house = serve(masters.path(), rules, &[], folder());
    let pixel = |identifier: &str| {
        let url = format!("/iiif/3/{identifier}/full/max/0/default.png");
        crate::pixels::decode(&house.get(&url)).rgb(200, 150)
    };
    assert_eq!((pixel("a"), pixel("free")), ([0; 3], [9, 200, 9]));
    house.reload(&rules.replace("\"a\"", "\"(free\""));
    assert_eq!(house.faults(), ["overlay"]);
    assert_eq!((pixel("a"), pixel("free")), ([0; 3], [9, 200, 9]));
    house.reload(&rules.replace("\"a\"", "\"free\""));
    assert!(house.faults().is_empty());
    assert_eq!((pixel("a"), pixel("free")), ([9, 200, 9], [0; 3]));
}

#[test]
fn overlays_that_any_mistake_keeps_out_of_force_are_told_too() {
    let masters = masters();
    let rule = |name: &str| {
        format!("[[overlay.redactions]]\npattern = \"{name}\"\nrectangles = [[0, 0, 9, 9]]\n")
    };
    let house = serve(masters.path(), &rule("a"), &[], folder());
    for mistake in [
        "[limits]\nmax_aera_px = 3\n",
        "[encode.jpeg]\nquality = 400\n",
    ] {
        // Another rule: it is not in force, and nobody should think so.
        house.reload(&format!("{mistake}{}", rule("free")));
        assert_eq!(house.faults(), ["overlay"], "{mistake}");
        assert_eq!(house.get("/health/ready").status, 503);
        // The rule in force: the mistake concerns nothing that is hidden.
        house.reload(&format!("{mistake}{}", rule("a")));
        assert!(house.faults().is_empty(), "{mistake}");
        // None at all is another.
        house.reload(mistake);
        assert_eq!(house.faults(), ["overlay"], "{mistake}");
        house.reload(&rule("a"));
        assert!(house.faults().is_empty());
    }
    // Which are meant is in doubt.
    for doubt in ["[limits", "[[overlays.redactions]]\npattern = \"a\"\n"] {
        house.reload(&format!("{}{doubt}", rule("a")));
        assert_eq!(house.faults(), ["overlay"], "{doubt}");
    }
    fs::remove_file(file(&house.place)).unwrap();
    house.server.signal("HUP");
    until(|| house.faults() == ["overlay"], "no file is in doubt too");
    let pixel = crate::pixels::decode(&house.get("/iiif/3/a/full/max/0/default.png")).rgb(4, 4);
    assert_eq!(pixel, [0; 3], "the old rule stays in force");
}
