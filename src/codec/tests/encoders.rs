//! Encoders: what they write, read back by other code, and what they refuse.

use std::io;

use super::{decode_all, rgba};
use crate::cancel::Cancel;
use crate::codec::{Attached, gif, png, tif, webp};
use crate::encoding::{
    GifSettings, PngCompression, PngSettings, TifCompression, TifSettings, WebpSettings,
};
use crate::error::{Error, ErrorKind, Parameter, Result};
use crate::geometry::Dimensions;
use crate::raster::{Channels, Depth, PixelFormat, Raster, Rows, Samples, Shape};

pub(super) const CHANNELS: [Channels; 4] = [
    Channels::Gray,
    Channels::GrayAlpha,
    Channels::Rgb,
    Channels::Rgba,
];

/// A raster in strips of three rows.
struct Strips {
    raster: Raster,
    done: u32,
    pulls: u32,
}

impl Strips {
    fn new(raster: Raster) -> Self {
        Self {
            raster,
            done: 0,
            pulls: 0,
        }
    }
}

impl Rows for Strips {
    fn shape(&self) -> Shape {
        Shape {
            dimensions: self.raster.dimensions(),
            format: self.raster.format(),
        }
    }

    fn next_strip(&mut self) -> Result<Option<Raster>> {
        self.pulls += 1;
        let Dimensions { width, height } = self.raster.dimensions();
        let rows = 3.min(height - self.done);
        let Some(dimensions) = Dimensions::new(width, rows) else {
            return Ok(None);
        };
        let row = self.raster.row_len();
        let part = self.done as usize * row..(self.done + rows) as usize * row;
        self.done += rows;
        let samples = match self.raster.samples() {
            Samples::U8(all) => Samples::U8(all[part].to_vec()),
            Samples::U16(all) => Samples::U16(all[part].to_vec()),
        };
        Raster::new(dimensions, self.raster.format().channels, samples).map(Some)
    }
}

fn dimensions(width: u32, height: u32) -> Dimensions {
    Dimensions::new(width, height).unwrap()
}

/// Pseudo-random pixels: the same for the same shape.
pub(super) fn noise(width: u32, height: u32, format: PixelFormat) -> Raster {
    let mut random = fastrand::Rng::with_seed(99);
    let count = width as usize * height as usize * format.channels.count();
    let samples = match format.depth {
        Depth::Eight => Samples::U8((0..count).map(|_| random.u8(..)).collect()),
        Depth::Sixteen => Samples::U16((0..count).map(|_| random.u16(..)).collect()),
    };
    Raster::new(dimensions(width, height), format.channels, samples).unwrap()
}

/// A soft gradient, which lossy formats keep well.
pub(super) fn gradient(width: u32, height: u32, channels: Channels) -> Raster {
    let samples = (0..height)
        .flat_map(|y| (0..width).map(move |x| (x, y)))
        .flat_map(|(x, y)| {
            (0..u32::try_from(channels.count()).unwrap())
                .map(move |c| u8::try_from((x * 2 + y + c * 30).min(255)).unwrap())
        })
        .collect();
    Raster::from_u8(dimensions(width, height), channels, samples).unwrap()
}

fn written(
    write: impl FnOnce(&mut dyn Rows, &mut Vec<u8>) -> Result<()>,
    raster: &Raster,
) -> Vec<u8> {
    let mut file = Vec::new();
    write(&mut Strips::new(raster.clone()), &mut file).unwrap();
    file
}

fn as_png(raster: &Raster, compression: PngCompression) -> Vec<u8> {
    let settings = PngSettings { compression };
    written(
        |rows, sink| png::encode(rows, settings, &Attached::default(), &Cancel::new(), sink),
        raster,
    )
}

fn as_webp(raster: &Raster, settings: WebpSettings) -> Vec<u8> {
    written(
        |rows, sink| webp::encode(rows, settings, &Attached::default(), &Cancel::new(), sink),
        raster,
    )
}

fn as_gif(raster: &Raster) -> Vec<u8> {
    gif_dithered(raster, true)
}

fn gif_dithered(raster: &Raster, dither: bool) -> Vec<u8> {
    let settings = GifSettings { dither };
    written(
        |rows, sink| gif::encode(rows, settings, &Attached::default(), &Cancel::new(), sink),
        raster,
    )
}

fn as_tif(raster: &Raster, compression: TifCompression) -> Vec<u8> {
    let settings = TifSettings { compression };
    written(
        |rows, sink| tif::encode(rows, settings, &Attached::default(), &Cancel::new(), sink),
        raster,
    )
}

