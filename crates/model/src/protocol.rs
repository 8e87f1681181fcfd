//! The protocol itself: what may be reserved, what a commit writes, what a settle does, what the
//! resolver takes over. Everything else in this crate is the world around these functions.

use crate::machine::Machine;
use crate::rules::Rule;
use crate::state::{Answer, Claim, Command, Kind, Now, Operation, State, Store, Task};
use crate::table::{Climb, Heard, Said, Status, climb, proves};

/// What a charge takes.
pub(crate) const CHARGE: u8 = 3;

/// How often an unknown operation is looked up before people must decide.
const CHECKS: u8 = 2;

impl Machine {
    /// Whether an operation still counts as open to what it excludes.
    fn is_open(&self, operation: &Operation) -> bool {
        operation.status.is_open() && (self.has(Rule::UnknownIsOpen) || operation.status != Status::Unknown)
    }

    /// Decides a command on what is stored: nothing is written yet.
    pub(crate) fn grants(&self, store: &Store, command: Command) -> bool {
        let any = |wanted: &dyn Fn(&Operation) -> bool| store.operations.iter().any(wanted);
        let stands = any(&|o| store.stands(o));
        let charging = any(&|o| o.kind == Kind::Charge && self.is_open(o));
        let of_hold = |o: &Operation| matches!(o.kind, Kind::Capture | Kind::Void);
        match command {
            Command::Charge => {
                let excluded = self.has(Rule::OneOpenCharge) && charging;
                !store.cancelled && !stands && !excluded
            }
            Command::Capture | Command::Void => {
                let over = any(&|o| of_hold(o) && o.status == Status::Succeeded);
                let excluded = self.has(Rule::CaptureExcludesVoid) && any(&|o| of_hold(o) && self.is_open(o));
                stands && !over && !excluded
            }
            Command::Refund(amount) => {
                amount <= store.refundable(|o| self.has(Rule::RefundHolds) && self.is_open(o))
            }
            Command::Cancel => !store.cancelled && store.cancel.is_none(),
        }
    }

    /// Commits the reserve of a command: the operation and its claim at once. Answers the task that may
    /// now send, if anything is to be sent.
    pub(crate) fn reserve(&self, store: &mut Store, key: usize) -> Option<Task> {
        let command = self.story.commands.get(key).copied()?;
        let charging = store.operations.iter().any(|o| o.kind == Kind::Charge && o.status.is_open());
        let standing = store.operations.iter().position(|o| store.stands(o));
        let (kind, amount) = match command {
            Command::Charge => (Kind::Charge, CHARGE),
            Command::Capture => (Kind::Capture, CHARGE),
            Command::Void => (Kind::Void, CHARGE),
            Command::Refund(amount) => (Kind::Refund, amount),
            Command::Cancel if charging => {
                // The wish waits in the payment, and its key with it.
                store.cancel = Some(key);
                claim(store, key, None);
                return None;
            }
            Command::Cancel => {
                let Some(charge) = standing else {
                    store.cancelled = true;
                    claim(store, key, None);
                    answer(store, Some(key), Answer::Done);
                    return None;
                };
                (Kind::Undo { charge }, CHARGE)
            }
        };
        let operation = new_operation(store, kind, amount, Some(key));
        claim(store, key, Some(operation));
        Some(self.driver(operation))
    }

    /// Who holds the right to send a new operation.
    pub(crate) const fn driver(&self, operation: usize) -> Task {
        if self.story.steps > 1 {
            Task::Step { operation, fresh: true }
        } else {
            Task::Send { operation, in_time: true, repeat: false }
        }
    }

