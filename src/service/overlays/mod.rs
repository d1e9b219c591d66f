//! Overlays: which masters have redactions and watermarks, and whether those can be laid over them.
//!
//! A rule is for the masters of which a name matches its pattern; a master has several, since one file
//! answers to more than one identifier. [`Overlays::dress`] gives what is laid over a master that is
//! being opened, or refuses it: where an overlay cannot be applied, nothing of the image leaves. What
//! is given carries a key, which is part of every key under which something of the master is
//! remembered. How overlays are painted is left to `codec`.

mod config;
mod file;
mod placing;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, SystemTime};

use regex::Regex;

use crate::cache::{Key, KeyBuilder};
use crate::codec::{Facts, Overlay};
use crate::error::{ConfigError, Error, ErrorKind, Result};
use crate::geometry::{Dimensions, Region};
use file::{MarkFile, State};

pub use config::{OverlayConfig, Position, RedactionConfig, WatermarkConfig};

/// How often the files of watermarks are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The rules in force.
#[derive(Debug)]
pub(super) struct Overlays {
    redactions: Vec<(Regex, RedactionConfig)>,
    watermarks: Vec<Watermark>,
}

#[derive(Debug)]
struct Watermark {
    pattern: Regex,
    config: WatermarkConfig,
    file: Arc<MarkFile>,
}

/// What is laid over one master.
#[derive(Debug)]
pub struct Dress {
    /// Names it among all that could be laid over the master.
    pub(super) key: Key,
    /// Since when it is so.
    pub(super) since: SystemTime,
    /// Each rule, for people: `redactions[0]: 2 rectangles`.
    words: Vec<String>,
    overlay: Overlay,
    files: Vec<(Arc<MarkFile>, Arc<State>)>,
}

impl OverlayConfig {
    /// Holds if every rule can be applied; looks at the files that they name.
    ///
    /// # Errors
    ///
    /// The first key whose value breaks its rule.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.compile().map(drop)?;
        for (index, config) in self.watermarks.iter().enumerate() {
            let key = format!("overlay.watermarks[{index}].{}", config.file_field());
            file::check(config).map_err(|reason| ConfigError::new(key, reason))?;
        }
        Ok(())
    }

    fn compile(&self) -> Result<(Vec<Regex>, Vec<Regex>), ConfigError> {
        let named = |list: &str, index: usize, error: ConfigError| {
            let key = format!("overlay.{list}[{index}].{}", error.key);
            ConfigError::new(key, error.rule)
        };
        let redactions = self.redactions.iter().enumerate();
        let redactions = redactions.map(|(index, config)| {
            let compiled = config.compile();
            compiled.map_err(|error| named("redactions", index, error))
        });
        let watermarks = self.watermarks.iter().enumerate();
        let watermarks = watermarks.map(|(index, config)| {
            let compiled = config.compile();
            compiled.map_err(|error| named("watermarks", index, error))
        });
        Ok((
            redactions.collect::<Result<_, _>>()?,
            watermarks.collect::<Result<_, _>>()?,
        ))
    }
}

impl Overlays {
    /// The rules of `config`. Files that cannot be read now are no error: nothing leaves of the images that
    /// need them. They are looked at every second for as long as the rules are in force.
    ///
    /// # Errors
    ///
    /// A value that breaks its rule; a system that gives no thread.
    pub(super) fn new(config: &OverlayConfig) -> Result<Arc<Self>> {
        let (redactions, watermarks) = config.compile().map_err(|error| {
            Error::internal("starting without overlays that are set").with_source(error)
        })?;
        let watermarks = watermarks.into_iter().zip(&config.watermarks);
        let overlays = Arc::new(Self {
            redactions: redactions
                .into_iter()
                .zip(config.redactions.clone())
                .collect(),
            watermarks: watermarks
                .map(|(pattern, config)| Watermark {
                    pattern,
                    config: config.clone(),
                    file: Arc::new(MarkFile::open(config)),
                })
                .collect(),
        });
        if !overlays.watermarks.is_empty() {
            watch(Arc::downgrade(&overlays))
                .map_err(|cause| Error::internal("starting threads").with_source(cause))?;
        }
        Ok(overlays)
    }

    /// No rules.
    #[cfg(test)]
    pub(super) fn none() -> Arc<Self> {
        Arc::new(Self {
            redactions: Vec::new(),
            watermarks: Vec::new(),
        })
    }

    /// Whether there is no rule at all.
    pub(super) fn is_empty(&self) -> bool {
        self.redactions.is_empty() && self.watermarks.is_empty()
    }

