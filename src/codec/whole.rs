//! Masters with one level and no random access: their price, and windows as strips.
//!
//! A format that can only be decoded whole gives a closure; it runs when the first strip is pulled,
//! and its raster is cut into the window's strips. What is shared with row-by-row decoding stands
//! here too: the single level, the check of a window, and how tall a strip is.

use std::sync::Arc;

use crate::cancel::Cancel;
use crate::error::{Error, ErrorKind, Result};
use crate::geometry::{Dimensions, Level, Pyramid, ScaleFactor, Window};
use crate::raster::{PixelFormat, Raster, Rows, Samples, Shape};

use super::{DecodeLimits, Price};

/// Bytes of one strip: much smaller than a picture, much larger than what a call costs.
const STRIP_BYTES: u64 = 1 << 20;

/// Strips that are alive at a time: the decoder's and its colour-converted copy.
const STRIPS_ALIVE: u64 = 2;

/// A pyramid of the full image alone, without tiles.
pub(super) fn single_level(dimensions: Dimensions) -> Pyramid {
    let full = Level {
        factor: ScaleFactor::ONE,
        dimensions,
        tile: None,
    };
    Pyramid::new(full, Vec::new())
}

/// Refuses a level or window that a single-level master does not have.
pub(super) fn check_window(level: usize, window: Window, dimensions: Dimensions) -> Result<()> {
    if level == 0 && window.is_inside(dimensions) {
        return Ok(());
    }
    Err(Error::internal(format!(
        "decoding {window:?} of level {level} of an image of {dimensions}"
    )))
}

/// Rows of a strip of a picture with `shape`, at least 1.
pub(super) fn strip_height(shape: Shape) -> u32 {
    let row = u64::from(shape.dimensions.width) * shape.format.bytes_per_pixel() as u64;
    let rows = (STRIP_BYTES / row.max(1)).clamp(1, u64::from(shape.dimensions.height));
    u32::try_from(rows).unwrap_or(shape.dimensions.height)
}

/// Bytes of the strips of a window that are alive at a time.
pub(super) fn strips_bytes(window: Window, format: PixelFormat) -> u64 {
    let dimensions = window.dimensions();
    let shape = Shape { dimensions, format };
    let row = u64::from(window.width) * format.bytes_per_pixel() as u64;
    row * u64::from(strip_height(shape)) * STRIPS_ALIVE
}

/// What it takes to decode all of `dimensions` in `format`, with `scratch` bytes beside the pixels,
/// and to give `window` of it.
pub(super) fn price(
    dimensions: Dimensions,
    format: PixelFormat,
    scratch: u64,
    window: Window,
) -> Price {
    let whole = Shape { dimensions, format };
    Price {
        pixels: dimensions.area(),
        bytes: whole.bytes() + scratch + strips_bytes(window, format),
    }
}

/// Refuses a master whose pixels cannot be held at once.
pub(super) fn check_bytes(bytes: u64, limits: &DecodeLimits) -> Result<()> {
    if bytes <= limits.max_bytes {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::TooLarge,
        format!(
            "the source image needs {bytes} bytes to be decoded, and the limit is {}",
            limits.max_bytes
        ),
    ))
}

/// Zeroes for the samples of `shape`, or a refusal where memory has no room for them.
pub(super) fn reserve(shape: Shape) -> Result<Vec<u8>> {
    let length = usize::try_from(shape.bytes())
        .map_err(|cause| Error::internal("sizing a raster").with_source(cause))?;
    let mut buffer = Vec::new();
    buffer.try_reserve_exact(length).map_err(|cause| {
        Error::new(ErrorKind::Busy, "there is no memory for this image now").with_source(cause)
    })?;
    buffer.resize(length, 0);
    Ok(buffer)
}

