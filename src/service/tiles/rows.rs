//! A view's rows: from cells that are at hand, from cells that are made one by one, or, from the first
//! that is missing on, from the decoder as it gives them.

use std::sync::Arc;

use super::cells::Cells;
use super::copy::Canvas;
use super::keep::Keep;
use super::make::{Helpers, make};
use super::view::Decoder;
use crate::cancel::Cancel;
use crate::error::{Error, Result};
use crate::geometry::Window;
use crate::raster::{Below, Raster, RowSink, Rows, Shape};

/// A cell, and where it lies.
type Lying = (Window, Arc<Raster>);

/// A window of at most so many bytes is one strip; a larger one has a strip for each row of cells.
const ONE_STRIP_BYTES: u64 = 1 << 20;

/// The rows of a request's view. Where cells cannot be decoded one by one, nothing is decoded beyond
/// what would be without them.
pub(in crate::service) struct TileRows {
    cells: Cells,
    decoder: Decoder,
    helpers: Helpers,
    /// First row that has not been given.
    next: u32,
    /// What the decoder gives, once a cell was missing.
    rest: Option<Box<dyn Rows>>,
}

impl TileRows {
    /// Rows of the view of `cells`; what is missing comes from `decoder`, in more than one thread where
    /// `helpers` give some.
    pub(in crate::service) fn new(cells: Cells, decoder: Decoder, helpers: Helpers) -> Self {
        Self {
            next: cells.view.window.y,
            cells,
            decoder,
            helpers,
            rest: None,
        }
    }

    /// What is left of the window from the next row on, down to `bottom`.
    fn stretch(&self, bottom: u32) -> Window {
        Window {
            y: self.next,
            height: bottom - self.next,
            ..self.cells.view.window
        }
    }

    /// The part of the window that is the next strip.
    fn part(&self) -> Window {
        let view = &self.cells.view;
        let bottom = if self.shape().bytes() <= ONE_STRIP_BYTES {
            view.window.bottom()
        } else {
            let row = self.next / view.cell.height;
            let below = (row + 1).saturating_mul(view.cell.height);
            below.min(view.window.bottom())
        };
        self.stretch(bottom)
    }

    /// The rows of `part`, if all of their cells are at hand or can be made.
    fn strip(&self, part: Window) -> Result<Option<Raster>> {
        let Some(cells) = self.cells_of(part)? else {
            return Ok(None);
        };
        let mut canvas = Canvas::new(part.dimensions(), self.cells.view.format)?;
        for (window, cell) in cells {
            paste(&mut canvas, part, window, &cell)?;
        }
        canvas.finish().map(Some)
    }

    /// Writes the rows of `part` to `sink`; false, and nothing is written, where a cell has to come from
    /// the decoder's rows.
    fn fill(&self, part: Window, sink: &mut dyn RowSink) -> Result<bool> {
        let Some(cells) = self.cells_of(part)? else {
            return Ok(false);
        };
        for (window, cell) in cells {
            paste(sink, part, window, &cell)?;
        }
        Ok(true)
    }

    /// The cells of `part` and where they lie, if all are at hand or can be made.
    fn cells_of(&self, part: Window) -> Result<Option<Vec<Lying>>> {
        let mut places = Vec::new();
        let mut missing = Vec::new();
        for place in self.cells.view.places(part) {
            let cell = self.cells.at_hand(place, &self.decoder.cancel)?;
            if cell.is_none() {
                if !self.cells.are_made_singly() {
                    return Ok(None);
                }
                missing.push(place);
            }
            places.push((place, cell));
        }
        let mut made = make(&self.cells, &self.decoder, &self.helpers, &missing)?.into_iter();
        let mut cells = Vec::with_capacity(places.len());
        for (place, cell) in places {
            let (window, cell) = match cell {
                Some(cell) => (self.cells.view.cell_window(place), Some(cell)),
                None => (self.cells.made_window(place), made.next()),
            };
            let cell =
                cell.ok_or_else(|| Error::internal("making fewer cells than are missing"))?;
            cells.push((window, cell));
        }
        Ok(Some(cells))
    }

    /// What the decoder gives from the next row on.
    fn decode(&self) -> Result<Box<dyn Rows>> {
        let window = self.stretch(self.cells.view.window.bottom());
        self.cells.count_decoded();
        let rows = self.decoder.rows(&self.cells.view, window)?;
        Ok(if self.cells.leaves_cells() {
            Box::new(Keep::new(rows, &self.cells, &self.decoder, window))
        } else {
            rows
        })
    }
}

/// Copies what `part` needs of `window`, whose samples are `cell`.
fn paste(sink: &mut dyn RowSink, part: Window, window: Window, cell: &Raster) -> Result<()> {
    let common = window
        .intersection(part)
        .ok_or_else(|| Error::internal("taking a cell that is not wanted"))?;
    let there = common.relative_to(part);
    sink.paste(cell, common.relative_to(window), there.x, there.y)
}

impl Rows for TileRows {
    fn shape(&self) -> Shape {
        self.cells.shape()
    }

    fn next_strip(&mut self) -> Result<Option<Raster>> {
        if let Some(rest) = &mut self.rest {
            return rest.next_strip();
        }
        let bottom = self.cells.view.window.bottom();
        if self.next >= bottom {
            return Ok(None);
        }
        let strip = self.strip(self.part());
        match &strip {
            Ok(Some(strip)) => self.next += strip.dimensions().height,
            Ok(None) => {
                let rows = self.decode()?;
                return self.rest.insert(rows).next_strip();
            }
            Err(_) => self.next = bottom,
        }
        strip
    }

    /// Where all cells are in memory, whoever needs the whole window gets it without a second copy.
    fn at_once(&mut self) -> Result<Option<Raster>> {
        let window = self.cells.view.window;
        if self.next != window.y || self.rest.is_some() || !self.cells.are_resident() {
            return Ok(None);
        }
        let whole = self.strip(window);
        if !matches!(whole, Ok(None)) {
            self.next = window.bottom();
        }
        whole
    }

    fn pour(&mut self, sink: &mut dyn RowSink, cancel: &Cancel) -> Result<()> {
        let window = self.cells.view.window;
        while self.rest.is_none() && self.next < window.bottom() {
            cancel.check()?;
            let part = self.part();
            let filled = self.fill(part, &mut Below::new(sink, self.next - window.y));
            match filled {
                Ok(true) => self.next = part.bottom(),
                Ok(false) => self.rest = Some(self.decode()?),
                Err(error) => {
                    self.next = window.bottom();
                    return Err(error);
                }
            }
        }
        match &mut self.rest {
            Some(rest) => rest.pour(&mut Below::new(sink, self.next - window.y), cancel),
            None => Ok(()),
        }
    }
}
