//! Masters with profiles as clients get them: tile against whole, the space that is kept, light, exact samples.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use crate::library::scratch;
use crate::pixels::{Pixels, decode};
use crate::support::{Answer, Server, fixtures};

const WIDTH: usize = 640;
const HEIGHT: usize = 512;

/// Profiles of `fixtures/icc` in masters of every format that carries one.
const MASTERS: [&str; 13] = [
    "adobe.png",
    "adobe-tiles.tif",
    "adobe-jpeg-tiles.tif",
    "p3.jpg",
    "p3.webp",
    "p3-alpha.png",
    "prophoto-16.png",
    "prophoto-strips.tif",
    "eci.jp2",
    "scanner.jp2",
    "gray-1.8.png",
    "inks.jp2",
    "inks.tif",
];

static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = scratch("colours");
    fill(&folder);
    folder
});

fn icc(name: &str) -> PathBuf {
    fixtures().join("icc").join(format!("{name}.icc"))
}

/// Slopes, edges and a little noise, the same ones every time.
fn painted(channels: usize) -> Vec<u8> {
    let mut data = Vec::with_capacity(WIDTH * HEIGHT * channels);
    let mut noise = 7_u32;
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let grain = (noise >> 28) as usize;
            let stripe = if (x / 37 + y / 23).is_multiple_of(5) {
                90
            } else {
                0
            };
            let values = [
                x * 200 / WIDTH + grain + stripe / 3,
                y * 200 / HEIGHT + grain + stripe / 2,
                (x + y) * 150 / (WIDTH + HEIGHT) + stripe,
                if x < 500 { 255 - grain } else { 128 - y / 8 },
            ];
            data.extend(values[..channels].iter().map(|v| (*v).min(255) as u8));
        }
    }
    data
}

fn png(path: &Path, profile: &str, colour: png::ColorType, depth: png::BitDepth, data: &[u8]) {
    let mut info = png::Info::with_size(WIDTH as u32, HEIGHT as u32);
    info.color_type = colour;
    info.bit_depth = depth;
    if !profile.is_empty() {
        info.icc_profile = Some(fs::read(icc(profile)).unwrap().into());
    }
    let file = fs::File::create(path).unwrap();
    let encoder = png::Encoder::with_info(file, info).unwrap();
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(data).unwrap();
    writer.finish().unwrap();
}

/// Runs `vips` with these words, in `folder`.
fn vips(folder: &Path, words: &str) {
    let words: Vec<_> = words.split_whitespace().collect();
    let status = Command::new("vips")
        .args(&words)
        .current_dir(folder)
        .status();
    assert!(status.unwrap().success(), "{words:?}");
}

/// `jp2` with another colour specification: by this profile.
fn with_profile(jp2: &[u8], profile: &[u8]) -> Vec<u8> {
    let find = |kind: &[u8]| jp2.windows(4).position(|four| four == kind).unwrap() - 4;
    let length = |at: usize| u32::from_be_bytes(jp2[at..at + 4].try_into().unwrap()) as usize;
    let (header, colour) = (find(b"jp2h"), find(b"colr"));
    let content = [b"colr\x02\0\0".as_slice(), profile].concat();
    let box_length = ((content.len() + 4) as u32).to_be_bytes();
    let old = length(colour);
    let new_header = ((length(header) - old + content.len() + 4) as u32).to_be_bytes();
    let profiled = [
        &jp2[..header],
        &new_header,
        &jp2[header + 4..colour],
        &box_length,
        &content,
        &jp2[colour + old..],
    ]
    .concat();
    // The fourth channel is an ink, and not opacity.
    let definitions = profiled.windows(4).position(|four| four == b"cdef");
    let mut without = profiled;
    if let Some(at) = definitions.filter(|_| profile[16..20] == *b"CMYK") {
        without[at..at + 4].copy_from_slice(b"free");
    }
    without
}

