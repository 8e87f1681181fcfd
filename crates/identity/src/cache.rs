//! What is known of recently used keys: the reason that a request costs no read.
//!
//! An entry counts from the moment *before* its read began, so that whatever was committed more than
//! a life ago is seen. While an entry is in the last part of its life one request reads it anew and
//! the others go on with it: a key in use never makes all requests wait at once.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use kernel::Monotonic;
use parking_lot::RwLock;

use crate::authentication::{Denied, Principal};
use crate::key::Hash;

/// How long an entry answers.
pub const CACHE_LIFE: Duration = Duration::from_secs(5);
/// From this age on one request reads it anew.
const REFRESH_AGE: Duration = Duration::from_secs(3);

const SHARDS: usize = 16;
/// Together some 16,000 keys in use, and 4,000 texts that are no key.
const KNOWN_PER_SHARD: usize = 1024;
const DENIED_PER_SHARD: usize = 256;

/// What is known of a key.
pub(crate) type Known = Result<Principal, Denied>;

/// What the cache says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Looked {
    /// It is so.
    Fresh(Known),
    /// It is so, and this request reads it anew.
    Refresh(Known),
    /// Read it.
    Absent,
}

#[derive(Debug)]
struct Entry<T> {
    known: T,
    read_at: Monotonic,
    refreshing: AtomicBool,
}

type Map<T> = HashMap<Hash, Entry<T>, BuildHasherDefault<FirstBytes>>;

/// Keys and refusals apart, so that a flood of guesses never pushes out a key in use.
#[derive(Debug, Default)]
struct Shard {
    known: Map<Principal>,
    denied: Map<Denied>,
}

#[derive(Debug, Default)]
pub(crate) struct Cache {
    shards: [RwLock<Shard>; SHARDS],
}

impl Cache {
    /// What is known of the key with this hash.
    pub(crate) fn look(&self, hash: &Hash, now: Monotonic) -> Looked {
        let shard = self.shard(hash).read();
        let (known, read_at, refreshing) = if let Some(entry) = shard.known.get(hash) {
            (Ok(entry.known.clone()), entry.read_at, &entry.refreshing)
        } else if let Some(entry) = shard.denied.get(hash) {
            (Err(entry.known), entry.read_at, &entry.refreshing)
        } else {
            return Looked::Absent;
        };
        let age = age(read_at, now);
        if age >= CACHE_LIFE {
            Looked::Absent
        } else if age >= REFRESH_AGE && !refreshing.swap(true, Ordering::Relaxed) {
            Looked::Refresh(known)
        } else {
            Looked::Fresh(known)
        }
    }

    /// Whether a valid key with this hash was read lately.
    pub(crate) fn remembers(&self, hash: &Hash, now: Monotonic) -> bool {
        let shard = self.shard(hash).read();
        shard.known.get(hash).is_some_and(|entry| age(entry.read_at, now) < CACHE_LIFE)
    }

    /// Keeps what a read said that began at `read_at`.
    pub(crate) fn keep(&self, hash: Hash, known: Known, read_at: Monotonic) {
        let mut shard = self.shard(&hash).write();
        match known {
            Ok(principal) => {
                shard.denied.remove(&hash);
                insert(&mut shard.known, KNOWN_PER_SHARD, hash, principal, read_at);
            }
            Err(denied) => {
                shard.known.remove(&hash);
                insert(&mut shard.denied, DENIED_PER_SHARD, hash, denied, read_at);
            }
        }
    }

    /// Forgets a key that this node just created or revoked.
    pub(crate) fn forget(&self, hash: &Hash) {
        let mut shard = self.shard(hash).write();
        shard.known.remove(hash);
        shard.denied.remove(hash);
    }

    fn shard(&self, hash: &Hash) -> &RwLock<Shard> {
        let [first, ..] = hash;
        let [start, ..] = &self.shards;
        self.shards.get(usize::from(*first) % SHARDS).unwrap_or(start)
    }
}

