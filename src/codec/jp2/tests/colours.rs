//! What channels mean: colour spaces, palettes, opacity, depth and sign.

use super::made::{Stream, boxed, enumerated, jp2};
use super::*;
use crate::cancel::Cancel;
use crate::codec::Intent;
use crate::codec::colour::tests::{agrees, oracle};
use crate::raster::{Channels, Depth, Samples, gather};

fn pixels(picture: &dyn Picture, level: usize) -> crate::raster::Raster {
    let cancel = Cancel::new();
    let window = picture.facts().pyramid.levels()[level].dimensions.window();
    let mut rows = picture.decode(level, window, &cancel).expect("inside");
    gather(rows.as_mut(), &cancel).expect("good")
}

/// Pixels of a file whose packets are all empty: every sample is the middle of its range.
fn first_pixel(file: Vec<u8>) -> (Channels, Vec<u16>) {
    let picture = open_bytes(file).expect("good");
    let raster = pixels(picture.as_ref(), 0);
    let channels = raster.format().channels;
    let samples = match raster.samples() {
        Samples::U8(samples) => samples.iter().map(|v| u16::from(*v)).collect::<Vec<_>>(),
        Samples::U16(samples) => samples.clone(),
    };
    (channels, samples[..channels.count()].to_vec())
}

/// A stream of `count` components whose packets are all empty.
fn empty(count: u16, component: [u8; 3]) -> Vec<u8> {
    let packets = vec![0; usize::from(count) * 2];
    Stream {
        count,
        component,
        tile_parts: made::tile_part(0, 0, 1, &packets),
        ..Stream::default()
    }
    .bytes()
}

fn definitions(entries: &[[u16; 3]]) -> Vec<u8> {
    let count = u16::try_from(entries.len()).expect("small");
    let mut content = count.to_be_bytes().to_vec();
    content.extend(entries.iter().flatten().flat_map(|n| n.to_be_bytes()));
    boxed(*b"cdef", &content)
}

#[test]
fn samples_are_scaled_to_the_full_range_and_signed_ones_are_moved() {
    // The middle of 4 bits is 8 of 15, of 8 bits 128, of 12 bits 2048 of 4095, of 16 bits 32768.
    let cases = [(3, 136), (7, 128), (11, 32_776), (15, 32_768), (0, 255)];
    for (ssiz, value) in cases {
        let unsigned = first_pixel(empty(1, [ssiz, 1, 1]));
        assert_eq!(unsigned, (Channels::Gray, vec![value]), "{ssiz}");
        let signed = first_pixel(empty(1, [ssiz | 0x80, 1, 1]));
        assert_eq!(signed, (Channels::Gray, vec![value]), "{ssiz}, signed");
    }
}

#[test]
fn channels_follow_the_number_of_components_and_the_colour_space() {
    use Channels::{Gray, GrayAlpha, Rgb, Rgba};
    let eight = [7, 1, 1];
    let cases = [
        (empty(1, eight), Gray),
        (empty(2, eight), GrayAlpha),
        (empty(3, eight), Rgb),
        (jp2(&[enumerated(16)], &empty(3, eight)), Rgb),
        (jp2(&[enumerated(16)], &empty(4, eight)), Rgba),
        (jp2(&[enumerated(18)], &empty(4, eight)), Rgba),
        (jp2(&[enumerated(17)], &empty(2, eight)), GrayAlpha),
        (jp2(&[enumerated(17)], &empty(3, eight)), Gray),
    ];
    for (index, (file, channels)) in cases.into_iter().enumerate() {
        assert_eq!(first_pixel(file).0, channels, "case {index}");
    }
}

