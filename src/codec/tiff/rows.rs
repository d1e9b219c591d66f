//! A window of one level → its rows, in bands.
//!
//! A band is a row of tiles; of strips it is as many rows as make a piece worth handing on. Tiles
//! that do not touch the window are never read, and of those that do only the rows down to the
//! window's lower edge are decompressed. [`price`] says beforehand what this takes.

use std::sync::Arc;

use crate::cancel::Cancel;
use crate::codec::{DecodeLimits, Foreign, Price};
use crate::error::{Error, ErrorKind, Result};
use crate::geometry::{Dimensions, Window};
use crate::raster::{Raster, Rows, Samples, Shape};
use crate::reader::RangeReader;

use super::input::READ_BYTES;
use super::jpeg_tile;
use super::lane::{Job, Lane, rows_of_a_block};
use super::layout::{Compression, Layout};
use super::lzma;
use super::samples::{Cut, RowScratch, SCRATCH_BYTES};
use super::unpack::STATE_BYTES;
use super::zstandard;

/// Bytes of a band where the layout leaves the choice.
const BAND_BYTES: u64 = 512 * 1024;

/// A window's rows under way.
#[derive(Debug)]
pub(super) struct TiffRows {
    layout: Arc<Layout>,
    window: Window,
    /// What makes red, green and blue of its colours.
    foreign: Option<Foreign>,
    lanes: Vec<Lane>,
    scratch: RowScratch,
    /// Next row of the level; the window's bottom after the last, and after an error.
    next: u32,
}

impl TiffRows {
    /// Rows of `window`, which lies inside the level.
    pub(super) fn new(
        layout: &Arc<Layout>,
        reader: &Arc<dyn RangeReader>,
        window: Window,
        foreign: Option<&Foreign>,
        limits: &DecodeLimits,
        cancel: &Cancel,
    ) -> Result<Self> {
        let price = price(layout, window);
        if price.bytes > limits.max_bytes {
            return Err(Error::new(
                ErrorKind::TooLarge,
                "the source image needs more memory than one decode may take",
            ));
        }
        let job = Job {
            layout: Arc::clone(layout),
            reader: Arc::clone(reader),
            limits: limits.clone(),
            cancel: cancel.clone(),
            columns: layout.grid.columns_of(window),
            bottom: layout.grid.rows_of(window.y, window.bottom()).end,
        };
        let planes = layout.planes().into_iter();
        Ok(Self {
            lanes: planes
                .map(|(plane, picks)| Lane::new(&job, plane, picks))
                .collect(),
            layout: Arc::clone(layout),
            foreign: foreign.cloned(),
            window,
            scratch: RowScratch::default(),
            next: window.y,
        })
    }

    fn band(&mut self, bottom: u32) -> Result<Raster> {
        let height = bottom - self.next;
        let dimensions = Dimensions {
            width: self.window.width,
            height,
        };
        let mut band = Band {
            layout: &self.layout,
            window: self.window,
            top: self.next,
            samples: stored_samples(&self.layout, dimensions)?,
            scratch: &mut self.scratch,
        };
        for (first, lane) in self.lanes.iter_mut().enumerate() {
            band.take(lane, first, bottom)?;
        }
        let mut samples = self.layout.pixels.finish(band.samples);
        if let Some(foreign) = &self.foreign {
            samples = foreign.rgb(&samples, self.layout.pixels.picks.len());
        }
        Raster::new(dimensions, self.layout.pixels.format().channels, samples)
    }
}

impl Rows for TiffRows {
    fn shape(&self) -> Shape {
        Shape {
            dimensions: self.window.dimensions(),
            format: self.layout.pixels.format(),
        }
    }

    fn next_strip(&mut self) -> Result<Option<Raster>> {
        if self.next >= self.window.bottom() {
            return Ok(None);
        }
        let bottom = band_bottom(&self.layout, self.window, self.next);
        let band = self.band(bottom);
        self.next = if band.is_ok() { bottom } else { u32::MAX };
        band.map(Some)
    }
}

/// Rows that are being put together from tiles.
struct Band<'a> {
    layout: &'a Layout,
    window: Window,
    /// First row, in the level.
    top: u32,
    /// The picked samples of the band's pixels.
    samples: Samples,
    scratch: &'a mut RowScratch,
}

