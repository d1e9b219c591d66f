//! What samples mean: colours, opacity and numbers that no fixture has, from first principles.

use super::super::tags;
use super::made::{Field, append, changed, elsewhere, file, gray, longs, shorts, single};
use super::made::{several, starting_at};
use super::{bytes, picture, whole};
use crate::cancel::Cancel;
use crate::error::ErrorKind;
use crate::geometry::Orientation;
use crate::raster::{Channels, Samples};

/// Pixels in one row, of so many samples of these bits, in one strip.
fn row(pixels: u32, samples: u16, bits: u16, photometric: u16) -> Vec<Field> {
    let length = pixels * u32::from(samples) * u32::from(bits / 8);
    changed(
        gray(pixels, 1),
        &[
            shorts(tags::SAMPLES_PER_PIXEL, &[samples]),
            shorts(tags::BITS_PER_SAMPLE, &vec![bits; usize::from(samples)]),
            shorts(tags::PHOTOMETRIC, &[photometric]),
            longs(tags::STRIP_BYTE_COUNTS, &[length]),
        ],
    )
}

/// The channels of a picture and its samples.
fn shown(fields: &[Field], data: &[u8]) -> (Channels, Samples) {
    let picture = picture(single(fields, data)).unwrap();
    let raster = whole(picture.as_ref(), 0).unwrap();
    (raster.format().channels, raster.into_samples())
}

/// Samples of 8 bits.
fn eight(fields: &[Field], data: &[u8]) -> Vec<u8> {
    match shown(fields, data).1 {
        Samples::U8(all) => all,
        Samples::U16(_) => panic!("16 bits"),
    }
}

/// Samples of 16 bits.
fn sixteen(fields: &[Field], words: &[u16]) -> Vec<u16> {
    let data: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    match shown(fields, &data).1 {
        Samples::U8(_) => panic!("8 bits"),
        Samples::U16(all) => all,
    }
}

fn assert_near(found: &[u8], wanted: [u8; 3], what: &str) {
    let near = found.iter().zip(wanted).all(|(a, b)| a.abs_diff(b) <= 1);
    assert!(near && found.len() == 3, "{what}: {found:?}");
}

#[test]
fn white_is_zero_at_both_depths_and_opacity_stays() {
    let opacity = shorts(tags::EXTRA_SAMPLES, &[2]);
    assert_eq!(
        sixteen(&row(3, 1, 16, 0), &[0, 0x1234, 0xffff]),
        [0xffff, 0xedcb, 0]
    );
    let with = changed(row(2, 2, 8, 0), std::slice::from_ref(&opacity));
    assert_eq!(eight(&with, &[10, 20, 255, 0]), [245, 20, 0, 0]);
    let with = changed(row(1, 2, 16, 0), &[opacity]);
    assert_eq!(sixteen(&with, &[0x1234, 7]), [0xedcb, 7]);
}

#[test]
fn a_sample_beside_gray_or_inks_is_no_opacity_unless_it_is_said_to_be() {
    let (channels, samples) = shown(&row(2, 2, 8, 1), &[1, 2, 3, 4]);
    assert_eq!(
        (channels, samples),
        (Channels::Gray, Samples::U8(vec![1, 3]))
    );
    let (channels, _) = shown(&row(1, 5, 8, 5), &[0, 0, 0, 0, 9]);
    assert_eq!(channels, Channels::Rgb);
}

#[test]
fn lab_of_icc_has_white_at_65280_of_16_bits() {
    let white = sixteen(&row(1, 3, 16, 9), &[65_280, 32_768, 32_768]);
    assert!(white.iter().all(|level| *level > 65_450), "{white:?}");
    let below = sixteen(&row(1, 3, 16, 9), &[65_280 - 330, 32_768, 32_768]);
    assert!(below.iter().all(|level| *level < 65_200), "{below:?}");
}

#[test]
fn lab_of_itu_has_the_range_of_facsimile() {
    // a* of 60 lies at 128 + 60 · 255 / 170, b* of 40 at 96 + 40 · 255 / 200: as in the tests of JPEG 2000.
    for (samples, wanted) in [
        ([255, 128, 96], [255; 3]),
        ([137, 128, 96], [128; 3]),
        ([137, 218, 147], [225, 72, 64]),
    ] {
        assert_near(&eight(&row(1, 3, 8, 10), &samples), wanted, "L*a*b*");
    }
}

