//! Random access into sequential JPEG scans: where units begin, remembered while their picture is open.
//!
//! A unit's bits can be decoded alone if their place and the DC values before them are known. A walk
//! over the scan tells both; it grows down to the lowest rows that were asked for and is never
//! repeated. A window is then a small stream of its own ([`splice`]), made of the window's bits and
//! decoded by the library in the build, so that its pixels are those of a whole decode. What cannot be
//! walked (several scans, arithmetic codes, damage) is decoded from the top, by the same decoder: what
//! an answer holds does not depend on what is indexed.

mod splice;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::{Mutex, OnceLock, PoisonError, RwLock};

use crate::cancel::Cancel;
use crate::error::{Error, Result};
use crate::geometry::Dimensions;
use crate::reader::RangeReader;

use super::coded::bits::Place;
use super::coded::layout::Layout;
use super::coded::walk::{MAX_UNIT_BYTES, Predictors, Walk};
use super::header::Header;

use splice::Span;
pub(super) use splice::{Rectangle, Splice};

/// Units between entries of a row; more in pictures that would have too many entries.
const INTERVAL: u32 = 32;

/// Most entries of a picture: half a mebibyte.
const MAX_ENTRIES: u32 = 1 << 15;

/// Categories of DC differences in streams for a decoder of ours: units far apart may differ by more than
/// any neighbours do.
const HIGHEST_CATEGORY: u8 = 12;

/// One read of the source while the index grows.
const PIECE_BYTES: usize = 256 << 10;

/// Where a unit begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    /// Bits from the file's first byte, stuffed zeros and markers counted.
    bits: u64,
    predictors: Predictors,
}

/// The index of one picture.
pub(super) struct Index {
    /// `None` inside for what cannot be walked.
    layout: OnceLock<Option<Layout>>,
    max_metadata_bytes: u64,
    entries: RwLock<Entries>,
    /// Held while the index grows.
    frontier: Mutex<Frontier>,
}

/// Entries of whole rows of units, and one for what comes behind them.
#[derive(Debug, Default)]
struct Entries {
    list: Vec<Entry>,
    rows: u32,
    end: u64,
}

/// Where the walk stands: before a row of units.
#[derive(Debug, Default)]
struct Frontier {
    row: u32,
    next: Option<Entry>,
    /// Something below cannot be walked.
    stopped: bool,
}

/// Units between entries of a row, in a picture of so many units across and down.
fn interval((columns, rows): (u32, u32)) -> u32 {
    let mut interval = INTERVAL;
    while columns.div_ceil(interval).saturating_mul(rows) > MAX_ENTRIES && interval < columns {
        interval *= 2;
    }
    interval
}

impl Index {
    /// An index of nothing yet; the markers may take `max_metadata_bytes`.
    pub(super) fn new(max_metadata_bytes: u64) -> Self {
        Self {
            layout: OnceLock::new(),
            max_metadata_bytes,
            entries: RwLock::default(),
            frontier: Mutex::default(),
        }
    }

    /// Whether `rectangle` of a picture of `dimensions` can be read through the index, which grows
    /// down to it.
    ///
    /// # Errors
    ///
    /// Those of the reader and of `cancel`.
    pub(super) fn covers(
        &self,
        rectangle: &Rectangle,
        dimensions: Dimensions,
        reader: &dyn RangeReader,
        cancel: &Cancel,
    ) -> Result<bool> {
        match self.layout(dimensions, reader)? {
            Some(layout) => self.grow(layout, rectangle.bottom(), reader, cancel),
            None => Ok(false),
        }
    }

    /// Rows of units above the bottom of `rectangle` that are not indexed yet; `None` if they never
    /// will be.
    pub(super) fn missing_rows(&self, rectangle: &Rectangle) -> Option<u32> {
        let missing = rectangle.bottom().saturating_sub(self.rows());
        let never = matches!(self.layout.get(), Some(None)) || self.has_stopped();
        (missing == 0 || !never).then_some(missing)
    }

    /// Most bytes that decoding through the index holds beside the decoder's own: the walk's piece of
    /// the file, or a row's bits as they are and as they are given.
    pub(super) fn held_bytes(header: &Header, rectangle: &Rectangle) -> u64 {
        let row = rectangle.row_bytes().min(header.length);
        (2 * row).max(header.length.min(PIECE_BYTES as u64))
    }

    fn layout(&self, dimensions: Dimensions, reader: &dyn RangeReader) -> Result<Option<&Layout>> {
        if let Some(known) = self.layout.get() {
            return Ok(known.as_ref());
        }
        let read = Layout::read(
            reader,
            dimensions,
            self.max_metadata_bytes,
            HIGHEST_CATEGORY,
        )?;
        Ok(self.layout.get_or_init(|| read).as_ref())
    }

    /// Rows of units that are indexed.
    fn rows(&self) -> u32 {
        self.entries
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .rows
    }

    /// Whether nothing more can be indexed, as far as is known without waiting.
    fn has_stopped(&self) -> bool {
        self.frontier
            .try_lock()
            .is_ok_and(|frontier| frontier.stopped)
    }

