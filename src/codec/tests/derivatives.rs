//! JPEG XL, JPEG 2000, GIF: what they keep; metadata in every format, read back by other code.

use jxl_oxide::JxlImage;

use super::encoders::{CHANNELS, gradient, noise};
use super::{decode_all, rgba};
use crate::cancel::Cancel;
use crate::codec::{Attached, Density, Encoding, encode};
use crate::encoding::EncodeSettings;
use crate::error::{Error, ErrorKind, Parameter, Result};
use crate::iiif::Format;
use crate::raster::{Channels, Depth, OneStrip, PixelFormat, Raster, Samples};

fn made(
    format: Format,
    raster: &Raster,
    settings: &EncodeSettings,
    attached: &Attached,
) -> Result<Vec<u8>> {
    let encoding = Encoding {
        format,
        settings,
        attached,
    };
    let (mut rows, mut file) = (OneStrip::from(raster.clone()), Vec::new());
    encode(encoding, &mut rows, &Cancel::new(), &mut file)?;
    Ok(file)
}

fn plain(format: Format, raster: &Raster, settings: &EncodeSettings) -> Vec<u8> {
    made(format, raster, settings, &Attached::default()).unwrap()
}

/// The samples of a JPEG XL, of as many bits as `like`.
fn read_jxl(file: &[u8], like: &Raster) -> Samples {
    let image = JxlImage::builder().read(file).unwrap();
    let frame = image.render_frame(0).unwrap();
    let pixels = frame.image_all_channels();
    let size = (pixels.width(), pixels.height(), pixels.channels());
    let dimensions = like.dimensions();
    let (width, height) = (dimensions.width as usize, dimensions.height as usize);
    let channels = like.format().channels.count();
    assert_eq!(size, (width, height, channels));
    let whole = |most: f32| pixels.buf().iter().map(move |value| (value * most).round());
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "lossless samples are whole"
    )]
    match like.format().depth {
        Depth::Eight => Samples::U8(whole(255.0).map(|value| value as u8).collect()),
        Depth::Sixteen => Samples::U16(whole(65535.0).map(|value| value as u16).collect()),
    }
}

/// With 8 bits a sample.
fn narrow(raster: &Raster) -> Raster {
    let samples = match raster.samples() {
        Samples::U8(samples) => samples.clone(),
        Samples::U16(samples) => {
            let eight = |v: &u16| u8::try_from((u32::from(*v) * 255 + 32_767) / 65_535).unwrap();
            samples.iter().map(eight).collect()
        }
    };
    Raster::from_u8(raster.dimensions(), raster.format().channels, samples).unwrap()
}

#[test]
fn jxl_keeps_every_pixel_in_all_layouts() {
    let settings = EncodeSettings::default();
    for channels in CHANNELS {
        for depth in [Depth::Eight, Depth::Sixteen] {
            for (width, height) in [(2, 2), (3, 17), (37, 11), (300, 261)] {
                let mut raster = noise(width, height, PixelFormat { channels, depth });
                let file = plain(Format::Jxl, &raster, &settings);
                if channels.has_alpha() {
                    raster = narrow(&raster);
                }
                let what = format!("{channels:?} {depth:?} {width} × {height}");
                assert!(read_jxl(&file, &raster) == *raster.samples(), "{what}");
            }
        }
        let smooth = gradient(700, 520, channels);
        for effort in [0, 4, 127] {
            let mut settings = settings.clone();
            settings.jxl.effort = effort;
            let file = plain(Format::Jxl, &smooth, &settings);
            assert!(
                read_jxl(&file, &smooth) == *smooth.samples(),
                "{channels:?}"
            );
        }
    }
}

#[test]
fn jxl_of_one_pixel_a_side_is_refused() {
    for (width, height) in [(1, 9), (9, 1)] {
        let raster = gradient(width, height, Channels::Gray);
        let (settings, attached) = (EncodeSettings::default(), Attached::default());
        let error = made(Format::Jxl, &raster, &settings, &attached).unwrap_err();
        assert_eq!(error.parameter(), Some(Parameter::Format));
    }
}

