//! Percent-encoding of path components: decoded exactly once, encoded canonically.
//!
//! Splitting the raw path at its slashes is left to the caller and comes first (I3-ENC-05). A decoded
//! component is valid UTF-8 without control characters.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Decodes a raw path component once; the error says what is wrong with it.
///
/// `+` stays a plus sign. Source: I3-ENC-04, I3-ENC-08, I3-ENC-11; RFC 3986 section 2.1.
pub(super) fn decode(raw: &str) -> Result<Cow<'_, str>, &'static str> {
    let text = if raw.contains('%') {
        String::from_utf8(decode_bytes(raw.as_bytes())?)
            .map(Cow::Owned)
            .map_err(drop_bytes)?
    } else {
        Cow::Borrowed(raw)
    };
    if text.chars().any(char::is_control) {
        return Err("contains a control character");
    }
    Ok(text)
}

/// Encodes a component as I3-ENC-03 asks: `/ ? # [ ] @ %` and everything beyond ASCII, and besides
/// these what RFC 3986 forbids raw in a path: space, `" < > \ ^ { | }`, the backtick and controls.
pub(super) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if stays(byte) {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").expect("a String takes every write");
        }
    }
    encoded
}

const fn stays(byte: u8) -> bool {
    byte.is_ascii_graphic()
        && !matches!(
            byte,
            b'/' | b'?'
                | b'#'
                | b'['
                | b']'
                | b'@'
                | b'%'
                | b'"'
                | b'<'
                | b'>'
                | b'\\'
                | b'^'
                | b'`'
                | b'{'
                | b'|'
                | b'}'
        )
}

fn decode_bytes(raw: &[u8]) -> Result<Vec<u8>, &'static str> {
    let mut decoded = Vec::with_capacity(raw.len());
    let mut rest = raw.iter().copied();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            decoded.push(escaped(rest.next(), rest.next()).ok_or(MALFORMED)?);
        } else {
            decoded.push(byte);
        }
    }
    Ok(decoded)
}

const MALFORMED: &str = "contains a percent sign without two hexadecimal digits after it";

fn escaped(high: Option<u8>, low: Option<u8>) -> Option<u8> {
    Some(nibble(high?)? * 16 + nibble(low?)?)
}

const fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

fn drop_bytes(_: std::string::FromUtf8Error) -> &'static str {
    "is not valid UTF-8 after decoding"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i3_enc_11_malformed_escapes_are_refused() {
        for raw in [
            "%", "%2", "%zz", "a%", "a%4", "%%41", "%+1", "%-1", "% 1", "%é",
        ] {
            assert_eq!(decode(raw), Err(MALFORMED), "{raw}");
        }
    }

    #[test]
    fn i3_enc_11_control_characters_are_refused() {
        for raw in ["%00", "a%0Ab", "%7f", "%1F", "%C2%85", "\u{7f}"] {
            assert_eq!(decode(raw), Err("contains a control character"), "{raw}");
        }
    }

    #[test]
    fn i3_enc_11_bytes_that_are_not_utf_8_are_refused() {
        // A lone byte, an overlong slash, an overlong NUL, a surrogate, a code point beyond Unicode.
        for raw in [
            "%FF",
            "%C0%AF",
            "%C0%80",
            "%E0%80%AF",
            "%ED%A0%80",
            "%F4%90%80%80",
            "%C3",
        ] {
            assert_eq!(
                decode(raw),
                Err("is not valid UTF-8 after decoding"),
                "{raw}"
            );
        }
    }

    #[test]
    fn i3_enc_04_any_character_may_come_encoded_in_either_case() {
        assert_eq!(decode("%2d%2D%3a%2C%21%5E%5e").as_deref(), Ok("--:,!^^"));
        assert_eq!(decode("%C3%A9").as_deref(), Ok("é"));
    }

    #[test]
    fn i3_enc_08_a_plus_is_a_plus() {
        assert_eq!(decode("a+b%2Bc").as_deref(), Ok("a+b+c"));
    }

    #[test]
    fn i3_enc_05_decoding_happens_once() {
        assert_eq!(decode("%253C").as_deref(), Ok("%3C"));
        assert_eq!(decode("%25252F").as_deref(), Ok("%252F"));
    }

    #[test]
    fn i3_enc_03_exactly_the_listed_characters_are_encoded() {
        assert_eq!(encode("/?#[]@%"), "%2F%3F%23%5B%5D%40%25");
        assert_eq!(encode(" \"<>\\^`{|}"), "%20%22%3C%3E%5C%5E%60%7B%7C%7D");
        assert_eq!(encode("é"), "%C3%A9");
        let untouched = "azAZ09-._~!$&'()*+,;=:";
        assert_eq!(encode(untouched), untouched);
    }
}
