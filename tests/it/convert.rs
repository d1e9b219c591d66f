//! `triforium convert`: what it writes is opened by libvips and libtiff, answers as its master did, and
//! never costs a file that was there.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use triforium::codec;
use triforium::raster::Channels;
use triforium::reader::RangeReader;

use crate::library::library;
use crate::support::{Server, fixtures};

fn folder() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

fn command(arguments: &[&str], input: &Path, output: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_triforium"));
    command.arg("convert").args(arguments).args([input, output]);
    command
}

fn convert(arguments: &[&str], input: &Path, output: &Path) -> Output {
    command(arguments, input, output).output().unwrap()
}

/// Converts, and has to succeed.
fn converted(arguments: &[&str], input: &Path, output: &Path) {
    let run = convert(arguments, input, output);
    let error = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{}: {error}", input.display());
    assert_eq!(error, "");
}

/// What a foreign program prints; it must have nothing to complain about.
fn tool(program: &str, arguments: &[&str]) -> Vec<u8> {
    let run = Command::new(program)
        .args(arguments)
        .output()
        .unwrap_or_else(|cause| panic!("{program}: {cause}"));
    let error = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{program} {arguments:?}: {error}");
    assert_eq!(error, "", "{program} {arguments:?}");
    run.stdout
}

/// The samples that libvips reads, little-endian, and the width in pixels.
fn vips(file: &Path, option: &str) -> (Vec<u8>, usize) {
    let place = folder();
    let raw = place.path().join("raw");
    let source = format!("{}{option}", file.display());
    tool("vips", &["rawsave", &source, raw.to_str().unwrap()]);
    let width = tool("vipsheader", &["-f", "width", &source]);
    let width = String::from_utf8(width).unwrap().trim().parse().unwrap();
    (fs::read(raw).unwrap(), width)
}

/// The next level, one sample at a time: means of 2×2 boxes, an odd last column or row twice.
fn halved(samples: &[u8], width: usize, channels: usize) -> (Vec<u8>, usize) {
    let height = samples.len() / width / channels;
    let at = |x: usize, y: usize, c: usize| {
        u32::from(samples[(y.min(height - 1) * width + x.min(width - 1)) * channels + c])
    };
    let mut out = Vec::new();
    for y in 0..height.div_ceil(2) {
        for x in 0..width.div_ceil(2) {
            for c in 0..channels {
                let (x, y) = (2 * x, 2 * y);
                let sum = at(x, y, c) + at(x + 1, y, c) + at(x, y + 1, c) + at(x + 1, y + 1, c);
                out.push(u8::try_from((sum + 2) / 4).unwrap());
            }
        }
    }
    (out, width.div_ceil(2))
}

#[test]
fn libvips_reads_every_level_of_every_exact_kind_as_boxes_of_the_one_before() {
    let place = folder();
    let master = library().join("uneven.png");
    for (number, arguments) in [
        &["--compression", "deflate"][..],
        &["--compression", "deflate", "--bigtiff", "--tile", "512"],
        &["--compression", "deflate", "--subifds"],
        &["--compression", "zstd"],
        &["--compression", "webp", "--lossless"],
    ]
    .iter()
    .enumerate()
    {
        let file = place.path().join(format!("{number}.tif"));
        converted(arguments, &master, &file);
        let levels = if arguments.contains(&"512") { 3 } else { 4 };
        let (mut samples, mut width) = vips(&master, "");
        for level in 0..levels {
            let option = match (level, arguments.contains(&"--subifds")) {
                (0, _) => String::new(),
                (_, true) => format!("[subifd={}]", level - 1),
                (_, false) => format!("[page={level}]"),
            };
            let (read, read_width) = vips(&file, &option);
            assert_eq!(read_width, width, "{arguments:?} {option}");
            assert!(read == samples, "{arguments:?} {option}");
            (samples, width) = halved(&samples, width, 3);
        }
        let magic = fs::read(&file).unwrap()[2];
        let big = arguments.contains(&"--bigtiff");
        assert_eq!(magic, if big { 43 } else { 42 });
    }
}

