//! A load as commands: copies in, passes, files, copies out.

use std::num::NonZeroU64;
use std::ops::Range;

use super::batch::{Dispatch, Kernel};
use super::jpeg::{JpegBuffers, JpegStage};
use super::load::Load;
use super::pipelines::Pipelines;
use super::pool::{FileBuffers, Slot};
use super::shaders::Shaders;
use super::stages::Marks;
use super::workgroups::folded;

/// What records: the kernels of a device.
#[derive(Debug)]
pub(super) struct Recorder {
    device: wgpu::Device,
    pipelines: Pipelines,
    jpeg: JpegStage,
}

impl Recorder {
    /// Compiles `shaders` and records for `device`.
    pub(super) fn new(device: &wgpu::Device, shaders: &Shaders) -> Self {
        Self {
            pipelines: Pipelines::new(device, shaders),
            jpeg: JpegStage::new(device, shaders),
            device: device.clone(),
        }
    }

    /// The commands of `load`, whose bytes stand in the slot's staging buffer; its stages are timed where
    /// there are `marks`.
    pub(super) fn record(
        &self,
        slot: &Slot,
        load: &Load,
        mut marks: Option<&mut Marks>,
    ) -> wgpu::CommandBuffer {
        let label = wgpu::CommandEncoderDescriptor {
            label: Some("batch"),
        };
        let mut encoder = self.device.create_command_encoder(&label);
        if let Some(marks) = &marks {
            marks.begin(&mut encoder);
        }
        upload(&mut encoder, slot, load);
        match &mut marks {
            None => self.passes(&mut encoder, slot, load),
            Some(marks) => {
                marks.end(&mut encoder, "upload");
                self.passes_apart(&mut encoder, (slot, load), marks);
            }
        }
        let files = load.files.as_ref().zip(slot.files.as_ref());
        let files = files.map(|(plan, files)| (plan, buffers(slot, files)));
        if let Some((plan, buffers)) = &files {
            self.jpeg
                .record(&mut encoder, plan, buffers, |encoder, stage| {
                    if let Some(marks) = &mut marks {
                        marks.end(encoder, stage);
                    }
                });
        }
        let down = load.down_bytes();
        if down > 0 {
            encoder.copy_buffer_to_buffer(&slot.arena, 0, &slot.down, 0, down);
        }
        if let Some((plan, buffers)) = &files {
            JpegStage::copy_back(&mut encoder, plan, buffers, &slot.down, down);
        }
        if let Some(marks) = &mut marks {
            marks.end(&mut encoder, "readback");
            marks.resolve(&mut encoder);
        }
        encoder.finish()
    }

    /// Each kernel in a pass of its own.
    fn passes_apart(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        (slot, load): (&Slot, &Load),
        marks: &mut Marks,
    ) {
        for prepared in self.prepared(slot, load) {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
                label: Some("pass"),
                timestamp_writes: None,
            });
            prepared.dispatch(&mut pass);
            drop(pass);
            marks.end(encoder, prepared.kernel.stage());
        }
    }

    fn passes(&self, encoder: &mut wgpu::CommandEncoder, slot: &Slot, load: &Load) {
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
            label: Some("passes"),
            timestamp_writes: None,
        });
        for prepared in self.prepared(slot, load) {
            prepared.dispatch(&mut pass);
        }
    }

    /// The dispatches of a load's passes, in their order.
    pub(super) fn prepared(&self, slot: &Slot, load: &Load) -> Vec<Prepared<'_>> {
        let dispatches = load.batch.dispatches.iter();
        dispatches
            .map(|dispatch| Prepared {
                kernel: dispatch.kernel,
                pipeline: self.pipelines.of(dispatch.kernel),
                group: self.bind_group(slot, load, dispatch),
                workgroups: folded(dispatch.workgroups),
            })
            .collect()
    }

    fn bind_group(&self, slot: &Slot, load: &Load, dispatch: &Dispatch) -> wgpu::BindGroup {
        let batch = &load.batch;
        let part = |words: &Range<usize>| {
            wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                buffer: &slot.params,
                offset: 4 * words.start as u64,
                size: NonZeroU64::new(4 * words.len() as u64),
            })
        };
        let arena = NonZeroU64::new(4 * u64::from(batch.arena_words));
        let mut resources = vec![
            part(&dispatch.records),
            part(&dispatch.map),
            part(&batch.tables),
            wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                buffer: &slot.arena,
                offset: 0,
                size: arena,
            }),
        ];
        if let (Kernel::Gather, Some(slab)) = (dispatch.kernel, &load.slab) {
            resources.push(slab.as_entire_binding());
        }
        let entries: Vec<_> = (0..)
            .zip(resources)
            .map(|(binding, resource)| wgpu::BindGroupEntry { binding, resource })
            .collect();
        self.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("passes"),
            layout: self.pipelines.layout(dispatch.kernel),
            entries: &entries,
        })
    }
}

/// The buffers of a slot's files.
fn buffers<'a>(slot: &'a Slot, files: &'a FileBuffers) -> JpegBuffers<'a> {
    JpegBuffers {
        pixels: &slot.arena,
        params: &files.params,
        coef: &files.coef,
        lens: &files.lens,
        bits: &files.bits,
    }
}

/// A dispatch with all that it binds.
#[derive(Debug)]
pub(super) struct Prepared<'a> {
    pub(super) kernel: Kernel,
    pipeline: &'a wgpu::ComputePipeline,
    group: wgpu::BindGroup,
    workgroups: (u32, u32),
}

impl Prepared<'_> {
    /// Records it.
    pub(super) fn dispatch(&self, pass: &mut wgpu::ComputePass<'_>) {
        pass.set_pipeline(self.pipeline);
        pass.set_bind_group(0, &self.group, &[]);
        pass.dispatch_workgroups(self.workgroups.0, self.workgroups.1, 1);
    }
}

/// Parameters of passes and of files, then pixels, as they stand in the staging buffer.
fn upload(encoder: &mut wgpu::CommandEncoder, slot: &Slot, load: &Load) {
    let needs = load.needs();
    let params = needs.params;
    encoder.copy_buffer_to_buffer(&slot.up, 0, &slot.params, 0, params);
    if let Some(files) = &slot.files
        && needs.files.params > 0
    {
        encoder.copy_buffer_to_buffer(&slot.up, params, &files.params, 0, needs.files.params);
    }
    let mut at = params + needs.files.params;
    let pixels = 4 * u64::from(load.batch.source_words);
    if pixels > 0 {
        encoder.copy_buffer_to_buffer(&slot.up, at, &slot.arena, load.down_bytes(), pixels);
    }
    at += pixels;
    for (staged, offset) in &load.staged {
        let ((buffer, bytes), to) = (staged.buffer(), 4 * u64::from(*offset));
        encoder.copy_buffer_to_buffer(buffer, 0, &slot.arena, to, bytes);
    }
    for (_, held) in &load.keeps {
        if let Some(slab) = &load.slab {
            let to = 4 * u64::from(held.offset());
            encoder.copy_buffer_to_buffer(&slot.up, at, slab, to, held.bytes());
        }
        at += held.bytes();
    }
}
