//! A master's colour profile → rows in sRGB, or in gray with sRGB's curve.
//!
//! The only file that knows the colour management library. Decoders hand over the profile that
//! they found and wrap their rows; opacity is never touched. A caller may rely on every pixel being
//! converted by itself: equal pixels give equal results wherever they stand in a strip, so a tile
//! equals its part of the whole.
//!
//! Conversion is relative colorimetric without black-point compensation, by the profile's own curves
//! and primaries (or its tables, where it has those), in fixed point where the library offers it.

use std::fmt;
use std::sync::{Arc, LazyLock};

use moxcms::{
    ColorProfile, DataColorSpace, Layout, ProfileText, RenderingIntent, ToneReprCurve,
    Transform8BitExecutor, Transform16BitExecutor, TransformExecutor, TransformOptions,
};
use quick_cache::sync::Cache;

use crate::error::{Error, Result};
use crate::raster::{Channels, Raster, Rows, Samples, Shape};

/// Profiles that are kept ready: more than a collection usually mixes, at about 1 MiB each.
const KEPT_PROFILES: usize = 32;

/// Largest move of an 8-bit sample by a profile that counts as sRGB: what rounding alone does.
const SRGB_TOLERANCE: u8 = 1;

/// Pixels that the library sees at a time. Its vector code treats the pixels after the last full
/// group apart; blocks of one length, filled up at the end, keep every pixel in the same code.
const BLOCK_PIXELS: usize = 1024;

/// Longest profile name that is passed on, in characters.
const MAX_NAME: usize = 80;

static READY: LazyLock<Cache<([u8; 32], Channels), Colour>> =
    LazyLock::new(|| Cache::new(KEPT_PROFILES));

/// What becomes of a master's colour profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ColourMode {
    /// Rows are converted to sRGB.
    #[default]
    Srgb,
    /// Rows hold the samples as they are stored: whoever takes them keeps the profile.
    Keep,
}

/// How a master's samples become sRGB's. Clones share one transform.
#[derive(Clone)]
pub struct Colour {
    name: Arc<str>,
    transform: Option<Arc<Transform>>,
}

/// One profile's way to sRGB, in both depths.
struct Transform {
    eight: Arc<Transform8BitExecutor>,
    sixteen: Arc<Transform16BitExecutor>,
}

impl Colour {
    /// Samples without a profile: they are taken as sRGB's.
    pub fn untagged() -> Self {
        Self::identity("untagged")
    }

    /// The conversion that `profile` (an ICC profile) asks for on pixels of `channels`.
    ///
    /// No profile, or one whose effect is sRGB's, changes nothing. So does a profile that cannot be
    /// parsed or that is made for other channels: it is ignored, and the name says so.
    ///
    /// Source: ICC.1:2022; IEC 61966-2-1 for sRGB.
    ///
    /// # Errors
    ///
    /// [`crate::error::ErrorKind::NotImplemented`] for a profile of ink or L\*a\*b\* samples.
    pub fn from_icc(profile: Option<&[u8]>, channels: Channels) -> Result<Self> {
        let Some(bytes) = profile else {
            return Ok(Self::untagged());
        };
        let key = (*blake3::hash(bytes).as_bytes(), channels);
        READY.get_or_insert_with(&key, || Self::build(bytes, channels))
    }

    fn build(bytes: &[u8], channels: Channels) -> Result<Self> {
        let Ok(profile) = ColorProfile::new_from_slice(bytes) else {
            return Ok(Self::unusable());
        };
        let space = profile.color_space;
        if matches!(space, DataColorSpace::Cmyk | DataColorSpace::Cmy) {
            return Err(Error::unsupported("its colour profile is for inks"));
        }
        if space == DataColorSpace::Lab {
            return Err(Error::unsupported("its colour profile is for L*a*b*"));
        }
        let wanted = if channels.is_gray() {
            DataColorSpace::Gray
        } else {
            DataColorSpace::Rgb
        };
        if space != wanted {
            return Ok(Self::unusable());
        }
        let Some(transform) = Transform::new(&profile, channels) else {
            return Ok(Self::unusable());
        };
        if transform.is_identity(channels) {
            return Ok(Self::identity("sRGB"));
        }
        Ok(Self {
            name: name_of(&profile, channels).into(),
            transform: Some(Arc::new(transform)),
        })
    }

    fn identity(name: &str) -> Self {
        Self {
            name: name.into(),
            transform: None,
        }
    }

    fn unusable() -> Self {
        Self::identity("untagged (unusable profile)")
    }

    /// The same colour space, with rows as `mode` wants them.
    #[must_use]
    pub fn in_mode(self, mode: ColourMode) -> Self {
        match mode {
            ColourMode::Srgb => self,
            ColourMode::Keep => Self {
                transform: None,
                ..self
            },
        }
    }

    /// The colour space as stored, for people: `sRGB`, `Display P3`, `untagged`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether samples stay what they are.
    pub fn is_identity(&self) -> bool {
        self.transform.is_none()
    }

    /// `rows` in sRGB. Without a conversion they are given back as they are.
    pub fn apply(&self, rows: Box<dyn Rows>) -> Box<dyn Rows> {
        match &self.transform {
            None => rows,
            Some(transform) => Box::new(Converted {
                rows,
                transform: Arc::clone(transform),
                failed: false,
            }),
        }
    }
}

impl fmt::Debug for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Colour({})", self.name)
    }
}

