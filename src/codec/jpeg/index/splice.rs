//! A rectangle of units as a stream of its own, made row by row as it is pulled.
//!
//! The stream has the picture's tables and the rectangle's dimensions. Each row of units is a restart
//! interval, so that it begins with predictors of zero: the first difference of each component is
//! written anew, all other bits are copied. Where the rectangle touches the picture's right or lower
//! edge it ends at the same pixel, so that the edge's rules are the picture's.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::geometry::{Dimensions, Window};
use crate::reader::RangeReader;

use super::super::coded::bits::Writer;
use super::super::coded::layout::{Layout, frame, segment};
use super::super::coded::walk::{MAX_BLOCK_BYTES, Predictors, Walk};
use super::super::ffi::Feed;
use super::super::header::Header;
use super::super::scanlines::Part;
use super::{Entry, Index, interval, place_in};

/// Units that a window needs, and how they are decoded.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Rectangle {
    /// A unit's sides in pixels.
    unit: (u32, u32),
    blocks: u64,
    /// Units of the whole picture, in a row and in a column.
    all: (u32, u32),
    left: u32,
    right: u32,
    top: u32,
    bottom: u32,
    /// The window in the stream.
    part: Part,
}

impl Rectangle {
    /// The units of `part`, and where the picture is subsampled those around them, which upsampling
    /// looks at. `None` for codings that are not walked.
    pub(in super::super) fn around(header: &Header, part: &Part) -> Option<Self> {
        if header.multiple_scans || header.coding.arithmetic {
            return None;
        }
        let sampling = header.unit_sampling();
        let unit = (8 * sampling.0, 8 * sampling.1);
        let full = header.dimensions;
        let all = (full.width.div_ceil(unit.0), full.height.div_ceil(unit.1));
        let Window { x, y, .. } = part.window;
        let (unit_x, unit_y) = (unit.0 / part.divisor, unit.1 / part.divisor);
        let (left, right) = span(x, part.window.right(), unit_x, sampling.0 > 1, all.0);
        let (top, bottom) = span(y, part.window.bottom(), unit_y, sampling.1 > 1, all.1);
        let side = |from: u32, to: u32, unit: u32, full: u32| (to * unit).min(full) - from * unit;
        let dimensions = Dimensions::new(
            side(left, right, unit.0, full.width),
            side(top, bottom, unit.1, full.height),
        )?;
        let window = Window {
            x: x - left * unit_x,
            y: y - top * unit_y,
            ..part.window
        };
        Some(Self {
            unit,
            blocks: header.blocks_in_unit(),
            all,
            left,
            right,
            top,
            bottom,
            part: Part {
                dimensions,
                sampling,
                window,
                ..*part
            },
        })
    }

    /// Whether it is at most half of what a decoder passes that begins at the top.
    pub(in super::super) fn pays(&self) -> bool {
        let inside = u64::from(self.right - self.left) * u64::from(self.bottom - self.top);
        2 * inside <= u64::from(self.all.0) * u64::from(self.bottom)
    }

    /// The row of units below it.
    pub(super) fn bottom(&self) -> u32 {
        self.bottom
    }

    /// Pixels of a row of units of the whole picture.
    pub(in super::super) fn pixels_of_row(&self) -> u64 {
        u64::from(self.all.0) * u64::from(self.unit.0) * u64::from(self.unit.1)
    }

    /// What is decoded of the stream.
    pub(in super::super) fn part(&self) -> Part {
        self.part
    }

    /// Most bytes of the file that a row of it spans.
    pub(super) fn row_bytes(&self) -> u64 {
        let units = u64::from(self.right - self.left) + 2 * u64::from(interval(self.all));
        units * self.blocks * MAX_BLOCK_BYTES as u64
    }
}

/// Units from the one of pixel `from` to the one before pixel `to`, with neighbours where `around`.
fn span(from: u32, to: u32, unit: u32, around: bool, all: u32) -> (u32, u32) {
    let margin = u32::from(around);
    let first = (from / unit).saturating_sub(margin);
    (first, (to.div_ceil(unit) + margin).min(all))
}

/// Where the units of a row are found.
#[derive(Debug)]
pub(super) struct Span {
    /// The entry at or before the first unit, and its column.
    pub(super) first: (u32, Entry),
    /// The last entry before the end.
    pub(super) last: (u32, Entry),
    /// Where the first entry at or behind the end stands.
    pub(super) end: u64,
}

/// The stream of a rectangle.
pub(in super::super) struct Splice {
    index: Arc<Index>,
    reader: Arc<dyn RangeReader>,
    rectangle: Rectangle,
    /// The next row of units; `None` before the stream's head.
    row: Option<u32>,
    data: Vec<u8>,
    out: Writer,
    given: usize,
}

