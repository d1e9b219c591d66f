//! The access log: one line an exchange, written by a thread of its own.
//!
//! The request path hands a line over and never waits: when the writer cannot keep up, lines are
//! dropped and the writer says how many. The file is reopened on demand, for log rotation.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::time::{Duration, Instant};

use hyper::http::request::Parts;
use hyper::{Method, Version};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;

use super::config::{AccessFormat, ClientAddress, LogConfig};
use crate::error::ConfigError;

/// Lines that may wait for the writer: a second of a busy server.
const QUEUE_LINES: usize = 16 * 1024;

/// Hands lines to the writer. Clones share one writer.
#[derive(Debug, Clone)]
pub struct AccessLog {
    lines: SyncSender<Message>,
    dropped: Arc<AtomicU64>,
}

enum Message {
    Line(Box<Line>),
    Open(PathBuf),
    Reopen,
}

impl AccessLog {
    /// Opens the file that `config` names and starts the writer.
    ///
    /// # Errors
    ///
    /// The file cannot be opened, or the writer's thread cannot be started.
    pub(super) fn open(config: &LogConfig) -> Result<Self, ConfigError> {
        let wrong = |error: io::Error| {
            let place = config.access_file.display();
            ConfigError::new(
                "log.access_file",
                format!("{place} cannot be opened: {error}"),
            )
        };
        let sink = sink(&config.access_file).map_err(wrong)?;
        let (lines, received) = sync_channel(QUEUE_LINES);
        let dropped = Arc::new(AtomicU64::new(0));
        let writer = Writer {
            path: config.access_file.clone(),
            sink,
            dropped: Arc::clone(&dropped),
        };
        std::thread::Builder::new()
            .name("access-log".to_owned())
            .spawn(move || writer.run(&received))
            .map_err(wrong)?;
        Ok(Self { lines, dropped })
    }

    /// Opens the file of this name anew, as log rotation wants it.
    pub fn reopen(&self) {
        self.send(Message::Reopen);
    }

    /// Goes on in another file.
    pub(super) fn switch(&self, path: &Path) {
        self.send(Message::Open(path.to_owned()));
    }

    fn send(&self, message: Message) {
        if self.lines.try_send(message).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

type Sink = BufWriter<Box<dyn Write + Send>>;

fn sink(path: &Path) -> io::Result<Sink> {
    let target: Box<dyn Write + Send> = if path.as_os_str().is_empty() {
        Box::new(io::stdout())
    } else {
        let file: File = OpenOptions::new().create(true).append(true).open(path)?;
        Box::new(file)
    };
    Ok(BufWriter::new(target))
}

struct Writer {
    path: PathBuf,
    sink: Sink,
    dropped: Arc<AtomicU64>,
}

impl Writer {
    fn run(mut self, messages: &Receiver<Message>) {
        loop {
            let message = match messages.try_recv() {
                Ok(message) => message,
                Err(TryRecvError::Disconnected) => break,
                Err(TryRecvError::Empty) => {
                    self.rest();
                    match messages.recv() {
                        Ok(message) => message,
                        Err(_) => break,
                    }
                }
            };
            self.take(message);
        }
        self.rest();
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Line(line) => self.report(|sink| writeln!(sink, "{}", line.text())),
            Message::Reopen => self.open(self.path.clone()),
            Message::Open(path) => self.open(path),
        }
    }

    /// A file that cannot be opened leaves the old one in use.
    fn open(&mut self, path: PathBuf) {
        self.report(Write::flush);
        match sink(&path) {
            Ok(sink) => (self.path, self.sink) = (path, sink),
            Err(error) => tracing::error!("the access log cannot be reopened: {error}"),
        }
    }

    fn rest(&mut self) {
        self.report(Write::flush);
        let dropped = self.dropped.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            tracing::warn!(dropped, "the access log could not keep up");
        }
    }

    fn report(&mut self, write: impl FnOnce(&mut Sink) -> io::Result<()>) {
        if let Err(error) = write(&mut self.sink) {
            tracing::error!("the access log cannot be written: {error}");
        }
    }
}

/// A line that is completed while the answer is sent, and written when it is dropped.
#[derive(Debug)]
pub(super) struct Entry {
    /// Bytes of the body that were handed over.
    pub(super) bytes: u64,
    /// Status of the answer.
    pub(super) status: u16,
    started: Instant,
    log: AccessLog,
    line: Option<Box<Line>>,
}

/// What is known of one exchange.
#[derive(Debug)]
struct Line {
    format: AccessFormat,
    time: Timestamp,
    client: Option<IpAddr>,
    method: Method,
    target: String,
    version: Version,
    status: u16,
    bytes: u64,
    took: Duration,
    referer: Option<String>,
    user_agent: Option<String>,
    id: String,
}

