//! The seam between what schedules batches and what runs them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::super::{Fault, Footprint, Job, Output, Part};
use super::{Staging, Tiles};
use crate::geometry::Window;
use crate::plan::Pass;
use crate::raster::Shape;
use crate::render::Target;

/// Something that runs batches of jobs.
pub trait Executor: fmt::Debug + Send + Sync + 'static {
    /// What a job takes, by its shape alone; none where this device cannot do it (16 bits, sides or
    /// memory beyond its limits, passes out of order).
    fn footprint(&self, shape: Shape, passes: &[Pass], target: Target) -> Option<Footprint>;

    /// What a part of a job takes, and the window of the whole job's source that it is made of; none where
    /// this device cannot do it, or the job has no parts.
    fn part(&self, _part: &Part, _passes: &[Pass], _target: Target) -> Option<(Window, Footprint)> {
        None
    }

    /// The tiles in its memory, where it keeps any.
    fn tiles(&self) -> Option<&Tiles> {
        None
    }

    /// Memory that the pixels of a job can be written to as they come, where there is room for it.
    fn staging(&self, _shape: Shape) -> Option<Staging> {
        None
    }

    /// What one submission may take. Jobs beyond it come back as [`Fault::Unfit`].
    fn capacity(&self) -> Capacity;

    /// Starts all jobs in one submission. It may block, so it is called on the queue's own thread alone.
    ///
    /// # Errors
    ///
    /// [`Fault::Lost`] and [`Fault::OutOfMemory`]; no job has been started then.
    fn submit(&self, jobs: &[Arc<Job>]) -> Result<Box<dyn Flight>, Fault>;

    /// Ends the device: what is in flight fails as [`Fault::Lost`], and its memory is free although
    /// somebody may still hold on to it.
    fn end(&self);
}

/// A submission under way.
pub trait Flight: fmt::Debug + Send {
    /// Waits for at most `patience`; outcomes in the jobs' order. Called on the poller's own thread
    /// alone.
    ///
    /// # Errors
    ///
    /// [`Fault::Hung`] when nothing came in time, [`Fault::Lost`] when the device is gone: then no job
    /// of this flight has an outcome.
    fn wait(self: Box<Self>, patience: Duration) -> Result<Vec<Result<Output, Fault>>, Fault>;
}

/// What one submission may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    /// Bytes from the host to the device.
    pub up_bytes: u64,
    /// Bytes of the device's memory.
    pub device_bytes: u64,
    /// Bytes from the device to the host.
    pub down_bytes: u64,
    /// Jobs.
    pub jobs: usize,
}

impl Capacity {
    /// Whether there is room for this much, whatever the number of jobs.
    pub fn holds(&self, footprint: &Footprint) -> bool {
        footprint.up_bytes <= self.up_bytes
            && footprint.device_bytes <= self.device_bytes
            && footprint.down_bytes <= self.down_bytes
    }
}
