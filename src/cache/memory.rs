//! Finished derivatives in memory, bounded in bytes.

use bytes::Bytes;
use quick_cache::sync::Cache;
use quick_cache::{DefaultHashBuilder, Lifecycle, OptionsBuilder, Weighter};

use super::Key;
use crate::metrics::{CACHE_BYTES, CACHE_EVICTIONS, CACHE_REQUESTS};

/// Bytes that an entry costs beside its body: key, bookkeeping, allocation.
const OVERHEAD_BYTES: u64 = 160;

/// A body larger than this share of the cache is not kept: it would push out too much.
const LARGEST_SHARE: u64 = 8;

/// Bodies by key. Once full, the least useful leave.
#[derive(Debug)]
pub struct Memory {
    entries: Option<Cache<Key, Bytes, ByteWeight, DefaultHashBuilder, CountEvictions>>,
    capacity_bytes: u64,
}

impl Memory {
    /// A cache of at most `capacity_bytes`, bookkeeping included; 0 turns it off.
    #[expect(
        clippy::missing_panics_doc,
        reason = "both options that the cache needs are given"
    )]
    pub fn new(capacity_bytes: u64) -> Self {
        let expected_entries = usize::try_from(capacity_bytes / (16 << 10)).unwrap_or(usize::MAX);
        let entries = (capacity_bytes > 0).then(|| {
            let options = OptionsBuilder::new()
                .estimated_items_capacity(expected_entries.clamp(16, 1 << 20))
                .weight_capacity(capacity_bytes)
                .shards(4)
                .build()
                .expect("capacity and estimate are given");
            Cache::with_options(
                options,
                ByteWeight,
                DefaultHashBuilder::default(),
                CountEvictions,
            )
        });
        Self {
            entries,
            capacity_bytes,
        }
    }

    /// The body under `key`.
    pub fn get(&self, key: &Key) -> Option<Bytes> {
        let found = self.entries.as_ref()?.get(key);
        let result = if found.is_some() { "hit" } else { "miss" };
        CACHE_REQUESTS
            .with(["derivative_memory", result])
            .increment(1);
        found
    }

    /// Whether there is one, without a trace: it is neither counted nor in use for that.
    pub fn holds(&self, key: &Key) -> bool {
        let entries = self.entries.as_ref();
        entries.is_some_and(|entries| entries.contains_key(key))
    }

    /// Keeps `body` under `key`, if it is not too large to be worth it.
    pub fn insert(&self, key: Key, body: Bytes) {
        if let Some(entries) = &self.entries
            && body.len() as u64 <= self.capacity_bytes / LARGEST_SHARE
        {
            entries.insert(key, body);
            CACHE_BYTES
                .with(["derivative_memory"])
                .set(entries.weight() as f64);
        }
    }

    /// Bytes held now, bookkeeping included.
    pub fn held_bytes(&self) -> u64 {
        self.entries.as_ref().map_or(0, Cache::weight)
    }
}

#[derive(Debug, Clone)]
struct ByteWeight;

impl Weighter<Key, Bytes> for ByteWeight {
    fn weight(&self, _: &Key, body: &Bytes) -> u64 {
        body.len() as u64 + OVERHEAD_BYTES
    }
}

#[derive(Debug, Clone, Copy)]
struct CountEvictions;

impl Lifecycle<Key, Bytes> for CountEvictions {
    type RequestState = ();

    fn on_evict(&self, (): &mut (), _: Key, _: Bytes) {
        CACHE_EVICTIONS.with(["derivative_memory"]).increment(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::KeyBuilder;

    fn key(number: u64) -> Key {
        KeyBuilder::default().number(number).finish()
    }

    #[test]
    fn bytes_stay_within_the_bound() {
        let cache = Memory::new(1 << 20);
        for number in 0..1000 {
            cache.insert(key(number), Bytes::from(vec![7; 10_000]));
            assert!(cache.held_bytes() <= 1 << 20);
        }
        let kept = (0..1000).filter(|n| cache.get(&key(*n)).is_some()).count();
        assert!((50..=104).contains(&kept), "{kept} entries are kept");
    }

    #[test]
    fn a_body_that_would_push_out_too_much_is_not_kept() {
        let cache = Memory::new(1 << 20);
        cache.insert(key(1), Bytes::from(vec![7; 200_000]));
        assert!(cache.get(&key(1)).is_none());
    }

    #[test]
    fn zero_bytes_turn_it_off() {
        let cache = Memory::new(0);
        cache.insert(key(1), Bytes::from_static(b"x"));
        assert!(cache.get(&key(1)).is_none());
    }
}
