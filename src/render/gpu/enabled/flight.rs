//! A submission under way: waits for it, takes its pixels out, and gives its slot back.

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::{Fault, Output};
use super::device::Device;
use super::jpeg::{Rates, finish};
use super::load::Load;
use super::pool::{Pool, Slot};
use super::runner::Mapped;
use super::stages::{Clock, Marks};
use super::{Flight, staging};
use crate::metrics::GPU_REFETCHES;

/// What says that a submission has landed.
#[derive(Debug)]
pub(super) struct Landing {
    pub(super) index: wgpu::SubmissionIndex,
    pub(super) mapped: Arc<Mapped>,
}

impl Landing {
    /// Waits until the device is done and all buffers are mapped.
    pub(super) fn wait(&self, device: &Device, patience: Duration) -> Result<(), Fault> {
        let start = Instant::now();
        loop {
            let left = patience.saturating_sub(start.elapsed());
            let polled = device.handle.poll(wgpu::PollType::Wait {
                submission_index: Some(self.index.clone()),
                timeout: Some(left),
            });
            if device.is_gone() {
                return Err(Fault::Lost);
            }
            match polled {
                Ok(_) if self.mapped.all()? => return Ok(()),
                Ok(_) | Err(wgpu::PollError::Timeout) if start.elapsed() >= patience => {
                    return Err(Fault::Hung);
                }
                // Another thread's poll runs the callbacks: they are about to have run.
                Ok(_) => std::thread::yield_now(),
                Err(wgpu::PollError::Timeout) => {}
                Err(wgpu::PollError::WrongSubmissionIndex(..)) => return Err(Fault::Lost),
            }
        }
    }
}

/// What a submission takes with it of its runner.
#[derive(Debug, Clone)]
pub(super) struct Home {
    pub(super) device: Arc<Device>,
    pub(super) pool: Arc<Pool>,
    pub(super) rates: Arc<Rates>,
    pub(super) clock: Arc<Clock>,
}

/// What has been submitted.
#[derive(Debug)]
pub(super) struct Launched {
    pub(super) slot: Slot,
    pub(super) landing: Landing,
    pub(super) load: Load,
    pub(super) marks: Option<Marks>,
}

#[derive(Debug)]
struct Airborne {
    home: Home,
    launched: Launched,
}

/// A submission, or jobs of which none could be submitted.
#[derive(Debug)]
pub(super) struct InFlight {
    fates: Vec<Result<(), Fault>>,
    airborne: Option<Airborne>,
}

impl InFlight {
    /// What was launched; `fates` say which jobs are in it.
    pub(super) fn new(home: Home, launched: Launched, fates: Vec<Result<(), Fault>>) -> Self {
        Self {
            fates,
            airborne: Some(Airborne { home, launched }),
        }
    }

    /// Jobs that never leave.
    pub(super) fn grounded(fates: Vec<Result<(), Fault>>) -> Self {
        Self {
            fates,
            airborne: None,
        }
    }
}

impl Flight for InFlight {
    fn wait(self: Box<Self>, patience: Duration) -> Result<Vec<Result<Output, Fault>>, Fault> {
        let mut outputs = match self.airborne {
            Some(airborne) => airborne.land(patience)?.into_iter(),
            None => Vec::new().into_iter(),
        };
        let outcomes = self.fates.into_iter().map(|fate| match fate {
            Ok(()) => outputs.next().unwrap_or(Err(Fault::Unfit)),
            Err(fault) => Err(fault),
        });
        Ok(outcomes.collect())
    }
}

impl Airborne {
    fn land(self, patience: Duration) -> Result<Vec<Result<Output, Fault>>, Fault> {
        let Self { home, launched } = &self;
        let Launched {
            slot,
            landing,
            load,
            ..
        } = launched;
        landing.wait(&home.device, patience)?;
        let plan = load.files.as_ref();
        let (mut outputs, mut files, rest) = {
            let Ok(view) = slot.down.get_mapped_range(..load.needs().down) else {
                return Err(Fault::Lost);
            };
            let down = usize::try_from(load.down_bytes()).unwrap_or(usize::MAX);
            let (pixels, codes) = view.split_at(down.min(view.len()));
            let rest = plan.and_then(|plan| Some((plan.rest(codes)?, codes.to_vec())));
            let files = match plan {
                Some(plan) if rest.is_none() => finish(plan, codes, &home.rates),
                Some(_) | None => Vec::new(),
            };
            (self.pixels(pixels), files, rest)
        };
        slot.down.unmap();
        if let (Some(plan), Some((rest, mut codes))) = (plan, rest) {
            self.fetch(rest, patience, &mut codes)?;
            files = finish(plan, &codes, &home.rates);
        }
        if home.device.is_gone() {
            return Err(Fault::Lost);
        }
        let mut files = files.into_iter();
        for output in outputs.iter_mut().filter(|output| output.is_none()) {
            let file = files.next().unwrap_or(Err(Fault::Unfit));
            *output = Some(file.map(Output::Jpeg));
        }
        let Self { home, launched } = self;
        if let Some(marks) = launched.marks {
            home.clock.tell(marks);
        }
        home.pool.give_back(launched.slot);
        Ok(outputs.into_iter().flatten().collect())
    }

    /// The pixels that came back, job by job; nothing where a file is to come.
    fn pixels(&self, pixels: &[u8]) -> Vec<Option<Result<Output, Fault>>> {
        let load = &self.launched.load;
        let placed = load.batch.placed.iter().zip(&load.is_file);
        placed
            .map(|(placed, is_file)| {
                if *is_file {
                    return None;
                }
                let raster = staging::read(pixels, placed);
                Some(raster.map(Output::Pixels).ok_or(Fault::Unfit))
            })
            .collect()
    }

    /// Codes beyond what was likely, behind those that came back.
    fn fetch(
        &self,
        rest: Range<u64>,
        patience: Duration,
        codes: &mut Vec<u8>,
    ) -> Result<(), Fault> {
        GPU_REFETCHES.get().increment(1);
        let (device, slot) = (&self.home.device, &self.launched.slot);
        let bits = &slot.files.as_ref().ok_or(Fault::Lost)?.bits;
        let mut at = rest.start;
        while at < rest.end {
            let bytes = (rest.end - at).min(slot.down.size());
            let mapped = Arc::new(Mapped::default());
            let submitted = device.scoped(wgpu::ErrorFilter::Validation, || {
                let label = wgpu::CommandEncoderDescriptor {
                    label: Some("rest"),
                };
                let mut encoder = device.handle.create_command_encoder(&label);
                encoder.copy_buffer_to_buffer(bits, at, &slot.down, 0, bytes);
                let commands = encoder.finish();
                mapped.ask(&commands, &slot.down, wgpu::MapMode::Read, bytes);
                device.queue.submit([commands])
            });
            let index = submitted.map_err(|error| {
                device.fail(&error.to_string());
                Fault::Lost
            })?;
            Landing { index, mapped }.wait(device, patience)?;
            let Ok(view) = slot.down.get_mapped_range(..bytes) else {
                return Err(Fault::Lost);
            };
            codes.extend_from_slice(&view);
            drop(view);
            slot.down.unmap();
            at += bytes;
        }
        Ok(())
    }
}
