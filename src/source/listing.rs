//! The collection as a list of identifiers, made in the background.

use std::cmp;
use std::fs::{self, FileType};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::file::Root;

/// A list that is older is made again when it is asked for.
const OLD_AFTER: Duration = Duration::from_secs(30);
/// Deepest folder below a root that is looked into.
const MAX_DEPTH: usize = 64;
/// Threads that walk a root: folders of a network share answer slowly, but many at a time.
const WALKERS: usize = 4;
/// Lists up to this length put `page 2` before `page 10`; longer ones are sorted by bytes.
const NATURAL_UP_TO: usize = 100_000;
/// Endings that masters have.
const ENDINGS: [&str; 19] = [
    "tif", "tiff", "ptif", "ptiff", "btf", "jp2", "jpx", "jpf", "j2k", "j2c", "jpc", "jph", "jhc",
    "jpg", "jpeg", "png", "webp", "gif", "bmp",
];

/// Identifiers in order, in one piece of memory.
#[derive(Debug, Default)]
pub struct Listing {
    text: String,
    ends: Vec<usize>,
    /// Whether a list is being made; this one is older or empty.
    pub building: bool,
    /// Whether there are more than are listed.
    pub truncated: bool,
}

impl Listing {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// `count` identifiers that contain `filter` (in any case), from the `offset`th on, and how many do.
    pub fn page(&self, filter: &str, offset: usize, count: usize) -> (Vec<String>, usize) {
        if filter.is_empty() {
            let page = self.iter().skip(offset).take(count);
            return (page.map(str::to_owned).collect(), self.len());
        }
        let wanted = filter.to_lowercase();
        let (mut page, mut found) = (Vec::new(), 0);
        for name in self.iter() {
            if name.to_lowercase().contains(&wanted) {
                if found >= offset && page.len() < count {
                    page.push(name.to_owned());
                }
                found += 1;
            }
        }
        (page, found)
    }

    fn iter(&self) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts
            .zip(&self.ends)
            .filter_map(|(start, end)| self.text.get(start..*end))
    }

    fn new(mut identifiers: Vec<String>, max: usize) -> Self {
        if identifiers.len() > NATURAL_UP_TO {
            identifiers.sort_unstable();
        } else {
            identifiers.sort_unstable_by(|a, b| natural(a, b));
        }
        identifiers.dedup();
        let truncated = identifiers.len() > max;
        identifiers.truncate(max);
        let mut listing = Self {
            text: String::with_capacity(identifiers.iter().map(String::len).sum()),
            ends: Vec::with_capacity(identifiers.len()),
            building: false,
            truncated,
        };
        for identifier in identifiers {
            listing.text.push_str(&identifier);
            listing.ends.push(listing.text.len());
        }
        listing
    }
}

/// Numbers inside names by their value, everything else by its characters.
fn natural(a: &str, b: &str) -> cmp::Ordering {
    let (mut left, mut right) = (a.as_bytes(), b.as_bytes());
    while let (Some(l), Some(r)) = (left.first(), right.first()) {
        if l.is_ascii_digit() && r.is_ascii_digit() {
            let (number_l, rest_l) = number(left);
            let (number_r, rest_r) = number(right);
            let by_value = number_l
                .len()
                .cmp(&number_r.len())
                .then_with(|| number_l.cmp(number_r));
            if by_value != cmp::Ordering::Equal {
                return by_value;
            }
            (left, right) = (rest_l, rest_r);
        } else if l == r {
            (left, right) = (
                left.get(1..).unwrap_or_default(),
                right.get(1..).unwrap_or_default(),
            );
        } else {
            return l.cmp(r);
        }
    }
    left.len().cmp(&right.len()).then_with(|| a.cmp(b))
}

/// The digits at the start, without leading zeroes, and the rest.
fn number(text: &[u8]) -> (&[u8], &[u8]) {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = text.split_at(digits);
    let zeroes = digits.iter().take_while(|digit| **digit == b'0').count();
    (digits.get(zeroes..).unwrap_or_default(), rest)
}

/// The list and its making.
#[derive(Debug)]
pub(super) struct Catalogue {
    roots: Arc<[Root]>,
    max: usize,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    listing: Arc<Listing>,
    made: Option<Instant>,
    building: bool,
}

impl Catalogue {
    /// A catalogue that nobody has asked for yet: no folder is walked before.
    pub(super) fn new(roots: Arc<[Root]>, max: usize) -> Self {
        Self {
            roots,
            max,
            state: Arc::default(),
        }
    }

    /// The list as far as it is known.
    pub(super) fn listing(&self) -> Arc<Listing> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let old = state.made.is_none_or(|made| made.elapsed() > OLD_AFTER);
        if old && !state.building {
            state.building = self.build();
        }
        if state.building && state.made.is_none() {
            return Arc::new(Listing {
                building: true,
                ..Listing::default()
            });
        }
        Arc::clone(&state.listing)
    }

    /// Starts making the list; says whether it could be started.
    fn build(&self) -> bool {
        let (roots, max, state) = (Arc::clone(&self.roots), self.max, Arc::clone(&self.state));
        thread::Builder::new()
            .name("source-listing".to_owned())
            .spawn(move || {
                let listing = Listing::new(walk_all(&roots, max), max);
                let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
                *state = State {
                    listing: Arc::new(listing),
                    made: Some(Instant::now()),
                    building: false,
                };
            })
            .is_ok()
    }
}

