//! Where the bank keeps its filings: in memory, or in a store.
//!
//! In memory is for benchmarks and the simulator: one node, nothing outlives the process, and the
//! oldest filings are forgotten beyond a bound. It holds the objects themselves, so that a charge
//! costs two short locks and no serialization.

use std::collections::hash_map::Entry as Slot;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use kernel::{
    Changes, Comparison, Filter, Id, Lane, Outcome, Query, QuickMap, RowKey, Scope, Store, Timestamp,
    Versioned,
};
use parking_lot::Mutex;
use uuid::Uuid;

use crate::account::BankAccount;
use crate::charge::FiledId;
use crate::filing::{FILING, Filing, NOTICE, Notice};

pub(crate) enum Files {
    Memory(Box<Memory>),
    Store(Arc<dyn Store>),
}

pub(crate) struct Memory {
    filed_max: usize,
    shelves: Mutex<Shelves>,
}

/// One lock guards all: what one write holds appears together.
#[derive(Default)]
struct Shelves {
    filings: QuickMap<(Scope, FiledId), (Arc<Filing>, i64)>,
    /// In the order of their arrival: the first are forgotten first.
    arrivals: VecDeque<(Scope, FiledId)>,
    notices: BTreeMap<(Timestamp, Uuid), Notice>,
}

/// What one step of the bank writes: together or not at all.
#[derive(Default)]
pub(crate) struct Write {
    pub(crate) insert: Option<Filing>,
    pub(crate) update: Option<(Filing, i64)>,
    pub(crate) notices: Vec<Notice>,
}

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    Done,
    /// Somebody else was first: load and decide again.
    Again,
    /// Certainly not written.
    Failed,
    /// Nobody knows.
    Unclear,
}

/// The bank's own disk cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unreadable;

impl Files {
    pub(crate) fn memory(filed_max: usize) -> Self {
        Self::Memory(Box::new(Memory { filed_max: filed_max.max(1), shelves: Mutex::default() }))
    }

    pub(crate) async fn load(
        &self,
        scope: Scope,
        id: FiledId,
    ) -> Result<Option<(Arc<Filing>, i64)>, Unreadable> {
        match self {
            Self::Memory(memory) => Ok(memory.shelves.lock().filings.get(&(scope, id)).cloned()),
            Self::Store(store) => {
                let found = store.of(scope).get::<Filing>(vec![id.into()]).await.map_err(|_| Unreadable)?;
                Ok(found.map(|Versioned { record, version, .. }| (Arc::new(record), version)))
            }
        }
    }

    pub(crate) async fn write(&self, id: Uuid, scope: Scope, write: Write) -> Written {
        match self {
            Self::Memory(memory) => memory.write(scope, write),
            Self::Store(store) => commit(store.as_ref(), id, scope, write).await,
        }
    }

    /// Every filing of every account, oldest first: for tests and for holding books against the bank.
    pub(crate) async fn all(&self) -> Result<Vec<(Scope, Arc<Filing>)>, Unreadable> {
        match self {
            Self::Memory(memory) => {
                let shelves = memory.shelves.lock();
                let filed = |key: &(Scope, FiledId)| {
                    shelves.filings.get(key).map(|(filing, _)| (key.0, Arc::clone(filing)))
                };
                Ok(shelves.arrivals.iter().filter_map(filed).collect())
            }
            Self::Store(store) => {
                let query = Query::everywhere(&FILING, u32::MAX);
                let found = store.find_everywhere::<Filing>(query).await.map_err(|_| Unreadable)?;
                Ok(found.into_iter().map(|(scope, found)| (scope, Arc::new(found.record))).collect())
            }
        }
    }

    /// Notices that are due, oldest first.
    pub(crate) async fn due(&self, now: Timestamp, limit: u32) -> Result<Vec<Notice>, Unreadable> {
        match self {
            Self::Memory(memory) => {
                let shelves = memory.shelves.lock();
                let due = shelves.notices.iter().take_while(|((due_at, _), _)| *due_at <= now);
                let limit = usize::try_from(limit).unwrap_or(usize::MAX);
                Ok(due.take(limit).map(|(_, notice)| notice.clone()).collect())
            }
            Self::Store(store) => {
                let query = Query::everywhere(&NOTICE, limit)
                    .with(Filter::compare("due_at", Comparison::AtMost, now))
                    .order_by("due_at");
                let found = store.find_everywhere::<Notice>(query).await.map_err(|_| Unreadable)?;
                Ok(found.into_iter().map(|(_, found)| found.record).collect())
            }
        }
    }

