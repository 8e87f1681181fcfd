//! Card numbers: brands, lengths, the Luhn check, and finding one where none may stand.
//!
//! Sources: ISO/IEC 7812-1 (Luhn, issuer identification numbers); the brands' published ranges.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::Secret;

/// A card scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Brand {
    /// Visa.
    Visa,
    /// Mastercard.
    Mastercard,
    /// American Express.
    Amex,
    /// Discover.
    Discover,
    /// Diners Club.
    Diners,
    /// JCB.
    Jcb,
    /// UnionPay.
    Unionpay,
    /// RuPay.
    Rupay,
    /// Maestro.
    Maestro,
}

/// A prefix range (inclusive, of that many digits), the brand, and the lengths its numbers have.
struct Range {
    digits: usize,
    first: u32,
    last: u32,
    brand: Brand,
    lengths: &'static [usize],
}

const fn range(digits: usize, first: u32, last: u32, brand: Brand, lengths: &'static [usize]) -> Range {
    Range { digits, first, last, brand, lengths }
}

/// Most specific first: RuPay and UnionPay lie inside ranges that look like others'.
const RANGES: &[Range] = &[
    range(6, 508_500, 508_999, Brand::Rupay, &[16]),
    range(6, 606_985, 607_984, Brand::Rupay, &[16]),
    range(6, 608_001, 608_500, Brand::Rupay, &[16]),
    range(6, 652_150, 653_149, Brand::Rupay, &[16]),
    range(4, 8172, 8172, Brand::Rupay, &[16]),
    range(4, 6011, 6011, Brand::Discover, &[16, 19]),
    range(3, 644, 649, Brand::Discover, &[16, 19]),
    range(2, 65, 65, Brand::Discover, &[16, 19]),
    range(2, 62, 62, Brand::Unionpay, &[16, 17, 18, 19]),
    range(2, 81, 81, Brand::Unionpay, &[16, 17, 18, 19]),
    range(4, 3528, 3589, Brand::Jcb, &[16, 17, 18, 19]),
    range(2, 34, 34, Brand::Amex, &[15]),
    range(2, 37, 37, Brand::Amex, &[15]),
    range(3, 300, 305, Brand::Diners, &[14, 16, 19]),
    range(2, 36, 36, Brand::Diners, &[14, 16, 19]),
    range(2, 38, 39, Brand::Diners, &[14, 16, 19]),
    range(4, 2221, 2720, Brand::Mastercard, &[16]),
    range(2, 51, 55, Brand::Mastercard, &[16]),
    range(2, 50, 50, Brand::Maestro, &[12, 13, 14, 15, 16, 17, 18, 19]),
    range(2, 56, 58, Brand::Maestro, &[12, 13, 14, 15, 16, 17, 18, 19]),
    range(2, 63, 63, Brand::Maestro, &[12, 13, 14, 15, 16, 17, 18, 19]),
    range(2, 67, 67, Brand::Maestro, &[12, 13, 14, 15, 16, 17, 18, 19]),
    range(1, 4, 4, Brand::Visa, &[13, 16, 19]),
];

/// Why a text is no card number. Never quotes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CardNumberError {
    /// Something other than digits, blanks and dashes.
    #[error("a card number has digits only; blanks and dashes are ignored")]
    NotDigits,
    /// No brand has numbers of this prefix and length.
    #[error("no card brand has a number of this prefix and length")]
    NoBrand,
    /// The check digit is wrong.
    #[error("the check digit is wrong")]
    Luhn,
}

/// A primary account number: digits of a known brand and length with a right check digit. Its memory is
/// wiped when it goes.
#[derive(Clone, PartialEq, Eq)]
pub struct CardNumber {
    digits: Secret<Zeroizing<String>>,
    brand: Brand,
}

