//! `triforium bench`: the same questions to one server or several, and what each made of them.
//!
//! A collection is learnt from the servers, workloads are made from it and a seed, every server has its
//! turn in each round, and a report comes out as text, JSON, Markdown or a page. It talks to the servers
//! that it is given and to nobody else, and follows no redirect.

mod client;
mod collection;
mod gpu;
mod html;
mod load;
mod markdown;
mod measure;
mod plot;
mod process;
mod progress;
mod question;
mod report;
mod server;
mod session;
mod sniff;
mod target;
mod text;
mod workload;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum as _};

use self::report::Report;
use self::target::Target;
use self::workload::Workload;
use super::ConfigArgs;
use super::output::{self, Failure, Outcome};
use crate::iiif::Version;

/// Asks one or several running servers the same seeded questions and compares their answers
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  triforium bench --workloads tiles,thumbnails --seconds 5
  triforium bench http://127.0.0.1:8182/iiif/3 --against iipimage=http://127.0.0.1:8080/iiif \\
      --against cantaloupe=http://127.0.0.1:8181/iiif/2 --ids masters.txt --rounds 5 --html report.html
  triforium bench --gpu --json > gpu.json

Exit status: 0 if every workload has its figures on every server; 1 if one has none, because of errors or
wrong sizes, or if nothing could be measured, or a GPU's output is not the processor's; 2 for wrong
settings or usage.")]
pub(super) struct Bench {
    /// Base of the Image API of the first server [default: the configured public listener's /iiif/3]
    ///
    /// In an address {id} stands for the identifier; {path} for it with its slashes, {stem} for it without
    /// its last extension. Without any, the identifier is the next segment.
    #[arg(value_name = "[NAME=]URL", value_parser = Target::first)]
    url: Option<Target>,
    /// A further server; may be repeated
    #[arg(long, value_name = "NAME=URL", value_parser = Target::named)]
    against: Vec<Target>,
    #[command(flatten)]
    config: ConfigArgs,
    /// Workloads [default: all but angles]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    workloads: Vec<Workload>,
    /// File with an identifier a line [default: the list of the first server's start page]
    #[arg(long, value_name = "FILE")]
    ids: Option<PathBuf>,
    /// Most images to ask for
    #[arg(long, value_name = "N", default_value_t = 64)]
    images: usize,
    /// Image API that a server speaks, 2 or 3 [default: as its info.json says]
    #[arg(long, value_name = "NAME=VERSION", value_parser = api)]
    api: Vec<(String, Version)>,
    /// Processes of a server on this machine, whose processor time and memory are then reported
    #[arg(long, value_name = "NAME=PID[+PID…]", value_parser = pids)]
    pid: Vec<(String, Vec<u32>)>,
    /// Requests per second: an open loop, in which latencies count from the intended time
    #[arg(long, value_name = "R", value_parser = positive)]
    rate: Option<f64>,
    /// Connections: all busy in a closed loop [default: 4], at most so many in an open one [default: 64]
    #[arg(long, value_name = "N")]
    concurrency: Option<usize>,
    /// Most seconds of a server's turn
    #[arg(long, value_name = "S", default_value = "10", value_parser = positive)]
    seconds: f64,
    /// Most requests of a server's turn
    #[arg(long, value_name = "N", default_value_t = 1000)]
    requests: usize,
    /// Turns of each server
    #[arg(long, value_name = "N", default_value_t = 3)]
    rounds: usize,
    /// Requests to each server before the first round, which do not count
    #[arg(long, value_name = "N", default_value_t = 20)]
    warm: usize,
    /// Most seconds to let a server (with --pid) come to rest after these; what it worked is reported
    #[arg(long, value_name = "S", default_value = "0", value_parser = at_least_0)]
    settle: f64,
    /// New questions in every round, in place of the same
    #[arg(long)]
    fresh: bool,
    /// Where chance begins: equal seeds ask alike
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Edge of tiles in pixels [default: as the first server's info.json says]
    #[arg(long, value_name = "PX", value_parser = clap::value_parser!(u32).range(1..))]
    tile: Option<u32>,
    /// Format of the answers: jpg, png, webp or gif
    #[arg(long, value_name = "FORMAT", default_value = "jpg", value_parser = ["jpg", "png", "webp", "gif"])]
    format: String,
    /// Pixels by which a side may be off and still count as right
    #[arg(long, value_name = "PX", default_value_t = 0)]
    tolerance_px: u32,
    /// Seconds after which an answer counts as an error
    #[arg(long, value_name = "S", default_value = "60", value_parser = positive)]
    timeout: f64,
    /// What the measurement is called in reports
    #[arg(long, value_name = "TEXT", default_value = "triforium bench")]
    title: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Print a table in Markdown
    #[arg(long, conflicts_with = "json")]
    markdown: bool,
    /// Write a page with tables and plots
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Measure nothing: print earlier reports, saved with --json; may be repeated
    #[arg(long, value_name = "FILE", conflicts_with_all = ["url", "against"])]
    from: Vec<PathBuf>,
    /// Measure this machine's GPU, the first or the one with NAME in its name, in place of a server
    #[arg(
        long,
        value_name = "NAME",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "",
        conflicts_with_all = ["url", "against", "from", "markdown", "html"]
    )]
    gpu: Option<String>,
}

