//! Opening a file inside a root so that no name, link or race leads out of it.
//!
//! The kernel does the containment (`openat2`: beneath the root, no magic links). A path is first opened
//! without access to its content; only what turns out to be a regular file is opened for reading, through
//! the same handle, so that no device, FIFO or socket ever is.

use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::path::Path;

use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, Stat, fstat, open, openat, openat2};
use rustix::io::Errno;

use super::config::Symlinks;
use super::io::away;
use super::path::InnerPath;
use crate::error::{Error, ErrorKind, Result};

/// How often a path is tried again when a rename crosses the kernel's walk. Source: openat2(2), EAGAIN.
const ATTEMPTS: usize = 16;

/// A regular file inside a root, opened without access to its content.
#[derive(Debug)]
pub(super) struct Found {
    handle: OwnedFd,
    /// What the system says of it.
    pub(super) stat: Stat,
}

/// The regular file at `path` below the folder `root`; `None` if there is none.
///
/// # Errors
///
/// [`ErrorKind::Upstream`] when the root is away, [`ErrorKind::Forbidden`] when a folder on the way may not
/// be searched.
pub(super) fn find(root: &Path, path: &InnerPath, links: Symlinks) -> Result<Option<Found>> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = open(root, flags, Mode::empty()).map_err(|errno| away().with_source(errno))?;
    let handle = match walk(&root, path, links) {
        Ok(handle) => handle,
        Err(errno) if is_absent(errno) => return Ok(None),
        Err(errno) => return Err(failure(errno)),
    };
    let stat = fstat(&handle).map_err(failure)?;
    let is_file = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
    Ok(is_file.then_some(Found { handle, stat }))
}

impl Found {
    /// Opens the same file for reading.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Forbidden`] when this process may not read it, [`ErrorKind::Upstream`] otherwise.
    pub(super) fn open(self) -> Result<OwnedFd> {
        let same = format!("/proc/self/fd/{}", self.handle.as_fd().as_raw_fd());
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        open(same, flags, Mode::empty()).map_err(failure)
    }
}

/// A handle to whatever is at `path`.
fn walk(root: &OwnedFd, path: &InnerPath, links: Symlinks) -> std::result::Result<OwnedFd, Errno> {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let mut resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    if links == Symlinks::Never {
        resolve |= ResolveFlags::NO_SYMLINKS;
    }
    for _ in 0..ATTEMPTS {
        match openat2(root, path.as_path(), flags, Mode::empty(), resolve) {
            Err(Errno::AGAIN) => {}
            // A kernel or a sandbox without the call.
            Err(Errno::NOSYS | Errno::PERM) => return step_by_step(root, path),
            result => return result,
        }
    }
    Err(Errno::AGAIN)
}

/// The same name by name, following no link at all.
fn step_by_step(root: &OwnedFd, path: &InnerPath) -> std::result::Result<OwnedFd, Errno> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut names = path.names().peekable();
    let mut folder: Option<OwnedFd> = None;
    while let Some(name) = names.next() {
        let at = folder.as_ref().unwrap_or(root);
        let last = names.peek().is_none();
        let kind = if last {
            OFlags::empty()
        } else {
            OFlags::DIRECTORY
        };
        let handle = openat(at, name, flags | kind, Mode::empty())?;
        if last {
            return Ok(handle);
        }
        folder = Some(handle);
    }
    Err(Errno::NOENT)
}

/// Whether nothing that may be served is there: no name, a file in place of a folder, a link that leads
/// out or in circles, a name that cannot be.
fn is_absent(errno: Errno) -> bool {
    matches!(
        errno,
        Errno::NOENT
            | Errno::NOTDIR
            | Errno::LOOP
            | Errno::XDEV
            | Errno::NAMETOOLONG
            | Errno::INVAL
    )
}

fn failure(errno: Errno) -> Error {
    if errno == Errno::ACCESS || errno == Errno::PERM {
        let words = "the image may not be read";
        return Error::new(ErrorKind::Forbidden, words).with_source(errno);
    }
    away().with_source(errno)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn without_openat2_no_link_is_followed() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("a")).expect("made");
        std::fs::write(folder.path().join("a/b"), "x").expect("written");
        symlink("a", folder.path().join("link")).expect("linked");
        let flags = OFlags::PATH | OFlags::DIRECTORY;
        let root = open(folder.path(), flags, Mode::empty()).expect("there");
        let inner = |path| InnerPath::new(path).expect("plain");
        assert!(step_by_step(&root, &inner("a/b")).is_ok());
        assert!(step_by_step(&root, &inner("link/b")).is_err());
        assert!(step_by_step(&root, &inner("a/c")).is_err());
    }
}
