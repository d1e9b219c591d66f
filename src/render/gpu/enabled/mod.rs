//! A build with the GPU: device, batches, shaders and what stands around them.

mod executor;

pub use executor::{Capacity, Executor, Flight};

/// Whether this build can use a device.
pub const AVAILABLE: bool = true;
