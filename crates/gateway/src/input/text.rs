//! Texts: how long, which characters, and no card number where people write freely.

use crate::problem::{Problem, catalogue as code};

/// What a text may be.
#[derive(Clone, Copy, Debug)]
pub struct TextRule {
    /// In characters.
    pub length_max: usize,
    /// May it be empty?
    pub may_be_empty: bool,
    /// May it have line breaks and tabs?
    pub multiline: bool,
    /// Is it free text, which must not hold a card number? Ids and references are not searched.
    pub free: bool,
}

impl TextRule {
    /// What a merchant says of a payment.
    pub const DESCRIPTION: Self = Self { length_max: 1000, may_be_empty: true, multiline: true, free: true };
    /// Why a refund is made.
    pub const REASON: Self = Self { length_max: 500, may_be_empty: true, multiline: true, free: true };
    /// A name of a person.
    pub const NAME: Self = Self { length_max: 100, may_be_empty: false, multiline: false, free: true };
    /// What a card statement shows; the networks give it 22 characters.
    pub const DESCRIPTOR: Self = Self { length_max: 22, may_be_empty: false, multiline: false, free: true };
    /// The merchant's own number of something.
    pub const REFERENCE: Self = Self { length_max: 128, may_be_empty: false, multiline: false, free: false };
    /// A provider's token.
    pub const TOKEN: Self = Self { length_max: 255, may_be_empty: false, multiline: false, free: false };
    /// The id of a provider.
    pub const WORD: Self = Self { length_max: 64, may_be_empty: false, multiline: false, free: false };
    /// An e-mail address: RFC 5321 allows 254 characters.
    pub const EMAIL: Self = Self { length_max: 254, may_be_empty: false, multiline: false, free: false };
}

/// Refuses what cannot be kept exactly as it is. `name` is for the message.
pub fn check_text(text: &str, rule: &TextRule, name: &str) -> Result<(), Problem> {
    let refuse = |detail: String| Err(Problem::new(&code::INVALID_TEXT, detail));
    if text.is_empty() && !rule.may_be_empty {
        return refuse(format!("`{name}` must not be empty; leave it out instead."));
    }
    // Bytes first: counting characters is for texts that may be too long only.
    if text.len() > rule.length_max && text.chars().count() > rule.length_max {
        return refuse(format!("`{name}` has at most {} characters.", rule.length_max));
    }
    let is_refused = |c: char| c.is_control() && !(rule.multiline && matches!(c, '\n' | '\r' | '\t'));
    if text.chars().any(is_refused) {
        return refuse(format!("`{name}` must not have control characters."));
    }
    if rule.free && kernel::contains_card_number(text) {
        let detail = format!("`{name}` holds a card number. Card numbers belong in `payment_method` alone.");
        return Err(Problem::new(&code::CARD_NUMBER_IN_TEXT, detail));
    }
    Ok(())
}

/// Refuses what is certainly no e-mail address.
pub(crate) fn check_email(text: &str, name: &str) -> Result<(), Problem> {
    let parts = text.rsplit_once('@');
    let plausible = parts.is_some_and(|(local, domain)| {
        !local.is_empty() && !domain.is_empty() && !text.contains(char::is_whitespace)
    });
    if plausible {
        return Ok(());
    }
    Err(Problem::new(&code::INVALID_VALUE, format!("`{name}` must be an e-mail address, `name@domain`.")))
}
