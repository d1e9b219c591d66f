//! One tenant's files: where they are, how many bytes they may have.

use std::fs::{self, File, ReadDir};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use super::ledger::Ledger;
use super::stage::{self, Stage, remove_left};
use super::{HEAD_BYTES, Head};
use crate::cache::Key;
use crate::metrics::{CACHE_BYTES, CACHE_EVICTIONS};

/// Who keeps files.
#[derive(Debug, Clone, Copy)]
pub struct Tenant {
    /// Its folder's name and the tier's in metrics.
    pub name: &'static str,
    /// What its files begin with.
    pub magic: [u8; 8],
    /// The most bytes of all files together.
    pub bytes: u64,
}

/// The files of one tenant.
#[derive(Debug)]
pub struct Folder {
    root: PathBuf,
    tenant: Tenant,
    ledger: Mutex<Ledger>,
}

/// The ending of finished files.
const ENDING: &str = "cached";

impl Folder {
    /// The folder of `tenant` below `directory`, which is made if it is not there. What it has already
    /// is found by [`Folder::scan`], or one by one as it is asked for.
    ///
    /// # Errors
    ///
    /// When nothing can be written there.
    pub fn open(directory: &Path, tenant: Tenant) -> io::Result<Self> {
        let root = directory.join(tenant.name);
        fs::create_dir_all(&root)?;
        let folder = Self {
            root,
            tenant,
            ledger: Mutex::default(),
        };
        let probe = crate::cache::KeyBuilder::default().finish();
        Stage::create(probe, &folder.root.join("probe"))?;
        Ok(folder)
    }

    /// Whose files these are.
    pub fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    /// Bytes of all files that are known.
    pub fn bytes(&self) -> u64 {
        self.ledger().bytes()
    }

    /// The file under `key`, if there is one. Its content is not looked at.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    pub fn get(&self, key: &Key) -> io::Result<Option<File>> {
        let file = match File::open(self.path(key)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.ledger().remove(key);
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let length = file.metadata()?.len();
        let mut ledger = self.ledger();
        if !ledger.touch(key) {
            ledger.enter(*key, length);
        }
        drop(ledger);
        // The order of use outlives the process; where it cannot be written it is a little older.
        let _ = file.set_modified(SystemTime::now());
        Ok(Some(file))
    }

    /// The file under `key` is used, through a descriptor that is open; says whether it is still there.
    pub fn touch(&self, key: &Key) -> bool {
        self.ledger().touch(key)
    }

    /// Begins a file for `key`.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    pub fn stage(&self, key: Key) -> io::Result<Stage> {
        Stage::create(key, &self.path(&key))
    }

    /// Makes room for `stage` and gives it its place. A file that is larger than the whole bound gets
    /// none.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    pub fn publish(&self, stage: Stage) -> io::Result<()> {
        let (key, length) = (stage.key, stage.length());
        if length > self.tenant.bytes {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.shrink(self.tenant.bytes - length);
        let length = stage.publish(&self.path(&key))?;
        self.ledger().enter(key, length);
        self.tell();
        Ok(())
    }

    /// Removes the file under `key`, because it is damaged or of no use.
    pub fn remove(&self, key: &Key) {
        self.ledger().remove(key);
        let _ = fs::remove_file(self.path(key));
        self.tell();
    }

    /// Finds the files that are there, oldest use first, removes what killed writers have left, and
    /// holds the bound. Takes its time; nothing waits for it.
    pub fn scan(&self) {
        let mut found = Vec::new();
        for path in paths(&self.root).flat_map(|folder| paths(&folder)) {
            match path.extension().and_then(|ending| ending.to_str()) {
                Some(ENDING) => found.extend(self.known(&path)),
                Some(stage::ENDING) if is_key(&path) => {
                    let _ = remove_left(&path, self.tenant.magic);
                }
                _ => {}
            }
        }
        // Those that have been asked for meanwhile are known, and are the last to leave.
        found.sort_by_key(|(used, _, _)| *used);
        self.ledger()
            .enter_before(found.into_iter().map(|(_, key, bytes)| (key, bytes)));
        self.shrink(self.tenant.bytes);
        self.tell();
    }

    /// When the file at `path` was last used, its key and its length, if it is one of ours.
    fn known(&self, path: &Path) -> Option<(SystemTime, Key, u64)> {
        let file = File::open(path).ok()?;
        let facts = file.metadata().ok()?;
        let mut head = [0; HEAD_BYTES];
        file.read_exact_at(&mut head, 0).ok()?;
        let head = Head::parse(&head)?;
        let ours = head.magic == self.tenant.magic && self.path(&head.key) == path;
        ours.then_some((facts.modified().ok()?, head.key, facts.len()))
    }

    fn shrink(&self, bound: u64) {
        let leaving = self.ledger().shrink(bound);
        for key in leaving {
            let _ = fs::remove_file(self.path(&key));
            CACHE_EVICTIONS.with([self.tenant.name]).increment(1);
        }
    }

    fn path(&self, key: &Key) -> PathBuf {
        let name = key.to_hex();
        let group = name.get(..2).unwrap_or_default();
        self.root.join(group).join(format!("{name}.{ENDING}"))
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self) {
        CACHE_BYTES
            .with([self.tenant.name])
            .set(self.bytes() as f64);
    }
}

/// What a folder holds; nothing where it cannot be read.
fn paths(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    fs::read_dir(folder)
        .into_iter()
        .flat_map(ReadDir::flatten)
        .map(|entry| entry.path())
}

/// Whether a file has the name that a [`Stage`] gives: a key, a number, its ending.
fn is_key(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    let hex =
        |text: &str, digits| text.len() == digits && text.bytes().all(|c| c.is_ascii_hexdigit());
    name.is_some_and(|name| {
        let mut parts = name.split('.');
        parts.next().is_some_and(|key| hex(key, 64))
            && parts.next().is_some_and(|number| hex(number, 16))
    })
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
