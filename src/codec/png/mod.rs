//! PNG in both directions, row by row.

mod decode;
mod encode;
mod metadata;
mod passage;
mod raw_profile;
#[cfg(test)]
mod tests;

pub(super) use decode::{matches, open};
pub(super) use encode::encode;
pub(super) use metadata::metadata;
pub(super) use passage::strip;
