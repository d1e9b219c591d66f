//! Items of a HEIF file → what its picture is: coded parts, opacity, colours, and how it is laid.
//!
//! Source: ISO/IEC 23008-12:2022, 6.3 to 6.6; ISO/IEC 23000-22:2019, 7.3.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::geometry::{Dimensions, Orientation, Region, Window};
use crate::reader::RangeReader;

use super::super::DecodeLimits;
use super::super::open::dimensions_within;
use super::items::{Extent, Item, Items};
use super::planes::Chroma;
use super::property::{Aperture, Codec, Config, Points, Property};
use super::rgb::{Matrix, Meaning, Site};
use super::sequence::First;
use super::sequence_header::SequenceHeader;
use super::{fields::Fields, hevc};

/// How deep pictures may be made of pictures: an identity of a grid, and one to spare.
const MAX_DEPTH: u32 = 3;

/// Bytes of the longest description of a grid.
const MAX_GRID_BYTES: u64 = 12;

/// Bytes of a coded picture in which its sequence header is looked for.
const HEAD_BYTES: u64 = 4096;

/// What auxiliary pictures of opacity say that they are for.
const OPACITY: [&[u8]; 2] = [
    b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha",
    b"urn:mpeg:hevc:2015:auxid:1",
];

/// A picture of one or more coded parts.
#[derive(Debug, Clone)]
pub(super) struct Picture {
    pub(super) dimensions: Dimensions,
    /// Of each part.
    pub(super) tile: Dimensions,
    pub(super) columns: u32,
    pub(super) tiles: Vec<Tile>,
    pub(super) chroma: Chroma,
    pub(super) points: Points,
    pub(super) meaning: Meaning,
}

/// One coded part.
#[derive(Debug, Clone)]
pub(super) struct Tile {
    pub(super) extents: Arc<[Extent]>,
    pub(super) config: Arc<Config>,
}

/// All that a file's picture is.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) picture: Picture,
    pub(super) opacity: Option<Picture>,
    /// Whether colours are multiplied by opacity.
    pub(super) multiplied: bool,
    pub(super) profile: Option<Arc<[u8]>>,
    /// What is shown of it.
    pub(super) shown: Window,
    pub(super) orientation: Orientation,
    pub(super) codec: Codec,
    /// For people.
    pub(super) description: String,
}

/// A file that is looked into.
pub(super) struct File<'a> {
    pub(super) reader: &'a dyn RangeReader,
    pub(super) limits: &'a DecodeLimits,
}

/// What properties say, gathered.
#[derive(Debug, Clone, Default)]
struct Said {
    config: Option<Config>,
    size: Option<Dimensions>,
    profile: Option<Arc<[u8]>>,
    points: Option<Points>,
    purpose: Option<Vec<u8>>,
}

impl Said {
    fn of_item(items: &Items, id: u32) -> Self {
        let item = items.all.get(&id);
        item.map_or_else(Self::default, |item| Self::of(items.of(item)))
    }

    fn of<'a>(properties: impl Iterator<Item = &'a Property>) -> Self {
        let mut said = Self::default();
        for property in properties {
            match property {
                Property::Config(config) => said.config = Some(config.clone()),
                Property::Size(size) => said.size = Some(*size),
                Property::Profile(profile) => said.profile = Some(Arc::clone(profile)),
                Property::Points(points) => said.points = Some(*points),
                Property::Purpose(purpose) => said.purpose = Some(purpose.clone()),
                Property::Lay(_) | Property::Crop(_) | Property::Other | Property::Unknown(_) => {}
            }
        }
        said
    }
}

