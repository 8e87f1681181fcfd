//! Currencies: the active codes of ISO 4217 and the crypto units that the product knows.
//!
//! Source: ISO 4217 list one (funds codes included; precious metals and test codes left out). Crypto
//! units: BTC and LTC count in 10⁻⁸ (satoshi, litoshi), ETH in 10⁻⁹ (gwei), USDC and USDT in 10⁻⁶.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

/// A currency: a place in the table below.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency(u8);

/// The text is no code of the table. Codes are upper case.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("not an ISO 4217 currency code in upper case, such as USD")]
pub struct UnknownCurrency;

struct Entry {
    code: &'static str,
    exponent: u8,
    numeric: u16,
}

const fn entry(code: &'static str, exponent: u8, numeric: u16) -> Entry {
    Entry { code, exponent, numeric }
}

impl Currency {
    /// BTC
    pub const BTC: Self = Self(20);
    /// CLF
    pub const CLF: Self = Self(30);
    /// EUR
    pub const EUR: Self = Self(47);
    /// GBP
    pub const GBP: Self = Self(50);
    /// INR
    pub const INR: Self = Self(64);
    /// JPY
    pub const JPY: Self = Self(70);
    /// KWD
    pub const KWD: Self = Self(77);
    /// USD
    pub const USD: Self = Self(147);

    /// The currency of a code that stands in a constant of the program, such as a provider's table: a
    /// code that nobody knows does not compile there. Texts from outside are parsed instead.
    ///
    /// # Panics
    ///
    /// If nobody knows the code.
    #[expect(clippy::panic, reason = "in a constant it is an error of the compiler")]
    pub const fn of(code: &'static str) -> Self {
        let code = code.as_bytes();
        let mut place: u8 = 0;
        let mut table: &[Entry] = &TABLE;
        while let Some((entry, rest)) = table.split_first() {
            if equal(entry.code.as_bytes(), code) {
                return Self(place);
            }
            place += 1;
            table = rest;
        }
        panic!("no currency has this code")
    }

    /// The code: three letters (four for USDC and USDT).
    pub fn code(self) -> &'static str {
        self.entry().code
    }

    /// Digits after the point: 2 for USD, 0 for JPY, 3 for KWD. ISO's, which a provider may not share.
    pub fn exponent(self) -> u8 {
        self.entry().exponent
    }

    /// ISO's three-digit number; `None` for crypto units.
    pub fn numeric(self) -> Option<u16> {
        Some(self.entry().numeric).filter(|number| *number != 0)
    }

    /// All currencies, by code.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..TABLE.len()).filter_map(|place| u8::try_from(place).ok().map(Self))
    }

    fn entry(self) -> &'static Entry {
        // A `Currency` is only made from a place in the table; the first entry is unreachable.
        TABLE.get(usize::from(self.0)).unwrap_or(&TABLE[0])
    }
}

impl FromStr for Currency {
    type Err = UnknownCurrency;

    fn from_str(text: &str) -> Result<Self, UnknownCurrency> {
        let place = TABLE.binary_search_by(|entry| entry.code.cmp(text)).map_err(|_| UnknownCurrency)?;
        u8::try_from(place).map(Self).map_err(|_| UnknownCurrency)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Code;
        impl de::Visitor<'_> for Code {
            type Value = Currency;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an ISO 4217 currency code")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Currency, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Code)
    }
}

/// Comparison that a constant can be made with.
const fn equal(mut left: &[u8], mut right: &[u8]) -> bool {
    while let (Some((a, left_rest)), Some((b, right_rest))) = (left.split_first(), right.split_first()) {
        if *a != *b {
            return false;
        }
        left = left_rest;
        right = right_rest;
    }
    left.is_empty() && right.is_empty()
}

