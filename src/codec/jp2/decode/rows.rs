//! A window of a level → strips, decoded when pulled.
//!
//! Of every tile only the code-blocks are decoded that the window needs; the request is asked whether it is
//! still wanted before each. Tiles side by side make one strip; a tile that has no other beside it gives
//! its rows in strips as they come.

use std::sync::Arc;

use crate::cancel::Cancel;
use crate::codec::Crew;
use crate::error::{Error, Result};
use crate::geometry::Dimensions;
use crate::raster::{Depth, Raster, Rows, Samples, Shape};

use super::super::codestream::Span;
use super::Master;
use super::part::{Area, Part};
use super::samples::{Canvas, Pixels, Row, covering, repeat_edges};
use super::target::{Stretch, Target, base};

/// Strips on their way.
pub(super) struct TileRows {
    master: Arc<Master>,
    target: Target,
    pixels: Pixels,
    cancel: Cancel,
    crew: Option<Arc<dyn Crew>>,
    /// The row of tiles that is next, and how many of its rows have been given.
    place: usize,
    done: u32,
    /// The tile of which rows have been given, and more are to come.
    open: Option<Part>,
}

impl TileRows {
    pub(super) fn new(master: Arc<Master>, target: Target, cancel: Cancel) -> Self {
        let pixels = Pixels::new(&master.header.layout);
        Self {
            master,
            target,
            pixels,
            cancel,
            crew: None,
            place: 0,
            done: 0,
            open: None,
        }
    }

    /// The same, with a crew that may take a share.
    pub(super) fn shared(self, crew: &Arc<dyn Crew>) -> Self {
        Self {
            crew: Some(Arc::clone(crew)),
            ..self
        }
    }

    /// The next `height` rows of the row of tiles `row`.
    fn strip(&mut self, row: Stretch, height: u32) -> Result<Raster> {
        let shape = self.target.shape;
        let dimensions = Dimensions::new(shape.dimensions.width, height)
            .ok_or_else(|| Error::internal("sizing a strip of JPEG 2000"))?;
        let count = usize::try_from(dimensions.area())
            .map_err(|cause| Error::internal("sizing a strip of JPEG 2000").with_source(cause))?;
        let channels = self.pixels.channels();
        let mut samples = match shape.format.depth {
            Depth::Eight => Samples::U8(vec![0; count * channels]),
            Depth::Sixteen => Samples::U16(vec![0; count * channels]),
        };
        let start = row.span.start + self.done;
        // Counted from the grid's origin.
        let lines = Span {
            start,
            end: start.saturating_add(height).min(row.span.end),
        };
        let mut left = 0;
        let mut open = self.open.take();
        for column in &self.target.columns {
            self.cancel.check()?;
            let mut canvas = Canvas::new(&mut samples, dimensions, channels, left);
            let named = |error: Error| {
                error.while_doing(format!("decoding tile {}, {}", column.tile, row.tile))
            };
            let mut part = match open.take() {
                Some(part) => part,
                None => self.part(*column, row).map_err(named)?,
            };
            self.paint(&mut part, *column, lines, &mut canvas)
                .map_err(named)?;
            left += column.span.length();
            if lines.end < row.span.end {
                self.open = Some(part);
            }
        }
        repeat_edges(&mut samples, dimensions, channels, (left, lines.length()));
        if let Some(foreign) = &self.master.header.foreign {
            samples = foreign.rgb(&samples, channels);
        }
        Raster::new(dimensions, shape.format.channels, samples)
    }

    /// One tile's part of the window, nothing of it decoded.
    fn part(&self, column: Stretch, row: Stretch) -> Result<Part> {
        let stream = &self.master.header.codestream;
        let tile = row.tile * stream.size.x.tiles() + column.tile;
        let reader = self.master.reader.as_ref();
        let index = (self.master.kept).get_or_read(reader, stream, tile, &self.cancel)?;
        let area = self.area(column, row)?;
        Part::new(
            index,
            &stream.size.components,
            &self.pixels.components(),
            area,
        )
    }

    /// Decodes rows of one tile's part of the window onto `canvas`.
    fn paint(
        &self,
        part: &mut Part,
        column: Stretch,
        lines: Span,
        canvas: &mut Canvas<'_>,
    ) -> Result<()> {
        let reader = self.master.reader.as_ref();
        for (place, y) in (lines.start..lines.end).enumerate() {
            for channel in 0..self.pixels.channels() {
                let (component, ratio) = self.ratio(channel)?;
                let rows = part.rows_of(component).unwrap_or(column.span);
                let row = rows.start + covering(rows, y, ratio.1);
                part.pull(component, row, reader, &self.cancel, self.crew.as_deref())?;
            }
            let row = |channel: usize| {
                let (component, ratio) = self.ratio(channel)?;
                let line = part.line(component)?;
                Ok(Row {
                    values: line.values,
                    x: line.x,
                    ratio: ratio.0,
                })
            };
            let rows = (0..self.pixels.channels()).map(row);
            let rows = rows.collect::<Result<Vec<_>>>()?;
            canvas.paint(place, &self.pixels, &rows, column.span)?;
        }
        Ok(())
    }

    /// The component of a channel, and how many pixels it has for each sample, across and down.
    fn ratio(&self, channel: usize) -> Result<(usize, (u32, u32))> {
        let header = &self.master.header;
        let base = base(header)?;
        let component = self.pixels.component(channel);
        let size = header.codestream.size.components.get(component);
        let size = size.ok_or_else(|| Error::internal("finding a component"))?;
        let across = u32::from(size.step_x / base.step_x);
        let down = u32::from(size.step_y / base.step_y);
        Ok((component, (across, down)))
    }

    /// The part of the reference grid that holds these pixels, whole chroma samples included.
    fn area(&self, column: Stretch, row: Stretch) -> Result<Area> {
        let header = &self.master.header;
        let size = &header.codestream.size;
        let (x, y) = (size.x.tile_span(column.tile), size.y.tile_span(row.tile));
        let base = base(header)?;
        let components = self.pixels.components();
        let used = || components.iter().filter_map(|c| size.components.get(*c));
        let (across, down) = (
            used().map(|c| c.step_x).max().unwrap_or(base.step_x),
            used().map(|c| c.step_y).max().unwrap_or(base.step_y),
        );
        let reduction = self.target.reduction;
        Ok(Area {
            x: on_grid(column.span, x, base.step_x, across, reduction),
            y: on_grid(row.span, y, base.step_y, down, reduction),
            reduction,
        })
    }

    fn pull(&mut self) -> Result<Option<Raster>> {
        let Some(row) = self.target.rows.get(self.place).copied() else {
            return Ok(None);
        };
        let height = self.target.next_height(self.place, self.done);
        let strip = self.strip(row, height)?;
        self.done += height;
        if self.done >= self.target.height(self.place) {
            (self.place, self.done) = (self.place + 1, 0);
        }
        Ok(Some(strip))
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
        let strip = self.pull();
        if strip.is_err() {
            self.place = self.target.rows.len();
            self.open = None;
        }
        strip
    }
}
