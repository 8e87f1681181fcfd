//! An account's clock: the real one, and as far ahead of it as the account has moved it. Everything that
//! happens to an account's charges is dated by its clock; when a notice goes out is real time, and
//! rewritten when the clock moves.

use std::time::Duration;

use kernel::{
    Advance, Auth, Changes, Effect, Id, Lane, Method, Outcome, Query, QuickMap, Request, Scope, TestClock,
    Timestamp,
};
use parking_lot::Mutex;

use crate::account::{BankAccount, scope_of};
use crate::bank::{Bank, TURNS};
use crate::desk::DeskError;
use crate::files::{Files, Unreadable};
use crate::filing::{NOTICE, Notice};
use crate::process::IN_PROCESS_URL;
use crate::reply::{Answered, Stop};
use crate::wire::{self, ClockRequest};

/// The path that moves an account's clock.
pub(crate) const CLOCK_PATH: &str = "/v1/clock";
/// How long a clock is believed that another process over the same records may have moved.
const LIFE: Duration = Duration::from_secs(5);
/// The most notices that one move brings forward; the rest go out when they would have.
const NOTICES_MAX: u32 = 10_000;

/// Clocks seen lately, with the real time at which they were read. In memory there are no others.
pub(crate) type Clocks = Mutex<QuickMap<Scope, (Timestamp, Duration)>>;

/// The request that moves an account's clock to so far ahead of the real one. Made again it changes
/// nothing.
pub fn clock_request(offset: Duration) -> Request {
    let micros = u64::try_from(offset.as_micros()).unwrap_or(u64::MAX);
    Request {
        step: "clock",
        key: format!("clock-{micros}"),
        effect: Effect::Repeatable,
        method: Method::Post,
        url: format!("{IN_PROCESS_URL}{CLOCK_PATH}"),
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: format!("{{\"offset_micros\":{micros}}}").into_bytes(),
        auth: Auth::Bearer("api_key"),
        carries_card: false,
    }
}

impl Bank {
    /// How far an account's clock is ahead at the real time `now`.
    pub(crate) async fn ahead(&self, scope: Scope, now: Timestamp) -> Result<Duration, Unreadable> {
        let known = self.clocks.lock().get(&scope).copied();
        let Files::Store(store) = &self.files else {
            return Ok(known.map_or(Duration::ZERO, |(_, offset)| offset));
        };
        if let Some((read_at, offset)) = known
            && now.since(read_at) < LIFE
        {
            return Ok(offset);
        }
        let clock = TestClock::read(store.as_ref(), scope).await.map_err(|_| Unreadable)?;
        Ok(self.learn(scope, now, clock.offset))
    }

    /// What was read before a move and arrives after it does not undo it.
    fn learn(&self, scope: Scope, now: Timestamp, offset: Duration) -> Duration {
        let mut clocks = self.clocks.lock();
        let entry = clocks.entry(scope).or_insert((now, offset));
        *entry = (now, entry.1.max(offset));
        entry.1
    }

    /// Moves an account's clock to `offset` ahead of the real one, whose time is `now`, and brings its
    /// notices forward by as much. A clock that is as far already stays.
    pub async fn set_clock(
        &self,
        account: Id<BankAccount>,
        offset: Duration,
        now: Timestamp,
    ) -> Result<(), DeskError> {
        let scope = scope_of(account);
        match &self.files {
            Files::Memory(memory) => {
                let by = offset.saturating_sub(self.ahead(scope, now).await.unwrap_or_default());
                self.learn(scope, now, offset);
                memory.hasten(account, by, now);
                Ok(())
            }
            Files::Store(store) => {
                for _ in 0..TURNS {
                    let from = TestClock::read(store.as_ref(), scope).await;
                    let from = from.map_err(|_| DeskError::Unavailable)?;
                    let by = offset.saturating_sub(from.offset);
                    if by.is_zero() {
                        self.learn(scope, now, from.offset);
                        return Ok(());
                    }
                    let mut changes = Changes::new(self.ids.uuid(), Lane::Settle);
                    changes.advance = Some(Advance { scope, by, from });
                    let query = Query::oldest(&NOTICE, scope, NOTICES_MAX);
                    let waiting = store.of(scope).find::<Notice>(query).await;
                    for mut found in waiting.map_err(|_| DeskError::Unavailable)? {
                        if found.record.due_at > now {
                            found.record.due_at = found.record.due_at.minus(by).max(now);
                            let updated = changes.update(scope, &found.record, found.version);
                            updated.map_err(|_| DeskError::Unavailable)?;
                        }
                    }
                    match store.commit(changes).await {
                        Outcome::Committed { .. } => {
                            self.learn(scope, now, offset);
                            return Ok(());
                        }
                        // A notice went out meanwhile, or another node moved the clock.
                        Outcome::Conflict | Outcome::Duplicate(_) => {}
                        _ => break,
                    }
                }
                Err(DeskError::Unavailable)
            }
        }
    }

    /// `POST /v1/clock`
    pub(crate) async fn clock(
        &self,
        account: Id<BankAccount>,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Answered, Stop> {
        let asked: ClockRequest = wire::read(body)?;
        let offset = Duration::from_micros(asked.offset_micros);
        self.set_clock(account, offset, now).await.map_err(|_| Stop::OutOfOrder)?;
        let answer = serde_json::json!({"object": "clock", "offset_micros": asked.offset_micros});
        Ok(Answered::plain(crate::render::bytes(&answer)))
    }
}
