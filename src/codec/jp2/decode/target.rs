//! A window of a level → its stretches in the tiles, and what decoding them takes.

use crate::codec::Price;
use crate::error::{Error, Result};
use crate::geometry::{Dimensions, Window};
use crate::raster::Shape;

use super::super::codestream::{Axis, Component, Span};
use super::super::header::Header;
use super::super::wavelet::ROWS;
use super::fetch::{FETCHED_BYTES, MAX_GAP};
use super::kept::Kept;

/// Samples around a window that are decoded with it, on each side: half a code-block of 64 in a band of
/// half the size, for windows begin anywhere in blocks.
const MARGIN: u32 = 64;

/// Bytes of a sample on its way.
const SAMPLE_BYTES: u64 = 4;

/// Bytes that a decode takes whatever its size: tables, scratch of the block decoder.
const FIXED_BYTES: u64 = 256 << 10;

/// Most bytes of blocks that several threads have decoded and one puts at their places: those of the blocks
/// that are fetched at a time.
const SHARED_BYTES: u64 = FETCHED_BYTES / MAX_GAP * 4096 * SAMPLE_BYTES;

/// Bytes of a tile's code that take as long to walk through as a pixel to decode: its packets' headers are
/// read where the index of the tile is not remembered.
const CODE_BYTES_PER_PIXEL: u64 = 200;

/// Bytes of a strip where a picture has one column of tiles.
const STRIP_BYTES: u64 = 1 << 20;

/// A stretch of one tile, along one axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) tile: u32,
    /// In pixels of the level, counted from the reference grid's origin.
    pub(super) span: Span,
    /// All that the tile has.
    whole: Span,
}

impl Stretch {
    /// Samples that decoding this stretch takes.
    fn decoded(&self) -> u64 {
        let wide = self.span.length().saturating_add(2 * MARGIN);
        u64::from(wide.min(self.whole.length()))
    }
}

/// What is to be decoded: the window, cut along the tiles.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) reduction: u8,
    pub(super) shape: Shape,
    /// Samples of a pixel, before or after its colours are made, whichever are more.
    samples: u64,
    pub(super) columns: Vec<Stretch>,
    pub(super) rows: Vec<Stretch>,
}

impl Target {
    /// # Errors
    ///
    /// [`crate::error::ErrorKind::Internal`] when there is no such level or the window is not in it.
    pub(super) fn new(header: &Header, level: usize, window: Window) -> Result<Self> {
        let wrong = |what: &str| Error::internal(format!("decoding {what} of JPEG 2000"));
        let level = header.facts.pyramid.levels().get(level);
        let level = level.ok_or_else(|| wrong("a missing level"))?;
        let dimensions = Dimensions::new(window.width, window.height)
            .filter(|_| {
                let full = level.dimensions;
                window.x < full.width && window.y < full.height
            })
            .ok_or_else(|| wrong("a window outside the level"))?;
        // Factors are powers of two below 2^32.
        let reduction = u8::try_from(level.factor.get().trailing_zeros()).unwrap_or(0);
        let size = &header.codestream.size;
        let base = base(header)?;
        Ok(Self {
            reduction,
            shape: Shape {
                dimensions,
                format: header.layout.format,
            },
            samples: (header.layout.sources.len()).max(header.layout.format.channels.count())
                as u64,
            columns: stretches(size.x, base.step_x, reduction, window.x, window.width),
            rows: stretches(size.y, base.step_y, reduction, window.y, window.height),
        })
    }

    /// Bytes: what a part of a tile has under way, its structure, the code of a few blocks, and the strip, once
    /// more for its colours.
    pub(super) fn price(&self, header: &Header, kept: &Kept) -> Price {
        let stream = &header.codestream;
        let total = |all: &[Stretch]| all.iter().map(Stretch::decoded).sum::<u64>();
        let unknown = self.tiles(header).filter(|tile| !kept.has(*tile)).count() as u64;
        let walked = unknown.saturating_mul(stream.largest_tile) / CODE_BYTES_PER_PIXEL;
        Price {
            pixels: (total(&self.columns).saturating_mul(total(&self.rows))).saturating_add(walked),
            bytes: (self.under_way_bytes(header))
                .saturating_add(2 * self.strip_bytes())
                .saturating_add(stream.structure.bytes)
                .saturating_add(stream.largest_tile.min(FETCHED_BYTES))
                .saturating_add(FIXED_BYTES),
        }
    }

