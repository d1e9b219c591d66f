//! The line before one device: a bounded queue, a thread that submits, a thread that waits for what
//! comes back. A device that fails fails all of them at once, and what it still says later is not heard.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::super::{Class, Fault, Footprint, Job, Output};
use super::cost::Cost;
use super::executor::{Executor, Flight};
use super::queue::{Bounds, Due, Queue, Waiting};
use crate::cancel::Cancel;
use crate::metrics::{GPU_BATCH_SIZE, GPU_BATCHES, GPU_IN_FLIGHT, GPU_STAGE, GPU_WINDOW, PANICS};

/// What a job comes to.
pub(super) type Outcome = Result<Output, Fault>;

/// What is expected may be wrong by this factor.
const DOUBT: u32 = 10;

/// A line. Clones share it.
#[derive(Clone)]
pub(super) struct Line(Arc<Inner>);

struct Inner {
    executor: Arc<dyn Executor>,
    cost: Arc<Cost>,
    state: Mutex<State>,
    /// Something happened that may let a batch leave.
    stirred: Condvar,
    /// The line has failed.
    failed: Condvar,
}

struct State {
    queue: Queue<Ticket>,
    flying: BTreeMap<u64, Flying>,
    next_flight: u64,
    /// How long a submission may take beyond what is expected of it.
    patience: Duration,
    /// When the device was last free for the oldest of those that fly.
    landed: Option<Instant>,
    fault: Option<Fault>,
}

struct Ticket {
    job: Arc<Job>,
    cancel: Cancel,
    answer: oneshot::Sender<Outcome>,
}

struct Flying {
    since: Instant,
    takes: Duration,
    /// How long it is waited for.
    patience: Duration,
    answers: Vec<oneshot::Sender<Outcome>>,
}

/// A batch on its way from the submitting thread to the waiting one.
struct Airborne {
    number: u64,
    flight: Box<dyn Flight>,
    patience: Duration,
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Line({:?})", self.0.executor)
    }
}

impl Line {
    /// A line before `executor`, with its threads. A submission that takes longer than is expected of it,
    /// by more than `patience` and a wide margin, hangs.
    ///
    /// # Errors
    ///
    /// When the system gives no threads.
    pub(super) fn new(
        executor: Arc<dyn Executor>,
        bounds: Bounds,
        patience: Duration,
        cost: Arc<Cost>,
    ) -> std::io::Result<Self> {
        let line = Self(Arc::new(Inner {
            executor,
            cost,
            state: Mutex::new(State {
                queue: Queue::new(bounds),
                flying: BTreeMap::new(),
                next_flight: 0,
                patience,
                landed: None,
                fault: None,
            }),
            stirred: Condvar::new(),
            failed: Condvar::new(),
        }));
        let (sender, airborne) = channel();
        let (submitting, waiting) = (line.clone(), line.clone());
        let named = |name: &str| thread::Builder::new().name(name.to_owned());
        named("gpu-submit").spawn(move || submitting.submit_all(&sender))?;
        if let Err(error) = named("gpu-wait").spawn(move || waiting.wait_for_all(&airborne)) {
            line.fail(Fault::Away);
            return Err(error);
        }
        Ok(line)
    }

    /// What the device before which it stands can do.
    pub(super) fn executor(&self) -> &dyn Executor {
        self.0.executor.as_ref()
    }

    /// Expected time until the device is free, and the jobs that wait or fly.
    pub(super) fn backlog(&self) -> (Duration, usize) {
        let state = self.state();
        let (mut takes, mut jobs) = (state.queue.takes(), state.queue.len());
        for flying in state.flying.values() {
            takes += flying.takes;
            jobs += flying.answers.len();
        }
        (takes, jobs)
    }

    /// Runs a job in one of the next batches. Dropping the future withdraws it.
    ///
    /// # Errors
    ///
    /// The device's, [`Fault::Full`] and [`Fault::Away`].
    pub(super) async fn run(
        &self,
        job: &Arc<Job>,
        class: Class,
        (footprint, takes): (Footprint, Duration),
        cancel: &Cancel,
    ) -> Outcome {
        let (answer, outcome) = oneshot::channel();
        let waiting = Waiting {
            ticket: Ticket {
                job: Arc::clone(job),
                cancel: cancel.clone(),
                answer,
            },
            class,
            since: Instant::now(),
            deadline: cancel.deadline(),
            takes,
            footprint,
        };
        {
            let mut state = self.state();
            if state.fault.is_some() {
                return Err(Fault::Away);
            }
            state.queue.push(waiting).map_err(|_refused| Fault::Full)?;
        }
        self.0.stirred.notify_one();
        outcome.await.unwrap_or(Err(Fault::Lost))
    }

    /// Fails everything that waits or flies. The first fault counts.
    pub(super) fn fail(&self, fault: Fault) {
        let answers = {
            let mut state = self.state();
            if state.fault.is_some() {
                return;
            }
            state.fault = Some(fault);
            let flying = std::mem::take(&mut state.flying);
            let flying = flying.into_values().flat_map(|flying| flying.answers);
            let waiting = state.queue.drain();
            let waiting = waiting.into_iter().map(|waiting| waiting.ticket.answer);
            flying.chain(waiting).collect::<Vec<_>>()
        };
        GPU_IN_FLIGHT.get().set(0.0);
        self.0.stirred.notify_all();
        self.0.failed.notify_all();
        for answer in answers {
            // Nobody waits for it any more.
            let _ = answer.send(Err(fault));
        }
    }

