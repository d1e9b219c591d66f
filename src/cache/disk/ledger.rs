//! Which files a folder has, how long they are, and which was used longest ago.

use std::collections::{BTreeMap, HashMap};

use crate::cache::Key;

/// The files of one folder.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    files: HashMap<Key, Row>,
    /// Keys by last use.
    order: BTreeMap<u64, Key>,
    bytes: u64,
    clock: u64,
}

#[derive(Debug, Clone, Copy)]
struct Row {
    bytes: u64,
    used: u64,
}

impl Ledger {
    /// Bytes of all files.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// A file of `bytes` that is used now. One with the same key is replaced.
    pub(super) fn enter(&mut self, key: Key, bytes: u64) {
        self.remove(&key);
        self.clock += 1;
        let used = self.clock;
        self.files.insert(key, Row { bytes, used });
        self.order.insert(used, key);
        self.bytes += bytes;
    }

    /// The file with `key` is used now; says whether there is one.
    pub(super) fn touch(&mut self, key: &Key) -> bool {
        let row = self.files.get(key).copied();
        if let Some(row) = row {
            self.enter(*key, row.bytes);
        }
        row.is_some()
    }

    /// Files that were used, in this order, before all that are known. Known ones stay as they are.
    pub(super) fn enter_before(&mut self, files: impl Iterator<Item = (Key, u64)>) {
        let known: Vec<_> = self.order.values().copied().collect();
        for (key, bytes) in files {
            if !self.files.contains_key(&key) {
                self.enter(key, bytes);
            }
        }
        for key in known {
            self.touch(&key);
        }
    }

    /// The file with `key` is gone.
    pub(super) fn remove(&mut self, key: &Key) {
        if let Some(row) = self.files.remove(key) {
            self.order.remove(&row.used);
            self.bytes -= row.bytes;
        }
    }

    /// Takes out the files used longest ago, until the rest has at most `bound` bytes.
    pub(super) fn shrink(&mut self, bound: u64) -> Vec<Key> {
        let mut leaving = Vec::new();
        while self.bytes > bound
            && let Some((_, key)) = self.order.first_key_value()
        {
            let key = *key;
            self.remove(&key);
            leaving.push(key);
        }
        leaving
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
    fn what_was_used_longest_ago_leaves_first() {
        let mut ledger = Ledger::default();
        for number in 0..5 {
            ledger.enter(key(number), 10);
        }
        assert!(ledger.touch(&key(0)));
        ledger.enter(key(1), 12);
        assert_eq!(ledger.bytes(), 52);
        assert_eq!(ledger.shrink(30), [key(2), key(3), key(4)]);
        assert_eq!(ledger.bytes(), 22);
        ledger.remove(&key(0));
        ledger.remove(&key(0));
        assert_eq!((ledger.bytes(), ledger.touch(&key(1))), (12, true));
        assert!(!ledger.touch(&key(0)));
        ledger.enter_before([(key(8), 5), (key(1), 99), (key(9), 5)].into_iter());
        assert_eq!(ledger.bytes(), 22);
        assert_eq!(ledger.shrink(0), [key(8), key(9), key(1)]);
        assert_eq!(ledger.bytes(), 0);
    }
}
