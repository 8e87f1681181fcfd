//! Opening a charge: what the card's script, or the payer's address, makes of a request. Pure.

use std::time::Duration;

use kernel::{Currency, Money, Secret, Timestamp};
use provider_kit::DeclineCode;

use crate::bank::wished;
use crate::charge::{Announcement, Charge, Fact, FiledId, Source};
use crate::config::BankConfig;
use crate::reply::Stop;
use crate::scenario::{Authentication, Scenario, Script};
use crate::token::TokenCard;
use crate::upi;
use crate::wire::{ChargeRequest, SourceRequest};

/// A charge as it is first written, and the notices that it causes.
pub(crate) struct Opened {
    pub(crate) charge: Charge,
    pub(crate) announcements: Vec<Announcement>,
}

/// Decides about a new charge.
pub(crate) fn open(
    request: ChargeRequest,
    id: FiledId,
    digest: u64,
    secret: Secret<String>,
    now: Timestamp,
    config: &BankConfig,
) -> Result<Opened, Stop> {
    if request.amount < 0 {
        return Err(Stop::unprocessable("amount_not_allowed", "`amount` is zero or more"));
    }
    if !is_url(&request.return_url) {
        return Err(Stop::bad_request("`return_url` is an absolute http or https URL".to_owned()));
    }
    let mut authentication = None;
    let own = request.scenario.as_deref().map(wished).transpose()?;
    let (source, script) = match request.source {
        SourceRequest::Card { token } => {
            let (source, script) = card(&token, now)?;
            let script = own.unwrap_or(script);
            let stored = request.network_transaction_id.is_some();
            match script.authentication(request.merchant_initiated, stored, request.three_d_secure) {
                Ok(how) => {
                    authentication = how;
                    (source, script)
                }
                Err(code) => (source, Script::Decline(code)),
            }
        }
        SourceRequest::Upi { payer_vpa, payee_vpa, payee_name } => {
            let addresses = [payer_vpa.as_deref(), Some(&payee_vpa)];
            if !addresses.into_iter().flatten().all(upi::is_vpa) {
                return Err(Stop::unprocessable("invalid_vpa", "no virtual payment address"));
            }
            (Source::Upi { payer_vpa, payee_vpa, payee_name }, own.unwrap_or(Script::Approve))
        }
    };
    let charge = Charge {
        reference: request.reference,
        digest,
        amount: Money::new(request.amount, request.currency),
        captures_at_once: request.capture,
        source,
        script,
        authentication,
        return_url: request.return_url,
        description: request.description,
        notice_url: request.notice_url,
        secret,
        created_at: now,
        written_at: now,
        facts: Vec::with_capacity(2),
    };
    let asked_for = request.expires_in_seconds.map(|seconds| Duration::from_secs(seconds.into()));
    let mut opened = match &charge.source {
        Source::Card { .. } => open_card(charge, id, now, asked_for, config)?,
        Source::Upi { .. } => open_upi(charge, id, now, asked_for, config)?,
    };
    if config.notifies_all
        && let Some(first) = opened.charge.facts.first()
        && opened.announcements.iter().all(|known| known.fact != *first)
    {
        opened.announcements.push(Announcement::on_time(first.clone()));
    }
    Ok(opened)
}

