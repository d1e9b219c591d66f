//! A JP2 or JPH file → where its code stream lies and what its colours mean.
//!
//! Boxes are walked on the file's top level; of the super-boxes only the JP2 header is entered, once.
//! Nothing is read that is not needed: other boxes are stepped over by their length. What the channels
//! mean together is decided in `channels`.
//!
//! Source: ISO/IEC 15444-1 annex I.

use crate::codec::{Damaged, DecodeLimits, exif, xmp};
use crate::error::{Error, ErrorKind, Result};
use crate::geometry::Orientation;
use crate::reader::RangeReader;

use super::bytes::Bytes;
use super::palette::Palette;
use super::spaces::Space;

/// The signature box, with its length (I.5.1).
pub(super) const SIGNATURE: [u8; 12] = *b"\0\0\0\x0cjP  \r\n\x87\n";

/// Most boxes of one level: far more than any file has, few enough to step over.
const MAX_BOXES: usize = 1000;

/// The identifier of a box that holds EXIF, as written by most tools: `JpgTiffExif->JP2`.
pub(super) const EXIF: &[u8] = b"JpgTiffExif->JP2";

/// The identifier of a box that holds an XMP packet (Adobe's XMP, part 3, 1.1.4).
pub(super) const XMP: &[u8] = b"\xbe\x7a\xcf\xcb\x97\xa9\x42\xe8\x9c\x71\x99\x94\x91\xe3\xaf\xac";

/// Bytes of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) offset: u64,
    pub(super) length: u64,
}

impl Extent {
    pub(super) const fn end(self) -> u64 {
        self.offset + self.length
    }
}

/// What the file says around its code stream.
#[derive(Debug, Clone)]
pub(super) struct Container {
    /// `JP2`, `JPH`, `JPX`, or `code stream`.
    pub(super) name: &'static str,
    pub(super) codestream: Extent,
    pub(super) colour: ColourSpec,
    pub(super) palette: Option<Palette>,
    /// Channels in order, if they are not simply the components (I.5.3.5).
    pub(super) mapping: Vec<Mapping>,
    /// What the channels stand for, if the file says so (I.5.3.6).
    pub(super) definitions: Vec<Definition>,
    pub(super) orientation: Orientation,
}

/// The colour space of the channels (I.5.3.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ColourSpec {
    /// The file does not say.
    Unknown,
    /// By a number, or by code points.
    Space(Space),
    Icc(Vec<u8>),
    /// One that is not read, and the reason.
    Refused(&'static str),
}

impl ColourSpec {
    /// The profile that has to be applied, if it is one.
    pub(super) fn profile(&self) -> Option<&[u8]> {
        if let Self::Icc(profile) = self {
            Some(profile)
        } else {
            None
        }
    }
}

/// Bits and sign of samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Precision {
    /// 1 to 38; what is above 16 is refused later.
    pub(super) bits: u8,
    pub(super) signed: bool,
}

impl Precision {
    /// From a byte of a header: sign in the highest bit, bits less one in the others.
    pub(super) const fn from_byte(byte: u8) -> Self {
        Self {
            bits: (byte & 0x7F) + 1,
            signed: byte & 0x80 != 0,
        }
    }
}

/// Where a channel comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mapping {
    pub(super) component: u16,
    /// A palette's column, or the component itself.
    pub(super) column: Option<u8>,
}

/// What a channel stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Definition {
    pub(super) channel: u16,
    pub(super) kind: u16,
    pub(super) association: u16,
}

impl Container {
    /// A file without boxes.
    pub(super) const fn bare(length: u64) -> Self {
        Self {
            name: "code stream",
            codestream: Extent { offset: 0, length },
            colour: ColourSpec::Unknown,
            palette: None,
            mapping: Vec::new(),
            definitions: Vec::new(),
            orientation: Orientation::IDENTITY,
        }
    }

