//! Counters within one process.
//!
//! The generic cell rate algorithm (ITU-T I.371, annex A): of each subject only the moment is kept at
//! which it will have been given everything back: one number, and no timer. Whoever paused may do a
//! whole period's count at once; in the long run nobody does more than the rate.
//!
//! What is counted alike shares a table of two generations. A subject that is counted moves into the
//! young one; when that is full, it becomes the old one, and the old one goes. So the size is bounded,
//! whoever goes on is remembered through any flood, and only who pauses longer than the flood needs to
//! fill a generation starts anew.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};
use std::time::Duration;

use kernel::{BoxFuture, Monotonic};
use parking_lot::Mutex;

use crate::{Counted, Limiter, Rate, Subject, Verdict};

const SHARDS: usize = 16;
/// Per shard and generation: together some 32,000 to 64,000 subjects of each kind, in about 2 MB.
const GENERATION: usize = 2048;

/// Counters in memory. See the module.
pub struct MemoryLimiter {
    /// Two, so that 128 bits tell subjects apart; seeded by the system, so that nobody can choose
    /// subjects that meet.
    hashers: [RandomState; 2],
    tables: [Table; Counted::ALL.len()],
}

#[derive(Default)]
struct Table {
    shards: [Mutex<Generations>; SHARDS],
}

#[derive(Default)]
struct Generations {
    young: Map,
    old: Map,
}

/// By the subject's hash: when it will have been given everything back.
type Map = HashMap<u128, Duration, BuildHasherDefault<Low>>;

impl Default for MemoryLimiter {
    fn default() -> Self {
        Self {
            hashers: [RandomState::new(), RandomState::new()],
            tables: std::array::from_fn(|_| Table::default()),
        }
    }
}

impl MemoryLimiter {
    /// Nothing counted yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many subjects are remembered.
    pub fn len(&self) -> usize {
        let shards = self.tables.iter().flat_map(|table| &table.shards);
        shards.map(|shard| shard.lock()).map(|shard| shard.young.len() + shard.old.len()).sum()
    }

    /// Whether nobody is remembered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn count(&self, subject: Subject<'_>, rate: Rate, now: Monotonic, counts: bool) -> Verdict {
        let [first, second] = &self.hashers;
        let name = (subject.scope, subject.name);
        let hash = u128::from(first.hash_one(name)) << 64 | u128::from(second.hash_one(name));
        let place = Counted::ALL.iter().position(|counted| *counted == subject.counted).unwrap_or_default();
        let Some(table) = self.tables.get(place) else { return verdict(rate, now, now.0, true) };
        let shard = usize::try_from(hash >> 120).unwrap_or_default() % SHARDS;
        let Some(shard) = table.shards.get(shard) else { return verdict(rate, now, now.0, true) };
        let mut generations = shard.lock();
        let known = generations.young.get(&hash).or_else(|| generations.old.get(&hash)).copied();
        // A subject that was given everything back is one that was never seen.
        let free_at = known.unwrap_or_default().max(now.0);
        let taken = free_at.saturating_add(rate.interval());
        let allowed = taken.saturating_sub(now.0) <= rate.period();
        if !counts {
            return verdict(rate, now, free_at, allowed);
        }
        generations.keep(hash, if allowed { taken } else { free_at });
        verdict(rate, now, if allowed { taken } else { free_at }, allowed)
    }
}

impl Generations {
    fn keep(&mut self, hash: u128, free_at: Duration) {
        if self.young.len() >= GENERATION && !self.young.contains_key(&hash) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(hash, free_at);
        self.old.remove(&hash);
    }
}

/// What follows from the moment at which everything is given back.
fn verdict(rate: Rate, now: Monotonic, free_at: Duration, allowed: bool) -> Verdict {
    let owed = free_at.saturating_sub(now.0);
    let left = rate.period().saturating_sub(owed);
    let interval = rate.interval().as_nanos().max(1);
    let remaining = u32::try_from(left.as_nanos() / interval).unwrap_or(u32::MAX).min(rate.count());
    let one_more = owed.saturating_add(rate.interval()).saturating_sub(rate.period());
    Verdict {
        allowed,
        limit: rate.count(),
        remaining,
        retry_after: if remaining == 0 { one_more } else { Duration::ZERO },
        reset_after: owed,
    }
}

impl Limiter for MemoryLimiter {
    fn take<'a>(&'a self, subject: Subject<'a>, rate: Rate, now: Monotonic) -> BoxFuture<'a, Verdict> {
        let verdict = self.count(subject, rate, now, true);
        Box::pin(std::future::ready(verdict))
    }

    fn look<'a>(&'a self, subject: Subject<'a>, rate: Rate, now: Monotonic) -> BoxFuture<'a, Verdict> {
        let verdict = self.count(subject, rate, now, false);
        Box::pin(std::future::ready(verdict))
    }
}

/// The keys of the maps are hashes already.
#[derive(Default)]
struct Low(u64);

impl Hasher for Low {
    fn write(&mut self, _: &[u8]) {}

    fn write_u128(&mut self, hash: u128) {
        // The low half: the high bits chose the shard.
        self.0 = u64::try_from(hash & u128::from(u64::MAX)).unwrap_or_default();
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests;
