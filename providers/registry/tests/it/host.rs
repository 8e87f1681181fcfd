//! Ports that stand still: a clock that moves when told, ids and randomness that count.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use kernel::{BoxFuture, Clock, Ids, Monotonic, Random, Timestamp};
use uuid::Uuid;

pub(crate) struct Host {
    micros: AtomicI64,
    count: AtomicU64,
}

impl Host {
    pub(crate) fn new() -> Self {
        let start: Timestamp = "2026-11-21T10:00:00Z".parse().unwrap();
        Self { micros: AtomicI64::new(start.as_micros()), count: AtomicU64::new(1) }
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.micros.fetch_add(i64::try_from(by.as_micros()).unwrap(), Ordering::Relaxed);
    }
}

impl Clock for Host {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.micros.load(Ordering::Relaxed))
    }

    fn monotonic(&self) -> Monotonic {
        Monotonic(Duration::from_micros(u64::try_from(self.micros.load(Ordering::Relaxed)).unwrap()))
    }

    fn sleep(&self, length: Duration) -> BoxFuture<'static, ()> {
        self.advance(length);
        Box::pin(std::future::ready(()))
    }
}

impl Ids for Host {
    fn uuid(&self) -> Uuid {
        Uuid::from_u128(self.count.fetch_add(1, Ordering::Relaxed).into())
    }
}

impl Random for Host {
    fn fill(&self, bytes: &mut [u8]) {
        let mut state = self.count.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        for byte in bytes {
            state = state.rotate_left(23).wrapping_mul(0xBF58_476D_1CE4_E5B9) ^ (state >> 31);
            *byte = state.to_le_bytes()[3];
        }
    }
}
