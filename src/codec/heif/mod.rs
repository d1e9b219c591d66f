//! AVIF and HEIC masters → rows: pictures of AV1 and HEVC in a HEIF container, single or in a grid.
//!
//! Depths of 8 bits come out as 8, others as 16; luma alone as gray. Opacity stands in a picture of its own.
//! An ICC profile is applied, else the code points of the container, else those of the stream. Crop, turn and
//! mirror of the container hold; an orientation in EXIF is for information there. Of a sequence the
//! primary picture counts, else its first. Of a grid the parts that a window touches are decoded; what is
//! one part is decoded whole.
//!
//! Source: ISO/IEC 23008-12:2022 (HEIF); ISO/IEC 23000-22:2019 (MIAF); AV1 Image File Format 1.1.0.

mod av1;
mod fields;
mod hevc;
mod items;
mod layout;
mod planes;
mod property;
mod rgb;
mod sequence;
mod sequence_header;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::cancel::Cancel;
use crate::error::{Error, ErrorKind, Result};
use crate::geometry::{Dimensions, Window};
use crate::raster::{PixelFormat, Raster, Rows, Samples};
use crate::reader::RangeReader;

use super::metadata::Blocks;
use super::straight::divide;
use super::whole::{self, WholeRows};
use super::{Colour, DecodeLimits, Facts, KeptSpace, MasterFormat, Picture as Opened, Price};
use fields::Fields;
use items::Items;
use layout::{File, Layout, Picture, Tile};
use planes::{Coded, Planes};
use property::{Codec, Points};

/// The brands of files that are pictures.
///
/// Source: ISO/IEC 23008-12:2022, clause 10 and annex B; AV1 Image File Format 1.1.0, clause 5.
const BRANDS: [&[u8; 4]; 12] = [
    b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"mif2",
    b"msf1", b"miaf",
];

/// Bytes of a top-level box's header.
const BOX_BYTES: u64 = 16;

/// Most boxes at the top of a file.
const MAX_BOXES: usize = 1000;

/// Bytes that a decoder holds of a pixel beside the planes that are kept: its own planes, and what it notes
/// of blocks.
const SCRATCH_PER_PIXEL: u64 = 10;

/// Bytes that a decoder holds whatever it decodes.
const SCRATCH: u64 = 2 << 20;

/// Pixels beside a window whose chroma bears on it, to the next of its samples.
const MARGIN_PX: u32 = 2;

/// Whether a file that starts with `head` is a picture in a HEIF container.
pub(in crate::codec) fn matches(head: &[u8]) -> bool {
    let Some((length, rest)) = head.split_first_chunk::<4>() else {
        return false;
    };
    let Some(brands) = rest.strip_prefix(b"ftyp") else {
        return false;
    };
    let length = u32::from_be_bytes(*length) as usize;
    let (brands, _) = brands
        .get(..length.saturating_sub(8))
        .unwrap_or(brands)
        .as_chunks::<4>();
    // The second is a version.
    let mut named = brands.iter().enumerate().filter(|(index, _)| *index != 1);
    named.any(|(_, brand)| BRANDS.contains(&brand))
}

/// Parses what the container says of its picture.
///
/// # Errors
///
/// [`ErrorKind::Corrupt`], [`ErrorKind::NotImplemented`] for what is not read, [`ErrorKind::TooLarge`], and
/// those of the reader.
pub(in crate::codec) fn open(
    reader: Arc<dyn RangeReader>,
    limits: &DecodeLimits,
) -> Result<Arc<dyn Opened>> {
    let file = File {
        reader: reader.as_ref(),
        limits,
    };
    let layout = contents(reader.as_ref(), limits)?.layout(&file)?;
    let picture = &layout.picture;
    let pixel = PixelFormat {
        channels: rgb::channels(picture.chroma, layout.opacity.is_some()),
        depth: picture.meaning.depth(),
    };
    let colour = match &layout.profile {
        Some(profile) => Colour::of_master(Some(profile), pixel.channels, limits)?,
        None => by_points(picture.points, pixel, limits)?,
    };
    let format = match layout.codec {
        Codec::Av1 => MasterFormat::Avif,
        Codec::Hevc => MasterFormat::Heic,
    };
    let dimensions = layout.shown.dimensions();
    let facts = Facts {
        description: layout.description.clone(),
        format,
        pyramid: whole::single_level(dimensions),
        orientation: layout.orientation,
        pixel,
        bits: picture.meaning.bits,
        colour: colour.name().to_owned(),
        pages: 1,
    };
    let heif = Heif {
        reader,
        facts,
        colour,
        layout: Arc::new(layout),
        limits: limits.clone(),
    };
    let least = Dimensions {
        width: 1,
        height: 1,
    }
    .window();
    whole::check_bytes(heif.price(0, least).bytes, limits)?;
    Ok(Arc::new(heif))
}

