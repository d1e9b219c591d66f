//! From the start line to the last request: connections, HTTP/2, reload, the graceful end.

use std::fs;
use std::io::{BufReader, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::{SERVER, next_answer};
use crate::library::{library, scratch};
use crate::support::{Server, request};

const IMAGE: &str = "/iiif/3/plain.png/full/70,/0/default.jpg";

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")
}

#[test]
fn the_start_line_says_where_the_server_is() {
    let server = Server::start(library());
    for address in [&server.public, &server.admin] {
        assert!(address.starts_with("127.0.0.1:"), "{address}");
        assert_eq!(request(address, "GET", "/health/live", &[]).status, 200);
    }
    assert_ne!(server.public, server.admin);
}

#[test]
fn a_connection_serves_many_requests_one_after_the_other() {
    let server = SERVER.get();
    let mut stream = TcpStream::connect(&server.public).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    for width in 40..50 {
        let path = format!("/iiif/3/plain.png/full/{width},/0/default.png");
        stream.write_all(get(&path).as_bytes()).unwrap();
        let answer = next_answer(&mut reader);
        assert_eq!(crate::pixels::decode(&answer).width, width);
        // An error does not end the connection.
        stream
            .write_all(get("/iiif/3/plain.png/full/0,/0/default.png").as_bytes())
            .unwrap();
        assert_eq!(next_answer(&mut reader).status, 400);
    }
}

#[test]
fn pipelined_requests_are_answered_in_their_order() {
    let server = SERVER.get();
    let mut stream = TcpStream::connect(&server.public).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let widths = [90, 30, 60, 31, 61, 91];
    let all: String = widths
        .iter()
        .map(|width| get(&format!("/iiif/3/plain.png/full/{width},/0/default.png")))
        .collect();
    stream.write_all(all.as_bytes()).unwrap();
    for width in widths {
        assert_eq!(
            crate::pixels::decode(&next_answer(&mut reader)).width,
            width
        );
    }
}

#[test]
fn http_1_0_is_answered_and_closed() {
    let server = SERVER.get();
    let raw = crate::support::exchange(
        &server.public,
        b"GET /iiif/3/plain.png/info.json HTTP/1.0\r\nHost: old.example.org\r\n\r\n",
    );
    let answer = crate::support::parse(&raw, false);
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.json()["id"],
        "http://old.example.org/iiif/3/plain.png"
    );
}

#[test]
fn http_2_with_prior_knowledge_gives_the_same_answer() {
    let server = SERVER.get();
    let output = Command::new("curl")
        .args([
            "--silent",
            "--show-error",
            "--http2-prior-knowledge",
            "--write-out",
            "%{http_version}",
        ])
        .args(["--output", "-", &format!("http://{}{IMAGE}", server.public)])
        .output()
        .expect("curl is installed");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let body = output.stdout.strip_suffix(b"2").expect("HTTP version 2");
    assert_eq!(body, server.get(IMAGE).body);
}

#[test]
fn terminating_ends_well_and_lets_a_request_in_flight_finish() {
    let mut server = Server::with(library(), &[("CACHE__DERIVATIVE__MEMORY_BYTES", "0")]);
    let address = server.public.clone();
    // A render of more than an instant: the whole master is decoded, and every pixel turned.
    let path = "/iiif/3/odd.png/full/900,/33/default.jpg";
    let in_flight = thread::spawn(move || request(&address, "GET", path, &[]));
    let start = Instant::now();
    while server.metric("triforium_http_connections") < 0.5
        && start.elapsed() < Duration::from_secs(5)
    {
        thread::sleep(Duration::from_millis(5));
    }
    thread::sleep(Duration::from_millis(100));
    server.signal("TERM");
    let answer = in_flight.join().unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(crate::pixels::decode(&answer).size(), (1082, 994));
    assert_eq!(server.wait(), Some(0));
    assert!(
        TcpStream::connect(&server.public).is_err(),
        "the listener is closed"
    );
}

#[test]
fn an_idle_connection_does_not_hold_the_end_up() {
    let mut server = Server::start(library());
    let mut stream = TcpStream::connect(&server.public).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    stream.write_all(get("/health/live").as_bytes()).unwrap();
    assert_eq!(next_answer(&mut reader).status, 200);
    let start = Instant::now();
    server.signal("TERM");
    assert_eq!(server.wait(), Some(0));
    assert!(
        start.elapsed() < Duration::from_secs(5),
        "{:?}",
        start.elapsed()
    );
}

