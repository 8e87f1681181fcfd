//! Notices as a provider would send them, made and signed here: for a developer's own tests.

use kernel::{Header, Id, Scope, Timestamp};
use provider_kit::{Account, NoticeSample};

use crate::operation::OperationKind;
use crate::payment::PaymentKind;
use crate::rejection::{PaymentsError, Rejection};
use crate::service::Payments;

impl Payments {
    /// The headers that prove a body to be the provider's, sent to an account at `at`.
    pub async fn signed_headers(
        &self,
        scope: Scope,
        account: Id<Account>,
        at: Timestamp,
        body: &[u8],
    ) -> Result<Vec<Header>, PaymentsError> {
        let opened = self.accounts.pinned(scope, account).await?;
        let signed = opened.provider.sign_notice(&opened.account, &opened.credentials, at, body);
        signed.ok_or_else(|| {
            let name = opened.profile().name;
            refused(format!(
                "notices of {name} cannot be signed here: nobody but the provider can, or the account has no \
                 secret for them"
            ))
        })
    }

    /// The body of a notice of a payment's newest charge.
    pub async fn sample_notice(
        &self,
        scope: Scope,
        account: Id<Account>,
        payment: Id<PaymentKind>,
        event: &str,
    ) -> Result<Vec<u8>, PaymentsError> {
        let opened = self.accounts.pinned(scope, account).await?;
        let payment = self.get(scope, payment).await?;
        let operations = self.operations(scope, payment.id).await?;
        let charge = operations.into_iter().rfind(|operation| {
            let is_charge = matches!(operation.id.kind, OperationKind::Authorize | OperationKind::Sale);
            is_charge && operation.account == account
        });
        let charge =
            charge.ok_or_else(|| refused("the payment was not charged at this account".to_owned()))?;
        let sample = NoticeSample {
            id: format!("evt_{}", self.ids.uuid().simple()),
            event: event.to_owned(),
            reference: charge.id.reference(),
            provider_reference: charge.reference.clone().unwrap_or_default(),
            amount: charge.amount,
            at: self.clock.now(),
        };
        opened.provider.sample_notice(&opened.account, &sample).ok_or_else(|| {
            let known = opened.provider.notice_events();
            refused(if known.is_empty() {
                format!("no notices of {} can be simulated", opened.profile().name)
            } else {
                format!("there is no event `{event}`; there is: {}", known.join(", "))
            })
        })
    }
}

fn refused(message: String) -> PaymentsError {
    Rejection::Invalid { param: "/event", message }.into()
}
