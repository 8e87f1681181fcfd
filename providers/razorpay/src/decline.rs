//! Razorpay's reasons for declines. Source: razorpay.com/docs, "Payment errors" (reasons, cards, UPI).
//!
//! The reason says what happened; where it is as wide as `payment_failed`, the kind of error (`code`) and who
//! stopped it (`source`) say what a merchant may do.

use provider_kit::{Advice, Decline, DeclineCode, DeclineRow};

use crate::wire::{Failure, Payment};

const fn row(word: &'static str, code: DeclineCode) -> DeclineRow {
    DeclineRow { word, code, advice: code.advice() }
}

const fn advised(word: &'static str, code: DeclineCode, advice: Advice) -> DeclineRow {
    DeclineRow { word, code, advice }
}

/// By reason.
pub(crate) const TABLE: &[DeclineRow] = &[
    row("amount_less_than_minimum_amount", DeclineCode::AmountNotAllowed),
    row("authentication_failed", DeclineCode::AuthenticationFailed),
    row("authorisation_declined_by_psp", DeclineCode::PayerDeclined),
    row("bank_account_invalid", DeclineCode::DoNotHonor),
    row("bank_account_validation_failed", DeclineCode::DoNotHonor),
    advised("bank_cutoff_in_progress", DeclineCode::IssuerUnavailable, Advice::RetryLater),
    row("bank_not_available", DeclineCode::IssuerUnavailable),
    row("bank_not_enabled", DeclineCode::CardNotSupported),
    row("bank_technical_error", DeclineCode::IssuerUnavailable),
    row("card_declined", DeclineCode::GenericDecline),
    row("card_expired", DeclineCode::ExpiredCard),
    row("card_network_not_enabled", DeclineCode::CardNotSupported),
    row("card_not_enrolled", DeclineCode::CardNotSupported),
    row("card_number_invalid", DeclineCode::IncorrectNumber),
    row("card_type_invalid", DeclineCode::CardNotSupported),
    row("collect_on_mcc_blocked", DeclineCode::CardNotSupported),
    row("collect_request_pending", DeclineCode::CardVelocityExceeded),
    advised("compliance_violation", DeclineCode::GenericDecline, Advice::Never),
    row("credit_failed", DeclineCode::ProcessingError),
    row("credit_limit_exceeded", DeclineCode::InsufficientFunds),
    row("credit_limit_expired", DeclineCode::DoNotHonor),
    row("credit_limit_inactive", DeclineCode::DoNotHonor),
    row("credit_limit_not_approved", DeclineCode::DoNotHonor),
    row("credit_not_permitted", DeclineCode::DoNotHonor),
    row("debit_declined", DeclineCode::DoNotHonor),
    row("debit_instrument_blocked", DeclineCode::StolenCard),
    row("debit_instrument_inactive", DeclineCode::DoNotHonor),
    row("emi_greater_than_max_amount", DeclineCode::AmountNotAllowed),
    row("emi_plan_unavailable", DeclineCode::CardNotSupported),
    row("funds_blocked_by_mandate", DeclineCode::InsufficientFunds),
    row("gateway_technical_error", DeclineCode::ProcessingError),
    row("incorrect_atm_pin", DeclineCode::AuthenticationFailed),
    row("incorrect_card_details", DeclineCode::IncorrectNumber),
    row("incorrect_card_expiry_date", DeclineCode::ExpiredCard),
    row("incorrect_cardholder_name", DeclineCode::DoNotHonor),
    row("incorrect_cvv", DeclineCode::IncorrectCvc),
    row("incorrect_otp", DeclineCode::AuthenticationFailed),
    row("incorrect_pin", DeclineCode::AuthenticationFailed),
    row("insufficient_funds", DeclineCode::InsufficientFunds),
    row("international_transaction_not_allowed", DeclineCode::CardNotSupported),
    row("invalid_cvv", DeclineCode::IncorrectCvc),
    row("invalid_otp", DeclineCode::AuthenticationFailed),
    row("invalid_response_from_gateway", DeclineCode::ProcessingError),
    row("invalid_vpa", DeclineCode::IncorrectNumber),
    row("issuer_technical_error", DeclineCode::IssuerUnavailable),
    row("mandate_creation_declined", DeclineCode::PayerDeclined),
    row("mandate_creation_expired", DeclineCode::Expired),
    row("mandate_creation_failed", DeclineCode::ProcessingError),
    row("mandate_creation_timeout", DeclineCode::Expired),
    row("mcc_amount_limit_exceeded", DeclineCode::AmountNotAllowed),
    advised("otp_attempts_exceeded", DeclineCode::AuthenticationFailed, Advice::RetryLater),
    row("otp_expired", DeclineCode::Expired),
    row("payment_amount_tampered", DeclineCode::Fraudulent),
    row("payment_cancelled", DeclineCode::PayerDeclined),
    row("payment_collect_request_expired", DeclineCode::Expired),
    row("payment_declined", DeclineCode::GenericDecline),
    row("payment_declined_due_to_high_traffic", DeclineCode::ProcessingError),
    row("payment_failed", DeclineCode::GenericDecline),
    row("payment_risk_check_failed", DeclineCode::Fraudulent),
    row("payment_session_expired", DeclineCode::Expired),
    row("payment_timed_out", DeclineCode::Expired),
    advised("pin_attempts_exceeded", DeclineCode::AuthenticationFailed, Advice::RetryLater),
    row("pin_not_set", DeclineCode::AuthenticationFailed),
    row("psp_app_not_available", DeclineCode::IssuerUnavailable),
    row("psp_app_not_supported", DeclineCode::CardNotSupported),
    row("psp_not_available", DeclineCode::IssuerUnavailable),
    row("psp_not_registered", DeclineCode::CardNotSupported),
    row("transaction_daily_count_exceeded", DeclineCode::CardVelocityExceeded),
    row("transaction_daily_limit_exceeded", DeclineCode::CardVelocityExceeded),
    row("transaction_frequency_limit_exceeded", DeclineCode::CardVelocityExceeded),
    row("transaction_limit_exceeded", DeclineCode::AmountNotAllowed),
    row("transaction_on_vpa_restricted", DeclineCode::DoNotHonor),
    row("upi_app_technical_error", DeclineCode::IssuerUnavailable),
    row("upi_autopay_not_supported_on_psp", DeclineCode::CardNotSupported),
    row("user_not_eligible", DeclineCode::DoNotHonor),
    row("user_not_registered_for_netbanking", DeclineCode::CardNotSupported),
    row("vpa_resolution_failed", DeclineCode::IssuerUnavailable),
];

