//! Decoded tiles in memory, bounded in bytes; what is being made is made once.
//!
//! Tiles enter a waiting room first and stay once they are asked for again, so that tiles which are
//! seen once do not push out those which are in use.

use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use quick_cache::sync::{Cache, GuardResult};
use quick_cache::{DefaultHashBuilder, Lifecycle, OptionsBuilder, Weighter};

use crate::cancel::Cancel;
use crate::error::Result;
use crate::metrics::{CACHE_BYTES, CACHE_EVICTIONS, CACHE_REQUESTS, COALESCED};

/// Bytes that an entry costs beside its samples: key, bookkeeping, allocation.
const OVERHEAD_BYTES: u64 = 240;

/// Bytes of a usual entry: 256 × 256 pixels of three channels.
const USUAL_BYTES: u64 = 192 << 10;

/// Bytes of a part of the cache that has a lock of its own.
const SHARD_BYTES: u64 = 32 << 20;

/// A value larger than this share of the cache is not kept: it would push out too much.
const LARGEST_SHARE: u64 = 8;

/// Values for one request that take more than this share of the cache will have left before they are
/// asked for again.
const LASTING_SHARE: u64 = 16;

/// How often a wait for somebody else's tile looks whether it is still wanted.
const CHECK_EVERY: Duration = Duration::from_millis(20);

/// Something that takes memory.
pub trait Weigh {
    /// The bytes that it takes.
    fn bytes(&self) -> u64;
}

/// Values by key. Once full, the least useful leave.
#[derive(Debug)]
pub struct Tiles<K, V> {
    entries: Option<Cache<K, Arc<V>, ByteWeight, DefaultHashBuilder, CountEvictions>>,
    largest_bytes: u64,
    lasting_bytes: u64,
}

impl<K: Copy + Eq + Hash, V: Weigh> Tiles<K, V> {
    /// A cache of at most `capacity_bytes`, bookkeeping included; 0 turns it off.
    #[expect(
        clippy::missing_panics_doc,
        reason = "both options that the cache needs are given"
    )]
    pub fn new(capacity_bytes: u64) -> Self {
        let shards = usize::try_from(capacity_bytes / SHARD_BYTES).unwrap_or(usize::MAX);
        let expected = usize::try_from(capacity_bytes / USUAL_BYTES).unwrap_or(usize::MAX);
        let entries = (capacity_bytes > 0).then(|| {
            let options = OptionsBuilder::new()
                .estimated_items_capacity(expected.clamp(16, 1 << 20))
                .weight_capacity(capacity_bytes)
                .shards(shards.clamp(1, 16))
                .build()
                .expect("capacity and estimate are given");
            let hash = DefaultHashBuilder::default();
            Cache::with_options(options, ByteWeight, hash, CountEvictions)
        });
        // One shard alone has to be able to hold the largest.
        let largest_bytes = entries
            .as_ref()
            .map_or(0, |entries| entries.shard_capacity() / LARGEST_SHARE);
        Self {
            entries,
            largest_bytes,
            lasting_bytes: capacity_bytes / LASTING_SHARE,
        }
    }

    /// Whether a value of `bytes` bytes can be kept.
    pub fn keeps(&self, bytes: u64) -> bool {
        bytes + OVERHEAD_BYTES <= self.largest_bytes
    }

    /// Whether values for one request, of `bytes` bytes in all, are likely to be there for the next.
    pub fn lasts(&self, bytes: u64) -> bool {
        bytes <= self.lasting_bytes
    }

    /// The value under `key`.
    pub fn get(&self, key: &K) -> Option<Arc<V>> {
        let found = self.entries.as_ref()?.get(key);
        let result = if found.is_some() { "hit" } else { "miss" };
        CACHE_REQUESTS.with(["tiles", result]).increment(1);
        found
    }

    /// The same, without a trace: it is neither counted nor in use for that.
    pub fn peek(&self, key: &K) -> Option<Arc<V>> {
        self.entries.as_ref()?.peek(key)
    }

    /// Keeps `value` under `key`, if it is not too large to be worth it.
    pub fn insert(&self, key: K, value: Arc<V>) {
        if let Some(entries) = &self.entries
            && self.keeps(value.bytes())
        {
            entries.insert(key, value);
            CACHE_BYTES.with(["tiles"]).set(entries.weight() as f64);
        }
    }

    /// The value under `key`: the one that is kept, the one that somebody else is making, or what
    /// `make` gives. An error is kept nowhere: the next who waits makes it anew.
    ///
    /// # Errors
    ///
    /// Those of `make`, and of `cancel` while waiting.
    pub fn get_or_make(
        &self,
        key: &K,
        cancel: &Cancel,
        make: impl FnOnce() -> Result<V>,
    ) -> Result<Arc<V>> {
        let Some(entries) = &self.entries else {
            return make().map(Arc::new);
        };
        let mut waited = false;
        loop {
            match entries.get_value_or_guard(key, Some(CHECK_EVERY)) {
                GuardResult::Value(value) => {
                    if waited {
                        COALESCED.get().increment(1);
                    }
                    return Ok(value);
                }
                GuardResult::Guard(guard) => {
                    let value = Arc::new(make()?);
                    // Those who wait get it even where the cache has no room for it.
                    let _ = guard.insert(Arc::clone(&value));
                    CACHE_BYTES.with(["tiles"]).set(entries.weight() as f64);
                    return Ok(value);
                }
                GuardResult::Timeout => cancel.check()?,
            }
            waited = true;
        }
    }

    /// Bytes held now, bookkeeping included.
    pub fn held_bytes(&self) -> u64 {
        self.entries.as_ref().map_or(0, Cache::weight)
    }
}

