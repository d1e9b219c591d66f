//! A build with the GPU: device, batches, shaders and what stands around them.

mod batch;
mod device;
mod executor;
mod filter;
mod flight;
mod footprint;
mod jpeg;
mod measure;
mod pipelines;
mod pool;
mod recipe;
mod records;
mod runner;
mod shaders;
mod staging;
mod weights;
mod words;

pub use device::{AdapterFacts, Opened, Refusal, Wanted, open};
pub use executor::{Capacity, Executor, Flight};
pub use measure::{Bare, JpegRun};

/// Whether this build can use a device.
pub const AVAILABLE: bool = true;
