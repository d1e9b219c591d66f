//! Passes as the kernels run them: halvings, one resampling with what is laid, flattened and toned
//! behind it, one turn by any angle.
//!
//! Sixteen bits are not for this engine: their sums take 64, which shaders do not have.

use std::ops::Range;

use super::super::Job;
use super::filter::Axis;
use crate::geometry::{Dimensions, Orientation, Region, Window};
use crate::plan::{Crop, Filter, Pass, Turn};
use crate::raster::{Depth, Shape};
use crate::render::cpu::rotate::{Grid, TILE_HEIGHT, TILE_WIDTH};

/// How far a crop may reach past the picture by rounding, as on the CPU.
const CROP_SLACK_PX: f64 = 1e-6;

/// Longest side: a tile's place in a map has 16 bits for each axis, and its tiles at least four rows.
const MOST_SIDE: u32 = 1 << 18;

/// What is done for one job, decided from its passes alone.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Recipe {
    /// What is uploaded.
    pub(super) source: Shape,
    /// How often both sides are halved first.
    pub(super) halvings: u8,
    /// What flows into resampling.
    pub(super) whole: Dimensions,
    /// From left to right.
    pub(super) across: Axis,
    /// From top to bottom.
    pub(super) down: Axis,
    /// How the resampled picture is laid.
    pub(super) orientation: Orientation,
    /// What is laid under it.
    pub(super) background: Option<[u8; 3]>,
    /// The turn by any angle.
    pub(super) turn: Option<Turn>,
    /// Whether luma is all that stays of colours.
    pub(super) gray: bool,
    /// Whether black and white are all that stays.
    pub(super) bitonal: bool,
    /// What flows into the turn, or out where there is none.
    pub(super) laid: Shape,
    /// What comes out.
    pub(super) output: Shape,
}

impl Recipe {
    /// What `passes` do to `source`; none where this engine cannot do it.
    pub(super) fn new(source: Shape, passes: &[Pass]) -> Option<Self> {
        if source.format.depth != Depth::Eight || !passes.is_sorted_by(follows) {
            return None;
        }
        let mut recipe = Self::unchanged(source);
        for pass in passes {
            recipe.add(*pass)?;
            let Dimensions { width, height } = recipe.output.dimensions;
            if width.max(height) > MOST_SIDE {
                return None;
            }
        }
        Some(recipe)
    }

    /// That of `job`, a part's with its own edges; none where this engine cannot do it.
    pub(super) fn of(job: &Job) -> Option<Self> {
        let shape = job.source.shape();
        let Some(part) = &job.part else {
            return Self::new(shape, &job.passes);
        };
        let (recipe, _) = Self::new(part.whole, &job.passes)?.cut(&part.rows)?;
        (recipe.source == shape).then_some(recipe)
    }

    /// The same for `rows` of what comes out alone, and the window of the source that they are made of;
    /// none where pixels are halved first or turned by an angle, which is done with whole pictures.
    pub(super) fn cut(self, rows: &Range<u32>) -> Option<(Self, Window)> {
        let whole = self.output.dimensions;
        let inside = rows.start < rows.end && rows.end <= whole.height;
        if !inside || self.halvings > 0 || self.turn.is_some() {
            return None;
        }
        let band = Region {
            x: 0,
            y: rows.start,
            width: whole.width,
            height: rows.end - rows.start,
        };
        let made = self.orientation.inverse().apply_region(band, whole);
        let (across, columns) = self.across.cut_to(made.x..made.right());
        let (down, lines) = self.down.cut_to(made.y..made.bottom());
        let window = Window {
            x: columns.start,
            y: lines.start,
            width: columns.end - columns.start,
            height: lines.end - lines.start,
        };
        let of = |dimensions, shape: Shape| Shape {
            dimensions,
            ..shape
        };
        let recipe = Self {
            source: of(window.dimensions(), self.source),
            whole: window.dimensions(),
            across,
            down,
            laid: of(band.dimensions(), self.laid),
            output: of(band.dimensions(), self.output),
            ..self
        };
        Some((recipe, window))
    }

    fn unchanged(source: Shape) -> Self {
        Self {
            source,
            halvings: 0,
            whole: source.dimensions,
            across: identity(source.dimensions.width),
            down: identity(source.dimensions.height),
            orientation: Orientation::IDENTITY,
            background: None,
            turn: None,
            gray: false,
            bitonal: false,
            laid: source,
            output: source,
        }
    }

    fn add(&mut self, pass: Pass) -> Option<()> {
        let before = self.output;
        self.output = pass.shape_after(before);
        match pass {
            Pass::Shrink { times } => {
                self.halvings = times;
                self.whole = self.output.dimensions;
                self.across = identity(self.whole.width);
                self.down = identity(self.whole.height);
            }
            Pass::Resample {
                crop,
                target,
                filter,
            } => self.resample(crop, target, filter)?,
            Pass::Narrow => {}
            Pass::Orient(orientation) => self.orientation = orientation,
            Pass::Flatten { background } => self.background = Some(background),
            Pass::Rotate(turn) => {
                if !fits_32_bits(before.dimensions, turn) {
                    return None;
                }
                self.turn = Some(turn);
            }
            Pass::Gray => self.gray = true,
            Pass::Bitonal => self.bitonal = true,
        }
        if self.turn.is_none() {
            self.laid = self.output;
        }
        Some(())
    }

