//! Which rung of the ladder answers a request that no cache remembers: the one place that decides.
//!
//! A rung is chosen from master and request alone, so that the same request has the same bytes whatever
//! is cached. Rungs that differ in cost and not in bytes are told apart among the renders.

use std::sync::Arc;

use super::answer::Rung;
use super::masters::Master;
use crate::codec::{Components, Mosaic, Price, Stored};
use crate::iiif::Format;
use crate::plan::{Pass, Plan};

/// Most pixels whose codes are read for one of the answer: passing over one costs a third of
/// encoding one.
const MOST_WALKED: u64 = 3;

/// How a request is answered.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// Bytes of the master are the answer.
    PassThrough(Stored),
    /// Tiles of the master are put together.
    Compressed(Arc<Mosaic>),
    /// Pixels are decoded, go through the passes and are encoded.
    Render(Rung),
}

impl Step {
    /// The first that gives what `plan` says. Stored bytes that have to be looked at before they leave
    /// are not taken beyond `most_bytes`.
    pub(super) fn choose(master: &Master, plan: &Plan, price: Price, most_bytes: u64) -> Self {
        match stored(master, plan) {
            Some(stored) if stored.may_stream() || stored.length() <= most_bytes => {
                return Self::PassThrough(stored);
            }
            _ => {}
        }
        match mosaic(master, plan).filter(|mosaic| mosaic.stored_bytes() <= most_bytes) {
            Some(mosaic) => Self::Compressed(Arc::new(mosaic)),
            None => Self::Render(rendering(master, price)),
        }
    }

    /// The name of the step.
    pub(super) const fn rung(&self) -> Rung {
        match self {
            Self::PassThrough(_) => Rung::PassThrough,
            Self::Compressed(_) => Rung::Compressed,
            Self::Render(rung) => *rung,
        }
    }
}

/// The stored bytes that are what `plan` says.
fn stored(master: &Master, plan: &Plan) -> Option<Stored> {
    let picture = &master.picture;
    let stored = || picture.stored(plan.level, plan.window, plan.format);
    plan.passes.is_empty().then(stored)?
}

/// The tiles that give what `plan` says, if putting them together costs less than making it.
fn mosaic(master: &Master, plan: &Plan) -> Option<Mosaic> {
    let components = match plan.passes[..] {
        [] => Components::All,
        [Pass::Gray] => Components::Luma,
        _ => return None,
    };
    if plan.format != Format::Jpg || plan.streamed {
        return None;
    }
    let mosaic = master.picture.mosaic(plan.level, plan.window, components)?;
    let wanted = plan.output.dimensions.area();
    (mosaic.walked_pixels() <= wanted * MOST_WALKED).then_some(mosaic)
}

/// The rung of a render.
pub(super) fn rendering(master: &Master, price: Price) -> Rung {
    if price.pixels >= master.dimensions().area() {
        Rung::Full
    } else {
        Rung::Partial
    }
}
