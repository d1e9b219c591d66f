//! Decoded components → pixels: sign, palette, mixed colours, depth and opacity.
//!
//! Works on rows of one tile's part. A component that is sampled more coarsely gives every pixel the sample
//! that covers it. Values are scaled to the full range of 8 or 16 bits, rounded to nearest.

use crate::error::{Error, Result};
use crate::geometry::Dimensions;
use crate::raster::{Depth, Samples};

use super::super::boxes::Precision;
use super::super::channels::{Layout, Source};
use super::super::codestream::Span;
use super::super::palette::Palette;
use super::super::spaces::Sums;

/// How channels become pixels, made once for a decode.
pub(super) struct Pixels {
    channels: Vec<Channel>,
    /// What makes colours of the first three channels, if they are none.
    sums: Option<Sums>,
    /// The full value of opacity, if colours are multiplied by it.
    premultiplied: Option<u16>,
}

/// One channel: which component, and what its values become.
struct Channel {
    component: usize,
    /// What makes the lowest stored value 0.
    offset: i32,
    /// The value in the pixel for each stored one.
    table: Vec<u16>,
    /// Whether the table gives every value of the pixel for itself.
    is_identity: bool,
}

impl Pixels {
    pub(super) fn new(layout: &Layout) -> Self {
        let full = match layout.format.depth {
            Depth::Eight => u16::from(u8::MAX),
            Depth::Sixteen => u16::MAX,
        };
        let channel = |source: &Source| Channel::new(*source, layout.palette.as_ref(), full);
        let mut channels: Vec<_> = layout.sources.iter().map(channel).collect();
        for channel in channels.iter_mut().take(layout.inverted()) {
            channel.invert(full);
        }
        Self {
            channels,
            sums: layout.sums,
            premultiplied: layout.is_premultiplied.then_some(full),
        }
    }

    /// How many channels a pixel has, 1 to 5.
    pub(super) fn channels(&self) -> usize {
        self.channels.len()
    }

    /// The component of a channel.
    pub(super) fn component(&self, channel: usize) -> usize {
        self.channels.get(channel).map_or(0, |c| c.component)
    }

    /// The components of all channels.
    pub(super) fn components(&self) -> Vec<usize> {
        self.channels.iter().map(|c| c.component).collect()
    }

    /// Whether stored values are the pixels' own, but for what makes the lowest 0.
    fn are_plain(&self) -> bool {
        let alone = self.sums.is_none() && self.premultiplied.is_none();
        alone && self.channels.iter().all(|channel| channel.is_identity)
    }

    /// Stored values of whole pixels → what the pixels hold.
    fn finish(&self, line: &mut [i32]) -> Vec<u16> {
        for pixel in line.chunks_exact_mut(self.channels.len()) {
            for (value, channel) in pixel.iter_mut().zip(&self.channels) {
                *value += channel.offset;
            }
            if let Some(sums) = &self.sums {
                sums.mix(pixel);
            }
        }
        let channels = self.channels.iter().cycle();
        let mut finished: Vec<u16> = line
            .iter()
            .zip(channels)
            .map(|(value, channel)| channel.look_up(*value))
            .collect();
        if let Some(full) = self.premultiplied {
            for pixel in finished.chunks_exact_mut(self.channels.len()) {
                divide_by_opacity(pixel, full);
            }
        }
        finished
    }
}

impl Channel {
    fn new(source: Source, palette: Option<&Palette>, full: u16) -> Self {
        let scale = |value: i32| scaled(value, source.precision, full);
        if let (Some(column), Some(palette)) = (source.column, palette) {
            let rows = palette.values.chunks(palette.columns.len().max(1));
            let table = rows.filter_map(|row| row.get(column)).map(|v| scale(*v));
            return Self {
                component: source.component,
                offset: 0,
                table: table.collect(),
                is_identity: false,
            };
        }
        let offset = lowest(source.precision);
        let values = 0..(1_i32 << source.precision.bits);
        Self {
            component: source.component,
            offset: -offset,
            is_identity: values.end - 1 == i32::from(full),
            table: values.map(|value| scale(value + offset)).collect(),
        }
    }

