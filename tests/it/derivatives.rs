//! Derivatives as clients get them: their formats by libvips, 16 bits, metadata, the choice by `Accept`.

use std::fs;
use std::path::PathBuf;

use crate::library::scratch;
use crate::pixels::{Pixels, decode};
use crate::support::{Answer, Server, fixtures};

const UPRIGHT: &str = "orientation/waterfall-1-upright.jpg";
const TURNED: &str = "orientation/waterfall-6-turned.jpg";

fn image(name: &str) -> Vec<u8> {
    fs::read(fixtures().join("images").join(name)).unwrap()
}

/// A folder with these files.
fn folder(name: &str, files: &[(&str, Vec<u8>)]) -> PathBuf {
    let folder = scratch(name);
    for (name, bytes) in files {
        fs::write(folder.join(name), bytes).unwrap();
    }
    folder
}

/// `jpeg` with a segment behind its start.
fn with_segment(jpeg: &[u8], marker: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len() + 2).unwrap();
    let segment = [&[0xff, marker], &length.to_be_bytes()[..], payload].concat();
    [&jpeg[..2], &segment, &jpeg[2..]].concat()
}

fn xmp(orientation: u8) -> Vec<u8> {
    let packet =
        format!("<rdf:Description tiff:Orientation=\"{orientation}\" dc:source=\"shelf\"/>");
    [
        b"http://ns.adobe.com/xap/1.0/\0".as_slice(),
        packet.as_bytes(),
    ]
    .concat()
}

/// A segment of EXIF: made by a scanner, to be turned.
const EXIF: &[u8] = b"Exif\0\0II*\0\x08\0\0\0\x02\0\
    \x0f\x01\x02\0\x08\0\0\0\x26\0\0\0\
    \x12\x01\x03\0\x01\0\0\0\x06\0\0\0\
    \0\0\0\0Scanner\0";

fn jfif(dpi: u16) -> Vec<u8> {
    let [a, b] = dpi.to_be_bytes();
    [b"JFIF\0\x01\x02\x01".as_slice(), &[a, b, a, b, 0, 0]].concat()
}

fn holds(answer: &Answer, text: &str) -> bool {
    let body = &answer.body;
    body.windows(text.len()).any(|part| part == text.as_bytes())
}

#[test]
fn every_format_shows_the_same_picture_to_a_foreign_reader() {
    let server = Server::start(&fixtures().join("images"));
    let wanted = decode(&server.get("/iiif/3/cat-progressive.jpg/full/max/0/default.png"));
    for (format, mean) in [
        ("jpg", 3.0),
        ("webp", 3.0),
        ("avif", 3.0),
        ("jxl", 0.0),
        ("gif", 8.0),
        ("tif", 0.0),
        ("pdf", 3.0),
        ("jp2", 2.0),
    ] {
        for (quality, tolerance) in [("default", mean), ("gray", mean + 1.0)] {
            let path = format!("/iiif/3/cat-progressive.jpg/full/max/0/{quality}.{format}");
            let found = decode(&server.get(&path));
            let path = format!("/iiif/3/cat-progressive.jpg/full/max/0/{quality}.png");
            let wanted = if quality == "default" {
                wanted.clone()
            } else {
                decode(&server.get(&path))
            };
            let (difference, _) = found.difference(&wanted);
            assert!(difference <= tolerance, "{quality}.{format}: {difference}");
        }
    }
}

#[test]
fn opacity_stays_in_the_formats_that_have_it() {
    let server = Server::start(&fixtures().join("images"));
    let request = "/iiif/3/cat-progressive.jpg/full/90,/45/default";
    let wanted = decode(&server.get(&format!("{request}.png")));
    for format in ["avif", "jxl", "jp2"] {
        let found = decode(&server.get(&format!("{request}.{format}")));
        let corners = |pixels: &Pixels| [pixels.rgba(0, 0)[3], pixels.rgba(60, 60)[3]];
        assert_eq!(corners(&wanted), [0, 255]);
        let [clear, opaque] = corners(&found);
        assert!(clear <= 2 && opaque >= 253, "{format}: {clear} {opaque}");
    }
}

/// A PNG of 16-bit samples.
fn png16(width: u32, height: u32, colour: png::ColorType, samples: &[u16]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(colour);
    encoder.set_depth(png::BitDepth::Sixteen);
    let mut writer = encoder.write_header().unwrap();
    let bytes: Vec<u8> = samples.iter().flat_map(|v| v.to_be_bytes()).collect();
    writer.write_image_data(&bytes).unwrap();
    writer.finish().unwrap();
    file
}

