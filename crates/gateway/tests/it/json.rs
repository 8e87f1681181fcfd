//! The JSON reader, held against serde_json.

use gateway::input::{JsonError, Node, canonical, parse};
use proptest::prelude::*;
use serde_json::Value;

fn fault(text: &str) -> JsonError {
    parse(text.as_bytes()).unwrap_err()
}

#[test]
fn a_fault_has_its_line_column_and_pointer() {
    for (text, line, column, pointer, reason) in [
        ("", 1, 1, "", "the body ends where a value is expected"),
        ("{", 1, 2, "", "the body ends within an object"),
        ("{\"a\": }", 1, 7, "/a", "expected a value"),
        ("{\"a\": 1,}", 1, 9, "", "expected a name in double quotes"),
        ("{\n  \"amount\": 01\n}", 2, 14, "/amount", "a number does not begin with 0"),
        ("{\"a\": {\"b\": [1, 2, x]}}", 1, 20, "/a/b/2", "expected a value"),
        ("{\"a/b~c\": tru}", 1, 11, "/a~1b~0c", "expected a value"),
        ("{\"a\": 1 \"b\": 2}", 1, 9, "", "expected `,` or `}`"),
        ("{\"a\" 1}", 1, 6, "/a", "expected `:` after the name"),
        ("{} {}", 1, 4, "", "something follows the JSON value"),
        ("[1 2]", 1, 4, "", "expected `,` or `]`"),
        ("[1", 1, 3, "", "the body ends within an array"),
        ("{\"é\": \"a\u{1}\"}", 1, 9, "/é", "a control character in a string must be escaped"),
        ("\"\\q\"", 1, 2, "", "no such escape"),
        ("\"\\ud800\"", 1, 2, "", "half of a surrogate pair stands alone"),
        ("\"\\u12g4\"", 1, 2, "", "`\\u` needs four hexadecimal digits"),
        ("-", 1, 2, "", "expected a digit"),
        ("1.", 1, 3, "", "expected a digit"),
        ("1e+", 1, 4, "", "expected a digit"),
        ("{\"a\": 1, \"b\": {\"c\": 1, \"c\": 2}}", 1, 24, "/b/c", "this name stands twice in its object"),
        ("{\"a\": 1, \"\\u0061\": 2}", 1, 10, "/a", "this name stands twice in its object"),
        ("\u{feff}{}", 1, 1, "", "the body begins with a byte order mark, which JSON does not allow"),
    ] {
        let expected = JsonError { line, column, pointer: pointer.to_owned(), reason };
        assert_eq!(fault(text), expected, "{text:?}");
    }
}

#[test]
fn bytes_that_are_no_text_are_located_too() {
    let error = parse(b"{\n \"a\": \"\xff\"}").unwrap_err();
    assert_eq!((error.line, error.column, error.pointer.as_str()), (2, 8, "/a"));
    assert_eq!(error.reason, "the body is not valid UTF-8");
    // An earlier fault counts.
    assert_eq!(parse(b"{x \xff").unwrap_err().reason, "expected a name in double quotes");
}

#[test]
fn depth_is_limited() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(parse(nested(32).as_bytes()).is_ok());
    assert_eq!(fault(&nested(33)).reason, "objects and arrays lie more than 32 deep in one another");
    assert!(parse("[".repeat(200_000).as_bytes()).is_err());
}

#[test]
fn a_name_that_stands_twice_is_found_in_large_objects_too() {
    let members: Vec<String> = (0..20_000).map(|number| format!("\"n{number}\":0")).collect();
    let fine = format!("{{{}}}", members.join(","));
    assert!(parse(fine.as_bytes()).is_ok());
    for twice in ["n3", "n15", "n16", "n19999"] {
        let text = format!("{},\"{twice}\":1}}", fine.strip_suffix('}').unwrap());
        assert_eq!(fault(&text).pointer, format!("/{twice}"));
    }
}

#[test]
fn texts_without_escapes_are_borrowed() {
    let node = parse(b"[\"plain\", \"\\u00e9\\ud83d\\ude00\\n\"]").unwrap();
    let Node::List(items) = node else { panic!("a list") };
    assert!(matches!(&items[0], Node::Text(std::borrow::Cow::Borrowed("plain"))));
    assert!(matches!(&items[1], Node::Text(text) if text == "é😀\n"));
}

