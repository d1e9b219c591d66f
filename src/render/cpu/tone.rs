//! Gray and bitonal, strip by strip.
//!
//! Bitonal takes 8 bits: the rounded colours are what counts, so every engine comes to the same side of
//! the threshold.

mod simd;

use super::flow::EachStrip;
use super::sample::eight_bits;
use crate::error::Result;
use crate::raster::{Channels, Raster, Rows, Samples, Shape};

/// Lowest luma that bitonal shows white.
const WHITE_FROM: u8 = 128;

/// Luma of a colour: `(19595 R + 38470 G + 7471 B + 32768) >> 16`.
///
/// Source: ITU-R BT.601 §2.5.1, as JFIF 1.02 takes it, in 16 fractional bits. Equal colours give
/// themselves.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the weights add up to 65536: at most 255"
)]
pub(in crate::render) fn luma([r, g, b]: [u8; 3]) -> u8 {
    ((19595 * u32::from(r) + 38470 * u32::from(g) + 7471 * u32::from(b) + 32768) >> 16) as u8
}

/// `rows` in luma; opacity stays.
pub(super) fn gray(rows: Box<dyn Rows>, shape: Shape) -> Box<dyn Rows> {
    if rows.shape() == shape {
        return rows;
    }
    Box::new(EachStrip::new(rows, shape, gray_strip))
}

/// `rows` in black and white. Opacity is dropped as it is: a plan flattens before.
pub(super) fn bitonal(rows: Box<dyn Rows>, shape: Shape) -> Box<dyn Rows> {
    Box::new(EachStrip::new(rows, shape, bitonal_strip))
}

/// [`luma`] of 16 bits: at most 65535 · 65536 + 32768, which a u32 holds.
fn luma_of_sixteen([r, g, b]: [u16; 3]) -> u16 {
    ((19595 * u32::from(r) + 38470 * u32::from(g) + 7471 * u32::from(b) + 32768) >> 16) as u16
}

fn gray_strip(source: &Raster) -> Result<Raster> {
    let channels = source.format().channels;
    let gray = if channels.has_alpha() {
        Channels::GrayAlpha
    } else {
        Channels::Gray
    };
    let grays = match source.samples() {
        Samples::U8(samples) => Samples::U8(grays(samples, channels)),
        Samples::U16(samples) => Samples::U16(grays_of_sixteen(samples, channels)),
    };
    Raster::new(source.dimensions(), gray, grays)
}

fn grays_of_sixteen(samples: &[u16], channels: Channels) -> Vec<u16> {
    match channels {
        Channels::Gray | Channels::GrayAlpha => samples.to_vec(),
        Channels::Rgb => samples
            .as_chunks()
            .0
            .iter()
            .copied()
            .map(luma_of_sixteen)
            .collect(),
        Channels::Rgba => {
            let pixels = samples.as_chunks::<4>().0.iter();
            pixels
                .flat_map(|&[r, g, b, opacity]| [luma_of_sixteen([r, g, b]), opacity])
                .collect()
        }
    }
}

fn grays(samples: &[u8], channels: Channels) -> Vec<u8> {
    match channels {
        Channels::Gray | Channels::GrayAlpha => samples.to_vec(),
        Channels::Rgb => lumas(samples),
        Channels::Rgba => pixels::<4>(samples)
            .flat_map(|&[r, g, b, opacity]| [luma([r, g, b]), opacity])
            .collect(),
    }
}

fn bitonal_strip(source: &Raster) -> Result<Raster> {
    let samples = eight_bits(source, "bitonal")?;
    let bits = match source.format().channels {
        Channels::Gray => samples.iter().copied().map(black_or_white).collect(),
        Channels::GrayAlpha => pixels::<2>(samples)
            .map(|&[gray, _]| black_or_white(gray))
            .collect(),
        Channels::Rgb => {
            let mut grays = lumas(samples);
            for gray in &mut grays {
                *gray = black_or_white(*gray);
            }
            grays
        }
        Channels::Rgba => pixels::<4>(samples)
            .map(|&[r, g, b, _]| black_or_white(luma([r, g, b])))
            .collect(),
    };
    Raster::from_u8(source.dimensions(), Channels::Gray, bits)
}

fn black_or_white(gray: u8) -> u8 {
    if gray >= WHITE_FROM { 255 } else { 0 }
}

/// Lumas of RGB pixels.
fn lumas(samples: &[u8]) -> Vec<u8> {
    let mut grays = vec![0; samples.len() / 3];
    let done = simd::lumas(samples, &mut grays);
    let rest = pixels::<3>(samples).zip(&mut grays).skip(done);
    for (pixel, gray) in rest {
        *gray = luma(*pixel);
    }
    grays
}

