//! Changed bytes, streams that end early, headers that announce more than there is.

use super::super::blocks::Blocks;
use super::*;

/// Walks all tiles and asks for all blocks.
fn exercise(bytes: &Vec<u8>) -> Result<usize> {
    let stream = stream(bytes)?;
    let mut blocks = 0;
    for tile in 0..stream.size.tiles().min(64) {
        let cancel = Cancel::new();
        for least in [0, u64::MAX] {
            let index = TileIndex::listed_from(least, bytes, (&stream, tile), &cancel)?;
            for band in bands(&index) {
                let found = index.blocks(bytes, band, EVERYTHING, EVERYTHING)?;
                check(&found, bytes.len() as u64);
                blocks += found.iter().count();
            }
        }
    }
    Ok(blocks)
}

/// Asserts that blocks have a size that they can have, and bytes of the file.
fn check(found: &Blocks, length: u64) {
    for block in found.iter() {
        let end = |piece: &Piece| piece.offset + u64::from(piece.length);
        assert!(block.pieces.iter().all(|piece| end(piece) <= length));
        assert!(block.x.length() > 0 && block.y.length() > 0);
        assert!(block.x.length() * block.y.length() <= 4096);
    }
}

#[test]
fn changed_bytes_give_blocks_or_typed_errors() {
    let mut random = fastrand::Rng::with_seed(10);
    let names = [
        "p0_03.j2k",
        "p1_06.j2k",
        "p0_12.j2k",
        "p0_13.j2k",
        "validator.jp2",
        "p1_01.j2k",
    ];
    let originals = names.map(fixture);
    let (mut whole, mut refused) = (0, 0);
    for round in 0..6_000 {
        let mut bytes = originals[round % originals.len()].clone();
        for _ in 0..random.usize(1..5) {
            let reach = if random.bool() {
                bytes.len().min(300)
            } else {
                bytes.len()
            };
            let at = random.usize(0..reach);
            bytes[at] = random.u8(..);
        }
        match exercise(&bytes) {
            Ok(_) => whole += 1,
            Err(error) => {
                let kind = error.kind();
                assert!(
                    matches!(
                        kind,
                        ErrorKind::Corrupt | ErrorKind::NotImplemented | ErrorKind::TooLarge
                    ),
                    "{}",
                    error.chain()
                );
                refused += 1;
            }
        }
    }
    assert!(
        whole > 500 && refused > 500,
        "{whole} whole, {refused} refused"
    );
}

/// A tile of one packet after another, with headers for gray pixels in blocks of 4 × 4.
fn one_tile(layers: u16, data: &[u8]) -> Vec<u8> {
    square(64, layers, data)
}

/// The same with so many pixels on a side.
fn square(side: u32, layers: u16, data: &[u8]) -> Vec<u8> {
    let segment = |code: u16, content: &[u8]| {
        let length = u16::try_from(content.len() + 2)
            .expect("small")
            .to_be_bytes();
        [&code.to_be_bytes(), length.as_slice(), content].concat()
    };
    let mut sizes = vec![0, 0];
    let grid = [side, side, 0, 0, side, side, 0, 0];
    sizes.extend(grid.iter().flat_map(|number| number.to_be_bytes()));
    sizes.extend([0, 1, 7, 1, 1]);
    let [high, low] = layers.to_be_bytes();
    let mut bytes = [vec![0xFF, 0x4F], segment(0xFF51, &sizes)].concat();
    bytes.extend(segment(0xFF52, &[0, 0, high, low, 0, 0, 0, 0, 0, 1]));
    bytes.extend(segment(0xFF5C, &[0x40, 0x40]));
    let length = u32::try_from(data.len() + 14).expect("small").to_be_bytes();
    bytes.extend(segment(0xFF90, &[&[0, 0], &length[..], &[0, 1]].concat()));
    bytes.extend([0xFF, 0x93]);
    bytes.extend(data);
    bytes
}

fn kind_of(bytes: &Vec<u8>) -> Option<ErrorKind> {
    exercise(bytes).err().map(|error| error.kind())
}

#[test]
fn a_tile_may_end_between_packets_and_not_inside_one() {
    let packet = first_block(5, 3);
    let whole = one_tile(5, &packet);
    assert_eq!(exercise(&whole).expect("one block, asked for twice"), 2);
    for cut in 1..packet.len() {
        let bytes = one_tile(5, &packet[..cut]);
        assert_eq!(kind_of(&bytes), Some(ErrorKind::Corrupt), "cut to {cut}");
    }
    let empty = one_tile(5, &[&packet[..], &[0, 0]].concat());
    assert_eq!(exercise(&empty).expect("whole"), 2);
}

/// A packet with a share of the first block alone, where tag trees have so many levels.
fn first_block(levels: usize, length: u8) -> Vec<u8> {
    let mut bits = vec![1_u8];
    // Inclusion from the root to the leaf: all are 0, included in the first layer.
    bits.extend(vec![1; levels]);
    // No empty planes.
    bits.extend(vec![1; levels]);
    // One pass; Lblock stays; three bits of length.
    bits.extend([0, 0]);
    bits.extend((0..3).rev().map(|bit| length >> bit & 1));
    // Three more nodes below each of the path are not 0.
    bits.extend(vec![0; 3 * (levels - 1)]);
    let mut bytes = Vec::new();
    let (mut byte, mut left) = (0_u8, 8);
    for bit in bits {
        left -= 1;
        byte |= bit << left;
        if left == 0 {
            bytes.push(byte);
            left = if byte == 0xFF { 7 } else { 8 };
            byte = 0;
        }
    }
    if left < 8 {
        bytes.push(byte);
    }
    bytes.extend(vec![0x55; usize::from(length)]);
    bytes
}

#[test]
fn more_work_than_bytes_is_corrupt_before_it_is_done() {
    // 60,000 layers, each of which says in one bit that none of the blocks is included.
    let bytes = square(256, u16::MAX, &vec![0x80; 60_000]);
    assert_eq!(exercise(&bytes).expect("cheap"), 0);
    // The first block is included, so that all have to be asked each time.
    let later = [0x80, 0, 0].repeat(65_534);
    let data = [first_block(7, 0), later].concat();
    assert_eq!(exercise(&square(256, 3, &data)).expect("three layers"), 2);
    assert_eq!(
        kind_of(&square(256, u16::MAX, &data)),
        Some(ErrorKind::Corrupt)
    );
}

#[test]
fn lengths_and_passes_beyond_all_planes_are_corrupt() {
    // Lblock grows and grows.
    let data = [
        0b1111_1111,
        0b0111_1101,
        0xFF,
        0x7F,
        0xFF,
        0x7F,
        0xFF,
        0x7F,
        0xFF,
        0x7F,
    ];
    assert_eq!(kind_of(&one_tile(1, &data)), Some(ErrorKind::Corrupt));
    // More empty planes than planes: 9 are there.
    let data = [0b1111_1100, 0, 0, 0, 0, 0, 0, 0, 0];
    assert_eq!(kind_of(&one_tile(1, &data)), Some(ErrorKind::Corrupt));
}