/// What may stand in a `Location` header and behind a link: nothing that runs, nothing that breaks
/// out of a line.
fn is_url(text: &str) -> bool {
    let is_web = text.starts_with("https://") || text.starts_with("http://");
    is_web && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn card(token: &str, now: Timestamp) -> Result<(Source, Script), Stop> {
    let no_token = || Stop::unprocessable("no_such_token", "the token is none of this bank's");
    let card = TokenCard::decode(token).ok_or_else(no_token)?;
    let scenario = Scenario::of_name(card.scenario).ok_or_else(no_token)?;
    let script =
        if card.is_expired(now) { Script::Decline(DeclineCode::ExpiredCard) } else { scenario.script };
    Ok((Source::Card { brand: card.brand, last4: card.last4 }, script))
}

fn open_card(
    mut charge: Charge,
    id: FiledId,
    now: Timestamp,
    asked_for: Option<Duration>,
    config: &BankConfig,
) -> Result<Opened, Stop> {
    let later = now.plus(config.late_success_delay);
    let announcements = match charge.script {
        Script::RateLimited => {
            return Err(Stop::rejected(429, "rate_limited", "too many requests: try again later"));
        }
        Script::Decline(code) => {
            charge.add(now, Fact::Declined { code });
            Vec::new()
        }
        _ if charge.authentication == Some(Authentication::Challenged) => {
            charge.add(now, Fact::Challenged);
            let expires_at = now.plus(asked_for.unwrap_or(config.challenge_valid_for));
            vec![expiry(&mut charge, expires_at)]
        }
        Script::LateAfterDecline => {
            charge.add(now, Fact::Declined { code: DeclineCode::GenericDecline });
            approve_and_tell(&mut charge, id, later, config, later, 1)
        }
        Script::LateAfterSilence => {
            charge.add(now, Fact::Processing);
            approve_and_tell(&mut charge, id, later, config, later, 1)
        }
        Script::Delayed { fails } => delayed(&mut charge, id, now, config, fails),
        Script::UnknownStatus => {
            charge.add(now, Fact::InReview);
            approve_and_tell(&mut charge, id, later, config, later, 1)
        }
        Script::ReorderedNotices => {
            let processing = charge.add(now, Fact::Processing);
            let approved_at = now.plus(Duration::from_secs(1));
            let due_at = approved_at.plus(Duration::from_secs(1));
            let mut told = approve_and_tell(&mut charge, id, approved_at, config, approved_at, 1);
            told.push(Announcement { fact: processing, due_at, copies: 1 });
            told
        }
        Script::DuplicateNotices => approve_and_tell(&mut charge, id, now, config, now, 3),
        Script::NoticeFirst => approve_and_tell(&mut charge, id, now, config, now, 1),
        Script::Contradictory => approve_and_tell(&mut charge, id, now, config, later, 1),
        Script::Approve
        | Script::Frictionless
        | Script::Challenge
        | Script::ChallengeUnlessStored
        | Script::ChallengeWhenThere
        | Script::ChallengeThenDecline(_)
        | Script::IncrementDeclined
        | Script::Struck(..)
        | Script::Invisible
        | Script::Dispute { .. }
        | Script::RefundPending { .. }
        | Script::RefundFailsLate
        | Script::Partial
        | Script::Over => charge.approve(id, now, config).1,
    };
    Ok(Opened { charge, announcements })
}

/// Pending first; decided a day later.
fn delayed(
    charge: &mut Charge,
    id: FiledId,
    now: Timestamp,
    config: &BankConfig,
    fails: bool,
) -> Vec<Announcement> {
    charge.add(now, Fact::Processing);
    let decided_at = now.plus(config.delayed_decision);
    if fails {
        let code = DeclineCode::InsufficientFunds;
        return vec![Announcement::on_time(charge.add(decided_at, Fact::Declined { code }))];
    }
    approve_and_tell(charge, id, decided_at, config, decided_at, 1)
}

fn open_upi(
    mut charge: Charge,
    id: FiledId,
    now: Timestamp,
    asked_for: Option<Duration>,
    config: &BankConfig,
) -> Result<Opened, Stop> {
    if charge.amount.currency != Currency::INR {
        return Err(Stop::unprocessable("currency_not_supported", "UPI pays in INR"));
    }
    if charge.amount.is_zero() {
        return Err(Stop::unprocessable("amount_not_allowed", "UPI cannot verify with an amount of zero"));
    }
    if !charge.captures_at_once {
        return Err(Stop::unprocessable("capture_not_supported", "UPI takes the money at once"));
    }
    charge.add(now, Fact::Challenged);
    let expires_at = now.plus(asked_for.unwrap_or(config.upi_valid_for));
    let decides_at = now.plus(config.upi_delay);
    let Source::Upi { payer_vpa, .. } = &charge.source else {
        return Err(Stop::bad_request("no UPI request".to_owned()));
    };
    let payer = payer_vpa.as_deref().unwrap_or_default().to_ascii_lowercase();
    let announcements = if payer.starts_with("timeout@") || expires_at <= decides_at {
        vec![expiry(&mut charge, expires_at)]
    } else if payer.starts_with("failure@") {
        let code = DeclineCode::PayerDeclined;
        vec![Announcement::on_time(charge.add(decides_at, Fact::Declined { code }))]
    } else {
        approve_and_tell(&mut charge, id, decides_at, config, decides_at, 1)
    };
    Ok(Opened { charge, announcements })
}

fn expiry(charge: &mut Charge, expires_at: Timestamp) -> Announcement {
    Announcement::on_time(charge.add(expires_at, Fact::Declined { code: DeclineCode::Expired }))
}

fn approve_and_tell(
    charge: &mut Charge,
    id: FiledId,
    at: Timestamp,
    config: &BankConfig,
    due_at: Timestamp,
    copies: u8,
) -> Vec<Announcement> {
    let (fact, mut announcements) = charge.approve(id, at, config);
    announcements.insert(0, Announcement { fact, due_at, copies });
    announcements
}
