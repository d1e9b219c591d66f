//! Answers that no buffer of the device holds: their passes run there in bands of the result, each made
//! from the window of the source that it takes. Files and pixels of bands leave as they come.
//!
//! What a band is made of is not kept: after a fault, and for one answer in `gpu.check_one_in`, the CPU
//! takes all from the decoder once more, and goes on where the device ended.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use tokio::runtime::Handle;

use super::bands::{AT_ONCE, Asked, Cutter, landed};
use super::{DEVICE, compared, count};
use crate::cancel::Cancel;
use crate::codec::jpeg::{MAX_SIDE_PX, Stack, file};
use crate::error::{Error, Result};
use crate::geometry::{Dimensions, Window};
use crate::plan::Pass;
use crate::raster::{Raster, RowSink, Rows, Samples, Shape};
use crate::render::Target;
use crate::render::gpu::{Band, Choice, Class, Fault, Gpu, Job, Load, Output, Source};
use crate::service::image::Work;
use crate::service::render::{Clocks, Render};
use crate::service::strips::{STRIPS_AHEAD, received};
use crate::service::tiles::{Cells, View};

/// An answer whose passes the device runs in bands.
#[derive(Debug, Clone)]
pub(in crate::service) struct Parts {
    gpu: Gpu,
    choice: Choice,
    class: Class,
    bands: Arc<[Band]>,
    output: Shape,
    runtime: Handle,
    /// Whether the CPU has made some of it.
    fell: Arc<AtomicBool>,
}

/// A way to ask for bands.
type Ask = fn(&Gpu, Shape, &[Pass], Target, Load) -> Option<(Choice, Vec<Band>)>;

impl Work {
    /// How the device makes the answer in bands; none where the CPU makes it.
    pub(super) fn parts(&self, cells: &Cells, load: Load) -> Option<Parts> {
        let (choice, bands) = self.bands_of_passes(cells, load, Gpu::choose_bands)?;
        choice.on_device.then(|| Parts {
            gpu: self.shared.gpu.clone(),
            choice,
            class: self.class(),
            bands: bands.into(),
            output: self.plan.output,
            runtime: Handle::current(),
            fell: Arc::default(),
        })
    }

    /// Where it would go now in bands; none where it has none.
    pub(super) fn foreseen_parts(&self, load: Load) -> Option<Choice> {
        let cells = self.unseen_cells();
        Some(self.bands_of_passes(&cells, load, Gpu::foresee_bands)?.0)
    }

    fn bands_of_passes(&self, cells: &Cells, load: Load, ask: Ask) -> Option<(Choice, Vec<Band>)> {
        let passes = View::passes(&self.plan);
        if self.is_for_host() || !passes.iter().any(Pass::needs_whole) {
            return None;
        }
        let Dimensions { width, height } = self.plan.output.dimensions;
        let target = match self.target() {
            // What the host's encoder refuses is refused there.
            Target::Jpeg(_) if width.max(height) > MAX_SIDE_PX => Target::Rows,
            target @ (Target::Jpeg(_) | Target::Rows) => target,
        };
        ask(&self.shared.gpu, cells.shape(), passes, target, load)
    }
}

impl Parts {
    /// Bytes that are held beside what the CPU would hold: of the bands under way, of the one that is put
    /// together, and of the rows that the next shares with it, before and after the passes.
    pub(super) fn bytes(&self) -> u64 {
        let most = self.bands.iter().map(|band| {
            let footprint = band.weight.footprint;
            footprint.up_bytes + footprint.down_bytes
        });
        (AT_ONCE as u64 + 2) * most.max().unwrap_or(0)
    }

    /// Whether bands come as files, which [`Parts::stack`] makes one of.
    fn are_files(&self) -> bool {
        matches!(self.choice.target, Target::Jpeg(_))
    }

