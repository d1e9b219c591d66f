//! What the operator decides about the GPU.

use serde::{Deserialize, Serialize};

use super::AVAILABLE;
use crate::error::ConfigError;

/// The GPU's settings. None of them changes a byte of any answer.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct GpuConfig {
    /// Whether a GPU is used.
    pub mode: GpuMode,
    /// A part of the adapter's name, in any case. Empty: the first that fits.
    pub adapter: String,
    /// Bytes of the device's memory that may be held.
    pub memory_bytes: u64,
    /// Longest time that a batch stays open for more jobs, in microseconds.
    pub window_us: u64,
    /// One answer in so many is made on the CPU too and compared. 0: none.
    pub check_one_in: u64,
    /// Whether the device has to prove itself before it is trusted.
    pub self_test: bool,
    /// What the device's times are multiplied by before `auto` weighs them; software adapters are opened
    /// for it. For tests of the dispatcher. 0: off.
    pub rehearsal: f64,
}

/// Whether a GPU is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum GpuMode {
    /// Never.
    Off,
    /// Where there is one and it is faster.
    #[default]
    Auto,
    /// Always; the start fails without one.
    On,
}

impl Default for GpuConfig {
    fn default() -> Self {
        Self {
            mode: GpuMode::default(),
            adapter: String::new(),
            memory_bytes: 1 << 30,
            window_us: 1000,
            check_one_in: 1000,
            self_test: true,
            rehearsal: 0.0,
        }
    }
}

impl GpuConfig {
    /// Whether a device that is made of software may be opened.
    pub fn takes_software(&self) -> bool {
        self.mode == GpuMode::On || self.rehearsal > 0.0
    }

    /// Checks what types cannot.
    ///
    /// # Errors
    ///
    /// The first value that is out of its range.
    pub fn check(&self) -> Result<(), ConfigError> {
        if self.mode == GpuMode::On && !AVAILABLE {
            return Err(ConfigError::new(
                "gpu.mode",
                "must be off or auto: this build has no GPU engine",
            ));
        }
        if self.memory_bytes < 64 << 20 {
            return Err(ConfigError::new(
                "gpu.memory_bytes",
                "must be at least 67108864 (64 MiB)",
            ));
        }
        if self.window_us > 100_000 {
            return Err(ConfigError::new("gpu.window_us", "must be 0 to 100000"));
        }
        if !(self.rehearsal.is_finite() && self.rehearsal >= 0.0) {
            return Err(ConfigError::new("gpu.rehearsal", "must not be negative"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_out_of_range_are_named() {
        let key = |change: fn(&mut GpuConfig)| {
            let mut config = GpuConfig::default();
            change(&mut config);
            config.check().map_err(|error| error.key)
        };
        assert_eq!(key(|_| ()), Ok(()));
        assert!(key(|config| config.memory_bytes = 1).is_err());
        assert!(key(|config| config.window_us = 100_001).is_err());
        assert!(key(|config| config.rehearsal = -1.0).is_err());
        assert!(key(|config| config.rehearsal = f64::NAN).is_err());
        let on = key(|config| config.mode = GpuMode::On);
        assert_eq!(on.is_ok(), AVAILABLE);
    }
}
