//! The time that people see: each scope's own. A test merchant moves its clock forward, and what was
//! promised in time comes true.

use std::sync::Arc;
use std::time::Duration;

use kernel::{
    Actor, Advance, Answer, Cell, Changes, Claim, Clock, Comparison, Duplicate, Exchanged, Filter, Job, Lane,
    Mode, Monotonic, Outcome, Query, QuickMap, Record, Scope, Store, TakenJob, TestClock, Timestamp,
};
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};
use serde_json::value::to_raw_value;

use crate::claims;
use crate::command::{Caller, MoveClock, MovedClock};
use crate::lock::Turn;
use crate::operation::{Due, OPERATION, Operation, OperationId, OperationStatus};
use crate::pay::DECIDE_TRIES;
use crate::rejection::{PaymentsError, Rejection};
use crate::service::{Payments, refused};

/// The job that tells simulated providers, and what waits at them, that a clock was moved. It is there
/// for a process that dies while it does so.
pub const CLOCK_JOB: &str = "test_clock";

/// How long a clock that another node may have moved is believed.
const LIFE: Duration = Duration::from_secs(5);
/// Beyond so many scopes what is not believed any more is dropped.
const ROOM: usize = 10_000;
/// After which a move that was not followed up by who made it is followed up by the job.
const FOLLOWED_WITHIN: Duration = Duration::from_secs(10);
/// Operations read at once.
const PAGE: u32 = 200;

/// How far test merchants' clocks are ahead, read at most every five seconds. A node that moves a clock
/// knows it at once; the others follow within those seconds. A clock never goes back.
pub(crate) struct Clocks {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    known: RwLock<QuickMap<Scope, (Monotonic, Duration)>>,
}

impl Clocks {
    pub(crate) fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock, known: RwLock::default() }
    }

    /// How far a scope's clock is ahead; nothing in a live one.
    pub(crate) async fn offset(&self, scope: Scope) -> Result<Duration, PaymentsError> {
        if scope.mode == Mode::Live {
            return Ok(Duration::ZERO);
        }
        let known = self.known.read().get(&scope).copied();
        match known {
            Some((read_at, offset)) if self.is_young(read_at) => Ok(offset),
            _ => Ok(self.read(scope).await?.offset),
        }
    }

    /// The clock as of the last commit of any node.
    pub(crate) async fn read(&self, scope: Scope) -> Result<TestClock, PaymentsError> {
        let clock = TestClock::read(self.store.as_ref(), scope).await?;
        self.learn(scope, clock.offset);
        Ok(clock)
    }

    /// Remembers an offset. What was read before a move and arrives after it does not undo it.
    pub(crate) fn learn(&self, scope: Scope, offset: Duration) {
        let now = self.clock.monotonic();
        let mut known = self.known.write();
        if known.len() >= ROOM {
            known.retain(|_, (read_at, _)| self.is_young(*read_at));
        }
        let entry = known.entry(scope).or_insert((now, offset));
        *entry = (now, entry.1.max(offset));
    }

    fn is_young(&self, read_at: Monotonic) -> bool {
        self.clock.monotonic().0.saturating_sub(read_at.0) < LIFE
    }
}

/// What the job must know, and what a key is answered with.
#[derive(Serialize, Deserialize)]
struct Moved {
    by_micros: u64,
    offset_micros: u64,
    now: Timestamp,
}

impl Moved {
    fn told(&self, replayed: bool) -> MovedClock {
        MovedClock { now: self.now, offset: Duration::from_micros(self.offset_micros), replayed }
    }
}

fn micros(length: Duration) -> u64 {
    u64::try_from(length.as_micros()).unwrap_or(u64::MAX)
}

impl Payments {
    /// The time that people see in this scope: the wall clock's, and in a test world as far ahead of it
    /// as the merchant has moved its own clock. Due times, deadlines and look-ups are database time and
    /// no business of it.
    pub async fn now(&self, scope: Scope) -> Result<Timestamp, PaymentsError> {
        Ok(self.clock.now().plus(self.clocks.offset(scope).await?))
    }

