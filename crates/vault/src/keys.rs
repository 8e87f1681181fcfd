//! The derived keys of one world, and what is done with them.
//!
//! Derivation is HKDF-SHA256 (RFC 5869) from the server secret, with a label per world and purpose:
//! changing a label changes the key, so labels are part of the stored form and never change.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM_SIV, LessSafeKey, UnboundKey};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hkdf::{HKDF_SHA256, Prk, Salt};
use aws_lc_rs::hmac;
use kernel::{Mode, Random, Scope};

use crate::secret::to_hex;
use crate::{ServerSecret, VaultError, cipher};

/// What a MAC is for. Each purpose has a key of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// The canonical body behind an idempotency key.
    Idempotency,
    /// Method, path and body of a request to a provider: whether a repeat is the same, byte for byte.
    Request,
    /// The stored hash of an API key.
    ApiKey,
    /// The client secret of a payment, as shown to a browser.
    ClientSecret,
    /// Which card a number is, without the number.
    CardFingerprint,
    /// A text that is searched for exactly, without storing the text again.
    Search,
    /// Whether a secret is the one that a store was written with.
    Check,
}

/// The keys of one world, prepared once: a MAC costs well under a microsecond. Cheap to share by
/// reference from any task.
pub struct Keys {
    mode: Mode,
    idempotency: hmac::Key,
    request: hmac::Key,
    api_key: hmac::Key,
    client_secret: hmac::Key,
    card_fingerprint: hmac::Key,
    search: hmac::Key,
    check: hmac::Key,
    sealing: LessSafeKey,
}

impl Keys {
    /// Derives the keys of a world.
    pub fn derive(secret: &ServerSecret, mode: Mode) -> Result<Self, VaultError> {
        let root = Salt::new(HKDF_SHA256, b"florin server secret").extract(secret.bytes());
        let mac = |label| mac_key(&root, mode, label);
        Ok(Self {
            mode,
            idempotency: mac("idempotency body")?,
            request: mac("provider request")?,
            api_key: mac("api key")?,
            client_secret: mac("client secret")?,
            card_fingerprint: mac("card fingerprint")?,
            search: mac("search")?,
            check: mac("check value")?,
            sealing: sealing_key(&root, mode)?,
        })
    }

    /// The world that these keys belong to.
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// HMAC-SHA256 of the parts. Each part goes in behind its length, so that no two lists of parts
    /// give the same input.
    pub fn mac(&self, purpose: Purpose, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(self.key(purpose));
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut mac = [0; 32];
        for (place, byte) in mac.iter_mut().zip(context.sign().as_ref()) {
            *place = *byte;
        }
        mac
    }

    /// Whether `mac` is the MAC of the parts, in time that does not depend on where they differ.
    pub fn verify(&self, purpose: Purpose, parts: &[&[u8]], mac: &[u8]) -> bool {
        verify_slices_are_equal(&self.mac(purpose, parts), mac).is_ok()
    }

    /// Which card a number is: equal for equal digits in one world, 32 characters, useless without
    /// the secret.
    pub fn fingerprint(&self, digits: &str) -> String {
        let mac = self.mac(Purpose::CardFingerprint, &[digits.as_bytes()]);
        to_hex(mac.get(..16).unwrap_or_default())
    }

    /// Seals a small secret for one place: `name` in `scope` (AES-256-GCM-SIV, RFC 8452, which bears
    /// even a repeated nonce). Opens only under the same place.
    pub fn seal(
        &self,
        random: &dyn Random,
        scope: Scope,
        name: &str,
        secret: &[u8],
    ) -> Result<Vec<u8>, VaultError> {
        cipher::seal(&self.sealing, random, &place(scope, name), secret)
    }

    /// Opens what [`Keys::seal`] made for the same place.
    pub fn open(&self, scope: Scope, name: &str, sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
        Ok(cipher::open(&self.sealing, &place(scope, name), sealed)?.to_vec())
    }

    const fn key(&self, purpose: Purpose) -> &hmac::Key {
        match purpose {
            Purpose::Idempotency => &self.idempotency,
            Purpose::Request => &self.request,
            Purpose::ApiKey => &self.api_key,
            Purpose::ClientSecret => &self.client_secret,
            Purpose::CardFingerprint => &self.card_fingerprint,
            Purpose::Search => &self.search,
            Purpose::Check => &self.check,
        }
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("mode", &self.mode).finish_non_exhaustive()
    }
}

fn mac_key(root: &Prk, mode: Mode, label: &str) -> Result<hmac::Key, VaultError> {
    let info = [b"mac ".as_slice(), mode.as_str().as_bytes(), b" ", label.as_bytes()];
    let expanded = root.expand(&info, hmac::HMAC_SHA256).map_err(|_| VaultError::Crypto("derive a key"))?;
    Ok(hmac::Key::from(expanded))
}

fn sealing_key(root: &Prk, mode: Mode) -> Result<LessSafeKey, VaultError> {
    let info = [b"seal ".as_slice(), mode.as_str().as_bytes()];
    let expanded = root.expand(&info, &AES_256_GCM_SIV).map_err(|_| VaultError::Crypto("derive a key"))?;
    Ok(LessSafeKey::new(UnboundKey::from(expanded)))
}

