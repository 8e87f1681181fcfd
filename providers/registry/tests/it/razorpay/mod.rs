//! Razorpay as its documentation describes it, in memory: the Razorpay provider's fake.

mod api;
mod objects;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kernel::{Auth, BoxFuture, Clock, Credentials, Deadline, Exchange, Exchanged, Id, Request, Secret};
use provider_kit::conformance::{Fake, Moved, Wanted};
use provider_kit::{
    Action, Card, Check, Context, Delivery, Initiator, Instrument, MethodKind, Payee, Probe, ProviderAccount,
    Upstream,
};
use uuid::Uuid;

use crate::clock::LeapingClock;
use crate::serve::Asked;
pub(crate) use objects::State;

pub(crate) const KEY_ID: &str = "rzp_test_1DP5mmOlF5G5ag";
pub(crate) const KEY_SECRET: &str = "thisissupersecret_4711_of_tests";
pub(crate) const WEBHOOK_SECRET: &str = "whsec_of_ada_and_nobody_else";

/// Where it answers, as long as nobody serves it elsewhere.
const BASE: &str = "https://api.razorpay.com";

pub(crate) struct FakeRazorpay {
    clock: Arc<LeapingClock>,
    state: Mutex<State>,
}

impl FakeRazorpay {
    pub(crate) fn new() -> Self {
        Self { clock: LeapingClock::new(), state: Mutex::new(State::new(BASE)) }
    }
}

fn credentials(key_id: &str, key_secret: &str, webhook_secret: &str) -> Credentials {
    let entry = |name: &str, text: &str| (name.to_owned(), Secret::new(text.to_owned()));
    Credentials::new(vec![
        entry("key_id", key_id),
        entry("key_secret", key_secret),
        entry("webhook_secret", webhook_secret),
    ])
}

impl Exchange for FakeRazorpay {
    fn exchange<'a>(
        &'a self,
        request: &'a Request,
        credentials: &'a Credentials,
        _: Deadline,
    ) -> BoxFuture<'a, Exchanged> {
        let is = |name: &str, expected: &str| {
            credentials.get(name).is_some_and(|secret| secret.expose() == expected)
        };
        let Auth::Basic(user, password) = &request.auth else { unreachable!("{:?}", request.auth) };
        let is_ours = is(user, KEY_ID) && is(password, KEY_SECRET);
        let asked = Asked {
            method: request.method,
            path: request.url.strip_prefix(BASE).expect("Razorpay's address").to_owned(),
            headers: request.headers.clone(),
            body: request.body.clone(),
        };
        let reply = self.state.lock().unwrap().answer(&asked, is_ours, self.clock.now());
        Box::pin(std::future::ready(Exchanged::Replied(reply)))
    }
}

impl Fake for FakeRazorpay {
    fn exchange(&self) -> &dyn Exchange {
        self
    }

    fn account(&self) -> ProviderAccount {
        let set = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        ProviderAccount {
            id: Id::from_uuid(Uuid::nil()),
            provider: "razorpay".to_owned(),
            identity: "key_1".to_owned(),
            settings: BTreeMap::from([
                set("key_id", KEY_ID),
                set("business_name", "Ada's shop"),
                set("payer_email", "shop@ada.example"),
                set("payer_contact", "+919000090000"),
            ]),
        }
    }

    fn credentials(&self) -> Credentials {
        // The new secret beside the old one: it is being rolled.
        credentials(KEY_ID, KEY_SECRET, &format!("whsec_of_yesterday, {WEBHOOK_SECRET}"))
    }

    fn strange_credentials(&self) -> Credentials {
        credentials("rzp_test_nobody", "nothing", "whsec_of_nobody")
    }

    fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    fn card(&self, _: Wanted) -> Option<Card> {
        None
    }

    fn kept_card(&self, wanted: Wanted) -> Option<(Instrument, Initiator)> {
        let token = format!("{}/{}", objects::CUSTOMER, objects::token(wanted)?);
        Some((Instrument::CardToken { token }, Initiator::Merchant { network_transaction_id: None }))
    }

