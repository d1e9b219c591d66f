//! The whole configuration: built-in values, a file, the environment, flags; later ones win.
//!
//! Each room owns its part and its defaults; this module composes them, says where each value comes
//! from, and turns every mistake into a [`ConfigError`] with file, line and nearest known key before
//! anything starts.

mod keys;
mod layers;
mod machine;
mod table;

use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::cache::disk::overlaps;
use crate::error::ConfigError;
use crate::{http, service, source};

pub use keys::{KeyInfo, document};
pub use layers::{Layers, Origin};
pub use machine::resources;
pub use table::KEYS;

/// The whole configuration.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Config {
    /// Listeners, public face, logs.
    #[serde(flatten)]
    pub http: http::Config,
    /// Limits, IIIF, derivatives, caches, colours, the GPU.
    #[serde(flatten)]
    pub service: service::Config,
    /// Where masters live.
    pub source: SourceConfig,
}

/// Where masters live.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct SourceConfig {
    /// Folders of files.
    pub file: source::Config,
}

impl Config {
    /// The configuration that `layers` add up to.
    ///
    /// # Errors
    ///
    /// The first key that is unknown or whose value breaks its rule, with its place.
    pub fn new(layers: &Layers) -> Result<Self, ConfigError> {
        Self::from_table(layers.table()).map_err(|error| layers.locate(error))
    }

    fn from_table(table: &Table) -> Result<Self, ConfigError> {
        let config = Self {
            http: part(
                table,
                "",
                &["server", "admin", "public", "cache_control", "log"],
            )?,
            service: part(
                table,
                "",
                &[
                    "limits", "iiif", "encode", "cache", "overlay", "colour", "pdf", "gpu",
                ],
            )?,
            source: section(table, "source")?,
        };
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), ConfigError> {
        self.http.check()?;
        self.service.check()?;
        self.source.file.check()?;
        self.check_cache()
    }

    /// What is cached must never be taken for masters.
    fn check_cache(&self) -> Result<(), ConfigError> {
        let directory = &self.service.cache.directory;
        let is_set = !directory.as_os_str().is_empty();
        if is_set && overlaps(directory, &self.source.file.folders()) {
            return Err(ConfigError::new(
                "cache.directory",
                "must lie neither in nor above a source's folder",
            ));
        }
        Ok(())
    }

    /// All values as a table.
    pub fn to_table(&self) -> Table {
        match Value::try_from(self) {
            Ok(Value::Table(table)) => table,
            _ => Table::new(),
        }
    }
}

/// The sections of `table` with these names, as one room's settings.
fn part<T: DeserializeOwned>(
    table: &Table,
    prefix: &str,
    names: &[&str],
) -> Result<T, ConfigError> {
    let chosen: Table = names
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), table.get(*name)?.clone())))
        .collect();
    read(Value::Table(chosen), prefix)
}

fn section<T: DeserializeOwned + Default>(table: &Table, name: &str) -> Result<T, ConfigError> {
    table
        .get(name)
        .map_or_else(|| Ok(T::default()), |value| read(value.clone(), name))
}

fn read<T: DeserializeOwned>(value: Value, prefix: &str) -> Result<T, ConfigError> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let key = match (prefix, path.as_str()) {
            ("", path) => path.to_owned(),
            (prefix, ".") => prefix.to_owned(),
            (prefix, path) => format!("{prefix}.{path}"),
        };
        let rule = error.into_inner().to_string();
        ConfigError::new(key, rule.trim().replace('\n', " "))
    })
}

/// The overlays alone that `file` (or none), the environment and `flags` ask for, whatever mistakes there
/// are elsewhere.
///
/// # Errors
///
/// What leaves in doubt which overlays are meant: a file that cannot be read or parsed, a wrong value among
/// them, an unknown key that may be one of theirs.
pub fn overlays(
    file: Option<&Path>,
    environment: impl Iterator<Item = (String, String)>,
    flags: &[(&str, String)],
) -> Result<service::OverlayConfig, ConfigError> {
    let layers = Layers::of_section("overlay", file, environment, flags)?;
    section(layers.table(), "overlay").map_err(|error| layers.locate(error))
}