fn insert<T>(map: &mut Map<T>, limit: usize, hash: Hash, known: T, read_at: Monotonic) {
    let newer = map.get(&hash).is_none_or(|entry| entry.read_at <= read_at);
    if !newer {
        return;
    }
    if map.len() >= limit && !map.contains_key(&hash) {
        map.retain(|_, entry| age(entry.read_at, read_at) < CACHE_LIFE);
        // All of them in use: any of them makes room, for the hashes are random.
        if map.len() >= limit
            && let Some(victim) = map.keys().next().copied()
        {
            map.remove(&victim);
        }
    }
    map.insert(hash, Entry { known, read_at, refreshing: AtomicBool::new(false) });
}

fn age(read_at: Monotonic, now: Monotonic) -> Duration {
    now.0.saturating_sub(read_at.0)
}

/// The keys of the maps are MACs, random to whoever lacks the secret: eight of their bytes are as
/// good a hash as any.
#[derive(Debug, Default)]
struct FirstBytes(u64);

impl Hasher for FirstBytes {
    fn write(&mut self, bytes: &[u8]) {
        // The second eight bytes: the first byte already chose the shard.
        if let Some(chunk) = bytes.get(8..16).and_then(|chunk| <[u8; 8]>::try_from(chunk).ok()) {
            self.0 = u64::from_ne_bytes(chunk);
        }
    }

    fn write_usize(&mut self, _: usize) {
        // The length of an array, written before its bytes: the same for all.
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test may panic")]
    use super::*;
    use kernel::{Mode, Scope};

    use crate::KeyKind;

    fn principal() -> Principal {
        Principal {
            scope: Scope { merchant: "mer_01h455vb4pex5vsknk084sn02q".parse().unwrap(), mode: Mode::Test },
            key: "key_01h455vb4pex5vsknk084sn02q".parse().unwrap(),
            kind: KeyKind::Secret,
            scopes: crate::AccessScopes::UNRESTRICTED,
            allowed_ips: None,
            expires_at: None,
        }
    }

    fn at(milliseconds: u64) -> Monotonic {
        Monotonic(Duration::from_millis(milliseconds))
    }

    fn hash(number: u32) -> Hash {
        let mut hash = [0; 32];
        for (place, byte) in hash.iter_mut().skip(8).zip(number.to_be_bytes()) {
            *place = byte;
        }
        hash
    }

    #[test]
    fn an_entry_is_refreshed_once_and_dies_on_time() {
        let cache = Cache::default();
        assert_eq!(cache.look(&hash(1), at(0)), Looked::Absent);
        for known in [Ok(principal()), Err(Denied::Revoked), Ok(principal())] {
            cache.keep(hash(1), known.clone(), at(1000));
            assert_eq!(cache.look(&hash(1), at(3999)), Looked::Fresh(known.clone()));
            assert_eq!(cache.look(&hash(1), at(4000)), Looked::Refresh(known.clone()));
            assert_eq!(cache.look(&hash(1), at(5999)), Looked::Fresh(known), "another request reads it");
            assert_eq!(cache.look(&hash(1), at(6000)), Looked::Absent);
        }
        cache.forget(&hash(1));
        assert_eq!(cache.look(&hash(1), at(1000)), Looked::Absent);
    }

    #[test]
    fn an_older_read_never_replaces_a_newer_one() {
        let cache = Cache::default();
        cache.keep(hash(1), Ok(principal()), at(2000));
        cache.keep(hash(1), Ok(principal()), at(1000));
        assert_eq!(cache.look(&hash(1), at(6500)), Looked::Fresh(Ok(principal())).refreshed());
    }

    impl Looked {
        fn refreshed(self) -> Self {
            match self {
                Self::Fresh(known) => Self::Refresh(known),
                other => other,
            }
        }
    }

    #[test]
    fn size_is_bounded_and_guesses_push_out_no_key() {
        let cache = Cache::default();
        cache.keep(hash(0), Ok(principal()), at(0));
        for number in 1..10_000 {
            cache.keep(hash(number), Err(Denied::Unknown), at(1));
        }
        assert_eq!(cache.look(&hash(0), at(2)), Looked::Fresh(Ok(principal())));
        assert_eq!(cache.shard(&hash(0)).read().denied.len(), DENIED_PER_SHARD);
        for number in 1..10_000 {
            cache.keep(hash(number), Ok(principal()), at(1));
        }
        assert_eq!(cache.shard(&hash(0)).read().known.len(), KNOWN_PER_SHARD);
        assert_eq!(cache.look(&hash(9_999), at(2)), Looked::Fresh(Ok(principal())));
    }
}