impl CardNumber {
    /// Reads a number; blanks and dashes are ignored.
    pub fn parse(text: &str) -> Result<Self, CardNumberError> {
        // Made at its full size: a text that grows leaves its first bytes behind.
        let mut digits = Zeroizing::new(String::with_capacity(text.len()));
        digits.extend(text.chars().filter(|c| !matches!(c, ' ' | '-')));
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(CardNumberError::NotDigits);
        }
        let brand = brand_of(&digits).ok_or(CardNumberError::NoBrand)?;
        if !luhn(&digits) {
            return Err(CardNumberError::Luhn);
        }
        Ok(Self { digits: Secret::new(digits), brand })
    }

    /// The bare digits, for the one call that needs them.
    pub const fn digits(&self) -> &Secret<Zeroizing<String>> {
        &self.digits
    }

    /// The brand.
    pub const fn brand(&self) -> Brand {
        self.brand
    }

    /// The last four digits, which may be shown.
    pub fn last4(&self) -> &str {
        let digits = self.digits.expose();
        digits.get(digits.len().saturating_sub(4)..).unwrap_or_default()
    }

    /// The first six digits, which may be shown.
    pub fn bin(&self) -> &str {
        self.digits.expose().get(..6).unwrap_or_default()
    }

    /// The length of the card's security code.
    pub const fn cvc_length(&self) -> usize {
        if matches!(self.brand, Brand::Amex) { 4 } else { 3 }
    }
}

impl fmt::Debug for CardNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{:?} ending in {}]", self.brand, self.last4())
    }
}

/// The shortest number of any brand.
const DIGITS_MIN: usize = 12;

/// Whether a card number stands anywhere in the text: whole groups of digits, parted by nothing but
/// blanks and dashes, that together have a brand's prefix, that brand's length and a right check
/// digit. Masking and the refusal of numbers in free text use this one definition.
pub fn contains_card_number(text: &str) -> bool {
    let mut runs = text.as_bytes().split(|byte| !matches!(byte, b'0'..=b'9' | b' ' | b'-'));
    // Ids and times are full of short runs, and this looks at every text.
    runs.any(|run| run.len() >= DIGITS_MIN && std::str::from_utf8(run).is_ok_and(run_holds_number))
}

/// Only whole groups count: any window of a long order number would be refused far too often.
fn run_holds_number(run: &str) -> bool {
    let groups: Vec<&str> = run.split([' ', '-']).filter(|group| !group.is_empty()).collect();
    (0..groups.len()).any(|first| {
        let mut digits = String::new();
        groups.iter().skip(first).take(19).any(|group| {
            digits.push_str(group);
            (DIGITS_MIN..=19).contains(&digits.len()) && brand_of(&digits).is_some() && luhn(&digits)
        })
    })
}

fn brand_of(digits: &str) -> Option<Brand> {
    RANGES.iter().find_map(|range| {
        let prefix: u32 = digits.get(..range.digits)?.parse().ok()?;
        let fits = (range.first..=range.last).contains(&prefix) && range.lengths.contains(&digits.len());
        fits.then_some(range.brand)
    })
}

fn luhn(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, byte)| {
            let digit = u32::from(byte.wrapping_sub(b'0'));
            match (place % 2, digit) {
                (0, digit) => digit,
                (_, digit) if digit > 4 => digit * 2 - 9,
                (_, digit) => digit * 2,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_test_numbers_have_their_brand() {
        for (number, brand) in [
            ("4242424242424242", Brand::Visa),
            ("4111 1111-1111 1111", Brand::Visa),
            ("5555555555554444", Brand::Mastercard),
            ("2223003122003222", Brand::Mastercard),
            ("378282246310005", Brand::Amex),
            ("6011111111111117", Brand::Discover),
            ("3056930009020004", Brand::Diners),
            ("36227206271667", Brand::Diners),
            ("3566002020360505", Brand::Jcb),
            ("6200000000000005", Brand::Unionpay),
            ("6521500000000006", Brand::Rupay),
        ] {
            let brand_found = CardNumber::parse(number).map(|number| number.brand());
            assert_eq!(brand_found, Ok(brand), "{number}");
        }
    }

    #[test]
    fn refusals_never_quote() {
        assert_eq!(CardNumber::parse("4242424242424241"), Err(CardNumberError::Luhn));
        assert_eq!(CardNumber::parse("9999999999999995"), Err(CardNumberError::NoBrand));
        assert_eq!(CardNumber::parse("42x2"), Err(CardNumberError::NotDigits));
        let number = CardNumber::parse("4242424242424242");
        assert!(!format!("{number:?}").contains("42424242"));
    }

    #[test]
    fn finds_a_number_in_free_text() {
        assert!(contains_card_number("card 4242-4242 4242 4242, thanks"));
        assert!(contains_card_number("order 7 4242424242424242"));
        assert!(!contains_card_number("4242424242424241"));
        assert!(!contains_card_number("order 1234567890123456, paid"));
        assert!(!contains_card_number("4242,4242,4242,4242"));
    }
}
