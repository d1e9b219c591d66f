//! What was measured, as data: the form of `--json`, from which text, Markdown and the page are made.
//!
//! Figures are medians of rounds, latencies those of all rounds together. A cell with errors or wrong
//! sizes has no figure, whatever else it has.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::load::Tally;

/// A whole measurement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Report {
    /// What it is called in tables.
    pub(super) title: String,
    /// Name and version of the program that measured.
    pub(super) program: String,
    /// When it began.
    pub(super) started: String,
    /// How it was measured.
    pub(super) method: Method,
    /// The servers, the one that others are compared with first.
    pub(super) servers: Vec<ServerFacts>,
    /// Images that were asked for.
    pub(super) images: usize,
    /// Images that were not, and why.
    pub(super) left_out: Vec<LeftOut>,
    /// What was measured.
    pub(super) workloads: Vec<WorkloadReport>,
}

/// How load was given and answers were judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Method {
    /// Where chance began.
    pub(super) seed: u64,
    /// Requests per second of an open loop; none for a closed one.
    pub(super) rate: Option<f64>,
    /// Connections.
    pub(super) connections: usize,
    /// How often each server had its turn.
    pub(super) rounds: usize,
    /// Most requests of a turn.
    pub(super) requests: usize,
    /// Most seconds of a turn.
    pub(super) seconds: f64,
    /// Requests before the first round, which do not count.
    pub(super) warm: usize,
    /// Most seconds that servers got to come to rest after these.
    pub(super) settle_seconds: f64,
    /// Whether each round had questions of its own.
    pub(super) fresh: bool,
    /// Pixels by which a side might be off.
    pub(super) tolerance_px: u32,
    /// Format of the answers.
    pub(super) format: String,
    /// Processors of the machine that measured.
    pub(super) processors: usize,
}

/// A server that was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct ServerFacts {
    /// What it is called.
    pub(super) name: String,
    /// Its address, without the protocol.
    pub(super) address: String,
    /// The Image API that it was asked in.
    pub(super) api: String,
    /// What it calls itself.
    pub(super) software: Option<String>,
}

/// An image that was left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct LeftOut {
    /// Its identifier.
    pub(super) identifier: String,
    /// Why.
    pub(super) reason: String,
}

/// A workload on every server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct WorkloadReport {
    /// Its name.
    pub(super) name: String,
    /// Questions of a round.
    pub(super) questions: usize,
    /// Different ones among them.
    pub(super) distinct: usize,
    /// The servers, in the order of the report's.
    pub(super) servers: Vec<Cell>,
}

/// A workload on one server.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Cell {
    /// The server.
    pub(super) name: String,
    /// Requests of all rounds.
    pub(super) requests: u64,
    /// Answers other than 200 and a picture, by kind.
    pub(super) errors: BTreeMap<String, u64>,
    /// Pictures with wrong dimensions.
    pub(super) wrong_sizes: u64,
    /// Pictures with a side that rounding or the tolerance excuses.
    pub(super) near_sizes: u64,
    /// Some faults, in words.
    pub(super) examples: Vec<String>,
    /// Bytes of all right answers.
    pub(super) bytes: u64,
    /// Processor time between warming and the first round, in seconds.
    pub(super) settle_cpu_seconds: Option<f64>,
    /// The figures; none where there were errors or wrong sizes.
    pub(super) figures: Option<Figures>,
    /// The same, round by round.
    pub(super) rounds: Vec<Figures>,
    /// Compared with the first server, round by round.
    pub(super) ratio: Option<Ratios>,
    /// Latencies at 0, 1, 2 … 100 % of the requests, in milliseconds.
    pub(super) latency_ms: Vec<f64>,
}

/// What a server did with a workload.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Figures {
    /// Right answers in a second.
    pub(super) requests_per_s: f64,
    /// Millions of pixels in them, in a second.
    pub(super) megapixels_per_s: f64,
    /// Latencies.
    pub(super) p50_ms: f64,
    /// 95 of 100 were not above it.
    pub(super) p95_ms: f64,
    /// 99 of 100 were not above it.
    pub(super) p99_ms: f64,
    /// Mean length of a body.
    pub(super) bytes_per_request: f64,
    /// Processor time of the server for one request, where its processes are known.
    pub(super) cpu_ms: Option<f64>,
    /// Its resident memory at the most, likewise.
    pub(super) resident_mib: Option<f64>,
    /// Processor time of the measuring program for one request.
    pub(super) client_cpu_ms: f64,
}

/// Figures divided by those of the first server.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Ratios {
    /// Above 1: more answers than the first server.
    pub(super) requests_per_s: Ratio,
    /// Above 1: slower than the first server.
    pub(super) p50_ms: Ratio,
    /// Above 1: more processor time than the first server.
    pub(super) cpu_ms: Option<Ratio>,
}

