//! One image request, from its words to its bytes: the table of contents of the hot path.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use tokio::sync::mpsc;

use super::admission::{Admission, Lane, Permit};
use super::answer::{Answer, Ask, Head, Pieces, Rung, Timing, Validators};
use super::attached;
use super::device::{Bands, DEVICE, Way};
use super::ladder::{Step, rendering};
use super::masters::Master;
use super::negotiation;
use super::passage::Passing;
use super::render::{self, Render};
use super::strips::PIECE_BYTES;
use super::tiles::{Cells, Use, View};
use super::{Service, Shared};
use crate::cache::{Key, KeyBuilder, Origin};
use crate::cancel::Cancel;
use crate::codec::{Attached, Price, Stored};
use crate::error::{Error, ErrorKind, Parameter, Result};
use crate::iiif::{Identifier, ImageRequest, Resolved};
use crate::metrics::LADDER;
use crate::plan::{Plan, estimated_bytes};

/// A derivative that has just been made.
#[derive(Debug, Clone)]
pub(super) struct Made {
    pub(super) body: Bytes,
    pub(super) rung: Rung,
    pub(super) engine: &'static str,
    pub(super) timing: Timing,
}

impl Service {
    /// Answers an image request.
    ///
    /// # Errors
    ///
    /// The request's own (bad request, not implemented), the master's (not found, corrupt, not
    /// supported, too large, upstream) and the server's (busy, timeout, internal).
    pub async fn image(&self, request: &ImageRequest, ask: Ask<'_>) -> Result<Answer> {
        let shared = self.shared();
        let start = Instant::now();
        let seen = shared
            .masters
            .get(&request.identifier, &shared.info_lane)
            .await?;
        let better = negotiation::better(&shared, request, &seen.master, ask.accept);
        let work = Work::new(&shared, better.as_ref().unwrap_or(request), seen.master)?;
        let mut head = work.head(start.elapsed());
        head.varies = negotiation::applies(&shared, request);
        if (ask.unchanged)(&head.validators) {
            LADDER.with([Rung::NotModified.name()]).increment(1);
            head.rung = Rung::NotModified;
            return Ok(Answer::Unchanged(head));
        }
        if let Step::PassThrough(stored) = &work.step {
            if let Some(doubt) = seen.doubt {
                return Err(doubt);
            }
            if let Some(answer) = work.pass(stored, &head, ask).await? {
                return Ok(answer);
            }
            head.rung = rendering(&work.master, work.price);
            head.engine = shared.engine.name();
        }
        let cached = work.find().await;
        head.timing.cache = start.elapsed().saturating_sub(head.timing.source);
        if let Some(body) = cached {
            head.rung = Rung::Derivative;
            head.engine = engine(&shared, head.rung);
            return Ok(answer(head, body, ask));
        }
        if let Some(doubt) = seen.doubt {
            return Err(doubt);
        }
        if ask.head {
            return Ok(Answer::Head(head));
        }
        if work.plan.streamed {
            let (pieces, on_device) = Box::pin(work.stream()).await?;
            if on_device {
                head.engine = DEVICE;
            }
            LADDER.with([head.rung.name()]).increment(1);
            return Ok(Answer::Stream(head, pieces));
        }
        // On the heap: what is held while it is made is large, and stored bytes need none of it.
        let made = Box::pin(work.get_or_make()).await?;
        head.rung = made.rung;
        head.engine = made.engine;
        head.timing = Timing {
            source: head.timing.source,
            cache: head.timing.cache,
            ..made.timing
        };
        Ok(answer(head, made.body, ask))
    }
}

/// The engine that runs the passes of a rung.
pub(super) fn engine(shared: &Shared, rung: Rung) -> &'static str {
    match rung {
        Rung::PassThrough | Rung::Compressed => "none",
        Rung::NotModified
        | Rung::Derivative
        | Rung::Resident
        | Rung::Levels
        | Rung::Partial
        | Rung::Full => shared.engine.name(),
    }
}

/// A finished body under its head.
fn answer(mut head: Head, body: Bytes, ask: Ask<'_>) -> Answer {
    head.length = Some(body.len() as u64);
    LADDER.with([head.rung.name()]).increment(1);
    if ask.head {
        Answer::Head(head)
    } else {
        Answer::Whole(head, body)
    }
}

