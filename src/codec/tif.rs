//! Rows → TIFF derivative: one directory of strips, gray or RGB, 8 or 16 bits, unassociated opacity.
//!
//! The format's directory points back and forth, so the picture is gathered and the file is made in
//! memory before its first byte leaves. The masters' side of TIFF is elsewhere.
//!
//! Source: TIFF 6.0; Adobe Photoshop TIFF Technical Notes 2002 for deflate.

use std::io::{Cursor, Write};

use tiff::Directory;
use tiff::TiffError;
use tiff::encoder::colortype::{self, ColorType};
use tiff::encoder::{
    Compression, DirectoryEncoder, Predictor, TiffEncoder, TiffKindStandard, TiffValue,
    compression::DeflateLevel,
};
use tiff::tags::{PhotometricInterpretation, SampleFormat, Tag, Type};

use crate::cancel::Cancel;
use crate::encoding::{TifCompression, TifSettings};
use crate::error::{Error, Result};
use crate::geometry::Dimensions;
use crate::raster::{Channels, Rows, Samples, gather};

use super::metadata::{self, Field, Metadata};
use super::{Attached, sink};

/// `ExtraSamples` of straight opacity.
const UNASSOCIATED_ALPHA: u16 = 2;

/// Writes `rows` to `sink`.
///
/// # Errors
///
/// Those of `rows` and `cancel`; [`crate::error::ErrorKind::Cancelled`] when `sink` refuses bytes.
pub(super) fn encode(
    rows: &mut dyn Rows,
    settings: TifSettings,
    attached: &Attached,
    cancel: &Cancel,
    sink: &mut dyn Write,
) -> Result<()> {
    let raster = gather(rows, cancel)?;
    cancel.check()?;
    let (dimensions, channels) = (raster.dimensions(), raster.format().channels);
    let picture = Picture {
        dimensions,
        channels,
        compression: settings.compression,
        attached,
    };
    let file = match (raster.samples(), channels) {
        (Samples::U8(samples), Channels::Gray) => picture.write::<colortype::Gray8>(samples),
        (Samples::U8(samples), Channels::GrayAlpha) => picture.write::<GrayAlpha8>(samples),
        (Samples::U8(samples), Channels::Rgb) => picture.write::<colortype::RGB8>(samples),
        (Samples::U8(samples), Channels::Rgba) => picture.write::<colortype::RGBA8>(samples),
        (Samples::U16(samples), Channels::Gray) => picture.write::<colortype::Gray16>(samples),
        (Samples::U16(samples), Channels::GrayAlpha) => picture.write::<GrayAlpha16>(samples),
        (Samples::U16(samples), Channels::Rgb) => picture.write::<colortype::RGB16>(samples),
        (Samples::U16(samples), Channels::Rgba) => picture.write::<colortype::RGBA16>(samples),
    }
    .map_err(|cause| Error::internal("writing a TIFF").with_source(cause))?;
    cancel.check()?;
    sink.write_all(&file).map_err(sink::refused)
}

/// What the directory says beside the kind of its samples.
struct Picture<'a> {
    dimensions: Dimensions,
    channels: Channels,
    compression: TifCompression,
    attached: &'a Attached,
}

