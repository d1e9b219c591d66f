//! A part of one tile → rows of its components' values.
//!
//! Components that a transform mixes come together, all others one by one. Rows are pulled from the top;
//! a component that is sampled more coarsely gives its row as often as pixels want it.

use std::sync::Arc;

use crate::cancel::Cancel;
use crate::codec::Crew;
use crate::error::{Error, Result};
use crate::reader::RangeReader;

use super::super::codestream::{Component, Span};
use super::super::packets::{Subband, TileComponent, TileIndex};
use super::super::wavelet::{Irreversible, Reach, Reversible, Synthesis};
use super::band::{Address, BandRows, Dequantise, Meaning, Tools, Workshop, fill_shared, kind};
use super::lines::{Finish, Range};

/// A rectangle on the reference grid at a reduction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Area {
    pub(in super::super) x: Span,
    pub(in super::super) y: Span,
    pub(in super::super) reduction: u8,
}

impl Area {
    /// What a component has of it, in its own samples.
    pub(in super::super) fn of(&self, component: Component) -> (Span, Span) {
        (
            self.x.sampled(component.step_x, self.reduction),
            self.y.sampled(component.step_y, self.reduction),
        )
    }
}

/// The rows of a part of one tile, on their way.
pub(in super::super) struct Part {
    index: Arc<TileIndex>,
    tools: Tools,
    groups: Vec<Group>,
}

/// A component's row of values.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Line<'a> {
    pub(in super::super) values: &'a [i32],
    /// Which samples of the component they are.
    pub(in super::super) x: Span,
}

impl Part {
    /// `area` of the tile, of the components with the numbers `wanted`; `sizes` are those of all.
    ///
    /// # Errors
    ///
    /// [`crate::error::ErrorKind::Corrupt`] when a transform mixes what does not go together.
    pub(in super::super) fn new(
        index: Arc<TileIndex>,
        sizes: &[Component],
        wanted: &[usize],
        area: Area,
    ) -> Result<Self> {
        let mixes = index.is_transformed();
        let mut groups = Vec::new();
        if mixes && wanted.iter().any(|number| *number < 3) {
            groups.push(Group::new(&index, sizes, &[0, 1, 2], area)?);
        }
        for number in wanted {
            let is_there = groups.iter().any(|group: &Group| group.has(*number));
            if !is_there {
                groups.push(Group::new(&index, sizes, &[*number], area)?);
            }
        }
        Ok(Self {
            index,
            tools: Tools::default(),
            groups,
        })
    }

    /// The rows of `component` that were pulled last.
    ///
    /// # Errors
    ///
    /// [`crate::error::ErrorKind::Internal`] for a component that was not wanted.
    pub(in super::super) fn line(&self, component: usize) -> Result<Line<'_>> {
        let group = self.groups.iter().find(|group| group.has(component));
        let line = group.and_then(|group| group.line(component));
        line.ok_or_else(|| Error::internal("finding a component"))
    }

    /// The stretch of rows that `component` has in all.
    pub(in super::super) fn rows_of(&self, component: usize) -> Option<Span> {
        let group = self.groups.iter().find(|group| group.has(component))?;
        Some(group.y)
    }

    /// Pulls rows of `component` until `row` has come.
    ///
    /// # Errors
    ///
    /// Those of the reader, of `cancel`, and of the block decoder.
    pub(in super::super) fn pull(
        &mut self,
        component: usize,
        row: u32,
        reader: &dyn RangeReader,
        cancel: &Cancel,
        crew: Option<&dyn Crew>,
    ) -> Result<()> {
        let group = self.groups.iter_mut().find(|group| group.has(component));
        let group = group.ok_or_else(|| Error::internal("finding a component"))?;
        let mut workshop = Workshop {
            reader,
            index: &self.index,
            cancel,
            crew,
            tools: &mut self.tools,
        };
        while group.next <= row {
            group.pull(&mut workshop)?;
        }
        Ok(())
    }
}

/// Components whose rows come together: one, or three that a transform mixes.
struct Group {
    components: Vec<usize>,
    x: Span,
    y: Span,
    /// The first row that has not come.
    next: u32,
    ranges: Vec<Range>,
    values: Vec<Vec<i32>>,
    sources: Sources,
}

/// What gives the rows of each component.
enum Sources {
    Integers(Vec<Synthesis<Reversible, BandRows<Reversible>>>),
    Numbers(Vec<Synthesis<Irreversible, BandRows<Irreversible>>>),
}

