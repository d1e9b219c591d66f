//! The headers of a BMP → its dimensions, what its bits mean, its palette, and where its pixels lie.
//!
//! Refuses what this room does not read, with the reason. No pixel is read here.
//!
//! Source: Microsoft, "Bitmap Header Types" (`BITMAPCOREHEADER` to `BITMAPV5HEADER`) and "Bitmap
//! Compression"; IBM, "OS/2 Presentation Manager Programming Reference", `BITMAPINFOHEADER2`.

use crate::codec::DecodeLimits;
use crate::codec::open::dimensions_within;
use crate::error::{Error, Result};
use crate::geometry::Dimensions;
use crate::raster::{Channels, PixelFormat};
use crate::reader::{RangeReader, past_the_end};

use super::mask::Mask;

/// Bytes before the bitmap header.
pub(super) const FILE_HEADER_BYTES: u64 = 14;

/// Length of a `BITMAPCOREHEADER`, whose fields and palette entries are shorter.
const CORE_BYTES: u32 = 12;

/// Length of a `BITMAPINFOHEADER`, behind which masks stand that longer ones hold.
pub(super) const INFO_BYTES: u32 = 40;

/// Length of a `BITMAPV5HEADER`.
pub(super) const V5_BYTES: u32 = 124;

/// How pixels are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    /// Places in the palette, the first in the highest bits.
    Indices,
    /// Blue, green and red, a byte each.
    Bytes,
    /// Numbers of which masks take red, green, blue and opacity.
    Masks([Mask; 4]),
    /// Run lengths of places in the palette, or of blue, green and red.
    Runs,
}

/// What the headers say.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) dimensions: Dimensions,
    /// The first row that is stored is the upper one.
    pub(super) top_down: bool,
    /// Of a pixel.
    pub(super) bits: u16,
    pub(super) coding: Coding,
    /// Red, green, blue; what lies beyond is black.
    pub(super) palette: Vec<[u8; 3]>,
    /// Where the pixels begin.
    pub(super) start: u64,
}

impl Header {
    /// Reads the headers of a BMP.
    pub(super) fn read(reader: &dyn RangeReader, limits: &DecodeLimits) -> Result<Self> {
        let fields = Fields::read(reader)?;
        let short = fields.length == CORE_BYTES;
        let (width, height, bits) = if short {
            (
                i64::from(fields.word(4)),
                i64::from(fields.word(6)),
                fields.word(10),
            )
        } else {
            (
                i64::from(fields.long(4).cast_signed()),
                i64::from(fields.long(8).cast_signed()),
                fields.word(14),
            )
        };
        let side = |side: i64| u32::try_from(side).unwrap_or(0);
        let dimensions = dimensions_within(side(width), side(height.abs()), limits)?;
        let (coding, masks) = coding(&fields, reader, bits)?;
        let entry = if short { 3 } else { 4 };
        let table = FILE_HEADER_BYTES + u64::from(fields.length) + masks;
        let start = u64::from(fields.start);
        let header = Self {
            palette: palette(reader, table, start, entry, bits)?,
            dimensions,
            top_down: height < 0,
            bits,
            coding,
            start,
        };
        if coding != Coding::Runs && header.end() > reader.length() {
            return Err(past_the_end());
        }
        Ok(header)
    }

    /// Bytes from one row to the next, where rows are stored as they are.
    pub(super) fn stride(&self) -> u64 {
        (u64::from(self.dimensions.width) * u64::from(self.bits)).div_ceil(32) * 4
    }

    /// Where the last pixel ends: writers leave out what fills the last row up.
    fn end(&self) -> u64 {
        let row = (u64::from(self.dimensions.width) * u64::from(self.bits)).div_ceil(8);
        self.start + (u64::from(self.dimensions.height) - 1) * self.stride() + row
    }

    /// What leaves this room: RGB, with opacity where a mask takes it.
    pub(super) fn format(&self) -> PixelFormat {
        let opaque = match self.coding {
            Coding::Masks([_, _, _, alpha]) => alpha.is_empty(),
            Coding::Indices | Coding::Bytes | Coding::Runs => true,
        };
        PixelFormat::eight(if opaque {
            Channels::Rgb
        } else {
            Channels::Rgba
        })
    }

    /// The colour at a place of the palette.
    pub(super) fn colour(&self, place: u8) -> [u8; 3] {
        self.palette
            .get(usize::from(place))
            .copied()
            .unwrap_or_default()
    }
}

