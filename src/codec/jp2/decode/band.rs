//! A window of a band, row by row, out of the code-blocks that touch it.
//!
//! Blocks are decoded one row of them at a time, when the first of their rows is asked for, and each once.
//!
//! Source: ISO/IEC 15444-1 annex E (quantisation), H.1 (regions of interest).

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::cancel::Cancel;
use crate::codec::{Crew, Damaged};
use crate::error::{Error, Result};
use crate::reader::RangeReader;

use super::super::block::{self, Block, Modes};
use super::super::codestream::Span;
use super::super::packets::{BlockRef, Blocks, Orientation, Subband, TileIndex};
use super::super::wavelet::{Band, Irreversible, Reversible, Wavelet};
use super::fetch::{self, Fetched};

/// Samples of a code-block (Table A.18).
const BLOCK_SAMPLES: usize = 4096;

/// Fewest blocks that a thread's part of a row of blocks is worth.
const WORTHWHILE_BLOCKS: usize = 4;

/// What decoding the blocks of a tile takes. Its memory is used from one row of blocks to the next.
#[derive(Debug, Default)]
pub(super) struct Tools {
    fetched: Fetched,
    /// One for each thread that has worked so far.
    benches: Mutex<Vec<Bench>>,
}

/// What decoding one block takes.
#[derive(Debug)]
struct Bench {
    decoder: block::Decoder,
    coefficients: Vec<i32>,
    joined: Vec<u8>,
}

impl Bench {
    fn new() -> Self {
        Self {
            decoder: block::Decoder::new(),
            coefficients: vec![0; BLOCK_SAMPLES],
            joined: Vec::new(),
        }
    }

    /// The coefficients of `block`, row by row.
    fn decode(
        &mut self,
        meaning: Meaning,
        block: &BlockRef<'_>,
        fetched: &Fetched,
    ) -> Result<&[i32]> {
        let stride = block.x.length() as usize;
        let coefficients = (self.coefficients)
            .get_mut(..stride * block.y.length() as usize)
            .ok_or_else(|| Error::corrupt("its code-blocks are too large"))?;
        let coded = Block {
            width: block.x.length(),
            height: block.y.length(),
            band: meaning.band,
            modes: Modes(meaning.modes),
            planes: block.planes,
            segments: &fetched.segments(block.pieces, &mut self.joined),
        };
        match self.decoder.decode(&coded, coefficients, stride) {
            Err(error) if meaning.damaged.passes(&error) => coefficients.fill(0),
            done => done?,
        }
        if meaning.shift > 0 {
            unshift(coefficients, meaning.shift);
        }
        Ok(coefficients)
    }
}

impl Tools {
    fn bench(&self) -> Bench {
        let mut benches = self.benches.lock().unwrap_or_else(PoisonError::into_inner);
        benches.pop().unwrap_or_else(Bench::new)
    }

    fn put_back(&self, bench: Bench) {
        let mut benches = self.benches.lock().unwrap_or_else(PoisonError::into_inner);
        benches.push(bench);
    }
}

/// Where blocks come from, and what decodes them.
pub(super) struct Workshop<'a> {
    pub(super) reader: &'a dyn RangeReader,
    pub(super) index: &'a TileIndex,
    pub(super) cancel: &'a Cancel,
    /// Those who may help.
    pub(super) crew: Option<&'a dyn Crew>,
    pub(super) tools: &'a mut Tools,
}

/// Where a band is found in its tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) component: usize,
    pub(super) resolution: usize,
    pub(super) band: usize,
}

impl Address {
    fn find(self, index: &TileIndex) -> Result<&Subband> {
        let component = index.component(self.component);
        let resolution = component.and_then(|c| c.resolutions.get(self.resolution));
        let band = resolution.and_then(|resolution| resolution.bands.get(self.band));
        band.ok_or_else(|| Error::internal("finding a band"))
    }
}

/// How the coefficients of a band's blocks become samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Meaning {
    pub(super) band: block::Band,
    pub(super) modes: u8,
    /// What becomes of a damaged block: nothing is decoded, or it is left out.
    pub(super) damaged: Damaged,
    /// Bits by which the region of interest is shifted up.
    pub(super) shift: u8,
    /// What half a quantisation step stands for.
    pub(super) factor: f32,
}

/// Samples as the wavelets want them.
pub(super) trait Dequantise: Wavelet {
    /// `coefficients` in halves of a step.
    fn dequantise(target: &mut [Self::Sample], coefficients: &[i32], factor: f32);
}

impl Dequantise for Reversible {
    /// Towards zero: what is decoded to the last plane has a half that means nothing (E.1.2).
    fn dequantise(target: &mut [i32], coefficients: &[i32], _factor: f32) {
        for (sample, halves) in target.iter_mut().zip(coefficients) {
            *sample = halves / 2;
        }
    }
}

