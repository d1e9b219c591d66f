//! A measurement from its beginning to its report: learn the collection, warm, rounds, compare.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::collection::{self, Image};
use super::load::{self, Load, Tally};
use super::process::Tree;
use super::progress::Progress;
use super::question::Question;
use super::report::{Cell, LeftOut, Method, Report, ServerFacts, WorkloadReport};
use super::server::Server;
use super::target::Target;
use super::workload::{Maker, Workload, distinct};
use super::{Bench, Failure, processors};
use crate::iiif::{Identifier, Version};

/// Connections of a closed loop, and most of an open one, unless told otherwise.
const CLOSED_CONNECTIONS: usize = 4;
const OPEN_CONNECTIONS: usize = 64;

/// How long a server has to be quiet to count as at rest.
const QUIET: Duration = Duration::from_secs(1);

/// What is measured and with what.
struct Scene<'a> {
    bench: &'a Bench,
    servers: Vec<Server>,
    images: Arc<[Image]>,
    progress: Progress,
}

/// Measures all workloads on all servers.
///
/// # Errors
///
/// Where a server cannot be reached or the servers have no image in common.
pub(super) async fn report(bench: &Bench, targets: Vec<Target>) -> Result<Report, Failure> {
    let started = jiff::Timestamp::now().to_string();
    let mut servers = servers(bench, targets).await?;
    let identifiers = identifiers(bench, &servers).await?;
    let (images, left_out) = collection::learn(&mut servers, &identifiers, bench.tile).await;
    if images.is_empty() {
        return Err(Failure::Words(nothing_in_common(&left_out)));
    }
    let workloads = bench.workloads();
    let turns = workloads.len() * servers.len() * bench.rounds.max(1);
    let mut scene = Scene {
        bench,
        servers,
        images: images.into(),
        progress: Progress::new(turns),
    };
    let mut reports = Vec::new();
    for workload in workloads {
        reports.push(scene.workload(workload).await);
    }
    scene.progress.end();
    Ok(Report {
        title: bench.title.clone(),
        program: concat!("triforium ", env!("CARGO_PKG_VERSION")).to_owned(),
        started,
        method: method(bench),
        servers: scene.servers.iter().map(facts).collect(),
        images: scene.images.len(),
        left_out,
        workloads: reports,
    })
}

impl Scene<'_> {
    /// A workload on every server, interleaved.
    async fn workload(&mut self, workload: Workload) -> WorkloadReport {
        let questions = self.questions(workload, 0);
        let mut rests = Vec::new();
        for server in &self.servers {
            self.progress
                .begin(&format!("{} warms {}", workload.name(), server.target.name));
            rests.push(self.warm(workload, server).await);
        }
        let mut tallies: Vec<Vec<Tally>> = vec![Vec::new(); self.servers.len()];
        for round in 0..self.bench.rounds.max(1) {
            let questions = self.questions(workload, if self.bench.fresh { round } else { 0 });
            for (server, tallies) in self.servers.iter().zip(&mut tallies) {
                let what = format!(
                    "{} on {}, round {}",
                    workload.name(),
                    server.target.name,
                    round + 1
                );
                self.progress.begin(&what);
                let tally = load::run(server, &self.images, &questions, load(self.bench)).await;
                self.progress.done(&what, &in_short(&tally));
                tallies.push(tally);
            }
        }
        let cells = self.servers.iter().zip(rests).zip(&tallies);
        let cells =
            cells.map(|((server, rest), tallies)| Cell::new(&server.target.name, rest, tallies));
        WorkloadReport {
            name: workload.name().to_owned(),
            questions: questions.len(),
            distinct: distinct(&questions),
            servers: compared(cells.collect()),
        }
    }

    /// The questions of a round.
    fn questions(&self, workload: Workload, round: usize) -> Arc<[Question]> {
        self.asked(workload, round as u64, self.bench.requests)
    }

    fn asked(&self, workload: Workload, salt: u64, count: usize) -> Arc<[Question]> {
        let maker = Maker {
            images: &self.images,
            format: &self.bench.format,
            seed: self.bench.seed.wrapping_add(salt << 32),
        };
        maker.questions(workload, count).into()
    }

    /// Questions that do not count, then rest; gives the processor time of the rest.
    async fn warm(&self, workload: Workload, server: &Server) -> Option<f64> {
        // Rounds with questions of their own are not to find them answered.
        let salt = if self.bench.fresh { u64::MAX >> 33 } else { 0 };
        let questions = self.asked(workload, salt, self.bench.warm);
        let warming = Load {
            rate: None,
            time: Duration::MAX / 4,
            ..load(self.bench)
        };
        load::run(server, &self.images, &questions, warming).await;
        let settle = Duration::from_secs_f64(self.bench.settle);
        rest(server.processes.as_ref()?, settle).await
    }
}