    /// Applies what was heard of an operation, whoever heard it and however often. Answers the charges
    /// that must now be undone.
    pub(crate) fn settle(&self, store: &mut Store, id: usize, heard: Heard, visible: bool) -> Vec<usize> {
        let Some(operation) = store.operations.get_mut(id) else { return Vec::new() };
        if operation.corrected && operation.status == Status::NeedsReview {
            // The provider has said both: nothing that it says decides any more.
            return Vec::new();
        }
        // A right that was given since it was asked has moved the end of what may still arrive.
        let since = operation.now == Now::Visible || !self.has(Rule::ProofAtCommit);
        let absence_is_proof = visible && since || !self.has(Rule::Visibility);
        let maybe_sent = operation.maybe_sent && self.has(Rule::RefusalOfARepeat);
        let said = proves(heard, maybe_sent, absence_is_proof);
        let before = operation.status;
        match climb(before, said) {
            Climb::Stay if !self.has(Rule::Climb) && said == Said::Pending => {
                operation.status = Status::Pending;
                Vec::new()
            }
            Climb::Stay => Vec::new(),
            Climb::To(status) => self.raise(store, id, before, status),
            Climb::LateSuccess if !self.has(Rule::Surplus) => Vec::new(),
            Climb::LateSuccess => self.late_success(store, id),
            Climb::Reversed => {
                (operation.status, operation.corrected) = (Status::Declined, true);
                Vec::new()
            }
        }
    }

    fn raise(&self, store: &mut Store, id: usize, before: Status, status: Status) -> Vec<usize> {
        let Some(operation) = store.operations.get_mut(id) else { return Vec::new() };
        operation.status = status;
        operation.maybe_sent |= status == Status::Unknown;
        let (kind, key) = (operation.kind, operation.claim);
        if !before.is_told() && status.is_told() && self.has(Rule::AnswerInTheCommit) {
            answer(store, key, told(status));
        }
        let succeeded = status == Status::Succeeded;
        match kind {
            Kind::Charge if succeeded => {
                if store.cancel.is_some() && self.has(Rule::CancelIsKept) {
                    vec![id]
                } else {
                    Vec::new()
                }
            }
            Kind::Charge if !status.is_open() => {
                // A cancel that waited for the charge has what it wanted.
                if let Some(key) = store.cancel.take() {
                    store.cancelled = true;
                    answer(store, Some(key), Answer::Done);
                }
                Vec::new()
            }
            Kind::Undo { charge } if succeeded => {
                store.cancelled |= store.operations.get(charge).is_some_and(|charge| !charge.surplus);
                Vec::new()
            }
            Kind::Undo { charge } if !status.is_open() => {
                // Money that nobody expects could not be given back: people must.
                let surplus = store.operations.get(charge).is_some_and(|charge| charge.surplus);
                if let Some(operation) = store.operations.get_mut(id).filter(|_| surplus) {
                    operation.status = Status::NeedsReview;
                }
                Vec::new()
            }
            Kind::Refund if succeeded && self.has(Rule::ExternalMerges) => {
                // A notice told of it before it was settled, and what the notice made is this refund.
                store.external.retain(|(reference, _)| *reference != crate::state::Reference::Ours(id));
                Vec::new()
            }
            Kind::Charge | Kind::Undo { .. } | Kind::Refund | Kind::Capture | Kind::Void => Vec::new(),
        }
    }

    /// It was done after another truth was told. A charge becomes surplus and is reversed; of anything
    /// else the sums follow the truth, and an event says so.
    fn late_success(&self, store: &mut Store, id: usize) -> Vec<usize> {
        let Some(operation) = store.operations.get_mut(id) else { return Vec::new() };
        if operation.corrected && self.has(Rule::ContradictedTwice) {
            operation.status = Status::NeedsReview;
            return Vec::new();
        }
        if operation.kind == Kind::Charge {
            let known = operation.surplus && self.has(Rule::OneReversal);
            operation.surplus = true;
            return if known { Vec::new() } else { vec![id] };
        }
        (operation.status, operation.corrected) = (Status::Succeeded, true);
        if self.has(Rule::ExternalMerges) {
            store.external.retain(|(reference, _)| *reference != crate::state::Reference::Ours(id));
        }
        Vec::new()
    }

