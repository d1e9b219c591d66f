//! The file source against real folders.

mod away;
mod changes;
mod containment;
mod lists;
mod permission;
mod resolve;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::{Config, FileSource, RootConfig};
use crate::error::{ErrorKind, Result};
use crate::reader::RangeReader as _;

/// Bytes that no answer may hold: they lie outside every root.
const CANARY: &[u8] = b"canary that must stay in its cage";

/// A folder `root` of masters, inside a folder that is nobody's root.
struct Tree(TempDir);

impl Tree {
    fn new() -> Self {
        let tree = Self(TempDir::new().expect("a folder"));
        std::fs::create_dir(tree.root()).expect("a root");
        tree
    }

    fn root(&self) -> PathBuf {
        self.0.path().join("masters")
    }

    /// Writes a file below the root.
    fn file(&self, path: impl AsRef<Path>, bytes: &[u8]) -> PathBuf {
        write(&self.root().join(path), bytes)
    }

    /// Writes a file outside the root.
    fn outside(&self, path: &str, bytes: &[u8]) -> PathBuf {
        write(&self.0.path().join(path), bytes)
    }

    fn config(&self) -> Config {
        Config {
            root: self.root(),
            check_seconds: 0.0,
            ..Config::default()
        }
    }

    fn source(&self) -> FileSource {
        FileSource::new(&self.config()).expect("valid")
    }

    /// A source with the root `r` as changed.
    fn source_with(&self, change: impl FnOnce(&mut RootConfig)) -> FileSource {
        let mut root = root_config("r", &self.root());
        change(&mut root);
        let config = Config {
            roots: vec![root],
            check_seconds: 0.0,
            ..Config::default()
        };
        FileSource::new(&config).expect("valid")
    }
}

fn root_config(name: &str, path: &Path) -> RootConfig {
    RootConfig {
        name: name.to_owned(),
        path: path.to_owned(),
        ..RootConfig::default()
    }
}

fn write(path: &Path, bytes: &[u8]) -> PathBuf {
    std::fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
    std::fs::write(path, bytes).expect("a file");
    path.to_owned()
}

/// All bytes of the master that `identifier` names.
fn bytes_of(source: &FileSource, identifier: &str) -> Result<Vec<u8>> {
    let opened = source.open(identifier)?;
    opened.reader.read_vec(0, opened.reader.length())
}

fn kind_of(source: &FileSource, identifier: &str) -> ErrorKind {
    bytes_of(source, identifier).expect_err(identifier).kind()
}

/// Waits for what happens in the background.
fn wait_for(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(
            start.elapsed() < Duration::from_secs(30),
            "waited in vain for {what}"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}
