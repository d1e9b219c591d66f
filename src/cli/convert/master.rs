//! A file of the command line as a master: positioned reads, and whether it stayed the same.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::Path;

use crate::error::{Error, ErrorKind, Result};
use crate::reader::{RangeReader, past_the_end};

/// An open file.
#[derive(Debug)]
pub(super) struct MasterFile {
    file: File,
    version: Version,
}

/// What tells one state of a file from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Version {
    length: u64,
    seconds: i64,
    nanoseconds: i64,
}

impl MasterFile {
    /// Opens the file at `path`.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(unreadable)?;
        let version = Version::of(&file).map_err(unreadable)?;
        Ok(Self { file, version })
    }

    /// Its length and time of change when it was opened.
    pub(super) fn version(&self) -> Version {
        self.version
    }

    /// Refuses a file that has changed since it was opened: what was read of it is of two states.
    pub(super) fn check_unchanged(&self) -> Result<()> {
        if Version::of(&self.file).map_err(unreadable)? == self.version {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Upstream,
            "the master has changed while it was read",
        ))
    }
}

impl Version {
    fn of(file: &File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        Ok(Self {
            length: metadata.len(),
            seconds: metadata.mtime(),
            nanoseconds: metadata.mtime_nsec(),
        })
    }

    /// As a converted file names it.
    pub(super) fn mark(self) -> String {
        format!(
            "from {} bytes of {}.{:09}",
            self.length, self.seconds, self.nanoseconds
        )
    }
}

impl RangeReader for MasterFile {
    fn length(&self) -> u64 {
        self.version.length
    }

    fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        let inside = offset
            .checked_add(buffer.len() as u64)
            .is_some_and(|end| end <= self.version.length);
        if !inside {
            return Err(past_the_end());
        }
        self.file.read_exact_at(buffer, offset).map_err(unreadable)
    }
}

fn unreadable(cause: io::Error) -> Error {
    let words = format!("the file cannot be read: {cause}");
    Error::new(ErrorKind::Upstream, words).with_source(cause)
}
