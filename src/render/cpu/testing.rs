//! Pictures and runs for the tests of this engine.

use super::CpuEngine;
use crate::cancel::Cancel;
use crate::error::Result;
use crate::geometry::Dimensions;
use crate::plan::Pass;
use crate::raster::{OneStrip, PixelFormat, Raster, Rows, Samples, Shape, gather};
use crate::render::{Engine as _, Output, Target};

/// Numbers that look random and are the same in every run (Marsaglia's xorshift64).
pub(super) struct Noise(u64);

impl Noise {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// A number below `end`.
    pub(super) fn below(&mut self, end: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        u32::try_from((self.0 >> 20) % u64::from(end)).expect("below a u32")
    }

    /// A number of `0.0 .. 1.0`.
    pub(super) fn unit(&mut self) -> f64 {
        f64::from(self.below(1 << 20)) / f64::from(1 << 20)
    }
}

pub(super) fn dimensions(width: u32, height: u32) -> Dimensions {
    Dimensions::new(width, height).expect("not empty")
}

/// Noise of the full range with whole black, white, clear and opaque patches.
pub(super) fn picture(dimensions: Dimensions, format: PixelFormat, seed: u64) -> Raster {
    let mut noise = Noise::new(seed);
    let mut samples = Samples::zeroed(
        format,
        usize::try_from(dimensions.area()).expect("a small picture"),
    );
    let mut patch = 0;
    let mut next = || {
        if noise.below(40) == 0 {
            patch = noise.below(4);
        }
        let value = noise.below(65536);
        match patch {
            0 => 0,
            1 => 65535,
            _ => u16::try_from(value).expect("below 65536"),
        }
    };
    match &mut samples {
        Samples::U8(all) => all.fill_with(|| next().to_be_bytes()[0]),
        Samples::U16(all) => all.fill_with(next),
    }
    Raster::new(dimensions, format.channels, samples).expect("as many samples as pixels")
}

/// 8-bit samples `f(x, y, channel)`.
pub(super) fn painted(
    dimensions: Dimensions,
    format: PixelFormat,
    f: impl Fn(u32, u32, u8) -> u8,
) -> Raster {
    let channels = u8::try_from(format.channels.count()).expect("at most 4");
    let f = &f;
    let samples = (0..dimensions.height)
        .flat_map(|y| {
            (0..dimensions.width).flat_map(move |x| (0..channels).map(move |c| f(x, y, c)))
        })
        .collect();
    Raster::from_u8(dimensions, format.channels, samples).expect("as many samples as pixels")
}

/// The 8-bit samples of a raster.
pub(super) fn bytes(raster: &Raster) -> &[u8] {
    let Samples::U8(samples) = raster.samples() else {
        panic!("16 bits");
    };
    samples
}

/// A picture that leaves in strips of `height` rows.
pub(super) struct Strips {
    raster: Raster,
    height: u32,
    top: u32,
}

impl Strips {
    pub(super) fn new(raster: Raster, height: u32) -> Self {
        Self {
            raster,
            height,
            top: 0,
        }
    }
}

impl Rows for Strips {
    fn shape(&self) -> Shape {
        Shape {
            dimensions: self.raster.dimensions(),
            format: self.raster.format(),
        }
    }

    fn next_strip(&mut self) -> Result<Option<Raster>> {
        let whole = self.raster.dimensions();
        let height = self.height.min(whole.height - self.top);
        let Some(dimensions) = Dimensions::new(whole.width, height) else {
            return Ok(None);
        };
        let row = self.raster.row_len();
        let range = self.top as usize * row..(self.top + height) as usize * row;
        self.top += height;
        let samples = match self.raster.samples() {
            Samples::U8(all) => Samples::U8(all[range].to_vec()),
            Samples::U16(all) => Samples::U16(all[range].to_vec()),
        };
        Raster::new(dimensions, self.raster.format().channels, samples).map(Some)
    }
}

/// The rows that the engine gives for `source` after `passes`.
pub(super) fn start(source: Box<dyn Rows>, passes: &[Pass], cancel: &Cancel) -> Box<dyn Rows> {
    let output = CpuEngine::default().run(source, passes, Target::Rows, cancel);
    let Ok(Output::Rows(rows)) = output else {
        panic!("{output:?}");
    };
    rows
}

/// `source` after `passes`; panics unless it has the shape that the passes promise.
pub(super) fn run(source: Raster, passes: &[Pass]) -> Raster {
    finish(Box::new(OneStrip::from(source)), passes)
}

fn finish(source: Box<dyn Rows>, passes: &[Pass]) -> Raster {
    let cancel = Cancel::new();
    let promised = passes
        .iter()
        .fold(source.shape(), |shape, pass| pass.shape_after(shape));
    let mut rows = start(source, passes, &cancel);
    assert_eq!(rows.shape(), promised);
    let result = gather(rows.as_mut(), &cancel).expect("the passes fit the picture");
    assert_eq!(result.dimensions(), promised.dimensions);
    assert_eq!(result.format(), promised.format);
    assert!(rows.next_strip().expect("an end").is_none());
    result
}

/// `source` after `passes`; panics unless strips of 1, 3 and 64 rows give the same as one strip.
pub(super) fn run_in_strips(source: &Raster, passes: &[Pass]) -> Raster {
    let whole = run(source.clone(), passes);
    for height in [1, 3, 64] {
        let strips = finish(Box::new(Strips::new(source.clone(), height)), passes);
        assert_eq!(strips, whole, "strips of {height} rows");
        assert!(strips.samples() == whole.samples(), "strips of {height}");
    }
    whole
}
