//! What a master says beside its pixels stays behind under an overlay: words, packets, small pictures. Every
//! kind of master, every format, with every setting that lets metadata go along.

use std::fs;
use std::path::Path;

use super::secret::{picture, rule, tool, traces};
use super::{folder, serve};
use crate::library::{jpeg, scratch};
use crate::support::Server;

/// What nobody may read.
const WORD: &str = "UNDERCOVER";

/// Every setting that lets something go along.
const ALL: [(&str, &str); 7] = [
    ("ENCODE__METADATA__ICC", "true"),
    ("ENCODE__METADATA__EXIF", "true"),
    ("ENCODE__METADATA__GPS", "true"),
    ("ENCODE__METADATA__XMP", "true"),
    ("ENCODE__METADATA__IPTC", "true"),
    ("ENCODE__METADATA__DPI", "true"),
    ("ENCODE__METADATA__REGIONS", "true"),
];

const FORMATS: [&str; 9] = [
    "jpg", "png", "webp", "gif", "tif", "avif", "jxl", "jp2", "pdf",
];

/// An EXIF block with an artist in its first directory and a picture of its own in the second.
fn exif() -> Vec<u8> {
    let short = |value: u16| value.to_le_bytes().to_vec();
    let long = |value: u32| value.to_le_bytes().to_vec();
    let entry = |tag: u16, kind: u16, count: u32, value: u32| {
        [short(tag), short(kind), long(count), long(value)].concat()
    };
    let word = WORD.len() as u32;
    // The header, a directory of one entry, its text, a directory of three, the picture.
    let (text, second) = (8 + 18, 8 + 18 + word);
    let picture = second + 2 + 36 + 4;
    [
        b"Exif\0\0II*\0".to_vec(),
        long(8),
        short(1),
        entry(0x013b, 2, word, text),
        long(second),
        WORD.as_bytes().to_vec(),
        short(3),
        entry(0x0103, 3, 1, 6),
        entry(0x0201, 4, 1, picture),
        entry(0x0202, 4, 1, 4 + word),
        long(0),
        b"\xff\xd8\xff\xd9".to_vec(),
        WORD.as_bytes().to_vec(),
    ]
    .concat()
}

/// The picture as a JPEG that says the word in every way that the format has.
fn telling() -> Vec<u8> {
    let segment = |marker: u8, content: &[&[u8]]| {
        let content = content.concat();
        let length = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
        [&[0xff, marker][..], &length, &content].concat()
    };
    let word = WORD.as_bytes();
    let records = [&b"\x1c\x02\x78\0\x0a"[..], word].concat();
    assert_eq!(word.len(), 10, "as the record and the resource say");
    let resource = [b"8BIM\x04\x04\0\0\0\0\0\x0f".as_slice(), &records, b"\0"].concat();
    let packet = format!(
        "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF \
         xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description rdf:about='' \
         xmlns:dc='http://purl.org/dc/elements/1.1/' dc:source='{WORD}'/></rdf:RDF></x:xmpmeta>"
    );
    let plain = jpeg(&picture(), 1);
    // The first EXIF counts.
    let packet = packet.as_bytes();
    [
        &plain[..2],
        &segment(0xe1, &[&exif()]),
        &segment(0xe1, &[b"http://ns.adobe.com/xap/1.0/\0", packet]),
        &segment(0xed, &[b"Photoshop 3.0\0", &resource]),
        // JUMBF: its box, with a description before the content.
        &segment(0xeb, &[b"JP\0\x01\0\0\0\x01\0\0\0\x12jumb", word]),
        &segment(0xfe, &[word]),
        &plain[2..],
    ]
    .concat()
}

/// A chunk of a PNG.
fn chunk(kind: [u8; 4], content: &[u8]) -> Vec<u8> {
    let mut sum = crc32fast::Hasher::new();
    sum.update(&kind);
    sum.update(content);
    let length = (content.len() as u32).to_be_bytes();
    [&length, &kind[..], content, &sum.finalize().to_be_bytes()].concat()
}

