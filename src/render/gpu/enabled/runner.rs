//! Runs batches on a device: one submission each, from the host's pixels to the host's pixels or files.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::super::{Fault, Footprint, Job, Keep, Part, Source};
use super::device::Device;
use super::flight::{Home, InFlight, Landing, Launched};
use super::load::{Load, Passenger};
use super::pool::{Pool, Slot};
use super::recipe::Recipe;
use super::recording::Recorder;
use super::shaders::Shaders;
use super::slab::Slab;
use super::stages::{Clock, Marks};
use super::stock::Stock;
use super::weights::KnownWeights;
use super::{Capacity, Executor, Flight, Held, Staging, Tiles, staging, words};
use crate::geometry::Window;
use crate::plan::Pass;
use crate::raster::Shape;
use crate::render::Target;

/// Most jobs of a submission.
const MOST_JOBS: usize = 256;

/// Bytes of a buffer where the operator names no bound: enough for a picture of 100 megapixels.
const LARGEST_BYTES: u64 = 1 << 30;

/// An executor on a device.
#[derive(Debug)]
pub(super) struct Runner {
    home: Home,
    recorder: Recorder,
    weights: Mutex<KnownWeights>,
    tiles: Tiles,
    slab: Slab,
    stock: Arc<Stock>,
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
            Recorder::new(&device.handle, shaders)
        });
        let recorder = recorder.map_err(|error| error.to_string())?;
        let most = largest_buffer(limits, memory_bytes, 4);
        let device = Arc::new(device);
        Ok(Self {
            stock: Stock::new(Arc::clone(&device), most),
            home: Home {
                clock: Arc::new(Clock::new(&device)),
                pool: Arc::new(Pool::new(most)),
                rates: Arc::default(),
                device,
            },
            recorder,
            weights: Mutex::default(),
            tiles: Tiles::default(),
            slab: Slab::new(largest_buffer(limits, memory_bytes, 2)),
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
            let passenger = self.passenger(job);
            let more = passenger.as_ref().map(|one| sum + one.footprint());
            let fits =
                more.filter(|more| self.capacity.holds(more) && boarded.jobs.len() < MOST_JOBS);
            let (Some(passenger), Some(more)) = (passenger, fits) else {
                boarded.fates.push(Err(Fault::Unfit));
                continue;
            };
            sum = more;
            let keep = keep_bytes(job);
            if sum.up_bytes + keep <= self.capacity.up_bytes {
                sum.up_bytes += keep;
                boarded.keeps.extend(&job.keep);
            }
            boarded.fates.push(Ok(()));
            boarded.jobs.push(job.as_ref());
            boarded.passengers.push(passenger);
        }
        boarded
    }

    /// What a job wants, where this device can do it.
    fn passenger(&self, job: &Job) -> Option<Passenger> {
        let recipe = Recipe::of(job)?;
        let is_there = match &job.source {
            Source::Host(_) => true,
            Source::Staged(staged) => staged.is_taken(&self.stock),
            Source::Resident(mosaic) => self.tiles.has_whole(mosaic),
        };
        is_there.then(|| Passenger::new(recipe, job.target).of(&job.source))
    }

    /// What a job with this recipe takes, where it fits and the device makes what is wanted.
    fn fitting(&self, recipe: Recipe, target: Target) -> Option<Footprint> {
        let passenger = Passenger::new(recipe, target);
        if matches!(target, Target::Jpeg(_)) && passenger.file.is_none() {
            return None;
        }
        let footprint = passenger.footprint();
        self.capacity.holds(&footprint).then_some(footprint)
    }

    fn planned(&self, boarded: &Boarded<'_>) -> Option<Load> {
        let passengers = &boarded.passengers;
        if passengers.is_empty() {
            return None;
        }
        let most = self.capacity.device_bytes;
        let mut load = {
            let mut weights = self.weights.lock().unwrap_or_else(PoisonError::into_inner);
            Load::new(passengers, &mut weights, &self.home.rates, most)?
        };
        load.slab = self.slab.buffer();
        if !boarded.keeps.is_empty() && load.slab.is_none() {
            load.slab = self.slab.made(&self.home.device, &self.tiles);
        }
        if load.slab.is_some() {
            load.keeps = self.reserved(&boarded.keeps);
        }
        Some(load)
    }

    /// Tiles that there is room for.
    fn reserved(&self, keeps: &[&Keep]) -> Vec<(Keep, Held)> {
        let held = |keep: &&Keep| Some(((*keep).clone(), self.tiles.reserve(keep)?));
        keeps.iter().filter_map(held).collect()
    }

    /// A slot for what `load` needs; where there is no memory for it, tiles make room.
    fn slot(&self, load: &Load) -> Result<Slot, Fault> {
        let Home { pool, device, .. } = &self.home;
        let taken = pool.take(device, load.needs());
        taken.or_else(|_| {
            self.slab.shrink(&self.tiles);
            pool.take(device, load.needs())
        })
    }

    /// The load of what is boarded, submitted; none where nothing is.
    fn submitted(&self, boarded: &Boarded<'_>) -> Result<Option<Launched>, Fault> {
        let Some(load) = self.planned(boarded) else {
            return Ok(None);
        };
        let launched = self.launch(&load, &boarded.jobs);
        for (keep, held) in &load.keeps {
            match launched {
                Ok(_) => self.tiles.commit(keep, held.clone()),
                Err(_) => self.tiles.abandon(held),
            }
        }
        let (slot, landing, marks) = launched?;
        Ok(Some(Launched {
            slot,
            landing,
            load,
            marks,
        }))
    }

    /// The load of `jobs` after it has run once, and its slot, for those who run it again.
    ///
    /// # Errors
    ///
    /// [`Fault::Unfit`] where none of them fits; those of a flight.
    pub(super) fn first_run(
        &self,
        jobs: &[Arc<Job>],
        patience: Duration,
    ) -> Result<(Slot, Load), Fault> {
        let submitted = self.submitted(&self.boarded(jobs))?;
        let launched = submitted.ok_or(Fault::Unfit)?;
        launched.landing.wait(&self.home.device, patience)?;
        launched.slot.down.unmap();
        if let Some(marks) = launched.marks {
            self.home.clock.tell(marks);
        }
        Ok((launched.slot, launched.load))
    }

    /// The device.
    pub(super) fn device(&self) -> &Arc<Device> {
        &self.home.device
    }

    /// What records its loads.
    pub(super) fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// Writes, records and submits a load.
    fn launch(&self, load: &Load, jobs: &[&Job]) -> Result<Launch, Fault> {
        let device = &self.home.device;
        let needs = load.needs();
        let slot = self.slot(load)?;
        let mut view = slot.up.get_mapped_range_mut(..needs.up).map_err(|cause| {
            device.fail(&format!("staging is not mapped: {cause}"));
            Fault::Lost
        })?;
        staging::write(&mut view, load, jobs);
        drop(view);
        slot.up.unmap();
        for (staged, _) in &load.staged {
            staged.leave();
        }
        let mapped = Arc::new(Mapped::default());
        let mut marks = self.home.clock.next();
        let submitted = device.scoped(wgpu::ErrorFilter::Validation, || {
            use wgpu::MapMode::{Read, Write};
            let commands = self.recorder.record(&slot, load, marks.as_mut());
            mapped.ask(&commands, &slot.down, Read, needs.down);
            mapped.ask(&commands, &slot.up, Write, slot.up.size());
            if let Some(marks) = &marks {
                mapped.ask(&commands, marks.back(), Read, marks.back().size());
            }
            mapped.ask_staged(&commands, load);
            device.queue.submit([commands])
        });
        match submitted {
            Ok(index) if !device.is_gone() => Ok((slot, Landing { index, mapped }, marks)),
            Ok(_) => Err(Fault::Lost),
            Err(error) => {
                device.fail(&error.to_string());
                Err(Fault::Lost)
            }
        }
    }
}

