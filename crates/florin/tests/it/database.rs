//! What PostgreSQL and the way to it can suffer under load: nothing acknowledged is lost, nothing is done
//! twice, and the service recovers by itself.

use std::thread;
use std::time::Duration;

use testkit::Proxy;
use tokio::runtime::Runtime;
use tokio_postgres::Client;

use crate::bank::Bank;
use crate::cluster::Cluster;
use crate::server::{Place, Server, wait};
use crate::witness::{EVERYTHING, Load, SOON, check, is_long, random};

/// Starts a node with a bank of its own on the database of this URL.
fn node(place: &Place, bank: &Bank, database: &str, key: Option<&str>) -> Server {
    let mut settings = SOON.to_vec();
    settings.extend([("FLORIN_SANDBOX__BANK", bank.url.as_str()), ("DATABASE_URL", database)]);
    place.serve(&settings, key)
}

#[test]
fn connections_are_cut_and_delayed_in_the_middle_of_commits() {
    let Some(place) = Place::postgres("database_cut") else { return };
    let bank = Bank::serve(&place);
    let direct = place.database.as_ref().unwrap().url();
    let proxy = Proxy::before_database(direct).unwrap();
    let one = node(&place, &bank, &proxy.url(direct), None);
    let other = node(&place, &bank, &proxy.url(direct), Some(&one.key));
    let load = Load::start(&place, &[&one, &other], EVERYTHING, 16);
    load.wait_for_good(30);
    proxy.fail_one_in(40);
    for _ in 0..if is_long() { 100 } else { 2 } {
        let before = proxy.faults();
        let failed = wait(|| Some(()).filter(|()| proxy.faults() >= before + 8));
        assert!(failed.is_some(), "the load stands still\n{}", one.logs());
        // Now and then nothing gets through at all.
        proxy.refuse(true);
        proxy.cut_all();
        load.wait_for_code("unavailable", 2);
        proxy.refuse(false);
        load.wait_for(20);
    }
    proxy.fail_one_in(0);
    load.wait_for_good(50);
    let journal = load.stop();
    check(&place, &one, &bank, &journal);
}

/// The test's own session at the database.
struct Operator {
    runtime: Runtime,
    client: Client,
}

impl Operator {
    fn of(place: &Place) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let client = runtime.block_on(place.database.as_ref().unwrap().connect()).unwrap();
        Self { runtime, client }
    }

    fn run(&self, text: &str) {
        self.runtime.block_on(self.client.batch_execute(text)).unwrap();
    }

    fn number(&self, text: &str) -> i64 {
        self.runtime.block_on(self.client.query_one(text, &[])).unwrap().get(0)
    }

    /// Sets something for all sessions of this database, from their next beginning on.
    fn set(&self, what: &str) {
        self.run(&format!(
            "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET {what}', current_database()); END $$"
        ));
    }

    /// Ends every other session of this database.
    fn end_sessions(&self) {
        self.number(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        );
    }

    /// From now on writes of payments raise this error, in so many of a thousand cases.
    fn raise(&self, code: &str, per_mille: u32) {
        self.run(&format!(
            "CREATE OR REPLACE FUNCTION chaos() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
               IF random() * 1000 < {per_mille} THEN RAISE EXCEPTION 'chaos' USING ERRCODE = '{code}'; END IF;
               RETURN NEW; END $$;
             CREATE OR REPLACE TRIGGER chaos BEFORE INSERT OR UPDATE ON payment
               FOR EACH ROW EXECUTE FUNCTION chaos()"
        ));
    }
}

#[test]
fn timeouts_deadlocks_and_refusals_of_the_database_cost_nothing() {
    let Some(place) = Place::postgres("database_trouble") else { return };
    let bank = Bank::serve(&place);
    let database = place.database.as_ref().unwrap().url();
    let server = node(&place, &bank, database, None);
    let operator = Operator::of(&place);
    let load = Load::start(&place, &[&server], EVERYTHING, 16);
    load.wait_for_good(30);

    // Sessions that end in the middle, again and again, and come back with settings that hinder them.
    for setting in [
        "statement_timeout = ''400ms''",
        "deadlock_timeout = ''200ms''",
        "default_transaction_isolation = ''serializable''",
    ] {
        operator.set(setting);
    }
    for _ in 0..if is_long() { 200 } else { 3 } {
        operator.end_sessions();
        thread::sleep(Duration::from_millis(random(300)));
    }
    load.wait_for_good(20);

    // Every write waits for a lock until its time is over.
    operator.run("BEGIN; LOCK TABLE payment IN EXCLUSIVE MODE");
    load.wait_for_code("unavailable", 5);
    operator.run("ROLLBACK");
    load.wait_for_good(20);

    // Locks in the other order: the batch is the deadlock's victim, or runs out of time.
    operator.run("SET deadlock_timeout = '10s'");
    let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    let (before, mut tables) = (operator.number(deadlocks), ["payment", "claim"]);
    let met = wait(|| {
        let [first, second] = tables;
        tables.swap(0, 1);
        operator
            .run(&format!("BEGIN; LOCK TABLE {first} IN SHARE ROW EXCLUSIVE MODE; SELECT pg_sleep(0.03)"));
        operator.run(&format!("LOCK TABLE {second} IN SHARE ROW EXCLUSIVE MODE; ROLLBACK"));
        Some(()).filter(|()| operator.number(deadlocks) > before)
    });
    assert!(met.is_some(), "there was no deadlock");
    load.wait_for_good(20);

    // Serialization failures, which are tried again, and a full disk, which is said.
    operator.raise("40001", 50);
    load.wait_for_good(30);
    operator.raise("53100", 1000);
    load.wait_for_code("storage_full", 5);
    operator.run("DROP TRIGGER chaos ON payment");
    load.wait_for_good(20);
    let journal = load.stop();
    check(&place, &server, &bank, &journal);
}

#[test]
fn a_restart_a_crash_and_a_failover_keep_what_was_acknowledged() {
    let Some(primary) = Cluster::start() else { return };
    let standby = primary.standby();
    let mut place = Place::sqlite("database_failover");
    let bank = Bank::serve(&place);
    let proxy = Proxy::before(&primary.address()).unwrap();
    let url = proxy.url(&primary.url());
    let one = node(&place, &bank, &url, None);
    let other = node(&place, &bank, &url, Some(&one.key));
    let load = Load::start(&place, &[&one, &other], EVERYTHING, 16);
    for _ in 0..if is_long() { 20 } else { 1 } {
        for mode in ["fast", "immediate"] {
            load.wait_for_good(20);
            primary.script(&["restart", mode]);
        }
    }
    load.wait_for_good(20);
    // The primary is gone for good; the standby takes its place under the same address.
    primary.script(&["crash"]);
    standby.script(&["promote"]);
    proxy.switch(&standby.address());
    load.wait_for_good(30);
    let journal = load.stop();
    place.on(&standby.url());
    check(&place, &one, &bank, &journal);
}
