//! Bands of random jobs: they tile the result, and the rows of each are the whole's, whatever is around
//! their windows.

use proptest::prelude::*;

use super::super::fake::Fake;
use super::super::pictures::{picture, reference, reference_of_part, rows_of};
use super::*;
use crate::geometry::{Dimensions, Orientation, Window};
use crate::plan::{Crop, Filter, Turn, canvas};
use crate::raster::{Channels, PixelFormat, Raster, Samples};
use crate::render::gpu::Source;

const CHANNELS: [Channels; 4] = [
    Channels::Gray,
    Channels::GrayAlpha,
    Channels::Rgb,
    Channels::Rgba,
];
const FILTERS: [Filter; 4] = [
    Filter::Lanczos3,
    Filter::CatmullRom,
    Filter::Bilinear,
    Filter::Box,
];

prop_compose! {
    /// Part of a side, and what becomes of it: unchanged, smaller, larger.
    fn axis(side: u32)(
        start in 0..side,
        part in 0.01_f64..=1.0,
        cut in prop_oneof![Just(0.0), Just(0.37)],
        target in prop_oneof![Just(None), (1_u32..150).prop_map(Some)],
    ) -> (f64, f64, u32) {
        let start = f64::from(start) + cut;
        let length = (f64::from(side) - start) * part;
        match target {
            Some(target) => (start, length, target),
            None => (start.floor(), 1.0, 1),
        }
    }
}

prop_compose! {
    fn job()(
        width in 1_u32..120,
        height in 1_u32..120,
    )(
        width in Just(width),
        height in Just(height),
        channels in prop::sample::select(&CHANNELS[..]),
        filter in prop::sample::select(&FILTERS[..]),
        across in axis(width),
        down in axis(height),
        resamples in prop::bool::weighted(0.8),
        mirror in any::<bool>(),
        turns in 0_u8..4,
        last in 0_u8..4,
    ) -> (Shape, Vec<Pass>) {
        let whole = Shape {
            dimensions: Dimensions { width, height },
            format: PixelFormat::eight(channels),
        };
        let mut passes = Vec::new();
        if resamples {
            passes.push(Pass::Resample {
                crop: Crop { x: across.0, y: down.0, width: across.1, height: down.1 },
                target: Dimensions { width: across.2, height: down.2 },
                filter,
            });
        }
        passes.push(Pass::Orient(Orientation { mirror, turns }));
        match last {
            0 => passes.push(Pass::Flatten { background: [250, 128, 7] }),
            1 => passes.push(Pass::Gray),
            2 => passes.push(Pass::Bitonal),
            _ => {}
        }
        (whole, passes)
    }
}

fn source(whole: Shape) -> Raster {
    let Dimensions { width, height } = whole.dimensions;
    picture(width, height, whole.format.channels, 3).expect("it fits")
}

/// The part of `raster` that `window` is.
fn part_of(raster: &Raster, window: Window) -> Raster {
    let Samples::U8(samples) = raster.samples() else {
        panic!("16 bits");
    };
    let channels = raster.format().channels;
    let (left, row) = (window.x as usize, window.width as usize);
    let rows = samples.chunks_exact(raster.row_len());
    let rows = rows.skip(window.y as usize).take(window.height as usize);
    let part = rows.flat_map(|line| &line[left * channels.count()..][..row * channels.count()]);
    Raster::from_u8(window.dimensions(), channels, part.copied().collect()).expect("it fits")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn rows_of_a_part_are_the_wholes_and_hang_on_its_window_alone(
        (whole, passes) in job(),
        most in 1_u64..60_000,
    ) {
        let fake = Fake::new();
        fake.narrow(most);
        let Some(bands) = cut(&fake, whole, &passes, Target::Rows) else {
            return Ok(());
        };
        let source = source(whole);
        let all = reference(&Source::Host(source.clone()), &passes).expect("a plan's passes");
        let mut next = 0;
        for band in &bands {
            let rows = &band.part.rows;
            prop_assert_eq!(rows.start, next);
            prop_assert!(rows.start.is_multiple_of(UNIT_ROWS) && !rows.is_empty());
            next = rows.end;
            let part = Source::Host(part_of(&source, band.window));
            let mine = reference_of_part(&part, &passes, &band.part).expect("it has a place");
            prop_assert!(mine == rows_of(&all, rows).expect("8 bits"), "{:?}", band);
            let takes = band.weight.footprint;
            prop_assert!(takes.up_bytes + takes.down_bytes <= most);
        }
        prop_assert_eq!(next, all.dimensions().height);
    }
}

#[test]
fn bands_are_as_large_as_the_device_allows_and_together_they_are_the_work() {
    let whole = Shape {
        dimensions: Dimensions {
            width: 400,
            height: 900,
        },
        format: PixelFormat::eight(Channels::Rgb),
    };
    let passes = [Pass::Resample {
        crop: Crop {
            x: 0.0,
            y: 0.0,
            width: 400.0,
            height: 900.0,
        },
        target: Dimensions {
            width: 200,
            height: 450,
        },
        filter: Filter::Lanczos3,
    }];
    let fake = Fake::new();
    let count = |most| {
        fake.narrow(most);
        cut(&fake, whole, &passes, Target::Rows).map(|bands| bands.len())
    };
    // 2¹³ pixels are 40 rows of 200, which is 32 in units.
    assert_eq!(count(u64::MAX), Some(15));
    // Half as many where the device has little room: 44 rows of 1,200 bytes and 16 of 600.
    assert_eq!(count(70_000), Some(29));
    assert_eq!(count(20_000), None);
    fake.narrow(u64::MAX);
    let bands = cut(&fake, whole, &passes, Target::Rows).expect("it fits");
    let labour = Labour::of(whole, &passes, Target::Rows);
    let all = weight(labour, &bands);
    assert_eq!((all.bands, all.labour), (15, labour));
    assert_eq!(all.footprint.down_bytes, 200 * 450 * 3);
    // Neighbours share the rows that the filter reaches.
    let up = all.footprint.up_bytes;
    let once = whole.bytes();
    assert!(up > once && up < once + 14 * 14 * 1200, "{up}");
}

#[test]
fn what_needs_whole_pictures_has_no_bands() {
    let dimensions = Dimensions {
        width: 90,
        height: 90,
    };
    let whole = Shape {
        dimensions,
        format: PixelFormat::eight(Channels::Gray),
    };
    let turn = Pass::Rotate(Turn {
        degrees: 30.0,
        canvas: canvas(dimensions, 30.0),
        background: Some([255; 3]),
    });
    let fake = Fake::new();
    let bands = |passes: &[Pass]| cut(&fake, whole, passes, Target::Rows);
    assert_eq!(bands(&[turn]), None);
    assert_eq!(bands(&[Pass::Shrink { times: 1 }]), None);
    assert!(bands(&[Pass::Gray]).is_some());
}
