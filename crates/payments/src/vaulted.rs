//! Cards in the vault: put there when a method of them is kept, taken out when they must be tokenized at
//! another provider, destroyed with the method.
//!
//! The vault has a store of its own, so two commits must agree. The card goes first: a method in the main
//! store then always has its card. If its commit fails, nobody confirms the card's holder, and a pass
//! finds and releases it. A method that goes takes its card along by a job of the same commit.

use std::time::Duration;

use futures_util::StreamExt as _;
use kernel::{Cell, Changes, Id, Job, Lane, Outcome, Scope, TakenJob};
use provider_kit::Card;
use serde::{Deserialize, Serialize};
use vault::VaultError;
use vault::cards::{CardToken, HolderId, Unconfirmed};

use crate::account::Opened;
use crate::apply::Report;
use crate::command::MethodInput;
use crate::customers::Keep;
use crate::inbox::pause;
use crate::instrument::{Source, Token};
use crate::method::{PaymentMethod, PaymentMethodKind};
use crate::payment::{CardSummary, MethodSummary};
use crate::rejection::{PaymentsError, Rejection};
use crate::service::{Payments, refused};
use crate::writing::Writing;

/// The job that releases the cards of methods that went.
pub(crate) const RELEASE_JOB: &str = "vault_release";

/// How long a worker may take over one job.
const LEASE: Duration = Duration::from_mins(1);
/// How many jobs are run at the same time.
const AT_ONCE: usize = 8;

/// A method that is about to be kept, and its card in the vault.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Vaulted {
    pub(crate) method: Id<PaymentMethodKind>,
    pub(crate) card: CardToken,
}

#[derive(Debug, Serialize, Deserialize)]
struct Release {
    methods: Vec<Id<PaymentMethodKind>>,
}

impl Payments {
    /// Puts a card into the vault, if there is one and this merchant's cards go there: durable before the
    /// commit that keeps the method. One more commit, in the vault's store.
    pub(crate) async fn vault_card(
        &self,
        scope: Scope,
        card: &Card,
    ) -> Result<Option<Vaulted>, PaymentsError> {
        let Some(cards) = &self.cards else { return Ok(None) };
        if !self.merchant(scope).await?.vault_cards {
            return Ok(None);
        }
        let method = Id::from_uuid(self.ids.uuid());
        let card = cards.keep(scope, holder(method), &card.number).await.map_err(failed)?;
        Ok(Some(Vaulted { method, card }))
    }

    /// The same for a method that a reserve keeps.
    pub(crate) async fn keep_card(
        &self,
        scope: Scope,
        source: Option<&Source>,
        keep: Option<Keep>,
    ) -> Result<Option<Keep>, PaymentsError> {
        Ok(match (keep, source) {
            (Some(Keep::New { summary, token, .. }), Some(Source::Given(MethodInput::Card(card)))) => {
                let vaulted = self.vault_card(scope, card).await?;
                Some(Keep::New { summary, token, vaulted })
            }
            (keep, _) => keep,
        })
    }

    /// Whether a stored card could be tokenized at an account where it has no token.
    pub(crate) fn can_tokenize(&self, method: &PaymentMethod, opened: &Opened) -> bool {
        self.cards.is_some() && method.vaulted.is_some() && opened.provider.profile().tokenizes_cards
    }

    /// Tokenizes a stored card at an account, from the vault. The number is here for this one call. The
    /// outer error is ours, the inner one the provider's.
    pub(crate) async fn tokenize_stored(
        &self,
        opened: &Opened,
        of: uuid::Uuid,
        method: &PaymentMethod,
    ) -> Result<Result<Token, Report>, PaymentsError> {
        let gone = || Rejection::MethodNotUsable("the asked provider has no token of it");
        let (Some(cards), Some(card)) = (&self.cards, method.vaulted) else { return Err(gone().into()) };
        let MethodSummary::Card(CardSummary { exp_month: Some(month), exp_year: Some(year), .. }) =
            &method.summary
        else {
            return Err(gone().into());
        };
        let number = cards.reveal(opened.scope, holder(method.id), card).await.map_err(failed)?;
        let number = number.ok_or(Rejection::MethodNotUsable("its card is not in the vault any more"))?;
        let card = Card { number, exp_month: *month, exp_year: *year, cvc: None, holder: None };
        self.tokenize(opened, of, card).await
    }

