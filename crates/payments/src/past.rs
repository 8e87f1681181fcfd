//! Payments of the past, written whole: for filling a store with history that a load test or a demo
//! needs.
//!
//! They go through the model like every other payment, so that events, postings and references are what
//! they would have been; only nothing is sent, and one commit holds the whole story.

use kernel::{Actor, Changes, Claim, Duplicate, Id, Lane, Money, Outcome, RecordError, Scope, Timestamp};
use provider_kit::{
    Approved, CaptureMode, Decline, DeclineCode, Initiator, Instrument, Outcome as Told, ThreeDSecure,
};
use serde_json::json;
use std::time::Duration;
use uuid::Uuid;

use crate::account::Opened;
use crate::apply::{Report, apply};
use crate::command::{CreatePayment, RefundPayment};
use crate::customer::{Customer, CustomerKind};
use crate::decide::{self, ChargeOrder, Pin};
use crate::draft::Draft;
use crate::operation::{OperationId, WaitingClaim};
use crate::pay::new_payment;
use crate::payment::{AnswerForm, CardSummary, CustomerLink, MethodSummary, PaymentKind, Purpose};
use crate::rejection::{PaymentsError, Rejection};
use crate::search::{PaymentRow, refund_row};
use crate::service::{Payments, policy, refused};

/// How a payment of the past ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PastEnd {
    /// Its money was taken.
    Paid,
    /// The card was declined.
    Declined,
    /// It was paid, and so much of it was given back.
    Refunded(i64),
}

/// A payment of the past.
#[derive(Clone, Debug)]
pub struct PastPayment {
    /// Its id, of the time at which it was made.
    pub id: Id<PaymentKind>,
    /// When it was made.
    pub at: Timestamp,
    /// How much.
    pub amount: Money,
    /// The card, as it may be shown.
    pub card: CardSummary,
    /// Who paid: our id and the merchant's reference.
    pub customer: Option<(Id<CustomerKind>, String)>,
    /// Whether the customer is to be made with it.
    pub makes_customer: bool,
    /// The merchant's order.
    pub order_id: Option<String>,
    /// How it ended.
    pub end: PastEnd,
    /// Its idempotency key, while that is kept.
    pub key: Option<String>,
    /// A number of its own, of which ids and references are made.
    pub seed: u64,
}

impl Payments {
    /// Writes a payment of the past, its rows for lists and search included. `false` if it is there.
    pub async fn write_past(&self, scope: Scope, past: PastPayment) -> Result<bool, PaymentsError> {
        let accounts = self.accounts.of(scope).await?;
        let none = || Rejection::NoProviderAccount("this world has no provider account".to_owned());
        let opened = accounts.first().ok_or_else(none)?;
        let merchant = self.merchant(scope).await?;
        let policy = policy(&self.settings, opened, &merchant, None);
        let mut draft = begun(scope, &past);
        let claim = past.key.as_ref().map(|key| WaitingClaim { key: key.clone(), route: ROUTE.to_owned() });
        let charge = decide::charge(&mut draft, order(opened, &past, claim))?;
        draft.claim = past.key.clone().map(|key| claim_of(scope, key, charge));
        let told = match past.end {
            PastEnd::Declined => Told::Declined(Decline::of(DeclineCode::InsufficientFunds)),
            PastEnd::Paid | PastEnd::Refunded(_) => approved(past.amount, past.seed, "ch"),
        };
        apply(&mut draft, charge, &Report::Told(told), &policy)?;
        if let PastEnd::Refunded(minor) = past.end {
            draft.now = draft.now.plus(Duration::from_hours(30));
            let command = RefundPayment { amount: Some(minor), ..RefundPayment::default() };
            let refund = decide::refund(&mut draft, command, None)?;
            let told = approved(Money::new(minor, past.amount.currency), past.seed, "re");
            apply(&mut draft, refund, &Report::Told(told), &policy)?;
        }
        // It is over: nothing wakes it up.
        (draft.payment.expires_at, draft.payment.wakes_at) = (None, None);
        let changes = self.past_changes(&mut draft, &past)?;
        match self.store.commit(changes).await {
            Outcome::Committed { .. } => {}
            Outcome::Duplicate(Duplicate::Row { .. } | Duplicate::Claim) => return Ok(false),
            other => return Err(refused(other)),
        }
        // Faster than by the journal, which finds what a kill leaves out here.
        match self.search.commit(self.search_rows(&draft)).await {
            Outcome::Committed { .. } | Outcome::Duplicate(_) => Ok(true),
            other => Err(refused(other)),
        }
    }

