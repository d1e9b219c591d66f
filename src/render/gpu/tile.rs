//! Tiles that stay on the device: how they are named, kept, and put together to a job's source.

use std::sync::Arc;

use super::{Held, Staged};
use crate::geometry::Dimensions;
use crate::raster::{Raster, Shape};

/// What names a tile: everything that decides its pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TileName {
    /// The master's key, its version in it.
    pub master: [u8; 32],
    /// The scale factor of the level.
    pub factor: u32,
    /// The cells of the grid.
    pub cell: Dimensions,
    /// Its place from left to right.
    pub column: u32,
    /// Its place from top to bottom.
    pub row: u32,
}

/// A tile that is to stay on the device.
#[derive(Debug, Clone)]
pub struct Keep {
    /// Its name.
    pub name: TileName,
    /// Its pixels, of 8 bits a sample.
    pub pixels: Arc<Raster>,
    /// What making it again would cost, for each of its pixels.
    pub worth: u32,
}

/// A window of tiles on the device.
#[derive(Debug, Clone)]
pub struct Mosaic {
    /// Of the window.
    pub shape: Shape,
    /// The cells of the grid.
    pub cell: Dimensions,
    /// Columns of the first cell left of the window.
    pub left: u32,
    /// Rows of the first cell above the window.
    pub top: u32,
    /// The tiles that the window touches, row by row.
    pub tiles: Vec<Held>,
}

impl Mosaic {
    /// Tiles from left to right and from top to bottom.
    pub fn grid(&self) -> (u32, u32) {
        let Dimensions { width, height } = self.shape.dimensions;
        (
            (self.left + width).div_ceil(self.cell.width),
            (self.top + height).div_ceil(self.cell.height),
        )
    }
}

/// Where a job's pixels are.
#[derive(Debug, Clone)]
pub enum Source {
    /// On the host: the whole decoded window, 8 bits a sample.
    Host(Raster),
    /// In memory that the device copies from, and that nobody reads.
    Staged(Staged),
    /// On the device.
    Resident(Mosaic),
}

impl Source {
    /// Of the whole window.
    pub fn shape(&self) -> Shape {
        match self {
            Self::Host(raster) => Shape {
                dimensions: raster.dimensions(),
                format: raster.format(),
            },
            Self::Staged(staged) => staged.shape(),
            Self::Resident(mosaic) => mosaic.shape,
        }
    }

    /// The pixels alone, where the host has them.
    pub fn into_raster(self) -> Option<Raster> {
        match self {
            Self::Host(raster) => Some(raster),
            Self::Staged(_) | Self::Resident(_) => None,
        }
    }

    /// The pixels, where the host has them.
    pub fn raster(&self) -> Option<&Raster> {
        match self {
            Self::Host(raster) => Some(raster),
            Self::Staged(_) | Self::Resident(_) => None,
        }
    }
}
