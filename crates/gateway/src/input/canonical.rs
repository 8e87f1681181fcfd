//! The canonical form of a body, for the MAC behind an idempotency key.
//!
//! Names sorted, no blanks, numbers as written. The card number is replaced by its keyed fingerprint
//! and the security code left out, so that not even the MAC's input ever holds them.

use super::json::Node;

/// Where a card may stand.
const METHODS: &[&str] = &["payment_method", "payment_details", "details", "card"];

/// Writes the canonical form; `fingerprint` turns the digits of a card number into a keyed text.
pub fn canonical(node: &Node<'_>, fingerprint: &dyn Fn(&str) -> String) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    write(node, Place::Top, fingerprint, &mut out);
    out
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Top,
    Method,
    Elsewhere,
}

fn write(node: &Node<'_>, place: Place, fingerprint: &dyn Fn(&str) -> String, out: &mut Vec<u8>) {
    match node {
        Node::Null => out.extend_from_slice(b"null"),
        Node::Bool(true) => out.extend_from_slice(b"true"),
        Node::Bool(false) => out.extend_from_slice(b"false"),
        Node::Number(text) => out.extend_from_slice(text.as_bytes()),
        Node::Text(text) => write_text(text, out),
        Node::List(items) => {
            out.push(b'[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                write(item, Place::Elsewhere, fingerprint, out);
            }
            out.push(b']');
        }
        Node::Object(members) => {
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_unstable_by(|a, b| a.0.cmp(&b.0));
            out.push(b'{');
            let mut first = true;
            for (name, value) in sorted {
                if place == Place::Method && matches!(name.as_ref(), "cvc" | "cvv") {
                    continue;
                }
                if !first {
                    out.push(b',');
                }
                first = false;
                write_text(name, out);
                out.push(b':');
                match value {
                    Node::Text(text)
                        if place == Place::Method && matches!(name.as_ref(), "card_number" | "number") =>
                    {
                        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
                        write_text(&fingerprint(&digits), out);
                    }
                    value => write(value, within(place, name), fingerprint, out),
                }
            }
            out.push(b'}');
        }
    }
}

fn within(place: Place, name: &str) -> Place {
    let is_method = match place {
        Place::Top => METHODS.contains(&name),
        Place::Method => name == "card",
        Place::Elsewhere => false,
    };
    if is_method { Place::Method } else { Place::Elsewhere }
}

/// Writing into a `Vec` cannot fail.
fn write_text(text: &str, out: &mut Vec<u8>) {
    if serde_json::to_writer(&mut *out, text).is_err() {
        out.extend_from_slice(b"\"\"");
    }
}
