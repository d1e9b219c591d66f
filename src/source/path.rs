//! Paths below a root: the check that every path passes before any file is looked at.

use unicode_normalization::UnicodeNormalization as _;

/// Longest path that Linux opens, in bytes, its terminator excluded.
const MAX_BYTES: usize = 4095;

/// A path of one or more names, none of them empty, hidden (`.`, `..` and all that begins with a dot)
/// or with a control character: joined to a folder it climbs nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RelativePath(String);

impl RelativePath {
    /// The path, if it is one that may be opened.
    pub(super) fn new(text: String) -> Option<Self> {
        let fits = text.len() <= MAX_BYTES && !text.chars().any(char::is_control);
        let named = |name: &str| !name.is_empty() && !name.starts_with('.');
        (fits && text.split('/').all(named)).then_some(Self(text))
    }

    /// The path as text.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// `text` as it is, composed (NFC) and decomposed (NFD), without repetitions.
pub(super) fn forms(text: &str) -> Vec<String> {
    let mut forms = vec![text.to_owned()];
    if !text.is_ascii() {
        for form in [text.nfc().collect(), text.nfd().collect()] {
            if !forms.contains(&form) {
                forms.push(form);
            }
        }
    }
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names_are_paths() {
        for text in [
            "a",
            "a/b.tif",
            "ark:/1/x",
            "a b+%20",
            "日本/図.tif",
            "a..b/c.",
            "a\\b",
            "~",
            "-x",
        ] {
            assert!(RelativePath::new(text.to_owned()).is_some(), "{text}");
        }
        assert!(RelativePath::new("a".repeat(4095)).is_some());
    }

    #[test]
    fn hostile_names_are_not() {
        let wrong = [
            "", "/", ".", "..", "/a", "a/", "a//b", "./a", "a/./b", "../a", "a/../b", "a/..", ".a",
            "a/.b", "...", "..\\a", "a\0b", "a\nb", "\u{7f}", "a/\u{85}",
        ];
        for text in wrong {
            assert_eq!(RelativePath::new(text.to_owned()), None, "{text:?}");
        }
        assert_eq!(RelativePath::new("a".repeat(4096)), None);
    }

    #[test]
    fn forms_begin_with_the_text_itself() {
        assert_eq!(forms("abc"), ["abc"]);
        assert_eq!(forms("\u{e9}"), ["\u{e9}", "e\u{301}"]);
        assert_eq!(forms("e\u{301}"), ["e\u{301}", "\u{e9}"]);
        assert_eq!(
            forms("\u{e9}e\u{301}"),
            ["\u{e9}e\u{301}", "\u{e9}\u{e9}", "e\u{301}e\u{301}"]
        );
        assert_eq!(forms("図"), ["図"]);
    }
}
