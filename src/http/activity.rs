//! What a connection is doing, and until when it may go on doing it.
//!
//! The transport reports bytes, exchanges report their phase, and [`Activity::due`] says by when
//! something else has to happen. Time comes in from outside, so that the rules are tested without
//! waiting. Holds for HTTP/1.1 and h2 alike, where the protocol library's own timers differ.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long each state of a connection may last.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// From the first byte of a request, or from the connection's start, to the end of a head.
    pub(super) header: Duration,
    /// Without a request.
    pub(super) idle: Duration,
    /// Without the reader taking a byte.
    pub(super) write: Duration,
}

/// What happens to a connection that has reached its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is told to end; what is under way is finished.
    Close,
    /// It is dropped.
    Cut,
}

/// Writes below this many bytes are not progress: h2 frames that only keep a connection alive.
const LEAST_PROGRESS_BYTES: usize = 32;

/// The state of one connection, shared by its transport and its exchanges.
#[derive(Debug, Clone)]
pub(super) struct Activity {
    state: Arc<Mutex<State>>,
    limits: Limits,
}

#[derive(Debug)]
struct State {
    /// Exchanges whose answer is being made.
    making: usize,
    /// Exchanges whose answer is ready to be sent.
    sending: usize,
    /// Since when nothing has been in flight.
    idle_since: Instant,
    /// When the first byte of a head came that is not complete.
    head_since: Option<Instant>,
    /// Whether a request has been seen at all.
    used: bool,
    /// Whether bytes are frames, which tell nothing about heads.
    framed: bool,
    /// Since when the socket takes nothing although there is something to write.
    blocked_since: Option<Instant>,
    /// When the socket last took a part of an answer.
    progress: Instant,
    /// Since when the connection has been told to end.
    closing_since: Option<Instant>,
}

impl Activity {
    /// A connection that starts at `now`.
    pub(super) fn new(limits: Limits, now: Instant) -> Self {
        let state = State {
            making: 0,
            sending: 0,
            idle_since: now,
            head_since: None,
            used: false,
            framed: false,
            blocked_since: None,
            progress: now,
            closing_since: None,
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            limits,
        }
    }

    /// By when something else has to happen, and what happens if it does not; nothing while an
    /// answer is being made, which has a deadline of its own.
    pub(super) fn due(&self) -> Option<(Instant, Verdict)> {
        self.state().due(&self.limits)
    }

    /// Bytes came in.
    pub(super) fn read(&self, now: Instant) {
        let mut state = self.state();
        if !state.framed && state.making + state.sending == 0 {
            state.head_since.get_or_insert(now);
        }
    }

    /// The socket took `count` bytes.
    pub(super) fn wrote(&self, count: usize, now: Instant) {
        let mut state = self.state();
        state.blocked_since = None;
        if count >= LEAST_PROGRESS_BYTES {
            state.progress = now;
        }
    }

    /// The socket takes nothing.
    pub(super) fn blocked(&self, now: Instant) {
        self.state().blocked_since.get_or_insert(now);
    }

    /// The connection was told to end.
    pub(super) fn closing(&self, now: Instant) {
        self.state().closing_since.get_or_insert(now);
    }

