//! Measures a device and the CPU with jobs of one kind each, in the background and within a bound.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::labour::Labour;
use super::super::{Encode, Footprint, Job};
use super::cost::{CPU, Cost, DEVICE, Rates};
use super::executor::Executor;
use super::pictures::{picture, reference, resample};
use crate::encoding::JpegSettings;
use crate::error::Result;
use crate::geometry::{Dimensions, Orientation};
use crate::plan::{Crop, Filter, Pass, Turn, canvas};
use crate::raster::{Channels, Shape};
use crate::render::Target;

/// All of it may take so long; what is not reached keeps its general value.
pub(super) const MOST: Duration = Duration::from_millis(300);
/// How long one batch may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The side of the pictures.
const SIDE: u32 = 512;
/// Times that a measurement is repeated; the shortest counts.
const REPEATS: usize = 3;

/// Measures for as long as `most` and tells `cost`.
pub(super) fn calibrate(
    cost: &Cost,
    executor: &dyn Executor,
    encode: Option<Encode>,
    most: Duration,
) {
    let bench = Bench {
        executor,
        encode,
        end: Instant::now() + most,
    };
    match bench.run() {
        Ok((device, cpu)) => cost.measured(device, cpu),
        Err(error) => tracing::warn!("the GPU was not measured: {}", error.chain()),
    }
}

/// One of the rates.
type Part = fn(&mut Rates) -> &mut f64;

struct Bench<'a> {
    executor: &'a dyn Executor,
    encode: Option<Encode>,
    end: Instant,
}

impl Bench<'_> {
    fn run(&self) -> Result<(Rates, Rates)> {
        let (mut device, mut cpu) = (DEVICE, CPU);
        self.small_batches(&mut device)?;
        self.transfers(&mut device)?;
        let all = SIDE;
        let halved = resample((all, all), (all / 2, all / 2), Filter::Lanczos3);
        let mirror = Pass::Orient(Orientation {
            mirror: true,
            turns: 0,
        });
        let square = Dimensions {
            width: all,
            height: all,
        };
        let turn = Pass::Rotate(Turn {
            degrees: 30.0,
            canvas: canvas(square, 30.0),
            background: Some([255; 3]),
        });
        let file = Target::Jpeg(JpegSettings::default());
        let kinds: [(Vec<Pass>, Target, Part); 4] = [
            (vec![halved], Target::Rows, |rates| &mut rates.mac),
            (vec![mirror], Target::Rows, |rates| &mut rates.moved),
            (vec![turn], Target::Rows, |rates| &mut rates.rotated),
            (vec![], file, |rates| &mut rates.encoded),
        ];
        for (passes, target, part) in kinds {
            let job = job(all, passes, target)?;
            let labour = Labour::of(shape(&job), &job.passes, target);
            if let Some(took) = self.on_cpu(&job)? {
                let took = took - cpu.job;
                fit(&mut cpu, part, took, &labour);
            }
            let footprint = self.footprint(&job);
            if let (Some(footprint), Some(took)) = (footprint, self.on_device(job, 1)) {
                let known = device.submission + without(device, part).share(&labour, &footprint);
                fit(&mut device, part, took - known, &labour);
            }
        }
        Ok((device, cpu))
    }

    /// A submission, and a job in it.
    fn small_batches(&self, device: &mut Rates) -> Result<()> {
        let small = || {
            job(
                8,
                vec![resample((8, 8), (4, 4), Filter::Lanczos3)],
                Target::Rows,
            )
        };
        let Some(one) = self.on_device(small()?, 1) else {
            return Ok(());
        };
        device.submission = one;
        if let Some(many) = self.on_device(small()?, 32) {
            device.job = ((many - one) / 31.0).max(1e-7);
            device.submission = (one - device.job).max(1e-7);
        }
        Ok(())
    }

    /// A byte to the device, and one back.
    fn transfers(&self, device: &mut Rates) -> Result<()> {
        let corner = Pass::Resample {
            crop: Crop {
                x: 0.0,
                y: 0.0,
                width: 8.0,
                height: 8.0,
            },
            target: Dimensions {
                width: 4,
                height: 4,
            },
            filter: Filter::Box,
        };
        let up = job(2 * SIDE, vec![corner], Target::Rows)?;
        let Some(footprint) = self.footprint(&up) else {
            return Ok(());
        };
        if let Some(took) = self.on_device(up, 1) {
            let took = (took - device.submission - device.job).max(0.0);
            device.up = (took / footprint.up_bytes.max(1) as f64).max(1e-12);
            // Both ways lead over the same bus.
            device.down = device.up;
        }
        Ok(())
    }

    fn footprint(&self, job: &Job) -> Option<Footprint> {
        self.executor.footprint(shape(job), &job.passes, job.target)
    }

    /// The time of a batch of `count` of these jobs, in seconds.
    fn on_device(&self, job: Job, count: usize) -> Option<f64> {
        self.footprint(&job)?;
        let job = Arc::new(job);
        let jobs: Vec<_> = (0..count).map(|_| Arc::clone(&job)).collect();
        self.shortest(|| {
            let flight = self.executor.submit(&jobs).ok()?;
            let outcomes = flight.wait(PATIENCE).ok()?;
            outcomes.iter().all(Result::is_ok).then_some(())
        })
    }

    /// The time of the job on the CPU, in seconds.
    fn on_cpu(&self, job: &Job) -> Result<Option<f64>> {
        if let (Target::Jpeg(settings), Some(encode)) = (job.target, self.encode) {
            let raster = reference(&job.source, &job.passes)?;
            return Ok(self.shortest(|| encode(raster.clone(), settings).ok().map(drop)));
        }
        if job.passes.is_empty() {
            return Ok(None);
        }
        Ok(self.shortest(|| reference(&job.source, &job.passes).ok().map(drop)))
    }

    fn shortest(&self, mut work: impl FnMut() -> Option<()>) -> Option<f64> {
        let mut best: Option<f64> = None;
        for _ in 0..REPEATS {
            let start = Instant::now();
            if start >= self.end {
                break;
            }
            work()?;
            let took = start.elapsed().as_secs_f64();
            best = Some(best.map_or(took, |best| best.min(took)));
        }
        best
    }
}

