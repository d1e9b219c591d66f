//! One connection, from its first byte to its end.
//!
//! The protocol library speaks HTTP/1.1 or h2, whichever the client begins with; this file gives it
//! its limits, watches the connection's [`Activity`], and ends it when it is due, when the server
//! drains, or when the server stops.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use hyper::body::Incoming;
use hyper::{Request, Response, Version};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::{Builder, Connection};
use tokio::sync::watch;
use tokio::time::Sleep;

use super::activity::{Activity, Exchange, Limits, Verdict};
use super::body::Body;
use super::config::ServerConfig;
use super::transport::{Stream, Transport};

/// What the whole server is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// Everything is served.
    Serving,
    /// What is in flight is finished, nothing new is begun.
    Draining,
    /// Every connection is dropped.
    Stopping,
}

/// Largest head in bytes, target included; twice the longest target that can be set.
const MOST_HEAD_BYTES: usize = 64 * 1024;
/// Streams that one h2 connection may have open: several screens full of tiles.
const MOST_STREAMS: u32 = 128;
/// Streams that a client may open and reset before they are accepted; more is an attack
/// (CVE-2023-44487).
const MOST_RESET_STREAMS: usize = 32;
/// Bytes of answers held per h2 stream.
const SEND_BUFFER_BYTES: usize = 128 * 1024;
/// Bytes of request bodies taken in unasked: none of our requests has a body.
const RECEIVE_WINDOW_BYTES: u32 = 65_535;
/// How often a quiet h2 peer is asked whether it is there, and how long it may take to answer.
const PING: (Duration, Duration) = (Duration::from_secs(20), Duration::from_secs(20));

/// Serves `stream` until its end; `answer` makes one response.
pub(super) async fn serve<A, F>(
    stream: Stream,
    config: &ServerConfig,
    mut phase: watch::Receiver<Phase>,
    answer: A,
) where
    A: Fn(Request<Incoming>, Exchange) -> F + Clone,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let activity = Activity::new(limits(config), Instant::now());
    let transport = TokioIo::new(Transport::new(stream, activity.clone()));
    let exchanges = activity.clone();
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let framed = request.version() == Version::HTTP_2;
        let answer = answer(request, exchanges.begin(framed));
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let builder = builder();
    let mut connection = std::pin::pin!(builder.serve_connection(transport, service));
    let mut sleep = std::pin::pin!(tokio::time::sleep(config.header_timeout()));
    loop {
        let event = tokio::select! {
            event = next(connection.as_mut(), sleep.as_mut(), &activity) => event,
            changed = phase.changed() => if changed.is_ok() { Event::Phase } else { return },
        };
        match event {
            Event::Ended | Event::Due(Verdict::Cut) => return,
            Event::Phase if *phase.borrow_and_update() == Phase::Stopping => return,
            Event::Phase | Event::Due(Verdict::Close) => {
                activity.closing(Instant::now());
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

fn limits(config: &ServerConfig) -> Limits {
    Limits {
        header: config.header_timeout(),
        idle: config.idle_timeout(),
        write: config.write_timeout(),
    }
}

enum Event {
    Ended,
    Due(Verdict),
    Phase,
}

/// Drives the connection until it ends or has to be ended. What is due may change with every byte,
/// so it is asked for after every poll.
async fn next<S, F>(
    mut connection: Pin<&mut Connection<'_, TokioIo<Transport>, S, TokioExecutor>>,
    mut sleep: Pin<&mut Sleep>,
    activity: &Activity,
) -> Event
where
    S: hyper::service::Service<
            Request<Incoming>,
            Response = Response<Body>,
            Error = Infallible,
            Future = F,
        >,
    F: Future<Output = Result<Response<Body>, Infallible>> + Send + 'static,
{
    poll_fn(move |cx| {
        if connection.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Event::Ended);
        }
        loop {
            let now = Instant::now();
            let due = activity.due();
            if let Some((at, verdict)) = due
                && at <= now
            {
                return Poll::Ready(Event::Due(verdict));
            }
            let wake = due.map_or(now + RECHECK, |(at, _)| at).into();
            // A timer that rings too early only looks again: most deadlines move on before they come, and
            // setting a timer for every answer costs more than that.
            if wake < sleep.deadline() || sleep.is_elapsed() {
                sleep.as_mut().reset(wake);
            }
            if sleep.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    })
    .await
}

/// When to look again while an answer is being made: h2 answers end in tasks of their own.
const RECHECK: Duration = Duration::from_secs(5);

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        // `Activity` measures heads, at less than a timer for each.
        .header_read_timeout(None)
        .max_buf_size(MOST_HEAD_BYTES)
        .max_headers(100);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING.0)
        .keep_alive_timeout(PING.1)
        .max_concurrent_streams(MOST_STREAMS)
        .max_pending_accept_reset_streams(MOST_RESET_STREAMS)
        .max_header_list_size(u32::try_from(MOST_HEAD_BYTES).unwrap_or(u32::MAX))
        .initial_stream_window_size(RECEIVE_WINDOW_BYTES)
        .initial_connection_window_size(RECEIVE_WINDOW_BYTES)
        .max_send_buf_size(SEND_BUFFER_BYTES);
    builder
}
