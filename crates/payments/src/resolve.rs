//! The resolver: finds out what became of operations whose outcome nobody waits for any more.
//!
//! It reads the due index and nothing else. For each due operation it first commits a takeover (a new
//! right to send, a new due time), then looks it up, and repeats it only where the provider's profile
//! says that the same key with the same bytes is safe. It never starts another attempt.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use kernel::{Actor, Comparison, Filter, Id, Lane, Outcome, Query, Scope, Timestamp};
use provider_kit::{Account, Capability, Outcome as Told, Repeat};

use crate::account::Opened;
use crate::apply::{Report, apply, needs_review};
use crate::draft::Draft;
use crate::drive::Driven;
use crate::give_up;
use crate::lock::Turn;
use crate::operation::{Due, OPERATION, Operation, OperationId, OperationKind, OperationStatus};
use crate::pay::Run;
use crate::payment::{Payment, PaymentKind};
use crate::rejection::{PaymentsError, Rejection};
use crate::service::{Payments, Teller, policy};

/// How many due operations are worked on at the same time, so that a slow provider holds up few.
const AT_ONCE: usize = 16;

/// How long a returning browser waits for the look-up.
const RETURN_PATIENCE: Duration = Duration::from_secs(3);

/// Where a browser that came back goes.
#[derive(Clone, Debug)]
pub struct Returned {
    /// The payment as it stands now.
    pub payment: Payment,
    /// The merchant's page, if there is one.
    pub return_url: Option<String>,
}

/// How people decide an operation that needs review.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// The provider did it, under this reference.
    Succeeded {
        /// The provider's reference.
        reference: String,
        /// How much it was, in minor units; all that was asked if absent. More than was asked can be said of
        /// what took money or gave it back.
        amount: Option<i64>,
    },
    /// The provider did not do it.
    NotDone,
}

impl Payments {
    /// One pass over the operations that are due. Answers how many there were.
    pub async fn resolve_due(self: &Arc<Self>, limit: u32) -> Result<usize, PaymentsError> {
        let now = self.store.now().await?;
        let query = Query::everywhere(&OPERATION, limit)
            .with(Filter::compare("due_at", Comparison::AtMost, now))
            .order_by("due_at");
        let found = self.store.find_everywhere::<Operation>(query).await?;
        let count = found.len();
        futures_util::stream::iter(found)
            .for_each_concurrent(AT_ONCE, |(scope, operation)| async move {
                let id = operation.record.id;
                // What the query found has a due time.
                let Some(due_at) = operation.columns.first().and_then(kernel::Cell::as_time) else { return };
                if let Err(error) = self.resolve(scope, id, Some(due_at)).await {
                    tracing::warn!(operation = %id, %error, "the operation stays due");
                }
            })
            .await;
        Ok(count)
    }

    /// Finds out about one operation: with the right to send, if it is still due as it was at `due_at`;
    /// without, by a look-up alone.
    async fn resolve(
        &self,
        scope: Scope,
        id: OperationId,
        due_at: Option<Timestamp>,
    ) -> Result<(), PaymentsError> {
        let Some(known) = self.operation(scope, id).await? else { return Ok(()) };
        let opened = self.accounts.pinned(scope, known.record.account).await?;
        let start = self.start();
        let draft = match due_at {
            Some(due_at) => self.take_over(scope, id, due_at, &opened).await?,
            // A look-up needs no right to send, and must not take it from whoever is using it.
            None => Some(self.load(scope, id.payment, Actor::Node).await?)
                .filter(|draft| draft.operation(id).is_some_and(|known| may_be_looked_up(known.status))),
        };
        let Some(mut draft) = draft else { return Ok(()) };
        let asked_at = self.store.now().await?;
        let report = self.look_up(&draft, &opened, id).await?;
        if let Report::Told(Told::Consented { reference }) = &report {
            return self.go_on_consented(&opened, id, reference).await;
        }
        let Some(operation) = draft.operation(id) else { return Ok(()) };
        let unfound = matches!(report, Report::Told(Told::NotFound | Told::Unknown { .. }));
        let report = if unfound && due_at.is_some() && self.may_repeat(operation, &opened, asked_at) {
            match self.drive(&mut draft, &opened, id, start).await? {
                Driven::Report(Report::NotSent(_)) | Driven::Wait(_) => report,
                Driven::Report(repeated) => repeated,
                Driven::Lost => return Ok(()),
            }
        } else {
            report
        };
        let merchant = self.merchant(scope).await?;
        let mut policy = policy(&self.settings, &opened, &merchant, Some(asked_at));
        let start = self.start();
        let mut sent = self.settle_by(&mut draft, &opened, id, &report, &mut policy).await?;
        if sent.is_empty() {
            sent = self.lapse(&mut draft, &opened, id).await?;
        }
        if sent.is_empty() {
            Ok(())
        } else {
            let run = Box::new(Run { draft, sent, start, detour: None });
            self.run(run, opened, &mut Teller::nobody()).await
        }
    }

