//! Flags and a master's facts → what its pyramid is to be.

use clap::{Args, ValueEnum};

use crate::codec::{Facts, MasterFormat, PyramidSettings, TileCompression};
use crate::encoding::Subsampling;
use crate::raster::Depth;

/// How tiles are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Compression {
    /// JPEG for opaque pictures of 8 bits; deflate for 16 bits, opacity, palettes and bitonal ones
    Auto,
    /// JPEG: served without decoding
    Jpeg,
    /// WebP: smaller; served without decoding to who asks for WebP
    Webp,
    /// Deflate: exact pixels, read by every program
    Deflate,
    /// Zstandard: exact pixels, faster than deflate; not read by every program
    Zstd,
}

/// Resolution of a JPEG's colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Chroma {
    /// Halved in both directions
    #[value(name = "4:2:0")]
    S420,
    /// Halved from left to right
    #[value(name = "4:2:2")]
    S422,
    /// Full
    #[value(name = "4:4:4")]
    S444,
}

/// What the pyramids are to be.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct Choice {
    /// How tiles are compressed
    #[arg(long, value_enum, default_value_t = Compression::Auto)]
    compression: Compression,
    /// Quality of JPEG and WebP tiles, 1 to 100
    #[arg(long, value_name = "Q", default_value_t = 85, value_parser = clap::value_parser!(u8).range(1..=100))]
    quality: u8,
    /// Resolution of the colours of JPEG tiles
    #[arg(long, value_enum, default_value_t = Chroma::S420)]
    subsampling: Chroma,
    /// WebP tiles with exact pixels
    #[arg(long)]
    lossless: bool,
    /// Side of a tile in pixels
    #[arg(long, value_name = "PX", default_value = "256", value_parser = side)]
    tile: u32,
    /// Offsets of 64 bits even where the result cannot pass 4 GiB
    #[arg(long)]
    bigtiff: bool,
    /// Levels as `SubIFDs` instead of pages, which `IIPImage` does not find
    #[arg(long)]
    subifds: bool,
}

impl Choice {
    /// What the pyramid of a master with these facts is to be.
    pub(super) fn settings(&self, facts: &Facts, threads: usize) -> PyramidSettings {
        PyramidSettings {
            compression: self.compression(facts),
            tile_px: self.tile,
            big: self.bigtiff,
            sub_ifds: self.subifds,
            threads,
        }
    }

    fn compression(&self, facts: &Facts) -> TileCompression {
        let jpeg = TileCompression::Jpeg {
            quality: self.quality,
            subsampling: match self.subsampling {
                Chroma::S420 => Subsampling::S420,
                Chroma::S422 => Subsampling::S422,
                Chroma::S444 => Subsampling::S444,
            },
        };
        match self.compression {
            Compression::Auto if is_continuous(facts) => jpeg,
            Compression::Auto | Compression::Deflate => TileCompression::Deflate,
            Compression::Jpeg => jpeg,
            Compression::Webp => TileCompression::Webp {
                quality: (!self.lossless).then_some(self.quality),
            },
            Compression::Zstd => TileCompression::Zstd,
        }
    }
}

fn side(text: &str) -> Result<u32, String> {
    match text {
        "256" => Ok(256),
        "512" => Ok(512),
        _ => Err("tiles have 256 or 512 pixels a side".to_owned()),
    }
}

/// Whether a picture can be expected to look the same as JPEG: continuous tones of 8 bits, opaque.
fn is_continuous(facts: &Facts) -> bool {
    facts.pixel.depth == Depth::Eight
        && facts.bits == 8
        && !facts.pixel.channels.has_alpha()
        && facts.format != MasterFormat::Gif
        && !facts.description.contains("palette")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::codec::{DecodeLimits, open};

    fn chosen(fixture: &str) -> TileCompression {
        let path = format!("{}/fixtures/{fixture}", env!("CARGO_MANIFEST_DIR"));
        let bytes = std::fs::read(&path).unwrap_or_else(|cause| panic!("{path}: {cause}"));
        let picture = open(Arc::new(bytes), 1, &DecodeLimits::default()).unwrap();
        let choice = Choice {
            compression: Compression::Auto,
            quality: 85,
            subsampling: Chroma::S420,
            lossless: false,
            tile: 256,
            bigtiff: false,
            subifds: false,
        };
        choice.settings(picture.facts(), 1).compression
    }

    #[test]
    fn photographs_become_jpeg_and_what_jpeg_would_harm_becomes_deflate() {
        for fixture in [
            "jpeg/landscape-1.jpg",
            "jpeg/made-gray.jpg",
            "tiff/rgb-tiles-zip.tif",
        ] {
            assert!(
                matches!(chosen(fixture), TileCompression::Jpeg { .. }),
                "{fixture}"
            );
        }
        for fixture in [
            "tiff/gray16.tif",
            "tiff/alpha-straight.tif",
            "tiff/gray-1-bits.tif",
            "png/made-palette-4.png",
            "gif/anim_interlaced.gif",
        ] {
            assert_eq!(chosen(fixture), TileCompression::Deflate, "{fixture}");
        }
    }
}
