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

use super::{Attached, avif, gif, jp2_encode, jpeg, jxl, pdf, png, tif, webp};

/// Libraries that decide about pixels or bytes, with the versions that `Cargo.lock` holds.
const LIBRARIES: &[(&str, &str)] = &[
    ("avif-serialize", "0.8.9"),
    ("fdeflate", "0.3.7"),
    ("flate2", "1.1.11"),
    ("gif", "0.14.2"),
    ("hayro", "0.9.0"),
    ("heic-rs", "0.1.4"),
    ("image-webp", "0.2.4"),
    ("jpeg-encoder", "0.7.1"),
    ("jxl-oxide", "0.12.6"),
    ("libwebp-sys", "0.9.6"),
    ("moxcms", "0.9.2"),
    ("mozjpeg-sys", "2.2.3"),
    ("openjpeg-sys", "1.0.12"),
    ("pdf-writer", "0.15.0"),
    ("png", "0.18.1"),
    ("rav1e", "0.8.1"),
    ("ravif", "0.13.0"),
    ("rusty_av1d", "1.2.1"),
    ("tiff", "0.11.3"),
    ("turbojpeg-sys", "1.2.0"),
    ("vello_cpu", "0.3.0"),
    ("webp", "0.3.1"),
    ("weezl", "0.1.12"),
    ("zlib-rs", "0.6.8"),
    ("zune-jpeg", "0.5.15"),
    ("zune-jpegxl", "0.5.2"),
];

/// What a derivative's file is to be.
#[derive(Debug, Clone, Copy)]
pub struct Encoding<'a> {
    /// Its format.
    pub format: Format,
    /// How each format is written.
    pub settings: &'a EncodeSettings,
    /// What goes into it beside the pixels.
    pub attached: &'a Attached,
}

/// Writes `rows` to `sink` as `encoding` says.
///
/// # Errors
///
/// Those of `rows` and `cancel`; [`crate::error::ErrorKind::BadRequest`] about the format for
/// dimensions that it cannot hold; [`crate::error::ErrorKind::Cancelled`] when `sink` refuses bytes.
pub fn encode(
    encoding: Encoding<'_>,
    rows: &mut dyn Rows,
    cancel: &Cancel,
    sink: &mut dyn Write,
) -> Result<()> {
    let Encoding {
        settings, attached, ..
    } = encoding;
    match encoding.format {
        Format::Jpg => jpeg::encode_with(rows, settings.jpeg, attached, cancel, sink),
        Format::Png => png::encode(rows, settings.png, attached, cancel, sink),
        Format::Webp => webp::encode(rows, settings.webp, attached, cancel, sink),
        Format::Gif => gif::encode(rows, settings.gif, attached, cancel, sink),
        Format::Tif => tif::encode(rows, settings.tif, attached, cancel, sink),
        Format::Avif => avif::encode(rows, settings.avif, attached, cancel, sink),
        Format::Jxl => jxl::encode(rows, settings.jxl, attached, cancel, sink),
        Format::Jp2 => jp2_encode::encode(rows, settings.jp2, attached, cancel, sink),
        Format::Pdf => pdf::encode(rows, (&settings.jpeg, settings.pdf), attached, cancel, sink),
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
        ("jp2-encode", cfg!(feature = "jp2-encode")),
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
            (Format::Avif, b"\0\0\0\x1cftypavif"),
            (Format::Pdf, b"%PDF-1."),
            #[cfg(feature = "jp2-encode")]
            (Format::Jp2, b"\0\0\0\x0cjP  "),
            (Format::Jxl, b"\xff\x0a"),
        ] {
            let dimensions = Dimensions::new(2, 2).unwrap();
            let raster = Raster::from_u8(dimensions, Channels::Rgb, vec![9; 12]).unwrap();
            let (settings, mut file) = (EncodeSettings::default(), Vec::new());
            let mut rows = OneStrip::from(raster);
            let encoding = Encoding {
                format,
                settings: &settings,
                attached: &Attached::default(),
            };
            encode(encoding, &mut rows, &Cancel::new(), &mut file).unwrap();
            assert!(file.starts_with(magic), "{format:?}");
        }
    }

    #[test]
    fn the_versions_name_every_library_and_feature() {
        let text = versions();
        assert!(text.starts_with("avif-serialize "));
        assert!(text.contains("moxcms "));
        assert_eq!(text.contains(";webp;"), cfg!(feature = "webp"));
    }
}
