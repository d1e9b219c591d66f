//! Levels of masters that are remembered on disk: looked for when a master is opened, built in the
//! background once decoding it again and again has cost more than building them would.
//!
//! [`Levels`] is shared by all requests. A master's [`Account`] is told what each decode took;
//! [`Levels::consider`] queues a build when it has become dear enough. A request never waits for a
//! build, and nothing is built for a master that is asked for once.

mod account;
mod build;
mod cells;
mod ladder;
mod stored;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use quick_cache::sync::Cache;

use super::PIXEL_VERSION;
use super::config::CacheConfig;
use super::masters::Master;
use super::meta::Meta;
use super::place::open_place;
use super::tiles::TileSource;
use crate::cache::levels::LevelStore;
use crate::cache::{Key, KeyBuilder};
use crate::cancel::Cancel;
use crate::codec::{self, DecodeLimits, Picture};
use crate::source::{Located, Version};

pub(super) use account::Account;
use build::{Builder, Job};
use ladder::Ladder;
use stored::Stored;

#[cfg(test)]
mod tests;

/// Masters whose cost is kept in mind.
const ACCOUNTS: usize = 4096;

/// Builds that may wait; further ones are thought of again when their masters are decoded again.
const QUEUE_LENGTH: usize = 64;

/// What is remembered of masters' levels.
pub(super) struct Levels {
    store: Option<LevelStore>,
    accounts: Cache<Key, Arc<Account>>,
    queue: Option<SyncSender<Job>>,
    cancel: Cancel,
}

/// What a build may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BuildLimits {
    /// Bytes that it may write in a second.
    pub(super) bytes_per_second: u64,
    /// Bytes that its decoder may hold.
    pub(super) decode_bytes: u64,
}

impl Levels {
    /// The levels that `config` wants kept, of masters in `folders`, built with at most
    /// `decode_bytes` for decoders. A place that cannot be used is told once, and nothing is kept.
    pub(super) fn new(config: &CacheConfig, folders: &[PathBuf], decode_bytes: u64) -> Self {
        let bytes = config.levels.disk_bytes;
        let open = |place: &Path| LevelStore::open(place, bytes);
        let store = (bytes > 0)
            .then(|| open_place(config, folders, "levels", open))
            .flatten();
        let limits = BuildLimits {
            bytes_per_second: config.levels.build_mib_per_second << 20,
            decode_bytes,
        };
        let cancel = Cancel::new();
        let queue = store.clone().and_then(|store| {
            let scanned = store.clone();
            background("levels-scan", move || scanned.scan());
            (limits.bytes_per_second > 0).then(|| {
                let (queue, jobs) = sync_channel(QUEUE_LENGTH);
                let builder = Builder::new(store, limits, cancel.clone());
                background("levels", move || builder.work(&jobs));
                queue
            })
        });
        Self {
            store,
            accounts: Cache::new(ACCOUNTS),
            queue,
            cancel,
        }
    }

    /// Nothing is kept.
    #[cfg(test)]
    pub(super) fn none() -> Self {
        let mut config = CacheConfig::default();
        config.levels.disk_bytes = 0;
        Self::new(&config, &[], 0)
    }

    /// The account of a master that has just been opened; `None` where nothing would be built.
    pub(super) fn account(&self, key: Key, picture: &dyn Picture) -> Option<Arc<Account>> {
        self.store.as_ref()?;
        if let Some(known) = self.accounts.get(&key) {
            return Some(known);
        }
        let ladder = Ladder::new(picture.facts());
        let cost = ladder.cost(picture);
        if ladder.is_empty() {
            return None;
        }
        let account = Arc::new(Account::new(key, cost));
        self.accounts.insert(key, Arc::clone(&account));
        Some(account)
    }

    /// What is stored under `key` of a master with this `picture`, if it is.
    pub(super) fn find(&self, key: &Key, picture: &dyn Picture) -> Option<Arc<dyn TileSource>> {
        let file = self.store.as_ref()?.find(key)?;
        let stored = Stored::new(file, picture.facts())?;
        Some(Arc::new(stored))
    }

    /// Queues a build of `master`'s levels if decoding it has cost more than that.
    pub(super) fn consider(&self, master: &Arc<Master>) {
        let (Some(queue), Some(account)) = (&self.queue, &master.account) else {
            return;
        };
        if account.is_due() {
            let job = Job {
                master: Arc::clone(master),
                account: Arc::clone(account),
            };
            if queue.try_send(job).is_err() {
                account.put_off();
            }
        }
    }
}

impl Drop for Levels {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

impl fmt::Debug for Levels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Levels")
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

/// A thread that nobody waits for. Without one nothing is built.
fn background(name: &str, work: impl FnOnce() + Send + 'static) {
    let started = thread::Builder::new().name(name.to_owned()).spawn(work);
    if let Err(error) = started {
        tracing::warn!("levels are not looked after: {error}");
    }
}

/// What a master's levels are stored under: everything that decides their pixels.
pub(super) fn key_of(
    located: &Located,
    version: &Version,
    meta: Meta,
    limits: &DecodeLimits,
) -> Key {
    let made_by = format!("{:?} {}", codec::versions(), limits.of_pixels());
    KeyBuilder::default()
        .part(b"levels")
        .number(PIXEL_VERSION)
        .number(u64::from(codec::packed::VERSION))
        .part(made_by.as_bytes())
        .part(located.root().as_bytes())
        .part(located.identifier().as_bytes())
        .number(version.inode)
        .number(version.length)
        .part(&version.modified_ns.to_le_bytes())
        .number(u64::from(meta.page))
        .finish()
}
