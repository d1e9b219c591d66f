//! Headers that claim more pixels than anything holds: answered quickly, in words, in little memory.

use std::fs;
use std::time::{Duration, Instant};

use super::{assert_alive, resident_bytes, server};
use crate::library::scratch;

/// A side that every bomb claims; its square is 3.6 thousand million pixels.
const SIDE: u32 = 60_000;

/// Most memory that the server may hold after all of them.
const MOST_RESIDENT_BYTES: u64 = 200 << 20;

fn png(side: u32, color_type: u8) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1A\n".to_vec();
    let ihdr = [
        &side.to_be_bytes()[..],
        &side.to_be_bytes(),
        &[8, color_type, 0, 0, 0],
    ]
    .concat();
    chunk(&mut bytes, *b"IHDR", &ihdr);
    // A zlib stream of stored zeros that ends far too early.
    chunk(
        &mut bytes,
        *b"IDAT",
        &[0x78, 0x01, 0x00, 0x04, 0x00, 0xFB, 0xFF, 0, 0, 0, 0],
    );
    chunk(&mut bytes, *b"IEND", &[]);
    bytes
}

pub(super) fn chunk(bytes: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) {
    bytes.extend((data.len() as u32).to_be_bytes());
    let body = [&kind[..], data].concat();
    bytes.extend(&body);
    bytes.extend(crc(&body).to_be_bytes());
}

/// CRC-32 of ISO 3309, as PNG has it.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg())
        })
    })
}

fn jpeg(progressive: bool) -> Vec<u8> {
    let side = (SIDE as u16).to_be_bytes();
    let mut bytes = b"\xFF\xD8\xFF\xDB\0\x43\0".to_vec();
    bytes.extend([1; 64]);
    bytes.extend([0xFF, if progressive { 0xC2 } else { 0xC0 }, 0, 17, 8]);
    bytes.extend(side);
    bytes.extend(side);
    bytes.extend([3, 1, 0x22, 0, 2, 0x11, 0, 3, 0x11, 0]);
    for class in [0x00, 0x10] {
        bytes.extend([0xFF, 0xC4, 0, 20, class, 1]);
        bytes.extend([0; 15]);
        bytes.push(0);
    }
    let last = if progressive { 0 } else { 63 };
    bytes.extend([0xFF, 0xDA, 0, 12, 3, 1, 0, 2, 0, 3, 0, 0, last, 0]);
    bytes.extend([0, 0, 0xFF, 0xD9]);
    bytes
}

fn gif() -> Vec<u8> {
    let side = (SIDE as u16).to_le_bytes();
    let mut bytes = b"GIF89a".to_vec();
    bytes.extend(side);
    bytes.extend(side);
    bytes.extend([0x80, 0, 0, 0, 0, 0, 255, 255, 255, b',', 0, 0, 0, 0]);
    bytes.extend(side);
    bytes.extend(side);
    bytes.extend([0, 2, 2, 0x4C, 0x01, 0, b';']);
    bytes
}

fn bmp(bits: u16) -> Vec<u8> {
    let mut bytes = b"BM".to_vec();
    bytes.extend(1000_u32.to_le_bytes());
    bytes.extend([0; 4]);
    bytes.extend(54_u32.to_le_bytes());
    bytes.extend(40_u32.to_le_bytes());
    bytes.extend(SIDE.to_le_bytes());
    bytes.extend(SIDE.to_le_bytes());
    bytes.extend(1_u16.to_le_bytes());
    bytes.extend(bits.to_le_bytes());
    bytes.extend([0; 24 + 100]);
    bytes
}

fn webp() -> Vec<u8> {
    // VP8X holds sides less one in 24 bits; the VP8L part claims its own 14 bits.
    let side = (SIDE - 1).to_le_bytes();
    let mut bytes = b"RIFF\x2A\0\0\0WEBPVP8X\x0A\0\0\0\0\0\0\0".to_vec();
    bytes.extend(&side[..3]);
    bytes.extend(&side[..3]);
    bytes.extend(b"VP8L\x08\0\0\0\x2F\xFF\xFF\xFF\x0F\0\0\0");
    bytes
}

