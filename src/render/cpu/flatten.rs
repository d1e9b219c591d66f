//! Lays a picture over a background, strip by strip, and drops its opacity.
//!
//! `(c·α + background·(max − α) + max / 2) / max`, with `max` the largest sample; the background of 8
//! bits is widened by 257 for 16. A gray picture meets the background's luma.

use super::flow::EachStrip;
use super::sample::Sample;
use super::tone::luma;
use crate::error::Result;
use crate::raster::{Channels, Raster, Rows, Samples, Shape};

/// `rows` over `background` (red, green, blue); without opacity they stay as they are.
pub(super) fn rows(rows: Box<dyn Rows>, shape: Shape, background: [u8; 3]) -> Box<dyn Rows> {
    if rows.shape() == shape {
        return rows;
    }
    let strip = move |source: &Raster| flattened(source, background);
    Box::new(EachStrip::new(rows, shape, strip))
}

fn flattened(source: &Raster, background: [u8; 3]) -> Result<Raster> {
    let channels = source.format().channels;
    let samples = match source.samples() {
        Samples::U8(all) => laid_over(all, channels, background),
        Samples::U16(all) => laid_over(all, channels, background),
    };
    Raster::new(source.dimensions(), channels.without_alpha(), samples)
}

fn laid_over<T: Sample>(all: &[T], channels: Channels, background: [u8; 3]) -> Samples {
    let wide = |level: u8| u32::from(level) * (T::MAX / 255);
    T::hold(match channels {
        Channels::Gray | Channels::Rgb => all.to_vec(),
        Channels::GrayAlpha => {
            let under = wide(luma(background));
            let pixels = all.as_chunks::<2>().0.iter();
            pixels.map(|&[c, a]| blended(c, a, under)).collect()
        }
        Channels::Rgba => {
            let under = background.map(wide);
            let pixels = all.as_chunks::<4>().0.iter();
            pixels
                .flat_map(|&[r, g, b, a]| {
                    [(r, under[0]), (g, under[1]), (b, under[2])].map(|(c, u)| blended(c, a, u))
                })
                .collect()
        }
    })
}

/// At most `MAX·MAX + MAX / 2`, which a u32 holds for 16 bits too.
fn blended<T: Sample>(colour: T, opacity: T, under: u32) -> T {
    let opacity = opacity.value();
    T::of((colour.value() * opacity + under * (T::MAX - opacity) + T::MAX / 2) / T::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{bytes, dimensions, picture, run, run_in_strips};
    use super::*;
    use crate::plan::Pass;
    use crate::raster::{Depth, PixelFormat};

    #[test]
    fn the_blend_is_exact_for_every_colour_and_opacity() {
        for under in [0, 1, 127, 200, 255] {
            for colour in 0..=255_u8 {
                for opacity in 0..=255_u8 {
                    let alpha = f64::from(opacity) / 255.0;
                    let exact = f64::from(colour) * alpha + f64::from(under) * (1.0 - alpha);
                    let blend = blended(colour, opacity, under);
                    assert!(
                        (f64::from(blend) - exact).abs() <= 0.5,
                        "{colour} {opacity}"
                    );
                }
            }
        }
        assert_eq!(blended(u16::MAX, 32768, 0_u32), 32768);
        assert_eq!(blended(u16::MAX, u16::MAX, 65535), u16::MAX);
    }

    #[test]
    fn clear_pixels_show_the_background_and_opaque_ones_themselves() {
        let samples = vec![9, 8, 7, 0, 9, 8, 7, 255, 100, 0, 200, 128];
        let source = Raster::from_u8(dimensions(3, 1), Channels::Rgba, samples).expect("3 pixels");
        let background = [10, 20, 30];
        let result = run(source, &[Pass::Flatten { background }]);
        // (100·128 + 10·127 + 127) / 255, (20·127 + 127) / 255, (200·128 + 30·127 + 127) / 255
        assert_eq!(bytes(&result), [10, 20, 30, 9, 8, 7, 55, 10, 115]);
    }

    #[test]
    fn a_gray_picture_meets_the_luma_of_the_background() {
        let samples = vec![9, 0, 200, 255];
        let channels = Channels::GrayAlpha;
        let source = Raster::from_u8(dimensions(2, 1), channels, samples).expect("2 pixels");
        let background = [255, 0, 0];
        let result = run(source, &[Pass::Flatten { background }]);
        assert_eq!(bytes(&result), [76, 200]);
    }

    #[test]
    fn sixteen_bits_meet_the_widened_background() {
        let samples = vec![1000, 0, 1000, 65535];
        let channels = Channels::GrayAlpha;
        let source = Raster::from_u16(dimensions(2, 1), channels, samples).expect("2 pixels");
        let background = [255; 3];
        let result = run(source, &[Pass::Flatten { background }]);
        assert_eq!(result.samples(), &Samples::U16(vec![65535, 1000]));
    }

    #[test]
    fn strips_of_any_height_give_the_same_and_opaque_formats_pass() {
        let background = [1, 2, 3];
        for depth in [Depth::Eight, Depth::Sixteen] {
            for channels in [Channels::GrayAlpha, Channels::Rgba] {
                let source = picture(dimensions(9, 70), PixelFormat { channels, depth }, 6);
                run_in_strips(&source, &[Pass::Flatten { background }]);
            }
            let channels = Channels::Rgb;
            let source = picture(dimensions(9, 7), PixelFormat { channels, depth }, 6);
            assert_eq!(run(source.clone(), &[Pass::Flatten { background }]), source);
        }
    }
}
