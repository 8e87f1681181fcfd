//! The service: reads a request, loads what it is about, lets the model decide, writes, answers.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use kernel::{Id, Ids, Method, Money, Random, Scope, Store, Timestamp};
use parking_lot::Mutex;
use provider_kit::Verb;

use crate::account::{BankAccount, Keys, derive, scope_of};
use crate::charge::{Charge, FiledId};
use crate::clock::{CLOCK_PATH, Clocks};
use crate::config::BankConfig;
use crate::effect::Ask;
use crate::files::{Files, Write, Written};
use crate::filing::{Effect, Entry, Filing};
use crate::open::{Opened, open};
use crate::render;
use crate::reply::{Answered, BankReply, BankRequest, Stop, error, html, json};
use crate::scenario::{Scenario, Script, Strike};
use crate::token::TokenCard;
use crate::wire::{self, CancelRequest, ChargeRequest, EffectRequest, TokenRequest};

/// The simulated bank. Cheap to clone behind an `Arc`; all methods may run at the same time, also in
/// several processes over one store.
pub struct Bank {
    pub(crate) files: Files,
    pub(crate) config: BankConfig,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) ids: Arc<dyn Ids>,
    /// Accounts seen lately: deriving one costs more than the rest of a request.
    accounts: Mutex<HashMap<String, Arc<Keys>>>,
    pub(crate) clocks: Clocks,
}

/// How many accounts are remembered; beyond it all are forgotten and derived again.
const ACCOUNTS_MAX: usize = 10_000;

/// How often a step is decided again when somebody else was faster.
pub(crate) const TURNS: u32 = 64;

/// Who asks.
pub(crate) struct Caller {
    pub(crate) keys: Arc<Keys>,
    pub(crate) scope: Scope,
    /// How far its clock is ahead of the real one.
    pub(crate) ahead: Duration,
}

impl Caller {
    /// The bank's id of what this account calls `reference`.
    fn id_of(&self, reference: &str) -> FiledId {
        filed_id(self.keys.identity, reference)
    }

    /// The id behind a name in a path: the bank's own, or the account's reference.
    fn id_named(&self, name: &str) -> FiledId {
        Id::parse(name).unwrap_or_else(|_| self.id_of(name))
    }
}

/// The bank's id of what an account calls `reference`.
pub(crate) fn filed_id(account: Id<BankAccount>, reference: &str) -> FiledId {
    Id::from_uuid(derive(&[account.uuid().as_bytes(), reference.as_bytes()]))
}

impl Bank {
    /// A bank that keeps its records in a store of its own, with [`crate::TABLES`] and
    /// [`crate::MIGRATIONS`].
    pub fn new(
        store: Arc<dyn Store>,
        config: BankConfig,
        random: Arc<dyn Random>,
        ids: Arc<dyn Ids>,
    ) -> Self {
        Self::over(Files::Store(store), config, random, ids)
    }

    /// A bank that keeps its records in memory: one process, nothing outlives it.
    pub fn in_memory(config: BankConfig, random: Arc<dyn Random>, ids: Arc<dyn Ids>) -> Self {
        Self::over(Files::memory(config.filed_max), config, random, ids)
    }

    fn over(files: Files, config: BankConfig, random: Arc<dyn Random>, ids: Arc<dyn Ids>) -> Self {
        Self { files, config, random, ids, accounts: Mutex::default(), clocks: Clocks::default() }
    }

    /// Its settings.
    pub const fn config(&self) -> &BankConfig {
        &self.config
    }

    /// Answers a request at the real time `now`. The bank reads no clock of its own: everything is dated
    /// by this and by how far the account has moved its clock ahead.
    pub async fn handle(&self, request: &BankRequest, now: Timestamp) -> BankReply {
        // Nothing goes wrong by chance where time itself is moved.
        let drawn = if request.path == CLOCK_PATH { None } else { self.draw_strike() };
        if let Some(strike) = drawn.filter(|strike| strike.is_before()) {
            return self.struck(strike, None);
        }
        match self.route(request, now).await {
            Ok(Answered { status, body, strike }) => match drawn.or(strike) {
                Some(strike) => self.struck(strike, Some((status, body))),
                None => self.answer(json(status, body), Duration::ZERO),
            },
            Err(Stop::Struck(strike)) => self.struck(strike, None),
            Err(Stop::Rejected { status, code, message }) => {
                self.answer(error(status, code, &message), Duration::ZERO)
            }
            Err(Stop::OutOfOrder) => {
                self.answer(error(503, "unavailable", "the bank's records are not available"), Duration::ZERO)
            }
            Err(Stop::Unclear) => BankReply::Silence(self.config.silence),
        }
    }

