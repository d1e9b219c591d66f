//! Rows of a window on their way out of the decoder, painted strip by strip.

use super::cover::Cover;
use super::mark::{FULL, Ink, Mark, wide};
use crate::error::{Error, Result};
use crate::geometry::{Dimensions, ScaleFactor, Window};
use crate::raster::{Channels, Raster, Rows, Samples, Shape};

/// What of an overlay lies in a window of a level.
#[derive(Debug)]
pub(super) struct Painter {
    covers: Vec<(Window, [u8; 3])>,
    marks: Vec<(Window, Mark)>,
    factor: ScaleFactor,
    window: Window,
}

impl Painter {
    /// What of `covers` and `marks` lies in `window` of the level with this factor.
    pub(super) fn new(
        covers: &[Cover],
        marks: &[Mark],
        factor: ScaleFactor,
        window: Window,
    ) -> Self {
        let inside = |over: Window| over.intersection(window);
        let covers = (covers.iter())
            .filter_map(|cover| Some((inside(cover.window_at(factor))?, cover.colour)));
        let marks =
            (marks.iter()).filter_map(|mark| Some((inside(mark.window_at(factor))?, mark.clone())));
        Self {
            covers: covers.collect(),
            marks: marks.collect(),
            factor,
            window,
        }
    }

    /// Whether nothing is painted.
    pub(super) fn is_idle(&self) -> bool {
        self.covers.is_empty() && self.marks.is_empty()
    }

    /// Paints a strip whose first row is the `done`th of the window.
    fn paint(&self, strip: &mut Raster, done: u32) {
        let dimensions = strip.dimensions();
        let channels = strip.format().channels;
        let part = Window {
            x: self.window.x,
            y: self.window.y + done,
            width: dimensions.width,
            height: dimensions.height,
        };
        match strip.samples_mut() {
            Samples::U8(samples) => self.paint_samples(samples, channels, part),
            Samples::U16(samples) => self.paint_samples(samples, channels, part),
        }
    }

    fn paint_samples<S: Sample>(&self, samples: &mut [S], channels: Channels, part: Window) {
        let count = channels.count();
        for (window, colour) in &self.covers {
            let Some(over) = window.intersection(part) else {
                continue;
            };
            let [red, green, blue] = colour.map(wide);
            let ink = [red, green, blue, u16::MAX];
            each_row(samples, count, part, over, |row, _| {
                for pixel in row.chunks_exact_mut(count) {
                    lay(pixel, channels, ink);
                }
            });
        }
        for (window, mark) in &self.marks {
            let Some(over) = window.intersection(part) else {
                continue;
            };
            let halvings = mark.halvings(self.factor);
            each_row(samples, count, part, over, |row, y| {
                for (pixel, x) in row.chunks_exact_mut(count).zip(over.x..) {
                    let ink = mark.ink_at(self.factor, halvings, x, y);
                    lay(pixel, channels, ink);
                }
            });
        }
    }
}

/// Hands the part of every row of `part` that lies in `over` to `paint`, with the row's place.
fn each_row<S>(
    samples: &mut [S],
    count: usize,
    part: Window,
    over: Window,
    mut paint: impl FnMut(&mut [S], u32),
) {
    let inside = over.relative_to(part);
    let (from, length) = (inside.x as usize * count, inside.width as usize * count);
    let rows = samples.chunks_exact_mut(part.width as usize * count);
    let rows = rows.skip(inside.y as usize).take(inside.height as usize);
    for (row, y) in rows.zip(over.y..) {
        if let Some(row) = row.get_mut(from..from + length) {
            paint(row, y);
        }
    }
}

/// A sample of either depth.
trait Sample: Copy {
    /// As 0 to 65535.
    fn widened(self) -> u32;
    /// From 0 to 65535.
    fn narrowed(value: u32) -> Self;
}

impl Sample for u8 {
    fn widened(self) -> u32 {
        u32::from(wide(self))
    }

    fn narrowed(value: u32) -> Self {
        Self::try_from((value + 128) / 257).unwrap_or(Self::MAX)
    }
}

impl Sample for u16 {
    fn widened(self) -> u32 {
        u32::from(self)
    }

    fn narrowed(value: u32) -> Self {
        Self::try_from(value).unwrap_or(Self::MAX)
    }
}

/// Lays ink over one pixel.
fn lay<S: Sample>(pixel: &mut [S], channels: Channels, ink: Ink) {
    let [.., opacity] = ink.map(u32::from);
    if opacity == 0 {
        return;
    }
    let through = FULL - opacity;
    let colours = if channels.is_gray() {
        [gray(ink); 3]
    } else {
        let [red, green, blue, _] = ink.map(u32::from);
        [red, green, blue]
    };
    let colour_count = channels.without_alpha().count();
    let (values, alpha) = pixel.split_at_mut(colour_count.min(pixel.len()));
    let Some(alpha) = alpha.first_mut() else {
        for (value, colour) in values.iter_mut().zip(colours) {
            *value = S::narrowed(colour + scaled(value.widened(), through));
        }
        return;
    };
    let below = scaled(alpha.widened(), through);
    let all = opacity + below;
    for (value, colour) in values.iter_mut().zip(colours) {
        let weighted = colour + scaled(value.widened(), below);
        let straight =
            (u64::from(weighted) * u64::from(FULL) + u64::from(all / 2)) / u64::from(all);
        *value = S::narrowed(u32::try_from(straight).unwrap_or(FULL).min(FULL));
    }
    *alpha = S::narrowed(all.min(FULL));
}

/// `value` times `share`, both of 65535.
fn scaled(value: u32, share: u32) -> u32 {
    let product = u64::from(value) * u64::from(share) + u64::from(FULL / 2);
    u32::try_from(product / u64::from(FULL)).unwrap_or(FULL)
}

/// The luma of a colour, by the weights of the gray pass: at most 65535.
///
/// Source: ITU-R BT.601 §2.5.1, in 16 fractional bits.
fn gray([red, green, blue, _]: Ink) -> u32 {
    (19_595 * u32::from(red) + 38_470 * u32::from(green) + 7_471 * u32::from(blue) + 32_768) >> 16
}

/// Rows with the overlay on them.
pub(super) struct Painted {
    rows: Box<dyn Rows>,
    painter: Painter,
    done: u32,
}

impl Painted {
    /// `rows`, which are those of the painter's window.
    pub(super) fn new(rows: Box<dyn Rows>, painter: Painter) -> Self {
        Self {
            rows,
            painter,
            done: 0,
        }
    }

    fn painted(&mut self, strip: Option<Raster>) -> Result<Option<Raster>> {
        let Some(mut strip) = strip else {
            return Ok(None);
        };
        let Dimensions { width, height } = strip.dimensions();
        let window = self.painter.window;
        if width != window.width || height > window.height - self.done {
            return Err(Error::internal("painting rows of another window"));
        }
        self.painter.paint(&mut strip, self.done);
        self.done += height;
        Ok(Some(strip))
    }
}

impl Rows for Painted {
    fn shape(&self) -> Shape {
        self.rows.shape()
    }

    fn next_strip(&mut self) -> Result<Option<Raster>> {
        let strip = self.rows.next_strip()?;
        self.painted(strip)
    }

    fn at_once(&mut self) -> Result<Option<Raster>> {
        let whole = self.rows.at_once()?;
        self.painted(whole)
    }
}
