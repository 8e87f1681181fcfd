//! Query parameters and cursors.

use gateway::input::{CursorKind, Parameters, decode_cursor, encode_cursor, limit};
use proptest::prelude::*;
use uuid::Uuid;

const KNOWN: &[&str] = &["limit", "cursor"];
const LATER: &[&str] = &["order_id"];

fn parse(query: &str) -> Result<Parameters, gateway::Problem> {
    Parameters::parse(Some(query), KNOWN, LATER)
}

#[test]
fn parameters_are_decoded() {
    let parameters = parse("cursor=a%2Bb+c%C3%A9&limit=5&").unwrap();
    assert_eq!(parameters.get("cursor"), Some("a+b cé"));
    assert_eq!(limit(&parameters).unwrap(), 5);
    assert_eq!(limit(&parse("").unwrap()).unwrap(), 20);
    assert_eq!(limit(&Parameters::parse(None, KNOWN, LATER).unwrap()).unwrap(), 20);
}

#[test]
fn what_is_unknown_twice_or_malformed_is_refused() {
    for (query, code, param) in [
        ("limt=5", "unknown_parameter", Some("limt")),
        ("order_id=5", "unsupported_parameter", Some("order_id")),
        ("limit=1&limit=2", "unknown_parameter", Some("limit")),
        ("4242424242424242=1", "unknown_parameter", None),
        ("limit=%zz", "invalid_parameter", None),
        ("limit=%+1", "invalid_parameter", None),
        ("limit=%f", "invalid_parameter", None),
        ("limit=%ff", "invalid_parameter", None),
    ] {
        let problem = parse(query).unwrap_err();
        assert_eq!((problem.entry().code, problem.param()), (code, param), "{query}");
    }
    assert!(parse("limt=5").unwrap_err().detail().ends_with("Did you mean `limit`?"));
    for value in ["0", "101", "-1", "+5", "5.0", "", "x", "99999999999999999999"] {
        let problem = limit(&parse(&format!("limit={}", value.replace('+', "%2B"))).unwrap()).unwrap_err();
        assert_eq!(problem.entry().code, "invalid_parameter", "{value}");
    }
}

#[test]
fn a_cursor_belongs_to_its_list() {
    let cursor = encode_cursor(CursorKind::Payments, Uuid::from_u128(5));
    assert!(decode_cursor(CursorKind::Refunds, &cursor).is_err());
    for text in ["", "AA", "pay_01h455vb4pex5vsknk084sn02q", "!", &format!("{cursor}A")] {
        assert_eq!(decode_cursor(CursorKind::Payments, text).unwrap_err().entry().code, "invalid_parameter");
    }
}

proptest! {
    #[test]
    fn cursors_round_trip(value in any::<u128>()) {
        let id = Uuid::from_u128(value);
        let cursor = encode_cursor(CursorKind::Refunds, id);
        prop_assert!(cursor.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')));
        prop_assert_eq!(decode_cursor(CursorKind::Refunds, &cursor).unwrap(), id);
    }

    #[test]
    fn arbitrary_queries_are_no_fault_of_ours(query in ".*") {
        if let Err(problem) = parse(&query) {
            prop_assert_eq!(problem.entry().status, 422);
        }
    }
}