impl Transform {
    /// `None` where the library knows no way from `profile` to sRGB.
    fn new(profile: &ColorProfile, channels: Channels) -> Option<Self> {
        let target = if channels.is_gray() {
            gray_srgb()
        } else {
            ColorProfile::new_srgb()
        };
        let layout = match channels {
            Channels::Gray => Layout::Gray,
            Channels::GrayAlpha => Layout::GrayAlpha,
            Channels::Rgb => Layout::Rgb,
            Channels::Rgba => Layout::Rgba,
        };
        let options = TransformOptions {
            rendering_intent: RenderingIntent::RelativeColorimetric,
            allow_use_cicp_transfer: false,
            ..TransformOptions::default()
        };
        Some(Self {
            eight: profile
                .create_transform_8bit(layout, &target, layout, options)
                .ok()?,
            sixteen: profile
                .create_transform_16bit(layout, &target, layout, options)
                .ok()?,
        })
    }

    /// Whether colours all over the cube (all levels of gray) stay where they are.
    fn is_identity(&self, channels: Channels) -> bool {
        let probe = probe(channels);
        let Ok(moved) = convert(self.eight.as_ref(), &probe, channels.count()) else {
            return false;
        };
        probe
            .iter()
            .zip(&moved)
            .all(|(before, after)| before.abs_diff(*after) <= SRGB_TOLERANCE)
    }

    fn run(&self, strip: &Raster) -> Result<Raster> {
        let dimensions = strip.dimensions();
        let channels = strip.format().channels;
        let samples = match strip.samples() {
            Samples::U8(samples) => {
                Samples::U8(convert(self.eight.as_ref(), samples, channels.count())?)
            }
            Samples::U16(samples) => {
                Samples::U16(convert(self.sixteen.as_ref(), samples, channels.count())?)
            }
        };
        Raster::new(dimensions, channels, samples)
    }
}

/// Converts whole blocks, then the rest in a block that is filled up with zeroes.
fn convert<V: Copy + Default>(
    transform: &(dyn TransformExecutor<V> + Send + Sync),
    samples: &[V],
    channels: usize,
) -> Result<Vec<V>> {
    let block = BLOCK_PIXELS * channels;
    let mut converted = vec![V::default(); samples.len()];
    let mut sources = samples.chunks_exact(block);
    let mut targets = converted.chunks_exact_mut(block);
    for (source, target) in sources.by_ref().zip(targets.by_ref()) {
        transform.transform(source, target).map_err(failed)?;
    }
    let (rest, target) = (sources.remainder(), targets.into_remainder());
    if !rest.is_empty() {
        let mut padded = rest.to_vec();
        padded.resize(block, V::default());
        let mut result = vec![V::default(); block];
        transform.transform(&padded, &mut result).map_err(failed)?;
        for (target, value) in target.iter_mut().zip(result) {
            *target = value;
        }
    }
    Ok(converted)
}

fn failed(cause: moxcms::CmsError) -> Error {
    Error::internal("converting colours").with_source(cause)
}

/// Gray with sRGB's curve, as a profile.
fn gray_srgb() -> ColorProfile {
    let mut profile = ColorProfile::new_gray_with_gamma(2.2);
    profile.gray_trc = Some(ToneReprCurve::Parametric(vec![
        2.4,
        1.0 / 1.055,
        0.055 / 1.055,
        1.0 / 12.92,
        0.04045,
    ]));
    profile
}

/// Opaque pixels: every level of gray, or a grid of 18 levels a side over the cube.
fn probe(channels: Channels) -> Vec<u8> {
    const STEP: usize = 15;
    let opacity = channels.has_alpha().then_some(u8::MAX);
    let mut samples = Vec::new();
    if channels.is_gray() {
        for level in 0..=u8::MAX {
            samples.push(level);
            samples.extend(opacity);
        }
        return samples;
    }
    for red in (0..=u8::MAX).step_by(STEP) {
        for green in (0..=u8::MAX).step_by(STEP) {
            for blue in (0..=u8::MAX).step_by(STEP) {
                samples.extend([red, green, blue]);
                samples.extend(opacity);
            }
        }
    }
    samples
}

/// The profile's own description, fit for a line of text.
fn name_of(profile: &ColorProfile, channels: Channels) -> String {
    let described = match &profile.description {
        Some(ProfileText::PlainString(text)) => text.as_str(),
        Some(ProfileText::Localizable(texts)) => {
            texts.first().map_or("", |text| text.value.as_str())
        }
        Some(ProfileText::Description(text)) => text.ascii_string.as_str(),
        None => "",
    };
    let name: String = described
        .trim_matches(|c: char| c.is_whitespace() || c.is_control())
        .chars()
        .filter(|c| !c.is_control())
        .take(MAX_NAME)
        .collect();
    match (name.is_empty(), channels.is_gray()) {
        (false, _) => name,
        (true, true) => "gray profile without a name".to_owned(),
        (true, false) => "RGB profile without a name".to_owned(),
    }
}

/// Rows on their way to sRGB.
struct Converted {
    rows: Box<dyn Rows>,
    transform: Arc<Transform>,
    failed: bool,
}

impl Rows for Converted {
    fn shape(&self) -> Shape {
        self.rows.shape()
    }

    fn next_strip(&mut self) -> Result<Option<Raster>> {
        if self.failed {
            return Ok(None);
        }
        let Some(strip) = self.rows.next_strip()? else {
            return Ok(None);
        };
        let converted = self.transform.run(&strip);
        self.failed = converted.is_err();
        converted.map(Some)
    }
}

#[cfg(test)]
mod tests;
