//! A tile → its components, resolutions, bands, precincts and code-blocks, as rectangles.
//!
//! Nothing is kept per block: rectangles follow from the numbers of a band.
//!
//! Source: ISO/IEC 15444-1 B.5 to B.7, B.9, E.1.

use crate::codec::Damaged;
use crate::error::{Error, Result};

use super::super::codestream::{Codestream, Span, Step, Style};

/// Which of the four bands of a decomposition (B.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Orientation {
    /// Low-pass in both directions.
    Ll,
    /// High-pass across, low-pass down.
    Hl,
    /// Low-pass across, high-pass down.
    Lh,
    /// High-pass in both directions.
    Hh,
}

impl Orientation {
    /// Whether columns are high-pass, as 0 or 1: xob of Table B.1.
    const fn x(self) -> u8 {
        matches!(self, Self::Hl | Self::Hh) as u8
    }

    /// The same for rows: yob.
    const fn y(self) -> u8 {
        matches!(self, Self::Lh | Self::Hh) as u8
    }

    /// log2 of the band's gain (Table E.1).
    const fn gain(self) -> u8 {
        self.x() + self.y()
    }
}

/// One component of a tile.
#[derive(Debug, Clone)]
pub(in super::super) struct TileComponent {
    /// 5/3 integers, or 9/7 numbers.
    pub(in super::super) reversible: bool,
    /// What becomes of code-blocks that are damaged.
    pub(in super::super) damaged: Damaged,
    /// The code-block style (Table A.19).
    pub(in super::super) modes: u8,
    /// Bits by which the region of interest is shifted up.
    pub(in super::super) roi: u8,
    /// From the smallest on.
    pub(in super::super) resolutions: Vec<Resolution>,
}

/// One resolution of a tile's component.
#[derive(Debug, Clone)]
pub(in super::super) struct Resolution {
    pub(in super::super) x: Span,
    pub(in super::super) y: Span,
    /// LL of the smallest; HL, LH and HH of all others.
    pub(in super::super) bands: Vec<Subband>,
    pub(super) precincts: Grid,
}

/// One band of a resolution.
#[derive(Debug, Clone)]
pub(in super::super) struct Subband {
    pub(in super::super) orientation: Orientation,
    pub(in super::super) x: Span,
    pub(in super::super) y: Span,
    /// Magnitude bit-planes, those of the region of interest included (E-2, H.1).
    pub(in super::super) planes: u8,
    /// Δb (E-3); 1 for reversible components.
    pub(in super::super) step: f32,
    /// Its place: component, resolution, and among the bands of that.
    pub(super) component: usize,
    pub(super) resolution: usize,
    pub(super) place: usize,
    /// The precincts of its resolution; exponents are those in the band.
    pub(super) precincts: Grid,
    /// Exponents of a code-block's sides.
    pub(in super::super) block: (u8, u8),
    pub(super) modes: u8,
}

/// Cells of a resolution or a band, anchored at 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Grid {
    /// The number of the first precinct among all of the tile.
    pub(super) first: u32,
    /// The first cell's place from 0, in cells.
    pub(super) origin: (u32, u32),
    /// How many cells there are.
    pub(super) across: u32,
    pub(super) down: u32,
    /// Exponents of a cell's sides.
    pub(super) exponents: (u8, u8),
}

/// A rectangle of code-blocks: those of one band in one precinct.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Cells {
    /// The first block's place from 0, in blocks.
    pub(super) x: u32,
    pub(super) y: u32,
    pub(super) across: u32,
    pub(super) down: u32,
}

impl Cells {
    pub(super) const fn count(self) -> usize {
        self.across as usize * self.down as usize
    }
}

impl Grid {
    pub(super) const fn count(&self) -> u64 {
        self.across as u64 * self.down as u64
    }

    /// The cells with these exponents that `x` × `y` touches (B-16).
    fn over(x: Span, y: Span, exponents: (u8, u8), first: u32) -> Self {
        let (columns, rows) = (touched(x, exponents.0), touched(y, exponents.1));
        let is_empty = columns.length() == 0 || rows.length() == 0;
        Self {
            first,
            origin: (columns.start, rows.start),
            across: if is_empty { 0 } else { columns.length() },
            down: if is_empty { 0 } else { rows.length() },
            exponents,
        }
    }

