//! Limits on volume: what is counted, what is given back, and when.

use std::collections::BTreeMap;
use std::time::Duration;

use kernel::{AccountKind, BALANCE, Currency, LedgerAccount};
use payments::{
    CreatePayment, LateSuccess, Limit, Patch, PaymentStatus, PaymentsError, Rejection, SettingsPatch,
    VolumeLimits,
};

use crate::world::{Trouble, World, card_payment, held_payment};

const FINE: &str = "4242424242424242";
const DECLINED: &str = "4000000000000002";

async fn limited(limits: VolumeLimits) -> World {
    World::with(|_| {}, |settings| settings.defaults.limits = limits).await
}

fn daily(most: i64) -> VolumeLimits {
    VolumeLimits { daily_volume: Some(most), ..VolumeLimits::default() }
}

/// What a counter has left; `None` if there is no such counter.
async fn left(world: &World, period: &str) -> Option<i64> {
    let account = LedgerAccount::part(AccountKind::Volume, period).to_string();
    let key = vec![account.into(), "USD".into(), kernel::Cell::Int(0)];
    let row = world.store.get(&BALANCE, world.scope, key).await.unwrap()?;
    Some(row.columns[1].as_int().unwrap() - row.columns[0].as_int().unwrap())
}

async fn refused(world: &World, command: CreatePayment) -> (Limit, i64) {
    match world.create(command).await.unwrap_err() {
        PaymentsError::Rejected(Rejection::LimitExceeded { limit, left, currency: Currency::USD }) => {
            (limit, left)
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_day_takes_so_much_and_a_decline_gives_it_back() {
    let world = limited(daily(2_500)).await;
    assert_eq!(world.pay(FINE).await.payment.status(), PaymentStatus::Paid);
    assert_eq!(world.pay(DECLINED).await.payment.status(), PaymentStatus::Failed);
    assert_eq!(left(&world, "2026-11-21").await, Some(1_500));
    let held = world.create(held_payment(1_000)).await.unwrap();
    assert_eq!(held.payment.status(), PaymentStatus::Authorized);
    assert_eq!(refused(&world, card_payment(501, FINE)).await, (Limit::Daily, 500));
    assert_eq!(world.create(card_payment(500, FINE)).await.unwrap().payment.status(), PaymentStatus::Paid);
    assert_eq!(refused(&world, card_payment(1, FINE)).await, (Limit::Daily, 0));
    // Nothing was sent for what was refused, and nothing of it was stored.
    assert_eq!(world.statement().await.len(), 4);
    assert_eq!(world.payments.list(world.scope, None, 100).await.unwrap().items.len(), 4);
    world.assert_agreement().await;
}

#[tokio::test]
async fn a_new_day_has_its_own_counter_and_a_late_decline_gives_back_to_its_own_day() {
    let world = limited(VolumeLimits { monthly_volume: Some(3_000), ..daily(1_000) }).await;
    world.trouble(Trouble::LostBefore);
    *world.wire.blind.lock() = 1_000;
    let unknown = world.pay(DECLINED).await.payment;
    assert_eq!(unknown.status(), PaymentStatus::Pending);
    assert_eq!(refused(&world, card_payment(1, FINE)).await, (Limit::Daily, 0), "unknown holds its amount");
    world.clock.advance(Duration::from_hours(24));
    assert_eq!(world.pay(FINE).await.payment.status(), PaymentStatus::Paid);
    assert_eq!((left(&world, "2026-11-21").await, left(&world, "2026-11-22").await), (Some(0), Some(0)));
    *world.wire.blind.lock() = 0;
    world.pass(Duration::from_hours(2)).await;
    assert_eq!(world.get(unknown.id).await.status(), PaymentStatus::Cancelled);
    assert_eq!((left(&world, "2026-11-21").await, left(&world, "2026-11-22").await), (Some(1_000), Some(0)));
    assert_eq!(left(&world, "2026-11").await, Some(2_000));
    world.assert_agreement().await;
}

#[tokio::test]
async fn a_month_is_counted_beside_its_days_and_names_itself() {
    let world = limited(VolumeLimits { monthly_volume: Some(1_500), ..daily(10_000) }).await;
    world.pay(FINE).await;
    assert_eq!(refused(&world, card_payment(501, FINE)).await, (Limit::Monthly, 500));
    world.clock.advance(Duration::from_hours(24 * 10));
    world.create(card_payment(500, FINE)).await.unwrap();
    assert_eq!(left(&world, "2026-12").await, Some(1_000));
}

#[tokio::test]
async fn an_increment_counts_like_a_charge() {
    let max_transaction_amount = BTreeMap::from([(Currency::USD, 1_400)]);
    let world = limited(VolumeLimits { max_transaction_amount, ..daily(1_300) }).await;
    let id = world.create(held_payment(1_000)).await.unwrap().payment.id;
    let add = |amount| {
        let command = payments::IncrementPayment { amount };
        world.payments.increment(&world.caller, id, command, None)
    };
    let limit = |error| match error {
        PaymentsError::Rejected(Rejection::LimitExceeded { limit, left, .. }) => (limit, left),
        other => panic!("{other:?}"),
    };
    assert_eq!(limit(add(401).await.unwrap_err()), (Limit::Transaction, 400));
    assert_eq!(limit(add(301).await.unwrap_err()), (Limit::Daily, 300));
    add(300).await.unwrap();
    assert_eq!(world.get(id).await.amount.minor, 1_300);
    assert_eq!(left(&world, "2026-11-21").await, Some(0));
    world.assert_agreement().await;
}

/// While one of two charges takes the other's place, the amount is counted once.
#[tokio::test]
async fn a_charge_that_follows_another_takes_what_that_one_had() {
    let world = limited(daily(1_000)).await;
    let asked = world.pay("4000000000003220").await.payment;
    assert_eq!(left(&world, "2026-11-21").await, Some(0));
    let command = payments::ConfirmPayment { method: Some(crate::world::card(FINE)), ..Default::default() };
    world.payments.confirm(&world.caller, asked.id, command, None).await.unwrap();
    world.pass(Duration::from_mins(1)).await;
    assert_eq!(world.get(asked.id).await.status(), PaymentStatus::Paid);
    assert_eq!(left(&world, "2026-11-21").await, Some(0));
    assert_eq!(refused(&world, card_payment(1, FINE)).await, (Limit::Daily, 0));
    world.assert_agreement().await;
}

#[tokio::test]
async fn one_payment_has_a_limit_per_currency() {
    let max_transaction_amount = BTreeMap::from([(Currency::USD, 999)]);
    let world = limited(VolumeLimits { max_transaction_amount, ..VolumeLimits::default() }).await;
    assert_eq!(refused(&world, card_payment(1_000, FINE)).await, (Limit::Transaction, 999));
    world.create(card_payment(999, FINE)).await.unwrap();
    let mut euros = card_payment(1_000, FINE);
    euros.amount = kernel::Money::new(1_000, Currency::EUR);
    world.create(euros).await.unwrap();
    assert_eq!(left(&world, "2026-11-21").await, None, "no counter where no volume is limited");
}

#[tokio::test]
async fn a_limit_changes_at_midday_in_both_directions() {
    let world = limited(daily(1_500)).await;
    world.pay(FINE).await;
    let set = |daily_volume| {
        let (payments, caller) = (world.payments.clone(), world.caller.clone());
        async move {
            let patch = SettingsPatch { daily_volume, ..SettingsPatch::default() };
            payments.change_settings(&caller, patch).await.unwrap().limits.daily_volume
        }
    };
    assert_eq!(refused(&world, card_payment(501, FINE)).await, (Limit::Daily, 500));
    assert_eq!(set(Patch::Set(2_000)).await, Some(2_000));
    world.create(card_payment(501, FINE)).await.unwrap();
    assert_eq!(left(&world, "2026-11-21").await, Some(499));
    // Below what was used already: nothing more today, and what was taken stays taken.
    assert_eq!(set(Patch::Set(600)).await, Some(600));
    assert_eq!(refused(&world, card_payment(1, FINE)).await, (Limit::Daily, 0));
    assert_eq!(left(&world, "2026-11-21").await, Some(-901));
    assert_eq!(set(Patch::Clear).await, Some(1_500), "the installation's default again");
    assert_eq!(refused(&world, card_payment(1, FINE)).await, (Limit::Daily, 0));
    assert!(set(Patch::Set(1_502)).await.is_some());
    world.create(card_payment(1, FINE)).await.unwrap();
    world.assert_agreement().await;
}

#[tokio::test]
async fn a_late_success_that_is_kept_counts_again() {
    for (late_success, expected) in [(LateSuccess::Keep, 0), (LateSuccess::Reverse, 1_000)] {
        let world = World::with(
            |_| {},
            |settings| {
                settings.defaults.limits = daily(1_000);
                settings.defaults.late_success = late_success;
            },
        )
        .await;
        // Declined, and charged after all three seconds later.
        assert_eq!(world.pay("4000009900009005").await.payment.status(), PaymentStatus::Failed);
        assert_eq!(left(&world, "2026-11-21").await, Some(1_000));
        world.clock.advance(Duration::from_secs(4));
        assert!(world.deliver().await > 0);
        world.payments.process_inbox(100).await.unwrap();
        world.quiet().await;
        assert_eq!(left(&world, "2026-11-21").await, Some(expected), "{late_success:?}");
        world.assert_agreement().await;
    }
}

#[tokio::test]
async fn settings_stand_over_the_installations_and_are_refused_where_they_cannot_be() {
    let world = World::new().await;
    let change = |patch| world.payments.change_settings(&world.caller, patch);
    let settings = change(SettingsPatch {
        return_url: Patch::Set("https://shop.example/".to_owned()),
        default_provider: Patch::Set("sandbox".to_owned()),
        upi_payee_name: Patch::Set("Shop".to_owned()),
        max_transaction_amount: vec![(Currency::USD, Patch::Set(5))],
        ..SettingsPatch::default()
    })
    .await
    .unwrap();
    assert_eq!(world.payments.settings(world.scope).await.unwrap(), settings);
    assert_eq!(settings.return_url.as_deref(), Some("https://shop.example/"));
    assert_eq!(
        (settings.upi_payee.vpa.as_str(), settings.upi_payee.name.as_str()),
        ("merchant@bank", "Shop")
    );
    assert_eq!(refused(&world, card_payment(6, FINE)).await, (Limit::Transaction, 5));
    for wrong in [
        SettingsPatch { daily_volume: Patch::Set(0), ..SettingsPatch::default() },
        SettingsPatch {
            max_transaction_amount: vec![(Currency::EUR, Patch::Set(-1))],
            ..SettingsPatch::default()
        },
        SettingsPatch { default_provider: Patch::Set("stripe".to_owned()), ..SettingsPatch::default() },
        // Each by itself could be.
        SettingsPatch {
            daily_volume: Patch::Set(100),
            monthly_volume: Patch::Set(99),
            ..SettingsPatch::default()
        },
        SettingsPatch { statement_descriptor: Patch::Set("x".repeat(23)), ..SettingsPatch::default() },
    ] {
        assert!(matches!(change(wrong).await, Err(PaymentsError::Rejected(_))));
    }
    assert_eq!(world.payments.settings(world.scope).await.unwrap(), settings, "nothing half done");
    // What a merchant set before counts as what it sets now does.
    change(SettingsPatch { daily_volume: Patch::Set(100), ..SettingsPatch::default() }).await.unwrap();
    let monthly = |most| SettingsPatch { monthly_volume: Patch::Set(most), ..SettingsPatch::default() };
    assert!(matches!(change(monthly(99)).await, Err(PaymentsError::Rejected(_))));
    change(monthly(100)).await.unwrap();
    change(SettingsPatch {
        daily_volume: Patch::Clear,
        monthly_volume: Patch::Clear,
        ..SettingsPatch::default()
    })
    .await
    .unwrap();
    let cleared = SettingsPatch {
        max_transaction_amount: vec![(Currency::USD, Patch::Clear)],
        return_url: Patch::Clear,
        ..SettingsPatch::default()
    };
    let settings = change(cleared).await.unwrap();
    assert_eq!(settings.return_url.as_deref(), Some("https://merchant.example/back"));
    world.create(card_payment(6, FINE)).await.unwrap();
}