/// Samples from bytes in which those of 16 bits are big-endian.
pub(super) fn samples_from_be(bytes: Vec<u8>, format: PixelFormat) -> Samples {
    match format.depth {
        crate::raster::Depth::Eight => Samples::U8(bytes),
        crate::raster::Depth::Sixteen => {
            let (pairs, _) = bytes.as_chunks::<2>();
            Samples::U16(pairs.iter().map(|pair| u16::from_be_bytes(*pair)).collect())
        }
    }
}

type Decode = Box<dyn FnOnce() -> Result<Arc<Raster>> + Send>;

/// Strips of a window of a picture that is decoded whole at the first pull.
pub(super) struct WholeRows {
    decode: Option<Decode>,
    raster: Option<Arc<Raster>>,
    window: Window,
    format: PixelFormat,
    done: u32,
    cancel: Cancel,
    ended: bool,
}

impl WholeRows {
    /// `window` of the raster in `format` that `decode` gives. The window has been checked.
    pub(super) fn new(
        window: Window,
        format: PixelFormat,
        cancel: &Cancel,
        decode: impl FnOnce() -> Result<Raster> + Send + 'static,
    ) -> Self {
        Self::shared(window, format, cancel, || decode().map(Arc::new))
    }

    /// As [`WholeRows::new`], of a raster that others may read too.
    pub(super) fn shared(
        window: Window,
        format: PixelFormat,
        cancel: &Cancel,
        decode: impl FnOnce() -> Result<Arc<Raster>> + Send + 'static,
    ) -> Self {
        Self {
            decode: Some(Box::new(decode)),
            raster: None,
            window,
            format,
            done: 0,
            cancel: cancel.clone(),
            ended: false,
        }
    }

    fn pull(&mut self) -> Result<Option<Raster>> {
        self.cancel.check()?;
        if let Some(decode) = self.decode.take() {
            let raster = decode()?;
            let is_window = raster.dimensions() == self.window.dimensions();
            match Arc::try_unwrap(raster) {
                Ok(raster) if is_window => {
                    self.done = self.window.height;
                    return Ok(Some(raster));
                }
                Ok(raster) => self.raster = Some(Arc::new(raster)),
                Err(shared) => self.raster = Some(shared),
            }
        }
        let rows = strip_height(self.shape()).min(self.window.height - self.done);
        let Some(raster) = self.raster.as_ref().filter(|_| rows > 0) else {
            return Ok(None);
        };
        let part = Window {
            y: self.window.y + self.done,
            height: rows,
            ..self.window
        };
        self.done += rows;
        cut(raster, part).map(Some)
    }
}

impl Rows for WholeRows {
    fn shape(&self) -> Shape {
        Shape {
            dimensions: self.window.dimensions(),
            format: self.format,
        }
    }

    fn next_strip(&mut self) -> Result<Option<Raster>> {
        if self.ended {
            return Ok(None);
        }
        let strip = self.pull();
        if !matches!(strip, Ok(Some(_))) {
            self.ended = true;
            (self.decode, self.raster) = (None, None);
        }
        strip
    }
}

/// A copy of `window` of `raster`.
fn cut(raster: &Raster, window: Window) -> Result<Raster> {
    let channels = raster.format().channels;
    let row = raster.row_len();
    let samples = match raster.samples() {
        Samples::U8(all) => Samples::U8(cut_samples(all, row, channels.count(), window)),
        Samples::U16(all) => Samples::U16(cut_samples(all, row, channels.count(), window)),
    };
    Raster::new(window.dimensions(), channels, samples)
}

fn cut_samples<T: Copy>(all: &[T], row: usize, channels: usize, window: Window) -> Vec<T> {
    let left = window.x as usize * channels;
    let width = window.width as usize * channels;
    let mut part = Vec::with_capacity(width * window.height as usize);
    let lines = all.chunks_exact(row).skip(window.y as usize);
    for line in lines.take(window.height as usize) {
        part.extend_from_slice(line.get(left..left + width).unwrap_or_default());
    }
    part
}
