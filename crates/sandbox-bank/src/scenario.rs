//! What each test card does: the table that the documentation shows and the bank plays.
//!
//! Where Stripe has a well-known number for a behaviour, it is the same here; the faults, which
//! Stripe has no cards for, are in the range 4000 0099.

use std::time::Duration;

use provider_kit::{DeclineCode, Verb};
use serde::{Deserialize, Serialize};

/// A card with a script.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// The card number; Luhn-valid.
    pub number: &'static str,
    /// A short name: lower case and underscores.
    pub name: &'static str,
    /// The well-known token that stands for this card, valid until December 2040.
    pub token: &'static str,
    /// What happens, for the documentation.
    pub what: &'static str,
    /// What happens, for the bank.
    pub(crate) script: Script,
}

/// How an answer goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strike {
    /// Nothing is done, and no answer comes.
    SilenceBefore,
    /// It is done, and no answer comes.
    SilenceAfter,
    /// Nothing is done; the answer is a 500 with an HTML body.
    ErrorBefore,
    /// It is done; the answer is a 502 with an HTML body.
    ErrorAfter,
    /// It is done; the answer is a 200 whose body is cut off in the middle.
    Garbage,
    /// It is done; the answer is late.
    Slow,
}

impl Strike {
    /// Whether it comes before anything is done.
    pub const fn is_before(self) -> bool {
        matches!(self, Self::SilenceBefore | Self::ErrorBefore)
    }
}

/// What the bank plays for a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Script {
    /// Approves.
    Approve,
    /// Declines.
    Decline(DeclineCode),
    /// Asks the customer, and declines where nobody can be asked.
    Challenge,
    /// Asks the customer, unless the credential was stored and the merchant charges it.
    ChallengeUnlessStored,
    /// Asks the customer who is there; a merchant may charge it as if it were stored.
    ChallengeWhenThere,
    /// Asks the customer, and declines although they prove who they are.
    ChallengeThenDecline(DeclineCode),
    /// Approves; the issuer authenticated the customer without asking, unless the caller wants more.
    Frictionless,
    /// Pending for a day, then approved or declined: like a payment that settles in days.
    Delayed {
        /// Whether it is declined in the end.
        fails: bool,
    },
    /// Declines an increment.
    IncrementDeclined,
    /// Approves, but the answer to this verb goes wrong.
    Struck(Verb, Strike),
    /// Approves in silence, and look-ups do not find it for a while.
    Invisible,
    /// Declines, then approves after all.
    LateAfterDecline,
    /// Says nothing, is pending, then approves.
    LateAfterSilence,
    /// Approves; the notice comes three times.
    DuplicateNotices,
    /// Pending, then approved; the notices come in the wrong order.
    ReorderedNotices,
    /// Approves; the notice overtakes the answer.
    NoticeFirst,
    /// Approves; disputed, and decided for the merchant or against.
    Dispute {
        /// For the merchant.
        won: bool,
    },
    /// Approves; a refund is pending first.
    RefundPending {
        /// Whether it fails in the end.
        fails: bool,
    },
    /// Approves; a refund succeeds first, and fails later.
    RefundFailsLate,
    /// Approves half.
    Partial,
    /// Approves a tenth more.
    Over,
    /// Answers with a decline, and looks up as approved.
    Contradictory,
    /// Refuses with 429.
    RateLimited,
    /// Answers with a status that nobody knows, and approves later.
    UnknownStatus,
}

/// How a payer was authenticated (EMV 3-D Secure).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Authentication {
    /// On the challenge page.
    Challenged,
    /// By what the issuer knew of the device: nobody was asked.
    Frictionless,
}

impl Script {
    /// The fault of this verb's first answer.
    pub(crate) fn strike(self, verb: Verb) -> Option<Strike> {
        match self {
            Self::Struck(struck, strike) if struck == verb => Some(strike),
            Self::Invisible | Self::LateAfterSilence if verb == Verb::Charge => Some(Strike::SilenceAfter),
            Self::NoticeFirst if verb == Verb::Charge => Some(Strike::Slow),
            _ => None,
        }
    }