    /// Has the cards of methods that go with this commit released after it.
    pub(crate) fn release_with<'m>(
        &self,
        writing: &mut Writing,
        scope: Scope,
        methods: impl Iterator<Item = &'m PaymentMethod>,
    ) -> Result<(), PaymentsError> {
        let methods: Vec<_> =
            methods.filter(|method| method.vaulted.is_some()).map(|method| method.id).collect();
        if methods.is_empty() {
            return Ok(());
        }
        let payload = serde_json::to_vec(&Release { methods })
            .map_err(|error| PaymentsError::Internal(error.to_string()))?;
        writing.changes.enqueue.push(Job {
            scope,
            id: self.ids.uuid(),
            kind: RELEASE_JOB,
            due: Cell::After(Duration::ZERO),
            promised: false,
            payload,
        });
        Ok(())
    }

    /// One pass over the cards of methods that went: their data keys are destroyed. Answers how many jobs
    /// there were.
    pub async fn release_cards(&self, limit: u32) -> Result<usize, PaymentsError> {
        if self.cards.is_none() {
            return Ok(0);
        }
        let jobs = self.store.take_jobs(&[RELEASE_JOB], limit, LEASE).await?;
        let count = jobs.len();
        let run = |job: TakenJob| async move {
            if let Err(error) = self.release_job(&job).await {
                tracing::warn!(job = %job.id, kind = job.kind, %error, "a job is tried again");
                if let Err(error) = self.store.return_job(&job, pause(job.attempts)).await {
                    tracing::warn!(job = %job.id, %error, "a job is free again when its lease ends");
                }
            }
        };
        futures_util::stream::iter(jobs).for_each_concurrent(AT_ONCE, run).await;
        Ok(count)
    }

    async fn release_job(&self, job: &TakenJob) -> Result<(), PaymentsError> {
        let Some(cards) = &self.cards else { return Ok(()) };
        let release: Release = serde_json::from_slice(&job.payload)
            .map_err(|error| PaymentsError::Internal(format!("a job cannot be read: {error}")))?;
        for method in release.methods {
            // Done twice, the second does nothing.
            cards.release(job.scope, holder(method)).await.map_err(failed)?;
        }
        let mut changes = Changes::new(self.ids.uuid(), Lane::Background);
        changes.finish = Some((job.scope, job.id, job.epoch));
        match self.store.commit(changes).await {
            // A conflict means that another worker took the job over: it finishes it.
            Outcome::Committed { .. } | Outcome::Conflict => Ok(()),
            other => Err(refused(other)),
        }
    }

    /// One pass over cards whose method was to be kept an hour ago: those that have it are confirmed, the
    /// others released. Answers how many there were.
    pub async fn confirm_cards(&self, limit: u32) -> Result<usize, PaymentsError> {
        let Some(cards) = &self.cards else { return Ok(0) };
        let unconfirmed = cards.unconfirmed(limit).await.map_err(failed)?;
        for Unconfirmed { scope, holder, card } in &unconfirmed {
            let id: Id<PaymentMethodKind> = Id::from_uuid(holder.uuid());
            let found = self.store.of(*scope).get::<PaymentMethod>(vec![id.into()]).await?;
            let settled = if found.is_some_and(|found| found.record.vaulted == Some(*card)) {
                cards.confirm(*scope, *holder).await
            } else {
                cards.release(*scope, *holder).await
            };
            settled.map_err(failed)?;
        }
        Ok(unconfirmed.len())
    }
}

/// A method as the vault knows it.
fn holder(method: Id<PaymentMethodKind>) -> HolderId {
    Id::from_uuid(method.uuid())
}

/// What the vault's failure means to a command: nothing was sent, and nothing was kept.
fn failed(error: VaultError) -> PaymentsError {
    match error {
        VaultError::Busy => PaymentsError::Busy,
        VaultError::NoKey(_) | VaultError::Unavailable(_) | VaultError::Store(_) => {
            PaymentsError::Unavailable(format!("the card vault: {error}"))
        }
        other => PaymentsError::Internal(format!("the card vault: {other}")),
    }
}
