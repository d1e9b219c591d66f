//! Whether a root answers, asked every few seconds on a thread of its own.
//!
//! The thread may hang with its root: that it did not come back is itself the answer.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::failure::Failure;
use super::place::Place;

/// How long a probe may take before its root counts as away.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

/// Time between two probes.
const EVERY: Duration = Duration::from_secs(2);

/// How one root is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootHealth {
    /// The root's name.
    pub name: String,
    /// Whether it can be read now.
    pub ok: bool,
    /// Why, in a few words that name no path.
    pub words: String,
}

/// What the last probe said, and since when the present one runs.
#[derive(Debug)]
pub(super) struct Pulse(Mutex<Beat>);

#[derive(Debug)]
struct Beat {
    under_way_since: Option<Instant>,
    last: Result<(), &'static str>,
}

impl Pulse {
    /// As the first look at a root said.
    pub(super) fn new(first: Result<(), &'static str>) -> Self {
        Self(Mutex::new(Beat {
            under_way_since: None,
            last: first,
        }))
    }

    /// Why the root is away, if it is.
    pub(super) fn state(&self) -> Result<(), &'static str> {
        if self.silent_for() > PATIENCE {
            return Err("does not answer");
        }
        self.lock().last
    }

    /// How long the present probe has been without an answer.
    pub(super) fn silent_for(&self) -> Duration {
        self.lock()
            .under_way_since
            .map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// As if the present probe had begun `ago`.
    #[cfg(test)]
    pub(super) fn hang_since(&self, ago: Duration) {
        self.lock().under_way_since = Instant::now().checked_sub(ago);
    }

    fn take(&self, look: impl FnOnce() -> Result<(), &'static str>) {
        self.lock().under_way_since = Some(Instant::now());
        let last = look();
        *self.lock() = Beat {
            under_way_since: None,
            last,
        };
    }

    fn lock(&self) -> MutexGuard<'_, Beat> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a look at a root's folder says about its health.
pub(super) fn verdict<T>(outcome: &Result<T, Failure>) -> Result<(), &'static str> {
    match outcome {
        Ok(_) => Ok(()),
        Err(Failure::Absent) => Err("is not there"),
        Err(Failure::Forbidden(_)) => Err("may not be entered"),
        Err(Failure::Full(_)) => Err("cannot be opened: too many files are open"),
        Err(Failure::Away(words, _)) => Err(words),
    }
}

/// Probes `place` until the sender is dropped.
///
/// # Errors
///
/// When the system gives no thread.
pub(super) fn watch(place: Arc<Place>, pulse: Arc<Pulse>) -> std::io::Result<Sender<()>> {
    let (owner, gone) = mpsc::channel();
    thread::Builder::new()
        .name("source-probe".to_owned())
        .spawn(move || {
            while gone.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
                pulse.take(|| verdict(&place.renew()));
            }
        })?;
    Ok(owner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_that_does_not_come_back_is_red_and_its_end_decides() {
        let pulse = Pulse::new(Ok(()));
        assert_eq!(pulse.state(), Ok(()));
        pulse.hang_since(PATIENCE * 2);
        assert_eq!(pulse.state(), Err("does not answer"));
        assert!(pulse.silent_for() > PATIENCE);
        pulse.take(|| Err("is not there"));
        assert_eq!(pulse.state(), Err("is not there"));
        pulse.take(|| Ok(()));
        assert_eq!(pulse.state(), Ok(()));
    }
}
