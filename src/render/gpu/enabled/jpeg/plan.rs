//! A batch of files → where everything lies in the buffers and how many workgroups run. Pure.

use std::ops::Range;

use crate::encoding::{JpegSettings, Subsampling};
use crate::geometry::Dimensions;
use crate::render::jpeg::Head;

use super::super::workgroups;
use super::rates::{BLOCK_BITS, Rates};
use super::tables::quantisers_at;

/// Bytes that the beginning of a binding is a multiple of, by WebGPU's default limits.
const ALIGNMENT: u64 = 256;
/// Words of a record: `Image` of shared/jpeg.wgsl.
pub(super) const IMAGE_WORDS: usize = 11;
/// Words before the records: `Batch` of shared/jpeg.wgsl.
pub(super) const BATCH_WORDS: usize = 4;
/// Blocks of a workgroup of `count` and `emit`.
const BLOCKS_PER_GROUP: u32 = 64;
/// Blocks of a gray image in a workgroup of `fdct`.
const GRAY_BLOCKS_PER_GROUP: u32 = 4;
/// Bytes that each file may have beyond what is guessed.
const SLACK_BYTES: u64 = 1024;

/// One file: the pixels that it is made from, and how.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct JpegImage {
    /// The first word of the pixels in their buffer.
    pub(in super::super) pixel_offset: u32,
    /// Words of a row: `ceil(width / 4)` for each byte of a pixel.
    pub(in super::super) stride: u32,
    /// Of the picture.
    pub(in super::super) dimensions: Dimensions,
    /// One byte a pixel instead of three.
    pub(in super::super) gray: bool,
    /// Of a kind that has a [`need`].
    pub(in super::super) settings: JpegSettings,
}

/// What one file takes of a batch's buffers, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct JpegNeed {
    /// Records and lists of workgroups, written by the host.
    pub(in super::super) params: u64,
    /// Coefficients.
    pub(in super::super) coef: u64,
    /// Lengths of blocks.
    pub(in super::super) lens: u64,
    /// Codes, of the longest file that is possible.
    pub(in super::super) bits: u64,
}

/// What a file takes, by its shape; none where the shaders do not write it.
pub(in super::super) fn need(
    dimensions: Dimensions,
    gray: bool,
    settings: JpegSettings,
) -> Option<JpegNeed> {
    let plain = !settings.progressive && (gray || settings.subsampling == Subsampling::S420);
    let within = dimensions.width.max(dimensions.height) <= workgroups::MOST;
    if !plain || !within || !(1..=100).contains(&settings.quality) {
        return None;
    }
    let grid = Grid::of(dimensions, gray)?;
    let groups = u64::from(grid.fdct_groups) + u64::from(grid.block_groups);
    Some(JpegNeed {
        params: 4 * IMAGE_WORDS as u64 + 8 * groups,
        coef: 128 * u64::from(grid.blocks),
        lens: 4 * (2 + u64::from(grid.block_groups) + u64::from(grid.blocks)),
        bits: 4 * grid.longest_words(),
    })
}

/// A picture in units of coding.
#[derive(Debug, Clone, Copy)]
struct Grid {
    across: u32,
    blocks: u32,
    fdct_groups: u32,
    block_groups: u32,
    /// Units or blocks of a workgroup of `fdct`.
    fdct_step: u32,
}

impl Grid {
    /// None where bits could not be counted in a word.
    fn of(dimensions: Dimensions, gray: bool) -> Option<Self> {
        let side = if gray { 8 } else { 16 };
        let across = dimensions.width.div_ceil(side);
        let units = u64::from(across) * u64::from(dimensions.height.div_ceil(side));
        let blocks = if gray { units } else { 6 * units };
        u32::try_from(blocks * BLOCK_BITS + 31).ok()?;
        let (units, blocks) = (u32::try_from(units).ok()?, u32::try_from(blocks).ok()?);
        let fdct_step = if gray { GRAY_BLOCKS_PER_GROUP } else { 1 };
        Some(Self {
            across,
            blocks,
            fdct_groups: units.div_ceil(fdct_step),
            block_groups: blocks.div_ceil(BLOCKS_PER_GROUP),
            fdct_step,
        })
    }

    fn longest_words(self) -> u64 {
        (u64::from(self.blocks) * BLOCK_BITS).div_ceil(32)
    }
}

/// Where a batch's files lie, and how many workgroups make them.
#[derive(Debug)]
pub(in super::super) struct JpegPlan {
    /// What the host writes into `params`.
    pub(in super::super) params: Vec<u32>,
    pub(super) heads: Vec<Head>,
    /// The first byte of the lists of workgroups in `params`.
    pub(super) groups_at: u64,
    pub(super) fdct_groups: u32,
    pub(super) block_groups: u32,
    blocks: u64,
    /// Words that all codes are given.
    pub(super) capacity_words: u32,
    /// Words of them that come back at once.
    read_words: u32,
}

impl JpegPlan {
    /// A plan for all `images`, each of which has a [`need`]; none where together they are more than
    /// words of 32 bits can count, or than a binding of `max_binding_bytes` holds.
    pub(in super::super) fn new(
        images: &[JpegImage],
        rates: &Rates,
        max_binding_bytes: u64,
    ) -> Option<Self> {
        let mut layout = Layout::default();
        for image in images {
            layout.add(image)?;
        }
        let mut room = Room::of(images, rates)?;
        room.capacity = room.capacity.min(max_binding_bytes / 4);
        let plan = layout.into_plan(images, room)?;
        let largest = [
            plan.params_bytes(),
            plan.coef_bytes(),
            plan.lens_bytes(),
            plan.bits_bytes(),
        ];
        (largest.into_iter().max()? <= max_binding_bytes).then_some(plan)
    }

