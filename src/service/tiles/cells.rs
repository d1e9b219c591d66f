//! One request's cells: what it finds in memory, what the rest will cost, and where they came from.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use super::resident::{CellKey, Resident};
use super::view::{Access, View};
use super::{CELL_SIDE_PX, TileSource};
use crate::cache::Key;
use crate::cancel::Cancel;
use crate::codec::{Picture, Price};
use crate::error::{Error, Result};
use crate::geometry::Window;
use crate::raster::{Raster, Shape};
use crate::service::answer::Rung;
use crate::service::masters::Master;

/// The cells of a request's view.
#[derive(Debug, Clone)]
pub(in crate::service) struct Cells {
    pub(super) view: View,
    pub(super) master: Key,
    resident: Arc<Resident>,
    remembered: Option<Arc<dyn TileSource>>,
    pub(super) use_of_memory: Use,
    /// What was in memory when the request came, row by row; nothing for those that only pass.
    found: Arc<[Option<Arc<Raster>>]>,
    /// Whether of cells at the window's edges no more is decoded than the window shows.
    are_cut: bool,
    origins: Arc<AtomicU8>,
}

/// What a request does with the cells in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::service) enum Use {
    /// It takes them, and leaves those that it makes.
    Keep,
    /// It takes them and leaves none: whole pages would push out what viewers need.
    Pass,
}

const DECODED: u8 = 1;
const REMEMBERED: u8 = 2;
const UNCONFIRMED: u8 = 4;

impl Cells {
    /// The cells of `view` of `master`, none of them looked for.
    pub(in crate::service) fn new(
        view: View,
        master: &Master,
        resident: Arc<Resident>,
        use_of_memory: Use,
    ) -> Self {
        let remembered = master.levels().filter(|levels| levels.has(view.factor));
        let view = if remembered.is_some() {
            view.in_remembered_cells()
        } else {
            view.in_cells(|bytes| resident.keeps(bytes))
        };
        Self {
            view,
            master: master.key,
            resident,
            remembered,
            use_of_memory,
            found: Arc::default(),
            are_cut: false,
            origins: Arc::default(),
        }
    }

    /// The same, with what is in memory of them.
    pub(in crate::service) fn look(mut self) -> Self {
        if self.use_of_memory == Use::Keep {
            let found = self.view.places(self.view.window);
            self.found = found.map(|place| self.in_memory(place)).collect();
            self.are_cut = self.view.access == Access::DearCells && !self.will_last();
        }
        self
    }

    /// Whether the cells that are missing would stay in memory until they are asked for again.
    fn will_last(&self) -> bool {
        let missing = self.found.iter().filter(|cell| cell.is_none()).count() as u64;
        let all = missing.saturating_mul(self.view.cell_shape().bytes());
        self.resident.lasts(all)
    }

    /// The rung that would answer now, where one that has to decode is `otherwise`. Nothing is read,
    /// counted or moved for it; that a remembered cell is damaged shows when it is read.
    pub(in crate::service) fn foreseen(&self, otherwise: Rung) -> Rung {
        let missing = |place: &(u32, u32)| {
            let wanted = self.view.cell_window(*place).dimensions();
            !self.resident.holds(&self.key(*place), wanted)
        };
        if !self
            .view
            .places(self.view.window)
            .any(|place| missing(&place))
        {
            Rung::Resident
        } else if self.remembered.is_some() {
            Rung::Levels
        } else {
            otherwise
        }
    }

    /// What comes out of them: the whole window, before the passes that are left.
    pub(in crate::service) fn shape(&self) -> Shape {
        Shape {
            dimensions: self.view.window.dimensions(),
            format: self.view.format,
        }
    }

    /// Whether all of them are in memory.
    pub(in crate::service) fn are_resident(&self) -> bool {
        self.use_of_memory == Use::Keep && self.found.iter().all(Option::is_some)
    }

    /// What has to be decoded, and the bytes that this and the cells under way take. `threads` decode
    /// at one time at most.
    pub(in crate::service) fn price(&self, picture: &dyn Picture, threads: usize) -> Price {
        let view = &self.view;
        if self.are_resident() {
            return Price::default();
        }
        if !self.leaves_cells() {
            return view.price(picture, view.window);
        }
        let columns = view.columns(view.window).len() as u64;
        let under_way = columns.saturating_mul(view.cell_shape().bytes());
        if view.access == Access::Rows {
            let price = view.price(picture, view.window);
            return Price {
                bytes: price.bytes.saturating_add(under_way),
                ..price
            };
        }
        let mut price = Price::default();
        let missing = view.places(view.window).zip(self.found.iter());
        let mut at_once = 0;
        for (place, _) in missing.filter(|(_, cell)| cell.is_none()) {
            let one = view.price(picture, self.made_window(place));
            price.pixels = price.pixels.saturating_add(one.pixels);
            price.bytes = price.bytes.max(one.bytes);
            at_once += 1;
        }
        let threads = if view.access == Access::DearCells {
            threads.clamp(1, at_once)
        } else {
            1
        };
        price.bytes = (price.bytes.saturating_mul(threads as u64)).saturating_add(under_way);
        price
    }

