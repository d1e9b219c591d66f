//! Long JPEG answers: rows after all passes are cut into bands, the device encodes them, and they become
//! one file as they come back. The CPU encodes what the device does not, with the same bytes.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::{compared, count};
use crate::cancel::Cancel;
use crate::codec::jpeg::{MAX_SIDE_PX, Stack, file};
use crate::encoding::JpegSettings;
use crate::error::{Error, Result};
use crate::geometry::Dimensions;
use crate::raster::{Channels, Depth, Raster, Rows, Samples, Shape};
use crate::render::Target;
use crate::render::gpu::{Choice, Class, Fault, Gpu, Job, Load, Output, Weight};
use crate::service::image::Work;

/// Pixels of a band at most: a device encodes them in a few milliseconds. Tests have small pictures.
const BAND_PX: u64 = if cfg!(test) { 1 << 16 } else { 1 << 21 };
/// Bands end between units of coding, which are so high at most.
const UNIT_ROWS: u32 = 16;
/// Bands under way: two keep the device busy while a third is cut.
pub(super) const AT_ONCE: usize = 3;

/// A long answer whose bands the device encodes.
#[derive(Debug, Clone)]
pub(in crate::service) struct Bands {
    gpu: Gpu,
    choice: Choice,
    settings: JpegSettings,
    /// Rows of each but the last.
    rows: u32,
    band: Shape,
    runtime: Handle,
}

/// A way to ask where a band goes.
type Ask = fn(&Gpu, Shape, Target, Load) -> Choice;

impl Work {
    /// How the device encodes the long answer; none where the CPU does.
    pub(in crate::service) fn bands(&self, load: Load) -> Option<Bands> {
        let ask: Ask = |gpu, band, target, load| gpu.choose(band, &[], target, load);
        let (band, choice) = self.band(load, ask)?;
        let jpeg = self.shared.config.encode.jpeg;
        choice.on_device.then(|| Bands {
            gpu: self.shared.gpu.clone(),
            choice,
            settings: jpeg,
            rows: band.dimensions.height,
            band,
            runtime: Handle::current(),
        })
    }

    /// Where the bands of the long answer would go now; none where it has none.
    pub(in crate::service) fn foreseen_bands(&self, load: Load) -> Option<Choice> {
        let ask: Ask = |gpu, band, target, load| gpu.foresee(band, &[], target, load);
        let (band, choice) = self.band(load, ask)?;
        let bands = (self.plan.output.dimensions.height).div_ceil(band.dimensions.height);
        // Of one band until here.
        Some(Choice {
            cpu: choice.cpu * bands,
            gpu: choice.gpu.map(|gpu| gpu * bands),
            weight: Weight {
                bands,
                ..choice.weight
            },
            ..choice
        })
    }

    fn band(&self, load: Load, ask: Ask) -> Option<(Shape, Choice)> {
        let output = self.plan.output;
        let Dimensions { width, height } = output.dimensions;
        let writes = matches!(output.format.channels, Channels::Gray | Channels::Rgb)
            && output.format.depth == Depth::Eight
            && width.max(height) <= MAX_SIDE_PX;
        // What carries metadata is not the file that the device makes.
        let target @ Target::Jpeg(_) = self.target() else {
            return None;
        };
        if !writes {
            return None;
        }
        let rows = u32::try_from(BAND_PX / u64::from(width)).ok()? / UNIT_ROWS * UNIT_ROWS;
        let band = Shape {
            dimensions: Dimensions {
                width,
                height: rows.clamp(UNIT_ROWS, height.next_multiple_of(UNIT_ROWS)),
            },
            ..output
        };
        Some((band, ask(&self.shared.gpu, band, target, load)))
    }
}

/// What the device has been asked for.
pub(super) type Asked = JoinHandle<Result<Output, Fault>>;

/// Waits for it, on a thread that may block.
pub(super) fn landed(
    runtime: &Handle,
    asked: impl Future<Output = <Asked as Future>::Output>,
) -> Result<Result<Output, Fault>> {
    let outcome = runtime.block_on(asked);
    outcome.map_err(|cause| Error::internal("waiting for a band").with_source(cause))
}

/// A band that the device has been asked for.
struct UnderWay {
    job: Arc<Job>,
    outcome: Asked,
}

impl Bands {
    /// Bytes that are held: the pixels of all bands under way, of the one that is cut, and of the next.
    pub(in crate::service) fn bytes(&self) -> u64 {
        (AT_ONCE as u64 + 2) * self.band.bytes()
    }

