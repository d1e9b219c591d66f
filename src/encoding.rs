//! How derivatives are encoded: settings that `config` reads, `plan` hands on and `codec` applies.

use serde::{Deserialize, Serialize};

use crate::error::ConfigError;

/// Settings of every derivative format.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EncodeSettings {
    /// JPEG.
    pub jpeg: JpegSettings,
    /// PNG.
    pub png: PngSettings,
    /// WebP.
    pub webp: WebpSettings,
    /// TIFF.
    pub tif: TifSettings,
}

impl EncodeSettings {
    /// Checks what types cannot.
    ///
    /// # Errors
    ///
    /// The first value that is out of its range.
    pub fn check(&self) -> Result<(), ConfigError> {
        if !(1..=100).contains(&self.jpeg.quality) {
            return Err(ConfigError::new("encode.jpeg.quality", "must be 1 to 100"));
        }
        if self.webp.quality > 100 {
            return Err(ConfigError::new("encode.webp.quality", "must be 0 to 100"));
        }
        if self.webp.method > 6 {
            return Err(ConfigError::new("encode.webp.method", "must be 0 to 6"));
        }
        Ok(())
    }
}

/// JPEG: baseline, standard tables; gray rows give one component.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct JpegSettings {
    /// IJG quality, 1 to 100.
    pub quality: u8,
    /// Resolution of the colour components.
    pub subsampling: Subsampling,
    /// Several scans of growing precision instead of one.
    pub progressive: bool,
}

impl Default for JpegSettings {
    fn default() -> Self {
        Self {
            quality: 80,
            subsampling: Subsampling::S420,
            progressive: false,
        }
    }
}

/// Resolution of a JPEG's colour components against its luma.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
pub enum Subsampling {
    /// Halved in both directions.
    #[serde(rename = "4:2:0")]
    S420,
    /// Halved from left to right.
    #[serde(rename = "4:2:2")]
    S422,
    /// Full.
    #[serde(rename = "4:4:4")]
    S444,
}

/// PNG.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct PngSettings {
    /// Effort.
    pub compression: PngCompression,
}

/// PNG effort: time against bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PngCompression {
    /// Fastest that still compresses.
    #[default]
    Fast,
    /// In between.
    Balanced,
    /// Smallest, many times slower.
    High,
}

/// WebP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebpSettings {
    /// Exact pixels instead of `quality`.
    pub lossless: bool,
    /// libwebp quality of lossy files, 0 to 100.
    pub quality: u8,
    /// libwebp effort of lossy files, 0 (fast) to 6 (small).
    pub method: u8,
}

impl Default for WebpSettings {
    fn default() -> Self {
        Self {
            lossless: false,
            quality: 80,
            method: 2,
        }
    }
}

/// TIFF.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct TifSettings {
    /// How strips are compressed.
    pub compression: TifCompression,
}

/// Compression of TIFF strips.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TifCompression {
    /// Not at all.
    None,
    /// Deflate with a horizontal predictor.
    #[default]
    Deflate,
    /// LZW with a horizontal predictor.
    Lzw,
}
