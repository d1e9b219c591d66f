//! The markers of a JPEG stream up to its first scan → [`Header`].
//!
//! Our own parser, so that what a stream claims is known and checked before a library sees it, and
//! so that every build tells the same facts. Entropy-coded data are left to the decoders. Reads are
//! bounded: the markers before the first scan may take `max_metadata_bytes` together.

use std::collections::BTreeMap;

use crate::codec::open::check_dimensions;
use crate::codec::{DecodeLimits, exif, xmp};
use crate::error::{Error, Result};
use crate::geometry::{Dimensions, Orientation};
use crate::raster::{Channels, PixelFormat};
use crate::reader::RangeReader;

use super::markers::{Markers, SOS};
use super::scanlines;

/// What precedes a piece of an ICC profile in an APP2 segment. Source: ICC.1:2022 B.4.
const ICC_PREFIX: &[u8] = b"ICC_PROFILE\0";

/// What precedes an EXIF block in an APP1 segment. Source: EXIF 2.32, 4.7.2.
pub(super) const EXIF_PREFIX: &[u8] = b"Exif\0\0";
/// What an XMP packet is preceded by there.
pub(super) const XMP_PREFIX: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";

/// Bytes of one 8×8 block of coefficients in memory.
const BLOCK_BYTES: u64 = 128;

/// How the stored components make colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stored {
    /// One component.
    Gray,
    /// Luma and two colour differences.
    YCbCr,
    /// Red, green, blue.
    Rgb,
    /// Cyan, magenta, yellow, black.
    Cmyk,
    /// The same, its colours as luma and colour differences.
    Ycck,
    /// Two components that are nothing to each other: gray and opacity.
    Pair,
    /// Four such components: colours and opacity, or inks.
    Four,
}

impl Stored {
    /// The channels that decoded rows of it hold; four inks are four channels until they are mixed.
    pub(super) const fn channels(self) -> Channels {
        match self {
            Self::Gray => Channels::Gray,
            Self::Pair => Channels::GrayAlpha,
            Self::YCbCr | Self::Rgb => Channels::Rgb,
            Self::Cmyk | Self::Ycck | Self::Four => Channels::Rgba,
        }
    }

    /// Whether its colours are inks.
    pub(super) const fn is_inks(self) -> bool {
        matches!(self, Self::Cmyk | Self::Ycck)
    }
}

/// One component of the frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Component {
    id: u8,
    h: u8,
    v: u8,
}

/// How coefficients are coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Coding {
    /// Scans of growing precision.
    pub(super) progressive: bool,
    /// Arithmetic instead of Huffman coding.
    pub(super) arithmetic: bool,
}

/// What the markers before the first scan say.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) dimensions: Dimensions,
    components: Vec<Component>,
    pub(super) coding: Coding,
    /// Whether all coefficients have to be gathered before the first row.
    pub(super) multiple_scans: bool,
    pub(super) stored: Stored,
    /// Bits of a sample, 8 or 12.
    pub(super) precision: u8,
    /// 0 stands for full ink, as Adobe's programs write it.
    pub(super) inverted: bool,
    pub(super) orientation: Orientation,
    pub(super) icc: Option<Vec<u8>>,
    /// Bytes of the whole stream.
    pub(super) length: u64,
    /// Bytes before the first scan's own segment.
    pub(super) first_scan_at: u64,
}

impl Header {
    /// Parses the stream behind `reader` up to its first scan.
    ///
    /// # Errors
    ///
    /// `Corrupt` for damaged markers, `NotImplemented` for what no build decodes, `TooLarge` for a
    /// side, area, or markers beyond `limits`, and those of the reader.
    pub(super) fn parse(reader: &dyn RangeReader, limits: &DecodeLimits) -> Result<Self> {
        let mut markers = Markers::new(reader, limits.max_metadata_bytes)?;
        let mut found = Found::default();
        loop {
            let (marker, length) = markers.next_segment()?;
            if marker == SOS {
                let at = markers.position();
                let scan = markers.payload(length)?;
                let components = scan.first().copied().unwrap_or(0);
                let scan = Scan { at, components };
                return found.into_header(&scan, reader.length(), limits);
            }
            if Found::wants(marker) {
                found.take(marker, markers.payload(length)?)?;
            }
            markers.skip(length);
        }
    }

