//! What the server would do for a request, foreseen by the code that would do it and from all that it
//! remembers now.

use super::Service;
use super::answer::Rung;
use super::device::DEVICE;
use super::image::{Work, engine};
use super::ladder::{Step, rendering};
use super::masters::{Master, Seen};
use crate::error::Result;
use crate::iiif::ImageRequest;
use crate::plan::Pass;
use crate::render::gpu::Choice;

/// What the server would do for a request.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// The canonical form: region, size, rotation, quality, format.
    pub canonical: String,
    /// The rung that answers.
    pub rung: Rung,
    /// The engine that runs the passes.
    pub engine: &'static str,
    /// The lane that admits it.
    pub lane: &'static str,
    /// The index of the level that is read in the master's pyramid.
    pub level: usize,
    /// How often the picture is halved by that level and by shrinking, as a factor.
    pub factor: u32,
    /// What is read of that level: left, top, width, height.
    pub window: [u32; 4],
    /// What is laid over the master, in words.
    pub overlays: Vec<String>,
    /// The passes, in words.
    pub passes: Vec<String>,
    /// Width and height of the answer.
    pub output: [u32; 2],
    /// Whether the answer leaves while it is made.
    pub streamed: bool,
    /// Pixels that have to be decoded.
    pub decoded_pixels: u64,
    /// Bytes that decoding and passes hold.
    pub memory_bytes: u64,
    /// What the device has to do with it; none where no passes run, or the answer is streamed in another
    /// format than JPEG and no pass needs the whole picture.
    pub choice: Option<Choice>,
}

impl Service {
    /// What [`Service::image`] would do, without doing it.
    ///
    /// # Errors
    ///
    /// As [`Service::image`], up to the start of the work.
    pub async fn explain(&self, request: &ImageRequest) -> Result<Explanation> {
        let shared = self.shared();
        let Seen { master, doubt } = shared
            .masters
            .get(&request.identifier, &shared.info_lane)
            .await?;
        let work = Work::new(&shared, request, master)?;
        let rung = work.foreseen().await?;
        match doubt {
            Some(doubt) if rung != Rung::Derivative => Err(doubt),
            _ => Ok(work.explanation(rung)),
        }
    }
}

impl Work {
    /// The rung that answers if the request comes now: the steps of [`Service::image`].
    async fn foreseen(&self) -> Result<Rung> {
        let mut otherwise = self.step.rung();
        if let Step::PassThrough(stored) = &self.step {
            let whole = stored.length() <= self.shared.config.limits.stream_above_bytes;
            if !whole || self.passing().whole(stored).await?.is_some() {
                return Ok(Rung::PassThrough);
            }
            otherwise = rendering(&self.master, self.price);
        }
        if self.shared.derivatives.holds(&self.key) {
            return Ok(Rung::Derivative);
        }
        if self.plan.streamed {
            return Ok(otherwise);
        }
        if self.shared.stored.find(self.key).await.is_some() {
            return Ok(Rung::Derivative);
        }
        if let Step::Compressed(mosaic) = &self.step
            && self
                .passing()
                .composed(mosaic, &self.patience())
                .await?
                .is_some()
        {
            return Ok(Rung::Compressed);
        }
        let otherwise = rendering(&self.master, self.price);
        let cells = self.unseen_cells();
        let on_device = || self.foreseen_choice(self.lane().load()).on_device;
        if self.shared.gpu.has(&cells.names()) && on_device() {
            return Ok(Rung::Resident);
        }
        Ok(cells.foreseen(otherwise))
    }

    fn explanation(self, rung: Rung) -> Explanation {
        let (plan, window) = (&self.plan, self.plan.window);
        let (decoded_pixels, memory_bytes) = match rung {
            Rung::NotModified | Rung::Derivative | Rung::PassThrough | Rung::Compressed => (0, 0),
            Rung::Resident => (0, plan.working_bytes),
            Rung::Levels | Rung::Partial | Rung::Full => {
                let price = self.price;
                (price.pixels, price.bytes + plan.working_bytes)
            }
        };
        let choice = self.choice(rung);
        let on_device = choice.is_some_and(|choice| choice.on_device);
        Explanation {
            rung,
            engine: if on_device {
                DEVICE
            } else {
                engine(&self.shared, rung)
            },
            choice,
            lane: self.lane().name(),
            level: plan.level,
            factor: plan.factor.get(),
            window: [window.x, window.y, window.width, window.height],
            overlays: overlays(&self.master),
            passes: plan.passes.iter().map(words).collect(),
            output: [plan.output.dimensions.width, plan.output.dimensions.height],
            streamed: plan.streamed,
            decoded_pixels,
            memory_bytes,
            canonical: self.resolved.canonical,
        }
    }

    /// Where the passes of a rung would run now.
    fn choice(&self, rung: Rung) -> Option<Choice> {
        match rung {
            Rung::NotModified | Rung::Derivative | Rung::PassThrough | Rung::Compressed => None,
            Rung::Resident | Rung::Levels | Rung::Partial | Rung::Full => {
                let load = self.lane().load();
                if self.plan.streamed {
                    return self.foreseen_long_choice(load);
                }
                Some(self.foreseen_choice(load))
            }
        }
    }
}

fn overlays(master: &Master) -> Vec<String> {
    let dress = master.overlays.iter();
    dress.flat_map(|dress| dress.words().to_vec()).collect()
}

fn words(pass: &Pass) -> String {
    match pass {
        Pass::Shrink { times } => format!("shrink by {}", 1_u64 << times),
        Pass::Resample { target, filter, .. } => format!("resample to {target} by {filter:?}"),
        Pass::Narrow => "narrow to 8 bits".to_owned(),
        Pass::Orient(orientation) => format!(
            "{}turn {}°",
            if orientation.mirror { "mirror, " } else { "" },
            u32::from(orientation.turns) * 90
        ),
        Pass::Flatten { .. } => "lay over the background".to_owned(),
        Pass::Rotate(turn) => format!("rotate {}° into {}", turn.degrees, turn.canvas),
        Pass::Gray => "gray".to_owned(),
        Pass::Bitonal => "bitonal".to_owned(),
    }
}
