//! The file that a watermark needs: read at the start, looked at every second, and what came of it.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use super::config::WatermarkConfig;
use crate::cache::{Key, KeyBuilder};
use crate::codec::MarkImage;

/// Largest file, in bytes.
const MOST_BYTES: u64 = 64 << 20;

/// A watermark's file.
#[derive(Debug)]
pub(super) struct MarkFile {
    config: WatermarkConfig,
    state: RwLock<Arc<State>>,
}

/// What the file was when it was last looked at.
#[derive(Debug)]
pub(super) struct State {
    /// Which bytes the path named; none where it named no file.
    stamp: Option<Stamp>,
    /// When that was found.
    pub(super) since: SystemTime,
    /// The mark, and what names its bytes; or why there is none, for the operator.
    pub(super) mark: Result<(Arc<MarkImage>, Key), String>,
}

type Stamp = (u64, u64, u64, i64, i64, i64, i64);

impl MarkFile {
    /// Reads the file of `config`, whether or not that goes well.
    pub(super) fn open(config: &WatermarkConfig) -> Self {
        Self {
            state: RwLock::new(Arc::new(State::read(config))),
            config: config.clone(),
        }
    }

    /// What is known of it.
    pub(super) fn state(&self) -> Arc<State> {
        let state = self.state.read();
        Arc::clone(&state.unwrap_or_else(PoisonError::into_inner))
    }

    /// Looks whether it is another file now; then reads that.
    pub(super) fn look(&self) {
        if stamp(self.config.file()) == self.state().stamp {
            return;
        }
        let now = Arc::new(State::read(&self.config));
        match &now.mark {
            Ok(_) => tracing::info!("the file of a watermark is read anew"),
            Err(reason) => tracing::error!("a watermark cannot be laid over images: {reason}"),
        }
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = now;
    }
}

impl State {
    fn read(config: &WatermarkConfig) -> Self {
        let (path, since) = (config.file(), SystemTime::now());
        let before = stamp(path);
        let mark = read(path).and_then(|file| mark(config, file));
        let after = stamp(path);
        if before == after {
            return Self {
                stamp: before,
                since,
                mark,
            };
        }
        // It is looked at again in a second.
        Self {
            stamp: None,
            since,
            mark: Err("its file changes while it is read".to_owned()),
        }
    }
}

/// Reads the file of `config` and throws away what is made of it; why that does not go well.
pub(super) fn check(config: &WatermarkConfig) -> Result<(), String> {
    State::read(config).mark.map(drop)
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let facts = fs::metadata(path).map_err(|cause| format!("its file cannot be read: {cause}"))?;
    if !facts.is_file() || facts.len() > MOST_BYTES {
        return Err("it must be a file of 64 MiB at most".to_owned());
    }
    fs::read(path).map_err(|cause| format!("its file cannot be read: {cause}"))
}

fn mark(config: &WatermarkConfig, file: Vec<u8>) -> Result<(Arc<MarkImage>, Key), String> {
    let key = KeyBuilder::default().part(&file).finish();
    let mark = if config.text.is_empty() {
        MarkImage::decode(file)
    } else {
        MarkImage::of_text(&config.text, file, config.colour)
    };
    match mark {
        Ok(mark) => Ok((Arc::new(mark), key)),
        Err(error) => Err(format!("its file cannot be used: {}", error.public())),
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let facts = fs::metadata(path).ok()?;
    Some((
        facts.dev(),
        facts.ino(),
        facts.len(),
        facts.mtime(),
        facts.mtime_nsec(),
        facts.ctime(),
        facts.ctime_nsec(),
    ))
}