#[test]
fn colours_that_are_not_read_are_refused_with_a_reason() {
    use ErrorKind::{Corrupt, NotImplemented};
    let four = empty(4, [7, 1, 1]);
    let cases = [
        (jp2(&[enumerated(2)], &four), NotImplemented),
        (jp2(&[enumerated(19)], &four), NotImplemented),
        (jp2(&[enumerated(23)], &four), NotImplemented),
        (jp2(&[enumerated(9)], &empty(3, [9, 1, 1])), NotImplemented),
        (
            jp2(&[lab(&[100, 0, 255])], &empty(3, [7, 1, 1])),
            NotImplemented,
        ),
        (jp2(&[points([1, 13, 3], 1)], &four), NotImplemented),
        (jp2(&[points([9, 16, 0], 1)], &four), NotImplemented),
        (jp2(&[icc(&named(*b"8CLR"))], &four), NotImplemented),
        (
            jp2(&[icc(&named(*b"HSV "))], &empty(3, [7, 1, 1])),
            NotImplemented,
        ),
        (jp2(&[enumerated(16)], &empty(2, [7, 1, 1])), Corrupt),
        (jp2(&[enumerated(12)], &empty(3, [7, 1, 1])), Corrupt),
    ];
    for (index, (file, kind)) in cases.into_iter().enumerate() {
        assert_eq!(refusal(file), Some(kind), "case {index}");
    }
}

/// A stream of components that differ, whose packets are all empty.
fn differing(components: &[[u8; 3]]) -> Vec<u8> {
    let mut stream = empty(u16::try_from(components.len()).expect("few"), [7, 1, 1]);
    // Behind two markers, length, capabilities, eight sides and the count.
    for (place, component) in stream[42..]
        .as_chunks_mut::<3>()
        .0
        .iter_mut()
        .zip(components)
    {
        *place = *component;
    }
    stream
}

#[test]
fn chroma_is_as_deep_as_luma_and_at_most_four_times_as_coarse() {
    let ycc = |chroma| {
        let components = [[7, 1, 1], [7, 1, 1], chroma];
        refusal(jp2(&[enumerated(18)], &differing(&components)))
    };
    for chroma in [[7, 1, 1], [7, 2, 1], [7, 2, 2], [7, 4, 1], [7, 4, 4]] {
        assert_eq!(ycc(chroma), None, "{chroma:?}");
    }
    for chroma in [[7, 5, 1], [7, 1, 8], [8, 1, 1], [3, 2, 2]] {
        assert_eq!(ycc(chroma), Some(ErrorKind::NotImplemented), "{chroma:?}");
    }
    // Luma is nowhere coarser.
    let finer = [[7, 2, 2], [7, 1, 1], [7, 2, 2]];
    let finer = refusal(jp2(&[enumerated(18)], &differing(&finer)));
    assert_eq!(finer, Some(ErrorKind::NotImplemented));
}

#[test]
fn a_palette_holds_colours_and_no_chroma() {
    let file = |number: u32| {
        let palette = boxed(*b"pclr", &[0, 1, 3, 7, 7, 7, 9, 8, 7]);
        let map = boxed(*b"cmap", &[0, 0, 1, 0, 0, 0, 1, 1, 0, 0, 1, 2]);
        refusal(jp2(
            &[enumerated(number), palette, map],
            &empty(1, [7, 1, 1]),
        ))
    };
    assert_eq!(file(16), None);
    for number in [1, 3, 18, 24] {
        assert_eq!(file(number), Some(ErrorKind::NotImplemented), "{number}");
    }
}

#[test]
fn opacity_of_one_colour_is_not_the_pictures() {
    let with = |association: u16| {
        let defined = definitions(&[[0, 0, 1], [1, 0, 2], [2, 0, 3], [3, 1, association]]);
        first_pixel(jp2(&[enumerated(16), defined], &empty(4, [7, 1, 1]))).0
    };
    assert_eq!(with(0), Channels::Rgba);
    assert_eq!([1, 3, 0xffff].map(with), [Channels::Rgb; 3]);
}

/// A colour specification by an ICC profile.
fn icc(profile: &[u8]) -> Vec<u8> {
    boxed(*b"colr", &[&[2, 0, 0], profile].concat())
}

