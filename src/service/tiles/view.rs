//! What a plan reads, in samples of the level that decoder and shrinking reach together; and the grid
//! of cells over it.

use std::ops::Range;
use std::sync::Arc;

use super::CELL_SIDE_PX;
use crate::cancel::Cancel;
use crate::codec::{Crew, Facts, MasterFormat, Picture, Price};
use crate::error::{Error, Result};
use crate::geometry::{Dimensions, Level, ScaleFactor, Window};
use crate::plan::{Pass, Plan};
use crate::raster::{PixelFormat, Rows, Shape};
use crate::render::{Engine, Output, Target};
use crate::service::masters::Master;

/// The side up to which a stored tile of JPEG 2000 is decoded whole for any part of it, in pixels. A
/// tile of 1024² takes as long as three windows of 256² in it; larger ones are cut.
const WHOLE_TILE_PX: u32 = 1024;

/// The side of the cells into which larger ones are cut, in pixels: two tiles of a viewer.
const CUT_CELL_PX: u32 = 2 * CELL_SIDE_PX;

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
    /// How cells come out of the decoder.
    pub(super) access: Access,
}

/// How cells come out of a decoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// As parts of a window's rows: what lies above or beside a cell is decoded with it.
    Rows,
    /// One by one: the grid is the stored one.
    Cells,
    /// One by one, and each takes so long that several threads pay.
    DearCells,
}

impl View {
    /// What `plan` reads of a master with these `facts`.
    pub(in crate::service) fn new(plan: &Plan, facts: &Facts) -> Self {
        let (halvings, shape) = match plan.passes.first() {
            Some(shrink @ Pass::Shrink { times }) => (*times, shrink.shape_after(plan.decoded)),
            _ => (0, plan.decoded),
        };
        let full = facts.pyramid.dimensions();
        let base = facts.pyramid.levels()[plan.level];
        let whole = full.reduced(plan.factor);
        let stored = base.tile.filter(|_| halvings == 0);
        let cell = decoded_cell(facts, base, stored, whole);
        let (cell, access) = cell.unwrap_or((square(CELL_SIDE_PX), Access::Rows));
        Self {
            level: plan.level,
            halvings,
            factor: plan.factor,
            whole,
            below: full.reduced(base.factor),
            window: Window {
                x: plan.window.x >> halvings,
                y: plan.window.y >> halvings,
                width: shape.dimensions.width,
                height: shape.dimensions.height,
            },
            format: plan.decoded.format,
            cell,
            access,
        }
    }

    /// The passes of `plan` that are left to be run on the view's rows.
    pub(in crate::service) fn passes(plan: &Plan) -> &[Pass] {
        match plan.passes.split_first() {
            Some((Pass::Shrink { .. }, rest)) => rest,
            _ => &plan.passes,
        }
    }

    /// The same in cells that can be kept: `keeps` says so of a cell's bytes.
    pub(super) fn in_cells(self, keeps: impl FnOnce(u64) -> bool) -> Self {
        if self.access == Access::Rows || keeps(self.cell_shape().bytes()) {
            return self;
        }
        Self {
            cell: square(CELL_SIDE_PX),
            access: Access::Rows,
            ..self
        }
    }

    /// The same in the cells of a [`TileSource`](super::TileSource).
    pub(super) fn in_remembered_cells(self) -> Self {
        Self {
            cell: square(CELL_SIDE_PX),
            access: Access::Rows,
            ..self
        }
    }

    /// What a whole cell holds.
    pub(super) fn cell_shape(&self) -> Shape {
        Shape {
            dimensions: self.cell,
            format: self.format,
        }
    }

    /// Columns of cells that `window` touches.
    pub(super) fn columns(&self, window: Window) -> Range<u32> {
        window.x / self.cell.width..window.right().div_ceil(self.cell.width)
    }

    /// Rows of cells that `window` touches.
    pub(super) fn rows(&self, window: Window) -> Range<u32> {
        window.y / self.cell.height..window.bottom().div_ceil(self.cell.height)
    }

