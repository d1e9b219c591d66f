//! Mosaics against their tiles decoded one by one; tiles that do not fit together; damage.

use std::path::PathBuf;

use super::*;
use crate::codec::DecodeLimits;
use crate::codec::jpeg::testing::Seeded;
use crate::codec::jpeg::{TileColour, decode_tile, file};
use crate::codec::stored::Proof;
use crate::encoding::{JpegSettings, Subsampling};
use crate::raster::{Channels, Raster, Samples};

const TILE: Dimensions = Dimensions {
    width: 48,
    height: 32,
};

/// A tile of slopes and noise, gray enough for every mixture to be a colour.
fn tile(seed: u64, channels: Channels, subsampling: Subsampling) -> Vec<u8> {
    let mut seeded = Seeded(seed);
    let base = 60 + seeded.below(90);
    let count = TILE.width * TILE.height * u32::try_from(channels.count()).unwrap();
    let level = |at: u32| base + at / 80 + seeded.below(12);
    let samples = (0..count).map(level).map(|v| v.to_le_bytes()[0]).collect();
    let raster = Raster::from_u8(TILE, channels, samples).unwrap();
    let settings = JpegSettings {
        quality: 92,
        subsampling,
        progressive: false,
    };
    file(raster, settings).unwrap()
}

/// Tiles of one size, side by side.
struct Sheet {
    tiles: Vec<Vec<u8>>,
    across: u32,
    tile: Dimensions,
    colour: TileColour,
}

impl Sheet {
    fn new(channels: Channels, subsampling: Subsampling) -> Self {
        let colour = if channels.is_gray() {
            TileColour::Gray
        } else {
            TileColour::YCbCr
        };
        Self {
            tiles: (1..7)
                .map(|seed| tile(seed, channels, subsampling))
                .collect(),
            across: 3,
            tile: TILE,
            colour,
        }
    }

    /// The mosaic of `window` of the sheet, whose tiles stand behind each other in a file.
    fn compose(&self, window: Window, components: Components) -> Passage {
        let file = self.tiles.concat();
        let Dimensions { width, height } = self.tile;
        let columns = window.x / width..window.right().div_ceil(width);
        let rows = window.y / height..window.bottom().div_ceil(height);
        let stored = |at: u32| {
            let at = usize::try_from(at).unwrap();
            Stored {
                head: Bytes::from_static(&[0xff, 0xd8]),
                offset: self.tiles[..at].iter().map(|tile| tile.len() as u64).sum(),
                length: self.tiles[at].len() as u64,
                replaced: &[0xff, 0xd8],
                proof: Proof::Jpeg {
                    whole: self.tile,
                    shown: self.tile,
                    colour: self.colour,
                },
            }
        };
        let places = rows
            .clone()
            .flat_map(|row| columns.clone().map(move |column| (row, column)));
        let tiles = places.map(|(row, column)| stored(row * self.across + column));
        let within = Window {
            x: window.x - columns.start * width,
            y: window.y - rows.start * height,
            ..window
        };
        let mosaic = Mosaic::new(
            within,
            components,
            self.tile,
            columns.len(),
            tiles.collect(),
            Heads::default(),
        );
        let read = |offset: u64, buffer: &mut [u8]| {
            let start = usize::try_from(offset).unwrap();
            buffer.copy_from_slice(&file[start..start + buffer.len()]);
            Ok(true)
        };
        mosaic.compose(read, &Cancel::new()).unwrap()
    }

    /// Its pixels in `window`, decoded.
    fn decode(&self, window: Window, components: Components) -> Vec<u8> {
        let Passage::Bytes(stream) = self.compose(window, components) else {
            panic!("{window:?} is no answer");
        };
        let colour = match components {
            Components::All => self.colour,
            Components::Luma => TileColour::Gray,
        };
        pixels(&stream, colour, window.dimensions())
    }

