//! Damaged files, truncated files, and headers that ask for more than there is.

use super::made::{Stream, boxed, enumerated, jp2, segment, tile_part};
use super::*;
use crate::cancel::Cancel;
use crate::geometry::Window;
use crate::raster::gather;

const SMALL: [&str; 6] = [
    "p0_09.j2k",
    "p0_12.j2k",
    "p1_06.j2k",
    "p0_14.j2k",
    "high-throughput.j2c",
    "jp2-6res-rgb-64x56x8-multitiled-lossy.jp2",
];

/// Opens, and decodes the smallest level and a corner of the full one; errors are as good as pixels.
fn exercise(bytes: Vec<u8>) -> Option<ErrorKind> {
    let limits = DecodeLimits {
        max_side_px: 2000,
        max_area_px: 1 << 20,
        max_bytes: 64 << 20,
        ..DecodeLimits::default()
    };
    let picture = match open(Arc::new(bytes), &limits) {
        Ok(picture) => picture,
        Err(error) => return Some(error.kind()),
    };
    let levels = picture.facts().pyramid.levels();
    let corner = Window {
        x: 0,
        y: 0,
        width: 9,
        height: 9,
    };
    let last = levels.len() - 1;
    let cancel = Cancel::new();
    for (level, window) in [(last, levels[last].dimensions.window()), (0, corner)] {
        let decoded = picture
            .decode(level, window, &cancel)
            .and_then(|mut rows| gather(rows.as_mut(), &cancel));
        if let Err(error) = decoded {
            return Some(error.kind());
        }
    }
    None
}

#[test]
fn ten_thousand_changed_bytes_never_panic_and_never_fail_untyped() {
    let mut random = fastrand::Rng::with_seed(2000);
    let originals: Vec<Vec<u8>> = SMALL.iter().map(|name| fixture(name)).collect();
    let (mut refused, mut decoded) = (0, 0);
    for round in 0..10_000 {
        let mut bytes = originals[round % originals.len()].clone();
        for _ in 0..random.usize(1..4) {
            // Headers are where most of the decisions are.
            let reach = if random.bool() {
                bytes.len().min(220)
            } else {
                bytes.len()
            };
            let at = random.usize(0..reach);
            bytes[at] = random.u8(..);
        }
        match exercise(bytes) {
            None => decoded += 1,
            Some(kind) => {
                assert!(
                    matches!(
                        kind,
                        ErrorKind::Corrupt | ErrorKind::NotImplemented | ErrorKind::TooLarge
                    ),
                    "{kind:?}"
                );
                refused += 1;
            }
        }
    }
    assert!(
        refused > 1000 && decoded > 1000,
        "{refused} refused, {decoded} decoded"
    );
}

#[test]
fn a_truncated_file_is_corrupt_wherever_it_is_cut() {
    for name in SMALL.into_iter().chain(["offsets-97.j2k"]) {
        let whole = fixture(name);
        let step = (whole.len() / 97).max(1);
        for end in (0..whole.len() - 2).step_by(step) {
            let kind = exercise(whole[..end].to_vec());
            assert_eq!(kind, Some(ErrorKind::Corrupt), "{name} cut to {end}");
        }
    }
}

#[test]
fn a_code_stream_without_its_end_marker_still_decodes() {
    let whole = fixture("p0_12.j2k");
    assert_eq!(whole[whole.len() - 2..], [0xFF, 0xD9]);
    assert_eq!(exercise(whole[..whole.len() - 2].to_vec()), None);
}

/// Asserts that each stream is refused in its way.
fn assert_refused(cases: Vec<(&str, Stream, ErrorKind)>) {
    assert_eq!(refusal(Stream::default().bytes()), None);
    for (name, stream, kind) in cases {
        assert_eq!(refusal(stream.bytes()), Some(kind), "{name}");
    }
}

