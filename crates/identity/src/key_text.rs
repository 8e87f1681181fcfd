//! The text of an API key: what it is for, then 32 random bytes.

use kernel::{Mode, Random, Secret};

use crate::KeyKind;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// 62⁴³ > 2²⁵⁶: every key has the same length.
const DIGITS: usize = 43;

const PREFIXES: [(&str, KeyKind, Mode); 4] = [
    ("sk_test_", KeyKind::Secret, Mode::Test),
    ("sk_live_", KeyKind::Secret, Mode::Live),
    ("pk_test_", KeyKind::Publishable, Mode::Test),
    ("pk_live_", KeyKind::Publishable, Mode::Live),
];

/// Draws a new key.
pub(crate) fn draw(random: &dyn Random, kind: KeyKind, mode: Mode) -> Secret<String> {
    let mut bytes = [0; 32];
    random.fill(&mut bytes);
    let prefix = PREFIXES.iter().find(|(_, k, m)| (*k, *m) == (kind, mode)).map_or("", |(prefix, ..)| prefix);
    let mut text = String::with_capacity(prefix.len() + DIGITS);
    text.push_str(prefix);
    text.extend(base62(bytes).map(char::from));
    Secret::new(text)
}

/// What a text says of itself; `None` if it cannot be a key, which costs no MAC and no read.
pub(crate) fn recognise(text: &str) -> Option<(KeyKind, Mode)> {
    let (digits, kind, mode) = PREFIXES
        .iter()
        .find_map(|(prefix, kind, mode)| text.strip_prefix(prefix).map(|digits| (digits, *kind, *mode)))?;
    let fits = digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_alphanumeric());
    fits.then_some((kind, mode))
}

/// The bytes as one number in base 62, highest digit first, by repeated long division.
fn base62(mut bytes: [u8; 32]) -> [u8; DIGITS] {
    let mut digits = [b'0'; DIGITS];
    for digit in digits.iter_mut().rev() {
        let mut rest = 0_u16;
        for byte in &mut bytes {
            let value = rest << 8 | u16::from(*byte);
            // `rest` is below 62, so the quotient fits a byte.
            *byte = u8::try_from(value / 62).unwrap_or(u8::MAX);
            rest = value % 62;
        }
        *digit = ALPHABET.get(usize::from(rest)).copied().unwrap_or(b'0');
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Always(u8);
    impl Random for Always {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    #[test]
    fn every_key_has_its_prefix_and_one_length() {
        for (prefix, kind, mode) in PREFIXES {
            for byte in [0, 1, 255] {
                let text = draw(&Always(byte), kind, mode);
                assert!(text.expose().starts_with(prefix));
                assert_eq!(text.expose().len(), 51);
                assert_eq!(recognise(text.expose()), Some((kind, mode)));
            }
        }
    }

    #[test]
    fn base_62_is_exact() {
        // 2²⁵⁶ − 1, computed with Python.
        assert_eq!(&base62([255; 32]), b"yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1");
        let mut small = [0; 32];
        small[30] = 1;
        small[31] = 2;
        assert_eq!(&base62(small), b"000000000000000000000000000000000000000004A");
    }

    #[test]
    fn what_is_no_key_is_seen_at_once() {
        let digits = "0".repeat(43);
        for text in [
            String::new(),
            "sk_test_".to_owned(),
            digits.clone(),
            format!("sk_prod_{digits}"),
            format!("SK_TEST_{digits}"),
            format!("sk_test_{digits}0"),
            format!("sk_test_{}", digits.replacen('0', "-", 1)),
            format!("sk_test_{}", digits.replacen("00", "é", 1)),
            format!(" sk_test_{digits}"),
        ] {
            assert_eq!(recognise(&text), None, "{text}");
        }
    }
}
