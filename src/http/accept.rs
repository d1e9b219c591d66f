//! The `Accept` header of a request, in one line.

use hyper::HeaderMap;
use hyper::header::ACCEPT;

use crate::iiif::Accept;

/// All `Accept` lines as one; `None` without any that can be read.
///
/// Source: RFC 9110 §5.3: several lines of a list are one list.
pub(super) fn line(headers: &HeaderMap) -> Option<String> {
    let lines: Vec<&str> = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect();
    (!lines.is_empty()).then(|| lines.join(", "))
}

/// Whether HTML is asked for by name and no less than JSON.
pub(super) fn prefers_html(headers: &HeaderMap) -> bool {
    line(headers).is_some_and(|line| Accept::parse(&line).prefers_html())
}

/// Whether JSON is asked for by name and more than HTML.
pub(super) fn prefers_json(headers: &HeaderMap) -> bool {
    line(headers).is_some_and(|line| {
        let accept = Accept::parse(&line);
        accept.names("application/json") && !accept.prefers_html()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(ACCEPT, line.parse().expect("a header value"));
        }
        headers
    }

    #[test]
    fn a_browser_prefers_html_and_tools_do_not() {
        let page = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        assert!(prefers_html(&headers(&[page])));
        assert!(prefers_html(&headers(&["text/html", "*/*;q=0.1"])));
        for other in [
            "*/*",
            "image/avif,image/webp,*/*;q=0.8",
            "application/json, text/html;q=0.9",
            "text/html;q=0",
            "text/html;q=2",
        ] {
            assert!(!prefers_html(&headers(&[other])), "{other}");
        }
        assert!(!prefers_html(&headers(&[])));
    }

    #[test]
    fn json_has_to_be_asked_for() {
        assert!(prefers_json(&headers(&["application/json"])));
        assert!(prefers_json(&headers(&[
            "text/html;q=0.5, application/json"
        ])));
        assert!(!prefers_json(&headers(&[
            "text/html, application/json;q=0.5"
        ])));
        assert!(!prefers_json(&headers(&["*/*"])));
        assert!(!prefers_json(&headers(&[])));
    }
}