    /// The fault of an operation that asked for this script itself: whatever the verb, it is struck.
    pub(crate) const fn strike_of_any(self) -> Option<Strike> {
        match self {
            Self::Struck(_, strike) => Some(strike),
            Self::Invisible | Self::LateAfterSilence => Some(Strike::SilenceAfter),
            Self::NoticeFirst => Some(Strike::Slow),
            _ => None,
        }
    }

    /// Why a verb after the charge is declined, if it is: by an operation's own script, any verb is.
    pub(crate) fn decline_of(self, verb: Verb, own: bool) -> Option<DeclineCode> {
        match self {
            Self::Decline(code) if own => Some(code),
            Self::LateAfterDecline | Self::Contradictory if own => Some(DeclineCode::GenericDecline),
            Self::IncrementDeclined if verb == Verb::Increment => Some(DeclineCode::InsufficientFunds),
            _ => None,
        }
    }

    /// How the payer of a new charge is authenticated, or why it is declined instead.
    pub(crate) const fn authentication(
        self,
        merchant_initiated: bool,
        stored: bool,
        wished: bool,
    ) -> Result<Option<Authentication>, DeclineCode> {
        let challenged = Ok(Some(Authentication::Challenged));
        match self {
            Self::Challenge | Self::ChallengeThenDecline(_) if merchant_initiated => {
                Err(DeclineCode::AuthenticationRequired)
            }
            Self::ChallengeUnlessStored if merchant_initiated && !stored => {
                Err(DeclineCode::AuthenticationRequired)
            }
            // Nobody is there to be asked, whatever was wished for.
            _ if merchant_initiated => Ok(None),
            Self::Challenge
            | Self::ChallengeThenDecline(_)
            | Self::ChallengeUnlessStored
            | Self::ChallengeWhenThere => challenged,
            Self::Frictionless if wished => challenged,
            _ if wished || matches!(self, Self::Frictionless) => Ok(Some(Authentication::Frictionless)),
            _ => Ok(None),
        }
    }

    /// How long look-ups miss the charge.
    pub(crate) const fn invisible_for(self) -> Duration {
        if matches!(self, Self::Invisible) { Duration::from_secs(3) } else { Duration::ZERO }
    }
}

const fn scenario(
    number: &'static str,
    name: &'static str,
    token: &'static str,
    script: Script,
    what: &'static str,
) -> Scenario {
    Scenario { number, name, token, what, script }
}

use Script::{
    Approve, Challenge, ChallengeThenDecline, ChallengeUnlessStored, ChallengeWhenThere, Contradictory,
    Decline, Delayed, Dispute, DuplicateNotices, Frictionless, IncrementDeclined, Invisible,
    LateAfterDecline, LateAfterSilence, NoticeFirst, Over, Partial, RateLimited, RefundFailsLate,
    RefundPending, ReorderedNotices, Struck, UnknownStatus,
};
use Strike::{ErrorAfter, ErrorBefore, Garbage, SilenceAfter, SilenceBefore, Slow};

/// What a number without a script of its own does.
const APPROVED: Scenario = scenario("4242424242424242", "visa", "tok_visa", Approve, "approved");

