//! Records of the kernels: what one job gives a shader, word by word.
//!
//! Each is the twin of a struct in the shader; a test compares the two member by member.

use bytemuck::{Pod, Zeroable};

/// Colours are multiplied by opacity as they are read.
pub(super) const MULTIPLY: u32 = 1;
/// Colours are divided by opacity.
pub(super) const DIVIDE: u32 = 2;
/// The picture is laid over a background.
pub(super) const FLATTEN: u32 = 4;
/// Gray becomes three equal colours.
pub(super) const SPREAD: u32 = 8;
/// Colours are multiplied by opacity before they are stored.
pub(super) const MULTIPLY_AFTER: u32 = 16;
/// Opacity is full, whatever weights gave.
pub(super) const OPAQUE: u32 = 32;

/// Luma is all that stays.
pub(super) const GRAY: u32 = 1;
/// Black and white are all that stays.
pub(super) const BITONAL: u32 = 2;
/// There is luminance alone already.
pub(super) const IS_GRAY: u32 = 4;

/// One workgroup's work.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
pub(super) struct Entry {
    pub(super) record: u32,
    pub(super) tile: u32,
}

/// One workgroup's work in a turn by any angle.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
pub(super) struct Turned {
    pub(super) record: u32,
    pub(super) tile: u32,
    pub(super) right: u32,
    pub(super) down: u32,
}

/// A window put together from tiles.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
pub(super) struct Gathering {
    pub(super) to_offset: u32,
    pub(super) to_stride: u32,
    pub(super) to_width: u32,
    pub(super) to_height: u32,
    pub(super) channels: u32,
    pub(super) left: u32,
    pub(super) top: u32,
    pub(super) cell_width: u32,
    pub(super) cell_height: u32,
    pub(super) columns: u32,
    pub(super) tiles: u32,
}

/// Both sides halved once.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
pub(super) struct Halving {
    pub(super) from_offset: u32,
    pub(super) from_stride: u32,
    pub(super) from_width: u32,
    pub(super) from_height: u32,
    pub(super) to_offset: u32,
    pub(super) to_stride: u32,
    pub(super) to_width: u32,
    pub(super) to_height: u32,
    pub(super) channels: u32,
}

/// Rows of pixels weighed.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
pub(super) struct Columns {
    pub(super) from_offset: u32,
    pub(super) from_stride: u32,
    pub(super) channels: u32,
    pub(super) group_start: u32,
    pub(super) to_offset: u32,
    pub(super) to_stride: u32,
    pub(super) groups: u32,
    pub(super) height: u32,
    pub(super) starts: u32,
    pub(super) weights: u32,
    pub(super) taps: u32,
    pub(super) bits: u32,
    pub(super) multiply: u32,
}

/// Pixels of a row weighed, laid, flattened and toned.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
pub(super) struct Across {
    pub(super) from_offset: u32,
    pub(super) from_stride: u32,
    pub(super) channels: u32,
    pub(super) skip: u32,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) starts: u32,
    pub(super) weights: u32,
    pub(super) taps: u32,
    pub(super) bits: u32,
    pub(super) mirror: u32,
    pub(super) turns: u32,
    pub(super) steps: u32,
    pub(super) tone: u32,
    pub(super) background: u32,
    pub(super) to_offset: u32,
    pub(super) to_stride: u32,
    pub(super) to_channels: u32,
    pub(super) to_width: u32,
    pub(super) to_height: u32,
}

/// A turn by any angle.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
pub(super) struct Rotation {
    pub(super) from_offset: u32,
    pub(super) from_stride: u32,
    pub(super) from_width: u32,
    pub(super) from_height: u32,
    pub(super) to_offset: u32,
    pub(super) to_stride: u32,
    pub(super) to_channels: u32,
    pub(super) to_width: u32,
    pub(super) to_height: u32,
    pub(super) cos: u32,
    pub(super) sin: u32,
    pub(super) outside: u32,
    pub(super) alpha: u32,
    pub(super) tone: u32,
    pub(super) phases: u32,
}
