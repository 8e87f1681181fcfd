//! What waits for a committer, and which of it goes into the next batch.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};

use kernel::{Duplicate, Lane, Outcome};
use tokio::sync::oneshot;
use tracing::debug;
use uuid::Uuid;

use super::balance::Balances;
use super::prepare::Prepared;
use super::rows::{Effect, RowHash, Want};
use crate::schema::place;

/// A commit that waits, and whom to answer.
#[derive(Debug)]
pub(crate) struct Ticket {
    pub(crate) prepared: Box<Prepared>,
    reply: oneshot::Sender<Outcome>,
}

impl Ticket {
    pub(crate) fn new(prepared: Prepared, reply: oneshot::Sender<Outcome>) -> Self {
        Self { prepared: Box::new(prepared), reply }
    }

    /// Answers. A caller that went away misses nothing that is not on the disk.
    pub(crate) fn answer(self, outcome: Outcome) {
        if !matches!(outcome, Outcome::Committed { .. }) {
            debug!(commit = %self.prepared.id, ?outcome, "a commit was not written");
        }
        drop(self.reply.send(outcome));
    }
}

/// A row's hash is its own hash.
#[derive(Default)]
pub(crate) struct Identity(u64);

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }
    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

type ByRow<V> = HashMap<RowHash, V, BuildHasherDefault<Identity>>;

/// What `next` chose.
#[derive(Debug, Default)]
pub(crate) struct Next {
    /// The batch, in order of arrival within each lane. No row appears twice.
    pub(crate) batch: Vec<Ticket>,
    /// What cannot succeed any more, by what the last batch wrote.
    pub(crate) stale: Vec<(Ticket, Outcome)>,
}

/// One committer's queues: settles, then reserves in turn by merchant, then the background.
///
/// What met a row that was taken waits in `deferred`, in order, ahead of all lanes: nothing that
/// touches its rows overtakes it.
#[derive(Debug)]
pub(crate) struct Lanes {
    deferred: VecDeque<Ticket>,
    settles: VecDeque<Ticket>,
    reserves: Turns,
    background: VecDeque<Ticket>,
    reserve_limit: usize,
    known: ByRow<Effect>,
}

/// Merchants take turns.
#[derive(Debug, Default)]
struct Turns {
    order: VecDeque<Uuid>,
    queues: HashMap<Uuid, VecDeque<Ticket>>,
    length: usize,
}

impl Turns {
    fn push(&mut self, ticket: Ticket) {
        let merchant = ticket.prepared.merchant;
        let queue = self.queues.entry(merchant).or_default();
        if queue.is_empty() {
            self.order.push_back(merchant);
        }
        queue.push_back(ticket);
        self.length += 1;
    }

    fn pop(&mut self) -> Option<Ticket> {
        let merchant = self.order.pop_front()?;
        let queue = self.queues.get_mut(&merchant)?;
        let ticket = queue.pop_front();
        if queue.is_empty() {
            self.queues.remove(&merchant);
        } else {
            self.order.push_back(merchant);
        }
        self.length = self.length.saturating_sub(1);
        ticket
    }
}

impl Lanes {
    pub(crate) fn new(reserve_limit: usize) -> Self {
        Self {
            deferred: VecDeque::new(),
            settles: VecDeque::new(),
            reserves: Turns::default(),
            background: VecDeque::new(),
            reserve_limit,
            known: ByRow::default(),
        }
    }

    /// Queues it, or gives it back: the queue of reserves is full.
    pub(crate) fn push(&mut self, ticket: Ticket) -> Result<(), Ticket> {
        match ticket.prepared.lane {
            Lane::Settle => self.settles.push_back(ticket),
            Lane::Reserve if self.reserves.length >= self.reserve_limit => return Err(ticket),
            Lane::Reserve => self.reserves.push(ticket),
            Lane::Background => self.background.push_back(ticket),
        }
        Ok(())
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.deferred.is_empty()
            && self.settles.is_empty()
            && self.reserves.length == 0
            && self.background.is_empty()
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.deferred.len() + self.settles.len() + self.reserves.length + self.background.len()
    }

    /// Takes everything, for an answer to all.
    pub(crate) fn drain(&mut self) -> Vec<Ticket> {
        let mut all: Vec<Ticket> = self.deferred.drain(..).chain(self.settles.drain(..)).collect();
        all.extend(std::iter::from_fn(|| self.reserves.pop()));
        all.extend(self.background.drain(..));
        all
    }

