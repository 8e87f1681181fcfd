//! UPI payment requests as links and QR codes.
//!
//! Source: NPCI, UPI Linking Specifications 1.6: `upi://pay` with `pa` (payee's address), `pn` (name),
//! `am` (major units with two digits), `cu` (INR), `tn` (note), `tr` (the merchant's reference).

use std::fmt::Write;

use kernel::Money;

/// What a payer's app is asked.
pub(crate) struct PaymentRequest<'a> {
    pub(crate) payee_vpa: &'a str,
    pub(crate) payee_name: &'a str,
    pub(crate) amount: Money,
    pub(crate) note: &'a str,
    pub(crate) reference: &'a str,
}

/// The link, which is also what the QR code says.
pub(crate) fn link(request: &PaymentRequest<'_>) -> String {
    let mut link = String::from("upi://pay");
    let amount = request.amount.to_major();
    // The specification allows 50 characters of note and name.
    let fields = [
        ("pa", request.payee_vpa),
        ("pn", truncated(request.payee_name)),
        ("am", &amount),
        ("cu", request.amount.currency.code()),
        ("tn", truncated(request.note)),
        ("tr", request.reference),
    ];
    for (place, (name, value)) in fields.into_iter().enumerate() {
        link.push(if place == 0 { '?' } else { '&' });
        link.push_str(name);
        link.push('=');
        percent_encode(value, &mut link);
    }
    link
}

/// Whether a text is a virtual payment address: a name, `@`, and a handle.
pub(crate) fn is_vpa(text: &str) -> bool {
    let Some((name, handle)) = text.split_once('@') else { return false };
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    let is_handle = |byte: u8| byte.is_ascii_alphanumeric();
    (1..=255).contains(&name.len())
        && (2..=64).contains(&handle.len())
        && name.bytes().all(is_name)
        && handle.bytes().all(is_handle)
}

fn truncated(text: &str) -> &str {
    text.char_indices().nth(50).map_or(text, |(end, _)| text.get(..end).unwrap_or(text))
}

/// RFC 3986: all but unreserved characters; `@` may stand in a query and payers' apps expect it bare.
fn percent_encode(value: &str, into: &mut String) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~@".contains(&byte) {
            into.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(into, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Currency;

    #[test]
    fn encodes_what_a_query_cannot_hold() {
        let link = link(&PaymentRequest {
            payee_vpa: "shop@florin",
            payee_name: "Müller & Söhne",
            amount: Money::new(10_000, Currency::INR),
            note: "100% #1 = a+b",
            reference: "0abc",
        });
        assert_eq!(
            link,
            "upi://pay?pa=shop@florin&pn=M%C3%BCller%20%26%20S%C3%B6hne&am=100.00&cu=INR\
             &tn=100%25%20%231%20%3D%20a%2Bb&tr=0abc"
        );
    }

    #[test]
    fn cuts_long_texts_between_characters() {
        assert_eq!(truncated(&"é".repeat(60)).chars().count(), 50);
        assert_eq!(truncated("short"), "short");
    }

    #[test]
    fn tells_addresses_from_other_texts() {
        for (text, is) in [
            ("success@upi", true),
            ("a.b-c_d9@okaxis", true),
            ("success", false),
            ("@upi", false),
            ("a@b", false),
            ("a b@upi", false),
            ("a@upi@x", false),
            ("a@up.i", false),
        ] {
            assert_eq!(is_vpa(text), is, "{text}");
        }
    }
}
