//! What is done to a charge afterwards: captures, voids, refunds, cancels, the customer's choice on
//! the challenge page, and what people do at the bank itself. Pure: each decides on the charge as it
//! stands and adds facts to it, or says why not.

use kernel::{Money, Timestamp};
use provider_kit::{DeclineCode, Verb};

use crate::charge::{Announcement, Charge, DisputeStatus, Fact, FiledId, Phase, Standing};
use crate::config::BankConfig;
use crate::reply::Stop;
use crate::scenario::Script;

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ask {
    pub(crate) verb: Verb,
    /// The effect's own id.
    pub(crate) id: FiledId,
    /// The charge's.
    pub(crate) charge: FiledId,
    /// How much; the whole charge for a cancel.
    pub(crate) amount: Money,
    /// Of a capture: the rest is released.
    pub(crate) is_last: bool,
    /// The script that the request itself asks for.
    pub(crate) own: Option<Script>,
    /// The bank decides against it.
    pub(crate) declined: Option<DeclineCode>,
}

/// What the customer chose on the challenge page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Proved who pays.
    Complete,
    /// Failed to.
    Fail,
    /// Gave up.
    Cancel,
}

impl Choice {
    /// As the page's buttons send it.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "complete" => Some(Self::Complete),
            "fail" => Some(Self::Fail),
            "cancel" => Some(Self::Cancel),
            _ => None,
        }
    }
}

impl Charge {
    /// Does what is asked, at `now`. Answers the notices that follow.
    pub(crate) fn act(
        &mut self,
        ask: Ask,
        now: Timestamp,
        config: &BankConfig,
    ) -> Result<Vec<Announcement>, Stop> {
        let at = self.moment(now);
        let standing = self.standing(at);
        if ask.amount.currency != self.amount.currency {
            return Err(Stop::unprocessable("currency_mismatch", "the charge is in another currency"));
        }
        if ask.amount.minor <= 0 && ask.verb != Verb::Cancel {
            return Err(Stop::unprocessable("amount_not_allowed", "`amount` is more than zero"));
        }
        if standing.phase != Phase::Approved && ask.verb != Verb::Cancel {
            return Err(Stop::conflict("charge_not_approved", "the charge is not approved"));
        }
        if ask.declined.is_some() {
            self.written_at = at;
            return Ok(Vec::new());
        }
        let known = self.facts_at(at).len();
        let mut announcements = match ask.verb {
            Verb::Increment => self.increment(ask, at, &standing)?,
            Verb::Capture => self.capture(ask, at, &standing, config)?,
            Verb::Void => self.void(ask, at, &standing)?,
            Verb::Refund => self.refund(ask, at, &standing, config)?,
            Verb::Cancel => self.cancel(at, &standing)?,
            Verb::Tokenize | Verb::Charge | Verb::Lookup => {
                return Err(Stop::bad_request("this is not done to a charge".to_owned()));
            }
        };
        self.written_at = at;
        let copies = if ask.own == Some(Script::DuplicateNotices) { 3 } else { 1 };
        if config.notifies_all || copies > 1 {
            let fresh = self.facts_at(at).get(known..).unwrap_or_default();
            let told = fresh.iter().cloned().map(|fact| Announcement { due_at: fact.at, fact, copies });
            announcements.extend(told);
        }
        Ok(announcements)
    }

    fn capture(
        &mut self,
        ask: Ask,
        at: Timestamp,
        standing: &Standing,
        config: &BankConfig,
    ) -> Result<Vec<Announcement>, Stop> {
        if self.captures_at_once {
            return Err(Stop::conflict("already_captured", "the charge was captured with its approval"));
        }
        if self.facts.iter().any(|dated| dated.at <= at && dated.fact == Fact::Lapsed) {
            return Err(Stop::conflict("authorization_expired", "the authorisation has lapsed"));
        }
        if ask.amount.minor > standing.held() {
            return Err(Stop::unprocessable("amount_too_large", "more than what is held"));
        }
        self.add(at, Fact::Captured { id: ask.id, minor: ask.amount.minor, is_last: ask.is_last });
        Ok(self.plan_dispute(ask.charge, at, config))
    }

    fn increment(&mut self, ask: Ask, at: Timestamp, standing: &Standing) -> Result<Vec<Announcement>, Stop> {
        if self.captures_at_once || standing.held() <= 0 {
            return Err(Stop::conflict("nothing_held", "the charge holds nothing that could grow"));
        }
        self.add(at, Fact::Incremented { id: ask.id, minor: ask.amount.minor });
        Ok(Vec::new())
    }

