//! The service without a server, for commands that look at one image.

use std::path::Path;
use std::time::Duration;

use super::ConfigArgs;
use super::output::Failure;
use crate::config::{self, Config};
use crate::render::gpu::GpuMode;
use crate::service::Service;
use crate::source::FileSource;

/// The use cases under the configuration in force; `folder` replaces its file source.
pub(super) fn service(
    config: &ConfigArgs,
    folder: Option<&Path>,
) -> Result<(Config, Service), Failure> {
    let flags: Vec<_> = folder
        .map(|folder| ("source.file.root", folder.to_string_lossy().into_owned()))
        .into_iter()
        .collect();
    let (mut config, _) = config.load(&flags)?;
    // One look at one image leaves nothing behind.
    config.service.cache.levels.disk_bytes = 0;
    config.service.cache.derivative.disk_bytes = 0;
    config.service.gpu.mode = GpuMode::Off;
    let source = FileSource::new(&config.source.file)?;
    let service = Service::new(
        &config.service,
        source,
        Duration::from_secs_f64(config.source.file.check_seconds),
        config::resources(),
    )?;
    Ok((config, service))
}

/// Runs `work` to its end.
pub(super) fn block_on<T>(work: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    Ok(runtime.block_on(work))
}
