//! Where the code-blocks of tiles lie, remembered while their master is open.
//!
//! What an answer holds does not depend on what is remembered: it is read again where it is not.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::cancel::Cancel;
use crate::error::Result;
use crate::reader::RangeReader;

use super::super::codestream::Codestream;
use super::super::packets::TileIndex;

/// Most bytes that a master's indices take. A picture of 100 megapixels needs a tenth of it; what is
/// larger is read for each decode.
const MAX_BYTES: u64 = 32 << 20;

/// The indices of a master's tiles.
#[derive(Debug, Default)]
pub(super) struct Kept(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    tiles: HashMap<u32, Slot>,
    bytes: u64,
    /// Counts how often something was asked for.
    clock: u64,
}

/// One tile's index, or the place where it is being read.
#[derive(Debug, Default)]
struct Slot {
    index: Arc<Mutex<Option<Arc<TileIndex>>>>,
    /// 0 as long as it is not read.
    bytes: u64,
    used: u64,
}

impl Kept {
    /// Whether the index of `tile` is there.
    pub(super) fn has(&self, tile: u32) -> bool {
        let state = self.state();
        state.tiles.get(&tile).is_some_and(|slot| slot.bytes > 0)
    }

    /// The index of `tile`; of those who ask at one time, one reads it.
    ///
    /// # Errors
    ///
    /// Those of [`TileIndex::read`].
    pub(super) fn get_or_read(
        &self,
        reader: &dyn RangeReader,
        stream: &Codestream,
        tile: u32,
        cancel: &Cancel,
    ) -> Result<Arc<TileIndex>> {
        let place = self.state().place(tile);
        let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = place.as_ref() {
            return Ok(Arc::clone(index));
        }
        cancel.check()?;
        let read = TileIndex::read(reader, stream, tile, cancel).map(Arc::new);
        let bytes = read.as_ref().map_or(0, |index| index.bytes().max(1));
        let keep = (1..=MAX_BYTES).contains(&bytes);
        *place = read.as_ref().ok().filter(|_| keep).cloned();
        self.state().settle(tile, if keep { bytes } else { 0 });
        read
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn place(&mut self, tile: u32) -> Arc<Mutex<Option<Arc<TileIndex>>>> {
        self.clock += 1;
        let slot = self.tiles.entry(tile).or_default();
        slot.used = self.clock;
        Arc::clone(&slot.index)
    }

    /// Takes note of the bytes of a tile's index, 0 for one that is not kept, and makes room for it.
    fn settle(&mut self, tile: u32, bytes: u64) {
        let Some(slot) = self.tiles.get_mut(&tile) else {
            return;
        };
        if bytes == 0 {
            self.tiles.remove(&tile);
            return;
        }
        slot.bytes = bytes;
        self.bytes += bytes;
        while self.bytes > MAX_BYTES {
            let others = self
                .tiles
                .iter()
                .filter(|(other, slot)| **other != tile && slot.bytes > 0);
            let Some(oldest) = others
                .min_by_key(|(_, slot)| slot.used)
                .map(|(tile, _)| *tile)
            else {
                return;
            };
            let removed = self.tiles.remove(&oldest);
            self.bytes -= removed.map_or(0, |slot| slot.bytes);
        }
    }
}
