//! Tag trees: a small number for each block of a precinct, as far as a packet needs it.
//!
//! Source: ISO/IEC 15444-1 B.10.2.

use crate::error::Result;

use super::feed::Feed;

/// Most levels: sides are at most 2^15 blocks in precincts of 2^15.
const LEVELS: usize = 17;

/// What is known of a node: its number, or what it is not smaller than.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Node {
    /// Twice the bound, and 1 if the number is known.
    state: u32,
}

impl Node {
    const fn at_least(self) -> u32 {
        self.state >> 1
    }

    const fn is_known(self) -> bool {
        self.state & 1 == 1
    }
}

/// A tag tree, whose nodes are kept by others: leaves first, the root last.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tree {
    across: u32,
    down: u32,
    /// Its first node, and its root.
    first: usize,
    root: usize,
}

impl Tree {
    /// A tree over `across` × `down` leaves of which nothing is known; its nodes are appended.
    pub(super) fn new(across: u32, down: u32, nodes: &mut Vec<Node>) -> Self {
        let first = nodes.len();
        let (mut columns, mut rows, mut count) = (across as usize, down as usize, 0);
        if columns > 0 && rows > 0 {
            count = columns * rows;
            while columns * rows > 1 {
                (columns, rows) = (columns.div_ceil(2), rows.div_ceil(2));
                count += columns * rows;
            }
        }
        nodes.resize(first + count, Node::default());
        Self {
            across,
            down,
            first,
            root: (first + count).saturating_sub(1),
        }
    }

    /// Whether all that is known says that no leaf is below `limit`.
    pub(super) fn is_all_from(self, limit: u32, nodes: &[Node]) -> bool {
        nodes
            .get(self.root)
            .is_some_and(|root| root.at_least() >= limit)
    }

    /// Reads on until it is known whether the leaf's number is below `limit`; gives the number if so.
    pub(super) fn below(
        self,
        (column, row): (u32, u32),
        limit: u32,
        nodes: &mut [Node],
        feed: &mut Feed<'_>,
    ) -> Result<Option<u32>> {
        // Upwards to the first node of which enough is known; in raster order that is near.
        let mut path = [0_usize; LEVELS];
        let (mut depth, mut low) = (0, 0);
        let (mut x, mut y) = (column as usize, row as usize);
        let (mut first, mut across, mut down) =
            (self.first, self.across as usize, self.down as usize);
        for slot in &mut path {
            let at = first + y * across + x;
            let node = nodes.get(at).copied().unwrap_or_default();
            if node.is_known() || node.at_least() >= limit {
                low = node.at_least();
                if depth == 0 {
                    return Ok((node.is_known() && low < limit).then_some(low));
                }
                break;
            }
            *slot = at;
            depth += 1;
            if at >= self.root {
                break;
            }
            first += across * down;
            (across, down) = (across.div_ceil(2), down.div_ceil(2));
            (x, y) = (x >> 1, y >> 1);
        }
        // And down again.
        let mut is_known = false;
        for at in path.iter().take(depth).rev() {
            let Some(node) = nodes.get_mut(*at) else {
                break;
            };
            low = low.max(node.at_least());
            is_known = false;
            while low < limit && !is_known {
                if feed.bit()? {
                    is_known = true;
                } else {
                    low += 1;
                }
            }
            node.state = low << 1 | u32::from(is_known);
        }
        Ok((is_known && low < limit).then_some(low))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of B.10.2: leaves 1, 3, 2, 3, 2, 3 and 2, 2, 1, 4, 3, 2 and 2, 2, 2, 2, 1, 2.
    #[test]
    fn b_10_2_the_example_of_the_standard() {
        // q3(0,0): 0 1 1 1 1; q3(1,0): 0 0 1; q3(2,0): 1 0 1.
        let bits = [0b0111_1001, 0b1010_0000];
        let mut feed = Feed::of_memory(bits.to_vec());
        feed.begin();
        let mut nodes = Vec::new();
        let tree = Tree::new(6, 3, &mut nodes);
        assert_eq!(nodes.len(), 18 + 6 + 2 + 1);
        let mut leaf = |column| {
            tree.below((column, 0), 9, &mut nodes, &mut feed)
                .expect("there")
        };
        assert_eq!((leaf(0), leaf(1), leaf(2)), (Some(1), Some(3), Some(2)));
        assert_eq!(leaf(0), Some(1));
    }

    #[test]
    fn what_a_limit_leaves_open_is_read_later() {
        // Not below 1; then 1.
        let mut feed = Feed::of_memory(vec![0b0100_0000]);
        feed.begin();
        let mut nodes = Vec::new();
        let tree = Tree::new(1, 1, &mut nodes);
        for (limit, number) in [(1, None), (1, None), (2, Some(1)), (1, None), (9, Some(1))] {
            let found = tree.below((0, 0), limit, &mut nodes, &mut feed);
            assert_eq!(found.expect("there"), number);
        }
        assert!(tree.is_all_from(1, &nodes) && !tree.is_all_from(2, &nodes));
    }
}
