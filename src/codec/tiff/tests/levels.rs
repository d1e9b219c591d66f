//! Which directories are levels, which are pages, and which are neither.

use std::sync::Arc;

use super::super::tags;
use super::made::{
    Field, append, changed, file, gray, longs, several, shorts, starting_at, tiled_gray,
};
use super::{bytes, decode, fixture, named, picture, window};
use crate::codec::{DecodeLimits, Picture, tiff};
use crate::error::ErrorKind;

/// Factor, width and height of every level.
fn levels(picture: &dyn Picture) -> Vec<(u32, u32, u32)> {
    let levels = picture.facts().pyramid.levels().iter();
    levels
        .map(|level| {
            (
                level.factor.get(),
                level.dimensions.width,
                level.dimensions.height,
            )
        })
        .collect()
}

/// Pages and the first page's levels of a file with these directories.
fn found(directories: &[Vec<Field>]) -> (u32, Vec<(u32, u32, u32)>) {
    let picture = picture(several(directories, &[0; 256])).unwrap();
    (picture.facts().pages, levels(picture.as_ref()))
}

fn flagged(width: u32, height: u32, flags: u32) -> Vec<Field> {
    changed(
        tiled_gray(width, height),
        &[longs(tags::NEW_SUBFILE_TYPE, &[flags])],
    )
}

#[test]
fn pyramids_of_pages_of_subifds_and_without_a_word_have_the_same_levels() {
    for name in ["pages", "big", "bare", "subifds"] {
        let picture = named(&format!("pyramid-{name}.tif"));
        assert_eq!(
            levels(picture.as_ref()),
            [(1, 131, 97), (2, 65, 48), (4, 32, 24)],
            "{name}"
        );
        assert_eq!(picture.facts().pages, 1, "{name}");
        let tile = picture.facts().pyramid.full().tile.unwrap();
        assert_eq!((tile.width, tile.height), (32, 32));
    }
    assert_eq!(
        named("rgb-strips-lzw.tif").facts().pyramid.full().tile,
        None
    );
}

#[test]
fn pages_are_counted_and_selected_and_never_taken_for_levels() {
    let bytes = fixture("pages.tif");
    let open = |page| tiff::open(Arc::new(bytes.clone()), page, &DecodeLimits::default());
    for (page, width) in [(1, 131), (2, 83), (3, 83), (4, 39)] {
        let picture = open(page).unwrap();
        assert_eq!(picture.facts().pages, 4);
        assert_eq!(picture.facts().pyramid.levels().len(), 1);
        assert_eq!(picture.facts().pyramid.dimensions().width, width);
    }
    for page in [0, 5, u32::MAX] {
        assert_eq!(open(page).unwrap_err().kind(), ErrorKind::NotFound);
    }
}

#[test]
fn every_rounding_of_a_side_makes_a_level_and_another_aspect_does_not() {
    let full = flagged(101, 67, 0);
    for (width, height, factor) in [
        (50, 33, 2),
        (51, 34, 2),
        (51, 33, 2),
        (26, 17, 4),
        (34, 22, 3),
    ] {
        let (pages, levels) = found(&[full.clone(), flagged(width, height, 1)]);
        assert_eq!(pages, 1);
        assert_eq!(levels, [(1, 101, 67), (factor, width, height)]);
    }
    for (width, height) in [(52, 34), (50, 50), (101, 67), (50, 32)] {
        let (pages, levels) = found(&[full.clone(), flagged(width, height, 1)]);
        assert_eq!((pages, levels.len()), (1, 1), "{width}×{height}");
    }
}

#[test]
fn a_mask_and_a_page_of_several_are_no_levels() {
    let (pages, levels) = found(&[flagged(100, 60, 0), flagged(50, 30, 4), flagged(50, 30, 5)]);
    assert_eq!((pages, levels.len()), (1, 1));
    let (pages, levels) = found(&[flagged(100, 60, 2), flagged(50, 30, 2)]);
    assert_eq!((pages, levels.len()), (2, 1));
}