    /// A request's head is complete; the exchange lasts until the guard is dropped.
    pub(super) fn begin(&self, framed: bool) -> Exchange {
        let mut state = self.state();
        state.used = true;
        state.framed = framed;
        state.head_since = None;
        state.making += 1;
        Exchange {
            activity: self.clone(),
            sending: false,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn due(&self, limits: &Limits) -> Option<(Instant, Verdict)> {
        let blocked = self
            .blocked_since
            .map(|at| (at + limits.write, Verdict::Cut));
        [blocked, self.stage(limits)]
            .into_iter()
            .flatten()
            .min_by_key(|(at, _)| *at)
    }

    fn stage(&self, limits: &Limits) -> Option<(Instant, Verdict)> {
        if self.making > 0 {
            return None;
        }
        if self.sending > 0 {
            return Some((self.progress + limits.write, Verdict::Cut));
        }
        if let Some(at) = self.closing_since {
            return Some((at.max(self.progress) + limits.write, Verdict::Cut));
        }
        if let Some(at) = self.head_since {
            return Some((at + limits.header, Verdict::Cut));
        }
        if self.used {
            return Some((self.idle_since + limits.idle, Verdict::Close));
        }
        Some((self.idle_since + limits.header, Verdict::Cut))
    }
}

/// One request and its answer, from the end of its head to the last byte handed over.
#[derive(Debug)]
pub(super) struct Exchange {
    activity: Activity,
    sending: bool,
}

impl Exchange {
    /// The answer has bytes to send: from here on the reader's pace counts.
    pub(super) fn sending(&mut self) {
        if !self.sending {
            self.sending = true;
            let mut state = self.activity.state();
            state.making -= 1;
            state.sending += 1;
            state.progress = Instant::now();
        }
    }

    /// The answer's next bytes are being made: the reader is not to blame.
    pub(super) fn making(&mut self) {
        if self.sending {
            self.sending = false;
            let mut state = self.activity.state();
            state.sending -= 1;
            state.making += 1;
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let mut state = self.activity.state();
        if self.sending {
            state.sending -= 1;
        } else {
            state.making -= 1;
        }
        if state.making + state.sending == 0 {
            state.idle_since = Instant::now();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const LIMITS: Limits = Limits {
        header: Duration::from_secs(10),
        idle: Duration::from_mins(1),
        write: Duration::from_secs(30),
    };

    fn fresh() -> (Activity, Instant) {
        let start = Instant::now();
        (Activity::new(LIMITS, start), start)
    }

    #[test]
    fn a_silent_connection_is_cut_after_the_header_timeout() {
        let (activity, start) = fresh();
        assert_eq!(activity.due(), Some((start + 10 * SECOND, Verdict::Cut)));
    }

    #[test]
    fn a_dripping_head_is_measured_from_its_first_byte() {
        let (activity, start) = fresh();
        drop(activity.begin(false));
        activity.read(start + 20 * SECOND);
        activity.read(start + 29 * SECOND);
        assert_eq!(activity.due(), Some((start + 30 * SECOND, Verdict::Cut)));
    }

    #[test]
    fn an_idle_connection_is_closed_and_then_cut() {
        let (activity, start) = fresh();
        drop(activity.begin(false));
        let (at, verdict) = activity.due().expect("idle has an end");
        assert_eq!(verdict, Verdict::Close);
        assert!(at >= start + 60 * SECOND);
        activity.closing(at);
        assert_eq!(activity.due(), Some((at + 30 * SECOND, Verdict::Cut)));
    }

    #[test]
    fn an_answer_that_is_being_made_has_no_limit_here() {
        let (activity, start) = fresh();
        let mut exchange = activity.begin(false);
        assert_eq!(activity.due(), None);
        exchange.sending();
        activity.wrote(1000, start + 5 * SECOND);
        assert_eq!(activity.due(), Some((start + 35 * SECOND, Verdict::Cut)));
        exchange.making();
        assert_eq!(activity.due(), None);
    }

    #[test]
    fn frames_that_only_keep_a_connection_alive_are_no_progress() {
        let (activity, start) = fresh();
        let mut exchange = activity.begin(true);
        exchange.sending();
        activity.wrote(1000, start + 5 * SECOND);
        activity.wrote(17, start + 25 * SECOND);
        assert_eq!(activity.due(), Some((start + 35 * SECOND, Verdict::Cut)));
    }

    #[test]
    fn a_socket_that_takes_nothing_is_cut() {
        let (activity, start) = fresh();
        let _exchange = activity.begin(false);
        activity.blocked(start + SECOND);
        activity.blocked(start + 9 * SECOND);
        assert_eq!(activity.due(), Some((start + 31 * SECOND, Verdict::Cut)));
        activity.wrote(1, start + 10 * SECOND);
        assert_eq!(activity.due(), None);
    }

    #[test]
    fn frames_on_an_idle_h2_connection_do_not_start_a_head() {
        let (activity, start) = fresh();
        drop(activity.begin(true));
        activity.read(start + SECOND);
        let (_, verdict) = activity.due().expect("idle has an end");
        assert_eq!(verdict, Verdict::Close);
    }
}
