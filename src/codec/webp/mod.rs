//! WebP in both directions: decoding and lossless encoding in every build, lossy encoding with the
//! feature `webp`.

mod container;
mod decode;
mod encode;
mod lossy;
mod metadata;
mod passage;
#[cfg(test)]
mod tests;

pub(super) use decode::{decode_tile, matches, open};
pub(super) use encode::encode;
pub(super) use metadata::metadata;
pub(super) use passage::strip;
