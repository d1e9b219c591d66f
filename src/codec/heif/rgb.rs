//! Planes of luma and chroma → interleaved gray or RGB, with opacity.
//!
//! Chroma between its samples is drawn from its neighbours, three to one where they lie at their pixels'
//! middle, and stops at the picture's edge. Every pixel depends on its own place in the picture alone, so
//! that a window is a part of the whole.
//!
//! Source: ITU-T H.273 (2024), 8.3 and 8.7; AV1 specification, 6.4.2, for the places of chroma.

use crate::error::{Error, Result};
use crate::geometry::Window;
use crate::raster::{Channels, Depth, PixelFormat, Raster, Samples};

use super::planes::{Chroma, Planes};

/// How samples become colours.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Meaning {
    pub(super) bits: u8,
    /// Whether all values are used; else black is 16 and white 235 of 255.
    pub(super) full: bool,
    pub(super) matrix: Matrix,
    pub(super) site: Site,
}

/// How colours are mixed into luma and chroma.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Matrix {
    /// Planes of green, blue and red.
    Identity,
    /// Luma with these shares of red and blue.
    Shares { red: f32, blue: f32 },
    /// Green against the others, then orange against blue.
    Ycgco,
}

/// Where samples of coarser chroma lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Site {
    /// In the middle of their pixels.
    Centre,
    /// On the left pixels, in the middle of the rows.
    Left,
    /// On the upper left pixel.
    Corner,
}

impl Matrix {
    /// By the number of H.273.
    ///
    /// # Errors
    ///
    /// [`crate::error::ErrorKind::NotImplemented`] for those that mix light, and reserved ones.
    pub(super) fn of_point(point: u8) -> Result<Self> {
        let shares = |red, blue| Ok(Self::Shares { red, blue });
        match point {
            0 => Ok(Self::Identity),
            1 => shares(0.2126, 0.0722),
            // What is not said is what JPEG has.
            2 | 5 | 6 => shares(0.299, 0.114),
            4 => shares(0.30, 0.11),
            7 => shares(0.212, 0.087),
            8 => Ok(Self::Ycgco),
            9 => shares(0.2627, 0.0593),
            other => Err(Error::unsupported(format!(
                "its colours are mixed by matrix {other} of H.273"
            ))),
        }
    }
}

/// Draws `window` of `planes` in `format`, opacity by `opacity` where the format has it.
pub(super) fn draw(
    (planes, meaning): (&Planes, Meaning),
    opacity: Option<(&Planes, Meaning)>,
    format: PixelFormat,
    window: Window,
) -> Result<Raster> {
    let count = window.width as usize * window.height as usize;
    let mut samples = Samples::zeroed(format, count);
    match &mut samples {
        Samples::U8(samples) => lines((planes, meaning), opacity, format, window, samples),
        Samples::U16(samples) => lines((planes, meaning), opacity, format, window, samples),
    }
    Raster::new(window.dimensions(), format.channels, samples)
}

/// A sample of a raster.
trait Sample: Copy {
    /// The sample of a share of the most, which is cut to 0 to 1.
    fn of(share: f32) -> Self;
}

impl Sample for u8 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "0 to 255.5 is cut to a byte"
    )]
    fn of(share: f32) -> Self {
        (share.clamp(0.0, 1.0) * 255.0 + 0.5) as Self
    }
}

impl Sample for u16 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "0 to 65535.5 is cut to two bytes"
    )]
    fn of(share: f32) -> Self {
        (share.clamp(0.0, 1.0) * 65535.0 + 0.5) as Self
    }
}

fn lines<S: Sample>(
    (planes, meaning): (&Planes, Meaning),
    opacity: Option<(&Planes, Meaning)>,
    format: PixelFormat,
    window: Window,
    samples: &mut [S],
) {
    let channels = format.channels.count();
    let width = window.width as usize;
    let mut chroma = [vec![0.0; width], vec![0.0; width]];
    let targets = samples.chunks_exact_mut(width * channels);
    for (y, target) in (window.y..).zip(targets) {
        let row = (y - planes.window.y) as usize;
        let left = (window.x - planes.window.x) as usize;
        let luma = planes.row(0, row).get(left..).unwrap_or_default();
        if planes.chroma == Chroma::None {
            for (pixel, luma) in target.chunks_exact_mut(channels).zip(luma) {
                if let [gray, ..] = pixel {
                    *gray = S::of(meaning.luma(*luma));
                }
            }
        } else {
            let [first, second] = &mut chroma;
            between(planes, meaning, 1, (left, row), first);
            between(planes, meaning, 2, (left, row), second);
            let pixels = target.chunks_exact_mut(channels);
            for ((pixel, luma), (first, second)) in
                pixels.zip(luma).zip(first.iter().zip(second.iter()))
            {
                if let [red, green, blue, ..] = pixel {
                    let mixed = meaning.mix(*luma, *first, *second);
                    [*red, *green, *blue] = mixed.map(S::of);
                }
            }
        }
        if let Some((planes, meaning)) = opacity {
            let (row, left) = (
                (y - planes.window.y) as usize,
                (window.x - planes.window.x) as usize,
            );
            let shares = planes.row(0, row).get(left..).unwrap_or_default();
            for (pixel, share) in target.chunks_exact_mut(channels).zip(shares) {
                if let Some(last) = pixel.last_mut() {
                    *last = S::of(meaning.luma(*share));
                }
            }
        }
    }
}

