//! Bands of a result → which rows each has, what it is made of, what it takes. Pure but for the limits of
//! the device.

use super::super::labour::Labour;
use super::super::{Band, Footprint, Part, Weight};
use super::executor::Executor;
use crate::plan::Pass;
use crate::raster::Shape;
use crate::render::Target;

/// Pixels of a band at most: a device makes them in a few milliseconds. Tests have small pictures.
const BAND_PX: u64 = if cfg!(test) { 1 << 13 } else { 1 << 21 };
/// Bytes that a band is made of at most: what decoders hand over for it and staging memory holds.
const SOURCE_BYTES: u64 = 32 << 20;
/// Bands end between units of JPEG coding, which are so high at most.
const UNIT_ROWS: u32 = 16;

/// The bands of what `passes` make of `whole`, the largest that `executor` can do; none where it can do
/// none of at least one row of units, or the passes have no parts.
pub(super) fn cut(
    executor: &dyn Executor,
    whole: Shape,
    passes: &[Pass],
    target: Target,
) -> Option<Vec<Band>> {
    let output = passes.iter().fold(whole, |now, pass| pass.shape_after(now));
    let (width, height) = (output.dimensions.width, output.dimensions.height);
    let labour = Labour::of(whole, passes, target);
    let most = u32::try_from(BAND_PX / u64::from(width)).unwrap_or(height);
    let mut rows = (most.min(height.next_multiple_of(UNIT_ROWS)) / UNIT_ROWS).max(1) * UNIT_ROWS;
    loop {
        let bands = (0..height).step_by(rows as usize).map(|top| {
            let part = Part {
                whole,
                rows: top..height.min(top.saturating_add(rows)),
            };
            let (window, footprint) = executor.part(&part, passes, target)?;
            let source = Shape {
                dimensions: window.dimensions(),
                ..whole
            };
            let share = f64::from(part.rows.end - top) / f64::from(height);
            (source.bytes() <= SOURCE_BYTES).then_some(Band {
                part,
                window,
                weight: Weight {
                    labour: labour.share(share),
                    footprint,
                    bands: 0,
                },
            })
        });
        if let Some(bands) = bands.collect() {
            return Some(bands);
        }
        if rows == UNIT_ROWS {
            return None;
        }
        rows = (rows / 2 / UNIT_ROWS).max(1) * UNIT_ROWS;
    }
}

/// What all of `bands` take together.
pub(super) fn weight(labour: Labour, bands: &[Band]) -> Weight {
    let all = bands.iter().map(|band| band.weight.footprint);
    Weight {
        labour,
        footprint: all.fold(Footprint::default(), |sum, one| sum + one),
        bands: u32::try_from(bands.len()).unwrap_or(u32::MAX),
    }
}

#[cfg(test)]
mod tests;
