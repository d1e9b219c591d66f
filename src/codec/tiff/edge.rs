//! Rows that end at a level's last column and row → rows that reach past them, repeating the last
//! samples: ⌈side / factor⌉ may ask for a column or row that a stored level lacks.

use crate::error::Result;
use crate::geometry::Dimensions;
use crate::raster::{Raster, Rows, Samples, Shape};

/// Rows whose last column and row are repeated up to wider `dimensions`.
pub(super) struct RepeatEdge {
    rows: Box<dyn Rows>,
    dimensions: Dimensions,
    /// Rows that have left.
    done: u32,
    /// The lowest row so far, as wide as `dimensions`.
    last: Option<Raster>,
}

impl RepeatEdge {
    /// `rows`, which are not empty, repeated to `dimensions`, which are not smaller.
    pub(super) fn new(rows: Box<dyn Rows>, dimensions: Dimensions) -> Self {
        Self {
            rows,
            dimensions,
            done: 0,
            last: None,
        }
    }

    fn widen(&self, strip: Raster) -> Result<Raster> {
        let Dimensions { width, height } = strip.dimensions();
        if width == self.dimensions.width {
            return Ok(strip);
        }
        let channels = strip.format().channels;
        let missing = (self.dimensions.width - width) as usize;
        let row_len = strip.row_len();
        let samples = match strip.samples() {
            Samples::U8(all) => Samples::U8(repeat(all, row_len, channels.count(), missing)),
            Samples::U16(all) => Samples::U16(repeat(all, row_len, channels.count(), missing)),
        };
        let dimensions = Dimensions {
            width: self.dimensions.width,
            height,
        };
        Raster::new(dimensions, channels, samples)
    }
}

impl Rows for RepeatEdge {
    fn shape(&self) -> Shape {
        Shape {
            dimensions: self.dimensions,
            ..self.rows.shape()
        }
    }

    fn next_strip(&mut self) -> Result<Option<Raster>> {
        if self.done == self.dimensions.height {
            return Ok(None);
        }
        let strip = match self.rows.next_strip()? {
            Some(strip) => {
                let strip = self.widen(strip)?;
                self.last = Some(last_row(&strip)?);
                Some(strip)
            }
            // After the inner rows, or after their error.
            None if self.done >= self.rows.shape().dimensions.height => self.last.clone(),
            None => None,
        };
        self.done += strip.as_ref().map_or(0, |strip| strip.dimensions().height);
        Ok(strip)
    }
}

fn last_row(strip: &Raster) -> Result<Raster> {
    let row_len = strip.row_len();
    let samples = match strip.samples() {
        Samples::U8(all) => Samples::U8(all[all.len() - row_len..].to_vec()),
        Samples::U16(all) => Samples::U16(all[all.len() - row_len..].to_vec()),
    };
    let dimensions = Dimensions {
        height: 1,
        ..strip.dimensions()
    };
    Raster::new(dimensions, strip.format().channels, samples)
}

/// Rows of `row_len` samples, each with its last pixel `missing` times more.
fn repeat<T: Copy>(all: &[T], row_len: usize, channels: usize, missing: usize) -> Vec<T> {
    let rows = all.len() / row_len;
    let mut out = Vec::with_capacity(all.len() + rows * missing * channels);
    for row in all.chunks_exact(row_len) {
        out.extend_from_slice(row);
        for _ in 0..missing {
            out.extend_from_slice(&row[row_len - channels..]);
        }
    }
    out
}
