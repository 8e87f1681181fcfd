//! Going on with a charge whose customer has done what was asked, where the provider then waits for us: an
//! approved PayPal order moves no money until it is captured.
//!
//! The browser that returns, the provider's notice and the resolver may all hear of the consent. Whoever
//! hears it first takes the right to send in a commit of its own, and the consent stands beside the replies
//! from then on; the others find it there and leave the charge to its driver.

use std::sync::Arc;

use kernel::{Actor, Distilled, Lane, Outcome};
use provider_kit::CONSENTED;

use crate::account::Opened;
use crate::draft::Draft;
use crate::drive::Driven;
use crate::lock::Turn;
use crate::operation::{OperationId, OperationKind, OperationStatus};
use crate::rejection::PaymentsError;
use crate::service::Payments;

impl Payments {
    /// Takes the right to send, and drives the charge on. Does nothing where somebody else is doing it, or
    /// where the charge is being given up.
    pub(crate) async fn go_on_consented(
        &self,
        opened: &Arc<Opened>,
        id: OperationId,
        reference: &str,
    ) -> Result<(), PaymentsError> {
        let start = self.start();
        let held = self.lock(id.payment, Turn::Settle).await?;
        let mut draft = self.load(opened.scope, id.payment, Actor::Node).await?;
        let now = self.store.now().await?;
        if !may_go_on(&draft, id, now) {
            return Ok(());
        }
        crate::apply::learn_reference(&mut draft, id, reference.to_owned());
        if let Some(operation) = draft.operation_mut(id) {
            operation.replies.retain(|reply| reply.step != CONSENTED);
            let consent = serde_json::json!({"reference": reference});
            operation.replies.push(Distilled::of(CONSENTED, &consent));
        }
        self.renew(&mut draft, id, now, true);
        match self.commit(&mut draft, Lane::Settle).await? {
            Outcome::Committed { .. } => {}
            // Somebody else moved the payment: it is still due, or they go on themselves.
            Outcome::Conflict => return Ok(()),
            other => return Err(crate::service::refused(other)),
        }
        drop(held);
        let sent = match self.drive(&mut draft, opened, id, start).await? {
            Driven::Report(report) => self.settle(&mut draft, opened, id, &report).await?,
            Driven::Wait(until) => self.wait(&mut draft, opened, id, until).await?,
            Driven::Lost => return Ok(()),
        };
        let start = self.start();
        self.go_on(draft, opened, sent, start).await
    }
}

/// Whether an open charge may be driven on now: not while another driver who heard of the consent has the
/// right to send, nor beside a cancel, which will say that nothing was taken.
fn may_go_on(draft: &Draft, id: OperationId, now: kernel::Timestamp) -> bool {
    let Some(operation) = draft.operation(id) else { return false };
    let waits = match operation.status {
        OperationStatus::Unknown | OperationStatus::ActionRequired | OperationStatus::Pending => true,
        OperationStatus::Reserved
        | OperationStatus::Succeeded
        | OperationStatus::Declined
        | OperationStatus::NotDone
        | OperationStatus::Cancelled
        | OperationStatus::NeedsReview => false,
    };
    let was_heard = operation.replies.iter().any(|reply| reply.step == CONSENTED);
    let is_driven = was_heard && operation.sends_end_at.is_some_and(|end| end > now);
    waits && !is_driven && id.kind.is_charge() && draft.payment.open_of(&[OperationKind::Cancel]).is_none()
}
