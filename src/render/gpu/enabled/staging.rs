//! Pixels between rasters of the host and rows of words: written to mapped memory, read from it.

use super::super::Job;
use super::batch::{Batch, Placed};
use super::words::Picture;
use crate::raster::{Raster, Samples};

/// Writes a batch's parameters and its jobs' pixels to the mapped buffer behind `view`.
pub(super) fn write(view: &mut wgpu::BufferViewMut, batch: &Batch, sources: &[&Job]) {
    let params: &[u8] = bytemuck::cast_slice(&batch.params);
    view.slice(..params.len()).copy_from_slice(params);
    for (job, placed) in sources.iter().zip(&batch.placed) {
        let Samples::U8(samples) = job.source.samples() else {
            continue;
        };
        let at = params.len() + 4 * (placed.source.offset - batch.down_words) as usize;
        let row = job.source.row_len();
        let stride = 4 * placed.source.stride as usize;
        if row == stride {
            view.slice(at..at + samples.len()).copy_from_slice(samples);
            continue;
        }
        for (index, row) in samples.chunks_exact(row).enumerate() {
            let at = at + index * stride;
            view.slice(at..at + row.len()).copy_from_slice(row);
        }
    }
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
