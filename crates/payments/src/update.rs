//! Update: what a merchant may change of a payment, and until when.

use std::sync::Arc;

use kernel::{Claim, Id, Lane, Money, Outcome};
use serde_json::json;

use crate::apply::waiting_claim;
use crate::command::{Answered, Caller, UpdatePayment, Verdict};
use crate::customer::CUSTOMER;
use crate::decide::AMOUNT_MAX;
use crate::lock::Turn;
use crate::patch::Patch;
use crate::pay::{DECIDE_TRIES, done};
use crate::payer::Payer;
use crate::payment::{CustomerLink, Payment, PaymentKind, Purpose};
use crate::rejection::{PaymentsError, Rejection};
use crate::service::{Payments, Teller, draft_of, refused};

impl Payments {
    /// Changes what a payment says of itself. Nothing is sent to any provider.
    pub async fn update(
        self: &Arc<Self>,
        caller: &Caller,
        id: Id<PaymentKind>,
        command: UpdatePayment,
        claim: Option<Claim>,
    ) -> Result<Answered, PaymentsError> {
        let (this, caller, scope) = (Arc::clone(self), caller.clone(), caller.scope);
        self.answer_within(scope, id, "update", |mut teller| {
            Box::pin(async move {
                if let Err(error) = this.update_now(&caller, id, &command, claim.clone(), &mut teller).await {
                    teller.tell(Box::pin(this.replay_or(claim.as_ref(), error)).await);
                }
            })
        })
        .await
    }

    async fn update_now(
        self: &Arc<Self>,
        caller: &Caller,
        id: Id<PaymentKind>,
        command: &UpdatePayment,
        claim: Option<Claim>,
        teller: &mut Teller,
    ) -> Result<(), PaymentsError> {
        let scope = caller.scope;
        for _ in 0..DECIDE_TRIES {
            let held = self.lock(id, Turn::Command).await?;
            let payment = self.payment(scope, id).await?;
            let now = self.now(scope).await?;
            let mut draft = draft_of(caller, payment, now, self.ids.uuid());
            let payer = self.customer(caller, command.customer.as_ref(), None).await?;
            draft.aside = payer.aside;
            let changed = update(&mut draft.payment, command, payer.link)?;
            draft.fact("payment.updated", json!({"fields": changed}));
            if let Some(claim) = &claim {
                draft.answer(waiting_claim(claim), Verdict::Done, None);
            }
            draft.claim = claim.clone().map(|claim| Claim { operation: Some(id.to_string()), ..claim });
            let outcome = self.commit(&mut draft, Lane::Reserve).await?;
            drop(held);
            match outcome {
                Outcome::Committed { .. } => {
                    teller.tell(Ok(Answered { verdict: Verdict::Done, ..done(&draft) }));
                    return Ok(());
                }
                Outcome::Conflict => {}
                // Somebody made the customer meanwhile: it is there now.
                Outcome::Duplicate(kernel::Duplicate::Row { table }) if table == CUSTOMER.name => {}
                other => return Err(refused(other)),
            }
        }
        Err(PaymentsError::Busy)
    }
}

/// Carries an update out; answers the names of the fields that changed. Values are for nobody's log.
fn update(
    payment: &mut Payment,
    command: &UpdatePayment,
    customer: Option<CustomerLink>,
) -> Result<Vec<&'static str>, Rejection> {
    let mut changed = before_charging(payment, command)?;
    let texts = [
        ("description", &command.description, &mut payment.description),
        ("statement_descriptor", &command.statement_descriptor, &mut payment.statement_descriptor),
        ("customer_email", &command.customer_email, &mut payment.customer_email),
        ("return_url", &command.return_url, &mut payment.return_url),
    ];
    changed.extend(texts.into_iter().filter_map(|(name, edit, field)| edit.changes(field).then_some(name)));
    if let Some(link) = customer.filter(|link| payment.customer.as_ref() != Some(link)) {
        payment.customer = Some(link);
        changed.push("customer_id");
    }
    if command.shipping_address != Patch::Keep {
        let mut payer = payment.payer.take().map_or_else(Payer::default, |payer| *payer);
        if command.shipping_address.changes(&mut payer.shipping_address) {
            changed.push("shipping_address");
        }
        payment.payer = payer.known();
    }
    let before = payment.metadata.clone();
    command.metadata.clone().merge(&mut payment.metadata)?;
    if payment.metadata != before {
        changed.push("metadata");
    }
    Ok(changed)
}

/// What is settled once the payment was charged for the first time.
fn before_charging(payment: &mut Payment, command: &UpdatePayment) -> Result<Vec<&'static str>, Rejection> {
    let is_settled = payment.charge.is_some() || payment.cancelled;
    let settled = |param| if is_settled { Err(Rejection::Settled { param }) } else { Ok(()) };
    let mut changed = Vec::new();
    let minor = command.amount.unwrap_or(payment.amount.minor);
    let currency = command.currency.unwrap_or(payment.amount.currency);
    if minor != payment.amount.minor {
        settled("/amount")?;
        if payment.purpose == Purpose::Verification || !(1..=AMOUNT_MAX).contains(&minor) {
            let message = "a payment is for 1 and more, a verification for 0".to_owned();
            return Err(Rejection::Invalid { param: "/amount", message });
        }
        changed.push("amount");
    }
    if currency != payment.amount.currency {
        settled("/currency")?;
        if payment.form == crate::payment::AnswerForm::Paisa {
            let message = "a payment in paisa is in INR".to_owned();
            return Err(Rejection::Invalid { param: "/currency", message });
        }
        changed.push("currency");
    }
    payment.amount = Money::new(minor, currency);
    let mut order_id = payment.order_id.clone();
    if command.order_id.changes(&mut order_id) {
        settled("/order_id")?;
        payment.order_id = order_id;
        changed.push("order_id");
    }
    Ok(changed)
}
