//! A TIFF pyramid of JPEG or WebP tiles, put together field by field, in which every tile is painted with its
//! level, column and row. Beside the levels it holds pictures that are none.

use std::fs;
use std::path::Path;

/// Sides of a tile.
pub(crate) const TILE: usize = 256;

/// The whole picture: its last column of tiles is a little narrower than a tile, its last row far lower.
pub(crate) const WHOLE: (usize, usize) = (1271, 777);

/// Factor and stored sides of each level: rounded down, then up.
pub(crate) const LEVELS: [(usize, usize, usize); 4] =
    [(1, 1271, 777), (2, 635, 388), (4, 318, 195), (8, 159, 98)];

/// How a tile's stream is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Store {
    /// Luma and chroma, tables apart.
    Abbreviated,
    /// Luma and chroma, tables in every tile.
    Complete,
    /// Red, green and blue, tables apart, without a word in the stream about its colours.
    Rgb,
    /// A whole WebP, without loss.
    Webp,
}

/// The colour in the middle of a tile.
pub(crate) fn label(level: usize, column: usize, row: usize) -> [u8; 3] {
    [30 + 60 * level, 20 + 40 * column, 20 + 50 * row].map(|v| u8::try_from(v).unwrap())
}

/// Writes the pyramid.
pub(crate) fn save(path: &Path, store: Store) {
    let mut file = Tiff::new(store);
    for (level, (_, width, height)) in LEVELS.into_iter().enumerate() {
        let kind = u32::from(level > 0);
        file.add(kind, (width, height), |column, row| {
            label(level, column, row)
        });
    }
    let other = |_, _| [255, 255, 255];
    // A page with the sides of a level, a thumbnail of no whole factor, a picture of another aspect.
    file.add(2, (636, 389), other);
    file.add(1, (200, 122), other);
    file.add(1, (300, 300), other);
    fs::write(path, file.bytes()).unwrap();
}

/// A classic little-endian TIFF under way.
struct Tiff {
    store: Store,
    bytes: Vec<u8>,
    /// Where the offset of the next directory belongs.
    next_at: usize,
}

impl Tiff {
    fn new(store: Store) -> Self {
        Self {
            store,
            bytes: b"II*\0\0\0\0\0".to_vec(),
            next_at: 4,
        }
    }

    fn bytes(self) -> Vec<u8> {
        self.bytes
    }

    fn add(&mut self, kind: u32, sides: (usize, usize), colour: impl Fn(usize, usize) -> [u8; 3]) {
        let (columns, rows) = (sides.0.div_ceil(TILE), sides.1.div_ceil(TILE));
        let (mut offsets, mut lengths, mut tables) = (Vec::new(), Vec::new(), Vec::new());
        for at in 0..columns * rows {
            let stream = stream(colour(at % columns, at / columns), self.store);
            let tile = match self.store {
                Store::Webp => stream,
                Store::Complete => split(&stream).0.1,
                Store::Abbreviated | Store::Rgb => {
                    let ((apart, _), tile) = split(&stream);
                    tables = apart;
                    tile
                }
            };
            offsets.push(self.append(&tile));
            lengths.push(tile.len() as u32);
        }
        let (compression, ink) = match self.store {
            Store::Webp => (50001, 2),
            Store::Rgb => (7, 2),
            Store::Abbreviated | Store::Complete => (7, 6),
        };
        let mut fields = vec![
            (254_u16, 4_u16, vec![kind]),
            (256, 4, vec![sides.0 as u32]),
            (257, 4, vec![sides.1 as u32]),
            (258, 3, vec![8, 8, 8]),
            (259, 3, vec![compression]),
            (262, 3, vec![ink]),
            (277, 3, vec![3]),
            (322, 4, vec![TILE as u32]),
            (323, 4, vec![TILE as u32]),
            (324, 4, offsets),
            (325, 4, lengths),
        ];
        if !tables.is_empty() {
            fields.push((347, 7, tables.iter().copied().map(u32::from).collect()));
        }
        self.directory(&fields);
    }

    /// Appends bytes at an even offset, and gives that.
    fn append(&mut self, bytes: &[u8]) -> u32 {
        self.bytes.resize(self.bytes.len().next_multiple_of(2), 0);
        let offset = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        offset as u32
    }

    fn directory(&mut self, fields: &[(u16, u16, Vec<u32>)]) {
        let mut body = (fields.len() as u16).to_le_bytes().to_vec();
        for (tag, kind, values) in fields {
            let width = match kind {
                3 => 2,
                7 => 1,
                _ => 4,
            };
            let value: Vec<u8> = values
                .iter()
                .flat_map(|value| value.to_le_bytes()[..width].to_vec())
                .collect();
            body.extend(tag.to_le_bytes());
            body.extend(kind.to_le_bytes());
            body.extend((values.len() as u32).to_le_bytes());
            if value.len() > 4 {
                body.extend(self.append(&value).to_le_bytes());
            } else {
                body.extend(&value);
                body.resize(body.len() + 4 - value.len(), 0);
            }
        }
        let next = body.len();
        body.extend([0; 4]);
        let offset = self.append(&body);
        self.bytes[self.next_at..self.next_at + 4].copy_from_slice(&offset.to_le_bytes());
        self.next_at = offset as usize + next;
    }
}

/// A tile whose middle has one colour and whose edges have another, with noise that no two pixels share.
fn stream(colour: [u8; 3], store: Store) -> Vec<u8> {
    let mut pixels = Vec::with_capacity(TILE * TILE * 3);
    for at in 0..TILE * TILE {
        let (x, y) = (at % TILE, at / TILE);
        let noise = ((x * 7 + y * 13 + x * y) % 5) as u8;
        let edge = u8::from(x % 64 == 0 || y % 64 == 0) * 9;
        pixels.extend(colour.map(|v| v.saturating_sub(2).saturating_add(noise + edge)));
    }
    let mut bytes = Vec::new();
    if store == Store::Webp {
        let side = TILE as u32;
        image_webp::WebPEncoder::new(&mut bytes)
            .encode(&pixels, side, side, image_webp::ColorType::Rgb8)
            .unwrap();
        return bytes;
    }
    let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, 90);
    let mut kind = jpeg_encoder::ColorType::Rgb;
    encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::F_2_2);
    if store == Store::Rgb {
        // The encoder takes ready luma and chroma as they are: here they are red, green and blue.
        kind = jpeg_encoder::ColorType::Ycbcr;
        encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::F_1_1);
    }
    let side = TILE as u16;
    encoder.encode(&pixels, side, side, kind).unwrap();
    bytes
}

/// The tables of a stream as a stream of their own, the stream without a word about colours, and what is
/// left of it without tables.
fn split(stream: &[u8]) -> ((Vec<u8>, Vec<u8>), Vec<u8>) {
    let mut tables = vec![0xff, 0xd8];
    let (mut complete, mut tile) = (tables.clone(), tables.clone());
    let mut at = 2;
    loop {
        let marker = stream[at + 1];
        let length = 2 + usize::from(u16::from_be_bytes([stream[at + 2], stream[at + 3]]));
        let segment = &stream[at..at + length];
        match marker {
            0xdb | 0xc4 => {
                tables.extend_from_slice(segment);
                complete.extend_from_slice(segment);
            }
            0xe0..=0xef => {}
            _ => {
                complete.extend_from_slice(segment);
                tile.extend_from_slice(segment);
            }
        }
        at += length;
        if marker == 0xda {
            break;
        }
    }
    tables.extend([0xff, 0xd9]);
    complete.extend_from_slice(&stream[at..]);
    tile.extend_from_slice(&stream[at..]);
    ((tables, complete), tile)
}
