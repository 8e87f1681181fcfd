//! Which account charges: the rules are asked, and where they name several, the next one is tried when
//! that is safe.
//!
//! What is learned of accounts (health, success rates) is memory of this process: each node learns by
//! itself, and nothing of it is written down.

use std::collections::VecDeque;
use std::sync::Arc;

use kernel::{Id, Monotonic};
use parking_lot::Mutex;
use provider_kit::{Account, Advice, DeclineCode, MethodKind, Outcome as Told};
use routing::{Candidate, Ended, Facts, Health, Rates, Routes, bin_number, decide};
use serde_json::{Map, Value, json};

use crate::account::Opened;
use crate::apply::Report;
use crate::capabilities::{Asked, check, check_scenario};
use crate::command::{Caller, MethodInput};
use crate::draft::Draft;
use crate::instrument::{Ready, Source};
use crate::operation::{OperationId, OperationStatus};
use crate::pay::Wish;
use crate::payer::Payer;
use crate::payment::{MethodSummary, PaymentKind};
use crate::rejection::PaymentsError;
use crate::service::Payments;
use crate::settings::MerchantSettings;
use crate::successor::Successor;

/// What this node has learned of accounts.
#[derive(Default)]
pub(crate) struct Learned(Mutex<(Health, Rates)>);

/// A payment that an account is looked for.
pub(crate) struct Seeking<'a> {
    pub(crate) caller: &'a Caller,
    pub(crate) source: Option<&'a Source>,
    pub(crate) summary: Option<&'a MethodSummary>,
    /// The provider or account that the command names.
    pub(crate) provider: Option<&'a str>,
    /// Where a charge of the payment waits for the customer: one that replaces it is made there.
    pub(crate) waiting_at: Option<Id<Account>>,
    pub(crate) asked: Asked,
    pub(crate) payer: Option<&'a Payer>,
    pub(crate) metadata: &'a Map<String, Value>,
}

/// The account that charges, and what the rules said if they were asked.
pub(crate) struct Route {
    pub(crate) opened: Arc<Opened>,
    pub(crate) routed: Option<Box<Routed>>,
    /// For the timeline.
    note: Option<Value>,
}

/// A decision of the rules, and what is left of it.
pub(crate) struct Routed {
    routes: Arc<Routes>,
    /// The rule that fitted.
    rule: Option<String>,
    method: MethodKind,
    /// The accounts that come next.
    left: VecDeque<Arc<Opened>>,
    tried: usize,
}

/// What a charge needs to be tried at another account: kept by the task that sends it, and nowhere else.
pub(crate) struct Detour {
    routed: Box<Routed>,
    /// `None` where no other account may follow.
    source: Option<Source>,
    wish: Wish,
}

impl Route {
    pub(crate) const fn straight(opened: Arc<Opened>) -> Self {
        Self { opened, routed: None, note: None }
    }

    /// Goes on to the next account, because this one made no token; tells so.
    fn pass(&mut self, next: Arc<Opened>, ended: Ended) {
        let passed = std::mem::replace(&mut self.opened, next);
        let why = format!("its token was {}", ended.word().unwrap_or("declined"));
        let passed = json!({"account": passed.account.name(), "because": why});
        if let Some(note) = self.note.as_mut().and_then(Value::as_object_mut) {
            let list = note.entry("not_reached").or_insert_with(|| Value::Array(Vec::new()));
            if let Some(list) = list.as_array_mut() {
                list.push(passed);
            }
        }
    }

    /// The rule that chose.
    pub(crate) fn rule(&self) -> Option<String> {
        self.routed.as_ref().and_then(|routed| routed.rule.clone())
    }

    /// Tells the timeline why this account.
    pub(crate) fn tell(&self, draft: &mut Draft) {
        if let Some(note) = &self.note {
            draft.fact("payment.routed", note.clone());
        }
    }
}

impl Routed {
    /// The next account, if another may be tried after one that ended so.
    fn next(&mut self, ended: Ended) -> Option<Arc<Opened>> {
        if !self.routes.fallback.allows(self.tried, ended) {
            return None;
        }
        let next = self.left.pop_front()?;
        self.tried += 1;
        Some(next)
    }

    /// Whether another account could be tried at all.
    fn has_more(&self) -> bool {
        !self.left.is_empty() && self.tried < usize::from(self.routes.fallback.attempts)
    }
}

