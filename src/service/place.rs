//! The folder below which things are kept on disk, opened for one of them.

use std::io;
use std::path::{Path, PathBuf};

use super::config::CacheConfig;
use crate::cache::disk::overlaps;

/// What `open` makes of the place that `config` names; none where it cannot be used: neither set nor to be
/// written, or in or above one of the sources' `folders`. That is told once, for `kept`.
pub(super) fn open_place<T>(
    config: &CacheConfig,
    folders: &[PathBuf],
    kept: &str,
    open: impl FnOnce(&Path) -> io::Result<T>,
) -> Option<T> {
    let off = format!("no {kept} are kept on disk");
    let Some(place) = config.place() else {
        tracing::warn!("{off}: neither cache.directory nor a home is set");
        return None;
    };
    if overlaps(&place, folders) {
        tracing::warn!("{off}: cache.directory would lie in or above a source's folder");
        return None;
    }
    open(&place)
        .inspect_err(|error| tracing::warn!("{off}: cache.directory cannot be written: {error}"))
        .ok()
}
