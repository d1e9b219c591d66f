//! A window of a level → strips, one for each row of tiles that it touches, decoded when pulled.
//!
//! Of every tile only the part inside the window is decoded; the request is asked whether it is still
//! wanted before each. A picture without tiles is one tile, and its window one strip. Tiles of the
//! high-throughput coder are decoded whole: the decoder leaves the code-blocks of a part empty
//! (OpenJPEG 2.5.3: its `ht_dec.c` does not know of `decoded_data`).

use std::sync::Arc;

use crate::cancel::Cancel;
use crate::codec::Price;
use crate::error::{Error, Result};
use crate::geometry::{Dimensions, Window};
use crate::raster::{Raster, Rows, Samples, Shape};

use super::super::codestream::{Axis, Component, Span};
use super::super::header::Header;
use super::Master;
use super::ffi::{self, Area, DecodedImage};
use super::samples::{Canvas, Pixels, Sampled, repeat_edges};
use super::stream::TileStream;

/// Samples around a window that its wavelets and code-blocks take with them, on each side: a block of
/// 64 in a band of half the size.
const MARGIN: u32 = 128;

/// Bytes that the decoder holds for one sample of a tile that is decoded whole: its word, which
/// becomes the picture's, and a share of the passes' flags. Measured with 2520 × 3360 RGB: 4.1.
const BYTES_PER_SAMPLE: u64 = 6;

/// The same for part of a tile, margins counted: blocks, sparse bands, transform and picture have
/// words of their own. Measured with windows of 256² and 1024²: 9.5 to 12.
const BYTES_PER_SAMPLE_OF_PART: u64 = 12;

/// Bytes that a decode takes whatever its size: tables, buffers, scratch of the block decoder.
const FIXED_BYTES: u64 = 256 << 10;

/// Bytes of a tile's code that take as long to walk through as a pixel to decode, whatever is wanted of
/// the tile: its packets' headers are read and its blocks laid out each time. Measured with a picture of 100
/// megapixels without tiles: 2.3 ns a byte, 55 ns a pixel.
const CODE_BYTES_PER_PIXEL: u64 = 24;

/// A stretch of one tile, along one axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stretch {
    tile: u32,
    /// In pixels of the level, counted from the reference grid's origin.
    span: Span,
    /// All that the tile has.
    whole: Span,
}

impl Stretch {
    /// Samples that decoding this stretch takes.
    fn decoded(&self, whole_tiles: bool) -> u64 {
        if whole_tiles {
            return u64::from(self.whole.length());
        }
        let wide = self.span.length().saturating_add(2 * MARGIN);
        u64::from(wide.min(self.whole.length()))
    }
}

/// What is to be decoded: the window, cut along the tiles.
#[derive(Debug)]
pub(super) struct Target {
    reduction: u8,
    shape: Shape,
    columns: Vec<Stretch>,
    rows: Vec<Stretch>,
    whole_tiles: bool,
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
            columns: stretches(size.x, base.step_x, reduction, window.x, window.width),
            rows: stretches(size.y, base.step_y, reduction, window.y, window.height),
            whole_tiles: header.codestream.is_high_throughput(),
        })
    }

    /// Bytes: the largest tile's samples, structures and code; the strip that is made of a row of
    /// tiles, once more for its colours.
    pub(super) fn price(&self, header: &Header) -> Price {
        let decoded = |stretch: &Stretch| stretch.decoded(self.whole_tiles);
        let total = |all: &[Stretch]| all.iter().map(decoded).sum::<u64>();
        let largest = |all: &[Stretch]| all.iter().map(decoded).max().unwrap_or(0);
        let tallest = self.rows.iter().map(|row| u64::from(row.span.length()));
        let stream = &header.codestream;
        let strip = u64::from(self.shape.dimensions.width)
            * tallest.max().unwrap_or(0)
            * self.shape.format.bytes_per_pixel() as u64;
        let samples = (largest(&self.columns) * largest(&self.rows))
            .saturating_mul(stream.size.components.len() as u64 * self.bytes_per_sample());
        let tiles = (self.columns.len() * self.rows.len()) as u64;
        let code = tiles.saturating_mul(stream.largest_tile) / CODE_BYTES_PER_PIXEL;
        Price {
            pixels: (total(&self.columns).saturating_mul(total(&self.rows))).saturating_add(code),
            bytes: samples
                .saturating_add(2 * strip)
                .saturating_add(stream.structure.bytes)
                .saturating_add(stream.largest_tile)
                .saturating_add(FIXED_BYTES),
        }
    }

    fn bytes_per_sample(&self) -> u64 {
        let mut all = self.columns.iter().chain(&self.rows);
        if self.whole_tiles || all.all(|stretch| stretch.span == stretch.whole) {
            BYTES_PER_SAMPLE
        } else {
            BYTES_PER_SAMPLE_OF_PART
        }
    }

    /// Rows of the strip made of the row of tiles with this place; the last one takes those that the
    /// window asks for beyond the level.
    fn strip_height(&self, place: usize) -> u32 {
        let inside = |row: &Stretch| row.span.length();
        if place + 1 < self.rows.len() {
            self.rows.get(place).map_or(0, inside)
        } else {
            let before = self.rows.iter().take(place).map(inside).sum();
            self.shape.dimensions.height.saturating_sub(before)
        }
    }
}