#[test]
fn libtiff_finds_nothing_to_complain_about() {
    let place = folder();
    let file = place.path().join("a.tif");
    for (arguments, master, words) in [
        (
            &["--compression", "jpeg"][..],
            "images/cat-progressive.jpg",
            "YCbCr Subsampling: 2, 2",
        ),
        (
            &["--compression", "jpeg"],
            "jpeg/made-gray.jpg",
            "min-is-black",
        ),
        (&[], "png/made-gray-alpha-16.png", "unassoc-alpha"),
        (
            &["--subifds", "--bigtiff"],
            "jpeg/orientation-270.jpg",
            "Reference Black/White",
        ),
        (
            &[],
            "jpeg/orientation-270.jpg",
            "Tile Width: 256 Tile Length: 256",
        ),
    ] {
        converted(arguments, &fixtures().join(master), &file);
        let text = tool("tiffinfo", &[file.to_str().unwrap()]);
        let text = String::from_utf8_lossy(&text).into_owned();
        assert!(text.contains(words), "{master}: {text}");
        tool("tiffdump", &[file.to_str().unwrap()]);
        fs::remove_file(&file).unwrap();
    }
}

#[test]
fn jpeg_tiles_look_like_their_master_at_every_level() {
    let place = folder();
    let file = place.path().join("a.tif");
    let master = fixtures().join("images/cat-progressive.jpg");
    converted(
        &["--quality", "95", "--subsampling", "4:4:4"],
        &master,
        &file,
    );
    let (mut samples, mut width) = vips(&master, "");
    for level in 0..2 {
        let (read, read_width) = vips(&file, &format!("[page={level}]"));
        assert_eq!((read.len(), read_width), (samples.len(), width));
        let differences = read
            .iter()
            .zip(&samples)
            .map(|(a, b)| u64::from(a.abs_diff(*b)));
        let mean = differences.sum::<u64>() as f64 / samples.len() as f64;
        assert!(mean < 1.5, "level {level}: {mean}");
        (samples, width) = halved(&samples, width, 3);
    }
}

/// Masters whose profile, orientation, depth, opacity or palette an answer shows.
const TELLING: [&str; 8] = [
    "tiff/profile.tif",
    "tiff/orientation-6.tif",
    "tiff/gray16.tif",
    "tiff/alpha-associated.tif",
    "tiff/gray-1-bit-white-is-zero.tif",
    "png/made-exif-profile.png",
    "png/made-palette-4.png",
    "images/orientation/waterfall-5-mirrored-and-turned.jpg",
];

#[test]
fn an_exact_pyramid_answers_as_its_master() {
    let place = folder();
    let (masters, pyramids) = (place.path().join("masters"), place.path().join("pyramids"));
    fs::create_dir(&masters).unwrap();
    for (number, name) in TELLING.iter().enumerate() {
        let extension = Path::new(name).extension().unwrap().to_str().unwrap();
        let copy = masters.join(format!("{number}.{extension}"));
        fs::copy(fixtures().join(name), copy).unwrap();
    }
    fs::copy(library().join("uneven.png"), masters.join("uneven.png")).unwrap();
    converted(&["--compression", "deflate"], &masters, &pyramids);
    for entry in fs::read_dir(&pyramids).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("p{}", path.file_name().unwrap().to_str().unwrap());
        fs::rename(&path, masters.join(name)).unwrap();
    }
    let server = Server::start(&masters);
    let mut compared = 0;
    for (number, name) in TELLING.iter().enumerate() {
        let extension = Path::new(name).extension().unwrap().to_str().unwrap();
        // A TIFF is always made; a PNG may be the master itself.
        let of = |id: &str| server.get(&format!("/iiif/3/{id}/full/max/0/default.tif"));
        let (master, pyramid) = (
            of(&format!("{number}.{extension}")),
            of(&format!("p{number}.tif")),
        );
        assert_eq!((master.status, pyramid.status), (200, 200), "{name}");
        assert!(master.body == pyramid.body, "{name}");
        compared += 1;
    }
    assert_eq!(compared, TELLING.len());
    // Reduced tiles of a PNG come of virtual levels: the pyramid's stored ones are the same pixels.
    for request in [
        "0,0,512,512/256,256",
        "512,0,513,513/257,257",
        "0,0,1025,513/257,129",
        "0,0,1025,513/max",
    ] {
        let of = |id: &str| server.get(&format!("/iiif/3/{id}/{request}/0/default.tif"));
        let (master, pyramid) = (of("uneven.png"), of("puneven.tif"));
        assert_eq!((master.status, pyramid.status), (200, 200), "{request}");
        assert!(master.body == pyramid.body, "{request}");
    }
    let info = server.get("/iiif/3/puneven.tif/info.json").json();
    assert_eq!(info["tiles"][0]["width"], 256, "{info}");
    assert_eq!(
        info["tiles"][0]["scaleFactors"],
        serde_json::json!([1, 2, 4, 8])
    );
}

