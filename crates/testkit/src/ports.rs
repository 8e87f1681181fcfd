//! Ids, randomness and tasks of a test.

use std::sync::atomic::{AtomicU64, Ordering};

use kernel::{BoxFuture, Ids, Random, Tasks};
use parking_lot::Mutex;
use uuid::Uuid;

/// Ids that count up: in the order of their making, like UUIDv7, and the same in every run.
#[derive(Debug, Default)]
pub struct CountedIds(AtomicU64);

impl Ids for CountedIds {
    fn uuid(&self) -> Uuid {
        let count = u128::from(self.0.fetch_add(1, Ordering::Relaxed) + 1);
        // The version and variant of a UUIDv7 around the count.
        Uuid::from_u128((0x0192_0000_0000_7000 << 64 | 0x8000_0000_0000_0000) + (count << 80) + count)
    }
}

/// Randomness from a seed (SplitMix64); fit for tests alone.
#[derive(Debug)]
pub struct SeededRandom(Mutex<u64>);

impl SeededRandom {
    /// The stream of this seed.
    pub const fn new(seed: u64) -> Self {
        Self(Mutex::new(seed))
    }

    fn next(&self) -> u64 {
        let mut state = self.0.lock();
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = *state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

impl Random for SeededRandom {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            for (place, byte) in chunk.iter_mut().zip(self.next().to_le_bytes()) {
                *place = byte;
            }
        }
    }
}

/// Tasks on the runtime of the test that spawns them.
#[derive(Clone, Copy, Debug, Default)]
pub struct RuntimeTasks;

impl Tasks for RuntimeTasks {
    #[expect(clippy::disallowed_methods, reason = "a test has no supervisor: its runtime ends with it")]
    fn spawn(&self, _name: &'static str, work: BoxFuture<'static, ()>) {
        tokio::spawn(work);
    }
}
