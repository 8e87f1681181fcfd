//! Sealing: AES-256-GCM-SIV (RFC 8452), which bears even a repeated nonce, with the place that a value
//! belongs to as associated data, so that it opens nowhere else.
//!
//! The stored form is one byte that says so, the nonce, and the text with its tag.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use kernel::Random;
use zeroize::Zeroizing;

use crate::VaultError;

/// The first form's byte: sealed values begin with it, so that another cipher can follow.
const SEALED_FORM: u8 = 1;

/// A key of 256 bits that seals values. Does not print; its memory is wiped when it goes.
pub struct DataKey(Zeroizing<[u8; 32]>);

impl DataKey {
    /// A new random one.
    pub fn generate(random: &dyn Random) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        random.fill(bytes.as_mut());
        Self(bytes)
    }

    /// Of bytes that are a key; `None` if they are not 32.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        let mut key = Zeroizing::new([0; 32]);
        if bytes.len() != key.len() {
            return None;
        }
        key.copy_from_slice(bytes);
        Some(Self(key))
    }

    /// The bytes, for who wraps them.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// Seals a value for a place.
    pub fn seal(&self, random: &dyn Random, place: &[u8], plain: &[u8]) -> Result<Vec<u8>, VaultError> {
        seal(&self.cipher()?, random, place, plain)
    }

    /// Opens what [`DataKey::seal`] made for the same place; [`VaultError::Sealed`] for anything else.
    pub fn open(&self, place: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        open(&self.cipher()?, place, sealed)
    }

    fn cipher(&self) -> Result<LessSafeKey, VaultError> {
        let key = UnboundKey::new(&AES_256_GCM_SIV, self.expose());
        Ok(LessSafeKey::new(key.map_err(|_| VaultError::Crypto("take a key"))?))
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[key]")
    }
}

/// The associated data of a value: what it is and to whom it belongs, each part behind its length, so
/// that no two lists of parts are equal.
pub(crate) fn place_of(parts: &[&[u8]]) -> Vec<u8> {
    let mut place = Vec::new();
    for part in parts {
        place.extend_from_slice(&(part.len() as u64).to_be_bytes());
        place.extend_from_slice(part);
    }
    place
}

pub(crate) fn seal(
    key: &LessSafeKey,
    random: &dyn Random,
    place: &[u8],
    plain: &[u8],
) -> Result<Vec<u8>, VaultError> {
    let mut nonce = [0; NONCE_LEN];
    random.fill(&mut nonce);
    // Room for the tag from the start: a buffer that grows leaves the plain text behind.
    let mut body = Zeroizing::new(Vec::with_capacity(plain.len() + AES_256_GCM_SIV.tag_len()));
    body.extend_from_slice(plain);
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(place), &mut *body)
        .map_err(|_| VaultError::Crypto("seal"))?;
    let mut sealed = Vec::with_capacity(1 + NONCE_LEN + body.len());
    sealed.push(SEALED_FORM);
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(&body);
    Ok(sealed)
}

pub(crate) fn open(key: &LessSafeKey, place: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    let (form, rest) = sealed.split_first().ok_or(VaultError::Sealed)?;
    if *form != SEALED_FORM {
        return Err(VaultError::Sealed);
    }
    let (nonce, body) = rest.split_first_chunk::<NONCE_LEN>().ok_or(VaultError::Sealed)?;
    let mut body = Zeroizing::new(body.to_vec());
    let length = key
        .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(place), &mut body)
        .map_err(|_| VaultError::Sealed)?
        .len();
    body.truncate(length);
    Ok(body)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failing test may panic")]
    use super::*;
    use proptest::prelude::*;

    /// Draws the same bytes for ever.
    struct Fixed(Vec<u8>);
    impl Random for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.copy_from_slice(&self.0[..bytes.len()]);
        }
    }

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    /// RFC 8452, appendix C.2: key 01 00…, nonce 03 00….
    #[test]
    fn the_vectors_of_the_standard_hold() {
        let (mut key, mut nonce) = ([0; 32], vec![0; 32]);
        (key[0], nonce[0]) = (1, 3);
        let (key, random) = (DataKey::from_slice(&key).unwrap(), Fixed(nonce));
        for (plain, place, result) in [
            ("", "", "07f5f4169bbf55a8400cd47ea6fd400f"),
            ("0100000000000000", "", "c2ef328e5c71c83b843122130f7364b761e0b97427e3df28"),
            ("010000000000000000000000", "", "9aab2aeb3faa0a34aea8e2b18ca50da9ae6559e48fd10f6e5c9ca17e"),
            (
                "01000000000000000000000000000000",
                "",
                "85a01b63025ba19b7fd3ddfc033b3e76c9eac6fa700942702e90862383c6c366",
            ),
            ("0200000000000000", "01", "1de22967237a813291213f267e3b452f02d01ae33e4ec854"),
            (
                "02000000000000000000000000000000",
                "01",
                "c91545823cc24f17dbb0e9e807d5ec17b292d28ff61189e8e49f3875ef91aff7",
            ),
        ] {
            let sealed = key.seal(&random, &bytes(place), &bytes(plain)).unwrap();
            assert_eq!(sealed[0], SEALED_FORM);
            assert_eq!(sealed[13..], bytes(result), "{plain}");
            assert_eq!(**key.open(&bytes(place), &sealed).unwrap(), bytes(plain));
        }
    }

    #[test]
    fn a_key_has_its_length_and_does_not_print() {
        assert!(DataKey::from_slice(&[7; 31]).is_none());
        assert!(DataKey::from_slice(&[7; 33]).is_none());
        assert_eq!(format!("{:?}", DataKey::from_slice(&[7; 32]).unwrap()), "[key]");
    }

    #[test]
    fn places_of_other_parts_differ() {
        assert_ne!(place_of(&[b"ab", b"c"]), place_of(&[b"a", b"bc"]));
        assert_ne!(place_of(&[b"ab"]), place_of(&[b"ab", b""]));
    }

    proptest! {
        #[test]
        fn opens_what_was_sealed_and_nothing_that_was_touched(
            plain in proptest::collection::vec(any::<u8>(), 0..64),
            place in proptest::collection::vec(any::<u8>(), 0..32),
            bit in any::<prop::sample::Index>(),
        ) {
            let (key, random) = (DataKey::from_slice(&[7; 32]).unwrap(), Fixed(vec![9; 32]));
            let sealed = key.seal(&random, &place, &plain).unwrap();
            prop_assert_eq!(&**key.open(&place, &sealed).unwrap(), &plain);
            let mut touched = sealed.clone();
            let bit = bit.index(touched.len() * 8);
            touched[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(matches!(key.open(&place, &touched), Err(VaultError::Sealed)));
            prop_assert!(matches!(key.open(b"another place", &sealed), Err(VaultError::Sealed)));
            let other = DataKey::from_slice(&[8; 32]).unwrap();
            prop_assert!(matches!(other.open(&place, &sealed), Err(VaultError::Sealed)));
        }
    }
}