fn samples16(png: &[u8]) -> Vec<u16> {
    let mut reader = png::Decoder::new(std::io::Cursor::new(png))
        .read_info()
        .unwrap();
    let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut bytes).unwrap();
    assert_eq!(frame.bit_depth, png::BitDepth::Sixteen);
    let pairs = bytes[..frame.buffer_size()].chunks_exact(2);
    pairs
        .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
        .collect()
}

#[test]
fn sixteen_bits_come_back_exactly_where_nothing_is_resampled() {
    let values: Vec<u16> = (0..=65535).collect();
    let colours: Vec<u16> = (0..3 * 4096).map(|v| (v * 16 + v % 16) as u16).collect();
    let folder = folder(
        "sixteen-bits",
        &[
            (
                "gray.png",
                png16(256, 256, png::ColorType::Grayscale, &values),
            ),
            ("colour.png", png16(64, 64, png::ColorType::Rgb, &colours)),
        ],
    );
    let server = Server::start(&folder);
    let get = |path: &str| server.get(&format!("/iiif/3/{path}"));
    assert_eq!(
        samples16(&get("gray.png/full/max/0/default.png").body),
        values
    );
    assert_eq!(
        samples16(&get("colour.png/full/max/0/default.png").body),
        colours
    );
    let part = samples16(&get("gray.png/0,3,256,1/max/0/gray.png").body);
    assert_eq!(part, values[3 * 256..4 * 256]);
    let turned = samples16(&get("gray.png/full/max/180/default.png").body);
    assert!(turned.iter().eq(values.iter().rev()));
    let half = samples16(&get("gray.png/full/128,/0/default.png").body);
    assert_eq!(half.len(), 128 * 128);
    let tif = get("gray.png/full/max/0/default.tif").body;
    let mut decoder = tiff::decoder::Decoder::new(std::io::Cursor::new(tif)).unwrap();
    let tiff::decoder::DecodingResult::U16(samples) = decoder.read_image().unwrap() else {
        panic!("16 bits were asked for");
    };
    assert_eq!(samples, values);
    // Odd angles, black and white, and formats of 8 bits are narrowed.
    for path in [
        "22.5/default.png",
        "0/bitonal.png",
        "0/default.jpg",
        "0/default.webp",
    ] {
        assert_eq!(
            get(&format!("gray.png/full/max/{path}")).status,
            200,
            "{path}"
        );
    }
    let server = Server::with(&folder, &[("ENCODE__SIXTEEN_BITS", "false")]);
    let narrow = server.get("/iiif/3/gray.png/full/max/0/default.png").body;
    let reader = png::Decoder::new(std::io::Cursor::new(narrow))
        .read_info()
        .unwrap();
    assert_eq!(reader.info().bit_depth, png::BitDepth::Eight);
}

#[test]
fn orientation_is_exifs_else_xmps_and_is_applied_once() {
    let upright = image("cat-progressive.jpg");
    let folder = folder(
        "xmp-orientation",
        &[
            ("xmp.jpg", with_segment(&upright, 0xe1, &xmp(6))),
            ("both.jpg", with_segment(&image(TURNED), 0xe1, &xmp(3))),
            ("plain.jpg", upright),
        ],
    );
    let server = Server::with(&folder, &[("ENCODE__METADATA__XMP", "true")]);
    let size = |name: &str| {
        let info = server.get(&format!("/iiif/3/{name}/info.json")).json();
        [info["width"].clone(), info["height"].clone()].map(|side| side.as_u64().unwrap())
    };
    let [width, height] = size("plain.jpg");
    assert_eq!(size("xmp.jpg"), [height, width]);
    assert_eq!(size("both.jpg"), [1800, 1200], "EXIF counts");
    let answer = server.get("/iiif/3/xmp.jpg/full/100,/0/default.jpg");
    assert!(holds(&answer, "tiff:Orientation=\"1\" dc:source=\"shelf\""));
}

