//! An image request → its answer with validators, links and timing.

use std::fmt::Write as _;

use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue, LINK, VARY};
use hyper::{HeaderMap, Response, StatusCode};

use super::accept;
use super::answers::service_uri;
use super::body::Body;
use super::conditional;
use super::front::Inquiry;
use super::problem::Problem;
use super::request;
use super::router::Target;
use crate::error::{Error, Result};
use crate::iiif::compliance_uri;
use crate::service::{Answer, Ask, Head, Service, Validators};

/// Answers an image request: 304 or headers before anything is decoded.
///
/// # Errors
///
/// The request's or the image's, as Image API `target.version` tells them.
pub(super) async fn image(
    service: &Service,
    inquiry: &Inquiry,
    target: Target<'_>,
    segments: [&str; 4],
) -> Result<Response<Body>, Problem> {
    let answer = answer(service, inquiry, target, segments).await;
    answer
        .and_then(|answer| respond(inquiry, target, segments, answer))
        .map_err(|error| {
            if target.version.is_1x() {
                Problem::of_first_version(error)
            } else {
                Problem::from(error)
            }
        })
}

async fn answer(
    service: &Service,
    inquiry: &Inquiry,
    target: Target<'_>,
    segments: [&str; 4],
) -> Result<Answer> {
    let headers = &inquiry.head.headers;
    let accept = accept::line(headers);
    let request = request::parse(&inquiry.settings, target, segments, accept.as_deref())?;
    let unchanged = |validators: &Validators| {
        conditional::unchanged(headers, &validators.etag, validators.last_modified)
    };
    let ask = Ask {
        unchanged: &unchanged,
        head: inquiry.is_head(),
        accept: accept.as_deref(),
    };
    service.image(&request, ask).await
}

/// Headers of an image's answer, those of every answer included.
const HEADERS: usize = 16;

fn respond(
    inquiry: &Inquiry,
    target: Target<'_>,
    segments: [&str; 4],
    answer: Answer,
) -> Result<Response<Body>> {
    let (status, head, body) = match answer {
        Answer::Unchanged(head) => (StatusCode::NOT_MODIFIED, head, Body::empty()),
        Answer::Head(head) => {
            let body = Body::head(head.length);
            (StatusCode::OK, head, body)
        }
        Answer::Whole(head, bytes) => (StatusCode::OK, head, Body::whole(bytes)),
        Answer::Stream(head, pieces) => {
            let body = Body::stream(pieces, head.length);
            (StatusCode::OK, head, body)
        }
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.reserve(HEADERS);
    if status == StatusCode::OK {
        let media = HeaderValue::from_static(head.format.media_type());
        headers.insert(CONTENT_TYPE, media);
    }
    let settings = &inquiry.settings;
    let validators = &head.validators;
    let cache = settings.cache_image.as_ref();
    conditional::describe(headers, &validators.etag, validators.last_modified, cache)?;
    headers.insert(LINK, value(links(inquiry, target, &head))?);
    let [.., last] = segments;
    if head.varies || (target.version.is_1x() && !last.contains('.')) {
        headers.insert(VARY, HeaderValue::from_static("Accept"));
    }
    if settings.config.public.server_timing {
        time(headers, &head)?;
    }
    Ok(response)
}

/// One line with every relation, because some readers see the first line alone.
///
/// Source: I3-HTTP-11, I11-LVL-02; 1.x knows no canonical form.
fn links(inquiry: &Inquiry, target: Target<'_>, head: &Head) -> String {
    let profile = compliance_uri(target.version);
    if target.version.is_1x() {
        return format!("<{profile}>;rel=\"profile\"");
    }
    let base = service_uri(inquiry, target, &head.identifier);
    [
        "<",
        &base,
        "/",
        &head.canonical,
        ">;rel=\"canonical\", <",
        profile,
        ">;rel=\"profile\"",
    ]
    .concat()
}

/// Where the time went, for the browser's own tools.
fn time(headers: &mut HeaderMap, head: &Head) -> Result<()> {
    let timing = &head.timing;
    let stages = [
        ("cache", timing.cache),
        ("source", timing.source),
        ("queue", timing.queue),
        ("decode", timing.decode),
        ("process", timing.process),
        ("encode", timing.encode),
    ];
    let mut line = String::with_capacity(192);
    for (name, took) in stages {
        line.push_str(name);
        line.push_str(";dur=");
        match took.as_micros() {
            // Most stages of most answers; numbers are the dearest part of a head.
            0 => line.push('0'),
            // A string takes all text.
            micros => {
                let _ = write!(line, "{}.{:03}", micros / 1000, micros % 1000);
            }
        }
        line.push_str(", ");
    }
    for part in [
        "rung;desc=\"",
        head.rung.name(),
        "\", engine;desc=\"",
        head.engine,
        "\"",
    ] {
        line.push_str(part);
    }
    headers.insert(HeaderName::from_static("server-timing"), value(line)?);
    headers.insert(
        HeaderName::from_static("timing-allow-origin"),
        HeaderValue::from_static("*"),
    );
    Ok(())
}

/// `text` as a header's value.
///
/// # Errors
///
/// An internal error: what we write ourselves is visible ASCII.
pub(super) fn value(text: String) -> Result<HeaderValue> {
    HeaderValue::try_from(text)
        .map_err(|error| Error::internal("writing a header").with_source(error))
}
