//! `Accept`: which media types a client wants, and how much.
//!
//! Parameters of a media range other than `q` do not matter here, as I3-INF-02 asks. Source:
//! RFC 9110 §12.5.1.

use hyper::HeaderMap;
use hyper::header::ACCEPT;

/// The media ranges of a request with their weights in thousandths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Accept {
    ranges: Vec<(String, u16)>,
}

impl Accept {
    /// Reads all `Accept` lines; what cannot be read is left out.
    pub(super) fn read(headers: &HeaderMap) -> Self {
        let ranges = headers
            .get_all(ACCEPT)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(elements)
            .filter_map(range)
            .collect();
        Self { ranges }
    }

    /// The weight of `media` if the header names it in so many words.
    pub(super) fn named(&self, media: &str) -> Option<u16> {
        self.ranges
            .iter()
            .find(|(range, _)| range == media)
            .map(|(_, weight)| *weight)
    }

    /// The weight of `media` by its closest range; without any range, everything is welcome.
    pub(super) fn weight(&self, media: &str) -> u16 {
        if self.ranges.is_empty() {
            return 1000;
        }
        let group = media.split('/').next().unwrap_or("");
        self.named(media)
            .or_else(|| self.named(&format!("{group}/*")))
            .or_else(|| self.named("*/*"))
            .unwrap_or(0)
    }

    /// Whether the client asks for HTML by name and no less than for JSON: a browser's page.
    pub(super) fn prefers_html(&self) -> bool {
        self.named("text/html").is_some_and(|weight| {
            weight > 0
                && weight >= self.weight("application/json")
                && weight >= self.weight("application/problem+json")
        })
    }
}

/// The elements of a list header; a comma between quotes separates nothing.
fn elements(line: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    line.split(move |c| {
        quoted ^= c == '"';
        c == ',' && !quoted
    })
}

fn range(element: &str) -> Option<(String, u16)> {
    let mut parts = element.split(';').map(str::trim);
    let media = parts.next().filter(|media| media.contains('/'))?;
    let weight = parts
        .filter_map(|part| part.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("q"))
        .map_or(Some(1000), |(_, value)| thousandths(value.trim()))?;
    Some((media.to_ascii_lowercase(), weight))
}

/// `0`, `0.5`, `1.000` in thousandths.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = fraction.len() <= 3 && fraction.bytes().all(|b| b.is_ascii_digit());
    let fraction: u16 = format!("{fraction:0<3}").parse().ok().filter(|_| digits)?;
    match whole {
        "0" => Some(fraction),
        "1" if fraction == 0 => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accept(line: &str) -> Accept {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, line.parse().expect("a header value"));
        Accept::read(&headers)
    }

    #[test]
    fn the_closest_range_gives_the_weight() {
        let accept = accept("text/*;q=0.3, text/html;q=0.7, */*;q=0.5");
        assert_eq!(accept.weight("text/html"), 700);
        assert_eq!(accept.weight("text/plain"), 300);
        assert_eq!(accept.weight("image/png"), 500);
    }

    #[test]
    fn without_a_header_everything_is_welcome_and_nothing_is_named() {
        let accept = Accept::read(&HeaderMap::new());
        assert_eq!(accept.weight("image/png"), 1000);
        assert_eq!(accept.named("image/png"), None);
    }

    #[test]
    fn i3_inf_02_parameters_do_not_break_matching() {
        let accept = accept("application/ld+json;profile=\"a,b\";q=0.8, application/json; Q=0.250");
        assert_eq!(accept.named("application/ld+json"), Some(800));
        assert_eq!(accept.named("application/json"), Some(250));
    }

    #[test]
    fn a_browser_prefers_html_and_tools_do_not() {
        let page = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        assert!(accept(page).prefers_html());
        assert!(!accept("*/*").prefers_html());
        assert!(!accept("image/avif,image/webp,*/*;q=0.8").prefers_html());
        assert!(!accept("application/json, text/html;q=0.9").prefers_html());
        assert!(!accept("text/html;q=0").prefers_html());
    }

    #[test]
    fn a_weight_that_is_none_drops_its_range() {
        assert_eq!(accept("text/html;q=2").named("text/html"), None);
        assert_eq!(accept("text/html;q=0.1234").named("text/html"), None);
        assert_eq!(accept("text/html;q=1.0").named("text/html"), Some(1000));
    }
}
