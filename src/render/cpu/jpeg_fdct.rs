//! Pixels → quantised coefficients of a baseline JPEG, block after block in the order of coding: the twin
//! of `jpeg_fdct.wgsl`, for tests alone. The CPU's files come from the encoder behind the engine.
//!
//! Everything is libjpeg's integer arithmetic. Beyond the picture's edges: columns repeat the last one;
//! rows of luma repeat the last one, rows of colour the last one *after* halving; blocks of luma that lie
//! wholly outside have the DC of the block before them in their unit, and nothing else.

use crate::geometry::Dimensions;
use crate::raster::{Channels, Raster, Samples};
use crate::render::jpeg::{ZIGZAG, quantisers};

/// A block's coefficients in the order of coding.
pub(super) type Block = [i16; 64];

/// The blocks of `raster`, gray or RGB of 8 bits: one by one, or in units of four of luma and two of colour.
pub(super) fn blocks(raster: &Raster, quality: u8) -> Vec<Block> {
    let picture = Picture::new(raster);
    let tables = quantisers(quality);
    let Dimensions { width, height } = raster.dimensions();
    if raster.format().channels == Channels::Gray {
        return units(width.div_ceil(8), height.div_ceil(8))
            .map(|(x, y)| block(|u, v| picture.gray(8 * x + u, 8 * y + v), &tables[0]))
            .collect();
    }
    units(width.div_ceil(16), height.div_ceil(16))
        .flat_map(|(x, y)| unit(&picture, x, y, &tables))
        .collect()
}

fn units(across: u32, down: u32) -> impl Iterator<Item = (u32, u32)> {
    (0..down).flat_map(move |y| (0..across).map(move |x| (x, y)))
}

fn unit(picture: &Picture<'_>, x: u32, y: u32, tables: &[[u8; 64]; 2]) -> [Block; 6] {
    let mut blocks = [[0; 64]; 6];
    for number in 0..4 {
        let (left, top) = (2 * x + (number & 1), 2 * y + (number >> 1));
        let at = number as usize;
        if 8 * left < picture.width && 8 * top < picture.height {
            let luma = |u, v| picture.ycc(8 * left + u, 8 * top + v)[0];
            blocks[at] = block(luma, &tables[0]);
        } else {
            blocks[at][0] = blocks[at - 1][0];
        }
    }
    for component in [1, 2] {
        let half = |u, v| picture.halved(8 * x + u, 8 * y + v, component);
        blocks[3 + component] = block(half, &tables[1]);
    }
    blocks
}

struct Picture<'a> {
    samples: &'a [u8],
    width: u32,
    height: u32,
}

impl<'a> Picture<'a> {
    fn new(raster: &'a Raster) -> Self {
        let Samples::U8(samples) = raster.samples() else {
            panic!("16 bits");
        };
        let Dimensions { width, height } = raster.dimensions();
        Self {
            samples,
            width,
            height,
        }
    }

    fn at(&self, x: u32, y: u32) -> usize {
        let (x, y) = (x.min(self.width - 1), y.min(self.height - 1));
        y as usize * self.width as usize + x as usize
    }

    fn gray(&self, x: u32, y: u32) -> i32 {
        i32::from(self.samples[self.at(x, y)])
    }

    /// Luma and colour with 16 bits of fraction, rounded as libjpeg rounds.
    fn ycc(&self, column: u32, row: u32) -> [i32; 3] {
        let at = 3 * self.at(column, row);
        let [r, g, b] = [0, 1, 2].map(|channel| i32::from(self.samples[at + channel]));
        let middle = (128 << 16) + (1 << 15) - 1;
        [
            (19595 * r + 38470 * g + 7471 * b + (1 << 15)) >> 16,
            (-11059 * r - 21709 * g + 32768 * b + middle) >> 16,
            (32768 * r - 27439 * g - 5329 * b + middle) >> 16,
        ]
    }

