//! Passes on the GPU: batches of requests on compute shaders, with the bytes of the CPU engine.
//!
//! A front door before two rooms: with the feature `gpu` the work is done in `enabled`, without it
//! `disabled` says that there is no device. What is in [`job`](Job) and beside it belongs to both.

mod band;
mod config;
mod job;
mod labour;
mod measured;
mod report;
mod tile;

#[cfg(not(feature = "gpu"))]
mod disabled;
#[cfg(feature = "gpu")]
mod enabled;

pub use band::Band;
pub use config::{GpuConfig, GpuMode};
#[cfg(not(feature = "gpu"))]
pub use disabled::{AVAILABLE, Gpu, Held, Staged, Staging, measure};
#[cfg(all(test, feature = "gpu"))]
pub(crate) use enabled::fake;
#[cfg(feature = "gpu")]
pub use enabled::{
    AVAILABLE, Bare, Capacity, Executor, Flight, Gpu, Held, JpegRun, Open, Opened, Refusal, Staged,
    Staging, Tiles, Wanted, measure, open, open_changed, prove,
};
pub use job::{Class, Fault, Footprint, Job, Output, Part};
pub use labour::Labour;
pub use measured::{Figure, Measured, Trial};
pub use report::{AdapterFacts, Choice, Encode, Load, Report, State, UNFIT, Weight};
pub use tile::{Keep, Mosaic, Source, TileName};