/// The chroma of a row's pixels from `left` on, as it is stored.
fn between(
    planes: &Planes,
    meaning: Meaning,
    plane: usize,
    (left, row): (usize, usize),
    target: &mut [f32],
) {
    let (across, down) = planes.chroma.shifts();
    let (x_site, y_site) = match meaning.site {
        Site::Centre => (false, false),
        Site::Left => (true, false),
        Site::Corner => (true, true),
    };
    let rows = Neighbours::of(row, down, y_site, planes.rows(plane));
    let (near, far) = (planes.row(plane, rows.near), planes.row(plane, rows.far));
    for (x, target) in (left..).zip(target) {
        let columns = Neighbours::of(x, across, x_site, near.len());
        let at = |line: &[u16], x: usize| f32::from(line.get(x).copied().unwrap_or_default());
        let upper = columns.mix(at(near, columns.near), at(near, columns.far));
        let lower = columns.mix(at(far, columns.near), at(far, columns.far));
        *target = rows.mix(upper, lower);
    }
}

/// The two samples that a place lies between.
#[derive(Debug, Clone, Copy)]
struct Neighbours {
    near: usize,
    far: usize,
    /// The share of the farther one.
    share: f32,
}

impl Neighbours {
    /// Of pixel `at` among `count` samples, `shift` times coarser by powers of 2; `sited` where they lie on pixels.
    fn of(at: usize, shift: u32, sited: bool, count: usize) -> Self {
        let near = (at >> shift).min(count.saturating_sub(1));
        let odd = at & 1 == 1;
        let (far, share) = match (shift, sited, odd) {
            (0, _, _) | (_, true, false) => (near, 0.0),
            (_, true, true) => (near + 1, 0.5),
            (_, false, true) => (near + 1, 0.25),
            (_, false, false) => (near.saturating_sub(1), 0.25),
        };
        Self {
            near,
            far: far.min(count.saturating_sub(1)),
            share,
        }
    }

    fn mix(self, near: f32, far: f32) -> f32 {
        near * (1.0 - self.share) + far * self.share
    }
}

impl Meaning {
    /// Rows are of this depth.
    pub(super) fn depth(self) -> Depth {
        if self.bits <= 8 {
            Depth::Eight
        } else {
            Depth::Sixteen
        }
    }

    /// The value of luma 16 of 255, were it stored in 8 bits, as a factor.
    fn unit(self) -> f32 {
        f32::from(1_u16 << (self.bits - 8))
    }

    fn most(self) -> f32 {
        f32::from((1_u16 << self.bits) - 1)
    }

    fn luma(self, sample: u16) -> f32 {
        self.lumaf(f32::from(sample))
    }

    fn lumaf(self, sample: f32) -> f32 {
        if self.full {
            sample / self.most()
        } else {
            (sample - 16.0 * self.unit()) / (219.0 * self.unit())
        }
    }

    fn difference(self, sample: f32) -> f32 {
        let away = sample - 128.0 * self.unit();
        if self.full {
            away / self.most()
        } else {
            away / (224.0 * self.unit())
        }
    }

    /// Red, green and blue of a pixel.
    fn mix(self, luma: u16, first: f32, second: f32) -> [f32; 3] {
        let luma = self.luma(luma);
        match self.matrix {
            Matrix::Identity => [self.lumaf(second), luma, self.lumaf(first)],
            Matrix::Shares { red, blue } => {
                let (first, second) = (self.difference(first), self.difference(second));
                let red_value = luma + 2.0 * (1.0 - red) * second;
                let blue_value = luma + 2.0 * (1.0 - blue) * first;
                let green = (luma - red * red_value - blue * blue_value) / (1.0 - red - blue);
                [red_value, green, blue_value]
            }
            Matrix::Ycgco => {
                let (green, orange) = (self.difference(first), self.difference(second));
                let rest = luma - green;
                [rest + orange, luma + green, rest - orange]
            }
        }
    }
}

/// Whether rows of `chroma` are gray.
pub(super) const fn channels(chroma: Chroma, opacity: bool) -> Channels {
    match (chroma, opacity) {
        (Chroma::None, false) => Channels::Gray,
        (Chroma::None, true) => Channels::GrayAlpha,
        (_, false) => Channels::Rgb,
        (_, true) => Channels::Rgba,
    }
}
