//! The bank, the network and the notices: what they may do, which is nearly everything. The bank checks
//! nothing that we should check: it would charge twice, refund too much, capture and void.

use crate::machine::{Action, Machine};
use crate::protocol::CHARGE;
use crate::rules::Rule;
use crate::state::{Effect, Kind, Notice, Now, Operation, Reference, Stage, State, Task};
use crate::table::{Heard, Status};

/// What the bank does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Does {
    /// It knows the key, and says again what it said.
    Replay,
    /// It moves the money.
    Move,
    /// It declines.
    Decline,
    /// It asks the customer first.
    AskCustomer,
    /// It decides later.
    TakeOn,
    /// It refuses the request as such, whatever it did before.
    Refuse,
}

/// How much is refunded at the dashboard.
const DASHBOARD: u8 = 1;

impl Machine {
    pub(crate) fn of_bank(&self, state: &State, actions: &mut Vec<Action>) {
        let may_fail = state.faults > 0;
        for (place, request) in state.wire.iter().enumerate() {
            let known = request.same_bytes && remembers(state, request.operation);
            let choices: &[Does] = if known { &[Does::Replay] } else { self.story.bank };
            for does in choices {
                actions.push(Action::Deliver(place, *does, true));
            }
            if may_fail {
                actions.extend(choices.iter().map(|does| Action::Deliver(place, *does, false)));
                actions.push(Action::Deliver(place, Does::Refuse, true));
                actions.push(Action::Drop(place));
            }
        }
        for (place, effect) in state.bank.iter().enumerate() {
            if matches!(effect.stage, Stage::Waits | Stage::Pends) {
                actions.extend([Action::Decide(place, true), Action::Decide(place, false)]);
            }
            let stored = state.store.operations.get(effect.operation);
            let told = stored.is_some_and(|o| o.status == Status::Succeeded);
            let charged = effect.kind == Kind::Charge && effect.stage == Stage::Moved;
            if may_fail && self.story.reverses && told && charged {
                actions.push(Action::Reverse(place));
            }
            if !self.is_parked(state, effect) {
                actions.push(Action::Notice(place));
            }
            if effect.was_open && !matches!(effect.stage, Stage::Waits | Stage::Pends) {
                actions.push(Action::OldNotice(place));
            }
        }
        if self.story.dashboard {
            match state.dashboard {
                None => actions.push(Action::Dashboard),
                Some(_) if self.waits_for_ours(state) => {}
                Some(_) => actions.push(Action::DashboardNotice),
            }
        }
    }

    /// Whether a refund of ours is open, which may turn out to be what a notice tells of.
    fn waits_for_ours(&self, state: &State) -> bool {
        let ours = |o: &Operation| o.kind == Kind::Refund && o.status.is_open();
        self.has(Rule::ExternalWaits) && state.store.operations.iter().any(ours)
    }

    /// A notice that names none of ours is kept until it is clear that it is not about one of ours.
    fn is_parked(&self, state: &State, effect: &Effect) -> bool {
        self.is_foreign(state, effect) && effect.stage == Stage::Moved && self.waits_for_ours(state)
    }

    /// Whether a notice cannot be matched: the bank does not repeat our reference, and we do not know its.
    fn is_foreign(&self, state: &State, effect: &Effect) -> bool {
        let status = state.store.operations.get(effect.operation).map(|o| o.status);
        let learned = status.is_some_and(|s| s.is_told() && s != Status::NotDone);
        self.story.anonymous_notices && effect.kind == Kind::Refund && !learned
    }

    pub(crate) fn notice(&self, state: &mut State, place: usize) -> Option<()> {
        let effect = state.bank.get(place)?.clone();
        state.bank.get_mut(place)?.notice = Notice::Came;
        if !self.is_foreign(state, &effect) {
            self.apply(state, effect.operation, heard(effect.stage), false);
        } else if effect.stage == Stage::Moved {
            self.book_external(state, Reference::Ours(effect.operation), effect.amount);
        }
        Some(())
    }

    pub(crate) fn old_notice(&self, state: &mut State, place: usize) -> Option<()> {
        let operation = state.bank.get(place)?.operation;
        self.apply(state, operation, Heard::Pending, false);
        Some(())
    }

    pub(crate) fn dashboard_notice(&self, state: &mut State) {
        state.dashboard = Some(Notice::Came);
        self.book_external(state, Reference::Dashboard, DASHBOARD);
    }

    /// A provider's reference is written once.
    fn book_external(&self, state: &mut State, reference: Reference, amount: u8) {
        if state.store.external.iter().all(|(known, _)| *known != reference) {
            state.store.external.push((reference, amount));
            state.store.external.sort_unstable();
            self.touch(state);
        }
    }
}

/// Whether the bank knows a key.
fn remembers(state: &State, operation: usize) -> bool {
    let in_window = state.store.operations.get(operation).is_some_and(|o| o.in_window);
    in_window && state.effect(operation).is_some()
}