#[test]
fn lab_may_say_of_each_sample_whether_it_has_a_sign() {
    let plain = row(1, 3, 8, 8);
    let signed = changed(plain.clone(), &[shorts(tags::SAMPLE_FORMAT, &[1, 2, 2])]);
    let samples = [137, 60, 40];
    assert_near(&eight(&plain, &samples), [225, 72, 64], "unsigned");
    assert_eq!(eight(&signed, &samples), eight(&plain, &samples));
}

#[test]
fn samples_of_a_kind_that_nobody_named_are_whole_numbers() {
    for kind in [1, 4] {
        let fields = changed(row(2, 1, 8, 1), &[shorts(tags::SAMPLE_FORMAT, &[kind])]);
        assert_eq!(eight(&fields, &[7, 200]), [7, 200], "{kind}");
    }
}

#[test]
fn inks_that_opacity_has_weighed_are_what_they_were_before() {
    let with = |kind: u16| changed(row(1, 5, 8, 5), &[shorts(tags::EXTRA_SAMPLES, &[kind])]);
    // 50 · 255 / 128 = 99.6, 20 → 39.8, 64 → 127.5, 0.
    let weighed = eight(&with(1), &[50, 20, 64, 0, 128]);
    let straight = eight(&with(2), &[100, 40, 128, 0, 128]);
    assert_eq!(weighed, straight);
    assert_eq!(weighed[3], 128);
}

#[test]
fn floats_without_a_profile_are_light_and_with_one_they_are_its_own() {
    let floats = changed(row(1, 3, 32, 2), &[shorts(tags::SAMPLE_FORMAT, &[3, 3, 3])]);
    let half: Vec<u8> = [0.5_f32; 3].iter().flat_map(|v| v.to_le_bytes()).collect();
    let profile = include_bytes!("../../../../fixtures/icc/p3.icc");
    let length = u32::try_from(profile.len()).unwrap();
    let own = elsewhere(tags::ICC_PROFILE, 7, length, 20);
    let data = [half.as_slice(), profile].concat();
    let name = |fields: &[Field]| {
        let picture = picture(single(fields, &data)).unwrap();
        picture.facts().colour.clone()
    };
    assert_eq!(name(&floats), "untagged, linear");
    // Half of light is 188 of 255 by sRGB's curve.
    let Samples::U16(light) = shown(&floats, &data).1 else {
        panic!("8 bits");
    };
    assert!(
        light.iter().all(|v| v.abs_diff(188 * 257) < 257),
        "{light:?}"
    );
    let tagged = changed(floats, &[own]);
    assert_eq!(name(&tagged), "Display P3");
    let Samples::U16(gray) = shown(&tagged, &data).1 else {
        panic!("8 bits");
    };
    assert!(gray.iter().all(|v| v.abs_diff(32_768) < 257), "{gray:?}");
}

/// `pixels` of YCbCr without subsampling, and three or six fractions for a tag.
fn ycc(pixels: &[[u8; 3]], tag: u16, fractions: &[(u32, u32)]) -> Vec<u8> {
    let numbers = fractions.iter().flat_map(|(over, under)| [*over, *under]);
    let numbers: Vec<u8> = numbers.flat_map(u32::to_le_bytes).collect();
    let count = u32::try_from(pixels.len()).unwrap();
    let fields = changed(
        row(count, 3, 8, 6),
        &[
            shorts(tags::YCBCR_SUBSAMPLING, &[1, 1]),
            elsewhere(
                tag,
                5,
                u32::try_from(fractions.len()).unwrap(),
                8 + 3 * count,
            ),
        ],
    );
    eight(&fields, &[pixels.concat(), numbers].concat())
}

#[test]
fn luma_has_the_shares_that_the_file_says() {
    let of_video = [(2126, 10_000), (7152, 10_000), (722, 10_000)];
    // 100 + 50 · (2 − 0.4252) = 178.7; (100 − 0.0722 · 100 − 0.2126 · 178.7) / 0.7152 = 76.6.
    let pixels = [[100, 128, 178], [100, 178, 128], [9, 128, 128]];
    let found = ycc(&pixels, tags::YCBCR_COEFFICIENTS, &of_video);
    // Blue: 100 + 50 · 1.8556 = 192.8; (100 − 0.0722 · 192.8 − 0.2126 · 100) / 0.7152 = 90.6.
    assert_eq!(found, [179, 77, 100, 100, 91, 193, 9, 9, 9]);
}

