//! What is read and written, in a table: the README's is made from it.
//!
//! It says what decoders and encoders do and does nothing itself. Callers may rely on a row for every
//! format.

use crate::iiif::Format;

use super::MasterFormat;

/// What can be said of a format of masters.
#[derive(Debug, Clone, Copy)]
pub struct MasterRow {
    /// The format.
    pub format: MasterFormat,
    /// Its name, for people.
    pub name: &'static str,
    /// Depths of samples.
    pub depth: &'static str,
    /// Colours and opacity.
    pub colour: &'static str,
    /// Levels beside the full image.
    pub levels: &'static str,
    /// What a part of it costs.
    pub regions: &'static str,
    /// The crates behind it; what stands in no crate is this program's.
    pub crates: &'static [&'static str],
}

/// What can be said of a format of derivatives.
#[derive(Debug, Clone, Copy)]
pub struct DerivativeRow {
    /// The format.
    pub format: Format,
    /// Depths of samples.
    pub depth: &'static str,
    /// Colours and opacity.
    pub colour: &'static str,
    /// What goes along, where the settings say so.
    pub metadata: &'static str,
    /// The crates behind it.
    pub crates: &'static [&'static str],
}

/// The formats of masters.
pub const MASTERS: &[MasterRow] = &[
    MasterRow {
        format: MasterFormat::Tiff,
        name: "TIFF, BigTIFF",
        depth: "whole numbers of 1 to 32 and of 64 bits, signed or not; floating point of 16 to 64",
        colour: "gray either way round, palette, RGB, YCbCr of any sampling, CMYK, L\\*a\\*b\\* (CIE, ICC, ITU), LogL and LogLuv as 8 bits; opacity straight or multiplied in; planes together or apart",
        levels: "stored, as pages or SubIFDs",
        regions: "tiles and strips alone; compressed by JPEG (both styles), JPEG 2000, JPEG XL, WebP, LZW (both styles), SGILog, Deflate, Zstandard, LZMA, PackBits, CCITT Group 3, 4 and Huffman, or not; predictors 2 and 3",
        crates: &[
            "flate2",
            "libdeflater",
            "zstd",
            "lzma-rust2",
            "weezl",
            "jxl-oxide",
            "turbojpeg-sys",
            "image-webp",
        ],
    },
    MasterRow {
        format: MasterFormat::Jpeg2000,
        name: "JPEG 2000",
        depth: "1 to 16 bits",
        colour: "gray either way round, palette, RGB (sRGB, e-sRGB, ROMM, by code points), YCC of six kinds, CMY, CMYK, YCCK, L\\*a\\*b\\* under any light, profiles of up to four inks; opacity",
        levels: "the wavelet's",
        regions: "tiles, precincts and code-blocks alone",
        crates: &[],
    },
    MasterRow {
        format: MasterFormat::Jpeg,
        name: "JPEG",
        depth: "8 bits; 12 bits with libjpeg-turbo; 2 to 16 bits lossless",
        colour: "gray, YCbCr of any sampling, RGB, CMYK, YCCK",
        levels: "1/2, 1/4, 1/8 by scaled inverse DCT",
        regions: "through an index of the codes (sequential); rows from the top (others)",
        crates: &["turbojpeg-sys", "mozjpeg-sys", "zune-jpeg"],
    },
    MasterRow {
        format: MasterFormat::Png,
        name: "PNG",
        depth: "1 to 16 bits",
        colour: "gray, palette, RGB; opacity, transparent colours; the default image of an animation",
        levels: "none",
        regions: "rows from the top; whole where interlaced",
        crates: &["png"],
    },
    MasterRow {
        format: MasterFormat::Webp,
        name: "WebP",
        depth: "8 bits",
        colour: "RGB; opacity; the first frame",
        levels: "none",
        regions: "whole",
        crates: &["image-webp"],
    },
    MasterRow {
        format: MasterFormat::Gif,
        name: "GIF",
        depth: "8 bits",
        colour: "palette; opacity; the first frame",
        levels: "none",
        regions: "whole",
        crates: &["gif"],
    },
    MasterRow {
        format: MasterFormat::Bmp,
        name: "BMP",
        depth: "1 to 32 bits a pixel, as 8",
        colour: "palette, RGB by any masks; opacity; of Windows and of OS/2",
        levels: "none",
        regions: "rows alone; whole where stored as run lengths (4, 8 and 24 bits)",
        crates: &[],
    },
    MasterRow {
        format: MasterFormat::JpegXl,
        name: "JPEG XL",
        depth: "1 to 32 bits, floating point too, as 8 or 16",
        colour: "gray, RGB; opacity straight or multiplied in; the first frame",
        levels: "none",
        regions: "groups of 256² alone",
        crates: &["jxl-oxide"],
    },
    MasterRow {
        format: MasterFormat::Avif,
        name: "AVIF",
        depth: "8, 10, 12 bits",
        colour: "gray, RGB and YCbCr of any sampling; opacity straight or multiplied in; code points of colour; the first of a sequence",
        levels: "none",
        regions: "parts of a grid alone; whole where it is one",
        crates: &["rusty_av1d"],
    },
    MasterRow {
        format: MasterFormat::Heic,
        name: "HEIC",
        depth: "8, 10 bits",
        colour: "as AVIF, but gray and chroma of 4:2:0 alone; a feature",
        levels: "none",
        regions: "as AVIF",
        crates: &["heic-rs"],
    },
    MasterRow {
        format: MasterFormat::Pdf,
        name: "PDF, a page",
        depth: "8 bits",
        colour: "RGB, drawn on white at `pdf.dpi`; a feature",
        levels: "none",
        regions: "whole",
        crates: &["hayro"],
    },
];

