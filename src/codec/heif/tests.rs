//! AVIF and HEIC masters against libavif and libheif, their windows, and what is refused.

use std::sync::Arc;

use super::super::tests::{decode, decode_all, fixture, picture};
use super::super::{ColourMode, DecodeLimits, MasterFormat, metadata, open};
use super::sequence_header::SequenceHeader;
use crate::error::{Error, ErrorKind};
use crate::geometry::{Dimensions, Orientation, Window};
use crate::raster::{Channels, Depth, PixelFormat, Raster, Samples};

/// Every coded fixture of a folder.
fn names(folder: &str) -> Vec<String> {
    let path = format!("{}/fixtures/{folder}", env!("CARGO_MANIFEST_DIR"));
    let mut names: Vec<String> = std::fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| Some(name.strip_suffix(&format!(".{folder}"))?.to_owned()))
        .collect();
    names.sort();
    names
}

/// Kinds of HEVC that are not read, and what is said of them.
const REFUSED: [(&str, &str); 2] = [
    ("heic/half-chroma.heic", "4:2:2"),
    ("heic/full-chroma.heic", "4:4:4"),
];

fn all() -> Vec<String> {
    let all: Vec<String> = ["avif", "heic"]
        .iter()
        .filter(|folder| cfg!(feature = "heic") || **folder == "avif")
        .flat_map(|folder| {
            names(folder)
                .into_iter()
                .map(move |name| format!("{folder}/{name}.{folder}"))
        })
        .filter(|path| !REFUSED.iter().any(|(refused, _)| refused == path))
        .collect();
    assert!(all.len() >= 27, "{all:?}");
    all
}

/// As stored, without any conversion of colours.
fn raw(path: &str) -> Raster {
    let limits = DecodeLimits {
        colour: ColourMode::Keep,
        ..DecodeLimits::default()
    };
    let picture = open(Arc::new(fixture(path)), 1, &limits).unwrap();
    decode(
        picture.as_ref(),
        picture.facts().pyramid.dimensions().window(),
    )
    .unwrap()
}

/// Samples of 16 bits.
fn wide(raster: &Raster) -> Vec<u16> {
    match raster.samples() {
        Samples::U8(all) => all.iter().map(|value| u16::from(*value) * 257).collect(),
        Samples::U16(all) => all.clone(),
    }
}

/// Samples as red, green and blue, with opacity where `opacity`.
fn spread(raster: &Raster, opacity: bool) -> Vec<u16> {
    let channels = raster.format().channels;
    let all = wide(raster);
    let pixels = all.chunks_exact(channels.count());
    pixels
        .flat_map(|pixel| {
            let colours = match pixel {
                [gray] | [gray, _] => [*gray; 3],
                [red, green, blue, ..] => [*red, *green, *blue],
                [] => unreachable!("a pixel has samples"),
            };
            let last = if channels.has_alpha() {
                pixel[channels.count() - 1]
            } else {
                u16::MAX
            };
            colours.into_iter().chain(opacity.then_some(last))
        })
        .collect()
}

/// Compares a fixture with what stands beside it: mean and greatest difference, of 65535.
fn difference(path: &str) -> (f64, u16) {
    let (stem, _) = path.rsplit_once('.').unwrap();
    let found = raw(path);
    let wanted = raw(&format!("{stem}.expected.png"));
    let window = found.dimensions();
    assert!(wanted.dimensions().width >= window.width, "{path}");
    let opacity = found.format().channels.has_alpha();
    let (found, wanted) = (spread(&found, opacity), spread(&wanted, opacity));
    assert_eq!(found.len(), wanted.len(), "{path}");
    let all = found.iter().zip(&wanted).map(|(a, b)| a.abs_diff(*b));
    let sum: f64 = all.clone().map(f64::from).sum();
    (sum / found.len() as f64, all.max().unwrap())
}

/// One step of 8 bits in 16.
const EIGHT: u16 = 257;

#[test]
fn samples_are_those_of_a_foreign_decoder() {
    let mut seen = 0;
    for path in all() {
        let (stem, _) = path.rsplit_once('.').unwrap();
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/");
        let exists = std::path::Path::new(&format!("{root}{stem}.expected.png")).exists();
        let apart = [
            "avif/cropped.avif",
            "avif/wide-gamut.avif",
            "heic/opacity.heic",
        ];
        if !exists || apart.contains(&path.as_str()) {
            continue;
        }
        let (mean, most) = difference(&path);
        // The foreign decoder reckons in integers of 8 bits where it gives 8, and colours that were
        // multiplied by little are drawn apart.
        let exact = ["10-", "12-", "-10", "400", "gray"]
            .iter()
            .any(|part| path.contains(part));
        let (mean_limit, limit) = match (exact, path.as_str()) {
            // libheif moves 10 bits up to 16 and leaves the lowest 0.
            (true, "heic/gray-10.heic") => (64.0, 64),
            (true, _) => (1.0, 2),
            (false, "avif/multiplied.avif") => (0.6 * f64::from(EIGHT), 16 * EIGHT),
            (false, _) => (0.6 * f64::from(EIGHT), 4 * EIGHT),
        };
        assert!(mean <= mean_limit && most <= limit, "{path}: {mean} {most}");
        seen += 1;
    }
    assert!(seen >= 24, "{seen} files");
}