/// One strip of everything, or tiles of 16 × 16.
fn tiff(tiled: bool) -> Vec<u8> {
    let mut entries: Vec<(u16, u16, u32, u32)> = vec![
        (256, 4, 1, SIDE),
        (257, 4, 1, SIDE),
        (258, 3, 1, 8),
        (259, 3, 1, if tiled { 8 } else { 5 }),
        (262, 3, 1, 1),
        (277, 3, 1, 1),
    ];
    if tiled {
        let tiles = SIDE.div_ceil(16).pow(2);
        entries.extend([
            (322, 4, 1, 16),
            (323, 4, 1, 16),
            (324, 4, tiles, 200),
            (325, 4, tiles, 200),
        ]);
    } else {
        entries.extend([(273, 4, 1, 200), (278, 4, 1, SIDE), (279, 4, 1, 4)]);
    }
    entries.sort_unstable();
    let mut bytes = b"II*\0\x08\0\0\0".to_vec();
    bytes.extend((entries.len() as u16).to_le_bytes());
    for (tag, kind, count, value) in entries {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(kind.to_le_bytes());
        bytes.extend(count.to_le_bytes());
        bytes.extend(value.to_le_bytes());
    }
    bytes.extend([0; 4]);
    bytes.resize(200, 0);
    bytes.extend([0x80, 0x0B, 0x60, 0x50]);
    bytes
}

/// A JPEG 2000 code stream of one tile, or of 60000 × 60000 tiles of one pixel.
fn j2k(tile: u32) -> Vec<u8> {
    let mut siz = vec![0_u8, 0];
    for value in [SIDE, SIDE, 0, 0, tile, tile, 0, 0] {
        siz.extend(value.to_be_bytes());
    }
    siz.extend([0, 3, 7, 1, 1, 7, 1, 1, 7, 1, 1]);
    let mut bytes = b"\xFF\x4F\xFF\x51".to_vec();
    bytes.extend((siz.len() as u16 + 2).to_be_bytes());
    bytes.extend(siz);
    bytes.extend(b"\xFF\x52\0\x0C\0\0\0\x01\0\x05\x04\x04\0\x01");
    bytes.extend(b"\xFF\x5C\0\x13\x40");
    bytes.extend([0x40; 16]);
    bytes.extend(b"\xFF\x90\0\x0A\0\0\0\0\0\0\0\x01\xFF\x93\0\0\xFF\xD9");
    bytes
}

fn jp2(codestream: &[u8]) -> Vec<u8> {
    let boxed = |kind: &[u8; 4], data: &[u8]| {
        [&(data.len() as u32 + 8).to_be_bytes()[..], kind, data].concat()
    };
    let ihdr = [
        &SIDE.to_be_bytes()[..],
        &SIDE.to_be_bytes(),
        &[0, 3, 7, 7, 0, 0],
    ]
    .concat();
    let header = [
        boxed(b"ihdr", &ihdr),
        boxed(b"colr", &[1, 0, 0, 0, 0, 0, 16]),
    ]
    .concat();
    [
        boxed(b"jP  ", &[0x0D, 0x0A, 0x87, 0x0A]),
        boxed(b"ftyp", b"jp2 \0\0\0\0jp2 "),
        boxed(b"jp2h", &header),
        boxed(b"jp2c", codestream),
    ]
    .concat()
}

fn bombs() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("gray.png", png(SIDE, 0)),
        ("rgba.png", png(SIDE, 6)),
        ("largest.png", png(0x7FFF_FFFF, 2)),
        ("baseline.jpg", jpeg(false)),
        ("progressive.jpg", jpeg(true)),
        ("plain.gif", gif()),
        ("24.bmp", bmp(24)),
        ("1.bmp", bmp(1)),
        ("extended.webp", webp()),
        ("strip.tif", tiff(false)),
        ("tiles.tif", tiff(true)),
        ("one-tile.j2k", j2k(SIDE)),
        ("pixel-tiles.j2k", j2k(1)),
        ("one-tile.jp2", jp2(&j2k(SIDE))),
    ]
}

#[test]
fn claims_of_60000_by_60000_are_answered_at_once_in_little_memory() {
    let folder = scratch("bombs");
    let bombs = bombs();
    for (name, bytes) in &bombs {
        fs::write(folder.join(name), bytes).unwrap();
    }
    let server = server(&folder, &[("LIMITS__DECODE_BYTES", "100000000")]);
    for (name, _) in &bombs {
        for request in [
            "info.json",
            "full/!200,200/0/default.jpg",
            "0,0,256,256/max/0/default.png",
        ] {
            let start = Instant::now();
            let answer = server.get(&format!("/iiif/3/{name}/{request}"));
            let took = start.elapsed();
            assert!(took < Duration::from_secs(5), "{name} {request}: {took:?}");
            assert!(
                matches!(answer.status, 200 | 413 | 500 | 501 | 503),
                "{name} {request}: {}",
                answer.status
            );
            if answer.status != 200 {
                assert_eq!(answer.header("content-type"), "application/problem+json");
            }
        }
        let resident = resident_bytes(&server);
        assert!(
            resident < MOST_RESIDENT_BYTES,
            "{name}: {} MiB",
            resident >> 20
        );
    }
    assert_alive(&server);
}