    /// Commits the right to act on an operation that is due since `due_at`: a new driver, a new due time.
    /// `None` if it is not open any more, if somebody else took it, or if people must decide now.
    async fn take_over(
        &self,
        scope: Scope,
        id: OperationId,
        due_at: Timestamp,
        opened: &Opened,
    ) -> Result<Option<Box<Draft>>, PaymentsError> {
        let _held = self.lock(id.payment, Turn::Settle).await?;
        let mut draft = self.load(scope, id.payment, Actor::Node).await?;
        let Some(operation) = draft.operation(id).filter(|operation| operation.status.is_open()) else {
            return Ok(None);
        };
        // Whoever took it over meanwhile has the right to send until it is due again.
        if operation.status == OperationStatus::NeedsReview || operation.due != Due::At(due_at) {
            return Ok(None);
        }
        let settings = &self.settings;
        let merchant = self.merchant(scope).await?;
        if operation.status == OperationStatus::Reserved {
            // Its driver is gone: whether it sent anything, nobody knows.
            let slack = settings.reply_timeout + settings.margin;
            let sends_end_at = due_at.minus(slack);
            if let Some(operation) = draft.operation_mut(id) {
                operation.maybe_sent = true;
                let sends_end_at = *operation.sends_end_at.get_or_insert(sends_end_at);
                operation.reserved_at.get_or_insert(sends_end_at.minus(settings.send_deadline));
            }
            let gone = Report::MaybeSent("its driver is gone".to_owned());
            apply(&mut draft, id, &gone, &policy(settings, opened, &merchant, None))?;
        }
        if let Some(operation) = draft.operation_mut(id) {
            // Lost when the first settle met another commit; the reserve was no earlier than this.
            operation.reserved_at.get_or_insert(operation.queued_at.unwrap_or(operation.created_at));
        }
        let now = self.store.now().await?;
        let waited = draft.operation(id).and_then(|operation| operation.reserved_at);
        let waited = waited.map_or(Duration::ZERO, |reserved| now.since(reserved));
        let unknown = draft.operation(id).is_some_and(|o| o.status == OperationStatus::Unknown);
        if unknown && waited > settings.horizon {
            needs_review(&mut draft, id, "its outcome stayed unknown beyond the horizon");
        } else {
            let sends = draft.operation(id).is_some_and(|o| self.may_repeat(o, opened, now));
            self.renew(&mut draft, id, now, sends);
        }
        let outcome = self.commit(&mut draft, Lane::Settle).await?;
        let taken = matches!(outcome, Outcome::Committed { .. });
        let open = draft.operation(id).is_some_and(|o| o.status != OperationStatus::NeedsReview);
        Ok(Some(draft).filter(|_| taken && open))
    }

    /// A new driver with a deadline of its own; due again when it could not have finished. Where it may
    /// send, "not found" proves nothing before that deadline and the provider's visibility have passed.
    pub(crate) fn renew(&self, draft: &mut Draft, id: OperationId, now: Timestamp, sends: bool) {
        let settings = &self.settings;
        let mut random = [0; 8];
        self.random.fill(&mut random);
        if let Some(operation) = draft.operation_mut(id) {
            operation.driver = u64::from_le_bytes(random);
            if sends {
                operation.sends_end_at = Some(now.plus(settings.send_deadline));
            } else if operation.status == OperationStatus::Unknown {
                operation.sends_end_at.get_or_insert(now);
            }
            operation.due = Due::After(settings.send_deadline + settings.reply_timeout * 2 + settings.margin);
        }
    }

    /// Whether the profile lets this operation be sent again now, under its own key.
    fn may_repeat(&self, operation: &Operation, opened: &Opened, now: Timestamp) -> bool {
        let verb = operation.call.verb();
        let Repeat::Keyed { valid_for } = opened.provider.profile().repeat(verb) else { return false };
        let window = valid_for.saturating_sub(self.settings.margin);
        let window = if operation.id.kind.is_charge() {
            window.min(self.settings.repeat_charges_within)
        } else {
            window
        };
        let within = operation
            .reserved_at
            .is_some_and(|reserved| now.since(reserved) + self.settings.send_deadline < window);
        operation.status == OperationStatus::Unknown && within
    }

    /// A charge that still waits for the customer when its time is over is given up upstream.
    async fn lapse(
        &self,
        draft: &mut Draft,
        opened: &Opened,
        id: OperationId,
    ) -> Result<Vec<OperationId>, PaymentsError> {
        let waits = draft.operation(id).is_some_and(|o| o.status == OperationStatus::ActionRequired);
        let now = self.now(draft.scope).await?;
        let over = draft.payment.expires_at.is_some_and(|end| now >= end);
        let running = draft.payment.open_of(&[crate::OperationKind::Cancel]).is_some();
        let can = opened.provider.profile().can(Capability::Cancel);
        if !(waits && over && can && id.kind.is_charge()) || running {
            return Ok(Vec::new());
        }
        let _held = self.lock(id.payment, Turn::Settle).await?;
        give_up::cancel_upstream(draft, id, None);
        self.prepare(draft, opened)?;
        let sent = draft.to_send.clone();
        match self.commit(draft, Lane::Settle).await? {
            Outcome::Committed { at } => {
                self.note_reserved(draft, &sent, at);
                Ok(sent)
            }
            _ => Ok(Vec::new()),
        }
    }

