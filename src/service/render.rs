//! Runs a plan: one thread decodes and renders, another encodes, strips flow between them.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use super::admission::Permit;
use super::answer::Timing;
use super::device::{Bands, Begun, Files, Parts, Way};
use super::encoders::Encoders;
use super::losses::{Visit, Watch};
use super::masters::{Master, run_blocking};
use super::strips::{Handed, PieceSink, STRIPS_AHEAD, Stopwatch, Strip, Timed, TimedSink, send};
use super::tiles::{Cells, Decoder, Helpers, TileRows, View};
use crate::cancel::Cancel;
use crate::codec::{self, Attached, Colour, Encoding};
use crate::encoding::EncodeSettings;
use crate::error::{Error, ErrorKind, Result};
use crate::plan::{Pass, Plan};
use crate::raster::{Raster, Rows, Shape};
use crate::render::{Engine, Output, Target};

/// A plan with all that it takes to run it.
#[derive(Debug, Clone)]
pub(super) struct Render {
    pub(super) master: Arc<Master>,
    pub(super) plan: Plan,
    pub(super) cells: Cells,
    pub(super) helpers: Helpers,
    pub(super) engine: Arc<dyn Engine>,
    /// How the passes and the encoding may be done.
    pub(super) way: Way,
    pub(super) settings: EncodeSettings,
    pub(super) attached: Arc<Attached>,
    /// What makes sRGB of pixels that are kept in another space.
    pub(super) converted: Option<Colour>,
    pub(super) cancel: Cancel,
}

/// A derivative, and how it came to be.
#[derive(Debug)]
pub(super) struct Finished {
    pub(super) file: Vec<u8>,
    /// The engine that ran the passes.
    pub(super) engine: &'static str,
    pub(super) timing: Timing,
}

/// Most pixels, before and after the passes, of a picture that one thread makes alone.
const LIGHT_PX: u64 = 1 << 20;

impl Render {
    /// Whether one thread does better to make it alone: nothing is decoded, and it is small.
    pub(super) fn is_light(&self) -> bool {
        !matches!(self.way, Way::Parts(_))
            && self.cells.are_resident()
            && self.plan.decoded.dimensions.area() <= LIGHT_PX
            && self.plan.output.dimensions.area() <= LIGHT_PX
    }

    /// The rows before all passes.
    pub(super) fn source(&self, clocks: &Clocks) -> Box<dyn Rows> {
        let decoder = Decoder {
            master: Arc::clone(&self.master),
            engine: Arc::clone(&self.engine),
            crew: Arc::new(self.helpers.clone()),
            cancel: self.cancel.clone(),
        };
        let rows = TileRows::new(self.cells.clone(), decoder, self.helpers.clone());
        let rows = Timed::new(Box::new(rows), clocks.decode.clone());
        match &self.converted {
            Some(colour) => colour.apply(Box::new(rows)),
            None => Box::new(rows),
        }
    }

    /// The passes that are left to be run on those rows.
    pub(super) fn passes(&self) -> &[Pass] {
        View::passes(&self.plan)
    }

    /// The rows after all passes, made by the CPU from the decoder on.
    pub(super) fn on_host(&self, clocks: &Clocks) -> Result<Box<dyn Rows>> {
        match self.begin(self.source(clocks), clocks)? {
            Output::Rows(rows) => Ok(rows),
            Output::Jpeg(_) => Err(Error::internal("rows that are a file")),
        }
    }

    /// `rows` after all passes, or a finished file.
    fn begin(&self, rows: Box<dyn Rows>, clocks: &Clocks) -> Result<Output> {
        let passes = self.passes();
        (clocks.rendering).time(|| self.engine.run(rows, passes, Target::Rows, &self.cancel))
    }

    /// The file that is made of `rows`, on this thread alone.
    pub(super) fn finish(&self, rows: Box<dyn Rows>, clocks: &Clocks) -> Result<Vec<u8>> {
        let rows = match self.begin(rows, clocks)? {
            Output::Jpeg(file) => return Ok(file),
            Output::Rows(rows) => rows,
        };
        let mut rows = Timed::new(rows, clocks.rendering.clone());
        let first = rows.next_strip()?;
        let mut rows = Ahead { first, rows };
        self.encode(&mut rows, clocks)
    }

    pub(super) fn encode(&self, rows: &mut dyn Rows, clocks: &Clocks) -> Result<Vec<u8>> {
        let mut file = Vec::with_capacity(expected_bytes(&self.plan));
        clocks
            .encode
            .time(|| codec::encode(self.encoding(), rows, &self.cancel, &mut file))?;
        Ok(file)
    }

