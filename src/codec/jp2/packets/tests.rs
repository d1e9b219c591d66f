//! Fixtures read to their last byte, orders against the standard's own loops, and damage.

mod damage;
mod order;
mod packed;

use std::path::Path;

use super::*;
use crate::codec::DecodeLimits;
use crate::codec::jp2::boxes::{Container, SIGNATURE};

const EVERYTHING: Span = Span {
    start: 0,
    end: u32::MAX,
};

/// All fixtures, and how many of their bytes are code-blocks' at least.
const FILES: [(&str, u64); 19] = [
    ("file3.jp2", 241_000),
    ("high-throughput.j2c", 4_800),
    ("jp2-6res-rgb-64x56x16-multitiled-lossy.jp2", 5_900),
    ("jp2-6res-rgba-64x56x8-multitiled-reversible.jp2", 7_800),
    ("offsets-53.j2k", 45_000),
    ("offsets-97.j2k", 30_000),
    ("p0_01.j2k", 7_200),
    ("p0_02.j2k", 5_500),
    ("p0_03.j2k", 11_900),
    ("p0_10.j2k", 13_300),
    ("p0_11.j2k", 96),
    ("p0_12.j2k", 56),
    ("p0_13.j2k", 498),
    ("p0_16.j2k", 7_200),
    ("p1_01.j2k", 4_200),
    ("p1_06.j2k", 1_100),
    ("p1_07.j2k", 81),
    ("untiled-97.j2k", 24_000),
    ("validator.jp2", 32_000),
];

fn fixture(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/jp2")
        .join(name);
    std::fs::read(&path).unwrap_or_else(|cause| panic!("{}: {cause}", path.display()))
}

fn stream(bytes: &Vec<u8>) -> Result<Codestream> {
    let limits = DecodeLimits {
        max_bytes: 64 << 20,
        ..DecodeLimits::default()
    };
    let container = if bytes.starts_with(&SIGNATURE) {
        Container::read(bytes, &limits)?
    } else {
        Container::bare(bytes.len() as u64)
    };
    Codestream::read(bytes, container.codestream, &limits)
}

/// A block as it can be compared: rectangle, planes, pieces with their bytes.
type Told = (Span, Span, u8, Vec<(Vec<u8>, u8, bool)>);

/// The blocks of a window of a band.
fn told(index: &TileIndex, bytes: &Vec<u8>, band: &Subband, x: Span, y: Span) -> Vec<Told> {
    let blocks = index.blocks(bytes, band, x, y).expect("whole");
    let piece = |piece: &Piece| {
        let content = bytes.read_vec(piece.offset, piece.length.into());
        (content.expect("inside"), piece.passes, piece.starts)
    };
    let block = |block: BlockRef<'_>| {
        let pieces = block.pieces.iter().map(piece).collect();
        (block.x, block.y, block.planes, pieces)
    };
    blocks.iter().map(block).collect()
}

fn bands(index: &TileIndex) -> impl Iterator<Item = &Subband> {
    let resolutions = index.components.iter().flat_map(|c| &c.resolutions);
    resolutions.flat_map(|resolution| &resolution.bands)
}

/// The blocks of all bands of a tile.
fn all_told(index: &TileIndex, bytes: &Vec<u8>) -> Vec<Told> {
    bands(index)
        .flat_map(|band| told(index, bytes, band, EVERYTHING, EVERYTHING))
        .collect()
}

fn body_bytes(told: &[Told]) -> u64 {
    let pieces = told.iter().flat_map(|block| &block.3);
    pieces.map(|piece| piece.0.len() as u64).sum()
}

/// Bytes of a tile behind its last packet.
fn unread(bytes: &Vec<u8>, stream: &Codestream, tile: u32) -> u64 {
    let data = stream.tile_data(bytes, tile).expect("whole");
    let (components, precincts) = geometry::components(stream, tile).expect("consistent");
    let (plan, parts) = (Plan::new(stream, tile), Joined::new(&data.parts));
    let order = Order {
        components: &components,
        plan: &plan,
    };
    let packets = Packets::new(&plan, Feed::of_file(bytes, &parts), data.headers);
    let cancel = Cancel::new();
    let mut walk = Walk::new(&order, precincts as usize, packets, &cancel);
    walk.run(stream.damaged).expect("whole");
    assert!(walk.packets.is_at_end());
    parts.length() - walk.packets.position()
}

#[test]
fn every_tile_is_read_to_its_last_byte() {
    for (name, least) in FILES {
        let bytes = fixture(name);
        let stream = stream(&bytes).expect(name);
        let mut found = 0;
        for tile in 0..stream.size.tiles() {
            let index = TileIndex::read(&bytes, &stream, tile, &Cancel::new()).expect(name);
            assert_eq!(unread(&bytes, &stream, tile), 0, "{name}, tile {tile}");
            found += body_bytes(&all_told(&index, &bytes));
        }
        assert!(found >= least, "{name}: {found} bytes of code-blocks");
    }
}

