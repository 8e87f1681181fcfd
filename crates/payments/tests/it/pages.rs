//! Pages of lists read a bounded number of rows, and together they are the whole, however the filters
//! meet.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use kernel::{BoxFuture, Cell, Currency, Id, Money, Query, Row, Scope, Store, StoreError, Table, Timestamp};
use payments::{
    CardSummary, CustomerFilter, CustomerKind, EXAMINED_MAX, NewCustomer, Page, PastEnd, PastPayment,
    PaymentFilter, PaymentStatus, Payments, Profile, RefundFilter, RefundStatus, command::CustomerRef,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use store::Memory;
use testkit::{Between, Through};
use uuid::Uuid;

use crate::world::World;

/// Counts the rows that are read.
#[derive(Default)]
struct Counted(AtomicUsize);

impl Between for Counted {
    fn get<'a>(
        &'a self,
        inner: &'a dyn Store,
        table: &'static Table,
        scope: Scope,
        key: Vec<Cell>,
    ) -> BoxFuture<'a, Result<Option<Row>, StoreError>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        inner.get(table, scope, key)
    }

    fn find<'a>(&'a self, inner: &'a dyn Store, query: Query) -> BoxFuture<'a, Result<Vec<Row>, StoreError>> {
        Box::pin(async move {
            let found = inner.find(query).await?;
            self.0.fetch_add(found.len(), Ordering::Relaxed);
            Ok(found)
        })
    }
}

/// Beside the sources' rows: a customer, and the places that are looked for where a list ends at a time.
const ASIDE: usize = 64;

const COUNT: u64 = 3_600;
const FIRST: &str = "2026-10-01T00:00:00Z";
const CUSTOMERS: u64 = 3;

fn at(number: u64) -> Timestamp {
    let first: Timestamp = FIRST.parse().unwrap();
    first.plus(Duration::from_mins(number))
}

fn id_at(at: Timestamp, low: u64) -> Uuid {
    let millis = u128::try_from(at.as_micros() / 1_000).unwrap();
    Uuid::from_u128(millis << 80 | 7 << 76 | 2 << 62 | u128::from(low))
}

fn customer(number: u64) -> Id<CustomerKind> {
    Id::from_uuid(id_at(at(number % CUSTOMERS), 7))
}

/// What is declined was to be paid in euros, and nothing else was: these two filters meet everywhere,
/// and either of them with the other's opposite nowhere.
fn past(number: u64) -> PastPayment {
    let declined = number % 3 == 1;
    let minor = 100 + i64::try_from(number * 7 % 400).unwrap();
    let end = match number % 12 {
        _ if declined => PastEnd::Declined,
        0 => PastEnd::Refunded(minor),
        6 => PastEnd::Refunded(minor / 2),
        _ => PastEnd::Paid,
    };
    let reference = format!("shop-{}", number % CUSTOMERS);
    PastPayment {
        id: Id::from_uuid(id_at(at(number), number)),
        at: at(number),
        amount: Money::new(minor, if declined { Currency::EUR } else { Currency::USD }),
        card: CardSummary { last4: Some(format!("{:04}", number % 40)), ..CardSummary::default() },
        customer: (!number.is_multiple_of(5)).then(|| (customer(number), reference)),
        makes_customer: false,
        order_id: number.is_multiple_of(4).then(|| format!("order-{number}")),
        end,
        key: None,
        seed: number,
    }
}

fn status(past: &PastPayment) -> PaymentStatus {
    match past.end {
        PastEnd::Paid => PaymentStatus::Paid,
        PastEnd::Declined => PaymentStatus::Failed,
        PastEnd::Refunded(minor) if minor == past.amount.minor => PaymentStatus::Refunded,
        PastEnd::Refunded(_) => PaymentStatus::PartiallyRefunded,
    }
}

/// Whether a payment answers a filter, in this test's own words.
fn answers(past: &PastPayment, filter: &PaymentFilter) -> bool {
    let of_customer = |named: &CustomerRef| match (named, &past.customer) {
        (_, None) => false,
        (CustomerRef::Id(id), Some((known, _))) => id == known,
        (CustomerRef::Reference(reference), Some((_, known))) => reference == known,
    };
    filter.status.is_none_or(|wanted| wanted == status(past))
        && filter.amount.is_none_or(|wanted| wanted == past.amount.minor)
        && filter.amount_from.is_none_or(|least| past.amount.minor >= least)
        && filter.amount_to.is_none_or(|most| past.amount.minor <= most)
        && filter.currency.is_none_or(|wanted| wanted == past.amount.currency)
        && filter.customer.as_ref().is_none_or(of_customer)
        && filter.order_id.is_none_or_eq(past.order_id.as_ref())
        && filter.last4.is_none_or_eq(past.card.last4.as_ref())
        && filter.created_from.is_none_or(|from| past.at >= from)
        && filter.created_to.is_none_or(|to| past.at <= to)
}

