//! `triforium serve`: the server, from its settings to its last request.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use super::ConfigArgs;
use super::heap;
use super::output::{self, Failure, Outcome};
use crate::codec;
use crate::config::{self, Config};
use crate::error::ConfigError;
use crate::http::{self, Server, Settings, StartPage};
use crate::metrics;
use crate::render::gpu::{GpuMode, State};
use crate::service::Service;
use crate::source::FileSource;

/// Serves a folder of masters, or the configured source
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  triforium serve scans\n  triforium serve --config /etc/triforium.toml --listen 0.0.0.0:8182"
)]
pub(super) struct Serve {
    /// Folder of masters, instead of the configured source
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
    #[command(flatten)]
    config: ConfigArgs,
    /// Address of the public listener
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<String>,
    /// Address of the admin listener; empty for none
    #[arg(long, value_name = "HOST:PORT")]
    admin_listen: Option<String>,
    /// Whether a GPU is used
    #[arg(long, value_enum)]
    gpu: Option<Gpu>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Gpu {
    Off,
    Auto,
    On,
}

/// How often recorded durations are folded into their buckets.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// How often free memory is given back, in upkeeps.
const UPKEEPS_PER_RETURN: u32 = 6;

/// Threads for files and decoders that wait: admission bounds those that compute.
const MOST_BLOCKING_THREADS: usize = 128;

/// The signals that a server acts on, caught from here on.
#[derive(Debug)]
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    user: Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
            user: signal(SignalKind::user_defined1())?,
        })
    }
}

/// How long the end waits for a driver that is being opened.
const DRIVER_PATIENCE: Duration = Duration::from_secs(2);

impl Serve {
    /// Runs the command.
    pub(super) fn run(self) -> Outcome {
        let config = self.load()?;
        http::install_log(&config.http.log)?;
        log_panics();
        metrics::install()
            .map_err(|error| Failure::Words(format!("metrics cannot be kept: {error}")))?;
        let processors = config::resources().threads;
        heap::share(processors);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(processors)
            .max_blocking_threads(MOST_BLOCKING_THREADS)
            .enable_all()
            .build()?;
        let outcome = runtime.block_on(self.serve(config));
        // A decoder that does not come back must not keep the process.
        runtime.shutdown_timeout(Duration::from_secs(1));
        outcome
    }

    fn load(&self) -> Result<Config, Failure> {
        let folder = self
            .folder
            .as_ref()
            .map(|folder| folder.to_string_lossy().into_owned());
        let gpu = self
            .gpu
            .and_then(|gpu| Some(gpu.to_possible_value()?.get_name().to_owned()));
        let flags: Vec<_> = [
            ("source.file.root", folder),
            ("server.listen", self.listen.clone()),
            ("admin.listen", self.admin_listen.clone()),
            ("gpu.mode", gpu),
        ]
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)))
        .collect();
        Ok(self.config.load(&flags)?.0)
    }

    async fn serve(self, config: Config) -> Outcome {
        let (source, check_every) = source(&config)?;
        let service = Service::new(&config.service, source, check_every, config::resources())?;
        if config.service.gpu.mode == GpuMode::On {
            wait_for_gpu(&service)?;
        }
        let (settings, current) = watch::channel(Arc::new(Settings::new(config.http.clone())?));
        let server = Server::bind(service.clone(), current).await?;
        // Before anybody can know that there is a process to signal.
        let signals = Signals::listen().map_err(Failure::Output)?;
        announce(&server, &config)?;
        let log = server.access_log();

        let (drain, drained) = watch::channel(0_u8);
        let at_least = |count: u8| {
            let mut told = drained.clone();
            async move {
                // The sender lives as long as this process listens to signals.
                let _ = told.wait_for(|told| *told >= count).await;
            }
        };
        let serving = server.run(at_least(1), at_least(2));
        let acting = self.act_on(signals, &service, &settings, drain, move || log.reopen());
        tokio::select! {
            () = serving => {}
            () = acting => {}
        }
        // The end of a process takes a driver's memory from under a thread that is still opening it.
        let opened = tokio::task::spawn_blocking(move || service.gpu_settled());
        let _ = tokio::time::timeout(DRIVER_PATIENCE, opened).await;
        Ok(ExitCode::SUCCESS)
    }

    /// Acts on signals for as long as the server runs.
    async fn act_on(
        &self,
        mut signals: Signals,
        service: &Service,
        settings: &watch::Sender<Arc<Settings>>,
        drain: watch::Sender<u8>,
        reopen_log: impl Fn(),
    ) {
        let mut upkeep = tokio::time::interval(UPKEEP_EVERY);
        let mut upkeeps = 0_u32;
        loop {
            tokio::select! {
                _ = signals.terminate.recv() => drain.send_modify(|told| *told = told.saturating_add(1)),
                _ = signals.interrupt.recv() => drain.send_modify(|told| *told = told.saturating_add(1)),
                _ = signals.hangup.recv() => {
                    self.reload(service, settings);
                    reopen_log();
                }
                _ = signals.user.recv() => reopen_log(),
                _ = upkeep.tick() => {
                    metrics::upkeep();
                    upkeeps = upkeeps.wrapping_add(1);
                    if upkeeps.is_multiple_of(UPKEEPS_PER_RETURN) {
                        // Nobody waits for it.
                        drop(tokio::task::spawn_blocking(heap::give_back));
                    }
                }
            }
        }
    }

    /// Puts the configuration as it is now in force, whole, or keeps the old one.
    fn reload(&self, service: &Service, settings: &watch::Sender<Arc<Settings>>) {
        let swap = || -> Result<(), Failure> {
            let config = self.load()?;
            let (source, check_every) = source(&config)?;
            let fresh = Arc::new(Settings::new(config.http.clone())?);
            service.reload(&config.service, source, check_every, config::resources())?;
            settings.send_replace(fresh);
            Ok(())
        };
        match swap() {
            Ok(()) => tracing::info!("the configuration is reloaded"),
            Err(failure) => {
                let words = failure.words();
                tracing::warn!("the old configuration stays: {words}");
                service.keep_overlays(self.config.overlays().as_ref(), &words);
            }
        }
    }
}

