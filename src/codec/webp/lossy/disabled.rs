//! Builds without libwebp: every WebP is exact.

use std::io::Write;

use crate::encoding::WebpSettings;
use crate::error::Result;

use super::super::super::sink::EightBit;
use super::super::encode::lossless;

/// Writes exact pixels; quality and effort mean nothing to them.
pub(in crate::codec::webp) fn encode(
    picture: EightBit,
    _settings: WebpSettings,
    sink: &mut dyn Write,
) -> Result<()> {
    lossless(&picture, sink)
}
