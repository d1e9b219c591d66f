//! A rectangle that hides what is below it, and how far beyond its edges that shows.
//!
//! A sample of a master may hold something of its neighbours: lossy coding gives one colour to a block,
//! and a reduced level's filter reaches over several samples. Covers are widened by as much.

use crate::geometry::{Dimensions, Region, ScaleFactor, Window};

/// How far beyond a block its chroma is spread when it is enlarged, in pixels: one sample of chroma
/// at half resolution.
const SPILL_PX: u32 = 2;

/// How far the filters of reduced levels reach, in samples of the level: wavelets four (T.800 F.3), a
/// pyramid made by others with Lanczos 3, halving by halving, six; and chroma two more.
const REACH_PX: u32 = 8;

/// A rectangle with the colour that fills it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cover {
    region: Region,
    block: Dimensions,
    pub(super) colour: [u8; 3],
}

impl Cover {
    /// Hides `region` (stored orientation) of a picture that is coded in blocks of `block`.
    pub(super) fn new(region: Region, colour: [u8; 3], block: Dimensions) -> Self {
        Self {
            region,
            block,
            colour,
        }
    }

    /// What it fills of the level with this factor; it may reach past the level's end.
    pub(super) fn window_at(&self, factor: ScaleFactor) -> Window {
        let (region, block) = (self.region, self.block);
        let (x, right) = span(region.x, region.right(), factor, block.width);
        let (y, bottom) = span(region.y, region.bottom(), factor, block.height);
        Window {
            x,
            y,
            width: right - x,
            height: bottom - y,
        }
    }
}

/// One side of a cover at a level: first and past the last sample.
fn span(start: u32, end: u32, factor: ScaleFactor, block: u32) -> (u32, u32) {
    let (start, end, more) = if factor == ScaleFactor::ONE {
        let spill = if block > 1 { SPILL_PX } else { 0 };
        let up = end.checked_next_multiple_of(block).unwrap_or(end);
        (start / block * block, up, spill)
    } else {
        let factor = factor.get();
        (start / factor, end.div_ceil(factor), REACH_PX)
    };
    (start.saturating_sub(more), end.saturating_add(more))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cover_is_widened_to_blocks_and_by_the_reach_of_filters() {
        let factor = |divisor| ScaleFactor::new(divisor).expect("not 0");
        assert_eq!(span(100, 200, ScaleFactor::ONE, 1), (100, 200));
        assert_eq!(span(100, 200, ScaleFactor::ONE, 16), (94, 210));
        assert_eq!(span(0, 1, ScaleFactor::ONE, 16), (0, 18));
        assert_eq!(span(100, 201, factor(4), 16), (17, 59));
        assert_eq!(span(u32::MAX - 1, u32::MAX, factor(2), 16).1, (1 << 31) + 8);
    }
}
