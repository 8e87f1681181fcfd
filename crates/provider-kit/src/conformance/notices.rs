//! Notices: believed when they are genuine, and only then.

use kernel::{Credentials, Exchanged, Secret, Timestamp};

use super::driver::{Bench, forever};
use super::subject::{Prepared, approved, open_charge};
use crate::call::{CaptureMode, Verb};
use crate::outcome::Outcome;
use crate::profile::{Capability, MethodKind};
use crate::webhook::{Delivery, DisputePhase, Fact, Incoming, Notice, NoticeSample, WebhookError};

/// A delivery may ask for so many things, as in the inbox.
const NEEDS_MAX: usize = 4;

type Named = (&'static str, Result<(), String>);

/// Has the fake send what the profile claims, and holds every way to forge it against the provider.
pub(super) async fn run(bench: &mut Bench<'_>) -> Vec<Named> {
    // What earlier cases left behind is read too: all of it must be genuine.
    let mut deliveries = bench.fake.deliveries().await;
    let mut named = vec![("earlier", all_genuine(bench, &deliveries).await)];
    let profile = bench.provider.profile();
    let has_page = profile.methods.contains(&MethodKind::Checkout);
    if profile.can(Capability::ThreeDSecure) || has_page {
        let (mut sent, result) = challenge(bench).await;
        deliveries.append(&mut sent);
        named.push((if has_page { "paid on the page" } else { "challenge" }, result));
    }
    if bench.provider.profile().can(Capability::Disputes) {
        let (mut sent, result) = dispute(bench).await;
        deliveries.append(&mut sent);
        named.push(("dispute", result));
    }
    if !bench.provider.notice_events().is_empty() {
        named.push(("simulated", simulated(bench).await));
    }
    let Some(genuine) = deliveries.last().cloned() else {
        return named;
    };
    named.push(("bad signature", bad_signatures(bench, &genuine).await));
    named.push(("stale signature", stale(bench, &genuine).await));
    named.push(("twice", twice(bench, &genuine).await));
    for delivery in &deliveries {
        let notices = read(bench, delivery).await;
        bench.printed.push(format!("{notices:?}"));
    }
    named
}

async fn read(bench: &Bench<'_>, delivery: &Delivery) -> Result<Vec<Notice>, WebhookError> {
    read_as(bench, delivery, &bench.credentials).await
}

async fn read_as(
    bench: &Bench<'_>,
    delivery: &Delivery,
    credentials: &Credentials,
) -> Result<Vec<Notice>, WebhookError> {
    let cx = crate::provider::Context { now: delivery.received_at, nonce: [0; 16] };
    let mut replies = Vec::new();
    for _ in 0..NEEDS_MAX {
        match bench.provider.webhook(&cx, &bench.account, credentials, delivery, &replies)? {
            Incoming::Notices(notices) => return Ok(notices),
            Incoming::Need(request) => {
                if request.effect != kernel::Effect::Read {
                    return Err(WebhookError::Unreadable("a notice asks for an effect".to_owned()));
                }
                let exchanged = bench.fake.exchange().exchange(&request, credentials, forever()).await;
                let Exchanged::Replied(reply) = exchanged else {
                    return Err(WebhookError::Unreadable(format!("{} does not answer", request.url)));
                };
                replies.push(bench.provider.distill(request.step, &reply));
            }
        }
    }
    Err(WebhookError::Unreadable("it asks for too much".to_owned()))
}

/// The genuine ones among deliveries, in order.
async fn read_all(bench: &Bench<'_>, deliveries: &[Delivery]) -> Vec<Notice> {
    let mut notices = Vec::new();
    for delivery in deliveries {
        notices.extend(read(bench, delivery).await.unwrap_or_default());
    }
    notices
}

async fn all_genuine(bench: &Bench<'_>, deliveries: &[Delivery]) -> Result<(), String> {
    for delivery in deliveries {
        let notices = read(bench, delivery).await.map_err(|error| error.to_string())?;
        for notice in &notices {
            if let Fact::Operation { state: Outcome::Unknown { raw }, .. } = &notice.fact {
                return Err(format!("an honest notice is not understood: {raw}"));
            }
            if notice.id.is_empty() {
                return Err("a notice has an id".to_owned());
            }
        }
    }
    Ok(())
}

/// A challenge that was completed is told.
async fn challenge(bench: &mut Bench<'_>) -> (Vec<Delivery>, Result<(), String>) {
    let attempt = async |bench: &mut Bench<'_>| -> Result<Prepared, String> {
        let open = open_charge(bench).await?;
        let Outcome::ActionRequired(required) = bench.outcome(&open.call).await? else {
            return Err("nobody is asked".to_owned());
        };
        bench.fake.complete(&required.action).await?;
        Ok(open)
    };
    let open = match attempt(bench).await {
        Ok(open) => open,
        Err(error) => return (Vec::new(), Err(error)),
    };
    let deliveries = bench.fake.deliveries().await;
    let reference = open.call.reference();
    let told = read_all(bench, &deliveries).await.into_iter().any(|notice| {
        let approved = match &notice.fact {
            Fact::Operation { verb: Verb::Charge, state: Outcome::Approved(approved) } => {
                approved.amount.minor == 1000
            }
            // The provider waits for us: more than that it cannot tell.
            Fact::Operation { verb: Verb::Charge, state } => matches!(state, Outcome::Consented { .. }),
            _ => false,
        };
        approved && notice.about.ours.as_deref() == Some(reference)
    });
    let result = all_genuine(bench, &deliveries).await;
    let missing = || Err("no notice says that the charge is approved".to_owned());
    (deliveries, result.and_then(|()| if told { Ok(()) } else { missing() }))
}

