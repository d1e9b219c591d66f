//! Opens a device and waits for it.

use std::time::Duration;

use super::super::jpeg::JpegStage;
use crate::render::gpu::Fault;

/// How long one submission may take: a software adapter compiles each shader at its first dispatch.
const PATIENCE: Duration = Duration::from_mins(1);

/// A device by itself. Every call waits until it is done.
#[derive(Debug)]
pub struct Bare {
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    pub(super) jpeg: JpegStage,
    info: wgpu::AdapterInfo,
}

impl Bare {
    /// The first adapter whose name has `part` in it, software among them.
    ///
    /// # Errors
    ///
    /// Words about what there is not.
    pub fn open(part: &str) -> Result<Self, String> {
        let mut wanted = wgpu::InstanceDescriptor::new_without_display_handle();
        wanted.backends = wgpu::Backends::VULKAN;
        let instance = wgpu::Instance::new(wanted);
        let adapters = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::VULKAN));
        let part = part.to_lowercase();
        let adapter = adapters
            .into_iter()
            .find(|adapter| adapter.get_info().name.to_lowercase().contains(&part))
            .ok_or("there is no such adapter")?;
        let stamps = adapter.features() & wgpu::Features::TIMESTAMP_QUERY;
        let description = wgpu::DeviceDescriptor {
            label: Some("measured"),
            required_features: stamps,
            required_limits: adapter.limits(),
            ..wgpu::DeviceDescriptor::default()
        };
        let (device, queue) = pollster::block_on(adapter.request_device(&description))
            .map_err(|error| error.to_string())?;
        Ok(Self {
            jpeg: JpegStage::new(&device),
            info: adapter.get_info(),
            device,
            queue,
        })
    }

    /// The adapter's name and driver.
    pub fn name(&self) -> String {
        let wgpu::AdapterInfo {
            name, driver_info, ..
        } = &self.info;
        format!("{name}, {driver_info}")
    }

    /// Whether the device tells the time that each pass takes.
    pub fn has_stamps(&self) -> bool {
        self.device
            .features()
            .contains(wgpu::Features::TIMESTAMP_QUERY)
    }

    pub(super) fn buffer(
        &self,
        label: &str,
        bytes: u64,
        usage: wgpu::BufferUsages,
    ) -> wgpu::Buffer {
        self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            size: bytes.next_multiple_of(16).max(16),
            usage,
            mapped_at_creation: false,
        })
    }

    /// Submits and waits.
    pub(super) fn run(&self, encoder: wgpu::CommandEncoder) -> Result<(), Fault> {
        let index = self.queue.submit([encoder.finish()]);
        let wait = wgpu::PollType::Wait {
            submission_index: Some(index),
            timeout: Some(PATIENCE),
        };
        match self.device.poll(wait) {
            Ok(_) => Ok(()),
            Err(wgpu::PollError::Timeout) => Err(Fault::Hung),
            Err(_) => Err(Fault::Lost),
        }
    }

    /// What `buffer` holds; its copy is part of what `encoder` submits.
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
