//! Threads that wait for the file system, with a deadline for those who wait for them.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::error::{ConfigError, Error, ErrorKind, Result};

type Job = Box<dyn FnOnce() + Send>;

/// A few threads. A job that outlasts its deadline is given up by its caller; its thread comes back
/// when the file system does. While all are gone, callers are refused.
pub(super) struct IoThreads {
    queue: SyncSender<Job>,
    patience: Duration,
}

impl fmt::Debug for IoThreads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IoThreads")
    }
}

impl IoThreads {
    /// `count` threads; callers wait for `patience`.
    ///
    /// # Errors
    ///
    /// When the system gives no threads.
    pub(super) fn new(count: usize, patience: Duration) -> Result<Self, ConfigError> {
        let (queue, jobs) = sync_channel::<Job>(16 * count);
        let jobs = Arc::new(Mutex::new(jobs));
        for number in 0..count {
            let jobs = Arc::clone(&jobs);
            thread::Builder::new()
                .name(format!("source-{number}"))
                .spawn(move || work(&jobs))
                .map_err(|cause| {
                    let rule = format!("is more than the system gives: {cause}");
                    ConfigError::new("source.file.threads", rule)
                })?;
        }
        Ok(Self { queue, patience })
    }

    /// Runs `job` on one of the threads.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Upstream`] when the file system does not answer in time or has taken all threads, and
    /// those of `job`.
    pub(super) fn run<T, F>(&self, job: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T> + Send + 'static,
    {
        let (sender, answer) = sync_channel(1);
        let abandoned = Arc::new(AtomicBool::new(false));
        let gone = Arc::clone(&abandoned);
        let job: Job = Box::new(move || {
            if !gone.load(Ordering::Acquire) {
                // A caller whose patience ended does not want the result.
                let _ = sender.send(job());
            }
        });
        self.queue.try_send(job).map_err(|_full| away())?;
        match answer.recv_timeout(self.patience) {
            Ok(result) => result,
            Err(RecvTimeoutError::Timeout) => {
                abandoned.store(true, Ordering::Release);
                Err(away())
            }
            Err(RecvTimeoutError::Disconnected) => Err(Error::internal(
                "waiting for the file system on a thread that panicked",
            )),
        }
    }
}

/// One thread: a job after another until the pool is gone.
fn work(jobs: &Mutex<Receiver<Job>>) {
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        // A panic drops the job's sender, which tells its caller; the thread goes on.
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(job));
    }
}

/// The source does not answer.
pub(super) fn away() -> Error {
    Error::new(
        ErrorKind::Upstream,
        "the image source does not answer; try again later",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    fn hang(milliseconds: u64) -> impl FnOnce() -> Result<u64> + Send {
        move || {
            thread::sleep(Duration::from_millis(milliseconds));
            Ok(milliseconds)
        }
    }

    #[test]
    fn a_hanging_job_is_given_up_and_its_thread_comes_back() {
        let threads = IoThreads::new(1, Duration::from_millis(60)).expect("threads");
        let start = Instant::now();
        let error = threads.run(hang(200)).expect_err("it hangs");
        assert_eq!(error.kind(), ErrorKind::Upstream);
        assert!(start.elapsed() < Duration::from_millis(150));
        thread::sleep(Duration::from_millis(200));
        assert_eq!(threads.run(hang(1)).expect("it is back"), 1);
    }

    #[test]
    fn while_all_hang_callers_are_refused_at_once_when_the_queue_is_full() {
        let threads = Arc::new(IoThreads::new(1, Duration::from_secs(2)).expect("threads"));
        for _ in 0..17 {
            let threads = Arc::clone(&threads);
            thread::spawn(move || threads.run(hang(1500)));
        }
        thread::sleep(Duration::from_millis(300));
        let start = Instant::now();
        assert!(threads.run(hang(0)).is_err());
        assert!(start.elapsed() < Duration::from_secs(1), "it waited");
    }

    #[test]
    fn a_panic_is_internal_and_costs_no_thread() {
        let threads = IoThreads::new(1, Duration::from_secs(1)).expect("threads");
        let error = threads
            .run(|| -> Result<()> { panic!("on purpose") })
            .expect_err("it panicked");
        assert_eq!(error.kind(), ErrorKind::Internal);
        assert!(threads.run(|| Ok(())).is_ok());
    }
}
