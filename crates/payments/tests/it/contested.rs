//! Two who found the same, two reports that contradict each other, and what the caller is told meanwhile.

use std::sync::Arc;
use std::time::Duration;

use kernel::{BoxFuture, Cell, Clock as _, Row, Scope, Store, StoreError, Table};
use parking_lot::Mutex;
use payments::{ConfirmPayment, OperationStatus, PaymentStatus, RefundPayment, Verdict};
use provider_kit::Delivery;
use testkit::{Between, Through};
use tokio::sync::oneshot;

use crate::world::{Trouble, World, card, card_payment, claim};

/// A store whose next read of an operation pauses before it is answered.
struct Pausing(Mutex<Option<oneshot::Receiver<()>>>);

impl Between for Pausing {
    fn get<'a>(
        &'a self,
        inner: &'a dyn Store,
        table: &'static Table,
        scope: Scope,
        key: Vec<Cell>,
    ) -> BoxFuture<'a, Result<Option<Row>, StoreError>> {
        Box::pin(async move {
            let row = inner.get(table, scope, key).await;
            let pause = if table.name == "operation" { self.0.lock().take() } else { None };
            if let Some(pause) = pause {
                pause.await.unwrap();
            }
            row
        })
    }
}

async fn driver(world: &World, id: kernel::Id<payments::PaymentKind>) -> u64 {
    world.payments.operations(world.scope, id).await.unwrap()[0].driver
}

async fn yields() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

/// Work that goes on by itself.
fn spawned<F>(work: F) -> oneshot::Receiver<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let (sender, receiver) = oneshot::channel();
    let work = async move { drop(sender.send(work.await)) };
    kernel::Tasks::spawn(&testkit::RuntimeTasks, "test", Box::pin(work));
    receiver
}

#[tokio::test]
async fn of_two_nodes_that_find_an_operation_due_one_takes_it_over() {
    let world = World::new().await;
    world.trouble(Trouble::LostBefore);
    let id = world.pay("4242424242424242").await.payment.id;
    let (go, pause) = oneshot::channel();
    let store = Through::new(Arc::clone(&world.store), Pausing(Mutex::new(Some(pause))));
    let other = world.another(store);
    world.clock.advance(Duration::from_secs(6));
    // The other node has read that it is due when this one takes it over and repeats it.
    let late = spawned(async move { other.resolve_due(100).await });
    yields().await;
    world.trouble(Trouble::Slow);
    let this = Arc::clone(&world.payments);
    let here = spawned(async move { this.resolve_due(100).await });
    yields().await;
    let holder = driver(&world, id).await;
    go.send(()).unwrap();
    yields().await;
    assert_eq!(driver(&world, id).await, holder, "the right to send was taken from who used it");
    assert_eq!(world.wire.sent.lock().len(), 2, "the charge and one repeat");
    world.pass(Duration::from_mins(2)).await;
    here.await.unwrap().unwrap();
    late.await.unwrap().unwrap();
    assert_eq!(world.get(id).await.status(), PaymentStatus::Paid);
    world.assert_agreement().await;
}

#[tokio::test]
async fn a_returning_browser_takes_the_right_to_send_from_nobody() {
    let world = World::new().await;
    world.trouble(Trouble::LostBefore);
    let id = world.pay("4242424242424242").await.payment.id;
    let holder = driver(&world, id).await;
    world.payments.returned(world.account, id).await.unwrap();
    assert_eq!(driver(&world, id).await, holder);
    assert_eq!(world.wire.sent.lock().len(), 1, "a look-up alone");
    world.pass(Duration::from_mins(1)).await;
    assert_eq!(world.get(id).await.status(), PaymentStatus::Paid);
    world.assert_agreement().await;
}

