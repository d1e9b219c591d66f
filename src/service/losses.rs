//! Threads that did not come back by their deadline.
//!
//! A foreign decoder cannot be stopped. When it outlasts its deadline its request is answered and the
//! thread counts as lost until it returns; a format that has lost too many answers 503, so that bad
//! files cannot take every thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::codec::MasterFormat;
use crate::error::{Error, ErrorKind, Result};
use crate::metrics::LOST_THREADS;

/// Threads lost, by format.
#[derive(Debug)]
pub(super) struct Losses {
    allowed: usize,
    lost: [AtomicUsize; MasterFormat::ALL.len()],
}

impl Losses {
    /// A format may lose `allowed` threads.
    pub(super) fn new(allowed: usize) -> Self {
        Self {
            allowed,
            lost: Default::default(),
        }
    }

    /// Lets work on `format` start, unless too much of it is lost.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Busy`].
    pub(super) fn enter(self: &Arc<Self>, format: MasterFormat) -> Result<Visit> {
        let lost = self.count(format).load(Ordering::Acquire);
        if lost >= self.allowed {
            return Err(Error::new(
                ErrorKind::Busy,
                "images of this format cannot be decoded at the moment",
            ));
        }
        Ok(Visit {
            losses: Arc::clone(self),
            format,
            lost: Arc::default(),
        })
    }

    fn count(&self, format: MasterFormat) -> &AtomicUsize {
        &self.lost[format.index()]
    }
}

/// Work on one thread; it is carried by the thread and ends with it.
#[derive(Debug)]
pub(super) struct Visit {
    losses: Arc<Losses>,
    format: MasterFormat,
    lost: Arc<AtomicBool>,
}

/// What the waiting side keeps of a visit: the right to give it up.
#[derive(Debug)]
pub(super) struct Watch {
    losses: Arc<Losses>,
    format: MasterFormat,
    lost: Arc<AtomicBool>,
}

impl Visit {
    /// The waiting side's part.
    pub(super) fn watch(&self) -> Watch {
        Watch {
            losses: Arc::clone(&self.losses),
            format: self.format,
            lost: Arc::clone(&self.lost),
        }
    }
}

impl Watch {
    /// Counts the thread as lost until it comes back.
    pub(super) fn give_up(self) {
        if !self.lost.swap(true, Ordering::AcqRel) {
            let lost = self
                .losses
                .count(self.format)
                .fetch_add(1, Ordering::AcqRel)
                + 1;
            LOST_THREADS.with([self.format.name()]).set(lost as f64);
        }
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        // Swapping first keeps a give-up that comes too late from counting.
        if self.lost.swap(true, Ordering::AcqRel) {
            let lost = self
                .losses
                .count(self.format)
                .fetch_sub(1, Ordering::AcqRel)
                - 1;
            LOST_THREADS.with([self.format.name()]).set(lost as f64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_that_lost_too_many_threads_is_busy_until_one_returns() {
        let losses = Arc::new(Losses::new(1));
        let visit = losses.enter(MasterFormat::Jpeg2000).expect("none is lost");
        visit.watch().give_up();
        let refused = losses
            .enter(MasterFormat::Jpeg2000)
            .expect_err("one is lost");
        assert_eq!(refused.kind(), ErrorKind::Busy);
        assert!(losses.enter(MasterFormat::Png).is_ok());
        drop(visit);
        assert!(losses.enter(MasterFormat::Jpeg2000).is_ok());
    }

    #[test]
    fn giving_up_what_has_ended_counts_nothing() {
        let losses = Arc::new(Losses::new(1));
        let visit = losses.enter(MasterFormat::Tiff).expect("none is lost");
        let watch = visit.watch();
        drop(visit);
        watch.give_up();
        assert!(losses.enter(MasterFormat::Tiff).is_ok());
    }
}