#[cfg(feature = "jp2-encode")]
#[test]
fn lossless_jp2_keeps_every_pixel_in_all_layouts() {
    let mut settings = EncodeSettings::default();
    settings.jp2.lossless = true;
    for tile_px in [0, 64] {
        settings.jp2.tile_px = tile_px;
        for channels in CHANNELS {
            for depth in [Depth::Eight, Depth::Sixteen] {
                for (width, height) in [(1, 1), (1, 9), (70, 2), (131, 97)] {
                    let raster = noise(width, height, PixelFormat { channels, depth });
                    let file = plain(Format::Jp2, &raster, &settings);
                    let what = format!("{channels:?} {depth:?} {width} × {height} {tile_px}");
                    assert!(decode_all(file).unwrap() == raster, "{what}");
                }
            }
        }
    }
}

#[cfg(feature = "jp2-encode")]
#[test]
fn lossy_jp2_has_the_quality_that_is_asked_for() {
    let raster = gradient(160, 120, Channels::Rgb);
    let mut lengths = Vec::new();
    for psnr_db in [30, 42, 55] {
        let mut settings = EncodeSettings::default();
        settings.jp2.psnr_db = psnr_db;
        let file = plain(Format::Jp2, &raster, &settings);
        lengths.push(file.len());
        let decoded = rgba(&decode_all(file).unwrap());
        let wanted = rgba(&raster);
        let pairs = decoded.iter().zip(&wanted);
        let squares: f64 = pairs.map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2)).sum();
        let psnr = 10.0 * (255.0 * 255.0 * wanted.len() as f64 / squares.max(1e-9)).log10();
        assert!(psnr > f64::from(psnr_db) - 1.0, "{psnr_db}: {psnr}");
    }
    assert!(lengths.is_sorted(), "{lengths:?}");
}

#[test]
fn pictures_beyond_a_formats_area_are_refused_before_a_row_is_pulled() {
    let raster = gradient(20, 20, Channels::Rgb);
    let mut settings = EncodeSettings::default();
    for area in [
        &mut settings.avif.max_area_px,
        &mut settings.jxl.max_area_px,
        &mut settings.jp2.max_area_px,
    ] {
        *area = 399;
    }
    for format in [Format::Avif, Format::Jxl, Format::Jp2] {
        let refused: Error = made(format, &raster, &settings, &Attached::default()).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::BadRequest);
        assert!(refused.public().contains("399 pixels"), "{refused:?}");
    }
}

/// Means of 4 × 4 pixels, as an eye at some distance sees them.
fn from_afar(raster: &Raster) -> Vec<f64> {
    let pixels = rgba(raster);
    let (width, height) = (
        raster.dimensions().width as usize,
        raster.dimensions().height as usize,
    );
    let mut means = Vec::new();
    for top in (0..height / 4 * 4).step_by(4) {
        for left in (0..width / 4 * 4).step_by(4) {
            for channel in 0..3 {
                let block = (0..16).map(|i| (top + i / 4) * width + left + i % 4);
                let sum: f64 = block.map(|at| f64::from(pixels[4 * at + channel])).sum();
                means.push(sum / 16.0);
            }
        }
    }
    means
}

/// Colours that differ along both sides.
fn plane(width: u32, height: u32) -> Raster {
    let level = |value: u32| u8::try_from(value.min(255)).unwrap();
    let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    let samples = pixels.flat_map(|(x, y)| [level(2 * x), level(2 * y), level(x + y)]);
    let dimensions = crate::geometry::Dimensions::new(width, height).unwrap();
    Raster::from_u8(dimensions, Channels::Rgb, samples.collect()).unwrap()
}

#[test]
fn dithered_gif_is_nearer_from_afar_and_plain_gif_pixel_by_pixel() {
    let raster = plane(120, 100);
    let mut settings = EncodeSettings::default();
    let mut errors = Vec::new();
    for dither in [true, false] {
        settings.gif.dither = dither;
        let decoded = decode_all(plain(Format::Gif, &raster, &settings)).unwrap();
        let near = rgba(&decoded)
            .iter()
            .zip(rgba(&raster))
            .map(|(a, b)| f64::from(a.abs_diff(b)).powi(2))
            .sum::<f64>();
        let far = from_afar(&decoded)
            .iter()
            .zip(from_afar(&raster))
            .map(|(a, b)| (a - b).powi(2))
            .sum::<f64>();
        errors.push((near, far));
    }
    let (dithered, undithered) = (errors[0], errors[1]);
    assert!(dithered.1 * 2.0 < undithered.1, "{errors:?}");
    assert!(undithered.0 < dithered.0, "{errors:?}");
}

