//! Sends questions to one server and measures: the next as soon as an answer came, or each at its time.
//!
//! In an open loop every request has an intended time, whether or not the server keeps up, and its latency
//! counts from there: requests that had to wait for a slow server are not left out of the figures.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep_until};

use super::collection::Image;
use super::process::{self, Tree};
use super::question::{Question, Verdict};
use super::server::Server;
use super::sniff;
use crate::iiif::Version;

/// How load is given.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Load {
    /// Requests per second in an open loop; `None` for a closed one.
    pub(super) rate: Option<f64>,
    /// Connections: all busy in a closed loop, at most so many in an open one.
    pub(super) connections: usize,
    /// No further request is begun after this.
    pub(super) time: Duration,
    /// Pixels by which a side may be off.
    pub(super) tolerance_px: u32,
}

/// What came of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    /// Latencies of right answers.
    pub(super) latencies: Vec<Duration>,
    /// Answers that were no pictures, by kind.
    pub(super) errors: BTreeMap<String, u64>,
    /// Pictures with wrong dimensions.
    pub(super) wrong_sizes: u64,
    /// Pictures with other dimensions than expected, within what is allowed.
    pub(super) near_sizes: u64,
    /// A few of the faults, in words.
    pub(super) examples: Vec<String>,
    /// Bytes of right answers' bodies.
    pub(super) bytes: u64,
    /// Pixels of right answers.
    pub(super) pixels: u64,
    /// From the first request's beginning to the last answer's end.
    pub(super) wall: Duration,
    /// Processor time of the server, where its processes are known.
    pub(super) cpu_seconds: Option<f64>,
    /// Most resident memory that was seen, likewise.
    pub(super) resident_bytes: Option<u64>,
    /// Processor time of this program.
    pub(super) client_cpu_seconds: f64,
}

/// Faults that are quoted.
const EXAMPLES: usize = 3;

/// How often memory is looked at.
const MEMORY_EVERY: Duration = Duration::from_millis(100);

/// What the workers of a run share.
#[derive(Debug)]
struct Run {
    server: Server,
    version: Version,
    images: Arc<[Image]>,
    questions: Arc<[Question]>,
    next: AtomicUsize,
    start: Instant,
    load: Load,
}

/// Asks `server` the `questions`, in order, until they or the time are over.
pub(super) async fn run(
    server: &Server,
    images: &Arc<[Image]>,
    questions: &Arc<[Question]>,
    load: Load,
) -> Tally {
    let me = Tree::new(vec![std::process::id()]);
    let (mine, theirs) = (
        me.cpu_seconds(),
        server.processes.as_ref().map(Tree::cpu_seconds),
    );
    let memory = Watch::begin(server.processes.clone());
    let run = Arc::new(Run {
        server: server.clone(),
        version: server.version.unwrap_or(Version::V3),
        images: Arc::clone(images),
        questions: Arc::clone(questions),
        next: AtomicUsize::new(0),
        start: Instant::now(),
        load,
    });
    let mut tally = Tally::default();
    let mut workers = JoinSet::new();
    for _ in 0..load.connections.max(1) {
        workers.spawn(work(Arc::clone(&run)));
    }
    while let Some(part) = workers.join_next().await {
        tally.add(part.unwrap_or_else(|_cause| Tally::broken()));
    }
    tally.wall = run.start.elapsed();
    tally.client_cpu_seconds = me.cpu_seconds() - mine;
    let processes = server.processes.as_ref();
    tally.cpu_seconds = processes
        .zip(theirs)
        .map(|(now, before)| now.cpu_seconds() - before);
    tally.resident_bytes = processes.map(|_| memory.end());
    tally
}

