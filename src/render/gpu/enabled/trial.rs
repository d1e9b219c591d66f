//! What a device has to get right before it is trusted: some twenty jobs in one batch, compared with
//! what the CPU makes of them.

use std::sync::Arc;
use std::time::Duration;

use super::super::{Encode, Fault, Job, Keep, Mosaic, Output, Source, TileName};
use super::executor::Executor;
use super::pictures::{picture, reference, resample};
use crate::encoding::JpegSettings;
use crate::error::Result;
use crate::geometry::{Dimensions, Orientation};
use crate::plan::{Filter, Pass, Turn, canvas};
use crate::raster::{Channels, Raster, Samples, Shape};
use crate::render::Target;

/// What the trial came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Everything is as the CPU makes it.
    Sound,
    /// Something is not.
    Wrong(String),
}

/// A device may have to compile first.
const PATIENCE: Duration = Duration::from_mins(1);

/// Tries `executor`; files only where `encode` says what they have to be.
pub(super) fn trial(executor: &dyn Executor, encode: Option<Encode>) -> Verdict {
    let tried = tasks(encode.is_some()).map(|tasks| compare(executor, tasks, encode));
    let words = match tried {
        Ok(Ok(())) => gathers(executor).unwrap_or_else(|error| Err(error.chain())),
        Ok(words) => words,
        Err(error) => Err(error.chain()),
    };
    match words {
        Ok(()) => Verdict::Sound,
        Err(words) => Verdict::Wrong(words),
    }
}

/// Tries `executor`, which a test may have opened with changed shaders.
///
/// # Errors
///
/// What is wrong with it.
pub fn prove(executor: &dyn Executor, encode: Option<Encode>) -> Result<(), String> {
    match trial(executor, encode) {
        Verdict::Sound => Ok(()),
        Verdict::Wrong(words) => Err(words),
    }
}

/// Cells of the window that is put together.
const CELL: Dimensions = Dimensions {
    width: 20,
    height: 30,
};

/// Whether a window of two tiles that stay on the device is what it was; tiles that cannot stay are no
/// fault.
fn gathers(executor: &dyn Executor) -> Result<Result<(), String>> {
    let Some(tiles) = executor.tiles() else {
        return Ok(Ok(()));
    };
    let mut keep = Vec::new();
    for column in 0..2 {
        keep.push(Keep {
            name: TileName {
                master: [0; 32],
                factor: 1,
                cell: CELL,
                column,
                row: 0,
            },
            pixels: Arc::new(picture(
                CELL.width,
                CELL.height,
                Channels::Rgb,
                90 + column,
            )?),
            worth: 1,
        });
    }
    let names: Vec<_> = keep.iter().map(|keep| keep.name).collect();
    let wanted = window(&keep)?;
    let plain = Job::new(wanted.clone(), Vec::new(), Target::Rows);
    if let Err(fault) = ran(executor, Job { keep, ..plain }) {
        return Ok(Err(failed(fault)));
    }
    let Some(held) = tiles.held(&names) else {
        return Ok(Ok(()));
    };
    let mosaic = Mosaic {
        shape: Shape {
            dimensions: wanted.dimensions(),
            format: wanted.format(),
        },
        cell: CELL,
        left: LEFT,
        top: 0,
        tiles: held,
    };
    let job = Job {
        source: Source::Resident(mosaic),
        keep: Vec::new(),
        passes: Vec::new(),
        target: Target::Rows,
        part: None,
    };
    Ok(match ran(executor, job) {
        Ok(Output::Pixels(raster)) if raster == wanted => Ok(()),
        Ok(_) => Err("a window of tiles differs from the host's".to_owned()),
        Err(fault) => Err(failed(fault)),
    })
}

/// Columns of the first tile left of the window.
const LEFT: u32 = 2;

/// The window on the host: both tiles side by side, without the first columns.
fn window(keep: &[Keep]) -> Result<Raster> {
    let width = u32::try_from(keep.len()).unwrap_or(0) * CELL.width - LEFT;
    let mut samples = Vec::new();
    let row = 3 * CELL.width as usize;
    for y in 0..CELL.height as usize {
        for (index, keep) in keep.iter().enumerate() {
            let Samples::U8(tile) = keep.pixels.samples() else {
                continue;
            };
            let skipped = if index == 0 { 3 * LEFT as usize } else { 0 };
            samples.extend_from_slice(&tile[y * row + skipped..(y + 1) * row]);
        }
    }
    let dimensions = Dimensions { width, ..CELL };
    Raster::from_u8(dimensions, Channels::Rgb, samples)
}

/// What one job comes to.
fn ran(executor: &dyn Executor, job: Job) -> Result<Output, Fault> {
    let flight = executor.submit(&[Arc::new(job)])?;
    flight.wait(PATIENCE)?.pop().unwrap_or(Err(Fault::Lost))
}

fn failed(fault: Fault) -> String {
    format!("its batch ends as {}", fault.name())
}