#[cfg(feature = "heic")]
#[test]
fn planes_of_hevc_are_those_of_a_foreign_decoder() {
    for name in ["8-420", "lossless"] {
        let file = fixture(&format!("heic/{name}.heic"));
        let expected = fixture(&format!("heic/{name}.expected.y4m"));
        let start = expected
            .windows(6)
            .position(|part| part == b"FRAME\n")
            .unwrap()
            + 6;
        let limits = DecodeLimits::default();
        let opened = super::File {
            reader: &file,
            limits: &limits,
        };
        let contents = super::contents(&file, &limits).unwrap();
        let layout = contents.layout(&opened).unwrap();
        let place = layout.picture.dimensions.window();
        let job = super::Job {
            reader: Arc::new(file),
            layout: Arc::new(layout.clone()),
            place,
            pixel: PixelFormat::eight(Channels::Rgb),
            limits,
            cancel: crate::cancel::Cancel::new(),
        };
        let planes = job.planes(&layout.picture).unwrap().all;
        let found: Vec<u8> = planes
            .iter()
            .flat_map(|plane| &plane.samples)
            .map(|sample| u8::try_from(*sample).unwrap())
            .collect();
        assert!(found == expected[start..], "{name}");
    }
    let (found, wanted) = (
        raw("heic/opacity.heic"),
        decode_all(fixture("heic/opacity.expected.png")).unwrap(),
    );
    let opacity =
        |raster: &Raster| -> Vec<u16> { wide(raster).into_iter().skip(3).step_by(4).collect() };
    assert_eq!(opacity(&found), opacity(&wanted));
}

#[test]
fn facts_are_those_of_the_container() {
    for (path, pixel, bits, description) in [
        (
            "avif/8-400.avif",
            PixelFormat::eight(Channels::Gray),
            8,
            "AVIF, 4:0:0",
        ),
        (
            "avif/10-422.avif",
            PixelFormat::sixteen(Channels::Rgb),
            10,
            "AVIF, 4:2:2",
        ),
        (
            "avif/12-444.avif",
            PixelFormat::sixteen(Channels::Rgb),
            12,
            "AVIF, 4:4:4",
        ),
        (
            "avif/opacity.avif",
            PixelFormat::eight(Channels::Rgba),
            8,
            "AVIF, 4:2:0",
        ),
        (
            "avif/opacity-400.avif",
            PixelFormat::eight(Channels::GrayAlpha),
            8,
            "AVIF, 4:0:0",
        ),
        (
            "avif/grid.avif",
            PixelFormat::eight(Channels::Rgb),
            8,
            "AVIF, 4:2:0, 4 parts",
        ),
        (
            "avif/parts-with-opacity.avif",
            PixelFormat::eight(Channels::Rgba),
            8,
            "AVIF, 4:4:4, 2 parts",
        ),
        (
            "avif/opacity-without-size.avif",
            PixelFormat::eight(Channels::Rgba),
            8,
            "AVIF, 4:4:4",
        ),
    ] {
        let picture = picture(fixture(path)).unwrap();
        let facts = picture.facts();
        assert_eq!(facts.format, MasterFormat::Avif);
        let found = (facts.pixel, facts.bits, facts.description.as_str());
        assert_eq!(found, (pixel, bits, description), "{path}");
    }
}

