//! Whether a provider account can be used, by a call that moves nothing: a look-up of an operation that
//! never was.

use kernel::{Currency, Id, Money, Scope};
use provider_kit::{Account, Call, Context, Lookup, Outcome, Verb};

use crate::rejection::PaymentsError;
use crate::service::Payments;

/// What became of a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Probe {
    /// The provider answered, and knows us.
    Answered,
    /// The provider answered that it does not let us: its code and message.
    Refused(String),
    /// There was no answer, or none that can be read: why.
    Unreachable(String),
}

impl Payments {
    /// Asks an account's provider for an operation that never was. Changes nothing anywhere.
    pub async fn probe(&self, scope: Scope, account: Id<Account>) -> Result<Probe, PaymentsError> {
        let opened = self.accounts.pinned(scope, account).await?;
        let fresh: String = self.ids.uuid().simple().to_string().chars().take(20).collect();
        let call = Call::Lookup(Lookup {
            reference: format!("probe{fresh}"),
            provider_reference: None,
            verb: Verb::Refund,
            capture: None,
            amount: Money::new(1, Currency::USD),
        });
        let mut nonce = [0; 16];
        self.random.fill(&mut nonce);
        let context = Context { now: self.now(scope).await?, nonce };
        // Begun, and never kept: it belongs to no payment.
        let mut talk = self.conversation(Id::from_uuid(self.ids.uuid()), None, Verb::Refund);
        Ok(match self.ask(&opened, &context, &call, &mut talk).await {
            Ok(Outcome::Refused { code, message }) => Probe::Refused(format!("{code}: {message}")),
            Ok(Outcome::Unknown { raw }) | Err(raw) => Probe::Unreachable(raw),
            Ok(_) => Probe::Answered,
        })
    }
}
