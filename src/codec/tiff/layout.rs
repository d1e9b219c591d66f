//! One directory → everything that decoding its pixels takes: grid, bytes of every tile,
//! compression, meaning of the samples.
//!
//! Refuses at once what this room does not read. Nothing of the pixels is read here.

use std::fmt::Write as _;
use std::sync::Arc;

use bytes::Bytes;

use crate::codec::DecodeLimits;
use crate::error::{Error, Result};
use crate::geometry::Dimensions;

use super::directory::{Directory, File};
use super::grid::Grid;
use super::jpeg_tile;
use super::pixels::{Ink, Pixels};
use super::samples::RowFormat;
use super::{tags, zstandard};

/// How tiles are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    Stored,
    Lzw,
    Deflate,
    PackBits,
    Zstandard,
    Jpeg,
    Webp,
}

impl Compression {
    /// Whether a tile is a picture of its own, which is decoded whole.
    pub(super) const fn is_picture(self) -> bool {
        matches!(self, Self::Jpeg | Self::Webp)
    }
}

/// Where a tile lies in the file; both 0 for a tile that was never written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TileBytes {
    pub(super) offset: u64,
    pub(super) length: u64,
}

/// A level as it is stored.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) grid: Grid,
    pub(super) pixels: Pixels,
    pub(super) compression: Compression,
    /// Every sample of a pixel in a plane of its own.
    pub(super) separate: bool,
    /// Bits of every byte are stored in reverse.
    pub(super) reversed: bool,
    /// How samples stand in a tile's rows.
    pub(super) row: RowFormat,
    /// What abbreviated JPEG tiles leave out.
    pub(super) jpeg_tables: Option<Arc<[u8]>>,
    /// What stands before a tile that is an answer as it is.
    pub(super) jpeg_head: Option<Bytes>,
    offsets: Vec<u64>,
    lengths: Vec<u64>,
    longest: u64,
}

impl Layout {
    /// Reads how the picture in `directory` is stored.
    pub(super) fn read(file: &File, directory: &Directory, limits: &DecodeLimits) -> Result<Self> {
        let compression = compression(file, directory)?;
        let pixels = Pixels::read(file, directory)?;
        let grid = Grid::read(file, directory, limits)?;
        let planar = file.number(directory, tags::PLANAR_CONFIGURATION)?;
        let separate = planar == Some(2) && pixels.samples > 1;
        check_together(compression, &pixels, separate)?;
        let (offsets, lengths) = tile_bytes(file, directory, &grid, separate, pixels.samples)?;
        let jpeg_tables = if compression == Compression::Jpeg {
            file.bytes(directory, tags::JPEG_TABLES, limits.max_metadata_bytes)?
        } else {
            None
        };
        let mut layout = Self {
            row: RowFormat {
                bits: pixels.bits,
                order: file.order,
                predictor: predictor(file, directory, compression, pixels.bits)?,
                spread: pixels.spread(),
                samples: if separate { 1 } else { pixels.samples },
            },
            reversed: !compression.is_picture()
                && file.number(directory, tags::FILL_ORDER)? == Some(2),
            jpeg_tables: jpeg_tables.map(Arc::from),
            jpeg_head: None,
            grid,
            pixels,
            compression,
            separate,
            longest: lengths.iter().copied().max().unwrap_or(0),
            offsets,
            lengths,
        };
        layout.jpeg_head = jpeg_tile::head(&layout);
        Ok(layout)
    }

    /// Where the tile of `plane` at `row` and `column` of the grid lies.
    pub(super) fn tile(&self, plane: usize, row: u32, column: u32) -> TileBytes {
        let cell = u64::from(row) * u64::from(self.grid.columns) + u64::from(column);
        let index = plane as u64 * self.grid.tiles() + cell;
        let at = usize::try_from(index).unwrap_or(usize::MAX);
        let of = |all: &[u64]| all.get(at).copied().unwrap_or(0);
        TileBytes {
            offset: of(&self.offsets),
            length: of(&self.lengths),
        }
    }

    /// Bytes of the longest tile, as stored.
    pub(super) fn longest(&self) -> u64 {
        self.longest
    }

    /// Bytes of one row of a tile, decompressed.
    pub(super) fn row_bytes(&self) -> u64 {
        let bits =
            u64::from(self.grid.tile.width) * self.row.samples as u64 * u64::from(self.pixels.bits);
        bits.div_ceil(8)
    }

    /// The stored planes that have to be read: for each the samples that are picked from its rows.
    pub(super) fn planes(&self) -> Vec<(usize, Vec<usize>)> {
        if self.separate {
            return self
                .pixels
                .picks
                .iter()
                .map(|plane| (*plane, vec![0]))
                .collect();
        }
        vec![(0, self.pixels.picks.clone())]
    }

    /// The cells of a level that can be read one by one in both directions.
    pub(super) fn cells(&self) -> Option<Dimensions> {
        self.grid.tiled.then_some(self.grid.tile)
    }