impl Executor for Runner {
    fn end(&self) {
        self.home.device.handle.destroy();
    }

    fn footprint(&self, shape: Shape, passes: &[Pass], target: Target) -> Option<Footprint> {
        self.fitting(Recipe::new(shape, passes)?, target)
    }

    fn part(&self, part: &Part, passes: &[Pass], target: Target) -> Option<(Window, Footprint)> {
        let (recipe, window) = Recipe::new(part.whole, passes)?.cut(&part.rows)?;
        Some((window, self.fitting(recipe, target)?))
    }

    fn tiles(&self) -> Option<&Tiles> {
        Some(&self.tiles)
    }

    fn staging(&self, shape: Shape) -> Option<Staging> {
        self.stock.staging(shape)
    }

    fn capacity(&self) -> Capacity {
        self.capacity
    }

    fn submit(&self, jobs: &[Arc<Job>]) -> Result<Box<dyn Flight>, Fault> {
        if self.home.device.is_gone() {
            return Err(Fault::Lost);
        }
        let mut boarded = self.boarded(jobs);
        let Some(launched) = self.submitted(&boarded)? else {
            boarded.fates.fill(Err(Fault::Unfit));
            return Ok(Box::new(InFlight::grounded(boarded.fates)));
        };
        let flight = InFlight::new(self.home.clone(), launched, boarded.fates);
        Ok(Box::new(flight))
    }
}

