//! A device by itself, without queue and scheduler: what `bench --gpu` measures and what tests compare
//! stage by stage.

mod bare;
mod jpeg;

pub use bare::Bare;
pub use jpeg::JpegRun;