/// Ranges and offsets of L\*a\*b\*, and their light.
fn lab(parameters: &[u32]) -> Vec<u8> {
    let numbers = parameters.iter().flat_map(|number| number.to_be_bytes());
    let content = [1, 0, 0, 0, 0, 0, 14].into_iter().chain(numbers);
    boxed(*b"colr", &content.collect::<Vec<u8>>())
}

/// Code points for primaries, curve and matrix.
fn points(points: [u16; 3], full_range: u8) -> Vec<u8> {
    let numbers = points.into_iter().flat_map(u16::to_be_bytes);
    let content = [5, 0, 0].into_iter().chain(numbers).chain([full_range]);
    boxed(*b"colr", &content.collect::<Vec<u8>>())
}

/// A profile whose header names this space, and nothing more.
fn named(space: [u8; 4]) -> Vec<u8> {
    let mut profile = vec![0; 132];
    profile[16..20].copy_from_slice(&space);
    profile
}

/// The first pixel of a palette of one entry with these samples of 8 bits, under a colour specification.
fn shown(colour: Vec<u8>, samples: &[u8], limits: &DecodeLimits) -> (String, Channels, Vec<u8>) {
    let count = u8::try_from(samples.len()).expect("few");
    let mut palette = vec![0, 1, count];
    palette.extend(vec![7; samples.len()]);
    palette.extend(samples);
    let map: Vec<u8> = (0..count).flat_map(|column| [0, 0, 1, column]).collect();
    let header = [colour, boxed(*b"pclr", &palette), boxed(*b"cmap", &map)];
    first_shown(jp2(&header, &empty(1, [7, 1, 1])), limits)
}

fn first_shown(file: Vec<u8>, limits: &DecodeLimits) -> (String, Channels, Vec<u8>) {
    let picture = open(Arc::new(file), limits).expect("good");
    let raster = pixels(picture.as_ref(), 0);
    let channels = raster.format().channels;
    let Samples::U8(samples) = raster.samples() else {
        panic!("8 bits");
    };
    let name = picture.facts().colour.clone();
    (name, channels, samples[..channels.count()].to_vec())
}

/// What `LittleCMS` makes of samples, as in `codec/colour/tests.rs`.
macro_rules! case {
    ($name:literal) => {
        oracle(include_str!(concat!(
            "../../../../fixtures/icc/",
            $name,
            ".txt"
        )))
    };
}

macro_rules! profile {
    ($name:literal) => {
        include_bytes!(concat!("../../../../fixtures/icc/", $name, ".icc"))
    };
}

fn in_intent(intent: Intent) -> DecodeLimits {
    DecodeLimits {
        intent,
        ..DecodeLimits::default()
    }
}

#[test]
fn profiles_of_every_kind_look_as_littlecms_shows_them_in_both_intents() {
    let relative = in_intent(Intent::Relative);
    let perceptual = in_intent(Intent::Perceptual);
    for (what, profile, (input, expected), limits) in [
        (
            "inks",
            profile!("inks").as_slice(),
            case!("inks"),
            &relative,
        ),
        (
            "inks, perceptual",
            profile!("inks"),
            case!("inks-perceptual"),
            &perceptual,
        ),
        ("lab", profile!("lab"), case!("lab"), &relative),
        ("adobe", profile!("adobe"), case!("adobe"), &relative),
        ("eci", profile!("eci"), case!("eci"), &relative),
        ("scanner", profile!("scanner"), case!("scanner"), &relative),
        (
            "scanner, perceptual",
            profile!("scanner"),
            case!("scanner-perceptual"),
            &perceptual,
        ),
        ("gray", profile!("gray-1.8"), case!("gray-1.8"), &relative),
    ] {
        let pixels = expected.len() / if what == "gray" { 1 } else { 3 };
        let (from, to) = (input.len() / pixels, expected.len() / pixels);
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        let pairs = input.chunks_exact(from).zip(expected.chunks_exact(to));
        for (samples, wanted) in pairs.step_by(7) {
            let (_, channels, got) = shown(icc(profile), samples, limits);
            assert_eq!(channels.count(), to, "{what}");
            let three = |pixel: &[u8]| [pixel[0], pixel[to / 2], pixel[to - 1]];
            ours.extend(three(&got));
            theirs.extend(three(wanted));
        }
        agrees(&ours, &theirs, what);
    }
}

