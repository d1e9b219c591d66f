//! A whole server, on sockets: the fuzzer's bytes are what a client sends.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock, mpsc};
use std::thread;
use std::time::Duration;

use tokio::sync::watch;
use triforium::config::{Config, resources};
use triforium::http::{Server, Settings};
use triforium::service::Service;
use triforium::source::FileSource;

use crate::FOLDER;

/// What the master outside the root is called; no answer is one of it.
const OUTSIDE: &str = "outside.png";

/// Where the server listens.
static ADDRESS: LazyLock<SocketAddr> = LazyLock::new(|| {
    let root = masters();
    let (told, address) = mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let mut config = Config::default();
            config.source.file.root = root;
            config.http.server.listen = "0.0.0.0:0".to_owned();
            config.http.admin.listen = String::new();
            // Their headers are read as well.
            config.http.public.trusted_proxies = vec!["127.0.0.0/8".to_owned()];
            let source = FileSource::new(&config.source.file).expect("a source");
            let second = Duration::from_secs(1);
            let service =
                Service::new(&config.service, source, second, resources()).expect("a service");
            let settings = Settings::new(config.http).expect("settings");
            let (_keep, settings) = watch::channel(Arc::new(settings));
            let server = Server::bind(service, settings).await.expect("bound");
            told.send(server.address()).expect("heard");
            server
                .run(std::future::pending(), std::future::pending())
                .await;
        });
    });
    address.recv().expect("a server")
});

/// A root with a master, and one beside it.
fn masters() -> PathBuf {
    let root = FOLDER.join("root");
    fs::create_dir_all(&root).expect("a folder");
    let picture = include_bytes!("../../fixtures/png/made-gray-4.png");
    fs::write(root.join("a.png"), picture).expect("written");
    fs::write(FOLDER.join(OUTSIDE), picture).expect("written");
    root
}

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// Sends bytes to the server and reads what it has to say. Nothing is its own fault.
///
/// # Panics
///
/// When an answer is an internal error, none comes, or it is no HTTP.
pub fn head(bytes: &[u8]) {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    // Under ever other addresses, so that the system does not run out of ports.
    let call = CALLS.fetch_add(1, Ordering::Relaxed) % (1 << 16) + 1;
    let host = Ipv4Addr::from(Ipv4Addr::LOCALHOST.to_bits() + call);
    let mut stream = TcpStream::connect((host, ADDRESS.port())).expect("the server listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("set");
    // It may refuse early what is too long.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    let mut answer = Vec::new();
    if let Err(error) = stream.read_to_end(&mut answer) {
        let slow = error.kind() == std::io::ErrorKind::WouldBlock;
        assert!(!slow, "no answer");
    }
    let is_http = answer.is_empty() || answer.starts_with(b"HTTP/1.");
    assert!(is_http || bytes.starts_with(b"PRI"), "no HTTP");
    assert_ne!(answer.get(9..12), Some(&b"500"[..]), "its own fault");
}
