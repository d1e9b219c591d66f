//! JPEG XL masters → rows: modular and variable block sizes, gray or RGB, up to 32 bits, the first frame.
//!
//! Any window is decoded by itself: only the groups that it touches. Colours in the format's own spaces
//! come out in sRGB; an embedded profile of pixels that are stored in it is applied as everywhere. The
//! orientation of the header is applied by the library. CMYK is not read.
//!
//! Source: ISO/IEC 18181-1 and 18181-2.

use std::sync::Arc;

use jxl_oxide::image::BitDepth;
use jxl_oxide::{
    AllocTracker, CropInfo, EnumColourEncoding, ExtraChannelType, InitializeResult, JxlImage,
    JxlThreadPool, PixelFormat as Layout, RenderingIntent,
};

use crate::cancel::Cancel;
use crate::error::{Error, ErrorKind, Result};
use crate::geometry::{Dimensions, Orientation, Window};
use crate::raster::{Channels, Depth, PixelFormat, Raster, Rows, Samples};
use crate::reader::RangeReader;

use super::super::metadata::Blocks;
use super::super::open::dimensions_within;
use super::super::straight::divide;
use super::super::stream::{self, stream};
use super::super::whole::{self, WholeRows};
use super::super::{Colour, DecodeLimits, Facts, KeptSpace, MasterFormat, Picture, Price};

/// The first bytes of a code stream, and of a container.
const STREAM: &[u8] = b"\xff\x0a";
const CONTAINER: &[u8] = b"\0\0\0\x0cJXL \r\n\x87\n";

/// Bytes that are read at a time until the header is there.
const HEAD_BYTES: u64 = 64 << 10;

/// Bytes that the library holds of a pixel: planes of 32 bits before and after its filters.
const SCRATCH_PER_PIXEL: u64 = 48;

/// Side of a group, which is decoded as one.
const GROUP_PX: u32 = 256;

/// Whether a file that starts with `head` is a JPEG XL.
pub(in crate::codec) fn matches(head: &[u8]) -> bool {
    head.starts_with(STREAM) || head.starts_with(CONTAINER)
}

/// Parses the image header.
///
/// # Errors
///
/// [`ErrorKind::Corrupt`], [`ErrorKind::NotImplemented`] for CMYK, [`ErrorKind::TooLarge`], and those of the
/// reader.
pub(in crate::codec) fn open(
    reader: Arc<dyn RangeReader>,
    limits: &DecodeLimits,
) -> Result<Arc<dyn Picture>> {
    let image = header(reader.as_ref(), limits)?;
    let dimensions = dimensions_within(image.width(), image.height(), limits)?;
    let metadata = &image.image_header().metadata;
    let (bits, depth) = match metadata.bit_depth {
        BitDepth::IntegerSample { bits_per_sample } if bits_per_sample <= 8 => {
            (bits_per_sample, Depth::Eight)
        }
        BitDepth::IntegerSample { bits_per_sample }
        | BitDepth::FloatSample {
            bits_per_sample, ..
        } => (bits_per_sample, Depth::Sixteen),
    };
    let channels = match image.pixel_format() {
        Layout::Gray => Channels::Gray,
        Layout::Graya => Channels::GrayAlpha,
        Layout::Rgb => Channels::Rgb,
        Layout::Rgba => Channels::Rgba,
        Layout::Cmyk | Layout::Cmyka => {
            return Err(Error::unsupported("its colours are CMYK"));
        }
    };
    let pixel = PixelFormat { channels, depth };
    let profile = profile(&image).map(<[u8]>::to_vec);
    let colour = Colour::of_master(profile.as_deref(), channels, limits)?;
    let coding = if metadata.xyb_encoded {
        "lossy"
    } else {
        "as stored"
    };
    let moves = if metadata.animation.is_some() {
        ", animated"
    } else {
        ""
    };
    let associated = metadata.ec_info.iter().any(|channel| {
        matches!(
            channel.ty,
            ExtraChannelType::Alpha {
                alpha_associated: true
            }
        )
    });
    let facts = Facts {
        description: format!("JPEG XL, {coding}{moves}"),
        format: MasterFormat::JpegXl,
        pyramid: whole::single_level(dimensions),
        orientation: Orientation::IDENTITY,
        pixel,
        bits: u8::try_from(bits).unwrap_or(u8::MAX),
        colour: colour.name().to_owned(),
        pages: 1,
    };
    Ok(Arc::new(Jxl {
        reader,
        facts,
        colour,
        associated,
        limits: limits.clone(),
    }))
}

