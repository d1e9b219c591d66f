//! The thread that writes bodies to disk, and what may wait for it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use bytes::Bytes;

use super::store;
use crate::cache::Key;
use crate::cache::disk::Folder;

/// Bodies that may wait.
const QUEUE_LENGTH: usize = 1024;

/// Bytes of all bodies that wait; memory has most of them anyway.
const QUEUE_BYTES: usize = 32 << 20;

/// The way to the thread. Dropped, the thread ends after what waits for it.
#[derive(Debug)]
pub(super) struct Writer {
    queue: SyncSender<(Key, Bytes)>,
    waiting_bytes: Arc<AtomicUsize>,
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start(folder: &Arc<Folder>) -> io::Result<Self> {
        let (queue, bodies) = sync_channel(QUEUE_LENGTH);
        let waiting_bytes = Arc::new(AtomicUsize::new(0));
        let (folder, waiting) = (Arc::clone(folder), Arc::clone(&waiting_bytes));
        thread::Builder::new()
            .name("derivatives".to_owned())
            .spawn(move || work(&folder, &bodies, &waiting))?;
        Ok(Self {
            queue,
            waiting_bytes,
        })
    }

    /// Hands `body` over, or drops it where too much waits.
    pub(super) fn take(&self, key: Key, body: Bytes) {
        let length = body.len();
        let before = self.waiting_bytes.fetch_add(length, Ordering::Relaxed);
        if before.saturating_add(length) > QUEUE_BYTES || self.queue.try_send((key, body)).is_err()
        {
            self.waiting_bytes.fetch_sub(length, Ordering::Relaxed);
        }
    }
}

fn work(folder: &Folder, bodies: &Receiver<(Key, Bytes)>, waiting_bytes: &AtomicUsize) {
    let mut failing = false;
    for (key, body) in bodies {
        let outcome = store(folder, key, &body);
        waiting_bytes.fetch_sub(body.len(), Ordering::Relaxed);
        // A full disk is told once, not with every answer.
        if let Err(error) = &outcome
            && !failing
        {
            tracing::warn!("derivatives cannot be stored: {error}");
        }
        failing = outcome.is_err();
    }
}