    /// The same of rows that another thread makes, into pieces, by the device where it has `bands`.
    /// Neither waiting for rows nor for the reader counts as encoding.
    fn encode_pieces(
        &self,
        rows: Handed,
        bands: Option<&Bands>,
        sink: &mut PieceSink,
        clocks: &Clocks,
    ) -> Result<()> {
        let (start, waiting) = (Instant::now(), Stopwatch::default());
        let mut rows = Timed::new(Box::new(rows), waiting.clone());
        let mut pieces = TimedSink::new(sink, waiting.clone());
        if let Some(bands) = bands {
            return bands.encode(&mut rows, &self.cancel, &mut pieces);
        }
        let encoded = codec::encode(self.encoding(), &mut rows, &self.cancel, &mut pieces);
        let took = start.elapsed().saturating_sub(waiting.total());
        clocks.encode.add(took);
        encoded
    }

    /// Has `write` fill the sink, and ends it. What was read has to be one version of the master.
    fn send(&self, mut sink: PieceSink, write: impl FnOnce(&mut PieceSink) -> Result<()>) {
        let written = write(&mut sink);
        sink.finish(written.and_then(|()| self.master.confirm()));
    }

    fn encoding(&self) -> Encoding<'_> {
        Encoding {
            format: self.plan.format,
            settings: &self.settings,
            attached: &self.attached,
        }
    }
}

/// Rows whose first strip is there already, so that making it does not count as encoding.
struct Ahead {
    first: Option<Raster>,
    rows: Timed,
}

impl Rows for Ahead {
    fn shape(&self) -> Shape {
        self.rows.shape()
    }

    fn next_strip(&mut self) -> Result<Option<Raster>> {
        match self.first.take() {
            Some(first) => Ok(Some(first)),
            None => self.rows.next_strip(),
        }
    }
}

/// What the rendering thread hands to the encoding side.
enum Handover {
    Rows(Handed),
    Jpeg(Vec<u8>),
    /// Files of bands, which become one.
    Files(Parts, Files),
}

/// Past its deadline a decoder of our own stops at the next strip; this is how long that may take.
const GRACE: Duration = Duration::from_secs(1);

/// Makes a whole derivative.
///
/// # Errors
///
/// Those of decoder, passes and encoder; [`ErrorKind::Timeout`] when a decoder does not come back.
pub(super) async fn whole(
    render: Render,
    encoders: &Encoders,
    permit: Permit,
    visit: Visit,
) -> Result<Finished> {
    let clocks = Clocks::default();
    let (deadline, watch) = (render.cancel.deadline(), visit.watch());
    let making = async {
        match &render.way {
            Way::Device(device) => {
                let held = (permit.thread, permit.bytes, visit);
                device.make(&render, &clocks, encoders, held).await
            }
            Way::Host(_) => {
                let file = by_host(&render, &clocks, encoders, permit, visit).await?;
                Ok((file, render.engine.name()))
            }
            Way::Parts(parts) => {
                let file = by_host(&render, &clocks, encoders, permit, visit).await?;
                Ok((file, parts.engine(render.engine.name())))
            }
        }
    };
    let (file, engine) = in_time(making, deadline, watch).await?;
    let timing = clocks.timing();
    if let Way::Host(way) = &render.way {
        way.learn(&timing);
    }
    Ok(Finished {
        file,
        engine,
        timing,
    })
}

/// Makes the file here, of what comes from the CPU's passes or the device's.
async fn by_host(
    render: &Render,
    clocks: &Clocks,
    encoders: &Encoders,
    permit: Permit,
    visit: Visit,
) -> Result<Vec<u8>> {
    // The thread's place is freed when this future ends; its bytes only when the thread does.
    let Permit { thread, bytes, .. } = permit;
    let (mine, times) = (render.clone(), clocks.clone());
    let file = if render.is_light() {
        let held = (bytes, visit);
        let work = move || {
            let _held = held;
            mine.finish(mine.source(&times), &times)
        };
        encoders.run(work).await?
    } else {
        match start(render, clocks, (bytes, visit)).await? {
            Handover::Jpeg(file) => file,
            Handover::Rows(mut rows) => {
                encoders.run(move || mine.encode(&mut rows, &times)).await?
            }
            Handover::Files(parts, files) => {
                let stack = move || {
                    let mut file = Vec::with_capacity(expected_bytes(&mine.plan));
                    parts.stack(&files, &mine.cancel, &mut file)?;
                    Ok(file)
                };
                encoders.run(stack).await?
            }
        }
    };
    drop(thread);
    Ok(file)
}

