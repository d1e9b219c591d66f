//! An info request → the document in the client's version and media type.
//!
//! The entity tag is the digest of what is sent, so that it changes with the image, the settings, the
//! public address and the media type.
//!
//! Source: I3-INF-01 to I3-INF-06, I21-INF-01, I10-XML-02.

use hyper::header::{CONTENT_TYPE, HeaderValue, LINK, VARY};
use hyper::{Response, StatusCode};

use super::accept;
use super::answers::{identifier, service_uri};
use super::body::Body;
use super::conditional;
use super::front::Inquiry;
use super::images::value;
use super::problem::Problem;
use super::router::Target;
use crate::error::Result;
use crate::iiif::{compliance_uri, info_media_type};
use crate::service::{InfoAnswer, Service};

/// The document as JSON or JSON-LD.
///
/// # Errors
///
/// The identifier's or the image's.
pub(super) async fn json(
    service: &Service,
    inquiry: &Inquiry,
    target: Target<'_>,
) -> Result<Response<Body>, Problem> {
    let answer = describe(service, inquiry, target).await?;
    let accept = accept::line(&inquiry.head.headers);
    let (media, _) = info_media_type(target.version, accept.as_deref());
    let body = answer.info.to_json(target.version).to_string();
    let mut response = respond(inquiry, target, &answer, media, body)?;
    response
        .headers_mut()
        .insert(VARY, HeaderValue::from_static("Accept"));
    Ok(response)
}

/// The document as XML, which Image API 1.0 has besides.
///
/// # Errors
///
/// The identifier's or the image's.
pub(super) async fn xml(
    service: &Service,
    inquiry: &Inquiry,
    target: Target<'_>,
) -> Result<Response<Body>, Problem> {
    let answer = describe(service, inquiry, target).await?;
    let body = answer.info.to_xml();
    Ok(respond(inquiry, target, &answer, "application/xml", body)?)
}

async fn describe(service: &Service, inquiry: &Inquiry, target: Target<'_>) -> Result<InfoAnswer> {
    let identifier = identifier(&inquiry.settings, target.identifier)?;
    let mut answer = Box::pin(service.info(&identifier)).await?;
    answer.info.id = service_uri(inquiry, target, &identifier);
    Ok(answer)
}

fn respond(
    inquiry: &Inquiry,
    target: Target<'_>,
    answer: &InfoAnswer,
    media: &'static str,
    body: String,
) -> Result<Response<Body>> {
    let etag = etag(&body, media);
    let request = &inquiry.head.headers;
    let unchanged = conditional::unchanged(request, &etag, answer.last_modified);
    let mut response = if unchanged {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        let mut response = Response::new(Body::whole(body));
        let media = HeaderValue::from_static(media);
        response.headers_mut().insert(CONTENT_TYPE, media);
        response
    };
    let headers = response.headers_mut();
    let cache = inquiry.settings.cache_info.as_ref();
    conditional::describe(headers, &etag, answer.last_modified, cache)?;
    let profile = format!("<{}>;rel=\"profile\"", compliance_uri(target.version));
    headers.insert(LINK, value(profile)?);
    Ok(response)
}

/// A strong entity tag of a document as it is sent.
fn etag(body: &str, media: &str) -> String {
    let mut digest = blake3::Hasher::new();
    digest.update(media.as_bytes()).update(b"\0");
    digest.update(body.as_bytes());
    let hex = digest.finalize().to_hex();
    format!("\"{}\"", hex.chars().take(32).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_entity_tag_follows_body_and_media_type() {
        let tag = etag("{}", "application/json");
        assert_eq!(tag, etag("{}", "application/json"));
        assert_ne!(tag, etag("{ }", "application/json"));
        assert_ne!(tag, etag("{}", "application/ld+json"));
        assert!(tag.starts_with('"') && tag.ends_with('"') && tag.len() == 34);
    }
}