impl Dequantise for Irreversible {
    fn dequantise(target: &mut [f32], coefficients: &[i32], factor: f32) {
        for (sample, halves) in target.iter_mut().zip(coefficients) {
            *sample = *halves as f32 * factor;
        }
    }
}

/// The rows of a window of one band.
pub(super) struct BandRows<W: Wavelet> {
    address: Address,
    meaning: Meaning,
    x: Span,
    /// What is left to be given.
    y: Span,
    /// The rows that are decoded.
    held: Span,
    rows: Vec<W::Sample>,
}

impl<W: Dequantise> BandRows<W> {
    pub(super) const fn new(address: Address, meaning: Meaning, x: Span, y: Span) -> Self {
        Self {
            address,
            meaning,
            x,
            y,
            held: Span { start: 0, end: 0 },
            rows: Vec::new(),
        }
    }

    /// Whether the next `count` rows are decoded.
    pub(super) const fn holds(&self, count: u32) -> bool {
        count == 0 || self.x.length() == 0 || self.y.start + count <= self.held.end
    }

    /// Whether it has given all rows that are decoded, and has more to give.
    pub(super) const fn is_exhausted(&self) -> bool {
        self.x.length() > 0 && self.y.start >= self.held.end && self.y.start < self.y.end
    }

    /// Makes room for the row of blocks that the next row is in; gives these.
    fn open(&mut self, workshop: &Workshop<'_>) -> Result<Blocks> {
        let band = self.address.find(workshop.index)?;
        let start = self.y.start;
        let below = ((start >> band.block.1) + 1).checked_shl(band.block.1.into());
        self.held = Span {
            start,
            end: below.unwrap_or(u32::MAX).min(self.y.end),
        };
        let count = self.x.length() as usize * self.held.length() as usize;
        self.rows.clear();
        self.rows.resize(count, W::Sample::default());
        let index = workshop.index;
        index.blocks(workshop.reader, band, self.x, self.held)
    }

    /// Decodes the row of blocks that the next row is in, one after the other.
    fn fill(&mut self, workshop: &mut Workshop<'_>) -> Result<()> {
        let blocks = self.open(workshop)?;
        let blocks: Vec<_> = blocks.iter().collect();
        let mut bench = workshop.tools.bench();
        for some in fetch::portions(&blocks) {
            workshop.fetch(some)?;
            for block in some {
                workshop.cancel.check()?;
                let fetched = &workshop.tools.fetched;
                let coefficients = bench.decode(self.meaning, block, fetched)?;
                if let Some(part) = self.part(block) {
                    let skipped = part.row_in_block * part.stride + part.column_in_block;
                    let rest = coefficients.get(skipped..).unwrap_or_default();
                    self.place(&part, rest.chunks(part.stride));
                }
            }
        }
        workshop.tools.put_back(bench);
        Ok(())
    }

    /// What is wanted of a block.
    fn part(&self, block: &BlockRef<'_>) -> Option<Part> {
        let x = block.x.intersection(self.x)?;
        let y = block.y.intersection(self.held)?;
        Some(Part {
            row_in_block: (y.start - block.y.start) as usize,
            column_in_block: (x.start - block.x.start) as usize,
            stride: block.x.length() as usize,
            row: (y.start - self.held.start) as usize,
            column: (x.start - self.x.start) as usize,
            width: x.length() as usize,
            height: y.length() as usize,
        })
    }

    /// Puts a part of a block at its place; `lines` begin with its columns.
    fn place<'l>(&mut self, part: &Part, lines: impl Iterator<Item = &'l [i32]>) {
        let width = self.x.length() as usize;
        let targets = self.rows.chunks_exact_mut(width).skip(part.row);
        for (target, line) in targets.zip(lines).take(part.height) {
            let target = target.get_mut(part.column..part.column + part.width);
            W::dequantise(target.unwrap_or_default(), line, self.meaning.factor);
        }
    }
}

/// The part of a block that a band wants, in the block and in the rows that are held.
#[derive(Debug, Clone, Copy)]
struct Part {
    row_in_block: usize,
    column_in_block: usize,
    stride: usize,
    row: usize,
    column: usize,
    width: usize,
    height: usize,
}

impl Part {
    /// Its coefficients alone, of those of the block.
    fn cut(&self, coefficients: &[i32]) -> Vec<i32> {
        let mut part = Vec::with_capacity(self.width * self.height);
        let lines = coefficients.chunks_exact(self.stride);
        for line in lines.skip(self.row_in_block).take(self.height) {
            let columns = self.column_in_block..self.column_in_block + self.width;
            part.extend_from_slice(line.get(columns).unwrap_or_default());
        }
        part
    }
}