    /// The engine that has made it, `host` being the CPU's.
    pub(in crate::service) fn engine(&self, host: &'static str) -> &'static str {
        if self.fell.load(Ordering::Relaxed) {
            host
        } else {
            DEVICE
        }
    }

    /// Rows after the passes, or where the files of all bands come from, and the thread's work that sends
    /// them. To be called, and the rows to be pulled, on a thread that may block.
    pub(in crate::service) fn begin(&self, render: &Render, clocks: &Clocks) -> Begun {
        let flow = Flow {
            feed: Feed::new(render.source(clocks)),
            is_checked: self.gpu.is_checked(),
            parts: self.clone(),
            render: render.clone(),
            clocks: clocks.clone(),
            under_way: VecDeque::new(),
            begun: 0,
            landed: 0,
            fault: None,
            host: None,
        };
        if self.are_files() {
            Begun::Files(Box::new(flow))
        } else {
            Begun::Rows(Box::new(PartRows(flow)))
        }
    }

    /// Writes the file of all bands to `sink` as they come.
    ///
    /// # Errors
    ///
    /// Those of the other side, of `cancel`, and of a sink that refuses bytes.
    pub(in crate::service) fn stack(
        &self,
        files: &Files,
        cancel: &Cancel,
        sink: &mut dyn io::Write,
    ) -> Result<()> {
        let mut stack = Stack::new(self.output.dimensions);
        for band in self.bands.iter() {
            let rows = &band.part.rows;
            let file = received(files, cancel)?;
            stack.push(&file, rows.end - rows.start, sink)?;
        }
        stack.finish(sink)
    }
}

/// Files of bands, from top to bottom.
pub(in crate::service) type Files = Receiver<Result<Vec<u8>>>;

/// An answer that is being made in bands.
pub(in crate::service) enum Begun {
    /// Rows, for an encoder.
    Rows(Box<dyn Rows>),
    /// Files.
    Files(Box<Flow>),
}

/// The bands of one answer as they come.
pub(in crate::service) struct Flow {
    parts: Parts,
    render: Render,
    clocks: Clocks,
    feed: Feed,
    /// Whether all is compared with the CPU's.
    is_checked: bool,
    under_way: VecDeque<UnderWay>,
    begun: usize,
    landed: usize,
    fault: Option<Fault>,
    /// The CPU's rows, where they are wanted.
    host: Option<OnHost>,
}

/// A band that the device has been asked for; it is withdrawn with this.
struct UnderWay(Asked);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The same answer on the CPU, cut into the same bands.
struct OnHost {
    rows: Box<dyn Rows>,
    cutter: Cutter,
}

impl Flow {
    /// Sends the files of all bands to whoever takes them, `handover` once the first is there.
    ///
    /// # Errors
    ///
    /// Those before the first file; later ones travel among the files.
    pub(in crate::service) fn send(
        mut self: Box<Self>,
        handover: impl FnOnce(Files),
    ) -> Result<()> {
        let mut next = self.next_file()?;
        let (files, taken): (SyncSender<Result<Vec<u8>>>, Files) = sync_channel(STRIPS_AHEAD);
        handover(taken);
        while let Some(file) = next {
            if files.send(Ok(file)).is_err() {
                // Nobody is there to take it: the request was withdrawn.
                return Ok(());
            }
            next = match self.next_file() {
                Ok(next) => next,
                Err(error) => {
                    let _ = files.send(Err(error));
                    return Ok(());
                }
            };
        }
        Ok(())
    }

    fn next_file(&mut self) -> Result<Option<Vec<u8>>> {
        let clock = self.clocks.rendering.clone();
        match clock.time(|| self.next())? {
            Some(Output::Jpeg(file)) => Ok(Some(file)),
            Some(Output::Pixels(_)) => Err(Error::internal("pixels where a file was asked for")),
            None => Ok(None),
        }
    }