    fn upi(&self, wanted: Wanted) -> Option<Instrument> {
        let payee = Payee { vpa: "shop@bank".to_owned(), name: "Shop".to_owned() };
        match wanted {
            Wanted::Approved => Some(Instrument::Upi { vpa: None, payee }),
            Wanted::Declined => Some(Instrument::Upi { vpa: Some("failure@razorpay".to_owned()), payee }),
            Wanted::Challenged | Wanted::Unmapped => None,
        }
    }

    fn hosted(&self, method: MethodKind, wanted: Wanted) -> Option<Instrument> {
        let at = match (method, wanted) {
            (MethodKind::Checkout, _) => None,
            (_, Wanted::Declined) => Some("poor".to_owned()),
            _ => Some("HDFC".to_owned()),
        };
        Some(Instrument::Hosted { method, at })
    }

    fn complete<'a>(&'a self, action: &'a Action) -> BoxFuture<'a, Result<(), String>> {
        let mut state = self.state.lock().unwrap();
        let done = match action {
            Action::Redirect { url } => {
                let payment = url.trim_end_matches("/authorize").rsplit('/').next().unwrap_or_default();
                state.decide(payment, self.clock.now())
            }
            Action::QrCode { payload } => {
                let payment = payload.split("&tr=").nth(1).and_then(|rest| rest.split('&').next());
                state.decide(payment.unwrap_or_default(), self.clock.now())
            }
            Action::Form { url, fields } => {
                assert_eq!(*url, format!("{BASE}/v1/checkout/embedded"));
                state.checkout(fields, "upi", self.clock.now()).map(|_| ())
            }
            other => Err(format!("{other:?}")),
        };
        Box::pin(std::future::ready(done))
    }

    fn dispute<'a>(&'a self, charge: &'a Upstream) -> BoxFuture<'a, Result<(), String>> {
        let order = charge.provider_reference.clone().unwrap_or_default();
        let done = self.state.lock().unwrap().dispute(&order, "created", self.clock.now());
        Box::pin(std::future::ready(done))
    }

    fn deliveries(&self) -> BoxFuture<'_, Vec<Delivery>> {
        let deliveries = self.state.lock().unwrap().deliveries(self.clock.now());
        Box::pin(std::future::ready(deliveries))
    }

    fn moved(&self) -> BoxFuture<'_, Moved> {
        Box::pin(std::future::ready(self.state.lock().unwrap().moved))
    }
}

#[tokio::test]
async fn razorpay_conforms() {
    crate::conforms("razorpay", &FakeRazorpay::new()).await;
}

async fn probed(account: &ProviderAccount, credentials: &Credentials) -> Vec<Check> {
    let fake = FakeRazorpay::new();
    let registry = provider_registry::all();
    let provider = registry.get("razorpay").unwrap();
    let cx = Context { now: fake.clock.now(), nonce: [0; 16] };
    let mut replies = Vec::new();
    loop {
        match provider.probe(&cx, account, credentials, &replies) {
            Probe::Done(checks) => return checks,
            Probe::Send(request) => {
                assert_eq!(request.effect, kernel::Effect::Read);
                let deadline = Deadline {
                    monotonic: fake.clock.monotonic(),
                    wall: fake.clock.now(),
                    reply_within: Duration::ZERO,
                };
                let Exchanged::Replied(reply) =
                    Exchange::exchange(&fake, &request, credentials, deadline).await
                else {
                    unreachable!("the fake always answers")
                };
                replies.push(provider.distill(request.step, &reply));
            }
        }
    }
}

#[tokio::test]
async fn a_probe_says_what_works_and_what_does_not() {
    let fake = FakeRazorpay::new();
    let account = fake.account();
    let works = |checks: Vec<Check>| -> Vec<(&'static str, bool)> {
        checks.into_iter().map(|check| (check.what, check.works)).collect()
    };
    let good = probed(&account, &fake.credentials()).await;
    assert_eq!(works(good), [("credentials", true), ("webhooks", true), ("methods", true)]);
    let stranger = probed(&account, &fake.strange_credentials()).await;
    assert_eq!(works(stranger), [("credentials", false)]);
    let deaf = probed(&account, &credentials(KEY_ID, KEY_SECRET, " ")).await;
    assert_eq!(works(deaf), [("credentials", true), ("webhooks", false), ("methods", true)]);
}