#[test]
fn sizes_that_ask_too_much_or_contradict_themselves_are_refused() {
    use ErrorKind::{Corrupt, TooLarge};
    let grid = |grid: [u32; 8]| Stream {
        grid,
        ..Stream::default()
    };
    let half = 1_u32 << 31;
    let huge = 999_999;
    assert_refused(vec![
        (
            "2^31 columns",
            grid([half, 16, 0, 0, half, 16, 0, 0]),
            TooLarge,
        ),
        (
            "2^32 - 1 rows",
            grid([16, u32::MAX, 0, 0, 16, 16, 0, 0]),
            TooLarge,
        ),
        (
            "a side beyond the limit",
            grid([1_000_001, 1, 0, 0, 1_000_001, 1, 0, 0]),
            TooLarge,
        ),
        (
            "an area beyond the limit",
            grid([huge, huge, 0, 0, huge, huge, 0, 0]),
            TooLarge,
        ),
        (
            "64k × 64k with 1 × 1 tiles",
            grid([65_536, 65_536, 0, 0, 1, 1, 0, 0]),
            Corrupt,
        ),
        ("no tile width", grid([16, 16, 0, 0, 0, 16, 0, 0]), Corrupt),
        ("no tile height", grid([16, 16, 0, 0, 16, 0, 0, 0]), Corrupt),
        ("no image", grid([16, 16, 16, 0, 16, 16, 0, 0]), Corrupt),
        (
            "tiles that begin after the image",
            grid([16, 16, 0, 0, 16, 16, 1, 0]),
            Corrupt,
        ),
        (
            "a first tile before the image",
            grid([64, 16, 32, 0, 16, 16, 0, 0]),
            Corrupt,
        ),
        (
            "a tile that is not there",
            grid([32, 16, 0, 0, 16, 16, 0, 0]),
            Corrupt,
        ),
    ]);
}

#[test]
fn components_that_are_not_read_or_make_no_sense_are_refused() {
    use ErrorKind::{Corrupt, NotImplemented};
    let count = |count: u16| Stream {
        count,
        ..Stream::default()
    };
    let component = |component: [u8; 3]| Stream {
        component,
        ..Stream::default()
    };
    assert_refused(vec![
        ("no component", count(0), Corrupt),
        ("16,385 components", count(16_385), Corrupt),
        ("17 bits", component([16, 1, 1]), NotImplemented),
        ("no sampling step", component([7, 0, 1]), Corrupt),
    ]);
}

#[test]
fn tiles_without_a_sample_may_be_missing_and_no_others() {
    let stream = |step| Stream {
        // The second of two tiles; columns with a sample are the multiples of a step, from 1 on.
        grid: [20, 16, 1, 0, 16, 16, 0, 0],
        component: [7, step, 1],
        tile_parts: tile_part(1, 0, 1, &[0, 0]),
        ..Stream::default()
    };
    assert_eq!(refusal(stream(18).bytes()), None);
    assert_eq!(refusal(stream(15).bytes()), Some(ErrorKind::Corrupt));
}

#[test]
fn what_is_no_box_behind_the_code_stream_is_the_files_end() {
    let file = jp2(&[enumerated(17)], &Stream::default().bytes());
    for tail in [&[][..], b"\r\n", &[0; 3], &[0xff; 40]] {
        let file = [&file, tail].concat();
        assert_eq!(refusal(file), None, "{tail:?}");
    }
    let code = Stream::default().bytes().len() + 8;
    let before = [
        &file[..file.len() - code],
        &[0xff; 40],
        &file[file.len() - code..],
    ]
    .concat();
    assert_eq!(refusal(before), Some(ErrorKind::Corrupt));
}

#[test]
fn a_code_stream_in_pieces_is_not_read_and_none_at_all_is_damage() {
    let file = |kind| {
        let mut file = jp2(&[enumerated(16)], &[]);
        let at = file.windows(4).rposition(|word| word == b"jp2c");
        let at = at.expect("it is there");
        file[at..at + 4].copy_from_slice(kind);
        let opened = open(Arc::new(file), &DecodeLimits::default());
        opened.map(|_| ()).expect_err("no code stream").kind()
    };
    assert_eq!(file(b"ftbl"), ErrorKind::NotImplemented);
    assert_eq!(file(b"free"), ErrorKind::Corrupt);
}

