//! Sending: reserve, steps over the exchange, settle.
//!
//! Nothing is sent before the operation is committed; only who holds the right to send sends, and only
//! until its deadline; a repeat is byte for byte or it is a look-up; and what came back is written down
//! whatever happened meanwhile.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use kernel::{
    Deadline, Distilled, Duplicate, Effect, Exchanged, Filter, Lane, Monotonic, Outcome, Query, Request,
    Timestamp,
};
use provider_kit::{Call, Outcome as Told, Step, Verb};
use vault::Purpose;

use crate::account::{Opened, hex};
use crate::apply::{Policy, Report, apply, contradicts, due};
use crate::claims;
use crate::command::{Answered, Verdict};
use crate::draft::Draft;
use crate::exchanges::{CHECKS_TOLD_MAX, Conversation, drove_well, looked_up_well};
use crate::lock::Turn;
use crate::measure;
use crate::operation::{Due, OperationId, OperationKind, OperationStatus, StepMac, WaitingClaim};
use crate::pay::Run;
use crate::refund::Refund;
use crate::rejection::PaymentsError;
use crate::service::{Payments, Teller, answered, into_answered, policy};
use crate::settings::LateSuccess;

/// The most steps of one call.
const STEPS_MAX: usize = 8;

/// How often a settle is tried before the resolver is left to finish.
const SETTLE_TRIES: u32 = 8;

/// A moment on both clocks, taken before a commit is queued: the deadline counts from it.
#[derive(Clone, Copy)]
pub(crate) struct Start {
    monotonic: Monotonic,
    wall: Timestamp,
}

/// What driving a call came to.
pub(crate) enum Driven {
    Report(Report),
    /// Ask again then: the right to send is given up.
    Wait(Timestamp),
    /// Somebody else holds the right now: nothing more is sent, and nothing is reported.
    Lost,
}

/// What was answered to a key, and to its first caller.
type Stored = Option<Box<(Verdict, Option<Refund>)>>;

/// Where the answer of an operation stands.
enum Said {
    /// In the draft, with what was stored for a key if there is one.
    Here(Stored),
    /// In the store: somebody else wrote it.
    Elsewhere(Box<Answered>),
}

/// The first caller is told just what a repeat will be.
fn with_stored(mut told: Answered, stored: Stored) -> Answered {
    if let Some(stored) = stored {
        let (verdict, refund) = *stored;
        told.verdict = verdict;
        told.refund = refund.map(Box::new);
    }
    told
}

impl Payments {
    pub(crate) fn start(&self) -> Start {
        Start { monotonic: self.clock.monotonic(), wall: self.clock.now() }
    }

    pub(crate) fn deadline(&self, start: Start) -> Deadline {
        Deadline {
            monotonic: Monotonic(start.monotonic.0 + self.settings.send_deadline),
            wall: start.wall.plus(self.settings.send_deadline),
            reply_within: self.settings.reply_timeout,
        }
    }

    /// Gives the draft's new operations what their reserve must hold: the clock and nonce of the call,
    /// the right to send, the due time, and the MAC of the first bytes if these have an effect.
    pub(crate) fn prepare(&self, draft: &mut Draft, opened: &Opened) -> Result<(), PaymentsError> {
        for id in draft.to_send.clone() {
            let mut random = [0; 24];
            self.random.fill(&mut random);
            let (nonce, driver) = random.split_at(16);
            let successor = draft.successor.clone();
            let Some(operation) = draft.operation_mut(id) else { continue };
            let opened = match &successor {
                Some(successor) if successor.opened.account.id == operation.account => &successor.opened,
                _ => opened,
            };
            for (place, byte) in operation.context.nonce.iter_mut().zip(nonce) {
                *place = *byte;
            }
            let real = self.clock.now();
            // Only where a test merchant's clock is ahead: elsewhere the time of its making says it.
            operation.queued_at = (operation.created_at > real.plus(self.settings.margin)).then_some(real);
            operation.driver = driver.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
            let first = operation.call.to_call().map(|call| {
                opened.provider.step(&operation.context, &opened.account, &call, &operation.replies)
            });
            if let Some(Step::Send(request)) = first
                && request.effect != Effect::Read
                && !request.carries_card
            {
                operation.macs.push(self.mac(opened, &request)?);
            }
            due(draft, id, &self.settings);
        }
        Ok(())
    }

