//! Health and metrics.
//!
//! Liveness asks nothing of anything. Readiness is red while the server drains or a source is away;
//! the public listener says only that, the admin listener says why.

use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::json;

use super::body::Body;
use super::connection::Phase;
use super::front::Door;
use crate::metrics;
use crate::service::Readiness;

/// The process answers.
pub(super) fn live() -> Response<Body> {
    document(StatusCode::OK, &json!({"status": "live"}))
}

/// Whether requests can be answered.
pub(super) fn ready(readiness: &Readiness, phase: Phase, door: Door) -> Response<Body> {
    let serving = phase == Phase::Serving;
    let (status, word) = if readiness.ready && serving {
        (StatusCode::OK, "ready")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready")
    };
    let mut body = json!({"status": word});
    if door == Door::Admin {
        let checks = readiness
            .checks
            .iter()
            .map(|(name, ok, words)| json!({"name": name, "ok": ok, "detail": words}));
        let server =
            json!({"name": "server", "ok": serving, "detail": format!("{phase:?}").to_lowercase()});
        body["checks"] = std::iter::once(server).chain(checks).collect();
    }
    document(status, &body)
}

/// A JSON document that nobody keeps.
pub(super) fn document(status: StatusCode, body: &serde_json::Value) -> Response<Body> {
    let mut response = text(body.to_string(), "application/json");
    *response.status_mut() = status;
    response
}

/// All metrics in Prometheus' text format.
pub(super) fn metrics() -> Response<Body> {
    text(
        metrics::render(),
        "text/plain; version=0.0.4; charset=utf-8",
    )
}

/// What crawlers may fetch: information documents, but no images, which cost work.
pub(super) fn robots(prefix: &str) -> Response<Body> {
    let rules =
        format!("User-agent: *\nAllow: {prefix}/iiif/*/info.json\nDisallow: {prefix}/iiif/\n");
    let mut response = text(rules, "text/plain; charset=utf-8");
    response.headers_mut().insert(
        CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=3600"),
    );
    response
}

fn text(body: String, media: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::whole(body));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn readiness(ready: bool) -> Readiness {
        Readiness {
            ready,
            checks: vec![("source main".into(), ready, "the root is away".into())],
        }
    }

    fn body(response: &Response<Body>) -> String {
        String::from_utf8(response.body().bytes().to_vec()).expect("text")
    }

    #[test]
    fn a_draining_server_is_not_ready() {
        let serving = ready(&readiness(true), Phase::Serving, Door::Public);
        assert_eq!(serving.status(), 200);
        let draining = ready(&readiness(true), Phase::Draining, Door::Public);
        assert_eq!(draining.status(), 503);
        let away = ready(&readiness(false), Phase::Serving, Door::Public);
        assert_eq!(away.status(), 503);
    }

    #[test]
    fn reasons_are_for_the_operator_alone() {
        let public = ready(&readiness(false), Phase::Serving, Door::Public);
        assert!(!body(&public).contains("root"));
        let admin = ready(&readiness(false), Phase::Serving, Door::Admin);
        assert!(body(&admin).contains("the root is away"));
    }

    #[test]
    fn crawlers_may_read_documents_and_no_images() {
        let rules = body(&robots("/a"));
        assert!(rules.contains("\nAllow: /a/iiif/*/info.json\n"), "{rules}");
        assert!(rules.contains("\nDisallow: /a/iiif/\n"), "{rules}");
    }
}