impl Detour {
    /// Of what a charge was reserved with; `None` where no other account may follow. A charge that saves
    /// its method stays where the method is saved: elsewhere the token that is kept would stay unused.
    pub(crate) fn of(route: &mut Route, source: Option<Source>, wish: &Wish) -> Option<Box<Self>> {
        let mut routed = route.routed.take()?;
        if wish.stores_credential {
            routed.left.clear();
        }
        // What may follow waits for what comes of this one; a card is in memory for no longer than that.
        let source = source.filter(|_| routed.has_more());
        Some(Box::new(Self { routed, source, wish: wish.clone() }))
    }
}

/// How a charge ended without money, by the word of the one send that there was. `None` for everything
/// that is no proof: what was perhaps sent is looked up, and nobody else is asked meanwhile.
pub(crate) fn ended(report: &Report, maybe_sent: bool) -> Option<Ended> {
    if maybe_sent {
        return None;
    }
    match report {
        Report::NotSent(_) => Some(Ended::NotSent),
        Report::Told(Told::Refused { .. }) => Some(Ended::Refused),
        Report::Told(Told::Declined(decline)) => {
            let given_up = matches!(decline.code, DeclineCode::Expired | DeclineCode::Cancelled);
            let again = decline.advice == Advice::RetryNow && !given_up;
            Some(if again { Ended::Retryable } else { Ended::Declined })
        }
        Report::MaybeSent(_) | Report::Told(_) | Report::Decided(_) => None,
    }
}

impl Payments {
    /// The account that charges. The rules are asked where there are any, more accounts than one, and a
    /// method that any account could take: a provider's own token is good at one alone, and a command
    /// that names a provider has decided already.
    pub(crate) async fn route(
        &self,
        seeking: &Seeking<'_>,
        merchant: &MerchantSettings,
    ) -> Result<Route, PaymentsError> {
        let scope = seeking.caller.scope;
        let preferred = merchant.default_provider.as_deref();
        if let (Some(routes), Some(source), None) = (&merchant.routes, seeking.source, seeking.provider)
            && !matches!(
                source,
                Source::Own(..)
                    | Source::Given(MethodInput::Token(_) | MethodInput::Paypal { token: Some(_) })
            )
        {
            if let Some(account) = seeking.waiting_at {
                return Ok(Route::straight(Box::pin(self.accounts.pinned(scope, account)).await?));
            }
            let accounts = Box::pin(self.accounts.enabled(scope, preferred)).await?;
            if accounts.len() > 1
                && let Some(route) = self.ask_rules(routes, seeking, source, &accounts)
            {
                return Ok(route);
            }
        }
        let opened = self.account_for(scope, seeking.source, seeking.provider, preferred).await?;
        Ok(Route::straight(opened))
    }

    fn ask_rules(
        &self,
        routes: &Arc<Routes>,
        seeking: &Seeking<'_>,
        source: &Source,
        accounts: &[Arc<Opened>],
    ) -> Option<Route> {
        let method = source.kind();
        let barred: Vec<Option<String>> =
            accounts.iter().map(|opened| self.barred(seeking, Some(source), opened)).collect();
        let now = self.clock.monotonic();
        let mut learned = self.learned.0.lock();
        let (health, rates) = &mut *learned;
        let candidates: Vec<Candidate<'_>> = accounts
            .iter()
            .zip(&barred)
            .map(|(opened, barred)| Candidate {
                name: opened.account.name(),
                id: opened.account.id,
                barred: barred.as_deref(),
                gate: health.gate(opened.account.id, method, now),
            })
            .collect();
        let decision = decide(routes, &facts(seeking), &candidates, rates, || self.draw());
        let note = decision.to_json(&candidates);
        let rule = decision.rule.map(|rule| rule.name.clone());
        let mut ranked = decision.ranked.iter().filter_map(|ranked| accounts.get(ranked.place).cloned());
        let opened = ranked.next()?;
        let left: VecDeque<Arc<Opened>> = ranked.collect();
        health.probe(opened.account.id, method, now, &routes.health);
        drop(learned);
        let decided = Routed { routes: Arc::clone(routes), rule, method, left, tried: 1 };
        Some(Route { opened, routed: Some(Box::new(decided)), note: Some(note) })
    }

    /// A random number.
    pub(crate) fn draw(&self) -> u64 {
        let mut random = [0; 8];
        self.random.fill(&mut random);
        u64::from_le_bytes(random)
    }

    /// Why an account cannot charge this payment, if it cannot.
    pub(crate) fn barred(
        &self,
        seeking: &Seeking<'_>,
        source: Option<&Source>,
        opened: &Opened,
    ) -> Option<String> {
        if opened.check_room(self.settings.calls_at_once).is_err() {
            return Some("too many of its calls are under way".to_owned());
        }
        if let Some(method) = source.and_then(Source::stored)
            && !method.is_known_at(opened.account.id)
            && !self.can_tokenize(method, opened)
        {
            return Some("it has no token of the stored method".to_owned());
        }
        let allowed = check_scenario(seeking.caller, opened).and_then(|()| check(&seeking.asked, opened));
        allowed.err().map(|rejection| rejection.to_string())
    }

