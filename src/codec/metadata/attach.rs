//! A master's metadata → what goes into a derivative of it.
//!
//! A derivative is upright, in sRGB and of other dimensions; what metadata say about that is made true.
//! Thumbnails, maker's notes and offsets into the master stay behind, places unless they are asked for.
//!
//! Source: EXIF 2.32, 4.6; Adobe's XMP, part 2, 3.2; Photoshop's image resources, 1028 for IPTC.

use std::io::Cursor;

use super::field::{ASCII, BYTE};
use super::tags::{PHOTOSHOP, RESOLUTION_UNIT, X_RESOLUTION, XMP, Y_RESOLUTION};
use super::{EXIF_IFD, Field, GPS_IFD, INTEROPERABILITY_IFD, IPTC, Metadata};
use crate::codec::ptif::Output;
use crate::codec::{Attached, Density, xmp};
use crate::encoding::MetadataSettings;
use crate::error::Result;
use crate::geometry::Dimensions;
use crate::iiif::Format;

const ORIENTATION: u16 = 0x0112;
const MAKER_NOTE: u16 = 0x927c;
const COLOUR_SPACE: u16 = 0xa001;
const PIXEL_X_DIMENSION: u16 = 0xa002;
const PIXEL_Y_DIMENSION: u16 = 0xa003;
/// The version of the directory, which it has to have.
const EXIF_VERSION: u16 = 0x9000;
/// What begins a resource of Photoshop's, and the number of the one that holds IPTC records.
const RESOURCE: &[u8] = b"8BIM";
const IPTC_RESOURCE: u16 = 0x0404;

impl Metadata {
    /// What goes into a derivative in `format`, of `dimensions` and `density`, as `settings` say.
    ///
    /// # Errors
    ///
    /// None but of memory: what cannot be written stays behind.
    pub fn attached(
        &self,
        settings: MetadataSettings,
        format: Format,
        dimensions: Dimensions,
        density: Option<Density>,
    ) -> Result<Attached> {
        let mut attached = Attached {
            density: density.filter(|_| settings.dpi),
            ..Attached::default()
        };
        if settings.exif {
            attached.exif = self.exif_block(settings.gps, dimensions, density)?;
        }
        if attached.density.is_some() && attached.exif.is_none() && !has_own_density(format) {
            attached.exif = Some(Self::default().block(false, dimensions, density)?);
        }
        if settings.xmp {
            let packet = self.field(XMP).map(|field| field.bytes.clone());
            attached.xmp = packet.and_then(|packet| xmp::carried(packet, settings.gps));
        }
        if settings.iptc {
            attached.iptc = self.iptc();
        }
        Ok(attached)
    }

    /// How large the picture is. What programs write unasked counts as not said.
    pub fn density(&self) -> Option<Density> {
        let value = |tag| self.field(tag).and_then(Field::as_fraction);
        let (across, down) = (value(X_RESOLUTION)?, value(Y_RESOLUTION)?);
        let density = match self.field(RESOLUTION_UNIT).and_then(Field::as_short) {
            None | Some(2) => Density::of_inch(across, down),
            Some(3) => Density::new(across * 100.0, down * 100.0),
            Some(_) => None,
        };
        density.filter(|density| !density.is_habit())
    }

    /// The EXIF block, if there is anything to say.
    fn exif_block(
        &self,
        places: bool,
        dimensions: Dimensions,
        density: Option<Density>,
    ) -> Result<Option<Vec<u8>>> {
        if self.exif.is_empty() && self.picture.iter().all(|field| !is_of_exif(field)) {
            return Ok(None);
        }
        self.block(places, dimensions, density).map(Some)
    }

