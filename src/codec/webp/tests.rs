//! Whole pictures as answers: what is kept of a file, and which are left to a decoder.

use super::passage::Parts;
use super::strip;
use crate::geometry::Dimensions;

fn fixture(name: &str) -> Vec<u8> {
    let path = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/webp");
    std::fs::read(path.join(name)).unwrap()
}

fn parts(file: &Vec<u8>) -> Option<Parts> {
    Parts::of(file).unwrap()
}

/// The chunks of a file: name and payload.
fn chunks(file: &[u8]) -> Vec<([u8; 4], Vec<u8>)> {
    let mut rest = &file[12..];
    let mut all = Vec::new();
    while let Some((name, after)) = rest.split_first_chunk::<4>() {
        let (length, after) = after.split_first_chunk::<4>().unwrap();
        let length = usize::try_from(u32::from_le_bytes(*length)).unwrap();
        all.push((*name, after[..length].to_vec()));
        rest = &after[length.next_multiple_of(2)..];
    }
    all
}

fn file(chunks: &[([u8; 4], Vec<u8>)]) -> Vec<u8> {
    let mut body = b"WEBP".to_vec();
    for (name, payload) in chunks {
        body.extend(name);
        body.extend(u32::try_from(payload.len()).unwrap().to_le_bytes());
        body.extend(payload);
        body.resize(body.len().next_multiple_of(2), 0);
    }
    let size = u32::try_from(body.len()).unwrap().to_le_bytes();
    [b"RIFF", &size[..], &body].concat()
}

#[test]
fn a_file_without_metadata_is_kept_whole() {
    for name in [
        "lossless_images_simple.webp",
        "lossy_images_simple-rgb.webp",
        "extended_images_lossy_alpha.webp",
        "webp-rgb.webp",
    ] {
        let whole = fixture(name);
        let found = parts(&whole).unwrap();
        let mut stripped = whole.clone();
        assert!(strip(&mut stripped, found.dimensions, found.alpha));
        let again = parts(&stripped).unwrap();
        assert_eq!(
            (again.dimensions, again.alpha),
            (found.dimensions, found.alpha)
        );
        assert!(stripped.len() <= whole.len(), "{name}");
    }
}

#[test]
fn metadata_stay_behind_and_the_picture_stays_as_it_is() {
    let whole = fixture("made-exif-profile.webp");
    let before = chunks(&whole);
    assert!(before.iter().any(|(name, _)| name == b"EXIF"));
    let found = parts(&whole).unwrap();
    let mut stripped = whole;
    assert!(strip(&mut stripped, found.dimensions, found.alpha));
    let after = chunks(&stripped);
    let is_picture = |name: &[u8; 4]| matches!(name, b"VP8 " | b"VP8L" | b"ALPH");
    assert!(
        after
            .iter()
            .all(|(name, _)| is_picture(name) || name == b"VP8X")
    );
    let picture = |all: &[([u8; 4], Vec<u8>)]| {
        let all = all.iter().filter(|(name, _)| is_picture(name));
        all.cloned().collect::<Vec<_>>()
    };
    assert_eq!(picture(&before), picture(&after));
}

#[test]
fn an_animation_is_no_answer() {
    assert_eq!(parts(&fixture("extended_images_anim.webp")), None);
}

#[test]
fn what_readers_may_take_differently_is_no_answer() {
    let good = chunks(&fixture("extended_images_lossy_alpha.webp"));
    assert_eq!(good[0].0, *b"VP8X");
    assert!(parts(&file(&good)).is_some());
    let mut denied = good.clone();
    denied[0].1[0] &= !0x10;
    let mut larger = good.clone();
    larger[0].1[4] += 1;
    let mut between = good.clone();
    let at = good.iter().position(|(name, _)| name == b"VP8 ").unwrap();
    between.insert(at, (*b"abcd", vec![1, 2]));
    let mut twice = good.clone();
    twice.push(good[at].clone());
    let mut moving = good.clone();
    moving[0].1[0] |= 2;
    let mut scaled = good.clone();
    scaled[at].1[7] |= 0x40;
    for bad in [
        denied,
        larger,
        between,
        twice,
        moving,
        scaled,
        good[..at].to_vec(),
    ] {
        assert_eq!(parts(&file(&bad)), None);
    }
    let whole = file(&good);
    for end in 0..whole.len() {
        assert_eq!(parts(&whole[..end].to_vec()), None, "cut at {end}");
    }
}

#[test]
fn other_dimensions_and_opacity_that_has_no_room_are_refused() {
    let whole = fixture("extended_images_lossy_alpha.webp");
    let found = parts(&whole).unwrap();
    assert!(!strip(&mut whole.clone(), found.dimensions, false));
    let other = Dimensions {
        width: found.dimensions.width + 1,
        ..found.dimensions
    };
    assert!(!strip(&mut whole.clone(), other, true));
    assert!(strip(&mut whole.clone(), found.dimensions, true));
}
