//! The `Accept` header: which media types a client takes, and how gladly.
//!
//! Source: RFC 9110 sections 12.4.2 and 12.5.1. Parameters other than `q` do not hinder a match
//! (I3-INF-02). A range that is malformed counts as absent.

/// A parsed `Accept` header.
#[derive(Debug, Clone)]
pub struct Accept(Vec<Range>);

#[derive(Debug, Clone)]
struct Range {
    kind: String,
    subtype: String,
    /// `q` in thousandths.
    weight: u16,
}

/// How gladly a media type is taken: by weight, then by how precisely it was named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Preference {
    /// `q` in thousandths, above 0.
    weight: u16,
    /// How the type was named.
    precision: Precision,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Precision {
    Any,
    Kind,
    Named,
}

impl Preference {
    /// Whether the type was named itself, not by a wildcard.
    pub(super) fn is_named(self) -> bool {
        self.precision == Precision::Named
    }

    /// Whether its weight is at least the other's, however either was named.
    pub(super) fn weighs_no_less(self, other: Self) -> bool {
        self.weight >= other.weight
    }
}

impl Accept {
    /// Reads the header's value; several lines of it may be joined by commas.
    pub fn parse(header: &str) -> Self {
        Self(
            split_unquoted(header, ',')
                .filter_map(Range::parse)
                .collect(),
        )
    }

    /// Whether HTML is asked for by name and no less than JSON: a browser's page.
    pub fn prefers_html(&self) -> bool {
        let weight = |media_type| self.preference(media_type).map_or(0, |known| known.weight);
        self.preference("text/html").is_some_and(|html| {
            html.is_named()
                && html.weight >= weight("application/json")
                && html.weight >= weight("application/problem+json")
        })
    }

    /// Whether `media_type` is asked for by its name.
    pub fn names(&self, media_type: &str) -> bool {
        self.preference(media_type)
            .is_some_and(Preference::is_named)
    }

    /// How gladly `media_type` is taken; `None` if it is not acceptable. The most precise range that
    /// matches decides.
    pub(super) fn preference(&self, media_type: &str) -> Option<Preference> {
        let (kind, subtype) = media_type.split_once('/')?;
        let matching = self.0.iter().filter_map(|range| {
            let precision = range.precision(kind, subtype)?;
            Some((precision, range.weight))
        });
        let (precision, weight) = matching.max()?;
        (weight > 0).then_some(Preference { weight, precision })
    }

    /// The most gladly taken of `offered`; the earlier one where two are equal.
    pub(super) fn best<T: Copy>(
        &self,
        offered: &[T],
        media_type: impl Fn(T) -> &'static str,
    ) -> Option<T> {
        let mut best: Option<(Preference, T)> = None;
        for &offer in offered {
            if let Some(preference) = self.preference(media_type(offer))
                && best.is_none_or(|(known, _)| preference > known)
            {
                best = Some((preference, offer));
            }
        }
        best.map(|(_, offer)| offer)
    }
}

impl Range {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = split_unquoted(text, ';');
        let (kind, subtype) = parts.next()?.trim().split_once('/')?;
        if kind.is_empty() || subtype.is_empty() || kind == "*" && subtype != "*" {
            return None;
        }
        let mut weight = 1000;
        for parameter in parts {
            if let Some((name, value)) = parameter.trim().split_once('=')
                && name.eq_ignore_ascii_case("q")
            {
                weight = parse_weight(value)?;
            }
        }
        Some(Self {
            kind: kind.to_ascii_lowercase(),
            subtype: subtype.to_ascii_lowercase(),
            weight,
        })
    }

    fn precision(&self, kind: &str, subtype: &str) -> Option<Precision> {
        match (self.kind.as_str(), self.subtype.as_str()) {
            ("*", "*") => Some(Precision::Any),
            (k, "*") if k == kind => Some(Precision::Kind),
            (k, s) if k == kind && s == subtype => Some(Precision::Named),
            _ => None,
        }
    }
}

/// Reads `qvalue`: `0` or `1` with at most three decimals, in thousandths.
fn parse_weight(value: &str) -> Option<u16> {
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths: u16 = format!("{fraction:0<3}").parse().ok()?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1000),
        _ => None,
    }
}

/// The parts between separators that stand outside quoted strings.
fn split_unquoted(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |character: char| {
        let ends = character == separator && !quoted;
        let toggles = character == '"' && !escaped;
        escaped = quoted && character == '\\' && !escaped;
        quoted ^= toggles;
        ends
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weight(header: &str, media_type: &str) -> Option<u16> {
        Accept::parse(header)
            .preference(media_type)
            .map(|preference| preference.weight)
    }

    #[test]
    fn the_most_precise_range_decides() {
        let header = "image/*;q=0.5, */*;q=0.1, image/png;q=0.2, image/gif;q=0";
        assert_eq!(weight(header, "image/jpeg"), Some(500));
        assert_eq!(weight(header, "image/png"), Some(200));
        assert_eq!(weight(header, "image/gif"), None);
        assert_eq!(weight(header, "text/html"), Some(100));
        assert_eq!(weight("text/html", "image/png"), None);
    }

    #[test]
    fn i3_inf_02_parameters_do_not_hinder_a_match() {
        let header = "application/ld+json;profile=\"a,b;q=0\\\",\";charset=utf-8;Q=0.25, text/html";
        assert_eq!(weight(header, "application/ld+json"), Some(250));
        assert_eq!(weight(header, "text/html"), Some(1000));
        assert_eq!(weight("IMAGE/PNG ; q=1.000", "image/png"), Some(1000));
    }

    #[test]
    fn a_malformed_range_counts_as_absent() {
        for header in [
            "",
            "png",
            "/",
            "image/",
            "*/png",
            "image/png;q=2",
            "image/png;q=0.1234",
            "image/png;q=-1",
            "image/png;q=1.5",
            "image/png;q=",
        ] {
            assert_eq!(weight(header, "image/png"), None, "{header}");
        }
        assert_eq!(
            weight("image/png;q=x, image/*;q=.5, */*;q=0.3", "image/png"),
            Some(300)
        );
    }

    #[test]
    fn a_page_is_for_those_who_name_it_and_take_no_document_more_gladly() {
        for (header, page) in [
            ("text/html,application/xhtml+xml,*/*;q=0.8", true),
            ("text/html,application/json", true),
            ("text/html;q=0.9,application/json", false),
            ("text/html;q=0.9,application/problem+json", false),
            ("text/html;q=0.9,application/*", false),
            ("text/html;q=0.5,*/*;q=0.4", true),
            ("text/html;q=0", false),
            ("text/*", false),
            ("*/*", false),
            ("application/json", false),
            ("", false),
        ] {
            assert_eq!(Accept::parse(header).prefers_html(), page, "{header}");
        }
        let accept = Accept::parse("application/ld+json, text/*");
        assert!(accept.names("application/ld+json") && !accept.names("text/html"));
    }

    #[test]
    fn the_earlier_offer_wins_a_tie() {
        let offered = ["image/jpeg", "image/png"];
        let best = |header| Accept::parse(header).best(&offered, |offer| offer);
        assert_eq!(best("*/*"), Some("image/jpeg"));
        assert_eq!(best("image/png, image/jpeg"), Some("image/jpeg"));
        assert_eq!(best("image/png, */*"), Some("image/png"));
        assert_eq!(best("image/png;q=0.9, */*"), Some("image/jpeg"));
        assert_eq!(best("text/plain"), None);
    }
}