/// What Razorpay says when it does not know why.
const WIDE: &[&str] = &["payment_declined", "payment_failed"];

/// Whether the table knows a reason.
pub(crate) fn knows(word: &str) -> bool {
    TABLE.iter().any(|row| row.word == word)
}

/// A decline in our words, from an error.
pub(crate) fn of(failure: &Failure, reference: Option<String>) -> Decline {
    let source = failure.source.as_deref().unwrap_or_default();
    decline(failure.word(), &failure.code, source, reference)
}

/// A decline in our words, from a payment that failed.
pub(crate) fn of_payment(payment: &Payment, reference: Option<String>) -> Decline {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let (reason, code, source) =
        (text(&payment.error_reason), text(&payment.error_code), text(&payment.error_source));
    let word = if reason.is_empty() { &code } else { &reason };
    decline(word, &code, &source, reference)
}

fn decline(word: &str, error: &str, source: &str, reference: Option<String>) -> Decline {
    let known = TABLE.iter().find(|row| row.word == word);
    let (mut code, mut advice) =
        known.map_or((DeclineCode::GenericDecline, Advice::OtherMethod), |row| (row.code, row.advice));
    if known.is_none() || WIDE.contains(&word) {
        // The bank's or network's machine, and not the bank: it may do better next time.
        if error == "GATEWAY_ERROR" && !matches!(source, "customer" | "issuer_bank" | "customer_psp") {
            (code, advice) = (DeclineCode::ProcessingError, Advice::RetryNow);
        }
    }
    // Razorpay's own rules stopped it, or the merchant's: the payer may be good for another way.
    if word == "payment_risk_check_failed" && matches!(source, "business" | "internal") {
        advice = Advice::OtherMethod;
    }
    let raw_code = if word.is_empty() { "failed" } else { word };
    Decline { code, raw_code: raw_code.to_owned(), network_code: None, advice, reference }
}