impl File<'_> {
    /// The primary picture of `items`.
    pub(super) fn layout(&self, items: &Items) -> Result<Layout> {
        let chain = chain(items)?;
        let (Some(&item), Some(&outer)) = (chain.first(), chain.last()) else {
            return Err(Error::internal("a picture that is made of none"));
        };
        let picture = self.picture(items, item)?;
        let opacity = self.opacity(items, &chain, &picture)?;
        let said: Vec<Said> = chain.iter().map(|id| Said::of_item(items, *id)).collect();
        let laying = chain.iter().filter_map(|id| items.all.get(id));
        let (shown, orientation) = lay(laying.flat_map(|item| items.of(item)), picture.dimensions)?;
        let prepared = items.item(outer)?.targets(*b"prem").next().is_some();
        let rest = Rest {
            multiplied: opacity.is_some() && prepared,
            profile: said.iter().rev().find_map(|said| said.profile.clone()),
            shown,
            orientation,
        };
        Ok(finish(picture, opacity, rest))
    }

    /// The picture of opacity that belongs to one of the items `chain`, which all are `picture`.
    fn opacity(&self, items: &Items, chain: &[u32], picture: &Picture) -> Result<Option<Picture>> {
        let all = opacities(items);
        let Some(id) = chain.iter().rev().find_map(|id| all.get(id)) else {
            return self.opacity_of_parts(items, chain, picture, &all);
        };
        let opacity = self.picture(items, *id)?;
        if opacity.dimensions != picture.dimensions {
            return Err(Error::unsupported(format!(
                "its opacity has {} pixels and its colours {}",
                opacity.dimensions, picture.dimensions
            )));
        }
        Ok(Some(opacity))
    }

    /// The opacity of a grid whose parts have theirs, as a grid.
    fn opacity_of_parts(
        &self,
        items: &Items,
        chain: &[u32],
        picture: &Picture,
        opacities: &BTreeMap<u32, u32>,
    ) -> Result<Option<Picture>> {
        let grid = chain.first().map(|id| items.item(*id)).transpose()?;
        let Some(grid) = grid.filter(|item| &item.kind == b"grid") else {
            return Ok(None);
        };
        let parts: Vec<u32> = grid
            .targets(*b"dimg")
            .filter_map(|part| opacities.get(&part).copied())
            .collect();
        if parts.is_empty() {
            return Ok(None);
        }
        if parts.len() != picture.tiles.len() {
            return Err(Error::unsupported("some of its parts have no opacity"));
        }
        let mut tiles = Vec::new();
        for id in &parts {
            items.check(items.item(*id)?)?;
            let tile = tile(items, *id)?;
            if self.size(items, *id, &tile)? != picture.tile {
                return Err(Error::corrupt(
                    "opacity of a part of it has another size than the part",
                ));
            }
            tiles.push(tile);
        }
        let shape = Shape {
            dimensions: picture.dimensions,
            tile: picture.tile,
            columns: picture.columns,
        };
        let points = parts
            .first()
            .and_then(|id| Said::of_item(items, *id).points);
        self.assemble(shape, tiles, points).map(Some)
    }

    /// The dimensions of a coded item: what is said of it, else what its stream says.
    fn size(&self, items: &Items, id: u32, tile: &Tile) -> Result<Dimensions> {
        let said = Said::of_item(items, id).size;
        let size = match (said, tile.config.codec) {
            (Some(size), _) => (size.width, size.height),
            (None, Codec::Av1) => {
                let header = self.sequence_header(tile)?;
                (header.width, header.height)
            }
            (None, Codec::Hevc) => return Err(Error::corrupt("a picture in it has no size")),
        };
        dimensions_within(size.0, size.1, self.limits)
    }

    /// The coded parts of an item.
    fn picture(&self, items: &Items, id: u32) -> Result<Picture> {
        let item = items.item(id)?;
        items.check(item)?;
        let said = Said::of(items.of(item));
        if &item.kind == b"grid" {
            return self.grid(items, item, said.points);
        }
        let tile = tile(items, id)?;
        let dimensions = self.size(items, id, &tile)?;
        self.assemble(
            Shape {
                dimensions,
                tile: dimensions,
                columns: 1,
            },
            vec![tile],
            said.points,
        )
    }

    /// The parts of a grid.
    ///
    /// Source: ISO/IEC 23008-12:2022, 6.6.2.3.
    fn grid(&self, items: &Items, item: &Item, points: Option<Points>) -> Result<Picture> {
        let bytes = self.bytes(&item.extents, MAX_GRID_BYTES)?;
        let mut fields = Fields::new(&bytes, 0);
        fields.u8()?;
        let wide = fields.u8()? & 1 == 1;
        let (rows, columns) = (u32::from(fields.u8()?) + 1, u32::from(fields.u8()?) + 1);
        let side_bytes = if wide { 4 } else { 2 };
        let mut length = || {
            fields
                .number(side_bytes)
                .map(|side| u32::try_from(side).unwrap_or(u32::MAX))
        };
        let dimensions = dimensions_within(length()?, length()?, self.limits)?;
        let targets: Vec<u32> = item.targets(*b"dimg").collect();
        if targets.len() as u64 != u64::from(rows) * u64::from(columns) {
            return Err(Error::corrupt(
                "a grid in it has not as many parts as it says",
            ));
        }
        if targets.len() as u64 > self.limits.max_tiles {
            let words = format!(
                "the source image has {} parts, and the limit is {}",
                targets.len(),
                self.limits.max_tiles
            );
            return Err(Error::new(ErrorKind::TooLarge, words));
        }
        let mut tiles = Vec::new();
        let mut size = None;
        for id in targets {
            let part = items.item(id)?;
            items.check(part)?;
            let said = Said::of(items.of(part));
            if said.size.is_none() || size.is_some_and(|size| Some(size) != said.size) {
                return Err(Error::corrupt("parts of a grid in it differ in size"));
            }
            size = said.size;
            tiles.push(tile(items, id)?);
        }
        let size = size.ok_or_else(|| Error::corrupt("a grid in it is empty"))?;
        let size = dimensions_within(size.width, size.height, self.limits)?;
        let covers = |part: u32, count: u32, side: u32| {
            u64::from(part) * u64::from(count) >= u64::from(side)
                && u64::from(part) * u64::from(count - 1) < u64::from(side)
        };
        if !covers(size.width, columns, dimensions.width)
            || !covers(size.height, rows, dimensions.height)
        {
            return Err(Error::corrupt(
                "parts of a grid in it are not as many as it is large",
            ));
        }
        let points = points.or_else(|| {
            let first = item.targets(*b"dimg").next()?;
            Said::of(items.of(items.all.get(&first)?)).points
        });
        self.assemble(
            Shape {
                dimensions,
                tile: size,
                columns,
            },
            tiles,
            points,
        )
    }

    /// A picture of coded parts, once it is known that they belong together.
    fn assemble(&self, shape: Shape, tiles: Vec<Tile>, points: Option<Points>) -> Result<Picture> {
        let first = tiles.first().ok_or_else(unknown_codec)?;
        let config = Arc::clone(&first.config);
        let alike = |other: &Config| {
            (other.codec, other.bits, other.chroma) == (config.codec, config.bits, config.chroma)
        };
        if !tiles.iter().all(|tile| alike(&tile.config)) {
            return Err(Error::unsupported(
                "parts of it are coded in different ways",
            ));
        }
        let (own, site) = match config.codec {
            Codec::Hevc => {
                hevc::check(&config)?;
                (Points::MIAF, Site::Centre)
            }
            Codec::Av1 => self.header(first, shape.tile)?,
        };
        let mixed = points.unwrap_or(own);
        let matrix = if config.chroma == Chroma::None {
            Matrix::Identity
        } else {
            Matrix::of_point(mixed.matrix)?
        };
        if matrix == Matrix::Identity && matches!(config.chroma, Chroma::Quarter | Chroma::Half) {
            return Err(Error::corrupt("its blue and red are sampled as chroma"));
        }
        Ok(Picture {
            dimensions: shape.dimensions,
            tile: shape.tile,
            columns: shape.columns,
            tiles,
            chroma: config.chroma,
            points: mixed,
            meaning: Meaning {
                bits: config.bits,
                full: mixed.full,
                matrix,
                site,
            },
        })
    }

    /// What the sequence header of a part says, which has to be what is said of it.
    fn header(&self, tile: &Tile, dimensions: Dimensions) -> Result<(Points, Site)> {
        let config = &tile.config;
        let header = self.sequence_header(tile)?;
        if (header.bits, header.chroma) != (config.bits, config.chroma) {
            return Err(Error::corrupt(
                "its sequence header is not what its container says",
            ));
        }
        if header.width < dimensions.width || header.height < dimensions.height {
            return Err(Error::corrupt(
                "its pictures are smaller than its container says",
            ));
        }
        Ok((header.points, header.site))
    }

    /// The sequence header of a part, wherever it stands.
    fn sequence_header(&self, tile: &Tile) -> Result<SequenceHeader> {
        let mut header = None;
        for units in tile.config.headers.iter() {
            header = header.or(SequenceHeader::find(units)?);
        }
        if header.is_none() {
            header = SequenceHeader::find(&self.head(&tile.extents)?)?;
        }
        header.ok_or_else(|| Error::corrupt("it has no sequence header"))
    }

    /// The first bytes of a coded part.
    fn head(&self, extents: &[Extent]) -> Result<Vec<u8>> {
        let Some(first) = extents.first() else {
            return Ok(Vec::new());
        };
        let left = self.reader.length().saturating_sub(first.at);
        let length = if first.length == 0 {
            left
        } else {
            first.length.min(left)
        };
        self.reader.read_vec(first.at, length.min(HEAD_BYTES))
    }

    /// All bytes of an item, of which there may be `most`, and no more than the file has: places may overlap.
    pub(super) fn bytes(&self, extents: &[Extent], most: u64) -> Result<Vec<u8>> {
        let most = most.min(self.reader.length());
        let mut bytes = Vec::new();
        for extent in extents {
            let length = match extent.length {
                0 => self.reader.length().saturating_sub(extent.at),
                length => length,
            };
            if length > most.saturating_sub(bytes.len() as u64) {
                let words = format!("a part of the source image has more than {most} bytes");
                return Err(Error::new(ErrorKind::TooLarge, words));
            }
            bytes.extend(self.reader.read_vec(extent.at, length)?);
        }
        Ok(bytes)
    }

    /// The first picture of an image sequence.
    pub(super) fn sequence(&self, first: &First) -> Result<Layout> {
        let said = Said::of(first.properties.iter());
        let config = said.config.clone().ok_or_else(unknown_codec)?;
        let tile = Tile {
            extents: [first.extent].into(),
            config: Arc::new(config),
        };
        let dimensions =
            dimensions_within(first.dimensions.width, first.dimensions.height, self.limits)?;
        let shape = Shape {
            dimensions,
            tile: dimensions,
            columns: 1,
        };
        let picture = self.assemble(shape, vec![tile], said.points)?;
        let rest = Rest {
            multiplied: false,
            profile: said.profile,
            shown: dimensions.window(),
            orientation: Orientation::IDENTITY,
        };
        Ok(finish(picture, None, rest))
    }
}

