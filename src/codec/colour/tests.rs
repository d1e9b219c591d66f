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
pub(in crate::codec) fn oracle(text: &str) -> (Vec<u8>, Vec<u8>) {
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
fn a_name_is_a_line_of_80_letters_at_most() {
    let name = |text: &str| {
        let mut profile = ColorProfile::new_srgb();
        profile.description = Some(ProfileText::PlainString(text.to_owned()));
        name_of(&profile, "RGB")
    };
    assert_eq!(name(" \0A\u{7}B\nC \0"), "ABC");
    assert_eq!(name(&"\u{e9}".repeat(90)), "\u{e9}".repeat(80));
    assert_eq!(name("\0 \n"), "RGB profile without a name");
}

#[test]
fn a_profile_that_leads_to_no_light_is_ignored() {
    for space in [b"RGB ", b"CMYK"] {
        let mut profile = case!("adobe").0.to_vec();
        profile[20..24].copy_from_slice(space);
        let colour = Colour::from_icc(Some(&profile), Channels::Rgb).unwrap();
        assert_eq!(colour.name(), "untagged (unusable profile)");
    }
}

#[test]
fn a_profiles_header_says_how_many_samples_a_colour_has() {
    let counted = |space: &[u8; 4]| {
        let mut profile = vec![0; 132];
        profile[16..20].copy_from_slice(space);
        colours_of(&profile)
    };
    for (spaces, count) in [
        (&[b"GRAY"][..], 1),
        (&[b"2CLR"], 2),
        (&[b"RGB ", b"Lab ", b"CMY ", b"3CLR", b"XYZ ", b"Luv "], 3),
        (&[b"YCbr", b"Yxy ", b"HSV ", b"HLS "], 3),
        (&[b"CMYK", b"4CLR"], 4),
    ] {
        for space in spaces {
            assert_eq!(counted(space).unwrap(), Some(count), "{space:?}");
        }
    }
    for space in [b"5CLR", b"9CLR", b"ACLR", b"FCLR"] {
        let error = counted(space).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotImplemented, "{space:?}");
    }
    for space in [b"1CLR", b"GCLR", b"what", b"gray"] {
        assert_eq!(counted(space).unwrap(), None, "{space:?}");
    }
    assert_eq!(colours_of(b"short").unwrap(), None);
}

#[test]
fn a_space_is_kept_where_it_is_another_than_srgb() {
    let kept = |colour, profile: Option<&[u8]>, channels| {
        let limits = DecodeLimits {
            colour,
            ..DecodeLimits::default()
        };
        let colour = Colour::of_master(profile, channels, &limits).unwrap();
        let told = colour
            .kept()
            .map(|space| (space.profile().to_vec(), space.is_gray()));
        (colour.is_identity(), told)
    };
    let (p3, srgb, gray) = (case!("p3").0, case!("srgb").0, case!("gray-1.8").0);
    let keep = ColourMode::Keep;
    assert_eq!(
        kept(keep, Some(p3), Channels::Rgb),
        (true, Some((p3.to_vec(), false)))
    );
    assert_eq!(
        kept(keep, Some(gray), Channels::Gray),
        (true, Some((gray.to_vec(), true)))
    );
    assert_eq!(kept(keep, Some(srgb), Channels::Rgb), (true, None));
    assert_eq!(kept(keep, Some(b"no profile"), Channels::Rgb), (true, None));
    assert_eq!(kept(keep, Some(p3), Channels::Gray), (true, None));
    assert_eq!(kept(keep, None, Channels::Rgb), (true, None));
    assert_eq!(
        kept(ColourMode::Srgb, Some(p3), Channels::Rgb),
        (false, None)
    );
}

