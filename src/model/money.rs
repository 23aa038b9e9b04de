//! Amounts of money and quantities as exact decimals in whole numbers. No float is involved anywhere: a sum of cents is
//! the sum that a vendor's bill shows. The currency stands beside an amount, never in it.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Decimal places of an amount.
const PLACES: u32 = 9;
/// One, in the smallest part.
const ONE: i128 = 1_000_000_000;
/// Larger amounts are no prices; with it, no product below comes near the end of `i128`.
const MOST: i128 = 1_000_000_000 * ONE;

/// An amount with nine decimal places; in JSON a string such as `0.00893`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Money(i128);

/// How much of something: GB with three decimal places; in JSON a string such as `25` or `2.36`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Quantity(u64);

/// A text is no amount.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no decimal amount: digits with at most nine behind the point, below a thousand million")]
pub struct MoneyError(String);

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// Whole units of the currency.
    pub fn whole(units: i64) -> Self {
        Self(i128::from(units) * ONE)
    }

    /// Below zero.
    pub fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// Nothing at all.
    pub fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// This, so many times.
    #[must_use]
    pub fn times(self, n: u64) -> Self {
        Self(self.0.saturating_mul(i128::from(n)))
    }

    /// `self · part / whole`, rounded once, to the nearest ninth place, half to even. A `whole` of 0 counts as 1.
    #[must_use]
    pub fn share(self, part: u128, whole: u128) -> Self {
        let part = i128::try_from(part).unwrap_or(i128::MAX);
        let whole = i128::try_from(whole).unwrap_or(i128::MAX).max(1);
        Self(divided(self.0.saturating_mul(part), whole))
    }

    /// For a quantity of what this is the price of one.
    #[must_use]
    pub fn of(self, quantity: Quantity) -> Self {
        self.share(u128::from(quantity.0), 1000)
    }

    /// The text with exactly so many decimal places (nine at most), rounded half to even: `0.05` for people.
    pub fn rounded(self, places: u32) -> String {
        let places = places.min(PLACES);
        let step = 10_i128.pow(PLACES - places);
        let steps = divided(self.0, step);
        let (sign, steps) = if steps < 0 { ("-", -steps) } else { ("", steps) };
        if places == 0 {
            return format!("{sign}{steps}");
        }
        let base = 10_i128.pow(places);
        format!("{sign}{}.{:0width$}", steps / base, steps % base, width = places as usize)
    }
}

impl Quantity {
    /// Whole ones.
    pub fn whole(n: u64) -> Self {
        Self(n.saturating_mul(1000))
    }

    /// So many thousandths.
    pub fn from_thousandths(n: u64) -> Self {
        Self(n)
    }

    /// Thousandths.
    pub fn thousandths(self) -> u64 {
        self.0
    }
}

/// Divides and rounds half to even; `by` is positive.
fn divided(what: i128, by: i128) -> i128 {
    let (quotient, rest) = (what.div_euclid(by), what.rem_euclid(by));
    // Compared without doubling `rest`, which could overflow.
    match rest.cmp(&(by - rest)) {
        std::cmp::Ordering::Less => quotient,
        std::cmp::Ordering::Greater => quotient + 1,
        std::cmp::Ordering::Equal => quotient + quotient.rem_euclid(2),
    }
}

/// Digits, a point, an exponent as JSON writes numbers: the value times ten to `places`, if it has no more places.
fn scaled(text: &str, places: u32) -> Option<i128> {
    let (sign, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let (digits, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, exponent.strip_prefix('+').unwrap_or(exponent).parse::<i32>().ok()?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let empty = whole.is_empty() || digits.ends_with('.');
    if empty || !all_digits(whole) || !all_digits(fraction) || whole.len() + fraction.len() > 30 {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    let number: i128 = format!("{whole}{fraction}").parse().ok()?;
    let shift = i32::try_from(places).ok()? + exponent - i32::try_from(fraction.len()).ok()?;
    match number {
        0 => Some(0),
        _ if shift < 0 => {
            let by = 10_i128.checked_pow(shift.unsigned_abs())?;
            (number % by == 0).then_some(sign * number / by)
        }
        _ => number.checked_mul(10_i128.checked_pow(shift.unsigned_abs())?).map(|number| sign * number),
    }
}

impl FromStr for Money {
    type Err = MoneyError;
    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let value = scaled(text, PLACES).filter(|value| value.abs() < MOST);
        value.map(Self).ok_or_else(|| MoneyError(text.to_owned()))
    }
}

impl FromStr for Quantity {
    type Err = MoneyError;
    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let value = scaled(text, 3).and_then(|value| u64::try_from(value).ok()).filter(|value| *value < 1 << 40);
        value.map(Self).ok_or_else(|| MoneyError(text.to_owned()))
    }
}

/// All places that say something, two at least.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.rounded(PLACES);
        let kept = all.trim_end_matches('0').len().max(all.len() - (PLACES as usize - 2));
        f.pad(&all[..kept])
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.0 / 1000, self.0 % 1000);
        let text = if part == 0 { whole.to_string() } else { format!("{whole}.{part:03}") };
        f.pad(if part == 0 { &text } else { text.trim_end_matches('0') })
    }
}

impl Add for Money {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Money {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Neg for Money {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl AddAssign for Money {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::ZERO, Add::add)
    }
}

macro_rules! as_text {
    ($name:ident) => {
        impl TryFrom<String> for $name {
            type Error = MoneyError;
            fn try_from(text: String) -> Result<Self, MoneyError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.to_string()
            }
        }
    };
}

as_text!(Money);
as_text!(Quantity);

#[cfg(test)]
mod tests {
    use super::*;

    fn money(text: &str) -> Money {
        text.parse().expect("an amount")
    }

    #[test]
    fn amounts_are_read_and_written_exactly() {
        for (text, shown) in [
            ("0", "0.00"),
            ("6", "6.00"),
            ("0.00893", "0.00893"),
            ("0.0083764", "0.0083764"),
            ("12.50", "12.50"),
            ("-0.1", "-0.10"),
            ("8.93e-03", "0.00893"),
            ("1E2", "100.00"),
            ("0.000000001", "0.000000001"),
            ("1.0000000000000", "1.00"),
        ] {
            assert_eq!(money(text).to_string(), shown, "{text}");
            assert_eq!(money(shown), money(text));
        }
        for text in ["", ".", "1.", ".5", "a", "1,5", "0.0000000001", "1000000000", "+1", "1e", "--1", "1e99"] {
            assert!(text.parse::<Money>().is_err(), "{text}");
        }
    }

    #[test]
    fn rounding_is_half_to_even_and_once() {
        assert_eq!(
            [money("0.125").rounded(2), money("0.135").rounded(2), money("-0.125").rounded(2)],
            ["0.12", "0.14", "-0.12"]
        );
        assert_eq!(money("2.5").rounded(0), "2");
        assert_eq!(money("0.00893").share(30, 3600).to_string(), "0.000074417");
        assert_eq!(money("1").share(1, 3).to_string(), "0.333333333");
        assert_eq!(money("0.10").of("2.36".parse().expect("GB")).to_string(), "0.236");
        assert!(!money("1").share(u128::from(u64::MAX), 0).is_negative());
    }

    #[test]
    fn quantities_have_three_places() {
        for (text, shown) in [("25", "25"), ("2.36", "2.36"), ("0.001", "0.001"), ("10.0", "10")] {
            assert_eq!(text.parse::<Quantity>().expect("a quantity").to_string(), shown);
        }
        assert!("-1".parse::<Quantity>().is_err() && "0.0001".parse::<Quantity>().is_err());
    }
}