#[test]
fn the_tree_does_not_print() {
    let node = parse(b"{\"card_number\": \"4242424242424242\"}").unwrap();
    assert_eq!(format!("{node:?}"), "an object");
}

#[test]
fn the_canonical_form_holds_no_card() {
    let canon = |text: &str| {
        let node = parse(text.as_bytes()).unwrap();
        String::from_utf8(canonical(&node, &|digits| format!("fp:{}", digits.len()))).unwrap()
    };
    let body = r#"{"b": [1.50, null], "a": "\u00e9\"",
        "payment_method": {"type": "card", "card_number": "4242 4242-42424242", "cvc": "123"}}"#;
    assert_eq!(
        canon(body),
        "{\"a\":\"é\\\"\",\"b\":[1.50,null],\"payment_method\":{\"card_number\":\"fp:16\",\"type\":\"card\"}}"
    );
    // Order, blanks and escapes do not matter; the security code does not count; all else does.
    assert_eq!(canon("{\"x\":1,\"y\":\"\\u0041\"}"), canon("{ \"y\" : \"A\", \"x\" : 1 }"));
    let with = |cvc: &str| canon(&format!("{{\"payment_details\":{{\"number\":\"1\",\"cvv\":\"{cvc}\"}}}}"));
    assert_eq!(with("123"), with("456"));
    assert_ne!(canon("{\"x\":1}"), canon("{\"x\":2}"));
    assert_ne!(canon("{\"x\":\"1\"}"), canon("{\"x\":1}"));
    // Elsewhere these names are ordinary.
    assert_eq!(
        canon("{\"metadata\":{\"cvc\":\"1\",\"number\":\"2\"}}"),
        "{\"metadata\":{\"cvc\":\"1\",\"number\":\"2\"}}"
    );
}

/// What serde_json makes of it; numbers by their text's own value.
fn as_value(node: &Node<'_>) -> Value {
    match node {
        Node::Null => Value::Null,
        Node::Bool(flag) => Value::Bool(*flag),
        Node::Number(text) => serde_json::from_str(text).unwrap(),
        Node::Text(text) => Value::String(text.to_string()),
        Node::List(items) => Value::Array(items.iter().map(as_value).collect()),
        Node::Object(members) => {
            Value::Object(members.iter().map(|(name, node)| (name.to_string(), as_value(node))).collect())
        }
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        any::<f64>()
            .prop_filter_map("finite", |float| serde_json::Number::from_f64(float).map(Value::Number)),
        any::<String>().prop_map(Value::String),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            prop::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn reads_what_serde_json_writes(value in any_json(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
        let text = text.unwrap();
        // Read back by both: serde_json's own way there and back is off by a bit for some floats.
        let theirs: Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(as_value(&parse(text.as_bytes()).unwrap()), theirs);
    }

    #[test]
    fn agrees_with_serde_json_about_what_is_json(
        value in any_json(),
        cut in any::<prop::sample::Index>(),
        byte in prop_oneof![any::<u8>(), prop::sample::select(b"{}[],:\"\\0-+.eE tfnu ".to_vec())],
        insert in any::<bool>(),
    ) {
        let mut bytes = serde_json::to_vec(&value).unwrap();
        let at = cut.index(bytes.len());
        if insert { bytes.insert(at, byte) } else { bytes[at] = byte }
        let ours = parse(&bytes);
        match (serde_json::from_slice::<Value>(&bytes), ours) {
            (Ok(theirs), Ok(node)) => prop_assert_eq!(as_value(&node), theirs),
            // Stricter: names that stand twice. Laxer: numbers keep their text, whatever their size.
            (Ok(_), Err(error)) => prop_assert_eq!(error.reason, "this name stands twice in its object"),
            (Err(error), Ok(_)) => {
                prop_assert!(error.to_string().starts_with("number out of range"), "{}", error);
            }
            (Err(_), Err(_)) => {}
        }
    }

    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Err(error) = parse(&bytes) {
            prop_assert!(error.line >= 1 && error.column >= 1);
        }
    }
}
