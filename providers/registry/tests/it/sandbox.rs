//! The sandbox bank in this process as the sandbox provider's fake.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kernel::{BoxFuture, CardNumber, Clock, Credentials, Exchange, Id, Secret, Store};
use provider_kit::conformance::{Fake, Moved, Wanted};
use provider_kit::{Action, Card, Delivery, Instrument, Payee, ProviderAccount, Upstream};
use sandbox_bank::{Bank, BankConfig, InProcess, Keys, SCENARIOS, Submitted};
use testkit::{CountedIds, SeededRandom};
use uuid::Uuid;

use crate::clock::LeapingClock;

pub(crate) struct Sandbox {
    clock: Arc<LeapingClock>,
    bank: Arc<Bank>,
    way: InProcess,
    keys: Keys,
}

impl Sandbox {
    pub(crate) fn new(config: BankConfig) -> Self {
        let random = Arc::new(SeededRandom::new(1));
        Self::of(Bank::in_memory(config, random, Arc::new(CountedIds::default())))
    }

    fn over(store: Arc<dyn Store>) -> Self {
        let random = Arc::new(SeededRandom::new(1));
        Self::of(Bank::new(store, BankConfig::default(), random, Arc::new(CountedIds::default())))
    }

    fn of(bank: Bank) -> Self {
        let (clock, bank) = (LeapingClock::new(), Arc::new(bank));
        let way = InProcess::new(Arc::clone(&bank), Arc::clone(&clock) as Arc<dyn Clock>);
        Self { keys: Keys::draw(&SeededRandom::new(2)), clock, bank, way }
    }
}

fn credentials_of(keys: &Keys) -> Credentials {
    Credentials::new(vec![
        ("api_key".to_owned(), keys.api_key.clone()),
        ("webhook_secret".to_owned(), keys.webhook_secret.clone()),
    ])
}

impl Fake for Sandbox {
    fn exchange(&self) -> &dyn Exchange {
        &self.way
    }

    fn account(&self) -> ProviderAccount {
        ProviderAccount {
            id: Id::from_uuid(Uuid::nil()),
            provider: "sandbox".to_owned(),
            identity: self.keys.identity.to_string(),
            settings: BTreeMap::new(),
        }
    }

    fn credentials(&self) -> Credentials {
        credentials_of(&self.keys)
    }

    fn strange_credentials(&self) -> Credentials {
        Credentials::new(vec![("api_key".to_owned(), Secret::new("sbk_short".to_owned()))])
    }

    fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    fn card(&self, wanted: Wanted) -> Option<Card> {
        let name = match wanted {
            Wanted::Approved => "visa",
            Wanted::Declined => "insufficient_funds",
            Wanted::Challenged => "three_d_secure",
            Wanted::Unmapped => "unknown_status",
        };
        let scenario = SCENARIOS.iter().find(|scenario| scenario.name == name)?;
        Some(Card {
            number: CardNumber::parse(scenario.number).unwrap(),
            exp_month: 12,
            exp_year: 2030,
            cvc: Some(Secret::new("737".to_owned())),
            holder: Some(Secret::new("Ada Lovelace".to_owned())),
        })
    }

    fn upi(&self, wanted: Wanted) -> Option<Instrument> {
        let asked = match wanted {
            Wanted::Approved => "success@upi",
            Wanted::Declined => "failure@upi",
            Wanted::Challenged | Wanted::Unmapped => return None,
        };
        let payee = Payee { vpa: "shop@florin".to_owned(), name: "Shop & Sons".to_owned() };
        Some(Instrument::Upi { vpa: Some(asked.to_owned()), payee })
    }

    fn complete<'a>(&'a self, action: &'a Action) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move {
            // A UPI payer acts by himself.
            let Action::ThreeDSecure { url } = action else { return Ok(()) };
            let name = url.rsplit('/').next().unwrap_or_default();
            match self.bank.challenge_submit(name, "complete", self.clock.now()).await {
                Submitted::RedirectTo(_) => Ok(()),
                Submitted::Page(page) => Err(page.html),
            }
        })
    }

    fn dispute<'a>(&'a self, charge: &'a Upstream) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move {
            let (account, now) = (self.keys.identity, self.clock.now());
            let opened = self.bank.dashboard_dispute(account, &charge.reference, None, now).await;
            opened.map(|_| ()).map_err(|error| error.to_string())
        })
    }

    fn deliveries(&self) -> BoxFuture<'_, Vec<Delivery>> {
        Box::pin(async move {
            let now = self.clock.now();
            let mut deliveries = Vec::new();
            for notice in self.bank.due_notices(now, 1000).await {
                self.bank.acknowledge(&notice.id, now).await;
                deliveries.push(Delivery { headers: notice.headers, body: notice.body, received_at: now });
            }
            deliveries
        })
    }

    fn moved(&self) -> BoxFuture<'_, Moved> {
        Box::pin(async move {
            let mut moved = Moved::default();
            for line in self.bank.statement(self.clock.now()).await.unwrap() {
                moved.approved += line.approved_minor;
                moved.taken += line.captured_minor;
                moved.returned += line.returned_minor;
            }
            moved
        })
    }
}

#[tokio::test]
async fn the_sandbox_conforms() {
    crate::conforms("sandbox", &Sandbox::new(BankConfig::default())).await;
}

/// More to tell, fees on everything, and time that passes while an answer is on its way.
#[tokio::test]
async fn the_sandbox_conforms_when_it_tells_everything() {
    let config = BankConfig {
        notifies_all: true,
        fee_basis_points: 290,
        latency: Duration::from_millis(40),
        ..BankConfig::default()
    };
    crate::conforms("sandbox", &Sandbox::new(config)).await;
}

/// The bank as a node runs it by default: over a store of its own, here the real one in memory.
#[tokio::test]
async fn the_sandbox_conforms_over_a_store() {
    let schema = store::Schema::new(&sandbox_bank::TABLES, &[&sandbox_bank::MIGRATIONS]).unwrap();
    crate::conforms("sandbox", &Sandbox::over(store::open_memory(schema))).await;
}