#[test]
fn directories_without_a_word_are_levels_only_as_one_decreasing_chain() {
    let plain = tiled_gray;
    let (pages, levels) = found(&[plain(100, 60), plain(50, 30), plain(25, 15)]);
    assert_eq!(pages, 1);
    assert_eq!(levels, [(1, 100, 60), (2, 50, 30), (4, 25, 15)]);
    for others in [
        vec![plain(100, 60)],
        vec![plain(50, 30), plain(100, 60)],
        vec![plain(25, 15), plain(50, 30)],
        vec![plain(50, 30), plain(50, 30)],
        vec![plain(50, 30), plain(30, 30)],
        vec![
            plain(50, 30),
            changed(plain(25, 15), &[shorts(tags::PHOTOMETRIC, &[0])]),
        ],
        vec![
            plain(50, 30),
            changed(plain(25, 15), &[shorts(tags::BITS_PER_SAMPLE, &[4])]),
        ],
        vec![plain(50, 30), flagged(25, 15, 2)],
    ] {
        let count = u32::try_from(others.len()).unwrap() + 1;
        let directories = [vec![plain(100, 60)], others].concat();
        let (pages, levels) = found(&directories);
        assert_eq!((pages, levels.len()), (count, 1));
    }
}

#[test]
fn the_old_subfile_tag_counts_too() {
    let old = |width, height, kind: u16| {
        changed(
            tiled_gray(width, height),
            &[shorts(tags::SUBFILE_TYPE, &[kind])],
        )
    };
    let (pages, levels) = found(&[old(100, 60, 1), old(50, 30, 2), old(25, 15, 3)]);
    assert_eq!(pages, 2);
    assert_eq!(levels, [(1, 100, 60), (2, 50, 30)]);
}

#[test]
fn a_level_that_cannot_be_read_is_left_out() {
    let odd = changed(flagged(50, 30, 1), &[shorts(tags::COMPRESSION, &[34887])]);
    let (pages, levels) = found(&[flagged(100, 60, 0), odd, flagged(25, 15, 1)]);
    assert_eq!(pages, 1);
    assert_eq!(levels, [(1, 100, 60), (4, 25, 15)]);
}

#[test]
fn each_page_has_its_own_levels() {
    let directories = [
        flagged(100, 60, 2),
        flagged(50, 30, 1),
        flagged(64, 64, 2),
        flagged(16, 16, 1),
    ];
    let bytes = several(&directories, &[0; 256]);
    let second = tiff::open(Arc::new(bytes), 2, &DecodeLimits::default()).unwrap();
    assert_eq!(second.facts().pages, 2);
    assert_eq!(levels(second.as_ref()), [(1, 64, 64), (4, 16, 16)]);
}

#[test]
fn levels_decode_from_their_own_directory() {
    let strip = |width, height, offset| {
        changed(
            gray(width, height),
            &[
                longs(tags::STRIP_OFFSETS, &[offset]),
                longs(tags::NEW_SUBFILE_TYPE, &[u32::from(offset > 8)]),
            ],
        )
    };
    let data = [10, 20, 30, 40, 77];
    let picture = picture(several(&[strip(2, 2, 8), strip(1, 1, 12)], &data)).unwrap();
    let level = decode(picture.as_ref(), 1, window(0, 0, 1, 1)).unwrap();
    assert_eq!(bytes(&level), [77]);
}

#[test]
fn loops_of_directories_are_refused() {
    let mut main = file(&[0; 256]);
    let offset = u32::try_from(main.len()).unwrap();
    append(&mut main, &gray(4, 4), offset);
    let error = picture(starting_at(main, offset)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);

    let mut sub = file(&[0; 256]);
    let offset = u32::try_from(sub.len()).unwrap();
    append(
        &mut sub,
        &changed(gray(4, 4), &[longs(tags::SUB_IFDS, &[offset])]),
        0,
    );
    let error = picture(starting_at(sub, offset)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);

    let mut twice = file(&[0; 256]);
    let level = append(&mut twice, &gray(2, 2), 0);
    let both = longs(tags::SUB_IFDS, &[level, level]);
    let offset = append(&mut twice, &changed(gray(4, 4), &[both]), 0);
    let error = picture(starting_at(twice, offset)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}