impl Picture<'_> {
    fn write<C: ColorType>(&self, samples: &[C::Inner]) -> Result<Vec<u8>, TiffError>
    where
        [C::Inner]: TiffValue,
    {
        let (compression, predictor) = match self.compression {
            TifCompression::None => (Compression::Uncompressed, Predictor::None),
            TifCompression::Deflate => (
                Compression::Deflate(DeflateLevel::Fast),
                Predictor::Horizontal,
            ),
            TifCompression::Lzw => (Compression::Lzw, Predictor::Horizontal),
        };
        let mut file = Cursor::new(Vec::new());
        let mut encoder = TiffEncoder::new(&mut file)?
            .with_compression(compression)
            .with_predictor(predictor);
        let described = self.described(&mut encoder)?;
        let mut image = encoder.new_image::<C>(self.dimensions.width, self.dimensions.height)?;
        image.encoder().extend_from(&described);
        if self.channels.has_alpha() {
            image
                .encoder()
                .write_tag(Tag::ExtraSamples, UNASSOCIATED_ALPHA)?;
        }
        image.write_data(samples)?;
        Ok(file.into_inner())
    }

    /// The fields of what is attached, written but for their directory; directories that they need are
    /// written first.
    fn described(
        &self,
        encoder: &mut TiffEncoder<&mut Cursor<Vec<u8>>>,
    ) -> Result<Directory, TiffError> {
        let attached = self.attached;
        let block = attached.exif.as_deref().map(metadata::of_block);
        let Metadata {
            mut picture,
            exif,
            gps,
            ..
        } = block.unwrap_or_default();
        picture.extend(
            attached
                .density
                .into_iter()
                .flat_map(metadata::resolution_fields),
        );
        for (tag, kind, bytes) in [
            (metadata::ICC_PROFILE, metadata::UNDEFINED, &attached.icc),
            (metadata::XMP, metadata::BYTE, &attached.xmp),
            (metadata::IPTC, metadata::UNDEFINED, &attached.iptc),
        ] {
            picture.extend(bytes.clone().map(|bytes| Field::opaque(tag, kind, bytes)));
        }
        let mut pointers = Vec::new();
        for (tag, fields) in [(metadata::EXIF_IFD, exif), (metadata::GPS_IFD, gps)] {
            if !fields.is_empty() {
                let mut inner = encoder.extra_directory()?;
                let entries = entries(&mut inner, &fields)?;
                inner.extend_from(&entries);
                pointers.push((tag, inner.finish_with_offsets()?.pointer));
            }
        }
        let mut outer = encoder.extra_directory()?;
        let mut described = entries(&mut outer, &picture)?;
        for (tag, pointer) in pointers {
            // A file of this kind ends before 4 GiB.
            let place = u32::try_from(pointer.0)?;
            let entry = outer.write_entry_bytes(Type::LONG, &place.to_ne_bytes())?;
            described.extend([(Tag::from_u16_exhaustive(tag), entry)]);
        }
        Ok(described)
    }
}

type Inner<'a, 'f> = DirectoryEncoder<'a, &'f mut Cursor<Vec<u8>>, TiffKindStandard>;

/// Writes the values of `fields`.
fn entries(directory: &mut Inner<'_, '_>, fields: &[Field]) -> Result<Directory, TiffError> {
    let mut entries = Directory::empty();
    for field in fields {
        if let Some(kind) = Type::from_u16(field.kind) {
            let entry = directory.write_entry_bytes(kind, &field.native())?;
            entries.extend([(Tag::from_u16_exhaustive(field.tag), entry)]);
        }
    }
    Ok(entries)
}

/// Luminance and opacity of 8 bits.
struct GrayAlpha8;

impl ColorType for GrayAlpha8 {
    type Inner = u8;
    const TIFF_VALUE: PhotometricInterpretation = PhotometricInterpretation::BlackIsZero;
    const BITS_PER_SAMPLE: &'static [u16] = &[8; 2];
    const SAMPLE_FORMAT: &'static [SampleFormat] = &[SampleFormat::Uint; 2];

    fn horizontal_predict(row: &[u8], result: &mut Vec<u8>) {
        colour_differences(row, result, u8::wrapping_sub);
    }
}

/// Luminance and opacity of 16 bits.
struct GrayAlpha16;

impl ColorType for GrayAlpha16 {
    type Inner = u16;
    const TIFF_VALUE: PhotometricInterpretation = PhotometricInterpretation::BlackIsZero;
    const BITS_PER_SAMPLE: &'static [u16] = &[16; 2];
    const SAMPLE_FORMAT: &'static [SampleFormat] = &[SampleFormat::Uint; 2];

    fn horizontal_predict(row: &[u16], result: &mut Vec<u16>) {
        colour_differences(row, result, u16::wrapping_sub);
    }
}

/// Every sample less its left neighbour in the same of two channels.
fn colour_differences<T: Copy>(row: &[T], result: &mut Vec<T>, subtract: fn(T, T) -> T) {
    result.extend(row.iter().take(2));
    let pairs = row.iter().zip(row.iter().skip(2));
    result.extend(pairs.map(|(left, right)| subtract(*right, *left)));
}
