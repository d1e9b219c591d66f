//! A master's levels on disk, as cells.

use super::super::tiles::{CELL_SIDE_PX, TileSource};
use crate::cache::levels::LevelFile;
use crate::cancel::Cancel;
use crate::codec::{Facts, packed};
use crate::error::Result;
use crate::geometry::{Dimensions, ScaleFactor};
use crate::raster::{PixelFormat, Raster};

/// Levels that are there.
#[derive(Debug)]
pub(super) struct Stored {
    file: LevelFile,
    full: Dimensions,
    format: PixelFormat,
}

impl Stored {
    /// The levels in `file`, if they are those of a master with these `facts`; else the file is of no
    /// use and is dropped.
    pub(super) fn new(file: LevelFile, facts: &Facts) -> Option<Self> {
        if file.about() != about(facts) {
            file.drop_file();
            return None;
        }
        Some(Self {
            file,
            full: facts.pyramid.dimensions(),
            format: facts.pixel,
        })
    }

    /// The dimensions of a cell; `None` where there is none.
    fn cell(&self, factor: ScaleFactor, column: u32, row: u32) -> Option<Dimensions> {
        let level = self.full.reduced(factor);
        let side = |place: u32, side: u32| {
            let start = place.checked_mul(CELL_SIDE_PX)?;
            Some(side.checked_sub(start)?.min(CELL_SIDE_PX))
        };
        Dimensions::new(side(column, level.width)?, side(row, level.height)?)
    }
}

/// What a file says of its tiles: dimensions, format and cells of the master that they were made for.
pub(super) fn about(facts: &Facts) -> Vec<u8> {
    let full = facts.pyramid.dimensions();
    format!("{full} {:?} {CELL_SIDE_PX}", facts.pixel).into_bytes()
}

impl TileSource for Stored {
    fn has(&self, factor: ScaleFactor) -> bool {
        self.file.is_open() && (self.file.grids().iter()).any(|grid| grid.factor == factor.get())
    }

    fn tile(
        &self,
        factor: ScaleFactor,
        column: u32,
        row: u32,
        cancel: &Cancel,
    ) -> Result<Option<Raster>> {
        cancel.check()?;
        let Some(dimensions) = self.cell(factor, column, row) else {
            return Ok(None);
        };
        let Some(bytes) = self.file.tile(factor.get(), column, row) else {
            return Ok(None);
        };
        let raster = packed::unpack(&bytes, dimensions, self.format);
        if raster.is_err() {
            self.file.drop_file();
        }
        Ok(raster.ok())
    }
}