    /// Waits for the line to fail; looks every `pause` whether a batch has been under way for too long.
    pub(super) fn watch(&self, pause: Duration) -> Fault {
        loop {
            let state = self.state();
            if let Some(fault) = state.fault {
                return fault;
            }
            let waited = self.0.failed.wait_timeout(state, pause);
            let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
            let now = Instant::now();
            let oldest = state.flying.values().next();
            let overdue = oldest.is_some_and(|oldest| {
                let free = state.landed.map_or(oldest.since, |at| at.max(oldest.since));
                now.duration_since(free) > oldest.patience
            });
            drop(state);
            if overdue {
                self.fail(Fault::Hung);
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The submitting thread.
    fn submit_all(&self, airborne: &Sender<Airborne>) {
        while let Some((number, jobs, patience)) = self.next_batch() {
            let start = Instant::now();
            let submitted = guarded(|| self.0.executor.submit(&jobs));
            GPU_STAGE
                .with(["submit"])
                .record(start.elapsed().as_secs_f64());
            match submitted {
                Ok(flight) => {
                    let flight = Airborne {
                        number,
                        flight,
                        patience,
                    };
                    if airborne.send(flight).is_err() {
                        self.fail(Fault::Lost);
                    }
                }
                Err(fault) => self.land(number, Err(fault)),
            }
        }
    }

    /// Waits for the next batch; `None` when the line has failed.
    fn next_batch(&self) -> Option<(u64, Vec<Arc<Job>>, Duration)> {
        let mut state = self.state();
        loop {
            if state.fault.is_some() {
                return None;
            }
            let now = Instant::now();
            match state.queue.due(now, state.flying.len()) {
                Due::Now => {
                    if let Some(batch) = take_off(&mut state, now) {
                        return Some(batch);
                    }
                }
                Due::At(then) => {
                    let pause = then.saturating_duration_since(now);
                    let waited = self.0.stirred.wait_timeout(state, pause);
                    (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
                }
                Due::Later => {
                    let waited = self.0.stirred.wait(state);
                    state = waited.unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }

    /// The waiting thread: batches come back in the order in which they left.
    fn wait_for_all(&self, airborne: &Receiver<Airborne>) {
        while let Ok(next) = airborne.recv() {
            let (flight, patience) = (next.flight, next.patience);
            let outcomes = guarded(|| flight.wait(patience));
            self.land(next.number, outcomes);
        }
    }

    /// A batch has come back, or a fault in its place. One that nobody knows any more is not heard.
    fn land(&self, number: u64, outcomes: Result<Vec<Outcome>, Fault>) {
        if let Err(fault @ (Fault::Lost | Fault::Hung)) = outcomes {
            self.fail(fault);
            return;
        }
        let now = Instant::now();
        let landed = {
            let mut state = self.state();
            let Some(flying) = state.flying.remove(&number) else {
                return;
            };
            GPU_IN_FLIGHT.get().set(state.flying.len() as f64);
            let free = state.landed.map_or(flying.since, |at| at.max(flying.since));
            state.landed = Some(now);
            (flying, now.duration_since(free))
        };
        self.0.stirred.notify_one();
        let (flying, took) = landed;
        GPU_STAGE.with(["device"]).record(took.as_secs_f64());
        let outcomes = match outcomes {
            Ok(outcomes) => {
                self.0.cost.flown(flying.takes, took, flying.answers.len());
                outcomes
            }
            Err(fault) => flying.answers.iter().map(|_| Err(fault)).collect(),
        };
        for (answer, outcome) in flying.answers.into_iter().zip(outcomes) {
            // Nobody waits for it any more.
            let _ = answer.send(outcome);
        }
    }
}

/// Takes the next batch off the queue; `None` when nobody waits for any of its jobs.
fn take_off(state: &mut State, now: Instant) -> Option<(u64, Vec<Arc<Job>>, Duration)> {
    let is_wanted = |waiting: &Waiting<Ticket>| {
        let ticket = &waiting.ticket;
        !ticket.answer.is_closed() && ticket.cancel.check().is_ok()
    };
    let batch = state.queue.take(now, is_wanted);
    for waiting in batch.unwanted {
        // Most have left; those whose time is up learn it here.
        let _ = waiting.ticket.answer.send(Err(Fault::Cancelled));
    }
    if batch.jobs.is_empty() {
        return None;
    }
    GPU_BATCHES.get().increment(1);
    GPU_BATCH_SIZE.get().record(batch.jobs.len() as f64);
    GPU_WINDOW.get().set(state.queue.window().as_secs_f64());
    let number = state.next_flight;
    state.next_flight += 1;
    let (mut jobs, mut answers) = (Vec::new(), Vec::new());
    for waiting in batch.jobs {
        let waited = now.duration_since(waiting.since);
        GPU_STAGE.with(["wait"]).record(waited.as_secs_f64());
        jobs.push(waiting.ticket.job);
        answers.push(waiting.ticket.answer);
    }
    let flying = Flying {
        since: now,
        takes: batch.takes,
        patience: state.patience + batch.takes * DOUBT,
        answers,
    };
    let patience = flying.patience;
    state.flying.insert(number, flying);
    GPU_IN_FLIGHT.get().set(state.flying.len() as f64);
    Some((number, jobs, patience))
}

/// Runs `work` of the device's library; a panic there counts as the loss of the device.
fn guarded<T>(work: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        PANICS.with(["gpu"]).increment(1);
        Err(Fault::Lost)
    })
}

#[cfg(test)]
mod tests;
