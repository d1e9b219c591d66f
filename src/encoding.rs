//! How derivatives are encoded: settings that `config` reads, `plan` hands on and `codec` applies.

use std::time::Duration;

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
    /// GIF.
    pub gif: GifSettings,
    /// AVIF.
    pub avif: AvifSettings,
    /// JPEG XL.
    pub jxl: JxlSettings,
    /// JPEG 2000.
    pub jp2: Jp2Settings,
    /// PDF.
    pub pdf: PdfSettings,
    /// What of masters' metadata goes into derivatives.
    pub metadata: MetadataSettings,
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
        if !(1..=100).contains(&self.avif.quality) {
            return Err(ConfigError::new("encode.avif.quality", "must be 1 to 100"));
        }
        if !(1..=10).contains(&self.avif.speed) {
            return Err(ConfigError::new("encode.avif.speed", "must be 1 to 10"));
        }
        if self.jxl.effort > 127 {
            return Err(ConfigError::new("encode.jxl.effort", "must be 0 to 127"));
        }
        if !(20..=90).contains(&self.jp2.psnr_db) {
            return Err(ConfigError::new("encode.jp2.psnr_db", "must be 20 to 90"));
        }
        if self.jp2.tile_px != 0 && !(64..=16_384).contains(&self.jp2.tile_px) {
            let rule = "must be 0 or 64 to 16384";
            return Err(ConfigError::new("encode.jp2.tile_px", rule));
        }
        if !(1..=10_000).contains(&self.pdf.dpi) {
            return Err(ConfigError::new("encode.pdf.dpi", "must be 1 to 10000"));
        }
        for (key, value) in [
            ("encode.avif.max_area_px", self.avif.max_area_px),
            ("encode.jxl.max_area_px", self.jxl.max_area_px),
            ("encode.jp2.max_area_px", self.jp2.max_area_px),
        ] {
            if value == 0 {
                return Err(ConfigError::new(key, "must be at least 1"));
            }
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

/// GIF.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct GifSettings {
    /// Whether pictures of more than 256 colours are dithered.
    pub dither: bool,
}

impl Default for GifSettings {
    fn default() -> Self {
        Self { dither: true }
    }
}

/// AVIF.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct AvifSettings {
    /// Quality, 1 to 100.
    pub quality: u8,
    /// Effort: 1 (small) to 10 (fast).
    pub speed: u8,
    /// Most pixels of a picture.
    pub max_area_px: u64,
}

/// Nanoseconds that the encoder takes for a pixel without opacity at speeds 1 to 10, by quality up to 80 and
/// above: measured for a photograph, at qualities 75 and 100.
const AVIF_PIXEL_NS: [[u64; 10]; 2] = [
    [6800, 2900, 1720, 1770, 1400, 1400, 1250, 1250, 610, 220],
    [
        60_000, 28_500, 17_000, 14_700, 3130, 3130, 2420, 2420, 1370, 560,
    ],
];

impl AvifSettings {
    /// The same, bounded to pictures that take no longer than `time` on one processor, opacity included.
    #[must_use]
    pub fn within(self, time: Duration) -> Self {
        let [usual, fine] = AVIF_PIXEL_NS;
        let costs = if self.quality > 80 { fine } else { usual };
        let speed = usize::from(self.speed.clamp(1, 10));
        let pixel = costs.get(speed - 1).copied().unwrap_or(u64::MAX);
        // Opacity is one plane more; without assembler all takes several times as long.
        let times = if cfg!(feature = "avif-asm") { 4 } else { 16 };
        let time = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let most = time / (pixel.saturating_mul(times) / 3);
        Self {
            max_area_px: self.max_area_px.min(most.max(1)),
            ..self
        }
    }

    /// Bytes that the encoder holds for a pixel at one time, its source excluded: planes of 16 bits of the
    /// source, what is coded and what it is compared with, and at high qualities codes that are longer.
    pub const fn bytes_px(self) -> u64 {
        if self.quality > 90 { 100 } else { 60 }
    }
}

impl Default for AvifSettings {
    fn default() -> Self {
        Self {
            quality: 75,
            speed: 10,
            max_area_px: 1 << 24,
        }
    }
}

/// JPEG XL, always lossless.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct JxlSettings {
    /// Effort: 0 (fast) to 127 (small).
    pub effort: u8,
    /// Most pixels of a picture.
    pub max_area_px: u64,
}

impl Default for JxlSettings {
    fn default() -> Self {
        Self {
            effort: 4,
            max_area_px: 1 << 26,
        }
    }
}

/// JPEG 2000 in a JP2 file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Jp2Settings {
    /// Exact pixels instead of `psnr_db`.
    pub lossless: bool,
    /// Ratio of signal and noise in decibels, 20 to 90.
    pub psnr_db: u8,
    /// Edge of the square tiles. 0: none.
    pub tile_px: u32,
    /// Most pixels of a picture.
    pub max_area_px: u64,
}

impl Default for Jp2Settings {
    fn default() -> Self {
        Self {
            lossless: false,
            psnr_db: 42,
            tile_px: 1024,
            max_area_px: 1 << 26,
        }
    }
}

/// PDF: a JPEG on one page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct PdfSettings {
    /// Pixels per inch of masters that do not say theirs.
    pub dpi: u32,
}

impl Default for PdfSettings {
    fn default() -> Self {
        Self { dpi: 300 }
    }
}

