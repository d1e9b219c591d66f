//! `triforium config`: effective values with their origin, a check, the list of settings.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;
use toml::{Table, Value};

use super::ConfigArgs;
use super::output::{self, Outcome};
use crate::config::{self, Config, KEYS, KeyInfo, Layers};

/// Shows, checks and documents the configuration
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  triforium config show --config /etc/triforium.toml\n  TRIFORIUM_LIMITS__MAX_AREA_PX=1000000 triforium config check"
)]
pub(super) struct ConfigCommand {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    config: ConfigArgs,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Clone, Copy, Subcommand)]
enum Action {
    /// Prints every value that is in force, and where it comes from
    Show,
    /// Says whether the configuration is valid; exit status 0 or 2
    Check,
    /// Prints every setting with its default and meaning
    Schema,
}

impl ConfigCommand {
    /// Runs the command.
    pub(super) fn run(self) -> Outcome {
        match self.action {
            Action::Show => {
                let (config, layers) = self.config.load(&[])?;
                self.show(&config, &layers)?;
            }
            Action::Check => {
                self.config.load(&[])?;
                output::report(&json!({ "valid": true }), self.json)?;
            }
            Action::Schema => self.schema()?,
        }
        Ok(ExitCode::SUCCESS)
    }

    fn show(&self, config: &Config, layers: &Layers) -> Result<(), output::Failure> {
        let values = config.to_table();
        let resources = config::resources();
        let rows: Vec<_> = KEYS
            .iter()
            .map(|info| (info, value_of(&values, info.key), layers.origin(info.key)))
            .collect();
        if self.json {
            let settings: serde_json::Map<_, _> = rows
                .iter()
                .map(|(info, value, origin)| {
                    let entry = json!({ "value": value, "origin": origin.to_string() });
                    (info.key.to_owned(), entry)
                })
                .collect();
            let machine = json!({
                "threads": resources.threads,
                "memory_bytes": resources.memory_bytes,
            });
            return output::report(&json!({ "machine": machine, "settings": settings }), true);
        }
        output::line(&format!(
            "# machine or control group: {} threads, {} MiB; a value of 0 that says so derives from these",
            resources.threads,
            resources.memory_bytes >> 20
        ))?;
        for (info, value, origin) in rows {
            let value = value.map_or_else(|| "–".to_owned(), ToString::to_string);
            output::line(&format!("{} = {value}  # {origin}", info.key))?;
        }
        Ok(())
    }

    fn schema(&self) -> Result<(), output::Failure> {
        if self.json {
            let settings: Vec<_> = KEYS.iter().map(describe).collect();
            return output::report(&json!({ "settings": settings }), true);
        }
        output::bytes(config::document().as_bytes())
    }
}

fn describe(info: &KeyInfo) -> serde_json::Value {
    let defaults = Config::default().to_table();
    json!({
        "key": info.key,
        "default": value_of(&defaults, info.key),
        "meaning": info.meaning,
    })
}

fn value_of<'a>(table: &'a Table, key: &str) -> Option<&'a Value> {
    let mut parts = key.split('.');
    let first = table.get(parts.next()?)?;
    parts.try_fold(first, |value, part| value.get(part))
}
