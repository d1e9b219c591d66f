//! Jobs in batches of 1 to 256, as far as one submission holds them, and as fast as they go with two
//! batches under way.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{median, us};
use crate::render::gpu::{Executor, Fault, Flight, Job, Measured, Output, Trial};

/// Runs behind a median.
const RUNS: usize = 15;

/// Jobs of a batch where rates are measured: what 64 connections can bring.
const BUSY: usize = 64;

/// How long one batch may take: on a software adapter a large one takes seconds.
const PATIENCE: Duration = Duration::from_mins(2);

/// How long rates are measured.
const WHILE: Duration = Duration::from_secs(2);

pub(super) fn measure(
    executor: &dyn Executor,
    trials: &[Trial],
    cpu_seconds: &dyn Fn() -> f64,
    measured: &mut Measured,
) -> Result<(), Fault> {
    for trial in trials {
        compare(&landed(start(executor, trial, 1)?)?, trial, measured);
        let mut jobs = 1;
        let most = most(executor, trial)?;
        while jobs <= most {
            let mut outputs = Vec::new();
            let took = median(RUNS, || {
                outputs = landed(start(executor, trial, jobs)?)?;
                Ok(())
            })?;
            compare(&outputs, trial, measured);
            let name = format!("{} × {jobs}", trial.name);
            measured.note("batch", name, us(took) / jobs as f64, "µs a job");
            jobs *= 2;
        }
    }
    for trial in trials {
        rate(executor, trial, cpu_seconds, measured)?;
    }
    Ok(())
}

/// Two batches are under way at any time, as they are under load.
fn rate(
    executor: &dyn Executor,
    trial: &Trial,
    cpu_seconds: &dyn Fn() -> f64,
    measured: &mut Measured,
) -> Result<(), Fault> {
    let busy = BUSY.min(most(executor, trial)?);
    let (begun, cpu_begun) = (Instant::now(), cpu_seconds());
    let (mut before, mut done) = (start(executor, trial, busy)?, 0.0);
    while begun.elapsed() < WHILE {
        let next = start(executor, trial, busy)?;
        let outputs = landed(before)?;
        done += outputs.len() as f64;
        compare(&outputs, trial, measured);
        before = next;
    }
    let outputs = landed(before)?;
    done += outputs.len() as f64;
    let (took, cpu) = (begun.elapsed().as_secs_f64(), cpu_seconds() - cpu_begun);
    compare(&outputs, trial, measured);
    let name = |how: &str| format!("{} × {busy}, {how}", trial.name);
    measured.note("rate", name("uploaded"), done / took, "a second");
    measured.note("rate", name("processor"), cpu * 1e3 / done, "ms each");
    Ok(())
}

/// Jobs of a trial that one submission holds, at most 256.
fn most(executor: &dyn Executor, trial: &Trial) -> Result<usize, Fault> {
    let job = &trial.job;
    let source = job.source.shape();
    let one = executor.footprint(source, &job.passes, job.target);
    let (one, all) = (one.ok_or(Fault::Unfit)?, executor.capacity());
    let most = [
        all.up_bytes / one.up_bytes.max(1),
        all.device_bytes / one.device_bytes.max(1),
        all.down_bytes / one.down_bytes.max(1),
        all.jobs.min(256) as u64,
    ];
    let most = most.into_iter().min().unwrap_or(0);
    usize::try_from(most)
        .ok()
        .filter(|most| *most > 0)
        .ok_or(Fault::Unfit)
}

fn start(executor: &dyn Executor, trial: &Trial, jobs: usize) -> Result<Box<dyn Flight>, Fault> {
    let jobs: Vec<Arc<Job>> = std::iter::repeat_n(&trial.job, jobs)
        .map(Arc::clone)
        .collect();
    executor.submit(&jobs)
}

type Outputs = Vec<Result<Output, Fault>>;

fn landed(flight: Box<dyn Flight>) -> Result<Outputs, Fault> {
    flight.wait(PATIENCE)
}

/// A job that was not done counts as another output.
fn compare(outputs: &[Result<Output, Fault>], trial: &Trial, measured: &mut Measured) {
    measured.compared += outputs.len() as u64;
    let same = |output: &Result<Output, Fault>| output.as_ref() == Ok(&trial.expected);
    measured.different += outputs.iter().filter(|output| !same(output)).count() as u64;
}