/// The sides of a picture and of its parts.
#[derive(Debug, Clone, Copy)]
struct Shape {
    dimensions: Dimensions,
    tile: Dimensions,
    columns: u32,
}

/// What is known of a layout beside its pictures.
struct Rest {
    multiplied: bool,
    profile: Option<Arc<[u8]>>,
    shown: Window,
    orientation: Orientation,
}

fn finish(picture: Picture, opacity: Option<Picture>, rest: Rest) -> Layout {
    let parts = picture.tiles.len();
    let codec = picture.codec();
    let name = match codec {
        Codec::Av1 => "AVIF",
        Codec::Hevc => "HEIC",
    };
    let grid = if parts > 1 {
        format!(", {parts} parts")
    } else {
        String::new()
    };
    Layout {
        description: format!("{name}, {}{grid}", picture.chroma.name()),
        codec,
        picture,
        opacity,
        multiplied: rest.multiplied,
        profile: rest.profile,
        shown: rest.shown,
        orientation: rest.orientation,
    }
}

impl Picture {
    /// How it is coded.
    pub(super) fn codec(&self) -> Codec {
        let first = self.tiles.first();
        first.map_or(Codec::Av1, |tile| tile.config.codec)
    }

    /// The window of its part `index`, whether or not the picture ends within it.
    pub(super) fn place(&self, index: usize) -> Window {
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        Window {
            x: index % self.columns * self.tile.width,
            y: index / self.columns * self.tile.height,
            width: self.tile.width,
            height: self.tile.height,
        }
    }
}