#[test]
fn metadata_go_along_where_the_settings_say_so() {
    let master = with_segment(&image("cat-progressive.jpg"), 0xe1, EXIF);
    let master = with_segment(&master, 0xe1, &xmp(6));
    let master = with_segment(&master, 0xe0, &jfif(400));
    let folder = folder("metadata", &[("a.jpg", master)]);
    let all = ["ICC", "EXIF", "XMP", "IPTC", "DPI"];
    let keys: Vec<String> = all
        .iter()
        .map(|key| format!("ENCODE__METADATA__{key}"))
        .collect();
    let settings: Vec<(&str, &str)> = keys.iter().map(|key| (key.as_str(), "true")).collect();
    let (silent, server) = (Server::start(&folder), Server::with(&folder, &settings));
    let whole = "/iiif/3/a.jpg/full/max/0/default.jpg";
    let answer = server.get(whole);
    assert!(holds(&answer, "ICC_PROFILE") && holds(&answer, "dc:source=\"shelf\""));
    assert!(holds(&answer, "Exif\0\0II*\0"));
    let read = exif::Reader::new()
        .read_from_container(&mut std::io::Cursor::new(&answer.body))
        .unwrap();
    let field = |tag| read.get_field(tag, exif::In::PRIMARY);
    let number = |tag| field(tag).and_then(|field| field.value.get_uint(0));
    let info = server.get("/iiif/3/a.jpg/info.json").json();
    assert!(number(exif::Tag::Orientation).is_none_or(|tag| tag == 1));
    assert_eq!(
        number(exif::Tag::PixelXDimension).map(u64::from),
        info["width"].as_u64()
    );
    for other in [
        silent.get(whole),
        server.get("/iiif/3/a.jpg/0,0,99,99/max/0/default.jpg"),
    ] {
        assert!(!holds(&other, "ICC_PROFILE") && !holds(&other, "Exif\0\0"));
    }
    // Half the pixels on the same paper.
    let width = info["width"].as_u64().unwrap() / 2;
    let half = server.get(&format!("/iiif/3/a.jpg/full/{width},/0/default.png"));
    let reader = png::Decoder::new(std::io::Cursor::new(&half.body))
        .read_info()
        .unwrap();
    let dims = reader.info().pixel_dims.unwrap();
    assert!(
        (f64::from(dims.xppu) * 0.0254 - 200.0).abs() < 2.0,
        "{dims:?}"
    );
    assert!(reader.info().icc_profile.is_some() && reader.info().exif_metadata.is_some());
}

