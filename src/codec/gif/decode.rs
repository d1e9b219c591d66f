//! GIF masters → rows: the first frame, laid on the logical screen.
//!
//! What the frame leaves free and what it marks as transparent is transparent; a frame that covers
//! the screen and names no transparent colour gives RGB. A screen that the frame passes grows to hold it, as
//! browsers have it. An XMP packet may turn it. The format has no random access: a picture is decoded whole.
//!
//! Source: Graphics Interchange Format, version 89a, 1990.

use std::num::NonZeroU64;
use std::sync::Arc;

use gif::{DecodeOptions, Decoder, DecodingError, Frame, MemoryLimit};

use crate::cancel::Cancel;
use crate::error::{Error, ErrorKind, Result};
use crate::geometry::{Dimensions, Window};
use crate::raster::{Channels, PixelFormat, Raster, Rows, Shape};
use crate::reader::RangeReader;

use super::super::metadata::Blocks;
use super::super::open::dimensions_within;
use super::super::stream::{self, Stream, stream};
use super::super::whole::{self, WholeRows};
use super::super::{Colour, DecodeLimits, Facts, KeptSpace, MasterFormat, Picture, Price, exif};

/// Whether a file that starts with `head` is a GIF.
pub(in crate::codec) fn matches(head: &[u8]) -> bool {
    head.starts_with(b"GIF87a") || head.starts_with(b"GIF89a")
}

/// Parses the headers of a GIF and of its first frame.
///
/// # Errors
///
/// [`ErrorKind::Corrupt`], [`ErrorKind::TooLarge`], and those of the reader.
pub(in crate::codec) fn open(
    reader: Arc<dyn RangeReader>,
    limits: &DecodeLimits,
) -> Result<Arc<dyn Picture>> {
    let mut decoder = decoder(&reader, limits.max_bytes)?;
    let screen = [decoder.width(), decoder.height()].map(u32::from);
    let frame = first_frame(&mut decoder)?;
    let sides = [frame.width, frame.height].map(u32::from);
    let covers =
        frame.left == 0 && frame.top == 0 && sides[0] >= screen[0] && sides[1] >= screen[1];
    let width = screen[0].max(u32::from(frame.left) + sides[0]);
    let height = screen[1].max(u32::from(frame.top) + sides[1]);
    let opaque = covers && frame.transparent.is_none();
    let frame_area = dimensions_within(frame.width.into(), frame.height.into(), limits)?.area();
    let interlaced = if frame.interlaced { ", interlaced" } else { "" };
    let dimensions = dimensions_within(width, height, limits)?;
    let pixel = PixelFormat::eight(if opaque {
        Channels::Rgb
    } else {
        Channels::Rgba
    });
    let price = whole::price(dimensions, pixel, frame_area, dimensions.window());
    whole::check_bytes(price.bytes, limits)?;
    let colour = Colour::of_master(decoder.icc_profile(), pixel.channels, limits)?;
    let packet = decoder.xmp_metadata();
    let packet = packet.filter(|packet| packet.len() as u64 <= limits.max_metadata_bytes);
    let facts = Facts {
        description: format!("GIF, 8 bit palette{interlaced}"),
        format: MasterFormat::Gif,
        pyramid: whole::single_level(dimensions),
        orientation: exif::orientation(None, packet),
        pixel,
        bits: 8,
        colour: colour.name().to_owned(),
        pages: 1,
    };
    Ok(Arc::new(Gif {
        reader,
        facts,
        colour,
        frame_area,
        max_bytes: limits.max_bytes,
    }))
}

/// Reads profile and XMP, which stand before the first frame.
///
/// # Errors
///
/// As those of opening the file.
pub(in crate::codec) fn metadata(
    reader: &Arc<dyn RangeReader>,
    limits: &DecodeLimits,
) -> Result<Blocks> {
    let mut decoder = decoder(reader, limits.max_bytes)?;
    first_frame(&mut decoder)?;
    let within = |bytes: &[u8]| bytes.len() as u64 <= limits.max_metadata_bytes;
    let kept = |bytes: Option<&[u8]>| bytes.filter(|bytes| within(bytes)).map(<[u8]>::to_vec);
    Ok(Blocks {
        icc: kept(decoder.icc_profile()),
        xmp: kept(decoder.xmp_metadata()),
        ..Blocks::default()
    })
}

