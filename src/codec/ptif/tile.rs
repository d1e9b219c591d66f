//! The pixels of one tile → its bytes, in the file's compression.

use crate::cancel::Cancel;
use crate::codec::{Attached, jpeg, webp};
use crate::encoding::{JpegSettings, Subsampling, WebpSettings};
use crate::error::{Error, ErrorKind, Result};
use crate::geometry::Dimensions;
use crate::raster::{Channels, Depth, OneStrip, PixelFormat};

use super::sample::Sample;
use super::tables::Tables;
use super::{PyramidSettings, TileCompression, deflate, zstandard};

/// Effort of lossy WebP tiles, 0 to 6: pyramids are written once and read often.
const WEBP_METHOD: u8 = 4;

/// Encodes the tiles of one file; many threads share it.
#[derive(Debug)]
pub(super) struct TileEncoder {
    compression: TileCompression,
    format: PixelFormat,
    side: Dimensions,
    tables: Option<Tables>,
    cancel: Cancel,
}

/// More bytes than the encoders make of a tile of the worst pixels.
///
/// The exact kinds give up on what does not shrink. A JPEG's coefficients have no more power than its
/// samples (Parseval), so that on an average none takes more than 16 bits; a WebP's are alike.
pub(super) fn most_bytes(format: PixelFormat, settings: &PyramidSettings) -> u64 {
    let pixels = u64::from(settings.tile_px) * u64::from(settings.tile_px);
    let samples = pixels * format.bytes_per_pixel() as u64;
    let most = match settings.compression {
        TileCompression::Jpeg { .. } if format.channels.is_gray() => 2 * pixels,
        TileCompression::Jpeg { subsampling, .. } => match subsampling {
            Subsampling::S420 => 3 * pixels,
            Subsampling::S422 => 4 * pixels,
            Subsampling::S444 => 6 * pixels,
        },
        TileCompression::Webp { .. } => 2 * samples,
        TileCompression::Deflate | TileCompression::Zstd => samples + samples / 8,
    };
    most + 1024
}

/// Refuses pixels of `format` where the compression cannot hold them.
pub(super) fn check(format: PixelFormat, settings: &PyramidSettings) -> Result<()> {
    let refused = |words: &'static str| Err(Error::new(ErrorKind::BadRequest, words));
    if settings.tile_px == 0 || !settings.tile_px.is_multiple_of(16) {
        return refused("the sides of a TIFF's tiles are multiples of 16");
    }
    let eight = format.depth == Depth::Eight;
    match settings.compression {
        TileCompression::Jpeg { .. } if !eight => {
            refused("JPEG tiles have 8 bits a sample and the master has 16: take deflate or zstd")
        }
        TileCompression::Jpeg { .. } if format.channels.has_alpha() => {
            refused("JPEG tiles have no opacity and the master has: take deflate, zstd or webp")
        }
        TileCompression::Webp { .. } if !eight => {
            refused("WebP tiles have 8 bits a sample and the master has 16: take deflate or zstd")
        }
        TileCompression::Webp { .. } if format.channels.is_gray() => {
            refused("WebP tiles have colours and the master is gray: take jpeg, deflate or zstd")
        }
        TileCompression::Zstd if !zstandard::AVAILABLE => Err(Error::new(
            ErrorKind::NotImplemented,
            "this build has no Zstandard: take deflate",
        )),
        TileCompression::Jpeg { .. }
        | TileCompression::Webp { .. }
        | TileCompression::Deflate
        | TileCompression::Zstd => Ok(()),
    }
}

impl TileEncoder {
    /// An encoder of tiles of `format`.
    pub(super) fn new(
        format: PixelFormat,
        settings: &PyramidSettings,
        cancel: &Cancel,
    ) -> Result<Self> {
        let side = Dimensions::new(settings.tile_px, settings.tile_px)
            .ok_or_else(|| Error::internal("writing tiles without pixels"))?;
        let mut encoder = Self {
            compression: settings.compression,
            format,
            side,
            tables: None,
            cancel: cancel.clone(),
        };
        if matches!(settings.compression, TileCompression::Jpeg { .. }) {
            let samples = side.area() * format.channels.count() as u64;
            let samples = usize::try_from(samples)
                .map_err(|cause| Error::internal("sizing a tile").with_source(cause))?;
            encoder.tables = Some(Tables::of(&encoder.encode(vec![0_u8; samples])?)?);
        }
        Ok(encoder)
    }

    /// What a pixel is made of.
    pub(super) fn format(&self) -> PixelFormat {
        self.format
    }

    /// What the file has to hold once for all tiles.
    pub(super) fn tables(&self) -> Option<Vec<u8>> {
        self.tables.as_ref().map(Tables::stream)
    }

    /// The bytes of a tile with these pixels.
    pub(super) fn encode<T: Sample>(&self, samples: Vec<T>) -> Result<Vec<u8>> {
        self.cancel.check()?;
        let channels = self.format.channels;
        match self.compression {
            TileCompression::Jpeg {
                quality,
                subsampling,
            } => {
                let settings = JpegSettings {
                    quality,
                    subsampling,
                    progressive: false,
                };
                let mut rows = self.rows(samples)?;
                let mut stream = Vec::new();
                jpeg::encode(&mut rows, &settings, &self.cancel, &mut stream)?;
                match &self.tables {
                    Some(tables) => tables.abbreviate(&stream),
                    None => Ok(stream),
                }
            }
            TileCompression::Webp { quality } => {
                let settings = WebpSettings {
                    lossless: quality.is_none(),
                    quality: quality.unwrap_or_default(),
                    method: WEBP_METHOD,
                };
                let mut stream = Vec::new();
                webp::encode(
                    &mut self.rows(samples)?,
                    settings,
                    &Attached::default(),
                    &self.cancel,
                    &mut stream,
                )?;
                Ok(stream)
            }
            TileCompression::Deflate => deflate::zlib(&self.differences(&samples, channels)),
            TileCompression::Zstd => zstandard::compress(&self.differences(&samples, channels)),
        }
    }

    fn rows<T: Sample>(&self, samples: Vec<T>) -> Result<OneStrip> {
        T::raster(self.side, self.format.channels, samples).map(OneStrip::from)
    }

    /// Every sample less the same one of the pixel before, little-endian (TIFF 6.0, section 14).
    fn differences<T: Sample>(&self, samples: &[T], channels: Channels) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(size_of_val(samples));
        let row_len = self.side.width as usize * channels.count();
        for row in samples.chunks_exact(row_len) {
            let (first, _) = row.split_at(channels.count());
            for sample in first {
                sample.append(&mut bytes);
            }
            for (before, sample) in row.iter().zip(row.iter().skip(channels.count())) {
                sample.minus(*before).append(&mut bytes);
            }
        }
        bytes
    }
}
