//! Rectangles of samples from one raster to another.

use crate::error::{Error, Result};
use crate::geometry::{Dimensions, Window};
use crate::raster::{PixelFormat, Raster, RowSink, Samples};

/// Rows that are put together from rectangles.
#[derive(Debug)]
pub(super) struct Canvas {
    dimensions: Dimensions,
    format: PixelFormat,
    samples: Samples,
}

impl Canvas {
    /// Room for `dimensions` of `format`.
    pub(super) fn new(dimensions: Dimensions, format: PixelFormat) -> Result<Self> {
        let pixels = usize::try_from(dimensions.area())
            .map_err(|cause| Error::internal("sizing a strip of tiles").with_source(cause))?;
        Ok(Self {
            dimensions,
            format,
            samples: Samples::zeroed(format, pixels),
        })
    }

    /// What was put together.
    pub(super) fn finish(self) -> Result<Raster> {
        Raster::new(self.dimensions, self.format.channels, self.samples)
    }
}

impl RowSink for Canvas {
    fn paste(&mut self, source: &Raster, part: Window, x: u32, y: u32) -> Result<()> {
        let there = Window { x, y, ..part };
        if source.format() != self.format
            || !part.is_inside(source.dimensions())
            || !there.is_inside(self.dimensions)
        {
            return Err(Error::internal(format!(
                "copying {part:?} of {:?} to {x}, {y} of {:?}",
                source.dimensions(),
                self.dimensions
            )));
        }
        let channels = self.format.channels.count();
        let from = Lines::new(source.dimensions(), part, channels);
        let to = Lines::new(self.dimensions, there, channels);
        match (source.samples(), &mut self.samples) {
            (Samples::U8(source), Samples::U8(target)) => copy(source, from, target, to),
            (Samples::U16(source), Samples::U16(target)) => copy(source, from, target, to),
            _ => return Err(Error::internal("copying between depths")),
        }
        Ok(())
    }
}

/// Where a rectangle's rows lie among samples.
#[derive(Clone, Copy)]
struct Lines {
    start: usize,
    stride: usize,
    length: usize,
    count: usize,
}

impl Lines {
    fn new(all: Dimensions, part: Window, channels: usize) -> Self {
        let stride = all.width as usize * channels;
        Self {
            start: part.y as usize * stride + part.x as usize * channels,
            stride,
            length: part.width as usize * channels,
            count: part.height as usize,
        }
    }
}

fn copy<T: Copy>(source: &[T], from: Lines, target: &mut [T], to: Lines) {
    if from.length == from.stride && to.length == to.stride {
        let length = from.length * from.count;
        target[to.start..to.start + length]
            .copy_from_slice(&source[from.start..from.start + length]);
        return;
    }
    for line in 0..from.count {
        let (a, b) = (from.start + line * from.stride, to.start + line * to.stride);
        target[b..b + to.length].copy_from_slice(&source[a..a + from.length]);
    }
}