#[test]
fn inks_by_number_are_a_presss_with_opacity_behind_them() {
    let limits = DecodeLimits::default();
    let direct = |samples: &[u8]| {
        let samples = Samples::U8(samples.to_vec());
        match crate::codec::Foreign::inks(None, Intent::Relative).rgb(&samples, 4) {
            Samples::U8(all) => all,
            Samples::U16(_) => panic!("the depth has changed"),
        }
    };
    for inks in [
        [0, 0, 0, 0],
        [255, 0, 0, 0],
        [10, 200, 30, 40],
        [0, 0, 0, 255],
    ] {
        let (name, channels, got) = shown(enumerated(12), &inks, &limits);
        assert_eq!((name.as_str(), channels), ("CMYK, untagged", Channels::Rgb));
        assert_eq!(got, direct(&inks));
        // Without black the grid has fewer axes, and the same colours.
        if inks[3] == 0 {
            let (name, _, got) = shown(enumerated(11), &inks[..3], &limits);
            assert_eq!(name, "CMY, untagged");
            let wanted = direct(&inks);
            let same = got.iter().zip(wanted).all(|(a, b)| a.abs_diff(b) <= 1);
            assert!(same, "{inks:?}");
        }
    }
    // Four inks and opacity; all five are in the middle.
    let opacity = definitions(&[[0, 0, 1], [1, 0, 2], [2, 0, 3], [3, 0, 4], [4, 1, 0]]);
    let five = jp2(&[enumerated(12), opacity], &empty(5, [7, 1, 1]));
    let (_, channels, got) = first_shown(five, &limits);
    assert_eq!(channels, Channels::Rgba);
    assert_eq!(got[..3], direct(&[128; 4]));
    assert_eq!(got[3], 128);
    // Luma and chroma in the middle are gray, which is as much of each ink; black stays.
    let mixed = jp2(&[enumerated(13)], &empty(4, [7, 1, 1]));
    let (_, channels, got) = first_shown(mixed, &limits);
    assert_eq!(channels, Channels::Rgb);
    assert_eq!(got, direct(&[127, 127, 127, 128]));
}

#[test]
fn numbers_of_colour_spaces_say_what_samples_are() {
    let limits = DecodeLimits::default();
    let one = |number: u32, samples: &[u8]| shown(enumerated(number), samples, &limits);
    assert_eq!(one(0, &[255]).2, [0], "0 is white");
    assert_eq!(one(0, &[0]).2, [255]);
    assert_eq!(one(15, &[255]).2, [255], "1 is white");
    // ROMM RGB: what LittleCMS makes of ProPhoto, which has the same colours and all but the same curve.
    let (input, expected) = case!("prophoto");
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let pairs = input.chunks_exact(3).zip(expected.chunks_exact(3));
    for (samples, wanted) in pairs.filter(|(s, _)| s.iter().all(|v| *v == 0 || *v >= 40)) {
        let (name, _, got) = one(21, samples);
        assert_eq!(name, "ROMM RGB");
        ours.extend(got);
        theirs.extend_from_slice(wanted);
    }
    agrees(&ours, &theirs, "ROMM RGB");
    // Below a thirty-second it is a sixteenth of the sample: 4 of 255 is 0.00098 of light, 7 is 0.00172.
    assert_eq!(one(21, &[4; 3]).2, [3; 3]);
    assert_eq!(one(21, &[7; 3]).2, [6; 3]);
    let middle =
        |colour: Vec<u8>, bits: u8| first_pixel(jp2(&[colour], &empty(3, [bits - 1, 1, 1]))).1;
    // 112 of 219 by video's curve, by hand: 130 of 255 → 0.2691 of light → 141.7.
    let video = [1, 4, 22].map(|number| middle(enumerated(number), 8));
    assert!(
        video
            .iter()
            .all(|pixel| pixel.iter().all(|v| v.abs_diff(142) <= 1)),
        "{video:?}"
    );
    assert_eq!(middle(enumerated(3), 8), [128; 3]);
    assert_eq!(middle(enumerated(24), 8), [128; 3]);
    // 32768 of 65536 is (32768 − 24576) / 32640 of the way from black to white.
    assert_eq!(middle(enumerated(20), 16), [16_448; 3]);
    // sRGB by code points, and video's range of it.
    assert_eq!(middle(points([1, 13, 0], 1), 8), [128; 3]);
    assert_eq!(middle(points([1, 13, 5], 1), 8), [128; 3]);
    assert_eq!(middle(points([1, 13, 0], 0), 8), [130; 3]);
    let p3 = shown(points([12, 13, 0], 1), &[200, 100, 40], &limits);
    let wanted = case!("p3");
    let pixel = wanted
        .0
        .chunks_exact(3)
        .position(|pixel| pixel == [200, 100, 40]);
    let wanted = &wanted.1[3 * pixel.expect("it is in the cube")..][..3];
    assert!(
        p3.2.iter().zip(wanted).all(|(a, b)| a.abs_diff(*b) <= 2),
        "{p3:?}"
    );
}

