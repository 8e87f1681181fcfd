//! Hash tables on the way of every payment. The standard library's hash withstands whoever chooses the
//! keys, at some hundred instructions each; a payment looks up and numbers dozens.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hash};

use foldhash::fast::RandomState;
use foldhash::quality::FixedState;

/// A map whose keys are ours: ids, scopes, names of tables. Where strangers choose the keys, as in the
/// counting of requests by address, the standard library's map stays.
pub type QuickMap<K, V> = HashMap<K, V, RandomState>;

/// A number for a value: the same in every process of a build, and well spread in all its bits.
pub fn quick_hash(value: impl Hash) -> u64 {
    FixedState::default().hash_one(value)
}
