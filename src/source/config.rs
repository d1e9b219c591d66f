//! The settings of the file source, `[source.file]`.

use std::collections::HashSet;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::rule::Rule;
use crate::error::ConfigError;

/// Endings of files that are masters, in the order in which they are tried.
pub(super) const MASTER_EXTENSIONS: &[&str] = &[
    "tif", "tiff", "ptif", "ptiff", "btf", "jp2", "jpx", "jpf", "j2k", "j2c", "jpc", "jph", "jhc",
    "jpg", "jpeg", "png", "webp", "gif", "bmp", "jxl", "avif", "heic", "heif", "hif", "pdf",
];

/// Longest time that can be set, in seconds: a day.
const MOST_SECONDS: f64 = 86_400.0;

/// Most threads that can be set for one root.
const MOST_THREADS: usize = 1024;

/// The name of a root that has no other.
const SINGLE_NAME: &str = "default";

/// The settings of the file source.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How long a master's version and a root's folder are believed without looking again, in seconds.
    pub check_seconds: f64,
    /// How long one access to a root may take, in seconds.
    pub read_timeout_seconds: f64,
    /// Most threads that read one root at a time.
    pub threads: usize,
    /// Most images in the start page's list.
    pub max_listed: usize,
    /// Which symbolic links are followed.
    pub symlinks: Symlinks,
    /// One folder in place of `roots`; its name is `default`. Empty: `roots` count.
    pub root: PathBuf,
    /// Folders of masters, asked in this order.
    pub roots: Vec<RootConfig>,
}

/// Which symbolic links below a root are followed. The root's own path may always hold links.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Symlinks {
    /// None.
    Never,
    /// Relative links that do not leave the root.
    #[default]
    Inside,
}

/// One folder of masters, and how identifiers name its files.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct RootConfig {
    /// Its name in health reports and logs.
    pub name: String,
    /// The folder. It may be absent at the start.
    pub path: PathBuf,
    /// Beginning of the identifiers that belong here; it is no part of the file's path.
    pub prefix: String,
    /// What follows the identifier in the file's name, before the extension.
    pub suffix: String,
    /// Endings, without their dot, that are tried in this order after the name as it is.
    pub extensions: Vec<String>,
    /// Regular expression that the whole identifier has to match; its named captures are for `template`.
    /// Empty: every identifier matches.
    pub pattern: String,
    /// The file's path made of `{name}`, `{pairtree(name)}`, `{hash(name,levels,chars)}`, `{hash(name)}`,
    /// `{lower(name)}` and `{replace(name,from,to)}`; `name` is a capture, or `identifier` for what
    /// follows the prefix. Empty: what follows the prefix.
    pub template: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            check_seconds: 1.0,
            read_timeout_seconds: 10.0,
            threads: 8,
            max_listed: 1_000_000,
            symlinks: Symlinks::default(),
            root: PathBuf::new(),
            roots: Vec::new(),
        }
    }
}

impl Default for RootConfig {
    fn default() -> Self {
        let master = MASTER_EXTENSIONS
            .iter()
            .map(|extension| (*extension).to_owned());
        Self {
            name: SINGLE_NAME.to_owned(),
            path: PathBuf::new(),
            prefix: String::new(),
            suffix: String::new(),
            extensions: master.collect(),
            pattern: String::new(),
            template: String::new(),
        }
    }
}

impl Config {
    /// Holds if every value keeps its rule. Looks at no file.
    ///
    /// # Errors
    ///
    /// The first key whose value breaks its rule.
    pub fn check(&self) -> Result<(), ConfigError> {
        if !(0.0..=MOST_SECONDS).contains(&self.check_seconds) {
            return wrong("check_seconds", "must be 0 to 86400");
        }
        if !(0.001..=MOST_SECONDS).contains(&self.read_timeout_seconds) {
            return wrong("read_timeout_seconds", "must be 0.001 to 86400");
        }
        if !(1..=MOST_THREADS).contains(&self.threads) {
            return wrong("threads", "must be 1 to 1024");
        }
        let mut names = HashSet::new();
        for (index, root) in self.roots.iter().enumerate() {
            if !names.insert(&root.name) {
                return wrong(
                    &format!("roots[{index}].name"),
                    "must differ from the other names",
                );
            }
        }
        self.effective_roots()
            .iter()
            .enumerate()
            .try_for_each(|(index, root)| {
                root.check(|field, rule| ConfigError::new(self.key(index, field), rule))
            })
    }

    /// The dotted key of `field` of the effective root at `index`.
    pub(super) fn key(&self, index: usize, field: &str) -> String {
        if self.is_single() {
            "source.file.root".to_owned()
        } else {
            format!("source.file.roots[{index}].{field}")
        }
    }

