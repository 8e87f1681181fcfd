//! Stripe's words for declines. Source: docs.stripe.com/declines/codes and docs.stripe.com/error-codes.

use provider_kit::{Advice, Decline, DeclineCode, DeclineRow};

use crate::wire::Failure;

const fn row(word: &'static str, code: DeclineCode) -> DeclineRow {
    DeclineRow { word, code, advice: code.advice() }
}

const fn advised(word: &'static str, code: DeclineCode, advice: Advice) -> DeclineRow {
    DeclineRow { word, code, advice }
}

/// By word: looked up from the more precise `decline_code` on, then by the error's `code`.
pub(crate) const TABLE: &[DeclineRow] = &[
    row("amount_too_large", DeclineCode::AmountNotAllowed),
    row("amount_too_small", DeclineCode::AmountNotAllowed),
    advised("approve_with_id", DeclineCode::IssuerUnavailable, Advice::RetryNow),
    row("authentication_not_handled", DeclineCode::AuthenticationRequired),
    row("authentication_required", DeclineCode::AuthenticationRequired),
    advised("balance_insufficient", DeclineCode::RefundNotAllowed, Advice::RetryLater),
    row("call_issuer", DeclineCode::DoNotHonor),
    row("card_decline_rate_limit_exceeded", DeclineCode::CardVelocityExceeded),
    row("card_declined", DeclineCode::GenericDecline),
    row("card_not_supported", DeclineCode::CardNotSupported),
    row("card_velocity_exceeded", DeclineCode::CardVelocityExceeded),
    row("charge_already_refunded", DeclineCode::RefundNotAllowed),
    row("charge_disputed", DeclineCode::RefundNotAllowed),
    row("charge_expired_for_capture", DeclineCode::Expired),
    row("charge_not_refundable", DeclineCode::RefundNotAllowed),
    row("currency_not_supported", DeclineCode::CardNotSupported),
    row("do_not_honor", DeclineCode::DoNotHonor),
    advised("do_not_try_again", DeclineCode::DoNotHonor, Advice::Never),
    advised("duplicate_transaction", DeclineCode::GenericDecline, Advice::Never),
    row("expired_card", DeclineCode::ExpiredCard),
    row("expired_or_canceled_card", DeclineCode::RefundNotAllowed),
    row("fraudulent", DeclineCode::Fraudulent),
    row("generic_decline", DeclineCode::GenericDecline),
    row("highest_risk_level", DeclineCode::Fraudulent),
    row("incorrect_address", DeclineCode::GenericDecline),
    row("incorrect_cvc", DeclineCode::IncorrectCvc),
    row("incorrect_number", DeclineCode::IncorrectNumber),
    row("incorrect_pin", DeclineCode::AuthenticationFailed),
    row("incorrect_zip", DeclineCode::GenericDecline),
    row("insufficient_funds", DeclineCode::InsufficientFunds),
    row("invalid_account", DeclineCode::CardNotSupported),
    row("invalid_amount", DeclineCode::AmountNotAllowed),
    row("invalid_cvc", DeclineCode::IncorrectCvc),
    row("invalid_expiry_month", DeclineCode::ExpiredCard),
    row("invalid_expiry_year", DeclineCode::ExpiredCard),
    row("invalid_number", DeclineCode::IncorrectNumber),
    row("invalid_pin", DeclineCode::AuthenticationFailed),
    row("issuer_not_available", DeclineCode::IssuerUnavailable),
    row("live_mode_test_card", DeclineCode::CardNotSupported),
    row("lost_card", DeclineCode::LostCard),
    row("lost_or_stolen_card", DeclineCode::RefundNotAllowed),
    row("merchant_blacklist", DeclineCode::Fraudulent),
    row("new_account_information_available", DeclineCode::ExpiredCard),
    row("no_action_taken", DeclineCode::DoNotHonor),
    row("not_permitted", DeclineCode::CardNotSupported),
    row("offline_pin_required", DeclineCode::AuthenticationRequired),
    row("online_or_offline_pin_required", DeclineCode::AuthenticationRequired),
    row("payment_intent_authentication_failure", DeclineCode::AuthenticationFailed),
    row("payment_method_customer_decline", DeclineCode::PayerDeclined),
    row("payment_method_provider_decline", DeclineCode::DoNotHonor),
    row("payment_method_provider_timeout", DeclineCode::IssuerUnavailable),
    row("pickup_card", DeclineCode::StolenCard),
    row("pin_try_exceeded", DeclineCode::AuthenticationFailed),
    row("processing_error", DeclineCode::ProcessingError),
    row("reenter_transaction", DeclineCode::ProcessingError),
    row("refund_disputed_payment", DeclineCode::RefundNotAllowed),
    row("restricted_card", DeclineCode::StolenCard),
    advised("revocation_of_all_authorizations", DeclineCode::PayerDeclined, Advice::Never),
    advised("revocation_of_authorization", DeclineCode::PayerDeclined, Advice::Never),
    row("security_violation", DeclineCode::Fraudulent),
    row("service_not_allowed", DeclineCode::CardNotSupported),
    row("setup_intent_authentication_failure", DeclineCode::AuthenticationFailed),
    row("stolen_card", DeclineCode::StolenCard),
    advised("stop_payment_order", DeclineCode::PayerDeclined, Advice::Never),
    row("test_mode_live_card", DeclineCode::CardNotSupported),
    row("testmode_decline", DeclineCode::CardNotSupported),
    row("transaction_not_allowed", DeclineCode::CardNotSupported),
    advised("try_again_later", DeclineCode::IssuerUnavailable, Advice::RetryLater),
    row("withdrawal_count_limit_exceeded", DeclineCode::CardVelocityExceeded),
];

/// Whether the table knows a word.
pub(crate) fn knows(word: &str) -> bool {
    TABLE.iter().any(|row| row.word == word)
}

/// A decline in our words. What Stripe advises for this one case goes before what is usual for its code.
pub(crate) fn of(failure: &Failure, reference: Option<String>) -> Decline {
    let words = [failure.decline_code.as_deref(), failure.code.as_deref()];
    let known = words.into_iter().flatten().find_map(|word| TABLE.iter().find(|row| row.word == word));
    let (code, usual) =
        known.map_or((DeclineCode::GenericDecline, Advice::OtherMethod), |row| (row.code, row.advice));
    let advice = match failure.advice_code.as_deref() {
        Some("do_not_try_again") => Advice::Never,
        Some("try_again_later") => Advice::RetryLater,
        Some("confirm_card_data") => Advice::OtherMethod,
        _ => usual,
    };
    let raw = words.into_iter().flatten().next().unwrap_or("declined");
    Decline {
        code,
        raw_code: raw.to_owned(),
        network_code: failure.network_decline_code.clone(),
        advice,
        reference,
    }
}
