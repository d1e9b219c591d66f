//! A master's bytes through one descriptor.

use std::fmt;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::fs::fstat;
use rustix::io::{Errno, ReadWriteFlags, pread, preadv2, retry_on_intr};

use super::io::{IoThreads, away};
use super::version::Version;
use crate::error::{Error, Result};
use crate::metrics::SOURCE_READS;
use crate::reader::{RangeReader, past_the_end};

/// One open file. Bytes that the system has in memory are read at once; others on the threads that wait
/// for the file system, up to their deadline.
pub struct FileReader {
    file: Arc<OwnedFd>,
    version: Version,
    threads: Arc<IoThreads>,
}

impl fmt::Debug for FileReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileReader({} bytes)", self.version.length)
    }
}

impl FileReader {
    /// A reader of `file`, whose version is known.
    pub(super) fn new(file: OwnedFd, version: Version, threads: Arc<IoThreads>) -> Self {
        Self {
            file: Arc::new(file),
            version,
            threads,
        }
    }

    /// The version that the open file has now: another one means that it was changed in place.
    ///
    /// # Errors
    ///
    /// [`crate::error::ErrorKind::Upstream`] when the file system does not answer.
    pub fn version_now(&self) -> Result<Version> {
        let file = Arc::clone(&self.file);
        self.threads.run(move || {
            let stat = fstat(&*file).map_err(|errno| away().with_source(errno))?;
            Ok(Version::of(&stat))
        })
    }

    /// Fills the beginning of `buffer` with what is in memory already, and says how much that was.
    fn read_at_hand(&self, offset: u64, buffer: &mut [u8]) -> usize {
        let mut slices = [std::io::IoSliceMut::new(buffer)];
        // An error here is met again, and told, by the read that waits.
        preadv2(&*self.file, &mut slices, offset, ReadWriteFlags::NOWAIT).unwrap_or(0)
    }

    /// Bytes `offset .. offset + length`, waiting for the file system.
    fn read_waiting(&self, offset: u64, length: usize) -> Result<Vec<u8>> {
        let file = Arc::clone(&self.file);
        self.threads.run(move || {
            let mut bytes = vec![0; length];
            fill(&file, offset, &mut bytes)?;
            Ok(bytes)
        })
    }
}

fn fill(file: &OwnedFd, mut offset: u64, mut buffer: &mut [u8]) -> Result<()> {
    while !buffer.is_empty() {
        match retry_on_intr(|| pread(file, &mut *buffer, offset)) {
            Ok(0) => return Err(past_the_end()),
            Ok(count) => {
                buffer = buffer.get_mut(count..).unwrap_or_default();
                offset += count as u64;
            }
            Err(errno) => return Err(failure(errno)),
        }
    }
    Ok(())
}

fn failure(errno: Errno) -> Error {
    away().with_source(errno).while_doing("reading a master")
}

impl RangeReader for FileReader {
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
        let at_hand = self.read_at_hand(offset, buffer);
        let rest = buffer.get_mut(at_hand..).unwrap_or_default();
        if rest.is_empty() {
            SOURCE_READS.with(["file", "hit"]).increment(1);
            return Ok(());
        }
        let read = self.read_waiting(offset + at_hand as u64, rest.len());
        let result = if read.is_ok() { "read" } else { "error" };
        SOURCE_READS.with(["file", result]).increment(1);
        rest.copy_from_slice(&read?);
        Ok(())
    }
}
