//! Components, palette and definitions → the channels of a pixel.
//!
//! Decides which component (or palette column) is which channel, whether colours are YCC, and what is
//! not read. It leaves samples alone; those are in the decoder's half.
//!
//! Source: ISO/IEC 15444-1 I.5.3.3 to I.5.3.6.

use crate::error::{Error, Result};
use crate::raster::{Channels, Depth, PixelFormat};

use super::boxes::{ColourSpec, Container, Definition, Precision};
use super::codestream::Component;
use super::palette::Palette;

/// A channel definition that says: opacity (Table I.16).
const OPACITY: u16 = 1;

/// A channel definition that says: opacity by which the colours are multiplied (Table I.16).
const PREMULTIPLIED_OPACITY: u16 = 2;

/// Coarsest sampling of a chroma component against luma: 4:1:0 has 4.
const MAX_RATIO: u8 = 4;

/// How the samples of a pixel are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) format: PixelFormat,
    /// Most bits of a channel as stored.
    pub(super) bits: u8,
    /// One for each channel of `format`, in its order.
    pub(super) sources: Vec<Source>,
    /// Whether the first three channels are luma and two chroma.
    pub(super) is_ycc: bool,
    /// Whether the colours are multiplied by opacity.
    pub(super) is_premultiplied: bool,
    pub(super) palette: Option<Palette>,
}

/// Where a channel's samples come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) component: usize,
    /// The palette's column that the component is an index for.
    pub(super) column: Option<usize>,
    /// Of the samples, after the palette.
    pub(super) precision: Precision,
}

/// The roles that channels have been given.
#[derive(Default)]
struct Roles {
    colours: Vec<usize>,
    opacity: Option<usize>,
    is_premultiplied: bool,
}

impl Layout {
    pub(super) fn new(container: &Container, components: &[Component]) -> Result<Self> {
        let channels = channel_sources(container, components)?;
        if let ColourSpec::Foreign(reason) = container.colour {
            return Err(Error::unsupported(reason));
        }
        let colours = if container.colour == ColourSpec::Unknown {
            shown(components, channels.len())
        } else {
            colour_count(&container.colour)?
        };
        let roles = if container.definitions.is_empty() {
            let may_be_opacity = container.colour != ColourSpec::Unknown
                || (channels.len() == 2 && are_sampled_alike(components));
            Roles::by_order(colours, channels.len(), may_be_opacity)?
        } else {
            Roles::defined(&container.definitions, colours)?
        };
        let sources = roles
            .colours
            .iter()
            .chain(&roles.opacity)
            .map(|channel| channels.get(*channel).copied())
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| Error::corrupt("a colour has no channel"))?;
        let is_ycc = is_ycc(container, components, &sources)?;
        let bits = sources.iter().map(|source| source.precision.bits).max();
        let bits = bits.unwrap_or(8);
        Ok(Self {
            format: PixelFormat {
                channels: pixel_channels(colours, roles.opacity.is_some()),
                depth: if bits <= 8 {
                    Depth::Eight
                } else {
                    Depth::Sixteen
                },
            },
            bits,
            sources,
            is_ycc,
            is_premultiplied: roles.is_premultiplied,
            palette: container.palette.clone(),
        })
    }

    /// Bits of the first channel; YCC's three have the same.
    pub(super) fn bits_of_first(&self) -> u8 {
        self.sources
            .first()
            .map_or(8, |source| source.precision.bits)
    }

    /// The component whose sampling is the pixels' own.
    pub(super) fn base(&self) -> usize {
        self.sources.first().map_or(0, |source| source.component)
    }
}

const fn pixel_channels(colours: usize, has_opacity: bool) -> Channels {
    match (colours, has_opacity) {
        (1, false) => Channels::Gray,
        (1, true) => Channels::GrayAlpha,
        (_, false) => Channels::Rgb,
        (_, true) => Channels::Rgba,
    }
}

/// The channels before they have roles: palette columns and components, or all components in order.
fn channel_sources(container: &Container, components: &[Component]) -> Result<Vec<Source>> {
    let Some(palette) = &container.palette else {
        let direct = components.iter().enumerate();
        return Ok(direct
            .map(|(index, component)| Source {
                component: index,
                column: None,
                precision: component.precision,
            })
            .collect());
    };
    if container.mapping.is_empty() {
        return Err(Error::corrupt("its palette is not mapped to channels"));
    }
    if container.mapping.len() > 4 {
        return Err(Error::unsupported("it has more than four channels"));
    }
    let mapped = |mapping: &super::boxes::Mapping| {
        let component = usize::from(mapping.component);
        let precision = components.get(component)?.precision;
        let Some(column) = mapping.column.map(usize::from) else {
            return Some(Source {
                component,
                column: None,
                precision,
            });
        };
        Some(Source {
            component,
            column: Some(column),
            precision: *palette.columns.get(column)?,
        })
    };
    let channels = container.mapping.iter().map(mapped);
    channels
        .collect::<Option<Vec<_>>>()
        .ok_or_else(|| Error::corrupt("a channel is mapped to nothing"))
}

