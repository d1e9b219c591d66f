//! GIF in both directions: the first frame of a master; derivatives of one frame.

mod decode;
mod encode;
mod palette;

pub(super) use decode::{matches, metadata, open};
pub(super) use encode::encode;
