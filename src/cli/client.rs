//! One GET to a listener of a running server, without TLS.

use std::io::{self, Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

/// Most bytes of an answer.
const MOST_BYTES: u64 = 64 << 10;

/// Status and body of one GET of `target` at `address`; each step may take as long as `patience`.
pub(super) fn get(address: &str, target: &str, patience: Duration) -> io::Result<(u16, Vec<u8>)> {
    let unusable = || io::Error::other("no such address");
    let socket = address.to_socket_addrs()?.next().ok_or_else(unusable)?;
    let mut stream = TcpStream::connect_timeout(&socket, patience)?;
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?;
    let request = format!("GET {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.take(MOST_BYTES).read_to_end(&mut answer)?;
    parse(&answer).ok_or_else(|| io::Error::other("the answer is no HTTP"))
}

fn parse(answer: &[u8]) -> Option<(u16, Vec<u8>)> {
    let status = answer.strip_prefix(b"HTTP/1.1 ")?.get(..3)?;
    let status = std::str::from_utf8(status).ok()?.parse().ok()?;
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    Some((status, answer.get(end + 4..)?.to_vec()))
}