    /// A browser came back from the provider: looks the open charge up, then says where it goes. The
    /// account in the address says whose payment it is.
    pub async fn returned(
        self: &Arc<Self>,
        account: Id<Account>,
        id: Id<PaymentKind>,
    ) -> Result<Returned, PaymentsError> {
        let opened = self.accounts.everywhere(account).await?;
        let scope = opened.ok_or(Rejection::NotFound("payment"))?.scope;
        let payment = self.payment(scope, id).await?.record;
        if let Some(open) = payment.open_charge().filter(|open| open.status != OperationStatus::Reserved) {
            let (this, operation) = (Arc::clone(self), open.id);
            let (sender, receiver) = tokio::sync::oneshot::channel();
            self.tasks.spawn(
                "return",
                Box::pin(async move {
                    if let Err(error) = this.resolve(scope, operation, None).await {
                        tracing::warn!(%operation, %error, "the look-up of a returning browser failed");
                    }
                    let _ = sender.send(());
                }),
            );
            let patience = self.clock.sleep(RETURN_PATIENCE);
            futures_util::future::select(receiver, patience).await;
        }
        let payment = self.payment(scope, id).await?.record;
        let merchant = self.merchant(scope).await?;
        let return_url = payment.return_url.clone().or_else(|| merchant.return_url.clone());
        Ok(Returned { payment, return_url })
    }

    /// An operator decides an operation that needs review, with a reason for the audit trail.
    pub async fn resolve_operation(
        self: &Arc<Self>,
        operator: &str,
        scope: Scope,
        id: OperationId,
        resolution: Resolution,
        reason: &str,
    ) -> Result<Payment, PaymentsError> {
        let mut draft = self.load(scope, id.payment, Actor::Operator(operator.to_owned())).await?;
        let operation = draft.operation(id).ok_or(Rejection::NotFound("operation"))?;
        if operation.status != OperationStatus::NeedsReview {
            return Err(Rejection::Invalid {
                param: "operation",
                message: format!("operation {id} is {}, not needs_review", operation.status.as_str()),
            }
            .into());
        }
        let asked = operation.amount;
        let outcome = match resolution {
            Resolution::Succeeded { amount: Some(minor), .. }
                if minor < 0 || (minor > asked.minor && !may_exceed(id.kind)) =>
            {
                let bounds = if may_exceed(id.kind) { "0" } else { "0, and at most what was asked" };
                let message = format!("operation {id} was for {}: it was at least {bounds}", asked.minor);
                return Err(Rejection::Invalid { param: "amount", message }.into());
            }
            Resolution::Succeeded { reference, amount } => Told::Approved(provider_kit::Approved::of(
                kernel::Money::new(amount.unwrap_or(asked.minor), asked.currency),
                reference,
            )),
            Resolution::NotDone => {
                Told::Declined(provider_kit::Decline::of(provider_kit::DeclineCode::GenericDecline))
            }
        };
        let opened = self.accounts.pinned(scope, operation.account).await?;
        draft.fact(
            "payment.operation_resolved",
            serde_json::json!({"operation": id, "reason": reason.chars().take(500).collect::<String>()}),
        );
        let start = self.start();
        let sent = self.settle(&mut draft, &opened, id, &Report::Decided(outcome)).await?;
        let run = Box::new(Run { draft, sent, start, detour: None });
        self.run(run, opened, &mut Teller::nobody()).await?;
        self.get(scope, id.payment).await
    }

    /// Where a payment is looked for by an operator who does not know its world.
    pub async fn find_everywhere(
        &self,
        scopes: &[Scope],
        id: Id<PaymentKind>,
    ) -> Result<Option<(Scope, Payment)>, PaymentsError> {
        for scope in scopes {
            match self.get(*scope, id).await {
                Ok(payment) => return Ok(Some((*scope, payment))),
                Err(PaymentsError::Rejected(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }
}

/// What moves money may have moved more of it than was asked, and the books say what was. What only holds or
/// releases is in no book, and more of it than was asked is not for us to take.
const fn may_exceed(kind: OperationKind) -> bool {
    match kind {
        OperationKind::Sale | OperationKind::Capture | OperationKind::Refund | OperationKind::Reversal => {
            true
        }
        OperationKind::Authorize
        | OperationKind::Void
        | OperationKind::Cancel
        | OperationKind::External
        | OperationKind::Increment => false,
    }
}

/// What nobody is about to send for the first time, and people need not decide.
const fn may_be_looked_up(status: OperationStatus) -> bool {
    match status {
        OperationStatus::Unknown | OperationStatus::ActionRequired | OperationStatus::Pending => true,
        OperationStatus::Reserved
        | OperationStatus::Succeeded
        | OperationStatus::Declined
        | OperationStatus::NotDone
        | OperationStatus::Cancelled
        | OperationStatus::NeedsReview => false,
    }
}
