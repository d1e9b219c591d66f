//! One job's records and entries, kernel by kernel, in the order in which its pixels pass.

use super::super::super::Mosaic;
use super::super::recipe::Recipe;
use super::super::records::{
    Across, BITONAL, Columns, DIVIDE, Entry, FLATTEN, GRAY, Gathering, Halving, IS_GRAY, MULTIPLY,
    MULTIPLY_AFTER, OPAQUE, Rotation, SPREAD, Turned,
};
use super::super::words::{self, GROUP, Picture};
use super::Work;
use crate::geometry::Dimensions;
use crate::plan::{Pass, Turn};
use crate::raster::Channels;
use crate::render::cpu::rotate::{Grid, TILE_HEIGHT, TILE_WIDTH, outside};
use crate::render::cpu::tone::luma;

/// What flows between two kernels.
struct Flowing {
    picture: Picture,
    /// Columns of the picture left of what is there.
    skip: u32,
    /// Whether colours are multiplied by opacity already.
    multiplied: bool,
}

impl Work<'_> {
    /// The window of `mosaic`, where passes find it.
    pub(super) fn gather(&mut self, mosaic: &Mosaic) -> Option<Picture> {
        let to = self.arena.picture_of(mosaic.shape)?;
        let record = u32::try_from(self.gathers.0.len()).ok()?;
        let (columns, _) = mosaic.grid();
        self.gathers.0.push(Gathering {
            to_offset: to.offset,
            to_stride: to.stride,
            to_width: to.dimensions.width,
            to_height: to.dimensions.height,
            channels: to.channels,
            left: mosaic.left,
            top: mosaic.top,
            cell_width: mosaic.cell.width,
            cell_height: mosaic.cell.height,
            columns,
            tiles: self.tables.tiles(&mosaic.tiles)?,
        });
        self.gathers
            .1
            .extend(entries(record, to.dimensions, 8 * GROUP, 8));
        Some(to)
    }

    /// Everything for one job, from its source to its result.
    pub(super) fn add(&mut self, recipe: &Recipe, source: Picture, result: Picture) -> Option<()> {
        let halved = self.halve(recipe.halvings, source)?;
        let flowing = self.weigh_rows(recipe, halved)?;
        let Some(turn) = recipe.turn else {
            let tone = tone(recipe, recipe.source.format.channels);
            return self.weigh_across(recipe, &flowing, result, 0, tone);
        };
        let (steps, channels) = canvas(recipe, turn);
        let laid = self.arena.picture(recipe.laid.dimensions, 4)?;
        self.weigh_across(recipe, &flowing, laid, steps, 0)?;
        self.turn(recipe, turn, channels, laid, result)
    }

    fn halve(&mut self, times: u8, mut from: Picture) -> Option<Picture> {
        for step in 0..usize::from(times) {
            let dimensions = Dimensions {
                width: from.dimensions.width.div_ceil(2),
                height: from.dimensions.height.div_ceil(2),
            };
            let to = self.arena.picture(dimensions, from.channels)?;
            if self.halvings.len() == step {
                self.halvings.push((Vec::new(), Vec::new()));
            }
            let (records, map) = self.halvings.get_mut(step)?;
            let record = u32::try_from(records.len()).ok()?;
            records.push(Halving {
                from_offset: from.offset,
                from_stride: from.stride,
                from_width: from.dimensions.width,
                from_height: from.dimensions.height,
                to_offset: to.offset,
                to_stride: to.stride,
                to_width: dimensions.width,
                to_height: dimensions.height,
                channels: from.channels,
            });
            map.extend(entries(record, dimensions, 8 * GROUP, 8));
            from = to;
        }
        Some(from)
    }

    /// The rows of the result, as wide as the next kernel reads.
    fn weigh_rows(&mut self, recipe: &Recipe, from: Picture) -> Option<Flowing> {
        if let Some(start) = recipe.down.unchanged() {
            let offset = from.offset.checked_add(start.checked_mul(from.stride)?)?;
            return Some(Flowing {
                picture: Picture { offset, ..from },
                skip: 0,
                multiplied: false,
            });
        }
        let reach = match recipe.across.unchanged() {
            Some(start) => start..start + recipe.across.made(),
            None => self.tables.weights(&recipe.across)?.of.reach.clone(),
        };
        let (group_start, group_end) = (reach.start / GROUP, reach.end.div_ceil(GROUP));
        let dimensions = Dimensions {
            width: (group_end - group_start) * GROUP,
            height: recipe.down.made(),
        };
        // Three channels leave as four, so that the next kernel reads a pixel in one word.
        let channels = if from.channels == 3 { 4 } else { from.channels };
        let to = self.arena.picture(dimensions, channels)?;
        let weights = self.tables.weights(&recipe.down)?;
        let record = u32::try_from(self.columns.0.len()).ok()?;
        self.columns.0.push(Columns {
            from_offset: from.offset,
            from_stride: from.stride,
            channels: from.channels,
            group_start,
            to_offset: to.offset,
            to_stride: to.stride,
            groups: group_end - group_start,
            height: dimensions.height,
            starts: weights.starts,
            weights: weights.weights,
            taps: weights.of.taps,
            bits: weights.of.precision,
            multiply: recipe.weighs().into(),
        });
        self.columns
            .1
            .extend(entries(record, dimensions, 16 * GROUP, 4));
        Some(Flowing {
            picture: to,
            skip: group_start * GROUP,
            multiplied: recipe.weighs(),
        })
    }

    fn weigh_across(
        &mut self,
        recipe: &Recipe,
        flowing: &Flowing,
        to: Picture,
        steps: u32,
        tone: u32,
    ) -> Option<()> {
        let weights = match recipe.across.unchanged() {
            Some(_) => None,
            None => Some(self.tables.weights(&recipe.across)?),
        };
        let taps = weights.as_ref().map_or(0, |weights| weights.of.taps);
        let before = recipe.resampled();
        let record = u32::try_from(self.across.0.len()).ok()?;
        self.across.0.push(Across {
            from_offset: flowing.picture.offset,
            from_stride: flowing.picture.stride,
            channels: flowing.picture.channels,
            skip: match recipe.across.unchanged() {
                Some(start) => start - flowing.skip,
                None => flowing.skip,
            },
            width: before.width,
            height: before.height,
            starts: weights.as_ref().map_or(0, |weights| weights.starts),
            weights: weights.as_ref().map_or(0, |weights| weights.weights),
            taps,
            bits: weights.as_ref().map_or(0, |weights| weights.of.precision),
            mirror: recipe.orientation.mirror.into(),
            turns: u32::from(recipe.orientation.turns % 4),
            steps: steps | alpha_steps(recipe, flowing.multiplied),
            tone,
            background: background(recipe),
            to_offset: to.offset,
            to_stride: to.stride,
            to_channels: to.channels,
            to_width: to.dimensions.width,
            to_height: to.dimensions.height,
        });
        self.across
            .1
            .extend(entries(record, to.dimensions, 8 * GROUP, 8));
        Some(())
    }

    fn turn(
        &mut self,
        recipe: &Recipe,
        turn: Turn,
        channels: Channels,
        from: Picture,
        to: Picture,
    ) -> Option<()> {
        let grid = Grid::new(from.dimensions, turn);
        let record = u32::try_from(self.rotations.0.len()).ok()?;
        let (right_step, down_step) = grid.steps();
        let around = outside(channels, turn.background);
        self.rotations.0.push(Rotation {
            from_offset: from.offset,
            from_stride: from.stride,
            from_width: from.dimensions.width,
            from_height: from.dimensions.height,
            to_offset: to.offset,
            to_stride: to.stride,
            to_channels: to.channels,
            to_width: to.dimensions.width,
            to_height: to.dimensions.height,
            cos: word(right_step)?,
            sin: word(-down_step)?,
            outside: u32::from_le_bytes(match channels {
                // Opacity is the last channel of four, as in every pixel on the device.
                Channels::GrayAlpha => [around[0], 0, 0, around[1]],
                Channels::Gray | Channels::Rgb | Channels::Rgba => around,
            }),
            alpha: channels.has_alpha().into(),
            tone: tone(recipe, channels),
            phases: self.tables.phases()?,
        });
        for entry in entries(record, to.dimensions, TILE_WIDTH, TILE_HEIGHT) {
            let (x, y) = (entry.tile & 0xffff, entry.tile >> 16);
            let (right, down) = grid.position(x * TILE_WIDTH, y * TILE_HEIGHT);
            self.rotations.1.push(Turned {
                record,
                tile: entry.tile,
                right: word(right)?,
                down: word(down)?,
            });
        }
        Some(())
    }
}