    /// The columns and rows of cells that `x` × `y` touches.
    pub(super) fn touched(&self, x: Span, y: Span) -> (Span, Span) {
        let inside = |span: Span, exponent: u8, origin: u32, count: u32| {
            let cells = touched(span, exponent);
            Span {
                start: cells.start.saturating_sub(origin).min(count),
                end: cells.end.saturating_sub(origin).min(count),
            }
        };
        (
            inside(x, self.exponents.0, self.origin.0, self.across),
            inside(y, self.exponents.1, self.origin.1, self.down),
        )
    }

    /// The stretches of a cell's columns and rows.
    fn cell(&self, column: u32, row: u32) -> (Span, Span) {
        let side = |place: u32, exponent: u8| {
            let start = u64::from(place) << exponent;
            Span {
                start: u32::try_from(start).unwrap_or(u32::MAX),
                end: u32::try_from(start + (1 << exponent)).unwrap_or(u32::MAX),
            }
        };
        (
            side(self.origin.0 + column, self.exponents.0),
            side(self.origin.1 + row, self.exponents.1),
        )
    }
}

/// The cells of side 2^`exponent`, anchored at 0, that `span` touches.
pub(super) fn touched(span: Span, exponent: u8) -> Span {
    if span.length() == 0 {
        return Span { start: 0, end: 0 };
    }
    Span {
        start: span.start >> exponent,
        end: ((span.end - 1) >> exponent) + 1,
    }
}

impl Subband {
    /// The code-blocks in the precinct at this place.
    pub(super) fn cells(&self, column: u32, row: u32) -> Cells {
        let (x, y) = self.precincts.cell(column, row);
        let none = Span { start: 0, end: 0 };
        let columns = touched(x.intersection(self.x).unwrap_or(none), self.block.0);
        let rows = touched(y.intersection(self.y).unwrap_or(none), self.block.1);
        let is_empty = columns.length() == 0 || rows.length() == 0;
        Cells {
            x: columns.start,
            y: rows.start,
            across: if is_empty { 0 } else { columns.length() },
            down: if is_empty { 0 } else { rows.length() },
        }
    }

    /// The rectangle of a code-block, by its place from 0.
    pub(super) fn block_spans(&self, column: u32, row: u32) -> (Span, Span) {
        let side = |place: u32, exponent: u8, band: Span| {
            let start = place << exponent;
            Span {
                start: start.max(band.start),
                end: start.saturating_add(1 << exponent).min(band.end),
            }
        };
        (
            side(column, self.block.0, self.x),
            side(row, self.block.1, self.y),
        )
    }
}

/// All components of a tile, and how many precincts they have together.
pub(super) fn components(stream: &Codestream, tile: u32) -> Result<(Vec<TileComponent>, u32)> {
    let mut precincts = 0;
    let components = (0..stream.size.component_count())
        .map(|number| component(stream, tile, number, &mut precincts))
        .collect::<Result<Vec<_>>>()?;
    Ok((components, precincts))
}

fn component(
    stream: &Codestream,
    tile: u32,
    number: u16,
    precincts: &mut u32,
) -> Result<TileComponent> {
    let coding = stream.coding_of(tile);
    let (x, y) = stream.tile_spans(tile);
    let component = stream.size.components.get(usize::from(number));
    let component = component.ok_or_else(|| Error::internal("finding a component"))?;
    let style = coding.style(number);
    let (x, y) = (
        x.sampled(component.step_x, 0),
        y.sampled(component.step_y, 0),
    );
    let quantisation = coding
        .quantisation(number)
        .ok_or_else(|| Error::internal("finding a quantisation"))?;
    let roi = coding.shift(number);
    let maker = Maker {
        number: usize::from(number),
        style,
        x,
        y,
        bits: component.precision.bits,
        roi,
    };
    let mut place = 0;
    let mut resolutions = Vec::with_capacity(usize::from(style.decompositions) + 1);
    for resolution in 0..=style.decompositions {
        let orientations: &[Orientation] = if resolution == 0 {
            &[Orientation::Ll]
        } else {
            &[Orientation::Hl, Orientation::Lh, Orientation::Hh]
        };
        let (mut made, level) = maker.resolution(resolution, *precincts);
        for orientation in orientations {
            let step = quantisation.step(place, level, style.decompositions)?;
            let at = made.bands.len();
            let band = maker.band(resolution, *orientation, step, (level, at), &made.precincts);
            made.bands.push(band);
            place += 1;
        }
        *precincts = u32::try_from(made.precincts.count())
            .ok()
            .and_then(|count| precincts.checked_add(count))
            .ok_or_else(|| Error::corrupt("a tile has more packets than bytes"))?;
        resolutions.push(made);
    }
    Ok(TileComponent {
        damaged: stream.damaged,
        reversible: style.reversible,
        modes: style.flags,
        roi,
        resolutions,
    })
}

