//! The last line of defence before a text leaves in a log line or a trace: whatever looks like a card
//! number, an address of a person, an account number or a key is masked. Nothing should get here that
//! needs it.

use std::borrow::Cow;

/// What a masked part becomes.
const STARS: &str = "***";

/// Beginnings of secrets: what follows in the same word is masked.
const SECRETS: [&str; 7] = ["sk_", "pk_", "rk_", "whsec_", "_secret_", "Bearer ", "Basic "];

/// The text without card numbers (by the kernel's definition), e-mail and payment addresses, telephone
/// numbers, IBANs and keys.
pub fn mask(text: &str) -> Cow<'_, str> {
    let mut masked = Cow::Borrowed(text);
    let seen = Seen::of(text);
    if seen.digits && kernel::contains_card_number(text) {
        masked = Cow::Owned(provider_kit::scrub::mask_card_numbers(text));
    }
    if seen.at {
        masked = Cow::Owned(words(&masked, is_address_part, |word| word.contains('@').then_some(0)));
    }
    if seen.digits && seen.plus {
        masked = Cow::Owned(words(&masked, is_phone_part, phone));
    }
    if seen.digits && seen.capitals {
        masked = Cow::Owned(words(&masked, |c| c.is_ascii_alphanumeric(), iban));
    }
    if seen.secret {
        for start in SECRETS {
            if masked.contains(start) {
                masked = Cow::Owned(secrets(&masked, start));
            }
        }
    }
    masked
}

/// What stands in a text, found in one look at it: most texts are ids, words and times, and every line of
/// the log comes by here.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own, asked of every text")]
struct Seen {
    /// As many digits as the shortest number that is masked.
    digits: bool,
    at: bool,
    plus: bool,
    capitals: bool,
    /// What every beginning of a secret ends in.
    secret: bool,
}

impl Seen {
    fn of(text: &str) -> Self {
        let (mut seen, mut digits, mut before) = (Self::default(), 0_usize, b' ');
        for byte in text.bytes() {
            match byte {
                b'0'..=b'9' => digits += 1,
                b'A'..=b'Z' => seen.capitals = true,
                b'@' => seen.at = true,
                b'+' => seen.plus = true,
                b'_' => seen.secret |= matches!(before, b'k' | b'c' | b't'),
                b' ' => seen.secret |= matches!(before, b'r' | b'c'),
                _ => {}
            }
            before = byte;
        }
        seen.digits = digits >= 8;
        seen
    }
}

/// Masks each longest run of characters of a kind from the place on that `from` answers.
fn words(text: &str, is_part: impl Fn(char) -> bool, from: impl Fn(&str) -> Option<usize>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let length = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(length);
        match from(word).and_then(|place| word.get(..place)) {
            Some(kept) => out.extend([kept, STARS]),
            None => out.push_str(word),
        }
        let other = after.find(&is_part).unwrap_or(after.len());
        let (other, next) = after.split_at(other);
        out.push_str(other);
        rest = next;
    }
    out
}

/// Letters of any script may stand in an address.
fn is_address_part(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '@' | '.' | '_' | '-' | '+' | '%')
}

fn is_phone_part(c: char) -> bool {
    c.is_ascii_digit() || matches!(c, '+' | ' ' | '-' | '(' | ')' | '.')
}

/// A number in the international form (ITU-T E.164): a plus sign and 8 to 15 digits.
fn phone(run: &str) -> Option<usize> {
    let plus = run.find('+')?;
    let digits = run.get(plus..)?.bytes().filter(u8::is_ascii_digit).count();
    (8..=15).contains(&digits).then_some(plus)
}

/// An IBAN (ISO 13616): country, check digits, at most 30 characters, and the check of ISO 7064.
fn iban(word: &str) -> Option<usize> {
    let bytes = word.as_bytes();
    let (head, account) = bytes.split_at_checked(4)?;
    let [one, two, three, four] = head else { return None };
    let is_head = one.is_ascii_uppercase()
        && two.is_ascii_uppercase()
        && three.is_ascii_digit()
        && four.is_ascii_digit();
    if !is_head || !(11..=30).contains(&account.len()) {
        return None;
    }
    let remainder = account.iter().chain(head).try_fold(0_u32, |sum, byte| {
        let value = char::from(*byte).to_digit(36)?;
        Some(if value < 10 { sum * 10 + value } else { sum * 100 + value } % 97)
    });
    (remainder == Some(1)).then_some(0)
}

/// Masks the rest of each word that begins so, if there is more than a few characters of it.
fn secrets(text: &str, start: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(place) = rest.find(start) {
        let (before, from) = rest.split_at(place + start.len());
        let length =
            from.find(|c: char| !(c.is_ascii_alphanumeric() || "_-+/=.*".contains(c))).unwrap_or(from.len());
        let (secret, after) = from.split_at(length);
        let is_word = !start.starts_with(|c: char| c.is_ascii_alphanumeric())
            || !rest.get(..place).is_some_and(|text| text.ends_with(|c: char| c.is_ascii_alphanumeric()));
        out.push_str(before);
        if is_word && secret.len() >= 6 {
            // The world of a key is no secret, and says where to look.
            let world = ["test_", "live_"].into_iter().find(|world| secret.starts_with(world));
            out.extend([world.unwrap_or_default(), STARS]);
        } else {
            out.push_str(secret);
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_must_not_be_seen_is_masked() {
        for (text, masked) in [
            ("paid with 4242 4242 4242 4242", "paid with **** **** **** ****"),
            ("card=4000-0000-0000-0002.", "card=****-****-****-****."),
            ("mail to jane.doe+shop@example.com now", "mail to *** now"),
            ("jürgen@exämple.de", "***"),
            ("vpa shop@okbank", "vpa ***"),
            ("postgres://me:hidden@db/florin", "postgres://me:***/florin"),
            ("call +49 170 1234567 today", "call ***today"),
            ("(+1) 415-555-2671", "(***"),
            ("from GB82WEST12345698765432 to", "from *** to"),
            ("DE89370400440532013000", "***"),
            ("sk_test_4eC39HqLyjWDarjtT1zdp7dc,", "sk_test_***,"),
            ("pk_live_4eC39HqLyjWDarjtT1zdp7dc", "pk_live_***"),
            ("whsec_dGhpcyBpcyBhIHNlY3JldA==", "whsec_***"),
            (
                "pay_01h455vb4pex5vsknk084sn02q_secret_0123456789abcdef",
                "pay_01h455vb4pex5vsknk084sn02q_secret_***",
            ),
            ("authorization: Bearer abcdef.ghijkl", "authorization: Bearer ***"),
            ("Basic abcdefghijkl", "Basic ***"),
            ("rk_live_4eC39HqLyjWDarjtT1zdp7dc", "rk_live_***"),
        ] {
            assert_eq!(mask(text), masked);
        }
    }

    #[test]
    fn every_beginning_of_a_secret_is_looked_for() {
        for start in SECRETS {
            assert!(Seen::of(start).secret, "{start}");
        }
    }

    #[test]
    fn everything_else_stays() {
        for text in [
            "",
            "pay_01h455vb4pex5vsknk084sn02q-s01",
            "2026-11-21T10:00:00Z",
            "order 1234567890123456",
            "0af7651916cd43dd8448eb211c80319c",
            "1 + 1 = 2, and 10000000 bytes",
            "DE88370400440532013000",
            "a task_risk_level of sk_ alone",
            "/api/v1/payments/{id}/capture",
            "127.0.0.1:8000",
        ] {
            assert_eq!(mask(text), text);
        }
    }
}