fn fill(folder: &Path) {
    use png::BitDepth::{Eight, Sixteen};
    use png::ColorType::{Grayscale, Rgb, Rgba};
    let (rgb, rgba, gray) = (painted(3), painted(4), painted(1));
    let wide: Vec<u8> = rgb.iter().flat_map(|v| [*v, v.wrapping_mul(31)]).collect();
    for (name, profile, colour, depth, data) in [
        ("plain.png", "", Rgb, Eight, &rgb),
        ("four.png", "", Rgba, Eight, &rgba),
        ("adobe.png", "adobe", Rgb, Eight, &rgb),
        ("p3-alpha.png", "p3", Rgba, Eight, &rgba),
        ("gray-1.8.png", "gray-1.8", Grayscale, Eight, &gray),
        ("prophoto-16.png", "prophoto", Rgb, Sixteen, &wide),
    ] {
        png(&folder.join(name), profile, colour, depth, data);
    }
    fs::create_dir(folder.join("icc")).unwrap();
    for name in ["adobe", "p3", "prophoto", "inks"] {
        fs::copy(icc(name), folder.join(format!("icc/{name}.icc"))).unwrap();
    }
    let tiled = "--tile --tile-width 128 --tile-height 128";
    for words in [
        format!(
            "tiffsave plain.png adobe-tiles.tif --compression deflate {tiled} --profile icc/adobe.icc"
        ),
        format!(
            "tiffsave plain.png adobe-jpeg-tiles.tif --compression jpeg --pyramid --Q 90 {tiled} --profile icc/adobe.icc"
        ),
        "tiffsave plain.png prophoto-strips.tif --profile icc/prophoto.icc".to_owned(),
        "jpegsave plain.png p3.jpg --Q 92 --profile icc/p3.icc".to_owned(),
        "webpsave plain.png p3.webp --Q 92 --profile icc/p3.icc".to_owned(),
        "copy four.png inks.v --interpretation cmyk".to_owned(),
        format!("tiffsave inks.v inks.tif --compression lzw {tiled} --profile icc/inks.icc"),
    ] {
        vips(folder, &words);
    }
    for (from, name, profile) in [
        ("plain.png", "eci.jp2", "eci"),
        ("plain.png", "scanner.jp2", "scanner"),
        ("four.png", "inks.jp2", "inks"),
    ] {
        vips(
            folder,
            &format!("jp2ksave {from} coded.jp2 --lossless --tile-width 256 --tile-height 256"),
        );
        let coded = fs::read(folder.join("coded.jp2")).unwrap();
        let profiled = with_profile(&coded, &fs::read(icc(profile)).unwrap());
        fs::write(folder.join(name), profiled).unwrap();
    }
    for left in ["plain.png", "four.png", "inks.v", "coded.jp2"] {
        fs::remove_file(folder.join(left)).unwrap();
    }
}

/// Decodes the picture of a request, of 8 bits.
fn shown(server: &Server, path: &str) -> Pixels {
    decode(&server.get(&format!("/iiif/3/{path}")))
}

/// Largest difference of any tile of `master` from its part of the whole. `scale` pixels are one, in tiles of
/// `side` pixels of the full image; both divide its sides, or nearly.
fn worst_tile(server: &Server, master: &str, (of, out): (usize, usize), side: usize) -> u8 {
    let (width, height) = (WIDTH * out / of, HEIGHT * out / of);
    let whole = shown(
        server,
        &format!("{master}/full/{width},{height}/0/default.png"),
    );
    let mut worst = 0;
    for y in (0..HEIGHT).step_by(side) {
        for x in (0..WIDTH).step_by(side) {
            let (w, h) = ((WIDTH - x).min(side), (HEIGHT - y).min(side));
            let (tw, th) = (w * out / of, h * out / of);
            let tile = shown(
                server,
                &format!("{master}/{x},{y},{w},{h}/{tw},{th}/0/default.png"),
            );
            let part = whole.crop(x * out / of, y * out / of, tw, th);
            worst = worst.max(tile.difference(&part).1);
        }
    }
    worst
}

#[test]
fn tiles_of_masters_with_profiles_are_parts_of_the_whole() {
    for mode in ["srgb", "keep"] {
        let settings = [("COLOUR__MODE", mode), ("ENCODE__SIXTEEN_BITS", "false")];
        let server = Server::with(&FOLDER, &settings);
        for master in MASTERS {
            // Full size, and levels: equal. Resampled: within 2.
            assert_eq!(
                worst_tile(&server, master, (1, 1), 256),
                0,
                "{mode} {master}"
            );
            assert_eq!(
                worst_tile(&server, master, (2, 1), 256),
                0,
                "{mode} {master}, half"
            );
            assert_eq!(
                worst_tile(&server, master, (4, 1), 256),
                0,
                "{mode} {master}, quarter"
            );
            let resampled = worst_tile(&server, master, (8, 5), 256);
            assert!(resampled <= 2, "{mode} {master}: {resampled}");
        }
    }
}

