//! Whether work may start now, and its permit.
//!
//! Two lanes share the processors: *tile* for what a viewer waits for, *large* for whole pages and
//! long streams; a third, *info*, bounds the opening of masters. A lane has threads, bytes for decoded
//! pixels, a bounded queue and a bounded wait. What can never fit is refused at once, so that it does
//! not wait for nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout_at;

use crate::error::{Error, ErrorKind, Result};
use crate::metrics::{DECODE_RESERVED, QUEUE_DEPTH, QUEUE_WAIT, SHED};
use crate::render::gpu::Load;

/// Bytes that one permit of a lane's byte semaphore stands for.
const UNIT_BYTES: u64 = 4096;

/// The lanes in which derivatives are made.
#[derive(Debug)]
pub(super) struct Admission {
    /// Tiles, thumbnails, regions.
    pub(super) tile: Lane,
    /// Whole pages and streams.
    pub(super) large: Lane,
}

/// What a lane can hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct LaneLimits {
    /// Work that runs at one time.
    pub(super) threads: usize,
    /// Bytes that running work may hold.
    pub(super) bytes: u64,
    /// Requests that may wait.
    pub(super) queue_length: usize,
    /// Longest wait.
    pub(super) queue_time: Duration,
}

/// A share of the machine with a queue before it.
#[derive(Debug)]
pub(super) struct Lane {
    name: &'static str,
    limits: LaneLimits,
    threads: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
    waiting: AtomicUsize,
}

/// Places of a lane beside those that requests were admitted to.
#[derive(Debug, Clone)]
pub(super) struct Places(Arc<Semaphore>);

impl Places {
    /// At most `most` places, of those that nobody needs now.
    pub(super) fn take(&self, most: usize) -> Vec<OwnedSemaphorePermit> {
        let one = |_| Arc::clone(&self.0).try_acquire_owned().ok();
        (0..most).map_while(one).collect()
    }
}

/// The right to run. Threads and bytes are given back separately: a thread that is lost keeps its
/// bytes reserved, but not its place.
#[derive(Debug)]
pub(super) struct Permit {
    /// The place among those that run.
    pub(super) thread: OwnedSemaphorePermit,
    /// The bytes that may be held.
    pub(super) bytes: Reservation,
    /// How long it took to get.
    pub(super) waited: Duration,
}

/// Bytes reserved for decoded pixels.
#[derive(Debug)]
pub(super) struct Reservation {
    _units: OwnedSemaphorePermit,
    bytes: u64,
}

impl Drop for Reservation {
    fn drop(&mut self) {
        DECODE_RESERVED.get().decrement(self.bytes as f64);
    }
}

impl Lane {
    /// A lane with these limits.
    pub(super) fn new(name: &'static str, limits: LaneLimits) -> Self {
        let units = usize::try_from(units(limits.bytes)).unwrap_or(usize::MAX);
        Self {
            name,
            limits,
            threads: Arc::new(Semaphore::new(limits.threads.max(1))),
            bytes: Arc::new(Semaphore::new(units.min(Semaphore::MAX_PERMITS))),
            waiting: AtomicUsize::new(0),
        }
    }

    /// What it is called.
    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// Bytes that work of this lane may hold in all.
    pub(super) fn bytes(&self) -> u64 {
        self.limits.bytes
    }

    /// Work that runs at one time.
    pub(super) fn threads(&self) -> usize {
        self.limits.threads.max(1)
    }

    /// How busy it is.
    pub(super) fn load(&self) -> Load {
        let threads = self.threads();
        let running = threads.saturating_sub(self.threads.available_permits());
        let waiting = self.waiting.load(Ordering::Relaxed).saturating_sub(running);
        Load {
            running,
            waiting,
            threads,
        }
    }

    /// Its places, for work that can use more than the one it was admitted to.
    pub(super) fn places(&self) -> Places {
        Places(Arc::clone(&self.threads))
    }

