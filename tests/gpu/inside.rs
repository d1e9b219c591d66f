//! A server in this process, before a device of a test's making.

use std::future::pending;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::sync::watch;
use triforium::render::gpu::{Encode, Gpu, Open};
use triforium::service::{Config, Resources, Service};
use triforium::source::{self, FileSource};
use triforium::{codec, http};

use super::support::{Answer, request};

/// The server; it ends with its last value.
pub(crate) struct Inside {
    /// `host:port` of the public listener.
    pub(crate) public: String,
    /// `host:port` of the admin listener.
    pub(crate) admin: String,
    _settings: watch::Sender<Arc<http::Settings>>,
    _runtime: Runtime,
}

impl Inside {
    /// Serves `folder`, with the device that `open` gives once it is settled.
    pub(crate) fn new(folder: &Path, config: &Config, open: Open) -> Self {
        let standard = codec::jpeg::is_standard();
        let encode: Option<Encode> = standard.then_some(codec::jpeg::file);
        let gpu = Gpu::opened_by(&config.gpu, encode, open);
        gpu.settled();
        let source = source::Config {
            root: folder.to_path_buf(),
            ..source::Config::default()
        };
        let resources = Resources {
            threads: 2,
            memory_bytes: 4 << 30,
        };
        let source = FileSource::new(&source).unwrap();
        let runtime = Runtime::new().unwrap();
        let service = {
            let _inside = runtime.enter();
            Service::with_gpu(config, source, Duration::from_secs(9), resources, gpu).unwrap()
        };
        let mut front = http::Config::default();
        "127.0.0.1:0".clone_into(&mut front.server.listen);
        "127.0.0.1:0".clone_into(&mut front.admin.listen);
        let settings = Arc::new(http::Settings::new(front).unwrap());
        let (sender, current) = watch::channel(settings);
        let server = runtime
            .block_on(http::Server::bind(service, current))
            .unwrap();
        let public = server.address().to_string();
        let admin = server.admin_address().unwrap().to_string();
        runtime.spawn(server.run(pending(), pending()));
        Self {
            public,
            admin,
            _settings: sender,
            _runtime: runtime,
        }
    }

    /// The answer to `path`, which has to be 200.
    pub(crate) fn get(&self, path: &str) -> Answer {
        let answer = request(&self.public, "GET", path, &[]);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text_lossy());
        answer
    }

    /// What the admin listener tells of the device.
    pub(crate) fn device(&self) -> serde_json::Value {
        request(&self.admin, "GET", "/gpu", &[]).json()
    }
}
