//! What a plan reads, in samples of the level that decoder and shrinking reach together; and the grid
//! of cells over it.

use std::ops::Range;
use std::sync::Arc;

use crate::cancel::Cancel;
use crate::codec::{Facts, Picture};
use crate::error::{Error, Result};
use crate::geometry::{Dimensions, ScaleFactor, Window};
use crate::plan::{Pass, Plan};
use crate::raster::{PixelFormat, Rows};
use crate::render::{Engine, Output, Target};

use super::CELL_SIDE_PX;

/// A window of a (virtual) level.
#[derive(Debug, Clone, Copy)]
pub(in crate::service) struct View {
    /// The index of the level that is decoded in the master's pyramid.
    level: usize,
    /// How often that is halved.
    halvings: u8,
    /// What both reach together.
    pub(super) factor: ScaleFactor,
    /// All samples that the level has at that factor.
    whole: Dimensions,
    /// Samples of the level below, padding to whole factors included.
    below: Dimensions,
    /// What is wanted.
    pub(super) window: Window,
    /// What its samples are.
    pub(super) format: PixelFormat,
    /// The grid's cells.
    pub(super) cell: Dimensions,
}

impl View {
    /// What `plan` reads of a master with these `facts`, and the passes that are left to be run.
    pub(in crate::service) fn new<'p>(plan: &'p Plan, facts: &Facts) -> (Self, &'p [Pass]) {
        let (halvings, passes) = match plan.passes.split_first() {
            Some((Pass::Shrink { times }, rest)) => (*times, rest),
            _ => (0, plan.passes.as_slice()),
        };
        let shape = (plan.passes.first())
            .filter(|_| halvings > 0)
            .map_or(plan.decoded, |shrink| shrink.shape_after(plan.decoded));
        let full = facts.pyramid.dimensions();
        let base = facts.pyramid.levels()[plan.level];
        let view = Self {
            level: plan.level,
            halvings,
            factor: plan.factor,
            whole: full.reduced(plan.factor),
            below: full.reduced(base.factor),
            window: Window {
                x: plan.window.x >> halvings,
                y: plan.window.y >> halvings,
                width: shape.dimensions.width,
                height: shape.dimensions.height,
            },
            format: plan.decoded.format,
            cell: Dimensions {
                width: CELL_SIDE_PX,
                height: CELL_SIDE_PX,
            },
        };
        (view, passes)
    }

    /// Columns of cells that `window` touches.
    pub(super) fn columns(&self, window: Window) -> Range<u32> {
        window.x / self.cell.width..window.right().div_ceil(self.cell.width)
    }

    /// The window of cell (`column`, `row`), cut to the level.
    pub(super) fn cell_window(&self, column: u32, row: u32) -> Window {
        let (x, y) = (column * self.cell.width, row * self.cell.height);
        Window {
            x,
            y,
            width: self.cell.width.min(self.whole.width - x),
            height: self.cell.height.min(self.whole.height - y),
        }
    }

    /// The part of the decoded level that `window` of this one is made of.
    pub(super) fn decoded(&self, window: Window) -> Window {
        let stretch = |start: u32, length: u32, side: u32| {
            let end = (u64::from(start) + u64::from(length)) << self.halvings;
            let end = u32::try_from(end).unwrap_or(u32::MAX).min(side);
            (start << self.halvings, end - (start << self.halvings))
        };
        let (x, width) = stretch(window.x, window.width, self.below.width);
        let (y, height) = stretch(window.y, window.height, self.below.height);
        Window {
            x,
            y,
            width,
            height,
        }
    }
}

/// Decodes windows of a view's level.
#[derive(Debug, Clone)]
pub(in crate::service) struct Decoder {
    pub(in crate::service) picture: Arc<dyn Picture>,
    pub(in crate::service) engine: Arc<dyn Engine>,
    pub(in crate::service) cancel: Cancel,
}

impl Decoder {
    /// The rows of `window`, in samples of the view's level.
    ///
    /// # Errors
    ///
    /// Those of the decoder and of the engine.
    pub(super) fn rows(&self, view: &View, window: Window) -> Result<Box<dyn Rows>> {
        let rows = (self.picture).decode(view.level, view.decoded(window), &self.cancel)?;
        if view.halvings == 0 {
            return Ok(rows);
        }
        let shrink = [Pass::Shrink {
            times: view.halvings,
        }];
        match (self.engine).run(rows, &shrink, Target::Rows, &self.cancel)? {
            Output::Rows(rows) => Ok(rows),
            Output::Jpeg(_) => Err(Error::internal("shrinking to a finished file")),
        }
    }
}
