//! Create, and what every command that charges does: reserve, and run what was reserved.

use std::sync::Arc;
use std::time::Duration;

use kernel::{Claim, Duplicate, Id, Lane, Outcome};
use provider_kit::{CaptureMode, Initiator, Instrument, MethodKind, ThreeDSecure};
use serde_json::json;

use crate::account::Opened;
use crate::apply::{apply, waiting_claim};
use crate::capabilities::{Asked, check, check_scenario};
use crate::command::{Answered, Caller, CreatePayment, CustomerRef, Verdict};
use crate::customer::CUSTOMER;
use crate::customers::Keep;
use crate::decide::{self, ChargeOrder, Pin};
use crate::draft::Draft;
use crate::instrument::{Ready, Source};
use crate::method::{PaymentMethod, PaymentMethodKind};
use crate::operation::{OperationId, WaitingClaim};
use crate::payment::{Amounts, CustomerLink, MethodSummary, Payment, PaymentKind, PaymentStatus, Purpose};
use crate::rejection::{PaymentsError, Rejection};
use crate::route::{Detour, Route, Seeking};
use crate::service::{Payments, Teller, answered, policy};
use crate::settings::MerchantSettings;

/// How often a reserve that met another node's commit is decided again.
pub(crate) const DECIDE_TRIES: u32 = 6;

/// What a reserve came to.
pub(crate) enum Reserved {
    /// It stands; these operations are to be run now.
    Run(Box<Run>),
    /// It stands, nothing is to be sent, and the caller was told.
    Told,
    /// It does not stand.
    Not(Outcome),
}

/// What a charge is beside the payment and its instrument.
#[derive(Clone)]
pub(crate) struct Wish {
    pub(crate) initiator: Initiator,
    pub(crate) stores_credential: bool,
    /// The rule that chose its account.
    pub(crate) rule: Option<String>,
}

/// With what and where a new payment is charged.
struct Plan {
    route: Route,
    source: Option<Source>,
    captured: (CaptureMode, Option<u32>),
    wish: Wish,
    summary: Option<MethodSummary>,
    ready: Option<Ready>,
    /// What a later confirm charges.
    instrument: Option<Box<crate::payment::PinnedInstrument>>,
    /// The stored method that is charged.
    stored: Option<Id<PaymentMethodKind>>,
    keep: Option<Keep>,
    /// Who pays: as the command says, else whose method it is.
    named: Option<CustomerRef>,
}

/// Reserved operations with the right to send them.
pub(crate) struct Run {
    pub(crate) draft: Box<Draft>,
    pub(crate) sent: Vec<OperationId>,
    pub(crate) start: crate::drive::Start,
    /// Where else its charge may be tried.
    pub(crate) detour: Option<Box<Detour>>,
}

impl Payments {
    /// Makes a payment and, if asked, charges it.
    pub async fn create(
        self: &Arc<Self>,
        caller: &Caller,
        command: CreatePayment,
        claim: Option<Claim>,
    ) -> Result<Answered, PaymentsError> {
        let id = Id::from_uuid(self.ids.uuid());
        let (this, caller, scope) = (Arc::clone(self), caller.clone(), caller.scope);
        self.answer_within(scope, id, "create", |mut teller| {
            Box::pin(async move {
                if let Err(error) = this.create_now(&caller, id, command, claim.clone(), &mut teller).await {
                    teller.tell(Box::pin(this.replay_or(claim.as_ref(), error)).await);
                }
            })
        })
        .await
    }

