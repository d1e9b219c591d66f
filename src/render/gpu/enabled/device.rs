//! The device: which adapter is taken, with what limits, and what shows that it is gone.
//!
//! Blocking: opening takes a second or more, so it belongs on a thread of its own. Every call takes a
//! new instance, so that nothing of a lost device is left in the next.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::super::AdapterFacts;
use super::runner::Runner;
use super::shaders::Shaders;
use super::{Executor, stages};

/// Which device is wanted.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// A part of the adapter's name, in any case; empty for the first that fits.
    pub adapter: String,
    /// Whether an adapter that is software may be opened.
    pub software: bool,
    /// Bytes of the device's memory to be used at most; 0 for what the adapter allows.
    pub memory_bytes: u64,
}

/// A device that is open.
#[derive(Debug)]
pub struct Opened {
    /// What runs batches on it.
    pub executor: Arc<dyn Executor>,
    /// What it is.
    pub adapter: AdapterFacts,
}

/// Why there is no device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// There is no adapter, or none that is wanted. The names are of those that there are.
    NoAdapter(Vec<String>),
    /// The adapter did not give a device that works.
    Failed(String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAdapter(others) if others.is_empty() => f.write_str("there is no GPU"),
            Self::NoAdapter(others) => {
                write!(
                    f,
                    "no GPU is the one wanted; there are {}",
                    others.join(", ")
                )
            }
            Self::Failed(why) => write!(f, "the GPU cannot be used: {why}"),
        }
    }
}

impl StdError for Refusal {}

/// A device with its queue and what was heard of it.
#[derive(Debug)]
pub(super) struct Device {
    pub(super) handle: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    gone: AtomicBool,
}

impl State {
    fn fail(&self, why: &str) {
        if !self.gone.swap(true, Ordering::AcqRel) {
            tracing::error!(why, "the GPU is given up");
        }
    }
}

impl Device {
    /// `device` with its hooks installed before anything else is done with it: without them an error
    /// would be a panic.
    pub(super) fn new(device: wgpu::Device, queue: wgpu::Queue) -> Self {
        let state = Arc::new(State::default());
        let heard = Arc::clone(&state);
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            heard.fail(&error.to_string());
        }));
        let heard = Arc::clone(&state);
        device.set_device_lost_callback(move |reason, message| {
            heard.fail(&format!("lost ({reason:?}): {message}"));
        });
        Self {
            handle: device,
            queue,
            state,
        }
    }

    /// Whether the device was lost or did what it must not do.
    pub(super) fn is_gone(&self) -> bool {
        self.state.gone.load(Ordering::Acquire)
    }

    /// Gives the device up.
    pub(super) fn fail(&self, why: &str) {
        self.state.fail(why);
    }

    /// Runs `work`; an error of `kind` in it is given back.
    pub(super) fn scoped<T>(
        &self,
        kind: wgpu::ErrorFilter,
        work: impl FnOnce() -> T,
    ) -> Result<T, wgpu::Error> {
        let scope = self.handle.push_error_scope(kind);
        let made = work();
        match pollster::block_on(scope.pop()) {
            Some(error) => Err(error),
            None => Ok(made),
        }
    }
}

/// Opens the device that is `wanted`, compiled and ready.
///
/// # Errors
///
/// As [`Refusal`] says. A machine without Vulkan's loader has no adapter.
pub fn open(wanted: &Wanted) -> Result<Opened, Refusal> {
    open_with(wanted, &Shaders::new())
}

/// As [`open`], with `change` made to the text of every shader: what a test of the self-test
/// needs.
///
/// # Errors
///
/// As [`open`].
pub fn open_changed(wanted: &Wanted, change: impl Fn(&str) -> String) -> Result<Opened, Refusal> {
    open_with(wanted, &Shaders::new().changed(change))
}