    /// Largest sampling factors, horizontal and vertical, 1 to 4.
    pub(super) fn sampling(&self) -> (u32, u32) {
        let h = self.components.iter().map(|c| c.h).max().unwrap_or(1);
        let v = self.components.iter().map(|c| c.v).max().unwrap_or(1);
        (h.into(), v.into())
    }

    fn blocks_of_components(&self) -> impl Iterator<Item = u64> + '_ {
        let blocks = |c: &Component| u64::from(c.h) * u64::from(c.v);
        self.components.iter().map(blocks)
    }

    /// Sides of a unit of the only scan in blocks. Source: ITU-T T.81 A.2.2, A.2.3.
    #[cfg(any(feature = "turbojpeg", feature = "mozjpeg"))]
    pub(super) fn unit_sampling(&self) -> (u32, u32) {
        if self.components.len() == 1 {
            (1, 1)
        } else {
            self.sampling()
        }
    }

    /// Blocks of such a unit.
    #[cfg(any(feature = "turbojpeg", feature = "mozjpeg"))]
    pub(super) fn blocks_in_unit(&self) -> u64 {
        if self.components.len() == 1 {
            1
        } else {
            self.blocks_of_components().sum()
        }
    }

    /// What decoded rows hold: samples of 12 bits are widened to 16.
    pub(super) fn format(&self) -> PixelFormat {
        let channels = self.stored.channels();
        if self.precision > 8 {
            PixelFormat::sixteen(channels)
        } else {
            PixelFormat::eight(channels)
        }
    }

    /// How many components the frame has.
    pub(super) fn component_count(&self) -> usize {
        self.components.len()
    }

    /// Bytes of all coefficients in memory, as a stream of several scans needs them.
    pub(super) fn coefficient_bytes(&self) -> u64 {
        if !self.multiple_scans {
            return 0;
        }
        let (max_h, max_v) = self.sampling();
        let wide = u64::from(self.dimensions.width.div_ceil(8 * max_h));
        let high = u64::from(self.dimensions.height.div_ceil(8 * max_v));
        let per_unit: u64 = self.blocks_of_components().sum();
        wide * high * per_unit * BLOCK_BYTES
    }

    /// Refuses a Huffman-coded stream that cannot hold a bit for each of its blocks: dimensions that
    /// are claimed and not there.
    ///
    /// The component with the largest horizontal factor has a block for at most 8 × 32 pixels, and a
    /// block begins with a code of at least one bit (ITU-T T.81 F.1.2.1, G.1.2.1).
    pub(super) fn check_length(&self) -> Result<()> {
        let blocks = self.dimensions.area() / (8 * 32);
        let coded = self.length.saturating_sub(self.first_scan_at);
        if self.coding.arithmetic || coded.saturating_mul(8) >= blocks {
            return Ok(());
        }
        let words = format!("{coded} bytes cannot hold {} pixels", self.dimensions);
        Err(Error::corrupt(words))
    }
}

/// The frame segment.
struct Frame {
    coding: Coding,
    dimensions: Dimensions,
    precision: u8,
    components: Vec<Component>,
}

/// The first scan's segment.
struct Scan {
    at: u64,
    components: u8,
}

/// What has been met so far.
#[derive(Default)]
struct Found {
    frame: Option<Frame>,
    jfif: bool,
    adobe_transform: Option<u8>,
    /// What EXIF says, and what XMP says.
    orientation: [Option<Orientation>; 2],
    icc: IccPieces,
}

impl Found {
    fn wants(marker: u8) -> bool {
        matches!(marker, 0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf)
            || matches!(marker, 0xe0..=0xe2 | 0xee | 0xf7)
    }

