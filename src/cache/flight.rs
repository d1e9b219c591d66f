//! Renders under way: equal requests share one, and the last to leave cancels it.

use std::fmt;
use std::future::Future;
use std::hash::Hash;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use tokio::sync::watch;

use crate::cancel::Cancel;
use crate::error::{Error, Result};
use crate::metrics::COALESCED;

type Outcome<V> = Option<std::result::Result<V, Arc<Error>>>;

/// How a caller came by its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// It was made for this caller.
    Made,
    /// It was under way for another one.
    Joined,
}

/// Work under way by key. Clones share one map.
pub struct Flights<K: Eq + Hash, V> {
    under_way: Arc<DashMap<K, Weak<Flight<V>>>>,
}

struct Flight<V> {
    outcome: watch::Receiver<Outcome<V>>,
    waiters: AtomicUsize,
    cancel: Cancel,
}

impl<K: Eq + Hash, V> Clone for Flights<K, V> {
    fn clone(&self) -> Self {
        Self {
            under_way: Arc::clone(&self.under_way),
        }
    }
}

impl<K: Eq + Hash, V> Default for Flights<K, V> {
    fn default() -> Self {
        Self {
            under_way: Arc::default(),
        }
    }
}

impl<K: Eq + Hash, V> fmt::Debug for Flights<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Flights(×{})", self.under_way.len())
    }
}

impl<K, V> Flights<K, V>
where
    K: Eq + Hash + Copy + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// The value of `key`: joins the work under way for it, or starts `make` as a task of its own.
    ///
    /// `make` gets the token that is cancelled when nobody waits any more.
    ///
    /// # Errors
    ///
    /// Those of `make`, the same for all who wait; [`crate::error::ErrorKind::Internal`] when it panicked.
    pub async fn join_or_start<F, M>(&self, key: K, cancel: Cancel, make: M) -> Result<(V, Origin)>
    where
        M: FnOnce(Cancel) -> F,
        F: Future<Output = Result<V>> + Send + 'static,
    {
        let (seat, origin) = self.seat(key, cancel, make);
        let mut outcome = seat.0.outcome.clone();
        let settled = outcome.wait_for(Option::is_some).await;
        let value = match settled.as_deref() {
            Ok(Some(Ok(value))) => Ok(value.clone()),
            Ok(Some(Err(error))) => Err(error.duplicate()),
            Ok(None) | Err(_) => Err(Error::internal(
                "waiting for a render that ended in a panic",
            )),
        };
        drop(settled);
        value.map(|value| (value, origin))
    }

    /// A place among those who wait for `key`.
    fn seat<F, M>(&self, key: K, cancel: Cancel, make: M) -> (Seat<V>, Origin)
    where
        M: FnOnce(Cancel) -> F,
        F: Future<Output = Result<V>> + Send + 'static,
    {
        let entry = self.under_way.entry(key);
        if let Entry::Occupied(known) = &entry
            && let Some(flight) = known.get().upgrade()
            && flight.take_seat()
        {
            COALESCED.get().increment(1);
            return (Seat(flight), Origin::Joined);
        }
        let (sender, outcome) = watch::channel(None);
        let flight = Arc::new(Flight {
            outcome,
            waiters: AtomicUsize::new(1),
            cancel: cancel.clone(),
        });
        let mine = Arc::downgrade(&flight);
        entry.insert(Weak::clone(&mine));
        let work = make(cancel);
        let under_way = Arc::clone(&self.under_way);
        tokio::spawn(async move {
            let _forget = Forget {
                under_way,
                key,
                mine,
            };
            let result = work.await.map_err(Arc::new);
            // Nobody listening means that everybody left; the value is dropped.
            let _ = sender.send(Some(result));
        });
        (Seat(flight), Origin::Made)
    }
}

impl<V> Flight<V> {
    /// One waiter more, unless the last has just left and cancelled the work.
    fn take_seat(&self) -> bool {
        self.waiters
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |waiters| {
                (waiters > 0).then_some(waiters + 1)
            })
            .is_ok()
    }
}

/// One waiter; leaving as the last cancels the work.
struct Seat<V>(Arc<Flight<V>>);

impl<V> Drop for Seat<V> {
    fn drop(&mut self) {
        if self.0.waiters.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.cancel.cancel();
        }
    }
}

/// Takes a flight off the map when its work ends, however it ends, unless a newer one took its place.
struct Forget<K: Eq + Hash, V> {
    under_way: Arc<DashMap<K, Weak<Flight<V>>>>,
    key: K,
    mine: Weak<Flight<V>>,
}

impl<K: Eq + Hash, V> Drop for Forget<K, V> {
    fn drop(&mut self) {
        self.under_way
            .remove_if(&self.key, |_, flight| Weak::ptr_eq(flight, &self.mine));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use std::time::Duration;

    #[tokio::test]
    async fn equal_requests_are_made_once() {
        let flights = Flights::<u32, u32>::default();
        let made = Arc::new(AtomicUsize::new(0));
        let ask = || {
            let made = Arc::clone(&made);
            flights.join_or_start(7, Cancel::new(), move |_| async move {
                made.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(20)).await;
                Ok(42)
            })
        };
        let (a, b, c) = tokio::join!(ask(), ask(), ask());
        let origins = [a, b, c].map(|answer| {
            let (value, origin) = answer.expect("it is made");
            assert_eq!(value, 42);
            origin
        });
        assert_eq!(made.load(Ordering::SeqCst), 1);
        assert_eq!(origins.iter().filter(|o| **o == Origin::Joined).count(), 2);
        assert!(flights.under_way.is_empty());
    }

    #[tokio::test]
    async fn the_last_to_leave_cancels_and_newcomers_start_afresh() {
        let flights = Flights::<u32, u32>::default();
        let cancel = Cancel::new();
        let first = flights.join_or_start(7, cancel.clone(), |_| async {
            tokio::time::sleep(Duration::from_secs(5)).await;
            Ok(1)
        });
        assert!(
            tokio::time::timeout(Duration::from_millis(10), first)
                .await
                .is_err()
        );
        assert!(cancel.check().is_err());
        let second = flights
            .join_or_start(7, Cancel::new(), |_| async { Ok(2) })
            .await;
        assert_eq!(second.expect("it is made").0, 2);
    }

    #[tokio::test]
    async fn an_error_reaches_everybody_and_a_panic_is_internal() {
        let flights = Flights::<u32, u32>::default();
        let fail = || {
            flights.join_or_start(7, Cancel::new(), |_| async {
                tokio::time::sleep(Duration::from_millis(5)).await;
                Err(Error::corrupt("short"))
            })
        };
        let (a, b) = tokio::join!(fail(), fail());
        assert_eq!(a.expect_err("it failed").kind(), ErrorKind::Corrupt);
        assert_eq!(b.expect_err("it failed").kind(), ErrorKind::Corrupt);
        let panicked = flights
            .join_or_start(8, Cancel::new(), |_| async { panic!("on purpose") })
            .await;
        assert_eq!(
            panicked.expect_err("it panicked").kind(),
            ErrorKind::Internal
        );
    }
}
