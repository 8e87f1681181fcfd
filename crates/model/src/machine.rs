//! Every step that anybody can take: the client, the tasks of the nodes, the bank, time, and what goes
//! wrong.

use stateright::{Model, Property};

use crate::bank::{self, Does};
use crate::invariants;
use crate::rules::Rule;
use crate::state::{Notice, Now, Request, State, Store, Task};
use crate::story::Story;
use crate::table::{Heard, Status};

/// One story under the protocol, with all rules but those that were switched off.
#[derive(Clone, Debug)]
pub struct Machine {
    /// What happens in it.
    pub story: Story,
    /// Which rules are off.
    pub off: Vec<Rule>,
}

/// One step. Tasks, requests and effects are named by their place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The client sends the command of a key, for the first time or again, to any node.
    Ask(usize),
    /// A task commits its reserve.
    Commit(usize),
    /// The answer of that commit is lost, and nothing was written.
    CommitLost(usize),
    /// A task commits the next step of its call.
    Step(usize),
    /// A task sends.
    Send(usize),
    /// A task finds that its time is over, and has sent nothing.
    GiveUp(usize),
    /// A task cannot connect.
    NotSent(usize),
    /// The bank gets a request, does something, and its answer comes back, or does not.
    Deliver(usize, Does, bool),
    /// A request never reaches the bank.
    Drop(usize),
    /// A task waits no longer; what it sent still travels.
    TimeOut(usize),
    /// A task hears of a look-up.
    Look(usize, Heard),
    /// A task writes down what it heard.
    Settle(usize),
    /// A task reserves what follows.
    Follow(usize),
    /// The resolver takes an operation over.
    TakeOver(usize),
    /// The newest right to send an operation ends.
    DeadlinePasses(usize),
    /// The provider's visibility passes after that.
    VisibilityPasses(usize),
    /// The provider forgets the key.
    WindowCloses(usize),
    /// The customer acts, or the bank makes up its mind.
    Decide(usize, bool),
    /// The bank undoes what it had done.
    Reverse(usize),
    /// A notice comes, for the first time or again.
    Notice(usize),
    /// A notice comes that was true before.
    OldNotice(usize),
    /// Somebody refunds at the bank's dashboard.
    Dashboard,
    /// The notice of that comes, for the first time or again.
    DashboardNotice,
    /// One task dies.
    Kill(usize),
    /// All tasks die.
    Crash,
}

impl Machine {
    /// A story with all rules on.
    pub const fn new(story: Story) -> Self {
        Self { story, off: Vec::new() }
    }

    /// The same without one more rule.
    #[must_use]
    pub fn without(mut self, rule: Rule) -> Self {
        self.off.push(rule);
        self
    }

    pub(crate) fn has(&self, rule: Rule) -> bool {
        !self.off.contains(&rule)
    }

    fn of_task(&self, state: &State, place: usize, task: &Task, actions: &mut Vec<Action>) {
        let may_fail = state.faults > 0;
        match task {
            Task::Reserve { .. } => {
                actions.push(Action::Commit(place));
                // Else it is as if the client had never asked.
                if may_fail && !self.has(Rule::ConfirmedReserve) {
                    actions.push(Action::CommitLost(place));
                }
            }
            Task::Step { .. } => actions.push(Action::Step(place)),
            Task::Send { in_time, .. } => {
                if *in_time || !self.has(Rule::SendDeadline) {
                    actions.push(Action::Send(place));
                }
                if !*in_time {
                    actions.push(Action::GiveUp(place));
                } else if may_fail {
                    actions.push(Action::NotSent(place));
                }
            }
            Task::Await { .. } => {
                if may_fail {
                    actions.push(Action::TimeOut(place));
                }
            }
            Task::Look { operation, .. } => {
                let found = bank::found(state, *operation);
                actions.extend(found.into_iter().map(|heard| Action::Look(place, heard)));
            }
            Task::Settle { .. } => actions.push(Action::Settle(place)),
            Task::Follow { .. } => actions.push(Action::Follow(place)),
        }
        if may_fail && !matches!(task, Task::Reserve { .. }) {
            actions.push(Action::Kill(place));
        }
    }