#[test]
fn tiles_of_a_jpeg_pyramid_are_at_their_places() {
    let place = folder();
    let master = library().join("odd.png");
    fs::copy(&master, place.path().join("odd.png")).unwrap();
    let arguments = ["--quality", "95", "--subsampling", "4:4:4"];
    converted(&arguments, &master, &place.path().join("odd.tif"));
    let server = Server::start(place.path());
    let (width, height) = (2501_u32, 1667_u32);
    let mut seen = 0;
    for factor in [1_u32, 2, 8] {
        let side = 256 * factor;
        for (x, y) in [(0, 0), (width / side * side, 0), (0, height / side * side)] {
            let (w, h) = (side.min(width - x), side.min(height - y));
            let size = format!("{},{}", w.div_ceil(factor), h.div_ceil(factor));
            let of = |id: &str| {
                let path = format!("/iiif/3/{id}/{x},{y},{w},{h}/{size}/0/default.png");
                let answer = server.get(&path);
                assert_eq!(answer.status, 200, "{path}");
                crate::pixels::decode(&answer)
            };
            let (mean, _) = of("odd.tif").difference(&of("odd.png"));
            assert!(mean < 4.0, "{x},{y} at 1/{factor}: {mean}");
            seen += 1;
        }
    }
    assert_eq!(seen, 9);
}

/// Every field of a file's EXIF structure but those that say how its pixels are stored.
fn exif_fields(file: &Path) -> BTreeMap<String, String> {
    let mut reader = std::io::BufReader::new(fs::File::open(file).unwrap());
    let parsed = exif::Reader::new()
        .read_from_container(&mut reader)
        .unwrap();
    let carried = |field: &&exif::Field| {
        let about_storage = [
            exif::Tag::Software,
            exif::Tag::Compression,
            exif::Tag::PhotometricInterpretation,
            exif::Tag::PixelXDimension,
            exif::Tag::YCbCrPositioning,
            exif::Tag::JPEGInterchangeFormat,
            exif::Tag::JPEGInterchangeFormatLength,
        ];
        field.ifd_num == exif::In::PRIMARY && !about_storage.contains(&field.tag)
    };
    let fields = parsed.fields().filter(carried);
    fields
        .map(|field| (field.tag.to_string(), field.display_value().to_string()))
        .collect()
}

#[test]
fn exif_xmp_and_profile_come_along() {
    let place = folder();
    let file = place.path().join("a.tif");
    let mut most = 0;
    for master in [
        "jpeg/orientation-270.jpg",
        "jpeg/landscape-6.jpg",
        "png/made-exif-profile.png",
    ] {
        let master = fixtures().join(master);
        converted(&[], &master, &file);
        let (before, after) = (exif_fields(&master), exif_fields(&file));
        for (tag, value) in &before {
            assert_eq!(after.get(tag), Some(value), "{tag} of {}", master.display());
        }
        most = most.max(before.len());
        for field in ["xmp-data", "icc-profile-data"] {
            let value = |file: &Path| {
                let arguments = ["-f", field, file.to_str().unwrap()];
                let run = Command::new("vipsheader").args(arguments).output().unwrap();
                run.status.success().then_some(run.stdout)
            };
            if let Some(before) = value(&master) {
                assert!(
                    value(&file) == Some(before),
                    "{field} of {}",
                    master.display()
                );
                most += 100;
            }
        }
        fs::remove_file(&file).unwrap();
    }
    assert!(most > 205, "the fixtures hold too little: {most}");
}

#[test]
fn a_file_that_is_there_is_never_replaced() {
    let place = folder();
    let (master, file) = (place.path().join("m.png"), place.path().join("a.tif"));
    fs::copy(library().join("plain.png"), &master).unwrap();
    fs::write(&file, "theirs").unwrap();
    for arguments in [&[][..], &["--resume"], &["--dry-run"]] {
        let run = convert(arguments, &master, &file);
        assert_eq!(run.status.code(), Some(1), "{arguments:?}");
        assert!(String::from_utf8_lossy(&run.stderr).contains("exists already"));
        assert_eq!(fs::read(&file).unwrap(), b"theirs");
    }
    fs::remove_file(&file).unwrap();
    converted(&[], &master, &file);
    let before = fs::read(&file).unwrap();
    assert_eq!(convert(&[], &master, &file).status.code(), Some(1));
    converted(&["--resume"], &master, &file);
    assert!(fs::read(&file).unwrap() == before);
    // Another state of the master: what was made of the old one is not passed off as made of this.
    fs::copy(library().join("square.png"), &master).unwrap();
    assert_eq!(
        convert(&["--resume"], &master, &file).status.code(),
        Some(1)
    );
    assert!(fs::read(&file).unwrap() == before);
}

