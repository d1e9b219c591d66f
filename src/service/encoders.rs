//! The encoder pool: its own bounded set of threads with its own bounded queue.
//!
//! Encoding never runs on the runtime and never on the threads that decode. A panic costs the one
//! picture that was being encoded; its thread goes on. Encoders keep their scratch memory per thread.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tokio::sync::oneshot;

use crate::error::{Error, ErrorKind, Result};
use crate::metrics::{ENCODER_BUSY, ENCODER_QUEUE_DEPTH, PANICS};

type Job = Box<dyn FnOnce() + Send>;

/// Threads that encode.
pub(super) struct Encoders {
    queue: SyncSender<Job>,
}

impl fmt::Debug for Encoders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Encoders")
    }
}

impl Encoders {
    /// A pool named `name` with `threads` threads and room for `queue_length` waiting pictures. The
    /// threads end when the pool is dropped and the last picture is done.
    ///
    /// # Errors
    ///
    /// When the system gives no thread.
    pub(super) fn new(name: &str, threads: usize, queue_length: usize) -> std::io::Result<Self> {
        let (queue, jobs) = sync_channel::<Job>(queue_length.max(1));
        let jobs = Arc::new(Mutex::new(jobs));
        for number in 0..threads.max(1) {
            let jobs = Arc::clone(&jobs);
            thread::Builder::new()
                .name(format!("{name}-{number}"))
                .spawn(move || work(&jobs))?;
        }
        Ok(Self { queue })
    }

    /// Runs `encode` on one of the threads.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Busy`] when the queue is full, [`ErrorKind::Internal`] when `encode` panicked, and its own.
    pub(super) async fn run<T, F>(&self, encode: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T> + Send + 'static,
    {
        let (sender, answer) = oneshot::channel();
        let job: Job = Box::new(move || {
            // A caller that left does not want the result.
            let _ = sender.send(encode());
        });
        ENCODER_QUEUE_DEPTH.get().increment(1.0);
        if let Err(refused) = self.queue.try_send(job) {
            ENCODER_QUEUE_DEPTH.get().decrement(1.0);
            return Err(match refused {
                TrySendError::Full(_) => {
                    Error::new(ErrorKind::Busy, "the server is busy; try again in a moment")
                }
                TrySendError::Disconnected(_) => Error::internal("queueing for a pool that ended"),
            });
        }
        answer
            .await
            .map_err(|cause| Error::internal("encoding").with_source(cause))?
    }
}

/// One thread: a picture after another until the pool is gone.
fn work(jobs: &Mutex<Receiver<Job>>) {
    loop {
        // The lock is held while waiting for a picture, never while encoding it.
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        ENCODER_QUEUE_DEPTH.get().decrement(1.0);
        ENCODER_BUSY.get().increment(1.0);
        if catch_unwind(AssertUnwindSafe(job)).is_err() {
            PANICS.with(["encode"]).increment(1);
        }
        ENCODER_BUSY.get().decrement(1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn a_panic_costs_one_picture() {
        let pool = Encoders::new("test", 1, 4).expect("threads");
        let failed: Result<u32> = pool.run(|| panic!("on purpose")).await;
        assert_eq!(failed.expect_err("it panicked").kind(), ErrorKind::Internal);
        assert_eq!(pool.run(|| Ok(5)).await.expect("the thread goes on"), 5);
    }

    #[tokio::test]
    async fn a_full_queue_refuses() {
        let pool = Arc::new(Encoders::new("test", 1, 1).expect("threads"));
        let slow = || {
            let pool = Arc::clone(&pool);
            tokio::spawn(async move {
                pool.run(|| {
                    thread::sleep(Duration::from_millis(100));
                    Ok(())
                })
                .await
            })
        };
        let first = slow();
        tokio::time::sleep(Duration::from_millis(30)).await;
        let second = slow();
        tokio::time::sleep(Duration::from_millis(10)).await;
        let error = pool.run(|| Ok(())).await.expect_err("no room");
        assert_eq!(error.kind(), ErrorKind::Busy);
        assert!(first.await.expect("no panic").is_ok());
        assert!(second.await.expect("no panic").is_ok());
    }
}
