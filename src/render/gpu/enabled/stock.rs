//! Staging memory of single jobs: mapped buffers that decoders' rows are written to as they come, and
//! that the device copies from. They are used again and again; none is made where a free one fits.

use std::fmt;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::device::Device;
use super::words;
use crate::error::{Error, Result};
use crate::geometry::Window;
use crate::raster::{Depth, Raster, RowSink, Samples, Shape};

/// The smallest buffer, in bytes: half a tile.
const SMALLEST_BYTES: u64 = 128 << 10;
/// A free buffer may be so many times as large as what is asked for.
const ROOMY: u64 = 4;

/// The staging buffers of one device.
#[derive(Debug)]
pub(super) struct Stock {
    device: Arc<Device>,
    free: Mutex<Vec<wgpu::Buffer>>,
    /// Bytes of all buffers, free or not.
    bytes: AtomicU64,
    most_bytes: u64,
}

impl Stock {
    /// An empty stock, which will hold `most_bytes` at most.
    pub(super) fn new(device: Arc<Device>, most_bytes: u64) -> Arc<Self> {
        Arc::new(Self {
            device,
            free: Mutex::default(),
            bytes: AtomicU64::new(0),
            most_bytes,
        })
    }

    /// Memory for pixels of `shape`; none where there is no room for it, or for samples of 16 bits.
    pub(super) fn staging(self: &Arc<Self>, shape: Shape) -> Option<Staging> {
        let channels = words::count(shape.format.channels);
        let bytes = 4 * words::words(shape.dimensions, channels);
        if shape.format.depth != Depth::Eight || self.device.is_gone() {
            return None;
        }
        let buffer = self.fitting(bytes).or_else(|| self.made(bytes))?;
        let Ok(view) = buffer.get_mapped_range_mut(..bytes) else {
            self.lose(&buffer);
            return None;
        };
        let stride = 4 * words::stride(shape.dimensions.width, channels);
        Some(Staging {
            view,
            stride: usize::try_from(stride).ok()?,
            staged: Staged(Arc::new(Inner {
                stock: Arc::clone(self),
                buffer,
                bytes,
                shape,
                state: AtomicU8::new(FILLED),
            })),
        })
    }

    fn free(&self) -> MutexGuard<'_, Vec<wgpu::Buffer>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The smallest free buffer that is large enough.
    fn fitting(&self, bytes: u64) -> Option<wgpu::Buffer> {
        let mut free = self.free();
        let fits = |size| size >= bytes && size <= ROOMY * bytes.max(SMALLEST_BYTES);
        let sizes = free.iter().map(wgpu::Buffer::size).enumerate();
        let (index, _) = sizes
            .filter(|(_, size)| fits(*size))
            .min_by_key(|(_, size)| *size)?;
        Some(free.swap_remove(index))
    }

    /// A new buffer, for which free ones of other sizes make room.
    fn made(&self, bytes: u64) -> Option<wgpu::Buffer> {
        let size = bytes.max(SMALLEST_BYTES).checked_next_power_of_two()?;
        while self.bytes.load(Ordering::Relaxed) + size > self.most_bytes {
            let spare = self.free().pop()?;
            self.lose(&spare);
        }
        let made = self.device.scoped(wgpu::ErrorFilter::OutOfMemory, || {
            (self.device.handle).create_buffer(&wgpu::BufferDescriptor {
                label: Some("staged"),
                size,
                usage: wgpu::BufferUsages::MAP_WRITE | wgpu::BufferUsages::COPY_SRC,
                mapped_at_creation: true,
            })
        });
        let buffer = made.ok()?;
        self.bytes.fetch_add(size, Ordering::Relaxed);
        Some(buffer)
    }

    /// One that is not used again.
    fn lose(&self, buffer: &wgpu::Buffer) {
        self.bytes.fetch_sub(buffer.size(), Ordering::Relaxed);
    }
}

/// Staging memory that is being written.
pub struct Staging {
    view: wgpu::BufferViewMut,
    /// Bytes from row to row.
    stride: usize,
    staged: Staged,
}

impl Staging {
    /// What has been written, for a job.
    pub fn finish(self) -> Staged {
        drop(self.view);
        self.staged
    }
}

impl fmt::Debug for Staging {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Staging({})", self.staged.shape().dimensions)
    }
}

impl RowSink for Staging {
    fn paste(&mut self, source: &Raster, part: Window, x: u32, y: u32) -> Result<()> {
        let shape = self.staged.shape();
        let there = Window { x, y, ..part };
        let Samples::U8(samples) = source.samples() else {
            return Err(Error::internal("staging samples of 16 bits"));
        };
        if source.format() != shape.format
            || !part.is_inside(source.dimensions())
            || !there.is_inside(shape.dimensions)
        {
            return Err(Error::internal(format!(
                "staging {part:?} of {} at {x}, {y} of {}",
                source.dimensions(),
                shape.dimensions
            )));
        }
        let channels = shape.format.channels.count();
        let row = source.row_len();
        let (first, length) = (part.x as usize * channels, part.width as usize * channels);
        let rows = samples.chunks_exact(row).skip(part.y as usize);
        let mut at = y as usize * self.stride + x as usize * channels;
        if length == row && length == self.stride {
            let start = part.y as usize * row;
            let all = &samples[start..start + row * part.height as usize];
            self.view.slice(at..at + all.len()).copy_from_slice(all);
            return Ok(());
        }
        for row in rows.take(part.height as usize) {
            let row = &row[first..first + length];
            self.view.slice(at..at + length).copy_from_slice(row);
            at += self.stride;
        }
        Ok(())
    }
}

/// Written, and still mapped.
const FILLED: u8 = 0;
/// Part of a submission, and still mapped.
const TAKEN: u8 = 1;
/// The device's, or lost with it.
const AWAY: u8 = 2;
/// Mapped again.
const BACK: u8 = 3;

/// Pixels in staging memory of their own, for one submission. The memory goes back to its stock with
/// the last clone.
#[derive(Clone)]
pub struct Staged(Arc<Inner>);

struct Inner {
    stock: Arc<Stock>,
    buffer: wgpu::Buffer,
    /// Those that are written.
    bytes: u64,
    shape: Shape,
    state: AtomicU8,
}

impl Staged {
    /// Of the pixels.
    pub fn shape(&self) -> Shape {
        self.0.shape
    }

    /// The buffer, and how many bytes of it are pixels.
    pub(super) fn buffer(&self) -> (&wgpu::Buffer, u64) {
        (&self.0.buffer, self.0.bytes)
    }

    /// Makes it part of a submission of the device that `stock` belongs to; once only.
    pub(super) fn is_taken(&self, stock: &Arc<Stock>) -> bool {
        let state = &self.0.state;
        Arc::ptr_eq(&self.0.stock, stock)
            && (state.compare_exchange(FILLED, TAKEN, Ordering::AcqRel, Ordering::Acquire)).is_ok()
    }

    /// Gives the memory to the device, before it is submitted.
    pub(super) fn leave(&self) {
        self.0.state.store(AWAY, Ordering::Release);
        self.0.buffer.unmap();
    }

    /// The device has given it back.
    pub(super) fn returned(&self) {
        self.0.state.store(BACK, Ordering::Release);
    }
}

impl fmt::Debug for Staged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Staged({})", self.0.shape.dimensions)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if self.state.load(Ordering::Acquire) == AWAY {
            self.stock.lose(&self.buffer);
        } else {
            self.stock.free().push(self.buffer.clone());
        }
    }
}
