//! What is tried: one subject for each claim of a profile, with the calls that lead up to it.

use kernel::{Currency, Money};

use super::Wanted;
use super::driver::{Bench, upstream};
use crate::call::{
    Call, Cancel, Capture, CaptureMode, Charge, Increment, Initiator, Instrument, Refund, ThreeDSecure,
    Upstream, Void,
};
use crate::outcome::Outcome;
use crate::profile::{Capability, MethodKind, Profile};

/// A claim that is tried under every condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A card, taken at once.
    Sale,
    /// A UPI payer, asked and approving.
    Upi,
    /// The owner of a PayPal account, asked and approving.
    Paypal,
    /// A payer on the pages of the provider, or of whom it sends the payer to.
    Hosted(MethodKind),
    /// A claimed capability.
    Of(Capability),
}

/// The call under test, and what it should end with.
pub(super) struct Prepared {
    pub(super) call: Call,
    pub(super) expected: Expected,
}

/// The outcome without its references.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    /// Approved for exactly this much.
    Approved(Money),
    /// Approved; the amount says nothing.
    Done,
    /// The customer is asked.
    ActionRequired,
}

impl Expected {
    /// Of a look-up after a lost answer: an address that only that answer told is gone, and the charge waits.
    pub(super) fn check_found(self, outcome: &Outcome) -> Result<(), String> {
        match (self, outcome) {
            (Self::ActionRequired, Outcome::Pending { .. }) => Ok(()),
            _ => self.check(outcome),
        }
    }

    /// Compares, or says what came instead.
    pub(super) fn check(self, outcome: &Outcome) -> Result<(), String> {
        let fits = match (self, outcome) {
            (Self::Approved(amount), Outcome::Approved(approved)) => approved.amount == amount,
            (Self::Done, Outcome::Approved(_)) | (Self::ActionRequired, Outcome::ActionRequired(_)) => true,
            _ => false,
        };
        if fits { Ok(()) } else { Err(format!("expected {self:?}, got {outcome:?}")) }
    }
}

const ASKED: i64 = 1000;
const PART: i64 = 400;

impl Subject {
    /// One for each claim. Disputes are told and never asked for: the notices try them.
    pub fn claimed(profile: &Profile) -> Vec<Self> {
        let methods = profile.methods.iter().map(|method| match method {
            MethodKind::Card => Self::Sale,
            MethodKind::Upi => Self::Upi,
            MethodKind::Paypal => Self::Paypal,
            MethodKind::Checkout | MethodKind::NetBanking | MethodKind::Wallet | MethodKind::Emi => {
                Self::Hosted(*method)
            }
        });
        let capabilities = profile.capabilities.iter().copied();
        let asked_for = capabilities.filter(|capability| *capability != Capability::Disputes);
        methods.chain(asked_for.map(Self::Of)).collect()
    }

    /// Its name in a case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sale => "sale",
            Self::Upi => "upi",
            Self::Paypal => "paypal",
            Self::Hosted(method) => method.as_str(),
            Self::Of(Capability::ManualCapture) => "manual capture",
            Self::Of(Capability::PartialCapture) => "partial capture",
            Self::Of(Capability::MultipleCaptures) => "second capture",
            Self::Of(Capability::Void) => "void",
            Self::Of(Capability::Refund) => "refund",
            Self::Of(Capability::PartialRefund) => "second partial refund",
            Self::Of(Capability::ThreeDSecure) => "three d secure",
            Self::Of(Capability::Verification) => "verification",
            Self::Of(Capability::Disputes) => "dispute",
            Self::Of(Capability::Cancel) => "cancel",
            Self::Of(Capability::Increment) => "increment",
        }
    }

    /// Leads up to the call under test.
    pub(super) async fn prepare(self, bench: &mut Bench<'_>) -> Result<Prepared, String> {
        let capability = match self {
            Self::Sale => return charge(bench, Wanted::Approved, CaptureMode::Automatic, ASKED).await,
            Self::Upi => return upi(bench, Wanted::Approved),
            Self::Paypal => return paypal(bench, Wanted::Approved),
            Self::Hosted(method) => return hosted(bench, method, Wanted::Approved),
            Self::Of(capability) => capability,
        };
        let amount = |minor| Money::new(minor, Currency::USD);
        match capability {
            Capability::ManualCapture => charge(bench, Wanted::Approved, CaptureMode::Manual, ASKED).await,
            Capability::Verification => charge(bench, Wanted::Approved, CaptureMode::Manual, 0).await,
            Capability::ThreeDSecure => {
                charge(bench, Wanted::Challenged, CaptureMode::Automatic, ASKED).await
            }
            Capability::PartialCapture => {
                let charge = approved(bench, CaptureMode::Manual).await?;
                Ok(capture(bench, charge, amount(PART), true))
            }
            Capability::MultipleCaptures => {
                let charge = approved(bench, CaptureMode::Manual).await?;
                let first = capture(bench, charge.clone(), amount(PART), false);
                first.expected.check(&bench.outcome(&first.call).await?)?;
                Ok(capture(bench, charge, amount(ASKED - PART), true))
            }
            Capability::Void => {
                let charge = approved(bench, CaptureMode::Manual).await?;
                let (reference, amount) = (bench.reference(), amount(ASKED));
                let call = Call::Void(Void { reference, amount, charge, scenario: None });
                Ok(Prepared { call, expected: Expected::Approved(amount) })
            }
            Capability::Refund => {
                let charge = approved(bench, CaptureMode::Automatic).await?;
                Ok(refund(bench, charge, amount(ASKED)))
            }
            Capability::PartialRefund => {
                let charge = approved(bench, CaptureMode::Automatic).await?;
                let first = refund(bench, charge.clone(), amount(PART));
                first.expected.check(&bench.outcome(&first.call).await?)?;
                Ok(refund(bench, charge, amount(PART)))
            }
            Capability::Cancel => {
                let open = open_charge(bench).await?;
                let outcome = bench.outcome(&open.call).await?;
                open.expected.check(&outcome)?;
                let charge = upstream(&open.call, &outcome);
                let call = Call::Cancel(Cancel { reference: bench.reference(), charge, scenario: None });
                Ok(Prepared { call, expected: Expected::Done })
            }
            Capability::Increment => {
                let (charge, reference) = (approved(bench, CaptureMode::Manual).await?, bench.reference());
                let call =
                    Call::Increment(Increment { reference, amount: amount(PART), charge, scenario: None });
                Ok(Prepared { call, expected: Expected::Approved(amount(PART)) })
            }
            Capability::Disputes => Err("disputes are told by notice and not asked for".to_owned()),
        }
    }
}

