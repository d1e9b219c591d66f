//! What the operator decides about use cases: limits, caches, derivatives, admission.

use std::env;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::overlays::OverlayConfig;
use crate::codec::{ColourMode, Damaged, DecodeLimits, Intent, PdfLimits};
use crate::encoding::{
    AvifSettings, EncodeSettings, GifSettings, Jp2Settings, JpegSettings, JxlSettings,
    MetadataSettings, PdfSettings, PngSettings, TifSettings, WebpSettings,
};
use crate::error::ConfigError;
use crate::iiif::{Format, SizeRules};
use crate::plan;
use crate::raster::Light;
use crate::render::gpu::GpuConfig;

/// Most pixels of an inch of a page: twice what prints have.
const MOST_DPI: u32 = 4800;

/// The service's settings.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// What requests and masters may ask for.
    pub limits: Limits,
    /// How the IIIF texts are read where they leave a choice.
    pub iiif: IiifConfig,
    /// How derivatives are encoded.
    pub encode: EncodeConfig,
    /// What is remembered.
    pub cache: CacheConfig,
    /// What is laid over masters.
    pub overlay: OverlayConfig,
    /// Colour management.
    pub colour: ColourConfig,
    /// Pages of PDF.
    pub pdf: PdfLimits,
    /// The GPU.
    pub gpu: GpuConfig,
}

/// Colour management.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ColourConfig {
    /// What becomes of colour profiles.
    pub mode: ColourMode,
    /// How colours come to sRGB.
    pub intent: Intent,
    /// In which light pixels are put together.
    pub light: Light,
}

/// What requests and masters may ask for.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Largest width of a scaled region, in pixels; published. 0: none.
    pub max_width_px: u32,
    /// Largest height of a scaled region, in pixels; published. 0: none.
    pub max_height_px: u32,
    /// Largest area of a scaled region, in pixels; published. 0: none.
    pub max_area_px: u64,
    /// Largest side of a master, in pixels.
    pub master_side_px: u32,
    /// Largest area of a master, in pixels.
    pub master_area_px: u64,
    /// Most bytes for decoded pixels of all requests together. 0: a quarter of the memory.
    pub decode_bytes: u64,
    /// Estimated bytes of an answer above which it is streamed.
    pub stream_above_bytes: u64,
    /// Finished bytes that may wait for a slow reader of a streamed answer.
    pub stream_buffer_bytes: u64,
    /// Longest time for making one answer, in seconds.
    pub render_seconds: u64,
    /// Longest time for making one streamed answer, in seconds.
    pub stream_seconds: u64,
    /// Longest wait for admission, in seconds.
    pub queue_seconds: u64,
    /// Requests that may wait for admission in one lane.
    pub queue_length: usize,
    /// Masters that are kept open.
    pub open_masters: usize,
    /// Decoder threads of one format that may be lost before the format answers 503.
    pub lost_threads: usize,
    /// Threads that decode and render. 0: one for each processor.
    pub render_threads: usize,
    /// What becomes of masters whose code is damaged.
    pub damaged: Damaged,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_width_px: 0,
            max_height_px: 0,
            max_area_px: 1 << 27,
            master_side_px: 1_000_000,
            master_area_px: 10_000_000_000,
            decode_bytes: 0,
            stream_above_bytes: 4 << 20,
            stream_buffer_bytes: 16 << 20,
            render_seconds: 30,
            stream_seconds: 300,
            queue_seconds: 10,
            queue_length: 512,
            open_masters: 256,
            lost_threads: 4,
            render_threads: 0,
            damaged: Damaged::Refuse,
        }
    }
}

/// How the IIIF texts are read where they leave a choice.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a setting of its own"
)]
pub struct IiifConfig {
    /// Whether images are enlarged on request.
    pub upscaling: bool,
    /// The official validator's reading where it contradicts the specification (K1, K5).
    pub strict_validator: bool,
    /// Whether `identifier;2` names page 2 of a file and `identifier;1:4` the image at a quarter of its
    /// size, `identifier;2;1:4` both, where no file has the whole name.
    pub meta_identifier: bool,
    /// `rights` of every image: a Creative Commons or RightsStatements.org URI. Empty: none.
    pub rights: String,
    /// Whether information documents say how large an image is on paper, where its master says so.
    pub physical_dimensions: bool,
    /// Formats in which images are best asked for, best first; published in 3.0.
    pub preferred_formats: Vec<String>,
    /// Formats that are sent in place of `jpg` to clients whose `Accept` names them, best first.
    pub formats_by_accept: Vec<String>,
    /// What shows where a picture without opacity has none: red, green, blue.
    pub background: [u8; 3],
}