    /// Writes `rows` as a JPEG file to `sink`; not to be called on the runtime's own threads.
    ///
    /// # Errors
    ///
    /// Those of `rows` and `cancel`, and of a sink that refuses bytes.
    pub(in crate::service) fn encode(
        &self,
        rows: &mut dyn Rows,
        cancel: &Cancel,
        sink: &mut dyn io::Write,
    ) -> Result<()> {
        let mut stack = Stack::new(rows.shape().dimensions);
        let mut cutter = Cutter::new(rows.shape(), self.rows);
        let mut under_way = VecDeque::new();
        let mut first_fault = None;
        loop {
            while under_way.len() < AT_ONCE
                && let Some(band) = cutter.next_band(rows)?
            {
                under_way.push_back(self.begin(band, cancel));
            }
            let Some(band) = under_way.pop_front() else {
                break;
            };
            cancel.check()?;
            let height = band.job.source.shape().dimensions.height;
            let band = match self.landed(band)? {
                (file, None) => file,
                (file, Some(fault)) => {
                    first_fault.get_or_insert(fault);
                    file
                }
            };
            stack.push(&band, height, sink)?;
        }
        count(&self.choice, first_fault);
        stack.finish(sink)
    }

    fn begin(&self, band: Raster, cancel: &Cancel) -> UnderWay {
        let job = Arc::new(Job::new(band, Vec::new(), self.choice.target));
        let (mine, gpu, cancel) = (Arc::clone(&job), self.gpu.clone(), cancel.clone());
        let weight = self.choice.weight;
        let run = async move { gpu.run(&mine, Class::Bulk, &weight, &cancel).await };
        UnderWay {
            job,
            outcome: self.runtime.spawn(run),
        }
    }

    /// The band's file, and why the device did not make it, where the CPU did.
    fn landed(&self, band: UnderWay) -> Result<(Vec<u8>, Option<Fault>)> {
        let fault = match landed(&self.runtime, band.outcome)? {
            Ok(Output::Jpeg(made)) if !self.gpu.is_checked() => return Ok((made, None)),
            Ok(Output::Jpeg(made)) => {
                let right = self.on_cpu(band.job)?;
                let fault = compared(&self.gpu, &made, &right).err();
                return Ok((right, fault));
            }
            Ok(Output::Pixels(_)) => Fault::Unfit,
            Err(fault) => fault,
        };
        Ok((self.on_cpu(band.job)?, Some(fault)))
    }

    fn on_cpu(&self, job: Arc<Job>) -> Result<Vec<u8>> {
        let raster = match Arc::try_unwrap(job) {
            Ok(job) => job.source.into_raster(),
            // The device's queue has not let go of it yet.
            Err(job) => job.source.raster().cloned(),
        };
        let raster = raster.ok_or_else(|| Error::internal("a band without pixels"))?;
        file(raster, self.settings)
    }
}

/// Strips of any height → bands of one.
pub(super) struct Cutter {
    shape: Shape,
    height: u32,
    /// Rows that have been pulled, and how much of them has been given.
    left: Vec<u8>,
    given: usize,
}

impl Cutter {
    /// Cuts rows of `shape` into bands of `height`.
    pub(super) fn new(shape: Shape, height: u32) -> Self {
        Self {
            shape,
            height,
            left: Vec::new(),
            given: 0,
        }
    }

    /// The next band of `rows`, which are the same at each call; `None` after the last.
    pub(super) fn next_band(&mut self, rows: &mut dyn Rows) -> Result<Option<Raster>> {
        let channels = self.shape.format.channels;
        let row = self.shape.dimensions.width as usize * channels.count();
        let wanted = self.height as usize * row;
        while self.left.len() - self.given < wanted {
            let Some(strip) = rows.next_strip()? else {
                break;
            };
            let Samples::U8(samples) = strip.into_samples() else {
                return Err(Error::internal("cutting bands of 16 bits"));
            };
            if self.given == self.left.len() {
                self.left = samples;
            } else {
                self.left.drain(..self.given);
                self.left.extend_from_slice(&samples);
            }
            self.given = 0;
        }
        let end = self.left.len().min(self.given + wanted);
        if self.given == end {
            return Ok(None);
        }
        let samples = self.left[self.given..end].to_vec();
        self.given = end;
        let height = u32::try_from(samples.len() / row).unwrap_or(self.height);
        let dimensions = Dimensions {
            height,
            ..self.shape.dimensions
        };
        Raster::from_u8(dimensions, channels, samples).map(Some)
    }
}
