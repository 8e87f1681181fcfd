//! `florin doctor` against set-ups that work and set-ups that do not, and `florin provider`.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::on_both_stores;
use crate::server::Place;

on_both_stores!(a_set_up_that_works);

/// The exit code, and each check's verdict with what was found.
fn doctor(place: &Place, environment: &[(&str, &str)]) -> (Option<i32>, Value) {
    let mut command = place.florin(&["doctor", "--json"]);
    let output = command.envs(environment.iter().copied()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let report = serde_json::from_str(&said)
        .unwrap_or_else(|error| panic!("{error}: {said} {}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code(), report)
}

fn check<'a>(report: &'a Value, name: &str) -> &'a Value {
    let found = report["checks"].as_array().unwrap().iter().find(|check| check["check"] == name);
    found.unwrap_or_else(|| panic!("no check {name}: {report}"))
}

fn a_set_up_that_works(place: &Place) {
    let (code, before) = doctor(place, &[]);
    assert_eq!(code, Some(0), "{before}");
    assert_eq!(check(&before, "port")["verdict"], "ok");
    assert!(!place.folder.join("florin-data").exists(), "it makes nothing");

    let server = place.serve(&[], None);
    let (code, beside) = doctor(place, &[]);
    assert_eq!(code, Some(0), "{beside}");
    for name in ["configuration", "migrations", "merchants", "keys", "providers", "database"] {
        let found = check(&beside, name);
        let is_fine = found["verdict"] == "ok" || (name == "configuration" && place.database.is_some());
        assert!(is_fine, "{found}");
    }
    let tested = place.run(&["provider", "test", "mock", "--json"]);
    let tested: Value = serde_json::from_slice(&tested.stdout).unwrap();
    assert_eq!(tested["accounts"][0]["works"], true, "{tested}");
    server.stop();

    if place.database.is_some() {
        for name in ["durability", "encoding", "sessions", "clocks"] {
            assert_eq!(check(&beside, name)["verdict"], "ok", "{beside}");
        }
    } else {
        let key_file = place.folder.join("florin-data/server.key");
        std::fs::set_permissions(&key_file, std::fs::Permissions::from_mode(0o644)).unwrap();
        let (code, exposed) = doctor(place, &[]);
        assert_eq!((code, &check(&exposed, "key file")["verdict"]), (Some(1), &"fail".into()));
        assert!(check(&exposed, "key file")["next"].as_str().unwrap().contains("chmod 600"));
    }
}

#[test]
fn what_is_broken_is_found_and_says_what_to_do() {
    let place = Place::sqlite("doctor_broken");
    std::fs::write(place.folder.join("file"), "").unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for (environment, name, verdict, found) in [
        (("FLORIN_SERVER__PORT", "x"), "configuration", "fail", "FLORIN_SERVER__PORT must be a port"),
        (("MONGO_URL", "mongodb://h"), "configuration", "warn", "MONGO_URL: not used; instead: PostgreSQL"),
        (("DATABASE_URL", "postgres://me:hidden@127.0.0.1:1/d"), "database", "fail", "error connecting"),
        (("FLORIN_DATABASE__FOLDER", "file"), "data folder", "fail", "file is no folder"),
        (("FLORIN_DATABASE__FOLDER", "/proc/none/here"), "data folder", "fail", "cannot be made in /proc"),
        (("FLORIN_SERVER__PORT", port.as_str()), "port", "warn", "is taken"),
        (("FLORIN_SERVER__HOST", "192.0.2.1"), "port", "fail", "cannot listen on 192.0.2.1"),
    ] {
        let (code, report) = doctor(&place, &[environment]);
        assert_eq!(code, Some(i32::from(verdict == "fail")), "{environment:?}: {report}");
        let checks = report["checks"].as_array().unwrap();
        let hit = checks.iter().find(|check| check["check"] == name && check["verdict"] == verdict);
        let hit = hit.unwrap_or_else(|| panic!("{environment:?}: no {name} {verdict}: {report}"));
        assert!(hit["found"].as_str().unwrap().contains(found), "{hit}");
        assert!(hit["next"].as_str().is_some_and(|next| !next.is_empty()), "{hit}");
        assert!(!report.to_string().contains("hidden"), "{report}");
    }
}

#[test]
fn a_damaged_file_and_another_secret_are_found() {
    let place = Place::sqlite("doctor_damage");
    place.serve(&[], None).stop();
    let (code, report) = doctor(&place, &[("ENCRYPTION_KEY", &"0".repeat(64))]);
    assert_eq!(code, Some(1), "{report}");
    assert!(check(&report, "server secret")["found"].as_str().unwrap().contains("another server secret"));

    let file = place.folder.join("florin-data/florin.db");
    std::fs::remove_file(place.folder.join("florin-data/florin.db-wal")).ok();
    std::fs::write(&file, "this is no database, and long enough to look like one".repeat(100)).unwrap();
    let (code, report) = doctor(&place, &[]);
    assert_eq!((code, &check(&report, "database")["verdict"]), (Some(1), &"fail".into()), "{report}");
}

#[test]
fn people_read_lines() {
    let place = Place::sqlite("doctor_lines");
    let output = place.run(&["doctor"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.lines().any(|line| line.starts_with("ok    configuration")), "{said}");
    let listed = String::from_utf8(place.run(&["provider", "list"]).stdout).unwrap();
    assert!(listed.lines().any(|line| line.starts_with("sandbox")), "{listed}");
    let unknown = place.run(&["provider", "test", "stripes"]);
    assert_eq!(unknown.status.code(), Some(2), "{}", String::from_utf8_lossy(&unknown.stderr));
    let nobody = place.run(&["provider", "test", "sandbox"]);
    assert_eq!(nobody.status.code(), Some(2), "there is no store yet");
}