    /// Column and row of the cells that `window` touches, row by row.
    pub(super) fn places(&self, window: Window) -> impl Iterator<Item = (u32, u32)> + use<> {
        let columns = self.columns(window);
        self.rows(window)
            .flat_map(move |row| columns.clone().map(move |column| (column, row)))
    }

    /// The number of the cell at `place` among all that the view's window touches.
    pub(super) fn index(&self, (column, row): (u32, u32)) -> Option<usize> {
        let (columns, rows) = (self.columns(self.window), self.rows(self.window));
        let inside = columns.contains(&column) && rows.contains(&row);
        let index =
            || (row - rows.start) as usize * columns.len() + (column - columns.start) as usize;
        inside.then(index)
    }

    /// The window of the cell at `place`, cut to the level.
    pub(super) fn cell_window(&self, (column, row): (u32, u32)) -> Window {
        let (x, y) = (column * self.cell.width, row * self.cell.height);
        Window {
            x,
            y,
            width: self.cell.width.min(self.whole.width - x),
            height: self.cell.height.min(self.whole.height - y),
        }
    }

    /// What decoding `window` takes.
    pub(super) fn price(&self, picture: &dyn Picture, window: Window) -> Price {
        picture.price(self.level, self.decoded(window))
    }

    /// The part of the decoded level that `window` of this one is made of.
    fn decoded(&self, window: Window) -> Window {
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

const fn square(side: u32) -> Dimensions {
    Dimensions {
        width: side,
        height: side,
    }
}

/// The cells in which a view of `level` is best decoded, where such are better than windows: its `stored` tiles,
/// or all of it, which is `whole`.
fn decoded_cell(
    facts: &Facts,
    level: Level,
    stored: Option<Dimensions>,
    whole: Dimensions,
) -> Option<(Dimensions, Access)> {
    match facts.format {
        MasterFormat::Tiff => Some((stored?, Access::Cells)),
        // A page is drawn whole for any part of it.
        MasterFormat::Pdf => Some((whole, Access::Cells)),
        MasterFormat::Jpeg2000 => {
            let tile = stored?;
            // A level with fewer samples than the factor asks for cannot be cut beyond them.
            let full = facts.pyramid.dimensions();
            let exact = level.dimensions == full.reduced(level.factor);
            let cell = Dimensions {
                width: codec_tiles(tile.width),
                height: codec_tiles(tile.height),
            };
            exact.then_some((cell, Access::DearCells))
        }
        MasterFormat::Jpeg
        | MasterFormat::Png
        | MasterFormat::Webp
        | MasterFormat::Gif
        | MasterFormat::Bmp
        | MasterFormat::JpegXl
        | MasterFormat::Avif
        | MasterFormat::Heic => None,
    }
}

/// A side of the cells over codec tiles with this one: as many tiles as give a viewer's tile.
fn codec_tiles(side: u32) -> u32 {
    if side > WHOLE_TILE_PX {
        CUT_CELL_PX
    } else {
        side * CELL_SIDE_PX.div_ceil(side)
    }
}

/// Decodes windows of a view's level.
#[derive(Debug, Clone)]
pub(in crate::service) struct Decoder {
    pub(in crate::service) master: Arc<Master>,
    pub(in crate::service) engine: Arc<dyn Engine>,
    /// Threads that may take a share of a decode.
    pub(in crate::service) crew: Arc<dyn Crew>,
    pub(in crate::service) cancel: Cancel,
}

impl Decoder {
    /// The rows of `window`, in samples of the view's level.
    ///
    /// # Errors
    ///
    /// Those of the decoder and of the engine.
    pub(super) fn rows(&self, view: &View, window: Window) -> Result<Box<dyn Rows>> {
        let (picture, part) = (&self.master.picture, view.decoded(window));
        if let Some(account) = &self.master.account {
            account.spend(picture.price(view.level, part).pixels);
        }
        let rows = picture.decode_shared(view.level, part, &self.cancel, &self.crew)?;
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