fn decoder(reader: &Arc<dyn RangeReader>, max_bytes: u64) -> Result<Decoder<Stream>> {
    let mut options = DecodeOptions::new();
    let most = NonZeroU64::new(max_bytes).unwrap_or(NonZeroU64::MIN);
    options.set_memory_limit(MemoryLimit::Bytes(most));
    options.read_info(stream(reader)).map_err(failed)
}

fn first_frame(decoder: &mut Decoder<Stream>) -> Result<&Frame<'static>> {
    decoder
        .next_frame_info()
        .map_err(failed)?
        .ok_or_else(|| Error::corrupt("it has no frame"))
}

/// A GIF whose headers have been parsed.
#[derive(Debug)]
struct Gif {
    reader: Arc<dyn RangeReader>,
    facts: Facts,
    colour: Colour,
    frame_area: u64,
    max_bytes: u64,
}

impl Picture for Gif {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn kept(&self) -> Option<&KeptSpace> {
        self.colour.kept()
    }

    fn price(&self, _level: usize, window: Window) -> Price {
        let dimensions = self.facts.pyramid.dimensions();
        whole::price(dimensions, self.facts.pixel, self.frame_area, window)
    }

    fn decode(&self, level: usize, window: Window, cancel: &Cancel) -> Result<Box<dyn Rows>> {
        let dimensions = self.facts.pyramid.dimensions();
        whole::check_window(level, window, dimensions)?;
        let (reader, format, max_bytes) =
            (Arc::clone(&self.reader), self.facts.pixel, self.max_bytes);
        let rows = WholeRows::new(window, format, cancel, move || {
            decode_whole(&reader, dimensions, format, max_bytes)
        });
        Ok(self.colour.apply(Box::new(rows)))
    }
}

fn decode_whole(
    reader: &Arc<dyn RangeReader>,
    dimensions: Dimensions,
    format: PixelFormat,
    max_bytes: u64,
) -> Result<Raster> {
    let mut decoder = decoder(reader, max_bytes)?;
    let frame = first_frame(&mut decoder)?.clone();
    let mut indices = whole::reserve(Shape {
        dimensions: Dimensions::new(frame.width.into(), frame.height.into())
            .ok_or_else(|| Error::corrupt("its first frame has no pixels"))?,
        format: PixelFormat::eight(Channels::Gray),
    })?;
    decoder.read_into_buffer(&mut indices).map_err(failed)?;
    let palette = decoder.palette().map_err(failed)?;
    let mut samples = whole::reserve(Shape { dimensions, format })?;
    lay(
        &frame,
        &indices,
        palette,
        &mut samples,
        dimensions,
        format.channels,
    );
    Raster::from_u8(dimensions, format.channels, samples)
}

/// Lays a frame's pixels on the screen; what it does not touch stays transparent.
///
/// An index beyond the palette is black, as in the browsers.
fn lay(
    frame: &Frame<'_>,
    indices: &[u8],
    palette: &[u8],
    screen: &mut [u8],
    dimensions: Dimensions,
    channels: Channels,
) {
    let (colours, _) = palette.as_chunks::<3>();
    let pixel = channels.count();
    let lines = screen.chunks_exact_mut(dimensions.width as usize * pixel);
    let frame_lines = indices.chunks_exact(usize::from(frame.width).max(1));
    for (line, frame_line) in lines.skip(frame.top.into()).zip(frame_lines) {
        let targets = line.chunks_exact_mut(pixel).skip(frame.left.into());
        for (target, index) in targets.zip(frame_line) {
            if frame.transparent == Some(*index) {
                continue;
            }
            let [red, green, blue] = colours
                .get(usize::from(*index))
                .copied()
                .unwrap_or_default();
            for (sample, value) in target.iter_mut().zip([red, green, blue, u8::MAX]) {
                *sample = value;
            }
        }
    }
}

fn failed(cause: DecodingError) -> Error {
    if let DecodingError::Io(cause) = cause {
        return stream::error(cause);
    }
    if matches!(
        cause,
        DecodingError::MemoryLimit | DecodingError::OutOfMemory
    ) {
        let words = "the source image needs more memory than the limits allow";
        return Error::new(ErrorKind::TooLarge, words).with_source(cause);
    }
    Error::corrupt("its GIF data are damaged").with_source(cause)
}
