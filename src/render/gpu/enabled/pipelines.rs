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
        // Records, map and tables to read, the arena to read and write; behind it the slab to read.
        let layout = bind_group_layout(device, "passes", &[true, true, true, false]);
        let gathering = bind_group_layout(device, "gather", &[true, true, true, false, true]);
        let gather = module(device, "gather", &shaders.gather);
        let shrink = module(device, "shrink", &shaders.shrink);
        let resample = module(device, "resample", &shaders.resample);
        let rotate = module(device, "rotate", &shaders.rotate);
        let of_tiles = pipeline_layout(device, "gather", &gathering);
        let of_passes = pipeline_layout(device, "passes", &layout);
        let pipeline = |module, entry| pipeline(device, &of_passes, module, entry);
        Self {
            gather: self::pipeline(device, &of_tiles, &gather, "gather"),
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

/// A group of storage buffers: for each whether it is only read.
pub(super) fn bind_group_layout(
    device: &wgpu::Device,
    label: &str,
    read_only: &[bool],
) -> wgpu::BindGroupLayout {
    let entry = |(binding, read_only)| wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer {
            ty: wgpu::BufferBindingType::Storage { read_only },
            has_dynamic_offset: false,
            min_binding_size: None,
        },
        count: None,
    };
    let entries: Vec<_> = (0..).zip(read_only.iter().copied()).map(entry).collect();
    device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
        label: Some(label),
        entries: &entries,
    })
}

/// What pipelines bind: one group.
pub(super) fn pipeline_layout(
    device: &wgpu::Device,
    label: &str,
    group: &wgpu::BindGroupLayout,
) -> wgpu::PipelineLayout {
    device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: Some(label),
        bind_group_layouts: &[Some(group)],
        immediate_size: 0,
    })
}

/// The text of a shader, for the device.
pub(super) fn module(device: &wgpu::Device, label: &str, text: &str) -> wgpu::ShaderModule {
    device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: Some(label),
        source: wgpu::ShaderSource::Wgsl(text.into()),
    })
}

/// An entry of a shader.
pub(super) fn pipeline(
    device: &wgpu::Device,
    layout: &wgpu::PipelineLayout,
    module: &wgpu::ShaderModule,
    entry: &str,
) -> wgpu::ComputePipeline {
    device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: Some(entry),
        layout: Some(layout),
        module,
        entry_point: Some(entry),
        compilation_options: wgpu::PipelineCompilationOptions {
            // Every word that a workgroup shares is written before it is read.
            zero_initialize_workgroup_memory: false,
            ..wgpu::PipelineCompilationOptions::default()
        },
        cache: None,
    })
}
