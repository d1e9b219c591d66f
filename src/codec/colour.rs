//! A master's colour profile → rows in sRGB, or in gray with sRGB's curve.
//!
//! The only file that knows the colour management library. Decoders hand over the profile that
//! they found and wrap their rows; opacity is never touched. A caller may rely on every pixel being
//! converted by itself: equal pixels give equal results wherever they stand in a strip, so a tile
//! equals its part of the whole.
//!
//! Conversion is relative colorimetric with black-point compensation, or perceptual: by the profile's
//! own curves and primaries through the library, whose blacks are 0 already, or by its tables
//! (`device`, `link`). Inks and L\*a\*b\* are [`Foreign`].

mod device;
mod foreign;
mod grid;
mod link;

mod standard;

use std::fmt;
use std::sync::{Arc, LazyLock};

use moxcms::{
    Chromaticity, CicpColorPrimaries, CicpProfile, ColorPrimaries, ColorProfile, DataColorSpace,
    Layout, MatrixCoefficients, ProfileClass, ProfileText, RenderingIntent, ToneReprCurve,
    TransferCharacteristics, Transform8BitExecutor, Transform16BitExecutor, TransformExecutor,
    TransformOptions,
};
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};

pub use standard::standard_profile;

use crate::error::{Error, Result};
use crate::raster::{Channels, Raster, Rows, Samples, Shape};

use super::DecodeLimits;
use link::Link;

pub(in crate::codec) use foreign::colours_of;
pub use foreign::{Foreign, LabRange};

/// Profiles that are kept ready: more than a collection usually mixes, at about 1 MiB each.
const KEPT_PROFILES: usize = 32;

/// Largest move of an 8-bit sample by a profile that counts as sRGB: what rounding alone does.
const SRGB_TOLERANCE: u8 = 1;

/// Pixels that the library sees at a time. Its vector code treats the pixels after the last full
/// group apart; blocks of one length, filled up at the end, keep every pixel in the same code.
const BLOCK_PIXELS: usize = 1024;

/// Longest profile name that is passed on, in characters.
const MAX_NAME: usize = 80;

/// A profile's digest, and what it is wanted for.
type Wanted = ([u8; 32], Channels, Intent);

static READY: LazyLock<Cache<Wanted, Colour>> = LazyLock::new(|| Cache::new(KEPT_PROFILES));

/// Which colours take the place of those that sRGB does not hold, and how dark black becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Intent {
    /// Colours that sRGB holds stay what they are; black becomes black (relative colorimetric with
    /// black-point compensation).
    #[default]
    Relative,
    /// As the profile's maker draws all colours together, where the profile says so.
    Perceptual,
}

/// What becomes of a master's colour profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ColourMode {
    /// Rows are converted to sRGB, gray to gray with sRGB's curve.
    #[default]
    Srgb,
    /// Rows of gray and RGB hold the samples as they are stored: whoever takes them keeps the profile.
    Keep,
}

/// Where a format's own words put its colours, as chromaticities x and y.
#[derive(Debug, Clone, Copy)]
pub(in crate::codec) struct Primaries {
    /// Of white.
    pub(in crate::codec) white: [f32; 2],
    /// Of red, green and blue.
    pub(in crate::codec) colours: [[f32; 2]; 3],
}

/// How a master's samples become sRGB's. Clones share one transform.
#[derive(Clone)]
pub struct Colour {
    name: Arc<str>,
    transform: Option<Arc<Transform>>,
    /// The space that rows keep, where that is wanted and it is not sRGB.
    kept: Option<Arc<KeptSpace>>,
}

/// A colour space that rows keep: whoever passes them on has to pass the profile on, or to convert them.
#[derive(Debug)]
pub struct KeptSpace {
    profile: Vec<u8>,
    srgb: Colour,
    is_gray: bool,
}

impl KeptSpace {
    /// The ICC profile.
    pub fn profile(&self) -> &[u8] {
        &self.profile
    }

    /// The way of its rows to sRGB, or to gray with sRGB's curve.
    pub fn srgb(&self) -> &Colour {
        &self.srgb
    }

    /// Whether it is a space of gray.
    pub fn is_gray(&self) -> bool {
        self.is_gray
    }
}

/// One profile's way to sRGB, in both depths.
enum Transform {
    /// By curves and primaries.
    Library {
        eight: Arc<Transform8BitExecutor>,
        sixteen: Arc<Transform16BitExecutor>,
    },
    /// By the profile's tables.
    Tables(Link),
    /// From linear light.
    Linear,
}

impl Colour {
    /// Samples without a profile: they are taken as sRGB's.
    pub fn untagged() -> Self {
        Self::identity("untagged")
    }

    /// Samples in linear light, with sRGB's primaries: what floating-point numbers without a profile are.
    pub(in crate::codec) fn linear() -> Self {
        Self {
            name: "untagged, linear".into(),
            transform: Some(Arc::new(Transform::Linear)),
            kept: None,
        }
    }

