//! One commit about customers and methods in the making: records, numbered events, the answered claim.

use kernel::{
    Actor, Answer, Changes, Claim, Event, Id, Lane, Outcome, Record, RecordError, RowKey, Scope, Timestamp,
};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::claims;
use crate::command::Caller;
use crate::customer::Customer;
use crate::draft::Draft;
use crate::method::PaymentMethod;
use crate::rejection::PaymentsError;
use crate::service::Payments;

/// What a verb about a stored object came to.
#[derive(Clone, Debug)]
pub struct Done<T> {
    /// The object, as it was then.
    pub object: T,
    /// It was answered before.
    pub replayed: bool,
}

/// The commit.
pub(crate) struct Writing {
    pub(crate) changes: Changes,
    scope: Scope,
    now: Timestamp,
    actor: Actor,
    trace_id: Option<String>,
}

impl Payments {
    /// An empty commit of a caller.
    pub(crate) async fn writing(&self, caller: &Caller, lane: Lane) -> Result<Writing, PaymentsError> {
        let changes = Changes::new(self.ids.uuid(), lane);
        let now = self.now(caller.scope).await?;
        let (actor, trace_id) = (caller.actor.clone(), caller.trace_id.clone());
        Ok(Writing { changes, scope: caller.scope, now, actor, trace_id })
    }

    /// A commit's further part, of who acts in the draft.
    pub(crate) fn writing_of(&self, draft: &Draft) -> Writing {
        let (scope, actor, trace_id) = (draft.scope, draft.actor.clone(), draft.trace_id.clone());
        let changes = Changes::new(self.ids.uuid(), Lane::Settle);
        Writing { changes, scope, now: draft.now, actor, trace_id }
    }

    /// Records a fact about a customer, or about one of its methods: the customer numbers both.
    pub(crate) fn note(
        &self,
        writing: &mut Writing,
        customer: &mut Customer,
        kind: &'static str,
        body: Value,
    ) {
        customer.events += 1;
        self.emit(writing, customer.id.uuid(), customer.events, kind, body);
    }

    /// Records a fact about a method that is nobody's.
    pub(crate) fn note_alone(
        &self,
        writing: &mut Writing,
        method: &mut PaymentMethod,
        kind: &'static str,
        body: Value,
    ) {
        method.events += 1;
        self.emit(writing, method.id.uuid(), method.events, kind, body);
    }

    fn emit(
        &self,
        writing: &mut Writing,
        subject: uuid::Uuid,
        sequence: i64,
        kind: &'static str,
        body: Value,
    ) {
        let mut salt = [0; 32];
        self.random.fill(&mut salt);
        writing.changes.emit.push(Event {
            scope: writing.scope,
            subject,
            sequence,
            kind: kind.into(),
            occurred_at: writing.now,
            actor: writing.actor.clone(),
            body,
            salt,
            trace_id: writing.trace_id.clone(),
        });
    }

    /// The answer that this claim got, if it has one; refused if the key stands for another request.
    pub(crate) async fn answered_before(
        &self,
        claim: Option<&Claim>,
    ) -> Result<Option<Answer>, PaymentsError> {
        let Some(claim) = claim else { return Ok(None) };
        claims::answer(&self.store, claim).await
    }

    pub(crate) async fn write(&self, writing: Writing) -> Outcome {
        self.store.commit(writing.changes).await
    }
}

impl Writing {
    /// Adds all of it to a payment's commit.
    pub(crate) fn join(self, changes: &mut Changes) {
        let mut own = self.changes;
        changes.insert.append(&mut own.insert);
        changes.update.append(&mut own.update);
        changes.remove.append(&mut own.remove);
        changes.emit.append(&mut own.emit);
    }

    /// The clock that people see.
    pub(crate) const fn now(&self) -> Timestamp {
        self.now
    }

    /// Makes the record whose changes are serial the commit's subject.
    pub(crate) fn about<R: Record>(&mut self, record: &R) {
        let subject = RowKey { table: R::TABLE.name, scope: self.scope, key: record.key() };
        self.changes.subject = Some(subject);
    }

    /// Adds a new record.
    pub(crate) fn insert<R: Record>(&mut self, record: &R) -> Result<(), RecordError> {
        self.changes.insert(self.scope, record)
    }

    /// Adds a record's next version.
    pub(crate) fn update<R: Record>(&mut self, record: &R, version: i64) -> Result<(), RecordError> {
        self.changes.update(self.scope, record, version)
    }

    /// Removes a record.
    pub(crate) fn remove<R: Record>(&mut self, record: &R, version: i64) {
        self.changes.remove::<R>(self.scope, record.key(), version);
    }

    /// Makes the claim, answered with the stored form of what was done.
    pub(crate) fn answer<K, S: Serialize>(
        &mut self,
        claim: Option<&Claim>,
        subject: Id<K>,
        snapshot: &S,
    ) -> Result<(), PaymentsError>
    where
        Id<K>: std::fmt::Display,
    {
        let Some(claim) = claim else { return Ok(()) };
        let damaged = |error: serde_json::Error| PaymentsError::Internal(error.to_string());
        let answer = Answer {
            route: claim.route.clone().into_owned(),
            outcome: RawValue::from_string("{}".to_owned()).map_err(damaged)?,
            subject: subject.to_string(),
            version: 0,
            snapshot: serde_json::value::to_raw_value(snapshot).map_err(damaged)?,
        };
        let answer = Some(serde_json::to_vec(&answer).map_err(damaged)?);
        self.changes.claim = Some(Claim { operation: Some(subject.to_string()), answer, ..claim.clone() });
        Ok(())
    }
}