impl Band<'_> {
    /// Takes everything above `bottom` from the tiles of `lane`, whose first sample is the
    /// `first` of a pixel.
    fn take(&mut self, lane: &mut Lane, first: usize, bottom: u32) -> Result<()> {
        let grid = self.layout.grid;
        let picks = lane.picks.clone();
        for row in grid.rows_of(self.top, bottom) {
            let above = row * grid.tile.height;
            let from = self.top.max(above);
            let to = bottom.min(above.saturating_add(grid.tile.height));
            for column in grid.columns_of(self.window) {
                let left = column * grid.tile.width;
                let x0 = self.window.x.max(left);
                let x1 = self
                    .window
                    .right()
                    .min(left.saturating_add(grid.tile.width));
                let cut = Cut {
                    columns: (x0 - left) as usize..(x1 - left) as usize,
                    picks: &picks,
                    stride: self.layout.pixels.picks.len(),
                    first,
                };
                let at = (x0 - self.window.x) as usize;
                lane.rows((row, column), from - above..to - above, &mut |y, raw| {
                    self.place((above + y - self.top) as usize, at, raw, &cut);
                })?;
            }
        }
        Ok(())
    }

    /// Puts one tile's row at row `y` and column `x` of the band.
    fn place(&mut self, y: usize, x: usize, raw: &mut [u8], cut: &Cut<'_>) {
        let start = (y * self.window.width as usize + x) * cut.stride;
        let end = start + cut.columns.len() * cut.stride;
        let row = &self.layout.row;
        match &mut self.samples {
            Samples::U8(all) => row.place_u8(raw, self.scratch, cut, &mut all[start..end]),
            Samples::U16(all) => row.place_u16(raw, self.scratch, cut, &mut all[start..end]),
        }
    }
}

/// The samples that are read for `dimensions`, all 0.
fn stored_samples(layout: &Layout, dimensions: Dimensions) -> Result<Samples> {
    let count = dimensions.area() * layout.pixels.picks.len() as u64;
    let count = usize::try_from(count)
        .map_err(|cause| Error::internal("sizing a band of tiles").with_source(cause))?;
    Ok(if layout.row.is_narrow() {
        Samples::U8(vec![0; count])
    } else {
        Samples::U16(vec![0; count])
    })
}

/// First row below the band that begins at row `top`.
fn band_bottom(layout: &Layout, window: Window, top: u32) -> u32 {
    let height = u64::from(layout.grid.tile.height);
    let next_cells = (u64::from(top) / height + 1) * height;
    let bottom = if layout.grid.columns_of(window).len() > 1 {
        next_cells
    } else {
        let row = u64::from(window.width) * layout.pixels.format().bytes_per_pixel() as u64;
        let reach = u64::from(top) + (BAND_BYTES / row).max(1);
        // A cell that fits ends its band: the next one then begins with fresh bytes.
        let whole_cells = reach / height * height;
        if whole_cells >= next_cells {
            whole_cells
        } else {
            reach
        }
    };
    u32::try_from(bottom).map_or(window.bottom(), |bottom| bottom.min(window.bottom()))
}

/// What decoding `window`, which lies inside the level, takes.
pub(super) fn price(layout: &Layout, window: Window) -> Price {
    Price {
        pixels: pixels(layout, window),
        bytes: lane_bytes(layout)
            .saturating_mul(layout.planes().len() as u64)
            .saturating_add(band_bytes(layout, window)),
    }
}

/// Pixels of the touched tiles; of a strip those down to the window's bottom, for it is not
/// decompressed further.
fn pixels(layout: &Layout, window: Window) -> u64 {
    let grid = &layout.grid;
    let columns = grid.columns_of(window).len() as u64;
    let rows = grid.rows_of(window.y, window.bottom());
    let height = u64::from(grid.tile.height);
    let rows = if grid.tiled {
        rows.len() as u64 * height
    } else if layout.compression == Compression::Stored {
        u64::from(window.height)
    } else if layout.is_whole() {
        (rows.len() as u64 * height).min(u64::from(grid.image.height))
    } else {
        u64::from(window.bottom()) - u64::from(rows.start) * height
    };
    (columns * u64::from(grid.tile.width)).saturating_mul(rows)
}

/// The highest band, before and after its samples are given their meaning.
fn band_bytes(layout: &Layout, window: Window) -> u64 {
    let first = band_bottom(layout, window, window.y);
    let second = band_bottom(layout, window, first.min(window.bottom() - 1));
    let height = (first - window.y).max(second.saturating_sub(first));
    let format = layout.pixels.format();
    let pixel = format.bytes_per_pixel().max(2 * layout.pixels.picks.len());
    let row = u64::from(window.width) * pixel as u64;
    // A palette's indices and inks live beside their colours.
    row.saturating_mul(u64::from(height)).saturating_mul(2)
}

/// Input, decompressor and rows of one plane.
fn lane_bytes(layout: &Layout) -> u64 {
    let tile = layout.grid.tile;
    let size = layout.row_bytes();
    let block = size * u64::from(rows_of_a_block(size).min(tile.height));
    // One row as numbers.
    let row = u64::from(tile.width) * layout.row.samples as u64 * SCRATCH_BYTES;
    let picture = if layout.is_whole() {
        // Pixels of the tile, the coefficients of a progressive JPEG with 2 bytes each or a WebP's planes,
        // the stored bytes, and the same with the tables before them.
        let longest = layout.longest().min(jpeg_tile::most_bytes(tile));
        size.saturating_mul(4 * u64::from(tile.height))
            .saturating_add(2 * longest)
    } else {
        0
    };
    let state = if layout.compression == Compression::Zstandard {
        zstandard::STATE_BYTES
    } else if layout.compression == Compression::Lzma {
        lzma::STATE_BYTES
    } else {
        STATE_BYTES
    };
    picture.saturating_add(READ_BYTES + state + block + row)
}
