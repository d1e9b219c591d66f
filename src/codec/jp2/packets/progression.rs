//! Progression orders and their changes → which packet comes after which.
//!
//! Source: ISO/IEC 15444-1 B.12.

use crate::error::{Error, Result};

use super::super::codestream::{Change, Codestream, Coding, Progression, Span};
use super::geometry::{Grid, Resolution, TileComponent};

/// Whether a visitor wants more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    More,
    Enough,
}

/// A precinct, by component, resolution and place in the resolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Precinct {
    pub(super) component: usize,
    pub(super) resolution: usize,
    pub(super) place: u32,
}

/// Visits packets in their order: each precinct's next layer, as far as it is below the given one.
pub(super) trait Visitor {
    /// The packet of this precinct and layer.
    fn packet(&mut self, precinct: Precinct, layer: u16) -> Result<Next>;

    /// Counts steps on the way, packets or not, so that nobody is kept busy for nothing.
    fn step(&mut self, count: u64) -> Result<()>;
}

/// What says in which order a tile's packets come, and how they are framed.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    /// Grid points from one sample to the next, of every component.
    steps: Vec<(u8, u8)>,
    x: Span,
    y: Span,
    changes: Vec<Change>,
    pub(super) layers: u16,
    /// Whether SOP segments may stand before packets.
    pub(super) has_starts: bool,
    /// Whether EPH markers stand behind the headers of packets.
    pub(super) has_ends: bool,
}

/// The order of a tile's packets.
#[derive(Debug)]
pub(super) struct Order<'a> {
    pub(super) components: &'a [TileComponent],
    pub(super) plan: &'a Plan,
}

/// The precincts of one component's resolution, and where on the reference grid they come.
#[derive(Debug)]
struct Lattice {
    component: usize,
    resolution: usize,
    x: Line,
    y: Line,
    column: u32,
    row: u32,
}

/// One axis of a lattice.
#[derive(Debug, Clone, Copy)]
struct Line {
    count: u32,
    first: u64,
    origin: u64,
    step: u64,
}

impl Line {
    /// Where the cell with this number comes (the conditions of B.12.1.3): at its multiple of the
    /// cell's side, and where the first one is cut by the tile's edge, there.
    fn position(&self, number: u32) -> Option<u64> {
        match number {
            0 => (self.count > 0).then_some(self.first),
            _ if number < self.count => Some((self.origin + u64::from(number)) * self.step),
            _ => None,
        }
    }
}

impl Plan {
    pub(super) fn new(stream: &Codestream, tile: u32) -> Self {
        let coding = stream.coding_of(tile);
        let (x, y) = stream.tile_spans(tile);
        let components = stream.size.components.iter();
        Self {
            steps: components
                .map(|component| (component.step_x, component.step_y))
                .collect(),
            x,
            y,
            changes: changes(coding),
            layers: coding.layers(),
            has_starts: coding.has_starts(),
            has_ends: coding.has_ends(),
        }
    }

    /// Whether a precinct may be met again after all its layers.
    pub(super) const fn is_changed(&self) -> bool {
        self.changes.len() > 1
    }
}

impl Order<'_> {
    pub(super) fn resolution(&self, precinct: Precinct) -> Result<&Resolution> {
        let component = self.components.get(precinct.component);
        let resolution = component.and_then(|c| c.resolutions.get(precinct.resolution));
        resolution.ok_or_else(|| Error::internal("finding a resolution"))
    }

    pub(super) fn visit(&self, visitor: &mut dyn Visitor) -> Result<Next> {
        for change in &self.plan.changes {
            let volume = Volume::new(self, change);
            let next = match change.progression {
                Progression::Lrcp => volume.by_layer(visitor),
                Progression::Rlcp => volume.by_resolution_and_layer(visitor),
                Progression::Rpcl => volume.by_resolution_and_position(visitor),
                Progression::Pcrl => volume.by_position(visitor),
                Progression::Cprl => volume.by_component(visitor),
            }?;
            if next == Next::Enough {
                return Ok(Next::Enough);
            }
        }
        Ok(Next::More)
    }
}

/// The tile's changes, or one that stands for the order of all.
fn changes(coding: &Coding) -> Vec<Change> {
    if coding.changes().is_empty() {
        return vec![Change {
            progression: coding.progression(),
            resolutions: (0, u8::MAX),
            components: (0, u16::MAX),
            layers: u16::MAX,
        }];
    }
    coding.changes().to_vec()
}

/// The packets of one change.
struct Volume<'a> {
    order: &'a Order<'a>,
    components: std::ops::Range<usize>,
    resolutions: std::ops::Range<usize>,
    layers: u16,
}

/// Goes on unless the visitor has had enough.
macro_rules! go {
    ($next:expr) => {
        if $next? == Next::Enough {
            return Ok(Next::Enough);
        }
    };
}

impl<'a> Volume<'a> {
    fn new(order: &'a Order<'a>, change: &Change) -> Self {
        let last = usize::from(change.components.1).min(order.components.len());
        let components = usize::from(change.components.0)..last;
        let most = order.components.get(components.clone()).unwrap_or(&[]);
        let most = most
            .iter()
            .map(|component| component.resolutions.len())
            .max();
        let most = most.unwrap_or(0).min(usize::from(change.resolutions.1));
        Self {
            order,
            components,
            resolutions: usize::from(change.resolutions.0)..most,
            layers: change.layers.min(order.plan.layers),
        }
    }

