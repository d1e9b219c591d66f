//! A TIFF or `BigTIFF` master → facts, prices and rows of any window of any of its levels.
//!
//! Reads pyramids stored as pages or as `SubIFDs`, tiles and strips, chunky and in separate planes;
//! without compression, LZW in both styles, Deflate, `PackBits`, Zstandard, LZMA, JPEG in both styles, JPEG 2000,
//! JPEG XL, WebP, CCITT and `SGILog`;
//! whole numbers of 1 to 32 and of 64 bits, floating-point ones of 16 to 64; gray either way round,
//! palettes, RGB, YCbCr, inks and L\*a\*b\*. Everything else is refused when the file is opened, with the
//! reason. Writing is left to the encoders. Callers may rely
//! on bounded memory: what a decode holds is its price, and a strip is never held whole.
//!
//! Source: TIFF 6.0 (1992) with its Technical Notes; `BigTIFF` (2007).

mod directory;
mod edge;
mod fax;
mod grid;
mod inflate;
mod input;
mod jpeg_tile;
mod lane;
mod layout;
mod luv;
mod lzma;
mod lzw;
mod old_jpeg;
mod picture_tile;
mod pixels;
mod pyramid;
mod rows;
mod samples;
mod tags;
mod unpack;
mod webp_tile;
mod ycbcr;
mod zstandard;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::cancel::Cancel;
use crate::codec::colour::Colour;
use crate::codec::jpeg::{Components, Heads, Mosaic};
use crate::codec::{
    DecodeLimits, Facts, Foreign, KeptSpace, MasterFormat, Picture, Price, Stored, exif,
};
use crate::error::{Error, Result};
use crate::geometry::{Dimensions, Level, Orientation, Pyramid, Window};
use crate::iiif::Format;
use crate::raster::Rows;
use crate::reader::RangeReader;

use directory::File;
use edge::RepeatEdge;
use layout::Layout;
use pixels::Ink;
use pyramid::Page;
use rows::TiffRows;
use samples::Kind;

/// A page of a TIFF whose directories are parsed.
#[derive(Debug)]
struct Tiff {
    reader: Arc<dyn RangeReader>,
    facts: Facts,
    /// One for each of the pyramid's levels.
    layouts: Vec<Arc<Layout>>,
    colour: Colour,
    /// What makes red, green and blue of inks and L\*a\*b\*.
    foreign: Option<Foreign>,
    limits: DecodeLimits,
    /// What its JPEG tiles begin with.
    heads: Heads,
}

/// Whether `head`, a file's first bytes, at least 4, begins a TIFF.
pub(super) fn matches(head: &[u8]) -> bool {
    directory::is_header(head)
}

/// Opens `page`, counted from 1, of a TIFF.
///
/// # Errors
///
/// [`crate::error::ErrorKind::NotFound`] when there is no such page,
/// [`crate::error::ErrorKind::NotImplemented`] for a kind of TIFF that is not read,
/// [`crate::error::ErrorKind::TooLarge`] above `limits`,
/// [`crate::error::ErrorKind::Corrupt`] for damaged directories, and those of the reader.
pub(super) fn open(
    reader: Arc<dyn RangeReader>,
    page: u32,
    limits: &DecodeLimits,
) -> Result<Arc<dyn Picture>> {
    let file = File::open(reader)?;
    let page = Page::read(&file, page, limits)?;
    let (_, full) = &page.levels[0];
    let pixel = full.pixels.format();
    let most = limits.max_metadata_bytes;
    let profile = file.bytes(&page.directory, tags::ICC_PROFILE, most)?;
    let foreign = match &full.pixels.ink {
        Ink::Cmyk => Some(Foreign::inks(profile.as_deref(), limits.intent)),
        Ink::Lab(lab) => Some(Foreign::lab(lab.range(pixel.depth))),
        Ink::Gray | Ink::InvertedGray | Ink::Palette(_) | Ink::Rgb => None,
    };
    let colour = match &foreign {
        Some(_) => Colour::untagged(),
        None if full.pixels.kind == Kind::Float && profile.is_none() => Colour::linear(),
        None => Colour::of_master(profile.as_deref(), pixel.channels, limits)?,
    };
    let orientation = if let Some(tag) = file.number(&page.directory, tags::ORIENTATION)? {
        Orientation::from_tag(u16::try_from(tag).unwrap_or(1))
    } else {
        let packet = file.bytes(&page.directory, tags::XMP, most)?;
        exif::orientation(None, packet.as_deref())
    };
    let container = if file.big { "BigTIFF" } else { "TIFF" };
    let facts = Facts {
        description: format!("{container}, {}", full.describe()),
        format: MasterFormat::Tiff,
        pyramid: pyramid(&page),
        orientation,
        pixel,
        bits: full.pixels.bits,
        colour: foreign
            .as_ref()
            .map_or(colour.name(), Foreign::name)
            .to_owned(),
        pages: page.pages,
    };
    Ok(Arc::new(Tiff {
        reader: file.reader,
        facts,
        layouts: page.levels.into_iter().map(|(_, layout)| layout).collect(),
        colour,
        foreign,
        limits: limits.clone(),
        heads: Heads::default(),
    }))
}

