//! One directory → everything that decoding its pixels takes: grid, bytes of every tile,
//! compression, meaning of the samples.
//!
//! Refuses at once what this room does not read. Nothing of the pixels is read here.

use std::fmt::Write as _;
use std::sync::Arc;

use bytes::Bytes;

use crate::codec::{DecodeLimits, jpeg};
use crate::error::{Error, Result};
use crate::geometry::Dimensions;

use super::directory::{ByteOrder, Directory, File};
use super::fax::Coding;
use super::grid::{self, Grid};
use super::jpeg_tile;
use super::old_jpeg::OldJpeg;
use super::pixels::{Ink, Pixels};
use super::samples::{Kind, Predictor, RowFormat};
use super::ycbcr::Units;
use super::{tags, zstandard};

/// Most bytes of what JPEG tiles leave out: four tables of quantisers and eight of codes take 3 KB. Each
/// level keeps them.
const MAX_JPEG_TABLES: u64 = 64 << 10;

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
    Lzma,
    Jpeg2000,
    /// With luma and colour differences in the code stream.
    Jpeg2000Ycc,
    JpegXl,
    /// Logarithms of light, of 16 or 32 bits.
    SgiLog,
    /// As before Technical Note 2: one JPEG for all strips.
    OldJpeg,
    /// CCITT codes of one bit a pixel.
    Fax(Coding),
}

impl Compression {
    /// Whether a tile is a picture of its own, which is decoded whole.
    pub(super) const fn is_picture(self) -> bool {
        matches!(self, Self::Jpeg | Self::Webp | Self::OldJpeg | Self::SgiLog) || self.is_newer()
    }

    /// Whether its tiles are pictures of JPEG 2000 or JPEG XL.
    pub(super) const fn is_newer(self) -> bool {
        matches!(self, Self::Jpeg2000 | Self::Jpeg2000Ycc | Self::JpegXl)
    }

    /// Whether differences may stand in it. The tag counts for these alone, as in libtiff.
    const fn is_predicted(self) -> bool {
        matches!(
            self,
            Self::Lzw | Self::Deflate | Self::Zstandard | Self::Lzma
        )
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
    /// The stream of an old JPEG.
    pub(super) old_jpeg: Option<OldJpeg>,
    /// How the colours of YCbCr stand that is no JPEG's.
    pub(super) units: Option<Units>,
    /// Whether rows of Group 3 codes may be differences.
    pub(super) marked: bool,
    offsets: Vec<u64>,
    lengths: Vec<u64>,
    longest: u64,
}

impl Layout {
    /// Whether no sample bears on another: without loss, and no colour for several pixels.
    pub(super) fn has_samples_of_their_own(&self) -> bool {
        !self.compression.is_picture() && self.units.is_none()
    }

