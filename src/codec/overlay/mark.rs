//! A mark: a small picture with opacity, in every resolution down to one pixel, and where it lies.
//!
//! Everything is computed in integers from places in the full image, so that a pixel has one value
//! whatever window it is in.

use std::sync::Arc;

use super::text;
use crate::cancel::Cancel;
use crate::codec::{DecodeLimits, open};
use crate::error::{Error, ErrorKind, Result};
use crate::geometry::{Dimensions, Orientation, Region, ScaleFactor, Window};
use crate::raster::{Channels, Raster, Samples, gather};
use crate::reader::RangeReader;

/// Most pixels of a mark's own picture: 4 megapixels, 43 MiB with its resolutions.
pub(super) const MOST_PX: u64 = 1 << 22;

/// Red, green and blue weighted by opacity, and opacity, each 0 to 65535.
pub(super) type Ink = [u16; 4];

/// Full opacity, and full colour.
pub(super) const FULL: u32 = 65_535;

/// A mark's picture.
#[derive(Debug)]
pub struct MarkImage {
    /// The picture, then halves of the one before until one pixel is left.
    resolutions: Vec<Resolution>,
}

#[derive(Debug)]
struct Resolution {
    dimensions: Dimensions,
    pixels: Vec<Ink>,
}

impl MarkImage {
    /// The picture in a file of any format that masters have, of 4 megapixels at most.
    ///
    /// # Errors
    ///
    /// As [`open`] and [`Picture::decode`](crate::codec::Picture::decode);
    /// [`ErrorKind::TooLarge`] beyond 4 megapixels.
    pub fn decode(file: Vec<u8>) -> Result<Self> {
        let reader: Arc<dyn RangeReader> = Arc::new(file);
        let limits = DecodeLimits {
            max_area_px: MOST_PX,
            max_bytes: 256 << 20,
            ..DecodeLimits::default()
        };
        let picture = open(reader, 1, &limits)?;
        let (cancel, facts) = (Cancel::new(), picture.facts());
        let whole = facts.pyramid.dimensions().window();
        let mut rows = picture.decode(0, whole, &cancel)?;
        let raster = gather(rows.as_mut(), &cancel)?;
        Self::of_raster(&raster, facts.orientation)
    }

    /// `text` on one line in `font`, a TrueType or OpenType file, cut to what is drawn.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Corrupt`] when the font cannot be read, [`ErrorKind::NotImplemented`] when it lacks
    /// a letter, or nothing is drawn.
    pub fn of_text(text: &str, font: Vec<u8>, colour: [u8; 3]) -> Result<Self> {
        let (dimensions, coverage) = text::draw(text, font)?;
        let inked = coverage.into_iter().map(|covered| {
            let [red, green, blue] = colour.map(|value| weighted(wide(value), wide(covered)));
            [red, green, blue, wide(covered)]
        });
        Ok(Self::new(dimensions, inked.collect()))
    }

    /// Width and height of the picture.
    pub fn dimensions(&self) -> Dimensions {
        (self.resolutions.first()).map_or(
            Dimensions {
                width: 1,
                height: 1,
            },
            |full| full.dimensions,
        )
    }

    fn of_raster(raster: &Raster, orientation: Orientation) -> Result<Self> {
        let format = raster.format();
        let samples: Vec<u16> = match raster.samples() {
            Samples::U8(samples) => samples.iter().map(|value| wide(*value)).collect(),
            Samples::U16(samples) => samples.clone(),
        };
        let pixels = samples.chunks_exact(format.channels.count());
        let inked: Vec<_> = pixels
            .filter_map(|pixel| ink(format.channels, pixel))
            .collect();
        let stored = raster.dimensions();
        let upright = orientation.apply(stored);
        let place = |at: u32| u64::from(at);
        let mut turned = Vec::with_capacity(inked.len());
        for y in 0..upright.height {
            for x in 0..upright.width {
                let pixel = Region {
                    x,
                    y,
                    width: 1,
                    height: 1,
                };
                let from = orientation.inverse().apply_region(pixel, upright);
                let at = place(from.y) * place(stored.width) + place(from.x);
                let ink = usize::try_from(at).ok().and_then(|at| inked.get(at));
                turned.push(*ink.ok_or_else(|| Error::internal("turning a mark"))?);
            }
        }
        Ok(Self::new(upright, turned))
    }

