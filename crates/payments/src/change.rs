//! Capture, cancel and refund: the commands that change a charged payment.

use std::sync::Arc;

use kernel::{Claim, Id, Outcome};
use provider_kit::Capability;

use crate::account::Opened;
use crate::apply::waiting_claim;
use crate::capabilities::{check_capture, check_increment, check_refund, check_scenario};
use crate::command::{Answered, Caller, CapturePayment, IncrementPayment, RefundPayment};
use crate::decide;
use crate::draft::Draft;
use crate::give_up;
use crate::lock::Turn;
use crate::operation::WaitingClaim;
use crate::pay::{DECIDE_TRIES, Reserved};
use crate::payment::PaymentKind;
use crate::rejection::{PaymentsError, Rejection};
use crate::service::{Payments, Teller, draft_of, refused};

/// What a command decides in the draft, with the claim that will wait for it and the account of the
/// payment's charge; `None` if it has no charge.
type Decide =
    Box<dyn Fn(&mut Draft, Option<WaitingClaim>, Option<&Opened>) -> Result<(), Rejection> + Send + Sync>;

impl Payments {
    /// Takes held money, all or a part of it.
    pub async fn capture(
        self: &Arc<Self>,
        caller: &Caller,
        id: Id<PaymentKind>,
        command: CapturePayment,
        claim: Option<Claim>,
    ) -> Result<Answered, PaymentsError> {
        let decide: Decide = Box::new(move |draft, claim, opened| {
            check_capture(&draft.payment, command, opened)?;
            decide::capture(draft, command, claim).map(|_| ())
        });
        self.change(caller, id, "capture", claim, decide).await
    }

    /// Gives a payment up: releases what is held, or ends what is under way.
    pub async fn cancel(
        self: &Arc<Self>,
        caller: &Caller,
        id: Id<PaymentKind>,
        claim: Option<Claim>,
    ) -> Result<Answered, PaymentsError> {
        let decide: Decide = Box::new(|draft, claim, opened| {
            let upstream_can = opened.is_some_and(|opened| opened.can(Capability::Cancel));
            give_up::cancel(draft, claim, upstream_can)
        });
        self.change(caller, id, "cancel", claim, decide).await
    }

    /// Holds more than was authorized at first.
    pub async fn increment(
        self: &Arc<Self>,
        caller: &Caller,
        id: Id<PaymentKind>,
        command: IncrementPayment,
        claim: Option<Claim>,
    ) -> Result<Answered, PaymentsError> {
        let decide: Decide = Box::new(move |draft, claim, opened| {
            let profile = opened.map(Opened::profile);
            if let Some(opened) = opened.filter(|opened| !opened.can(Capability::Increment)) {
                let message = format!("{} cannot hold more on an authorization", opened.profile().name);
                return Err(Rejection::Invalid { param: "", message });
            }
            check_increment(&draft.payment, command.amount, profile)?;
            let most = profile.map(|profile| profile.limits.of(draft.payment.amount.currency).maximum);
            let total = draft.payment.amount.minor.saturating_add(command.amount);
            if let (Some(profile), Some(most)) = (profile, most.filter(|most| total > *most)) {
                let message = format!("{} holds at most {most} minor units at once", profile.name);
                return Err(Rejection::Invalid { param: "/amount", message });
            }
            decide::increment(draft, command, claim).map(|_| ())
        });
        self.change(caller, id, "increment", claim, decide).await
    }

    /// Gives taken money back, all or a part of it.
    pub async fn refund(
        self: &Arc<Self>,
        caller: &Caller,
        id: Id<PaymentKind>,
        command: RefundPayment,
        claim: Option<Claim>,
    ) -> Result<Answered, PaymentsError> {
        let decide: Decide = Box::new(move |draft, claim, opened| {
            check_refund(&draft.payment, &command, opened)?;
            decide::refund(draft, command.clone(), claim).map(|_| ())
        });
        self.change(caller, id, "refund", claim, decide).await
    }

    async fn change(
        self: &Arc<Self>,
        caller: &Caller,
        id: Id<PaymentKind>,
        name: &'static str,
        claim: Option<Claim>,
        decide: Decide,
    ) -> Result<Answered, PaymentsError> {
        let (this, caller, scope) = (Arc::clone(self), caller.clone(), caller.scope);
        self.answer_within(scope, id, name, |mut teller| {
            Box::pin(async move {
                if let Err(error) = this.change_now(&caller, id, claim.clone(), decide, &mut teller).await {
                    teller.tell(Box::pin(this.replay_or(claim.as_ref(), error)).await);
                }
            })
        })
        .await
    }

    async fn change_now(
        self: &Arc<Self>,
        caller: &Caller,
        id: Id<PaymentKind>,
        claim: Option<Claim>,
        decide: Decide,
        teller: &mut Teller,
    ) -> Result<(), PaymentsError> {
        for _ in 0..DECIDE_TRIES {
            let held = self.lock(id, Turn::Command).await?;
            let payment = self.payment(caller.scope, id).await?;
            let Some(charge) = payment.record.charge.clone() else {
                return self.change_uncharged(caller, payment, claim, &decide, teller).await;
            };
            let opened = self.accounts.pinned(caller.scope, charge.account).await?;
            check_scenario(caller, &opened)?;
            opened.check_room(self.settings.calls_at_once)?;
            let now = self.now(caller.scope).await?;
            let mut draft = draft_of(caller, payment, now, self.ids.uuid());
            if draft.payment.open_charge().is_some() {
                // Giving up a waiting charge ends that charge in the same settle.
                self.load_operations(&mut draft).await?;
            }
            draft.claim = claim.clone();
            decide(&mut draft, claim.as_ref().map(waiting_claim), Some(&opened))?;
            let subject = draft.to_send.first().copied();
            if let Some(increment) = subject.filter(|subject| subject.kind == crate::OperationKind::Increment)
            {
                let merchant = self.merchant(caller.scope).await?;
                self.count_volume(&mut draft, increment, &merchant).await?;
            }
            let currency = draft.payment.amount.currency;
            let answering = subject.map_or_else(|| id.to_string(), |subject| subject.to_string());
            draft.claim = claim.clone().map(|claim| Claim { operation: Some(answering), ..claim });
            let reserved = self.commit_reserve(draft, &opened, subject, teller).await?;
            drop(held);
            match reserved {
                Reserved::Told => return Ok(()),
                Reserved::Run(run) => return Box::pin(self.run(run, opened, teller)).await,
                Reserved::Not(Outcome::Conflict) => {}
                Reserved::Not(other) => return Err(self.refused_charge(caller.scope, currency, other).await),
            }
        }
        Err(PaymentsError::Busy)
    }

    /// A payment without a charge can only be cancelled, and nothing is sent for that.
    async fn change_uncharged(
        self: &Arc<Self>,
        caller: &Caller,
        payment: kernel::Versioned<crate::payment::Payment>,
        claim: Option<Claim>,
        decide: &Decide,
        teller: &mut Teller,
    ) -> Result<(), PaymentsError> {
        let id = payment.record.id;
        let now = self.now(caller.scope).await?;
        let mut draft = draft_of(caller, payment, now, self.ids.uuid());
        draft.claim = claim.clone().map(|claim| Claim { operation: Some(id.to_string()), ..claim });
        decide(&mut draft, claim.as_ref().map(waiting_claim), None)?;
        match self.commit(&mut draft, kernel::Lane::Reserve).await? {
            Outcome::Committed { .. } => {
                teller.tell(Ok(crate::pay::done(&draft)));
                Ok(())
            }
            other => Err(refused(other)),
        }
    }
}
