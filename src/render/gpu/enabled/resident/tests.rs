//! Who comes in, who stays, who leaves.

use super::*;
use crate::geometry::Dimensions;
use crate::raster::{Channels, PixelFormat, Raster};

const CELL: Dimensions = Dimensions {
    width: 64,
    height: 64,
};

fn name(column: u32) -> TileName {
    TileName {
        master: [7; 32],
        factor: 1,
        cell: CELL,
        column,
        row: 0,
    }
}

fn keep(column: u32, worth: u32) -> Keep {
    let samples = vec![0; 64 * 64 * 4];
    let pixels = Raster::from_u8(CELL, Channels::Rgba, samples).expect("a tile");
    Keep {
        name: name(column),
        pixels: Arc::new(pixels),
        worth,
    }
}

/// Tiles with room for `count` of those above.
fn tiles(count: u32) -> Tiles {
    let tiles = Tiles::default();
    tiles.open(count * 4096);
    tiles
}

fn put(tiles: &Tiles, column: u32, worth: u32) -> bool {
    let keep = keep(column, worth);
    let reserved = tiles.reserve(&keep);
    let found = reserved.is_some();
    if let Some(held) = reserved {
        tiles.commit(&keep, held);
    }
    found
}

#[test]
fn a_tile_comes_in_when_it_is_wanted_again() {
    let tiles = tiles(2);
    assert!(!tiles.wants(&[name(1)]));
    assert_eq!(tiles.want(&[name(1), name(2)]), [false, false]);
    assert!(tiles.wants(&[name(3), name(1)]));
    assert_eq!(tiles.want(&[name(1), name(3)]), [true, false]);
    assert!(put(&tiles, 1, 1));
    assert_eq!(tiles.want(&[name(1)]), [false], "it is there");
    for other in 10..10_000 {
        assert_eq!(tiles.want(&[name(other)]), [false]);
    }
    assert_eq!(tiles.want(&[name(10)]), [false], "that was long ago");
}

#[test]
fn all_tiles_of_a_window_are_held_or_none() {
    let tiles = tiles(4);
    put(&tiles, 1, 1);
    put(&tiles, 2, 1);
    assert_eq!(
        tiles.held(&[name(1), name(2)]).map(|held| held.len()),
        Some(2)
    );
    assert!(tiles.held(&[name(1), name(3)]).is_none());
    assert!(tiles.held(&[]).is_none());
    assert!(tiles.has(&[name(2)]) && !tiles.has(&[name(3)]));
}

#[test]
fn the_cheapest_for_its_use_leaves() {
    let tiles = tiles(3);
    put(&tiles, 1, 9);
    put(&tiles, 2, 1);
    put(&tiles, 3, 2);
    let used = tiles.held(&[name(2)]);
    drop(tiles.held(&[name(2)]));
    drop(used);
    // One use of 9, three of 1, one of 2.
    assert!(put(&tiles, 4, 5));
    assert!(!tiles.has(&[name(3)]));
    assert!(put(&tiles, 5, 5));
    assert!(!tiles.has(&[name(2)]));
    assert!(tiles.has(&[name(1), name(4), name(5)]));
}

#[test]
fn what_is_held_stays() {
    let tiles = tiles(2);
    put(&tiles, 1, 1);
    put(&tiles, 2, 1);
    let held = tiles.held(&[name(1), name(2)]).expect("both");
    assert!(!put(&tiles, 3, 100), "nothing may leave");
    drop(held);
    assert!(put(&tiles, 3, 100));
}

#[test]
fn what_never_came_gives_its_room_back() {
    let tiles = tiles(1);
    let first = tiles.reserve(&keep(1, 1)).expect("room");
    assert!(tiles.reserve(&keep(2, 1)).is_none());
    tiles.abandon(&first);
    assert!(put(&tiles, 2, 1));
}

fn window(tiles: Vec<Held>, left: u32, width: u32, channels: Channels) -> Mosaic {
    Mosaic {
        shape: Shape {
            dimensions: Dimensions { width, height: 10 },
            format: PixelFormat::eight(channels),
        },
        cell: CELL,
        left,
        top: 3,
        tiles,
    }
}

#[test]
fn a_window_is_whole_only_in_its_own_slab_and_grid() {
    let tiles = tiles(2);
    put(&tiles, 1, 1);
    put(&tiles, 2, 1);
    let both = tiles.held(&[name(1), name(2)]).expect("both");
    let rgba = Channels::Rgba;
    assert!(tiles.has_whole(&window(both.clone(), 60, 68, rgba)));
    assert!(
        !tiles.has_whole(&window(both.clone(), 60, 69, rgba)),
        "a third tile"
    );
    assert!(
        !tiles.has_whole(&window(both.clone(), 64, 20, rgba)),
        "outside"
    );
    assert!(!tiles.has_whole(&window(both.clone(), 60, 68, Channels::Rgb)));
    tiles.open(4096);
    assert!(
        !tiles.has_whole(&window(both, 60, 68, rgba)),
        "another slab"
    );
}
