//! Identifiers to open masters: the roots in their order, the first that has the file.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use super::beneath;
use super::config::Config;
use super::failure::not_found;
use super::file::{FileReader, Version};
use super::listing::Listing;
use super::lists::Lists;
use super::probe::RootHealth;
use super::root::Root;
use crate::error::{ConfigError, Error, ErrorKind, Result};

/// The masters in folders. Made once for a configuration; shared between threads.
#[derive(Debug)]
pub struct FileSource {
    roots: Vec<Arc<Root>>,
    folders: Vec<PathBuf>,
    lists: Lists,
}

/// A master that was found and is open.
#[derive(Debug)]
pub struct Opened {
    /// Its bytes, through one descriptor.
    pub reader: Arc<FileReader>,
    /// Where it was found.
    pub located: Located,
    /// The version that is open.
    pub version: Version,
}

/// Where an identifier's master was found. Its words name no path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    identifier: String,
    root: String,
    rule: String,
    names: Vec<String>,
}

impl Located {
    /// The identifier that was asked for.
    pub fn identifier(&self) -> &str {
        &self.identifier
    }

    /// Every identifier that is known to name the same file, the one that was asked for among them.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The name of the root that has it.
    pub fn root(&self) -> &str {
        &self.root
    }

    /// Which rule found it, for people: `default: by name, with .tif added`.
    pub fn rule(&self) -> &str {
        &self.rule
    }
}

impl fmt::Display for Located {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rule)
    }
}

impl FileSource {
    /// The source that `config` describes. Folders that are absent are no error: they may come later.
    /// Waits at most two seconds for each root that does not answer. Nothing is listed yet.
    ///
    /// # Errors
    ///
    /// A setting that breaks its rule; no root at all; a root whose path names a file; a system
    /// without `/proc`, through which files are opened.
    pub fn new(config: &Config) -> Result<Self, ConfigError> {
        config.check()?;
        if config.effective_roots().is_empty() {
            let rule = "must name the folder of masters (or give it as DIR: triforium serve DIR)";
            return Err(ConfigError::new("source.file.root", rule));
        }
        if !beneath::can_reopen() {
            return Err(ConfigError::new("source.file", "needs /proc to be mounted"));
        }
        let roots = config
            .effective_roots()
            .iter()
            .enumerate()
            .map(|(index, root)| Ok(Arc::new(Root::new(root, index, config)?)))
            .collect::<Result<Vec<_>, ConfigError>>()?;
        let lists = Lists::new(&roots, config.max_listed);
        Ok(Self {
            roots,
            folders: config.folders(),
            lists,
        })
    }

    /// The folders of all roots, as they are set.
    pub fn folders(&self) -> &[PathBuf] {
        &self.folders
    }

    /// Opens the master that `identifier` names. Blocks, within `read_timeout_seconds` for each root.
    ///
    /// # Errors
    ///
    /// [`crate::error::ErrorKind::NotFound`] when no root has such a file,
    /// [`crate::error::ErrorKind::Forbidden`] when it may not be read,
    /// [`crate::error::ErrorKind::Upstream`] when a root that could have it is away or hangs, and no
    /// other has it for certain,
    /// [`crate::error::ErrorKind::Busy`] when too many files are open.
    pub fn open(&self, identifier: &str) -> Result<Opened> {
        let (root, opened) = self.first(None, |root| root.open(identifier))?;
        let located = Located {
            identifier: identifier.to_owned(),
            root: root.name.clone(),
            rule: format!("{}: {}", root.name, opened.rule),
            names: opened.names,
        };
        Ok(Opened {
            reader: Arc::new(opened.reader),
            located,
            version: opened.version,
        })
    }

    /// The version of what the identifier of `located` names now, by its path and not by any open
    /// file. Blocks as [`FileSource::open`].
    ///
    /// # Errors
    ///
    /// As [`FileSource::open`]; a root that is away does not cast doubt on one that had the file.
    pub fn validate(&self, located: &Located) -> Result<Version> {
        let (_, found) = self.first(Some(&located.root), |root| root.find(&located.identifier))?;
        Ok(found.version)
    }

    /// The first root in which `find` finds something. Roots that are away are passed over, but only
    /// for a root that is certain to be meant: `known`, which had the file before, or one with a
    /// prefix or a pattern of its own where those that are away take every identifier.
    fn first<T>(
        &self,
        known: Option<&str>,
        find: impl Fn(&Root) -> Result<Option<T>>,
    ) -> Result<(&Root, T)> {
        let mut away = Vec::new();
        for root in self.roots.iter().map(Arc::as_ref) {
            match find(root) {
                Ok(None) => {}
                Ok(Some(found)) if is_certain(root, known, &away) => return Ok((root, found)),
                Err(error) if error.kind() == ErrorKind::Upstream => away.push((root, error)),
                Err(error) if away.is_empty() => return Err(error),
                // Whose file it is, a root that is away could change.
                Ok(Some(_)) | Err(_) => break,
            }
        }
        Err(away
            .into_iter()
            .next()
            .map_or_else(not_found, |(_, error)| error))
    }

    /// The list of images as far as it is known. Never blocks: the list is made in the background
    /// when it is first asked for, and again when it is old.
    pub fn listing(&self) -> Arc<Listing> {
        self.lists.snapshot()
    }

    /// How every root is. Never blocks.
    pub fn health(&self) -> Vec<RootHealth> {
        self.roots.iter().map(|root| root.health()).collect()
    }
}

/// Whether what `root` has cannot be meant for one of those roots before it that are `away`.
fn is_certain(root: &Root, known: Option<&str>, away: &[(&Root, Error)]) -> bool {
    let is_narrower = !root.rule.takes_all() && away.iter().all(|(root, _)| root.rule.takes_all());
    away.is_empty() || is_narrower || known == Some(root.name.as_str())
}