#[test]
fn a_window_has_the_blocks_that_touch_it() {
    let mut random = fastrand::Rng::with_seed(15_444);
    for name in ["file3.jp2", "validator.jp2", "offsets-97.j2k", "p0_03.j2k"] {
        let bytes = fixture(name);
        let stream = stream(&bytes).expect(name);
        let index = TileIndex::read(&bytes, &stream, 0, &Cancel::new()).expect(name);
        for band in bands(&index).filter(|band| band.x.length() > 0 && band.y.length() > 0) {
            let whole = told(&index, &bytes, band, EVERYTHING, EVERYTHING);
            for _ in 0..20 {
                let mut side = |span: Span| {
                    let start = random.u32(span.start..span.end);
                    let end = random.u32(start + 1..=span.end);
                    Span { start, end }
                };
                let (x, y) = (side(band.x), side(band.y));
                let touching = whole.iter().filter(|block| {
                    block.0.intersection(x).is_some() && block.1.intersection(y).is_some()
                });
                let part = told(&index, &bytes, band, x, y);
                assert!(part.iter().eq(touching), "{name}");
            }
        }
    }
}

#[test]
fn listed_lengths_lead_to_the_same_blocks_and_wrong_ones_do_too() {
    let name = "validator.jp2";
    let bytes = fixture(name);
    let stream = stream(&bytes).expect(name);
    let walked = TileIndex::read(&bytes, &stream, 0, &Cancel::new()).expect(name);
    let listed = TileIndex::listed_from(0, &bytes, (&stream, 0), &Cancel::new()).expect(name);
    assert!(walked.listed.is_none() && listed.listed.is_some());
    assert!(listed.found().is_unread(0));
    let whole = all_told(&walked, &bytes);
    assert!(all_told(&listed, &bytes) == whole);
    assert!(all_told(&listed, &bytes) == whole);
    // One packet longer, another one shorter: the sum is right.
    let mut wrong = bytes.clone();
    let plt = bytes
        .windows(2)
        .position(|pair| pair == [0xFF, 0x58])
        .expect("PLT")
        + 2;
    let end = plt + usize::from(u16::from_be_bytes([bytes[plt], bytes[plt + 1]]));
    let short: Vec<usize> = (plt + 3..end)
        .filter(|at| (2..100).contains(&bytes[*at]))
        .collect();
    let (longer, shorter) = (short[0], short[short.len() - 1]);
    wrong[longer] += 1;
    wrong[shorter] -= 1;
    let index = TileIndex::listed_from(0, &wrong, (&stream, 0), &Cancel::new()).expect(name);
    assert!(index.listed.is_some());
    assert!(all_told(&index, &wrong) == whole);
    // The sum is wrong: the list is not believed at all.
    wrong[longer] += 1;
    let index = TileIndex::listed_from(0, &wrong, (&stream, 0), &Cancel::new()).expect(name);
    assert!(index.listed.is_none());
    assert!(all_told(&index, &wrong) == whole);
}

#[test]
fn what_is_known_of_listed_packets_makes_way_for_what_is_wanted() {
    let name = "validator.jp2";
    let bytes = fixture(name);
    let stream = stream(&bytes).expect(name);
    let index = TileIndex::listed_from(0, &bytes, (&stream, 0), &Cancel::new()).expect(name);
    let whole = all_told(&index, &bytes);
    let precincts = index.found().first.len();
    let known: Vec<(usize, u32)> = (0..precincts).map(|number| (number, 0)).collect();
    let mut found = index.found.write().expect("not poisoned");
    let fresh = Found {
        first: vec![record::NONE],
        ..Found::default()
    };
    found.add(&known[..1], &fresh, 0);
    assert!(!found.is_unread(0) && found.is_unread(1));
    assert_eq!(found.records.memory(), 0);
    *found = Found::none(precincts);
    drop(found);
    assert!(all_told(&index, &bytes) == whole);
}

#[test]
fn an_index_is_small_and_says_how_large_it_is() {
    let name = "untiled-97.j2k";
    let bytes = fixture(name);
    let stream = stream(&bytes).expect(name);
    let index = TileIndex::read(&bytes, &stream, 0, &Cancel::new()).expect(name);
    let blocks = all_told(&index, &bytes).len() as u64;
    let found = index.found().records.memory();
    assert!(
        found > blocks && found < 10 * blocks,
        "{found} bytes for {blocks} blocks"
    );
    assert!(index.bytes() > found && index.bytes() < found + 20_000);
}

#[test]
fn a_walk_ends_when_nobody_waits() {
    let name = "file3.jp2";
    let bytes = fixture(name);
    let stream = stream(&bytes).expect(name);
    let cancel = Cancel::new();
    cancel.cancel();
    let error = TileIndex::read(&bytes, &stream, 0, &cancel).expect_err("cancelled");
    assert_eq!(error.kind(), ErrorKind::Cancelled);
}
