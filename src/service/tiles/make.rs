//! Makes the cells that are missing, one by one; dear ones on several threads where some are free.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, Builder};

use super::cells::Cells;
use super::view::{Access, Decoder};
use crate::codec::Crew;
use crate::error::{Error, Result};
use crate::raster::{Raster, gather};
use crate::service::admission::Places;

/// Threads that may help, as long as nobody else needs their places.
pub(in crate::service) type Helpers = Places;

impl Crew for Places {
    fn share(&self, most: usize, work: &(dyn Fn() + Sync)) {
        let taken = self.take(most);
        thread::scope(|scope| {
            for _ in &taken {
                let named = Builder::new().name("decode".to_owned());
                // Where there is no thread to be had, the others do its share.
                drop(named.spawn_scoped(scope, work));
            }
            work();
        });
    }
}

/// The cells at `places`, in their order, or their parts in the window where these alone are made.
pub(super) fn make(
    cells: &Cells,
    decoder: &Decoder,
    helpers: &Helpers,
    places: &[(u32, u32)],
) -> Result<Vec<Arc<Raster>>> {
    let one = |place: (u32, u32)| {
        cells.get_or_make(place, &decoder.cancel, || {
            let window = cells.made_window(place);
            let mut rows = decoder.rows(&cells.view, window)?;
            let cell = gather(rows.as_mut(), &decoder.cancel)?;
            // What is kept is all of one version.
            decoder.master.confirm()?;
            Ok(cell)
        })
    };
    if cells.view.access != Access::DearCells || places.len() < 2 {
        return places.iter().map(|place| one(*place)).collect();
    }
    let next = AtomicUsize::new(0);
    let work = || {
        let mut made = Vec::new();
        while let Some(place) = places.get(next.fetch_add(1, Ordering::Relaxed)) {
            let cell = one(*place);
            if cell.is_err() {
                // The others need not begin what nobody will use.
                next.store(places.len(), Ordering::Relaxed);
            }
            made.push((*place, cell));
        }
        made
    };
    let taken = helpers.take(places.len() - 1);
    let mut made = thread::scope(|scope| {
        let threads: Vec<_> = (taken.iter())
            .filter_map(|_| {
                let named = Builder::new().name("decode".to_owned());
                named.spawn_scoped(scope, work).ok()
            })
            .collect();
        let mut made = work();
        for thread in threads {
            made.extend(thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        made
    });
    drop(taken);
    made.sort_by_key(|((column, row), _)| (*row, *column));
    let made = made.into_iter().map(|(_, cell)| cell);
    let made = made.collect::<Result<Vec<_>>>()?;
    if made.len() == places.len() {
        Ok(made)
    } else {
        Err(Error::internal("making fewer cells than are missing"))
    }
}