#[test]
fn lab_by_number_have_their_ranges_and_their_light() {
    let limits = DecodeLimits::default();
    let signed = |light: u32| lab(&[100, 0, 255, 128, 255, 128, light]);
    let (d50, d65) = (0x0044_3530, 0x0044_3635);
    // What LittleCMS makes of the same samples.
    for (samples, wanted) in [
        ([255, 128, 128], [255; 3]),
        ([137, 128, 128], [128; 3]),
        ([137, 188, 168], [225, 72, 64]),
        ([204, 78, 178], [114, 222, 97]),
    ] {
        let (name, _, got) = shown(signed(d50), &samples, &limits);
        assert_eq!(name, "L*a*b*");
        assert!(
            got.iter().zip(wanted).all(|(a, b)| a.abs_diff(b) <= 1),
            "{got:?}"
        );
    }
    let under_daylight = shown(signed(d65), &[137, 188, 168], &limits).2;
    let near = under_daylight.iter().zip([229_u8, 72, 63]);
    assert!(
        near.clone().all(|(a, b)| a.abs_diff(b) <= 1),
        "{under_daylight:?}"
    );
    // The standard's own range has a* of 60 at 128 + 60 · 255 / 170 and b* of 40 at 96 + 40 · 255 / 200.
    let usual = shown(enumerated(14), &[137, 218, 147], &limits).2;
    assert!(
        usual
            .iter()
            .zip([225_u8, 72, 64])
            .all(|(a, b)| a.abs_diff(b) <= 1),
        "{usual:?}"
    );
    // Nothing but the middle of the range: neutral in components with a sign, at both depths.
    let neutral = lab(&[100, 0, 255, 0, 255, 0, d50]);
    let [red, green, blue] = first_pixel(jp2(&[neutral], &empty(3, [0x87, 1, 1]))).1[..] else {
        panic!("three colours");
    };
    assert!(red == green && green == blue, "{red} {green} {blue}");
}

#[test]
fn a_profile_that_does_not_fit_is_no_profile() {
    let limits = DecodeLimits::default();
    for (profile, samples, wanted) in [
        (b"no profile".to_vec(), &[1_u8, 2, 3][..], &[1_u8, 2, 3][..]),
        (named(*b"RGB "), &[1, 2, 3], &[1, 2, 3]),
        (named(*b"CMYK"), &[1, 2, 3], &[1, 2, 3]),
        (profile!("inks").to_vec(), &[1, 2, 3], &[1, 2, 3]),
        (profile!("adobe").to_vec(), &[9], &[9]),
        (named(*b"what"), &[9], &[9]),
    ] {
        let (name, _, got) = shown(icc(&profile), samples, &limits);
        assert_eq!(
            (name.as_str(), got.as_slice()),
            ("untagged (unusable profile)", wanted)
        );
    }
    let (name, ..) = shown(icc(&named(*b"CMYK")), &[1, 2, 3, 4], &limits);
    assert_eq!(name, "CMYK, untagged (unusable profile)");
    let (name, _, white) = shown(icc(&named(*b"CMY ")), &[0; 3], &limits);
    assert_eq!((name.as_str(), white), ("CMY, untagged", vec![255; 3]));
    let (name, _, white) = shown(icc(&named(*b"Lab ")), &[255, 128, 128], &limits);
    assert_eq!((name.as_str(), white), ("L*a*b*", vec![255; 3]));
}

