//! The order in which people expect names: numbers by value, letters without regard to case, folders
//! kept together.

use std::cmp::Ordering;

/// Compares two identifiers or names.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    Natural::new(a).cmp(Natural::new(b)).then_with(|| a.cmp(b))
}

/// The first 16 bytes of the order's key: where two differ they order their names as [`compare`] does.
pub(super) fn prefix(name: &str) -> u128 {
    let mut bytes = [0; 16];
    for (slot, byte) in bytes.iter_mut().zip(Natural::new(name)) {
        *slot = byte;
    }
    u128::from_be_bytes(bytes)
}

/// The bytes that order a name: a number becomes `0`, the count of its digits, and its digits, so that
/// longer numbers come later; a slash comes before all else.
struct Natural<'a> {
    rest: &'a [u8],
    /// Digits of the present number that are still to come.
    digits: usize,
    /// The count of digits, when it comes next.
    count: Option<u8>,
}

impl<'a> Natural<'a> {
    fn new(name: &'a str) -> Self {
        Self {
            rest: name.as_bytes(),
            digits: 0,
            count: None,
        }
    }

    fn begin_number(&mut self) {
        while let [b'0', next, ..] = self.rest
            && next.is_ascii_digit()
        {
            self.rest = self.rest.get(1..).unwrap_or_default();
        }
        self.digits = self
            .rest
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        self.count = Some(u8::try_from(self.digits).unwrap_or(u8::MAX));
    }
}

impl Iterator for Natural<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        if let Some(count) = self.count.take() {
            return Some(count);
        }
        let (&byte, rest) = self.rest.split_first()?;
        if self.digits == 0 && byte.is_ascii_digit() {
            self.begin_number();
            return Some(b'0');
        }
        self.digits = self.digits.saturating_sub(1);
        self.rest = rest;
        Some(if byte == b'/' {
            0
        } else {
            byte.to_ascii_lowercase()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_the_order_of_people() {
        let ordered = [
            "1.tif", "02.tif", "2.tif", "10.tif", "a", "a/2", "a/10", "a b", "a2", "a10", "a10b",
            "A11", "b", "é", "図",
        ];
        let mut names = ordered;
        names.reverse();
        names.sort_by(|a, b| compare(a, b));
        assert_eq!(names, ordered);
    }

    #[test]
    fn the_prefix_agrees_with_the_whole_order() {
        let names = [
            "",
            "0",
            "00",
            "000001",
            "a",
            "A",
            "a1",
            "a01",
            "a/b",
            "IMG_000123.tif",
            "IMG_000124.tif",
            "IMG_1",
            "a-very-long-name-that-goes-on-1",
            "a-very-long-name-that-goes-on-2",
            "99999999999999999999999999",
            "z",
        ];
        for a in names {
            for b in names {
                let by_prefix = prefix(a).cmp(&prefix(b));
                if by_prefix != Ordering::Equal {
                    assert_eq!(by_prefix, compare(a, b), "{a} {b}");
                }
                assert_eq!(compare(a, b), compare(b, a).reverse());
            }
        }
    }
}
