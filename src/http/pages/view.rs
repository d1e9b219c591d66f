//! A query string → which part of the collection a reader asked to see.

/// Pictures on one page of the collection.
pub(super) const PICTURES: usize = 60;

/// What a reader asked to see of the collection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct View {
    /// Part of the identifiers; empty for all.
    pub(super) filter: String,
    /// Page, from 1.
    pub(super) page: usize,
}

impl View {
    /// The view that a query string asks for: `q=filter&page=2`.
    pub(super) fn parse(query: &str) -> Self {
        Self {
            filter: value(query, "q").unwrap_or_default(),
            page: value(query, "page")
                .and_then(|page| page.parse().ok())
                .unwrap_or(1)
                .max(1),
        }
    }

    /// Pictures before this page.
    pub(super) fn offset(&self) -> usize {
        (self.page - 1).saturating_mul(PICTURES)
    }
}

/// The first value of `name` in a query string.
pub(in crate::http) fn value(query: &str, name: &str) -> Option<String> {
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| decode(value))
}

/// A value of a query string: `+` is a space, escapes are bytes of UTF-8.
///
/// Source: WHATWG URL, application/x-www-form-urlencoded parsing.
fn decode(value: &str) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_comes_from_the_query() {
        let view = View::parse("q=livre+d%27heures%20%C3%A9&page=3");
        assert_eq!(view.filter, "livre d'heures é");
        assert_eq!((view.page, view.offset()), (3, 120));
        assert_eq!(View::parse("page=0&q").page, 1);
        assert_eq!(decode("100%"), "100%");
        assert_eq!(value("id=a%2Fb.tif", "id").as_deref(), Some("a/b.tif"));
        assert_eq!(value("xid=a", "id"), None);
    }
}
