//! What is made once for each of a few keys, and from then on only found again.

use std::borrow::Borrow;
use std::hash::Hash;
use std::sync::{PoisonError, RwLock};

use crate::QuickMap;

/// Values by key. It never forgets: keys must come from a closed set, such as routes, providers and
/// statuses, and never from a caller's choice.
///
/// Readers do not wait for each other. Two who miss a key at once both make it, and one of the two
/// values is kept.
#[derive(Debug)]
pub struct Memo<K, V>(RwLock<QuickMap<K, V>>);

impl<K, V> Default for Memo<K, V> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}

impl<K: Eq + Hash, V> Memo<K, V> {
    /// Hands the value of a key to `read`, and makes it first if need be. `read` must be short, and must not
    /// come back here: the first to ask for a key holds everybody up meanwhile.
    pub fn with<Q, R>(&self, key: &Q, make: impl FnOnce() -> V, read: impl FnOnce(&V) -> R) -> R
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ToOwned<Owned = K> + ?Sized,
    {
        {
            // Nothing is half done when a lock is poisoned: an entry is there or not.
            let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(value) = known.get(key) {
                return read(value);
            }
        }
        let value = make();
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        read(known.entry(key.to_owned()).or_insert(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_made_once() {
        let memo: Memo<String, Vec<u8>> = Memo::default();
        let mut made = 0;
        for key in ["a", "b", "a", "a"] {
            let value = memo.with(
                key,
                || {
                    made += 1;
                    key.as_bytes().to_vec()
                },
                Clone::clone,
            );
            assert_eq!(value, key.as_bytes());
        }
        assert_eq!(made, 2);
    }
}
