//! A thread that opens the device, has it prove itself, watches over it, and opens it again when it is
//! lost. The CPU answers in the meantime.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use super::super::{AdapterFacts, Encode, Fault, GpuConfig, State};
use super::backoff::{Backoff, Pace};
use super::calibrate::{MOST, calibrate};
use super::cost::Cost;
use super::device::{Opened, Refusal};
use super::line::Line;
use super::queue::Bounds;
use super::trial::{Verdict, trial};
use crate::metrics::{GPU_LOSSES, GPU_STATE, PANICS};

/// Opens a device anew each time.
pub type Open = Box<dyn FnMut() -> Result<Opened, Refusal> + Send>;

/// How long a submission may take beyond what is expected of it. A machine that runs all tests at once
/// may come back to one much later.
const PATIENCE: Duration = Duration::from_secs(if cfg!(test) { 120 } else { 2 });
/// Batches under way: two keep the device busy while the third is prepared.
const FLIGHTS: usize = 3;
/// Jobs that may wait for the device.
const MOST_WAITING: usize = 1024;
/// Bytes between host and device of jobs that may wait.
const MOST_WAITING_BYTES: u64 = 1 << 30;
/// How often it is looked whether the device still answers.
const WATCH_EVERY: Duration = Duration::from_millis(250);

/// The device as requests see it. Clones share it; the thread ends when the last is dropped.
#[derive(Debug, Clone)]
pub(super) struct Supervisor(Arc<Inner>);

struct Inner {
    now: Mutex<Now>,
    /// Whether there is a line: known without a lock to all the requests that need none.
    is_up: AtomicBool,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Now {
    state: State,
    /// Why it is not up, in words.
    reason: String,
    adapter: Option<AdapterFacts>,
    line: Option<Line>,
    /// Nobody is there any more who could want a device.
    over: bool,
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.now().state.fmt(f)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let now = self.now.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(line) = now.line.take() {
            line.fail(Fault::Away);
        }
    }
}

impl Supervisor {
    /// None at all: `reason` says why.
    pub(super) fn off(reason: &str) -> Self {
        let supervisor = Self(Arc::new(Inner {
            now: Mutex::default(),
            is_up: AtomicBool::new(false),
            changed: Condvar::new(),
        }));
        supervisor.0.put(State::Off, reason);
        supervisor
    }

    /// A device by `open`, in the background.
    pub(super) fn new(
        config: &GpuConfig,
        pace: Pace,
        open: Open,
        encode: Option<Encode>,
        cost: &Arc<Cost>,
    ) -> Self {
        let supervisor = Self::off("");
        supervisor
            .0
            .put(State::Starting, "the device is being opened");
        let keeper = Keeper {
            inner: Arc::downgrade(&supervisor.0),
            open,
            encode,
            cost: Arc::clone(cost),
            self_test: config.self_test,
            window: Duration::from_micros(config.window_us),
            backoff: Backoff::new(pace),
        };
        let named = thread::Builder::new().name("gpu".to_owned());
        if named.spawn(move || keeper.run()).is_err() {
            supervisor.0.put(State::Off, "the system gives no thread");
        }
        supervisor
    }

    /// The line before the device, while it is up.
    pub(super) fn line(&self) -> Option<Line> {
        if !self.0.is_up.load(Ordering::Acquire) {
            return None;
        }
        self.0.now().line.clone()
    }

    /// State, why it is not up, and the adapter.
    pub(super) fn now(&self) -> (State, String, Option<AdapterFacts>) {
        let now = self.0.now();
        (now.state, now.reason.clone(), now.adapter.clone())
    }

    /// Waits until the first attempt has come to an end.
    pub(super) fn settled(&self) -> State {
        let mut now = self.0.now();
        while now.state == State::Starting {
            let waited = self.0.changed.wait(now);
            now = waited.unwrap_or_else(PoisonError::into_inner);
        }
        now.state
    }

    /// Turns the device off until the program starts again.
    pub(super) fn distrust(&self, reason: &str) {
        let line = {
            let mut now = self.0.now();
            now.over = true;
            now.put(State::Off, reason);
            self.0.is_up.store(false, Ordering::Release);
            now.line.take()
        };
        self.0.changed.notify_all();
        if let Some(line) = line {
            line.fail(Fault::Away);
        }
    }
}

impl Inner {
    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, state: State, reason: &str) {
        self.now().put(state, reason);
        self.changed.notify_all();
    }
}

impl Now {
    fn put(&mut self, state: State, reason: &str) {
        self.state = state;
        reason.clone_into(&mut self.reason);
        GPU_STATE.get().set(state.number());
    }
}

