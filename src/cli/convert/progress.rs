//! How far a conversion has come: a bar with the time that is left on a terminal, lines elsewhere.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::job::Done;
use super::walk::Task;
use crate::cli::output;

/// Between two states of the bar.
const BAR_EVERY: Duration = Duration::from_millis(200);
/// Between two lines where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);
/// Characters of the bar.
const BAR_WIDTH: usize = 30;

/// The progress of all files together, by the bytes of their masters.
#[derive(Debug)]
pub(super) struct Progress {
    total_bytes: u64,
    files: usize,
    terminal: bool,
    silent: bool,
    started: Instant,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    done_bytes: f64,
    done_files: usize,
    said: Instant,
    drawn: bool,
}

/// One file's part.
#[derive(Debug)]
pub(super) struct Part<'a> {
    progress: &'a Progress,
    bytes: f64,
    given: f64,
}

impl Progress {
    /// Nothing is done yet.
    pub(super) fn new(tasks: &[Task], silent: bool) -> Self {
        Self {
            total_bytes: tasks.iter().map(|task| task.bytes).sum(),
            files: tasks.len(),
            terminal: io::stderr().is_terminal(),
            silent,
            started: Instant::now(),
            state: Mutex::new(State {
                done_bytes: 0.0,
                done_files: 0,
                said: Instant::now(),
                drawn: false,
            }),
        }
    }

    /// The part that `task` is of the whole.
    pub(super) fn part(&self, task: &Task) -> Part<'_> {
        Part {
            progress: self,
            bytes: task.bytes as f64,
            given: 0.0,
        }
    }

    fn advance(&self, bytes: f64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.done_bytes += bytes;
        let every = if self.terminal { BAR_EVERY } else { LINE_EVERY };
        if self.silent || state.said.elapsed() < every {
            return;
        }
        state.said = Instant::now();
        let share = state.done_bytes / (self.total_bytes as f64).max(1.0);
        let text = line(share, state.done_files, self.files, self.started.elapsed());
        state.drawn = self.terminal;
        // Progress that cannot be shown is no reason to stop.
        let _ = if self.terminal {
            write!(io::stderr(), "\r{} {text}\x1b[K", bar(share))
        } else {
            writeln!(io::stderr(), "{text}")
        };
    }

    /// Says how a file ended: on the standard output, or on the standard error for a failure.
    pub(super) fn finished(&self, task: &Task, done: &Done, json: bool) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.done_files += 1;
        clear(&mut state);
        if done.is_failure() {
            let _ = writeln!(
                io::stderr(),
                "triforium: {}: {}",
                task.input.display(),
                done.words()
            );
        } else if !json {
            // Whoever reads has enough; the exit status is not about that.
            let _ = output::line(&format!("{}: {}", task.output.display(), done.words()));
        }
    }

    /// Removes the bar.
    pub(super) fn end(&self) {
        clear(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

fn clear(state: &mut State) {
    if std::mem::take(&mut state.drawn) {
        let _ = write!(io::stderr(), "\r\x1b[K");
    }
}

impl Part<'_> {
    /// `done` of `all` rows have passed.
    pub(super) fn rows(&mut self, done: u32, all: u32) {
        let now = self.bytes * f64::from(done) / f64::from(all.max(1));
        let more = (now - self.given).max(0.0);
        self.given += more;
        self.progress.advance(more);
    }
}

impl Drop for Part<'_> {
    /// Whatever became of the file, its part is over.
    fn drop(&mut self) {
        self.progress.advance(self.bytes - self.given);
    }
}

fn bar(share: f64) -> String {
    let full = (0..BAR_WIDTH)
        .take_while(|at| (*at as f64) < share * BAR_WIDTH as f64)
        .count();
    format!("[{}{}]", "#".repeat(full), "-".repeat(BAR_WIDTH - full))
}

fn line(share: f64, done: usize, files: usize, elapsed: Duration) -> String {
    let percent = (share * 100.0).clamp(0.0, 100.0);
    let left = if share > 0.0 {
        let left = elapsed.as_secs_f64() * (1.0 - share).max(0.0) / share;
        format!(", {} left", clock(Duration::from_secs_f64(left.min(1e9))))
    } else {
        String::new()
    };
    let of_files = if files > 1 {
        format!(", {done} of {files} files")
    } else {
        String::new()
    };
    format!("{percent:.0} %{of_files}{left}")
}

fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    if seconds >= 3600 {
        format!(
            "{}:{:02}:{:02}",
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60
        )
    } else {
        format!("{}:{:02}", seconds / 60, seconds % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_how_much_is_done_and_how_long_it_takes() {
        let minute = Duration::from_mins(1);
        assert_eq!(line(0.25, 0, 1, minute), "25 %, 3:00 left");
        assert_eq!(
            line(0.01, 3, 400, minute),
            "1 %, 3 of 400 files, 1:39:00 left"
        );
        assert_eq!(line(0.0, 0, 1, minute), "0 %");
        assert_eq!(bar(0.5).matches('#').count(), BAR_WIDTH / 2);
        assert_eq!(bar(1.0).matches('-').count(), 0);
    }
}