#[test]
fn what_the_profiles_say_is_seen_and_told() {
    let server = Server::with(&FOLDER, &[("ENCODE__SIXTEEN_BITS", "false")]);
    let same = painted(3);
    for master in MASTERS {
        let whole = shown(&server, &format!("{master}/full/max/0/default.png"));
        assert_eq!(whole.size(), (WIDTH, HEIGHT), "{master}");
        assert!(
            whole.data.len() < same.len() || whole.data != same,
            "{master} is not converted"
        );
    }
    // The same inks in two formats.
    let [jp2, tif] = ["inks.jp2", "inks.tif"]
        .map(|master| shown(&server, &format!("{master}/full/max/0/default.png")));
    assert_eq!(jp2, tif);
    let perceptual = Server::with(&FOLDER, &[("COLOUR__INTENT", "perceptual")]);
    for master in ["inks.jp2", "inks.tif", "scanner.jp2"] {
        let path = format!("/iiif/3/{master}/full/max/0/default.png");
        let (relative, perceptual) = (server.get(&path), perceptual.get(&path));
        let apart = decode(&relative).difference(&decode(&perceptual)).0;
        // A scanner's tables are for both intents; its black is not.
        assert!(apart > 1.0 || master == "scanner.jp2", "{master}: {apart}");
        assert_ne!(relative.header("etag"), perceptual.header("etag"));
    }
}

fn holds(answer: &Answer, bytes: &[u8]) -> bool {
    answer.body.windows(bytes.len()).any(|part| part == bytes)
}

/// The profile of a PNG.
fn profile_of_png(answer: &Answer) -> Option<Vec<u8>> {
    let decoder = png::Decoder::new(std::io::Cursor::new(&answer.body));
    let reader = decoder.read_info().unwrap();
    reader
        .info()
        .icc_profile
        .as_ref()
        .map(|profile| profile.to_vec())
}

#[test]
fn a_space_that_is_kept_goes_along_with_its_profile() {
    let server = Server::with(&FOLDER, &[("COLOUR__MODE", "keep")]);
    let srgb = Server::start(&FOLDER);
    for (master, profile) in [
        ("adobe.png", "adobe"),
        ("adobe-tiles.tif", "adobe"),
        ("adobe-jpeg-tiles.tif", "adobe"),
        ("p3.jpg", "p3"),
        ("p3.webp", "p3"),
        ("eci.jp2", "eci"),
        ("scanner.jp2", "scanner"),
        ("gray-1.8.png", "gray-1.8"),
    ] {
        let profile = fs::read(icc(profile)).unwrap();
        // A part that is a stored tile, the whole, and a size.
        for part in ["0,0,128,128/max", "full/max", "full/200,"] {
            let path = |rest: &str| format!("/iiif/3/{master}/{part}/0/{rest}");
            let png = server.get(&path("default.png"));
            assert_eq!(
                profile_of_png(&png).as_deref(),
                Some(profile.as_slice()),
                "{master}"
            );
            for format in ["jpg", "tif", "jp2"] {
                let answer = server.get(&path(&format!("default.{format}")));
                assert_eq!(answer.status, 200);
                let starts = &profile[..100];
                assert!(holds(&answer, starts), "{master} {part} {format}");
            }
            let pdf = server.get(&path("default.pdf"));
            assert!(holds(&pdf, b"/ICCBased"), "{master} {part} pdf");
            let webp = server.get(&path("default.webp"));
            assert_eq!(
                holds(&webp, &profile),
                !master.starts_with("gray"),
                "{master} {part} webp"
            );
            if part == "full/200," {
                let avif = server.get(&path("default.avif"));
                assert_eq!(
                    holds(&avif, &profile),
                    !master.starts_with("gray"),
                    "{master} avif"
                );
            }
            let plain = srgb.get(&path("default.png"));
            assert_eq!(profile_of_png(&plain), None);
            assert_ne!(plain.header("etag"), png.header("etag"));
        }
    }
    // The numbers are the master's.
    let kept = shown(&server, "adobe.png/full/max/0/default.png");
    assert!(kept.data == painted(3));
    let kept = shown(&server, "gray-1.8.png/full/max/0/default.png");
    assert!(kept.data == painted(1));
}

#[test]
fn where_a_kept_space_has_no_place_it_becomes_srgb() {
    let keep = Server::with(
        &FOLDER,
        &[("COLOUR__MODE", "keep"), ("ENCODE__SIXTEEN_BITS", "false")],
    );
    let srgb = Server::with(&FOLDER, &[("ENCODE__SIXTEEN_BITS", "false")]);
    // Nothing is resampled: the same bytes come of the same colours.
    for path in [
        "adobe.png/full/max/0/gray.png",
        "adobe.png/full/max/0/bitonal.png",
        "adobe-jpeg-tiles.tif/0,0,256,256/max/0/gray.jpg",
        "p3.jpg/full/max/90/default.gif",
        "p3.webp/10,20,300,200/max/0/default.jxl",
        "gray-1.8.png/full/max/0/default.webp",
        "inks.jp2/full/max/0/default.png",
        "inks.tif/full/max/0/default.jpg",
    ] {
        let [kept, wanted] = [&keep, &srgb].map(|server| server.get(&format!("/iiif/3/{path}")));
        assert_eq!((kept.status, wanted.status), (200, 200), "{path}");
        assert!(kept.body == wanted.body, "{path}");
        assert_ne!(kept.header("etag"), wanted.header("etag"), "{path}");
    }
}