/// Where the directory of `page`'s full image begins.
///
/// # Errors
///
/// As [`open`].
pub(super) fn page_offset(
    reader: &Arc<dyn RangeReader>,
    page: u32,
    limits: &DecodeLimits,
) -> Result<u64> {
    let file = File::open(Arc::clone(reader))?;
    Ok(Page::read(&file, page, limits)?.directory.offset)
}

fn pyramid(page: &Page) -> Pyramid {
    let level = |(factor, layout): &(_, Arc<Layout>)| Level {
        factor: *factor,
        dimensions: layout.grid.image,
        tile: layout.cells(),
    };
    let mut levels = page.levels.iter().map(level);
    let full = levels.next().expect("a page has its full image");
    Pyramid::new(full, levels.collect())
}

impl Picture for Tiff {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn kept_bytes(&self) -> u64 {
        self.layouts.iter().map(|layout| layout.kept_bytes()).sum()
    }

    fn kept(&self) -> Option<&KeptSpace> {
        self.colour.kept()
    }

    fn price(&self, level: usize, window: Window) -> Price {
        let Some(layout) = self.layouts.get(level) else {
            return Price::default();
        };
        rows::price(layout, stored(layout, window))
    }

    fn decode(&self, level: usize, window: Window, cancel: &Cancel) -> Result<Box<dyn Rows>> {
        let layout = self.layout(level, window)?;
        let inside = stored(layout, window);
        let rows = TiffRows::new(
            layout,
            &self.reader,
            inside,
            self.foreign.as_ref(),
            &self.limits,
            cancel,
        )?;
        let rows = self.colour.apply(Box::new(rows));
        if inside.dimensions() == window.dimensions() {
            return Ok(rows);
        }
        Ok(Box::new(RepeatEdge::new(rows, window.dimensions())))
    }

    fn coding_block(&self) -> Dimensions {
        let side = match self.layouts.first() {
            Some(layout) if layout.has_samples_of_their_own() => 1,
            Some(_) | None => 16,
        };
        Dimensions {
            width: side,
            height: side,
        }
    }

    fn stored(&self, level: usize, window: Window, format: Format) -> Option<Stored> {
        let layout = self.layout(level, window).ok()?;
        let inside = self.colour.is_identity() && window.is_inside(layout.grid.image);
        match format {
            Format::Jpg if inside => jpeg_tile::stored(layout, window),
            Format::Webp if inside => webp_tile::stored(layout, window),
            Format::Jpg
            | Format::Webp
            | Format::Png
            | Format::Gif
            | Format::Tif
            | Format::Avif
            | Format::Jxl
            | Format::Jp2
            | Format::Pdf => None,
        }
    }

    fn mosaic(&self, level: usize, window: Window, components: Components) -> Option<Mosaic> {
        let layout = self.layout(level, window).ok()?;
        let inside = self.colour.is_identity() && window.is_inside(layout.grid.image);
        inside.then(|| jpeg_tile::mosaic(layout, window, components, &self.heads))?
    }
}

impl Tiff {
    /// The layout of `level`, if `window` reaches no further than the level's ceiling.
    fn layout(&self, level: usize, window: Window) -> Result<&Arc<Layout>> {
        let full = self.facts.pyramid.dimensions();
        let known = self.facts.pyramid.levels().get(level);
        let (Some(layout), Some(known)) = (self.layouts.get(level), known) else {
            return Err(Error::internal("decoding a level that is not there"));
        };
        let most = full.reduced(known.factor);
        let reach = |start: u32, length: u32| u64::from(start) + u64::from(length);
        if window.width == 0
            || window.height == 0
            || reach(window.x, window.width) > u64::from(most.width.max(known.dimensions.width))
            || reach(window.y, window.height) > u64::from(most.height.max(known.dimensions.height))
        {
            return Err(Error::internal("decoding a window outside its level"));
        }
        Ok(layout)
    }
}

/// The part of `window` that is stored, or the last column or row where all of it lies beyond.
fn stored(layout: &Layout, window: Window) -> Window {
    let cut = |start: u32, length: u32, side: u32| {
        let from = start.min(side - 1);
        let to = start.saturating_add(length).clamp(from + 1, side);
        (from, to - from)
    };
    let (x, width) = cut(window.x, window.width, layout.grid.image.width);
    let (y, height) = cut(window.y, window.height, layout.grid.image.height);
    Window {
        x,
        y,
        width,
        height,
    }
}
