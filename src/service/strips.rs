//! Strips on their way between the threads that decode and those that encode.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use tokio::sync::mpsc;

use crate::cancel::Cancel;
use crate::error::{Error, ErrorKind, Result};
use crate::raster::{Raster, RowSink, Rows, Shape};

/// Strips that may wait between the two threads.
pub(super) const STRIPS_AHEAD: usize = 2;

/// What the rendering thread sends: strips, and at last nothing or an error.
pub(super) type Strip = Result<Raster>;

/// Rows that another thread makes. The first strip is there already, so that an encoder does not wait
/// for a picture's decoder; it waits for the strips of a long picture alone.
#[derive(Debug)]
pub(super) struct Handed {
    shape: Shape,
    first: Option<Raster>,
    strips: Receiver<Strip>,
    rows_left: u32,
    cancel: Cancel,
}

impl Handed {
    /// Rows of `shape`: `first`, then what comes from `strips`.
    pub(super) fn new(
        shape: Shape,
        first: Raster,
        strips: Receiver<Strip>,
        cancel: Cancel,
    ) -> Self {
        Self {
            shape,
            first: Some(first),
            strips,
            rows_left: shape.dimensions.height,
            cancel,
        }
    }
}

/// What the other thread sends next, unless the work is withdrawn before.
///
/// # Errors
///
/// Those that it sends, and of `cancel`; that it has ended.
pub(super) fn received<T>(items: &Receiver<Result<T>>, cancel: &Cancel) -> Result<T> {
    loop {
        match items.recv_timeout(CHECK_EVERY) {
            Ok(item) => return item,
            Err(RecvTimeoutError::Timeout) => cancel.check()?,
            Err(cause) => {
                let error = Error::internal("receiving strips of a render that ended");
                return Err(error.with_source(cause));
            }
        }
    }
}

/// How often a wait for a strip looks whether it is still wanted.
const CHECK_EVERY: Duration = Duration::from_millis(50);

impl Rows for Handed {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn next_strip(&mut self) -> Result<Option<Raster>> {
        if self.rows_left == 0 {
            return Ok(None);
        }
        let strip = match self.first.take() {
            Some(first) => Ok(first),
            None => received(&self.strips, &self.cancel),
        };
        let taken = strip
            .as_ref()
            .map_or(u32::MAX, |strip| strip.dimensions().height);
        self.rows_left = self.rows_left.saturating_sub(taken);
        strip.map(Some)
    }
}

/// Sends all strips of `rows`; ends early when nobody takes them.
pub(super) fn send(rows: &mut dyn Rows, strips: &SyncSender<Strip>) {
    loop {
        let strip = match rows.next_strip() {
            Ok(Some(strip)) => Ok(strip),
            Ok(None) => return,
            Err(error) => Err(error),
        };
        let ended = strip.is_err();
        if strips.send(strip).is_err() || ended {
            return;
        }
    }
}

/// A clock that several rows share.
#[derive(Debug, Clone, Default)]
pub(super) struct Stopwatch(Arc<AtomicU64>);

impl Stopwatch {
    /// What has been measured so far.
    pub(super) fn total(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }

    /// Adds the time that `work` takes.
    pub(super) fn time<T>(&self, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let result = work();
        self.add(start.elapsed());
        result
    }

    /// Adds time that was measured elsewhere.
    pub(super) fn add(&self, took: Duration) {
        let took = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.0.fetch_add(took, Ordering::Relaxed);
    }
}

/// Rows whose making is timed.
pub(super) struct Timed {
    rows: Box<dyn Rows>,
    clock: Stopwatch,
}

impl Timed {
    /// `rows`, timed by `clock`.
    pub(super) fn new(rows: Box<dyn Rows>, clock: Stopwatch) -> Self {
        Self { rows, clock }
    }
}

impl Rows for Timed {
    fn shape(&self) -> Shape {
        self.rows.shape()
    }

    fn next_strip(&mut self) -> Result<Option<Raster>> {
        self.clock.time(|| self.rows.next_strip())
    }

    fn at_once(&mut self) -> Result<Option<Raster>> {
        self.clock.time(|| self.rows.at_once())
    }

    fn pour(&mut self, sink: &mut dyn RowSink, cancel: &Cancel) -> Result<()> {
        self.clock.time(|| self.rows.pour(sink, cancel))
    }
}

/// A sink whose taking is timed.
pub(super) struct TimedSink<'a> {
    sink: &'a mut dyn io::Write,
    clock: Stopwatch,
}

impl<'a> TimedSink<'a> {
    /// `sink`, timed by `clock`.
    pub(super) fn new(sink: &'a mut dyn io::Write, clock: Stopwatch) -> Self {
        Self { sink, clock }
    }
}

impl io::Write for TimedSink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.clock.time(|| self.sink.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.clock.time(|| self.sink.flush())
    }
}

/// Bytes of one piece of a streamed answer.
pub(super) const PIECE_BYTES: usize = 64 << 10;

/// Where an encoder writes an answer that leaves while it is made.
#[derive(Debug)]
pub(super) struct PieceSink {
    pieces: mpsc::Sender<Result<Bytes>>,
    filling: BytesMut,
}

impl PieceSink {
    /// A sink that sends pieces of [`PIECE_BYTES`].
    pub(super) fn new(pieces: mpsc::Sender<Result<Bytes>>) -> Self {
        Self {
            pieces,
            filling: BytesMut::with_capacity(PIECE_BYTES),
        }
    }

    /// Sends what is left and the end, or the error that ended the answer.
    pub(super) fn finish(mut self, result: Result<()>) {
        let sent = match result {
            Ok(()) => self
                .send_piece()
                .and_then(|()| self.send(Bytes::new()))
                .map_err(drop),
            Err(error) if error.kind() == ErrorKind::Cancelled => Err(()),
            Err(error) => self.pieces.blocking_send(Err(error)).map_err(drop),
        };
        // A reader that left needs no answer.
        let _ = sent;
    }

    fn send_piece(&mut self) -> io::Result<()> {
        if self.filling.is_empty() {
            return Ok(());
        }
        let piece = self.filling.split().freeze();
        self.filling.reserve(PIECE_BYTES);
        self.send(piece)
    }

    fn send(&self, piece: Bytes) -> io::Result<()> {
        self.pieces
            .blocking_send(Ok(piece))
            .map_err(|_reader_left| io::Error::from(io::ErrorKind::BrokenPipe))
    }
}

impl io::Write for PieceSink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.filling.extend_from_slice(bytes);
        if self.filling.len() >= PIECE_BYTES {
            self.send_piece()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
