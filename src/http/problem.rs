//! An answer that is an error: what went wrong, for a program, a person, or an old client.
//!
//! The words are the error's public ones; its causes stay in the log. JSON by RFC 9457; a small page
//! where a browser asks; XML where Image API 1.0 does (I10-ERR-01).

use std::borrow::Cow;
use std::fmt::Write as _;

use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use hyper::{Response, StatusCode};
use serde_json::json;

use super::body::Body;
use super::cors;
use super::status;
use crate::error::{Error, ErrorKind, Parameter};
use crate::iiif::error_xml;

/// An error on its way to the client.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) status: StatusCode,
    pub(super) detail: Cow<'static, str>,
    pub(super) parameter: Option<Parameter>,
    /// The error behind it, for the log.
    pub(super) error: Option<Error>,
}

/// How a problem is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// `application/problem+json`.
    Json,
    /// A page.
    Html,
    /// The document of Image API 1.0.
    Xml,
}

impl Problem {
    /// A problem of the protocol, not of the image.
    pub(super) fn new(status: StatusCode, detail: &'static str) -> Self {
        Self {
            status,
            detail: Cow::Borrowed(detail),
            parameter: None,
            error: None,
        }
    }

    /// There is nothing under this path.
    pub(super) fn no_route() -> Self {
        Self::new(StatusCode::NOT_FOUND, "there is nothing under this path")
    }

    /// `error`, as Image API 1.x tells it.
    pub(super) fn of_first_version(error: Error) -> Self {
        let status = status::of_first_version(&error);
        Self {
            status,
            ..Self::from(error)
        }
    }

    /// Writes it in `shape`; `id` is the request's.
    pub(super) fn response(&self, shape: Shape, id: &str) -> Response<Body> {
        let (media, body) = match shape {
            Shape::Json => ("application/problem+json", self.json(id)),
            Shape::Html => ("text/html; charset=utf-8", self.html(id)),
            Shape::Xml => (
                "text/xml; charset=utf-8",
                error_xml(self.parameter, &self.detail),
            ),
        };
        let mut response = Response::new(Body::whole(body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(
            HeaderName::from_static("content-security-policy"),
            HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; sandbox"),
        );
        if let Some(seconds) = self.retry_after() {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::METHOD_NOT_ALLOWED {
            headers.insert(ALLOW, HeaderValue::from_static(cors::METHODS));
        }
        response
    }

    fn title(&self) -> &'static str {
        self.status.canonical_reason().unwrap_or("Error")
    }

    fn json(&self, id: &str) -> String {
        let mut document = json!({
            "type": "about:blank",
            "title": self.title(),
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        if let Some(parameter) = self.parameter {
            document["parameter"] = parameter.name().into();
        }
        document["request_id"] = id.into();
        document.to_string()
    }

    fn html(&self, id: &str) -> String {
        let title = format!("{} {}", self.status.as_u16(), self.title());
        let detail = escape(&self.detail);
        let parameter = self
            .parameter
            .map(|parameter| format!("<p>Parameter: {}</p>", parameter.name()))
            .unwrap_or_default();
        format!(
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title>\
             <style>body{{font:1rem/1.5 system-ui,sans-serif;margin:4rem auto;max-width:40rem;\
             padding:0 1rem}}</style><h1>{title}</h1><p>{detail}</p>{parameter}\
             <p><small>Request {}</small></p></html>\n",
            escape(id)
        )
    }

    /// Seconds after which the client may try again; spread, so that not all do at once.
    fn retry_after(&self) -> Option<u32> {
        let busy = self.error.as_ref().map(Error::kind) == Some(ErrorKind::Busy);
        match self.status {
            StatusCode::SERVICE_UNAVAILABLE if busy => Some(fastrand::u32(1..=3)),
            StatusCode::SERVICE_UNAVAILABLE => Some(fastrand::u32(5..=10)),
            _ => None,
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self {
            status: status::of(error.kind()),
            detail: Cow::Owned(error.public().to_owned()),
            parameter: error.parameter(),
            error: Some(error),
        }
    }
}

/// `text` as it may stand in HTML, in an attribute too.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' | '<' | '>' | '"' | '\'' => {
                // Writing to a string does not fail.
                let _ = write!(escaped, "&#{};", u32::from(c));
            }
            _ => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem() -> Problem {
        Error::bad_request(Parameter::Size, "the width must be at most <5>")
            .with_source("/secret")
            .into()
    }

    fn body(shape: Shape) -> String {
        let response = problem().response(shape, "id-1");
        String::from_utf8(response.body().bytes().to_vec()).expect("text")
    }

    #[test]
    fn a_problem_document_names_status_parameter_and_request() {
        let document: serde_json::Value = serde_json::from_str(&body(Shape::Json)).expect("JSON");
        assert_eq!(
            document,
            json!({
                "type": "about:blank",
                "title": "Bad Request",
                "status": 400,
                "detail": "the width must be at most <5>",
                "parameter": "size",
                "request_id": "id-1",
            })
        );
    }

    #[test]
    fn a_page_holds_no_markup_of_others() {
        let page = body(Shape::Html);
        assert!(page.contains("&#60;5&#62;"), "{page}");
        assert!(!page.contains("<5>"));
        assert!(!page.contains("secret"));
    }

    #[test]
    fn i10_err_01_old_clients_get_xml() {
        let document = body(Shape::Xml);
        assert!(document.contains("http://library.stanford.edu/iiif/image-api/ns/"));
        assert!(
            document.contains("<parameter>size</parameter>"),
            "{document}"
        );
    }

    #[test]
    fn errors_are_not_stored_and_503_says_when_to_come_back() {
        let response = problem().response(Shape::Json, "x");
        assert_eq!(response.headers()["cache-control"], "no-store");
        assert!(!response.headers().contains_key("retry-after"));
        for kind in [ErrorKind::Busy, ErrorKind::Upstream] {
            let problem = Problem::from(Error::new(kind, "later"));
            let response = problem.response(Shape::Json, "x");
            assert!(response.headers().contains_key("retry-after"), "{kind:?}");
        }
    }

    #[test]
    fn a_405_names_the_methods() {
        let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "no");
        let response = problem.response(Shape::Json, "x");
        assert_eq!(response.headers()["allow"], "GET, HEAD, OPTIONS");
    }
}