    fn take(&mut self, marker: u8, payload: &[u8]) -> Result<()> {
        match marker {
            0xe0 => self.jfif |= payload.starts_with(b"JFIF\0"),
            0xe1 if payload.starts_with(EXIF_PREFIX) => {
                let [first, _] = &mut self.orientation;
                *first = first.or_else(|| exif::stated(payload));
            }
            0xe1 if payload.starts_with(XMP_PREFIX) => {
                let [_, second] = &mut self.orientation;
                *second = second.or_else(|| xmp::orientation(payload));
            }
            0xe2 => self.icc.take(payload),
            0xee => {
                if let [
                    b'A',
                    b'd',
                    b'o',
                    b'b',
                    b'e',
                    _,
                    _,
                    _,
                    _,
                    _,
                    _,
                    transform,
                    ..,
                ] = payload
                {
                    self.adobe_transform = Some(*transform);
                }
            }
            0xe1 => {}
            frame => self.take_frame(frame, payload)?,
        }
        Ok(())
    }

    fn take_frame(&mut self, marker: u8, payload: &[u8]) -> Result<()> {
        if self.frame.is_some() {
            return Err(Error::corrupt("it has two frames"));
        }
        self.frame = Some(Frame::parse(coding_of(marker)?, payload)?);
        Ok(())
    }

    /// How components make colour, as every JPEG library guesses it.
    ///
    /// Source: JFIF 1.02; Adobe Technical Note 5116, section 18; component letters by convention.
    fn stored(&self, components: &[Component]) -> Result<Stored> {
        let ids: Vec<u8> = components.iter().map(|c| c.id).collect();
        match (components.len(), self.adobe_transform) {
            (1, _) => Ok(Stored::Gray),
            (3, _) if self.jfif => Ok(Stored::YCbCr),
            (3, Some(0)) => Ok(Stored::Rgb),
            (3, None) if ids == *b"RGB" => Ok(Stored::Rgb),
            (3, _) => Ok(Stored::YCbCr),
            (4, Some(2)) => Ok(Stored::Ycck),
            (4, _) => Ok(Stored::Cmyk),
            (count, _) => Err(Error::unsupported(format!("it has {count} components"))),
        }
    }

    fn into_header(self, scan: &Scan, length: u64, limits: &DecodeLimits) -> Result<Header> {
        let Some(frame) = &self.frame else {
            return Err(Error::corrupt("its pixels come before their frame"));
        };
        check_dimensions(frame.dimensions, limits)?;
        let stored = self.stored(&frame.components)?;
        let inverted = stored.is_inks() && self.adobe_transform.is_some();
        let Self {
            frame: Some(frame),
            orientation,
            icc,
            ..
        } = self
        else {
            return Err(Error::internal("losing a frame"));
        };
        Ok(Header {
            dimensions: frame.dimensions,
            multiple_scans: frame.coding.progressive
                || usize::from(scan.components) < frame.components.len(),
            components: frame.components,
            coding: frame.coding,
            stored,
            precision: frame.precision,
            inverted,
            orientation: orientation.into_iter().flatten().next().unwrap_or_default(),
            icc: icc.into_profile(),
            length,
            first_scan_at: scan.at,
        })
    }
}

/// The coding that a frame marker names. Source: ITU-T T.81 table B.1; T.87 for JPEG-LS.
fn coding_of(marker: u8) -> Result<Coding> {
    let coding = |progressive, arithmetic| Coding {
        progressive,
        arithmetic,
    };
    match marker {
        0xc0 | 0xc1 => Ok(coding(false, false)),
        0xc2 => Ok(coding(true, false)),
        0xc9 | 0xca if scanlines::decodes_arithmetic() => Ok(coding(marker == 0xca, true)),
        0xc9 | 0xca => Err(Error::unsupported("its coding is arithmetic")),
        0xc3 | 0xcb | 0xf7 => Err(Error::unsupported("its coding is lossless JPEG")),
        _ => Err(Error::unsupported("its coding is hierarchical")),
    }
}

