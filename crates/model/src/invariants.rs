//! What must hold in every state, and what must hold whenever everything has come to rest.
//!
//! Every way to a rest is finite: each step uses up a fault, a key, a right or a look-up. So what holds at
//! every rest comes true on every way on which no more goes wrong.

use stateright::{Model, Property};

use crate::machine::Machine;
use crate::state::{Answer, Command, Kind, Operation, State};
use crate::table::Status;

pub(crate) fn properties() -> Vec<Property<Machine>> {
    let mut all = in_every_state();
    all.extend(at_rest());
    all
}

fn in_every_state() -> Vec<Property<Machine>> {
    vec![
        always("at most one charge is open", |_, state| {
            // What the bank said twice otherwise is with people, beside whatever came after it.
            count(state, |o| o.kind == Kind::Charge && o.status.is_open() && !o.corrected) <= 1
        }),
        always("nothing is sent without a committed reserve", |_, state| {
            let reserved = |operation: usize| state.store.operations.get(operation).is_some();
            state.wire.iter().all(|request| reserved(request.operation))
        }),
        always("nothing is sent after its deadline", |_, state| !state.sent_late),
        always("the bank does nothing twice under one key", |_, state| {
            state.bank.iter().all(|effect| effect.times <= 1)
        }),
        always("the bank holds one charge, unless it contradicted itself", |_, state| {
            state.contradicted || standing(state) <= 1
        }),
        always("a charge is given back once", |_, state| {
            let undone = |charge| {
                let of = |o: &&(usize, &Operation)| o.1.kind == Kind::Undo { charge };
                numbered(state).iter().filter(of).map(|(id, _)| state.moved(*id)).sum::<u8>()
            };
            numbered(state).iter().all(|(charge, _)| undone(*charge) <= 1)
        }),
        always("refunds are no more than was taken, unless it contradicted itself", |_, state| {
            let sum = |kind| state.bank.iter().filter(|e| e.kind == kind).map(|e| e.amount * e.times).sum();
            let (taken, refunded): (u8, u8) = (sum(Kind::Charge), sum(Kind::Refund));
            state.contradicted || refunded == 0 || refunded + u8::from(state.dashboard.is_some()) <= taken
        }),
        always("held money is taken or released, not both, unless it contradicted itself", |_, state| {
            let done = |kind| state.bank.iter().any(|effect| effect.kind == kind && effect.times > 0);
            state.contradicted || !(done(Kind::Capture) && done(Kind::Void))
        }),
        always("a key stands for one operation", |_, state| {
            let of = |key| count(state, |o| o.claim == Some(key));
            (0..state.store.claims.len()).all(|key| of(key) <= 1)
        }),
        always("what is decided is answered", |_, state| {
            let answered =
                |key: usize| matches!(state.store.claims.get(key), Some(Some(c)) if c.answer.is_some());
            let told = |o: &Operation| !o.status.is_told() || o.claim.is_none_or(answered);
            state.store.operations.iter().all(told)
        }),
        always("every answer stays true", |_, state| {
            state.store.claims.iter().flatten().all(|claim| {
                let operation = claim.operation.and_then(|id| state.store.operations.get(id));
                let done = operation.is_none_or(|o| o.status == Status::Succeeded);
                let corrected = operation.is_some_and(|o| o.corrected || o.surplus);
                match claim.answer {
                    Some(Answer::Done) => done || corrected,
                    Some(Answer::Failed) => {
                        operation.is_some_and(|o| o.status != Status::Succeeded) || corrected
                    }
                    Some(Answer::Waits) | None => true,
                }
            })
        }),
    ]
}

