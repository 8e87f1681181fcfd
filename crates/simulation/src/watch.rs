//! What must be true at every step: held against each commit and each call that moves money.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::FutureExt as _;
use kernel::{Duplicate, Filter, Id, Insert, Outcome, Query, Record, Request, Timestamp, decode_state};
use parking_lot::Mutex;
use payments::{Operation, OperationId, OperationKind, OperationStatus, Payment, PaymentKind};

use crate::executor::Life;
use crate::machine::Process;
use crate::seen::Note;
use crate::wire::short;
use crate::world::World;

/// The send deadline of the default configuration, which the machines run with.
const SEND_DEADLINE: Duration = Duration::from_secs(10);

/// What is remembered between steps.
#[derive(Default)]
pub(crate) struct Watch {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    rights: BTreeMap<OperationId, Right>,
    versions: BTreeMap<OperationId, i64>,
    statuses: BTreeMap<OperationId, OperationStatus>,
    sent: BTreeMap<OperationId, Sent>,
}

/// Who may send an operation.
#[derive(Clone, Copy)]
struct Right {
    driver: u64,
    life: Life,
    /// Database time of the commit that gave it.
    given_at: Timestamp,
}

/// What was sent of an operation first.
struct Sent {
    path: String,
    body: Vec<u8>,
}

impl Watch {
    /// A commit was answered.
    pub(crate) fn committed(&self, world: &World, process: &Process, note: &Note, outcome: &Outcome) {
        let at = match outcome {
            Outcome::Committed { at } => *at,
            other => return marks_of_refused(world, note, other),
        };
        for kind in &note.events {
            world.log.mark(&format!("event: {kind}"));
        }
        let mut payments = BTreeSet::new();
        for (row, version) in &note.operations {
            let Ok(operation) = decode_state::<Operation>(&row.state) else { continue };
            payments.insert(operation.id.payment);
            // An answer may be heard long after later ones.
            let newest = {
                let mut state = self.state.lock();
                let known = state.versions.entry(operation.id).or_default();
                std::mem::replace(known, (*known).max(*version)) < *version
            };
            if newest {
                self.note_right(world, process, &operation, at);
                self.note_status(world, &operation, note);
            }
        }
        payments.extend(note.payments.iter().filter_map(payment_of));
        for payment in payments {
            check_payment(world, payment);
        }
    }

    fn note_right(&self, world: &World, process: &Process, operation: &Operation, given_at: Timestamp) {
        let open = matches!(operation.status, OperationStatus::Reserved | OperationStatus::Unknown);
        let mut state = self.state.lock();
        let known = state.rights.get(&operation.id).map(|right| right.driver);
        if open && known != Some(operation.driver) {
            if known.is_some() {
                world.log.mark("protocol: takeover");
            }
            let right = Right { driver: operation.driver, life: process.life, given_at };
            state.rights.insert(operation.id, right);
        }
    }

    /// Outcomes only climb; a final one changes only with an event that says so.
    fn note_status(&self, world: &World, operation: &Operation, note: &Note) {
        let known = self.state.lock().statuses.insert(operation.id, operation.status);
        let Some(before) = known.filter(|before| *before != operation.status) else { return };
        let says = |kind: &str| note.events.iter().any(|event| event == kind);
        let corrected = ["payment.corrected", "payment.external_merged", "payment.authorization_lapsed"];
        let fell = height(operation.status) <= height(before);
        if fell
            && !corrected.iter().any(|kind| says(kind))
            && operation.status != OperationStatus::NeedsReview
        {
            let now = world.executor.now();
            world.log.violation(
                now,
                format!(
                    "{} fell from {before:?} to {:?} without a correction",
                    operation.id, operation.status
                ),
            );
        }
    }

    /// A call that moves money leaves: only with a committed operation behind it, by whoever holds the
    /// right, within its deadline, and with the bytes of the first time.
    pub(crate) fn sent(&self, world: &World, process: &Process, request: &Request) {
        let now = world.executor.now();
        let wrong = |what: &str| {
            let (step, key) = (request.step, short(&request.key));
            world.log.violation(now, format!("n{} sends {step} {key} {what}", process.machine));
        };
        let Some(id) = OperationId::from_reference(&request.key) else {
            return wrong("under a key that names no operation");
        };
        let Some(operation) = read_operation(world, id) else {
            return wrong("without a committed operation");
        };
        let mut state = self.state.lock();
        match state.rights.get(&id) {
            None => wrong("although nobody was given the right to"),
            Some(right) if right.life != process.life => wrong("although another process has the right to"),
            Some(right) if right.driver != operation.driver => {
                wrong("although somebody else took the operation over");
            }
            Some(right) if world.wall() > right.given_at.plus(SEND_DEADLINE) => wrong("after its deadline"),
            Some(_) => {}
        }
        let sent = Sent { path: request.url.clone(), body: request.body.clone() };
        match state.sent.get(&id) {
            Some(first) if first.path != sent.path || first.body != sent.body => {
                wrong("with other bytes than the first time");
            }
            Some(_) => world.log.mark("protocol: byte-equal repeat"),
            None => {
                state.sent.insert(id, sent);
            }
        }
    }
}

