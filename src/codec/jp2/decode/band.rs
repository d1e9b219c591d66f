//! A window of a band, row by row, out of the code-blocks that touch it.
//!
//! Blocks are decoded one row of them at a time, when the first of their rows is asked for, and each once.
//!
//! Source: ISO/IEC 15444-1 annex E (quantisation), H.1 (regions of interest).

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::cancel::Cancel;
use crate::codec::Crew;
use crate::error::{Error, Result};
use crate::reader::RangeReader;

use super::super::block::{self, Block, Modes};
use super::super::codestream::Span;
use super::super::packets::{BlockRef, Orientation, Subband, TileIndex};
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
        kind: block::Band,
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
            band: kind,
            modes: Modes(meaning.modes),
            planes: block.planes,
            segments: &fetched.segments(block.pieces, &mut self.joined),
        };
        self.decoder.decode(&coded, coefficients, stride)?;
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
    pub(super) modes: u8,
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

    /// Decodes the row of blocks that the next row is in.
    fn fill(&mut self, workshop: &mut Workshop<'_>) -> Result<()> {
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
        let blocks = workshop
            .index
            .blocks(workshop.reader, band, self.x, self.held)?;
        let blocks: Vec<_> = blocks.iter().collect();
        for some in fetch::portions(&blocks) {
            let pieces = some.iter().flat_map(|block| block.pieces.iter());
            workshop.tools.fetched.read(workshop.reader, pieces)?;
            let kind = kind(band.orientation);
            match workshop.crew {
                Some(crew) if some.len() >= 2 * WORTHWHILE_BLOCKS => {
                    self.decode_shared(kind, some, workshop, crew)?;
                }
                _ => self.decode(kind, some, workshop)?,
            }
        }
        Ok(())
    }

    /// Decodes blocks, one after the other.
    fn decode(
        &mut self,
        kind: block::Band,
        blocks: &[BlockRef<'_>],
        workshop: &Workshop<'_>,
    ) -> Result<()> {
        let mut bench = workshop.tools.bench();
        for block in blocks {
            workshop.cancel.check()?;
            let fetched = &workshop.tools.fetched;
            let coefficients = bench.decode(kind, self.meaning, block, fetched)?;
            self.place(block, coefficients);
        }
        workshop.tools.put_back(bench);
        Ok(())
    }

    /// Decodes blocks on several threads, and puts them at their places on this one.
    fn decode_shared(
        &mut self,
        kind: block::Band,
        blocks: &[BlockRef<'_>],
        workshop: &Workshop<'_>,
        crew: &dyn Crew,
    ) -> Result<()> {
        let (tools, cancel, meaning) = (&*workshop.tools, workshop.cancel, self.meaning);
        let next = AtomicUsize::new(0);
        let decoded: Vec<OnceLock<Result<Vec<i32>>>> =
            blocks.iter().map(|_| OnceLock::new()).collect();
        crew.share(blocks.len() / WORTHWHILE_BLOCKS - 1, &|| {
            let mut bench = tools.bench();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let (Some(block), Some(place)) = (blocks.get(number), decoded.get(number)) else {
                    break;
                };
                let coefficients = cancel.check().and_then(|()| {
                    let all = bench.decode(kind, meaning, block, &tools.fetched)?;
                    Ok(all.to_vec())
                });
                if coefficients.is_err() {
                    // The others need not begin what nobody will use.
                    next.store(blocks.len(), Ordering::Relaxed);
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
        for (block, coefficients) in blocks.iter().zip(decoded) {
            let missing = || Err(Error::internal("decoding fewer blocks than are wanted"));
            self.place(block, &coefficients.unwrap_or_else(missing)?);
        }
        Ok(())
    }

    /// Puts what is wanted of a block at its place.
    fn place(&mut self, block: &BlockRef<'_>, coefficients: &[i32]) {
        let (x, y) = (
            block.x.intersection(self.x),
            block.y.intersection(self.held),
        );
        let (Some(x), Some(y)) = (x, y) else {
            return;
        };
        let stride = block.x.length() as usize;
        let width = self.x.length() as usize;
        let skipped = (x.start - block.x.start) as usize;
        let lines = coefficients
            .chunks_exact(stride)
            .skip((y.start - block.y.start) as usize);
        let left = (x.start - self.x.start) as usize;
        let targets = self
            .rows
            .chunks_exact_mut(width)
            .skip((y.start - self.held.start) as usize);
        let length = x.length() as usize;
        for (target, line) in targets.zip(lines).take(y.length() as usize) {
            W::dequantise(
                &mut target[left..left + length],
                &line[skipped..skipped + length],
                self.meaning.factor,
            );
        }
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

const fn kind(orientation: Orientation) -> block::Band {
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
