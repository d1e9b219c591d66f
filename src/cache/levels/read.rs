//! A file of levels that is there: its index in memory, its tiles read one by one.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::sync::{Arc, PoisonError, RwLock};

use super::index::{Grid, Index, Place};
use super::{Folder, MAGIC, TIER};
use crate::cache::Key;
use crate::cache::disk::{HEAD_BYTES, Head, checksum};
use crate::metrics::CACHE_REQUESTS;

/// The levels of one master.
#[derive(Debug)]
pub struct LevelFile {
    folder: Arc<Folder>,
    key: Key,
    /// `None` once the file has left the store.
    file: RwLock<Option<Arc<File>>>,
    index: Index,
}

impl LevelFile {
    /// The levels in `file`; `None` where head or index are not whole.
    pub(super) fn open(folder: &Arc<Folder>, key: Key, file: File) -> Option<Self> {
        let length = file.metadata().ok()?.len();
        let mut head = [0; HEAD_BYTES];
        file.read_exact_at(&mut head, 0).ok()?;
        let head = Head::parse(&head)?;
        let index_length = length.checked_sub(head.mark)?;
        let whole = head.magic == MAGIC
            && head.key == key
            && head.length.checked_add(HEAD_BYTES as u64) == Some(length);
        // The length is the file's own, so that nothing is reserved that is not there.
        let index_length = usize::try_from(index_length).ok().filter(|_| whole)?;
        let mut index = vec![0; index_length];
        file.read_exact_at(&mut index, head.mark).ok()?;
        if checksum(&index) != head.checksum {
            return None;
        }
        Some(Self {
            folder: Arc::clone(folder),
            key,
            file: RwLock::new(Some(Arc::new(file))),
            index: Index::parse(&index, head.mark)?,
        })
    }

    /// What its owner said of the tiles.
    pub fn about(&self) -> &[u8] {
        &self.index.about
    }

    /// The levels that it has.
    pub fn grids(&self) -> &[Grid] {
        &self.index.grids
    }

    /// The tile of a cell, exactly as it was added; `None` where there is no such cell, and once the
    /// file has left the store. A tile that is damaged takes the whole file with it.
    pub fn tile(&self, factor: u32, column: u32, row: u32) -> Option<Vec<u8>> {
        let tile = self.look_up(factor, column, row);
        let result = if tile.is_some() { "hit" } else { "miss" };
        CACHE_REQUESTS.with([TIER, result]).increment(1);
        tile
    }

    fn look_up(&self, factor: u32, column: u32, row: u32) -> Option<Vec<u8>> {
        let place = self.index.place(factor, column, row)?;
        let file = self
            .file
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()?;
        if !self.folder.touch(&self.key) {
            self.close();
            return None;
        }
        let tile = read(&file, place);
        if tile.is_none() {
            tracing::warn!("stored levels are damaged and dropped");
            self.drop_file();
        }
        tile
    }

    /// Removes the file, because what it holds is of no use.
    pub fn drop_file(&self) {
        self.close();
        self.folder.remove(&self.key);
    }

    /// Whether tiles can still be read: the file has neither left the store nor turned out damaged.
    pub fn is_open(&self) -> bool {
        let file = self.file.read().unwrap_or_else(PoisonError::into_inner);
        file.is_some()
    }

    fn close(&self) {
        *self.file.write().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// The bytes at `place`, if they are those that were written.
fn read(file: &File, place: Place) -> Option<Vec<u8>> {
    let mut tile = vec![0; place.length as usize];
    file.read_exact_at(&mut tile, place.offset).ok()?;
    (checksum(&tile) == place.checksum).then_some(tile)
}