#[cfg(feature = "jp2-encode")]
#[test]
fn a_window_of_inks_is_a_part_of_the_whole_at_every_level() {
    use crate::codec::Attached;
    use crate::encoding::Jp2Settings;
    use crate::geometry::{Dimensions, Window};
    use crate::raster::{OneStrip, Raster};
    let dimensions = Dimensions::new(150, 131).expect("sides");
    let mut random = fastrand::Rng::with_seed(4);
    let inks: Vec<u8> = (0..4 * 150 * 131)
        .map(|at| u8::try_from(at / 97 % 251).expect("small") ^ random.u8(..16))
        .collect();
    let raster = Raster::from_u8(dimensions, Channels::Rgba, inks).expect("as many samples");
    let settings = Jp2Settings {
        lossless: true,
        tile_px: 64,
        ..Jp2Settings::default()
    };
    let mut written = Vec::new();
    crate::codec::jp2_encode::encode(
        &mut OneStrip::from(raster.clone()),
        settings,
        &Attached::default(),
        &Cancel::new(),
        &mut written,
    )
    .expect("written");
    let at = written
        .windows(4)
        .position(|kind| kind == b"jp2c")
        .expect("a code stream");
    let file = jp2(&[icc(profile!("inks"))], &written[at + 4..]);
    let picture = open_bytes(file).expect("good");
    assert_eq!(picture.facts().colour, "Press with dot gain");
    let whole = pixels(picture.as_ref(), 0);
    let wanted = crate::codec::Foreign::inks(Some(profile!("inks")), Intent::Relative);
    assert_eq!(*whole.samples(), wanted.rgb(raster.samples(), 4));
    for level in 0..picture.facts().pyramid.levels().len() {
        let whole = pixels(picture.as_ref(), level);
        let full = whole.dimensions();
        let (x, y) = (full.width / 3, full.height / 4);
        let window = Window {
            x,
            y,
            width: (full.width - x).min(70),
            height: (full.height - y).min(61),
        };
        let cancel = Cancel::new();
        let mut rows = picture.decode(level, window, &cancel).expect("inside");
        let part = gather(rows.as_mut(), &cancel).expect("good");
        let (Samples::U8(part), Samples::U8(all)) = (part.samples(), whole.samples()) else {
            panic!("8 bits");
        };
        let row = 3 * window.width as usize;
        for (line, got) in part.chunks_exact(row).enumerate() {
            let start = 3 * ((line + y as usize) * full.width as usize + x as usize);
            assert_eq!(got, &all[start..start + row], "level {level}, row {line}");
        }
    }
}

#[test]
fn of_components_that_nobody_named_those_are_shown_that_go_together() {
    let chosen = |file: Vec<u8>| {
        let picture = open_bytes(file).expect("good");
        let facts = picture.facts();
        let full = facts.pyramid.dimensions();
        (facts.pixel.channels, full.width, full.height)
    };
    assert_eq!(chosen(empty(4, [7, 1, 1])), (Channels::Rgba, 16, 16));
    assert_eq!(chosen(empty(5, [7, 2, 1])), (Channels::Rgb, 8, 16));
    // 257 components; two of which the second is sampled more finely.
    assert_eq!(chosen(fixture("p0_13.j2k")), (Channels::Rgb, 1, 1));
    assert_eq!(chosen(fixture("p1_07.j2k")), (Channels::Gray, 2, 12));
}

