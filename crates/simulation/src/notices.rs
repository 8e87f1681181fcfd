//! The bank's notices on their way to whoever serves.

use std::sync::Arc;
use std::time::Duration;

use provider_kit::Delivery;
use sandbox_bank::OutgoingNotice;
use tokio::sync::oneshot;

use crate::executor::OUTSIDE;
use crate::plan::{Item, NoticeFault};
use crate::world::World;

/// How often the bank looks what is due.
const PAUSE: Duration = Duration::from_millis(100);
const PAUSE_CALM: Duration = Duration::from_secs(5);

/// Carries notices for ever.
pub(crate) async fn carry(world: Arc<World>) {
    loop {
        for notice in world.bank.due_notices(world.wall(), 50).await {
            deliver(&world, notice).await;
        }
        world.executor.sleep(if world.is_stormy() { PAUSE } else { PAUSE_CALM }).await;
    }
}

async fn deliver(world: &Arc<World>, notice: OutgoingNotice) {
    let nth = world.next_notice();
    let how = world.plan.items.iter().find_map(|(_, item)| match *item {
        Item::Notice { nth: at, how } if at == nth && world.is_stormy() => Some(how),
        _ => None,
    });
    let body =
        Delivery { headers: notice.headers.clone(), body: notice.body.clone(), received_at: world.wall() };
    if let Some(how) = how {
        world.log.line(world.executor.now(), || format!("   notice {nth}: {how:?}"));
    }
    match how {
        Some(NoticeFault::Dropped) => {
            world.log.mark("notice: dropped");
            return world.bank.postpone(&notice.id, world.wall()).await;
        }
        Some(NoticeFault::Late(late)) => {
            world.log.mark("notice: overtaken by others");
            world.bank.acknowledge(&notice.id, world.wall()).await;
            later(world, late, body);
            return;
        }
        Some(NoticeFault::Again(late)) => {
            world.log.mark("notice: again later");
            later(world, late, body.clone());
        }
        Some(NoticeFault::Twice) => {
            world.log.mark("notice: twice");
            later(world, Duration::ZERO, body.clone());
        }
        Some(NoticeFault::Forged) => {
            world.log.mark("notice: forged");
            let text = String::from_utf8_lossy(&body.body).replace("succeeded", "failed");
            let text = text.replace("captured", "declined").replace("1000", "2000");
            let forged = Delivery { body: format!("{text} ").into_bytes(), ..body.clone() };
            later(world, Duration::ZERO, forged);
        }
        None => {}
    }
    if post(world, body).await {
        world.bank.acknowledge(&notice.id, world.wall()).await;
    } else {
        world.bank.postpone(&notice.id, world.wall()).await;
    }
}

/// In a while, and again until somebody takes it.
fn later(world: &Arc<World>, late: Duration, body: Delivery) {
    let there = Arc::clone(world);
    world.executor.spawn(
        OUTSIDE,
        Box::pin(async move {
            there.executor.sleep(late).await;
            while !post(&there, body.clone()).await {
                there.pause(500, 5000).await;
            }
        }),
    );
}

/// To whoever serves. Answers whether it was stored.
async fn post(world: &Arc<World>, body: Delivery) -> bool {
    world.pause(1, 40).await;
    let Some(place) = world.place.lock().clone() else { return false };
    let machine = usize::try_from(world.roll(8)).unwrap_or(0) % world.plan.machines;
    let Some((process, payments)) = world.any_serving(machine) else { return false };
    let (sender, receiver) = oneshot::channel();
    world.executor.spawn(
        process.life,
        Box::pin(async move {
            let taken = payments.receive("sandbox", place.account, body).await.is_ok();
            let _ = sender.send(taken);
        }),
    );
    // A connection that hangs is given up, like one that broke.
    let patience = Box::pin(world.executor.sleep(Duration::from_secs(10)));
    match futures_util::future::select(receiver, patience).await {
        futures_util::future::Either::Left((taken, _)) => taken.unwrap_or(false),
        futures_util::future::Either::Right(_) => false,
    }
}