    /// Puts `next` in the place of a notice, or removes it. Does nothing if somebody else did
    /// something to it meanwhile: a notice that comes twice is no harm.
    pub(crate) async fn replace_notice(&self, id: Uuid, scope: Scope, old: &Notice, next: Option<Notice>) {
        match self {
            Self::Memory(memory) => {
                let mut shelves = memory.shelves.lock();
                let removed = shelves.notices.remove(&(old.due_at, old.id.uuid()));
                if let (Some(_), Some(next)) = (removed, next) {
                    shelves.notices.insert((next.due_at, next.id.uuid()), next);
                }
            }
            Self::Store(store) => {
                let Ok(Some(found)) = store.of(scope).get::<Notice>(vec![old.id.into()]).await else {
                    return;
                };
                if found.record.due_at != old.due_at {
                    return;
                }
                let mut changes = Changes::new(id, Lane::Background);
                match next {
                    Some(next) if changes.update(scope, &next, found.version).is_err() => return,
                    Some(_) => {}
                    None => changes.remove::<Notice>(scope, vec![old.id.into()], found.version),
                }
                store.commit(changes).await;
            }
        }
    }
}

impl Memory {
    /// An account's notices go out earlier by `by`, but not before `now`.
    pub(crate) fn hasten(&self, account: Id<BankAccount>, by: Duration, now: Timestamp) {
        let notices = &mut self.shelves.lock().notices;
        let moved = |(at, _): &(Timestamp, Uuid), notice: &Notice| notice.account == account && *at > now;
        let keys: Vec<_> =
            notices.iter().filter(|(key, notice)| moved(key, notice)).map(|(key, _)| *key).collect();
        for key in keys {
            if let Some(mut notice) = notices.remove(&key) {
                notice.due_at = key.0.minus(by).max(now);
                notices.insert((notice.due_at, key.1), notice);
            }
        }
    }

    fn write(&self, scope: Scope, write: Write) -> Written {
        let mut guard = self.shelves.lock();
        let shelves = &mut *guard;
        if let Some(filing) = &write.insert
            && shelves.filings.contains_key(&(scope, filing.id))
        {
            return Written::Again;
        }
        if let Some((filing, expected)) = write.update {
            match shelves.filings.entry((scope, filing.id)) {
                Slot::Occupied(mut slot) if slot.get().1 == expected => {
                    slot.insert((Arc::new(filing), expected + 1));
                }
                Slot::Occupied(_) | Slot::Vacant(_) => return Written::Again,
            }
        }
        if let Some(filing) = write.insert {
            let key = (scope, filing.id);
            shelves.filings.insert(key, (Arc::new(filing), 1));
            shelves.arrivals.push_back(key);
            if shelves.arrivals.len() > self.filed_max
                && let Some(oldest) = shelves.arrivals.pop_front()
            {
                shelves.filings.remove(&oldest);
            }
        }
        for notice in write.notices {
            shelves.notices.insert((notice.due_at, notice.id.uuid()), notice);
            // Nobody takes them: what waits longest is lost.
            if shelves.notices.len() > self.filed_max {
                shelves.notices.pop_first();
            }
        }
        Written::Done
    }
}

async fn commit(store: &dyn Store, id: Uuid, scope: Scope, write: Write) -> Written {
    // In the lane that is never shed: a bank that is asked answers.
    let mut changes = Changes::new(id, Lane::Settle);
    let charge = write.update.as_ref().map(|(filing, _)| filing).or(write.insert.as_ref());
    changes.subject = charge.map(|filing| RowKey { table: FILING.name, scope, key: vec![filing.id.into()] });
    let filled = (|| {
        if let Some(filing) = &write.insert {
            changes.insert(scope, filing)?;
        }
        if let Some((filing, expected)) = &write.update {
            changes.update(scope, filing, *expected)?;
        }
        write.notices.iter().try_for_each(|notice| changes.insert(scope, notice))
    })();
    if filled.is_err() {
        return Written::Failed;
    }
    match store.commit(changes).await {
        Outcome::Committed { .. } => Written::Done,
        Outcome::Conflict | Outcome::Duplicate(_) => Written::Again,
        Outcome::Indeterminate => Written::Unclear,
        Outcome::Overdrawn(_)
        | Outcome::Refused(_)
        | Outcome::NotCommitted(_)
        | Outcome::StorageFull
        | Outcome::Overloaded => Written::Failed,
    }
}
