//! A window of a band → the code-blocks that it touches, and their pieces of the file.

use crate::error::Result;
use crate::reader::RangeReader;

use super::super::codestream::Span;
use super::feed::Joined;
use super::geometry::{Cells, Subband, touched};
use super::record::Entry;
use super::segments::Segments;
use super::{Found, TileIndex};

/// Bytes of a code-block that are together in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Piece {
    /// Where they begin in the file.
    pub(in super::super) offset: u64,
    /// How many they are; passes may come without any.
    pub(in super::super) length: u32,
    /// Passes that end in them.
    pub(in super::super) passes: u8,
    /// Whether they begin a codeword segment, or go on with the one before.
    pub(in super::super) starts: bool,
}

/// Code-blocks, and their pieces.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Blocks {
    all: Vec<Ended>,
    pieces: Vec<Piece>,
}

/// A code-block, and where its pieces end.
#[derive(Debug, Clone, Copy)]
struct Ended {
    x: Span,
    y: Span,
    planes: u8,
    /// Where its pieces end among all.
    end: usize,
}

/// One code-block that has passes.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct BlockRef<'b> {
    /// The whole block, in coordinates of the band.
    pub(in super::super) x: Span,
    pub(in super::super) y: Span,
    /// Magnitude bit-planes that are coded: all of the band less those that are empty.
    pub(in super::super) planes: u8,
    /// In the order of their passes.
    pub(in super::super) pieces: &'b [Piece],
}

impl Blocks {
    /// All of them, precinct after precinct in raster order.
    pub(in super::super) fn iter(&self) -> impl Iterator<Item = BlockRef<'_>> {
        let mut start = 0;
        self.all.iter().map(move |block| {
            let pieces = self.pieces.get(start..block.end).unwrap_or(&[]);
            start = block.end;
            BlockRef {
                x: block.x,
                y: block.y,
                planes: block.planes,
                pieces,
            }
        })
    }
}

/// A wanted block of one precinct, while its layers are gone through.
#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    passes: u8,
    zero_planes: u8,
}

/// The wanted blocks of one precinct.
#[derive(Debug)]
struct Wanted {
    /// Of the band in the precinct.
    cells: Cells,
    /// Blocks of other bands of the precinct before them.
    before: u32,
    /// First column and row that are wanted, counted from there, and how many.
    part: Cells,
    slots: Vec<Slot>,
    pieces: Vec<(u32, Piece)>,
}

impl TileIndex {
    /// The code-blocks with passes that touch `x` × `y`, which are coordinates of the band and may
    /// reach past it.
    ///
    /// # Errors
    ///
    /// Where packet headers are read only now, those of [`TileIndex::read`].
    pub(in super::super) fn blocks(
        &self,
        reader: &dyn RangeReader,
        band: &Subband,
        x: Span,
        y: Span,
    ) -> Result<Blocks> {
        let mut blocks = Blocks::default();
        let (Some(x), Some(y)) = (x.intersection(band.x), y.intersection(band.y)) else {
            return Ok(blocks);
        };
        let (columns, rows) = band.precincts.touched(x, y);
        let found = self.found_in(reader, band, (columns, rows))?;
        for row in rows.start..rows.end {
            for column in columns.start..columns.end {
                self.add_precinct(&found, band, (column, row), (x, y), &mut blocks);
            }
        }
        Ok(blocks)
    }

    fn add_precinct(
        &self,
        found: &Found,
        band: &Subband,
        (column, row): (u32, u32),
        (x, y): (Span, Span),
        blocks: &mut Blocks,
    ) {
        let number = band.precincts.first + row * band.precincts.across + column;
        let first = found.first.get(number as usize).copied();
        let Some(mut wanted) = Wanted::new(self, band, (column, row), (x, y)) else {
            return;
        };
        let mut next = first;
        let mut layers = 0;
        while let Some((entries, after)) = next.and_then(|number| found.records.packet(number)) {
            wanted.add_packet(entries, band.modes, &self.parts);
            layers += 1;
            next = Some(after);
        }
        if layers > 1 {
            wanted.pieces.sort_by_key(|(slot, _)| *slot);
        }
        wanted.give(band, blocks);
    }

