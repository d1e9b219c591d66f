//! What the stages of a submission take, by the device's own clock: of one submission in so many, for
//! each kernel then has a pass of its own.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use wgpu::BufferUsages as Usage;

use super::device::Device;
use crate::metrics::GPU_STAGE;

/// One submission in so many is timed.
const EVERY: u32 = 16;
/// Most stamps of a submission: one before the first stage, one behind each.
const STAMPS: u32 = 32;
/// Bytes of all stamps.
const BYTES: u64 = 8 * STAMPS as u64;
/// What the device has to offer.
pub(super) const FEATURES: wgpu::Features =
    wgpu::Features::TIMESTAMP_QUERY.union(wgpu::Features::TIMESTAMP_QUERY_INSIDE_ENCODERS);

/// The clock of one device; it times one submission at a time.
#[derive(Debug)]
pub(super) struct Clock {
    turn: AtomicU32,
    free: Mutex<Option<Stamps>>,
    /// Seconds of a tick.
    tick: f64,
}

#[derive(Debug)]
struct Stamps {
    set: wgpu::QuerySet,
    resolved: wgpu::Buffer,
    back: wgpu::Buffer,
}

impl Clock {
    /// The clock of `device`, which never times anything where the device has none.
    pub(super) fn new(device: &Device) -> Self {
        let has_one = device.handle.features().contains(FEATURES);
        Self {
            turn: AtomicU32::new(0),
            free: Mutex::new(has_one.then(|| Stamps::new(&device.handle))),
            tick: f64::from(device.queue.get_timestamp_period()) * 1e-9,
        }
    }

    /// What times the next submission, if it is one that is timed.
    pub(super) fn next(&self) -> Option<Marks> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        if turn % EVERY != EVERY - 1 {
            return None;
        }
        let stamps = self.free().take()?;
        Some(Marks {
            stamps,
            stages: Vec::new(),
        })
    }

    /// Tells the stages of a submission that has landed, and can time another.
    pub(super) fn tell(&self, marks: Marks) {
        for (stage, took) in self.read(&marks) {
            GPU_STAGE.with([stage]).record(took.as_secs_f64());
        }
        *self.free() = Some(marks.stamps);
    }

    /// What each stage took, its parts together.
    fn read(&self, marks: &Marks) -> Vec<(&'static str, Duration)> {
        let Ok(view) = marks.stamps.back.get_mapped_range(..BYTES) else {
            return Vec::new();
        };
        let ticks: Vec<u64> = (view.as_chunks().0.iter())
            .map(|&bytes| u64::from_le_bytes(bytes))
            .collect();
        drop(view);
        marks.stamps.back.unmap();
        let mut stages: Vec<(&'static str, Duration)> = Vec::new();
        for (&stage, between) in marks.stages.iter().zip(ticks.windows(2)) {
            let seconds = between[1].saturating_sub(between[0]) as f64 * self.tick;
            let took = Duration::try_from_secs_f64(seconds).unwrap_or_default();
            match stages.iter_mut().find(|(known, _)| *known == stage) {
                Some((_, sum)) => *sum += took,
                None => stages.push((stage, took)),
            }
        }
        stages
    }

    fn free(&self) -> MutexGuard<'_, Option<Stamps>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stamps {
    fn new(device: &wgpu::Device) -> Self {
        let buffer = |label, usage| {
            device.create_buffer(&wgpu::BufferDescriptor {
                label: Some(label),
                size: BYTES,
                usage,
                mapped_at_creation: false,
            })
        };
        Self {
            set: device.create_query_set(&wgpu::QuerySetDescriptor {
                label: Some("stages"),
                ty: wgpu::QueryType::Timestamp,
                count: STAMPS,
            }),
            resolved: buffer("stages", Usage::QUERY_RESOLVE | Usage::COPY_SRC),
            back: buffer("stages back", Usage::MAP_READ | Usage::COPY_DST),
        }
    }
}

/// The stamps of one submission.
#[derive(Debug)]
pub(super) struct Marks {
    stamps: Stamps,
    stages: Vec<&'static str>,
}

impl Marks {
    /// The first stage begins here.
    pub(super) fn begin(&self, encoder: &mut wgpu::CommandEncoder) {
        encoder.write_timestamp(&self.stamps.set, 0);
    }

    /// A stage, or a part of one, ends here.
    pub(super) fn end(&mut self, encoder: &mut wgpu::CommandEncoder, stage: &'static str) {
        let index = u32::try_from(self.stages.len() + 1).unwrap_or(STAMPS);
        if index < STAMPS {
            encoder.write_timestamp(&self.stamps.set, index);
            self.stages.push(stage);
        }
    }

    /// Fetches all stamps behind what `encoder` has recorded.
    pub(super) fn resolve(&self, encoder: &mut wgpu::CommandEncoder) {
        let count = u32::try_from(self.stages.len() + 1).unwrap_or(STAMPS);
        let Stamps {
            set,
            resolved,
            back,
        } = &self.stamps;
        encoder.resolve_query_set(set, 0..count, resolved, 0);
        encoder.copy_buffer_to_buffer(resolved, 0, back, 0, BYTES);
    }

    /// Where they come back to.
    pub(super) fn back(&self) -> &wgpu::Buffer {
        &self.stamps.back
    }
}
