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

/// Settings that differ from the usual ones in one thing.
fn with(change: impl FnOnce(&mut EncodeSettings)) -> EncodeSettings {
    let mut settings = EncodeSettings::default();
    change(&mut settings);
    settings
}

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

/// Sums of squared differences of colours and of opacity.
fn errors(one: &Raster, other: &Raster) -> (f64, f64) {
    let (one, other) = (rgba(one), rgba(other));
    let squares = |first: usize, count: usize| {
        let pixels = one.chunks_exact(4).zip(other.chunks_exact(4));
        let pairs = pixels.flat_map(|(a, b)| (first..first + count).map(move |at| (a[at], b[at])));
        pairs.map(|(a, b)| f64::from(a.abs_diff(b)).powi(2)).sum()
    };
    (squares(0, 3), squares(3, 1))
}

#[test]
fn avif_of_every_layout_shows_its_own_colours_and_opacity() {
    let settings = with(|all| all.avif.quality = 95);
    for channels in CHANNELS {
        let raster = gradient(64, 48, channels);
        let decoded = narrow(&decode_all(plain(Format::Avif, &raster, &settings)).unwrap());
        let pairs = rgba(&decoded).into_iter().zip(rgba(&raster));
        let worst = pairs.map(|(a, b)| a.abs_diff(b)).max();
        assert!(worst.unwrap() <= 6, "{channels:?} {worst:?}");
        let format = decoded.format().channels;
        assert_eq!(format.has_alpha(), channels.has_alpha(), "{channels:?}");
    }
}

#[test]
fn avif_follows_its_quality_in_colours_and_opacity() {
    let raster = noise(64, 48, PixelFormat::eight(Channels::Rgba));
    let mut made = Vec::new();
    for quality in [20, 60, 95] {
        let settings = with(|all| all.avif.quality = quality);
        let file = plain(Format::Avif, &raster, &settings);
        let length = file.len();
        let (colours, opacity) = errors(&narrow(&decode_all(file).unwrap()), &raster);
        made.push((length, colours, opacity));
    }
    assert!(made.is_sorted_by(|a, b| a.0 < b.0), "{made:?}");
    assert!(made.is_sorted_by(|a, b| a.1 > b.1), "{made:?}");
    assert!(made.is_sorted_by(|a, b| a.2 > b.2), "{made:?}");
}

#[test]
fn effort_of_avif_webp_and_jxl_makes_smaller_files() {
    let raster = plane(120, 100);
    let length = |format, settings: &EncodeSettings| plain(format, &raster, settings).len();
    let avif = [1, 10].map(|speed| length(Format::Avif, &with(|all| all.avif.speed = speed)));
    let webp = [6, 0].map(|method| length(Format::Webp, &with(|all| all.webp.method = method)));
    let jxl = [127, 0].map(|effort| length(Format::Jxl, &with(|all| all.jxl.effort = effort)));
    for [small, fast] in [avif, webp, jxl] {
        assert!(small < fast, "{avif:?} {webp:?} {jxl:?}");
    }
}

/// What follows a marker of a code stream's main header, its length excluded.
#[cfg(feature = "jp2-encode")]
fn segment(file: &[u8], marker: u8) -> &[u8] {
    let at = |bytes: &[u8]| file.windows(bytes.len()).position(|part| part == bytes);
    let start = at(&[0xff, 0x4f, 0xff, 0x51]).unwrap();
    let mut rest = &file[start + 2..];
    loop {
        let length = usize::from(u16::from_be_bytes([rest[2], rest[3]]));
        if rest[1] == marker {
            return &rest[4..2 + length];
        }
        rest = &rest[2 + length..];
    }
}

#[cfg(feature = "jp2-encode")]
#[test]
fn jp2_is_cut_into_tiles_and_resolutions_that_its_sides_allow() {
    for (width, height, tile_px, tile, levels) in [
        (131, 97, 0, [131, 97], 5),
        (131, 97, 64, [64, 64], 5),
        (131, 97, 128, [128, 128], 5),
        (131, 97, 131, [131, 97], 5),
        (97, 131, 100, [100, 100], 5),
        (131, 31, 64, [64, 64], 4),
        (70, 2, 0, [70, 2], 1),
        (1, 9, 0, [1, 9], 0),
    ] {
        let settings = with(|all| all.jp2.tile_px = tile_px);
        for channels in CHANNELS {
            let file = plain(Format::Jp2, &gradient(width, height, channels), &settings);
            let what = format!("{channels:?} {width} × {height} {tile_px}");
            // ITU-T T.800 A.5.1: capabilities, then the sides of picture and offset, and those of a tile.
            let size = segment(&file, 0x51);
            let number = |at: usize| u32::from_be_bytes(size[at..at + 4].try_into().unwrap());
            assert_eq!([number(18), number(22)], tile, "{what}");
            // A.6.1: style, progression (2 is RPCL), layers, whether colours are mixed, levels.
            let mixed = u8::from(channels.count() >= 3);
            let coding = segment(&file, 0x52);
            assert_eq!(coding[1..6], [2, 0, 1, mixed, levels], "{what}");
        }
    }
}

#[test]
fn webp_says_which_metadata_it_holds() {
    let (settings, all) = (EncodeSettings::default(), attached());
    let only = |icc: bool, exif: bool, xmp: bool| Attached {
        icc: all.icc.clone().filter(|_| icc),
        exif: all.exif.clone().filter(|_| exif),
        xmp: all.xmp.clone().filter(|_| xmp),
        ..Attached::default()
    };
    for (attached, flags, chunk) in [
        (only(true, false, false), 0x20, b"ICCP"),
        (only(false, true, false), 0x08, b"EXIF"),
        (only(false, false, true), 0x04, b"XMP "),
        (only(true, true, true), 0x2c, b"XMP "),
    ] {
        for (channels, opacity) in [(Channels::Rgb, 0), (Channels::Rgba, 0x10)] {
            let raster = gradient(40, 30, channels);
            let file = made(Format::Webp, &raster, &settings, &attached).unwrap();
            assert_eq!(file[12..16], *b"VP8X");
            // RFC 9649, 2.7.1: flags, then each side less one in 24 bits.
            assert_eq!(file[20..30], [flags | opacity, 0, 0, 0, 39, 0, 0, 29, 0, 0]);
            assert!(file.windows(4).any(|part| part == chunk));
        }
    }
    let bare = plain(Format::Webp, &gradient(40, 30, Channels::Rgb), &settings);
    assert!(!bare.windows(4).any(|part| part == b"VP8X"));
}
