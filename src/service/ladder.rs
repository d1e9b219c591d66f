//! Which rung of the ladder answers a request that no cache remembers: the one place that decides.
//!
//! A rung is chosen from master and request alone, so that the same request has the same bytes whatever
//! is cached. Rungs that differ in cost and not in bytes are told apart among the renders.

use super::answer::Rung;
use super::masters::Master;
use crate::codec::{Price, Stored};
use crate::plan::Plan;

/// How a request is answered.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// Bytes of the master are the answer.
    PassThrough(Stored),
    /// Pixels are decoded, go through the passes and are encoded.
    Render(Rung),
}

impl Step {
    /// The first that gives what `plan` says. Stored bytes that have to be looked at before they leave
    /// are not passed beyond `most_bytes`.
    pub(super) fn choose(master: &Master, plan: &Plan, price: Price, most_bytes: u64) -> Self {
        let stored = plan
            .passes
            .is_empty()
            .then(|| {
                let picture = &master.picture;
                picture.stored(plan.level, plan.window, plan.format)
            })
            .flatten();
        match stored {
            Some(stored) if stored.may_stream() || stored.length() <= most_bytes => {
                Self::PassThrough(stored)
            }
            _ => Self::Render(rendering(master, price)),
        }
    }

    /// The name of the step.
    pub(super) const fn rung(&self) -> Rung {
        match self {
            Self::PassThrough(_) => Rung::PassThrough,
            Self::Render(rung) => *rung,
        }
    }
}

/// The rung of a render.
pub(super) fn rendering(master: &Master, price: Price) -> Rung {
    if price.pixels >= master.dimensions().area() {
        Rung::Full
    } else {
        Rung::Partial
    }
}