    async fn route(&self, request: &BankRequest, now: Timestamp) -> Result<Answered, Stop> {
        let path = request.path.split('?').next().unwrap_or_default();
        let mut segments = path.trim_matches('/').split('/');
        if segments.next() != Some("v1") {
            return Err(Stop::not_found("no_such_path"));
        }
        let segments: Vec<&str> = segments.collect();
        let caller = self.caller(request, now).await?;
        let real = now;
        let now = real.plus(caller.ahead);
        match (request.method, segments.as_slice()) {
            (Method::Post, ["tokens"]) => tokenize(&request.body),
            (Method::Post, ["charges"]) => self.charge(&caller, request, now).await,
            (Method::Post, ["charges", charge, verb]) => {
                let verb = match *verb {
                    "captures" => Verb::Capture,
                    "voids" => Verb::Void,
                    "refunds" => Verb::Refund,
                    "cancels" => Verb::Cancel,
                    "increments" => Verb::Increment,
                    _ => return Err(Stop::not_found("no_such_path")),
                };
                self.effect(&caller, request, caller.id_named(charge), verb, now).await
            }
            (Method::Get, ["operations", name]) => self.look_up(&caller, caller.id_named(name), now).await,
            (Method::Post, ["clock"]) => self.clock(caller.keys.identity, &request.body, real).await,
            (Method::Get, ["account"]) => Ok(Answered::plain(render::bytes(&serde_json::json!({
                "object": "account",
                "id": caller.keys.identity,
                "webhook_secret": caller.keys.webhook_secret.expose(),
            })))),
            _ => Err(Stop::not_found("no_such_path")),
        }
    }

    async fn caller(&self, request: &BankRequest, now: Timestamp) -> Result<Caller, Stop> {
        let refused = || Stop::rejected(401, "invalid_api_key", "no account has this key");
        let bearer = request.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
        let api_key = bearer.ok_or_else(refused)?;
        let known = self.accounts.lock().get(api_key).cloned();
        let keys = if let Some(keys) = known {
            keys
        } else {
            let keys = Arc::new(Keys::of(api_key).ok_or_else(refused)?);
            let mut accounts = self.accounts.lock();
            if accounts.len() >= ACCOUNTS_MAX {
                accounts.clear();
            }
            accounts.insert(api_key.to_owned(), Arc::clone(&keys));
            keys
        };
        let scope = scope_of(keys.identity);
        let ahead = self.ahead(scope, now).await.map_err(|_| Stop::OutOfOrder)?;
        Ok(Caller { keys, scope, ahead })
    }

    async fn charge(&self, caller: &Caller, request: &BankRequest, now: Timestamp) -> Result<Answered, Stop> {
        let asked: ChargeRequest = wire::read(&request.body)?;
        wire::check_reference(&asked.reference, request.header("idempotency-key"))?;
        let id = caller.id_of(&asked.reference);
        let digest = digest(request);
        // A reference that exists is answered from its record before anything about the request is
        // judged: what was right the first time may be wrong today (an expired card).
        if let Some((filing, _)) = self.files.load(caller.scope, id).await.map_err(|_| Stop::OutOfOrder)? {
            return self.charge_again(caller.scope, &filing, digest);
        }
        let secret = caller.keys.webhook_secret.clone();
        let Opened { charge, announcements } = open(asked, id, digest, secret, now, &self.config)?;
        let strike = charge.script.strike(Verb::Charge);
        if let Some(strike) = strike.filter(|strike| strike.is_before()) {
            return Err(Stop::Struck(strike));
        }
        let body = render::charge(&self.config, caller.scope, id, &charge, &charge.first_standing());
        let body = render::bytes(&body);
        let notices = self.notices(caller.keys.identity, caller.ahead, id, &charge, announcements);
        let insert = Some(Filing { id, entry: Entry::Charge(Box::new(charge)) });
        match self.files.write(self.ids.uuid(), caller.scope, Write { insert, update: None, notices }).await {
            Written::Done => Ok(Answered { status: 200, body, strike }),
            Written::Failed => Err(Stop::OutOfOrder),
            Written::Unclear => Err(Stop::Unclear),
            // The same request at the same time was faster.
            Written::Again => {
                let found = self.files.load(caller.scope, id).await.map_err(|_| Stop::OutOfOrder)?;
                let (filing, _) = found.ok_or(Stop::OutOfOrder)?;
                self.charge_again(caller.scope, &filing, digest)
            }
        }
    }

