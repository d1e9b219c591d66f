//! Tiles that were wanted lately, by name alone: two generations, so that memory is bounded and what was
//! wanted once long ago does not count.

use std::collections::HashSet;
use std::mem;

use super::super::super::TileName;

/// Names of a generation.
const GENERATION: usize = 4096;

#[derive(Debug, Default)]
pub(super) struct Seen {
    young: HashSet<TileName>,
    old: HashSet<TileName>,
}

impl Seen {
    /// Whether `name` was wanted before.
    pub(super) fn knows(&self, name: &TileName) -> bool {
        self.young.contains(name) || self.old.contains(name)
    }

    /// Whether `name` was wanted before; it is from now on.
    pub(super) fn again(&mut self, name: TileName) -> bool {
        if self.young.len() >= GENERATION {
            self.old = mem::take(&mut self.young);
        }
        let before = self.old.contains(&name);
        !self.young.insert(name) || before
    }
}