trait NoneOrEqual<T> {
    fn is_none_or_eq(&self, found: Option<&T>) -> bool;
}

impl<T: PartialEq> NoneOrEqual<T> for Option<T> {
    fn is_none_or_eq(&self, found: Option<&T>) -> bool {
        self.is_none() || self.as_ref() == found
    }
}

struct Shop {
    world: World,
    counted: Arc<Through<Counted>>,
    payments: Arc<Payments>,
}

async fn shop() -> Shop {
    let world = World::new().await;
    for number in 0..COUNT {
        let mut past = past(number);
        past.makes_customer = number % 5 != 0 && (number < CUSTOMERS * 5 && is_first(number));
        assert!(world.payments.write_past(world.scope, past).await.unwrap());
    }
    let counted = Through::new(Arc::<Memory>::clone(&world.memory), Counted::default());
    let payments = world.through(Arc::<Through<Counted>>::clone(&counted));
    Shop { world, counted, payments }
}

/// Whether no payment before names the same customer.
fn is_first(number: u64) -> bool {
    (0..number).all(|before| before % 5 == 0 || before % CUSTOMERS != number % CUSTOMERS)
}

impl Shop {
    /// All pages of a list; each reads at most what it may.
    async fn walk<T, F>(&self, limit: u32, list: impl Fn(Option<Uuid>) -> F) -> Vec<T>
    where
        F: Future<Output = Page<T>>,
    {
        let most = usize::try_from(EXAMINED_MAX + limit + 1).unwrap() + ASIDE;
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            self.counted.between.0.store(0, Ordering::Relaxed);
            let page = list(after).await;
            let read = self.counted.between.0.load(Ordering::Relaxed);
            assert!(read <= most, "a page read {read} rows");
            assert!(page.items.len() <= usize::try_from(limit).unwrap());
            assert!(page.next.is_none() || after.is_none_or(|after| page.next < Some(after)), "no progress");
            all.extend(page.items);
            after = page.next;
            if after.is_none() {
                return all;
            }
        }
    }

    async fn payments(&self, filter: &PaymentFilter, limit: u32) -> Vec<Uuid> {
        let list = |after: Option<Uuid>| async move {
            let after = after.map(Id::from_uuid);
            self.payments.list_by(self.world.scope, filter.clone(), after, limit).await.unwrap()
        };
        self.walk(limit, list).await.iter().map(|payment| payment.id.uuid()).collect()
    }

    async fn refunds(&self, filter: RefundFilter, limit: u32) -> usize {
        let list = |after: Option<Uuid>| async move {
            let after = after.map(Id::from_uuid);
            self.payments.refund_list_by(self.world.scope, filter, after, limit).await.unwrap()
        };
        self.walk(limit, list).await.len()
    }
}

fn filters() -> impl Strategy<Value = PaymentFilter> {
    let statuses = [
        PaymentStatus::Paid,
        PaymentStatus::Failed,
        PaymentStatus::Refunded,
        PaymentStatus::PartiallyRefunded,
        PaymentStatus::Disputed,
    ];
    let customers = (0..CUSTOMERS + 1, any::<bool>()).prop_map(|(number, by_id)| {
        let reference = CustomerRef::Reference(format!("shop-{number}"));
        if by_id && number < CUSTOMERS { CustomerRef::Id(customer(number)) } else { reference }
    });
    // Half of all cases have a given filter, so that most have several.
    let half = prop::option::of::<BoxedStrategy<_>>;
    let amounts = || (95_i64..505).boxed();
    let moments = || (0..COUNT + 60).prop_map(at).boxed();
    let rarely = || prop::option::weighted(0.2, moments());
    (
        half(prop::sample::select(statuses.to_vec()).boxed()),
        prop::option::weighted(0.1, amounts()),
        (prop::option::weighted(0.3, amounts()), prop::option::weighted(0.3, amounts())),
        prop::option::of(prop::sample::select(vec![Currency::USD, Currency::EUR, Currency::JPY])),
        prop::option::weighted(0.2, customers),
        prop::option::weighted(0.1, (0..COUNT).prop_map(|number| format!("order-{number}"))),
        prop::option::weighted(0.2, (0_u64..41).prop_map(|number| format!("{number:04}"))),
        (rarely(), rarely()),
    )
        .prop_map(|(status, amount, amounts, currency, customer, order_id, last4, created)| {
            let ((amount_from, amount_to), (created_from, created_to)) = (amounts, created);
            PaymentFilter {
                status,
                amount,
                amount_from,
                amount_to,
                currency,
                customer,
                order_id,
                last4,
                created_from,
                created_to,
                ..PaymentFilter::default()
            }
        })
}