    /// Waits for a place and for `bytes`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TooLarge`] when `bytes` can never fit, [`ErrorKind::Busy`] when the queue is full or the
    /// wait too long.
    pub(super) async fn admit(&self, bytes: u64) -> Result<Permit> {
        let start = Instant::now();
        let units_wanted = u32::try_from(units(bytes))
            .ok()
            .filter(|_| bytes <= self.limits.bytes)
            .ok_or_else(|| self.too_large())?;
        let _place = self.queue()?;
        let deadline = tokio::time::Instant::from_std(start + self.limits.queue_time);
        let late = |_| self.busy("wait");
        let closed = |_| Error::internal("waiting at a closed lane");
        let thread = timeout_at(deadline, Arc::clone(&self.threads).acquire_owned())
            .await
            .map_err(late)?
            .map_err(closed)?;
        let units = timeout_at(
            deadline,
            Arc::clone(&self.bytes).acquire_many_owned(units_wanted),
        )
        .await
        .map_err(late)?
        .map_err(closed)?;
        let waited = start.elapsed();
        QUEUE_WAIT.with([self.name]).record(waited.as_secs_f64());
        DECODE_RESERVED.get().increment(bytes as f64);
        Ok(Permit {
            thread,
            bytes: Reservation {
                _units: units,
                bytes,
            },
            waited,
        })
    }

    /// A place in the queue, if it has one left. Those who need not wait take one too, for a moment.
    fn queue(&self) -> Result<Place<'_>> {
        let running = self.limits.threads.max(1);
        let before = self.waiting.fetch_add(1, Ordering::AcqRel);
        let place = Place(self);
        QUEUE_DEPTH.with([self.name]).set((before + 1) as f64);
        if before >= self.limits.queue_length + running {
            return Err(self.busy("queue"));
        }
        Ok(place)
    }

    fn too_large(&self) -> Error {
        SHED.with([self.name, "size"]).increment(1);
        Error::new(
            ErrorKind::TooLarge,
            "this needs more memory than the server gives to one request; \
             ask for a smaller size or region",
        )
    }

    fn busy(&self, reason: &'static str) -> Error {
        SHED.with([self.name, reason]).increment(1);
        Error::new(ErrorKind::Busy, "the server is busy; try again in a moment")
    }
}

/// One request that waits.
struct Place<'a>(&'a Lane);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let before = self.0.waiting.fetch_sub(1, Ordering::AcqRel);
        QUEUE_DEPTH.with([self.0.name]).set((before - 1) as f64);
    }
}

fn units(bytes: u64) -> u64 {
    bytes.div_ceil(UNIT_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(threads: usize, bytes: u64, queue_length: usize) -> Lane {
        Lane::new(
            "tile",
            LaneLimits {
                threads,
                bytes,
                queue_length,
                queue_time: Duration::from_millis(30),
            },
        )
    }

    #[tokio::test]
    async fn what_can_never_fit_is_refused_at_once() {
        let lane = lane(1, 1 << 20, 10);
        let error = lane.admit((1 << 20) + 1).await.expect_err("too large");
        assert_eq!(error.kind(), ErrorKind::TooLarge);
        assert!(lane.admit(1 << 20).await.is_ok());
    }

    #[tokio::test]
    async fn bytes_are_given_back() {
        let lane = lane(4, 1 << 20, 10);
        let held = lane.admit(700 << 10).await.expect("fits");
        assert_eq!(
            lane.admit(700 << 10)
                .await
                .expect_err("does not fit now")
                .kind(),
            ErrorKind::Busy
        );
        drop(held);
        assert!(lane.admit(700 << 10).await.is_ok());
    }

    #[tokio::test]
    async fn a_full_queue_refuses_at_once() {
        let lane = Arc::new(lane(1, 1 << 20, 1));
        let held = lane.admit(1).await.expect("fits");
        let waiting = {
            let lane = Arc::clone(&lane);
            tokio::spawn(async move { lane.admit(1).await.map(|_| ()) })
        };
        tokio::task::yield_now().await;
        let second = {
            let lane = Arc::clone(&lane);
            tokio::spawn(async move { lane.admit(1).await.map(|_| ()) })
        };
        tokio::task::yield_now().await;
        let start = Instant::now();
        let error = lane.admit(1).await.expect_err("the queue is full");
        assert_eq!(error.kind(), ErrorKind::Busy);
        assert!(start.elapsed() < Duration::from_millis(25));
        drop(held);
        assert!(waiting.await.expect("no panic").is_ok());
        assert!(second.await.expect("no panic").is_ok());
    }
}
