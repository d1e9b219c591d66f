//! A target that was found: its address, its version, its processes.

use std::net::SocketAddr;
use std::time::Duration;

use super::client::Connection;
use super::process::Tree;
use super::target::Target;
use crate::iiif::Version;

/// A server under measurement.
#[derive(Debug, Clone)]
pub(super) struct Server {
    /// What the command line says of it.
    pub(super) target: Target,
    /// Where it listens.
    pub(super) address: SocketAddr,
    /// The Image API that it speaks, once known.
    pub(super) version: Option<Version>,
    /// What it calls itself.
    pub(super) software: Option<String>,
    /// Its processes, where they are of this machine and were named.
    pub(super) processes: Option<Tree>,
    /// How long an answer may take.
    pub(super) timeout: Duration,
}

impl Server {
    /// A connection to it.
    pub(super) fn connection(&self) -> Connection {
        Connection::new(self.address, &self.target.authority, self.timeout)
    }
}
