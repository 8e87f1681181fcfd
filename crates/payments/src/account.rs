//! Provider accounts: stored with sealed secrets, opened in memory for at most five seconds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use kernel::{
    Cell, Changes, Clock, Column, ColumnType, Credentials, Duplicate, Exchange, Filter, Id, Ids, Index, Lane,
    Outcome, Query, Random, Record, Request, Scope, Secret, Store, Table, Timestamp, Versioned,
};
use parking_lot::Mutex;
use provider_kit::{Account, Capability, Profile, Provider, ProviderAccount, Registry};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use vault::{Purpose, Vault};

use crate::cache::Cache;
use crate::rejection::{PaymentsError, Rejection};
use crate::signed_event::{EVENTS, EventSource, HMAC_SECRET};
use crate::watch::{Figures, Watch, Watched};

/// How often a configured account is written when other nodes do the same.
const CONFIGURE_TRIES: u32 = 5;

/// The setting of an account that is not charged any more.
const DISABLED: &str = "disabled";

/// Says how an account's provider is reached.
pub trait Exchanges: Send + Sync + 'static {
    /// The exchange for this account.
    fn of(&self, account: &ProviderAccount) -> Arc<dyn Exchange>;

    /// The request that moves the clock of a simulated provider's account to so far ahead of the real
    /// one, through the account's exchange; repeating it changes nothing. `None` where time is real.
    fn clock_request(&self, account: &ProviderAccount, offset: Duration) -> Option<Request> {
        let _ = (account, offset);
        None
    }
}

/// A provider account as stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountRecord {
    /// What the provider's mapping may know.
    pub account: ProviderAccount,
    /// Name to sealed secret, in hexadecimal.
    sealed: BTreeMap<String, String>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What makes a provider account.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// The provider's id.
    pub provider: String,
    /// Who we are there.
    pub identity: String,
    /// Settings without secrets; `{account}` in one stands for the account's id.
    pub settings: BTreeMap<String, String>,
    /// Secrets by name.
    pub secrets: Vec<(String, Secret<String>)>,
}

/// By id within a scope; the one unscoped read, of a webhook's or a browser's address, has an index.
pub(crate) static PROVIDER_ACCOUNT: Table = Table {
    name: "provider_account",
    key: &[Column::new("id", ColumnType::Uuid)],
    columns: &[Column::new("provider", ColumnType::Text)],
    versioned: true,
    has_state: true,
    indexes: &[Index {
        name: "provider_account_id",
        columns: &["id"],
        unique: true,
        where_present: None,
        where_absent: None,
    }],
    fillfactor: 100,
};

impl Record for AccountRecord {
    const TABLE: &'static Table = &PROVIDER_ACCOUNT;
    const FORM: u16 = 1;

    fn key(&self) -> Vec<Cell> {
        vec![self.account.id.into()]
    }

    fn columns(&self) -> Vec<Cell> {
        vec![self.account.provider.as_str().into()]
    }
}

/// An account ready to be called.
pub(crate) struct Opened {
    pub(crate) scope: Scope,
    pub(crate) account: ProviderAccount,
    pub(crate) credentials: Credentials,
    pub(crate) provider: Arc<dyn Provider>,
    pub(crate) exchange: Arc<dyn Exchange>,
    calls: Arc<AtomicUsize>,
}

impl Opened {
    /// Refuses a new command while as many calls of this account are under way: a provider that became
    /// slow would otherwise gather the connections and the memory of all others. What was reserved is
    /// never refused.
    pub(crate) fn check_room(&self, most: usize) -> Result<(), PaymentsError> {
        if self.calls.load(Ordering::Relaxed) < most { Ok(()) } else { Err(PaymentsError::Overloaded) }
    }
}

impl Opened {
    /// What its provider can do, for whatever account.
    pub(crate) fn profile(&self) -> &'static Profile {
        self.provider.profile()
    }

    /// Whether the provider offers something to this account.
    pub(crate) fn can(&self, capability: Capability) -> bool {
        self.provider.offers(&self.account, capability)
    }
}

