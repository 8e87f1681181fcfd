//! What a provider is: a pure function from a call and the replies so far to the next request.
//!
//! A provider knows no socket, no clock, no database and no payment. It is handed a [`Call`], says
//! what to send ([`Step::Send`]), distils each [`kernel::Reply`] to what is worth keeping, and in the
//! end says what came of it ([`Outcome`]). Because every step sees only distilled replies, a crash
//! in the middle resumes from what was stored, by the same code.
//!
//! [`Profile`] is the capability table: what a provider claims here, the conformance suite runs.

mod account;
pub mod amount;
mod call;
pub mod certificate;
#[cfg(feature = "conformance")]
pub mod conformance;
mod guide;
mod outcome;
mod profile;
mod provider;
pub mod scrub;
pub mod signing;
pub mod standard_webhooks;
mod webhook;

pub use account::{Account, ProviderAccount};
pub use call::{
    Call, Cancel, Capture, CaptureMode, Card, Charge, Increment, Initiator, Instrument, Lookup, Payee,
    Refund, ThreeDSecure, Tokenize, Upstream, Verb, Void,
};
pub use guide::{DeclineRow, Guide, SettingRow, page};
pub use outcome::{
    Action, ActionRequired, Advice, Approved, Authentication, CONSENTED, CardFacts, Decline, DeclineCode,
    Outcome, RefusalCause,
};
pub use profile::{AmountLimit, AmountLimits, Capability, Currencies, MethodKind, Profile, Repeat};
pub use provider::{Check, Context, Probe, Provider, Registry, Step};
pub use webhook::{
    About, Delivery, DisputeNotice, DisputePhase, Fact, Incoming, Notice, NoticeSample, WebhookError,
};