/// A charge of a card that behaves as wanted.
pub(super) async fn charge(
    bench: &mut Bench<'_>,
    wanted: Wanted,
    capture: CaptureMode,
    minor: i64,
) -> Result<Prepared, String> {
    let (instrument, initiator) = if let Some(kept) = bench.fake.kept_card(wanted) {
        kept
    } else {
        let card = bench.fake.card(wanted);
        let card = card.ok_or_else(|| format!("the fake has no card that is {wanted:?}"))?;
        (bench.token(card).await?, Initiator::Customer)
    };
    let amount = Money::new(minor, Currency::USD);
    let charge = a_charge(bench.reference(), amount, capture, instrument);
    let call = Call::Charge(Charge { initiator, ..charge });
    let expected = match wanted {
        Wanted::Challenged => Expected::ActionRequired,
        Wanted::Approved | Wanted::Declined | Wanted::Unmapped => Expected::Approved(amount),
    };
    Ok(Prepared { call, expected })
}

/// A charge of a UPI payer who behaves as wanted.
pub(super) fn upi(bench: &mut Bench<'_>, wanted: Wanted) -> Result<Prepared, String> {
    let instrument = bench.fake.upi(wanted).ok_or_else(|| format!("the fake has no payer {wanted:?}"))?;
    let amount = Money::new(ASKED, Currency::INR);
    let call = Call::Charge(a_charge(bench.reference(), amount, CaptureMode::Automatic, instrument));
    Ok(Prepared { call, expected: Expected::ActionRequired })
}

/// A charge of a PayPal account whose owner behaves as wanted.
pub(super) fn paypal(bench: &mut Bench<'_>, wanted: Wanted) -> Result<Prepared, String> {
    let instrument = bench.fake.paypal(wanted).ok_or_else(|| format!("the fake has no owner {wanted:?}"))?;
    let amount = Money::new(ASKED, Currency::USD);
    let call = Call::Charge(a_charge(bench.reference(), amount, CaptureMode::Automatic, instrument));
    Ok(Prepared { call, expected: Expected::ActionRequired })
}

/// A charge on the provider's pages, of a payer who behaves as wanted.
pub(super) fn hosted(bench: &mut Bench<'_>, method: MethodKind, wanted: Wanted) -> Result<Prepared, String> {
    let instrument = bench.fake.hosted(method, wanted);
    let instrument = instrument.ok_or_else(|| format!("the fake has no {} {wanted:?}", method.as_str()))?;
    let amount = Money::new(ASKED, Currency::INR);
    let call = Call::Charge(a_charge(bench.reference(), amount, CaptureMode::Automatic, instrument));
    Ok(Prepared { call, expected: Expected::ActionRequired })
}

/// A charge that waits for its payer: on the provider's own page where it has one, else in a challenge.
pub(super) async fn open_charge(bench: &mut Bench<'_>) -> Result<Prepared, String> {
    if bench.provider.profile().methods.contains(&MethodKind::Checkout) {
        return hosted(bench, MethodKind::Checkout, Wanted::Approved);
    }
    charge(bench, Wanted::Challenged, CaptureMode::Automatic, ASKED).await
}

fn a_charge(reference: String, amount: Money, capture: CaptureMode, instrument: Instrument) -> Charge {
    Charge {
        reference,
        amount,
        capture,
        instrument,
        return_url: "https://shop.example/return/1".to_owned(),
        description: Some("Order 12 & more".to_owned()),
        expires_in_seconds: Some(900),
        initiator: Initiator::Customer,
        stores_credential: false,
        three_d_secure: ThreeDSecure::Automatic,
        scenario: None,
    }
}

/// An approved charge of 1000.
pub(super) async fn approved(bench: &mut Bench<'_>, capture: CaptureMode) -> Result<Upstream, String> {
    let Prepared { call, expected } = charge(bench, Wanted::Approved, capture, ASKED).await?;
    let outcome = bench.outcome(&call).await?;
    expected.check(&outcome)?;
    Ok(upstream(&call, &outcome))
}

fn capture(bench: &mut Bench<'_>, charge: Upstream, amount: Money, is_final: bool) -> Prepared {
    let reference = bench.reference();
    let call = Call::Capture(Capture { reference, amount, charge, is_final, scenario: None });
    Prepared { call, expected: Expected::Approved(amount) }
}

/// A refund of a charge.
pub(super) fn refund(bench: &mut Bench<'_>, charge: Upstream, amount: Money) -> Prepared {
    let reason = Some("returned".to_owned());
    let reference = bench.reference();
    let call = Call::Refund(Refund { reference, amount, charge, reason, scenario: None });
    Prepared { call, expected: Expected::Approved(amount) }
}
