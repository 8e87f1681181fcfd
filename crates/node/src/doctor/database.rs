//! Checks of the database, before anything of ours is opened on it.

use kernel::Migration;
use store::{PostgresFacts, examine_postgres, examine_sqlite};

use super::{Finding, fail, ok, warn};
use crate::Ports;
use crate::config::Config;
use crate::stores::{MAIN_FILE, schema};

/// The oldest major version that the tests run on.
const OLDEST: i32 = 13;
/// More than this between two clocks, and an operator should know.
const SKEW_WARNED: i64 = 1_000_000;

/// The findings, and whether the store is as this build needs it.
pub(super) async fn examine(config: &Config, ports: &Ports) -> (Vec<Finding>, bool) {
    let known = match schema() {
        Ok(schema) => schema.migrations().to_vec(),
        Err(error) => return (vec![fail("database", error.to_string(), "take another build")], false),
    };
    match &config.database.url {
        Some(url) => {
            let options = store::Options::new(
                ports.ids.uuid(),
                ports.clock.clone(),
                ports.ids.clone(),
                ports.tasks.clone(),
            );
            match examine_postgres(url.expose(), &options).await {
                Ok(facts) => {
                    let mut findings = server(&facts, config, ports.clock.now().as_micros());
                    let (finding, is_ready) = migrations(&known, facts.migrations.as_deref());
                    findings.push(finding);
                    (findings, is_ready && !facts.is_standby)
                }
                Err(error) => {
                    let next = "check DATABASE_URL, the network and the database's own log";
                    (vec![fail("database", error.to_string(), next)], false)
                }
            }
        }
        None => file(config, &known),
    }
}

fn file(config: &Config, known: &[Migration]) -> (Vec<Finding>, bool) {
    let path = config.database.folder.join(MAIN_FILE);
    if !path.exists() {
        return (vec![ok("database", "SQLite; the first start makes it")], false);
    }
    match examine_sqlite(&path) {
        Ok(facts) => {
            let whole = match &facts.damage {
                None => ok("database", format!("SQLite, {} is whole", path.display())),
                Some(damage) => {
                    let found = format!("{} is damaged: {damage}", path.display());
                    fail("database", found, "stop the server and restore a copy of the folder")
                }
            };
            let (finding, is_ready) = migrations(known, facts.migrations.as_deref());
            (vec![whole, finding], is_ready && facts.damage.is_none())
        }
        Err(error) => {
            let found = format!("{}: {error}", path.display());
            (
                vec![fail("database", found, "check who owns the file, and restore a copy if it is broken")],
                false,
            )
        }
    }
}

fn server(facts: &PostgresFacts, config: &Config, now_micros: i64) -> Vec<Finding> {
    let version = format!("PostgreSQL {}", facts.version);
    let mut findings = vec![if facts.major < OLDEST {
        fail("database", version, format!("run version {OLDEST} or a later one"))
    } else {
        ok("database", version)
    }];
    if facts.is_standby {
        findings.push(fail("database", "this server only repeats another", "connect to the one that writes"));
    }
    findings.push(match (facts.fsync, facts.full_page_writes) {
        (true, true) => ok("durability", "fsync and full_page_writes are on; Florin sets synchronous_commit"),
        (false, _) => fail("durability", "fsync is off: a power cut loses payments", "set fsync = on"),
        (_, false) => {
            let found = "full_page_writes is off: a power cut can break the database";
            fail(
                "durability",
                found,
                "set full_page_writes = on, unless the disk writes whole pages by itself",
            )
        }
    });
    findings.push(if facts.encoding == "UTF8" {
        ok("encoding", "UTF8")
    } else {
        let next = "make the database with ENCODING 'UTF8' TEMPLATE template0";
        fail("encoding", format!("{} cannot hold every text", facts.encoding), next)
    });
    findings.push(if facts.keeps_session {
        ok("sessions", "one connection is one session")
    } else {
        let next = "connect to the database itself, or set the pooler to session mode";
        fail("sessions", "a pooler deals out transactions: sessions are not kept", next)
    });
    findings.push(match &facts.encryption {
        Some(version) => ok("encryption", format!("{version}, from here to the database")),
        None if facts.is_local => ok("encryption", "none, and the database is on this machine"),
        None => {
            let next = "set sslmode=verify-full and sslrootcert in DATABASE_URL; see docs/operations.md";
            warn("encryption", "none: who listens on the way reads everything but cards' numbers", next)
        }
    });
    findings.push(skew(facts.now_micros.saturating_sub(now_micros), config));
    let (most, open) = facts.connections;
    let found = format!("{open} of {most} are open");
    findings.push(if most.saturating_sub(open) < 12 {
        let next = "raise max_connections there, or set database.max_connections lower here";
        warn("connections", found, next)
    } else {
        ok("connections", found)
    });
    findings
}

/// How far the database's clock is ahead of this machine's.
fn skew(ahead_micros: i64, config: &Config) -> Finding {
    let size = ahead_micros.saturating_abs();
    let direction = if ahead_micros < 0 { "behind" } else { "ahead" };
    let found = format!("the database is {}.{:03} s {direction}", size / 1_000_000, size / 1000 % 1000);
    let next = "keep both clocks right with NTP";
    let margin = i64::try_from(config.operation.margin.as_micros()).unwrap_or(i64::MAX);
    if size > margin.max(SKEW_WARNED) {
        fail("clocks", format!("{found}, more than operation.margin allows"), next)
    } else if size > SKEW_WARNED {
        warn("clocks", found, next)
    } else {
        ok("clocks", found)
    }
}

fn migrations(known: &[Migration], done: Option<&[u32]>) -> (Finding, bool) {
    let check = "migrations";
    let Some(done) = done else {
        return (ok(check, "none yet; the first start runs them, or `florin migrate`"), false);
    };
    if let Some(newer) = done.iter().find(|number| known.iter().all(|known| known.number != **number)) {
        let found = format!("the database has migration {newer}, which this build does not know");
        return (fail(check, found, "run the build that wrote it, or a later one"), false);
    }
    let missing = known.iter().filter(|known| !done.contains(&known.number)).count();
    if missing > 0 {
        let found = format!("{missing} are to be run");
        return (warn(check, found, "run `florin migrate`; `florin serve` does it too"), false);
    }
    (ok(check, format!("all {} were run", done.len())), true)
}
