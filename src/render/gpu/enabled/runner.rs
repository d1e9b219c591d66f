//! Runs batches on a device: one submission each, from the host's pixels to the host's pixels or files.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::super::{Fault, Footprint, Job};
use super::device::Device;
use super::flight::{InFlight, Landing};
use super::footprint::footprint;
use super::jpeg::Rates;
use super::load::{Load, Passenger};
use super::pipelines::Pipelines;
use super::pool::{Pool, Slot};
use super::recipe::Recipe;
use super::recording::Recorder;
use super::shaders::Shaders;
use super::weights::KnownWeights;
use super::{Capacity, Executor, Flight, staging};
use crate::plan::Pass;
use crate::raster::{Raster, Shape};
use crate::render::Target;

/// Most jobs of a submission.
const MOST_JOBS: usize = 256;

/// Bytes of a buffer where the operator names no bound: enough for a picture of 100 megapixels.
const LARGEST_BYTES: u64 = 1 << 30;

/// An executor on a device.
#[derive(Debug)]
pub(super) struct Runner {
    device: Arc<Device>,
    recorder: Recorder,
    pool: Arc<Pool>,
    weights: Mutex<KnownWeights>,
    rates: Arc<Rates>,
    capacity: Capacity,
}

impl Runner {
    /// Compiles `shaders` for `device`. Buffers have at most a quarter of `memory_bytes`, if that is
    /// not 0: two submissions are in flight, and each has a picture before and after.
    ///
    /// # Errors
    ///
    /// What the compiler says.
    pub(super) fn new(
        device: Device,
        shaders: &Shaders,
        limits: &wgpu::Limits,
        memory_bytes: u64,
    ) -> Result<Self, String> {
        let recorder = device.scoped(wgpu::ErrorFilter::Validation, || {
            Recorder::new(&device.handle, Pipelines::new(&device.handle, shaders))
        });
        let recorder = recorder.map_err(|error| error.to_string())?;
        let most = largest_buffer(limits, memory_bytes);
        Ok(Self {
            device: Arc::new(device),
            recorder,
            pool: Arc::new(Pool::new(most)),
            weights: Mutex::default(),
            rates: Arc::default(),
            capacity: Capacity {
                up_bytes: most,
                device_bytes: most,
                down_bytes: most,
                jobs: MOST_JOBS,
            },
        })
    }

    /// Which jobs fit one submission, and those that do.
    fn boarded<'a>(&self, jobs: &'a [Arc<Job>]) -> Boarded<'a> {
        let mut sum = Footprint::default();
        let mut boarded = Boarded::default();
        for job in jobs {
            let recipe = Recipe::new(shape(&job.source), &job.passes);
            let passenger = recipe.map(|recipe| Passenger::new(recipe, job.target));
            let more = passenger
                .as_ref()
                .map(|passenger| sum + footprint(&passenger.recipe, passenger.file_need()));
            let fits = more.filter(|more| self.holds(more) && boarded.jobs.len() < MOST_JOBS);
            let (Some(passenger), Some(more)) = (passenger, fits) else {
                boarded.fates.push(Err(Fault::Unfit));
                continue;
            };
            sum = more;
            boarded.fates.push(Ok(()));
            boarded.jobs.push(job.as_ref());
            boarded.passengers.push(passenger);
        }
        boarded
    }

    fn holds(&self, footprint: &Footprint) -> bool {
        footprint.up_bytes <= self.capacity.up_bytes
            && footprint.device_bytes <= self.capacity.device_bytes
            && footprint.down_bytes <= self.capacity.down_bytes
    }

    fn planned(&self, passengers: &[Passenger]) -> Option<Load> {
        if passengers.is_empty() {
            return None;
        }
        let mut weights = self.weights.lock().unwrap_or_else(PoisonError::into_inner);
        let most = self.capacity.device_bytes;
        Load::new(passengers, &mut weights, &self.rates, most)
    }

    /// Writes, records and submits a load.
    fn launch(&self, load: &Load, jobs: &[&Job]) -> Result<(Slot, Landing), Fault> {
        let needs = load.needs();
        let slot = self.pool.take(&self.device, needs)?;
        let mut view = slot.up.get_mapped_range_mut(..needs.up).map_err(|cause| {
            self.device.fail(&format!("staging is not mapped: {cause}"));
            Fault::Lost
        })?;
        staging::write(&mut view, load, jobs);
        drop(view);
        slot.up.unmap();
        let mapped = Arc::new(Mapped::default());
        let submitted = self.device.scoped(wgpu::ErrorFilter::Validation, || {
            let commands = self.recorder.record(&slot, load);
            mapped.ask(&commands, &slot, needs.down);
            self.device.queue.submit([commands])
        });
        match submitted {
            Ok(index) if !self.device.is_gone() => Ok((slot, Landing { index, mapped })),
            Ok(_) => Err(Fault::Lost),
            Err(error) => {
                self.device.fail(&error.to_string());
                Err(Fault::Lost)
            }
        }
    }
}

