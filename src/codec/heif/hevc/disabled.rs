//! Builds without HEVC: what is coded with it is refused.

use crate::error::{Error, Result};
use crate::geometry::Dimensions;

use super::super::planes::Coded;
use super::super::property::Config;

/// Refuses.
pub(in super::super) fn check(_: &Config) -> Result<()> {
    Err(Error::unsupported(
        "this build does not read HEVC, which it is coded with",
    ))
}

/// Refuses.
pub(in super::super) fn decode(config: &Config, _: &[u8], _: Dimensions) -> Result<Box<dyn Coded>> {
    check(config)?;
    Err(Error::internal("decoding HEVC in a build without it"))
}
