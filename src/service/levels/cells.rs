//! Rows on their way to the next level, cut into cells as they pass.

use std::sync::Arc;

use super::super::tiles::CELL_SIDE_PX;
use super::build::Output;
use crate::error::{Error, Result};
use crate::geometry::{Dimensions, ScaleFactor};
use crate::raster::{Raster, Rows, Samples, Shape};

/// Rows of one level, which are stored as cells while they pass.
pub(super) struct Cut {
    rows: Box<dyn Rows>,
    factor: ScaleFactor,
    output: Arc<Output>,
    /// Rows of the present row of cells.
    held: Held,
    /// Its number.
    row: u32,
}

impl Cut {
    /// `rows` of the level with `factor`, its cells given to `output`.
    pub(super) fn new(rows: Box<dyn Rows>, factor: ScaleFactor, output: Arc<Output>) -> Self {
        Self {
            held: Held::new(rows.shape()),
            rows,
            factor,
            output,
            row: 0,
        }
    }

    fn take(&mut self, strip: &Raster) -> Result<()> {
        let mut from = 0;
        while from < strip.dimensions().height {
            from += self.held.fill(strip, from)?;
            if self.held.is_full() {
                self.store()?;
            }
        }
        Ok(())
    }

    /// Gives away the cells of the row that is held, if there is one.
    fn store(&mut self) -> Result<()> {
        if self.held.rows == 0 {
            return Ok(());
        }
        for column in 0..self.held.shape.dimensions.width.div_ceil(CELL_SIDE_PX) {
            let cell = self.held.cell(column)?;
            self.output.add(self.factor, column, self.row, &cell)?;
        }
        self.held.empty();
        self.row += 1;
        Ok(())
    }
}

impl Rows for Cut {
    fn shape(&self) -> Shape {
        self.rows.shape()
    }

    fn next_strip(&mut self) -> Result<Option<Raster>> {
        let strip = self.rows.next_strip()?;
        match &strip {
            Some(strip) => self.take(strip)?,
            None => self.store()?,
        }
        Ok(strip)
    }
}

/// The rows of one row of cells.
struct Held {
    shape: Shape,
    samples: Samples,
    rows: u32,
}

impl Held {
    fn new(shape: Shape) -> Self {
        Self {
            shape,
            samples: Samples::zeroed(shape.format, 0),
            rows: 0,
        }
    }

    fn row_len(&self) -> usize {
        self.shape.dimensions.width as usize * self.shape.format.channels.count()
    }

    fn is_full(&self) -> bool {
        self.rows == CELL_SIDE_PX
    }

    fn empty(&mut self) {
        self.rows = 0;
        match &mut self.samples {
            Samples::U8(all) => all.clear(),
            Samples::U16(all) => all.clear(),
        }
    }

    /// Takes rows of `strip`, from the row `from` on; gives how many.
    fn fill(&mut self, strip: &Raster, from: u32) -> Result<u32> {
        let rows = (strip.dimensions().height - from).min(CELL_SIDE_PX - self.rows);
        let row = self.row_len();
        let range = from as usize * row..(from + rows) as usize * row;
        let taken = match (&mut self.samples, strip.samples()) {
            (Samples::U8(all), Samples::U8(more)) => append(all, more.get(range)),
            (Samples::U16(all), Samples::U16(more)) => append(all, more.get(range)),
            _ => None,
        };
        taken.ok_or_else(|| Error::internal("cutting a strip of another shape"))?;
        self.rows += rows;
        Ok(rows)
    }

    /// The cell in this column.
    fn cell(&self, column: u32) -> Result<Raster> {
        let left = column * CELL_SIDE_PX;
        let width = (self.shape.dimensions.width - left).min(CELL_SIDE_PX);
        let dimensions = Dimensions::new(width, self.rows)
            .ok_or_else(|| Error::internal("cutting a cell of nothing"))?;
        let channels = self.shape.format.channels;
        let (row, start) = (self.row_len(), left as usize * channels.count());
        let stretch = start..start + width as usize * channels.count();
        let samples = match &self.samples {
            Samples::U8(all) => Samples::U8(column_of(all, row, stretch)),
            Samples::U16(all) => Samples::U16(column_of(all, row, stretch)),
        };
        Raster::new(dimensions, channels, samples)
    }
}

fn append<T: Copy>(all: &mut Vec<T>, more: Option<&[T]>) -> Option<()> {
    all.extend_from_slice(more?);
    Some(())
}

fn column_of<T: Copy>(all: &[T], row: usize, stretch: std::ops::Range<usize>) -> Vec<T> {
    let rows = all.chunks_exact(row);
    let mut column = Vec::with_capacity(rows.len() * stretch.len());
    for row in rows {
        column.extend_from_slice(row.get(stretch.clone()).unwrap_or_default());
    }
    column
}