impl Executor for Runner {
    fn footprint(&self, shape: Shape, passes: &[Pass], target: Target) -> Option<Footprint> {
        let passenger = Passenger::new(Recipe::new(shape, passes)?, target);
        let footprint = footprint(&passenger.recipe, passenger.file_need());
        self.holds(&footprint).then_some(footprint)
    }

    fn capacity(&self) -> Capacity {
        self.capacity
    }

    fn submit(&self, jobs: &[Arc<Job>]) -> Result<Box<dyn Flight>, Fault> {
        if self.device.is_gone() {
            return Err(Fault::Lost);
        }
        let mut boarded = self.boarded(jobs);
        let Some(load) = self.planned(&boarded.passengers) else {
            boarded.fates.fill(Err(Fault::Unfit));
            return Ok(Box::new(InFlight::grounded(boarded.fates)));
        };
        let (slot, landing) = self.launch(&load, &boarded.jobs)?;
        let flight = InFlight::new(
            Arc::clone(&self.device),
            Arc::clone(&self.pool),
            Arc::clone(&self.rates),
            slot,
            landing,
            load,
        );
        Ok(Box::new(flight.with(boarded.fates)))
    }
}

/// The jobs of a submission.
#[derive(Debug, Default)]
struct Boarded<'a> {
    /// Of all jobs, in their order.
    fates: Vec<Result<(), Fault>>,
    /// Those that are part of it.
    jobs: Vec<&'a Job>,
    passengers: Vec<Passenger>,
}

/// Whether both buffers that the host wants back are mapped again.
#[derive(Debug, Default)]
pub(super) struct Mapped {
    done: AtomicU8,
    failed: AtomicU8,
}

impl Mapped {
    fn ask(self: &Arc<Self>, commands: &wgpu::CommandBuffer, slot: &Slot, down: u64) {
        for (buffer, mode, bytes) in [
            (&slot.down, wgpu::MapMode::Read, down),
            (&slot.up, wgpu::MapMode::Write, slot.up.size()),
        ] {
            let heard = Arc::clone(self);
            commands.map_buffer_on_submit(buffer, mode, ..bytes, move |result| {
                let counter = match result {
                    Ok(()) => &heard.done,
                    Err(_) => &heard.failed,
                };
                counter.fetch_add(1, Ordering::AcqRel);
            });
        }
    }

    /// Whether all came back; an error where one never will.
    pub(super) fn all(&self) -> Result<bool, Fault> {
        if self.failed.load(Ordering::Acquire) > 0 {
            return Err(Fault::Lost);
        }
        Ok(self.done.load(Ordering::Acquire) == 2)
    }
}

fn shape(raster: &Raster) -> Shape {
    Shape {
        dimensions: raster.dimensions(),
        format: raster.format(),
    }
}

/// Bytes of the largest buffer, in whole words.
fn largest_buffer(limits: &wgpu::Limits, memory_bytes: u64) -> u64 {
    let wanted = match memory_bytes {
        0 => LARGEST_BYTES,
        bytes => bytes / 4,
    };
    let device = limits
        .max_buffer_size
        .min(limits.max_storage_buffer_binding_size);
    wanted.min(device) & !3
}
