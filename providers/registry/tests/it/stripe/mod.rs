//! Stripe as its documentation describes it, in memory: the Stripe provider's fake.

mod api;
mod objects;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kernel::{BoxFuture, CardNumber, Clock, Credentials, Deadline, Exchange, Exchanged, Id, Request, Secret};
use provider_kit::conformance::{Fake, Moved, Wanted};
use provider_kit::{Action, Card, Check, Context, Delivery, Instrument, Probe, ProviderAccount, Upstream};
use uuid::Uuid;

use crate::clock::LeapingClock;
use objects::State;

const SECRET_KEY: &str = "sk_test_4eC39HqLyjWDarjtT1zdp7dc";
const WEBHOOK_SECRET: &str = "whsec_conformance_1";

pub(crate) struct FakeStripe {
    clock: Arc<LeapingClock>,
    state: Mutex<State>,
}

impl FakeStripe {
    pub(crate) fn new() -> Self {
        Self { clock: LeapingClock::new(), state: Mutex::default() }
    }
}

fn credentials(secret_key: &str, webhook_secret: &str) -> Credentials {
    let entry = |name: &str, text: &str| (name.to_owned(), Secret::new(text.to_owned()));
    Credentials::new(vec![entry("secret_key", secret_key), entry("webhook_secret", webhook_secret)])
}

impl Exchange for FakeStripe {
    fn exchange<'a>(
        &'a self,
        request: &'a Request,
        credentials: &'a Credentials,
        _: Deadline,
    ) -> BoxFuture<'a, Exchanged> {
        let key = credentials.get("secret_key").map(|secret| secret.expose().as_str());
        let reply = self.state.lock().unwrap().answer(request, key == Some(SECRET_KEY), self.clock.now());
        Box::pin(std::future::ready(Exchanged::Replied(reply)))
    }
}

impl Fake for FakeStripe {
    fn exchange(&self) -> &dyn Exchange {
        self
    }

    fn account(&self) -> ProviderAccount {
        let on = |name: &str| (name.to_owned(), "true".to_owned());
        ProviderAccount {
            id: Id::from_uuid(Uuid::nil()),
            provider: "stripe".to_owned(),
            identity: "acct_1".to_owned(),
            settings: BTreeMap::from([on("multicapture"), on("incremental_authorization")]),
        }
    }

    fn credentials(&self) -> Credentials {
        // The old secret beside the new one: it is being rolled.
        credentials(SECRET_KEY, &format!("whsec_old, {WEBHOOK_SECRET}"))
    }

    fn strange_credentials(&self) -> Credentials {
        credentials("sk_test_nobody", "whsec_nobody")
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

    fn complete<'a>(&'a self, action: &'a Action) -> BoxFuture<'a, Result<(), String>> {
        let done = match action {
            Action::ThreeDSecure { url } => {
                let name = url.rsplit('/').next().unwrap_or_default();
                self.state.lock().unwrap().authenticate(name, self.clock.now())
            }
            other => Err(format!("{other:?}")),
        };
        Box::pin(std::future::ready(done))
    }

    fn dispute<'a>(&'a self, charge: &'a Upstream) -> BoxFuture<'a, Result<(), String>> {
        let name = charge.provider_reference.clone().unwrap_or_default();
        let done = self.state.lock().unwrap().dispute(&name, self.clock.now());
        Box::pin(std::future::ready(done))
    }

    fn deliveries(&self) -> BoxFuture<'_, Vec<Delivery>> {
        let sent = std::mem::take(&mut self.state.lock().unwrap().sent);
        let now = self.clock.now();
        let sent = sent.into_iter().map(|body| {
            let signature =
                provider_kit::signing::timestamped_signature(WEBHOOK_SECRET.as_bytes(), now, &body);
            let headers = vec![("stripe-signature".to_owned(), format!("{signature},v0=ignored"))];
            Delivery { headers, body, received_at: now }
        });
        Box::pin(std::future::ready(sent.collect()))
    }

    fn moved(&self) -> BoxFuture<'_, Moved> {
        Box::pin(std::future::ready(self.state.lock().unwrap().moved))
    }
}

#[tokio::test]
async fn stripe_conforms() {
    crate::conforms("stripe", &FakeStripe::new()).await;
}

async fn probed(account: &ProviderAccount, credentials: &Credentials) -> Vec<Check> {
    let fake = FakeStripe::new();
    let registry = provider_registry::all();
    let provider = registry.get("stripe").unwrap();
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
    let fake = FakeStripe::new();
    let (account, right) = (fake.account(), fake.credentials());
    let good = probed(&account, &right).await;
    assert!(good.iter().all(|check| check.works), "{good:?}");
    let words: Vec<_> = good.iter().map(|check| check.what).collect();
    assert_eq!(words, ["credentials", "account", "charges", "payouts", "webhooks"]);

    let failing = |checks: Vec<Check>| -> Vec<&'static str> {
        checks.into_iter().filter(|check| !check.works).map(|check| check.what).collect()
    };
    let stranger = fake.strange_credentials();
    assert_eq!(failing(probed(&account, &stranger).await), ["credentials"]);
    let elsewhere = ProviderAccount {
        settings: BTreeMap::from([("account_id".to_owned(), "acct_2".to_owned())]),
        ..account.clone()
    };
    assert_eq!(failing(probed(&elsewhere, &right).await), ["account"]);
    let keyless = Credentials::new(vec![("secret_key".to_owned(), Secret::new(SECRET_KEY.to_owned()))]);
    assert_eq!(failing(probed(&account, &keyless).await), ["webhooks"]);
}