    /// What a test world's clock shows, and how far it is ahead.
    pub async fn test_clock(&self, scope: Scope) -> Result<MovedClock, PaymentsError> {
        let clock = self.clocks.read(scope).await?;
        Ok(MovedClock { now: clock.shown(self.clock.now()), offset: clock.offset, replayed: false })
    }

    /// Moves a test world's clock forward. When it answers, simulated providers know, and what is
    /// overdue by it is due.
    pub async fn move_clock(
        &self,
        caller: &Caller,
        command: MoveClock,
        claim: Option<Claim>,
    ) -> Result<MovedClock, PaymentsError> {
        let scope = caller.scope;
        if scope.mode == Mode::Live {
            return Err(Rejection::TestModeOnly.into());
        }
        for _ in 0..DECIDE_TRIES {
            if let Some(claim) = &claim
                && let Some(answer) = claims::answer(&self.store, claim).await?
            {
                let known: Moved = serde_json::from_str(answer.outcome.get())
                    .map_err(|error| PaymentsError::Internal(error.to_string()))?;
                // Whoever asks again may do so because the first one died halfway.
                self.tell_providers(scope).await?;
                return Ok(known.told(true));
            }
            let from = self.clocks.read(scope).await?;
            let real = self.clock.now();
            let by = command.by(from.shown(real))?;
            let offset = from.offset.saturating_add(by);
            let moved =
                Moved { by_micros: micros(by), offset_micros: micros(offset), now: real.plus(offset) };
            let job = self.ids.uuid();
            let changes = self.moving(Advance { scope, by, from }, &moved, job, claim.clone())?;
            match self.store.commit(changes).await {
                Outcome::Committed { .. } => {
                    self.clocks.learn(scope, offset);
                    tracing::info!(%scope, offset_seconds = offset.as_secs(), "a test clock was moved");
                    self.follow_up(scope, by, job).await;
                    return Ok(moved.told(false));
                }
                // Somebody else moved it, or uses this key: look again.
                Outcome::Conflict | Outcome::Duplicate(Duplicate::Claim | Duplicate::Row { .. }) => {}
                Outcome::Refused(_) => return Err(too_far()),
                other => return Err(refused(other)),
            }
        }
        Err(PaymentsError::Busy)
    }

    fn moving(
        &self,
        advance: Advance,
        moved: &Moved,
        job: uuid::Uuid,
        claim: Option<Claim>,
    ) -> Result<Changes, PaymentsError> {
        let internal = |error: serde_json::Error| PaymentsError::Internal(error.to_string());
        let mut changes = Changes::new(self.ids.uuid(), Lane::Reserve);
        changes.advance = Some(advance);
        changes.enqueue.push(Job {
            scope: advance.scope,
            id: job,
            kind: CLOCK_JOB,
            due: Cell::After(FOLLOWED_WITHIN),
            promised: false,
            payload: serde_json::to_vec(moved).map_err(internal)?,
        });
        if let Some(claim) = claim {
            let answer = Answer {
                route: claim.route.clone().into_owned(),
                outcome: to_raw_value(moved).map_err(internal)?,
                subject: "test_clock".to_owned(),
                version: advance.from.version.unwrap_or(0) + 1,
                snapshot: to_raw_value(&()).map_err(internal)?,
            };
            let answer = serde_json::to_vec(&answer).map_err(internal)?;
            changes.claim = Some(Claim { answer: Some(answer), ..claim });
        }
        Ok(changes)
    }

    /// What follows from a move, at once; if it does not succeed, the job does it again.
    async fn follow_up(&self, scope: Scope, by: Duration, job: uuid::Uuid) {
        let done = async {
            self.tell_providers(scope).await?;
            self.hasten_waiting(scope, by).await?;
            let mut changes = Changes::new(self.ids.uuid(), Lane::Background);
            changes.finish = Some((scope, job, 0));
            // Whatever becomes of this: the job does no harm.
            self.store.commit(changes).await;
            Ok::<_, PaymentsError>(())
        };
        if let Err(error) = done.await {
            tracing::warn!(%scope, %error, "a moved clock is told of again later");
        }
    }