/// The bank's notice that a refund was made comes after the one that it failed.
#[tokio::test]
async fn an_old_report_does_not_undo_a_newer_one() {
    let world = World::with(|bank| bank.notifies_all = true, |_| {}).await;
    let id = world.pay("4000000000005126").await.payment.id;
    world.quiet().await;
    world.refund(id, None).await.unwrap();
    let now = world.clock.now();
    let held = world.bank.due_notices(now, 100).await;
    for notice in &held {
        world.bank.acknowledge(&notice.id, now).await;
    }
    world.pass(Duration::from_secs(5)).await;
    assert_eq!(world.get(id).await.amounts.refunded, 0, "it failed after all");
    for notice in held {
        let delivery =
            Delivery { headers: notice.headers, body: notice.body, received_at: world.clock.now() };
        world.payments.receive("sandbox", world.account, delivery).await.unwrap();
    }
    world.quiet().await;
    assert_eq!(world.get(id).await.amounts.refunded, 0, "what was overtaken was believed");
    world.assert_agreement().await;
}

/// The same, by an answer that was a long time under way; and where the bank cannot be asked which of
/// two is true, the notice waits.
#[tokio::test]
async fn a_contradiction_waits_until_the_bank_says_which_is_true() {
    let world = World::new().await;
    let id = world.pay("4000009900009005").await.payment.id;
    assert_eq!(world.get(id).await.status(), PaymentStatus::Failed);
    *world.wire.blind.lock() = u32::MAX;
    world.pass(Duration::from_secs(10)).await;
    let surplus = |operations: Vec<payments::Operation>| operations.iter().any(|operation| operation.surplus);
    assert!(!surplus(world.payments.operations(world.scope, id).await.unwrap()));
    *world.wire.blind.lock() = 0;
    world.pass(Duration::from_mins(2)).await;
    assert!(surplus(world.payments.operations(world.scope, id).await.unwrap()));
    world.assert_agreement().await;
}

/// A notice settles the charge while its answer is awaited, and a refund follows: the first caller is
/// told what every repeat of the key is told.
#[tokio::test]
async fn the_first_answer_is_the_stored_one_whoever_settled() {
    let world = World::with(|bank| bank.notifies_all = true, |_| {}).await;
    world.trouble(Trouble::Slow);
    let (payments, caller) = (Arc::clone(&world.payments), world.caller.clone());
    let key = || Some(claim(world.scope, "k", "create", 1));
    let (command, first) = (card_payment(1000, "4242424242424242"), key());
    let told = spawned(async move { payments.create(&caller, command, first).await });
    yields().await;
    world.quiet().await;
    let id = world.payments.list(world.scope, None, 10).await.unwrap().items[0].id;
    let refund = RefundPayment { amount: Some(300), ..RefundPayment::default() };
    world.payments.refund(&world.caller, id, refund, None).await.unwrap();
    world.clock.advance(Duration::from_secs(21));
    let told = told.await.unwrap().unwrap();
    let command = card_payment(1000, "4242424242424242");
    let again = world.payments.create(&world.caller, command, key()).await.unwrap();
    assert!(again.replayed);
    assert_eq!((told.verdict, told.payment), (again.verdict, again.payment));
}

/// A notice that the first charge was given up reserves the second, whose outcome is open: the caller of
/// the confirm must not be told that it is done.
#[tokio::test]
async fn a_confirm_whose_charge_another_task_sends_is_accepted() {
    let world = World::with(|bank| bank.notifies_all = true, |_| {}).await;
    let id = world.pay("4000000000003220").await.payment.id;
    world.quiet().await;
    world.trouble(Trouble::Slow);
    world.trouble(Trouble::LostBefore);
    let (payments, caller) = (Arc::clone(&world.payments), world.caller.clone());
    let key = claim(world.scope, "k", "confirm", 1);
    let command = ConfirmPayment { method: Some(card("5555555555554444")), ..ConfirmPayment::default() };
    let told = spawned(async move { payments.confirm(&caller, id, command, Some(key)).await });
    yields().await;
    world.quiet().await;
    assert_eq!(world.get(id).await.charge.unwrap().status, OperationStatus::Unknown);
    world.clock.advance(Duration::from_secs(21));
    assert_eq!(told.await.unwrap().unwrap().verdict, Verdict::Accepted);
    world.pass(Duration::from_mins(2)).await;
    assert_eq!(world.get(id).await.status(), PaymentStatus::Paid);
    world.assert_agreement().await;
}