    async fn create_now(
        self: &Arc<Self>,
        caller: &Caller,
        id: Id<PaymentKind>,
        command: CreatePayment,
        claim: Option<Claim>,
        teller: &mut Teller,
    ) -> Result<(), PaymentsError> {
        let scope = caller.scope;
        // In a box, like what follows it: a payment's task is no larger than what it is at just now.
        let mut plan = Box::pin(self.plan(caller, id, &command)).await?;
        let mut detour = Detour::of(&mut plan.route, plan.source.take(), &plan.wish);
        let Plan { route, ready, wish, .. } = plan;
        let opened = Arc::clone(&route.opened);
        for _ in 0..DECIDE_TRIES {
            let payer = self.customer(caller, plan.named.as_ref(), plan.keep.as_ref()).await?;
            let now = self.now(scope).await?;
            let mut payment = new_payment(id, &command, plan.summary.clone(), payer.link, now);
            payment.method_id = payer.kept.or(plan.stored);
            (payment.capture_method, payment.capture_delay_seconds) = plan.captured;
            payment.expires_at = Some(now.plus(self.settings.payment_expires_in));
            payment.instrument.clone_from(&plan.instrument);
            let mut draft = Draft::of_new(scope, now, caller.actor.clone(), payment, self.ids.uuid());
            draft.trace_id.clone_from(&caller.trace_id);
            draft.scenario.clone_from(&caller.scenario);
            draft.aside = payer.aside;
            draft.fact(
                "payment.created",
                json!({"amount": command.amount.minor, "currency": command.amount.currency}),
            );
            route.tell(&mut draft);
            let waiting = claim.as_ref().map(waiting_claim);
            let charge = match &ready {
                None => {
                    if let Some(claim) = &waiting {
                        draft.answer(claim.clone(), Verdict::Done, None);
                    }
                    None
                }
                Some(ready) => Some(self.reserve_charge(&mut draft, &opened, ready, &wish, waiting).await?),
            };
            draft.claim = claim.clone().map(|claim| Claim {
                operation: Some(charge.map_or_else(|| id.to_string(), |charge| charge.to_string())),
                ..claim
            });
            match self.commit_reserve(draft, &opened, charge, teller).await? {
                Reserved::Told => return Ok(()),
                Reserved::Run(mut run) => {
                    run.detour = detour.take();
                    return Box::pin(self.run(run, opened, teller)).await;
                }
                // Somebody made the customer meanwhile: it is there now.
                Reserved::Not(Outcome::Duplicate(Duplicate::Row { table })) if table == CUSTOMER.name => {}
                // A payment is new: what moved is the customer who gets the method.
                Reserved::Not(Outcome::Conflict) => {}
                Reserved::Not(other) => {
                    return Err(Box::pin(self.refused_charge(scope, command.amount.currency, other)).await);
                }
            }
        }
        Err(PaymentsError::Busy)
    }

    /// With what and where a new payment is charged. Tokenizes the card, which moves no money.
    async fn plan(
        &self,
        caller: &Caller,
        id: Id<PaymentKind>,
        command: &CreatePayment,
    ) -> Result<Plan, PaymentsError> {
        let scope = caller.scope;
        let merchant = self.merchant(scope).await?;
        let (named, off) = (command.customer.clone(), command.off_session.as_ref());
        let source = self.source(scope, command.method.as_ref(), named.as_ref(), off.is_some()).await?;
        let given = source.as_ref();
        let kind = given.map(Source::kind);
        let captured = captured_how(command, kind, &merchant);
        let summary = given.map(|source| self.summary(scope, source));
        let seeking = Seeking {
            caller,
            source: given,
            summary: summary.as_ref(),
            provider: command.provider.as_deref(),
            waiting_at: None,
            asked: Asked {
                kind,
                amount: command.amount,
                purpose: command.purpose,
                capture_method: captured.0,
                capture_delay_seconds: captured.1,
                three_d_secure: command.three_d_secure,
            },
            payer: command.payer.as_deref(),
            metadata: &command.metadata,
        };
        let mut route = self.route(&seeking, &merchant).await?;
        check_scenario(caller, &route.opened)?;
        check(&seeking.asked, &route.opened)?;
        let wish = Wish {
            initiator: given.map_or(Initiator::Customer, |source| source.initiator(off)),
            stores_credential: command.stores_credential,
            rule: route.rule(),
        };
        let (ready, instrument) = match given {
            Some(source) if command.confirm => (Some(self.ready_on(&mut route, id, source).await?), None),
            // Charged later: a card is with the provider by then, and its number nowhere here.
            Some(source) => (None, Some(Box::new(self.pinned(&route.opened, id, source).await?))),
            None => (None, None),
        };
        let (stored, keep) =
            saved(given, &route.opened, ready.as_ref(), summary.as_ref(), &wish, named.is_some())?;
        let keep = self.keep_card(scope, given, keep).await?;
        let named = named.or_else(|| Some(CustomerRef::Id(stored?.customer?)));
        let stored = stored.map(|method| method.id);
        Ok(Plan { route, source, captured, wish, summary, ready, instrument, stored, keep, named })
    }

