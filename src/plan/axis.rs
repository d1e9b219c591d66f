//! One axis of a plan: where a stretch of the full image lies in a level, exactly.

use super::Filter;
use crate::geometry::ScaleFactor;

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

impl Axis {
    /// The stretch `offset .. offset + length` of a side with `side` pixels, in a level with `factor`,
    /// to be given as `target` pixels.
    ///
    /// A stretch that starts on a sample and ends on one, or at the image's edge, and whose samples
    /// are as many as the pixels asked for, is the samples themselves: interior and edge tiles alike
    /// (I3-TRQ-02).
    pub(super) fn new(
        offset: u32,
        length: u32,
        side: u32,
        factor: ScaleFactor,
        target: u32,
        filter: Filter,
    ) -> Self {
        let step = factor.get();
        let samples = side.div_ceil(step);
        let end = offset + length;
        let starts_on_sample = offset % step == 0;
        let ends_on_sample = end % step == 0 || end == side;
        if starts_on_sample && ends_on_sample && length.div_ceil(step) == target {
            return Self {
                start: offset / step,
                length: target,
                crop_start: 0.0,
                crop_length: f64::from(target),
                target,
            };
        }
        let exact = f64::from(length) / f64::from(step);
        let margin = filter.reach(exact / f64::from(target));
        let start = (offset / step).saturating_sub(margin);
        let stop = end.div_ceil(step).saturating_add(margin).min(samples);
        let whole = offset / step - start;
        Self {
            start,
            length: stop - start,
            crop_start: f64::from(whole) + f64::from(offset % step) / f64::from(step),
            crop_length: exact,
            target,
        }
    }

    /// Whether the samples read are the pixels asked for.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn factor(divisor: u32) -> ScaleFactor {
        ScaleFactor::new(divisor).expect("not zero")
    }

    #[test]
    fn i3_trq_02_an_edge_tile_is_its_samples() {
        // 1025 pixels at factor 2 have 513 samples; the last tile of 256 covers one pixel.
        let axis = Axis::new(1024, 1, 1025, factor(2), 1, Filter::Lanczos3);
        assert!(axis.is_identity());
        assert_eq!((axis.start, axis.length), (512, 1));
        assert_eq!(axis.decoded(1, 1025), 1);
        let interior = Axis::new(512, 512, 1025, factor(2), 256, Filter::Lanczos3);
        assert!(interior.is_identity());
        assert_eq!((interior.start, interior.decoded(1, 1025)), (256, 512));
    }

    #[test]
    fn a_stretch_between_samples_is_cut_exactly_and_feeds_the_filter() {
        let axis = Axis::new(101, 301, 1000, factor(2), 100, Filter::Lanczos3);
        assert!(!axis.is_identity());
        assert_eq!(f64::from(axis.start) + axis.crop_start, 50.5);
        assert_eq!(axis.crop_length, 150.5);
        assert!(axis.start <= 50 - 5);
        assert!(axis.start + axis.length >= 201 + 5);
    }

    #[test]
    fn a_stretch_that_ends_inside_a_sample_is_resampled() {
        let axis = Axis::new(0, 3, 10, factor(2), 2, Filter::Lanczos3);
        assert!(!axis.is_identity());
        assert_eq!(axis.crop_length, 1.5);
    }
}
