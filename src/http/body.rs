//! The body of an answer: bytes at hand, a stream of strips, or the nothing of a HEAD.
//!
//! Knows its length where that is known, reports its exchange's phase to the connection, and hands
//! its account to the access log when it is dropped. A stream that fails after its first byte ends
//! as an error, which aborts the connection (HTTP/1.1) or the stream (h2).

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};

use super::access::Entry;
use super::activity::Exchange;
use crate::error::{Error, Result};
use crate::metrics;
use crate::service::Pieces;

/// Most bytes handed to the protocol library at once, so that the account follows the reader.
const PIECE_BYTES: usize = 128 * 1024;

/// The body of an answer.
pub(super) struct Body {
    content: Content,
    tail: Option<Tail>,
}

enum Content {
    Whole(Bytes),
    /// The length of what is not sent, where it is known.
    Head(Option<u64>),
    /// With the length of what is left, where it is known.
    Stream(Next, Option<u64>),
    Ended,
}

/// The wait for a stream's next piece, and the stream again.
type Next = Pin<Box<dyn Future<Output = (Pieces, Option<Result<Bytes>>)> + Send>>;

fn next_of(mut pieces: Pieces) -> Next {
    Box::pin(async move {
        let piece = pieces.next().await;
        (pieces, piece)
    })
}

/// What is told when the last byte has been handed over, or nobody takes it any more.
#[derive(Debug)]
struct Tail {
    exchange: Exchange,
    entry: Option<Entry>,
    id: String,
}

impl Body {
    /// No bytes.
    pub(super) fn empty() -> Self {
        Self::whole(Bytes::new())
    }

    /// These bytes.
    pub(super) fn whole(bytes: impl Into<Bytes>) -> Self {
        Self::of(Content::Whole(bytes.into()))
    }

    /// The body that an answer to HEAD lacks, with the length it would have.
    pub(super) fn head(length: Option<u64>) -> Self {
        Self::of(Content::Head(length))
    }

    /// What comes, as it comes; `length` bytes of it, where that is known.
    pub(super) fn stream(pieces: Pieces, length: Option<u64>) -> Self {
        Self::of(Content::Stream(next_of(pieces), length))
    }

    /// This body for an answer to HEAD.
    pub(super) fn headers_only(self) -> Self {
        match self.content {
            Content::Whole(ref bytes) if !bytes.is_empty() => Self::head(Some(bytes.len() as u64)),
            Content::Whole(_) | Content::Head(_) => self,
            Content::Stream(_, length) => Self::head(length),
            Content::Ended => Self::head(None),
        }
    }

    const fn of(content: Content) -> Self {
        Self {
            content,
            tail: None,
        }
    }

    /// The bytes, if all are at hand.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> &[u8] {
        match &self.content {
            Content::Whole(bytes) => bytes,
            Content::Head(_) | Content::Stream(..) | Content::Ended => &[],
        }
    }

    /// Ends `exchange`, and completes the access log's `entry`, with this body.
    pub(super) fn closing(
        mut self,
        mut exchange: Exchange,
        entry: Option<Entry>,
        id: String,
    ) -> Self {
        exchange.sending();
        self.tail = Some(Tail {
            exchange,
            entry,
            id,
        });
        self
    }

    fn next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        match &mut self.content {
            Content::Whole(bytes) if !bytes.is_empty() => {
                let piece = bytes.split_to(bytes.len().min(PIECE_BYTES));
                Poll::Ready(Some(Ok(piece)))
            }
            Content::Stream(next, left) => next.as_mut().poll(cx).map(|(pieces, piece)| {
                *next = next_of(pieces);
                if let (Some(left), Some(Ok(piece))) = (left, &piece) {
                    *left = left.saturating_sub(piece.len() as u64);
                }
                piece
            }),
            Content::Whole(_) | Content::Head(_) | Content::Ended => Poll::Ready(None),
        }
    }

    fn account(&mut self, next: &Poll<Option<Result<Bytes>>>) {
        if let Poll::Ready(Some(Err(error))) = next {
            self.content = Content::Ended;
            self.abort(error);
        }
        let Some(tail) = &mut self.tail else { return };
        match next {
            Poll::Pending => tail.exchange.making(),
            Poll::Ready(Some(Ok(bytes))) => {
                tail.exchange.sending();
                if let Some(entry) = &mut tail.entry {
                    entry.bytes += bytes.len() as u64;
                }
            }
            Poll::Ready(_) => {}
        }
    }

    fn abort(&self, error: &Error) {
        metrics::ABORTED.get().increment(1);
        let request_id = self.tail.as_ref().map_or("", |tail| tail.id.as_str());
        tracing::error!(request_id, "answer aborted: {}", error.chain());
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body {{ {:?} }}", self.size_hint())
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>>>> {
        let this = self.get_mut();
        let next = this.next(cx);
        this.account(&next);
        next.map(|item| item.map(|bytes| bytes.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Whole(bytes) => bytes.is_empty(),
            // Not at its end, so that the library takes the length for the header.
            Content::Head(Some(_)) | Content::Stream(..) => false,
            Content::Head(None) | Content::Ended => true,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Content::Head(Some(length)) | Content::Stream(_, Some(length)) => {
                SizeHint::with_exact(*length)
            }
            Content::Ended => SizeHint::with_exact(0),
            Content::Head(None) | Content::Stream(_, None) => SizeHint::default(),
        }
    }
}
