//! Providers that are wrong in one way each: the suite finds every one of them.

use std::sync::atomic::{AtomicU64, Ordering};

use kernel::{Credentials, Distilled, Reply};
use provider_kit::conformance::run;
use provider_kit::{
    Call, Context, Decline, DeclineCode, Delivery, Incoming, Outcome, Profile, Provider, ProviderAccount,
    RefusalCause, Step, Verb, WebhookError,
};
use provider_sandbox::Sandbox;
use sandbox_bank::BankConfig;

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    /// An answer that cannot be read is taken for a decline.
    GuessesADecline,
    /// An answer that cannot be read is taken for a refusal.
    GuessesARefusal,
    /// "Nothing found" is taken for a decline.
    TakesNotFoundForADecline,
    /// A repeat asks for other bytes.
    ChangesItsBytes,
    /// A repeat has a key of its own.
    ChangesItsKey,
    /// The reply is kept as it came.
    KeepsEverything,
    /// A request with a card does not say so.
    HidesTheCard,
    /// Says a smaller amount than was approved.
    MisreadsAmounts,
    /// Believes every notice.
    BelievesEverybody,
    /// Believes a notice however old it is.
    BelievesOldNotices,
    /// Claims what it cannot do.
    CannotVoid,
}

struct Mutant(Wrong, AtomicU64);

impl Provider for Mutant {
    fn profile(&self) -> &'static Profile {
        Sandbox.profile()
    }

    fn step(&self, cx: &Context, account: &ProviderAccount, call: &Call, replies: &[Distilled]) -> Step {
        let count = self.1.fetch_add(1, Ordering::Relaxed);
        let decline = || Step::Done(Outcome::Declined(Decline::of(DeclineCode::ProcessingError)));
        match (self.0, Sandbox.step(cx, account, call, replies)) {
            (Wrong::GuessesADecline, Step::Done(Outcome::Unknown { .. }))
            | (Wrong::TakesNotFoundForADecline, Step::Done(Outcome::NotFound)) => decline(),
            (Wrong::GuessesARefusal, Step::Done(Outcome::Unknown { raw })) => Step::Done(Outcome::Refused {
                cause: RefusalCause::Credentials,
                code: "failed".to_owned(),
                message: raw,
            }),
            (Wrong::ChangesItsBytes, Step::Send(mut request)) => {
                request.body.extend(count.to_string().bytes());
                Step::Send(request)
            }
            (Wrong::ChangesItsKey, Step::Send(mut request)) => {
                request.key = count.to_string();
                Step::Send(request)
            }
            (Wrong::HidesTheCard, Step::Send(mut request)) => {
                request.carries_card = false;
                Step::Send(request)
            }
            (Wrong::MisreadsAmounts, Step::Done(Outcome::Approved(mut approved))) => {
                approved.amount.minor /= 100;
                Step::Done(Outcome::Approved(approved))
            }
            (Wrong::CannotVoid, Step::Send(mut request)) if call.verb() == Verb::Void => {
                request.url.push('x');
                Step::Send(request)
            }
            (_, step) => step,
        }
    }

    fn distill(&self, step: &str, reply: &Reply) -> Distilled {
        let distilled = Sandbox.distill(step, reply);
        if self.0 != Wrong::KeepsEverything {
            return distilled;
        }
        let mut kept: serde_json::Value = distilled.read().unwrap();
        kept["raw"] = String::from_utf8_lossy(&reply.body).into();
        Distilled::of(step, &kept)
    }

    fn webhook(
        &self,
        cx: &Context,
        account: &ProviderAccount,
        credentials: &Credentials,
        delivery: &Delivery,
        replies: &[Distilled],
    ) -> Result<Incoming, WebhookError> {
        match (self.0, Sandbox.webhook(cx, account, credentials, delivery, replies)) {
            (Wrong::BelievesEverybody, Err(WebhookError::Signature))
            | (Wrong::BelievesOldNotices, Err(WebhookError::Stale)) => Ok(Incoming::Notices(Vec::new())),
            (_, result) => result,
        }
    }
}

#[tokio::test]
async fn every_wrong_provider_is_found() {
    for wrong in [
        Wrong::GuessesADecline,
        Wrong::GuessesARefusal,
        Wrong::TakesNotFoundForADecline,
        Wrong::ChangesItsBytes,
        Wrong::ChangesItsKey,
        Wrong::KeepsEverything,
        Wrong::HidesTheCard,
        Wrong::MisreadsAmounts,
        Wrong::BelievesEverybody,
        Wrong::BelievesOldNotices,
        Wrong::CannotVoid,
    ] {
        let mutant = Mutant(wrong, AtomicU64::new(0));
        let cases = run(&mutant, &crate::sandbox::Sandbox::new(BankConfig::default())).await;
        assert!(cases.iter().any(|case| case.result.is_err()), "{wrong:?} is not found");
    }
}
