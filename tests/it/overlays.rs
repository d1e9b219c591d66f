//! Redactions and watermarks over HTTP: what is hidden never leaves, what is marked always is, and what
//! cannot be applied closes the image.

mod closed;
mod marks;
mod names;
mod secret;
mod words;

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::support::{Answer, Server, request};

/// A server with a configuration of its own, which can be set anew while it runs.
struct House {
    server: Server,
    /// Configuration, marks and fonts.
    place: TempDir,
}

/// A folder below Cargo's for tests.
fn folder() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

/// The configuration's file.
fn file(place: &TempDir) -> PathBuf {
    place.path().join("config.toml")
}

/// A server of `masters` under `rules`.
fn serve(masters: &Path, rules: &str, settings: &[(&str, &str)], place: TempDir) -> House {
    fs::write(file(&place), rules).unwrap();
    let path = file(&place);
    let arguments = ["--config", path.to_str().unwrap()];
    let server = Server::launch(masters, settings, &arguments);
    // Whoever answers listens to signals too.
    assert_eq!(server.get("/health/live").status, 200);
    House { server, place }
}

impl House {
    /// Puts other rules in force.
    fn reload(&self, rules: &str) {
        fs::write(file(&self.place), rules).unwrap();
        let told = || {
            let log = self.server.log();
            let lines = log.lines().filter(|line| {
                line.contains("configuration is reloaded") || line.contains("configuration stays")
            });
            lines.count()
        };
        let before = told();
        self.server.signal("HUP");
        until(|| told() > before, "the configuration is not read again");
    }

    /// The checks of the admin listener's readiness that do not hold.
    fn faults(&self) -> Vec<String> {
        let ready = request(&self.server.admin, "GET", "/health/ready", &[]);
        let document = ready.json();
        let checks = document["checks"].as_array().unwrap();
        let faults = checks.iter().filter(|check| check["ok"] == false);
        let faults: Vec<_> = faults
            .map(|check| check["name"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(ready.status == 503, !faults.is_empty(), "{document}");
        faults
    }

    fn get(&self, path: &str) -> Answer {
        self.server.get(path)
    }
}

/// Waits until something holds.
fn until(holds: impl Fn() -> bool, otherwise: &str) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(20), "{otherwise}");
        thread::sleep(Duration::from_millis(20));
    }
}