    /// Bytes of `params`.
    pub(in super::super) fn params_bytes(&self) -> u64 {
        4 * self.params.len() as u64
    }

    /// Bytes of `coef`.
    pub(in super::super) fn coef_bytes(&self) -> u64 {
        128 * self.blocks
    }

    /// Bytes of `lens`.
    pub(in super::super) fn lens_bytes(&self) -> u64 {
        4 * (2 * self.heads.len() as u64 + u64::from(self.block_groups) + self.blocks)
    }

    /// Bytes of `bits`.
    pub(in super::super) fn bits_bytes(&self) -> u64 {
        4 * u64::from(self.capacity_words)
    }

    /// Bytes of `bits` that come back at once: those that are likely to be written.
    pub(in super::super) fn read_bytes(&self) -> u64 {
        4 * u64::from(self.read_words)
    }

    /// Bytes that come back: each file's number of bits, then as many of all codes as are likely.
    pub(in super::super) fn readback_bytes(&self) -> u64 {
        self.totals_bytes() + self.read_bytes()
    }

    /// Bytes of `bits` that were written and did not come back with `readback`; none where all did.
    pub(in super::super) fn rest(&self, readback: &[u8]) -> Option<Range<u64>> {
        let totals = readback.get(..4 * self.heads.len())?.as_chunks().0;
        let words = totals
            .iter()
            .map(|&bits| u64::from(u32::from_le_bytes(bits).div_ceil(32)));
        let written = (4 * words.sum::<u64>()).min(self.bits_bytes());
        (written > self.read_bytes()).then(|| self.read_bytes()..written)
    }

    pub(super) fn totals_bytes(&self) -> u64 {
        4 * self.heads.len() as u64
    }
}

/// Words for the codes of a batch.
#[derive(Debug, Clone, Copy)]
struct Room {
    /// Those that they are given.
    capacity: u64,
    /// Those that come back at once.
    read: u64,
}

impl Room {
    /// Four times what is likely on the device, where memory costs little; a third more than is likely
    /// on the way back, and half more of the largest.
    fn of(images: &[JpegImage], rates: &Rates) -> Option<Self> {
        let (mut likely, mut largest, mut longest) = (0, 0, 0);
        let slack = SLACK_BYTES * images.len() as u64;
        for image in images {
            let pixels = image.dimensions.area();
            let guess = rates.guess(image.gray, image.settings.quality, pixels);
            likely += guess;
            largest = guess.max(largest);
            longest += Grid::of(image.dimensions, image.gray)?.longest_words();
        }
        let capacity = (4 * likely + slack).div_ceil(4).min(longest);
        let read = likely + likely / 3 + largest / 2 + slack / 4;
        Some(Self {
            capacity,
            read: read.div_ceil(4).min(capacity),
        })
    }
}

/// Records and lists as they grow.
#[derive(Debug, Default)]
struct Layout {
    records: Vec<u32>,
    fdct: Vec<u32>,
    blocks: Vec<u32>,
    heads: Vec<Head>,
    block_count: u32,
}

impl Layout {
    fn add(&mut self, image: &JpegImage) -> Option<()> {
        let grid = Grid::of(image.dimensions, image.gray)?;
        let number = u32::try_from(self.heads.len()).ok()?;
        let first_group = u32::try_from(self.blocks.len() / 2).ok()?;
        let record: [u32; IMAGE_WORDS] = [
            image.pixel_offset,
            image.stride,
            image.dimensions.width,
            image.dimensions.height,
            grid.across,
            u32::from(image.gray),
            grid.blocks,
            self.block_count,
            grid.block_groups,
            first_group,
            quantisers_at(image.settings.quality),
        ];
        self.records.extend(record);
        for group in 0..grid.fdct_groups {
            self.fdct.extend([number, group * grid.fdct_step]);
        }
        for group in 0..grid.block_groups {
            self.blocks.extend([number, group * BLOCKS_PER_GROUP]);
        }
        self.block_count = self.block_count.checked_add(grid.blocks)?;
        self.heads.push(Head {
            dimensions: image.dimensions,
            gray: image.gray,
            quality: image.settings.quality,
        });
        Some(())
    }

    fn into_plan(self, images: &[JpegImage], room: Room) -> Option<JpegPlan> {
        let fdct_groups = u32::try_from(self.fdct.len() / 2).ok()?;
        let block_groups = u32::try_from(self.blocks.len() / 2).ok()?;
        let capacity_words = u32::try_from(room.capacity).ok()?;
        let read_words = u32::try_from(room.read.min(room.capacity)).ok()?;
        // Coefficients are 32 words a block, and words are counted in 32 bits.
        self.block_count.checked_mul(32)?;
        let count = u32::try_from(images.len()).ok()?;
        let head: [u32; BATCH_WORDS] = [fdct_groups, block_groups, count, capacity_words];
        let mut params = head.to_vec();
        params.extend(self.records);
        let groups_at = (4 * params.len() as u64).next_multiple_of(ALIGNMENT);
        params.resize(usize::try_from(groups_at / 4).ok()?, 0);
        params.extend(self.fdct);
        params.extend(self.blocks);
        Some(JpegPlan {
            params,
            heads: self.heads,
            groups_at,
            fdct_groups,
            block_groups,
            blocks: self.block_count.into(),
            capacity_words,
            read_words,
        })
    }
}
