//! Decoded tiles that are remembered: any window of any level from cells that are at hand, and from
//! the decoder where they are not.
//!
//! A [`View`] is what a plan reads, in samples of the (virtual) level that decoder and
//! [`Shrink`](crate::plan::Pass::Shrink) reach together. [`TileRows`] gives exactly the pixels of a
//! decode of that window, wherever they come from. Encoded answers are kept elsewhere.

mod cells;
mod copy;
mod device;
mod keep;
mod make;
mod resident;
mod rows;
mod view;

#[cfg(test)]
mod tests;

use std::fmt;

use crate::cancel::Cancel;
use crate::error::Result;
use crate::geometry::ScaleFactor;
use crate::raster::Raster;

pub(in crate::service) use cells::{Cells, Use};
pub(in crate::service) use make::Helpers;
pub(in crate::service) use resident::Resident;
pub(in crate::service) use rows::TileRows;
pub(in crate::service) use view::{Decoder, View};

/// Side of the cells of a [`TileSource`], in pixels.
pub(in crate::service) const CELL_SIDE_PX: u32 = 256;

/// Where a level's tiles come from, beside the resident ones. Grid: cells of [`CELL_SIDE_PX`] from the
/// level's origin; those at the edges are cut to ⌈side / factor⌉.
pub(in crate::service) trait TileSource: Send + Sync + fmt::Debug {
    /// Whether it has cells of the level with `factor`.
    fn has(&self, factor: ScaleFactor) -> bool;

    /// Pixels of cell (`column`, `row`) at `factor`: exactly those of a decode of that window at that
    /// factor, after decoder and shrinking, before any other pass. `None` where it has none.
    ///
    /// # Errors
    ///
    /// Those of `cancel`. A cell that cannot be read counts as one that is not there.
    fn tile(
        &self,
        factor: ScaleFactor,
        column: u32,
        row: u32,
        cancel: &Cancel,
    ) -> Result<Option<Raster>>;
}
