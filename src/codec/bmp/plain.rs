//! Rows that are stored as they are → strips of a window: nothing but its rows is read.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use crate::cancel::Cancel;
use crate::codec::whole::{reserve, strip_height};
use crate::error::Result;
use crate::geometry::{Dimensions, Window};
use crate::raster::{Raster, Rows, Shape};
use crate::reader::RangeReader;

use super::header::{Coding, Header};
use super::mask::Mask;

/// Strips of a window.
pub(super) struct PlainRows {
    reader: Arc<dyn RangeReader>,
    header: Arc<Header>,
    window: Window,
    done: u32,
    cancel: Cancel,
}

impl fmt::Debug for PlainRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlainRows")
            .field("window", &self.window)
            .finish_non_exhaustive()
    }
}

impl PlainRows {
    /// `window` of the picture behind `header`. The window has been checked.
    pub(super) fn new(
        reader: &Arc<dyn RangeReader>,
        header: &Arc<Header>,
        window: Window,
        cancel: &Cancel,
    ) -> Self {
        Self {
            reader: Arc::clone(reader),
            header: Arc::clone(header),
            window,
            done: 0,
            cancel: cancel.clone(),
        }
    }

    /// The part of row `y` that holds the window's pixels, and where it lies.
    fn bytes(&self, y: u32) -> (u64, Range<u64>) {
        let height = self.header.dimensions.height;
        let bits = u64::from(self.header.bits);
        let row = if self.header.top_down {
            y
        } else {
            height - 1 - y
        };
        let from = u64::from(self.window.x) * bits / 8;
        let to = (u64::from(self.window.right()) * bits).div_ceil(8);
        (
            self.header.start + u64::from(row) * self.header.stride(),
            from..to,
        )
    }
}

impl Rows for PlainRows {
    fn shape(&self) -> Shape {
        Shape {
            dimensions: self.window.dimensions(),
            format: self.header.format(),
        }
    }

    fn next_strip(&mut self) -> Result<Option<Raster>> {
        self.cancel.check()?;
        let shape = self.shape();
        let rows = strip_height(shape).min(self.window.height - self.done);
        let Some(dimensions) = Dimensions::new(self.window.width, rows) else {
            return Ok(None);
        };
        let channels = shape.format.channels;
        let mut samples = reserve(Shape {
            dimensions,
            format: shape.format,
        })?;
        let row_len = self.window.width as usize * channels.count();
        for (row, out) in (0..rows).zip(samples.chunks_exact_mut(row_len)) {
            let (start, part) = self.bytes(self.window.y + self.done + row);
            let stored = self
                .reader
                .read_vec(start + part.start, part.end - part.start)?;
            unpack(&self.header, &stored, self.window.x, out);
        }
        self.done += rows;
        Raster::from_u8(dimensions, channels, samples).map(Some)
    }
}

/// The pixels from column `x` on of a row of which `stored` begins with that column's byte.
fn unpack(header: &Header, stored: &[u8], x: u32, out: &mut [u8]) {
    match header.coding {
        Coding::Indices => {
            let bits = usize::from(header.bits);
            let first = x as usize * bits % 8 / bits;
            for (at, pixel) in out.as_chunks_mut::<3>().0.iter_mut().enumerate() {
                let bit = (first + at) * bits;
                let byte = stored.get(bit / 8).copied().unwrap_or(0);
                *pixel = header.colour(byte << (bit % 8) >> (8 - bits));
            }
        }
        Coding::Bytes | Coding::Runs => {
            let pixels = out.as_chunks_mut::<3>().0.iter_mut();
            for (pixel, [blue, green, red]) in pixels.zip(stored.as_chunks::<3>().0) {
                *pixel = [*red, *green, *blue];
            }
        }
        Coding::Masks(masks) if header.bits == 16 => {
            let pixels = stored.as_chunks::<2>().0.iter();
            masked(
                &masks,
                pixels.map(|pixel| u16::from_le_bytes(*pixel).into()),
                out,
            );
        }
        Coding::Masks(masks) => {
            let pixels = stored.as_chunks::<4>().0.iter();
            masked(&masks, pixels.map(|pixel| u32::from_le_bytes(*pixel)), out);
        }
    }
}

fn masked(masks: &[Mask; 4], pixels: impl Iterator<Item = u32>, out: &mut [u8]) {
    let count = if masks[3].is_empty() { 3 } else { 4 };
    for (samples, pixel) in out.chunks_exact_mut(count).zip(pixels) {
        for (sample, mask) in samples.iter_mut().zip(masks) {
            *sample = mask.sample(pixel);
        }
    }
}