    /// Colours of these primaries under a power of light, as a format's own words give them. An exponent near
    /// 2.2 stands for sRGB's curve, as writers mean it. `None` for primaries that are none.
    ///
    /// Source: PNG, W3C Recommendation, third edition, 11.3.2.1, 11.3.2.2, 11.3.2.5.
    pub(in crate::codec) fn of_primaries(
        primaries: &Primaries,
        exponent: f32,
        alpha: bool,
    ) -> Option<Self> {
        let mut profile = ColorProfile::new_srgb();
        let place = |[x, y]: [f32; 2]| Chromaticity { x, y };
        let [red, green, blue] = primaries.colours.map(place);
        let all = [
            primaries.white,
            primaries.colours[0],
            primaries.colours[1],
            primaries.colours[2],
        ];
        let usable = all
            .iter()
            .all(|[x, y]| *x >= 0.0 && *y > 0.0 && x + y <= 1.0);
        if !usable || !(0.1..=10.0).contains(&exponent) {
            return None;
        }
        let white = place(primaries.white).to_xyyb();
        profile.update_rgb_colorimetry(white, ColorPrimaries { red, green, blue });
        profile.cicp = None;
        if (exponent - 2.2).abs() > 0.03 {
            let curve = ToneReprCurve::Parametric(vec![exponent]);
            profile.red_trc = Some(curve.clone());
            profile.green_trc = Some(curve.clone());
            profile.blue_trc = Some(curve);
        }
        Self::described(&profile, alpha, "RGB by its primaries")
    }

    /// Reference output medium metric RGB.
    ///
    /// Source: ISO 22028-2.
    pub(in crate::codec) fn romm(alpha: bool) -> Option<Self> {
        let mut profile = ColorProfile::new_srgb();
        let place = |x, y| Chromaticity { x, y };
        let colours = ColorPrimaries {
            red: place(0.7347, 0.2653),
            green: place(0.1596, 0.8404),
            blue: place(0.0366, 0.0001),
        };
        profile.update_rgb_colorimetry(place(0.3457, 0.3585).to_xyyb(), colours);
        profile.cicp = None;
        let curve = ToneReprCurve::Parametric(vec![1.8, 1.0, 0.0, 1.0 / 16.0, 1.0 / 32.0]);
        profile.red_trc = Some(curve.clone());
        profile.green_trc = Some(curve.clone());
        profile.blue_trc = Some(curve);
        Self::described(&profile, alpha, "ROMM RGB")
    }

    /// Colours by the numbers of ITU-T H.273 for primaries and curve; `None` for numbers without meaning here,
    /// and for light beyond a screen's white.
    ///
    /// Source: PNG, W3C Recommendation, third edition, 11.3.2.6; ITU-T H.273 (2024), 8.1, 8.2.
    pub(in crate::codec) fn of_code_points(primaries: u8, curve: u8, alpha: bool) -> Option<Self> {
        let transfer_characteristics = TransferCharacteristics::try_from(curve).ok()?;
        let beyond_white = matches!(
            transfer_characteristics,
            TransferCharacteristics::Smpte2084 | TransferCharacteristics::Hlg
        );
        let profile = ColorProfile::new_from_cicp(CicpProfile {
            color_primaries: CicpColorPrimaries::try_from(primaries).ok()?,
            transfer_characteristics,
            matrix_coefficients: MatrixCoefficients::Identity,
            full_range: true,
        });
        let known = !beyond_white && profile.red_trc.is_some();
        known.then(|| Self::described(&profile, alpha, "RGB by code points"))?
    }

    fn described(profile: &ColorProfile, alpha: bool, name: &str) -> Option<Self> {
        let channels = if alpha { Channels::Rgba } else { Channels::Rgb };
        let transform = Transform::new(profile, channels, Intent::Relative)?;
        if transform.is_identity(channels) {
            return Some(Self::identity("sRGB"));
        }
        Some(Self {
            name: name.into(),
            transform: Some(Arc::new(transform)),
            kept: None,
        })
    }

    /// The conversion that `profile` (an ICC profile) asks for on pixels of `channels`, relative
    /// colorimetric.
    ///
    /// No profile, or one whose effect is sRGB's, changes nothing. So does a profile that cannot be
    /// parsed or that is made for other channels: it is ignored, and the name says so.
    ///
    /// Source: ICC.1:2022; IEC 61966-2-1 for sRGB.
    ///
    /// # Errors
    ///
    /// [`crate::error::ErrorKind::NotImplemented`] for a profile of L\*a\*b\* samples.
    pub fn from_icc(profile: Option<&[u8]>, channels: Channels) -> Result<Self> {
        Self::with_intent(profile, channels, Intent::Relative)
    }

