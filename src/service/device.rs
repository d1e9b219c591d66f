//! The way of a request through the GPU: whether it goes there, its pixels on the render thread, its
//! place in a batch, and the CPU with the same pixels where the device fails.

mod bands;
mod parts;

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::OwnedSemaphorePermit;

use super::admission::Reservation;
use super::answer::Timing;
use super::attached;
use super::encoders::Encoders;
use super::image::Work;
use super::losses::Visit;
use super::masters::run_blocking;
use super::render::{Clocks, Render};
use super::tiles::{Cells, View};
use crate::codec;
use crate::error::Result;
use crate::iiif::Format;
use crate::metrics::{GPU_CHECKS, GPU_FALLBACK, GPU_JOBS};
use crate::plan::{Pass, estimated_bytes};
use crate::raster::{Light, OneStrip, Rows, gather};
use crate::render::Target;
use crate::render::gpu::{
    Choice, Class, Encode, Fault, Gpu, GpuConfig, Job, Load, Mosaic, Output, Report, Source, UNFIT,
};

pub(super) use bands::Bands;
pub(super) use parts::{Begun, Files, Parts};

/// The name of the engine that runs on the device.
pub(super) const DEVICE: &str = "gpu";

/// The host's encoder, where the device's files have to be its own.
pub(super) fn encoder() -> Option<Encode> {
    codec::jpeg::is_standard().then_some(codec::jpeg::file)
}

/// Opens the GPU that `config` names for a look at it: what it is, and what was measured. It blocks.
pub fn open_gpu(config: &GpuConfig) -> Report {
    Gpu::start(config, encoder()).settled()
}

/// How passes and encoding are done.
#[derive(Debug, Clone)]
pub(super) enum Way {
    /// On the CPU.
    Host(Host),
    /// On the device.
    Device(Device),
    /// On the device, in bands.
    Parts(Parts),
}

/// What the device's cost model learns from the CPU.
#[derive(Debug, Clone)]
pub(super) struct Host(Option<(Gpu, Choice)>);

/// A place on the device.
#[derive(Debug, Clone)]
pub(super) struct Device {
    gpu: Gpu,
    choice: Choice,
    class: Class,
    source: Whence,
}

/// Where its pixels come from.
#[derive(Debug, Clone)]
enum Whence {
    /// From the host. Which tiles stay on the device then.
    Host(Vec<bool>),
    /// They are on the device.
    Device(Mosaic),
}

impl Way {
    /// On the CPU, and nobody learns from it.
    pub(super) const fn of_host() -> Self {
        Self::Host(Host(None))
    }

    /// Whether it leads to the device.
    pub(super) const fn is_device(&self) -> bool {
        matches!(self, Self::Device(_) | Self::Parts(_))
    }
}

impl Work {
    /// Where the work goes, and what it holds beside what it would hold on the CPU.
    pub(super) fn way(&self, cells: &Cells, load: Load) -> (Way, u64) {
        if self.is_for_host() {
            return (Way::of_host(), 0);
        }
        let gpu = &self.shared.gpu;
        let passes = View::passes(&self.plan);
        let choice = gpu.choose(cells.shape(), passes, self.target(), load);
        if choice.reason == UNFIT
            && let Some(parts) = self.parts(cells, load)
        {
            let held = parts.bytes();
            return (Way::Parts(parts), held);
        }
        let source = whence(gpu, cells, &choice);
        let Some(source) = source else {
            let learns = choice.gpu.is_some();
            let host = Host(learns.then(|| (gpu.clone(), choice)));
            return (Way::Host(host), 0);
        };
        let device = Device {
            gpu: gpu.clone(),
            choice,
            class: self.class(),
            source,
        };
        // The whole window stays until the answer is there, beside the result.
        let held = cells.shape().bytes() + self.plan.output.bytes();
        (Way::Device(device), held)
    }

    /// Whom it delays on the device.
    fn class(&self) -> Class {
        if self.is_large() {
            Class::Bulk
        } else {
            Class::Interactive
        }
    }

    /// Whether there is something to do that no device does: light, or another colour space.
    pub(super) fn is_for_host(&self) -> bool {
        self.master.light == Light::Linear || self.converted().is_some()
    }

    /// Where it would go now.
    pub(super) fn foreseen_choice(&self, load: Load) -> Choice {
        let (cells, passes) = (self.unseen_cells(), View::passes(&self.plan));
        let gpu = &self.shared.gpu;
        let choice = gpu.foresee(cells.shape(), passes, self.target(), load);
        if self.is_for_host() {
            return Choice {
                on_device: false,
                reason: "colour",
                ..choice
            };
        }
        if choice.reason == UNFIT
            && let Some(parts) = self.foreseen_parts(load)
        {
            return parts;
        }
        let names = cells.names();
        let tiles = !choice.on_device && pays(&choice) && (gpu.has(&names) || gpu.wants(&names));
        Choice {
            on_device: choice.on_device || tiles,
            reason: if tiles { "tiles" } else { choice.reason },
            ..choice
        }
    }

