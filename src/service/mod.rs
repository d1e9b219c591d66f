//! The use cases: an image, its info document, the collection, readiness.
//!
//! [`Service`] holds what requests share (sources, open masters, caches, lanes, threads) and hands
//! things across between the rooms below, which do not know each other. `http` asks it; it knows no
//! HTTP.

mod admission;
mod answer;
mod attached;
mod config;
mod device;
mod encoders;
mod explain;
mod image;
mod info;
mod ladder;
mod levels;
mod losses;
mod masters;
mod meta;
mod negotiation;
mod overlays;
mod passage;
mod place;
mod render;
mod stored;
mod strips;
mod tiles;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

/// All that is known of the GPU.
pub use crate::render::gpu::Report as GpuReport;
pub use answer::{
    Answer, Ask, Head, InfoAnswer, ListingPage, Pieces, Readiness, Rung, Timing, Validators,
};
pub use config::{
    CacheConfig, ColourConfig, Config, DerivativeCacheConfig, EncodeConfig, IiifConfig,
    LevelCacheConfig, Limits, TileCacheConfig,
};
pub use device::open_gpu;
pub use explain::Explanation;
pub use masters::Master;
pub use meta::Meta;
pub use overlays::{Dress, OverlayConfig, Position, RedactionConfig, WatermarkConfig};

use crate::cache::{Flights, Key, KeyBuilder, Memory};
use crate::error::{Error, Result};
use crate::iiif::{Identifier, SizeRules};
use crate::render::gpu::Gpu;
use crate::render::{CpuEngine, Engine};
use crate::source::FileSource;
use crate::{codec, plan};

use admission::{Admission, Lane, LaneLimits};
use encoders::Encoders;
use levels::Levels;
use losses::Losses;
use masters::Masters;
use overlays::Overlays;
use stored::Stored;
use tiles::Resident;

/// Raised whenever the bytes of a derivative change for the same master and request.
pub const PIXEL_VERSION: u64 = 9;

/// What the machine gives to this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resources {
    /// Processors.
    pub threads: usize,
    /// Memory, in bytes.
    pub memory_bytes: u64,
}

/// The use cases. Clones share everything; [`Service::reload`] changes it for all of them.
#[derive(Debug, Clone)]
pub struct Service {
    shared: Arc<RwLock<Arc<Shared>>>,
    /// Why the overlays that were set last are not in force.
    refused: Arc<RwLock<Option<String>>>,
}

/// What requests share under one configuration.
#[derive(Debug)]
struct Shared {
    config: Config,
    rules: SizeRules,
    plan_settings: plan::Settings,
    /// Digest of every setting that changes bytes, of the codecs' versions and of [`PIXEL_VERSION`].
    settings_key: Key,
    /// When these settings came to be: no answer is older.
    settings_time: SystemTime,
    source: Arc<FileSource>,
    masters: Arc<Masters>,
    derivatives: Arc<Memory>,
    stored: Arc<Stored>,
    tiles: Arc<Resident>,
    levels: Arc<Levels>,
    overlays: Arc<Overlays>,
    flights: Flights<Key, image::Made>,
    admission: Admission,
    info_lane: Arc<Lane>,
    encoders: Encoders,
    stream_encoders: Encoders,
    engine: Arc<dyn Engine>,
    gpu: Gpu,
    losses: Arc<Losses>,
}

impl Service {
    /// A service for `source` under `config`.
    ///
    /// # Errors
    ///
    /// When the system gives no threads.
    pub fn new(
        config: &Config,
        source: FileSource,
        check_every: Duration,
        resources: Resources,
    ) -> Result<Self> {
        let gpu = Gpu::start(&config.gpu, device::encoder());
        Self::with_gpu(config, source, check_every, resources, gpu)
    }

    /// The same before a device that has been opened elsewhere.
    ///
    /// # Errors
    ///
    /// As [`Service::new`].
    pub fn with_gpu(
        config: &Config,
        source: FileSource,
        check_every: Duration,
        resources: Resources,
        gpu: Gpu,
    ) -> Result<Self> {
        let levels = levels(config, &source, resources);
        let stored = Arc::new(Stored::new(&config.cache, source.folders()));
        let kept = Kept::new(config, resources, levels, stored, gpu);
        let shared = Shared::new(config, source, check_every, resources, kept)?;
        Ok(Self {
            shared: Arc::new(RwLock::new(Arc::new(shared))),
            refused: Arc::default(),
        })
    }

