//! Where callers hand commits to a committer, be it a thread or a task.

use kernel::Outcome;
use parking_lot::Mutex;

use crate::batch::{Lanes, Next, Ticket};

/// One committer's door. `C` is other work that only the committer may do.
pub(crate) struct Intake<C> {
    state: Mutex<State<C>>,
    wake: Box<dyn Fn() + Send + Sync>,
}

struct State<C> {
    lanes: Lanes,
    calls: Vec<C>,
    closing: bool,
    /// The committer found nothing and must be woken.
    asleep: bool,
}

/// What a committer finds.
pub(crate) enum Found<C> {
    /// Something to do.
    Work(Next, Vec<C>),
    /// Nothing; the next arrival wakes it.
    Nothing,
    /// Nothing, and nothing will come.
    Closed,
}

impl<C> Intake<C> {
    /// `wake` is called when something arrives while the committer sleeps.
    pub(crate) fn new(reserve_limit: usize, wake: impl Fn() + Send + Sync + 'static) -> Self {
        let lanes = Lanes::new(reserve_limit);
        let state = State { lanes, calls: Vec::new(), closing: false, asleep: false };
        Self { state: Mutex::new(state), wake: Box::new(wake) }
    }

    /// Queues a commit, or answers it at once.
    pub(crate) fn submit(&self, ticket: Ticket) {
        let mut state = self.state.lock();
        if state.closing {
            drop(state);
            ticket.answer(Outcome::NotCommitted("the store is closed".to_owned()));
            return;
        }
        let pushed = state.lanes.push(ticket);
        let asleep = std::mem::take(&mut state.asleep);
        drop(state);
        if asleep {
            (self.wake)();
        }
        if let Err(ticket) = pushed {
            ticket.answer(Outcome::Overloaded);
        }
    }

    /// Queues other work; `false` if the store is closing.
    pub(crate) fn call(&self, call: C) -> bool {
        let mut state = self.state.lock();
        if state.closing {
            return false;
        }
        state.calls.push(call);
        let asleep = std::mem::take(&mut state.asleep);
        drop(state);
        if asleep {
            (self.wake)();
        }
        true
    }

    /// Takes the next batch. For the committer alone.
    pub(crate) fn take(&self, limit: usize) -> Found<C> {
        let mut state = self.state.lock();
        if state.lanes.is_empty() && state.calls.is_empty() {
            if state.closing {
                return Found::Closed;
            }
            state.asleep = true;
            return Found::Nothing;
        }
        Found::Work(state.lanes.next(limit), std::mem::take(&mut state.calls))
    }

    /// Whether the store is being closed.
    pub(crate) fn is_closing(&self) -> bool {
        self.state.lock().closing
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        let state = self.state.lock();
        state.lanes.is_empty() && state.calls.is_empty()
    }

    /// How many commits wait.
    pub(crate) fn waiting(&self) -> usize {
        self.state.lock().lanes.len()
    }

    /// Tells the queue what a batch wrote, so that what it made stale need not be tried.
    pub(crate) fn committed<'t>(&self, tickets: impl Iterator<Item = &'t Ticket>) {
        self.state.lock().lanes.committed(tickets);
    }

    /// Refuses more; the committer finishes what waits.
    pub(crate) fn close(&self) {
        let mut state = self.state.lock();
        state.closing = true;
        state.asleep = false;
        drop(state);
        (self.wake)();
    }

    /// Takes everything that waits, for an answer to all.
    pub(crate) fn drain(&self) -> Vec<Ticket> {
        self.state.lock().lanes.drain()
    }
}
