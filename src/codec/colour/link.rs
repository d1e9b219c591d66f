//! A device's samples → sRGB through one grid: the profile's tables, black-point compensation and
//! sRGB's curve, worked out once at every node.
//!
//! Equal samples give equal colours wherever they stand.

use std::sync::LazyLock;

use moxcms::ColorProfile;

use crate::raster::{Channels, Samples};

use super::Intent;
use super::device::{self, Tables, dot};
use super::grid::{Grid, MOST, Place};

/// Nodes along each of four inputs: as many as `LittleCMS` takes.
const SIDE_OF_FOUR: usize = 17;

/// Nodes along each of three inputs: as many as `LittleCMS` takes.
const SIDE_OF_THREE: usize = 33;

/// XYZ relative to D50 → linear sRGB. Source: IEC 61966-2-1, adapted by Bradford's matrix.
const LINEAR: [[f32; 3]; 3] = [
    [3.133_856, -1.616_867, -0.490_615],
    [-0.978_768, 1.916_142, 0.033_454],
    [0.071_945, -0.228_991, 1.405_243],
];

/// The way of one kind of samples to sRGB.
pub(super) struct Link {
    grid: Grid,
    /// Where each sample of 8 bits lies; all axes have the same nodes.
    places: Vec<Place>,
    side: usize,
}

impl Link {
    /// The way through the tables of `profile`, if it has any for so many inputs.
    pub(super) fn of_profile(
        profile: &ColorProfile,
        inputs: usize,
        intent: Intent,
    ) -> Option<Self> {
        let tables = Tables::from_device(profile, intent).filter(|t| t.inputs() == inputs)?;
        let black = device::black_point(profile, &tables, intent);
        let side = if inputs == MOST {
            SIDE_OF_FOUR
        } else {
            SIDE_OF_THREE
        };
        let grid = Grid::filled(inputs, side, |at| {
            srgb(device::compensated(tables.xyz(at), black))
        });
        Some(Self::new(grid, side))
    }

    /// How many samples a colour has.
    pub(super) fn inputs(&self) -> usize {
        self.grid.inputs()
    }

    /// The way through `grid`, which has `side` nodes along each of its inputs.
    pub(super) fn new(grid: Grid, side: usize) -> Self {
        let place = |level: u8| Place::of(f32::from(level) / 255.0, side);
        Self {
            grid,
            places: (0..=u8::MAX).map(place).collect(),
            side,
        }
    }

    /// Pixels of `stride` samples, of which the first are the inputs', as red, green and blue with the
    /// other samples behind them.
    pub(super) fn run(&self, samples: &Samples, stride: usize) -> Samples {
        match samples {
            Samples::U8(all) => Samples::U8(convert(all, stride, self.grid.inputs(), |inputs| {
                let mut places = [Place::default(); MOST];
                for (place, input) in places.iter_mut().zip(inputs) {
                    *place = self
                        .places
                        .get(usize::from(*input))
                        .copied()
                        .unwrap_or_default();
                }
                self.colour(&places).map(level_8)
            })),
            Samples::U16(all) => Samples::U16(convert(all, stride, self.grid.inputs(), |inputs| {
                let mut places = [Place::default(); MOST];
                for (place, input) in places.iter_mut().zip(inputs) {
                    *place = Place::of(f32::from(*input) / 65535.0, self.side);
                }
                self.colour(&places).map(level_16)
            })),
        }
    }

    fn colour(&self, places: &[Place; MOST]) -> [f32; 3] {
        let [red, green, blue, _] = self.grid.between(places);
        [red, green, blue]
    }
}

/// Every pixel by `colour`, which is not asked again for a pixel that equals the one before.
pub(super) fn convert<T: Copy + PartialEq>(
    all: &[T],
    stride: usize,
    inputs: usize,
    mut colour: impl FnMut(&[T]) -> [T; 3],
) -> Vec<T> {
    let mut out = Vec::with_capacity(all.len() / stride * (stride + 3 - inputs));
    let mut last: Option<(&[T], [T; 3])> = None;
    for pixel in all.chunks_exact(stride) {
        let (from, others) = pixel.split_at(inputs);
        let to = match last {
            Some((before, to)) if before == from => to,
            _ => colour(from),
        };
        last = Some((from, to));
        out.extend_from_slice(&to);
        out.extend_from_slice(others);
    }
    out
}

/// The sRGB of a colour relative to D50, cut to what sRGB holds.
pub(super) fn srgb(xyz: [f32; 3]) -> [f32; 3] {
    LINEAR.map(|row| encoded(dot(row, xyz).clamp(0.0, 1.0)))
}

/// Source: IEC 61966-2-1, 5.2.
fn encoded(linear: f32) -> f32 {
    if linear <= 0.003_130_8 {
        linear * 12.92
    } else {
        1.055 * linear.powf(1.0 / 2.4) - 0.055
    }
}

/// Colours in linear light with sRGB's curve; opacity stays.
pub(super) fn from_linear(samples: &Samples, channels: Channels) -> Samples {
    let (count, colours) = (channels.count(), channels.without_alpha().count());
    match samples {
        Samples::U8(all) => {
            let mut out = all.clone();
            for pixel in out.chunks_exact_mut(count) {
                for sample in &mut pixel[..colours] {
                    *sample = level_8(encoded(f32::from(*sample) / 255.0));
                }
            }
            Samples::U8(out)
        }
        Samples::U16(all) => {
            let mut out = all.clone();
            for pixel in out.chunks_exact_mut(count) {
                for sample in &mut pixel[..colours] {
                    *sample = ENCODED[usize::from(*sample)];
                }
            }
            Samples::U16(out)
        }
    }
}

/// sRGB's curve on every sample of 16 bits.
static ENCODED: LazyLock<Vec<u16>> = LazyLock::new(|| {
    let level = |sample: u16| level_16(encoded(f32::from(sample) / 65535.0));
    (0..=u16::MAX).map(level).collect()
});

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast keeps within the type; NaN gives 0"
)]
pub(super) fn level_8(value: f32) -> u8 {
    (value * 255.0 + 0.5) as u8
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast keeps within the type; NaN gives 0"
)]
pub(super) fn level_16(value: f32) -> u16 {
    (value * 65535.0 + 0.5) as u16
}
