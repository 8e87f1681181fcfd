//! Notices: what the bank tells by itself. Written in the commit of what they tell, rendered when
//! they are due, signed when they go out, and repeated until somebody takes them.

use std::time::Duration;

use kernel::{Header, Id, Timestamp};
use provider_kit::{Verb, signing};
use serde::Serialize;

use crate::account::{BankAccount, scope_of};
use crate::bank::Bank;
use crate::charge::{Announcement, Charge, Fact, FiledId};
use crate::filing::{Entry, Event, Notice};
use crate::render;

/// The header that signs a notice.
pub const SIGNATURE_HEADER: &str = "sandbox-signature";

/// How often a notice is tried before it is given up.
const ATTEMPTS_MAX: u8 = 12;

/// A notice ready to go out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutgoingNotice {
    /// Names it towards [`Bank::acknowledge`] and [`Bank::postpone`].
    pub id: NoticeId,
    /// Whose notice: the identity of the account at the bank.
    pub account: String,
    /// Where the charge asked for it, if it did.
    pub url: Option<String>,
    /// Signature and content type.
    pub headers: Vec<Header>,
    /// The raw body.
    pub body: Vec<u8>,
}

/// Names one delivery of one notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeId(Box<Notice>);

#[derive(Serialize)]
struct NoticeBody<'a, T: Serialize> {
    object: &'static str,
    id: Id<Event>,
    r#type: &'static str,
    account: Id<BankAccount>,
    created: i64,
    data: &'a T,
}

impl Bank {
    /// Notices that are due at the real time `now`, oldest first, signed for `now`. Each must be
    /// acknowledged or postponed; otherwise it is due again at once.
    pub async fn due_notices(&self, now: Timestamp, limit: u32) -> Vec<OutgoingNotice> {
        let mut ready = Vec::new();
        for notice in self.files.due(now, limit).await.unwrap_or_default() {
            match self.rendered(&notice).await {
                Some(body) => ready.push(outgoing(notice, body, now)),
                // What it was going to tell never came true: the charge was cancelled first.
                None => self.forget(&notice).await,
            }
        }
        ready
    }

    /// Somebody took it. A notice with more copies comes again after a second.
    pub async fn acknowledge(&self, id: &NoticeId, now: Timestamp) {
        let notice = &id.0;
        let next = (notice.copies > 1).then(|| Notice {
            copies: notice.copies - 1,
            attempts: 0,
            due_at: now.plus(Duration::from_secs(1)),
            ..Notice::clone(notice)
        });
        let scope = scope_of(notice.account);
        self.files.replace_notice(self.ids.uuid(), scope, notice, next).await;
    }

    /// Nobody took it: it comes again after 2, 4, 8 … seconds, twelve times.
    pub async fn postpone(&self, id: &NoticeId, now: Timestamp) {
        let notice = &id.0;
        let attempts = notice.attempts.saturating_add(1);
        let next = (attempts < ATTEMPTS_MAX).then(|| Notice {
            attempts,
            due_at: now.plus(Duration::from_secs(1 << attempts)),
            ..Notice::clone(notice)
        });
        let scope = scope_of(notice.account);
        self.files.replace_notice(self.ids.uuid(), scope, notice, next).await;
    }

    pub(crate) fn notices(
        &self,
        account: Id<BankAccount>,
        ahead: Duration,
        id: FiledId,
        charge: &Charge,
        announcements: Vec<Announcement>,
    ) -> Vec<Notice> {
        let notice = |announcement: Announcement| {
            // Facts are dated by the account's clock, notices go out by the real one.
            let due_at = announcement.due_at.minus(ahead);
            self.notice(account, id, charge, Announcement { due_at, ..announcement })
        };
        announcements.into_iter().map(notice).collect()
    }

    async fn forget(&self, notice: &Notice) {
        let scope = scope_of(notice.account);
        self.files.replace_notice(self.ids.uuid(), scope, notice, None).await;
    }

