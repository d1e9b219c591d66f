//! What waits for the device, and when a batch closes. Pure: the time is told.
//!
//! While fewer than two batches are under way whatever waits leaves at once. Otherwise the batch stays
//! open until it is worth a submission, full, or one of its jobs has waited long enough.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::super::{Class, Footprint};
use super::executor::Capacity;
use super::window::Window;

/// A job that waits.
#[derive(Debug)]
pub(super) struct Waiting<T> {
    /// What names it to its owner.
    pub(super) ticket: T,
    /// Whom it delays.
    pub(super) class: Class,
    /// When it came.
    pub(super) since: Instant,
    /// When its answer is worth nothing any more.
    pub(super) deadline: Option<Instant>,
    /// Expected time on the device.
    pub(super) takes: Duration,
    /// What it takes of the device.
    pub(super) footprint: Footprint,
}

/// What the queue and a batch may hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Jobs that may wait.
    pub(super) jobs: usize,
    /// Bytes between host and device of jobs that may wait.
    pub(super) bytes: u64,
    /// What a batch may take.
    pub(super) batch: Capacity,
    /// Batches under way.
    pub(super) flights: usize,
    /// Longest time that a batch stays open.
    pub(super) window: Duration,
}

/// When the next batch leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// At once.
    Now,
    /// At this time, if nothing happens before.
    At(Instant),
    /// Not before something happens: a job comes, or a batch lands.
    Later,
}

/// Jobs of a batch at most.
const MOST_JOBS: usize = 256;
/// With so many batches under way the device does not run dry.
const BUSY_FLIGHTS: usize = 2;
/// Expected time that makes a batch of what viewers wait for worth a submission of its own.
const WORTH_INTERACTIVE: Duration = Duration::from_millis(2);
/// The same where bulk work is among it.
const WORTH_MIXED: Duration = Duration::from_millis(5);
/// Expected time of a batch at most: the next one waits for it.
const MOST_INTERACTIVE: Duration = Duration::from_millis(5);
/// The same for bulk work alone; an operating system ends what takes seconds.
const MOST_BULK: Duration = Duration::from_millis(50);
/// A slow device is not fed one by one: so many jobs may share a batch that takes [`MOST_SLOW`].
const FEW_JOBS: usize = 32;
/// Expected time of a batch of few jobs at most.
const MOST_SLOW: Duration = Duration::from_millis(250);
/// Bulk work that has waited so long goes with the next batch, however long it takes.
const BULK_PATIENCE: Duration = Duration::from_millis(20);

/// The queue before the device.
#[derive(Debug)]
pub(super) struct Queue<T> {
    bounds: Bounds,
    interactive: VecDeque<Waiting<T>>,
    bulk: VecDeque<Waiting<T>>,
    footprint: Footprint,
    takes: Duration,
    window: Window,
}