#[test]
fn a_folder_goes_on_where_it_stopped() {
    let place = folder();
    let (masters, pyramids) = (place.path().join("in"), place.path().join("deep/out"));
    fs::create_dir_all(masters.join("sub")).unwrap();
    fs::copy(library().join("plain.png"), masters.join("a.png")).unwrap();
    fs::copy(library().join("gray.png"), masters.join("sub/b.png")).unwrap();
    let mut lossless = fs::read(fixtures().join("jpeg/made-420.jpg")).unwrap();
    let frame = lossless.windows(2).position(|pair| pair == [0xff, 0xc0]);
    lossless[frame.unwrap() + 1] = 0xc3;
    fs::write(masters.join("lossless.jpg"), lossless).unwrap();
    fs::write(masters.join("sub/notes.txt"), "no master").unwrap();
    let report = |arguments: &[&str]| {
        let run = convert(&[arguments, &["--json"]].concat(), &masters, &pyramids);
        let report: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
        let counts =
            ["converted", "planned", "skipped", "failed"].map(|key| report[key].as_u64().unwrap());
        (run.status.code().unwrap(), counts)
    };
    assert_eq!(report(&["--dry-run"]), (1, [0, 2, 0, 1]));
    assert!(!pyramids.exists());
    assert_eq!(report(&[]), (1, [2, 0, 0, 1]));
    assert!(pyramids.join("a.tif").is_file() && pyramids.join("sub/b.tif").is_file());
    fs::copy(library().join("square.png"), masters.join("c.png")).unwrap();
    fs::remove_file(masters.join("lossless.jpg")).unwrap();
    assert_eq!(report(&["--resume"]), (0, [1, 0, 2, 0]));
    let inside = convert(&[], &masters, &masters.join("out"));
    assert_eq!(inside.status.code(), Some(2));
    assert!(!masters.join("out").exists());
}

#[test]
fn damaged_masters_are_an_error_and_leave_nothing() {
    let place = folder();
    let results = place.path().join("out");
    fs::create_dir(&results).unwrap();
    let whole = fs::read(library().join("plain.png")).unwrap();
    let tiff = fs::read(fixtures().join("tiff/rgb-tiles-zip2.tif")).unwrap();
    let mut broken = tiff.clone();
    let middle = broken.len() / 3;
    broken[middle..middle + 64].fill(0xff);
    for (name, bytes) in [
        ("cut.png", &whole[..whole.len() / 2]),
        ("head.png", &whole[..20]),
        ("cut.tif", &tiff[..tiff.len() / 2]),
        ("broken.tif", &broken),
        ("empty.tif", b""),
        ("text.jpg", b"this is no image"),
    ] {
        let master = place.path().join(name);
        fs::write(&master, bytes).unwrap();
        let run = convert(&[], &master, &results.join("a.tif"));
        assert_eq!(run.status.code(), Some(1), "{name}");
        let error = String::from_utf8_lossy(&run.stderr);
        assert!(
            error.starts_with("triforium: ") && !error.contains("panicked"),
            "{error}"
        );
        assert_eq!(fs::read_dir(&results).unwrap().count(), 0, "{name}");
    }
    let missing = convert(
        &[],
        &place.path().join("nobody.tif"),
        &results.join("a.tif"),
    );
    assert_eq!(missing.status.code(), Some(1));
}

