//! Meta-identifiers: a page and a share of the size after an identifier, `name;2;1:4`.

use crate::plan::Reduction;

/// What a meta-identifier adds to an identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Meta {
    /// The page, from 1.
    pub page: u32,
    /// The share of its size at which it is published.
    pub reduction: Reduction,
}

impl Meta {
    /// The first page, as it is.
    pub const NONE: Self = Self {
        page: 1,
        reduction: Reduction::NONE,
    };

    /// Takes `name;page`, `name;numerator:denominator` or both in this order apart; `None` for what is
    /// neither.
    pub(super) fn split(identifier: &str) -> Option<(&str, Self)> {
        let (before, last) = identifier.rsplit_once(';')?;
        let (name, meta) = match reduction(last) {
            None => (before, Self::page(last)?),
            Some(reduction) => {
                let paged = before
                    .rsplit_once(';')
                    .and_then(|(name, page)| Some((name, Self::page(page)?)));
                let (name, meta) = paged.unwrap_or((before, Self::NONE));
                (name, Self { reduction, ..meta })
            }
        };
        (!name.is_empty()).then_some((name, meta))
    }

    fn page(text: &str) -> Option<Self> {
        let page = number(text).filter(|page| *page > 0)?;
        Some(Self { page, ..Self::NONE })
    }
}

fn reduction(text: &str) -> Option<Reduction> {
    let (numerator, denominator) = text.split_once(':')?;
    Reduction::new(number(numerator)?, number(denominator)?)
}

/// Digits alone: a sign, which the library would take, is none of ours.
fn number(text: &str) -> Option<u32> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(identifier: &str) -> Option<(&str, u32, Reduction)> {
        Meta::split(identifier).map(|(name, meta)| (name, meta.page, meta.reduction))
    }

    #[test]
    fn page_and_share_stand_after_the_last_semicolons() {
        let half = Reduction::new(1, 2).expect("a share");
        assert_eq!(split("a;b;12"), Some(("a;b", 12, Reduction::NONE)));
        assert_eq!(split("a;1:2"), Some(("a", 1, half)));
        assert_eq!(split("a;3;1:2"), Some(("a", 3, half)));
        assert_eq!(split("a;x;1:2"), Some(("a;x", 1, half)));
    }

    #[test]
    fn anything_else_is_part_of_the_name() {
        for other in [
            "a", "a;", "a;0", "a;x", ";3", "a;-1", "a;+1", "a;2:1", "a;0:1", "a;1:", ";1:2",
        ] {
            assert_eq!(split(other), None, "{other}");
        }
    }
}
