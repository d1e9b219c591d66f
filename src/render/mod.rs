//! Runs passes over rows. The CPU engine is the reference; every engine gives the same bytes.

mod cpu;
pub mod gpu;
pub mod jpeg;

pub use cpu::CpuEngine;

use std::fmt;

use crate::cancel::Cancel;
use crate::encoding::JpegSettings;
use crate::error::Result;
use crate::plan::Pass;
use crate::raster::Rows;

/// Something that runs passes.
pub trait Engine: Send + Sync + fmt::Debug {
    /// The engine's name in metrics and `Server-Timing`.
    fn name(&self) -> &'static str;

    /// `source` after `passes`, as `target` wants it. Work is done as rows are pulled, except where a
    /// pass needs the whole picture.
    ///
    /// # Errors
    ///
    /// Those of the source and of `cancel`.
    fn run(
        &self,
        source: Box<dyn Rows>,
        passes: &[Pass],
        target: Target,
        cancel: &Cancel,
    ) -> Result<Output>;
}

/// What the caller can use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Rows, for an encoder.
    Rows,
    /// A JPEG file with these settings; an engine that does not encode gives rows instead.
    Jpeg(JpegSettings),
}

/// What an engine gives.
pub enum Output {
    /// Rows to be encoded.
    Rows(Box<dyn Rows>),
    /// A finished JPEG file.
    Jpeg(Vec<u8>),
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rows(rows) => f.debug_tuple("Rows").field(&rows.shape()).finish(),
            Self::Jpeg(bytes) => write!(f, "Jpeg(×{})", bytes.len()),
        }
    }
}