#[test]
fn png_keeps_every_pixel_in_all_layouts_and_efforts() {
    for channels in CHANNELS {
        for depth in [Depth::Eight, Depth::Sixteen] {
            for effort in [
                PngCompression::Fast,
                PngCompression::Balanced,
                PngCompression::High,
            ] {
                let raster = noise(37, 11, PixelFormat { channels, depth });
                let file = as_png(&raster, effort);
                assert_eq!(decode_all(file).unwrap(), raster);
            }
        }
    }
}

#[test]
fn png_effort_makes_smaller_files() {
    let raster = gradient(100, 80, Channels::Rgb);
    let fast = as_png(&raster, PngCompression::Fast).len();
    let high = as_png(&raster, PngCompression::High).len();
    assert!(high < fast && fast < 100 * 80 * 3, "{high} {fast}");
}

const LOSSLESS: WebpSettings = WebpSettings {
    lossless: true,
    quality: 80,
    method: 2,
};

#[test]
fn lossless_webp_keeps_every_pixel() {
    for channels in CHANNELS {
        let raster = noise(23, 17, PixelFormat::eight(channels));
        let file = as_webp(&raster, LOSSLESS);
        assert_eq!(rgba(&decode_all(file).unwrap()), rgba(&raster));
    }
}

#[cfg(feature = "webp")]
#[test]
fn lossless_webp_is_what_libwebp_reads() {
    for channels in CHANNELS {
        let raster = noise(23, 17, PixelFormat::eight(channels));
        let file = as_webp(&raster, LOSSLESS);
        let decoded = ::webp::Decoder::new(&file).decode().unwrap();
        let pixel = if channels.has_alpha() { 4 } else { 3 };
        let theirs: Vec<u8> = decoded
            .chunks_exact(pixel)
            .flat_map(|p| [p[0], p[1], p[2], p.get(3).copied().unwrap_or(255)])
            .collect();
        assert_eq!(theirs, rgba(&raster));
    }
}

#[cfg(feature = "webp")]
#[test]
fn lossy_webp_stays_close_and_follows_its_quality() {
    for channels in CHANNELS {
        let raster = gradient(60, 40, channels);
        let with_quality = |quality| {
            let settings = WebpSettings {
                quality,
                ..WebpSettings::default()
            };
            as_webp(&raster, settings)
        };
        let (low, high) = (with_quality(5), with_quality(95));
        assert_eq!(high.get(12..15), Some(&b"VP8"[..]));
        assert!(low.len() < high.len());
        let decoded = rgba(&decode_all(high).unwrap());
        let worst = decoded
            .iter()
            .zip(rgba(&raster))
            .map(|(a, b)| a.abs_diff(b))
            .max();
        assert!(worst.unwrap() <= 12, "{channels:?} {worst:?}");
        if channels.has_alpha() {
            let opacity = |all: &[u8]| all.iter().skip(3).step_by(4).copied().collect::<Vec<_>>();
            assert_eq!(opacity(&decoded), opacity(&rgba(&raster)));
        }
    }
}

#[test]
fn gif_keeps_pictures_of_few_colours_exactly() {
    let gray = gradient(90, 80, Channels::Gray);
    assert_eq!(rgba(&decode_all(as_gif(&gray)).unwrap()), rgba(&gray));
    let few: Vec<u8> = (0..40_u8 * 5).flat_map(|i| [i, 255 - i, i / 2]).collect();
    let few = Raster::from_u8(dimensions(40, 5), Channels::Rgb, few).unwrap();
    assert_eq!(rgba(&decode_all(as_gif(&few)).unwrap()), rgba(&few));
}

#[test]
fn gif_opacity_is_all_or_nothing_at_one_half() {
    let samples = vec![10, 20, 30, 127, 10, 20, 30, 128, 9, 9, 9, 0, 1, 2, 3, 255];
    let raster = Raster::from_u8(dimensions(4, 1), Channels::Rgba, samples).unwrap();
    let decoded = rgba(&decode_all(as_gif(&raster)).unwrap());
    assert_eq!(
        decoded,
        [0, 0, 0, 0, 10, 20, 30, 255, 0, 0, 0, 0, 1, 2, 3, 255]
    );
}

#[test]
fn gif_with_many_colours_is_close_repeatable_and_keeps_its_holes() {
    let mut raster = gradient(100, 90, Channels::Rgba);
    if let Samples::U8(samples) = raster.samples_mut() {
        for (index, pixel) in samples.chunks_exact_mut(4).enumerate() {
            let x = u8::try_from(index % 100).unwrap();
            (pixel[0], pixel[3]) = (x * 2, if index % 7 == 0 { 0 } else { 255 });
        }
    }
    let file = as_gif(&raster);
    assert_eq!(file, as_gif(&raster));
    let (ours, wanted) = (rgba(&decode_all(file).unwrap()), rgba(&raster));
    let mut sum = 0;
    for (a, b) in ours.chunks_exact(4).zip(wanted.chunks_exact(4)) {
        assert_eq!(a[3], b[3], "a hole has moved");
        if b[3] == 255 {
            sum += (0..3).map(|c| u64::from(a[c].abs_diff(b[c]))).sum::<u64>();
        }
    }
    let mean = sum as f64 / (100.0 * 90.0 * 3.0);
    assert!(mean < 8.0, "{mean}");
}