/// One entry for each tile of `dimensions`.
fn entries(
    record: u32,
    dimensions: Dimensions,
    width: u32,
    height: u32,
) -> impl Iterator<Item = Entry> {
    let (columns, rows) = (
        dimensions.width.div_ceil(width),
        dimensions.height.div_ceil(height),
    );
    (0..rows).flat_map(move |y| {
        (0..columns).map(move |x| Entry {
            record,
            tile: x | y << 16,
        })
    })
}

/// What opacity asks of the second kernel.
fn alpha_steps(recipe: &Recipe, multiplied: bool) -> u32 {
    let channels = recipe.source.format.channels;
    if !channels.has_alpha() {
        return OPAQUE;
    }
    let weighs = match (recipe.weighs(), multiplied) {
        (false, _) => 0,
        (true, false) => MULTIPLY | DIVIDE,
        (true, true) => DIVIDE,
    };
    weighs | recipe.background.map_or(0, |_| FLATTEN)
}

/// What is laid under the picture, in the channels of a pixel on the device.
fn background(recipe: &Recipe) -> u32 {
    let Some([r, g, b]) = recipe.background else {
        return 0;
    };
    u32::from_le_bytes(if recipe.source.format.channels.is_gray() {
        [luma([r, g, b]), 0, 0, 0]
    } else {
        [r, g, b, 0]
    })
}