    /// The conversion that `profile` asks for on a master's pixels of `channels`, as `limits` want it; or none,
    /// where rows keep its space.
    ///
    /// # Errors
    ///
    /// As [`Colour::from_icc`].
    pub fn of_master(
        profile: Option<&[u8]>,
        channels: Channels,
        limits: &DecodeLimits,
    ) -> Result<Self> {
        let srgb = Self::with_intent(profile, channels, limits.intent)?;
        let (ColourMode::Keep, Some(profile), false) = (limits.colour, profile, srgb.is_identity())
        else {
            return Ok(srgb);
        };
        Ok(Self {
            name: Arc::clone(&srgb.name),
            transform: None,
            kept: Some(Arc::new(KeptSpace {
                profile: profile.to_vec(),
                srgb,
                is_gray: channels.is_gray(),
            })),
        })
    }

    fn with_intent(profile: Option<&[u8]>, channels: Channels, intent: Intent) -> Result<Self> {
        let Some(bytes) = profile else {
            return Ok(Self::untagged());
        };
        let key = (*blake3::hash(bytes).as_bytes(), channels, intent);
        READY.get_or_insert_with(&key, || Self::build(bytes, channels, intent))
    }

    fn build(bytes: &[u8], channels: Channels, intent: Intent) -> Result<Self> {
        let parsed = ColorProfile::new_from_slice(bytes).ok();
        let Some(profile) = parsed.filter(is_usable).map(device::in_light) else {
            return Ok(Self::unusable());
        };
        if profile.color_space == DataColorSpace::Lab {
            return Err(Error::unsupported("its colour profile is for L*a*b*"));
        }
        let (wanted, kind) = if channels.is_gray() {
            (DataColorSpace::Gray, "gray")
        } else {
            (DataColorSpace::Rgb, "RGB")
        };
        if profile.color_space != wanted {
            return Ok(Self::unusable());
        }
        let Some(transform) = Transform::new(&profile, channels, intent) else {
            return Ok(Self::unusable());
        };
        if transform.is_identity(channels) {
            return Ok(Self::identity("sRGB"));
        }
        Ok(Self {
            name: name_of(&profile, kind).into(),
            transform: Some(Arc::new(transform)),
            kept: None,
        })
    }

    fn identity(name: &str) -> Self {
        Self {
            name: name.into(),
            transform: None,
            kept: None,
        }
    }

    fn unusable() -> Self {
        Self::identity("untagged (unusable profile)")
    }

    /// The space that rows keep, if it is another than sRGB.
    pub fn kept(&self) -> Option<&KeptSpace> {
        self.kept.as_deref()
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
    fn new(profile: &ColorProfile, channels: Channels, intent: Intent) -> Option<Self> {
        if !channels.is_gray()
            && let Some(link) = Link::of_profile(profile, 3, intent)
        {
            return Some(Self::Tables(link));
        }
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
        Some(Self::Library {
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
        let probe = Samples::U8(probe(channels));
        match (&probe, self.convert(&probe, channels)) {
            (Samples::U8(before), Ok(Samples::U8(after))) => before
                .iter()
                .zip(&after)
                .all(|(before, after)| before.abs_diff(*after) <= SRGB_TOLERANCE),
            _ => false,
        }
    }

    fn run(&self, strip: &Raster) -> Result<Raster> {
        let channels = strip.format().channels;
        let samples = self.convert(strip.samples(), channels)?;
        Raster::new(strip.dimensions(), channels, samples)
    }

    fn convert(&self, samples: &Samples, channels: Channels) -> Result<Samples> {
        let count = channels.count();
        match (self, samples) {
            (Self::Tables(link), _) => Ok(link.run(samples, count)),
            (Self::Linear, _) => Ok(link::from_linear(samples, channels)),
            (Self::Library { eight, .. }, Samples::U8(samples)) => {
                convert(eight.as_ref(), samples, count).map(Samples::U8)
            }
            (Self::Library { sixteen, .. }, Samples::U16(samples)) => {
                convert(sixteen.as_ref(), samples, count).map(Samples::U16)
            }
        }
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

/// Whether a profile says how a device's colours look, and not how those of one become another's.
///
/// Source: ICC.1:2022, 7.2.5, 7.2.7.
fn is_usable(profile: &ColorProfile) -> bool {
    let is_class = match profile.profile_class {
        ProfileClass::InputDevice
        | ProfileClass::DisplayDevice
        | ProfileClass::OutputDevice
        | ProfileClass::ColorSpace => true,
        ProfileClass::Abstract => profile.color_space == DataColorSpace::Lab,
        ProfileClass::DeviceLink | ProfileClass::Named => false,
    };
    is_class && matches!(profile.pcs, DataColorSpace::Xyz | DataColorSpace::Lab)
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
fn name_of(profile: &ColorProfile, kind: &str) -> String {
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
    if name.is_empty() {
        format!("{kind} profile without a name")
    } else {
        name
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
pub(in crate::codec) mod tests;
