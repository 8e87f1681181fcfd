//! One setting that other systems write in several variables.

use super::ConfigError;
use super::key::Environment;
use super::keys::keys;
use super::origin::Origin;
use super::source::Assignment;
use super::value::Raw;

/// The variables of a database in parts, with what holds without each: the values of the documents
/// that the names come from.
pub(super) const DB_PARTS: [(&str, &str); 6] = [
    ("DB_HOST", ""),
    ("DB_PORT", "5432"),
    ("DB_USERNAME", "postgres"),
    ("DB_PASSWORD", ""),
    ("DB_DATABASE", "payments"),
    ("DB_SSL_MODE", ""),
];

/// `database.url` out of `DB_HOST` and its companions, if `DB_HOST` is set.
pub(super) fn database_url(environment: &Environment) -> Result<Option<Assignment>, ConfigError> {
    let is_set =
        |name: &str| environment.iter().any(|(known, value)| known == name && !value.trim().is_empty());
    if !is_set("DB_HOST") {
        return match DB_PARTS.iter().find(|(name, _)| is_set(name)) {
            Some((name, _)) => Err(ConfigError::Relation(format!(
                "{name} says nothing without DB_HOST: set that too, or DATABASE_URL instead of both"
            ))),
            None => Ok(None),
        };
    }
    let mut parts = [const { String::new() }; 6];
    for (part, (name, default)) in parts.iter_mut().zip(DB_PARTS) {
        let given = environment.iter().find(|(known, _)| known == name);
        let raw = Raw::Environment(given.map_or(default, |(_, value)| value.trim()).to_owned());
        *part = match raw.text() {
            Ok("") | Err(_) => default.to_owned(),
            Ok(_) => raw
                .secret(environment)
                .map_err(|allowed| ConfigError::Value { said_by: name.to_owned(), allowed })?,
        };
    }
    let [host, port, user, password, database, ssl_mode] = parts;
    let url = address(&host, &port, &user, &password, &database, &ssl_mode)?;
    let key = keys().find(|key| key.name == "database.url");
    let origin = Origin::Environment("DB_HOST".to_owned());
    Ok(key.map(|key| Assignment { key, raw: Raw::Environment(url), origin }))
}

fn address(
    host: &str,
    port: &str,
    user: &str,
    password: &str,
    database: &str,
    ssl_mode: &str,
) -> Result<String, ConfigError> {
    let wrong = |name: &str, allowed| Err(ConfigError::Value { said_by: name.to_owned(), allowed });
    if port.parse::<u16>().is_err() {
        return wrong("DB_PORT", "a port, 0 to 65535");
    }
    if host.contains(['/', '@', '?', '#', ',']) || host.contains(char::is_whitespace) {
        return wrong("DB_HOST", "the name or address of one host");
    }
    let host =
        if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host.to_owned() };
    let mut url = format!("postgres://{}", escaped(user));
    if !password.is_empty() {
        url.extend([":", &escaped(password)]);
    }
    url.extend(["@", &host, ":", port, "/", &escaped(database)]);
    match ssl_mode {
        "" => {}
        "disable" | "prefer" | "require" | "verify-ca" | "verify-full" => url.extend(["?sslmode=", ssl_mode]),
        _ => return wrong("DB_SSL_MODE", "disable, prefer, require, verify-ca or verify-full"),
    }
    Ok(url)
}

/// Percent-encodes what would end a part of an address.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let digit =
                |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0').to_ascii_uppercase();
            escaped.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    escaped
}
