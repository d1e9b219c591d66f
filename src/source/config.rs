//! `source.file.*`: the roots and the rules by which identifiers name files in them.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::rules::Rule;
use crate::error::ConfigError;

/// Where masters live as files.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// A single root under the simplest rule; it stands in place of `roots`. Empty: `roots` count.
    pub root: PathBuf,
    /// Seconds for which a master's version is believed before its file is looked at again.
    pub check_seconds: f64,
    /// Seconds after which the file system counts as away.
    pub read_timeout_seconds: f64,
    /// Threads that wait for the file system.
    pub threads: usize,
    /// Whether symbolic links are followed.
    pub symlinks: Symlinks,
    /// Most masters that the start page lists.
    pub max_listed: usize,
    /// Named roots; the first in which an identifier finds a file answers.
    pub roots: Vec<RootConfig>,
}

/// Whether symbolic links are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Symlinks {
    /// A path with one names nothing.
    Never,
    /// Relative links that stay inside their root.
    #[default]
    Inside,
}

/// One root and its rule.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct RootConfig {
    /// What it is called in health and `info`.
    pub name: String,
    /// The folder.
    pub path: PathBuf,
    /// Identifiers have to begin with this; the rest is the file's path.
    pub prefix: String,
    /// Added to the rest.
    pub suffix: String,
    /// Tried in turn after a dot where the path itself is no file.
    pub extensions: Vec<String>,
    /// Instead of prefix and suffix: a regular expression that the whole identifier has to match.
    pub pattern: String,
    /// With `pattern`: the file's path, with `{capture}`, `{pairtree(capture)}`,
    /// `{hash(capture,levels,digits)}`, `{lower(capture)}`, `{replace(capture,from,to)}`.
    pub template: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            root: PathBuf::new(),
            check_seconds: 1.0,
            read_timeout_seconds: 10.0,
            threads: 8,
            symlinks: Symlinks::default(),
            max_listed: 1_000_000,
            roots: Vec::new(),
        }
    }
}

impl Default for RootConfig {
    fn default() -> Self {
        let extensions = [
            "tif", "tiff", "jp2", "jpg", "jpeg", "png", "webp", "gif", "bmp",
        ];
        Self {
            name: "default".to_owned(),
            path: PathBuf::new(),
            prefix: String::new(),
            suffix: String::new(),
            extensions: extensions.map(str::to_owned).to_vec(),
            pattern: String::new(),
            template: String::new(),
        }
    }
}

impl Config {
    /// The roots in force.
    pub(super) fn effective_roots(&self) -> Vec<RootConfig> {
        if self.root.as_os_str().is_empty() {
            return self.roots.clone();
        }
        vec![RootConfig {
            path: self.root.clone(),
            ..RootConfig::default()
        }]
    }

    /// Checks what types cannot. An absent root is no mistake: it may be mounted later.
    ///
    /// # Errors
    ///
    /// The first value that breaks its rule.
    pub fn check(&self) -> Result<(), ConfigError> {
        let positive = [
            ("source.file.check_seconds", self.check_seconds, 0.0),
            (
                "source.file.read_timeout_seconds",
                self.read_timeout_seconds,
                0.001,
            ),
        ];
        for (key, seconds, least) in positive {
            if !(least..=86_400.0).contains(&seconds) {
                return Err(ConfigError::new(key, format!("must be {least} to 86400")));
            }
        }
        if self.threads == 0 {
            return Err(ConfigError::new(
                "source.file.threads",
                "must be at least 1",
            ));
        }
        for (index, root) in self.effective_roots().iter().enumerate() {
            root.check(&format!("source.file.roots[{index}]"))?;
        }
        Ok(())
    }
}

impl RootConfig {
    fn check(&self, key: &str) -> Result<(), ConfigError> {
        if self.path.as_os_str().is_empty() {
            return Err(ConfigError::new(
                format!("{key}.path"),
                "must name a folder",
            ));
        }
        if self.path.is_file() {
            let rule = format!("must be a folder, and {} is a file", self.path.display());
            return Err(ConfigError::new(format!("{key}.path"), rule));
        }
        Rule::new(self)
            .map(drop)
            .map_err(|error| ConfigError::new(format!("{key}.{}", error.key), error.rule))
    }
}