    fn search_rows(&self, draft: &Draft) -> Changes {
        let scope = draft.scope;
        let mut changes = Changes::new(self.ids.uuid(), Lane::Background);
        let row = PaymentRow::of(&draft.payment, self.vault.keys(scope.mode).ok());
        changes.insert.push(row.insert(scope));
        changes.insert.extend(draft.refunds.iter().map(|refund| refund_row(scope, &refund.record)));
        changes
    }

    fn past_changes(&self, draft: &mut Draft, past: &PastPayment) -> Result<Changes, RecordError> {
        let scope = draft.scope;
        let mut changes = draft.finish(Lane::Background, self.ids.as_ref(), self.random.as_ref())?;
        changes.enqueue.clear();
        // An order that was taken and let go within one story was never taken.
        let let_go = std::mem::take(&mut changes.remove);
        changes.insert.retain(|insert| {
            let same = |gone: &kernel::Remove| gone.table.name == insert.table.name && gone.key == insert.key;
            !let_go.iter().any(same)
        });
        if let Some((id, reference)) = past.customer.clone().filter(|_| past.makes_customer) {
            changes.insert(scope, &Customer::new(id, Some(reference), past.at))?;
        }
        Ok(changes)
    }
}

const ROUTE: &str = "POST /payments";

fn begun(scope: Scope, past: &PastPayment) -> Box<Draft> {
    let command = CreatePayment {
        amount: past.amount,
        purpose: Purpose::Payment,
        capture_method: None,
        confirm: true,
        method: None,
        customer: None,
        order_id: past.order_id.clone(),
        allow_duplicate_order: false,
        provider: None,
        description: None,
        statement_descriptor: None,
        customer_email: None,
        metadata: serde_json::Map::new(),
        return_url: None,
        callback_url: None,
        form: AnswerForm::Canonical,
        capture_delay_seconds: None,
        off_session: None,
        stores_credential: false,
        three_d_secure: ThreeDSecure::default(),
        payer: None,
    };
    let customer = past.customer.clone();
    let link = customer.map(|(id, reference)| CustomerLink { id, reference: Some(reference) });
    let method = Some(MethodSummary::Card(past.card.clone()));
    let mut payment = new_payment(past.id, &command, method, link, past.at);
    payment.capture_method = CaptureMode::Automatic;
    let fresh = Uuid::from_u128(past.id.uuid().as_u128() ^ u128::from(past.seed | 1));
    let mut draft = Draft::of_new(scope, past.at, Actor::Node, payment, fresh);
    let facts = json!({"amount": past.amount.minor, "currency": past.amount.currency});
    draft.fact("payment.created", facts);
    draft
}

fn order(opened: &Opened, past: &PastPayment, claim: Option<WaitingClaim>) -> ChargeOrder {
    ChargeOrder {
        pin: Pin::from(&opened.account),
        instrument: Instrument::CardToken { token: format!("tok_{:016x}", past.seed) },
        return_url: String::new(),
        expires_in: Duration::from_hours(24),
        initiator: Initiator::Customer,
        stores_credential: false,
        three_d_secure: ThreeDSecure::default(),
        claim,
        rule: None,
    }
}

fn claim_of(scope: Scope, key: String, charge: OperationId) -> Claim {
    let operation = Some(charge.to_string());
    Claim { scope, key, route: ROUTE.into(), mac: vec![0; 32], mac_before: None, operation, answer: None }
}

fn approved(amount: Money, seed: u64, prefix: &str) -> Told {
    Told::Approved(Approved {
        network_transaction_id: (prefix == "ch").then(|| format!("nti_{seed:016x}")),
        ..Approved::of(amount, format!("sbx_{prefix}_{seed:016x}"))
    })
}