    /// The next band; `None` after the last.
    fn next(&mut self) -> Result<Option<Output>> {
        if self.landed == self.parts.bands.len() {
            return Ok(None);
        }
        self.render.cancel.check()?;
        let made = match self.fault {
            None => self.by_device()?,
            Some(_) => None,
        };
        let made = match made {
            Some(made) if !self.is_checked => made,
            made => self.by_host(made)?,
        };
        self.landed += 1;
        if self.landed == self.parts.bands.len() {
            count(&self.parts.choice, self.fault);
        }
        Ok(Some(made))
    }

    /// What the device makes of the next band; none after a fault.
    fn by_device(&mut self) -> Result<Option<Output>> {
        while self.under_way.len() < AT_ONCE
            && let Some(band) = self.parts.bands.get(self.begun)
        {
            let cancel = &self.render.cancel;
            let source = self.feed.source(band, &self.parts.gpu, cancel)?;
            self.under_way
                .push_back(self.parts.run(band, source, &self.render));
            self.begun += 1;
            let rest = self.parts.bands.get(self.begun..).unwrap_or_default();
            let tops = rest.iter().map(|band| band.window.y);
            self.feed.forget_above(tops.min().unwrap_or(u32::MAX));
        }
        let Some(mut first) = self.under_way.pop_front() else {
            return Err(Error::internal("waiting for a band that nobody asked for"));
        };
        let outcome = landed(&self.parts.runtime, &mut first.0)?;
        match (outcome, self.parts.choice.target) {
            (Ok(made @ Output::Jpeg(_)), Target::Jpeg(_))
            | (Ok(made @ Output::Pixels(_)), Target::Rows) => return Ok(Some(made)),
            (Ok(_), _) => self.fall(Fault::Unfit),
            (Err(fault), _) => self.fall(fault),
        }
        Ok(None)
    }

    /// From here on the CPU makes it.
    fn fall(&mut self, fault: Fault) {
        self.fault = Some(fault);
        self.parts.fell.store(true, Ordering::Relaxed);
        self.under_way.clear();
        self.feed.end();
    }

    /// What the CPU makes of the next band, compared with what the device has `made` of it.
    fn by_host(&mut self, made: Option<Output>) -> Result<Output> {
        let raster = self.host_band()?;
        let right = match self.parts.choice.target {
            Target::Jpeg(settings) => Output::Jpeg(file(raster, settings)?),
            Target::Rows => Output::Pixels(raster),
        };
        if let Some(made) = made
            && let Err(fault) = compared(&self.parts.gpu, &made, &right)
        {
            self.fall(fault);
        }
        Ok(right)
    }

    fn host_band(&mut self) -> Result<Raster> {
        let none = || Error::internal("making fewer bands than there are");
        if self.host.is_none() {
            let height = self.parts.bands.first().map(|band| band.part.rows.end);
            let rows = self.render.on_host(&self.clocks)?;
            let cutter = Cutter::new(rows.shape(), height.ok_or_else(none)?);
            let mut host = OnHost { rows, cutter };
            for _ in 0..self.landed {
                self.render.cancel.check()?;
                host.cutter.next_band(host.rows.as_mut())?;
            }
            self.host = Some(host);
        }
        let OnHost { rows, cutter } = self.host.as_mut().ok_or_else(none)?;
        cutter.next_band(rows.as_mut())?.ok_or_else(none)
    }
}

impl Parts {
    fn run(&self, band: &Band, source: Source, render: &Render) -> UnderWay {
        let job = Arc::new(Job {
            source,
            keep: Vec::new(),
            passes: render.passes().to_vec(),
            target: self.choice.target,
            part: Some(band.part.clone()),
        });
        let (gpu, cancel) = (self.gpu.clone(), render.cancel.clone());
        let (class, weight) = (self.class, band.weight);
        let run = async move { gpu.run(&job, class, &weight, &cancel).await };
        UnderWay(self.runtime.spawn(run))
    }
}

/// Pixels of bands as they come.
struct PartRows(Flow);

impl Rows for PartRows {
    fn shape(&self) -> Shape {
        self.0.parts.output
    }

