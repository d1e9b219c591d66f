//! The device of this process, and jobs on both engines.

use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use triforium::cancel::Cancel;
use triforium::plan::Pass;
use triforium::raster::{OneStrip, Raster, gather};
use triforium::render::gpu::{Fault, Job, Opened, Output, Wanted, open};
use triforium::render::{self, CpuEngine, Engine as _, Target};

/// The part of an adapter's name to test on: any adapter, or the one that this variable names.
const ADAPTER: &str = "GPU_TESTS_ADAPTER";

/// How long a batch may take on a slow machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);

pub(crate) fn wanted() -> Wanted {
    Wanted {
        adapter: std::env::var(ADAPTER).unwrap_or_default(),
        software: true,
        memory_bytes: 0,
    }
}

/// The device, opened once.
pub(crate) static DEVICE: LazyLock<Opened> =
    LazyLock::new(|| open(&wanted()).unwrap_or_else(|refusal| panic!("{refusal}")));

/// One test at a time submits and waits, as one queue does.
static TURN: Mutex<()> = Mutex::new(());

/// What the device gives for `jobs` in one batch.
pub(crate) fn on_device(jobs: &[Arc<Job>]) -> Vec<Result<Output, Fault>> {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let flight = DEVICE.executor.submit(jobs).unwrap();
    flight.wait(PATIENCE).unwrap()
}

/// What the CPU engine gives for a job.
pub(crate) fn on_cpu(job: &Job) -> Raster {
    passed(job.source.raster().unwrap(), &job.passes)
}

/// What the CPU engine makes of `source`.
pub(crate) fn passed(source: &Raster, passes: &[Pass]) -> Raster {
    let cancel = Cancel::new();
    let source = Box::new(OneStrip::from(source.clone()));
    let output = CpuEngine::default().run(source, passes, Target::Rows, &cancel);
    let render::Output::Rows(mut rows) = output.unwrap() else {
        panic!("rows were wanted");
    };
    gather(rows.as_mut(), &cancel).unwrap()
}

/// Panics unless every job's pixels are the CPU engine's.
pub(crate) fn assert_twins(jobs: &[Arc<Job>]) {
    for (index, (job, output)) in jobs.iter().zip(on_device(jobs)).enumerate() {
        let wanted = on_cpu(job);
        let Ok(Output::Pixels(got)) = output else {
            panic!("job {index} {:?} came to {output:?}", job.passes);
        };
        assert_same(index, job, &got, &wanted);
    }
}

fn assert_same(index: usize, job: &Job, got: &Raster, wanted: &Raster) {
    let what = format!(
        "job {index}: {} {:?} {:?}",
        job.source.shape().dimensions,
        job.source.shape().format,
        job.passes
    );
    assert_eq!(got.dimensions(), wanted.dimensions(), "{what}");
    assert_eq!(got.format(), wanted.format(), "{what}");
    if got != wanted {
        let (got, wanted) = (bytes(got), bytes(wanted));
        let differ = |at: &usize| got[*at] != wanted[*at];
        let first = (0..got.len()).find(differ).unwrap();
        let count = (0..got.len()).filter(differ).count();
        let (here, there) = (got[first], wanted[first]);
        panic!(
            "{what}: {count} bytes of {} differ, the first at {first}: {here}, not {there}",
            got.len()
        );
    }
}

pub(crate) fn bytes(raster: &Raster) -> &[u8] {
    let triforium::raster::Samples::U8(samples) = raster.samples() else {
        panic!("16 bits");
    };
    samples
}
