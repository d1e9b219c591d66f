//! Paths inside a root, as identifiers spell them.

use std::path::Path;

use unicode_normalization::{IsNormalized, UnicodeNormalization as _, is_nfc_quick};

/// Longest path that is tried, in bytes. Source: Linux, `PATH_MAX`.
const MAX_PATH_BYTES: usize = 4095;
/// Longest name in a path, in bytes. Source: Linux, `NAME_MAX`.
const MAX_NAME_BYTES: usize = 255;

/// A relative path that cannot leave its root by its own words: no empty name, no `.` or `..`, none
/// that begins with a dot (hidden files are not served), no NUL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct InnerPath(String);

impl InnerPath {
    /// `path` if it is one.
    pub(super) fn new(path: &str) -> Option<Self> {
        let fits = path.len() <= MAX_PATH_BYTES && !path.contains('\0');
        let plain =
            |name: &str| !name.is_empty() && !name.starts_with('.') && name.len() <= MAX_NAME_BYTES;
        (fits && path.split('/').all(plain)).then(|| Self(path.to_owned()))
    }

    /// The path for the system.
    pub(super) fn as_path(&self) -> &Path {
        Path::new(&self.0)
    }

    /// The path's names in order.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }

    /// The path itself, then its other normal forms: names come from people, files from systems that
    /// compose letters or take them apart.
    ///
    /// Source: Unicode Standard Annex 15, forms C and D.
    pub(super) fn spellings(&self) -> Vec<Self> {
        let mut spellings = vec![self.clone()];
        if self.0.is_ascii() {
            return spellings;
        }
        let composed: String = self.0.nfc().collect();
        let apart: String = self.0.nfd().collect();
        debug_assert_ne!(is_nfc_quick(composed.chars()), IsNormalized::No);
        for other in [composed, apart] {
            spellings.extend(Self::new(&other).filter(|other| !spellings.contains(other)));
        }
        spellings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_could_leave_its_root_is_none() {
        for path in [
            "",
            "/",
            "/etc/passwd",
            "..",
            "../a",
            "a/..",
            "a/../b",
            "a//b",
            "a/",
            ".",
            "./a",
            "a/./b",
            ".hidden",
            "a/.git/config",
            "a\0b",
        ] {
            assert_eq!(InnerPath::new(path), None, "{path:?}");
        }
        assert_eq!(InnerPath::new(&"x".repeat(256)), None);
        assert_eq!(InnerPath::new(&"x/".repeat(2048)), None);
        for path in [
            "a",
            "a/b.tif",
            "a..b",
            "..a".trim_start_matches('.'),
            "a b+%.tif",
        ] {
            assert!(InnerPath::new(path).is_some(), "{path:?}");
        }
    }

    #[test]
    fn a_name_with_accents_is_tried_composed_and_apart() {
        let spellings = InnerPath::new("caf\u{e9}").expect("plain").spellings();
        assert_eq!(spellings.len(), 2);
        assert!(spellings.contains(&InnerPath("cafe\u{301}".to_owned())));
        assert_eq!(InnerPath::new("cafe").expect("plain").spellings().len(), 1);
    }
}