/// Waits until `processes` do nothing for a while, at most for `most`; gives their processor time.
async fn rest(processes: &Tree, most: Duration) -> Option<f64> {
    if most.is_zero() {
        return None;
    }
    let (start, begin) = (Instant::now(), processes.cpu_seconds());
    let mut last = begin;
    while start.elapsed() < most {
        tokio::time::sleep(QUIET.min(most)).await;
        let now = processes.cpu_seconds();
        if now - last < 0.02 {
            break;
        }
        last = now;
    }
    Some(processes.cpu_seconds() - begin)
}

fn compared(mut cells: Vec<Cell>) -> Vec<Cell> {
    if let Some((first, others)) = cells.split_first_mut() {
        for cell in others {
            cell.compare(first);
        }
    }
    cells
}

async fn servers(bench: &Bench, targets: Vec<Target>) -> Result<Vec<Server>, Failure> {
    let mut servers = Vec::new();
    for target in targets {
        let unknown = |cause| Failure::Words(format!("{}: {cause}", target.authority));
        let address = target.resolve().await.map_err(unknown)?;
        let version = bench.api.iter().find(|(name, _)| *name == target.name);
        let pids = bench.pid.iter().find(|(name, _)| *name == target.name);
        servers.push(Server {
            address,
            version: version.map(|(_, version)| *version),
            software: None,
            processes: pids.map(|(_, pids)| Tree::new(pids.clone())),
            timeout: Duration::from_secs_f64(bench.timeout),
            target,
        });
    }
    Ok(servers)
}

/// The identifiers of the file, or of the first server's list; chance picks some where there are many.
async fn identifiers(bench: &Bench, servers: &[Server]) -> Result<Vec<Identifier>, Failure> {
    let mut all = match (&bench.ids, servers.first()) {
        (Some(file), _) => lines(file)?,
        (None, Some(first)) => {
            collection::listed(&first.target, &mut first.connection(), MOST_LISTED)
                .await
                .map_err(|reason| {
                    Failure::Words(format!(
                        "{}: {reason}; --ids FILE names images",
                        first.target.name
                    ))
                })?
        }
        (None, None) => Vec::new(),
    };
    if all.len() > bench.images {
        fastrand::Rng::with_seed(bench.seed).shuffle(&mut all);
        all.truncate(bench.images);
        all.sort();
    }
    Ok(all)
}

/// Identifiers that are read from a start page, before some are picked.
const MOST_LISTED: usize = 3000;

fn lines(file: &Path) -> Result<Vec<Identifier>, Failure> {
    let text = std::fs::read_to_string(file)
        .map_err(|cause| Failure::Words(format!("{}: {cause}", file.display())))?;
    let names = text.lines().map(str::trim).filter(|line| !line.is_empty());
    Ok(names.map(Identifier::new).collect::<Result<_, _>>()?)
}

fn nothing_in_common(left_out: &[LeftOut]) -> String {
    let first = left_out.first();
    let why = first.map(|image| format!(" ({}: {})", image.identifier, image.reason));
    format!(
        "the servers have no image in common{}",
        why.unwrap_or_default()
    )
}

fn load(bench: &Bench) -> Load {
    let usual = if bench.rate.is_some() {
        OPEN_CONNECTIONS
    } else {
        CLOSED_CONNECTIONS
    };
    Load {
        rate: bench.rate,
        connections: bench.concurrency.unwrap_or(usual).max(1),
        time: Duration::from_secs_f64(bench.seconds),
        tolerance_px: bench.tolerance_px,
    }
}

fn method(bench: &Bench) -> Method {
    Method {
        seed: bench.seed,
        rate: bench.rate,
        connections: load(bench).connections,
        rounds: bench.rounds.max(1),
        requests: bench.requests,
        seconds: bench.seconds,
        warm: bench.warm,
        settle_seconds: bench.settle,
        fresh: bench.fresh,
        tolerance_px: bench.tolerance_px,
        format: bench.format.clone(),
        processors: processors(),
    }
}

fn facts(server: &Server) -> ServerFacts {
    ServerFacts {
        name: server.target.name.clone(),
        address: server.target.address(),
        api: server.version.unwrap_or(Version::V3).to_string(),
        software: server.software.clone(),
    }
}

fn in_short(tally: &Tally) -> String {
    let rate = tally.latencies.len() as f64 / tally.wall.as_secs_f64().max(1e-9);
    match tally.faults() {
        0 => format!("{rate:.1} requests/s"),
        faults => format!("{faults} of {} answers are wrong", tally.requests()),
    }
}
