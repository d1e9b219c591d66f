//! Conversions against LittleCMS, and what decoders rely on.

use super::*;
use crate::cancel::Cancel;
use crate::error::ErrorKind;
use crate::geometry::Dimensions;
use crate::raster::{OneStrip, gather};

/// A profile of `fixtures/icc` and what `LittleCMS` makes of some pixels (`tests/tools/make_icc.py`).
macro_rules! case {
    ($name:literal) => {
        (
            include_bytes!(concat!("../../../fixtures/icc/", $name, ".icc")).as_slice(),
            include_str!(concat!("../../../fixtures/icc/", $name, ".txt")),
        )
    };
}

fn converted(profile: &[u8], channels: Channels, samples: Samples) -> Samples {
    let pixels = samples.len() / channels.count();
    let dimensions = Dimensions::new(u32::try_from(pixels).unwrap(), 1).unwrap();
    let raster = Raster::new(dimensions, channels, samples).unwrap();
    let colour = Colour::from_icc(Some(profile), channels).unwrap();
    let mut rows = colour.apply(Box::new(OneStrip::from(raster)));
    gather(rows.as_mut(), &Cancel::new())
        .unwrap()
        .into_samples()
}

fn converted_8(profile: &[u8], channels: Channels, samples: Vec<u8>) -> Vec<u8> {
    match converted(profile, channels, Samples::U8(samples)) {
        Samples::U8(samples) => samples,
        Samples::U16(_) => panic!("the depth has changed"),
    }
}

fn converted_16(profile: &[u8], channels: Channels, samples: Vec<u16>) -> Vec<u16> {
    match converted(profile, channels, Samples::U16(samples)) {
        Samples::U16(samples) => samples,
        Samples::U8(_) => panic!("the depth has changed"),
    }
}

/// Both sides of the lines `in in in > out out out`.
fn oracle(text: &str) -> (Vec<u8>, Vec<u8>) {
    let side = |index: usize| {
        text.lines()
            .flat_map(|line| line.split('>').nth(index).unwrap().split_whitespace())
            .map(|word| word.parse().unwrap())
            .collect()
    };
    (side(0), side(1))
}

fn worst(ours: &[u8], theirs: &[u8]) -> u8 {
    assert_eq!(ours.len(), theirs.len());
    ours.iter()
        .zip(theirs)
        .map(|(a, b)| a.abs_diff(*b))
        .max()
        .unwrap()
}

/// Pseudo-random samples, the same ones every time.
fn noise(count: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(7);
    (0..count).map(|_| random.u8(..)).collect()
}

#[test]
fn rgb_profiles_agree_with_littlecms_within_two_levels() {
    for (profile, text) in [case!("adobe"), case!("p3"), case!("prophoto")] {
        let (input, expected) = oracle(text);
        let wide: Vec<u16> = input.iter().map(|v| u16::from(*v) * 257).collect();
        let ours = converted_8(profile, Channels::Rgb, input.clone());
        assert!(worst(&ours, &expected) <= 2, "{}", worst(&ours, &expected));
        assert!(worst(&ours, &input) > 20, "the profile has no effect");
        let narrowed: Vec<u8> = converted_16(profile, Channels::Rgb, wide)
            .iter()
            .map(|v| u8::try_from((u32::from(*v) * 255 + 32767) / 65535).unwrap())
            .collect();
        assert!(worst(&narrowed, &expected) <= 2);
    }
}

#[test]
fn gray_profiles_agree_with_littlecms_and_stay_gray() {
    for (profile, text) in [case!("gray-1.8"), case!("gray-2.2")] {
        let (input, expected) = oracle(text);
        let ours = converted_8(profile, Channels::Gray, input.clone());
        assert!(worst(&ours, &expected) <= 2, "{}", worst(&ours, &expected));
        let wide = input.iter().map(|v| u16::from(*v) * 257).collect();
        let narrowed: Vec<u8> = converted_16(profile, Channels::Gray, wide)
            .iter()
            .map(|v| u8::try_from((u32::from(*v) * 255 + 32767) / 65535).unwrap())
            .collect();
        assert!(worst(&narrowed, &expected) <= 2);
    }
}

