//! Runs batches on a device: one submission each, from the host's pixels to the host's pixels.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::super::{Fault, Footprint, Job};
use super::batch::{Batch, Dispatch, Wanted};
use super::device::Device;
use super::flight::{InFlight, Landing};
use super::footprint::footprint;
use super::pipelines::Pipelines;
use super::pool::{Needs, Pool, Slot};
use super::recipe::Recipe;
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

/// Workgroups that one dimension of a dispatch may have.
///
/// Source: WebGPU §3.6.2, `maxComputeWorkgroupsPerDimension`.
const MOST_WORKGROUPS: u32 = 65535;

/// An executor on a device.
#[derive(Debug)]
pub(super) struct Runner {
    device: Arc<Device>,
    pipelines: Pipelines,
    pool: Arc<Pool>,
    weights: Mutex<KnownWeights>,
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
        let pipelines = device.scoped(wgpu::ErrorFilter::Validation, || {
            Pipelines::new(&device.handle, shaders)
        });
        let pipelines = pipelines.map_err(|error| error.to_string())?;
        let most = largest_buffer(limits, memory_bytes);
        Ok(Self {
            device: Arc::new(device),
            pipelines,
            pool: Arc::new(Pool::new(most)),
            weights: Mutex::default(),
            capacity: Capacity {
                up_bytes: most,
                device_bytes: most,
                down_bytes: most,
                jobs: MOST_JOBS,
            },
        })
    }

    /// The jobs that fit one submission, with what they want; the others are unfit.
    fn admitted<'a>(
        &self,
        jobs: &'a [Arc<Job>],
    ) -> (Vec<Result<(), Fault>>, Vec<&'a Job>, Vec<Wanted>) {
        let mut sum = Footprint::default();
        let (mut fates, mut admitted, mut wanted) = (Vec::new(), Vec::new(), Vec::new());
        for job in jobs {
            let recipe = Recipe::new(shape(&job.source), &job.passes);
            let fitting = recipe.filter(|recipe| {
                let more = sum + footprint(recipe);
                let fits = self.holds(&more) && wanted.len() < MOST_JOBS;
                if fits {
                    sum = more;
                }
                fits
            });
            fates.push(fitting.as_ref().map(|_| ()).ok_or(Fault::Unfit));
            if let Some(recipe) = fitting {
                admitted.push(job.as_ref());
                wanted.push(Wanted { recipe, down: true });
            }
        }
        (fates, admitted, wanted)
    }

    fn holds(&self, footprint: &Footprint) -> bool {
        footprint.up_bytes <= self.capacity.up_bytes
            && footprint.device_bytes <= self.capacity.device_bytes
            && footprint.down_bytes <= self.capacity.down_bytes
    }

    fn planned(&self, wanted: &[Wanted]) -> Option<Batch> {
        let mut weights = self.weights.lock().unwrap_or_else(PoisonError::into_inner);
        Batch::new(wanted, &mut weights)
    }

    /// Writes, records and submits a batch.
    fn launch(&self, batch: &Batch, jobs: &[&Job]) -> Result<(Slot, Landing), Fault> {
        let needs = needs(batch);
        let slot = self.pool.take(&self.device, needs)?;
        let mut view = slot.up.get_mapped_range_mut(..needs.up).map_err(|cause| {
            self.device.fail(&format!("staging is not mapped: {cause}"));
            Fault::Lost
        })?;
        staging::write(&mut view, batch, jobs);
        drop(view);
        slot.up.unmap();
        let mapped = Arc::new(Mapped::default());
        let submitted = self.device.scoped(wgpu::ErrorFilter::Validation, || {
            let commands = self.recorded(&slot, batch, needs);
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

    fn recorded(&self, slot: &Slot, batch: &Batch, needs: Needs) -> wgpu::CommandBuffer {
        let mut encoder =
            self.device
                .handle
                .create_command_encoder(&wgpu::CommandEncoderDescriptor {
                    label: Some("batch"),
                });
        encoder.copy_buffer_to_buffer(&slot.up, 0, &slot.params, 0, needs.params);
        encoder.copy_buffer_to_buffer(
            &slot.up,
            needs.params,
            &slot.arena,
            4 * u64::from(batch.down_words),
            4 * u64::from(batch.source_words),
        );
        {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
                label: Some("passes"),
                timestamp_writes: None,
            });
            for dispatch in &batch.dispatches {
                let group = self.bind_group(slot, batch, dispatch);
                pass.set_pipeline(self.pipelines.of(dispatch.kernel));
                pass.set_bind_group(0, &group, &[]);
                let (x, y) = folded(dispatch.workgroups);
                pass.dispatch_workgroups(x, y, 1);
            }
        }
        if needs.down > 0 {
            encoder.copy_buffer_to_buffer(&slot.arena, 0, &slot.down, 0, needs.down);
        }
        encoder.finish()
    }

    fn bind_group(&self, slot: &Slot, batch: &Batch, dispatch: &Dispatch) -> wgpu::BindGroup {
        let part = |words: &std::ops::Range<usize>| {
            wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                buffer: &slot.params,
                offset: 4 * words.start as u64,
                size: std::num::NonZeroU64::new(4 * words.len() as u64),
            })
        };
        let resources = [
            part(&dispatch.records),
            part(&dispatch.map),
            part(&batch.tables),
            wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                buffer: &slot.arena,
                offset: 0,
                size: std::num::NonZeroU64::new(4 * u64::from(batch.arena_words)),
            }),
        ];
        let entries: Vec<_> = (0..)
            .zip(resources)
            .map(|(binding, resource)| wgpu::BindGroupEntry { binding, resource })
            .collect();
        self.device
            .handle
            .create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some("passes"),
                layout: self.pipelines.layout(),
                entries: &entries,
            })
    }
}

impl Executor for Runner {
    fn footprint(&self, shape: Shape, passes: &[Pass], _target: Target) -> Option<Footprint> {
        let footprint = footprint(&Recipe::new(shape, passes)?);
        self.holds(&footprint).then_some(footprint)
    }

    fn capacity(&self) -> Capacity {
        self.capacity
    }

    fn submit(&self, jobs: &[Arc<Job>]) -> Result<Box<dyn Flight>, Fault> {
        if self.device.is_gone() {
            return Err(Fault::Lost);
        }
        let (mut fates, admitted, wanted) = self.admitted(jobs);
        let batch = match self.planned(&wanted) {
            Some(batch) if !wanted.is_empty() => batch,
            _ => {
                fates.fill(Err(Fault::Unfit));
                return Ok(Box::new(InFlight::grounded(fates)));
            }
        };
        let (slot, landing) = self.launch(&batch, &admitted)?;
        Ok(Box::new(InFlight::new(
            Arc::clone(&self.device),
            Arc::clone(&self.pool),
            slot,
            landing,
            fates,
            batch,
        )))
    }
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

fn needs(batch: &Batch) -> Needs {
    let params = 4 * batch.params.len() as u64;
    Needs {
        up: params + 4 * u64::from(batch.source_words),
        params,
        arena: 4 * u64::from(batch.arena_words),
        down: 4 * u64::from(batch.down_words),
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

/// Workgroups in two dimensions: the second is used where the first does not suffice.
fn folded(workgroups: u32) -> (u32, u32) {
    (
        workgroups.min(MOST_WORKGROUPS),
        workgroups.div_ceil(MOST_WORKGROUPS),
    )
}
