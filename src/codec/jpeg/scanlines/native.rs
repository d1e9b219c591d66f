//! Scan lines through libjpeg-turbo or mozjpeg.
//!
//! A window costs the inverse DCT of its own units and their neighbours, and the entropy decoding of
//! those through the index where it pays, else of all rows above. Settings that decide pixels: accurate integer DCT, smooth upsampling, no
//! smoothing between blocks; standard Huffman tables and fixed subsampling when writing.

use std::io;
use std::sync::Arc;

use crate::cancel::Cancel;
use crate::codec::{DecodeLimits, Price};
use crate::encoding::JpegSettings;
use crate::error::{Error, Result};
use crate::geometry::Dimensions;
use crate::raster::{Depth, Raster, Rows, Samples, Shape};

use super::super::ffi::{self, Bytes, Decoder, Encoder, Layout, Output, Settings};
use super::super::header::Header;
use super::super::index::{Rectangle, Splice};
use super::{Part, Source};

pub(in super::super) use super::super::index::Index;

/// Divisors that the inverse DCT offers beside 1.
pub(in super::super) const DIVISORS: &[u32] = &[2, 4, 8];

/// Rows of a strip: four units of the usual 16 rows.
const STRIP_ROWS: u32 = 64;

/// Units that are passed over between two looks at the cancellation.
const SKIP_UNITS: u32 = 16;

pub(in super::super) fn versions() -> &'static str {
    ffi::version()
}

pub(in super::super) fn decodes_arithmetic() -> bool {
    ffi::decodes_arithmetic()
}

pub(in super::super) fn decodes_twelve_bits() -> bool {
    ffi::decodes_twelve_bits()
}

/// Most bytes that [`rows`] holds: two strips (the decoder's and its converted copy), the rows with
/// their margins, the library's own rows of units, and all coefficients of a stream of several scans.
pub(in super::super) fn held_bytes(header: &Header, part: &Part) -> u64 {
    let channels = part.format.bytes_per_pixel() as u64;
    let strip = u64::from(STRIP_ROWS.min(part.window.height)) * channels;
    let full_width = u64::from(part.dimensions.width.next_multiple_of(32));
    let unit_rows = 8 * u64::from(part.sampling.1) * 3;
    2 * strip * u64::from(part.window.width)
        + (strip + unit_rows * channels) * full_width
        + header.coefficient_bytes()
}

/// How much cheaper a pixel is passed over by the index than decoded.
const WALK_SHARE: u64 = 3;

/// What [`rows`] costs. From the top: all rows down to the window's last one, at their full width, or
/// the whole stream if it has several scans; division spares the inverse DCT, about half of the work.
/// Through the index: the window's units, and the walk down to them if it is still to be made.
pub(in super::super) fn price(header: &Header, part: &Part, index: &Index) -> Price {
    let from_top = Price {
        pixels: divided(part.pixels_from_top(header.multiple_scans), part),
        bytes: held_bytes(header, part),
    };
    let Some(rectangle) = rectangle(header, part) else {
        return from_top;
    };
    let Some(missing) = index.missing_rows(&rectangle) else {
        return from_top;
    };
    let inner = rectangle.part();
    let walked = u64::from(missing) * rectangle.pixels_of_row();
    let bytes = held_bytes(header, &inner) + Index::held_bytes(header, &rectangle);
    let pixels = divided(inner.dimensions.area(), part) + walked.div_ceil(WALK_SHARE);
    Price {
        pixels: pixels.min(from_top.pixels),
        // What has not been walked may turn out to be decodable from the top alone.
        bytes: if missing == 0 {
            bytes
        } else {
            bytes.max(from_top.bytes)
        },
    }
}

/// What is read through the index, where that pays; it makes streams of 8 bits alone.
fn rectangle(header: &Header, part: &Part) -> Option<Rectangle> {
    Rectangle::around(header, part).filter(|it| header.precision == 8 && it.pays())
}

fn divided(pixels: u64, part: &Part) -> u64 {
    if part.divisor == 1 {
        pixels
    } else {
        pixels.div_ceil(2)
    }
}

/// Strips of `part`; decoding begins at the first pull.
pub(in super::super) fn rows(
    header: &Header,
    part: Part,
    source: &Source,
    limits: &DecodeLimits,
    cancel: &Cancel,
) -> Box<dyn Rows> {
    Box::new(ScanRows {
        part,
        rectangle: rectangle(header, &part),
        source: source.clone(),
        limits: limits.clone(),
        cancel: cancel.clone(),
        running: None,
        done: 0,
        ended: false,
    })
}

struct ScanRows {
    part: Part,
    /// Units to read through the index, where that pays.
    rectangle: Option<Rectangle>,
    source: Source,
    limits: DecodeLimits,
    cancel: Cancel,
    running: Option<Running>,
    done: u32,
    ended: bool,
}