#[test]
fn a_profile_with_the_effect_of_srgb_counts_as_none() {
    for (profile, channels) in [
        (case!("srgb").0, Channels::Rgb),
        (case!("srgb").0, Channels::Rgba),
        (case!("gray-srgb").0, Channels::Gray),
        (case!("gray-srgb").0, Channels::GrayAlpha),
    ] {
        let colour = Colour::from_icc(Some(profile), channels).unwrap();
        assert_eq!(colour.name(), "sRGB");
        assert!(colour.transform.is_none());
    }
}

#[test]
fn names_are_those_of_the_profiles() {
    let name = |profile: &[u8], channels| {
        Colour::from_icc(Some(profile), channels)
            .unwrap()
            .name()
            .to_owned()
    };
    assert_eq!(name(case!("adobe").0, Channels::Rgb), "Adobe RGB (1998)");
    assert_eq!(name(case!("p3").0, Channels::Rgba), "Display P3");
    assert_eq!(name(case!("gray-2.2").0, Channels::Gray), "gray gamma 2.2");
    assert_eq!(
        Colour::from_icc(None, Channels::Rgb).unwrap().name(),
        "untagged"
    );
}

#[test]
fn a_profile_for_other_channels_or_of_noise_is_ignored() {
    for (profile, channels) in [
        (case!("adobe").0, Channels::Gray),
        (case!("gray-1.8").0, Channels::Rgb),
        (&b"no profile"[..], Channels::Rgb),
        (&[], Channels::Rgb),
    ] {
        let colour = Colour::from_icc(Some(profile), channels).unwrap();
        assert_eq!(colour.name(), "untagged (unusable profile)");
        assert!(colour.transform.is_none());
    }
}

#[test]
fn profiles_of_inks_and_lab_are_refused() {
    for space in [b"CMYK", b"Lab "] {
        let mut profile = case!("adobe").0.to_vec();
        profile[16..20].copy_from_slice(space);
        let error = Colour::from_icc(Some(&profile), Channels::Rgb).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotImplemented);
    }
}

#[test]
fn opacity_is_untouched() {
    let samples = noise(4 * 333);
    let ours = converted_8(case!("prophoto").0, Channels::Rgba, samples.clone());
    for (before, after) in samples.chunks_exact(4).zip(ours.chunks_exact(4)) {
        assert_eq!(before[3], after[3]);
    }
    let wide: Vec<u16> = noise(2 * 333).iter().map(|v| u16::from(*v) * 129).collect();
    let ours = converted_16(case!("gray-1.8").0, Channels::GrayAlpha, wide.clone());
    for (before, after) in wide.chunks_exact(2).zip(ours.chunks_exact(2)) {
        assert_eq!(before[1], after[1]);
    }
}

#[test]
fn a_pixel_is_the_same_wherever_it_stands() {
    for (profile, channels) in [
        (case!("adobe").0, Channels::Rgb),
        (case!("p3").0, Channels::Rgba),
        (case!("prophoto").0, Channels::Rgb),
        (case!("gray-1.8").0, Channels::GrayAlpha),
    ] {
        let count = channels.count();
        let samples = noise(1155 * count);
        let wide: Vec<u16> = noise(2 * 1155 * count)
            .chunks_exact(2)
            .map(|pair| u16::from_ne_bytes([pair[0], pair[1]]))
            .collect();
        let whole = converted_8(profile, channels, samples.clone());
        let whole_16 = converted_16(profile, channels, wide.clone());
        for first in [0, 1, 2, 3, 7, 65, 1020, 1023, 1089] {
            for pixels in [1, 2, 3, 5, 17, 64, 66] {
                let part = first * count..(first + pixels) * count;
                let tile = converted_8(profile, channels, samples[part.clone()].to_vec());
                assert_eq!(tile, whole[part.clone()]);
                let tile = converted_16(profile, channels, wide[part.clone()].to_vec());
                assert_eq!(tile, whole_16[part]);
            }
        }
    }
}

#[test]
fn damaged_profiles_never_panic() {
    let mut random = fastrand::Rng::with_seed(11);
    for (profile, channels) in [
        (case!("p3").0, Channels::Rgb),
        (case!("gray-1.8").0, Channels::Gray),
    ] {
        for length in (0..profile.len()).step_by(7) {
            let _ = Colour::from_icc(Some(&profile[..length]), channels);
        }
        for _ in 0..100 {
            let mut damaged = profile.to_vec();
            for _ in 0..4 {
                let at = random.usize(..damaged.len());
                damaged[at] = random.u8(..);
            }
            let _ = Colour::from_icc(Some(&damaged), channels);
        }
    }
}