    /// Reserves the charge in the draft; what is known to fail fails in the same commit.
    pub(crate) async fn reserve_charge(
        &self,
        draft: &mut Draft,
        opened: &Opened,
        ready: &Ready,
        wish: &Wish,
        claim: Option<WaitingClaim>,
    ) -> Result<OperationId, PaymentsError> {
        let merchant = self.merchant(draft.scope).await?;
        let order = self.order(draft, opened, ready, wish, &merchant, claim)?;
        let charge = decide::charge(draft, order)?;
        if let Some(failure) = &ready.failure {
            // The guard of an order is not taken by a charge that ends in the commit that makes it.
            draft.inserts.clear();
            draft.payment.holds_order = false;
            draft.to_send.clear();
            apply(draft, charge, failure, &policy(&self.settings, opened, &merchant, None))?;
        } else {
            self.count_volume(draft, charge, &merchant).await?;
        }
        Ok(charge)
    }

    /// What the charge of a payment needs beside it.
    pub(crate) fn order(
        &self,
        draft: &Draft,
        opened: &Opened,
        ready: &Ready,
        wish: &Wish,
        merchant: &MerchantSettings,
        claim: Option<WaitingClaim>,
    ) -> Result<ChargeOrder, Rejection> {
        let upi = matches!(ready.instrument, Instrument::Upi { .. });
        let card = matches!(ready.instrument, Instrument::CardToken { .. });
        Ok(ChargeOrder {
            pin: Pin::from(&opened.account),
            instrument: ready.instrument.clone(),
            return_url: format!(
                "{}/return/{}?account={}",
                self.settings.public_url, draft.payment.id, opened.account.id
            ),
            expires_in: self.expires_in(draft, upi)?,
            three_d_secure: three_d_secure(&draft.payment, wish, merchant, card),
            initiator: wish.initiator.clone(),
            stores_credential: wish.stores_credential || draft.payment.purpose == Purpose::Verification,
            claim,
            rule: wish.rule.clone(),
        })
    }

    /// How long the charge may wait for its payer: a UPI request as long as it lives, anything else to the
    /// end of the payment.
    fn expires_in(&self, draft: &Draft, upi: bool) -> Result<Duration, Rejection> {
        let end = draft.payment.created_at.plus(self.settings.payment_expires_in);
        let left = end.since(draft.now);
        if left.is_zero() {
            return Err(Rejection::State { verb: "confirmed", status: PaymentStatus::Cancelled });
        }
        Ok(if upi { self.settings.upi_expires_in } else { left })
    }

    /// Commits a reserve. If it stands and nothing is to be sent, the caller is told at once; else the
    /// operations are for the caller of this to run, without the payment's lock.
    pub(crate) async fn commit_reserve(
        &self,
        mut draft: Box<Draft>,
        opened: &Opened,
        subject: Option<OperationId>,
        teller: &mut Teller,
    ) -> Result<Reserved, PaymentsError> {
        self.prepare(&mut draft, opened)?;
        let (sent, start) = (draft.to_send.clone(), self.start());
        match self.commit(&mut draft, Lane::Reserve).await? {
            Outcome::Committed { at } => {
                if sent.is_empty() {
                    let told = subject.map_or_else(|| done(&draft), |id| answered(&draft, id));
                    teller.tell(Ok(told));
                    return Ok(Reserved::Told);
                }
                self.note_reserved(&mut draft, &sent, at);
                Ok(Reserved::Run(Box::new(Run { draft, sent, start, detour: None })))
            }
            other => Ok(Reserved::Not(other)),
        }
    }
}

