//! Plans of random batches: nothing overlaps, all lies in its range, every pixel is made once.

use std::collections::HashSet;

use proptest::prelude::*;

use super::super::footprint::footprint;
use super::super::words::GROUP;
use super::*;
use crate::geometry::{Dimensions, Orientation};
use crate::plan::{Crop, Filter, Pass, Turn, canvas};
use crate::raster::{Channels, PixelFormat};

fn dimensions(width: u32, height: u32) -> Dimensions {
    Dimensions::new(width, height).expect("not empty")
}

prop_compose! {
    fn side()(side in prop_oneof![1_u32..9, 1_u32..700]) -> u32 {
        side
    }
}

prop_compose! {
    fn axis(most: u32)(
        start in 0..most,
        part in 0.01_f64..1.0,
        cut in prop_oneof![Just(0.0), Just(0.37)],
        target in side(),
    ) -> (f64, f64, u32) {
        let start = f64::from(start) + cut;
        let length = ((f64::from(most) - start) * part).max(0.1);
        let length = if cut == 0.0 { length.ceil() } else { length };
        (start, length, target)
    }
}

prop_compose! {
    fn job()(width in side(), height in side(), times in 0_u8..4)(
        (x, wide, to_width) in axis(halved(width, times)),
        (y, high, to_height) in axis(halved(height, times)),
        channels in prop::sample::select(vec![
            Channels::Gray, Channels::GrayAlpha, Channels::Rgb, Channels::Rgba,
        ]),
        resample in any::<bool>(),
        turns in 0_u8..4,
        degrees in prop::option::of(1.0_f64..359.0),
        down in any::<bool>(),
        part in prop::option::of(any::<(u32, u32)>()),
        width in Just(width),
        height in Just(height),
        times in Just(times),
    ) -> Wanted {
        let source = Shape {
            dimensions: dimensions(width, height),
            format: PixelFormat::eight(channels),
        };
        let mut passes = Vec::new();
        if times > 0 {
            passes.push(Pass::Shrink { times });
        }
        if resample {
            passes.push(Pass::Resample {
                crop: Crop { x, y, width: wide, height: high },
                target: dimensions(to_width, to_height),
                filter: Filter::Lanczos3,
            });
        }
        passes.push(Pass::Orient(Orientation { mirror: false, turns }));
        if let Some(degrees) = degrees {
            let flowing = passes.iter().fold(source, |shape, pass| pass.shape_after(shape));
            passes.push(Pass::Rotate(Turn {
                degrees,
                canvas: canvas(flowing.dimensions, degrees),
                background: None,
            }));
        }
        let recipe = Recipe::new(source, &passes).expect("a plan's passes");
        let recipe = part.map_or(recipe.clone(), |part| part_of(recipe, part));
        Wanted { recipe, whence: Whence::Host, down }
    }
}

/// Some rows of what a recipe makes, where it has parts.
fn part_of(recipe: Recipe, (first, more): (u32, u32)) -> Recipe {
    let height = recipe.output.dimensions.height;
    let start = first % height;
    let end = start + 1 + more % (height - start);
    let part = recipe.clone().cut(&(start..end));
    part.map_or(recipe, |(part, _)| part)
}

fn halved(side: u32, times: u8) -> u32 {
    (0..times).fold(side, |side, _| side.div_ceil(2))
}

/// A picture that a kernel writes, and the tile that one workgroup makes.
struct Written {
    words: Range<u64>,
    dimensions: Dimensions,
    tile: (u32, u32),
}

fn written(offset: u32, stride: u32, width: u32, height: u32, tile: (u32, u32)) -> Written {
    let start = u64::from(offset);
    Written {
        words: start..start + u64::from(stride) * u64::from(height),
        dimensions: dimensions(width, height),
        tile,
    }
}

/// What the records of a dispatch write, in their order.
fn results(batch: &Batch, dispatch: &Dispatch) -> Vec<Written> {
    let words = &batch.params[dispatch.records.clone()];
    match dispatch.kernel {
        Kernel::Gather => bytemuck::cast_slice::<u32, Gathering>(words)
            .iter()
            .map(|r| written(r.to_offset, r.to_stride, r.to_width, r.to_height, (32, 8)))
            .collect(),
        Kernel::Shrink => bytemuck::cast_slice::<u32, Halving>(words)
            .iter()
            .map(|r| written(r.to_offset, r.to_stride, r.to_width, r.to_height, (32, 8)))
            .collect(),
        Kernel::Columns => bytemuck::cast_slice::<u32, Columns>(words)
            .iter()
            .map(|r| {
                let width = r.groups * GROUP;
                written(r.to_offset, r.to_stride, width, r.height, (64, 4))
            })
            .collect(),
        Kernel::Across => bytemuck::cast_slice::<u32, Across>(words)
            .iter()
            .map(|r| written(r.to_offset, r.to_stride, r.to_width, r.to_height, (32, 8)))
            .collect(),
        Kernel::Rotate => bytemuck::cast_slice::<u32, Rotation>(words)
            .iter()
            .map(|r| written(r.to_offset, r.to_stride, r.to_width, r.to_height, (32, 8)))
            .collect(),
    }
}

