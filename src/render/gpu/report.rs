//! What the operator is told of the device, and what is told of a choice.

use std::time::Duration;

use super::{Footprint, Labour};
use crate::render::Target;

/// Makes the JPEG file that the host's encoder makes of a picture; a device that encodes has to give the
/// same bytes.
pub type Encode =
    fn(crate::raster::Raster, crate::encoding::JpegSettings) -> crate::error::Result<Vec<u8>>;

/// What becomes of the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum State {
    /// None is used, and none will be.
    #[default]
    Off,
    /// One is being opened.
    Starting,
    /// It is used.
    Up,
    /// It was lost and will be opened again.
    Down,
}

impl State {
    /// Its word in documents.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Starting => "starting",
            Self::Up => "up",
            Self::Down => "down",
        }
    }

    /// Its number in metrics.
    pub const fn number(self) -> f64 {
        match self {
            Self::Off => 0.0,
            Self::Starting => 1.0,
            Self::Up => 2.0,
            Self::Down => 3.0,
        }
    }
}

/// What is known of an adapter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdapterFacts {
    /// Its name.
    pub name: String,
    /// Its driver, with the version.
    pub driver: String,
    /// `discrete`, `integrated`, `virtual`, `software` or `other`.
    pub kind: &'static str,
    /// Its limits, by name.
    pub limits: Vec<(&'static str, u64)>,
}

/// All that is known of the device.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// What becomes of it.
    pub state: State,
    /// Why it is not up, in words; empty where it is.
    pub reason: String,
    /// What it is, once it has been opened.
    pub adapter: Option<AdapterFacts>,
    /// What was measured, in nanoseconds by name: a submission, and a unit of each kind of work.
    pub measured: Vec<(&'static str, f64)>,
}

/// How busy the processors are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Load {
    /// Renders that run.
    pub running: usize,
    /// Renders that wait.
    pub waiting: usize,
    /// Renders that may run at one time.
    pub threads: usize,
}

/// How much work a job is, and what it takes of the device: counted once, when it is weighed.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Weight {
    /// The work.
    pub labour: Labour,
    /// What it takes; nothing where there is no device for it.
    pub footprint: Footprint,
    /// Jobs that it is done in, where that is not one.
    pub bands: u32,
}

/// What [`Choice::reason`] says of a job that the device cannot do.
pub const UNFIT: &str = "unfit";

/// Where a job goes, and why.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Choice {
    /// Whether it goes to the device.
    pub on_device: bool,
    /// Why, in one word.
    pub reason: &'static str,
    /// What the device is asked for: a file only where it makes one.
    pub target: Target,
    /// Expected time on the CPU, decoding excluded; nothing where nobody asked and there is no device.
    pub cpu: Duration,
    /// Expected time by way of the device; none where it cannot do the job, or is never asked.
    pub gpu: Option<Duration>,
    /// What was weighed.
    pub weight: Weight,
}
