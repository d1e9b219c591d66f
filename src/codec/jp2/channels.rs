//! Components, palette and definitions → the channels of a pixel.
//!
//! Decides which component (or palette column) is which channel, whether colours are YCC, and what is
//! not read. It leaves samples alone; those are in the decoder's half.
//!
//! Source: ISO/IEC 15444-1 I.5.3.3 to I.5.3.6.

use crate::codec::colour::colours_of;
use crate::error::{Error, Result};
use crate::raster::{Channels, Depth, PixelFormat};

use super::boxes::{ColourSpec, Container, Definition, Precision};
use super::codestream::Component;
use super::palette::Palette;
use super::spaces::{Space, Sums};

/// A channel definition that says: opacity (Table I.16).
const OPACITY: u16 = 1;

/// A channel definition that says: opacity by which the colours are multiplied (Table I.16).
const PREMULTIPLIED_OPACITY: u16 = 2;

/// Most channels of a pixel: four inks and opacity.
const MAX_CHANNELS: usize = 5;

/// Coarsest sampling of a chroma component against luma: 4:1:0 has 4.
const MAX_RATIO: u8 = 4;

/// How the samples of a pixel are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) format: PixelFormat,
    /// Most bits of a channel as stored.
    pub(super) bits: u8,
    /// One for each colour as it is stored, in order, and one for opacity.
    pub(super) sources: Vec<Source>,
    /// What the colours are, if the file says so by more than a profile, or shows it.
    pub(super) space: Option<Space>,
    /// What makes colours of the first three channels, if they are none.
    pub(super) sums: Option<Sums>,
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
        let colours = colour_count(&container.colour, components, channels.len())?;
        let roles = if container.definitions.is_empty() {
            let may_be_opacity = container.colour != ColourSpec::Unknown
                || (matches!(channels.len(), 2 | 4) && are_sampled_alike(components));
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
        let space = space(container, components, &sources)?;
        let first = sources.first().map(|source| source.precision);
        let sums = match (&space, first) {
            (Some(space), Some(precision)) => space.sums(precision)?,
            _ => None,
        };
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
            space,
            sums,
            is_premultiplied: roles.is_premultiplied,
            palette: container.palette.clone(),
        })
    }

    /// How many channels a colour has as it is stored.
    pub(super) fn colours(&self) -> usize {
        self.sources.len() - usize::from(self.format.channels.has_alpha())
    }

    /// How many of the first channels have their darkest colour at their highest value.
    pub(super) fn inverted(&self) -> usize {
        self.space.as_ref().map_or(0, |space| space.inverted)
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
    if container.mapping.len() > MAX_CHANNELS {
        return Err(Error::unsupported("it has more than five channels"));
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

/// How many of `channels` make a colour; a profile that asks for more than there are is not usable.
fn colour_count(colour: &ColourSpec, components: &[Component], channels: usize) -> Result<usize> {
    match colour {
        ColourSpec::Space(space) => Ok(space.colours()),
        ColourSpec::Refused(reason) => Err(Error::unsupported(reason)),
        ColourSpec::Unknown => Ok(shown(components, channels)),
        ColourSpec::Icc(profile) => {
            let named = colours_of(profile)?.filter(|colours| *colours <= channels);
            Ok(named.unwrap_or_else(|| shown(components, channels)))
        }
    }
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

    /// By the file's own word; an association counts colours from 1, 0 is the whole picture, which some writers
    /// say of the one gray.
    fn defined(definitions: &[Definition], colours: usize) -> Result<Self> {
        let mut roles = Self::default();
        for colour in 1..=colours {
            let of = |association: usize| {
                let is = |d: &&Definition| d.kind == 0 && usize::from(d.association) == association;
                definitions.iter().find(is)
            };
            let found = of(colour)
                .or_else(|| of(0).filter(|_| colours == 1))
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

/// What the colours are; checks that samplings and depths go together.
fn space(
    container: &Container,
    components: &[Component],
    sources: &[Source],
) -> Result<Option<Space>> {
    let used = |source: &Source| components.get(source.component);
    let Some(base) = sources.first().and_then(used) else {
        return Err(Error::corrupt("a colour has no channel"));
    };
    let used_components: Vec<_> = sources.iter().filter_map(used).copied().collect();
    let is_even = are_sampled_alike(&used_components);
    let space = match &container.colour {
        ColourSpec::Space(space) => Some(space.clone()),
        // Nothing but chroma is sampled more coarsely than the first of three components.
        ColourSpec::Unknown if !is_even && sources.len() == 3 => Some(Space::YCC),
        ColourSpec::Unknown | ColourSpec::Icc(_) | ColourSpec::Refused(_) => None,
    };
    let is_mixed = space.as_ref().is_some_and(Space::is_mixed);
    if container.palette.is_some() && (!is_even || is_mixed) {
        return Err(Error::unsupported("its palette is for YCC colours"));
    }
    let is_covering = |component: &Component| is_coarser(*component, *base);
    if !used_components.iter().all(is_covering) {
        return Err(Error::unsupported("its components are sampled differently"));
    }
    let bits = |source: &Source| source.precision.bits;
    if is_mixed
        && sources
            .iter()
            .take(3)
            .any(|s| Some(bits(s)) != sources.first().map(bits))
    {
        return Err(Error::unsupported(
            "its YCC components have different depths",
        ));
    }
    Ok(space)
}
