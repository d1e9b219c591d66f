//! Where values come from: file, environment, flags, each laid over the one before.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};
use toml::{Table, Value};

use super::keys::{is_known, nearest};
use crate::error::ConfigError;

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The program's own default.
    BuiltIn,
    /// A line of the file, from 1.
    File(usize),
    /// A variable of the environment.
    Environment(String),
    /// A flag of the command.
    Flag,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn => f.write_str("built-in"),
            Self::File(line) => write!(f, "file, line {line}"),
            Self::Environment(name) => write!(f, "environment, {name}"),
            Self::Flag => f.write_str("flag"),
        }
    }
}

/// Values laid over each other, each with its origin.
#[derive(Debug, Clone, Default)]
pub struct Layers {
    file: Option<PathBuf>,
    table: Table,
    origins: BTreeMap<String, Origin>,
    /// The one section whose keys count; all where there is none.
    section: Option<&'static str>,
}

/// What every variable of ours begins with.
const PREFIX: &str = "TRIFORIUM_";

impl Layers {
    /// The values of `file`, then of `environment` (`TRIFORIUM_SECTION__KEY`), then of `flags`.
    ///
    /// # Errors
    ///
    /// A file that cannot be read or parsed, and the first unknown key.
    pub fn new(
        file: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
        flags: &[(&str, String)],
    ) -> Result<Self, ConfigError> {
        Self::default().fill(file, environment, flags)
    }

    /// The same of one section alone, whatever mistakes there are in others. A key that may be a misspelt one
    /// of it is unknown.
    ///
    /// # Errors
    ///
    /// As [`Layers::new`], of that section.
    pub(super) fn of_section(
        section: &'static str,
        file: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
        flags: &[(&str, String)],
    ) -> Result<Self, ConfigError> {
        let layers = Self {
            section: Some(section),
            ..Self::default()
        };
        layers.fill(file, environment, flags)
    }

    fn fill(
        mut self,
        file: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
        flags: &[(&str, String)],
    ) -> Result<Self, ConfigError> {
        self.file = file.map(Path::to_owned);
        if let Some(file) = file {
            self.add_file(file)?;
        }
        let mut variables: Vec<_> = environment
            .filter(|(name, _)| name.starts_with(PREFIX))
            .collect();
        variables.sort();
        for (name, value) in variables {
            let key = name
                .trim_start_matches(PREFIX)
                .to_ascii_lowercase()
                .replace("__", ".");
            self.set(&key, parse(&value), Origin::Environment(name))?;
        }
        for (key, value) in flags {
            self.set(key, Value::String(value.clone()), Origin::Flag)?;
        }
        Ok(self)
    }

    /// All values that are not built-in.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// Where the value of `key` comes from.
    pub fn origin(&self, key: &str) -> Origin {
        self.nearest_origin(key).cloned().unwrap_or(Origin::BuiltIn)
    }

    /// `error` with the place of its value.
    #[must_use]
    pub fn locate(&self, mut error: ConfigError) -> ConfigError {
        match self.nearest_origin(&error.key) {
            Some(Origin::File(line)) => {
                error.rule = format!("{} ({})", error.rule, self.place(*line));
            }
            Some(Origin::Environment(name)) => error.rule = format!("{} ({name})", error.rule),
            Some(Origin::BuiltIn | Origin::Flag) | None => {}
        }
        error
    }

    /// The origin of `key`, or of the table or list that holds it.
    fn nearest_origin(&self, key: &str) -> Option<&Origin> {
        let mut key = key;
        loop {
            if let Some(origin) = self.origins.get(key) {
                return Some(origin);
            }
            (key, _) = key.rsplit_once(['.', '['])?;
        }
    }

    fn place(&self, line: usize) -> String {
        match &self.file {
            Some(file) => format!("{}, line {line}", file.display()),
            None => format!("line {line}"),
        }
    }

    fn add_file(&mut self, file: &Path) -> Result<(), ConfigError> {
        let name = file.display().to_string();
        let text = std::fs::read_to_string(file)
            .map_err(|cause| ConfigError::new(&name, format!("cannot be read: {cause}")))?;
        let line_of = |offset: usize| {
            let before = text.as_bytes().iter().take(offset);
            1 + before.filter(|byte| **byte == b'\n').count()
        };
        let parsed = DeTable::parse(&text).map_err(|error| {
            let line = line_of(error.span().map_or(0, |span| span.start));
            ConfigError::new(&name, format!("line {line}: {}", error.message()))
        })?;
        let mut leaves = Vec::new();
        collect(parsed.get_ref(), "", &mut leaves);
        let values: Table = toml::from_str(&text)
            .map_err(|error| ConfigError::new(&name, error.message().to_owned()))?;
        for (key, offset) in leaves {
            let Some(value) = lookup(&values, &key) else {
                continue;
            };
            self.set(&key, value.clone(), Origin::File(line_of(offset)))?;
        }
        Ok(())
    }

    fn set(&mut self, key: &str, value: Value, origin: Origin) -> Result<(), ConfigError> {
        if self.section.is_some_and(|section| !concerns(key, section)) {
            return Ok(());
        }
        if !is_known(key) {
            let rule = match nearest(key) {
                Some(known) => format!("is no setting; did you mean {known}?"),
                None => "is no setting".to_owned(),
            };
            let unknown = ConfigError::new(key, rule);
            self.origins.insert(key.to_owned(), origin);
            return Err(self.locate(unknown));
        }
        let mut table = &mut self.table;
        let mut parts = key.split('.').peekable();
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                table.insert(part.to_owned(), value);
                break;
            }
            let entry = table
                .entry(part)
                .or_insert_with(|| Value::Table(Table::new()));
            let Value::Table(inner) = entry else {
                return Err(ConfigError::new(key, format!("{part} is no section")));
            };
            table = inner;
        }
        self.origins.insert(key.to_owned(), origin);
        Ok(())
    }
}

/// Whether `key` is of `section`, or may be meant to be.
fn concerns(key: &str, section: &str) -> bool {
    let is_of = |key: &str| key.starts_with(section);
    is_of(key) || (!is_known(key) && nearest(key).is_some_and(is_of))
}

/// A variable's value: a number, truth value or list if it reads as one, else text.
fn parse(text: &str) -> Value {
    let line = format!("value = {text}");
    toml::from_str::<Table>(&line)
        .ok()
        .and_then(|mut table| table.remove("value"))
        .unwrap_or_else(|| Value::String(text.to_owned()))
}

/// All keys of a file that hold values, with their offsets; lists of tables count as values.
fn collect(table: &DeTable<'_>, prefix: &str, leaves: &mut Vec<(String, usize)>) {
    for (name, value) in table {
        let key = if prefix.is_empty() {
            name.get_ref().to_string()
        } else {
            format!("{prefix}.{}", name.get_ref())
        };
        if let DeValue::Table(inner) = value.get_ref() {
            collect(inner, &key, leaves);
        } else {
            leaves.push((key, name.span().start));
        }
    }
}

fn lookup<'a>(table: &'a Table, key: &str) -> Option<&'a Value> {
    let Some((section, rest)) = key.split_once('.') else {
        return table.get(key);
    };
    lookup(table.get(section)?.as_table()?, rest)
}
