//! A view's rows: from cells that are at hand as far as they reach, then from the decoder.

use std::sync::Arc;

use super::TileSource;
use super::copy::Canvas;
use super::view::{Decoder, View};
use crate::error::{Error, Result};
use crate::geometry::Window;
use crate::raster::{Raster, Rows, Shape};

/// The rows of a view, in strips of one row of cells as long as all cells of the row are at hand.
/// From the first row that lacks one the decoder gives the rest, so that it never decodes more than it
/// would without cells.
pub(in crate::service) struct TileRows {
    view: View,
    decoder: Decoder,
    remembered: Option<Arc<dyn TileSource>>,
    /// First row that has not been given.
    next: u32,
    /// What the decoder gives, once a cell was missing.
    rest: Option<Box<dyn Rows>>,
}

impl TileRows {
    /// Rows of `view`, from `remembered` where it has them.
    pub(in crate::service) fn new(
        view: View,
        decoder: Decoder,
        remembered: Option<Arc<dyn TileSource>>,
    ) -> Self {
        Self {
            next: view.window.y,
            view,
            decoder,
            remembered,
            rest: None,
        }
    }

    /// What is left of the window from the next row on, down to `bottom`.
    fn stretch(&self, bottom: u32) -> Window {
        Window {
            y: self.next,
            height: bottom - self.next,
            ..self.view.window
        }
    }

    /// The strip of the row of cells that holds the next row, if all its cells are at hand.
    fn strip(&self) -> Result<Option<Raster>> {
        let Some(source) = &self.remembered else {
            return Ok(None);
        };
        let row = self.next / self.view.cell.height;
        let below = (row + 1).saturating_mul(self.view.cell.height);
        let part = self.stretch(below.min(self.view.window.bottom()));
        let mut canvas = Canvas::new(part.dimensions(), self.view.format)?;
        for column in self.view.columns(part) {
            let factor = self.view.factor;
            let Some(cell) = source.tile(factor, column, row, &self.decoder.cancel)? else {
                return Ok(None);
            };
            let place = self.view.cell_window(column, row);
            if cell.dimensions() != place.dimensions() {
                return Err(Error::internal("taking a cell of another size"));
            }
            let common = place.intersection(part).ok_or_else(|| {
                Error::internal(format!("taking {place:?} where {part:?} is wanted"))
            })?;
            let within = Window {
                x: common.x - place.x,
                y: common.y - place.y,
                ..common
            };
            canvas.paste(&cell, within, common.x - part.x, common.y - part.y)?;
        }
        canvas.finish().map(Some)
    }
}

impl Rows for TileRows {
    fn shape(&self) -> Shape {
        Shape {
            dimensions: self.view.window.dimensions(),
            format: self.view.format,
        }
    }

    fn next_strip(&mut self) -> Result<Option<Raster>> {
        if let Some(rest) = &mut self.rest {
            return rest.next_strip();
        }
        let bottom = self.view.window.bottom();
        if self.next >= bottom {
            return Ok(None);
        }
        let strip = self.strip();
        match &strip {
            Ok(Some(strip)) => self.next += strip.dimensions().height,
            Ok(None) => {
                let rows = self.decoder.rows(&self.view, self.stretch(bottom))?;
                return self.rest.insert(rows).next_strip();
            }
            Err(_) => self.next = bottom,
        }
        strip
    }
}
