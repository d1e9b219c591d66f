//! The start page and the viewer as plain HTML: everything works without scripts but zooming.
//!
//! Names are text that anybody may have chosen: they are escaped here, and their direction is their
//! own. Which addresses there are is left to [`Links`].

use std::fmt::Write as _;

use super::super::problem::escape;
use super::links::Links;
use super::view::{PICTURES, View};
use crate::service::ListingPage;

/// One page of the collection.
pub(super) fn gallery(listing: &ListingPage, view: &View, links: Links<'_>) -> String {
    let counting = listing.building && listing.identifiers.is_empty();
    let extra = if counting { LOOK_AGAIN } else { "" };
    let mut html = head("Triforium", extra, links);
    search(&mut html, listing, view, links);
    html.push_str("<main id=\"collection\">\n");
    if listing.identifiers.is_empty() {
        nothing(&mut html, listing, view, links);
    } else {
        html.push_str("<ul class=\"gallery\">\n");
        for identifier in &listing.identifiers {
            card(&mut html, identifier, links);
        }
        html.push_str("</ul>\n");
    }
    paging(&mut html, listing, view, links);
    let _ = write!(
        html,
        "</main>\n<footer class=\"quiet\">The same list as JSON: ask this address with \
         <code>Accept: application/json</code>. The viewer is OpenSeadragon \
         (<a href=\"{license}\">licence</a>).</footer>\n\
         <p id=\"said\" class=\"unseen\" role=\"status\"></p>\n{script}</body></html>\n",
        license = links.asset("openseadragon-license.txt"),
        script = script("gallery.js", links),
    );
    html
}

/// The page that opens one picture.
pub(super) fn viewer(identifier: &str, links: Links<'_>) -> String {
    let name = escape(identifier);
    let mut html = head(&format!("{name} · Triforium"), "", links);
    let _ = write!(
        html,
        "<body class=\"viewer\">\n<header><a class=\"button\" href=\"{root}\">All pictures</a>\
         <h1 dir=\"auto\" title=\"{name}\">{name}</h1>\
         <span class=\"links\">{document}</span>\n<div role=\"toolbar\" aria-label=\"Picture\">\
         <button id=\"closer\" aria-label=\"Closer\" title=\"Closer\" disabled>+</button>\
         <button id=\"further\" aria-label=\"Further\" title=\"Further\" disabled>−</button>\
         <button id=\"home\" title=\"The whole picture\" disabled>Whole</button>\
         <button id=\"pixels\" title=\"Every pixel of the master\" disabled>1:1</button>\
         <button id=\"turn\" title=\"A quarter turn\" disabled>Turn</button>\
         <button id=\"wide\" title=\"Full screen\" disabled>Full screen</button></div></header>\n\
         <main id=\"picture\" data-info=\"{info}\" data-name=\"{name}\"><noscript><p>Zooming needs \
         scripts; <a href=\"{still}\">look at a smaller picture</a>.</p></noscript></main>\n\
         <p id=\"said\" class=\"unseen\" role=\"status\"></p>\n<script defer src=\"{library}\"></script>\n{own}{copy}</body></html>\n",
        root = links.root,
        document = document(identifier, links),
        info = links.info(identifier),
        still = links.still(identifier),
        library = links.asset("openseadragon.min.js"),
        own = script("viewer.js", links),
        copy = script("gallery.js", links),
    );
    html
}

/// A page that is shown while folders are walked asks again by itself, without scripts too.
const LOOK_AGAIN: &str = "<meta http-equiv=\"refresh\" content=\"1\">\n";

fn head(title: &str, extra: &str, links: Links<'_>) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <link rel=\"icon\" href=\"data:,\">\n{extra}\
         <link rel=\"stylesheet\" href=\"{style}\"></head>\n",
        style = links.asset("style.css"),
    )
}

fn script(name: &str, links: Links<'_>) -> String {
    format!(
        "<script type=\"module\" src=\"{}\"></script>\n",
        links.asset(name)
    )
}

/// The head of the start page: its name, how much there is, and the box that filters.
fn search(html: &mut String, listing: &ListingPage, view: &View, links: Links<'_>) {
    let _ = write!(
        html,
        "<body>\n<header><h1><a href=\"{root}\">Triforium</a></h1>\
         <span id=\"count\" class=\"quiet\" role=\"status\">{count}</span>\n\
         <form action=\"{root}\" role=\"search\"><input type=\"search\" name=\"q\" value=\"{filter}\" \
         placeholder=\"Part of a name\" aria-label=\"Filter by part of a name\" autocomplete=\"off\" \
         spellcheck=\"false\"><button>Filter</button></form></header>\n",
        root = links.root,
        count = count(listing),
        filter = escape(&view.filter),
    );
}

fn count(listing: &ListingPage) -> String {
    if listing.building {
        return "Counting …".to_owned();
    }
    match listing.total {
        1 => "1 picture".to_owned(),
        total => format!("{} pictures", grouped(total)),
    }
}

