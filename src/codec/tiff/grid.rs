//! Where a level's tiles lie: directory entries → the cells of its grid. A strip is a tile as wide
//! as the level, whose last one is cut at the level's bottom.
//!
//! Which bytes a tile has is left to `layout`, what is in them to `lane`.

use std::ops::Range;

use crate::codec::DecodeLimits;
use crate::codec::open::check_dimensions;
use crate::error::{Error, ErrorKind, Result};
use crate::geometry::{Dimensions, Window};

use super::directory::{Directory, File};
use super::tags;

/// The cells that a level is stored in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grid {
    /// Of the level.
    pub(super) image: Dimensions,
    /// Of a cell; that of a strip is as wide as the level.
    pub(super) tile: Dimensions,
    /// Cells from left to right.
    pub(super) columns: u32,
    /// Cells from top to bottom.
    pub(super) rows: u32,
    /// Tiles, not strips.
    pub(super) tiled: bool,
}

impl Grid {
    /// Row and column of the cell that shows exactly `window`.
    pub(super) fn cell(&self, window: Window) -> Option<(u32, u32)> {
        let Dimensions { width, height } = self.tile;
        let (row, column) = (window.y / height, window.x / width);
        let (x, y) = (column * width, row * height);
        let cell = Window {
            x,
            y,
            width: width.min(self.image.width.checked_sub(x)?),
            height: height.min(self.image.height.checked_sub(y)?),
        };
        (cell == window).then_some((row, column))
    }

    /// Reads sides and tiling, and holds them against `limits`.
    pub(super) fn read(file: &File, directory: &Directory, limits: &DecodeLimits) -> Result<Self> {
        let image = dimensions(file, directory)?;
        check_dimensions(image, limits)?;
        let tiled = directory.has(tags::TILE_WIDTH);
        let tile = if tiled {
            sides(file, directory, tags::TILE_WIDTH, tags::TILE_LENGTH)?
        } else {
            let rows = file.number(directory, tags::ROWS_PER_STRIP)?;
            let rows = rows.map_or(u32::MAX, |rows| u32::try_from(rows).unwrap_or(u32::MAX));
            Dimensions::new(image.width, rows.min(image.height))
                .ok_or_else(|| Error::corrupt("its strips have no rows"))?
        };
        check_dimensions(tile, limits)?;
        let grid = Self {
            image,
            tile,
            columns: image.width.div_ceil(tile.width),
            rows: image.height.div_ceil(tile.height),
            tiled,
        };
        Ok(grid)
    }

    /// The grid of a picture that is one strip.
    pub(super) fn whole(image: Dimensions) -> Self {
        Self {
            image,
            tile: image,
            columns: 1,
            rows: 1,
            tiled: false,
        }
    }

    /// Cells of one plane.
    pub(super) const fn tiles(&self) -> u64 {
        self.columns as u64 * self.rows as u64
    }

    /// Rows that are stored in the cells of `row`.
    pub(super) fn stored_rows(&self, row: u32) -> u32 {
        if self.tiled {
            return self.tile.height;
        }
        // A row of the grid begins inside the image.
        self.tile
            .height
            .min(self.image.height - row * self.tile.height)
    }

    /// The columns of cells that `window`, which lies inside the level, touches.
    pub(super) fn columns_of(&self, window: Window) -> Range<u32> {
        window.x / self.tile.width..(window.right() - 1) / self.tile.width + 1
    }

    /// The rows of cells that rows `from .. to` of the level touch.
    pub(super) fn rows_of(&self, from: u32, to: u32) -> Range<u32> {
        from / self.tile.height..(to - 1) / self.tile.height + 1
    }
}

/// Refuses more tiles, of all planes, than are kept track of.
pub(super) fn check_tiles(tiles: u64, limits: &DecodeLimits) -> Result<()> {
    if tiles <= limits.max_tiles {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::TooLarge,
        format!("the source image is stored in {tiles} tiles"),
    ))
}

/// Width and height of the picture in `directory`.
pub(super) fn dimensions(file: &File, directory: &Directory) -> Result<Dimensions> {
    sides(file, directory, tags::IMAGE_WIDTH, tags::IMAGE_LENGTH)
}

fn sides(file: &File, directory: &Directory, width: u16, height: u16) -> Result<Dimensions> {
    let side = |tag| -> Result<u32> {
        let value = file.number(directory, tag)?.unwrap_or(0);
        u32::try_from(value)
            .map_err(|cause| Error::corrupt(format!("a side of {value} pixels")).with_source(cause))
    };
    Dimensions::new(side(width)?, side(height)?)
        .ok_or_else(|| Error::corrupt("a picture or tile without width or height"))
}
