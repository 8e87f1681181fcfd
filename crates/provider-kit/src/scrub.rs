//! Keeping numbers and secrets out of what is stored and shown of a provider's answers.

use serde_json::Value;

/// What stands in the place of a value that must not be kept.
pub const REDACTED: &str = "[redacted]";

/// At most `characters_max` characters of a raw body, for people: readable, without control
/// characters (a database cannot hold a NUL) and with card numbers masked.
pub fn excerpt(body: &[u8], characters_max: usize) -> String {
    // Eight times the length is enough to see a number that the cut would run through.
    let head = body.get(..body.len().min(characters_max.saturating_mul(8))).unwrap_or_default();
    let readable = |c: char| if c.is_control() { ' ' } else { c };
    let text: String = String::from_utf8_lossy(head).chars().map(readable).collect();
    mask_card_numbers(&text).chars().take(characters_max).collect()
}

/// The text with a star in the place of every digit of a run of digits, blanks and dashes in which a
/// card number stands, by the same definition as [`kernel::contains_card_number`].
pub fn mask_card_numbers(text: &str) -> String {
    if !kernel::contains_card_number(text) {
        return text.to_owned();
    }
    let in_run = |c: char| matches!(c, '0'..='9' | ' ' | '-');
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let run_length = rest.find(|c| !in_run(c)).unwrap_or(rest.len());
        let (run, after) = rest.split_at(run_length);
        if kernel::contains_card_number(run) {
            masked.extend(run.chars().map(|c| if c.is_ascii_digit() { '*' } else { c }));
        } else {
            masked.push_str(run);
        }
        let other_length = after.find(in_run).unwrap_or(after.len());
        let (other, next) = after.split_at(other_length);
        masked.push_str(other);
        rest = next;
    }
    masked
}

/// Masks card numbers everywhere in the value, also where they are JSON numbers, and replaces what
/// stands under one of `secret_names` (compared without regard to case) at any depth.
pub fn scrub_json(value: &mut Value, secret_names: &[&str]) {
    match value {
        Value::String(text) => *text = mask_card_numbers(text),
        Value::Number(number) => {
            if kernel::contains_card_number(&number.to_string()) {
                *value = Value::String(REDACTED.to_owned());
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| scrub_json(item, secret_names)),
        Value::Object(fields) => {
            for (name, field) in fields.iter_mut() {
                if secret_names.iter().any(|secret| secret.eq_ignore_ascii_case(name)) {
                    *field = Value::String(REDACTED.to_owned());
                } else {
                    scrub_json(field, secret_names);
                }
            }
        }
        Value::Null | Value::Bool(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn masks_numbers_and_nothing_else() {
        for (text, masked) in [
            ("paid with 4242 4242-4242 4242, ok", "paid with **** ****-**** ****, ok"),
            ("order 1234567890123456", "order 1234567890123456"),
            ("a 5555555555554444 b 42", "a **************** b 42"),
            ("é4242424242424242é", "é****************é"),
            ("", ""),
        ] {
            assert_eq!(mask_card_numbers(text), masked);
        }
    }

    #[test]
    fn an_excerpt_is_short_readable_and_masked_even_where_it_is_cut() {
        let body = b"<p>\0bad\n4242424242424242</p>";
        assert_eq!(excerpt(body, 100), "<p> bad ****************</p>");
        assert_eq!(excerpt(body, 14), "<p> bad ******");
        assert_eq!(excerpt(b"\xff\xfe", 10).chars().count(), 2);
    }

    #[test]
    fn scrubs_names_texts_and_numbers_at_any_depth() {
        let mut value = json!({
            "a": [{"CVC": "123", "note": "card 378282246310005"}],
            "pan": 4_242_424_242_424_242_i64,
            "amount": 1000,
        });
        scrub_json(&mut value, &["cvc"]);
        assert_eq!(
            value,
            json!({
                "a": [{"CVC": "[redacted]", "note": "card ***************"}],
                "pan": "[redacted]",
                "amount": 1000,
            })
        );
    }
}
