//! A root's folder: one handle that is looked at again, and the files found below it.
//!
//! Everything here may block for as long as the file system likes; `root` calls it on its threads.

use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::fs::{CWD, Dir, Mode, OFlags, openat};

use super::beneath::{self, Lookup};
use super::failure::Failure;
use super::file::Version;
use super::path::{RelativePath, forms};

/// A folder by its path, and the handle on what lies there.
#[derive(Debug)]
pub(super) struct Place {
    path: PathBuf,
    lookup: Lookup,
    check_every: Duration,
    current: Mutex<Option<Current>>,
    /// Whether a file was ever found here.
    has_held_files: AtomicBool,
}

#[derive(Debug)]
struct Current {
    folder: Arc<Folder>,
    checked: Instant,
}

/// A folder that was at a root's path when it was last looked at.
#[derive(Debug)]
pub(super) struct Folder {
    handle: File,
    facts: Metadata,
}

impl Folder {
    fn is(&self, other: &Metadata) -> bool {
        (self.facts.dev(), self.facts.ino()) == (other.dev(), other.ino())
    }
}

/// A file below a root that is there, is regular, and is not open yet.
#[derive(Debug)]
pub(super) struct Found {
    /// A handle on it that cannot be read.
    pub(super) handle: File,
    /// The bytes that it holds.
    pub(super) version: Version,
    /// What was added to the base of its path.
    pub(super) ending: String,
}

impl Place {
    /// The folder at `path`, which is not looked at yet.
    pub(super) fn new(path: &Path, lookup: Lookup, check_every: Duration) -> Self {
        Self {
            path: path.to_owned(),
            lookup,
            check_every,
            current: Mutex::default(),
            has_held_files: AtomicBool::new(false),
        }
    }

    /// The folder, looked at again if the last time is longer ago than it is believed.
    ///
    /// # Errors
    ///
    /// [`Failure::Away`] when it is not there.
    pub(super) fn folder(&self) -> Result<Arc<Folder>, Failure> {
        let current = self.lock();
        if let Some(current) = &*current
            && current.checked.elapsed() < self.check_every
        {
            return Ok(Arc::clone(&current.folder));
        }
        drop(current);
        self.renew()
    }

    /// The folder that is at the path now.
    ///
    /// # Errors
    ///
    /// [`Failure::Away`] when there is none, or one that cannot be the root.
    pub(super) fn renew(&self) -> Result<Arc<Folder>, Failure> {
        let outcome = self.look_at_path();
        let mut current = self.lock();
        let folder = match outcome {
            Ok(folder) => folder,
            Err(failure) => {
                *current = None;
                return Err(failure);
            }
        };
        let folder = match current.take() {
            Some(known) if known.folder.is(&folder.facts) => known.folder,
            Some(_) | None => Arc::new(folder),
        };
        *current = Some(Current {
            folder: Arc::clone(&folder),
            checked: Instant::now(),
        });
        Ok(folder)
    }

    fn look_at_path(&self) -> Result<Folder, Failure> {
        let folder = self.open_path()?;
        self.refuse_bare_mount_point(&folder)?;
        Ok(folder)
    }

