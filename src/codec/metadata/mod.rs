//! A master's bytes → what it says beside its pixels: colour profile, EXIF, XMP, IPTC, resolution.
//!
//! For files and derivatives that are made of a master. Decoders read what they need themselves; this room
//! reads what is to be kept. Metadata that are damaged or beyond the limit are left
//! out as if they were not there.

mod attach;
mod block;
mod field;
mod resolution;
mod tags;

use std::sync::Arc;

pub(in crate::codec) use attach::resolution as resolution_fields;
use block::Block;
pub use field::Field;
pub(in crate::codec) use field::{BYTE, LONG8, UNDEFINED};
pub(in crate::codec) use resolution::of_jfif;
use tags::PHOTOSHOP;
pub(in crate::codec) use tags::{
    EXIF_IFD, GPS_IFD, ICC_PROFILE, INTEROPERABILITY_IFD, IPTC, SOFTWARE, XMP,
};

use super::{DecodeLimits, Density, bmp, gif, heif, jp2, jpeg, jxl, pdf_pages, png, tiff, webp};
use crate::error::Result;
use crate::raster::Channels;
use crate::reader::RangeReader;

/// What a master says beside its pixels.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata {
    /// Of the picture, as fields of a TIFF directory: profile, XMP, IPTC, maker, date, resolution …
    pub picture: Vec<Field>,
    /// The EXIF directory.
    pub exif: Vec<Field>,
    /// The EXIF directory of interoperability.
    pub interoperability: Vec<Field>,
    /// The EXIF directory of places.
    pub gps: Vec<Field>,
}

/// What other formats than TIFF hold: whole blocks.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    /// An ICC profile.
    pub(super) icc: Option<Vec<u8>>,
    /// An EXIF block, with or without the prefix of JPEG's APP1 segment.
    pub(super) exif: Option<Vec<u8>>,
    /// An XMP packet.
    pub(super) xmp: Option<Vec<u8>>,
    /// IPTC records.
    pub(super) iptc: Option<Vec<u8>>,
    /// Photoshop's resources.
    pub(super) photoshop: Option<Vec<u8>>,
    /// How large the picture is, as the container says.
    pub(super) density: Option<Density>,
}

/// Reads the metadata of `page` of the master behind `reader`, which [`super::open`] accepts.
///
/// # Errors
///
/// Those of the reader, and those of [`super::open`] for headers that are damaged.
pub fn metadata(
    reader: &Arc<dyn RangeReader>,
    page: u32,
    limits: &DecodeLimits,
) -> Result<Metadata> {
    let head = reader.read_vec(0, reader.length().min(64))?;
    if tiff::matches(&head) {
        let offset = tiff::page_offset(reader, page, limits)?;
        return of_directory(reader, Some(offset), limits);
    }
    let blocks = if jpeg::matches(&head) {
        jpeg::metadata(reader.as_ref(), limits)?
    } else if png::matches(&head) {
        png::metadata(reader, limits)?
    } else if webp::matches(&head) {
        webp::metadata(reader, limits)?
    } else if jp2::matches(&head) {
        let mut blocks = jp2::metadata(reader.as_ref(), limits)?;
        blocks.density = resolution::of_jp2(reader.as_ref())?;
        blocks
    } else if gif::matches(&head) {
        gif::metadata(reader, limits)?
    } else if bmp::matches(&head) {
        bmp::metadata(reader.as_ref(), limits)?
    } else if jxl::matches(&head) {
        jxl::metadata(reader.as_ref(), limits)?
    } else if heif::matches(&head) {
        heif::metadata(reader.as_ref(), limits)?
    } else if pdf_pages::matches(&head) {
        pdf_pages::metadata(limits)
    } else {
        Blocks::default()
    };
    of_blocks(blocks, limits)
}

