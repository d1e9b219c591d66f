//! Keeps the list of images: walks the roots in the background, one thread each, and joins what they
//! found. A root that hangs holds up its own part alone.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::failure::Failure;
use super::listing::{Listing, Names};
use super::root::Root;
use super::walk::{Walked, walk};

/// How old a list may be before it is made again.
const BELIEVED_FOR: Duration = Duration::from_secs(30);

/// The lists of a source. Dropping it stops the walks at their next file.
pub(super) struct Lists(Arc<Shared>);

struct Shared {
    roots: Vec<Arc<Root>>,
    unlisted: Vec<String>,
    most: usize,
    stop: AtomicBool,
    state: Mutex<State>,
}

struct State {
    parts: Vec<Part>,
    joined: Arc<Listing>,
}

/// What is known of one root.
#[derive(Default)]
struct Part {
    under_way: bool,
    walked_at: Option<Instant>,
    names: Arc<Names>,
    holes: bool,
    truncated: bool,
}

impl Part {
    fn is_old(&self) -> bool {
        !self.under_way && self.walked_at.is_none_or(|at| at.elapsed() > BELIEVED_FOR)
    }
}

impl Lists {
    /// The lists of those `roots` that can be listed, each and together at most `most` long. Nothing is
    /// walked yet.
    pub(super) fn new(roots: &[Arc<Root>], most: usize) -> Self {
        let (roots, others): (Vec<_>, Vec<_>) = roots
            .iter()
            .cloned()
            .partition(|root| root.rule.is_invertible());
        let unlisted: Vec<_> = others.iter().map(|root| root.name.clone()).collect();
        let parts: Vec<_> = roots.iter().map(|_| Part::default()).collect();
        let joined = Arc::new(join(&parts, &unlisted, most));
        Self(Arc::new(Shared {
            roots,
            unlisted,
            most,
            stop: AtomicBool::new(false),
            state: Mutex::new(State { parts, joined }),
        }))
    }

    /// The list as it is; starts the walks that are due.
    pub(super) fn snapshot(&self) -> Arc<Listing> {
        let mut state = self.0.lock();
        for (index, part) in state.parts.iter_mut().enumerate() {
            if part.is_old() {
                part.under_way = start(&self.0, index);
            }
        }
        Arc::clone(&state.joined)
    }
}

impl Drop for Lists {
    fn drop(&mut self) {
        self.0.stop.store(true, Ordering::Relaxed);
    }
}

impl fmt::Debug for Lists {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lists({} roots)", self.0.roots.len())
    }
}

/// Whether a walk of the root at `index` was started.
fn start(shared: &Arc<Shared>, index: usize) -> bool {
    let Some(root) = shared.roots.get(index).map(Arc::clone) else {
        return false;
    };
    let shared = Arc::clone(shared);
    thread::Builder::new()
        .name("source-list".to_owned())
        .spawn(move || {
            let walked = walk(&root.place, &root.rule, shared.most, &shared.stop);
            shared.settle(index, &root, walked);
        })
        .is_ok()
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a walk's result in. What was listed of a root stays while the root is away.
    fn settle(&self, index: usize, root: &Root, walked: Result<Walked, Failure>) {
        let walked = walked.map(|walked| self.in_order(root, walked));
        let mut state = self.lock();
        let Some(part) = state.parts.get_mut(index) else {
            return;
        };
        part.under_way = false;
        part.walked_at = Some(Instant::now());
        match walked {
            Ok((names, holes, truncated)) => {
                part.names = names;
                part.holes = holes;
                part.truncated = truncated;
            }
            Err(_) => part.holes = true,
        }
        state.joined = Arc::new(join(&state.parts, &self.unlisted, self.most));
    }

    /// Names that lost a suffix or an ending are no longer in the order of their files.
    fn in_order(&self, root: &Root, walked: Walked) -> (Arc<Names>, bool, bool) {
        let names = Arc::new(walked.names);
        if root.rule.keeps_names() {
            return (names, walked.holes, walked.truncated);
        }
        let (sorted, _) = Names::merged(&[names], self.most);
        (Arc::new(sorted), walked.holes, walked.truncated)
    }
}

fn join(parts: &[Part], unlisted: &[String], most: usize) -> Listing {
    let lists: Vec<_> = parts.iter().map(|part| Arc::clone(&part.names)).collect();
    let (names, left_out) = match lists.as_slice() {
        [only] => (Arc::clone(only), false),
        several => {
            let (merged, left_out) = Names::merged(several, most);
            (Arc::new(merged), left_out)
        }
    };
    let building = parts.iter().any(|part| part.walked_at.is_none());
    let truncated = left_out || parts.iter().any(|part| part.truncated);
    let complete = !building && !truncated && !parts.iter().any(|part| part.holes);
    Listing {
        complete,
        building,
        truncated,
        unlisted: unlisted.to_vec(),
        names,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Config, RootConfig};

    #[test]
    fn what_was_listed_of_a_root_stays_while_it_is_away() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let config = RootConfig {
            name: "r".to_owned(),
            path: folder.path().to_owned(),
            ..RootConfig::default()
        };
        let root = Arc::new(Root::new(&config, 0, &Config::default()).expect("valid"));
        let lists = Lists::new(&[Arc::clone(&root)], 10);
        let mut names = Names::default();
        names.push(&["a.tif"]);
        lists.0.settle(
            0,
            &root,
            Ok(Walked {
                names,
                ..Walked::default()
            }),
        );
        assert!(lists.snapshot().complete);

        lists
            .0
            .settle(0, &root, Err(Failure::Away("is not there", None)));
        let listing = lists.snapshot();
        assert_eq!(listing.page("", 0, 10).0, ["a.tif"]);
        assert!(!listing.complete && !listing.building);
    }

    #[test]
    fn a_list_is_made_again_when_it_is_old_and_by_one_thread_only() {
        let mut part = Part::default();
        assert!(part.is_old());
        part.under_way = true;
        assert!(!part.is_old());
        part.under_way = false;
        part.walked_at = Some(Instant::now());
        assert!(!part.is_old());
        part.walked_at = Instant::now().checked_sub(BELIEVED_FOR * 2);
        assert!(part.is_old());
    }
}