    /// The same pixels, of tiles decoded one by one.
    fn expected(&self, window: Window, components: Components) -> Vec<u8> {
        let mut whole = Vec::new();
        let size = self.tile.window();
        for row in self.tiles.chunks(self.across as usize) {
            let tiles: Vec<_> = row
                .iter()
                .map(|tile| {
                    let alone = Self {
                        tiles: vec![tile.clone()],
                        across: 1,
                        ..*self
                    };
                    match components {
                        Components::All => pixels(tile, self.colour, self.tile),
                        Components::Luma => alone.decode(size, components),
                    }
                })
                .collect();
            let bytes = tiles[0].len() / self.tile.height as usize;
            for y in 0..self.tile.height as usize {
                whole.extend(
                    tiles
                        .iter()
                        .flat_map(|tile| &tile[y * bytes..(y + 1) * bytes]),
                );
            }
        }
        let width = (self.tile.width * self.across) as usize;
        let rows = self.tiles.len() / self.across as usize * self.tile.height as usize;
        let channels = whole.len() / (width * rows);
        let left = window.x as usize * channels;
        let lines = whole.chunks_exact(width * channels);
        let lines = lines.skip(window.y as usize).take(window.height as usize);
        lines
            .flat_map(|line| &line[left..left + window.width as usize * channels])
            .copied()
            .collect()
    }
}

fn pixels(stream: &[u8], colour: TileColour, dimensions: Dimensions) -> Vec<u8> {
    let limits = DecodeLimits::default();
    let raster = decode_tile(stream, colour, dimensions, &limits, &Cancel::new()).unwrap();
    match raster.into_samples() {
        Samples::U8(samples) => samples,
        Samples::U16(_) => panic!("16 bits from a JPEG"),
    }
}

/// Windows of a sheet of 144 × 64 pixels that begin on a grid of `unit`.
fn windows(unit: (u32, u32)) -> Vec<Window> {
    let mut seeded = Seeded(3);
    let mut windows = vec![
        Window {
            x: 0,
            y: 0,
            width: 144,
            height: 64,
        },
        Window {
            x: 48,
            y: 32,
            width: 48,
            height: 32,
        },
    ];
    for _ in 0..60 {
        let x = seeded.below(144 / unit.0) * unit.0;
        let y = seeded.below(64 / unit.1) * unit.1;
        windows.push(Window {
            x,
            y,
            width: 1 + seeded.below(144 - x),
            height: 1 + seeded.below(64 - y),
        });
    }
    windows
}

#[test]
fn a_mosaic_of_full_resolution_has_exactly_the_pixels_of_its_tiles() {
    for (channels, components) in [
        (Channels::Gray, Components::All),
        (Channels::Gray, Components::Luma),
        (Channels::Rgb, Components::All),
        (Channels::Rgb, Components::Luma),
    ] {
        let sheet = Sheet::new(channels, Subsampling::S444);
        for window in windows((8, 8)) {
            let got = sheet.decode(window, components);
            assert!(
                got == sheet.expected(window, components),
                "{channels:?} {components:?} {window:?}"
            );
        }
    }
}

#[test]
fn luma_of_subsampled_tiles_is_exact_and_chroma_differs_at_seams_alone() {
    for (subsampling, unit) in [(Subsampling::S420, (16, 16)), (Subsampling::S422, (16, 8))] {
        let sheet = Sheet::new(Channels::Rgb, subsampling);
        // Chroma of one or two columns is not smoothed at all.
        for window in windows(unit).into_iter().filter(|w| w.width > 4) {
            let luma = sheet.decode(window, Components::Luma);
            assert!(
                luma == sheet.expected(window, Components::Luma),
                "{window:?}"
            );
            let got = sheet.decode(window, Components::All);
            let expected = sheet.expected(window, Components::All);
            let edges = |at: u32, side: u32, end: u32| {
                at.is_multiple_of(side) || (at + 1).is_multiple_of(side) || at + 1 == end
            };
            let width = window.width as usize * 3;
            for (at, (a, b)) in got.iter().zip(&expected).enumerate() {
                let x = window.x + u32::try_from(at % width / 3).unwrap();
                let y = window.y + u32::try_from(at / width).unwrap();
                let seam = edges(x, TILE.width, window.right())
                    || (unit.1 == 16 && edges(y, TILE.height, window.bottom()))
                    || x == window.x
                    || y == window.y;
                let most = if seam { 24 } else { 0 };
                assert!(a.abs_diff(*b) <= most, "{window:?} {x} {y}: {a} {b}");
            }
        }
    }
}