#[test]
fn pictures_are_laid_once_as_the_container_says() {
    // What people see: quarter turns against the clock first, then the mirror.
    for (path, orientation, side) in [
        (
            "avif/turned.avif",
            Orientation {
                mirror: false,
                turns: 3,
            },
            (93, 71),
        ),
        (
            "avif/upside-down.avif",
            Orientation {
                mirror: true,
                turns: 2,
            },
            (93, 71),
        ),
        (
            "avif/mirrored.avif",
            Orientation {
                mirror: true,
                turns: 3,
            },
            (93, 71),
        ),
        (
            "avif/cropped.avif",
            Orientation {
                mirror: false,
                turns: 3,
            },
            (42, 30),
        ),
    ] {
        let picture = picture(fixture(path)).unwrap();
        let facts = picture.facts();
        assert_eq!(facts.orientation, orientation, "{path}");
        let dimensions = facts.pyramid.dimensions();
        assert_eq!((dimensions.width, dimensions.height), side, "{path}");
    }
    let whole = raw("avif/8-420.avif");
    let part = raw("avif/cropped.avif");
    let place = Window {
        x: 10,
        y: 20,
        width: 42,
        height: 30,
    };
    let wanted = cut(&whole, place);
    let far = wanted
        .iter()
        .zip(wide(&part))
        .map(|(a, b)| a.abs_diff(b))
        .max();
    assert!(
        far <= Some(12 * EIGHT),
        "the same picture, coded twice: {far:?}"
    );
}

/// The samples of `window`, as 16 bits.
fn cut(whole: &Raster, window: Window) -> Vec<u16> {
    let (all, channels) = (wide(whole), whole.format().channels.count());
    let rows = all.chunks_exact(whole.row_len());
    let rows = rows.skip(window.y as usize).take(window.height as usize);
    let (left, width) = (
        window.x as usize * channels,
        window.width as usize * channels,
    );
    rows.flat_map(|row| row[left..left + width].to_vec())
        .collect()
}

#[test]
fn a_window_is_its_part_of_the_whole() {
    for path in all() {
        let picture = picture(fixture(&path)).unwrap();
        let side = picture.facts().pyramid.dimensions();
        let whole = decode(picture.as_ref(), side.window()).unwrap();
        for (x, y, width, height) in [
            (0, 0, 1, 1),
            (
                side.width / 3,
                side.height / 4,
                side.width / 2,
                side.height / 3,
            ),
            (side.width / 2 - 1, side.height / 2 - 1, 3, 3),
            (side.width - 7, side.height - 5, 7, 5),
            (0, side.height / 2, side.width, 3),
        ] {
            let window = Window {
                x,
                y,
                width,
                height,
            };
            let part = decode(picture.as_ref(), window).unwrap();
            assert!(wide(&part) == cut(&whole, window), "{path} {window:?}");
        }
    }
}

#[test]
fn parts_of_a_grid_that_a_window_does_not_touch_cost_nothing() {
    let picture = picture(fixture("avif/grid.avif")).unwrap();
    let side = picture.facts().pyramid.dimensions();
    let corner = Window {
        x: 2,
        y: 2,
        width: 8,
        height: 8,
    };
    let (part, whole) = (picture.price(0, corner), picture.price(0, side.window()));
    assert_eq!(part.pixels * 4, whole.pixels);
    assert!(part.bytes < whole.bytes);
}

#[test]
fn colours_of_the_container_come_to_srgb() {
    for (path, name) in [
        ("avif/8-444.avif", "sRGB"),
        ("avif/wide-gamut.avif", "RGB by code points"),
        ("avif/8-400.avif", "untagged"),
    ] {
        assert_eq!(
            picture(fixture(path)).unwrap().facts().colour,
            name,
            "{path}"
        );
    }
    let profile = picture(fixture("avif/profile.avif")).unwrap();
    assert_ne!(profile.facts().colour, "sRGB");
    // The same samples in wider primaries are more saturated.
    let shown = decode_all(fixture("avif/wide-gamut.avif")).unwrap();
    let stored = raw("avif/8-444.avif");
    assert!(
        wide(&shown)
            .iter()
            .zip(wide(&stored))
            .any(|(a, b)| a.abs_diff(b) > 10 * EIGHT)
    );
}

#[test]
fn metadata_of_items_are_read() {
    let mut file = fixture("avif/profile.avif");
    let reader: Arc<dyn crate::reader::RangeReader> = Arc::new(file.clone());
    let found = metadata(&reader, 1, &DecodeLimits::default()).unwrap();
    let profile = found.field(34675).expect("a profile");
    assert_eq!(profile.bytes, fixture("icc/p3.icc"));
    // One byte of the item's name is enough to lose it.
    let place = file.windows(4).position(|part| part == b"prof").unwrap();
    file[place] = b'q';
    let reader: Arc<dyn crate::reader::RangeReader> = Arc::new(file);
    let found = metadata(&reader, 1, &DecodeLimits::default()).unwrap();
    assert!(found.field(34675).is_none());
}

/// A fixture with `from` in place of `to`, once.
fn patched(path: &str, from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut file = fixture(path);
    let place = file
        .windows(from.len())
        .position(|part| part == from)
        .expect("such bytes");
    file[place..place + from.len()].copy_from_slice(to);
    file
}

fn refusal(file: Vec<u8>) -> Error {
    decode_all(file).expect_err("it is refused")
}

