//! How far a measurement is: a bar on a terminal, a line for each turn otherwise; on the standard error.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

/// Shows turns that are done out of a known number.
#[derive(Debug)]
pub(super) struct Progress {
    total: usize,
    done: usize,
    start: Instant,
    terminal: bool,
}

/// Cells of the bar.
const CELLS: usize = 30;

impl Progress {
    /// Nothing of `total` turns is done.
    pub(super) fn new(total: usize) -> Self {
        Self {
            total,
            done: 0,
            start: Instant::now(),
            terminal: io::stderr().is_terminal(),
        }
    }

    /// A turn begins: `what` is under way.
    pub(super) fn begin(&self, what: &str) {
        if self.terminal {
            self.say(&format!("\r\x1b[2K{}", self.bar(what)));
        }
    }

    /// A turn is done, with this result.
    pub(super) fn done(&mut self, what: &str, result: &str) {
        self.done += 1;
        if self.terminal {
            self.say(&format!("\r\x1b[2K{}", self.bar(what)));
        } else {
            self.say(&format!("{}/{} {what}: {result}\n", self.done, self.total));
        }
    }

    /// Clears the bar.
    pub(super) fn end(&self) {
        if self.terminal {
            self.say("\r\x1b[2K");
        }
    }

    fn bar(&self, what: &str) -> String {
        let full = CELLS * self.done / self.total.max(1);
        let bar: String = (0..CELLS)
            .map(|cell| if cell < full { '█' } else { '░' })
            .collect();
        let left = left(self.start.elapsed(), self.done, self.total);
        let left = left.map_or_else(String::new, |left| format!(", {} s left", left.as_secs()));
        format!("{bar} {}/{}{left}  {what}", self.done, self.total)
    }

    #[expect(
        clippy::unused_self,
        reason = "one place decides where progress is shown"
    )]
    fn say(&self, text: &str) {
        let mut error = io::stderr().lock();
        // Whoever closed the standard error does not want to know.
        let _ = error.write_all(text.as_bytes());
        let _ = error.flush();
    }
}

/// The time that is left at the pace so far.
fn left(elapsed: Duration, done: usize, total: usize) -> Option<Duration> {
    let turns = u32::try_from(done).ok().filter(|turns| *turns > 0)?;
    let ahead = u32::try_from(total.saturating_sub(done)).ok()?;
    Some(elapsed / turns * ahead)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_follows_the_pace() {
        assert_eq!(
            left(Duration::from_secs(10), 2, 8),
            Some(Duration::from_secs(30))
        );
        assert_eq!(left(Duration::from_secs(10), 0, 8), None);
        assert_eq!(left(Duration::from_secs(10), 8, 8), Some(Duration::ZERO));
    }
}