#[test]
fn luma_is_the_gray_of_the_decoded_colours() {
    let sheet = Sheet::new(Channels::Rgb, Subsampling::S420);
    let window = windows((16, 16))[0];
    let luma = sheet.decode(window, Components::Luma);
    let colours = sheet.expected(window, Components::All);
    let (colours, _) = colours.as_chunks::<3>();
    for (luma, [r, g, b]) in luma.iter().zip(colours) {
        let gray = (19595 * u32::from(*r) + 38470 * u32::from(*g) + 7471 * u32::from(*b)) >> 16;
        assert!(
            gray.abs_diff(u32::from(*luma)) <= 2,
            "{luma} of {r} {g} {b}"
        );
    }
}

#[test]
fn restart_markers_of_tiles_stay_behind() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/jpeg");
    for (name, unit) in [("made-restart-444.jpg", 8), ("made-restart-420.jpg", 16)] {
        let file = std::fs::read(path.join(name)).unwrap();
        let outline = Outline::of(&file).unwrap();
        let sheet = Sheet {
            tiles: vec![file],
            across: 1,
            tile: outline.dimensions,
            colour: outline.colour,
        };
        let (right, bottom) = (outline.dimensions.width, outline.dimensions.height);
        for (x, y) in [(0, 0), (unit, 2 * unit), (3 * unit, unit)] {
            let window = Window {
                x,
                y,
                width: right - x,
                height: bottom - y,
            };
            let Passage::Bytes(stream) = sheet.compose(window, Components::All) else {
                panic!("{name} {window:?}");
            };
            assert!(
                !stream
                    .windows(2)
                    .any(|two| matches!(two, [0xff, 0xd0..=0xd7]))
            );
            let luma = sheet.decode(window, Components::Luma);
            assert!(
                luma == sheet.expected(window, Components::Luma),
                "{name} {window:?}"
            );
        }
    }
}

#[test]
fn what_does_not_begin_between_units_is_no_mosaic() {
    let sheet = Sheet::new(Channels::Rgb, Subsampling::S420);
    for (x, y) in [(8, 0), (0, 8), (1, 0), (0, 33)] {
        let window = Window {
            x,
            y,
            width: 40,
            height: 20,
        };
        let composed = sheet.compose(window, Components::All);
        assert!(matches!(composed, Passage::Unfit), "{window:?}");
    }
}

#[test]
fn tiles_with_other_tables_are_no_mosaic() {
    let mut sheet = Sheet::new(Channels::Rgb, Subsampling::S420);
    let other = Sheet::new(Channels::Rgb, Subsampling::S444);
    sheet.tiles[4] = other.tiles[4].clone();
    let whole = windows((16, 16))[0];
    assert!(matches!(
        sheet.compose(whole, Components::All),
        Passage::Unfit
    ));
    let above = Window {
        height: 32,
        ..whole
    };
    assert!(matches!(
        sheet.compose(above, Components::All),
        Passage::Bytes(_)
    ));
}

#[test]
fn damaged_tiles_are_no_mosaic_and_do_no_harm() {
    let whole = windows((16, 16))[0];
    let good = Sheet::new(Channels::Rgb, Subsampling::S420);
    let mut refused = 0;
    for seed in 0..300 {
        let mut seeded = Seeded(seed);
        let mut sheet = Sheet {
            tiles: good.tiles.clone(),
            ..good
        };
        let tile = &mut sheet.tiles[2];
        let length = u32::try_from(tile.len()).unwrap();
        let at = usize::try_from(seeded.below(length)).unwrap();
        if seed.is_multiple_of(2) {
            tile[at] ^= 1 << seeded.below(8);
        } else {
            let end = tile.len() - 2;
            tile.drain(at.min(end)..end);
        }
        for components in [Components::All, Components::Luma] {
            let composed = sheet.compose(whole, components);
            refused += u32::from(matches!(composed, Passage::Unfit));
        }
    }
    assert!(refused > 200, "{refused}");
}

#[test]
fn bytes_that_are_away_are_no_fault() {
    let sheet = Sheet::new(Channels::Gray, Subsampling::S444);
    let stored = Stored {
        head: Bytes::from_static(&[0xff, 0xd8]),
        offset: 0,
        length: sheet.tiles[0].len() as u64,
        replaced: &[0xff, 0xd8],
        proof: Proof::Given,
    };
    let mosaic = Mosaic::new(
        TILE.window(),
        Components::All,
        TILE,
        1,
        vec![stored],
        Heads::default(),
    );
    let composed = mosaic.compose(|_, _| Ok(false), &Cancel::new()).unwrap();
    assert!(matches!(composed, Passage::Away));
}
