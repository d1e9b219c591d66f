//! The library against the specification, against exact arithmetic, and at the edges.

use super::super::reference;
use super::super::testing::{
    Noise, bytes, dimensions, painted, picture, run, run_in_strips, start,
};
use super::*;
use crate::error::ErrorKind;
use crate::plan::Pass;
use crate::raster::OneStrip;

const FILTERS: [Filter; 4] = [
    Filter::Lanczos3,
    Filter::CatmullRom,
    Filter::Bilinear,
    Filter::Box,
];
const CHANNELS: [Channels; 4] = [
    Channels::Gray,
    Channels::GrayAlpha,
    Channels::Rgb,
    Channels::Rgba,
];

fn crop(x: f64, y: f64, width: f64, height: f64) -> Crop {
    Crop {
        x,
        y,
        width,
        height,
    }
}

fn resample(source: &Raster, crop: Crop, target: (u32, u32), filter: Filter) -> Raster {
    let target = dimensions(target.0, target.1);
    let pass = Pass::Resample {
        crop,
        target,
        filter,
    };
    run(source.clone(), &[pass])
}

fn assert_as_specified(source: &Raster, crop: Crop, target: (u32, u32), filter: Filter) {
    let result = resample(source, crop, target, filter);
    let wanted = reference::resample(source, crop, result.dimensions(), filter);
    assert!(
        result == wanted,
        "{:?} {} {crop:?} to {target:?} by {filter:?}",
        source.format(),
        source.dimensions()
    );
}

/// A crop of one axis: whole or not, the full side or a part, and as long as the target or not.
fn axis(noise: &mut Noise, side: u32, target: u32) -> (f64, f64) {
    let whole = |noise: &mut Noise, side: u32| {
        let start = noise.below(side);
        (start, 1 + noise.below(side - start))
    };
    match noise.below(4) {
        0 => (0.0, f64::from(side)),
        1 if target <= side => (f64::from(noise.below(side - target + 1)), f64::from(target)),
        2 => {
            let (start, length) = whole(noise, side);
            (f64::from(start), f64::from(length))
        }
        _ => {
            let (start, length) = whole(noise, side);
            let start = f64::from(start) + noise.unit() * 0.9;
            let end = (start + f64::from(length) * noise.unit().max(0.05)).min(side.into());
            (start, end - start)
        }
    }
}

#[test]
fn the_library_equals_the_integer_specification_in_random_jobs() {
    let mut noise = Noise::new(11);
    for job in 0..400_u32 {
        let channels = CHANNELS[job as usize % 4];
        let depth = match job / 4 % 2 {
            0 => Depth::Eight,
            _ => Depth::Sixteen,
        };
        let side = 1 + noise.below(if job % 10 == 0 { 300 } else { 90 });
        let source = dimensions(side, 1 + noise.below(90));
        let target = (1 + noise.below(120), 1 + noise.below(120));
        let (x, width) = axis(&mut noise, source.width, target.0);
        let (y, height) = axis(&mut noise, source.height, target.1);
        let source = picture(source, PixelFormat { channels, depth }, job.into());
        let filter = FILTERS[job as usize / 8 % 4];
        assert_as_specified(&source, crop(x, y, width, height), target, filter);
    }
}

#[test]
fn outer_samples_that_fall_on_a_source_sample_stay_in_their_picture() {
    // First centre 2.25 + 0.25 − 0.5 = 2, last centre 2.75 + 7.75 − 0.5 = 10: both exact.
    for depth in [Depth::Eight, Depth::Sixteen] {
        for channels in CHANNELS {
            let source = picture(dimensions(16, 16), PixelFormat { channels, depth }, 12);
            for filter in FILTERS {
                for (start, length, target) in [(2.25, 8.0, 16), (2.5, 8.25, 33), (2.75, 8.0, 16)] {
                    let crop = crop(start, start, length, length);
                    assert_as_specified(&source, crop, (target, target), filter);
                }
            }
        }
    }
}

#[test]
fn an_unchanged_size_at_whole_pixels_is_the_identity() {
    for channels in CHANNELS {
        let source = picture(dimensions(20, 9), PixelFormat::eight(channels), 13);
        let same = resample(
            &source,
            crop(0.0, 0.0, 20.0, 9.0),
            (20, 9),
            Filter::Lanczos3,
        );
        assert_eq!(same, source);
        assert!(same.samples() == source.samples());
    }
    let source = picture(dimensions(20, 9), PixelFormat::eight(Channels::Gray), 13);
    let part = resample(&source, crop(3.0, 2.0, 5.0, 4.0), (5, 4), Filter::Lanczos3);
    let wanted: Vec<u8> = (2..6)
        .flat_map(|y| bytes(&source)[y * 20 + 3..y * 20 + 8].to_vec())
        .collect();
    assert_eq!(bytes(&part), wanted);
}

