//! The small words of the request grammar: unsigned integers, lists, and how a token is quoted.

use super::percent;
use crate::error::{Error, Parameter, Result};

/// An unsigned integer of the request grammar: digits only, any number of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Uint {
    /// It fits.
    Value(u32),
    /// It is more than 4294967295 (I3-GRM-06).
    TooLarge,
}

impl Uint {
    /// Reads `uint = 1*DIGIT`; `None` for anything else, a sign among it (I3-GRM-01).
    pub(super) fn parse(token: &str) -> Option<Self> {
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        // Digits alone fail to parse only by their size.
        Some(token.parse().map_or(Self::TooLarge, Self::Value))
    }

    /// The value, or the largest that there is.
    pub(super) fn saturated(self) -> u32 {
        match self {
            Self::Value(value) => value,
            Self::TooLarge => u32::MAX,
        }
    }
}

/// Exactly `N` parts between commas; `None` for more or fewer.
pub(super) fn list<const N: usize>(token: &str) -> Option<[&str; N]> {
    let mut parts = token.split(',');
    let mut list = [""; N];
    for slot in &mut list {
        *slot = parts.next()?;
    }
    parts.next().is_none().then_some(list)
}

/// Decodes one segment of a request path.
///
/// # Errors
///
/// A bad request about `parameter` when the segment is not decodable (I3-ENC-11).
pub(super) fn decode(parameter: Parameter, raw: &str) -> Result<std::borrow::Cow<'_, str>> {
    percent::decode(raw).map_err(|reason| {
        Error::bad_request(parameter, format!("the {} {reason}", parameter.name()))
    })
}

/// How many characters of a token an error repeats: enough to find the mistake, too few to abuse.
const QUOTED_CHARACTERS: usize = 40;

/// The token in quotes, printable ASCII only and not long, for public words.
pub(super) fn quoted(token: &str) -> String {
    let mut shown: String = token
        .chars()
        .take(QUOTED_CHARACTERS)
        .flat_map(char::escape_default)
        .collect();
    if token.chars().nth(QUOTED_CHARACTERS).is_some() {
        shown.push_str("...");
    }
    format!("\"{shown}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i3_grm_01_an_integer_is_digits_alone() {
        assert_eq!(Uint::parse("007"), Some(Uint::Value(7)));
        assert_eq!(Uint::parse("4294967295"), Some(Uint::Value(u32::MAX)));
        for token in ["", "+1", "-0", "1.0", " 1", "1_000", "0x10", "1e2", "٣"] {
            assert_eq!(Uint::parse(token), None, "{token}");
        }
    }

    #[test]
    fn i3_grm_06_an_integer_beyond_the_type_is_told_apart() {
        assert_eq!(Uint::parse("4294967296"), Some(Uint::TooLarge));
        assert_eq!(Uint::parse(&"9".repeat(100_000)), Some(Uint::TooLarge));
        assert_eq!(Uint::TooLarge.saturated(), u32::MAX);
    }

    #[test]
    fn a_list_has_exactly_its_parts() {
        assert_eq!(list("1,2"), Some(["1", "2"]));
        assert_eq!(list("1,"), Some(["1", ""]));
        assert_eq!(list::<2>("1"), None);
        assert_eq!(list::<2>("1,2,3"), None);
    }

    #[test]
    fn a_quoted_token_is_short_and_printable() {
        assert_eq!(quoted("a\"\u{202e}é"), "\"a\\\"\\u{202e}\\u{e9}\"");
        assert_eq!(
            quoted(&"x".repeat(41)),
            format!("\"{}...\"", "x".repeat(40))
        );
        assert_eq!(quoted(&"x".repeat(40)), format!("\"{}\"", "x".repeat(40)));
    }
}
