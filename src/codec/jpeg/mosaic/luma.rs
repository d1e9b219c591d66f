//! The luma of tiles as a stream of its own: the same blocks in another order.
//!
//! In units of several components the blocks of luma stand unit by unit; alone they stand row by row of
//! the picture (ITU-T T.81 A.2.2), as many as it has pixels for.

use std::sync::Arc;

use crate::geometry::Dimensions;

use super::super::coded::bits::Writer;
use super::super::coded::huffman::DcWriter;
use super::super::coded::layout::{Layout, frame, segment};
use super::super::coded::walk::{Coded, Walk};
use super::assembly::{SOI, SOS, Tile};

/// Luma that is gathered from a row of units, and written.
pub(super) struct Luma {
    /// Blocks, unit by unit.
    blocks: Vec<Coded>,
    /// How many there are after each tile.
    ends: Vec<usize>,
    /// Blocks in a unit, across and down.
    unit: (usize, usize),
    /// Blocks in a row of the picture.
    across: usize,
    /// Rows of blocks that are still to come.
    rows: usize,
    writer: Arc<DcWriter>,
    before: i32,
}

impl Luma {
    /// For luma of these `dimensions`, with what stands before it; `None` where the first component is
    /// not in full resolution.
    pub(super) fn new(dimensions: Dimensions, layout: &Layout) -> Option<(Self, Vec<u8>)> {
        let unit = (layout.unit.0 / 8, layout.unit.1 / 8);
        let blocks = layout.blocks.iter().filter(|block| block.component == 0);
        let (marker, triples) = &layout.frame;
        let [id, _, quantiser] = *triples.first_chunk::<3>()?;
        let [_, first, tables] = *layout.scan.first_chunk::<3>()?;
        let count = u32::try_from(blocks.count()).ok()?;
        if count != unit.0 * unit.1 || first != id {
            return None;
        }
        let mut head = vec![0xff, SOI];
        head.extend(&layout.tables);
        frame(*marker, &[id, 0x11, quantiser], dimensions, &mut head);
        segment(&mut head, SOS, &[1, id, tables, 0, 63, 0]);
        let blocks_of = |pixels: u32| usize::try_from(pixels.div_ceil(8)).ok();
        let luma = Self {
            blocks: Vec::new(),
            ends: Vec::new(),
            unit: (unit.0.try_into().ok()?, unit.1.try_into().ok()?),
            across: blocks_of(dimensions.width)?,
            rows: blocks_of(dimensions.height)?,
            writer: Arc::clone(&layout.blocks.first()?.writer),
            before: 0,
        };
        Some((luma, head))
    }

    /// Gathers the next `units` of a tile.
    pub(super) fn take(&mut self, walk: &mut Walk<'_>, units: u32) -> Option<()> {
        for _ in 0..units {
            walk.collect(&mut self.blocks)?;
            walk.restart()?;
        }
        self.ends.push(self.blocks.len());
        Some(())
    }

    /// Writes what was gathered of `tiles`, row by row.
    pub(super) fn write_row(&mut self, tiles: &[Tile<'_>], out: &mut Writer) -> Option<()> {
        let (across, down) = self.unit;
        for row in 0..down.min(self.rows) {
            let (mut start, mut left) = (0, self.across);
            for (tile, end) in tiles.iter().zip(&self.ends) {
                for unit in self.blocks.get(start..*end)?.chunks(across * down) {
                    let blocks = unit.get(row * across..)?;
                    let count = across.min(left);
                    for block in blocks.get(..count)? {
                        self.writer.write(block.value - self.before, out)?;
                        self.before = block.value;
                        out.copy(tile.stream, block.from, block.to)?;
                    }
                    left -= count;
                }
                start = *end;
            }
        }
        self.rows -= down.min(self.rows);
        self.blocks.clear();
        self.ends.clear();
        Some(())
    }
}