/// A number with a thin space at every thousand.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len());
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// Why there is no picture to see, and what can be done about it.
fn nothing(html: &mut String, listing: &ListingPage, view: &View, links: Links<'_>) {
    let root = links.root;
    let words = if listing.building {
        "<h2>Still counting</h2><p>The folders are being read for the first time. This page looks \
         again by itself.</p>"
            .to_owned()
    } else if listing.total > 0 {
        format!(
            "<h2>There is no page {}</h2><p><a href=\"{}\">Go to the first page</a></p>",
            view.page,
            links.page(&view.filter, 1)
        )
    } else if view.filter.is_empty() {
        "<h2>No pictures yet</h2><p>Put TIFF, JPEG 2000, JPEG, PNG, WebP, GIF or BMP files into the \
         folder that is served; they appear here within a minute.</p>"
            .to_owned()
    } else {
        let filter = escape(&view.filter);
        format!(
            "<h2>No name contains <q><bdi>{filter}</bdi></q></h2>\
             <p><a href=\"{root}\">Show all pictures</a></p>"
        )
    };
    let _ = writeln!(html, "<div class=\"nothing\">{words}</div>");
}

fn card(html: &mut String, identifier: &str, links: Links<'_>) {
    let _ = writeln!(
        html,
        "<li><a class=\"picture\" href=\"{view}\"><span class=\"frame\"><img loading=\"lazy\" alt=\"\" \
         src=\"{thumbnail}\"></span><span class=\"name\" dir=\"auto\" title=\"{name}\">{name}</span></a>\
         <span class=\"links\">{document}</span></li>",
        view = links.view(identifier),
        thumbnail = links.thumbnail(identifier),
        name = escape(identifier),
        document = document(identifier, links),
    );
}

/// The link to an information document, and a button that copies it, which a script shows.
fn document(identifier: &str, links: Links<'_>) -> String {
    let (info, name) = (links.info(identifier), escape(identifier));
    format!(
        "<a href=\"{info}\" aria-label=\"info.json of {name}\">info.json</a>\
         <button data-copy=\"{info}\" aria-label=\"Copy the address of info.json of {name}\" hidden>\
         Copy</button>"
    )
}

fn paging(html: &mut String, listing: &ListingPage, view: &View, links: Links<'_>) {
    let pages = listing.total.div_ceil(PICTURES).max(1);
    if listing.identifiers.is_empty() || pages == 1 {
        return;
    }
    let link = |shown: bool, page: usize, relation: &str, words: &str| {
        let address = links.page(&view.filter, page);
        let link = format!("<a class=\"button\" rel=\"{relation}\" href=\"{address}\">{words}</a>");
        if shown { link } else { String::new() }
    };
    let (page, last) = (view.page, view.page == pages);
    let _ = writeln!(
        html,
        "<nav class=\"paging\" aria-label=\"Pages\">{}{}<span>Page {} of {}</span>{}{}</nav>",
        link(page > 2, 1, "first", "First"),
        link(page > 1, page - 1, "prev", "Previous"),
        grouped(page),
        grouped(pages),
        link(!last, page + 1, "next", "Next"),
        link(page + 1 < pages, pages, "last", "Last"),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINKS: Links<'static> = Links {
        root: "/",
        substitute: "",
    };

    fn listing(identifiers: &[&str], total: usize) -> ListingPage {
        ListingPage {
            identifiers: identifiers.iter().map(|id| (*id).to_owned()).collect(),
            total,
            building: false,
        }
    }

    #[test]
    fn names_mean_nothing_in_html() {
        let page = gallery(&listing(&["<script>\"&.tif"], 1), &View::parse(""), LINKS);
        assert!(!page.contains("<script>\""), "{page}");
        assert!(page.contains("%3Cscript%3E%22%26.tif/info.json"), "{page}");
        let page = viewer("a\"><img src=x>", LINKS);
        assert!(!page.contains("<img src=x>"), "{page}");
        let page = gallery(&listing(&[], 0), &View::parse("q=<b>\"x"), LINKS);
        assert!(!page.contains("<b>"), "{page}");
        assert!(!page.contains("\"x"), "{page}");
    }

    #[test]
    fn pages_are_linked_under_a_prefix() {
        let view = View::parse("q=a%26b&page=2");
        let links = Links {
            root: "/scans/",
            substitute: "",
        };
        let page = gallery(&listing(&["a&b.tif"], 200), &view, links);
        for (relation, number) in [("prev", 1), ("next", 3), ("last", 4)] {
            let link = format!("rel=\"{relation}\" href=\"/scans/?q=a%26b&amp;page={number}\"");
            assert!(page.contains(&link), "{link} is not in {page}");
        }
        assert!(page.contains("Page 2 of 4"));
    }

    #[test]
    fn an_empty_page_says_why() {
        let said = |listing: &ListingPage, query| gallery(listing, &View::parse(query), LINKS);
        let mut empty = listing(&[], 0);
        assert!(said(&empty, "").contains("No pictures yet"));
        assert!(said(&empty, "q=x").contains("No name contains"));
        assert!(said(&listing(&[], 61), "page=9").contains("There is no page 9"));
        assert!(!said(&empty, "").contains("http-equiv"));
        empty.building = true;
        assert!(said(&empty, "").contains("http-equiv=\"refresh\""));
    }

    #[test]
    fn numbers_are_read_in_thousands() {
        let said = [7, 130, 1000, 1_000_000].map(grouped);
        assert_eq!(
            said,
            ["7", "130", "1\u{202f}000", "1\u{202f}000\u{202f}000"]
        );
    }
}
