//! HEIF containers whose tables cost far more than the file: places without bytes, and one part in a grid
//! of tens of thousands.

use std::fs;
use std::time::{Duration, Instant};

use super::{assert_alive, resident_bytes, server};
use crate::library::scratch;

fn boxed(kind: [u8; 4], content: &[&[u8]]) -> Vec<u8> {
    let content = content.concat();
    let length = (content.len() as u32 + 8).to_be_bytes();
    [&length[..], &kind, &content].concat()
}

/// An entry of an item.
fn entry(id: u16, kind: [u8; 4]) -> Vec<u8> {
    boxed(
        *b"infe",
        &[&[2, 0, 0, 0], &id.to_be_bytes(), &[0, 0], &kind, &[0]],
    )
}

fn entries(all: &[Vec<u8>]) -> Vec<u8> {
    let count = (all.len() as u16).to_be_bytes();
    boxed(*b"iinf", &[&[0; 4], &count, &all.concat()])
}

/// A file of these boxes, of which the first item counts.
fn file(boxes: &[&[u8]]) -> Vec<u8> {
    let primary = boxed(*b"pitm", &[&[0, 0, 0, 0, 0, 1]]);
    let meta = boxed(*b"meta", &[&[0; 4], &primary, &boxes.concat()]);
    [boxed(*b"ftyp", &[b"avif\0\0\0\0mif1"]), meta].concat()
}

/// 4000 items with 65,535 places each, which take no bytes: 262 million in 120 KB.
fn places() -> Vec<u8> {
    let ids = 1..=4000_u16;
    let all: Vec<_> = ids.clone().map(|id| entry(id, *b"av01")).collect();
    let mut places = vec![0, 0, 0, 0, 0, 0];
    places.extend(4000_u16.to_be_bytes());
    for id in ids {
        places.extend(id.to_be_bytes());
        places.extend([0, 0, 0xFF, 0xFF]);
    }
    file(&[&entries(&all), &boxed(*b"iloc", &[&places])])
}

/// A grid of 256 × 255 parts that are one item of 65,535 places.
fn grid() -> Vec<u8> {
    let items = [entry(1, *b"grid"), entry(2, *b"av01")];
    // Both in `idat`, by places of four bytes and lengths of four.
    let mut places = vec![1, 0, 0, 0, 0x44, 0, 0, 2];
    places.extend([0, 1, 0, 1, 0, 0, 0, 1]);
    places.extend([0, 0, 0, 0, 0, 0, 0, 8]);
    places.extend([0, 2, 0, 1, 0, 0, 0xFF, 0xFF]);
    places.extend([0, 0, 0, 0, 0, 0, 0, 1].repeat(65_535));
    // 16,384 × 16,320 of 64 × 64.
    let data = boxed(*b"idat", &[&[0, 0, 254, 255, 0x40, 0, 0x3F, 0xC0]]);
    let size = boxed(*b"ispe", &[&[0; 4], &[0, 0, 0, 64, 0, 0, 0, 64]]);
    let coded = boxed(*b"av1C", &[&[0x81, 0, 0x0C, 0]]);
    let said = boxed(*b"ipco", &[&size, &coded]);
    let whose = boxed(*b"ipma", &[&[0; 4], &[0, 0, 0, 1, 0, 2, 2, 1, 2]]);
    let parts = [0_u8, 2].repeat(65_280);
    let made = boxed(*b"dimg", &[&[0, 1], &65_280_u16.to_be_bytes(), &parts]);
    file(&[
        &entries(&items),
        &boxed(*b"iloc", &[&places]),
        &data,
        &boxed(*b"iprp", &[&said, &whose]),
        &boxed(*b"iref", &[&[0; 4], &made]),
    ])
}

#[test]
fn items_without_bytes_and_parts_that_are_one_cost_no_more_than_the_limits() {
    let folder = scratch("heif");
    let cases = [("places.avif", places(), 413), ("grid.avif", grid(), 500)];
    for (name, bytes, _) in &cases {
        fs::write(folder.join(name), bytes).unwrap();
    }
    let server = server(&folder, &[]);
    for (name, _, wanted) in &cases {
        for request in ["info.json", "full/!32,32/0/default.jpg"] {
            let start = Instant::now();
            let answer = server.get(&format!("/iiif/3/{name}/{request}"));
            let took = start.elapsed();
            let words = answer.text_lossy();
            assert_eq!(answer.status, *wanted, "{name} {request}: {words}");
            assert!(took < Duration::from_secs(5), "{name} {request}: {took:?}");
        }
        let resident = resident_bytes(&server);
        assert!(resident < 150 << 20, "{name}: {} MiB", resident >> 20);
    }
    assert_alive(&server);
}