    /// Makes the lowest value the highest.
    fn invert(&mut self, full: u16) {
        self.table
            .iter_mut()
            .for_each(|value| *value = full - *value);
        self.is_identity = false;
    }

    /// Values outside the table are those at its ends.
    fn look_up(&self, value: i32) -> u16 {
        let index = usize::try_from(value).unwrap_or(0);
        let last = self.table.len().saturating_sub(1);
        self.table.get(index.min(last)).copied().unwrap_or(0)
    }
}

/// The lowest value of samples of `precision`.
const fn lowest(precision: Precision) -> i32 {
    if precision.signed {
        -(1 << (precision.bits - 1))
    } else {
        0
    }
}

/// `value` moved from 0 up to 2^bits − 1 into 0 up to `full`, rounded to nearest.
fn scaled(value: i32, precision: Precision, full: u16) -> u16 {
    let highest = (1_u64 << precision.bits) - 1;
    let value = u64::try_from(value - lowest(precision)).unwrap_or(0);
    let scaled = (value.min(highest) * u64::from(full) + highest / 2) / highest;
    u16::try_from(scaled).unwrap_or(full)
}

/// Straight colours of a pixel whose last sample is opacity.
fn divide_by_opacity(pixel: &mut [u16], full: u16) {
    let Some((opacity, colours)) = pixel.split_last_mut() else {
        return;
    };
    let opacity = u32::from(*opacity);
    for colour in colours {
        let product = u32::from(*colour) * u32::from(full);
        let straight = (product + opacity / 2).checked_div(opacity).unwrap_or(0);
        *colour = u16::try_from(straight).map_or(full, |straight| straight.min(full));
    }
}

/// A channel's row of values, and where it lies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) values: &'a [i32],
    /// Which samples of the component they are, counted from the grid's origin.
    pub(super) x: Span,
    /// Pixels across for each sample.
    pub(super) ratio: u32,
}

impl<'a> Row<'a> {
    /// The values for the pixels of `columns`, where each has its own and all are there.
    fn own(&self, columns: Span) -> Option<&'a [i32]> {
        let start = columns.start.checked_sub(self.x.start)? as usize;
        let values = self.values.get(start..start + columns.length() as usize);
        values.filter(|_| self.ratio == 1)
    }
}

/// Which sample of `span` covers pixel `at`; at the edges of a tile, the nearest one there is.
pub(super) fn covering(span: Span, at: u32, ratio: u32) -> u32 {
    let last = span.length().saturating_sub(1);
    (at / ratio).saturating_sub(span.start).min(last)
}

/// The columns of a strip that one tile fills.
pub(super) struct Canvas<'a> {
    samples: &'a mut Samples,
    width: usize,
    channels: usize,
    left: usize,
}

impl<'a> Canvas<'a> {
    /// Of a strip of `dimensions`, from column `left` on.
    pub(super) fn new(
        samples: &'a mut Samples,
        dimensions: Dimensions,
        channels: usize,
        left: u32,
    ) -> Self {
        Self {
            samples,
            width: dimensions.width as usize,
            channels,
            left: left as usize,
        }
    }