/// Decodes the next rows of blocks of all of `bands`, on several threads where some are free.
///
/// # Errors
///
/// Those of the reader, of the request, and of the block decoder.
pub(super) fn fill_shared<W: Dequantise>(
    bands: &mut [&mut BandRows<W>],
    workshop: &mut Workshop<'_>,
    crew: &dyn Crew,
) -> Result<()> {
    let mut opened = Vec::with_capacity(bands.len());
    for band in bands.iter_mut() {
        opened.push(band.open(workshop)?);
    }
    let (mut owners, mut blocks) = (Vec::new(), Vec::new());
    for (owner, all) in opened.iter().enumerate() {
        blocks.extend(all.iter());
        owners.resize(blocks.len(), owner);
    }
    let mut owners = owners.as_slice();
    for some in fetch::portions(&blocks) {
        workshop.fetch(some)?;
        let (here, rest) = owners.split_at(some.len());
        owners = rest;
        let jobs: Vec<_> = some
            .iter()
            .zip(here)
            .filter_map(|(block, owner)| {
                let band = bands.get(*owner)?;
                Some((*owner, block, band.meaning, band.part(block)?))
            })
            .collect();
        let decoded = workshop.decode(&jobs, crew)?;
        for ((owner, _, _, part), coefficients) in jobs.iter().zip(decoded) {
            if let Some(band) = bands.get_mut(*owner) {
                band.place(part, coefficients.chunks_exact(part.width));
            }
        }
    }
    Ok(())
}

/// A block, whose it is, what it means, and what is wanted of it.
type Job<'j> = (usize, &'j BlockRef<'j>, Meaning, Part);

impl Workshop<'_> {
    /// Reads the bytes of `blocks`.
    fn fetch(&mut self, blocks: &[BlockRef<'_>]) -> Result<()> {
        let pieces = blocks.iter().flat_map(|block| block.pieces.iter());
        self.tools.fetched.read(self.reader, pieces)
    }

    /// What is wanted of the blocks of `jobs`, in their order.
    fn decode(&self, jobs: &[Job<'_>], crew: &dyn Crew) -> Result<Vec<Vec<i32>>> {
        let (tools, cancel) = (&*self.tools, self.cancel);
        let next = AtomicUsize::new(0);
        let decoded: Vec<OnceLock<Result<Vec<i32>>>> =
            jobs.iter().map(|_| OnceLock::new()).collect();
        let helpers = (jobs.len() / WORTHWHILE_BLOCKS).saturating_sub(1);
        crew.share(helpers, &|| {
            let mut bench = tools.bench();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let (Some(job), Some(place)) = (jobs.get(number), decoded.get(number)) else {
                    break;
                };
                let (_, block, meaning, part) = job;
                let coefficients = cancel.check().and_then(|()| {
                    let all = bench.decode(*meaning, block, &tools.fetched)?;
                    Ok(part.cut(all))
                });
                if coefficients.is_err() {
                    // The others need not begin what nobody will use.
                    next.store(jobs.len(), Ordering::Relaxed);
                }
                place.get_or_init(|| coefficients);
            }
            tools.put_back(bench);
        });
        let mut decoded: Vec<_> = decoded.into_iter().map(OnceLock::into_inner).collect();
        let failed = decoded.iter().position(|one| matches!(one, Some(Err(_))));
        if let Some(Err(error)) = failed.and_then(|at| decoded.swap_remove(at)) {
            return Err(error);
        }
        let missing = || Err(Error::internal("decoding fewer blocks than are wanted"));
        let all = decoded.into_iter().map(|one| one.unwrap_or_else(missing));
        all.collect()
    }
}

impl<W: Dequantise> Band<W::Sample, Workshop<'_>> for BandRows<W> {
    fn next_row(&mut self, workshop: &mut Workshop<'_>) -> Result<&mut [W::Sample]> {
        if self.y.start >= self.y.end {
            return Err(Error::internal("asking for rows below a band"));
        }
        if self.x.length() == 0 {
            self.y.start += 1;
            return Ok(&mut []);
        }
        if self.y.start >= self.held.end {
            self.fill(workshop)?;
        }
        let width = self.x.length() as usize;
        let at = (self.y.start - self.held.start) as usize * width;
        self.y.start += 1;
        self.rows
            .get_mut(at..at + width)
            .ok_or_else(|| Error::internal("finding a row of a band"))
    }
}

pub(super) const fn kind(orientation: Orientation) -> block::Band {
    match orientation {
        Orientation::Ll => block::Band::Ll,
        Orientation::Hl => block::Band::Hl,
        Orientation::Lh => block::Band::Lh,
        Orientation::Hh => block::Band::Hh,
    }
}

/// Moves the region of interest down: what reaches 2^`shift` was moved up (H.1). Values are in halves.
fn unshift(coefficients: &mut [i32], shift: u8) {
    let threshold = 1_u32.checked_shl(u32::from(shift) + 1).unwrap_or(u32::MAX);
    for value in coefficients {
        if value.unsigned_abs() >= threshold {
            // Towards zero, as magnitudes are.
            let moved = value.unsigned_abs().checked_shr(shift.into()).unwrap_or(0);
            let moved = i32::try_from(moved).unwrap_or(i32::MAX);
            *value = if *value < 0 { -moved } else { moved };
        }
    }
}