    fn charge_again(&self, scope: Scope, filing: &Filing, digest: u64) -> Result<Answered, Stop> {
        match &filing.entry {
            Entry::Charge(charge) if charge.digest == digest => {
                let body = render::charge(&self.config, scope, filing.id, charge, &charge.first_standing());
                Ok(Answered::plain(render::bytes(&body)))
            }
            Entry::Charge(_) | Entry::Effect(_) => Err(key_reused()),
        }
    }

    async fn effect(
        &self,
        caller: &Caller,
        request: &BankRequest,
        charge_id: FiledId,
        verb: Verb,
        now: Timestamp,
    ) -> Result<Answered, Stop> {
        let (reference, amount, is_last, scenario) = if verb == Verb::Cancel {
            let asked: CancelRequest = wire::read(&request.body)?;
            (asked.reference, None, false, asked.scenario)
        } else {
            let asked: EffectRequest = wire::read(&request.body)?;
            let amount = Some(Money::new(asked.amount, asked.currency));
            (asked.reference, amount, asked.is_last, asked.scenario)
        };
        let own = scenario.as_deref().map(wished).transpose()?;
        wire::check_reference(&reference, request.header("idempotency-key"))?;
        let id = caller.id_of(&reference);
        let digest = digest(request);
        for _ in 0..TURNS {
            let loaded = self.load_charge(caller.scope, charge_id).await?;
            if let Some((filing, _)) =
                self.files.load(caller.scope, id).await.map_err(|_| Stop::OutOfOrder)?
            {
                return self.effect_again(&filing, loaded.as_ref(), digest);
            }
            let Some((mut charge, version)) = loaded else {
                return Err(Stop::not_found("no_such_charge"));
            };
            if own == Some(Script::RateLimited) {
                return Err(Stop::rejected(429, "rate_limited", "too many requests: try again later"));
            }
            let strike = own.map_or_else(|| charge.script.strike(verb), Script::strike_of_any);
            let declined = own.unwrap_or(charge.script).decline_of(verb, own.is_some());
            let amount = amount.unwrap_or(charge.amount);
            let ask = Ask { verb, id, charge: charge_id, amount, is_last, own, declined };
            let announcements = charge.act(ask, now, &self.config)?;
            if let Some(strike) = strike.filter(|strike| strike.is_before()) {
                return Err(Stop::Struck(strike));
            }
            let created_at = charge.written_at;
            let reference = Some(reference.clone());
            let effect = Effect { reference, digest, verb, charge: charge_id, amount, declined, created_at };
            let facts = charge.facts_when_made(id);
            let body = render::bytes(&render::effect(&self.config, id, &effect, &charge, facts));
            let write = Write {
                notices: self.notices(caller.keys.identity, caller.ahead, charge_id, &charge, announcements),
                insert: Some(Filing { id, entry: Entry::Effect(effect) }),
                update: Some((Filing { id: charge_id, entry: Entry::Charge(Box::new(charge)) }, version)),
            };
            match self.files.write(self.ids.uuid(), caller.scope, write).await {
                Written::Done => return Ok(Answered { status: 200, body, strike }),
                Written::Again => {}
                Written::Failed => return Err(Stop::OutOfOrder),
                Written::Unclear => return Err(Stop::Unclear),
            }
        }
        Err(Stop::OutOfOrder)
    }

    fn effect_again(
        &self,
        filing: &Filing,
        charge: Option<&(Charge, i64)>,
        digest: u64,
    ) -> Result<Answered, Stop> {
        match (&filing.entry, charge) {
            (Entry::Effect(effect), Some((charge, _))) if effect.digest == digest => {
                let facts = charge.facts_when_made(filing.id);
                let body = render::effect(&self.config, filing.id, effect, charge, facts);
                Ok(Answered::plain(render::bytes(&body)))
            }
            _ => Err(key_reused()),
        }
    }

    async fn look_up(&self, caller: &Caller, id: FiledId, now: Timestamp) -> Result<Answered, Stop> {
        let nothing = || Stop::not_found("no_such_operation");
        let found = self.files.load(caller.scope, id).await.map_err(|_| Stop::OutOfOrder)?;
        let (filing, _) = found.ok_or_else(nothing)?;
        match &filing.entry {
            Entry::Charge(charge) => {
                let at = charge.moment(now);
                if charge.created_at.plus(charge.script.invisible_for()) > at {
                    return Err(nothing());
                }
                let body = render::charge(&self.config, caller.scope, id, charge, &charge.standing(at));
                Ok(Answered::plain(render::bytes(&body)))
            }
            Entry::Effect(effect) => {
                let (charge, _) = self.load_charge(caller.scope, effect.charge).await?.ok_or_else(nothing)?;
                let facts = charge.facts_at(charge.moment(now));
                let body = render::effect(&self.config, id, effect, &charge, facts);
                Ok(Answered::plain(render::bytes(&body)))
            }
        }
    }

