//! What tells one version of a file from another.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::Stat;

/// One version of a file. Two versions that are equal are taken for the same bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Version {
    /// The device that holds it.
    pub device: u64,
    /// The file's number on that device.
    pub inode: u64,
    /// Bytes.
    pub length: u64,
    /// Nanoseconds from the epoch to its last change; negative before it.
    pub modified_ns: i128,
}

impl Version {
    /// The version that the system describes.
    pub(super) fn of(stat: &Stat) -> Self {
        let seconds = i128::from(stat.st_mtime);
        Self {
            device: stat.st_dev,
            inode: stat.st_ino,
            length: u64::try_from(stat.st_size).unwrap_or(0),
            modified_ns: seconds * 1_000_000_000 + i128::from(stat.st_mtime_nsec),
        }
    }

    /// When the file last changed; the epoch for times before it.
    pub fn last_modified(&self) -> SystemTime {
        let nanoseconds = u64::try_from(self.modified_ns).unwrap_or(0);
        UNIX_EPOCH + Duration::from_nanos(nanoseconds)
    }
}