/// Captured at once, later or by hand: as the command says, else as the merchant has it. Money of a
/// method that cannot be held is taken at once where the command does not say otherwise.
fn captured_how(
    command: &CreatePayment,
    kind: Option<MethodKind>,
    merchant: &MerchantSettings,
) -> (CaptureMode, Option<u32>) {
    if command.capture_method.is_some() || command.capture_delay_seconds.is_some() {
        return (command.capture_method.unwrap_or(CaptureMode::Automatic), command.capture_delay_seconds);
    }
    let holdable = command.purpose == Purpose::Payment && kind != Some(MethodKind::Upi);
    if !holdable || (merchant.auto_capture && merchant.capture_delay_seconds.is_none()) {
        return (CaptureMode::Automatic, None);
    }
    if merchant.auto_capture {
        (CaptureMode::Automatic, merchant.capture_delay_seconds)
    } else {
        (CaptureMode::Manual, None)
    }
}

/// What is stored already, and what the reserve keeps because the command says so.
pub(crate) fn saved<'s>(
    source: Option<&'s Source>,
    opened: &Opened,
    ready: Option<&Ready>,
    summary: Option<&MethodSummary>,
    wish: &Wish,
    has_customer: bool,
) -> Result<(Option<&'s PaymentMethod>, Option<Keep>), Rejection> {
    let stored = source.and_then(Source::stored);
    if !wish.stores_credential {
        return Ok((stored, source.zip(ready).and_then(|(source, ready)| source.learned(ready))));
    }
    if !has_customer && stored.is_none_or(|method| method.customer.is_none()) {
        let message = "whose method is saved: `save_payment_method` needs a customer".to_owned();
        return Err(Rejection::Invalid { param: "/customer_id", message });
    }
    let kept = source.zip(ready).zip(summary);
    Ok((stored, kept.and_then(|((source, ready), summary)| source.kept(opened, ready, summary))))
}

/// Required by the payment, or from the merchant's threshold on; of a card whose payer is there.
fn three_d_secure(payment: &Payment, wish: &Wish, merchant: &MerchantSettings, card: bool) -> ThreeDSecure {
    let above = merchant.tds_threshold.is_some_and(|threshold| payment.amount.minor >= threshold);
    let asked = above || payment.three_d_secure == ThreeDSecure::Required;
    if asked && wish.initiator.is_customer() && card {
        ThreeDSecure::Required
    } else {
        ThreeDSecure::Automatic
    }
}

pub(crate) fn new_payment(
    id: Id<PaymentKind>,
    command: &CreatePayment,
    method: Option<MethodSummary>,
    customer: Option<CustomerLink>,
    now: kernel::Timestamp,
) -> Payment {
    Payment {
        id,
        amount: command.amount,
        purpose: command.purpose,
        capture_method: CaptureMode::Automatic,
        capture_delay_seconds: None,
        off_session: command.off_session.is_some(),
        three_d_secure: command.three_d_secure,
        payer: command.payer.clone(),
        customer,
        order_id: command.order_id.clone(),
        holds_order: false,
        allow_duplicate_order: command.allow_duplicate_order,
        description: command.description.clone(),
        statement_descriptor: command.statement_descriptor.clone(),
        customer_email: command.customer_email.clone(),
        metadata: command.metadata.clone(),
        return_url: command.return_url.clone(),
        callback_url: command.callback_url.clone(),
        form: command.form,
        method,
        method_id: None,
        amounts: Amounts::default(),
        charge: None,
        attempts: Vec::new(),
        refunds: Vec::new(),
        disputes: Vec::new(),
        open: Vec::new(),
        instrument: None,
        next: None,
        cancel: None,
        cancelled: false,
        last_error: None,
        expires_at: None,
        wakes_at: None,
        operations: 0,
        events: 0,
        created_at: now,
        updated_at: now,
        completed_at: None,
    }
}

/// The answer to a command that reserved nothing.
pub(crate) fn done(draft: &Draft) -> Answered {
    let waits = draft.payment.cancel.is_some();
    let verdict = if waits { Verdict::Accepted } else { Verdict::Done };
    Answered { verdict, payment: Box::new(draft.payment.clone()), refund: None, replayed: false }
}