/// The image as far as its header.
fn header(reader: &dyn RangeReader, limits: &DecodeLimits) -> Result<JxlImage> {
    let mut image = builder(limits).build_uninit();
    let mut at = 0;
    let mut kept = Vec::new();
    while at < reader.length() && at <= limits.max_metadata_bytes {
        let piece = reader.read_vec(at, HEAD_BYTES.min(reader.length() - at))?;
        at += piece.len() as u64;
        kept.extend(piece);
        let used = image.feed_bytes(&kept).map_err(failed)?;
        kept.drain(..used.min(kept.len()));
        match image.try_init().map_err(failed)? {
            InitializeResult::Initialized(image) => return Ok(image),
            InitializeResult::NeedMoreData(more) => image = more,
        }
    }
    if at < reader.length() {
        return Err(Error::new(
            ErrorKind::TooLarge,
            format!(
                "the source image has more than {} bytes of metadata",
                limits.max_metadata_bytes
            ),
        ));
    }
    Err(Error::corrupt("it ends within its header"))
}

fn builder(limits: &DecodeLimits) -> jxl_oxide::JxlImageBuilder {
    let bytes = usize::try_from(limits.max_bytes).unwrap_or(usize::MAX);
    JxlImage::builder()
        .pool(JxlThreadPool::none())
        .alloc_tracker(AllocTracker::with_limit(bytes))
}

/// The profile that the stored pixels are in; `None` where the library converts them.
fn profile(image: &JxlImage) -> Option<&[u8]> {
    let is_stored_in_it = !image.image_header().metadata.xyb_encoded;
    image.original_icc().filter(|_| is_stored_in_it)
}

/// Reads EXIF, XMP and the profile.
///
/// # Errors
///
/// As those of opening the file.
pub(in crate::codec) fn metadata(
    reader: &dyn RangeReader,
    limits: &DecodeLimits,
) -> Result<Blocks> {
    let length = reader.length().min(limits.max_metadata_bytes);
    let head = reader.read_vec(0, length)?;
    let image = header(reader, limits)?;
    let mut blocks = Blocks {
        icc: profile(&image).map(<[u8]>::to_vec),
        ..Blocks::default()
    };
    if head.starts_with(CONTAINER) {
        let mut boxes = head.as_slice();
        while let Some((kind, content, rest)) = next_box(boxes) {
            match &kind {
                b"Exif" => blocks.exif = content.get(4..).map(<[u8]>::to_vec),
                b"xml " => blocks.xmp = Some(content.to_vec()),
                _ => {}
            }
            boxes = rest;
        }
    }
    Ok(blocks)
}

/// Kind and content of the box that `bytes` begin with, and what follows it; `None` where it is cut.
fn next_box(bytes: &[u8]) -> Option<([u8; 4], &[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (kind, rest) = rest.split_first_chunk::<4>()?;
    let (head, length, rest) = match u32::from_be_bytes(*length) {
        0 => return Some((*kind, rest, &[])),
        1 => {
            let (length, rest) = rest.split_first_chunk::<8>()?;
            (16, u64::from_be_bytes(*length), rest)
        }
        length => (8, u64::from(length), rest),
    };
    let length = usize::try_from(length.checked_sub(head)?).ok()?;
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*kind, content, rest))
}

fn failed(cause: Box<dyn std::error::Error + Send + Sync>) -> Error {
    Error::corrupt("its data are damaged").with_source(cause)
}

/// A JPEG XL whose header has been parsed.
#[derive(Debug)]
struct Jxl {
    reader: Arc<dyn RangeReader>,
    facts: Facts,
    colour: Colour,
    /// Colours are multiplied by opacity.
    associated: bool,
    limits: DecodeLimits,
}

impl Picture for Jxl {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn kept(&self) -> Option<&KeptSpace> {
        self.colour.kept()
    }

    fn price(&self, _level: usize, window: Window) -> Price {
        let touched = groups(window, self.facts.pyramid.dimensions());
        let scratch = touched.area() * SCRATCH_PER_PIXEL + self.reader.length();
        let price = whole::price(window.dimensions(), self.facts.pixel, scratch, window);
        Price {
            pixels: touched.area(),
            ..price
        }
    }

