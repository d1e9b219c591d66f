//! What hostile clients, damaged files and operators' accidents must not achieve: no panic, no hang, no
//! file from outside the root, no memory for pixels that cannot be.

mod bombs;
mod heif;
mod known;
mod masters;
mod tables;
mod targets;

use std::fs;
use std::path::Path;

use super::support::Server;

/// A server whose log may hold 5xx: damaged masters are 500.
fn server(folder: &Path, settings: &[(&str, &str)]) -> Server {
    let mut server = Server::with(folder, settings);
    server.log_may_be_dirty = true;
    server
}

/// The server still answers, and nothing in it has panicked.
fn assert_alive(server: &Server) {
    assert_eq!(server.get("/health/live").status, 200);
    assert!(!server.log().contains("panicked"), "{}", server.log());
}

/// Most memory that the server has held so far.
fn resident_bytes(server: &Server) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    let kibibytes: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kibibytes << 10
}