impl Default for IiifConfig {
    fn default() -> Self {
        Self {
            upscaling: true,
            strict_validator: false,
            meta_identifier: true,
            rights: String::new(),
            physical_dimensions: true,
            preferred_formats: Vec::new(),
            formats_by_accept: Vec::new(),
            background: [255, 255, 255],
        }
    }
}

/// How derivatives are encoded.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct EncodeConfig {
    /// Threads that encode. 0: one for each processor.
    pub threads: usize,
    /// Whether masters of more than 8 bits keep 16 in the formats that hold them.
    pub sixteen_bits: bool,
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

impl Default for EncodeConfig {
    fn default() -> Self {
        let settings = EncodeSettings::default();
        Self {
            threads: 0,
            sixteen_bits: true,
            jpeg: settings.jpeg,
            png: settings.png,
            webp: settings.webp,
            tif: settings.tif,
            gif: settings.gif,
            avif: settings.avif,
            jxl: settings.jxl,
            jp2: settings.jp2,
            pdf: settings.pdf,
            metadata: settings.metadata,
        }
    }
}

impl EncodeConfig {
    /// Each format's settings.
    pub fn settings(&self) -> EncodeSettings {
        EncodeSettings {
            jpeg: self.jpeg,
            png: self.png,
            webp: self.webp,
            tif: self.tif,
            gif: self.gif,
            avif: self.avif,
            jxl: self.jxl,
            jp2: self.jp2,
            pdf: self.pdf,
            metadata: self.metadata,
        }
    }
}

/// What is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct CacheConfig {
    /// Where caches have their files; kept out of the sources. Empty: `triforium` in the user's folder
    /// of caches.
    pub directory: PathBuf,
    /// Levels of masters.
    pub levels: LevelCacheConfig,
    /// Finished derivatives.
    pub derivative: DerivativeCacheConfig,
    /// Decoded tiles.
    pub tiles: TileCacheConfig,
}

impl CacheConfig {
    /// The directory in force; `None` where neither it nor a home is set.
    pub(super) fn place(&self) -> Option<PathBuf> {
        if self.directory != PathBuf::new() {
            return Some(self.directory.clone());
        }
        let folder = |name: &str| env::var_os(name).map(PathBuf::from);
        let caches = folder("XDG_CACHE_HOME").filter(|path| path.is_absolute());
        let caches = caches.or_else(|| Some(folder("HOME")?.join(".cache")))?;
        Some(caches.join("triforium"))
    }
}

/// Levels of masters.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct LevelCacheConfig {
    /// Bytes on disk. 0: off.
    pub disk_bytes: u64,
    /// Most that building levels writes in a second. 0: none are built.
    pub build_mib_per_second: u64,
}

impl Default for LevelCacheConfig {
    fn default() -> Self {
        Self {
            disk_bytes: 20 << 30,
            build_mib_per_second: 64,
        }
    }
}

/// Finished derivatives.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct DerivativeCacheConfig {
    /// Bytes in memory, bookkeeping included. 0: off.
    pub memory_bytes: u64,
    /// Bytes on disk. 0: off.
    pub disk_bytes: u64,
}

impl Default for DerivativeCacheConfig {
    fn default() -> Self {
        Self {
            memory_bytes: 128 << 20,
            disk_bytes: 0,
        }
    }
}

/// Decoded tiles.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct TileCacheConfig {
    /// Bytes in memory, bookkeeping included, and at most a quarter of the machine's. 0: off.
    pub memory_bytes: u64,
}

impl Default for TileCacheConfig {
    fn default() -> Self {
        Self {
            memory_bytes: 512 << 20,
        }
    }
}

