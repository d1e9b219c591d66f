//! One axis of a plan: where a stretch of the full image lies in a level, exactly.

use super::Filter;

/// Where to read along one axis of a (virtual) level, and what part of that is asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Axis {
    /// First sample to read, in samples of the level.
    pub(super) start: u32,
    /// Samples to read.
    pub(super) length: u32,
    /// First edge of the exact stretch, in samples from `start`.
    pub(super) crop_start: f64,
    /// Length of the exact stretch, in samples.
    pub(super) crop_length: f64,
    /// Pixels asked for.
    target: u32,
}

/// A stretch of one side of the full image, in units that divide its pixels evenly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stretch {
    /// Its first edge.
    pub(super) offset: u64,
    /// Its length, at least 1.
    pub(super) length: u64,
    /// The whole side.
    pub(super) side: u64,
    /// Units of one sample of the level.
    pub(super) step: u64,
}

impl Axis {
    /// `stretch`, to be given as `target` pixels.
    ///
    /// A stretch that starts on a sample and ends on one, or at the image's edge, and whose samples
    /// are as many as the pixels asked for, is the samples themselves: interior and edge tiles alike
    /// (I3-TRQ-02).
    pub(super) fn new(stretch: Stretch, target: u32, filter: Filter) -> Self {
        let Stretch {
            offset,
            length,
            side,
            step,
        } = stretch;
        let samples = sample(side.div_ceil(step));
        let end = offset + length;
        let starts_on_sample = offset % step == 0;
        let ends_on_sample = end % step == 0 || end == side;
        if starts_on_sample && ends_on_sample && length.div_ceil(step) == u64::from(target) {
            return Self {
                start: sample(offset / step),
                length: target,
                crop_start: 0.0,
                crop_length: f64::from(target),
                target,
            };
        }
        let exact = length as f64 / step as f64;
        let margin = filter.reach(exact / f64::from(target));
        let first = sample(offset / step);
        let start = first.saturating_sub(margin);
        let stop = sample(end.div_ceil(step))
            .saturating_add(margin)
            .min(samples);
        Self {
            start,
            length: stop - start,
            crop_start: f64::from(first - start) + (offset % step) as f64 / step as f64,
            crop_length: exact,
            target,
        }
    }

    /// Whether the samples read are the pixels asked for.
    #[expect(
        clippy::float_cmp,
        reason = "a crop that is whole samples is a whole number, exactly"
    )]
    pub(super) fn is_identity(&self) -> bool {
        self.length == self.target && self.crop_length == f64::from(self.target)
    }

    /// Samples to read of the stored level below, which has `samples` of them.
    pub(super) fn decoded(&self, halvings: u8, samples: u32) -> u32 {
        let stop = u64::from(self.start + self.length) << halvings;
        let stop = u32::try_from(stop).unwrap_or(u32::MAX).min(samples);
        stop - (self.start << halvings)
    }
}

/// A count of samples: no side of an image has more than a `u32` holds.
fn sample(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "halves of small numbers are exact")]
mod tests {
    use super::*;

    fn axis(offset: u64, length: u64, side: u64, step: u64, target: u32) -> Axis {
        let stretch = Stretch {
            offset,
            length,
            side,
            step,
        };
        Axis::new(stretch, target, Filter::Lanczos3)
    }

    #[test]
    fn i3_trq_02_an_edge_tile_is_its_samples() {
        // 1025 pixels at factor 2 have 513 samples; the last tile of 256 covers one pixel.
        let edge = axis(1024, 1, 1025, 2, 1);
        assert!(edge.is_identity());
        assert_eq!((edge.start, edge.length), (512, 1));
        assert_eq!(edge.decoded(1, 1025), 1);
        let interior = axis(512, 512, 1025, 2, 256);
        assert!(interior.is_identity());
        assert_eq!((interior.start, interior.decoded(1, 1025)), (256, 512));
    }

    #[test]
    fn a_stretch_between_samples_is_cut_exactly_and_feeds_the_filter() {
        let between = axis(101, 301, 1000, 2, 100);
        assert!(!between.is_identity());
        assert_eq!(f64::from(between.start) + between.crop_start, 50.5);
        assert_eq!(between.crop_length, 150.5);
        assert!(between.start <= 50 - 5);
        assert!(between.start + between.length >= 201 + 5);
    }

    #[test]
    fn a_stretch_that_ends_inside_a_sample_is_resampled() {
        let inside = axis(0, 3, 10, 2, 2);
        assert!(!inside.is_identity());
        assert_eq!(inside.crop_length, 1.5);
    }
}
