//! A submission under way: waits for it, takes its pixels out, and gives its slot back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::{Fault, Output};
use super::batch::Batch;
use super::device::Device;
use super::pool::{Pool, Slot};
use super::runner::Mapped;
use super::{Flight, staging};

/// What says that a submission has landed.
#[derive(Debug)]
pub(super) struct Landing {
    pub(super) index: wgpu::SubmissionIndex,
    pub(super) mapped: Arc<Mapped>,
}

#[derive(Debug)]
struct Airborne {
    device: Arc<Device>,
    pool: Arc<Pool>,
    slot: Slot,
    landing: Landing,
    batch: Batch,
}

/// A submission, or jobs of which none could be submitted.
#[derive(Debug)]
pub(super) struct InFlight {
    fates: Vec<Result<(), Fault>>,
    airborne: Option<Airborne>,
}

impl InFlight {
    /// `batch` in `slot`; `fates` say which jobs are in it.
    pub(super) fn new(
        device: Arc<Device>,
        pool: Arc<Pool>,
        slot: Slot,
        landing: Landing,
        fates: Vec<Result<(), Fault>>,
        batch: Batch,
    ) -> Self {
        let airborne = Airborne {
            device,
            pool,
            slot,
            landing,
            batch,
        };
        Self {
            fates,
            airborne: Some(airborne),
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
        self.wait_for(patience)?;
        let down = 4 * u64::from(self.batch.down_words);
        let Ok(view) = self.slot.down.get_mapped_range(..down) else {
            return Err(Fault::Lost);
        };
        let outputs = self.batch.placed.iter().map(|placed| {
            let raster = staging::read(&view, placed);
            raster.map(Output::Pixels).ok_or(Fault::Unfit)
        });
        let outputs = outputs.collect();
        drop(view);
        self.slot.down.unmap();
        if self.device.is_gone() {
            return Err(Fault::Lost);
        }
        self.pool.give_back(self.slot);
        Ok(outputs)
    }

    /// Waits until the device is done and both buffers are mapped.
    fn wait_for(&self, patience: Duration) -> Result<(), Fault> {
        let start = Instant::now();
        loop {
            let left = patience.saturating_sub(start.elapsed());
            let polled = self.device.handle.poll(wgpu::PollType::Wait {
                submission_index: Some(self.landing.index.clone()),
                timeout: Some(left),
            });
            if self.device.is_gone() {
                return Err(Fault::Lost);
            }
            match polled {
                Ok(_) if self.landing.mapped.all()? => return Ok(()),
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
