//! A submission under way: waits for it, takes its pixels out, and gives its slot back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::{Fault, Output};
use super::device::Device;
use super::jpeg::{Rates, finish};
use super::load::Load;
use super::pool::{Pool, Slot};
use super::runner::Mapped;
use super::{Flight, staging};

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

#[derive(Debug)]
struct Airborne {
    device: Arc<Device>,
    pool: Arc<Pool>,
    rates: Arc<Rates>,
    slot: Slot,
    landing: Landing,
    load: Load,
}

/// A submission, or jobs of which none could be submitted.
#[derive(Debug)]
pub(super) struct InFlight {
    fates: Vec<Result<(), Fault>>,
    airborne: Option<Airborne>,
}

impl InFlight {
    /// `load` in `slot`.
    pub(super) fn new(
        device: Arc<Device>,
        pool: Arc<Pool>,
        rates: Arc<Rates>,
        slot: Slot,
        landing: Landing,
        load: Load,
    ) -> Self {
        let airborne = Airborne {
            device,
            pool,
            rates,
            slot,
            landing,
            load,
        };
        Self {
            fates: vec![Ok(()); airborne.load.is_file.len()],
            airborne: Some(airborne),
        }
    }

    /// The same, where `fates` say which jobs are in it.
    pub(super) fn with(self, fates: Vec<Result<(), Fault>>) -> Self {
        Self { fates, ..self }
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
        self.landing.wait(&self.device, patience)?;
        let needs = self.load.needs();
        let Ok(view) = self.slot.down.get_mapped_range(..needs.down) else {
            return Err(Fault::Lost);
        };
        let outputs = self.outputs(&view);
        drop(view);
        self.slot.down.unmap();
        if self.device.is_gone() {
            return Err(Fault::Lost);
        }
        self.pool.give_back(self.slot);
        Ok(outputs)
    }

    /// What came back, job by job.
    fn outputs(&self, view: &[u8]) -> Vec<Result<Output, Fault>> {
        let down = usize::try_from(self.load.down_bytes()).unwrap_or(usize::MAX);
        let (pixels, files) = view.split_at(down.min(view.len()));
        let files = (self.load.files.as_ref()).map(|plan| finish(plan, files, &self.rates));
        let mut files = files.unwrap_or_default().into_iter();
        let placed = self.load.batch.placed.iter().zip(&self.load.is_file);
        placed
            .map(|(placed, is_file)| {
                if *is_file {
                    let file = files.next().unwrap_or(Err(Fault::Unfit));
                    return file.map(Output::Jpeg);
                }
                let raster = staging::read(pixels, placed);
                raster.map(Output::Pixels).ok_or(Fault::Unfit)
            })
            .collect()
    }
}
