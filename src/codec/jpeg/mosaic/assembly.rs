//! Streams of tiles that begin alike → the stream of a rectangle of them.
//!
//! Units are copied row by row of the rectangle. A run of units that are neighbours in their tile keeps
//! its bits; the first of it gets new differences from what now comes before it.

use bytes::Bytes;

use crate::cancel::Cancel;
use crate::error::Result;
use crate::geometry::Dimensions;

use super::super::coded::bits::{Place, Writer};
use super::super::coded::layout::{Layout, frame, segment};
use super::super::coded::walk::{Predictors, Walk};
use super::luma::Luma;
use super::{Components, Mosaic};

pub(super) const SOI: u8 = 0xd8;
const EOI: u8 = 0xd9;
pub(super) const SOS: u8 = 0xda;
/// Segments that say what components mean. Source: JFIF 1.02; Adobe Technical Note 5116, section 18.
const JFIF: u8 = 0xe0;
const ADOBE: u8 = 0xee;

/// Longest side of a JPEG.
const MOST_PX: u32 = u16::MAX as u32;

/// The stream of `mosaic`, whose tiles are `streams` and begin with `head`, which says `layout`; `None`
/// where they cannot be put together.
///
/// # Errors
///
/// Those of `cancel`.
pub(super) fn assemble(
    mosaic: &Mosaic,
    layout: &Layout,
    head: &[u8],
    streams: &[Bytes],
    cancel: &Cancel,
) -> Result<Option<Vec<u8>>> {
    let Some(cut) = Cut::of(mosaic, layout) else {
        return Ok(None);
    };
    let mut out = Writer::with_capacity(streams.iter().map(Bytes::len).sum());
    let mut seam = match mosaic.components {
        Components::All => {
            out.plain(&whole_head(layout, head, mosaic.window.dimensions()));
            Seam::All(Predictors::default())
        }
        Components::Luma => {
            let Some((luma, head)) = Luma::new(mosaic.window.dimensions(), layout) else {
                return Ok(None);
            };
            out.plain(&head);
            Seam::Luma(luma)
        }
    };
    for (nth, row) in (0..).zip(streams.chunks(mosaic.across)) {
        cancel.check()?;
        let mut walks: Vec<_> = row
            .iter()
            .map(|stream| Tile::new(layout, stream, head.len()))
            .collect();
        if cut
            .row_of_tiles(nth, &mut walks, &mut seam, &mut out)
            .is_none()
        {
            return Ok(None);
        }
    }
    out.align();
    out.plain(&[0xff, EOI]);
    Ok(Some(out.into_bytes()))
}

/// A stream that is being walked.
pub(super) struct Tile<'a> {
    pub(super) stream: &'a [u8],
    pub(super) walk: Walk<'a>,
}

impl<'a> Tile<'a> {
    fn new(layout: &'a Layout, stream: &'a [u8], coded_at: usize) -> Self {
        let start = Place {
            byte: coded_at,
            bit: 0,
        };
        Self {
            stream,
            walk: Walk::new(layout, stream, start, 0, Predictors::default()),
        }
    }

    fn pass(&mut self, units: u32) -> Option<()> {
        (0..units).try_for_each(|_| self.walk.pass())
    }
}

/// Units of the rectangle, counted from the corner of the first tile.
struct Cut {
    left: u32,
    right: u32,
    top: u32,
    bottom: u32,
    /// Units of a tile, across and down.
    tile: (u32, u32),
}

impl Cut {
    /// The units of `mosaic`; `None` where it does not begin between units, or tiles end within one.
    fn of(mosaic: &Mosaic, layout: &Layout) -> Option<Self> {
        let (window, (width, height)) = (mosaic.window, layout.unit);
        let begins = window.x.is_multiple_of(width) && window.y.is_multiple_of(height);
        let several = (
            window.right() > mosaic.tile.width,
            window.bottom() > mosaic.tile.height,
        );
        let whole = (!several.0 || mosaic.tile.width.is_multiple_of(width))
            && (!several.1 || mosaic.tile.height.is_multiple_of(height));
        let fits = window.width.max(window.height) <= MOST_PX;
        (begins && whole && fits).then(|| Self {
            left: window.x / width,
            right: window.right().div_ceil(width),
            top: window.y / height,
            bottom: window.bottom().div_ceil(height),
            tile: (layout.columns, layout.rows),
        })
    }

    /// Copies the units of a row of tiles, the `nth` from above.
    fn row_of_tiles(
        &self,
        nth: u32,
        tiles: &mut [Tile<'_>],
        seam: &mut Seam,
        out: &mut Writer,
    ) -> Option<()> {
        let (across, down) = self.tile;
        let above = nth * down;
        let end = self.bottom.saturating_sub(above).min(down);
        let begin = self.top.saturating_sub(above).min(end);
        for tile in &mut *tiles {
            tile.pass(begin * across)?;
        }
        for _ in begin..end {
            for (column, tile) in (0..).step_by(across as usize).zip(&mut *tiles) {
                let until = self.right.saturating_sub(column).min(across);
                let from = self.left.saturating_sub(column).min(until);
                tile.pass(from)?;
                seam.take(tile, until - from, out)?;
                tile.pass(across - until)?;
            }
            seam.end_row(tiles, out)?;
        }
        Some(())
    }
}

/// What units have to be joined to.
enum Seam {
    /// The DC values before them.
    All(Predictors),
    Luma(Luma),
}

impl Seam {
    /// Takes the next `units` of `tile`.
    fn take(&mut self, tile: &mut Tile<'_>, units: u32, out: &mut Writer) -> Option<()> {
        match self {
            Self::All(before) => copy(tile, units, before, out),
            Self::Luma(luma) => luma.take(&mut tile.walk, units),
        }
    }

    /// Ends a row of units.
    fn end_row(&mut self, tiles: &[Tile<'_>], out: &mut Writer) -> Option<()> {
        match self {
            Self::All(_) => Some(()),
            Self::Luma(luma) => luma.write_row(tiles, out),
        }
    }
}

/// Copies units, restart interval by restart interval of their tile.
fn copy(tile: &mut Tile<'_>, units: u32, before: &mut Predictors, out: &mut Writer) -> Option<()> {
    let Tile { stream, walk } = tile;
    let mut left = units;
    while left > 0 {
        let run = left.min(walk.until_restart());
        walk.copy(stream, *before, out)?;
        let from = walk.place();
        for _ in 1..run {
            walk.pass_bits()?;
        }
        out.copy(stream, from, walk.place())?;
        *before = walk.predictors();
        walk.restart()?;
        left -= run;
    }
    Some(())
}

/// What stands before the coded data, with the colours that `head` says.
fn whole_head(layout: &Layout, head: &[u8], dimensions: Dimensions) -> Vec<u8> {
    let mut new = vec![0xff, SOI];
    let mut rest = head.get(2..).unwrap_or_default();
    while let [0xff, marker, high, low, ..] = *rest {
        let length = 2 + usize::from(u16::from_be_bytes([high, low]));
        let (whole, further) = rest.split_at(length.min(rest.len()));
        if matches!(marker, JFIF | ADOBE) {
            new.extend(whole);
        }
        rest = further;
    }
    new.extend(&layout.tables);
    frame(layout.frame.0, &layout.frame.1, dimensions, &mut new);
    segment(&mut new, SOS, &layout.scan);
    new
}