    /// Reserves the undoing of a charge, in the commit that found it out. The claim of a cancel goes with
    /// it.
    pub(crate) fn follow(&self, store: &mut Store, charge: usize) -> Option<Task> {
        let kind = Kind::Undo { charge };
        if self.has(Rule::OneReversal) && store.operations.iter().any(|o| o.kind == kind) {
            return None;
        }
        let surplus = store.operations.get(charge).is_some_and(|charge| charge.surplus);
        let key = if surplus { None } else { store.cancel.take() };
        let operation = new_operation(store, kind, CHARGE, key);
        if let Some(claim) = key.and_then(|key| store.claims.get_mut(key)?.as_mut()) {
            claim.operation = Some(operation);
        }
        Some(self.driver(operation))
    }

    /// The resolver takes an operation over whose right to send is over: it commits that first, looks the
    /// operation up, and sends it again only while the provider's own memory makes that safe.
    pub(crate) fn take_over(&self, state: &mut State, id: usize) {
        let repeats = self.story.repeats;
        let Some(operation) = state.store.operations.get_mut(id) else { return };
        if operation.status == Status::Reserved {
            operation.status = Status::Unknown;
            operation.maybe_sent |= self.has(Rule::GoneMayHaveSent);
        }
        if operation.status == Status::Unknown {
            operation.checks += 1;
        }
        if operation.checks > CHECKS {
            self.beyond_horizon(state, id);
            return;
        }
        let in_window = operation.in_window || !self.has(Rule::RepeatWindow);
        let may_repeat = repeats && operation.status == Status::Unknown && in_window;
        if may_repeat {
            operation.now = Now::Before;
            // What was asked before this right was given proves nothing about it.
            let renewed = |task: &mut Task| {
                if let Task::Settle { operation, visible, .. } = task
                    && *operation == id
                    && self.has(Rule::ProofAtCommit)
                {
                    *visible = false;
                }
            };
            state.tasks.iter_mut().for_each(renewed);
        }
        self.touch(state);
        state.tasks.push(Task::Look { operation: id, may_repeat, in_time: true });
    }

    /// It was looked up for as long as that may help.
    fn beyond_horizon(&self, state: &mut State, id: usize) {
        let review = self.has(Rule::HorizonIsReview);
        let Some(operation) = state.store.operations.get_mut(id) else { return };
        operation.status = if review { Status::NeedsReview } else { Status::NotDone };
        let key = operation.claim;
        if !review {
            answer(&mut state.store, key, Answer::Failed);
        }
        self.touch(state);
    }

    /// Somebody committed: whoever decided on what was there before must decide again.
    pub(crate) fn touch(&self, state: &mut State) {
        for task in &mut state.tasks {
            match task {
                Task::Reserve { fresh, .. } | Task::Step { fresh, .. } => *fresh = false,
                // A settle applies again whatever happened, so that nobody needs to know.
                Task::Settle { fresh, .. } => *fresh &= self.has(Rule::SettleAgain),
                Task::Send { .. } | Task::Await { .. } | Task::Look { .. } | Task::Follow { .. } => {}
            }
        }
    }
}

/// What the owner of a key is told of an operation.
const fn told(status: Status) -> Answer {
    match status {
        Status::Succeeded => Answer::Done,
        Status::ActionRequired | Status::Pending => Answer::Waits,
        Status::Reserved
        | Status::Unknown
        | Status::NeedsReview
        | Status::Declined
        | Status::NotDone
        | Status::Cancelled => Answer::Failed,
    }
}

fn claim(store: &mut Store, key: usize, operation: Option<usize>) {
    if let Some(claim) = store.claims.get_mut(key) {
        *claim = Some(Claim { operation, answer: None });
    }
}

fn answer(store: &mut Store, key: Option<usize>, answer: Answer) {
    if let Some(claim) = key.and_then(|key| store.claims.get_mut(key)?.as_mut()) {
        claim.answer.get_or_insert(answer);
    }
}

fn new_operation(store: &mut Store, kind: Kind, amount: u8, claim: Option<usize>) -> usize {
    store.operations.push(Operation {
        kind,
        amount,
        status: Status::Reserved,
        maybe_sent: false,
        now: Now::Before,
        in_window: true,
        checks: 0,
        claim,
        surplus: false,
        corrected: false,
    });
    store.operations.len() - 1
}