/// The server's answer to a condition, waited for.
fn until(holds: impl Fn() -> bool) -> bool {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(5) {
        if holds() {
            return true;
        }
        thread::sleep(Duration::from_millis(20));
    }
    false
}

#[test]
fn a_reload_takes_the_new_file_whole_or_not_at_all() {
    let folder = scratch("reload");
    let file = folder.join("config.toml");
    fs::write(&file, "[limits]\nmax_width_px = 100\n").unwrap();
    let server = Server::launch(library(), &[], &["--config", file.to_str().unwrap()]);
    let widest = || server.get("/iiif/3/plain.png/info.json").json()["maxWidth"].clone();
    assert_eq!(widest(), 100);
    let before = server.get(IMAGE).header("etag").to_owned();
    fs::write(
        &file,
        "[limits]\nmax_width_px = 120\n[encode.jpeg]\nquality = 30\n",
    )
    .unwrap();
    server.signal("HUP");
    assert!(until(|| widest() == 120), "{}", server.log());
    assert_ne!(
        server.get(IMAGE).header("etag"),
        before,
        "the quality is part of the tag"
    );
    for wrong in [
        "[limits]\nmax_width_px = \"wide\"\n",
        "[limits]\nmax_width_px = 140\nmax_widht_px = 1\n",
        "[limits\n",
    ] {
        fs::write(&file, wrong).unwrap();
        let lines = server.log().lines().count();
        server.signal("HUP");
        assert!(
            until(|| server.log().lines().count() > lines),
            "the log says so"
        );
        assert_eq!(widest(), 120, "{wrong}");
    }
}

#[test]
fn settings_that_are_wrong_stop_the_start() {
    for (key, value, words) in [
        ("LIMITS__MAX_AERA_PX", "5", "limits.max_area_px"),
        ("ENCODE__JPEG__QUALITY", "101", "encode.jpeg.quality"),
        ("SERVER__LISTEN", "nonsense", "server.listen"),
        ("PUBLIC__BASE_URI", "ftp://x", "public.base_uri"),
        ("GPU__MODE", "sometimes", "gpu.mode"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_triforium"))
            .arg("serve")
            .arg(library())
            .env(format!("TRIFORIUM_{key}"), value)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{key}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains(words), "{key}: {said}");
    }
}

/// glibc's heaps of threads: 64 MiB of addresses each, from a multiple of that.
#[cfg(all(target_os = "linux", target_env = "gnu", target_pointer_width = "64"))]
#[test]
fn threads_share_a_few_heaps() {
    const HEAP_BYTES: u64 = 64 << 20;
    let heaps = |server: &Server| {
        let maps = fs::read_to_string(format!("/proc/{}/maps", server.pid())).unwrap();
        let mut ranges: Vec<(u64, u64)> = Vec::new();
        for line in maps
            .lines()
            .filter(|line| line.split(' ').nth(4) == Some("0"))
        {
            let (start, rest) = line.split_once('-').unwrap();
            let end = rest.split(' ').next().unwrap();
            let [start, end] = [start, end].map(|text| u64::from_str_radix(text, 16).unwrap());
            match ranges.last_mut() {
                Some(last) if last.1 == start && start % HEAP_BYTES != 0 => last.1 = end,
                _ => ranges.push((start, end)),
            }
        }
        let is_heap =
            |(start, end): &&(u64, u64)| start % HEAP_BYTES == 0 && end - start == HEAP_BYTES;
        ranges.iter().filter(is_heap).count()
    };
    let work = |server: &Server| {
        thread::scope(|scope| {
            for width in 100..116 {
                let path = format!("/iiif/3/plain.png/full/{width},/0/default.png");
                scope.spawn(move || assert_eq!(server.get(&path).status, 200));
            }
        });
        heaps(server)
    };
    let processors = thread::available_parallelism().unwrap().get();
    let few = work(&Server::start(library()));
    assert!(few < (processors / 4).max(2), "{few} beside the first");
}
