//! `triforium bench --gpu`: this machine's GPU by itself, beside what the processor makes of the same
//! jobs, and whether both make the same.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use super::process::Tree;
use super::processors;
use crate::cancel::Cancel;
use crate::cli::output::{self, Failure, Outcome};
use crate::codec;
use crate::encoding::JpegSettings;
use crate::error::{Error, Result};
use crate::geometry::Dimensions;
use crate::plan::{Crop, Filter, Pass, Turn, canvas};
use crate::raster::{Channels, OneStrip, Raster, gather};
use crate::render::gpu::{Gpu, GpuConfig, GpuMode, Job, Measured, Output, State, Trial, measure};
use crate::render::{self, CpuEngine, Engine as _, Target};

/// How long the processor's rates are measured.
const WHILE: Duration = Duration::from_secs(1);

/// Side of the pictures that trials begin with.
const SOURCE: Dimensions = Dimensions {
    width: 512,
    height: 512,
};

/// Of pictures that cost nothing but what a job costs.
const SMALL: Dimensions = Dimensions {
    width: 8,
    height: 8,
};

/// What they come to.
const SMALL_HALVED: Dimensions = Dimensions {
    width: 4,
    height: 4,
};

/// Why writing to a text never fails.
const IN_MEMORY: &str = "a String takes every write";

/// Side of a tile.
const TILE: Dimensions = Dimensions {
    width: 256,
    height: 256,
};

/// Measures the first adapter with `adapter` in its name, and prints.
pub(super) fn run(adapter: &str, json: bool) -> Outcome {
    let trials = trials()?;
    let calibrated = calibrated(adapter)?;
    let own = Tree::new(vec![std::process::id()]);
    let mut measured = measure(adapter, &trials, &|| own.cpu_seconds()).map_err(Failure::Words)?;
    for (name, nanoseconds) in calibrated {
        measured.note("calibration", name, nanoseconds, "ns");
    }
    for trial in &trials {
        on_cpu(trial, &own, &mut measured)?;
    }
    let text = if json {
        format!("{:#}\n", as_json(&measured))
    } else {
        table(&measured)
    };
    output::bytes(text.as_bytes())?;
    Ok(if measured.different + measured.undone == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// What the server would measure at its start: a submission, and a unit of each kind of work. The device
/// has to prove itself before.
fn calibrated(adapter: &str) -> Result<Vec<(&'static str, f64)>, Failure> {
    let config = GpuConfig {
        mode: GpuMode::On,
        adapter: adapter.to_owned(),
        ..GpuConfig::default()
    };
    let report = Gpu::start(&config, Some(codec::jpeg::file)).settled();
    match report.state {
        State::Up => Ok(report.measured),
        State::Off | State::Starting | State::Down => Err(Failure::Words(report.reason)),
    }
}

/// What a viewer asks for most, and what costs a processor most.
fn trials() -> Result<Vec<Trial>> {
    let turned = Pass::Rotate(Turn {
        degrees: 22.5,
        canvas: canvas(SOURCE, 22.5),
        background: Some([255; 3]),
    });
    let halved = resampled(SOURCE, TILE);
    let mut trials = vec![
        trial(
            "8² halved",
            SMALL,
            &[resampled(SMALL, SMALL_HALVED)],
            Target::Rows,
        )?,
        trial("tile of 512² halved", SOURCE, &[halved], Target::Rows)?,
        trial("512² turned by 22.5°", SOURCE, &[turned], Target::Rows)?,
    ];
    if codec::jpeg::is_standard() {
        let jpeg = Target::Jpeg(JpegSettings::default());
        trials.push(trial("JPEG of 256²", TILE, &[], jpeg)?);
        trials.push(trial("tile of 512² halved, JPEG", SOURCE, &[halved], jpeg)?);
    }
    Ok(trials)
}

/// The whole of `from` to `target`.
fn resampled(from: Dimensions, target: Dimensions) -> Pass {
    Pass::Resample {
        crop: Crop {
            x: 0.0,
            y: 0.0,
            width: f64::from(from.width),
            height: f64::from(from.height),
        },
        target,
        filter: Filter::Lanczos3,
    }
}

fn trial(name: &'static str, source: Dimensions, passes: &[Pass], target: Target) -> Result<Trial> {
    let source = painted(source)?;
    Ok(Trial {
        name,
        expected: made(&source, passes, target)?,
        job: Arc::new(Job::new(source, passes.to_vec(), target)),
    })
}

/// What the processor makes of a picture.
fn made(source: &Raster, passes: &[Pass], target: Target) -> Result<Output> {
    let cancel = Cancel::new();
    let source = Box::new(OneStrip::from(source.clone()));
    let render::Output::Rows(mut rows) =
        CpuEngine::default().run(source, passes, target, &cancel)?
    else {
        return Err(Error::internal("the CPU engine gives rows"));
    };
    let raster = gather(rows.as_mut(), &cancel)?;
    match target {
        Target::Rows => Ok(Output::Pixels(raster)),
        Target::Jpeg(settings) => codec::jpeg::file(raster, settings).map(Output::Jpeg),
    }
}

/// Slopes, waves, an edge and grain: about as much to encode as a photograph.
fn painted(dimensions: Dimensions) -> Result<Raster> {
    let mut grain = 1_u32;
    let mut samples = Vec::new();
    for y in 0..dimensions.height {
        for x in 0..dimensions.width {
            let edge = if (x + y / 3) % 160 < 80 { 50 } else { 0 };
            for channel in 0..3 {
                grain = grain.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let wave = (x * 3 % 128).abs_diff(y * (2 + channel) % 128) / 2;
                let level = 40 + edge + wave + y / 8 + (grain >> 28);
                samples.push(u8::try_from(level).unwrap_or(u8::MAX));
            }
        }
    }
    Raster::from_u8(dimensions, Channels::Rgb, samples)
}

/// One thread, then all processors at once.
fn on_cpu(trial: &Trial, own: &Tree, measured: &mut Measured) -> Result<()> {
    let Some(source) = trial.job.source.raster() else {
        return Err(Error::internal("trials bring their pixels"));
    };
    for threads in [1, processors()] {
        let (begun, cpu_begun, done) = (Instant::now(), own.cpu_seconds(), AtomicU64::new(0));
        std::thread::scope(|scope| {
            let work = || {
                while begun.elapsed() < WHILE {
                    made(source, &trial.job.passes, trial.job.target)?;
                    done.fetch_add(1, Ordering::Relaxed);
                }
                Ok(())
            };
            let all: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            all.into_iter().try_for_each(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|_| Err(Error::internal("a measuring thread ended early")))
            })
        })?;
        let count = done.into_inner() as f64;
        let name = format!("{}, CPU, {threads} threads", trial.name);
        let rate = count / begun.elapsed().as_secs_f64();
        measured.note("rate", name, rate, "a second");
        if threads == 1 {
            let cpu = (own.cpu_seconds() - cpu_begun) * 1e3 / count;
            let name = format!("{}, CPU, processor", trial.name);
            measured.note("rate", name, cpu, "ms each");
        }
    }
    Ok(())
}