/// An EXIF block with a maker, laid out by hand after TIFF 6.0.
fn exif() -> Vec<u8> {
    let mut block = b"II*\0\x08\0\0\0\x01\0".to_vec();
    block.extend(b"\x0f\x01\x02\0\x08\0\0\0\x1a\0\0\0");
    block.extend(b"\0\0\0\0Scanner\0");
    block
}

fn attached() -> Attached {
    Attached {
        density: Density::of_inch(400.0, 200.0),
        icc: crate::codec::standard_profile(false),
        exif: Some(exif()),
        xmp: Some(b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>".to_vec()),
        iptc: Some(b"\x1c\x02\x05\0\x05Title".to_vec()),
        ..Attached::default()
    }
}

#[test]
fn what_is_attached_is_in_every_format_that_has_a_place_for_it() {
    let raster = gradient(40, 30, Channels::Rgba);
    let opaque = gradient(40, 30, Channels::Rgb);
    let (settings, attached) = (EncodeSettings::default(), attached());
    // Profile, maker, packet, IPTC, density.
    for (format, wanted) in [
        (Format::Jpg, [true; 5]),
        (Format::Png, [true; 5]),
        (Format::Gif, [true, false, true, false, false]),
        (Format::Webp, [true, true, true, false, false]),
        (Format::Tif, [true; 5]),
        #[cfg(feature = "jp2-encode")]
        (Format::Jp2, [true; 5]),
    ] {
        let raster = if format.has_alpha() { &raster } else { &opaque };
        let file = made(format, raster, &settings, &attached).unwrap();
        let reader: std::sync::Arc<dyn crate::reader::RangeReader> =
            std::sync::Arc::new(file.clone());
        let limits = crate::codec::DecodeLimits::default();
        let found = crate::codec::metadata(&reader, 1, &limits).unwrap();
        let density = found.density().map(Density::per_inch);
        let has = [
            found.field(34675).map(|field| &field.bytes) == attached.icc.as_ref(),
            found.field(271).and_then(|field| field.as_text()) == Some("Scanner"),
            found.field(700).map(|field| &field.bytes) == attached.xmp.as_ref(),
            found.field(33723).is_some() || found.field(34377).is_some(),
            density.is_some_and(|(x, y)| (x - 400.0).abs() < 0.1 && (y - 200.0).abs() < 0.1),
        ];
        assert_eq!(has, wanted, "{format:?} {density:?}");
        let own = plain(format, raster, &settings);
        let (with, without) = (decode_all(file).unwrap(), decode_all(own).unwrap());
        assert_eq!(rgba(&with), rgba(&without), "{format:?}: the same pixels");
    }
}

#[test]
fn exif_is_where_its_readers_look_for_it() {
    let raster = gradient(40, 30, Channels::Rgb);
    let (settings, attached) = (EncodeSettings::default(), attached());
    for format in [
        Format::Jpg,
        Format::Png,
        Format::Webp,
        Format::Tif,
        Format::Avif,
    ] {
        let file = made(format, &raster, &settings, &attached).unwrap();
        let mut stream = std::io::Cursor::new(file);
        let read = ::exif::Reader::new()
            .read_from_container(&mut stream)
            .unwrap();
        let maker = read
            .get_field(::exif::Tag::Make, ::exif::In::PRIMARY)
            .unwrap();
        assert_eq!(
            maker.display_value().to_string(),
            "\"Scanner\"",
            "{format:?}"
        );
    }
}

#[test]
fn jxl_with_metadata_is_in_a_container_that_holds_them() {
    let raster = gradient(40, 30, Channels::Rgb);
    let file = made(
        Format::Jxl,
        &raster,
        &EncodeSettings::default(),
        &attached(),
    )
    .unwrap();
    assert!(file.starts_with(b"\0\0\0\x0cJXL \r\n\x87\n"));
    assert!(read_jxl(&file, &raster) == *raster.samples());
    let image = JxlImage::builder().read(file.as_slice()).unwrap();
    let exif_box = image.aux_boxes().first_exif().unwrap().unwrap();
    assert_eq!(exif_box.payload(), exif());
    let xml = image.aux_boxes().first_xml().unwrap();
    assert_eq!(xml, attached().xmp.unwrap());
}
