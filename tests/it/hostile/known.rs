//! Files in the way of faults that are known: each was an overflow, an endless loop or a bomb in a decoder
//! that this program links, linked, or stands in for. Here each is a right answer or a typed error, in
//! little time and memory. `SECURITY.md` says which fault is which decoder's.

use std::fs;
use std::time::{Duration, Instant};

use super::bombs::chunk;
use super::{assert_alive, resident_bytes, server};
use crate::library::scratch;
use crate::pixels::decode;
use crate::support::fixtures;

/// Bits, the least first, as Deflate and lossless WebP have them.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    count: usize,
}

impl Bits {
    fn put(&mut self, number: u32, width: usize) {
        for bit in 0..width {
            if self.count.is_multiple_of(8) {
                self.bytes.push(0);
            }
            let last = self.bytes.last_mut().unwrap();
            *last |= ((number >> bit & 1) as u8) << (self.count % 8);
            self.count += 1;
        }
    }
}

/// A zlib stream of so many mebibytes of zeros: 13 bits for each 258 of them.
fn zeros(mebibytes: u32) -> Vec<u8> {
    let mut bits = Bits::default();
    bits.put(0x0178, 16);
    // The last block, in fixed codes: a zero, then copies of 258 bytes from one byte before.
    bits.put(0b011, 3);
    bits.put(0b0000_1100, 8);
    for _ in 0..(mebibytes << 20) / 258 {
        bits.put(0b1010_0011, 8);
        bits.put(0, 5);
    }
    bits.put(0, 7);
    bits.bytes
}

/// A lossless WebP whose five codes give every symbol this length.
///
/// Source: RFC 9649, 3.7.2.
fn webp(length: usize) -> Vec<u8> {
    /// The order in which lengths of the code of lengths stand.
    const ORDER: [usize; 19] = [
        17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
    ];
    let mut bits = Bits::default();
    bits.put(0x2F, 8);
    for side in [64, 64] {
        bits.put(side - 1, 14);
    }
    // No opacity, version 0; no transform, no cache of colours, one group of codes.
    bits.put(0, 4);
    bits.put(0, 3);
    let place = ORDER.iter().position(|symbol| *symbol == length).unwrap();
    for _ in 0..5 {
        bits.put(0, 1);
        bits.put(place as u32 + 1 - 4, 4);
        for at in 0..=place {
            bits.put(u32::from(at == place), 3);
        }
        // All symbols of the alphabet.
        bits.put(0, 1);
    }
    bits.bytes.extend([0x5A; 400]);
    let mut bytes = b"RIFF".to_vec();
    let padded = bits.bytes.len().next_multiple_of(2);
    bytes.extend((padded as u32 + 12).to_le_bytes());
    bytes.extend(b"WEBPVP8L");
    bytes.extend((bits.bytes.len() as u32).to_le_bytes());
    bytes.extend(&bits.bytes);
    bytes.resize(20 + padded, 0);
    bytes
}

fn segment(marker: u8, content: &[u8]) -> Vec<u8> {
    let length = (content.len() as u16 + 2).to_be_bytes();
    [&[0xFF, marker], &length[..], content].concat()
}

/// A JPEG of 64 × 64 with these components (number and sampling) and these segments behind its frame.
fn jpeg(frame: u8, bits: u8, components: &[(u8, u8)], rest: &[Vec<u8>]) -> Vec<u8> {
    let mut content = vec![bits, 0, 64, 0, 64, components.len() as u8];
    content.extend((components.iter()).flat_map(|(number, sampling)| [*number, *sampling, 0]));
    let quantisers = segment(0xDB, &[&[0][..], &[1; 64]].concat());
    let rest = rest.concat();
    [
        b"\xFF\xD8",
        &quantisers[..],
        &segment(frame, &content),
        &rest,
        b"\xFF\xD9",
    ]
    .concat()
}

/// A table of one code, of one bit.
fn codes(class: u8, symbol: u8) -> Vec<u8> {
    segment(0xC4, &[&[class, 1][..], &[0; 15], &[symbol]].concat())
}

