//! The start page and the viewer as plain HTML: everything works without scripts but zooming.

use std::fmt::Write as _;

use crate::iiif::Identifier;
use crate::service::ListingPage;

/// Pictures on one page of the collection.
pub(in crate::http) const PICTURES: usize = 60;

/// Longest side of a thumbnail, in pixels.
const THUMBNAIL_PX: u32 = 240;

/// What a reader asked to see of the collection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::http) struct View {
    /// Part of the identifiers; empty for all.
    pub(in crate::http) filter: String,
    /// Page, from 1.
    pub(in crate::http) page: usize,
}

impl View {
    /// The view that a query string asks for: `q=filter&page=2`.
    pub(in crate::http) fn parse(query: &str) -> Self {
        let value = |name: &str| {
            query
                .split('&')
                .filter_map(|pair| pair.split_once('='))
                .find(|(key, _)| *key == name)
                .map(|(_, value)| decode(value))
        };
        Self {
            filter: value("q").unwrap_or_default(),
            page: value("page")
                .and_then(|page| page.parse().ok())
                .unwrap_or(1)
                .max(1),
        }
    }

    /// Pictures before this page.
    pub(in crate::http) fn offset(&self) -> usize {
        (self.page - 1).saturating_mul(PICTURES)
    }
}

/// A value of a query string: `+` is a space, escapes are bytes of UTF-8.
///
/// Source: WHATWG URL, application/x-www-form-urlencoded parsing.
pub(in crate::http) fn decode(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let escaped = (first == b'%')
            .then(|| after.get(..2))
            .flatten()
            .and_then(|two| std::str::from_utf8(two).ok())
            .and_then(|two| u8::from_str_radix(two, 16).ok());
        if let Some(byte) = escaped {
            bytes.push(byte);
            rest = after.get(2..).unwrap_or_default();
        } else {
            bytes.push(if first == b'+' { b' ' } else { first });
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// One page of the collection. `root` is the path of the start page, with a slash at its end.
pub(in crate::http) fn gallery(listing: &ListingPage, view: &View, root: &str) -> String {
    let mut html = head("Triforium", root);
    let filter = escape(&view.filter);
    let _ = write!(
        html,
        "<body>\n<header><h1>Triforium</h1><span class=\"quiet\">{count}</span>\n\
         <form action=\"{root}\" role=\"search\"><input type=\"search\" name=\"q\" value=\"{filter}\" \
         placeholder=\"Part of a name\" aria-label=\"Filter by part of a name\">\
         <button>Filter</button></form></header>\n<main><ul class=\"gallery\">\n",
        count = escape(&count(listing)),
    );
    for identifier in &listing.identifiers {
        card(&mut html, identifier, root);
    }
    html.push_str("</ul>\n");
    paging(&mut html, listing, view, root);
    let _ = write!(
        html,
        "</main>\n<footer class=\"quiet\">The same list as JSON: ask this address with \
         <code>Accept: application/json</code>.</footer>\n\
         <script src=\"{root}assets/gallery.js\" defer></script>\n</body></html>\n"
    );
    html
}

/// The page that opens one picture.
pub(in crate::http) fn viewer(identifier: &str, root: &str) -> String {
    let mut html = head(&escape(identifier), root);
    let info = info_address(identifier, root);
    let _ = write!(
        html,
        "<body class=\"viewer\">\n<header><a class=\"button\" href=\"{root}\">All pictures</a>\
         <h1>{name}</h1><nav aria-label=\"Picture\">\
         <button id=\"closer\" title=\"Closer\">+</button><button id=\"further\" title=\"Further\">−</button>\
         <button id=\"home\">Whole</button><button id=\"pixels\">1:1</button>\
         <button id=\"turn\">Turn</button><button id=\"wide\">Full screen</button>\
         <a class=\"button\" href=\"{info}\">info.json</a>\
         <button data-copy=\"{info}\" hidden>copy</button></nav></header>\n\
         <div id=\"picture\" data-info=\"{info}\" tabindex=\"0\"><noscript>Zooming needs scripts; \
         <a href=\"{root}iiif/3/{encoded}/full/!1200,1200/0/default.jpg\">look at a picture of 1200 pixels\
         </a>.</noscript></div>\n\
         <script src=\"{root}assets/openseadragon.min.js\" defer></script>\n\
         <script src=\"{root}assets/viewer.js\" defer></script>\n\
         <script src=\"{root}assets/gallery.js\" defer></script>\n</body></html>\n",
        name = escape(identifier),
        encoded = encode(identifier),
    );
    html
}

fn head(title: &str, root: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <link rel=\"icon\" href=\"data:,\">\n\
         <link rel=\"stylesheet\" href=\"{root}assets/style.css\"></head>\n"
    )
}

fn count(listing: &ListingPage) -> String {
    let found = match listing.total {
        1 => "1 picture".to_owned(),
        total => format!("{total} pictures"),
    };
    if listing.building {
        format!("{found}, still counting")
    } else {
        found
    }
}

fn card(html: &mut String, identifier: &str, root: &str) {
    let encoded = encode(identifier);
    let info = info_address(identifier, root);
    let _ = writeln!(
        html,
        "<li><a class=\"picture\" href=\"{root}view?id={encoded}\"><img loading=\"lazy\" alt=\"\" \
         src=\"{root}iiif/3/{encoded}/full/!{THUMBNAIL_PX},{THUMBNAIL_PX}/0/default.jpg\"></a>\
         <a class=\"name\" href=\"{root}view?id={encoded}\">{name}</a>\
         <span class=\"links\"><a href=\"{info}\">info.json</a>\
         <button data-copy=\"{info}\" hidden>copy</button></span></li>",
        name = escape(identifier),
    );
}

fn paging(html: &mut String, listing: &ListingPage, view: &View, root: &str) {
    let pages = listing.total.div_ceil(PICTURES).max(1);
    if pages == 1 && view.page == 1 {
        return;
    }
    let filter = encode(&view.filter);
    let link = |page: usize, words: &str| {
        format!("<a class=\"button\" href=\"{root}?q={filter}&amp;page={page}\">{words}</a>")
    };
    html.push_str("<nav class=\"paging\" aria-label=\"Pages\">");
    if view.page > 1 {
        html.push_str(&link(view.page - 1, "Earlier"));
    }
    let _ = write!(html, "<span>Page {} of {pages}</span>", view.page);
    if view.page < pages {
        html.push_str(&link(view.page + 1, "Later"));
    }
    html.push_str("</nav>\n");
}

fn info_address(identifier: &str, root: &str) -> String {
    format!("{root}iiif/3/{}/info.json", encode(identifier))
}

fn encode(text: &str) -> String {
    // `&` and `+` mean something in a query and `'` in an attribute; in a path they may be escaped too.
    Identifier::new(text)
        .map(|identifier| identifier.encoded())
        .unwrap_or_default()
        .replace('&', "%26")
        .replace('+', "%2B")
        .replace('\'', "%27")
}

/// Text that means nothing in HTML.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(identifiers: &[&str], total: usize) -> ListingPage {
        ListingPage {
            identifiers: identifiers.iter().map(|id| (*id).to_owned()).collect(),
            total,
            building: false,
        }
    }

    #[test]
    fn names_mean_nothing_in_html() {
        let page = gallery(&listing(&["<script>\"&.tif"], 1), &View::parse(""), "/");
        assert!(!page.contains("<script>\""), "{page}");
        assert!(page.contains("%3Cscript%3E%22%26.tif/info.json"), "{page}");
        let page = viewer("a\"><img src=x>", "/");
        assert!(!page.contains("<img src=x>"), "{page}");
    }

    #[test]
    fn a_view_comes_from_the_query() {
        let view = View::parse("q=livre+d%27heures%20%C3%A9&page=3");
        assert_eq!(view.filter, "livre d'heures é");
        assert_eq!((view.page, view.offset()), (3, 120));
        assert_eq!(View::parse("page=0&q").page, 1);
        assert_eq!(decode("100%"), "100%");
    }

    #[test]
    fn pages_are_linked_under_a_prefix() {
        let view = View::parse("q=a%26b&page=2");
        let page = gallery(&listing(&["a&b.tif"], 200), &view, "/scans/");
        assert!(
            page.contains("href=\"/scans/?q=a%26b&amp;page=1\""),
            "{page}"
        );
        assert!(
            page.contains("href=\"/scans/?q=a%26b&amp;page=3\""),
            "{page}"
        );
        assert!(page.contains("Page 2 of 4"));
    }
}
