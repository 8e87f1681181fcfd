//! The conditions that every subject is tried under.

use super::driver::{Bench, Driven, End, Fault};
use super::subject::{Expected, Prepared, Subject, charge, hosted, upi};
use super::{Moved, Wanted};
use crate::call::{Call, CaptureMode};
use crate::outcome::{Outcome, RefusalCause};
use crate::profile::{Capability, MethodKind, Repeat};
use crate::provider::Step;

/// A condition of the matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    Approved,
    Declined,
    Refused,
    TimeoutBefore,
    TimeoutAfter,
    Garbage,
    ServerErrorAfter,
    Unmapped,
    SameBytes,
}

/// All of them, in order.
pub(super) const CONDITIONS: &[Condition] = &[
    Condition::Approved,
    Condition::Declined,
    Condition::Refused,
    Condition::TimeoutBefore,
    Condition::TimeoutAfter,
    Condition::Garbage,
    Condition::ServerErrorAfter,
    Condition::Unmapped,
    Condition::SameBytes,
];

impl Condition {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Declined => "declined",
            Self::Refused => "refused",
            Self::TimeoutBefore => "timeout before",
            Self::TimeoutAfter => "timeout after",
            Self::Garbage => "garbage",
            Self::ServerErrorAfter => "server error after",
            Self::Unmapped => "unmapped state",
            Self::SameBytes => "same key, same bytes",
        }
    }
}

/// Runs one cell of the matrix; `None` where the condition means nothing for the subject.
pub(super) async fn run(
    bench: &mut Bench<'_>,
    subject: Subject,
    condition: Condition,
) -> Option<Result<(), String>> {
    // Only an issuer declines, and only a charge is in a state that might be unmapped at a card's will.
    let needs_charge = matches!(condition, Condition::Declined | Condition::Unmapped);
    // A verification, a challenge and a payer have no decline of their own beside the card's.
    let is_card = matches!(subject, Subject::Sale | Subject::Of(Capability::ManualCapture));
    let asks_payer = matches!(subject, Subject::Upi | Subject::Hosted(_));
    // On a page a payer who was declined tries again: there is no decline before the charge is given up.
    let asks_payer = asks_payer && subject != Subject::Hosted(MethodKind::Checkout);
    let is_payers_decline = asks_payer && condition == Condition::Declined;
    if needs_charge && !is_card && !is_payers_decline {
        return None;
    }
    Some(match condition {
        Condition::Approved => succeeds(bench, subject).await,
        Condition::Declined => declined(bench, subject).await,
        Condition::Refused => refused(bench, subject).await,
        Condition::TimeoutBefore => lost_before(bench, subject).await,
        Condition::TimeoutAfter => lost_after(bench, subject, Fault::TimeoutAfter).await,
        Condition::Garbage => lost_after(bench, subject, Fault::Garbage).await,
        Condition::ServerErrorAfter => lost_after(bench, subject, Fault::ServerErrorAfter).await,
        Condition::Unmapped => unmapped(bench).await,
        Condition::SameBytes => same_bytes(bench, subject).await,
    })
}

async fn succeeds(bench: &mut Bench<'_>, subject: Subject) -> Result<(), String> {
    let Prepared { call, expected } = subject.prepare(bench).await?;
    let driven = bench.drive(&call, Fault::None).await;
    let outcome = done(&driven)?;
    expected.check(outcome)?;
    replays(bench, &call, &driven)?;
    let Outcome::ActionRequired(required) = outcome else { return Ok(()) };
    // The customer acts; the look-up then says so, and never goes back.
    let action = required.action.clone();
    bench.fake.complete(&action).await?;
    bench.fake.advance(std::time::Duration::from_mins(10));
    let amount = if let Call::Charge(charge) = &call { charge.amount } else { return Ok(()) };
    let looked_up = bench.look_up(&call).await?;
    let Outcome::Consented { reference } = &looked_up else {
        return Expected::Approved(amount).check(&looked_up);
    };
    // It waits for us: nothing has moved yet, one more step takes it, and a second one takes no more.
    let before = bench.fake.moved().await;
    let finished = bench.go_on(&call, &driven, reference, Fault::None).await;
    Expected::Approved(amount).check(done(&finished)?)?;
    let after = bench.fake.moved().await;
    if after.taken != before.taken + amount.minor {
        return Err(format!("the consent moved {before:?} to {after:?}"));
    }
    let again = bench.go_on(&call, &driven, reference, Fault::None).await;
    Expected::Approved(amount).check(done(&again)?)?;
    moved_nothing(bench, after).await?;
    Expected::Approved(amount).check(&bench.look_up(&call).await?)
}

