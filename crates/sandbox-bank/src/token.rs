//! Card tokens. The bank keeps no cards: a token says itself what the bank needs to know of one, and
//! that is its script, brand, last four digits and expiry; never the number.
//!
//! Form: `tok_sbx_<script>.<brand>.<last4>.<year>-<month>`, or a well-known one (`tok_visa`).

use kernel::{Brand, CardNumber, Timestamp};

use crate::scenario::Scenario;

/// What a token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TokenCard {
    pub(crate) scenario: &'static str,
    pub(crate) brand: Brand,
    pub(crate) last4: String,
    pub(crate) exp_year: u16,
    pub(crate) exp_month: u8,
}

const PREFIX: &str = "tok_sbx_";

/// Until when the well-known tokens are valid.
const WELL_KNOWN_EXPIRY: (u16, u8) = (2040, 12);

impl TokenCard {
    /// The card behind a number that was typed in.
    pub(crate) fn of_card(number: &CardNumber, exp_year: u16, exp_month: u8) -> Self {
        Self {
            scenario: Scenario::of_number(number.digits().expose()).name,
            brand: number.brand(),
            last4: number.last4().to_owned(),
            exp_year,
            exp_month,
        }
    }

    /// The text form.
    pub(crate) fn encode(&self) -> String {
        format!(
            "{PREFIX}{}.{}.{}.{:04}-{:02}",
            self.scenario,
            brand_word(self.brand),
            self.last4,
            self.exp_year,
            self.exp_month
        )
    }

    /// Reads a token. `None` if the bank never made it.
    pub(crate) fn decode(token: &str) -> Option<Self> {
        let Some(rest) = token.strip_prefix(PREFIX) else {
            return Self::of_well_known(token);
        };
        let mut parts = rest.split('.');
        let (scenario, brand, last4, expiry) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let (year, month) = expiry.split_once('-')?;
        if parts.next().is_some() || last4.len() != 4 || !last4.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        Some(Self {
            scenario: Scenario::of_name(scenario)?.name,
            brand: brand_of(brand)?,
            last4: last4.to_owned(),
            exp_year: year.parse().ok()?,
            exp_month: month.parse().ok().filter(|month| (1..=12).contains(month))?,
        })
    }

    /// Whether the card's last month is over.
    pub(crate) fn is_expired(&self, now: Timestamp) -> bool {
        let (year, month, _) = now.civil_date();
        (i32::from(self.exp_year), i32::from(self.exp_month)) < (i32::from(year), i32::from(month))
    }

    fn of_well_known(token: &str) -> Option<Self> {
        let scenario = Scenario::of_token(token)?;
        let number = CardNumber::parse(scenario.number).ok()?;
        let (exp_year, exp_month) = WELL_KNOWN_EXPIRY;
        Some(Self::of_card(&number, exp_year, exp_month))
    }
}

const BRANDS: [(Brand, &str); 9] = [
    (Brand::Visa, "visa"),
    (Brand::Mastercard, "mastercard"),
    (Brand::Amex, "amex"),
    (Brand::Discover, "discover"),
    (Brand::Diners, "diners"),
    (Brand::Jcb, "jcb"),
    (Brand::Unionpay, "unionpay"),
    (Brand::Rupay, "rupay"),
    (Brand::Maestro, "maestro"),
];

fn brand_word(brand: Brand) -> &'static str {
    BRANDS.iter().find(|(known, _)| *known == brand).map_or("card", |(_, word)| word)
}

fn brand_of(word: &str) -> Option<Brand> {
    BRANDS.iter().find(|(_, known)| *known == word).map(|(brand, _)| *brand)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed parse is a failed test")]
mod tests {
    use super::*;
    use crate::SCENARIOS;

    #[test]
    fn every_card_becomes_a_token_without_its_number_and_back() {
        for scenario in SCENARIOS {
            let number = CardNumber::parse(scenario.number).unwrap();
            let card = TokenCard::of_card(&number, 2030, 1);
            assert!(!kernel::contains_card_number(&card.encode()));
            assert_eq!(TokenCard::decode(&card.encode()), Some(card));
            let known = TokenCard::decode(scenario.token).unwrap();
            assert_eq!((known.scenario, known.exp_year), (scenario.name, 2040));
        }
    }

    #[test]
    fn refuses_what_it_never_made() {
        for token in [
            "",
            "tok_",
            "tok_nothing",
            "tok_sbx_",
            "tok_sbx_visa.visa.4242",
            "tok_sbx_a.b.c.d",
            "tok_sbx_visa.visa.4242.2030-13",
            "tok_sbx_visa.visa.42x2.2030-12",
            "tok_sbx_visa.visa.4242.2030-12.x",
        ] {
            assert_eq!(TokenCard::decode(token), None, "{token}");
        }
    }

    #[test]
    fn a_card_is_valid_to_the_end_of_its_month() {
        let card = TokenCard::decode("tok_sbx_visa.visa.4242.2026-11").unwrap();
        assert!(!card.is_expired("2026-11-30T23:59:59Z".parse().unwrap()));
        assert!(card.is_expired("2026-12-01T00:00:00Z".parse().unwrap()));
    }
}
