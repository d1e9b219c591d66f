//! A build without the GPU: everything runs on the CPU.

use std::sync::Arc;
use std::time::Duration;

use super::{
    Band, Choice, Class, Encode, Fault, GpuConfig, Job, Load, Measured, Output, Report, TileName,
    Trial, Weight,
};
use crate::cancel::Cancel;
use crate::error::Result;
use crate::geometry::Window;
use crate::plan::Pass;
use crate::raster::{Raster, RowSink, Shape};
use crate::render::Target;

/// Whether this build can use a device.
pub const AVAILABLE: bool = false;

/// A tile on a device: there is none.
#[derive(Debug, Clone)]
pub enum Held {}

/// Pixels in a device's staging memory: there is none.
#[derive(Debug, Clone)]
pub struct Staged(Never);

/// What cannot be; within a type of its own, so that those who handle one are not told that they never do.
#[derive(Debug, Clone)]
enum Never {}

impl Staged {
    /// Of no pixels.
    pub fn shape(&self) -> Shape {
        match self.0 {}
    }
}

/// A device's staging memory: there is none.
#[derive(Debug)]
pub enum Staging {}

impl Staging {
    /// Nothing has been written.
    pub fn finish(self) -> Staged {
        match self {}
    }
}

impl RowSink for Staging {
    fn paste(&mut self, _source: &Raster, _part: Window, _x: u32, _y: u32) -> Result<()> {
        match *self {}
    }
}

/// The want of a device.
#[derive(Debug, Clone)]
pub struct Gpu(());

impl Gpu {
    /// No device, whatever is asked for.
    pub fn start(_config: &GpuConfig, _encode: Option<Encode>) -> Self {
        Self(())
    }

    /// There is none.
    pub fn settled(&self) -> Report {
        self.report()
    }

    /// The same under other settings.
    pub fn under(&self, _config: &GpuConfig) -> Option<Self> {
        Some(self.clone())
    }

    /// No tile is on a device.
    pub fn held(&self, _names: &[TileName]) -> Option<Vec<Held>> {
        None
    }

    /// No tile is on a device.
    pub fn has(&self, _names: &[TileName]) -> bool {
        false
    }

    /// No tile is wanted there.
    pub fn wants(&self, _names: &[TileName]) -> bool {
        false
    }

    /// No tile can come.
    pub fn want(&self, _names: &[TileName]) -> Vec<bool> {
        Vec::new()
    }

    /// There is no staging memory.
    pub fn staging(&self, _shape: Shape) -> Option<Staging> {
        None
    }

    /// To the CPU.
    pub fn choose(&self, _shape: Shape, _passes: &[Pass], target: Target, _load: Load) -> Choice {
        Choice {
            on_device: false,
            reason: "away",
            target,
            cpu: Duration::ZERO,
            gpu: None,
            weight: Weight::default(),
        }
    }

    /// To the CPU.
    pub fn foresee(&self, shape: Shape, passes: &[Pass], target: Target, load: Load) -> Choice {
        self.choose(shape, passes, target, load)
    }

    /// There are no bands.
    pub fn choose_bands(
        &self,
        _shape: Shape,
        _passes: &[Pass],
        _target: Target,
        _load: Load,
    ) -> Option<(Choice, Vec<Band>)> {
        None
    }

    /// There are no bands.
    pub fn foresee_bands(
        &self,
        _shape: Shape,
        _passes: &[Pass],
        _target: Target,
        _load: Load,
    ) -> Option<(Choice, Vec<Band>)> {
        None
    }

    /// Nothing is run.
    ///
    /// # Errors
    ///
    /// Always [`Fault::Away`].
    #[expect(clippy::unused_async, reason = "the device's has to wait")]
    pub async fn run(
        &self,
        _job: &Arc<Job>,
        _class: Class,
        _weight: &Weight,
        _cancel: &Cancel,
    ) -> Result<Output, Fault> {
        Err(Fault::Away)
    }

    /// Nothing is compared with it.
    pub fn done_on_cpu(&self, _weight: &Weight, _took: Duration) {}

    /// Nothing came from a device.
    pub fn is_checked(&self) -> bool {
        false
    }

    /// There is nothing to turn off.
    pub fn distrust(&self) {}

    /// There is none.
    pub fn report(&self) -> Report {
        Report {
            reason: "this build has no GPU engine".to_owned(),
            ..Report::default()
        }
    }
}

/// Nothing is measured.
///
/// # Errors
///
/// Always: there is no device.
pub fn measure(
    _adapter: &str,
    _trials: &[Trial],
    _cpu_seconds: &dyn Fn() -> f64,
) -> Result<Measured, String> {
    Err("this build has no GPU engine".to_owned())
}
