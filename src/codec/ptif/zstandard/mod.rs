//! Bytes → a Zstandard frame (RFC 8878), where the build has the library.

#[cfg(not(feature = "zstd"))]
mod disabled;
#[cfg(feature = "zstd")]
mod enabled;

#[cfg(not(feature = "zstd"))]
pub(super) use disabled::compress;
#[cfg(feature = "zstd")]
pub(super) use enabled::compress;

/// Whether this build writes Zstandard.
pub const AVAILABLE: bool = cfg!(feature = "zstd");
