//! Passes on the GPU: batches of requests on compute shaders, with the bytes of the CPU engine.
//!
//! A front door before two rooms: with the feature `gpu` the work is done in `enabled`, without it
//! `disabled` says that there is no device. What is in [`job`](Job) belongs to both.

mod job;

#[cfg(not(feature = "gpu"))]
mod disabled;
#[cfg(feature = "gpu")]
mod enabled;

#[cfg(not(feature = "gpu"))]
pub use disabled::AVAILABLE;
#[cfg(feature = "gpu")]
pub use enabled::{
    AVAILABLE, AdapterFacts, Bare, Capacity, Executor, Flight, JpegRun, Opened, Refusal, Wanted,
    open,
};
pub use job::{Fault, Footprint, Job, Output};