/// The items of opacity, by those that they belong to.
fn opacities(items: &Items) -> BTreeMap<u32, u32> {
    let mut all = BTreeMap::new();
    for (id, item) in &items.all {
        let purpose = Said::of(items.of(item)).purpose;
        if purpose.is_some_and(|purpose| OPACITY.contains(&purpose.as_slice())) {
            for of in item.targets(*b"auxl") {
                all.entry(of).or_insert(*id);
            }
        }
    }
    all
}

/// The item that is coded or a grid, and those that are it in another place, the primary one last.
fn chain(items: &Items) -> Result<Vec<u32>> {
    let mut chain = vec![items.primary];
    for _ in 0..MAX_DEPTH {
        let id = chain.first().copied().unwrap_or_default();
        let item = items.item(id)?;
        items.check(item)?;
        if &item.kind != b"iden" {
            return Ok(chain);
        }
        let inner = item.targets(*b"dimg").next();
        chain.insert(
            0,
            inner.ok_or_else(|| Error::corrupt("a picture in it is made of none"))?,
        );
    }
    Err(Error::unsupported(
        "its picture is made of others many times over",
    ))
}

/// The coded part that the item is.
fn tile(items: &Items, id: u32) -> Result<Tile> {
    let item = items.item(id)?;
    let name = || String::from_utf8_lossy(&item.kind).into_owned();
    match &item.kind {
        b"av01" | b"hvc1" => {}
        b"iovl" => return Err(Error::unsupported("its picture is laid over others")),
        _ => {
            return Err(Error::unsupported(format!(
                "its pictures are coded as {}",
                name()
            )));
        }
    }
    if item.assembled {
        return Err(Error::unsupported(
            "its pictures' bytes stand in other files or items",
        ));
    }
    let config = Said::of(items.of(item)).config;
    let config =
        config.ok_or_else(|| Error::corrupt("it does not say how its pictures are coded"))?;
    Ok(Tile {
        extents: Arc::clone(&item.extents),
        config: Arc::new(config),
    })
}

