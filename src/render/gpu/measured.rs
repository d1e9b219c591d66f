//! What is measured of a device, in words of the host.

use std::sync::Arc;

use super::{Job, Output};

/// A job, and what the CPU makes of it.
#[derive(Debug)]
pub struct Trial {
    /// What it is called in the report.
    pub name: &'static str,
    /// The job.
    pub job: Arc<Job>,
    /// Its output, byte for byte.
    pub expected: Output,
}

/// One number.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// What it belongs to: `submission`, `workgroups`, `transfer`, `staging`, `batch`, `kernel`, `tiles`.
    pub group: &'static str,
    /// What was done.
    pub name: String,
    /// How much.
    pub value: f64,
    /// Of what.
    pub unit: &'static str,
}

/// What one device came to.
#[derive(Debug, Clone, Default)]
pub struct Measured {
    /// The adapter's name.
    pub adapter: String,
    /// Its driver.
    pub driver: String,
    /// Discrete, integrated, virtual, software or other.
    pub kind: &'static str,
    /// Whether kernels were timed by the device itself; else by the clock on the wall.
    pub has_stamps: bool,
    /// All numbers, in the order in which they were taken.
    pub figures: Vec<Figure>,
    /// Outputs that were compared with the CPU's.
    pub compared: u64,
    /// Those that were others.
    pub different: u64,
    /// Jobs that the device did not do.
    pub undone: u64,
}

impl Measured {
    /// Notes a number.
    pub fn note(
        &mut self,
        group: &'static str,
        name: impl Into<String>,
        value: f64,
        unit: &'static str,
    ) {
        self.figures.push(Figure {
            group,
            name: name.into(),
            value,
            unit,
        });
    }
}
