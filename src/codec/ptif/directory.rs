//! What has been written of a level → the fields of its directory.
//!
//! Source: TIFF 6.0 (1992), sections 8 to 22, Technical Notes 1 and 2.

use std::io::{Seek, Write};

use crate::codec::metadata::UNDEFINED;
use crate::codec::metadata::{EXIF_IFD, Field, GPS_IFD, INTEROPERABILITY_IFD, LONG8, SOFTWARE};
use crate::encoding::Subsampling;
use crate::error::Result;
use crate::geometry::Dimensions;
use crate::raster::{Depth, PixelFormat};

use super::ifd::Output;
use super::tile::TileEncoder;
use super::{Carried, PyramidSettings, TileCompression};

const NEW_SUBFILE_TYPE: u16 = 254;
const IMAGE_WIDTH: u16 = 256;
const IMAGE_LENGTH: u16 = 257;
const BITS_PER_SAMPLE: u16 = 258;
const COMPRESSION: u16 = 259;
const PHOTOMETRIC: u16 = 262;
const ORIENTATION: u16 = 274;
const SAMPLES_PER_PIXEL: u16 = 277;
const PLANAR_CONFIGURATION: u16 = 284;
const PREDICTOR: u16 = 317;
const TILE_WIDTH: u16 = 322;
const TILE_LENGTH: u16 = 323;
const TILE_OFFSETS: u16 = 324;
const TILE_BYTE_COUNTS: u16 = 325;
/// Offsets of directories that belong to a picture.
pub(super) const SUB_IFDS: u16 = 330;
const EXTRA_SAMPLES: u16 = 338;
const JPEG_TABLES: u16 = 347;
const YCBCR_SUBSAMPLING: u16 = 530;
const YCBCR_POSITIONING: u16 = 531;
const REFERENCE_BLACK_WHITE: u16 = 532;

/// `NewSubfileType` of a picture that is another's reduction.
const REDUCED: u32 = 1;
/// `Photometric` of luminance, of red, green and blue, and of luma and colour differences.
const MIN_IS_BLACK: u16 = 1;
const RGB: u16 = 2;
const YCBCR: u16 = 6;
/// `ExtraSamples` of opacity that the colours are not multiplied with.
const UNASSOCIATED: u16 = 2;
/// Largest value of a JPEG's samples, and the middle of its colour differences: luma and differences
/// have the full range. Source: JFIF 1.02.
const FULL_RANGE: [(u32, u32); 6] = [(0, 1), (255, 1), (128, 1), (255, 1), (128, 1), (255, 1)];

/// What all levels of a file have in common.
pub(super) struct Described {
    format: PixelFormat,
    compression: TileCompression,
    tile_px: u32,
    orientation: u16,
    tables: Option<Vec<u8>>,
    big: bool,
}

impl Described {
    /// Levels that `encoder` writes.
    pub(super) fn new(
        encoder: &TileEncoder,
        settings: &PyramidSettings,
        orientation: u16,
        big: bool,
    ) -> Self {
        Self {
            format: encoder.format(),
            compression: settings.compression,
            tile_px: settings.tile_px,
            orientation: orientation.clamp(1, 8),
            tables: encoder.tables(),
            big,
        }
    }

    /// The fields of a level with `tiles` (offset and length of each).
    pub(super) fn level(
        &self,
        dimensions: Dimensions,
        tiles: &[(u64, u32)],
        reduced: bool,
    ) -> Vec<Field> {
        let offsets: Vec<u64> = tiles.iter().map(|(offset, _)| *offset).collect();
        let lengths: Vec<u32> = tiles.iter().map(|(_, length)| *length).collect();
        let mut fields = vec![
            Field::longs(NEW_SUBFILE_TYPE, &[if reduced { REDUCED } else { 0 }]),
            Field::longs(IMAGE_WIDTH, &[dimensions.width]),
            Field::longs(IMAGE_LENGTH, &[dimensions.height]),
            Field::shorts(ORIENTATION, &[self.orientation]),
            Field::shorts(PLANAR_CONFIGURATION, &[1]),
            Field::longs(TILE_WIDTH, &[self.tile_px]),
            Field::longs(TILE_LENGTH, &[self.tile_px]),
            Field::longs(TILE_BYTE_COUNTS, &lengths),
        ];
        fields.extend(self.offsets(TILE_OFFSETS, &offsets));
        self.samples(&mut fields);
        fields
    }

