//! Metadata: flat, small, and given back exactly.

use gateway::Problem;
use gateway::input::{read_body, refund};
use serde_json::{Map, Value};

fn metadata(json: &str) -> Result<Map<String, Value>, Problem> {
    let body = format!("{{\"metadata\": {json}}}");
    Ok(refund(&read_body(body.as_bytes())?, false)?.command.metadata)
}

#[test]
fn scalars_are_kept() {
    let kept =
        metadata(r#"{"a": "text\nline", "b": true, "c": 12, "d": -1.5, "e": 18446744073709551615, "f": ""}"#);
    let kept = kept.unwrap();
    assert_eq!(kept["a"], "text\nline");
    assert_eq!(kept["c"], 12);
    assert_eq!(kept["d"], -1.5);
    assert_eq!(kept["e"], u64::MAX);
    for (written, kept) in
        [("0.1", 0.1), ("1.10", 1.1), ("1e3", 1000.0), ("123456789012.345", 123_456_789_012.345)]
    {
        assert_eq!(metadata(&format!("{{\"n\": {written}}}")).unwrap()["n"], kept);
    }
    assert_eq!(metadata("{\"n\": 0.0}").unwrap()["n"], 0);
}

#[test]
fn what_cannot_be_kept_is_refused() {
    let many: Vec<String> = (0..51).map(|number| format!("\"k{number}\": 1")).collect();
    let long_value = format!("{{\"a\": \"{}\"}}", "x".repeat(501));
    let long_name = format!("{{\"{}\": 1}}", "x".repeat(41));
    for (json, code, param) in [
        (r#"{"a": null}"#, "invalid_metadata", "/metadata/a"),
        (r#"{"a": {}}"#, "invalid_metadata", "/metadata/a"),
        (r#"{"a": [1]}"#, "invalid_metadata", "/metadata/a"),
        (r#"{"a": 12345678901234567890123}"#, "invalid_metadata", "/metadata/a"),
        (r#"{"a": 1.2345678901234567}"#, "invalid_metadata", "/metadata/a"),
        (r#"{"a": 1.5e200}"#, "invalid_metadata", "/metadata/a"),
        (r#"{"a": 1e-7}"#, "invalid_metadata", "/metadata/a"),
        (r#"{"a": 1e999}"#, "invalid_metadata", "/metadata/a"),
        (r#"{"a": 1e-999}"#, "invalid_metadata", "/metadata/a"),
        (r#"{"a": "x\u0000"}"#, "invalid_metadata", "/metadata/a"),
        (r#"{"": 1}"#, "invalid_metadata", "/metadata"),
        (r#"{"a/b": "4242 4242 4242 4242"}"#, "card_number_in_text", "/metadata/a~1b"),
        (r#"{"a": 4242424242424242}"#, "card_number_in_text", "/metadata/a"),
        (r#"{"4242424242424242": 1}"#, "card_number_in_text", "/metadata"),
        (&format!("{{{}}}", many.join(",")), "invalid_metadata", "/metadata"),
        (&long_value, "invalid_metadata", "/metadata/a"),
        (&long_name, "invalid_metadata", "/metadata"),
    ] {
        let problem = metadata(json).unwrap_err();
        assert_eq!((problem.entry().code, problem.param()), (code, Some(param)), "{json}");
    }
}