fn pixels<const N: usize>(samples: &[u8]) -> std::slice::Iter<'_, [u8; N]> {
    samples.as_chunks::<N>().0.iter()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{bytes, dimensions, picture, run, run_in_strips, start};
    use super::*;
    use crate::cancel::Cancel;
    use crate::error::ErrorKind;
    use crate::plan::Pass;
    use crate::raster::{OneStrip, PixelFormat};

    fn row(channels: Channels, samples: &[u8]) -> Raster {
        let width = u32::try_from(samples.len() / channels.count()).expect("a short row");
        Raster::from_u8(dimensions(width, 1), channels, samples.to_vec()).expect("whole pixels")
    }

    #[test]
    fn gray_is_the_luma_of_bt_601_rounded_to_the_nearest() {
        // 0.299 R + 0.587 G + 0.114 B: 76.245, 149.685, 29.07, 225.93 (yellow), 123.81
        let source = row(
            Channels::Rgb,
            &[255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 0, 200, 100, 47],
        );
        assert_eq!(bytes(&run(source, &[Pass::Gray])), [76, 150, 29, 226, 124]);
        for level in 0..=255 {
            assert_eq!(luma([level; 3]), level);
        }
    }

    #[test]
    fn gray_keeps_opacity_and_leaves_gray_alone() {
        let source = row(Channels::Rgba, &[255, 0, 0, 7, 0, 0, 255, 0]);
        let result = run(source, &[Pass::Gray]);
        assert_eq!(result, row(Channels::GrayAlpha, &[76, 7, 29, 0]));
        assert_eq!(run(result.clone(), &[Pass::Gray]), result);
    }

    #[test]
    fn bitonal_is_white_from_a_rounded_luma_of_128_on() {
        let source = row(Channels::Gray, &[0, 127, 128, 255]);
        assert_eq!(bytes(&run(source, &[Pass::Bitonal])), [0, 0, 255, 255]);
        // Lumas 127.57 and 127.456: the first rounds to 128.
        let source = row(Channels::Rgb, &[127, 127, 132, 127, 127, 131]);
        assert_eq!(bytes(&run(source, &[Pass::Bitonal])), [255, 0]);
        let source = row(Channels::Rgba, &[200, 200, 200, 0, 100, 100, 100, 255]);
        assert_eq!(bytes(&run(source, &[Pass::Bitonal])), [255, 0]);
        let source = row(Channels::GrayAlpha, &[200, 0, 100, 255]);
        assert_eq!(bytes(&run(source, &[Pass::Bitonal])), [255, 0]);
    }

    #[test]
    fn vectors_give_the_luma_of_every_colour_and_every_length() {
        let cube = (0_u32..1 << 18).flat_map(|colour| {
            // Six bits of each sample, and the noise of the others below them.
            [0, 6, 12].map(|shift| {
                let [level, ..] = ((colour >> shift & 63) << 2).to_le_bytes();
                let [low, ..] = (colour.wrapping_mul(0x9E37_79B9) >> (shift + 8)).to_le_bytes();
                level | (low & 3)
            })
        });
        let cube: Vec<u8> = cube.collect();
        let wanted: Vec<u8> = pixels::<3>(&cube).copied().map(luma).collect();
        assert_eq!(lumas(&cube), wanted);
        for count in 0..70 {
            assert_eq!(lumas(&cube[..3 * count]), wanted[..count]);
        }
    }

    #[test]
    fn strips_of_any_height_give_the_same() {
        let source = picture(dimensions(7, 130), PixelFormat::eight(Channels::Rgba), 4);
        run_in_strips(&source, &[Pass::Gray]);
        run_in_strips(&source, &[Pass::Bitonal]);
    }

    #[test]
    fn gray_of_sixteen_bits_is_the_same_luma_in_finer_steps() {
        let samples = vec![65535, 0, 0, 9, 1, 2, 3, 8];
        let source = Raster::from_u16(dimensions(2, 1), Channels::Rgba, samples).expect("2 pixels");
        // 65535 · 19595 / 65536 = 19594.7; (19595 + 2 · 38470 + 3 · 7471) / 65536 = 1.8
        let result = run(source, &[Pass::Gray]);
        assert_eq!(result.samples(), &Samples::U16(vec![19595, 9, 2, 8]));
        for level in [0, 1, 255, 256, 32767, 65534, 65535] {
            assert_eq!(luma_of_sixteen([level; 3]), level);
        }
        for channels in [Channels::Rgb, Channels::Gray] {
            let source = picture(dimensions(7, 130), PixelFormat::sixteen(channels), 4);
            run_in_strips(&source, &[Pass::Gray]);
        }
    }

    #[test]
    fn sixteen_bits_in_bitonal_are_a_fault_of_the_plan() {
        let source = picture(dimensions(2, 2), PixelFormat::sixteen(Channels::Rgb), 4);
        let source = Box::new(OneStrip::from(source));
        let mut rows = start(source, &[Pass::Bitonal], &Cancel::new());
        let error = rows.next_strip().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Internal);
        assert!(rows.next_strip().expect("ended").is_none());
    }
}
