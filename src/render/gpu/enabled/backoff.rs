//! When a device that was lost is opened again. Pure: the time is told.

use std::time::{Duration, Instant};

/// How patient the program is with a device.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// The pause before it is opened again.
    pub(super) first: Duration,
    /// The longest of the pauses, each of which is twice the one before.
    pub(super) longest: Duration,
    /// So many losses …
    pub(super) losses: usize,
    /// … within this time, and it is left alone.
    pub(super) within: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(1),
            longest: Duration::from_mins(1),
            losses: 3,
            within: Duration::from_mins(10),
        }
    }
}

/// What has happened so far.
#[derive(Debug)]
pub(super) struct Backoff {
    pace: Pace,
    pause: Duration,
    losses: Vec<Instant>,
}

impl Backoff {
    /// Nothing has happened.
    pub(super) fn new(pace: Pace) -> Self {
        Self {
            pace,
            pause: pace.first,
            losses: Vec::new(),
        }
    }

    /// The device was lost at `now`: the pause before it is opened again, none when it is left alone.
    pub(super) fn lost(&mut self, now: Instant) -> Option<Duration> {
        let within = self.pace.within;
        self.losses.retain(|at| now.duration_since(*at) < within);
        if self.losses.is_empty() {
            self.pause = self.pace.first;
        }
        self.losses.push(now);
        (self.losses.len() < self.pace.losses).then(|| self.again())
    }

    /// It could not be opened: the pause before that is tried again.
    pub(super) fn again(&mut self) -> Duration {
        let pause = self.pause;
        self.pause = (pause * 2).min(self.pace.longest);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let mut backoff = Backoff::new(Pace::default());
        let pauses: Vec<_> = (0..8).map(|_| backoff.again().as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
    }

    #[test]
    fn three_losses_in_ten_minutes_are_enough() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut backoff = Backoff::new(Pace::default());
        assert!(backoff.lost(at(0)).is_some());
        assert!(backoff.lost(at(300)).is_some());
        assert_eq!(backoff.lost(at(599)), None);
        let mut backoff = Backoff::new(Pace::default());
        assert!(backoff.lost(at(0)).is_some());
        assert!(backoff.lost(at(300)).is_some());
        assert!(backoff.lost(at(601)).is_some(), "the first is forgotten");
    }

    #[test]
    fn after_a_good_while_the_pause_is_short_again() {
        let start = Instant::now();
        let mut backoff = Backoff::new(Pace::default());
        assert_eq!(backoff.lost(start), Some(Duration::from_secs(1)));
        let soon = backoff.lost(start + Duration::from_secs(5));
        assert_eq!(soon, Some(Duration::from_secs(2)));
        let later = backoff.lost(start + Duration::from_secs(2000));
        assert_eq!(later, Some(Duration::from_secs(1)));
    }
}