/// The associated data of a sealed value: the scope has a fixed length, so no two places are equal.
fn place(scope: Scope, name: &str) -> Vec<u8> {
    let mut place = scope.to_bytes().to_vec();
    place.extend_from_slice(name.as_bytes());
    place
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test may panic")]
    use super::*;
    use proptest::prelude::*;

    const PURPOSES: [Purpose; 6] = [
        Purpose::Idempotency,
        Purpose::Request,
        Purpose::ApiKey,
        Purpose::ClientSecret,
        Purpose::CardFingerprint,
        Purpose::Check,
    ];

    struct Counting;
    impl Random for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            for (place, byte) in bytes.iter_mut().zip(1..) {
                *place = byte;
            }
        }
    }

    fn keys(mode: Mode) -> Keys {
        Keys::derive(&ServerSecret::from_bytes([7; 32]), mode).unwrap()
    }

    fn scope(mode: Mode) -> Scope {
        Scope { merchant: "mer_01h455vb4pex5vsknk084sn02q".parse().unwrap(), mode }
    }

    /// The stored form of every installation: these values may never change. Computed apart from this
    /// code, with Python's `hmac`, from RFC 5869.
    #[test]
    fn derivation_is_fixed() {
        let expected = [
            "ea7c2f2e145354afc68629e55f7e3597bea036a2a0f6f025c4360f3391bae44f",
            "aebc84c44be28e0a88b823eb5dd63ae975ad44eb951d6434319b232b7009e44a",
            "045ee19ee5bc932d1e7bed87b646dbbec6f2679e5e60a424d4eb001c4c84a974",
            "d63f9ccd5f6cace2a8195755e0433ad8207eefd124392c20d0939fffa415e4c0",
            "0d226f53c749aa2839808d587d2b6c8b2ddec20bb5941ffdcddf232b3fda72fd",
            "815e904ea0ce871ee4e659603f50fdf0e134a1a83edaa75501679d0eba72501e",
        ];
        let found: Vec<String> =
            PURPOSES.iter().map(|purpose| to_hex(&keys(Mode::Test).mac(*purpose, &[b"a", b"bc"]))).collect();
        assert_eq!(found, expected);
        assert_eq!(keys(Mode::Live).fingerprint("4242424242424242"), "ee43e52a2acd97c1fba7852cad9398fc");
        let sealed = keys(Mode::Test).seal(&Counting, scope(Mode::Test), "n", b"sk_1").unwrap();
        assert_eq!(to_hex(&sealed), "010102030405060708090a0b0c9095eff088f7deb72649055ecf766624f074a3bd");
    }

    #[test]
    fn worlds_and_purposes_share_nothing() {
        let mut seen = std::collections::HashSet::new();
        for mode in [Mode::Test, Mode::Live] {
            for purpose in PURPOSES {
                assert!(seen.insert(keys(mode).mac(purpose, &[b"x"])), "{mode:?} {purpose:?}");
            }
        }
        assert_ne!(
            keys(Mode::Test).fingerprint("4242424242424242"),
            keys(Mode::Live).fingerprint("4242424242424242")
        );
    }

    #[test]
    fn verify_takes_the_whole_mac_and_nothing_else() {
        let keys = keys(Mode::Test);
        let mac = keys.mac(Purpose::Request, &[b"POST", b"/v1"]);
        assert!(keys.verify(Purpose::Request, &[b"POST", b"/v1"], &mac));
        assert!(!keys.verify(Purpose::Request, &[b"POST/", b"v1"], &mac));
        assert!(!keys.verify(Purpose::Idempotency, &[b"POST", b"/v1"], &mac));
        assert!(!keys.verify(Purpose::Request, &[b"POST", b"/v1"], mac.get(..31).unwrap()));
        assert!(!keys.verify(Purpose::Request, &[b"POST", b"/v1"], b""));
    }

    #[test]
    fn a_sealed_value_opens_only_in_its_place() {
        let keys_test = keys(Mode::Test);
        let sealed = keys_test.seal(&Counting, scope(Mode::Test), "secret_key", b"sk_1").unwrap();
        assert_eq!(keys_test.open(scope(Mode::Test), "secret_key", &sealed).unwrap(), b"sk_1");
        assert!(keys_test.open(scope(Mode::Live), "secret_key", &sealed).is_err());
        assert!(keys_test.open(scope(Mode::Test), "secret_key2", &sealed).is_err());
        assert!(keys(Mode::Live).open(scope(Mode::Test), "secret_key", &sealed).is_err());
        for cut in 0..sealed.len() {
            assert!(keys_test.open(scope(Mode::Test), "secret_key", sealed.get(..cut).unwrap()).is_err());
            let mut altered = sealed.clone();
            *altered.get_mut(cut).unwrap() ^= 1;
            assert!(keys_test.open(scope(Mode::Test), "secret_key", &altered).is_err(), "byte {cut}");
        }
    }

    fn parts() -> impl Strategy<Value = Vec<Vec<u8>>> {
        prop::collection::vec(prop::collection::vec(any::<u8>(), 0..4), 0..4)
    }

    proptest! {
        #[test]
        fn parts_do_not_run_together(a in parts(), b in parts()) {
            fn slices(parts: &[Vec<u8>]) -> Vec<&[u8]> {
                parts.iter().map(Vec::as_slice).collect()
            }
            let keys = keys(Mode::Test);
            let same = keys.mac(Purpose::Request, &slices(&a)) == keys.mac(Purpose::Request, &slices(&b));
            prop_assert_eq!(same, a == b);
        }
    }
}
