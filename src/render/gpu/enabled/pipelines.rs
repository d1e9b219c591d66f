//! The kernels, compiled for a device.

use super::batch::Kernel;
use super::shaders::Shaders;

/// The compiled kernels; all bind the same four things, and the slab where tiles are gathered.
#[derive(Debug)]
pub(super) struct Pipelines {
    layout: wgpu::BindGroupLayout,
    gathering: wgpu::BindGroupLayout,
    gather: wgpu::ComputePipeline,
    shrink: wgpu::ComputePipeline,
    columns: wgpu::ComputePipeline,
    across: wgpu::ComputePipeline,
    rotate: wgpu::ComputePipeline,
}

impl Pipelines {
    /// Compiles `shaders`.
    pub(super) fn new(device: &wgpu::Device, shaders: &Shaders) -> Self {
        let layout = bind_group_layout(device, 4);
        let gathering = bind_group_layout(device, 5);
        let compiled = |name: &str, text: &str| {
            device.create_shader_module(wgpu::ShaderModuleDescriptor {
                label: Some(name),
                source: wgpu::ShaderSource::Wgsl(text.into()),
            })
        };
        let gather = compiled("gather", &shaders.gather);
        let shrink = compiled("shrink", &shaders.shrink);
        let resample = compiled("resample", &shaders.resample);
        let rotate = compiled("rotate", &shaders.rotate);
        let pipeline = |module, entry| pipeline(device, &layout, module, entry);
        Self {
            gather: self::pipeline(device, &gathering, &gather, "gather"),
            gathering,
            shrink: pipeline(&shrink, "shrink"),
            columns: pipeline(&resample, "columns"),
            across: pipeline(&resample, "across"),
            rotate: pipeline(&rotate, "rotate"),
            layout,
        }
    }

    /// What a kernel binds.
    pub(super) fn layout(&self, kernel: Kernel) -> &wgpu::BindGroupLayout {
        match kernel {
            Kernel::Gather => &self.gathering,
            Kernel::Shrink | Kernel::Columns | Kernel::Across | Kernel::Rotate => &self.layout,
        }
    }

    /// The pipeline of a kernel.
    pub(super) fn of(&self, kernel: Kernel) -> &wgpu::ComputePipeline {
        match kernel {
            Kernel::Gather => &self.gather,
            Kernel::Shrink => &self.shrink,
            Kernel::Columns => &self.columns,
            Kernel::Across => &self.across,
            Kernel::Rotate => &self.rotate,
        }
    }
}

/// Records, map and tables to read, the arena to read and write; behind it the slab to read.
fn bind_group_layout(device: &wgpu::Device, count: u32) -> wgpu::BindGroupLayout {
    let entries = (0..count)
        .map(|binding| wgpu::BindGroupLayoutEntry {
            binding,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty: wgpu::BindingType::Buffer {
                ty: wgpu::BufferBindingType::Storage {
                    read_only: binding != 3,
                },
                has_dynamic_offset: false,
                min_binding_size: None,
            },
            count: None,
        })
        .collect::<Vec<_>>();
    device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
        label: Some("passes"),
        entries: &entries,
    })
}

fn pipeline(
    device: &wgpu::Device,
    layout: &wgpu::BindGroupLayout,
    module: &wgpu::ShaderModule,
    entry: &str,
) -> wgpu::ComputePipeline {
    let layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: Some(entry),
        bind_group_layouts: &[Some(layout)],
        immediate_size: 0,
    });
    device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: Some(entry),
        layout: Some(&layout),
        module,
        entry_point: Some(entry),
        compilation_options: wgpu::PipelineCompilationOptions::default(),
        cache: None,
    })
}