    /// Where the passes of a long answer go, and what it holds beside what it would hold on the CPU: to the
    /// device all at once where it is a file whose passes are dear, and fits; in bands where they need
    /// the whole picture.
    pub(super) fn passes_way(&self, cells: &Cells, load: Load) -> (Way, u64) {
        if self.is_dear_file() {
            return match self.way(cells, load) {
                (way @ Way::Device(_), more) => {
                    let file = estimated_bytes(self.plan.format, self.plan.output);
                    (way, more + file)
                }
                other => other,
            };
        }
        match self.parts(cells, load) {
            Some(parts) => {
                let held = parts.bytes();
                (Way::Parts(parts), held)
            }
            None => (Way::of_host(), 0),
        }
    }

    /// Where a long answer would go now.
    pub(super) fn foreseen_long_choice(&self, load: Load) -> Option<Choice> {
        let passes = if self.is_dear_file() {
            Some(self.foreseen_choice(load))
        } else {
            self.foreseen_parts(load)
        };
        match passes {
            Some(passes) if passes.on_device => Some(passes),
            passes => self.foreseen_bands(load).or(passes),
        }
    }

    fn is_dear_file(&self) -> bool {
        let is_dear = |pass: &Pass| matches!(pass, Pass::Resample { .. } | Pass::Rotate(_));
        self.plan.format == Format::Jpg && View::passes(&self.plan).iter().any(is_dear)
    }

    /// What a device would make at best.
    fn target(&self) -> Target {
        match self.plan.format {
            // The device writes whole files, without what goes beside the pixels.
            Format::Jpg if !attached::carries(&self.shared, &self.master, &self.resolved) => {
                Target::Jpeg(self.shared.config.encode.jpeg)
            }
            Format::Jpg
            | Format::Png
            | Format::Webp
            | Format::Gif
            | Format::Tif
            | Format::Avif
            | Format::Jxl
            | Format::Jp2
            | Format::Pdf => Target::Rows,
        }
    }
}

/// How many times dearer the device may be for pixels that come from the host: from the next request on
/// they are there.
const PATIENCE: u32 = 2;

/// Whether the device is worth its while once the pixels are there.
fn pays(choice: &Choice) -> bool {
    let near = |gpu| gpu <= choice.cpu * PATIENCE;
    choice.on_device || choice.gpu.is_some_and(near)
}

/// Where the device takes the pixels from; none where the CPU does it.
fn whence(gpu: &Gpu, cells: &Cells, choice: &Choice) -> Option<Whence> {
    if !pays(choice) {
        return None;
    }
    let names = cells.names();
    if let Some(tiles) = gpu.held(&names) {
        return Some(Whence::Device(cells.mosaic(tiles)));
    }
    let wanted = gpu.want(&names);
    let comes = choice.on_device || wanted.contains(&true);
    comes.then_some(Whence::Host(wanted))
}

impl Host {
    /// Tells the cost model what the CPU took.
    pub(super) fn learn(&self, timing: &Timing) {
        let Some((gpu, choice)) = &self.0 else {
            return;
        };
        let took = match choice.target {
            Target::Jpeg(_) => timing.process + timing.encode,
            Target::Rows => timing.process,
        };
        gpu.done_on_cpu(&choice.weight, took);
    }
}

/// What a render holds: its place, its bytes, and its visit to the decoder.
type Held = (OwnedSemaphorePermit, Reservation, Visit);

impl Device {
    /// The file, and the engine that made it.
    pub(super) async fn make(
        &self,
        render: &Render,
        clocks: &Clocks,
        encoders: &Encoders,
        (thread, bytes, visit): Held,
    ) -> Result<(Vec<u8>, &'static str)> {
        let (source, keep, _bytes) = match &self.source {
            Whence::Device(mosaic) => (Source::Resident(mosaic.clone()), Vec::new(), bytes),
            Whence::Host(wanted) => {
                let held = (bytes, visit);
                let (source, bytes) = self.source(render, clocks, encoders, held).await?;
                (source, render.cells.keeps(wanted), bytes)
            }
        };
        // Others may decode while this one waits for the device.
        drop(thread);
        let job = Arc::new(Job {
            source,
            keep,
            passes: render.passes().to_vec(),
            target: self.choice.target,
            part: None,
        });
        let start = Instant::now();
        let outcome = (self.gpu)
            .run(&job, self.class, &self.choice.weight, &render.cancel)
            .await;
        clocks.rendering.add(start.elapsed());
        let outcome = match outcome {
            Ok(output) => Ok(self.encoded(output, render, clocks, encoders).await?),
            Err(fault) => Err(fault),
        };
        let made = match outcome {
            Ok(file) => self.checked(file, &job, render, encoders).await?,
            Err(fault) => Err(fault),
        };
        match made {
            Ok(file) => {
                count(&self.choice, None);
                Ok((file, DEVICE))
            }
            Err(fault) => {
                render.cancel.check()?;
                count(&self.choice, Some(fault));
                let file = instead(job, render, clocks, encoders).await?;
                Ok((file, render.engine.name()))
            }
        }
    }

