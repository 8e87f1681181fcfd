//! Commands on one payment queue here, settles before the rest.
//!
//! Held for load, decide and commit, never during a call to a provider. It saves this node's commands
//! from conflicting with each other; against other nodes the versions guard.

use std::collections::VecDeque;
use std::sync::Arc;

use kernel::QuickMap;
use parking_lot::Mutex;
use tokio::sync::oneshot;
use uuid::Uuid;

/// Who waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Writes down what a provider did: goes first.
    Settle,
    /// Asks for something new.
    Command,
}

#[derive(Default)]
struct Queue {
    settles: VecDeque<oneshot::Sender<Held>>,
    commands: VecDeque<oneshot::Sender<Held>>,
}

type Table = Arc<Mutex<QuickMap<Uuid, Queue>>>;

/// The locks of a node's payments. A payment without a holder takes no room.
#[derive(Clone, Default)]
pub(crate) struct Locks(Table);

/// Holds a payment's lock; gives it to the next in line when dropped.
pub(crate) struct Held {
    key: Uuid,
    table: Table,
    /// Whether dropping it gives the lock on. A hold that reached a waiter does, even if the waiter
    /// went away before it looked; one that was never delivered does not.
    armed: bool,
}

impl Locks {
    /// Waits for the lock. A waiter that is dropped leaves the queue.
    pub(crate) async fn acquire(&self, key: Uuid, turn: Turn) -> Held {
        let waiting = {
            let mut table = self.0.lock();
            match table.get_mut(&key) {
                None => {
                    table.insert(key, Queue::default());
                    None
                }
                Some(queue) => {
                    let (sender, receiver) = oneshot::channel();
                    match turn {
                        Turn::Settle => queue.settles.push_back(sender),
                        Turn::Command => queue.commands.push_back(sender),
                    }
                    Some(receiver)
                }
            }
        };
        if let Some(receiver) = waiting {
            // A sender is never dropped unsent while its queue exists.
            if let Ok(held) = receiver.await {
                return held;
            }
        }
        Held { key, table: Arc::clone(&self.0), armed: true }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if !self.armed {
            return;
        }
        loop {
            let next = {
                let mut table = self.table.lock();
                let Some(queue) = table.get_mut(&self.key) else { return };
                let next = queue.settles.pop_front().or_else(|| queue.commands.pop_front());
                if next.is_none() {
                    table.remove(&self.key);
                }
                next
            };
            let Some(next) = next else { return };
            let held = Self { key: self.key, table: Arc::clone(&self.table), armed: true };
            match next.send(held) {
                Ok(()) => return,
                Err(mut undelivered) => undelivered.armed = false,
            }
        }
    }
}
