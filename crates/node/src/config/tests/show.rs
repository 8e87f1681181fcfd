//! What is shown of a configuration, and the manual.

use super::read;
use crate::config::{Origin, configuration_page};

#[test]
fn each_setting_says_where_it_comes_from() {
    let environment = [
        ("SERVER_PORT", "9001"),
        ("DATABASE_URL", "postgres://me:hidden@host:5432/db?password=hidden"),
        ("ENCRYPTION_KEY", "hiddenhiddenhiddenhiddenhiddenhi"),
    ];
    let config = read("[server]\nhost = \"::1\"\nport = 9000\n", &environment).unwrap();
    let effective = config.effective();
    let of = |name: &str| effective.iter().find(|setting| setting.key == name).unwrap();
    assert_eq!(of("server.port").value.as_deref(), Some("9001"));
    assert_eq!(of("server.port").origin, Origin::Environment("SERVER_PORT".to_owned()));
    assert_eq!(of("server.host").value.as_deref(), Some("\"::1\""));
    assert_eq!(of("server.host").origin.place(), "florin.toml:2");
    assert_eq!(of("log.level").origin.place(), "default");
    assert_eq!(of("server.public_url").value, None);
    assert_eq!(of("database.url").value.as_deref(), Some("\"postgres://me:[secret]@host:5432/db\""));
    assert_eq!(of("encryption_key").value.as_deref(), Some("\"[secret]\""));
    assert!(!format!("{effective:?}").contains("hidden"));
}

#[test]
fn a_reference_to_a_secret_is_shown_and_its_value_is_not() {
    let environment = [("MY_URL", "postgres://me:hidden@host/db")];
    let config = read("database.url = \"env:MY_URL\"", &environment).unwrap();
    assert_eq!(config.database.url.as_ref().unwrap().expose(), "postgres://me:hidden@host/db");
    let effective = config.effective();
    let url = effective.iter().find(|setting| setting.key == "database.url").unwrap();
    assert_eq!(url.value.as_deref(), Some("\"env:MY_URL\""));
}

#[test]
fn the_manual_is_what_the_table_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");
    let page = std::fs::read_to_string(path).unwrap_or_default();
    assert!(page == configuration_page(), "docs/configuration.md is stale: run `cargo xtask gen-docs`");
}