/// Makes a derivative that leaves while it is made, by the device where it has `bands`; errors end it.
pub(super) async fn stream(
    (render, bands): (Render, Option<Bands>),
    encoders: &Encoders,
    permit: Permit,
    visit: Visit,
    pieces: mpsc::Sender<Result<Bytes>>,
) {
    let clocks = Clocks::default();
    let (deadline, watch) = (render.cancel.deadline(), visit.watch());
    let Permit {
        thread,
        bytes,
        waited,
    } = permit;
    let sink = PieceSink::new(pieces.clone());
    let making = async {
        if let Way::Device(device) = &render.way {
            let held = (thread, bytes, visit);
            let (file, _) = device.make(&render, &clocks, encoders, held).await?;
            let mine = render.clone();
            let send = move || {
                mine.send(sink, |sink| {
                    let sent = io::Write::write_all(sink, &file);
                    sent.map_err(|cause| Error::internal("sending").with_source(cause))
                });
                Ok(())
            };
            return encoders.run(send).await;
        }
        let _thread = thread;
        let handover = start(&render, &clocks, (bytes, visit)).await?;
        let (mine, times) = (render.clone(), clocks.clone());
        let send = move || {
            mine.send(sink, |sink| match handover {
                Handover::Rows(rows) => mine.encode_pieces(rows, bands.as_ref(), sink, &times),
                Handover::Files(parts, files) => parts.stack(&files, &mine.cancel, sink),
                Handover::Jpeg(_) => {
                    Err(Error::internal("streaming a file that an engine finished"))
                }
            });
            Ok(())
        };
        encoders.run(send).await
    };
    if let Err(error) = in_time(making, deadline, watch).await {
        // A reader that left needs no answer.
        let _ = pieces.send(Err(error)).await;
        return;
    }
    let timing = Timing {
        queue: waited,
        ..clocks.timing()
    };
    timing.count(render.way.is_device());
}

/// Starts decoding and passes on a thread of their own; `held` is kept until that thread ends.
async fn start<H: Send + 'static>(render: &Render, clocks: &Clocks, held: H) -> Result<Handover> {
    let (handover, mut taken) = oneshot::channel();
    let (render, clocks) = (render.clone(), clocks.clone());
    let thread = run_blocking("render", move || {
        let _held = held;
        run(&render, &clocks, handover)
    });
    tokio::pin!(thread);
    tokio::select! {
        // The thread goes on; whatever it ends with travels among its strips.
        Ok(handover) = &mut taken => Ok(handover),
        ended = &mut thread => {
            ended?;
            // A small picture's thread may end before anybody looked at what it handed over.
            taken.try_recv().map_err(|cause| {
                Error::internal("rendering that handed nothing over").with_source(cause)
            })
        }
    }
}

/// The rendering thread: decodes, runs the passes, sends the strips.
fn run(render: &Render, clocks: &Clocks, handover: oneshot::Sender<Handover>) -> Result<()> {
    let output = if let Way::Parts(parts) = &render.way {
        match parts.begin(render, clocks) {
            Begun::Rows(rows) => Output::Rows(rows),
            Begun::Files(flow) => {
                return flow.send(|files| {
                    // Nobody there to take it: the request was withdrawn, and sending ends at once.
                    let _ = handover.send(Handover::Files(parts.clone(), files));
                });
            }
        }
    } else {
        render.begin(render.source(clocks), clocks)?
    };
    match output {
        Output::Jpeg(file) => {
            let _ = handover.send(Handover::Jpeg(file));
        }
        Output::Rows(rows) => {
            let mut rows = Timed::new(rows, clocks.rendering.clone());
            let Some(first) = rows.next_strip()? else {
                return Err(Error::internal("rendering a picture without rows"));
            };
            let (strips, received) = sync_channel::<Strip>(STRIPS_AHEAD);
            let handed = Handed::new(rows.shape(), first, received, render.cancel.clone());
            // Nobody there to take it: the request was withdrawn, and sending ends at once.
            let _ = handover.send(Handover::Rows(handed));
            send(&mut rows, &strips);
        }
    }
    Ok(())
}

/// Waits for `making` until its deadline and a little longer; then its thread counts as lost.
async fn in_time<T>(
    making: impl Future<Output = Result<T>>,
    deadline: Option<Instant>,
    watch: Watch,
) -> Result<T> {
    let Some(deadline) = deadline else {
        return making.await;
    };
    if let Ok(result) = tokio::time::timeout_at((deadline + GRACE).into(), making).await {
        return result;
    }
    watch.give_up();
    Err(Error::new(
        ErrorKind::Timeout,
        "the image could not be made in time; ask for a smaller region or size",
    ))
}

/// Room for the file, so that it seldom moves while it grows.
fn expected_bytes(plan: &Plan) -> usize {
    let expected = crate::plan::estimated_bytes(plan.format, plan.output);
    usize::try_from(expected.clamp(4 << 10, 32 << 20)).unwrap_or(4 << 10)
}

/// The stages' clocks. Rendering pulls the decoder's rows, so its time holds theirs.
#[derive(Debug, Clone, Default)]
pub(super) struct Clocks {
    pub(super) decode: Stopwatch,
    pub(super) rendering: Stopwatch,
    pub(super) encode: Stopwatch,
}

impl Clocks {
    fn timing(&self) -> Timing {
        Timing {
            decode: self.decode.total(),
            process: self.rendering.total().saturating_sub(self.decode.total()),
            encode: self.encode.total(),
            ..Timing::default()
        }
    }
}
