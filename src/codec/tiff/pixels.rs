//! Directory entries → what a pixel's samples mean; stored samples → gray, RGB and opacity.
//!
//! Refuses what this room does not read, with the reason. Where the samples lie is left to `layout`,
//! ICC profiles to the room's colour conversion.

use std::sync::Arc;

use crate::codec::LabRange;
use crate::error::{Error, Result};
use crate::raster::{Channels, Depth, PixelFormat, Samples};

use super::directory::{Directory, File};
use super::samples::Kind;
use super::tags::{self, photometric};

/// What the first samples of a pixel are.
#[derive(Debug, Clone)]
pub(super) enum Ink {
    /// Luminance, 0 is black.
    Gray,
    /// Luminance, 0 is white.
    InvertedGray,
    /// An index into these colours.
    Palette(Arc<[[u8; 3]]>),
    /// Red, green, blue.
    Rgb,
    /// Cyan, magenta, yellow, black; 0 is no ink.
    Cmyk,
    /// L\*a\*b\* in one of three codings.
    Lab(Lab),
}

/// How L\*, a\* and b\* stand in their samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lab {
    /// a\* and b\* in two's complement (TIFF 6.0, section 23).
    Cie,
    /// All unsigned, as in ICC profiles (Adobe Photoshop TIFF Technical Notes, 2002).
    Icc,
    /// All unsigned, over the range of ITU-T T.42 (RFC 3949, 6.2.2).
    Itu,
}

impl Ink {
    /// Samples of a colour.
    pub(super) fn colours(&self) -> usize {
        match self {
            Self::Gray | Self::InvertedGray | Self::Palette(_) => 1,
            Self::Rgb | Self::Lab(_) => 3,
            Self::Cmyk => 4,
        }
    }

    /// Whether its colours leave this room as they are stored, to be mixed.
    pub(super) fn is_foreign(&self) -> bool {
        matches!(self, Self::Cmyk | Self::Lab(_))
    }
}

impl Lab {
    /// The numbers of the least and the largest sample.
    pub(super) fn range(self, depth: Depth) -> LabRange {
        match (self, depth) {
            (Self::Itu, _) => [(0.0, 100.0), (-85.333, 84.667), (-75.294, 124.706)],
            (Self::Cie | Self::Icc, Depth::Eight) => {
                [(0.0, 100.0), (-128.0, 127.0), (-128.0, 127.0)]
            }
            (Self::Cie, Depth::Sixteen) => [(0.0, 100.0), WIDE, WIDE],
            (Self::Icc, Depth::Sixteen) => [(0.0, 65535.0 / 652.8), WIDE, WIDE],
        }
    }
}

/// a\* and b\* in 16 bits, of which 8 are behind the point.
const WIDE: (f32, f32) = (-128.0, 65535.0 / 256.0 - 128.0);

/// What the opacity has been done to the colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alpha {
    /// Nothing: `ExtraSamples` 2.
    Straight,
    /// They are multiplied with it: `ExtraSamples` 1.
    Associated,
}

/// The samples of a pixel and their meaning.
#[derive(Debug, Clone)]
pub(super) struct Pixels {
    /// Per sample, as stored: 1 to 32, or 64.
    pub(super) bits: u8,
    pub(super) kind: Kind,
    /// Of a pixel, as stored.
    pub(super) samples: usize,
    pub(super) ink: Ink,
    pub(super) alpha: Option<Alpha>,
    /// The stored samples that are read: colours, then opacity.
    pub(super) picks: Vec<usize>,
    /// The tag's value, to compare directories.
    photometric: u64,
}