    /// An EXIF block of a picture that is upright and in sRGB.
    fn block(
        &self,
        places: bool,
        dimensions: Dimensions,
        density: Option<Density>,
    ) -> Result<Vec<u8>> {
        let mut picture: Vec<Field> = self.picture.clone();
        picture.retain(is_of_exif);
        picture.push(Field::shorts(ORIENTATION, &[1]));
        if let Some(density) = density {
            picture.extend(resolution(density));
        }
        let mut exif = self.exif.clone();
        let made = [
            MAKER_NOTE,
            COLOUR_SPACE,
            PIXEL_X_DIMENSION,
            PIXEL_Y_DIMENSION,
            EXIF_VERSION,
        ];
        exif.retain(|field| !made.contains(&field.tag));
        exif.extend([
            Field::opaque(EXIF_VERSION, super::UNDEFINED, b"0232".to_vec()),
            Field::shorts(COLOUR_SPACE, &[1]),
            Field::longs(PIXEL_X_DIMENSION, &[dimensions.width]),
            Field::longs(PIXEL_Y_DIMENSION, &[dimensions.height]),
        ]);
        let mut block = Cursor::new(Vec::new());
        let mut output = Output::begin(&mut block, false)?;
        let pointer = |tag, offset| Field::longs(tag, &[u32::try_from(offset).unwrap_or(0)]);
        if !self.interoperability.is_empty() {
            let offset = output.directory(self.interoperability.clone(), 0)?;
            exif.push(pointer(INTEROPERABILITY_IFD, offset));
        }
        let offset = output.directory(exif, 0)?;
        picture.push(pointer(EXIF_IFD, offset));
        if places && !self.gps.is_empty() {
            let offset = output.directory(self.gps.clone(), 0)?;
            picture.push(pointer(GPS_IFD, offset));
        }
        let first = output.directory(picture, 0)?;
        output.finish(first)?;
        Ok(block.into_inner())
    }

    /// IPTC records, from their own field or from Photoshop's resources.
    fn iptc(&self) -> Option<Vec<u8>> {
        let own = self.field(IPTC).map(|field| field.bytes.clone());
        own.or_else(|| records(&self.field(PHOTOSHOP)?.bytes))
    }
}

/// Whether a format says by itself how large a picture is; in others EXIF alone can.
const fn has_own_density(format: Format) -> bool {
    match format {
        Format::Jpg | Format::Png | Format::Tif | Format::Jp2 | Format::Pdf => true,
        Format::Webp | Format::Avif | Format::Jxl | Format::Gif => false,
    }
}

/// The fields that say how large a picture is.
pub(in crate::codec) fn resolution(density: Density) -> [Field; 3] {
    let (across, down) = density.per_inch();
    [
        Field::rationals(X_RESOLUTION, &[hundredths(across)]),
        Field::rationals(Y_RESOLUTION, &[hundredths(down)]),
        Field::shorts(RESOLUTION_UNIT, &[2]),
    ]
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a density is above 0 and below 2³² hundredths of an inch; `as` holds at the ends"
)]
fn hundredths(value: f64) -> (u32, u32) {
    ((value * 100.0).round().max(1.0) as u32, 100)
}

/// Whether a field of the picture's directory belongs into an EXIF block.
fn is_of_exif(field: &Field) -> bool {
    let names = [X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT];
    (field.kind == ASCII || (field.tag >= 40_091 && field.kind == BYTE))
        && !names.contains(&field.tag)
}

/// The IPTC records of Photoshop's resources.
fn records(mut resources: &[u8]) -> Option<Vec<u8>> {
    loop {
        let rest = resources.strip_prefix(RESOURCE)?;
        let (number, rest) = rest.split_first_chunk::<2>()?;
        // A name with its length, padded to an even number of bytes.
        let name = usize::from(*rest.first()?) + 1;
        let rest = rest.get(name.next_multiple_of(2)..)?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        if u16::from_be_bytes(*number) == IPTC_RESOURCE {
            return rest.get(..length).map(<[u8]>::to_vec);
        }
        resources = rest.get(length.next_multiple_of(2)..)?;
    }
}