/// What the bands of one component have in common.
struct Maker<'a> {
    number: usize,
    style: &'a Style,
    x: Span,
    y: Span,
    bits: u8,
    roi: u8,
}

impl Maker<'_> {
    /// A resolution without its bands, and the decompositions that these come from (B-14, B-15).
    fn resolution(&self, resolution: u8, first: u32) -> (Resolution, u8) {
        let halvings = self.style.decompositions - resolution;
        let (x, y) = (self.x.sampled(1, halvings), self.y.sampled(1, halvings));
        let exponents = self.style.precinct(resolution);
        let made = Resolution {
            x,
            y,
            bands: Vec::with_capacity(3),
            precincts: Grid::over(x, y, exponents, first),
        };
        (
            made,
            if resolution == 0 {
                halvings
            } else {
                halvings + 1
            },
        )
    }

    fn band(
        &self,
        resolution: u8,
        orientation: Orientation,
        step: Step,
        (level, place): (u8, usize),
        precincts: &Grid,
    ) -> Subband {
        let shift = u8::from(resolution > 0);
        let half = |exponent: u8| exponent.saturating_sub(shift);
        let exponents = (half(precincts.exponents.0), half(precincts.exponents.1));
        Subband {
            orientation,
            x: in_band(self.x, level, orientation.x()),
            y: in_band(self.y, level, orientation.y()),
            planes: step.planes.saturating_add(self.roi),
            step: if self.style.reversible {
                1.0
            } else {
                let range = self.bits + orientation.gain();
                step_size(step, range)
            },
            component: self.number,
            resolution: usize::from(resolution),
            place,
            precincts: Grid {
                exponents,
                ..*precincts
            },
            block: (
                self.style.block.0.min(exponents.0),
                self.style.block.1.min(exponents.1),
            ),
            modes: self.style.flags,
        }
    }
}

/// The stretch of a band after `level` decompositions of which the last is high-pass or not (B-15).
fn in_band(span: Span, level: u8, is_high: u8) -> Span {
    let offset = if is_high == 1 {
        1_u64 << (level - 1)
    } else {
        0
    };
    let one = |point: u32| {
        let point = u64::from(point).saturating_sub(offset);
        u32::try_from(point.div_ceil(1 << level)).unwrap_or(u32::MAX)
    };
    Span {
        start: one(span.start),
        end: one(span.end),
    }
}

/// Δb = 2^(Rb − εb) · (1 + μb / 2^11) (E-3).
fn step_size(step: Step, range: u8) -> f32 {
    let power = i32::from(range) - i32::from(step.exponent);
    (1.0 + f32::from(step.mantissa) / 2048.0) * 2.0_f32.powi(power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_partition_their_resolution() {
        for (start, end) in [(0, 17), (5, 6), (3, 100), (7, 7), (1, 2), (6, 7)] {
            let span = Span { start, end };
            for level in 1..6 {
                let whole = span.sampled(1, level - 1);
                let low = in_band(span, level, 0);
                let high = in_band(span, level, 1);
                assert_eq!(whole.length(), low.length() + high.length());
            }
        }
    }

    #[test]
    fn a_step_is_a_power_of_two_and_a_fraction() {
        let step = Step {
            exponent: 9,
            mantissa: 1024,
            planes: 0,
        };
        assert!((step_size(step, 8) - 0.75).abs() < 1e-9);
    }
}
