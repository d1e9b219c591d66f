//! A browser through the W3C WebDriver protocol: what a test says, as requests to Debian's chromedriver.
//!
//! One browser at a time: two would slow each other down and make waiting uncertain. Everything a page
//! writes to the console is kept for the test to look at.

use std::cell::RefCell;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::parse;

/// The Tab key. Source: WebDriver §17.4.2, as the next two.
pub(super) const TAB: &str = "\u{e004}";
/// The Enter key.
pub(super) const ENTER: &str = "\u{e007}";

/// The member that holds an element's reference. Source: WebDriver §12.2.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// How long a page may take to come to what a test waits for.
const PATIENCE: Duration = Duration::from_secs(20);

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A browser with an empty profile of its own.
pub(super) struct Browser {
    driver: Child,
    address: String,
    session: String,
    said: RefCell<Vec<String>>,
    profile: tempfile::TempDir,
    _turn: MutexGuard<'static, ()>,
}

impl Browser {
    /// Opens a window of so many pixels.
    pub(super) fn open(width: u32, height: u32) -> Self {
        let turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let profile = tempfile::tempdir().unwrap();
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver is installed by make test");
        let address = format!("127.0.0.1:{}", port(&mut driver));
        let mut browser = Self {
            driver,
            address,
            session: String::new(),
            said: RefCell::default(),
            _turn: turn,
            profile,
        };
        let wanted = capabilities(browser.profile.path(), width, height);
        let session = browser.ask("POST", "/session", &wanted);
        browser.session = format!("/session/{}", session["sessionId"].as_str().unwrap());
        browser
    }

    /// Opens an address and waits until it is loaded.
    pub(super) fn visit(&self, address: &str) {
        self.post("/url", &json!({"url": address}));
    }

    /// The address of the page that is open.
    pub(super) fn address(&self) -> String {
        let answer = self.ask("GET", &format!("{}/url", self.session), &Value::Null);
        answer.as_str().unwrap().to_owned()
    }

    /// Runs a script that hands its result to `arguments[0]`.
    pub(super) fn run(&self, script: &str) -> Value {
        self.post("/execute/async", &json!({"script": script, "args": []}))
    }

