//! The real binary, its sockets, signals, metrics, logs and commands.

mod caching;
mod commands;
mod explain;
mod levels;
mod lifecycle;
mod observation;
mod same;
mod stored;
mod tiles;

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpStream;
use std::time::Duration;

use super::library::library;
use super::support::{Answer, Server, Shared, parse};

static SERVER: Shared = Shared::new(|| Server::start(library()));

/// The value of a counter with one label.
fn counter(server: &Server, name: &str, label: &str) -> u64 {
    server.metric(&format!("triforium_{name}{{{label}}}")) as u64
}

/// Reads one response with a length off a connection that stays open.
fn next_answer(reader: &mut BufReader<TcpStream>) -> Answer {
    reader
        .get_ref()
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let mut raw = Vec::new();
    while !raw.ends_with(b"\r\n\r\n") {
        assert!(
            reader.read_until(b'\n', &mut raw).unwrap() > 0,
            "closed inside a head"
        );
    }
    let head = parse(&raw, true);
    let length = head.header("content-length").parse().unwrap_or(0);
    let mut body = vec![0; if head.status == 304 { 0 } else { length }];
    reader.read_exact(&mut body).unwrap();
    Answer { body, ..head }
}