/// Panics are events of the log; those that a decoder of others ends with over damaged bytes are answered as
/// what they are, damage, and told where details are asked for.
fn log_panics() {
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        let words = panic.payload_as_str();
        if codec::is_guarded() {
            tracing::debug!(place, words, "a decoder gave up damaged bytes");
            return;
        }
        // Where RUST_BACKTRACE asks for it.
        let stack = Backtrace::capture();
        let stack = (stack.status() == BacktraceStatus::Captured).then(|| stack.to_string());
        tracing::error!(place, words, stack, "a thread panicked");
    }));
}

/// Nothing is served before the device that was asked for is up.
fn wait_for_gpu(service: &Service) -> Result<(), ConfigError> {
    let report = service.gpu_settled();
    if report.state == State::Up {
        return Ok(());
    }
    let rule = format!("is on, but no GPU can be used: {}", report.reason);
    Err(ConfigError::new("gpu.mode", rule))
}

/// The configured source. Its list is begun here where a start page shows it, and nowhere else, so that
/// the first reader finds it ready.
fn source(config: &Config) -> Result<(FileSource, Duration), ConfigError> {
    let file = &config.source.file;
    let source = FileSource::new(file)?;
    if config.http.public.start_page != StartPage::Off {
        source.listing();
    }
    Ok((source, Duration::from_secs_f64(file.check_seconds)))
}

/// Says where the server is, for people and for scripts.
fn announce(server: &Server, config: &Config) -> Result<(), Failure> {
    let scheme = if config.http.server.tls.certificate.as_os_str().is_empty() {
        "http"
    } else {
        "https"
    };
    let prefix = &config.http.public.prefix;
    output::line(&format!("{scheme}://{}{prefix}/", server.address()))?;
    let admin = match server.admin_address() {
        Some(address) => format!("admin http://{address}/metrics"),
        None => "admin none".to_owned(),
    };
    output::line(&admin)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a list is there `patience` after a source was made that serves a folder with one master.
    fn is_listed(start_page: StartPage, patience: Duration) -> bool {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("a.jpg"), "").expect("a file");
        let mut config = Config::default();
        config.source.file.root = folder.path().to_path_buf();
        config.http.public.start_page = start_page;
        let (source, _) = source(&config).expect("valid");
        std::thread::sleep(patience);
        let listing = source.listing();
        !listing.building && listing.len() == 1
    }

    #[test]
    fn the_list_is_begun_at_the_start_where_a_start_page_shows_it() {
        let soon = (1..8).map(|n| Duration::from_millis(20 << n));
        for setting in [StartPage::On, StartPage::Admin] {
            assert!(soon.clone().any(|soon| is_listed(setting, soon)));
        }
    }

    #[test]
    fn no_folder_is_walked_without_a_start_page() {
        assert!(!is_listed(StartPage::Off, Duration::from_millis(300)));
    }
}
