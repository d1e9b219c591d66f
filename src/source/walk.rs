//! Reads one root's folders, depth first and in natural order, into a list of identifiers.
//!
//! What is listed resolves: names that are not UTF-8, hidden, without a master's ending or against the
//! root's rule are left out. Files whose type the folder states are not looked at one by one. Threads
//! beside the walk read the folders that come next.

use std::collections::HashSet;
use std::ffi::CStr;
use std::fs::File;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rustix::fs::{FileType, RawDir};

use super::ahead::Ahead;
use super::config::MASTER_EXTENSIONS;
use super::failure::Failure;
use super::listing::Names;
use super::natural;
use super::place::{Folder, Inspected, Place};
use super::rule::Rule;

/// Bytes of one reading of a folder.
const FOLDER_BUFFER_BYTES: usize = 1 << 15;

/// Deepest folder that is listed.
const DEEPEST: usize = 64;

/// Deepest folder whose folders are read ahead, where there are at least [`FEWEST_AHEAD`].
const DEEPEST_AHEAD: usize = 2;

/// Fewest folders that are worth threads.
const FEWEST_AHEAD: usize = 4;

/// Most threads that read ahead in one folder.
const MOST_HELPERS: usize = 3;

/// What a walk gives.
#[derive(Debug, Default)]
pub(super) struct Walked {
    /// The identifiers.
    pub(super) names: Names,
    /// Some folders could not be read, or the walk was stopped.
    pub(super) holes: bool,
    /// There are more files than may be listed.
    pub(super) truncated: bool,
}

/// Lists at most `most` files of `place`.
///
/// # Errors
///
/// [`Failure`] when the root itself cannot be read.
pub(super) fn walk(
    place: &Place,
    rule: &Rule,
    most: usize,
    stop: &AtomicBool,
) -> Result<Walked, Failure> {
    let folder = place.folder()?;
    let mut walk = Walk {
        place,
        folder: &folder,
        rule,
        most,
        stop,
        helpers: thread::available_parallelism()
            .map_or(0, |threads| threads.get() - 1)
            .min(MOST_HELPERS),
        seen: HashSet::new(),
        path: String::new(),
        walked: Walked::default(),
    };
    let Found::Folder(contents) = look(place, &folder, "", most, &HashSet::new())? else {
        return Err(Failure::Away("is no folder", None));
    };
    walk.seen.insert(contents.identity);
    walk.folder("", &contents, 0);
    walk.walked.names.shrink();
    Ok(walk.walked)
}

struct Walk<'a> {
    place: &'a Place,
    folder: &'a Folder,
    rule: &'a Rule,
    most: usize,
    stop: &'a AtomicBool,
    /// Threads that read ahead.
    helpers: usize,
    /// Folders that were listed, by device and number: links may lead in circles.
    seen: HashSet<(u64, u64)>,
    /// A file's path below the root.
    path: String,
    walked: Walked,
}

/// What a path below the root turned out to be.
enum Found {
    File,
    Folder(Contents),
}

/// What one folder holds, in order.
struct Contents {
    identity: (u64, u64),
    entries: Entries,
    /// Not all of it could be read.
    holes: bool,
    /// It holds more than may be listed.
    truncated: bool,
}

/// The entries of one folder, their names one behind the other.
#[derive(Default)]
struct Entries {
    text: String,
    entries: Vec<Entry>,
}

struct Entry {
    order: u128,
    start: usize,
    length: usize,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Folder,
    /// A link, or what the folder does not tell.
    Unknown,
}

impl Entries {
    fn name(&self, entry: &Entry) -> &str {
        self.text
            .get(entry.start..entry.start + entry.length)
            .unwrap_or_default()
    }

    fn push(&mut self, name: &str, kind: Kind) {
        let (start, length) = (self.text.len(), name.len());
        self.text.push_str(name);
        self.entries.push(Entry {
            order: natural::prefix(name),
            start,
            length,
            kind,
        });
    }

    /// Names of the folders.
    fn folders(&self) -> impl Iterator<Item = &str> {
        let folders = self.entries.iter();
        let folders = folders.filter(|entry| entry.kind == Kind::Folder);
        folders.map(|entry| self.name(entry))
    }

    fn sort(&mut self) {
        let mut entries = std::mem::take(&mut self.entries);
        entries.sort_unstable_by(|a, b| {
            let whole = || natural::compare(self.name(a), self.name(b));
            a.order.cmp(&b.order).then_with(whole)
        });
        self.entries = entries;
    }
}