/// Identifiers of all roots; a thread for each, so that a slow one holds up the list but no other walk.
fn walk_all(roots: &[Root], max: usize) -> Vec<String> {
    thread::scope(|scope| {
        let walks: Vec<_> = roots
            .iter()
            .map(|root| scope.spawn(move || walk(root, max)))
            .collect();
        walks
            .into_iter()
            .filter_map(|walk| walk.join().ok())
            .flatten()
            .collect()
    })
}

/// Identifiers of one root, at least one more than `max` if there are more. Links to folders are not
/// entered.
fn walk(root: &Root, max: usize) -> Vec<String> {
    let walk = Walk::new(root, max);
    thread::scope(|scope| {
        let walkers: Vec<_> = (0..WALKERS).map(|_| scope.spawn(|| walk.run())).collect();
        walkers
            .into_iter()
            .filter_map(|walker| walker.join().ok())
            .flatten()
            .collect()
    })
}

/// A root that several threads walk together.
struct Walk<'a> {
    root: &'a Root,
    max: usize,
    found: AtomicUsize,
    ahead: Mutex<Ahead>,
    changed: Condvar,
}

/// Folders to be read, and how many are being read, each of which may bring further ones.
struct Ahead {
    folders: Vec<Folder>,
    being_read: usize,
}

/// A folder, its path below the root, and how deep it is.
struct Folder {
    place: PathBuf,
    path: String,
    depth: usize,
}

impl<'a> Walk<'a> {
    fn new(root: &'a Root, max: usize) -> Self {
        let first = Folder {
            place: root.folder.clone(),
            path: String::new(),
            depth: 0,
        };
        Self {
            root,
            max,
            found: AtomicUsize::new(0),
            ahead: Mutex::new(Ahead {
                folders: vec![first],
                being_read: 0,
            }),
            changed: Condvar::new(),
        }
    }

    /// One thread's share of the identifiers.
    fn run(&self) -> Vec<String> {
        let mut identifiers = Vec::new();
        while let Some(folder) = self.next() {
            let inner = self.read(&folder, &mut identifiers);
            let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
            ahead.folders.extend(inner);
            ahead.being_read -= 1;
            self.changed.notify_all();
        }
        identifiers
    }

    /// The next folder; none once all are read, or enough is found.
    fn next(&self) -> Option<Folder> {
        let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if self.found.load(Ordering::Relaxed) > self.max {
                return None;
            }
            if let Some(folder) = ahead.folders.pop() {
                ahead.being_read += 1;
                return Some(folder);
            }
            if ahead.being_read == 0 {
                return None;
            }
            let woken = self.changed.wait(ahead);
            ahead = woken.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Adds the identifiers of one folder; gives the folders in it.
    fn read(&self, folder: &Folder, identifiers: &mut Vec<String>) -> Vec<Folder> {
        let (mut inner, before) = (Vec::new(), identifiers.len());
        let known = self.found.load(Ordering::Relaxed);
        for (name, kind) in entries(&folder.place) {
            if kind.is_dir() && folder.depth < MAX_DEPTH {
                inner.push(Folder {
                    place: folder.place.join(&name),
                    path: folder.inner(&name),
                    depth: folder.depth + 1,
                });
            } else if !kind.is_dir() && is_master(&name) {
                identifiers.extend(self.root.rule.identifier_of(&folder.inner(&name)));
                if known + identifiers.len() - before > self.max {
                    break;
                }
            }
        }
        let count = identifiers.len() - before;
        self.found.fetch_add(count, Ordering::Relaxed);
        inner
    }
}

impl Folder {
    /// The path below the root of what is called `name` here.
    fn inner(&self, name: &str) -> String {
        if self.path.is_empty() {
            return name.to_owned();
        }
        [self.path.as_str(), name].join("/")
    }
}

/// Names that can be served; a folder that cannot be read has none.
fn entries(folder: &Path) -> impl Iterator<Item = (String, FileType)> {
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let name = entry.file_name().into_string().ok()?;
            let visible = !name.starts_with('.');
            let kind = entry.file_type().ok()?;
            visible.then_some((name, kind))
        })
}

fn is_master(name: &str) -> bool {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending);
    ending.is_some_and(|ending| {
        ENDINGS
            .iter()
            .any(|known| ending.eq_ignore_ascii_case(known))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_as_people_count() {
        let names = ["p10.tif", "p2.tif", "p02.tif", "a.tif", "p1.tif"];
        let listing = Listing::new(names.map(str::to_owned).to_vec(), 10);
        assert_eq!(
            listing.page("", 0, 9).0,
            ["a.tif", "p1.tif", "p02.tif", "p2.tif", "p10.tif"]
        );
    }

    #[test]
    fn a_page_is_cut_out_of_what_matches() {
        let names = (0..50).map(|n| format!("{}{n}.tif", if n % 2 == 0 { "Map" } else { "page" }));
        let listing = Listing::new(names.collect(), 40);
        assert!(listing.truncated);
        assert_eq!(listing.len(), 40);
        let (page, total) = listing.page("mAP", 3, 2);
        assert_eq!(total, 25);
        assert_eq!(page, ["Map6.tif", "Map8.tif"]);
    }

    #[test]
    fn only_masters_are_listed() {
        for name in ["a.tif", "a.JP2", "a.b.png"] {
            assert!(is_master(name), "{name}");
        }
        for name in ["a", "a.txt", "tif", "a.tif.part"] {
            assert!(!is_master(name), "{name}");
        }
    }
}