    /// The mean of two by two: rounded down in even columns, to the nearest in odd ones.
    fn halved(&self, x: u32, y: u32, component: usize) -> i32 {
        let y = y.min(self.height.div_ceil(2) - 1);
        let corners = [(0, 0), (1, 0), (0, 1), (1, 1)];
        let sum: i32 = corners
            .map(|(u, v)| self.ycc(2 * x + u, 2 * y + v)[component])
            .iter()
            .sum();
        (sum + if x.is_multiple_of(2) { 1 } else { 2 }) >> 2
    }
}

/// Samples → transform → quantised, in the order of coding.
fn block(sample: impl Fn(u32, u32) -> i32, table: &[u8; 64]) -> Block {
    let mut values = [0; 64];
    for (at, value) in (0..).zip(&mut values) {
        *value = sample(at % 8, at / 8) - 128;
    }
    for row in 0..8 {
        transform(&mut values, 8 * row, 1, Fraction::Grows);
    }
    for column in 0..8 {
        transform(&mut values, column, 8, Fraction::Leaves);
    }
    std::array::from_fn(|at| quantised(values[usize::from(ZIGZAG[at])], table[at]))
}

/// Divided by 8 × the quantiser, halves away from zero.
fn quantised(value: i32, quantiser: u8) -> i16 {
    let divisor = 8 * i32::from(quantiser);
    let size = (value.abs() + divisor / 2) / divisor;
    i16::try_from(size * value.signum()).expect("coefficients of 8-bit samples have 11 bits")
}

/// Two bits of fraction come with the rows and go with the columns.
#[derive(Clone, Copy)]
enum Fraction {
    Grows,
    Leaves,
}

/// Eight values that stand `step` apart, transformed in place: 13 bits of fraction in the constants.
///
/// Source: `jpeg_fdct_islow`; Loeffler, Ligtenberg and Moschytz 1989.
fn transform(values: &mut [i32; 64], first: usize, step: usize, fraction: Fraction) {
    let d: [i32; 8] = std::array::from_fn(|k| values[first + k * step]);
    let (sum, difference) = (
        [0, 1, 2, 3].map(|k| d[k] + d[7 - k]),
        [3, 2, 1, 0].map(|k| d[k] - d[7 - k]),
    );
    let (even, odd) = (evens(sum), odds(difference));
    let shift = match fraction {
        Fraction::Grows => 11,
        Fraction::Leaves => 15,
    };
    let whole = |value: i32| match fraction {
        Fraction::Grows => value << 2,
        Fraction::Leaves => (value + 2) >> 2,
    };
    let scaled = |value: i32| (value + (1 << (shift - 1))) >> shift;
    let result = [
        whole(even[0]),
        scaled(odd[0]),
        scaled(even[1]),
        scaled(odd[1]),
        whole(even[2]),
        scaled(odd[2]),
        scaled(even[3]),
        scaled(odd[3]),
    ];
    for (k, value) in result.into_iter().enumerate() {
        values[first + k * step] = value;
    }
}

/// Frequencies 0, 2, 4, 6; the first and the third without the constants' fraction.
fn evens([t0, t1, t2, t3]: [i32; 4]) -> [i32; 4] {
    let (t10, t13, t11, t12) = (t0 + t3, t0 - t3, t1 + t2, t1 - t2);
    let z = (t12 + t13) * 4433;
    [t10 + t11, z + t13 * 6270, t10 - t11, z - t12 * 15137]
}

/// Frequencies 1, 3, 5, 7, of the differences from the innermost pair to the outermost.
fn odds([t4, t5, t6, t7]: [i32; 4]) -> [i32; 4] {
    let z5 = (t4 + t6 + t5 + t7) * 9633;
    let z1 = (t4 + t7) * -7373;
    let z2 = (t5 + t6) * -20995;
    let z3 = (t4 + t6) * -16069 + z5;
    let z4 = (t5 + t7) * -3196 + z5;
    [
        t7 * 12299 + z1 + z4,
        t6 * 25172 + z2 + z3,
        t5 * 16819 + z2 + z4,
        t4 * 2446 + z1 + z3,
    ]
}
