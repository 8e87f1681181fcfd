//! Confirm: charges a payment that was made before, with the method that it has or with another.

use std::sync::Arc;

use kernel::{Claim, Id, Outcome, Versioned};
use provider_kit::Capability;

use crate::apply::waiting_claim;
use crate::capabilities::{Asked, check, check_scenario};
use crate::command::{Answered, Caller, ConfirmPayment, CustomerRef};
use crate::customers::Keep;
use crate::draft::Draft;
use crate::instrument::{Ready, Source};
use crate::lock::Turn;
use crate::method::PaymentMethodKind;
use crate::next_charge::{self, NextCharge};
use crate::operation::{OperationId, OperationStatus};
use crate::pay::{DECIDE_TRIES, Reserved, Wish, saved};
use crate::payment::{MethodSummary, OpenOperation, Payment, PaymentKind};
use crate::rejection::{PaymentsError, Rejection};
use crate::route::{Detour, Route, Seeking};
use crate::service::{Payments, Teller, draft_of};

/// What a confirm charges.
struct Confirmed {
    route: Route,
    source: Option<Source>,
    /// The method is the payment's own, given when it was made.
    is_own: bool,
    /// The stored method that is charged.
    stored: Option<Id<PaymentMethodKind>>,
    ready: Ready,
    summary: MethodSummary,
    wish: Wish,
    /// What the reserve keeps, because the command says so; and of whom.
    keep: Option<Keep>,
    named: Option<CustomerRef>,
}

impl Payments {
    /// Charges a payment that was never charged, or whose last charge failed. If the last charge still
    /// waits for the customer, it is given up at the provider first.
    pub async fn confirm(
        self: &Arc<Self>,
        caller: &Caller,
        id: Id<PaymentKind>,
        command: ConfirmPayment,
        claim: Option<Claim>,
    ) -> Result<Answered, PaymentsError> {
        let (this, caller, scope) = (Arc::clone(self), caller.clone(), caller.scope);
        self.answer_within(scope, id, "confirm", |mut teller| {
            Box::pin(async move {
                if let Err(error) = this.confirm_now(&caller, id, command, claim.clone(), &mut teller).await {
                    teller.tell(Box::pin(this.replay_or(claim.as_ref(), error)).await);
                }
            })
        })
        .await
    }

    async fn confirm_now(
        self: &Arc<Self>,
        caller: &Caller,
        id: Id<PaymentKind>,
        command: ConfirmPayment,
        claim: Option<Claim>,
        teller: &mut Teller,
    ) -> Result<(), PaymentsError> {
        let before = self.payment(caller.scope, id).await?.record;
        let mut confirmed = self.confirmed(caller, &before, &command).await?;
        let mut detour = Detour::of(&mut confirmed.route, confirmed.source.take(), &confirmed.wish);
        let opened = Arc::clone(&confirmed.route.opened);
        for _ in 0..DECIDE_TRIES {
            let held = self.lock(id, Turn::Command).await?;
            let payment = self.payment(caller.scope, id).await?;
            let (mut draft, subject) =
                self.decide_confirm(caller, payment, &confirmed, &command, claim.as_ref()).await?;
            draft.claim = claim.clone().map(|claim| Claim { operation: Some(subject.to_string()), ..claim });
            let reserved = self.commit_reserve(draft, &opened, Some(subject), teller).await?;
            drop(held);
            match reserved {
                Reserved::Told => return Ok(()),
                Reserved::Run(mut run) => {
                    run.detour = detour.take().filter(|_| subject.kind.is_charge());
                    return Box::pin(self.run(run, opened, teller)).await;
                }
                Reserved::Not(Outcome::Conflict) => {}
                Reserved::Not(other) => {
                    return Err(self.refused_charge(caller.scope, before.amount.currency, other).await);
                }
            }
        }
        Err(PaymentsError::Busy)
    }

