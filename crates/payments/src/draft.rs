//! One commit in the making: what a command or a report changes of a payment and what is its own.
//!
//! The model's functions write into a draft; [`Draft::finish`] turns it into the [`Changes`] of one
//! commit, with the events numbered and the claims answered. A draft that is dropped changed nothing.

use std::sync::Arc;

use kernel::{
    Actor, Changes, Claim, ClaimUpdate, Event, Ids, Insert, Lane, Random, Record, RecordError, Remove,
    RowKey, Scope, Timestamp, Transfer, Versioned, state_json,
};
use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::command::Verdict;
use ledger::Posting;

use crate::dispute::Dispute;
use crate::operation::{Operation, OperationId, OperationStatus, WaitingClaim};
use crate::payment::{Payment, PaymentStatus};
use crate::refund::Refund;
use crate::successor::Successor;
use crate::writing::Writing;
use crate::{review, schedule};

/// A record that the draft reads or writes.
#[derive(Clone, Debug)]
pub(crate) struct Touched<R> {
    pub(crate) record: R,
    /// The version that was read; `None` for a new record.
    pub(crate) version: Option<i64>,
    /// Whether it must be written.
    pub(crate) dirty: bool,
}

impl<R> Touched<R> {
    pub(crate) const fn new(record: R) -> Self {
        Self { record, version: None, dirty: true }
    }

    pub(crate) fn read(versioned: Versioned<R>) -> Self {
        Self { record: versioned.record, version: Some(versioned.version), dirty: false }
    }
}

/// The answer that a claim gets in this commit.
#[derive(Clone, Debug)]
struct Answering {
    claim: WaitingClaim,
    verdict: Verdict,
    refund: Option<Refund>,
}
pub(crate) struct Draft {
    pub(crate) scope: Scope,
    /// The clock that people see.
    pub(crate) now: Timestamp,
    pub(crate) actor: Actor,
    pub(crate) trace_id: Option<String>,
    /// What a test bank is to play with the operation that this commit reserves.
    pub(crate) scenario: Option<String>,
    pub(crate) payment: Payment,
    payment_version: Option<i64>,
    pub(crate) status_before: PaymentStatus,
    pub(crate) operations: Vec<Touched<Operation>>,
    pub(crate) refunds: Vec<Touched<Refund>>,
    pub(crate) disputes: Vec<Touched<Dispute>>,
    /// What the same commit writes about the customer and the method.
    pub(crate) aside: Option<Writing>,
    pub(crate) inserts: Vec<Insert>,
    pub(crate) removes: Vec<Remove>,
    pub(crate) claim: Option<Claim>,
    /// The job that this commit completes, with the epoch under which it was taken.
    pub(crate) finishes: Option<(Scope, Uuid, i64)>,
    /// Nothing that people see changes: `updated_at` stays.
    pub(crate) unseen: bool,
    moves: Vec<(WaitingClaim, OperationId)>,
    answers: Vec<Answering>,
    /// The answers that the commit under way writes.
    answering: Vec<Answering>,
    /// What commits of this draft have answered.
    answered: Vec<Answering>,
    facts: Vec<(&'static str, Map<String, Value>)>,
    transfers: Vec<Transfer>,
    /// Operations that this commit reserves for the task that commits it to send.
    pub(crate) to_send: Vec<OperationId>,
    /// Operations that this commit raises, and to what.
    pub(crate) raised: Vec<(OperationId, OperationStatus)>,
    /// A charge at another account that may follow one that this draft settles.
    pub(crate) successor: Option<Arc<Successor>>,
    /// What an operator must be told, once the commit stands.
    pub(crate) alerts: Vec<String>,
    /// Whether anything must be written.
    pub(crate) changed: bool,
    /// A new id, for the one record that a decision may have to make by itself.
    pub(crate) fresh: Uuid,
}

impl Draft {
    /// Of a payment that does not exist yet.
    pub(crate) fn of_new(
        scope: Scope,
        now: Timestamp,
        actor: Actor,
        payment: Payment,
        fresh: Uuid,
    ) -> Box<Self> {
        let mut draft = Self::empty(scope, now, actor, payment, None, fresh);
        draft.changed = true;
        draft
    }

    /// Of a payment as it was read.
    pub(crate) fn of(
        scope: Scope,
        now: Timestamp,
        actor: Actor,
        payment: Versioned<Payment>,
        fresh: Uuid,
    ) -> Box<Self> {
        Self::empty(scope, now, actor, payment.record, Some(payment.version), fresh)
    }

