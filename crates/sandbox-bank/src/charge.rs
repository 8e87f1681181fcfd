//! A charge is a list of dated facts, some of them in the future; what it is at a moment is the fold
//! of those that are due by then. Nothing has to run for a delayed approval to come true, and an
//! earlier answer can be given again word for word.

use kernel::{Id, Kind, Money, Secret, Timestamp};
use provider_kit::DeclineCode;
use serde::{Deserialize, Serialize};

use crate::config::BankConfig;
use crate::scenario::{Authentication, Script};

/// Marks ids of what the bank has on file: charges, captures, refunds, disputes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Filed {}

impl Kind for Filed {
    const PREFIX: &'static str = "sbx";
}

/// The bank's id of something.
pub type FiledId = Id<Filed>;

/// One charge with everything that was done to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Charge {
    /// The caller's reference.
    pub(crate) reference: String,
    /// Of the request's path and body: another request under this reference is refused.
    pub(crate) digest: u64,
    /// What was asked.
    pub(crate) amount: Money,
    /// Taken with the approval.
    pub(crate) captures_at_once: bool,
    pub(crate) source: Source,
    pub(crate) script: Script,
    /// How the payer is, or was, authenticated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) authentication: Option<Authentication>,
    /// Where the challenge page sends the browser.
    pub(crate) return_url: String,
    pub(crate) description: Option<String>,
    pub(crate) notice_url: Option<String>,
    /// Signs what the bank tells of it.
    #[serde(with = "crate::account::kept")]
    pub(crate) secret: Secret<String>,
    pub(crate) created_at: Timestamp,
    /// When it was last written: clocks of two nodes may differ, facts never go back.
    pub(crate) written_at: Timestamp,
    /// In order of time.
    pub(crate) facts: Vec<Dated>,
}

/// With what it is paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Source {
    /// A card.
    Card {
        /// As the token says.
        brand: kernel::Brand,
        /// As the token says.
        last4: String,
    },
    /// UPI.
    Upi {
        /// Who is asked to pay, if it is known.
        payer_vpa: Option<String>,
        /// Who is paid.
        payee_vpa: String,
        /// The name that the payer sees.
        payee_name: String,
    },
}

/// A fact and when it is true from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Dated {
    pub(crate) at: Timestamp,
    pub(crate) fact: Fact,
}

/// What can happen to a charge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub(crate) enum Fact {
    /// The customer is asked.
    Challenged,
    /// The bank takes its time.
    Processing,
    /// A state that callers do not know.
    InReview,
    /// Held, or taken where it captures at once.
    Approved { minor: i64 },
    /// Decided against.
    Declined { code: DeclineCode },
    /// Given up by the caller.
    Cancelled,
    /// What is left of the authorisation is released.
    Lapsed,
    /// Held money was taken.
    Captured { id: FiledId, minor: i64, is_last: bool },
    /// More is held.
    Incremented { id: FiledId, minor: i64 },
    /// Held money was released, or taken money returned the same day.
    Voided { id: FiledId, minor: i64 },
    /// Taken money is given back.
    Refunded { id: FiledId, minor: i64, is_pending: bool },
    /// A pending refund went through.
    RefundSettled { id: FiledId },
    /// A refund did not go through: the money is with the merchant again.
    RefundFailed { id: FiledId, minor: i64 },
    /// The cardholder disputes what is left of it, or this much.
    DisputeOpened { id: FiledId, minor: Option<i64> },
    /// The dispute is decided.
    DisputeDecided { id: FiledId, is_won: bool },
}

/// What a charge is at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) phase: Phase,
    /// Ever held or taken.
    pub(crate) approved: i64,
    /// Of it taken.
    pub(crate) captured: i64,
    /// Of it released without being taken.
    pub(crate) released: i64,
    /// Of the taken returned by voids.
    pub(crate) reversed: i64,
    /// Of the taken given back.
    pub(crate) refunded: i64,
    pub(crate) disputes: Vec<Dispute>,
}

/// One dispute at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dispute {
    pub(crate) id: FiledId,
    pub(crate) minor: i64,
    pub(crate) status: DisputeStatus,
}