/// The configuration of `file` (or of none), the environment and `flags`.
///
/// # Errors
///
/// As [`Config::new`], and a file that cannot be read.
pub fn load(
    file: Option<&Path>,
    environment: impl Iterator<Item = (String, String)>,
    flags: &[(&str, String)],
) -> Result<(Config, Layers), ConfigError> {
    let layers = Layers::new(file, environment, flags)?;
    let config = Config::new(&layers)?;
    Ok((config, layers))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load_text(text: &str, environment: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("config.toml");
        std::fs::write(&file, text).expect("written");
        let environment = environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        load(Some(&file), environment, &[]).map(|(config, _)| config)
    }

    #[test]
    fn later_layers_win() {
        let file = "[limits]\nmax_area_px = 1000\nqueue_seconds = 3\n";
        let config = load_text(file, &[("TRIFORIUM_LIMITS__MAX_AREA_PX", "2000")]).expect("valid");
        assert_eq!(config.service.limits.max_area_px, 2000);
        assert_eq!(config.service.limits.queue_seconds, 3);
    }

    #[test]
    fn an_unknown_key_names_line_and_nearest_key() {
        let error = load_text("[limits]\n\nmax_aera_px = 1000\n", &[]).expect_err("unknown");
        assert_eq!(error.key, "limits.max_aera_px");
        assert!(error.rule.contains("limits.max_area_px"), "{error}");
        assert!(error.rule.contains("line 3"), "{error}");
    }

    #[test]
    fn a_wrong_value_names_its_key_and_line() {
        let error = load_text("[encode.jpeg]\nquality = 101\n", &[]).expect_err("range");
        assert_eq!(error.key, "encode.jpeg.quality");
        assert!(error.rule.contains("line 2"), "{error}");
        let error = load_text("[limits]\nmax_area_px = \"big\"\n", &[]).expect_err("type");
        assert_eq!(error.key, "limits.max_area_px");
        let error = load_text("", &[("TRIFORIUM_GPU__MODE", "sometimes")]).expect_err("value");
        assert_eq!(error.key, "gpu.mode");
    }

    #[test]
    fn the_cache_stays_away_from_the_masters() {
        let folder = tempfile::tempdir().expect("a folder");
        let load = |directory: &str| {
            let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
            let (root, directory) = (path("masters"), path(directory));
            let text = format!("source.file.root = {root:?}\ncache.directory = {directory:?}\n");
            load_text(&text, &[])
        };
        for place in ["masters", "masters/cache", "."] {
            assert_eq!(load(place).expect_err(place).key, "cache.directory");
        }
        assert!(load("cache").is_ok());
    }

    #[test]
    fn overlays_are_known_whatever_mistakes_there_are_elsewhere() {
        let folder = tempfile::tempdir().expect("a folder");
        let read = |text: &str| {
            let file = folder.path().join("config.toml");
            std::fs::write(&file, text).expect("written");
            overlays(Some(&file), std::iter::empty(), &[])
        };
        let rule = "[[overlay.redactions]]\npattern = \"a\"\nrectangles = [[0, 0, 1, 1]]\n";
        for other in [
            "",
            "[limits]\nmax_aera_px = 3\n",
            "[limits]\nmax_area_px = \"\"\n",
        ] {
            let found = read(&format!("{other}{rule}")).expect(other);
            assert_eq!(found.redactions.len(), 1, "{other}");
            assert_eq!(read(other), Ok(service::OverlayConfig::default()));
        }
        for doubt in [
            "[[overlay.redactions",
            "[[overlays.redactions]]\npattern = \"a\"\n",
            "[[overlay.redaction]]\npattern = \"a\"\n",
            "[[overley.redactions]]\npattern = \"a\"\n",
            "[[overlay.redactions]]\npatern = \"a\"\n",
            "[overlay]\nredactions = 3\n",
        ] {
            assert!(read(doubt).is_err(), "{doubt}");
        }
    }

    #[test]
    fn text_that_is_no_toml_names_its_line() {
        let error = load_text("[limits]\nmax_area_px = = 3\n", &[]).expect_err("syntax");
        assert!(error.rule.contains("line 2"), "{error}");
    }
}
