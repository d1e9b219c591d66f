//! PNG in both directions, row by row.

mod decode;
mod encode;

pub(super) use decode::{matches, open};
pub(super) use encode::encode;
