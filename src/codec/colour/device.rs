//! A profile's tables → colours in its connection space: XYZ relative to D50, and where its black is.
//!
//! The library parses the tables; they are evaluated here, in floating point, because black-point
//! compensation needs colours of the connection space that the library does not hand out.
//!
//! Source: ICC.1:2022, 10.10 to 10.13 (tables), 6.3.4 (encodings); black points after the ICC's white
//! paper 40 and `LittleCMS`, which is what archives compare with.

use moxcms::{
    ColorProfile, DataColorSpace, LutStore, LutType, LutWarehouse, ProfileClass, ProfileVersion,
    ToneReprCurve,
};

use super::Intent;
use super::grid::{Grid, MOST};
use super::link::level_16;

/// White of the connection space. Source: ICC.1:2022, 7.2.16.
pub(super) const D50: [f32; 3] = [0.9642, 1.0, 0.8249];

/// The black that perceptual tables of version 4 are made for. Source: ICC.1:2022, 6.3.3.
const PERCEPTUAL_BLACK: [f32; 3] = [0.003_36, 0.003_473_1, 0.002_87];

/// XYZ of 1.0 in tables of 16 bits. Source: ICC.1:2022, 6.3.4.2.
const XYZ_FULL: f32 = 1.0 + 32767.0 / 32768.0;

/// Steps of a curve of light that stands for one of lightness: between them a line is within rounding of it.
const LIGHT_STEPS: u16 = 4096;

/// One direction of a profile's tables.
pub(super) struct Tables {
    /// On each input, before all else.
    first: Vec<Curve>,
    /// Before the grid (towards a device) or after it (from one).
    matrix: Option<Matrix>,
    middle: Vec<Curve>,
    grid: Option<Grid>,
    last: Vec<Curve>,
    towards_device: bool,
    encoding: Encoding,
    /// Whether L\*a\*b\* that go in are encoded as of version 2.
    has_old_inputs: bool,
}

/// How colours of the connection space stand in `0..=1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Xyz,
    Lab,
    /// L\*a\*b\* in tables of 16 bits as of version 2, where 0xff00 is 100.
    OldLab,
}

struct Matrix {
    rows: [[f32; 3]; 3],
    bias: [f32; 3],
}

/// A curve over `0..=1`.
enum Curve {
    Samples(Vec<f32>),
    Formula(Vec<f32>),
}

impl Tables {
    /// The way from the device of `profile` to its connection space, if it has tables for that.
    pub(super) fn from_device(profile: &ColorProfile, intent: Intent) -> Option<Self> {
        let relative = profile.lut_a_to_b_colorimetric.as_ref();
        let perceptual = profile.lut_a_to_b_perceptual.as_ref();
        let lut = match intent {
            Intent::Relative => relative.or(perceptual),
            Intent::Perceptual => perceptual,
        };
        Self::new(lut?, profile.pcs, false)
    }

    /// The perceptual way back.
    fn towards_device(profile: &ColorProfile) -> Option<Self> {
        Self::new(profile.lut_b_to_a_perceptual.as_ref()?, profile.pcs, true)
    }

    fn new(lut: &LutWarehouse, space: DataColorSpace, towards_device: bool) -> Option<Self> {
        let is_lab = space == DataColorSpace::Lab;
        match lut {
            LutWarehouse::Lut(lut) => {
                let (inputs, outputs) = (
                    usize::from(lut.num_input_channels),
                    usize::from(lut.num_output_channels),
                );
                let sides = vec![usize::from(lut.num_clut_grid_points); inputs];
                Some(Self {
                    first: curves(&lut.input_table, inputs)?,
                    matrix: None,
                    middle: Vec::new(),
                    grid: Some(Grid::new(sides, outputs, numbers(&lut.clut_table))?),
                    last: curves(&lut.output_table, outputs)?,
                    towards_device,
                    has_old_inputs: lut.lut_type == LutType::Lut16,
                    encoding: match (is_lab, lut.lut_type == LutType::Lut16) {
                        (true, true) => Encoding::OldLab,
                        (true, false) => Encoding::Lab,
                        (false, _) => Encoding::Xyz,
                    },
                })
            }
            LutWarehouse::Multidimensional(lut) => {
                let (inputs, outputs) = (
                    usize::from(lut.num_input_channels),
                    usize::from(lut.num_output_channels),
                );
                let sides = lut.grid_points.iter().take(inputs);
                let sides = sides.map(|side| usize::from(*side)).collect();
                let grid = match &lut.clut {
                    Some(clut) => Some(Grid::new(sides, outputs, numbers(clut))?),
                    None if inputs == outputs => None,
                    None => return None,
                };
                let [a, m, b] = [&lut.a_curves, &lut.m_curves, &lut.b_curves]
                    .map(|curves| curves.iter().map(Curve::from).collect());
                let (first, last) = if towards_device { (b, a) } else { (a, b) };
                let rows = lut.matrix.v.map(|row| row.map(narrowed));
                Some(Self {
                    first,
                    matrix: Some(Matrix {
                        rows,
                        bias: lut.bias.v.map(narrowed),
                    }),
                    middle: m,
                    grid,
                    last,
                    towards_device,
                    has_old_inputs: false,
                    encoding: if is_lab { Encoding::Lab } else { Encoding::Xyz },
                })
            }
        }
    }

