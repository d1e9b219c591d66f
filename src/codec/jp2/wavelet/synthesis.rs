//! Rows of a resolution from rows of the one below and of three bands.

use crate::error::{Error, Result};

use super::super::codestream::Span;
use super::lifting::{Wavelet, interleave, undo};
use super::reach::Reach;

/// Rows that a resolution holds at most: a step changes a row when the one after it has come, and needs
/// the one before it, so that four steps keep seven under way.
pub(in super::super) const ROWS: usize = 8;

/// The rows of a window of one band, from its first on, each once.
pub(in super::super) trait Band<S, C> {
    /// The next row, made by means of `context`; it may be changed.
    ///
    /// # Errors
    ///
    /// Those of whatever fills the band.
    fn next_row(&mut self, context: &mut C) -> Result<&mut [S]>;
}

/// The rows of a window of a resolution.
pub(in super::super) struct Synthesis<W: Wavelet, B> {
    lowest: B,
    levels: Vec<Level<W, B>>,
}

impl<W: Wavelet, B> Synthesis<W, B> {
    /// Of the smallest resolution, which is a band.
    pub(in super::super) const fn new(lowest: B) -> Self {
        Self {
            lowest,
            levels: Vec::new(),
        }
    }

    /// Adds the next larger resolution, with its bands HL, LH and HH.
    ///
    /// What it takes of the low halves has to be what is wanted of the resolution below.
    pub(in super::super) fn add(&mut self, x: Reach, y: Reach, bands: [B; 3]) {
        self.levels.push(Level::new(x, y, bands));
    }

    /// By what the coefficients of HL, LH and HH are to be multiplied before they come.
    pub(in super::super) fn gains(x: Reach, y: Reach) -> [f32; 3] {
        let ((low_x, high_x), (low_y, high_y)) = (W::gains(x.length), W::gains(y.length));
        // The same for all lines of a picture, so that it is worked out in the same order everywhere.
        [high_x * low_y, low_x * high_y, high_x * high_y]
    }

    /// The next row of the window. Rows after it are made of it too.
    ///
    /// # Errors
    ///
    /// Those of the bands.
    pub(in super::super) fn next_row<C>(&mut self, context: &mut C) -> Result<&[W::Sample]>
    where
        B: Band<W::Sample, C>,
    {
        next_row(&mut self.lowest, &mut self.levels, context)
    }

    /// Whether a band lacks rows for the next row; `holds` says whether one holds as many as it is told.
    pub(in super::super) fn lacks(&self, holds: impl Fn(&B, u32) -> bool) -> bool {
        lacks(&self.lowest, &self.levels, 1, &holds)
    }

    /// All bands.
    pub(in super::super) fn bands_mut(&mut self) -> impl Iterator<Item = &mut B> {
        let levels = self.levels.iter_mut();
        std::iter::once(&mut self.lowest).chain(levels.flat_map(|level| &mut level.bands))
    }
}

/// Whether a band lacks rows for the next `count` rows of the largest of `levels`.
fn lacks<W: Wavelet, B>(
    lowest: &B,
    levels: &[Level<W, B>],
    count: u32,
    holds: &impl Fn(&B, u32) -> bool,
) -> bool {
    let Some((level, below)) = levels.split_last() else {
        return !holds(lowest, count);
    };
    let (low, high) = level.takes(count);
    let [hl, lh, hh] = &level.bands;
    !(holds(hl, low) && holds(lh, high) && holds(hh, high))
        || (low > 0 && lacks(lowest, below, low, holds))
}

fn next_row<'a, W: Wavelet, B: Band<W::Sample, C>, C>(
    lowest: &'a mut B,
    levels: &'a mut [Level<W, B>],
    context: &mut C,
) -> Result<&'a [W::Sample]> {
    match levels.split_last_mut() {
        Some((level, below)) => level.next_row(lowest, below, context),
        None => Ok(lowest.next_row(context)?),
    }
}

/// One resolution beyond the smallest.
struct Level<W: Wavelet, B> {
    x: Reach,
    y: Reach,
    bands: [B; 3],
    /// What the rows of the resolution below are multiplied by.
    gain: f32,
    low: Vec<W::Sample>,
    /// The row at place p is at p mod [`ROWS`].
    rows: [Vec<W::Sample>; ROWS],
    /// The first row that has not come.
    come: u32,
    /// For every step, the first row of its half that it has not changed.
    changed: Vec<u32>,
    /// The first wanted row that has not been given.
    next: u32,
}

impl<W: Wavelet, B> Level<W, B> {
    fn new(x: Reach, y: Reach, bands: [B; 3]) -> Self {
        let width = x.wanted.length() as usize;
        let first = y.line.start;
        let first_of = |step: usize| first + u32::from(step.is_multiple_of(2) != y.starts_low());
        Self {
            x,
            y,
            bands,
            gain: W::gains(x.length).0 * W::gains(y.length).0,
            low: Vec::with_capacity(x.low().length() as usize),
            rows: std::array::from_fn(|_| vec![W::Sample::default(); width]),
            come: first,
            changed: (0..W::STEPS).map(first_of).collect(),
            next: y.wanted.start,
        }
    }