    fn decode(&self, level: usize, window: Window, cancel: &Cancel) -> Result<Box<dyn Rows>> {
        whole::check_window(level, window, self.facts.pyramid.dimensions())?;
        let job = Job {
            reader: Arc::clone(&self.reader),
            window,
            pixel: self.facts.pixel,
            associated: self.associated,
            limits: self.limits.clone(),
            cancel: cancel.clone(),
        };
        let rows = WholeRows::new(window, self.facts.pixel, cancel, move || job.decode());
        Ok(self.colour.apply(Box::new(rows)))
    }
}

/// The groups that a window touches, with those that filters look at beside it.
fn groups(window: Window, image: Dimensions) -> Dimensions {
    let side = |start: u32, length: u32, most: u32| {
        let first = start.saturating_sub(GROUP_PX / 4) / GROUP_PX;
        let end = (u64::from(start) + u64::from(length) + u64::from(GROUP_PX / 4))
            .div_ceil(u64::from(GROUP_PX));
        let pixels = (end - u64::from(first)) * u64::from(GROUP_PX);
        u32::try_from(pixels).unwrap_or(most).min(most)
    };
    Dimensions {
        width: side(window.x, window.width, image.width),
        height: side(window.y, window.height, image.height),
    }
}

/// One window that is to be decoded.
struct Job {
    reader: Arc<dyn RangeReader>,
    window: Window,
    pixel: PixelFormat,
    associated: bool,
    limits: DecodeLimits,
    cancel: Cancel,
}

impl Job {
    fn decode(self) -> Result<Raster> {
        let image = self.read()?;
        self.cancel.check()?;
        let render = image.render_frame(0).map_err(failed)?;
        self.cancel.check()?;
        let mut stream = render.stream();
        let size = (stream.width(), stream.height());
        let (window, channels) = (self.window, self.pixel.channels.count());
        if size != (window.width, window.height) || stream.channels() as usize != channels {
            return Err(Error::internal(format!("a JPEG XL of {size:?}")));
        }
        let count = window.width as usize * window.height as usize * channels;
        let mut samples = Samples::zeroed(self.pixel, count / channels);
        let written = match &mut samples {
            Samples::U8(samples) => stream.write_to_buffer(samples),
            Samples::U16(samples) => stream.write_to_buffer(samples),
        };
        if written != count {
            return Err(Error::internal(format!("{written} samples of a JPEG XL")));
        }
        if self.associated {
            match &mut samples {
                Samples::U8(samples) => divide(samples, channels, u8::MAX),
                Samples::U16(samples) => divide(samples, channels, u16::MAX),
            }
        }
        Raster::new(window.dimensions(), self.pixel.channels, samples)
    }

    /// All that is stored, with the window as what is wanted of it.
    fn read(&self) -> Result<JxlImage> {
        let image = builder(&self.limits).read(stream(&self.reader));
        let mut image = image.map_err(|cause| match cause.downcast::<std::io::Error>() {
            Ok(cause) => stream::error(*cause),
            Err(cause) => failed(cause),
        })?;
        if profile(&image).is_none() {
            let intent = RenderingIntent::Relative;
            image.request_color_encoding(if self.pixel.channels.is_gray() {
                EnumColourEncoding::gray_srgb(intent)
            } else {
                EnumColourEncoding::srgb(intent)
            });
        }
        image.set_image_region(CropInfo {
            left: self.window.x,
            top: self.window.y,
            width: self.window.width,
            height: self.window.height,
        });
        Ok(image)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_have_lengths_of_four_or_eight_bytes_or_reach_to_the_end() {
        let (kind, content) = (*b"Exif", b"abc".as_slice());
        let found = |bytes: &'static [u8]| next_box(bytes);
        let wanted = |rest: &'static [u8]| Some((kind, content, rest));
        assert_eq!(found(b"\0\0\0\x0bExifabcrest"), wanted(b"rest"));
        assert_eq!(
            found(b"\0\0\0\x01Exif\0\0\0\0\0\0\0\x13abcrest"),
            wanted(b"rest")
        );
        assert_eq!(found(b"\0\0\0\0Exifabc"), wanted(b""));
        for cut in [
            &b""[..],
            b"\0\0\0\x0bExi",
            b"\0\0\0\x0bExifab",
            b"\0\0\0\x07Exifabc",
            b"\0\0\0\x01Exif\0\0\0\0\0\0\0\x0fabc",
            b"\0\0\0\x01Exif\0\0\0",
        ] {
            assert_eq!(found(cut), None, "{cut:?}");
        }
    }
}