#[test]
fn coding_styles_outside_the_standard_are_refused() {
    use ErrorKind::{Corrupt, NotImplemented};
    let coding = |at: usize, byte: u8| {
        let mut stream = Stream::default();
        stream.coding[at] = byte;
        stream
    };
    let more = |more: Vec<u8>| Stream {
        more,
        ..Stream::default()
    };
    let unquantised = Stream {
        has_quantisation: false,
        ..Stream::default()
    };
    assert_refused(vec![
        ("an unknown progression", coding(1, 5), Corrupt),
        ("no layer", coding(3, 0), Corrupt),
        (
            "an unknown transform of components",
            coding(4, 2),
            NotImplemented,
        ),
        ("33 decompositions", coding(5, 33), Corrupt),
        ("code-blocks of 2048 columns", coding(6, 9), Corrupt),
        ("code-blocks of 8192 samples", coding(6, 5), Corrupt),
        ("an unknown wavelet", coding(9, 2), Corrupt),
        ("precincts that are not there", coding(0, 1), Corrupt),
        ("no quantisation", unquantised, Corrupt),
        (
            "packed packet headers that end in a length",
            more(segment(0xFF60, &[0, 0])),
            Corrupt,
        ),
        (
            "a COC for no component",
            more(segment(0xFF53, &[1, 0, 1, 4, 4, 0, 1])),
            Corrupt,
        ),
        (
            "a QCC for no component",
            more(segment(0xFF5D, &[1, 0x40])),
            Corrupt,
        ),
        (
            "a segment without a length",
            more(vec![0xFF, 0x64, 0, 1]),
            Corrupt,
        ),
        (
            "a segment past the end",
            more(vec![0xFF, 0x64, 0xFF, 0xFF]),
            Corrupt,
        ),
    ]);
}

#[test]
fn tile_parts_out_of_order_or_out_of_bounds_are_corrupt() {
    use ErrorKind::Corrupt;
    let parts = |parts: &[Vec<u8>]| Stream {
        tile_parts: parts.concat(),
        ..Stream::default()
    };
    let short = [
        segment(0xFF90, &[0, 0, 0, 0, 0, 13, 0, 1]),
        vec![0xFF, 0x93],
    ]
    .concat();
    let long = [
        segment(0xFF90, &[0, 0, 0, 0, 0, 99, 0, 1]),
        vec![0xFF, 0x93],
    ]
    .concat();
    let twice = [tile_part(0, 0, 0, &[]), tile_part(0, 0, 0, &[])];
    assert_refused(vec![
        (
            "a tile number beyond",
            parts(&[tile_part(1, 0, 1, &[0, 0])]),
            Corrupt,
        ),
        (
            "a second part first",
            parts(&[tile_part(0, 1, 2, &[0, 0])]),
            Corrupt,
        ),
        (
            "a part that is missing",
            parts(&[tile_part(0, 0, 2, &[0, 0])]),
            Corrupt,
        ),
        ("the same part twice", parts(&twice), Corrupt),
        ("a tile-part of 13 bytes", parts(&[short]), Corrupt),
        ("a tile-part past the end", parts(&[long]), Corrupt),
        ("no tile", parts(&[]), Corrupt),
    ]);
}

/// More tile-parts than the first one announces: what a decoder's index of them must not overflow.
#[test]
fn tile_parts_beyond_the_announced_number_are_numbered_anew() {
    let parts = [tile_part(0, 0, 1, &[0]), tile_part(0, 1, 0, &[0])].concat();
    let lengths = segment(0xFF55, &[0, 0x50, 0, 0, 0, 0, 0, 15]);
    let stream = Stream {
        tile_parts: parts,
        more: lengths,
        ..Stream::default()
    };
    assert_eq!(exercise(stream.bytes()), None);
}

#[test]
fn a_tile_divided_into_more_packets_than_bytes_is_refused() {
    // Precincts of 1 × 1 at the one resolution of 30,000 × 30,000 samples.
    let side = 30_000;
    let stream = Stream {
        grid: [side, side, 0, 0, side, side, 0, 0],
        coding: vec![1, 0, 0, 1, 0, 0, 4, 4, 0, 1, 0],
        ..Stream::default()
    };
    assert_eq!(refusal(stream.bytes()), Some(ErrorKind::Corrupt));
    // One precinct, 65,535 layers, 33 resolutions: 2 million packets.
    let layered = Stream {
        coding: vec![0, 0, 0xFF, 0xFF, 0, 32, 4, 4, 0, 1],
        ..Stream::default()
    };
    assert_eq!(refusal(layered.bytes()), Some(ErrorKind::Corrupt));
    // Code-blocks of 4 × 4 in the same area: no packets to speak of, and 27 GB of blocks.
    let fine = Stream {
        grid: [side, side, 0, 0, side, side, 0, 0],
        coding: vec![0, 0, 0, 1, 0, 0, 0, 0, 0, 1],
        ..Stream::default()
    };
    assert_eq!(refusal(fine.bytes()), Some(ErrorKind::TooLarge));
}

