//! Accounts at the bank. There is no sign-up: whoever comes with a well-formed key has an account,
//! and everything else about it is derived from that key, so that nothing needs to be kept.

use aws_lc_rs::digest;
use kernel::{Id, Kind, Merchant, Mode, Random, Scope, Secret};
use provider_kit::signing;
use uuid::Uuid;

/// Marks ids of accounts at the bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BankAccount {}

impl Kind for BankAccount {
    const PREFIX: &'static str = "acct";
}

/// What an account's key begins with.
const KEY_PREFIX: &str = "sbk_";

/// The key of one account, and what follows from it.
#[derive(Clone, Debug)]
pub struct Keys {
    /// Who the account is: goes into `ProviderAccount::identity`.
    pub identity: Id<BankAccount>,
    /// Proves it: the secret `api_key`.
    pub api_key: Secret<String>,
    /// Signs its notices: the secret `webhook_secret`.
    pub webhook_secret: Secret<String>,
}

impl Keys {
    /// The account of a key. `None` unless the key is `sbk_` and 16 to 128 letters, digits, `_` or `-`.
    pub fn of(api_key: &str) -> Option<Self> {
        let rest = api_key.strip_prefix(KEY_PREFIX)?;
        let well_formed = rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
        if !well_formed || !(16..=128).contains(&rest.len()) {
            return None;
        }
        let identity = Id::from_uuid(derive(&[b"sandbox account", api_key.as_bytes()]));
        let secret = signing::hmac_sha256_hex(api_key.as_bytes(), &[b"sandbox webhook secret"]);
        Some(Self {
            identity,
            api_key: Secret::new(api_key.to_owned()),
            webhook_secret: Secret::new(format!("whsec_{secret}")),
        })
    }

    /// A new account.
    pub fn draw(random: &dyn Random) -> Self {
        let mut bytes = [0; 24];
        random.fill(&mut bytes);
        let api_key = format!("{KEY_PREFIX}{}", signing::hex(&bytes));
        // Hexadecimal digits are always well-formed; the fallback is unreachable.
        Self::of(&api_key).unwrap_or_else(|| Self {
            identity: Id::from_uuid(Uuid::nil()),
            api_key: Secret::new(api_key),
            webhook_secret: Secret::new(String::new()),
        })
    }
}

/// The account's rows in a store: a world of its own.
pub(crate) const fn scope_of(account: Id<BankAccount>) -> Scope {
    Scope { merchant: Id::<Merchant>::from_uuid(account.uuid()), mode: Mode::Test }
}

/// 128 bits of SHA-256 over the parts, each closed by a zero byte, so that no two lists are alike.
pub(crate) fn derive(parts: &[&[u8]]) -> Uuid {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(part);
        context.update(&[0]);
    }
    let mut half = [0; 16];
    for (place, byte) in half.iter_mut().zip(context.finish().as_ref()) {
        *place = *byte;
    }
    Uuid::from_bytes(half)
}

/// The stored form of a signing secret. The bank keeps its own secrets in its own database, as any
/// bank does: a page or a dashboard causes notices without a caller's key at hand.
pub(crate) mod kept {
    use kernel::Secret;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(secret: &Secret<String>, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(secret.expose())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Secret<String>, D::Error> {
        String::deserialize(from).map(Secret::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_an_account() {
        let keys = Keys::of("sbk_0123456789abcdef");
        let again = Keys::of("sbk_0123456789abcdef");
        assert!(keys.is_some());
        assert_eq!(keys.as_ref().map(|keys| keys.identity), again.as_ref().map(|keys| keys.identity));
        let other = Keys::of("sbk_0123456789abcdeg");
        assert_ne!(keys.as_ref().map(|keys| keys.identity), other.map(|keys| keys.identity));
        assert!(!format!("{keys:?}").contains("0123456789abcdef"));
        for bad in ["", "sbk_", "sbk_short", "sk_test_0123456789abcdef", "sbk_0123456789abcde é"] {
            assert!(Keys::of(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn parts_do_not_run_together() {
        assert_ne!(derive(&[b"ab", b"c"]), derive(&[b"a", b"bc"]));
    }
}
