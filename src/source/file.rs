//! An open master: one descriptor, read by range.
//!
//! What the page cache holds is read at once; all else goes through the root's threads and their
//! deadline. Whether the file changed while it was read is asked with [`FileReader::version_now`].

use std::fmt;
use std::fs::{File, Metadata};
use std::io::IoSliceMut;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{AtFlags, StatxFlags, makedev, statx};
use rustix::io::{Errno, ReadWriteFlags, preadv2};

use super::failure::{Failure, away, changed};
use super::io::Unanswered;
use super::root::Access;
use crate::error::{Error, Result};
use crate::metrics::SOURCE_READS;
use crate::reader::{RangeReader, past_the_end};

/// Most bytes that one access asks for, so that its deadline speaks of the root and not of the range.
const ACCESS_BYTES: usize = 1 << 20;

/// Which bytes a path named at one time: two equal versions are the same bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Version {
    /// The file system's number.
    pub device: u64,
    /// The file's number there.
    pub inode: u64,
    /// Length in bytes.
    pub length: u64,
    /// Time of the last change, in nanoseconds since 1970.
    pub modified_ns: i128,
}

impl Version {
    pub(super) fn of(facts: &Metadata) -> Self {
        Self {
            device: facts.dev(),
            inode: facts.ino(),
            length: facts.len(),
            modified_ns: i128::from(facts.mtime()) * 1_000_000_000 + i128::from(facts.mtime_nsec()),
        }
    }

    /// The time of the last change; 1970 for files that claim to be older.
    pub fn last_modified(&self) -> SystemTime {
        let nanoseconds = u64::try_from(self.modified_ns.max(0)).unwrap_or(u64::MAX);
        UNIX_EPOCH
            .checked_add(Duration::from_nanos(nanoseconds))
            .unwrap_or(UNIX_EPOCH)
    }
}

/// An open master.
pub struct FileReader {
    file: Arc<File>,
    version: Version,
    access: Access,
    /// Whether this file system can say that bytes are not at hand.
    can_tell: AtomicBool,
}

impl FileReader {
    pub(super) fn new(file: File, version: Version, access: Access) -> Self {
        Self {
            file: Arc::new(file),
            version,
            access,
            can_tell: AtomicBool::new(true),
        }
    }

    /// The version of the open file as it is now; another than the one that was opened when the file
    /// was written in place.
    ///
    /// # Errors
    ///
    /// [`crate::error::ErrorKind::Upstream`] when the source fails.
    pub fn version_now(&self) -> Result<Version> {
        let file = Arc::clone(&self.file);
        let facts = self
            .access
            .run(move || file.metadata())?
            .map_err(Failure::from)?;
        Ok(Version::of(&facts))
    }

    /// Fills `buffer` from `offset` on if that takes no waiting, and the file is then still the version
    /// that was opened; says whether it did. May be called on the runtime.
    ///
    /// The version is what the system knows without asking the device or server: where the bytes came
    /// from the page cache, so does the version of those bytes.
    ///
    /// # Errors
    ///
    /// [`crate::error::ErrorKind::Corrupt`] when the range reaches past the end.
    pub fn read_now(&self, offset: u64, buffer: &mut [u8]) -> Result<bool> {
        self.check_range(offset, buffer)?;
        let now = self.read_at_hand(offset, buffer) == buffer.len()
            && self.version_at_hand() == Some(self.version);
        if now {
            SOURCE_READS.with(["file", "hit"]).increment(1);
        }
        Ok(now)
    }

    /// The version as far as the system knows it without waiting.
    fn version_at_hand(&self) -> Option<Version> {
        let wanted = StatxFlags::INO | StatxFlags::SIZE | StatxFlags::MTIME;
        let flags = AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC;
        let facts = statx(&*self.file, c"", flags, wanted).ok()?;
        Some(Version {
            device: makedev(facts.stx_dev_major, facts.stx_dev_minor),
            inode: facts.stx_ino,
            length: facts.stx_size,
            modified_ns: i128::from(facts.stx_mtime.tv_sec) * 1_000_000_000
                + i128::from(facts.stx_mtime.tv_nsec),
        })
    }

    fn check_range(&self, offset: u64, buffer: &[u8]) -> Result<()> {
        let end = offset.checked_add(buffer.len() as u64);
        if end.is_none_or(|end| end > self.version.length) {
            return Err(past_the_end());
        }
        Ok(())
    }

    /// How many bytes of the range the page cache gave at once.
    fn read_at_hand(&self, offset: u64, buffer: &mut [u8]) -> usize {
        let mut filled = 0;
        while self.can_tell.load(Ordering::Relaxed) {
            let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) else {
                break;
            };
            let from = offset + filled as u64;
            match preadv2(
                &*self.file,
                &mut [IoSliceMut::new(rest)],
                from,
                ReadWriteFlags::NOWAIT,
            ) {
                Ok(0) | Err(Errno::AGAIN) => break,
                Ok(count) => filled += count,
                Err(Errno::INTR) => {}
                Err(_) => self.can_tell.store(false, Ordering::Relaxed),
            }
        }
        filled
    }

    fn read_through_threads(&self, offset: u64, buffer: &mut [u8]) -> Result<(), NotRead> {
        let mut from = offset;
        for part in buffer.chunks_mut(ACCESS_BYTES) {
            let (file, length) = (Arc::clone(&self.file), part.len());
            let bytes = self.access.run_counted(move || {
                let mut bytes = vec![0; length];
                file.read_exact_at(&mut bytes, from).map(|()| bytes)
            })??;
            part.copy_from_slice(&bytes);
            from += part.len() as u64;
        }
        Ok(())
    }
}

