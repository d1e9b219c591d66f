//! What a job takes of a device, from its recipe alone: never less than the planner gives it.

use super::super::Footprint;
use super::batch::scratch_words;
use super::filter::{Axis, most_taps};
use super::jpeg::JpegNeed;
use super::recipe::Recipe;
use super::words;

/// Bytes of records and of alignment that a job's share of a batch may take.
const RECORDS_BYTES: u64 = 4096;

/// The same where the pixels are on the device already.
pub(super) fn of_resident(all: Footprint, recipe: &Recipe) -> Footprint {
    Footprint {
        // Two words for each tile, in place of the pixels.
        up_bytes: all.up_bytes - 4 * words_of(recipe.source) + tiles_bytes(recipe),
        device_bytes: all.device_bytes + tiles_bytes(recipe),
        ..all
    }
}

/// Entries of the map, and tiles of 16² or more.
fn tiles_bytes(recipe: &Recipe) -> u64 {
    8 * (recipe.source.dimensions.area() / 256 + 64 + 2 * u64::from(recipe.source.dimensions.width))
}

/// What `recipe` takes, its pixels going back to the host, or the file that they become.
pub(super) fn footprint(recipe: &Recipe, file: Option<JpegNeed>) -> Footprint {
    let pixels = pixels(recipe);
    let Some(file) = file else {
        return pixels;
    };
    Footprint {
        up_bytes: pixels.up_bytes + file.params + RECORDS_BYTES,
        device_bytes: pixels.device_bytes + file.params + file.coef + file.lens + file.bits,
        down_bytes: file.bits + RECORDS_BYTES,
        jpeg_px: recipe.output.dimensions.area(),
        ..pixels
    }
}

fn pixels(recipe: &Recipe) -> Footprint {
    let source = words_of(recipe.source);
    let result = words_of(recipe.output);
    let params = params_bytes(recipe);
    Footprint {
        up_bytes: 4 * source + params,
        device_bytes: 4 * (source + result + scratch_words(recipe)) + params,
        down_bytes: 4 * result,
        macs: macs(recipe),
        rotated_px: recipe.turn.map_or(0, |turn| turn.canvas.area()),
        jpeg_px: 0,
    }
}

fn words_of(shape: crate::raster::Shape) -> u64 {
    words::words(shape.dimensions, words::count(shape.format.channels))
}

/// Weights and entries: 8 bytes for each 256 pixels of every kernel, 16 for those of turns.
fn params_bytes(recipe: &Recipe) -> u64 {
    let axis = |axis: &Axis| match axis.unchanged() {
        Some(_) => 0,
        None => u64::from(axis.made()) * (8 + 2 * u64::from(most_taps(axis))),
    };
    let entries = |side: u32, tile: u32| u64::from(side.div_ceil(tile));
    let tiles = |dimensions: crate::geometry::Dimensions| {
        entries(dimensions.width, 32) * entries(dimensions.height, 4)
    };
    let halvings = if recipe.halvings == 0 {
        0
    } else {
        tiles(recipe.source.dimensions)
    };
    let rows = crate::geometry::Dimensions {
        width: recipe.whole.width,
        height: recipe.down.made(),
    };
    let pixels = tiles(rows) + 2 * tiles(recipe.laid.dimensions) + tiles(recipe.output.dimensions);
    axis(&recipe.across) + axis(&recipe.down) + 16 * (halvings + pixels) + RECORDS_BYTES
}

/// Products of a weight and a pixel.
fn macs(recipe: &Recipe) -> u64 {
    let taps = |axis: &Axis| match axis.unchanged() {
        Some(_) => 0,
        None => u64::from(most_taps(axis)),
    };
    let halved = if recipe.halvings == 0 {
        0
    } else {
        recipe.source.dimensions.area()
    };
    let rows = u64::from(recipe.whole.width) * u64::from(recipe.down.made());
    halved + rows * taps(&recipe.down) + recipe.resampled().area() * taps(&recipe.across)
}