impl Splice {
    /// The stream of `rectangle`, which `index` covers.
    pub(in super::super) fn new(
        index: Arc<Index>,
        reader: Arc<dyn RangeReader>,
        rectangle: Rectangle,
    ) -> Self {
        Self {
            index,
            reader,
            rectangle,
            row: None,
            data: Vec::new(),
            out: Writer::default(),
            given: 0,
        }
    }

    /// Makes the next piece; gives whether there was one.
    fn make(&mut self) -> Result<bool> {
        let index = Arc::clone(&self.index);
        let layout = index.known_layout()?;
        self.out.clear();
        self.given = 0;
        match self.row {
            None => {
                self.out.plain(&self.head(layout));
                self.row = Some(self.rectangle.top);
            }
            Some(row) if row < self.rectangle.bottom => {
                self.row_of_units(layout, row)?;
                self.row = Some(row + 1);
            }
            Some(row) if row == self.rectangle.bottom => {
                self.out.plain(&[0xff, EOI]);
                self.row = Some(u32::MAX);
            }
            Some(_) => return Ok(false),
        }
        Ok(true)
    }

    fn head(&self, layout: &Layout) -> Vec<u8> {
        let [.., r1, r0] = (self.rectangle.right - self.rectangle.left).to_be_bytes();
        let mut head = vec![0xff, SOI];
        head.extend(&layout.tables);
        let (marker, triples) = &layout.frame;
        frame(*marker, triples, self.rectangle.part.dimensions, &mut head);
        segment(&mut head, DRI, &[r1, r0]);
        segment(&mut head, SOS, &layout.scan);
        head
    }

    fn row_of_units(&mut self, layout: &Layout, row: u32) -> Result<()> {
        let Rectangle {
            left, right, top, ..
        } = self.rectangle;
        let span = self.index.span(layout, row, left, right);
        let span = span.ok_or_else(|| Error::internal("reading rows that are not indexed"))?;
        let start = span.first.1.bits / 8;
        // A byte more: the zero behind a last byte of 255.
        let end = (span.end.div_ceil(8) + 1).min(self.reader.length());
        let length = usize::try_from(end.saturating_sub(start));
        let length =
            length.map_err(|cause| Error::internal("reading a row of units").with_source(cause))?;
        self.data.resize(length, 0);
        self.reader.read(start, &mut self.data)?;
        if let Some(number) = row.checked_sub(top + 1) {
            let [.., number] = (number % 8).to_be_bytes();
            self.out.plain(&[0xff, RST0 + number]);
        }
        self.copy_row(layout, row, &span)
            .ok_or_else(|| Error::corrupt("its compressed data are not what they were"))
    }

    /// Copies the units of a row, restart interval by restart interval of the picture.
    fn copy_row(&mut self, layout: &Layout, row: u32, span: &Span) -> Option<()> {
        let Rectangle { left, right, .. } = self.rectangle;
        let data_at = span.first.1.bits / 8;
        let (data, out) = (&self.data[..], &mut self.out);
        let walk_at = |(column, entry): (u32, Entry)| {
            let place = place_in(data, data_at, entry.bits)?;
            let unit = row * layout.columns + column;
            Some(Walk::new(layout, data, place, unit, entry.predictors))
        };
        let mut walk = walk_at(span.first)?;
        for _ in span.first.0..left {
            walk.pass()?;
        }
        let mut before = Predictors::default();
        let mut column = left;
        while column < right {
            let until = right.min(column.saturating_add(walk.until_restart()));
            walk.copy(data, before, out)?;
            column += 1;
            let from = walk.place();
            if (column..until).contains(&span.last.0) {
                walk = walk_at(span.last)?;
                column = span.last.0;
            }
            for _ in column..until {
                walk.pass_bits()?;
            }
            column = until;
            out.copy(data, from, walk.place())?;
            before = walk.predictors();
            if column < right {
                walk.restart()?;
            }
        }
        out.align();
        Some(())
    }
}

impl Feed for Splice {
    fn fill(&mut self, buffer: &mut [u8]) -> Result<usize> {
        while self.given == self.out.bytes().len() {
            if !self.make()? {
                return Ok(0);
            }
        }
        let ready = self.out.bytes().get(self.given..).unwrap_or_default();
        let count = ready.len().min(buffer.len());
        let (target, _) = buffer.split_at_mut(count);
        target.copy_from_slice(ready.get(..count).unwrap_or_default());
        self.given += count;
        Ok(count)
    }
}

const SOI: u8 = 0xd8;
const EOI: u8 = 0xd9;
const SOS: u8 = 0xda;
const DRI: u8 = 0xdd;
const RST0: u8 = 0xd0;
