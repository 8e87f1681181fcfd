//! Finds a field in an answer without parsing it.

/// The first string value under a key, which is given with its quotes (`"\"id\""`), exactly as it stands
/// there.
///
/// The scan knows no nesting. It is right for our own answers, in which an object's own fields come
/// before those of the objects inside it, and whose ids, codes and statuses hold nothing that JSON
/// escapes. A text that quotes JSON cannot mislead it: the quotes inside of a string are escaped, and
/// the key's are not.
pub(crate) fn text<'a>(body: &'a [u8], quoted_key: &[u8]) -> Option<&'a [u8]> {
    let mut rest = body;
    loop {
        let at = find(rest, quoted_key)?;
        rest = rest.get(at + quoted_key.len()..)?;
        let value = rest.trim_ascii_start().strip_prefix(b":").map(<[u8]>::trim_ascii_start);
        // A problem document has a number under `status`: only a string is what is looked for.
        if let Some(value) = value.and_then(|value| value.strip_prefix(b"\"")) {
            let end = value.iter().position(|byte| *byte == b'"')?;
            return value.get(..end);
        }
    }
}

/// Where the needle begins for the first time.
fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    let first = *needle.first()?;
    let mut from = 0;
    loop {
        let rest = haystack.get(from..)?;
        let at = rest.iter().position(|byte| *byte == first)?;
        if rest.get(at..)?.starts_with(needle) {
            return Some(from + at);
        }
        from += at + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_string_under_the_key() {
        for (body, found) in [
            (r#"{"id":"pay_1","attempts":[{"id":"att_1"}]}"#, Some("pay_1")),
            (r#"{ "id" : "pay_1" }"#, Some("pay_1")),
            (r#"{"payment_id":"pay_0","id":"pay_1"}"#, Some("pay_1")),
            (r#"{"id":17,"data":{"id":"pay_1"}}"#, Some("pay_1")),
            (r#"{"type":"id","id":"pay_1"}"#, Some("pay_1")),
            (r#"{"text":"\"id\":\"not me\"","id":"pay_1"}"#, Some("pay_1")),
            (r#"{"id":""}"#, Some("")),
            (r#"{"id":"cut"#, None),
            (r#"{"id""#, None),
            (r#"{"id":null}"#, None),
            ("", None),
        ] {
            assert_eq!(text(body.as_bytes(), b"\"id\""), found.map(str::as_bytes), "{body}");
        }
    }
}
