//! The pipelines of the JPEG passes, and how a batch is recorded.

use std::num::NonZeroU64;

use super::super::pipelines::{bind_group_layout, module, pipeline, pipeline_layout};
use super::super::shaders::Shaders;
use super::super::workgroups::folded;
use super::plan::JpegPlan;
use super::tables;

/// The buffers of one batch, which the caller owns; each at least as large as the plan says.
#[derive(Debug)]
pub(in super::super) struct JpegBuffers<'a> {
    /// Pixels, of the passes before. `STORAGE`.
    pub(in super::super) pixels: &'a wgpu::Buffer,
    /// The plan's params. `STORAGE | COPY_DST`.
    pub(in super::super) params: &'a wgpu::Buffer,
    /// Coefficients. `STORAGE`.
    pub(in super::super) coef: &'a wgpu::Buffer,
    /// Lengths. `STORAGE | COPY_SRC`.
    pub(in super::super) lens: &'a wgpu::Buffer,
    /// Codes. `STORAGE | COPY_DST | COPY_SRC`.
    pub(in super::super) bits: &'a wgpu::Buffer,
}

/// Pipelines and tables. One serves every batch of a device.
#[derive(Debug)]
pub(in super::super) struct JpegStage {
    device: wgpu::Device,
    layout: wgpu::BindGroupLayout,
    tables: wgpu::Buffer,
    fdct: wgpu::ComputePipeline,
    count: wgpu::ComputePipeline,
    scan: wgpu::ComputePipeline,
    place: wgpu::ComputePipeline,
    emit: wgpu::ComputePipeline,
}

/// One dispatch: the pass's name, its pipeline, and workgroups across and down.
pub(in super::super) type Step<'a> = (&'static str, &'a wgpu::ComputePipeline, (u32, u32));

impl JpegStage {
    /// Compiles its part of `shaders`.
    pub(in super::super) fn new(device: &wgpu::Device, shaders: &Shaders) -> Self {
        // Batch, groups, pixels and tables to read, the rest to read and write.
        let read_only = [true, true, true, true, false, false, false];
        let layout = bind_group_layout(device, "jpeg", &read_only);
        let pipelines = pipeline_layout(device, "jpeg", &layout);
        let fdct = module(device, "jpeg_fdct", &shaders.jpeg_fdct);
        let huffman = module(device, "jpeg_huffman", &shaders.jpeg_huffman);
        let pipeline = |module, entry| pipeline(device, &pipelines, module, entry);
        Self {
            fdct: pipeline(&fdct, "fdct"),
            count: pipeline(&huffman, "count"),
            scan: pipeline(&huffman, "scan"),
            place: pipeline(&huffman, "place"),
            emit: pipeline(&huffman, "emit"),
            tables: tables_buffer(device),
            layout,
            device: device.clone(),
        }
    }

    /// Records a batch whose pixels and params are, or will be by then, in their buffers; `after` is
    /// called behind each stage, which is a pass or several.
    pub(in super::super) fn record(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        plan: &JpegPlan,
        buffers: &JpegBuffers<'_>,
        mut after: impl FnMut(&mut wgpu::CommandEncoder, &'static str),
    ) {
        self.record_each(
            encoder,
            plan,
            buffers,
            |_| None,
            |encoder, pass| match pass {
                "fdct" => after(encoder, "fdct"),
                "emit" => after(encoder, "huffman"),
                _ => {}
            },
        );
    }

    /// As [`JpegStage::record`], each pass on its own with the time stamps that `stamps` gives for its
    /// number, where it gives any, and `after` behind it.
    pub(in super::super) fn record_each<'a>(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        plan: &JpegPlan,
        buffers: &JpegBuffers<'_>,
        stamps: impl Fn(usize) -> Option<wgpu::ComputePassTimestampWrites<'a>>,
        mut after: impl FnMut(&mut wgpu::CommandEncoder, &'static str),
    ) {
        encoder.clear_buffer(buffers.bits, 0, Some(plan.bits_bytes()));
        let group = self.bind_group(plan, buffers);
        for (number, (name, pipeline, (across, down))) in self.steps(plan).into_iter().enumerate() {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
                label: Some(name),
                timestamp_writes: stamps(number),
            });
            pass.set_bind_group(0, &group, &[]);
            pass.set_pipeline(pipeline);
            pass.dispatch_workgroups(across, down, 1);
            drop(pass);
            after(encoder, name);
        }
    }

    /// The passes of a batch in their order.
    pub(in super::super) fn steps(&self, plan: &JpegPlan) -> [Step<'_>; 5] {
        let images = u32::try_from(plan.heads.len()).expect("the plan counted them in a word");
        [
            ("fdct", &self.fdct, folded(plan.fdct_groups)),
            ("count", &self.count, folded(plan.block_groups)),
            ("scan", &self.scan, folded(images)),
            ("place", &self.place, (1, 1)),
            ("emit", &self.emit, folded(plan.block_groups)),
        ]
    }

    /// Copies what [`finish`](super::finish) takes, or what is likely to be all of it, to `readback`,
    /// from byte `at` on.
    pub(in super::super) fn copy_back(
        encoder: &mut wgpu::CommandEncoder,
        plan: &JpegPlan,
        buffers: &JpegBuffers<'_>,
        readback: &wgpu::Buffer,
        at: u64,
    ) {
        let totals = plan.totals_bytes();
        encoder.copy_buffer_to_buffer(buffers.lens, 0, readback, at, totals);
        encoder.copy_buffer_to_buffer(buffers.bits, 0, readback, at + totals, plan.read_bytes());
    }

    fn bind_group(&self, plan: &JpegPlan, buffers: &JpegBuffers<'_>) -> wgpu::BindGroup {
        let part = |buffer, offset, bytes| {
            wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                buffer,
                offset,
                size: NonZeroU64::new(bytes),
            })
        };
        let groups_bytes = plan.params_bytes() - plan.groups_at;
        let resources = [
            part(buffers.params, 0, plan.groups_at),
            part(buffers.params, plan.groups_at, groups_bytes),
            buffers.pixels.as_entire_binding(),
            self.tables.as_entire_binding(),
            part(buffers.coef, 0, plan.coef_bytes()),
            part(buffers.lens, 0, plan.lens_bytes()),
            part(buffers.bits, 0, plan.bits_bytes()),
        ];
        let entries: Vec<_> = (0..)
            .zip(resources)
            .map(|(binding, resource)| wgpu::BindGroupEntry { binding, resource })
            .collect();
        self.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("jpeg"),
            layout: &self.layout,
            entries: &entries,
        })
    }
}

fn tables_buffer(device: &wgpu::Device) -> wgpu::Buffer {
    let words = tables::words();
    let buffer = device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("jpeg tables"),
        size: 4 * words.len() as u64,
        usage: wgpu::BufferUsages::STORAGE,
        mapped_at_creation: true,
    });
    // Without a device's memory there is nothing to write to; the first batch says so.
    if let Ok(mut view) = buffer.get_mapped_range_mut(..) {
        view.slice(..).copy_from_slice(bytemuck::cast_slice(&words));
    }
    buffer.unmap();
    buffer
}
