//! What the binary says of itself, and the settings that it shows.

use serde_json::Value;

use crate::server::Place;

fn said(place: &Place, arguments: &[&str]) -> String {
    let output = place.run(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_pages_in_the_tree_are_what_the_binary_says() {
    let place = Place::sqlite("reference");
    for (page, path) in
        [("configuration", "configuration.md"), ("names", "coming-from-the-source.md"), ("cli", "cli.md")]
    {
        let path = format!("{}/../../docs/{path}", env!("CARGO_MANIFEST_DIR"));
        let in_tree = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(in_tree == said(&place, &["reference", page]), "{path} is stale: run `cargo xtask gen-docs`");
    }
}

#[test]
fn completions_and_the_manual_page_are_made() {
    let place = Place::sqlite("completions");
    for (shell, sign) in [("bash", "complete -F"), ("zsh", "#compdef florin"), ("fish", "complete -c florin")]
    {
        let script = said(&place, &["completions", shell]);
        assert!(script.contains(sign) && script.contains("ledger"), "{shell}");
    }
    let page = said(&place, &["man"]);
    assert!(page.contains(".TH florin 1") && page.contains("ledger"), "{page}");
    let refused = place.run(&["completions", "cmd"]);
    assert_eq!(refused.status.code(), Some(2));
}

/// A merchant's own settings follow the rules of the API: a browser is sent where they say.
#[test]
fn a_merchants_settings_are_checked() {
    let place = Place::sqlite("merchant-settings");
    said(&place, &["migrate"]);
    said(&place, &["merchant", "create", "Shop"]);
    for (flag, value) in [
        ("--return-url", "javascript:alert(1)"),
        ("--return-url", "ftp://shop.example"),
        ("--statement-descriptor", "longer than the twenty-two characters of networks"),
        ("--upi-payee-vpa", "bogus"),
    ] {
        let refused = place.run(&["merchant", "settings", "set", flag, value]);
        assert_eq!(refused.status.code(), Some(2), "{flag} {value}");
    }
    said(&place, &["merchant", "settings", "set", "--return-url", "https://shop.example/done"]);
    assert!(said(&place, &["merchant", "settings", "show"]).contains("https://shop.example/done"));
}

/// What helps to write a configuration must not need one that works.
#[test]
fn the_default_configuration_is_a_file_to_begin_with() {
    let place = Place::sqlite("config_default");
    std::fs::write(place.folder.join("florin.toml"), "no = \"good\"\n").unwrap();
    let default = said(&place, &["config", "default"]);
    assert_eq!(place.run(&["config", "show"]).status.code(), Some(2));
    std::fs::write(place.folder.join("florin.toml"), default).unwrap();
    let shown: Value = serde_json::from_str(&said(&place, &["config", "show", "--json"])).unwrap();
    assert_eq!(shown["server.host"]["value"], "\"127.0.0.1\"");
    let from = shown["server.host"]["from"].as_str().unwrap();
    assert!(from.starts_with("florin.toml:"), "{from}");
    assert_eq!(shown["server.port"]["from"], "FLORIN_SERVER__PORT", "the test's own environment");
}

#[test]
fn the_shown_configuration_hides_secrets() {
    let place = Place::sqlite("config_show");
    let mut command = place.florin(&["config", "show"]);
    command.env("DATABASE_URL", "postgres://me:hidden@host/db").env("ENCRYPTION_KEY", "hidden--".repeat(4));
    let shown = String::from_utf8(command.output().unwrap().stdout).unwrap();
    assert!(shown.contains("postgres://me:[secret]@host/db") && !shown.contains("hidden"), "{shown}");
    assert!(shown.contains("# DATABASE_URL"), "{shown}");
}
