//! The SIZ segment → the reference grid, its tiles and its components.
//!
//! All geometry of a code stream is here, one axis at a time: positions on the reference grid, and
//! the samples of a component at a reduction that a stretch of the grid holds.
//!
//! Source: ISO/IEC 15444-1 A.5.1 and annex B.

use crate::codec::DecodeLimits;
use crate::error::{Error, ErrorKind, Result};

use super::super::boxes::Precision;
use super::super::bytes::Bytes;

/// Most tiles of a code stream: Isot has 16 bits and its highest value is reserved (A.4.2).
const MAX_TILES: u64 = 65_535;

/// Most components of a code stream (Table A.9); which of them are channels is decided elsewhere.
const MAX_COMPONENTS: u16 = 16_384;

/// Most components of all tiles together: each has a geometry of its own.
const MAX_TILE_COMPONENTS: u64 = 1 << 20;

/// The bit of Rsiz that announces ISO/IEC 15444-2 (A.5.1).
const RSIZ_PART_2: u16 = 1 << 15;

/// Samples from `start` up to but without `end`, along one axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Span {
    pub(in super::super) start: u32,
    pub(in super::super) end: u32,
}

impl Span {
    pub(in super::super) const fn length(self) -> u32 {
        self.end.saturating_sub(self.start)
    }

    pub(in super::super) fn intersection(self, other: Self) -> Option<Self> {
        let both = Self {
            start: self.start.max(other.start),
            end: self.end.min(other.end),
        };
        (both.start < both.end).then_some(both)
    }

    /// The samples that a component with one sample every `step` grid points has on this stretch of
    /// the grid after `reduction` halvings (B-12, B-14). Empty spans come out with equal ends.
    pub(in super::super) fn sampled(self, step: u8, reduction: u8) -> Self {
        let one = |point: u32| point.div_ceil(u32::from(step));
        Self {
            start: halved(one(self.start), reduction),
            end: halved(one(self.end), reduction),
        }
    }
}

/// `value` / 2^`times`, rounded up.
pub(super) const fn halved(value: u32, times: u8) -> u32 {
    // At 32 halvings and more a value that is not 0 is less than one.
    if times > 31 {
        return if value == 0 { 0 } else { 1 };
    }
    value.div_ceil(1 << times)
}

/// One axis of the reference grid (B.2, B.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Axis {
    /// The image area: `XOsiz` to `Xsiz`.
    pub(in super::super) image: Span,
    /// `XTsiz`.
    pub(in super::super) tile: u32,
    /// `XTOsiz`.
    pub(in super::super) tile_origin: u32,
}

impl Axis {
    /// Checks what B.2 and B.3 demand of the numbers, and that they fit the signed words of decoders.
    fn new(end: u32, start: u32, tile: u32, tile_origin: u32) -> Result<Self> {
        if start >= end {
            return Err(Error::corrupt("its image area is empty"));
        }
        if i32::try_from(end).is_err() {
            return Err(too_large("sides"));
        }
        if tile == 0 {
            return Err(Error::corrupt("its tiles have no size"));
        }
        let first_tile_end = u64::from(tile_origin) + u64::from(tile);
        if tile_origin > start || first_tile_end <= u64::from(start) {
            return Err(Error::corrupt("its first tile holds nothing of the image"));
        }
        Ok(Self {
            image: Span { start, end },
            tile,
            tile_origin,
        })
    }

    /// How many tiles there are along this axis, at least 1 (B-5).
    pub(in super::super) const fn tiles(self) -> u32 {
        (self.image.end - self.tile_origin).div_ceil(self.tile)
    }

    /// The part of the image in the tile with this number (B-7 to B-10).
    pub(in super::super) fn tile_span(self, index: u32) -> Span {
        let start = u64::from(self.tile_origin) + u64::from(index) * u64::from(self.tile);
        let inside = |point: u64| {
            u32::try_from(point)
                .unwrap_or(u32::MAX)
                .clamp(self.image.start, self.image.end)
        };
        Span {
            start: inside(start),
            end: inside(start + u64::from(self.tile)),
        }
    }
}

/// One component (A.5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Component {
    pub(in super::super) precision: Precision,
    /// Grid points from one sample to the next: `XRsiz`, 1 to 255.
    pub(in super::super) step_x: u8,
    /// `YRsiz`, 1 to 255.
    pub(in super::super) step_y: u8,
}

/// The SIZ segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Size {
    pub(in super::super) x: Axis,
    pub(in super::super) y: Axis,
    /// 1 to 16,384.
    pub(in super::super) components: Vec<Component>,
}

