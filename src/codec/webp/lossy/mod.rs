//! Lossy WebP where the build has libwebp; exact WebP in its place where it has not.

#[cfg(not(feature = "webp"))]
mod disabled;
#[cfg(feature = "webp")]
mod enabled;

#[cfg(not(feature = "webp"))]
pub(super) use disabled::encode;
#[cfg(feature = "webp")]
pub(super) use enabled::encode;
