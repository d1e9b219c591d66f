//! Sums of eight bytes at a time, modulo 256, in the lanes of a word.
//!
//! The lowest lane is the leftmost pixel. No carry crosses from a lane into the next: the top bits are
//! left out of the sum and put back by exclusive or. Source: Lamport 1975, "Multiple byte processing
//! with full-word instructions".

use super::bits::splat;

const TOP: u64 = splat(0x80);
const LOW: u64 = splat(0x7f);

/// a + b in every lane.
#[inline]
pub(super) const fn add(a: u64, b: u64) -> u64 {
    ((a & LOW) + (b & LOW)) ^ ((a ^ b) & TOP)
}

/// a − b in every lane.
#[inline]
pub(super) const fn sub(a: u64, b: u64) -> u64 {
    ((a | TOP) - (b & LOW)) ^ ((a ^ !b) & TOP)
}

/// Every lane with all lanes left of it added.
#[inline]
pub(super) const fn sums(word: u64) -> u64 {
    let word = add(word, word << 8);
    let word = add(word, word << 16);
    add(word, word << 32)
}

/// The rightmost lane.
#[inline]
pub(super) const fn last(word: u64) -> u8 {
    word.to_le_bytes()[7]
}

/// Every lane moved to the right by one; `first` comes in.
#[inline]
pub(super) const fn moved(word: u64, first: u8) -> u64 {
    (word << 8) | first as u64
}

/// Signed lanes as unsigned ones that are small where those are near 0: 0, −1, 1, −2, 2 …
#[inline]
pub(super) const fn folded(word: u64) -> u64 {
    let negative = (word >> 7) & splat(1);
    ((word & LOW) << 1) ^ (negative * 0xff)
}

/// What [`folded`] has folded.
#[inline]
pub(super) const fn unfolded(word: u64) -> u64 {
    ((word >> 1) & LOW) ^ ((word & splat(1)) * 0xff)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lanes(a: u64, b: u64, of: impl Fn(u8, u8) -> u8) -> u64 {
        let (a, b) = (a.to_le_bytes(), b.to_le_bytes());
        u64::from_le_bytes(std::array::from_fn(|lane| of(a[lane], b[lane])))
    }

    proptest! {
        #[test]
        fn lanes_do_not_meet(a: u64, b: u64) {
            prop_assert_eq!(add(a, b), lanes(a, b, u8::wrapping_add));
            prop_assert_eq!(sub(a, b), lanes(a, b, u8::wrapping_sub));
            prop_assert_eq!(unfolded(folded(a)), a);
            let mut sum = 0_u8;
            let one_by_one = a.to_le_bytes().map(|lane| {
                sum = sum.wrapping_add(lane);
                sum
            });
            prop_assert_eq!(sums(a), u64::from_le_bytes(one_by_one));
        }
    }

    #[test]
    fn small_differences_fold_to_small_numbers() {
        let folds = |value: i8| folded(u64::from(value.cast_unsigned()));
        assert_eq!([0, -1, 1, -2, 2, -128].map(folds), [0, 1, 2, 3, 4, 255]);
    }
}