/// The bitmap header's bytes. Fields beyond its length are 0, as those of OS/2's shorter ones.
struct Fields {
    /// Where the file header says that the pixels begin.
    start: u32,
    length: u32,
    bytes: Vec<u8>,
}

impl Fields {
    fn read(reader: &dyn RangeReader) -> Result<Self> {
        let four = |at| -> Result<u32> {
            let mut bytes = [0; 4];
            reader.read(at, &mut bytes)?;
            Ok(u32::from_le_bytes(bytes))
        };
        let length = four(FILE_HEADER_BYTES)?;
        let bytes = reader.read_vec(FILE_HEADER_BYTES, u64::from(length.min(V5_BYTES)))?;
        Ok(Self {
            start: four(10)?,
            length,
            bytes,
        })
    }

    fn word(&self, at: usize) -> u16 {
        let bytes = self.bytes.get(at..at + 2).and_then(<[u8]>::as_array);
        bytes.map_or(0, |bytes| u16::from_le_bytes(*bytes))
    }

    fn long(&self, at: usize) -> u32 {
        let bytes = self.bytes.get(at..at + 4).and_then(<[u8]>::as_array);
        bytes.map_or(0, |bytes| u32::from_le_bytes(*bytes))
    }

    /// Whether it is of OS/2's second kind, whose compressions 3 and 4 are others.
    fn is_os2(&self) -> bool {
        (CORE_BYTES + 1..=64).contains(&self.length) && !matches!(self.length, 40 | 52 | 56)
    }

    /// The masks of a header that has them, or that has them behind it.
    fn masks(&self, reader: &dyn RangeReader, count: u32) -> Result<(Coding, u64)> {
        let mut masks = [0; 4];
        let mut behind = 0;
        if self.length == INFO_BYTES {
            behind = 4 * u64::from(count);
            let bytes = reader.read_vec(FILE_HEADER_BYTES + u64::from(INFO_BYTES), behind)?;
            for (mask, bytes) in masks.iter_mut().zip(bytes.as_chunks::<4>().0) {
                *mask = u32::from_le_bytes(*bytes);
            }
        } else {
            masks = [40, 44, 48, 52].map(|at| self.long(at));
        }
        let [red, green, blue, alpha] = masks;
        let masks = [
            Mask::new(red)?,
            Mask::new(green)?,
            Mask::new(blue)?,
            Mask::new(alpha)?,
        ];
        Ok((Coding::Masks(masks), behind))
    }
}

/// How pixels are stored, and the bytes of masks between header and palette.
fn coding(fields: &Fields, reader: &dyn RangeReader, bits: u16) -> Result<(Coding, u64)> {
    let compression = if fields.length == CORE_BYTES {
        0
    } else {
        fields.long(16)
    };
    let plain = |coding| Ok((coding, 0));
    match (compression, bits, fields.is_os2()) {
        (0, 1 | 2 | 4 | 8, _) => plain(Coding::Indices),
        (0, 16, _) => plain(Coding::Masks(Mask::FIVES)),
        (0, 24, _) => plain(Coding::Bytes),
        (0, 32, _) => plain(Coding::Masks(Mask::EIGHTS)),
        (1, 8, _) | (2, 4, _) | (4, 24, true) => plain(Coding::Runs),
        (3, 16 | 32, false) => fields.masks(reader, 3),
        (6, 16 | 32, false) => fields.masks(reader, 4),
        (3, 1, true) => Err(Error::unsupported("a BMP of Huffman codes")),
        (4 | 5, _, false) => Err(Error::unsupported("a BMP that holds a JPEG or PNG")),
        _ => Err(Error::unsupported(format!(
            "a BMP of {bits} bits a pixel and compression {compression}"
        ))),
    }
}

/// The palette, as much of it as stands before the pixels.
fn palette(
    reader: &dyn RangeReader,
    table: u64,
    start: u64,
    entry: u64,
    bits: u16,
) -> Result<Vec<[u8; 3]>> {
    if bits > 8 {
        return Ok(Vec::new());
    }
    let room = start
        .checked_sub(table)
        .ok_or_else(|| Error::corrupt("its pixels begin within its headers"))?;
    let count = (1 << bits).min(room / entry);
    let bytes = reader.read_vec(table, count * entry)?;
    let step = if entry == 3 { 3 } else { 4 };
    let colours = bytes.chunks_exact(step);
    Ok(colours
        .map(|entry| [entry[2], entry[1], entry[0]])
        .collect())
}
