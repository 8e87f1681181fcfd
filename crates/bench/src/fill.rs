//! `florin bench fill`: a store full of history, so that lists, search and start-up can be measured on
//! millions of payments.
//!
//! What the n-th payment is follows from the seed and n alone: a fill that was broken off goes on where
//! it was, and two fills of one seed make the same history. Payments go through the model and the
//! store's committer like every other, so that the books are those of real ones.

use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::stream;
use identity::IdentityError;
use kernel::{Actor, Brand, Currency, Id, Mode, Money, Scope, StoreError, Timestamp};
use node::Node;
use payments::{CardSummary, PastEnd, PastPayment, PaymentsError};
use thiserror::Error;
use uuid::Uuid;

/// Payments between two marks of progress; a fill that was broken off begins at a mark.
const CHUNK: u64 = 5_000;
/// Chunks between two times at which journal and search are brought up to date: at the end alone, PostgreSQL
/// would write every row of the journal a second time before it could use the place of the first.
const CHUNKS_BEHIND: u64 = 20;
/// Commits in flight: enough for the committer's largest batches.
const AT_ONCE: usize = 512;
/// Payments of one customer, on average.
const PER_CUSTOMER: u64 = 20;
/// Idempotency keys are kept so long: what is older has none any more.
const KEYS_KEPT_MICROS: i64 = 30 * DAY_MICROS;
const DAY_MICROS: i64 = 24 * 3_600 * 1_000_000;

/// What history is made.
#[derive(Clone, Copy, Debug)]
pub struct Fill {
    /// How many payments.
    pub payments: u64,
    /// Over how many merchants; the first is the installation's own.
    pub merchants: u64,
    /// Decides everything that is random.
    pub seed: u64,
    /// The newest payment is made then.
    pub until: Timestamp,
    /// The oldest so many days before.
    pub days: u32,
}

/// How far a fill is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FillProgress {
    /// Payments that are there.
    pub done: u64,
    /// Of so many.
    pub of: u64,
    /// Those that this run made.
    pub made: u64,
}

