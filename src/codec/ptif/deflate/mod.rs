//! Bytes → a zlib stream (RFC 1950): through libdeflate where the build has it.

#[cfg(not(feature = "libdeflate"))]
mod disabled;
#[cfg(feature = "libdeflate")]
mod enabled;

#[cfg(not(feature = "libdeflate"))]
pub(super) use disabled::zlib;
#[cfg(feature = "libdeflate")]
pub(super) use enabled::zlib;
