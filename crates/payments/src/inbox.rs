//! Notices from providers: stored before they are believed, matched, applied like any other report.

use std::sync::Arc;
use std::time::Duration;

use kernel::{
    Actor, Cell, Changes, Column, ColumnType, Credentials, Filter, Id, Index, Job, Kind, Lane, Outcome,
    Query, Record, RecordError, Table, TakenJob, Timestamp,
};
use provider_kit::{
    Account, Context, Delivery, Fact, Incoming, Notice, Outcome as Told, Verb, WebhookError, scrub,
};
use serde::{Deserialize, Serialize};

use crate::account::Opened;
use crate::apply::{Report, contradicts};
use crate::disputes;
use crate::drive::Start;
use crate::lock::Turn;
use crate::operation::{OperationId, OperationKind};
use crate::pay::Run;
use crate::payment::PaymentKind;
use crate::provider_reference::{self, PROVIDER_REFERENCE};
use crate::quarantine::Rejected;
use crate::rejection::{PaymentsError, Rejection};
use crate::service::{Payments, Teller};

/// The job that reads a stored delivery.
pub const INBOX_JOB: &str = "inbox";

/// What people see of a delivery that is done with.
const SHOWN_BYTES_MAX: usize = 4096;
/// Why a genuine notice is kept in quarantine.
const MATCHES_NOTHING: &str = "it is genuine, and matches nothing here";

/// How long a worker may take over one delivery.
const LEASE: Duration = Duration::from_mins(1);

/// Marks ids of deliveries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeliveryKind {}

impl Kind for DeliveryKind {
    const PREFIX: &'static str = "whin";
}

/// How far a delivery is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum DeliveryStatus {
    /// Stored, not looked at yet, or waiting for what it is about.
    Received,
    /// All its facts were applied, or meant nothing new.
    Applied,
    /// It is genuine, and nothing here matches it.
    Unmatched,
}

/// A delivery as it was stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredDelivery {
    /// Its id.
    pub id: Id<DeliveryKind>,
    /// At whose address it came in.
    pub account: Id<Account>,
    /// When.
    pub received_at: Timestamp,
    /// Raw bytes and headers, sealed: a provider's notices carry client secrets and personal data. Gone
    /// once the delivery is done with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sealed: Option<String>,
    /// What people may see of the body, once the delivery is done with.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub shown: serde_json::Value,
    /// How far.
    pub status: DeliveryStatus,
    /// The payment that it was about, once that is known; the first, if it told of several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<Id<PaymentKind>>,
}

/// By id, and, for timelines, by what it was about; the work to be done is a job.
pub(crate) static INBOX: Table = Table {
    name: "inbox",
    key: &[Column::new("id", ColumnType::Uuid)],
    columns: &[Column::nullable("payment", ColumnType::Uuid)],
    versioned: true,
    has_state: true,
    indexes: &[Index {
        name: "inbox_payment",
        columns: &["scope", "payment", "id"],
        unique: false,
        where_present: Some("payment"),
        where_absent: None,
    }],
    fillfactor: 70,
};

impl Record for StoredDelivery {
    const TABLE: &'static Table = &INBOX;
    const FORM: u16 = 1;

    fn key(&self) -> Vec<Cell> {
        vec![self.id.into()]
    }

    fn columns(&self) -> Vec<Cell> {
        vec![self.payment.into()]
    }
}

/// What became of a delivery at the door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is stored, and read by the inbox's job.
    Stored,
    /// It is not the account's, or too old: nothing is stored but, now and then, one in quarantine.
    Refused(WebhookError),
}

/// What a notice came to.
enum Noticed {
    Applied,
    /// What it is about is not there yet, or is busy: try again.
    Parked,
}

