//! Rows and settings → a derivative's bytes, in the format that was asked for.
//!
//! Every encoder pulls its rows itself and checks the token between strips; what they cannot write
//! in pieces they gather. [`versions`] names the libraries whose releases may change bytes.

use std::io::Write;

use crate::cancel::Cancel;
use crate::encoding::EncodeSettings;
use crate::error::Result;
use crate::iiif::Format;
use crate::raster::Rows;

use super::{gif, jpeg, png, tif, webp};

/// Libraries that decide about pixels or bytes, with the versions that `Cargo.lock` holds.
const LIBRARIES: &[(&str, &str)] = &[
    ("color_quant", "1.1.0"),
    ("fdeflate", "0.3.7"),
    ("flate2", "1.1.11"),
    ("gif", "0.14.2"),
    ("image", "0.25.10"),
    ("image-webp", "0.2.4"),
    ("jpeg-encoder", "0.7.1"),
    ("libwebp-sys", "0.9.6"),
    ("moxcms", "0.9.2"),
    ("mozjpeg-sys", "2.2.3"),
    ("png", "0.18.1"),
    ("tiff", "0.11.3"),
    ("turbojpeg-sys", "1.2.0"),
    ("webp", "0.3.1"),
    ("weezl", "0.1.12"),
    ("zlib-rs", "0.6.8"),
    ("zune-jpeg", "0.5.15"),
];

/// Writes `rows` to `sink` as `format`.
///
/// # Errors
///
/// Those of `rows` and `cancel`; [`crate::error::ErrorKind::BadRequest`] about the format for
/// dimensions that it cannot hold; [`crate::error::ErrorKind::Cancelled`] when `sink` refuses bytes.
pub fn encode(
    format: Format,
    rows: &mut dyn Rows,
    settings: &EncodeSettings,
    cancel: &Cancel,
    sink: &mut dyn Write,
) -> Result<()> {
    match format {
        Format::Jpg => jpeg::encode(rows, &settings.jpeg, cancel, sink),
        Format::Png => png::encode(rows, settings.png, cancel, sink),
        Format::Webp => webp::encode(rows, settings.webp, cancel, sink),
        Format::Gif => gif::encode(rows, cancel, sink),
        Format::Tif => tif::encode(rows, settings.tif, cancel, sink),
    }
}

/// The libraries behind decoders and encoders, with their versions and the features that choose
/// between them: a part of every cache key, since another release may give other bytes.
pub fn versions() -> String {
    let mut text = String::new();
    for (name, version) in LIBRARIES {
        text.push_str(name);
        text.push(' ');
        text.push_str(version);
        text.push(';');
    }
    for (feature, on) in [
        ("turbojpeg", cfg!(feature = "turbojpeg")),
        ("mozjpeg", cfg!(feature = "mozjpeg")),
        ("webp", cfg!(feature = "webp")),
    ] {
        if on {
            text.push_str(feature);
            text.push(';');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_versions_are_those_of_the_lock_file() {
        let lock = include_str!("../../Cargo.lock");
        for (name, version) in LIBRARIES {
            let entry = format!("name = \"{name}\"\nversion = \"{version}\"\n");
            assert!(lock.contains(&entry), "{name} {version} is not locked");
        }
    }

    #[test]
    fn each_format_is_told_by_its_first_bytes() {
        use crate::geometry::Dimensions;
        use crate::raster::{Channels, OneStrip, Raster};
        for (format, magic) in [
            (Format::Png, &b"\x89PNG"[..]),
            (Format::Webp, b"RIFF"),
            (Format::Gif, b"GIF89a"),
            (Format::Tif, b"II*\0"),
        ] {
            let dimensions = Dimensions::new(2, 1).unwrap();
            let raster = Raster::from_u8(dimensions, Channels::Rgb, vec![9; 6]).unwrap();
            let (settings, mut file) = (EncodeSettings::default(), Vec::new());
            let mut rows = OneStrip::from(raster);
            encode(format, &mut rows, &settings, &Cancel::new(), &mut file).unwrap();
            assert!(file.starts_with(magic), "{format:?}");
        }
    }

    #[test]
    fn the_versions_name_every_library_and_feature() {
        let text = versions();
        assert!(text.starts_with("color_quant "));
        assert!(text.contains("moxcms "));
        assert_eq!(text.contains(";webp;"), cfg!(feature = "webp"));
    }
}
