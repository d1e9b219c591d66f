//! The file source: identifiers → open files.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::config::{Config, RootConfig, Symlinks};
use super::containment::find;
use super::health::{Health, RootHealth};
use super::io::{IoThreads, away};
use super::listing::{Catalogue, Listing};
use super::path::InnerPath;
use super::reader::FileReader;
use super::rules::Rule;
use super::version::Version;
use crate::error::{ConfigError, Error, ErrorKind, Parameter, Result};

/// Named roots with ordered rules.
#[derive(Debug)]
pub struct FileSource {
    roots: Arc<[Root]>,
    links: Symlinks,
    threads: Arc<IoThreads>,
    catalogue: Catalogue,
    health: Health,
}

/// One root.
#[derive(Debug, Clone)]
pub(super) struct Root {
    pub(super) name: String,
    pub(super) folder: PathBuf,
    pub(super) rule: Rule,
}

/// Where a master was found. It shows no absolute path.
#[derive(Debug, Clone)]
pub struct Located {
    root: usize,
    path: InnerPath,
    rule: String,
}

impl Located {
    /// The root and the rule that found it, for people.
    pub fn rule(&self) -> &str {
        &self.rule
    }
}

/// A master that has been opened.
#[derive(Debug)]
pub struct Opened {
    /// Its bytes.
    pub reader: Arc<FileReader>,
    /// Where it was found.
    pub located: Located,
    /// The version that is open.
    pub version: Version,
}

impl FileSource {
    /// A source under `config`.
    ///
    /// # Errors
    ///
    /// The setting that breaks its rule; there has to be a root.
    pub fn new(config: &Config) -> Result<Self, ConfigError> {
        config.check()?;
        let roots: Arc<[Root]> = config
            .effective_roots()
            .iter()
            .map(Root::new)
            .collect::<Result<_, _>>()?;
        if roots.is_empty() {
            let rule = "must name the folder of masters (or give it as DIR: triforium serve DIR)";
            return Err(ConfigError::new("source.file.root", rule));
        }
        let patience = Duration::from_secs_f64(config.read_timeout_seconds);
        let threads = Arc::new(IoThreads::new(config.threads, patience)?);
        Ok(Self {
            catalogue: Catalogue::new(Arc::clone(&roots), config.max_listed),
            health: Health::new(&roots)?,
            roots,
            links: config.symlinks,
            threads,
        })
    }

    /// Opens the master that `identifier` names. Blocks up to the deadline of the file system.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] when no root has it; [`ErrorKind::Forbidden`] when it may not be read;
    /// [`ErrorKind::Upstream`] when a root that might have it is away.
    pub fn open(&self, identifier: &str) -> Result<Opened> {
        let (roots, links) = (Arc::clone(&self.roots), self.links);
        let identifier = identifier.to_owned();
        let (file, version, located) = self.threads.run(move || {
            let (located, found) = locate(&roots, links, &identifier)?;
            let version = Version::of(&found.stat);
            Ok((found.open()?, version, located))
        })?;
        let reader = FileReader::new(file, version, Arc::clone(&self.threads));
        Ok(Opened {
            reader: Arc::new(reader),
            located,
            version,
        })
    }

    /// The version that is at a master's place now. Blocks up to the deadline of the file system.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] when it is gone, [`ErrorKind::Upstream`] when its root is away.
    pub fn validate(&self, located: &Located) -> Result<Version> {
        let (roots, links, located) = (Arc::clone(&self.roots), self.links, located.clone());
        self.threads.run(move || {
            let root = roots.get(located.root).ok_or_else(away)?;
            let found = find(&root.folder, &located.path, links)?.ok_or_else(not_found)?;
            Ok(Version::of(&found.stat))
        })
    }

    /// The collection as far as it is known. Never blocks; the list is made in the background and again
    /// when it is asked for and has grown old.
    pub fn listing(&self) -> Arc<Listing> {
        self.catalogue.listing()
    }

    /// How the roots are. Never blocks.
    pub fn health(&self) -> Vec<RootHealth> {
        self.health.roots()
    }
}

impl Root {
    fn new(config: &RootConfig) -> Result<Self, ConfigError> {
        Ok(Self {
            name: config.name.clone(),
            folder: config.path.clone(),
            rule: Rule::new(config)?,
        })
    }
}

/// The first file that the rules find for `identifier`. A root that is away is an error only if no other
/// has the file: then nobody can say that it does not exist.
fn locate(
    roots: &[Root],
    links: Symlinks,
    identifier: &str,
) -> Result<(Located, super::containment::Found)> {
    let mut trouble = None;
    for (index, root) in roots.iter().enumerate() {
        for candidate in root.rule.candidates(identifier) {
            match find(&root.folder, &candidate.path, links) {
                Ok(Some(found)) => {
                    let located = Located {
                        root: index,
                        path: candidate.path,
                        rule: format!("{}: {}", root.name, candidate.rule),
                    };
                    return Ok((located, found));
                }
                Ok(None) => {}
                Err(error) => {
                    trouble.get_or_insert(error);
                    break;
                }
            }
        }
    }
    Err(trouble.unwrap_or_else(not_found))
}

fn not_found() -> Error {
    Error::new(
        ErrorKind::NotFound,
        "there is no image with this identifier",
    )
    .about(Parameter::Identifier)
}