/// Adds to each file what its format alone has: texts, JUMBF, boxes of XML.
fn enrich(name: &str, mut file: Vec<u8>) -> Vec<u8> {
    let word = WORD.as_bytes();
    let length = (8 + word.len() as u32).to_be_bytes();
    match name {
        "a.png" => {
            let added = [
                chunk(*b"tEXt", &[b"Title\0", word].concat()),
                chunk(*b"caBX", word),
            ];
            file.splice(33..33, added.concat());
        }
        "a.jxl" | "a.jp2" => {
            for kind in [b"jumb", b"xml "] {
                file.extend([&length, &kind[..], word].concat());
            }
        }
        _ => {}
    }
    file
}

fn says(bytes: &[u8], word: &str) -> bool {
    bytes
        .windows(word.len())
        .any(|part| part == word.as_bytes())
}

/// The telling picture in every format of masters that a server or `convert` makes of it.
fn fill(masters: &Path) {
    let first = scratch("overlay-words");
    fs::write(first.join("a.jpg"), telling()).unwrap();
    fs::write(masters.join("a.jpg"), telling()).unwrap();
    let server = Server::with(&first, &ALL);
    for format in ["png", "webp", "tif", "jxl", "jp2"] {
        let answer = server.get(&format!("/iiif/3/a.jpg/full/max/0/default.{format}"));
        assert_eq!(answer.status, 200, "{format}: {}", answer.text_lossy());
        assert!(says(&answer.body, WORD), "{format} is told the word");
        let name = format!("a.{format}");
        fs::write(masters.join(&name), enrich(&name, answer.body)).unwrap();
    }
    let path = |name: &str| masters.join(name).to_str().unwrap().to_owned();
    let convert = ["convert", &path("a.jpg"), &path("b.tif")];
    tool(env!("CARGO_BIN_EXE_triforium"), &convert);
    assert!(says(&fs::read(path("b.tif")).unwrap(), WORD));
}

const MASTERS: [&str; 7] = [
    "a.jpg", "a.png", "a.webp", "a.tif", "a.jxl", "a.jp2", "b.tif",
];

#[test]
fn words_and_small_pictures_stay_behind_in_every_format() {
    let masters = folder();
    fill(masters.path());
    let open = serve(masters.path(), "", &ALL, folder());
    let closed = serve(masters.path(), &rule(), &ALL, folder());
    for name in MASTERS {
        for format in FORMATS {
            let url = format!("/iiif/3/{name}/full/max/0/default.{format}");
            let told = says(&open.get(&url).body, WORD);
            assert!(told, "without a rule: {url}");
            for request in ["full/max/0/default", "200,140,120,100/max/90/color"] {
                let url = format!("/iiif/3/{name}/{request}.{format}");
                let answer = closed.get(&url);
                assert_eq!(traces(&answer), 0, "{url}");
                assert!(!says(&answer.body, WORD), "{url}");
            }
        }
        let info = closed.get(&format!("/iiif/3/{name}/info.json"));
        assert!(!says(&info.body, WORD));
    }
    // Stored files, which would pass without settings, do not.
    let plain = serve(masters.path(), &rule(), &[], folder());
    for (name, format) in [("a.jpg", "jpg"), ("a.png", "png"), ("a.webp", "webp")] {
        let answer = plain.get(&format!("/iiif/3/{name}/full/max/0/default.{format}"));
        assert_eq!(traces(&answer), 0, "{name}");
        assert!(!says(&answer.body, WORD), "{name}");
    }
}

#[test]
fn the_start_page_shows_nothing_of_it() {
    let masters = folder();
    fill(masters.path());
    let house = serve(masters.path(), &rule(), &[], folder());
    let page = house.get("/").text();
    assert!(!page.contains(WORD));
    let sources = page.split("src=\"").skip(1);
    let sources = sources.filter_map(|rest| rest.split('"').next());
    let thumbnails: Vec<_> = sources.filter(|url| url.contains("/iiif/")).collect();
    assert_eq!(thumbnails.len(), MASTERS.len(), "{thumbnails:?}");
    for url in thumbnails {
        let answer = house.get(&url.replace("&amp;", "&"));
        assert_eq!(traces(&answer), 0, "{url}");
        assert!(!says(&answer.body, WORD), "{url}");
    }
}
