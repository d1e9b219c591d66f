//! Finished derivatives on disk, behind those in memory.
//!
//! One file holds one body, under a key that master, request and settings are part of: what belongs to
//! another version of any of them is never asked for again and leaves when room is wanted. A body is
//! checked before it is given out; a file in which one bit is wrong is dropped. Writing is left to a
//! thread of its own, which nobody waits for: what it has no time for is not kept.

mod writer;

#[cfg(test)]
mod tests;

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use bytes::Bytes;

use super::Key;
use super::disk::{Folder, HEAD_BYTES, Head, Tenant, checksum};
use crate::metrics::CACHE_REQUESTS;
use writer::Writer;

/// The tier's name, in metrics and as a folder.
const TIER: &str = "derivative_disk";

/// What files begin with; the number is the layout's version.
const MAGIC: [u8; 8] = *b"TriDeri1";

/// A body larger than this share of the bound is not kept: it would push out too much.
const LARGEST_SHARE: u64 = 8;

/// Bodies by key, in files. Once full, those used longest ago leave.
#[derive(Debug)]
pub struct Derivatives {
    on: Option<(Arc<Folder>, Writer)>,
}

impl Derivatives {
    /// Nothing is kept.
    pub fn off() -> Self {
        Self { on: None }
    }

    /// Bodies below `directory`, with at most `bytes`. What is there already is found while requests
    /// are answered.
    ///
    /// # Errors
    ///
    /// When nothing can be written there, or the system gives no threads.
    pub fn open(directory: &Path, bytes: u64) -> io::Result<Self> {
        let tenant = Tenant {
            name: TIER,
            magic: MAGIC,
            bytes,
        };
        let folder = Arc::new(Folder::open(directory, tenant)?);
        let scanned = Arc::clone(&folder);
        thread::Builder::new()
            .name("derivatives-scan".to_owned())
            .spawn(move || scanned.scan())?;
        let writer = Writer::start(&folder)?;
        Ok(Self {
            on: Some((folder, writer)),
        })
    }

    /// Whether anything is kept.
    pub fn is_on(&self) -> bool {
        self.on.is_some()
    }

    /// The body under `key`, if it is there and whole. Blocks for as long as the file system does.
    pub fn get(&self, key: &Key) -> Option<Bytes> {
        let (folder, _) = self.on.as_ref()?;
        let found = look_up(folder, key);
        let result = if found.is_some() { "hit" } else { "miss" };
        CACHE_REQUESTS.with([TIER, result]).increment(1);
        found
    }

    /// Has `body` kept under `key` soon, if there is time and it is not too large to be worth it.
    pub fn insert(&self, key: Key, body: Bytes) {
        if let Some((folder, writer)) = &self.on
            && body.len() as u64 <= folder.tenant().bytes / LARGEST_SHARE
        {
            writer.take(key, body);
        }
    }
}

fn look_up(folder: &Folder, key: &Key) -> Option<Bytes> {
    match folder.get(key) {
        Ok(Some(file)) => {
            let body = read(&file, key, folder.tenant().bytes);
            if body.is_none() {
                folder.remove(key);
            }
            body
        }
        Ok(None) => None,
        Err(error) => {
            tracing::warn!("a stored derivative cannot be read: {error}");
            None
        }
    }
}

/// The body in `file`; `None` where not all of it is as it was written.
fn read(file: &File, key: &Key, bound: u64) -> Option<Bytes> {
    let length = file.metadata().ok()?.len();
    let mut head = [0; HEAD_BYTES];
    file.read_exact_at(&mut head, 0).ok()?;
    let head = Head::parse(&head)?;
    let is_this = head.magic == MAGIC && head.key == *key;
    let fits = length.checked_sub(HEAD_BYTES as u64) == Some(head.length) && length <= bound;
    if !is_this || !fits {
        return None;
    }
    let mut body = vec![0; usize::try_from(head.length).ok()?];
    file.read_exact_at(&mut body, HEAD_BYTES as u64).ok()?;
    (checksum(&body) == head.checksum).then(|| body.into())
}

/// A whole file for `body`.
fn store(folder: &Folder, key: Key, body: &[u8]) -> io::Result<()> {
    let head = Head {
        magic: MAGIC,
        key,
        length: body.len() as u64,
        mark: 0,
        checksum: checksum(body),
    };
    let mut stage = folder.stage(key)?;
    stage.append(&head.to_bytes())?;
    stage.append(body)?;
    folder.publish(stage)
}
