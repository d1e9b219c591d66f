//! Open masters: found, opened and probed once, then kept while they are used.
//!
//! A master's version is checked by its path at most once in `check_seconds`; another version, or
//! none, drops what was parsed. Equal identifiers that arrive together are opened once.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::admission::Lane;
use super::levels::{self, Account, Levels};
use super::meta::Meta;
use super::overlays::{Dress, Overlays};
use super::tiles::TileSource;
use crate::cache::{Flights, Key, KeyBuilder};
use crate::cancel::Cancel;
use crate::codec::{self, DecodeLimits, Facts, Picture, Price};
use crate::error::{Error, ErrorKind, Result};
use crate::geometry::Dimensions;
use crate::iiif::{Identifier, ImageTraits};
use crate::metrics::PANICS;
use crate::plan::{Plan, Subject};
use crate::raster::Light;
use crate::reader::RangeReader;
use crate::source::{FileReader, FileSource, Located, Opened, Version};

/// A master that is open.
#[derive(Debug)]
pub struct Master {
    /// Its parsed headers.
    pub picture: Arc<dyn Picture>,
    /// Its bytes, through one descriptor.
    pub reader: Arc<FileReader>,
    /// Where it was found.
    pub located: Located,
    /// The version that is open.
    pub version: Version,
    /// The page that is open, and the share of its size at which it is published.
    pub meta: Meta,
    /// In which light its pixels are put together.
    pub(super) light: Light,
    /// Names its version, its page and what the settings make of its pixels among all masters.
    pub(super) key: Key,
    /// What its identifier, its version and the settings add to the keys of its derivatives. A pool has
    /// one state of the settings, and one master for an identifier.
    pub(super) derivatives: OnceLock<Key>,
    /// Millimetres of a pixel as it is published, once they were asked for.
    pub(super) pixel_mm: OnceLock<Option<f64>>,
    /// Milliseconds after the pool's start at which its version was last checked.
    checked_ms: AtomicU64,
    /// What decoding it has cost, if its levels would be remembered.
    pub(super) account: Option<Arc<Account>>,
    /// Its levels, where they are remembered.
    levels: RwLock<Option<Arc<dyn TileSource>>>,
    /// What is laid over it: `picture` has it already.
    pub overlays: Option<Dress>,
}

impl Master {
    /// What its headers say.
    pub fn facts(&self) -> &Facts {
        self.picture.facts()
    }

    /// The dimensions that are published: upright.
    pub fn dimensions(&self) -> Dimensions {
        let facts = self.facts();
        let reduced = self.meta.reduction.of(facts.pyramid.dimensions());
        facts.orientation.apply(reduced)
    }

    /// What a request has to know of it.
    pub fn traits(&self) -> ImageTraits {
        let channels = self.facts().pixel.channels;
        ImageTraits {
            dimensions: self.dimensions(),
            is_gray: channels.is_gray(),
            has_alpha: channels.has_alpha(),
        }
    }

    /// What a plan has to know of it.
    pub fn subject(&self) -> Subject<'_> {
        let facts = self.facts();
        Subject {
            pyramid: &facts.pyramid,
            orientation: facts.orientation,
            pixel: facts.pixel,
            reduction: self.meta.reduction,
        }
    }

    /// What it takes to get the pixels that `plan` reads: from its levels where those are remembered, in
    /// the memory of its decoder all the same, since levels may leave at any time.
    pub(super) fn price(&self, plan: &Plan) -> Price {
        let price = self.picture.price(plan.level, plan.window);
        if self.levels().is_none_or(|levels| !levels.has(plan.factor)) {
            return price;
        }
        let base = self.facts().pyramid.levels()[plan.level].factor;
        let halved = u64::from(plan.factor.get() / base.get());
        let area = plan.window.dimensions().area();
        Price {
            pixels: area.div_ceil(halved * halved).min(price.pixels),
            ..price
        }
    }

    /// The levels that are remembered of it, if they are.
    pub(super) fn levels(&self) -> Option<Arc<dyn TileSource>> {
        let levels = self.levels.read();
        levels.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes its levels from `source` from now on.
    pub(super) fn remember(&self, source: Arc<dyn TileSource>) {
        let levels = self.levels.write();
        *levels.unwrap_or_else(PoisonError::into_inner) = Some(source);
    }

    /// Holds if the open file is still what it was when it was opened.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Upstream`] when it changed in place; the next request looks what is there now.
    pub fn confirm(&self) -> Result<()> {
        if self.reader.version_now()? == self.version {
            Ok(())
        } else {
            self.checked_ms.store(CHANGED, Ordering::Relaxed);
            Err(Error::new(
                ErrorKind::Upstream,
                "the image changed while it was read; try again",
            ))
        }
    }
}

