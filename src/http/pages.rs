//! The start page: what the collection holds, as a page or as JSON.
//!
//! Plain HTML with a link to every information document on it, so that neither a script nor a network
//! beyond this server is needed.

use hyper::Response;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, VARY};
use serde_json::json;

use super::accept::Accept;
use super::body::Body;
use super::front::Inquiry;
use super::problem::escape;
use crate::iiif::Identifier;
use crate::service::ListingPage;

/// Identifiers on one page.
pub(super) const PER_PAGE: usize = 500;

/// The start page, in the form that the client asks for.
pub(super) fn start(inquiry: &Inquiry, listing: &ListingPage) -> Response<Body> {
    let images: Vec<(String, String)> = listing
        .identifiers
        .iter()
        .filter_map(|name| {
            let encoded = Identifier::new(name).ok()?.encoded();
            let info = inquiry.base.at(&format!("/iiif/3/{encoded}/info.json"));
            Some((name.clone(), info))
        })
        .collect();
    let (media, body) = if Accept::read(&inquiry.head.headers).prefers_html() {
        ("text/html; charset=utf-8", page(&images, listing))
    } else {
        ("application/json", document(&images, listing))
    };
    let mut response = Response::new(Body::whole(body));
    let policy = HeaderName::from_static("content-security-policy");
    for (name, value) in [
        (CONTENT_TYPE, media),
        (CACHE_CONTROL, "no-cache"),
        (VARY, "Accept"),
        (policy, "default-src 'none'; style-src 'unsafe-inline'"),
    ] {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

fn document(images: &[(String, String)], listing: &ListingPage) -> String {
    let images: Vec<_> = images
        .iter()
        .map(|(identifier, info)| json!({"identifier": identifier, "info": info}))
        .collect();
    json!({"total": listing.total, "building": listing.building, "images": images}).to_string()
}

fn page(images: &[(String, String)], listing: &ListingPage) -> String {
    let items: String = images
        .iter()
        .map(|(identifier, info)| {
            format!(
                "<li><a href=\"{}\">{}</a></li>",
                escape(info),
                escape(identifier)
            )
        })
        .collect();
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Images</title>\
         <style>body{{font:1rem/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;\
         padding:0 1rem}}</style><h1>{} images</h1><ul>{items}</ul></html>\n",
        listing.total
    )
}
