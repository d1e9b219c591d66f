//! The device's own clock, before and after each pass.

use std::time::Duration;

use wgpu::BufferUsages as Usage;

use super::Bare;

/// Two stamps for each of some passes.
#[derive(Debug)]
pub(super) struct Stamps {
    set: wgpu::QuerySet,
    resolved: wgpu::Buffer,
    back: wgpu::Buffer,
    passes: u32,
    /// Nanoseconds of a tick.
    period: f32,
}

impl Stamps {
    /// For so many passes; none where the device has no clock.
    pub(super) fn new(bare: &Bare, passes: u32) -> Option<Self> {
        bare.has_stamps().then(|| Self {
            set: bare
                .device
                .handle
                .create_query_set(&wgpu::QuerySetDescriptor {
                    label: Some("stamps"),
                    ty: wgpu::QueryType::Timestamp,
                    count: 2 * passes,
                }),
            resolved: bare.buffer(
                "stamps",
                16 * u64::from(passes),
                Usage::QUERY_RESOLVE | Usage::COPY_SRC,
            ),
            back: bare.buffer(
                "stamps back",
                16 * u64::from(passes),
                Usage::MAP_READ | Usage::COPY_DST,
            ),
            passes,
            period: bare.device.queue.get_timestamp_period(),
        })
    }

    /// What the pass of a number writes.
    pub(super) fn of(&self, pass: usize) -> Option<wgpu::ComputePassTimestampWrites<'_>> {
        let pass = u32::try_from(pass)
            .ok()
            .filter(|pass| *pass < self.passes)?;
        Some(wgpu::ComputePassTimestampWrites {
            query_set: &self.set,
            beginning_of_pass_write_index: Some(2 * pass),
            end_of_pass_write_index: Some(2 * pass + 1),
        })
    }

    /// Fetches the stamps with what `encoder` submits.
    pub(super) fn resolve(&self, encoder: &mut wgpu::CommandEncoder) {
        let bytes = 16 * u64::from(self.passes);
        encoder.resolve_query_set(&self.set, 0..2 * self.passes, &self.resolved, 0);
        encoder.copy_buffer_to_buffer(&self.resolved, 0, &self.back, 0, bytes);
        encoder.map_buffer_on_submit(&self.back, wgpu::MapMode::Read, .., |_| ());
    }

    /// What each pass took, after the submission.
    pub(super) fn read(&self) -> Vec<Duration> {
        let Ok(view) = self.back.get_mapped_range(..16 * u64::from(self.passes)) else {
            return Vec::new();
        };
        let ticks: Vec<u64> = view
            .as_chunks()
            .0
            .iter()
            .map(|&bytes| u64::from_le_bytes(bytes))
            .collect();
        drop(view);
        self.back.unmap();
        let pairs = ticks.as_chunks().0.iter();
        pairs
            .map(|&[begin, end]| {
                let ticks = end.saturating_sub(begin) as f64;
                Duration::from_secs_f64(ticks * f64::from(self.period) * 1e-9)
            })
            .collect()
    }
}