#[test]
fn too_long_sides_are_refused_before_a_row_is_pulled() {
    for (side, limit) in [(16_384, "16383"), (65_536, "65535")] {
        let raster = noise(side, 1, PixelFormat::eight(Channels::Gray));
        let mut rows = Strips::new(raster);
        let mut sink = Vec::new();
        let result = if limit == "16383" {
            webp::encode(
                &mut rows,
                LOSSLESS,
                &Attached::default(),
                &Cancel::new(),
                &mut sink,
            )
        } else {
            gif::encode(
                &mut rows,
                GifSettings::default(),
                &Attached::default(),
                &Cancel::new(),
                &mut sink,
            )
        };
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadRequest);
        assert_eq!(error.parameter(), Some(Parameter::Format));
        assert!(error.public().contains(limit));
        assert_eq!(rows.pulls, 0);
    }
    let widest = noise(16_383, 1, PixelFormat::eight(Channels::Gray));
    assert_eq!(
        rgba(&decode_all(as_webp(&widest, LOSSLESS)).unwrap()),
        rgba(&widest)
    );
}

/// A sink that takes some bytes and then is gone.
struct Gone(usize);

impl io::Write for Gone {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(self.0);
        self.0 -= taken;
        if taken == 0 {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Every encoder with its default settings.
fn every_encoder(raster: &Raster, cancel: &Cancel, sink: &mut dyn FnMut() -> Gone) -> Vec<Error> {
    let (rows, attached) = (|| Strips::new(raster.clone()), Attached::default());
    vec![
        png::encode(
            &mut rows(),
            PngSettings::default(),
            &attached,
            cancel,
            &mut sink(),
        ),
        webp::encode(
            &mut rows(),
            WebpSettings::default(),
            &attached,
            cancel,
            &mut sink(),
        ),
        webp::encode(&mut rows(), LOSSLESS, &attached, cancel, &mut sink()),
        gif::encode(
            &mut rows(),
            GifSettings::default(),
            &Attached::default(),
            cancel,
            &mut sink(),
        ),
        tif::encode(
            &mut rows(),
            TifSettings::default(),
            &attached,
            cancel,
            &mut sink(),
        ),
    ]
    .into_iter()
    .map(|result| result.unwrap_err())
    .collect()
}

#[test]
fn a_sink_that_refuses_bytes_cancels() {
    let raster = noise(50, 40, PixelFormat::eight(Channels::Rgb));
    for taken in [0, 20, 400] {
        for error in every_encoder(&raster, &Cancel::new(), &mut || Gone(taken)) {
            assert_eq!(error.kind(), ErrorKind::Cancelled, "{error:?}");
        }
    }
}

#[test]
fn a_cancelled_encode_stops() {
    let raster = noise(50, 40, PixelFormat::eight(Channels::Rgb));
    let cancel = Cancel::new();
    cancel.cancel();
    for error in every_encoder(&raster, &cancel, &mut || Gone(usize::MAX)) {
        assert_eq!(error.kind(), ErrorKind::Cancelled, "{error:?}");
    }
}

/// The fields of a little-endian TIFF's only directory, read after TIFF 6.0 section 2.
fn tif_field(file: &[u8], tag: u16) -> Vec<u32> {
    let two = |at: usize| u16::from_le_bytes(file[at..at + 2].try_into().unwrap());
    let four = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
    assert_eq!(file[..4], *b"II*\0");
    let directory = four(4) as usize;
    for index in 0..usize::from(two(directory)) {
        let entry = directory + 2 + index * 12;
        if two(entry) != tag {
            continue;
        }
        let count = four(entry + 4) as usize;
        let short = two(entry + 2) == 3;
        let width = if short { 2 } else { 4 };
        let start = if count * width <= 4 {
            entry + 8
        } else {
            four(entry + 8) as usize
        };
        return (0..count)
            .map(|i| {
                if short {
                    two(start + 2 * i).into()
                } else {
                    four(start + 4 * i)
                }
            })
            .collect();
    }
    Vec::new()
}

fn unpack(compression: u32, packed: &[u8]) -> Vec<u8> {
    use io::Read as _;
    let mut plain = Vec::new();
    match compression {
        1 => plain.extend(packed),
        5 => {
            let mut lzw = weezl::decode::Decoder::with_tiff_size_switch(weezl::BitOrder::Msb, 8);
            plain = lzw.decode(packed).unwrap();
        }
        8 | 32946 => {
            let mut inflate = flate2::read::ZlibDecoder::new(packed);
            inflate.read_to_end(&mut plain).unwrap();
        }
        other => panic!("compression {other}"),
    }
    plain
}

/// Decodes a TIFF of strips by its own tags: the samples, little-endian.
fn read_tif(file: &[u8]) -> Vec<u8> {
    let one = |tag| tif_field(file, tag)[0];
    let (width, channels) = (one(256) as usize, one(277) as usize);
    let wide = one(258) == 16;
    let row = width * channels * if wide { 2 } else { 1 };
    let mut samples = Vec::new();
    for (offset, length) in tif_field(file, 273).into_iter().zip(tif_field(file, 279)) {
        let (offset, length) = (offset as usize, length as usize);
        let mut strip = unpack(one(259), &file[offset..offset + length]);
        if one(317) == 2 {
            strip
                .chunks_exact_mut(row)
                .for_each(|line| undo_differences(line, channels, wide));
        }
        samples.extend(strip);
    }
    samples
}

fn undo_differences(line: &mut [u8], channels: usize, wide: bool) {
    if !wide {
        for i in channels..line.len() {
            line[i] = line[i].wrapping_add(line[i - channels]);
        }
        return;
    }
    for i in (channels * 2..line.len()).step_by(2) {
        let left = u16::from_le_bytes([line[i - channels * 2], line[i - channels * 2 + 1]]);
        let sum = u16::from_le_bytes([line[i], line[i + 1]]).wrapping_add(left);
        line[i..i + 2].copy_from_slice(&sum.to_le_bytes());
    }
}

#[test]
fn tif_keeps_every_pixel_in_all_layouts_and_compressions() {
    for channels in CHANNELS {
        for depth in [Depth::Eight, Depth::Sixteen] {
            for compression in [
                TifCompression::None,
                TifCompression::Deflate,
                TifCompression::Lzw,
            ] {
                let raster = noise(37, 11, PixelFormat { channels, depth });
                let wanted: Vec<u8> = match raster.samples() {
                    Samples::U8(all) => all.clone(),
                    Samples::U16(all) => all.iter().flat_map(|v| v.to_le_bytes()).collect(),
                };
                let file = as_tif(&raster, compression);
                assert_eq!(
                    read_tif(&file),
                    wanted,
                    "{channels:?} {depth:?} {compression:?}"
                );
            }
        }
    }
}

#[test]
fn tif_tags_say_what_the_samples_are() {
    for (channels, photometric, extra) in [
        (Channels::Gray, 1, vec![]),
        (Channels::GrayAlpha, 1, vec![2]),
        (Channels::Rgb, 2, vec![]),
        (Channels::Rgba, 2, vec![2]),
    ] {
        let raster = noise(5, 4, PixelFormat::sixteen(channels));
        let file = as_tif(&raster, TifCompression::Deflate);
        assert_eq!(
            (tif_field(&file, 256), tif_field(&file, 257)),
            (vec![5], vec![4])
        );
        assert_eq!(tif_field(&file, 258), vec![16; channels.count()]);
        assert_eq!(tif_field(&file, 262), vec![photometric]);
        assert_eq!(tif_field(&file, 277)[0] as usize, channels.count());
        assert_eq!(tif_field(&file, 338), extra);
    }
}

#[test]
fn tif_of_several_strips_keeps_every_pixel() {
    let raster = gradient(900, 800, Channels::Rgb);
    let file = as_tif(&raster, TifCompression::Deflate);
    assert!(tif_field(&file, 273).len() > 1);
    let Samples::U8(wanted) = raster.samples() else {
        panic!("8 bits went in");
    };
    assert!(read_tif(&file) == *wanted);
}

#[test]
fn tif_is_compressed_as_it_is_asked_for() {
    let raster = gradient(90, 80, Channels::Rgb);
    let mut lengths = Vec::new();
    for (compression, number, predictor) in [
        (TifCompression::None, 1, 1),
        (TifCompression::Lzw, 5, 2),
        (TifCompression::Deflate, 8, 2),
    ] {
        let file = as_tif(&raster, compression);
        assert_eq!(tif_field(&file, 259), [number]);
        let said = tif_field(&file, 317).first().copied().unwrap_or(1);
        assert_eq!(said, predictor, "{compression:?}");
        lengths.push(file.len());
    }
    assert!(lengths[0] > 90 * 80 * 3 && lengths[1] * 2 < lengths[0] && lengths[2] * 2 < lengths[0]);
}
