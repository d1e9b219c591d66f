//! Decides what is done for a request: level, window, passes, memory. Pure: same input, same plan.
//!
//! [`Plan::new`] takes a request that `iiif` has resolved against the published dimensions and the
//! [`Subject`] that `codec` found in the master. Every number that later rooms need stands in the
//! plan; they apply them and decide none again.

mod axis;
mod pass;
mod reduction;
mod settings;
mod turn;

pub use pass::{Crop, Filter, Pass, Turn};
pub use reduction::Reduction;
pub use settings::{Settings, estimated_bytes};
pub use turn::canvas;

use crate::geometry::{Orientation, Pyramid, ScaleFactor, Window};
use crate::iiif::{Format, Quality, Resolved};
use crate::raster::{Depth, Light, PixelFormat, Shape};

use axis::Axis;

#[cfg(test)]
mod tests;

/// What a plan has to know of a master.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Its levels, in stored orientation.
    pub pyramid: &'a Pyramid,
    /// What brings the stored pixels upright.
    pub orientation: Orientation,
    /// What its decoder's rows hold.
    pub pixel: PixelFormat,
    /// The share of its size at which it is published.
    pub reduction: Reduction,
}

/// Everything that is done for one request.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The index of the level to decode in the master's pyramid.
    pub level: usize,
    /// The scale factor that decoding and shrinking reach together.
    pub factor: ScaleFactor,
    /// What to decode of that level.
    pub window: Window,
    /// What flows out of the decoder.
    pub decoded: Shape,
    /// The steps from there to the derivative's pixels.
    pub passes: Vec<Pass>,
    /// What flows into the encoder.
    pub output: Shape,
    /// The derivative's format.
    pub format: Format,
    /// Whether the answer leaves while it is made. A pure function of request and settings, so that
    /// the same request gets the same bytes.
    pub streamed: bool,
    /// Most bytes that passes and encoder hold at one time, decoder excluded.
    pub working_bytes: u64,
}

impl Plan {
    /// The plan for `request` on `subject`.
    ///
    /// The level is the coarsest that still has at least the pixels asked for, reached by a stored
    /// level and, where none is near enough, by halving it (virtual levels).
    pub fn new(request: &Resolved, subject: Subject<'_>, settings: &Settings) -> Self {
        let stored = subject.pyramid.dimensions();
        let reduced = subject.reduction.of(stored);
        let published = subject.orientation.apply(reduced);
        let region = subject
            .orientation
            .inverse()
            .apply_region(request.region, published);
        let target = if subject.orientation.transposes() {
            request.size.transposed()
        } else {
            request.size
        };

        let covered = subject.reduction.undo(region.dimensions());
        let side = |start, length, side, covered, target| Side {
            covered,
            is_at_edge: start == 0 || start + length == side,
            target,
        };
        let sides = [
            side(
                region.x,
                region.width,
                reduced.width,
                covered.width,
                target.width,
            ),
            side(
                region.y,
                region.height,
                reduced.height,
                covered.height,
                target.height,
            ),
        ];
        let (level, halvings) = nearest(subject.pyramid, sides);
        let base = subject.pyramid.levels()[level];
        let factor = ScaleFactor::new(base.factor.get() << halvings).unwrap_or(base.factor);
        let filter = settings.filter(covered, target);
        let axis = |offset, length, side, target| {
            let stretch = subject.reduction.stretch(offset, length, side, factor);
            Axis::new(stretch, target, filter)
        };
        let across = axis(region.x, region.width, stored.width, target.width);
        let down = axis(region.y, region.height, stored.height, target.height);
        // A level may lack the last column or row, which then is the one before it.
        let last = |start: u32, side: u32| (start << halvings).min(side - 1);
        let window = Window {
            x: last(across.start, base.dimensions.width),
            y: last(down.start, base.dimensions.height),
            width: across.decoded(halvings, stored.width.div_ceil(base.factor.get())),
            height: down.decoded(halvings, stored.height.div_ceil(base.factor.get())),
        };
        let decoded = Shape {
            dimensions: window.dimensions(),
            format: subject.pixel,
        };

        let mut passes = Vec::with_capacity(6);
        if halvings > 0 {
            passes.push(Pass::Shrink { times: halvings });
        }
        if !(across.is_identity() && down.is_identity()) {
            passes.push(Pass::Resample {
                crop: Crop {
                    x: across.crop_start,
                    y: down.crop_start,
                    width: across.crop_length,
                    height: down.crop_length,
                },
                target,
                filter,
            });
        }
        finish(&mut passes, request, subject, settings);
        let (output, working_bytes) = follow(decoded, &passes, request.format, settings);
        Self {
            level,
            factor,
            window,
            decoded,
            passes,
            output,
            format: request.format,
            streamed: settings.streams(request.format, output),
            working_bytes,
        }
    }
}

