//! Shaders, records and plans, without a device.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::shaders::Shaders;
use super::plan::{BATCH_WORDS, IMAGE_WORDS};
use super::{JpegImage, JpegPlan, Rates, finish, need, tables};
use crate::encoding::{JpegSettings, Subsampling};
use crate::geometry::Dimensions;
use crate::render::gpu::Fault;
use crate::render::jpeg::{Head, file};

/// A binding of WebGPU's default limits.
const BINDING: u64 = 128 << 20;

fn image(width: u32, height: u32, gray: bool, quality: u8) -> JpegImage {
    JpegImage {
        pixel_offset: 0,
        stride: width.div_ceil(4) * if gray { 1 } else { 3 },
        dimensions: Dimensions { width, height },
        gray,
        settings: JpegSettings {
            quality,
            ..JpegSettings::default()
        },
    }
}

fn parsed(text: &str) -> naga::Module {
    let module = naga::front::wgsl::parse_str(text).expect("it parses");
    let flags = naga::valid::ValidationFlags::all();
    naga::valid::Validator::new(flags, naga::valid::Capabilities::empty())
        .validate(&module)
        .expect("it is valid");
    module
}

/// Members of a struct with their first words.
fn members(module: &naga::Module, name: &str) -> Vec<(String, u32)> {
    let (_, found) = module
        .types
        .iter()
        .find(|(_, ty)| ty.name.as_deref() == Some(name))
        .expect("a struct of that name");
    let naga::TypeInner::Struct { members, .. } = &found.inner else {
        panic!("{name} is no struct");
    };
    members
        .iter()
        .map(|member| (member.name.clone().unwrap_or_default(), member.offset / 4))
        .collect()
}

#[test]
fn the_shaders_are_valid_and_their_entries_have_the_workgroups_of_the_plan() {
    let shaders = Shaders::new();
    let sizes = |text: &str| -> Vec<(String, [u32; 3])> {
        let entries = parsed(text).entry_points;
        entries
            .into_iter()
            .map(|entry| (entry.name, entry.workgroup_size))
            .collect()
    };
    let named = |name: &str, size| (name.to_owned(), [size, 1, 1]);
    assert_eq!(sizes(&shaders.jpeg_fdct), [named("fdct", 64)]);
    let huffman = [
        named("count", 64),
        named("scan", 256),
        named("place", 256),
        named("emit", 64),
    ];
    assert_eq!(sizes(&shaders.jpeg_huffman), huffman);
}

#[test]
fn records_lie_as_the_shaders_read_them() {
    let module = parsed(&Shaders::new().jpeg_fdct);
    let words = |names: &[&str]| -> Vec<(String, u32)> {
        (0..)
            .zip(names)
            .map(|(at, name)| ((*name).to_owned(), at))
            .collect()
    };
    let batch = words(&[
        "fdct_groups",
        "block_groups",
        "images_count",
        "capacity",
        "images",
    ]);
    assert_eq!(members(&module, "Batch"), batch);
    assert_eq!(batch.len(), BATCH_WORDS + 1);
    let record = words(&[
        "pixels",
        "stride",
        "width",
        "height",
        "across",
        "gray",
        "blocks",
        "first_block",
        "groups",
        "first_group",
        "quantisers",
    ]);
    assert_eq!(members(&module, "Image"), record);
    assert_eq!(record.len(), IMAGE_WORDS);
    let image = JpegImage {
        pixel_offset: 7,
        ..image(40, 20, false, 80)
    };
    let plan = JpegPlan::new(&[image, image], &Rates::default(), BINDING).unwrap();
    assert_eq!(plan.params[..4], [12, 2, 2, plan.capacity_words]);
    let quantisers = tables::quantisers_at(80);
    assert_eq!(
        plan.params[4..15],
        [7, 30, 40, 20, 3, 0, 36, 0, 1, 0, quantisers]
    );
    assert_eq!(
        plan.params[15..26],
        [7, 30, 40, 20, 3, 0, 36, 36, 1, 1, quantisers]
    );
    assert_eq!(plan.groups_at, 256);
    assert_eq!(plan.params[64..70], [0, 0, 0, 1, 0, 2]);
    assert_eq!(plan.params[88..], [0, 0, 1, 0]);
}

#[test]
fn tables_lie_where_the_shaders_look() {
    let (words, huffman) = (tables::words(), Shaders::new().jpeg_huffman);
    assert_eq!(words[..4], [0, 1, 8, 16]);
    for (name, at) in [
        ("DC_CODES", tables::DC_CODES),
        ("AC_CODES", tables::AC_CODES),
    ] {
        assert!(huffman.contains(&format!("const {name}: u32 = {at}u;")));
    }
    let at = |quality| tables::quantisers_at(quality) as usize;
    assert_eq!((words[at(50)], words[at(50) + 64]), (16, 17));
    assert_eq!(words[at(100)..], [1; 128]);
    assert_eq!(at(1), tables::QUANTISERS as usize);
}