#[derive(Debug, Clone)]
struct ByteWeight;

impl<K, V: Weigh> Weighter<K, Arc<V>> for ByteWeight {
    fn weight(&self, _: &K, value: &Arc<V>) -> u64 {
        value.bytes() + OVERHEAD_BYTES
    }
}

#[derive(Debug, Clone, Copy)]
struct CountEvictions;

impl<K, V> Lifecycle<K, Arc<V>> for CountEvictions {
    type RequestState = ();

    fn on_evict(&self, (): &mut (), _: K, _: Arc<V>) {
        CACHE_EVICTIONS.with(["tiles"]).increment(1);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::thread;
    use std::time::Instant;

    use super::*;
    use crate::error::{Error, ErrorKind};

    impl Weigh for Vec<u8> {
        fn bytes(&self) -> u64 {
            self.len() as u64
        }
    }

    type Bytes = Tiles<u32, Vec<u8>>;

    fn insert(cache: &Bytes, key: u32) {
        cache.insert(key, Arc::new(vec![7; 10_000]));
    }

    #[test]
    fn bytes_stay_within_the_bound() {
        let cache = Bytes::new(1 << 20);
        for key in 0..1000 {
            insert(&cache, key);
            assert!(cache.held_bytes() <= 1 << 20);
        }
        let kept = (0..1000).filter(|key| cache.get(key).is_some()).count();
        assert!((50..=104).contains(&kept), "{kept} entries are kept");
    }

    #[test]
    fn what_is_in_use_outlasts_what_is_seen_once() {
        let cache = Bytes::new(1 << 20);
        for _ in 0..3 {
            for key in 0..50 {
                if cache.get(&key).is_none() {
                    insert(&cache, key);
                }
            }
        }
        for key in 1000..3000 {
            insert(&cache, key);
        }
        let kept = (0..50).filter(|key| cache.get(key).is_some()).count();
        assert!(kept >= 45, "{kept} of 50 are left");
    }

    #[test]
    fn what_would_push_out_too_much_is_not_kept() {
        let cache = Bytes::new(1 << 20);
        cache.insert(1, Arc::new(vec![7; 200_000]));
        assert!(cache.get(&1).is_none());
        assert!(!cache.keeps(200_000) && cache.keeps(10_000));
        assert!(!cache.lasts(66_000) && cache.lasts(65_000));
    }

    #[test]
    fn zero_bytes_turn_it_off() {
        let cache = Bytes::new(0);
        insert(&cache, 1);
        assert!(cache.get(&1).is_none());
        let made = cache.get_or_make(&1, &Cancel::new(), || Ok(vec![1]));
        assert_eq!(*made.expect("it is made"), [1]);
    }

    #[test]
    fn what_many_ask_for_is_made_once() {
        let cache = Bytes::new(1 << 20);
        let made = AtomicU32::new(0);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let value = cache.get_or_make(&1, &Cancel::new(), || {
                        made.fetch_add(1, Ordering::SeqCst);
                        thread::sleep(Duration::from_millis(60));
                        Ok(vec![3; 100])
                    });
                    assert_eq!(*value.expect("it is made"), [3; 100]);
                });
            }
        });
        assert_eq!(made.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_failure_is_not_kept_and_a_wait_ends_with_its_request() {
        let cache = Bytes::new(1 << 20);
        let fail = || Err(Error::corrupt("a tile is damaged"));
        let error = cache.get_or_make(&1, &Cancel::new(), fail).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        thread::scope(|scope| {
            let (begun, waiting) = std::sync::mpsc::channel();
            let cache = &cache;
            scope.spawn(move || {
                let made = cache.get_or_make(&1, &Cancel::new(), || {
                    begun.send(()).expect("somebody waits");
                    thread::sleep(Duration::from_millis(200));
                    Ok(vec![1])
                });
                made.expect("it is made anew");
            });
            waiting.recv().expect("it is being made");
            let soon = Cancel::with_deadline(Instant::now());
            let error = cache.get_or_make(&1, &soon, || Ok(vec![2])).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Timeout);
        });
    }
}