    /// Puts another configuration and source in place, for requests that begin from now on. Finished
    /// derivatives and decoded tiles are kept if their bounds stay: their keys hold all that decides them.
    ///
    /// # Errors
    ///
    /// As [`Service::new`]; then nothing changes.
    pub fn reload(
        &self,
        config: &Config,
        source: FileSource,
        check_every: Duration,
        resources: Resources,
    ) -> Result<()> {
        let before = self.shared();
        let same_place = before.config.cache.directory == config.cache.directory
            && before.source.folders() == source.folders();
        let levels = if same_place && before.config.cache.levels == config.cache.levels {
            Arc::clone(&before.levels)
        } else {
            levels(config, &source, resources)
        };
        let stored = if same_place && before.config.cache.derivative == config.cache.derivative {
            Arc::clone(&before.stored)
        } else {
            Arc::new(Stored::new(&config.cache, source.folders()))
        };
        let gpu = before.gpu.under(&config.gpu);
        let gpu = gpu.unwrap_or_else(|| Gpu::start(&config.gpu, device::encoder()));
        let mut kept = Kept::new(config, resources, levels, stored, gpu);
        if before.config.cache.derivative == config.cache.derivative {
            kept.derivatives = Arc::clone(&before.derivatives);
        }
        if before.config.cache.tiles == config.cache.tiles {
            kept.tiles = Arc::clone(&before.tiles);
        }
        let shared = Shared::new(config, source, check_every, resources, kept)?;
        *self.shared.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(shared);
        *self.refused.write().unwrap_or_else(PoisonError::into_inner) = None;
        Ok(())
    }

    /// Says that a configuration was refused, for `reason`. Where it `asked` for other overlays than those in
    /// force, or where it is in doubt for which, nobody should rely on them: the server is not ready until
    /// those that are asked for are those in force.
    pub fn keep_overlays(&self, asked: Option<&OverlayConfig>, reason: &str) {
        let are_in_force = asked == Some(&self.shared().config.overlay);
        let words = format!("{reason}; the overlays that were set before are in force");
        *self.refused.write().unwrap_or_else(PoisonError::into_inner) =
            (!are_in_force).then_some(words);
    }

    /// One page of the collection: `count` identifiers that contain `filter`, from the `offset`th on.
    ///
    /// The list is made in the background when it is first asked for; a filter over a million names
    /// takes a tenth of a second, so it runs off the runtime.
    ///
    /// # Errors
    ///
    /// An internal error when the filter panics.
    pub async fn listing(&self, filter: &str, offset: usize, count: usize) -> Result<ListingPage> {
        let listing = self.shared().source.listing();
        let filter = filter.to_owned();
        let read = move || {
            let (identifiers, total) = listing.page(&filter, offset, count);
            ListingPage {
                identifiers,
                total,
                building: listing.building,
            }
        };
        tokio::task::spawn_blocking(read)
            .await
            .map_err(|error| Error::internal("reading the list of pictures").with_source(error))
    }

    /// What is known of the GPU.
    pub fn gpu(&self) -> GpuReport {
        self.shared().gpu.report()
    }

    /// The same, after waiting until it has been opened, or has turned out not to be there. It blocks.
    pub fn gpu_settled(&self) -> GpuReport {
        self.shared().gpu.settled()
    }

    /// Whether requests can be answered now: every root of the source is there, every overlay can be
    /// applied, and no change of them was refused.
    pub fn readiness(&self) -> Readiness {
        let shared = self.shared();
        let mut checks: Vec<_> = shared
            .source
            .health()
            .into_iter()
            .map(|root| (format!("source {}", root.name), root.ok, root.words))
            .collect();
        checks.extend(shared.overlays.health());
        let refused = self.refused.read();
        let refused = refused.unwrap_or_else(PoisonError::into_inner).clone();
        checks.extend(refused.map(|words| ("overlay".to_owned(), false, words)));
        Readiness {
            ready: checks.iter().all(|(_, holds, _)| *holds),
            checks,
        }
    }

    /// The master that `identifier` names.
    ///
    /// # Errors
    ///
    /// As the image request's: not found, source away, damaged, busy.
    pub async fn master(&self, identifier: &Identifier) -> Result<Arc<Master>> {
        let shared = self.shared();
        let seen = shared.masters.get(identifier, &shared.info_lane).await?;
        seen.doubt.map_or(Ok(seen.master), Err)
    }

    fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Shared {
    fn new(
        config: &Config,
        source: FileSource,
        check_every: Duration,
        resources: Resources,
        kept: Kept,
    ) -> Result<Self> {
        let limits = &config.limits;
        let or_all = |threads: usize| {
            if threads == 0 {
                resources.threads
            } else {
                threads
            }
        };
        let render_threads = or_all(limits.render_threads);
        let encode_threads = or_all(config.encode.threads);
        let decode_bytes = decode_bytes(config, resources);
        let source = Arc::new(source);
        let overlays = Overlays::new(&config.overlay)?;
        let masters = Masters::new(
            Arc::clone(&source),
            Arc::clone(&kept.levels),
            Arc::clone(&overlays),
            limits.open_masters,
            config.decode_limits(decode_bytes),
            check_every,
            config.iiif.meta_identifier,
        );
        let lane = |name, threads, bytes| {
            Lane::new(
                name,
                LaneLimits {
                    threads,
                    bytes,
                    queue_length: limits.queue_length,
                    queue_time: Duration::from_secs(limits.queue_seconds),
                },
            )
        };
        let large_threads = render_threads.div_ceil(2);
        let no_threads = |cause| Error::internal("starting threads").with_source(cause);
        Ok(Self {
            config: config.clone(),
            rules: config.size_rules(),
            plan_settings: config.plan_settings(),
            settings_key: settings_key(config),
            settings_time: SystemTime::now(),
            source,
            masters: Arc::new(masters),
            derivatives: kept.derivatives,
            stored: kept.stored,
            tiles: kept.tiles,
            levels: kept.levels,
            overlays,
            flights: Flights::default(),
            admission: Admission {
                tile: lane("tile", render_threads, decode_bytes / 4),
                large: lane("large", large_threads, decode_bytes - decode_bytes / 4),
            },
            info_lane: Arc::new(lane("info", 4 * render_threads, u64::MAX >> 12)),
            encoders: Encoders::new("encode", encode_threads, limits.queue_length)
                .map_err(no_threads)?,
            stream_encoders: Encoders::new("stream", large_threads, limits.queue_length)
                .map_err(no_threads)?,
            engine: Arc::new(CpuEngine::new(config.colour.light)),
            gpu: kept.gpu,
            losses: Arc::new(Losses::new(limits.lost_threads)),
        })
    }
}

/// What a reload keeps, as long as its bounds stay.
struct Kept {
    derivatives: Arc<Memory>,
    stored: Arc<Stored>,
    tiles: Arc<Resident>,
    levels: Arc<Levels>,
    gpu: Gpu,
}

impl Kept {
    fn new(
        config: &Config,
        resources: Resources,
        levels: Arc<Levels>,
        stored: Arc<Stored>,
        gpu: Gpu,
    ) -> Self {
        // The operator's bound, on a small machine less.
        let tiles = config.cache.tiles.memory_bytes;
        let tiles = tiles.min(resources.memory_bytes / 4);
        Self {
            derivatives: Arc::new(Memory::new(config.cache.derivative.memory_bytes)),
            stored,
            tiles: Arc::new(Resident::new(tiles)),
            levels,
            gpu,
        }
    }
}

/// Bytes for decoded pixels of all requests together.
fn decode_bytes(config: &Config, resources: Resources) -> u64 {
    match config.limits.decode_bytes {
        0 => resources.memory_bytes / 4,
        bytes => bytes,
    }
}

/// Levels of masters in `source`. Building them may hold a quarter of what requests may, beside them.
fn levels(config: &Config, source: &FileSource, resources: Resources) -> Arc<Levels> {
    let folders = source.folders();
    let decode_bytes = decode_bytes(config, resources) / 4;
    Arc::new(Levels::new(&config.cache, folders, decode_bytes))
}

/// The digest of everything beside master and request that decides bytes.
fn settings_key(config: &Config) -> Key {
    let settings = format!(
        "{:?} {:?} {:?} {:?} {:?} {:?}",
        config.iiif.rights,
        config.encode_settings(),
        config.plan_settings(),
        config.size_rules(),
        config.decode_limits(0).of_pixels(),
        codec::versions(),
    );
    KeyBuilder::default()
        .number(PIXEL_VERSION)
        .part(settings.as_bytes())
        .finish()
}