/// A request that is understood and planned.
pub(super) struct Work {
    pub(super) shared: Arc<Shared>,
    pub(super) identifier: Identifier,
    pub(super) master: Arc<Master>,
    pub(super) resolved: Resolved,
    pub(super) plan: Plan,
    pub(super) price: Price,
    pub(super) step: Step,
    pub(super) key: Key,
}

/// Pixels of a derivative above which it goes into the large lane.
const LARGE_OUTPUT_PX: u64 = 4_000_000;
/// Pixels to decode above which a derivative goes into the large lane.
const LARGE_DECODE_PX: u64 = 32_000_000;

impl Work {
    /// Decides everything that `request` needs of `master`.
    pub(super) fn new(
        shared: &Arc<Shared>,
        request: &ImageRequest,
        master: Arc<Master>,
    ) -> Result<Self> {
        let resolved = request.resolve(&master.traits(), &shared.rules)?;
        let plan = Plan::new(&resolved, master.subject(), &shared.plan_settings);
        let price = master.picture.price(plan.level, plan.window);
        let most_bytes = shared.config.limits.stream_above_bytes;
        // Which step answers, and so the bytes, does not hang on what is remembered.
        let step = if attached::carries(shared, &master, &resolved) {
            Step::Render(rendering(&master, price))
        } else {
            Step::choose(&master, &plan, price, most_bytes)
        };
        let price = master.price(&plan);
        let key = derivative_key(shared, request, &master, &resolved);
        Ok(Self {
            shared: Arc::clone(shared),
            identifier: request.identifier.clone(),
            master,
            resolved,
            plan,
            price,
            step,
            key,
        })
    }

    /// What is known before any pixel is touched.
    fn head(&self, source: Duration) -> Head {
        Head {
            validators: Validators {
                etag: self.key.entity_tag(),
                last_modified: newest(&self.shared, &self.master),
            },
            canonical: self.resolved.canonical.clone(),
            identifier: self.identifier.clone(),
            format: self.plan.format,
            varies: false,
            length: None,
            rung: self.step.rung(),
            engine: engine(&self.shared, self.step.rung()),
            timing: Timing {
                source,
                ..Timing::default()
            },
        }
    }

    pub(super) fn passing(&self) -> Passing {
        Passing {
            shared: Arc::clone(&self.shared),
            identifier: self.identifier.clone(),
            master: Arc::clone(&self.master),
        }
    }

    /// Stored bytes as the answer; none where they turn out not to be one.
    async fn pass(&self, stored: &Stored, head: &Head, ask: Ask<'_>) -> Result<Option<Answer>> {
        let limits = &self.shared.config.limits;
        let passing = self.passing();
        let whole = stored.length() <= limits.stream_above_bytes;
        if whole && let Some(body) = passing.whole(stored).await? {
            return Ok(Some(answer(head.clone(), body, ask)));
        }
        if whole {
            return Ok(None);
        }
        let mut head = head.clone();
        head.length = Some(stored.length());
        LADDER.with([head.rung.name()]).increment(1);
        if ask.head {
            return Ok(Some(Answer::Head(head)));
        }
        let patience = Duration::from_secs(limits.stream_seconds);
        let pieces = passing.pieces(stored.clone(), patience).await?;
        Ok(Some(Answer::Stream(head, pieces)))
    }

    pub(super) fn is_large(&self) -> bool {
        self.plan.streamed
            || self.plan.output.dimensions.area() > LARGE_OUTPUT_PX
            || self.price.pixels > LARGE_DECODE_PX
    }

    /// The lane that admits it: small answers whose decoder needs more than all tiles may go with the large ones.
    pub(super) fn lane(&self) -> &Lane {
        let Admission { tile, large } = &self.shared.admission;
        if self.is_large() || self.price.bytes > tile.bytes() {
            large
        } else {
            tile
        }
    }

    /// Admission to the lane.
    ///
    /// # Errors
    ///
    /// Those of the lane; what can never fit is the size's fault where the decoder alone would fit.
    async fn admit(&self, bytes: u64) -> Result<Permit> {
        let lane = self.lane();
        let admitted = lane.admit(bytes).await;
        admitted.map_err(|error| {
            if error.kind() == ErrorKind::TooLarge && self.price.bytes <= lane.bytes() {
                return Error::bad_request(Parameter::Size, error.public().to_owned());
            }
            error
        })
    }