impl<T> Queue<T> {
    /// An empty queue.
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            interactive: VecDeque::new(),
            bulk: VecDeque::new(),
            footprint: Footprint::default(),
            takes: Duration::ZERO,
            window: Window::new(bounds.window),
        }
    }

    /// Jobs that wait.
    pub(super) fn len(&self) -> usize {
        self.interactive.len() + self.bulk.len()
    }

    /// Expected time on the device of all that wait.
    pub(super) fn takes(&self) -> Duration {
        self.takes
    }

    /// How long a batch stays open at present.
    pub(super) fn window(&self) -> Duration {
        self.window.now()
    }

    /// Lets a job wait; gives it back where there is no room.
    pub(super) fn push(&mut self, waiting: Waiting<T>) -> Result<(), Waiting<T>> {
        let after = self.footprint + waiting.footprint;
        let fits = after.up_bytes.saturating_add(after.down_bytes) <= self.bounds.bytes;
        if self.len() >= self.bounds.jobs || !(fits || self.len() == 0) {
            return Err(waiting);
        }
        self.footprint = after;
        self.takes += waiting.takes;
        match waiting.class {
            Class::Interactive => self.interactive.push_back(waiting),
            Class::Bulk => self.bulk.push_back(waiting),
        }
        Ok(())
    }

    /// When the next batch leaves, with `flights` under way.
    pub(super) fn due(&self, now: Instant, flights: usize) -> Due {
        let Some(oldest) = self.all().map(|waiting| waiting.since).min() else {
            return Due::Later;
        };
        if flights >= self.bounds.flights {
            return Due::Later;
        }
        if flights < BUSY_FLIGHTS || self.is_worth_it() {
            return Due::Now;
        }
        let hurry = self.all().filter_map(Waiting::leaves_by).min();
        let end = oldest + self.window.now();
        let end = hurry.map_or(end, |hurry| hurry.min(end));
        if end <= now { Due::Now } else { Due::At(end) }
    }

    fn all(&self) -> impl Iterator<Item = &Waiting<T>> {
        self.interactive.iter().chain(&self.bulk)
    }

    fn is_worth_it(&self) -> bool {
        let worth = if self.bulk.is_empty() {
            WORTH_INTERACTIVE
        } else {
            WORTH_MIXED
        };
        let more = Batch::<T>::most_jobs(&self.bounds.batch);
        self.takes >= worth || self.len() >= more || !self.bounds.batch.holds(&self.footprint)
    }

    /// The next batch, of which `is_wanted` lets go what nobody waits for.
    pub(super) fn take(
        &mut self,
        now: Instant,
        is_wanted: impl Fn(&Waiting<T>) -> bool,
    ) -> Batch<T> {
        let mut batch = Batch::default();
        let mixed = !self.interactive.is_empty() && !self.bulk.is_empty();
        let most = if self.interactive.is_empty() {
            MOST_BULK
        } else {
            MOST_INTERACTIVE
        };
        let (bulk, slow) = if mixed {
            (most / 2, Duration::ZERO)
        } else {
            (most, MOST_SLOW)
        };
        let late = |waiting: &Waiting<T>| now.duration_since(waiting.since) >= BULK_PATIENCE;
        while let Some(next) = self.bulk.front() {
            let forced = batch.jobs.is_empty() && (!mixed || late(next));
            if !forced && !batch.has_room(next, (bulk, slow), &self.bounds.batch) {
                break;
            }
            self.move_first(Class::Bulk, &mut batch, &is_wanted);
        }
        while let Some(next) = self.interactive.front() {
            if !batch.jobs.is_empty()
                && !batch.has_room(next, (most, MOST_SLOW), &self.bounds.batch)
            {
                break;
            }
            self.move_first(Class::Interactive, &mut batch, &is_wanted);
        }
        let delays = batch.jobs.iter();
        let delays = delays.map(|waiting| now.duration_since(waiting.since));
        self.window.left(delays, self.len() > 0);
        batch
    }

    fn move_first(
        &mut self,
        class: Class,
        batch: &mut Batch<T>,
        is_wanted: &impl Fn(&Waiting<T>) -> bool,
    ) {
        let queue = match class {
            Class::Interactive => &mut self.interactive,
            Class::Bulk => &mut self.bulk,
        };
        let Some(first) = queue.pop_front() else {
            return;
        };
        self.footprint = less(self.footprint, first.footprint);
        self.takes = self.takes.saturating_sub(first.takes);
        if is_wanted(&first) {
            batch.footprint = batch.footprint + first.footprint;
            batch.takes += first.takes;
            batch.jobs.push(first);
        } else {
            batch.unwanted.push(first);
        }
    }

    /// Everything that waits, when there is no device any more.
    pub(super) fn drain(&mut self) -> Vec<Waiting<T>> {
        self.footprint = Footprint::default();
        self.takes = Duration::ZERO;
        let bulk = self.bulk.drain(..);
        self.interactive.drain(..).chain(bulk).collect()
    }
}

impl<T> Waiting<T> {
    /// When it has to leave so that a fifth of its time is left.
    fn leaves_by(&self) -> Option<Instant> {
        let deadline = self.deadline?;
        let reserve = deadline.saturating_duration_since(self.since) / 5;
        deadline.checked_sub(reserve + self.takes)
    }
}

/// Jobs that leave together.
#[derive(Debug)]
pub(super) struct Batch<T> {
    /// Those that leave.
    pub(super) jobs: Vec<Waiting<T>>,
    /// Those that nobody waits for any more.
    pub(super) unwanted: Vec<Waiting<T>>,
    /// Expected time of all.
    pub(super) takes: Duration,
    footprint: Footprint,
}

impl<T> Default for Batch<T> {
    fn default() -> Self {
        Self {
            jobs: Vec::new(),
            unwanted: Vec::new(),
            takes: Duration::ZERO,
            footprint: Footprint::default(),
        }
    }
}

impl<T> Batch<T> {
    fn most_jobs(capacity: &Capacity) -> usize {
        MOST_JOBS.min(capacity.jobs)
    }

    /// Whether one more job may go too: the batch takes `most` at most, or `slow` while it has few jobs.
    fn has_room(
        &self,
        next: &Waiting<T>,
        (most, slow): (Duration, Duration),
        capacity: &Capacity,
    ) -> bool {
        let takes = self.takes + next.takes;
        let in_time = takes <= most || (self.jobs.len() < FEW_JOBS && takes <= slow);
        let in_number = self.jobs.len() < Self::most_jobs(capacity);
        in_time && in_number && capacity.holds(&(self.footprint + next.footprint))
    }
}

/// What of `all` is left without `part`, in what batches are bounded by.
fn less(all: Footprint, part: Footprint) -> Footprint {
    Footprint {
        up_bytes: all.up_bytes.saturating_sub(part.up_bytes),
        device_bytes: all.device_bytes.saturating_sub(part.device_bytes),
        down_bytes: all.down_bytes.saturating_sub(part.down_bytes),
        ..Footprint::default()
    }
}

#[cfg(test)]
mod tests;