#[test]
fn black_and_white_are_where_the_file_says() {
    let range = [16, 235, 128, 240, 128, 240].map(|level| (level, 1));
    let pixels = [
        [16, 128, 128],
        [235, 128, 128],
        [125, 128, 178],
        [255, 128, 128],
    ];
    let found = ycc(&pixels, tags::REFERENCE_BLACK_WHITE, &range);
    // Luma 109 · 255 / 219 = 126.9, red 50 · 127 / 112 = 56.7 of chroma; by the shares of BT.601.
    assert_eq!(found[..6], [0, 0, 0, 255, 255, 255]);
    assert_near(&found[6..9], [206, 86, 127], "red");
    assert_eq!(found[9..], [255; 3]);
}

#[test]
fn red_green_and_blue_may_be_a_level_of_ycc_and_other_depths_may_not() {
    let full = |photometric| {
        changed(
            gray(4, 4),
            &[
                shorts(tags::SAMPLES_PER_PIXEL, &[3]),
                shorts(tags::BITS_PER_SAMPLE, &[8; 3]),
                shorts(tags::PHOTOMETRIC, &[photometric]),
                shorts(tags::YCBCR_SUBSAMPLING, &[1, 1]),
                longs(tags::STRIP_BYTE_COUNTS, &[48]),
            ],
        )
    };
    let half = |photometric, bits: u16| {
        changed(
            full(photometric),
            &[
                longs(tags::NEW_SUBFILE_TYPE, &[1]),
                longs(tags::IMAGE_WIDTH, &[2]),
                longs(tags::IMAGE_LENGTH, &[2]),
                shorts(tags::BITS_PER_SAMPLE, &[bits; 3]),
                longs(tags::STRIP_BYTE_COUNTS, &[12 * u32::from(bits / 8)]),
            ],
        )
    };
    for (first, second, bits, levels) in [(6, 2, 8, 2), (2, 6, 8, 2), (2, 2, 8, 2), (2, 2, 16, 1)] {
        let file = several(&[full(first), half(second, bits)], &[0; 48]);
        let found = picture(file).unwrap().facts().pyramid.levels().len();
        assert_eq!(found, levels, "{first} {second} {bits}");
    }
}

#[test]
fn a_jpeg_of_ycc_has_no_opacity() {
    let fields = changed(
        row(8, 4, 8, 6),
        &[
            shorts(tags::COMPRESSION, &[7]),
            shorts(tags::EXTRA_SAMPLES, &[2]),
        ],
    );
    let error = picture(single(&fields, &[0; 32])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotImplemented);
}

#[test]
fn xmp_turns_a_picture_whose_directory_does_not() {
    let packet = br#"<rdf:Description tiff:Orientation="6"/>"#;
    let length = u32::try_from(packet.len()).unwrap();
    let turned = |fields: &[Field]| {
        let data = [&[0; 4][..], packet].concat();
        picture(single(fields, &data)).unwrap().facts().orientation
    };
    let by_xmp = changed(gray(2, 2), &[elsewhere(tags::XMP, 1, length, 12)]);
    assert_eq!(turned(&by_xmp), Orientation::from_tag(6));
    let by_both = changed(by_xmp, &[shorts(tags::ORIENTATION, &[1])]);
    assert_eq!(turned(&by_both), Orientation::IDENTITY);
}