    /// The rung that answered, where one that has to decode would have been `otherwise`.
    pub(in crate::service) fn rung(&self, otherwise: Rung) -> Rung {
        let origins = self.origins.load(Ordering::Relaxed);
        if origins & DECODED != 0 {
            otherwise
        } else if origins & REMEMBERED != 0 {
            Rung::Levels
        } else {
            Rung::Resident
        }
    }

    /// Whether something was read of which nobody has said yet that it is of one version.
    pub(in crate::service) fn are_unconfirmed(&self) -> bool {
        self.origins.load(Ordering::Relaxed) & UNCONFIRMED != 0
    }

    /// Counts rows that go to the answer as they come out of the decoder.
    pub(super) fn count_decoded(&self) {
        self.origins
            .fetch_or(DECODED | UNCONFIRMED, Ordering::Relaxed);
    }

    fn key(&self, place: (u32, u32)) -> CellKey {
        CellKey::new(self.master, &self.view, place)
    }

    pub(super) fn in_memory(&self, place: (u32, u32)) -> Option<Arc<Raster>> {
        let wanted = self.view.cell_window(place).dimensions();
        let found = self.resident.get(&self.key(place))?;
        (found.dimensions() == wanted).then_some(found)
    }

    /// The cell at `place`, if nothing has to be decoded for it.
    pub(super) fn at_hand(
        &self,
        place: (u32, u32),
        cancel: &Cancel,
    ) -> Result<Option<Arc<Raster>>> {
        let cell = match self.view.index(place).and_then(|i| self.found.get(i)) {
            Some(found) => found.clone(),
            None => self.in_memory(place),
        };
        if cell.is_some() {
            return Ok(cell);
        }
        self.in_levels(place, cancel)
    }

    fn in_levels(&self, place: (u32, u32), cancel: &Cancel) -> Result<Option<Arc<Raster>>> {
        let square = |side| side == CELL_SIDE_PX;
        let Some(source) = (self.remembered.as_ref())
            .filter(|_| square(self.view.cell.width) && square(self.view.cell.height))
        else {
            return Ok(None);
        };
        let Some(cell) = source.tile(self.view.factor, place.0, place.1, cancel)? else {
            return Ok(None);
        };
        let wanted = self.view.cell_window(place).dimensions();
        if cell.dimensions() != wanted || cell.format() != self.view.format {
            return Err(Error::internal("taking a remembered cell of another shape"));
        }
        self.origins.fetch_or(REMEMBERED, Ordering::Relaxed);
        let cell = Arc::new(cell);
        self.leave(place, &cell);
        Ok(Some(cell))
    }

    /// Leaves a cell in memory, if this request does that.
    pub(super) fn leave(&self, place: (u32, u32), cell: &Arc<Raster>) {
        if self.use_of_memory == Use::Keep {
            self.resident.insert(self.key(place), Arc::clone(cell));
        }
    }

    /// Whether it leaves cells in memory.
    pub(super) fn leaves_cells(&self) -> bool {
        self.use_of_memory == Use::Keep && self.resident.keeps(0)
    }

    /// Whether cells that are missing are decoded one by one.
    pub(super) fn are_made_singly(&self) -> bool {
        self.leaves_cells() && self.view.access != Access::Rows
    }

    /// What is decoded for a cell that is missing: all of it, or its part of the window.
    pub(super) fn made_window(&self, place: (u32, u32)) -> Window {
        let cell = self.view.cell_window(place);
        let part = self.are_cut.then(|| cell.intersection(self.view.window));
        part.flatten().unwrap_or(cell)
    }

    /// The cell at `place`, or its part in the window, made by `decode` if nobody has made it in the meantime; `decode` confirms the
    /// master's version.
    pub(super) fn get_or_make(
        &self,
        place: (u32, u32),
        cancel: &Cancel,
        decode: impl FnOnce() -> Result<Raster>,
    ) -> Result<Arc<Raster>> {
        self.origins.fetch_or(DECODED, Ordering::Relaxed);
        if self.made_window(place) != self.view.cell_window(place) {
            return decode().map(Arc::new);
        }
        let key = self.key(place);
        self.resident.get_or_make(&key, cancel, decode)
    }
}
