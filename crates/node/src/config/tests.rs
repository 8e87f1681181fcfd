#![expect(clippy::unwrap_used, clippy::panic, reason = "a failing test may panic")]

mod names;
mod paypal;
mod razorpay;
mod show;
mod stripe;
mod yaml;

use super::key::DefaultValue;
use super::keys::{SECTIONS, keys};
use super::*;

pub(super) fn read(text: &str, environment: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let environment: Vec<_> =
        environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Config::of("florin.toml", text, &environment)
}

#[test]
fn the_table_is_sound() {
    let mut names: Vec<String> = Vec::new();
    for section in SECTIONS {
        for key in section.keys {
            let rest = key.name.strip_prefix(section.name).unwrap_or_else(|| panic!("{}", key.name));
            assert!(!rest.trim_start_matches('.').contains('.'), "{} stands in {}", key.name, section.name);
            assert!(key.help.ends_with('.') && !key.allowed.is_empty() && !key.kind.is_empty());
            names.extend(key.paths().map(str::to_owned).chain(key.variables()));
        }
    }
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count, "a name means one setting");
}

#[test]
fn every_default_and_every_example_can_be_read() {
    // The compiled-in layer must set everything that has a default.
    let config = Config::defaults().unwrap();
    for effective in config.effective() {
        let key = keys().find(|key| key.name == effective.key).unwrap();
        assert_eq!(effective.value.is_some(), matches!(key.default, DefaultValue::Is(_)), "{}", key.name);
        assert_eq!(effective.origin, Origin::Default);
    }
    // Secrets have no example, and a keystore is opened by one thing alone.
    let is_secret = |line: &str| line.starts_with("#encryption_key") || line.starts_with("#passphrase");
    let all: String = default_text()
        .lines()
        .map(|line| if is_secret(line) { "" } else { line })
        .map(|line| line.strip_prefix('#').filter(|line| !line.starts_with(' ')).unwrap_or(line))
        .flat_map(|line| [line, "\n"])
        .collect();
    let config = read(&all, &[]).unwrap();
    assert_eq!(config.payment.default_gateway.as_deref(), Some("sandbox"));
}

#[test]
fn without_anything_the_defaults_hold() {
    let config = Config::defaults().unwrap();
    assert_eq!((config.server.host.as_str(), config.server.port), ("127.0.0.1", 8000));
    assert_eq!(config.server.answer_within, Duration::from_secs(25));
    assert!(config.database.url.is_none());
    assert_eq!(config.sandbox.bank, BankPlace::Store);
    // The durations must be those that `payments` documents.
    let settings = payments::PaymentsSettings::default();
    assert_eq!(config.operation.send_deadline, settings.send_deadline);
    assert_eq!(config.operation.reply_timeout, settings.reply_timeout);
    assert_eq!(config.operation.margin, settings.margin);
    assert_eq!(config.operation.lookup_first, settings.lookup_first);
    assert_eq!(config.operation.lookup_longest, settings.lookup_longest);
    assert_eq!(config.operation.horizon, settings.horizon);
    assert_eq!(config.operation.repeat_charges_within, settings.repeat_charges_within);
    assert_eq!(config.payment.expires_in, settings.payment_expires_in);
    assert_eq!(config.payment.upi.expires_in, settings.upi_expires_in);
    assert_eq!(config.payment.unattached_methods_expire_in, settings.unattached_methods_expire_in);
}

#[test]
fn the_environment_beats_the_file() {
    let config = read("[server]\nport = 9000\nhost = \"::1\"", &[("FLORIN_SERVER__PORT", "9001")]).unwrap();
    assert_eq!((config.server.host.as_str(), config.server.port), ("::1", 9001));
}

#[test]
fn both_spellings_of_postgres_are_equal() {
    let environment =
        [("DATABASE_URL", "postgresql://me@host/db"), ("FLORIN_DATABASE__URL", "postgres://me@host/db")];
    let config = read("", &environment).unwrap();
    assert_eq!(config.database.url.unwrap().expose(), "postgres://me@host/db");
}