    /// Where the units from `left` to `right` of a row are found, if the row is indexed.
    fn span(&self, layout: &Layout, row: u32, left: u32, right: u32) -> Option<Span> {
        let interval = interval((layout.columns, layout.rows));
        let per_row = layout.columns.div_ceil(interval);
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        let entry = |nth: u32| {
            let at = usize::try_from(row * per_row + nth).ok()?;
            entries.list.get(at).copied()
        };
        let (first, last) = (left / interval, right.checked_sub(1)? / interval);
        let end = entry(right.div_ceil(interval)).map(|entry| entry.bits);
        Some(Span {
            first: (first * interval, entry(first)?),
            last: (last * interval, entry(last)?),
            end: end.unwrap_or(entries.end),
        })
    }

    /// The layout of a picture of which something is indexed.
    fn known_layout(&self) -> Result<&Layout> {
        let known = self.layout.get().and_then(Option::as_ref);
        known.ok_or_else(|| Error::internal("reading a picture that is not indexed"))
    }

    /// Walks on until `rows` rows of units are indexed; gives whether they are.
    fn grow(
        &self,
        layout: &Layout,
        rows: u32,
        reader: &dyn RangeReader,
        cancel: &Cancel,
    ) -> Result<bool> {
        if self.rows() >= rows {
            return Ok(true);
        }
        let mut frontier = self.frontier.lock().unwrap_or_else(PoisonError::into_inner);
        if frontier.row >= rows || frontier.stopped {
            return Ok(frontier.row >= rows);
        }
        let mut growth = Growth {
            layout,
            reader,
            piece: Vec::new(),
            piece_at: 0,
        };
        while frontier.row < rows {
            cancel.check()?;
            let start = frontier.next.unwrap_or(Entry {
                bits: layout.coded_at * 8,
                predictors: Predictors::default(),
            });
            let Some((row, next)) = growth.row(frontier.row, start)? else {
                frontier.stopped = true;
                return Ok(false);
            };
            self.append(&row, next);
            frontier.row += 1;
            frontier.next = Some(next);
        }
        Ok(true)
    }

    fn append(&self, row: &[Entry], next: Entry) {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        entries.list.extend_from_slice(row);
        entries.rows += 1;
        entries.end = next.bits;
    }
}

/// A walk down the file, piece by piece.
struct Growth<'a> {
    layout: &'a Layout,
    reader: &'a dyn RangeReader,
    piece: Vec<u8>,
    piece_at: u64,
}

impl Growth<'_> {
    /// Entries of the row of units that begins at `start`, and where the next row begins; `None`
    /// where it cannot be walked.
    fn row(&mut self, row: u32, start: Entry) -> Result<Option<(Vec<Entry>, Entry)>> {
        let layout = self.layout;
        let interval = interval((layout.columns, layout.rows));
        let mut entries = Vec::with_capacity(layout.columns.div_ceil(interval) as usize);
        let mut at = start;
        let mut column = 0;
        while column < layout.columns {
            let until = (column + interval).min(layout.columns);
            entries.push(at);
            while column < until {
                self.load(at.bits / 8)?;
                let unit = row * layout.columns + column;
                let Some((next, passed)) = self.units(unit, until - column, at) else {
                    return Ok(None);
                };
                (at, column) = (next, column + passed);
            }
        }
        Ok(Some((entries, at)))
    }

    /// Passes over up to `count` units from `at` on, as far as the piece reaches; at least one.
    fn units(&self, unit: u32, count: u32, at: Entry) -> Option<(Entry, u32)> {
        let place = place_in(&self.piece, self.piece_at, at.bits)?;
        let mut walk = Walk::new(self.layout, &self.piece, place, unit, at.predictors);
        let is_last = self.piece_at + self.piece.len() as u64 >= self.reader.length();
        for passed in 0..count {
            if passed > 0 && !is_last && walk.bytes_left() < 2 * MAX_UNIT_BYTES {
                break;
            }
            walk.pass()?;
        }
        let place = walk.place();
        let next = Entry {
            bits: (self.piece_at + place.byte as u64) * 8 + u64::from(place.bit),
            predictors: walk.predictors(),
        };
        Some((next, walk.unit() - unit))
    }

    /// Has the bytes from `from` on in the piece, enough for a unit where the file has them.
    fn load(&mut self, from: u64) -> Result<()> {
        let end = self.piece_at + self.piece.len() as u64;
        let enough = (from + 4 * MAX_UNIT_BYTES as u64).min(self.reader.length());
        if from >= self.piece_at && enough <= end && !self.piece.is_empty() {
            return Ok(());
        }
        let left = self.reader.length().saturating_sub(from);
        let length = usize::try_from(left).map_or(PIECE_BYTES, |left| left.min(PIECE_BYTES));
        self.piece.resize(length, 0);
        self.piece_at = from;
        self.reader.read(from, &mut self.piece)
    }
}

/// A place in `data`, which begin at byte `data_at` of the file.
fn place_in(data: &[u8], data_at: u64, bits: u64) -> Option<Place> {
    let byte = usize::try_from((bits / 8).checked_sub(data_at)?).ok()?;
    let bit = u32::try_from(bits % 8).ok()?;
    (byte <= data.len()).then_some(Place { byte, bit })
}

impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.rows();
        f.debug_struct("Index")
            .field("rows", &rows)
            .finish_non_exhaustive()
    }
}
