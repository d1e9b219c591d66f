//! A file of levels on its way: tiles in any order, then the index, then its name.

use std::io;
use std::sync::Arc;

use super::index::{Grid, Index, Place};
use super::{Folder, MAGIC};
use crate::cache::Key;
use crate::cache::disk::{HEAD_BYTES, Head, Stage, checksum};

/// A file that is being written. Dropped before [`LevelWriter::finish`], nothing of it stays.
#[derive(Debug)]
pub struct LevelWriter {
    folder: Arc<Folder>,
    key: Key,
    stage: Stage,
    index: Index,
}

impl LevelWriter {
    pub(super) fn begin(
        folder: &Arc<Folder>,
        key: Key,
        about: Vec<u8>,
        grids: Vec<Grid>,
    ) -> io::Result<Self> {
        let mut stage = folder.stage(key)?;
        // Room for the head; its magic is there from the start, so that what is left is known as ours.
        let mut head = [0; HEAD_BYTES];
        head[..MAGIC.len()].copy_from_slice(&MAGIC);
        stage.append(&head)?;
        Ok(Self {
            folder: Arc::clone(folder),
            key,
            stage,
            index: Index::new(about, grids),
        })
    }

    /// Bytes so far.
    pub fn length(&self) -> u64 {
        self.stage.length()
    }

    /// Adds the tile of a cell of one of the grids, at most once.
    ///
    /// # Errors
    ///
    /// Those of the file system; [`io::ErrorKind::InvalidInput`] for a cell of no grid or one that has
    /// its tile, and for a tile of no bytes.
    pub fn add(&mut self, factor: u32, column: u32, row: u32, tile: &[u8]) -> io::Result<()> {
        let place = self.index.place_mut(factor, column, row);
        let place = place.filter(|place| place.length == 0 && !tile.is_empty());
        let place = place.ok_or(io::ErrorKind::InvalidInput)?;
        *place = Place {
            offset: self.stage.length(),
            length: u32::try_from(tile.len()).map_err(io::Error::other)?,
            checksum: checksum(tile),
        };
        self.stage.append(tile)
    }

    /// Writes the index and gives the file its name.
    ///
    /// # Errors
    ///
    /// Those of the file system; [`io::ErrorKind::InvalidInput`] while cells lack their tiles.
    pub fn finish(mut self) -> io::Result<()> {
        if !self.index.is_complete() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let mark = self.stage.length();
        let index = self.index.to_bytes();
        self.stage.append(&index)?;
        let head = Head {
            magic: MAGIC,
            key: self.key,
            length: self.stage.length() - HEAD_BYTES as u64,
            mark,
            checksum: checksum(&index),
        };
        self.stage.rewrite_start(&head.to_bytes())?;
        self.folder.publish(self.stage)
    }
}
