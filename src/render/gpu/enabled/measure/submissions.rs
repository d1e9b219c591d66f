//! What a submission costs by itself, and what workgroups add to it.

use wgpu::BufferUsages as Usage;

use super::stamps::Stamps;
use super::{Bare, median, us};
use crate::render::gpu::{Fault, Measured};

/// Runs behind a median.
const RUNS: usize = 41;

/// Dispatches of one workgroup, of enough for a small device, of enough for any.
const LADDER: [u32; 3] = [1, 64, 4096];

const IDLE: &str = include_str!("../../../../../shaders/shared/idle.wgsl");

pub(super) fn measure(bare: &Bare, measured: &mut Measured) -> Result<(), Fault> {
    let group = "submission";
    bare.run(bare.encoder())?;
    let empty = median(RUNS, || bare.run(bare.encoder()))?;
    measured.note(group, "empty, waited for", us(empty), "µs");
    let (from, to) = (
        bare.buffer("from", 4096, Usage::COPY_SRC),
        bare.buffer("to", 4096, Usage::MAP_READ | Usage::COPY_DST),
    );
    let mapped = median(RUNS, || {
        let mut encoder = bare.encoder();
        encoder.copy_buffer_to_buffer(&from, 0, &to, 0, 4096);
        bare.read(encoder, &to, 4096).map(drop)
    })?;
    measured.note(group, "4 KiB back and mapped", us(mapped), "µs");
    ladder(bare, measured)
}

fn ladder(bare: &Bare, measured: &mut Measured) -> Result<(), Fault> {
    let device = &bare.device.handle;
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: Some("idle"),
        source: wgpu::ShaderSource::Wgsl(IDLE.into()),
    });
    let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: Some("idle"),
        layout: None,
        module: &module,
        entry_point: Some("idle"),
        compilation_options: wgpu::PipelineCompilationOptions::default(),
        cache: None,
    });
    let words = bare.buffer("words", 4 * 64 * 4096, Usage::STORAGE);
    let group = device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: Some("idle"),
        layout: &pipeline.get_bind_group_layout(0),
        entries: &[wgpu::BindGroupEntry {
            binding: 0,
            resource: words.as_entire_binding(),
        }],
    });
    let stamps = Stamps::new(bare, 1);
    for workgroups in LADDER {
        let mut on_device = Vec::new();
        let mut run = || {
            let mut encoder = bare.encoder();
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
                label: Some("idle"),
                timestamp_writes: stamps.as_ref().and_then(|stamps| stamps.of(0)),
            });
            pass.set_pipeline(&pipeline);
            pass.set_bind_group(0, &group, &[]);
            pass.dispatch_workgroups(workgroups, 1, 1);
            drop(pass);
            if let Some(stamps) = &stamps {
                stamps.resolve(&mut encoder);
            }
            bare.run(encoder)?;
            on_device.extend(stamps.as_ref().map(Stamps::read).into_iter().flatten());
            Ok(())
        };
        run()?;
        let whole = median(RUNS, run)?;
        measured.note("workgroups", workgroups.to_string(), us(whole), "µs");
        on_device.sort_unstable();
        if let Some(&middle) = on_device.get(on_device.len() / 2) {
            let name = format!("{workgroups}, on the device");
            measured.note("workgroups", name, us(middle), "µs");
        }
    }
    Ok(())
}