/// The formats of derivatives.
pub const DERIVATIVES: &[DerivativeRow] = &[
    DerivativeRow {
        format: Format::Jpg,
        depth: "8 bits",
        colour: "gray, RGB",
        metadata: "profile, EXIF, XMP, IPTC, resolution",
        crates: &["turbojpeg-sys", "mozjpeg-sys", "jpeg-encoder"],
    },
    DerivativeRow {
        format: Format::Png,
        depth: "8, 16 bits",
        colour: "gray, RGB; opacity",
        metadata: "profile, EXIF, XMP, IPTC, resolution",
        crates: &["png"],
    },
    DerivativeRow {
        format: Format::Webp,
        depth: "8 bits",
        colour: "RGB; opacity; lossy or lossless",
        metadata: "profile, EXIF, XMP",
        crates: &["webp", "image-webp"],
    },
    DerivativeRow {
        format: Format::Avif,
        depth: "10 bits, from 8",
        colour: "RGB; opacity; lossy",
        metadata: "profile, EXIF, XMP",
        crates: &["ravif"],
    },
    DerivativeRow {
        format: Format::Jxl,
        depth: "8 bits, without opacity 16; at least 2 pixels a side",
        colour: "gray, RGB; opacity; lossless",
        metadata: "EXIF, XMP",
        crates: &["zune-jpegxl"],
    },
    DerivativeRow {
        format: Format::Gif,
        depth: "8 bits",
        colour: "palette of 256, dithered or not; opacity, all or nothing",
        metadata: "profile, XMP",
        crates: &["gif"],
    },
    DerivativeRow {
        format: Format::Tif,
        depth: "8, 16 bits",
        colour: "gray, RGB; opacity; Deflate, LZW or none",
        metadata: "profile, EXIF, XMP, IPTC, resolution",
        crates: &["tiff"],
    },
    DerivativeRow {
        format: Format::Pdf,
        depth: "8 bits",
        colour: "gray, RGB; the JPEG on one page",
        metadata: "title, rights, resolution; profile, XMP",
        crates: &["pdf-writer"],
    },
    DerivativeRow {
        format: Format::Jp2,
        depth: "8, 16 bits",
        colour: "gray, RGB; opacity; lossy or lossless; a feature",
        metadata: "profile, EXIF, XMP, IPTC, resolution",
        crates: &["openjpeg-sys"],
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iiif::Version;

    #[test]
    fn every_format_has_one_row() {
        for format in MasterFormat::ALL {
            let rows = MASTERS.iter().filter(|row| row.format == format);
            assert_eq!(rows.count(), 1, "{format:?}");
        }
        for format in Format::offered(Version::V3) {
            let rows = DERIVATIVES.iter().filter(|row| row.format == *format);
            assert_eq!(rows.count(), 1, "{format:?}");
        }
    }

    #[test]
    fn every_crate_is_one_that_this_program_is_built_with() {
        let manifest = include_str!("../../Cargo.toml");
        let rows = MASTERS.iter().map(|row| row.crates);
        for name in rows
            .chain(DERIVATIVES.iter().map(|row| row.crates))
            .flatten()
        {
            assert!(manifest.contains(&format!("\n{name} = ")), "{name}");
        }
    }
}
