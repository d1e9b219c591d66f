//! Directory entries → what a pixel's samples mean; stored samples → gray, RGB and opacity.
//!
//! Refuses what this room does not read, with the reason. Where the samples lie is left to `layout`,
//! ICC profiles to the room's colour conversion.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::raster::{Channels, Depth, PixelFormat, Samples};

use super::directory::{Directory, File};
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
}

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
    /// Per sample, as stored: 1, 2, 4, 8 or 16.
    pub(super) bits: u8,
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
        let bits = bits(file, directory, samples)?;
        let ink = ink(file, directory, photometric, bits)?;
        let colours = if matches!(ink, Ink::Rgb) { 3 } else { 1 };
        if samples < colours {
            return Err(Error::corrupt("its pixels have too few samples"));
        }
        let (alpha, place) = alpha(file, directory, samples - colours)?.unzip();
        let picks = (0..colours).chain(place.map(|place: usize| colours + place));
        Ok(Self {
            bits,
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
            && (self.bits, self.samples, self.alpha) == (other.bits, other.samples, other.alpha)
    }

    /// What leaves [`Pixels::finish`].
    pub(super) fn format(&self) -> PixelFormat {
        let channels = match self.ink {
            Ink::Gray | Ink::InvertedGray => Channels::Gray,
            Ink::Palette(_) | Ink::Rgb => Channels::Rgb,
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

    /// What brings a sample of fewer than 8 bits to 0..=255; an index stays what it is.
    pub(super) fn spread(&self) -> u8 {
        match (&self.ink, self.bits) {
            (Ink::Palette(_), _) => 1,
            (_, 1) => 255,
            (_, 2) => 85,
            (_, 4) => 17,
            _ => 1,
        }
    }

    /// Whether the container's samples are those of a JPEG that stores luma and chroma.
    pub(super) fn is_ycbcr(&self) -> bool {
        self.photometric == photometric::YCBCR
    }

    /// The picked samples of some pixels as gray or RGB with straight opacity.
    pub(super) fn finish(&self, mut samples: Samples) -> Samples {
        let stride = self.picks.len();
        match (&self.ink, &mut samples) {
            (Ink::Palette(colours), Samples::U8(indices)) => {
                samples = Samples::U8(look_up(colours, indices, stride));
            }
            (Ink::InvertedGray, Samples::U8(all)) => invert(all, stride, |v| !v),
            (Ink::InvertedGray, Samples::U16(all)) => invert(all, stride, |v| !v),
            (Ink::Gray | Ink::Rgb | Ink::Palette(_), _) => {}
        }
        if self.alpha == Some(Alpha::Associated) {
            let channels = self.format().channels.count();
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
    let formats = file.numbers(directory, tags::SAMPLE_FORMAT, samples as u64)?;
    // 1 is unsigned, 4 says nothing.
    if formats.is_some_and(|all| all.iter().any(|format| !matches!(format, 1 | 4))) {
        return Err(Error::unsupported("its samples are not unsigned integers"));
    }
    match first {
        1 => Ok(1),
        2 => Ok(2),
        4 => Ok(4),
        8 => Ok(8),
        16 => Ok(16),
        other => Err(Error::unsupported(format!("samples of {other} bits"))),
    }
}

fn ink(file: &File, directory: &Directory, photometric: u64, bits: u8) -> Result<Ink> {
    match (photometric, bits) {
        (photometric::MIN_IS_BLACK, _) => Ok(Ink::Gray),
        (photometric::MIN_IS_WHITE, _) => Ok(Ink::InvertedGray),
        // Whether the samples of YCbCr are a JPEG's is for the layout to see.
        (photometric::RGB, 8 | 16) | (photometric::YCBCR, 8) => Ok(Ink::Rgb),
        (photometric::PALETTE, 1..=8) => palette(file, directory, bits),
        (photometric::RGB | photometric::YCBCR | photometric::PALETTE, _) => Err(
            Error::unsupported(format!("colours with samples of {bits} bits")),
        ),
        (other, _) => Err(Error::unsupported(photometric_name(other))),
    }
}

fn photometric_name(value: u64) -> String {
    match value {
        4 => "a transparency mask".into(),
        5 => "CMYK colours in a TIFF".into(),
        8..=10 => "CIE Lab colours".into(),
        32803 | 34892 => "raw sensor values".into(),
        32844 | 32845 => "LogLuv colours".into(),
        other => format!("photometric interpretation {other}"),
    }
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

/// The first of `extras` samples that is opacity, and its place among them.
fn alpha(file: &File, directory: &Directory, extras: usize) -> Result<Option<(Alpha, usize)>> {
    let kinds = file.numbers(directory, tags::EXTRA_SAMPLES, extras as u64)?;
    let mut kinds = kinds.unwrap_or_default().into_iter().enumerate();
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
