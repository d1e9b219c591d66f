//! A file on its way into a folder: written under a name of its own, then renamed, or gone.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use crate::cache::Key;

/// The ending of files that are being written.
pub(super) const ENDING: &str = "part";

/// A file that is being written. It holds a lock for as long as its writer lives, so that what a killed
/// one has left can be told from it. Dropped without being published, it is removed.
#[derive(Debug)]
pub struct Stage {
    pub(super) key: Key,
    path: PathBuf,
    file: File,
    length: u64,
    published: bool,
}

impl Stage {
    /// A new file beside `target`.
    pub(super) fn create(key: Key, target: &Path) -> io::Result<Self> {
        let name = format!("{:016x}.{ENDING}", fastrand::u64(..));
        let path = target.with_extension(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let file = File::options().write(true).create_new(true).open(&path)?;
        let stage = Self {
            key,
            path,
            file,
            length: 0,
            published: false,
        };
        // A file system without locks cannot say who lives; then nothing that is left is removed.
        let _ = stage.file.try_lock();
        Ok(stage)
    }

    /// Bytes so far.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Appends `bytes`.
    ///
    /// # Errors
    ///
    /// Those of the file system: no room, read-only, gone.
    pub fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all_at(bytes, self.length)?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Writes over the file's first bytes.
    ///
    /// # Errors
    ///
    /// As [`Stage::append`].
    pub fn rewrite_start(&self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all_at(bytes, 0)
    }

    /// Gives the file its place.
    pub(super) fn publish(mut self, target: &Path) -> io::Result<u64> {
        fs::rename(&self.path, target)?;
        self.published = true;
        Ok(self.length)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if !self.published {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Removes a file that a writer which lives no more has left at `path`, if it is one of ours: its
/// content begins as `magic` does, or not at all.
pub(super) fn remove_left(path: &Path, magic: [u8; 8]) -> io::Result<bool> {
    let file = File::options().read(true).write(true).open(path)?;
    if file.try_lock().is_err() {
        return Ok(false);
    }
    let length = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
    let mut start = vec![0; length.min(magic.len())];
    file.read_exact_at(&mut start, 0)?;
    let ours = magic.starts_with(&start);
    if ours {
        fs::remove_file(path)?;
    }
    Ok(ours)
}
