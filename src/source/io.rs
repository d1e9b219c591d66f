//! Threads for work that may hang: bounded, and every piece with a deadline.
//!
//! A hung mount takes at most the pool's threads. A caller waits no longer than its deadline; a thread
//! that missed one is lost until it comes back, and while all are lost further work is refused at
//! once. Threads start when they are first needed and end with the pool.

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::error::Error;
use crate::metrics::{LOST_THREADS, PANICS};

use super::failure::away;

/// The label of this pool's threads in metrics.
const STAGE: &str = "source";

/// Why work gave no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unanswered {
    /// It did not end in time.
    Late,
    /// Every thread hangs.
    Refused,
    /// It panicked.
    Panicked,
}

impl From<Unanswered> for Error {
    fn from(reason: Unanswered) -> Self {
        match reason {
            Unanswered::Late => {
                away().while_doing("waiting for a file access that missed its deadline")
            }
            Unanswered::Refused => away().while_doing("finding all threads of a root hanging"),
            Unanswered::Panicked => Self::internal("reading a root panicked"),
        }
    }
}

/// A bounded set of threads for blocking file accesses.
pub(super) struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    limit: usize,
    state: Mutex<State>,
    work: Condvar,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Job>,
    threads: usize,
    idle: usize,
    lost: usize,
    closed: bool,
}

struct Job {
    ticket: Arc<Ticket>,
    run: Box<dyn FnOnce() + Send>,
}

/// Where a job is, agreed between its caller and its thread.
#[derive(Default)]
struct Ticket(AtomicU8);

const WAITING: u8 = 0;
const RUNNING: u8 = 1;
const DONE: u8 = 2;
const ABANDONED: u8 = 3;

impl Ticket {
    fn step(&self, from: u8, to: u8) -> bool {
        self.0
            .compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }
}

