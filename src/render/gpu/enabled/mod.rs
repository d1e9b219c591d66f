//! A build with the GPU: device, batches, shaders and what stands around them.
//!
//! A [`Gpu`] is what the use cases hold. Behind it the supervisor opens a device and watches over it;
//! the line before the device makes batches of jobs; the cost model says which jobs go there.

mod backoff;
mod bands;
mod batch;
mod calibrate;
mod cost;
mod device;
mod executor;
#[cfg(test)]
pub(crate) mod fake;
mod filter;
mod flight;
mod footprint;
mod jpeg;
mod line;
mod load;
mod measure;
mod pictures;
mod pipelines;
mod pool;
mod queue;
mod recipe;
mod recording;
mod records;
mod resident;
mod runner;
mod shaders;
mod slab;
mod stages;
mod staging;
mod stock;
mod supervisor;
mod trial;
mod weights;
mod window;
mod words;
mod workgroups;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub use device::{Opened, Refusal, Wanted, open, open_changed};
pub use executor::{Capacity, Executor, Flight};
pub use measure::{Bare, JpegRun, measure};
pub use resident::{Held, Tiles};
pub use stock::{Staged, Staging};
pub use supervisor::Open;
pub use trial::prove;

use super::labour::Labour;
use super::report::{Choice, Load, Report, State, Weight};
use super::{
    Band, Class, Encode, Fault, Footprint, GpuConfig, GpuMode, Job, Output, TileName, UNFIT,
};
use crate::cancel::Cancel;
use crate::plan::Pass;
use crate::raster::Shape;
use crate::render::Target;

use backoff::Pace;
use cost::{Cost, SMALL, Scene, Verdict, seconds};
use line::Line;
use supervisor::Supervisor;

/// Whether this build can use a device.
pub const AVAILABLE: bool = true;

/// A device, or the want of one. Clones share it.
#[derive(Debug, Clone)]
pub struct Gpu(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    config: GpuConfig,
    supervisor: Supervisor,
    cost: Arc<Cost>,
    encode: Option<Encode>,
    check_one_in: AtomicU64,
    answers: AtomicU64,
}

impl Gpu {
    /// A device under `config`, opened in the background. It makes JPEG files where `encode` says what
    /// they have to be.
    pub fn start(config: &GpuConfig, encode: Option<Encode>) -> Self {
        let wanted = Wanted {
            adapter: config.adapter.clone(),
            software: config.takes_software(),
            memory_bytes: config.memory_bytes,
        };
        let open: Open = Box::new(move || open(&wanted));
        Self::opened_by(config, encode, open)
    }

    /// The same, with a device that `open` gives each time.
    pub fn opened_by(config: &GpuConfig, encode: Option<Encode>, open: Open) -> Self {
        let cost = Arc::new(Cost::new(config.mode, config.rehearsal));
        let supervisor = if config.mode == GpuMode::Off {
            Supervisor::off("gpu.mode is off")
        } else {
            Supervisor::new(config, Pace::default(), open, encode, &cost)
        };
        Self(Arc::new(Inner {
            config: config.clone(),
            supervisor,
            cost,
            encode,
            check_one_in: AtomicU64::new(config.check_one_in),
            answers: AtomicU64::new(0),
        }))
    }

    /// A device of a test's making.
    #[cfg(test)]
    pub(crate) fn of_fake(config: &GpuConfig, encode: Option<Encode>, fake: &fake::Fake) -> Self {
        let fake = fake.clone();
        let open: Open = Box::new(move || Ok(fake.opened()));
        Self::opened_by(config, encode, open)
    }

    /// Waits until the device has been opened, or has turned out not to be there.
    pub fn settled(&self) -> Report {
        self.0.supervisor.settled();
        self.report()
    }

