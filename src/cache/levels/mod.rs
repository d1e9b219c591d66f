//! Levels of masters on disk: opaque tiles by level and place, checked before they are given out.
//!
//! One file holds what is remembered of one master, under a key that its version is part of. It is
//! written by a [`LevelWriter`], appears whole or not at all, and is read tile by tile through a
//! [`LevelFile`]. A file in which one bit is wrong is dropped; no wrong byte is given out. What tiles
//! hold is their owner's affair.

mod index;
mod read;
mod write;

pub use index::Grid;
pub use read::LevelFile;
pub use write::LevelWriter;

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::Key;
use super::disk::{Folder, Tenant};
use crate::metrics::CACHE_REQUESTS;

#[cfg(test)]
mod tests;

/// The tier's name, in metrics and as a folder.
const TIER: &str = "levels";

/// What files begin with; the number is the layout's version.
const MAGIC: [u8; 8] = *b"TriLevl1";

/// The levels of many masters.
#[derive(Debug, Clone)]
pub struct LevelStore {
    folder: Arc<Folder>,
}

impl LevelStore {
    /// The store below `directory`, with at most `bytes`.
    ///
    /// # Errors
    ///
    /// When nothing can be written there.
    pub fn open(directory: &Path, bytes: u64) -> io::Result<Self> {
        let tenant = Tenant {
            name: TIER,
            magic: MAGIC,
            bytes,
        };
        Ok(Self {
            folder: Arc::new(Folder::open(directory, tenant)?),
        })
    }

    /// Finds what is there already and holds the bound. Takes its time; nothing waits for it.
    pub fn scan(&self) {
        self.folder.scan();
    }

    /// Bytes of all files that are known.
    pub fn bytes(&self) -> u64 {
        self.folder.bytes()
    }

    /// The levels under `key`, if they are there and whole as far as can be seen. A file that is
    /// damaged is dropped.
    pub fn find(&self, key: &Key) -> Option<LevelFile> {
        let found = self.look_up(key);
        let result = if found.is_some() { "hit" } else { "miss" };
        CACHE_REQUESTS.with([TIER, result]).increment(1);
        found
    }

    fn look_up(&self, key: &Key) -> Option<LevelFile> {
        match self.folder.get(key) {
            Ok(Some(file)) => {
                let levels = LevelFile::open(&self.folder, *key, file);
                if levels.is_none() {
                    self.folder.remove(key);
                }
                levels
            }
            Ok(None) => None,
            Err(error) => {
                tracing::warn!("stored levels cannot be read: {error}");
                None
            }
        }
    }

    /// Begins a file of these `grids` for `key`; `about` says to its owner what the tiles are.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    pub fn begin(&self, key: Key, about: Vec<u8>, grids: Vec<Grid>) -> io::Result<LevelWriter> {
        LevelWriter::begin(&self.folder, key, about, grids)
    }
}
