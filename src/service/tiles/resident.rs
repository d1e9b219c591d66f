//! The decoded cells in memory that all requests share.

use std::sync::Arc;

use super::view::View;
use crate::cache::{Key, Tiles, Weigh};
use crate::cancel::Cancel;
use crate::error::Result;
use crate::geometry::{Dimensions, ScaleFactor};
use crate::raster::{Raster, Shape};

/// Cells by master, factor and place.
#[derive(Debug)]
pub(in crate::service) struct Resident(Tiles<CellKey, Raster>);

/// What names a cell. The master's key holds its version: another version's cells are never found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct CellKey {
    master: Key,
    factor: ScaleFactor,
    cell: Dimensions,
    column: u32,
    row: u32,
}

impl CellKey {
    pub(super) fn new(master: Key, view: &View, (column, row): (u32, u32)) -> Self {
        Self {
            master,
            factor: view.factor,
            cell: view.cell,
            column,
            row,
        }
    }
}

impl Weigh for Raster {
    fn bytes(&self) -> u64 {
        let shape = Shape {
            dimensions: self.dimensions(),
            format: self.format(),
        };
        shape.bytes()
    }
}

impl Resident {
    /// Room for `capacity_bytes`; 0 turns it off.
    pub(in crate::service) fn new(capacity_bytes: u64) -> Self {
        Self(Tiles::new(capacity_bytes))
    }

    /// Whether a cell of `bytes` bytes can be kept.
    pub(super) fn keeps(&self, bytes: u64) -> bool {
        self.0.keeps(bytes)
    }

    /// Whether cells of `bytes` bytes in all, made for one request, will still be there for the next.
    pub(super) fn lasts(&self, bytes: u64) -> bool {
        self.0.lasts(bytes)
    }

    pub(super) fn get(&self, key: &CellKey) -> Option<Arc<Raster>> {
        self.0.get(key)
    }

    /// Whether a cell of these dimensions is there under `key`; nobody has asked for it then.
    pub(super) fn holds(&self, key: &CellKey, dimensions: Dimensions) -> bool {
        let found = self.0.peek(key);
        found.is_some_and(|cell| cell.dimensions() == dimensions)
    }

    pub(super) fn insert(&self, key: CellKey, cell: Arc<Raster>) {
        self.0.insert(key, cell);
    }

    /// The cell under `key`; of those who ask at one time, one makes it.
    pub(super) fn get_or_make(
        &self,
        key: &CellKey,
        cancel: &Cancel,
        make: impl FnOnce() -> Result<Raster>,
    ) -> Result<Arc<Raster>> {
        self.0.get_or_make(key, cancel, make)
    }
}
