//! What one submission carries: the passes of a batch, and the files that some of its jobs become.

use super::super::{Footprint, Keep, Source, Staged};
use super::Held;
use super::batch::{Batch, Wanted, Whence};
use super::footprint::{footprint, of_resident};
use super::jpeg::{JpegImage, JpegNeed, JpegPlan, Rates, need};
use super::pool::{FileNeeds, Needs};
use super::recipe::Recipe;
use super::weights::KnownWeights;
use crate::encoding::JpegSettings;
use crate::raster::Channels;
use crate::render::Target;

/// A job that is to be part of a load.
#[derive(Debug, Clone)]
pub(super) struct Passenger {
    /// Its passes.
    pub(super) recipe: Recipe,
    /// The file that it becomes, where the device makes it.
    pub(super) file: Option<JpegSettings>,
    /// Where its pixels come from.
    pub(super) whence: Whence,
}

impl Passenger {
    /// A job with these passes and this target.
    pub(super) fn new(recipe: Recipe, target: Target) -> Self {
        let file = match target {
            Target::Jpeg(settings) if file_need(&recipe, settings).is_some() => Some(settings),
            Target::Jpeg(_) | Target::Rows => None,
        };
        Self {
            recipe,
            file,
            whence: Whence::Host,
        }
    }

    /// The same with the pixels of `source`.
    pub(super) fn of(self, source: &Source) -> Self {
        let whence = match source {
            Source::Host(_) => Whence::Host,
            Source::Staged(staged) => Whence::Staged(staged.clone()),
            Source::Resident(mosaic) => Whence::Tiles(mosaic.clone()),
        };
        Self { whence, ..self }
    }

    /// What it takes of the device.
    pub(super) fn footprint(&self) -> Footprint {
        let all = footprint(&self.recipe, self.file_need());
        match &self.whence {
            Whence::Host | Whence::Staged(_) => all,
            Whence::Tiles(_) => of_resident(all, &self.recipe),
        }
    }

    /// What its file takes.
    fn file_need(&self) -> Option<JpegNeed> {
        file_need(&self.recipe, self.file?)
    }
}

/// What a file of a recipe's pixels takes; none where the device does not make it.
fn file_need(recipe: &Recipe, settings: JpegSettings) -> Option<JpegNeed> {
    let gray = match recipe.output.format.channels {
        Channels::Gray => true,
        Channels::Rgb => false,
        Channels::GrayAlpha | Channels::Rgba => return None,
    };
    need(recipe.output.dimensions, gray, settings)
}

/// A submission, planned.
#[derive(Debug)]
pub(super) struct Load {
    pub(super) batch: Batch,
    /// The files, where there are any.
    pub(super) files: Option<JpegPlan>,
    /// Which jobs become files, in the jobs' order.
    pub(super) is_file: Vec<bool>,
    /// Tiles that stay.
    pub(super) keeps: Vec<(Keep, Held)>,
    /// Where they and those of the windows are.
    pub(super) slab: Option<wgpu::Buffer>,
    /// Pixels in memory of their own, and their first word in the arena.
    pub(super) staged: Vec<(Staged, u32)>,
    /// The windows, whose tiles stay as long as the submission is under way.
    _jobs: Vec<Wanted>,
}

impl Load {
    /// The load of all `passengers`; none where no buffer of `most_bytes` holds it.
    pub(super) fn new(
        passengers: &[Passenger],
        weights: &mut KnownWeights,
        rates: &Rates,
        most_bytes: u64,
    ) -> Option<Self> {
        let wanted: Vec<Wanted> = passengers
            .iter()
            .map(|passenger| Wanted {
                recipe: passenger.recipe.clone(),
                whence: passenger.whence.clone(),
                down: passenger.file.is_none(),
            })
            .collect();
        let batch = Batch::new(&wanted, weights)?;
        let mut images = Vec::new();
        for (passenger, placed) in passengers.iter().zip(&batch.placed) {
            let Some(settings) = passenger.file else {
                continue;
            };
            images.push(JpegImage {
                pixel_offset: placed.result.offset,
                stride: placed.result.stride,
                dimensions: placed.result.dimensions,
                gray: placed.result.channels == 1,
                settings,
            });
        }
        let mut staged = Vec::new();
        for (job, placed) in wanted.iter().zip(&batch.placed) {
            if let Whence::Staged(memory) = &job.whence {
                staged.push((memory.clone(), placed.source.offset));
            }
        }
        let files = if images.is_empty() {
            None
        } else {
            Some(JpegPlan::new(&images, rates, most_bytes)?)
        };
        Some(Self {
            batch,
            files,
            is_file: passengers.iter().map(|p| p.file.is_some()).collect(),
            keeps: Vec::new(),
            slab: None,
            staged,
            _jobs: wanted,
        })
    }

    /// Bytes of the pixels that go back.
    pub(super) fn down_bytes(&self) -> u64 {
        4 * u64::from(self.batch.down_words)
    }

    /// Bytes of every buffer.
    pub(super) fn needs(&self) -> Needs {
        let params = 4 * self.batch.params.len() as u64;
        let files = self.files.as_ref();
        let file_needs = files.map_or_else(FileNeeds::default, |plan| FileNeeds {
            params: plan.params_bytes(),
            coef: plan.coef_bytes(),
            lens: plan.lens_bytes(),
            bits: plan.bits_bytes(),
        });
        Needs {
            up: params
                + file_needs.params
                + 4 * u64::from(self.batch.source_words)
                + self.keeps.iter().map(|(_, held)| held.bytes()).sum::<u64>(),
            params,
            arena: 4 * u64::from(self.batch.arena_words),
            down: self.down_bytes() + files.map_or(0, JpegPlan::readback_bytes),
            files: file_needs,
        }
    }
}