#[test]
fn what_cannot_be_used_is_said_with_its_place() {
    let environment = |name: &'static str, value: &'static str| vec![(name, value)];
    for (text, environment, said) in [
        (
            "[server]\n\nprot = 1",
            vec![],
            "florin.toml:3: `server.prot` is no setting; the nearest is `server.port`",
        ),
        ("port = 1", vec![], "florin.toml:1: `port` is no setting; the nearest is `server.port`"),
        (
            "[servr]\nport = 1",
            vec![],
            "florin.toml:1: `servr.port` is no setting; the nearest is `server.port`",
        ),
        ("[zzz]", vec![], "florin.toml:1: `zzz` is no setting; `florin config default` lists them all"),
        ("zzz.a = 1", vec![], "florin.toml:1: `zzz.a` is no setting"),
        ("server = 1", vec![], "florin.toml:1: `server` is a section of settings, not a setting"),
        ("[server]\nport = \"1\"", vec![], "florin.toml:2: server.port must be a port, 0 to 65535"),
        ("[server]\nport = 1\nport = 2", vec![], "florin.toml:3: duplicate key"),
        ("[server]\nport =", vec![], "florin.toml:2: "),
        (
            "[server]\npublic_url = \"pay\"",
            vec![],
            "florin.toml:2: server.public_url must be an address that",
        ),
        ("", environment("FLORIN_SERVER__PORT", "x"), "FLORIN_SERVER__PORT must be a port"),
        (
            "",
            environment("FLORIN_SERVER__PROT", "1"),
            "environment: `FLORIN_SERVER__PROT` is no setting; the nearest is `FLORIN_SERVER__PORT`",
        ),
        (
            "",
            environment("DATABASE_URL", "mysql://h/d"),
            "DATABASE_URL must be an address that begins with postgres://",
        ),
        (
            "",
            vec![("SERVER_PORT", "1"), ("FLORIN_SERVER__PORT", "2")],
            "SERVER_PORT and FLORIN_SERVER__PORT are the same setting with different values",
        ),
        (
            "[operation]\nlookup_first = \"2h\"",
            vec![],
            "operation.lookup_first is longer than operation.lookup_longest",
        ),
        ("[server]\nanswer_within = 0", vec![], "server.answer_within must be longer than nothing"),
        (
            "[sandbox]\nbank = \"http://bank:9000\"\nfaults.garbage = 3",
            vec![],
            "sandbox.faults and sandbox.latency belong to the bank's own process",
        ),
    ] {
        check_refusal(text, &environment, said);
    }
}

fn check_refusal(text: &str, environment: &[(&str, &str)], said: &str) {
    let error = read(text, environment).unwrap_err().to_string();
    assert!(error.starts_with(said), "{text} {environment:?}\n  said {error}\n  not  {said}");
}

#[test]
fn what_contradicts_or_is_nearly_a_name_is_refused() {
    let environment = |name: &'static str, value: &'static str| vec![(name, value)];
    for (text, environment, said) in [
        (
            "[payment]\nauto_capture = false\ncapture_delay_seconds = 60",
            vec![],
            "payment.auto_capture = false leaves the capture to somebody",
        ),
        (
            "[limits]\ndaily_volume_limit = 100\nmonthly_volume_limit = 99",
            vec![],
            "limits.monthly_volume_limit is less than limits.daily_volume_limit",
        ),
        ("[server]\nport = 9090\n[metrics]\nport = 9090", vec![], "metrics.port is server.port"),
        (
            "server.allowed_origins = [\"https://shop.example.com/\"]",
            vec![],
            "florin.toml:1: server.allowed_origins must be a list of origins",
        ),
        ("server.allowed_origins = [\"*\"]", vec![], "florin.toml:1: server.allowed_origins must be a list"),
        ("payment.default_gateway = \"nobody\"", vec![], "payment.default_gateway is no provider"),
        ("[server.tls]\ncert = \"a\"", vec![], "server.tls.cert needs server.tls.key"),
        ("[server.tls]\nkey = \"a\"", vec![], "server.tls.key needs server.tls.cert"),
        ("", environment("FLORIN_SERVER__TLS__CLIENT_CA", "a"), "server.tls.client_ca asks for"),
        (
            "",
            environment("FLORIN_SERVER_PORT", "8001"),
            "environment: `FLORIN_SERVER_PORT` is no setting; the nearest is `FLORIN_SERVER__PORT`",
        ),
        (
            "",
            environment("FLORIN_DATABASE_URL", "postgres://h/d"),
            "environment: `FLORIN_DATABASE_URL` is no setting; the nearest is `FLORIN_DATABASE__URL`",
        ),
    ] {
        check_refusal(text, &environment, said);
    }
}