    fn mac(&self, opened: &Opened, request: &Request) -> Result<StepMac, PaymentsError> {
        let keys = self.vault.keys(opened.scope.mode);
        let keys = keys.map_err(|error| PaymentsError::Internal(error.to_string()))?;
        let parts: [&[u8]; 3] =
            [request.method.as_str().as_bytes(), request.url.as_bytes(), request.body.as_slice()];
        Ok(StepMac { step: request.step.to_owned(), mac: hex(&keys.mac(Purpose::Request, &parts)) })
    }

    /// Remembers, for the operations that a commit at `at` reserved, until when they may be sent.
    pub(crate) fn note_reserved(&self, draft: &mut Draft, sent: &[OperationId], at: Timestamp) {
        for touched in draft.operations.iter_mut().filter(|touched| sent.contains(&touched.record.id)) {
            touched.record.reserved_at.get_or_insert(at);
            touched.record.sends_end_at = Some(at.plus(self.settings.send_deadline));
        }
    }

    /// Sends the operations that were just reserved, and their successors, and settles each. Tells the
    /// caller of the first.
    pub(crate) async fn run(
        &self,
        run: Box<Run>,
        mut opened: Arc<Opened>,
        teller: &mut Teller,
    ) -> Result<(), PaymentsError> {
        let Run { mut draft, sent, mut start, mut detour } = *run;
        let mut queue: VecDeque<OperationId> = sent.into();
        let reserved = start;
        while let Some(id) = queue.pop_front() {
            // What is on the disk, should nothing more be written or read.
            let written = teller
                .listens()
                .then(|| Box::new(Answered { verdict: Verdict::Accepted, ..answered(&draft, id) }));
            let waiting = waiting(&draft, id);
            let began = self.clock.monotonic();
            let driven = match self.account_of(&draft, id, &mut opened).await {
                Ok(()) => self.drive(&mut draft, &opened, id, start).await,
                Err(error) => Err(error),
            };
            if let (Ok(Driven::Report(report)), Some(detour)) = (&driven, &mut detour)
                && id.kind.is_charge()
            {
                // Like what is there for other accounts: most payments never need it.
                Box::pin(self.offer(&mut draft, detour, &opened, id, report, began)).await;
            }
            // Before the settle is queued: its successors may be sent from its commit on.
            start = self.start();
            let result = match driven {
                Ok(Driven::Report(report)) => self.settle(&mut draft, &opened, id, &report).await,
                Ok(Driven::Wait(until)) => self.wait(&mut draft, &opened, id, until).await,
                Ok(Driven::Lost) => self.reread(&mut draft).await,
                Err(error) => Err(error),
            };
            match result {
                Ok(successors) => {
                    let took = self.clock.monotonic().0.saturating_sub(reserved.monotonic.0);
                    measure::processed(&draft, id, took);
                    queue.extend(successors.iter().copied());
                    // Of a charge that was given up for another, its caller is told by that other.
                    let given_up = successors.iter().any(|successor| successor.kind.is_charge());
                    if let Some(written) = written.filter(|_| !given_up) {
                        match self.said(&draft, id, waiting).await {
                            Ok(Said::Here(stored)) if queue.is_empty() => {
                                teller.tell(Ok(with_stored(into_answered(draft, id), stored)));
                                return Ok(());
                            }
                            Ok(Said::Here(stored)) => {
                                teller.tell(Ok(with_stored(answered(&draft, id), stored)));
                            }
                            Ok(Said::Elsewhere(told)) => teller.tell(Ok(*told)),
                            Err(_) => teller.tell(Ok(*written)),
                        }
                    }
                }
                Err(error) => {
                    tracing::error!(operation = %id, %error, "a settle is left to the resolver");
                    // It is reserved, and perhaps sent: never may the caller hear that nothing happened.
                    if let Some(written) = written {
                        let accepted = self.accepted(draft.scope, draft.payment.id).await;
                        teller.tell(Ok(accepted.unwrap_or(*written)));
                    }
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// The account that an operation is pinned to: a successor may be at another one.
    async fn account_of(
        &self,
        draft: &Draft,
        id: OperationId,
        opened: &mut Arc<Opened>,
    ) -> Result<(), PaymentsError> {
        let account = draft.operation(id).map(|operation| operation.account);
        if let Some(account) = account.filter(|account| *account != opened.account.id) {
            *opened = Box::pin(self.accounts.pinned(draft.scope, account)).await?;
        }
        Ok(())
    }

    /// What the caller of an operation is told: what the settle wrote as the answer of its key. If somebody
    /// else's did, that answer stands, however much the payment has changed since; and if the key waits for
    /// another operation now, nothing is decided yet.
    async fn said(
        &self,
        draft: &Draft,
        id: OperationId,
        waiting: Option<WaitingClaim>,
    ) -> Result<Said, PaymentsError> {
        let waits = self::waiting(draft, id);
        let Some(claim) = waiting.filter(|claim| waits.as_ref() != Some(claim)) else {
            return Ok(Said::Here(None));
        };
        match draft.answer_of(&claim.key) {
            Some(stored) => Ok(Said::Here(Some(Box::new(stored)))),
            None => self.said_elsewhere(draft, &claim.key).await,
        }
    }

    async fn said_elsewhere(&self, draft: &Draft, key: &str) -> Result<Said, PaymentsError> {
        let told = match claims::told(&self.store, draft.scope, key).await? {
            Some(told) => told,
            None => self.accepted(draft.scope, draft.payment.id).await?,
        };
        Ok(Said::Elsewhere(Box::new(told)))
    }

    async fn reread(&self, draft: &mut Draft) -> Result<Vec<OperationId>, PaymentsError> {
        *draft = *self.reload(draft).await?;
        Ok(Vec::new())
    }

    /// The steps of one call, until it is decided. Whoever calls this holds the right to send.
    pub(crate) async fn drive(
        &self,
        draft: &mut Draft,
        opened: &Opened,
        id: OperationId,
        start: Start,
    ) -> Result<Driven, PaymentsError> {
        let verb = draft.operation(id).map_or(Verb::Charge, |operation| operation.call.verb());
        let mut talk = self.conversation(id.payment, Some(id), verb);
        let driven = self.drive_steps(draft, opened, id, start, &mut talk).await;
        self.keep(opened, talk, driven.as_ref().is_ok_and(drove_well)).await;
        driven
    }

    async fn drive_steps(
        &self,
        draft: &mut Draft,
        opened: &Opened,
        id: OperationId,
        mut start: Start,
        talk: &mut Conversation,
    ) -> Result<Driven, PaymentsError> {
        let unsent = |reason: &str| Ok(Driven::Report(Report::NotSent(reason.to_owned())));
        let mut effects = 0;
        for _ in 0..STEPS_MAX {
            let Some(operation) = draft.operation(id) else { return unsent("the operation is gone") };
            if operation.identity != opened.account.identity {
                return unsent("the account is not the one that the operation is pinned to");
            }
            let Some(call) = operation.call.to_call() else { return unsent("there is nothing to send") };
            let step = opened.provider.step(&operation.context, &opened.account, &call, &operation.replies);
            let request = match step {
                // An effect before this one was answered: a refusal now does not undo it.
                Step::Done(Told::Refused { code, .. }) if effects > 1 => {
                    return Ok(Driven::Report(Report::Told(Told::Unknown { raw: code })));
                }
                Step::Done(outcome) => {
                    // What nobody understands is no ground for the next step: a repeat sends again.
                    if let (Told::Unknown { .. }, Some(operation)) = (&outcome, draft.operation_mut(id)) {
                        operation.replies.pop();
                    }
                    return Ok(Driven::Report(Report::Told(outcome)));
                }
                Step::Wait(until) => return Ok(Driven::Wait(until)),
                Step::Send(request) => request,
            };
            if request.effect != Effect::Read {
                let known = operation.macs.iter().find(|mac| mac.step == request.step).cloned();
                let fresh = if request.carries_card { None } else { Some(self.mac(opened, &request)?) };
                if let (Some(known), Some(fresh)) = (&known, &fresh)
                    && known != fresh
                {
                    tracing::error!(operation = %id, step = request.step, "a repeat would differ: looked up");
                    return Ok(Driven::Report(Report::MaybeSent("a repeat would differ".to_owned())));
                }
                if effects > 0 || known.is_none() {
                    start = self.start();
                    if !self.commit_step(draft, id, fresh.filter(|_| known.is_none())).await? {
                        return Ok(Driven::Lost);
                    }
                }
                effects += 1;
            }
            let began = (self.clock.monotonic(), self.clock.now());
            let came = opened.exchange.exchange(&request, &opened.credentials, self.deadline(start)).await;
            let unanswered = match &came {
                Exchanged::Replied(reply) => {
                    let distilled = opened.provider.distill(request.step, reply);
                    if let Some(operation) = draft.operation_mut(id) {
                        operation.replies.push(distilled);
                    }
                    None
                }
                Exchanged::NotSent(reason) if effects > 1 => Some(Report::MaybeSent(reason.clone())),
                Exchanged::NotSent(reason) => Some(Report::NotSent(reason.clone())),
                Exchanged::MaybeSent(reason) => Some(Report::MaybeSent(reason.clone())),
            };
            talk.note(request, began, self.clock.monotonic(), came);
            if let Some(report) = unanswered {
                return Ok(Driven::Report(report));
            }
        }
        Ok(Driven::Report(Report::Told(Told::Unknown { raw: "too many steps".to_owned() })))
    }

    /// Commits the replies so far and renews the right to send, before another effect. `false` if
    /// somebody else changed the operation: then nothing more is sent.
    async fn commit_step(
        &self,
        draft: &mut Draft,
        id: OperationId,
        mac: Option<StepMac>,
    ) -> Result<bool, PaymentsError> {
        if let Some(operation) = draft.operation_mut(id) {
            operation.macs.extend(mac);
        }
        due(draft, id, &self.settings);
        let _held = self.lock(draft.payment.id, Turn::Settle).await?;
        match self.commit(draft, Lane::Settle).await? {
            Outcome::Committed { at } => {
                self.note_reserved(draft, &[id], at);
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// Gives the right to send up until the provider wants to be asked again.
    pub(crate) async fn wait(
        &self,
        draft: &mut Draft,
        opened: &Opened,
        id: OperationId,
        until: Timestamp,
    ) -> Result<Vec<OperationId>, PaymentsError> {
        let pause = until.since(self.now(draft.scope).await?);
        let report = Report::Told(Told::Unknown { raw: "the provider asks to wait".to_owned() });
        let merchant = self.merchant(draft.scope).await?;
        let mut policy = policy(&self.settings, opened, &merchant, None);
        policy.pause = Some(pause);
        self.settle_by(draft, opened, id, &report, &mut policy).await
    }

    /// Writes down what came of an operation. Never refused: after a conflict it reloads and applies
    /// again. Answers the successors that the commit reserved, which the caller must now send.
    pub(crate) async fn settle(
        &self,
        draft: &mut Draft,
        opened: &Opened,
        id: OperationId,
        report: &Report,
    ) -> Result<Vec<OperationId>, PaymentsError> {
        let merchant = self.merchant(draft.scope).await?;
        let mut policy = policy(&self.settings, opened, &merchant, None);
        self.settle_by(draft, opened, id, report, &mut policy).await
    }

    /// [`Payments::settle`] with a policy of the caller's.
    pub(crate) async fn settle_by(
        &self,
        draft: &mut Draft,
        opened: &Opened,
        id: OperationId,
        report: &Report,
        policy: &mut Policy<'_>,
    ) -> Result<Vec<OperationId>, PaymentsError> {
        if let Report::NotSent(reason) | Report::MaybeSent(reason) = report {
            tracing::info!(operation = %id, reason = reason.as_str(), "no answer from the provider");
        }
        let mut report = std::borrow::Cow::Borrowed(report);
        for attempt in 0..SETTLE_TRIES {
            if let Some(now) = self.ask_again(draft, opened, id, &report).await? {
                report = std::borrow::Cow::Owned(now);
            }
            let held = self.lock(draft.payment.id, Turn::Settle).await?;
            let before = draft.operation(id).map(|operation| operation.status);
            apply(draft, id, &report, policy)?;
            self.learn_method(draft, id).await;
            self.reschedule(draft, id, before, policy.pause);
            if !draft.changed {
                return Ok(Vec::new());
            }
            self.prepare(draft, opened)?;
            let successors = draft.to_send.clone();
            let outcome = self.commit(draft, Lane::Settle).await?;
            drop(held);
            match outcome {
                Outcome::Committed { at } => {
                    self.note_reserved(draft, &successors, at);
                    return Ok(successors);
                }
                Outcome::Duplicate(Duplicate::Row { table }) => {
                    *draft = *self.reload(draft).await?;
                    if table == crate::provider_reference::PROVIDER_REFERENCE.name {
                        self.merge_external(draft, id, &report).await?;
                    } else {
                        policy.late_success = LateSuccess::Reverse;
                    }
                }
                Outcome::Conflict => *draft = *self.reload(draft).await?,
                // A text of the provider's that the database cannot hold must not lose the outcome.
                Outcome::Refused(reason) => {
                    tracing::error!(operation = %id, reason, alert = "a settle was refused", "alert");
                    report = std::borrow::Cow::Owned(report.without_texts());
                    *draft = *self.reload(draft).await?;
                }
                other => {
                    tracing::warn!(operation = %id, ?other, "a settle was not written; trying again");
                    self.clock.sleep(Duration::from_millis(50 << attempt.min(6))).await;
                    *draft = *self.reload(draft).await?;
                }
            }
        }
        Err(PaymentsError::Unavailable("the settle could not be written".to_owned()))
    }

    /// Of two reports that contradict each other the provider says which is true now. `None` if they do
    /// not, or if it cannot be asked.
    pub(crate) async fn ask_again(
        &self,
        draft: &Draft,
        opened: &Opened,
        id: OperationId,
        report: &Report,
    ) -> Result<Option<Report>, PaymentsError> {
        if !draft.operation(id).is_some_and(|operation| contradicts(operation, report)) {
            return Ok(None);
        }
        let now = self.look_up(draft, opened, id).await?;
        let is_word = |outcome: &Told| {
            !matches!(
                outcome,
                Told::NotFound | Told::Unknown { .. } | Told::Tokenized { .. } | Told::Consented { .. }
            )
        };
        Ok(Some(now).filter(|now| now.outcome().is_some_and(is_word)))
    }

    /// An operation that was looked at and is still open is due again, a little later each time.
    fn reschedule(
        &self,
        draft: &mut Draft,
        id: OperationId,
        before: Option<OperationStatus>,
        pause: Option<Duration>,
    ) {
        let Some(operation) = draft.operation(id).filter(|operation| operation.status.is_open()) else {
            return;
        };
        let rises = before != Some(operation.status);
        if operation.status == OperationStatus::NeedsReview {
            return;
        }
        due(draft, id, &self.settings);
        if let Some(operation) = draft.operation_mut(id) {
            if !rises {
                operation.checks += 1;
            }
            if let Some(pause) = pause {
                operation.due = Due::After(pause);
            }
        }
    }

    /// Asks the provider what became of an operation. Changes nothing anywhere.
    pub(crate) async fn look_up(
        &self,
        draft: &Draft,
        opened: &Opened,
        id: OperationId,
    ) -> Result<Report, PaymentsError> {
        let Some(operation) = draft.operation(id) else {
            return Ok(Report::MaybeSent("the operation is gone".to_owned()));
        };
        let call = Call::Lookup(provider_kit::Lookup {
            reference: id.reference(),
            provider_reference: operation.reference.clone(),
            verb: operation.call.verb(),
            capture: id.kind.is_charge().then(|| crate::charge::capture_mode(id.kind)),
            amount: operation.amount,
            charge: operation.call.to_call().and_then(|call| call.charge().cloned()),
            replies: operation.replies.clone(),
        });
        let checks = operation.checks;
        let mut talk = self.conversation(id.payment, Some(id), Verb::Lookup);
        let told = self.ask(opened, &operation.context, &call, &mut talk).await;
        // A look-up that has been repeated so often tells nothing new.
        let is_dull = told.as_ref().is_ok_and(looked_up_well) || checks > CHECKS_TOLD_MAX;
        self.keep(opened, talk, is_dull).await;
        Ok(match told {
            Ok(outcome) => Report::Told(outcome),
            Err(reason) => Report::Told(Told::Unknown { raw: reason }),
        })
    }

    /// Runs a call that has no lasting effect: a look-up, or a tokenization. `Err` says why there is no
    /// answer.
    pub(crate) async fn ask(
        &self,
        opened: &Opened,
        context: &provider_kit::Context,
        call: &Call,
        talk: &mut Conversation,
    ) -> Result<Told, String> {
        let mut replies: Vec<Distilled> = Vec::new();
        let deadline = self.deadline(self.start());
        for _ in 0..STEPS_MAX {
            match opened.provider.step(context, &opened.account, call, &replies) {
                Step::Done(outcome) => return Ok(outcome),
                Step::Wait(_) => return Err("the provider asks to wait".to_owned()),
                Step::Send(request) => {
                    let began = (self.clock.monotonic(), self.clock.now());
                    let came = opened.exchange.exchange(&request, &opened.credentials, deadline).await;
                    let unanswered = match &came {
                        Exchanged::Replied(reply) => {
                            replies.push(opened.provider.distill(request.step, reply));
                            None
                        }
                        Exchanged::NotSent(reason) | Exchanged::MaybeSent(reason) => Some(reason.clone()),
                    };
                    talk.note(request, began, self.clock.monotonic(), came);
                    if let Some(reason) = unanswered {
                        return Err(reason);
                    }
                }
            }
        }
        Err("too many steps".to_owned())
    }

    /// A refund of ours met the reference of an external operation: a notice told of it before it was
    /// settled, and what the notice made is this refund. Its money is booked already.
    async fn merge_external(
        &self,
        draft: &mut Draft,
        id: OperationId,
        report: &Report,
    ) -> Result<(), PaymentsError> {
        let Some(reference) = report.reference() else { return Ok(()) };
        let Some(account) = draft.operation(id).map(|operation| operation.account) else { return Ok(()) };
        let query = Query::oldest(&crate::provider_reference::PROVIDER_REFERENCE, draft.scope, 1)
            .with(Filter::equal("account", account))
            .with(Filter::equal("reference", reference));
        let rows = self.store.find(query).await?;
        let Some(known) = rows.first().and_then(crate::provider_reference::read) else { return Ok(()) };
        crate::external::merge(draft, id, known, reference, report.approved().is_some())?;
        Ok(())
    }
}

/// The key that the outcome of an operation answers. Giving up a charge answers the command that wanted
/// it, which waits in the payment.
fn waiting(draft: &Draft, id: OperationId) -> Option<WaitingClaim> {
    let own = draft.operation(id)?.claim.clone();
    if own.is_some() || id.kind != OperationKind::Cancel {
        return own;
    }
    let next = draft.payment.next.as_ref().and_then(|next| next.order.claim.clone());
    next.or_else(|| draft.payment.cancel.as_ref().and_then(|cancel| cancel.claim.clone()))
}