#[test]
fn what_is_not_read_is_told() {
    for (file, words) in [
        (
            patched(
                "avif/8-444.avif",
                b"infe\x02\0\0\0\0\x01\0\0av01",
                b"infe\x02\0\0\0\0\x01\0\0vvc1",
            ),
            "vvc1",
        ),
        (
            patched(
                "avif/8-444.avif",
                b"infe\x02\0\0\0\0\x01\0\0av01",
                b"infe\x02\0\0\0\0\x01\0\0iovl",
            ),
            "laid over",
        ),
        (patched("avif/turned.avif", b"irot", b"warp"), "warp"),
        (
            patched(
                "avif/8-444.avif",
                b"nclx\0\x01\0\x0d\0\x06",
                b"nclx\0\x01\0\x0d\0\x0e",
            ),
            "matrix 14",
        ),
    ] {
        let error = refusal(file);
        assert_eq!(error.kind(), ErrorKind::NotImplemented, "{error:?}");
        assert!(error.public().contains(words), "{}", error.public());
    }
}

#[test]
fn what_is_damaged_is_told_before_it_is_decoded() {
    let size = b"ispe\0\0\0\0\0\0\0\x5d\0\0\0\x47";
    let with = |width: u32| {
        [
            b"ispe\0\0\0\0",
            width.to_be_bytes().as_slice(),
            b"\0\0\0\x47",
        ]
        .concat()
    };
    for (width, kind) in [
        (0, ErrorKind::Corrupt),
        (94, ErrorKind::Corrupt),
        (92, ErrorKind::Corrupt),
        (2_000_000, ErrorKind::TooLarge),
    ] {
        let error = refusal(patched("avif/8-420.avif", size, &with(width)));
        assert_eq!(error.kind(), kind, "{width}: {error:?}");
    }
    let limits = DecodeLimits {
        max_bytes: 100_000,
        ..DecodeLimits::default()
    };
    let error = open(Arc::new(fixture("avif/8-420.avif")), 1, &limits).expect_err("too much");
    assert_eq!(error.kind(), ErrorKind::TooLarge);
}

#[test]
fn a_file_that_is_cut_or_changed_gives_typed_errors() {
    for path in [
        "avif/8-420.avif",
        "avif/grid.avif",
        "avif/opacity.avif",
        "avif/sequence.avif",
        "heic/opacity.heic",
    ] {
        if path.ends_with("heic") && !cfg!(feature = "heic") {
            continue;
        }
        let file = fixture(path);
        for length in (64..file.len()).step_by(29) {
            if let Err(error) = decode_all(file[..length].to_vec()) {
                let typed = [
                    ErrorKind::Corrupt,
                    ErrorKind::NotImplemented,
                    ErrorKind::TooLarge,
                ];
                assert!(typed.contains(&error.kind()), "{path} {length}: {error:?}");
            }
        }
        for place in (8..file.len()).step_by(11) {
            for bits in [0xff, 0x01] {
                let mut changed = file.clone();
                changed[place] ^= bits;
                if let Err(error) = decode_all(changed) {
                    assert_ne!(
                        error.kind(),
                        ErrorKind::Internal,
                        "{path} {place}: {error:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn the_sequence_header_of_the_stream_is_found_in_the_file() {
    let file = fixture("avif/limited-10-444.avif");
    let place = file.windows(4).position(|part| part == b"mdat").unwrap() + 4;
    let header = SequenceHeader::find(&file[place..])
        .unwrap()
        .expect("a header");
    assert_eq!((header.width, header.height, header.bits), (93, 71, 10));
    assert!(!header.points.full);
    let depth = picture(file).unwrap().facts().pixel.depth;
    assert_eq!(depth, Depth::Sixteen);
    let side = Dimensions {
        width: 93,
        height: 71,
    };
    assert_eq!(
        picture(fixture("avif/sequence.avif"))
            .unwrap()
            .facts()
            .pyramid
            .dimensions(),
        side
    );
}

#[cfg(feature = "heic")]
#[test]
fn finer_chroma_of_hevc_is_refused() {
    for (path, chroma) in REFUSED {
        let error = refusal(fixture(path));
        assert_eq!(error.kind(), ErrorKind::NotImplemented, "{path}");
        assert!(error.public().contains(chroma), "{}", error.public());
    }
}

#[cfg(not(feature = "heic"))]
#[test]
fn a_build_without_hevc_says_so() {
    let error = refusal(fixture("heic/8-420.heic"));
    assert_eq!(error.kind(), ErrorKind::NotImplemented);
    assert!(error.public().contains("HEVC"), "{}", error.public());
}