#[test]
fn what_the_shaders_do_not_write_has_no_need() {
    let size = Dimensions {
        width: 16,
        height: 16,
    };
    let plain = JpegSettings::default();
    assert!(need(size, false, plain).is_some());
    let progressive = JpegSettings {
        progressive: true,
        ..plain
    };
    assert!(need(size, false, progressive).is_none());
    for subsampling in [Subsampling::S422, Subsampling::S444] {
        let finer = JpegSettings {
            subsampling,
            ..plain
        };
        assert!(need(size, false, finer).is_none());
        assert!(need(size, true, finer).is_some());
    }
    let huge = Dimensions {
        width: 65_535,
        height: 65_535,
    };
    assert!(need(huge, true, plain).is_none());
}

#[test]
fn a_batch_beyond_a_binding_has_no_plan() {
    let large = image(4096, 4096, false, 80);
    let rates = Rates::default();
    assert!(JpegPlan::new(&[large, large], &rates, BINDING).is_some());
    assert!(JpegPlan::new(&[large, large, large], &rates, BINDING).is_none());
}

#[test]
fn a_readback_is_cut_into_files_and_what_did_not_fit_is_overflow() {
    let images = [8, 16, 24].map(|side| image(side, side, true, 75));
    let rates = Rates::new(0);
    let plan = JpegPlan::new(&images, &rates, BINDING).unwrap();
    let room = plan.bits_bytes();
    let totals = [40, 33, u32::try_from(8 * room).unwrap()];
    let mut readback: Vec<u8> = totals.iter().flat_map(|bits| bits.to_le_bytes()).collect();
    readback.resize(usize::try_from(plan.readback_bytes()).unwrap(), 0x55);
    let files = finish(&plan, &readback, &rates);
    for (number, (image, bits)) in images[..2].iter().zip(totals).enumerate() {
        let head = Head {
            dimensions: image.dimensions,
            gray: true,
            quality: 75,
        };
        assert_eq!(files[number], Ok(file(head, &[0x55; 8], bits)));
    }
    assert_eq!(files[2], Err(Fault::Overflow));
    // What did not fit teaches, too.
    assert!(rates.guess(true, 75, 64 + 256 + 576) >= room);
    assert_eq!(finish(&plan, &[0; 8], &rates), vec![Err(Fault::Lost); 3]);
}

proptest! {
    #[test]
    fn every_unit_and_block_has_one_place_and_files_do_not_overlap(
        shapes in prop::collection::vec((1..200_u32, 1..200_u32, any::<bool>(), 1..=100_u8), 1..12),
    ) {
        let images: Vec<_> = shapes.iter().map(|&(w, h, gray, q)| image(w, h, gray, q)).collect();
        let plan = JpegPlan::new(&images, &Rates::default(), BINDING).unwrap();
        let records = &plan.params[BATCH_WORDS..][..IMAGE_WORDS * images.len()];
        let groups = &plan.params[usize::try_from(plan.groups_at / 4).unwrap()..];
        let (fdct, blocks) = groups.split_at(2 * plan.fdct_groups as usize);
        let (mut units_seen, mut blocks_seen) = (BTreeSet::new(), BTreeSet::new());
        for group in fdct.as_chunks::<2>().0 {
            prop_assert!(units_seen.insert(*group));
        }
        for group in blocks.as_chunks::<2>().0 {
            prop_assert!(blocks_seen.insert(*group));
        }
        let (mut next_block, mut next_group) = (0, 0);
        for ((number, image), record) in (0..).zip(&images).zip(records.as_chunks::<IMAGE_WORDS>().0) {
            let side = if image.gray { 8 } else { 16 };
            let Dimensions { width, height } = image.dimensions;
            let units = width.div_ceil(side) * height.div_ceil(side);
            let (all, step) = if image.gray { (units, 4) } else { (6 * units, 1) };
            prop_assert_eq!(&record[6..10], &[all, next_block, all.div_ceil(64), next_group]);
            prop_assert!((0..units).step_by(step).all(|first| units_seen.remove(&[number, first])));
            prop_assert!((0..all).step_by(64).all(|first| blocks_seen.remove(&[number, first])));
            next_block += all;
            next_group += all.div_ceil(64);
            let need = need(image.dimensions, image.gray, image.settings).unwrap();
            prop_assert_eq!(need.coef, 128 * u64::from(all));
        }
        prop_assert!(units_seen.is_empty() && blocks_seen.is_empty());
        prop_assert_eq!(plan.coef_bytes(), 128 * u64::from(next_block));
        prop_assert_eq!(plan.block_groups, next_group);
        prop_assert!(plan.readback_bytes().is_multiple_of(4));
    }
}
