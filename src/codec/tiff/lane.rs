//! One stored plane's tiles, from top to bottom and left to right → their rows, decompressed.
//!
//! A lane keeps its buffers and its decompressor from tile to tile, and its place inside a tile from
//! call to call: a strip of any height flows through in bounded memory. Where rows go is left to
//! `rows`.

use std::ops::Range;
use std::sync::Arc;

use crate::cancel::Cancel;
use crate::codec::DecodeLimits;
use crate::error::{Error, Result};
use crate::geometry::Dimensions;
use crate::raster::{Channels, Raster, Samples};
use crate::reader::RangeReader;

use super::input::{Input, READ_BYTES};
use super::jpeg_tile;
use super::layout::{Compression, Layout};
use super::luv;
use super::picture_tile;
use super::unpack::Unpacker;
use super::webp_tile;

/// Decompressed rows that are made at a time, unless one row is larger.
pub(super) const BLOCK_BYTES: u64 = 256 * 1024;

/// What every lane of one decode shares.
#[derive(Debug, Clone)]
pub(super) struct Job {
    pub(super) layout: Arc<Layout>,
    pub(super) reader: Arc<dyn RangeReader>,
    pub(super) limits: DecodeLimits,
    pub(super) cancel: Cancel,
    /// Columns of the grid that are wanted.
    pub(super) columns: Range<u32>,
    /// First row of the grid that is not wanted.
    pub(super) bottom: u32,
}

/// A plane's tiles within one window.
#[derive(Debug)]
pub(super) struct Lane {
    job: Job,
    plane: usize,
    /// The samples of each pixel in this plane's rows that are wanted.
    pub(super) picks: Vec<usize>,
    input: Input,
    unpacker: Unpacker,
    block: Vec<u8>,
    tile: Option<Tile>,
}

/// The tile that a lane is in.
#[derive(Debug)]
struct Tile {
    place: (u32, u32),
    /// Rows of it that have been made.
    done: u32,
    content: Content,
}

#[derive(Debug)]
enum Content {
    /// Rows come from the lane's decompressor.
    Stream,
    /// All rows are in the lane's block.
    Whole,
    /// Rows of a picture that is decoded whole.
    Decoded(Raster),
    /// The tile was never written: zeroes.
    Absent,
}

impl Lane {
    /// The tiles of `plane`; of each pixel in its rows `picks` are wanted.
    pub(super) fn new(job: &Job, plane: usize, picks: Vec<usize>) -> Self {
        Self {
            input: Input::new(Arc::clone(&job.reader), job.layout.reversed),
            unpacker: Unpacker::new(&job.layout),
            job: job.clone(),
            plane,
            picks,
            block: Vec::new(),
            tile: None,
        }
    }

    /// Hands rows `rows` of the tile at `place` (row and column of the grid) to `take`, in order,
    /// with their number. Within a tile, rows that have passed do not come back.
    pub(super) fn rows(
        &mut self,
        place: (u32, u32),
        rows: Range<u32>,
        take: &mut dyn FnMut(u32, &mut [u8]),
    ) -> Result<()> {
        let mut tile = match self.tile.take() {
            Some(tile) if tile.place == place && tile.done <= rows.start => tile,
            _ => self.open(place)?,
        };
        match &mut tile.content {
            Content::Stream => self.stream(tile.done, rows.clone(), take)?,
            Content::Whole => self.give_block(rows.clone(), take),
            Content::Decoded(raster) => from_raster(raster, rows.clone(), take),
            Content::Absent => {
                self.make_block(1);
                for row in rows.clone() {
                    self.block.fill(0);
                    take(row, &mut self.block);
                }
            }
        }
        tile.done = rows.end;
        self.tile = Some(tile);
        Ok(())
    }

    fn open(&mut self, place: (u32, u32)) -> Result<Tile> {
        self.job.cancel.check()?;
        let (row, column) = place;
        let bytes = self.job.layout.tile(self.plane, row, column);
        let content = if bytes.offset == 0 && bytes.length == 0 {
            Content::Absent
        } else {
            // Looking ahead takes as long as the run is, so it is done once for each read.
            let ahead = if self.input.holds(bytes) {
                0
            } else {
                self.ahead(row, column)
            };
            self.input.open(bytes, ahead)?;
            if self.job.layout.is_whole() {
                self.decode(row, column)?
            } else {
                self.unpacker.begin(&mut self.input)?;
                self.unpack_whole(row)?
            }
        };
        Ok(Tile {
            place,
            done: 0,
            content,
        })
    }