    fn of_operations(&self, state: &State, actions: &mut Vec<Action>) {
        for (id, operation) in state.store.operations.iter().enumerate() {
            let open = operation.status.is_open() && operation.status != Status::NeedsReview;
            let travels = state.wire.iter().any(|request| request.operation == id);
            let tasks = state.tasks.iter().filter(|task| task.operation() == Some(id)).count();
            if operation.now == Now::Before && (open || tasks > 0) {
                actions.push(Action::DeadlinePasses(id));
            }
            // Whatever was sent in time has arrived by then, or never will.
            if operation.now == Now::After && open && !travels {
                actions.push(Action::VisibilityPasses(id));
            }
            let unknown = operation.status == Status::Unknown;
            if self.story.repeats
                && operation.in_window
                && unknown
                && operation.now != Now::Before
                && !travels
            {
                actions.push(Action::WindowCloses(id));
            }
            let lost = matches!(operation.status, Status::Reserved) && self.has(Rule::ResolverTakesReserved);
            // What the provider has not decided, a look-up only repeats.
            let decided = bank::is_decided(state, id) && tasks == 0;
            let waits = matches!(operation.status, Status::ActionRequired | Status::Pending) && decided;
            // Whoever has to do with it still lives, and stalls: that is one of the things that go wrong.
            let may = state.faults > 0 || tasks == 0;
            if operation.now != Now::Before && (unknown || lost || waits) && may {
                actions.push(Action::TakeOver(id));
            }
        }
    }

    /// Whether somebody will take this step sooner or later, if nothing more goes wrong.
    pub(crate) fn is_progress(state: &State, action: Action) -> bool {
        match action {
            Action::Commit(_)
            | Action::Step(_)
            | Action::Send(_)
            | Action::GiveUp(_)
            | Action::Deliver(_, _, true)
            | Action::Look(..)
            | Action::Settle(_)
            | Action::Follow(_)
            | Action::TakeOver(_)
            | Action::DeadlinePasses(_)
            | Action::VisibilityPasses(_)
            | Action::Decide(..) => true,
            Action::Notice(effect) => bank::is_new(state, effect),
            Action::DashboardNotice => state.dashboard == Some(Notice::Sent),
            Action::Ask(_)
            | Action::CommitLost(_)
            | Action::NotSent(_)
            | Action::Deliver(_, _, false)
            | Action::Drop(_)
            | Action::TimeOut(_)
            | Action::WindowCloses(_)
            | Action::Reverse(_)
            | Action::OldNotice(_)
            | Action::Dashboard
            | Action::Kill(_)
            | Action::Crash => false,
        }
    }

    fn commit(&self, state: &mut State, place: usize) -> Option<()> {
        let Task::Reserve { key, fresh } = *state.tasks.get(place)? else { return None };
        state.tasks.remove(place);
        let used = state.store.claims.get(key)?.is_some();
        if used && self.has(Rule::ClaimOnce) {
            return Some(());
        }
        if !fresh && self.has(Rule::VersionGuard) {
            // A conflict: it is decided again.
            if self.grants(&state.store, self.story.commands.get(key).copied()?) {
                state.tasks.push(Task::Reserve { key, fresh: true });
            }
            return Some(());
        }
        let driver = self.reserve(&mut state.store, key);
        self.touch(state);
        state.tasks.extend(driver);
        Some(())
    }

    fn ask(&self, state: &mut State, key: usize) -> Option<()> {
        let waiting = |task: &&Task| matches!(task, Task::Reserve { .. });
        let used = state.store.claims.get(key)?.is_some();
        let granted = self.grants(&state.store, self.story.commands.get(key).copied()?);
        // One request on either node at a time, the same or another.
        let busy = state.tasks.iter().filter(waiting).count() >= 2;
        if busy || !granted || used && self.has(Rule::ClaimOnce) || self.is_enough(state) {
            return None;
        }
        state.tasks.push(Task::Reserve { key, fresh: true });
        Some(())
    }

    /// The most operations of a story, so that a switched-off rule cannot make them for ever.
    fn is_enough(&self, state: &State) -> bool {
        state.store.operations.len() >= self.story.commands.len() + 3
    }