    /// [`CLOCK_JOB`]: may run beside the move itself, and twice. What waits is then looked at earlier
    /// than it had to be, which changes nothing.
    pub(crate) async fn clock_job(&self, job: &TakenJob) -> Result<(), PaymentsError> {
        let moved: Moved = serde_json::from_slice(&job.payload)
            .map_err(|error| PaymentsError::Internal(format!("a job cannot be read: {error}")))?;
        self.tell_providers(job.scope).await?;
        self.hasten_waiting(job.scope, Duration::from_micros(moved.by_micros)).await?;
        let mut changes = Changes::new(self.ids.uuid(), Lane::Background);
        changes.finish = Some((job.scope, job.id, job.epoch));
        match self.store.commit(changes).await {
            Outcome::Committed { .. } | Outcome::Conflict => Ok(()),
            other => Err(refused(other)),
        }
    }

    /// Brings the clocks of simulated providers to the merchant's. Repeating it changes nothing.
    async fn tell_providers(&self, scope: Scope) -> Result<(), PaymentsError> {
        let offset = self.clocks.read(scope).await?.offset;
        for opened in self.accounts.of(scope).await?.iter() {
            let Some(request) = self.accounts.clock_request(&opened.account, offset) else { continue };
            let deadline = self.deadline(self.start());
            match opened.exchange.exchange(&request, &opened.credentials, deadline).await {
                Exchanged::Replied(reply) if (200..300).contains(&reply.status) => {}
                Exchanged::Replied(reply) => {
                    let reason = format!("a provider answered {} to a moved clock", reply.status);
                    return Err(PaymentsError::Unavailable(reason));
                }
                Exchanged::NotSent(reason) | Exchanged::MaybeSent(reason) => {
                    return Err(PaymentsError::Unavailable(reason));
                }
            }
        }
        Ok(())
    }

    /// Operations that wait for the customer or the provider are looked at earlier by `by`. What is
    /// reserved or unknown waits for real time alone: its due time is a deadline and a visibility.
    async fn hasten_waiting(&self, scope: Scope, by: Duration) -> Result<(), PaymentsError> {
        let mut after = None;
        loop {
            let query = Query::oldest(&OPERATION, scope, PAGE)
                .with(Filter::compare("due_at", Comparison::Present, 0))
                .after(after);
            let found = self.store.of(scope).find::<Operation>(query).await?;
            after = found.last().map(|last| last.record.key());
            for operation in found.iter().filter(|found| waits(found.record.status)) {
                self.hasten(scope, operation.record.id, by).await?;
            }
            if found.len() < usize::try_from(PAGE).unwrap_or(usize::MAX) {
                return Ok(());
            }
        }
    }

    async fn hasten(&self, scope: Scope, id: OperationId, by: Duration) -> Result<(), PaymentsError> {
        let _held = self.lock(id.payment, Turn::Settle).await?;
        let mut draft = self.load(scope, id.payment, Actor::Node).await?;
        let now = self.store.now().await?;
        let due = draft.operation(id).filter(|operation| waits(operation.status)).map(|o| o.due);
        let Some(Due::At(due)) = due.filter(|due| matches!(due, Due::At(at) if *at > now)) else {
            return Ok(());
        };
        if let Some(operation) = draft.operation_mut(id) {
            operation.due = Due::At(due.minus(by).max(now));
        }
        draft.unseen = true;
        match self.commit(&mut draft, Lane::Background).await? {
            // Whoever was faster has looked at it, and said when to look again.
            Outcome::Committed { .. } | Outcome::Conflict => Ok(()),
            other => Err(refused(other)),
        }
    }
}

const fn waits(status: OperationStatus) -> bool {
    matches!(status, OperationStatus::ActionRequired | OperationStatus::Pending)
}

impl MoveClock {
    /// By how much a clock that shows `now` is moved.
    fn by(self, now: Timestamp) -> Result<Duration, Rejection> {
        let (param, by) = match self {
            Self::By(length) => ("/advance_seconds", length),
            Self::To(instant) => ("/now", instant.since(now)),
        };
        if by.is_zero() {
            let message = format!("a test clock only moves forward, and it shows {now} already");
            return Err(Rejection::Invalid { param, message });
        }
        Ok(by)
    }
}

fn too_far() -> PaymentsError {
    let message = "a test clock can be moved by less than thirty years in all".to_owned();
    Rejection::Invalid { param: "/advance_seconds", message }.into()
}
