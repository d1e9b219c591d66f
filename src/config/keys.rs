//! Every setting with its meaning: what `config schema` prints and `config.toml` is made of.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::LazyLock;

use toml::{Table, Value};

use super::Config;
use super::table::KEYS;

/// A setting's place and meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyInfo {
    /// The dotted key.
    pub key: &'static str,
    /// What it does, with its unit.
    pub meaning: &'static str,
}

static KNOWN: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let mut known = BTreeSet::new();
    leaves(&Config::default().to_table(), "", &mut known);
    known
});

fn leaves(table: &Table, prefix: &str, found: &mut BTreeSet<String>) {
    for (name, value) in table {
        let key = if prefix.is_empty() {
            name.clone()
        } else {
            format!("{prefix}.{name}")
        };
        match value {
            Value::Table(inner) => leaves(inner, &key, found),
            Value::String(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::Datetime(_)
            | Value::Array(_) => {
                found.insert(key);
            }
        }
    }
}

/// Whether `key` is a setting.
pub(super) fn is_known(key: &str) -> bool {
    KNOWN.contains(key)
}

/// The setting whose name is most like `key`, if one is.
pub(super) fn nearest(key: &str) -> Option<&'static str> {
    KNOWN
        .iter()
        .map(|known| (strsim::normalized_damerau_levenshtein(known, key), known))
        .filter(|(likeness, _)| *likeness > 0.6)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, known)| known.as_str())
}

/// Why writing to a text never fails.
const IN_MEMORY: &str = "a String takes every write";

/// `config.toml` with every setting at its default, commented.
pub fn document() -> String {
    let defaults = Config::default().to_table();
    let mut text = String::from(
        "# Triforium's settings. Every line shows its default; uncomment to change it.\n\
         # Order: built-in < this file < environment (TRIFORIUM_SECTION__KEY) < flags.\n",
    );
    let mut section = "";
    for info in KEYS {
        let Some((place, name)) = info.key.rsplit_once('.') else {
            continue;
        };
        if place != section {
            writeln!(text, "\n[{place}]").expect(IN_MEMORY);
            section = place;
        }
        for line in info.meaning.lines() {
            writeln!(text, "# {line}").expect(IN_MEMORY);
        }
        let value = value_of(&defaults, info.key);
        writeln!(text, "#{name} = {value}").expect(IN_MEMORY);
    }
    text
}

fn value_of(table: &Table, key: &str) -> String {
    let mut parts = key.split('.');
    let first = parts.next().and_then(|part| table.get(part));
    let value = parts.fold(first, |value, part| value?.get(part));
    value.map_or_else(|| "\"\"".to_owned(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_is_documented_once() {
        let documented: BTreeSet<String> = KEYS.iter().map(|info| info.key.to_owned()).collect();
        assert_eq!(documented.len(), KEYS.len(), "a key stands twice");
        assert_eq!(documented, *KNOWN);
    }

    /// The document with every setting uncommented.
    fn uncommented() -> String {
        let setting = |line: &&str| line.starts_with('[') || !line.starts_with("# ");
        let text = document();
        let lines = text.lines().filter(setting);
        let uncommented: Vec<_> = lines.map(|line| line.trim_start_matches('#')).collect();
        uncommented.join("\n")
    }

    #[test]
    fn the_document_uncommented_is_the_default_configuration() {
        let text = uncommented();
        let table: Table = toml::from_str(&text).expect("valid TOML");
        assert_eq!(
            Config::from_table(&table).expect("valid settings"),
            Config::default()
        );
        let stated = text.lines().filter(|line| line.contains(" = ")).count();
        assert_eq!(stated, KEYS.len());
    }

    #[test]
    fn settings_with_words_for_values_name_their_words() {
        let words = |key: &str| {
            let info = KEYS.iter().find(|info| info.key == key);
            info.map_or("", |info| info.meaning)
        };
        for (key, values) in [
            ("public.versionless", &["off", "2", "3"][..]),
            ("public.start_page", &["on", "off", "admin"]),
            ("log.format", &["text", "json"]),
            ("log.access", &["off", "combined", "json"]),
            ("log.client_address", &["full", "truncated", "none"]),
            ("source.file.symlinks", &["never", "inside"]),
            ("encode.jpeg.subsampling", &["4:2:0", "4:2:2", "4:4:4"]),
            ("encode.png.compression", &["fast", "balanced", "high"]),
            ("encode.tif.compression", &["none", "deflate", "lzw"]),
            ("limits.damaged", &["refuse", "decode"]),
            (
                "overlay.watermarks",
                &["top-left", "top", "center", "bottom-right"],
            ),
            ("colour.mode", &["srgb", "keep"]),
            ("colour.intent", &["relative", "perceptual"]),
            ("colour.light", &["encoded", "linear"]),
            ("gpu.mode", &["off", "auto", "on"]),
        ] {
            for value in values {
                let quoted = format!("\"{value}\"");
                assert!(words(key).contains(&quoted), "{key} does not say {quoted}");
            }
        }
    }

    #[test]
    fn config_toml_is_the_document() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/config.toml");
        let file = std::fs::read_to_string(path).expect("config.toml stands at the top");
        assert!(
            file == document(),
            "config.toml is out of date: triforium config schema > config.toml"
        );
    }
}
