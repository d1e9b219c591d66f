//! Building levels: one thread, one master after another, as slowly as it is told to.

use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use super::super::masters::Master;
use super::super::tiles::CELL_SIDE_PX;
use super::BuildLimits;
use super::account::Account;
use super::cells::Cut;
use super::ladder::{Base, Ladder};
use super::stored::{Stored, about};
use crate::cache::levels::{Grid, LevelStore, LevelWriter};
use crate::cancel::Cancel;
use crate::codec::{Picture, packed};
use crate::error::{Error, ErrorKind, Result};
use crate::geometry::{Dimensions, ScaleFactor, Window};
use crate::metrics::{LEVEL_BUILD_CPU, LEVEL_BUILD_DURATION, LEVEL_BUILDS, PANICS};
use crate::plan::Pass;
use crate::raster::{Light, Raster, Rows, Shape};
use crate::render::{self, CpuEngine, Engine as _, Target};

/// A master whose levels are wanted.
pub(super) struct Job {
    pub(super) master: Arc<Master>,
    pub(super) account: Arc<Account>,
}

/// Builds levels.
#[derive(Debug)]
pub(super) struct Builder {
    store: LevelStore,
    limits: BuildLimits,
    cancel: Cancel,
}

/// How much less urgent than requests a build is, for the system's scheduler.
const NICE: i32 = 10;

impl Builder {
    pub(super) fn new(store: LevelStore, limits: BuildLimits, cancel: Cancel) -> Self {
        Self {
            store,
            limits,
            cancel,
        }
    }

    /// What stops a build.
    #[cfg(test)]
    pub(super) fn cancel(&self) -> Cancel {
        self.cancel.clone()
    }

    /// Builds what is queued, until nobody queues any more.
    pub(super) fn work(&self, jobs: &Receiver<Job>) {
        // On Linux this is the thread's own; where it is refused, builds are as urgent as requests.
        let _ = rustix::process::nice(NICE);
        while let Ok(job) = jobs.recv() {
            if self.cancel.check().is_err() {
                return;
            }
            self.finish(&job);
        }
    }

    /// Builds one master's levels and puts them to use, or says in metrics and log why not.
    fn finish(&self, Job { master, account }: &Job) {
        let (start, busy_before) = (Instant::now(), busy());
        let built = catch_unwind(AssertUnwindSafe(|| self.build(master, account)));
        // A build that fails has cost as much.
        LEVEL_BUILD_CPU
            .get()
            .record(busy().saturating_sub(busy_before).as_secs_f64());
        let built = built.unwrap_or_else(|_| {
            PANICS.with(["levels"]).increment(1);
            Err(Error::internal("building levels"))
        });
        let result = match built {
            Ok(stored) => {
                master.remember(Arc::new(stored));
                account.is_built();
                LEVEL_BUILD_DURATION
                    .get()
                    .record(start.elapsed().as_secs_f64());
                "built"
            }
            Err(error) if error.kind() == ErrorKind::Cancelled => "cancelled",
            Err(error) => {
                account.has_failed();
                tracing::warn!(
                    "levels of {} are not kept: {}",
                    master.located,
                    error.chain()
                );
                if error.kind() == ErrorKind::Upstream {
                    "changed"
                } else {
                    "failed"
                }
            }
        };
        LEVEL_BUILDS.with([result]).increment(1);
    }

    pub(super) fn build(&self, master: &Master, account: &Account) -> Result<Stored> {
        let picture = &master.picture;
        let facts = picture.facts();
        let ladder = Ladder::new(facts);
        let grids = ladder.stored().map(|step| Grid {
            factor: step.factor.get(),
            columns: step.dimensions.width.div_ceil(CELL_SIDE_PX),
            rows: step.dimensions.height.div_ceil(CELL_SIDE_PX),
        });
        let writer = self
            .store
            .begin(account.key, about(facts), grids.collect())
            .map_err(not_written)?;
        let output = Arc::new(Output::new(writer, self.limits, self.cancel.clone()));
        for base in &ladder.bases {
            self.levels(master, base, &output)?;
        }
        master.confirm()?;
        output.finish()?;
        let file = self.store.find(&account.key);
        file.and_then(|file| Stored::new(file, facts))
            .ok_or_else(|| Error::internal("finding the levels that were written"))
    }

    /// Decodes one level of the master and halves it step by step; stored steps are cut on the way.
    fn levels(&self, master: &Master, base: &Base, output: &Arc<Output>) -> Result<()> {
        let Some(first) = base.steps.first() else {
            return Ok(());
        };
        let bands = Bands::new(
            Arc::clone(&master.picture),
            (base.level, first.dimensions),
            self.limits.decode_bytes,
            self.cancel.clone(),
        )?;
        let mut rows: Box<dyn Rows> = Box::new(bands);
        for (halvings, step) in base.steps.iter().enumerate() {
            if halvings > 0 {
                rows = self.halved(rows, master.light)?;
            }
            if step.stored {
                rows = Box::new(Cut::new(rows, step.factor, Arc::clone(output)));
            }
        }
        while rows.next_strip()?.is_some() {
            self.cancel.check()?;
        }
        Ok(())
    }