    fn resample(&mut self, crop: Crop, target: Dimensions, filter: Filter) -> Option<()> {
        self.across = axis(crop.x, crop.width, self.whole.width, target.width, filter)?;
        self.down = axis(
            crop.y,
            crop.height,
            self.whole.height,
            target.height,
            filter,
        )?;
        Some(())
    }

    /// The dimensions after resampling, before the picture is laid.
    pub(super) fn resampled(&self) -> Dimensions {
        Dimensions {
            width: self.across.made(),
            height: self.down.made(),
        }
    }

    /// Whether colours count by their opacity: not where every pixel stays what it is.
    pub(super) fn weighs(&self) -> bool {
        let changes = self.across.unchanged().is_none() || self.down.unchanged().is_none();
        self.source.format.channels.has_alpha() && changes
    }
}

/// Whether every position of a turn, with 16 fractional bits, fits 32: those of the tiles at the
/// canvas's corners lie furthest out.
fn fits_32_bits(source: Dimensions, turn: Turn) -> bool {
    let grid = Grid::new(source, turn);
    let last = |side: u32, tile: u32| side.next_multiple_of(tile) - 1;
    let right = last(turn.canvas.width, TILE_WIDTH);
    let bottom = last(turn.canvas.height, TILE_HEIGHT);
    let corners = [(0, 0), (right, 0), (0, bottom), (right, bottom)];
    // A tile's own pixels are reached by rounded steps, and each sample has neighbours.
    let margin = i64::from(TILE_WIDTH + TILE_HEIGHT) << 16;
    corners.iter().all(|(x, y)| {
        let (right, down) = grid.position(*x, *y);
        right.abs().max(down.abs()) + margin <= i64::from(i32::MAX)
    })
}

/// Whether a pass may follow another: a plan has each once, in one order.
fn follows(one: &Pass, next: &Pass) -> bool {
    rank(one) < rank(next)
}

fn rank(pass: &Pass) -> u8 {
    match pass {
        Pass::Shrink { .. } => 0,
        Pass::Resample { .. } => 1,
        Pass::Narrow => 2,
        Pass::Orient(_) => 3,
        Pass::Flatten { .. } => 4,
        Pass::Rotate(_) => 5,
        Pass::Gray => 6,
        Pass::Bitonal => 7,
    }
}

fn identity(side: u32) -> Axis {
    Axis {
        side,
        start: 0.0,
        length: f64::from(side),
        target: side,
        filter: Filter::Box,
        cut: None,
    }
}

/// A part of a side, cut where rounding makes it reach past it; none where it does not lie inside.
fn axis(start: f64, length: f64, side: u32, target: u32, filter: Filter) -> Option<Axis> {
    let end = f64::from(side);
    let inside = start >= 0.0 && start < end && length > 0.0;
    (inside && start + length <= end + CROP_SLACK_PX).then(|| Axis {
        side,
        start,
        length: length.min(end - start),
        target,
        filter,
        cut: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::{Channels, PixelFormat};

    fn dimensions(width: u32, height: u32) -> Dimensions {
        Dimensions::new(width, height).expect("not empty")
    }

    fn shape(width: u32, height: u32, format: PixelFormat) -> Shape {
        Shape {
            dimensions: dimensions(width, height),
            format,
        }
    }

    const RGBA: PixelFormat = PixelFormat::eight(Channels::Rgba);

    fn turn(degrees: f64, dimensions: Dimensions) -> Pass {
        Pass::Rotate(Turn {
            degrees,
            canvas: crate::plan::canvas(dimensions, degrees),
            background: None,
        })
    }

    #[test]
    fn what_the_kernels_cannot_do_has_no_recipe() {
        let sixteen = shape(4, 4, PixelFormat::sixteen(Channels::Rgb));
        assert_eq!(Recipe::new(sixteen, &[Pass::Narrow]), None);
        let source = shape(4, 4, RGBA);
        let mirror = Pass::Orient(Orientation {
            mirror: true,
            turns: 0,
        });
        let shrink = Pass::Shrink { times: 1 };
        assert_eq!(Recipe::new(source, &[mirror, shrink]), None);
        assert_eq!(Recipe::new(source, &[shrink, shrink]), None);
        assert!(Recipe::new(source, &[shrink, mirror, Pass::Gray]).is_some());
        let outside = Pass::Resample {
            crop: Crop {
                x: 2.0,
                y: 0.0,
                width: 2.1,
                height: 1.0,
            },
            target: dimensions(3, 3),
            filter: Filter::Box,
        };
        assert_eq!(Recipe::new(source, &[outside]), None);
    }

    #[test]
    fn a_turn_whose_positions_leave_32_bits_has_no_recipe() {
        let large = shape(30000, 30000, RGBA);
        assert_eq!(Recipe::new(large, &[turn(45.0, large.dimensions)]), None);
        let small = shape(20000, 20000, RGBA);
        assert!(Recipe::new(small, &[turn(45.0, small.dimensions)]).is_some());
    }

    #[test]
    fn shapes_follow_the_passes() {
        let source = shape(33, 21, RGBA);
        let passes = [
            Pass::Shrink { times: 2 },
            Pass::Flatten { background: [9; 3] },
            turn(10.0, dimensions(9, 6)),
            Pass::Gray,
        ];
        let recipe = Recipe::new(source, &passes).expect("a plan's passes");
        assert_eq!(recipe.whole, dimensions(9, 6));
        assert_eq!(recipe.resampled(), dimensions(9, 6));
        assert_eq!(recipe.laid.format, PixelFormat::eight(Channels::Rgb));
        assert_eq!(
            recipe.output.format,
            PixelFormat::eight(Channels::GrayAlpha)
        );
    }
}
