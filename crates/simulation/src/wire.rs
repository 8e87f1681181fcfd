//! The way to the bank, with everything that networks do.
//!
//! A request that left is on its way in a task of its own: the death of its sender does not call it back.

use std::sync::Arc;
use std::time::Duration;

use kernel::{
    BoxFuture, Clock, Credentials, Deadline, Effect, Exchange, Exchanged, Monotonic, Reply, Request,
    Timestamp,
};
use tokio::sync::oneshot;

use crate::executor::OUTSIDE;
use crate::machine::Process;
use crate::plan::Trouble;
use crate::world::World;

/// A process's way out.
pub(crate) struct Wire {
    /// What it is part of.
    pub(crate) world: Arc<World>,
    /// Whose it is.
    pub(crate) process: Process,
}

impl Exchange for Wire {
    fn exchange<'a>(
        &'a self,
        request: &'a Request,
        credentials: &'a Credentials,
        deadline: Deadline,
    ) -> BoxFuture<'a, Exchanged> {
        Box::pin(self.send(request, credentials, deadline))
    }
}

impl Wire {
    async fn send(&self, request: &Request, credentials: &Credentials, deadline: Deadline) -> Exchanged {
        let world = &self.world;
        let moves = request.effect != Effect::Read && !request.carries_card;
        let (nth, trouble) = world.next_call(moves);
        let name = if moves { "sends" } else { "asks" };
        world.line(&self.process, || {
            let trouble = trouble.map_or(String::new(), |trouble| format!("  [{trouble:?}]"));
            format!("{name} {} {} (call {nth}){trouble}", request.step, short(&request.key))
        });
        if let Some(trouble) = trouble {
            world.log.mark(&format!("network: {}{}", word(trouble), if moves { "" } else { " (read)" }));
        }
        if request.step == "lookup" {
            world.log.mark("protocol: look-up");
        }
        // Connecting.
        let connecting = world.between(1, 30);
        world.executor.sleep(connecting).await;
        if trouble == Some(Trouble::Refused) {
            return Exchanged::NotSent("connection refused".to_owned());
        }
        let clock = &self.process.clock;
        if clock.monotonic() >= deadline.monotonic || clock.now() >= deadline.wall {
            world.log.mark("protocol: past the send deadline");
            return Exchanged::NotSent("past the deadline".to_owned());
        }
        if moves {
            world.watch.sent(world, &self.process, request);
            if world.crashes_at_send(&self.process, nth, false) {
                std::future::pending::<()>().await;
            }
        }
        let (answer, answered) = oneshot::channel();
        let courier = Courier {
            world: Arc::clone(world),
            process: self.process.clone(),
            request: request.clone(),
            credentials: credentials.clone(),
            trouble,
            nth: moves.then_some(nth),
        };
        world.executor.spawn(
            OUTSIDE,
            Box::pin(async move {
                if let Some(reply) = courier.carry().await {
                    // Nobody may be waiting any more.
                    let _ = answer.send(reply);
                }
            }),
        );
        let patience = Box::pin(world.executor.sleep(deadline.reply_within));
        let came = match futures_util::future::select(answered, patience).await {
            futures_util::future::Either::Left((Ok(exchanged), _)) => exchanged,
            // The courier has nothing to say: whoever waits learns so when the time is over.
            futures_util::future::Either::Left((Err(_), patience)) => {
                patience.await;
                Exchanged::MaybeSent("no answer within the time-out".to_owned())
            }
            futures_util::future::Either::Right(_) => {
                Exchanged::MaybeSent("no answer within the time-out".to_owned())
            }
        };
        world.line(&self.process, || match &came {
            Exchanged::Replied(reply) => format!("got {} for {}", reply.status, short(&request.key)),
            Exchanged::NotSent(reason) | Exchanged::MaybeSent(reason) => {
                format!("got nothing for {}: {reason}", short(&request.key))
            }
        });
        came
    }
}

/// One request on its way.
struct Courier {
    world: Arc<World>,
    process: Process,
    request: Request,
    credentials: Credentials,
    trouble: Option<Trouble>,
    nth: Option<u64>,
}

impl Courier {
    async fn carry(&self) -> Option<Exchanged> {
        let world = &self.world;
        world.pause(1, 60).await;
        let broken = || Exchanged::MaybeSent("the connection broke".to_owned());
        match self.trouble {
            Some(Trouble::LostBefore | Trouble::Refused) => return None,
            Some(Trouble::ResetBefore) => return Some(broken()),
            Some(Trouble::ErrorBefore(status)) => return Some(page(status)),
            Some(Trouble::Refusal(status)) => return Some(refusal(status)),
            Some(Trouble::LateThere(late)) => world.executor.sleep(late).await,
            _ => {}
        }
        let came = self.bank().await;
        if let Some(nth) = self.nth {
            world.crashes_at_send(&self.process, nth, true);
        }
        if let Some(Trouble::LateBack(late)) = self.trouble {
            world.executor.sleep(late).await;
        }
        world.pause(1, 60).await;
        match (self.trouble, came) {
            (Some(Trouble::ResetAfter), _) => Some(broken()),
            (Some(Trouble::ErrorAfter(status)), _) => Some(page(status)),
            (Some(Trouble::Garbage), Exchanged::Replied(reply)) => {
                let half = reply.body.get(..reply.body.len() / 2).unwrap_or_default().to_vec();
                Some(Exchanged::Replied(Reply { status: 200, headers: Vec::new(), body: half }))
            }
            // A lost answer, or the bank's own silence.
            (Some(Trouble::LostAfter), _) | (_, Exchanged::MaybeSent(_)) => None,
            (_, came) => Some(came),
        }
    }

    async fn bank(&self) -> Exchanged {
        let never = Deadline {
            monotonic: Monotonic(Duration::MAX),
            wall: Timestamp::from_micros(i64::MAX),
            reply_within: Duration::from_mins(5),
        };
        let came = self.world.way.exchange(&self.request, &self.credentials, never).await;
        if self.nth.is_some() {
            let at = self.world.executor.now();
            self.world.log.line(at, || {
                let status = if let Exchanged::Replied(reply) = &came { reply.status } else { 0 };
                format!("   bank did {} {}: {status}", self.request.step, short(&self.request.key))
            });
        }
        came
    }
}

/// The end of a reference says which operation it is.
pub(crate) fn short(key: &str) -> &str {
    key.get(key.len().min(18)..).unwrap_or(key)
}

fn page(status: u16) -> Exchanged {
    let body = b"<html><body>something went wrong</body></html>".to_vec();
    Exchanged::Replied(Reply { status, headers: Vec::new(), body })
}

fn refusal(status: u16) -> Exchanged {
    let body = br#"{"error": {"code": "not_now", "message": "refused"}}"#.to_vec();
    Exchanged::Replied(Reply { status, headers: Vec::new(), body })
}

fn word(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::Refused => "connection refused",
        Trouble::LostBefore => "time-out, not done",
        Trouble::LostAfter => "time-out, done",
        Trouble::ResetBefore => "connection broke, not done",
        Trouble::ResetAfter => "connection broke, done",
        Trouble::ErrorBefore(_) => "5xx, not done",
        Trouble::ErrorAfter(_) => "5xx, done",
        Trouble::Garbage => "garbage, done",
        Trouble::Refusal(_) => "refused, not done",
        Trouble::LateThere(_) => "late there",
        Trouble::LateBack(late) if late.as_secs() >= 20 => "answer after the time-out, done",
        Trouble::LateBack(_) => "slow answer, done",
    }
}