fn marks_of_refused(world: &World, note: &Note, outcome: &Outcome) {
    match outcome {
        Outcome::Conflict if note.finishes => world.log.mark("protocol: fenced off, another has the job"),
        Outcome::Conflict => world.log.mark("protocol: conflict"),
        Outcome::Duplicate(Duplicate::Claim) => world.log.mark("protocol: key claimed already"),
        Outcome::Duplicate(Duplicate::Row { table }) => {
            world.log.mark(&format!("protocol: duplicate {table}"));
        }
        _ => {}
    }
}

fn payment_of(row: &Insert) -> Option<Id<PaymentKind>> {
    row.key.first().and_then(kernel::Cell::as_uuid).map(Id::from_uuid)
}

const fn height(status: OperationStatus) -> u8 {
    match status {
        OperationStatus::Reserved => 0,
        OperationStatus::Unknown => 1,
        OperationStatus::ActionRequired => 2,
        OperationStatus::Pending => 3,
        OperationStatus::NeedsReview => 4,
        OperationStatus::Succeeded
        | OperationStatus::Declined
        | OperationStatus::NotDone
        | OperationStatus::Cancelled => 5,
    }
}

/// Reads of the rows without faults complete at once.
fn read_operation(world: &World, id: OperationId) -> Option<Operation> {
    let place = world.place.lock().clone()?;
    let rows = world.rows();
    let key = vec![id.payment.into(), id.local().into()];
    let found = rows.of(place.scope).get::<Operation>(key).now_or_never()?;
    Some(found.ok()??.record)
}

/// A payment and its operations as they stand.
pub(crate) fn read_payment(world: &World, id: Id<PaymentKind>) -> Option<(Payment, Vec<Operation>)> {
    let place = world.place.lock().clone()?;
    let rows = world.rows();
    let scoped = rows.of(place.scope);
    let payment = scoped.get::<Payment>(vec![id.into()]).now_or_never()?.ok()??.record;
    let query = Query::oldest(<Operation as Record>::TABLE, place.scope, 200);
    let query = query.with(Filter::equal("payment", id));
    let operations = scoped.find::<Operation>(query).now_or_never()?.ok()?;
    Some((payment, operations.into_iter().map(|found| found.record).collect()))
}

/// One open charge at most; what is held and taken adds up; the short forms are those of the rows.
fn check_payment(world: &World, id: Id<PaymentKind>) {
    let Some((payment, operations)) = read_payment(world, id) else { return };
    let now = world.executor.now();
    let open: BTreeSet<String> =
        operations.iter().filter(|o| o.status.is_open()).map(|o| o.id.local()).collect();
    let charges = operations.iter().filter(|o| o.id.kind.is_charge() && o.status.is_open()).count();
    if charges > 1 {
        world.log.violation(now, format!("{id} has {charges} open charges: {open:?}"));
    }
    let short: BTreeSet<String> = payment.open.iter().map(|open| open.id.local()).collect();
    if short != open {
        world.log.violation(now, format!("{id} says {short:?} are open, its operations say {open:?}"));
    }
    let held = |kinds: &[OperationKind]| -> i64 {
        let of_kind = operations.iter().filter(|o| kinds.contains(&o.id.kind) && o.status.is_open());
        of_kind.map(|operation| operation.held).sum()
    };
    let amounts = &payment.amounts;
    let refunds = held(&[OperationKind::Refund]);
    let captures = held(&[OperationKind::Capture, OperationKind::Void]);
    if refunds != amounts.refund_held || captures != amounts.capture_held {
        world.log.violation(
            now,
            format!("{id} holds {amounts:?}, its open operations hold {refunds} and {captures}"),
        );
    }
    let standing = operations
        .iter()
        .filter(|o| o.id.kind.is_charge() && o.status == OperationStatus::Succeeded && !o.surplus)
        .count();
    if standing > 1 {
        world.log.violation(now, format!("{id} has {standing} charges that stand in the books"));
    }
    let sums_wrong = payment.amounts_hold().is_err()
        || amounts.refunded + amounts.refund_held > amounts.captured
        || amounts.captured + amounts.released + amounts.capture_held > amounts.authorized;
    if sums_wrong && !is_corrected(world, id) {
        world.log.violation(now, format!("the sums of {id} do not hold: {amounts:?}"));
    }
}

/// Whether an event of the payment says that what was told was wrong, or that people must decide.
pub(crate) fn is_corrected(world: &World, id: Id<PaymentKind>) -> bool {
    let kinds = ["payment.corrected", "payment.needs_review", "payment.operation_resolved"];
    events_of(world, id.uuid()).iter().any(|(_, kind)| kinds.contains(&kind.as_str()))
}

/// The events of a subject: number and kind.
pub(crate) fn events_of(world: &World, subject: uuid::Uuid) -> Vec<(i64, String)> {
    let rows = world.rows();
    let Some(place) = world.place.lock().clone() else { return Vec::new() };
    let query = Query::oldest(&kernel::JOURNAL, place.scope, 1000).with(Filter::equal("subject", subject));
    let found = rows.find(query).now_or_never().and_then(Result::ok).unwrap_or_default();
    let journal = found.iter().filter_map(kernel::JournalRow::read);
    journal.flat_map(|row| row.events).map(|event| (event.sequence, event.kind.to_string())).collect()
}
