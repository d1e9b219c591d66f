//! Cross-origin access: every answer may be read by every page.
//!
//! The origin is `*`, never an echo, and credentials are never allowed.
//!
//! Source: I3-HTTP-02, I3-HTTP-03, I3-FEA-03; Fetch standard §3.2.

use hyper::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, HeaderName, HeaderValue,
};
use hyper::{HeaderMap, Response, StatusCode};

use super::body::Body;

/// Methods of this server, as `Allow` and preflight name them.
pub(super) const METHODS: &str = "GET, HEAD, OPTIONS";

/// Headers that a page may send; `*` would not cover `Authorization`.
const REQUEST_HEADERS: &str =
    "Authorization, Accept, Cache-Control, If-Modified-Since, If-None-Match, X-Request-Id";

/// Headers that a page may read beyond the safe ones.
const RESPONSE_HEADERS: &str = "Link, ETag, Retry-After, Server-Timing, X-Request-Id";

/// Seconds for which a browser remembers a preflight; browsers cap it themselves.
const PREFLIGHT_SECONDS: &str = "86400";

/// Marks an answer as readable from every origin.
pub(super) fn open(headers: &mut HeaderMap) {
    let embedding = HeaderName::from_static("cross-origin-resource-policy");
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(
        ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static(RESPONSE_HEADERS),
    );
    headers.insert(embedding, HeaderValue::from_static("cross-origin"));
}

/// The answer to OPTIONS.
pub(super) fn preflight() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    for (name, value) in [
        (ACCESS_CONTROL_ALLOW_METHODS, METHODS),
        (hyper::header::ALLOW, METHODS),
        (ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS),
        (ACCESS_CONTROL_MAX_AGE, PREFLIGHT_SECONDS),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i3_http_03_a_preflight_names_authorization_and_has_no_body() {
        let response = preflight();
        assert_eq!(response.status(), 204);
        let headers = response.headers();
        assert_eq!(
            headers["access-control-allow-methods"],
            "GET, HEAD, OPTIONS"
        );
        let allowed = headers["access-control-allow-headers"].to_str();
        assert!(allowed.expect("text").contains("Authorization"));
        assert!(response.body().bytes().is_empty());
    }

    #[test]
    fn i3_http_03_the_origin_is_a_star_without_credentials() {
        let mut headers = HeaderMap::new();
        open(&mut headers);
        assert_eq!(headers["access-control-allow-origin"], "*");
        let exposed = headers["access-control-expose-headers"].to_str();
        assert!(
            exposed
                .expect("text")
                .split(", ")
                .any(|name| name == "Link")
        );
        assert!(!headers.contains_key("access-control-allow-credentials"));
    }
}
