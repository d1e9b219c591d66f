//! An exact decimal number, as percentages and rotations are written.
//!
//! Turns a token into digits and a place for the point, without floating point. Equal values are
//! equal, whatever their spelling was; `Display` is the canonical spelling.

use std::cmp::Ordering;
use std::fmt;

/// Digits that a decimal may have besides leading and trailing zeros: every product with a side in
/// pixels then fits 128 bits, and no double-precision number that a client prints is refused.
const MAX_DIGITS: usize = 18;

/// A decimal that is not negative: `coefficient` / 10^`scale`, without trailing zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Decimal {
    coefficient: u64,
    scale: u8,
}

/// Why a token is not a decimal of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DecimalError {
    /// Something other than digits and one point.
    Syntax,
    /// More than 18 digits.
    TooLong,
}

impl DecimalError {
    /// What a number has to be, for public words.
    pub(super) const fn rule(self) -> &'static str {
        match self {
            Self::Syntax => "a number is written with digits and at most one point",
            Self::TooLong => "a number has at most 18 digits",
        }
    }
}

impl Decimal {
    /// Zero.
    pub const ZERO: Self = Self::from_integer(0);

    /// A whole number.
    pub const fn from_integer(value: u32) -> Self {
        Self {
            coefficient: value as u64,
            scale: 0,
        }
    }

    /// Reads `1*DIGIT [ "." 1*DIGIT ]` or `"." 1*DIGIT`: no sign, no exponent, nothing else.
    ///
    /// Source: I3-GRM-02, I3-GRM-03, I3-GRM-04. Time is linear in the length of the token.
    pub(super) fn parse(token: &str) -> Result<Self, DecimalError> {
        let (whole, fraction) = split_point(token)?;
        let whole = whole.trim_start_matches('0');
        let fraction = fraction.trim_end_matches('0');
        let digits = whole.len() + fraction.len();
        let scale = u8::try_from(fraction.len()).map_err(too_long)?;
        if digits > MAX_DIGITS {
            return Err(DecimalError::TooLong);
        }
        let coefficient = whole
            .bytes()
            .chain(fraction.bytes())
            .fold(0, |value, digit| value * 10 + u64::from(digit - b'0'));
        Ok(Self { coefficient, scale })
    }

    /// Whether this is zero.
    pub const fn is_zero(self) -> bool {
        self.coefficient == 0
    }

    /// The value, if it is a whole number.
    pub const fn as_integer(self) -> Option<u64> {
        if self.scale == 0 {
            Some(self.coefficient)
        } else {
            None
        }
    }

    /// The nearest double-precision number, or one next to it.
    pub fn as_f64(self) -> f64 {
        self.coefficient as f64 / self.denominator() as f64
    }

    /// This many percent of `length`, rounded half up.
    ///
    /// Source: I3-REG-08, I3-SIZ-16.
    pub(super) fn percent_of(self, length: u32) -> u128 {
        let numerator = u128::from(length) * u128::from(self.coefficient);
        let denominator = u128::from(self.denominator()) * 100;
        (2 * numerator + denominator) / (2 * denominator)
    }

    const fn denominator(self) -> u64 {
        10_u64.pow(self.scale as u32)
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let left = u128::from(self.coefficient) * u128::from(other.denominator());
        let right = u128::from(other.coefficient) * u128::from(self.denominator());
        left.cmp(&right)
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The canonical spelling: a leading zero below 1, no trailing zeros (I3-GRM-04).
impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = (
            self.coefficient / self.denominator(),
            self.coefficient % self.denominator(),
        );
        if self.scale == 0 {
            write!(f, "{whole}")
        } else {
            write!(
                f,
                "{whole}.{fraction:0places$}",
                places = usize::from(self.scale)
            )
        }
    }
}

/// What stands before and after the point, both digits alone.
fn split_point(token: &str) -> Result<(&str, &str), DecimalError> {
    let (whole, fraction) = match token.split_once('.') {
        Some((_, "")) => return Err(DecimalError::Syntax),
        Some(parts) => parts,
        None if token.is_empty() => return Err(DecimalError::Syntax),
        None => (token, ""),
    };
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if digits(whole) && digits(fraction) {
        Ok((whole, fraction))
    } else {
        Err(DecimalError::Syntax)
    }
}

fn too_long(_: std::num::TryFromIntError) -> DecimalError {
    DecimalError::TooLong
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(token: &str) -> Decimal {
        Decimal::parse(token).expect("a decimal")
    }

    #[test]
    fn i3_grm_03_a_decimal_is_digits_and_one_point() {
        for token in [
            "", ".", "1.", "+0.9", "-0", "-1", "1e2", "NaN", "inf", "infinity", "1_000", "0x10",
            "1,5", "1.2.3", " 1", "1 ", "..5", "٣",
        ] {
            assert_eq!(Decimal::parse(token), Err(DecimalError::Syntax), "{token}");
        }
    }

    #[test]
    fn i3_grm_04_untidy_spellings_are_tidied() {
        for (token, tidy) in [
            ("0", "0"),
            ("0.0", "0"),
            (".5", "0.5"),
            ("0.90", "0.9"),
            ("022.50", "22.5"),
            ("90.00", "90"),
            ("100", "100"),
            ("0.05", "0.05"),
            ("360.0000000000000000000000000", "360"),
            ("33.333333333333336", "33.333333333333336"),
        ] {
            assert_eq!(decimal(token).to_string(), tidy);
        }
    }

    #[test]
    fn a_decimal_with_too_many_digits_is_refused_without_effort() {
        assert!(Decimal::parse("123456789.123456789").is_ok());
        assert_eq!(
            Decimal::parse("123456789.1234567891"),
            Err(DecimalError::TooLong)
        );
        let long = "1".repeat(1_000_000);
        assert_eq!(Decimal::parse(&long), Err(DecimalError::TooLong));
        assert_eq!(
            Decimal::parse(&format!("0.{long}")),
            Err(DecimalError::TooLong)
        );
        assert_eq!(
            decimal(&format!("{}7", "0".repeat(1_000_000))),
            Decimal::from_integer(7)
        );
    }

    #[test]
    fn decimals_compare_by_value() {
        assert_eq!(decimal("1.50"), decimal("01.5"));
        assert!(decimal("360.000000000000001") > Decimal::from_integer(360));
        assert!(decimal("9.9") < decimal("10"));
        assert!(decimal("999999999999999999") > decimal("0.000000000000000001"));
    }

    #[test]
    fn i3_siz_16_percentages_are_exact_and_rounded_half_up() {
        let large = u128::from(u32::MAX);
        for (percent, length, expected) in [
            ("41.6", 300, 125),
            ("50", 5, 3),
            ("50", 1, 1),
            ("49.9999999999999999", 1, 0),
            ("100", u32::MAX, large),
            ("100.00000001", u32::MAX, large),
            ("100.00000002", u32::MAX, large + 1),
            ("999999999999999999", 100, 999_999_999_999_999_999),
        ] {
            assert_eq!(decimal(percent).percent_of(length), expected, "{percent}");
        }
    }

    #[test]
    fn doubles_and_integers_come_out_as_written() {
        assert!((decimal("22.5").as_f64() - 22.5).abs() < f64::EPSILON);
        assert_eq!(decimal("90.0").as_integer(), Some(90));
        assert_eq!(decimal("90.5").as_integer(), None);
    }
}
