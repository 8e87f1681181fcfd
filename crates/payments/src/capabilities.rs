//! What the chosen account's provider cannot do is refused before anything is written.

use kernel::{Currency, Money};
use provider_kit::{AmountLimit, Capability, CaptureMode, MethodKind, Profile, ThreeDSecure};

use crate::account::Opened;
use crate::command::{Caller, CapturePayment, MethodInput, RefundPayment};
use crate::payment::{Payment, Purpose};
use crate::rejection::Rejection;

/// What a charge asks of a provider.
pub(crate) struct Asked {
    pub(crate) kind: Option<MethodKind>,
    pub(crate) amount: Money,
    pub(crate) purpose: Purpose,
    pub(crate) capture_method: CaptureMode,
    pub(crate) capture_delay_seconds: Option<u32>,
    pub(crate) three_d_secure: ThreeDSecure,
}

/// Which method an input is.
pub(crate) const fn kind_of(method: &MethodInput) -> MethodKind {
    match method {
        MethodInput::Upi { .. } => MethodKind::Upi,
        MethodInput::Paypal { .. } => MethodKind::Paypal,
        MethodInput::Hosted { method, .. } => *method,
        MethodInput::Card(_) | MethodInput::Token(_) | MethodInput::Stored(_) => MethodKind::Card,
    }
}

/// Refuses what the account's provider does not offer, naming the field that asks for it.
pub(crate) fn check(asked: &Asked, opened: &Opened) -> Result<(), Rejection> {
    let profile = opened.provider.profile();
    let invalid = |param, message: String| Err(Rejection::Invalid { param, message });
    let Asked { kind, amount, .. } = *asked;
    if let Some(kind) = kind.filter(|kind| !profile.methods.contains(kind)) {
        return invalid("/payment_method", format!("{} does not take {}", profile.name, kind.as_str()));
    }
    let currency = amount.currency;
    if !profile.takes(currency) {
        return invalid("/currency", format!("{} does not take {currency}", profile.name));
    }
    check_amount(kind, amount, profile)?;
    let upi = kind == Some(MethodKind::Upi);
    if upi && currency != Currency::INR {
        return invalid("/currency", "UPI takes INR only".to_owned());
    }
    let manual = asked.capture_method == CaptureMode::Manual;
    if manual && !profile.can(Capability::ManualCapture) {
        return invalid("/capture_method", format!("{} cannot hold money for a later capture", profile.name));
    }
    if manual && upi {
        return invalid("/capture_method", "UPI cannot hold money for a later capture".to_owned());
    }
    if let Some(seconds) = asked.capture_delay_seconds {
        let longest = profile.authorization_valid_for.as_secs();
        if upi || !profile.can(Capability::ManualCapture) {
            let what = if upi { "UPI" } else { profile.name };
            return invalid(
                "/capture_delay_seconds",
                format!("{what} cannot hold money for a later capture"),
            );
        }
        if u64::from(seconds) >= longest {
            let message = format!("{} holds money for {longest} seconds; the delay is shorter", profile.name);
            return invalid("/capture_delay_seconds", message);
        }
    }
    if asked.three_d_secure == ThreeDSecure::Required
        && kind == Some(MethodKind::Card)
        && !profile.can(Capability::ThreeDSecure)
    {
        return invalid("/three_d_secure", format!("{} has no 3-D Secure", profile.name));
    }
    if asked.purpose == Purpose::Verification && !profile.can(Capability::Verification) {
        return invalid("/purpose", format!("{} cannot verify with an amount of zero", profile.name));
    }
    Ok(())
}

/// What is charged lies within what the provider takes at once. What is not charged now is judged when it
/// is, and a verification charges nothing.
fn check_amount(kind: Option<MethodKind>, amount: Money, profile: &Profile) -> Result<(), Rejection> {
    check_step(amount, profile)?;
    let limit = profile.limits.of(amount.currency);
    if kind.is_none() || amount.is_zero() || (limit.minimum..=limit.maximum).contains(&amount.minor) {
        return Ok(());
    }
    let (name, currency) = (profile.name, amount.currency);
    let AmountLimit { minimum, maximum } = limit;
    let message = format!("{name} takes {minimum} to {maximum} minor units of {currency} at once");
    Err(Rejection::Invalid { param: "/amount", message })
}

/// Some providers cannot express every amount of a currency: such a one never leaves.
fn check_step(amount: Money, profile: &Profile) -> Result<(), Rejection> {
    let step = profile.amount_step(amount.currency);
    if amount.minor % step == 0 {
        return Ok(());
    }
    let (name, currency) = (profile.name, amount.currency);
    let message = format!("{name} takes only multiples of {step} minor units of {currency}");
    Err(Rejection::Invalid { param: "/amount", message })
}

/// An amount that is added to what is held must be one that the provider can express.
pub(crate) fn check_increment(
    payment: &Payment,
    minor: i64,
    profile: Option<&'static Profile>,
) -> Result<(), Rejection> {
    profile.map_or(Ok(()), |profile| check_step(payment.money(minor), profile))
}

/// Some providers capture all or nothing, or once.
pub(crate) fn check_capture(
    payment: &Payment,
    command: CapturePayment,
    opened: Option<&Opened>,
) -> Result<(), Rejection> {
    let Some(opened) = opened else { return Ok(()) };
    let profile = opened.profile();
    if let Some(minor) = command.amount {
        check_step(payment.money(minor), profile)?;
    }
    let partial = command.amount.is_some_and(|minor| minor < payment.amounts.capturable());
    if partial && !opened.can(Capability::PartialCapture) {
        let message = format!("{} captures all that is held or nothing", profile.name);
        return Err(Rejection::Invalid { param: "/amount", message });
    }
    if partial && !command.is_final && !opened.can(Capability::MultipleCaptures) {
        let message = format!("{} captures once: a part is captured with `final: true`", profile.name);
        return Err(Rejection::Invalid { param: "/final", message });
    }
    Ok(())
}

/// Some providers give back all or nothing.
pub(crate) fn check_refund(
    payment: &Payment,
    command: &RefundPayment,
    opened: Option<&Opened>,
) -> Result<(), Rejection> {
    let Some(opened) = opened else { return Ok(()) };
    let name = opened.profile().name;
    if let Some(minor) = command.amount {
        check_step(payment.money(minor), opened.profile())?;
    }
    let partial = command.amount.is_some_and(|minor| minor < payment.amounts.captured);
    if partial && !opened.can(Capability::PartialRefund) {
        let message = format!("{name} gives back all that was taken or nothing");
        return Err(Rejection::Invalid { param: "/amount", message });
    }
    Ok(())
}

/// A scenario is for a simulation in a test world, and for nothing else.
pub(crate) fn check_scenario(caller: &Caller, opened: &Opened) -> Result<(), Rejection> {
    if caller.scenario.is_none() {
        return Ok(());
    }
    let param = "X-Florin-Sandbox-Scenario";
    if caller.scope.mode == kernel::Mode::Live {
        return Err(Rejection::Invalid { param, message: "live payments play no scenarios".to_owned() });
    }
    let profile = opened.provider.profile();
    if profile.plays_scenarios {
        return Ok(());
    }
    Err(Rejection::Invalid { param, message: format!("{} plays no scenarios", profile.name) })
}
