//! Bytes to pixels and back, one file or pair per format.
//!
//! [`open`] tells a master's format by its first bytes, parses its headers within [`DecodeLimits`]
//! and gives a [`Picture`]: facts for the plan, prices for admission, rows for the engine. It never
//! keeps decoded pixels. [`encode`] writes rows in a derivative's format. Colour profiles are
//! converted to sRGB here, between a decoder and its first consumer.

mod attached;
mod avif;
mod bmp;
mod colour;
mod encode;
mod exif;
pub mod formats;
mod gif;
mod guard;
mod heif;
mod jp2;
mod jp2_encode;
pub mod jpeg;
mod jxl;
mod metadata;
mod open;
mod overlay;
pub mod packed;
mod pdf;
mod pdf_pages;
mod png;
mod ptif;
mod sink;
mod stored;
mod straight;
mod stream;
mod tif;
mod tiff;
mod webp;
mod whole;
mod written_box;
mod xmp;

#[cfg(test)]
mod tests;

pub use attached::{Attached, Density};
use colour::Primaries;
pub use colour::{Colour, ColourMode, Foreign, Intent, KeptSpace, LabRange, standard_profile};
pub use encode::{Encoding, encode, versions};
pub use guard::is_guarded;
pub use jpeg::{Components, Mosaic};
pub use metadata::{Field, Metadata, metadata};
pub use open::{is_master, open};
pub use overlay::{MarkImage, Overlay, overlaid};
pub use pdf_pages::{PdfLimits, draw_page, draw_pages_by, serve_page};
pub use ptif::{
    Carried, Pyramid as WrittenPyramid, PyramidSettings, TileCompression, WRITES_ZSTD,
    check_pyramid, may_need_big, pyramid_levels, write_pyramid,
};
pub use stored::{Passage, Stored};

use std::fmt;

use serde::{Deserialize, Serialize};
use std::sync::Arc;

use crate::cancel::Cancel;
use crate::error::{Error, ErrorKind, Result};
use crate::geometry::{Dimensions, Orientation, Pyramid, Window};
use crate::iiif::Format;
use crate::raster::{Light, PixelFormat, Rows};

/// A master that has been opened: its headers are parsed, its pixels are not read yet.
pub trait Picture: Send + Sync + fmt::Debug {
    /// What the headers say.
    fn facts(&self) -> &Facts;

    /// Bytes that it keeps in memory while it is open, beyond what any master does: tables of tiles.
    fn kept_bytes(&self) -> u64 {
        0
    }

    /// What decoding `window` of the level with this index costs.
    fn price(&self, level: usize, window: Window) -> Price;

    /// Rows of exactly `window` (pixels of the level `facts().pyramid.levels()[level]`, stored
    /// orientation), in the format of `facts().pixel`, in sRGB or the space that is [kept](Picture::kept). The window may reach past the level's
    /// last column and row by less than the level's own rounding: those samples repeat the last ones.
    /// Strips are decoded as they are pulled; `cancel` is checked for each.
    ///
    /// # Errors
    ///
    /// [`crate::error::ErrorKind::Corrupt`] for damaged bytes, [`crate::error::ErrorKind::NotImplemented`] for what
    /// the decoder does not know, [`crate::error::ErrorKind::Upstream`] from the reader, and those of `cancel`.
    fn decode(&self, level: usize, window: Window, cancel: &Cancel) -> Result<Box<dyn Rows>>;

    /// As [`Picture::decode`], with `crew` taking a share of the work where the format has parts that stand
    /// alone. What comes out is the same.
    ///
    /// # Errors
    ///
    /// As [`Picture::decode`].
    fn decode_shared(
        &self,
        level: usize,
        window: Window,
        cancel: &Cancel,
        crew: &Arc<dyn Crew>,
    ) -> Result<Box<dyn Rows>> {
        let _ = crew;
        self.decode(level, window, cancel)
    }

    /// The colour space that the rows keep, where that was asked for and it is not sRGB.
    fn kept(&self) -> Option<&KeptSpace> {
        None
    }

    /// Width and height of the blocks of the full level in which samples bear on each other's values, as
    /// lossy coding has them: 1 × 1 where each sample stands for itself.
    fn coding_block(&self) -> Dimensions {
        use MasterFormat::{Bmp, Gif, Png};
        let side = if matches!(self.facts().format, Png | Gif | Bmp) {
            1
        } else {
            16
        };
        Dimensions {
            width: side,
            height: side,
        }
    }

    /// The stored bytes that are `window` of `level` in `format`, if there are such: what any reader
    /// makes of them are the pixels of [`Picture::decode`]. Told from the headers alone.
    fn stored(&self, level: usize, window: Window, format: Format) -> Option<Stored> {
        let _ = (level, window, format);
        None
    }

    /// The stored JPEG tiles that can be put together to `window` of `level`, if there are such, without
    /// decoding them. Told from the headers alone.
    fn mosaic(&self, level: usize, window: Window, components: Components) -> Option<Mosaic> {
        let _ = (level, window, components);
        None
    }
}

