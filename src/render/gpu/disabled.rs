//! A build without the GPU: everything runs on the CPU.

/// Whether this build can use a device.
pub const AVAILABLE: bool = false;