/// Colours by code points; what is not said is sRGB's.
fn by_points(points: Points, pixel: PixelFormat, limits: &DecodeLimits) -> Result<Colour> {
    let said = |point, standard| if point == 2 { standard } else { point };
    let (primaries, curve) = (said(points.primaries, 1), said(points.curve, 13));
    let colour = if pixel.channels.is_gray() {
        None
    } else {
        Colour::of_code_points(primaries, curve, pixel.channels.has_alpha())
    };
    match colour {
        Some(colour) => Ok(colour),
        None => Colour::of_master(None, pixel.channels, limits),
    }
}

/// What a file says of its pictures.
struct Contents {
    /// Those of the first `meta` box.
    items: Option<Items>,
    /// The first `moov` box before it, and where its contents stand.
    moov: Option<(Vec<u8>, u64)>,
}

impl Contents {
    fn layout(&self, file: &File<'_>) -> Result<Layout> {
        match (&self.items, &self.moov) {
            (Some(items), _) => file.layout(items),
            (None, Some((bytes, at))) => file.sequence(&sequence::first(Fields::new(bytes, *at))?),
            (None, None) => Err(Error::corrupt("it has no meta box")),
        }
    }
}

fn contents(reader: &dyn RangeReader, limits: &DecodeLimits) -> Result<Contents> {
    let (mut meta, mut moov) = (None, None);
    let mut at = 0;
    for _ in 0..MAX_BOXES {
        let left = reader.length() - at;
        if left < 8 {
            break;
        }
        let head = reader.read_vec(at, left.min(BOX_BYTES))?;
        let mut head = Fields::new(&head, at);
        let short = head.u32()?;
        let kind = head.kind()?;
        let length = match short {
            0 => left,
            1 => head.number(8)?,
            short => short.into(),
        };
        let content = length.checked_sub(head.at() - at);
        let content = content.filter(|_| length <= left);
        let content = content.ok_or_else(crate::reader::past_the_end)?;
        let target = match &kind {
            b"meta" => Some(&mut meta),
            b"moov" => Some(&mut moov),
            _ => None,
        };
        if let Some(target) = target.filter(|target| target.is_none()) {
            if content > limits.max_metadata_bytes {
                let most = limits.max_metadata_bytes;
                let words = format!("the source image has more than {most} bytes of metadata");
                return Err(Error::new(ErrorKind::TooLarge, words));
            }
            *target = Some((reader.read_vec(head.at(), content)?, head.at()));
        }
        if meta.is_some() {
            break;
        }
        at += length;
    }
    let items = meta.map(|(bytes, at)| Items::parse(Fields::new(&bytes, at)));
    Ok(Contents {
        items: items.transpose()?,
        moov,
    })
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
    let file = File { reader, limits };
    let contents = contents(reader, limits)?;
    let profile = contents.layout(&file)?.profile;
    let mut blocks = Blocks {
        icc: profile.map(|profile| profile.to_vec()),
        ..Blocks::default()
    };
    let Some(items) = contents.items else {
        return Ok(blocks);
    };
    for (_, item) in items.referring(*b"cdsc", items.primary) {
        let read = || file.bytes(&item.extents, limits.max_metadata_bytes).ok();
        match (&item.kind, item.content.as_slice()) {
            (b"Exif", _) => blocks.exif = read().and_then(|bytes| tiff(&bytes)),
            (b"mime", b"application/rdf+xml") => blocks.xmp = read(),
            _ => {}
        }
    }
    Ok(blocks)
}

/// The TIFF structure of an EXIF item, which says where it begins.
///
/// Source: ISO/IEC 23008-12:2022, annex A.2.1.
fn tiff(bytes: &[u8]) -> Option<Vec<u8>> {
    let (offset, rest) = bytes.split_first_chunk::<4>()?;
    let offset = usize::try_from(u32::from_be_bytes(*offset)).ok()?;
    rest.get(offset..).map(<[u8]>::to_vec)
}

/// A file whose container has been parsed.
#[derive(Debug)]
struct Heif {
    reader: Arc<dyn RangeReader>,
    facts: Facts,
    colour: Colour,
    layout: Arc<Layout>,
    limits: DecodeLimits,
}

impl Heif {
    /// A window of what is shown, in pixels of the picture.
    fn place(&self, window: Window) -> Window {
        Window {
            x: self.layout.shown.x + window.x,
            y: self.layout.shown.y + window.y,
            ..window
        }
    }
}

impl Opened for Heif {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn kept(&self) -> Option<&KeptSpace> {
        self.colour.kept()
    }

