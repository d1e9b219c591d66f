//! The start page and the viewer: what the collection holds, and one picture of it at a time.
//!
//! Everything is in the binary and nothing is fetched from elsewhere; a strict policy says so to the
//! browser. The list is JSON for those who do not ask for a page.

mod html;

use hyper::Response;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, VARY};
use serde_json::json;

use super::accept::prefers_json;
use super::body::Body;
use super::front::Inquiry;
use super::problem::Problem;
use crate::iiif::Identifier;
use crate::service::{ListingPage, Service};
use html::{PICTURES, View};

/// What a page may load: what this server has, and pictures that the viewer draws itself.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data: blob:; connect-src 'self'; form-action 'self'; base-uri 'none'; \
     frame-ancestors 'self'";

/// The start page, in the form that the client asks for.
pub(super) fn start(service: &Service, inquiry: &Inquiry) -> Response<Body> {
    let view = View::parse(inquiry.head.uri.query().unwrap_or(""));
    let listing = service.listing(&view.filter, view.offset(), PICTURES);
    let mut response = if prefers_json(&inquiry.head.headers) {
        file("application/json", document(&listing, &view, inquiry))
    } else {
        page(html::gallery(&listing, &view, &root(inquiry)))
    };
    response
        .headers_mut()
        .insert(VARY, HeaderValue::from_static("Accept"));
    response
}

/// The page that opens the picture that the query names: `id=identifier`.
///
/// # Errors
///
/// 404 where it names none.
pub(super) fn view(inquiry: &Inquiry) -> Result<Response<Body>, Problem> {
    let query = inquiry.head.uri.query().unwrap_or("");
    let named = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("id="))
        .map(html::decode)
        .and_then(|name| Identifier::new(&name).ok())
        .ok_or_else(Problem::no_route)?;
    Ok(page(html::viewer(named.as_str(), &root(inquiry))))
}

/// A file that the pages load.
///
/// # Errors
///
/// 404 where there is no such file.
pub(super) fn asset(name: &str) -> Result<Response<Body>, Problem> {
    let (media, text) = match name {
        "style.css" => ("text/css; charset=utf-8", include_str!("style.css")),
        "gallery.js" => (SCRIPT, include_str!("gallery.js")),
        "viewer.js" => (SCRIPT, include_str!("viewer.js")),
        "openseadragon.min.js" => (SCRIPT, include_str!("openseadragon.min.js")),
        "openseadragon-license.txt" => (
            "text/plain; charset=utf-8",
            include_str!("openseadragon-license.txt"),
        ),
        _ => return Err(Problem::no_route()),
    };
    let mut response = file(media, text);
    response.headers_mut().insert(
        CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=3600"),
    );
    Ok(response)
}

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// The path of the start page as the browser sees it, with a slash at its end.
fn root(inquiry: &Inquiry) -> String {
    format!("{}/", inquiry.base.path())
}

fn page(html: String) -> Response<Body> {
    file("text/html; charset=utf-8", html)
}

fn file(media: &'static str, body: impl Into<bytes::Bytes>) -> Response<Body> {
    let mut response = Response::new(Body::whole(body));
    for (name, value) in [
        (CONTENT_TYPE, media),
        (CACHE_CONTROL, "no-cache"),
        (HeaderName::from_static("content-security-policy"), POLICY),
        (HeaderName::from_static("referrer-policy"), "no-referrer"),
    ] {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

fn document(listing: &ListingPage, view: &View, inquiry: &Inquiry) -> String {
    let images: Vec<_> = listing
        .identifiers
        .iter()
        .filter_map(|name| {
            let encoded = Identifier::new(name).ok()?.encoded();
            let info = inquiry.base.at(&format!("/iiif/3/{encoded}/info.json"));
            Some(json!({"identifier": name, "info": info}))
        })
        .collect();
    json!({
        "total": listing.total,
        "building": listing.building,
        "page": view.page,
        "images": images,
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_that_a_page_loads_is_there() {
        let listing = ListingPage {
            identifiers: vec!["a.tif".into()],
            total: 1,
            building: false,
        };
        let pages = html::gallery(&listing, &View::parse(""), "/") + &html::viewer("a.tif", "/");
        let loaded: Vec<&str> = pages
            .split("\"/assets/")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .collect();
        assert!(loaded.len() >= 4, "{loaded:?}");
        for name in loaded {
            assert!(asset(name).is_ok(), "{name}");
        }
        assert!(asset("../mod.rs").is_err());
    }

    #[test]
    fn pages_load_nothing_from_elsewhere() {
        let response = page(String::new());
        let policy = response.headers()["content-security-policy"].to_str();
        let policy = policy.expect("text");
        assert!(policy.starts_with("default-src 'none';"), "{policy}");
        assert!(policy.contains("script-src 'self';"), "{policy}");
    }
}