    fn settles(&self, state: &mut State, place: usize) -> Option<()> {
        let Task::Settle { operation, heard, visible, fresh } = *state.tasks.get(place)? else { return None };
        state.tasks.remove(place);
        if fresh || self.has(Rule::SettleAgain) {
            self.apply(state, operation, heard, visible);
        }
        Some(())
    }

    /// Applies a report in one commit, and hands what follows from it to whoever brought it.
    pub(crate) fn apply(&self, state: &mut State, operation: usize, heard: Heard, visible: bool) {
        let before = state.store.clone();
        let mut tasks = Vec::new();
        for charge in self.settle(&mut state.store, operation, heard, visible) {
            if self.is_enough(state) {
            } else if self.has(Rule::SuccessorInTheCommit) {
                tasks.extend(self.follow(&mut state.store, charge));
            } else {
                tasks.push(Task::Follow { charge });
            }
        }
        if state.store != before {
            self.touch(state);
        }
        state.tasks.extend(tasks);
    }

    fn sends(&self, state: &mut State, place: usize) -> Option<()> {
        let Task::Send { operation, in_time, repeat } = *state.tasks.get(place)? else { return None };
        state.sent_late |= !in_time;
        let same_bytes = !repeat || self.has(Rule::SameBytes);
        state.wire.push(Request { operation, same_bytes });
        *state.tasks.get_mut(place)? = Task::Await { operation };
        Some(())
    }

    fn steps(&self, state: &mut State, place: usize) -> Option<()> {
        let Task::Step { operation, fresh } = *state.tasks.get(place)? else { return None };
        state.tasks.remove(place);
        if !fresh && self.has(Rule::RightToSend) {
            return Some(());
        }
        let stored = state.store.operations.get_mut(operation)?;
        (stored.now, stored.maybe_sent) = (Now::Before, true);
        self.touch(state);
        state.tasks.push(Task::Send { operation, in_time: true, repeat: false });
        Some(())
    }

    fn commit_lost(state: &mut State, place: usize) -> Option<()> {
        let Task::Reserve { .. } = state.tasks.get(place)? else { return None };
        state.tasks.remove(place);
        let operation = state.store.operations.len();
        state.tasks.push(Task::Send { operation, in_time: true, repeat: false });
        Some(())
    }

    fn looks(state: &mut State, place: usize, heard: Heard) -> Option<()> {
        let Task::Look { operation, may_repeat, in_time } = *state.tasks.get(place)? else { return None };
        let known = heard != Heard::NotFound && heard != Heard::Unreadable;
        let visible = state.store.operations.get(operation)?.now == Now::Visible;
        *state.tasks.get_mut(place)? = if may_repeat && in_time && !known {
            Task::Send { operation, in_time, repeat: true }
        } else {
            Task::Settle { operation, heard, visible, fresh: true }
        };
        Some(())
    }

    fn hears(state: &mut State, place: usize, heard: Heard) -> Option<()> {
        let (Task::Send { operation, .. } | Task::Await { operation }) = *state.tasks.get(place)? else {
            return None;
        };
        *state.tasks.get_mut(place)? = Task::Settle { operation, heard, visible: false, fresh: true };
        Some(())
    }

    fn follows(&self, state: &mut State, place: usize) -> Option<()> {
        let Task::Follow { charge } = *state.tasks.get(place)? else { return None };
        state.tasks.remove(place);
        let driver = self.follow(&mut state.store, charge);
        self.touch(state);
        state.tasks.extend(driver);
        Some(())
    }

    fn time(state: &mut State, id: usize, now: Now) -> Option<()> {
        state.store.operations.get_mut(id)?.now = now;
        for task in &mut state.tasks {
            if let Task::Send { operation, in_time, .. } | Task::Look { operation, in_time, .. } = task {
                *in_time &= *operation != id;
            }
        }
        Some(())
    }