    /// The numbers of the tiles that the window touches.
    fn tiles<'s>(&'s self, header: &Header) -> impl Iterator<Item = u32> + use<'s> {
        let across = header.codestream.size.x.tiles();
        self.rows.iter().flat_map(move |row| {
            let number = move |column: &Stretch| row.tile * across + column.tile;
            self.columns.iter().map(number)
        })
    }

    /// Bytes of the rows of blocks and of the rows of wavelets of the widest part of a tile: a resolution has
    /// three bands of half its width, and all resolutions together are twice as wide as the largest. What
    /// several threads have decoded of a band is there once more.
    fn under_way_bytes(&self, header: &Header) -> u64 {
        let largest = |all: &[Stretch]| all.iter().map(Stretch::decoded).max().unwrap_or(0);
        let stream = &header.codestream;
        // Those that are shown, and those that a transform may mix with them.
        let shown = header.layout.sources.iter().map(|source| source.component);
        let components = (0..3.min(stream.size.components.len())).chain(shown.filter(|c| *c > 2));
        let components: Vec<_> = components.filter_map(|c| u16::try_from(c).ok()).collect();
        let tallest = (self.tiles(header))
            .filter_map(|tile| {
                let coding = stream.coding_of(tile);
                let exponents = components.iter().map(|c| coding.style(*c).block.1);
                exponents.max()
            })
            .max();
        let blocks = largest(&self.rows).min(1 << tallest.unwrap_or(0));
        let rows = 3 * blocks + 2 * (ROWS as u64 + 1) + 1;
        let across = largest(&self.columns).saturating_mul(components.len() as u64 * SAMPLE_BYTES);
        let shared = across.saturating_mul(3 * blocks).min(SHARED_BYTES);
        across.saturating_mul(rows).saturating_add(shared)
    }

    fn row_bytes(&self) -> u64 {
        let format = self.shape.format;
        let of_sample = (format.bytes_per_pixel() / format.channels.count()) as u64;
        u64::from(self.shape.dimensions.width) * self.samples * of_sample
    }

    fn strip_bytes(&self) -> u64 {
        let tallest = (0..self.rows.len())
            .map(|place| self.strip_height(place))
            .max();
        self.row_bytes() * u64::from(tallest.unwrap_or(0))
    }

    /// Most rows of a strip made of the row of tiles with this place. Where tiles lie side by side, each is
    /// decoded to its end before the next; one alone gives its rows as they come.
    fn strip_height(&self, place: usize) -> u32 {
        let all = self.height(place);
        if self.columns.len() > 1 {
            return all;
        }
        let rows = STRIP_BYTES / self.row_bytes().max(1);
        u32::try_from(rows).map_or(all, |rows| rows.clamp(1, all.max(1)))
    }

    /// The rows of the window in the row of tiles with this place; the last one has those that the window
    /// asks for beyond the level.
    pub(super) fn height(&self, place: usize) -> u32 {
        let inside = |row: &Stretch| row.span.length();
        if place + 1 < self.rows.len() {
            self.rows.get(place).map_or(0, inside)
        } else {
            let before = self.rows.iter().take(place).map(inside).sum();
            self.shape.dimensions.height.saturating_sub(before)
        }
    }

    /// Rows of the next strip, after `done` rows of the row of tiles with this place. What lies beyond the
    /// level belongs to the strip with the last row that is in it.
    pub(super) fn next_height(&self, place: usize, done: u32) -> u32 {
        let rest = self.height(place).saturating_sub(done);
        let inside = self.rows.get(place).map_or(0, |row| row.span.length());
        let most = self.strip_height(place);
        if most >= inside.saturating_sub(done) {
            rest
        } else {
            most
        }
    }
}

/// The component whose sampling is the pixels' own.
pub(super) fn base(header: &Header) -> Result<Component> {
    let components = &header.codestream.size.components;
    let base = components.get(header.layout.base()).copied();
    base.ok_or_else(|| Error::internal("finding the first component"))
}

/// Cuts `length` samples of a level, `start` samples from its edge, along the tiles.
fn stretches(axis: Axis, step: u8, reduction: u8, start: u32, length: u32) -> Vec<Stretch> {
    let level = axis.image.sampled(step, reduction);
    let start = level.start.saturating_add(start);
    let window = Span {
        start,
        end: start.saturating_add(length).min(level.end),
    };
    let stretch = |tile: u32| {
        let whole = axis.tile_span(tile).sampled(step, reduction);
        let span = whole.intersection(window)?;
        Some(Stretch { tile, span, whole })
    };
    (0..axis.tiles()).filter_map(stretch).collect()
}
