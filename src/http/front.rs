//! Every request's way in and every answer's way out.
//!
//! What holds for all of them is here: the checks of the protocol, the request id, the public
//! address, the headers of every answer, problems in the shape that the client reads, metrics, the
//! access log, and the wall that keeps a panic to one request. What is asked for is left to
//! [`Answers`].

use std::borrow::Cow;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use hyper::body::Incoming;
use hyper::header::{
    CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, HeaderName, HeaderValue, TRANSFER_ENCODING,
    X_CONTENT_TYPE_OPTIONS,
};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode, Version};
use tokio::sync::watch;

use super::accept::prefers_html;
use super::access::{AccessLog, Entry};
use super::activity::Exchange;
use super::base::{self, Base};
use super::body::Body;
use super::config::Settings;
use super::cors;
use super::problem::{Problem, Shape};
use super::proxies::Forwarded;
use super::router::Route;
use super::status;
use crate::error::Error;
use crate::iiif;
use crate::metrics;

/// What is behind the routes.
pub(super) trait Answers: Clone + Send + Sync + 'static {
    /// Answers a GET or HEAD of `route`.
    fn answer(
        &self,
        inquiry: &Inquiry,
        route: Route<'_>,
    ) -> impl Future<Output = Result<Response<Body>, Problem>> + Send;
}

/// Which listener a connection came in through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    /// For everybody.
    Public,
    /// For the operator.
    Admin,
}

/// The two ends of a connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer {
    /// The client's, or its proxy's.
    pub(super) remote: SocketAddr,
    /// Ours.
    pub(super) local: SocketAddr,
    /// Whether TLS ends here.
    pub(super) secure: bool,
    /// The listener.
    pub(super) door: Door,
}

/// One request, with all that is known of it.
#[derive(Debug)]
pub(super) struct Inquiry {
    /// The request's head.
    pub(super) head: Parts,
    /// Where it came in.
    pub(super) peer: Peer,
    /// The settings under which it is answered, to its end.
    pub(super) settings: Arc<Settings>,
    /// Names it in logs and errors.
    pub(super) id: String,
    /// The public address; the listener's own until the request's host has been checked.
    pub(super) base: Base,
    /// What is wrong with the host that it names.
    host: Option<Problem>,
    forwarded: Forwarded,
}

impl Inquiry {
    fn new(head: Parts, peer: Peer, settings: Arc<Settings>) -> Self {
        let forwarded = Forwarded::read(&head.headers, peer.remote.ip(), &settings);
        let id = request_id(&head, settings.trusts(peer.remote.ip()));
        let (host, problem) = match base::host(&head, peer.local) {
            Ok(host) => (host, None),
            Err(problem) => (peer.local.to_string(), Some(problem)),
        };
        let base = Base::new(&settings, &forwarded, &host, peer.secure);
        Self {
            head,
            peer,
            settings,
            id,
            base,
            host: problem,
            forwarded,
        }
    }

    /// Whether headers alone are wanted.
    pub(super) fn is_head(&self) -> bool {
        self.head.method == Method::HEAD
    }

    /// The checks that come before any route's.
    fn check(&mut self, route: Route<'_>) -> Result<(), Problem> {
        let longest = self.settings.config.server.max_target_bytes;
        // I11-URI-04, I10-ERR-03.
        let longest = match route.version() {
            Some(version) if version.is_1x() => longest.min(1024),
            Some(_) | None => longest,
        };
        let target = self.head.uri.path_and_query();
        if target.is_some_and(|target| target.as_str().len() > longest) {
            return Err(Problem::new(
                StatusCode::URI_TOO_LONG,
                "the request's target is longer than this server reads",
            ));
        }
        if self.head.headers.contains_key(TRANSFER_ENCODING) {
            return Err(Problem::new(
                StatusCode::BAD_REQUEST,
                "requests to this server have no body",
            ));
        }
        self.host.take().map_or(Ok(()), Err)
    }

    fn shape(&self, route: Route<'_>) -> Shape {
        if route.version() == Some(iiif::Version::V1_0) {
            return Shape::Xml;
        }
        if prefers_html(&self.head.headers) {
            return Shape::Html;
        }
        Shape::Json
    }

    /// Whether the request announced a body; nothing reads it, so the connection cannot go on.
    fn has_body(&self) -> bool {
        let headers = &self.head.headers;
        headers.contains_key(TRANSFER_ENCODING)
            || headers
                .get(CONTENT_LENGTH)
                .is_some_and(|length| length != "0")
    }
}

/// The id that a trusted proxy gave, or a new one.
fn request_id(head: &Parts, trusted: bool) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    head.headers
        .get(&REQUEST_ID)
        .filter(|_| trusted)
        .and_then(|value| value.to_str().ok())
        .filter(|id| (1..=64).contains(&id.len()) && id.bytes().all(plain))
        .map_or_else(|| format!("{:016x}", fastrand::u64(..)), str::to_owned)
}

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Everything that requests share.
#[derive(Debug, Clone)]
pub(super) struct Front<A> {
    pub(super) answers: A,
    pub(super) settings: watch::Receiver<Arc<Settings>>,
    pub(super) access: AccessLog,
}

