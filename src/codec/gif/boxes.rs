//! Pixels → the colours of a palette.
//!
//! Pixels are gathered in 32 × 32 × 32 cells. The box of cells whose squared errors are largest is cut
//! across its longest axis where the two halves' errors are least, until there are enough; then each
//! colour moves to the mean of the cells that are nearest to it.

use super::nearest::Nearest;

/// Bits of a colour's coordinate that name a cell.
const CELL_BITS: usize = 5;

/// How often colours move: most of what can be gained is gained then.
const ROUNDS: usize = 4;

/// Pixels of a cell.
#[derive(Debug, Clone, Copy, Default)]
struct Cell {
    count: f64,
    /// Mean red, green and blue.
    mean: [f64; 3],
}

/// At most `most` colours for `pixels`.
pub(super) fn palette<'a>(pixels: impl Iterator<Item = &'a [u8; 4]>, most: usize) -> Vec<[u8; 3]> {
    let mut cells = cells(pixels);
    let boxes = cut(&mut cells, most.max(1));
    let mut colours: Vec<[u8; 3]> = boxes.iter().map(|cells| rounded(mean(cells))).collect();
    for _ in 0..ROUNDS {
        colours = moved(&cells, &colours);
    }
    colours
}

fn cells<'a>(pixels: impl Iterator<Item = &'a [u8; 4]>) -> Vec<Cell> {
    let mut sums = vec![(0_u64, [0_u64; 3]); 1 << (3 * CELL_BITS)];
    for [red, green, blue, _] in pixels {
        let colour = [*red, *green, *blue];
        let cell = colour.iter().fold(0, |cell, level| {
            cell << CELL_BITS | usize::from(*level) >> (8 - CELL_BITS)
        });
        if let Some((count, sum)) = sums.get_mut(cell) {
            *count += 1;
            for (sum, level) in sum.iter_mut().zip(colour) {
                *sum += u64::from(level);
            }
        }
    }
    let used = sums.into_iter().filter(|(count, _)| *count > 0);
    used.map(|(count, sum)| Cell {
        count: count as f64,
        mean: sum.map(|sum| sum as f64 / count as f64),
    })
    .collect()
}

/// The cells in at most `most` boxes.
fn cut(cells: &mut [Cell], most: usize) -> Vec<&mut [Cell]> {
    let mut boxes = vec![(spread(cells), cells)];
    while boxes.len() < most {
        let widest = (0..boxes.len()).max_by(|a, b| {
            let errors = |index: &usize| boxes.get(*index).map_or(0.0, |(spread, _)| spread.error);
            errors(a).total_cmp(&errors(b))
        });
        let Some((spread, cells)) = widest.map(|index| boxes.swap_remove(index)) else {
            break;
        };
        if cells.len() < 2 || spread.error <= 0.0 {
            boxes.push((
                Spread {
                    error: 0.0,
                    ..spread
                },
                cells,
            ));
            break;
        }
        let along = |cell: &Cell| cell.mean.get(spread.axis).copied().unwrap_or_default();
        cells.sort_by(|a, b| along(a).total_cmp(&along(b)));
        let (low, high) = cells.split_at_mut(best_cut(cells));
        boxes.push((self::spread(low), low));
        boxes.push((self::spread(high), high));
    }
    boxes.into_iter().map(|(_, cells)| cells).collect()
}

/// How far the cells of a box are from their mean.
#[derive(Debug, Clone, Copy)]
struct Spread {
    /// Squared distances of all pixels.
    error: f64,
    /// The axis that has most of it.
    axis: usize,
}

fn spread(cells: &[Cell]) -> Spread {
    let mean = mean(cells);
    let mut errors = [0.0; 3];
    for cell in cells {
        for ((error, level), mean) in errors.iter_mut().zip(cell.mean).zip(mean) {
            *error += cell.count * (level - mean) * (level - mean);
        }
    }
    let axis = (0..3).max_by(|a, b| {
        let error = |axis: &usize| errors.get(*axis).copied().unwrap_or_default();
        error(a).total_cmp(&error(b))
    });
    Spread {
        error: errors.iter().sum(),
        axis: axis.unwrap_or_default(),
    }
}

fn mean(cells: &[Cell]) -> [f64; 3] {
    let count: f64 = cells.iter().map(|cell| cell.count).sum();
    let mut mean = [0.0; 3];
    for cell in cells {
        for (mean, level) in mean.iter_mut().zip(cell.mean) {
            *mean += level * cell.count / count;
        }
    }
    mean
}

/// How many of the sorted cells go to the first half: where the squares of the halves' sums over their
/// counts, that is what the cut takes from the error, are largest.
fn best_cut(cells: &[Cell]) -> usize {
    let weight = |cell: &Cell| cell.mean.map(|level| level * cell.count);
    let add = |mut sum: [f64; 3], more: [f64; 3]| {
        for (sum, more) in sum.iter_mut().zip(more) {
            *sum += more;
        }
        sum
    };
    let whole = cells
        .iter()
        .fold([0.0; 3], |sum, cell| add(sum, weight(cell)));
    let all: f64 = cells.iter().map(|cell| cell.count).sum();
    let (mut sum, mut count) = ([0.0; 3], 0.0);
    let (mut best, mut most) = (1, f64::MIN);
    for (index, cell) in cells.iter().enumerate().take(cells.len() - 1) {
        sum = add(sum, weight(cell));
        count += cell.count;
        let rest = add(whole, sum.map(|value| -value));
        let square = |sum: [f64; 3]| sum.iter().map(|value| value * value).sum::<f64>();
        let gain = square(sum) / count + square(rest) / (all - count);
        if gain > most {
            (best, most) = (index + 1, gain);
        }
    }
    best
}

/// Each colour at the mean of what is nearest to it; one without any stays.
fn moved(cells: &[Cell], colours: &[[u8; 3]]) -> Vec<[u8; 3]> {
    let mut nearest = Nearest::new(colours);
    let mut sums = vec![([0.0; 3], 0.0); colours.len()];
    for cell in cells {
        let index = usize::from(nearest.index(rounded(cell.mean)));
        if let Some((sum, count)) = sums.get_mut(index) {
            *count += cell.count;
            for (sum, level) in sum.iter_mut().zip(cell.mean) {
                *sum += level * cell.count;
            }
        }
    }
    let pairs = sums.into_iter().zip(colours);
    pairs
        .map(|((sum, count), colour)| {
            if count > 0.0 {
                rounded(sum.map(|sum| sum / count))
            } else {
                *colour
            }
        })
        .collect()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "means of levels are levels"
)]
fn rounded(colour: [f64; 3]) -> [u8; 3] {
    colour.map(|level| level.round().clamp(0.0, 255.0) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clusters_of_colours_give_their_means() {
        let centres = [[10, 200, 30], [200, 10, 90], [120, 120, 250]];
        let pixels: Vec<[u8; 4]> = centres
            .iter()
            .flat_map(|[r, g, b]| (0..5).map(move |d: u8| [r + d - 2, g + d - 2, b + 2 - d, 255]))
            .collect();
        let mut found = palette(pixels.iter(), 3);
        found.sort_unstable();
        let mut wanted = centres.to_vec();
        wanted.sort_unstable();
        assert_eq!(found, wanted);
    }

    #[test]
    fn there_are_no_more_colours_than_the_picture_has() {
        assert_eq!(palette([[7, 7, 7, 255]; 9].iter(), 256), [[7, 7, 7]]);
    }
}