#[test]
fn the_pages_of_a_list_are_the_whole_and_none_reads_more_than_it_may() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let shop = runtime.block_on(shop());
    let config = Config { cases: 60, failure_persistence: None, ..Config::default() };
    let limits = prop_oneof![Just(100_u32), 30_u32..100];
    let result = TestRunner::new(config).run(&(filters(), limits), |(filter, limit)| {
        let expected: Vec<Uuid> = (0..COUNT)
            .rev()
            .map(past)
            .filter(|past| answers(past, &filter))
            .map(|past| past.id.uuid())
            .collect();
        let listed = runtime.block_on(shop.payments(&filter, limit));
        prop_assert_eq!(listed, expected);
        Ok(())
    });
    result.unwrap();
}

#[tokio::test]
async fn filters_that_never_meet_answer_empty_pages_that_go_on() {
    let shop = shop().await;
    let filter = PaymentFilter {
        status: Some(PaymentStatus::Paid),
        currency: Some(Currency::EUR),
        ..PaymentFilter::default()
    };
    let first = shop.payments.list_by(shop.world.scope, filter.clone(), None, 100).await.unwrap();
    assert!(first.items.is_empty() && first.has_more(), "what was read so far holds none");
    assert!(shop.payments(&filter, 100).await.is_empty());
    // A range of amounts that is too wide to be put in order, in which hardly any matches.
    let filter = PaymentFilter {
        amount_from: Some(100),
        amount_to: Some(499),
        last4: Some("9999".to_owned()),
        ..PaymentFilter::default()
    };
    assert!(shop.payments(&filter, 100).await.is_empty());
    let refunded = (0..COUNT).map(past).filter(|past| matches!(past.end, PastEnd::Refunded(_))).count();
    let of_status = RefundFilter { status: Some(RefundStatus::Succeeded), ..RefundFilter::default() };
    for filter in [RefundFilter::default(), of_status] {
        assert_eq!(shop.refunds(filter, 30).await, refunded);
    }
    let since =
        RefundFilter { created_from: Some(at(COUNT / 2).plus(Duration::from_hours(30))), ..of_status };
    assert_eq!(shop.refunds(since, 30).await, refunded / 2);
}

#[tokio::test]
async fn a_list_of_customers_goes_past_deleted_ones_by_pages() {
    let world = World::new().await;
    let (caller, counted) =
        (world.caller.clone(), Through::new(Arc::<Memory>::clone(&world.memory), Counted::default()));
    let mut made = Vec::new();
    for number in 0..EXAMINED_MAX + 150 {
        let new = NewCustomer { reference: Some(format!("shop-{number}")), profile: Profile::default() };
        let id = world.payments.customer_create(&caller, new, None).await.unwrap().object.customer.id;
        made.push(id);
        if number >= 50 {
            let named = CustomerRef::Id(id);
            world.payments.customer_delete(&caller, &named, None).await.unwrap();
        }
    }
    let payments = world.through(Arc::<Through<Counted>>::clone(&counted));
    let shop = Shop { world, counted, payments };
    let now = kernel::Clock::now(&shop.world.clock);
    for filter in [
        CustomerFilter::default(),
        CustomerFilter { created_to: Some(now.plus(Duration::from_hours(1))), ..CustomerFilter::default() },
        CustomerFilter {
            created_from: Some(now.minus(Duration::from_hours(1))),
            ..CustomerFilter::default()
        },
    ] {
        let list = |after: Option<Uuid>| {
            let (filter, after) = (filter.clone(), after.map(Id::from_uuid));
            let shop = &shop;
            async move { shop.payments.customer_list(shop.world.scope, filter, after, 20).await.unwrap() }
        };
        let listed = shop.walk(20, list).await;
        let listed: Vec<_> = listed.iter().map(|view| view.customer.id).collect();
        let mut living = made.iter().take(50).copied().collect::<Vec<_>>();
        living.reverse();
        assert_eq!(listed, living);
    }
    let by_reference = CustomerFilter { reference: Some("shop-7".to_owned()), ..CustomerFilter::default() };
    let found = shop.payments.customer_list(shop.world.scope, by_reference, None, 20).await.unwrap();
    assert_eq!((found.items.len(), found.has_more()), (1, false));
    let too_late =
        CustomerFilter { created_from: Some(now.plus(Duration::from_hours(1))), ..Default::default() };
    let none = shop.payments.customer_list(shop.world.scope, too_late, None, 20).await.unwrap();
    assert_eq!((none.items.len(), none.has_more()), (0, false));
}