impl Bench {
    /// Runs the command.
    pub(super) fn run(self) -> Outcome {
        if let Some(adapter) = &self.gpu {
            return gpu::run(adapter, self.json);
        }
        let reports = if self.from.is_empty() {
            vec![self.measured()?]
        } else {
            self.from.iter().map(read).collect::<Result<_, _>>()?
        };
        if let Some(file) = &self.html {
            fs::write(file, html::page(&reports))?;
        }
        output::bytes(self.printed(&reports)?.as_bytes())?;
        Ok(if reports.iter().all(Report::is_whole) {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }

    fn printed(&self, reports: &[Report]) -> Result<String, Failure> {
        let unwritable = |_cause| Failure::Words("the report holds what JSON cannot".to_owned());
        Ok(match reports {
            [report] if self.json => {
                serde_json::to_string_pretty(report).map_err(unwritable)? + "\n"
            }
            several if self.json => {
                serde_json::to_string_pretty(several).map_err(unwritable)? + "\n"
            }
            several if self.markdown => markdown::tables(several),
            several => several.iter().map(text::table).collect(),
        })
    }

    fn measured(&self) -> Result<Report, Failure> {
        let mut targets = vec![match &self.url {
            Some(target) => target.clone(),
            None => self.configured()?,
        }];
        targets.extend(self.against.iter().cloned());
        self.check(&targets)?;
        let threads = (processors() / 2).clamp(1, 4);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(threads)
            .enable_all()
            .build()?;
        runtime.block_on(measure::report(self, targets))
    }

    /// The server of the configuration in force.
    fn configured(&self) -> Result<Target, Failure> {
        let (config, _) = self.config.load(&[])?;
        let http = config.http;
        if !http.server.tls.certificate.as_os_str().is_empty() {
            return Err(Failure::Usage(
                "the configured server speaks TLS, which bench does not: name a plain address"
                    .to_owned(),
            ));
        }
        let listen = http
            .server
            .listen
            .replace("0.0.0.0:", "127.0.0.1:")
            .replace("[::]:", "[::1]:");
        let prefix = http.public.prefix.trim_end_matches('/').to_owned();
        Target::first(&format!("http://{listen}{prefix}/iiif/3")).map_err(Failure::Usage)
    }

    /// Names that mean nobody, or several.
    fn check(&self, targets: &[Target]) -> Result<(), Failure> {
        let known = |name: &String| targets.iter().filter(|target| target.name == *name).count();
        if let Some(twice) = targets.iter().find(|target| known(&target.name) > 1) {
            let words = format!("two servers are called {}: NAME=URL names them", twice.name);
            return Err(Failure::Usage(words));
        }
        let named = self
            .api
            .iter()
            .map(|(name, _)| name)
            .chain(self.pid.iter().map(|(name, _)| name));
        match named.into_iter().find(|name| known(name) == 0) {
            Some(nobody) => Err(Failure::Usage(format!("no server is called {nobody}"))),
            None => Ok(()),
        }
    }

    /// The workloads to run.
    fn workloads(&self) -> Vec<Workload> {
        let all = Workload::value_variants().iter().copied();
        if self.workloads.is_empty() {
            Workload::USUAL.to_vec()
        } else {
            all.filter(|workload| self.workloads.contains(workload))
                .collect()
        }
    }
}

/// Reads a report that `--json` wrote.
fn read(file: &PathBuf) -> Result<Report, Failure> {
    let text =
        fs::read(file).map_err(|cause| Failure::Words(format!("{}: {cause}", file.display())))?;
    serde_json::from_slice(&text)
        .map_err(|cause| Failure::Words(format!("{} is no report: {cause}", file.display())))
}

/// Processors of this machine that this program may use.
fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn api(text: &str) -> Result<(String, Version), String> {
    match text.rsplit_once('=') {
        Some((name, "2")) => Ok((name.to_owned(), Version::V2)),
        Some((name, "3")) => Ok((name.to_owned(), Version::V3)),
        _ => Err("write NAME=2 or NAME=3".to_owned()),
    }
}

fn pids(text: &str) -> Result<(String, Vec<u32>), String> {
    let wrong = || "write NAME=PID or NAME=PID+PID".to_owned();
    let (name, numbers) = text.rsplit_once('=').ok_or_else(wrong)?;
    let numbers: Option<_> = numbers
        .split('+')
        .map(|number| number.parse().ok())
        .collect();
    Ok((name.to_owned(), numbers.ok_or_else(wrong)?))
}

fn positive(text: &str) -> Result<f64, String> {
    at_least_0(text).and_then(|number| {
        if number > 0.0 {
            Ok(number)
        } else {
            Err("more than 0".to_owned())
        }
    })
}

/// A number that fits a duration.
fn at_least_0(text: &str) -> Result<f64, String> {
    let number = text
        .parse()
        .ok()
        .filter(|number| (0.0..=1e6).contains(number));
    number.ok_or_else(|| "a number from 0 to 1000000".to_owned())
}
