//! Runs a plan: one thread decodes and renders, another encodes, strips flow between them.

use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use super::admission::Permit;
use super::answer::Timing;
use super::encoders::Encoders;
use super::losses::{Visit, Watch};
use super::masters::{Master, run_blocking};
use super::strips::{Handed, PieceSink, STRIPS_AHEAD, Stopwatch, Strip, Timed, send};
use super::tiles::{Cells, Decoder, Helpers, TileRows, View};
use crate::cancel::Cancel;
use crate::codec;
use crate::encoding::EncodeSettings;
use crate::error::{Error, ErrorKind, Result};
use crate::plan::Plan;
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
    pub(super) settings: EncodeSettings,
    pub(super) cancel: Cancel,
}

/// Most pixels, before and after the passes, of a picture that one thread makes alone.
const LIGHT_PX: u64 = 1 << 20;

impl Render {
    /// Whether one thread does better to make it alone: nothing is decoded, and it is small.
    fn is_light(&self) -> bool {
        self.cells.are_resident()
            && self.plan.decoded.dimensions.area() <= LIGHT_PX
            && self.plan.output.dimensions.area() <= LIGHT_PX
    }

    /// The rows after all passes, or a finished file.
    fn begin(&self, clocks: &Clocks) -> Result<Output> {
        let decoder = Decoder {
            master: Arc::clone(&self.master),
            engine: Arc::clone(&self.engine),
            cancel: self.cancel.clone(),
        };
        let rows = TileRows::new(self.cells.clone(), decoder, self.helpers.clone());
        let rows = Timed::new(Box::new(rows), clocks.decode.clone());
        let passes = View::passes(&self.plan);
        clocks.rendering.time(|| {
            self.engine
                .run(Box::new(rows), passes, Target::Rows, &self.cancel)
        })
    }

    /// The finished file, made on this thread alone.
    fn finish(&self, clocks: &Clocks) -> Result<Vec<u8>> {
        let rows = match self.begin(clocks)? {
            Output::Jpeg(file) => return Ok(file),
            Output::Rows(rows) => rows,
        };
        let mut rows = Timed::new(rows, clocks.rendering.clone());
        let first = rows.next_strip()?;
        let mut rows = Ahead { first, rows };
        self.encode(&mut rows, clocks)
    }

    fn encode(&self, rows: &mut dyn Rows, clocks: &Clocks) -> Result<Vec<u8>> {
        let mut file = Vec::with_capacity(expected_bytes(&self.plan));
        clocks.encode.time(|| {
            let format = self.plan.format;
            codec::encode(format, rows, &self.settings, &self.cancel, &mut file)
        })?;
        Ok(file)
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
) -> Result<(Vec<u8>, Timing)> {
    let clocks = Clocks::default();
    let (deadline, watch) = (render.cancel.deadline(), visit.watch());
    // The thread's place is freed when this future ends; its bytes only when the thread does.
    let Permit { thread, bytes, .. } = permit;
    let making = async {
        if render.is_light() {
            let (render, clocks, held) = (render.clone(), clocks.clone(), (bytes, visit));
            let work = move || {
                let _held = held;
                render.finish(&clocks)
            };
            return encoders.run(work).await;
        }
        match start(&render, &clocks, (bytes, visit)).await? {
            Handover::Jpeg(file) => Ok(file),
            Handover::Rows(mut rows) => {
                let (render, clocks) = (render.clone(), clocks.clone());
                encoders
                    .run(move || render.encode(&mut rows, &clocks))
                    .await
            }
        }
    };
    let file = in_time(making, deadline, watch).await?;
    drop(thread);
    Ok((file, clocks.timing()))
}

/// Makes a derivative that leaves while it is made; errors end it.
pub(super) async fn stream(
    render: Render,
    encoders: &Encoders,
    permit: Permit,
    visit: Visit,
    pieces: mpsc::Sender<Result<Bytes>>,
) {
    let clocks = Clocks::default();
    let (deadline, watch) = (render.cancel.deadline(), visit.watch());
    let Permit { thread, bytes, .. } = permit;
    let sink = PieceSink::new(pieces.clone());
    let making = async {
        let Handover::Rows(mut rows) = start(&render, &clocks, (bytes, visit)).await? else {
            return Err(Error::internal("streaming a file that an engine finished"));
        };
        let render = render.clone();
        encoders
            .run(move || {
                let mut sink = sink;
                let encoded = codec::encode(
                    render.plan.format,
                    &mut rows,
                    &render.settings,
                    &render.cancel,
                    &mut sink,
                );
                sink.finish(encoded.and_then(|()| render.master.confirm()));
                Ok(())
            })
            .await
    };
    if let Err(error) = in_time(making, deadline, watch).await {
        // A reader that left needs no answer.
        let _ = pieces.send(Err(error)).await;
    }
    drop(thread);
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
    let output = render.begin(clocks)?;
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
struct Clocks {
    decode: Stopwatch,
    rendering: Stopwatch,
    encode: Stopwatch,
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
