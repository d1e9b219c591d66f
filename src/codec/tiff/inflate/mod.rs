//! A whole zlib stream at once, where the build has a library for it.

#[cfg(not(feature = "libdeflate"))]
mod disabled;
#[cfg(feature = "libdeflate")]
mod enabled;

#[cfg(not(feature = "libdeflate"))]
pub(super) use disabled::Whole;
#[cfg(feature = "libdeflate")]
pub(super) use enabled::Whole;
