//! GIF in both directions: the first frame of a master; derivatives of one frame.

mod boxes;
mod decode;
mod dither;
mod encode;
mod nearest;
mod palette;

pub(super) use decode::{matches, metadata, open};
pub(super) use encode::encode;