impl Walk<'_> {
    fn folder(&mut self, path: &str, contents: &Contents, depth: usize) {
        self.walked.holes |= contents.holes;
        self.walked.truncated |= contents.truncated;
        let entries = &contents.entries;
        let folders: Vec<_> = entries.folders().collect();
        if folders.len() < FEWEST_AHEAD || depth > DEEPEST_AHEAD || self.helpers == 0 {
            self.entries(path, entries, depth, &mut |walk, name| {
                walk.look(path, name)
            });
            return;
        }
        let (place, folder, most) = (self.place, self.folder, self.most);
        let make = |index: usize| {
            let name = folders.get(index).copied().unwrap_or_default();
            let found = look(
                place,
                folder,
                &format!("{path}{name}"),
                most,
                &HashSet::new(),
            );
            let weight = match &found {
                Ok(Found::Folder(contents)) => contents.entries.entries.len(),
                Ok(Found::File) | Err(_) => 0,
            };
            (found, weight)
        };
        Ahead::run(folders.len(), self.helpers, &make, |ahead| {
            let mut next = 0;
            self.entries(path, entries, depth, &mut |_, _| {
                next += 1;
                ahead.take(next - 1)
            });
        });
    }

    /// Lists `entries`; folders, all in their order, are given by `look`.
    fn entries(
        &mut self,
        path: &str,
        entries: &Entries,
        depth: usize,
        look: &mut dyn FnMut(&Self, &str) -> Result<Found, Failure>,
    ) {
        for entry in &entries.entries {
            if self.is_over() {
                return;
            }
            let name = entries.name(entry);
            let found = match entry.kind {
                Kind::File => Ok(Found::File),
                Kind::Folder => look(self, name),
                Kind::Unknown => self.look(path, name),
            };
            self.entry(path, name, found, depth);
        }
    }

    fn look(&self, path: &str, name: &str) -> Result<Found, Failure> {
        let path = format!("{path}{name}");
        look(self.place, self.folder, &path, self.most, &self.seen)
    }

    fn is_over(&mut self) -> bool {
        let stopped = self.stop.load(Ordering::Relaxed);
        self.walked.holes |= stopped;
        stopped || self.walked.names.len() >= self.most && self.walked.truncated
    }

    fn entry(&mut self, path: &str, name: &str, found: Result<Found, Failure>, depth: usize) {
        match found {
            Ok(Found::File) if is_master(name) => self.file(path, name),
            Ok(Found::Folder(contents)) if depth < DEEPEST => {
                if self.seen.insert(contents.identity) {
                    self.folder(&format!("{path}{name}/"), &contents, depth + 1);
                }
            }
            // Other files, links that lead out, and what is neither file nor folder are not listed.
            Ok(Found::File) | Err(Failure::Absent) => {}
            Ok(Found::Folder(_)) | Err(_) => self.walked.holes = true,
        }
    }

    fn file(&mut self, folder: &str, name: &str) {
        self.path.clear();
        self.path.push_str(folder);
        self.path.push_str(name);
        let Some(identifier) = self.rule.inverse(&self.path) else {
            return;
        };
        if self.walked.names.len() >= self.most
            || !self.walked.names.push(&[self.rule.prefix(), identifier])
        {
            self.walked.truncated = true;
        }
    }
}

/// What is at `path`; of a folder at most one entry more than `most`, and none if it is in `seen`.
fn look(
    place: &Place,
    folder: &Folder,
    path: &str,
    most: usize,
    seen: &HashSet<(u64, u64)>,
) -> Result<Found, Failure> {
    match place.inspect(folder, path)? {
        Inspected::File => Ok(Found::File),
        Inspected::Folder { listing, identity } => {
            let mut contents = Contents {
                identity,
                entries: Entries::default(),
                holes: false,
                truncated: false,
            };
            if !seen.contains(&identity) {
                contents.read(&listing, most);
                contents.entries.sort();
            }
            Ok(Found::Folder(contents))
        }
    }
}

impl Contents {
    fn read(&mut self, listing: &File, most: usize) {
        let mut buffer: Vec<u8> = Vec::with_capacity(FOLDER_BUFFER_BYTES);
        let mut reading = RawDir::new(listing, buffer.spare_capacity_mut());
        while let Some(entry) = reading.next() {
            let Ok(entry) = entry else {
                self.holes = true;
                return;
            };
            if let Some((name, kind)) = listable(entry.file_name(), entry.file_type()) {
                if self.entries.entries.len() > most {
                    self.truncated = true;
                    return;
                }
                self.entries.push(name, kind);
            }
        }
    }
}

/// The name, if it can be part of an identifier, and what it seems to be.
fn listable(name: &CStr, kind: FileType) -> Option<(&str, Kind)> {
    let kind = match kind {
        FileType::RegularFile => Kind::File,
        FileType::Directory => Kind::Folder,
        FileType::Symlink | FileType::Unknown => Kind::Unknown,
        FileType::Fifo | FileType::Socket | FileType::CharacterDevice | FileType::BlockDevice => {
            return None;
        }
    };
    let name = name.to_str().ok()?;
    let is_plain = !name.starts_with('.') && !name.chars().any(char::is_control);
    (is_plain && (kind != Kind::File || is_master(name))).then_some((name, kind))
}

/// Whether a file's name ends as a master's does.
fn is_master(name: &str) -> bool {
    let Some((_, ending)) = name.rsplit_once('.') else {
        return false;
    };
    MASTER_EXTENSIONS
        .iter()
        .any(|known| known.eq_ignore_ascii_case(ending))
}
