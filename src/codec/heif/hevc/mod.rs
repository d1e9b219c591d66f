//! HEVC pictures → planes, in builds with the feature `heic`.

#[cfg(not(feature = "heic"))]
mod disabled;
#[cfg(feature = "heic")]
mod enabled;
#[cfg(feature = "heic")]
mod size;

#[cfg(not(feature = "heic"))]
pub(super) use disabled::{check, decode};
#[cfg(feature = "heic")]
pub(super) use enabled::{check, decode};