    fn void(&mut self, ask: Ask, at: Timestamp, standing: &Standing) -> Result<Vec<Announcement>, Stop> {
        // Held money is released; of what was taken at once, the charge itself is reversed.
        let available = if standing.held() > 0 {
            standing.held()
        } else if self.captures_at_once {
            standing.kept() - standing.disputed()
        } else {
            0
        };
        if ask.amount.minor > available {
            return Err(Stop::unprocessable("amount_too_large", "more than what can be released"));
        }
        self.add(at, Fact::Voided { id: ask.id, minor: ask.amount.minor });
        Ok(Vec::new())
    }

    fn refund(
        &mut self,
        ask: Ask,
        at: Timestamp,
        standing: &Standing,
        config: &BankConfig,
    ) -> Result<Vec<Announcement>, Stop> {
        if standing.has_open_dispute() {
            return Err(Stop::conflict("charge_disputed", "the charge is disputed"));
        }
        let (id, minor) = (ask.id, ask.amount.minor);
        if minor > standing.kept() - standing.disputed() {
            return Err(Stop::unprocessable("amount_too_large", "more than what can be given back"));
        }
        let script = ask.own.unwrap_or(self.script);
        let is_pending = matches!(script, Script::RefundPending { .. });
        self.add(at, Fact::Refunded { id, minor, is_pending });
        let later = at.plus(config.refund_delay);
        let follows = match script {
            Script::RefundPending { fails: false } => Fact::RefundSettled { id },
            Script::RefundPending { fails: true } | Script::RefundFailsLate => {
                Fact::RefundFailed { id, minor }
            }
            _ => return Ok(Vec::new()),
        };
        Ok(vec![Announcement::on_time(self.add(later, follows))])
    }

    /// A charge without money that can never have any: that is all a cancel promises, so that a charge
    /// that was declined or has expired meanwhile is cancelled too.
    fn cancel(&mut self, at: Timestamp, standing: &Standing) -> Result<Vec<Announcement>, Stop> {
        if standing.phase == Phase::Approved {
            return Err(Stop::conflict("charge_not_open", "the charge is approved"));
        }
        self.drop_future(at);
        if standing.phase.is_open() {
            self.add(at, Fact::Cancelled);
        }
        Ok(Vec::new())
    }

    /// What the customer chose. `None` if nobody is asked any more.
    pub(crate) fn choose(
        &mut self,
        id: FiledId,
        choice: Choice,
        now: Timestamp,
        config: &BankConfig,
    ) -> Option<Vec<Announcement>> {
        let at = self.moment(now);
        if self.standing(at).phase != Phase::Challenged || self.authentication.is_none() {
            return None;
        }
        self.drop_future(at);
        self.written_at = at;
        let decline = |code| Fact::Declined { code };
        let declines = if let Script::ChallengeThenDecline(code) = self.script { Some(code) } else { None };
        Some(match (choice, declines) {
            (Choice::Complete, Some(code)) => {
                vec![Announcement::on_time(self.add(at, decline(code)))]
            }
            (Choice::Complete, None) => {
                let (approved, mut follows) = self.approve(id, at, config);
                follows.insert(0, Announcement::on_time(approved));
                follows
            }
            (Choice::Fail, _) => {
                vec![Announcement::on_time(self.add(at, decline(DeclineCode::AuthenticationFailed)))]
            }
            (Choice::Cancel, _) => vec![Announcement::on_time(self.add(at, decline(DeclineCode::Cancelled)))],
        })
    }

    /// A refund made at the bank's own dashboard: told by notice alone.
    pub(crate) fn refund_at_dashboard(
        &mut self,
        id: FiledId,
        minor: i64,
        now: Timestamp,
    ) -> Result<Vec<Announcement>, Stop> {
        let at = self.moment(now);
        let standing = self.standing(at);
        if minor <= 0 || minor > standing.kept() - standing.disputed() {
            return Err(Stop::unprocessable("amount_too_large", "more than what can be given back"));
        }
        self.written_at = at;
        let fact = self.add(at, Fact::Refunded { id, minor, is_pending: false });
        Ok(vec![Announcement::on_time(fact)])
    }

    /// Opens a dispute about what is left of the charge, or about `minor` of it.
    pub(crate) fn dispute_at_dashboard(
        &mut self,
        id: FiledId,
        minor: Option<i64>,
        now: Timestamp,
    ) -> Result<Vec<Announcement>, Stop> {
        let at = self.moment(now);
        let standing = self.standing(at);
        let left = standing.kept() - standing.disputed();
        if left <= 0 || minor.is_some_and(|minor| minor <= 0 || minor > left) {
            return Err(Stop::unprocessable("amount_too_large", "more than what can be disputed"));
        }
        self.written_at = at;
        Ok(vec![Announcement::on_time(self.add(at, Fact::DisputeOpened { id, minor }))])
    }