fn base(header: &Header) -> Result<Component> {
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

/// Strips on their way.
pub(super) struct TileRows {
    master: Arc<Master>,
    target: Target,
    pixels: Pixels,
    cancel: Cancel,
    next: usize,
}

impl TileRows {
    pub(super) fn new(master: Arc<Master>, target: Target, cancel: Cancel) -> Self {
        let pixels = Pixels::new(&master.header.layout);
        Self {
            master,
            target,
            pixels,
            cancel,
            next: 0,
        }
    }

    fn strip(&self, place: usize, row: Stretch) -> Result<Raster> {
        let shape = self.target.shape;
        let height = self.target.strip_height(place);
        let dimensions = Dimensions::new(shape.dimensions.width, height)
            .ok_or_else(|| Error::internal("sizing a strip of JPEG 2000"))?;
        let count = usize::try_from(dimensions.area())
            .map_err(|cause| Error::internal("sizing a strip of JPEG 2000").with_source(cause))?;
        let mut samples = Samples::zeroed(shape.format, count);
        let mut left = 0;
        for column in &self.target.columns {
            self.cancel.check()?;
            let mut canvas = Canvas::new(&mut samples, dimensions, shape.format.channels, left);
            self.tile(*column, row, &mut canvas)?;
            left += column.span.length();
        }
        repeat_edges(
            &mut samples,
            dimensions,
            shape.format.channels,
            (left, row.span.length()),
        );
        Raster::new(dimensions, shape.format.channels, samples)
    }

    /// Decodes one tile's part of the window onto `canvas`.
    fn tile(&self, column: Stretch, row: Stretch, canvas: &mut Canvas<'_>) -> Result<()> {
        let header = &self.master.header;
        let stream = &header.codestream;
        let (x, y) = self.grid_spans(column, row)?;
        let reader = self.master.reader.as_ref();
        let pieces = stream.tile(reader, column.tile, row.tile)?;
        let source = TileStream::new(reader, &pieces, &self.cancel);
        let area = Area {
            x0: x.start,
            y0: y.start,
            x1: x.end,
            y1: y.end,
        };
        let image = ffi::decode(source, self.target.reduction, area).map_err(|error| {
            error.while_doing(format!("decoding tile {}, {}", column.tile, row.tile))
        })?;
        let planes = (0..self.pixels.channels())
            .map(|channel| self.plane(&image, self.pixels.component(channel), x, y))
            .collect::<Result<Vec<_>>>()?;
        canvas.paint(&self.pixels, &planes, column.span, row.span)
    }

    /// The samples of a component in the part `x` × `y` of the reference grid.
    fn plane<'i>(
        &self,
        image: &'i DecodedImage,
        component: usize,
        x: Span,
        y: Span,
    ) -> Result<Sampled<'i>> {
        let header = &self.master.header;
        let base = base(header)?;
        let settings = header.codestream.size.components.get(component);
        let settings = settings.ok_or_else(|| Error::internal("finding a component"))?;
        let x = x.sampled(settings.step_x, self.target.reduction);
        let y = y.sampled(settings.step_y, self.target.reduction);
        let plane = image
            .plane(component)
            .filter(|plane| (plane.width, plane.height) == (x.length(), y.length()))
            .ok_or_else(|| Error::corrupt("a component of a tile is missing"))?;
        Ok(Sampled {
            plane,
            x,
            y,
            ratio_x: u32::from(settings.step_x / base.step_x),
            ratio_y: u32::from(settings.step_y / base.step_y),
        })
    }

    /// The part of the reference grid that holds these pixels, whole chroma samples included.
    fn grid_spans(&self, column: Stretch, row: Stretch) -> Result<(Span, Span)> {
        let header = &self.master.header;
        let size = &header.codestream.size;
        let (x, y) = (size.x.tile_span(column.tile), size.y.tile_span(row.tile));
        if self.target.whole_tiles {
            return Ok((x, y));
        }
        let base = base(header)?;
        let components = self.pixels.components();
        let used = || components.iter().filter_map(|c| size.components.get(*c));
        let (across, down) = (
            used().map(|c| c.step_x).max().unwrap_or(base.step_x),
            used().map(|c| c.step_y).max().unwrap_or(base.step_y),
        );
        let reduction = self.target.reduction;
        Ok((
            on_grid(column.span, x, base.step_x, across, reduction),
            on_grid(row.span, y, base.step_y, down, reduction),
        ))
    }
}

/// `span` in pixels of a level, widened to whole samples of the coarsest component, on the grid.
fn on_grid(span: Span, tile: Span, step: u8, coarsest: u8, reduction: u8) -> Span {
    let ratio = u64::from(coarsest / step);
    let point = |cell: u64| {
        let point = (cell * u64::from(coarsest)) << reduction;
        u32::try_from(point)
            .unwrap_or(u32::MAX)
            .clamp(tile.start, tile.end)
    };
    Span {
        start: point(u64::from(span.start) / ratio),
        end: point(u64::from(span.end).div_ceil(ratio)),
    }
}

impl Rows for TileRows {
    fn shape(&self) -> Shape {
        self.target.shape
    }

    fn next_strip(&mut self) -> Result<Option<Raster>> {
        let place = self.next;
        let Some(row) = self.target.rows.get(place).copied() else {
            return Ok(None);
        };
        let strip = self.strip(place, row);
        self.next = if strip.is_ok() {
            place + 1
        } else {
            self.target.rows.len()
        };
        strip.map(Some)
    }
}
