//! What must be true once everything has come to rest.

use std::collections::BTreeMap;
use std::sync::Arc;

use kernel::{Cell, JournalRow, Query, Record as _, Store as _};
use payments::{
    DeliveryStatus, Operation, OperationId, OperationKind, OperationStatus, Payment, PaymentStatus,
    RefundStatus, StoredDelivery, Verdict,
};
use sandbox_bank::StatementLine;

use crate::client::Told;
use crate::plan::AskVerb;
use crate::watch::{events_of, read_payment};
use crate::world::World;

/// Whether nothing is left to be found out.
pub(crate) async fn is_at_rest(world: &Arc<World>) -> bool {
    let Some(place) = world.place.lock().clone() else { return false };
    let rows = world.rows();
    let operations = Query::oldest(Operation::TABLE, place.scope, 10_000);
    let Ok(operations) = rows.of(place.scope).find::<Operation>(operations).await else { return false };
    let deliveries = Query::oldest(StoredDelivery::TABLE, place.scope, 10_000);
    let Ok(deliveries) = rows.of(place.scope).find::<StoredDelivery>(deliveries).await else { return false };
    let told = world.bank.due_notices(world.wall(), 1).await.is_empty();
    let read = deliveries.iter().all(|found| found.record.status != DeliveryStatus::Received);
    let up = world.machines.lock().iter().all(|machine| machine.node.is_some());
    let decided = operations.iter().all(|found| is_decided(&found.record));
    let journal = world.database.find(Query::everywhere(&kernel::JOURNAL, 100_000)).await.unwrap_or_default();
    let numbered = journal.iter().filter_map(JournalRow::read).all(|row| row.position.is_some());
    told && read && up && decided && numbered
}

fn is_decided(operation: &Operation) -> bool {
    !operation.status.is_open() || operation.status == OperationStatus::NeedsReview
}

/// Holds everything against everything.
pub(crate) async fn check(world: &Arc<World>) {
    let Some(place) = world.place.lock().clone() else {
        return world.log.violation(world.executor.now(), "nothing ever served".to_owned());
    };
    let now = world.executor.now();
    let wrong = |text: String| world.log.violation(now, text);
    let rows = world.rows();
    let all = Query::oldest(Payment::TABLE, place.scope, 1000);
    let payments = rows.of(place.scope).find::<Payment>(all).await.unwrap_or_default();
    let statement = world.bank.statement(world.wall()).await.unwrap_or_default();
    for found in &payments {
        let Some((payment, operations)) = read_payment(world, found.record.id) else { continue };
        check_payment(world, &payment, &operations, &statement);
    }
    check_orders(world, payments.iter().map(|found| &found.record));
    check_journal(world).await;
    check_claims(world).await;
    for line in &statement {
        let known = OperationId::from_reference(&line.reference)
            .is_some_and(|id| payments.iter().any(|found| found.record.id == id.payment));
        if !known && line.captured_minor > line.returned_minor {
            wrong(format!("the bank has a charge {} that nobody here knows", line.reference));
        }
    }
    check_told(world);
    let serving = world.machines.lock().iter().find_map(|machine| machine.node.clone());
    match serving {
        None => wrong("nobody serves in the end".to_owned()),
        Some(node) => match node.check_books().await {
            Ok(books) => {
                for line in books.wrong() {
                    wrong(format!("the books: {line}"));
                }
            }
            Err(error) => wrong(format!("the books cannot be read: {error}")),
        },
    }
}

fn check_payment(world: &World, payment: &Payment, operations: &[Operation], statement: &[StatementLine]) {
    let now = world.executor.now();
    let wrong = |text: String| world.log.violation(now, format!("{}: {text}", payment.id));
    let reviewed = operations.iter().any(|o| o.status == OperationStatus::NeedsReview);
    for operation in operations.iter().filter(|operation| !is_decided(operation)) {
        wrong(format!("{} is still {:?}", operation.id.local(), operation.status));
    }
    let mine: Vec<&StatementLine> = statement
        .iter()
        .filter(|line| {
            OperationId::from_reference(&line.reference).is_some_and(|id| id.payment == payment.id)
        })
        .collect();
    let holds = |line: &&&StatementLine| {
        line.captured_minor > line.returned_minor || ["authorized", "captured"].contains(&line.status)
    };
    let standing: Vec<_> =
        mine.iter().filter(holds).filter(|l| l.returned_minor < l.approved_minor).collect();
    if standing.len() > 1 && !reviewed {
        wrong(format!("charged twice at the bank: {standing:?}"));
    }
    let taken: i64 = mine.iter().map(|line| line.captured_minor - line.returned_minor).sum();
    let says = payment.amounts.captured - payment.amounts.refunded;
    if taken != says && !reviewed {
        wrong(format!("the bank took {taken}, the payment says {says}: {mine:?}"));
    }
    for line in &mine {
        if line.returned_minor > line.captured_minor {
            wrong(format!("more was given back than taken: {line:?}"));
        }
    }
    let events = events_of(world, payment.id.uuid());
    let numbers: Vec<i64> = events.iter().map(|(number, _)| *number).collect();
    let expected: Vec<i64> = (1..=payment.events).collect();
    if numbers != expected {
        wrong(format!("its events are numbered {numbers:?}, it had {}", payment.events));
    }
    check_kinds(world, payment, operations, &events);
    if !reviewed {
        check_cancel(world, payment, &events);
    }
}

