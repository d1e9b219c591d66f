//! The server over real sockets, with answers of its own in place of the use cases.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use hyper::{Request, Response};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::body::Body;
use super::config::{AccessFormat, Config, Settings};
use super::connection::Phase;
use super::front::{Answers, Inquiry};
use super::problem::Problem;
use super::router::Route;
use super::server::{Sockets, run};
use crate::error::{Error, ErrorKind, Parameter};
use crate::service::Pieces;

const SECOND: Duration = Duration::from_secs(1);

/// Answers that show one manner of the server each.
#[derive(Debug, Clone)]
struct Manners;

impl Answers for Manners {
    async fn answer(&self, inquiry: &Inquiry, route: Route<'_>) -> Result<Response<Body>, Problem> {
        match route {
            Route::Live => Ok(Response::new(Body::whole("live\n"))),
            Route::Asset("slow") => {
                tokio::time::sleep(SECOND / 4).await;
                Ok(Response::new(Body::whole("slow\n")))
            }
            Route::Asset("hang") => std::future::pending().await,
            Route::Asset("big") => Ok(Response::new(Body::whole(vec![7; 64 << 20]))),
            Route::Asset("panic") => panic!("on purpose"),
            Route::Asset("busy") => Err(Error::new(ErrorKind::Busy, "later").into()),
            Route::Asset("base") => Ok(Response::new(Body::whole(inquiry.base.at("/x")))),
            Route::Asset("stream") => stream(&[Ok("ab"), Ok("cd"), Ok("")]).await,
            Route::Asset("broken") => stream(&[Ok("ab"), Err(())]).await,
            Route::Image(..) => Err(Error::bad_request(Parameter::Size, "too wide").into()),
            Route::Start
            | Route::View
            | Route::Asset(_)
            | Route::Ready
            | Route::Robots
            | Route::Metrics
            | Route::Explain
            | Route::Gpu
            | Route::Base(_)
            | Route::Info(_)
            | Route::InfoXml(_)
            | Route::Unknown => Err(Problem::no_route()),
        }
    }
}

