//! Planes of luma and chroma, put together of tiles: a part of a picture as it is coded.

use std::collections::TryReserveError;

use crate::error::{Error, ErrorKind, Result};
use crate::geometry::{Dimensions, Window};

/// How chroma is sampled beside luma.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chroma {
    /// Luma alone.
    None,
    /// 4:2:0.
    Quarter,
    /// 4:2:2.
    Half,
    /// 4:4:4.
    Full,
}

impl Chroma {
    /// By which powers of 2 chroma is coarser, across and down.
    pub(super) const fn shifts(self) -> (u32, u32) {
        match self {
            Self::Quarter => (1, 1),
            Self::Half => (1, 0),
            Self::None | Self::Full => (0, 0),
        }
    }

    /// As people write it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::None => "4:0:0",
            Self::Quarter => "4:2:0",
            Self::Half => "4:2:2",
            Self::Full => "4:4:4",
        }
    }

    /// Planes.
    pub(super) const fn count(self) -> usize {
        match self {
            Self::None => 1,
            Self::Quarter | Self::Half | Self::Full => 3,
        }
    }
}

/// What a decoder gives: one coded picture.
pub(super) trait Coded {
    fn dimensions(&self) -> Option<Dimensions>;
    fn bits(&self) -> u8;
    fn chroma(&self) -> Chroma;

    /// Copies samples from row `y` of `plane` on, from column `x` on; false where the plane has fewer.
    fn copy(&self, plane: usize, x: usize, y: usize, target: &mut [u16]) -> bool;
}

/// Samples of one plane.
#[derive(Debug, Clone, Default)]
pub(super) struct Plane {
    pub(super) samples: Vec<u16>,
    /// Samples of a row.
    pub(super) width: usize,
}

/// A part of a picture.
#[derive(Debug)]
pub(super) struct Planes {
    /// Which part, in pixels; its corner lies on a sample of chroma.
    pub(super) window: Window,
    pub(super) chroma: Chroma,
    pub(super) all: Vec<Plane>,
}

impl Planes {
    /// Blank planes of `window` in a picture of `chroma`.
    pub(super) fn blank(window: Window, chroma: Chroma) -> Result<Self> {
        let mut all = Vec::new();
        for index in 0..chroma.count() {
            let (width, height) = sides(window, shifts(chroma, index));
            let mut samples = Vec::new();
            let none = |cause: TryReserveError| {
                Error::new(ErrorKind::Busy, "there is no memory for this image now")
                    .with_source(cause)
            };
            samples.try_reserve_exact(width * height).map_err(none)?;
            samples.resize(width * height, 0);
            all.push(Plane { samples, width });
        }
        Ok(Self {
            window,
            chroma,
            all,
        })
    }

    /// Lays what `coded` has of this part, whose corner stands at `x` and `y` of the picture.
    pub(super) fn lay(&mut self, coded: &dyn Coded, (x, y): (u32, u32)) -> Result<()> {
        let Some(Dimensions { width, height }) = coded.dimensions() else {
            return Err(Error::corrupt("a picture in it has no pixels"));
        };
        let place = Window {
            x,
            y,
            width,
            height,
        };
        let Some(common) = self.window.intersection(place) else {
            return Ok(());
        };
        let chroma = self.chroma;
        for (index, plane) in self.all.iter_mut().enumerate() {
            let shifts = shifts(chroma, index);
            let (columns, rows) = sides(common, shifts);
            let from = corner(common.relative_to(place), shifts);
            let to = corner(common.relative_to(self.window), shifts);
            let lines = plane.samples.chunks_exact_mut(plane.width.max(1));
            for (row, line) in lines.skip(to.1).take(rows).enumerate() {
                let target = line.get_mut(to.0..to.0 + columns);
                let copied =
                    target.is_some_and(|target| coded.copy(index, from.0, from.1 + row, target));
                if !copied {
                    return Err(Error::internal(
                        "a picture's planes are smaller than it says",
                    ));
                }
            }
        }
        Ok(())
    }

    /// The samples of row `y` of a plane.
    pub(super) fn row(&self, plane: usize, y: usize) -> &[u16] {
        let plane = self.all.get(plane);
        plane
            .and_then(|plane| plane.samples.get(y * plane.width..(y + 1) * plane.width))
            .unwrap_or_default()
    }

    /// Rows of a plane.
    pub(super) fn rows(&self, plane: usize) -> usize {
        let plane = self.all.get(plane);
        plane.map_or(0, |plane| plane.samples.len() / plane.width.max(1))
    }
}

const fn shifts(chroma: Chroma, plane: usize) -> (u32, u32) {
    if plane == 0 { (0, 0) } else { chroma.shifts() }
}

/// Samples of a window, across and down.
const fn sides(window: Window, (across, down): (u32, u32)) -> (usize, usize) {
    (
        window.width.div_ceil(1 << across) as usize,
        window.height.div_ceil(1 << down) as usize,
    )
}

/// A window's first sample.
const fn corner(window: Window, (across, down): (u32, u32)) -> (usize, usize) {
    ((window.x >> across) as usize, (window.y >> down) as usize)
}