impl Payments {
    /// Stores a delivery for an account's inbox. Durable when it answers [`Taken::Stored`].
    ///
    /// What the account's own secrets show to be forged is not stored: that costs one MAC, so that a flood
    /// fills no disk. All else is stored first, and believed later.
    pub async fn receive(
        &self,
        provider: &str,
        account: Id<Account>,
        delivery: Delivery,
    ) -> Result<Taken, PaymentsError> {
        let opened = self.accounts.everywhere(account).await?;
        let opened = opened.filter(|opened| opened.account.provider == provider);
        let opened = opened.ok_or(Rejection::NotFound("provider account"))?;
        let scope = opened.scope;
        if let Err(error) = judge(&opened, &self.context(), &delivery, &[])
            && matches!(error, WebhookError::Signature | WebhookError::Stale)
        {
            self.quarantine(&rejected(&opened, &account.to_string(), &error.to_string(), &delivery)).await;
            return Ok(Taken::Refused(error));
        }
        let id = Id::from_uuid(self.ids.uuid());
        let stored = StoredDelivery {
            id,
            account,
            received_at: delivery.received_at,
            sealed: self.seal_delivery(scope, &place(id), &delivery, usize::MAX)?,
            shown: serde_json::Value::Null,
            status: DeliveryStatus::Received,
            payment: None,
        };
        let mut changes = Changes::new(self.ids.uuid(), Lane::Background);
        changes.insert(scope, &stored)?;
        changes.enqueue.push(Job {
            scope,
            id: id.uuid(),
            kind: INBOX_JOB,
            due: Cell::After(Duration::ZERO),
            promised: false,
            payload: Vec::new(),
        });
        match self.store.commit(changes).await {
            Outcome::Committed { .. } => Ok(Taken::Stored),
            other => Err(crate::service::refused(other)),
        }
    }

    /// One pass over the stored deliveries. Answers how many there were.
    pub async fn process_inbox(self: &Arc<Self>, limit: u32) -> Result<usize, PaymentsError> {
        let jobs = self.store.take_jobs(&[INBOX_JOB], limit, LEASE).await?;
        for job in &jobs {
            if let Err(error) = self.process(job).await {
                tracing::warn!(delivery = %job.id, %error, "a delivery is tried again");
                self.store.return_job(job, pause(job.attempts)).await?;
            }
        }
        Ok(jobs.len())
    }

    async fn process(&self, job: &TakenJob) -> Result<(), PaymentsError> {
        let found = self.store.of(job.scope).get::<StoredDelivery>(vec![job.id.into()]).await?;
        let Some(mut stored) = found else {
            return self.finish(job, |_| Ok(())).await;
        };
        let Some(sealed) = stored.record.sealed.take() else {
            return self.finish(job, |_| Ok(())).await;
        };
        let delivery = self.open_delivery(job.scope, &place(stored.record.id), &sealed)?;
        let opened = self.accounts.pinned(job.scope, stored.record.account).await?;
        let source = stored.record.account.to_string();
        let notices = match self.verify(&opened, &delivery).await? {
            Ok(notices) => notices,
            Err(error) => {
                // However many there are: it may be genuine and of a form that this build does not read.
                tracing::warn!(delivery = %job.id, %error, "a delivery was rejected");
                self.write_rejected(&rejected(&opened, &source, &error.to_string(), &delivery)).await?;
                let key = stored.record.key();
                return self
                    .finish(job, |changes| {
                        changes.remove::<StoredDelivery>(job.scope, key, stored.version);
                        Ok(())
                    })
                    .await;
            }
        };
        let mut parked = false;
        for notice in &notices {
            let about = self.payment_of(&opened, notice).await?;
            stored.record.payment = stored.record.payment.or(about);
            parked |= matches!(self.notice(&opened, notice).await?, Noticed::Parked);
        }
        // What it is about may be unknown for as long as the resolver looks for it.
        if parked && self.clock.now().since(delivery.received_at) <= self.settings.horizon {
            self.store.return_job(job, pause(job.attempts)).await?;
            return Ok(());
        }
        stored.record.status = if parked { DeliveryStatus::Unmatched } else { DeliveryStatus::Applied };
        if parked {
            tracing::error!(delivery = %job.id, alert = "a genuine notice matches nothing", "alert");
            self.write_rejected(&rejected(&opened, &source, MATCHES_NOTHING, &delivery)).await?;
        }
        stored.record.shown = scrub::redacted(&delivery.body, &[], SHOWN_BYTES_MAX);
        self.finish(job, |changes| changes.update(job.scope, &stored.record, stored.version)).await
    }