    fn empty(
        scope: Scope,
        now: Timestamp,
        actor: Actor,
        payment: Payment,
        version: Option<i64>,
        fresh: Uuid,
    ) -> Box<Self> {
        let status_before = payment.status();
        Box::new(Self {
            scope,
            now,
            actor,
            trace_id: None,
            scenario: None,
            payment,
            payment_version: version,
            status_before,
            operations: Vec::new(),
            refunds: Vec::new(),
            disputes: Vec::new(),
            aside: None,
            inserts: Vec::new(),
            removes: Vec::new(),
            claim: None,
            finishes: None,
            unseen: false,
            moves: Vec::new(),
            answers: Vec::new(),
            answering: Vec::new(),
            answered: Vec::new(),
            facts: Vec::new(),
            transfers: Vec::new(),
            to_send: Vec::new(),
            raised: Vec::new(),
            successor: None,
            alerts: Vec::new(),
            changed: false,
            fresh,
        })
    }

    /// Whether the payment is made by this commit.
    pub(crate) const fn is_new(&self) -> bool {
        self.payment_version.is_none()
    }

    /// The version that the payment has once this commit stands.
    pub(crate) fn next_version(&self) -> i64 {
        self.payment_version.map_or(1, |version| version + 1)
    }

    pub(crate) fn operation(&self, id: OperationId) -> Option<&Operation> {
        self.operations.iter().map(|touched| &touched.record).find(|operation| operation.id == id)
    }

    /// An operation to be changed; it will be written.
    pub(crate) fn operation_mut(&mut self, id: OperationId) -> Option<&mut Operation> {
        let touched = self.operations.iter_mut().find(|touched| touched.record.id == id)?;
        touched.dirty = true;
        self.changed = true;
        Some(&mut touched.record)
    }

    pub(crate) fn refund_mut(&mut self, operation: OperationId) -> Option<&mut Refund> {
        let touched = self.refunds.iter_mut().find(|touched| touched.record.operation == operation)?;
        touched.dirty = true;
        Some(&mut touched.record)
    }

    /// Records a fact; the commit makes an event of it.
    pub(crate) fn fact(&mut self, kind: &'static str, body: Value) {
        self.changed = true;
        let body = if let Value::Object(map) = body { map } else { Map::new() };
        self.facts.push((kind, body));
    }

    /// Adds transfers caused by an operation, numbered after its earlier ones.
    pub(crate) fn post(&mut self, id: OperationId, postings: Vec<Posting>) {
        let Some(operation) = self.operation_mut(id) else { return };
        let first = operation.postings;
        operation.postings += i64::try_from(postings.len()).unwrap_or(0);
        self.post_as(&id.local(), first, postings);
    }

    /// Adds transfers caused by something other than an operation.
    pub(crate) fn post_as(&mut self, cause: &str, first: i64, postings: Vec<Posting>) {
        let (scope, subject) = (self.scope, self.payment.id.uuid());
        self.transfers.extend(ledger::rules::transfers(scope, subject, cause, first, postings));
        self.changed = true;
    }

    /// What a commit of this draft answered a key with.
    pub(crate) fn answer_of(&self, key: &str) -> Option<(Verdict, Option<Refund>)> {
        let answering = self.answered.iter().find(|answering| answering.claim.key == key)?;
        Some((answering.verdict.clone(), answering.refund.clone()))
    }

    /// Answers a claim in this commit, with the payment (and refund) as they become.
    pub(crate) fn answer(&mut self, claim: WaitingClaim, verdict: Verdict, refund: Option<Refund>) {
        self.changed = true;
        self.answers.push(Answering { claim, verdict, refund });
    }

    /// Hands a claim to an operation that will answer it.
    pub(crate) fn move_claim(&mut self, claim: WaitingClaim, to: OperationId) {
        self.moves.push((claim, to));
    }

    /// The commit. The draft's payment and operations are as they will be stored.
    pub(crate) fn finish(
        &mut self,
        lane: Lane,
        ids: &dyn Ids,
        random: &dyn Random,
    ) -> Result<Changes, RecordError> {
        let scope = self.scope;
        let mut changes = Changes::new(ids.uuid(), lane);
        changes.subject =
            Some(RowKey { table: Payment::TABLE.name, scope, key: vec![self.payment.id.into()] });
        self.emit(&mut changes, random);
        if !self.unseen {
            self.payment.updated_at = self.now;
        }
        let may_expire = [PaymentStatus::Pending, PaymentStatus::Authorizing, PaymentStatus::Failed];
        if !may_expire.contains(&self.payment.status()) {
            self.payment.expires_at = None;
        }
        changes.enqueue.extend(schedule::wake(&mut self.payment, scope, self.now, ids));
        changes.finish = self.finishes.take();
        match self.payment_version {
            None => changes.insert(scope, &self.payment)?,
            Some(version) => changes.update(scope, &self.payment, version)?,
        }
        self.write_claims(&mut changes)?;
        self.follow_reviews();
        write(&mut changes, scope, &self.operations)?;
        write(&mut changes, scope, &self.refunds)?;
        write(&mut changes, scope, &self.disputes)?;
        if let Some(aside) = self.aside.take() {
            aside.join(&mut changes);
        }
        changes.insert.append(&mut self.inserts);
        changes.remove.append(&mut self.removes);
        changes.post = std::mem::take(&mut self.transfers);
        Ok(changes)
    }