#[cfg(feature = "jp2-encode")]
#[test]
fn jpeg_2000_holds_luma_and_chroma_where_compression_or_directory_says_so() {
    use crate::codec::Attached;
    use crate::encoding::Jp2Settings;
    use crate::geometry::Dimensions;
    use crate::raster::{OneStrip, Raster};
    let dimensions = Dimensions::new(16, 16).unwrap();
    let stored = [100, 128, 178].repeat(256);
    let raster = Raster::from_u8(dimensions, Channels::Rgb, stored).unwrap();
    let settings = Jp2Settings {
        lossless: true,
        ..Jp2Settings::default()
    };
    let mut written = Vec::new();
    let (mut rows, attached) = (OneStrip::from(raster), Attached::default());
    crate::codec::jp2_encode::encode(&mut rows, settings, &attached, &Cancel::new(), &mut written)
        .unwrap();
    let at = written.windows(4).position(|kind| kind == b"jp2c").unwrap();
    let stream = &written[at + 4..];
    let pixel = |compression: u16, photometric: u16| {
        let fields = changed(
            gray(16, 16),
            &[
                shorts(tags::SAMPLES_PER_PIXEL, &[3]),
                shorts(tags::BITS_PER_SAMPLE, &[8; 3]),
                shorts(tags::COMPRESSION, &[compression]),
                shorts(tags::PHOTOMETRIC, &[photometric]),
                longs(
                    tags::STRIP_BYTE_COUNTS,
                    &[u32::try_from(stream.len()).unwrap()],
                ),
            ],
        );
        eight(&fields, stream)[..3].to_vec()
    };
    // 100 + 1.402 · 50 and 100 − 0.71414 · 50.
    let mixed = [170, 64, 100];
    assert_eq!(pixel(33003, 2), mixed);
    assert_eq!(pixel(33003, 6), mixed);
    assert_eq!(pixel(33005, 6), mixed);
    assert_eq!(pixel(34712, 6), mixed);
    assert_eq!(pixel(33005, 2), [100, 128, 178]);
    assert_eq!(pixel(34712, 2), [100, 128, 178]);
}

/// The tables of a JPEG of gray, quantisers and both kinds of codes, and its coded data.
struct Parts {
    quantisers: Vec<u8>,
    codes: [Vec<u8>; 2],
    data: Vec<u8>,
    pixels: Vec<u8>,
}

/// Rows of blocks of a gray picture, each as a JPEG of its own with the tables of the others.
fn strips(count: u32) -> Vec<Parts> {
    use crate::encoding::JpegSettings;
    use crate::geometry::Dimensions;
    use crate::raster::{OneStrip, Raster};
    let mut random = fastrand::Rng::with_seed(3);
    (0..count)
        .map(|_| {
            let base = random.u8(..);
            let samples = (0..24 * 8_u8).map(|at| base.wrapping_add(at / 3)).collect();
            let dimensions = Dimensions::new(24, 8).unwrap();
            let raster = Raster::from_u8(dimensions, Channels::Gray, samples).unwrap();
            let (mut rows, mut written) = (OneStrip::from(raster), Vec::new());
            let settings = JpegSettings::default();
            crate::codec::jpeg::encode(&mut rows, &settings, &Cancel::new(), &mut written).unwrap();
            parts(&written)
        })
        .collect()
}

fn parts(jpeg: &[u8]) -> Parts {
    let decoded = crate::codec::tests::decode_all(jpeg.to_vec()).unwrap();
    let mut parts = Parts {
        quantisers: Vec::new(),
        codes: [Vec::new(), Vec::new()],
        data: Vec::new(),
        pixels: bytes(&decoded),
    };
    let mut rest = &jpeg[2..];
    loop {
        let (marker, length) = (rest[1], usize::from(u16::from_be_bytes([rest[2], rest[3]])));
        let (mut payload, after) = (&rest[4..2 + length], &rest[2 + length..]);
        match marker {
            0xdb => parts.quantisers = payload[1..65].to_vec(),
            0xc4 => {
                while let [class, table @ ..] = payload {
                    let codes = table[..16].iter().map(|n| usize::from(*n)).sum::<usize>();
                    parts.codes[usize::from(class >> 4)] = table[..16 + codes].to_vec();
                    payload = &table[16 + codes..];
                }
            }
            0xda => {
                parts.data = after.strip_suffix(b"\xff\xd9").unwrap().to_vec();
                return parts;
            }
            _ => {}
        }
        rest = after;
    }
}

