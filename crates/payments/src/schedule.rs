//! What happens to a payment because time has passed: it expires, a delayed capture is made, an
//! authorisation lapses.
//!
//! What is next is read from the payment ([`next`]), and the commit that makes it so enqueues one job for
//! it, unless an earlier one is there already. A job that wakes looks at the payment as it stands, does
//! what is due and enqueues the next: run twice, run late or run beside another, it does nothing twice.
//! A charge that waits has no job: the resolver is due when it expires.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use kernel::{Actor, Cell, Changes, Id, Ids, Job, Lane, Outcome, Scope, TakenJob, TestClock, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::apply::release_order;
use crate::clocks::CLOCK_JOB;
use crate::command::CapturePayment;
use crate::draft::Draft;
use crate::inbox::pause;
use crate::lock::Turn;
use crate::operation::{OperationId, OperationKind, OperationStatus};
use crate::pay::Reserved;
use crate::payment::{LastError, Payment, PaymentKind, PaymentStatus};
use crate::rejection::{PaymentsError, Rejection};
use crate::service::{Payments, Teller, refused};
use crate::unattached::UNATTACHED_JOB;
use crate::{decide, moves};

/// The job that does what is due of one payment.
pub const SCHEDULE_JOB: &str = "payment_schedule";

/// How long a worker may take over one payment.
const LEASE: Duration = Duration::from_mins(1);
/// How many jobs are run at the same time, so that a slow provider holds up few.
const AT_ONCE: usize = 16;

/// Which payment a job is about, and the moment on the merchant's clock that it stands for. If the
/// payment waits for another moment by now, another job does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Wake {
    payment: Id<PaymentKind>,
    at: Timestamp,
}

/// What time does to a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    /// Nobody finished it: it is cancelled.
    Expire,
    /// Held money is taken.
    Capture,
    /// Held money is given up.
    Lapse,
}

/// What time does next to a payment, and when. `None` if it waits for nobody's clock.
pub(crate) fn next(payment: &Payment) -> Option<(Timestamp, Task)> {
    // What becomes of an open operation on what is held decides, and the commit that says so looks again.
    let on_held = [OperationKind::Capture, OperationKind::Void, OperationKind::Increment];
    if payment.cancelled || payment.open_of(&on_held).is_some() {
        return None;
    }
    let held = payment.charge.as_ref().filter(|charge| {
        charge.status == OperationStatus::Succeeded && charge.operation.kind == OperationKind::Authorize
    });
    if let Some(charge) = held {
        if payment.amounts.capturable() <= 0 {
            return None;
        }
        let capture = charge.capture_at.map(|at| (at, Task::Capture));
        let lapse = charge.lapses_at.map(|at| (at, Task::Lapse));
        return [capture, lapse].into_iter().flatten().min_by_key(|(at, _)| *at);
    }
    let unfinished = matches!(payment.status(), PaymentStatus::Pending | PaymentStatus::Failed);
    let expires_at = payment.expires_at.filter(|_| unfinished && payment.open_charge().is_none());
    expires_at.map(|at| (at, Task::Expire))
}

/// The job that the commit of a payment must enqueue: for what is next, unless an earlier one wakes
/// before it and will see to it. Notes it in the payment.
pub(crate) fn wake(payment: &mut Payment, scope: Scope, now: Timestamp, ids: &dyn Ids) -> Option<Job> {
    let (at, _) = next(payment)?;
    if payment.wakes_at.is_some_and(|known| known <= at) {
        return None;
    }
    payment.wakes_at = Some(at);
    Some(Job {
        scope,
        id: ids.uuid(),
        kind: SCHEDULE_JOB,
        due: Cell::After(at.since(now)),
        promised: true,
        payload: serde_json::to_vec(&Wake { payment: payment.id, at }).unwrap_or_default(),
    })
}

/// Nobody finished it in time.
fn expire(draft: &mut Draft) {
    draft.payment.cancelled = true;
    draft.payment.completed_at.get_or_insert(draft.now);
    draft.payment.last_error.get_or_insert_with(|| LastError {
        code: "expired".to_owned(),
        decline_code: None,
        network_code: None,
        advice: None,
    });
    release_order(draft);
    draft.fact("payment.cancelled", json!({"code": "expired"}));
}

impl Payments {
    /// One pass over the payments and methods whose time has come, and over clocks that were moved. Answers
    /// how many there were.
    pub async fn run_schedules(self: &Arc<Self>, limit: u32) -> Result<usize, PaymentsError> {
        let jobs = self.store.take_jobs(&[SCHEDULE_JOB, CLOCK_JOB, UNATTACHED_JOB], limit, LEASE).await?;
        let count = jobs.len();
        futures_util::stream::iter(jobs)
            .for_each_concurrent(AT_ONCE, |job| async move { self.run_job(&job).await })
            .await;
        Ok(count)
    }

    async fn run_job(self: &Arc<Self>, job: &TakenJob) {
        let done = match job.kind.as_str() {
            CLOCK_JOB => self.clock_job(job).await,
            UNATTACHED_JOB => self.unattached_job(job).await,
            _ => self.schedule_job(job).await,
        };
        if let Err(error) = done {
            tracing::warn!(job = %job.id, kind = job.kind, %error, "a job is tried again");
            if let Err(error) = self.store.return_job(job, pause(job.attempts)).await {
                tracing::warn!(job = %job.id, %error, "a job is free again when its lease ends");
            }
        }
    }

