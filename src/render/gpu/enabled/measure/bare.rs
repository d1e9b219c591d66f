//! A device that is waited for after every submission.

use std::sync::Arc;
use std::time::Duration;

use super::super::device::{self, Connected, Device, Wanted};
use super::super::jpeg::JpegStage;
use super::super::shaders::Shaders;
use crate::render::gpu::{AdapterFacts, Fault, Measured};

/// How long one submission may take: a software adapter compiles each shader at its first dispatch.
const PATIENCE: Duration = Duration::from_mins(1);

/// A device by itself. Every call waits until it is done.
#[derive(Debug)]
pub struct Bare {
    pub(super) device: Arc<Device>,
    pub(super) jpeg: JpegStage,
    pub(super) binding_bytes: u64,
    adapter: AdapterFacts,
}

impl Bare {
    /// The first adapter whose name has `part` in it, software among them.
    ///
    /// # Errors
    ///
    /// Words about what there is not.
    pub fn open(part: &str) -> Result<Self, String> {
        let wanted = Wanted {
            adapter: part.to_owned(),
            software: true,
            memory_bytes: 0,
        };
        let connected = device::connect(&wanted).map_err(|refusal| refusal.to_string())?;
        let Connected {
            device,
            limits,
            adapter,
        } = connected;
        Ok(Self::on(Arc::new(device), &limits, adapter))
    }

    /// A device that others use too.
    pub(super) fn on(device: Arc<Device>, limits: &wgpu::Limits, adapter: AdapterFacts) -> Self {
        Self {
            jpeg: JpegStage::new(&device.handle, &Shaders::new()),
            binding_bytes: limits.max_storage_buffer_binding_size,
            device,
            adapter,
        }
    }

    /// What is known of the adapter, before anything is measured.
    pub(super) fn facts(&self) -> Measured {
        Measured {
            adapter: self.adapter.name.clone(),
            driver: self.adapter.driver.clone(),
            kind: self.adapter.kind,
            has_stamps: self.has_stamps(),
            ..Measured::default()
        }
    }

    /// Whether the device tells the time that each pass takes.
    pub(super) fn has_stamps(&self) -> bool {
        let features = self.device.handle.features();
        features.contains(wgpu::Features::TIMESTAMP_QUERY)
    }

    pub(super) fn buffer(
        &self,
        label: &str,
        bytes: u64,
        usage: wgpu::BufferUsages,
    ) -> wgpu::Buffer {
        self.device.handle.create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            size: bytes.next_multiple_of(16).max(16),
            usage,
            mapped_at_creation: usage.contains(wgpu::BufferUsages::MAP_WRITE),
        })
    }

    pub(super) fn encoder(&self) -> wgpu::CommandEncoder {
        let description = wgpu::CommandEncoderDescriptor {
            label: Some("measured"),
        };
        self.device.handle.create_command_encoder(&description)
    }

    /// Submits and waits.
    pub(super) fn run(&self, encoder: wgpu::CommandEncoder) -> Result<(), Fault> {
        let index = self.device.queue.submit([encoder.finish()]);
        let wait = wgpu::PollType::Wait {
            submission_index: Some(index),
            timeout: Some(PATIENCE),
        };
        match self.device.handle.poll(wait) {
            Ok(_) if !self.device.is_gone() => Ok(()),
            Err(wgpu::PollError::Timeout) => Err(Fault::Hung),
            Ok(_) | Err(_) => Err(Fault::Lost),
        }
    }

    /// The first `bytes` of `buffer`; what fills it is part of what `encoder` submits.
    pub(super) fn read(
        &self,
        encoder: wgpu::CommandEncoder,
        buffer: &wgpu::Buffer,
        bytes: u64,
    ) -> Result<Vec<u8>, Fault> {
        encoder.map_buffer_on_submit(buffer, wgpu::MapMode::Read, .., |_| ());
        self.run(encoder)?;
        let view = buffer.get_mapped_range(..bytes).or(Err(Fault::Lost))?;
        let read = view.to_vec();
        drop(view);
        buffer.unmap();
        Ok(read)
    }
}