    /// Reads how the picture in `directory` is stored.
    pub(super) fn read(file: &File, directory: &Directory, limits: &DecodeLimits) -> Result<Self> {
        let compression = compression(file, directory)?;
        let pixels = Pixels::read(file, directory)?;
        let mut grid = Grid::read(file, directory, limits)?;
        let planar = file.number(directory, tags::PLANAR_CONFIGURATION)?;
        let separate = planar == Some(2) && pixels.samples > 1;
        check_together(compression, &pixels, separate)?;
        let units = units(file, directory, compression, &pixels, separate)?;
        let planes = if separate { pixels.samples as u64 } else { 1 };
        let wanted = grid.tiles() * planes;
        grid::check_tiles(wanted, limits)?;
        let (offsets, lengths) = tile_bytes(file, directory, grid.tiled, wanted)?;
        let old_jpeg = if compression == Compression::OldJpeg {
            let pairs = offsets.iter().zip(&lengths);
            let strips = pairs.map(|(offset, length)| TileBytes {
                offset: *offset,
                length: *length,
            });
            let (image, rows) = (grid.image, grid.tile.height);
            grid = Grid::whole(image);
            let strips = strips.collect();
            Some(OldJpeg::read(file, directory, image, rows, strips, limits)?)
        } else {
            None
        };
        let jpeg_tables = if compression == Compression::Jpeg {
            file.bytes(directory, tags::JPEG_TABLES, MAX_JPEG_TABLES)?
        } else {
            None
        };
        // Wide samples leave a JPEG of any kind as 16 bits, narrow ones as 8.
        let is_jpeg = compression == Compression::Jpeg || compression.is_newer();
        let (bits, order) = if is_jpeg && pixels.bits > 8 {
            (16, ByteOrder::Little)
        } else if compression.is_newer() {
            (8, ByteOrder::Little)
        } else {
            (pixels.bits, file.order)
        };
        let predictor = predictor(file, directory, compression, &pixels)?;
        let marked = file.number(directory, tags::T4_OPTIONS)?.unwrap_or(0) & 1 == 1;
        let mut layout = Self {
            row: RowFormat {
                bits,
                kind: pixels.kind,
                order,
                predictor: if units.is_some() {
                    Predictor::Nothing
                } else {
                    predictor
                },
                scaled: pixels.scaled(),
                // Units of YCbCr are put together from their planes.
                samples: if separate && units.is_none() {
                    1
                } else {
                    pixels.samples
                },
            },
            reversed: !compression.is_picture()
                && file.number(directory, tags::FILL_ORDER)? == Some(2),
            jpeg_tables: jpeg_tables.map(Arc::from),
            jpeg_head: None,
            longest: match &old_jpeg {
                Some(stream) => stream.length(),
                None => lengths.iter().copied().max().unwrap_or(0),
            },
            old_jpeg,
            units,
            marked,
            grid,
            pixels,
            compression,
            separate,
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

    /// Tiles of all planes.
    pub(super) fn tiles(&self) -> u64 {
        self.offsets.len() as u64
    }

    /// Bytes of the tables: place and length of each tile, and what JPEG tiles leave out.
    pub(super) fn kept_bytes(&self) -> u64 {
        let tables = self.jpeg_tables.as_ref().map_or(0, |tables| tables.len());
        16 * self.tiles() + 2 * tables as u64
    }

    /// Bytes of the longest tile, as stored.
    pub(super) fn longest(&self) -> u64 {
        self.longest
    }

    /// Whether a tile is decoded whole, for any part of it.
    pub(super) fn is_whole(&self) -> bool {
        self.compression.is_picture() || self.units.is_some()
    }

    /// Bytes of one row of a tile, decompressed.
    pub(super) fn row_bytes(&self) -> u64 {
        let bits =
            u64::from(self.grid.tile.width) * self.row.samples as u64 * u64::from(self.row.bits);
        bits.div_ceil(8)
    }

    /// The stored planes that have to be read: for each the samples that are picked from its rows.
    pub(super) fn planes(&self) -> Vec<(usize, Vec<usize>)> {
        if self.separate && self.units.is_none() {
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
            Compression::Lzma => ", LZMA",
            Compression::Jpeg2000 | Compression::Jpeg2000Ycc => ", JPEG 2000",
            Compression::JpegXl => ", JPEG XL",
            Compression::SgiLog => ", SGILog",
            Compression::OldJpeg => ", old-style JPEG",
            Compression::Fax(Coding::Huffman { .. }) => ", CCITT Huffman",
            Compression::Fax(Coding::Group3) => ", CCITT Group 3",
            Compression::Fax(Coding::Group4) => ", CCITT Group 4",
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
        2 => return Ok(Compression::Fax(Coding::Huffman { alignment: 8 })),
        3 => return Ok(Compression::Fax(Coding::Group3)),
        4 => return Ok(Compression::Fax(Coding::Group4)),
        32771 => return Ok(Compression::Fax(Coding::Huffman { alignment: 16 })),
        6 => return Ok(Compression::OldJpeg),
        34925 => return Ok(Compression::Lzma),
        5 => return Ok(Compression::Lzw),
        7 => return Ok(Compression::Jpeg),
        8 | 32946 => return Ok(Compression::Deflate),
        32773 => return Ok(Compression::PackBits),
        50000 if zstandard::AVAILABLE => return Ok(Compression::Zstandard),
        50001 => return Ok(Compression::Webp),
        33003 => return Ok(Compression::Jpeg2000Ycc),
        33005 | 34712 => return Ok(Compression::Jpeg2000),
        50002 | 52546 => return Ok(Compression::JpegXl),
        34676 => return Ok(Compression::SgiLog),
        34677 => "LogLuv of 24 bits",
        34887 => "LERC",
        50000 => "Zstandard, which this build does not read",
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
    pixels: &Pixels,
) -> Result<Predictor> {
    if !compression.is_predicted() {
        return Ok(Predictor::Nothing);
    }
    match file.number(directory, tags::PREDICTOR)?.unwrap_or(1) {
        1 => Ok(Predictor::Nothing),
        2 => Ok(Predictor::Horizontal),
        3 if pixels.kind == Kind::Float => Ok(Predictor::Float),
        3 => Err(Error::unsupported(
            "the predictor of floating-point numbers on whole ones",
        )),
        other => Err(Error::unsupported(format!("TIFF predictor {other}"))),
    }
}

/// Refuses pixels that the compression cannot hold or that are not read from it.
fn check_together(compression: Compression, pixels: &Pixels, separate: bool) -> Result<()> {
    let is_log = compression == Compression::SgiLog;
    let fits_log = !separate && pixels.samples == pixels.ink.colours();
    if is_log != pixels.is_log() || (is_log && !fits_log) {
        return Err(Error::unsupported(
            "logarithms of light but by SGILog, or with further samples",
        ));
    }
    if compression == Compression::Webp {
        return check_webp(pixels, separate);
    }
    if compression.is_newer() {
        return check_newer(compression, pixels, separate);
    }
    if matches!(compression, Compression::Fax(_))
        && (pixels.bits != 1 || (pixels.samples != 1 && !separate))
    {
        return Err(Error::unsupported(
            "CCITT codes of more than one bit a pixel",
        ));
    }
    if compression == Compression::OldJpeg && (separate || pixels.alpha.is_some()) {
        return Err(Error::unsupported(
            "old-style JPEG in separate planes or with opacity",
        ));
    }
    if !matches!(compression, Compression::Jpeg | Compression::OldJpeg) {
        return Ok(());
    }
    // 16 bits are those of lossless JPEG.
    let twelve = pixels.bits == 12 && jpeg::decodes_twelve_bits();
    let wide = (twelve || pixels.bits == 16) && compression == Compression::Jpeg;
    if pixels.bits != 8 && !wide {
        return Err(Error::unsupported(format!(
            "JPEG tiles of {} bits",
            pixels.bits
        )));
    }
    if matches!(pixels.ink, Ink::Palette(_)) {
        return Err(Error::unsupported("a palette in JPEG tiles"));
    }
    let colours = pixels.ink.colours();
    let with_opacity = pixels.samples == colours + 1 && !pixels.is_ycbcr() && colours != 4;
    if !separate && pixels.samples != colours && !with_opacity {
        return Err(Error::unsupported(format!(
            "JPEG tiles of {} samples a pixel",
            pixels.samples
        )));
    }
    Ok(())
}

/// How the colours of YCbCr stand, where no JPEG of all of them says it.
fn units(
    file: &File,
    directory: &Directory,
    compression: Compression,
    pixels: &Pixels,
    separate: bool,
) -> Result<Option<Units>> {
    if !pixels.is_ycbcr() || (compression.is_picture() && !separate) {
        return Ok(None);
    }
    let units = Units::read(file, directory)?;
    let predictor = file.number(directory, tags::PREDICTOR)?.unwrap_or(1);
    if compression.is_predicted() && predictor != 1 {
        return Err(Error::unsupported("a predictor on YCbCr colours"));
    }
    if pixels.samples != 3 {
        return Err(Error::unsupported("YCbCr colours with further samples"));
    }
    Ok(Some(units))
}

/// Whole numbers that a picture of JPEG 2000 or JPEG XL holds as gray or red, green and blue.
fn check_newer(compression: Compression, pixels: &Pixels, separate: bool) -> Result<()> {
    let is_plain = pixels.kind == Kind::Unsigned
        && pixels.bits <= 16
        && matches!(pixels.ink, Ink::Gray | Ink::InvertedGray | Ink::Rgb);
    let ycc = compression == Compression::Jpeg2000Ycc || pixels.is_ycbcr();
    let fits_ycc = pixels.bits == 8 && pixels.samples == 3 && !separate;
    if is_plain && (!ycc || fits_ycc) && matches!(pixels.samples, 1..=4) {
        return Ok(());
    }
    Err(Error::unsupported(
        "JPEG 2000 or JPEG XL tiles of anything but gray, red, green and blue",
    ))
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

/// Offsets and lengths of the `wanted` tiles, of all planes.
fn tile_bytes(
    file: &File,
    directory: &Directory,
    tiled: bool,
    wanted: u64,
) -> Result<(Vec<u64>, Vec<u64>)> {
    let (offsets, lengths) = if tiled {
        (tags::TILE_OFFSETS, tags::TILE_BYTE_COUNTS)
    } else {
        (tags::STRIP_OFFSETS, tags::STRIP_BYTE_COUNTS)
    };
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
    let places = read(offsets)?;
    if directory.has(lengths) {
        return Ok((places, read(lengths)?));
    }
    let lengths = up_to_the_next(&places, file.reader.length());
    Ok((places, lengths))
}

/// Lengths of tiles at `places`, of which the writer said nothing: each ends where another begins, or with
/// the file.
///
/// Source: TIFF 5.0, appendix H: the lengths were not required. libtiff reads them in this way.
fn up_to_the_next(places: &[u64], end: u64) -> Vec<u64> {
    let mut ends = places.to_vec();
    ends.push(end);
    ends.sort_unstable();
    let next = |place: u64| ends.get(ends.partition_point(|end| *end <= place)).copied();
    let length = |place: &u64| match place {
        // It was never written.
        0 => 0,
        // What begins behind the end is missed when it is read.
        place => next(*place).map_or(1, |next| next - place),
    };
    places.iter().map(length).collect()
}