/// What of a master's metadata goes into its derivatives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a setting of its own"
)]
pub struct MetadataSettings {
    /// A profile of the colours, which are sRGB.
    pub icc: bool,
    /// EXIF, without places.
    pub exif: bool,
    /// Places, with EXIF.
    pub gps: bool,
    /// The XMP packet.
    pub xmp: bool,
    /// IPTC records.
    pub iptc: bool,
    /// The picture's size on paper.
    pub dpi: bool,
    /// Also into parts of a picture.
    pub regions: bool,
}

impl MetadataSettings {
    /// Whether anything goes into a derivative of the `whole` picture, or of a part of it.
    pub const fn carries(&self, whole: bool) -> bool {
        let any = self.icc || self.exif || self.xmp || self.iptc || self.dpi;
        any && (whole || self.regions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn most(quality: u8, speed: u8, seconds: u64) -> u64 {
        let settings = AvifSettings {
            quality,
            speed,
            ..AvifSettings::default()
        };
        let time = Duration::from_secs(seconds);
        settings.within(time).max_area_px
    }

    #[test]
    fn less_effort_and_quality_and_more_time_never_make_fewer_pixels() {
        for quality in [1, 80, 81, 100] {
            for speed in 1..=10 {
                let own = most(quality, speed, 15);
                // Two pairs of speeds do the same and were measured apart.
                let slower = most(quality, speed.saturating_sub(2).max(1), 15);
                assert!(own >= slower, "{quality} {speed}");
                assert!(most(quality, speed, 16) >= own && own >= most(100, speed, 15));
                assert!((1..=1 << 24).contains(&own));
            }
        }
    }

    #[cfg(feature = "avif-asm")]
    #[test]
    fn the_default_area_fits_half_the_default_time() {
        assert_eq!(most(75, 10, 15), 1 << 24);
        assert!(most(75, 1, 15) < 2_000_000 && most(100, 1, 15) < 200_000);
    }

    /// Sets one number.
    type Set = fn(&mut EncodeSettings, u32);

    fn small(number: u32) -> u8 {
        u8::try_from(number).expect("a small number")
    }

    #[test]
    fn every_number_has_its_range_and_a_wrong_one_names_its_key() {
        let cases: [(&str, Set, &[u32], &[u32]); 12] = [
            (
                "encode.jpeg.quality",
                |all, number| all.jpeg.quality = small(number),
                &[1, 100],
                &[0, 101],
            ),
            (
                "encode.webp.quality",
                |all, number| all.webp.quality = small(number),
                &[0, 100],
                &[101],
            ),
            (
                "encode.webp.method",
                |all, number| all.webp.method = small(number),
                &[0, 6],
                &[7],
            ),
            (
                "encode.avif.quality",
                |all, number| all.avif.quality = small(number),
                &[1, 100],
                &[0, 101],
            ),
            (
                "encode.avif.speed",
                |all, number| all.avif.speed = small(number),
                &[1, 10],
                &[0, 11],
            ),
            (
                "encode.jxl.effort",
                |all, number| all.jxl.effort = small(number),
                &[0, 127],
                &[128],
            ),
            (
                "encode.jp2.psnr_db",
                |all, number| all.jp2.psnr_db = small(number),
                &[20, 90],
                &[19, 91],
            ),
            (
                "encode.jp2.tile_px",
                |all, number| all.jp2.tile_px = number,
                &[0, 64, 16_384],
                &[1, 63, 16_385],
            ),
            (
                "encode.pdf.dpi",
                |all, number| all.pdf.dpi = number,
                &[1, 10_000],
                &[0, 10_001],
            ),
            (
                "encode.avif.max_area_px",
                |all, number| all.avif.max_area_px = number.into(),
                &[1],
                &[0],
            ),
            (
                "encode.jxl.max_area_px",
                |all, number| all.jxl.max_area_px = number.into(),
                &[1],
                &[0],
            ),
            (
                "encode.jp2.max_area_px",
                |all, number| all.jp2.max_area_px = number.into(),
                &[1],
                &[0],
            ),
        ];
        for (key, set, right, wrong) in cases {
            let checked = |number| {
                let mut settings = EncodeSettings::default();
                set(&mut settings, number);
                settings.check()
            };
            for number in right {
                assert_eq!(checked(*number), Ok(()), "{key} {number}");
            }
            for number in wrong {
                let error = checked(*number).expect_err(key);
                assert_eq!(error.key, key, "{number}");
            }
        }
    }

    #[test]
    fn each_kind_of_metadata_counts_and_parts_have_them_where_they_are_asked_for() {
        type Ask = fn(&mut MetadataSettings);
        let kinds: [Ask; 5] = [
            |asked| asked.icc = true,
            |asked| asked.exif = true,
            |asked| asked.xmp = true,
            |asked| asked.iptc = true,
            |asked| asked.dpi = true,
        ];
        for ask in kinds {
            let mut asked = MetadataSettings::default();
            ask(&mut asked);
            assert!(asked.carries(true) && !asked.carries(false), "{asked:?}");
            asked.regions = true;
            assert!(asked.carries(true) && asked.carries(false), "{asked:?}");
        }
        // Neither is anything by itself.
        let nothing = MetadataSettings {
            gps: true,
            regions: true,
            ..MetadataSettings::default()
        };
        assert!(!nothing.carries(true) && !nothing.carries(false));
    }

    #[test]
    fn avif_of_high_quality_holds_more_bytes_a_pixel() {
        let held = |quality| {
            let settings = AvifSettings {
                quality,
                ..AvifSettings::default()
            };
            settings.bytes_px()
        };
        assert_eq!([1, 90, 91, 100].map(held), [60, 60, 100, 100]);
    }
}
