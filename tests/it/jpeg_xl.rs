//! JPEG XL masters as libjxl shows them, through libvips and `LittleCMS`.

use std::process::Command;

use crate::library::scratch;
use crate::pixels::{decode, decode_as};
use crate::support::{Server, fixtures};

#[test]
fn masters_look_as_a_foreign_reader_shows_them() {
    let (folder, work) = (fixtures().join("jxl"), scratch("jpeg-xl"));
    let server = Server::start(&folder);
    let mut seen = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        // Not every version of libvips tells the frames of an animation apart, and it leaves colours
        // multiplied by their opacity.
        if name.starts_with("animation") || name.starts_with("alpha_premultiplied") {
            continue;
        }
        let (raw, shown) = (
            work.join(format!("{name}.v")),
            work.join(format!("{name}.png")),
        );
        let load = |steps: &[&[&std::ffi::OsStr]]| {
            for step in steps {
                let output = Command::new("vips").args(*step).output().unwrap();
                assert!(output.status.success(), "{name}: {output:?}");
            }
        };
        load(&[
            &[
                "icc_transform".as_ref(),
                path.as_ref(),
                raw.as_ref(),
                "srgb".as_ref(),
            ],
            &[
                "cast".as_ref(),
                raw.as_ref(),
                shown.as_ref(),
                "uchar".as_ref(),
            ],
        ]);
        let wanted = decode_as("image/png", &std::fs::read(shown).unwrap());
        let found = decode(&server.get(&format!("/iiif/3/{name}/full/max/0/default.png")));
        let (mean, most) = found.difference(&wanted);
        assert!(mean < 1.0, "{name}: {mean} {most}");
        seen += 1;
    }
    assert!(seen >= 4, "{seen} files");
}
