//! Ids: UUIDv7 inside, TypeID text outside (`pay_01h455vb4pex5vsknk084sn02q`).
//!
//! Source: TypeID specification v0.3: a lower-case prefix, an underscore, and the 128 bits as 26
//! characters of Crockford's base 32 in lower case.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::ops::Deref;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;
use uuid::Uuid;

/// What an id names; gives the prefix its text begins with.
pub trait Kind: 'static {
    /// Two to four lower-case letters, unique among all kinds.
    const PREFIX: &'static str;
}

/// The id of one `T`. Two kinds of id never mix in a signature.
pub struct Id<T> {
    uuid: Uuid,
    kind: PhantomData<fn() -> T>,
}

/// Why a text is no id of the kind asked for.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum IdError {
    /// It begins with another prefix, or with none.
    #[error("expected an id that begins with `{0}_`")]
    Prefix(&'static str),
    /// What follows the prefix is not 26 characters of base 32 within 128 bits.
    #[error("expected 26 characters of base 32 after `{0}_`")]
    Suffix(&'static str),
}

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const SUFFIX_LENGTH: usize = 26;
const PREFIX_LENGTH_MAX: usize = 4;

/// What each byte stands for in the alphabet; 255 for what is no digit.
const DIGITS: [u8; 256] = {
    let mut digits = [255; 256];
    let mut digit = 0;
    while digit < ALPHABET.len() {
        #[expect(
            clippy::indexing_slicing,
            clippy::cast_possible_truncation,
            clippy::as_conversions,
            reason = "worked out by the compiler, which would refuse a place beyond the end"
        )]
        {
            digits[ALPHABET[digit] as usize] = digit as u8;
        }
        digit += 1;
    }
    digits
};

impl<T> Id<T> {
    /// Names the `T` of this UUID.
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self { uuid, kind: PhantomData }
    }

    /// The bare 128 bits, as stored.
    pub const fn uuid(self) -> Uuid {
        self.uuid
    }
}

impl<T: Kind> Id<T> {
    /// The text form.
    pub fn text(self) -> IdText {
        encode(T::PREFIX, self.uuid)
    }

    /// Reads the text form.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let suffix = text
            .strip_prefix(T::PREFIX)
            .and_then(|rest| rest.strip_prefix('_'))
            .ok_or(IdError::Prefix(T::PREFIX))?;
        decode(suffix).map(Self::from_uuid).ok_or(IdError::Suffix(T::PREFIX))
    }
}

/// The text of an id, without an allocation: every stored record and every answer is full of them.
#[derive(Clone, Copy)]
pub struct IdText {
    bytes: [u8; PREFIX_LENGTH_MAX + 1 + SUFFIX_LENGTH],
    length: usize,
}

impl Deref for IdText {
    type Target = str;

    fn deref(&self) -> &str {
        // Nothing but ASCII is written there.
        self.bytes.get(..self.length).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default()
    }
}

/// Writes the lowest digits of a number, as many as there are places.
fn digits(places: &mut [u8], mut value: u64) {
    for place in places.iter_mut().rev() {
        let digit = usize::try_from(value & 31).unwrap_or(0);
        *place = ALPHABET.get(digit).copied().unwrap_or(b'0');
        value >>= 5;
    }
}

fn encode(prefix: &str, uuid: Uuid) -> IdText {
    let mut text = IdText { bytes: [b'_'; _], length: prefix.len() + 1 + SUFFIX_LENGTH };
    let (before, suffix) = text.bytes.split_at_mut(prefix.len().min(PREFIX_LENGTH_MAX) + 1);
    for (place, byte) in before.iter_mut().zip(prefix.bytes()) {
        *place = byte;
    }
    // In two halves of 65 bits, of which a word holds the upper 64 or the lower 60 and one digit more:
    // shifts of 128 bits at every digit cost several times as much.
    let value = uuid.as_u128();
    let (upper, lower) = suffix.split_at_mut(SUFFIX_LENGTH / 2);
    digits(upper, u64::try_from(value >> 65).unwrap_or(0));
    let (first, rest) = lower.split_at_mut(1);
    digits(first, u64::try_from((value >> 60) & 31).unwrap_or(0));
    let (rest, _) = rest.split_at_mut(SUFFIX_LENGTH / 2 - 1);
    digits(rest, u64::try_from(value & ((1 << 60) - 1)).unwrap_or(0));
    text
}

