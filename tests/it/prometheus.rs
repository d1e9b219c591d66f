//! A real Prometheus scrapes the admin listener, and its own linter reads the metrics.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Server, fixtures, request};

/// How long Prometheus may take to start and to scrape twice.
const PATIENCE: Duration = Duration::from_secs(20);

/// A Prometheus of Debian's package in a process of its own.
struct Prometheus {
    child: Child,
    address: String,
    _folder: tempfile::TempDir,
}

impl Prometheus {
    /// Scrapes `target` every second.
    fn start(target: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = folder.path().join("prometheus.yml");
        let text = format!(
            "global:\n  scrape_interval: 1s\n  scrape_timeout: 1s\n\
             scrape_configs:\n  - job_name: triforium\n    static_configs:\n      - targets: ['{target}']\n"
        );
        fs::write(&settings, text).unwrap();
        let address = free_address();
        let child = launch(folder.path(), &settings, &address);
        Self {
            child,
            address,
            _folder: folder,
        }
    }

    /// The result of an instant query; empty before the first scrape, and before Prometheus listens.
    fn query(&self, expression: &str) -> Vec<Value> {
        if std::net::TcpStream::connect(&self.address).is_err() {
            return Vec::new();
        }
        let path = format!("/api/v1/query?query={expression}");
        let answer = request(&self.address, "GET", &path, &[]);
        if answer.status != 200 {
            return Vec::new();
        }
        let result = answer.json()["data"]["result"].take();
        result.as_array().cloned().unwrap_or_default()
    }

    /// Asks until the one result of `expression` has `value`.
    fn wait_for(&self, expression: &str, value: &str) {
        let end = Instant::now() + PATIENCE;
        let mut seen = Vec::new();
        while Instant::now() < end {
            seen = self.query(expression);
            if let [only] = seen.as_slice()
                && only["value"][1] == value
            {
                return;
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        panic!("{expression} is not {value}: {seen:?}");
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

fn launch(folder: &Path, settings: &Path, address: &str) -> Child {
    Command::new("prometheus")
        .arg(format!("--config.file={}", settings.display()))
        .arg(format!(
            "--storage.tsdb.path={}",
            folder.join("data").display()
        ))
        .arg(format!("--web.listen-address={address}"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("prometheus is installed by make test")
}

/// What `promtool check metrics` says about `text`, and whether it is content.
fn lint(text: &str) -> (bool, String) {
    let mut child = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool comes with prometheus");
    child
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    let mut words = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut words)
        .unwrap();
    (child.wait().unwrap().success(), words)
}

/// A server that has answered two images, an information document and an error.
fn used_server() -> Server {
    let server = Server::start(&fixtures().join("images"));
    for (path, status) in [
        ("/iiif/3/bricks.gif/full/max/0/default.jpg", 200),
        ("/iiif/3/bricks.gif/full/max/0/default.png", 200),
        ("/iiif/3/bricks.gif/info.json", 200),
        ("/iiif/2/nobody/info.json", 404),
    ] {
        assert_eq!(server.get(path).status, status, "{path}");
    }
    server
}

#[test]
fn prometheus_scrapes_the_admin_listener_and_counts_what_was_asked() {
    let server = used_server();
    let prometheus = Prometheus::start(&server.admin);
    prometheus.wait_for("up", "1");
    for (labels, value) in [
        ("api=%22image3%22,kind=%22image%22,status=%22200%22", "2"),
        ("api=%22image3%22,kind=%22info%22,status=%22200%22", "1"),
        ("api=%22image2%22,kind=%22info%22,status=%22404%22", "1"),
    ] {
        prometheus.wait_for(
            &format!("triforium_http_requests_total%7B{labels}%7D"),
            value,
        );
    }
    assert_eq!(server.get("/iiif/3/bricks.gif/info.json").status, 200);
    let infos = "triforium_http_requests_total%7Bapi=%22image3%22,kind=%22info%22%7D";
    prometheus.wait_for(infos, "2");
}

#[test]
fn promtool_finds_nothing_wrong_with_the_metrics() {
    let server = used_server();
    let text = request(&server.admin, "GET", "/metrics", &[]).text();
    assert!(text.contains("triforium_http_requests_total"));
    let (content, words) = lint(&text);
    assert!(content, "{words}");
    let (content, _) = lint("a_total{} x\n");
    assert!(!content, "promtool finds nothing wrong with anything");
}
