//! The commands, one file each; known by `main` alone.

mod bench;
mod client;
mod config;
mod convert;
mod draw_page;
mod explain;
mod health;
mod heap;
mod info;
mod offline;
mod output;
mod serve;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory as _, Parser, Subcommand};

use output::{Failure, Outcome};

/// A IIIF image server for real masters.
#[derive(Debug, Parser)]
#[command(name = "triforium", version, long_version = LONG_VERSION, about, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

const LONG_VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\nlicence: Apache-2.0 OR MIT");

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Serve),
    Info(info::Info),
    Explain(explain::Explain),
    Bench(Box<bench::Bench>),
    Convert(convert::Convert),
    Health(health::Health),
    Config(config::ConfigCommand),
    #[command(hide = true)]
    DrawPage(draw_page::DrawPage),
    /// Prints completions for a shell
    #[command(
        after_help = "Examples:\n  triforium completions bash > /etc/bash_completion.d/triforium\n  triforium completions zsh > ~/.zfunc/_triforium"
    )]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// Where the configuration comes from; every command takes it.
#[derive(Debug, Args)]
struct ConfigArgs {
    /// Configuration file [default: config.toml, if there is one]
    #[arg(
        long,
        short,
        value_name = "FILE",
        env = "TRIFORIUM_CONFIG",
        global = true
    )]
    config: Option<PathBuf>,
}

/// Runs the command of this process.
pub fn run() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Serve(command) => command.run(),
        Command::Info(command) => command.run(),
        Command::Explain(command) => command.run(),
        Command::Bench(command) => command.run(),
        Command::Convert(command) => command.run(),
        Command::Health(command) => command.run(),
        Command::Config(command) => command.run(),
        Command::DrawPage(command) => command.run(),
        Command::Completions { shell } => completions(shell),
    };
    match outcome {
        Ok(code) => code,
        Err(failure) => failure.report(),
    }
}

fn completions(shell: clap_complete::Shell) -> Outcome {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "triforium", &mut text);
    output::bytes(&text)?;
    Ok(ExitCode::SUCCESS)
}

impl ConfigArgs {
    /// The file that was named, or the one that is there by custom.
    fn file(&self) -> Option<PathBuf> {
        self.config.clone().or_else(|| {
            let custom = PathBuf::from("config.toml");
            custom.is_file().then_some(custom)
        })
    }

    /// The configuration under `flags`.
    fn load(
        &self,
        flags: &[(&str, String)],
    ) -> Result<(crate::config::Config, crate::config::Layers), Failure> {
        Ok(crate::config::load(
            self.file().as_deref(),
            environment(),
            flags,
        )?)
    }

    /// The overlays alone, whatever mistakes there are elsewhere; none where it is in doubt which are meant.
    fn overlays(&self) -> Option<crate::service::OverlayConfig> {
        crate::config::overlays(self.file().as_deref(), environment(), &[]).ok()
    }
}

/// The variables that may be settings.
fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars().filter(|(name, _)| name != "TRIFORIUM_CONFIG")
}
