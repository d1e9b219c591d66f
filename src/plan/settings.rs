//! What the operator decides about plans.

use super::Filter;
use crate::encoding::AvifSettings;
use crate::geometry::Dimensions;
use crate::iiif::Format;
use crate::raster::{Light, Shape};

/// The operator's part of a plan. Everything here changes bytes, so it goes into validators.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Settings {
    /// The kernel for making smaller.
    pub down: Filter,
    /// The kernel for making larger.
    pub up: Filter,
    /// What shows where a picture without opacity has none: red, green, blue.
    pub background: [u8; 3],
    /// Estimated bytes above which a JPEG or PNG answer is streamed.
    pub stream_above_bytes: u64,
    /// Whether 16 bits stay in the formats that hold them.
    pub sixteen_bits: bool,
    /// How AVIF is encoded, which decides what that holds.
    pub avif: AvifSettings,
    /// In which light pixels are put together.
    pub light: Light,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            down: Filter::Lanczos3,
            up: Filter::CatmullRom,
            background: [255, 255, 255],
            stream_above_bytes: 4 << 20,
            sixteen_bits: true,
            avif: AvifSettings::default(),
            light: Light::Encoded,
        }
    }
}

impl Settings {
    /// The kernel that makes `region` into `target`.
    pub(super) fn filter(&self, region: Dimensions, target: Dimensions) -> Filter {
        if target.area() > region.area() {
            self.up
        } else {
            self.down
        }
    }

    /// Whether laying a gray picture over the background keeps it gray.
    pub(super) fn background_is_gray(&self) -> bool {
        let [red, green, blue] = self.background;
        red == green && green == blue
    }

    /// Whether an answer of this shape leaves while it is made.
    pub(super) fn streams(&self, format: Format, output: Shape) -> bool {
        match format {
            Format::Jpg | Format::Png => estimated_bytes(format, output) > self.stream_above_bytes,
            Format::Webp
            | Format::Gif
            | Format::Tif
            | Format::Avif
            | Format::Jxl
            | Format::Jp2
            | Format::Pdf => false,
        }
    }

    /// Bytes that the encoder of `format` holds at one time for `output`, its file excluded: strips of
    /// `strip` bytes, or the whole picture with what the library makes of it.
    pub(super) fn encoder_bytes(&self, format: Format, output: Shape, strip: u64) -> u64 {
        let samples = output.dimensions.area() * output.format.channels.count() as u64;
        match format {
            Format::Jpg | Format::Png => 2 * strip,
            Format::Pdf => 2 * strip + estimated_bytes(format, output),
            Format::Webp | Format::Gif | Format::Tif => 2 * output.bytes(),
            Format::Jxl => 2 * output.bytes() + 4 * samples,
            // Whole numbers of 32 bits in the image and in its wavelet, and the code of each block.
            Format::Jp2 => 2 * output.bytes() + 12 * samples,
            Format::Avif => 2 * output.bytes() + self.avif.bytes_px() * output.dimensions.area(),
        }
    }
}

/// Bytes that a derivative is likely to have, from means over photographs and scans.
pub fn estimated_bytes(format: Format, output: Shape) -> u64 {
    let area = output.dimensions.area();
    match format {
        // 1.8 bits a pixel at quality 80.
        Format::Jpg | Format::Pdf => area / 4,
        Format::Webp => area / 5,
        Format::Avif => area / 6,
        Format::Gif => area / 2,
        Format::Png | Format::Tif => output.bytes() * 5 / 8,
        Format::Jxl | Format::Jp2 => output.bytes() / 2,
    }
}

impl Filter {
    /// Samples beyond a cut that the kernel may reach when it steps `scale` samples a pixel.
    pub(super) fn reach(self, scale: f64) -> u32 {
        let reach = (self.support() * scale.max(1.0)).ceil() + 1.0;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "at least 2, and at most three times a side, which `min` bounds"
        )]
        let reach = reach.min(f64::from(u32::MAX)) as u32;
        reach
    }
}