    /// The XYZ of a device's colour, each of its values in `0..=1`.
    pub(super) fn xyz(&self, device: &[f32]) -> [f32; 3] {
        let [one, two, three, _] = self.run(device);
        match self.encoding {
            Encoding::Xyz => [one, two, three].map(|value| value * XYZ_FULL),
            Encoding::Lab => xyz_of_lab([one * 100.0, two * 255.0 - 128.0, three * 255.0 - 128.0]),
            Encoding::OldLab => xyz_of_lab([
                one * 65535.0 / 652.80,
                two * 65535.0 / 256.0 - 128.0,
                three * 65535.0 / 256.0 - 128.0,
            ]),
        }
    }

    /// The same of L\*a\*b\*, given as shares of their range in profiles of version 4: those of version 2
    /// have tables of 16 bits for 0xff00.
    pub(super) fn xyz_of_shares(&self, mut shares: [f32; 3]) -> [f32; 3] {
        if self.has_old_inputs {
            shares = shares.map(|share| share * 65280.0 / 65535.0);
        }
        self.xyz(&shares)
    }

    /// How many values a device's colour has.
    pub(super) fn inputs(&self) -> usize {
        self.grid.as_ref().map_or(3, Grid::inputs)
    }

    /// A device's values for L\*a\*b\* black.
    fn black(&self) -> [f32; MOST] {
        let neutral = match self.encoding {
            Encoding::Xyz => [0.0; 3],
            Encoding::Lab => [0.0, 128.0 / 255.0, 128.0 / 255.0],
            Encoding::OldLab => [0.0, 32768.0 / 65535.0, 32768.0 / 65535.0],
        };
        self.run(&neutral)
    }

    fn run(&self, input: &[f32]) -> [f32; MOST] {
        let mut values = [0.0; MOST];
        for (value, from) in values.iter_mut().zip(input) {
            *value = from.clamp(0.0, 1.0);
        }
        bend(&self.first, &mut values);
        if self.towards_device {
            self.turn(&mut values);
            self.cross(&mut values);
        } else {
            self.cross(&mut values);
            self.turn(&mut values);
        }
        bend(&self.last, &mut values);
        values
    }

    /// Matrix and its curves, in the order of the direction.
    fn turn(&self, values: &mut [f32; MOST]) {
        if !self.towards_device {
            bend(&self.middle, values);
        }
        if let Some(matrix) = &self.matrix {
            let before = [values[0], values[1], values[2]];
            for ((value, row), bias) in values.iter_mut().zip(matrix.rows).zip(matrix.bias) {
                *value = dot(row, before) + bias;
            }
        }
        if self.towards_device {
            bend(&self.middle, values);
        }
    }

    fn cross(&self, values: &mut [f32; MOST]) {
        if let Some(grid) = &self.grid {
            *values = grid.at(&values[..grid.inputs()]);
        }
    }
}

/// The black of `profile`'s device under `intent`, as black-point compensation takes it: that of inks
/// neutral and never lighter than half; 0 where the profile has no tables for the intent.
pub(super) fn black_point(profile: &ColorProfile, tables: &Tables, intent: Intent) -> [f32; 3] {
    if intent == Intent::Relative && profile.lut_a_to_b_colorimetric.is_none() {
        return [0.0; 3];
    }
    if intent == Intent::Perceptual && profile.version() >= ProfileVersion::V4_0 {
        return PERCEPTUAL_BLACK;
    }
    let is_print = profile.profile_class == ProfileClass::OutputDevice
        && profile.color_space == DataColorSpace::Cmyk;
    let back = Tables::towards_device(profile).filter(|_| is_print && intent == Intent::Relative);
    let is_ink = matches!(
        profile.color_space,
        DataColorSpace::Cmyk | DataColorSpace::Cmy
    );
    let darkest = match back {
        // What a press prints for black, which is far from all inks at once.
        Some(back) => back.black(),
        None if is_ink => [1.0; MOST],
        None if profile.color_space == DataColorSpace::Rgb => [0.0; MOST],
        // Nobody knows where the black of others is.
        None => return [0.0; 3],
    };
    let found = tables.xyz(&darkest);
    if profile.color_space != DataColorSpace::Cmyk {
        return found;
    }
    let [_, luminance, _] = found;
    let lightness = lightness(luminance).clamp(0.0, 50.0);
    xyz_of_lab([lightness, 0.0, 0.0])
}

/// `xyz` with `black` moved to 0 and white left where it is.
pub(super) fn compensated(xyz: [f32; 3], black: [f32; 3]) -> [f32; 3] {
    let mut moved = xyz;
    for ((value, black), white) in moved.iter_mut().zip(black).zip(D50) {
        *value = (*value - black) * white / (white - black);
    }
    moved
}

