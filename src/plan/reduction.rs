//! Publishing a master at a share of its size: the scale constraint of a meta-identifier.

use super::axis::Stretch;
use crate::geometry::{Dimensions, ScaleFactor};

/// A share of a master's size, `numerator` of `denominator`, at most the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Reduction {
    numerator: u32,
    denominator: u32,
}

impl Reduction {
    /// The master as it is.
    pub const NONE: Self = Self {
        numerator: 1,
        denominator: 1,
    };

    /// `numerator` of `denominator`; `None` for nothing and for more than the whole. Terms above 10,000
    /// are none that a person writes.
    pub const fn new(numerator: u32, denominator: u32) -> Option<Self> {
        if numerator == 0 || numerator > denominator || denominator > 10_000 {
            None
        } else {
            Some(Self {
                numerator,
                denominator,
            })
        }
    }

    /// The dimensions at which a master of `full` is published: rounded half up, at least 1.
    #[must_use]
    pub fn of(self, full: Dimensions) -> Dimensions {
        let (n, d) = (u64::from(self.numerator), u64::from(self.denominator));
        let side = |side: u32| rounded((2 * u64::from(side) * n + d) / (2 * d));
        Dimensions {
            width: side(full.width),
            height: side(full.height),
        }
    }

    /// The pixels of the master that published ones cover, rounded up.
    pub(super) fn undo(self, published: Dimensions) -> Dimensions {
        let (n, d) = (u64::from(self.numerator), u64::from(self.denominator));
        let side = |side: u32| rounded((u64::from(side) * d).div_ceil(n));
        Dimensions {
            width: side(published.width),
            height: side(published.height),
        }
    }

    /// A published stretch of a side with `full` pixels, in units of 1 / numerator of a pixel. Where
    /// rounding would lead past the edge it ends there.
    pub(super) fn stretch(
        self,
        offset: u32,
        length: u32,
        full: u32,
        factor: ScaleFactor,
    ) -> Stretch {
        let (n, d) = (u64::from(self.numerator), u64::from(self.denominator));
        let side = u64::from(full) * n;
        let offset = (u64::from(offset) * d).min(side - 1);
        Stretch {
            offset,
            length: (u64::from(length) * d).min(side - offset),
            side,
            step: u64::from(factor.get()) * n,
        }
    }
}

fn rounded(side: u64) -> u32 {
    u32::try_from(side.max(1)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_rounded_half_up_and_never_nothing() {
        let full = Dimensions::new(301, 3).expect("not empty");
        let half = Reduction::new(1, 2).expect("a share");
        assert_eq!(half.of(full), Dimensions::new(151, 2).expect("not empty"));
        let tiny = Reduction::new(1, 1000).expect("a share");
        assert_eq!(tiny.of(full), Dimensions::new(1, 1).expect("not empty"));
        assert_eq!(Reduction::NONE.of(full), full);
        assert_eq!(Reduction::new(3, 2), None);
        assert_eq!(Reduction::new(0, 2), None);
    }

    #[test]
    fn a_published_pixel_covers_every_pixel_that_it_touches() {
        let published = Dimensions::new(1, 3).expect("not empty");
        let undone = |n, d| {
            let share = Reduction::new(n, d).expect("a share");
            let covered = share.undo(published);
            (covered.width, covered.height)
        };
        assert_eq!(undone(1, 1), (1, 3));
        assert_eq!(undone(1, 4), (4, 12));
        // 1.5 and 4.5.
        assert_eq!(undone(2, 3), (2, 5));
        assert!(Reduction::new(1, 10_000).is_some());
        assert_eq!(Reduction::new(1, 10_001), None);
    }

    #[test]
    fn a_stretch_ends_at_the_edge() {
        let half = Reduction::new(1, 2).expect("a share");
        let last = half.stretch(150, 1, 301, ScaleFactor::ONE);
        assert_eq!(
            (last.offset, last.length, last.side, last.step),
            (300, 1, 301, 1)
        );
    }
}