    /// What is in memory of the pixels that it needs.
    fn cells(&self) -> Cells {
        self.unseen_cells().look()
    }

    /// The cells of the pixels that it needs.
    pub(super) fn unseen_cells(&self) -> Cells {
        let view = View::new(&self.plan, self.master.facts());
        let use_of_memory = if self.is_large() {
            Use::Pass
        } else {
            Use::Keep
        };
        let resident = Arc::clone(&self.shared.tiles);
        Cells::new(view, &self.master, resident, use_of_memory)
    }

    /// Bytes that the work holds at one time.
    fn bytes(&self, cells: &Cells) -> u64 {
        let price = cells.price(self.master.picture.as_ref(), self.lane().threads());
        let output = estimated_bytes(self.plan.format, self.plan.output);
        let waiting = if self.plan.streamed {
            output.min(self.shared.config.limits.stream_buffer_bytes)
        } else {
            output
        };
        price.bytes + self.plan.working_bytes + waiting
    }

    /// The finished derivative, from memory or from disk; what is found there goes into memory.
    async fn find(&self) -> Option<Bytes> {
        let known = self.shared.derivatives.get(&self.key);
        if known.is_some() || self.plan.streamed {
            return known;
        }
        let stored = Box::pin(self.shared.stored.find(self.key)).await?;
        self.shared.derivatives.insert(self.key, stored.clone());
        Some(stored)
    }

    /// How long making the derivative may take from now on.
    pub(super) fn patience(&self) -> Cancel {
        let limit = Duration::from_secs(self.shared.config.limits.render_seconds);
        Cancel::with_deadline(Instant::now() + limit)
    }

    /// The derivative: from a render under way, or from one of its own.
    async fn get_or_make(self) -> Result<Made> {
        let cancel = self.patience();
        let shared = Arc::clone(&self.shared);
        let (made, origin) = shared
            .flights
            .join_or_start(self.key, cancel, |cancel| self.make(cancel))
            .await?;
        if origin == Origin::Made {
            made.timing.count(made.engine == DEVICE);
        }
        Ok(made)
    }

    /// The derivative in the way that its step says; then its body is kept.
    async fn make(self, cancel: Cancel) -> Result<Made> {
        let made = match self.compose(&cancel).await? {
            Some(made) => made,
            None => self.decode(cancel).await?,
        };
        self.shared.derivatives.insert(self.key, made.body.clone());
        self.shared.stored.insert(self.key, made.body.clone());
        Ok(made)
    }

    /// Admission, and tiles put together; none where they turn out not to fit.
    async fn compose(&self, cancel: &Cancel) -> Result<Option<Made>> {
        let Step::Compressed(mosaic) = &self.step else {
            return Ok(None);
        };
        let permit = self.lane().admit(mosaic.bytes()).await?;
        let start = Instant::now();
        let body = self.passing().composed(mosaic, cancel).await?;
        Ok(body.map(|body| Made {
            body,
            rung: Rung::Compressed,
            engine: engine(&self.shared, Rung::Compressed),
            timing: Timing {
                queue: permit.waited,
                encode: start.elapsed(),
                ..Timing::default()
            },
        }))
    }

    /// Admission, decoding, passes, encoding.
    async fn decode(&self, cancel: Cancel) -> Result<Made> {
        let cells = self.cells();
        let (way, bytes) = self.way_within(&cells);
        let permit = self.admit(bytes).await?;
        let queue = permit.waited;
        let visit = self.shared.losses.enter(self.master.facts().format)?;
        let attached = self.attached().await?;
        let render = self.render(cells.clone(), way, attached, cancel);
        let made = render::whole(render, &self.shared.encoders, permit, visit).await?;
        let (mut timing, engine) = (made.timing, made.engine);
        let rung = cells.rung(rendering(&self.master, self.price));
        if cells.are_unconfirmed() {
            self.confirm().await?;
        }
        self.shared.levels.consider(&self.master);
        timing.queue = queue;
        let body = Bytes::from(made.file);
        Ok(Made {
            body,
            rung,
            engine,
            timing,
        })
    }