#[test]
fn linear_light_makes_the_middle_of_black_and_white_brighter() {
    let folder = scratch("light");
    let board: Vec<u8> = (0..WIDTH * HEIGHT)
        .map(|at| {
            if (at % WIDTH + at / WIDTH).is_multiple_of(2) {
                255
            } else {
                0
            }
        })
        .collect();
    let flat = vec![77; WIDTH * HEIGHT];
    let eight = png::BitDepth::Eight;
    png(
        &folder.join("board.png"),
        "",
        png::ColorType::Grayscale,
        eight,
        &board,
    );
    png(
        &folder.join("flat.png"),
        "",
        png::ColorType::Grayscale,
        eight,
        &flat,
    );
    vips(&folder, "tiffsave board.png board.tif --tile");
    vips(&folder, "jpegsave board.png board.jpg --Q 100");
    let linear = Server::with(&folder, &[("COLOUR__LIGHT", "linear")]);
    let encoded = Server::start(&folder);
    let middle = |server: &Server, path: &str| shown(server, path).rgb(40, 40)[0];
    for master in ["board.png", "board.tif", "board.jpg"] {
        for size in ["320,256", "160,128", "250,200"] {
            let path = format!("{master}/full/{size}/0/default.png");
            let (bright, dark) = (middle(&linear, &path), middle(&encoded, &path));
            assert!(bright.abs_diff(188) <= 2, "{path}: {bright}");
            assert!(dark.abs_diff(128) <= 2, "{path}: {dark}");
        }
        let [linear, encoded] = [&linear, &encoded]
            .map(|server| server.get(&format!("/iiif/3/{master}/full/320,/0/default.png")));
        assert_ne!(linear.header("etag"), encoded.header("etag"));
        assert!(!linear.header("server-timing").contains("gpu"));
    }
    for size in ["640,", "320,", "123,", "^900,"] {
        let flat = shown(&linear, &format!("flat.png/full/{size}/0/default.png"));
        assert!(flat.data.iter().all(|level| *level == 77), "{size}");
    }
    assert_eq!(worst_tile(&linear, "board.png", (2, 1), 256), 0);
    assert!(worst_tile(&linear, "board.png", (8, 5), 256) <= 2);
}

/// The samples of a PNG of 16 bits.
fn samples16(answer: &Answer) -> Vec<u16> {
    let decoder = png::Decoder::new(std::io::Cursor::new(&answer.body));
    let mut reader = decoder.read_info().unwrap();
    let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut bytes).unwrap();
    assert_eq!(
        (frame.bit_depth, frame.color_type),
        (png::BitDepth::Sixteen, png::ColorType::Grayscale)
    );
    let pairs = bytes[..frame.buffer_size()].chunks_exact(2);
    pairs
        .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
        .collect()
}

#[test]
fn sixteen_bits_of_gray_are_the_masters_in_every_format() {
    let folder = scratch("sixteen-gray");
    let values: Vec<u16> = (0..WIDTH * HEIGHT)
        .map(|at| (at as u32).wrapping_mul(40_503).to_le_bytes())
        .map(|bytes| u16::from_le_bytes([bytes[1], bytes[2]]))
        .collect();
    let data: Vec<u8> = values.iter().flat_map(|v| v.to_be_bytes()).collect();
    png(
        &folder.join("a.png"),
        "",
        png::ColorType::Grayscale,
        png::BitDepth::Sixteen,
        &data,
    );
    vips(
        &folder,
        "tiffsave a.png tiles.tif --tile --compression deflate --predictor horizontal",
    );
    vips(&folder, "tiffsave a.png strips.tif");
    vips(
        &folder,
        "jp2ksave a.png tiles.jp2 --lossless --tile-width 200 --tile-height 120",
    );
    let server = Server::start(&folder);
    for master in ["a.png", "tiles.tif", "strips.tif", "tiles.jp2"] {
        let whole = server.get(&format!("/iiif/3/{master}/full/max/0/default.png"));
        assert!(samples16(&whole) == values, "{master}");
        let part = server.get(&format!("/iiif/3/{master}/100,77,300,200/max/0/gray.png"));
        let rows = (77..277).flat_map(|y| &values[y * WIDTH + 100..y * WIDTH + 400]);
        assert!(samples16(&part).iter().eq(rows), "{master}, a part");
    }
}