    /// All rows before the passes, and what is held for them from there on: in the device's staging
    /// memory where it has room, so that they are written once.
    async fn source(
        &self,
        render: &Render,
        clocks: &Clocks,
        encoders: &Encoders,
        (bytes, visit): (Reservation, Visit),
    ) -> Result<(Source, Reservation)> {
        let (mine, times, gpu) = (render.clone(), clocks.clone(), self.gpu.clone());
        let work = move || {
            // The visit ends with this thread; the bytes go with the pixels.
            let _visit = visit;
            let source = (times.rendering).time(|| staged(&gpu, &mine, &times))?;
            Ok((source, bytes))
        };
        if render.is_light() {
            encoders.run(work).await
        } else {
            run_blocking("render", work).await
        }
    }

    /// The device's output as a file.
    async fn encoded(
        &self,
        output: Output,
        render: &Render,
        clocks: &Clocks,
        encoders: &Encoders,
    ) -> Result<Vec<u8>> {
        match output {
            Output::Jpeg(file) => Ok(file),
            Output::Pixels(raster) => {
                let (render, clocks) = (render.clone(), clocks.clone());
                let encode = move || render.encode(&mut OneStrip::from(raster), &clocks);
                encoders.run(encode).await
            }
        }
    }

    /// Compares the file with the CPU's, now and then; one that differs ends the trust in the device.
    async fn checked(
        &self,
        file: Vec<u8>,
        job: &Arc<Job>,
        render: &Render,
        encoders: &Encoders,
    ) -> Result<Result<Vec<u8>, Fault>> {
        if !self.gpu.is_checked() {
            return Ok(Ok(file));
        }
        let right = instead(Arc::clone(job), render, &Clocks::default(), encoders).await?;
        Ok(compared(&self.gpu, &file, &right).map(|()| file))
    }
}

/// Counts an answer of the device, or the fault for which the CPU made it.
fn count(choice: &Choice, fault: Option<Fault>) {
    match fault {
        None => GPU_JOBS.with([choice.weight.labour.kind()]).increment(1),
        Some(fault) => GPU_FALLBACK.with([fault.name()]).increment(1),
    }
}

/// Compares what the device `made` with what is `right`; one difference ends the trust in it.
fn compared<T: PartialEq>(gpu: &Gpu, made: &T, right: &T) -> Result<(), Fault> {
    let same = made == right;
    let result = if same { "same" } else { "mismatch" };
    GPU_CHECKS.with([result]).increment(1);
    if same {
        return Ok(());
    }
    gpu.distrust();
    Err(Fault::Mismatch)
}

/// All rows before the passes, written where the device takes them from.
fn staged(gpu: &Gpu, render: &Render, clocks: &Clocks) -> Result<Source> {
    let mut rows = render.source(clocks);
    let Some(mut staging) = gpu.staging(rows.shape()) else {
        return gather(rows.as_mut(), &render.cancel).map(Source::Host);
    };
    rows.pour(&mut staging, &render.cancel)?;
    Ok(Source::Staged(staging.finish()))
}

/// The CPU's file from the same pixels, which it decodes again where only the device had them.
async fn instead(
    job: Arc<Job>,
    render: &Render,
    clocks: &Clocks,
    encoders: &Encoders,
) -> Result<Vec<u8>> {
    let (render, clocks) = (render.clone(), clocks.clone());
    let decodes = job.source.raster().is_none() && !render.cells.are_resident();
    let work = move || {
        let source = match Arc::try_unwrap(job) {
            Ok(job) => job.source,
            Err(job) => job.source.clone(),
        };
        let rows: Box<dyn Rows> = match source {
            Source::Host(source) => Box::new(OneStrip::from(source)),
            Source::Staged(_) | Source::Resident(_) => render.source(&clocks),
        };
        render.finish(rows, &clocks)
    };
    if decodes {
        run_blocking("render", work).await
    } else {
        encoders.run(work).await
    }
}

#[cfg(all(test, feature = "gpu"))]
mod tests;