impl Frame {
    /// Source: ITU-T T.81 B.2.2.
    fn parse(coding: Coding, payload: &[u8]) -> Result<Self> {
        let [precision, y1, y0, x1, x0, count, rest @ ..] = payload else {
            return Err(Error::corrupt("its frame is cut short"));
        };
        let known = *precision == 8 || (*precision == 12 && scanlines::decodes_twelve_bits());
        if !known {
            let words = format!("its samples have {precision} bits");
            return Err(Error::unsupported(words));
        }
        let height = u32::from(u16::from_be_bytes([*y1, *y0]));
        let width = u32::from(u16::from_be_bytes([*x1, *x0]));
        if height == 0 {
            return Err(Error::unsupported("its height stands behind its pixels"));
        }
        let dimensions = Dimensions::new(width, height)
            .ok_or_else(|| Error::corrupt("its headers say that it has no pixels"))?;
        let (triples, odd) = rest.as_chunks::<3>();
        if triples.len() != usize::from(*count) || !odd.is_empty() {
            return Err(Error::corrupt("its frame does not list its components"));
        }
        let components = triples
            .iter()
            .copied()
            .map(Component::parse)
            .collect::<Result<_>>()?;
        Ok(Self {
            coding,
            dimensions,
            precision: *precision,
            components,
        })
    }
}

impl Component {
    fn parse([id, factors, _table]: [u8; 3]) -> Result<Self> {
        let (h, v) = (factors >> 4, factors & 15);
        if !(1..=4).contains(&h) || !(1..=4).contains(&v) {
            return Err(Error::corrupt("its sampling factors are impossible"));
        }
        Ok(Self { id, h, v })
    }
}

/// The pieces of an ICC profile, which may stand in any order.
///
/// Source: ICC.1:2022 B.4: sequence number from 1, number of pieces.
#[derive(Default)]
pub(super) struct IccPieces {
    pieces: BTreeMap<u8, Vec<u8>>,
    count: Option<u8>,
    broken: bool,
}

impl IccPieces {
    pub(super) fn take(&mut self, payload: &[u8]) {
        let Some([number, count, bytes @ ..]) = payload.strip_prefix(ICC_PREFIX) else {
            return;
        };
        let same_count = *self.count.get_or_insert(*count) == *count;
        let before = self.pieces.insert(*number, bytes.to_vec());
        self.broken |= !same_count || before.is_some() || *number == 0 || number > count;
    }