    fn decode(&mut self, row: u32, column: u32) -> Result<Content> {
        let (layout, limits) = (&self.job.layout, &self.job.limits);
        let (input, cancel) = (&mut self.input, &self.job.cancel);
        let raster = if let Some(units) = layout.units {
            let cell = Dimensions {
                width: layout.grid.tile.width,
                height: layout.grid.stored_rows(row),
            };
            let pixels = if layout.separate {
                let mut planes = [const { Vec::new() }; 3];
                for (plane, packed) in planes.iter_mut().enumerate() {
                    let bytes = layout.tile(plane, row, column);
                    input.open(bytes, 0)?;
                    let shape = units.plane(plane, cell);
                    *packed = if layout.compression == Compression::Jpeg {
                        jpeg_tile::decode_plane(layout, input, shape, limits, cancel)?
                    } else {
                        unpacked(&mut self.unpacker, input, shape.area())?
                    };
                }
                units.put_together(&planes, cell)
            } else {
                let packed = unpacked(&mut self.unpacker, input, units.bytes(cell))?;
                units.pixels(&packed, cell)
            };
            Raster::from_u8(cell, Channels::Rgb, pixels)?
        } else if layout.compression == Compression::SgiLog {
            let cell = jpeg_tile::expected(layout, row, input, "SGILog")?;
            let pixels = luv::pixels(&input.rest()?, cell, layout.row.samples)?;
            Raster::from_u8(cell, layout.pixels.format().channels, pixels)?
        } else if layout.compression.is_newer() {
            picture_tile::decode(layout, row, input, limits, cancel)?
        } else if let Some(old) = &layout.old_jpeg {
            let stream = old.stream(self.job.reader.as_ref())?;
            jpeg_tile::decode_stream(layout, &stream, layout.grid.image, limits, cancel)?
        } else if layout.compression == Compression::Webp {
            webp_tile::decode(layout, row, input, limits)?
        } else {
            jpeg_tile::decode(layout, row, input, limits, cancel)?
        };
        Ok(Content::Decoded(raster))
    }

    /// End of the tiles that lie right behind this one in the file and are wanted after it.
    fn ahead(&self, mut row: u32, mut column: u32) -> u64 {
        let first = self.job.layout.tile(self.plane, row, column);
        let mut end = first.offset.saturating_add(first.length);
        loop {
            column += 1;
            if column == self.job.columns.end {
                (row, column) = (row + 1, self.job.columns.start);
            }
            if row >= self.job.bottom {
                return end;
            }
            let next = self.job.layout.tile(self.plane, row, column);
            let reach = next.offset.saturating_add(next.length);
            if next.length == 0 || next.offset != end || reach - first.offset > READ_BYTES {
                return end;
            }
            end = reach;
        }
    }

    /// The tile's rows at once, where it fits a block and its compression can; else one after the other.
    fn unpack_whole(&mut self, row: u32) -> Result<Content> {
        let rows = self.job.layout.grid.stored_rows(row);
        if self.job.layout.row_bytes() * u64::from(rows) > BLOCK_BYTES {
            return Ok(Content::Stream);
        }
        self.make_block(rows);
        let whole = self.unpacker.fill_whole(&mut self.input, &mut self.block)?;
        Ok(if whole {
            Content::Whole
        } else {
            Content::Stream
        })
    }

    fn give_block(&mut self, rows: Range<u32>, take: &mut dyn FnMut(u32, &mut [u8])) {
        let row_len = usize::try_from(self.job.layout.row_bytes()).expect("it fits a block");
        let all = self.block.chunks_exact_mut(row_len);
        for (row, bytes) in rows.clone().zip(all.skip(rows.start as usize)) {
            take(row, bytes);
        }
    }

    fn stream(
        &mut self,
        done: u32,
        rows: Range<u32>,
        take: &mut dyn FnMut(u32, &mut [u8]),
    ) -> Result<()> {
        let size = self.job.layout.row_bytes();
        let at_a_time = rows_of_a_block(size).min(self.job.layout.grid.tile.height);
        self.make_block(at_a_time);
        let above = u64::from(rows.start - done) * size;
        self.unpacker
            .skip(&mut self.input, above, &mut self.block)?;
        let mut row = rows.start;
        while row < rows.end {
            self.job.cancel.check()?;
            let count = at_a_time.min(rows.end - row) as usize;
            let row_len = self.block.len() / at_a_time as usize;
            let block = &mut self.block[..count * row_len];
            self.unpacker.fill(&mut self.input, block)?;
            for bytes in block.chunks_exact_mut(row_len) {
                take(row, bytes);
                row += 1;
            }
        }
        Ok(())
    }

    /// Gives the block room for exactly `rows` rows; the price has reserved it.
    fn make_block(&mut self, rows: u32) {
        let bytes = self.job.layout.row_bytes() * u64::from(rows);
        let bytes = usize::try_from(bytes).expect("within the limits of a decode");
        self.block.resize(bytes, 0);
    }
}

/// The next `count` bytes of the tile that `input` has just opened.
fn unpacked(unpacker: &mut Unpacker, input: &mut Input, count: u64) -> Result<Vec<u8>> {
    let count = usize::try_from(count);
    let count = count.map_err(|cause| Error::internal("sizing a tile").with_source(cause))?;
    let mut packed = vec![0; count];
    unpacker.begin(input)?;
    unpacker.fill(input, &mut packed)?;
    Ok(packed)
}

/// Rows of `size` bytes that are decompressed at a time.
pub(super) fn rows_of_a_block(size: u64) -> u32 {
    u32::try_from(BLOCK_BYTES / size).unwrap_or(u32::MAX).max(1)
}

fn from_raster(raster: &mut Raster, rows: Range<u32>, take: &mut dyn FnMut(u32, &mut [u8])) {
    let row_len = raster.row_len();
    let skipped = rows.start as usize;
    match raster.samples_mut() {
        Samples::U8(samples) => {
            let all = samples.chunks_exact_mut(row_len);
            for (row, bytes) in rows.zip(all.skip(skipped)) {
                take(row, bytes);
            }
        }
        Samples::U16(samples) => {
            let mut bytes = Vec::with_capacity(2 * row_len);
            for (row, words) in rows.zip(samples.chunks_exact(row_len).skip(skipped)) {
                bytes.clear();
                bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()));
                take(row, &mut bytes);
            }
        }
    }
}