    /// Ends a delivery's job, in one commit with what became of it.
    async fn finish(
        &self,
        job: &TakenJob,
        write: impl FnOnce(&mut Changes) -> Result<(), RecordError>,
    ) -> Result<(), PaymentsError> {
        let mut changes = Changes::new(self.ids.uuid(), Lane::Background);
        write(&mut changes)?;
        changes.finish = Some((job.scope, job.id, job.epoch));
        match self.store.commit(changes).await {
            // A conflict means that another worker took the job over: it finishes it.
            Outcome::Committed { .. } | Outcome::Conflict => Ok(()),
            other => Err(crate::service::refused(other)),
        }
    }

    /// What a delivery is judged with.
    fn context(&self) -> Context {
        Context { now: self.clock.now(), nonce: [0; 16] }
    }

    /// Verifies a delivery, fetching what that needs.
    async fn verify(
        &self,
        opened: &Opened,
        delivery: &Delivery,
    ) -> Result<Result<Vec<Notice>, WebhookError>, PaymentsError> {
        let context = self.context();
        let mut replies = Vec::new();
        for _ in 0..4 {
            let credentials: &Credentials = &opened.credentials;
            let incoming = judge(opened, &context, delivery, &replies);
            let request = match incoming {
                Err(error) => return Ok(Err(error)),
                Ok(Incoming::Notices(notices)) => return Ok(Ok(notices)),
                Ok(Incoming::Need(request)) => request,
            };
            let reply = opened.exchange.exchange(&request, credentials, self.deadline(self.start())).await;
            let kernel::Exchanged::Replied(reply) = reply else {
                return Err(PaymentsError::Unavailable(
                    "what verifies the delivery is out of reach".to_owned(),
                ));
            };
            replies.push(opened.provider.distill(request.step, &reply));
        }
        Ok(Err(WebhookError::Unreadable("it asks for too much".to_owned())))
    }

    /// Applies one fact.
    async fn notice(&self, opened: &Arc<Opened>, notice: &Notice) -> Result<Noticed, PaymentsError> {
        match &notice.fact {
            Fact::Other { kind } => {
                tracing::info!(
                    notice = notice.id.as_str(),
                    kind = kind.as_str(),
                    "a notice of an unknown type"
                );
                Ok(Noticed::Applied)
            }
            Fact::Dispute(dispute) => match self.charge_of(opened, notice).await? {
                Some(charge) => {
                    let applied = disputes::apply(self, opened, charge, dispute).await?;
                    Ok(if applied { Noticed::Applied } else { Noticed::Parked })
                }
                None => Ok(Noticed::Parked),
            },
            Fact::Operation { verb, state } => match self.operation_of(opened, notice).await? {
                Some(id) => self.told(opened, id, state).await,
                None if *verb == Verb::Refund => self.external(opened, notice, state).await,
                None => Ok(Noticed::Parked),
            },
        }
    }

    /// The operation that a notice is about: by our reference, then by the provider's.
    async fn operation_of(
        &self,
        opened: &Opened,
        notice: &Notice,
    ) -> Result<Option<OperationId>, PaymentsError> {
        self.matched(opened, notice.about.ours.as_deref(), notice.about.provider_reference.as_deref()).await
    }

    /// The payment that a notice is about, if it is known already.
    async fn payment_of(
        &self,
        opened: &Opened,
        notice: &Notice,
    ) -> Result<Option<Id<PaymentKind>>, PaymentsError> {
        let operation = match self.operation_of(opened, notice).await? {
            Some(operation) => Some(operation),
            None => self.charge_of(opened, notice).await?,
        };
        Ok(operation.map(|operation| operation.payment))
    }

    /// The charge that a notice's operation or dispute belongs to.
    async fn charge_of(
        &self,
        opened: &Opened,
        notice: &Notice,
    ) -> Result<Option<OperationId>, PaymentsError> {
        let about = &notice.about;
        self.matched(opened, about.charge_ours.as_deref(), about.charge_reference.as_deref()).await
    }