    /// The profile, if each piece is there once.
    pub(super) fn into_profile(self) -> Option<Vec<u8>> {
        let complete = self.pieces.len() == usize::from(self.count?) && !self.broken;
        complete.then(|| self.pieces.into_values().flatten().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(marker: u8, payload: &[u8]) -> Vec<u8> {
        let length = u16::try_from(payload.len() + 2)
            .expect("short")
            .to_be_bytes();
        [&[0xff, marker], &length[..], payload].concat()
    }

    /// A stream of components with these numbers, with `segments` before its frame and no pixels.
    fn header(ids: &[u8], segments: &[Vec<u8>]) -> Result<Header> {
        let count = u8::try_from(ids.len()).expect("few");
        let frame = ids.iter().flat_map(|id| [*id, 0x11, 0]);
        let frame: Vec<u8> = [8, 0, 8, 0, 8, count].into_iter().chain(frame).collect();
        let scan = ids.iter().flat_map(|id| [*id, 0]);
        let scan: Vec<u8> = [count].into_iter().chain(scan).chain([0, 63, 0]).collect();
        let stream = [
            b"\xff\xd8".to_vec(),
            segments.concat(),
            segment(0xc0, &frame),
            segment(0xda, &scan),
        ];
        Header::parse(&stream.concat(), &DecodeLimits::default())
    }

    fn jfif() -> Vec<u8> {
        segment(0xe0, b"JFIF\0\x01\x02\0\0\x01\0\x01\0\0")
    }

    fn adobe(transform: u8) -> Vec<u8> {
        segment(
            0xee,
            &[b"Adobe\0\x64\0\0\0\0".as_slice(), &[transform]].concat(),
        )
    }

    #[test]
    fn markers_and_letters_say_how_components_make_colour() {
        use Stored::{Cmyk, Gray, Rgb, YCbCr, Ycck};
        let (none, usual): (Vec<Vec<u8>>, [u8; 4]) = (Vec::new(), [1, 2, 3, 4]);
        for (ids, segments, stored, inverted) in [
            (&usual[..1], none.clone(), Gray, false),
            (&usual[..1], vec![adobe(0)], Gray, false),
            (&usual[..3], none.clone(), YCbCr, false),
            (&usual[..3], vec![adobe(1)], YCbCr, false),
            (&usual[..3], vec![adobe(0)], Rgb, false),
            // JFIF knows nothing but YCbCr, whatever stands beside it.
            (&usual[..3], vec![jfif(), adobe(0)], YCbCr, false),
            (b"RGB", none.clone(), Rgb, false),
            (b"RGB", vec![adobe(1)], YCbCr, false),
            (b"RGB", vec![jfif()], YCbCr, false),
            (b"rgb", none.clone(), YCbCr, false),
            (&usual, none, Cmyk, false),
            (&usual, vec![adobe(0)], Cmyk, true),
            (&usual, vec![adobe(2)], Ycck, true),
        ] {
            let found = header(ids, &segments).expect("good");
            let what = format!("{ids:?} {segments:?}");
            assert_eq!((found.stored, found.inverted), (stored, inverted), "{what}");
        }
        assert!(header(&[1, 2], &[]).is_err() && header(&[1, 2, 3, 4, 5], &[]).is_err());
    }

    #[test]
    fn a_profile_of_which_pieces_contradict_each_other_is_none() {
        let piece = |number: u8, count: u8, bytes: &[u8]| {
            segment(0xe2, &[ICC_PREFIX, &[number, count], bytes].concat())
        };
        for (pieces, profile) in [
            (vec![piece(1, 1, b"abc")], Some(&b"abc"[..])),
            (vec![piece(2, 2, b"c"), piece(1, 2, b"ab")], Some(b"abc")),
            (vec![piece(1, 2, b"ab")], None),
            (vec![piece(1, 2, b"ab"), piece(2, 3, b"c")], None),
            (vec![piece(0, 2, b"ab"), piece(1, 2, b"c")], None),
            (vec![piece(1, 2, b"ab"), piece(3, 2, b"c")], None),
            (vec![piece(1, 1, b"ab"), piece(1, 1, b"ab")], None),
            (Vec::new(), None),
        ] {
            let found = header(&[1], &pieces).expect("good").icc;
            assert_eq!(found.as_deref(), profile, "{pieces:?}");
        }
    }

    #[test]
    fn of_several_blocks_the_first_that_says_an_orientation_counts() {
        let exif = |tag: u16, value: u8| {
            let [low, high] = tag.to_le_bytes();
            let head = b"Exif\0\0II*\0\x08\0\0\0\x01\0";
            let entry = [low, high, 3, 0, 1, 0, 0, 0, value, 0, 0, 0, 0, 0, 0, 0];
            segment(0xe1, &[head.as_slice(), &entry].concat())
        };
        let xmp = |value: u8| {
            let words = format!("<a tiff:Orientation=\"{value}\"/>");
            segment(0xe1, &[XMP_PREFIX, words.as_bytes()].concat())
        };
        for (segments, wanted) in [
            (vec![exif(0x112, 6), exif(0x112, 3)], 6),
            (vec![exif(0x113, 8), exif(0x112, 3)], 3),
            (vec![xmp(8), exif(0x112, 3)], 3),
            (vec![xmp(8), xmp(3), exif(0x113, 6)], 8),
        ] {
            let found = header(&[1], &segments).expect("good").orientation;
            assert_eq!(found, Orientation::from_tag(wanted), "{segments:?}");
        }
    }
}
