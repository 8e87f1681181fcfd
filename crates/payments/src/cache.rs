//! What is read often and changes seldom, kept for at most five seconds: a change is in force on all
//! nodes by then.

use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use kernel::{Clock, Monotonic, QuickMap};
use parking_lot::RwLock;

const LIFE: Duration = Duration::from_secs(5);

/// Beyond so many entries the expired ones are dropped, so that made-up keys do not grow it for ever.
const ROOM: usize = 10_000;

pub(crate) struct Cache<K, V> {
    clock: Arc<dyn Clock>,
    entries: RwLock<QuickMap<K, (Monotonic, V)>>,
}

impl<K: Hash + Eq, V: Clone> Cache<K, V> {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, entries: RwLock::default() }
    }

    pub(crate) fn get(&self, key: &K) -> Option<V> {
        let entries = self.entries.read();
        let (made, value) = entries.get(key)?;
        self.is_young(*made).then(|| value.clone())
    }

    pub(crate) fn keep(&self, key: K, value: V) {
        let now = self.clock.monotonic();
        let mut entries = self.entries.write();
        if entries.len() >= ROOM {
            entries.retain(|_, (made, _)| self.is_young(*made));
        }
        if entries.len() < ROOM {
            entries.insert(key, (now, value));
        }
    }

    pub(crate) fn forget(&self, key: &K) {
        self.entries.write().remove(key);
    }

    fn is_young(&self, made: Monotonic) -> bool {
        self.clock.monotonic().0.saturating_sub(made.0) < LIFE
    }
}