impl Pixels {
    /// Reads what the samples of `directory` mean.
    pub(super) fn read(file: &File, directory: &Directory) -> Result<Self> {
        let photometric = file
            .number(directory, tags::PHOTOMETRIC)?
            .ok_or_else(|| Error::corrupt("it does not say what its samples mean"))?;
        let samples = file
            .number(directory, tags::SAMPLES_PER_PIXEL)?
            .unwrap_or(1);
        let samples = usize::from(
            u16::try_from(samples)
                .ok()
                .filter(|samples| *samples > 0)
                .ok_or_else(|| Error::corrupt(format!("a pixel of {samples} samples")))?,
        );
        let is_log = matches!(photometric, photometric::LOG_L | photometric::LOG_LUV);
        // What logarithms of light are shown as, whatever the tags say of their samples.
        let bits = if is_log {
            8
        } else {
            bits(file, directory, samples)?
        };
        let ink = ink(file, directory, photometric, bits)?;
        let kind = if is_log {
            Kind::Unsigned
        } else {
            kind(file, directory, samples, bits, &ink)?
        };
        let colours = ink.colours();
        if samples < colours {
            return Err(Error::corrupt("its pixels have too few samples"));
        }
        let (alpha, place) = alpha(file, directory, &ink, samples - colours)?.unzip();
        let picks = (0..colours).chain(place.map(|place: usize| colours + place));
        Ok(Self {
            bits,
            kind,
            samples,
            picks: picks.collect(),
            ink,
            alpha,
            photometric,
        })
    }

    /// Whether directories with these pixels can be levels of one image.
    pub(super) fn alike(&self, other: &Self) -> bool {
        let kind = |pixels: &Self| match pixels.photometric {
            photometric::YCBCR => photometric::RGB,
            other => other,
        };
        kind(self) == kind(other)
            && (self.bits, self.kind, self.samples, self.alpha)
                == (other.bits, other.kind, other.samples, other.alpha)
    }

    /// What leaves [`Pixels::finish`].
    pub(super) fn format(&self) -> PixelFormat {
        let channels = match self.ink {
            Ink::Gray | Ink::InvertedGray => Channels::Gray,
            Ink::Palette(_) | Ink::Rgb | Ink::Cmyk | Ink::Lab(_) => Channels::Rgb,
        };
        PixelFormat {
            channels: match self.alpha {
                Some(_) => channels.with_alpha(),
                None => channels,
            },
            depth: self.depth(),
        }
    }

    /// Of a sample in memory.
    pub(super) fn depth(&self) -> Depth {
        if self.bits > 8 {
            Depth::Sixteen
        } else {
            Depth::Eight
        }
    }

    /// Whether a sample of fewer than 8 bits is brought to 0..=255; an index stays what it is.
    pub(super) fn scaled(&self) -> bool {
        !matches!(self.ink, Ink::Palette(_))
    }

    /// Whether the container's samples are those of a JPEG that stores luma and chroma.
    pub(super) fn is_ycbcr(&self) -> bool {
        self.photometric == photometric::YCBCR
    }

    /// Whether the samples are logarithms of light, which a compression of their own holds.
    pub(super) fn is_log(&self) -> bool {
        matches!(self.photometric, photometric::LOG_L | photometric::LOG_LUV)
    }

    /// The picked samples of some pixels as gray, RGB, inks or L\*a\*b\* over the range of its samples, with
    /// straight opacity.
    pub(super) fn finish(&self, mut samples: Samples) -> Samples {
        let stride = self.picks.len();
        match (&self.ink, &mut samples) {
            (Ink::Palette(colours), Samples::U8(indices)) => {
                samples = Samples::U8(look_up(colours, indices, stride));
            }
            (Ink::InvertedGray, Samples::U8(all)) => invert(all, stride, |v| !v),
            (Ink::InvertedGray, Samples::U16(all)) => invert(all, stride, |v| !v),
            (Ink::Lab(Lab::Cie), Samples::U8(all)) => offset(all, stride, |v| v ^ 0x80),
            (Ink::Lab(Lab::Cie), Samples::U16(all)) => offset(all, stride, |v| v ^ 0x8000),
            (Ink::Gray | Ink::Rgb | Ink::Palette(_) | Ink::Cmyk | Ink::Lab(_), _) => {}
        }
        if self.alpha == Some(Alpha::Associated) {
            let channels = if self.ink.is_foreign() {
                stride
            } else {
                self.format().channels.count()
            };
            match &mut samples {
                Samples::U8(all) => divide_u8(all, channels),
                Samples::U16(all) => divide_u16(all, channels),
            }
        }
        samples
    }
}