impl Entry {
    /// The beginning of a line; nothing where the access log is off.
    pub(super) fn new(
        log: &AccessLog,
        config: &LogConfig,
        head: &Parts,
        client: IpAddr,
        id: &str,
    ) -> Option<Self> {
        if config.access == AccessFormat::Off {
            return None;
        }
        let text = |name: &str| {
            let value = head.headers.get(name)?;
            Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let line = Line {
            format: config.access,
            time: Timestamp::now(),
            client: shown(client, config.client_address),
            method: head.method.clone(),
            target: head.uri.to_string(),
            version: head.version,
            status: 0,
            bytes: 0,
            took: Duration::ZERO,
            referer: text("referer"),
            user_agent: text("user-agent"),
            id: id.to_owned(),
        };
        Some(Self {
            bytes: 0,
            status: 0,
            started: Instant::now(),
            log: log.clone(),
            line: Some(Box::new(line)),
        })
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        if let Some(mut line) = self.line.take() {
            line.status = self.status;
            line.bytes = self.bytes;
            line.took = self.started.elapsed();
            self.log.send(Message::Line(line));
        }
    }
}

/// The part of an address that may be kept.
fn shown(address: IpAddr, keep: ClientAddress) -> Option<IpAddr> {
    match (keep, address) {
        (ClientAddress::Full, _) => Some(address),
        (ClientAddress::None, _) => None,
        (ClientAddress::Truncated, IpAddr::V4(v4)) => {
            let [a, b, c, _] = v4.octets();
            Some(IpAddr::from([a, b, c, 0]))
        }
        (ClientAddress::Truncated, IpAddr::V6(v6)) => {
            let [a, b, c, ..] = v6.segments();
            Some(IpAddr::from([a, b, c, 0, 0, 0, 0, 0]))
        }
    }
}

impl Line {
    fn text(&self) -> String {
        match self.format {
            AccessFormat::Json => self.json(),
            AccessFormat::Combined | AccessFormat::Off => self.combined(),
        }
    }

    fn combined(&self) -> String {
        let client = self
            .client
            .map_or("-".to_owned(), |client| client.to_string());
        let time = self
            .time
            .to_zoned_datetime(TimeZone::system())
            .strftime("%d/%b/%Y:%H:%M:%S %z");
        let field = |text: &Option<String>| quoted(text.as_deref().unwrap_or("-"));
        format!(
            "{client} - - [{time}] \"{} {} {:?}\" {} {} \"{}\" \"{}\"",
            self.method,
            quoted(&self.target),
            self.version,
            self.status,
            self.bytes,
            field(&self.referer),
            field(&self.user_agent),
        )
    }

    fn json(&self) -> String {
        json!({
            "time": self.time.to_string(),
            "client": self.client,
            "method": self.method.as_str(),
            "target": self.target,
            "protocol": format!("{:?}", self.version),
            "status": self.status,
            "bytes": self.bytes,
            "duration_seconds": self.took.as_secs_f64(),
            "referer": self.referer,
            "user_agent": self.user_agent,
            "request_id": self.id,
        })
        .to_string()
    }
}

/// `text` as it may stand between quotes on one line.
fn quoted(text: &str) -> String {
    text.bytes()
        .flat_map(|byte| match byte {
            b'"' | b'\\' => vec!['\\', char::from(byte)],
            b' '..=b'~' => vec![char::from(byte)],
            _ => format!("\\x{byte:02x}").chars().collect(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> Line {
        Line {
            format: AccessFormat::Combined,
            time: "2026-11-23T21:00:00Z".parse().expect("a time"),
            client: Some([192, 0, 2, 0].into()),
            method: Method::GET,
            target: "/iiif/3/a/info.json".to_owned(),
            version: Version::HTTP_11,
            status: 200,
            bytes: 123,
            took: Duration::from_millis(250),
            referer: None,
            user_agent: Some("x\"\n\u{e9}".to_owned()),
            id: "id".to_owned(),
        }
    }

    #[test]
    fn a_combined_line_escapes_what_clients_wrote() {
        let text = line().combined();
        assert!(text.starts_with("192.0.2.0 - - ["), "{text}");
        assert!(
            text.ends_with(
                "] \"GET /iiif/3/a/info.json HTTP/1.1\" 200 123 \"-\" \"x\\\"\\x0a\\xc3\\xa9\""
            ),
            "{text}"
        );
    }

    #[test]
    fn a_json_line_is_one_object() {
        let document: serde_json::Value = serde_json::from_str(&line().json()).expect("JSON");
        assert_eq!(document["client"], "192.0.2.0");
        assert_eq!(document["status"], 200);
        assert_eq!(document["duration_seconds"], 0.25);
        assert_eq!(document["referer"], serde_json::Value::Null);
    }

    #[test]
    fn addresses_are_kept_whole_by_network_or_not_at_all() {
        let kept = |text: &str, keep| {
            shown(text.parse().expect("an address"), keep).map(|address| address.to_string())
        };
        let truncated = ClientAddress::Truncated;
        assert_eq!(kept("192.0.2.77", truncated).as_deref(), Some("192.0.2.0"));
        assert_eq!(
            kept("2001:db8:a:b:c::1", truncated).as_deref(),
            Some("2001:db8:a::")
        );
        assert_eq!(
            kept("192.0.2.77", ClientAddress::Full).as_deref(),
            Some("192.0.2.77")
        );
        assert_eq!(kept("192.0.2.77", ClientAddress::None), None);
    }

    #[test]
    fn a_reopened_log_goes_on_under_its_old_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("access.log");
        let config = LogConfig {
            access: AccessFormat::Combined,
            access_file: path.clone(),
            ..LogConfig::default()
        };
        let log = AccessLog::open(&config).expect("the file opens");
        log.send(Message::Line(Box::new(line())));
        wait_for_line(&path);
        let moved = folder.path().join("access.log.1");
        std::fs::rename(&path, &moved).expect("the file moves");
        log.reopen();
        log.send(Message::Line(Box::new(line())));
        wait_for_line(&path);
        let old = std::fs::read_to_string(&moved).expect("the old file");
        assert_eq!(old.lines().count(), 1);
    }

    fn wait_for_line(path: &Path) {
        for _ in 0..500 {
            if std::fs::read_to_string(path).is_ok_and(|text| text.ends_with('\n')) {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("no line in {}", path.display());
    }
}