#[test]
fn equal_values_under_two_names_agree() {
    let both = [("TRANSACTION_TIMEOUT_SECONDS", "30"), ("FLORIN_SERVER__ANSWER_WITHIN", "30s")];
    assert_eq!(read("", &both).unwrap().server.answer_within, Duration::from_secs(30));
    // Two secrets that differ look alike when printed, and still contradict.
    let (one, other) = ("0".repeat(64), "1".repeat(64));
    let both = [("ENCRYPTION_KEY", one.as_str()), ("FLORIN_ENCRYPTION_KEY", other.as_str())];
    assert!(matches!(read("", &both), Err(ConfigError::Contradiction { .. })));
}

#[test]
fn other_names_in_the_environment_are_left_alone() {
    let others = [("FLORIN_TEST_DATABASE_URL", "x"), ("PORT", "x"), ("DATABASE_URL", ""), ("HOME", "/root")];
    assert!(read("", &others).unwrap().database.url.is_none());
}

#[test]
fn what_begins_like_ours_and_sets_nothing_is_said() {
    let config = read("", &[("FLORIN_LOGLEVL", "debug")]).unwrap();
    let warnings = config.warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings.iter().all(|text| text.starts_with("FLORIN_LOGLEVL sets nothing")), "{warnings:?}");
    // A service named `florin` leaves these in every container of its namespace.
    let of_kubernetes = [
        ("FLORIN_SERVICE_HOST", "10.0.0.7"),
        ("FLORIN_SERVICE_PORT_HTTP", "80"),
        ("FLORIN_PORT", "tcp://10.0.0.7:80"),
        ("FLORIN_SERVER_PORT", "tcp://10.0.0.8:80"),
        ("FLORIN_PORT_80_TCP_PROTO", "tcp"),
    ];
    assert_eq!(read("", &of_kubernetes).unwrap().warnings(), Vec::<String>::new());
}

#[test]
fn mock_is_the_sandbox() {
    let config = read("payment.default_gateway = \"mock\"", &[]).unwrap();
    assert_eq!(config.payment.default_gateway.as_deref(), Some("sandbox"));
}

#[test]
fn one_file_is_found_and_two_are_refused() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/tmp");
    let folder = folder.join(format!("config-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let load = || Config::load_in(&folder, None, &[]);
    assert_eq!(load().unwrap().server.port, 8000);
    std::fs::write(folder.join("florin.yml"), "server:\n  port: 9001\n").unwrap();
    assert_eq!(load().unwrap().server.port, 9001);
    std::fs::write(folder.join("florin.toml"), "[server]\nport = 9002\n").unwrap();
    let both = load().unwrap_err().to_string();
    assert!(both.starts_with("there are florin.toml and florin.yml: keep one"), "{both}");
    let named = Config::load_in(&folder, Some(&folder.join("florin.toml")), &[]);
    assert_eq!(named.unwrap().server.port, 9002);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_named_file_must_exist() {
    let missing = Config::load(Some(Path::new("/nowhere/florin.toml")), &[]);
    assert!(matches!(missing, Err(ConfigError::Unreadable { .. })));
}

#[test]
fn errors_and_debug_show_no_secret() {
    let error = read("", &[("DATABASE_URL", "mysql://me:hidden@h/d")]).unwrap_err();
    assert!(!error.to_string().contains("hidden"));
    let error = read("", &[("ENCRYPTION_KEY", "hidden")]).unwrap_err().to_string();
    assert!(
        error.starts_with("ENCRYPTION_KEY must be 32 bytes: 64 hexadecimal") && !error.contains("hidden")
    );
    let error = read("encryption_key = \"hidden\"", &[]).unwrap_err().to_string();
    assert!(error.starts_with("florin.toml:1: encryption_key must be 32 bytes"), "{error}");
    let key = "hidden--".repeat(4);
    let config = read("", &[("DATABASE_URL", "postgres://me:hidden@h/d"), ("ENCRYPTION_KEY", &key)]).unwrap();
    assert!(!format!("{config:?}").contains("hidden"));
}

#[test]
fn risky_settings_are_warned_of() {
    assert!(Config::defaults().unwrap().warnings().is_empty());
    let config = read("[sandbox]\nbank = \"memory\"", &[("DATABASE_URL", "postgres://h/d")]).unwrap();
    assert_eq!(config.warnings().len(), 2);
}
