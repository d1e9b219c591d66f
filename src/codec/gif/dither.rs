//! Pixels → indices, with what each colour misses handed on to the pixels beside and below it.
//!
//! Rows are walked to and fro. Clear pixels take nothing and hand nothing on.

use crate::cancel::Cancel;
use crate::error::Result;

use super::nearest::Nearest;
use super::palette::CLEAR;

/// Sixteenths of a level that a pixel misses in red, green and blue.
type Missed = [i32; 3];

/// The indices of `rows` of `width` pixels.
///
/// # Errors
///
/// Those of `cancel`, which is looked at for each row.
pub(super) fn indices<'a>(
    rows: impl Iterator<Item = &'a [[u8; 4]]>,
    width: usize,
    mut nearest: Nearest<'_>,
    transparent: Option<u8>,
    cancel: &Cancel,
) -> Result<Vec<u8>> {
    let mut indices = Vec::new();
    // One more at either end takes what leaves the picture.
    let mut here: Vec<Missed> = vec![[0; 3]; width + 2];
    let mut below = here.clone();
    for (number, row) in rows.enumerate() {
        cancel.check()?;
        let start = indices.len();
        indices.resize(start + width, 0);
        let Some(line) = indices.get_mut(start..) else {
            break;
        };
        for step in 0..width {
            let backward = number % 2 == 1;
            let x = if backward { width - 1 - step } else { step };
            let (Some(pixel), Some(index)) = (row.get(x), line.get_mut(x)) else {
                continue;
            };
            match transparent {
                Some(clear) if *pixel == CLEAR => *index = clear,
                _ => {
                    let missed = here.get(x + 1).copied().unwrap_or_default();
                    let (found, error) = choose(&mut nearest, *pixel, missed);
                    *index = found;
                    let (ahead, behind) = if backward { (x, x + 2) } else { (x + 2, x) };
                    hand_on(&mut here, ahead, error, 7);
                    hand_on(&mut below, behind, error, 3);
                    hand_on(&mut below, x + 1, error, 5);
                    hand_on(&mut below, ahead, error, 1);
                }
            }
        }
        std::mem::swap(&mut here, &mut below);
        below.fill([0; 3]);
    }
    Ok(indices)
}

/// The nearest colour of a pixel with what was handed on to it, and what it misses in whole levels.
fn choose(nearest: &mut Nearest<'_>, pixel: [u8; 4], missed: Missed) -> (u8, Missed) {
    let [red, green, blue, _] = pixel;
    let mut wanted = [red, green, blue];
    for (level, missed) in wanted.iter_mut().zip(missed) {
        let sum = i32::from(*level) + (missed + 8).div_euclid(16);
        *level = u8::try_from(sum.clamp(0, 255)).unwrap_or(u8::MAX);
    }
    let index = nearest.index(wanted);
    let found = nearest.colour(index);
    let mut error = [0; 3];
    for (error, (wanted, found)) in error.iter_mut().zip(wanted.iter().zip(found)) {
        *error = i32::from(*wanted) - i32::from(found);
    }
    (index, error)
}

fn hand_on(row: &mut [Missed], place: usize, error: Missed, sixteenths: i32) {
    if let Some(missed) = row.get_mut(place) {
        for (missed, error) in missed.iter_mut().zip(error) {
            *missed += error * sixteenths;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLACK_AND_WHITE: [[u8; 3]; 2] = [[0; 3], [255; 3]];

    /// Which of three times three grays become white.
    fn white(levels: [[u8; 3]; 3]) -> Vec<u8> {
        let pixels: Vec<[u8; 4]> = levels
            .iter()
            .flatten()
            .map(|level| [*level, *level, *level, 255])
            .collect();
        let nearest = Nearest::new(&BLACK_AND_WHITE);
        indices(pixels.chunks_exact(3), 3, nearest, None, &Cancel::new()).expect("not cancelled")
    }

    #[test]
    fn a_pixel_hands_on_sixteenths_ahead_and_below_and_rows_go_to_and_fro() {
        // 64 becomes black and misses 64, in sixteenths 4, 12, 20 and 28; white takes what it is handed. From 128
        // on a gray is white.
        for (row, ahead) in [(0, 2), (1, 0)] {
            let behind = 2 - ahead;
            for (down, column, share) in
                [(0, ahead, 28), (1, behind, 12), (1, 1, 20), (1, ahead, 4)]
            {
                for (level, expected) in [(127 - share, 0), (128 - share, 1)] {
                    let mut levels = [[255; 3]; 3];
                    levels[row][1] = 64;
                    levels[row + down][column] = level;
                    let found = white(levels)[3 * (row + down) + column];
                    let what = format!("row {row}, {down} down, column {column}");
                    assert_eq!(found, expected, "{what}");
                }
            }
        }
    }

    #[test]
    fn clear_pixels_take_nothing_and_hand_nothing_on() {
        let gray = |level| [level, level, level, 255];
        for (row, expected) in [
            ([gray(64), CLEAR, gray(127)], [0, 2, 0]),
            ([gray(0), gray(64), gray(127)], [0, 0, 1]),
        ] {
            let nearest = Nearest::new(&BLACK_AND_WHITE);
            let found = indices([&row[..]].into_iter(), 3, nearest, Some(2), &Cancel::new());
            assert_eq!(found.expect("not cancelled"), expected);
        }
    }
}