    fn notice(
        &self,
        account: Id<BankAccount>,
        charge_id: FiledId,
        charge: &Charge,
        announcement: Announcement,
    ) -> Notice {
        let faults = &self.config.faults;
        let again = u8::from(self.happens(faults.duplicate_notice));
        let late = if self.happens(faults.late_notice) { self.up_to_three_seconds() } else { Duration::ZERO };
        Notice {
            id: Id::from_uuid(self.ids.uuid()),
            account,
            charge: charge_id,
            due_at: announcement.due_at.plus(late),
            fact: announcement.fact,
            copies: announcement.copies + again,
            attempts: 0,
            secret: charge.secret.clone(),
            url: charge.notice_url.clone(),
        }
    }

    fn up_to_three_seconds(&self) -> Duration {
        let mut bytes = [0; 4];
        self.random.fill(&mut bytes);
        Duration::from_millis(u64::from(u32::from_le_bytes(bytes) % 3000))
    }

    /// The body, as of the moment that the notice tells of. `None` if that never came.
    async fn rendered(&self, notice: &Notice) -> Option<Vec<u8>> {
        let scope = scope_of(notice.account);
        let (charge, _) = self.load_charge(scope, notice.charge).await.ok()??;
        let facts = charge.facts_through(&notice.fact)?;
        let config = &self.config;
        let effect_id = match notice.fact.fact {
            Fact::Captured { id, .. }
            | Fact::Incremented { id, .. }
            | Fact::Voided { id, .. }
            | Fact::Refunded { id, .. }
            | Fact::RefundSettled { id }
            | Fact::RefundFailed { id, .. } => id,
            Fact::DisputeOpened { id, .. } | Fact::DisputeDecided { id, .. } => {
                let standing = charge.standing_of(facts);
                // Nothing may have been left to dispute.
                let dispute = *standing.disputes.iter().find(|dispute| dispute.id == id)?;
                let body = render::dispute(config, notice.charge, &charge, dispute);
                return Some(notice.body("dispute.updated", &body));
            }
            Fact::Challenged
            | Fact::Processing
            | Fact::InReview
            | Fact::Approved { .. }
            | Fact::Declined { .. }
            | Fact::Cancelled
            | Fact::Lapsed => {
                let body = render::charge(config, scope, notice.charge, &charge, &charge.standing_of(facts));
                return Some(notice.body("charge.updated", &body));
            }
        };
        let (filing, _) = self.files.load(scope, effect_id).await.ok()??;
        let Entry::Effect(effect) = &filing.entry else { return None };
        let body = render::effect(config, effect_id, effect, &charge, facts);
        Some(notice.body(event_word(effect.verb), &body))
    }
}

impl Notice {
    fn body(&self, kind: &'static str, data: &impl Serialize) -> Vec<u8> {
        render::bytes(&NoticeBody {
            object: "event",
            id: self.id,
            r#type: kind,
            account: self.account,
            created: self.fact.at.as_seconds(),
            data,
        })
    }
}

const fn event_word(verb: Verb) -> &'static str {
    match verb {
        Verb::Capture => "capture.updated",
        Verb::Void => "void.updated",
        Verb::Refund => "refund.updated",
        Verb::Cancel => "cancel.updated",
        Verb::Increment => "increment.updated",
        Verb::Tokenize | Verb::Charge | Verb::Lookup => "charge.updated",
    }
}

fn outgoing(notice: Notice, body: Vec<u8>, now: Timestamp) -> OutgoingNotice {
    let signature = signing::timestamped_signature(notice.secret.expose().as_bytes(), now, &body);
    OutgoingNotice {
        account: notice.account.to_string(),
        url: notice.url.clone(),
        headers: vec![
            ("content-type".to_owned(), "application/json".to_owned()),
            (SIGNATURE_HEADER.to_owned(), signature),
        ],
        body,
        id: NoticeId(Box::new(notice)),
    }
}