/// A conversion that has begun to write: there is a file without a name, or with a hidden one.
fn in_the_middle(results: &Path) -> Child {
    let master = library().join("huge.png");
    let mut child = command(
        &["--threads", "1", "--compression", "deflate"],
        &master,
        &results.join("a.tif"),
    )
    .stdout(Stdio::null())
    .spawn()
    .unwrap();
    let open = PathBuf::from(format!("/proc/{}/fd", child.id()));
    let place = results.canonicalize().unwrap();
    loop {
        let nameless = fs::read_dir(&open)
            .into_iter()
            .flatten()
            .flatten()
            .any(|entry| fs::read_link(entry.path()).is_ok_and(|to| to.starts_with(&place)));
        if nameless || fs::read_dir(results).unwrap().count() > 0 {
            return child;
        }
        assert!(child.try_wait().unwrap().is_none(), "it ended too soon");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn an_interrupted_conversion_leaves_nothing() {
    for (signal, status) in [("INT", Some(130)), ("TERM", Some(130)), ("KILL", None)] {
        let results = folder();
        let mut child = in_the_middle(results.path());
        let sent = Command::new("kill")
            .args([format!("-{signal}"), child.id().to_string()])
            .status()
            .unwrap();
        assert!(sent.success());
        assert_eq!(child.wait().unwrap().code(), status, "{signal}");
        assert!(!results.path().join("a.tif").exists());
        if signal != "KILL" {
            assert_eq!(fs::read_dir(results.path()).unwrap().count(), 0);
        }
        // What was interrupted starts again.
        if signal == "INT" {
            let master = library().join("plain.png");
            converted(&["--resume"], &master, &results.path().join("a.tif"));
        }
    }
}

#[test]
fn one_page_of_several_is_chosen() {
    let place = folder();
    let master = fixtures().join("tiff/pages.tif");
    let sides = |page: &str| {
        let file = place.path().join(format!("{page}.tif"));
        converted(
            &["--page", page, "--compression", "deflate"],
            &master,
            &file,
        );
        let (samples, width) = vips(&file, "");
        let (wanted, wanted_width) = vips(
            &master,
            &format!("[page={}]", page.parse::<u32>().unwrap() - 1),
        );
        assert!(samples == wanted && width == wanted_width, "page {page}");
    };
    sides("1");
    sides("2");
    let beyond = convert(&["--page", "99"], &master, &place.path().join("b.tif"));
    assert_eq!(beyond.status.code(), Some(1));
    assert_eq!(
        convert(&["--page", "0"], &master, &place.path().join("b.tif"))
            .status
            .code(),
        Some(2)
    );
}

#[test]
fn zstandard_and_webp_of_libtiff_are_read() {
    let place = folder();
    let master = library().join("uneven.png");
    fs::copy(&master, place.path().join("plain.png")).unwrap();
    let kinds = [
        "compression=zstd",
        "compression=zstd,level=19,predictor=none",
        "compression=zstd,tile,tile-width=128,tile-height=128",
        "compression=zstd,tile,tile-width=512,tile-height=512",
        "compression=webp,lossless,tile,tile-width=256,tile-height=256",
    ];
    for (number, kind) in kinds.iter().enumerate() {
        let file = format!("{}/{number}.tif[{kind}]", place.path().display());
        tool("vips", &["copy", master.to_str().unwrap(), &file]);
    }
    let server = Server::start(place.path());
    for request in ["full/max", "300,100,513,400/max"] {
        let of = |id: &str| {
            let answer = server.get(&format!("/iiif/3/{id}/{request}/0/default.tif"));
            assert_eq!(answer.status, 200, "{id}: {}", answer.text_lossy());
            answer.body
        };
        let wanted = of("plain.png");
        for (number, kind) in kinds.iter().enumerate() {
            assert!(of(&format!("{number}.tif")) == wanted, "{kind}: {request}");
        }
    }
}

#[test]
fn tiles_of_a_jpeg_pyramid_are_passed_through() {
    let place = folder();
    converted(
        &[],
        &library().join("odd.png"),
        &place.path().join("odd.tif"),
    );
    let server = Server::start(place.path());
    let mut passed = 0;
    for (region, factor) in [
        ("0,0,256,256", 1),
        ("256,512,256,256", 1),
        ("512,512,512,512", 2),
    ] {
        let answer = server.get(&format!("/iiif/3/odd.tif/{region}/256,256/0/default.jpg"));
        assert_eq!(answer.status, 200);
        let timing = answer.header("server-timing").to_owned();
        assert!(
            timing.contains("rung;desc=\"pass_through\""),
            "{factor}: {timing}"
        );
        passed += 1;
    }
    assert_eq!(passed, 3);
}

#[test]
fn a_master_of_inks_becomes_rgb_and_leaves_its_profile_behind() {
    let place = folder();
    let pyramid = place.path().join("inks.tif");
    let run = convert(&[], &fixtures().join("tiff/kinds/cmyk.tif"), &pyramid);
    assert!(run.status.success());
    let bytes = fs::read(&pyramid).unwrap();
    assert!(!bytes.windows(4).any(|four| four == b"CMYK"));
    let reader: Arc<dyn RangeReader> = Arc::new(bytes);
    let picture = codec::open(reader, 1, &codec::DecodeLimits::default()).unwrap();
    assert_eq!(picture.facts().colour, "untagged");
    assert_eq!(picture.facts().pixel.channels, Channels::Rgb);
}
