//! The suite that every provider is run through against a fake of it: what a profile claims, this
//! tries, each claim × {approved, declined, refused, time-out before, time-out after, garbage,
//! server error}, then the notices and what may never be written down.
//!
//! Behind the cargo feature `conformance`, which tests alone turn on. A fake implements [`Fake`];
//! faults are made on the way to it ([`driver::Fault`]), so that a fake only has to be honest. A case
//! is a value with a name: [`run`] answers all of them, and the caller asserts.

mod cases;
mod driver;
mod notices;
mod scrubbed;
mod subject;

use std::time::Duration;

use kernel::{BoxFuture, Clock, Credentials, Exchange};

use crate::account::ProviderAccount;
use crate::call::{Card, Initiator, Instrument, Upstream};
use crate::outcome::Action;
use crate::profile::MethodKind;
use crate::provider::Provider;
use crate::webhook::Delivery;

pub use driver::{Driven, End, Fault, Recorded, drive};
pub use subject::Subject;

/// How the fake should behave for an instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wanted {
    /// Approves.
    Approved,
    /// Declines.
    Declined,
    /// Asks the customer first (3-D Secure).
    Challenged,
    /// Answers with a state that nobody mapped.
    Unmapped,
}

/// A fake of a provider, as the suite uses it. It keeps what it did: nothing is reset between cases.
pub trait Fake: Send + Sync {
    /// The way to it.
    fn exchange(&self) -> &dyn Exchange;
    /// Our account there.
    fn account(&self) -> ProviderAccount;
    /// That account's secrets.
    fn credentials(&self) -> Credentials;
    /// Secrets of the right form that are nobody's.
    fn strange_credentials(&self) -> Credentials;
    /// The clock that the fake and the calls see.
    fn clock(&self) -> &dyn Clock;
    /// Moves that clock on.
    fn advance(&self, by: Duration);
    /// A card that behaves so; `None` if the provider has no such card.
    fn card(&self, wanted: Wanted) -> Option<Card>;
    /// A UPI payer who behaves so, by himself within ten minutes.
    fn upi(&self, wanted: Wanted) -> Option<Instrument>;
    /// A PayPal account whose owner behaves so; `None` where nobody pays by it.
    fn paypal(&self, wanted: Wanted) -> Option<Instrument> {
        let _ = wanted;
        None
    }
    /// A card that the provider keeps already, and who charges it; `None` where a number makes a token.
    fn kept_card(&self, wanted: Wanted) -> Option<(Instrument, Initiator)> {
        let _ = wanted;
        None
    }
    /// What is paid on the provider's pages by a payer who behaves so; `None` where it has none.
    fn hosted(&self, method: MethodKind, wanted: Wanted) -> Option<Instrument> {
        let _ = (method, wanted);
        None
    }
    /// Does what the customer would do.
    fn complete<'a>(&'a self, action: &'a Action) -> BoxFuture<'a, Result<(), String>>;
    /// Opens a dispute about a charge.
    fn dispute<'a>(&'a self, charge: &'a Upstream) -> BoxFuture<'a, Result<(), String>>;
    /// The notices that the fake has sent since it was last asked, as they came in.
    fn deliveries(&self) -> BoxFuture<'_, Vec<Delivery>>;
    /// What has moved in the fake's own books since it exists.
    fn moved(&self) -> BoxFuture<'_, Moved>;
}

/// Sums over everything in the fake's own books, in minor units of whatever currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// Ever held or taken.
    pub approved: i64,
    /// Taken.
    pub taken: i64,
    /// Returned of the taken.
    pub returned: i64,
}

/// One case of the suite and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// `refund × timeout after`.
    pub name: String,
    /// What is wrong, if anything is.
    pub result: Result<(), String>,
}

/// Runs every case that the provider's profile claims, in a fixed order.
pub async fn run(provider: &dyn Provider, fake: &dyn Fake) -> Vec<Case> {
    let mut bench = driver::Bench::new(provider, fake);
    let mut cases = Vec::new();
    for subject in Subject::claimed(provider.profile()) {
        for condition in cases::CONDITIONS {
            if let Some(result) = cases::run(&mut bench, subject, *condition).await {
                cases.push(Case { name: format!("{} × {}", subject.name(), condition.name()), result });
            }
        }
    }
    for (name, result) in notices::run(&mut bench).await {
        cases.push(Case { name: format!("notices × {name}"), result });
    }
    // Last: it looks through everything that was sent and kept before.
    for (name, result) in scrubbed::run(&bench) {
        cases.push(Case { name: format!("scrub × {name}"), result });
    }
    cases
}