    /// The account and the instrument: the ones given with the confirm, or else the payment's own.
    async fn confirmed(
        &self,
        caller: &Caller,
        before: &Payment,
        command: &ConfirmPayment,
    ) -> Result<Confirmed, PaymentsError> {
        let scope = caller.scope;
        let off = command.off_session.as_ref();
        let named = before.customer.as_ref().map(|customer| CustomerRef::Id(customer.id));
        let source = match (&command.method, &before.instrument, &before.method) {
            (None, Some(pinned), Some(summary)) => {
                self.check_still_stored(scope, before).await?;
                Some(Source::Own(pinned.clone(), summary.clone()))
            }
            (method, ..) => self.source(scope, method.as_ref(), named.as_ref(), off.is_some()).await?,
        };
        let Some(source) = source else {
            let message = "`payment_method` is needed: this payment has none of its own".to_owned();
            return Err(Rejection::Invalid { param: "/payment_method", message }.into());
        };
        let summary = self.summary(scope, &source);
        let seeking = Seeking {
            caller,
            source: Some(&source),
            summary: Some(&summary),
            provider: command.provider.as_deref(),
            waiting_at: before.open_charge().and(before.charge.as_ref()).map(|charge| charge.account),
            asked: Asked {
                kind: Some(source.kind()),
                amount: before.amount,
                purpose: before.purpose,
                capture_method: before.capture_method,
                capture_delay_seconds: before.capture_delay_seconds,
                three_d_secure: command.three_d_secure.unwrap_or(before.three_d_secure),
            },
            payer: command.payer.as_deref().or(before.payer.as_deref()),
            metadata: &before.metadata,
        };
        let merchant = self.merchant(scope).await?;
        let mut route = self.route(&seeking, &merchant).await?;
        check_scenario(caller, &route.opened)?;
        check(&seeking.asked, &route.opened)?;
        let (initiator, stores_credential) = (source.initiator(off), command.stores_credential);
        let wish = Wish { initiator, stores_credential, rule: route.rule() };
        let ready = self.ready_on(&mut route, before.id, &source).await?;
        let (stored, keep) =
            saved(Some(&source), &route.opened, Some(&ready), Some(&summary), &wish, named.is_some())?;
        let keep = self.keep_card(scope, Some(&source), keep).await?;
        let owner = stored.and_then(|method| method.customer);
        let named = named.or_else(|| owner.map(CustomerRef::Id));
        let stored = stored.map(|method| method.id);
        let is_own = matches!(source, Source::Own(..));
        Ok(Confirmed { route, source: Some(source), is_own, stored, ready, summary, wish, keep, named })
    }

    /// Reserves the charge; or, while the last one waits for the customer, first its giving up.
    async fn decide_confirm(
        &self,
        caller: &Caller,
        payment: Versioned<Payment>,
        confirmed: &Confirmed,
        command: &ConfirmPayment,
        claim: Option<&Claim>,
    ) -> Result<(Box<Draft>, OperationId), PaymentsError> {
        let now = self.now(caller.scope).await?;
        let mut draft = draft_of(caller, payment, now, self.ids.uuid());
        let Confirmed { route, ready, summary, wish, keep, named, .. } = confirmed;
        let opened = &route.opened;
        amend(&mut draft.payment, command);
        let mut method_id = if confirmed.is_own {
            draft.payment.method_id
        } else {
            draft.payment.instrument = None;
            confirmed.stored
        };
        route.tell(&mut draft);
        if keep.is_some() || draft.payment.customer.is_none() {
            let payer = self.customer(caller, named.as_ref(), keep.as_ref()).await?;
            draft.payment.customer = draft.payment.customer.take().or(payer.link);
            draft.aside = payer.aside;
            method_id = method_id.or(payer.kept.filter(|_| keep.is_some()));
        }
        let waiting = claim.map(waiting_claim);
        let waits = |open: &&OpenOperation| open.status == OperationStatus::ActionRequired;
        let gives_up = opened.provider.profile().can(Capability::Cancel);
        if gives_up && draft.payment.open_charge().as_ref().is_some_and(waits) {
            if ready.failure.is_some() {
                let message =
                    "the provider does not take this method; the charge that waits goes on".to_owned();
                return Err(Rejection::Invalid { param: "/payment_method", message }.into());
            }
            let merchant = self.merchant(caller.scope).await?;
            let order = self.order(&draft, opened, ready, wish, &merchant, waiting)?;
            let scenario = draft.scenario.take();
            let next = NextCharge { order, method: summary.clone(), method_id, scenario };
            // The settle that ends the open charge changes it.
            self.load_operations(&mut draft).await?;
            let cancel = next_charge::supersede(&mut draft, next)?;
            return Ok((draft, cancel));
        }
        (draft.payment.method, draft.payment.method_id) = (Some(summary.clone()), method_id);
        let charge = self.reserve_charge(&mut draft, opened, ready, wish, waiting).await?;
        Ok((draft, charge))
    }
}

/// What a confirm says anew.
fn amend(payment: &mut Payment, command: &ConfirmPayment) {
    if let Some(url) = &command.return_url {
        payment.return_url = Some(url.clone());
    }
    if let Some(wanted) = command.three_d_secure {
        payment.three_d_secure = wanted;
    }
    payment.off_session = command.off_session.is_some();
    if let Some(known) = &command.payer {
        payment.payer.get_or_insert_default().learn(known);
    }
}