#[test]
fn linear_light_gets_its_curve_and_opacity_does_not() {
    let encoded = |channels, samples: Samples| {
        let pixels = u32::try_from(samples.len() / Channels::count(channels)).unwrap();
        let dimensions = Dimensions::new(pixels, 1).unwrap();
        let raster = Raster::new(dimensions, channels, samples).unwrap();
        let mut rows = Colour::linear().apply(Box::new(OneStrip::from(raster)));
        gather(rows.as_mut(), &Cancel::new())
            .unwrap()
            .into_samples()
    };
    // 1.055 · (128 / 255)^(1 / 2.4) − 0.055 is 0.7367, 12.92 / 255 is 0.0507.
    let eight = encoded(Channels::Rgba, Samples::U8(vec![128, 1, 255, 128]));
    assert_eq!(eight, Samples::U8(vec![188, 13, 255, 128]));
    let gray = encoded(Channels::GrayAlpha, Samples::U8(vec![128, 9, 0, 77]));
    assert_eq!(gray, Samples::U8(vec![188, 9, 0, 77]));
    // A half is 0.735357, a thousandth of 65535 is below the bend.
    let Samples::U16(wide) = encoded(
        Channels::Rgba,
        Samples::U16(vec![32_768, 66, 65_535, 32_768]),
    ) else {
        panic!("the depth has changed");
    };
    assert!(
        wide[0].abs_diff(48_192) <= 1 && wide[1].abs_diff(853) <= 1,
        "{wide:?}"
    );
    assert_eq!(wide[2..], [65_535, 32_768]);
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
fn a_gray_curve_may_give_lightness() {
    let mut profile = case!("gray-2.2").0.to_vec();
    profile[20..24].copy_from_slice(b"Lab ");
    // An exponent of 1.
    profile[332..334].copy_from_slice(&[1, 0]);
    let samples = vec![0, 1, 13, 64, 128, 191, 255];
    // LittleCMS 2.14, relative colorimetric with black-point compensation.
    let expected = [0, 1, 17, 60, 119, 184, 255];
    let eight = converted_8(&profile, Channels::Gray, samples.clone());
    assert!(worst(&eight, &expected) <= 1, "{eight:?}");
    let wide = samples.iter().map(|v| u16::from(*v) * 257).collect();
    let wide = converted_16(&profile, Channels::Gray, wide);
    for (wide, expected) in wide.iter().zip(expected) {
        assert!(
            wide.abs_diff(u16::from(expected) * 257) <= 257,
            "{wide} {expected}"
        );
    }
}

#[test]
fn a_link_of_two_devices_is_no_profile_of_one() {
    for class in [b"link", b"nmcl", b"abst"] {
        let mut profile = case!("adobe").0.to_vec();
        profile[12..16].copy_from_slice(class);
        let colour = Colour::from_icc(Some(&profile), Channels::Rgb).unwrap();
        assert_eq!(colour.name(), "untagged (unusable profile)");
        let mut profile = case!("inks").0.to_vec();
        profile[12..16].copy_from_slice(class);
        let foreign = Foreign::inks(Some(&profile), Intent::Relative);
        assert_eq!(foreign.name(), "CMYK, untagged (unusable profile)");
    }
}

#[test]
fn lab_under_a_profile_look_as_littlecms_shows_them() {
    let (profile, text) = case!("lab");
    let (input, expected) = oracle(text);
    let foreign = Foreign::of_profile(profile, 3, Intent::Relative).unwrap();
    let foreign = foreign.expect("neither gray nor RGB");
    let wide = input.iter().map(|v| u16::from(*v) * 257).collect();
    let Samples::U8(ours) = foreign.rgb(&Samples::U8(input), 3) else {
        panic!("the depth has changed");
    };
    agrees(&ours, &expected, "lab");
    let Samples::U16(wide) = foreign.rgb(&Samples::U16(wide), 3) else {
        panic!("the depth has changed");
    };
    let narrowed = |v: &u16| u8::try_from((u32::from(*v) * 255 + 32767) / 65535).unwrap();
    agrees(
        &wide.iter().map(narrowed).collect::<Vec<_>>(),
        &expected,
        "lab, wide",
    );
}

#[test]
fn what_is_neither_gray_nor_rgb_is_told_by_the_header() {
    let with_space = |space: &[u8; 4]| {
        let mut profile = case!("adobe").0.to_vec();
        profile[16..20].copy_from_slice(space);
        profile
    };
    for (space, colours) in [
        (b"GRAY", Some(1)),
        (b"RGB ", Some(3)),
        (b"Lab ", Some(3)),
        (b"CMYK", Some(4)),
        (b"3CLR", Some(3)),
        (b"ink?", None),
    ] {
        assert_eq!(colours_of(&with_space(space)).unwrap(), colours);
    }
    let error = colours_of(&with_space(b"6CLR")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotImplemented);
    let by = |space, colours| {
        Foreign::of_profile(&with_space(space), colours, Intent::Relative)
            .map(|made| made.map(|foreign| foreign.name().to_owned()))
    };
    assert_eq!(by(b"RGB ", 3).unwrap(), None);
    assert_eq!(by(b"CMYK", 3).unwrap(), None, "fewer channels than inks");
    // There are no tables for inks in it.
    let plain = "CMYK, untagged (unusable profile)".to_owned();
    assert_eq!(by(b"CMYK", 4).unwrap(), Some(plain));
    assert_eq!(by(b"CMY ", 3).unwrap(), Some("CMY, untagged".to_owned()));
    assert_eq!(
        by(b"HSV ", 3).unwrap_err().kind(),
        ErrorKind::NotImplemented
    );
}

#[test]
fn lab_under_daylight_are_those_of_d50_for_white_and_move_for_the_rest() {
    let range = [(0.0, 100.0), (-128.0, 127.0), (-128.0, 127.0)];
    let samples = Samples::U8(vec![255, 128, 128, 137, 128, 128, 137, 188, 168]);
    let rgb = |foreign: Foreign| match foreign.rgb(&samples, 3) {
        Samples::U8(all) => all,
        Samples::U16(_) => panic!("the depth has changed"),
    };
    // By hand: XYZ under D65, Bradford's matrix, XYZ under D50, sRGB.
    let daylight = rgb(Foreign::lab(range).under([0.312_72, 0.329_03]));
    assert!(worst(&daylight[..6], &[255, 255, 255, 128, 128, 128]) <= 1);
    assert!(worst(&daylight[6..], &LAB_UNDER_D65) <= 1, "{daylight:?}");
    let incandescent = rgb(Foreign::lab(range).under([0.447_57, 0.407_45]));
    assert!(worst(&incandescent[..6], &[255, 255, 255, 128, 128, 128]) <= 1);
    assert!(worst(&incandescent[6..], &daylight[6..]) > 2);
}

/// sRGB of L\*a\*b\* (53.73, 60, 40) relative to D65, whose white is sRGB's: no adaptation at all.
const LAB_UNDER_D65: [u8; 3] = [229, 72, 63];

#[test]
fn a_profile_of_lab_is_refused() {
    let mut profile = case!("adobe").0.to_vec();
    profile[16..20].copy_from_slice(b"Lab ");
    let error = Colour::from_icc(Some(&profile), Channels::Rgb).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotImplemented);
}

