//! A master's boxes and code stream together → facts, levels and the way of its samples.
//!
//! Source: ISO/IEC 15444-1 B.5 for the dimensions of reductions.

use crate::codec::{Colour, DecodeLimits, Facts, Foreign, MasterFormat};
use crate::error::{Error, Result};
use crate::geometry::{Dimensions, Level, Pyramid, ScaleFactor};
use crate::reader::RangeReader;

use super::boxes::{Container, SIGNATURE};
use super::channels::Layout;
use super::codestream::{Codestream, Component};
use super::spaces::Model;

/// Most reductions that become levels: the factor has to fit 32 bits.
const MAX_REDUCTIONS: u8 = 31;

/// Everything that is known of a master before its pixels are read.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) facts: Facts,
    pub(super) codestream: Codestream,
    pub(super) layout: Layout,
    pub(super) colour: Colour,
    /// What makes red, green and blue of inks and L\*a\*b\*.
    pub(super) foreign: Option<Foreign>,
}

impl Header {
    pub(super) fn read(reader: &dyn RangeReader, limits: &DecodeLimits) -> Result<Self> {
        let container = container(reader, limits)?;
        let codestream = Codestream::read(reader, container.codestream, limits)?;
        let layout = Layout::new(&container, &codestream.size.components)?;
        let foreign = foreign(&container, &layout, limits)?;
        let colour = match &foreign {
            Some(_) => Colour::untagged(),
            None => colour(&container, &layout, limits)?,
        };
        let facts = Facts {
            description: description(&container, &codestream),
            format: MasterFormat::Jpeg2000,
            pyramid: pyramid(&codestream, &layout)?,
            orientation: container.orientation,
            pixel: layout.format,
            bits: layout.bits,
            colour: match &foreign {
                Some(foreign) => foreign.name().to_owned(),
                None => colour_name(&layout, &colour),
            },
            pages: 1,
        };
        Ok(Self {
            facts,
            codestream,
            layout,
            colour,
            foreign,
        })
    }
}

/// The way of inks, L\*a\*b\* and whatever else is neither gray nor RGB.
fn foreign(
    container: &Container,
    layout: &Layout,
    limits: &DecodeLimits,
) -> Result<Option<Foreign>> {
    if let Some(profile) = container.colour.profile() {
        let colours = layout.colours();
        return Foreign::of_profile(profile, colours, limits.intent);
    }
    let Some(space) = &layout.space else {
        return Ok(None);
    };
    let precision = |place: usize| layout.sources.get(place).map(|s| s.precision);
    Ok(match &space.model {
        Model::Gray | Model::Rgb | Model::Romm | Model::CodePoints { .. } => None,
        Model::ThreeInks => Some(Foreign::three_inks()),
        Model::FourInks => Some(Foreign::inks(None, limits.intent)),
        Model::Lab(lab) => {
            let (Some(one), Some(two), Some(three)) = (precision(0), precision(1), precision(2))
            else {
                return Err(Error::internal("finding the precision of L*a*b*"));
            };
            let range = lab.range([one, two, three]);
            let foreign = Foreign::lab(range);
            Some(match lab.white() {
                Some(white) => foreign.under(white),
                None => foreign,
            })
        }
    })
}

/// The way of gray and RGB.
fn colour(container: &Container, layout: &Layout, limits: &DecodeLimits) -> Result<Colour> {
    let channels = layout.format.channels;
    match layout.space.as_ref().map(|space| &space.model) {
        Some(Model::Romm) => Colour::romm(channels.has_alpha()),
        Some(Model::CodePoints { primaries, curve }) => {
            Colour::of_code_points(*primaries, *curve, channels.has_alpha())
        }
        Some(_) | None => return Colour::of_master(container.colour.profile(), channels, limits),
    }
    .ok_or_else(|| Error::unsupported("its colour space has code points that are not known"))
}

fn container(reader: &dyn RangeReader, limits: &DecodeLimits) -> Result<Container> {
    let length = reader.length();
    let head = reader.read_vec(0, length.min(SIGNATURE.len() as u64))?;
    if head == SIGNATURE {
        Container::read(reader, limits)
    } else {
        Ok(Container::bare(length))
    }
}

/// `JPEG 2000 (JP2), tiles 512×512, 6 reductions, 9/7, RPCL, 1 layer`.
fn description(container: &Container, codestream: &Codestream) -> String {
    let (size, coding) = (&codestream.size, &codestream.coding);
    let tiles = if size.tiles() > 1 {
        format!("tiles {}×{}", size.x.tile, size.y.tile)
    } else {
        "one tile".to_owned()
    };
    let is_reversible = coding.own_styles().all(|style| style.reversible);
    let wavelet = if is_reversible { "5/3" } else { "9/7" };
    let coder = if codestream.is_high_throughput() {
        ", high throughput"
    } else {
        ""
    };
    format!(
        "JPEG 2000 ({}), {tiles}, {}, {wavelet}, {}, {}{coder}",
        container.name,
        counted(codestream.reductions.into(), "reduction"),
        coding.progression().name(),
        counted(coding.layers(), "layer"),
    )
}

fn counted(count: u16, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

fn colour_name(layout: &Layout, colour: &Colour) -> String {
    let space = layout.space.as_ref().map(|space| space.name);
    space.unwrap_or(colour.name()).to_owned()
}

/// Level *i* is *i* reductions of the wavelet. A palette's indices have no mean, so that such a
/// picture has its full level alone; and where offsets on the reference grid make a reduction a
/// sample larger or smaller than floor and ceil of side / factor, the levels end.
fn pyramid(codestream: &Codestream, layout: &Layout) -> Result<Pyramid> {
    let base = codestream.size.components.get(layout.base());
    let base = base.ok_or_else(|| Error::corrupt("a colour has no channel"))?;
    let full = level(codestream, *base, 0).ok_or_else(|| Error::corrupt("it has no pixels"))?;
    let most = match layout.palette {
        Some(_) => 0,
        None => codestream.reductions.min(MAX_REDUCTIONS),
    };
    let others = (1..=most)
        .map_while(|reduction| level(codestream, *base, reduction))
        .take_while(|level| {
            let fits = |side: u32, reduced: u32| {
                let factor = level.factor.get();
                reduced == side.div_ceil(factor) || reduced == (side / factor).max(1)
            };
            fits(full.dimensions.width, level.dimensions.width)
                && fits(full.dimensions.height, level.dimensions.height)
        })
        .collect();
    Ok(Pyramid::new(full, others))
}

/// The pixels that are left after `reduction` halvings; `None` if there are none.
fn level(codestream: &Codestream, base: Component, reduction: u8) -> Option<Level> {
    let size = &codestream.size;
    let width = size.x.image.sampled(base.step_x, reduction).length();
    let height = size.y.image.sampled(base.step_y, reduction).length();
    let factor = ScaleFactor::new(1 << reduction)?;
    let cell = |tile: u32, step: u8| tile.div_ceil(u32::from(step)).div_ceil(factor.get());
    let tile = Dimensions::new(
        cell(size.x.tile, base.step_x),
        cell(size.y.tile, base.step_y),
    );
    Some(Level {
        factor,
        dimensions: Dimensions::new(width, height)?,
        tile: tile.filter(|_| size.tiles() > 1),
    })
}