fn at_rest() -> Vec<Property<Machine>> {
    vec![
        always("at rest: every operation is final, or needs review", |machine, state| {
            let over = |o: &Operation| !o.status.is_open() || o.status == Status::NeedsReview;
            state.store.operations.iter().all(over) || !rests(machine, state)
        }),
        always("at rest: the books are the bank's", |machine, state| {
            needs_review(state) || books_agree(state) || !rests(machine, state)
        }),
        always("at rest: at most one charge stands", |machine, state| {
            needs_review(state) || standing(state) <= 1 || !rests(machine, state)
        }),
        always("at rest: what was surplus is given back", |machine, state| {
            let back = |charge| {
                let undo = |o: &Operation| o.kind == Kind::Undo { charge } && o.status == Status::Succeeded;
                state.store.operations.iter().any(undo)
            };
            let whole = numbered(state).iter().all(|(charge, o)| !o.surplus || back(*charge));
            needs_review(state) || whole || !rests(machine, state)
        }),
        always("at rest: every key has its answer", |machine, state| {
            let answered = state.store.claims.iter().flatten().all(|claim| claim.answer.is_some());
            needs_review(state) || answered || !rests(machine, state)
        }),
        always("at rest: what was cancelled has no money", |machine, state| {
            let kept = !was_cancelled(machine, state) || standing(state) == 0;
            needs_review(state) || kept || !rests(machine, state)
        }),
        sometimes("a charge is paid", |_, state| {
            state.store.operations.iter().any(|o| state.store.stands(o))
        }),
        sometimes("everything is at rest", |machine, state| {
            state.store.operations.len() > 1 && rests(machine, state)
        }),
    ]
}

fn always(name: &'static str, condition: fn(&Machine, &State) -> bool) -> Property<Machine> {
    Property::always(name, condition)
}

fn sometimes(name: &'static str, condition: fn(&Machine, &State) -> bool) -> Property<Machine> {
    Property::sometimes(name, condition)
}

fn numbered(state: &State) -> Vec<(usize, &Operation)> {
    state.store.operations.iter().enumerate().collect()
}

fn count(state: &State, which: impl Fn(&Operation) -> bool) -> usize {
    state.store.operations.iter().filter(|operation| which(operation)).count()
}

/// How many charges stand at the bank: made, and not given back.
fn standing(state: &State) -> u8 {
    let sum = |which: &dyn Fn(Kind) -> bool| -> u8 {
        state.bank.iter().filter(|effect| which(effect.kind)).map(|effect| effect.times).sum()
    };
    sum(&|kind| kind == Kind::Charge).saturating_sub(sum(&|kind| matches!(kind, Kind::Undo { .. })))
}

/// Nobody will do anything any more, unless somebody asks or something goes wrong.
fn rests(machine: &Machine, state: &State) -> bool {
    let mut actions = Vec::new();
    machine.actions(state, &mut actions);
    !actions
        .into_iter()
        .any(|action| Machine::is_progress(state, action) && machine.next_state(state, action).is_some())
}

fn needs_review(state: &State) -> bool {
    state.store.operations.iter().any(|o| o.status == Status::NeedsReview)
}

fn was_cancelled(machine: &Machine, state: &State) -> bool {
    let cancel = machine.story.commands.iter().position(|command| *command == Command::Cancel);
    let claim = cancel.and_then(|key| state.store.claims.get(key)?.as_ref());
    claim.is_some_and(|claim| claim.answer == Some(Answer::Done))
}

/// Each operation is booked if the bank did it; refunds by their sum, whoever made them.
fn books_agree(state: &State) -> bool {
    let booked = |o: &Operation| o.status == Status::Succeeded || o.surplus;
    let single = numbered(state)
        .into_iter()
        .filter(|(_, o)| o.kind != Kind::Refund)
        .all(|(id, o)| u8::from(booked(o)) == state.moved(id));
    let ours = state.store.operations.iter().filter(|o| o.kind == Kind::Refund && booked(o));
    let external: u8 = state.store.external.iter().map(|(_, amount)| amount).sum();
    let at_bank = state.bank.iter().filter(|effect| effect.kind == Kind::Refund);
    let at_bank: u8 = at_bank.map(|effect| effect.amount * effect.times).sum();
    single && ours.map(|o| o.amount).sum::<u8>() + external == at_bank + u8::from(state.dashboard.is_some())
}