/// A file of gray in old-style JPEG with these strips, and what `more` adds of what stands behind them.
fn old_jpeg(
    strips: &[Vec<u8>],
    rows: u32,
    behind: &[&[u8]],
    more: &dyn Fn(&[u32]) -> Vec<Field>,
) -> Vec<u8> {
    let mut data = Vec::new();
    let mut places = Vec::new();
    for part in strips
        .iter()
        .map(Vec::as_slice)
        .chain(behind.iter().copied())
    {
        places.push(8 + u32::try_from(data.len()).unwrap());
        data.extend(part);
    }
    let (offsets, others) = places.split_at(strips.len());
    let lengths: Vec<u32> = strips
        .iter()
        .map(|s| u32::try_from(s.len()).unwrap())
        .collect();
    let height = rows * u32::try_from(strips.len()).unwrap();
    let fields = changed(
        gray(24, height),
        &[
            shorts(tags::COMPRESSION, &[6]),
            longs(tags::ROWS_PER_STRIP, &[rows]),
            longs(tags::STRIP_OFFSETS, offsets),
            longs(tags::STRIP_BYTE_COUNTS, &lengths),
        ],
    );
    let mut made = file(&data);
    let offset = append(&mut made, &changed(fields, &more(others)), 0);
    starting_at(made, offset)
}

fn old_pixels(file: Vec<u8>) -> Vec<u8> {
    let picture = picture(file).unwrap();
    bytes(&whole(picture.as_ref(), 0).unwrap())
}

fn tables(places: &[u32]) -> Vec<Field> {
    vec![
        longs(tags::JPEG_Q_TABLES, &places[..1]),
        longs(tags::JPEG_DC_TABLES, &places[1..2]),
        longs(tags::JPEG_AC_TABLES, &places[2..3]),
    ]
}

#[test]
fn strips_of_an_old_jpeg_begin_anew_whatever_their_number() {
    let strips = strips(11);
    let data: Vec<_> = strips.iter().map(|strip| strip.data.clone()).collect();
    let [first, ..] = &strips[..] else {
        panic!("eleven");
    };
    let behind = [&first.quantisers[..], &first.codes[0], &first.codes[1]];
    let wanted: Vec<u8> = strips
        .iter()
        .flat_map(|strip| strip.pixels.clone())
        .collect();
    assert!(old_pixels(old_jpeg(&data, 8, &behind, &tables)) == wanted);
    // The same in one strip, which says itself where it begins anew.
    let mut joined = Vec::new();
    for (at, part) in (0_u8..).zip(&data) {
        if at > 0 {
            joined.extend([0xff, 0xd0 + (at - 1) % 8]);
        }
        joined.extend(part);
    }
    let one = old_jpeg(&[joined], 88, &behind, &|places| {
        let mut fields = tables(places);
        fields.push(shorts(tags::JPEG_RESTART_INTERVAL, &[3]));
        fields
    });
    assert!(old_pixels(one) == wanted);
}

#[test]
fn an_old_jpeg_may_begin_apart_from_its_strips() {
    let strips = strips(3);
    let data: Vec<_> = strips.iter().map(|strip| strip.data.clone()).collect();
    let [first, ..] = &strips[..] else {
        panic!("three");
    };
    let segment = |marker: u8, payload: &[u8]| {
        let length = u16::try_from(payload.len() + 2).unwrap().to_be_bytes();
        [&[0xff, marker], &length[..], payload].concat()
    };
    let begin = [
        b"\xff\xd8".to_vec(),
        segment(0xdb, &[&[0], &first.quantisers[..]].concat()),
        segment(0xc0, &[8, 0, 24, 0, 24, 1, 1, 0x11, 0]),
        segment(0xc4, &[&[0], &first.codes[0][..]].concat()),
        segment(0xc4, &[&[0x10], &first.codes[1][..]].concat()),
        segment(0xdd, &[0, 3]),
        segment(0xda, &[1, 1, 0, 0, 63, 0]),
    ]
    .concat();
    let wanted: Vec<u8> = strips
        .iter()
        .flat_map(|strip| strip.pixels.clone())
        .collect();
    // Some writers end it.
    for end in [&b""[..], b"\xff\xd9"] {
        let begin = [&begin[..], end].concat();
        let length = u32::try_from(begin.len()).unwrap();
        let file = old_jpeg(&data, 8, &[&begin], &|places| {
            vec![
                longs(tags::JPEG_STREAM, places),
                longs(tags::JPEG_STREAM_LENGTH, &[length]),
            ]
        });
        assert!(old_pixels(file) == wanted, "{end:?}");
    }
}
