//! What people do at the bank itself: the customer on the challenge page, the merchant and the bank's
//! staff at the dashboard. Callers learn of it by notices and look-ups alone.

use std::collections::HashMap;

use kernel::{Id, Money, Scope, Timestamp};
use provider_kit::Verb;
use thiserror::Error;

use crate::account::{BankAccount, scope_of};
use crate::bank::{Bank, TURNS, filed_id};
use crate::charge::{Announcement, Charge, FiledId};
use crate::effect::Choice;
use crate::files::{Write, Written};
use crate::filing::{Effect, Entry, Filing};
use crate::render;
use crate::reply::Stop;

/// Why the dashboard did nothing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DeskError {
    /// The account has no such charge or dispute.
    #[error("nothing of that name is there")]
    NotFound,
    /// The charge as it stands does not allow it.
    #[error("{0}")]
    Refused(String),
    /// The bank's records cannot be read or written now.
    #[error("the bank's records are not available")]
    Unavailable,
}

impl From<Stop> for DeskError {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Rejected { status: 404, .. } => Self::NotFound,
            Stop::Rejected { message, .. } => Self::Refused(message),
            Stop::Struck(_) | Stop::OutOfOrder | Stop::Unclear => Self::Unavailable,
        }
    }
}

/// One charge as the bank's statement shows it, in minor units of its currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementLine {
    /// Whose: the identity of the account.
    pub account: String,
    /// The account's reference of the charge.
    pub reference: String,
    /// The bank's.
    pub id: FiledId,
    /// As look-ups say it.
    pub status: &'static str,
    /// What was asked.
    pub amount: Money,
    /// Ever held or taken.
    pub approved_minor: i64,
    /// Of it taken.
    pub captured_minor: i64,
    /// Of the taken given back, by refunds and by voids of what was taken at once.
    pub returned_minor: i64,
    /// Of the taken lost, or held back while it is disputed.
    pub disputed_minor: i64,
}

impl Bank {
    /// A refund made by hand. `charge` is the account's reference or the bank's id; without an amount
    /// all that is left. Answers the refund's id.
    pub async fn dashboard_refund(
        &self,
        account: Id<BankAccount>,
        charge: &str,
        minor: Option<i64>,
        now: Timestamp,
    ) -> Result<FiledId, DeskError> {
        let (id, charge_id) = (Id::from_uuid(self.ids.uuid()), named(account, charge));
        self.amend(scope_of(account), charge_id, now, |charge, now| {
            let at = charge.moment(now);
            let standing = charge.standing(at);
            let minor = minor.unwrap_or_else(|| standing.kept() - standing.disputed());
            let announcements = charge.refund_at_dashboard(id, minor, now)?;
            let amount = Money::new(minor, charge.amount.currency);
            let (reference, digest, verb) = (None, 0, Verb::Refund);
            let (charge, declined, created_at) = (charge_id, None, at);
            let effect = Effect { reference, digest, verb, charge, amount, declined, created_at };
            Ok((announcements, Some(Filing { id, entry: Entry::Effect(effect) })))
        })
        .await?;
        Ok(id)
    }

    /// Opens a dispute about all that is left of a charge, or about `minor` of it. It stays open until
    /// [`Bank::dashboard_decide`]. Answers the dispute's id.
    pub async fn dashboard_dispute(
        &self,
        account: Id<BankAccount>,
        charge: &str,
        minor: Option<i64>,
        now: Timestamp,
    ) -> Result<FiledId, DeskError> {
        let id = Id::from_uuid(self.ids.uuid());
        self.amend(scope_of(account), named(account, charge), now, |charge, now| {
            Ok((charge.dispute_at_dashboard(id, minor, now)?, None))
        })
        .await?;
        Ok(id)
    }

    /// Decides an open or decided dispute, for the merchant or against.
    pub async fn dashboard_decide(
        &self,
        account: Id<BankAccount>,
        charge: &str,
        dispute: FiledId,
        is_won: bool,
        now: Timestamp,
    ) -> Result<(), DeskError> {
        self.amend(scope_of(account), named(account, charge), now, |charge, now| {
            Ok((charge.decide_at_dashboard(dispute, is_won, now)?, None))
        })
        .await
    }

    /// Every charge of every account as of the real time `now`, in no particular order: what a gateway's
    /// books are held against.
    pub async fn statement(&self, now: Timestamp) -> Result<Vec<StatementLine>, DeskError> {
        let filings = self.files.all().await.map_err(|_| DeskError::Unavailable)?;
        let mut ahead = HashMap::new();
        for (scope, _) in &filings {
            if !ahead.contains_key(scope) {
                let offset = self.ahead(*scope, now).await.map_err(|_| DeskError::Unavailable)?;
                ahead.insert(*scope, offset);
            }
        }
        let line = |(scope, filing): &(Scope, _)| {
            let Filing { id, entry: Entry::Charge(charge) } = AsRef::<Filing>::as_ref(filing) else {
                return None;
            };
            let now = now.plus(ahead.get(scope).copied().unwrap_or_default());
            let standing = charge.standing(charge.moment(now));
            Some(StatementLine {
                account: Id::<BankAccount>::from_uuid(scope.merchant.uuid()).to_string(),
                reference: charge.reference.clone(),
                id: *id,
                status: render::status(&standing),
                amount: charge.amount,
                approved_minor: standing.approved,
                captured_minor: standing.captured,
                returned_minor: standing.refunded + standing.reversed,
                disputed_minor: standing.disputed(),
            })
        };
        Ok(filings.iter().filter_map(line).collect())
    }

    /// What the customer chose. Nothing changes if nobody is asked any more.
    pub(crate) async fn choose(
        &self,
        scope: Scope,
        id: FiledId,
        choice: Choice,
        now: Timestamp,
    ) -> Result<(), DeskError> {
        let chosen = self.amend(scope, id, now, |charge, now| {
            let answered = || Stop::conflict("already_answered", "nobody is asked any more");
            charge.choose(id, choice, now, &self.config).map(|told| (told, None)).ok_or_else(answered)
        });
        match chosen.await {
            Ok(()) | Err(DeskError::Refused(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Loads a charge, changes it, and writes it with the notices that follow; again if somebody else
    /// was faster.
    async fn amend(
        &self,
        scope: Scope,
        id: FiledId,
        now: Timestamp,
        mut decide: impl FnMut(&mut Charge, Timestamp) -> Result<(Vec<Announcement>, Option<Filing>), Stop>,
    ) -> Result<(), DeskError> {
        let account = Id::from_uuid(scope.merchant.uuid());
        let ahead = self.ahead(scope, now).await.map_err(|_| DeskError::Unavailable)?;
        for _ in 0..TURNS {
            let (mut charge, version) = self.load_charge(scope, id).await?.ok_or(DeskError::NotFound)?;
            let (announcements, insert) = decide(&mut charge, now.plus(ahead))?;
            let notices = self.notices(account, ahead, id, &charge, announcements);
            let update = Some((Filing { id, entry: Entry::Charge(Box::new(charge)) }, version));
            match self.files.write(self.ids.uuid(), scope, Write { insert, update, notices }).await {
                Written::Done => return Ok(()),
                Written::Again => {}
                Written::Failed | Written::Unclear => break,
            }
        }
        Err(DeskError::Unavailable)
    }
}

/// The charge behind a name: the bank's id, or the account's reference.
fn named(account: Id<BankAccount>, name: &str) -> FiledId {
    Id::parse(name).unwrap_or_else(|_| filed_id(account, name))
}