    /// Whether people must decide an operation is in a row of its own, too.
    fn follow_reviews(&mut self) {
        for touched in self.operations.iter_mut().filter(|touched| touched.dirty) {
            match review::follow(self.scope, &mut touched.record) {
                Some(review::Change::Begins(insert)) => self.inserts.push(insert),
                Some(review::Change::Ends(remove)) => self.removes.push(remove),
                None => {}
            }
        }
    }

    /// The versions after the commit, for the task that goes on with these records.
    pub(crate) fn committed(&mut self) {
        self.payment_version = Some(self.next_version());
        self.status_before = self.payment.status();
        for touched in &mut self.operations {
            if touched.dirty {
                touched.version = Some(touched.version.map_or(1, |version| version + 1));
                touched.dirty = false;
            }
        }
        for touched in &mut self.refunds {
            if touched.dirty {
                touched.version = Some(touched.version.map_or(1, |version| version + 1));
                touched.dirty = false;
            }
        }
        self.disputes.clear();
        self.aside = None;
        self.claim = None;
        self.moves.clear();
        self.answered.append(&mut self.answering);
        self.facts.clear();
        self.to_send.clear();
        // It was for that operation, and not for what follows from it.
        self.scenario = None;
        self.raised.clear();
        self.successor = None;
        self.alerts.clear();
        self.changed = false;
    }

    fn emit(&mut self, changes: &mut Changes, random: &dyn Random) {
        let (before, after) = (self.status_before, self.payment.status());
        for (kind, mut body) in std::mem::take(&mut self.facts) {
            body.insert("status_before".to_owned(), before.as_str().into());
            body.insert("status_after".to_owned(), after.as_str().into());
            self.payment.events += 1;
            let mut salt = [0; 32];
            random.fill(&mut salt);
            changes.emit.push(Event {
                scope: self.scope,
                subject: self.payment.id.uuid(),
                sequence: self.payment.events,
                kind: kind.into(),
                occurred_at: self.now,
                actor: self.actor.clone(),
                body: Value::Object(body),
                salt,
                trace_id: self.trace_id.clone(),
            });
        }
    }

    /// The claims, once the payment's own row is written: an answer holds the same text.
    fn write_claims(&mut self, changes: &mut Changes) -> Result<(), RecordError> {
        for (claim, to) in std::mem::take(&mut self.moves) {
            changes.answer.push(ClaimUpdate {
                scope: self.scope,
                key: claim.key,
                operation: Some(to.to_string()),
                answer: None,
            });
        }
        for answering in std::mem::take(&mut self.answers) {
            let answer = self.encode_answer(&answering, changes)?;
            match &mut self.claim {
                // The claim is made and answered in one commit.
                Some(claim) if claim.key == answering.claim.key => claim.answer = Some(answer),
                _ => changes.answer.push(ClaimUpdate {
                    scope: self.scope,
                    key: answering.claim.key.clone(),
                    operation: None,
                    answer: Some(answer),
                }),
            }
            self.answering.push(answering);
        }
        changes.claim = self.claim.take();
        Ok(())
    }

    /// A [`kernel::Answer`], put together by hand: the payment's JSON stands in its own row already, and
    /// to make it a second time, or to look through it, would be the dearest part of a settle.
    fn encode_answer(&self, answering: &Answering, changes: &Changes) -> Result<Vec<u8>, RecordError> {
        let row = changes.insert.iter().chain(changes.update.iter().map(|update| &update.row)).next();
        let payment = state_json(row.map(|row| row.state.as_slice()).unwrap_or_default());
        let mut bytes = Vec::with_capacity(payment.len() + 256);
        json(&mut bytes, "{\"route\":", &answering.claim.route)?;
        json(&mut bytes, ",\"outcome\":", &answering.verdict)?;
        json(&mut bytes, ",\"subject\":", &self.payment.id)?;
        json(&mut bytes, ",\"version\":", &self.next_version())?;
        bytes.extend_from_slice(b",\"snapshot\":{\"payment\":");
        bytes.extend_from_slice(payment);
        json(&mut bytes, ",\"refund\":", &answering.refund)?;
        bytes.extend_from_slice(b"}}");
        Ok(bytes)
    }
}

/// Appends a name and its value.
fn json<T: Serialize>(bytes: &mut Vec<u8>, name: &str, value: &T) -> Result<(), RecordError> {
    bytes.extend_from_slice(name.as_bytes());
    let written = serde_json::to_writer(bytes, value);
    written.map_err(|error| RecordError::Damaged { table: "claim", reason: error.to_string() })
}

fn write<R: Record>(changes: &mut Changes, scope: Scope, touched: &[Touched<R>]) -> Result<(), RecordError> {
    for touched in touched.iter().filter(|touched| touched.dirty) {
        match touched.version {
            None => changes.insert(scope, &touched.record)?,
            Some(version) => changes.update(scope, &touched.record, version)?,
        }
    }
    Ok(())
}