/// How a picture is stored for a turn, and the canvas's channels.
fn canvas(recipe: &Recipe, turn: Turn) -> (u32, Channels) {
    let laid = recipe.laid.format.channels;
    let channels = Pass::Rotate(turn).shape_after(recipe.laid).format.channels;
    let mut steps = 0;
    if laid.is_gray() && !channels.is_gray() {
        steps |= SPREAD;
    }
    if channels.has_alpha() {
        steps |= MULTIPLY_AFTER;
    }
    (steps, channels)
}

/// What becomes of colours that flow in `channels`.
fn tone(recipe: &Recipe, channels: Channels) -> u32 {
    let mut tone = 0;
    if recipe.gray {
        tone |= GRAY;
    }
    if recipe.bitonal {
        tone |= BITONAL;
    }
    if channels.is_gray() {
        tone |= IS_GRAY;
    }
    tone
}

/// The bits of a number of 32 bits with sign.
fn word(value: i64) -> Option<u32> {
    i32::try_from(value).ok().map(i32::cast_unsigned)
}

/// Words of everything but source and result that a job's kernels may take, at most.
pub(in super::super) fn scratch_words(recipe: &Recipe) -> u64 {
    let channels = words::count(recipe.source.format.channels);
    let mut all = 0;
    let mut sides = recipe.source.dimensions;
    for _ in 0..recipe.halvings {
        sides = Dimensions {
            width: sides.width.div_ceil(2),
            height: sides.height.div_ceil(2),
        };
        all += words::words(sides, channels);
    }
    if recipe.down.unchanged().is_none() {
        let rows = Dimensions {
            width: sides.width,
            height: recipe.down.made(),
        };
        all += words::words(rows, if channels == 3 { 4 } else { channels });
    }
    if recipe.turn.is_some() {
        all += words::words(recipe.laid.dimensions, 4);
    }
    all
}
