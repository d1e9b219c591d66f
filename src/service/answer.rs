//! What the use cases give to `http`.

use std::fmt;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use tokio::sync::mpsc;

use crate::error::{Error, Result};
use crate::iiif::{Format, Identifier, ImageInfo};
use crate::metrics::stage;

/// What a caller wants to know of an image request.
#[derive(Clone, Copy)]
pub struct Ask<'a> {
    /// Whether the client holds what these validators name; asked before any pixel is touched.
    pub unchanged: &'a (dyn Fn(&Validators) -> bool + Sync),
    /// Whether headers alone are wanted.
    pub head: bool,
    /// What the client accepts.
    pub accept: Option<&'a str>,
}

impl fmt::Debug for Ask<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ask {{ head: {} }}", self.head)
    }
}

/// What names one version of an answer.
#[derive(Debug, Clone)]
pub struct Validators {
    /// A strong entity tag, quotes included.
    pub etag: String,
    /// The newest of master, settings and program.
    pub last_modified: SystemTime,
}

/// The answer to an image request.
#[derive(Debug)]
pub enum Answer {
    /// The client holds it already.
    Unchanged(Head),
    /// Headers alone were asked for.
    Head(Head),
    /// The derivative.
    Whole(Head, Bytes),
    /// The derivative, leaving while it is made.
    Stream(Head, Pieces),
}

/// A derivative that leaves while it is made. An error ends it: what was sent before is not good.
#[derive(Debug)]
pub struct Pieces {
    first: Option<Bytes>,
    rest: mpsc::Receiver<Result<Bytes>>,
    ended: bool,
}

impl Pieces {
    /// Waits for the first piece, so that a failure before it has a status of its own. The maker ends
    /// well with an empty piece; a maker that just goes away has failed.
    ///
    /// # Errors
    ///
    /// What ended the making before its first piece.
    pub async fn begin(mut rest: mpsc::Receiver<Result<Bytes>>) -> Result<Self> {
        let first = rest.recv().await.unwrap_or_else(|| Err(broken()))?;
        Ok(Self {
            ended: first.is_empty(),
            first: Some(first),
            rest,
        })
    }

    /// The next piece, or `None` after the last.
    ///
    /// # Errors
    ///
    /// What ended the making early.
    pub async fn next(&mut self) -> Option<Result<Bytes>> {
        if let Some(first) = self.first.take()
            && !first.is_empty()
        {
            return Some(Ok(first));
        }
        if self.ended {
            return None;
        }
        let piece = self.rest.recv().await.unwrap_or_else(|| Err(broken()));
        self.ended = !matches!(&piece, Ok(bytes) if !bytes.is_empty());
        match piece {
            Ok(bytes) if bytes.is_empty() => None,
            piece => Some(piece),
        }
    }
}

fn broken() -> Error {
    Error::internal("streaming an answer whose maker went away")
}

/// What is known of a derivative besides its bytes.
#[derive(Debug, Clone)]
pub struct Head {
    /// Names its version.
    pub validators: Validators,
    /// Its canonical request: region, size, rotation, quality, format.
    pub canonical: String,
    /// The image's identifier.
    pub identifier: Identifier,
    /// Its format.
    pub format: Format,
    /// Whether another `Accept` may have another answer, because the settings say so.
    pub varies: bool,
    /// Its length in bytes, where that is known without making it.
    pub length: Option<u64>,
    /// The rung of the ladder that answered.
    pub rung: Rung,
    /// The engine that ran the passes.
    pub engine: &'static str,
    /// Where the time went.
    pub timing: Timing,
}

/// The rungs of the hot path's ladder, cheapest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rung {
    /// Validators alone.
    NotModified,
    /// Finished bytes were at hand.
    Derivative,
    /// Bytes of the master were the answer.
    PassThrough,
    /// Stored tiles were put together without being decoded.
    Compressed,
    /// All decoded tiles were in memory.
    Resident,
    /// Tiles came from remembered levels, none from a decoder.
    Levels,
    /// Only what the window needs was decoded.
    Partial,
    /// The whole master was decoded.
    Full,
}

impl Rung {
    /// The rung's name in metrics, `Server-Timing` and `explain`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotModified => "not_modified",
            Self::Derivative => "derivative",
            Self::PassThrough => "pass_through",
            Self::Compressed => "compressed",
            Self::Resident => "resident",
            Self::Levels => "levels",
            Self::Partial => "partial",
            Self::Full => "full",
        }
    }
}

/// Where an answer's time went.
#[derive(Debug, Clone, Copy, Default)]
pub struct Timing {
    /// Looking for finished bytes.
    pub cache: Duration,
    /// Finding and opening the master.
    pub source: Duration,
    /// Waiting for admission.
    pub queue: Duration,
    /// Decoding.
    pub decode: Duration,
    /// Passes.
    pub process: Duration,
    /// Encoding.
    pub encode: Duration,
}

impl Timing {
    /// Records the CPU's stages; what the device did is counted where it was done.
    pub(super) fn count(&self, on_device: bool) {
        stage("queue", self.queue);
        stage("decode", self.decode);
        if !on_device {
            stage("process", self.process);
        }
        if !self.encode.is_zero() {
            stage("encode", self.encode);
        }
    }
}

/// The answer to an info request.
#[derive(Debug, Clone)]
pub struct InfoAnswer {
    /// The document's model; its `id` is empty until `http` sets the base URI.
    pub info: ImageInfo,
    /// The newest of master, settings and program.
    pub last_modified: SystemTime,
}

/// One page of the collection.
#[derive(Debug, Clone, Default)]
pub struct ListingPage {
    /// Identifiers, in natural order.
    pub identifiers: Vec<String>,
    /// How many match in all.
    pub total: usize,
    /// Whether the list is still growing.
    pub building: bool,
}

/// Whether requests can be answered now, and what says so.
#[derive(Debug, Clone)]
pub struct Readiness {
    /// All checks hold.
    pub ready: bool,
    /// Name, whether it holds, and words for people.
    pub checks: Vec<(String, bool, String)>,
}