fn scan(components: &[u8], first: u8, last: u8) -> Vec<u8> {
    let mut content = vec![components.len() as u8];
    content.extend(components.iter().flat_map(|number| [*number, 0]));
    content.extend([first, last, 0]);
    [segment(0xDA, &content), vec![0; 64]].concat()
}

/// A progressive JPEG of so many scans, all but the first of no coefficients.
fn scans(count: usize) -> Vec<u8> {
    let tables = [codes(0, 0), codes(0x10, 0)].concat();
    let empty = [segment(0xDA, &[1, 1, 0, 1, 63, 0]), vec![0; 8]].concat();
    let rest = [tables, scan(&[1], 0, 0), empty.repeat(count - 1)];
    jpeg(0xC2, 8, &[(1, 0x11)], &rest)
}

fn png(chunks: &[([u8; 4], Vec<u8>)]) -> Vec<u8> {
    let whole = fs::read(fixtures().join("png/made-gray-4.png")).unwrap();
    let (head, rest) = whole.split_at(33);
    let mut bytes = head.to_vec();
    for (kind, data) in chunks {
        chunk(&mut bytes, *kind, data);
    }
    bytes.extend(rest);
    bytes
}

/// A PNG chunk of text, compressed.
fn text(kind: [u8; 4], before: &[u8], stream: &[u8]) -> ([u8; 4], Vec<u8>) {
    (kind, [before, stream].concat())
}

/// An EXIF block whose directories follow each other in a circle.
fn circle() -> Vec<u8> {
    let mut block = b"II*\0\x08\0\0\0".to_vec();
    for next in [26_u32, 8] {
        block.extend(1_u16.to_le_bytes());
        block.extend([0x69, 0x87, 4, 0, 1, 0, 0, 0]);
        block.extend(next.to_le_bytes());
        block.extend(next.to_le_bytes());
    }
    block
}

/// A gray TIFF of 64 × 64 in one strip.
fn tiff(compression: u16, strip: &[u8]) -> Vec<u8> {
    let entries: [(u16, u32); 8] = [
        (256, 64),
        (257, 64),
        (258, 8),
        (259, compression.into()),
        (262, 1),
        (273, 200),
        (278, 64),
        (279, strip.len() as u32),
    ];
    let mut bytes = b"II*\0\x08\0\0\0".to_vec();
    bytes.extend((entries.len() as u16).to_le_bytes());
    for (tag, value) in entries {
        bytes.extend(tag.to_le_bytes());
        bytes.extend([4, 0, 1, 0, 0, 0]);
        bytes.extend(value.to_le_bytes());
    }
    bytes.resize(200, 0);
    bytes.extend(strip);
    bytes
}

/// A zlib stream of 64 × 64 bytes, all 7, behind 200,000 stored blocks of nothing.
fn empty_blocks() -> Vec<u8> {
    let mut stream = vec![0x78, 0x01];
    stream.extend(b"\0\0\0\xFF\xFF".repeat(200_000));
    stream.extend([1, 0, 0x10, 0xFF, 0xEF]);
    stream.extend([7; 4096]);
    let sums = (0..4096).fold((1_u32, 0_u32), |(a, b), _| {
        let a = (a + 7) % 65_521;
        (a, (b + a) % 65_521)
    });
    stream.extend((sums.1 << 16 | sums.0).to_be_bytes());
    stream
}

fn gif(least_code: u8, code: &[u8]) -> Vec<u8> {
    let mut bytes = b"GIF89a\x40\0\x40\0\x80\0\0\0\0\0\xFF\xFF\xFF,\0\0\0\0\x40\0\x40\0\0".to_vec();
    bytes.push(least_code);
    for part in code.chunks(255) {
        bytes.push(part.len() as u8);
        bytes.extend(part);
    }
    bytes.extend(b"\0;");
    bytes
}