impl ScanRows {
    fn pull(&mut self) -> Result<Option<Raster>> {
        self.cancel.check()?;
        let window = self.part.window;
        let height = STRIP_ROWS.min(window.height - self.done);
        let Some(dimensions) = Dimensions::new(window.width, height) else {
            return Ok(None);
        };
        let running = match &mut self.running {
            Some(running) => running,
            none => {
                let (part, bytes) = stream(self.part, self.rectangle, &self.source, &self.cancel)?;
                none.insert(Running::start(part, bytes, &self.limits, &self.cancel)?)
            }
        };
        let samples = running.samples(self.part.format.depth, dimensions)?;
        self.done += height;
        Raster::new(dimensions, self.part.format.channels, samples).map(Some)
    }
}

impl Rows for ScanRows {
    fn shape(&self) -> Shape {
        Shape {
            dimensions: self.part.window.dimensions(),
            format: self.part.format,
        }
    }

    fn next_strip(&mut self) -> Result<Option<Raster>> {
        if self.ended {
            return Ok(None);
        }
        let strip = self.pull();
        if !matches!(strip, Ok(Some(_))) {
            self.ended = true;
            self.running = None;
        }
        strip
    }
}

/// The stream to decode, and `part` in it: the master's own, or one of the rectangle alone.
fn stream(
    part: Part,
    rectangle: Option<Rectangle>,
    source: &Source,
    cancel: &Cancel,
) -> Result<(Part, Bytes<'static>)> {
    let Source { reader, index } = source;
    if let Some(rectangle) = rectangle
        && index.covers(&rectangle, part.dimensions, reader.as_ref(), cancel)?
    {
        let splice = Splice::new(Arc::clone(index), Arc::clone(reader), rectangle);
        return Ok((rectangle.part(), Bytes::Made(Box::new(splice))));
    }
    Ok((part, Bytes::Shared(Arc::clone(reader))))
}

/// A decoder that stands at the window's next row.
struct Running {
    decoder: Decoder<'static>,
    layout: Layout,
    left_samples: usize,
    margins: Vec<u8>,
}

/// A sample as the library gives it.
trait Sample: Copy + Default {
    /// The next rows of it.
    fn read(decoder: &mut Decoder<'_>, out: &mut [Self], rows: u32) -> Result<()>;
}

impl Sample for u8 {
    fn read(decoder: &mut Decoder<'_>, out: &mut [Self], rows: u32) -> Result<()> {
        decoder.read(out, rows)
    }
}

impl Sample for u16 {
    fn read(decoder: &mut Decoder<'_>, out: &mut [Self], rows: u32) -> Result<()> {
        decoder.read_12(out, rows)?;
        for sample in out {
            *sample = widened(*sample);
        }
        Ok(())
    }
}

/// 12 bits as 16, to the nearest.
fn widened(sample: u16) -> u16 {
    let wide = (u32::from(sample) * 65535 + 2047) / 4095;
    u16::try_from(wide).unwrap_or(u16::MAX)
}

impl Running {
    fn start(
        part: Part,
        bytes: Bytes<'static>,
        limits: &DecodeLimits,
        cancel: &Cancel,
    ) -> Result<Self> {
        let mut decoder = Decoder::new(bytes, limits, cancel)?;
        let columns = Columns::around(&part);
        let layout = begin(&mut decoder, &part, &columns)?;
        let channels = part.stored.channels().count();
        let left = part.window.x.checked_sub(layout.x);
        let left = left.ok_or_else(|| Error::internal("cropping a JPEG"))?;
        let mut running = Self {
            decoder,
            layout,
            left_samples: left as usize * channels,
            margins: Vec::new(),
        };
        running.go_to(&part, cancel)?;
        Ok(running)
    }

    /// Passes over the rows above the window.
    fn go_to(&mut self, part: &Part, cancel: &Cancel) -> Result<()> {
        let unit = (8 * part.sampling.1 / part.divisor).max(1);
        let mut left = part.window.y;
        while left > 0 {
            cancel.check()?;
            let now = left.min(SKIP_UNITS * unit);
            self.decoder.skip(now)?;
            left -= now;
        }
        Ok(())
    }

    /// The window's next rows, in `depth`.
    fn samples(&mut self, depth: Depth, dimensions: Dimensions) -> Result<Samples> {
        match depth {
            Depth::Eight => {
                let mut margins = std::mem::take(&mut self.margins);
                let samples = self.strip(dimensions, &mut margins);
                self.margins = margins;
                samples.map(Samples::U8)
            }
            Depth::Sixteen => self.strip(dimensions, &mut Vec::new()).map(Samples::U16),
        }
    }

