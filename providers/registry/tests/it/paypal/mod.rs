//! PayPal as its documentation describes it, in memory: the PayPal provider's fake.

mod api;
mod objects;
mod signer;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kernel::{
    Auth, BoxFuture, CardNumber, Clock, Credentials, Deadline, Exchange, Exchanged, Id, Request, Secret,
};
use provider_kit::conformance::{Fake, Moved, Wanted};
use provider_kit::{Action, Card, Check, Context, Delivery, Instrument, Probe, ProviderAccount, Upstream};
use uuid::Uuid;

use crate::clock::LeapingClock;
use crate::serve::{Asked, Given};
pub(crate) use objects::State;
pub(crate) use signer::Signer;

pub(crate) const CLIENT_ID: &str = "AZDxjDScFpQtjWTOUtWKbyN_bDt4OgqaF4eYXlewfBP4";
pub(crate) const CLIENT_SECRET: &str = "EGnHDxD_qRPdaLdZz8iCr8N7_MzF-YHPTkjs6NKYQvQSBngp4PTTVWkPZRbL";
pub(crate) const WEBHOOK_ID: &str = "1JE4291016473214C";

/// Where it answers, as long as nobody serves it elsewhere.
const BASE: &str = "https://api-m.sandbox.paypal.com";

pub(crate) struct FakePaypal {
    clock: Arc<LeapingClock>,
    state: Mutex<State>,
}

impl FakePaypal {
    pub(crate) fn new() -> Self {
        Self { clock: LeapingClock::new(), state: Mutex::new(State::new(BASE)) }
    }
}

fn credentials(client_id: &str, client_secret: &str, webhook_id: &str) -> Credentials {
    let entry = |name: &str, text: &str| (name.to_owned(), Secret::new(text.to_owned()));
    Credentials::new(vec![
        entry("client_id", client_id),
        entry("client_secret", client_secret),
        entry("webhook_id", webhook_id),
    ])
}

impl Exchange for FakePaypal {
    fn exchange<'a>(
        &'a self,
        request: &'a Request,
        credentials: &'a Credentials,
        _: Deadline,
    ) -> BoxFuture<'a, Exchanged> {
        let is = |name: &str, expected: &str| {
            credentials.get(name).is_some_and(|secret| secret.expose() == expected)
        };
        let is_ours = match &request.auth {
            Auth::OAuth { client_id, client_secret, token_url } => {
                assert_eq!(*token_url, format!("{BASE}/v1/oauth2/token"));
                is(client_id, CLIENT_ID) && is(client_secret, CLIENT_SECRET)
            }
            Auth::None => false,
            other => unreachable!("{other:?}"),
        };
        let path = request.url.strip_prefix(BASE).expect("PayPal's address");
        let asked = Asked {
            method: request.method,
            path: path.to_owned(),
            headers: request.headers.clone(),
            body: request.body.clone(),
        };
        let Given { reply, .. } = self.state.lock().unwrap().answer(&asked, is_ours, self.clock.now());
        Box::pin(std::future::ready(Exchanged::Replied(reply)))
    }
}

impl Fake for FakePaypal {
    fn exchange(&self) -> &dyn Exchange {
        self
    }

    fn account(&self) -> ProviderAccount {
        let set = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        ProviderAccount {
            id: Id::from_uuid(Uuid::nil()),
            provider: "paypal".to_owned(),
            identity: "client_1".to_owned(),
            settings: BTreeMap::from([
                set("environment", "sandbox"),
                set("brand_name", "Ada's shop"),
                set("webhook_roots", &Signer::of_tests().roots),
            ]),
        }
    }

    fn credentials(&self) -> Credentials {
        // The old endpoint's id beside the new one: it is being moved.
        credentials(CLIENT_ID, CLIENT_SECRET, &format!("9XX00000000000000, {WEBHOOK_ID}"))
    }

    fn strange_credentials(&self) -> Credentials {
        credentials("nobody", "nothing", "0WW00000000000000")
    }

    fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    fn card(&self, wanted: Wanted) -> Option<Card> {
        Some(Card {
            number: CardNumber::parse(objects::number(wanted)).unwrap(),
            exp_month: 12,
            exp_year: 2030,
            cvc: Some(Secret::new("737".to_owned())),
            holder: Some(Secret::new("Ada Lovelace".to_owned())),
        })
    }

    fn upi(&self, _: Wanted) -> Option<Instrument> {
        None
    }

    fn paypal(&self, wanted: Wanted) -> Option<Instrument> {
        (wanted == Wanted::Approved).then_some(Instrument::Paypal { token: None })
    }

    fn complete<'a>(&'a self, action: &'a Action) -> BoxFuture<'a, Result<(), String>> {
        let done = match action {
            Action::Redirect { url } | Action::ThreeDSecure { url } => {
                let order = url.rsplit('=').next().unwrap_or_default();
                self.state.lock().unwrap().approve(order, self.clock.now()).map(|_| ())
            }
            other => Err(format!("{other:?}")),
        };
        Box::pin(std::future::ready(done))
    }

    fn dispute<'a>(&'a self, charge: &'a Upstream) -> BoxFuture<'a, Result<(), String>> {
        let order = charge.provider_reference.clone().unwrap_or_default();
        let done = self.state.lock().unwrap().dispute(&order, self.clock.now());
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
async fn paypal_conforms() {
    crate::conforms("paypal", &FakePaypal::new()).await;
}

async fn probed(account: &ProviderAccount, credentials: &Credentials) -> Vec<Check> {
    let fake = FakePaypal::new();
    let registry = provider_registry::all();
    let provider = registry.get("paypal").unwrap();
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
    let fake = FakePaypal::new();
    let account = fake.account();
    let works = |checks: Vec<Check>| -> Vec<(&'static str, bool)> {
        checks.into_iter().map(|check| (check.what, check.works)).collect()
    };
    let good = probed(&account, &fake.credentials()).await;
    assert_eq!(works(good), [("credentials", true), ("webhooks", true)]);
    let stranger = probed(&account, &fake.strange_credentials()).await;
    assert_eq!(works(stranger), [("credentials", false)]);
    let moved = probed(&account, &credentials(CLIENT_ID, CLIENT_SECRET, "0WW00000000000000")).await;
    assert_eq!(works(moved), [("credentials", true), ("webhooks", false)]);
}