async fn declined(bench: &mut Bench<'_>, subject: Subject) -> Result<(), String> {
    let before = bench.fake.moved().await;
    let call = match subject {
        Subject::Upi => upi(bench, Wanted::Declined)?.call,
        Subject::Hosted(method) => hosted(bench, method, Wanted::Declined)?.call,
        Subject::Of(Capability::ManualCapture) => {
            charge(bench, Wanted::Declined, CaptureMode::Manual, 1000).await?.call
        }
        _ => charge(bench, Wanted::Declined, CaptureMode::Automatic, 1000).await?.call,
    };
    let driven = bench.drive(&call, Fault::None).await;
    replays(bench, &call, &driven)?;
    let mut outcome = done(&driven)?.clone();
    if let Outcome::ActionRequired(required) = &outcome {
        bench.fake.complete(&required.action).await?;
    }
    // A payer who is asked without us decides meanwhile.
    if let Outcome::ActionRequired(_) | Outcome::Pending { .. } = &outcome {
        bench.fake.advance(std::time::Duration::from_mins(10));
        outcome = bench.look_up(&call).await?;
    }
    let Outcome::Declined(_) = &outcome else { return Err(format!("expected a decline, got {outcome:?}")) };
    let looked_up = bench.look_up(&call).await?;
    if !matches!(looked_up, Outcome::Declined(_)) {
        return Err(format!("a decline is looked up as {looked_up:?}"));
    }
    moved_nothing(bench, before).await
}

/// With credentials that are nobody's the provider takes nothing on, and says so in a way that is told
/// from a decline and from a failure.
async fn refused(bench: &mut Bench<'_>, subject: Subject) -> Result<(), String> {
    let Prepared { call, .. } = subject.prepare(bench).await?;
    let before = bench.fake.moved().await;
    let strange = bench.fake.strange_credentials();
    let driven = bench.drive_as_stranger(&call, &strange).await;
    let Outcome::Refused { cause, code, .. } = done(&driven)? else {
        return Err(format!("expected a refusal, got {:?}", driven.end));
    };
    if *cause != RefusalCause::Credentials {
        return Err(format!("a refusal of credentials is said to be one for {cause:?}"));
    }
    if code.is_empty() {
        return Err("a refusal has the provider's word for it".to_owned());
    }
    replays(bench, &call, &driven)?;
    moved_nothing(bench, before).await
}

/// The request is lost. A look-up finds nothing, and says so as [`Outcome::NotFound`]: a caller waits
/// for the visibility before it believes that. A repeat, where the profile allows one, then does it.
async fn lost_before(bench: &mut Bench<'_>, subject: Subject) -> Result<(), String> {
    let Prepared { call, expected } = subject.prepare(bench).await?;
    let before = bench.fake.moved().await;
    let driven = bench.drive(&call, Fault::TimeoutBefore).await;
    if !driven.has_effect() {
        expected.check(done(&driven)?)?;
        return moved_nothing(bench, before).await;
    }
    if driven.end != End::MaybeSent {
        return Err(format!("expected a request that was maybe sent, got {:?}", driven.end));
    }
    moved_nothing(bench, before).await?;
    let looked_up = bench.look_up(&call).await?;
    if looked_up != Outcome::NotFound {
        return Err(format!("what never arrived is looked up as {looked_up:?}"));
    }
    if bench.provider.profile().visibility.is_zero() {
        return Err("a profile names the time for which \"not found\" proves nothing".to_owned());
    }
    if matches!(bench.provider.profile().repeat(call.verb()), Repeat::Keyed { .. }) {
        let again = bench.repeat(&call, &driven).await;
        expected.check(done(&again)?)?;
    }
    Ok(())
}

/// It is done, but the answer is lost or broken: never a guess, and the look-up knows. A repeat, where
/// the profile allows one, gives the same answer and moves nothing a second time.
async fn lost_after(bench: &mut Bench<'_>, subject: Subject, fault: Fault) -> Result<(), String> {
    let Prepared { call, expected } = subject.prepare(bench).await?;
    let driven = bench.drive(&call, fault).await;
    if !driven.has_effect() {
        expected.check(done(&driven)?)?;
        return lost_after_consent(bench, &call, &driven, fault).await;
    }
    match (&driven.end, fault) {
        (End::MaybeSent, Fault::TimeoutAfter) => {}
        (End::Done(Outcome::Unknown { .. }), _) => replays(bench, &call, &driven)?,
        (other, _) => return Err(format!("expected no knowledge, got {other:?}")),
    }
    let after = bench.fake.moved().await;
    expected.check_found(&bench.look_up(&call).await?)?;
    if matches!(bench.provider.profile().repeat(call.verb()), Repeat::Keyed { .. }) {
        let again = bench.repeat(&call, &driven).await;
        expected.check(done(&again)?)?;
        moved_nothing(bench, after).await?;
        expected.check(&bench.look_up(&call).await?)?;
    }
    Ok(())
}

