//! Metadata of masters in every format, in derivatives of every format, written and read by `ExifTool`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Map, Value};

use crate::library::scratch;
use crate::support::{Server, fixtures};

/// The master's own picture, 320 × 240 pixels.
const PICTURE: &str = "cat-progressive.jpg";

/// What of them a format can hold, as masters and as derivatives: profile, EXIF, XMP, IPTC, density.
const FORMATS: [(&str, [bool; 5]); 9] = [
    ("jpg", [true, true, true, true, true]),
    ("png", [true, true, true, true, true]),
    ("webp", [true, true, true, false, true]),
    ("tif", [true, true, true, true, true]),
    ("jp2", [true, true, true, true, true]),
    ("jxl", [false, true, true, false, true]),
    ("gif", [true, false, true, false, false]),
    ("avif", [true, true, true, false, true]),
    ("pdf", [true, false, true, false, false]),
];

/// Formats of masters that `ExifTool` writes metadata into; what it writes IPTC into besides.
const MASTERS: [&str; 7] = ["jpg", "png", "webp", "tif", "jp2", "jxl", "gif"];

const ALL: [(&str, &str); 5] = [
    ("ENCODE__METADATA__ICC", "true"),
    ("ENCODE__METADATA__EXIF", "true"),
    ("ENCODE__METADATA__XMP", "true"),
    ("ENCODE__METADATA__IPTC", "true"),
    ("ENCODE__METADATA__DPI", "true"),
];

fn exiftool(arguments: &[&str], files: &[PathBuf]) -> Vec<u8> {
    // JPEG XL gets a container, PNG a place for IPTC: neither is worth a word.
    let run = Command::new("exiftool")
        .arg("-m")
        .args(arguments)
        .args(files)
        .output();
    let run = run.unwrap_or_else(|cause| panic!("exiftool: {cause}"));
    let words = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{arguments:?}: {words}");
    run.stdout
}

/// Tags of files by `group:name`, by file name.
fn tags(files: &[PathBuf]) -> BTreeMap<String, Map<String, Value>> {
    let told = exiftool(&["-j", "-n", "-a", "-G1"], files);
    let told: Vec<Map<String, Value>> = serde_json::from_slice(&told).unwrap();
    let name = |tags: &Map<String, Value>| {
        let path = Path::new(tags["SourceFile"].as_str().unwrap());
        path.file_name().unwrap().to_str().unwrap().to_owned()
    };
    told.into_iter().map(|tags| (name(&tags), tags)).collect()
}

/// The picture in a format, without metadata.
fn plain(format: &str) -> Vec<u8> {
    let server = Server::start(&fixtures().join("images"));
    let answer = server.get(&format!("/iiif/3/{PICTURE}/full/max/0/default.{format}"));
    assert_eq!(answer.status, 200, "{format}: {}", answer.text_lossy());
    answer.body
}

/// Writes the picture as masters of every format.
fn fill(folder: &Path) -> Vec<PathBuf> {
    MASTERS
        .iter()
        .map(|format| {
            let path = folder.join(format!("a.{format}"));
            fs::write(&path, plain(format)).unwrap();
            path
        })
        .collect()
}