/// Whoever asked for a cancel while a charge was open does not find its money taken, with nothing begun to
/// give it back. What was disputed meanwhile is the bank's to give back.
fn check_cancel(world: &World, payment: &Payment, events: &[(i64, String)]) {
    let has = |kind: &str| events.iter().any(|(_, known)| known == kind);
    let amounts = &payment.amounts;
    let holds =
        amounts.captured > amounts.refunded || amounts.authorized > amounts.captured + amounts.released;
    let undone = ["payment.void_started", "payment.refund_started", "payment.corrected"];
    let is_disputed = events.iter().any(|(_, known)| known.contains("dispute"));
    if has("payment.cancel_requested") && holds && !is_disputed && !undone.into_iter().any(has) {
        let text = format!("{}: a cancel was taken, and {amounts:?} stands", payment.id);
        world.log.violation(world.executor.now(), text);
    }
}

/// Each operation that succeeded was told by one event of its kind.
fn check_kinds(world: &World, payment: &Payment, operations: &[Operation], events: &[(i64, String)]) {
    let count = |kind: &str| events.iter().filter(|(_, known)| known == kind).count();
    let started = operations.iter().filter(|o| o.id.kind == OperationKind::Refund).count();
    if count("payment.refund_started") != started {
        let text = format!("{}: {started} refunds, {} events", payment.id, count("payment.refund_started"));
        world.log.violation(world.executor.now(), text);
    }
    let charges = operations.iter().filter(|o| o.id.kind.is_charge()).count();
    if count("payment.charge_started") != charges {
        let text = format!("{}: {charges} charges, {} events", payment.id, count("payment.charge_started"));
        world.log.violation(world.executor.now(), text);
    }
}

/// Of one order one payment stands at most, unless somebody was told otherwise.
fn check_orders<'p>(world: &World, payments: impl Iterator<Item = &'p Payment>) {
    let mut paid: BTreeMap<&str, Vec<&Payment>> = BTreeMap::new();
    for payment in payments {
        let stands = matches!(
            payment.status(),
            PaymentStatus::Paid | PaymentStatus::Authorized | PaymentStatus::PartiallyRefunded
        );
        if let (Some(order), true, false) = (&payment.order_id, stands, payment.allow_duplicate_order) {
            paid.entry(order).or_default().push(payment);
        }
    }
    for (order, of_order) in paid {
        let explained = of_order.iter().any(|payment| {
            events_of(world, payment.id.uuid()).iter().any(|(_, kind)| kind == "payment.corrected")
        });
        if of_order.len() > 1 && !explained {
            let ids: Vec<_> = of_order.iter().map(|payment| payment.id.to_string()).collect();
            world.log.violation(world.executor.now(), format!("{order} is paid twice: {ids:?}"));
        }
    }
}

/// Every row of the journal has its position, once.
async fn check_journal(world: &World) {
    let query = Query::everywhere(&kernel::JOURNAL, 100_000);
    let rows = world.database.find(query).await.unwrap_or_default();
    let mut positions = BTreeMap::new();
    for row in &rows {
        let Some(journal) = JournalRow::read(row) else { continue };
        let length = i64::try_from(journal.events.len()).unwrap_or(0);
        match journal.position {
            None => world.log.violation(world.executor.now(), "an event has no position".to_owned()),
            Some(position) => {
                positions.insert(position, length);
            }
        }
    }
    let mut next = 1;
    for (position, length) in &positions {
        if *position != next {
            let text = format!("after the events up to {next} come those from {position}");
            world.log.violation(world.executor.now(), text);
            return;
        }
        next = position + length;
    }
    if positions.len() != rows.len() {
        world.log.violation(world.executor.now(), "two events have one position".to_owned());
    }
}

