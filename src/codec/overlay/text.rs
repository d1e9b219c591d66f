//! A line of text → how much of each pixel its letters cover.
//!
//! Letters stand one after the other from left to right, with the font's kerning. Scripts whose letters
//! join or change places need shaping, which is not done here.

use ab_glyph::{Font as _, FontVec, OutlinedGlyph, PxScale, ScaleFont as _, point};

use super::mark::{MOST_PX, cannot_draw};
use crate::error::{Error, Result};
use crate::geometry::Dimensions;

/// Height of a line, in pixels: what is drawn is scaled to its place.
const LINE_PX: f32 = 256.0;

/// Draws `text`; opacity 0 to 255 of each pixel, row by row.
///
/// # Errors
///
/// A font that cannot be read, a letter that it lacks, text of which nothing is drawn.
pub(super) fn draw(text: &str, font: Vec<u8>) -> Result<(Dimensions, Vec<u8>)> {
    if !holds_its_fonts(&font) {
        return Err(Error::corrupt("it is no font"));
    }
    let font = FontVec::try_from_vec(font)
        .map_err(|cause| Error::corrupt("it is no font").with_source(cause))?;
    let mut line_px = LINE_PX;
    loop {
        let letters = letters(text, &font, line_px)?;
        let Some((left, top, dimensions)) = bounds(&letters) else {
            return Err(cannot_draw("the font draws nothing for it".to_owned()));
        };
        if dimensions.area() <= MOST_PX {
            return Ok((dimensions, covered(&letters, left, top, dimensions)));
        }
        line_px /= 2.0;
    }
}

/// Whether a collection is long enough for the places of all fonts that it claims: the library counts past
/// the end of its numbers otherwise.
///
/// Source: `OpenType` 1.9.1, TTC header.
fn holds_its_fonts(file: &[u8]) -> bool {
    let count = file.get(8..12).and_then(|count| count.first_chunk());
    let count = count.map_or(0, |count| u32::from_be_bytes(*count));
    !file.starts_with(b"ttcf") || u64::from(count) <= file.len() as u64 / 4
}

fn letters(text: &str, font: &FontVec, line_px: f32) -> Result<Vec<OutlinedGlyph>> {
    let scaled = font.as_scaled(PxScale::from(line_px));
    let (mut at, mut last) = (0.0, None);
    let mut letters = Vec::new();
    for letter in text.chars() {
        let glyph = font.glyph_id(letter);
        if glyph.0 == 0 {
            return Err(cannot_draw(format!("the font has no letter {letter:?}")));
        }
        at += last.map_or(0.0, |last| scaled.kern(last, glyph));
        let placed = glyph.with_scale_and_position(line_px, point(at, scaled.ascent()));
        letters.extend(font.outline_glyph(placed));
        at += scaled.h_advance(glyph);
        last = Some(glyph);
    }
    Ok(letters)
}

/// Left and upper edge of what is drawn, and its sides.
fn bounds(letters: &[OutlinedGlyph]) -> Option<(f32, f32, Dimensions)> {
    let first = letters.first()?.px_bounds();
    let all = letters.iter().fold(first, |all, letter| {
        let bounds = letter.px_bounds();
        ab_glyph::Rect {
            min: point(all.min.x.min(bounds.min.x), all.min.y.min(bounds.min.y)),
            max: point(all.max.x.max(bounds.max.x), all.max.y.max(bounds.max.y)),
        }
    });
    let dimensions = Dimensions::new(pixels(all.width()), pixels(all.height()))?;
    Some((all.min.x, all.min.y, dimensions))
}

fn covered(letters: &[OutlinedGlyph], left: f32, top: f32, dimensions: Dimensions) -> Vec<u8> {
    let (width, height) = (dimensions.width as usize, dimensions.height as usize);
    let mut all = vec![0_u8; width * height];
    for letter in letters {
        let bounds = letter.px_bounds();
        let (x0, y0) = (pixels(bounds.min.x - left), pixels(bounds.min.y - top));
        letter.draw(|x, y, share| {
            let (x, y) = ((x0 + x) as usize, (y0 + y) as usize);
            if let Some(pixel) = all.get_mut(y * width + x).filter(|_| x < width) {
                *pixel = pixel.saturating_add(eighth_bits(share));
            }
        });
    }
    all
}

/// A length as whole pixels.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast from a float saturates, and what is drawn is checked to be small"
)]
fn pixels(length: f32) -> u32 {
    length.round() as u32
}

/// A share of a pixel as 0 to 255.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast from a float saturates"
)]
fn eighth_bits(share: f32) -> u8 {
    (share * 255.0).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn a_collection_that_claims_more_fonts_than_it_holds_is_no_font() {
        for count in [1_u32, 9, 1 << 30, u32::MAX] {
            let file = [b"ttcf\0\x01\0\0".as_slice(), &count.to_be_bytes(), &[0; 12]].concat();
            let error = draw("a", file).expect_err("no font");
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{count}");
        }
    }
}
