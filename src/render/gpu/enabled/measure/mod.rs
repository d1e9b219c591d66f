//! A device by itself, without queue and scheduler: what `bench --gpu` measures and what tests compare
//! stage by stage.
//!
//! Numbers are medians of several runs. Everything that comes back from a job is compared with the CPU's
//! output.

mod bare;
mod batches;
mod jpeg;
mod replay;
mod staged;
mod stamps;
mod submissions;
mod transfers;

pub use bare::Bare;
pub use jpeg::JpegRun;

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::{Fault, Measured, Trial};
use super::device::{self, Connected, Wanted};
use super::runner::Runner;
use super::shaders::Shaders;

/// Measures the first adapter with `adapter` in its name, software among them. `cpu_seconds` tells the
/// processor time of this process so far.
///
/// # Errors
///
/// Words about a device that is not there or does not work.
pub fn measure(
    adapter: &str,
    trials: &[Trial],
    cpu_seconds: &dyn Fn() -> f64,
) -> Result<Measured, String> {
    let wanted = Wanted {
        adapter: adapter.to_owned(),
        software: true,
        memory_bytes: 0,
    };
    let Connected {
        device,
        limits,
        adapter,
    } = device::connect(&wanted).map_err(|refusal| refusal.to_string())?;
    let runner = Runner::new(device, &Shaders::new(), &limits, wanted.memory_bytes)?;
    let bare = Bare::on(Arc::clone(runner.device()), &limits, adapter);
    let mut measured = bare.facts();
    let mut all = || {
        submissions::measure(&bare, &mut measured)?;
        transfers::measure(&bare, &mut measured)?;
        staged::measure(&bare, &mut measured)?;
        replay::measure(&bare, &runner, trials, &mut measured)?;
        jpeg::measure(&bare, trials, &mut measured)?;
        batches::measure(&runner, trials, cpu_seconds, &mut measured)
    };
    let failed = |fault: Fault| format!("the device failed: {}", fault.name());
    all().map_err(failed)?;
    Ok(measured)
}

/// The median of what `run` takes: of `most` runs, or of fewer where they take long.
fn median(most: usize, mut run: impl FnMut() -> Result<(), Fault>) -> Result<Duration, Fault> {
    const LONG: Duration = Duration::from_millis(500);
    let begun = Instant::now();
    let mut taken = Vec::new();
    while taken.len() < most && (taken.is_empty() || begun.elapsed() < LONG) {
        let begun = Instant::now();
        run()?;
        taken.push(begun.elapsed());
    }
    taken.sort_unstable();
    Ok(taken[taken.len() / 2])
}

/// Microseconds.
fn us(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}
