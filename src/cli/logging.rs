//! The program's own log: text or JSON lines on the standard error.

use tracing_subscriber::EnvFilter;

use crate::error::ConfigError;
use crate::http::{LogConfig, LogFormat};

/// Starts logging; once a process.
///
/// # Errors
///
/// A level that is none.
pub(super) fn start(config: &LogConfig) -> Result<(), ConfigError> {
    let filter = EnvFilter::try_new(&config.level).map_err(|_| {
        ConfigError::new(
            "log.level",
            "must be error, warn, info, debug or trace, or directives by module",
        )
    })?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false);
    // A second start, in tests, keeps the first.
    let _ = match config.format {
        LogFormat::Text => builder.with_ansi(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    Ok(())
}