    /// For people: `tiled 256×256, JPEG`.
    pub(super) fn describe(&self) -> String {
        let Dimensions { width, height } = self.grid.tile;
        let mut text = String::new();
        let cells = match (self.grid.tiled, self.grid.rows) {
            (true, _) => write!(text, "tiled {width}×{height}"),
            (false, 1) => write!(text, "one strip"),
            (false, _) => write!(text, "strips of {height} rows"),
        };
        cells.expect("a string takes all text");
        text.push_str(match self.compression {
            Compression::Stored => ", uncompressed",
            Compression::Lzw => ", LZW",
            Compression::Deflate => ", Deflate",
            Compression::PackBits => ", PackBits",
            Compression::Zstandard => ", Zstandard",
            Compression::Jpeg => ", JPEG",
            Compression::Webp => ", WebP",
        });
        if self.separate {
            text.push_str(", separate planes");
        }
        text
    }
}

fn compression(file: &File, directory: &Directory) -> Result<Compression> {
    let name = match file.number(directory, tags::COMPRESSION)?.unwrap_or(1) {
        1 => return Ok(Compression::Stored),
        5 => return Ok(Compression::Lzw),
        7 => return Ok(Compression::Jpeg),
        8 | 32946 => return Ok(Compression::Deflate),
        32773 => return Ok(Compression::PackBits),
        50000 if zstandard::AVAILABLE => return Ok(Compression::Zstandard),
        50001 => return Ok(Compression::Webp),
        2..=4 => "CCITT",
        6 => "JPEG as before Technical Note 2",
        33003 | 33005 | 34712 => "JPEG 2000",
        34887 => "LERC",
        34925 => "LZMA",
        50000 => "Zstandard, which this build does not read",
        50002 => "JPEG XL",
        other => {
            return Err(Error::unsupported(format!("TIFF compression {other}")));
        }
    };
    Err(Error::unsupported(format!("TIFF compression {name}")))
}

fn predictor(
    file: &File,
    directory: &Directory,
    compression: Compression,
    bits: u8,
) -> Result<bool> {
    // The tag counts for these alone, as in libtiff.
    if !matches!(
        compression,
        Compression::Lzw | Compression::Deflate | Compression::Zstandard
    ) {
        return Ok(false);
    }
    match file.number(directory, tags::PREDICTOR)?.unwrap_or(1) {
        1 => Ok(false),
        2 if bits >= 8 => Ok(true),
        2 => Err(Error::unsupported(format!(
            "a predictor on samples of {bits} bits"
        ))),
        other => Err(Error::unsupported(format!("TIFF predictor {other}"))),
    }
}

/// Refuses pixels that the compression cannot hold or that are not read from it.
fn check_together(compression: Compression, pixels: &Pixels, separate: bool) -> Result<()> {
    if compression == Compression::Webp {
        return check_webp(pixels, separate);
    }
    if compression != Compression::Jpeg {
        if pixels.is_ycbcr() {
            return Err(Error::unsupported("YCbCr colours outside JPEG"));
        }
        return Ok(());
    }
    if pixels.bits != 8 {
        return Err(Error::unsupported(format!(
            "JPEG tiles of {} bits",
            pixels.bits
        )));
    }
    if matches!(pixels.ink, Ink::Palette(_)) {
        return Err(Error::unsupported("a palette in JPEG tiles"));
    }
    if separate && pixels.is_ycbcr() {
        return Err(Error::unsupported("YCbCr colours in separate planes"));
    }
    let colours = if matches!(pixels.ink, Ink::Rgb) { 3 } else { 1 };
    if !separate && pixels.samples != colours {
        return Err(Error::unsupported(format!(
            "JPEG tiles of {} samples a pixel",
            pixels.samples
        )));
    }
    Ok(())
}

/// libtiff stores three samples, or four of which the last is opacity.
fn check_webp(pixels: &Pixels, separate: bool) -> Result<()> {
    let is_plain = pixels.bits == 8 && !separate && !pixels.is_ycbcr();
    if is_plain && matches!(pixels.ink, Ink::Rgb) && matches!(pixels.samples, 3 | 4) {
        return Ok(());
    }
    Err(Error::unsupported(
        "WebP tiles of anything but 8 bits of red, green and blue",
    ))
}

/// Offsets and lengths of all tiles, of all planes.
fn tile_bytes(
    file: &File,
    directory: &Directory,
    grid: &Grid,
    separate: bool,
    samples: usize,
) -> Result<(Vec<u64>, Vec<u64>)> {
    let (offsets, lengths) = if grid.tiled {
        (tags::TILE_OFFSETS, tags::TILE_BYTE_COUNTS)
    } else {
        (tags::STRIP_OFFSETS, tags::STRIP_BYTE_COUNTS)
    };
    let planes = if separate { samples as u64 } else { 1 };
    let wanted = grid.tiles() * planes;
    let read = |tag| -> Result<Vec<u64>> {
        let all = file.numbers(directory, tag, wanted)?.unwrap_or_default();
        if all.len() as u64 != wanted {
            return Err(Error::corrupt(format!(
                "it names {} of its {wanted} tiles",
                all.len()
            )));
        }
        Ok(all)
    };
    Ok((read(offsets)?, read(lengths)?))
}
