//! The reference engine: passes as a chain of adaptors over rows, on the thread that pulls them.
//!
//! Every pass is defined in integers; another engine has to give the same bytes. Memory is bounded by
//! strips, except before a pass that [needs the whole](Pass::needs_whole) picture. It does not
//! encode: it gives rows whatever the target.

mod flatten;
mod flow;
mod narrow;
mod orient;
mod resample;
mod rotate;
mod sample;
mod shrink;
mod tone;

#[cfg(test)]
mod reference;
#[cfg(test)]
mod testing;

use self::flow::Guarded;
use super::{Engine, Output, Target};
use crate::cancel::Cancel;
use crate::error::Result;
use crate::plan::Pass;
use crate::raster::Rows;

/// The engine that runs on the CPU and that every other engine is measured by.
#[derive(Debug, Clone, Copy, Default)]
pub struct CpuEngine;

impl Engine for CpuEngine {
    fn name(&self) -> &'static str {
        "cpu"
    }

    fn run(
        &self,
        source: Box<dyn Rows>,
        passes: &[Pass],
        _target: Target,
        cancel: &Cancel,
    ) -> Result<Output> {
        let mut rows = guard(source, cancel);
        for pass in passes {
            rows = guard(after(pass, rows, cancel), cancel);
        }
        Ok(Output::Rows(rows))
    }
}

fn guard(rows: Box<dyn Rows>, cancel: &Cancel) -> Box<dyn Rows> {
    Box::new(Guarded::new(rows, cancel))
}

/// `rows` after one pass.
fn after(pass: &Pass, rows: Box<dyn Rows>, cancel: &Cancel) -> Box<dyn Rows> {
    let shape = pass.shape_after(rows.shape());
    match *pass {
        Pass::Shrink { times } => shrink::rows(rows, times, cancel),
        Pass::Resample { crop, filter, .. } => resample::rows(rows, shape, crop, filter, cancel),
        Pass::Narrow => narrow::rows(rows, shape),
        Pass::Orient(orientation) => orient::rows(rows, shape, orientation, cancel),
        Pass::Flatten { background } => flatten::rows(rows, shape, background),
        Pass::Rotate(turn) => rotate::rows(rows, shape, turn, cancel),
        Pass::Gray => tone::gray(rows, shape),
        Pass::Bitonal => tone::bitonal(rows, shape),
    }
}
