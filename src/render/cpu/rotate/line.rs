//! Positions along a row of the canvas, and which of them lie where in the picture.

use std::ops::Range;

/// Bits of a position behind the point.
const FRACTION: u32 = 16;

/// Evenly spaced positions in the picture, with 16 fractional bits, from the centre of its first pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line {
    /// The first position, from left to right.
    pub(super) right: i64,
    /// The first position, from top to bottom.
    pub(super) down: i64,
    /// From a position to the next, rightwards.
    pub(super) right_step: i64,
    /// From a position to the next, downwards.
    pub(super) down_step: i64,
}

impl Line {
    /// The line without its first `count` positions.
    pub(super) fn after(self, count: usize) -> Self {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        Self {
            right: self.right + count * self.right_step,
            down: self.down + count * self.down_step,
            ..self
        }
    }

    /// Which of the first `count` positions have their whole parts in both ranges: a line is straight,
    /// so they are neighbours.
    pub(super) fn within(
        self,
        count: usize,
        across: &Range<i64>,
        down: &Range<i64>,
    ) -> Range<usize> {
        let here = |line: Self| {
            across.contains(&(line.right >> FRACTION)) && down.contains(&(line.down >> FRACTION))
        };
        if count > 0 && here(self) && here(self.after(count - 1)) {
            return 0..count;
        }
        let across = steps(self.right, self.right_step, across, count);
        let down = steps(self.down, self.down_step, down, count);
        let start = across.start.max(down.start);
        start..across.end.min(down.end).max(start)
    }
}

/// Which of `count` steps from `start` end in `range`; positions grow or fall throughout.
fn steps(start: i64, step: i64, range: &Range<i64>, count: usize) -> Range<usize> {
    let (low, high) = (range.start << FRACTION, range.end << FRACTION);
    let (first, end) = match step {
        0 if (low..high).contains(&start) => (0, i64::MAX),
        0 => (0, 0),
        1.. => (up(low - start, step), up(high - start, step)),
        _ => (up(start - high + 1, -step), up(start - low + 1, -step)),
    };
    let cut = |at: i64| usize::try_from(at.max(0)).map_or(count, |at| at.min(count));
    cut(first)..cut(end)
}

/// The quotient, rounded up.
fn up(value: i64, by: i64) -> i64 {
    -(-value).div_euclid(by)
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::Noise;
    use super::*;

    #[test]
    fn the_positions_within_are_those_that_a_look_at_each_finds() {
        let mut noise = Noise::new(61);
        let mut number = |reach: u32| i64::from(noise.below(2 * reach + 1)) - i64::from(reach);
        let mut seen = [0; 3];
        for _ in 0..20_000 {
            let line = Line {
                right: number(20 << FRACTION),
                down: number(20 << FRACTION),
                right_step: number(3) * number(1 << 14),
                down_step: number(3) * number(1 << 14),
            };
            let (across, down) = (number(20)..number(40), number(20)..number(40));
            let found = line.within(32, &across, &down);
            for index in 0..32 {
                let at = line.after(index);
                let inside = across.contains(&(at.right >> FRACTION))
                    && down.contains(&(at.down >> FRACTION));
                assert_eq!(
                    found.contains(&index),
                    inside,
                    "{line:?} {across:?} {down:?}"
                );
            }
            seen[usize::from(!found.is_empty()) + usize::from(found.len() == 32)] += 1;
        }
        assert!(seen.iter().all(|&times| times > 50), "{seen:?}");
    }

    #[test]
    fn the_end_of_a_step_counts_as_its_whole_part_says() {
        let one = 1 << FRACTION;
        let line = |right, right_step| Line {
            right,
            down: 0,
            right_step,
            down_step: 0,
        };
        let find = |line: Line| line.within(8, &(2..4), &(0..1));
        assert_eq!(find(line(0, one)), 2..4);
        assert_eq!(find(line(1, one)), 2..4);
        assert_eq!(find(line(-1, one)), 3..5);
        assert_eq!(find(line(5 * one, -one)), 2..4);
        assert_eq!(find(line(5 * one - 1, -one)), 1..3);
        assert_eq!(find(line(2 * one, 0)), 0..8);
        assert_eq!(find(line(2 * one - 1, 0)).len(), 0);
    }
}
