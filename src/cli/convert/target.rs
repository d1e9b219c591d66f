//! A file that appears under its name when it is complete, and never in place of another.
//!
//! Where the file system can, it has no name until then: whatever ends the process, nothing is left
//! behind. Elsewhere it has a hidden name beside its own, which is removed with it.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, RenameFlags};

/// A file that is being written.
#[derive(Debug)]
pub(super) struct Target {
    file: File,
    path: PathBuf,
    /// Its name until it is complete, if it has one.
    hidden: Option<PathBuf>,
}

impl Target {
    /// A file that will be `path`, whose folder is there.
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        Self::nameless(path).or_else(|_not_here| Self::hidden(path))
    }

    fn nameless(path: &Path) -> io::Result<Self> {
        if !Path::new("/proc/self/fd").is_dir() {
            return Err(io::ErrorKind::Unsupported.into());
        }
        let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(0o666);
        Ok(Self {
            file: File::from(rustix::fs::open(folder(path), flags, mode)?),
            path: path.to_owned(),
            hidden: None,
        })
    }

    fn hidden(path: &Path) -> io::Result<Self> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let hidden = folder(path).join(format!(".{name}.{}.part", std::process::id()));
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&hidden)?;
        Ok(Self {
            file,
            path: path.to_owned(),
            hidden: Some(hidden),
        })
    }

    /// What is written.
    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Gives the file its name, once its bytes are on the disk.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::AlreadyExists`] when something else has that name by now; those of the system.
    pub(super) fn publish(self) -> io::Result<()> {
        self.file.sync_all()?;
        match &self.hidden {
            None => {
                let own = format!("/proc/self/fd/{}", self.file.as_raw_fd());
                rustix::fs::linkat(CWD, own, CWD, &self.path, AtFlags::SYMLINK_FOLLOW)?;
            }
            Some(hidden) => self.rename(hidden)?,
        }
        // A file system that cannot do this has no more to promise.
        let _ = File::open(folder(&self.path)).and_then(|folder| folder.sync_all());
        Ok(())
    }

    fn rename(&self, hidden: &Path) -> io::Result<()> {
        let renamed =
            rustix::fs::renameat_with(CWD, hidden, CWD, &self.path, RenameFlags::NOREPLACE);
        match renamed.map_err(io::Error::from) {
            // A link never replaces either; the hidden name goes when this does.
            Err(cause) if cause.kind() != io::ErrorKind::AlreadyExists => {
                fs::hard_link(hidden, &self.path)
            }
            other => other,
        }
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        if let Some(hidden) = &self.hidden {
            // After a rename it is not there any more.
            let _ = fs::remove_file(hidden);
        }
    }
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn both(path: &Path) -> [Target; 2] {
        [
            Target::nameless(path).expect("the test's folder can do this"),
            Target::hidden(path).unwrap(),
        ]
    }

    #[test]
    fn a_file_appears_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        for (number, kind) in (0..2).enumerate() {
            let path = folder.path().join(format!("{number}.tif"));
            let [nameless, hidden] = both(&path);
            let target = if kind == 0 { nameless } else { hidden };
            target.file().write_all(b"all of it").unwrap();
            assert!(!path.exists());
            target.publish().unwrap();
            assert_eq!(fs::read(&path).unwrap(), b"all of it");
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn an_abandoned_file_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        for target in both(&folder.path().join("a.tif")) {
            target.file().write_all(b"half").unwrap();
            drop(target);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_file_that_came_in_between_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.tif");
        let targets = both(&path);
        fs::write(&path, b"theirs").unwrap();
        for target in targets {
            let error = target.publish().unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        }
        assert_eq!(fs::read(&path).unwrap(), b"theirs");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
