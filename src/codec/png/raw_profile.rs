//! Bytes as the text of a PNG, in the form that `ImageMagick` gave to profiles and others read.
//!
//! PNG has no chunk for IPTC records; this is where readers look for them. The text is a name, a length,
//! and digits of sixteen in lines.

use std::fmt::Write as _;

/// The keyword of the text that holds IPTC records.
pub(super) const IPTC_KEYWORD: &str = "Raw profile type iptc";

/// Bytes of a line.
const LINE: usize = 36;

/// The text for `bytes`.
pub(super) fn written(bytes: &[u8]) -> String {
    let mut text = format!("\niptc\n{:>8}\n", bytes.len());
    for line in bytes.chunks(LINE) {
        for byte in line {
            let _ = write!(text, "{byte:02x}");
        }
        text.push('\n');
    }
    text
}

/// The bytes of `text`; `None` where it is not of this form, or not as long as it says.
pub(super) fn read(text: &str) -> Option<Vec<u8>> {
    let mut lines = text.strip_prefix('\n')?.splitn(3, '\n');
    let (_name, length, digits) = (lines.next()?, lines.next()?, lines.next()?);
    let digits: Vec<u8> = digits
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    let value = |digit: u8| u8::try_from(char::from(digit).to_digit(16)?).ok();
    let bytes: Option<Vec<u8>> = digits
        .chunks(2)
        .map(|pair| match *pair {
            [high, low] => Some(value(high)? << 4 | value(low)?),
            _ => None,
        })
        .collect();
    bytes.filter(|bytes| length.trim().parse() == Ok(bytes.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let all: Vec<u8> = (0..=255).collect();
        for length in [0, 1, 35, 36, 37, 256] {
            let bytes = &all[..length];
            assert_eq!(read(&written(bytes)).as_deref(), Some(bytes));
        }
        assert_eq!(written(b"\x1c\x02"), "\niptc\n       2\n1c02\n");
    }

    #[test]
    fn other_texts_are_no_profile() {
        for text in [
            "",
            "\n",
            "\niptc\n2\n",
            "\niptc\n2\n1c0",
            "\niptc\n1\n1g\n",
            "a\n1\n1c",
        ] {
            assert_eq!(read(text), None, "{text:?}");
        }
        assert_eq!(read("\nIPTC profile\n   1\nFF\n"), Some(vec![255]));
    }
}