    /// Where the passes are run, and the bytes that this takes: on the CPU where the lane has no room
    /// for the device's.
    fn way_within(&self, cells: &Cells) -> (Way, u64) {
        let bytes = self.bytes(cells);
        let (way, more) = self.way(cells, self.lane().load());
        if bytes.saturating_add(more) > self.lane().bytes() {
            return (Way::of_host(), bytes);
        }
        (way, bytes + more)
    }

    /// The same for an answer that leaves while it is made: its passes on the device, or its encoding, or
    /// nothing.
    fn long_way(&self, cells: &Cells) -> (Way, Option<Bands>, u64) {
        let (bytes, load, most) = (self.bytes(cells), self.lane().load(), self.lane().bytes());
        let (way, more) = self.passes_way(cells, load);
        if way.is_device() && bytes.saturating_add(more) <= most {
            return (way, None, bytes + more);
        }
        let held = |bands: &Bands| bytes.saturating_add(bands.bytes());
        let bands = self.bands(load).filter(|bands| held(bands) <= most);
        let bytes = bands.as_ref().map_or(bytes, held);
        (Way::of_host(), bands, bytes)
    }

    /// The same, with the answer leaving while it is made; whether the device encodes it.
    async fn stream(self) -> Result<(Pieces, bool)> {
        let limits = &self.shared.config.limits;
        let deadline = Instant::now() + Duration::from_secs(limits.stream_seconds);
        let ahead = limits.stream_buffer_bytes / PIECE_BYTES as u64;
        let cells = self.cells();
        let (way, bands, bytes) = self.long_way(&cells);
        let on_device = bands.is_some() || way.is_device();
        let permit = self.admit(bytes).await?;
        let visit = self.shared.losses.enter(self.master.facts().format)?;
        let (sender, pieces) = mpsc::channel(usize::try_from(ahead).unwrap_or(1).max(1));
        let attached = self.attached().await?;
        let cancel = Cancel::with_deadline(deadline);
        let render = self.render(cells, way, attached, cancel);
        tokio::spawn(async move {
            let encoders = &self.shared.stream_encoders;
            render::stream((render, bands), encoders, permit, visit, sender).await;
            self.shared.levels.consider(&self.master);
        });
        Ok((Pieces::begin(pieces).await?, on_device))
    }

    fn render(&self, cells: Cells, way: Way, attached: Arc<Attached>, cancel: Cancel) -> Render {
        Render {
            master: Arc::clone(&self.master),
            plan: self.plan.clone(),
            cells,
            helpers: self.lane().places(),
            engine: Arc::clone(&self.shared.engine),
            way,
            settings: self.shared.config.encode_settings(),
            attached,
            converted: self.converted(),
            cancel,
        }
    }

    /// What was read is one version of the master, or it is not kept.
    async fn confirm(&self) -> Result<()> {
        let master = Arc::clone(&self.master);
        let result = super::masters::run_blocking("confirm", move || master.confirm()).await;
        if result.is_err() {
            self.shared.masters.forget(&self.identifier);
        }
        result
    }
}

/// Everything that decides the derivative's bytes: master, request, settings, program.
fn derivative_key(
    shared: &Shared,
    request: &ImageRequest,
    master: &Master,
    resolved: &Resolved,
) -> Key {
    let of_master = master.derivatives.get_or_init(|| {
        let of_master = KeyBuilder::default()
            .key(&shared.settings_key)
            .part(request.identifier.as_str().as_bytes())
            .number(master.version.length)
            .part(&master.version.modified_ns.to_le_bytes())
            .part(format!("{:?}", master.meta).as_bytes());
        match &master.overlays {
            Some(dress) => of_master.key(&dress.key).finish(),
            None => of_master.finish(),
        }
    });
    KeyBuilder::default()
        .key(of_master)
        .number(request.version as u64)
        .part(resolved.canonical.as_bytes())
        .finish()
}

/// No answer is older than its master, its settings or its program. Where something is laid over the
/// master it is newer by a second than the settings, since dates of HTTP have no fractions: none that was
/// told before names it.
pub(super) fn newest(shared: &Shared, master: &Master) -> SystemTime {
    let newest = master.version.last_modified().max(shared.settings_time);
    match &master.overlays {
        Some(dress) => newest.max(dress.since) + Duration::from_secs(1),
        None => newest,
    }
}