    fn grid(&self, component: usize, resolution: usize) -> Option<&Grid> {
        let component = self.order.components.get(component)?;
        let resolution = component.resolutions.get(resolution)?;
        Some(&resolution.precincts)
    }

    /// Packets of one layer, resolution and component.
    fn plane(&self, layer: u16, resolution: usize, visitor: &mut dyn Visitor) -> Result<Next> {
        for component in self.components.clone() {
            visitor.step(1)?;
            let Some(grid) = self.grid(component, resolution) else {
                continue;
            };
            let count = u32::try_from(grid.count()).unwrap_or(u32::MAX);
            for place in 0..count {
                let precinct = Precinct {
                    component,
                    resolution,
                    place,
                };
                go!(visitor.packet(precinct, layer));
            }
        }
        Ok(Next::More)
    }

    /// B.12.1.1.
    fn by_layer(&self, visitor: &mut dyn Visitor) -> Result<Next> {
        for layer in 0..self.layers {
            for resolution in self.resolutions.clone() {
                go!(self.plane(layer, resolution, visitor));
            }
        }
        Ok(Next::More)
    }

    /// B.12.1.2.
    fn by_resolution_and_layer(&self, visitor: &mut dyn Visitor) -> Result<Next> {
        for resolution in self.resolutions.clone() {
            for layer in 0..self.layers {
                go!(self.plane(layer, resolution, visitor));
            }
        }
        Ok(Next::More)
    }

    /// B.12.1.3.
    fn by_resolution_and_position(&self, visitor: &mut dyn Visitor) -> Result<Next> {
        for resolution in self.resolutions.clone() {
            let lattices = self.components.clone();
            let lattices = lattices.filter_map(|component| self.lattice(component, resolution));
            go!(self.along(lattices.collect(), visitor));
        }
        Ok(Next::More)
    }

    /// B.12.1.4.
    fn by_position(&self, visitor: &mut dyn Visitor) -> Result<Next> {
        let resolutions = || self.resolutions.clone();
        let lattices = self.components.clone().flat_map(|component| {
            resolutions().filter_map(move |resolution| self.lattice(component, resolution))
        });
        self.along(lattices.collect(), visitor)
    }

    /// B.12.1.5.
    fn by_component(&self, visitor: &mut dyn Visitor) -> Result<Next> {
        for component in self.components.clone() {
            let lattices = self.resolutions.clone();
            let lattices = lattices.filter_map(|resolution| self.lattice(component, resolution));
            go!(self.along(lattices.collect(), visitor));
        }
        Ok(Next::More)
    }

    fn lattice(&self, component: usize, resolution: usize) -> Option<Lattice> {
        let tile_component = self.order.components.get(component)?;
        let steps = self.order.plan.steps.get(component)?;
        let made = tile_component.resolutions.get(resolution)?;
        let grid = made.precincts;
        let halvings = tile_component.resolutions.len() - 1 - resolution;
        let line = |count: u32, origin: u32, exponent: u8, step: u8, start: Span, tile: Span| {
            let origin = u64::from(origin);
            let side = u64::from(step) << (usize::from(exponent) + halvings);
            let is_cut = u64::from(start.start) != origin << exponent;
            Line {
                count,
                first: if is_cut {
                    u64::from(tile.start)
                } else {
                    origin * side
                },
                origin,
                step: side,
            }
        };
        let (plan, exponents) = (self.order.plan, grid.exponents);
        (grid.count() > 0).then(|| Lattice {
            component,
            resolution,
            x: line(
                grid.across,
                grid.origin.0,
                exponents.0,
                steps.0,
                made.x,
                plan.x,
            ),
            y: line(
                grid.down,
                grid.origin.1,
                exponents.1,
                steps.1,
                made.y,
                plan.y,
            ),
            column: 0,
            row: 0,
        })
    }

    /// Packets by their precincts' positions, row after row; at one position in the order of `lattices`.
    fn along(&self, mut lattices: Vec<Lattice>, visitor: &mut dyn Visitor) -> Result<Next> {
        while let Some(y) = lattices.iter().filter_map(|l| l.y.position(l.row)).min() {
            visitor.step(lattices.len() as u64)?;
            let mut row: Vec<&mut Lattice> = lattices
                .iter_mut()
                .filter(|lattice| lattice.y.position(lattice.row) == Some(y))
                .collect();
            go!(self.along_row(&mut row, visitor));
            for lattice in row {
                lattice.row += 1;
                lattice.column = 0;
            }
        }
        Ok(Next::More)
    }

    fn along_row(&self, row: &mut [&mut Lattice], visitor: &mut dyn Visitor) -> Result<Next> {
        while let Some(x) = row.iter().filter_map(|l| l.x.position(l.column)).min() {
            visitor.step(row.len() as u64)?;
            for lattice in row.iter_mut() {
                if lattice.x.position(lattice.column) != Some(x) {
                    continue;
                }
                let place = u64::from(lattice.row) * u64::from(lattice.x.count);
                let place = u32::try_from(place + u64::from(lattice.column));
                let precinct = Precinct {
                    component: lattice.component,
                    resolution: lattice.resolution,
                    place: place.map_err(|cause| {
                        Error::internal("numbering precincts").with_source(cause)
                    })?,
                };
                lattice.column += 1;
                for layer in 0..self.layers {
                    go!(visitor.packet(precinct, layer));
                }
            }
        }
        Ok(Next::More)
    }
}
