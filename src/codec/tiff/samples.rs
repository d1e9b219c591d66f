//! One row of a tile as it left decompression → the wanted columns and samples of it, at their place
//! in a row of interleaved pixels.
//!
//! Undoes the predictor, the byte order and packed bits. What the samples mean is left to `pixels`.

use std::ops::Range;

use super::directory::ByteOrder;

/// How samples stand in a row's bytes.
#[derive(Debug)]
pub(super) struct RowFormat {
    /// Per sample: 1, 2, 4, 8 or 16.
    pub(super) bits: u8,
    /// Of samples of 16 bits.
    pub(super) order: ByteOrder,
    /// Samples hold the difference from the pixel before (TIFF 6.0, section 14).
    pub(super) predictor: bool,
    /// What brings fewer than 8 bits to the full range; 1 for indices into a palette.
    pub(super) spread: u8,
    /// Samples of a pixel in the row.
    pub(super) samples: usize,
}

/// Which part of a row goes where.
#[derive(Debug)]
pub(super) struct Cut<'a> {
    /// Columns of the row.
    pub(super) columns: Range<usize>,
    /// Which samples of each pixel, in the order in which they leave.
    pub(super) picks: &'a [usize],
    /// Samples of a pixel that leaves.
    pub(super) stride: usize,
    /// The first of these that is written.
    pub(super) first: usize,
}

/// Numbers of one row, before they are cut: kept between rows so that nothing is reserved for each.
#[derive(Debug, Default)]
pub(super) struct RowScratch {
    bytes: Vec<u8>,
    words: Vec<u16>,
}

impl RowFormat {
    /// Writes the cut of a row of at most 8 bits into `out`, the pixels of the cut's columns.
    pub(super) fn place_u8(
        &self,
        raw: &mut [u8],
        scratch: &mut RowScratch,
        cut: &Cut<'_>,
        out: &mut [u8],
    ) {
        if self.bits == 8 {
            if self.predictor {
                accumulate(raw, self.samples, u8::wrapping_add);
            }
            place(raw, self.samples, cut, out);
            return;
        }
        self.spread_bits(raw, &mut scratch.bytes);
        place(&scratch.bytes, self.samples, cut, out);
    }

    /// Writes the cut of a row of 16 bits into `out`, the pixels of the cut's columns.
    pub(super) fn place_u16(
        &self,
        raw: &[u8],
        scratch: &mut RowScratch,
        cut: &Cut<'_>,
        out: &mut [u16],
    ) {
        let words = &mut scratch.words;
        words.clear();
        let (pairs, _) = raw.as_chunks::<2>();
        match self.order {
            ByteOrder::Little => words.extend(pairs.iter().map(|pair| u16::from_le_bytes(*pair))),
            ByteOrder::Big => words.extend(pairs.iter().map(|pair| u16::from_be_bytes(*pair))),
        }
        if self.predictor {
            accumulate(words, self.samples, u16::wrapping_add);
        }
        place(words, self.samples, cut, out);
    }

    /// One byte for each sample of fewer than 8 bits, the first in a byte's highest bits.
    fn spread_bits(&self, raw: &[u8], out: &mut Vec<u8>) {
        let mask = (1_u8 << self.bits) - 1;
        out.clear();
        for byte in raw {
            let mut shift = 8;
            while shift > 0 {
                shift -= self.bits;
                out.push(((byte >> shift) & mask) * self.spread);
            }
        }
    }
}

/// Adds to every sample the same sample of the pixel before. The usual counts have a loop of their own:
/// its sums stay in registers, where memory would make each pixel wait for the last one's store.
fn accumulate<T: Copy + Default>(row: &mut [T], samples: usize, add: impl Fn(T, T) -> T) {
    match samples {
        1 => accumulate_pixels::<T, 1>(row, add),
        2 => accumulate_pixels::<T, 2>(row, add),
        3 => accumulate_pixels::<T, 3>(row, add),
        4 => accumulate_pixels::<T, 4>(row, add),
        _ => {
            for at in samples..row.len() {
                row[at] = add(row[at], row[at - samples]);
            }
        }
    }
}

fn accumulate_pixels<T: Copy + Default, const SAMPLES: usize>(
    row: &mut [T],
    add: impl Fn(T, T) -> T,
) {
    let mut sums = [T::default(); SAMPLES];
    for pixel in row.as_chunks_mut::<SAMPLES>().0 {
        for (sample, sum) in pixel.iter_mut().zip(&mut sums) {
            *sum = add(*sample, *sum);
            *sample = *sum;
        }
    }
}

fn place<T: Copy>(row: &[T], samples: usize, cut: &Cut<'_>, out: &mut [T]) {
    let part = &row[cut.columns.start * samples..cut.columns.end * samples];
    if cut.picks.len() == samples && cut.stride == samples {
        out.copy_from_slice(part);
        return;
    }
    for (to, from) in out
        .chunks_exact_mut(cut.stride)
        .zip(part.chunks_exact(samples))
    {
        for (sample, pick) in to[cut.first..].iter_mut().zip(cut.picks) {
            *sample = from[*pick];
        }
    }
}