    fn next_row<C>(
        &mut self,
        lowest: &mut B,
        below: &mut [Self],
        context: &mut C,
    ) -> Result<&[W::Sample]>
    where
        B: Band<W::Sample, C>,
    {
        let row = self.next;
        while !self.is_done(row) {
            if self.come >= self.y.line.end {
                return Err(Error::internal("asking for rows below a window"));
            }
            self.take(lowest, below, context)?;
            self.change();
        }
        self.next += 1;
        Ok(self.row(row))
    }

    /// Rows of the low and of the high half that have to come for the next `count` rows.
    fn takes(&self, count: u32) -> (u32, u32) {
        let last = (self.next + count).saturating_sub(1);
        let reach = if self.y.is_lone() {
            0
        } else {
            Reach::of::<W>(last)
        };
        let until = last
            .saturating_add(reach + 1)
            .min(self.y.line.end)
            .max(self.come);
        (
            until.div_ceil(2) - self.come.div_ceil(2),
            until / 2 - self.come / 2,
        )
    }

    /// Whether nothing will change `row` any more.
    fn is_done(&self, row: u32) -> bool {
        if self.y.is_lone() {
            return self.come > row;
        }
        let last_of = |parity: usize| self.changed.iter().skip(parity).step_by(2).next_back();
        let own = last_of(usize::from(!row.is_multiple_of(2)));
        own.is_some_and(|changed| *changed > row)
    }

    /// Has the next row come: undoes the filter along it.
    fn take<C>(&mut self, lowest: &mut B, below: &mut [Self], context: &mut C) -> Result<()>
    where
        B: Band<W::Sample, C>,
    {
        let place = self.come;
        let is_low = place.is_multiple_of(2);
        let [hl, lh, hh] = &mut self.bands;
        let (low, high) = if is_low {
            self.low.clear();
            self.low
                .extend_from_slice(next_row(lowest, below, context)?);
            W::amplify(&mut self.low, self.gain);
            (self.low.as_mut_slice(), hl.next_row(context)?)
        } else {
            (lh.next_row(context)?, hh.next_row(context)?)
        };
        let row = self.rows.get_mut(place as usize % ROWS);
        let row = row.ok_or_else(|| Error::internal("finding a row under way"))?;
        across::<W>(self.x, low, high, row);
        if self.y.is_lone() && !is_low {
            W::halve(row);
        }
        self.come += 1;
        Ok(())
    }

    /// Runs every step as far down as rows have come.
    fn change(&mut self) {
        if self.y.is_lone() {
            return;
        }
        for step in 0..W::STEPS {
            while let Some(row) = self.ready(step) {
                self.lift(step, row);
                if let Some(changed) = self.changed.get_mut(step) {
                    *changed = row + 2;
                }
            }
        }
    }

    /// The next row for `step`, if its neighbours are as the step before left them.
    fn ready(&self, step: usize) -> Option<u32> {
        let row = self.changed.get(step).copied()?;
        if row >= self.come {
            return None;
        }
        let (_, after) = self.neighbours(row);
        let last = after.max(row - u32::from(row > self.y.line.start));
        let have = match step.checked_sub(1) {
            Some(before) => self.changed.get(before).copied()?,
            None => self.come,
        };
        (have > last).then_some(row)
    }

    /// The rows before and after `row`; where there is none, the one on the other side.
    fn neighbours(&self, row: u32) -> (u32, u32) {
        let line = self.y.line;
        let before = row.checked_sub(1).filter(|row| *row >= line.start);
        let after = Some(row + 1).filter(|row| *row < line.end);
        let (before, after) = (before.or(after), after.or(before));
        (before.unwrap_or(row), after.unwrap_or(row))
    }

    fn lift(&mut self, step: usize, row: u32) {
        let (before, after) = self.neighbours(row);
        let mut target = std::mem::take(self.row_mut(row));
        W::lift(step, &mut target, self.row(before), self.row(after));
        *self.row_mut(row) = target;
    }

    const fn row(&self, place: u32) -> &Vec<W::Sample> {
        &self.rows[place as usize % ROWS]
    }

    const fn row_mut(&mut self, place: u32) -> &mut Vec<W::Sample> {
        &mut self.rows[place as usize % ROWS]
    }
}

/// Undoes the filter along one line and gives what is wanted of it.
fn across<W: Wavelet>(
    x: Reach,
    low: &mut [W::Sample],
    high: &mut [W::Sample],
    row: &mut [W::Sample],
) {
    if x.is_lone() {
        W::halve(high);
    } else {
        undo::<W>(low, high, x.starts_low());
    }
    let start = x.wanted.start;
    let low = rest(low, start.div_ceil(2), x.low());
    let high = rest(high, start / 2, x.high());
    if start.is_multiple_of(2) {
        interleave(row, low, high);
    } else {
        interleave(row, high, low);
    }
}

/// The samples of `half`, which is `all` of a line's, from place `first` on.
fn rest<S>(half: &[S], first: u32, all: Span) -> &[S] {
    half.get((first - all.start) as usize..).unwrap_or_default()
}