impl Group {
    fn new(
        index: &TileIndex,
        sizes: &[Component],
        components: &[usize],
        area: Area,
    ) -> Result<Self> {
        let missing = || Error::internal("finding a component");
        let size = |number: &usize| sizes.get(*number).ok_or_else(missing);
        let tile = |number: &usize| index.component(*number).ok_or_else(missing);
        let sizes = components.iter().map(size).collect::<Result<Vec<_>>>()?;
        let tiles = components.iter().map(tile).collect::<Result<Vec<_>>>()?;
        let (first, reversible) = (sizes.first().ok_or_else(missing)?, tiles.first());
        let reversible = reversible.ok_or_else(missing)?.reversible;
        let (x, y) = area.of(**first);
        let goes_together = sizes.iter().all(|size| area.of(**size) == (x, y))
            && tiles.iter().all(|tile| tile.reversible == reversible);
        if !goes_together {
            return Err(Error::corrupt("its component transform mixes what differs"));
        }
        let wanted = components.iter().copied().zip(tiles);
        let sources = if reversible {
            let synthesis =
                |(number, tile)| synthesis::<Reversible>(tile, number, (x, y), area.reduction);
            Sources::Integers(wanted.map(synthesis).collect::<Result<_>>()?)
        } else {
            let synthesis =
                |(number, tile)| synthesis::<Irreversible>(tile, number, (x, y), area.reduction);
            Sources::Numbers(wanted.map(synthesis).collect::<Result<_>>()?)
        };
        Ok(Self {
            components: components.to_vec(),
            x,
            y,
            next: y.start,
            ranges: sizes
                .iter()
                .map(|size| Range::new(size.precision))
                .collect(),
            values: vec![vec![0; x.length() as usize]; components.len()],
            sources,
        })
    }

    fn has(&self, component: usize) -> bool {
        self.components.contains(&component)
    }

    fn line(&self, component: usize) -> Option<Line<'_>> {
        let place = self
            .components
            .iter()
            .position(|number| *number == component)?;
        let values = self.values.get(place)?;
        Some(Line { values, x: self.x })
    }

    /// Has the next row of all components come.
    fn pull(&mut self, workshop: &mut Workshop<'_>) -> Result<()> {
        match &mut self.sources {
            Sources::Integers(sources) => pull(sources, workshop, &self.ranges, &mut self.values)?,
            Sources::Numbers(sources) => pull(sources, workshop, &self.ranges, &mut self.values)?,
        }
        self.next += 1;
        Ok(())
    }
}

fn pull<W: Finish + Dequantise>(
    sources: &mut [Synthesis<W, BandRows<W>>],
    workshop: &mut Workshop<'_>,
    ranges: &[Range],
    values: &mut [Vec<i32>],
) -> Result<()> {
    if let Some(crew) = workshop.crew {
        prepare(sources, workshop, crew)?;
    }
    match (sources, values, ranges) {
        ([source], [values], [range]) => {
            W::finish(values, source.next_row(workshop)?, *range);
            Ok(())
        }
        ([first, second, third], [r, g, b], &[red, green, blue]) => {
            let samples = [
                first.next_row(workshop)?,
                second.next_row(workshop)?,
                third.next_row(workshop)?,
            ];
            W::finish_mixed([r, g, b], samples, [red, green, blue]);
            Ok(())
        }
        _ => Err(Error::internal(
            "mixing a number of components that is not three",
        )),
    }
}

/// Where the next row needs blocks, has all bands decoded at once that have nothing left.
fn prepare<W: Dequantise>(
    sources: &mut [Synthesis<W, BandRows<W>>],
    workshop: &mut Workshop<'_>,
    crew: &dyn Crew,
) -> Result<()> {
    if !sources.iter().any(|source| source.lacks(BandRows::holds)) {
        return Ok(());
    }
    let bands = sources.iter_mut().flat_map(Synthesis::bands_mut);
    let mut bands: Vec<_> = bands.filter(|band| band.is_exhausted()).collect();
    fill_shared(&mut bands, workshop, crew)
}

/// The wavelet's tree over the bands of `tile` that `wanted` of its resolution takes.
fn synthesis<W: Dequantise>(
    tile: &TileComponent,
    component: usize,
    (mut x, mut y): (Span, Span),
    reduction: u8,
) -> Result<Synthesis<W, BandRows<W>>> {
    let count = tile.resolutions.len().saturating_sub(reduction.into());
    let resolutions = tile.resolutions.get(..count).unwrap_or_default();
    let mut reaches = Vec::with_capacity(count);
    for resolution in resolutions.iter().skip(1).rev() {
        let reach = (
            Reach::new::<W>(x, resolution.x),
            Reach::new::<W>(y, resolution.y),
        );
        (x, y) = (reach.0.low(), reach.1.low());
        reaches.push(reach);
    }
    let rows = |resolution: usize, band: usize, gain: f32, x: Span, y: Span| {
        let subband = resolutions.get(resolution).and_then(|r| r.bands.get(band));
        let subband = subband.ok_or_else(|| Error::internal("finding a band"))?;
        let address = Address {
            component,
            resolution,
            band,
        };
        Ok::<_, Error>(BandRows::new(address, meaning(tile, subband, gain), x, y))
    };
    let mut synthesis = Synthesis::<W, BandRows<W>>::new(rows(0, 0, 1.0, x, y)?);
    for (resolution, (x, y)) in (1..).zip(reaches.into_iter().rev()) {
        let [hl, lh, hh] = Synthesis::<W, BandRows<W>>::gains(x, y);
        let bands = [
            rows(resolution, 0, hl, x.high(), y.low())?,
            rows(resolution, 1, lh, x.low(), y.high())?,
            rows(resolution, 2, hh, x.high(), y.high())?,
        ];
        synthesis.add(x, y, bands);
    }
    Ok(synthesis)
}

/// Half a step, for coefficients come in halves, by the gain of the filter.
fn meaning(tile: &TileComponent, band: &Subband, gain: f32) -> Meaning {
    Meaning {
        band: kind(band.orientation),
        modes: tile.modes,
        damaged: tile.damaged,
        shift: tile.roi,
        factor: band.step * 0.5 * gain,
    }
}
