//! Jobs in batches of 1 to 256, as far as one submission holds them, and as fast as they go with two
//! batches under way.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{median, us};
use crate::render::gpu::{
    Executor, Fault, Flight, Job, Keep, Measured, Mosaic, Output, Source, TileName, Trial,
};

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
        compare(&landed(start(executor, &trial.job, 1)?)?, trial, measured);
        let mut jobs = 1;
        let most = most(executor, trial)?;
        while jobs <= most {
            let mut outputs = Vec::new();
            let took = median(RUNS, || {
                outputs = landed(start(executor, &trial.job, jobs)?)?;
                Ok(())
            })?;
            compare(&outputs, trial, measured);
            let name = format!("{} × {jobs}", trial.name);
            measured.note("batch", name, us(took) / jobs as f64, "µs a job");
            jobs *= 2;
        }
    }
    for (number, trial) in (0..).zip(trials) {
        let mut rate = |how, job| rate(executor, trial, job, (how, cpu_seconds), measured);
        rate("uploaded", &trial.job)?;
        if let Some(job) = resident(executor, trial, number)? {
            rate("resident", &job)?;
        }
    }
    Ok(())
}

/// A trial's job on the same pixels, which have come to stay on the device; none where it keeps none.
fn resident(executor: &dyn Executor, trial: &Trial, number: u8) -> Result<Option<Arc<Job>>, Fault> {
    let (job, shape) = (&trial.job, trial.job.source.shape());
    let (Some(tiles), Some(pixels)) = (executor.tiles(), job.source.raster()) else {
        return Ok(None);
    };
    let name = TileName {
        master: [number; 32],
        factor: 1,
        cell: shape.dimensions,
        column: 0,
        row: 0,
    };
    let mut keeping = Job::new(pixels.clone(), job.passes.clone(), job.target);
    keeping.keep.push(Keep {
        name,
        pixels: Arc::new(pixels.clone()),
        worth: 1,
    });
    landed(executor.submit(&[Arc::new(keeping)])?)?;
    Ok(tiles.held(&[name]).map(|tiles| {
        let mosaic = Mosaic {
            shape,
            cell: shape.dimensions,
            left: 0,
            top: 0,
            tiles,
        };
        Arc::new(Job {
            source: Source::Resident(mosaic),
            ..Job::new(pixels.clone(), job.passes.clone(), job.target)
        })
    }))
}

/// Two batches are under way at any time, as they are under load.
fn rate(
    executor: &dyn Executor,
    trial: &Trial,
    job: &Arc<Job>,
    (how, cpu_seconds): (&str, &dyn Fn() -> f64),
    measured: &mut Measured,
) -> Result<(), Fault> {
    // Tiles that stay take of the same memory.
    let busy = BUSY.min(most(executor, trial)?.div_ceil(2));
    let (begun, cpu_begun) = (Instant::now(), cpu_seconds());
    let (mut before, mut done) = (start(executor, job, busy)?, 0.0);
    while begun.elapsed() < WHILE {
        let next = start(executor, job, busy)?;
        let outputs = landed(before)?;
        done += outputs.len() as f64;
        compare(&outputs, trial, measured);
        before = next;
    }
    let outputs = landed(before)?;
    done += outputs.len() as f64;
    let (took, cpu) = (begun.elapsed().as_secs_f64(), cpu_seconds() - cpu_begun);
    compare(&outputs, trial, measured);
    let name = format!("{} × {busy}, {how}", trial.name);
    measured.note("rate", name.as_str(), done / took, "a second");
    measured.note("rate", name + ", processor", cpu * 1e3 / done, "ms each");
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

fn start(executor: &dyn Executor, job: &Arc<Job>, jobs: usize) -> Result<Box<dyn Flight>, Fault> {
    let jobs: Vec<Arc<Job>> = std::iter::repeat_n(job, jobs).map(Arc::clone).collect();
    executor.submit(&jobs)
}

type Outputs = Vec<Result<Output, Fault>>;

fn landed(flight: Box<dyn Flight>) -> Result<Outputs, Fault> {
    flight.wait(PATIENCE)
}

fn compare(outputs: &[Result<Output, Fault>], trial: &Trial, measured: &mut Measured) {
    for output in outputs {
        match output {
            Ok(output) => {
                measured.compared += 1;
                measured.different += u64::from(*output != trial.expected);
            }
            Err(_) => measured.undone += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::Target;
    use crate::render::gpu::enabled::pictures::picture;

    #[test]
    fn a_job_that_is_refused_is_undone_and_only_other_bytes_are_different() {
        let pixels = |seed| picture(8, 8, crate::raster::Channels::Gray, seed).expect("a picture");
        let trial = Trial {
            name: "one",
            job: Arc::new(Job::new(pixels(1), Vec::new(), Target::Rows)),
            expected: Output::Pixels(pixels(1)),
        };
        let mut measured = Measured::default();
        let outputs = [
            Ok(Output::Pixels(pixels(1))),
            Err(Fault::Overflow),
            Ok(Output::Pixels(pixels(2))),
            Err(Fault::Unfit),
            Ok(Output::Jpeg(vec![1])),
        ];
        compare(&outputs, &trial, &mut measured);
        let told = (measured.compared, measured.different, measured.undone);
        assert_eq!(told, (3, 2, 2));
    }
}