    fn next_strip(&mut self) -> Result<Option<Raster>> {
        match self.0.next()? {
            Some(Output::Pixels(raster)) => Ok(Some(raster)),
            Some(Output::Jpeg(_)) => Err(Error::internal("a file where pixels were asked for")),
            None => Ok(None),
        }
    }
}

/// The decoder's strips, as long as a band takes something of them.
struct Feed {
    rows: Option<Box<dyn Rows>>,
    shape: Shape,
    /// Each with its first row.
    strips: VecDeque<(u32, Raster)>,
    /// Rows that have been pulled.
    pulled: u32,
}

impl Feed {
    fn new(rows: Box<dyn Rows>) -> Self {
        Self {
            shape: rows.shape(),
            rows: Some(rows),
            strips: VecDeque::new(),
            pulled: 0,
        }
    }

    /// Nothing is wanted any more.
    fn end(&mut self) {
        self.rows = None;
        self.strips.clear();
    }

    fn forget_above(&mut self, row: u32) {
        while let Some((top, strip)) = self.strips.front()
            && top + strip.dimensions().height <= row
        {
            self.strips.pop_front();
        }
    }

    /// What `band` is made of: in staging memory where there is room.
    fn source(&mut self, band: &Band, gpu: &Gpu, cancel: &Cancel) -> Result<Source> {
        let window = band.window;
        while self.pulled < window.bottom() {
            cancel.check()?;
            let rows = self.rows.as_mut();
            let strip = rows.map(|rows| rows.next_strip()).transpose()?.flatten();
            let strip = strip.ok_or_else(|| Error::internal("a band below the last row"))?;
            let top = self.pulled;
            self.pulled += strip.dimensions().height;
            self.strips.push_back((top, strip));
        }
        let shape = Shape {
            dimensions: window.dimensions(),
            ..self.shape
        };
        if let Some(mut staging) = gpu.staging(shape) {
            self.pour(window, &mut staging)?;
            return Ok(Source::Staged(staging.finish()));
        }
        let mut sheet = Sheet {
            shape,
            samples: Vec::with_capacity(usize::try_from(shape.bytes()).unwrap_or(0)),
        };
        self.pour(window, &mut sheet)?;
        let channels = shape.format.channels;
        Raster::from_u8(shape.dimensions, channels, sheet.samples).map(Source::Host)
    }

    /// `window`, from top to bottom.
    fn pour(&self, window: Window, sink: &mut dyn RowSink) -> Result<()> {
        for (top, strip) in &self.strips {
            let start = window.y.max(*top);
            let end = window.bottom().min(top + strip.dimensions().height);
            if start < end {
                let part = Window {
                    x: window.x,
                    y: start - top,
                    width: window.width,
                    height: end - start,
                };
                sink.paste(strip, part, 0, start - window.y)?;
            }
        }
        Ok(())
    }
}

/// Rows that are pasted one below another, as wide as the sheet.
struct Sheet {
    shape: Shape,
    samples: Vec<u8>,
}

impl RowSink for Sheet {
    fn paste(&mut self, source: &Raster, part: Window, x: u32, _y: u32) -> Result<()> {
        let Samples::U8(samples) = source.samples() else {
            return Err(Error::internal("pasting samples of 16 bits"));
        };
        let fits = x == 0
            && part.width == self.shape.dimensions.width
            && part.is_inside(source.dimensions())
            && source.format() == self.shape.format;
        if !fits {
            return Err(Error::internal("pasting what is no row of the sheet"));
        }
        let channels = self.shape.format.channels.count();
        let (first, length) = (part.x as usize * channels, part.width as usize * channels);
        let rows = samples.chunks_exact(source.row_len());
        for row in rows.skip(part.y as usize).take(part.height as usize) {
            self.samples.extend_from_slice(&row[first..first + length]);
        }
        Ok(())
    }
}