    /// Judges the instrument at the route's account; where that makes no token of it, at the next one. No
    /// money moves here, so it may be asked of as many as the rules allow.
    pub(crate) async fn ready_on(
        &self,
        route: &mut Route,
        id: Id<PaymentKind>,
        source: &Source,
    ) -> Result<Ready, PaymentsError> {
        loop {
            let began = self.clock.monotonic();
            let ready = self.ready(&route.opened, id, source).await?;
            let (Some(routed), Some(failure)) = (&mut route.routed, &ready.failure) else {
                return Ok(ready);
            };
            self.note_call(routed, &route.opened, failure, began);
            let ended = ended(failure, false);
            let Some((ended, next)) = ended.and_then(|ended| Some((ended, routed.next(ended)?))) else {
                return Ok(ready);
            };
            route.pass(next, ended);
        }
    }

    /// After a charge that ended without money: prepares another account to follow it, in the commit that
    /// settles it. Whether it does is decided there, under the payment's lock.
    pub(crate) async fn offer(
        &self,
        draft: &mut Draft,
        detour: &mut Detour,
        opened: &Opened,
        id: OperationId,
        report: &Report,
        began: Monotonic,
    ) {
        self.note_call(&detour.routed, opened, report, began);
        let maybe_sent = draft.operation(id).is_none_or(|operation| operation.maybe_sent);
        let Some(source) = &detour.source else { return };
        let Some(mut why) = ended(report, maybe_sent) else { return };
        while let Some(next) = detour.routed.next(why) {
            if next.check_room(self.settings.calls_at_once).is_err() {
                continue;
            }
            let began = self.clock.monotonic();
            let ready = match self.ready(&next, id.payment, source).await {
                Ok(ready) => ready,
                Err(error) => {
                    tracing::warn!(operation = %id, %error, "no other account was prepared");
                    return;
                }
            };
            if let Some(failure) = &ready.failure {
                self.note_call(&detour.routed, &next, failure, began);
                let Some(ended) = ended(failure, false) else { return };
                why = ended;
                continue;
            }
            let Ok(merchant) = self.merchant(draft.scope).await else { return };
            match self.order(draft, &next, &ready, &detour.wish, &merchant, None) {
                Ok(order) => {
                    draft.successor = Some(Arc::new(Successor { after: id, order, opened: next }));
                }
                Err(rejection) => tracing::info!(operation = %id, %rejection, "no other account follows"),
            }
            return;
        }
    }

    /// What came of a call that `began` then, for the account's breaker: no answer is a failure, and so is
    /// one that says nothing. A decline is an answer.
    fn note_call(&self, routed: &Routed, opened: &Opened, report: &Report, began: Monotonic) {
        let failed =
            matches!(report, Report::NotSent(_) | Report::MaybeSent(_) | Report::Told(Told::Unknown { .. }));
        let now = self.clock.monotonic();
        let rules = &routed.routes.health;
        self.learned.0.lock().0.note(opened.account.id, routed.method, failed, began, now, rules);
    }

    /// What became of charges that rules decided, for the strategy `best`. Once the commit stands.
    pub(crate) fn learn_rates(&self, draft: &Draft) {
        for (id, status) in &draft.raised {
            let succeeded = match status {
                OperationStatus::Succeeded => true,
                OperationStatus::Declined => false,
                _ => continue,
            };
            if let Some(operation) = draft.operation(*id)
                && let Some(rule) = &operation.rule
            {
                self.learned.0.lock().1.note(rule, operation.account, succeeded);
            }
        }
    }
}

/// What the rules may ask of a payment.
pub(crate) fn facts<'a>(seeking: &Seeking<'a>) -> Facts<'a> {
    let card = match seeking.summary {
        Some(MethodSummary::Card(card)) => Some(card),
        Some(MethodSummary::Upi { .. } | MethodSummary::Paypal | MethodSummary::Hosted { .. }) | None => None,
    };
    let billing = seeking.payer.and_then(|payer| payer.billing_address.as_ref());
    let issued_in = card.and_then(|card| card.country.as_deref());
    Facts {
        mode: seeking.caller.scope.mode,
        amount: seeking.asked.amount,
        method: seeking.asked.kind,
        brand: card.and_then(|card| card.brand),
        bin: card.and_then(|card| card.bin.as_deref()).and_then(bin_number),
        country: issued_in.or_else(|| billing.and_then(|address| address.country.as_deref())),
        metadata: seeking.metadata,
    }
}