/// A submission: its buffers, what says that it has landed, and what times it.
type Launch = (Slot, Landing, Option<Marks>);

/// The jobs of a submission.
#[derive(Debug, Default)]
struct Boarded<'a> {
    /// Of all jobs, in their order.
    fates: Vec<Result<(), Fault>>,
    /// Those that are part of it.
    jobs: Vec<&'a Job>,
    passengers: Vec<Passenger>,
    keeps: Vec<&'a Keep>,
}

/// Whether all buffers that the host wants back are mapped again.
#[derive(Debug, Default)]
pub(super) struct Mapped {
    asked: AtomicUsize,
    done: AtomicUsize,
    failed: AtomicUsize,
}

impl Mapped {
    /// Wants the first `bytes` of `buffer` back when `commands` are done.
    pub(super) fn ask(
        self: &Arc<Self>,
        commands: &wgpu::CommandBuffer,
        buffer: &wgpu::Buffer,
        mode: wgpu::MapMode,
        bytes: u64,
    ) {
        let heard = self.asking();
        commands.map_buffer_on_submit(buffer, mode, ..bytes, move |result| {
            heard.hear(result.is_ok());
        });
    }

    fn ask_staged(self: &Arc<Self>, commands: &wgpu::CommandBuffer, load: &Load) {
        for (staged, _) in &load.staged {
            let (heard, memory) = (self.asking(), staged.clone());
            let buffer = staged.buffer().0;
            commands.map_buffer_on_submit(buffer, wgpu::MapMode::Write, .., move |result| {
                if result.is_ok() {
                    memory.returned();
                }
                heard.hear(result.is_ok());
            });
        }
    }

    fn asking(self: &Arc<Self>) -> Arc<Self> {
        self.asked.fetch_add(1, Ordering::AcqRel);
        Arc::clone(self)
    }

    fn hear(&self, is_mapped: bool) {
        let counter = if is_mapped { &self.done } else { &self.failed };
        counter.fetch_add(1, Ordering::AcqRel);
    }

    /// Whether all came back; an error where one never will.
    pub(super) fn all(&self) -> Result<bool, Fault> {
        if self.failed.load(Ordering::Acquire) > 0 {
            return Err(Fault::Lost);
        }
        Ok(self.done.load(Ordering::Acquire) == self.asked.load(Ordering::Acquire))
    }
}

/// Bytes of the tiles that a job leaves, rows in whole words.
fn keep_bytes(job: &Job) -> u64 {
    let bytes = job.keep.iter().map(|keep| {
        let channels = words::count(keep.pixels.format().channels);
        4 * words::words(keep.pixels.dimensions(), channels)
    });
    bytes.sum()
}

/// Bytes of the largest buffer that takes one of so many `parts` of what may be held, in whole words.
fn largest_buffer(limits: &wgpu::Limits, memory_bytes: u64, parts: u64) -> u64 {
    let wanted = match memory_bytes {
        0 => LARGEST_BYTES,
        bytes => bytes / parts,
    };
    let device = limits
        .max_buffer_size
        .min(limits.max_storage_buffer_binding_size);
    wanted.min(device) & !3
}
