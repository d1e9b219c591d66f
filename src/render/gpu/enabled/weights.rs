//! Weights that were computed already: tiles of one pyramid share theirs.

use std::collections::HashMap;
use std::sync::Arc;

use super::filter::{Axis, Cut, Weights};

/// Weights kept at most, in bytes: those of a thousand tiles of different ratios.
const KEPT_BYTES: usize = 16 << 20;

/// What weights depend on, comparable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    side: u32,
    start: u64,
    length: u64,
    target: u32,
    filter: crate::plan::Filter,
    cut: Option<Cut>,
}

impl From<&Axis> for Key {
    fn from(axis: &Axis) -> Self {
        Self {
            side: axis.side,
            start: axis.start.to_bits(),
            length: axis.length.to_bits(),
            target: axis.target,
            filter: axis.filter,
            cut: axis.cut,
        }
    }
}

#[derive(Debug)]
struct Kept {
    weights: Arc<Weights>,
    used: u64,
}

/// The weights used last.
#[derive(Debug, Default)]
pub(super) struct KnownWeights {
    kept: HashMap<Key, Kept>,
    bytes: usize,
    clock: u64,
}

impl KnownWeights {
    /// The weights of an axis: those at hand, or made and kept.
    pub(super) fn get(&mut self, axis: &Axis) -> Arc<Weights> {
        self.clock += 1;
        if let Some(kept) = self.kept.get_mut(&Key::from(axis)) {
            kept.used = self.clock;
            return Arc::clone(&kept.weights);
        }
        let weights = Arc::new(match axis.cut {
            None => Weights::new(axis),
            Some(cut) => {
                let whole = Axis { cut: None, ..*axis };
                self.get(&whole).cut(cut)
            }
        });
        self.bytes += bytes(&weights);
        let kept = Kept {
            weights: Arc::clone(&weights),
            used: self.clock,
        };
        self.kept.insert(axis.into(), kept);
        if self.bytes > KEPT_BYTES {
            self.forget();
        }
        weights
    }

    /// Drops the half that was not used for longest.
    fn forget(&mut self) {
        let mut used: Vec<u64> = self.kept.values().map(|kept| kept.used).collect();
        let middle = used.len() / 2;
        let (_, &mut from, _) = used.select_nth_unstable(middle);
        self.kept.retain(|_, kept| kept.used >= from.max(1));
        self.bytes = self.kept.values().map(|kept| bytes(&kept.weights)).sum();
        if self.bytes > KEPT_BYTES {
            self.kept.clear();
            self.bytes = 0;
        }
    }
}

fn bytes(weights: &Weights) -> usize {
    2 * weights.values.len() + 4 * weights.starts.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Filter;

    fn axis(side: u32, target: u32) -> Axis {
        Axis {
            side,
            start: 0.0,
            length: f64::from(side),
            target,
            filter: Filter::Lanczos3,
            cut: None,
        }
    }

    #[test]
    fn equal_axes_share_their_weights_and_others_do_not() {
        let mut known = KnownWeights::default();
        let first = known.get(&axis(512, 256));
        assert!(Arc::ptr_eq(&first, &known.get(&axis(512, 256))));
        let other = Axis {
            filter: Filter::Box,
            ..axis(512, 256)
        };
        assert_ne!(first, known.get(&other));
        assert_ne!(first, known.get(&axis(511, 256)));
        assert_eq!(*first, Weights::new(&axis(512, 256)));
        let (part, _) = axis(512, 256).cut_to(16..32);
        let of_part = known.get(&part);
        assert_eq!(of_part.starts.len(), 16);
        assert!(Arc::ptr_eq(&of_part, &known.get(&part)));
        assert_ne!(of_part, known.get(&axis(512, 256).cut_to(0..16).0));
    }

    #[test]
    fn what_is_kept_is_bounded_and_the_latest_stay() {
        let mut known = KnownWeights::default();
        for target in 1..400 {
            let latest = known.get(&axis(8000, target));
            assert!(known.bytes <= KEPT_BYTES);
            assert!(Arc::ptr_eq(&latest, &known.get(&axis(8000, target))));
        }
        assert!(known.kept.len() < 399, "{}", known.kept.len());
    }
}
