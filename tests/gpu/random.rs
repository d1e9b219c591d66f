//! Pictures and passes that look random and are the same in every run.

use std::sync::Arc;

use triforium::geometry::{Dimensions, Orientation};
use triforium::plan::{Crop, Filter, Pass, Turn, canvas};
use triforium::raster::{Channels, PixelFormat, Raster, Shape};
use triforium::render::Target;
use triforium::render::gpu::Job;

pub(crate) const FILTERS: [Filter; 4] = [
    Filter::Lanczos3,
    Filter::CatmullRom,
    Filter::Bilinear,
    Filter::Box,
];
pub(crate) const CHANNELS: [Channels; 4] = [
    Channels::Gray,
    Channels::GrayAlpha,
    Channels::Rgb,
    Channels::Rgba,
];

/// Marsaglia's xorshift64.
pub(crate) struct Noise(u64);

impl Noise {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 20) % u64::from(end)) as u32
    }

    fn one_in(&mut self, n: u32) -> bool {
        self.below(n) == 0
    }
}

pub(crate) fn dimensions(width: u32, height: u32) -> Dimensions {
    Dimensions::new(width, height).unwrap()
}

/// Noise of the full range with whole black, white, clear and opaque patches.
pub(crate) fn picture(dimensions: Dimensions, channels: Channels, seed: u64) -> Raster {
    let mut noise = Noise::new(seed);
    let mut patch = 0;
    let samples = (0..dimensions.area() as usize * channels.count()).map(|_| {
        if noise.one_in(40) {
            patch = noise.below(4);
        }
        match patch {
            0 => 0,
            1 => 255,
            _ => noise.below(256) as u8,
        }
    });
    Raster::from_u8(dimensions, channels, samples.collect()).unwrap()
}

pub(crate) fn job(source: Raster, passes: Vec<Pass>) -> Arc<Job> {
    Arc::new(Job::new(source, passes, Target::Rows))
}

/// Part of a side and what becomes of it: whole or fractional edges, smaller, larger or unchanged.
fn axis(noise: &mut Noise, side: u32, most: u32) -> (f64, f64, u32) {
    let start = noise.below(side);
    let length = 1 + noise.below(side - start);
    let target = match noise.below(4) {
        0 => length,
        1 => (length * 2 + 1).min(most),
        _ => 1 + noise.below(length),
    };
    let (start, length) = (f64::from(start), f64::from(length));
    if noise.one_in(3) && length > 1.0 {
        (start + 0.37, length - 0.6, target)
    } else {
        (start, length, target)
    }
}

/// A resampling of `source` to sides of at most `most`.
pub(crate) fn resample(noise: &mut Noise, source: Dimensions, most: u32) -> Pass {
    let (x, width, to_width) = axis(noise, source.width, most);
    let (y, height, to_height) = axis(noise, source.height, most);
    Pass::Resample {
        crop: Crop {
            x,
            y,
            width,
            height,
        },
        target: dimensions(to_width, to_height),
        filter: FILTERS[noise.below(4) as usize],
    }
}

/// A turn of a picture of `source`.
pub(crate) fn turn(noise: &mut Noise, source: Dimensions) -> Pass {
    let degrees = f64::from(1 + noise.below(3599)) / 10.0;
    Pass::Rotate(Turn {
        degrees,
        canvas: canvas(source, degrees),
        background: match noise.below(3) {
            0 => None,
            1 => Some([200, 200, 200]),
            _ => Some([220, 30, 90]),
        },
    })
}

/// Passes as a plan may hold them, of all kinds.
pub(crate) fn passes(noise: &mut Noise, source: Shape, most: u32) -> Vec<Pass> {
    let mut all = Vec::new();
    let mut now = source;
    let mut add = |pass: Pass, now: &mut Shape| {
        *now = pass.shape_after(*now);
        all.push(pass);
    };
    if noise.one_in(4) {
        let times = 1 + noise.below(3) as u8;
        add(Pass::Shrink { times }, &mut now);
    }
    if !noise.one_in(5) {
        add(resample(noise, now.dimensions, most), &mut now);
    }
    if noise.one_in(3) {
        add(Pass::Narrow, &mut now);
    }
    if noise.one_in(2) {
        let orientation = Orientation {
            mirror: noise.one_in(2),
            turns: noise.below(4) as u8,
        };
        add(Pass::Orient(orientation), &mut now);
    }
    if noise.one_in(3) {
        let background = [250, 128, noise.below(256) as u8];
        add(Pass::Flatten { background }, &mut now);
    }
    if noise.one_in(3) {
        add(turn(noise, now.dimensions), &mut now);
    }
    match noise.below(4) {
        0 => add(Pass::Gray, &mut now),
        1 => add(Pass::Bitonal, &mut now),
        _ => {}
    }
    all
}

/// A job of any kind with sides up to `most`.
pub(crate) fn any_job(noise: &mut Noise, most: u32) -> Arc<Job> {
    let dimensions = dimensions(1 + noise.below(most), 1 + noise.below(most));
    let channels = CHANNELS[noise.below(4) as usize];
    let shape = Shape {
        dimensions,
        format: PixelFormat::eight(channels),
    };
    let seed = noise.below(u32::MAX).into();
    let passes = passes(noise, shape, most);
    job(picture(dimensions, channels, seed), passes)
}
