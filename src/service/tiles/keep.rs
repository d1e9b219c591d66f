//! Rows on their way from a decoder; the whole cells among them are left in memory.

use std::sync::Arc;

use super::cells::Cells;
use super::copy::Canvas;
use super::view::Decoder;
use crate::error::Result;
use crate::geometry::Window;
use crate::raster::{Raster, RowSink as _, Rows, Shape};

/// Rows of `window`, of which whole cells are copied as they pass.
pub(super) struct Keep {
    rows: Box<dyn Rows>,
    cells: Cells,
    decoder: Decoder,
    window: Window,
    /// Rows that have passed.
    passed: u32,
    /// The cells of the row of cells that is passing.
    passing: Vec<Passing>,
}

struct Passing {
    place: (u32, u32),
    window: Window,
    canvas: Canvas,
}

impl Keep {
    /// `rows` of `window` of the cells' view.
    pub(super) fn new(
        rows: Box<dyn Rows>,
        cells: &Cells,
        decoder: &Decoder,
        window: Window,
    ) -> Self {
        Self {
            rows,
            cells: cells.clone(),
            decoder: decoder.clone(),
            window,
            passed: 0,
            passing: Vec::new(),
        }
    }

    fn take(&mut self, strip: &Raster) -> Result<()> {
        let here = Window {
            y: self.window.y + self.passed,
            height: strip.dimensions().height,
            ..self.window
        };
        self.passed += here.height;
        let view = self.cells.view;
        for row in view.rows(here) {
            if self.passing.first().is_none_or(|cell| cell.place.1 != row) {
                self.begin(row)?;
            }
            for cell in &mut self.passing {
                let Some(common) = cell.window.intersection(here) else {
                    continue;
                };
                let part = common.relative_to(here);
                let there = common.relative_to(cell.window);
                cell.canvas.paste(strip, part, there.x, there.y)?;
            }
            let ends = |cell: &Passing| cell.window.bottom() <= here.bottom();
            if self.passing.first().is_some_and(ends) {
                self.leave()?;
            }
        }
        Ok(())
    }

    /// Opens the cells of `row` that lie wholly in the window.
    fn begin(&mut self, row: u32) -> Result<()> {
        let view = self.cells.view;
        self.passing.clear();
        for column in view.columns(self.window) {
            let window = view.cell_window((column, row));
            if window.intersection(self.window) == Some(window) {
                self.passing.push(Passing {
                    place: (column, row),
                    window,
                    canvas: Canvas::new(window.dimensions(), view.format)?,
                });
            }
        }
        Ok(())
    }

    /// Leaves the cells that are complete, if what they were made of is still what it was.
    fn leave(&mut self) -> Result<()> {
        self.decoder.master.confirm()?;
        for cell in self.passing.drain(..) {
            let raster = Arc::new(cell.canvas.finish()?);
            self.cells.leave(cell.place, &raster);
        }
        Ok(())
    }
}

impl Rows for Keep {
    fn shape(&self) -> Shape {
        self.rows.shape()
    }

    fn next_strip(&mut self) -> Result<Option<Raster>> {
        let strip = self.rows.next_strip()?;
        if let Some(strip) = &strip {
            self.take(strip)?;
        }
        Ok(strip)
    }
}
