//! Rows of a full image → a pyramidal TIFF that serves fast, in one pass.
//!
//! Every level is halved by 2×2 boxes until the image fits one tile; tiles are encoded on several
//! threads and appended as they are done, directories stand at the end. Memory is bounded by a row of
//! tiles of each level, whatever the height; no picture is held whole. The bytes depend on rows,
//! settings and metadata alone, not on threads. Levels are pages with the reduced-resolution bit, as
//! libvips and `IIPImage` have them, or `SubIFDs`; their sides are rounded up, as IIIF's tiles want them.
//!
//! Source: TIFF 6.0 (1992), Technical Notes 1 and 2; `BigTIFF` (2007); libtiff's registered tags for
//! Zstandard (50000) and WebP (50001).

mod deflate;
mod directory;
mod halve;
mod ifd;
mod level;
mod pool;
mod sample;
mod tables;
mod tile;
mod zstandard;

#[cfg(test)]
mod tests;

use std::io::{Seek, Write};
use std::thread;

use crate::cancel::Cancel;
use crate::encoding::Subsampling;
use crate::error::{Error, Result};
use crate::geometry::{Dimensions, ScaleFactor};
use crate::raster::{Depth, Rows, Shape};

use super::metadata::Metadata;
use directory::Described;
pub(super) use ifd::Output;
use level::{Cell, Level};
use pool::Pool;
use sample::Sample;
use tile::TileEncoder;

pub use zstandard::AVAILABLE as WRITES_ZSTD;

/// How the tiles of a pyramid are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TileCompression {
    /// JPEG with shared tables: 8 bits, gray or RGB, without opacity.
    Jpeg {
        /// IJG quality, 1 to 100.
        quality: u8,
        /// Resolution of the colour components.
        subsampling: Subsampling,
    },
    /// WebP: 8 bits, RGB with or without opacity.
    Webp {
        /// 0 to 100; `None` for exact pixels.
        quality: Option<u8>,
    },
    /// Deflate with a horizontal predictor: everything, exactly.
    Deflate,
    /// Zstandard with a horizontal predictor: everything, exactly.
    Zstd,
}

/// What a pyramid is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PyramidSettings {
    /// How tiles are compressed.
    pub compression: TileCompression,
    /// Side of a tile in pixels, a multiple of 16.
    pub tile_px: u32,
    /// Offsets of 64 bits even where 32 are enough.
    pub big: bool,
    /// Levels as `SubIFDs` of the full image instead of pages.
    pub sub_ifds: bool,
    /// Threads that encode tiles, at least 1.
    pub threads: usize,
}

/// What goes into the file beside pixels.
#[derive(Debug, Clone, Default)]
pub struct Carried {
    /// The master's metadata.
    pub metadata: Metadata,
    /// The orientation tag, 1 to 8: pixels are stored as the master stores them.
    pub orientation: u16,
    /// The text for the file's writer, in place of the master's.
    pub software: String,
}

/// What has been written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pyramid {
    /// The levels' sides, the full image first.
    pub levels: Vec<Dimensions>,
    /// Whether its offsets have 64 bits.
    pub big: bool,
    /// Its length.
    pub bytes: u64,
}

/// The sides of the levels of a pyramid of `full` in tiles of `tile_px`: halved until one tile holds it.
pub fn pyramid_levels(full: Dimensions, tile_px: u32) -> Vec<Dimensions> {
    let mut levels = vec![full];
    let mut factor = 1_u32;
    let mut last = full;
    while last.width.max(last.height) > tile_px {
        factor *= 2;
        last = ScaleFactor::new(factor).map_or(last, |factor| full.reduced(factor));
        levels.push(last);
    }
    levels
}

/// Whether a pyramid of `shape` may pass the 4 GiB of a classic TIFF.
///
pub fn may_need_big(shape: Shape, settings: &PyramidSettings, metadata_bytes: u64) -> bool {
    let side = u64::from(settings.tile_px);
    let tiles: u64 = pyramid_levels(shape.dimensions, settings.tile_px)
        .iter()
        .map(|level| u64::from(level.width).div_ceil(side) * u64::from(level.height).div_ceil(side))
        .sum();
    let bound = tiles.saturating_mul(tile::most_bytes(shape.format, settings) + 64);
    bound.saturating_add(2 * metadata_bytes) >= ifd::CLASSIC_BYTES
}

/// Refuses pixels that the compression cannot hold, and settings that no file can have.
///
/// # Errors
///
/// [`crate::error::ErrorKind::BadRequest`], or [`crate::error::ErrorKind::NotImplemented`] for a
/// compression that this build does not have.
pub fn check_pyramid(shape: Shape, settings: &PyramidSettings) -> Result<()> {
    tile::check(shape.format, settings)
}

/// Writes the pyramid of `rows` to `sink`, which is empty; `seen` learns how many rows have passed.
///
/// # Errors
///
/// Those of [`check_pyramid`], of `rows` and of `cancel`; [`crate::error::ErrorKind::Upstream`] when
/// `sink` takes no more.
pub fn write_pyramid<W: Write + Seek>(
    rows: &mut dyn Rows,
    carried: Carried,
    settings: &PyramidSettings,
    sink: &mut W,
    seen: &mut dyn FnMut(u32),
    cancel: &Cancel,
) -> Result<Pyramid> {
    check_pyramid(rows.shape(), settings)?;
    match rows.shape().format.depth {
        Depth::Eight => Writing::<u8, W>::run(rows, carried, settings, sink, seen, cancel),
        Depth::Sixteen => Writing::<u16, W>::run(rows, carried, settings, sink, seen, cancel),
    }
}

/// A cell on its way to the encoders.
struct Job<T>(Vec<T>);

