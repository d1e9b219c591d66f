//! `triforium convert`: masters to pyramids that serve fast.
//!
//! What a pyramid is, is decided in `choice`; which files become which, in `walk`; one file's way is
//! `job`; a result appears whole under its name or not at all (`target`).

mod choice;
mod job;
mod master;
mod progress;
mod target;
mod walk;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::thread;

use clap::Args;
use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};

use self::choice::Choice;
use self::job::{Done, Job};
use self::progress::Progress;
use self::walk::Task;
use super::output::{self, Failure, Outcome};
use crate::cancel::Cancel;
use crate::config;

/// The exit status of a command that a signal stopped, as shells have it for an interrupt.
const INTERRUPTED: u8 = 130;

/// Converts masters to pyramidal TIFFs, the form that serves fastest
///
/// Samples stay as the master stores them: colour profile, EXIF, XMP, IPTC, resolution and orientation
/// are carried over. A result appears under its name when it is complete, and never replaces a file. It is a
/// master like the first: overlays are laid over it when it is served, if a rule is for its name.
///
/// Exit status: 0 when every master is converted (or was, with --resume), 1 when one is not,
/// 2 for wrong usage, 130 when interrupted.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  triforium convert map.jp2 map.tif\n  triforium convert --resume --compression zstd --tile 512 scans/ pyramids/"
)]
pub(super) struct Convert {
    /// A master, or a folder of masters
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// The file to write; for a folder, the folder that gets every master's pyramid under the same
    /// relative path, with the extension tif
    #[arg(value_name = "OUT")]
    output: PathBuf,
    #[command(flatten)]
    choice: Choice,
    /// Page of a master that has several
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    page: u32,
    /// Threads [default: the machine's processors]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Skip what an earlier run has made of the same masters, as length and time of change say
    #[arg(long)]
    resume: bool,
    /// Say what would be done, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Convert {
    /// Runs the command.
    pub(super) fn run(self) -> Outcome {
        let tasks = match walk::tasks(&self.input, &self.output) {
            Ok(tasks) => tasks,
            Err(walk::Refused::Usage(words)) => {
                // As clap does for what it can see itself.
                return Ok(Failure::Words(words).report_as(2));
            }
            Err(walk::Refused::Unreadable(words)) => return Err(Failure::Words(words)),
        };
        let cancel = Cancel::new();
        stop_on_signals(&cancel)?;
        let done = self.convert_all(&tasks, &cancel);
        let failed = done.iter().any(Done::is_failure);
        if self.json {
            output::report(&report(&done), true)?;
        } else if tasks.len() != 1 {
            output::line(&summary(&done))?;
        }
        if cancel.check().is_err() {
            return Ok(ExitCode::from(INTERRUPTED));
        }
        Ok(if failed {
            ExitCode::FAILURE
        } else {
            ExitCode::SUCCESS
        })
    }

    /// Several files at a time where there are several, each with its share of threads and memory.
    fn convert_all(&self, tasks: &[Task], cancel: &Cancel) -> Vec<Done> {
        let resources = config::resources();
        let threads = self.threads.map_or(resources.threads, usize::from);
        let files = threads.min(tasks.len()).max(1);
        let progress = Progress::new(tasks, self.dry_run);
        let job = Job {
            choice: &self.choice,
            page: self.page,
            resume: self.resume,
            dry_run: self.dry_run,
            threads: threads.div_ceil(files),
            memory_bytes: resources.memory_bytes / 2 / files as u64,
            progress: &progress,
            cancel,
        };
        let waiting = Mutex::new(tasks.iter());
        let finished = Mutex::new(Vec::new());
        let next = || {
            waiting
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .next()
        };
        thread::scope(|scope| {
            for _ in 0..files {
                scope.spawn(|| {
                    while let Some(task) = next() {
                        if cancel.check().is_err() {
                            return;
                        }
                        let done = job.run(task);
                        progress.finished(task, &done, self.json);
                        let mut finished = finished.lock().unwrap_or_else(PoisonError::into_inner);
                        finished.push(done);
                    }
                });
            }
        });
        progress.end();
        let mut done = finished
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        done.sort_by(|left, right| left.input.cmp(&right.input));
        done
    }
}

fn report(done: &[Done]) -> Value {
    let count = |status: &str| done.iter().filter(|one| one.status() == status).count();
    json!({
        "converted": count("converted"),
        "planned": count("planned"),
        "skipped": count("skipped"),
        "failed": count("failed"),
        "files": done.iter().map(Done::report).collect::<Vec<_>>(),
    })
}

fn summary(done: &[Done]) -> String {
    let count = |status: &str| done.iter().filter(|one| one.status() == status).count();
    let planned = count("planned");
    let converted = if planned > 0 {
        format!("{planned} to be converted")
    } else {
        format!("{} converted", count("converted"))
    };
    format!(
        "{converted}, {} skipped, {} failed",
        count("skipped"),
        count("failed")
    )
}

/// Sets the token at the first signal that asks for the end.
fn stop_on_signals(cancel: &Cancel) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (mut interrupt, mut terminate) = {
        let _entered = runtime.enter();
        (
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
        )
    };
    let cancel = cancel.clone();
    // It waits for as long as the process lives.
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
            });
            cancel.cancel();
        })?;
    Ok(())
}