fn bits(file: &File, directory: &Directory, samples: usize) -> Result<u8> {
    let all = file
        .numbers(directory, tags::BITS_PER_SAMPLE, samples as u64)?
        .unwrap_or_else(|| vec![1]);
    let first = all.first().copied().unwrap_or(1);
    if all.iter().any(|bits| *bits != first) {
        return Err(Error::unsupported("its samples have several depths"));
    }
    let known = matches!(first, 1..=32 | 64);
    let bits = u8::try_from(first).ok().filter(|_| known);
    bits.ok_or_else(|| Error::unsupported(format!("samples of {first} bits")))
}

fn kind(file: &File, directory: &Directory, samples: usize, bits: u8, ink: &Ink) -> Result<Kind> {
    let formats = file.numbers(directory, tags::SAMPLE_FORMAT, samples as u64)?;
    let formats = formats.unwrap_or_default();
    let first = formats.first().copied().unwrap_or(1);
    if matches!(ink, Ink::Lab(_)) && formats.iter().all(|format| matches!(format, 1 | 2 | 4)) {
        // Some writers call a* and b* signed, others do not.
        return Ok(Kind::Unsigned);
    }
    if formats.iter().any(|format| *format != first) {
        return Err(Error::unsupported("its samples are of several kinds"));
    }
    match (first, bits) {
        // 4 says nothing.
        (1 | 4, _) => Ok(Kind::Unsigned),
        (2, 2..) if !matches!(ink, Ink::Palette(_)) => Ok(Kind::Signed),
        (3, 16 | 24 | 32 | 64) if !ink.is_foreign() => Ok(Kind::Float),
        (5 | 6, _) => Err(Error::unsupported("its samples are complex numbers")),
        (kind, _) => Err(Error::unsupported(format!(
            "samples of {bits} bits and kind {kind}"
        ))),
    }
}

fn ink(file: &File, directory: &Directory, photometric: u64, bits: u8) -> Result<Ink> {
    match (photometric, bits) {
        (photometric::MIN_IS_BLACK | photometric::LOG_L, _) => Ok(Ink::Gray),
        (photometric::MIN_IS_WHITE, _) => Ok(Ink::InvertedGray),
        // How YCbCr becomes RGB is for the layout to see.
        (photometric::RGB | photometric::LOG_LUV, _) | (photometric::YCBCR, 8) => Ok(Ink::Rgb),
        (photometric::PALETTE, 1..=8) => palette(file, directory, bits),
        (photometric::SEPARATED, _) => inks(file, directory),
        (photometric::CIE_LAB, 8 | 16) => Ok(Ink::Lab(Lab::Cie)),
        (photometric::ICC_LAB, 8 | 16) => Ok(Ink::Lab(Lab::Icc)),
        (photometric::ITU_LAB, 8) => Ok(Ink::Lab(Lab::Itu)),
        (
            photometric::YCBCR
            | photometric::PALETTE
            | photometric::CIE_LAB
            | photometric::ICC_LAB
            | photometric::ITU_LAB,
            _,
        ) => Err(Error::unsupported(format!(
            "{} with samples of {bits} bits",
            photometric_name(photometric)
        ))),
        (other, _) => Err(Error::unsupported(photometric_name(other))),
    }
}

fn photometric_name(value: u64) -> String {
    match value {
        4 => "a transparency mask".into(),
        photometric::PALETTE => "a palette".into(),
        photometric::YCBCR => "YCbCr colours".into(),
        photometric::CIE_LAB..=photometric::ITU_LAB => "CIE L*a*b* colours".into(),
        32803 | 34892 => "raw sensor values".into(),
        other => format!("photometric interpretation {other}"),
    }
}

/// Cyan, magenta, yellow and black, whatever else the pixels hold.
///
/// Source: TIFF 6.0, section 16: `InkSet` 1 is CMYK.
fn inks(file: &File, directory: &Directory) -> Result<Ink> {
    let set = file.number(directory, tags::INK_SET)?.unwrap_or(1);
    let count = file.number(directory, tags::NUMBER_OF_INKS)?.unwrap_or(4);
    if set == 1 && count == 4 {
        return Ok(Ink::Cmyk);
    }
    Err(Error::unsupported(
        "inks other than cyan, magenta, yellow and black",
    ))
}

