//! Whether an answer is what was asked for.

use std::borrow::Cow;

use crate::options::{Method, Operation};
use crate::scan;

/// What an answer says, as far as a load generator reads it.
pub(crate) struct Verdict<'a> {
    /// The object's own id: the payment's, or the refund's.
    pub(crate) id: Option<&'a [u8]>,
    /// The object's own status in words.
    pub(crate) state: Option<&'a [u8]>,
    /// Why the answer is not what was asked for: the problem's `code`, or our own words in parentheses.
    pub(crate) fault: Option<Cow<'a, str>>,
}

impl Verdict<'_> {
    /// Whether the first send of this key is still being worked on.
    pub(crate) fn is_key_in_use(&self, status: u16) -> bool {
        status == 409 && self.fault.as_deref() == Some("idempotency_key_in_use")
    }
}

/// Reads an answer. `asked` is the payment that a get names. Nothing is allocated for a good answer.
pub(crate) fn judge<'a>(
    operation: Operation,
    method: Method,
    asked: &[u8],
    status: u16,
    body: &'a [u8],
) -> Verdict<'a> {
    if !(200..300).contains(&status) {
        let code = scan::text(body, b"\"code\"").map_or(Cow::Borrowed("(no code)"), String::from_utf8_lossy);
        // A declined payment exists: its problem document names it.
        let makes = matches!(operation, Operation::Create | Operation::Authorize);
        let id = scan::text(body, b"\"payment_id\"").filter(|_| makes);
        return Verdict { id, state: None, fault: Some(code) };
    }
    let id = scan::text(body, b"\"id\"").filter(|id| !id.is_empty());
    let state = scan::text(body, b"\"status\"");
    let fault = match (operation, id) {
        (_, None) => Some(Cow::Borrowed("(no id in the answer)")),
        (Operation::Create, Some(_)) => match (method, state) {
            (Method::Upi, _) | (Method::Card, Some(b"paid")) => None,
            (Method::Card, state) => Some(unexpected(state)),
        },
        (Operation::Get | Operation::Capture | Operation::Void, Some(id)) if id != asked => {
            Some(Cow::Borrowed("(another payment than asked for)"))
        }
        (Operation::Refund, Some(_)) => match state {
            Some(b"succeeded" | b"pending" | b"partially_refunded" | b"refunded") => None,
            state => Some(unexpected(state)),
        },
        (Operation::Get, Some(_)) => None,
        (Operation::Authorize, Some(_)) => state_is(state, b"authorized"),
        (Operation::Capture, Some(_)) => state_is(state, b"paid"),
        (Operation::Void, Some(_)) => state_is(state, b"cancelled"),
    };
    Verdict { id, state, fault }
}

fn state_is(state: Option<&[u8]>, wanted: &[u8]) -> Option<Cow<'static, str>> {
    (state != Some(wanted)).then(|| unexpected(state))
}

fn unexpected(state: Option<&[u8]>) -> Cow<'static, str> {
    match state {
        Some(state) => Cow::Owned(format!("(status {})", String::from_utf8_lossy(state))),
        None => Cow::Borrowed("(no status in the answer)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_row_per_verdict() {
        use Method::{Card, Upi};
        use Operation::{Authorize, Capture, Create, Get, Refund, Void};
        let paid = r#"{"id":"pay_1","status":"paid"}"#;
        let pending = r#"{"id":"pay_1","status":"pending"}"#;
        let held = r#"{"id":"pay_1","status":"authorized"}"#;
        let void = r#"{"id":"pay_1","status":"cancelled"}"#;
        let problem = r#"{"status":402,"code":"card_declined","payment_id":"pay_1"}"#;
        for (operation, method, status, body, id, fault) in [
            (Create, Card, 201, paid, Some("pay_1"), None),
            (Create, Card, 202, pending, Some("pay_1"), Some("(status pending)")),
            (Create, Card, 201, r#"{"id":"pay_1"}"#, Some("pay_1"), Some("(no status in the answer)")),
            (Create, Card, 201, "{}", None, Some("(no id in the answer)")),
            (Create, Card, 402, problem, Some("pay_1"), Some("card_declined")),
            (Create, Card, 502, "<html>", None, Some("(no code)")),
            (Create, Upi, 201, pending, Some("pay_1"), None),
            (Get, Card, 200, paid, Some("pay_1"), None),
            (Get, Card, 200, r#"{"id":"pay_2"}"#, Some("pay_2"), Some("(another payment than asked for)")),
            (Get, Card, 404, r#"{"code":"not_found"}"#, None, Some("not_found")),
            (Refund, Card, 200, r#"{"id":"re_1","status":"succeeded"}"#, Some("re_1"), None),
            (Refund, Card, 200, r#"{"id":"re_1","status":"failed"}"#, Some("re_1"), Some("(status failed)")),
            (Refund, Card, 409, problem, None, Some("card_declined")),
            (Authorize, Card, 201, held, Some("pay_1"), None),
            (Authorize, Card, 201, paid, Some("pay_1"), Some("(status paid)")),
            (Authorize, Card, 402, problem, Some("pay_1"), Some("card_declined")),
            (Capture, Card, 200, paid, Some("pay_1"), None),
            (Capture, Card, 202, held, Some("pay_1"), Some("(status authorized)")),
            (Void, Card, 200, void, Some("pay_1"), None),
            (Void, Card, 200, r#"{"id":"pay_2"}"#, Some("pay_2"), Some("(another payment than asked for)")),
        ] {
            let verdict = judge(operation, method, b"pay_1", status, body.as_bytes());
            assert_eq!(verdict.id, id.map(str::as_bytes), "{operation} {status} {body}");
            assert_eq!(verdict.fault.as_deref(), fault, "{operation} {status} {body}");
        }
    }

    #[test]
    fn only_the_key_in_use_is_worth_waiting_for() {
        let body = br#"{"status":409,"code":"idempotency_key_in_use"}"#;
        assert!(judge(Operation::Create, Method::Card, b"", 409, body).is_key_in_use(409));
        let other = br#"{"status":409,"code":"operation_open"}"#;
        assert!(!judge(Operation::Create, Method::Card, b"", 409, other).is_key_in_use(409));
    }
}