/// A master, and whether it could be confirmed that it is still the one.
///
/// What is remembered of a master may be told while its source is away; nothing new is made from it.
#[derive(Debug)]
pub(super) struct Seen {
    /// The master.
    pub(super) master: Arc<Master>,
    /// Why its version could not be looked at.
    pub(super) doubt: Option<Error>,
}

impl Seen {
    fn confirmed(master: Arc<Master>) -> Self {
        Self {
            master,
            doubt: None,
        }
    }

    fn doubtful(master: Arc<Master>, doubt: Error) -> Self {
        Self {
            master,
            doubt: Some(doubt),
        }
    }
}

/// Stands for a check that found another version.
const CHANGED: u64 = u64::MAX;

/// How long a known master's request waits for a look at its file: a source that hangs must not hold up
/// what is remembered.
const PATIENCE: Duration = Duration::from_millis(250);

/// Bytes that a master may keep in memory and still count as one: tables of 65,536 tiles.
const USUAL_BYTES: u64 = 1 << 20;

/// What a master takes of the room for open ones.
#[derive(Debug, Clone)]
struct Weight;

impl Weighter<Identifier, Arc<Master>> for Weight {
    fn weight(&self, _: &Identifier, master: &Arc<Master>) -> u64 {
        master.picture.kept_bytes().max(USUAL_BYTES)
    }
}

/// The masters that are kept open.
#[derive(Debug)]
pub(super) struct Masters {
    source: Arc<FileSource>,
    levels: Arc<Levels>,
    overlays: Arc<Overlays>,
    open: Cache<Identifier, Arc<Master>, Weight>,
    opening: Flights<Key, Arc<Master>>,
    limits: DecodeLimits,
    check_every: Duration,
    meta: bool,
    start: Instant,
}

impl Masters {
    /// At most `capacity` masters of `source`, checked every `check_every`. One that keeps more than usual
    /// counts for several.
    pub(super) fn new(
        source: Arc<FileSource>,
        levels: Arc<Levels>,
        overlays: Arc<Overlays>,
        capacity: usize,
        limits: DecodeLimits,
        check_every: Duration,
        meta: bool,
    ) -> Self {
        Self {
            source,
            levels,
            overlays,
            open: Cache::with_weighter(capacity, capacity as u64 * USUAL_BYTES, Weight),
            opening: Flights::default(),
            limits,
            check_every,
            meta,
            start: Instant::now(),
        }
    }

    /// The master that `identifier` names.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`], [`ErrorKind::Forbidden`], [`ErrorKind::Upstream`] from the source;
    /// [`ErrorKind::Corrupt`], [`ErrorKind::NotImplemented`], [`ErrorKind::TooLarge`] from its headers;
    /// [`ErrorKind::Busy`] from the lane.
    pub(super) async fn get(
        self: &Arc<Self>,
        identifier: &Identifier,
        lane: &Arc<Lane>,
    ) -> Result<Seen> {
        let Some(known) = self.known(identifier) else {
            let master = Box::pin(self.renewed(identifier, lane, None)).await?;
            return Ok(Seen::confirmed(master));
        };
        if self.is_fresh(&known) {
            return Ok(Seen::confirmed(known));
        }
        let renewed = Box::pin(self.renewed(identifier, lane, Some(Arc::clone(&known))));
        match tokio::time::timeout(PATIENCE, renewed).await {
            Ok(Ok(master)) => Ok(Seen::confirmed(master)),
            Ok(Err(error)) if error.kind() == ErrorKind::Upstream => {
                Ok(Seen::doubtful(known, error))
            }
            Ok(Err(error)) => Err(error),
            Err(_) => {
                let words = "the image source does not answer; try again later";
                Ok(Seen::doubtful(
                    known,
                    Error::new(ErrorKind::Upstream, words),
                ))
            }
        }
    }

    /// The master that `identifier` named when it was opened, unless it would look different now.
    fn known(&self, identifier: &Identifier) -> Option<Arc<Master>> {
        let known = self.open.get(identifier)?;
        let mut overlays = known.overlays.iter();
        if overlays.all(Dress::is_current) {
            return Some(known);
        }
        self.open.remove(identifier);
        None
    }

