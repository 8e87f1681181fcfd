//! Where settings come from: a file's keys with their lines, and the environment's names.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::ConfigError;
use super::keys::{Environment, KEYS, Key};
use super::value::Raw;

/// One value for one setting, and who says so.
pub(super) struct Assignment {
    pub(super) key: &'static Key,
    pub(super) raw: Raw,
    /// `florin.toml:3: server.port`, or `DATABASE_URL`.
    pub(super) said_by: String,
}

/// All settings of a TOML text; `file` names it in errors.
pub(super) fn of_file(file: &str, text: &str) -> Result<Vec<Assignment>, ConfigError> {
    let document = DeTable::parse(text).map_err(|error| ConfigError::Syntax {
        place: place(file, text, error.span().map_or(0, |span| span.start)),
        reason: error.message().to_owned(),
    })?;
    let mut found = Vec::new();
    walk(file, text, "", document.get_ref(), &mut found)?;
    Ok(found)
}

fn walk(
    file: &str,
    text: &str,
    above: &str,
    table: &DeTable<'_>,
    found: &mut Vec<Assignment>,
) -> Result<(), ConfigError> {
    for (name, value) in table {
        let path =
            if above.is_empty() { name.get_ref().to_string() } else { format!("{above}.{}", name.get_ref()) };
        let place = place(file, text, name.span().start);
        let known = KEYS.iter().find(|key| key.name == path);
        let is_section = KEYS.iter().any(|key| key.name.strip_prefix(path.as_str()).is_some_and(is_below));
        match (known, value.get_ref()) {
            (Some(key), _) => {
                found.push(Assignment { key, raw: raw(value), said_by: format!("{place}: {path}") });
            }
            (None, DeValue::Table(inner)) if is_section => walk(file, text, &path, inner, found)?,
            (None, _) if is_section => {
                return Err(ConfigError::NoSection { place, section: path });
            }
            (None, DeValue::Table(inner)) if !inner.is_empty() => {
                // Told of its first setting, which says more than the name of a section.
                let inner_path =
                    inner.keys().next().map_or_else(String::new, |key| key.get_ref().to_string());
                return Err(unknown(place, &format!("{path}.{inner_path}")));
            }
            (None, _) => return Err(unknown(place, &path)),
        }
    }
    Ok(())
}

fn is_below(rest: &str) -> bool {
    rest.starts_with('.')
}

fn raw(value: &Spanned<DeValue<'_>>) -> Raw {
    match value.get_ref() {
        DeValue::String(text) => Raw::Text(text.to_string()),
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).map_or(Raw::Other, Raw::Integer)
        }
        DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_)
        | DeValue::Array(_)
        | DeValue::Table(_) => Raw::Other,
    }
}

/// All settings of the environment. What begins with `FLORIN_` and holds `__` is meant for us, so it
/// must be known; other names belong to others.
pub(super) fn of_environment(environment: &Environment) -> Result<Vec<Assignment>, ConfigError> {
    let mut found = Vec::new();
    for (name, value) in environment {
        let known =
            KEYS.iter().find(|key| key.environment_name() == *name || key.also.contains(&name.as_str()));
        match known {
            // Set to nothing is not set: shells and compose files cannot unset.
            Some(_) if value.trim().is_empty() => {}
            Some(key) => {
                let raw = Raw::Environment(value.clone());
                found.push(Assignment { key, raw, said_by: name.clone() });
            }
            None if name.starts_with("FLORIN_") && name.contains("__") => {
                let path = name.trim_start_matches("FLORIN_").replace("__", ".").to_lowercase();
                let nearest = nearest(&path).map(Key::environment_name);
                return Err(ConfigError::UnknownKey {
                    place: "environment".to_owned(),
                    key: name.clone(),
                    nearest: near(nearest),
                });
            }
            None => {}
        }
    }
    Ok(found)
}

fn unknown(place: String, path: &str) -> ConfigError {
    let nearest = nearest(path).map(|key| key.name.to_owned());
    ConfigError::UnknownKey { place, key: path.to_owned(), nearest: near(nearest) }
}

fn near(name: Option<String>) -> String {
    name.map_or_else(String::new, |name| format!("; the nearest is `{name}`"))
}

fn nearest(path: &str) -> Option<&'static Key> {
    let last = |path: &str| path.rsplit('.').next().map_or(0, str::len);
    let distance = |key: &&Key| strsim::damerau_levenshtein(key.name, path);
    // A name in the wrong section is as near as a slip of the pen.
    let misplaced = KEYS.iter().find(|key| key.name.ends_with(path) && last(key.name) == last(path));
    let slipped = || KEYS.iter().min_by_key(distance).filter(|key| distance(key) <= 1 + path.len() / 3);
    misplaced.or_else(slipped)
}

fn place(file: &str, text: &str, at: usize) -> String {
    let line = text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count() + 1;
    format!("{file}:{line}")
}
