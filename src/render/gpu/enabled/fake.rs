//! A device for tests: it runs jobs on the CPU when it is let, and fails when it is told to.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use super::super::{AdapterFacts, Encode, Fault, Footprint, Job, Output, Part};
use super::device::Opened;
use super::executor::{Capacity, Executor, Flight};
use super::pictures::{reference, reference_of_part};
use super::recipe::Recipe;
use crate::encoding::JpegSettings;
use crate::error::Result;
use crate::geometry::Window;
use crate::plan::Pass;
use crate::raster::{Depth, Raster, Samples, Shape};
use crate::render::Target;

#[expect(
    clippy::needless_pass_by_value,
    clippy::unnecessary_wraps,
    reason = "the host's encoder has this shape"
)]
/// A stand-in for the host's encoder: the samples after the quality.
pub(crate) fn encode(raster: Raster, settings: JpegSettings) -> Result<Vec<u8>> {
    let mut file = vec![settings.quality];
    if let Samples::U8(samples) = raster.samples() {
        file.extend_from_slice(samples);
    }
    Ok(file)
}

/// The device. Clones share it.
#[derive(Clone)]
pub(crate) struct Fake(Arc<Inner>);

struct Inner {
    encode: Encode,
    gate: Mutex<Gate>,
    moved: Condvar,
    jobs: AtomicUsize,
    spoil: AtomicBool,
    refuse: AtomicBool,
    /// Bytes that a job may take.
    most: AtomicU64,
    batches: Mutex<Vec<usize>>,
}

#[derive(Default)]
struct Gate {
    /// Flights wait until they are let land.
    held: bool,
    /// Submissions wait too, as they do when a driver hangs.
    stuck: bool,
    fault: Option<Fault>,
}

impl fmt::Debug for Fake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fake")
    }
}

impl Fake {
    pub(crate) fn new() -> Self {
        Self::encoding(encode)
    }

    /// A device that makes the files of `encode`.
    pub(crate) fn encoding(encode: Encode) -> Self {
        Self(Arc::new(Inner {
            encode,
            gate: Mutex::default(),
            moved: Condvar::new(),
            jobs: AtomicUsize::new(0),
            spoil: AtomicBool::new(false),
            refuse: AtomicBool::new(false),
            most: AtomicU64::new(u64::MAX),
            batches: Mutex::default(),
        }))
    }

    /// Whether flights stay in the air.
    pub(crate) fn hold(&self, held: bool) {
        self.0.gate.lock().expect("whole").held = held;
        self.0.moved.notify_all();
    }

    /// Whether submissions block.
    pub(crate) fn stick(&self, stuck: bool) {
        self.0.gate.lock().expect("whole").stuck = stuck;
        self.0.moved.notify_all();
    }

    /// What every flight ends with from now on.
    pub(crate) fn fail_with(&self, fault: Option<Fault>) {
        self.0.gate.lock().expect("whole").fault = fault;
        self.0.moved.notify_all();
    }

    /// Whether one sample of every result is wrong.
    pub(crate) fn spoil(&self, spoil: bool) {
        self.0.spoil.store(spoil, Ordering::Relaxed);
    }

    /// It can do no job that takes more bytes from now on.
    pub(crate) fn narrow(&self, most: u64) {
        self.0.most.store(most, Ordering::Relaxed);
    }

    /// It can do nothing from now on.
    pub(crate) fn refuse_all(&self) {
        self.0.refuse.store(true, Ordering::Relaxed);
    }

    pub(crate) fn jobs_seen(&self) -> usize {
        self.0.jobs.load(Ordering::Relaxed)
    }

    /// The sizes of the batches so far.
    pub(crate) fn batches(&self) -> Vec<usize> {
        self.0.batches.lock().expect("whole").clone()
    }

    /// As the supervisor finds it.
    pub(super) fn opened(&self) -> Opened {
        Opened {
            executor: Arc::new(self.clone()),
            adapter: AdapterFacts {
                name: "fake".to_owned(),
                driver: "none".to_owned(),
                kind: "other",
                limits: Vec::new(),
            },
        }
    }

    fn fitting(&self, before: Shape, after: Shape) -> Option<Footprint> {
        let most = self.0.most.load(Ordering::Relaxed);
        let fits = before.format.depth == Depth::Eight
            && !self.0.refuse.load(Ordering::Relaxed)
            && before.bytes() + after.bytes() <= most;
        fits.then(|| Footprint {
            up_bytes: before.bytes(),
            device_bytes: before.bytes() + after.bytes(),
            down_bytes: after.bytes(),
            ..Footprint::default()
        })
    }

    fn output(&self, job: &Job) -> Result<Output, Fault> {
        let raster = match &job.part {
            None => reference(&job.source, &job.passes),
            Some(part) => reference_of_part(&job.source, &job.passes, part),
        };
        let mut raster = raster.map_err(|_error| Fault::Unfit)?;
        if self.0.spoil.load(Ordering::Relaxed)
            && let Samples::U8(samples) = raster.samples_mut()
            && let Some(first) = samples.first_mut()
        {
            *first ^= 1;
        }
        match job.target {
            Target::Rows => Ok(Output::Pixels(raster)),
            Target::Jpeg(settings) => (self.0.encode)(raster, settings)
                .map(Output::Jpeg)
                .map_err(|_error| Fault::Unfit),
        }
    }
}

impl Executor for Fake {
    fn footprint(&self, shape: Shape, passes: &[Pass], _target: Target) -> Option<Footprint> {
        let after = passes.iter().fold(shape, |now, pass| pass.shape_after(now));
        self.fitting(shape, after)
    }

    fn part(&self, part: &Part, passes: &[Pass], _target: Target) -> Option<(Window, Footprint)> {
        let (recipe, window) = Recipe::new(part.whole, passes)?.cut(&part.rows)?;
        Some((window, self.fitting(recipe.source, recipe.output)?))
    }

    fn capacity(&self) -> Capacity {
        Capacity {
            up_bytes: 64 << 20,
            device_bytes: 256 << 20,
            down_bytes: 64 << 20,
            jobs: 256,
        }
    }

    fn end(&self) {
        self.fail_with(Some(Fault::Lost));
    }

    fn submit(&self, jobs: &[Arc<Job>]) -> Result<Box<dyn Flight>, Fault> {
        let mut gate = self.0.gate.lock().expect("whole");
        while gate.stuck {
            gate = self.0.moved.wait(gate).expect("whole");
        }
        drop(gate);
        self.0.jobs.fetch_add(jobs.len(), Ordering::Relaxed);
        self.0.batches.lock().expect("whole").push(jobs.len());
        Ok(Box::new(FakeFlight {
            fake: self.clone(),
            jobs: jobs.to_vec(),
        }))
    }
}

struct FakeFlight {
    fake: Fake,
    jobs: Vec<Arc<Job>>,
}

impl fmt::Debug for FakeFlight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FakeFlight")
    }
}

impl Flight for FakeFlight {
    fn wait(self: Box<Self>, patience: Duration) -> Result<Vec<Result<Output, Fault>>, Fault> {
        let end = Instant::now() + patience;
        let mut gate = self.fake.0.gate.lock().expect("whole");
        while gate.held && gate.fault.is_none() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Fault::Hung);
            }
            (gate, _) = (self.fake.0.moved).wait_timeout(gate, left).expect("whole");
        }
        if let Some(fault) = gate.fault {
            return Err(fault);
        }
        drop(gate);
        Ok(self.jobs.iter().map(|job| self.fake.output(job)).collect())
    }
}