/// Source: CIE 15:2018, 8.2.1.
pub(super) fn xyz_of_lab([lightness, a, b]: [f32; 3]) -> [f32; 3] {
    let y = (lightness + 16.0) / 116.0;
    let cube = |root: f32| {
        if root > 24.0 / 116.0 {
            root * root * root
        } else {
            (root - 16.0 / 116.0) * 108.0 / 841.0
        }
    };
    let [white_x, white_y, white_z] = D50;
    [
        cube(y + a / 500.0) * white_x,
        cube(y) * white_y,
        cube(y - b / 200.0) * white_z,
    ]
}

/// A gray profile whose curve gives lightness, as one whose curve gives light, which is all that the library
/// knows; any other as it is.
///
/// Source: ICC.1:2022, 8.3.4.
pub(super) fn in_light(mut profile: ColorProfile) -> ColorProfile {
    if (profile.color_space, profile.pcs) != (DataColorSpace::Gray, DataColorSpace::Lab) {
        return profile;
    }
    if let Some(curve) = profile.gray_trc.as_ref().map(Curve::from) {
        let light = |step| {
            let lightness = 100.0 * curve.at(f32::from(step) / f32::from(LIGHT_STEPS));
            level_16(xyz_of_lab([lightness, 0.0, 0.0])[1])
        };
        profile.gray_trc = Some(ToneReprCurve::Lut((0..=LIGHT_STEPS).map(light).collect()));
        profile.pcs = DataColorSpace::Xyz;
    }
    profile
}

fn lightness(luminance: f32) -> f32 {
    if luminance > 216.0 / 24389.0 {
        116.0 * luminance.cbrt() - 16.0
    } else {
        luminance * 24389.0 / 27.0
    }
}

pub(super) fn dot(row: [f32; 3], column: [f32; 3]) -> f32 {
    row[0] * column[0] + row[1] * column[1] + row[2] * column[2]
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "numbers of 16.16 bits lose nothing that counts"
)]
fn narrowed(value: f64) -> f32 {
    value as f32
}

fn bend(curves: &[Curve], values: &mut [f32; MOST]) {
    for (value, curve) in values.iter_mut().zip(curves) {
        *value = curve.at(*value);
    }
}

fn numbers(store: &LutStore) -> Vec<f32> {
    match store {
        LutStore::Store8(all) => all.iter().map(|v| f32::from(*v) / 255.0).collect(),
        LutStore::Store16(all) => all.iter().map(|v| f32::from(*v) / 65535.0).collect(),
    }
}

/// `count` tables of one length that stand one behind the other.
fn curves(store: &LutStore, count: usize) -> Option<Vec<Curve>> {
    let all = numbers(store);
    let length = all.len().checked_div(count).filter(|length| *length >= 2)?;
    let tables = all.chunks_exact(length).take(count);
    Some(tables.map(|table| Curve::Samples(table.to_vec())).collect())
}

impl From<&ToneReprCurve> for Curve {
    fn from(curve: &ToneReprCurve) -> Self {
        match curve {
            // One number is an exponent of 8.8 bits, none is a straight line (ICC.1:2022, 10.6).
            ToneReprCurve::Lut(all) => match all.as_slice() {
                [] => Self::Formula(vec![1.0]),
                [exponent] => Self::Formula(vec![f32::from(*exponent) / 256.0]),
                more => Self::Samples(more.iter().map(|v| f32::from(*v) / 65535.0).collect()),
            },
            ToneReprCurve::Parametric(parameters) => Self::Formula(parameters.clone()),
        }
    }
}

impl Curve {
    fn at(&self, value: f32) -> f32 {
        match self {
            Self::Samples(samples) => {
                let at = value.clamp(0.0, 1.0) * (samples.len() - 1) as f32;
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "between 0 and the number of samples"
                )]
                let low = (at as usize).min(samples.len() - 2);
                let (near, far) = (samples[low], samples[low + 1]);
                near + (far - near) * (at - low as f32)
            }
            Self::Formula(parameters) => formula(parameters, value).clamp(0.0, 1.0),
        }
    }
}

/// Source: ICC.1:2022, 10.18, table 68.
fn formula(parameters: &[f32], value: f32) -> f32 {
    let power = |base: f32, exponent: f32| base.max(0.0).powf(exponent);
    let [exponent, slope, shift, others @ ..] = parameters else {
        return parameters.first().map_or(value, |only| power(value, *only));
    };
    let line = slope * value + shift;
    let curve = power(line, *exponent);
    match *others {
        [] => curve,
        [offset] => curve + offset,
        [_, from] if value >= from => curve,
        [low_slope, _] => low_slope * value,
        [_, from, offset, _] if value >= from => curve + offset,
        [low_slope, _, _, low_offset] => low_slope * value + low_offset,
        _ => value,
    }
}