/// By code: looked up by binary search.
#[rustfmt::skip]
static TABLE: [Entry; 169] = [
    entry("AED", 2, 784), entry("AFN", 2, 971), entry("ALL", 2, 8), entry("AMD", 2, 51),
    entry("AOA", 2, 973), entry("ARS", 2, 32), entry("AUD", 2, 36), entry("AWG", 2, 533),
    entry("AZN", 2, 944), entry("BAM", 2, 977), entry("BBD", 2, 52), entry("BDT", 2, 50),
    entry("BHD", 3, 48), entry("BIF", 0, 108), entry("BMD", 2, 60), entry("BND", 2, 96),
    entry("BOB", 2, 68), entry("BOV", 2, 984), entry("BRL", 2, 986), entry("BSD", 2, 44),
    entry("BTC", 8, 0), entry("BTN", 2, 64), entry("BWP", 2, 72), entry("BYN", 2, 933),
    entry("BZD", 2, 84), entry("CAD", 2, 124), entry("CDF", 2, 976), entry("CHE", 2, 947),
    entry("CHF", 2, 756), entry("CHW", 2, 948), entry("CLF", 4, 990), entry("CLP", 0, 152),
    entry("CNY", 2, 156), entry("COP", 2, 170), entry("COU", 2, 970), entry("CRC", 2, 188),
    entry("CUP", 2, 192), entry("CVE", 2, 132), entry("CZK", 2, 203), entry("DJF", 0, 262),
    entry("DKK", 2, 208), entry("DOP", 2, 214), entry("DZD", 2, 12), entry("EGP", 2, 818),
    entry("ERN", 2, 232), entry("ETB", 2, 230), entry("ETH", 9, 0), entry("EUR", 2, 978),
    entry("FJD", 2, 242), entry("FKP", 2, 238), entry("GBP", 2, 826), entry("GEL", 2, 981),
    entry("GHS", 2, 936), entry("GIP", 2, 292), entry("GMD", 2, 270), entry("GNF", 0, 324),
    entry("GTQ", 2, 320), entry("GYD", 2, 328), entry("HKD", 2, 344), entry("HNL", 2, 340),
    entry("HTG", 2, 332), entry("HUF", 2, 348), entry("IDR", 2, 360), entry("ILS", 2, 376),
    entry("INR", 2, 356), entry("IQD", 3, 368), entry("IRR", 2, 364), entry("ISK", 0, 352),
    entry("JMD", 2, 388), entry("JOD", 3, 400), entry("JPY", 0, 392), entry("KES", 2, 404),
    entry("KGS", 2, 417), entry("KHR", 2, 116), entry("KMF", 0, 174), entry("KPW", 2, 408),
    entry("KRW", 0, 410), entry("KWD", 3, 414), entry("KYD", 2, 136), entry("KZT", 2, 398),
    entry("LAK", 2, 418), entry("LBP", 2, 422), entry("LKR", 2, 144), entry("LRD", 2, 430),
    entry("LSL", 2, 426), entry("LTC", 8, 0), entry("LYD", 3, 434), entry("MAD", 2, 504),
    entry("MDL", 2, 498), entry("MGA", 2, 969), entry("MKD", 2, 807), entry("MMK", 2, 104),
    entry("MNT", 2, 496), entry("MOP", 2, 446), entry("MRU", 2, 929), entry("MUR", 2, 480),
    entry("MVR", 2, 462), entry("MWK", 2, 454), entry("MXN", 2, 484), entry("MXV", 2, 979),
    entry("MYR", 2, 458), entry("MZN", 2, 943), entry("NAD", 2, 516), entry("NGN", 2, 566),
    entry("NIO", 2, 558), entry("NOK", 2, 578), entry("NPR", 2, 524), entry("NZD", 2, 554),
    entry("OMR", 3, 512), entry("PAB", 2, 590), entry("PEN", 2, 604), entry("PGK", 2, 598),
    entry("PHP", 2, 608), entry("PKR", 2, 586), entry("PLN", 2, 985), entry("PYG", 0, 600),
    entry("QAR", 2, 634), entry("RON", 2, 946), entry("RSD", 2, 941), entry("RUB", 2, 643),
    entry("RWF", 0, 646), entry("SAR", 2, 682), entry("SBD", 2, 90), entry("SCR", 2, 690),
    entry("SDG", 2, 938), entry("SEK", 2, 752), entry("SGD", 2, 702), entry("SHP", 2, 654),
    entry("SLE", 2, 925), entry("SOS", 2, 706), entry("SRD", 2, 968), entry("SSP", 2, 728),
    entry("STN", 2, 930), entry("SVC", 2, 222), entry("SYP", 2, 760), entry("SZL", 2, 748),
    entry("THB", 2, 764), entry("TJS", 2, 972), entry("TMT", 2, 934), entry("TND", 3, 788),
    entry("TOP", 2, 776), entry("TRY", 2, 949), entry("TTD", 2, 780), entry("TWD", 2, 901),
    entry("TZS", 2, 834), entry("UAH", 2, 980), entry("UGX", 0, 800), entry("USD", 2, 840),
    entry("USDC", 6, 0), entry("USDT", 6, 0), entry("USN", 2, 997), entry("UYI", 0, 940),
    entry("UYU", 2, 858), entry("UYW", 4, 927), entry("UZS", 2, 860), entry("VED", 2, 926),
    entry("VES", 2, 928), entry("VND", 0, 704), entry("VUV", 0, 548), entry("WST", 2, 882),
    entry("XAF", 0, 950), entry("XCD", 2, 951), entry("XCG", 2, 532), entry("XOF", 0, 952),
    entry("XPF", 0, 953), entry("YER", 2, 886), entry("ZAR", 2, 710), entry("ZMW", 2, 967),
    entry("ZWG", 2, 924),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_the_constants_point_where_they_say() {
        assert!(TABLE.is_sorted_by(|a, b| a.code < b.code));
        for (constant, code, exponent) in [
            (Currency::USD, "USD", 2),
            (Currency::EUR, "EUR", 2),
            (Currency::GBP, "GBP", 2),
            (Currency::INR, "INR", 2),
            (Currency::JPY, "JPY", 0),
            (Currency::KWD, "KWD", 3),
            (Currency::CLF, "CLF", 4),
            (Currency::BTC, "BTC", 8),
        ] {
            assert_eq!((constant.code(), constant.exponent()), (code, exponent));
            assert_eq!(code.parse(), Ok(constant));
        }
        assert_eq!(Currency::USD.numeric(), Some(840));
        assert_eq!(Currency::BTC.numeric(), None);
    }

    #[test]
    fn unknown_and_lower_case_codes_are_refused() {
        for text in ["usd", "XXX", "", "US", "USDD", "€"] {
            assert_eq!(text.parse::<Currency>(), Err(UnknownCurrency), "{text}");
        }
    }
}
