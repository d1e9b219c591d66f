//! The buffer that holds the tiles: made when the first comes, smaller after memory ran out.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::device::Device;
use super::resident::Tiles;

/// The smallest slab that is worth while: 80 tiles of 256 × 256.
const LEAST_BYTES: u64 = 16 << 20;

/// The slab of one device.
#[derive(Debug)]
pub(super) struct Slab(Mutex<State>);

#[derive(Debug)]
struct State {
    buffer: Option<wgpu::Buffer>,
    most_bytes: u64,
}

impl Slab {
    /// At most `most_bytes`, none of them yet.
    pub(super) fn new(most_bytes: u64) -> Self {
        Self(Mutex::new(State {
            buffer: None,
            most_bytes,
        }))
    }

    /// The slab, if there is one.
    pub(super) fn buffer(&self) -> Option<wgpu::Buffer> {
        self.state().buffer.clone()
    }

    /// The slab, made if there is none and memory allows one; `tiles` begin anew then.
    pub(super) fn made(&self, device: &Device, tiles: &Tiles) -> Option<wgpu::Buffer> {
        let mut state = self.state();
        while state.buffer.is_none() && state.most_bytes >= LEAST_BYTES {
            let made = device.scoped(wgpu::ErrorFilter::OutOfMemory, || {
                device.handle.create_buffer(&wgpu::BufferDescriptor {
                    label: Some("slab"),
                    size: state.most_bytes & !3,
                    usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST,
                    mapped_at_creation: false,
                })
            });
            match made {
                Ok(buffer) => {
                    tiles.open(u32::try_from(buffer.size() / 4).unwrap_or(u32::MAX));
                    state.buffer = Some(buffer);
                }
                Err(_) => state.most_bytes = smaller(state.most_bytes),
            }
        }
        state.buffer.clone()
    }

    /// Gives the slab up, with all tiles; the next is a quarter smaller.
    pub(super) fn shrink(&self, tiles: &Tiles) {
        let mut state = self.state();
        if state.buffer.take().is_some() {
            tiles.close();
            state.most_bytes = smaller(state.most_bytes);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn smaller(bytes: u64) -> u64 {
    bytes / 4 * 3
}