pub(crate) struct Accounts {
    store: Arc<dyn Store>,
    vault: Arc<Vault>,
    clock: Arc<dyn Clock>,
    registry: Registry,
    exchanges: Arc<dyn Exchanges>,
    by_scope: Cache<Scope, Arc<Vec<Arc<Opened>>>>,
    scopes: Cache<Id<Account>, Scope>,
    sources: Cache<Id<Account>, Option<Arc<EventSource>>>,
    only: Cache<String, Option<Id<Account>>>,
    /// Providers at which somebody has an account: accounts are switched off, and never taken away.
    used: Mutex<BTreeSet<&'static str>>,
    /// Providers at which nobody had one.
    unused: Cache<&'static str, ()>,
    pub(crate) watch: Arc<Watch>,
}

impl Accounts {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        vault: Arc<Vault>,
        clock: Arc<dyn Clock>,
        registry: Registry,
        exchanges: Arc<dyn Exchanges>,
    ) -> Self {
        Self {
            by_scope: Cache::new(Arc::clone(&clock)),
            scopes: Cache::new(Arc::clone(&clock)),
            sources: Cache::new(Arc::clone(&clock)),
            only: Cache::new(Arc::clone(&clock)),
            used: Mutex::default(),
            unused: Cache::new(Arc::clone(&clock)),
            watch: Arc::new(Watch::new(Arc::clone(&clock))),
            store,
            vault,
            clock,
            registry,
            exchanges,
        }
    }

    /// All accounts of a scope, in the order in which they were made.
    pub(crate) async fn of(&self, scope: Scope) -> Result<Arc<Vec<Arc<Opened>>>, PaymentsError> {
        if let Some(known) = self.by_scope.get(&scope) {
            return Ok(known);
        }
        let query = Query::oldest(&PROVIDER_ACCOUNT, scope, 100);
        let mut records: Vec<Versioned<AccountRecord>> = self.store.of(scope).find(query).await?;
        // Of those that were made at one moment the one without a name of its own is the first.
        let place = |record: &AccountRecord| (record.created_at, record.account.setting("name").to_owned());
        records.sort_by_cached_key(|versioned| place(&versioned.record));
        let opened =
            records.into_iter().filter_map(|versioned| self.open(scope, versioned.record).transpose());
        let opened = Arc::new(opened.collect::<Result<Vec<_>, _>>()?);
        self.by_scope.keep(scope, Arc::clone(&opened));
        Ok(opened)
    }

    /// See [`Exchanges::clock_request`].
    pub(crate) fn clock_request(&self, account: &ProviderAccount, offset: Duration) -> Option<Request> {
        self.exchanges.clock_request(account, offset)
    }

    /// The accounts that may be charged: the preferred one first, then in the order in which they were
    /// made.
    pub(crate) async fn enabled(
        &self,
        scope: Scope,
        preferred: Option<&str>,
    ) -> Result<Vec<Arc<Opened>>, PaymentsError> {
        let all = self.of(scope).await?;
        let is_enabled = |opened: &&Arc<Opened>| opened.account.setting(DISABLED) != "true";
        let mut accounts: Vec<Arc<Opened>> = all.iter().filter(is_enabled).cloned().collect();
        let first = preferred.and_then(|preferred| place_of(&accounts, preferred)).unwrap_or(0);
        if let Some(front) = accounts.get_mut(..=first) {
            front.rotate_right(1);
        }
        Ok(accounts)
    }

    /// The account that charges: the asked one, by its name or its provider's, else the preferred one,
    /// else the oldest.
    pub(crate) async fn pick(
        &self,
        scope: Scope,
        asked: Option<&str>,
        preferred: Option<&str>,
    ) -> Result<Arc<Opened>, PaymentsError> {
        let all = self.of(scope).await?;
        let enabled = all.iter().filter(|opened| opened.account.setting(DISABLED) != "true");
        let accounts: Vec<&Arc<Opened>> = enabled.collect();
        let at = |name: &str| place_of(&accounts, name).and_then(|place| accounts.get(place));
        let found = match asked {
            Some(provider) => at(provider).ok_or_else(|| {
                let known: Vec<&str> = accounts.iter().map(|o| o.account.name()).collect();
                Rejection::NoProviderAccount(format!(
                    "there is no account at `{provider}` in this {} world; there is: {}",
                    scope.mode.as_str(),
                    if known.is_empty() { "none".to_owned() } else { known.join(", ") },
                ))
            })?,
            None => preferred.and_then(at).or_else(|| accounts.first()).ok_or_else(|| {
                let mode = scope.mode.as_str();
                Rejection::NoProviderAccount(format!("this {mode} world has no provider account"))
            })?,
        };
        Ok(Arc::clone(*found))
    }

    /// The account that an operation is pinned to.
    pub(crate) async fn pinned(&self, scope: Scope, id: Id<Account>) -> Result<Arc<Opened>, PaymentsError> {
        let accounts = self.of(scope).await?;
        let found = accounts.iter().find(|opened| opened.account.id == id).cloned();
        found.ok_or_else(|| Rejection::NoProviderAccount(format!("there is no account {id}")).into())
    }

    /// The account of a webhook's or a browser's address, whosever it is.
    pub(crate) async fn everywhere(&self, id: Id<Account>) -> Result<Option<Arc<Opened>>, PaymentsError> {
        let scope = if let Some(scope) = self.scopes.get(&id) {
            scope
        } else {
            let query = Query::everywhere(&PROVIDER_ACCOUNT, 1).with(Filter::equal("id", id));
            let rows = self.store.find(query).await?;
            let Some(row) = rows.first() else { return Ok(None) };
            self.scopes.keep(id, row.scope);
            row.scope
        };
        Ok(self.of(scope).await?.iter().find(|opened| opened.account.id == id).cloned())
    }

    /// The one account at a provider in this installation; `None` if there is none, or several.
    pub(crate) async fn only_one(&self, provider: &str) -> Result<Option<Id<Account>>, PaymentsError> {
        if self.registry.get(provider).is_none() {
            return Ok(None);
        }
        if let Some(known) = self.only.get(&provider.to_owned()) {
            return Ok(known);
        }
        let query = Query::everywhere(&PROVIDER_ACCOUNT, 2).with(Filter::equal("provider", provider));
        let rows = self.store.find(query).await?;
        let only = match rows.as_slice() {
            [row] => row.key.first().and_then(Cell::as_uuid).map(Id::from_uuid),
            _ => None,
        };
        self.only.keep(provider.to_owned(), only);
        Ok(only)
    }

    /// The providers of this build at which somebody here has an account. `asks`: also those of which that is
    /// not known yet; without it, or where the database fails, what was known before.
    pub(crate) async fn used(&self, asks: bool) -> Vec<&'static str> {
        let names = self.registry.iter().map(|provider| provider.profile().id);
        for name in names.filter(|_| asks) {
            if self.used.lock().contains(name) || self.unused.get(&name).is_some() {
                continue;
            }
            let query = Query::everywhere(&PROVIDER_ACCOUNT, 1).with(Filter::equal("provider", name));
            match self.store.find(query).await {
                Ok(rows) if rows.is_empty() => self.unused.keep(name, ()),
                Ok(_) => {
                    self.used.lock().insert(name);
                }
                Err(error) => tracing::warn!(%error, "the accounts of a provider cannot be read"),
            }
        }
        self.used.lock().iter().copied().collect()
    }

    /// Whose events an account's secret signs; `None` for the account of a provider.
    pub(crate) async fn event_source(&self, id: Id<Account>) -> Result<Option<EventSource>, PaymentsError> {
        if let Some(known) = self.sources.get(&id) {
            return Ok(known.map(|source| EventSource::clone(&source)));
        }
        let query = Query::everywhere(&PROVIDER_ACCOUNT, 1).with(Filter::equal("id", id));
        let found = match self.store.find(query).await?.first() {
            None => None,
            Some(row) => {
                let known = self.store.of(row.scope).get::<AccountRecord>(vec![id.into()]).await?;
                known.map(|known| (row.scope, known.record))
            }
        };
        let source = match found.filter(|(_, record)| record.account.provider == EVENTS) {
            None => None,
            Some((scope, record)) => {
                let secrets = self.secrets(scope, &record)?;
                let secret = secrets.into_iter().find(|(name, _)| name == HMAC_SECRET);
                secret.map(|(_, secret)| EventSource { scope, account: Some(id), secret })
            }
        };
        self.sources.keep(id, source.clone().map(Arc::new));
        Ok(source)
    }

    /// Makes a scope's account at a provider, once: two nodes that try together make one, because its
    /// id derives from scope, provider and, where it has one, its name.
    pub(crate) async fn ensure(
        &self,
        scope: Scope,
        new: NewAccount,
        ids: &dyn Ids,
        random: &dyn Random,
    ) -> Result<AccountRecord, PaymentsError> {
        let keys = self.vault.keys(scope.mode).map_err(|error| internal(&error))?;
        let scope_bytes = scope.to_bytes();
        let mut parts: Vec<&[u8]> =
            vec![b"provider account", scope_bytes.as_slice(), new.provider.as_bytes()];
        // Of several accounts at one provider all but the first have a name of their own.
        if let Some(name) = new.settings.get("name") {
            parts.push(name.as_bytes());
        }
        let mac = keys.mac(Purpose::Request, &parts);
        let id = Id::from_uuid(Uuid::from_slice(mac.get(..16).unwrap_or_default()).unwrap_or_default());
        let find = || async { self.store.of(scope).get::<AccountRecord>(vec![Cell::from(id)]).await };
        if let Some(known) = find().await? {
            return Ok(known.record);
        }
        let record = self.record(scope, id, new, random)?;
        let mut changes = Changes::new(ids.uuid(), Lane::Reserve);
        changes.insert(scope, &record)?;
        match self.store.commit(changes).await {
            Outcome::Committed { .. } => {
                self.by_scope.forget(&scope);
                Ok(record)
            }
            Outcome::Duplicate(Duplicate::Row { .. }) => {
                find().await?.map(|known| known.record).ok_or_else(|| internal(&"an account vanished"))
            }
            other => Err(PaymentsError::Unavailable(format!("{other:?}"))),
        }
    }

    /// Makes a scope's account at a provider, or gives the one that is there these settings and secrets.
    pub(crate) async fn configure(
        &self,
        scope: Scope,
        new: NewAccount,
        ids: &dyn Ids,
        random: &dyn Random,
    ) -> Result<AccountRecord, PaymentsError> {
        let id = self.ensure(scope, new.clone(), ids, random).await?.account.id;
        for _ in 0..CONFIGURE_TRIES {
            let found = self.store.of(scope).get::<AccountRecord>(vec![Cell::from(id)]).await?;
            let known = found.ok_or_else(|| internal(&"an account vanished"))?;
            let mut record = self.record(scope, id, new.clone(), random)?;
            if record.account == known.record.account
                && self.secrets(scope, &record)? == self.secrets(scope, &known.record)?
            {
                return Ok(known.record);
            }
            record.created_at = known.record.created_at;
            let mut changes = Changes::new(ids.uuid(), Lane::Reserve);
            changes.update(scope, &record, known.version)?;
            match self.store.commit(changes).await {
                Outcome::Committed { .. } => {
                    self.by_scope.forget(&scope);
                    return Ok(record);
                }
                // Another node that starts with the same configuration.
                Outcome::Conflict => {}
                other => return Err(PaymentsError::Unavailable(format!("{other:?}"))),
            }
        }
        Err(PaymentsError::Busy)
    }

    /// An account with its secrets sealed for its place.
    fn record(
        &self,
        scope: Scope,
        id: Id<Account>,
        new: NewAccount,
        random: &dyn Random,
    ) -> Result<AccountRecord, PaymentsError> {
        let keys = self.vault.keys(scope.mode).map_err(|error| internal(&error))?;
        let mut sealed = BTreeMap::new();
        for (name, secret) in &new.secrets {
            let place = format!("{id}/{name}");
            let bytes = keys
                .seal(random, scope, &place, secret.expose().as_bytes())
                .map_err(|error| internal(&error))?;
            sealed.insert(name.clone(), hex(&bytes));
        }
        // An account's id is not known before it is made: a setting says `{account}` in its place.
        let named = |(name, value): (String, String)| (name, value.replace("{account}", &id.to_string()));
        let settings = new.settings.into_iter().map(named).collect();
        let account = ProviderAccount { id, provider: new.provider, identity: new.identity, settings };
        Ok(AccountRecord { account, sealed, created_at: self.clock.now() })
    }

    /// The secrets of an account, opened.
    fn secrets(
        &self,
        scope: Scope,
        record: &AccountRecord,
    ) -> Result<Vec<(String, Secret<String>)>, PaymentsError> {
        let keys = self.vault.keys(scope.mode).map_err(|error| internal(&error))?;
        let mut secrets = Vec::with_capacity(record.sealed.len());
        for (name, sealed) in &record.sealed {
            let place = format!("{}/{name}", record.account.id);
            let bytes = unhex(sealed).ok_or_else(|| internal(&"a sealed secret is damaged"))?;
            let opened = keys.open(scope, &place, &bytes).map_err(|error| internal(&error))?;
            let text = String::from_utf8(opened).map_err(|error| internal(&error.utf8_error()))?;
            secrets.push((name.clone(), Secret::new(text)));
        }
        Ok(secrets)
    }

    /// `None` for an account at a provider that this build does not have.
    fn open(&self, scope: Scope, record: AccountRecord) -> Result<Option<Arc<Opened>>, PaymentsError> {
        if record.account.provider == EVENTS {
            return Ok(None);
        }
        let Some(provider) = self.registry.get(&record.account.provider).cloned() else {
            tracing::warn!(account = %record.account.id, "no provider of this build serves the account");
            return Ok(None);
        };
        let secrets = self.secrets(scope, &record)?;
        let calls = self.watch.calls_of(record.account.id);
        let exchange: Arc<dyn Exchange> = Arc::new(Watched {
            calls: Arc::clone(&calls),
            inner: self.exchanges.of(&record.account),
            watch: Arc::clone(&self.watch),
            account: record.account.clone(),
            figures: Figures::of(&record.account.provider),
        });
        let credentials = Credentials::new(secrets);
        let account = record.account;
        Ok(Some(Arc::new(Opened { scope, account, credentials, provider, exchange, calls })))
    }
}

/// Which account a name means: the one that is called so, else the first at a provider of this name.
fn place_of<A: AsRef<Opened>>(accounts: &[A], name: &str) -> Option<usize> {
    let by_name = accounts.iter().position(|opened| opened.as_ref().account.name() == name);
    by_name.or_else(|| accounts.iter().position(|opened| opened.as_ref().account.provider == name))
}

fn internal(error: &dyn std::fmt::Display) -> PaymentsError {
    PaymentsError::Internal(error.to_string())
}

/// Bytes as lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        for nibble in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
        text
    })
}

/// Bytes from hexadecimal.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    let pairs = digits.chunks(2).map(|pair| {
        let pair = std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?;
        u8::from_str_radix(pair, 16).ok()
    });
    pairs.collect()
}