    fn step(&self, state: &mut State, action: Action) -> Option<()> {
        match action {
            Action::Ask(key) => self.ask(state, key),
            Action::Commit(task) => self.commit(state, task),
            Action::CommitLost(task) => Self::commit_lost(state, task),
            Action::Step(task) => self.steps(state, task),
            Action::Send(task) => self.sends(state, task),
            Action::GiveUp(task) | Action::NotSent(task) => Self::hears(state, task, Heard::NotSent),
            Action::TimeOut(task) => Self::hears(state, task, Heard::MaybeSent),
            Action::Look(task, heard) => {
                let hides = bank::hides(state, task, heard);
                state.contradicted |= hides;
                state.faults -= u8::from(hides || heard == Heard::Unreadable);
                Self::looks(state, task, heard)
            }
            Action::Settle(task) => self.settles(state, task),
            Action::Follow(task) => self.follows(state, task),
            Action::TakeOver(id) => {
                let stalls = state.tasks.iter().any(|task| task.operation() == Some(id));
                state.faults -= u8::from(stalls);
                self.take_over(state, id);
                Some(())
            }
            Action::DeadlinePasses(id) => Self::time(state, id, Now::After),
            Action::VisibilityPasses(id) => Self::time(state, id, Now::Visible),
            Action::WindowCloses(id) => {
                state.store.operations.get_mut(id)?.in_window = false;
                Some(())
            }
            Action::Deliver(request, does, answered) => bank::deliver(state, request, does, answered),
            Action::Drop(request) => bank::lose(state, request),
            Action::Decide(effect, yes) => bank::decide(state, effect, yes),
            Action::Reverse(effect) => bank::reverse(state, effect),
            Action::Notice(effect) => self.notice(state, effect),
            Action::OldNotice(effect) => self.old_notice(state, effect),
            Action::Dashboard => {
                state.dashboard = Some(Notice::Sent);
                Some(())
            }
            Action::DashboardNotice => {
                self.dashboard_notice(state);
                Some(())
            }
            Action::Kill(task) => {
                state.tasks.remove(task);
                Some(())
            }
            Action::Crash => {
                state.tasks.clear();
                Some(())
            }
        }
    }

    const fn is_fault(action: Action) -> bool {
        matches!(
            action,
            Action::CommitLost(_)
                | Action::NotSent(_)
                | Action::Deliver(_, Does::Refuse, _)
                | Action::Deliver(_, _, false)
                | Action::Drop(_)
                | Action::TimeOut(_)
                | Action::Reverse(_)
                | Action::Kill(_)
                | Action::Crash
        )
    }
}

/// Of an operation that is over, and that nobody has anything to do with any more, nobody will ever ask
/// when it might have been sent: states that differ in nothing else are one.
fn forget(state: &mut State) {
    for (id, operation) in state.store.operations.iter_mut().enumerate() {
        let travels = state.wire.iter().any(|request| request.operation == id);
        let busy = state.tasks.iter().any(|task| task.operation() == Some(id));
        let over = !operation.status.is_open() || operation.status == Status::NeedsReview;
        if over && !travels && !busy {
            (operation.now, operation.in_window) = (Now::Visible, true);
            (operation.maybe_sent, operation.checks) = (true, 0);
        }
    }
}

impl Model for Machine {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let store = Store { claims: vec![None; self.story.commands.len()], ..Store::default() };
        let mut state = State {
            store,
            tasks: Vec::new(),
            wire: Vec::new(),
            bank: Vec::new(),
            dashboard: None,
            faults: self.story.faults,
            contradicted: false,
            sent_late: false,
        };
        if self.story.is_charged {
            bank::charge_before(&mut state);
        }
        vec![state]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        actions.extend((0..self.story.commands.len()).map(Action::Ask));
        for (place, task) in state.tasks.iter().enumerate() {
            self.of_task(state, place, task, actions);
        }
        if state.faults > 0 && state.tasks.len() > 1 {
            actions.push(Action::Crash);
        }
        self.of_operations(state, actions);
        self.of_bank(state, actions);
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        state.faults -= u8::from(Self::is_fault(action));
        self.step(&mut state, action)?;
        forget(&mut state);
        // Tasks and requests have no names: their order means nothing.
        state.tasks.sort();
        state.wire.sort();
        state.bank.sort();
        Some(state).filter(|state| state != last)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        invariants::properties()
    }
}
