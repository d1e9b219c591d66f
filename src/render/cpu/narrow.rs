//! 16 to 8 bits, strip by strip.

use super::flow::EachStrip;
use crate::error::Result;
use crate::raster::{Raster, Rows, Samples, Shape};

/// `rows` with 8 bits a sample; 8 bits stay as they are.
pub(super) fn rows(rows: Box<dyn Rows>, shape: Shape) -> Box<dyn Rows> {
    if rows.shape() == shape {
        return rows;
    }
    Box::new(EachStrip::new(rows, shape, strip))
}

fn strip(source: &Raster) -> Result<Raster> {
    let samples = match source.samples() {
        Samples::U8(samples) => samples.clone(),
        Samples::U16(samples) => samples.iter().map(|&sample| narrowed(sample)).collect(),
    };
    Raster::from_u8(source.dimensions(), source.format().channels, samples)
}

/// `(v · 255 + 32767) / 65535` without a division.
#[expect(clippy::cast_possible_truncation, reason = "at most 255, see the test")]
fn narrowed(sample: u16) -> u8 {
    ((u32::from(sample) * 255 + 32895) >> 16) as u8
}

#[cfg(test)]
mod tests {
    use super::super::testing::{dimensions, picture, run, run_in_strips};
    use super::*;
    use crate::plan::Pass;
    use crate::raster::{Channels, PixelFormat};

    #[test]
    fn every_value_is_divided_by_257_and_rounded_to_the_nearest() {
        for sample in 0..=u16::MAX {
            let wanted = (u32::from(sample) * 255 + 32767) / 65535;
            assert_eq!(u32::from(narrowed(sample)), wanted, "{sample}");
            let exact = f64::from(sample) / 257.0;
            assert!((f64::from(wanted) - exact).abs() < 0.5, "{sample}");
        }
    }

    #[test]
    fn samples_keep_their_places_in_strips_of_any_height() {
        let source = Raster::from_u16(
            dimensions(2, 2),
            Channels::GrayAlpha,
            vec![0, 65535, 128, 129, 257, 385, 386, 65406],
        )
        .expect("eight samples");
        let result = run(source, &[Pass::Narrow]);
        assert_eq!(
            result.samples(),
            &Samples::U8(vec![0, 255, 0, 1, 1, 1, 2, 254])
        );
        let noise = picture(dimensions(13, 70), PixelFormat::sixteen(Channels::Rgb), 1);
        run_in_strips(&noise, &[Pass::Narrow]);
    }

    #[test]
    fn eight_bits_pass_unchanged() {
        let source = picture(dimensions(5, 4), PixelFormat::eight(Channels::Rgb), 2);
        assert_eq!(run(source.clone(), &[Pass::Narrow]), source);
    }
}
