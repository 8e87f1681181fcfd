//! Taking events of other systems: verified, then written down once, in one commit with what came.

use kernel::{Changes, Duplicate, Id, Lane, Outcome, Scope, Secret, Versioned};
use provider_kit::{Account, Delivery, ProviderAccount};

use crate::account::NewAccount;
use crate::quarantine::Rejected;
use crate::rejection::{PaymentsError, Rejection};
use crate::service::Payments;
use crate::signed_event::{
    EVENTS, EventClaim, EventRefusal, EventSource, HMAC_SECRET, SignedEvent, without_secrets,
};

impl Payments {
    /// Takes an event of another system, or says why not. Durable when it answers with the event: the
    /// first of its id, however often it comes.
    ///
    /// Nothing is stored of what is not signed, but for a sample in the quarantine; so the raw bytes are
    /// verified before they are written down, and written down before anybody is told that they were taken.
    pub async fn receive_event(
        &self,
        source: &EventSource,
        claim: &EventClaim<'_>,
        amount_is_text: bool,
        delivery: &Delivery,
    ) -> Result<Result<SignedEvent, EventRefusal>, PaymentsError> {
        let age_max = self.settings.event_age_max;
        if let Err(refusal) = claim.verify(&source.secret, delivery.received_at, age_max) {
            self.refuse_event(source, refusal.as_str(), delivery).await;
            return Ok(Err(refusal));
        }
        let tx_id = masked(claim.tx_id);
        if let Some(known) = self.event(source.scope, claim.tx_id).await? {
            return Ok(self.same_event(source, claim, known, delivery).await);
        }
        let event = SignedEvent {
            tx_id: claim.tx_id.to_owned(),
            amount: claim.amount.to_owned(),
            amount_is_text,
            value: claim.value,
            signed_at: claim.signed_at,
            received_at: delivery.received_at,
            headers: without_secrets(&delivery.headers),
            body: String::from_utf8_lossy(&delivery.body).into_owned(),
        };
        let mut changes = Changes::new(self.ids.uuid(), Lane::Background);
        changes.insert(source.scope, &event)?;
        match self.store.commit(changes).await {
            Outcome::Committed { .. } => {
                metrics::counter!("webhook_events_total").increment(1);
                tracing::info!(tx_id, "an event was taken");
                Ok(Ok(event))
            }
            // The same came twice at once.
            Outcome::Duplicate(Duplicate::Row { .. }) => {
                let known = self.event(source.scope, claim.tx_id).await?;
                let known = known.ok_or_else(|| PaymentsError::Internal("an event vanished".to_owned()))?;
                Ok(self.same_event(source, claim, known, delivery).await)
            }
            other => Err(crate::service::refused(other)),
        }
    }

    /// The first of an id stands; a repeat says the same amount, however it is signed and written.
    async fn same_event(
        &self,
        source: &EventSource,
        claim: &EventClaim<'_>,
        known: SignedEvent,
        delivery: &Delivery,
    ) -> Result<SignedEvent, EventRefusal> {
        if known.value == claim.value {
            return Ok(known);
        }
        self.refuse_event(source, EventRefusal::Contradiction.as_str(), delivery).await;
        Err(EventRefusal::Contradiction)
    }

    /// Keeps a sample of what was not taken.
    pub async fn refuse_event(&self, source: &EventSource, reason: &str, delivery: &Delivery) {
        let name = source.name();
        let rejected = Rejected { scope: source.scope, source: &name, provider: EVENTS, reason, delivery };
        self.quarantine(&rejected).await;
    }

    /// The event of this id in a world.
    pub async fn event(&self, scope: Scope, tx_id: &str) -> Result<Option<SignedEvent>, PaymentsError> {
        let found: Option<Versioned<SignedEvent>> = self.store.of(scope).get(vec![tx_id.into()]).await?;
        Ok(found.map(|found| found.record))
    }

    /// Whose events come in at an account's address, and how they are signed.
    pub async fn event_source(&self, account: Id<Account>) -> Result<EventSource, PaymentsError> {
        let found = self.accounts.event_source(account).await?;
        found.ok_or_else(|| Rejection::NotFound("provider account").into())
    }

    /// Gives a merchant's world a secret of its own for events, or another one in its place.
    pub async fn configure_events(
        &self,
        scope: Scope,
        secret: Secret<String>,
    ) -> Result<ProviderAccount, PaymentsError> {
        let account = NewAccount {
            provider: EVENTS.to_owned(),
            identity: String::new(),
            settings: std::collections::BTreeMap::new(),
            secrets: vec![(HMAC_SECRET.to_owned(), secret)],
        };
        self.configure_account(scope, account).await
    }
}

/// What a log may say of an id that somebody else made: its last four characters, if there are enough.
fn masked(tx_id: &str) -> String {
    let count = tx_id.chars().count();
    let last: String = tx_id.chars().skip(count.saturating_sub(4)).collect();
    if count >= 12 { format!("****{last}") } else { "****".to_owned() }
}
