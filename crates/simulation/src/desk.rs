//! What people do at the bank itself.

use std::sync::Arc;
use std::time::Duration;

use payments::{Payment, PaymentKind};
use provider_kit::Action;

use crate::plan::Deed;
use crate::world::{Place, World};

/// Does it when its time has come, if it can be done then.
pub(crate) async fn act(world: Arc<World>, at: Duration, wish: usize, deed: Deed) {
    world.executor.sleep(at).await;
    let Some(place) = world.place.lock().clone() else { return };
    let made = world.made.lock().get(&wish).and_then(|made| made.last().copied());
    let Some(id) = made else { return };
    let rows = world.rows();
    let Ok(Some(found)) = rows.of(place.scope).get::<Payment>(vec![id.into()]).await else { return };
    let Some(charge) = &found.record.charge else { return };
    let (reference, now) = (charge.operation.reference(), world.wall());
    let bank = &world.bank;
    match deed {
        Deed::Refund(minor) => {
            if bank.dashboard_refund(place.identity, &reference, Some(minor), now).await.is_ok() {
                done(&world, deed, "desk: refund");
            }
        }
        Deed::Dispute => {
            if bank.dashboard_dispute(place.identity, &reference, None, now).await.is_ok() {
                done(&world, deed, "desk: dispute");
            }
        }
        Deed::Decide { won } => {
            let opened = bank.dashboard_dispute(place.identity, &reference, Some(100), now).await;
            let Ok(dispute) = opened else { return };
            world.executor.sleep(Duration::from_secs(3)).await;
            let now = world.wall();
            if bank.dashboard_decide(place.identity, &reference, dispute, won, now).await.is_ok() {
                done(&world, deed, "desk: dispute decided");
            }
        }
        Deed::Challenge(choice) => {
            let Some(Action::ThreeDSecure { url }) = found.record.next_action() else { return };
            let Some(name) = url.rsplit('/').next() else { return };
            let _ = bank.challenge_submit(name, choice, now).await;
            done(&world, deed, "desk: challenge answered");
            come_back(&world, &place, id);
        }
        Deed::Return => {
            done(&world, deed, "desk: browser returns");
            come_back(&world, &place, id);
        }
    }
}

fn done(world: &World, deed: Deed, mark: &str) {
    world.log.mark(mark);
    world.log.line(world.executor.now(), || format!("   at the bank: {deed:?}"));
}

fn come_back(world: &Arc<World>, place: &Place, id: kernel::Id<PaymentKind>) {
    let machine = usize::try_from(world.roll(8)).unwrap_or(0) % world.plan.machines;
    let Some((process, payments)) = world.any_serving(machine) else { return };
    let account = place.account;
    let work = async move {
        // Where the browser goes then is nobody's business here.
        let _ = payments.returned(account, id).await;
    };
    world.executor.spawn(process.life, Box::pin(work));
}
