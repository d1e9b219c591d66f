//! Boxes and code streams written by hand, to be wrong in one place at a time.

use super::super::boxes::SIGNATURE;

/// A box around `content`.
pub(super) fn boxed(kind: [u8; 4], content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len() + 8).expect("small");
    [&length.to_be_bytes(), kind.as_slice(), content].concat()
}

/// A segment around `content`.
pub(super) fn segment(code: u16, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len() + 2).expect("small");
    [
        &code.to_be_bytes(),
        length.to_be_bytes().as_slice(),
        content,
    ]
    .concat()
}

/// A JP2 file of `header` boxes around a code stream.
pub(super) fn jp2(header: &[Vec<u8>], codestream: &[u8]) -> Vec<u8> {
    let image = boxed(*b"ihdr", &[0, 0, 0, 1, 0, 0, 0, 1, 0, 3, 7, 7, 0, 0]);
    let header = [image, header.concat()].concat();
    [
        SIGNATURE.to_vec(),
        boxed(*b"ftyp", b"jp2 \0\0\0\0jp2 "),
        boxed(*b"jp2h", &header),
        boxed(*b"jp2c", codestream),
    ]
    .concat()
}

/// A colour specification by number.
pub(super) fn enumerated(number: u32) -> Vec<u8> {
    boxed(
        *b"colr",
        &[&[1, 0, 0], number.to_be_bytes().as_slice()].concat(),
    )
}

/// A code stream's headers, with good values for 16 × 16 gray pixels.
#[derive(Debug, Clone)]
pub(super) struct Stream {
    /// `Xsiz`, `Ysiz`, `XOsiz`, `YOsiz`, `XTsiz`, `YTsiz`, `XTOsiz`, `YTOsiz`.
    pub(super) grid: [u32; 8],
    pub(super) count: u16,
    /// Of every component: `Ssiz`, `XRsiz`, `YRsiz`.
    pub(super) component: [u8; 3],
    /// `Scod` and what follows, without precincts.
    pub(super) coding: Vec<u8>,
    pub(super) has_quantisation: bool,
    /// Further segments of the main header.
    pub(super) more: Vec<u8>,
    pub(super) tile_parts: Vec<u8>,
}

impl Default for Stream {
    fn default() -> Self {
        Self {
            grid: [16, 16, 0, 0, 16, 16, 0, 0],
            count: 1,
            component: [7, 1, 1],
            coding: vec![0, 0, 0, 1, 0, 1, 4, 4, 0, 1],
            has_quantisation: true,
            more: Vec::new(),
            tile_parts: tile_part(0, 0, 1, &[0, 0]),
        }
    }
}

impl Stream {
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut size = vec![0, 0];
        size.extend(self.grid.iter().flat_map(|number| number.to_be_bytes()));
        size.extend(self.count.to_be_bytes());
        for _ in 0..self.count {
            size.extend(self.component);
        }
        let mut bytes = [vec![0xFF, 0x4F], segment(0xFF51, &size)].concat();
        bytes.extend(segment(0xFF52, &self.coding));
        if self.has_quantisation {
            bytes.extend(segment(0xFF5C, &[0x40, 0x40, 0x48, 0x48, 0x50]));
        }
        bytes.extend(&self.more);
        bytes.extend(&self.tile_parts);
        bytes.extend([0xFF, 0xD9]);
        bytes
    }
}

/// A tile-part with nothing but `data` after its header.
pub(super) fn tile_part(tile: u16, part: u8, parts: u8, data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len() + 14).expect("small");
    let mut content = tile.to_be_bytes().to_vec();
    content.extend(length.to_be_bytes());
    content.extend([part, parts]);
    [segment(0xFF90, &content), vec![0xFF, 0x93], data.to_vec()].concat()
}