/// Whose operation is decided has its answer.
async fn check_claims(world: &World) {
    let Some(place) = world.place.lock().clone() else { return };
    let claims = world.database.find(Query::oldest(&kernel::CLAIM, place.scope, 10_000)).await;
    for claim in claims.unwrap_or_default() {
        let [_, _, operation, answer, ..] = claim.columns.as_slice() else { continue };
        let id = operation.as_text().and_then(|text| text.parse::<OperationId>().ok());
        let Some(id) = id.filter(|_| *answer == Cell::Null) else { continue };
        let Some((payment, operations)) = read_payment(world, id.payment) else { continue };
        let reviewed = operations.iter().any(|o| o.status == OperationStatus::NeedsReview);
        let waits = payment.cancel.is_some() || payment.next.is_some();
        if !reviewed && !waits {
            let key = claim.key.first().and_then(Cell::as_text).unwrap_or_default();
            let text = format!("{key} was never answered, and {id} is decided");
            world.log.violation(world.executor.now(), text);
        }
    }
}

/// What was told stays told.
fn check_told(world: &World) {
    let told = world.told.lock().clone();
    let mut by_key: BTreeMap<&str, &Told> = BTreeMap::new();
    for answer in &told {
        stays_true(world, answer);
        if answer.verdict == Verdict::Accepted {
            continue;
        }
        let first = *by_key.entry(&answer.key).or_insert(answer);
        if first.words != answer.words {
            let (one, other) = difference(&first.words, &answer.words);
            let text = format!("{} was answered twice, differently: …{one}… and …{other}…", answer.key);
            world.log.violation(world.executor.now(), text);
        }
    }
    let mut by_key: BTreeMap<&str, &Told> = BTreeMap::new();
    for answer in &told {
        let first = *by_key.entry(&answer.key).or_insert(answer);
        let refund = |told: &Told| told.refund.as_ref().map(|(id, _)| id.clone());
        let both = refund(first).zip(refund(answer));
        if first.payment != answer.payment || both.is_some_and(|(one, other)| one != other) {
            let text = format!("{} stands for {} and {}", answer.key, first.payment, answer.payment);
            world.log.violation(world.executor.now(), text);
        }
    }
}

fn stays_true(world: &World, told: &Told) {
    let Some((payment, operations)) = read_payment(world, told.payment) else {
        let text = format!("{} was told of {}, which is not there", told.key, told.payment);
        return world.log.violation(world.executor.now(), text);
    };
    let events = events_of(world, told.payment.uuid());
    let says = |kinds: &[&str]| events.iter().any(|(_, kind)| kinds.contains(&kind.as_str()));
    if says(&["payment.corrected", "payment.needs_review"]) {
        return;
    }
    let now = payment.status();
    let wrong = |what: &str| {
        let text = format!("{} was told {:?}, {:?}; {what}: {now:?}", told.key, told.verdict, told.status);
        world.log.violation(world.executor.now(), text);
    };
    let was_taken = matches!(
        told.status,
        PaymentStatus::Paid | PaymentStatus::PartiallyRefunded | PaymentStatus::Refunded
    );
    if was_taken
        && !matches!(
            now,
            PaymentStatus::Paid
                | PaymentStatus::PartiallyRefunded
                | PaymentStatus::Refunded
                | PaymentStatus::Disputed
        )
    {
        wrong("it is not paid");
    }
    let amounts = &payment.amounts;
    let merged = says(&["payment.external_merged"]);
    if amounts.captured < told.captured || (amounts.refunded < told.refunded && !merged) {
        wrong("what was told to have been taken or given back was not");
    }
    if told.status == PaymentStatus::Authorized
        && matches!(now, PaymentStatus::Failed | PaymentStatus::Pending | PaymentStatus::Authorizing)
    {
        wrong("it is not authorized");
    }
    if told.status == PaymentStatus::Cancelled && now != PaymentStatus::Cancelled {
        wrong("it is not cancelled");
    }
    let Verdict::Declined(_) = told.verdict else { return };
    let is_refund = matches!(told.verb, AskVerb::Refund { .. });
    if let (true, Some((id, RefundStatus::Failed))) = (is_refund, &told.refund) {
        let done = operations.iter().any(|operation| {
            let mine = operation.refund.is_some_and(|refund| refund.to_string() == *id);
            mine && operation.status == OperationStatus::Succeeded
        });
        if done {
            wrong("its refund was made");
        }
    }
}

/// What two texts are from where they differ.
fn difference(one: &str, other: &str) -> (String, String) {
    let same = one.bytes().zip(other.bytes()).take_while(|(one, other)| one == other).count();
    let from = same.saturating_sub(30);
    let part = |text: &str| text.get(from..text.len().min(from + 120)).unwrap_or_default().to_owned();
    (part(one), part(other))
}
