//! Scan lines in and out: through the native library in the build, or in Rust alone.
//!
//! Both give the same functions: [`rows`] and [`tile`] decode, [`price`] and [`held_bytes`] say what
//! that takes, [`encode`] writes. They differ in what they can do: the native one decodes windows without
//! holding the picture and at the divisors 2, 4 and 8; the other decodes whole pictures.

#[cfg(all(feature = "turbojpeg", feature = "mozjpeg"))]
compile_error!("`turbojpeg` and `mozjpeg` define the same C symbols: build with one of them");

#[cfg(any(feature = "turbojpeg", feature = "mozjpeg"))]
mod native;
#[cfg(not(any(feature = "turbojpeg", feature = "mozjpeg")))]
mod pure;

#[cfg(any(feature = "turbojpeg", feature = "mozjpeg"))]
use native as library;
#[cfg(not(any(feature = "turbojpeg", feature = "mozjpeg")))]
use pure as library;

use std::sync::Arc;

use crate::geometry::{Dimensions, Window};
use crate::raster::PixelFormat;
use crate::reader::RangeReader;

use super::header::{Header, Stored};

pub(super) use library::{
    DIVISORS, Index, decodes_arithmetic, decodes_twelve_bits, encode, held_bytes, price, rows,
    tile, versions,
};

#[cfg(all(test, any(feature = "turbojpeg", feature = "mozjpeg")))]
pub(super) use library::decode_made;

/// A master's bytes, and what is known of where its pixels stand among them.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) reader: Arc<dyn RangeReader>,
    pub(super) index: Arc<Index>,
}

/// What is to be decoded: a window of a picture at a divisor.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    /// The whole picture, at full resolution.
    pub(super) dimensions: Dimensions,
    /// How its components make colour.
    pub(super) stored: Stored,
    /// What decoded rows hold.
    pub(super) format: PixelFormat,
    /// Largest sampling factors, horizontal and vertical.
    #[cfg_attr(
        not(any(feature = "turbojpeg", feature = "mozjpeg")),
        expect(dead_code, reason = "whole pictures have no margins")
    )]
    pub(super) sampling: (u32, u32),
    /// 1, or one of [`DIVISORS`].
    pub(super) divisor: u32,
    /// In pixels of the picture after division, inside it.
    pub(super) window: Window,
}

impl Part {
    /// `window` of the picture with `header` at `divisor`.
    pub(super) fn new(header: &Header, divisor: u32, window: Window) -> Self {
        Self {
            dimensions: header.dimensions,
            stored: header.stored,
            format: header.format(),
            sampling: header.sampling(),
            divisor,
            window,
        }
    }

    /// Pixels that a decoder passes which begins at the top: all where `multiple_scans` have to be
    /// gathered.
    fn pixels_from_top(&self, multiple_scans: bool) -> u64 {
        let Dimensions { width, height } = self.dimensions;
        let bottom = self.window.bottom().saturating_mul(self.divisor);
        let rows = if multiple_scans {
            height
        } else {
            bottom.min(height)
        };
        u64::from(width) * u64::from(rows)
    }
}
