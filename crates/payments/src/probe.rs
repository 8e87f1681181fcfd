//! Whether a provider account can be used, by calls that move nothing.

use kernel::{Exchanged, Id, Scope};
use provider_kit::{Account, Check, Context, Probe};

use crate::rejection::PaymentsError;
use crate::service::Payments;

/// The most requests of one probe.
const STEPS_MAX: usize = 8;

impl Payments {
    /// Asks an account's provider whether it lets us work. Changes nothing anywhere.
    pub async fn probe(&self, scope: Scope, account: Id<Account>) -> Result<Vec<Check>, PaymentsError> {
        let opened = self.accounts.pinned(scope, account).await?;
        let mut nonce = [0; 16];
        self.random.fill(&mut nonce);
        let context = Context { now: self.now(scope).await?, nonce };
        let deadline = self.deadline(self.start());
        let mut replies = Vec::new();
        for _ in 0..STEPS_MAX {
            let (account, credentials) = (&opened.account, &opened.credentials);
            let request = match opened.provider.probe(&context, account, credentials, &replies) {
                Probe::Done(checks) => return Ok(checks),
                Probe::Send(request) => request,
            };
            match opened.exchange.exchange(&request, credentials, deadline).await {
                Exchanged::Replied(reply) => replies.push(opened.provider.distill(request.step, &reply)),
                Exchanged::NotSent(reason) | Exchanged::MaybeSent(reason) => {
                    return Ok(vec![Check::fails("answers", reason)]);
                }
            }
        }
        Ok(vec![Check::fails("answers", "it asks for too much")])
    }
}