    fn new(dimensions: Dimensions, pixels: Vec<Ink>) -> Self {
        let mut resolutions = vec![Resolution { dimensions, pixels }];
        while let Some(last) = resolutions.last().filter(|last| last.dimensions.area() > 1) {
            let half = last.half();
            resolutions.push(half);
        }
        Self { resolutions }
    }

    /// The ink at a place: `x` and `y` in 256ths of a pixel of the full picture, from its edges.
    fn at(&self, halvings: usize, x: i64, y: i64) -> Ink {
        let last = self.resolutions.len().saturating_sub(1);
        let halvings = halvings.min(last);
        (self.resolutions.get(halvings)).map_or([0; 4], |resolution| {
            resolution.at(x >> halvings, y >> halvings)
        })
    }
}

impl Resolution {
    /// Each pixel the mean of up to four.
    fn half(&self) -> Self {
        let from = self.dimensions;
        let dimensions = Dimensions {
            width: from.width.div_ceil(2),
            height: from.height.div_ceil(2),
        };
        let mut pixels = Vec::with_capacity(self.pixels.len() / 3);
        for y in 0..dimensions.height {
            for x in 0..dimensions.width {
                let mut sum = [0_u32; 4];
                for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                    let ink = self.pixel(i64::from(2 * x + dx), i64::from(2 * y + dy));
                    for (sum, value) in sum.iter_mut().zip(ink) {
                        *sum += u32::from(value);
                    }
                }
                pixels.push(sum.map(|sum| narrow((sum + 2) / 4)));
            }
        }
        Self { dimensions, pixels }
    }

    /// The pixel at a place; what lies outside is the edge.
    fn pixel(&self, x: i64, y: i64) -> Ink {
        let inside = |at: i64, side: u32| at.clamp(0, i64::from(side) - 1);
        let (width, height) = (self.dimensions.width, self.dimensions.height);
        let at = inside(y, height) * i64::from(width) + inside(x, width);
        let pixel = usize::try_from(at).ok().and_then(|at| self.pixels.get(at));
        pixel.copied().unwrap_or_default()
    }

    /// Between the four pixels whose middles are around a place, in 256ths.
    fn at(&self, x: i64, y: i64) -> Ink {
        let (x, y) = (x - 128, y - 128);
        let (left, top) = (x >> 8, y >> 8);
        let (right_share, lower_share) = (part(x), part(y));
        let corners = [
            (left, top, (256 - right_share) * (256 - lower_share)),
            (left + 1, top, right_share * (256 - lower_share)),
            (left, top + 1, (256 - right_share) * lower_share),
            (left + 1, top + 1, right_share * lower_share),
        ];
        let mut sum = [0_u64; 4];
        for (x, y, share) in corners {
            if share == 0 {
                continue;
            }
            for (sum, value) in sum.iter_mut().zip(self.pixel(x, y)) {
                *sum += u64::from(value) * share;
            }
        }
        sum.map(|sum| narrow(u32::try_from((sum + (1 << 15)) >> 16).unwrap_or(FULL)))
    }
}

/// What of a place in 256ths lies behind its whole pixel.
fn part(at: i64) -> u64 {
    u64::try_from(at & 255).unwrap_or(0)
}

/// A mark on a master.
#[derive(Debug, Clone)]
pub(super) struct Mark {
    pub(super) image: Arc<MarkImage>,
    /// What it fills, upright.
    pub(super) region: Region,
    /// The same in stored orientation.
    pub(super) stored: Region,
    /// The full image, in stored orientation.
    pub(super) full: Dimensions,
    pub(super) orientation: Orientation,
    /// 0 to 65535.
    pub(super) opacity: u16,
}

impl Mark {
    /// What it may fill of the level with this factor.
    pub(super) fn window_at(&self, factor: ScaleFactor) -> Window {
        let factor = factor.get();
        let (x, y) = (self.stored.x / factor, self.stored.y / factor);
        Window {
            x,
            y,
            width: self.stored.right().div_ceil(factor) - x,
            height: self.stored.bottom().div_ceil(factor) - y,
        }
    }

