//! A way through a story in plain words.

use crate::bank::Does;
use crate::machine::Action;
use crate::state::{Kind, Stage, State, Task};
use crate::table::{Heard, Status};

/// Each step in words, with what is stored different afterwards.
pub(crate) fn tell(path: Vec<(State, Option<Action>)>) -> Vec<String> {
    let mut told = Vec::new();
    let mut path = path.into_iter().peekable();
    while let Some((state, action)) = path.next() {
        let Some(action) = action else { break };
        let words = words(&state, action);
        let after = path.peek().map(|(next, _)| differences(&state, next)).unwrap_or_default();
        told.push(if after.is_empty() { words } else { format!("{words}  [{after}]") });
    }
    told
}

fn words(state: &State, action: Action) -> String {
    match action {
        Action::Ask(key) => format!("the client asks with key {key}, and may"),
        Action::Commit(task) => format!("{} commits", who(state, task)),
        Action::CommitLost(task) => format!("the commit of {} is lost, unwritten", who(state, task)),
        Action::Step(task) => format!("{} commits its next step", who(state, task)),
        Action::Send(task) => format!("{} sends", who(state, task)),
        Action::GiveUp(task) => format!("{} is too late, and has sent nothing", who(state, task)),
        Action::NotSent(task) => format!("{} cannot connect", who(state, task)),
        Action::Deliver(request, does, answered) => {
            let what = state.wire.get(request).map_or_else(String::new, |r| name(state, r.operation));
            let lost = if answered { "" } else { ", and the answer is lost" };
            format!("the bank {} {what}{lost}", does_words(does))
        }
        Action::Drop(request) => {
            let what = state.wire.get(request).map_or_else(String::new, |r| name(state, r.operation));
            format!("the request of {what} is lost")
        }
        Action::TimeOut(task) => format!("{} waits no longer", who(state, task)),
        Action::Look(task, heard) => format!("{} looks it up: {}", who(state, task), heard_words(heard)),
        Action::Settle(task) => format!("{} settles", who(state, task)),
        Action::Follow(task) => format!("{} reserves what follows", who(state, task)),
        Action::TakeOver(id) => format!("the resolver takes {} over", name(state, id)),
        Action::DeadlinePasses(id) => format!("the deadline of {} passes", name(state, id)),
        Action::VisibilityPasses(id) => format!("the visibility of {} passes", name(state, id)),
        Action::WindowCloses(id) => format!("the bank forgets the key of {}", name(state, id)),
        Action::Decide(effect, yes) => {
            let word = if yes { "approves" } else { "declines" };
            format!("the bank {word} {} at last", effect_name(state, effect))
        }
        Action::Reverse(effect) => format!("the bank takes {} back", effect_name(state, effect)),
        Action::Notice(effect) => format!("a notice tells how {} is", effect_name(state, effect)),
        Action::OldNotice(effect) => format!("a late notice tells how {} was", effect_name(state, effect)),
        Action::Dashboard => "somebody refunds 1 at the bank's dashboard".to_owned(),
        Action::DashboardNotice => "the notice of the dashboard's refund comes".to_owned(),
        Action::Kill(task) => format!("{} dies", who(state, task)),
        Action::Crash => "the node crashes".to_owned(),
    }
}

fn name(state: &State, id: usize) -> String {
    let kind = state.store.operations.get(id).map(|operation| operation.kind);
    match kind {
        Some(Kind::Charge) => format!("charge {id}"),
        Some(Kind::Capture) => format!("capture {id}"),
        Some(Kind::Void) => format!("void {id}"),
        Some(Kind::Refund) => format!("refund {id}"),
        Some(Kind::Undo { charge }) => format!("undo {id} of charge {charge}"),
        None => format!("{id}, which was never committed,"),
    }
}

fn effect_name(state: &State, effect: usize) -> String {
    state.bank.get(effect).map_or_else(String::new, |effect| name(state, effect.operation))
}

fn who(state: &State, task: usize) -> String {
    match state.tasks.get(task) {
        Some(Task::Reserve { key, fresh }) => {
            format!("the {}request with key {key}", if *fresh { "" } else { "overtaken " })
        }
        Some(Task::Step { operation, fresh }) => {
            format!("the {}driver of {}", if *fresh { "" } else { "overtaken " }, name(state, *operation))
        }
        Some(Task::Send { operation, in_time, repeat }) => {
            let (late, what) = (if *in_time { "" } else { "late " }, name(state, *operation));
            format!("the {late}{} of {what}", if *repeat { "resolver" } else { "driver" })
        }
        Some(Task::Await { operation }) => format!("the sender of {}", name(state, *operation)),
        Some(Task::Look { operation, .. }) => format!("the resolver of {}", name(state, *operation)),
        Some(Task::Settle { operation, heard, .. }) => {
            format!("whoever heard \"{}\" of {}", heard_words(*heard), name(state, *operation))
        }
        Some(Task::Follow { charge }) => format!("whoever must undo {}", name(state, *charge)),
        None => String::new(),
    }
}

const fn heard_words(heard: Heard) -> &'static str {
    match heard {
        Heard::Approved => "approved",
        Heard::ActionRequired => "the customer must act",
        Heard::Pending => "pending",
        Heard::Declined => "declined",
        Heard::Cancelled => "cancelled",
        Heard::Refused => "refused",
        Heard::NotFound => "not found",
        Heard::NotSent => "not sent",
        Heard::MaybeSent => "no answer",
        Heard::Unreadable => "nothing readable",
    }
}

const fn does_words(does: Does) -> &'static str {
    match does {
        Does::Replay => "knows the key of",
        Does::Move => "moves the money of",
        Does::Decline => "declines",
        Does::AskCustomer => "asks the customer for",
        Does::TakeOn => "takes on",
        Does::Refuse => "refuses the request of",
    }
}

const fn status_words(status: Status) -> &'static str {
    match status {
        Status::Reserved => "reserved",
        Status::Unknown => "unknown",
        Status::ActionRequired => "action required",
        Status::Pending => "pending",
        Status::NeedsReview => "needs review",
        Status::Succeeded => "succeeded",
        Status::Declined => "declined",
        Status::NotDone => "not done",
        Status::Cancelled => "cancelled",
    }
}

/// What a step changed: what is stored, and what the bank did.
fn differences(before: &State, after: &State) -> String {
    let mut said = Vec::new();
    for (id, operation) in after.store.operations.iter().enumerate() {
        let old = before.store.operations.get(id);
        if old.map(|old| old.status) != Some(operation.status) {
            said.push(format!("{} is {}", name(after, id), status_words(operation.status)));
        }
        if operation.surplus && old.is_some_and(|old| !old.surplus) {
            said.push(format!("{} is surplus", name(after, id)));
        }
    }
    for (key, claim) in after.store.claims.iter().enumerate() {
        let answer = claim.as_ref().and_then(|claim| claim.answer);
        let old = before.store.claims.get(key).and_then(|claim| claim.as_ref()?.answer);
        if let Some(answer) = answer.filter(|_| old.is_none()) {
            said.push(format!("key {key} is answered: {answer:?}").to_lowercase());
        }
    }
    if before.store.external.len() != after.store.external.len() {
        said.push(format!("{} refunds of others are booked", after.store.external.len()));
    }
    for effect in &after.bank {
        let old = before.effect(effect.operation).map_or(0, |old| old.times);
        if effect.times != old {
            let word = if effect.stage == Stage::Moved { "moved" } else { "moved back" };
            said.push(format!(
                "money of {} {word}, now {} times",
                name(after, effect.operation),
                effect.times
            ));
        }
    }
    said.join("; ")
}
