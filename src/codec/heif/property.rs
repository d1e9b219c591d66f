//! Properties of a HEIF item: what it is coded with, its size, colours, and how it is to be laid.
//!
//! Source: ISO/IEC 23008-12:2022, 6.5; AV1 Image File Format 1.1.0, 2.2; ISO/IEC 14496-15:2022, 8.3.3.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::geometry::{Dimensions, Orientation};

use super::fields::{Fields, Part};
use super::planes::Chroma;

/// How an item's bytes are coded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Config {
    pub(super) codec: Codec,
    /// Bits of a sample.
    pub(super) bits: u8,
    pub(super) chroma: Chroma,
    /// Headers that the item's bytes leave out: open bitstream units, or parameter sets.
    pub(super) headers: Arc<[Vec<u8>]>,
    /// Bytes of the number before each unit of the item.
    pub(super) length_bytes: u8,
}

/// A way of coding pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    Av1,
    Hevc,
}

/// Colours by numbers.
///
/// Source: ITU-T H.273 (2024), clause 8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Points {
    pub(super) primaries: u8,
    pub(super) curve: u8,
    pub(super) matrix: u8,
    pub(super) full: bool,
}

impl Points {
    /// What holds where nothing is said.
    ///
    /// Source: ISO/IEC 23000-22:2019, 7.3.6.4.
    pub(super) const MIAF: Self = Self {
        primaries: 1,
        curve: 13,
        matrix: 5,
        full: true,
    };
}

/// A crop: sides and the distance of its middle from the picture's, as fractions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Aperture {
    pub(super) width: (u32, u32),
    pub(super) height: (u32, u32),
    pub(super) across: (i32, u32),
    pub(super) down: (i32, u32),
}

/// What is said of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Property {
    Config(Config),
    Size(Dimensions),
    Profile(Arc<[u8]>),
    Points(Points),
    Lay(Orientation),
    Crop(Aperture),
    /// What an auxiliary picture is for.
    Purpose(Vec<u8>),
    /// Nothing that bears on the pixels.
    Other,
    /// What nobody here knows.
    Unknown([u8; 4]),
}

impl Property {
    pub(super) fn parse(part: Part<'_>) -> Result<Self> {
        let mut fields = part.content;
        Ok(match &part.kind {
            b"av1C" => Self::Config(av1(fields)?),
            b"hvcC" => Self::Config(hevc(fields)?),
            b"ispe" => {
                fields.version()?;
                let (width, height) = (fields.u32()?, fields.u32()?);
                let none = || Error::corrupt("its headers say that it has no pixels");
                Self::Size(Dimensions::new(width, height).ok_or_else(none)?)
            }
            b"colr" => colour(fields)?,
            b"irot" => Self::Lay(Orientation {
                mirror: false,
                turns: (4 - (fields.u8()? & 3)) % 4,
            }),
            // 0 exchanges top and bottom, which is a mirror and half a turn.
            b"imir" => Self::Lay(Orientation {
                mirror: true,
                turns: if fields.u8()? & 1 == 0 { 2 } else { 0 },
            }),
            b"clap" => Self::Crop(Aperture {
                width: (fields.u32()?, fields.u32()?),
                height: (fields.u32()?, fields.u32()?),
                across: (fields.i32()?, fields.u32()?),
                down: (fields.i32()?, fields.u32()?),
            }),
            b"auxC" => {
                fields.version()?;
                Self::Purpose(fields.text()?.to_vec())
            }
            // Layers: 0xffff takes all, and operating point 0 is the whole of them.
            b"lsel" if fields.u16()? == 0xffff => Self::Other,
            b"a1op" if fields.u8()? == 0 => Self::Other,
            b"pixi" | b"pasp" | b"a1lx" | b"clli" | b"mdcv" | b"cclv" | b"amve" | b"rloc"
            | b"udes" | b"altt" | b"crtt" | b"mdft" => Self::Other,
            kind => Self::Unknown(*kind),
        })
    }
}

fn colour(mut fields: Fields<'_>) -> Result<Property> {
    Ok(match &fields.kind()? {
        b"nclx" => Property::Points(Points {
            primaries: point(fields.u16()?),
            curve: point(fields.u16()?),
            matrix: point(fields.u16()?),
            full: fields.u8()? & 0x80 != 0,
        }),
        b"prof" | b"rICC" => Property::Profile(fields.rest().into()),
        _ => Property::Other,
    })
}

/// A code point; those beyond a byte are reserved as 255 is.
fn point(value: u16) -> u8 {
    u8::try_from(value).unwrap_or(u8::MAX)
}

fn av1(mut fields: Fields<'_>) -> Result<Config> {
    fields.take(2)?;
    let flags = fields.u8()?;
    fields.take(1)?;
    let set = |bit: u8| flags & bit != 0;
    let bits = match (set(0x40), set(0x20)) {
        (false, _) => 8,
        (true, false) => 10,
        (true, true) => 12,
    };
    let chroma = match (set(0x10), set(0x08), set(0x04)) {
        (true, _, _) => Chroma::None,
        (_, true, true) => Chroma::Quarter,
        (_, true, false) => Chroma::Half,
        (_, false, false) => Chroma::Full,
        (_, false, true) => return Err(Error::corrupt("its chroma is sampled as none is")),
    };
    Ok(Config {
        codec: Codec::Av1,
        bits,
        chroma,
        headers: [fields.rest().to_vec()].into(),
        length_bytes: 0,
    })
}

fn hevc(mut fields: Fields<'_>) -> Result<Config> {
    fields.take(16)?;
    let chroma = match fields.u8()? & 3 {
        0 => Chroma::None,
        1 => Chroma::Quarter,
        2 => Chroma::Half,
        _ => Chroma::Full,
    };
    let bits = (fields.u8()? & 7) + 8;
    let of_chroma = (fields.u8()? & 7) + 8;
    if bits != of_chroma && chroma != Chroma::None {
        return Err(Error::unsupported(format!(
            "its luma has {bits} bits and its chroma {of_chroma}"
        )));
    }
    fields.take(2)?;
    let length_bytes = (fields.u8()? & 3) + 1;
    let mut headers = Vec::new();
    for _ in 0..fields.u8()? {
        fields.u8()?;
        for _ in 0..fields.u16()? {
            let length = fields.u16()?;
            headers.push(fields.take(length.into())?.to_vec());
        }
    }
    Ok(Config {
        codec: Codec::Hevc,
        bits,
        chroma,
        headers: headers.into(),
        length_bytes,
    })
}
