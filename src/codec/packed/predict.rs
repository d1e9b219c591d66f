//! What a block of 8 × 8 bytes has beyond what its neighbours let expect.
//!
//! Three expectations, all of them linear, so that they hold modulo 256 and can be undone eight bytes
//! at a time: the left neighbour, the upper one, and the plane through left, upper and the one between
//! them (left + upper − corner). The one that leaves the narrowest residuals is taken for each block.

use super::bits::{Block, splat, width};
use super::lanes::{add, folded, last, moved, sub, sums, unfolded};

/// What is known beside a block: the pixels left of and above it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Edge {
    /// The column left of it.
    pub(super) left: [u8; 8],
    /// The row above it.
    pub(super) up: u64,
    /// The pixel above that column.
    pub(super) corner: u8,
}

/// What is expected of a pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expect {
    Left,
    Up,
    Plane,
}

impl Expect {
    pub(super) const ALL: [Self; 3] = [Self::Up, Self::Left, Self::Plane];
}

/// The narrowest folded residuals of `rows`, their width and the expectation that gives them.
pub(super) fn residuals(rows: &Block, edge: &Edge) -> (Expect, u8, Block) {
    let candidates = Expect::ALL.map(|expect| {
        let block = differences(rows, edge, expect);
        (expect, width(&block), block)
    });
    let [first, second, third] = candidates;
    let narrower = if second.1 < first.1 { second } else { first };
    if third.1 < narrower.1 {
        third
    } else {
        narrower
    }
}

fn differences(rows: &Block, edge: &Edge, expect: Expect) -> Block {
    let (mut up, mut corner) = (edge.up, edge.corner);
    let mut block = [0; 8];
    for ((residual, &row), &left) in block.iter_mut().zip(rows).zip(&edge.left) {
        let difference = match expect {
            Expect::Left => sub(row, moved(row, left)),
            Expect::Up => sub(row, up),
            Expect::Plane => {
                let beside = sub(moved(row, left), moved(up, corner));
                sub(sub(row, up), beside)
            }
        };
        *residual = folded(difference);
        (up, corner) = (row, left);
    }
    block
}

/// The rows whose folded residuals are `block`.
#[inline]
pub(super) fn restored(block: Block, edge: &Edge, expect: Expect) -> Block {
    let mut rows = block.map(unfolded);
    match expect {
        Expect::Left => {
            for (row, &left) in rows.iter_mut().zip(&edge.left) {
                *row = add(sums(*row), splat(left));
            }
        }
        Expect::Up => {
            let mut up = edge.up;
            for row in &mut rows {
                up = add(*row, up);
                *row = up;
            }
        }
        Expect::Plane => {
            let (mut up, mut corner) = (edge.up, edge.corner);
            for (row, &left) in rows.iter_mut().zip(&edge.left) {
                let beside = add(sums(*row), splat(left.wrapping_sub(corner)));
                up = add(beside, up);
                (*row, corner) = (up, left);
            }
        }
    }
    rows
}

/// The column that a block's right neighbour has on its left.
#[inline]
pub(super) fn right_column(rows: &Block) -> [u8; 8] {
    rows.map(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_block_comes_back(rows: Block, left: [u8; 8], up: u64, corner: u8) {
            let edge = Edge { left, up, corner };
            for expect in Expect::ALL {
                let block = differences(&rows, &edge, expect);
                prop_assert_eq!(restored(block, &edge, expect), rows);
            }
        }
    }

    #[test]
    fn each_expectation_is_met_where_it_fits() {
        let ramp = u64::from_le_bytes([10, 12, 14, 16, 18, 20, 22, 24]);
        let edge = Edge {
            left: std::array::from_fn(|y| 8 + 3 * u8::try_from(y + 1).expect("small")),
            up: ramp,
            corner: 8,
        };
        let plane: Block =
            std::array::from_fn(|y| add(ramp, splat(3 * u8::try_from(y + 1).expect("small"))));
        let (expect, width, _) = residuals(&plane, &edge);
        assert_eq!((expect, width), (Expect::Plane, 0));
        let columns = [ramp; 8];
        let (expect, width, _) = residuals(&columns, &edge);
        assert_eq!((expect, width), (Expect::Up, 0));
        let stripes: Block = edge.left.map(splat);
        let (expect, width, _) = residuals(&stripes, &edge);
        assert_eq!((expect, width), (Expect::Left, 0));
    }
}