fn decode(suffix: &str) -> Option<Uuid> {
    // The first character carries only three bits: 26 × 5 = 130.
    if suffix.len() != SUFFIX_LENGTH || suffix.as_bytes().first().is_none_or(|first| *first > b'7') {
        return None;
    }
    let mut value: u128 = 0;
    for byte in suffix.bytes() {
        let digit = DIGITS.get(usize::from(byte)).copied().filter(|digit| *digit < 32)?;
        value = value << 5 | u128::from(digit);
    }
    Some(Uuid::from_u128(value))
}

impl<T: Kind> fmt::Display for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

impl<T: Kind> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<T: Kind> FromStr for Id<T> {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::parse(text)
    }
}

impl<T: Kind> Serialize for Id<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text())
    }
}

impl<'de, T: Kind> Deserialize<'de> for Id<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text<T>(PhantomData<fn() -> T>);
        impl<T: Kind> de::Visitor<'_> for Text<T> {
            type Value = Id<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "an id that begins with `{}_`", T::PREFIX)
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Id<T>, E> {
                Id::parse(text).map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text(PhantomData))
    }
}

// Written out because a derive would ask the same of `T`, which is only a mark.
impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Id<T> {}
impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.uuid == other.uuid
    }
}
impl<T> Eq for Id<T> {}
impl<T> PartialOrd for Id<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> Ord for Id<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.uuid.cmp(&other.uuid)
    }
}
impl<T> Hash for Id<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.uuid.hash(state);
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test may panic")]
    use super::*;
    use crate::Merchant;
    use proptest::prelude::*;

    #[test]
    fn matches_the_specification_vector() {
        let uuid: Uuid = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
        assert_eq!(Id::<Merchant>::from_uuid(uuid).to_string(), "mer_01h455vb4pex5vsknk084sn02q");
        let highest = Id::<Merchant>::from_uuid(Uuid::max());
        assert_eq!(highest.to_string(), "mer_7zzzzzzzzzzzzzzzzzzzzzzzzz");
    }

    #[test]
    fn refuses_what_is_no_id() {
        for (text, error) in [
            ("pay_01h455vb4pex5vsknk084sn02q", IdError::Prefix("mer")),
            ("mer01h455vb4pex5vsknk084sn02q", IdError::Prefix("mer")),
            ("mer_8zzzzzzzzzzzzzzzzzzzzzzzzz", IdError::Suffix("mer")),
            ("mer_01h455vb4pex5vsknk084sn02", IdError::Suffix("mer")),
            ("mer_01h455vb4pex5vsknk084sn02l", IdError::Suffix("mer")),
            ("mer_01H455VB4PEX5VSKNK084SN02Q", IdError::Suffix("mer")),
            ("mer_01h455vb4pex5vsknk084sn0é", IdError::Suffix("mer")),
        ] {
            assert_eq!(Id::<Merchant>::parse(text), Err(error), "{text}");
        }
    }

    proptest! {
        #[test]
        fn text_and_back(value in any::<u128>()) {
            let id = Id::<Merchant>::from_uuid(Uuid::from_u128(value));
            prop_assert_eq!(Id::parse(&id.to_string()), Ok(id));
        }

        #[test]
        fn order_of_text_is_order_of_ids(a in any::<u128>(), b in any::<u128>()) {
            let (a, b) = (Id::<Merchant>::from_uuid(Uuid::from_u128(a)), Id::from_uuid(Uuid::from_u128(b)));
            prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
        }
    }
}
