//! The program's log: events of every room to standard error, as text or JSON.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use super::config::{LogConfig, LogFormat};
use crate::error::ConfigError;

/// Starts the log of this process. Once; a second call fails.
///
/// # Errors
///
/// `log.level` is no level and no list of directives, or a log has been started already.
pub fn install(config: &LogConfig) -> Result<(), ConfigError> {
    let wrong = |error: &dyn std::fmt::Display| ConfigError::new("log.level", error.to_string());
    let filter = EnvFilter::builder()
        .parse(&config.level)
        .map_err(|error| wrong(&error))?;
    let events = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    match config.format {
        LogFormat::Text => events.with_ansi(std::io::stderr().is_terminal()).try_init(),
        LogFormat::Json => events.json().flatten_event(true).try_init(),
    }
    .map_err(|error| wrong(&error))
}