fn unknown_codec() -> Error {
    Error::unsupported("its pictures are coded in a way that is not known")
}

/// What is shown of a picture, in its own pixels, and how it is laid then.
fn lay<'a>(
    properties: impl Iterator<Item = &'a Property>,
    dimensions: Dimensions,
) -> Result<(Window, Orientation)> {
    let mut shown = dimensions.window();
    let mut orientation = Orientation::IDENTITY;
    for property in properties {
        match property {
            Property::Lay(next) => orientation = orientation.then(*next),
            Property::Crop(aperture) => {
                let laid = orientation.apply(shown.dimensions());
                let part = aperture.of(laid)?;
                let part = orientation.inverse().apply_region(part, laid);
                shown = Window {
                    x: shown.x + part.x,
                    y: shown.y + part.y,
                    width: part.width,
                    height: part.height,
                };
            }
            Property::Config(_)
            | Property::Size(_)
            | Property::Profile(_)
            | Property::Points(_)
            | Property::Purpose(_)
            | Property::Other
            | Property::Unknown(_) => {}
        }
    }
    Ok((shown, orientation))
}

impl Aperture {
    /// Which part of a picture it leaves; a corner between pixels is moved to the left and up.
    ///
    /// Source: ISO/IEC 14496-12:2022, 12.1.4.1.
    fn of(self, picture: Dimensions) -> Result<Region> {
        let none = || Error::corrupt("its crop is no part of it");
        let side =
            |(number, divisor): (u32, u32)| number.checked_div(divisor).filter(|side| *side > 0);
        let start = |whole: u32, side: u32, (number, divisor): (i32, u32)| {
            let (divisor, free) = (i64::from(divisor), i64::from(whole) - i64::from(side));
            let twice = free
                .checked_mul(divisor)?
                .checked_add(2 * i64::from(number))?;
            let start = twice.checked_div_euclid(2 * divisor)?;
            u32::try_from(start)
                .ok()
                .filter(|start| i64::from(*start) <= free)
        };
        let width = side(self.width).ok_or_else(none)?;
        let height = side(self.height).ok_or_else(none)?;
        Ok(Region {
            x: start(picture.width, width, self.across).ok_or_else(none)?,
            y: start(picture.height, height, self.down).ok_or_else(none)?,
            width,
            height,
        })
    }
}