    /// How often its picture is halved for a level, so that no pixel of it is passed over.
    pub(super) fn halvings(&self, factor: ScaleFactor) -> usize {
        let own = u64::from(self.image.dimensions().width);
        let shown = u64::from(self.region.width);
        let mut halvings = 0;
        // Until a pixel of the level takes no more than one and a half of the picture's.
        while halvings < 32 && own * u64::from(factor.get()) * 2 > (3 * shown) << halvings {
            halvings += 1;
        }
        halvings
    }

    /// The ink at the middle of a sample of the level with this factor; none beside the mark.
    pub(super) fn ink_at(&self, factor: ScaleFactor, halvings: usize, x: u32, y: u32) -> Ink {
        let middle = |at: u32| (2 * i64::from(at) + 1) * i64::from(factor.get());
        let (x, y) = self.upright(middle(x), middle(y));
        let (region, own) = (self.region, self.image.dimensions());
        let along = |at: i64, start: u32, length: u32, own: u32| {
            let at = at - 2 * i64::from(start);
            let inside = (0..2 * i64::from(length)).contains(&at);
            inside.then(|| at * i64::from(own) * 256 / (2 * i64::from(length)))
        };
        let x = along(x, region.x, region.width, own.width);
        let y = along(y, region.y, region.height, own.height);
        let (Some(x), Some(y)) = (x, y) else {
            return [0; 4];
        };
        let ink = self.image.at(halvings, x, y);
        ink.map(|value| weighted(value, self.opacity))
    }

    /// A place in stored orientation as it lies upright, both in half pixels of the full image.
    fn upright(&self, x: i64, y: i64) -> (i64, i64) {
        let (width, height) = (
            2 * i64::from(self.full.width),
            2 * i64::from(self.full.height),
        );
        let x = if self.orientation.mirror {
            width - x
        } else {
            x
        };
        match self.orientation.turns % 4 {
            1 => (height - y, x),
            2 => (width - x, height - y),
            3 => (y, width - x),
            _ => (x, y),
        }
    }
}

/// The ink of one pixel.
fn ink(channels: Channels, pixel: &[u16]) -> Option<Ink> {
    let opaque = u16::MAX;
    let (colour, alpha) = match (channels, pixel) {
        (Channels::Gray, [gray]) => ([*gray; 3], opaque),
        (Channels::GrayAlpha, [gray, alpha]) => ([*gray; 3], *alpha),
        (Channels::Rgb, [red, green, blue]) => ([*red, *green, *blue], opaque),
        (Channels::Rgba, [red, green, blue, alpha]) => ([*red, *green, *blue], *alpha),
        _ => return None,
    };
    let [red, green, blue] = colour.map(|value| weighted(value, alpha));
    Some([red, green, blue, alpha])
}

/// 8 bits as 16.
pub(super) fn wide(value: u8) -> u16 {
    u16::from(value) * 257
}

/// `value` times a share of 65535.
pub(super) fn weighted(value: u16, share: u16) -> u16 {
    narrow((u32::from(value) * u32::from(share) + FULL / 2) / FULL)
}

fn narrow(value: u32) -> u16 {
    u16::try_from(value).unwrap_or(u16::MAX)
}

/// The error of a text that cannot be drawn.
pub(super) fn cannot_draw(reason: String) -> Error {
    Error::new(ErrorKind::NotImplemented, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_halved_until_a_pixel_takes_no_more_than_one_and_a_half_of_it() {
        let halvings = |own: u32, shown: u32, factor: u32| {
            let side = |width| Dimensions { width, height: 1 };
            let pixels = vec![[0; 4]; own as usize];
            let region = side(shown).region();
            let mark = Mark {
                image: Arc::new(MarkImage::new(side(own), pixels)),
                region,
                stored: region,
                full: side(shown),
                orientation: Orientation::IDENTITY,
                opacity: u16::MAX,
            };
            mark.halvings(ScaleFactor::new(factor).expect("not 0"))
        };
        for (own, shown, factor, times) in [
            (100, 100, 1, 0),
            (150, 100, 1, 0),
            (151, 100, 1, 1),
            (300, 100, 1, 1),
            (301, 100, 1, 2),
            (10, 100, 1, 0),
            (100, 100, 2, 1),
            (150, 100, 4, 2),
            (151, 100, 4, 3),
        ] {
            let what = format!("{own} as {shown} at {factor}");
            assert_eq!(halvings(own, shown, factor), times, "{what}");
        }
    }
}