/// CIE L\*a\*b\* of an sRGB colour, from IEC 61966-2-1 alone.
fn lab_of(rgb: [u8; 3]) -> [f64; 3] {
    let linear = rgb.map(|level| {
        let share = f64::from(level) / 255.0;
        if share <= 0.04045 {
            share / 12.92
        } else {
            ((share + 0.055) / 1.055).powf(2.4)
        }
    });
    let rows = [
        [0.412_456_4, 0.357_576_1, 0.180_437_5],
        [0.212_672_9, 0.715_152_2, 0.072_175],
        [0.019_333_9, 0.119_192, 0.950_304_1],
    ];
    let white = [0.950_47, 1.0, 1.088_83];
    let [x, y, z] = [0, 1, 2].map(|axis: usize| {
        let value: f64 = rows[axis].iter().zip(linear).map(|(a, b)| a * b).sum();
        let share = value / white[axis];
        if share > 216.0 / 24389.0 {
            share.cbrt()
        } else {
            (share * 24389.0 / 27.0 + 16.0) / 116.0
        }
    });
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

/// How far apart two colours look.
///
/// Source: CIE 142:2001 (`CIEDE2000`), as Sharma, Wu and Dalal 2005 write it out.
fn delta_e([l1, a1, b1]: [f64; 3], [l2, a2, b2]: [f64; 3]) -> f64 {
    let mean_chroma = f64::midpoint(a1.hypot(b1), a2.hypot(b2));
    let seventh = |chroma: f64| (chroma.powi(7) / (chroma.powi(7) + 25_f64.powi(7))).sqrt();
    let stretch = 1.5 - 0.5 * seventh(mean_chroma);
    let (a1, a2) = (a1 * stretch, a2 * stretch);
    let (c1, c2) = (a1.hypot(b1), a2.hypot(b2));
    let hue = |a: f64, b: f64| b.atan2(a).to_degrees().rem_euclid(360.0);
    let (h1, h2) = (hue(a1, b1), hue(a2, b2));
    let gray = c1 * c2 == 0.0;
    let turn = match h2 - h1 {
        _ if gray => 0.0,
        turn if turn > 180.0 => turn - 360.0,
        turn if turn < -180.0 => turn + 360.0,
        turn => turn,
    };
    let (dl, dc) = (l2 - l1, c2 - c1);
    let dh = 2.0 * (c1 * c2).sqrt() * (turn / 2.0).to_radians().sin();
    let (l, c) = (f64::midpoint(l1, l2), f64::midpoint(c1, c2));
    let h = match h1 + h2 {
        sum if gray => sum,
        sum if (h1 - h2).abs() <= 180.0 => sum / 2.0,
        sum if sum < 360.0 => f64::midpoint(sum, 360.0),
        sum => (sum - 360.0) / 2.0,
    };
    let wave = |factor: f64, shift: f64| (factor * h + shift).to_radians().cos();
    let t = 1.0 - 0.17 * wave(1.0, -30.0) + 0.24 * wave(2.0, 0.0) + 0.32 * wave(3.0, 6.0)
        - 0.20 * wave(4.0, -63.0);
    let sl = 1.0 + 0.015 * (l - 50.0).powi(2) / (20.0 + (l - 50.0).powi(2)).sqrt();
    let (sc, sh) = (1.0 + 0.045 * c, 1.0 + 0.015 * c * t);
    let twist = 30.0 * (-((h - 275.0) / 25.0).powi(2)).exp();
    let cross = -(2.0 * twist).to_radians().sin() * 2.0 * seventh(c);
    let (l, c, h) = (dl / sl, dc / sc, dh / sh);
    (l * l + c * c + h * h + cross * c * h).sqrt()
}

#[test]
fn the_measure_of_difference_is_that_of_its_authors() {
    // Sharma, Wu and Dalal 2005, table 1: pairs 1, 7, 17, 19, 25, 33.
    for (one, other, difference) in [
        ([50.0, 2.6772, -79.7751], [50.0, 0.0, -82.7485], 2.0425),
        ([50.0, 0.0, 0.0], [50.0, -1.0, 2.0], 2.3669),
        ([50.0, 2.5, 0.0], [73.0, 25.0, -18.0], 27.1492),
        ([50.0, 2.5, 0.0], [56.0, -27.0, -3.0], 31.9030),
        (
            [60.2574, -34.0099, 36.2677],
            [60.4626, -34.1751, 39.4387],
            1.2644,
        ),
        (
            [6.7747, -0.2908, -2.4247],
            [5.8714, -0.0985, -2.2286],
            0.6377,
        ),
    ] {
        assert!(
            (delta_e(one, other) - difference).abs() < 1e-4,
            "{difference}"
        );
    }
}

/// Mean and largest difference of colours of 8 bits.
fn differences(ours: &[u8], theirs: &[u8]) -> (f64, f64) {
    assert_eq!(ours.len(), theirs.len());
    let lab = |pixel: &[u8; 3]| lab_of(*pixel);
    let pairs = ours
        .as_chunks::<3>()
        .0
        .iter()
        .zip(theirs.as_chunks::<3>().0);
    let all: Vec<f64> = pairs.map(|(a, b)| delta_e(lab(a), lab(b))).collect();
    let largest = all.iter().copied().fold(0.0, f64::max);
    (all.iter().sum::<f64>() / all.len() as f64, largest)
}

#[track_caller]
pub(in crate::codec) fn agrees(ours: &[u8], theirs: &[u8], what: &str) {
    let (mean, largest) = differences(ours, theirs);
    assert!(mean <= 0.5 && largest <= 2.0, "{what}: {mean} {largest}");
}

#[test]
fn every_kind_of_profile_looks_as_littlecms_shows_it() {
    for (what, (profile, text)) in [
        ("adobe", case!("adobe")),
        ("p3", case!("p3")),
        ("prophoto", case!("prophoto")),
        ("eci", case!("eci")),
        ("scanner", case!("scanner")),
    ] {
        let (input, expected) = oracle(text);
        agrees(&converted_8(profile, Channels::Rgb, input), &expected, what);
    }
    for (what, (profile, text)) in [
        ("1.8", case!("gray-1.8")),
        ("2.2", case!("gray-2.2")),
        ("lightness", case!("gray-lightness")),
    ] {
        let (input, expected) = oracle(text);
        let spread = |all: &[u8]| all.iter().flat_map(|v| [*v; 3]).collect::<Vec<u8>>();
        let ours = converted_8(profile, Channels::Gray, input);
        agrees(&spread(&ours), &spread(&expected), what);
    }
}

fn from_inks(profile: Option<&[u8]>, intent: Intent, samples: Vec<u8>) -> Vec<u8> {
    match Foreign::inks(profile, intent).rgb(&Samples::U8(samples), 4) {
        Samples::U8(all) => all,
        Samples::U16(_) => panic!("the depth has changed"),
    }
}

#[test]
fn inks_look_as_littlecms_shows_them_in_both_intents_and_depths() {
    let (profile, text) = case!("inks");
    let (input, expected) = oracle(text);
    let ours = from_inks(Some(profile), Intent::Relative, input.clone());
    agrees(&ours, &expected, "inks");
    let wide = input.iter().map(|v| u16::from(*v) * 257).collect();
    let foreign = Foreign::inks(Some(profile), Intent::Relative);
    assert_eq!(foreign.name(), "Press with dot gain");
    let Samples::U16(wide) = foreign.rgb(&Samples::U16(wide), 4) else {
        panic!("the depth has changed");
    };
    let narrowed = |v: &u16| u8::try_from((u32::from(*v) * 255 + 32767) / 65535).unwrap();
    let narrowed: Vec<u8> = wide.iter().map(narrowed).collect();
    assert!(worst(&narrowed, &ours) <= 1);
    let (_, perceptual) = oracle(include_str!("../../../fixtures/icc/inks-perceptual.txt"));
    let ours = from_inks(Some(profile), Intent::Perceptual, input.clone());
    agrees(&ours, &perceptual, "inks, perceptual");
    assert!(
        differences(&perceptual, &expected).0 > 1.0,
        "both intents are the same"
    );
}

#[test]
fn a_scanner_has_its_perceptual_tables_too() {
    let (profile, text) = case!("scanner");
    let (input, _) = oracle(text);
    let (_, expected) = oracle(include_str!("../../../fixtures/icc/scanner-perceptual.txt"));
    let raster = Raster::from_u8(
        Dimensions::new(u32::try_from(input.len() / 3).unwrap(), 1).unwrap(),
        Channels::Rgb,
        input,
    );
    let limits = DecodeLimits {
        intent: Intent::Perceptual,
        ..DecodeLimits::default()
    };
    let colour = Colour::of_master(Some(profile), Channels::Rgb, &limits).unwrap();
    let mut rows = colour.apply(Box::new(OneStrip::from(raster.unwrap())));
    let ours = gather(rows.as_mut(), &Cancel::new()).unwrap();
    let Samples::U8(ours) = ours.samples() else {
        panic!("the depth has changed");
    };
    agrees(ours, &expected, "scanner, perceptual");
}

#[test]
fn inks_without_a_usable_profile_are_those_of_a_press() {
    let gray = case!("gray-1.8").0;
    for profile in [None, Some(&b"no profile"[..]), Some(gray)] {
        let colours = from_inks(
            profile,
            Intent::Relative,
            vec![
                0, 0, 0, 0, 255, 0, 0, 0, 0, 255, 0, 0, 0, 0, 255, 0, 0, 0, 0, 255, 255, 255, 255,
                255,
            ],
        );
        let pixels = colours.as_chunks::<3>().0;
        assert_eq!(pixels[0], [255; 3], "paper is white");
        let [cyan, magenta, yellow, black, all] = [1, 2, 3, 4, 5].map(|at: usize| pixels[at]);
        assert!(cyan[0] < 60 && cyan[1] > 120 && cyan[2] > 180, "{cyan:?}");
        assert!(
            magenta[0] > 180 && magenta[1] < 60 && magenta[2] > 80,
            "{magenta:?}"
        );
        assert!(
            yellow[0] > 220 && yellow[1] > 200 && yellow[2] < 80,
            "{yellow:?}"
        );
        assert!(black.iter().all(|level| *level < 60), "{black:?}");
        assert!(all.iter().all(|level| *level < 32), "{all:?}");
    }
    assert_eq!(
        Foreign::inks(None, Intent::Relative).name(),
        "CMYK, untagged"
    );
}

#[test]
fn lab_is_what_it_says_whatever_its_range() {
    let lab = |range, samples: [u8; 3]| match Foreign::lab(range)
        .rgb(&Samples::U8(samples.to_vec()), 3)
    {
        Samples::U8(all) => [all[0], all[1], all[2]],
        Samples::U16(_) => panic!("the depth has changed"),
    };
    let signed = [(0.0, 100.0), (-128.0, 127.0), (-128.0, 127.0)];
    assert_eq!(lab(signed, [255, 128, 128]), [255; 3]);
    assert_eq!(lab(signed, [0, 128, 128]), [0; 3]);
    // What LittleCMS makes of the same samples.
    for (samples, wanted) in [
        ([137, 128, 128], [128, 128, 128]),
        ([137, 188, 168], [225, 72, 64]),
        ([204, 78, 178], [114, 222, 97]),
    ] {
        let got = lab(signed, samples);
        assert!(worst(&got, &wanted) <= 2, "{got:?} {wanted:?}");
    }
    let narrow = [(0.0, 100.0), (-64.0, 63.5), (-64.0, 63.5)];
    assert_eq!(lab(narrow, [137, 128, 128]), lab(signed, [137, 128, 128]));
    let samples = Samples::U16(vec![65535, 32896, 32896, 7, 0, 32896, 32896, 9]);
    let Samples::U16(wide) = Foreign::lab(signed).rgb(&samples, 4) else {
        panic!("the depth has changed");
    };
    assert_eq!((wide[3], wide[7]), (7, 9), "what follows a colour stays");
    assert!(wide[..3].iter().all(|level| *level > 65500) && wide[4..7] == [0; 3]);
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
        (case!("inks").0, Channels::Rgb),
        (case!("scanner").0, Channels::Rgb),
    ] {
        for length in (0..profile.len()).step_by(1 + profile.len() / 40) {
            let _ = Colour::from_icc(Some(&profile[..length]), channels);
        }
        for _ in 0..25 {
            let mut damaged = profile.to_vec();
            for _ in 0..4 {
                let at = random.usize(..damaged.len());
                damaged[at] = random.u8(..);
            }
            let _ = Colour::from_icc(Some(&damaged), channels);
            let _ = Foreign::inks(Some(&damaged), Intent::Relative);
        }
    }
}

