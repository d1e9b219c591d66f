//! Folders read ahead of a walk, by threads beside it, and given out in the walk's order.
//!
//! Knows nothing of folders: numbered pieces of work, each done once. The one who takes them does the
//! next itself where nobody has begun it, so that nothing depends on threads being there.

use std::collections::HashMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// Pieces that may be done and not yet taken.
const PIECES_AHEAD: usize = 32;

/// Weight of what is done and not yet taken, above which no further piece is begun.
const WEIGHT_AHEAD: usize = 100_000;

/// Pieces `0..count` of the work `make`, which says with each what it weighs.
pub(super) struct Ahead<'a, T> {
    count: usize,
    make: &'a (dyn Fn(usize) -> (T, usize) + Sync),
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    /// First piece that nobody has begun.
    next: usize,
    /// First piece that has not been taken.
    wanted: usize,
    done: HashMap<usize, (T, usize)>,
    weight: usize,
}

impl<'a, T: Send> Ahead<'a, T> {
    /// Has `take` take the pieces, while `helpers` threads work ahead of it.
    pub(super) fn run<R>(
        count: usize,
        helpers: usize,
        make: &'a (dyn Fn(usize) -> (T, usize) + Sync),
        take: impl FnOnce(&Self) -> R,
    ) -> R {
        let ahead = Self {
            count,
            make,
            state: Mutex::new(State {
                next: 0,
                wanted: 0,
                done: HashMap::new(),
                weight: 0,
            }),
            changed: Condvar::new(),
        };
        thread::scope(|scope| {
            for _ in 0..helpers {
                // Without a thread the taker does it all.
                let helper = thread::Builder::new().name("source-ahead".to_owned());
                let _ = helper.spawn_scoped(scope, || ahead.help());
            }
            let _end = End(&ahead);
            take(&ahead)
        })
    }

    /// Piece `index`; none before it is wanted any more.
    pub(super) fn take(&self, index: usize) -> T {
        let mut state = self.lock();
        loop {
            state.wanted = state.wanted.max(index + 1);
            if let Some((piece, weight)) = state.done.remove(&index) {
                state.weight -= weight;
                self.changed.notify_all();
                return piece;
            }
            if state.next <= index {
                state.next = index + 1;
                self.changed.notify_all();
                drop(state);
                return (self.make)(index).0;
            }
            state = self.wait(state);
        }
    }

    fn help(&self) {
        let mut state = self.lock();
        while state.next < self.count {
            let is_far = state.next >= state.wanted + PIECES_AHEAD;
            if is_far || state.weight > WEIGHT_AHEAD {
                state = self.wait(state);
                continue;
            }
            let index = state.next;
            state.next += 1;
            drop(state);
            let (piece, weight) = (self.make)(index);
            state = self.lock();
            state.weight += weight;
            state.done.insert(index, (piece, weight));
            self.changed.notify_all();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'g>(&self, state: MutexGuard<'g, State<T>>) -> MutexGuard<'g, State<T>> {
        self.changed
            .wait(state)
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends the helpers home when the taker is through, however that came.
struct End<'s, 'a, T: Send>(&'s Ahead<'a, T>);

impl<T: Send> Drop for End<'_, '_, T> {
    fn drop(&mut self) {
        self.0.lock().next = self.0.count;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn every_piece_is_done_once_and_taken_in_order() {
        for helpers in [0, 1, 3] {
            let calls = AtomicUsize::new(0);
            let make = |index| {
                calls.fetch_add(1, Ordering::Relaxed);
                (index * 2, 1)
            };
            let taken = Ahead::run(500, helpers, &make, |ahead| {
                (0..500).map(|index| ahead.take(index)).collect::<Vec<_>>()
            });
            assert!(taken.iter().copied().eq((0..500).map(|index| index * 2)));
            assert_eq!(calls.load(Ordering::Relaxed), 500);
        }
    }

    #[test]
    fn helpers_stay_near_the_taker_and_end_with_it() {
        let calls = AtomicUsize::new(0);
        let make = |index: usize| {
            calls.fetch_add(1, Ordering::Relaxed);
            (index, 60_000)
        };
        Ahead::run(10_000, 2, &make, |ahead| assert_eq!(ahead.take(0), 0));
        assert!(calls.load(Ordering::Relaxed) <= 6, "{calls:?} were made");

        let light = AtomicUsize::new(0);
        let make = |index: usize| {
            light.fetch_add(1, Ordering::Relaxed);
            (index, 0)
        };
        Ahead::run(10_000, 2, &make, |ahead| {
            ahead.take(0);
            ahead.take(40);
        });
        let most = 41 + PIECES_AHEAD + 2;
        assert!(light.load(Ordering::Relaxed) <= most, "{light:?} were made");
    }
}