fn compare(executor: &dyn Executor, tasks: Vec<Job>, encode: Option<Encode>) -> Result<(), String> {
    let fits = |job: &Job| {
        let shape = job.source.shape();
        executor.footprint(shape, &job.passes, job.target).is_some()
    };
    let jobs: Vec<_> = tasks.into_iter().filter(fits).map(Arc::new).collect();
    if jobs.is_empty() {
        return Err("it can do none of the jobs".to_owned());
    }
    let flight = executor.submit(&jobs).map_err(failed)?;
    let outcomes = flight.wait(PATIENCE).map_err(failed)?;
    if outcomes.len() != jobs.len() {
        return Err("some jobs have no outcome".to_owned());
    }
    for (job, outcome) in jobs.iter().zip(outcomes) {
        let given = outcome.map_err(failed)?;
        let wanted = expected(job, &given, encode).map_err(|error| error.chain())?;
        if given != wanted {
            return Err(format!(
                "{:?} of {} to {:?} differs from the CPU's",
                job.passes,
                job.source.shape().dimensions,
                job.target
            ));
        }
    }
    Ok(())
}

/// What the CPU makes of the job, as a file where the device gave one.
fn expected(job: &Job, given: &Output, encode: Option<Encode>) -> Result<Output> {
    let raster = reference(&job.source, &job.passes)?;
    match (given, job.target, encode) {
        (Output::Jpeg(_), Target::Jpeg(settings), Some(encode)) => {
            encode(raster, settings).map(Output::Jpeg)
        }
        _ => Ok(Output::Pixels(raster)),
    }
}

/// The jobs: every pass and its neighbours, odd sides, all orientations.
fn tasks(files: bool) -> Result<Vec<Job>> {
    let mut jobs = Vec::new();
    let mut add = |side: (u32, u32), channels, passes: Vec<Pass>, target| -> Result<()> {
        let seed = u32::try_from(jobs.len()).unwrap_or(0) + 1;
        jobs.push(Job::new(
            picture(side.0, side.1, channels, seed)?,
            passes,
            target,
        ));
        Ok(())
    };
    let down = resample((61, 47), (23, 19), Filter::Lanczos3);
    let up = resample((17, 13), (40, 37), Filter::CatmullRom);
    for turns in 0..4 {
        for mirror in [false, true] {
            let orient = Pass::Orient(Orientation { mirror, turns });
            add((61, 47), Channels::Rgb, vec![down, orient], Target::Rows)?;
        }
    }
    for tone in [Pass::Gray, Pass::Bitonal] {
        add((61, 47), Channels::Rgb, vec![down, tone], Target::Rows)?;
        add((33, 9), Channels::Rgb, vec![tone], Target::Rows)?;
    }
    add((17, 13), Channels::Rgb, vec![up], Target::Rows)?;
    add((17, 13), Channels::Gray, vec![up], Target::Rows)?;
    let halves = vec![Pass::Shrink { times: 2 }];
    add((61, 47), Channels::Rgb, halves.clone(), Target::Rows)?;
    add((61, 47), Channels::GrayAlpha, halves, Target::Rows)?;
    add((17, 13), Channels::GrayAlpha, vec![up], Target::Rows)?;
    let opaque = Pass::Flatten {
        background: [255; 3],
    };
    add((17, 13), Channels::Rgba, vec![up], Target::Rows)?;
    add((17, 13), Channels::Rgba, vec![up, opaque], Target::Rows)?;
    let turn = |degrees, background| {
        Pass::Rotate(Turn {
            degrees,
            canvas: canvas(
                Dimensions {
                    width: 23,
                    height: 19,
                },
                degrees,
            ),
            background,
        })
    };
    let white = Some([255; 3]);
    add(
        (61, 47),
        Channels::Rgb,
        vec![down, turn(33.5, white)],
        Target::Rows,
    )?;
    add(
        (61, 47),
        Channels::Rgb,
        vec![down, turn(200.25, None)],
        Target::Rows,
    )?;
    let clear = turn(33.5, None);
    add((23, 19), Channels::Rgba, vec![clear], Target::Rows)?;
    if files {
        for (quality, channels, passes) in [
            (80, Channels::Rgb, vec![down]),
            (95, Channels::Rgb, vec![]),
            (10, Channels::Gray, vec![]),
            (50, Channels::Rgb, vec![down, Pass::Gray]),
        ] {
            let target = Target::Jpeg(JpegSettings {
                quality,
                ..JpegSettings::default()
            });
            add((61, 47), channels, passes, target)?;
        }
    }
    Ok(jobs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::gpu::enabled::fake::{Fake, encode};

    #[test]
    fn a_device_that_makes_what_the_cpu_makes_is_sound() {
        let fake = Fake::new();
        assert_eq!(trial(&fake, Some(encode)), Verdict::Sound);
        assert!(fake.jobs_seen() >= 20, "{}", fake.jobs_seen());
        assert_eq!(trial(&fake, None), Verdict::Sound);
    }

    #[test]
    fn one_wrong_sample_is_enough() {
        let fake = Fake::new();
        fake.spoil(true);
        assert!(matches!(trial(&fake, None), Verdict::Wrong(_)));
    }

    #[test]
    fn a_device_that_fails_or_can_do_nothing_is_not_trusted() {
        let fake = Fake::new();
        fake.fail_with(Some(Fault::Lost));
        assert!(matches!(trial(&fake, None), Verdict::Wrong(_)));
        let fake = Fake::new();
        fake.refuse_all();
        assert!(matches!(trial(&fake, None), Verdict::Wrong(_)));
    }
}
