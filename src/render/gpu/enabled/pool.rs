//! Buffers of submissions: a few slots that are used again and again, each grown to what was asked of
//! it. No buffer is made for a batch that fits a free slot.

use std::sync::{Arc, Mutex, PoisonError};

use super::super::Fault;
use super::device::Device;

/// Free slots that are kept; as many submissions as a queue has in flight, and one.
const KEPT: usize = 4;

/// Smallest buffer, in bytes: what a tile takes, so that slots seldom grow from nothing.
const SMALLEST_BYTES: u64 = 1 << 20;

/// Bytes that a batch takes of each buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Needs {
    /// From the host: parameters, then pixels.
    pub(super) up: u64,
    /// Records, maps, tables.
    pub(super) params: u64,
    /// Pixels on the device.
    pub(super) arena: u64,
    /// To the host: pixels, then files.
    pub(super) down: u64,
    /// What encoding takes besides; none of it where nothing is encoded.
    pub(super) files: FileNeeds,
}

/// Bytes of the buffers that encoding takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct FileNeeds {
    /// Records and lists of workgroups.
    pub(super) params: u64,
    /// Coefficients.
    pub(super) coef: u64,
    /// Lengths of blocks.
    pub(super) lens: u64,
    /// Codes.
    pub(super) bits: u64,
}

/// The buffers of one submission. `up` is mapped for writing while the slot is free.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) up: wgpu::Buffer,
    pub(super) params: wgpu::Buffer,
    pub(super) arena: wgpu::Buffer,
    pub(super) down: wgpu::Buffer,
    pub(super) files: Option<FileBuffers>,
}

/// The buffers of a submission that encodes.
#[derive(Debug)]
pub(super) struct FileBuffers {
    pub(super) params: wgpu::Buffer,
    pub(super) coef: wgpu::Buffer,
    pub(super) lens: wgpu::Buffer,
    pub(super) bits: wgpu::Buffer,
}

/// Free slots.
#[derive(Debug)]
pub(super) struct Pool {
    free: Mutex<Vec<Slot>>,
    /// Bytes of the largest buffer.
    most_bytes: u64,
}

impl Pool {
    /// An empty pool of buffers of at most `most_bytes`.
    pub(super) fn new(most_bytes: u64) -> Self {
        Self {
            free: Mutex::new(Vec::new()),
            most_bytes,
        }
    }

    /// A slot for `needs`: a free one, grown where it is too small, or a new one.
    ///
    /// # Errors
    ///
    /// [`Fault::OutOfMemory`]; the free slots are given up then, so that the next may succeed.
    pub(super) fn take(self: &Arc<Self>, device: &Device, needs: Needs) -> Result<Slot, Fault> {
        let free = self.lock().pop();
        let made = device.scoped(wgpu::ErrorFilter::OutOfMemory, || {
            self.fitting(&device.handle, free, needs)
        });
        made.map_err(|error| {
            self.lock().clear();
            tracing::warn!(%error, "the GPU's memory is used up");
            Fault::OutOfMemory
        })
    }

    /// Takes a slot back whose `up` is mapped again.
    pub(super) fn give_back(&self, slot: Slot) {
        let mut free = self.lock();
        if free.len() < KEPT {
            free.push(slot);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Slot>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fitting(&self, device: &wgpu::Device, free: Option<Slot>, needs: Needs) -> Slot {
        use wgpu::BufferUsages as Usage;

        let grown = |label, old, bytes, usage| self.grown(device, label, old, bytes, usage);
        let ([up, params, arena, down], files) = match free {
            Some(slot) => (
                [slot.up, slot.params, slot.arena, slot.down].map(Some),
                slot.files,
            ),
            None => ([None, None, None, None], None),
        };
        let pixels = Usage::STORAGE | Usage::COPY_DST | Usage::COPY_SRC;
        let written = Usage::STORAGE | Usage::COPY_DST;
        Slot {
            up: grown("up", up, needs.up, Usage::MAP_WRITE | Usage::COPY_SRC),
            params: grown("params", params, needs.params, written),
            arena: grown("arena", arena, needs.arena, pixels),
            down: grown("down", down, needs.down, Usage::MAP_READ | Usage::COPY_DST),
            files: if needs.files == FileNeeds::default() {
                files
            } else {
                Some(self.file_buffers(device, files, needs.files))
            },
        }
    }

    fn file_buffers(
        &self,
        device: &wgpu::Device,
        free: Option<FileBuffers>,
        needs: FileNeeds,
    ) -> FileBuffers {
        use wgpu::BufferUsages as Usage;

        let grown = |label, old, bytes, usage| self.grown(device, label, old, bytes, usage);
        let [params, coef, lens, bits] = match free {
            Some(free) => [free.params, free.coef, free.lens, free.bits].map(Some),
            None => [None, None, None, None],
        };
        let codes = Usage::STORAGE | Usage::COPY_DST | Usage::COPY_SRC;
        FileBuffers {
            params: grown(
                "jpeg params",
                params,
                needs.params,
                Usage::STORAGE | Usage::COPY_DST,
            ),
            coef: grown("coefficients", coef, needs.coef, Usage::STORAGE),
            lens: grown(
                "lengths",
                lens,
                needs.lens,
                Usage::STORAGE | Usage::COPY_SRC,
            ),
            bits: grown("codes", bits, needs.bits, codes),
        }
    }

    /// `old` if it is large enough, or a new one.
    fn grown(
        &self,
        device: &wgpu::Device,
        label: &str,
        old: Option<wgpu::Buffer>,
        bytes: u64,
        usage: wgpu::BufferUsages,
    ) -> wgpu::Buffer {
        match old {
            Some(buffer) if buffer.size() >= bytes => buffer,
            _ => self.buffer(device, label, bytes, usage),
        }
    }

    fn buffer(
        &self,
        device: &wgpu::Device,
        label: &str,
        bytes: u64,
        usage: wgpu::BufferUsages,
    ) -> wgpu::Buffer {
        let most = self.most_bytes.max(bytes);
        device.create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            size: bytes.max(SMALLEST_BYTES).next_power_of_two().min(most),
            usage,
            mapped_at_creation: usage.contains(wgpu::BufferUsages::MAP_WRITE),
        })
    }
}