    pub(crate) async fn load_charge(&self, scope: Scope, id: FiledId) -> Result<Option<(Charge, i64)>, Stop> {
        let found = self.files.load(scope, id).await.map_err(|_| Stop::OutOfOrder)?;
        Ok(found.and_then(|(filing, version)| match &filing.entry {
            Entry::Charge(charge) => Some((Charge::clone(charge), version)),
            Entry::Effect(_) => None,
        }))
    }

    fn draw_strike(&self) -> Option<Strike> {
        let faults = &self.config.faults;
        if !faults.strike_any() {
            return None;
        }
        let chances = [
            (faults.timeout_before, Strike::SilenceBefore),
            (faults.timeout_after, Strike::SilenceAfter),
            (faults.server_error_before, Strike::ErrorBefore),
            (faults.server_error_after, Strike::ErrorAfter),
            (faults.garbage, Strike::Garbage),
            (faults.slow, Strike::Slow),
        ];
        chances.into_iter().find(|(per_mille, _)| self.happens(*per_mille)).map(|(_, strike)| strike)
    }

    /// Draws: true in so many of a thousand cases.
    pub(crate) fn happens(&self, per_mille: u16) -> bool {
        if per_mille == 0 {
            return false;
        }
        let mut bytes = [0; 4];
        self.random.fill(&mut bytes);
        u32::from_le_bytes(bytes) % 1000 < u32::from(per_mille)
    }

    /// An answer that goes wrong; `done` is what it would have been.
    fn struck(&self, strike: Strike, done: Option<(u16, Vec<u8>)>) -> BankReply {
        let (status, body) = done.unwrap_or_default();
        match strike {
            Strike::SilenceBefore | Strike::SilenceAfter => BankReply::Silence(self.config.silence),
            Strike::ErrorBefore => self.answer(html(500, "Internal Server Error"), Duration::ZERO),
            Strike::ErrorAfter => self.answer(html(502, "Bad Gateway"), Duration::ZERO),
            Strike::Garbage => {
                let half = body.get(..body.len() / 2).unwrap_or_default();
                self.answer(json(status, half.to_vec()), Duration::ZERO)
            }
            Strike::Slow => self.answer(json(status, body), self.config.slow_reply),
        }
    }

    fn answer(&self, reply: kernel::Reply, after: Duration) -> BankReply {
        BankReply::Answer { after: after + self.config.latency, reply }
    }
}

fn tokenize(body: &[u8]) -> Result<Answered, Stop> {
    let asked: TokenRequest = wire::read(body)?;
    let number = kernel::CardNumber::parse(&asked.number)
        .map_err(|_| Stop::unprocessable("incorrect_number", "no card has this number"))?;
    if !(1..=12).contains(&asked.exp_month) || !(1000..=9999).contains(&asked.exp_year) {
        return Err(Stop::unprocessable("invalid_expiry", "no card expires then"));
    }
    let is_code = |cvc: &str| cvc.len() == number.cvc_length() && cvc.bytes().all(|b| b.is_ascii_digit());
    if asked.cvc.as_deref().is_some_and(|cvc| !is_code(cvc)) {
        return Err(Stop::unprocessable("invalid_cvc", "no card of this brand has such a security code"));
    }
    let card = TokenCard::of_card(&number, asked.exp_year, asked.exp_month);
    Ok(Answered::plain(render::bytes(&serde_json::json!({
        "object": "token",
        "id": card.encode(),
        "card": {
            "brand": card.brand,
            "last4": card.last4,
            "exp_month": card.exp_month,
            "exp_year": card.exp_year,
            "country": render::country(card.brand),
            "issuer": render::ISSUER,
        },
    }))))
}

/// The script that a request asks for by name.
pub(crate) fn wished(name: &str) -> Result<Script, Stop> {
    let scenario = Scenario::of_name(name);
    let scenario = scenario.ok_or_else(|| Stop::unprocessable("no_such_scenario", "no such scenario"))?;
    Ok(scenario.script)
}

/// What makes two requests under one reference the same: path and body.
fn digest(request: &BankRequest) -> u64 {
    let (high, _) = derive(&[request.path.as_bytes(), &request.body]).as_u64_pair();
    high
}

fn key_reused() -> Stop {
    Stop::conflict("key_reused", "this reference stands for another request")
}