    fn is_single(&self) -> bool {
        !self.root.as_os_str().is_empty()
    }

    /// The folders of all roots, as they are set.
    pub fn folders(&self) -> Vec<PathBuf> {
        let roots = self.effective_roots();
        roots.into_iter().map(|root| root.path).collect()
    }

    /// The roots in the order in which they are asked.
    pub(super) fn effective_roots(&self) -> Vec<RootConfig> {
        if !self.is_single() {
            return self.roots.clone();
        }
        vec![RootConfig {
            path: self.root.clone(),
            ..RootConfig::default()
        }]
    }
}

impl RootConfig {
    fn check(&self, wrong: impl Fn(&str, &str) -> ConfigError) -> Result<(), ConfigError> {
        let refuse = |field: &str, rule: &str| Err(wrong(field, rule));
        if self.name.is_empty() {
            return refuse("name", "must not be empty");
        }
        if self.path.as_os_str().is_empty() {
            return refuse("path", "must name a folder");
        }
        let malformed = |extension: &String| {
            extension.is_empty() || extension.starts_with('.') || extension.contains('/')
        };
        if self.extensions.iter().any(malformed) {
            return refuse(
                "extensions",
                "must be endings without their dot and without slashes",
            );
        }
        match Rule::new(self) {
            Ok(_) => Ok(()),
            Err(error) => refuse(&error.key, &error.rule),
        }
    }
}

fn wrong(field: &str, rule: &str) -> Result<(), ConfigError> {
    Err(ConfigError::new(format!("source.file.{field}"), rule))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_root(change: impl FnOnce(&mut RootConfig)) -> Result<(), ConfigError> {
        let mut root = RootConfig {
            name: "maps".to_owned(),
            path: PathBuf::from("/masters"),
            ..RootConfig::default()
        };
        change(&mut root);
        let config = Config {
            roots: vec![root],
            ..Config::default()
        };
        config.check()
    }

    #[test]
    fn the_default_and_a_plain_root_are_valid() {
        Config::default().check().expect("valid");
        with_root(|_| {}).expect("valid");
    }

    #[test]
    fn numbers_outside_their_range_are_refused() {
        for seconds in [f64::NAN, f64::INFINITY, -1.0, 1e9] {
            let check = Config {
                check_seconds: seconds,
                ..Config::default()
            };
            assert_eq!(check.check().unwrap_err().key, "source.file.check_seconds");
            let timeout = Config {
                read_timeout_seconds: seconds,
                ..Config::default()
            };
            assert_eq!(
                timeout.check().unwrap_err().key,
                "source.file.read_timeout_seconds"
            );
        }
        let idle = Config {
            threads: 0,
            ..Config::default()
        };
        assert_eq!(idle.check().unwrap_err().key, "source.file.threads");
    }

    #[test]
    fn a_root_that_is_wrong_is_named_by_its_place() {
        type Change = fn(&mut RootConfig);
        let cases: &[(&str, Change)] = &[
            ("name", |root| root.name.clear()),
            ("path", |root| root.path = PathBuf::new()),
            ("extensions", |root| root.extensions.push(String::new())),
            ("extensions", |root| root.extensions.push(".tif".to_owned())),
            ("extensions", |root| {
                root.extensions.push("a/../b".to_owned());
            }),
            ("pattern", |root| root.pattern = "(".to_owned()),
            ("template", |root| {
                root.template = "{nobody}".to_owned();
            }),
            ("template", |root| {
                root.template = "{identifier".to_owned();
            }),
        ];
        for (field, change) in cases {
            let error = with_root(change).unwrap_err();
            assert_eq!(
                error.key,
                format!("source.file.roots[0].{field}"),
                "{}",
                error.rule
            );
        }
    }

    #[test]
    fn two_roots_of_one_name_are_refused() {
        let root = RootConfig {
            name: "maps".to_owned(),
            path: PathBuf::from("/masters"),
            ..RootConfig::default()
        };
        let config = Config {
            roots: vec![root.clone(), root],
            ..Config::default()
        };
        assert_eq!(config.check().unwrap_err().key, "source.file.roots[1].name");
    }

    #[test]
    fn settings_survive_their_text() {
        let text =
            "root = \"/masters\"\nsymlinks = \"never\"\n[[roots]]\nname = \"a\"\npath = \"/b\"\n";
        let config: Config = toml::from_str(text).expect("valid");
        assert_eq!(config.symlinks, Symlinks::Never);
        let names: Vec<_> = config
            .effective_roots()
            .into_iter()
            .map(|root| root.name)
            .collect();
        assert_eq!(names, ["default"]);
        let again = toml::from_str(&toml::to_string(&config).expect("text")).expect("valid");
        assert_eq!(config, again);
        assert!(toml::from_str::<Config>("symlinks = \"always\"").is_err());
    }
}
