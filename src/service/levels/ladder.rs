//! Which levels of a master are worth remembering, and what building them costs.
//!
//! The factors are 1, 2, 4 … until one pixel is left. Each is reached as a plan reaches it: from the
//! coarsest level of the master that divides it, halved as often as it takes.

use crate::codec::{Facts, MasterFormat, Picture};
use crate::geometry::{Dimensions, Level, ScaleFactor};

/// A master of fewer pixels is decoded faster than it is thought about.
const LEAST_PX: u64 = 512 * 512;

/// A level with tiles of its own that is halved from at most this many pixels is made on the way.
const SMALL_PX: u64 = 2048 * 2048;

/// The levels of one master.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ladder {
    /// Levels that are decoded, by growing factor.
    pub(super) bases: Vec<Base>,
}

/// A level that is decoded, and those that are made of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Base {
    /// Its index in the pyramid.
    pub(super) level: usize,
    /// Its own step and those after one, two … halvings.
    pub(super) steps: Vec<Step>,
}

/// A level of the ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    /// Its factor.
    pub(super) factor: ScaleFactor,
    /// Its dimensions.
    pub(super) dimensions: Dimensions,
    /// Whether it is stored.
    pub(super) stored: bool,
}

impl Ladder {
    /// The levels of a master with these `facts`.
    pub(super) fn new(facts: &Facts) -> Self {
        let full = facts.pyramid.dimensions();
        let levels = facts.pyramid.levels().iter().enumerate();
        let decoded: Vec<_> = levels
            .filter(|(_, level)| level.factor.get().is_power_of_two())
            .collect();
        let mut bases = Vec::with_capacity(decoded.len());
        for (at, (index, level)) in decoded.iter().enumerate() {
            let next = decoded.get(at + 1).map(|(_, next)| next.factor.get());
            let steps = steps(full, level, next, |halvings| {
                is_worth_it(facts.format, level, halvings)
            });
            bases.push(Base {
                level: *index,
                steps,
            });
        }
        // What nothing is stored of need not be decoded.
        bases.retain(|base: &Base| base.steps.iter().any(|step| step.stored));
        if full.area() < LEAST_PX {
            bases.clear();
        }
        Self { bases }
    }

    /// Whether nothing is worth remembering.
    pub(super) fn is_empty(&self) -> bool {
        self.bases.is_empty()
    }

    /// The levels that are stored.
    pub(super) fn stored(&self) -> impl Iterator<Item = &Step> {
        let steps = self.bases.iter().flat_map(|base| &base.steps);
        steps.filter(|step| step.stored)
    }

    /// What building them costs, in pixels that have to be decoded.
    pub(super) fn cost(&self, picture: &dyn Picture) -> u64 {
        let full = picture.facts().pyramid.dimensions();
        let decoding = self.bases.iter().map(|base| {
            let window = base.steps.first().map_or(full, |step| step.dimensions);
            picture.price(base.level, window.window()).pixels
        });
        let stored: u64 = self.stored().map(|step| step.dimensions.area()).sum();
        let (packing, of) = packing_share(picture.facts().format);
        decoding.sum::<u64>() + stored.saturating_mul(packing) / of
    }
}

/// What packing and writing a pixel costs against decoding one, as measured on photographs.
const fn packing_share(format: MasterFormat) -> (u64, u64) {
    match format {
        MasterFormat::Jpeg2000 | MasterFormat::Pdf => (1, 10),
        MasterFormat::JpegXl | MasterFormat::Avif | MasterFormat::Heic => (1, 5),
        MasterFormat::Png | MasterFormat::Webp | MasterFormat::Gif => (1, 2),
        MasterFormat::Jpeg | MasterFormat::Tiff | MasterFormat::Bmp => (2, 1),
    }
}