#[test]
fn what_lies_around_the_crop_feeds_the_filter() {
    let gray = PixelFormat::eight(Channels::Gray);
    let source = painted(
        dimensions(20, 1),
        gray,
        |x, _, _| if x < 10 { 0 } else { 200 },
    );
    let alone = painted(dimensions(10, 1), gray, |_, _, _| 200);
    let part = resample(
        &source,
        crop(10.0, 0.0, 10.0, 1.0),
        (5, 1),
        Filter::Lanczos3,
    );
    let flat = resample(&alone, crop(0.0, 0.0, 10.0, 1.0), (5, 1), Filter::Lanczos3);
    assert_eq!(bytes(&flat), [200; 5]);
    assert_ne!(bytes(&part)[0], 200);
    assert_eq!(bytes(&part)[4], 200);
}

#[test]
fn a_lanczos_without_rounding_between_the_axes_is_close() {
    let rgb = PixelFormat::eight(Channels::Rgb);
    let waves = |x: u32, y: u32, c: u8| {
        let (x, y, c) = (f64::from(x), f64::from(y), f64::from(c));
        let wave = (x * 0.11 + c).sin() * (y * 0.07 + c * 0.7).cos();
        let edge = if (x / 23.0).floor() % 2.0 == 0.0 {
            30.0
        } else {
            0.0
        };
        let [level, ..] = reference::rounded(100.0 + 80.0 * wave + edge).to_le_bytes();
        level
    };
    for ((w, h), target) in [
        ((256, 200), (128, 100)),
        ((150, 100), (225, 167)),
        ((301, 203), (97, 61)),
    ] {
        let source = painted(dimensions(w, h), rgb, waves);
        let whole = crop(0.0, 0.0, w.into(), h.into());
        let result = resample(&source, whole, target, Filter::Lanczos3);
        let wanted = reference::exact_lanczos(&source, result.dimensions());
        let pairs = bytes(&result).iter().zip(&wanted);
        let distances: Vec<u8> = pairs.map(|(a, b)| a.abs_diff(*b)).collect();
        let sum: u32 = distances.iter().copied().map(u32::from).sum();
        let near = distances.iter().filter(|distance| **distance <= 1).count();
        assert!(f64::from(sum) <= 0.3 * distances.len() as f64, "mean {sum}");
        assert!(near as f64 >= 0.995 * distances.len() as f64, "near {near}");
    }
}

#[test]
fn colours_of_clear_pixels_do_not_bleed() {
    let samples = [[250, 10, 20, 255], [0, 255, 255, 0]].concat().repeat(32);
    let source = Raster::from_u8(dimensions(64, 1), Channels::Rgba, samples).expect("64 pixels");
    let result = resample(&source, crop(0.0, 0.0, 64.0, 1.0), (8, 1), Filter::Lanczos3);
    for pixel in bytes(&result).as_chunks::<4>().0 {
        for (channel, wanted) in [250, 10, 20].into_iter().enumerate() {
            assert!(pixel[channel].abs_diff(wanted) <= 2, "{pixel:?}");
        }
        assert!(pixel[3].abs_diff(128) <= 8, "{pixel:?}");
    }
}

#[test]
fn strips_of_any_height_give_the_same() {
    let source = picture(dimensions(50, 131), PixelFormat::eight(Channels::Rgb), 14);
    let pass = Pass::Resample {
        crop: crop(3.5, 2.0, 40.25, 120.0),
        target: dimensions(21, 64),
        filter: Filter::Lanczos3,
    };
    run_in_strips(&source, &[pass]);
}

#[test]
fn a_crop_may_reach_past_the_picture_by_rounding_alone() {
    let source = picture(dimensions(10, 10), PixelFormat::eight(Channels::Rgb), 15);
    let rounded = resample(
        &source,
        crop(0.0, 0.0, 10.0 + 1e-9, 10.0),
        (5, 5),
        Filter::Box,
    );
    let exact = resample(&source, crop(0.0, 0.0, 10.0, 10.0), (5, 5), Filter::Box);
    assert!(rounded.samples() == exact.samples());
    for outside in [
        crop(0.0, 0.0, 10.1, 10.0),
        crop(-1.0, 0.0, 5.0, 5.0),
        crop(10.0, 0.0, 1.0, 1.0),
        crop(0.0, 3.0, 5.0, 0.0),
        crop(f64::NAN, 0.0, 5.0, 5.0),
    ] {
        let pass = Pass::Resample {
            crop: outside,
            target: dimensions(5, 5),
            filter: Filter::Box,
        };
        let source = Box::new(OneStrip::from(source.clone()));
        let error = start(source, &[pass], &Cancel::new())
            .next_strip()
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Internal, "{outside:?}");
    }
}

#[test]
fn scratch_of_large_jobs_is_given_back() {
    let source = picture(
        dimensions(3000, 1000),
        PixelFormat::eight(Channels::Rgba),
        16,
    );
    resample(
        &source,
        crop(0.0, 0.0, 3000.0, 1000.0),
        (2990, 900),
        Filter::Box,
    );
    RESIZER.with_borrow(|resizer| {
        assert!(resizer.size_of_internal_buffers() <= KEPT_SCRATCH_BYTES);
    });
}
