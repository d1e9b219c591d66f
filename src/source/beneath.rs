//! Opens what lies below a folder and nothing else.
//!
//! A path is first looked up without opening what it names (`O_PATH`), by the kernel's own containment
//! (`openat2`) or, where a kernel or a sandbox lacks it, name by name without following any link. Only
//! what has then proved to be a regular file of an ordinary file system is opened for reading, through
//! the very handle that was looked at: nothing that is swapped in between is ever opened, and no
//! device, FIFO or file of `/proc` at any time.

use std::fs::{File, Metadata};
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};
use std::path::PathBuf;

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, fstatfs, open, openat, openat2};
use rustix::io::Errno;

use super::config::Symlinks;
use super::failure::Failure;

/// How often a look-up is tried again when folders are renamed under it.
const RETRIES: usize = 16;

/// `f_type` of file systems whose files are views of the system, from `linux/magic.h`: proc, sysfs,
/// debugfs, tracefs, cgroup, cgroup2, securityfs, configfs, bpf, efivarfs, nsfs.
const SYSTEM_VIEWS: &[u64] = &[
    0x9fa0,
    0x6265_6572,
    0x6462_6720,
    0x7472_6163,
    0x0027_e0eb,
    0x6367_7270,
    0x7363_6673,
    0x6265_6570,
    0xcafe_4a11,
    0xde5e_81e4,
    0x6e73_6673,
];

/// How paths below a folder are looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lookup {
    /// By the kernel, which contains the path; links as set.
    Kernel(Symlinks),
    /// Name by name; no link is followed.
    NameByName,
}

impl Lookup {
    /// The way that this system allows.
    pub(super) fn new(links: Symlinks) -> Self {
        match openat2(CWD, ".", HANDLE, Mode::empty(), ResolveFlags::BENEATH) {
            // An older kernel says the first, a sandbox that does not know the call the second.
            Err(Errno::NOSYS | Errno::PERM) => Self::NameByName,
            Ok(_) | Err(_) => Self::Kernel(links),
        }
    }

    /// A handle on what `path` names below `folder`, whatever it is; the handle cannot be read.
    ///
    /// # Errors
    ///
    /// [`Failure`], absent also for what leaves the folder.
    pub(super) fn look(self, folder: &File, path: &str) -> Result<File, Failure> {
        let found = match self {
            Self::Kernel(links) => contained(folder.as_fd(), path, links),
            Self::NameByName => name_by_name(folder.as_fd(), path),
        };
        Ok(File::from(found?))
    }
}

const HANDLE: OFlags = OFlags::PATH.union(OFlags::CLOEXEC);

fn contained(folder: BorrowedFd<'_>, path: &str, links: Symlinks) -> Result<OwnedFd, Errno> {
    let resolve = ResolveFlags::BENEATH
        | ResolveFlags::NO_MAGICLINKS
        | match links {
            Symlinks::Never => ResolveFlags::NO_SYMLINKS,
            Symlinks::Inside => ResolveFlags::empty(),
        };
    let mut outcome = Err(Errno::AGAIN);
    for _ in 0..RETRIES {
        outcome = openat2(folder, path, HANDLE, Mode::empty(), resolve);
        if !matches!(outcome, Err(Errno::AGAIN | Errno::INTR)) {
            break;
        }
    }
    outcome
}

fn name_by_name(folder: BorrowedFd<'_>, path: &str) -> Result<OwnedFd, Errno> {
    let mut at: Option<OwnedFd> = None;
    for name in path.split('/') {
        if name.is_empty() || name == ".." {
            return Err(Errno::NOENT);
        }
        let from = at.as_ref().map_or(folder, OwnedFd::as_fd);
        at = Some(openat(
            from,
            name,
            HANDLE | OFlags::NOFOLLOW,
            Mode::empty(),
        )?);
    }
    at.ok_or(Errno::NOENT)
}

/// What a handle is, if it is a regular file of an ordinary file system.
///
/// # Errors
///
/// [`Failure::Absent`] for everything else.
pub(super) fn regular(handle: &File, folder: &Metadata) -> Result<Metadata, Failure> {
    let facts = handle.metadata()?;
    if facts.is_file() && is_ordinary(handle, &facts, folder)? {
        Ok(facts)
    } else {
        Err(Failure::Absent)
    }
}

/// What a handle is, if it is a folder of an ordinary file system.
///
/// # Errors
///
/// [`Failure::Absent`] for everything else.
pub(super) fn folder(handle: &File, root: &Metadata) -> Result<Metadata, Failure> {
    let facts = handle.metadata()?;
    if facts.is_dir() && is_ordinary(handle, &facts, root)? {
        Ok(facts)
    } else {
        Err(Failure::Absent)
    }
}

/// Whether a handle is not on a system view; what shares its root's device need not be asked.
fn is_ordinary(handle: &File, facts: &Metadata, root: &Metadata) -> Result<bool, Errno> {
    use std::os::unix::fs::MetadataExt as _;
    if facts.dev() == root.dev() {
        return Ok(true);
    }
    is_no_system_view(handle)
}

/// Whether a handle lies on a file system that stores files.
///
/// # Errors
///
/// The system's, when it cannot be asked.
pub(super) fn is_no_system_view(handle: &File) -> Result<bool, Errno> {
    let kind = u64::try_from(fstatfs(handle)?.f_type).unwrap_or_default();
    Ok(!SYSTEM_VIEWS.contains(&(kind & 0xffff_ffff)))
}

/// Opens the very file that a handle is, for reading.
///
/// # Errors
///
/// [`Failure`]; forbidden when this process may not read it.
pub(super) fn open_to_read(handle: &File) -> Result<File, Failure> {
    reopen(handle, OFlags::NONBLOCK | OFlags::NOCTTY)
}

/// Opens the very folder that a handle is, for listing.
///
/// # Errors
///
/// [`Failure`]; forbidden when this process may not list it.
pub(super) fn open_to_list(handle: &File) -> Result<File, Failure> {
    reopen(handle, OFlags::DIRECTORY)
}

fn reopen(handle: &File, flags: OFlags) -> Result<File, Failure> {
    let path = format!("{DESCRIPTORS}/{}", handle.as_raw_fd());
    match open(
        path,
        OFlags::RDONLY | OFlags::CLOEXEC | flags,
        Mode::empty(),
    ) {
        Ok(file) => Ok(File::from(file)),
        Err(Errno::NOENT) => Err(Failure::Away(
            "cannot be read without /proc",
            Some(Errno::NOENT),
        )),
        Err(errno) => Err(errno.into()),
    }
}

/// The path of what a handle is, without links; `None` where the system does not tell it.
pub(super) fn path_of(handle: &File) -> Option<PathBuf> {
    std::fs::read_link(format!("{DESCRIPTORS}/{}", handle.as_raw_fd())).ok()
}

/// Where the kernel shows a process its own descriptors.
const DESCRIPTORS: &str = "/proc/self/fd";

/// Whether handles can be opened for reading: `/proc` has to be mounted.
pub(super) fn can_reopen() -> bool {
    open(DESCRIPTORS, HANDLE | OFlags::DIRECTORY, Mode::empty()).is_ok()
}
