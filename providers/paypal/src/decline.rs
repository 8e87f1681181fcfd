//! PayPal's words for declines: issues of its errors, and the response codes of card processors. Source: the
//! OpenAPI files of orders v2 and payments v2 (`processor_response`, `orders.capture-422`, `422` of refunds).

use provider_kit::{Advice, Decline, DeclineCode, DeclineRow};

const fn row(word: &'static str, code: DeclineCode) -> DeclineRow {
    DeclineRow { word, code, advice: code.advice() }
}

const fn advised(word: &'static str, code: DeclineCode, advice: Advice) -> DeclineRow {
    DeclineRow { word, code, advice }
}

/// By word.
pub(crate) const TABLE: &[DeclineRow] = &[
    row("00N7", DeclineCode::IncorrectCvc),
    row("0100", DeclineCode::DoNotHonor),
    row("0390", DeclineCode::IncorrectNumber),
    row("0500", DeclineCode::DoNotHonor),
    row("0580", DeclineCode::CardNotSupported),
    row("0960", DeclineCode::ProcessingError),
    row("0R00", DeclineCode::PayerDeclined),
    row("10BR", DeclineCode::DoNotHonor),
    row("1310", DeclineCode::AmountNotAllowed),
    row("1312", DeclineCode::CardNotSupported),
    row("1320", DeclineCode::CardNotSupported),
    row("1330", DeclineCode::IncorrectNumber),
    row("1335", DeclineCode::IncorrectNumber),
    advised("1352", DeclineCode::DoNotHonor, Advice::Never),
    row("1380", DeclineCode::ExpiredCard),
    row("1382", DeclineCode::IncorrectCvc),
    row("1393", DeclineCode::GenericDecline),
    row("5100", DeclineCode::GenericDecline),
    row("5110", DeclineCode::IncorrectCvc),
    row("5120", DeclineCode::InsufficientFunds),
    row("5130", DeclineCode::AuthenticationFailed),
    row("5135", DeclineCode::AuthenticationFailed),
    advised("5140", DeclineCode::ExpiredCard, Advice::Never),
    row("5150", DeclineCode::StolenCard),
    row("5160", DeclineCode::PayerDeclined),
    row("5170", DeclineCode::GenericDecline),
    row("5180", DeclineCode::CardNotSupported),
    row("5190", DeclineCode::GenericDecline),
    advised("5200", DeclineCode::GenericDecline, Advice::Never),
    row("5210", DeclineCode::CardNotSupported),
    row("5400", DeclineCode::ExpiredCard),
    row("5500", DeclineCode::AuthenticationFailed),
    row("5650", DeclineCode::AuthenticationRequired),
    row("5700", DeclineCode::CardNotSupported),
    row("5710", DeclineCode::CardVelocityExceeded),
    row("5900", DeclineCode::GenericDecline),
    advised("5910", DeclineCode::IssuerUnavailable, Advice::RetryLater),
    row("5920", DeclineCode::IssuerUnavailable),
    row("5930", DeclineCode::CardNotSupported),
    row("5950", DeclineCode::GenericDecline),
    row("6300", DeclineCode::IncorrectNumber),
    row("7700", DeclineCode::AuthenticationFailed),
    row("7710", DeclineCode::AuthenticationFailed),
    row("8000", DeclineCode::ProcessingError),
    row("8100", DeclineCode::ProcessingError),
    row("8110", DeclineCode::ProcessingError),
    row("8220", DeclineCode::ProcessingError),
    advised("9100", DeclineCode::GenericDecline, Advice::RetryNow),
    row("9500", DeclineCode::Fraudulent),
    row("9510", DeclineCode::Fraudulent),
    row("9520", DeclineCode::LostCard),
    row("9530", DeclineCode::DoNotHonor),
    row("9540", DeclineCode::DoNotHonor),
    row("AGREEMENT_ALREADY_CANCELLED", DeclineCode::PayerDeclined),
    row("AUTHORIZATION_DENIED", DeclineCode::DoNotHonor),
    row("AUTHORIZATION_EXPIRED", DeclineCode::Expired),
    row("CAPTURE_FULLY_REFUNDED", DeclineCode::RefundNotAllowed),
    row("CARD_BRAND_NOT_SUPPORTED", DeclineCode::CardNotSupported),
    row("CARD_EXPIRED", DeclineCode::ExpiredCard),
    advised("COMPLIANCE_VIOLATION", DeclineCode::GenericDecline, Advice::Never),
    row("DECLINED", DeclineCode::GenericDecline),
    row("DENIED", DeclineCode::GenericDecline),
    row("FAILED", DeclineCode::ProcessingError),
    row("INSTRUMENT_DECLINED", DeclineCode::GenericDecline),
    row("MAX_CAPTURE_AMOUNT_EXCEEDED", DeclineCode::AmountNotAllowed),
    row("MAX_CAPTURE_COUNT_EXCEEDED", DeclineCode::AmountNotAllowed),
    row("MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED", DeclineCode::CardVelocityExceeded),
    row("MAX_NUMBER_OF_REFUNDS_EXCEEDED", DeclineCode::RefundNotAllowed),
    row("ORDER_EXPIRED", DeclineCode::Expired),
    row("PARTIAL_REFUND_NOT_ALLOWED", DeclineCode::RefundNotAllowed),
    row("PAYEE_BLOCKED_TRANSACTION", DeclineCode::GenericDecline),
    row("PAYER_ACCOUNT_LOCKED_OR_CLOSED", DeclineCode::DoNotHonor),
    row("PAYER_ACCOUNT_RESTRICTED", DeclineCode::DoNotHonor),
    row("PAYER_CANNOT_PAY", DeclineCode::GenericDecline),
    row("REDIRECT_PAYER_FOR_ALTERNATE_FUNDING", DeclineCode::GenericDecline),
    row("REFERENCED_CARD_EXPIRED", DeclineCode::ExpiredCard),
    row("REFUND_AMOUNT_EXCEEDED", DeclineCode::RefundNotAllowed),
    row("REFUND_AMOUNT_TOO_LOW", DeclineCode::RefundNotAllowed),
    advised("REFUND_FAILED_INSUFFICIENT_FUNDS", DeclineCode::RefundNotAllowed, Advice::RetryLater),
    row("REFUND_IS_RESTRICTED", DeclineCode::RefundNotAllowed),
    row("REFUND_NOT_ALLOWED", DeclineCode::RefundNotAllowed),
    row("REFUND_NOT_PERMITTED_DUE_TO_CHARGEBACK", DeclineCode::RefundNotAllowed),
    row("REFUND_TIME_LIMIT_EXCEEDED", DeclineCode::RefundNotAllowed),
    row("TOKEN_EXPIRED", DeclineCode::PayerDeclined),
    row("TRANSACTION_BLOCKED_BY_PAYEE", DeclineCode::Fraudulent),
    row("TRANSACTION_DISPUTED", DeclineCode::RefundNotAllowed),
    row("TRANSACTION_LIMIT_EXCEEDED", DeclineCode::AmountNotAllowed),
    row("TRANSACTION_RECEIVING_LIMIT_EXCEEDED", DeclineCode::AmountNotAllowed),
    row("TRANSACTION_REFUSED", DeclineCode::GenericDecline),
];

/// Whether the table knows a word.
pub(crate) fn knows(word: &str) -> bool {
    TABLE.iter().any(|row| row.word == word)
}

/// A decline in our words.
pub(crate) fn of(word: &str, reference: Option<String>) -> Decline {
    let known = TABLE.iter().find(|row| row.word == word);
    let (code, advice) =
        known.map_or((DeclineCode::GenericDecline, Advice::OtherMethod), |row| (row.code, row.advice));
    Decline { code, raw_code: word.to_owned(), network_code: None, advice, reference }
}

/// What a network advises for this one case (its payment advice code): it goes before what is usual.
pub(crate) fn network_advice(code: &str) -> Option<Advice> {
    Some(match code {
        // New account information is available, or the account does not support it.
        "01" => Advice::OtherMethod,
        "02" => Advice::RetryLater,
        // Do not try again; or recurring payments were cancelled for this merchant.
        "03" | "21" => Advice::Never,
        _ => return None,
    })
}
