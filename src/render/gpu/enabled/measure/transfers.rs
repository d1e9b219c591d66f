//! Bytes between host and device, each way.

use std::time::{Duration, Instant};

use wgpu::BufferUsages as Usage;

use super::{Bare, median};
use crate::render::gpu::{Fault, Measured};

const RUNS: usize = 9;

const SIZES_MIB: [u64; 2] = [1, 16];

pub(super) fn measure(bare: &Bare, measured: &mut Measured) -> Result<(), Fault> {
    for mib in SIZES_MIB {
        let bytes = mib << 20;
        let mut note = |name: &str, took: Duration| {
            let gigabytes = bytes as f64 / took.as_secs_f64() / 1e9;
            measured.note("transfer", format!("{mib} MiB {name}"), gigabytes, "GB/s");
        };
        let inside = Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST;
        let on_device = bare.buffer("on the device", bytes, inside);
        let up = bare.buffer("up", bytes, Usage::MAP_WRITE | Usage::COPY_SRC);
        let back = bare.buffer("back", bytes, Usage::MAP_READ | Usage::COPY_DST);
        let pixels = vec![7; usize::try_from(bytes).or(Err(Fault::Unfit))?];

        let mut written = Vec::new();
        let took = median(RUNS, || {
            let begun = Instant::now();
            let mut view = up.get_mapped_range_mut(..).or(Err(Fault::Lost))?;
            view.slice(..).copy_from_slice(&pixels);
            drop(view);
            written.push(begun.elapsed());
            up.unmap();
            let mut encoder = bare.encoder();
            encoder.copy_buffer_to_buffer(&up, 0, &on_device, 0, bytes);
            encoder.map_buffer_on_submit(&up, wgpu::MapMode::Write, .., |_| ());
            bare.run(encoder)
        })?;
        written.sort_unstable();
        note("into staging memory", written[written.len() / 2]);
        note("to the device, all", took);

        let mut last = Vec::new();
        let took = median(RUNS, || {
            let mut encoder = bare.encoder();
            encoder.copy_buffer_to_buffer(&on_device, 0, &back, 0, bytes);
            last = bare.read(encoder, &back, bytes)?;
            Ok(())
        })?;
        note("back to the host, all", took);
        if last != pixels {
            return Err(Fault::Lost);
        }
    }
    Ok(())
}
