//! One packet's header → shares of its precinct's code-blocks.
//!
//! Source: ISO/IEC 15444-1 B.10; ISO/IEC 15444-15 for the segments of the high-throughput coder.

use crate::error::{Error, Result};

use super::feed::Feed;
use super::geometry::{Cells, Resolution};
use super::record::{Draft, Share};
use super::segments::{self, Segments};
use super::tree::{Node, Tree};

/// Where the length of a first segment begins to be told (B.10.7.1).
const FIRST_LENGTH_BITS: u8 = 3;

/// Most passes of a block: more than any number of planes has.
const MOST_PASSES: u8 = 255;

/// What is known of a block between packets.
#[derive(Debug, Clone, Copy, Default)]
struct Block {
    /// Lblock; 0 before the first share.
    length_bits: u8,
    passes: u8,
}

/// One band's blocks in the precinct.
#[derive(Debug, Default)]
struct Part {
    cells: Cells,
    planes: u8,
    inclusion: Tree,
    zero_planes: Tree,
    /// Where its blocks begin among those of the precinct.
    first: usize,
    has_shares: bool,
}

/// What all parts write on.
#[derive(Debug, Default)]
struct Sheet {
    /// Of all trees.
    nodes: Vec<Node>,
    /// Of one share.
    lengths: Vec<u32>,
}

/// A precinct between its packets.
#[derive(Debug, Default)]
pub(super) struct State {
    parts: [Part; 3],
    sheet: Sheet,
    blocks: Vec<Block>,
    modes: u8,
}

impl State {
    /// Begins a precinct.
    pub(super) fn reset(&mut self, resolution: &Resolution, place: u32) {
        let across = resolution.precincts.across.max(1);
        let (column, row) = (place % across, place / across);
        self.parts = <[Part; 3]>::default();
        self.sheet.nodes.clear();
        let mut count = 0;
        for (part, band) in self.parts.iter_mut().zip(&resolution.bands) {
            let cells = band.cells(column, row);
            let nodes = &mut self.sheet.nodes;
            *part = Part {
                cells,
                planes: band.planes,
                inclusion: Tree::new(cells.across, cells.down, nodes),
                zero_planes: Tree::new(cells.across, cells.down, nodes),
                first: count,
                has_shares: false,
            };
            count += cells.count();
            self.modes = band.modes;
        }
        self.blocks.clear();
        self.blocks.resize(count, Block::default());
    }

    /// Reads the header of the packet of `layer`; gives how many blocks it was asked about.
    pub(super) fn read(
        &mut self,
        layer: u16,
        feed: &mut Feed<'_>,
        draft: &mut Draft<'_>,
    ) -> Result<usize> {
        let mut asked = 0;
        if !feed.bit()? {
            return Ok(asked);
        }
        for part in &mut self.parts {
            let count = part.cells.count();
            let end = part.first + count;
            let Some(blocks) = self.blocks.get_mut(part.first..end).filter(|_| count > 0) else {
                continue;
            };
            let limit = u32::from(layer) + 1;
            let sheet = &mut self.sheet;
            asked += part.read((limit, self.modes), blocks, sheet, feed, draft)?;
        }
        Ok(asked)
    }
}

impl Part {
    fn read(
        &mut self,
        (limit, modes): (u32, u8),
        blocks: &mut [Block],
        sheet: &mut Sheet,
        feed: &mut Feed<'_>,
        draft: &mut Draft<'_>,
    ) -> Result<usize> {
        for (row, blocks) in (0..).zip(blocks.chunks_exact_mut(self.cells.across as usize)) {
            for (column, block) in (0..).zip(blocks) {
                let at = (column, row);
                let mut zero_planes = None;
                let is_present = if block.length_bits > 0 {
                    feed.bit()?
                } else if (self.inclusion)
                    .below(at, limit, &mut sheet.nodes, feed)?
                    .is_some()
                {
                    zero_planes = Some(self.read_zero_planes(at, sheet, feed)?);
                    block.length_bits = FIRST_LENGTH_BITS;
                    self.has_shares = true;
                    true
                } else {
                    false
                };
                if is_present {
                    block.read(modes, zero_planes, &mut sheet.lengths, feed, draft)?;
                } else {
                    draft.absent(1);
                    if !self.has_shares && self.inclusion.is_all_from(limit, &sheet.nodes) {
                        let asked = (row * self.cells.across + column + 1) as usize;
                        let left = self.cells.count() - asked;
                        draft.absent(u32::try_from(left).unwrap_or(u32::MAX));
                        return Ok(asked);
                    }
                }
            }
        }
        Ok(self.cells.count())
    }

    /// B.10.5.
    fn read_zero_planes(
        &self,
        at: (u32, u32),
        sheet: &mut Sheet,
        feed: &mut Feed<'_>,
    ) -> Result<u8> {
        let limit = u32::from(self.planes) + 1;
        let zero = self.zero_planes.below(at, limit, &mut sheet.nodes, feed)?;
        zero.and_then(|zero| u8::try_from(zero).ok())
            .ok_or_else(|| Error::corrupt("a code-block has more empty planes than planes"))
    }
}

impl Block {
    /// Passes and lengths (B.10.6, B.10.7).
    fn read(
        &mut self,
        modes: u8,
        mut zero_planes: Option<u8>,
        lengths: &mut Vec<u32>,
        feed: &mut Feed<'_>,
        draft: &mut Draft<'_>,
    ) -> Result<()> {
        let told = read_passes(feed)?;
        let grown = feed.ones()?;
        let grown = u8::try_from(grown).unwrap_or(u8::MAX);
        self.length_bits = self.length_bits.saturating_add(grown);
        let mut placeholders = 0;
        if segments::is_high_throughput(modes) && self.passes == 0 {
            placeholders = (told - 1) / 3;
            zero_planes = zero_planes.map(|zero| zero.saturating_add(placeholders));
        }
        let passes = told - 3 * placeholders;
        if passes > MOST_PASSES - self.passes {
            return Err(Error::corrupt("a code-block has more passes than planes"));
        }
        lengths.clear();
        let mut first_extra = 3 * placeholders;
        for taken in Segments::new(modes, self.passes, passes) {
            let weight = u32::from(taken.passes + first_extra);
            first_extra = 0;
            let width = u32::from(self.length_bits) + weight.ilog2();
            if width > 32 {
                return Err(Error::corrupt("a code-block is longer than can be"));
            }
            lengths.push(feed.number(width)?);
        }
        self.passes += passes;
        draft.share(Share {
            passes,
            zero_planes,
            lengths,
        });
        Ok(())
    }
}

/// The number of new passes, 1 to 164 (Table B.4).
fn read_passes(feed: &mut Feed<'_>) -> Result<u8> {
    if !feed.bit()? {
        return Ok(1);
    }
    if !feed.bit()? {
        return Ok(2);
    }
    let steps = [(2, 3), (5, 6), (7, 37)];
    let mut passes = 0;
    for (width, least) in steps {
        let number = feed.number(width)?;
        passes = least + number;
        if number < (1 << width) - 1 {
            break;
        }
    }
    Ok(u8::try_from(passes).unwrap_or(u8::MAX))
}