#[test]
fn words_for_primaries_do_what_a_profile_of_them_does() {
    let p3 = Primaries {
        white: [0.3127, 0.3290],
        colours: [[0.680, 0.320], [0.265, 0.690], [0.150, 0.060]],
    };
    let (_, text) = case!("p3");
    let (input, expected) = oracle(text);
    let by = |colour: Colour| {
        let dimensions = Dimensions::new(u32::try_from(input.len() / 3).unwrap(), 1).unwrap();
        let raster = Raster::from_u8(dimensions, Channels::Rgb, input.clone()).unwrap();
        let mut rows = colour.apply(Box::new(OneStrip::from(raster)));
        match gather(rows.as_mut(), &Cancel::new())
            .unwrap()
            .into_samples()
        {
            Samples::U8(all) => all,
            Samples::U16(_) => panic!("the depth has changed"),
        }
    };
    // 45455 is what writers put for sRGB's curve; 12 and 13 are Display P3's code points.
    agrees(
        &by(Colour::of_primaries(&p3, 1.0 / 0.45455, false).unwrap()),
        &expected,
        "cHRM",
    );
    agrees(
        &by(Colour::of_code_points(12, 13, false).unwrap()),
        &expected,
        "cICP",
    );
    let linear = by(Colour::of_primaries(&p3, 1.0, false).unwrap());
    assert!(
        differences(&linear, &expected).0 > 5.0,
        "the exponent has no effect"
    );
    let srgb = Primaries {
        white: [0.3127, 0.3290],
        colours: [[0.64, 0.33], [0.30, 0.60], [0.15, 0.06]],
    };
    assert_eq!(
        Colour::of_primaries(&srgb, 2.2, true).unwrap().name(),
        "sRGB"
    );
    assert_eq!(Colour::of_code_points(1, 13, false).unwrap().name(), "sRGB");
    assert!(
        Colour::of_code_points(9, 16, false).is_none(),
        "brighter than white"
    );
    assert!(Colour::of_code_points(2, 2, false).is_none(), "unspecified");
    let nowhere = Primaries {
        white: [0.3, 0.0],
        ..srgb
    };
    assert!(Colour::of_primaries(&nowhere, 2.2, false).is_none());
}
