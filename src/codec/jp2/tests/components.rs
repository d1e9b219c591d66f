//! Every component of every fixture at every reduction, against OpenJPEG in this process.

use std::ffi::OsStr;
use std::fs;

use super::super::boxes::{Container, SIGNATURE};
use super::super::codestream::{Codestream, Component, Span};
use super::super::decode::{Area, Part};
use super::super::packets::TileIndex;
use super::openjpeg::{self, Plane};
use super::*;
use crate::cancel::Cancel;

/// The code stream of a file.
fn codestream(file: &Vec<u8>) -> Codestream {
    let limits = DecodeLimits::default();
    let container = if file.starts_with(&SIGNATURE) {
        Container::read(file, &limits).expect("good boxes")
    } else {
        Container::bare(file.len() as u64)
    };
    Codestream::read(file, container.codestream, &limits).expect("good headers")
}

/// All samples of the component with this number, tile by tile.
fn samples(file: &Vec<u8>, stream: &Codestream, number: usize, reduction: u8) -> Vec<i32> {
    let size = &stream.size;
    let component: Component = size.components[number];
    let whole = |span: Span, step: u8| span.sampled(step, reduction);
    let (all_x, all_y) = (
        whole(size.x.image, component.step_x),
        whole(size.y.image, component.step_y),
    );
    let width = all_x.length() as usize;
    let mut samples = vec![0; width * all_y.length() as usize];
    let cancel = Cancel::new();
    for tile in 0..size.tiles() {
        let (column, row) = (tile % size.x.tiles(), tile / size.x.tiles());
        let area = Area {
            x: size.x.tile_span(column),
            y: size.y.tile_span(row),
            reduction,
        };
        let (x, y) = area.of(component);
        let index = TileIndex::read(file, stream, tile, &cancel).expect("good packets");
        let part = Part::new(Arc::new(index), &size.components, &[number], area);
        let mut part = part.expect("what goes together");
        for y in y.start..y.end {
            part.pull(number, y, file, &cancel, None)
                .expect("good blocks");
            let line = part.line(number).expect("it is there");
            let start = (y - all_y.start) as usize * width + (x.start - all_x.start) as usize;
            samples[start..start + line.values.len()].copy_from_slice(line.values);
        }
    }
    samples
}

/// Most that samples may differ: not at all by the 5/3 filter, by one for numbers.
fn worst(stream: &Codestream, number: usize) -> i32 {
    let reversible = (0..stream.size.tiles()).all(|tile| {
        let number = u16::try_from(number).expect("small");
        stream.coding_of(tile).style(number).reversible
    });
    i32::from(!reversible)
}

/// Compares a file with OpenJPEG; gives how many planes were compared.
fn compare(name: &str, file: &Vec<u8>) -> usize {
    let stream = codestream(file);
    let bare = openjpeg::codestream(file).expect("a code stream");
    let mut compared = 0;
    for reduction in 0..=stream.reductions {
        // It refuses reductions at which a tile has no samples left.
        let Some(planes) = openjpeg::decode(bare, reduction.into(), None) else {
            assert!(reduction > 1, "{name} / {reduction}: refused");
            continue;
        };
        for (
            number,
            Plane {
                samples: expected, ..
            },
        ) in planes.iter().enumerate()
        {
            let got = samples(file, &stream, number, reduction);
            assert_eq!(got.len(), expected.len(), "{name} / {reduction}, {number}");
            let differ = got.iter().zip(expected).map(|(a, b)| (a - b).abs()).max();
            let worst = worst(&stream, number);
            assert!(
                differ <= Some(worst),
                "{name} / {reduction}, {number}: {differ:?}"
            );
            compared += 1;
        }
    }
    compared
}

#[test]
fn every_component_at_every_reduction_is_openjpegs_by_5_3_exactly_and_by_9_7_within_one() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/jp2");
    let (mut files, mut planes) = (0, 0);
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("an entry").path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .expect("a name");
        if ["ppm", "txt"]
            .map(OsStr::new)
            .map(Some)
            .contains(&path.extension())
        {
            continue;
        }
        planes += compare(name, &fixture(name));
        files += 1;
    }
    assert!(
        files >= 26 && planes > 800,
        "{files} files, {planes} planes"
    );
}