/// How far a dispute is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DisputeStatus {
    Open,
    Won,
    Lost,
}

/// How far a charge is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Waits for the customer.
    Challenged,
    /// Waits for the bank.
    Processing,
    /// Waits for the bank, in a way that callers do not know.
    InReview,
    /// Held or taken.
    Approved,
    /// No money moved.
    Declined(DeclineCode),
    /// Given up before any money moved.
    Cancelled,
}

impl Phase {
    /// Whether it can still become anything.
    pub(crate) const fn is_open(self) -> bool {
        matches!(self, Self::Challenged | Self::Processing | Self::InReview)
    }
}

impl Standing {
    pub(crate) const NOTHING: Self = Self {
        phase: Phase::Processing,
        approved: 0,
        captured: 0,
        released: 0,
        reversed: 0,
        refunded: 0,
        disputes: Vec::new(),
    };

    /// What can be captured or released.
    pub(crate) const fn held(&self) -> i64 {
        self.approved - self.captured - self.released
    }

    /// What the merchant has of it, disputes apart.
    pub(crate) const fn kept(&self) -> i64 {
        self.captured - self.reversed - self.refunded
    }

    /// What is lost or may be lost by disputes.
    pub(crate) fn disputed(&self) -> i64 {
        let counts = |dispute: &&Dispute| dispute.status != DisputeStatus::Won;
        self.disputes.iter().filter(counts).map(|dispute| dispute.minor).sum()
    }

    pub(crate) fn has_open_dispute(&self) -> bool {
        self.disputes.iter().any(|dispute| dispute.status == DisputeStatus::Open)
    }

    fn apply(&mut self, fact: &Fact, captures_at_once: bool) {
        match *fact {
            Fact::Challenged => self.phase = Phase::Challenged,
            Fact::Processing => self.phase = Phase::Processing,
            Fact::InReview => self.phase = Phase::InReview,
            Fact::Approved { minor } => {
                self.phase = Phase::Approved;
                self.approved = minor;
                self.captured = if captures_at_once { minor } else { 0 };
            }
            Fact::Declined { code } => self.phase = Phase::Declined(code),
            Fact::Cancelled => self.phase = Phase::Cancelled,
            Fact::Lapsed => self.released += self.held(),
            Fact::Captured { minor, is_last, .. } => {
                self.captured += minor;
                self.released += if is_last { self.held() } else { 0 };
            }
            Fact::Incremented { minor, .. } => self.approved += minor,
            Fact::Voided { minor, .. } => {
                let from_held = minor.min(self.held());
                self.released += from_held;
                self.reversed += minor - from_held;
            }
            Fact::Refunded { minor, .. } => self.refunded += minor,
            Fact::RefundSettled { .. } => {}
            Fact::RefundFailed { minor, .. } => self.refunded -= minor,
            Fact::DisputeOpened { id, minor } => {
                let left = self.kept() - self.disputed();
                let minor = minor.map_or(left, |minor| minor.min(left));
                if minor > 0 {
                    self.disputes.push(Dispute { id, minor, status: DisputeStatus::Open });
                }
            }
            Fact::DisputeDecided { id, is_won } => {
                for dispute in self.disputes.iter_mut().filter(|dispute| dispute.id == id) {
                    dispute.status = if is_won { DisputeStatus::Won } else { DisputeStatus::Lost };
                }
            }
        }
    }
}

/// A notice that a new fact causes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Announcement {
    pub(crate) fact: Dated,
    /// When it goes out, which may be before or after its turn.
    pub(crate) due_at: Timestamp,
    /// How often.
    pub(crate) copies: u8,
}

impl Charge {
    /// What it is at `at`.
    pub(crate) fn standing(&self, at: Timestamp) -> Standing {
        self.standing_of(self.facts_at(at))
    }

    /// What these facts make of it.
    pub(crate) fn standing_of(&self, facts: &[Dated]) -> Standing {
        let mut standing = Standing::NOTHING;
        for dated in facts {
            standing.apply(&dated.fact, self.captures_at_once);
        }
        standing
    }