/// The colours of a palette: three tables of 16 bits, of which the upper 8 are kept.
///
/// Tables in which no value needs more than 8 bits are taken as such, as their writers meant them.
fn palette(file: &File, directory: &Directory, bits: u8) -> Result<Ink> {
    let count = 1_usize << bits;
    let table = file.numbers(directory, tags::COLOUR_MAP, 3 * count as u64)?;
    let table = table
        .filter(|table| table.len() == 3 * count)
        .ok_or_else(|| Error::corrupt("its palette is not complete"))?;
    let shift = if table.iter().all(|value| *value < 256) {
        0
    } else {
        8
    };
    let channel = |at: usize| u8::try_from(table[at] >> shift & 0xff).expect("masked to 8 bits");
    let colour = |at| [channel(at), channel(count + at), channel(2 * count + at)];
    Ok(Ink::Palette((0..count).map(colour).collect()))
}

/// The first of `extras` samples that is opacity, and its place among them. A single one behind red, green and
/// blue is opacity where nothing is said of it, as other readers have it.
fn alpha(
    file: &File,
    directory: &Directory,
    ink: &Ink,
    extras: usize,
) -> Result<Option<(Alpha, usize)>> {
    let Some(kinds) = file.numbers(directory, tags::EXTRA_SAMPLES, extras as u64)? else {
        let is_opacity = matches!(ink, Ink::Rgb) && extras == 1;
        return Ok(is_opacity.then_some((Alpha::Straight, 0)));
    };
    let mut kinds = kinds.into_iter().enumerate();
    Ok(kinds.find_map(|(place, kind)| match kind {
        1 => Some((Alpha::Associated, place)),
        2 => Some((Alpha::Straight, place)),
        _ => None,
    }))
}

fn look_up(colours: &[[u8; 3]], indices: &[u8], stride: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(indices.len() * (stride + 2) / stride);
    for pixel in indices.chunks_exact(stride) {
        let index = usize::from(pixel[0]);
        out.extend_from_slice(colours.get(index).unwrap_or(&[0; 3]));
        out.extend_from_slice(&pixel[1..]);
    }
    out
}

/// The second and third sample of each pixel, changed.
fn offset<T: Copy>(samples: &mut [T], stride: usize, to: fn(T) -> T) {
    for pixel in samples.chunks_exact_mut(stride) {
        for sample in pixel.iter_mut().skip(1).take(2) {
            *sample = to(*sample);
        }
    }
}

fn invert<T: Copy>(samples: &mut [T], stride: usize, not: fn(T) -> T) {
    for sample in samples.iter_mut().step_by(stride) {
        *sample = not(*sample);
    }
}

/// Colours divided by their opacity, rounded half up; where that is 0 they are 0.
fn divide_u8(samples: &mut [u8], channels: usize) {
    for pixel in samples.chunks_exact_mut(channels) {
        let Some((alpha, colours)) = pixel.split_last_mut() else {
            continue;
        };
        for colour in colours {
            *colour = straight(u32::from(*colour), u32::from(*alpha), 255)
                .try_into()
                .unwrap_or(u8::MAX);
        }
    }
}

/// As [`divide_u8`].
fn divide_u16(samples: &mut [u16], channels: usize) {
    for pixel in samples.chunks_exact_mut(channels) {
        let Some((alpha, colours)) = pixel.split_last_mut() else {
            continue;
        };
        for colour in colours {
            *colour = straight(u32::from(*colour), u32::from(*alpha), 65535)
                .try_into()
                .unwrap_or(u16::MAX);
        }
    }
}

fn straight(colour: u32, alpha: u32, full: u32) -> u32 {
    // 65535 · 65535 + 32767 fits 32 bits.
    (colour * full + alpha / 2).checked_div(alpha).unwrap_or(0)
}