/// A 160 pixels' picture for the place of thumbnails.
fn thumbnail(folder: &Path) -> String {
    let path = folder.join("thumbnail");
    fs::write(&path, plain("jpg")).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn what_a_format_can_hold_goes_from_every_master_into_every_derivative() {
    let (masters, made) = (scratch("metadata-in"), scratch("metadata-out"));
    let files = fill(&masters);
    let small = format!("-ThumbnailImage<={}", thumbnail(&made));
    exiftool(
        &[
            "-overwrite_original",
            "-EXIF:Make=Scanner",
            "-EXIF:LensModel=Lens",
            "-EXIF:Orientation#=6",
            "-EXIF:XResolution=400",
            "-EXIF:YResolution=400",
            "-EXIF:ResolutionUnit#=2",
            "-EXIF:GPSLatitude=52.5",
            "-EXIF:GPSLatitudeRef=N",
            "-XMP-dc:Source=shelf",
            "-XMP-tiff:Orientation#=6",
            "-XMP-exif:GPSLatitude=52.5",
            "-IPTC:Headline=Headline",
            &small,
        ],
        &files,
    );
    let told = tags(&files);
    let server = Server::with(&masters, &ALL);
    let mut answers = Vec::new();
    for master in MASTERS {
        for (format, _) in FORMATS {
            let path = made.join(format!("{master}.{format}"));
            let answer = server.get(&format!("/iiif/3/a.{master}/full/max/0/default.{format}"));
            assert_eq!(
                answer.status,
                200,
                "{master} {format}: {}",
                answer.text_lossy()
            );
            fs::write(&path, &answer.body).unwrap();
            answers.push(path);
        }
    }
    let found = tags(&answers);
    for master in MASTERS {
        let own = &told[&format!("a.{master}")];
        // `ExifTool` has its say about what a master holds.
        let held = |key: &str| own.contains_key(key);
        let (exif, iptc) = (held("IFD0:Make"), held("IPTC:Headline"));
        assert!(held("XMP-dc:Source"), "{master}");
        assert_eq!(exif, master != "gif", "{master}");
        for (format, [icc, may_exif, xmp, may_iptc, density]) in FORMATS {
            let name = format!("{master}.{format}");
            let tags = &found[&name];
            let has = |key: &str| tags.contains_key(key);
            let profile = has("ICC_Profile:ProfileDescription")
                || (format == "pdf" && is_coloured(&made.join(&name)));
            assert_eq!(profile, icc, "{name}: profile");
            for key in ["IFD0:Make", "ExifIFD:LensModel"] {
                assert_eq!(has(key), exif && may_exif, "{name}: {key}");
            }
            assert_eq!(has("XMP-dc:Source"), xmp, "{name}: XMP");
            assert_eq!(has("IPTC:Headline"), iptc && may_iptc, "{name}: IPTC");
            assert_eq!(is_dense(tags), exif && density, "{name}: density");
            for (key, value) in tags {
                assert!(!key.contains("GPS"), "{name}: {key}");
                assert!(!key.contains("Thumbnail"), "{name}: {key}");
                if key.ends_with(":Orientation") {
                    assert_eq!(value, 1, "{name}: {key}");
                }
            }
            assert!(!has("ExifTool:Warning"), "{name}: {tags:?}");
        }
    }
}

/// Whether the page's picture has a profile.
fn is_coloured(pdf: &Path) -> bool {
    let file = fs::read(pdf).unwrap();
    file.windows(9).any(|part| part == b"/ICCBased")
}

/// Whether any place says 400 pixels an inch, across and down.
fn is_dense(tags: &Map<String, Value>) -> bool {
    let number = |group: &str, name: &str| tags.get(&format!("{group}:{name}"))?.as_f64();
    let is = |value: Option<f64>, wanted: f64| {
        value.is_some_and(|value| (value / wanted - 1.0).abs() < 0.001)
    };
    let metre = 400.0 / 0.0254;
    // A fraction and a power of ten.
    let jp2 = |name: &str| {
        let power = number("Jpeg2000", &format!("{name}Unit"))?;
        Some(number("Jpeg2000", name)? * 10_f64.powf(power))
    };
    if is(jp2("CaptureXResolution"), metre) && is(jp2("CaptureYResolution"), metre) {
        return true;
    }
    [
        ("JFIF", "XResolution", "YResolution", 400.0),
        ("IFD0", "XResolution", "YResolution", 400.0),
        ("PNG-pHYs", "PixelsPerUnitX", "PixelsPerUnitY", metre),
    ]
    .into_iter()
    .any(|(group, x, y, wanted)| is(number(group, x), wanted) && is(number(group, y), wanted))
}

#[test]
fn orientation_is_applied_once_wherever_it_is_said() {
    let folder = scratch("metadata-turned");
    let files = fill(&folder);
    let named = |name: &str| -> Vec<PathBuf> {
        files
            .iter()
            .map(|file| {
                let to = folder.join(format!("{name}.{}", file.extension().unwrap().display()));
                fs::copy(file, &to).unwrap();
                to
            })
            .collect()
    };
    let write = ["-overwrite_original", "-EXIF:Orientation#=6"];
    exiftool(&write, &without_gif(named("exif")));
    let write = ["-overwrite_original", "-XMP-tiff:Orientation#=6"];
    exiftool(&write, &named("xmp"));
    let both = without_gif(named("both"));
    let write = [
        "-overwrite_original",
        "-EXIF:Orientation#=1",
        "-XMP-tiff:Orientation#=6",
    ];
    exiftool(&write, &both);
    let server = Server::start(&folder);
    let size = |name: &str| {
        let info = server.get(&format!("/iiif/3/{name}/info.json")).json();
        (
            info["width"].as_u64().unwrap(),
            info["height"].as_u64().unwrap(),
        )
    };
    let (wide, tall) = (size("a.jpg"), size("exif.jpg"));
    assert_eq!(wide, (tall.1, tall.0));
    for format in MASTERS {
        // A code stream of JPEG XL says it itself, and nothing else counts (ISO/IEC 18181-2).
        let turns = format != "jxl";
        let turned = if turns { tall } else { wide };
        if format != "gif" {
            assert_eq!(size(&format!("exif.{format}")), turned, "EXIF, {format}");
            assert_eq!(
                size(&format!("both.{format}")),
                wide,
                "EXIF counts, {format}"
            );
        }
        assert_eq!(size(&format!("xmp.{format}")), turned, "XMP, {format}");
    }
}

/// GIF has no EXIF.
fn without_gif(mut files: Vec<PathBuf>) -> Vec<PathBuf> {
    files.retain(|file| file.extension().is_none_or(|extension| extension != "gif"));
    files
}