    fn open_path(&self) -> Result<Folder, Failure> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let handle =
            openat(CWD, &self.path, flags, Mode::empty()).map_err(|errno| as_away(errno.into()))?;
        let handle = File::from(handle);
        let facts = handle.metadata().map_err(|error| as_away(error.into()))?;
        if !beneath::is_no_system_view(&handle).map_err(|errno| as_away(errno.into()))? {
            return Err(Failure::Away("is no place for files", None));
        }
        self.enter(&handle)?;
        Ok(Folder { handle, facts })
    }

    /// Holds if files below the folder can be looked up at all.
    fn enter(&self, handle: &File) -> Result<(), Failure> {
        self.lookup.look(handle, ".").map(drop).map_err(as_away)
    }

    /// An empty folder where files were found before is what an unmounted file system leaves behind.
    fn refuse_bare_mount_point(&self, folder: &Folder) -> Result<(), Failure> {
        let is_known = self
            .lock()
            .as_ref()
            .is_some_and(|current| current.folder.is(&folder.facts));
        if is_known || !self.has_held_files.load(Ordering::Relaxed) || !is_empty(folder) {
            return Ok(());
        }
        Err(Failure::Away(
            "is empty where it was not: is its mount away?",
            None,
        ))
    }

    /// The first file among `base` with each of `endings`; names are tried as they are, then in
    /// their other normal forms.
    ///
    /// # Errors
    ///
    /// [`Failure`]; absent only when the folder that is at the path now lacks them all.
    pub(super) fn find(&self, base: &str, endings: &[String]) -> Result<Found, Failure> {
        let folder = self.folder()?;
        let first = self.find_in(&folder, base, endings);
        if let Err(Failure::Absent | Failure::Away(..)) = first {
            let now = self.renew()?;
            if !Arc::ptr_eq(&now, &folder) {
                return self.find_in(&now, base, endings);
            }
        }
        first
    }

    fn find_in(&self, folder: &Folder, base: &str, endings: &[String]) -> Result<Found, Failure> {
        for form in forms(base) {
            match self.find_form(folder, &form, endings) {
                Err(Failure::Absent) => {}
                outcome => return self.explain(folder, outcome),
            }
        }
        match self.find_mixed(folder, base, endings) {
            Some(found) => found,
            None => Err(Failure::Absent),
        }
    }

    /// A file that may not be looked up because its root may not be entered is not forbidden: the
    /// root is away.
    fn explain(&self, folder: &Folder, outcome: Result<Found, Failure>) -> Result<Found, Failure> {
        if let Err(Failure::Forbidden(_)) = outcome {
            self.enter(&folder.handle)?;
        }
        outcome
    }

    fn find_form(&self, folder: &Folder, base: &str, endings: &[String]) -> Result<Found, Failure> {
        for ending in endings {
            let Some(path) = RelativePath::new(format!("{base}{ending}")) else {
                continue;
            };
            match self.look(folder, &path) {
                Err(Failure::Absent) => {}
                Ok((handle, version)) => {
                    self.has_held_files.store(true, Ordering::Relaxed);
                    return Ok(Found {
                        handle,
                        version,
                        ending: ending.clone(),
                    });
                }
                Err(failure) => return Err(failure),
            }
        }
        Err(Failure::Absent)
    }

    /// Tries the normal forms folder by folder, for paths whose names are not all of one form.
    fn find_mixed(
        &self,
        folder: &Folder,
        base: &str,
        endings: &[String],
    ) -> Option<Result<Found, Failure>> {
        let (folders, name) = base.rsplit_once('/').filter(|_| !base.is_ascii())?;
        let mut path = String::new();
        for part in folders.split('/') {
            let present = |form: &String| {
                let path = RelativePath::new(format!("{path}{form}"));
                path.is_some_and(|path| self.lookup.look(&folder.handle, path.as_str()).is_ok())
            };
            path.push_str(&forms(part).into_iter().find(present)?);
            path.push('/');
        }
        forms(name)
            .into_iter()
            .map(|form| self.find_form(folder, &format!("{path}{form}"), endings))
            .find(|outcome| !matches!(outcome, Err(Failure::Absent)))
    }

    fn look(&self, folder: &Folder, path: &RelativePath) -> Result<(File, Version), Failure> {
        let handle = self.lookup.look(&folder.handle, path.as_str())?;
        let facts = beneath::regular(&handle, &folder.facts)?;
        Ok((handle, Version::of(&facts)))
    }

    /// The path below the folder at which a file lies that was found there, whatever links led to it.
    pub(super) fn path_below(&self, found: &Found) -> Option<String> {
        let folder = beneath::path_of(&self.folder().ok()?.handle)?;
        let path = beneath::path_of(&found.handle)?;
        Some(path.strip_prefix(folder).ok()?.to_str()?.to_owned())
    }

    /// What a path below the folder is: a file, or another folder open for listing.
    ///
    /// # Errors
    ///
    /// [`Failure`]; absent also for what is neither.
    pub(super) fn inspect(&self, folder: &Folder, path: &str) -> Result<Inspected, Failure> {
        let handle = self
            .lookup
            .look(&folder.handle, if path.is_empty() { "." } else { path })?;
        if beneath::regular(&handle, &folder.facts).is_ok() {
            return Ok(Inspected::File);
        }
        let facts = beneath::folder(&handle, &folder.facts)?;
        let listing = beneath::open_to_list(&handle)?;
        Ok(Inspected::Folder {
            listing,
            identity: (facts.dev(), facts.ino()),
        })
    }

    /// Whether the path names something that is no folder.
    pub(super) fn is_no_folder(&self) -> bool {
        let handle = openat(
            CWD,
            &self.path,
            OFlags::PATH | OFlags::CLOEXEC,
            Mode::empty(),
        );
        let facts = handle.map(|handle| File::from(handle).metadata());
        matches!(facts, Ok(Ok(facts)) if !facts.is_dir())
    }

    fn lock(&self) -> MutexGuard<'_, Option<Current>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a listed name turned out to be.
#[derive(Debug)]
pub(super) enum Inspected {
    /// A regular file.
    File,
    /// A folder.
    Folder {
        /// Open for listing.
        listing: File,
        /// Device and file number.
        identity: (u64, u64),
    },
}

/// What goes wrong with a root's own path is never the request's fault.
fn as_away(failure: Failure) -> Failure {
    match failure {
        Failure::Absent => Failure::Away("is not there", None),
        Failure::Forbidden(errno) => Failure::Away("may not be entered", Some(errno)),
        Failure::Full(_) | Failure::Away(..) => failure,
    }
}

/// Whether a folder certainly holds nothing.
fn is_empty(folder: &Folder) -> bool {
    let Ok(entries) = beneath::open_to_list(&folder.handle).map(Dir::new) else {
        return false;
    };
    let is_real = |name: &[u8]| name != b"." && name != b"..";
    entries.is_ok_and(|mut entries| {
        !entries.any(|entry| entry.map_or(true, |entry| is_real(entry.file_name().to_bytes())))
    })
}