/// Why a fill ended early. What it wrote stays; the same command goes on.
#[derive(Debug, Error)]
pub enum FillError {
    /// A merchant could not be made.
    #[error("a merchant cannot be made: {0}")]
    Merchant(#[from] IdentityError),
    /// A payment could not be written.
    #[error("a payment cannot be written: {0}")]
    Payment(#[from] PaymentsError),
    /// The store could not be read.
    #[error("the store cannot be read: {0}")]
    Store(#[from] StoreError),
}

/// Fills the node's store, telling how far it is at every mark. Its books, lists and search are complete
/// when it answers.
pub async fn fill(
    node: &Arc<Node>,
    fill: &Fill,
    mut tell: impl FnMut(FillProgress),
) -> Result<FillProgress, FillError> {
    let scopes = scopes(node, fill.merchants.max(1)).await?;
    let mut progress =
        FillProgress { done: resume_at(node, fill, &scopes).await?, of: fill.payments, made: 0 };
    while progress.done < fill.payments {
        tell(progress);
        let end = progress.done.saturating_add(CHUNK).min(fill.payments);
        let writes = stream::iter(progress.done..end).map(|number| {
            let (scope, past) = (scope_of(&scopes, number), fill.payment(number, scopes.len()));
            async move { node.payments.write_past(scope, past).await }
        });
        let mut writes = writes.buffer_unordered(AT_ONCE);
        while let Some(written) = writes.next().await {
            progress.made += u64::from(written?);
        }
        progress.done = end;
        if end.is_multiple_of(CHUNK * CHUNKS_BEHIND) {
            node.catch_up_search().await?;
        }
    }
    tell(progress);
    node.catch_up_search().await?;
    Ok(progress)
}

/// The test worlds that are filled, made where they are missing.
async fn scopes(node: &Arc<Node>, count: u64) -> Result<Vec<Scope>, FillError> {
    let mut merchants = node.identity.merchants().await?;
    merchants.sort_by_key(|merchant| merchant.id);
    for number in merchants.len()..usize::try_from(count).unwrap_or(usize::MAX) {
        let name = format!("Merchant {number}");
        merchants
            .push(node.identity.create_merchant(&name, &Actor::Operator("fill".to_owned()), None).await?);
    }
    merchants.truncate(usize::try_from(count).unwrap_or(usize::MAX));
    for merchant in &merchants {
        node.open_sandbox(merchant.id).await?;
    }
    Ok(merchants.iter().map(|merchant| Scope { merchant: merchant.id, mode: Mode::Test }).collect())
}

fn scope_of(scopes: &[Scope], number: u64) -> Scope {
    let nobody = Scope { merchant: Id::from_uuid(Uuid::nil()), mode: Mode::Test };
    let place = usize::try_from(number % u64::try_from(scopes.len().max(1)).unwrap_or(1)).unwrap_or(0);
    scopes.get(place).copied().unwrap_or(nobody)
}

/// The first payment of the first chunk that is not known to be there: chunks are written one after the
/// other, so the last of a chunk stands for all before it.
async fn resume_at(node: &Arc<Node>, fill: &Fill, scopes: &[Scope]) -> Result<u64, FillError> {
    let (mut low, mut high) = (0, fill.payments.div_ceil(CHUNK));
    while low < high {
        let middle = u64::midpoint(low, high);
        let after = middle.saturating_add(1).saturating_mul(CHUNK);
        // The last chunk may be a short one: it is written again, which changes nothing.
        let next = fill.payment(after, scopes.len()).id;
        let is_begun = node.payments.get(scope_of(scopes, after), next).await.is_ok();
        if is_begun { low = middle + 1 } else { high = middle }
    }
    Ok(low.saturating_mul(CHUNK).min(fill.payments))
}

/// SplitMix64: the random number of this place.
const fn mixed(seed: u64, place: u64) -> u64 {
    let mut mixed = seed.wrapping_add(place.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

impl Fill {
    /// The `number`-th payment, from 0, in a history of so many worlds.
    fn payment(&self, number: u64, worlds: usize) -> PastPayment {
        let seed = mixed(self.seed, number);
        let roll = |what: u64, sides: u64| mixed(seed, what) % sides.max(1);
        let at = self.instant(number);
        let currency = match roll(0, 20) {
            0..12 => Currency::USD,
            12..16 => Currency::EUR,
            16..18 => Currency::GBP,
            18 => Currency::INR,
            _ => Currency::JPY,
        };
        // Prices crowd at the low end and end in 99 or 00, as prices do.
        let major = 1 + roll(1, 20) * (1 + roll(2, 10)) * (1 + roll(3, 3) * roll(4, 4));
        let minor = i64::try_from(major * 100 - roll(5, 2)).unwrap_or(1_000);
        let end = match roll(6, 100) {
            0..88 => PastEnd::Paid,
            88..96 => PastEnd::Declined,
            96..98 => PastEnd::Refunded((minor / 2).max(1)),
            _ => PastEnd::Refunded(minor),
        };
        let (customer, makes_customer) = self.customer(number, worlds, &roll);
        let age = self.until.as_micros().saturating_sub(at.as_micros());
        PastPayment {
            id: Id::from_uuid(id(at, seed)),
            at,
            amount: Money::new(minor, currency),
            card: card(&roll),
            customer: Some(customer),
            makes_customer,
            order_id: (roll(9, 2) == 0).then(|| format!("order-{number}")),
            end,
            key: (age < KEYS_KEPT_MICROS).then(|| format!("fill-{number}")),
            seed,
        }
    }

    /// Spread evenly over the days.
    fn instant(&self, number: u64) -> Timestamp {
        let span = u128::try_from(i64::from(self.days) * DAY_MICROS).unwrap_or(0);
        let left = u128::from(self.payments.saturating_sub(number.saturating_add(1)));
        let before = span * left / u128::from(self.payments.max(1));
        let micros = self.until.as_micros().saturating_sub(i64::try_from(before).unwrap_or(0));
        Timestamp::from_micros(micros)
    }

    /// Who pays: a customer of the same world, made by the first payment that names them.
    fn customer(
        &self,
        number: u64,
        worlds: usize,
        roll: &impl Fn(u64, u64) -> u64,
    ) -> ((Id<payments::CustomerKind>, String), bool) {
        let worlds = u64::try_from(worlds.max(1)).unwrap_or(1);
        let (world, turn) = (number % worlds, number / worlds);
        let known = turn / PER_CUSTOMER;
        let is_new = turn.is_multiple_of(PER_CUSTOMER);
        // Only those of chunks before, and the newest: its first payment may still be on its way.
        let which = if is_new { known } else { roll(7, known + 1) };
        let first = which * PER_CUSTOMER * worlds + world;
        let id = id(self.instant(first), mixed(self.seed ^ 0xc057, first));
        ((Id::from_uuid(id), format!("customer-{world}-{which}")), is_new)
    }
}

/// A UUIDv7 of an instant.
fn id(at: Timestamp, seed: u64) -> Uuid {
    let millis = u128::try_from(at.as_micros().div_euclid(1_000)).unwrap_or(0);
    let (high, low) = (u128::from(mixed(seed, 101) & 0x0fff), u128::from(mixed(seed, 102) >> 2));
    Uuid::from_u128(millis << 80 | 7 << 76 | high << 64 | 2 << 62 | low)
}

fn card(roll: &impl Fn(u64, u64) -> u64) -> CardSummary {
    let number = roll(8, 10_000);
    CardSummary {
        brand: Some(if number.is_multiple_of(3) { Brand::Mastercard } else { Brand::Visa }),
        last4: Some(format!("{number:04}")),
        bin: Some(if number.is_multiple_of(3) { "555555" } else { "424242" }.to_owned()),
        exp_month: Some(12),
        exp_year: Some(2030),
        fingerprint: Some(format!("{:032x}", u128::from(roll(10, u64::MAX)))),
        ..CardSummary::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_history_in_the_order_of_time() {
        let fill = Fill {
            payments: 2_000,
            merchants: 3,
            seed: 7,
            until: Timestamp::from_micros(1_793_000_000_000_000),
            days: 730,
        };
        let mut ids = std::collections::BTreeSet::new();
        let mut customers = std::collections::BTreeSet::new();
        for number in 0..fill.payments {
            let (one, again) = (fill.payment(number, 3), fill.payment(number, 3));
            assert_eq!(format!("{one:?}"), format!("{again:?}"));
            assert!(ids.last().is_none_or(|last| *last < one.id), "{number}");
            ids.insert(one.id);
            let (customer, _) = one.customer.unwrap_or_else(|| (Id::from_uuid(Uuid::nil()), String::new()));
            assert_eq!(one.makes_customer, customers.insert(customer), "{number}");
            if let PastEnd::Refunded(minor) = one.end {
                assert!((1..=one.amount.minor).contains(&minor));
            }
        }
        let other = Fill { seed: 8, ..fill };
        assert_ne!(format!("{:?}", fill.payment(5, 3)), format!("{:?}", other.payment(5, 3)));
    }
}
