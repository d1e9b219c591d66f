//! One plane of bytes: bands of eight rows, cut into blocks of eight columns.
//!
//! A band is a byte for every block (width and expectation), then the blocks' words. What stands above
//! and left of a cell counts as 0, so that every cell can be unpacked alone.

use super::bits::{self, Block};
use super::predict::{Edge, Expect, residuals, restored, right_column};

/// The plane's last row so far, in words.
#[derive(Debug, Clone)]
pub(super) struct Plane {
    above: Vec<u64>,
}

impl Plane {
    /// A plane of `blocks` blocks from left to right, before its first band.
    pub(super) fn new(blocks: usize) -> Self {
        Self {
            above: vec![0; blocks],
        }
    }

    /// Appends the band `rows` to `out`.
    pub(super) fn pack(&mut self, rows: &[Block], out: &mut Vec<u8>) {
        let heads = out.len();
        out.resize(heads + rows.len(), 0);
        let mut edge = Edge::default();
        for (at, (block, above)) in rows.iter().zip(&mut self.above).enumerate() {
            edge.up = *above;
            let (expect, width, residuals) = residuals(block, &edge);
            if let Some(head) = out.get_mut(heads + at) {
                *head = head_of(expect, width);
            }
            bits::put(&residuals, width, out);
            edge = next_edge(&edge, block);
            *above = block[7];
        }
    }

    /// Fills `rows` with the band at the start of `bytes`; gives what follows it, or `None` where it is
    /// damaged.
    pub(super) fn unpack<'a>(&mut self, rows: &mut [Block], bytes: &'a [u8]) -> Option<&'a [u8]> {
        let (heads, mut bytes) = bytes.split_at_checked(rows.len())?;
        let mut edge = Edge::default();
        for ((block, above), &head) in rows.iter_mut().zip(&mut self.above).zip(heads) {
            edge.up = *above;
            let (expect, width) = parsed(head)?;
            let residuals = bits::take(bytes, width)?;
            bytes = bytes.get(8 * usize::from(width)..)?;
            *block = restored(residuals, &edge, expect);
            edge = next_edge(&edge, block);
            *above = block[7];
        }
        Some(bytes)
    }
}

fn next_edge(edge: &Edge, block: &Block) -> Edge {
    Edge {
        left: right_column(block),
        up: 0,
        corner: super::lanes::last(edge.up),
    }
}

fn head_of(expect: Expect, width: u8) -> u8 {
    let expect = match expect {
        Expect::Up => 0,
        Expect::Left => 1,
        Expect::Plane => 2,
    };
    expect << 4 | width
}

#[inline]
fn parsed(head: u8) -> Option<(Expect, u8)> {
    let expect = match head >> 4 {
        0 => Expect::Up,
        1 => Expect::Left,
        2 => Expect::Plane,
        _ => return None,
    };
    Some((expect, head & 15))
}
