//! A request's cells as tiles in a device's memory: their names, the window that they make, and those
//! that are to stay there.

use super::cells::{Cells, Use};
use super::view::Access;
use crate::raster::Depth;
use crate::render::gpu::{Held, Keep, Mosaic, TileName};

impl Cells {
    /// The names of all tiles of the window, row by row; none where it leaves none in memory, or where
    /// the device cannot take them.
    pub(in crate::service) fn names(&self) -> Vec<TileName> {
        let kept = self.use_of_memory == Use::Keep && self.view.format.depth == Depth::Eight;
        if !kept {
            return Vec::new();
        }
        let places = self.view.places(self.view.window);
        places.map(|place| self.name(place)).collect()
    }

    fn name(&self, (column, row): (u32, u32)) -> TileName {
        TileName {
            master: *self.master.bytes(),
            factor: self.view.factor.get(),
            cell: self.view.cell,
            column,
            row,
        }
    }

    /// The window, where `tiles` are those that [`Cells::names`] names.
    pub(in crate::service) fn mosaic(&self, tiles: Vec<Held>) -> Mosaic {
        Mosaic {
            shape: self.shape(),
            cell: self.view.cell,
            left: self.view.window.x % self.view.cell.width,
            top: self.view.window.y % self.view.cell.height,
            tiles,
        }
    }

    /// The tiles that are to stay on the device, of those that are in memory now: `wanted` says which
    /// of [`Cells::names`].
    pub(in crate::service) fn keeps(&self, wanted: &[bool]) -> Vec<Keep> {
        let places = self.view.places(self.view.window).zip(wanted);
        let keep = |place| {
            Some(Keep {
                name: self.name(place),
                pixels: self.in_memory(place)?,
                worth: match self.view.access {
                    Access::Cells => 1,
                    Access::Rows => 2,
                    Access::DearCells => 8,
                },
            })
        };
        places
            .filter_map(|(place, wanted)| wanted.then(|| keep(place)).flatten())
            .collect()
    }
}