fn job(side: u32, passes: Vec<Pass>, target: Target) -> Result<Job> {
    Ok(Job::new(
        picture(side, side, Channels::Rgb, side)?,
        passes,
        target,
    ))
}

fn shape(job: &Job) -> Shape {
    job.source.shape()
}

/// The rates without the one that is looked for.
fn without(mut rates: Rates, part: Part) -> Rates {
    *part(&mut rates) = 0.0;
    rates
}

/// The rate that makes `labour` take `took`.
fn fit(rates: &mut Rates, part: Part, took: f64, labour: &Labour) {
    let mut unit = Rates {
        submission: 0.0,
        job: 0.0,
        up: 0.0,
        down: 0.0,
        mac: 0.0,
        moved: 0.0,
        rotated: 0.0,
        encoded: 0.0,
    };
    *part(&mut unit) = 1.0;
    let units = unit.work(labour);
    if units > 0.0 {
        // A device that is faster than the clock can tell still takes some time.
        *part(rates) = (took / units).max(1e-13);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::gpu::GpuMode;
    use crate::render::gpu::enabled::fake::{Fake, encode};

    #[test]
    fn what_a_device_takes_is_found_by_measuring() {
        let cost = Cost::new(GpuMode::Auto, 0.0);
        let fake = Fake::new();
        calibrate(&cost, &fake, Some(encode), Duration::from_mins(1));
        let (device, cpu) = cost.constants();
        assert!(fake.jobs_seen() > 32, "{}", fake.jobs_seen());
        // The fake runs on the CPU, so both come out as something that takes time.
        assert!(device.submission > 0.0 && device != DEVICE, "{device:?}");
        assert!(cpu.mac > 0.0 && cpu != CPU, "{cpu:?}");
    }

    #[test]
    fn a_device_that_fails_keeps_general_values() {
        let cost = Cost::new(GpuMode::Auto, 0.0);
        let fake = Fake::new();
        fake.fail_with(Some(crate::render::gpu::Fault::OutOfMemory));
        calibrate(&cost, &fake, None, MOST);
        assert_eq!(cost.constants().0, DEVICE);
    }

    #[test]
    fn a_rate_is_what_its_work_took() {
        let labour = Labour::of(
            Shape {
                dimensions: Dimensions {
                    width: 10,
                    height: 10,
                },
                format: crate::raster::PixelFormat::eight(Channels::Rgb),
            },
            &[Pass::Gray],
            Target::Rows,
        );
        let mut rates = DEVICE;
        fit(&mut rates, |rates| &mut rates.moved, 3.0, &labour);
        assert!((rates.moved - 0.01).abs() < 1e-9, "{rates:?}");
    }
}
