//! JPEG XL in both directions.

mod decode;
mod encode;

pub(super) use decode::{matches, metadata, open};
pub(super) use encode::encode;
