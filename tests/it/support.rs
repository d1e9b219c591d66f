//! A server of ours in a process of its own, and a client that shows every byte.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

/// The folder of fixtures.
pub(crate) fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// A running `triforium serve`.
pub(crate) struct Server {
    child: Child,
    /// `host:port` of the public listener.
    pub(crate) public: String,
    /// `host:port` of the admin listener.
    pub(crate) admin: String,
    log: tempfile::NamedTempFile,
    /// Its caches on disk, unless a setting puts them elsewhere.
    _caches: tempfile::TempDir,
    /// The log may hold 5xx lines: the test provokes them.
    pub(crate) log_may_be_dirty: bool,
}

/// How long a server may take to say its address.
const START: Duration = Duration::from_secs(20);

impl Server {
    /// Serves `folder` with the settings' defaults.
    pub(crate) fn start(folder: &Path) -> Self {
        Self::with(folder, &[])
    }

    /// Serves `folder` with settings as environment: `LIMITS__MAX_AREA_PX`.
    pub(crate) fn with(folder: &Path, settings: &[(&str, &str)]) -> Self {
        Self::launch(folder, settings, &[])
    }

    /// Serves `folder` with settings and further arguments.
    pub(crate) fn launch(folder: &Path, settings: &[(&str, &str)], arguments: &[&str]) -> Self {
        let log = tempfile::NamedTempFile::new().unwrap();
        let caches = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_triforium"));
        command
            .arg("serve")
            .arg(folder)
            .args(["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"])
            .args(arguments)
            .current_dir(log.path().parent().unwrap())
            .env("XDG_CACHE_HOME", caches.path())
            .stdout(Stdio::piped())
            .stderr(log.reopen().unwrap());
        for (key, value) in settings {
            command.env(format!("TRIFORIUM_{key}"), value);
        }
        let mut child = command.spawn().unwrap();
        let (public, admin) = addresses(&mut child, log.path());
        Self {
            child,
            public,
            admin,
            log,
            _caches: caches,
            log_may_be_dirty: false,
        }
    }

    /// GET of `path` on the public listener.
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.request("GET", path, &[])
    }

    /// Any request on the public listener.
    pub(crate) fn request(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        request(&self.public, method, path, headers)
    }

    /// The value of a metric with its labels, 0 where it has not occurred.
    pub(crate) fn metric(&self, name: &str) -> f64 {
        let text = request(&self.admin, "GET", "/metrics", &[]).text();
        text.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
            .unwrap_or(0.0)
    }

    /// What the server has logged so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.log.path()).unwrap()
    }

    /// The process's number.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal by name: `TERM`, `HUP`.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args([format!("-{name}"), self.pid().to_string()])
            .status()
            .unwrap();
        assert!(status.success());
    }

    /// Waits for the process to end and gives its exit status.
    pub(crate) fn wait(&mut self) -> Option<i32> {
        let end = Instant::now() + Duration::from_secs(40);
        while Instant::now() < end {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("the server does not end");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if !std::thread::panicking() && !self.log_may_be_dirty {
            let log = self.log();
            let dirty: Vec<_> = log
                .lines()
                .filter(|line| line.contains(" ERROR ") || line.contains("panicked"))
                .collect();
            assert!(dirty.is_empty(), "the log is not clean: {dirty:#?}");
        }
    }
}

/// A server that the tests of a module share: it runs while one of them holds it, so that it ends, and
/// its log is looked at, with the last of them.
pub(crate) struct Shared {
    start: fn() -> Server,
    running: Mutex<Weak<Server>>,
}

impl Shared {
    /// A server that `start` starts when it is first wanted.
    pub(crate) const fn new(start: fn() -> Server) -> Self {
        Self {
            start,
            running: Mutex::new(Weak::new()),
        }
    }

    /// The running server.
    pub(crate) fn get(&self) -> Arc<Server> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.upgrade().unwrap_or_else(|| {
            let server = Arc::new((self.start)());
            *running = Arc::downgrade(&server);
            server
        })
    }
}

/// The addresses that a server prints when it listens.
fn addresses(child: &mut Child, log: &Path) -> (String, String) {
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let start = Instant::now();
    let (mut public, mut admin) = (None, None);
    while start.elapsed() < START && (public.is_none() || admin.is_none()) {
        let Some(Ok(line)) = lines.next() else {
            panic!(
                "the server did not start: {}",
                fs::read_to_string(log).unwrap()
            );
        };
        let address = |line: &str| Some(line.split("://").nth(1)?.split('/').next()?.to_owned());
        if line.starts_with("admin") {
            admin = address(&line);
        } else if public.is_none() {
            public = address(&line);
        }
    }
    std::thread::spawn(move || for _ in lines {});
    (public.unwrap(), admin.unwrap())
}

/// A response, every byte of it.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// The status code.
    pub(crate) status: u16,
    /// Headers by lower-case name; several lines of one name are joined by a newline.
    pub(crate) headers: BTreeMap<String, String>,
    /// The body, decoded from chunks.
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// A header's value, empty where there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    /// The body as text, whatever it is.
    pub(crate) fn text_lossy(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// One request on a connection of its own.
pub(crate) fn request(address: &str, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
    if !headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("host"))
    {
        head = head + "Host: " + address + "\r\n";
    }
    for (name, value) in headers {
        head = head + name + ": " + value + "\r\n";
    }
    head.push_str("\r\n");
    let raw = exchange(address, head.as_bytes());
    parse(&raw, method == "HEAD")
}

/// Sends bytes as they are and reads until the server closes.
pub(crate) fn exchange(address: &str, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_mins(1)))
        .unwrap();
    stream.write_all(bytes).unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    answer
}

/// Reads a response out of bytes.
pub(crate) fn parse(raw: &[u8], head_only: bool) -> Answer {
    let end = raw
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap_or_else(|| panic!("no response: {:?}", String::from_utf8_lossy(raw)));
    let head = String::from_utf8_lossy(&raw[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap()[9..12].parse().unwrap();
    let mut headers = BTreeMap::<String, String>::new();
    for line in lines {
        let (name, value) = line.split_once(':').unwrap();
        headers
            .entry(name.to_ascii_lowercase())
            .and_modify(|all| *all = format!("{all}\n{}", value.trim()))
            .or_insert_with(|| value.trim().to_owned());
    }
    let mut body = raw[end + 4..].to_vec();
    if headers
        .get("transfer-encoding")
        .is_some_and(|v| v == "chunked")
        && !head_only
    {
        body = unchunk(&body);
    } else if let Some(length) = headers.get("content-length")
        && !head_only
        && status != 304
    {
        assert_eq!(
            body.len(),
            length.parse::<usize>().unwrap(),
            "the body has another length"
        );
    }
    Answer {
        status,
        headers,
        body,
    }
}

fn unchunk(mut raw: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let line = raw
            .windows(2)
            .position(|two| two == b"\r\n")
            .expect("the last chunk is missing: the stream was cut");
        let length = usize::from_str_radix(std::str::from_utf8(&raw[..line]).unwrap(), 16).unwrap();
        if length == 0 {
            return body;
        }
        body.extend_from_slice(&raw[line + 2..line + 2 + length]);
        raw = &raw[line + 2 + length + 2..];
    }
}