    /// Walks the boxes of a file that begins with [`SIGNATURE`].
    pub(super) fn read(reader: &dyn RangeReader, limits: &DecodeLimits) -> Result<Self> {
        let mut container = Self::bare(0);
        let (mut typed, mut found, mut in_pieces) = (false, false, false);
        let mut stated = [None; 2];
        let mut walk = Walk::new(reader, limits.damaged);
        loop {
            let Some((kind, extent)) = walk.next_box()? else {
                break;
            };
            match &kind {
                b"ftyp" => {
                    container.name = brand(&payload(reader, extent, limits)?)?;
                    typed = true;
                }
                b"jp2h" => container.read_header(&payload(reader, extent, limits)?)?,
                b"jp2c" if !found => {
                    container.codestream = extent;
                    found = true;
                }
                // M.11.3: for what is elsewhere too, in other files even.
                b"ftbl" => in_pieces = true,
                b"uuid" => read_uuid(reader, extent, limits, &mut stated)?,
                _ => {}
            }
        }
        container.orientation = stated.into_iter().flatten().next().unwrap_or_default();
        if !typed {
            return Err(Error::corrupt("its file type box is missing"));
        }
        if !found && in_pieces {
            return Err(Error::unsupported(
                "its code stream is stored in pieces (a fragment table)",
            ));
        }
        if !found {
            return Err(Error::corrupt("it has no code stream"));
        }
        Ok(container)
    }

    /// The boxes in the JP2 header box (I.5.3).
    fn read_header(&mut self, header: &[u8]) -> Result<()> {
        let mut rest = Bytes::new(header);
        for _ in 0..MAX_BOXES {
            if rest.is_empty() {
                return Ok(());
            }
            let (kind, content) = inner_box(&mut rest)?;
            let content = Bytes::new(content);
            match &kind {
                b"ihdr" => check_image_header(content)?,
                b"colr" => self.read_colour(content)?,
                b"pclr" => self.palette = Some(Palette::parse(content)?),
                b"cmap" => self.mapping = mappings(content)?,
                b"cdef" => self.definitions = definitions(content)?,
                _ => {}
            }
        }
        Err(Error::corrupt("its header has too many boxes"))
    }

    /// The first colour specification that can be read counts (I.5.3.3; ISO/IEC 15444-15 for method 5).
    fn read_colour(&mut self, mut content: Bytes<'_>) -> Result<()> {
        if !matches!(self.colour, ColourSpec::Unknown | ColourSpec::Refused(_)) {
            return Ok(());
        }
        let (method, _precedence, _approximation) = (content.u8()?, content.u8()?, content.u8()?);
        let space = match method {
            1 => Space::numbered(content.u32()?, content),
            2 | 3 => {
                self.colour = ColourSpec::Icc(content.rest().to_vec());
                return Ok(());
            }
            5 => Space::of_code_points(content)?,
            _ => return Ok(()),
        };
        self.colour = space.map_or_else(ColourSpec::Refused, ColourSpec::Space);
        Ok(())
    }
}

/// What EXIF and XMP say of the orientation; what cannot be parsed says nothing.
fn read_uuid(
    reader: &dyn RangeReader,
    extent: Extent,
    limits: &DecodeLimits,
    stated: &mut [Option<Orientation>; 2],
) -> Result<()> {
    let id_length = EXIF.len() as u64;
    if extent.length <= id_length || extent.length > limits.max_metadata_bytes {
        return Ok(());
    }
    let [exif, xmp] = stated;
    let content = || reader.read_vec(extent.offset + id_length, extent.length - id_length);
    match reader.read_vec(extent.offset, id_length)?.as_slice() {
        EXIF if exif.is_none() => *exif = exif::stated(&content()?),
        XMP if xmp.is_none() => *xmp = xmp::orientation(&content()?),
        _ => {}
    }
    Ok(())
}

/// Steps over the boxes of the file's top level.
pub(super) struct Walk<'r> {
    reader: &'r dyn RangeReader,
    damaged: Damaged,
    position: u64,
    left: usize,
    /// Whether the code stream lies behind: there is nothing more that pixels need.
    has_passed: bool,
}

impl<'r> Walk<'r> {
    pub(super) fn new(reader: &'r dyn RangeReader, damaged: Damaged) -> Self {
        Self {
            reader,
            damaged,
            position: 0,
            left: MAX_BOXES,
            has_passed: false,
        }
    }

    /// The type and contents of the next box (I.4). What is no box behind the code stream is the file's end:
    /// there are files with a line's end there, or filled up with zeroes.
    pub(super) fn next_box(&mut self) -> Result<Option<([u8; 4], Extent)>> {
        match self.step() {
            Err(error) if self.has_passed && error.kind() == ErrorKind::Corrupt => Ok(None),
            next => next,
        }
    }

