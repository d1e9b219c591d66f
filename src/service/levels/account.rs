//! What decoding a master has cost lately, against what building its levels would.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::cache::Key;

/// After this time a cost counts half.
const HALF_LIFE: Duration = Duration::from_mins(10);

/// Cost is counted in pixels that had to be decoded.
#[derive(Debug)]
pub(in crate::service) struct Account {
    /// What the levels are stored under.
    pub(super) key: Key,
    /// What building them costs.
    build: u64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    spent: u64,
    since: Instant,
    queued: bool,
    failures: u32,
}

impl Account {
    /// An account on which nothing is spent; a build costs `build`.
    pub(super) fn new(key: Key, build: u64) -> Self {
        Self {
            key,
            build,
            state: Mutex::new(State {
                spent: 0,
                since: Instant::now(),
                queued: false,
                failures: 0,
            }),
        }
    }

    /// A decode has cost `pixels`.
    pub(in crate::service) fn spend(&self, pixels: u64) {
        let mut state = self.state();
        state.age(Instant::now());
        state.spent = state.spent.saturating_add(pixels);
    }

    /// Whether more has been spent than a build costs, each failure counted as a doubling. Holds once:
    /// the caller queues the build or puts it off.
    pub(super) fn is_due(&self) -> bool {
        let mut state = self.state();
        let price = u128::from(self.build) << state.failures.min(64);
        let due = !state.queued && u128::from(state.spent) > price;
        state.queued |= due;
        due
    }

    /// No place was free for it.
    pub(super) fn put_off(&self) {
        self.state().queued = false;
    }

    /// The levels are there. Whatever is spent from now on means that they have left again.
    pub(super) fn is_built(&self) {
        let mut state = self.state();
        (state.spent, state.queued) = (0, false);
    }

    /// They could not be built.
    pub(super) fn has_failed(&self) {
        let mut state = self.state();
        (state.spent, state.queued) = (0, false);
        state.failures = state.failures.saturating_add(1);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn age(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.since);
        let halvings = passed.as_secs() / HALF_LIFE.as_secs();
        if halvings > 0 {
            self.since = now;
            self.spent = u32::try_from(halvings)
                .ok()
                .and_then(|halvings| self.spent.checked_shr(halvings))
                .unwrap_or(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::KeyBuilder;

    fn account(build: u64) -> Account {
        Account::new(KeyBuilder::default().finish(), build)
    }

    #[test]
    fn a_build_is_due_once_more_is_spent_than_it_costs() {
        let account = account(100);
        assert!(!account.is_due());
        account.spend(100);
        assert!(!account.is_due());
        account.spend(1);
        assert!(account.is_due());
        assert!(!account.is_due(), "it is queued");
        account.put_off();
        assert!(account.is_due());
        account.is_built();
        assert!(!account.is_due());
    }

    #[test]
    fn what_failed_becomes_dearer() {
        let account = account(100);
        for failures in 0..70_u32 {
            account.spend(100 << failures.min(50));
            assert!(!account.is_due(), "after {failures}");
            account.spend(1 << failures.min(50));
            if failures > 50 {
                assert!(!account.is_due(), "after {failures}");
            } else {
                assert!(account.is_due(), "after {failures}");
            }
            account.has_failed();
        }
    }

    #[test]
    fn what_was_spent_long_ago_counts_less() {
        let account = account(100);
        account.spend(400);
        let mut state = account.state();
        let start = state.since;
        state.age(start + HALF_LIFE);
        assert_eq!(state.spent, 200);
        state.age(start + HALF_LIFE + HALF_LIFE / 2);
        assert_eq!(state.spent, 200);
        state.age(start + 4 * HALF_LIFE);
        assert_eq!(state.spent, 25);
        state.age(start + 5000 * HALF_LIFE);
        assert_eq!(state.spent, 0);
    }
}
