//! Rows of pixels in 32-bit words, as shaders see them.

use crate::geometry::Dimensions;

/// Pixels of a group: as many words as a pixel has channels.
pub(super) const GROUP: u32 = 4;

/// A picture in the arena.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Picture {
    /// Its first word.
    pub(super) offset: u32,
    /// Words from row to row.
    pub(super) stride: u32,
    /// Channels of a pixel, 1 to 4.
    pub(super) channels: u32,
    /// Its sides.
    pub(super) dimensions: Dimensions,
}

/// Words of a row.
pub(super) fn stride(width: u32, channels: u32) -> u64 {
    u64::from(width.div_ceil(GROUP)) * u64::from(channels)
}

/// Words of a picture.
pub(super) fn words(dimensions: Dimensions, channels: u32) -> u64 {
    stride(dimensions.width, channels) * u64::from(dimensions.height)
}

/// Channels as shaders count them.
pub(super) fn count(channels: crate::raster::Channels) -> u32 {
    match channels.count() {
        1 => 1,
        2 => 2,
        3 => 3,
        _ => 4,
    }
}
