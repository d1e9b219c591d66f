//! SGI's logarithms of light → gray or RGB of 8 bits, as libtiff shows them.
//!
//! A pixel has 16 bits for luminance, or 32 for luminance and two coordinates of colour. Light from 0 to 1 is
//! shown, by a square root for its curve; what is brighter is white.
//!
//! Source: G. Ward Larson, "`LogLuv` encoding for full-gamut, high-dynamic range images", 1998; libtiff's
//! technical note on `SGILog`, and the 8 bits that it makes of them.

use crate::error::{Error, Result};
use crate::geometry::Dimensions;

/// Runs begin here; a run of two is the shortest.
const RUN: u8 = 128;

/// Bytes of a pixel before it is shown.
const fn planes(channels: usize) -> usize {
    if channels == 1 { 2 } else { 4 }
}

/// The pixels of a cell, of 1 or 3 samples: each row's bytes are stored by rank, in runs.
pub(super) fn pixels(packed: &[u8], cell: Dimensions, channels: usize) -> Result<Vec<u8>> {
    let width = cell.width as usize;
    let mut words = vec![0_u32; width];
    let mut input = packed.iter().copied();
    let mut shown = Vec::with_capacity(width * cell.height as usize * channels);
    for _ in 0..cell.height {
        words.fill(0);
        for rank in (0..planes(channels)).rev() {
            plane(&mut input, &mut words, 8 * rank)?;
        }
        if channels == 1 {
            shown.extend(words.iter().map(|word| level(luminance(*word))));
        } else {
            shown.extend(words.iter().flat_map(|word| colour(*word)));
        }
    }
    Ok(shown)
}

/// One rank of a row's bytes.
fn plane(input: &mut impl Iterator<Item = u8>, words: &mut [u32], shift: usize) -> Result<()> {
    let end = || Error::corrupt("a tile ends before its last row");
    let mut at = 0;
    while at < words.len() {
        let head = input.next().ok_or_else(end)?;
        let count = if head >= RUN {
            usize::from(head - RUN) + 2
        } else {
            usize::from(head)
        };
        let repeated = if head >= RUN {
            Some(input.next().ok_or_else(end)?)
        } else {
            None
        };
        for _ in 0..count {
            let byte = match repeated {
                Some(byte) => byte,
                None => input.next().ok_or_else(end)?,
            };
            let word = words
                .get_mut(at)
                .ok_or_else(|| Error::corrupt("a run passes the end of its row"))?;
            *word |= u32::from(byte) << shift;
            at += 1;
        }
    }
    Ok(())
}

/// What the lower 16 bits say of luminance: a sign, and a logarithm in steps of 1/256.
fn luminance(word: u32) -> f64 {
    let steps = word & 0x7fff;
    if steps == 0 {
        return 0.0;
    }
    let light = ((f64::from(steps) + 0.5) / 256.0 - 64.0).exp2();
    if word & 0x8000 == 0 { light } else { -light }
}

/// Red, green and blue of 32 bits: luminance, then u' and v' in steps of 1/410.
fn colour(word: u32) -> [u8; 3] {
    let light = luminance(word >> 16);
    let [across, up] = [word >> 8, word].map(|byte| (f64::from(byte & 0xff) + 0.5) / 410.0);
    let scale = 1.0 / (6.0 * across - 16.0 * up + 12.0);
    let (red, green) = (9.0 * across * scale, 4.0 * up * scale);
    let [x, y, z] = if light > 0.0 {
        [
            red / green * light,
            light,
            (1.0 - red - green) / green * light,
        ]
    } else {
        [0.0; 3]
    };
    [
        2.690 * x - 1.276 * y - 0.414 * z,
        -1.022 * x + 1.978 * y + 0.044 * z,
        0.061 * x - 0.224 * y + 1.163 * z,
    ]
    .map(level)
}

/// Light from 0 to 1 as 8 bits.
fn level(light: f64) -> u8 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the cast cuts to the range"
    )]
    let level = (256.0 * light.max(0.0).sqrt()) as u8;
    level
}

#[cfg(test)]
mod tests {
    use super::*;

    const CELL: Dimensions = Dimensions {
        width: 3,
        height: 1,
    };

    #[test]
    fn gray_is_the_square_root_of_light() {
        // 1.0 lies at 64 · 256 = 0x4000, a quarter at 62 · 256 = 0x3e00; a negative light is black.
        let packed = [1, 0x40, 1, 0x3e, 1, 0xc0, 129, 0];
        assert_eq!(pixels(&packed, CELL, 1).unwrap(), [255, 128, 0]);
        let packed = [3, 0x40, 0x3e, 0xc0, 129, 0];
        assert_eq!(pixels(&packed, CELL, 1).unwrap(), [255, 128, 0]);
    }

    #[test]
    fn equal_energy_is_nearly_gray() {
        // u' 0.2105, v' 0.4737 at luminance 0.25.
        let packed = [129, 0x3e, 129, 0x00, 129, 86, 129, 194];
        for [red, green, blue] in pixels(&packed, CELL, 3).unwrap().as_chunks::<3>().0 {
            for level in [red, green, blue] {
                assert!(level.abs_diff(128) < 8, "{red} {green} {blue}");
            }
        }
    }

    #[test]
    fn colours_without_light_are_black() {
        for luminance in [[0xc0, 0x00], [0, 0], [0x80, 0x00]] {
            let [high, low] = luminance;
            let packed = [129, high, 129, low, 129, 255, 129, 100];
            assert_eq!(pixels(&packed, CELL, 3).unwrap(), [0; 9], "{luminance:?}");
        }
    }

    #[test]
    fn bytes_that_end_early_and_runs_that_pass_a_row_are_damage() {
        assert!(pixels(&[3, 1, 2], CELL, 1).is_err());
        assert!(pixels(&[], CELL, 1).is_err());
        assert!(pixels(&[131, 1, 129, 0], CELL, 1).is_err());
    }
}
