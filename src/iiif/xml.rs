//! Text inside XML documents.

/// The namespace of the documents of Image API 1.0 (I10-XML-01, I10-ERR-01).
pub(super) const NAMESPACE: &str = "http://library.stanford.edu/iiif/image-api/ns/";

/// `text` as element content: markup escaped, characters that XML 1.0 has no room for replaced.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\t' | '\n' => escaped.push(character),
            '\0'..' ' | '\u{FFFE}' | '\u{FFFF}' => escaped.push(char::REPLACEMENT_CHARACTER),
            _ => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn markup_is_escaped_and_impossible_characters_replaced() {
        assert_eq!(escape("a<b>&\"é\t]]>"), "a&lt;b&gt;&amp;\"é\t]]&gt;");
        assert_eq!(escape("\0\u{1}\u{FFFE}\u{FFFF}\r"), "\u{FFFD}".repeat(5));
    }
}
