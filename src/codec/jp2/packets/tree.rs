//! Tag trees: a small number for each block of a precinct, as far as a packet needs it.
//!
//! Source: ISO/IEC 15444-1 B.10.2.

use crate::error::Result;

use super::feed::Feed;

/// Most levels: sides are at most 2^14 blocks in precincts of 2^15.
const LEVELS: usize = 17;

/// What is known of a node: its number is `at_least`, or not smaller.
#[derive(Debug, Clone, Copy, Default)]
struct Node {
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

/// A tag tree. Leaves come first, the root last.
#[derive(Debug, Default)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    /// Where each level begins, and how many nodes it has across.
    levels: Vec<(u32, u32)>,
}

impl Tree {
    /// Makes it a tree over `across` × `down` leaves of which nothing is known.
    pub(super) fn reset(&mut self, across: u32, down: u32) {
        self.levels.clear();
        let (mut across, mut down, mut first) = (across, down, 0);
        if across > 0 && down > 0 {
            loop {
                self.levels.push((first, across));
                first += across * down;
                if across * down == 1 {
                    break;
                }
                (across, down) = (across.div_ceil(2), down.div_ceil(2));
            }
        }
        self.nodes.clear();
        self.nodes.resize(first as usize, Node::default());
    }

    /// Whether all that is known says that no leaf is below `limit`.
    pub(super) fn is_all_from(&self, limit: u32) -> bool {
        self.nodes.last().is_some_and(|root| root.at_least() >= limit)
    }

    /// Reads on until it is known whether the leaf's number is below `limit`; gives the number if so.
    pub(super) fn below(
        &mut self,
        column: u32,
        row: u32,
        limit: u32,
        feed: &mut Feed<'_>,
    ) -> Result<Option<u32>> {
        // Upwards to the first node of which enough is known; in raster order that is near.
        let mut path = [0_usize; LEVELS];
        let (mut depth, mut low) = (0, 0);
        let (mut x, mut y) = (column, row);
        for (first, across) in &self.levels {
            let at = (first + y * across + x) as usize;
            let node = self.nodes.get(at).copied().unwrap_or_default();
            if node.is_known() || node.at_least() >= limit {
                low = node.at_least();
                if depth == 0 {
                    return Ok((node.is_known() && low < limit).then_some(low));
                }
                break;
            }
            if let Some(place) = path.get_mut(depth) {
                *place = at;
            }
            depth += 1;
            (x, y) = (x >> 1, y >> 1);
        }
        // And down again.
        let mut is_known = false;
        for at in path.iter().take(depth).rev() {
            let Some(node) = self.nodes.get_mut(*at) else {
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