impl Size {
    /// Parses the segment's contents, after its length.
    pub(super) fn parse(content: &[u8], limits: &DecodeLimits) -> Result<Self> {
        let mut content = Bytes::new(content);
        let capabilities = content.u16()?;
        let (x_end, y_end) = (content.u32()?, content.u32()?);
        let (x_start, y_start) = (content.u32()?, content.u32()?);
        let (tile_x, tile_y) = (content.u32()?, content.u32()?);
        let (origin_x, origin_y) = (content.u32()?, content.u32()?);
        let components = components(&mut content)?;
        if !content.is_empty() {
            return Err(Error::corrupt("its size segment has the wrong length"));
        }
        if capabilities & RSIZ_PART_2 != 0 {
            return Err(Error::unsupported("it uses extensions of JPEG 2000 part 2"));
        }
        let size = Self {
            x: Axis::new(x_end, x_start, tile_x, origin_x)?,
            y: Axis::new(y_end, y_start, tile_y, origin_y)?,
            components,
        };
        size.check(limits)?;
        Ok(size)
    }

    /// How many components there are, 1 to 16,384.
    pub(in super::super) fn component_count(&self) -> u16 {
        u16::try_from(self.components.len()).unwrap_or(MAX_COMPONENTS)
    }

    fn check(&self, limits: &DecodeLimits) -> Result<()> {
        for component in &self.components {
            let (x, y) = (
                self.x.image.sampled(component.step_x, 0),
                self.y.image.sampled(component.step_y, 0),
            );
            let (width, height) = (x.length(), y.length());
            if width == 0 || height == 0 {
                return Err(Error::corrupt("a component has no samples"));
            }
            if width.max(height) > limits.max_side_px {
                return Err(too_large("sides"));
            }
            if u64::from(width) * u64::from(height) > limits.max_area_px {
                return Err(too_large("area"));
            }
        }
        let tiles = u64::from(self.x.tiles()) * u64::from(self.y.tiles());
        if tiles > MAX_TILES {
            return Err(Error::corrupt("it has more tiles than can be numbered"));
        }
        if tiles > limits.max_tiles {
            return Err(too_large("number of tiles"));
        }
        if self.components.len() > 4 && tiles * self.components.len() as u64 > MAX_TILE_COMPONENTS {
            return Err(too_large("numbers of tiles and components"));
        }
        Ok(())
    }

    /// How many tiles there are, 1 to 65,535.
    pub(in super::super) const fn tiles(&self) -> u32 {
        self.x.tiles() * self.y.tiles()
    }

    /// The part of the image in a tile.
    pub(super) fn tile_spans(&self, tile: u32) -> (Span, Span) {
        let across = self.x.tiles();
        let (column, row) = (tile % across, tile / across);
        (self.x.tile_span(column), self.y.tile_span(row))
    }

    /// Whether a tile holds no sample of any component, as where their steps pass it over.
    pub(super) fn is_blank(&self, tile: u32) -> bool {
        let (across, down) = self.tile_spans(tile);
        self.components.iter().all(|component| {
            across.sampled(component.step_x, 0).length() == 0
                || down.sampled(component.step_y, 0).length() == 0
        })
    }
}

fn components(content: &mut Bytes<'_>) -> Result<Vec<Component>> {
    let count = content.u16()?;
    if count == 0 {
        return Err(Error::corrupt("it has no component"));
    }
    if count > MAX_COMPONENTS {
        return Err(Error::corrupt(
            "it has more components than can be numbered",
        ));
    }
    (0..count).map(|_| component(content)).collect()
}

fn component(content: &mut Bytes<'_>) -> Result<Component> {
    let precision = Precision::from_byte(content.u8()?);
    let (step_x, step_y) = (content.u8()?, content.u8()?);
    if step_x == 0 || step_y == 0 {
        return Err(Error::corrupt("a component has no sampling step"));
    }
    if precision.bits > 16 {
        return Err(Error::unsupported("it has more than 16 bits per sample"));
    }
    Ok(Component {
        precision,
        step_x,
        step_y,
    })
}

fn too_large(what: &str) -> Error {
    Error::new(
        ErrorKind::TooLarge,
        format!("the source image's {what} are beyond the limit"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_and_reductions_partition_an_image_with_offsets() {
        let axis = Axis::new(613, 37, 100, 11).expect("consistent");
        assert_eq!(axis.tiles(), 7);
        for reduction in 0..8 {
            for step in [1, 2, 3] {
                let whole = axis.image.sampled(step, reduction);
                let mut next = whole.start;
                for index in 0..axis.tiles() {
                    let span = axis.tile_span(index).sampled(step, reduction);
                    assert_eq!(span.start, next);
                    next = span.end;
                }
                assert_eq!(next, whole.end);
            }
        }
    }

    #[test]
    fn the_last_tile_ends_with_the_image_even_at_the_end_of_the_grid() {
        let end = i32::MAX.unsigned_abs();
        let axis = Axis::new(end, end - 5, u32::MAX, end - 9).expect("consistent");
        assert_eq!(axis.tiles(), 1);
        assert_eq!(
            axis.tile_span(0),
            Span {
                start: end - 5,
                end
            }
        );
    }
}