    fn step(&mut self) -> Result<Option<([u8; 4], Extent)>> {
        let end = self.reader.length();
        let rest = end.saturating_sub(self.position);
        if rest == 0 {
            return Ok(None);
        }
        self.left = self
            .left
            .checked_sub(1)
            .ok_or_else(|| Error::corrupt("it has too many boxes"))?;
        let mut head = [0; 16];
        let read = rest.min(16);
        let head = head
            .get_mut(..usize::try_from(read).unwrap_or(16))
            .ok_or_else(past_the_end)?;
        self.reader.read(self.position, head)?;
        let mut head = Bytes::new(head);
        let (kind, header, mut length) = box_header(&mut head, rest)?;
        if length > rest {
            if kind != *b"jp2c" || self.damaged == Damaged::Refuse {
                return Err(past_the_end());
            }
            length = rest;
        }
        let extent = Extent {
            offset: self.position + header,
            length: length - header,
        };
        self.position += length;
        self.has_passed |= kind == *b"jp2c";
        Ok(Some((kind, extent)))
    }
}

/// Type, header length and whole length of a box, which may be more than the `rest` that is there (I.4).
fn box_header(head: &mut Bytes<'_>, rest: u64) -> Result<([u8; 4], u64, u64)> {
    let short = head.u32()?;
    let kind = head.u32()?.to_be_bytes();
    let (header, length) = match short {
        0 => (8, rest),
        1 => (16, head.u64()?),
        length => (8, u64::from(length)),
    };
    if length < header {
        return Err(Error::corrupt("a box is shorter than its own header"));
    }
    Ok((kind, header, length))
}

/// The next box inside a super-box that is in memory.
fn inner_box<'a>(rest: &mut Bytes<'a>) -> Result<([u8; 4], &'a [u8])> {
    let available = rest.len();
    let (kind, header, length) = box_header(rest, available)?;
    if length > available {
        return Err(past_the_end());
    }
    let content = usize::try_from(length - header).map_err(|_too_long| past_the_end())?;
    Ok((kind, rest.take(content)?))
}

fn past_the_end() -> Error {
    Error::corrupt("a box reaches past the end of what holds it")
}

/// A box's contents, if the limits let it be read.
fn payload(reader: &dyn RangeReader, extent: Extent, limits: &DecodeLimits) -> Result<Vec<u8>> {
    if extent.length > limits.max_metadata_bytes {
        return Err(Error::new(
            ErrorKind::TooLarge,
            "the source image's header is larger than the limit",
        ));
    }
    reader.read_vec(extent.offset, extent.length)
}

/// The file's family by its type box (I.5.2): one whose brand or compatibility list is known.
fn brand(content: &[u8]) -> Result<&'static str> {
    let mut content = Bytes::new(content);
    let main = content.u32()?.to_be_bytes();
    let _version = content.u32()?;
    let name = |brand: &[u8]| match brand {
        b"jp2 " => Some("JP2"),
        b"jph " => Some("JPH"),
        b"jpx " => Some("JPX"),
        _ => None,
    };
    name(&main)
        .or_else(|| content.rest().chunks(4).find_map(name))
        .ok_or_else(|| Error::unsupported("its file type is not one of JPEG 2000's"))
}

/// The image header says how it is compressed; all else is taken from the code stream (I.5.3.1).
fn check_image_header(mut content: Bytes<'_>) -> Result<()> {
    let _height_width_components_bits = content.take(11)?;
    if content.u8()? != 7 {
        return Err(Error::unsupported("it is not compressed with wavelets"));
    }
    Ok(())
}

/// I.5.3.5.
fn mappings(mut content: Bytes<'_>) -> Result<Vec<Mapping>> {
    let mut mappings = Vec::new();
    while !content.is_empty() {
        let component = content.u16()?;
        let (kind, column) = (content.u8()?, content.u8()?);
        let column = match kind {
            0 => None,
            1 => Some(column),
            _ => return Err(Error::corrupt("a channel is mapped in an unknown way")),
        };
        mappings.push(Mapping { component, column });
    }
    Ok(mappings)
}

/// I.5.3.6.
fn definitions(mut content: Bytes<'_>) -> Result<Vec<Definition>> {
    (0..content.u16()?)
        .map(|_| {
            Ok(Definition {
                channel: content.u16()?,
                kind: content.u16()?,
                association: content.u16()?,
            })
        })
        .collect()
}