/// A code stream of three components, of which two are sampled by two, on an odd place of the grid.
fn j2k(grid: [u32; 8]) -> Vec<u8> {
    let mut size = vec![0, 0];
    size.extend(grid.into_iter().flat_map(u32::to_be_bytes));
    size.extend([0, 3, 7, 1, 1, 7, 2, 2, 7, 2, 2]);
    let mut bytes = [b"\xFF\x4F".to_vec(), segment(0x51, &size)].concat();
    bytes.extend(segment(0x52, &[0, 0, 0, 1, 0, 0, 4, 4, 0, 1]));
    bytes.extend(segment(0x5C, &[0x40, 0x40]));
    // One tile-part of three empty packets.
    bytes.extend(b"\xFF\x90\0\x0A\0\0\0\0\0\x11\0\x01\xFF\x93\0\0\0\xFF\xD9");
    bytes
}

fn jp2(rest: &[u8]) -> Vec<u8> {
    [
        b"\0\0\0\x0CjP  \r\n\x87\n\0\0\0\x14ftypjp2 \0\0\0\0jp2 ",
        rest,
    ]
    .concat()
}

/// Name, bytes, and the status of its information and of a picture of it.
type File = (&'static str, Vec<u8>, [u16; 2]);

/// Files for libraries that are C, or were.
fn of_libraries() -> Vec<File> {
    let colours = [(1, 0x22), (2, 0x11), (3, 0x11)];
    let tables = [codes(0, 0), codes(0x10, 0)].concat();
    vec![
        ("CVE-2023-4863.webp", webp(8), [200, 500]),
        ("CVE-2023-4863-open.webp", webp(15), [200, 500]),
        (
            "CVE-2023-2804.jpg",
            jpeg(0xC3, 12, &colours, &[scan(&[1, 2, 3], 1, 0)]),
            [501, 501],
        ),
        (
            "CVE-2012-2806.jpg",
            jpeg(
                0xC0,
                8,
                &[(1, 0x11)],
                &[tables.clone(), scan(&[1, 2, 3, 4], 0, 63)],
            ),
            [200, 500],
        ),
        (
            "CVE-2013-6629.jpg",
            jpeg(0xC0, 8, &colours, &[scan(&[1, 1, 1], 0, 63)]),
            [200, 500],
        ),
        (
            "CVE-2013-6630.jpg",
            jpeg(0xC0, 8, &colours, &[codes(0, 0), scan(&[1, 2, 3], 0, 63)]),
            [200, 500],
        ),
        ("scans.jpg", scans(20_000), [200, 413]),
    ]
}

/// PNGs that hold more than they show.
fn of_chunks() -> Vec<File> {
    let bomb = zeros(256);
    vec![
        (
            "iccp.png",
            png(&[text(*b"iCCP", b"p\0\0", &bomb)]),
            [200, 200],
        ),
        (
            "ztxt.png",
            png(&[text(*b"zTXt", b"t\0\0", &bomb)]),
            [200, 200],
        ),
        (
            "itxt.png",
            png(&[text(*b"iTXt", b"XML:com.adobe.xmp\0\x01\0\0\0", &bomb)]),
            [200, 200],
        ),
        (
            "iptc.png",
            png(&[text(*b"zTXt", b"Raw profile type iptc\0\0", &bomb)]),
            [200, 200],
        ),
        (
            "many.png",
            png(&vec![(*b"tEXt", b"a\0b".to_vec()); 100_000]),
            [200, 200],
        ),
        (
            "RUSTSEC-2021-0143.png",
            png(&[(*b"eXIf", circle())]),
            [200, 200],
        ),
    ]
}

/// Files of every other kind.
fn of_the_rest() -> Vec<File> {
    let bomb = zeros(256);
    vec![
        (
            "RUSTSEC-2024-0401.tif",
            tiff(8, &empty_blocks()),
            [200, 200],
        ),
        ("deflate.tif", tiff(8, &bomb), [200, 200]),
        // A frame that wants a window of two gibibytes.
        (
            "window.tif",
            tiff(50_000, b"\x28\xB5\x2F\xFD\0\xA8\x02\0\0\x07"),
            [200, 500],
        ),
        ("lzw.gif", gif(8, &[0xFF; 600]), [200, 500]),
        ("lzw-wide.gif", gif(12, &[0xA5; 600]), [500, 500]),
        ("lzw-none.gif", gif(0, &[0xA5; 600]), [500, 500]),
        (
            "CVE-2024-56826.j2k",
            j2k([65, 65, 1, 1, 65, 65, 0, 0]),
            [200, 200],
        ),
        (
            "CVE-2019-6988.j2k",
            j2k([60_000, 60_000, 0, 0, 1, 1, 0, 0]),
            [500, 500],
        ),
        (
            "CVE-2025-54874.jp2",
            jp2(b"\0\0\0\x08jp2h\0\0\0\x08jp2c"),
            [500, 500],
        ),
        (
            "CVE-2023-39327.jp2",
            jp2(&[
                b"\0\0\0\0jp2c",
                &j2k([64, 64, 0, 0, 1 << 31, 1 << 31, 0, 0])[..40],
            ]
            .concat()),
            [500, 500],
        ),
        (
            "RUSTSEC-2026-0151.jxl",
            b"\xFF\x0A\xF8\xFF\xFF\xFF\x3F\xFE\xFF\xFF\xFF\xFF\xFF\xFF".to_vec(),
            [500, 500],
        ),
    ]
}

/// Most time for one answer, of a server without optimisation on a busy machine.
const MOST_TIME: Duration = Duration::from_secs(10);

#[test]
fn files_in_the_way_of_known_faults_are_answers_or_typed_errors() {
    let folder = scratch("known");
    let files = [of_libraries(), of_chunks(), of_the_rest()].concat();
    for (name, bytes, _) in &files {
        assert!(bytes.len() < 3 << 20, "{name}: {}", bytes.len());
        fs::write(folder.join(name), bytes).unwrap();
    }
    // Metadata are read as well.
    let settings = [
        ("ENCODE__METADATA__EXIF", "true"),
        ("ENCODE__METADATA__XMP", "true"),
    ];
    let server = server(&folder, &settings);
    for (name, _, wanted) in &files {
        for (request, wanted) in ["info.json", "full/!32,32/0/default.png"]
            .iter()
            .zip(wanted)
        {
            let start = Instant::now();
            let answer = server.get(&format!("/iiif/3/{name}/{request}"));
            let took = start.elapsed();
            assert_eq!(
                answer.status,
                *wanted,
                "{name} {request}: {}",
                answer.text_lossy()
            );
            assert!(took < MOST_TIME, "{name} {request}: {took:?}");
        }
        let resident = resident_bytes(&server);
        assert!(resident < 200 << 20, "{name}: {} MiB", resident >> 20);
    }
    let right = server.get("/iiif/3/RUSTSEC-2024-0401.tif/full/max/0/default.png");
    assert_eq!(decode(&right).rgb(63, 63), [7; 3]);
    assert_alive(&server);
}

#[test]
fn the_decoders_that_are_told_of_are_those_that_are_locked() {
    let root = fixtures().join("..");
    let read = |name: &str| fs::read_to_string(root.join(name)).unwrap();
    let (told, lock) = (read("SECURITY.md"), read("Cargo.lock"));
    let names = told.split('`').skip(1).step_by(2);
    let versions: Vec<_> = names.filter_map(|name| name.split_once(' ')).collect();
    let versions = versions
        .into_iter()
        .filter(|(_, version)| version.starts_with(char::is_numeric));
    let versions: Vec<_> = versions.collect();
    assert!(versions.len() >= 14, "{versions:?}");
    for (name, version) in versions {
        let entry = format!("name = \"{name}\"\nversion = \"{version}\"\n");
        assert!(lock.contains(&entry), "{name} {version} is not locked");
    }
    let tests = include_str!("known.rs");
    for fault in [
        "CVE-2012-2806",
        "CVE-2013-6629",
        "CVE-2023-2804",
        "CVE-2023-4863",
        "CVE-2025-54874",
    ] {
        assert!(
            told.contains(fault) && tests.contains(&format!("\"{fault}")),
            "{fault}"
        );
    }
}