#[test]
fn definitions_say_which_channel_is_which_colour() {
    // A palette of one entry: the columns have values of their own.
    let palette = |values: [u8; 4]| {
        let mut content = vec![0, 1, 4, 7, 7, 7, 7];
        content.extend(values);
        boxed(*b"pclr", &content)
    };
    let map = boxed(*b"cmap", &[0, 0, 1, 0, 0, 0, 1, 1, 0, 0, 1, 2, 0, 0, 1, 3]);
    let stream = empty(1, [7, 1, 1]);
    let file = |kind: u16, values: [u8; 4]| {
        let defined = definitions(&[[0, kind, 0], [1, 0, 3], [2, 0, 2], [3, 0, 1]]);
        jp2(
            &[enumerated(16), palette(values), map.clone(), defined],
            &stream,
        )
    };
    let straight = first_pixel(file(1, [100, 10, 20, 30]));
    assert_eq!(straight, (Channels::Rgba, vec![30, 20, 10, 100]));
    // 30 × 255 / 100 = 76.5, 20 × 255 / 100 = 51, 10 × 255 / 100 = 25.5.
    let multiplied = first_pixel(file(2, [100, 10, 20, 30]));
    assert_eq!(multiplied, (Channels::Rgba, vec![77, 51, 26, 100]));
    let nothing = first_pixel(file(2, [0, 10, 20, 30]));
    assert_eq!(nothing, (Channels::Rgba, vec![0, 0, 0, 0]));
}

#[test]
fn the_one_gray_may_be_of_the_whole_picture() {
    let file = |association| {
        let defined = definitions(&[[0, 0, association], [1, 1, 0]]);
        jp2(&[enumerated(17), defined], &empty(2, [7, 1, 1]))
    };
    for association in [0, 1] {
        let pixel = first_pixel(file(association));
        assert_eq!(pixel, (Channels::GrayAlpha, vec![128, 128]));
    }
    assert_eq!(refusal(file(2)), Some(ErrorKind::Corrupt));
}

#[test]
fn a_palette_has_its_full_level_alone() {
    let picture = open_bytes(fixture("file9.jp2")).expect("good");
    assert_eq!(picture.facts().pyramid.levels().len(), 1);
    assert_eq!(picture.facts().pixel.channels, Channels::Rgb);
    assert_eq!(picture.facts().pixel.depth, Depth::Eight);
}

#[test]
fn a_palette_that_is_not_mapped_is_corrupt() {
    let palette = boxed(*b"pclr", &[0, 1, 1, 7, 0]);
    let file = jp2(&[enumerated(17), palette], &empty(1, [7, 1, 1]));
    assert_eq!(refusal(file), Some(ErrorKind::Corrupt));
}

#[test]
fn middle_chroma_is_gray_in_ycc() {
    let file = jp2(&[enumerated(18)], &empty(3, [7, 1, 1]));
    assert_eq!(first_pixel(file), (Channels::Rgb, vec![128, 128, 128]));
}

#[test]
fn subsampled_ycc_equals_openjpegs_own_conversion_within_its_truncation() {
    let picture = open_bytes(fixture("file3.jp2")).expect("good");
    assert_eq!(picture.facts().colour, "sYCC");
    let raster = pixels(picture.as_ref(), 3);
    let expected = ppm(&fixture("file3-eighth.ppm"), raster.dimensions());
    let Samples::U8(samples) = raster.samples() else {
        panic!("8 bits");
    };
    assert_eq!(samples.len(), expected.len());
    let worst = samples
        .iter()
        .zip(&expected)
        .map(|(a, b)| a.abs_diff(*b))
        .max();
    // It cuts products to integers towards zero where this decoder rounds sums.
    assert!(worst <= Some(2), "{worst:?}");
}

/// The samples of a binary PPM file of these dimensions.
fn ppm(bytes: &[u8], dimensions: crate::geometry::Dimensions) -> Vec<u8> {
    let area = usize::try_from(dimensions.area()).expect("small");
    bytes[bytes.len() - 3 * area..].to_vec()
}