#[test]
fn limits_hold_exactly() {
    let bytes = Stream::default().bytes();
    let refused = |limits: DecodeLimits| {
        let opened = open(Arc::new(bytes.clone()), &limits);
        opened
            .err()
            .is_some_and(|error| error.kind() == ErrorKind::TooLarge)
    };
    let all = DecodeLimits::default;
    assert!(!refused(DecodeLimits {
        max_side_px: 16,
        max_area_px: 256,
        max_tiles: 1,
        ..all()
    }));
    assert!(refused(DecodeLimits {
        max_side_px: 15,
        ..all()
    }));
    assert!(refused(DecodeLimits {
        max_area_px: 255,
        ..all()
    }));
    assert!(refused(DecodeLimits {
        max_tiles: 0,
        ..all()
    }));
}

#[test]
fn boxes_that_lie_about_their_length_are_corrupt() {
    let stream = Stream::default().bytes();
    let file = jp2(&[enumerated(17)], &stream);
    assert_eq!(refusal(file.clone()), None);
    let start = file.windows(4).position(|w| w == b"jp2h").expect("there") - 4;
    for length in [1_u32, 2, 7, u32::MAX] {
        let mut bad = file.clone();
        bad[start..start + 4].copy_from_slice(&length.to_be_bytes());
        assert_eq!(refusal(bad), Some(ErrorKind::Corrupt), "length {length}");
    }
    let inner = file.windows(4).position(|w| w == b"colr").expect("there") - 4;
    for length in [0_u32, 1, 7, u32::MAX] {
        let mut bad = file.clone();
        bad[inner..inner + 4].copy_from_slice(&length.to_be_bytes());
        let kind = refusal(bad);
        // 0 is the rest of the header, as it is on the top level.
        let wanted = if length == 0 {
            None
        } else {
            Some(ErrorKind::Corrupt)
        };
        assert_eq!(kind, wanted, "inner length {length}");
    }
}

#[test]
fn a_last_box_may_reach_to_the_end_of_the_file_and_have_a_long_length() {
    let stream = Stream::default().bytes();
    let file = jp2(&[enumerated(17)], &stream);
    let start = file.windows(4).position(|w| w == b"jp2c").expect("there") - 4;
    let mut open_ended = file.clone();
    open_ended[start..start + 4].fill(0);
    assert_eq!(refusal(open_ended), None);
    let long = u64::try_from(stream.len() + 16).expect("small");
    let mut wide = file[..start].to_vec();
    wide.extend([0, 0, 0, 1]);
    wide.extend(b"jp2c");
    wide.extend(long.to_be_bytes());
    wide.extend(&stream);
    assert_eq!(refusal(wide.clone()), None);
    wide[start + 8..start + 16].copy_from_slice(&u64::MAX.to_be_bytes());
    assert_eq!(refusal(wide.clone()), Some(ErrorKind::Corrupt));
    wide[start + 8..start + 16].copy_from_slice(&15_u64.to_be_bytes());
    assert_eq!(refusal(wide), Some(ErrorKind::Corrupt));
}

#[test]
fn too_many_boxes_and_missing_ones_are_corrupt() {
    let stream = Stream::default().bytes();
    let mut crowd = jp2(&[enumerated(17)], &stream);
    for _ in 0..2000 {
        crowd.extend(boxed(*b"free", &[]));
    }
    // Behind the code stream nobody looks for more.
    assert_eq!(refusal(crowd), None);
    let crowded: Vec<Vec<u8>> = (0..2000).map(|_| boxed(*b"res ", &[])).collect();
    assert_eq!(refusal(jp2(&crowded, &stream)), Some(ErrorKind::Corrupt));
    let whole = jp2(&[enumerated(17)], &stream);
    assert_eq!(refusal(whole[..12].to_vec()), Some(ErrorKind::Corrupt));
    assert_eq!(refusal(whole[..32].to_vec()), Some(ErrorKind::Corrupt));
}

#[test]
fn a_header_with_more_metadata_than_the_limit_is_too_large() {
    let limits = DecodeLimits {
        max_metadata_bytes: 4096,
        ..DecodeLimits::default()
    };
    let profile = boxed(*b"colr", &[&[2, 0, 0], [0; 8000].as_slice()].concat());
    let file = jp2(&[profile], &Stream::default().bytes());
    let error = open(Arc::new(file), &limits).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
}
