//! What the rules would do: with a payment that nobody makes, and with those that are over.

use kernel::{Actor, Brand, Money, Scope, Timestamp};
use provider_kit::{CaptureMode, MethodKind, ThreeDSecure};
use routing::{Candidate, Gate, Past, Rates, Replay, Report, Routes, decide};
use serde_json::{Map, Value, json};

use crate::capabilities::Asked;
use crate::command::Caller;
use crate::filter::PaymentFilter;
use crate::operation::OperationStatus;
use crate::payer::{Address, Payer};
use crate::payment::{CardSummary, MethodSummary, Payment, Purpose};
use crate::rejection::PaymentsError;
use crate::route::{Seeking, facts};
use crate::service::Payments;

/// How many payments are read at once.
const PAGE: u32 = 100;

/// A payment that nobody makes.
#[derive(Clone, Debug)]
pub struct Hypothetical {
    /// How much.
    pub amount: Money,
    /// With what.
    pub method: MethodKind,
    /// The card's scheme.
    pub brand: Option<Brand>,
    /// The first six digits of the card's number.
    pub bin: Option<String>,
    /// Where the bill goes: ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// What the merchant writes on it.
    pub metadata: Map<String, Value>,
    /// The provider or account that it names.
    pub provider: Option<String>,
}

impl Payments {
    /// Which account would charge, and why: by `routes`, or by the rules that hold. Health and success
    /// rates are each node's own memory, so the answer is what a node that has just started would do.
    pub async fn explain_route(
        &self,
        scope: Scope,
        payment: &Hypothetical,
        routes: Option<&Routes>,
    ) -> Result<Value, PaymentsError> {
        let merchant = self.merchant(scope).await?;
        let preferred = merchant.default_provider.as_deref();
        let routes = routes.or(merchant.routes.as_deref());
        let by_default = |by: &str, name: &str, id| {
            let order = json!([{"account": name, "account_id": id, "because": by}]);
            json!({"decided_by": by, "order": order})
        };
        let Some(routes) = routes.filter(|_| payment.provider.is_none()) else {
            let picked = self.accounts.pick(scope, payment.provider.as_deref(), preferred).await?;
            let by = if payment.provider.is_some() { "the request" } else { "default" };
            return Ok(by_default(by, picked.account.name(), picked.account.id));
        };
        let accounts = self.accounts.enabled(scope, preferred).await?;
        let (caller, payer, summary) = (nobody(scope), payer(payment), summary(payment));
        let seeking = Seeking {
            caller: &caller,
            source: None,
            summary: Some(&summary),
            provider: None,
            waiting_at: None,
            asked: asked(payment.amount, Some(payment.method)),
            payer: Some(&payer),
            metadata: &payment.metadata,
        };
        let barred: Vec<Option<String>> =
            accounts.iter().map(|opened| self.barred(&seeking, None, opened)).collect();
        let candidates: Vec<Candidate<'_>> = accounts
            .iter()
            .zip(&barred)
            .map(|(opened, barred)| Candidate {
                name: opened.account.name(),
                id: opened.account.id,
                barred: barred.as_deref(),
                gate: Gate::Closed,
            })
            .collect();
        let decision = decide(routes, &facts(&seeking), &candidates, &Rates::default(), || self.draw());
        let mut told = decision.to_json(&candidates);
        if let Some(told) = told.as_object_mut() {
            told.insert(
                "decided_by".to_owned(),
                if decision.rule.is_some() { "rules" } else { "default" }.into(),
            );
            let after: Vec<&str> = routes.fallback.after.iter().filter_map(|ended| ended.word()).collect();
            told.insert("fallback".to_owned(), json!({"attempts": routes.fallback.attempts, "after": after}));
        }
        Ok(told)
    }

