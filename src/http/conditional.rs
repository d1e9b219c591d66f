//! Conditional requests: is the client's copy still the answer?
//!
//! Pure. `If-None-Match` decides alone where it is present; `If-Modified-Since` otherwise. What
//! cannot be read counts as absent, so that the client gets a whole answer.
//!
//! Source: RFC 9110 §13.1.2, §13.1.3, §13.2.2.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hyper::HeaderMap;
use hyper::header::{
    CACHE_CONTROL, ETAG, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
};

use super::images::value;
use crate::error::Result;

/// Whether the client that sent `headers` holds the answer with this strong `etag` (quotes
/// included), which last changed at `last_modified`.
pub(super) fn unchanged(headers: &HeaderMap, etag: &str, last_modified: SystemTime) -> bool {
    if headers.contains_key(IF_NONE_MATCH) {
        return holds(headers, etag);
    }
    let mut dates = headers.get_all(IF_MODIFIED_SINCE).iter();
    let (Some(date), None) = (dates.next(), dates.next()) else {
        return false;
    };
    date.to_str()
        .ok()
        .and_then(|text| httpdate::parse_http_date(text).ok())
        .is_some_and(|since| whole_seconds(last_modified) <= since)
}

/// Whether the client that sent `headers` says that it holds the answer with this strong `etag`
/// (quotes included); for answers without a date.
pub(super) fn holds(headers: &HeaderMap, etag: &str) -> bool {
    headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|list| names(list, etag))
}

/// Puts the validators of an answer, and how long it may be kept, into `headers`.
///
/// # Errors
///
/// An internal error if the entity tag is no header value.
pub(super) fn describe(
    headers: &mut HeaderMap,
    etag: &str,
    last_modified: SystemTime,
    cache: Option<&HeaderValue>,
) -> Result<()> {
    // A time to come is told as now (RFC 9110 §8.8.2.1).
    let past = last_modified.min(SystemTime::now());
    let date = httpdate::fmt_http_date(whole_seconds(past));
    headers.insert(ETAG, value(etag.to_owned())?);
    headers.insert(LAST_MODIFIED, value(date)?);
    if let Some(cache) = cache {
        headers.insert(CACHE_CONTROL, cache.clone());
    }
    Ok(())
}

/// The time that `Last-Modified` can carry: HTTP dates have no fractions.
fn whole_seconds(time: SystemTime) -> SystemTime {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    UNIX_EPOCH + Duration::from_secs(since.as_secs())
}

/// Whether one of the entity tags in `list` is `etag` by weak comparison, or `list` is `*`.
fn names(list: &str, etag: &str) -> bool {
    if list.trim() == "*" {
        return true;
    }
    let mut rest = list;
    while let Some((tag, after)) = next_tag(rest) {
        if tag == etag {
            return true;
        }
        rest = after;
    }
    false
}

/// The next entity tag with its quotes, without `W/`, and what follows it.
///
/// A comma may stand inside the quotes, so the list is not split at commas.
fn next_tag(list: &str) -> Option<(&str, &str)> {
    let list = list.trim_start_matches([' ', '\t', ',']);
    let tag = list.strip_prefix("W/").unwrap_or(list);
    let inner = tag.strip_prefix('"')?;
    let close = inner.find('"')?;
    tag.split_at_checked(close + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAG: &str = "\"abc\"";

    fn holds(pairs: &[(&'static str, &str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().expect("a header value"));
        }
        let modified = UNIX_EPOCH + Duration::new(784_111_777, 600_000_000);
        unchanged(&headers, TAG, modified)
    }

    #[test]
    fn entity_tags_are_compared_weakly_and_whole() {
        assert!(holds(&[("if-none-match", "\"abc\"")]));
        assert!(holds(&[("if-none-match", "W/\"abc\"")]));
        assert!(holds(&[("if-none-match", "*")]));
        assert!(holds(&[("if-none-match", "\"x,\\\", W/\"y\" ,\"abc\"")]));
        assert!(!holds(&[("if-none-match", "\"ab\"")]));
        assert!(!holds(&[("if-none-match", "\"abc\\\"")]));
        assert!(!holds(&[("if-none-match", "abc")]));
        assert!(!holds(&[("if-none-match", "w/\"abc\"")]));
        assert!(!holds(&[("if-none-match", "\"a,\"abc")]));
        assert!(!holds(&[("if-none-match", "")]));
        assert!(!holds(&[("if-none-match", "\"")]));
    }

    #[test]
    fn a_list_over_several_lines_counts_as_one() {
        assert!(holds(&[
            ("if-none-match", "\"x\""),
            ("if-none-match", "\"abc\"")
        ]));
    }

    #[test]
    fn not_newer_than_the_date_is_unchanged() {
        let date = "if-modified-since";
        assert!(holds(&[(date, "Sun, 06 Nov 1994 08:49:37 GMT")]));
        assert!(holds(&[(date, "Sun, 06 Nov 1994 08:49:38 GMT")]));
        assert!(holds(&[(date, "Sunday, 06-Nov-94 08:49:37 GMT")]));
        assert!(!holds(&[(date, "Sun, 06 Nov 1994 08:49:36 GMT")]));
        assert!(!holds(&[(date, "yesterday")]));
        assert!(!holds(&[]));
    }

    #[test]
    fn an_entity_tag_that_differs_overrules_the_date() {
        assert!(!holds(&[
            ("if-none-match", "\"old\""),
            ("if-modified-since", "Sun, 06 Nov 2044 08:49:37 GMT"),
        ]));
    }

    #[test]
    fn two_dates_are_no_date() {
        let date = ("if-modified-since", "Sun, 06 Nov 2044 08:49:37 GMT");
        assert!(holds(&[date]));
        assert!(!holds(&[date, date]));
    }
}