impl Pool {
    /// At most `limit` threads, none of which is started yet.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            shared: Arc::new(Shared {
                limit,
                state: Mutex::default(),
                work: Condvar::new(),
            }),
        }
    }

    /// What `job` gives, if it gives it within `timeout`, the wait for a thread included.
    ///
    /// # Errors
    ///
    /// [`Unanswered`]: late, refused because all threads hang, or panicked.
    pub(super) fn run<T: Send + 'static>(
        &self,
        timeout: Duration,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Unanswered> {
        let (sender, result) = mpsc::sync_channel(1);
        let ticket = Arc::new(Ticket::default());
        let run = Box::new(move || {
            // The receiver is gone when the caller gave up: then nobody wants the result.
            let _ = sender.send(job());
        });
        self.shared.submit(Job {
            ticket: Arc::clone(&ticket),
            run,
        })?;
        match result.recv_timeout(timeout) {
            Ok(value) => Ok(value),
            Err(RecvTimeoutError::Timeout) => self.give_up(&ticket, &result),
            Err(RecvTimeoutError::Disconnected) => Err(Unanswered::Panicked),
        }
    }

    /// Leaves a job that is late, unless it ended in this very moment.
    fn give_up<T>(&self, ticket: &Ticket, result: &Receiver<T>) -> Result<T, Unanswered> {
        if ticket.step(WAITING, ABANDONED) {
            return Err(Unanswered::Late);
        }
        let mut state = self.shared.lock();
        if ticket.step(RUNNING, ABANDONED) {
            state.lost += 1;
            LOST_THREADS.with([STAGE]).increment(1.0);
            return Err(Unanswered::Late);
        }
        drop(state);
        result
            .recv()
            .map_err(|mpsc::RecvError| Unanswered::Panicked)
    }

    #[cfg(test)]
    fn lost(&self) -> usize {
        self.shared.lock().lost
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.work.notify_all();
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pool({} threads)", self.shared.limit)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn submit(self: &Arc<Self>, job: Job) -> Result<(), Unanswered> {
        let mut state = self.lock();
        if state.lost >= self.limit {
            return Err(Unanswered::Refused);
        }
        state.queue.push_back(job);
        if state.queue.len() > state.idle && state.threads < self.limit {
            let shared = Arc::clone(self);
            let started = thread::Builder::new()
                .name("source".to_owned())
                .spawn(move || shared.work_on());
            match started {
                Ok(_) => state.threads += 1,
                Err(_) if state.threads == 0 => {
                    state.queue.pop_back();
                    return Err(Unanswered::Refused);
                }
                Err(_) => {}
            }
        }
        drop(state);
        self.work.notify_one();
        Ok(())
    }

    fn work_on(&self) {
        while let Some(job) = self.next() {
            if job.ticket.step(WAITING, RUNNING) {
                self.execute(job);
            }
        }
    }

    fn next(&self) -> Option<Job> {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.queue.pop_front() {
                return Some(job);
            }
            if state.closed {
                return None;
            }
            state.idle += 1;
            state = self
                .work
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
    }

    fn execute(&self, job: Job) {
        if catch_unwind(AssertUnwindSafe(job.run)).is_err() {
            PANICS.with([STAGE]).increment(1);
        }
        if !job.ticket.step(RUNNING, DONE) {
            self.lock().lost -= 1;
            LOST_THREADS.with([STAGE]).decrement(1.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::error::ErrorKind;

    const SHORT: Duration = Duration::from_millis(60);
    const LONG: Duration = Duration::from_secs(20);

    /// A job that hangs until the sender is dropped.
    fn hang(pool: &Pool) -> mpsc::Sender<()> {
        let (release, held) = mpsc::channel::<()>();
        let late = pool.run(SHORT, move || held.recv().is_err());
        assert_eq!(late, Err(Unanswered::Late));
        release
    }

    fn wait_for(condition: impl Fn() -> bool) {
        let start = Instant::now();
        while !condition() {
            assert!(start.elapsed() < LONG, "waited in vain");
            thread::sleep(Duration::from_millis(2));
        }
    }

    #[test]
    fn work_gives_its_result() {
        let pool = Pool::new(8);
        for number in 0..100 {
            assert_eq!(pool.run(LONG, move || number + 1), Ok(number + 1));
            wait_for(|| pool.shared.lock().idle == 1);
        }
        assert_eq!(pool.shared.lock().threads, 1, "idle threads are used again");
    }

    #[test]
    fn a_hung_job_is_late_and_others_go_on() {
        let pool = Pool::new(2);
        let start = Instant::now();
        let release = hang(&pool);
        assert!(start.elapsed() < Duration::from_secs(5));
        assert_eq!(pool.run(LONG, || 7), Ok(7));
        drop(release);
    }

    #[test]
    fn when_every_thread_hangs_work_is_refused_at_once_and_threads_rejoin() {
        let pool = Pool::new(2);
        let held = (hang(&pool), hang(&pool));
        let start = Instant::now();
        assert_eq!(pool.run(LONG, || 7), Err(Unanswered::Refused));
        assert!(start.elapsed() < Duration::from_secs(1));
        drop(held);
        wait_for(|| pool.lost() == 0);
        assert_eq!(pool.run(LONG, || 7), Ok(7));
        assert_eq!(
            pool.shared.lock().threads,
            2,
            "no thread is started beyond the limit"
        );
    }

    #[test]
    fn a_job_that_waited_too_long_is_never_run() {
        let pool = Pool::new(1);
        let (release, held) = mpsc::channel::<()>();
        let ran = Arc::new(AtomicU8::new(0));
        thread::scope(|scope| {
            scope.spawn(|| pool.run(LONG, move || held.recv().is_err()));
            wait_for(|| pool.shared.lock().threads == 1 && pool.shared.lock().queue.is_empty());
            let mark = Arc::clone(&ran);
            let late = pool.run(SHORT, move || mark.store(1, Ordering::SeqCst));
            assert_eq!(late, Err(Unanswered::Late));
            assert_eq!(pool.lost(), 0, "a thread that never started is not lost");
            drop(release);
        });
        assert_eq!(pool.run(LONG, || 7), Ok(7));
        assert_eq!(ran.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn a_panic_costs_its_caller_alone() {
        let pool = Pool::new(1);
        let broken = pool.run(LONG, || panic!("on purpose"));
        assert_eq!(broken, Err::<(), _>(Unanswered::Panicked));
        assert_eq!(pool.run(LONG, || 7), Ok(7));
    }

    #[test]
    fn a_dropped_pool_ends_its_threads() {
        let pool = Pool::new(3);
        pool.run(LONG, || ()).expect("runs");
        let shared = Arc::clone(&pool.shared);
        drop(pool);
        wait_for(|| Arc::strong_count(&shared) == 1);
    }

    #[test]
    fn what_gave_no_answer_is_an_upstream_error() {
        assert_eq!(Error::from(Unanswered::Late).kind(), ErrorKind::Upstream);
        assert_eq!(Error::from(Unanswered::Refused).kind(), ErrorKind::Upstream);
        assert_eq!(
            Error::from(Unanswered::Panicked).kind(),
            ErrorKind::Internal
        );
    }
}