/// A ratio of each round: the median, and the least and the most.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Ratio {
    /// The median.
    pub(super) median: f64,
    /// The least.
    pub(super) low: f64,
    /// The most.
    pub(super) high: f64,
}

impl Report {
    /// Whether every cell has its figures.
    pub(super) fn is_whole(&self) -> bool {
        let mut cells = self.workloads.iter().flat_map(|workload| &workload.servers);
        cells.all(|cell| cell.figures.is_some())
    }
}

impl Cell {
    /// A server's rounds of a workload in one cell.
    pub(super) fn new(name: &str, settle_cpu_seconds: Option<f64>, tallies: &[Tally]) -> Self {
        let mut cell = Self {
            name: name.to_owned(),
            settle_cpu_seconds,
            ..Self::default()
        };
        let mut latencies = Vec::new();
        for tally in tallies {
            cell.requests += tally.requests();
            cell.wrong_sizes += tally.wrong_sizes;
            cell.near_sizes += tally.near_sizes;
            cell.bytes += tally.bytes;
            cell.examples.extend(tally.examples.iter().cloned());
            latencies.extend_from_slice(&tally.latencies);
            for (kind, count) in &tally.errors {
                *cell.errors.entry(kind.clone()).or_default() += count;
            }
        }
        cell.examples.truncate(3);
        if cell.faults() > 0 {
            return cell;
        }
        latencies.sort_unstable();
        cell.rounds = tallies.iter().filter_map(Figures::of).collect();
        if !tallies.is_empty() && cell.rounds.len() == tallies.len() {
            cell.figures = Some(Figures::middle(&cell.rounds, &latencies));
            cell.latency_ms = (0..=100).map(|percent| at(&latencies, percent)).collect();
        }
        cell
    }

    /// Answers that take the figure away.
    pub(super) fn faults(&self) -> u64 {
        self.errors.values().sum::<u64>() + self.wrong_sizes
    }

    /// Why there is no figure, in words.
    pub(super) fn reason(&self) -> String {
        let mut reasons: Vec<String> = self
            .errors
            .iter()
            .map(|(kind, count)| format!("{count} × {kind}"))
            .collect();
        if self.wrong_sizes > 0 {
            reasons.push(format!("{} × wrong size", self.wrong_sizes));
        }
        if reasons.is_empty() {
            "nothing was asked".to_owned()
        } else {
            reasons.join(", ")
        }
    }

    /// Sets the ratios to the first server's cell.
    pub(super) fn compare(&mut self, first: &Self) {
        if self.figures.is_none() || first.figures.is_none() {
            return;
        }
        let ratio = |of: fn(&Figures) -> Option<f64>| {
            let pairs = self.rounds.iter().zip(&first.rounds);
            Ratio::of(pairs.map(|(ours, theirs)| Some(of(ours)? / of(theirs)?)))
        };
        let requests_per_s = ratio(|figures| Some(figures.requests_per_s));
        let p50_ms = ratio(|figures| Some(figures.p50_ms));
        self.ratio = requests_per_s
            .zip(p50_ms)
            .map(|(requests_per_s, p50_ms)| Ratios {
                requests_per_s,
                p50_ms,
                cpu_ms: ratio(|figures| figures.cpu_ms),
            });
    }
}

impl Figures {
    /// The figures of one round; `None` where nothing was answered.
    fn of(tally: &Tally) -> Option<Self> {
        let mut latencies = tally.latencies.clone();
        latencies.sort_unstable();
        let (count, wall) = (latencies.len() as f64, tally.wall.as_secs_f64());
        let each_ms = |seconds: f64| seconds * 1e3 / count;
        (count > 0.0 && wall > 0.0).then(|| Self {
            requests_per_s: count / wall,
            megapixels_per_s: tally.pixels as f64 / 1e6 / wall,
            p50_ms: at(&latencies, 50),
            p95_ms: at(&latencies, 95),
            p99_ms: at(&latencies, 99),
            bytes_per_request: tally.bytes as f64 / count,
            cpu_ms: tally.cpu_seconds.map(each_ms),
            resident_mib: tally
                .resident_bytes
                .map(|bytes| bytes as f64 / f64::from(1 << 20)),
            client_cpu_ms: each_ms(tally.client_cpu_seconds),
        })
    }

    /// The medians of rounds; latencies are those of all of them.
    fn middle(rounds: &[Self], latencies: &[Duration]) -> Self {
        let middle = |of: fn(&Self) -> Option<f64>| median(rounds.iter().filter_map(of).collect());
        let number = |of| middle(of).unwrap_or_default();
        Self {
            requests_per_s: number(|figures| Some(figures.requests_per_s)),
            megapixels_per_s: number(|figures| Some(figures.megapixels_per_s)),
            p50_ms: at(latencies, 50),
            p95_ms: at(latencies, 95),
            p99_ms: at(latencies, 99),
            bytes_per_request: number(|figures| Some(figures.bytes_per_request)),
            cpu_ms: middle(|figures| figures.cpu_ms),
            resident_mib: middle(|figures| figures.resident_mib),
            client_cpu_ms: number(|figures| Some(figures.client_cpu_ms)),
        }
    }
}

