//! An opened lossless JPEG: its facts, its price and its rows; and one inside another format.

use std::sync::Arc;

use crate::cancel::Cancel;
use crate::codec::whole::{self, WholeRows};
use crate::codec::{Colour, DecodeLimits, Facts, KeptSpace, MasterFormat, Picture, Price, exif};
use crate::error::{Error, Result};
use crate::geometry::{Dimensions, Window};
use crate::raster::{Channels, PixelFormat, Raster, Rows, Samples};
use crate::reader::RangeReader;

use super::super::TileColour;
use super::super::metadata::metadata;
use super::super::tile::InMemory;
use super::stream::{Colours, Frame};

/// Bytes of a sample before it leaves.
const SAMPLE_BYTES: u64 = 2;

/// A lossless JPEG file.
#[derive(Debug)]
struct Lossless {
    reader: Arc<dyn RangeReader>,
    frame: Arc<Frame>,
    colour: Colour,
    facts: Facts,
}

/// Opens the JPEG behind `reader`; `None` where it is not a lossless one.
///
/// # Errors
///
/// As [`super::super::open`].
pub(in super::super) fn open(
    reader: Arc<dyn RangeReader>,
    limits: &DecodeLimits,
) -> Result<Option<Arc<dyn Picture>>> {
    let Some(frame) = Frame::find(reader.as_ref(), limits)? else {
        return Ok(None);
    };
    check_colours(&frame)?;
    let pixel = format(&frame);
    let blocks = metadata(reader.as_ref(), limits)?;
    let colour = Colour::of_master(blocks.icc.as_deref(), pixel.channels, limits)?;
    let facts = Facts {
        description: format!("JPEG, lossless, {} bit", frame.precision),
        format: MasterFormat::Jpeg,
        pyramid: whole::single_level(frame.dimensions),
        orientation: exif::orientation(blocks.exif.as_deref(), blocks.xmp.as_deref()),
        pixel,
        bits: frame.precision,
        colour: colour.name().to_owned(),
        pages: 1,
    };
    let picture = Lossless {
        reader,
        frame: Arc::new(frame),
        colour,
        facts,
    };
    let price = picture.price(0, picture.facts.pyramid.dimensions().window());
    whole::check_bytes(price.bytes, limits)?;
    Ok(Some(Arc::new(picture)))
}

fn check_colours(frame: &Frame) -> Result<()> {
    if frame.colours == Colours::YCbCr && frame.precision != 8 {
        return Err(Error::unsupported(format!(
            "lossless JPEG of YCbCr colours of {} bits",
            frame.precision
        )));
    }
    Ok(())
}

fn format(frame: &Frame) -> PixelFormat {
    let channels = match frame.colours {
        Colours::Gray => Channels::Gray,
        Colours::Rgb | Colours::YCbCr => Channels::Rgb,
    };
    if frame.precision > 8 {
        PixelFormat::sixteen(channels)
    } else {
        PixelFormat::eight(channels)
    }
}

impl Picture for Lossless {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn price(&self, _level: usize, window: Window) -> Price {
        let samples = self.frame.dimensions.area() * self.frame.components() as u64 * SAMPLE_BYTES;
        let scratch = self.reader.length().saturating_add(samples);
        whole::price(self.frame.dimensions, self.facts.pixel, scratch, window)
    }

    fn kept(&self) -> Option<&KeptSpace> {
        self.colour.kept()
    }

    fn decode(&self, level: usize, window: Window, cancel: &Cancel) -> Result<Box<dyn Rows>> {
        whole::check_window(level, window, self.frame.dimensions)?;
        let (reader, frame) = (Arc::clone(&self.reader), Arc::clone(&self.frame));
        let token = cancel.clone();
        let rows = WholeRows::new(window, self.facts.pixel, cancel, move || {
            let bytes = reader.read_vec(0, reader.length())?;
            raster(&frame, &bytes, frame.dimensions, &token)
        });
        Ok(self.colour.apply(Box::new(rows)))
    }
}

/// The upper rows of a stream inside another format, as many as `expected` has, if it is a lossless one.
///
/// # Errors
///
/// As [`super::super::decode_tile`].
pub(in super::super) fn decode_tile(
    bytes: &[u8],
    colour: TileColour,
    expected: Dimensions,
    limits: &DecodeLimits,
    cancel: &Cancel,
) -> Result<Option<Raster>> {
    let Some(mut frame) = Frame::find(&InMemory(bytes), limits)? else {
        return Ok(None);
    };
    frame.colours = match (colour, frame.components()) {
        (TileColour::Gray, 1) => Colours::Gray,
        (TileColour::Rgb, 3) => Colours::Rgb,
        (TileColour::YCbCr, 3) => Colours::YCbCr,
        _ => return Err(Error::corrupt("a tile has another number of components")),
    };
    check_colours(&frame)?;
    let stream = frame.dimensions;
    if stream.width != expected.width || stream.height < expected.height {
        let words = format!("a tile of {expected} is stored as {stream}");
        return Err(Error::corrupt(words));
    }
    let samples = stream.area() * frame.components() as u64 * SAMPLE_BYTES;
    whole::check_bytes(samples, limits)?;
    raster(&frame, bytes, expected, cancel).map(Some)
}

/// The upper rows of a picture, as many as `shown` has.
fn raster(frame: &Frame, bytes: &[u8], shown: Dimensions, cancel: &Cancel) -> Result<Raster> {
    let planes = frame.decode(bytes, cancel)?;
    let count = usize::try_from(shown.area()).unwrap_or(usize::MAX);
    let most = (1_u32 << frame.precision) - 1;
    let scaled = |full: u32| {
        let planes = &planes;
        (0..count).flat_map(move |at| {
            planes
                .iter()
                .map(move |plane| (u32::from(plane[at]).min(most) * full + most / 2) / most)
        })
    };
    let pixel = format(frame);
    let samples = if frame.precision > 8 {
        let wide = |sample| u16::try_from(sample).unwrap_or(u16::MAX);
        Samples::U16(scaled(0xffff).map(wide).collect())
    } else {
        let narrow = |sample| u8::try_from(sample).unwrap_or(u8::MAX);
        let mut samples: Vec<u8> = scaled(0xff).map(narrow).collect();
        if frame.colours == Colours::YCbCr {
            samples.as_chunks_mut::<3>().0.iter_mut().for_each(as_rgb);
        }
        Samples::U8(samples)
    };
    Raster::new(shown, pixel.channels, samples)
}

/// Source: JFIF 1.02, "Conversion to and from RGB".
fn as_rgb(pixel: &mut [u8; 3]) {
    let [luma, blue, red] = pixel.map(f32::from);
    let (blue, red) = (blue - 128.0, red - 128.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the cast cuts to the range"
    )]
    let level = |value: f32| (value + 0.5) as u8;
    *pixel = [
        level(luma + 1.402 * red),
        level(luma - 0.344_136 * blue - 0.714_136 * red),
        level(luma + 1.772 * blue),
    ];
}
