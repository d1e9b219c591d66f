//! Recipes of many jobs become one submission: where everything lies in the arena, one record a job and
//! kernel, one entry a workgroup. Pure: nothing here knows a device.
//!
//! The arena begins with the results that go back to the host, then come the sources that the host has,
//! so that either travels in one copy; staged sources, which have a copy each, and scratch follow.

mod kernels;
mod sections;
mod tables;

use std::ops::Range;

use super::super::{Mosaic, Staged};
use super::recipe::Recipe;
use super::records::{Across, Columns, Entry, Gathering, Halving, Rotation, Turned};
use super::weights::KnownWeights;
use super::words::{self, Picture};
use crate::raster::Shape;
pub(super) use kernels::scratch_words;
use sections::Sections;
use tables::Tables;

#[cfg(test)]
mod tests;

/// A pass on the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kernel {
    /// Windows of tiles that are on the device.
    Gather,
    /// Boxes of 2×2.
    Shrink,
    /// Rows weighed.
    Columns,
    /// Pixels of a row weighed, laid, flattened, toned.
    Across,
    /// Any angle.
    Rotate,
}

impl Kernel {
    /// The stage that it is, in metrics.
    pub(super) const fn stage(self) -> &'static str {
        match self {
            Self::Gather => "gather",
            Self::Shrink => "shrink",
            Self::Columns => "vertical",
            Self::Across => "horizontal",
            Self::Rotate => "rotate",
        }
    }

    /// Its name in reports: its entry in its shader.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Gather => "gather",
            Self::Shrink => "shrink",
            Self::Columns => "columns",
            Self::Across => "across",
            Self::Rotate => "rotate",
        }
    }
}

/// One kernel over all jobs that want it. Ranges are of words in [`Batch::params`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dispatch {
    /// The kernel.
    pub(super) kernel: Kernel,
    /// Its records.
    pub(super) records: Range<usize>,
    /// Its map.
    pub(super) map: Range<usize>,
    /// Entries of the map.
    pub(super) workgroups: u32,
}

/// A job's place in the arena.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Placed {
    /// Its pixels before all passes.
    pub(super) source: Picture,
    /// Its pixels as they leave.
    pub(super) result: Picture,
    /// What leaves.
    pub(super) shape: Shape,
}

/// Where a job's pixels come from.
#[derive(Debug, Clone)]
pub(super) enum Whence {
    /// The host, in one piece with those of other jobs.
    Host,
    /// Staging memory of their own.
    Staged(Staged),
    /// Tiles on the device.
    Tiles(Mosaic),
}

/// What a job wants of a batch.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    /// Its passes.
    pub(super) recipe: Recipe,
    /// Where its pixels come from.
    pub(super) whence: Whence,
    /// Whether its pixels go back to the host.
    pub(super) down: bool,
}

/// A submission, planned.
#[derive(Debug)]
pub(super) struct Batch {
    /// Records, maps and tables.
    pub(super) params: Vec<u32>,
    /// The tables' words in them.
    pub(super) tables: Range<usize>,
    /// In their order.
    pub(super) dispatches: Vec<Dispatch>,
    /// In the jobs' order.
    pub(super) placed: Vec<Placed>,
    /// Words at the arena's begin that go back to the host.
    pub(super) down_words: u32,
    /// Words of the arena behind those, which come from the host in one piece.
    pub(super) source_words: u32,
    /// Words of the arena altogether.
    pub(super) arena_words: u32,
}

impl Batch {
    /// The submission that does what is `wanted`; none where it leaves 32 bits of words.
    pub(super) fn new(wanted: &[Wanted], weights: &mut KnownWeights) -> Option<Self> {
        let mut arena = Arena::default();
        let mut results = vec![None; wanted.len()];
        for (result, job) in results.iter_mut().zip(wanted).filter(|(_, job)| job.down) {
            *result = Some(arena.picture_of(job.recipe.output)?);
        }
        let down_words = arena.end()?;
        let mut sources = Vec::with_capacity(wanted.len());
        for job in wanted {
            sources.push(match &job.whence {
                Whence::Host => Some(arena.picture_of(job.recipe.source)?),
                Whence::Staged(_) | Whence::Tiles(_) => None,
            });
        }
        let source_words = arena.end()? - down_words;
        let mut work = Work::new(arena, weights);
        let mut placed = Vec::with_capacity(wanted.len());
        for ((job, source), result) in wanted.iter().zip(sources).zip(results) {
            let shape = job.recipe.output;
            let result = match result {
                Some(result) => result,
                None => work.arena.picture_of(shape)?,
            };
            let source = match (source, &job.whence) {
                (Some(source), _) => source,
                (None, Whence::Tiles(mosaic)) => work.gather(mosaic)?,
                (None, _) => work.arena.picture_of(job.recipe.source)?,
            };
            work.add(&job.recipe, source, result)?;
            placed.push(Placed {
                source,
                result,
                shape,
            });
        }
        work.finish(placed, down_words, source_words)
    }
}

/// Words that are given out one behind another.
#[derive(Debug, Default)]
struct Arena {
    next: u64,
}

impl Arena {
    fn picture_of(&mut self, shape: Shape) -> Option<Picture> {
        self.picture(shape.dimensions, words::count(shape.format.channels))
    }

    fn picture(
        &mut self,
        dimensions: crate::geometry::Dimensions,
        channels: u32,
    ) -> Option<Picture> {
        let offset = u32::try_from(self.next).ok()?;
        self.next += words::words(dimensions, channels);
        Some(Picture {
            offset,
            stride: u32::try_from(words::stride(dimensions.width, channels)).ok()?,
            channels,
            dimensions,
        })
    }

    fn end(&self) -> Option<u32> {
        u32::try_from(self.next).ok()
    }
}

/// Records and maps as they grow, kernel by kernel.
struct Work<'a> {
    arena: Arena,
    tables: Tables<'a>,
    gathers: (Vec<Gathering>, Vec<Entry>),
    halvings: Vec<(Vec<Halving>, Vec<Entry>)>,
    columns: (Vec<Columns>, Vec<Entry>),
    across: (Vec<Across>, Vec<Entry>),
    rotations: (Vec<Rotation>, Vec<Turned>),
}

impl<'a> Work<'a> {
    fn new(arena: Arena, weights: &'a mut KnownWeights) -> Self {
        Self {
            arena,
            tables: Tables::new(weights),
            gathers: (Vec::new(), Vec::new()),
            halvings: Vec::new(),
            columns: (Vec::new(), Vec::new()),
            across: (Vec::new(), Vec::new()),
            rotations: (Vec::new(), Vec::new()),
        }
    }

    fn finish(self, placed: Vec<Placed>, down_words: u32, source_words: u32) -> Option<Batch> {
        let mut sections = Sections::default();
        sections.add(Kernel::Gather, &self.gathers.0, &self.gathers.1)?;
        for (records, map) in &self.halvings {
            sections.add(Kernel::Shrink, records, map)?;
        }
        sections.add(Kernel::Columns, &self.columns.0, &self.columns.1)?;
        sections.add(Kernel::Across, &self.across.0, &self.across.1)?;
        sections.add(Kernel::Rotate, &self.rotations.0, &self.rotations.1)?;
        let tables = sections.put(&self.tables.words());
        Some(Batch {
            arena_words: self.arena.end()?,
            tables,
            dispatches: sections.dispatches,
            params: sections.words,
            placed,
            down_words,
            source_words,
        })
    }
}