    /// The version that is there now; requests that arrive together look once.
    async fn renewed(
        self: &Arc<Self>,
        identifier: &Identifier,
        lane: &Arc<Lane>,
        known: Option<Arc<Master>>,
    ) -> Result<Arc<Master>> {
        let key = KeyBuilder::default().part(identifier.as_str().as_bytes());
        let (pool, identifier, lane) = (Arc::clone(self), identifier.clone(), Arc::clone(lane));
        let look = move |_| async move {
            let permit = lane.admit(0).await?;
            run_blocking("open", move || {
                let _permit = permit;
                pool.renew(&identifier, known)
            })
            .await
        };
        let (master, _) = self
            .opening
            .join_or_start(key.finish(), Cancel::new(), look)
            .await?;
        Ok(master)
    }

    /// Forgets a master whose bytes turned out to have changed.
    pub(super) fn forget(&self, identifier: &Identifier) {
        self.open.remove(identifier);
    }

    fn is_fresh(&self, master: &Master) -> bool {
        let checked = master.checked_ms.load(Ordering::Relaxed);
        let age = self.now_ms().saturating_sub(checked);
        checked != CHANGED && u128::from(age) < self.check_every.as_millis()
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// The known master if its version is still there, else the one that is there now.
    fn renew(&self, identifier: &Identifier, known: Option<Arc<Master>>) -> Result<Arc<Master>> {
        if let Some(master) = known {
            match self.source.validate(&master.located) {
                Ok(version) if version == master.version => {
                    master.checked_ms.store(self.now_ms(), Ordering::Relaxed);
                    return Ok(master);
                }
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                // Another file is there now, or none.
                Ok(_) | Err(_) => self.open.remove(identifier),
            };
        }
        let (opened, meta) = self.locate(identifier.as_str())?;
        let reader: Arc<dyn RangeReader> = Arc::clone(&opened.reader) as Arc<dyn RangeReader>;
        let picture = codec::open(reader, meta.page, &self.limits)?;
        let overlays = self.dress(&opened, meta, picture.facts())?;
        let picture = match &overlays {
            Some(dress) => codec::overlaid(picture, dress.overlay()),
            None => picture,
        };
        let dressed = |key| under(key, overlays.as_ref());
        let stored_as = dressed(levels::key_of(
            &opened.located,
            &opened.version,
            meta,
            &self.limits,
        ));
        let account = self.levels.account(stored_as, picture.as_ref());
        // Where nothing would be stored, nothing is looked for.
        let stored =
            (account.as_ref()).and_then(|_| self.levels.find(&stored_as, picture.as_ref()));
        let master = Arc::new(Master {
            picture,
            key: dressed(version_key(&opened, meta, &self.limits)),
            light: self.limits.light,
            reader: opened.reader,
            located: opened.located,
            version: opened.version,
            meta,
            derivatives: OnceLock::new(),
            pixel_mm: OnceLock::new(),
            checked_ms: AtomicU64::new(self.now_ms()),
            account,
            levels: RwLock::new(stored),
            overlays,
        });
        self.open.insert(identifier.clone(), Arc::clone(&master));
        Ok(master)
    }

    /// What is laid over a master that has been opened. With a page its name has the page too.
    fn dress(&self, opened: &Opened, meta: Meta, facts: &Facts) -> Result<Option<Dress>> {
        if self.overlays.is_empty() {
            return Ok(None);
        }
        let names = opened.located.names();
        let paged = names.iter().map(|name| format!("{name};{}", meta.page));
        let names: Vec<_> = names.iter().cloned().chain(paged).collect();
        self.overlays.dress(&names, meta.page, facts)
    }

    /// The file that `identifier` names, or, where none has the whole name, what a meta-identifier adds.
    fn locate(&self, identifier: &str) -> Result<(Opened, Meta)> {
        match self.source.open(identifier) {
            Err(error) if self.meta && error.kind() == ErrorKind::NotFound => {
                let (name, meta) = Meta::split(identifier).ok_or(error)?;
                Ok((self.source.open(name)?, meta))
            }
            result => Ok((result?, Meta::NONE)),
        }
    }
}

/// Everything that decides which pixels a master has.
fn version_key(opened: &Opened, meta: Meta, limits: &DecodeLimits) -> Key {
    let version = opened.version;
    KeyBuilder::default()
        .part(opened.located.root().as_bytes())
        .part(opened.located.identifier().as_bytes())
        .number(version.device)
        .number(version.inode)
        .number(version.length)
        .part(&version.modified_ns.to_le_bytes())
        .number(meta.page.into())
        .part(limits.of_pixels().as_bytes())
        .finish()
}

/// `key` of a master as it looks under `overlays`.
fn under(key: Key, overlays: Option<&Dress>) -> Key {
    overlays.map_or(key, |dress| {
        KeyBuilder::default().key(&key).key(&dress.key).finish()
    })
}

/// Runs `work` off the runtime; a panic in it costs its caller alone.
///
/// # Errors
///
/// Those of `work`; [`ErrorKind::Internal`] when it panicked.
pub(super) async fn run_blocking<T, F>(stage: &'static str, work: F) -> Result<T>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T> + Send + 'static,
{
    let guarded = move || {
        catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
            PANICS.with([stage]).increment(1);
            Err(Error::internal("running work that panicked"))
        })
    };
    tokio::task::spawn_blocking(guarded)
        .await
        .unwrap_or_else(|cause| Err(Error::internal("running work").with_source(cause)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source;

    const PICTURE: &[u8] = include_bytes!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/fixtures/images/cat-progressive.jpg"
    ));

