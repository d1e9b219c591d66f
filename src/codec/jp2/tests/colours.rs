//! What channels mean: colour spaces, palettes, opacity, depth and sign.

use super::made::{Stream, boxed, enumerated, jp2};
use super::*;
use crate::cancel::Cancel;
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
        (jp2(&[enumerated(12)], &four), NotImplemented),
        (jp2(&[enumerated(14)], &empty(3, [7, 1, 1])), NotImplemented),
        (jp2(&[enumerated(16)], &empty(2, [7, 1, 1])), Corrupt),
    ];
    for (index, (file, kind)) in cases.into_iter().enumerate() {
        assert_eq!(refusal(file), Some(kind), "case {index}");
    }
}

#[test]
fn of_components_that_nobody_named_those_are_shown_that_go_together() {
    let shown = |file: Vec<u8>| {
        let picture = open_bytes(file).expect("good");
        let facts = picture.facts();
        let full = facts.pyramid.dimensions();
        (facts.pixel.channels, full.width, full.height)
    };
    assert_eq!(shown(empty(4, [7, 1, 1])), (Channels::Rgb, 16, 16));
    assert_eq!(shown(empty(5, [7, 2, 1])), (Channels::Rgb, 8, 16));
    // 257 components; two of which the second is sampled more finely.
    assert_eq!(shown(fixture("p0_13.j2k")), (Channels::Rgb, 1, 1));
    assert_eq!(shown(fixture("p1_07.j2k")), (Channels::Gray, 2, 12));
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