    /// What is laid over `page` of the master with these `names` and `facts`; none where no rule is for it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Internal`], in words of its own, when a rule that is for it cannot be applied.
    pub(super) fn dress(
        &self,
        names: &[String],
        page: u32,
        facts: &Facts,
    ) -> Result<Option<Dress>> {
        let image = facts.orientation.apply(facts.pyramid.dimensions());
        let is_for = |pattern: &Regex, of: u32| {
            (of == 0 || of == page) && names.iter().any(|name| pattern.is_match(name))
        };
        let mut dress = Dressing::default();
        for (index, (pattern, config)) in self.redactions.iter().enumerate() {
            if is_for(pattern, config.page) {
                dress.redact(index, config, image)?;
            }
        }
        for (index, watermark) in self.watermarks.iter().enumerate() {
            if is_for(&watermark.pattern, watermark.config.page) {
                dress.mark(index, watermark, image)?;
            }
        }
        Ok(dress.finish())
    }

    /// Each watermark's name, whether it can be laid over images, and why not.
    pub(super) fn health(&self) -> Vec<(String, bool, String)> {
        let watermarks = self.watermarks.iter().enumerate();
        let told = watermarks.map(|(index, watermark)| {
            let state = watermark.file.state();
            let words = state.mark.as_ref().err().cloned();
            let name = format!("overlay.watermarks[{index}]");
            (
                name,
                words.is_none(),
                words.unwrap_or_else(|| "is read".to_owned()),
            )
        });
        told.collect()
    }
}

/// A thread that looks at the files until the rules are gone.
fn watch(overlays: Weak<Overlays>) -> std::io::Result<()> {
    let look = move || {
        while let Some(overlays) = overlays.upgrade() {
            for watermark in &overlays.watermarks {
                watermark.file.look();
            }
            drop(overlays);
            thread::sleep(LOOK_EVERY);
        }
    };
    let thread = thread::Builder::new().name("overlays".to_owned());
    thread.spawn(look).map(drop)
}

/// What is laid over a master, under way.
#[derive(Default)]
struct Dressing {
    key: KeyBuilder,
    since: Option<SystemTime>,
    words: Vec<String>,
    overlay: Overlay,
    files: Vec<(Arc<MarkFile>, Arc<State>)>,
}

impl Dressing {
    fn redact(&mut self, index: usize, config: &RedactionConfig, image: Dimensions) -> Result<()> {
        for rectangle in &config.rectangles {
            let region = inside(*rectangle, image).ok_or_else(|| {
                refusal("a redaction of this image does not lie in it")
                    .while_doing(format!("applying overlay.redactions[{index}]"))
            })?;
            self.overlay.covers.push((region, config.colour));
        }
        let words = match config.rectangles.len() {
            1 => format!("redactions[{index}]: 1 rectangle"),
            count => format!("redactions[{index}]: {count} rectangles"),
        };
        self.add(&format!("{config:?}"), words);
        Ok(())
    }

    fn mark(&mut self, index: usize, watermark: &Watermark, image: Dimensions) -> Result<()> {
        let (config, state) = (&watermark.config, watermark.file.state());
        let (mark, digest) = state.mark.as_ref().map_err(|reason| {
            refusal("a watermark of this image cannot be applied")
                .with_source(reason.clone())
                .while_doing(format!("applying overlay.watermarks[{index}]"))
        })?;
        self.files
            .push((Arc::clone(&watermark.file), Arc::clone(&state)));
        self.since = self.since.max(Some(state.since));
        let kind = if config.text.is_empty() {
            "image"
        } else {
            "text"
        };
        let placed = placing::place(config, mark.dimensions(), image);
        let place = match placed {
            Some(Region {
                x,
                y,
                width,
                height,
            }) => format!("{kind} at {x},{y},{width},{height}"),
            None => format!("no {kind}, the image is smaller than min_image_px"),
        };
        if let Some(region) = placed {
            let laid = (Arc::clone(mark), region, config.opacity16());
            self.overlay.marks.push(laid);
        }
        self.add(
            &format!("{config:?} {digest:?}"),
            format!("watermarks[{index}]: {place}"),
        );
        Ok(())
    }

    fn add(&mut self, rule: &str, words: String) {
        self.key = std::mem::take(&mut self.key).part(rule.as_bytes());
        self.words.push(words);
    }

    fn finish(self) -> Option<Dress> {
        (!self.words.is_empty()).then(|| Dress {
            key: self.key.finish(),
            since: self.since.unwrap_or(SystemTime::UNIX_EPOCH),
            words: self.words,
            overlay: self.overlay,
            files: self.files,
        })
    }
}

impl Dress {
    /// What is painted.
    pub(super) fn overlay(&self) -> &Overlay {
        &self.overlay
    }

    /// Each rule, for people.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// Whether the files are still those of which it was made.
    pub(super) fn is_current(&self) -> bool {
        let mut files = self.files.iter();
        files.all(|(file, state)| Arc::ptr_eq(&file.state(), state))
    }
}

/// What of a rectangle lies in an image; `None` where nothing does.
fn inside([x, y, width, height]: [u32; 4], image: Dimensions) -> Option<Region> {
    let right = x.saturating_add(width).min(image.width);
    let bottom = y.saturating_add(height).min(image.height);
    (x < right && y < bottom).then(|| Region {
        x,
        y,
        width: right - x,
        height: bottom - y,
    })
}

fn refusal(words: &'static str) -> Error {
    Error::new(ErrorKind::Internal, words)
}
