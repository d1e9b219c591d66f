//! Rows of one level, as they arrive → its tiles, and the rows of the level below.
//!
//! A level holds one row of tiles and at most one row that waits for its partner, whatever its height.

use super::halve;
use super::sample::Sample;
use crate::error::{Error, Result};
use crate::geometry::Dimensions;
use crate::raster::Channels;

/// A cell that is full: its place in the level's grid, row by row, and its pixels.
pub(super) struct Cell<T> {
    pub(super) index: usize,
    pub(super) samples: Vec<T>,
}

/// A level under way.
pub(super) struct Level<T> {
    pub(super) dimensions: Dimensions,
    channels: Channels,
    /// Side of a tile, in pixels.
    side: usize,
    /// Rows of the present row of tiles.
    band: Vec<T>,
    /// Rows that have arrived.
    arrived: usize,
    unpaired: Option<Vec<T>>,
}

impl<T: Sample> Level<T> {
    /// A level without rows yet.
    pub(super) fn new(dimensions: Dimensions, channels: Channels, side: usize) -> Self {
        Self {
            dimensions,
            channels,
            side,
            band: Vec::new(),
            arrived: 0,
            unpaired: None,
        }
    }

    /// Tiles from left to right.
    pub(super) fn columns(&self) -> usize {
        (self.dimensions.width as usize).div_ceil(self.side)
    }

    /// Tiles of the whole level.
    pub(super) fn tiles(&self) -> usize {
        self.columns() * (self.dimensions.height as usize).div_ceil(self.side)
    }

    fn row_len(&self) -> usize {
        self.dimensions.width as usize * self.channels.count()
    }

    /// Takes whole rows; hands full cells to `emit`; gives the rows that the next level gets.
    pub(super) fn push(
        &mut self,
        rows: &[T],
        emit: &mut dyn FnMut(Cell<T>) -> Result<()>,
    ) -> Result<Vec<T>> {
        let row_len = self.row_len();
        if !rows.len().is_multiple_of(row_len)
            || self.arrived + rows.len() / row_len > self.dimensions.height as usize
        {
            return Err(Error::internal("writing rows that a level does not have"));
        }
        let mut left = rows;
        while !left.is_empty() {
            let room = self.side - self.arrived % self.side;
            let (part, rest) = left.split_at(left.len().min(room * row_len));
            if self.band.is_empty() {
                let below = self.dimensions.height as usize - self.arrived;
                self.band.reserve_exact(self.side.min(below) * row_len);
            }
            self.band.extend_from_slice(part);
            self.arrived += part.len() / row_len;
            if self.arrived.is_multiple_of(self.side) || self.is_complete() {
                self.cut(emit)?;
            }
            left = rest;
        }
        Ok(self.halves(rows))
    }

    /// Whether every row has arrived.
    pub(super) fn is_complete(&self) -> bool {
        self.arrived == self.dimensions.height as usize
    }

    /// Cuts the band into cells; what lies beyond the level repeats its last column and row.
    fn cut(&mut self, emit: &mut dyn FnMut(Cell<T>) -> Result<()>) -> Result<()> {
        let row_len = self.row_len();
        let cell_len = self.side * self.channels.count();
        let first = (self.arrived - 1) / self.side * self.columns();
        for column in 0..self.columns() {
            let from = column * cell_len;
            let to = (from + cell_len).min(row_len);
            let mut samples = Vec::with_capacity(cell_len * self.side);
            for row in self.band.chunks_exact(row_len) {
                let part = row.get(from..to).unwrap_or_default();
                samples.extend_from_slice(part);
                let pixel = part.len() - self.channels.count();
                for _ in 0..(cell_len - part.len()) / self.channels.count() {
                    samples.extend_from_slice(part.get(pixel..).unwrap_or_default());
                }
            }
            while samples.len() < cell_len * self.side {
                samples.extend_from_within(samples.len() - cell_len..);
            }
            emit(Cell {
                index: first + column,
                samples,
            })?;
        }
        self.band.clear();
        Ok(())
    }

    /// The boxes of all pairs of rows that are complete.
    fn halves(&mut self, rows: &[T]) -> Vec<T> {
        let row_len = self.row_len();
        let mut out = Vec::with_capacity(rows.len() / 4 + row_len);
        let mut rows = rows.chunks_exact(row_len);
        loop {
            let upper = match self.unpaired.take() {
                Some(held) => held,
                None => match rows.next() {
                    Some(row) => row.to_vec(),
                    None => break,
                },
            };
            if let Some(lower) = rows.next() {
                halve::boxes(&upper, lower, self.channels, &mut out);
            } else if self.is_complete() {
                halve::boxes(&upper, &upper, self.channels, &mut out);
            } else {
                self.unpaired = Some(upper);
                break;
            }
        }
        out
    }
}
