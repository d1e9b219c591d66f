//! Cells → encoded tiles on several threads, given back in the order in which they came.
//!
//! Bounded: whoever submits one more than [`Pool::new`] allows takes finished ones first. A panic in
//! an encoder is that cell's error.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread::Scope;

use crate::error::{Error, Result};

/// What an encoder makes of a job.
pub(super) type Encoded = Result<Vec<u8>>;

/// Jobs under way and their results.
pub(super) struct Pool<J> {
    jobs: SyncSender<(u64, J)>,
    results: Receiver<(u64, Encoded)>,
    /// Finished out of turn.
    early: BTreeMap<u64, Encoded>,
    submitted: u64,
    given: u64,
    most: u64,
}

/// The workers' shared end of the jobs.
pub(super) struct Jobs<J>(Mutex<Receiver<(u64, J)>>, Sender<(u64, Encoded)>);

impl<J: Send> Pool<J> {
    /// A pool for at most `most` jobs at a time, and what its workers take theirs from.
    pub(super) fn new(most: usize) -> (Self, Jobs<J>) {
        let (jobs, waiting) = sync_channel(most);
        let (finished, results) = channel();
        let pool = Self {
            jobs,
            results,
            early: BTreeMap::new(),
            submitted: 0,
            given: 0,
            most: most as u64,
        };
        (pool, Jobs(Mutex::new(waiting), finished))
    }

    /// Adds a job; gives what is finished next, once the pool is full.
    pub(super) fn submit(&mut self, job: J) -> Result<Option<Vec<u8>>> {
        let finished = if self.submitted - self.given >= self.most {
            self.next()?
        } else {
            None
        };
        self.jobs
            .send((self.submitted, job))
            .map_err(|_gone| Error::internal("submitting a tile to threads that have ended"))?;
        self.submitted += 1;
        Ok(finished)
    }

    /// The next result in order, waited for; `None` when nothing is under way.
    pub(super) fn next(&mut self) -> Result<Option<Vec<u8>>> {
        if self.given == self.submitted {
            return Ok(None);
        }
        loop {
            if let Some(encoded) = self.early.remove(&self.given) {
                self.given += 1;
                return encoded.map(Some);
            }
            let (number, encoded) = self
                .results
                .recv()
                .map_err(|cause| Error::internal("waiting for a tile").with_source(cause))?;
            self.early.insert(number, encoded);
        }
    }
}

impl<J: Send> Jobs<J> {
    /// Starts `threads` workers that end with the pool.
    pub(super) fn start<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        threads: usize,
        encode: &'scope (dyn Fn(J) -> Encoded + Sync),
    ) {
        for _ in 0..threads {
            let finished = self.1.clone();
            scope.spawn(move || {
                while let Some((number, job)) = self.take() {
                    let encoded = catch_unwind(AssertUnwindSafe(|| encode(job)));
                    let encoded = encoded
                        .unwrap_or_else(|_| Err(Error::internal("an encoder of tiles panicked")));
                    if finished.send((number, encoded)).is_err() {
                        return;
                    }
                }
            });
        }
    }

    fn take(&self) -> Option<(u64, J)> {
        let waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.recv().ok()
    }
}
