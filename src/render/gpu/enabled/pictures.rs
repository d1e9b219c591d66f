//! Pictures that are made up: what a device is tried and measured with.

#[cfg(test)]
use super::super::Part;
use super::super::Source;
#[cfg(test)]
use super::recipe::Recipe;
use crate::cancel::Cancel;
use crate::error::{Error, Result};
use crate::geometry::Dimensions;
use crate::plan::{Crop, Filter, Pass};
#[cfg(test)]
use crate::raster::Samples;
use crate::raster::{Channels, OneStrip, Raster, gather};
use crate::render::{CpuEngine, Engine as _, Output, Target};

/// Noise over a gradient, in 8 bits: smooth and rough parts, all levels.
///
/// # Errors
///
/// None: the samples fill the shape.
pub(super) fn picture(width: u32, height: u32, channels: Channels, seed: u32) -> Result<Raster> {
    let dimensions = Dimensions { width, height };
    let count = channels.count();
    let mut state = seed.wrapping_mul(2_654_435_761).max(1);
    let mut samples = Vec::with_capacity(width as usize * height as usize * count);
    for y in 0..height {
        for x in 0..width {
            for channel in 0..count {
                state ^= state << 13;
                state ^= state >> 17;
                state ^= state << 5;
                let slope = (x * 3 + y * 2) as usize + 40 * channel;
                let rough = if (x / 16 + y / 16) % 3 == 0 { 96 } else { 4 };
                let level = slope + state as usize % rough;
                samples.push(u8::try_from(level % 256).unwrap_or(0));
            }
        }
    }
    Raster::from_u8(dimensions, channels, samples)
}

/// A resampling of everything but a part of a pixel at each edge.
pub(super) fn resample(from: (u32, u32), to: (u32, u32), filter: Filter) -> Pass {
    let (width, height) = (f64::from(from.0), f64::from(from.1));
    let cut = |side: f64| if side > 2.0 { 0.25 } else { 0.0 };
    Pass::Resample {
        crop: Crop {
            x: cut(width),
            y: cut(height),
            width: width - 2.0 * cut(width),
            height: height - 2.0 * cut(height),
        },
        target: Dimensions {
            width: to.0,
            height: to.1,
        },
        filter,
    }
}

/// What the reference makes of a picture.
///
/// # Errors
///
/// Those of the engine.
pub(super) fn reference(source: &Source, passes: &[Pass]) -> Result<Raster> {
    let source = source.raster();
    let source = source.ok_or_else(|| Error::internal("pixels that the host does not have"))?;
    let rows = Box::new(OneStrip::from(source.clone()));
    let cancel = Cancel::new();
    match CpuEngine::default().run(rows, passes, Target::Rows, &cancel)? {
        Output::Rows(mut rows) => gather(rows.as_mut(), &cancel),
        Output::Jpeg(_) => Err(Error::internal("rows that are a file")),
    }
}

/// What the reference makes of a part: the same rows of a whole that has anything at all around the part's
/// window.
///
/// # Errors
///
/// Those of the engine.
#[cfg(test)]
pub(super) fn reference_of_part(source: &Source, passes: &[Pass], part: &Part) -> Result<Raster> {
    let wrong = || Error::internal("a part that has no place");
    let recipe = Recipe::new(part.whole, passes).ok_or_else(wrong)?;
    let (_, window) = recipe.cut(&part.rows).ok_or_else(wrong)?;
    let there = source.raster().ok_or_else(wrong)?;
    let (whole, channels) = (part.whole.dimensions, part.whole.format.channels);
    let mut around = picture(whole.width, whole.height, channels, 77)?;
    let row = around.row_len();
    let (Samples::U8(all), Samples::U8(samples)) = (around.samples_mut(), there.samples()) else {
        return Err(wrong());
    };
    let left = window.x as usize * channels.count();
    let rows = samples.chunks_exact(there.row_len());
    for (line, samples) in all.chunks_exact_mut(row).skip(window.y as usize).zip(rows) {
        line[left..left + samples.len()].copy_from_slice(samples);
    }
    rows_of(&reference(&Source::Host(around), passes)?, &part.rows)
}

/// Some rows of a picture of 8 bits.
#[cfg(test)]
pub(super) fn rows_of(raster: &Raster, rows: &std::ops::Range<u32>) -> Result<Raster> {
    let Samples::U8(samples) = raster.samples() else {
        return Err(Error::internal("rows of 16 bits"));
    };
    let row = raster.row_len();
    let samples = &samples[rows.start as usize * row..rows.end as usize * row];
    let dimensions = Dimensions {
        height: rows.end - rows.start,
        ..raster.dimensions()
    };
    Raster::from_u8(dimensions, raster.format().channels, samples.to_vec())
}
