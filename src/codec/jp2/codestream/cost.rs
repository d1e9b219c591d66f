//! What a tile's coding asks of a decoder besides pixels: packets to visit, precincts and
//! code-blocks to keep.
//!
//! A few bytes of header can ask for more precincts than there are atoms in a file, so both are
//! counted before a decoder reserves them.
//!
//! Source: ISO/IEC 15444-1 B.5 (resolutions), B.6 (precincts), B.7 (code-blocks), B.9 (packets).

use super::coding::Coding;
use super::size::{Size, Span, halved};
use super::style::Style;

/// Bytes that the walk over packets keeps for one precinct: its place in the index, and its state where
/// packets of others come between its own.
const PRECINCT_BYTES: u64 = 512;

/// Bytes that the walk keeps for one code-block: two tag trees' nodes, its state, its record.
const BLOCK_BYTES: u64 = 32;

/// What decoding a tile takes besides its pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in super::super) struct Structure {
    pub(in super::super) packets: u64,
    pub(in super::super) bytes: u64,
}

impl Structure {
    /// Of the tile that covers `x` × `y` of the reference grid.
    pub(super) fn of(size: &Size, coding: &Coding, x: Span, y: Span) -> Self {
        let (mut precincts, mut blocks) = (0_u64, 0_u64);
        for (number, component) in (0..).zip(&size.components) {
            let style = coding.style(number);
            let (x, y) = (
                x.sampled(component.step_x, 0),
                y.sampled(component.step_y, 0),
            );
            for resolution in 0..=style.decompositions {
                let (here, these) = resolution_counts(style, resolution, x, y);
                precincts = precincts.saturating_add(here);
                blocks = blocks.saturating_add(these);
            }
        }
        Self {
            packets: precincts.saturating_mul(u64::from(coding.layers())),
            bytes: precincts
                .saturating_mul(PRECINCT_BYTES)
                .saturating_add(blocks.saturating_mul(BLOCK_BYTES)),
        }
    }
}

/// Precincts and (at most) code-blocks of one resolution of a tile-component.
fn resolution_counts(style: &Style, resolution: u8, x: Span, y: Span) -> (u64, u64) {
    let halvings = style.decompositions - resolution;
    let reduced = |span: Span| Span {
        start: halved(span.start, halvings),
        end: halved(span.end, halvings),
    };
    let (x, y) = (reduced(x), reduced(y));
    if x.length() == 0 || y.length() == 0 {
        return (0, 0);
    }
    let (px, py) = style.precinct(resolution);
    let precincts = cells(x, px) * cells(y, py);
    // The bands of all but the smallest resolution have half its sides, and half its precincts'.
    let (bands, shift) = if resolution == 0 { (1, 0) } else { (3, 1) };
    let side = |block: u8, precinct: u8| block.min(precinct.saturating_sub(shift));
    let (bx, by) = (side(style.block.0, px), side(style.block.1, py));
    let in_band = |span: Span| Span {
        start: span.start >> shift,
        end: halved(span.end, shift),
    };
    let blocks = bands * (cells(in_band(x), bx) + 1) * (cells(in_band(y), by) + 1);
    (precincts, blocks)
}

/// Cells of side 2^`exponent`, anchored at 0, that `span` touches.
const fn cells(span: Span, exponent: u8) -> u64 {
    (span.end.div_ceil(1 << exponent) - (span.start >> exponent)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_anchored_at_the_origin() {
        let count = |start, end| cells(Span { start, end }, 4);
        assert_eq!(
            (count(0, 16), count(15, 17), count(16, 17), count(1, 48)),
            (1, 2, 1, 3)
        );
    }
}