/// All cards with a script. Any other valid number is approved.
#[rustfmt::skip]
pub const SCENARIOS: &[Scenario] = &[
    APPROVED,
    scenario("4111111111111111", "visa_classic", "tok_visa_classic", Approve, "approved"),
    scenario("4012888888881881", "visa_second", "tok_visa_second", Approve, "approved"),
    scenario("4000056655665556", "visa_debit", "tok_visa_debit", Approve, "approved"),
    scenario("5555555555554444", "mastercard", "tok_mastercard", Approve, "approved"),
    scenario("2223003122003222", "mastercard_second_series", "tok_mastercard_second_series",
        Approve, "approved"),
    scenario("5200828282828210", "mastercard_debit", "tok_mastercard_debit", Approve, "approved"),
    scenario("5105105105105100", "mastercard_prepaid", "tok_mastercard_prepaid", Approve, "approved"),
    scenario("378282246310005", "amex", "tok_amex", Approve, "approved"),
    scenario("371449635398431", "amex_second", "tok_amex_second", Approve, "approved"),
    scenario("6011111111111117", "discover", "tok_discover", Approve, "approved"),
    scenario("6011000990139424", "discover_second", "tok_discover_second", Approve, "approved"),
    scenario("6011981111111113", "discover_debit", "tok_discover_debit", Approve, "approved"),
    scenario("3056930009020004", "diners", "tok_diners", Approve, "approved"),
    scenario("36227206271667", "diners_fourteen_digits", "tok_diners_fourteen_digits",
        Approve, "approved"),
    scenario("3566002020360505", "jcb", "tok_jcb", Approve, "approved"),
    scenario("6200000000000005", "unionpay", "tok_unionpay", Approve, "approved"),
    scenario("6200000000000047", "unionpay_debit", "tok_unionpay_debit", Approve, "approved"),
    scenario("6205500000000000004", "unionpay_nineteen_digits", "tok_unionpay_nineteen_digits",
        Approve, "approved"),
    scenario("6521500000000006", "rupay", "tok_rupay", Approve, "approved"),

    scenario("4000000000000002", "generic_decline", "tok_generic_decline",
        Decline(DeclineCode::GenericDecline), "declined without a reason"),
    scenario("4000000000009995", "insufficient_funds", "tok_insufficient_funds",
        Decline(DeclineCode::InsufficientFunds), "declined: not enough money"),
    scenario("4000000000009987", "lost_card", "tok_lost_card",
        Decline(DeclineCode::LostCard), "declined: reported lost"),
    scenario("4000000000009979", "stolen_card", "tok_stolen_card",
        Decline(DeclineCode::StolenCard), "declined: reported stolen"),
    scenario("4000000000000069", "expired_card", "tok_expired_card",
        Decline(DeclineCode::ExpiredCard), "declined: expired"),
    scenario("4000000000000127", "incorrect_cvc", "tok_incorrect_cvc",
        Decline(DeclineCode::IncorrectCvc), "declined: wrong security code"),
    scenario("4000000000000119", "processing_error", "tok_processing_error",
        Decline(DeclineCode::ProcessingError), "declined: the issuer failed; may be tried again at once"),
    scenario("4000000000006975", "card_velocity_exceeded", "tok_card_velocity_exceeded",
        Decline(DeclineCode::CardVelocityExceeded), "declined: over a limit of the card"),
    scenario("4100000000000019", "fraudulent", "tok_fraudulent",
        Decline(DeclineCode::Fraudulent), "declined: the issuer suspects fraud"),
    scenario("4000000000000101", "cvc_check_fails", "tok_cvc_check_fails",
        Decline(DeclineCode::IncorrectCvc), "declined: the issuer's check of the security code failed"),
    scenario("4000000000004954", "highest_risk", "tok_highest_risk",
        Decline(DeclineCode::Fraudulent), "declined: the issuer suspects fraud"),
    scenario("4000009900026009", "do_not_honor", "tok_do_not_honor",
        Decline(DeclineCode::DoNotHonor), "declined: the issuer does not honour it"),
    scenario("4000009900027007", "issuer_unavailable", "tok_issuer_unavailable",
        Decline(DeclineCode::IssuerUnavailable), "declined: the issuer is out of reach; may be tried again"),
    scenario("4000009900028005", "incorrect_number", "tok_incorrect_number",
        Decline(DeclineCode::IncorrectNumber), "declined: the issuer knows no such number"),
    scenario("4000009900029003", "card_not_supported", "tok_card_not_supported",
        Decline(DeclineCode::CardNotSupported), "declined: the card does not do this kind of purchase"),
    scenario("4000009900030001", "amount_not_allowed", "tok_amount_not_allowed",
        Decline(DeclineCode::AmountNotAllowed), "declined: outside the amounts that the issuer allows"),
    scenario("4000009900031009", "authentication_required", "tok_authentication_required",
        Decline(DeclineCode::AuthenticationRequired), "declined: the customer must be authenticated"),

    scenario("4000000000003220", "three_d_secure", "tok_three_d_secure",
        Challenge, "asks for 3-D Secure; the challenge page completes, fails or cancels it"),
    scenario("4000000000003063", "three_d_secure_required", "tok_three_d_secure_required",
        Challenge, "asks for 3-D Secure"),
    scenario("4000002500003155", "three_d_secure_unless_stored", "tok_three_d_secure_unless_stored",
        ChallengeUnlessStored, "asks for 3-D Secure, unless the card was stored and the merchant charges it"),
    scenario("4000002760003184", "three_d_secure_always", "tok_three_d_secure_always",
        Challenge, "asks for 3-D Secure every time; off session declined: authentication required"),
    scenario("4000003800000446", "three_d_secure_on_session", "tok_three_d_secure_on_session",
        ChallengeWhenThere, "asks for 3-D Secure on session; off session approved as if it were stored"),
    scenario("4000008400001280", "three_d_secure_fails", "tok_three_d_secure_fails",
        Decline(DeclineCode::AuthenticationFailed), "3-D Secure cannot be begun: declined"),
    scenario("4000000000003055", "three_d_secure_frictionless", "tok_three_d_secure_frictionless",
        Frictionless, "approved; 3-D Secure without a challenge, unless the payment requires it"),
    scenario("4000008260003178", "three_d_secure_insufficient_funds",
        "tok_three_d_secure_insufficient_funds", ChallengeThenDecline(DeclineCode::InsufficientFunds),
        "asks for 3-D Secure; completed, it is declined: not enough money"),
    scenario("4000008400001629", "three_d_secure_declined", "tok_three_d_secure_declined",
        ChallengeThenDecline(DeclineCode::GenericDecline),
        "asks for 3-D Secure; completed, it is declined without a reason"),
    scenario("4000000000003097", "three_d_secure_error", "tok_three_d_secure_error",
        Decline(DeclineCode::ProcessingError), "declined: the issuer's 3-D Secure server failed"),

    scenario("4000009900032007", "delayed", "tok_delayed",
        Delayed { fails: false }, "pending for a day, then charged, with a notice"),
    scenario("4000009900033005", "delayed_fails", "tok_delayed_fails",
        Delayed { fails: true }, "pending for a day, then declined, with a notice"),

    scenario("4000000000000259", "dispute_lost", "tok_dispute_lost",
        Dispute { won: false }, "approved; then disputed, and the merchant loses"),
    scenario("4000000000002685", "dispute_won", "tok_dispute_won",
        Dispute { won: true }, "approved; then disputed, and the merchant wins"),
    scenario("4000000000007726", "refund_pending", "tok_refund_pending",
        RefundPending { fails: false }, "approved; a refund is pending first and then succeeds"),
    scenario("4000009900001002", "refund_pending_fails", "tok_refund_pending_fails",
        RefundPending { fails: true }, "approved; a refund is pending first and then fails"),
    scenario("4000000000005126", "refund_fails_late", "tok_refund_fails_late",
        RefundFailsLate, "approved; a refund succeeds first and fails later"),

    scenario("4000009900002000", "timeout_before", "tok_timeout_before",
        Struck(Verb::Charge, SilenceBefore), "no answer, and no charge: every time"),
    scenario("4000009900003008", "timeout_after", "tok_timeout_after",
        Struck(Verb::Charge, SilenceAfter), "no answer, but charged; a repeat or a look-up tells"),
    scenario("4000009900004006", "timeout_invisible", "tok_timeout_invisible",
        Invisible, "no answer, but charged; look-ups do not find it for the first 3 seconds"),
    scenario("4000009900005003", "server_error_before", "tok_server_error_before",
        Struck(Verb::Charge, ErrorBefore), "500 with an HTML page, and no charge: every time"),
    scenario("4000009900006001", "server_error_after", "tok_server_error_after",
        Struck(Verb::Charge, ErrorAfter), "502 with an HTML page, but charged"),
    scenario("4000009900007009", "garbage", "tok_garbage",
        Struck(Verb::Charge, Garbage), "charged; the answer is a 200 that breaks off in the middle"),
    scenario("4000009900008007", "slow", "tok_slow",
        Struck(Verb::Charge, Slow), "charged; the answer takes 3 seconds"),
    scenario("4000009900009005", "late_success", "tok_late_success",
        LateAfterDecline, "declined; 3 seconds later charged after all, with a notice"),
    scenario("4000009900010003", "late_success_silent", "tok_late_success_silent",
        LateAfterSilence, "no answer; pending; 3 seconds later charged, with a notice"),
    scenario("4000009900011001", "duplicate_notices", "tok_duplicate_notices",
        DuplicateNotices, "charged; the notice of it comes three times"),
    scenario("4000009900012009", "reordered_notices", "tok_reordered_notices",
        ReorderedNotices, "pending, then charged; the notice of the second comes first"),
    scenario("4000009900013007", "notice_first", "tok_notice_first",
        NoticeFirst, "charged; the notice comes at once, the answer 3 seconds later"),
    scenario("4000009900014005", "partial_approval", "tok_partial_approval",
        Partial, "approved for half of the amount"),
    scenario("4000009900015002", "over_approval", "tok_over_approval",
        Over, "approved for a tenth more than asked"),
    scenario("4000009900016000", "contradictory", "tok_contradictory",
        Contradictory, "the answer says declined; look-ups and the notice say charged"),
    scenario("4000009900017008", "rate_limited", "tok_rate_limited",
        RateLimited, "429, and no charge"),
    scenario("4000009900018006", "unknown_status", "tok_unknown_status",
        UnknownStatus, "the answer has a status that nobody knows; charged 3 seconds later"),

    scenario("4000009900019004", "capture_timeout_before", "tok_capture_timeout_before",
        Struck(Verb::Capture, SilenceBefore), "approved; a capture gets no answer and is not done"),
    scenario("4000009900020002", "capture_timeout_after", "tok_capture_timeout_after",
        Struck(Verb::Capture, SilenceAfter), "approved; a capture gets no answer but is done"),
    scenario("4000009900021000", "void_timeout_before", "tok_void_timeout_before",
        Struck(Verb::Void, SilenceBefore), "approved; a void gets no answer and is not done"),
    scenario("4000009900022008", "void_timeout_after", "tok_void_timeout_after",
        Struck(Verb::Void, SilenceAfter), "approved; a void gets no answer but is done"),
    scenario("4000009900023006", "refund_timeout_before", "tok_refund_timeout_before",
        Struck(Verb::Refund, SilenceBefore), "approved; a refund gets no answer and is not done"),
    scenario("4000009900024004", "refund_timeout_after", "tok_refund_timeout_after",
        Struck(Verb::Refund, SilenceAfter), "approved; a refund gets no answer but is done"),
    scenario("4000009900034003", "increment_declined", "tok_increment_declined",
        IncrementDeclined, "approved; an increment is declined: not enough money"),
    scenario("4000009900035000", "increment_timeout_before", "tok_increment_timeout_before",
        Struck(Verb::Increment, SilenceBefore), "approved; an increment gets no answer and is not done"),
    scenario("4000009900036008", "increment_timeout_after", "tok_increment_timeout_after",
        Struck(Verb::Increment, SilenceAfter), "approved; an increment gets no answer but is done"),
    scenario("4000009900025001", "refund_server_error_after", "tok_refund_server_error_after",
        Struck(Verb::Refund, ErrorAfter), "approved; a refund gets a 502 but is done"),
];

