//! `florin doctor`: everything that a start needs, tried one by one, with what to do about each fault.
//!
//! It makes nothing and changes nothing: no folder, no key file, no migration. Only once the database is
//! found up to date is it opened the way a command opens it.

mod database;
mod machine;

use std::sync::Arc;
use std::time::Duration;

use kernel::Mode;

use crate::config::Config;
use crate::{Node, Ports};

/// The age of a key-encryption key at which an operator is told, in days.
const ROTATE_DAYS: u64 = 400;

/// One check and how it went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was checked.
    pub check: &'static str,
    /// How it went.
    pub verdict: Verdict,
    /// What was found.
    pub found: String,
    /// What to do next; `None`: nothing.
    pub next: Option<String>,
}

/// How a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// It will run, and somebody should know.
    Warn,
    /// It will not run, or not safely.
    Fail,
}

impl Verdict {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

pub(crate) fn ok(check: &'static str, found: impl Into<String>) -> Finding {
    Finding { check, verdict: Verdict::Ok, found: found.into(), next: None }
}

pub(crate) fn warn(check: &'static str, found: impl Into<String>, next: impl Into<String>) -> Finding {
    Finding { check, verdict: Verdict::Warn, found: found.into(), next: Some(next.into()) }
}

pub(crate) fn fail(check: &'static str, found: impl Into<String>, next: impl Into<String>) -> Finding {
    Finding { check, verdict: Verdict::Fail, found: found.into(), next: Some(next.into()) }
}

/// Tries everything out. The configuration is known to be readable.
pub async fn examine(config: &Config, ports: &Ports) -> Vec<Finding> {
    let mut findings = configuration(config);
    let on_disk = config.database.url.is_none();
    if on_disk {
        findings.extend(machine::folder(&config.database.folder));
    }
    findings.push(machine::free_space(if on_disk {
        &config.database.folder
    } else {
        std::path::Path::new(".")
    }));
    findings.push(machine::port(config));
    findings.push(machine::time_sync());
    let (database, is_ready) = database::examine(config, ports).await;
    findings.extend(database);
    if is_ready {
        findings.extend(running(config, ports).await);
    }
    findings
}

fn configuration(config: &Config) -> Vec<Finding> {
    let warnings = config.warnings();
    if warnings.is_empty() {
        return vec![ok("configuration", "every setting can be used")];
    }
    let next = "see docs/configuration.md; `florin config show` says where each setting comes from";
    warnings.into_iter().map(|warning| warn("configuration", warning, next)).collect()
}

/// What only an opened store can tell.
async fn running(config: &Config, ports: &Ports) -> Vec<Finding> {
    let node = match open(config, ports).await {
        Ok(node) => node,
        Err(crate::StartError::Vault(error)) if error.is_of_keystore() => {
            let next = "put the keystore and what opens it back from their copies; see docs/vault.md";
            return vec![fail("keystore", error.to_string(), next)];
        }
        Err(error) => return vec![fail("server secret", error.to_string(), "start with the right secret")],
    };
    let mut findings = vec![secret(config), keystore(&node).await];
    findings.extend(keys_and_providers(&node).await);
    node.stop(Duration::from_secs(5)).await;
    findings
}

async fn open(config: &Config, ports: &Ports) -> Result<Arc<Node>, crate::StartError> {
    let stores = crate::open(config, ports, ports.ids.uuid(), false).await?;
    crate::start_over(config.clone(), ports.clone(), stores).await
}

fn secret(config: &Config) -> Finding {
    let check = "server secret";
    match (&config.encryption_key, &config.database.url) {
        (Some(_), _) => ok(check, "the configured one opens this store"),
        (None, None) => ok(check, "the key file beside the data opens it; keep a copy of it"),
        (None, Some(_)) => warn(
            check,
            "the test worlds' secret is in the database",
            "set ENCRYPTION_KEY before live keys are made: `openssl rand -hex 32` makes one",
        ),
    }
}

/// What the card vault is under, and since when.
async fn keystore(node: &Node) -> Finding {
    let check = "keystore";
    let Some(cards) = &node.cards else {
        return ok(check, "none: cards stay with the providers alone");
    };
    let status = match cards.status().await {
        Ok(status) => status,
        Err(error) => return fail(check, error.to_string(), "see docs/vault.md"),
    };
    let age_days = node.clock.now().since(status.since).as_secs() / 86_400;
    if let Some((old, left)) = status.retiring.first().filter(|_| age_days > 1) {
        let found = format!("{left} cards are still under {old}, {age_days} days after its rotation");
        return warn(check, found, "keep `florin serve` running: it wraps them anew by itself");
    }
    if age_days > ROTATE_DAYS {
        let found = format!("{} is {age_days} days old", status.current);
        return warn(check, found, "run `florin vault rotate`");
    }
    ok(check, format!("cards are under {}; keep copies of it, apart from the data", status.current))
}

async fn keys_and_providers(node: &Node) -> Vec<Finding> {
    let merchants = match node.identity.merchants().await {
        Ok(merchants) => merchants,
        Err(error) => return vec![fail("merchants", error.to_string(), "see the database's own log")],
    };
    if merchants.is_empty() {
        return vec![ok("merchants", "none yet: the first `florin serve` makes one with its key")];
    }
    let mut findings = vec![ok("merchants", format!("{} of them", merchants.len()))];
    let (mut keyless, mut unreached, mut reached) = (Vec::new(), Vec::new(), 0_u32);
    // A few say as much as all of them would, in bounded time.
    for merchant in merchants.iter().take(10) {
        let now = node.clock.now();
        let keys = node.identity.keys(merchant.id).await.unwrap_or_default();
        if !keys.iter().any(|key| key.status(now) == identity::KeyStatus::Active) {
            keyless.push(merchant.id.to_string());
        }
        for mode in [Mode::Test, Mode::Live] {
            let scope = merchant.scope(mode);
            for account in node.payments.accounts(scope).await.unwrap_or_default() {
                match node.payments.probe(scope, account.id).await {
                    Ok(checks) if checks.iter().all(|check| check.works) => reached += 1,
                    Ok(checks) => {
                        let failed = checks.iter().filter(|check| !check.works);
                        let why: Vec<_> = failed.map(|check| check.says.as_str()).collect();
                        unreached.push(format!("{} {}: {}", account.provider, account.id, why.join(", ")));
                    }
                    Err(error) => unreached.push(format!("{} {}: {error}", account.provider, account.id)),
                }
            }
        }
    }
    findings.push(if keyless.is_empty() {
        ok("keys", "every merchant has a key that opens")
    } else {
        let next = "make one: `florin key create --merchant ID`";
        warn("keys", format!("no usable key: {}", keyless.join(", ")), next)
    });
    findings.push(if unreached.is_empty() {
        ok("providers", format!("{reached} accounts answer"))
    } else {
        let next = "check the network and the credentials, then `florin provider test`";
        fail("providers", unreached.join("; "), next)
    });
    findings
}
