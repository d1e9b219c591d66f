//! One connection to a server: a request after the other, every answer read to its end.
//!
//! Nothing is followed: a redirect is an answer. Only the beginning of a body is kept, enough to read a
//! picture's dimensions from; the rest is counted.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// An answer that came whole.
#[derive(Debug)]
pub(super) struct Reply {
    /// The status code.
    pub(super) status: u16,
    /// What the server calls itself.
    pub(super) server: Option<String>,
    /// The body's length.
    pub(super) bytes: u64,
    /// The body's beginning.
    pub(super) head: Vec<u8>,
}

/// Why no answer came whole, in words of a closed set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    /// No connection.
    Connect,
    /// The connection broke before the answer's end.
    Broken,
    /// It took too long.
    Timeout,
    /// The request cannot be written.
    Unwritable,
}

impl Trouble {
    /// What reports call it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Connect => "no connection",
            Self::Broken => "connection broken",
            Self::Timeout => "timeout",
            Self::Unwritable => "unwritable request",
        }
    }
}

/// A connection that is opened when it is first needed, and again after it broke.
#[derive(Debug)]
pub(super) struct Connection {
    address: SocketAddr,
    authority: String,
    timeout: Duration,
    sender: Option<SendRequest<Empty<Bytes>>>,
}

impl Connection {
    /// A connection to `address`, whose `Host` is `authority`.
    pub(super) fn new(address: SocketAddr, authority: &str, timeout: Duration) -> Self {
        Self {
            address,
            authority: authority.to_owned(),
            timeout,
            sender: None,
        }
    }

    /// GET of `path`; of the body at most `keep` bytes are kept.
    pub(super) async fn get(
        &mut self,
        path: &str,
        accept: &str,
        keep: usize,
    ) -> Result<Reply, Trouble> {
        let asked = tokio::time::timeout(self.timeout, self.ask(path, accept, keep)).await;
        let reply = asked.unwrap_or(Err(Trouble::Timeout));
        if reply.is_err() {
            self.sender = None;
        }
        reply
    }

    async fn ask(&mut self, path: &str, accept: &str, keep: usize) -> Result<Reply, Trouble> {
        let reused = self.sender.is_some();
        let response = match self.send(path, accept).await {
            // The server may close an idle connection at any time: that is no failure of its.
            Err(Trouble::Broken) if reused => {
                self.sender = None;
                self.send(path, accept).await?
            }
            sent => sent?,
        };
        read(response, keep).await
    }

    async fn send(&mut self, path: &str, accept: &str) -> Result<Response<Incoming>, Trouble> {
        let request = Request::get(path)
            .header("host", &self.authority)
            .header("accept", accept)
            .header(
                "user-agent",
                concat!("triforium-bench/", env!("CARGO_PKG_VERSION")),
            )
            .body(Empty::new())
            .ok()
            .ok_or(Trouble::Unwritable)?;
        let sender = self.sender().await?;
        if sender.ready().await.is_err() {
            return Err(Trouble::Broken);
        }
        sender
            .send_request(request)
            .await
            .ok()
            .ok_or(Trouble::Broken)
    }

    async fn sender(&mut self) -> Result<&mut SendRequest<Empty<Bytes>>, Trouble> {
        let sender = match self.sender.take() {
            Some(sender) => sender,
            None => connect(self.address).await.ok_or(Trouble::Connect)?,
        };
        Ok(self.sender.insert(sender))
    }
}

async fn connect(address: SocketAddr) -> Option<SendRequest<Empty<Bytes>>> {
    let stream = TcpStream::connect(address).await.ok()?;
    stream.set_nodelay(true).ok()?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await.ok()?;
    // It ends with its sender; what breaks it shows in the answer.
    tokio::spawn(connection);
    Some(sender)
}

async fn read(response: Response<Incoming>, keep: usize) -> Result<Reply, Trouble> {
    let server = response.headers().get("server");
    let mut reply = Reply {
        status: response.status().as_u16(),
        server: server
            .and_then(|server| server.to_str().ok())
            .map(str::to_owned),
        bytes: 0,
        head: Vec::new(),
    };
    let mut body = response.into_body();
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            return Err(Trouble::Broken);
        };
        let Some(data) = frame.data_ref() else {
            continue;
        };
        reply.bytes += data.len() as u64;
        let wanted = keep.saturating_sub(reply.head.len()).min(data.len());
        reply.head.extend(data.get(..wanted).unwrap_or_default());
    }
    Ok(reply)
}