const fn heard(stage: Stage) -> Heard {
    match stage {
        Stage::Waits => Heard::ActionRequired,
        Stage::Pends => Heard::Pending,
        Stage::Moved => Heard::Approved,
        Stage::Declined => Heard::Declined,
    }
}

/// Whether the bank has made up its mind.
pub(crate) fn is_decided(state: &State, operation: usize) -> bool {
    state.effect(operation).is_some_and(|effect| matches!(effect.stage, Stage::Moved | Stage::Declined))
}

/// Whether the notice of an effect has not come yet.
pub(crate) fn is_new(state: &State, effect: usize) -> bool {
    state.bank.get(effect).is_some_and(|effect| effect.notice == Notice::Sent)
}

/// What a look-up may hear: before the provider's visibility has passed, also nothing of what was done.
/// For the price of a fault it is lost, or hidden even then.
pub(crate) fn found(state: &State, operation: usize) -> Vec<Heard> {
    let mut all = Vec::new();
    let visible = state.store.operations.get(operation).is_some_and(|o| o.now == Now::Visible);
    let may_fail = state.faults > 0;
    match state.effect(operation) {
        Some(effect) => {
            all.push(heard(effect.stage));
            if !visible || may_fail {
                all.push(Heard::NotFound);
            }
        }
        None => all.push(Heard::NotFound),
    }
    if may_fail {
        all.push(Heard::Unreadable);
    }
    all
}

/// Whether the bank breaks its word with this answer to a look-up.
pub(crate) fn hides(state: &State, task: usize, heard: Heard) -> bool {
    let Some(Task::Look { operation, .. }) = state.tasks.get(task) else { return false };
    let visible = state.store.operations.get(*operation).is_some_and(|o| o.now == Now::Visible);
    heard == Heard::NotFound && visible && state.effect(*operation).is_some()
}

/// A request arrives.
pub(crate) fn deliver(state: &mut State, place: usize, does: Does, answered: bool) -> Option<()> {
    let operation = state.wire.get(place)?.operation;
    state.wire.remove(place);
    let stored = state.store.operations.get(operation)?;
    let (kind, amount) = (stored.kind, stored.amount);
    let becomes = match does {
        Does::Refuse => None,
        Does::Replay => state.effect(operation).map(|effect| effect.stage),
        Does::Move => Some(Stage::Moved),
        Does::Decline => Some(Stage::Declined),
        Does::AskCustomer => Some(Stage::Waits),
        Does::TakeOn => Some(Stage::Pends),
    };
    if let Some(stage) = becomes.filter(|_| does != Does::Replay) {
        let times = u8::from(stage == Stage::Moved);
        let was_open = matches!(stage, Stage::Waits | Stage::Pends);
        let known = state.bank.iter_mut().find(|effect| effect.operation == operation);
        if let Some(effect) = known {
            effect.times += times;
            (effect.stage, effect.notice) = (stage, Notice::Sent);
        } else {
            let notice = Notice::Sent;
            state.bank.push(Effect { operation, kind, amount, stage, was_open, times, notice });
        }
    }
    let reply = match becomes {
        _ if !answered => Heard::MaybeSent,
        Some(reached) => heard(reached),
        None => Heard::Refused,
    };
    tell(state, operation, reply);
    Some(())
}

/// A request is lost.
pub(crate) fn lose(state: &mut State, place: usize) -> Option<()> {
    let operation = state.wire.get(place)?.operation;
    state.wire.remove(place);
    tell(state, operation, Heard::MaybeSent);
    Some(())
}

/// Whoever waits for an operation's answer has it; nobody may.
fn tell(state: &mut State, operation: usize, heard: Heard) {
    let waiting = state.tasks.iter_mut().find(|task| **task == Task::Await { operation });
    if let Some(task) = waiting {
        *task = Task::Settle { operation, heard, visible: false, fresh: true };
    }
}

/// The customer acts, or the bank decides.
pub(crate) fn decide(state: &mut State, place: usize, yes: bool) -> Option<()> {
    let effect = state.bank.get_mut(place)?;
    effect.stage = if yes { Stage::Moved } else { Stage::Declined };
    effect.times += u8::from(yes);
    effect.notice = Notice::Sent;
    Some(())
}

/// The bank takes back what it had said.
pub(crate) fn reverse(state: &mut State, place: usize) -> Option<()> {
    let effect = state.bank.get_mut(place)?;
    (effect.stage, effect.times, effect.notice) = (Stage::Declined, 0, Notice::Sent);
    state.contradicted = true;
    Some(())
}

/// A charge that was made, told and answered before the story begins.
pub(crate) fn charge_before(state: &mut State) {
    state.store.operations.push(Operation {
        kind: Kind::Charge,
        amount: CHARGE,
        status: Status::Succeeded,
        maybe_sent: false,
        now: Now::Visible,
        in_window: true,
        checks: 0,
        claim: None,
        surplus: false,
        corrected: false,
    });
    state.bank.push(Effect {
        operation: 0,
        kind: Kind::Charge,
        amount: CHARGE,
        stage: Stage::Moved,
        was_open: false,
        times: 1,
        notice: Notice::Came,
    });
}