/// 1 or 3 colour channels.
fn colour_count(colour: &ColourSpec) -> Result<usize> {
    Ok(match colour {
        ColourSpec::Gray => 1,
        ColourSpec::Srgb | ColourSpec::Sycc => 3,
        ColourSpec::Icc(profile) => match profile.get(16..20) {
            Some(b"GRAY") => 1,
            Some(b"RGB ") => 3,
            Some(_) => return Err(Error::unsupported("its colour profile is not RGB or gray")),
            None => return Err(Error::corrupt("its colour profile is too short")),
        },
        ColourSpec::Unknown | ColourSpec::Foreign(_) => {
            return Err(Error::internal("counting colours that nobody named"));
        }
    })
}

/// The colours of `channels` that nobody named: three if there are as many that go together, else the
/// first alone.
fn shown(components: &[Component], channels: usize) -> usize {
    let Some(three) = components.get(..3) else {
        return if channels < 3 { 1 } else { 3 };
    };
    let is_chroma = channels == 3
        && three
            .iter()
            .all(|component| is_coarser(*component, three[0]));
    if channels >= 3 && (is_chroma || are_sampled_alike(three)) {
        3
    } else {
        1
    }
}

fn are_sampled_alike(components: &[Component]) -> bool {
    let steps = |component: &Component| (component.step_x, component.step_y);
    let first = components.first().map(steps);
    components
        .iter()
        .all(|component| Some(steps(component)) == first)
}

/// Whether each sample of `component` covers whole samples of `base`, and not too many.
fn is_coarser(component: Component, base: Component) -> bool {
    component.step_x.is_multiple_of(base.step_x)
        && component.step_y.is_multiple_of(base.step_y)
        && component.step_x / base.step_x <= MAX_RATIO
        && component.step_y / base.step_y <= MAX_RATIO
}

impl Roles {
    /// Colours first, then opacity if one channel is left; further ones are not shown.
    fn by_order(colours: usize, channels: usize, may_be_opacity: bool) -> Result<Self> {
        if channels < colours {
            return Err(Error::corrupt("it has fewer channels than colours"));
        }
        Ok(Self {
            colours: (0..colours).collect(),
            opacity: (may_be_opacity && channels == colours + 1).then_some(colours),
            is_premultiplied: false,
        })
    }

    /// By the file's own word; an association counts colours from 1, 0 is the whole picture.
    fn defined(definitions: &[Definition], colours: usize) -> Result<Self> {
        let mut roles = Self::default();
        for colour in 1..=colours {
            let found = definitions
                .iter()
                .find(|d| d.kind == 0 && usize::from(d.association) == colour)
                .ok_or_else(|| Error::corrupt("a colour has no channel"))?;
            roles.colours.push(usize::from(found.channel));
        }
        let opacity = definitions
            .iter()
            .find(|d| matches!(d.kind, OPACITY | PREMULTIPLIED_OPACITY) && d.association == 0);
        roles.opacity = opacity.map(|d| usize::from(d.channel));
        roles.is_premultiplied = opacity.is_some_and(|d| d.kind == PREMULTIPLIED_OPACITY);
        Ok(roles)
    }
}

/// Whether colours are YCC; checks that samplings and depths go together.
fn is_ycc(container: &Container, components: &[Component], sources: &[Source]) -> Result<bool> {
    let used = |source: &Source| components.get(source.component);
    let Some(base) = sources.first().and_then(used) else {
        return Err(Error::corrupt("a colour has no channel"));
    };
    let used_components: Vec<_> = sources.iter().filter_map(used).copied().collect();
    let is_even = are_sampled_alike(&used_components);
    let may_be_ycc = match container.colour {
        ColourSpec::Sycc => true,
        // Nothing but chroma is sampled more coarsely than the first of three components.
        ColourSpec::Unknown => !is_even && sources.len() == 3,
        ColourSpec::Srgb | ColourSpec::Gray | ColourSpec::Icc(_) | ColourSpec::Foreign(_) => false,
    };
    if container.palette.is_some() && (!is_even || may_be_ycc) {
        return Err(Error::unsupported("its palette is for YCC colours"));
    }
    let is_covering = |component: &Component| is_coarser(*component, *base);
    if !used_components.iter().all(is_covering) {
        return Err(Error::unsupported("its components are sampled differently"));
    }
    let bits = |source: &Source| source.precision.bits;
    if may_be_ycc
        && sources
            .iter()
            .take(3)
            .any(|s| Some(bits(s)) != sources.first().map(bits))
    {
        return Err(Error::unsupported(
            "its YCC components have different depths",
        ));
    }
    Ok(may_be_ycc)
}
