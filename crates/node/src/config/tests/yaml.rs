//! YAML says what TOML says.

use crate::config::{Config, ConfigError};

fn read(text: &str) -> Result<Config, ConfigError> {
    Config::of("florin.yaml", text, &[])
}

fn values(config: &Config) -> Vec<(&'static str, Option<String>)> {
    config.effective().into_iter().map(|setting| (setting.key, setting.value)).collect()
}

#[test]
fn the_same_settings_in_both_languages_are_equal() {
    let toml = "\
encryption_key = \"0123456789abcdef0123456789abcdef\"
server.port = 9000
[server]
public_url = \"https://pay.example.com\"
answer_within = 30
[sandbox]
bank = \"http://127.0.0.1:8001\"
upi_delay = \"500ms\"
[log]
level = \"debug\"
";
    let toml = toml.replace("server.port = 9000\n[server]", "[server]\nport = 9000");
    let yaml = "\
# A comment
encryption_key: 0123456789abcdef0123456789abcdef
server:
  port: 9000
  public_url: https://pay.example.com
  answer_within: 30
sandbox: {bank: 'http://127.0.0.1:8001', \"upi_delay\": 500ms}
log:
  level: debug
";
    let from_toml = Config::of("florin.toml", &toml, &[]).unwrap();
    let from_yaml = read(yaml).unwrap();
    assert_eq!(values(&from_toml), values(&from_yaml));
    assert_eq!(from_toml.encryption_key, from_yaml.encryption_key);
    assert_eq!(from_yaml.server.port, 9000);
}

#[test]
fn nothing_is_no_settings() {
    for text in ["", "# only a comment\n", "---\n", "---\n{}\n", "~\n"] {
        assert_eq!(values(&read(text).unwrap()), values(&Config::defaults().unwrap()), "{text:?}");
    }
}

#[test]
fn what_cannot_be_used_is_said_with_its_line() {
    for (text, said) in [
        ("server:\n\n  prot: 1", "florin.yaml:3: `server.prot` is no setting; the nearest is `server.port`"),
        ("server:\n  port: eighty", "florin.yaml:2: server.port must be a port, 0 to 65535"),
        ("server:\n  port: '80'", "florin.yaml:2: server.port must be a port, 0 to 65535"),
        ("server:\n  port: 1\n  port: 2", "florin.yaml:3: duplicate key `port`"),
        ("server:\n  port: 1\nlog:\n\tlevel: info", "florin.yaml:4: "),
        ("server: 1", "florin.yaml:1: `server` is a section of settings, not a setting"),
        ("- server", "florin.yaml:1: settings are expected, as `name: value`"),
        ("just words", "florin.yaml:1: settings are expected"),
        ("log:\n  level: info\n---\nlog: {}\n", "florin.yaml:4: there is a second document"),
        ("log: &l\n  level: info\n", "florin.yaml:1: anchors are not read"),
        ("server:\n  host: *h\n", "florin.yaml:2: "),
        ("server:\n  host: !own x\n", "florin.yaml:2: tags are not read"),
        ("? [a]\n: 1\n", "florin.yaml:1: a name is expected"),
        ("server:\n  host:\n", "florin.yaml:2: server.host must be a text"),
        ("server:\n  host: yes\n  port: 0x1F90x", "florin.yaml:3: server.port must be a port"),
    ] {
        let error = read(text).unwrap_err().to_string();
        assert!(error.starts_with(said), "{text}\n  said {error}\n  not  {said}");
    }
    let deep = format!("{}1", "a: {".repeat(40));
    assert!(read(&deep).unwrap_err().to_string().contains("nested too deeply"));
}

#[test]
fn scalars_are_those_of_the_core_schema() {
    for (text, port) in [("8080", 8080), ("+8080", 8080), ("0x1F90", 8080), ("0o17620", 8080), ("007", 7)] {
        assert_eq!(read(&format!("server:\n  port: {text}")).unwrap().server.port, port, "{text}");
    }
    // What YAML 1.1 took for a boolean, and what is quoted, is a text.
    for text in ["no", "on", "'8080'", "\"true\"", "!!str 8080", "1.2.3", "30s"] {
        assert!(read(&format!("server:\n  host: {text}")).is_ok(), "{text}");
    }
    for text in ["true", "1.5", "8080", "~", ".5", "1e3", "[a]", "{a: 1}"] {
        assert!(read(&format!("server:\n  host: {text}")).is_err(), "{text}");
    }
}