/// The same where nothing is done before the customer consents: then it is the step after that whose answer
/// is lost.
async fn lost_after_consent(
    bench: &mut Bench<'_>,
    call: &Call,
    driven: &Driven,
    fault: Fault,
) -> Result<(), String> {
    let (Outcome::ActionRequired(required), Call::Charge(charge)) = (done(driven)?, call) else {
        return Ok(());
    };
    let (action, approved) = (required.action.clone(), Expected::Approved(charge.amount));
    bench.fake.complete(&action).await?;
    let looked_up = bench.look_up(call).await?;
    let Outcome::Consented { reference } = &looked_up else {
        return Err(format!("a consent is looked up as {looked_up:?}"));
    };
    let lost = bench.go_on(call, driven, reference, fault).await;
    match (&lost.end, fault) {
        (End::MaybeSent, Fault::TimeoutAfter) | (End::Done(Outcome::Unknown { .. }), _) => {}
        (other, _) => return Err(format!("expected no knowledge, got {other:?}")),
    }
    let after = bench.fake.moved().await;
    approved.check(&bench.look_up(call).await?)?;
    let again = bench.go_on(call, driven, reference, Fault::None).await;
    approved.check(done(&again)?)?;
    moved_nothing(bench, after).await
}

async fn unmapped(bench: &mut Bench<'_>) -> Result<(), String> {
    let Prepared { call, .. } = charge(bench, Wanted::Unmapped, CaptureMode::Automatic, 1000).await?;
    let driven = bench.drive(&call, Fault::None).await;
    // Whatever it becomes in the end, it becomes now, and its notices are nobody's business.
    bench.fake.advance(std::time::Duration::from_mins(10));
    bench.fake.deliveries().await;
    match done(&driven)? {
        Outcome::Unknown { raw } if !raw.is_empty() => replays(bench, &call, &driven),
        other => Err(format!("a state that nobody mapped became {other:?}")),
    }
}

/// The same call in the same context asks for the same bytes; and another call does not share a key.
async fn same_bytes(bench: &mut Bench<'_>, subject: Subject) -> Result<(), String> {
    let Prepared { call, .. } = subject.prepare(bench).await?;
    let cx = bench.context();
    let step = || bench.provider.step(&cx, &bench.account, &call, &[]);
    let (Step::Send(first), Step::Send(second)) = (step(), step()) else {
        return Err("the first step sends nothing".to_owned());
    };
    if first != second {
        return Err("two equal steps ask for different requests".to_owned());
    }
    let repeat = bench.provider.profile().repeat(call.verb());
    if matches!(repeat, Repeat::Keyed { .. }) && first.effect == kernel::Effect::Once {
        return Err("the profile repeats by key what the request does once".to_owned());
    }
    if first.key.is_empty() || !first.key.contains(call.reference()) {
        return Err("a request's key begins with the operation's reference".to_owned());
    }
    Ok(())
}

/// From the stored form of the distilled replies the provider says the same as live.
fn replays(bench: &Bench<'_>, call: &Call, driven: &Driven) -> Result<(), String> {
    let mut replies = Vec::new();
    for distilled in driven.recorded.iter().filter_map(|recorded| recorded.distilled.as_ref()) {
        let stored = serde_json::to_vec(distilled).map_err(|error| error.to_string())?;
        if stored.contains(&0) || stored.windows(6).any(|window| window == b"\\u0000") {
            return Err("a distilled reply holds a NUL, which a database refuses".to_owned());
        }
        replies.push(serde_json::from_slice(&stored).map_err(|error| error.to_string())?);
    }
    let Step::Done(again) = bench.provider.step(&driven.cx, &bench.account, call, &replies) else {
        return Err("replayed from what was stored, the call is not done".to_owned());
    };
    let live = done(driven)?;
    if again == *live { Ok(()) } else { Err(format!("live {live:?}, replayed {again:?}")) }
}

async fn moved_nothing(bench: &Bench<'_>, before: Moved) -> Result<(), String> {
    let now = bench.fake.moved().await;
    if now == before { Ok(()) } else { Err(format!("money moved: {before:?}, then {now:?}")) }
}

fn done(driven: &Driven) -> Result<&Outcome, String> {
    if let End::Done(outcome) = &driven.end { Ok(outcome) } else { Err(format!("{:?}", driven.end)) }
}