#[test]
fn no_avif_is_begun_that_would_take_too_long() {
    let images = fixtures().join("images");
    let time = ("LIMITS__RENDER_SECONDS", "3");
    let slow = Server::with(&images, &[time, ("ENCODE__AVIF__SPEED", "1")]);
    let identifier = UPRIGHT.replace('/', "%2F");
    let path = |width| format!("/iiif/3/{identifier}/full/{width},/0/default.avif");
    let refused = slow.get(&path(900));
    assert_eq!(refused.status, 400);
    let words = refused.json();
    assert_eq!(words["parameter"], "format", "{words}");
    // What cannot be made in time is not chosen by `Accept`.
    let settings = [
        time,
        ("ENCODE__AVIF__SPEED", "1"),
        ("IIIF__FORMATS_BY_ACCEPT", r#"["avif"]"#),
    ];
    let choosing = Server::with(&images, &settings);
    let jpg = path(900).replace(".avif", ".jpg");
    let answer = choosing.request("GET", &jpg, &[("Accept", "image/avif")]);
    assert_eq!(answer.header("content-type"), "image/jpeg");
}

#[test]
fn a_page_is_as_large_as_its_master_says_and_named() {
    let master = with_segment(&image(UPRIGHT), 0xe0, &jfif(200));
    let folder = folder("pages", &[("a.jpg", master)]);
    let server = Server::with(
        &folder,
        &[("IIIF__RIGHTS", "http://rightsstatements.org/vocab/InC/1.0/")],
    );
    let answer = server.get("/iiif/3/a.jpg/full/100,/0/default.pdf");
    let info = server.get("/iiif/3/a.jpg/info.json").json();
    let points = info["width"].as_f64().unwrap() / 200.0 * 72.0;
    let output = folder.join("page.png");
    fs::write(folder.join("page.pdf"), &answer.body).unwrap();
    let status = std::process::Command::new("vips")
        .args([
            "pdfload".as_ref(),
            folder.join("page.pdf").as_os_str(),
            output.as_os_str(),
        ])
        .status()
        .unwrap();
    assert!(status.success());
    let page = crate::pixels::decode_as("image/png", &fs::read(output).unwrap());
    assert!(
        (page.width as f64 - points).abs() <= 1.0,
        "{} {points}",
        page.width
    );
    assert!(holds(&answer, ">a.jpg</rdf:li>") && holds(&answer, "vocab/InC/1.0/"));
}

#[test]
fn info_says_sizes_on_paper_rights_and_preferred_formats() {
    let upright = image(UPRIGHT);
    let folder = folder(
        "physdim",
        &[
            ("a.jpg", with_segment(&upright, 0xe0, &jfif(254))),
            ("habit.jpg", with_segment(&upright, 0xe0, &jfif(72))),
        ],
    );
    let settings = [
        ("IIIF__PREFERRED_FORMATS", r#"["webp", "jpg"]"#),
        (
            "IIIF__RIGHTS",
            "http://creativecommons.org/publicdomain/mark/1.0/",
        ),
    ];
    let server = Server::with(&folder, &settings);
    let info = server.get("/iiif/3/a.jpg/info.json").json();
    let service = &info["service"][0];
    assert_eq!(
        service["profile"],
        "http://iiif.io/api/annex/services/physdim"
    );
    assert_eq!(
        (service["physicalScale"].as_f64(), &service["physicalUnits"]),
        (Some(0.1), &"mm".into())
    );
    assert!(service["id"].is_string() && service["type"].is_string());
    assert_eq!(info["preferredFormats"], serde_json::json!(["webp", "jpg"]));
    assert_eq!(info["rights"], settings[1].1);
    let second = server.get("/iiif/2/a.jpg/info.json").json();
    assert_eq!(second["service"]["physicalScale"].as_f64(), Some(0.1));
    let half = server.get("/iiif/3/a.jpg;1:2/info.json").json();
    let scale = half["service"][0]["physicalScale"].as_f64().unwrap();
    assert!((scale - 0.2).abs() < 0.002, "{scale}");
    assert!(server.get("/iiif/3/habit.jpg/info.json").json()["service"].is_null());
    let server = Server::with(&folder, &[("IIIF__PHYSICAL_DIMENSIONS", "false")]);
    assert!(server.get("/iiif/3/a.jpg/info.json").json()["service"].is_null());
}

#[test]
fn accept_chooses_a_better_format_where_the_settings_say_so() {
    let images = fixtures().join("images");
    let path = "/iiif/3/cat-progressive.jpg/full/90,/0/default.jpg";
    let browser = [("Accept", "image/avif,image/webp,image/png,*/*;q=0.8")];
    let silent = Server::start(&images);
    let answer = silent.request("GET", path, &browser);
    assert_eq!(answer.header("content-type"), "image/jpeg");
    assert_eq!(answer.header("vary"), "");
    let server = Server::with(
        &images,
        &[
            ("IIIF__FORMATS_BY_ACCEPT", r#"["avif", "webp"]"#),
            ("ENCODE__AVIF__MAX_AREA_PX", "10000"),
        ],
    );
    for (accept, media) in [
        ("image/avif,image/webp,*/*;q=0.8", "image/avif"),
        ("image/webp,*/*;q=0.8", "image/webp"),
        ("image/webp;q=0.5,image/jpeg", "image/jpeg"),
        ("image/*", "image/jpeg"),
        ("*/*", "image/jpeg"),
    ] {
        let answer = server.request("GET", path, &[("Accept", accept)]);
        assert_eq!(answer.header("content-type"), media, "{accept}");
        assert_eq!(answer.header("vary"), "Accept", "{accept}");
        decode(&answer);
    }
    let plain = server.get(path);
    assert_eq!(
        (plain.header("content-type"), plain.header("vary")),
        ("image/jpeg", "Accept")
    );
    let avif = server.request("GET", path, &browser);
    assert_ne!(plain.header("etag"), avif.header("etag"));
    assert!(
        avif.header("link")
            .contains("default.avif>;rel=\"canonical\"")
    );
    // What the better format cannot hold is sent as it was asked for, and other formats stay.
    let large = server.request(
        "GET",
        "/iiif/3/cat-progressive.jpg/full/max/0/default.jpg",
        &browser,
    );
    assert_eq!(large.header("content-type"), "image/jpeg");
    let png = server.request(
        "GET",
        "/iiif/3/cat-progressive.jpg/full/90,/0/default.png",
        &browser,
    );
    assert_eq!(
        (png.header("content-type"), png.header("vary")),
        ("image/png", "")
    );
}
