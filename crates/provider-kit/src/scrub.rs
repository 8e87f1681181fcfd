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

/// Names under which requests and answers of providers carry what nobody keeps: card data, keys, and
/// what names a person.
pub const KEPT_BY_NOBODY: &[&str] = &[
    "number",
    "card_number",
    "cardnumber",
    "pan",
    "account_number",
    "iban",
    "cvc",
    "cvc2",
    "cvv",
    "cvv2",
    "cvd",
    "csc",
    "security_code",
    "pin",
    "otp",
    "track",
    "track1",
    "track2",
    "cryptogram",
    "cavv",
    "key",
    "api_key",
    "apikey",
    "secret",
    "client_secret",
    "secret_key",
    "password",
    "passwd",
    "authorization",
    "access_token",
    "refresh_token",
    "id_token",
    "signature",
    "name",
    "holder",
    "holder_name",
    "cardholder",
    "cardholder_name",
    "first_name",
    "last_name",
    "full_name",
    "email",
    "e_mail",
    "customer_email",
    "phone",
    "phone_number",
    "contact",
    "mobile",
    "vpa",
    "address",
    "billing_address",
    "shipping_address",
    "billing",
    "shipping",
    "line1",
    "line2",
    "street",
    "postal_code",
    "zip",
    "ip",
    "ip_address",
    "user_agent",
    "device_fingerprint",
];

/// A request's or an answer's body as people may read it later: JSON and forms by their fields without
/// [`KEPT_BY_NOBODY`], anything else as an excerpt; everywhere without card numbers, addresses with an
/// `@` and the given secrets; at most `bytes_max` bytes. Null for nothing.
pub fn redacted(body: &[u8], secrets: &[&str], bytes_max: usize) -> Value {
    if body.is_empty() {
        return Value::Null;
    }
    let mut value = match serde_json::from_slice::<Value>(body) {
        Ok(value) => value,
        Err(_) => form(body).unwrap_or_else(|| Value::String(excerpt(body, bytes_max))),
    };
    scrub_json(&mut value, KEPT_BY_NOBODY);
    hide_texts(&mut value, secrets);
    let text = value.to_string();
    if text.len() <= bytes_max {
        return value;
    }
    // Cut off after it was scrubbed: a number that the cut runs through is gone already.
    let shown: String = text.chars().take(bytes_max / 4).collect();
    Value::String(format!("{shown}… ({} bytes)", body.len()))
}

/// One line of text as people may read it later: see [`redacted`].
pub fn redacted_text(text: &str, secrets: &[&str], characters_max: usize) -> String {
    let shown = hide(&excerpt(text.as_bytes(), characters_max), secrets);
    shown.chars().take(characters_max).collect()
}

/// A form's fields, if the bytes are one.
fn form(body: &[u8]) -> Option<Value> {
    let text = std::str::from_utf8(body).ok()?;
    let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>' | b'{' | b'}' | b'"');
    if !text.bytes().all(plain) || !text.contains('=') {
        return None;
    }
    let mut fields = serde_json::Map::new();
    for pair in text.split('&') {
        let (name, value) = pair.split_once('=')?;
        // The innermost name decides: `card[number]`.
        let inner = name.trim_end_matches(']').rsplit('[').next().unwrap_or(name);
        let secret = KEPT_BY_NOBODY.iter().any(|known| known.eq_ignore_ascii_case(inner));
        let value = if secret { REDACTED.to_owned() } else { percent_decoded(value) };
        fields.insert(name.to_owned(), Value::String(value));
    }
    Some(Value::Object(fields))
}

/// What is percent-encoded in it, decoded as far as it can be: a number or an address may hide there.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        let digits =
            after.get(..2).filter(|_| *byte == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        if let Some(decoded) = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            bytes.push(decoded);
            rest = after.get(2..).unwrap_or_default();
        } else {
            bytes.push(if *byte == b'+' { b' ' } else { *byte });
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hide_texts(value: &mut Value, secrets: &[&str]) {
    match value {
        Value::String(text) => *text = hide(text, secrets),
        Value::Array(items) => items.iter_mut().for_each(|item| hide_texts(item, secrets)),
        Value::Object(fields) => fields.values_mut().for_each(|field| hide_texts(field, secrets)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Replaces secrets, card numbers, and words with an `@` in them.
fn hide(text: &str, secrets: &[&str]) -> String {
    let mut shown = mask_card_numbers(text);
    for secret in secrets.iter().filter(|secret| secret.len() >= 4) {
        shown = shown.replace(secret, REDACTED);
    }
    if !shown.contains('@') {
        return shown;
    }
    let in_address = |c: char| c.is_alphanumeric() || "@._%+-".contains(c);
    let mut hidden = String::with_capacity(shown.len());
    let mut rest = shown.as_str();
    while !rest.is_empty() {
        let (word, after) = rest.split_at(rest.find(|c| !in_address(c)).unwrap_or(rest.len()));
        hidden.push_str(if word.trim_matches('@').contains('@') { REDACTED } else { word });
        let (between, next) = after.split_at(after.find(in_address).unwrap_or(after.len()));
        hidden.push_str(between);
        rest = next;
    }
    hidden
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

    #[test]
    fn a_redacted_body_tells_the_story_and_no_secret() {
        let json =
            br#"{"amount": 1000, "card": {"number": "4242424242424242", "cvc": "123", "exp_year": 2030},
            "note": "call ann@shop.example or 4000 0000 0000 0002", "auth": "Bearer key_4711",
            "nested": [{"Email": "x"}]}"#;
        assert_eq!(
            redacted(json, &["key_4711"], 2000),
            json!({
                "amount": 1000,
                "card": {"number": "[redacted]", "cvc": "[redacted]", "exp_year": 2030},
                "note": "call [redacted] or **** **** **** ****",
                "auth": "Bearer [redacted]",
                "nested": [{"Email": "[redacted]"}],
            })
        );
        let form = b"amount=1000&card[number]=4242424242424242&card[cvc]=123&to=ann%40shop.example\
                     &n=4242%2042424242%204242";
        assert_eq!(
            redacted(form, &[], 2000),
            json!({
                "amount": "1000",
                "card[number]": "[redacted]",
                "card[cvc]": "[redacted]",
                "to": "[redacted]",
                "n": "**** ******** ****",
            })
        );
        let page = b"<p>ann@shop.example 4242424242424242 sk_secret</p>";
        assert_eq!(
            redacted(page, &["sk_secret"], 200),
            json!("<p>[redacted] **************** [redacted]</p>")
        );
        assert_eq!(redacted(b"", &[], 10), Value::Null);
        let long = format!(r#"{{"text": "{}"}}"#, "a".repeat(5000));
        assert!(redacted(long.as_bytes(), &[], 1000).to_string().len() < 1000);
    }
}
