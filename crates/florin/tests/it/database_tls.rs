//! TLS to PostgreSQL, against a cluster that has it: what each `sslmode` takes and refuses.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use testkit::Authority;
use tokio_postgres::NoTls;

use crate::cluster::Cluster;
use crate::server::{Place, wait};

/// One statement after the other, past TLS: the cluster is of this machine.
fn ask(url: &str, statements: &[&str]) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
        let running = tokio::spawn(connection);
        let mut answers = Vec::new();
        for statement in statements {
            for message in client.simple_query(statement).await.unwrap() {
                if let tokio_postgres::SimpleQueryMessage::Row(row) = message {
                    answers.push(row.get(0).unwrap_or_default().to_owned());
                }
            }
        }
        drop(client);
        running.await.unwrap().unwrap();
        answers
    })
}

/// Gives the cluster a certificate for `localhost`, and waits until it uses it.
fn encrypt(cluster: &Cluster, authority: &Authority, folder: &Path) {
    let issued = authority.issue(folder, "database", &["localhost"]);
    for (from, name) in [(&issued.cert, "server.crt"), (&issued.key, "server.key")] {
        let to = cluster.data().join(name);
        std::fs::copy(from, &to).unwrap();
        // PostgreSQL takes a key that is its own user's alone.
        let owner = format!("--reference={}", cluster.data().join("PG_VERSION").display());
        assert!(Command::new("chown").arg(owner).arg(&to).status().unwrap().success());
        assert!(Command::new("chmod").arg("600").arg(&to).status().unwrap().success());
    }
    ask(&cluster.url(), &["ALTER SYSTEM SET ssl = on", "SELECT pg_reload_conf()"]);
    wait(|| Some(()).filter(|()| ask(&cluster.url(), &["SHOW ssl"]) == ["on"])).unwrap();
}

/// What `florin doctor` says of the database at this address: the verdict of its check, and what it found.
fn doctor(place: &Place, url: &str, check: &str) -> (String, String) {
    let output = place.florin(&["doctor", "--json"]).env("DATABASE_URL", url).output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    let checks = report["checks"].as_array().unwrap();
    let found = checks.iter().find(|found| found["check"] == check);
    let found = found.unwrap_or_else(|| panic!("{url}: no {check}: {report}"));
    (found["verdict"].as_str().unwrap().to_owned(), found["found"].as_str().unwrap().to_owned())
}

struct World {
    place: Place,
    cluster: Cluster,
    ours: PathBuf,
    others: PathBuf,
}

impl World {
    fn start(name: &str) -> Option<Self> {
        let cluster = Cluster::start()?;
        let place = Place::sqlite(name);
        let ours = Authority::new("ours");
        let (own, others) =
            (ours.write(&place.folder, "ours"), Authority::new("others").write(&place.folder, "others"));
        let encrypted = Self { place, cluster, ours: own, others };
        assert_eq!(encrypted.refusal("?sslmode=require"), "server does not support TLS");
        assert_eq!(encrypted.kind("?sslmode=prefer"), "none");
        encrypt(&encrypted.cluster, &ours, &encrypted.place.folder);
        Some(encrypted)
    }

    /// The cluster's address by name, with this behind it.
    fn url(&self, query: &str) -> String {
        self.cluster.url().replace("127.0.0.1", "localhost") + query
    }

    /// How the connection is encrypted, by what the database itself says.
    fn kind(&self, query: &str) -> String {
        let (verdict, found) = doctor(&self.place, &self.url(query), "encryption");
        assert_eq!(verdict, "ok", "{query}: {found}");
        found.split([' ', ',']).next().unwrap().to_owned()
    }

    /// The end of what is said of a connection that is not made.
    fn refusal(&self, query: &str) -> String {
        self.refusal_of(&self.url(query))
    }

    fn refusal_of(&self, url: &str) -> String {
        let (verdict, found) = doctor(&self.place, url, "database");
        assert_eq!(verdict, "fail", "{url}: {found}");
        let password = url.split([':', '@']).nth(2).unwrap();
        assert!(!found.contains(password), "{found}");
        found.rsplit(": ").next().unwrap().to_owned()
    }
}

#[test]
fn each_mode_takes_what_it_should_and_nothing_else() {
    let Some(world) = World::start("database_tls") else { return };
    let (ours, others) = (world.ours.display(), world.others.display());
    assert_eq!(world.kind("?sslmode=disable"), "none");
    for query in [
        String::new(),
        "?sslmode=prefer".to_owned(),
        "?sslmode=require".to_owned(),
        format!("?sslmode=require&sslrootcert={ours}"),
        format!("?sslmode=verify-ca&sslrootcert={ours}"),
        format!("?sslrootcert={ours}&application_name=florin&sslmode=verify-full"),
    ] {
        assert_eq!(world.kind(&query), "TLSv1.3", "{query}");
    }
    // Another authority, by name or as one that came with the system.
    for query in [
        format!("?sslmode=require&sslrootcert={others}"),
        format!("?sslmode=verify-ca&sslrootcert={others}"),
        format!("?sslmode=verify-full&sslrootcert={others}"),
        "?sslmode=verify-full".to_owned(),
        "?sslmode=verify-full&sslrootcert=system".to_owned(),
    ] {
        assert_eq!(world.refusal(&query), "UnknownIssuer", "{query}");
    }
    // The same server under a name that its certificate has not: what checks names refuses it.
    let by_address = |query: &str| world.cluster.url() + query;
    let named = world.refusal_of(&by_address(&format!("?sslmode=verify-full&sslrootcert={ours}")));
    assert!(named.contains("127.0.0.1") || named.contains("valid"), "{named}");
    let (verdict, found) =
        doctor(&world.place, &by_address(&format!("?sslmode=verify-ca&sslrootcert={ours}")), "encryption");
    assert_eq!((verdict.as_str(), found.starts_with("TLSv1.3")), ("ok", true), "{found}");
    // What cannot be meant is said before anything is connected.
    for (query, said) in [
        ("?sslmode=verify-ca", "sslmode=verify-ca needs sslrootcert"),
        ("?sslmode=verify-full&sslrootcert=/nowhere/ca.crt", "sslrootcert (/nowhere/ca.crt) cannot be read"),
        ("?sslmode=sometimes", "sslmode must be disable, prefer, require, verify-ca or verify-full"),
    ] {
        let (verdict, found) = doctor(&world.place, &world.url(query), "database");
        assert!(verdict == "fail" && found.contains(said), "{found}");
    }
}

#[test]
fn a_server_works_with_every_connection_encrypted() {
    let Some(mut world) = World::start("database_tls_served") else { return };
    let url = world.url(&format!("?sslmode=verify-full&sslrootcert={}", world.ours.display()));
    world.place.on(&url);
    let server = world.place.serve(&[], None);
    let card = serde_json::json!({"type": "card", "card_number": "4242424242424242", "exp_month": 12,
        "exp_year": 2037, "cvc": "123"});
    let body = serde_json::json!({"amount": 1000, "currency": "USD", "payment_method": card});
    let paid = server.post("/api/v1/payments", &body);
    assert_eq!((paid.status, &paid.json()["status"]), (201, &"paid".into()), "{paid:?}");
    let plain = "SELECT count(*) FILTER (WHERE NOT ssl) || ' of ' || (count(*) > 2) FROM pg_stat_ssl \
                 JOIN pg_stat_activity USING (pid) WHERE application_name = 'florin'";
    assert_eq!(ask(&world.cluster.url(), &[plain]), ["0 of true"]);
    server.stop();
}