impl<A: Answers> Front<A> {
    /// Answers one request; never fails, and a panic below costs this request alone.
    pub(super) async fn answer(
        self: Arc<Self>,
        peer: Peer,
        request: Request<Incoming>,
        exchange: Exchange,
    ) -> Response<Body> {
        let started = Instant::now();
        let settings = Arc::clone(&self.settings.borrow());
        let (head, _body) = request.into_parts();
        let mut inquiry = Inquiry::new(head, peer, settings);
        let target = inquiry.head.uri.clone();
        let public = &inquiry.settings.config.public;
        let route = Route::parse(target.path(), &inquiry.settings.prefix, public.versionless);
        let entry = self.entry(&inquiry);
        let result = self.checked(&mut inquiry, route).await;
        let mut response = result.unwrap_or_else(|problem| refuse(&inquiry, route, &problem));
        complete(&mut response, &inquiry);
        let [api, kind] = route.labels();
        let code = status::label(response.status());
        metrics::REQUESTS.with([api, kind, code]).increment(1);
        metrics::REQUEST_DURATION
            .with([api, kind])
            .record(started.elapsed().as_secs_f64());
        close(response, exchange, entry, inquiry)
    }

    fn entry(&self, inquiry: &Inquiry) -> Option<Entry> {
        let log = &inquiry.settings.config.log;
        match inquiry.peer.door {
            Door::Public => Entry::new(
                &self.access,
                log,
                &inquiry.head,
                inquiry.forwarded.client,
                &inquiry.id,
            ),
            Door::Admin => None,
        }
    }

    async fn checked(
        &self,
        inquiry: &mut Inquiry,
        route: Route<'_>,
    ) -> Result<Response<Body>, Problem> {
        inquiry.check(route)?;
        match inquiry.head.method {
            Method::GET | Method::HEAD => self.fenced(inquiry, route).await,
            Method::OPTIONS => Ok(cors::preflight()),
            _ => Err(Problem::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "this server answers GET, HEAD and OPTIONS",
            )),
        }
    }

    /// Runs the answer behind a wall that panics do not pass.
    async fn fenced(&self, inquiry: &Inquiry, route: Route<'_>) -> Result<Response<Body>, Problem> {
        let mut answer = pin!(self.answers.answer(inquiry, route));
        poll_fn(|cx| {
            let polled = catch_unwind(AssertUnwindSafe(|| answer.as_mut().poll(cx)));
            polled.unwrap_or_else(|_| {
                metrics::PANICS.with(["http"]).increment(1);
                Poll::Ready(Err(Error::internal("answering panicked").into()))
            })
        })
        .await
    }
}

/// Writes a problem down for the client and, once, for the log.
fn refuse(inquiry: &Inquiry, route: Route<'_>, problem: &Problem) -> Response<Body> {
    let (id, path) = (&inquiry.id, inquiry.head.uri.path());
    let words = problem
        .error
        .as_ref()
        .map_or(Cow::Borrowed(&*problem.detail), |error| {
            error.chain().into()
        });
    let status = problem.status.as_u16();
    if problem.status.is_server_error() {
        tracing::error!(request_id = id, status, path, "{words}");
    } else {
        tracing::debug!(request_id = id, status, path, "{words}");
    }
    let mut response = problem.response(inquiry.shape(route), id);
    if problem.status == StatusCode::NOT_FOUND {
        set(
            &mut response,
            CACHE_CONTROL,
            inquiry.settings.cache_not_found.as_ref(),
        );
    }
    response
}

/// Puts `value` in place of what `name` says, if there is one.
pub(super) fn set(response: &mut Response<Body>, name: HeaderName, value: Option<&HeaderValue>) {
    match value {
        Some(value) => response.headers_mut().insert(name, value.clone()),
        None => response.headers_mut().remove(name),
    };
}

/// The headers that every answer carries.
fn complete(response: &mut Response<Body>, inquiry: &Inquiry) {
    let headers = response.headers_mut();
    if inquiry.peer.door == Door::Public {
        cors::open(headers);
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(id) = HeaderValue::from_str(&inquiry.id) {
        headers.insert(REQUEST_ID, id);
    }
    if inquiry.has_body() && inquiry.head.version != Version::HTTP_2 {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
}

/// Ties the end of the exchange to the end of the body.
fn close(
    response: Response<Body>,
    exchange: Exchange,
    mut entry: Option<Entry>,
    inquiry: Inquiry,
) -> Response<Body> {
    if let Some(entry) = &mut entry {
        entry.status = response.status().as_u16();
    }
    let is_head = inquiry.is_head();
    response.map(|body| {
        let body = if is_head { body.headers_only() } else { body };
        body.closing(exchange, entry, inquiry.id)
    })
}