/// What the thread needs.
struct Keeper {
    inner: Weak<Inner>,
    open: Open,
    encode: Option<Encode>,
    cost: Arc<Cost>,
    self_test: bool,
    window: Duration,
    backoff: Backoff,
}

impl Keeper {
    fn run(mut self) {
        let mut was_up = false;
        loop {
            let pause = match self.open() {
                Ok(Some(line)) => {
                    was_up = true;
                    let fault = line.watch(WATCH_EVERY);
                    // A driver that hangs would hold this thread too.
                    if fault != Fault::Hung {
                        line.executor().end();
                    }
                    drop(line);
                    match self.lost(fault) {
                        Some(pause) => pause,
                        None => return,
                    }
                }
                Ok(None) => return,
                Err(reason) if was_up => {
                    tracing::warn!("the GPU cannot be used again yet: {reason}");
                    self.backoff.again()
                }
                Err(reason) => {
                    self.put(State::Off, &reason);
                    tracing::info!("everything runs on the CPU: {reason}");
                    return;
                }
            };
            if !self.pause(pause) {
                return;
            }
        }
    }

    /// Opens a device and puts it before those who want one; nothing where nobody is there any more.
    fn open(&mut self) -> Result<Option<Line>, String> {
        let opened = catch_unwind(AssertUnwindSafe(|| (self.open)()));
        let opened = opened.unwrap_or_else(|_| {
            PANICS.with(["gpu"]).increment(1);
            Err(Refusal::Failed("opening the device panicked".to_owned()))
        });
        let Opened { executor, adapter } = opened.map_err(|refusal| refusal.to_string())?;
        if self.self_test {
            let verdict = trial(executor.as_ref(), self.encode);
            if let Verdict::Wrong(words) = &verdict {
                GPU_LOSSES.with(["self_test"]).increment(1);
                tracing::error!(
                    adapter = adapter.name,
                    "the GPU fails its self-test: {words}"
                );
                return Err(format!("the GPU fails its self-test: {words}"));
            }
        }
        calibrate(&self.cost, executor.as_ref(), self.encode, MOST);
        let bounds = Bounds {
            jobs: MOST_WAITING,
            bytes: MOST_WAITING_BYTES,
            batch: executor.capacity(),
            flights: FLIGHTS,
            window: self.window,
        };
        let line = Line::new(executor, bounds, PATIENCE, Arc::clone(&self.cost))
            .map_err(|error| format!("the system gives no threads: {error}"))?;
        let Some(inner) = self.inner.upgrade() else {
            line.fail(Fault::Away);
            return Ok(None);
        };
        let mut now = inner.now();
        if now.over {
            drop(now);
            line.fail(Fault::Away);
            return Ok(None);
        }
        tracing::info!(
            adapter = adapter.name,
            driver = adapter.driver,
            kind = adapter.kind,
            "the GPU is used"
        );
        now.adapter = Some(adapter);
        now.line = Some(line.clone());
        inner.is_up.store(true, Ordering::Release);
        now.put(State::Up, "");
        drop(now);
        inner.changed.notify_all();
        Ok(Some(line))
    }

    /// The device is gone: the pause before it is opened again, if it is.
    fn lost(&mut self, fault: Fault) -> Option<Duration> {
        let inner = self.inner.upgrade()?;
        let mut now = inner.now();
        now.line = None;
        inner.is_up.store(false, Ordering::Release);
        if now.over {
            return None;
        }
        GPU_LOSSES.with([fault.name()]).increment(1);
        let pause = self.backoff.lost(Instant::now());
        if pause.is_some() {
            tracing::warn!(reason = fault.name(), "the GPU is lost; the CPU goes on");
            now.put(State::Down, "the device was lost and will be opened again");
        } else {
            tracing::error!(
                reason = fault.name(),
                "the GPU was lost too often: it stays off"
            );
            now.put(State::Off, "the device was lost too often");
        }
        pause
    }

    /// Waits; whether somebody still wants a device then.
    fn pause(&self, pause: Duration) -> bool {
        let end = Instant::now() + pause;
        loop {
            let Some(inner) = self.inner.upgrade() else {
                return false;
            };
            if inner.now().over {
                return false;
            }
            drop(inner);
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            thread::sleep(left.min(WATCH_EVERY));
        }
    }

    fn put(&self, state: State, reason: &str) {
        if let Some(inner) = self.inner.upgrade() {
            inner.put(state, reason);
        }
    }
}

#[cfg(test)]
mod tests;