fn entries(batch: &Batch, dispatch: &Dispatch) -> Vec<(u32, u32)> {
    let words = &batch.params[dispatch.map.clone()];
    match dispatch.kernel {
        Kernel::Rotate => bytemuck::cast_slice::<u32, Turned>(words)
            .iter()
            .map(|entry| (entry.record, entry.tile))
            .collect(),
        Kernel::Gather | Kernel::Shrink | Kernel::Columns | Kernel::Across => {
            bytemuck::cast_slice::<u32, Entry>(words)
                .iter()
                .map(|entry| (entry.record, entry.tile))
                .collect()
        }
    }
}

/// Every tile of every result stands in the map once, and nothing else.
fn assert_covered(results: &[Written], entries: &[(u32, u32)]) {
    let unique: HashSet<_> = entries.iter().collect();
    assert_eq!(unique.len(), entries.len(), "a tile is made twice");
    let mut tiles = 0;
    for result in results {
        let (width, height) = result.tile;
        let columns = result.dimensions.width.div_ceil(width);
        tiles += columns * result.dimensions.height.div_ceil(height);
    }
    assert_eq!(entries.len(), tiles as usize);
    for (record, tile) in entries {
        let result = &results[*record as usize];
        assert!((tile & 0xffff) * result.tile.0 < result.dimensions.width);
        assert!((tile >> 16) * result.tile.1 < result.dimensions.height);
    }
}

fn words_of(picture: &Picture) -> Range<u64> {
    let start = u64::from(picture.offset);
    let rows = u64::from(picture.stride) * u64::from(picture.dimensions.height);
    start..start + rows
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn nothing_overlaps_and_every_pixel_is_made_once(jobs in prop::collection::vec(job(), 1..12)) {
        let batch = Batch::new(&jobs, &mut KnownWeights::default()).expect("a small batch");
        let down = u64::from(batch.down_words);
        let host = down + u64::from(batch.source_words);
        let mut all = Vec::new();
        for (job, placed) in jobs.iter().zip(&batch.placed) {
            let (source, result) = (words_of(&placed.source), words_of(&placed.result));
            prop_assert!(down <= source.start && source.end <= host);
            prop_assert_eq!(result.end <= down, job.down);
            all.push(source);
        }
        for dispatch in &batch.dispatches {
            let results = results(&batch, dispatch);
            let entries = entries(&batch, dispatch);
            assert_covered(&results, &entries);
            prop_assert_eq!(dispatch.workgroups as usize, entries.len());
            prop_assert!(dispatch.map.end <= batch.params.len());
            prop_assert_eq!(dispatch.map.start % 64, 0);
            prop_assert_eq!(dispatch.records.start % 64, 0);
            all.extend(results.into_iter().map(|result| result.words));
        }
        all.sort_by_key(|words| words.start);
        for pair in all.windows(2) {
            prop_assert!(pair[0].end <= pair[1].start, "{:?} and {:?}", pair[0], pair[1]);
        }
        let end = all.last().map_or(0, |words| words.end);
        prop_assert!(end <= u64::from(batch.arena_words));
    }

    #[test]
    fn a_batch_takes_no_more_than_its_jobs_footprints(jobs in prop::collection::vec(job(), 1..12)) {
        let batch = Batch::new(&jobs, &mut KnownWeights::default()).expect("a small batch");
        let sum = jobs.iter().map(|job| footprint(&job.recipe, None));
        let sum = sum.fold(crate::render::gpu::Footprint::default(), |sum, more| sum + more);
        let params = 4 * batch.params.len() as u64;
        // The phases of turns stand in a batch once.
        prop_assert!(params <= sum.up_bytes + 2048);
        prop_assert!(params + 4 * u64::from(batch.source_words) <= sum.up_bytes + 2048);
        prop_assert!(4 * u64::from(batch.arena_words) <= sum.device_bytes);
        prop_assert!(4 * u64::from(batch.down_words) <= sum.down_bytes);
    }
}