async fn stream(pieces: &[Result<&'static str, ()>]) -> Result<Response<Body>, Problem> {
    let (sender, receiver) = mpsc::channel(8);
    let pieces = pieces.to_vec();
    tokio::spawn(async move {
        for piece in pieces {
            let piece = piece.map(Bytes::from).map_err(|()| Error::corrupt("x"));
            sender.send(piece).await.expect("it is read");
            tokio::time::sleep(SECOND / 50).await;
        }
    });
    let pieces = Pieces::begin(receiver).await?;
    Ok(Response::new(Body::stream(pieces, None)))
}

/// A running server.
struct Site {
    address: SocketAddr,
    settings: watch::Sender<Arc<Settings>>,
    config: Config,
    drain: Option<oneshot::Sender<()>>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

async fn site(change: impl FnOnce(&mut Config)) -> Site {
    let mut config = Config::default();
    config.server.listen = "127.0.0.1:0".into();
    config.admin.listen = "127.0.0.1:0".into();
    change(&mut config);
    let settings = Arc::new(Settings::new(config.clone()).expect("valid"));
    let sockets = Sockets::bind(&settings).await.expect("free ports");
    let address = sockets.public.1;
    let (settings, seen) = watch::channel(settings);
    let (drain, drained) = oneshot::channel::<()>();
    let (stop, stopped) = oneshot::channel::<()>();
    let wait = |signal: oneshot::Receiver<()>| async move {
        if signal.await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    let (phase, _) = watch::channel(Phase::Serving);
    let serve = run(sockets, Manners, seen, phase, wait(drained), wait(stopped));
    Site {
        address,
        settings,
        config,
        drain: Some(drain),
        stop: Some(stop),
        task: tokio::spawn(serve),
    }
}

impl Site {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address)
            .await
            .expect("a connection")
    }

    /// Sends raw bytes and reads until the server closes.
    async fn raw(&self, request: &str) -> String {
        let mut stream = self.connect().await;
        send(&mut stream, request).await;
        rest(&mut stream).await
    }

    fn drain(&mut self) {
        let drain = self.drain.take().expect("drains once");
        drain.send(()).expect("the server runs");
    }
}

async fn send(stream: &mut (impl AsyncWrite + Unpin), text: &str) {
    stream.write_all(text.as_bytes()).await.expect("it is sent");
}

/// Reads what comes until `end` or the end of the connection, for at most five seconds.
async fn until(stream: &mut (impl AsyncRead + Unpin), end: &str) -> String {
    let mut bytes = Vec::new();
    let read = async {
        let mut buffer = [0; 4096];
        while !String::from_utf8_lossy(&bytes).ends_with(end) || end.is_empty() {
            match stream.read(&mut buffer).await {
                Ok(0) | Err(_) => break,
                Ok(count) => bytes.extend(buffer.iter().take(count)),
            }
        }
    };
    let in_time = tokio::time::timeout(5 * SECOND, read).await;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    assert!(in_time.is_ok(), "the server waits after {text:?}");
    text
}

async fn rest(stream: &mut (impl AsyncRead + Unpin)) -> String {
    until(stream, "").await
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n")
}

fn last(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
}

fn status(response: &str) -> &str {
    response.split(' ').nth(1).unwrap_or("none")
}

#[tokio::test]
async fn a_connection_serves_several_requests() {
    let site = site(|_| ()).await;
    let mut stream = site.connect().await;
    for _ in 0..2 {
        send(&mut stream, &get("/health/live")).await;
        let response = until(&mut stream, "live\n").await;
        assert_eq!(status(&response), "200");
        assert!(response.contains("content-length: 5\r\n"), "{response}");
    }
}

#[tokio::test]
async fn every_answer_is_open_and_has_an_id() {
    let site = site(|_| ()).await;
    for path in [
        "/health/live",
        "/nothing",
        "/assets/busy",
        "/iiif/3/x/full/9,/0/a.b",
    ] {
        let response = site.raw(&last(path)).await;
        for header in [
            "access-control-allow-origin: *\r\n",
            "x-content-type-options: nosniff\r\n",
            "x-request-id: ",
        ] {
            assert!(response.contains(header), "{path}: {response}");
        }
    }
}

#[tokio::test]
async fn head_has_the_headers_of_get_and_no_body() {
    let site = site(|_| ()).await;
    let response = site
        .raw("HEAD /health/live HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        .await;
    assert_eq!(status(&response), "200");
    assert!(response.contains("content-length: 5\r\n"), "{response}");
    assert!(response.ends_with("\r\n\r\n"), "{response}");
    let response = site
        .raw("HEAD /assets/stream HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        .await;
    assert_eq!(status(&response), "200");
    assert!(!response.contains("content-length"), "{response}");
    assert!(response.ends_with("\r\n\r\n"), "{response}");
}

#[tokio::test]
async fn a_target_or_a_host_that_is_wrong_is_refused() {
    let site = site(|c| c.server.max_target_bytes = 2000).await;
    let long = |prefix: &str, length: usize| format!("{prefix}{}", "a".repeat(length));
    for (request, code) in [
        (last(&long("/iiif/3/", 1990)), "404"),
        (last(&long("/iiif/3/", 1993)), "414"),
        (last(&long("/iiif/1.1/x/info.json?", 1002)), "404"),
        (last(&long("/iiif/1.1/x/info.json?", 1003)), "414"),
        (
            "GET /health/live HTTP/1.1\r\nConnection: close\r\n\r\n".into(),
            "400",
        ),
        (
            "GET /health/live HTTP/1.1\r\nHost: a\r\nHost: a\r\nConnection: close\r\n\r\n".into(),
            "400",
        ),
        (
            "GET /health/live HTTP/1.1\r\nHost: a@b\r\nConnection: close\r\n\r\n".into(),
            "400",
        ),
        (
            "DELETE /health/live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".into(),
            "405",
        ),
        (
            "OPTIONS /iiif/3/x/info.json HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".into(),
            "204",
        ),
        ("GET /health/live HTTP/1.0\r\n\r\n".into(), "200"),
    ] {
        let response = site.raw(&request).await;
        assert_eq!(status(&response), code, "{request}\n{response}");
    }
}

#[tokio::test]
async fn a_request_with_a_body_is_the_last_of_its_connection() {
    let site = site(|_| ()).await;
    let hidden = "GET /nothing HTTP/1.1\r\nHost: h\r\n\r\n";
    let smuggled = format!(
        "GET /health/live HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{hidden}"
    );
    let response = site.raw(&smuggled).await;
    assert_eq!(status(&response), "400");
    assert_eq!(response.matches("HTTP/1.1 ").count(), 1, "{response}");
    let response = site
        .raw(&format!(
            "GET /health/live HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab{hidden}"
        ))
        .await;
    assert_eq!(response.matches("HTTP/1.1 ").count(), 1, "{response}");
}

#[tokio::test]
async fn a_panic_costs_one_request() {
    let site = site(|_| ()).await;
    let mut stream = site.connect().await;
    send(&mut stream, &get("/assets/panic")).await;
    let response = until(&mut stream, "}").await;
    assert_eq!(status(&response), "500");
    assert!(!response.contains("purpose"), "{response}");
    send(&mut stream, &get("/health/live")).await;
    assert_eq!(status(&until(&mut stream, "live\n").await), "200");
}

#[tokio::test]
async fn a_stream_that_fails_after_its_first_byte_is_not_finished() {
    let site = site(|_| ()).await;
    let whole = site.raw(&last("/assets/stream")).await;
    assert!(whole.ends_with("0\r\n\r\n"), "{whole}");
    let broken = site.raw(&get("/assets/broken")).await;
    assert!(
        broken.contains("transfer-encoding: chunked\r\n"),
        "{broken}"
    );
    assert!(!broken.ends_with("0\r\n\r\n"), "{broken}");
}

#[tokio::test]
async fn silent_and_dripping_connections_are_cut_at_the_header_timeout() {
    let site = site(|c| c.server.header_timeout_seconds = 1).await;
    let silent = async {
        let start = Instant::now();
        assert_eq!(rest(&mut site.connect().await).await, "");
        start.elapsed()
    };
    let dripping = async {
        let mut stream = site.connect().await;
        send(&mut stream, &get("/health/live")).await;
        until(&mut stream, "live\n").await;
        let start = Instant::now();
        let (mut reader, mut writer) = stream.into_split();
        let drip = tokio::spawn(async move {
            for byte in b"GET / HTTP/1.1\r\nX: aaaaaaaaaaaaaaaaaaaaaaaa" {
                if writer.write_all(&[*byte]).await.is_err() {
                    return;
                }
                tokio::time::sleep(SECOND / 10).await;
            }
        });
        assert_eq!(rest(&mut reader).await, "");
        drip.abort();
        start.elapsed()
    };
    let (silent, dripping) = tokio::join!(silent, dripping);
    for took in [silent, dripping] {
        assert!(took > SECOND / 2 && took < 2 * SECOND, "{took:?}");
    }
}

#[tokio::test]
async fn an_idle_connection_is_closed_at_the_idle_timeout_and_not_at_the_headers() {
    let site = site(|c| {
        c.server.header_timeout_seconds = 1;
        c.server.idle_timeout_seconds = 2;
    })
    .await;
    let mut stream = site.connect().await;
    send(&mut stream, &get("/health/live")).await;
    until(&mut stream, "live\n").await;
    let start = Instant::now();
    assert_eq!(rest(&mut stream).await, "");
    let took = start.elapsed();
    assert!(took > 3 * SECOND / 2 && took < 3 * SECOND, "{took:?}");
}

#[tokio::test]
async fn a_reader_that_takes_nothing_is_cut() {
    let site = site(|c| {
        c.server.write_timeout_seconds = 1;
        c.server.max_connections = 1;
    })
    .await;
    let mut stream = site.connect().await;
    send(&mut stream, &get("/assets/big")).await;
    let start = Instant::now();
    let response = site.raw(&last("/health/live")).await;
    assert_eq!(status(&response), "200");
    assert!(start.elapsed() > SECOND / 2, "{:?}", start.elapsed());
    drop(stream);
}

#[tokio::test]
async fn at_the_limit_the_next_connection_waits_its_turn() {
    let site = site(|c| c.server.max_connections = 1).await;
    let mut first = site.connect().await;
    send(&mut first, &get("/health/live")).await;
    until(&mut first, "live\n").await;
    let mut second = site.connect().await;
    send(&mut second, &last("/health/live")).await;
    let mut byte = [0];
    let early = tokio::time::timeout(SECOND / 4, second.read(&mut byte)).await;
    assert!(early.is_err(), "the second connection was served");
    drop(first);
    assert!(rest(&mut second).await.ends_with("live\n"));
}

#[tokio::test]
async fn a_draining_server_finishes_what_is_in_flight_and_accepts_nothing() {
    let mut site = site(|_| ()).await;
    let mut idle = site.connect().await;
    send(&mut idle, &get("/health/live")).await;
    until(&mut idle, "live\n").await;
    let mut slow = site.connect().await;
    send(&mut slow, &get("/assets/slow")).await;
    tokio::time::sleep(SECOND / 20).await;
    site.drain();
    assert_eq!(rest(&mut idle).await, "");
    let response = rest(&mut slow).await;
    assert_eq!(status(&response), "200");
    assert!(response.ends_with("slow\n"), "{response}");
    let ended = tokio::time::timeout(SECOND, site.task).await;
    assert!(ended.expect("it ends").is_ok());
    assert!(TcpStream::connect(site.address).await.is_err());
}

#[tokio::test]
async fn a_second_signal_ends_what_is_in_flight() {
    let mut site = site(|_| ()).await;
    let mut stream = site.connect().await;
    send(&mut stream, &get("/assets/hang")).await;
    tokio::time::sleep(SECOND / 20).await;
    site.drain();
    tokio::time::sleep(SECOND / 20).await;
    assert!(!site.task.is_finished());
    let stop = site.stop.take().expect("stops once");
    stop.send(()).expect("the server runs");
    let ended = tokio::time::timeout(SECOND, site.task).await;
    assert!(ended.expect("it ends").is_ok());
    assert_eq!(rest(&mut stream).await, "");
}

#[tokio::test]
async fn h2_is_spoken_with_prior_knowledge() {
    let site = site(|_| ()).await;
    let (status, body) = h2_get(site.connect().await, "http://h/health/live").await;
    assert_eq!((status, body.as_str()), (200, "live\n"));
}

#[tokio::test]
async fn a_stream_that_fails_resets_its_h2_stream_alone() {
    let site = site(|_| ()).await;
    let (mut client, connection) = h2::client::handshake(site.connect().await)
        .await
        .expect("h2");
    tokio::spawn(connection);
    let mut ask = |path| {
        let request = Request::get(path).body(()).expect("a request");
        client.send_request(request, true).expect("it is sent").0
    };
    let (broken, good) = (ask("http://h/assets/broken"), ask("http://h/health/live"));
    let mut body = broken.await.expect("a head").into_body();
    let mut sound = true;
    while sound && let Some(data) = body.data().await {
        sound = data.is_ok();
    }
    assert!(!sound, "the broken stream ended well");
    assert_eq!(good.await.expect("an answer").status(), 200);
}

async fn h2_get(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    uri: &str,
) -> (u16, String) {
    let (mut client, connection) = h2::client::handshake(stream).await.expect("h2");
    tokio::spawn(connection);
    let request = Request::get(uri).body(()).expect("a request");
    let (response, _) = client.send_request(request, true).expect("it is sent");
    let response = response.await.expect("an answer");
    let status = response.status().as_u16();
    let mut body = response.into_body();
    let mut bytes = Vec::new();
    while let Some(data) = body.data().await {
        bytes.extend(data.expect("data"));
    }
    (status, String::from_utf8(bytes).expect("text"))
}

/// Writes a new certificate for `localhost` and its key into `folder`; a client that trusts it.
fn certify(folder: &Path, protocol: &[u8]) -> TlsConnector {
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a key");
    std::fs::write(folder.join("cert.pem"), certified.cert.pem()).expect("it is written");
    let key = certified.signing_key.serialize_pem();
    std::fs::write(folder.join("key.pem"), key).expect("it is written");
    let mut roots = RootCertStore::empty();
    roots.add(certified.cert.der().clone()).expect("a root");
    let provider = tokio_rustls::rustls::crypto::ring::default_provider();
    let mut client = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    client.alpn_protocols = vec![protocol.to_vec()];
    TlsConnector::from(Arc::new(client))
}

#[tokio::test]
async fn tls_offers_both_protocols_and_a_renewed_certificate_needs_no_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let client = certify(folder.path(), b"h2");
    let site = site(|c| {
        c.server.tls.certificate = folder.path().join("cert.pem");
        c.server.tls.key = folder.path().join("key.pem");
    })
    .await;
    let name = || ServerName::try_from("localhost").expect("a name");
    let stream = client.connect(name(), site.connect().await).await;
    let (status, _) = h2_get(stream.expect("TLS"), "https://localhost/health/live").await;
    assert_eq!(status, 200);
    let renewed = certify(folder.path(), b"http/1.1");
    let settings = Arc::new(Settings::new(site.config.clone()).expect("valid"));
    site.settings.send_replace(settings);
    let mut tries = 0;
    let mut stream = loop {
        tries += 1;
        match renewed.connect(name(), site.connect().await).await {
            Ok(stream) => break stream,
            Err(error) => assert!(tries < 100, "the new certificate is not used: {error}"),
        }
        tokio::time::sleep(SECOND / 100).await;
    };
    send(&mut stream, &last("/assets/base")).await;
    let response = until(&mut stream, "/x").await;
    assert!(response.ends_with("https://h/x"), "{response}");
}

#[tokio::test]
async fn forwarding_headers_and_request_ids_are_believed_from_trusted_proxies_alone() {
    let request = "GET /assets/base HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\
        X-Forwarded-Host: images.example.org\r\nX-Forwarded-Proto: https\r\n\
        X-Request-Id: from-proxy\r\n\r\n";
    let plain = site(|_| ()).await;
    let response = plain.raw(request).await;
    assert!(response.ends_with("http://h/x"), "{response}");
    assert!(!response.contains("from-proxy"), "{response}");
    let behind = site(|c| c.public.trusted_proxies = vec!["127.0.0.0/8".into()]).await;
    let response = behind.raw(request).await;
    assert!(
        response.ends_with("https://images.example.org/x"),
        "{response}"
    );
    assert!(
        response.contains("x-request-id: from-proxy\r\n"),
        "{response}"
    );
}

#[tokio::test]
async fn an_error_is_xml_for_1_0_a_page_for_browsers_and_json_for_the_rest() {
    let site = site(|_| ()).await;
    let media = |response: &str| {
        let line = response
            .lines()
            .find(|line| line.starts_with("content-type: "));
        line.unwrap_or("none")
            .trim_start_matches("content-type: ")
            .to_owned()
    };
    let ask = |version: &str, accept: &str| {
        format!(
            "GET /iiif/{version}/x/full/9,/0/native.jpg HTTP/1.1\r\nHost: h\r\n\
             Accept: {accept}\r\nConnection: close\r\n\r\n"
        )
    };
    for (version, accept, expected) in [
        ("3", "*/*", "application/problem+json"),
        ("3", "text/html,*/*;q=0.8", "text/html; charset=utf-8"),
        ("1.1", "*/*", "application/problem+json"),
        ("1.0", "*/*", "text/xml; charset=utf-8"),
    ] {
        let response = site.raw(&ask(version, accept)).await;
        assert_eq!(status(&response), "400");
        assert_eq!(media(&response), expected, "{version} {accept}");
        assert!(response.contains("cache-control: no-store\r\n"));
    }
}

#[tokio::test]
async fn an_exchange_leaves_one_line_with_its_bytes() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("access.log");
    let site = site(|c| {
        c.log.access = AccessFormat::Json;
        c.log.access_file.clone_from(&path);
    })
    .await;
    site.raw(&last("/assets/stream?q")).await;
    let mut text = String::new();
    for _ in 0..200 {
        text = std::fs::read_to_string(&path).expect("the log");
        if text.ends_with('\n') {
            break;
        }
        tokio::time::sleep(SECOND / 100).await;
    }
    let line: serde_json::Value = serde_json::from_str(&text).expect("one line of JSON");
    assert_eq!(line["client"], "127.0.0.0");
    assert_eq!(line["target"], "/assets/stream?q");
    assert_eq!(line["status"], 200);
    assert_eq!(line["bytes"], 4);
}
