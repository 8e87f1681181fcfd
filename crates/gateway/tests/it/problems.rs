//! Problem documents: the catalogue is sound, and each rejection has its status and code.

use std::collections::BTreeSet;

use gateway::Problem;
use gateway::problem::{CATALOGUE, catalogue, from_payments};
use kernel::Id;
use payments::{LastError, OperationId, OperationKind, PaymentStatus, PaymentsError, Rejection};
use provider_kit::Advice;
use serde_json::{Value, json};
use uuid::Uuid;

fn document(problem: &Problem) -> Value {
    serde_json::from_slice(&problem.document("req_1")).unwrap()
}

#[test]
fn the_catalogue_is_sound() {
    let codes: BTreeSet<_> = CATALOGUE.iter().map(|entry| entry.code).collect();
    assert_eq!(codes.len(), CATALOGUE.len(), "a code stands twice");
    for entry in CATALOGUE {
        assert!((400..600).contains(&entry.status), "{}", entry.code);
        assert!(entry.code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{}", entry.code);
        for text in [entry.cause, entry.remedy] {
            assert!(text.ends_with('.') && text.len() > 10, "{}", entry.code);
        }
        assert!(!entry.title.ends_with('.'), "{}", entry.code);
        assert!(std::ptr::eq(catalogue::find(entry.code).unwrap(), *entry));
    }
    assert!(CATALOGUE.is_sorted_by_key(|entry| entry.status), "the documentation lists them by status");
}

/// What the payments service says in `LastError` must have an entry of its own.
#[test]
fn the_service_codes_are_listed() {
    for code in [
        "card_declined",
        "payment_declined",
        "operation_declined",
        "operation_failed",
        "partially_approved",
        "not_sent",
        "provider_refused",
        "provider_credentials",
        "provider_rate_limited",
        "unknown_token",
        "expired",
        "cancelled",
    ] {
        assert_eq!(catalogue::find(code).map(|entry| entry.status), Some(402), "{code}");
    }
}

#[test]
fn each_rejection_has_its_status_and_code() {
    let operation =
        OperationId { payment: Id::from_uuid(Uuid::nil()), kind: OperationKind::Capture, ordinal: 2 };
    let rows: Vec<(PaymentsError, u64, &str, Option<&str>)> = vec![
        (Rejection::NotFound("payment").into(), 404, "not_found", None),
        (
            Rejection::Invalid { param: "/payment_method", message: "no".into() }.into(),
            422,
            "invalid_value",
            Some("/payment_method"),
        ),
        (
            Rejection::Invalid { param: "/amount", message: "no".into() }.into(),
            422,
            "invalid_amount",
            Some("/amount"),
        ),
        (
            Rejection::Invalid { param: "/currency", message: "no".into() }.into(),
            422,
            "invalid_currency",
            Some("/currency"),
        ),
        (Rejection::NoProviderAccount("none".into()).into(), 422, "no_provider_account", Some("/provider")),
        (
            Rejection::State { verb: "captured", status: PaymentStatus::Paid }.into(),
            409,
            "invalid_state",
            None,
        ),
        (Rejection::OperationOpen(operation).into(), 409, "operation_open", None),
        (Rejection::OrderAlreadyCharged.into(), 409, "order_already_charged", Some("/order_id")),
        (Rejection::BeyondCapturable { available: 5 }.into(), 422, "beyond_capturable", Some("/amount")),
        (Rejection::BeyondRefundable { available: 5 }.into(), 422, "beyond_refundable", Some("/amount")),
        (Rejection::TooManyOperations.into(), 422, "too_many_operations", None),
        (Rejection::KeyReused.into(), 422, "idempotency_key_reused", Some("Idempotency-Key")),
        (Rejection::KeyInUse.into(), 409, "idempotency_key_in_use", Some("Idempotency-Key")),
        (PaymentsError::Busy, 409, "busy", None),
        (PaymentsError::Overloaded, 503, "overloaded", None),
        (PaymentsError::StorageFull, 503, "storage_full", None),
        (PaymentsError::Undecided("pg: secret".into()), 503, "undecided", None),
        (PaymentsError::Unavailable("pg: secret".into()), 503, "unavailable", None),
        (PaymentsError::Internal("/etc/secret".into()), 500, "internal", None),
    ];
    for (error, status, code, param) in rows {
        let retries = matches!(
            error,
            PaymentsError::Busy
                | PaymentsError::Overloaded
                | PaymentsError::StorageFull
                | PaymentsError::Undecided(_)
                | PaymentsError::Unavailable(_)
                | PaymentsError::Rejected(Rejection::KeyInUse | Rejection::OperationOpen(_))
        );
        let problem = from_payments(error);
        let found = document(&problem);
        assert_eq!((&found["status"], &found["code"]), (&json!(status), &json!(code)));
        assert_eq!(found["type"], format!("/docs/errors#{code}"));
        assert_eq!(found.get("param").and_then(Value::as_str), param);
        assert!(!found.to_string().contains("secret"), "{found}");
        let rendered = problem.render("req_1", "trace");
        assert_eq!(u64::from(rendered.status().as_u16()), status);
        assert_eq!(rendered.headers()["content-type"], "application/problem+json");
        assert_eq!(rendered.headers().contains_key("retry-after"), retries, "{code}");
        assert_eq!(rendered.headers().contains_key("www-authenticate"), status == 401);
    }
}

#[test]
fn a_decline_says_what_to_do() {
    let error = LastError {
        code: "card_declined".to_owned(),
        decline_code: Some("insufficient_funds".to_owned()),
        network_code: Some("51".to_owned()),
        advice: Some(Advice::RetryLater),
    };
    let problem = Problem::plain(&catalogue::CARD_DECLINED)
        .declined(error)
        .about("pay_1".to_owned(), None)
        .replayed(true);
    let found = document(&problem);
    assert_eq!(found["decline_code"], "insufficient_funds");
    assert_eq!(found["network_code"], "51");
    assert_eq!((&found["advice"], &found["retryable"]), (&json!("retry_later"), &json!(true)));
    assert_eq!((&found["payment_id"], found.get("refund_id")), (&json!("pay_1"), None));
    assert_eq!(found["request_id"], "req_1");
    assert_eq!(problem.render("req_1", "trace").headers()["idempotent-replayed"], "true");
}