fn of_blocks(blocks: Blocks, limits: &DecodeLimits) -> Result<Metadata> {
    let mut metadata = match blocks.exif {
        Some(exif) => {
            let exif = exif.strip_prefix(b"Exif\0\0").unwrap_or(&exif).to_vec();
            let reader: Arc<dyn RangeReader> = Arc::new(exif);
            of_directory(&reader, None, limits)?
        }
        None => Metadata::default(),
    };
    // Pixels of these formats are read with the profile of their container, whatever EXIF holds.
    let own = [
        (ICC_PROFILE, UNDEFINED, blocks.icc),
        (XMP, BYTE, blocks.xmp),
        (IPTC, UNDEFINED, blocks.iptc),
        (PHOTOSHOP, BYTE, blocks.photoshop),
    ];
    metadata.picture.retain(|field| field.tag != ICC_PROFILE);
    for (tag, kind, bytes) in own {
        if let Some(bytes) = bytes.filter(|bytes| !bytes.is_empty()) {
            metadata.picture.retain(|field| field.tag != tag);
            metadata.picture.push(Field::opaque(tag, kind, bytes));
        }
    }
    if let Some(density) = blocks.density.filter(|_| metadata.density().is_none()) {
        let fields = resolution_fields(density);
        let is_old = |old: &Field| fields.iter().any(|field| field.tag == old.tag);
        metadata.picture.retain(|field| !is_old(field));
        metadata.picture.extend(fields);
    }
    Ok(metadata)
}

/// The fields of an EXIF block without a prefix.
pub(super) fn of_block(block: &[u8]) -> Metadata {
    let reader: Arc<dyn RangeReader> = Arc::new(block.to_vec());
    of_directory(&reader, None, &DecodeLimits::default()).unwrap_or_default()
}

/// Fields of the directory at `offset`, or of the first, and of those that it points to.
fn of_directory(
    reader: &Arc<dyn RangeReader>,
    offset: Option<u64>,
    limits: &DecodeLimits,
) -> Result<Metadata> {
    let Some(mut block) = Block::open(Arc::clone(reader), limits.max_metadata_bytes)? else {
        return Ok(Metadata::default());
    };
    let offset = offset.unwrap_or(block.first);
    let mut metadata = Metadata {
        picture: block.fields(offset, &|tag| tags::CARRIED.contains(&tag)),
        ..Metadata::default()
    };
    let is_value = |tag| tag != INTEROPERABILITY_IFD;
    if let Some(exif) = block.pointer(offset, EXIF_IFD) {
        metadata.exif = block.fields(exif, &is_value);
        if let Some(inner) = block.pointer(exif, INTEROPERABILITY_IFD) {
            metadata.interoperability = block.fields(inner, &is_value);
        }
    }
    if let Some(gps) = block.pointer(offset, GPS_IFD) {
        metadata.gps = block.fields(gps, &is_value);
    }
    Ok(metadata)
}

impl Metadata {
    /// The picture's field with this tag.
    pub fn field(&self, tag: u16) -> Option<&Field> {
        self.picture.iter().find(|field| field.tag == tag)
    }

    /// Without a colour profile that is not for pixels of `channels`: inks and L\*a\*b\* have become red,
    /// green and blue.
    #[must_use]
    pub fn fitted(mut self, channels: Channels) -> Self {
        let space: &[u8] = if channels.is_gray() { b"GRAY" } else { b"RGB " };
        self.picture.retain(|field| {
            field.tag != ICC_PROFILE || field.bytes.get(16..20).is_none_or(|own| own == space)
        });
        self
    }

    /// Bytes of all values together.
    pub fn bytes(&self) -> u64 {
        let all = [&self.picture, &self.exif, &self.interoperability, &self.gps];
        let fields = all.into_iter().flatten();
        fields.map(|field| field.bytes.len() as u64 + 32).sum()
    }

    /// The program that wrote the master, as it says.
    pub fn software(&self) -> Option<&str> {
        self.field(SOFTWARE).and_then(Field::as_text)
    }
}

#[cfg(test)]
mod tests;
