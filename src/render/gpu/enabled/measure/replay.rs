//! One load again and again, as it stands on the device: what its kernels take by themselves, and how
//! much of a submission is theirs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::batch::Kernel;
use super::super::load::Load;
use super::super::pool::Slot;
use super::super::recording::Prepared;
use super::super::runner::Runner;
use super::stamps::Stamps;
use super::{Bare, us};
use crate::render::gpu::{Executor as _, Fault, Job, Measured, Trial};

/// Jobs whose kernels are timed in one submission.
const TIMED: usize = 32;

/// Rounds behind each median.
const ROUNDS: usize = 9;

/// Submissions of one job that are compared with one of all.
const SINGLES: usize = 64;

/// How long one submission may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// What each trial's kernels take, and what submissions cost around the smallest.
pub(super) fn measure(
    bare: &Bare,
    runner: &Runner,
    trials: &[Trial],
    measured: &mut Measured,
) -> Result<(), Fault> {
    for trial in trials {
        let jobs = vec![Arc::clone(&trial.job); TIMED];
        for (kernel, took) in Replay::new(bare, runner, &jobs)?.timed()? {
            let name = format!("{}, {}", trial.name, kernel.name());
            measured.note("kernel", name, us(took) / TIMED as f64, "µs a job");
        }
    }
    match trials.first() {
        Some(trial) => singles(bare, runner, trial, measured),
        None => Ok(()),
    }
}

/// The same jobs one by one, all in one submission, and their kernels alone; in turns, so that a busy
/// machine delays all alike.
fn singles(
    bare: &Bare,
    runner: &Runner,
    trial: &Trial,
    measured: &mut Measured,
) -> Result<(), Fault> {
    let one = [Arc::clone(&trial.job)];
    let all = vec![Arc::clone(&trial.job); SINGLES];
    let alone = Replay::new(bare, runner, &one)?;
    let (mut kernels, mut singles, mut together) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        kernels.push(repeated(|| alone.run())?);
        singles.push(repeated(|| landed(runner, &one))?);
        let begun = Instant::now();
        landed(runner, &all)?;
        together.push(begun.elapsed());
    }
    let [kernels, singles, together] = [kernels, singles, together].map(|mut taken| {
        taken.sort_unstable();
        us(taken[taken.len() / 2])
    });
    let (name, each) = (trial.name, SINGLES as f64);
    let mut note = |what: String, value, unit| measured.note("single", what, value, unit);
    note(
        format!("{name}, kernels submitted and mapped"),
        kernels / each,
        "µs",
    );
    note(format!("{name}, one job"), singles / each, "µs");
    note(format!("{name}, {SINGLES} jobs together"), together, "µs");
    note(
        "one job against its kernels".to_owned(),
        singles / kernels,
        "times",
    );
    note(
        format!("{SINGLES} one by one against together"),
        singles / together,
        "times",
    );
    Ok(())
}

fn repeated(mut run: impl FnMut() -> Result<(), Fault>) -> Result<Duration, Fault> {
    let begun = Instant::now();
    for _ in 0..SINGLES {
        run()?;
    }
    Ok(begun.elapsed())
}

fn landed(runner: &Runner, jobs: &[Arc<Job>]) -> Result<(), Fault> {
    let outputs = runner.submit(jobs)?.wait(PATIENCE)?;
    outputs.into_iter().try_for_each(|output| output.map(drop))
}

/// A load whose pixels and parameters lie on the device, with all that its dispatches bind.
struct Replay<'a> {
    bare: &'a Bare,
    slot: Slot,
    load: Load,
    prepared: Vec<Prepared<'a>>,
}

impl<'a> Replay<'a> {
    fn new(bare: &'a Bare, runner: &'a Runner, jobs: &[Arc<Job>]) -> Result<Self, Fault> {
        let (slot, load) = runner.first_run(jobs, PATIENCE)?;
        Ok(Self {
            prepared: runner.recorder().prepared(&slot, &load),
            bare,
            slot,
            load,
        })
    }

    /// One submission of all dispatches in one pass; the pixels that come to it are read.
    fn run(&self) -> Result<(), Fault> {
        let mut encoder = self.bare.encoder();
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        for prepared in &self.prepared {
            prepared.dispatch(&mut pass);
        }
        drop(pass);
        let down = self.load.down_bytes();
        encoder.copy_buffer_to_buffer(&self.slot.arena, 0, &self.slot.down, 0, down);
        self.bare.read(encoder, &self.slot.down, down).map(drop)
    }

    /// What each kernel takes, each in a pass of its own: by the device's clock, or all of a submission
    /// where it has none.
    fn timed(&self) -> Result<Vec<(Kernel, Duration)>, Fault> {
        let passes = u32::try_from(self.prepared.len()).or(Err(Fault::Unfit))?;
        if let Some(stamps) = Stamps::new(self.bare, passes) {
            self.stamped(&stamps)?;
            let kernels = self.prepared.iter().map(|prepared| prepared.kernel);
            return Ok(kernels.zip(stamps.read()).collect());
        }
        let alone = |prepared: &Prepared<'_>| {
            let begun = Instant::now();
            let mut encoder = self.bare.encoder();
            prepared
                .dispatch(&mut encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default()));
            self.bare.run(encoder)?;
            Ok((prepared.kernel, begun.elapsed()))
        };
        self.prepared.iter().map(alone).collect()
    }

    fn stamped(&self, stamps: &Stamps) -> Result<(), Fault> {
        let mut encoder = self.bare.encoder();
        for (number, prepared) in self.prepared.iter().enumerate() {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
                label: None,
                timestamp_writes: stamps.of(number),
            });
            prepared.dispatch(&mut pass);
        }
        stamps.resolve(&mut encoder);
        self.bare.run(encoder)
    }
}