    /// Waits until an expression holds.
    pub(super) fn until(&self, expression: &str) {
        let end = Instant::now() + PATIENCE;
        let script = format!("arguments[0](Boolean({expression}))");
        while self.run(&script) != true {
            if Instant::now() > end {
                let page = self.run("arguments[0](document.body.innerText)");
                panic!(
                    "it never holds that {expression}; {:?}; {page}",
                    self.console()
                );
            }
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    /// The text of the first element that `selector` names.
    pub(super) fn text(&self, selector: &str) -> String {
        let text = self.run(&format!(
            "arguments[0](document.querySelector({}).textContent)",
            json!(selector)
        ));
        text.as_str().unwrap().to_owned()
    }

    /// Clicks with the mouse on the first element that `selector` names.
    pub(super) fn click(&self, selector: &str) {
        let element = self.find(selector);
        self.post(&format!("/element/{element}/click"), &json!({}));
    }

    /// Puts the focus on the first element that `selector` names.
    pub(super) fn focus(&self, selector: &str) {
        self.run(&format!(
            "document.querySelector({}).focus(); arguments[0](0)",
            json!(selector)
        ));
    }

    /// Types on the keyboard, wherever the focus is.
    pub(super) fn keys(&self, text: &str) {
        let strokes: Vec<Value> = text
            .chars()
            .flat_map(|key| {
                ["keyDown", "keyUp"].map(|kind| json!({"type": kind, "value": key.to_string()}))
            })
            .collect();
        let keyboard = json!({"type": "key", "id": "keyboard", "actions": strokes});
        self.post("/actions", &json!({"actions": [keyboard]}));
    }

    /// Errors and warnings that pages have written to the console since the browser was opened.
    pub(super) fn console(&self) -> Vec<String> {
        let lines = self.post("/se/log", &json!({"type": "browser"}));
        let mut said = self.said.borrow_mut();
        for line in lines.as_array().unwrap() {
            if line["level"] == "SEVERE" || line["level"] == "WARNING" {
                said.push(line["message"].to_string());
            }
        }
        said.clone()
    }

    /// Addresses that the open page has loaded.
    pub(super) fn requests(&self) -> Vec<String> {
        let names = self.run(
            "arguments[0](['navigation', 'resource']
                .flatMap((kind) => performance.getEntriesByType(kind)).map((e) => e.name))",
        );
        let names = names.as_array().unwrap();
        let text = |name: &Value| name.as_str().unwrap().to_owned();
        names.iter().map(text).collect()
    }

    /// The window as it looks.
    pub(super) fn screenshot(&self) -> Screenshot {
        let path = format!("{}/screenshot", self.session);
        let picture = self.ask("GET", &path, &Value::Null);
        Screenshot::decode(base64(picture.as_str().unwrap()).as_slice())
    }

    fn find(&self, selector: &str) -> String {
        let how = json!({"using": "css selector", "value": selector});
        let found = self.post("/element", &how);
        found[ELEMENT].as_str().unwrap().to_owned()
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        self.ask("POST", &format!("{}{path}", self.session), body)
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let answer = exchange(&self.address, method, path, body);
        assert!(
            answer["value"]["error"].is_null(),
            "{method} {path}: {answer}"
        );
        answer["value"].clone()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() {
            // Ends the browser; its processes are not ours to find.
            exchange(&self.address, "DELETE", &self.session, &Value::Null);
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

fn capabilities(profile: &Path, width: u32, height: u32) -> Value {
    let arguments = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--force-color-profile=srgb",
        &format!("--window-size={width},{height}"),
        &format!("--user-data-dir={}", profile.display()),
    ]
    .map(str::to_owned);
    json!({"capabilities": {"alwaysMatch": {
        "goog:chromeOptions": {"args": arguments},
        "goog:loggingPrefs": {"browser": "ALL"},
    }}})
}

/// The port that a driver says it listens on.
fn port(driver: &mut Child) -> u16 {
    let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
    let said = lines
        .find_map(|line| {
            let line = line.unwrap();
            let (_, port) = line.split_once("started successfully on port ")?;
            port.trim_end_matches('.').parse().ok()
        })
        .expect("chromedriver says its port");
    std::thread::spawn(move || for _ in lines {});
    said
}

/// One request to the driver, which keeps connections open: the answer ends where its length says.
fn exchange(address: &str, method: &str, path: &str, body: &Value) -> Value {
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_mins(1)))
        .unwrap();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all((head + &body).as_bytes()).unwrap();
    let mut raw = Vec::new();
    let mut piece = vec![0; 1 << 16];
    while !is_whole(&raw) {
        let count = stream.read(&mut piece).unwrap();
        assert!(count > 0, "chromedriver hung up on {path}");
        raw.extend_from_slice(&piece[..count]);
    }
    parse(&raw, false).json()
}

fn is_whole(raw: &[u8]) -> bool {
    let Some(end) = raw.windows(4).position(|four| four == b"\r\n\r\n") else {
        return false;
    };
    let head = String::from_utf8_lossy(&raw[..end]).to_ascii_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"));
    let length: usize = length
        .expect("chromedriver says a length")
        .trim()
        .parse()
        .unwrap();
    raw.len() >= end + 4 + length
}

/// Bytes of base64 text. Source: RFC 4648 §4.
fn base64(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0);
    for letter in text.bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => continue,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).unwrap());
        }
    }
    bytes
}

/// A picture of what is on the screen.
pub(super) struct Screenshot {
    width: usize,
    channels: usize,
    pixels: Vec<u8>,
}

impl Screenshot {
    /// A PNG file.
    pub(super) fn read(path: &Path) -> Self {
        let mut bytes = Vec::new();
        File::open(path).unwrap().read_to_end(&mut bytes).unwrap();
        Self::decode(&bytes)
    }

    fn decode(bytes: &[u8]) -> Self {
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes))
            .read_info()
            .unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!(info.bit_depth, png::BitDepth::Eight);
        Self {
            width: info.width as usize,
            channels: info.color_type.samples(),
            pixels,
        }
    }

    /// RGB of a rectangle, row by row.
    pub(super) fn patch(&self, left: u32, top: u32, width: u32, height: u32) -> Vec<u8> {
        let pixel = |x: u32, y: u32| {
            let start = (y as usize * self.width + x as usize) * self.channels;
            self.pixels[start..start + 3].to_vec()
        };
        (top..top + height)
            .flat_map(|y| (left..left + width).flat_map(move |x| pixel(x, y)))
            .collect()
    }
}
