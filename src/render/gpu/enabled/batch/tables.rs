//! The tables of a batch: weights, each axis once, and the phases of turns.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::filter::{Axis, Weights};
use super::super::resident::Held;
use super::super::weights::KnownWeights;
use crate::render::cpu::rotate::PHASES;

/// Where an axis's weights stand.
#[derive(Debug, Clone)]
pub(super) struct Placed {
    pub(super) starts: u32,
    pub(super) weights: u32,
    pub(super) of: Arc<Weights>,
}

/// The tables so far.
#[derive(Debug)]
pub(super) struct Tables<'a> {
    known: &'a mut KnownWeights,
    /// By the address of weights, which `Placed` keeps alive.
    placed: HashMap<usize, Placed>,
    phases: Option<u32>,
    words: Vec<u32>,
}

impl<'a> Tables<'a> {
    pub(super) fn new(known: &'a mut KnownWeights) -> Self {
        Self {
            known,
            placed: HashMap::new(),
            phases: None,
            words: Vec::new(),
        }
    }

    /// The weights of `axis`, in the tables.
    pub(super) fn weights(&mut self, axis: &Axis) -> Option<Placed> {
        let of = self.known.get(axis);
        let address = Arc::as_ptr(&of).addr();
        if let Some(placed) = self.placed.get(&address) {
            return Some(placed.clone());
        }
        let starts = u32::try_from(self.words.len()).ok()?;
        self.words.extend_from_slice(&of.starts);
        let weights = u32::try_from(self.words.len()).ok()?;
        for taps in of.values.chunks(of.taps.max(1) as usize) {
            self.words.extend(taps.chunks(2).map(pair));
        }
        let placed = Placed {
            starts,
            weights,
            of,
        };
        self.placed.insert(address, placed.clone());
        Some(placed)
    }

    /// First words and strides of tiles.
    pub(super) fn tiles(&mut self, tiles: &[Held]) -> Option<u32> {
        let at = u32::try_from(self.words.len()).ok()?;
        let places = tiles.iter().flat_map(|tile| [tile.offset(), tile.stride()]);
        self.words.extend(places);
        Some(at)
    }

    /// The phases of turns.
    pub(super) fn phases(&mut self) -> Option<u32> {
        if self.phases.is_none() {
            self.phases = Some(u32::try_from(self.words.len()).ok()?);
            let weights = PHASES.as_flattened();
            self.words.extend(weights.chunks(2).map(pair));
        }
        self.phases
    }

    /// All tables; one word at least, for a binding has to have one.
    pub(super) fn words(&self) -> Vec<u32> {
        if self.words.is_empty() {
            return vec![0];
        }
        self.words.clone()
    }
}

/// Two weights in a word, the first in its lower half.
fn pair(weights: &[i16]) -> u32 {
    let half = |at: usize| {
        let weight = weights.get(at).copied().unwrap_or(0);
        u32::from(weight.cast_unsigned())
    };
    half(0) | half(1) << 16
}