/// One connection's part: questions until none or no time is left.
async fn work(run: Arc<Run>) -> Tally {
    let mut tally = Tally::default();
    let mut connection = run.server.connection();
    while let Some((question, due)) = run.take() {
        if let Some(due) = due {
            sleep_until(due).await;
        }
        let from = due.unwrap_or_else(Instant::now);
        let path = run.path(question);
        let reply = connection.get(&path, "*/*", sniff::ENOUGH_BYTES).await;
        let latency = from.elapsed();
        let reply = match reply {
            Ok(reply) if reply.status == 200 => reply,
            Ok(reply) => {
                tally.fault(&format!("HTTP {}", reply.status), &path);
                continue;
            }
            Err(trouble) => {
                tally.fault(trouble.name(), &path);
                continue;
            }
        };
        let verdict = question.judge(&reply, run.load.tolerance_px);
        tally.judged(verdict, &path);
        if let Verdict::Right(pixels) | Verdict::Near(pixels) = verdict {
            tally.latencies.push(latency);
            tally.bytes += reply.bytes;
            tally.pixels += pixels;
        }
    }
    tally
}

impl Run {
    /// The next question and the time at which it is to be asked, if that is given.
    fn take(&self) -> Option<(&Question, Option<Instant>)> {
        let place = self.next.fetch_add(1, Ordering::Relaxed);
        let question = self.questions.get(place)?;
        let due = self
            .load
            .rate
            .map(|rate| self.start + Duration::from_secs_f64(place as f64 / rate));
        let begins = due.unwrap_or_else(Instant::now);
        (begins < self.start + self.load.time).then_some((question, due))
    }

    fn path(&self, question: &Question) -> String {
        let identifier = self
            .images
            .get(question.image)
            .map(|image| &image.identifier);
        let identifier = identifier.expect("questions are about images of the collection");
        self.server
            .target
            .path(identifier, question.spelt(self.version))
    }
}

impl Tally {
    /// Requests that were answered in any way.
    pub(super) fn requests(&self) -> u64 {
        self.latencies.len() as u64 + self.faults()
    }

    /// Answers that take the figure away.
    pub(super) fn faults(&self) -> u64 {
        self.errors.values().sum::<u64>() + self.wrong_sizes
    }

    fn fault(&mut self, kind: &str, path: &str) {
        *self.errors.entry(kind.to_owned()).or_default() += 1;
        self.example(|| format!("{kind}: {path}"));
    }

    fn judged(&mut self, verdict: Verdict, path: &str) {
        match verdict {
            Verdict::Right(_) => {}
            Verdict::Near(_) => self.near_sizes += 1,
            Verdict::Wrong(found, expected) => {
                self.wrong_sizes += 1;
                self.example(|| format!("{found} in place of {expected}: {path}"));
            }
            Verdict::Unreadable => self.fault("unreadable answer", path),
        }
    }

    fn example(&mut self, words: impl FnOnce() -> String) {
        if self.examples.len() < EXAMPLES {
            self.examples.push(words());
        }
    }

    /// Adds a worker's part; times and processes are the run's.
    fn add(&mut self, part: Self) {
        self.latencies.extend(part.latencies);
        for (kind, count) in part.errors {
            *self.errors.entry(kind).or_default() += count;
        }
        self.wrong_sizes += part.wrong_sizes;
        self.near_sizes += part.near_sizes;
        self.examples.extend(part.examples);
        self.examples.truncate(EXAMPLES);
        self.bytes += part.bytes;
        self.pixels += part.pixels;
    }

    /// The part of a worker that broke off.
    fn broken() -> Self {
        let mut tally = Self::default();
        tally.fault("a fault of the bench", "");
        tally
    }
}

/// Looks at a server's memory while it works.
#[derive(Debug)]
struct Watch {
    most: Arc<AtomicU64>,
    looking: JoinHandle<()>,
}

impl Watch {
    fn begin(processes: Option<Tree>) -> Self {
        let most = Arc::new(AtomicU64::new(0));
        let seen = Arc::clone(&most);
        let looking = tokio::spawn(async move {
            let Some(tree) = processes else {
                return;
            };
            let members = tree.members();
            loop {
                seen.fetch_max(process::resident_bytes(&members), Ordering::Relaxed);
                tokio::time::sleep(MEMORY_EVERY).await;
            }
        });
        Self { most, looking }
    }

    fn end(self) -> u64 {
        self.looking.abort();
        self.most.load(Ordering::Relaxed)
    }
}