    fn halved(&self, rows: Box<dyn Rows>, light: Light) -> Result<Box<dyn Rows>> {
        let shrink = [Pass::Shrink { times: 1 }];
        let engine = CpuEngine::new(light);
        match engine.run(rows, &shrink, Target::Rows, &self.cancel)? {
            render::Output::Rows(rows) => Ok(rows),
            render::Output::Jpeg(_) => Err(Error::internal("shrinking to a finished file")),
        }
    }
}

/// Processor time that this thread has used: all that a build takes.
fn busy() -> Duration {
    let used = clock_gettime(ClockId::ThreadCPUTime);
    used.try_into().unwrap_or_default()
}

fn not_written(cause: io::Error) -> Error {
    Error::new(ErrorKind::Busy, "the cache cannot be written").with_source(cause)
}

/// Where cells go, at the rate that is allowed.
#[derive(Debug)]
pub(super) struct Output {
    writer: Mutex<LevelWriter>,
    start: Instant,
    limits: BuildLimits,
    cancel: Cancel,
}

/// How long a build that is ahead of its rate sleeps at most between two looks at its token.
const NAP: Duration = Duration::from_millis(50);

impl Output {
    fn new(writer: LevelWriter, limits: BuildLimits, cancel: Cancel) -> Self {
        Self {
            writer: Mutex::new(writer),
            start: Instant::now(),
            limits,
            cancel,
        }
    }

    /// Packs and writes a cell.
    pub(super) fn add(
        &self,
        factor: ScaleFactor,
        column: u32,
        row: u32,
        cell: &Raster,
    ) -> Result<()> {
        let bytes = packed::pack(cell);
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        writer
            .add(factor.get(), column, row, &bytes)
            .map_err(not_written)?;
        let written = writer.length();
        drop(writer);
        self.keep_to_rate(written)
    }

    fn keep_to_rate(&self, written: u64) -> Result<()> {
        let seconds = written as f64 / self.limits.bytes_per_second.max(1) as f64;
        let earliest = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
        loop {
            self.cancel.check()?;
            let ahead = earliest.saturating_sub(self.start.elapsed());
            if ahead.is_zero() {
                return Ok(());
            }
            thread::sleep(ahead.min(NAP));
        }
    }

    /// Gives the file its name.
    fn finish(self: Arc<Self>) -> Result<()> {
        let output = Arc::into_inner(self)
            .ok_or_else(|| Error::internal("finishing levels that are still being cut"))?;
        let writer = output.writer.into_inner();
        let writer = writer.unwrap_or_else(PoisonError::into_inner);
        writer.finish().map_err(not_written)
    }
}

/// All rows of a level, decoded in as many bands as it takes to stay within the memory allowed.
struct Bands {
    picture: Arc<dyn Picture>,
    level: usize,
    shape: Shape,
    band: u32,
    cancel: Cancel,
    next: u32,
    rows: Option<Box<dyn Rows>>,
}

impl Bands {
    /// Rows of a level (its index and dimensions), with at most `bytes` for the decoder.
    fn new(
        picture: Arc<dyn Picture>,
        (level, dimensions): (usize, Dimensions),
        bytes: u64,
        cancel: Cancel,
    ) -> Result<Self> {
        let fits = |height: u32| {
            let window = Window {
                height: height.min(dimensions.height),
                ..dimensions.window()
            };
            picture.price(level, window).bytes <= bytes
        };
        let mut halves = std::iter::successors(
            Some(dimensions.height.next_multiple_of(CELL_SIDE_PX)),
            |h| {
                let half = (h / 2).next_multiple_of(CELL_SIDE_PX);
                (half < *h).then_some(half)
            },
        );
        let band = halves.find(|height| fits(*height));
        let band = band.ok_or_else(|| {
            Error::new(
                ErrorKind::TooLarge,
                "decoding it takes more memory than builds have",
            )
        })?;
        Ok(Self {
            shape: Shape {
                dimensions,
                format: picture.facts().pixel,
            },
            picture,
            level,
            band,
            cancel,
            next: 0,
            rows: None,
        })
    }

    /// Begins the next band, if there is one.
    fn begin(&mut self) -> Result<bool> {
        let Dimensions { width, height } = self.shape.dimensions;
        let left = height - self.next;
        if left == 0 {
            return Ok(false);
        }
        let window = Window {
            x: 0,
            y: self.next,
            width,
            height: left.min(self.band),
        };
        self.next = window.bottom();
        self.rows = Some(self.picture.decode(self.level, window, &self.cancel)?);
        Ok(true)
    }
}

impl Rows for Bands {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn next_strip(&mut self) -> Result<Option<Raster>> {
        loop {
            if let Some(rows) = &mut self.rows {
                if let Some(strip) = rows.next_strip()? {
                    return Ok(Some(strip));
                }
                self.rows = None;
            }
            if !self.begin()? {
                return Ok(None);
            }
        }
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Job").field(&self.account.key).finish()
    }
}