    fn price(&self, _level: usize, window: Window) -> Price {
        let place = self.place(window);
        let pictures = [Some(&self.layout.picture), self.layout.opacity.as_ref()];
        let (mut pixels, mut bytes, mut scratch) = (0, 0, 0);
        for picture in pictures.into_iter().flatten() {
            let covered = cover(picture, place);
            let touched = (0..picture.tiles.len())
                .filter(|index| picture.place(*index).intersection(covered).is_some());
            pixels += touched.count() as u64 * picture.tile.area();
            bytes += covered.dimensions().area() * 2 * picture.chroma.count() as u64;
            scratch = SCRATCH_PER_PIXEL * picture.tile.area() + SCRATCH;
        }
        let drawn = whole::price(window.dimensions(), self.facts.pixel, 0, window);
        Price {
            pixels,
            bytes: bytes + scratch + drawn.bytes + self.reader.length(),
        }
    }

    fn decode(&self, level: usize, window: Window, cancel: &Cancel) -> Result<Box<dyn Rows>> {
        whole::check_window(level, window, self.facts.pyramid.dimensions())?;
        let job = Job {
            reader: Arc::clone(&self.reader),
            layout: Arc::clone(&self.layout),
            place: self.place(window),
            pixel: self.facts.pixel,
            limits: self.limits.clone(),
            cancel: cancel.clone(),
        };
        let rows = WholeRows::new(window, self.facts.pixel, cancel, move || job.decode());
        Ok(self.colour.apply(Box::new(rows)))
    }
}

/// What has to be known of a picture for `window` of it, from a sample of chroma on.
fn cover(picture: &Picture, window: Window) -> Window {
    let start = |at: u32| at.saturating_sub(MARGIN_PX) & !1;
    let (x, y) = (start(window.x), start(window.y));
    let right = (window.right() + MARGIN_PX)
        .next_multiple_of(2)
        .min(picture.dimensions.width);
    let bottom = (window.bottom() + MARGIN_PX)
        .next_multiple_of(2)
        .min(picture.dimensions.height);
    Window {
        x,
        y,
        width: right - x,
        height: bottom - y,
    }
}

/// One window that is to be decoded.
struct Job {
    reader: Arc<dyn RangeReader>,
    layout: Arc<Layout>,
    /// In pixels of the picture.
    place: Window,
    pixel: PixelFormat,
    limits: DecodeLimits,
    cancel: Cancel,
}

impl Job {
    fn decode(self) -> Result<Raster> {
        let picture = &self.layout.picture;
        let planes = self.planes(picture)?;
        let opacity = match &self.layout.opacity {
            Some(opacity) => Some((self.planes(opacity)?, opacity.meaning)),
            None => None,
        };
        let opacity = opacity.as_ref().map(|(planes, meaning)| (planes, *meaning));
        let raster = rgb::draw((&planes, picture.meaning), opacity, self.pixel, self.place)?;
        if !self.layout.multiplied {
            return Ok(raster);
        }
        let (dimensions, channels) = (raster.dimensions(), self.pixel.channels);
        let mut samples = raster.into_samples();
        match &mut samples {
            Samples::U8(samples) => divide(samples, channels.count(), u8::MAX),
            Samples::U16(samples) => divide(samples, channels.count(), u16::MAX),
        }
        Raster::new(dimensions, channels, samples)
    }

    /// The planes that the window takes, of all parts that it touches.
    fn planes(&self, picture: &Picture) -> Result<Planes> {
        let mut planes = Planes::blank(cover(picture, self.place), picture.chroma)?;
        for (index, tile) in picture.tiles.iter().enumerate() {
            let place = picture.place(index);
            if place.intersection(planes.window).is_none() {
                continue;
            }
            self.cancel.check()?;
            let coded = self.coded(tile, picture.tile)?;
            let is = (coded.dimensions(), coded.bits(), coded.chroma());
            if is != (Some(picture.tile), tile.config.bits, tile.config.chroma) {
                return Err(Error::corrupt(
                    "a picture in it is not what its container says",
                ));
            }
            planes.lay(coded.as_ref(), (place.x, place.y))?;
        }
        Ok(planes)
    }

    fn coded(&self, tile: &Tile, dimensions: Dimensions) -> Result<Box<dyn Coded>> {
        let file = File {
            reader: self.reader.as_ref(),
            limits: &self.limits,
        };
        let bytes = file.bytes(&tile.extents, self.limits.max_bytes)?;
        match tile.config.codec {
            Codec::Av1 => av1::decode(bytes, dimensions.area()),
            Codec::Hevc => hevc::decode(&tile.config, &bytes, dimensions),
        }
    }
}