    /// The same device under other settings, where they need no other.
    pub fn under(&self, config: &GpuConfig) -> Option<Self> {
        let before = &self.0.config;
        let stays = before.adapter == config.adapter
            && before.memory_bytes == config.memory_bytes
            && before.window_us == config.window_us
            && before.self_test == config.self_test
            && before.mode == config.mode
            && before.takes_software() == config.takes_software();
        if !stays {
            return None;
        }
        self.0.cost.set(config.mode, config.rehearsal);
        let check_one_in = &self.0.check_one_in;
        check_one_in.store(config.check_one_in, Ordering::Relaxed);
        Some(self.clone())
    }

    /// All of these tiles, if all are on the device. They stay as long as they are held.
    pub fn held(&self, names: &[TileName]) -> Option<Vec<Held>> {
        let line = self.0.supervisor.line()?;
        line.executor().tiles()?.held(names)
    }

    /// Whether all of these tiles are on the device; nothing changes by asking.
    pub fn has(&self, names: &[TileName]) -> bool {
        let line = self.0.supervisor.line();
        let tiles = line.as_ref().and_then(|line| line.executor().tiles());
        tiles.is_some_and(|tiles| tiles.has(names))
    }

    /// Whether one of these tiles would come with a job that has it; nothing changes by asking.
    pub fn wants(&self, names: &[TileName]) -> bool {
        let line = self.0.supervisor.line();
        let tiles = line.as_ref().and_then(|line| line.executor().tiles());
        tiles.is_some_and(|tiles| tiles.wants(names))
    }

    /// These tiles are wanted. Which of them should come with this job; nothing where none can.
    pub fn want(&self, names: &[TileName]) -> Vec<bool> {
        let line = self.0.supervisor.line();
        let tiles = line.as_ref().and_then(|line| line.executor().tiles());
        tiles.map_or_else(Vec::new, |tiles| tiles.want(names))
    }

    /// Where a job of this shape goes now. Without a device nothing is weighed.
    pub fn choose(&self, shape: Shape, passes: &[Pass], target: Target, load: Load) -> Choice {
        let Some(line) = self.0.supervisor.line() else {
            return host("away", target);
        };
        self.decide(&line, (shape, passes, target), load, Cost::choose)
    }

    /// Where it would go; nothing changes by asking.
    pub fn foresee(&self, shape: Shape, passes: &[Pass], target: Target, load: Load) -> Choice {
        let choice = match self.0.supervisor.line() {
            Some(line) => self.decide(&line, (shape, passes, target), load, Cost::foresee),
            None => host("away", target),
        };
        if choice.gpu.is_some() {
            return choice;
        }
        let weight = Weight {
            labour: Labour::of(shape, passes, target),
            ..Weight::default()
        };
        let scene = Scene {
            load,
            ..Scene::default()
        };
        Choice {
            cpu: seconds(self.0.cost.weigh(&weight, &scene).cpu),
            ..choice
        }
    }

    /// Where a job of this shape goes now that no buffer holds whole, and its bands; none where it has none.
    pub fn choose_bands(
        &self,
        shape: Shape,
        passes: &[Pass],
        target: Target,
        load: Load,
    ) -> Option<(Choice, Vec<Band>)> {
        self.cut((shape, passes, target), load, Cost::choose)
    }

    /// Where it would go; nothing changes by asking.
    pub fn foresee_bands(
        &self,
        shape: Shape,
        passes: &[Pass],
        target: Target,
        load: Load,
    ) -> Option<(Choice, Vec<Band>)> {
        self.cut((shape, passes, target), load, Cost::foresee)
    }

    fn cut(
        &self,
        (shape, passes, target): (Shape, &[Pass], Target),
        load: Load,
        judge: Judge,
    ) -> Option<(Choice, Vec<Band>)> {
        let line = self.0.supervisor.line()?;
        let of = |target| bands::cut(line.executor(), shape, passes, target);
        let is_file = matches!(target, Target::Jpeg(_)) && self.0.encode.is_some();
        let files = is_file.then(|| of(target)).flatten();
        let (target, bands) = match files {
            Some(files) => (target, files),
            None if passes.is_empty() => return None,
            None => (Target::Rows, of(Target::Rows)?),
        };
        let weight = bands::weight(Labour::of(shape, passes, target), &bands);
        let choice = self.judged(&line, (weight, target), load, judge);
        Some((choice, bands))
    }