    /// What rules would have made of the newest payments of a world that are over, by their first
    /// attempts. Reads at most `most` payments, made at `from` or later; `progress` hears how many were.
    pub async fn replay_routes(
        &self,
        scope: Scope,
        routes: &Routes,
        from: Option<Timestamp>,
        most: usize,
        mut progress: impl FnMut(usize),
    ) -> Result<Report, PaymentsError> {
        let merchant = self.merchant(scope).await?;
        let accounts = self.accounts.enabled(scope, merchant.default_provider.as_deref()).await?;
        let mut payments: Vec<Payment> = Vec::new();
        let mut after = None;
        while payments.len() < most {
            let filter = PaymentFilter { created_from: from, ..PaymentFilter::default() };
            let page = self.list_by(scope, filter, after, PAGE).await?;
            payments.extend(page.items.into_iter().filter(|payment| first_attempt(payment).is_some()));
            progress(payments.len().min(most));
            let Some(next) = page.next else { break };
            after = Some(kernel::Id::from_uuid(next));
        }
        payments.truncate(most);
        // Oldest first: what was learned then, was learned in that order.
        payments.reverse();
        let caller = nobody(scope);
        let seekings: Vec<Seeking<'_>> = payments.iter().map(|payment| seeking(&caller, payment)).collect();
        let pasts: Vec<(&Seeking<'_>, Past<'_>)> = payments
            .iter()
            .zip(&seekings)
            .filter_map(|(payment, seeking)| Some((seeking, past(payment, seeking)?)))
            .collect();
        let mut replay = Replay::new(routes);
        for (_, past) in &pasts {
            replay.observe(past);
        }
        for (seeking, past) in &pasts {
            let barred: Vec<Option<String>> =
                accounts.iter().map(|opened| self.barred(seeking, None, opened)).collect();
            let candidates: Vec<Candidate<'_>> = accounts
                .iter()
                .zip(&barred)
                .map(|(opened, barred)| Candidate {
                    name: opened.account.name(),
                    id: opened.account.id,
                    barred: barred.as_deref(),
                    gate: Gate::Closed,
                })
                .collect();
            replay.judge(past, &candidates, || self.draw());
        }
        Ok(replay.finish())
    }
}

/// On nobody's behalf.
fn nobody(scope: Scope) -> Caller {
    Caller { scope, actor: Actor::Node, trace_id: None, scenario: None }
}

fn payer(payment: &Hypothetical) -> Payer {
    let billing = Address { country: payment.country.clone(), ..Address::default() };
    Payer { billing_address: Some(billing), ..Payer::default() }
}

fn summary(payment: &Hypothetical) -> MethodSummary {
    match payment.method {
        MethodKind::Upi => MethodSummary::Upi { vpa: None },
        MethodKind::Paypal => MethodSummary::Paypal,
        MethodKind::Checkout | MethodKind::NetBanking | MethodKind::Wallet | MethodKind::Emi => {
            MethodSummary::Hosted { method: payment.method, at: None }
        }
        MethodKind::Card => {
            let (brand, bin) = (payment.brand, payment.bin.clone());
            MethodSummary::Card(CardSummary { brand, bin, ..CardSummary::default() })
        }
    }
}

const fn asked(amount: Money, kind: Option<MethodKind>) -> Asked {
    Asked {
        kind,
        amount,
        purpose: Purpose::Payment,
        capture_method: CaptureMode::Automatic,
        capture_delay_seconds: None,
        three_d_secure: ThreeDSecure::Automatic,
    }
}

fn seeking<'a>(caller: &'a Caller, payment: &'a Payment) -> Seeking<'a> {
    Seeking {
        caller,
        source: None,
        summary: payment.method.as_ref(),
        provider: None,
        waiting_at: None,
        asked: Asked {
            purpose: payment.purpose,
            capture_method: payment.capture_method,
            capture_delay_seconds: payment.capture_delay_seconds,
            three_d_secure: payment.three_d_secure,
            ..asked(payment.amount, payment.method.as_ref().map(MethodSummary::kind))
        },
        payer: payment.payer.as_deref(),
        metadata: &payment.metadata,
    }
}

/// The first attempt of a payment, if it is over: what came of a later one was another's doing.
fn first_attempt(payment: &Payment) -> Option<&crate::payment::Attempt> {
    let is_over = |status| {
        matches!(status, OperationStatus::Succeeded | OperationStatus::Declined | OperationStatus::NotDone)
    };
    payment.attempts.first().filter(|attempt| is_over(attempt.status))
}

fn past<'a>(payment: &'a Payment, seeking: &Seeking<'a>) -> Option<Past<'a>> {
    let first = first_attempt(payment)?;
    let charge = payment.charge.as_ref().filter(|charge| charge.operation == first.operation);
    Some(Past {
        facts: facts(seeking),
        account: first.account,
        succeeded: first.status == OperationStatus::Succeeded,
        fee: charge.and_then(|charge| charge.fee),
    })
}
