//! Where the pixels of a canvas lie in the picture that is turned into it.

use crate::geometry::Dimensions;
use crate::plan::Turn;

/// Pixels of a tile from left to right.
pub(in crate::render) const TILE_WIDTH: u32 = 32;
/// Pixels of a tile from top to bottom.
pub(in crate::render) const TILE_HEIGHT: u32 = 8;

/// A canvas over a picture.
#[derive(Debug, Clone, Copy)]
pub(in crate::render) struct Grid {
    source: Dimensions,
    canvas: Dimensions,
    sin: f64,
    cos: f64,
}

impl Grid {
    /// The canvas of `turn` over a picture of `source`.
    pub(in crate::render) fn new(source: Dimensions, turn: Turn) -> Self {
        let (sin, cos) = turn.sin_cos();
        Self {
            source,
            canvas: turn.canvas,
            sin,
            cos,
        }
    }

    /// Where the centre of a canvas pixel lies in the picture, from the centre of its first pixel, with
    /// 16 fractional bits.
    pub(in crate::render) fn position(&self, x: u32, y: u32) -> (i64, i64) {
        let from_middle = |at: u32, side: u32| f64::from(at) + 0.5 - f64::from(side) / 2.0;
        let dx = from_middle(x, self.canvas.width);
        let dy = from_middle(y, self.canvas.height);
        let middle = |side: u32| f64::from(side) / 2.0 - 0.5;
        let right = dx * self.cos + dy * self.sin + middle(self.source.width);
        let down = dy * self.cos - dx * self.sin + middle(self.source.height);
        (fixed(right), fixed(down))
    }

    /// From a pixel to the next in its row, rightwards and downwards in the picture. From a row to the
    /// next it is the second's negative, and the first.
    pub(in crate::render) fn steps(&self) -> (i64, i64) {
        (fixed(self.cos), -fixed(self.sin))
    }
}

/// The nearest number with 16 fractional bits, halves away from zero.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a position is below 2^34 pixels: two sides of u32"
)]
pub(super) fn fixed(value: f64) -> i64 {
    (value * 65536.0).round() as i64
}
