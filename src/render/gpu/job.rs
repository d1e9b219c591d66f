//! What goes to a device and what comes back: one request's part of a batch, in words of the host.

use std::fmt;
use std::ops::Range;

use super::{Keep, Source};
use crate::plan::Pass;
use crate::raster::{Raster, Shape};
use crate::render::Target;

/// One request's part of a batch.
#[derive(Debug)]
pub struct Job {
    /// The whole window, 8 bits a sample; of a part of a job, the window that the part is made of.
    pub source: Source,
    /// Tiles that are to stay on the device from now on, where it has room.
    pub keep: Vec<Keep>,
    /// The plan's passes, in the plan's order.
    pub passes: Vec<Pass>,
    /// What is wanted. A device that does not encode gives pixels instead.
    pub target: Target,
    /// What is made, where that is not all.
    pub part: Option<Part>,
}

/// A part of a job that is too large to be done at once: its pixels are the same rows of the whole's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What the passes of the whole job start from.
    pub whole: Shape,
    /// Rows of the whole job's result.
    pub rows: Range<u32>,
}

impl Job {
    /// A job on pixels of the host, which leaves nothing on the device.
    pub fn new(source: Raster, passes: Vec<Pass>, target: Target) -> Self {
        Self {
            source: Source::Host(source),
            keep: Vec::new(),
            passes,
            target,
            part: None,
        }
    }
}

/// What a job comes to: byte for byte what the CPU engine and the encoder behind it give.
#[derive(PartialEq, Eq)]
pub enum Output {
    /// Pixels, to be encoded by the host.
    Pixels(Raster),
    /// A finished JPEG file.
    Jpeg(Vec<u8>),
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pixels(raster) => write!(f, "Pixels({})", raster.dimensions()),
            Self::Jpeg(bytes) => write!(f, "Jpeg(×{})", bytes.len()),
        }
    }
}

/// Why there is no output. The job can be done on the CPU after any of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The device is gone, or did what it must not do.
    Lost,
    /// Nothing came back in time.
    Hung,
    /// The device's memory is used up.
    OutOfMemory,
    /// This device cannot do this job; others go on.
    Unfit,
    /// This job's file is longer than was reserved for it; others go on.
    Overflow,
    /// Nobody waits for it any more.
    Cancelled,
    /// There are more jobs in line than the device can do in time.
    Full,
    /// There is no device now: it starts, it was lost, or it is off.
    Away,
    /// What came back is not what the CPU makes.
    Mismatch,
}

impl Fault {
    /// Its name in metrics and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Hung => "hung",
            Self::OutOfMemory => "memory",
            Self::Unfit => "unfit",
            Self::Overflow => "overflow",
            Self::Cancelled => "cancelled",
            Self::Full => "full",
            Self::Away => "away",
            Self::Mismatch => "mismatch",
        }
    }
}

/// Whom a job delays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// A viewer waits for a tile.
    Interactive,
    /// A whole page or the like.
    Bulk,
}

/// What a job takes of a device, by its shape alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Footprint {
    /// Bytes from the host to the device.
    pub up_bytes: u64,
    /// Bytes of the device's memory while it runs.
    pub device_bytes: u64,
    /// Bytes from the device to the host, at most.
    pub down_bytes: u64,
    /// Products of a weight and a pixel in resampling and shrinking.
    pub macs: u64,
    /// Pixels that are turned by any angle.
    pub rotated_px: u64,
    /// Pixels that are encoded.
    pub jpeg_px: u64,
}

impl std::ops::Add for Footprint {
    type Output = Self;

    fn add(self, more: Self) -> Self {
        Self {
            up_bytes: self.up_bytes.saturating_add(more.up_bytes),
            device_bytes: self.device_bytes.saturating_add(more.device_bytes),
            down_bytes: self.down_bytes.saturating_add(more.down_bytes),
            macs: self.macs.saturating_add(more.macs),
            rotated_px: self.rotated_px.saturating_add(more.rotated_px),
            jpeg_px: self.jpeg_px.saturating_add(more.jpeg_px),
        }
    }
}
