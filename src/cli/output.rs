//! What commands print, and how they end: 0 well, 1 not, 2 wrong settings or usage.

use std::io::{self, Write as _};
use std::process::ExitCode;

use serde_json::Value;

use crate::error::{ConfigError, Error};

/// How a command ends.
pub(super) type Outcome = Result<ExitCode, Failure>;

/// Why a command did not do its work.
#[derive(Debug)]
pub(super) enum Failure {
    /// A setting is wrong.
    Config(ConfigError),
    /// The work failed.
    Work(Error),
    /// Nothing can be printed.
    Output(io::Error),
    /// The command line asks for what cannot be.
    Usage(String),
    /// Something else, in words.
    Words(String),
}

impl Failure {
    /// Says what went wrong on the standard error.
    pub(super) fn report(self) -> ExitCode {
        let code = match &self {
            // Whoever reads our output has enough: `triforium config show | head`.
            Self::Output(cause) if cause.kind() == io::ErrorKind::BrokenPipe => {
                return ExitCode::SUCCESS;
            }
            Self::Config(_) | Self::Usage(_) => 2,
            Self::Output(_) | Self::Work(_) | Self::Words(_) => 1,
        };
        self.report_as(code)
    }

    /// Says what went wrong on the standard error, and ends with this status.
    pub(super) fn report_as(&self, code: u8) -> ExitCode {
        // Where even this cannot be said, the exit status has to do.
        let _ = writeln!(io::stderr(), "triforium: {}", self.words());
        ExitCode::from(code)
    }

    /// What went wrong.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Output(cause) => cause.to_string(),
            Self::Config(error) => format!("configuration: {error}"),
            Self::Work(error) => error.public().to_owned(),
            Self::Usage(words) | Self::Words(words) => words.clone(),
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Work(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// Prints bytes as they are.
pub(super) fn bytes(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()?;
    Ok(())
}

/// Prints a line.
pub(super) fn line(text: &str) -> Result<(), Failure> {
    bytes(format!("{text}\n").as_bytes())
}

/// Prints a report: as JSON, or as aligned lines of its members.
pub(super) fn report(report: &Value, json: bool) -> Result<(), Failure> {
    if json {
        return line(&format!("{report:#}"));
    }
    let Value::Object(members) = report else {
        return line(&plain(report));
    };
    let width = members.keys().map(String::len).max().unwrap_or(0);
    for (name, value) in members {
        line(&format!("{name:width$}  {}", plain(value)))?;
    }
    Ok(())
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| format!("{name} {}", plain(value)))
            .collect::<Vec<_>>()
            .join(" "),
        Value::Null => "–".to_owned(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}