    /// Remembers what a batch wrote until the next one is chosen.
    pub(crate) fn committed<'t>(&mut self, tickets: impl Iterator<Item = &'t Ticket>) {
        for ticket in tickets {
            self.known.extend(ticket.prepared.effects());
        }
    }

    /// Chooses the next batch of at most `limit` commits.
    pub(crate) fn next(&mut self, limit: usize) -> Next {
        let mut choice =
            Choice { next: Next::default(), taken: HashSet::default(), balances: Balances::default() };
        let known = std::mem::take(&mut self.known);
        for ticket in std::mem::take(&mut self.deferred) {
            let full = choice.next.batch.len() >= limit;
            if let Some(waits) = choice.place(&known, ticket, full) {
                self.deferred.push_back(waits);
            }
        }
        // A bound on the scan, should ever so many commits want the same few rows.
        while choice.next.batch.len() < limit && self.deferred.len() < limit {
            let lane = self.settles.pop_front().or_else(|| self.reserves.pop());
            let Some(ticket) = lane.or_else(|| self.background.pop_front()) else { break };
            if let Some(waits) = choice.place(&known, ticket, false) {
                self.deferred.push_back(waits);
            }
        }
        choice.next
    }
}

struct Choice {
    next: Next,
    /// Rows of the batch, and rows of what waits: neither may be overtaken.
    taken: HashSet<RowHash, BuildHasherDefault<Identity>>,
    balances: Balances,
}

impl Choice {
    /// Puts a ticket into the batch or among the stale, or gives it back to wait.
    fn place(&mut self, known: &ByRow<Effect>, ticket: Ticket, full: bool) -> Option<Ticket> {
        if let Some(outcome) = stale(known, &ticket.prepared) {
            self.next.stale.push((ticket, outcome));
            return None;
        }
        let touches = &ticket.prepared.touches;
        let waits = full
            || touches.iter().any(|touch| self.taken.contains(&touch.row))
            || !self.balances.add(ticket.prepared.lane, &ticket.prepared.balances);
        self.taken.extend(touches.iter().map(|touch| touch.row));
        if waits {
            return Some(ticket);
        }
        self.next.batch.push(ticket);
        None
    }
}

/// What became of a commit, if what was just written decides it.
fn stale(known: &ByRow<Effect>, prepared: &Prepared) -> Option<Outcome> {
    if known.is_empty() {
        return None;
    }
    let mut decided = None;
    for touch in &prepared.touches {
        let Some(effect) = known.get(&touch.row) else { continue };
        let outcome = match (touch.want, effect) {
            // A known key comes before everything: the caller answers with what it stands for.
            (Want::Absent(place::CLAIM), Effect::Exists(_)) => {
                return Some(Outcome::Duplicate(Duplicate::Claim));
            }
            (Want::Absent(place), Effect::Exists(_)) => Outcome::Duplicate(Duplicate::Row {
                table: prepared
                    .inserts
                    .iter()
                    .find(|insert| insert.table == place)
                    .map_or("", |insert| insert.row.table.name),
            }),
            (Want::Version(_), Effect::Gone) => Outcome::Conflict,
            (Want::Version(expected), Effect::Exists(version)) if expected > 0 && expected != *version => {
                Outcome::Conflict
            }
            _ => continue,
        };
        if decided.is_none() || outcome == Outcome::Conflict {
            decided = Some(outcome);
        }
    }
    decided
}

