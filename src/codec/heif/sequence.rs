//! The `moov` box of an image sequence → its first picture, for files that have no picture beside it.
//!
//! Source: ISO/IEC 14496-12:2022, clauses 8.3 to 8.7 and 12.1; ISO/IEC 23008-12:2022, clause 7.

use crate::error::{Error, Result};
use crate::geometry::Dimensions;

use super::fields::Fields;
use super::items::Extent;
use super::property::Property;

/// Bytes of a sample entry before its boxes, and those before its dimensions.
const ENTRY_BYTES: usize = 78;
const BEFORE_DIMENSIONS: usize = 24;

/// The first picture of a track.
#[derive(Debug)]
pub(super) struct First {
    pub(super) dimensions: Dimensions,
    pub(super) extent: Extent,
    pub(super) properties: Vec<Property>,
}

/// The first picture of the first track of pictures.
///
/// # Errors
///
/// [`crate::error::ErrorKind::NotImplemented`] for sequences with tracks of opacity.
pub(super) fn first(moov: Fields<'_>) -> Result<First> {
    let mut found = None;
    let mut parts = moov;
    while let Some(part) = parts.part()? {
        if &part.kind != b"trak" {
            continue;
        }
        let media = part.content.expect(*b"mdia")?;
        let mut handler = media.expect(*b"hdlr")?;
        handler.take(8)?;
        match &handler.kind()? {
            b"pict" if found.is_none() => found = Some(media),
            b"auxv" => return Err(Error::unsupported("its opacity is a sequence of its own")),
            _ => {}
        }
    }
    let media = found.ok_or_else(|| Error::corrupt("it has no pictures"))?;
    track(media)
}

fn track(media: Fields<'_>) -> Result<First> {
    let table = media.expect(*b"minf")?.expect(*b"stbl")?;
    let mut entries = table.expect(*b"stsd")?;
    entries.take(8)?;
    let entry = entries
        .part()?
        .ok_or_else(|| Error::corrupt("its track says nothing of itself"))?;
    let mut fields = entry.content;
    let mut head = Fields::new(fields.take(ENTRY_BYTES)?, 0);
    head.take(BEFORE_DIMENSIONS)?;
    let dimensions = Dimensions::new(head.u16()?.into(), head.u16()?.into());
    let mut properties = Vec::new();
    while let Some(part) = fields.part()? {
        if matches!(&part.kind, b"av1C" | b"hvcC" | b"colr") {
            properties.push(Property::parse(part)?);
        }
    }
    let mut sizes = table.expect(*b"stsz")?;
    sizes.version()?;
    let (common, count) = (sizes.u32()?, sizes.u32()?);
    if count == 0 {
        return Err(Error::corrupt("it has no pictures"));
    }
    let length = if common == 0 { sizes.u32()? } else { common };
    let at = if let Some(mut places) = table.find(*b"stco")? {
        places.take(8)?;
        places.u32()?.into()
    } else {
        let mut places = table.expect(*b"co64")?;
        places.take(8)?;
        places.number(8)?
    };
    if length == 0 {
        return Err(Error::corrupt("its first picture has no bytes"));
    }
    Ok(First {
        dimensions: dimensions
            .ok_or_else(|| Error::corrupt("its headers say that it has no pixels"))?,
        extent: Extent {
            at,
            length: length.into(),
        },
        properties,
    })
}