/// As [`open`], with shaders that a test may have changed.
pub(super) fn open_with(wanted: &Wanted, shaders: &Shaders) -> Result<Opened, Refusal> {
    let Connected {
        device,
        limits,
        adapter,
    } = connect(wanted)?;
    let executor = Runner::new(device, shaders, &limits, wanted.memory_bytes);
    let executor = executor.map_err(Refusal::Failed)?;
    Ok(Opened {
        executor: Arc::new(executor),
        adapter,
    })
}

/// A device on which nothing is compiled yet.
#[derive(Debug)]
pub(super) struct Connected {
    pub(super) device: Device,
    pub(super) limits: wgpu::Limits,
    pub(super) adapter: AdapterFacts,
}

/// Takes the adapter that is `wanted`, with time stamps where it has them.
pub(super) fn connect(wanted: &Wanted) -> Result<Connected, Refusal> {
    let adapter = adapter(wanted)?;
    let limits = limits(&adapter.limits());
    let asked = adapter.request_device(&wgpu::DeviceDescriptor {
        label: Some("triforium"),
        required_features: adapter.features() & stages::FEATURES,
        required_limits: limits.clone(),
        ..wgpu::DeviceDescriptor::default()
    });
    let (device, queue) =
        pollster::block_on(asked).map_err(|cause| Refusal::Failed(cause.to_string()))?;
    Ok(Connected {
        device: Device::new(device, queue),
        adapter: facts(&adapter.get_info(), &limits),
        limits,
    })
}

/// The adapter that is wanted: by kind, then as the driver lists them.
fn adapter(wanted: &Wanted) -> Result<wgpu::Adapter, Refusal> {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
        backends: wgpu::Backends::VULKAN,
        // Validation layers are for those who write shaders; errors of use are found without them.
        flags: wgpu::InstanceFlags::empty(),
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    });
    let mut all = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::VULKAN));
    let names = all.iter().map(|adapter| adapter.get_info().name).collect();
    all.retain(|adapter| fits(&adapter.get_info(), wanted));
    all.sort_by_key(|adapter| rank(adapter.get_info().device_type));
    let first = all.into_iter().next();
    first.ok_or(Refusal::NoAdapter(names))
}

fn fits(info: &wgpu::AdapterInfo, wanted: &Wanted) -> bool {
    let name = info.name.to_lowercase();
    let software = info.device_type == wgpu::DeviceType::Cpu;
    name.contains(&wanted.adapter.to_lowercase()) && (wanted.software || !software)
}

fn rank(kind: wgpu::DeviceType) -> u8 {
    match kind {
        wgpu::DeviceType::DiscreteGpu => 0,
        wgpu::DeviceType::IntegratedGpu => 1,
        wgpu::DeviceType::VirtualGpu => 2,
        wgpu::DeviceType::Other => 3,
        wgpu::DeviceType::Cpu => 4,
    }
}

/// What every device has, but buffers as large as this one allows.
fn limits(offered: &wgpu::Limits) -> wgpu::Limits {
    wgpu::Limits {
        max_buffer_size: offered.max_buffer_size,
        max_storage_buffer_binding_size: offered.max_storage_buffer_binding_size,
        ..wgpu::Limits::default()
    }
}

fn facts(info: &wgpu::AdapterInfo, limits: &wgpu::Limits) -> AdapterFacts {
    let driver = [info.driver.as_str(), info.driver_info.as_str()];
    AdapterFacts {
        name: info.name.clone(),
        driver: driver.join(" ").trim().to_owned(),
        kind: match info.device_type {
            wgpu::DeviceType::DiscreteGpu => "discrete",
            wgpu::DeviceType::IntegratedGpu => "integrated",
            wgpu::DeviceType::VirtualGpu => "virtual",
            wgpu::DeviceType::Cpu => "software",
            wgpu::DeviceType::Other => "other",
        },
        limits: vec![
            ("max_buffer_bytes", limits.max_buffer_size),
            ("max_binding_bytes", limits.max_storage_buffer_binding_size),
        ],
    }
}
