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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::gather;

    /// A screen of 3 × 2 pixels with a frame at a place; 0 is red, 1 is blue.
    fn shown(
        (left, top): (u16, u16),
        (width, height): (u16, u16),
        transparent: Option<u8>,
        indices: &[u8],
    ) -> (Dimensions, Channels, Vec<u8>) {
        let mut file = Vec::new();
        let palette = [255, 0, 0, 0, 0, 255];
        let mut encoder = gif::Encoder::new(&mut file, 3, 2, &palette).expect("in memory");
        let frame = Frame {
            left,
            top,
            width,
            height,
            transparent,
            buffer: indices.into(),
            ..Frame::default()
        };
        encoder.write_frame(&frame).expect("in memory");
        drop(encoder);
        let reader: Arc<dyn RangeReader> = Arc::new(file);
        let picture = open(reader, &DecodeLimits::default()).expect("good");
        let dimensions = picture.facts().pyramid.dimensions();
        let cancel = Cancel::new();
        let mut rows = picture
            .decode(0, dimensions.window(), &cancel)
            .expect("inside");
        let raster = gather(rows.as_mut(), &cancel).expect("good");
        let channels = raster.format().channels;
        let crate::raster::Samples::U8(samples) = raster.into_samples() else {
            panic!("16 bits");
        };
        (dimensions, channels, samples)
    }

    fn sides(width: u32, height: u32) -> Dimensions {
        Dimensions { width, height }
    }

    #[test]
    fn a_frame_is_opaque_where_it_covers_the_screen_and_leaves_nothing_free() {
        let all = [0, 1, 0, 1, 0, 1];
        let (red, blue) = ([255, 0, 0], [0, 0, 255]);
        let opaque = [red, blue, red, blue, red, blue].concat();
        let found = shown((0, 0), (3, 2), None, &all);
        assert_eq!(found, (sides(3, 2), Channels::Rgb, opaque));
        let (_, channels, samples) = shown((0, 0), (3, 2), Some(1), &all);
        assert_eq!(channels, Channels::Rgba);
        assert_eq!(samples[..8], [255, 0, 0, 255, 0, 0, 0, 0]);
        for ((left, top), (width, height)) in [((1, 0), (4, 2)), ((0, 1), (3, 3))] {
            let (dimensions, channels, samples) = shown((left, top), (3, 2), None, &all);
            assert_eq!(dimensions, sides(width, height));
            assert_eq!(channels, Channels::Rgba);
            assert_eq!(samples[..4], [0; 4]);
            assert_eq!(samples[samples.len() - 4..], [0, 0, 255, 255]);
        }
        for frame in [(2, 2), (3, 1)] {
            let count = usize::from(frame.0 * frame.1);
            let (dimensions, channels, samples) = shown((0, 0), frame, None, &all[..count]);
            assert_eq!((dimensions, channels), (sides(3, 2), Channels::Rgba));
            assert_eq!(samples[samples.len() - 4..], [0; 4]);
        }
    }

    #[test]
    fn an_index_beyond_the_palette_is_black() {
        let (_, _, samples) = shown((0, 0), (3, 2), None, &[0, 2, 3, 0, 0, 0]);
        assert_eq!(samples[..9], [255, 0, 0, 0, 0, 0, 0, 0, 0]);
    }
}