    /// As the request that made it was answered, for ever. One script lies.
    pub(crate) fn first_standing(&self) -> Standing {
        if self.script == Script::Contradictory {
            let phase = Phase::Declined(DeclineCode::GenericDecline);
            return Standing { phase, ..Standing::NOTHING };
        }
        self.standing_of(self.facts.get(..1).unwrap_or_default())
    }

    /// The facts that are true at `at`.
    pub(crate) fn facts_at(&self, at: Timestamp) -> &[Dated] {
        let due = self.facts.partition_point(|dated| dated.at <= at);
        self.facts.get(..due).unwrap_or_default()
    }

    /// The facts up to this one: what its notice shows, also where others are as old. `None` if it was
    /// planned and never came.
    pub(crate) fn facts_through(&self, last: &Dated) -> Option<&[Dated]> {
        let place = self.facts.iter().position(|known| known == last)?;
        self.facts.get(..=place)
    }

    /// The facts up to the one that this effect made: what its first answer showed. A cancel makes
    /// none of its own, and its answer is the same whatever is known.
    pub(crate) fn facts_when_made(&self, effect: FiledId) -> &[Dated] {
        let made = |dated: &Dated| match dated.fact {
            Fact::Captured { id, .. }
            | Fact::Incremented { id, .. }
            | Fact::Voided { id, .. }
            | Fact::Refunded { id, .. } => id == effect,
            _ => false,
        };
        let count = self.facts.iter().position(made).map_or(0, |place| place + 1);
        self.facts.get(..count).unwrap_or_default()
    }

    /// The moment that counts for a request at `now`: never before what was written already.
    pub(crate) fn moment(&self, now: Timestamp) -> Timestamp {
        now.max(self.written_at)
    }

    /// Adds a fact in its place, behind all that are as old.
    pub(crate) fn add(&mut self, at: Timestamp, fact: Fact) -> Dated {
        let dated = Dated { at, fact };
        let place = self.facts.partition_point(|known| known.at <= at);
        self.facts.insert(place, dated.clone());
        dated
    }

    /// Forgets what was going to happen: something else happened at `at`.
    pub(crate) fn drop_future(&mut self, at: Timestamp) {
        self.facts.retain(|dated| dated.at <= at);
    }

    /// Approves at `at` and plans what follows from it.
    pub(crate) fn approve(
        &mut self,
        id: FiledId,
        at: Timestamp,
        config: &BankConfig,
    ) -> (Dated, Vec<Announcement>) {
        let asked = self.amount.minor;
        let minor = match self.script {
            Script::Partial => asked - asked / 2,
            Script::Over => asked.saturating_add((asked / 10).max(1)),
            _ => asked,
        };
        let approved = self.add(at, Fact::Approved { minor });
        let follows = if self.captures_at_once {
            self.plan_dispute(id, at, config)
        } else {
            self.add(at.plus(config.authorization_valid_for), Fact::Lapsed);
            Vec::new()
        };
        (approved, follows)
    }

    /// Plans the dispute of a card that has one, once money was taken.
    pub(crate) fn plan_dispute(
        &mut self,
        id: FiledId,
        at: Timestamp,
        config: &BankConfig,
    ) -> Vec<Announcement> {
        let Script::Dispute { won } = self.script else { return Vec::new() };
        if self.facts.iter().any(|dated| matches!(dated.fact, Fact::DisputeOpened { .. })) {
            return Vec::new();
        }
        let dispute = Id::from_uuid(crate::account::derive(&[id.uuid().as_bytes(), b"dispute"]));
        let opened_at = at.plus(config.dispute_delay);
        let decided_at = opened_at.plus(config.dispute_decision_delay);
        let opened = self.add(opened_at, Fact::DisputeOpened { id: dispute, minor: None });
        let decided = self.add(decided_at, Fact::DisputeDecided { id: dispute, is_won: won });
        vec![Announcement::on_time(opened), Announcement::on_time(decided)]
    }
}

impl Announcement {
    /// Goes out once, when the fact is true.
    pub(crate) const fn on_time(fact: Dated) -> Self {
        let due_at = fact.at;
        Self { fact, due_at, copies: 1 }
    }
}