    fn strip<T: Sample>(&mut self, dimensions: Dimensions, margins: &mut Vec<T>) -> Result<Vec<T>> {
        let row_samples = self.decoder.row_samples();
        let rows = dimensions.height;
        if dimensions.width == self.layout.width {
            let mut samples = vec![T::default(); row_samples * rows as usize];
            T::read(&mut self.decoder, &mut samples, rows)?;
            return Ok(samples);
        }
        margins.resize(row_samples * rows as usize, T::default());
        T::read(&mut self.decoder, margins, rows)?;
        let channels = row_samples / self.layout.width.max(1) as usize;
        let width = dimensions.width as usize * channels;
        let mut samples = Vec::with_capacity(width * rows as usize);
        for row in margins.chunks_exact(row_samples) {
            let part = row.get(self.left_samples..self.left_samples + width);
            samples.extend_from_slice(part.ok_or_else(|| Error::internal("cutting a JPEG row"))?);
        }
        Ok(samples)
    }
}

/// Columns that are decoded, in pixels after division.
struct Columns {
    x: u32,
    width: u32,
}

impl Columns {
    /// The window's columns and a unit on either side: upsampling looks at its neighbours, and its
    /// rules at a picture's edge differ.
    fn around(part: &Part) -> Self {
        let unit = (8 * part.sampling.0 / part.divisor).max(1);
        let full = part.dimensions.width.div_ceil(part.divisor);
        let x = (part.window.x / unit).saturating_sub(1) * unit;
        let right = (part.window.right().div_ceil(unit) + 1).saturating_mul(unit);
        Self {
            x,
            width: right.min(full) - x,
        }
    }
}

/// Reads the header, which has to agree with ours, and starts.
fn begin(decoder: &mut Decoder<'_>, part: &Part, columns: &Columns) -> Result<Layout> {
    let (dimensions, components) = decoder.header()?;
    if dimensions != Some(part.dimensions) || components != part.stored.channels().count() {
        return Err(Error::corrupt("its markers contradict each other"));
    }
    decoder.start(part.stored, part.divisor, columns.x, columns.width)
}

/// The first `expected.height` rows of a whole stream in memory, which is as wide as `expected`.
pub(in super::super) fn tile(
    bytes: &[u8],
    part: Part,
    expected: Dimensions,
    limits: &DecodeLimits,
    cancel: &Cancel,
) -> Result<Raster> {
    let mut decoder = Decoder::new(Bytes::Slice(bytes), limits, cancel)?;
    let columns = Columns {
        x: 0,
        width: part.dimensions.width,
    };
    begin(&mut decoder, &part, &columns)?;
    let count = decoder.row_samples() * expected.height as usize;
    let samples = match part.format.depth {
        Depth::Eight => Samples::U8(whole(&mut decoder, count, expected.height)?),
        Depth::Sixteen => Samples::U16(whole(&mut decoder, count, expected.height)?),
    };
    Raster::new(expected, part.format.channels, samples)
}

fn whole<T: Sample>(decoder: &mut Decoder<'_>, count: usize, rows: u32) -> Result<Vec<T>> {
    let mut samples = vec![T::default(); count];
    T::read(decoder, &mut samples, rows)?;
    Ok(samples)
}

/// All of `part` of a stream that is made as it is read.
#[cfg(test)]
pub(in super::super) fn decode_made(
    stream: impl ffi::Feed + 'static,
    part: Part,
) -> Result<Raster> {
    let bytes = Bytes::Made(Box::new(stream));
    let mut running = Running::start(part, bytes, &DecodeLimits::default(), &Cancel::new())?;
    let dimensions = part.window.dimensions();
    let samples = running.samples(part.format.depth, dimensions)?;
    Raster::new(dimensions, part.format.channels, samples)
}

pub(in super::super) fn encode(
    rows: &mut dyn Rows,
    settings: JpegSettings,
    cancel: &Cancel,
    sink: &mut dyn io::Write,
) -> Result<()> {
    let shape = rows.shape();
    let settings = Settings {
        dimensions: shape.dimensions,
        gray: shape.format.channels.is_gray(),
        quality: settings.quality,
        subsampling: settings.subsampling,
        progressive: settings.progressive,
    };
    let mut encoder = Encoder::new()?;
    let mut output = Output::new(sink);
    encoder.start(&mut output, settings)?;
    while let Some(strip) = rows.next_strip()? {
        cancel.check()?;
        let Samples::U8(pixels) = strip.samples() else {
            return Err(Error::internal("writing strips of two depths"));
        };
        encoder.rows(&mut output, strip.dimensions().height, pixels)?;
    }
    encoder.finish(&mut output)
}