/// Where a commit goes among so many committers.
pub(crate) fn committer_of(prepared: &Prepared, committers: usize) -> usize {
    let committers = u64::try_from(committers.max(1)).unwrap_or(1);
    usize::try_from(prepared.route % committers).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on has failed")]
    use super::*;
    use crate::Schema;
    use crate::batch::prepare;
    use kernel::{
        Cell, Changes, Claim, Column, ColumnType, Id, Index, Insert, Merchant, Mode, Scope, Table, Update,
    };

    static THING: Table = Table {
        name: "thing",
        key: &[Column::new("id", ColumnType::Int)],
        columns: &[],
        versioned: true,
        has_state: true,
        indexes: &[] as &[Index],
        fillfactor: 100,
    };

    fn scope(merchant: u128) -> Scope {
        Scope { merchant: Id::<Merchant>::from_uuid(Uuid::from_u128(merchant)), mode: Mode::Test }
    }

    fn row(merchant: u128, id: i64) -> Insert {
        Insert {
            table: &THING,
            scope: scope(merchant),
            key: vec![Cell::Int(id)],
            columns: Vec::new(),
            state: b"1{}".to_vec(),
        }
    }

    fn ticket(number: u128, lane: Lane, fill: impl FnOnce(&mut Changes)) -> Ticket {
        let mut changes = Changes::new(Uuid::from_u128(number), lane);
        fill(&mut changes);
        let schema = Schema::new(&[&THING], &[]).unwrap();
        Ticket::new(prepare(&schema, changes).unwrap(), oneshot::channel().0)
    }

    fn inserts(number: u128, lane: Lane, merchant: u128, id: i64) -> Ticket {
        ticket(number, lane, |changes| changes.insert.push(row(merchant, id)))
    }

    fn updates(number: u128, id: i64, expected: i64) -> Ticket {
        ticket(number, Lane::Settle, |changes| {
            changes.update.push(Update { row: row(1, id), expected });
        })
    }

    fn claims(number: u128, key: &str) -> Ticket {
        ticket(number, Lane::Reserve, |changes| {
            changes.claim = Some(Claim {
                scope: scope(1),
                key: key.to_owned(),
                route: "r".into(),
                mac: Vec::new(),
                mac_before: None,
                operation: None,
                answer: None,
            });
        })
    }

    fn numbers(batch: &[Ticket]) -> Vec<u128> {
        batch.iter().map(|ticket| ticket.prepared.id.as_u128()).collect()
    }

    fn lanes(tickets: Vec<Ticket>) -> Lanes {
        let mut lanes = Lanes::new(100);
        for ticket in tickets {
            lanes.push(ticket).unwrap();
        }
        lanes
    }

    #[test]
    fn settles_come_first_then_merchants_take_turns_then_the_background() {
        let mut lanes = lanes(vec![
            inserts(1, Lane::Background, 1, 1),
            inserts(2, Lane::Reserve, 1, 2),
            inserts(3, Lane::Reserve, 1, 3),
            inserts(4, Lane::Reserve, 2, 4),
            inserts(5, Lane::Settle, 1, 5),
        ]);
        assert_eq!(numbers(&lanes.next(10).batch), [5, 2, 4, 3, 1]);
        assert!(lanes.is_empty());
    }

    #[test]
    fn reserves_are_shed_and_settles_never() {
        let mut lanes = Lanes::new(1);
        assert!(lanes.push(inserts(1, Lane::Reserve, 1, 1)).is_ok());
        assert!(lanes.push(inserts(2, Lane::Reserve, 1, 2)).is_err());
        assert!(lanes.push(inserts(3, Lane::Settle, 1, 3)).is_ok());
        assert!(lanes.push(inserts(4, Lane::Background, 1, 4)).is_ok());
    }

    #[test]
    fn a_row_appears_once_and_what_waits_is_not_overtaken() {
        let two_rows = ticket(2, Lane::Settle, |changes| {
            changes.update.push(Update { row: row(1, 7), expected: 1 });
            changes.insert.push(row(1, 8));
        });
        // The third touches only what the waiting second one touches: it must wait behind it.
        let mut lanes = lanes(vec![updates(1, 7, 1), two_rows, inserts(3, Lane::Settle, 1, 8)]);
        assert_eq!(numbers(&lanes.next(10).batch), [1]);
        // Nothing is known of the first one's fate: the second is tried.
        assert_eq!(numbers(&lanes.next(10).batch), [2]);
        assert_eq!(numbers(&lanes.next(10).batch), [3]);
    }

    #[test]
    fn what_a_batch_decided_does_not_enter_the_next() {
        let mut lanes = lanes(vec![updates(1, 7, 1), updates(2, 7, 1), updates(3, 7, 2)]);
        let first = lanes.next(10).batch;
        lanes.committed(first.iter());
        let next = lanes.next(10);
        assert_eq!(numbers(&next.batch), [3]);
        assert_eq!(next.stale.len(), 1);
        assert_eq!(next.stale[0].1, Outcome::Conflict);
    }

    #[test]
    fn a_key_that_was_just_claimed_is_a_duplicate() {
        let mut lanes = lanes(vec![claims(1, "k"), claims(2, "k"), claims(3, "other")]);
        let first = lanes.next(10).batch;
        assert_eq!(numbers(&first), [1, 3]);
        lanes.committed(first.iter());
        let next = lanes.next(10);
        assert_eq!(next.stale[0].1, Outcome::Duplicate(Duplicate::Claim));
        assert!(next.batch.is_empty());
    }

    #[test]
    fn a_full_batch_leaves_the_rest_in_order() {
        let mut lanes =
            lanes((1..=5).map(|id| inserts(id, Lane::Settle, 1, i64::try_from(id).unwrap())).collect());
        assert_eq!(numbers(&lanes.next(2).batch), [1, 2]);
        assert_eq!(numbers(&lanes.next(2).batch), [3, 4]);
        assert_eq!(numbers(&lanes.next(2).batch), [5]);
    }
}