impl Scenario {
    /// The script of a card number; approval for a number without one.
    pub(crate) fn of_number(number: &str) -> &'static Self {
        SCENARIOS.iter().find(|scenario| scenario.number == number).unwrap_or(&APPROVED)
    }

    /// The script of this name, as a token carries it.
    pub(crate) fn of_name(name: &str) -> Option<&'static Self> {
        SCENARIOS.iter().find(|scenario| scenario.name == name)
    }

    /// The script of a well-known token.
    pub(crate) fn of_token(token: &str) -> Option<&'static Self> {
        SCENARIOS.iter().find(|scenario| scenario.token == token)
    }
}

/// The network's response code (ISO 8583 field 39) that goes with a decline.
pub(crate) const fn network_code(code: DeclineCode) -> Option<&'static str> {
    match code {
        DeclineCode::GenericDecline | DeclineCode::DoNotHonor => Some("05"),
        DeclineCode::InsufficientFunds => Some("51"),
        DeclineCode::LostCard => Some("41"),
        DeclineCode::StolenCard => Some("43"),
        DeclineCode::ExpiredCard => Some("54"),
        DeclineCode::IncorrectCvc => Some("82"),
        DeclineCode::ProcessingError => Some("96"),
        DeclineCode::CardVelocityExceeded => Some("65"),
        DeclineCode::Fraudulent => Some("59"),
        DeclineCode::IssuerUnavailable => Some("91"),
        DeclineCode::IncorrectNumber => Some("14"),
        DeclineCode::CardNotSupported => Some("57"),
        DeclineCode::AmountNotAllowed => Some("13"),
        DeclineCode::AuthenticationRequired => Some("1A"),
        _ => None,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed parse is a failed test")]
mod tests {
    use super::*;
    use kernel::CardNumber;
    use std::collections::BTreeSet;
    use std::fmt::Write as _;

    #[test]
    fn numbers_are_valid_and_everything_is_unique() {
        for scenario in SCENARIOS {
            CardNumber::parse(scenario.number).unwrap();
            assert!(scenario.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'));
            assert_eq!(scenario.token, format!("tok_{}", scenario.name));
        }
        for unique in [|s: &Scenario| s.number, |s: &Scenario| s.name] {
            assert_eq!(SCENARIOS.iter().map(unique).collect::<BTreeSet<_>>().len(), SCENARIOS.len());
        }
    }

    /// The page that people read. `cargo xtask gen-docs` writes it anew.
    #[test]
    fn the_page_of_test_cards_is_this_table() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/test-cards.md");
        let mut page = include_str!("test_cards.md").to_owned();
        for Scenario { number, token, what, .. } in SCENARIOS {
            let blocks: Vec<_> = number.as_bytes().chunks(4).map(String::from_utf8_lossy).collect();
            writeln!(page, "| {} | `{token}` | {what} |", blocks.join(" ")).unwrap();
        }
        if std::env::var_os("FLORIN_REGENERATE").is_some() {
            std::fs::write(path, &page).unwrap();
        }
        assert!(std::fs::read_to_string(path).unwrap() == page, "docs/test-cards.md is stale: write it anew");
    }

    #[test]
    fn a_number_without_a_script_is_approved() {
        assert_eq!(Scenario::of_number("4222222222222").script, Script::Approve);
    }

    /// What a customer or the caller decides, and what only refunds are told, is reached otherwise.
    #[test]
    fn every_decline_of_a_card_can_be_tried() {
        use DeclineCode::{AuthenticationFailed, Cancelled, Expired, PayerDeclined, RefundNotAllowed};
        let otherwise = [AuthenticationFailed, Cancelled, Expired, PayerDeclined, RefundNotAllowed];
        for code in DeclineCode::ALL.iter().filter(|code| !otherwise.contains(code)) {
            assert!(SCENARIOS.iter().any(|scenario| scenario.script == Decline(*code)), "{code:?}");
        }
    }
}