/// Why a range could not be read.
enum NotRead {
    Unanswered(Unanswered),
    Failed(std::io::Error),
}

impl From<Unanswered> for NotRead {
    fn from(reason: Unanswered) -> Self {
        Self::Unanswered(reason)
    }
}

impl From<std::io::Error> for NotRead {
    fn from(error: std::io::Error) -> Self {
        Self::Failed(error)
    }
}

impl NotRead {
    fn label(&self) -> &'static str {
        match self {
            Self::Unanswered(Unanswered::Late | Unanswered::Refused) => "timeout",
            Self::Unanswered(Unanswered::Panicked) | Self::Failed(_) => "error",
        }
    }
}

impl From<NotRead> for Error {
    fn from(reason: NotRead) -> Self {
        match reason {
            NotRead::Unanswered(reason) => reason.into(),
            // The range lay inside the file when it was opened.
            NotRead::Failed(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                changed().with_source(error)
            }
            NotRead::Failed(error) => away()
                .with_source(error)
                .while_doing("reading an open master"),
        }
    }
}

impl RangeReader for FileReader {
    fn length(&self) -> u64 {
        self.version.length
    }

    fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        self.check_range(offset, buffer)?;
        let filled = self.read_at_hand(offset, buffer);
        let rest = buffer.get_mut(filled..).unwrap_or_default();
        if rest.is_empty() {
            SOURCE_READS.with(["file", "hit"]).increment(1);
            return Ok(());
        }
        let outcome = self.read_through_threads(offset + filled as u64, rest);
        let label = outcome.as_ref().map_or_else(NotRead::label, |()| "read");
        SOURCE_READS.with(["file", label]).increment(1);
        Ok(outcome?)
    }
}

impl fmt::Debug for FileReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileReader")
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::source::{Config, FileSource};

    /// A reader of `bytes`, with and without the page cache's short way.
    fn readers(bytes: &[u8]) -> (tempfile::TempDir, [Arc<FileReader>; 2]) {
        let folder = tempfile::TempDir::new().expect("a folder");
        File::create(folder.path().join("a.tif"))
            .and_then(|mut file| file.write_all(bytes))
            .expect("written");
        let config = Config {
            root: folder.path().to_owned(),
            ..Config::default()
        };
        let source = FileSource::new(&config).expect("valid");
        let open = || source.open("a").expect("there").reader;
        let (short, long) = (open(), open());
        long.can_tell.store(false, Ordering::Relaxed);
        (folder, [short, long])
    }

    #[test]
    fn ranges_are_exact_whichever_way_they_are_read() {
        let length = 2 * ACCESS_BYTES + 12_345;
        let bytes: Vec<u8> = (0..length)
            .map(|at| u8::try_from((at * 7 + at / 251) % 256).expect("a byte"))
            .collect();
        let (_folder, readers) = readers(&bytes);
        let ranges = [
            (0, length),
            (0, 1),
            (length - 1, 1),
            (ACCESS_BYTES - 1, 2),
            (1, ACCESS_BYTES),
            (5, ACCESS_BYTES + 1),
            (length, 0),
        ];
        for reader in readers {
            for (offset, count) in ranges {
                let read = reader
                    .read_vec(offset as u64, count as u64)
                    .expect("inside");
                assert!(read == bytes[offset..offset + count], "{offset} {count}");
            }
        }
    }

    #[test]
    fn what_is_read_at_once_is_the_version_that_was_opened() {
        let (folder, [reader, slow]) = readers(&[1; 5000]);
        let mut buffer = [0; 4000];
        assert!(reader.read_now(1000, &mut buffer).expect("inside"));
        assert_eq!(buffer, [1; 4000]);
        assert!(reader.read_now(1001, &mut buffer).is_err(), "past the end");
        assert!(!slow.read_now(0, &mut buffer).expect("inside"));
        let path = folder.path().join("a.tif");
        let write = File::options().write(true).open(path);
        write
            .and_then(|file| file.write_all_at(&[2; 10], 4990))
            .expect("written in place");
        assert!(!reader.read_now(0, &mut buffer).expect("inside"));
    }

    #[test]
    fn a_file_that_shrank_is_upstream_whichever_way_it_is_read() {
        let (folder, readers) = readers(&[1; 5000]);
        File::options()
            .write(true)
            .open(folder.path().join("a.tif"))
            .and_then(|file| file.set_len(10))
            .expect("shorter");
        for reader in readers {
            let error = reader.read_vec(0, 5000).expect_err("gone");
            assert_eq!(error.kind(), crate::error::ErrorKind::Upstream);
        }
    }

    #[test]
    fn a_time_before_1970_is_1970() {
        let version = Version {
            device: 0,
            inode: 0,
            length: 0,
            modified_ns: -5,
        };
        assert_eq!(version.last_modified(), UNIX_EPOCH);
        let later = Version {
            modified_ns: 1_500_000_000,
            ..version
        };
        assert_eq!(
            later.last_modified(),
            UNIX_EPOCH + Duration::from_millis(1500)
        );
    }
}
