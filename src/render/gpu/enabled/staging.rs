//! Pixels between rasters of the host and rows of words: written to mapped memory, read from it.

use super::super::{Job, Source};
use super::batch::Placed;
use super::load::Load;
use super::words::Picture;
use crate::raster::{Raster, Samples};

/// Writes a load's parameters and its jobs' pixels to the mapped buffer behind `view`.
pub(super) fn write(view: &mut wgpu::BufferViewMut, load: &Load, sources: &[&Job]) {
    let needs = load.needs();
    put(view, 0, bytemuck::cast_slice(&load.batch.params));
    if let Some(plan) = &load.files {
        put(view, needs.params, bytemuck::cast_slice(&plan.params));
    }
    let pixels = needs.params + needs.files.params;
    for (job, placed) in sources.iter().zip(&load.batch.placed) {
        if let Source::Host(raster) = &job.source {
            let at = pixels + 4 * u64::from(placed.source.offset - load.batch.down_words);
            put_picture(view, at, raster, placed.source.stride);
        }
    }
    let mut at = pixels + 4 * u64::from(load.batch.source_words);
    for (keep, held) in &load.keeps {
        put_picture(view, at, &keep.pixels, held.stride());
        at += held.bytes();
    }
}

/// The rows of a picture, `stride` words apart.
fn put_picture(view: &mut wgpu::BufferViewMut, at: u64, raster: &Raster, stride: u32) {
    let Samples::U8(samples) = raster.samples() else {
        return;
    };
    let (row, stride) = (raster.row_len(), 4 * u64::from(stride));
    if row as u64 == stride {
        put(view, at, samples);
        return;
    }
    for (index, row) in (0..).zip(samples.chunks_exact(row)) {
        put(view, at + index * stride, row);
    }
}

fn put(view: &mut wgpu::BufferViewMut, at: u64, bytes: &[u8]) {
    let at = usize::try_from(at).unwrap_or(usize::MAX);
    view.slice(at..at + bytes.len()).copy_from_slice(bytes);
}

/// The pixels of a result in what came back.
pub(super) fn read(down: &[u8], placed: &Placed) -> Option<Raster> {
    let Picture {
        offset,
        stride,
        dimensions,
        ..
    } = placed.result;
    let channels = placed.shape.format.channels;
    let row = dimensions.width as usize * channels.count();
    let stride = 4 * stride as usize;
    let start = 4 * offset as usize;
    let all = down.get(start..start + stride * dimensions.height as usize)?;
    let samples = if row == stride {
        all.to_vec()
    } else {
        let rows = all.chunks_exact(stride).map(|padded| &padded[..row]);
        rows.flatten().copied().collect()
    };
    Raster::from_u8(dimensions, channels, samples).ok()
}
