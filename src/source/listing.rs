//! The list of images, made for the start page: names in one string, in natural order.

use std::sync::Arc;

use regex::RegexBuilder;

use super::natural;
use super::path::forms;

/// Longest text that a list is filtered by, in bytes; no name is longer.
const FILTER_BYTES: usize = 4096;

/// What is known of the images at one time.
#[derive(Debug, Default)]
pub struct Listing {
    /// Every root that can be listed was read to its end.
    pub complete: bool,
    /// A root has not been read for the first time yet.
    pub building: bool,
    /// There are more images than may be listed.
    pub truncated: bool,
    /// Names of roots whose files cannot be turned back into identifiers: those with a pattern or a
    /// template.
    pub unlisted: Vec<String>,
    pub(super) names: Arc<Names>,
}

impl Listing {
    /// How many images are listed.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether none is listed.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Up to `count` identifiers that contain `filter`, whatever their case and normal form, from the
    /// `offset`th on; and how many there are in all. An empty filter lets all pass.
    pub fn page(&self, filter: &str, offset: usize, count: usize) -> (Vec<String>, usize) {
        if filter.is_empty() {
            let end = offset.saturating_add(count).min(self.len());
            let page = (offset..end).filter_map(|index| self.names.get(index));
            return (page.map(str::to_owned).collect(), self.len());
        }
        let mut page = Vec::new();
        let mut total = 0;
        for name in self.matching(filter) {
            if total >= offset && page.len() < count {
                page.push(name.to_owned());
            }
            total += 1;
        }
        (page, total)
    }

    fn matching(&self, filter: &str) -> impl Iterator<Item = &str> {
        let escaped: Vec<_> = forms(filter)
            .iter()
            .map(|form| regex::escape(form))
            .collect();
        let fits = filter.len() <= FILTER_BYTES;
        let pattern = RegexBuilder::new(&escaped.join("|"))
            .case_insensitive(true)
            .build();
        let pattern = pattern.ok().filter(|_| fits);
        let names = self.names.iter();
        names.filter(move |name| {
            pattern
                .as_ref()
                .is_some_and(|pattern| pattern.is_match(name))
        })
    }
}

/// Names one behind the other: four bytes for each beside its own.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Names {
    text: String,
    ends: Vec<u32>,
}

impl Names {
    /// Adds the name that `parts` make together; `false` when there is no room for it.
    pub(super) fn push(&mut self, parts: &[&str]) -> bool {
        let length = parts.iter().map(|part| part.len()).sum::<usize>();
        let Ok(end) = u32::try_from(self.text.len() + length) else {
            return false;
        };
        self.text.extend(parts.iter().copied());
        self.ends.push(end);
        true
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The name at `index`.
    pub(super) fn get(&self, index: usize) -> Option<&str> {
        let end = usize::try_from(*self.ends.get(index)?).ok()?;
        let start = match index.checked_sub(1) {
            Some(before) => usize::try_from(*self.ends.get(before)?).ok()?,
            None => 0,
        };
        self.text.get(start..end)
    }

    /// All in their order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    /// Gives back the room that was kept for more.
    pub(super) fn shrink(&mut self) {
        self.text.shrink_to_fit();
        self.ends.shrink_to_fit();
    }

    /// The names of all `lists` in natural order, each once, at most `most`; and whether some are left
    /// out.
    pub(super) fn merged(lists: &[Arc<Self>], most: usize) -> (Self, bool) {
        let mut all: Vec<&str> = lists.iter().flat_map(|list| list.iter()).collect();
        // Each list is nearly sorted, which a stable sort makes use of.
        all.sort_by(|a, b| natural::compare(a, b));
        all.dedup();
        let mut merged = Self::default();
        let fit = all.iter().take(most).all(|name| merged.push(&[name]));
        merged.shrink();
        (merged, !fit || all.len() > most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &[&str]) -> Arc<Names> {
        let mut names = Names::default();
        for name in list {
            assert!(names.push(&[name]));
        }
        Arc::new(names)
    }

    fn listing(list: &[&str]) -> Listing {
        Listing {
            names: names(list),
            ..Listing::default()
        }
    }

    #[test]
    fn pages_are_windows_of_the_whole() {
        let listing = listing(&["a", "b", "c", "d"]);
        assert_eq!(
            listing.page("", 1, 2),
            (vec!["b".to_owned(), "c".to_owned()], 4)
        );
        assert_eq!(listing.page("", 3, 9), (vec!["d".to_owned()], 4));
        assert_eq!(listing.page("", 4, 1), (vec![], 4));
        assert_eq!(listing.page("", usize::MAX, usize::MAX), (vec![], 4));
    }

    #[test]
    fn a_filter_ignores_case_and_normal_form_and_is_no_pattern() {
        let listing = listing(&[
            "Caf\u{e9}.tif",
            "cafe\u{301}.jp2",
            "a.b",
            "axb",
            "(",
            "\u{c9}t\u{e9}",
        ]);
        let (page, total) = listing.page("CAF\u{c9}", 0, 10);
        assert_eq!((page.len(), total), (2, 2));
        assert_eq!(listing.page("a.b", 0, 10).1, 1);
        assert_eq!(listing.page("(", 0, 10).1, 1);
        assert_eq!(
            listing.page("a", 1, 1),
            (vec!["cafe\u{301}.jp2".to_owned()], 4)
        );
        assert_eq!(listing.page(&"x".repeat(100_000), 0, 10).1, 0);
    }

    #[test]
    fn merged_lists_are_sorted_and_hold_each_name_once() {
        let lists = [names(&["a2", "a10", "c"]), names(&["a3", "c", "d"])];
        let (all, left_out) = Names::merged(&lists, 10);
        assert_eq!(
            all.iter().collect::<Vec<_>>(),
            ["a2", "a3", "a10", "c", "d"]
        );
        assert!(!left_out);
        let (some, left_out) = Names::merged(&lists, 2);
        assert_eq!(some.iter().collect::<Vec<_>>(), ["a2", "a3"]);
        assert!(left_out);
    }
}