    /// Blocks of the bands before this one in a precinct.
    fn blocks_before(&self, band: &Subband, column: u32, row: u32) -> u32 {
        let resolution = self
            .components
            .get(band.component)
            .and_then(|component| component.resolutions.get(band.resolution));
        let bands = resolution.map_or(&[][..], |resolution| &resolution.bands);
        let before = bands.iter().take(band.place);
        let count = before
            .map(|band| band.cells(column, row).count())
            .sum::<usize>();
        u32::try_from(count).unwrap_or(u32::MAX)
    }
}

impl Wanted {
    fn new(
        index: &TileIndex,
        band: &Subband,
        (column, row): (u32, u32),
        (x, y): (Span, Span),
    ) -> Option<Self> {
        let cells = band.cells(column, row);
        let along = |span: Span, exponent: u8, start: u32, count: u32| {
            let end = start + count;
            touched(span, exponent).intersection(Span { start, end })
        };
        let columns = along(x, band.block.0, cells.x, cells.across)?;
        let rows = along(y, band.block.1, cells.y, cells.down)?;
        let part = Cells {
            x: columns.start - cells.x,
            y: rows.start - cells.y,
            across: columns.length(),
            down: rows.length(),
        };
        Some(Self {
            cells,
            before: index.blocks_before(band, column, row),
            slots: vec![Slot::default(); part.count()],
            part,
            pieces: Vec::new(),
        })
    }

    fn add_packet(&mut self, mut entries: super::record::Entries<'_>, modes: u8, parts: &Joined) {
        for row in 0..self.part.down {
            let start = (self.part.y + row) * self.cells.across + self.part.x + self.before;
            let end = start + self.part.across;
            entries.advance(start);
            while let Some(entry) = entries.next_before(end) {
                if let Some(column) = entry.block.checked_sub(start) {
                    self.add_share(&entry, row * self.part.across + column, modes, parts);
                }
            }
        }
    }

    fn add_share(&mut self, entry: &Entry<'_>, number: u32, modes: u8, parts: &Joined) {
        let Some(slot) = self.slots.get_mut(number as usize) else {
            return;
        };
        if let Some(zero_planes) = entry.zero_planes {
            slot.zero_planes = zero_planes;
        }
        let mut position = entry.position;
        let segments = Segments::new(modes, slot.passes, entry.passes);
        slot.passes = slot.passes.saturating_add(entry.passes);
        for (segment, length) in segments.zip(entry.lengths()) {
            let mut left = u64::from(length);
            let mut starts = segment.starts;
            // Bytes that go on in the tile's next part are a piece of their own.
            while let Some(extent) = parts
                .find(position, left)
                .filter(|e| e.length < left && left > 0)
            {
                self.pieces
                    .push((number, piece(extent.offset, extent.length, 0, starts)));
                starts = false;
                left -= extent.length;
                position += extent.length;
            }
            let offset = parts.find(position, left).map_or(0, |extent| extent.offset);
            self.pieces
                .push((number, piece(offset, left, segment.passes, starts)));
            position += left;
        }
    }

    /// Moves blocks that have passes to the others.
    fn give(self, band: &Subband, blocks: &mut Blocks) {
        let mut pieces = self.pieces.iter().peekable();
        for (number, slot) in (0..).zip(&self.slots) {
            if slot.passes == 0 {
                continue;
            }
            while let Some((_, piece)) = pieces.next_if(|(of, _)| *of == number) {
                blocks.pieces.push(*piece);
            }
            let column = self.cells.x + self.part.x + number % self.part.across;
            let row = self.cells.y + self.part.y + number / self.part.across;
            let (x, y) = band.block_spans(column, row);
            blocks.all.push(Ended {
                x,
                y,
                planes: band.planes.saturating_sub(slot.zero_planes),
                end: blocks.pieces.len(),
            });
        }
    }
}

fn piece(offset: u64, length: u64, passes: u8, starts: bool) -> Piece {
    Piece {
        offset,
        length: u32::try_from(length).unwrap_or(u32::MAX),
        passes,
        starts,
    }
}
