//! Finished derivatives on disk, asked beside the runtime and never for long.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Semaphore;

use super::config::CacheConfig;
use super::place::open_place;
use crate::cache::{Derivatives, Key};

/// Look-ups at one time; with more under way the disk is too slow to be of use.
const LOOK_UPS: usize = 32;

/// Longest wait for one look-up: then making the derivative is begun.
const PATIENCE: Duration = Duration::from_millis(500);

/// What is kept of finished derivatives beside memory.
#[derive(Debug)]
pub(super) struct Stored {
    derivatives: Arc<Derivatives>,
    look_ups: Arc<Semaphore>,
}

impl Stored {
    /// What `config` wants kept, of masters in `folders`. A place that cannot be used is told once, and
    /// nothing is kept.
    pub(super) fn new(config: &CacheConfig, folders: &[PathBuf]) -> Self {
        Self {
            derivatives: Arc::new(open(config, folders).unwrap_or_else(Derivatives::off)),
            look_ups: Arc::new(Semaphore::new(LOOK_UPS)),
        }
    }

    /// The body under `key`; none, too, where the disk is slower than making it may be.
    pub(super) async fn find(&self, key: Key) -> Option<Bytes> {
        if !self.derivatives.is_on() {
            return None;
        }
        let place = Arc::clone(&self.look_ups).try_acquire_owned().ok()?;
        let derivatives = Arc::clone(&self.derivatives);
        let look_up = tokio::task::spawn_blocking(move || {
            let _place = place;
            derivatives.get(&key)
        });
        tokio::time::timeout(PATIENCE, look_up).await.ok()?.ok()?
    }

    /// Has `body` kept, if there is time.
    pub(super) fn insert(&self, key: Key, body: Bytes) {
        self.derivatives.insert(key, body);
    }
}

fn open(config: &CacheConfig, folders: &[PathBuf]) -> Option<Derivatives> {
    let bytes = config.derivative.disk_bytes;
    if bytes == 0 {
        return None;
    }
    open_place(config, folders, "derivatives", |place| {
        Derivatives::open(place, bytes)
    })
}