/// A dispute is told, with the charge that it is about.
async fn dispute(bench: &mut Bench<'_>) -> (Vec<Delivery>, Result<(), String>) {
    let charge = match approved(bench, CaptureMode::Automatic).await {
        Ok(charge) => charge,
        Err(error) => return (Vec::new(), Err(error)),
    };
    if let Err(error) = bench.fake.dispute(&charge).await {
        return (Vec::new(), Err(error));
    }
    let deliveries = bench.fake.deliveries().await;
    let told = read_all(bench, &deliveries).await.into_iter().any(|notice| {
        let about = &notice.about;
        let names_charge = about.charge_ours.as_ref() == Some(&charge.reference)
            || (about.charge_reference.is_some() && about.charge_reference == charge.provider_reference);
        let opened = matches!(&notice.fact, Fact::Dispute(dispute)
            if dispute.phase == DisputePhase::Opened && dispute.amount.minor == 1000);
        names_charge && opened
    });
    let missing = || Err("no notice says that the charge is disputed".to_owned());
    (deliveries, if told { Ok(()) } else { missing() })
}

/// Anything that was changed, left out or signed by somebody else is refused, as a matter of signature.
async fn bad_signatures(bench: &Bench<'_>, genuine: &Delivery) -> Result<(), String> {
    let refused = async |what: &str, delivery: &Delivery| match read(bench, delivery).await {
        Err(WebhookError::Signature) => Ok(()),
        other => Err(format!("{what}: {other:?}")),
    };
    for place in [0, genuine.body.len() / 2, genuine.body.len().saturating_sub(1)] {
        let mut changed = genuine.clone();
        if let Some(byte) = changed.body.get_mut(place) {
            *byte ^= 1;
        }
        refused("a changed body", &changed).await?;
    }
    let mut longer = genuine.clone();
    longer.body.push(b' ');
    refused("a longer body", &longer).await?;
    refused("an empty body", &Delivery { body: Vec::new(), ..genuine.clone() }).await?;
    refused("no headers", &Delivery { headers: Vec::new(), ..genuine.clone() }).await?;
    let names = bench.provider.profile().secrets;
    let entry = |name: &&str| ((*name).to_owned(), Secret::new("another account's secret".to_owned()));
    let others = Credentials::new(names.iter().map(entry).collect());
    for (whose, credentials) in [("another's", others), ("nobody's", Credentials::default())] {
        match read_as(bench, genuine, &credentials).await {
            Err(WebhookError::Signature) => {}
            other => return Err(format!("under {whose} secret: {other:?}")),
        }
    }
    Ok(())
}

/// A day later, or a day before it was signed, it is a replay.
async fn stale(bench: &Bench<'_>, genuine: &Delivery) -> Result<(), String> {
    const DAY_MICROS: i64 = 24 * 60 * 60 * 1_000_000;
    for offset in [DAY_MICROS, -DAY_MICROS] {
        let received_at = Timestamp::from_micros(genuine.received_at.as_micros().saturating_add(offset));
        match read(bench, &Delivery { received_at, ..genuine.clone() }).await {
            Err(WebhookError::Stale) => {}
            other => return Err(format!("{offset} µs away: {other:?}")),
        }
    }
    Ok(())
}

/// What a developer's own tests send is believed like the provider's own, under the account's secret alone.
async fn simulated(bench: &mut Bench<'_>) -> Result<(), String> {
    let charge = approved(bench, CaptureMode::Automatic).await?;
    for event in bench.provider.notice_events() {
        let at = bench.fake.clock().now();
        let sample = NoticeSample {
            id: "evt_simulated".to_owned(),
            event: (*event).to_owned(),
            reference: charge.reference.clone(),
            provider_reference: charge.provider_reference.clone().unwrap_or_default(),
            amount: kernel::Money::new(1000, kernel::Currency::USD),
            at,
        };
        let body = bench.provider.sample_notice(&bench.account, &sample).ok_or("no body is made")?;
        let headers = bench.provider.sign_notice(&bench.account, &bench.credentials, at, &body);
        let genuine = Delivery { headers: headers.ok_or("nothing is signed")?, body, received_at: at };
        let told = read(bench, &genuine).await.map_err(|error| format!("{event}: {error}"))?;
        let is_about = |notice: &Notice| {
            let ours = Some(&charge.reference);
            notice.about.ours.as_ref() == ours
                || notice.about.charge_ours.as_ref() == ours
                || notice.about.charge_reference == charge.provider_reference
        };
        if !told.iter().any(|notice| is_about(notice) && !matches!(notice.fact, Fact::Other { .. })) {
            return Err(format!("{event} says nothing of the charge: {told:?}"));
        }
        bad_signatures(bench, &genuine).await.map_err(|error| format!("{event}: {error}"))?;
        let nobodys = bench.provider.sign_notice(&bench.account, &Credentials::default(), at, &genuine.body);
        if nobodys.is_some() {
            return Err(format!("{event} is signed without a secret"));
        }
    }
    let strange = NoticeSample {
        id: "evt".to_owned(),
        event: "of.no.kind".to_owned(),
        reference: charge.reference,
        provider_reference: String::new(),
        amount: kernel::Money::new(1, kernel::Currency::USD),
        at: bench.fake.clock().now(),
    };
    match bench.provider.sample_notice(&bench.account, &strange) {
        None => Ok(()),
        Some(_) => Err("a notice of no kind is made".to_owned()),
    }
}

/// The same delivery again says the same.
async fn twice(bench: &Bench<'_>, genuine: &Delivery) -> Result<(), String> {
    let (first, second) = (read(bench, genuine).await, read(bench, genuine).await);
    if first.is_ok() && first == second { Ok(()) } else { Err(format!("{first:?}, then {second:?}")) }
}