/// One side of a region.
#[derive(Debug, Clone, Copy)]
struct Side {
    /// Pixels of the master that it covers.
    covered: u32,
    /// Whether the master ends there: tiles at edges may cover their last sample in part.
    is_at_edge: bool,
    /// Pixels that are made of it.
    target: u32,
}

impl Side {
    /// Whether a level of this factor has as many pixels as are made.
    fn is_enough(self, factor: u64) -> bool {
        let covered = u64::from(self.covered);
        if self.is_at_edge {
            covered.div_ceil(factor) >= u64::from(self.target)
        } else {
            covered >= u64::from(self.target) * factor
        }
    }
}

/// The level to start from and how often to halve it: the largest factor whose share of the region still
/// has the target's pixels, none where those are the region's own; of two ways to the same factor the one with
/// fewer halvings.
fn nearest(pyramid: &Pyramid, sides: [Side; 2]) -> (usize, u8) {
    if sides.iter().all(|side| side.covered == side.target) {
        return (0, 0);
    }
    let enough = |factor: u64| sides.iter().all(|side| side.is_enough(factor));
    // Halving once more has to make the region smaller at all.
    let shrinks = |factor: u64| {
        let mut left = sides
            .iter()
            .map(|side| u64::from(side.covered).div_ceil(factor));
        left.any(|left| left > 1)
    };
    let mut best = (0, 0_u8);
    let mut best_factor = 0_u64;
    for (index, level) in pyramid.levels().iter().enumerate() {
        let mut halvings = 0_u8;
        let mut factor = u64::from(level.factor.get());
        if !enough(factor) {
            continue;
        }
        // Past 2³⁰ a side of 32 bits has one pixel left.
        while halvings < 30 && factor < 1 << 30 && shrinks(factor) && enough(factor * 2) {
            halvings += 1;
            factor *= 2;
        }
        if factor > best_factor || (factor == best_factor && halvings < best.1) {
            best = (index, halvings);
            best_factor = factor;
        }
    }
    best
}

/// The passes after resampling: depth, orientation, opacity, rotation, quality (I3-ORD-01).
fn finish(passes: &mut Vec<Pass>, request: &Resolved, subject: Subject<'_>, settings: &Settings) {
    let mut channels = subject.pixel.channels;
    let degrees = request.degrees.as_f64();
    let quarter_turns = request.quarter_turns();
    // Odd angles and the threshold of bitonal are defined in 8 bits.
    let keeps = settings.sixteen_bits
        && request.format.has_sixteen_bits()
        && quarter_turns.is_some()
        && request.quality != Quality::Bitonal;
    if subject.pixel.depth == Depth::Sixteen && !keeps {
        passes.push(Pass::Narrow);
    }
    let orientation = subject.orientation.then(Orientation {
        mirror: request.mirror,
        turns: quarter_turns.unwrap_or(0),
    });
    if orientation != Orientation::IDENTITY {
        passes.push(Pass::Orient(orientation));
    }
    let opaque = !request.format.has_alpha() || request.quality == Quality::Bitonal;
    if opaque && channels.has_alpha() {
        passes.push(Pass::Flatten {
            background: settings.background,
        });
        channels = channels.without_alpha();
    }
    if quarter_turns.is_none() {
        passes.push(Pass::Rotate(Turn {
            degrees,
            canvas: canvas(request.size, degrees),
            background: opaque.then_some(settings.background),
        }));
    }
    match request.quality {
        Quality::Gray if !channels.is_gray() || !settings.background_is_gray() => {
            passes.push(Pass::Gray);
        }
        Quality::Bitonal => passes.push(Pass::Bitonal),
        Quality::Gray | Quality::Color | Quality::Default => {}
    }
}

/// Rows that flow between passes at one time, for pricing.
const STRIP_ROWS: u64 = 256;

/// What flows at the end, and the most bytes that are held on the way.
fn follow(decoded: Shape, passes: &[Pass], format: Format, settings: &Settings) -> (Shape, u64) {
    let held = |shape: Shape, whole: bool| {
        let strip =
            u64::from(shape.dimensions.width) * STRIP_ROWS * shape.format.bytes_per_pixel() as u64;
        if whole {
            shape.bytes()
        } else {
            strip.min(shape.bytes())
        }
    };
    let mut shape = decoded;
    let mut most = held(shape, false);
    for pass in passes {
        let after = pass.shape_after(shape);
        let whole = pass.needs_whole();
        // Light of 16 bits takes the place of samples on both sides.
        let lit = |shape: Shape| match (pass, settings.light) {
            (Pass::Resample { .. }, Light::Linear) => {
                2 * shape.dimensions.area() * shape.format.channels.count() as u64
            }
            _ => 0,
        };
        let beside = lit(shape) + lit(after);
        most = most.max(held(shape, whole) + held(after, whole) + beside);
        shape = after;
    }
    let encoder = settings.encoder_bytes(format, shape, held(shape, false));
    (shape, most + encoder)
}