/// Others who can take a share of a decode.
pub trait Crew: Send + Sync + fmt::Debug {
    /// Runs `work` here and on up to `most` further threads, of those that nobody needs now; comes back when
    /// all have ended.
    fn share(&self, most: usize, work: &(dyn Fn() + Sync));
}

/// What a master's headers say.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The container and compression, for people: `TIFF, JPEG tiles`.
    pub description: String,
    /// The file format.
    pub format: MasterFormat,
    /// Levels in stored orientation; level 0 is the full image.
    pub pyramid: Pyramid,
    /// What has to be done to the stored pixels for people to see them upright.
    pub orientation: Orientation,
    /// What the rows will hold.
    pub pixel: PixelFormat,
    /// Bits per sample as stored.
    pub bits: u8,
    /// The colour space as stored, for people: `sRGB`, `Adobe RGB (1998)`, `gray`.
    pub colour: String,
    /// Pages that are images of their own, at least 1.
    pub pages: u32,
}

/// The file formats that can be masters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MasterFormat {
    /// JPEG, baseline or progressive.
    Jpeg,
    /// PNG.
    Png,
    /// TIFF or `BigTIFF`.
    Tiff,
    /// JPEG 2000 in a JP2 container or as a bare code stream.
    Jpeg2000,
    /// WebP.
    Webp,
    /// GIF, its first frame.
    Gif,
    /// BMP.
    Bmp,
    /// JPEG XL, its first frame.
    JpegXl,
    /// AVIF: AV1 in a HEIF container.
    Avif,
    /// HEIC: HEVC in a HEIF container.
    Heic,
    /// PDF: one of its pages.
    Pdf,
}

impl MasterFormat {
    /// All formats, in the order of [`MasterFormat::index`].
    pub const ALL: [Self; 11] = [
        Self::Jpeg,
        Self::Png,
        Self::Tiff,
        Self::Jpeg2000,
        Self::Webp,
        Self::Gif,
        Self::Bmp,
        Self::JpegXl,
        Self::Avif,
        Self::Heic,
        Self::Pdf,
    ];

    /// The format's place in [`MasterFormat::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The format's name in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "jpeg",
            Self::Png => "png",
            Self::Tiff => "tiff",
            Self::Jpeg2000 => "jpeg2000",
            Self::Webp => "webp",
            Self::Gif => "gif",
            Self::Bmp => "bmp",
            Self::JpegXl => "jpegxl",
            Self::Avif => "avif",
            Self::Heic => "heic",
            Self::Pdf => "pdf",
        }
    }
}

/// What a decode takes, known before it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Price {
    /// Pixels that have to be decoded, needed or not.
    pub pixels: u64,
    /// Most bytes that the decoder holds at one time, its rows' strips included.
    pub bytes: u64,
}

/// What becomes of a master whose code is damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Damaged {
    /// It is refused as soon as the damage is met.
    #[default]
    Refuse,
    /// What is whole is decoded, where a format can tell: JPEG 2000.
    Decode,
}

impl Damaged {
    /// Whether this error stands for damage that is passed over.
    pub(crate) fn passes(self, error: &Error) -> bool {
        self == Self::Decode && error.kind() == ErrorKind::Corrupt
    }
}

/// What headers may ask for before anything is reserved, and in which colours rows are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeLimits {
    /// Largest width or height of a master, in pixels.
    pub max_side_px: u32,
    /// Largest area of a master, in pixels.
    pub max_area_px: u64,
    /// Most bytes that one decode may hold.
    pub max_bytes: u64,
    /// Most tiles or strips of one level.
    pub max_tiles: u64,
    /// Most scans of a progressive JPEG.
    pub max_scans: u32,
    /// Largest ICC profile, EXIF block or other metadata that is read, in bytes.
    pub max_metadata_bytes: u64,
    /// What becomes of colour profiles.
    pub colour: ColourMode,
    /// What becomes of damaged code.
    pub damaged: Damaged,
    /// How their colours come to sRGB.
    pub intent: Intent,
    /// In which light pixels will be put together: formats that could do it while they decode, in the other
    /// one, leave it alone.
    pub light: Light,
    /// How pages of PDF are drawn.
    pub pdf: PdfLimits,
}

impl DecodeLimits {
    /// What of them decides pixels, in words: a part of the key of whatever is remembered of a master.
    pub fn of_pixels(&self) -> String {
        let dpi = self.pdf.dpi;
        let settings = (self.damaged, self.intent, self.colour, self.light, dpi);
        format!("{settings:?}")
    }
}

impl Default for DecodeLimits {
    fn default() -> Self {
        Self {
            max_side_px: 1_000_000,
            max_area_px: 10_000_000_000,
            max_bytes: 1 << 30,
            max_tiles: 4_000_000,
            max_scans: 500,
            max_metadata_bytes: 16 << 20,
            colour: ColourMode::Srgb,
            damaged: Damaged::Refuse,
            intent: Intent::Relative,
            light: Light::Encoded,
            pdf: PdfLimits::default(),
        }
    }
}
