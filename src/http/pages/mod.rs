//! The start page and the viewer: what the collection holds, and one picture of it at a time.
//!
//! Everything is in the binary and nothing is fetched from elsewhere; a strict policy says so to the
//! browser. The list is JSON for those who ask for it. Which listener has pages is left to
//! the router's caller; the list itself is the service's.

mod html;
mod links;
mod view;

use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, VARY};
use hyper::{HeaderMap, Response, StatusCode};
use serde_json::json;

use super::accept::prefers_json;
use super::body::Body;
use super::conditional;
use super::front::{Door, Inquiry};
use super::images::value;
use super::problem::Problem;
use crate::error::Result;
use crate::iiif::Identifier;
use crate::service::{ListingPage, Service};
use links::Links;
pub(super) use view::value as in_query;
use view::{PICTURES, View};

/// What a page may load: what this server has, and pictures that the viewer draws itself. The first
/// icon that browsers ask for is an empty one in the page.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data: blob:; connect-src 'self'; form-action 'self'; base-uri 'none'; \
     frame-ancestors 'self'";

/// The start page, in the form that the client asks for.
///
/// # Errors
///
/// An internal error where reading the list fails.
pub(super) async fn start(service: &Service, inquiry: &Inquiry) -> Result<Response<Body>> {
    let view = View::parse(inquiry.head.uri.query().unwrap_or(""));
    let listing = service
        .listing(&view.filter, view.offset(), PICTURES)
        .await?;
    let mut response = if prefers_json(&inquiry.head.headers) {
        file("application/json", document(&listing, &view, inquiry))
    } else {
        let root = root(inquiry);
        page(html::gallery(&listing, &view, links(inquiry, &root)))
    };
    response
        .headers_mut()
        .insert(VARY, HeaderValue::from_static("Accept"));
    Ok(response)
}

/// The page that opens the picture that the query names: `id=identifier`.
///
/// # Errors
///
/// 404 where it names none.
pub(super) fn view(inquiry: &Inquiry) -> Result<Response<Body>, Problem> {
    let named = view::value(inquiry.head.uri.query().unwrap_or(""), "id")
        .and_then(|name| Identifier::new(&name).ok())
        .ok_or_else(Problem::no_route)?;
    let root = root(inquiry);
    Ok(page(html::viewer(named.as_str(), links(inquiry, &root))))
}

/// A file that the pages load, or 304 to a client that has it.
///
/// # Errors
///
/// 404 where there is no such file.
pub(super) fn asset(name: &str, request: &HeaderMap) -> Result<Response<Body>, Problem> {
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
    let hex = blake3::hash(text.as_bytes()).to_hex();
    let etag = format!("\"{}\"", hex.chars().take(32).collect::<String>());
    let mut response = if conditional::holds(request, &etag) {
        let mut response = file(media, "");
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response.headers_mut().remove(CONTENT_TYPE);
        response
    } else {
        file(media, text)
    };
    response.headers_mut().insert(ETAG, value(etag)?);
    Ok(response)
}

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// The path of the start page as the browser sees it, with a slash at its end. The public address says
/// nothing about the admin listener's.
fn root(inquiry: &Inquiry) -> String {
    match inquiry.peer.door {
        Door::Public => format!("{}/", inquiry.base.path()),
        Door::Admin => format!("{}/", inquiry.settings.prefix),
    }
}

fn links<'a>(inquiry: &'a Inquiry, root: &'a str) -> Links<'a> {
    Links {
        root,
        substitute: &inquiry.settings.config.public.slash_substitute,
    }
}

fn page(html: String) -> Response<Body> {
    file("text/html; charset=utf-8", html)
}

/// An answer that is asked for again each time, so that pages and their files are of one version.
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
    let substitute = &inquiry.settings.config.public.slash_substitute;
    let images: Vec<_> = listing
        .identifiers
        .iter()
        .filter_map(|name| {
            let mut encoded = Identifier::new(name).ok()?.encoded();
            if !substitute.is_empty() {
                encoded = encoded.replace("%2F", substitute);
            }
            let info = inquiry.base.at(&format!("/iiif/3/{encoded}/info.json"));
            Some(json!({"identifier": name, "info": info}))
        })
        .collect();
    json!({
        "total": listing.total,
        "building": listing.building,
        "page": view.page,
        "pages": listing.total.div_ceil(PICTURES).max(1),
        "images": images,
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use hyper::header::IF_NONE_MATCH;

    use super::*;

    fn every_page() -> String {
        let listing = ListingPage {
            identifiers: vec!["a.tif".into()],
            total: 1,
            building: false,
        };
        let links = Links {
            root: "/",
            substitute: "",
        };
        html::gallery(&listing, &View::parse(""), links) + &html::viewer("a.tif", links)
    }

    #[test]
    fn every_file_that_a_page_loads_is_there() {
        let pages = every_page();
        let loaded: Vec<&str> = pages
            .split("\"/assets/")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .collect();
        assert!(loaded.len() >= 6, "{loaded:?}");
        for name in loaded {
            assert!(asset(name, &HeaderMap::new()).is_ok(), "{name}");
        }
        assert!(asset("../mod.rs", &HeaderMap::new()).is_err());
    }

    #[test]
    fn a_browser_that_has_a_file_is_told_so() {
        let first = asset("viewer.js", &HeaderMap::new()).expect("there");
        let etag = first.headers()[ETAG].clone();
        let again = |etag| asset("viewer.js", &HeaderMap::from_iter([(IF_NONE_MATCH, etag)]));
        let second = again(etag.clone()).expect("there");
        assert_eq!(second.status(), StatusCode::NOT_MODIFIED);
        assert!(second.body().bytes().is_empty());
        assert_eq!(second.headers()[ETAG], etag);
        let other = again(HeaderValue::from_static("\"0\"")).expect("there");
        assert_eq!(other.status(), StatusCode::OK);
    }

    #[test]
    fn pages_load_nothing_from_elsewhere() {
        let response = page(String::new());
        let policy = response.headers()["content-security-policy"].to_str();
        let policy = policy.expect("text");
        assert!(policy.starts_with("default-src 'none';"), "{policy}");
        assert!(policy.contains("script-src 'self';"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        let pages = every_page();
        for outside in ["http://", "https://", "\"//", "style=\"", " onclick"] {
            assert!(!pages.contains(outside), "{outside}");
        }
    }
}
