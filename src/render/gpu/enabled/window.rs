//! How long a batch stays open for more jobs: longer while batches are small, shorter while jobs wait.

use std::time::Duration;

/// It is never shorter than this, unless the operator says so.
const LEAST: Duration = Duration::from_micros(200);
/// Batches of fewer jobs are small.
const SMALL_BATCH: f64 = 4.0;
/// Jobs that wait longer, one in twenty of them, wait too long.
const LONG_DELAY: Duration = Duration::from_millis(1);
/// How many of the last delays are looked at.
const DELAYS: usize = 64;

/// The adaptive window.
#[derive(Debug)]
pub(super) struct Window {
    most: Duration,
    now: Duration,
    mean_jobs: f64,
    delays: [Duration; DELAYS],
    count: usize,
}

impl Window {
    /// A window of at most `most`; where that is nothing it stays so.
    pub(super) fn new(most: Duration) -> Self {
        Self {
            most,
            now: LEAST.min(most),
            mean_jobs: 0.0,
            delays: [Duration::ZERO; DELAYS],
            count: 0,
        }
    }

    /// How long a batch stays open at present.
    pub(super) fn now(&self) -> Duration {
        self.now
    }

    /// A batch has left whose jobs had waited for `delays`; whether others still wait.
    pub(super) fn left(&mut self, delays: impl Iterator<Item = Duration>, others_wait: bool) {
        let before = self.count;
        for delay in delays {
            self.delays[self.count % DELAYS] = delay;
            self.count += 1;
        }
        let jobs = (self.count - before) as f64;
        self.mean_jobs += (jobs - self.mean_jobs) / 8.0;
        if self.long_delay() > LONG_DELAY {
            self.now = self.now.mul_f64(0.8).max(LEAST.min(self.most));
        } else if self.mean_jobs < SMALL_BATCH && others_wait {
            self.now = self.now.mul_f64(1.1).min(self.most);
        }
    }

    /// The delay that one job in twenty exceeded.
    fn long_delay(&self) -> Duration {
        let known = self.count.min(DELAYS);
        let mut delays = self.delays;
        let delays = &mut delays[..known];
        delays.sort_unstable();
        delays
            .get((known * 19).div_ceil(20).saturating_sub(1))
            .copied()
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(window: &mut Window, batches: u32, delay: Duration) -> Duration {
        for _ in 0..batches {
            window.left([delay].into_iter(), true);
        }
        window.now()
    }

    #[test]
    fn it_grows_while_batches_are_small_and_shrinks_while_jobs_wait() {
        let most = Duration::from_millis(1);
        let mut window = Window::new(most);
        assert_eq!(window.now(), LEAST);
        assert_eq!(after(&mut window, 100, Duration::ZERO), most);
        assert_eq!(after(&mut window, 100, LONG_DELAY * 2), LEAST);
    }

    #[test]
    fn it_stays_while_nothing_else_waits_or_batches_are_large() {
        let mut window = Window::new(Duration::from_millis(1));
        for _ in 0..50 {
            window.left([Duration::ZERO].into_iter(), false);
        }
        assert_eq!(window.now(), LEAST);
        for _ in 0..50 {
            window.left([Duration::ZERO; 30].into_iter(), true);
        }
        let large = window.now();
        window.left([Duration::ZERO; 30].into_iter(), true);
        assert_eq!(window.now(), large);
    }

    #[test]
    fn none_stays_none() {
        let mut window = Window::new(Duration::ZERO);
        assert_eq!(after(&mut window, 30, Duration::ZERO), Duration::ZERO);
        assert_eq!(after(&mut window, 30, LONG_DELAY * 2), Duration::ZERO);
    }
}