    /// Decides a dispute that was opened by hand or by a card; what was planned for it is forgotten.
    pub(crate) fn decide_at_dashboard(
        &mut self,
        dispute: FiledId,
        is_won: bool,
        now: Timestamp,
    ) -> Result<Vec<Announcement>, Stop> {
        let at = self.moment(now);
        let standing = self.standing(at);
        let known = standing.disputes.iter().find(|known| known.id == dispute);
        let known = known.ok_or_else(|| Stop::not_found("no_such_dispute"))?;
        let left = standing.kept() - standing.disputed();
        // The merchant may have given the money back since the dispute was won.
        if known.status == DisputeStatus::Won && !is_won && known.minor > left {
            return Err(Stop::unprocessable("amount_too_large", "more than what can be disputed"));
        }
        self.facts.retain(|dated| {
            dated.at <= at || !matches!(dated.fact, Fact::DisputeDecided { id, .. } if id == dispute)
        });
        self.written_at = at;
        Ok(vec![Announcement::on_time(self.add(at, Fact::DisputeDecided { id: dispute, is_won }))])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charge::Source;
    use crate::scenario::SCENARIOS;
    use kernel::{Brand, Currency, Id, Secret};
    use proptest::prelude::*;
    use std::time::Duration;
    use uuid::Uuid;

    const START: Timestamp = Timestamp::from_micros(1_795_000_000_000_000);

    fn charge(script: Script, captures_at_once: bool) -> Charge {
        Charge {
            reference: "c".to_owned(),
            digest: 0,
            amount: Money::new(1000, Currency::USD),
            captures_at_once,
            source: Source::Card { brand: Brand::Visa, last4: "4242".to_owned() },
            script,
            authentication: None,
            return_url: "https://shop.example".to_owned(),
            description: None,
            notice_url: None,
            secret: Secret::new(String::new()),
            created_at: START,
            written_at: START,
            facts: Vec::new(),
        }
    }

    proptest! {
        /// Whatever is asked, whenever, in whatever order the clocks say: no more is taken or released
        /// than was approved, and no more returned or lost than was taken.
        #[test]
        fn no_order_of_events_makes_money(
            place in 0..SCENARIOS.len(),
            at_once: bool,
            asks in prop::collection::vec((0..7_u8, -10..1200_i64, 0..4000_u64, any::<bool>()), 0..30),
        ) {
            let config = BankConfig::default();
            let id = Id::from_uuid(Uuid::from_u128(1));
            let script = SCENARIOS.get(place).map_or(Script::Approve, |scenario| scenario.script);
            let mut charge = charge(script, at_once);
            charge.approve(id, START, &config);
            let mut dispute = 0;
            for (number, (what, minor, after, is_last)) in asks.into_iter().enumerate() {
                let now = START.plus(Duration::from_millis(after));
                let effect = Id::from_uuid(Uuid::from_u128(u128::try_from(number).unwrap_or(0) + 100));
                let amount = Money::new(minor, Currency::USD);
                let ask = |verb| {
                    Ask { verb, id: effect, charge: id, amount, is_last, own: None, declined: None }
                };
                let _ = match what {
                    0 => charge.act(ask(Verb::Capture), now, &config),
                    1 => charge.act(ask(Verb::Void), now, &config),
                    2 => charge.act(ask(Verb::Refund), now, &config),
                    6 => charge.act(ask(Verb::Increment), now, &config),
                    3 => charge.refund_at_dashboard(effect, minor, now),
                    4 => {
                        dispute = effect.uuid().as_u128();
                        charge.dispute_at_dashboard(effect, Some(minor), now)
                    }
                    _ => charge.decide_at_dashboard(Id::from_uuid(Uuid::from_u128(dispute)), is_last, now),
                };
                prop_assert!(charge.facts.is_sorted_by_key(|dated| dated.at));
                for seconds in [0, 1, 2, 3, 5, 10, 3600, 8 * 24 * 3600] {
                    let standing = charge.standing(now.plus(Duration::from_secs(seconds)));
                    prop_assert!(standing.held() >= 0, "{standing:?}");
                    prop_assert!(standing.captured >= 0 && standing.released >= 0, "{standing:?}");
                    prop_assert!(standing.kept() >= standing.disputed(), "{standing:?}");
                    prop_assert!(standing.refunded >= 0 && standing.reversed >= 0, "{standing:?}");
                }
            }
        }
    }
}
