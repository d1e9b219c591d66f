//! AVIF and HEIC masters over HTTP, laid as libheif lays them, through libvips.

use std::process::Command;

use crate::library::scratch;
use crate::pixels::{decode, decode_as};
use crate::support::{Server, fixtures};

#[test]
fn turns_mirrors_and_crops_are_those_of_a_foreign_reader() {
    let (folder, work) = (fixtures().join("avif"), scratch("heif"));
    let server = Server::start(&folder);
    for name in [
        "8-444",
        "turned",
        "upside-down",
        "mirrored",
        "cropped",
        "opacity",
        "grid",
    ] {
        let shown = work.join(format!("{name}.png"));
        let output = Command::new("vips")
            .arg("copy")
            .args([&folder.join(format!("{name}.avif")), &shown])
            .output()
            .unwrap();
        assert!(output.status.success(), "{name}: {output:?}");
        let wanted = decode_as("image/png", &std::fs::read(shown).unwrap());
        let found = decode(&server.get(&format!("/iiif/3/{name}.avif/full/max/0/default.png")));
        // libheif repeats samples of chroma over their pixels.
        let limit = if ["cropped", "opacity", "grid"].contains(&name) {
            5.0
        } else {
            1.0
        };
        let (mean, most) = found.difference(&wanted);
        assert!(mean < limit, "{name}: {mean} {most}");
    }
}

#[test]
fn what_is_not_read_is_501_with_the_reason() {
    let work = scratch("heif-refused");
    for (name, from, to, reason) in [
        ("overlay", b"av01Color", b"iovlColor", "laid over others"),
        ("foreign", b"av01Color", b"vvc1Color", "coded as vvc1"),
    ] {
        let mut file = std::fs::read(fixtures().join("avif/8-444.avif")).unwrap();
        let place = file.windows(9).position(|part| part == from).unwrap();
        file[place..place + 9].copy_from_slice(to);
        let path = work.join(format!("{name}.avif"));
        std::fs::write(&path, file).unwrap();
        let mut server = Server::start(&work);
        server.log_may_be_dirty = true;
        for tail in ["info.json", "full/max/0/default.jpg"] {
            let answer = server.get(&format!("/iiif/3/{name}.avif/{tail}"));
            assert_eq!(answer.status, 501, "{name} {tail}");
            assert!(answer.text().contains(reason), "{}", answer.text());
        }
        let output = Command::new(env!("CARGO_BIN_EXE_triforium"))
            .arg("info")
            .arg(&path)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned()
            + &String::from_utf8_lossy(&output.stdout);
        assert!(said.contains(reason), "{name}: {said}");
    }
}