    /// What a pixel is and how it is compressed.
    fn samples(&self, fields: &mut Vec<Field>) {
        let channels = self.format.channels;
        let bits = match self.format.depth {
            Depth::Eight => 8,
            Depth::Sixteen => 16,
        };
        let (compression, ink) = match self.compression {
            TileCompression::Jpeg { .. } if !channels.is_gray() => (7, YCBCR),
            TileCompression::Jpeg { .. } => (7, MIN_IS_BLACK),
            TileCompression::Webp { .. } => (50001, RGB),
            TileCompression::Deflate => (8, self.plain_ink()),
            TileCompression::Zstd => (50000, self.plain_ink()),
        };
        fields.extend([
            Field::shorts(BITS_PER_SAMPLE, &vec![bits; channels.count()]),
            Field::shorts(COMPRESSION, &[compression]),
            Field::shorts(PHOTOMETRIC, &[ink]),
            Field::shorts(
                SAMPLES_PER_PIXEL,
                &[if channels.is_gray() { 1 } else { 3 } + u16::from(channels.has_alpha())],
            ),
        ]);
        if matches!(
            self.compression,
            TileCompression::Deflate | TileCompression::Zstd
        ) {
            fields.push(Field::shorts(PREDICTOR, &[2]));
        }
        if channels.has_alpha() {
            fields.push(Field::shorts(EXTRA_SAMPLES, &[UNASSOCIATED]));
        }
        if let Some(tables) = &self.tables {
            fields.push(Field::opaque(JPEG_TABLES, UNDEFINED, tables.clone()));
        }
        if ink == YCBCR {
            fields.extend(self.ycbcr());
        }
    }

    fn plain_ink(&self) -> u16 {
        if self.format.channels.is_gray() {
            MIN_IS_BLACK
        } else {
            RGB
        }
    }

    fn ycbcr(&self) -> [Field; 3] {
        let factors = match self.compression {
            TileCompression::Jpeg { subsampling, .. } => match subsampling {
                Subsampling::S420 => [2, 2],
                Subsampling::S422 => [2, 1],
                Subsampling::S444 => [1, 1],
            },
            TileCompression::Webp { .. } | TileCompression::Deflate | TileCompression::Zstd => {
                [1, 1]
            }
        };
        [
            Field::shorts(YCBCR_SUBSAMPLING, &factors),
            Field::shorts(YCBCR_POSITIONING, &[1]),
            Field::rationals(REFERENCE_BLACK_WHITE, &FULL_RANGE),
        ]
    }

    /// Offsets in the file's size, if there are any.
    pub(super) fn offsets(&self, tag: u16, offsets: &[u64]) -> Option<Field> {
        if offsets.is_empty() {
            return None;
        }
        if self.big {
            return Some(Field::longs8(tag, offsets));
        }
        // A classic file never grows past what 32 bits hold.
        let short: Vec<u32> = offsets
            .iter()
            .map(|offset| u32::try_from(*offset).unwrap_or(u32::MAX))
            .collect();
        Some(Field::longs(tag, &short))
    }

    /// The master's metadata; directories that they need are written first.
    pub(super) fn carried<W: Write + Seek>(
        &self,
        output: &mut Output<'_, W>,
        carried: Carried,
    ) -> Result<Vec<Field>> {
        let fits = |field: &Field| self.big || field.kind != LONG8;
        let mut metadata = carried.metadata;
        let mut fields = metadata.picture;
        fields.retain(|field| field.tag != SOFTWARE && fits(field));
        if !carried.software.is_empty() {
            fields.push(Field::text(SOFTWARE, &carried.software));
        }
        if !metadata.interoperability.is_empty() {
            let offset = output.directory(metadata.interoperability, 0)?;
            metadata
                .exif
                .extend(self.offsets(INTEROPERABILITY_IFD, &[offset]));
        }
        for (tag, mut inner) in [(EXIF_IFD, metadata.exif), (GPS_IFD, metadata.gps)] {
            inner.retain(fits);
            if !inner.is_empty() {
                let offset = output.directory(inner, 0)?;
                fields.extend(self.offsets(tag, &[offset]));
            }
        }
        Ok(fields)
    }
}
