//! A reader with a viewer: what it asks for, tile after tile.
//!
//! The reader opens an image, which loads the tiles that show it whole, then zooms in on a point, a level
//! at a time, and drags the picture about at each; a tile that this reader has is not asked for again.
//! Regions and sizes of tiles are those of a viewer that follows `info.json`.

use std::collections::BTreeSet;

use fastrand::Rng;

use super::collection::Image;
use super::question::Question;
use crate::geometry::{Dimensions, Region};

/// The part of the screen that the picture has.
const SCREEN: Dimensions = Dimensions {
    width: 1280,
    height: 800,
};

/// How often the reader drags the picture at one level, at most.
const DRAGS: usize = 3;

/// What the reader sees: a level, and the middle of the screen in pixels of the full image.
#[derive(Debug, Clone, Copy)]
struct View {
    factor: u32,
    x: u32,
    y: u32,
}

/// The tiles that one reader asks for while it looks at `image`, the `place`th of the collection.
pub(super) fn read(place: usize, image: &Image, last: &str, rng: &mut Rng) -> Vec<Question> {
    let mut seen = BTreeSet::new();
    let mut questions = Vec::new();
    let full = image.dimensions;
    let (x, y) = (rng.u32(0..full.width), rng.u32(0..full.height));
    for factor in zoom(image) {
        let mut view = View { factor, x, y };
        for _ in 0..=rng.usize(0..=DRAGS) {
            for tile in visible(image, view) {
                if seen.insert((factor, tile.x, tile.y)) {
                    questions.extend(ask(place, full, factor, tile, last));
                }
            }
            view = drag(view, full, rng);
        }
    }
    questions
}

/// The scale factors through which the reader zooms, coarsest first: from the one that shows the image
/// whole to full resolution.
fn zoom(image: &Image) -> Vec<u32> {
    let full = image.dimensions;
    let fits = |factor: u32| {
        full.width.div_ceil(factor) <= SCREEN.width && full.height.div_ceil(factor) <= SCREEN.height
    };
    let whole = image.factors.iter().copied().find(|factor| fits(*factor));
    let coarsest = whole.or(image.factors.last().copied()).unwrap_or(1);
    let mut factors: Vec<u32> = image.factors.clone();
    factors.retain(|factor| *factor <= coarsest);
    factors.reverse();
    factors
}

/// A drag by up to half a screen each way.
fn drag(view: View, full: Dimensions, rng: &mut Rng) -> View {
    let mut moved = |at: u32, screen: u32, side: u32| {
        let step = screen.saturating_mul(view.factor) / 2;
        let far = at.saturating_add(rng.u32(0..=step.saturating_mul(2)));
        far.saturating_sub(step).min(side - 1)
    };
    View {
        x: moved(view.x, SCREEN.width, full.width),
        y: moved(view.y, SCREEN.height, full.height),
        ..view
    }
}

/// The tiles of the level that lie on the screen, row by row.
fn visible(image: &Image, view: View) -> Vec<Region> {
    let full = image.dimensions;
    let cell = image.tile.saturating_mul(view.factor).max(1);
    let span = |at: u32, screen: u32, side: u32| {
        let half = screen.saturating_mul(view.factor) / 2;
        let first = at.saturating_sub(half) / cell;
        let last = at.saturating_add(half).min(side - 1) / cell;
        first..=last
    };
    let mut tiles = Vec::new();
    for row in span(view.y, SCREEN.height, full.height) {
        for column in span(view.x, SCREEN.width, full.width) {
            let (x, y) = (column * cell, row * cell);
            tiles.push(Region {
                x,
                y,
                width: cell.min(full.width - x),
                height: cell.min(full.height - y),
            });
        }
    }
    tiles
}

/// Source: Image API 3.0 section 5.4, the size of a tile of a level.
fn ask(place: usize, full: Dimensions, factor: u32, tile: Region, last: &str) -> Option<Question> {
    let region = format!("{},{},{},{}", tile.x, tile.y, tile.width, tile.height);
    let size = format!(
        "{},{}",
        tile.width.div_ceil(factor),
        tile.height.div_ceil(factor)
    );
    Question::picture(place, full, [&region, &size, "0", last], true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iiif::Version;

    fn image(width: u32, height: u32) -> Image {
        Image::plain("i", Dimensions::new(width, height).expect("not empty"))
    }

    #[test]
    fn a_reader_goes_from_the_whole_picture_to_its_pixels() {
        let image = image(6000, 4000);
        let questions = read(0, &image, "default.jpg", &mut Rng::with_seed(1));
        let first = questions.first().expect("tiles");
        // 750 × 500 pixels fill the screen best; the first of two tiles across, one down.
        assert_eq!(
            first.spelt(Version::V3),
            "0,0,4096,4000/512,500/0/default.jpg"
        );
        let factors = zoom(&image);
        assert_eq!(factors, [8, 4, 2, 1]);
        let last = questions.last().expect("tiles").spelt(Version::V3);
        assert!(last.contains("/max/"), "full resolution: {last}");
        let distinct: BTreeSet<_> = questions.iter().map(|q| q.spelt(Version::V3)).collect();
        assert_eq!(distinct.len(), questions.len());
    }

    #[test]
    fn tiles_lie_in_the_grid_and_in_the_image() {
        let image = image(2501, 1667);
        for seed in 0..50 {
            let mut rng = Rng::with_seed(seed);
            let view = View {
                factor: 2,
                x: rng.u32(0..2501),
                y: rng.u32(0..1667),
            };
            let tiles = visible(&image, view);
            assert!(!tiles.is_empty());
            for tile in tiles {
                assert_eq!((tile.x % 1024, tile.y % 1024), (0, 0));
                assert!(tile.right() <= 2501 && tile.bottom() <= 1667);
            }
        }
    }

    #[test]
    fn equal_seeds_read_alike() {
        let image = image(6000, 4000);
        let run = |seed| read(0, &image, "default.jpg", &mut Rng::with_seed(seed));
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
    }
}