/// Where a tile of `level` goes.
#[derive(Debug, Clone, Copy)]
struct Place {
    level: usize,
    index: usize,
}

/// A file under way.
struct Writing<'a, T, W> {
    output: Output<'a, W>,
    pool: Pool<Job<T>>,
    /// Places of the tiles that are being encoded, in order.
    under_way: std::collections::VecDeque<Place>,
    /// Offset and length of every tile of every level.
    tiles: Vec<Vec<(u64, u32)>>,
}

impl<'a, T: Sample, W: Write + Seek> Writing<'a, T, W> {
    fn run(
        rows: &mut dyn Rows,
        carried: Carried,
        settings: &PyramidSettings,
        sink: &'a mut W,
        seen: &mut dyn FnMut(u32),
        cancel: &Cancel,
    ) -> Result<Pyramid> {
        let shape = rows.shape();
        let encoder = TileEncoder::new(shape.format, settings, cancel)?;
        let mut levels: Vec<Level<T>> = pyramid_levels(shape.dimensions, settings.tile_px)
            .into_iter()
            .map(|sides| Level::new(sides, shape.format.channels, settings.tile_px as usize))
            .collect();
        let big = settings.big || may_need_big(shape, settings, carried.metadata.bytes());
        // A row of tiles may wait while the next one is decoded.
        let most = levels.first().map_or(1, Level::columns) + 4 * settings.threads;
        let (pool, jobs) = Pool::new(most);
        let writing = Self {
            output: Output::begin(sink, big)?,
            pool,
            under_way: std::collections::VecDeque::new(),
            tiles: levels
                .iter()
                .map(|level| vec![(0, 0); level.tiles()])
                .collect(),
        };
        let encode = |Job(samples)| encoder.encode(samples);
        thread::scope(|scope| {
            jobs.start(scope, settings.threads.max(1), &encode);
            // The pool ends with this block, and its threads with the pool.
            let mut writing = writing;
            writing.pixels(rows, &mut levels, seen, cancel)?;
            writing.directories(&levels, &encoder, carried, settings)
        })
    }
}

impl<T: Sample, W: Write + Seek> Writing<'_, T, W> {
    /// Takes all rows and writes all tiles.
    fn pixels(
        &mut self,
        rows: &mut dyn Rows,
        levels: &mut [Level<T>],
        seen: &mut dyn FnMut(u32),
        cancel: &Cancel,
    ) -> Result<()> {
        let mut passed = 0;
        while let Some(strip) = rows.next_strip()? {
            cancel.check()?;
            passed += strip.dimensions().height;
            self.push(levels, T::take(strip)?, cancel)?;
            seen(passed);
        }
        while let Some(tile) = self.pool.next()? {
            cancel.check()?;
            self.put(&tile)?;
        }
        if levels.iter().all(Level::is_complete) {
            return Ok(());
        }
        Err(Error::internal(
            "writing a pyramid of rows that ended early",
        ))
    }

    /// Gives rows to the first level, their halves to the next, and so on.
    fn push(&mut self, levels: &mut [Level<T>], rows: Vec<T>, cancel: &Cancel) -> Result<()> {
        let mut rows = rows;
        for (number, level) in levels.iter_mut().enumerate() {
            if rows.is_empty() {
                return Ok(());
            }
            rows = level.push(&rows, &mut |cell| {
                cancel.check()?;
                self.submit(number, cell)
            })?;
        }
        Ok(())
    }

    fn submit(&mut self, level: usize, cell: Cell<T>) -> Result<()> {
        self.under_way.push_back(Place {
            level,
            index: cell.index,
        });
        match self.pool.submit(Job(cell.samples))? {
            Some(tile) => self.put(&tile),
            None => Ok(()),
        }
    }

    /// Writes the tile that is next in order.
    fn put(&mut self, tile: &[u8]) -> Result<()> {
        let length = u32::try_from(tile.len())
            .map_err(|cause| Error::internal("sizing a tile").with_source(cause))?;
        let offset = self.output.append(tile)?;
        let place = self.under_way.pop_front();
        let entry = place.and_then(|place| self.tiles.get_mut(place.level)?.get_mut(place.index));
        let entry = entry.ok_or_else(|| Error::internal("placing a tile outside its level"))?;
        *entry = (offset, length);
        Ok(())
    }

    /// Writes the directories, the last one first: each names the next.
    fn directories(
        mut self,
        levels: &[Level<T>],
        encoder: &TileEncoder,
        carried: Carried,
        settings: &PyramidSettings,
    ) -> Result<Pyramid> {
        let described = Described::new(encoder, settings, carried.orientation, self.output.big);
        let mut next = 0;
        let mut sub_ifds = Vec::new();
        for (level, tiles) in levels.iter().zip(&self.tiles).skip(1).rev() {
            let fields = described.level(level.dimensions, tiles, true);
            let offset = self.output.directory(fields, next)?;
            if settings.sub_ifds {
                sub_ifds.push(offset);
            } else {
                next = offset;
            }
        }
        sub_ifds.reverse();
        let (Some(full), Some(tiles)) = (levels.first(), self.tiles.first()) else {
            return Err(Error::internal("writing a pyramid without levels"));
        };
        let mut fields = described.level(full.dimensions, tiles, false);
        fields.extend(described.offsets(directory::SUB_IFDS, &sub_ifds));
        fields.extend(described.carried(&mut self.output, carried)?);
        let first = self.output.directory(fields, next)?;
        let big = self.output.big;
        Ok(Pyramid {
            levels: levels.iter().map(|level| level.dimensions).collect(),
            big,
            bytes: self.output.finish(first)?,
        })
    }
}
