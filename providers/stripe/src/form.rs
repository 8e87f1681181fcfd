//! Forms as Stripe reads them: `application/x-www-form-urlencoded`, with brackets in the names.

/// Fields in the order in which they were added, which keeps the bytes of a repeat the same.
#[derive(Default)]
pub(crate) struct Form(String);

impl Form {
    /// Adds a field. Names stand in this program, or are made of our own references.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        if !self.0.is_empty() {
            self.0.push('&');
        }
        self.0.push_str(name);
        self.0.push('=');
        escape(value, &mut self.0);
        self
    }

    /// Adds a field that may be absent.
    pub(crate) fn maybe(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Adds an integer.
    pub(crate) fn number(self, name: &str, value: i64) -> Self {
        self.with(name, &value.to_string())
    }

    pub(crate) fn into_text(self) -> String {
        self.0
    }
}

/// Percent-encodes everything but the unreserved characters of RFC 3986.
pub(crate) fn escape(text: &str, into: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            into.push(char::from(byte));
        } else {
            into.push('%');
            for nibble in [byte >> 4, byte & 15] {
                into.push(DIGITS.get(usize::from(nibble)).copied().map_or('0', char::from));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_breaks_out_of_its_field() {
        let form = Form::default().with("description", "a&b=c +%é\n").maybe("x", None).number("amount", -5);
        assert_eq!(form.into_text(), "description=a%26b%3Dc%20%2B%25%C3%A9%0A&amount=-5");
    }
}