/// The steps from `level` on, until the factor `next` or until one pixel is left.
fn steps(
    full: Dimensions,
    level: &Level,
    next: Option<u32>,
    stored: impl Fn(u8) -> bool,
) -> Vec<Step> {
    let mut steps = Vec::new();
    let (mut factor, mut halvings) = (level.factor, 0);
    loop {
        let dimensions = full.reduced(factor);
        steps.push(Step {
            factor,
            dimensions,
            stored: stored(halvings),
        });
        let (Some(doubled), true) = (factor.get().checked_mul(2), dimensions.area() > 1) else {
            return steps;
        };
        if next.is_some_and(|next| doubled >= next) {
            return steps;
        }
        let Some(coarser) = ScaleFactor::new(doubled) else {
            return steps;
        };
        (factor, halvings) = (coarser, halvings + 1);
    }
}

/// Whether a step is stored: where the master has no random access to it, or only at great cost.
fn is_worth_it(format: MasterFormat, base: &Level, halvings: u8) -> bool {
    let is_lacking = halvings > 0 && base.dimensions.area() > SMALL_PX;
    format == MasterFormat::Jpeg2000 || base.tile.is_none() || is_lacking
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::{Orientation, Pyramid};
    use crate::raster::{Channels, PixelFormat};

    fn dimensions(width: u32, height: u32) -> Dimensions {
        Dimensions::new(width, height).expect("not empty")
    }

    fn facts(format: MasterFormat, full: Dimensions, factors: &[u32], tiled: bool) -> Facts {
        let level = |factor: u32| {
            let factor = ScaleFactor::new(factor).expect("not 0");
            Level {
                factor,
                dimensions: full.reduced(factor),
                tile: tiled.then(|| dimensions(256, 256)),
            }
        };
        Facts {
            description: String::new(),
            format,
            pyramid: Pyramid::new(level(1), factors.iter().map(|f| level(*f)).collect()),
            orientation: Orientation::IDENTITY,
            pixel: PixelFormat::eight(Channels::Rgb),
            bits: 8,
            colour: String::new(),
            pages: 1,
        }
    }

    fn stored(ladder: &Ladder) -> Vec<u32> {
        ladder.stored().map(|step| step.factor.get()).collect()
    }

    #[test]
    fn a_master_without_random_access_has_all_levels_down_to_one_pixel() {
        let png = Ladder::new(&facts(MasterFormat::Png, dimensions(1000, 700), &[], false));
        assert_eq!(stored(&png), [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]);
        assert_eq!(png.bases.len(), 1);
        let last = png.stored().last().expect("one");
        assert_eq!(last.dimensions, dimensions(1, 1));
    }

    #[test]
    fn each_factor_starts_from_the_coarsest_level_that_divides_it() {
        let full = dimensions(5000, 4000);
        let jpeg = Ladder::new(&facts(MasterFormat::Jpeg, full, &[2, 4, 8], false));
        let starts: Vec<_> = jpeg
            .bases
            .iter()
            .map(|b| (b.level, b.steps.len()))
            .collect();
        assert_eq!(starts, [(0, 1), (1, 1), (2, 1), (3, 11)]);
        // A level that is no power of two is none of the ladder's.
        let odd = Ladder::new(&facts(MasterFormat::Png, full, &[3], false));
        assert_eq!(odd.bases.len(), 1);
    }

    #[test]
    fn what_a_pyramid_has_is_not_stored_again() {
        let full = dimensions(8000, 8000);
        let whole = facts(MasterFormat::Tiff, full, &[2, 4, 8, 16, 32], true);
        assert!(Ladder::new(&whole).is_empty());
        let single = Ladder::new(&facts(MasterFormat::Tiff, full, &[], true));
        assert_eq!(stored(&single).first(), Some(&2));
        let stripped = Ladder::new(&facts(MasterFormat::Tiff, full, &[], false));
        assert_eq!(stored(&stripped).first(), Some(&1));
        let tiled = facts(MasterFormat::Jpeg2000, full, &[2, 4], true);
        assert_eq!(stored(&Ladder::new(&tiled)).first(), Some(&1));
        let small = facts(MasterFormat::Png, dimensions(500, 500), &[], false);
        assert!(Ladder::new(&small).is_empty());
    }
}