impl Config {
    /// Checks what types cannot.
    ///
    /// # Errors
    ///
    /// The first value that breaks its rule.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.gpu.check()?;
        let at_least_one = [
            (
                "limits.master_side_px",
                u64::from(self.limits.master_side_px),
            ),
            ("limits.master_area_px", self.limits.master_area_px),
            ("limits.render_seconds", self.limits.render_seconds),
            ("limits.stream_seconds", self.limits.stream_seconds),
            ("limits.queue_seconds", self.limits.queue_seconds),
            ("limits.open_masters", self.limits.open_masters as u64),
            ("limits.lost_threads", self.limits.lost_threads as u64),
        ];
        for (key, value) in at_least_one {
            if value == 0 {
                return Err(ConfigError::new(key, "must be at least 1"));
            }
        }
        if self.limits.max_height_px > 0 && self.limits.max_width_px == 0 {
            return Err(ConfigError::new(
                "limits.max_height_px",
                "needs limits.max_width_px beside it (I3-MAX-01)",
            ));
        }
        let unbounded = self.limits.max_area_px == 0 && self.limits.max_width_px == 0;
        if self.iiif.upscaling && unbounded {
            return Err(ConfigError::new(
                "limits.max_area_px",
                "must be set, or limits.max_width_px, while iiif.upscaling is on (I3-MAX-03)",
            ));
        }
        if !self.iiif.rights.is_empty() && !self.iiif.rights.starts_with("http") {
            return Err(ConfigError::new("iiif.rights", "must be a URI"));
        }
        if self.pdf.dpi > MOST_DPI {
            let rule = format!("must be at most {MOST_DPI}");
            return Err(ConfigError::new("pdf.dpi", rule));
        }
        for (key, tokens) in [
            ("iiif.preferred_formats", &self.iiif.preferred_formats),
            ("iiif.formats_by_accept", &self.iiif.formats_by_accept),
        ] {
            if let Some(other) = tokens
                .iter()
                .find(|token| Format::of_token(token).is_none())
            {
                return Err(ConfigError::new(key, format!("knows no format {other:?}")));
            }
        }
        self.encode.settings().check()?;
        self.overlay.check()
    }

    /// The formats that a setting names.
    pub(super) fn formats(tokens: &[String]) -> Vec<Format> {
        let formats = tokens.iter();
        formats
            .filter_map(|token| Format::of_token(token))
            .collect()
    }

    /// The published limits, as requests are resolved by them.
    pub fn size_rules(&self) -> SizeRules {
        let limit = |value: u32| (value > 0).then_some(value);
        SizeRules {
            max_width_px: limit(self.limits.max_width_px),
            max_height_px: limit(self.limits.max_height_px),
            max_area_px: (self.limits.max_area_px > 0).then_some(self.limits.max_area_px),
            upscaling: self.iiif.upscaling,
            strict_validator: self.iiif.strict_validator,
        }
    }

    /// The operator's part of plans.
    pub fn plan_settings(&self) -> plan::Settings {
        plan::Settings {
            background: self.iiif.background,
            stream_above_bytes: self.limits.stream_above_bytes,
            sixteen_bits: self.encode.sixteen_bits,
            avif: self.encode.avif,
            light: self.colour.light,
            ..plan::Settings::default()
        }
    }

    /// How derivatives are encoded: as `encode` says, but AVIF no larger than takes half of what an answer may
    /// take.
    pub fn encode_settings(&self) -> EncodeSettings {
        let settings = self.encode.settings();
        let time = Duration::from_secs(self.limits.render_seconds) / 2;
        EncodeSettings {
            avif: settings.avif.within(time),
            ..settings
        }
    }

    /// What masters' headers may ask for.
    pub fn decode_limits(&self, decode_bytes: u64) -> DecodeLimits {
        DecodeLimits {
            max_side_px: self.limits.master_side_px,
            max_area_px: self.limits.master_area_px,
            max_bytes: decode_bytes,
            damaged: self.limits.damaged,
            intent: self.colour.intent,
            light: self.colour.light,
            colour: self.colour.mode,
            pdf: self.pdf,
            ..DecodeLimits::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i3_max_03_upscaling_needs_a_limit() {
        let mut config = Config::default();
        assert!(config.check().is_ok());
        config.limits.max_area_px = 0;
        assert_eq!(
            config.check().expect_err("no limit").key,
            "limits.max_area_px"
        );
        config.iiif.upscaling = false;
        assert!(config.check().is_ok());
    }

    #[test]
    fn i3_max_01_a_height_needs_a_width() {
        let mut config = Config::default();
        config.limits.max_height_px = 10;
        assert_eq!(
            config.check().expect_err("no width").key,
            "limits.max_height_px"
        );
    }
}
