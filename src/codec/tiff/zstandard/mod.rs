//! Zstandard tiles (RFC 8878), where the build has the library.

#[cfg(not(feature = "zstd"))]
mod disabled;
#[cfg(feature = "zstd")]
mod enabled;

#[cfg(not(feature = "zstd"))]
pub(super) use disabled::Zstandard;
#[cfg(feature = "zstd")]
pub(super) use enabled::Zstandard;

/// Whether this build reads Zstandard.
pub(super) const AVAILABLE: bool = cfg!(feature = "zstd");

/// The longest reach back that a frame may ask for when it is decompressed in pieces, as a power of two:
/// 8 MiB is what every decoder has to offer.
///
/// Source: RFC 8878, 3.1.1.1.2.
const WINDOW_LOG: u32 = 23;

/// Bytes that the state takes: the window, and the library's tables and blocks.
pub(super) const STATE_BYTES: u64 = (1 << WINDOW_LOG) + (1 << 20);