    /// At most eight masters of `folder`.
    fn masters(folder: &std::path::Path) -> Masters {
        let config = source::Config {
            root: folder.to_owned(),
            ..source::Config::default()
        };
        Masters::new(
            Arc::new(FileSource::new(&config).expect("valid")),
            Arc::new(Levels::none()),
            Overlays::none(),
            8,
            DecodeLimits::default(),
            Duration::ZERO,
            true,
        )
    }

    /// A gray TIFF of 1024 × 1024 in tiles of one pixel, whose tables are the same mebibyte.
    fn many_tiles() -> Vec<u8> {
        const TILES: u32 = 1 << 20;
        let entries: [(u16, u16, u32, u32); 9] = [
            (256, 4, 1, 1024),
            (257, 4, 1, 1024),
            (258, 3, 1, 8),
            (259, 3, 1, 1),
            (262, 3, 1, 1),
            (322, 4, 1, 1),
            (323, 4, 1, 1),
            (324, 1, TILES, 200),
            (325, 1, TILES, 200),
        ];
        let mut bytes = b"II*\0\x08\0\0\0\x09\0".to_vec();
        for (tag, kind, count, value) in entries {
            bytes.extend([tag, kind].into_iter().flat_map(u16::to_le_bytes));
            bytes.extend([count, value].into_iter().flat_map(u32::to_le_bytes));
        }
        bytes.resize(200 + (1 << 20), 0);
        bytes
    }

    #[test]
    fn a_master_whose_tables_take_more_than_all_may_is_not_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("cat.jpg"), PICTURE).expect("written");
        std::fs::write(folder.path().join("many.tif"), many_tiles()).expect("written");
        let masters = masters(folder.path());
        for (name, stays) in [("cat.jpg", true), ("many.tif", false)] {
            let identifier = Identifier::new(name).expect("valid");
            let master = masters.renew(&identifier, None).expect("there");
            assert_eq!(master.picture.kept_bytes() > 8 * USUAL_BYTES, !stays);
            assert_eq!(masters.open.get(&identifier).is_some(), stays, "{name}");
        }
    }

    #[tokio::test]
    async fn a_panic_costs_its_caller_alone() {
        let lost: Result<u32> = run_blocking("render", || panic!("on purpose")).await;
        assert_eq!(lost.expect_err("it panicked").kind(), ErrorKind::Internal);
        assert_eq!(run_blocking("render", || Ok(5)).await.expect("goes on"), 5);
    }

    #[test]
    fn a_known_master_that_is_gone_makes_room_for_what_its_name_means_now() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name| std::fs::write(folder.path().join(name), PICTURE).expect("written");
        let remove = |name| std::fs::remove_file(folder.path().join(name)).expect("removed");
        let masters = masters(folder.path());
        let identifier = Identifier::new("cat;1").expect("valid");
        let renew = |known| masters.renew(&identifier, known);

        write("cat;1");
        let whole = renew(None).expect("there");
        let again = renew(Some(Arc::clone(&whole))).expect("still there");
        assert!(Arc::ptr_eq(&whole, &again));

        write("cat.jpg");
        remove("cat;1");
        let page = renew(Some(whole)).expect("a page of the other file");
        assert_eq!(page.located.identifier(), "cat");

        remove("cat.jpg");
        let error = renew(Some(page)).expect_err("none is left");
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(
            masters.open.get(&identifier).is_none(),
            "it is kept no longer"
        );
    }
}