    fn decide(
        &self,
        line: &Line,
        (shape, passes, target): (Shape, &[Pass], Target),
        load: Load,
        judge: Judge,
    ) -> Choice {
        let Some((target, footprint)) = self.fit(line, shape, passes, target) else {
            return host(UNFIT, target);
        };
        let weight = Weight {
            labour: Labour::of(shape, passes, target),
            footprint,
            bands: 0,
        };
        self.judged(line, (weight, target), load, judge)
    }

    fn judged(
        &self,
        line: &Line,
        (weight, target): (Weight, Target),
        load: Load,
        judge: Judge,
    ) -> Choice {
        let (backlog, on_device) = line.backlog();
        let scene = Scene {
            load,
            backlog,
            on_device,
        };
        let (verdict, weighed) = judge(&self.0.cost, &weight, &scene);
        Choice {
            on_device: verdict.device,
            reason: verdict.reason,
            target,
            cpu: seconds(weighed.cpu),
            gpu: (verdict != SMALL).then(|| seconds(weighed.gpu)),
            weight,
        }
    }

    /// What the device can be asked for, and what that takes of it: a file, or else the pixels for one.
    fn fit(
        &self,
        line: &Line,
        shape: Shape,
        passes: &[Pass],
        target: Target,
    ) -> Option<(Target, Footprint)> {
        let takes = |target| line.executor().footprint(shape, passes, target);
        if matches!(target, Target::Jpeg(_))
            && self.0.encode.is_some()
            && let Some(footprint) = takes(target)
        {
            return Some((target, footprint));
        }
        if passes.is_empty() {
            return None;
        }
        Some((Target::Rows, takes(Target::Rows)?))
    }

    /// Runs a job with others on the device. Dropping the future withdraws it.
    ///
    /// # Errors
    ///
    /// Whatever kept the device from it; the CPU can do the job after any of them.
    pub async fn run(
        &self,
        job: &Arc<Job>,
        class: Class,
        weight: &Weight,
        cancel: &Cancel,
    ) -> Result<Output, Fault> {
        let line = self.0.supervisor.line().ok_or(Fault::Away)?;
        let takes = (weight.footprint, self.0.cost.takes(weight));
        line.run(job, class, takes, cancel).await
    }

    /// The CPU took `took` for a job that could have gone to the device.
    pub fn done_on_cpu(&self, weight: &Weight, took: Duration) {
        self.0.cost.done_on_cpu(&weight.labour, took);
    }

    /// Memory that the pixels of a job for the device are written to as they are decoded; none where
    /// there is no room for it.
    pub fn staging(&self, shape: Shape) -> Option<Staging> {
        self.0.supervisor.line()?.executor().staging(shape)
    }

    /// Whether the next answer of the device is to be compared with the CPU's.
    pub fn is_checked(&self) -> bool {
        let one_in = self.0.check_one_in.load(Ordering::Relaxed);
        let answers = self.0.answers.fetch_add(1, Ordering::Relaxed);
        one_in > 0 && answers.is_multiple_of(one_in)
    }

    /// The device gave wrong bytes: it stays off until the program starts again.
    pub fn distrust(&self) {
        let reason = "its answer was not the CPU's";
        tracing::error!("the GPU is turned off: {reason}");
        self.0.supervisor.distrust(reason);
    }

    /// What is known of the device.
    pub fn report(&self) -> Report {
        let (state, reason, adapter) = self.0.supervisor.now();
        let measured = if state == State::Up {
            self.0.cost.table()
        } else {
            Vec::new()
        };
        Report {
            state,
            reason,
            adapter,
            measured,
        }
    }
}

/// A way to ask the cost model.
type Judge = fn(&Cost, &Weight, &Scene) -> (Verdict, cost::Weighed);

/// A job that stays with the CPU, unweighed.
fn host(reason: &'static str, target: Target) -> Choice {
    Choice {
        on_device: false,
        reason,
        target,
        cpu: Duration::ZERO,
        gpu: None,
        weight: Weight::default(),
    }
}