    async fn schedule_job(self: &Arc<Self>, job: &TakenJob) -> Result<(), PaymentsError> {
        let scope = job.scope;
        let wake: Wake = serde_json::from_slice(&job.payload)
            .map_err(|error| PaymentsError::Internal(format!("a job cannot be read: {error}")))?;
        // As it is in the store: this job may be due because another node has moved it just now.
        let clock = self.clocks.read(scope).await?;
        let now = clock.shown(self.clock.now());
        let held = self.lock(wake.payment, Turn::Command).await?;
        let payment = match self.payment(scope, wake.payment).await {
            Ok(payment) => payment,
            Err(PaymentsError::Rejected(Rejection::NotFound(_))) => return self.drop_job(job).await,
            Err(error) => return Err(error),
        };
        if payment.record.wakes_at != Some(wake.at) {
            return self.drop_job(job).await;
        }
        if now < wake.at {
            drop(held);
            return self.not_yet(job, wake.at.since(now), clock).await;
        }
        let due = next(&payment.record).filter(|(at, _)| *at <= now).map(|(_, task)| task);
        let mut draft = Draft::of(scope, now, Actor::Node, payment, self.ids.uuid());
        draft.finishes = Some((scope, job.id, job.epoch));
        draft.payment.wakes_at = None;
        draft.changed = true;
        match due {
            None => {
                draft.unseen = true;
                self.commit_schedule(draft).await
            }
            Some(Task::Expire) => {
                expire(&mut draft);
                self.commit_schedule(draft).await
            }
            Some(task @ (Task::Capture | Task::Lapse)) => self.act_on_held(draft, task, held).await,
        }
    }

    /// Captures, or gives up, what is held: an operation like any other, reserved in the commit that
    /// ends the job, so that there is one of it whatever dies or runs beside it.
    async fn act_on_held(
        self: &Arc<Self>,
        mut draft: Box<Draft>,
        task: Task,
        held: crate::lock::Held,
    ) -> Result<(), PaymentsError> {
        let Some(charge) = draft.payment.charge.as_mut() else { return Ok(()) };
        let account = charge.account;
        let reserved: Result<Option<OperationId>, Rejection> = if task == Task::Capture {
            charge.capture_at = None;
            let all = CapturePayment { amount: None, is_final: true };
            let captured = decide::capture(&mut draft, all, None);
            if let Some(operation) = captured.as_ref().ok().and_then(|id| draft.operation_mut(*id)) {
                operation.scheduled = true;
            }
            captured.map(Some)
        } else {
            Ok(self.lapse_held(&mut draft).await?)
        };
        let subject = match reserved {
            Ok(subject) => subject,
            Err(rejection) => {
                draft.fact("payment.capture_failed", json!({"amount": 0, "code": "not_possible"}));
                draft.alerts.push(format!("{} could not be captured in time: {rejection}", draft.payment.id));
                None
            }
        };
        let Some(subject) = subject else { return self.commit_schedule(draft).await };
        let opened = self.accounts.pinned(draft.scope, account).await?;
        let reserved = self.commit_reserve(draft, &opened, Some(subject), &mut Teller::nobody()).await?;
        drop(held);
        match reserved {
            Reserved::Told => Ok(()),
            Reserved::Run(run) => self.run(run, opened, &mut Teller::nobody()).await,
            Reserved::Not(outcome) => Err(refused(outcome)),
        }
    }

    /// What is held lapses: the provider is asked to release it, and what it then says is the proof that
    /// nothing is held. One that cannot release anything lets it lapse by itself.
    async fn lapse_held(&self, draft: &mut Draft) -> Result<Option<OperationId>, PaymentsError> {
        let Some(charge) = &draft.payment.charge else { return Ok(None) };
        let opened = self.accounts.pinned(draft.scope, charge.account).await?;
        if opened.provider.profile().can(provider_kit::Capability::Void)
            && let Ok(id) = decide::void(draft, None)
        {
            return Ok(Some(id));
        }
        let rest = draft.payment.amounts.capturable();
        moves::lapsed(draft, rest)?;
        Ok(None)
    }

    async fn commit_schedule(&self, mut draft: Box<Draft>) -> Result<(), PaymentsError> {
        match self.commit(&mut draft, Lane::Background).await? {
            Outcome::Committed { .. } => Ok(()),
            other => Err(refused(other)),
        }
    }

    /// Ends a job that has nothing to do.
    pub(crate) async fn drop_job(&self, job: &TakenJob) -> Result<(), PaymentsError> {
        let mut changes = Changes::new(self.ids.uuid(), Lane::Background);
        changes.finish = Some((job.scope, job.id, job.epoch));
        match self.store.commit(changes).await {
            // A conflict means that another worker took the job over: it finishes it.
            Outcome::Committed { .. } | Outcome::Conflict => Ok(()),
            other => Err(refused(other)),
        }
    }

    /// Gives a job back until its time. If the clock is moved in this very moment, the move may have
    /// rewritten the due time before this did: then it is due at once.
    pub(crate) async fn not_yet(
        &self,
        job: &TakenJob,
        left: Duration,
        before: TestClock,
    ) -> Result<(), PaymentsError> {
        self.store.return_job(job, left).await?;
        if self.clocks.read(job.scope).await? != before {
            self.store.return_job(job, Duration::ZERO).await?;
        }
        Ok(())
    }
}