    /// Paints the pixels of `columns` (counted from the grid's origin) in row `place` of the strip, out
    /// of one row for each channel.
    pub(super) fn paint(
        &mut self,
        place: usize,
        pixels: &Pixels,
        rows: &[Row<'_>],
        columns: Span,
    ) -> Result<()> {
        let own = || rows.iter().map(|row| row.own(columns)).collect();
        if pixels.are_plain()
            && let Some(own) = own()
        {
            return self.store_plain(place, columns, pixels, own);
        }
        let mut line = vec![0; columns.length() as usize * self.channels];
        for (channel, row) in rows.iter().enumerate() {
            let targets = line.iter_mut().skip(channel).step_by(self.channels);
            if let Some(own) = row.own(columns) {
                targets
                    .zip(own)
                    .for_each(|(target, value)| *target = *value);
                continue;
            }
            for (target, x) in targets.zip(columns.start..columns.end) {
                let index = covering(row.x, x, row.ratio) as usize;
                *target = row.values.get(index).copied().unwrap_or(0);
            }
        }
        self.store(place, &pixels.finish(&mut line))
    }

    /// Stores a row of samples that are the pixels' own, one slice for each channel.
    fn store_plain(
        &mut self,
        row: usize,
        columns: Span,
        pixels: &Pixels,
        own: Vec<&[i32]>,
    ) -> Result<()> {
        let start = (row * self.width + self.left) * self.channels;
        let range = start..start + columns.length() as usize * self.channels;
        let outside = || Error::internal("painting outside a strip of JPEG 2000");
        let offsets = pixels.channels.iter().map(|channel| channel.offset);
        let own = own.into_iter().zip(offsets).collect::<Vec<_>>();
        match self.samples {
            Samples::U8(samples) => {
                interleave(samples.get_mut(range).ok_or_else(outside)?, &own);
            }
            Samples::U16(samples) => {
                interleave(samples.get_mut(range).ok_or_else(outside)?, &own);
            }
        }
        Ok(())
    }

    fn store(&mut self, row: usize, line: &[u16]) -> Result<()> {
        let start = (row * self.width + self.left) * self.channels;
        let range = start..start + line.len();
        let outside = || Error::internal("painting outside a strip of JPEG 2000");
        match self.samples {
            Samples::U8(samples) => {
                let targets = samples.get_mut(range).ok_or_else(outside)?;
                for (target, value) in targets.iter_mut().zip(line) {
                    *target = u8::try_from(*value).unwrap_or(u8::MAX);
                }
            }
            Samples::U16(samples) => samples
                .get_mut(range)
                .ok_or_else(outside)?
                .copy_from_slice(line),
        }
        Ok(())
    }
}

/// A sample of a pixel.
trait Sample: Copy {
    /// The nearest that it can hold.
    fn nearest(value: i32) -> Self;
}

impl Sample for u8 {
    fn nearest(value: i32) -> Self {
        Self::try_from(value.clamp(0, 0xFF)).unwrap_or(0)
    }
}

impl Sample for u16 {
    fn nearest(value: i32) -> Self {
        Self::try_from(value.clamp(0, 0xFFFF)).unwrap_or(0)
    }
}

/// Samples and offsets of each channel → pixels. Rows of colours are what a decode spends its time on.
fn interleave<T: Sample>(line: &mut [T], own: &[(&[i32], i32)]) {
    if let [(a, o), (b, p), (c, q)] = *own {
        let sources = a.iter().zip(b).zip(c);
        let (pixels, _) = line.as_chunks_mut::<3>();
        for (pixel, ((a, b), c)) in pixels.iter_mut().zip(sources) {
            *pixel = [a + o, b + p, c + q].map(T::nearest);
        }
        return;
    }
    for (channel, (source, offset)) in own.iter().enumerate() {
        let targets = line.iter_mut().skip(channel).step_by(own.len());
        for (target, value) in targets.zip(*source) {
            *target = T::nearest(value + offset);
        }
    }
}

/// Repeats the last of `filled` columns and rows of a strip to its right and lower edge.
pub(super) fn repeat_edges(
    samples: &mut Samples,
    dimensions: Dimensions,
    channels: usize,
    filled: (u32, u32),
) {
    let row = dimensions.width as usize * channels;
    let filled = (filled.0 as usize * channels, filled.1 as usize);
    match samples {
        Samples::U8(samples) => repeat(samples, row, channels, filled),
        Samples::U16(samples) => repeat(samples, row, channels, filled),
    }
}

fn repeat<T: Copy>(samples: &mut [T], row: usize, pixel: usize, filled: (usize, usize)) {
    let (columns, rows) = filled;
    if columns < row && columns >= pixel {
        for line in samples.chunks_exact_mut(row).take(rows) {
            for at in (columns..row).step_by(pixel) {
                line.copy_within(at - pixel..at, at);
            }
        }
    }
    let (Some(last), end) = (rows.checked_sub(1), samples.len()) else {
        return;
    };
    for start in (rows * row..end).step_by(row) {
        samples.copy_within(last * row..(last + 1) * row, start);
    }
}
