//! Interleaved samples ↔ planes of bytes, a band of eight rows at a time.
//!
//! Colours become green and the other two's differences from it, which in photographs are small.
//! Samples of 16 bits are two planes, low bytes and high bytes: sums modulo 256 of the low ones are
//! those of the samples. Their differences stand around 128, so that small ones of both signs have the
//! same high byte.

use super::bits::Block;
use super::lanes::{add, sub};

/// Where differences of 16 bits stand when there is none.
const MIDDLE: u16 = 128;

/// Reads eight rows of a picture, `row` samples each, into blocks: first those of channel 0, then of
/// channel 1 …; `planes` has room for all. What lies beyond the last column or row repeats it.
pub(super) fn split_eight<const N: usize>(rows: [&[u8]; 8], planes: &mut [Vec<Block>]) {
    for (y, row) in rows.into_iter().enumerate() {
        let (pixels, _) = row.as_chunks::<N>();
        for (at, eight) in eights(pixels) {
            let word = |channel: usize| u64::from_le_bytes(eight.map(|pixel| pixel[channel]));
            let words: [u64; N] = std::array::from_fn(word);
            for (plane, word) in planes.iter_mut().zip(apart(words)) {
                plane[at][y] = word;
            }
        }
    }
}

/// Undoes [`split_eight`] for one row.
#[inline]
pub(super) fn join_eight<const N: usize>(planes: &[Vec<Block>], y: usize, row: &mut [u8]) {
    let (pixels, _) = row.as_chunks_mut::<N>();
    for (at, eight) in pixels.chunks_mut(8).enumerate() {
        let words: [u64; N] = std::array::from_fn(|channel| planes[channel][at][y & 7]);
        let words = together(words).map(u64::to_le_bytes);
        if let Some(eight) = eight.first_chunk_mut::<8>() {
            for (x, pixel) in eight.iter_mut().enumerate() {
                *pixel = std::array::from_fn(|channel| words[channel][x]);
            }
        } else {
            for (x, pixel) in eight.iter_mut().enumerate() {
                *pixel = std::array::from_fn(|channel| words[channel][x & 7]);
            }
        }
    }
}

/// As [`split_eight`], for samples of 16 bits: planes of low bytes, then of high bytes.
pub(super) fn split_sixteen<const N: usize>(rows: [&[u16]; 8], planes: &mut [Vec<Block>]) {
    for (y, row) in rows.into_iter().enumerate() {
        let (pixels, _) = row.as_chunks::<N>();
        for (at, eight) in eights(pixels) {
            let eight = eight.map(apart_sixteen);
            let (low, high) = planes.split_at_mut(N);
            for (channel, (low, high)) in low.iter_mut().zip(high).enumerate() {
                let bytes = eight.map(|pixel| pixel[channel].to_le_bytes());
                low[at][y] = u64::from_le_bytes(bytes.map(|[low, _]| low));
                high[at][y] = u64::from_le_bytes(bytes.map(|[_, high]| high));
            }
        }
    }
}

/// Undoes [`split_sixteen`] for one row.
pub(super) fn join_sixteen<const N: usize>(planes: &[Vec<Block>], y: usize, row: &mut [u16]) {
    let (pixels, _) = row.as_chunks_mut::<N>();
    for (at, eight) in pixels.chunks_mut(8).enumerate() {
        let bytes = |plane: usize| planes[plane][at][y & 7].to_le_bytes();
        let low: [_; N] = std::array::from_fn(bytes);
        let high: [_; N] = std::array::from_fn(|channel| bytes(N + channel));
        for (x, pixel) in eight.iter_mut().enumerate() {
            let sample =
                |channel: usize| u16::from_le_bytes([low[channel][x & 7], high[channel][x & 7]]);
            *pixel = together_sixteen(std::array::from_fn(sample));
        }
    }
}

/// Eight pixels at a time with their block's number; the last ones repeat the row's last.
fn eights<T: Copy>(pixels: &[T]) -> impl Iterator<Item = (usize, [T; 8])> {
    let last = pixels.len().saturating_sub(1);
    pixels.chunks(8).enumerate().map(move |(at, some)| {
        let eight = some.first_chunk::<8>().copied();
        let eight =
            eight.unwrap_or_else(|| std::array::from_fn(|x| pixels[(8 * at + x).min(last)]));
        (at, eight)
    })
}

/// Red and blue as differences from green, where there are three colours.
#[inline]
fn apart<const N: usize>(mut words: [u64; N]) -> [u64; N] {
    if N >= 3 {
        words[0] = sub(words[0], words[1]);
        words[2] = sub(words[2], words[1]);
    }
    words
}

/// Undoes [`apart`].
#[inline]
fn together<const N: usize>(mut words: [u64; N]) -> [u64; N] {
    if N >= 3 {
        words[0] = add(words[0], words[1]);
        words[2] = add(words[2], words[1]);
    }
    words
}

fn apart_sixteen<const N: usize>(mut pixel: [u16; N]) -> [u16; N] {
    if N >= 3 {
        pixel[0] = pixel[0].wrapping_sub(pixel[1]).wrapping_add(MIDDLE);
        pixel[2] = pixel[2].wrapping_sub(pixel[1]).wrapping_add(MIDDLE);
    }
    pixel
}

#[inline]
fn together_sixteen<const N: usize>(mut pixel: [u16; N]) -> [u16; N] {
    if N >= 3 {
        pixel[0] = pixel[0].wrapping_add(pixel[1]).wrapping_sub(MIDDLE);
        pixel[2] = pixel[2].wrapping_add(pixel[1]).wrapping_sub(MIDDLE);
    }
    pixel
}