impl Ratio {
    /// Median and spread; `None` where a round has none.
    fn of(rounds: impl Iterator<Item = Option<f64>>) -> Option<Self> {
        let ratios: Vec<f64> = rounds.collect::<Option<_>>()?;
        if ratios.iter().any(|ratio| !ratio.is_finite()) {
            return None;
        }
        Some(Self {
            low: ratios.iter().copied().reduce(f64::min)?,
            high: ratios.iter().copied().reduce(f64::max)?,
            median: median(ratios)?,
        })
    }
}

/// The latency that `percent` of 100 sorted ones do not exceed, in milliseconds.
fn at(sorted: &[Duration], percent: usize) -> f64 {
    let place = (sorted.len() * percent).div_ceil(100).max(1) - 1;
    sorted
        .get(place)
        .map_or(0.0, |latency| latency.as_secs_f64() * 1e3)
}

fn median(mut numbers: Vec<f64>) -> Option<f64> {
    numbers.sort_by(f64::total_cmp);
    let half = numbers.len() / 2;
    let upper = *numbers.get(half)?;
    if numbers.len() % 2 == 1 {
        return Some(upper);
    }
    Some(f64::midpoint(*numbers.get(half - 1)?, upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(millis: &[u64], wall_ms: u64) -> Tally {
        Tally {
            latencies: millis.iter().map(|ms| Duration::from_millis(*ms)).collect(),
            bytes: 1000 * millis.len() as u64,
            pixels: 250_000 * millis.len() as u64,
            wall: Duration::from_millis(wall_ms),
            cpu_seconds: Some(0.004 * millis.len() as f64),
            ..Tally::default()
        }
    }

    #[test]
    fn figures_are_medians_of_rounds_and_latencies_those_of_all() {
        let rounds = [
            tally(&[1, 2, 3, 4], 1000),
            tally(&[5, 6, 7, 8], 500),
            tally(&[9, 10], 1000),
        ];
        let cell = Cell::new("a", None, &rounds);
        let figures = cell.figures.expect("figures");
        assert_eq!(figures.requests_per_s.to_bits(), 4.0_f64.to_bits());
        assert_eq!(figures.megapixels_per_s.to_bits(), 1.0_f64.to_bits());
        assert!((figures.p50_ms - 5.0).abs() < 1e-9 && (figures.p99_ms - 10.0).abs() < 1e-9);
        assert!((figures.cpu_ms.expect("known") - 4.0).abs() < 1e-9);
        assert_eq!(
            (cell.requests, cell.bytes, cell.latency_ms.len()),
            (10, 10_000, 101)
        );
    }

    #[test]
    fn the_ratio_is_taken_round_by_round() {
        let first = Cell::new("a", None, &[tally(&[2, 2], 100), tally(&[2, 2], 200)]);
        let mut other = Cell::new("b", None, &[tally(&[4, 4], 200), tally(&[4, 4], 100)]);
        other.compare(&first);
        let ratio = other.ratio.expect("both have figures").requests_per_s;
        assert!((ratio.low - 0.5).abs() < 1e-9 && (ratio.high - 2.0).abs() < 1e-9);
        assert!((ratio.median - 1.25).abs() < 1e-9);
    }

    #[test]
    fn a_fault_takes_the_figure_away_and_the_ratio_too() {
        let mut wrong = tally(&[1, 1], 100);
        wrong.wrong_sizes = 1;
        let first = Cell::new("a", None, &[tally(&[1], 100)]);
        let mut cell = Cell::new("b", None, &[tally(&[1], 100), wrong]);
        cell.compare(&first);
        assert!(cell.figures.is_none() && cell.ratio.is_none() && cell.rounds.is_empty());
        assert_eq!(cell.reason(), "1 × wrong size");
        assert_eq!(cell.requests, 4);
        let mut failed = tally(&[1], 100);
        failed.errors.insert("HTTP 500".to_owned(), 2);
        assert_eq!(Cell::new("b", None, &[failed]).reason(), "2 × HTTP 500");
        let empty = Cell::new("b", None, &[Tally::default()]);
        assert!(empty.figures.is_none());
        assert_eq!(empty.reason(), "nothing was asked");
    }

    #[test]
    fn percentiles_are_the_nearest_rank() {
        let sorted: Vec<Duration> = (1..=200).map(Duration::from_millis).collect();
        for (percent, expected) in [
            (0, 1.0),
            (50, 100.0),
            (95, 190.0),
            (99, 198.0),
            (100, 200.0),
        ] {
            assert!((at(&sorted, percent) - expected).abs() < 1e-9, "{percent}");
        }
        assert_eq!(median(vec![]), None);
    }
}