    async fn matched(
        &self,
        opened: &Opened,
        ours: Option<&str>,
        theirs: Option<&str>,
    ) -> Result<Option<OperationId>, PaymentsError> {
        if let Some(id) = ours.and_then(OperationId::from_reference) {
            let known = self.operation(opened.scope, id).await?;
            // Our reference at another account is nobody's business here.
            let known = known.filter(|known| known.record.account == opened.account.id);
            if known.is_some() {
                return Ok(Some(id));
            }
        }
        let Some(theirs) = theirs else { return Ok(None) };
        let query = Query::oldest(&PROVIDER_REFERENCE, opened.scope, 1)
            .with(Filter::equal("account", opened.account.id))
            .with(Filter::equal("reference", theirs));
        let rows = self.store.find(query).await?;
        Ok(rows.first().and_then(provider_reference::read))
    }

    /// A provider tells what became of an operation that we know.
    async fn told(
        &self,
        opened: &Arc<Opened>,
        id: OperationId,
        state: &Told,
    ) -> Result<Noticed, PaymentsError> {
        if let Told::Consented { reference } = state {
            self.go_on_consented(opened, id, reference).await?;
            return Ok(Noticed::Applied);
        }
        let actor = Actor::Provider(opened.account.id.to_string());
        let mut draft = self.load(opened.scope, id.payment, actor).await?;
        let start = self.start();
        let mut report = Report::Told(state.clone());
        if draft.operation(id).is_some_and(|operation| contradicts(operation, &report)) {
            let Some(now) = self.ask_again(&draft, opened, id, &report).await? else {
                return Ok(Noticed::Parked);
            };
            report = now;
        }
        let sent = self.settle(&mut draft, opened, id, &report).await?;
        self.go_on(draft, opened, sent, start).await?;
        Ok(Noticed::Applied)
    }

    /// A refund that is none of ours: made at the dashboard, unless one of ours is still open and may
    /// turn out to be it.
    async fn external(
        &self,
        opened: &Arc<Opened>,
        notice: &Notice,
        state: &Told,
    ) -> Result<Noticed, PaymentsError> {
        let Told::Approved(approved) = state else { return Ok(Noticed::Applied) };
        let Some(charge) = self.charge_of(opened, notice).await? else { return Ok(Noticed::Parked) };
        let _held = self.lock(charge.payment, Turn::Settle).await?;
        let actor = Actor::Provider(opened.account.id.to_string());
        let mut draft = self.load(opened.scope, charge.payment, actor).await?;
        let busy = [OperationKind::Refund, OperationKind::Reversal];
        if draft.payment.open_of(&busy).is_some() {
            return Ok(Noticed::Parked);
        }
        if crate::external::external_refund(&mut draft, approved)?.is_none() {
            return Ok(Noticed::Parked);
        }
        match self.commit(&mut draft, Lane::Settle).await? {
            Outcome::Committed { .. } => Ok(Noticed::Applied),
            // The reference is known now, or the payment moved: the next try sees it.
            Outcome::Conflict | Outcome::Duplicate(_) => Ok(Noticed::Parked),
            other => Err(crate::service::refused(other)),
        }
    }

    pub(crate) async fn go_on(
        &self,
        draft: Box<crate::draft::Draft>,
        opened: &Arc<Opened>,
        sent: Vec<OperationId>,
        start: Start,
    ) -> Result<(), PaymentsError> {
        if sent.is_empty() {
            return Ok(());
        }
        let run = Box::new(Run { draft, sent, start, detour: None });
        self.run(run, Arc::clone(opened), &mut Teller::nobody()).await
    }
}

/// What a provider's mapping says of a delivery.
fn judge(
    opened: &Opened,
    context: &Context,
    delivery: &Delivery,
    replies: &[kernel::Distilled],
) -> Result<Incoming, WebhookError> {
    opened.provider.webhook(context, &opened.account, &opened.credentials, delivery, replies)
}

fn rejected<'a>(
    opened: &'a Opened,
    source: &'a str,
    reason: &'a str,
    delivery: &'a Delivery,
) -> Rejected<'a> {
    Rejected { scope: opened.scope, source, provider: &opened.account.provider, reason, delivery }
}

/// For which place a delivery is sealed.
fn place(id: Id<DeliveryKind>) -> String {
    format!("inbox/{id}")
}

/// The pause before a job is tried again: doubles up to ten minutes.
pub(crate) fn pause(attempts: i64) -> Duration {
    let doublings = u32::try_from(attempts.clamp(0, 10)).unwrap_or(10);
    Duration::from_secs(1).saturating_mul(1 << doublings).min(Duration::from_mins(10))
}
