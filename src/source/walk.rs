//! Reads one root's folders, depth first and in natural order, into a list of identifiers.
//!
//! What is listed resolves: names that are not UTF-8, hidden, without a master's ending or against the
//! root's rule are left out. Files whose type the folder states are not looked at one by one.

use std::collections::HashSet;
use std::ffi::CStr;
use std::fs::File;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{FileType, RawDir};

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
        seen: HashSet::new(),
        walked: Walked::default(),
    };
    let Inspected::Folder { listing, identity } = place.inspect(&folder, "")? else {
        return Err(Failure::Away("is no folder", None));
    };
    walk.seen.insert(identity);
    walk.folder("", &listing, 0);
    walk.walked.names.shrink();
    Ok(walk.walked)
}

struct Walk<'a> {
    place: &'a Place,
    folder: &'a Folder,
    rule: &'a Rule,
    most: usize,
    stop: &'a AtomicBool,
    /// Folders that were listed, by device and number: links may lead in circles.
    seen: HashSet<(u64, u64)>,
    walked: Walked,
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
    fn folder(&mut self, path: &str, listing: &File, depth: usize) {
        let mut entries = self.read(listing);
        entries.sort();
        for entry in &entries.entries {
            if self.is_over() {
                return;
            }
            self.entry(path, entries.name(entry), entry.kind, depth);
        }
    }

    fn is_over(&mut self) -> bool {
        let stopped = self.stop.load(Ordering::Relaxed);
        self.walked.holes |= stopped;
        stopped || self.walked.names.len() >= self.most && self.walked.truncated
    }

    fn read(&mut self, listing: &File) -> Entries {
        let mut entries = Entries::default();
        let mut buffer: Vec<u8> = Vec::with_capacity(FOLDER_BUFFER_BYTES);
        let mut reading = RawDir::new(listing, buffer.spare_capacity_mut());
        while let Some(entry) = reading.next() {
            let Ok(entry) = entry else {
                self.walked.holes = true;
                break;
            };
            if let Some((name, kind)) = listable(entry.file_name(), entry.file_type()) {
                if entries.entries.len() >= self.most.saturating_add(1) {
                    self.walked.truncated = true;
                    break;
                }
                entries.push(name, kind);
            }
        }
        entries
    }

    fn entry(&mut self, folder: &str, name: &str, kind: Kind, depth: usize) {
        if kind == Kind::File {
            self.file(folder, name);
            return;
        }
        let path = format!("{folder}{name}");
        match self.place.inspect(self.folder, &path) {
            Ok(Inspected::File) if is_master(name) => self.file(folder, name),
            Ok(Inspected::Folder { listing, identity }) if depth < DEEPEST => {
                if self.seen.insert(identity) {
                    self.folder(&format!("{path}/"), &listing, depth + 1);
                }
            }
            // Other files, links that lead out, and what is neither file nor folder are not listed.
            Ok(Inspected::File) | Err(Failure::Absent) => {}
            Ok(Inspected::Folder { .. }) | Err(_) => self.walked.holes = true,
        }
    }

    fn file(&mut self, folder: &str, name: &str) {
        let whole;
        let path = if folder.is_empty() {
            name
        } else {
            whole = format!("{folder}{name}");
            &whole
        };
        let Some(identifier) = self.rule.inverse(path) else {
            return;
        };
        if self.walked.names.len() >= self.most
            || !self.walked.names.push(&[self.rule.prefix(), identifier])
        {
            self.walked.truncated = true;
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