fn as_json(measured: &Measured) -> serde_json::Value {
    let figures: Vec<_> = measured
        .figures
        .iter()
        .map(|figure| {
            json!({
                "group": figure.group,
                "name": figure.name,
                "value": figure.value,
                "unit": figure.unit,
            })
        })
        .collect();
    json!({
        "adapter": measured.adapter,
        "driver": measured.driver,
        "kind": measured.kind,
        "kernels_timed_by": if measured.has_stamps { "device" } else { "host" },
        "compared": measured.compared,
        "different": measured.different,
        "undone": measured.undone,
        "figures": figures,
    })
}

fn table(measured: &Measured) -> String {
    let mut text = format!(
        "{} ({}), {}\n{} outputs compared with the processor's, {} different; {} jobs undone\n",
        measured.adapter,
        measured.kind,
        measured.driver,
        measured.compared,
        measured.different,
        measured.undone
    );
    let width = |text: &str| text.chars().count();
    let names = measured.figures.iter().map(|figure| width(&figure.name));
    let widest = names.max().unwrap_or(0);
    let mut group = "";
    for figure in &measured.figures {
        if figure.group != group {
            group = figure.group;
            writeln!(text, "\n{group}").expect(IN_MEMORY);
        }
        let gap = widest - width(&figure.name);
        let (name, value, unit) = (&figure.name, figure.value, figure.unit);
        writeln!(text, "  {name}{:gap$}  {value:>12.3} {unit}", "").expect(IN_MEMORY);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::gpu::Figure;

    #[test]
    fn trials_come_to_what_they_say() {
        for trial in trials().unwrap() {
            let jpeg = matches!(trial.job.target, Target::Jpeg(_));
            match &trial.expected {
                Output::Jpeg(file) => assert!(jpeg && file.starts_with(&[0xff, 0xd8])),
                Output::Pixels(raster) => assert!(!jpeg && raster.dimensions().area() >= 16),
            }
        }
    }

    #[test]
    fn a_table_has_a_line_for_each_figure_under_its_group() {
        let mut measured = Measured {
            adapter: "lavapipe".to_owned(),
            ..Measured::default()
        };
        measured.note("transfer", "1 MiB up", 2.5, "GB/s");
        measured.note("batch", "tile × 64", 10.0, "µs a job");
        let text = table(&measured);
        assert!(
            text.contains("\ntransfer\n  1 MiB up          2.500 GB/s\n"),
            "{text}"
        );
        assert!(
            text.contains("\nbatch\n  tile × 64        10.000 µs a job\n"),
            "{text}"
        );
        let figure = &as_json(&measured)["figures"][1];
        assert_eq!(figure["value"], 10.0);
        let last = Figure {
            group: "batch",
            name: "tile × 64".to_owned(),
            value: 10.0,
            unit: "µs a job",
        };
        assert_eq!(measured.figures[1], last);
    }
}
